//! A wallet that changes nothing: not at any server, not in the store. What is held can be read, copied, counted down and looked up.

use std::sync::atomic::Ordering;

use super::Wallet;
use crate::domain::failure::{Failure, Kind};

/// Why nothing is changed.
pub const READ_ONLY: &str = "this toktui was started read-only";

impl Wallet {
    /// From now on every verb that would change something, here or at a server, fails and says so.
    pub fn set_read_only(&self, read_only: bool) {
        self.read_only.store(read_only, Ordering::SeqCst);
    }

    /// Whether nothing may be changed.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.read_only.load(Ordering::SeqCst)
    }

    /// Whether something may be changed: every verb that does asks this before anything else.
    ///
    /// # Errors
    /// When this wallet is read-only.
    pub(super) fn may_change(&self, doing: &str) -> Result<(), Failure> {
        if !self.is_read_only() {
            return Ok(());
        }
        let failure = Failure::new(Kind::Unusable, doing, READ_ONLY);
        Err(failure.hint("Nothing was sent and nothing changed. Start it without --read-only, and without `read_only` in the config."))
    }
}
