//! What providers say about themselves and with which keys they sign, asked once a session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;

use super::Wallet;
use super::once::Once;
use crate::domain::secret::Secret;
use crate::domain::source::Issuer;
use crate::oidc::Error;
use crate::oidc::discovery::{self, Metadata};
use crate::oidc::id_token::{self, Checked, Expected, Fault};
use crate::oidc::keys::KeySet;
use crate::oidc::signature::{self, Signed};

/// What is known of each issuer, by its address.
#[derive(Default)]
pub(super) struct Issuers {
    documents: Once<Metadata, Error>,
    /// A lock an issuer: one that hangs is no reason for others to wait.
    keys: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Option<KeySet>>>>>,
}

impl Issuers {
    fn keys_of(&self, issuer: &Issuer) -> Arc<tokio::sync::Mutex<Option<KeySet>>> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(keys.entry(issuer.address.clone()).or_default())
    }
}

impl Wallet {
    /// Whether the discovery document of an issuer was read this session.
    pub(super) fn knows_metadata(&self, issuer: &Issuer) -> bool {
        self.issuers.documents.knows(&issuer.address)
    }

    /// The discovery document of an issuer.
    pub(super) async fn metadata(&self, issuer: &Issuer) -> Result<Arc<Metadata>, Error> {
        let ask = || {
            let (http, address, document) =
                (Arc::clone(&self.http), issuer.address.clone(), issuer.discovery.clone());
            async move {
                match document {
                    Some(document) => discovery::discover_at(&http, &address, &document).await,
                    None => discovery::discover(&http, &address).await,
                }
            }
            .boxed()
        };
        self.issuers.documents.get(&issuer.address, ask).await
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
        let slot = self.issuers.keys_of(issuer);
        let mut known = slot.lock().await;
        let keys = match known.take() {
            Some(keys) => keys,
            None => KeySet::fetch(&self.http, metadata).await?,
        };
        let keys = known.insert(keys);
        let mut verdict = id_token::verify(&self.http, keys, token, expected).await;
        if let Err(Error::IdToken(Fault::OtherIssuer(said))) = &verdict
            && let Some(name) = issuer.id_token_issuer.as_deref().filter(|name| *name == said.raw())
        {
            // Everything else about it is judged as ever, its signature by the issuer's own keys too.
            verdict = id_token::verify(&self.http, keys, token, Expected { issuer: name, ..expected }).await;
        }
        match verdict {
            Err(Error::IdToken(fault @ Fault::AccessToken)) if issuer.at_hash_only_warns => {
                let checked = id_token::check(token, keys, Expected { access: None, ..expected });
                checked.map(|checked| (checked, Some(fault))).map_err(Error::IdToken)
            }
            verdict => verdict.map(|checked| (checked, None)),
        }
    }

    /// Checks the signature of a JWT with the issuer's keys, which are fetched once; once more, at most once a minute, where
    /// the token names one that is not among them. The token itself goes nowhere.
    pub(super) async fn check_signature(&self, issuer: &Issuer, token: &Secret) -> Result<Signed, Error> {
        let metadata = self.metadata(issuer).await?;
        let slot = self.issuers.keys_of(issuer);
        let mut known = slot.lock().await;
        let keys = match known.take() {
            Some(keys) => keys,
            None => KeySet::fetch(&self.http, &metadata).await?,
        };
        let keys = known.insert(keys);
        let checked = match signature::check(token, keys) {
            // Where they cannot be had again, those at hand are the answer.
            Err(Fault::NoKey(_)) if matches!(keys.refetch(&self.http).await, Ok(true)) => {
                signature::check(token, keys)
            }
            checked => checked,
        };
        checked.map_err(Error::IdToken)
    }
}
