//! When something on screen will next differ by itself. The loop sleeps until then, or for ever: there is no ticker.

use jiff::{SignedDuration, Timestamp, ToSpan};

use super::content::{self, Line};
use super::geometry::{Area, Geometry, Shape};
use super::history;
use super::lookup::{self, Shown};
use super::overlay::Overlay;
use super::state::{Pane, State};
use super::tally::HAIR;
use crate::domain::credential::Held;
use crate::domain::login::{Polled, View};
use crate::domain::time::{countdown_changes, from_epoch, later};
use crate::domain::vault::Access;

/// How often at most the screen changes while nobody looks at it.
const UNWATCHED: SignedDuration = SignedDuration::from_mins(1);

/// When less than this is left until the store locks, the header says so.
pub const LOCKS_SOON: SignedDuration = SignedDuration::from_hours(1);

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
    pub fn shows_clock(&self) -> bool {
        self.tokens.tally.is_counting
    }

    fn deadlines(&self, due: &mut Soonest) {
        due.at(self.clipboard.as_ref().map(|clipboard| clipboard.until));
        due.at(self.retry);
        due.at(self.price.as_ref().map(|price| price.until));
        due.at(self.notice.as_ref().and_then(|notice| notice.until));
        // The order of the rows, the counts in the header and what the keys can do turn at these.
        // One that has come since the last message is due at once.
        due.at(self.tokens.tally.turns.map(|at| at.max(later(due.now, HAIR))));
    }

    fn texts(&self, soonest: &mut Soonest) {
        let geometry = Geometry::of(self);
        if geometry.shape == Shape::Sentence {
            return;
        }
        self.message_texts(soonest);
        self.overlay_texts(&geometry, soonest);
        let is_seen = |area: Area| {
            !area.is_empty() && !self.overlays.iter().any(|overlay| geometry.overlay(overlay).covers(area))
        };
        if is_seen(geometry.header) {
            if self.shows_clock() {
                soonest.at(next_minute(soonest.now));
            }
            soonest.countdown(self.tokens.tally.first_over.map(|(_, end)| end));
            if let Access::Open { until: Some(until) } = self.wallet.vault.access {
                let soon = later(until, HAIR.saturating_sub(LOCKS_SOON));
                if soonest.now < soon { soonest.at(soon) } else { soonest.countdown(until) }
            }
        }
        if is_seen(geometry.pane(Pane::Tokens)) {
            let visible = self.tokens.rows.iter().skip(self.tokens.offset).take(geometry.rows(Pane::Tokens));
            visible.filter_map(|at| self.wallet.held.get(*at)).for_each(|held| soonest.row(held));
        }
        if is_seen(geometry.pane(Pane::Lookup)) {
            self.lookup_texts(soonest);
        }
        if is_seen(geometry.pane(Pane::History)) {
            soonest.ago(history::on_show(self).read);
        }
        // Moments of today are told by the clock, all others by their day.
        if !self.wallet.held.is_empty() || !self.wallet.journal.is_empty() {
            soonest.at(next_midnight(self, soonest.now));
        }
    }

    /// The same order as in [`super::notice::on_show`].
    fn message_texts(&self, soonest: &mut Soonest) {
        if let Some(since) = self.leaving {
            return soonest.since(since, 1);
        }
        if self.price.is_some() {
            return;
        }
        if let Some(busy) = self.busy.last() {
            return soonest.since(busy.since, 1);
        }
        if self.notice.is_none()
            && let Some(clipboard) = &self.clipboard
        {
            soonest.countdown(clipboard.until);
            soonest.countdown(clipboard.ends);
        }
    }

    fn lookup_texts(&self, soonest: &mut Soonest) {
        let (verdict, heard) = match lookup::on_show(self, soonest.now) {
            Shown::Nothing => return,
            Shown::Locked(held) | Shown::Login { held, .. } => return soonest.row(held),
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

    fn overlay_texts(&self, geometry: &Geometry, soonest: &mut Soonest) {
        for overlay in &self.overlays {
            match overlay {
                Overlay::Login(login) => login.view.iter().for_each(|view| soonest.login(view)),
                Overlay::CopyMenu(id, _) => self.held(id).into_iter().for_each(|held| soonest.row(held)),
                Overlay::Details(_, list)
                | Overlay::Content(list)
                | Overlay::Member(_, list)
                | Overlay::Event(_, list)
                | Overlay::Introspected(_, list)
                | Overlay::Announced(_, list)
                | Overlay::Active(_, list)
                | Overlay::Compared(_, list)
                | Overlay::Userinfo(_, list) => {
                    let lines = |width| content::of_overlay(self, overlay, width);
                    soonest.page(geometry.reading(overlay), list.offset, lines);
                }
                Overlay::Family(window) => {
                    soonest.ago(window.family.as_ref().map(|family| family.read));
                    let waits = self.families.limits.get(&window.source).and_then(|limits| limits.wait_until);
                    soonest.countdown(waits);
                    soonest.at(waits);
                    let rows = usize::from(geometry.reading(overlay).height);
                    for row in window.list.offset..window.list.offset.saturating_add(rows) {
                        let Some((_, member)) = window.in_row(row) else { break };
                        soonest.ago(member.last_used.iter().flatten().map(|last| last.at).next());
                        soonest.whole_hours(member.listed.expires);
                    }
                    soonest.countdown(self.families.managers.get(&window.source).copied());
                    soonest.at(self.families.managers.get(&window.source).copied());
                }
                Overlay::Handing(handing) => {
                    soonest.countdown(handing.handed.ends);
                    soonest.at(handing.handed.ends);
                }
                Overlay::Help(_)
                | Overlay::Palette(_)
                | Overlay::WhichProvider(_)
                | Overlay::WhichClient(_)
                | Overlay::Registered(..)
                | Overlay::Create(_)
                | Overlay::Granted(_)
                | Overlay::Failed(_)
                | Overlay::Paste(_)
                | Overlay::MayAsk(..)
                | Overlay::KeepAs(..)
                | Overlay::AddProvider(_)
                | Overlay::Revoke(_)
                | Overlay::Sheet(_)
                | Overlay::QuitLoses(_)
                | Overlay::Guarding(_)
                | Overlay::Rename(..)
                | Overlay::Filter(_) => {}
                Overlay::Unlock(unlock) => {
                    soonest.countdown(unlock.pause);
                    soonest.at(unlock.pause);
                }
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

    /// Whole hours until a moment: what is told more coarsely turns with one of them, too.
    fn whole_hours(&mut self, end: Option<Timestamp>) {
        let Some(end) = end.filter(|end| *end > self.now) else { return };
        let hours = end.duration_since(self.now).as_secs() / 3600;
        self.at(later(later(end, SignedDuration::from_hours(-hours)), HAIR));
        self.at(end);
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
        if let Some(pause) = &held.pause {
            self.countdown(pause.until);
            self.at(pause.until);
        }
    }

    /// The moments on the part of a page that is on screen.
    fn page(&mut self, area: Area, offset: usize, lines: impl FnOnce(usize) -> Option<Vec<Line>>) {
        let lines = lines(usize::from(area.width)).unwrap_or_default();
        for line in lines.into_iter().skip(offset).take(usize::from(area.height)) {
            if let Line::Moment(_, at) = line {
                self.moment(at);
            }
        }
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
    from_epoch((now.as_second().div_euclid(60) + 1).saturating_mul(60))
}

fn next_midnight(state: &State, now: Timestamp) -> Option<Timestamp> {
    let zone = if state.utc { jiff::tz::TimeZone::UTC } else { state.zone.clone() };
    let tomorrow = now.to_zoned(zone).checked_add(1.day()).ok()?;
    Some(tomorrow.start_of_day().ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::effect::{Copied, Outcome};
    use crate::app::message::Message;
    use crate::app::sample::*;
    use crate::app::state::Tone;
    use crate::app::update::update;
    use crate::domain::credential::Chain;

    /// How often the loop would draw until `until`: at first, and whenever something on screen has changed.
    fn frames(state: &mut State, from: Timestamp, until: Timestamp) -> usize {
        let mut now = from;
        let mut frames = 1;
        while let Some(next) = state.next_change(now).filter(|next| *next <= until) {
            assert!(next > now, "a loop that does not sleep");
            now = next;
            let _ = update(state, Message::Tick, now);
            frames += 1;
        }
        frames
    }

    #[test]
    fn an_idle_hour_costs_one_frame() {
        for held in [vec![], vec![held("none", "egi", Chain::None, None)]] {
            let mut state = board(held);
            assert_eq!(frames(&mut state, now(), seconds(3600)), 1);
        }
    }

    #[test]
    fn a_token_with_a_little_over_ten_seconds_left_costs_eleven_frames_more() {
        let mut token = bare("short", 0);
        let end = later(now(), SignedDuration::from_millis(10_400));
        token.access[0].expires = Some(end);
        let mut state = board(vec![token]);
        // 9 s, 8 s, … 0 s, expired.
        assert_eq!(frames(&mut state, now(), later(end, SignedDuration::from_secs(30))), 1 + 11);
    }

    #[test]
    fn minutes_tick_by_the_minute_and_days_by_the_hour() {
        let mut minutes = board(vec![bare("a", 1990)]);
        // 33m ends at 1 980 s left, 32m at 1 920; the clock's minutes fall on whole minutes of the day.
        let frames_in_five_minutes = frames(&mut minutes, now(), seconds(300));
        assert!(frames_in_five_minutes <= 1 + 5 + 5, "{frames_in_five_minutes}");
        let mut days = board(vec![bare("a", 3 * 86_400)]);
        assert_eq!(frames(&mut days, now(), seconds(3500)), 2, "from 3d 00h to 2d 23h");
    }

    #[test]
    fn what_is_scrolled_away_does_not_tick() {
        let mut held: Vec<_> = (0..30).map(|n| bare(&format!("n{n:02}"), 7259 + 600 * n)).collect();
        held.push(bare("z", 300));
        let mut state = board(held);
        let _ = press(&mut state, "sg");
        assert_eq!(state.tokens.rows.last(), Some(&30), "by name, the short one last and out of sight");
        let next = state.next_change(now()).expect("minutes tick");
        assert_eq!(next, later(seconds(59), HAIR));
    }

    #[test]
    fn a_row_turns_even_when_it_is_out_of_sight() {
        let mut held: Vec<_> = (0..30).map(|n| bare(&format!("n{n:02}"), 864_000)).collect();
        held.push(bare("z", 90_100));
        let mut state = board(held);
        let _ = press(&mut state, "sg");
        let turns = later(seconds(90_100 - 60), HAIR);
        let mut now = now();
        while now < turns {
            now = state.next_change(now).expect("it ends one day");
            let _ = update(&mut state, Message::Tick, now);
        }
        assert_eq!(now, turns);
    }

    #[test]
    fn while_nobody_looks_the_screen_rests_for_a_minute_and_the_clipboard_is_cleared_in_time() {
        let mut state = board(vec![bare("a", 300)]);
        let _ = update(&mut state, Message::Focused(false), now());
        assert_eq!(state.next_change(now()), Some(seconds(60)));
        let copied =
            Copied { what: "it".to_owned(), route: "x", certain: true, ends: None, until: Some(seconds(45)) };
        tell(&mut state, Outcome::Copied(Ok(copied)));
        assert_eq!(state.next_change(now()), Some(seconds(45)));
        let _ = update(&mut state, Message::Focused(true), now());
        assert_eq!(state.next_change(now()), Some(later(now(), HAIR)), "45 s is shown for this moment only");
    }

    #[test]
    fn a_message_and_a_price_go_by_themselves() {
        let mut token = mytoken("toar", None);
        if let Chain::Mytoken { facts, heard, .. } = &mut token.chain {
            (facts.expires, *heard) = (None, None);
        }
        let mut state = board(vec![token]);
        state.say(Tone::Good, "done", now());
        assert_eq!(state.next_change(now()), Some(seconds(10)));
        let _ = update(&mut state, Message::Tick, seconds(10));
        assert_eq!(state.notice, None);
        let _ = press_at(&mut state, "y", seconds(20));
        assert_eq!(state.next_change(seconds(20)), Some(seconds(30)));
    }

    #[test]
    fn the_clock_is_shown_only_while_something_counts_by_minutes() {
        assert!(!board(vec![]).shows_clock());
        assert!(board(vec![bare("a", 3600)]).shows_clock());
        assert!(!board(vec![bare("a", 3 * 86_400)]).shows_clock());
        assert!(!board(vec![bare("a", -5)]).shows_clock());
    }
}
