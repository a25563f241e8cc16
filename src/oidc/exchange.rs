//! Another access token for one that is held: token exchange (RFC 8693).

use serde::Deserialize;

use super::client::{Pair, post};
use super::discovery::{Metadata, needed};
use super::tokens::TokenSet;
use super::{Cause, Error};
use crate::domain::secret::Secret;
use crate::domain::source::Client;
use crate::domain::untrusted::Untrusted;
use crate::http::Http;

/// `grant_type` (RFC 8693 §2.1), and how a provider announces it.
pub const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// An access token, as a type of tokens (RFC 8693 §3).
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";

/// A refresh token.
const REFRESH: &str = "urn:ietf:params:oauth:token-type:refresh_token";

/// A JSON Web Token of which nothing else is said.
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// What is wanted in exchange.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// The client that asks.
    pub client: &'a Client,
    /// Scopes; empty: what the provider sees fit.
    pub scopes: &'a [String],
    /// Name and value of each audience or resource.
    pub audiences: &'a [(String, String)],
}

/// What came.
#[derive(Clone, Debug)]
pub struct Exchanged {
    /// The token, in the field that is called `access_token` whatever it is (RFC 8693 §2.2.1), and what came with it.
    pub set: TokenSet,
    /// What it is.
    pub kind: Kind,
}

/// What an issued token is, by `issued_token_type` and `token_type`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An access token.
    Access,
    /// A refresh token.
    Refresh,
    /// Something else, of this type, that opens nothing by itself.
    Other(Untrusted),
}

/// Whether the provider announces that it exchanges tokens.
#[must_use]
pub fn is_announced(metadata: &Metadata) -> bool {
    metadata.grant_types.iter().any(|grant| grant.raw() == GRANT)
}

/// Exchanges an access token. It stays what it was.
///
/// # Errors
/// [`Error::Exchange`]; nothing is sent where the provider does not announce it.
pub async fn exchange(
    http: &Http,
    metadata: &Metadata,
    wish: Wish<'_>,
    subject: &Secret,
) -> Result<Exchanged, Error> {
    if !is_announced(metadata) {
        return Err(Error::Exchange(Cause::NotOffered("token exchange")));
    }
    let endpoint = needed(metadata.token.as_ref(), "token endpoint").map_err(Error::Exchange)?;
    let scope = wish.scopes.join(" ");
    let mut form: Vec<Pair<'_>> = vec![
        ("grant_type", GRANT),
        ("subject_token", subject.expose()),
        ("subject_token_type", ACCESS),
        ("requested_token_type", ACCESS),
    ];
    if !scope.is_empty() {
        form.push(("scope", &scope));
    }
    // Several are several parameters (RFC 8693 §2.1).
    form.extend(wish.audiences.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let answer =
        post(http, endpoint, wish.client, &form).await.map_err(|error| Error::Exchange(error.into()))?;
    let set = TokenSet::of(&answer).map_err(Error::Exchange)?;
    // Only the one field: the tokens beside it are copied nowhere.
    let told = serde_json::from_slice::<Told>(answer.bytes()).ok();
    let issued = told.and_then(|told| told.issued_token_type).unwrap_or_default();
    Ok(Exchanged { kind: kind(&issued, set.token_type.raw()), set })
}

#[derive(Deserialize)]
struct Told {
    issued_token_type: Option<String>,
}

/// `N_A` says that it is no access token (RFC 8693 §2.2.1); a type that is missing is what was asked for.
fn kind(issued: &str, token_type: &str) -> Kind {
    let opens = !token_type.eq_ignore_ascii_case("N_A");
    match issued {
        "" | ACCESS | JWT if opens => Kind::Access,
        REFRESH => Kind::Refresh,
        "" => Kind::Other(Untrusted::from("token that opens nothing by itself")),
        other => Kind::Other(Untrusted::from(other.rsplit(':').next().unwrap_or(other))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_is_what_its_types_say() {
        let other = |text: &str| Kind::Other(text.into());
        let table = [
            (ACCESS, "Bearer", Kind::Access),
            (JWT, "Bearer", Kind::Access),
            ("", "bearer", Kind::Access),
            ("", "", Kind::Access),
            (REFRESH, "N_A", Kind::Refresh),
            (REFRESH, "Bearer", Kind::Refresh),
            (JWT, "N_A", other("jwt")),
            (ACCESS, "n_a", other("access_token")),
            ("urn:ietf:params:oauth:token-type:saml2", "N_A", other("saml2")),
            ("", "N_A", other("token that opens nothing by itself")),
        ];
        for (issued, token_type, expected) in table {
            assert_eq!(kind(issued, token_type), expected, "{issued} {token_type}");
        }
    }
}
