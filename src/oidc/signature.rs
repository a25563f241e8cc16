//! Whether a key of the issuer has signed a token: of any JWT, with nothing said about what stands in it.

use super::id_token::{self, Fault};
use super::keys::KeySet;
use crate::domain::jwt::Jwt;
use crate::domain::secret::Secret;
use crate::domain::untrusted::Untrusted;

/// A signature that is a key's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The name of that key, where it has one.
    pub key: Option<Untrusted>,
    /// The algorithm.
    pub algorithm: Untrusted,
}

/// Whether the signature is one that a public key can vouch for at all: to be asked before any key is fetched.
///
/// # Errors
/// Why not.
pub fn checkable(jwt: &Jwt) -> Result<(), Fault> {
    id_token::algorithm_of(jwt).map(|_| ())
}

/// Checks a signature with the keys at hand.
///
/// # Errors
/// Why no key vouches for it; [`Fault::Signature`] where the one that is named did not make it.
pub fn check(token: &Secret, keys: &KeySet) -> Result<Signed, Fault> {
    let (_, algorithm, key) = id_token::vouched(token.expose(), keys)?;
    Ok(Signed { key: key.map(Untrusted::from), algorithm: algorithm.name.into() })
}
