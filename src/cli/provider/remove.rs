//! `toktui provider remove`: what was added is taken out again.

use clap::Args;

use super::folder;
use crate::cli::house::House;
use crate::config::remove_provider;
use crate::domain::failure::{Failure, Kind};
use crate::domain::untrusted::cleaned;

/// Words of `toktui provider remove`.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// Its short name
    pub name: String,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
Only what `add` (or `+` on the board) made. What is held of it stays: `toktui forget` or `toktui revoke` end that.

Exit codes: 0 taken out; 2 nothing was added under that name, or something else needs it.";

/// Takes one out.
///
/// # Errors
/// When nothing was added under that name, something needs it, or it cannot be written.
pub async fn run(house: &mut House, words: &Words) -> Result<u8, Failure> {
    let doing = format!("Removing {}", cleaned(&words.name));
    let folder = folder(house, &doing)?.to_path_buf();
    let held: Vec<String> = house
        .wallet
        .held()
        .iter()
        .filter(|held| held.source.as_str() == words.name)
        .map(|held| held.name.clone())
        .collect();
    let name = words.name.clone();
    tokio::task::spawn_blocking(move || remove_provider(&folder, &name))
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
