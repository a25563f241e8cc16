//! Getting an access token out of a mytoken (mytoken-api.md §2.2).

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use super::Error;
use super::discovery::Server;
use super::reply::{self, Reply, Size};
use crate::domain::jwt;
use crate::domain::secret::Secret;
use crate::domain::untrusted::Untrusted;
use crate::http::Http;

/// An access token, with what the provider granted: of an unrestricted mytoken more than was asked (§12.10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// The token.
    pub value: Secret,
    /// Usually `Bearer`; empty in guest mode.
    pub token_type: Untrusted,
    /// How long it still lives, where the provider said. With 0.12 it may be an older token: this is what remains.
    pub expires_in: Option<Duration>,
    /// Its scopes, where the server said.
    pub scopes: Option<Vec<Untrusted>>,
    /// Its audiences, where the server could read them.
    pub audiences: Vec<Untrusted>,
}

#[derive(Serialize)]
struct Request<'a> {
    grant_type: &'static str,
    mytoken: &'a str,
    #[serde(skip_serializing_if = "String::is_empty")]
    scope: String,
    /// A text here, a list in the answer.
    #[serde(skip_serializing_if = "String::is_empty")]
    audience: String,
}

/// Draws an access token. Costs one use, also where none comes ([`Error::NoAccessToken`]), and may rotate the mytoken.
/// Sent once: a second try is the caller's to decide, when it knows what became of the first.
pub async fn access_token(
    http: &Http,
    server: &Server,
    mytoken: &Secret,
    scopes: &[String],
    audiences: &[String],
) -> Reply<AccessToken> {
    let request = Request {
        grant_type: "mytoken",
        mytoken: reply::trimmed(mytoken),
        scope: scopes.join(" "),
        audience: audiences.join(" "),
    };
    reply::ask(http, &server.access_token, mytoken, &request, Size::Token, read).await
}

fn read(object: Option<&Map<String, Value>>) -> Result<AccessToken, Error> {
    let object = object.ok_or(Error::Unreadable("it is not JSON"))?;
    let text = |name: &str| object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    Ok(AccessToken {
        value: text("access_token").map(Secret::new).ok_or(Error::NoAccessToken)?,
        token_type: Untrusted::from(text("token_type").unwrap_or_default()),
        expires_in: object.get("expires_in").and_then(reply::seconds).filter(|span| !span.is_zero()),
        scopes: text("scope").map(|scopes| scopes.split_ascii_whitespace().map(Untrusted::from).collect()),
        audiences: jwt::texts(object.get("audience")),
    })
}
