//! The second clock of a row: how long more access tokens can be drawn without a login, and what stands in the way.

use std::borrow::Cow;

use ratatui::style::Style;

use super::scene::Scene;
use crate::app::can::access_tokens_left;
use crate::domain::credential::{Chain, ChainEnd, Custody, Health, Held};
use crate::domain::ending::announced;
use crate::domain::mytoken::{Clause, Facts, can};
use crate::domain::time::countdown;
use crate::domain::untrusted::cleaned;

/// What the second clock says.
pub(super) enum Renewable {
    /// A sentence; its brief form; how it is meant.
    Said { long: String, brief: Cow<'static, str>, style: Style },
    /// A kind, a span with how it is meant, and a remark in long and brief.
    Counted { kind: &'static str, span: (String, Style), rest: (String, String, Style) },
}

impl Renewable {
    pub(super) fn of(held: &Held, scene: Scene<'_>) -> Self {
        let theme = scene.theme;
        let said = |long: String, brief: &'static str, style| Self::Said { long, brief: brief.into(), style };
        if let Custody::Unsaved(why) = &held.custody {
            return said(format!("NOT SAVED: {}", cleaned(why)), "NOT SAVED", theme.dead);
        }
        match (&held.custody, &held.health) {
            (_, Health::Dead(why)) => return said(format!("dead: {}", cleaned(why)), "dead", theme.dead),
            (_, Health::NeedsLogin(why)) => {
                return said(format!("no: {}", cleaned(why)), "log in", theme.dead);
            }
            (_, Health::InDoubt(why)) => {
                return said(format!("in doubt: {}", cleaned(why)), "in doubt", theme.warning);
            }
            (Custody::Foreign(_), Health::Ok) => {
                return said("read-only here".to_owned(), "read-only", theme.dim);
            }
            (
                Custody::Sealed
                | Custody::KeyFile
                | Custody::Session
                | Custody::Unsaved(_)
                | Custody::MemoryOnly,
                Health::Ok,
            ) => {}
        }
        if held.chain_ends().is_some_and(|end| end <= scene.now) {
            return said("over, log in again".to_owned(), "over", theme.dead);
        }
        if let Some(pause) = held.pause.as_ref().filter(|pause| pause.until > scene.now) {
            let left = countdown(scene.left(pause.until));
            let long = format!("waits {left}: {}", cleaned(&pause.why));
            return Self::Said { long, brief: format!("waits {left}").into(), style: theme.warning };
        }
        let span = held.chain_ends().map(|end| countdown(scene.left(end)));
        let is_soon =
            scene.state.seat.warn_before.and_then(|before| announced(held, before, scene.now)).is_some();
        let meant = if is_soon { theme.ending } else { theme.text };
        // The span says it already where a limit that matters more takes the room.
        let soon = || ("soon over".to_owned(), "soon".to_owned(), theme.warning);
        let nothing = || if is_soon { soon() } else { (String::new(), String::new(), theme.dim) };
        match &held.chain {
            Chain::None => said("no, log in again".to_owned(), "no", theme.dim),
            Chain::Refresh { ends, session_only, .. } => match (span, ends) {
                (Some(span), _) => {
                    let session = (String::from("at most"), String::new(), theme.dim);
                    let rest = if *session_only { session } else { nothing() };
                    Self::Counted { kind: "refresh", span: (span, meant), rest }
                }
                (None, _) if *session_only => {
                    said("refresh   with its session".to_owned(), "session", theme.text)
                }
                (None, ChainEnd::Unknown) => said("refresh   end unknown".to_owned(), "unknown", theme.text),
                (None, ChainEnd::Open | ChainEnd::At(_)) => {
                    said("refresh   no end named".to_owned(), "no end", theme.text)
                }
            },
            Chain::Mytoken { facts, short, .. } => {
                let open = if *short && facts.capabilities.is_empty() { "unknown" } else { "no end" };
                let span = span.unwrap_or_else(|| open.to_owned());
                let limits = limits(facts, scene);
                let rest = if is_soon && limits.1.is_empty() { soon() } else { limits };
                Self::Counted { kind: "mytoken", span: (span, meant), rest }
            }
        }
    }
}

/// What limits a mytoken besides time, in long and brief.
fn limits(facts: &Facts, scene: Scene<'_>) -> (String, String, Style) {
    let theme = scene.theme;
    if !facts.capabilities.is_empty() && !can(&facts.capabilities, "AT") {
        return ("draws none".to_owned(), "no AT".to_owned(), theme.warning);
    }
    match (access_tokens_left(facts, scene.state), facts.restrictions.as_slice()) {
        (Some(0), _) => ("used up".to_owned(), "used up".to_owned(), theme.dead),
        (Some(left), [Clause { uses_at: Some(most), .. }]) => {
            (format!("{left} of {most} uses"), format!("{left} left"), theme.dim)
        }
        (Some(left), _) => (format!("{left} uses left"), format!("{left} left"), theme.dim),
        (None, _) if facts.capabilities.len() == 1 => ("AT only".to_owned(), String::new(), theme.dim),
        (None, _) => (String::new(), String::new(), theme.dim),
    }
}
