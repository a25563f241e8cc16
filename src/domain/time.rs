//! Moments, spans, and how a countdown reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// Where the time comes from. Everything that needs it is given one, so that tests and the demo can set it.
pub trait Clock: Send + Sync {
    /// The present moment, by this clock.
    fn now(&self) -> Timestamp;

    /// The same moment on the clock that counts since the machine was started, also while it sleeps, and that nobody can set.
    /// `None` where there is none.
    fn uptime(&self) -> Option<Uptime> {
        None
    }
}

/// A moment on the clock of one start of one machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Uptime {
    /// Which start: two moments can be compared only where this is the same (Linux: `/proc/sys/kernel/random/boot_id`).
    pub start: u128,
    /// How long after it.
    pub since: SignedDuration,
}

impl Uptime {
    /// The moment `by` later.
    #[must_use]
    pub fn later(self, by: SignedDuration) -> Self {
        Self { start: self.start, since: self.since.saturating_add(by) }
    }

    /// The span from `earlier` to this moment; `None` where the machine was started in between.
    #[must_use]
    pub fn after(self, earlier: Self) -> Option<SignedDuration> {
        (self.start == earlier.start).then(|| self.since.saturating_sub(earlier.since))
    }
}

/// Another clock, moved by a span that can be changed while it runs: the demo's morning, a test's afternoon.
pub struct ShiftedClock {
    base: Arc<dyn Clock>,
    milliseconds: AtomicI64,
}

impl ShiftedClock {
    /// `base`, moved by `by` (negative: into the past).
    pub fn new(base: Arc<dyn Clock>, by: SignedDuration) -> Self {
        Self { base, milliseconds: AtomicI64::new(saturating_millis(by)) }
    }

    /// Moves the clock to `by` away from its base.
    pub fn shift_to(&self, by: SignedDuration) {
        self.milliseconds.store(saturating_millis(by), Ordering::SeqCst);
    }

    /// Moves the clock forward by `by`.
    pub fn advance(&self, by: SignedDuration) {
        self.milliseconds.fetch_add(saturating_millis(by), Ordering::SeqCst);
    }

    fn shift(&self) -> SignedDuration {
        SignedDuration::from_millis(self.milliseconds.load(Ordering::SeqCst))
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        later(self.base.now(), self.shift())
    }

    /// The base's, moved by the same span: to whom the clock is shifted, that time has passed.
    fn uptime(&self) -> Option<Uptime> {
        self.base.uptime().map(|uptime| uptime.later(self.shift()))
    }
}

/// A clock that stands still until it is moved.
pub struct FixedClock {
    now: AtomicI64,
    up: AtomicI64,
}

impl FixedClock {
    /// A clock that says `at`, on a machine that was started that moment.
    #[must_use]
    pub fn at(at: Timestamp) -> Self {
        Self { now: AtomicI64::new(at.as_millisecond()), up: AtomicI64::new(0) }
    }

    /// Time passes: moves it forward (or back) by `by`.
    pub fn advance(&self, by: SignedDuration) {
        self.now.fetch_add(saturating_millis(by), Ordering::SeqCst);
        self.up.fetch_add(saturating_millis(by), Ordering::SeqCst);
    }

    /// Somebody sets the wall clock to `at`; no time passes.
    pub fn set(&self, at: Timestamp) {
        self.now.store(at.as_millisecond(), Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now.load(Ordering::SeqCst)).unwrap_or(Timestamp::MAX)
    }

    fn uptime(&self) -> Option<Uptime> {
        let since = SignedDuration::from_millis(self.up.load(Ordering::SeqCst));
        Some(Uptime { start: 1, since })
    }
}

/// `at` plus `by`, held inside the range that can be represented: a server may claim any lifetime.
#[must_use]
pub fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX })
}

/// A moment `seconds` after the epoch, held inside the range that can be represented.
#[must_use]
pub fn from_epoch(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

fn saturating_millis(span: SignedDuration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(if span.is_negative() { i64::MIN } else { i64::MAX })
}

/// How long until `end`, as a countdown reads: `4y`, `394d`, `3d 02h`, `1h 05m`, `33m`, `9m 41s`, `58s`.
///
/// Seconds are shown below ten minutes only: what ticks is what is near. Never wider than seven columns.
#[must_use]
pub fn countdown(left: SignedDuration) -> String {
    let seconds = left.as_secs().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        ..60 => format!("{seconds}s"),
        60..600 => format!("{minutes}m {:02}s", seconds % 60),
        600..3600 => format!("{minutes}m"),
        3600..86_400 => format!("{hours}h {:02}m", minutes % 60),
        86_400..864_000 => format!("{days}d {:02}h", hours % 24),
        864_000..63_072_000 => format!("{days}d"),
        _ => format!("{}y", (days / 365).min(9999)),
    }
}

/// When the text of [`countdown`] for `end` will next differ, seen from `now`; `None` once it has ended.
///
/// The text is made of whole units left, so it changes at the moment when one unit less is left.
#[must_use]
pub fn countdown_changes(end: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let left = end.duration_since(now);
    if left <= SignedDuration::ZERO {
        return None;
    }
    let seconds = left.as_secs();
    if seconds == 0 {
        return Some(end);
    }
    let unit = match seconds {
        ..600 => 1,
        600..86_400 => 60,
        86_400..864_000 => 3600,
        864_000..63_072_000 => 86_400,
        _ => 31_536_000,
    };
    // The text is that of `seconds` until a little less than the start of its unit is left.
    let shown_until = seconds - seconds % unit;
    let at = later(end, SignedDuration::from_secs(-shown_until));
    Some(later(at, SignedDuration::from_millis(1)))
}

/// How long ago, in words: `just now`, `2m ago`, `3h ago`, `4d ago`, `4y ago`.
#[must_use]
pub fn ago(since: SignedDuration) -> String {
    let seconds = since.as_secs();
    match seconds {
        ..60 => "just now".to_owned(),
        60..3600 => format!("{}m ago", seconds / 60),
        3600..86_400 => format!("{}h ago", seconds / 3600),
        86_400..63_072_000 => format!("{}d ago", seconds / 86_400),
        _ => format!("{}y ago", seconds / 31_536_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(seconds: i64) -> String {
        countdown(SignedDuration::from_secs(seconds))
    }

    #[test]
    fn a_countdown_shows_the_units_that_matter() {
        let table = [
            (-5, "0s"),
            (0, "0s"),
            (58, "58s"),
            (60, "1m 00s"),
            (581, "9m 41s"),
            (600, "10m"),
            (1980, "33m"),
            (3900, "1h 05m"),
            (266_400, "3d 02h"),
            (34_041_600, "394d"),
            (126_144_000, "4y"),
        ];
        for (seconds, text) in table {
            assert_eq!(left(seconds), text, "{seconds} s");
        }
    }

    #[test]
    fn a_countdown_is_never_wider_than_seven_columns() {
        for exponent in 0..63 {
            assert!(left(1_i64 << exponent).chars().count() <= 7);
        }
    }

    #[test]
    fn the_text_stands_still_until_the_announced_moment_and_differs_at_it() {
        let now = from_epoch(1_800_000_000);
        for seconds in [1, 59, 60, 61, 599, 600, 601, 3599, 3600, 86_399, 86_400, 900_000, 70_000_000] {
            let end = later(now, SignedDuration::from_secs(seconds));
            let next = countdown_changes(end, now).expect("still running");
            let text = |at: Timestamp| countdown(end.duration_since(at));
            assert!(next > now);
            assert_eq!(text(later(next, SignedDuration::from_millis(-2))), text(now), "{seconds}");
            assert_ne!(text(next), text(now), "{seconds}");
        }
    }

    #[test]
    fn a_clock_that_is_set_jumps_while_no_time_passes() {
        let clock = FixedClock::at(from_epoch(1_800_000_000));
        let before = clock.uptime().expect("it counts");
        clock.advance(SignedDuration::from_secs(60));
        clock.set(from_epoch(1_900_000_000));
        assert_eq!(clock.now(), from_epoch(1_900_000_000));
        let passed = |clock: &dyn Clock| clock.uptime().expect("it counts").after(before);
        assert_eq!(passed(&clock), Some(SignedDuration::from_secs(60)));
        let shifted = ShiftedClock::new(Arc::new(clock), SignedDuration::from_secs(5));
        assert_eq!(passed(&shifted), Some(SignedDuration::from_secs(65)));
    }

    #[test]
    fn moments_of_two_starts_of_a_machine_cannot_be_compared() {
        let first = Uptime { start: 1, since: SignedDuration::from_secs(10) };
        let second = Uptime { start: 2, since: SignedDuration::from_secs(50) };
        assert_eq!(second.after(first), None);
        assert_eq!(
            first.after(first.later(SignedDuration::from_secs(3))),
            Some(SignedDuration::from_secs(-3))
        );
    }

    #[test]
    fn an_absurd_lifetime_stays_a_moment() {
        assert_eq!(later(from_epoch(0), SignedDuration::MAX), Timestamp::MAX);
        assert_eq!(from_epoch(i64::MAX), Timestamp::MAX);
    }
}
