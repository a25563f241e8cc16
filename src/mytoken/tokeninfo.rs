//! Asking about a mytoken: is it valid, and what happened to it (mytoken-api.md §2.5).

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::discovery::Server;
use super::reply::{self, Reader, Reply, Size};
use super::{Error, No, Reason};
use crate::domain::jwt;
use crate::domain::mytoken::Facts;
use crate::domain::secret::Secret;
use crate::domain::untrusted::Untrusted;
use crate::http::Http;

/// The server takes these for ids (§2.5.2), and is broken there for whoever may manage all mytokens (§12.18).
const NO_IDS: [&str; 2] = ["this", "children"];

/// What a server says of a mytoken that it accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introspection {
    /// Its claims, of a short token, too; the clauses with their counters.
    pub facts: Facts,
    /// Whether a short token was sent, by the server's word.
    pub short: bool,
}

/// One entry of a server's history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryEvent {
    /// Its name on the wire (§6).
    pub event: Untrusted,
    /// When, in whole seconds; absent where the server sent no number.
    pub at: Option<Timestamp>,
    /// What the server adds.
    pub comment: Option<Untrusted>,
    /// From which address.
    pub address: Option<Untrusted>,
    /// By which program.
    pub agent: Option<Untrusted>,
    /// To which mytoken it happened.
    pub mom_id: Option<Untrusted>,
}

#[derive(Serialize)]
struct Question<'a> {
    action: &'static str,
    mytoken: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    mom_ids: &'a [&'a str],
}

/// Asks whether a mytoken is valid, and what it is. Costs nothing, rotates nothing, ignores restrictions.
pub async fn introspect(http: &Http, server: &Server, mytoken: &Secret) -> Reply<Introspection> {
    ask(http, server, "introspect", mytoken, &[], introspection).await
}

/// Reads a mytoken's own history, newest first. Of a restricted mytoken it costs one other use and may rotate it;
/// of an unrestricted one neither. Within a second the order means nothing.
pub async fn event_history(http: &Http, server: &Server, mytoken: &Secret) -> Reply<Vec<HistoryEvent>> {
    ask(http, server, "event_history", mytoken, &[], history).await
}

/// Reads the histories of other mytokens by their ids, in one answer. Costs what [`event_history`] costs. The one that asks
/// must be above them, or needs `manage_mytokens:history`; one id that it may not ask for fails them all.
pub async fn event_history_of(
    http: &Http,
    server: &Server,
    mytoken: &Secret,
    mom_ids: &[&str],
) -> Reply<Vec<HistoryEvent>> {
    // Without ids the server would give the history of the one that asks.
    let bad = if mom_ids.is_empty() { Some("") } else { mom_ids.iter().copied().find(|id| !is_id(id)) };
    if let Some(bad) = bad {
        return Reply::unsent(Error::NotAnId(Untrusted::from(bad)));
    }
    ask(http, server, "event_history", mytoken, mom_ids, history).await
}

/// Whether it can be the id of a mytoken. It is sent as it is: never trimmed, never shortened (§12.17).
pub(super) fn is_id(text: &str) -> bool {
    !text.trim().is_empty() && !NO_IDS.contains(&text) && !text.contains('@')
}

pub(super) async fn ask<T>(
    http: &Http,
    server: &Server,
    action: &'static str,
    mytoken: &Secret,
    mom_ids: &[&str],
    read: Reader<T>,
) -> Reply<T> {
    let Some(url) = &server.tokeninfo else {
        return Reply::unsent(Error::NotOffered("questions about a mytoken"));
    };
    let question = Question { action, mytoken: reply::trimmed(mytoken), mom_ids };
    reply::ask(http, url, mytoken, &question, Size::Document, read).await
}

fn introspection(object: Option<&Map<String, Value>>) -> Result<Introspection, Error> {
    let object = object.ok_or(Error::Unreadable("it is not JSON"))?;
    // It is never false (§12.3); should it ever be, it is not good news.
    if object.get("valid").and_then(Value::as_bool) == Some(false) {
        return Err(No::InvalidToken(Reason::Unidentified).into());
    }
    let claims = object.get("token").and_then(Value::as_object).filter(|claims| !claims.is_empty());
    let mut facts = Facts::from_claims(claims.ok_or(Error::Unreadable("it says nothing of the mytoken"))?);
    if let Some(mom_id) = text(object, "mom_id") {
        facts.mom_id = Some(mom_id);
    }
    let short = object.get("token_type").and_then(Value::as_str) == Some("short_token");
    Ok(Introspection { facts, short })
}

fn history(object: Option<&Map<String, Value>>) -> Result<Vec<HistoryEvent>, Error> {
    let object = object.ok_or(Error::Unreadable("it is not JSON"))?;
    match object.get("events") {
        Some(Value::Array(events)) => Ok(events.iter().filter_map(Value::as_object).map(event).collect()),
        // No events (§2.1.4).
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(_) => Err(Error::Unreadable("its events are no list")),
    }
}

fn event(entry: &Map<String, Value>) -> HistoryEvent {
    HistoryEvent {
        event: text(entry, "event").unwrap_or_default(),
        at: entry.get("time").and_then(jwt::moment),
        comment: text(entry, "comment"),
        address: text(entry, "ip"),
        agent: text(entry, "user_agent"),
        mom_id: text(entry, "mom_id"),
    }
}

fn text(object: &Map<String, Value>, name: &str) -> Option<Untrusted> {
    object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(Untrusted::from)
}
