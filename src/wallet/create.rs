//! Make a mytoken from one that is held.

use std::sync::Arc;

use super::Wallet;
use crate::domain::credential::CredentialId;
use crate::domain::draft::Draft;
use crate::domain::failure::{Failure, Kind};
use crate::domain::login::Report;

const DOING: &str = "Making a subtoken";

impl Wallet {
    /// Makes a subtoken of a held mytoken, and keeps it before anything of it is told. It costs one other use of the parent, and may
    /// rotate it.
    ///
    /// # Errors
    /// When it is no mytoken, may not make any, is in doubt, or nobody answers. A rotation on the way is saved all the same.
    pub async fn create_from(
        self: &Arc<Self>,
        _parent: &CredentialId,
        _draft: &Draft,
    ) -> Result<Report, Failure> {
        Err(Failure::new(Kind::Failed, DOING, "it is not made yet"))
    }
}
