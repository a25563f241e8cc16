//! What time it is.

use std::time::Instant;

use jiff::Timestamp;

use crate::domain::time::Clock;

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

/// A moment on the steady clock, to keep the limits of calls to the desktop. It never reaches what the board knows.
#[allow(clippy::disallowed_methods, reason = "a limit on a call must hold when the wall clock jumps")]
pub(super) fn steady() -> Instant {
    Instant::now()
}
