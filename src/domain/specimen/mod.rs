//! Something pasted: what it is, told without asking anybody (mytoken-api.md §7.3–7.4).

mod noise;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::jwt::Jwt;
use super::mytoken::Facts;
use super::secret::Secret;

/// A longer text is not looked into.
const LONGEST: usize = 64 << 10;

/// The server's own limit between codes and tokens (mytoken-api.md §7.2).
const SHORTEST_MYTOKEN: usize = 32;

/// Less is a slip of the mouse, not a token.
const SHORTEST: usize = 4;

/// A pasted text, freed of what was wrapped around it, and what it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Specimen {
    /// The token itself; for [`Kind::Garbled`] what was left of the text.
    pub value: Secret,
    /// What it is.
    pub kind: Kind,
}

/// What a text is, as far as it can be told without asking a server.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A mytoken that carries its claims.
    Mytoken(Box<Facts>),
    /// At least 32 letters: a mytoken's short form, or somebody's opaque token. Only a server can tell.
    MaybeShortToken,
    /// A few letters and digits: perhaps a transfer code.
    MaybeTransferCode,
    /// An access token in JWT form.
    AccessToken(Box<Jwt>),
    /// An ID token.
    IdToken(Box<Jwt>),
    /// A refresh token that shows what it is: Keycloak's `Refresh` and `Offline`, `MitreID`'s `alg: none`.
    RefreshToken(Box<Jwt>),
    /// Some other JWT.
    OtherJwt(Box<Jwt>),
    /// A token of which nothing can be read here; also a JWE (RFC 7516).
    Opaque,
    /// No token, or one that did not survive the way here.
    Garbled {
        /// What is wrong with it, as a clause for the user; it holds nothing of the text.
        why: String,
    },
}

/// What is wrong with a text that is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Garble {
    /// Nothing there.
    Empty,
    /// Over 64 KiB.
    TooLong,
    /// Under four characters.
    TooShort,
    /// Escape sequences and the like.
    Control,
    /// Characters beyond ASCII.
    Foreign,
    /// Several words.
    Words,
    /// A web address.
    Address,
    /// JSON that breaks off or is not well formed.
    BrokenJson,
    /// JSON in which no member is a token.
    NoTokenInJson,
    /// A JWT of which this many parts are left.
    Cut(usize),
    /// A JWT with too many parts.
    Parts(usize),
    /// A JWT whose first part cannot be read.
    First,
    /// A JWT whose second part cannot be read.
    Second,
    /// A JWT whose signature has a length that its algorithm never gives.
    Signature,
}

impl fmt::Display for Garble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::Empty => "there is nothing in it",
            Self::TooLong => "it is longer than 64 KiB",
            Self::TooShort => "it is too short for a token",
            Self::Control => "it holds control characters",
            Self::Foreign => "it holds characters that no token has",
            Self::Words => "it is several words",
            Self::Address => "it is an address and no token",
            Self::BrokenJson => "it is JSON that breaks off: a part of it is missing",
            Self::NoTokenInJson => "it is JSON without a token in it",
            Self::Cut(1) => "it has one part of three: cut on the way",
            Self::Cut(_) => "it has two parts of three: cut on the way",
            Self::Parts(parts) => return write!(f, "it has {parts} parts, and a token has three"),
            Self::First => "it has three parts, but the first is not readable: cut or changed on the way",
            Self::Second => "it has three parts, but the second is not readable: cut or changed on the way",
            Self::Signature => "its signature is not whole: cut or changed on the way",
        };
        f.write_str(words)
    }
}

impl Kind {
    /// What it is in words, with their article: `an access token`.
    #[must_use]
    pub fn words(&self) -> &'static str {
        match self {
            Self::Mytoken(_) => "a mytoken",
            Self::MaybeShortToken => "a short mytoken or some other secret",
            Self::MaybeTransferCode => "perhaps a transfer code",
            Self::AccessToken(_) => "an access token",
            Self::IdToken(_) => "an ID token",
            Self::RefreshToken(_) => "a refresh token",
            Self::OtherJwt(_) => "a JSON Web Token",
            Self::Opaque => "an opaque token",
            Self::Garbled { .. } => "not readable",
        }
    }

    /// The JWT, where it is one that is no mytoken.
    #[must_use]
    pub fn jwt(&self) -> Option<&Jwt> {
        match self {
            Self::AccessToken(jwt) | Self::IdToken(jwt) | Self::RefreshToken(jwt) | Self::OtherJwt(jwt) => {
                Some(jwt)
            }
            Self::Mytoken(_)
            | Self::MaybeShortToken
            | Self::MaybeTransferCode
            | Self::Opaque
            | Self::Garbled { .. } => None,
        }
    }
}

/// Tells what a pasted text is. Takes off what shells, headers, JSON and line ends have put around and into it.
#[must_use]
pub fn recognise(text: &str) -> Specimen {
    if text.len() > LONGEST {
        return Specimen { value: Secret::new(""), kind: Garble::TooLong.into() };
    }
    match noise::removed(text) {
        Ok(bare) => {
            let kind = kind_of(&bare).unwrap_or_else(Kind::from);
            Specimen { value: Secret::new(bare.as_str()), kind }
        }
        Err(why) => Specimen { value: Secret::new(text.trim()), kind: why.into() },
    }
}

impl From<Garble> for Kind {
    fn from(why: Garble) -> Self {
        Self::Garbled { why: why.to_string() }
    }
}

fn kind_of(text: &str) -> Result<Kind, Garble> {
    if text.is_empty() {
        return Err(Garble::Empty);
    }
    if text.chars().any(char::is_control) {
        return Err(Garble::Control);
    }
    if !text.is_ascii() {
        return Err(Garble::Foreign);
    }
    if text.contains("://") {
        return Err(Garble::Address);
    }
    if let Some(jwt) = Jwt::parse(text) {
        return kind_of_jwt(Box::new(jwt));
    }
    if let Some(kind) = kind_of_parts(text)? {
        return Ok(kind);
    }
    if text.len() < SHORTEST {
        return Err(Garble::TooShort);
    }
    let letters = text.bytes().all(|byte| byte.is_ascii_alphabetic());
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    Ok(match text.len() {
        SHORTEST_MYTOKEN.. if letters => Kind::MaybeShortToken,
        ..SHORTEST_MYTOKEN if plain => Kind::MaybeTransferCode,
        _ => Kind::Opaque,
    })
}

fn kind_of_jwt(jwt: Box<Jwt>) -> Result<Kind, Garble> {
    let algorithm = jwt.header.get("alg").and_then(Value::as_str).unwrap_or_default();
    if !is_whole(algorithm, jwt.signature) {
        return Err(Garble::Signature);
    }
    if Facts::are_in(&jwt) {
        return Ok(Kind::Mytoken(Box::new(Facts::from_claims(&jwt.claims))));
    }
    let claim = |name: &str| jwt.claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let has = |name: &str| jwt.claims.contains_key(name);
    // Keycloak says it in a claim, RFC 9068 in the header, MitreID by leaving its refresh tokens unsigned.
    Ok(match claim("typ").to_lowercase().as_str() {
        "bearer" | "dpop" => Kind::AccessToken(jwt),
        "id" => Kind::IdToken(jwt),
        "refresh" | "offline" => Kind::RefreshToken(jwt),
        _ if jwt.kind().ends_with("at+jwt") => Kind::AccessToken(jwt),
        _ if algorithm.eq_ignore_ascii_case("none") => Kind::RefreshToken(jwt),
        _ if has("nonce") || has("at_hash") || has("c_hash") => Kind::IdToken(jwt),
        _ if has("scope") || has("scp") || has("wlcg.ver") => Kind::AccessToken(jwt),
        _ => Kind::OtherJwt(jwt),
    })
}

/// Whether a signature of this many bytes can be a whole one (RFC 7518 §3, RFC 8037 §3.1). Of an algorithm
/// that nobody here knows any length will do.
fn is_whole(algorithm: &str, bytes: usize) -> bool {
    match algorithm {
        "HS256" => bytes == 32,
        "HS384" => bytes == 48,
        "HS512" | "ES256" | "ES256K" => bytes == 64,
        "ES384" => bytes == 96,
        "ES512" => bytes == 132,
        "EdDSA" => matches!(bytes, 64 | 114),
        // As many bytes as the key has: there are no keys of odd sizes.
        "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" => bytes > 0 && bytes.is_multiple_of(32),
        _ => true,
    }
}

/// What the dots say about a text that is not a JWT: nothing, that it is encrypted, or where it is broken.
fn kind_of_parts(text: &str) -> Result<Option<Kind>, Garble> {
    let parts: Vec<&str> = text.split('.').collect();
    let header = parts.first().and_then(|part| object(part));
    let second_reads = parts.get(1).is_some_and(|part| object(part).is_some());
    let like_jwt = text.starts_with("eyJ") || header.is_some() || second_reads;
    match parts.len() {
        _ if !like_jwt => Ok(None),
        // The start of a JWT; whole base64 of some other JSON is somebody's opaque token.
        1 if header.as_ref().is_none_or(|header| header.contains_key("alg")) => Err(Garble::Cut(1)),
        1 => Ok(None),
        2 => Err(Garble::Cut(2)),
        3 if header.is_none() => Err(Garble::First),
        3 => Err(Garble::Second),
        5 if header.is_some() => Ok(Some(Kind::Opaque)),
        parts => Err(Garble::Parts(parts)),
    }
}

fn object(segment: &str) -> Option<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode(segment.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests;
