//! What a held token says, read without asking anybody.

use crate::domain::credential::{CredentialId, Grant};
use crate::domain::failure::Failure;
use crate::domain::jwt::Jwt;
use crate::wallet::{Wallet, gone};

impl Wallet {
    /// Header and claims of what is held: a mytoken's own, else those of the chief access token. `None` where they cannot
    /// be read: it is opaque, or there is no access token yet.
    ///
    /// # Errors
    /// When it is not held any more, the store is locked, or it cannot be read.
    pub fn content_of(&self, id: &CredentialId, doing: &str) -> Result<Option<Jwt>, Failure> {
        let credential = self.store.get(id).map_err(|error| gone(doing, &error))?;
        Ok(match &credential.grant {
            Grant::Mytoken(grant) => Jwt::parse(grant.current.value.expose()),
            Grant::Refresh(_) | Grant::Bare => {
                credential.access_for(&credential.ask).and_then(|token| Jwt::parse(token.value.expose()))
            }
        })
    }
}
