//! Something pasted, and what kind of thing it is.

use super::jwt::Jwt;
use super::mytoken::Facts;
use super::secret::Secret;

/// Something pasted.
#[derive(Clone, Debug, PartialEq)]
pub struct Specimen {
    /// The value, without the noise that came around it.
    pub value: Secret,
    /// What it is.
    pub kind: Kind,
}

/// What a pasted text is (mytoken-api.md §7.4).
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A mytoken that carries its claims.
    Mytoken(Box<Facts>),
    /// Perhaps a short mytoken: only its server can tell.
    MaybeShortToken,
    /// Perhaps a transfer code.
    MaybeTransferCode,
    /// An access token.
    AccessToken(Box<Jwt>),
    /// An ID token.
    IdToken(Box<Jwt>),
    /// A refresh token.
    RefreshToken(Box<Jwt>),
    /// Some other JWT.
    OtherJwt(Box<Jwt>),
    /// Opaque.
    Opaque,
    /// Not readable.
    Garbled {
        /// Why.
        why: String,
    },
}
