//! `toktui history NAME`: what happened to it, as this machine knows it and, for a mytoken, its server.

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::house::House;
use super::{json, moment, price};
use crate::domain::credential::Chain;
use crate::domain::event::{Event, Teller, What};
use crate::domain::failure::Failure;
use crate::domain::untrusted::Untrusted;

/// More events of ours than this are not told; the oldest are left out.
const MOST: usize = 1_000;

/// Words of `toktui history`.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// The name it is held under
    pub name: String,
    /// Only what was done here; no server is asked
    #[arg(long)]
    pub local: bool,
    /// JSON instead of text
    #[arg(long)]
    pub json: bool,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
The newest first. A mytoken's server is asked for its part, which costs one of its counted other uses where it has such, and may
make a new copy of it; both are said. --local asks nobody and costs nothing.

Examples:
  toktui history toar
  toktui history egi --local --json | jq '.events[0]'

JSON (version 1):
  events[]      at (seconds since 1970), what (a word of ours, or the server's name for it), teller (here, server), copy
                (of a rotation), address, agent, comment, new_address (the first event from that address),
                new_agent (the first by that program), mom_id (of which mytoken, by its id at the server)
  server_error  why its server's part is missing, or null";

/// Tells.
///
/// # Errors
/// When nothing is held under that name. A server that does not answer is said, and its part left out.
pub async fn run(house: &mut House, words: &Words) -> Result<u8, Failure> {
    let doing = format!("Reading the history of {}", words.name);
    let id = house.find(&words.name, &doing)?;
    let theirs = if words.local { Ok(Vec::new()) } else { theirs(house, &words.name, &doing).await };
    let mut events = house.wallet.journal_of(&id, MOST);
    let (more, failure) = match theirs {
        Ok(more) => (more, None),
        Err(failure) => (Vec::new(), Some(failure)),
    };
    events.extend(more);
    events.sort_by_key(|event| std::cmp::Reverse(event.at));
    print(house, &events, words.json, failure.as_ref());
    match failure {
        None => Ok(0),
        Some(failure) => Err(failure),
    }
}

/// Prints events, as text or JSON; `failure`: why some are missing.
pub(super) fn print(house: &mut House, events: &[Event], json: bool, failure: Option<&Failure>) {
    if json {
        let why = failure.map(ToString::to_string);
        let list: Vec<Value> = events.iter().map(as_json).collect();
        house.out.line(&json::safe(&json!({ "version": 1, "events": list, "server_error": why })));
    } else {
        for event in events {
            house.out.line(&as_text(event));
        }
    }
}

async fn theirs(house: &House, name: &str, doing: &str) -> Result<Vec<Event>, Failure> {
    let before = house.opened(name, doing).await?;
    if !matches!(before.chain, Chain::Mytoken { .. }) {
        return Ok(Vec::new());
    }
    let events = house.wallet.history(&before.id).await?;
    let after = house.wallet.view(&before.id).ok();
    if let Some(price) = after.and_then(|after| price::paid_other(&before, &after, true, false)) {
        house.say(&format!("{name}: {price}"));
    }
    Ok(events)
}

fn as_text(event: &Event) -> String {
    let teller = match event.teller {
        Teller::Here => "here",
        Teller::Server => "server",
    };
    let mut parts = vec![moment(event.at), format!("{teller:<6}"), event.what.label()];
    if let Some(address) = &event.address {
        let new = if event.new_address { " (new)" } else { "" };
        parts.push(format!("from {}{new}", address.shown()));
    }
    if let Some(agent) = &event.agent {
        let new = if event.new_agent { " (new)" } else { "" };
        parts.push(format!("by {}{new}", agent.shown()));
    }
    parts.extend(event.comment.as_ref().map(Untrusted::shown));
    parts.join("  ")
}

fn as_json(event: &Event) -> Value {
    let raw = |text: &Option<Untrusted>| text.as_ref().map(|text| text.raw().to_owned());
    let copy = match event.what {
        What::Rotated { copy } => Some(copy),
        _ => None,
    };
    json!({
        "at": Timestamp::as_second(event.at),
        "what": code(&event.what),
        "teller": match event.teller { Teller::Here => "here", Teller::Server => "server" },
        "copy": copy,
        "address": raw(&event.address),
        "agent": raw(&event.agent),
        "comment": raw(&event.comment),
        "new_address": event.new_address,
        "new_agent": event.new_agent,
        "mom_id": raw(&event.mom_id),
    })
}

/// A stable word for what happened.
fn code(what: &What) -> &str {
    match what {
        What::Server(name) => name.raw(),
        What::LoggedIn => "logged_in",
        What::LoginFailed => "login_failed",
        What::AccessToken => "access_token",
        What::Renewed => "renewed",
        What::Rotated { .. } => "rotated",
        What::Copied => "copied",
        What::ClipboardCleared => "clipboard_cleared",
        What::LookedUp => "looked_up",
        What::HistoryRead => "history_read",
        What::Kept => "kept",
        What::Forgotten => "forgotten",
        What::Revoked => "revoked",
        What::Dropped => "dropped",
        What::Refused => "refused",
        What::InDoubt => "in_doubt",
        What::Noted(_) => "noted",
    }
}
