//! Asking the provider whether a token is active (RFC 7662).

use serde_json::{Map, Value};

use super::client::post_for_document;
use super::discovery::{Metadata, needed};
use super::revocation::Kind;
use super::{Cause, Error};
use crate::domain::secret::Secret;
use crate::domain::source::Client;
use crate::http::Http;

/// What the provider says of a token.
#[derive(Clone, Debug, PartialEq)]
pub struct Introspection {
    /// Whether it is active. `false` carries no reason: expired, revoked, unknown, or simply not for this client
    /// (Keycloak says it of good tokens whose audience the client is not in). Never to be shown as "revoked".
    pub active: bool,
    /// Everything that was said, `active` included.
    pub claims: Map<String, Value>,
}

/// Asks about a token. Only a client with a secret may (Keycloak answers 403 to others); without one nothing is sent.
///
/// # Errors
/// [`Error::Introspection`].
pub async fn introspect(
    http: &Http,
    metadata: &Metadata,
    client: &Client,
    token: &Secret,
    kind: Kind,
) -> Result<Introspection, Error> {
    if client.secret.is_none() {
        return Err(Error::Introspection(Cause::NotOffered("introspection to a client without a secret")));
    }
    let endpoint =
        needed(metadata.introspection.as_ref(), "introspection endpoint").map_err(Error::Introspection)?;
    let form = [("token", token.expose()), ("token_type_hint", kind.hint())];
    let answer = post_for_document(http, endpoint, client, &form)
        .await
        .map_err(|error| Error::Introspection(error.into()))?;
    match answer.json().filter(|_| answer.is_success()) {
        Some(Value::Object(claims)) if claims.get("active").is_some_and(Value::is_boolean) => {
            Ok(Introspection { active: claims.get("active") == Some(&Value::Bool(true)), claims })
        }
        _ => Err(Error::Introspection(Cause::of(&answer, "it does not say whether the token is active"))),
    }
}
