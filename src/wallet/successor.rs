//! The successor of a mytoken: like it, with shifted dates, under its name.

use std::sync::Arc;

use super::Wallet;
use crate::domain::credential::CredentialId;
use crate::domain::draft::Draft;
use crate::domain::failure::{Failure, Kind};

const DOING: &str = "Making the successor";

/// What a succession came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Succeeded {
    /// The name that the new one has now: the old one's.
    pub name: String,
    /// The name that the old one has now.
    pub old_name: String,
}

impl Wallet {
    /// The draft of a mytoken like this one whose dates are shifted so that it lives as long from now as the old one did.
    ///
    /// # Errors
    /// When it is no mytoken, or a short one of which nothing is known.
    pub fn successor_of(&self, _id: &CredentialId) -> Result<Draft, Failure> {
        Err(Failure::new(Kind::Failed, DOING, "it is not made yet"))
    }

    /// Checks the new mytoken at its server, and puts it under the old one's name; the old one stays held under another name, and is
    /// not revoked by this.
    ///
    /// # Errors
    /// When the new one is not valid here and now: then nothing is renamed.
    pub async fn succeed(
        self: &Arc<Self>,
        _old: &CredentialId,
        _new: &CredentialId,
    ) -> Result<Succeeded, Failure> {
        Err(Failure::new(Kind::Failed, DOING, "it is not made yet"))
    }
}
