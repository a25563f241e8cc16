//! What mytoken servers say about themselves, asked once a session, and how their words become a failure or a mark.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::Wallet;
use crate::domain::credential::{Credential, Grant, Health};
use crate::mytoken::discovery::{self, Server};
use crate::mytoken::{Error, Issued, No, Reason};

/// What is known of each server, by its address.
#[derive(Default)]
pub(super) struct Servers {
    documents: Mutex<HashMap<String, Arc<Server>>>,
    /// The address each server last said that it saw us at.
    pub(super) seen_as: Mutex<HashMap<String, IpAddr>>,
}

impl Wallet {
    /// The document of a mytoken server.
    pub(super) async fn mytoken_server(&self, address: &str) -> Result<Arc<Server>, Error> {
        let known = || self.servers.documents.lock().unwrap_or_else(PoisonError::into_inner);
        let key = address.trim_end_matches('/').to_owned();
        if let Some(server) = known().get(&key) {
            return Ok(Arc::clone(server));
        }
        let server = Arc::new(discovery::discover(&self.http, address).await?);
        known().insert(key, Arc::clone(&server));
        Ok(server)
    }

    /// Puts a rotated mytoken in the place of the one that was sent; the number of the new copy.
    pub(super) fn adopt(&self, credential: &mut Credential, update: Issued) -> u64 {
        let Grant::Mytoken(grant) = &mut credential.grant else { return 0 };
        let number = update.facts.copy;
        // The counters are those of the last look-up: an update does not tell them, and rotation keeps them.
        let counters = std::mem::take(&mut grant.facts.restrictions);
        grant.current.supersede(update.mytoken, number, self.store.fingerprint_key());
        if !update.short {
            grant.facts = update.facts;
        }
        if grant.facts.restrictions.len() == counters.len() || grant.facts.restrictions.is_empty() {
            grant.facts.restrictions = counters;
        }
        grant.current.number
    }

    /// Marks what a refusal says about the credential itself. Nothing is ever deleted for it.
    pub(super) fn heed(&self, credential: &mut Credential, error: &Error, in_doubt: bool) {
        let rotates = match &credential.grant {
            Grant::Mytoken(grant) => {
                grant.facts.rotation.is_some_and(crate::domain::mytoken::Rotation::rotates)
            }
            Grant::Refresh(_) | Grant::Bare => false,
        };
        let health = match error {
            _ if in_doubt && rotates => {
                Health::InDoubt("its last use got no answer, and it rotates on use".to_owned())
            }
            Error::Refused(No::InvalidToken(Reason::Expired)) => Health::NeedsLogin("expired".to_owned()),
            Error::Refused(No::InvalidToken(Reason::Unidentified | Reason::UnknownShort)) => {
                Health::NeedsLogin("revoked or unknown at its server".to_owned())
            }
            Error::Refused(No::OldCopy) => Health::NeedsLogin("another copy of it is in use".to_owned()),
            Error::Refused(No::NoRefreshToken) => {
                Health::NeedsLogin("no login stands behind it any more".to_owned())
            }
            // The provider may have had a bad moment: the row says so, and trying again is allowed.
            _ => return,
        };
        credential.health = health;
    }
}
