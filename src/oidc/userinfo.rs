//! Asking the provider who an access token speaks for (OpenID Connect Core §5.3): also the online check of a token.

use serde_json::{Map, Value};

use super::discovery::{Metadata, needed};
use super::id_token;
use super::keys::KeySet;
use super::{Cause, Error};
use crate::domain::jwt::Jwt;
use crate::domain::secret::Secret;
use crate::domain::untrusted::Untrusted;
use crate::http::{Answer, Credentials, Http, Refusal};

/// What the provider says of the user.
#[derive(Clone, Debug, PartialEq)]
pub struct Userinfo {
    /// `sub`.
    pub subject: Untrusted,
    /// All claims.
    pub claims: Map<String, Value>,
    /// Whether the answer was signed, and that was checked. TLS vouches for the others.
    pub is_signed: bool,
}

/// Asks with an access token. With `subject`, that of the ID token, an answer about anybody else is discarded. A
/// signed answer (`application/jwt`) is checked where `keys` are given.
///
/// # Errors
/// [`Error::Userinfo`], [`Error::OtherUser`], [`Error::IdToken`] for a signed answer that is not believed.
pub async fn userinfo(
    http: &Http,
    metadata: &Metadata,
    access: &Secret,
    subject: Option<&Untrusted>,
    keys: Option<&KeySet>,
) -> Result<Userinfo, Error> {
    let endpoint = needed(metadata.userinfo.as_ref(), "userinfo endpoint").map_err(Error::Userinfo)?;
    let answer = http
        .get(endpoint, &Credentials::Bearer(access.clone()))
        .await
        .map_err(|error| Error::Userinfo(error.into()))?;
    if !answer.is_success() {
        return Err(Error::Userinfo(Cause::Refused(refusal(&answer))));
    }
    let (claims, is_signed) = match std::str::from_utf8(answer.bytes()) {
        Ok(token) if answer.content_type == "application/jwt" => signed(token.trim(), metadata, keys)?,
        _ => match answer.json() {
            Some(Value::Object(claims)) => (claims, false),
            _ => return Err(senseless(&answer)),
        },
    };
    let said = claims.get("sub").and_then(Value::as_str).map(Untrusted::from);
    match (said, subject) {
        (None, _) => Err(senseless(&answer)),
        (Some(said), Some(wanted)) if said != *wanted => Err(Error::OtherUser),
        (Some(said), _) => Ok(Userinfo { subject: said, claims, is_signed }),
    }
}

fn senseless(answer: &Answer) -> Error {
    Error::Userinfo(Cause::of(answer, "it does not say who the user is"))
}

/// A signed answer. Its issuer, where it names one, must be ours (§5.3.2).
fn signed(
    token: &str,
    metadata: &Metadata,
    keys: Option<&KeySet>,
) -> Result<(Map<String, Value>, bool), Error> {
    let jwt = match keys {
        Some(keys) => id_token::signed(token, keys).map_err(Error::IdToken)?.0,
        None => Jwt::parse(token).ok_or(Error::IdToken(id_token::Fault::Unreadable))?,
    };
    match jwt.text("iss") {
        Some(issuer) if issuer.raw() != metadata.issuer => {
            Err(Error::IdToken(id_token::Fault::OtherIssuer(issuer)))
        }
        _ => Ok((jwt.claims, keys.is_some())),
    }
}

/// The refusal of a resource: its reason may stand in `WWW-Authenticate` alone (RFC 6750 §3; Keycloak's body is empty).
fn refusal(answer: &Answer) -> Refusal {
    let mut refusal = answer.refusal();
    if let Some(challenge) = &answer.challenge
        && refusal.error.is_empty()
    {
        refusal.error = parameter(challenge.raw(), "error").map(Untrusted::new).unwrap_or_default();
        refusal.description = parameter(challenge.raw(), "error_description").map(Untrusted::new);
    }
    refusal
}

/// A parameter of a challenge: `name="quoted"` or `name=token` (RFC 9110 §11.2).
fn parameter(challenge: &str, name: &str) -> Option<String> {
    let mut rest = challenge;
    while let Some((before, after)) = rest.split_once('=') {
        let found = before.rsplit([' ', ',', '\t']).next().unwrap_or_default();
        let (value, left) = value(after);
        if found.eq_ignore_ascii_case(name) {
            return Some(value);
        }
        rest = left;
    }
    None
}

/// The value at the start of `text`, unquoted, and what follows it.
fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        let (token, rest) = text.split_at(end);
        return (token.to_owned(), rest);
    };
    let mut value = String::new();
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => value.extend(chars.next()),
            other => value.push(other),
        }
    }
    (value, chars.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_reason_is_found_in_a_challenge() {
        let keycloak =
            r#"Bearer realm="toktui", error="invalid_token", error_description="Token verification failed""#;
        let table = [
            (keycloak, Some("invalid_token"), Some("Token verification failed")),
            (r#"Bearer realm="toktui""#, None, None),
            ("Bearer", None, None),
            ("Bearer error=invalid_token", Some("invalid_token"), None),
            (
                r#"bearer ERROR="a\"b\\c",error_description="x, error=\"y\"""#,
                Some("a\"b\\c"),
                Some("x, error=\"y\""),
            ),
            (r#"DPoP algs="ES256", Bearer error_description="d", error="e""#, Some("e"), Some("d")),
            (r#"Bearer realm="error=no", error="yes""#, Some("yes"), None),
            (r#"Bearer error="cut"#, Some("cut"), None),
        ];
        for (challenge, error, description) in table {
            assert_eq!(parameter(challenge, "error").as_deref(), error, "{challenge}");
            assert_eq!(parameter(challenge, "error_description").as_deref(), description, "{challenge}");
        }
    }

    proptest! {
        #[test]
        fn no_challenge_makes_the_reader_panic(challenge in "(Bearer|error|=|\"|\\\\|,| |\\PC){0,30}") {
            drop(parameter(&challenge, "error"));
        }
    }
}
