//! `toktui export` and `toktui restore`: what is held into one sealed file, and back.

use std::io::Read;
use std::path::PathBuf;

use clap::Args;

use super::house::House;
use super::token::write_private;
use super::{gate, input};
use crate::domain::credential::CredentialId;
use crate::domain::failure::{Failure, Kind};
use crate::domain::secret::Secret;
use crate::domain::untrusted::cleaned;
use crate::store::backup;
use crate::wallet::backup::Restored;

/// Words of `toktui export`.
#[derive(Clone, Debug, Args)]
pub struct Export {
    /// The names; without any, all
    pub names: Vec<String>,
    /// The file to write; a passphrase for it is asked
    #[arg(long, value_name = "FILE")]
    pub to: PathBuf,
    /// The passphrase is on standard input
    #[arg(long, conflicts_with = "plain")]
    pub passphrase_stdin: bool,
    /// Not sealed: the word must be typed
    #[arg(long)]
    pub plain: bool,
}

/// Words of `toktui restore`.
#[derive(Clone, Debug, Args)]
pub struct Restore {
    /// The backup
    pub file: PathBuf,
    /// Its passphrase is on standard input
    #[arg(long)]
    pub passphrase_stdin: bool,
}

/// What `--help` says of exporting.
pub const EXPORT: &str = "\
Sealed under a passphrase of its own, in a file that only its owner reads. Something that rotates has one current copy: a backup of it is good
until its next renewal, and is in doubt when it is restored. Clients that were registered from here (toktui provider register) are not in it.

Examples:
  toktui export --to tokens.toktui
  toktui export egi toar --to two.toktui
  pass show backup | toktui export --to tokens.toktui --passphrase-stdin";

/// What `--help` says of restoring.
pub const RESTORE: &str = "\
What is held already is left as it is. A name that is taken gets a number.

Example:
  toktui restore tokens.toktui";

/// More than this is no backup.
const LONGEST: u64 = 64 << 20;

/// Writes a backup.
///
/// # Errors
/// When something cannot be read or written, or nobody typed the word.
pub async fn export(house: &mut House, words: &Export, from: impl Read) -> Result<u8, Failure> {
    let doing = "Making the backup";
    let passphrase = if words.passphrase_stdin { Some(input::passphrase(from, doing)?) } else { None };
    gate::unlocked(house, doing).await?;
    let ids = ids(house, &words.names, doing).await?;
    let passphrase = match (passphrase, house.tty()) {
        (Some(passphrase), _) => Some(passphrase),
        (None, None) => {
            let failure = Failure::new(Kind::Unusable, doing, "nobody can be asked for its passphrase");
            return Err(failure.hint("Pipe it: --passphrase-stdin."));
        }
        (None, Some(tty)) if words.plain => {
            tty.say(&format!("Whoever reads {} will have these tokens.", words.to.display()));
            if gate::answer(&tty, "Type `plain` to go on:").await? != gate::PLAIN {
                return Err(Failure::new(
                    Kind::Cancelled,
                    doing,
                    "the word was not typed; nothing was written",
                ));
            }
            None
        }
        (None, Some(tty)) => Some(gate::new_passphrase(&tty).await?),
    };
    let bytes = house.wallet.back_up(&ids, passphrase.as_ref())?;
    write_private(&words.to, &bytes).map_err(|why| {
        Failure::new(Kind::Failed, doing, format!("{} could not be written: {why}", words.to.display()))
    })?;
    let how = if passphrase.is_some() { "sealed" } else { "NOT sealed" };
    house.out.line(&cleaned(&format!("{} in {}, {how}.", counted(ids.len()), words.to.display())));
    if let Ok(registered) = house.wallet.registrations(doing)
        && !registered.is_empty()
    {
        let clients: Vec<&str> = registered.iter().map(|one| one.client.as_str()).collect();
        house.say(&cleaned(&format!(
            "not in it, as they can be registered again: the clients {}",
            clients.join(", ")
        )));
    }
    Ok(0)
}

/// Takes a backup in.
///
/// # Errors
/// When it cannot be read; the first of what could not be kept.
pub async fn restore(house: &mut House, words: &Restore, from: impl Read) -> Result<u8, Failure> {
    let doing = "Reading the backup";
    let unreadable = |why: String| Failure::new(Kind::Unusable, doing, why);
    let file = std::fs::File::open(&words.file)
        .map_err(|error| unreadable(format!("{}: {error}", words.file.display())))?;
    let mut bytes = zeroize::Zeroizing::new(Vec::new());
    file.take(LONGEST).read_to_end(&mut bytes).map_err(|error| unreadable(error.to_string()))?;
    let sealed = backup::is_sealed(&bytes).map_err(|error| unreadable(error.to_string()))?;
    let passphrase: Option<Secret> = match house.tty() {
        _ if !sealed => None,
        _ if words.passphrase_stdin => Some(input::passphrase(from, doing)?),
        Some(tty) => Some(gate::hidden(&tty, "Passphrase of the backup:").await?),
        None => {
            let failure = Failure::new(Kind::Unusable, doing, "nobody can be asked for its passphrase");
            return Err(failure.hint("Pipe it: --passphrase-stdin."));
        }
    };
    gate::made(house, doing).await?;
    let mut failed = None;
    for (name, what) in house.wallet.restore(&bytes, passphrase.as_ref()).await? {
        match what {
            Restored::Kept(under) if under == name => house.out.line(&format!("{name}: restored")),
            Restored::Kept(under) => house.out.line(&format!("{}: restored as {under}", cleaned(&name))),
            Restored::Held(under) => house.out.line(&format!("{}: held already, as {under}", cleaned(&name))),
            Restored::Failed(failure) if failed.is_none() => failed = Some(failure),
            Restored::Failed(failure) => house.say(&failure.to_string()),
        }
    }
    failed.map_or(Ok(0), Err)
}

async fn ids(house: &House, names: &[String], doing: &str) -> Result<Vec<CredentialId>, Failure> {
    if !names.is_empty() {
        return names.iter().map(|name| house.find(name, doing)).collect();
    }
    house.wallet.refresh().await;
    let all: Vec<CredentialId> = house.wallet.held().iter().map(|held| held.id.clone()).collect();
    if all.is_empty() {
        return Err(Failure::new(Kind::Unusable, doing, "nothing is held"));
    }
    Ok(all)
}

fn counted(number: usize) -> String {
    if number == 1 { "1 token".to_owned() } else { format!("{number} tokens") }
}
