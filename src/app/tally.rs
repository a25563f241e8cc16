//! What is counted over all that is held: once a snapshot, and again when a row turns; never once a frame.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::domain::credential::{ENDING, Held, Life};
use crate::domain::ending::{announced, announced_from};
use crate::domain::source::SourceId;
use crate::domain::time::later;

/// While an access token has less left than this, its row counts by minutes.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Texts change at the first moment at which one unit less is left: a hair after the whole unit.
pub(super) const HAIR: SignedDuration = SignedDuration::from_millis(1);

/// A clock that is off by less than this is not worth a word (security.md I2).
pub const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// What is counted over all that is held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Access tokens that live. One of a dead credential counts too: it still works.
    pub live: usize,
    /// Access tokens that end within a minute.
    pub ending: usize,
    /// Access tokens that have ended, where more can be had.
    pub expired: usize,
    /// Credentials that will never give one again.
    pub dead: usize,
    /// How many will soon give no more access tokens.
    pub soon_over: usize,
    /// The first of them, by its place in what is held, and when.
    pub first_over: Option<(usize, Timestamp)>,
    /// What is lost when the program ends.
    pub lost: usize,
    /// Whether a row counts by minutes or faster.
    pub is_counting: bool,
    /// How far the clock of the latest giver is ahead of ours, where that is worth a word.
    pub skew: Option<SignedDuration>,
    /// How many are listed under each source.
    pub under: HashMap<SourceId, usize>,
    /// When some of this, or the order of the rows, will differ by itself.
    pub turns: Option<Timestamp>,
}

impl Tally {
    /// Counts what is held; an end is announced `warn_before` it.
    #[must_use]
    pub fn of(held: &[Held], warn_before: Option<SignedDuration>, now: Timestamp) -> Self {
        let mut tally = Self::default();
        let mut latest = Timestamp::MIN;
        for (place, held) in held.iter().enumerate() {
            if let Some(before) = warn_before {
                tally.announce(place, held, before, now);
            }
            tally.count(held, now);
            tally.note_turns(held, now);
            match tally.under.get_mut(&held.source) {
                Some(many) => *many += 1,
                None => drop(tally.under.insert(held.source.clone(), 1)),
            }
            for access in &held.access {
                if let Some(skew) = access.skew.filter(|_| access.obtained > latest) {
                    latest = access.obtained;
                    tally.skew = Some(skew).filter(|skew| skew.abs() > SKEW);
                }
            }
        }
        tally
    }

    fn count(&mut self, held: &Held, now: Timestamp) {
        match held.life(now) {
            Life::Live(_) | Life::Unknown => self.live += 1,
            Life::Ending(_) => self.ending += 1,
            Life::Expired(_) | Life::None if held.is_dead(now) => self.dead += 1,
            Life::Expired(_) => self.expired += 1,
            Life::None => {}
        }
        self.lost += usize::from(held.is_lost_on_quit(now));
        let end = held.chief().and_then(|access| access.expires);
        self.is_counting |= end.is_some_and(|end| end > now && end.duration_since(now) < DAY);
    }

    /// The moments at which a row turns from live to ending to ended, and those at which keys begin or cease to work.
    fn note_turns(&mut self, held: &Held, now: Timestamp) {
        let end = held.chief().and_then(|access| access.expires);
        let before = |span: SignedDuration| end.map(|end| later(end, HAIR.saturating_sub(span)));
        let pause = held.pause.as_ref().map(|pause| pause.until);
        let turns = [before(SignedDuration::from_secs(ENDING)), end, before(DAY), held.chain_ends(), pause];
        turns.into_iter().flatten().for_each(|at| self.turn(at, now));
    }

    fn turn(&mut self, at: Timestamp, now: Timestamp) {
        if at > now {
            self.turns = Some(self.turns.map_or(at, |soonest| soonest.min(at)));
        }
    }

    /// Counts what is announced, and the moment from which it will be.
    fn announce(&mut self, place: usize, held: &Held, before: SignedDuration, now: Timestamp) {
        if let Some(end) = announced(held, before, now) {
            self.soon_over += 1;
            if self.first_over.is_none_or(|(_, first)| end < first) {
                self.first_over = Some((place, end));
            }
        }
        if let Some(from) = announced_from(held, before) {
            self.turn(from, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::sample::*;

    #[test]
    fn everything_is_counted_once_and_turns_at_the_soonest_end() {
        let held = [bare("a", 40), bare("b", 4000), bare("c", -5), mytoken("d", None)];
        let tally = Tally::of(&held, None, now());
        assert_eq!((tally.live, tally.ending, tally.expired, tally.dead), (1, 1, 0, 1));
        assert_eq!(tally.lost, 3, "what is dead is no loss");
        assert_eq!(tally.turns, Some(seconds(40)));
        assert_eq!(tally.under.get(&"egi".into()), Some(&3));
        assert!(tally.is_counting && !Tally::of(&[bare("z", 90_000)], None, now()).is_counting);
    }

    #[test]
    fn what_is_soon_over_is_counted_from_the_announced_moment_on() {
        let week = Some(SignedDuration::from_hours(7 * 24));
        let (egi, toar) = (login("egi", 300), mytoken("toar", None));
        let held = [egi, toar.clone()];
        let tally = Tally::of(&held, week, now());
        assert_eq!((tally.soon_over, tally.first_over), (0, None), "a mytoken of three days");
        // In the last quarter of its three days and an hour.
        let from = later(seconds(3 * 86_400), -SignedDuration::from_secs((3 * 86_400 + 3600) / 4));
        let tally = Tally::of(&held, week, later(from, -HAIR));
        assert_eq!((tally.soon_over, tally.turns), (0, Some(from)));
        let tally = Tally::of(&held, week, from);
        assert_eq!((tally.soon_over, tally.first_over), (1, Some((1, seconds(3 * 86_400)))));
        assert_eq!(Tally::of(&[toar], None, from).soon_over, 0, "never");
    }

    #[test]
    fn a_clock_is_said_to_be_off_only_by_the_latest_word_and_from_a_minute_on() {
        let with = |name: &str, left, skew: i64| {
            let mut held = bare(name, left);
            held.access[0].skew = Some(SignedDuration::from_secs(skew));
            held
        };
        let skew = |held: &[Held]| Tally::of(held, None, now()).skew.map(|skew| skew.as_secs());
        assert_eq!(skew(&[with("old", 10, 500), with("new", 20, 3)]), None);
        assert_eq!(skew(&[with("new", 20, -90), with("old", 10, 3)]), Some(-90));
        assert_eq!(skew(&[bare("untold", 90)]), None);
    }
}
