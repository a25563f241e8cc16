//! The manager mytoken of a session: one hour, list, revoke and history, never kept, revoked at the session's end.

use std::sync::Arc;

use jiff::Timestamp;

use super::Wallet;
use super::login::Line;
use crate::domain::failure::{Failure, Kind};
use crate::domain::source::SourceId;

const DOING: &str = "Logging in to manage mytokens";

impl Wallet {
    /// Logs in for a manager mytoken at the server of this row, through its consent page; until when it lives.
    ///
    /// # Errors
    /// As for a login.
    pub async fn open_manager(
        self: &Arc<Self>,
        _source: &SourceId,
        _provider: Option<&str>,
        _line: Line,
    ) -> Result<Timestamp, Failure> {
        Err(Failure::new(Kind::Failed, DOING, "it is not made yet"))
    }

    /// Until when there is a manager mytoken for the server of this row.
    #[must_use]
    pub fn manager(&self, _source: &SourceId) -> Option<Timestamp> {
        None
    }

    /// Revokes every manager mytoken of this session: to be awaited before the program ends.
    pub async fn close_managers(self: &Arc<Self>) {}
}
