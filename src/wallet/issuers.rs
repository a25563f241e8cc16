//! What providers say about themselves and with which keys they sign, asked once a session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Wallet;
use crate::domain::secret::Secret;
use crate::domain::source::Issuer;
use crate::oidc::Error;
use crate::oidc::discovery::{self, Metadata};
use crate::oidc::id_token::{self, Checked, Expected, Fault};
use crate::oidc::keys::KeySet;

/// What is known of each issuer, by its address.
#[derive(Default)]
pub(super) struct Issuers {
    documents: Mutex<HashMap<String, Arc<Metadata>>>,
    keys: tokio::sync::Mutex<HashMap<String, KeySet>>,
}

impl Wallet {
    /// The discovery document of an issuer.
    pub(super) async fn metadata(&self, issuer: &Issuer) -> Result<Arc<Metadata>, Error> {
        let known = || self.issuers.documents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(metadata) = known().get(&issuer.address) {
            return Ok(Arc::clone(metadata));
        }
        let metadata = Arc::new(match &issuer.discovery {
            Some(document) => discovery::discover_at(&self.http, &issuer.address, document).await?,
            None => discovery::discover(&self.http, &issuer.address).await?,
        });
        known().insert(issuer.address.clone(), Arc::clone(&metadata));
        Ok(metadata)
    }

    /// Checks an ID token with the issuer's keys, which are fetched once. With it comes what is wrong with it all the
    /// same: an `at_hash` that does not fit is only a warning where the provider is known for it.
    pub(super) async fn check_id_token(
        &self,
        issuer: &Issuer,
        metadata: &Metadata,
        token: &Secret,
        expected: Expected<'_>,
    ) -> Result<(Checked, Option<Fault>), Error> {
        let mut keys = self.issuers.keys.lock().await;
        if !keys.contains_key(&issuer.address) {
            keys.insert(issuer.address.clone(), KeySet::fetch(&self.http, metadata).await?);
        }
        // Just put there.
        let Some(keys) = keys.get_mut(&issuer.address) else { return Err(Error::IdToken(Fault::Unreadable)) };
        match id_token::verify(&self.http, keys, token, expected).await {
            Err(Error::IdToken(fault @ Fault::AccessToken)) if issuer.at_hash_only_warns => {
                let checked = id_token::check(token, keys, Expected { access: None, ..expected });
                checked.map(|checked| (checked, Some(fault))).map_err(Error::IdToken)
            }
            verdict => verdict.map(|checked| (checked, None)),
        }
    }
}
