//! Redeem a transfer code.

use std::sync::Arc;

use super::Wallet;
use crate::domain::failure::{Failure, Kind};
use crate::domain::login::Report;
use crate::domain::secret::Secret;
use crate::domain::source::SourceId;

const DOING: &str = "Redeeming a transfer code";

impl Wallet {
    /// Redeems a transfer code at a server, and keeps what comes before anything of it is told.
    ///
    /// # Errors
    /// When the code is unknown, used or too old, or nobody answers: it may be used up then.
    pub async fn redeem(
        self: &Arc<Self>,
        _server: &SourceId,
        _code: &Secret,
        _name: Option<&str>,
    ) -> Result<Report, Failure> {
        Err(Failure::new(Kind::Failed, DOING, "it is not made yet"))
    }
}
