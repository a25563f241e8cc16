//! A client of one's own where the provider lets whoever asks have one (RFC 7591), and the end of it (RFC 7592).
//!
//! A provider may register something else than was asked for (RFC 7591 §3.2.1): what it says it registered is what counts.

use serde_json::{Map, Value, json};
use url::Url;

use super::discovery::{Metadata, needed};
use super::{Cause, Error};
use crate::domain::jwt::texts;
use crate::domain::secret::Secret;
use crate::domain::source::ClientAuth;
use crate::domain::untrusted::Untrusted;
use crate::http::{Body, Credentials, Http, is_allowed};

/// The device grant by its name (RFC 8628 §3.4).
pub const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// The grant by which a login is renewed.
pub const REFRESH: &str = "refresh_token";
/// The grant behind a login by browser.
pub const CODE: &str = "authorization_code";
/// No client id is longer.
const LONGEST_ID: usize = 1024;

/// What a client is to be.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// The name that people read on consent pages (`client_name`).
    pub name: &'a str,
    /// Where it may be sent back to.
    pub redirects: &'a [String],
    /// What it may ask for.
    pub scopes: &'a [String],
}

/// A client as the provider registered it. What it did not repeat is `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// `client_id`.
    pub id: String,
    /// `client_secret`.
    pub secret: Option<Secret>,
    /// `client_secret_expires_at`, in seconds since the epoch; `None` where it does not end.
    pub secret_ends: Option<i64>,
    /// How it must say who it is; the word itself where it is none that we speak.
    pub auth: Result<ClientAuth, Untrusted>,
    /// `registration_client_uri` and `registration_access_token` (RFC 7592 §3), where both came and may be used.
    pub management: Option<(Url, Secret)>,
    /// `redirect_uris`.
    pub redirects: Option<Vec<Untrusted>>,
    /// `grant_types`.
    pub grants: Option<Vec<Untrusted>>,
    /// `scope`.
    pub scopes: Option<Vec<Untrusted>>,
}

/// The grants that are asked for: by browser, renewed, and by device code where the provider announces that.
#[must_use]
pub fn grants(metadata: &Metadata) -> Vec<&'static str> {
    [CODE, REFRESH].into_iter().chain(metadata.device.is_some().then_some(DEVICE)).collect()
}

/// Asks for a client: a public, native one. `initial`: the initial access token, where the provider wants one (RFC 7591 §3).
///
/// # Errors
/// [`Error::Registration`]. After one that may have been acted upon a client may be registered of which nobody here knows.
pub async fn register(
    http: &Http,
    metadata: &Metadata,
    wish: Wish<'_>,
    initial: Option<&Secret>,
) -> Result<Given, Error> {
    let endpoint = needed(metadata.registration.as_ref(), "registration of clients");
    let endpoint = endpoint.map_err(Error::Registration)?;
    let asked = json!({
        "client_name": wish.name,
        "application_type": "native",
        "redirect_uris": wish.redirects,
        "grant_types": grants(metadata),
        "response_types": ["code"],
        "scope": wish.scopes.join(" "),
        "token_endpoint_auth_method": "none",
    });
    let who = initial.map_or(Credentials::None, |token| Credentials::Bearer(token.clone()));
    let answer = http.post_for_token(endpoint, &who, &Body::json(&asked)).await;
    let answer = answer.map_err(|error| Error::Registration(error.into()))?;
    match answer.json() {
        Some(Value::Object(given)) if answer.is_success() && !given.contains_key("error") => {
            read(&given, endpoint).map_err(|why| Error::Registration(Cause::Senseless(why)))
        }
        _ => Err(Error::Registration(Cause::of(&answer, "it is no client"))),
    }
}

fn read(given: &Map<String, Value>, endpoint: &Url) -> Result<Given, &'static str> {
    let text = |name: &str| given.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let id = text("client_id").ok_or("no client id is in it")?;
    // RFC 6749 §A.1: printable ASCII.
    if id.len() > LONGEST_ID || !id.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Err("its client id cannot be one");
    }
    let secret = text("client_secret").map(Secret::new);
    let management = text("registration_client_uri")
        .and_then(|uri| Url::parse(uri).ok())
        // A public provider must not be able to send its own token, in the open, to this machine.
        .filter(|url| is_allowed(url) && (url.scheme() == "https" || endpoint.scheme() == "http"))
        .filter(|url| url.username().is_empty() && url.password().is_none());
    let token = text("registration_access_token").map(Secret::new);
    Ok(Given {
        id: id.to_owned(),
        auth: auth(text("token_endpoint_auth_method"), secret.is_some()),
        secret,
        secret_ends: given.get("client_secret_expires_at").and_then(Value::as_i64).filter(|at| *at > 0),
        management: management.zip(token),
        redirects: given.get("redirect_uris").map(|list| texts(Some(list))),
        grants: given.get("grant_types").map(|list| texts(Some(list))),
        scopes: text("scope").map(|scope| scope.split_ascii_whitespace().map(Untrusted::from).collect()),
    })
}

/// How it must say who it is. Left out it is `client_secret_basic` (RFC 7591 §2), which needs a secret.
fn auth(word: Option<&str>, has_secret: bool) -> Result<ClientAuth, Untrusted> {
    match word {
        Some("none") => Ok(ClientAuth::None),
        None if !has_secret => Ok(ClientAuth::None),
        Some("client_secret_basic") | None if has_secret => Ok(ClientAuth::Basic),
        Some("client_secret_post") if has_secret => Ok(ClientAuth::Post),
        other => Err(Untrusted::from(other.unwrap_or_default())),
    }
}

/// Deletes the registration of a client (RFC 7592 §2.3). Tokens that it was given may end with it.
///
/// # Errors
/// [`Error::Deletion`]; see also [`is_gone`].
pub async fn delete(http: &Http, address: &Url, token: &Secret) -> Result<(), Error> {
    let answer = http.delete(address, &Credentials::Bearer(token.clone())).await;
    let answer = answer.map_err(|error| Error::Deletion(error.into()))?;
    if !answer.is_success() {
        Err(Error::Deletion(Cause::of(&answer, "")))
    } else if answer.content_type == "text/html" {
        // Some portal on the way answered, not the provider: nothing was deleted.
        Err(Error::Deletion(Cause::Senseless("it is a page for browsers")))
    } else {
        Ok(())
    }
}

/// Whether the provider may know the client no more: it says 401 then (RFC 7592 §2.3), and 401 to a wrong token too.
#[must_use]
pub fn is_gone(error: &Error) -> bool {
    matches!(error, Error::Deletion(_))
        && error.refusal().is_some_and(|refusal| matches!(refusal.status, 401 | 404 | 410))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(value: Value) -> Result<Given, &'static str> {
        let endpoint = Url::parse("https://op.example.org/register").expect("an address");
        let Value::Object(given) = value else { unreachable!("{value}") };
        read(&given, &endpoint)
    }

    #[test]
    fn what_the_provider_registered_is_read_and_not_what_was_asked() {
        let all = json!({
            "client_id": "c-1", "client_secret": "tok-secret", "client_secret_expires_at": 0,
            "token_endpoint_auth_method": "client_secret_post", "scope": "openid  email",
            "redirect_uris": ["http://localhost:8080"], "grant_types": ["authorization_code"],
            "registration_client_uri": "https://op.example.org/register/c-1",
            "registration_access_token": "tok-manage",
        });
        let all = given(all).expect("a client");
        assert_eq!((all.id.as_str(), all.auth, all.secret_ends), ("c-1", Ok(ClientAuth::Post), None));
        let words = |list: Option<Vec<Untrusted>>| {
            list.map(|list| list.iter().map(|word| word.raw().to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(words(all.scopes), Some(vec!["openid".to_owned(), "email".to_owned()]));
        assert_eq!(words(all.redirects), Some(vec!["http://localhost:8080".to_owned()]));
        assert_eq!(words(all.grants), Some(vec!["authorization_code".to_owned()]));
        assert!(
            all.management.is_some_and(
                |(url, token)| url.path() == "/register/c-1" && token == Secret::new("tok-manage")
            )
        );
        let bare = given(json!({"client_id": "c"})).expect("a client");
        assert_eq!((bare.auth, bare.scopes, bare.management), (Ok(ClientAuth::None), None, None));
    }

    #[test]
    fn a_way_to_sign_in_that_cannot_be_meant_is_named() {
        let table = [
            (Some("none"), false, Ok(ClientAuth::None)),
            (Some("none"), true, Ok(ClientAuth::None)),
            (None, true, Ok(ClientAuth::Basic)),
            (None, false, Ok(ClientAuth::None)),
            (Some("client_secret_basic"), true, Ok(ClientAuth::Basic)),
            (Some("client_secret_basic"), false, Err("client_secret_basic")),
            (Some("private_key_jwt"), true, Err("private_key_jwt")),
        ];
        for (word, has_secret, expected) in table {
            assert_eq!(auth(word, has_secret), expected.map_err(Untrusted::from), "{word:?} {has_secret}");
        }
    }

    #[test]
    fn an_answer_that_is_no_client_is_none() {
        let long = "x".repeat(LONGEST_ID + 1);
        for odd in
            [json!({}), json!({"client_id": 7}), json!({"client_id": ""}), json!({"client_id": "a\u{1b}[2J"})]
        {
            assert!(given(odd.clone()).is_err(), "{odd}");
        }
        assert!(given(json!({"client_id": long})).is_err());
    }

    #[test]
    fn a_management_address_in_the_open_is_not_used() {
        for uri in [
            "http://op.example.org/c",
            "http://127.0.0.1:5/c",
            "https://a@op.example.org/c",
            "c",
            "file:///c",
        ] {
            let client = given(json!({"client_id": "c", "registration_client_uri": uri,
                "registration_access_token": "t"}));
            assert_eq!(client.expect("a client").management, None, "{uri}");
        }
    }
}
