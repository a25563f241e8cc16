//! `toktui mytoken list`: all mytokens of the user at a server, held here or not.

use clap::Args;

use super::{members, right};
use crate::cli::gate;
use crate::cli::house::House;
use crate::domain::failure::Failure;
use crate::domain::family::Which;
use crate::wallet::family::LIST;

/// Words of it.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// The mytoken server, by its short name or address
    pub server: Option<String>,
    /// By whose right
    #[command(flatten)]
    pub by: right::By,
    /// What of each of them
    #[command(flatten)]
    pub shown: members::Shown,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
By the right of a mytoken that may (`manage_mytokens:list`): of those that are held the cheapest one, or a manager mytoken with --log-in. Where
the one that asks has counted other uses it costs one of them, with --last-used two; where it rotates it gets a new copy. Both are said.
What a mytoken may do is not listed by any server; it is known of what is held here.

Examples:
  toktui mytoken list
  toktui mytoken list mytoken-kit --log-in --last-used
  toktui mytoken list --json | jq -r '.mytokens[] | select(.held_as == null) | .mom_id'

JSON (version 1; moments are seconds since 1970, null is unknown):
  server, via, by_manager  where, and by whose right
  cut                      there were more than anybody can read
  mytokens[]               mom_id, parent (the mom_id it was made from), depth, name, created_at, expires_at (null: never), address,
                           held_as, asks, capabilities (of what is held), last_used_known, last_used_at, last_used_from, last_used_by

Exit codes: 0 listed; 2 wrong usage; 3 nothing held may list; 4 not reached, or asked to wait.";

/// Lists.
///
/// # Errors
/// When nobody here may ask, or nobody answers.
pub async fn run(house: &mut House, words: &Words) -> Result<u8, Failure> {
    let doing = "Listing mytokens";
    gate::unlocked(house, doing).await?;
    let source = right::server(house, words.server.as_deref(), &words.by, doing)?;
    let via = right::right(house, &words.by, &source, LIST, doing).await?;
    let before = right::before(house, &via);
    let mut family = house.wallet.family(&source.id, &via, Which::All).await?;
    let used = if words.shown.last_used { house.wallet.last_used(&mut family).await } else { Ok(()) };
    right::say_price(house, before.as_ref(), &source, true);
    members::show(house, &family, before.as_ref().map(|held| held.name.as_str()), &words.shown);
    used.map(|()| 0)
}
