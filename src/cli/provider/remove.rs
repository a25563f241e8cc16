//! `toktui provider remove`: what was added is taken out again.

use clap::Args;

use super::{folder, register};
use crate::cli::gate;
use crate::cli::house::House;
use crate::config::{added_providers, remove_provider};
use crate::domain::failure::{Failure, Kind};
use crate::domain::source::SourceId;
use crate::domain::untrusted::cleaned;

/// Words of `toktui provider remove`.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// Its short name
    pub name: String,
    /// Delete the client that was registered for it, too; where the provider refuses, nothing is taken out
    #[arg(long)]
    pub unregister: bool,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
Only what `add` (or `+` on the board) or `register` made. What is held of it stays: `toktui forget` or `toktui revoke` end that. A client that was
registered for it stays registered unless --unregister deletes it first (at a terminal that is asked): `toktui provider unregister` does it later, too.

Exit codes: 0 taken out; 2 nothing was added under that name, or something else needs it.";

/// Takes one out.
///
/// # Errors
/// When nothing was added under that name, something needs it, or it cannot be written.
pub async fn run(house: &mut House, words: &Words) -> Result<u8, Failure> {
    let doing = format!("Removing {}", cleaned(&words.name));
    let folder = folder(house, &doing)?.to_path_buf();
    let ended = unregister(house, words, &doing).await?;
    let held: Vec<String> = house
        .wallet
        .held()
        .iter()
        .filter(|held| held.source.as_str() == words.name)
        .map(|held| held.name.clone())
        .collect();
    let name = words.name.clone();
    // Where only its client had been added, that went with the registration.
    tokio::task::spawn_blocking(move || match added_providers(&folder) {
        Ok(added) if ended && !added.contains(&name) => Ok(()),
        _ => remove_provider(&folder, &name),
    })
    .await
    .map_err(|error| error.to_string())
    .and_then(|removed| removed)
    .map_err(|why| Failure::new(Kind::Unusable, doing, why))?;
    house.out.line(&cleaned(&format!("Removed {}", words.name)));
    if !held.is_empty() {
        house.say(&cleaned(&format!("what is held of it stays: {}", held.join(", "))));
    }
    Ok(0)
}

/// Deletes the client that was registered for it, where that is wanted. Whether it did.
async fn unregister(house: &House, words: &Words, doing: &str) -> Result<bool, Failure> {
    let source = house.wallet.source(&SourceId(words.name.clone()));
    let is_registered =
        source.as_ref().and_then(|source| source.issuer()).is_some_and(|issuer| issuer.registered);
    if !is_registered && !words.unregister {
        return Ok(false);
    }
    let wanted = match (words.unregister, house.tty()) {
        (true, _) => true,
        (false, Some(tty)) => {
            let answer =
                gate::answer(&tty, "Delete the client that was registered for it there, too? [y/N]").await?;
            answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes")
        }
        (false, None) => false,
    };
    if !wanted {
        let name = &words.name;
        house.say(&cleaned(&format!("its client stays registered there: toktui provider unregister {name}")));
        return Ok(false);
    }
    gate::unlocked(house, doing).await?;
    let kept = register::one_of(house, &words.name, None, doing)?;
    register::ended(house, kept, false, doing).await.map(|_| true)
}
