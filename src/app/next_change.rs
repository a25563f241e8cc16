//! When something on screen will next differ by itself. The loop sleeps until then, or for ever: there is no ticker.

use jiff::{SignedDuration, Timestamp, ToSpan};

use super::geometry::{Geometry, Shape};
use super::history;
use super::lookup::{self, Shown};
use super::overlay::Overlay;
use super::state::{Pane, State};
use crate::domain::credential::{ENDING, Held};
use crate::domain::login::{Polled, View};
use crate::domain::time::{countdown_changes, later};

/// How often at most the screen changes while nobody looks at it.
const UNWATCHED: SignedDuration = SignedDuration::from_mins(1);

/// Texts change at the first moment at which one unit less is left: a hair after the whole unit.
const HAIR: SignedDuration = SignedDuration::from_millis(1);

impl State {
    /// The next moment at which a text on screen differs or something falls due; `None`: never.
    ///
    /// While the terminal has lost the focus, texts change once a minute at most; what falls due does not wait.
    #[must_use]
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let mut text = Soonest::new(now);
        self.texts(&mut text);
        let mut due = Soonest::new(now);
        self.deadlines(&mut due);
        let text = if self.focused { text.at } else { text.at.map(|at| at.max(later(now, UNWATCHED))) };
        [text, due.at].into_iter().flatten().min()
    }

    /// Whether the header shows the time of day: while a row counts by minutes or faster, so that the clock never
    /// ticks alone.
    #[must_use]
    pub fn shows_clock(&self, now: Timestamp) -> bool {
        let day = SignedDuration::from_hours(24);
        let counts = |end: Timestamp| end > now && end.duration_since(now) < day;
        self.wallet.held.iter().any(|held| held.chief().and_then(|access| access.expires).is_some_and(counts))
    }

    fn deadlines(&self, due: &mut Soonest) {
        due.at(self.clipboard.as_ref().map(|clipboard| clipboard.until));
        due.at(self.price.as_ref().map(|price| price.until));
        due.at(self.notice.as_ref().and_then(|notice| notice.until));
        // The order of the rows, the counts in the header and what the keys can do turn at these.
        for held in self.wallet.held.iter() {
            due.turns(held);
        }
    }

    fn texts(&self, soonest: &mut Soonest) {
        let now = soonest.now;
        if let Some(clipboard) = &self.clipboard {
            soonest.countdown(clipboard.until);
            soonest.countdown(clipboard.ends);
        }
        if let Some(busy) = self.busy.last() {
            soonest.since(busy.since, 1);
        }
        let geometry = Geometry::of(self);
        if geometry.shape == Shape::Sentence {
            return;
        }
        if self.shows_clock(now) {
            soonest.at(next_minute(now));
        }
        self.overlay_texts(soonest);
        if !geometry.pane(Pane::Tokens).is_empty() {
            let visible = self.tokens.rows.iter().skip(self.tokens.offset).take(geometry.rows(Pane::Tokens));
            visible.filter_map(|at| self.wallet.held.get(*at)).for_each(|held| soonest.row(held));
        }
        if !geometry.pane(Pane::Lookup).is_empty() {
            self.lookup_texts(soonest);
        }
        if !geometry.pane(Pane::History).is_empty() {
            let shown = history::on_show(self);
            soonest.ago(shown.read);
            if !shown.events.is_empty() {
                // What happened today is told by the clock, what happened before by the day.
                soonest.at(next_midnight(self, now));
            }
        }
    }

    fn lookup_texts(&self, soonest: &mut Soonest) {
        let (verdict, heard) = match lookup::on_show(self, soonest.now) {
            Shown::Nothing => return,
            Shown::Login { held, .. } => return soonest.row(held),
            Shown::Mytoken { held, verdict, heard, .. } => {
                soonest.row(held);
                (Some(verdict), heard)
            }
            Shown::Pasted(pasted, verdict) => {
                let heard = verdict.as_ref().and_then(|verdict| verdict.heard);
                (verdict, heard.or_else(|| pasted.finding.as_ref().map(|finding| finding.at)))
            }
        };
        soonest.ago(heard);
        if let Some((_, at)) = verdict.and_then(|verdict| verdict.turn) {
            soonest.moment(at);
        }
    }

    fn overlay_texts(&self, soonest: &mut Soonest) {
        for overlay in &self.overlays {
            match overlay {
                Overlay::Login(login) => login.view.iter().for_each(|view| soonest.login(view)),
                Overlay::CopyMenu(id, _) | Overlay::Details(id, _) => {
                    self.held(id).into_iter().for_each(|held| soonest.row(held));
                }
                Overlay::Help(_)
                | Overlay::Palette(_)
                | Overlay::Content(_)
                | Overlay::WhichProvider(_)
                | Overlay::WhichClient(_)
                | Overlay::Granted(_)
                | Overlay::Failed(_)
                | Overlay::Paste(_)
                | Overlay::MayAsk(..)
                | Overlay::KeepAs(..)
                | Overlay::AddProvider(_)
                | Overlay::Revoke(_)
                | Overlay::QuitLoses(_)
                | Overlay::Filter(_) => {}
            }
        }
    }
}

/// The soonest of the moments that were named to it and lie ahead.
struct Soonest {
    now: Timestamp,
    at: Option<Timestamp>,
}

impl Soonest {
    fn new(now: Timestamp) -> Self {
        Self { now, at: None }
    }

    fn at(&mut self, at: impl Into<Option<Timestamp>>) {
        let Some(at) = at.into().filter(|at| *at > self.now) else { return };
        self.at = Some(self.at.map_or(at, |soonest| soonest.min(at)));
    }

    fn countdown(&mut self, end: impl Into<Option<Timestamp>>) {
        self.at(end.into().and_then(|end| countdown_changes(end, self.now)));
    }

    /// A moment that is counted down to, then told by how long ago it was.
    fn moment(&mut self, at: impl Into<Option<Timestamp>>) {
        match at.into() {
            Some(at) if at > self.now => self.countdown(at),
            past => self.ago(past),
        }
    }

    /// `just now`, `2m ago`, `3h ago`, `4d ago`, `4y ago`: see [`crate::domain::time::ago`].
    fn ago(&mut self, then: impl Into<Option<Timestamp>>) {
        let Some(then) = then.into() else { return };
        let unit = match self.now.duration_since(then).as_secs() {
            ..3600 => 60,
            3600..86_400 => 3600,
            86_400..63_072_000 => 86_400,
            _ => 31_536_000,
        };
        self.since(then, unit);
    }

    /// A count of whole units since a moment.
    fn since(&mut self, then: Timestamp, unit: i64) {
        let passed = self.now.duration_since(then).as_secs().max(0);
        let next = (passed / unit).saturating_add(1).saturating_mul(unit);
        self.at(later(then, SignedDuration::from_secs(next)));
    }

    fn row(&mut self, held: &Held) {
        for access in &held.access {
            self.moment(access.expires);
        }
        self.moment(held.chain_ends());
    }

    /// The moments at which a row turns from live to ending to ended.
    fn turns(&mut self, held: &Held) {
        if let Some(end) = held.chief().and_then(|access| access.expires) {
            self.at(later(end, SignedDuration::from_secs(-ENDING).saturating_add(HAIR)));
            self.at(end);
        }
        self.at(held.chain_ends());
    }

    fn login(&mut self, view: &View) {
        self.countdown(view.ends);
        for Polled { next, ends, .. } in [&view.device, &view.consent].into_iter().flatten() {
            self.countdown(*ends);
            self.countdown(*next);
        }
    }
}

fn next_minute(now: Timestamp) -> Timestamp {
    later(now, SignedDuration::from_secs(60 - now.as_second().rem_euclid(60)))
}

fn next_midnight(state: &State, now: Timestamp) -> Option<Timestamp> {
    let zone = if state.utc { jiff::tz::TimeZone::UTC } else { state.zone.clone() };
    let tomorrow = now.to_zoned(zone).checked_add(1.day()).ok()?;
    Some(tomorrow.start_of_day().ok()?.timestamp())
}
