//! `toktui list`: what is held, and how long it lasts. It asks nobody, and works while the store is locked.

mod json;
mod table;

pub(super) use json::access_code;

use clap::Args;
use jiff::{SignedDuration, Timestamp};

use super::house::House;
use super::{Stdout, span};
use crate::domain::credential::Held;
use crate::domain::failure::Failure;
use crate::domain::vault::{Access, Vault};

/// Words of `toktui list`.
#[derive(Clone, Copy, Debug, Args)]
pub struct Words {
    /// JSON instead of a table
    #[arg(long)]
    pub json: bool,
    /// Only what ends within this time: 90s, 10m, 1h, 7d
    #[arg(long, value_name = "DURATION", value_parser = span::parse)]
    pub ending: Option<SignedDuration>,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
Two clocks a line: how long the access token lives, and how long more can be drawn without a new login. Nobody is asked, and a
locked store is read as far as it is readable.

Examples:
  toktui list
  toktui list --ending 7d                      what to renew by hand soon
  toktui list --json | jq -r '.tokens[] | select(.health == \"ok\") | .name'

JSON (version 1; more keys may come, none of these goes; moments are seconds since 1970, null is unknown):
  store               open, locked, none, memory
  now                 when this was written
  tokens[].name       and id, which stays when the name changes
  tokens[].source     the row of the Providers pane; issuer, subject, label: who it speaks for (null while locked)
  tokens[].kind       login, mytoken, access_token
  tokens[].custody    sealed, key_file, session, unsaved, memory_only, foreign
  tokens[].health     ok, in_doubt, needs_login, dead; health_reason: why, or null
  tokens[].ends_at    when no more access tokens can be drawn
  tokens[].uses_left  access tokens left, where they are counted
  tokens[].paused_until  until when its giver is left alone
  tokens[].access[]   scopes, audiences (as asked), granted, obtained_at, expires_at; the chief one first";

/// Lists.
///
/// # Errors
/// None today.
#[allow(clippy::unnecessary_wraps, reason = "every command has the same shape")]
pub async fn run(house: &mut House, words: Words) -> Result<u8, Failure> {
    house.wallet.refresh().await;
    let (held, vault, now) = (house.wallet.held(), house.wallet.vault(), house.clock.now());
    if words.json {
        print_json(&held, &vault, words.ending, now, &mut house.out);
        return Ok(0);
    }
    let chosen: Vec<&Held> = chosen(&held, words.ending, now).collect();
    if chosen.is_empty() {
        house.out.line(nothing(&held, &vault));
        return Ok(0);
    }
    let sources = house.wallet.sources();
    let name = |held: &Held| {
        sources
            .iter()
            .find(|source| source.id == held.source)
            .map_or_else(|| held.source.as_str().to_owned(), |source| source.name.clone())
    };
    for line in table::lines(&chosen, &name, now) {
        house.out.line(&line);
    }
    if vault.access == Access::Locked {
        house.say("the store is locked; toktui unlock");
    }
    Ok(0)
}

/// Prints what is held as JSON.
pub fn print_json(
    held: &[Held],
    vault: &Vault,
    ending: Option<SignedDuration>,
    now: Timestamp,
    out: &mut Stdout,
) {
    let chosen: Vec<&Held> = chosen(held, ending, now).collect();
    out.line(&super::json::safe(&json::of(&chosen, vault, now)));
}

fn chosen(held: &[Held], ending: Option<SignedDuration>, now: Timestamp) -> impl Iterator<Item = &Held> {
    held.iter().filter(move |held| ending.is_none_or(|within| ends_within(held, within, now)))
}

/// Whether what it stands for ends soon: the end of the chain, or of an access token that nothing renews.
fn ends_within(held: &Held, within: SignedDuration, now: Timestamp) -> bool {
    let last = match held.chain {
        crate::domain::credential::Chain::None => held.chief().and_then(|access| access.expires),
        _ => held.chain_ends(),
    };
    last.is_some_and(|end| end.duration_since(now) <= within)
}

fn nothing(held: &[Held], vault: &Vault) -> &'static str {
    match vault.access {
        _ if !held.is_empty() => "Nothing ends within that time.",
        Access::NoStore => "Nothing is held yet. `toktui login PROVIDER` or `toktui keep NAME` begin.",
        _ => "Nothing is held. `toktui login PROVIDER` or `toktui keep NAME` begin.",
    }
}
