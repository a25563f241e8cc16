//! A moment of a mytoken that is still to be made: fixed, or counted from its making.

use jiff::{SignedDuration, Timestamp};

use crate::domain::time::{from_epoch, later};

/// When a clause begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// So many seconds after it is made.
    In(u64),
    /// At this moment.
    At(Timestamp),
}

impl When {
    /// The moment, for one that is made `now`. The server counts whole seconds: what is shown is what is sent.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => from_epoch(at.as_second()),
            Self::In(seconds) => {
                let span = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
                from_epoch(later(now, span).as_second())
            }
        }
    }
}
