//! `toktui store init | status | guard`: the store itself.

use std::io::Read;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::json;

use super::house::House;
use super::list::access_code;
use super::{gate, input, json};
use crate::domain::failure::{Failure, Kind};
use crate::domain::time::countdown;
use crate::domain::untrusted::cleaned;
use crate::domain::vault::{Access, Guard, Opening, Vault};

/// What is wanted of the store.
#[derive(Clone, Debug, Subcommand)]
pub enum Words {
    /// Make it, and say what guards it
    #[command(after_help = INIT)]
    Init(Guarded),
    /// How it stands: open or locked, guarded by what, where
    #[command(after_help = STATUS)]
    Status {
        /// JSON instead of text
        #[arg(long)]
        json: bool,
    },
    /// Guard it by something else too, or by a new passphrase
    #[command(after_help = GUARD)]
    Guard(Guarded),
}

/// By what it is to be guarded.
#[derive(Clone, Debug, Args)]
pub struct Guarded {
    /// By the desktop's keyring (Secret Service): opens when you log in to the desktop
    #[arg(long, conflicts_with_all = ["passphrase", "key_file"])]
    pub keyring: bool,
    /// By a passphrase: typed once a session
    #[arg(long, conflicts_with = "key_file")]
    pub passphrase: bool,
    /// By a key in this file: whoever reads it opens the store
    #[arg(long, value_name = "PATH")]
    pub key_file: Option<PathBuf>,
    /// A key file is meant, without the word being typed
    #[arg(long, requires = "key_file")]
    pub yes_plain_key: bool,
    /// `-`: the passphrase on standard input
    #[arg(value_parser = ["-"], value_name = "-", hide_possible_values = true)]
    pub stdin: Option<String>,
}

const INIT: &str = "\
Without words it asks. The same question comes by itself when something is to be kept for the first time.

Examples:
  toktui store init
  toktui store init --keyring
  pass show toktui | toktui store init --passphrase -
  toktui store init --key-file ~/.toktui.key --yes-plain-key      for a machine without anybody";

const STATUS: &str = "\
JSON (version 1):
  access        open, locked, none, memory; open_until: seconds since 1970, or null
  guards        keyring, passphrase, key_file; the first is tried first
  folder        where it is; read_only, no_session: why nothing can be written or the key not kept, or null
  unsaved       how many values are newer in memory than on disk";

const GUARD: &str = "\
The store must be open. Each kind of guard is there once: a new passphrase takes the place of the old one.

Examples:
  toktui store guard --passphrase
  toktui store guard --keyring";

/// Does what is wanted.
///
/// # Errors
/// With the deciding fact.
pub async fn run(house: &mut House, words: &Words, from: impl Read) -> Result<u8, Failure> {
    match words {
        Words::Init(guarded) => {
            let doing = "Making the store";
            if !matches!(house.wallet.vault().access, Access::NoStore) {
                return Err(exists(&house.wallet.vault(), doing));
            }
            let opening = opening(house, guarded, from, doing).await?;
            let guard = opening.guard();
            house.wallet.create_store(opening).await?;
            let folder = house.wallet.vault().folder.or_else(|| house.places.store.clone());
            let folder = folder.map(|folder| format!(" in {}", folder.display())).unwrap_or_default();
            house.out.line(&cleaned(&format!("Made a store{folder}, guarded by {}.", guard.words())));
        }
        Words::Status { json } => {
            let (vault, now) = (house.wallet.vault(), house.clock.now());
            if *json {
                house.out.line(&json::safe(&as_json(&vault, now)));
            } else {
                for line in as_text(&vault, now) {
                    house.out.line(&line);
                }
            }
        }
        Words::Guard(guarded) => {
            let doing = "Guarding the store";
            gate::unlocked(house, doing).await?;
            let opening = opening(house, guarded, from, doing).await?;
            let guard = opening.guard();
            house.wallet.guard(opening).await?;
            house.out.line(&format!("Guarded by {}.", guard.words()));
        }
    }
    Ok(0)
}

fn exists(vault: &Vault, doing: &str) -> Failure {
    match &vault.access {
        Access::MemoryOnly(why) => {
            let why = why.clone().unwrap_or_else(|| "there is no place for one".to_owned());
            Failure::new(Kind::Failed, doing, why)
        }
        _ => Failure::new(Kind::Unusable, doing, "there is a store already")
            .hint("toktui store status shows it; toktui store guard changes what guards it."),
    }
}

/// What was said about the guard, or asked.
async fn opening(house: &House, words: &Guarded, from: impl Read, doing: &str) -> Result<Opening, Failure> {
    let tty = house.tty();
    if words.keyring {
        return Ok(Opening::Keyring);
    }
    if let Some(path) = &words.key_file {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let meant = match &tty {
            _ if words.yes_plain_key => true,
            Some(tty) => {
                let why = format!("Whoever reads {} opens the store.", path.display());
                tty.say(&why);
                gate::answer(tty, "Type `plain` to go on:").await? == gate::PLAIN
            }
            None => false,
        };
        if !meant {
            let failure = Failure::new(Kind::Unusable, doing, "a key file guards nothing from its readers");
            return Err(failure.hint("If that is what you want, add --yes-plain-key."));
        }
        return Ok(Opening::KeyFile(Some(path)));
    }
    if words.stdin.is_some() {
        return Ok(Opening::Passphrase(input::passphrase(from, doing)?));
    }
    let Some(tty) = tty else {
        let failure = Failure::new(Kind::Unusable, doing, "nobody can be asked what guards it");
        return Err(failure.hint("Say it: --keyring, --passphrase - with the passphrase on standard input."));
    };
    if words.passphrase {
        return gate::new_passphrase(&tty).await.map(Opening::Passphrase);
    }
    gate::first_question(house, &tty).await
}

fn guard_code(guard: Guard) -> &'static str {
    match guard {
        Guard::Keyring => "keyring",
        Guard::Passphrase => "passphrase",
        Guard::KeyFile => "key_file",
    }
}

fn as_json(vault: &Vault, _now: Timestamp) -> serde_json::Value {
    let until = match &vault.access {
        Access::Open { until } => until.map(Timestamp::as_second),
        _ => None,
    };
    let guards: Vec<&str> = vault.guards.iter().map(|guard| guard_code(*guard)).collect();
    json!({
        "version": 1,
        "access": access_code(&vault.access),
        "open_until": until,
        "guards": guards,
        "folder": vault.folder.as_ref().map(|folder| folder.display().to_string()),
        "read_only": vault.read_only,
        "no_session": vault.no_session,
        "unsaved": vault.unsaved,
    })
}

fn as_text(vault: &Vault, now: Timestamp) -> Vec<String> {
    let mut lines = vec![match &vault.access {
        Access::NoStore => "No store yet. `toktui store init` makes one.".to_owned(),
        Access::MemoryOnly(None) => "In memory only, as you said.".to_owned(),
        Access::MemoryOnly(Some(why)) => format!("In memory only: {why}."),
        Access::Open { until: Some(until) } => {
            format!("Open for {}, longer when used.", countdown(until.duration_since(now)))
        }
        Access::Open { until: None } => {
            "Open for this command; nothing keeps the key for the session.".to_owned()
        }
        Access::Locked => "Locked. `toktui unlock` opens it.".to_owned(),
    }];
    let mut put = |label: &str, text: Option<String>| {
        if let Some(text) = text {
            lines.push(format!("  {label:<12}{text}"));
        }
    };
    let guards: Vec<&str> = vault.guards.iter().map(|guard| guard.words()).collect();
    put("guarded by", (!guards.is_empty()).then(|| guards.join(", ")));
    put("folder", vault.folder.as_ref().map(|folder| folder.display().to_string()));
    put("read-only", vault.read_only.clone());
    put("no session", vault.no_session.clone());
    put("unsaved", (vault.unsaved > 0).then(|| vault.unsaved.to_string()));
    lines.iter().map(|line| cleaned(line)).collect()
}
