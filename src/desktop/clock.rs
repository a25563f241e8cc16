//! What time it is.

#[cfg(target_os = "linux")]
use std::sync::OnceLock;
use std::time::Instant;

#[cfg(target_os = "linux")]
use jiff::SignedDuration;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::place::Environment;
use crate::domain::time::{Clock, Uptime};

/// Where systems keep the rules of their own zone.
const LOCAL_RULES: &str = "/etc/localtime";

/// The machine's own clock: the only one that asks the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place where the clock that is passed around begins"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    #[cfg(target_os = "linux")]
    fn uptime(&self) -> Option<Uptime> {
        use rustix::time::{ClockId, clock_gettime};
        static START: OnceLock<Option<u128>> = OnceLock::new();
        let start = (*START.get_or_init(this_start))?;
        let since = clock_gettime(ClockId::Boottime);
        let nanoseconds = i32::try_from(since.tv_nsec).ok()?;
        Some(Uptime { start, since: SignedDuration::new(since.tv_sec, nanoseconds) })
    }
}

/// Which start of which machine this is. A container may be given an origin of its own for the clock that counts, under the
/// same boot id: its time namespace is taken in, so that moments from two origins are never compared.
#[cfg(target_os = "linux")]
fn this_start() -> Option<u128> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let start = u128::from_str_radix(&id.trim().replace('-', ""), 16).ok()?;
    // `time:[4026531834]`
    let namespace = std::fs::read_link("/proc/self/ns/time").unwrap_or_default();
    let digits: String = namespace.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    Some(start ^ digits.parse::<u128>().unwrap_or_default())
}

/// The zone of the person at the keyboard: `TZ`, else this machine's.
#[must_use]
pub fn zone(environment: &Environment) -> TimeZone {
    // To learn the zone's name jiff would read the whole database of zones before the first frame; nobody asks for it.
    let rules = || {
        let bytes = std::fs::read(LOCAL_RULES).ok()?;
        TimeZone::tzif("Local", &bytes).ok()
    };
    let own = environment.variable("TZ").is_none().then(rules).flatten();
    own.unwrap_or_else(TimeZone::system)
}

/// A moment on the steady clock, to keep the limits of calls to the desktop. It never reaches what the board knows.
#[allow(clippy::disallowed_methods, reason = "a limit on a call must hold when the wall clock jumps")]
pub(super) fn steady() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn the_clock_that_nobody_can_set_runs_forward_within_one_start() {
        let Some(first) = SystemClock.uptime() else { return };
        let second = SystemClock.uptime().expect("as before");
        assert!(second.after(first).is_some_and(|span| !span.is_negative()));
        assert!(first.since.is_positive() && first.start != 0);
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "any moment does")]
    fn the_machines_zone_is_the_same_however_it_is_read() {
        if Environment::of_this_process().variable("TZ").is_some() {
            return;
        }
        let now = Timestamp::now();
        let told = |zone: TimeZone| now.to_zoned(zone).strftime("%F %T %Z").to_string();
        assert_eq!(told(zone(&Environment::of(&[]))), told(TimeZone::system()));
    }
}
