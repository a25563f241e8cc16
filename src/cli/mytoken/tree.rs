//! `toktui mytoken tree NAME`: what was made from a held mytoken.

use clap::Args;

use super::{members, right};
use crate::cli::house::House;
use crate::domain::failure::{Failure, Kind};
use crate::domain::family::{Via, Which};

/// Words of it.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// The name it is held under
    pub name: String,
    /// What of each of them
    #[command(flatten)]
    pub shown: members::Shown,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
By its own right (`tokeninfo:subtokens`, which `tokeninfo` includes). Where it has counted other uses it costs one of them, with --last-used two;
where it rotates it gets a new copy. Both are said. The JSON is that of `toktui mytoken list`.

Example:
  toktui mytoken tree toar

Exit codes: 0 listed; 2 wrong usage; 3 it may not, or is not valid; 4 not reached, or asked to wait.";

/// Lists what is below.
///
/// # Errors
/// When it may not, or nobody answers.
pub async fn run(house: &mut House, words: &Words) -> Result<u8, Failure> {
    let doing = format!("Listing what was made from {}", words.name);
    let held = house.opened(&words.name, &doing).await?;
    let source = house.wallet.server_of_held(&held.id).and_then(|id| house.wallet.source(&id));
    let Some(source) = source else {
        let why = format!("{} is no mytoken of a server that is listed", held.name);
        return Err(Failure::new(Kind::Unusable, doing, why));
    };
    let via = Via::Held(held.id.clone());
    let mut family = house.wallet.family(&source.id, &via, Which::Below).await?;
    let used = if words.shown.last_used { house.wallet.last_used(&mut family).await } else { Ok(()) };
    right::say_price(house, Some(&held), &source, true);
    members::show(house, &family, Some(&held.name), &words.shown);
    used.map(|()| 0)
}
