//! What providers say about themselves and with which keys they sign, asked once a session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Wallet;
use crate::domain::source::Issuer;
use crate::oidc::discovery::{self, Metadata};
use crate::oidc::keys::KeySet;
use crate::oidc::{Error, id_token};

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
}
