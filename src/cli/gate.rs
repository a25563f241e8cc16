//! The way to the store: opened with what asks nobody, unlocked by the person at the terminal, made on first need by one question.

use std::path::Path;
use std::sync::Arc;

use super::house::House;
use super::places::Places;
use crate::config::Settings;
use crate::desktop::Environment;
use crate::desktop::tty::Tty;
use crate::domain::failure::{Failure, Kind};
use crate::domain::secret::Secret;
use crate::domain::time::Clock;
use crate::domain::vault::{Guard, Opening};
#[cfg(target_os = "linux")]
use crate::store::keys::KernelKeyring;
#[cfg(not(target_os = "linux"))]
use crate::store::keys::Nowhere;
use crate::store::keys::{DesktopKeyring, Session};
use crate::store::{Place, Store};

/// How often a passphrase may be mistyped.
const TRIES: usize = 3;

/// Opens the store of this user, as far as that asks nobody.
///
/// # Errors
/// When others could read or change it, or the disk gives nothing.
pub fn store(
    environment: &Environment,
    places: &Places,
    settings: &Settings,
    clock: &Arc<dyn Clock>,
) -> Result<Store, Failure> {
    let opened = match place(environment, places, settings, clock) {
        Some(place) => Store::open(place),
        None => Store::in_memory(),
    };
    opened.map_err(|error| Failure::new(Kind::Failed, "Opening the store", error.to_string()))
}

/// Where the store is and whom it may ask; `None` where this user has no home.
pub fn place(
    environment: &Environment,
    places: &Places,
    settings: &Settings,
    clock: &Arc<dyn Clock>,
) -> Option<Place> {
    let folder = places.store.clone()?;
    let root = rustix::process::geteuid().is_root();
    Some(Place {
        key_file: folder.with_file_name("store.key"),
        folder,
        clock: Arc::clone(clock),
        session: session(),
        keyring: Arc::new(DesktopKeyring::at(&bus(environment))),
        // All of root's containers share one keyring: there it must have been said.
        session_allowed: settings.session.unwrap_or(!root),
        who: program(),
    })
}

/// Where the session's D-Bus is: where the session says, else where systemd puts it.
fn bus(environment: &Environment) -> String {
    let told = environment.variable("DBUS_SESSION_BUS_ADDRESS").map(str::to_owned);
    told.or_else(|| {
        let socket = format!("{}/bus", environment.variable("XDG_RUNTIME_DIR")?);
        Path::new(&socket).exists().then(|| format!("unix:path={socket}"))
    })
    .unwrap_or_default()
}

/// Who keeps keys for the session on this system.
#[cfg(target_os = "linux")]
#[must_use]
pub fn session() -> Arc<dyn Session> {
    Arc::new(KernelKeyring::default())
}

/// Who keeps keys for the session on this system.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn session() -> Arc<dyn Session> {
    Arc::new(Nowhere)
}

/// What runs here, for whoever waits for its locks: the command without its further words.
pub fn program() -> String {
    match std::env::args().nth(1).filter(|word| word.bytes().all(|byte| byte.is_ascii_lowercase())) {
        Some(command) => format!("toktui {command}"),
        None => "toktui".to_owned(),
    }
}

/// Makes sure that secrets can be had: by what asks nobody first, then by the passphrase.
///
/// # Errors
/// When it stays locked.
pub async fn unlocked(house: &House, doing: &str) -> Result<(), Failure> {
    let vault = house.wallet.vault();
    if vault.is_open() {
        return Ok(());
    }
    let mut guards = vault.guards;
    guards.sort_by_key(|guard| Some(*guard) != house.settings.guard);
    for guard in guards {
        let tried = match guard {
            Guard::Keyring => house.wallet.unlock(Opening::Keyring).await,
            Guard::KeyFile => house.wallet.unlock(Opening::KeyFile(None)).await,
            Guard::Passphrase => match house.tty() {
                Some(tty) => return by_passphrase(house, &tty).await,
                None => continue,
            },
        };
        match tried {
            Ok(()) => return Ok(()),
            Err(failure) => house.say(&failure.to_string()),
        }
    }
    Err(Failure::new(Kind::NotValid, doing, "the store is locked").hint("Unlock it: toktui unlock."))
}

/// Opens the store where a key file does that: nobody is asked, and nothing shows up on a desktop. What it does not open stays as it is.
pub async fn opened_by_key_file(house: &House) {
    let vault = house.wallet.vault();
    if !vault.is_open() && vault.guards.contains(&Guard::KeyFile) {
        // What can be read while it is locked is listed then.
        drop(house.wallet.unlock(Opening::KeyFile(None)).await);
    }
}

/// Asks for the passphrase until it opens the store, three times at the most.
///
/// # Errors
/// With the last answer's fault.
pub async fn by_passphrase(house: &House, tty: &Tty) -> Result<(), Failure> {
    let mut tries = 1;
    loop {
        let passphrase = hidden(tty, "Passphrase of the toktui store:").await?;
        tokio::time::sleep(house.wallet.wait_before_try()).await;
        match house.wallet.unlock(Opening::Passphrase(passphrase)).await {
            Err(failure) if tries < TRIES && failure.kind == Kind::NotValid => {
                tty.say(&format!("{failure}"));
                tries += 1;
            }
            other => return other,
        }
    }
}

/// Makes sure that there is a store to keep something in: asks the first question where nobody has answered it yet.
///
/// # Errors
/// When there is none and nobody can be asked, or no answer comes.
pub async fn made(house: &House, doing: &str) -> Result<(), Failure> {
    if !house.wallet.vault().asks_first() {
        return unlocked(house, doing).await;
    }
    let Some(tty) = house.tty() else {
        let why = "there is no store yet to keep it in";
        return Err(Failure::new(Kind::Unusable, doing, why)
            .hint("Make one: toktui store init --keyring, or --passphrase, on a terminal."));
    };
    let opening = first_question(house, &tty).await?;
    house.wallet.create_store(opening).await
}

/// The first question: by what the store is to be guarded.
///
/// # Errors
/// When the terminal gives no answer.
pub async fn first_question(house: &House, tty: &Tty) -> Result<Opening, Failure> {
    let keyring = house.wallet.ask_keyring().await;
    tty.say("toktui keeps tokens on disk, sealed. What guards the key to them?");
    let mut offers = Vec::new();
    if keyring {
        offers.push(Guard::Keyring);
        tty.say("  1  the desktop's keyring: it opens when you log in to this desktop");
    }
    offers.push(Guard::Passphrase);
    tty.say(&format!("  {}  a passphrase: typed once a session", offers.len()));
    tty.say("  `plain` typed out: a key file, which opens the store for whoever reads it");
    let all = if keyring { "1, 2 or plain [1]:" } else { "1 or plain [1]:" };
    loop {
        let answer = answer(tty, all).await?;
        let number = if answer.is_empty() { Some(1) } else { answer.parse::<usize>().ok() };
        let chosen = number.and_then(|number| offers.get(number.checked_sub(1)?)).copied();
        match chosen {
            Some(Guard::Keyring) => return Ok(Opening::Keyring),
            Some(_) => return Ok(Opening::Passphrase(new_passphrase(tty).await?)),
            None if answer == PLAIN => return Ok(Opening::KeyFile(None)),
            None => tty.say("That is none of them."),
        }
    }
}

/// The word that must be typed before anything is kept so that whoever reads the disk can use it.
pub const PLAIN: &str = "plain";

/// Asks for a new passphrase, twice.
///
/// # Errors
/// When the terminal gives no answer.
pub async fn new_passphrase(tty: &Tty) -> Result<Secret, Failure> {
    loop {
        let first = hidden(tty, "New passphrase:").await?;
        if first.is_empty() {
            tty.say("An empty passphrase guards nothing.");
            continue;
        }
        if hidden(tty, "The same again:").await? == first {
            return Ok(first);
        }
        tty.say("They differ. Once more.");
    }
}

/// Asks for a word.
///
/// # Errors
/// When the terminal gives no answer.
pub async fn answer(tty: &Tty, prompt: &str) -> Result<String, Failure> {
    let line = tty.ask(prompt).await.map_err(|_| no_answer())?;
    Ok(line.expose().trim().to_owned())
}

/// Asks for a word that is not shown.
///
/// # Errors
/// When the terminal gives no answer.
pub async fn hidden(tty: &Tty, prompt: &str) -> Result<Secret, Failure> {
    tty.ask_hidden(prompt).await.map_err(|_| no_answer())
}

fn no_answer() -> Failure {
    Failure::new(Kind::Cancelled, "Asking", "no answer came; nothing was changed")
}
