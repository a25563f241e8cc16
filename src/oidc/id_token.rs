//! Whether an ID token may be believed (OpenID Connect Core §3.1.3.7, RFC 8725).

use aws_lc_rs::digest::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::Error;
use super::keys::{self, Algorithm, KeySet};
use super::pkce::is_same;
use crate::domain::jwt::Jwt;
use crate::domain::secret::Secret;
use crate::domain::time::later;
use crate::domain::untrusted::Untrusted;
use crate::http::Http;

/// By so much clocks may differ (security.md I1).
const LEEWAY: SignedDuration = SignedDuration::from_secs(60);

/// What an ID token must say to be believed.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The issuer, byte for byte.
    pub issuer: &'a str,
    /// Our client id.
    pub client: &'a str,
    /// The nonce that was sent; `None` after a device login or a refresh, where none is promised.
    pub nonce: Option<&'a Secret>,
    /// The access token that came with it, for `at_hash`.
    pub access: Option<&'a Secret>,
    /// The user of the login, at a refresh (OpenID Connect Core §12.2).
    pub subject: Option<&'a Untrusted>,
    /// The present moment, corrected for the server's clock where its skew is known.
    pub now: Timestamp,
}

/// What a believed ID token says.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// `sub`.
    pub subject: Untrusted,
    /// All claims.
    pub claims: Map<String, Value>,
}

/// Why an ID token is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is no JWT.
    #[error("the ID token is not readable")]
    Unreadable,
    /// It is encrypted (JWE).
    #[error("the ID token is encrypted, which toktui cannot read")]
    Encrypted,
    /// `alg` is `none`.
    #[error("the ID token is not signed")]
    Unsigned,
    /// `alg` is symmetric: with a public key as its secret anybody could make it.
    #[error("the ID token is signed with a shared secret ({}), which proves nothing", .0.shown_within(20))]
    Symmetric(Untrusted),
    /// An algorithm that nobody here can check.
    #[error("the ID token is signed with {}, which toktui cannot check", .0.shown_within(20))]
    UnknownAlgorithm(Untrusted),
    /// A `crit` header (RFC 7515 §4.1.11), of which nothing is understood.
    #[error("the ID token demands extensions that toktui does not know")]
    Critical,
    /// The provider publishes no such key.
    #[error("the ID token is signed with a key that the provider does not publish ({})", .0.shown_within(40))]
    NoKey(Untrusted),
    /// The signature is wrong.
    #[error("the signature of the ID token is wrong")]
    Signature,
    /// A claim is missing or of the wrong type.
    #[error("the ID token has no proper {0}")]
    Missing(&'static str),
    /// `iss` is another.
    #[error("the ID token is of another issuer: {}", .0.shown_within(200))]
    OtherIssuer(Untrusted),
    /// `aud` does not name us.
    #[error("the ID token is for another client")]
    OtherAudience,
    /// `azp` is another client, or is missing beside several audiences.
    #[error("the ID token was given to another client")]
    OtherParty,
    /// It ended, more than the leeway ago.
    #[error("the ID token ended at {0}; is this machine's clock right?")]
    Expired(Timestamp),
    /// It begins (`iat`, `nbf`) later than the leeway from now.
    #[error("the ID token is from the future ({0}); is this machine's clock right?")]
    Future(Timestamp),
    /// The nonce is not the one that was sent: the token is of another login.
    #[error("the ID token is of another login: its nonce is not ours")]
    Nonce,
    /// `at_hash` is not that of the access token.
    #[error("the ID token belongs to another access token")]
    AccessToken,
    /// `sub` is not the user who logged in.
    #[error("the ID token is of another user")]
    OtherSubject,
}

/// Checks an ID token; where it names a key that is not in the set, the set is fetched once more, at most once a minute.
///
/// # Errors
/// [`Error::IdToken`], [`Error::Keys`].
pub async fn verify(
    http: &Http,
    keys: &mut KeySet,
    token: &Secret,
    expected: Expected<'_>,
) -> Result<Checked, Error> {
    match check(token, keys, expected) {
        Err(Fault::NoKey(_)) if keys.refetch(http).await? => {
            check(token, keys, expected).map_err(Error::IdToken)
        }
        verdict => verdict.map_err(Error::IdToken),
    }
}

/// Checks an ID token with the keys at hand.
///
/// # Errors
/// The first reason not to believe it, signature before content.
pub fn check(token: &Secret, keys: &KeySet, expected: Expected<'_>) -> Result<Checked, Fault> {
    let (jwt, algorithm) = signed(token.expose(), keys)?;
    check_parties(&jwt, expected)?;
    check_times(&jwt, expected.now)?;
    if let Some(nonce) = expected.nonce
        && !jwt.text("nonce").is_some_and(|given| is_same(nonce, given.raw()))
    {
        return Err(Fault::Nonce);
    }
    check_access(&jwt, algorithm, expected.access)?;
    let subject = jwt.text("sub").filter(|subject| !subject.is_empty()).ok_or(Fault::Missing("sub"))?;
    if expected.subject.is_some_and(|wanted| *wanted != subject) {
        return Err(Fault::OtherSubject);
    }
    Ok(Checked { subject, claims: jwt.claims })
}

/// A JWT whose signature is that of a key of the set.
pub(super) fn signed(token: &str, keys: &KeySet) -> Result<(Jwt, &'static Algorithm), Fault> {
    vouched(token, keys).map(|(jwt, algorithm, _)| (jwt, algorithm))
}

/// The same, with the name of the key.
pub(super) fn vouched<'a>(
    token: &str,
    keys: &'a KeySet,
) -> Result<(Jwt, &'static Algorithm, Option<&'a str>), Fault> {
    if token.split('.').count() == 5 {
        return Err(Fault::Encrypted);
    }
    let jwt = Jwt::parse(token).ok_or(Fault::Unreadable)?;
    let algorithm = algorithm_of(&jwt)?;
    let (message, signature) = token.rsplit_once('.').ok_or(Fault::Unreadable)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Fault::Signature)?;
    let id = jwt.header.get("kid").and_then(Value::as_str);
    let key = keys.verify(algorithm, id, message.as_bytes(), &signature).map_err(|fault| match fault {
        keys::Fault::NoKey => Fault::NoKey(id.unwrap_or(algorithm.name).into()),
        keys::Fault::Signature => Fault::Signature,
    })?;
    Ok((jwt, algorithm, key))
}

/// The algorithm of a JWT, if a public key can vouch for it.
pub(super) fn algorithm_of(jwt: &Jwt) -> Result<&'static Algorithm, Fault> {
    let name = jwt.header.get("alg").and_then(Value::as_str).ok_or(Fault::Unreadable)?;
    let algorithm = Algorithm::named(name).ok_or_else(|| match name {
        _ if name.eq_ignore_ascii_case("none") => Fault::Unsigned,
        _ if name.starts_with("HS") => Fault::Symmetric(name.into()),
        _ => Fault::UnknownAlgorithm(name.into()),
    })?;
    if jwt.header.contains_key("crit") { Err(Fault::Critical) } else { Ok(algorithm) }
}

/// Who made it, for whom, and to whom it was given.
fn check_parties(jwt: &Jwt, expected: Expected<'_>) -> Result<(), Fault> {
    let issuer = jwt.text("iss").ok_or(Fault::Missing("iss"))?;
    if issuer.raw() != expected.issuer {
        return Err(Fault::OtherIssuer(issuer));
    }
    let audiences = jwt.texts("aud");
    if !audiences.iter().any(|audience| audience.raw() == expected.client) {
        return Err(Fault::OtherAudience);
    }
    match jwt.claims.get("azp") {
        None if audiences.len() > 1 => Err(Fault::OtherParty),
        Some(party) if party.as_str() != Some(expected.client) => Err(Fault::OtherParty),
        _ => Ok(()),
    }
}

fn check_times(jwt: &Jwt, now: Timestamp) -> Result<(), Fault> {
    let end = jwt.moment("exp").ok_or(Fault::Missing("exp"))?;
    if now >= later(end, LEEWAY) {
        return Err(Fault::Expired(end));
    }
    let made = jwt.moment("iat").ok_or(Fault::Missing("iat"))?;
    let begins = jwt.moment("nbf").unwrap_or(made).max(made);
    if begins > later(now, LEEWAY) { Err(Fault::Future(begins)) } else { Ok(()) }
}

/// `at_hash`, where it is there: the left half of the access token's hash.
fn check_access(jwt: &Jwt, algorithm: &Algorithm, access: Option<&Secret>) -> Result<(), Fault> {
    let (Some(said), Some(access)) = (jwt.claims.get("at_hash"), access) else { return Ok(()) };
    let hash = digest(algorithm.digest, access.expose().as_bytes());
    let (left, _) = hash.as_ref().split_at(hash.as_ref().len() / 2);
    if said.as_str() == Some(&URL_SAFE_NO_PAD.encode(left)) { Ok(()) } else { Err(Fault::AccessToken) }
}
