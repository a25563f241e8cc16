//! What the message line says now, live countdowns included.

use jiff::{SignedDuration, Timestamp};

use super::action::Action;
use super::keymap;
use super::state::{Notice, OnClipboard, State, Tone};
use crate::domain::time::{countdown, later};

/// How long a message stands that needs no heed.
const STANDS: SignedDuration = SignedDuration::from_secs(10);

/// What the message line says now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How it is meant.
    pub tone: Tone,
    /// What it says first.
    pub text: String,
    /// What follows, dimmer, each after a `·`.
    pub tail: Vec<String>,
}

/// What the message line says: a price that waits, else what is under way, else the last message, else what lies
/// on the clipboard, else what is waited for.
#[must_use]
pub fn on_show(state: &State, now: Timestamp) -> Option<Line> {
    if let Some(since) = state.leaving {
        return Some(finishing(state, since, now));
    }
    if let Some(price) = &state.price {
        let again = keymap::key_for(state, price.action).map(|key| format!("again: {key}"));
        return Some(Line {
            tone: Tone::Warning,
            text: price.text.clone(),
            tail: again.into_iter().collect(),
        });
    }
    if let Some(busy) = state.busy.last() {
        let seconds = now.duration_since(busy.since).as_secs();
        let mut tail = Vec::new();
        if seconds > 0 {
            let key =
                keymap::key_for(state, Action::Back).filter(|_| busy.only_reads && state.overlays.is_empty());
            tail.extend(key.map(|key| format!("{key} stops waiting")));
            tail.push(format!("{seconds} s"));
        }
        return Some(Line { tone: Tone::Plain, text: busy.doing.clone(), tail });
    }
    if let Some(notice) = &state.notice {
        return Some(Line { tone: notice.tone, text: notice.text.clone(), tail: Vec::new() });
    }
    if let Some(clipboard) = &state.clipboard {
        return Some(copied(clipboard, now));
    }
    let login = state.login()?;
    let at = login.view.as_ref().map_or("the provider", |view| view.at.as_str());
    Some(Line { tone: Tone::Plain, text: format!("Waiting for {at}"), tail: Vec::new() })
}

/// The program is left as soon as what is under way has come.
fn finishing(state: &State, since: Timestamp, now: Timestamp) -> Line {
    let awaited: Vec<&str> =
        state.busy.iter().filter(|busy| !busy.only_reads).map(|busy| busy.doing.as_str()).collect();
    let managers = state.families.managers.values().any(|until| *until > now);
    let what = match (awaited.is_empty(), managers) {
        (false, _) => awaited.join(", "),
        (true, true) => "revoking the manager mytoken of this session".to_owned(),
        (true, false) => "what is under way".to_owned(),
    };
    let seconds = now.duration_since(since).as_secs().max(0);
    let tail = vec!["no answer is lost".to_owned(), format!("{seconds} s")];
    Line { tone: Tone::Warning, text: format!("Finishing before toktui quits: {what}"), tail }
}

fn copied(clipboard: &OnClipboard, now: Timestamp) -> Line {
    let text = if clipboard.certain {
        format!("Copied {}", clipboard.what)
    } else {
        format!("Sent {} to {}", clipboard.what, clipboard.route)
    };
    let ends = clipboard.ends.map(|end| match end.duration_since(now) {
        left if left.is_positive() => format!("it ends in {}", countdown(left)),
        _ => "it has ended".to_owned(),
    });
    let left = clipboard.until.duration_since(now).as_secs().max(0);
    let cleared = if clipboard.certain {
        format!("clipboard cleared in {left} s")
    } else {
        format!("cleared there in {left} s")
    };
    let tail = clipboard.remark.clone().into_iter().chain(ends).chain([cleared]).collect();
    Line { tone: Tone::Good, text, tail }
}

impl State {
    /// Says something on the message line. What went wrong stands until Esc or the next message.
    pub(crate) fn say(&mut self, tone: Tone, text: impl Into<String>, now: Timestamp) {
        let until = match tone {
            Tone::Good | Tone::Plain => Some(later(now, STANDS)),
            Tone::Warning | Tone::Bad => None,
        };
        self.notice = Some(Notice { text: text.into(), tone, until });
    }
}
