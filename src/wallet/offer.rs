//! What a mytoken server offers, asked once a session.

use std::sync::Arc;

use super::Wallet;
use crate::domain::failure::{Failure, Kind};
use crate::domain::offer::Offer;
use crate::domain::source::SourceId;

const DOING: &str = "Asking what the server offers";

impl Wallet {
    /// What the mytoken server of this row (a server or a profile) offers.
    ///
    /// # Errors
    /// When it is no such row, or nobody answers.
    pub async fn offer(self: &Arc<Self>, _source: &SourceId) -> Result<Offer, Failure> {
        Err(Failure::new(Kind::Failed, DOING, "it is not made yet"))
    }
}
