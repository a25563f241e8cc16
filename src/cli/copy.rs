//! `toktui copy NAME`: an access token to the clipboard, from which it goes again by itself.

use std::time::Duration;

use clap::Args;

use super::house::House;
use super::{clipboard, token};
use crate::desktop::{Desktop, Handed, RealDesktop, Route, Sent};
use crate::domain::failure::{Failure, Kind};
use crate::domain::secret::Secret;
use crate::domain::time::countdown;

/// The holder keeps nothing for longer.
const LONGEST: Duration = Duration::from_secs(600);

/// Words of `toktui copy`.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// The name it is held under
    pub name: String,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub wanted: token::Wanted,
    /// As a header: Authorization: Bearer …
    #[arg(long)]
    pub header: bool,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
It leaves the clipboard after 45 s (`clear_after` in the config), unless something else was copied since. Over SSH it goes through the
terminal (OSC 52); then nobody can know whether it arrived, and the message says sent, not copied.

Examples:
  toktui copy egi
  toktui copy toar --min-life 1h";

/// Draws and copies.
///
/// # Errors
/// With the deciding fact; also when there is no clipboard here.
pub async fn run(house: &mut House, words: &Words) -> Result<u8, Failure> {
    let doing = format!("Copying a token of {}", words.name);
    let choice = clipboard(house.settings.clipboard);
    let desktop = RealDesktop::new(house.environment.clone(), None, None).copying(choice);
    let failed = |error: &crate::desktop::Error| Failure::new(Kind::Failed, &doing, error.to_string());
    // Nothing is spent for what cannot be copied.
    if desktop.likely_route().is_none() {
        return Err(failed(&crate::desktop::Error::NoClipboard));
    }
    let drawn = token::draw(house, &words.name, &words.wanted, &doing).await?;
    let value = &drawn.token.value;
    let text = if words.header { token::Form::Header.of(value) } else { Secret::clone(value) };
    let sent = desktop.copy(&text).map_err(|error| failed(&error))?;
    let stays = house.settings.clear_after.map_or(LONGEST, |span| span.min(LONGEST));
    let handed = desktop.hand_over(stays);
    let life = drawn.token.left(house.clock.now());
    let life = life.map(|left| format!("; it lives for {}", countdown(left))).unwrap_or_default();
    let head = said(sent, if words.header { "header" } else { "access token" }, &words.name);
    house.out.line(&format!("{head}{life}. {}", then(handed, stays)));
    Ok(0)
}

/// Only what was seen to be there was copied.
fn said(sent: Sent, what: &str, name: &str) -> String {
    let verb = if sent.certain { "Copied" } else { "Sent" };
    let place = match sent.route {
        Route::Terminal => "the terminal's clipboard",
        route => route.place(),
    };
    format!("{verb} the {what} of {name} to {place}")
}

fn then(handed: Handed, stays: Duration) -> String {
    match handed {
        Handed::Held => format!("It leaves in {} s.", stays.as_secs()),
        Handed::Stays => "It stays there until something else is copied.".to_owned(),
        Handed::Cleared => "Nobody could hold it, so it is cleared already.".to_owned(),
        Handed::Nothing => "Something else was copied since.".to_owned(),
    }
}
