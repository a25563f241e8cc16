//! A JSON Web Token taken apart, never checked: reading must work for any algorithm, also one nobody here can verify.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::time::from_epoch;
use super::untrusted::Untrusted;

/// A longer text is not taken apart: no token of any server named in reference/providers.md comes near it.
const LONGEST: usize = 64 << 10;

/// Header and claims of a JWT (RFC 7519), as they stand there. Nothing in it has been verified.
#[derive(Clone, Debug, PartialEq)]
pub struct Jwt {
    /// The JOSE header.
    pub header: Map<String, Value>,
    /// The claims set.
    pub claims: Map<String, Value>,
    /// Length of the signature in bytes; 0 for an unsecured token.
    pub signature: usize,
}

impl Jwt {
    /// Takes a compact JWS apart; `None` where it is not one whose header and payload are JSON objects.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let mut parts = text.split('.');
        let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        Some(Self {
            header: object(header)?,
            claims: object(claims)?,
            signature: decode(signature).map_or(signature.len(), |bytes| bytes.len()),
        })
    }

    /// A claim that is a text.
    #[must_use]
    pub fn text(&self, claim: &str) -> Option<Untrusted> {
        self.claims.get(claim).and_then(Value::as_str).map(Untrusted::from)
    }

    /// A claim that is a `NumericDate` (RFC 7519 §2): seconds since the epoch, also with a fraction.
    #[must_use]
    pub fn moment(&self, claim: &str) -> Option<Timestamp> {
        moment(self.claims.get(claim)?)
    }

    /// The header's `typ`, in lower case.
    #[must_use]
    pub fn kind(&self) -> String {
        self.header.get("typ").and_then(Value::as_str).unwrap_or_default().to_lowercase()
    }

    /// A claim that is a text or a list of texts, as a list: `aud` may be either.
    #[must_use]
    pub fn texts(&self, claim: &str) -> Vec<Untrusted> {
        texts(self.claims.get(claim))
    }
}

/// Reads a `NumericDate`.
#[must_use]
pub fn moment(value: &Value) -> Option<Timestamp> {
    if let Some(seconds) = value.as_i64() {
        return Some(from_epoch(seconds));
    }
    // Too large for i64, or with a fraction; the cast saturates, which is what is wanted.
    #[allow(clippy::cast_possible_truncation)]
    value.as_f64().map(|seconds| from_epoch(seconds as i64))
}

/// Reads a text or a list of texts.
#[must_use]
pub fn texts(value: Option<&Value>) -> Vec<Untrusted> {
    match value {
        Some(Value::String(one)) => vec![Untrusted::from(one.as_str())],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).map(Untrusted::from).collect(),
        _ => Vec::new(),
    }
}

fn object(segment: &str) -> Option<Map<String, Value>> {
    match serde_json::from_slice(&decode(segment)?) {
        Ok(Value::Object(map)) => Some(map),
        _ => None,
    }
}

/// Base64url, with or without the padding that RFC 7515 §2 forbids and some servers add.
fn decode(segment: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(segment.trim_end_matches('=')).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, claims: &str) -> String {
        format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_token_of_an_unknown_algorithm_is_read_all_the_same() {
        let jwt = Jwt::parse(&token(r#"{"alg":"ML-DSA-44","typ":"AT+JWT"}"#, r#"{"exp":1767830400.5}"#))
            .expect("readable");
        assert_eq!(jwt.kind(), "at+jwt");
        assert_eq!(jwt.moment("exp"), Some(from_epoch(1_767_830_400)));
    }

    #[test]
    fn what_is_not_three_json_parts_is_no_token() {
        for text in ["", "a.b", "a.b.c", "e30.W10.x", &token("{}", "{}").replace('.', "..")] {
            assert_eq!(Jwt::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_audience_may_be_a_text_or_a_list() {
        let one = Jwt::parse(&token("{}", r#"{"aud":"a"}"#)).expect("readable");
        let two = Jwt::parse(&token("{}", r#"{"aud":["a","b",7]}"#)).expect("readable");
        assert_eq!((one.texts("aud").len(), two.texts("aud").len()), (1, 2));
    }
}
