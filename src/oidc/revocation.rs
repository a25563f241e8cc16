//! Ending a token at the provider (RFC 7009).

use super::client::post_for_document;
use super::discovery::{Metadata, needed};
use super::{Cause, Error};
use crate::domain::secret::Secret;
use crate::domain::source::Client;
use crate::http::Http;

/// What kind of token is meant: `token_type_hint` (RFC 7009 §2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An access token.
    Access,
    /// A refresh token. Its session goes with it at some providers (Keycloak).
    Refresh,
}

impl Kind {
    pub(super) fn hint(self) -> &'static str {
        match self {
            Self::Access => "access_token",
            Self::Refresh => "refresh_token",
        }
    }
}

/// How a revocation ended. Either way the token is of no use there any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// The server says so; it need not have known the token (RFC 7009 §2.2).
    Done,
    /// The server did not know this token: ended before, or never its own (Keycloak answers 200 with an error).
    Unknown,
}

/// Revokes a token.
///
/// # Errors
/// [`Error::Revocation`]; see also [`is_unsupported`].
pub async fn revoke(
    http: &Http,
    metadata: &Metadata,
    client: &Client,
    token: &Secret,
    kind: Kind,
) -> Result<Revoked, Error> {
    let endpoint = needed(metadata.revocation.as_ref(), "revocation endpoint").map_err(Error::Revocation)?;
    let form = [("token", token.expose()), ("token_type_hint", kind.hint())];
    let answer = post_for_document(http, endpoint, client, &form)
        .await
        .map_err(|error| Error::Revocation(error.into()))?;
    let refusal = answer.refusal();
    let unknown = refusal.error.raw() == "invalid_token" && (answer.is_success() || refusal.status == 400);
    if unknown {
        Ok(Revoked::Unknown)
    } else if answer.content_type == "text/html" && answer.is_success() {
        // Some portal on the way answered, not the provider: nothing was revoked.
        Err(Error::Revocation(Cause::Senseless("it is a page for browsers")))
    } else if answer.is_success() && refusal.error.is_empty() {
        Ok(Revoked::Done)
    } else {
        Err(Error::Revocation(Cause::Refused(refusal)))
    }
}

/// Whether the provider says that it cannot revoke this kind of token (RFC 7009 §2.2.1).
#[must_use]
pub fn is_unsupported(error: &Error) -> bool {
    matches!(error, Error::Revocation(cause) if cause.says(&["unsupported_token_type"]))
}
