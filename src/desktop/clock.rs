//! What time it is.

use std::time::Instant;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::place::Environment;
use crate::domain::time::Clock;

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
