//! `toktui unlock`: opens the store for this session.

use std::io::Read;

use clap::Args;

use super::house::House;
use super::{gate, input};
use crate::domain::failure::{Failure, Kind};
use crate::domain::time::countdown;
use crate::domain::vault::{Access, Guard, Opening};

const DOING: &str = "Unlocking the store";

/// Words of `toktui unlock`.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// `-`: the passphrase on standard input
    #[arg(value_parser = ["-"], value_name = "-", hide_possible_values = true)]
    pub stdin: Option<String>,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
Once a session: the key then waits in the kernel's keyring, 8 hours from its last use, out of reach of other users. Where there is no such
keyring (containers, some compute nodes) every command asks for itself; there a keyring or a key file helps.

Examples:
  toktui unlock
  pass show toktui | toktui unlock -

Exit codes: 0 open; 3 that does not open it; 2 no store, or nobody to ask.";

/// Unlocks.
///
/// # Errors
/// When it does not open.
pub async fn run(house: &mut House, words: &Words, from: impl Read) -> Result<u8, Failure> {
    match house.wallet.vault().access {
        Access::NoStore | Access::MemoryOnly(_) => {
            let failure = Failure::new(Kind::Unusable, DOING, "there is no store");
            return Err(failure.hint("Make one: toktui store init."));
        }
        Access::Locked => open(house, words, from).await?,
        Access::Open { .. } => {
            // A script that always unlocks first must not be told a wrong passphrase by nobody.
            if words.stdin.is_some() {
                open(house, words, from).await?;
            }
        }
    }
    let vault = house.wallet.vault();
    let left = match vault.access {
        Access::Open { until } => until.map(|until| until.duration_since(house.clock.now())),
        _ => None,
    };
    match (left, vault.no_session) {
        (Some(left), _) => house.out.line(&format!("Open for {}, longer when used.", countdown(left))),
        (None, Some(why)) => {
            house.out.line(&format!("It opens, but nothing keeps the key for the session: {why}."));
        }
        (None, None) => house.out.line("Open."),
    }
    Ok(0)
}

async fn open(house: &House, words: &Words, from: impl Read) -> Result<(), Failure> {
    if words.stdin.is_some() {
        let passphrase = input::passphrase(from, DOING)?;
        return house.wallet.unlock(Opening::Passphrase(passphrase)).await;
    }
    let guards = house.wallet.vault().guards;
    if guards.contains(&Guard::Passphrase) && house.tty().is_none() && guards.len() == 1 {
        let failure =
            Failure::new(Kind::Unusable, DOING, "it asks for a passphrase, and nobody can be asked");
        return Err(failure.hint("On a terminal: toktui unlock. From a pipe: toktui unlock -."));
    }
    gate::unlocked(house, DOING).await
}
