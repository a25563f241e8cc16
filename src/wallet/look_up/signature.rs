//! Whether a token's signature is its issuer's. Keys are fetched from listed providers only, and the token is sent nowhere.

use crate::domain::jwt::Jwt;
use crate::domain::secret::Secret;
use crate::domain::signature::{Signature, Unchecked};
use crate::domain::source::Source;
use crate::domain::untrusted::{Untrusted, cleaned};
use crate::oidc::id_token::Fault;
use crate::oidc::{Error, signature};
use crate::wallet::Wallet;

impl Wallet {
    /// Checks the signature of a JWT, as far as it can be.
    pub(super) async fn signature_of(&self, jwt: &Jwt, token: &Secret) -> Signature {
        let Some(issuer) = jwt.text("iss") else {
            return Signature::Unchecked(unable(jwt).unwrap_or(Unchecked::NoIssuer));
        };
        if let Some(why) = unable(jwt) {
            return Signature::Unchecked(why);
        }
        let Some(source) = self.trusted_issuer(&issuer) else {
            return Signature::Unchecked(Unchecked::NotListed(issuer));
        };
        let Some(listed) = source.issuer() else {
            return Signature::Unchecked(Unchecked::NotListed(issuer));
        };
        let key = jwt.header.get("kid").and_then(serde_json::Value::as_str).map(Untrusted::from);
        match self.check_signature(listed, token).await {
            Ok(signed) => Signature::Good { issuer, key: signed.key, algorithm: signed.algorithm },
            Err(Error::IdToken(Fault::Signature)) => Signature::Bad { issuer, key },
            Err(Error::IdToken(fault)) => Signature::Unchecked(match fault {
                Fault::NoKey(key) => Unchecked::NoKey { issuer, key },
                other => reason(other),
            }),
            Err(error) => {
                Signature::Unchecked(Unchecked::NotReached { issuer, why: cleaned(&error.to_string()) })
            }
        }
    }

    /// The provider with this issuer, byte for byte, if it is listed and not only the heading over what was kept.
    pub(super) fn trusted_issuer(&self, issuer: &Untrusted) -> Option<Source> {
        self.issuer_at(issuer.raw()).filter(|source| !self.headings().contains(&source.id))
    }
}

/// Why no public key could vouch for it, told from the token alone.
fn unable(jwt: &Jwt) -> Option<Unchecked> {
    signature::checkable(jwt).err().map(reason)
}

fn reason(fault: Fault) -> Unchecked {
    match fault {
        Fault::Unsigned => Unchecked::Unsigned,
        Fault::Symmetric(name) => Unchecked::Secret(name),
        Fault::UnknownAlgorithm(name) => Unchecked::Algorithm(name),
        Fault::Critical => Unchecked::Extensions,
        _ => Unchecked::NoAlgorithm,
    }
}
