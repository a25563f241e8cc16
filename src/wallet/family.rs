//! All mytokens of a user at a server, the tree below one, and what can be done with those that are not held here.

use std::sync::Arc;

use super::Wallet;
use crate::domain::credential::CredentialId;
use crate::domain::event::Event;
use crate::domain::failure::{Failure, Kind};
use crate::domain::family::{Family, Via, Which};
use crate::domain::source::SourceId;
use crate::domain::untrusted::Untrusted;

const DOING: &str = "Listing mytokens";

impl Wallet {
    /// Held mytokens at the server of this row by whose right its list can be read (`manage_mytokens:list`), the cheapest first.
    #[must_use]
    pub fn who_may_list(&self, _source: &SourceId) -> Vec<CredentialId> {
        Vec::new()
    }

    /// All mytokens of the user at a server, or the tree below the one that asks.
    ///
    /// # Errors
    /// When nobody here may ask, or nobody answers. A rotation on the way is saved all the same.
    pub async fn family(
        self: &Arc<Self>,
        _source: &SourceId,
        _via: &Via,
        _which: Which,
    ) -> Result<Family, Failure> {
        Err(Failure::new(Kind::Failed, DOING, "it is not made yet"))
    }

    /// The events of listed mytokens by their ids (mytoken-api.md §2.5.2), newest first; one request for all.
    ///
    /// # Errors
    /// As for [`Wallet::family`].
    pub async fn history_of_listed(
        self: &Arc<Self>,
        _source: &SourceId,
        _via: &Via,
        _mom_ids: &[Untrusted],
    ) -> Result<Vec<Event>, Failure> {
        Err(Failure::new(Kind::Failed, DOING, "it is not made yet"))
    }

    /// Revokes a listed mytoken by its id, with all that was made from it if `recursive`; what is to be said, in words.
    ///
    /// # Errors
    /// When it may not be revoked by this right, or nobody answers.
    pub async fn revoke_listed(
        self: &Arc<Self>,
        _source: &SourceId,
        _via: &Via,
        _mom_id: &Untrusted,
        _recursive: bool,
    ) -> Result<String, Failure> {
        Err(Failure::new(Kind::Failed, DOING, "it is not made yet"))
    }
}
