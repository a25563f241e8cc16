//! `toktui list`: what is held, and how long it lasts. It asks nobody, and works while the store is locked.

mod ending;
mod json;
mod provider;
mod table;

pub(super) use json::access_code;

use clap::Args;
use jiff::{SignedDuration, Timestamp};

use super::house::House;
use super::{Stdout, gate, span};
use crate::domain::credential::Held;
use crate::domain::ending::{Ending, within};
use crate::domain::failure::{Failure, Kind};
use crate::domain::vault::{Access, Guard, Vault};

/// Words of `toktui list`.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// JSON instead of a table
    #[arg(long)]
    pub json: bool,
    /// Only what ends within this time (90s, 10m, 1h, 7d), has ended or needs a login; nothing where there is none
    #[arg(long, value_name = "DURATION", value_parser = span::parse)]
    pub ending: Option<SignedDuration>,
    /// Only what is held at this provider or mytoken server: each with its client, since when, last use and end
    #[arg(long, value_name = "PROVIDER")]
    pub provider: Option<String>,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
Two clocks a line: how long the access token lives, and how long more can be drawn without a new login. Nobody is asked, and a
locked store is read as far as it is readable.

Examples:
  toktui list
  toktui list --ending 7d                      what to renew by hand soon
  0 7 * * 1  toktui list --ending 8d           a line for crontab: a mail on Mondays, and none where nothing ends
  toktui list --provider egi                   the logins there, as on a token portal's page; toktui revoke NAME ends one
  toktui list --ending 12h || echo 'not this night'
  toktui list --json | jq -r '.tokens[] | select(.health == \"ok\") | .name'

With --ending it prints what ends within that time, what has ended and what needs a new login, each with when and the command that helps;
where there is none it prints nothing at all (JSON: no tokens). A login, a mytoken, or an access token that nothing renews; a mytoken without
uses left counts as ended. What you revoked from here is no news and is left out. It works while the store is locked.

With --provider it lists the logins there side by side: whose, as which client, how each came, since when, when it was last used and when it
ends. What other programs hold there stands on the page that `toktui manage` opens.

Exit codes: 0 it was listed; 2 there is no such provider; with --ending: 0 nothing ends within that time, 3 what is printed does.

JSON (version 1; more keys may come, none of these goes; moments are seconds since 1970, null is unknown):
  store               open, locked, none, memory
  now                 when this was written
  tokens[].name       and id, which stays when the name changes
  tokens[].source     the row of the Providers pane; issuer, subject, label: who it speaks for (null while locked)
  tokens[].kind       login, mytoken, access_token
  tokens[].client     as which client a login came, and got: device, browser, pasted, portal, kept; null while locked or not noted
  tokens[].last_used  when its newest access token came
  tokens[].custody    sealed, key_file, session, unsaved, memory_only, foreign
  tokens[].health     ok, in_doubt, needs_login, dead; health_reason: why, or null
  tokens[].ends_at    when no more access tokens can be drawn
  tokens[].uses_left  access tokens left, where they are counted
  tokens[].paused_until  until when its giver is left alone
  tokens[].access[]   scopes, audiences (as asked), granted, obtained_at, expires_at; the chief one first";

/// Lists.
///
/// # Errors
/// When there is no such provider.
pub async fn run(house: &mut House, words: &Words) -> Result<u8, Failure> {
    if words.provider.is_some() || words.ending.is_some() {
        gate::opened_by_key_file(house).await;
    }
    house.wallet.refresh().await;
    let (vault, now) = (house.wallet.vault(), house.clock.now());
    let (all, sources) = (house.wallet.held(), house.wallet.sources());
    let at = words.provider.as_deref().map(|wanted| provider::named(&sources, wanted)).transpose()?;
    let is_there = |held: &&Held| at.is_none_or(|at| at.id == held.source);
    let held: Vec<&Held> = all.iter().filter(is_there).collect();
    if let Some(span) = words.ending {
        let chosen: Vec<(&Held, Ending)> =
            held.iter().filter_map(|held| within(held, span, now).map(|ending| (*held, ending))).collect();
        if words.json {
            let held: Vec<&Held> = chosen.iter().map(|(held, _)| *held).collect();
            print_chosen(&held, &vault, now, &mut house.out);
        } else if !chosen.is_empty() {
            for line in ending::lines(&chosen, &sources, now) {
                house.out.line(&line);
            }
        }
        return Ok(if chosen.is_empty() { 0 } else { Kind::NotValid.exit_code() });
    }
    if words.json {
        print_chosen(&held, &vault, now, &mut house.out);
        return Ok(0);
    }
    if held.is_empty() {
        house.out.line(&at.map_or_else(|| nothing(&vault).to_owned(), provider::nothing));
        return Ok(0);
    }
    let name = |held: &Held| {
        sources
            .iter()
            .find(|source| source.id == held.source)
            .map_or_else(|| held.source.as_str().to_owned(), |source| source.name.clone())
    };
    let lines = match at {
        Some(_) => provider::lines(&held, now),
        None => table::lines(&held, &name, now),
    };
    for line in lines {
        house.out.line(&line);
    }
    if let Some(at) = at.filter(|at| at.manage_url.is_some()) {
        house.say(&format!("what other programs hold there, too: toktui manage {}", at.id.as_str()));
    }
    // A key file needs no word of anybody's: it opens the store wherever a secret is needed.
    if vault.access == Access::Locked && !vault.guards.contains(&Guard::KeyFile) {
        house.say("the store is locked; toktui unlock");
    }
    Ok(0)
}

/// Prints all that is held as JSON.
pub fn print_json(held: &[Held], vault: &Vault, now: Timestamp, out: &mut Stdout) {
    print_chosen(&held.iter().collect::<Vec<_>>(), vault, now, out);
}

fn print_chosen(held: &[&Held], vault: &Vault, now: Timestamp, out: &mut Stdout) {
    out.line(&super::json::safe(&json::of(held, vault, now)));
}

fn nothing(vault: &Vault) -> &'static str {
    match vault.access {
        Access::NoStore => "Nothing is held yet. `toktui login PROVIDER` or `toktui keep NAME` begin.",
        _ => "Nothing is held. `toktui login PROVIDER` or `toktui keep NAME` begin.",
    }
}
