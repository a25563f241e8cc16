//! Signing mytokens with ES512 and reading them back, in the words of the real server's library (§7.1, §8c).

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P521_SHA512_FIXED, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use base64::Engine;
use base64::prelude::{BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use serde::Serialize;
use serde_json::{Value, json};

use super::body::unreadable;
use super::claims::Claims;
use super::refusal::Refusal;

/// Length of a coordinate of P-521, in bytes.
const COORDINATE: usize = 66;

/// The key that signs the mytokens of one server.
pub(crate) struct SigningKey(EcdsaKeyPair);

impl SigningKey {
    /// A new key; `None` when the machine has no random numbers.
    pub(crate) fn generate() -> Option<Self> {
        EcdsaKeyPair::generate(&ECDSA_P521_SHA512_FIXED_SIGNING).ok().map(Self)
    }

    /// Signs `claims` as a token of type `typ`, such as `MT+JWT`.
    pub(crate) fn signed(&self, typ: &str, claims: &impl Serialize) -> Result<String, Refusal> {
        let header = json!({"alg": "ES512", "typ": typ}).to_string();
        let claims = serde_json::to_vec(claims).map_err(|error| Refusal::internal(error.to_string()))?;
        let body =
            format!("{}.{}", BASE64_URL_SAFE_NO_PAD.encode(header), BASE64_URL_SAFE_NO_PAD.encode(claims));
        let signature = self
            .0
            .sign(&SystemRandom::new(), body.as_bytes())
            .map_err(|_| Refusal::internal("could not sign"))?;
        Ok(format!("{body}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The claims of `token`, if this key signed it, it has not ended, and it has begun; else the library's
    /// words.
    pub(crate) fn read(&self, token: &str, issuer: &str, now: i64) -> Result<Claims, String> {
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err("token contains an invalid number of segments".to_owned());
        };
        let _: Value = segment(header)?;
        let claims: Claims = segment(payload)?;
        let signed = token.get(..header.len() + 1 + payload.len()).unwrap_or_default();
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
        UnparsedPublicKey::new(&ECDSA_P521_SHA512_FIXED, self.0.public_key())
            .verify(signed.as_bytes(), &signature)
            .map_err(|_| "crypto/ecdsa: verification error")?;
        if let Some(exp) = claims.exp.filter(|exp| now > *exp) {
            return Err(format!("token is expired by {}", span(now - exp)));
        }
        if now < claims.nbf {
            return Err("token is not valid yet".to_owned());
        }
        if claims.iss != issuer {
            return Err("invalid issuer".to_owned());
        }
        Ok(claims)
    }

    /// The key set: the public half, with a `kid` that the mytokens do not carry (§2.10).
    pub(crate) fn jwks(&self) -> Value {
        let point = self.0.public_key().as_ref();
        let coordinate =
            |at: usize| BASE64_URL_SAFE_NO_PAD.encode(point.get(at..at + COORDINATE).unwrap_or_default());
        let kid = BASE64_URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, point));
        json!({"keys": [{
            "alg": "ES512", "crv": "P-521", "kid": kid, "kty": "EC", "use": "sig",
            "x": coordinate(1), "y": coordinate(1 + COORDINATE),
        }]})
    }
}

/// Whether the real server takes `text` for a JWT: its third part can be read as padded base64 (§7.4).
pub(crate) fn looks_like_jwt(text: &str) -> bool {
    text.split('.').count() == 3
        && text.rsplit('.').next().is_some_and(|last| BASE64_URL_SAFE.decode(last).is_ok())
}

/// The claims of a JWT that came straight from the provider over a connection we opened: no signature check.
pub(crate) fn unverified(token: &str) -> Option<Value> {
    segment(token.split('.').nth(1)?).ok()
}

fn segment<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|error| match error {
        base64::DecodeError::InvalidByte(at, _) => format!("illegal base64 data at input byte {at}"),
        _ => format!("illegal base64 data at input byte {}", text.len()),
    })?;
    serde_json::from_slice(&bytes).map_err(|error| unreadable(&bytes, &error))
}

/// A span of seconds as Go writes it: `3s`, `1m0s`, `2h3m4s`.
fn span(seconds: i64) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, _) => format!("{minutes}m{rest}s"),
        _ => format!("{hours}h{minutes}m{rest}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        serde_json::from_value(json!({
            "ver": "0.7", "token_type": "mytoken", "iss": "http://s", "aud": "http://s", "sub": "x", "exp": 1060,
            "nbf": 1000, "iat": 1000, "auth_time": 1000, "jti": "0b1f2a3c-1111-4222-8333-444455556666",
            "seq_no": 1, "oidc_sub": "u", "oidc_iss": "http://op", "capabilities": ["AT"],
        }))
        .expect("claims")
    }

    #[test]
    fn a_mytoken_is_read_back_while_it_is_valid_and_told_why_not_otherwise() {
        let key = SigningKey::generate().expect("a key");
        let token = key.signed("MT+JWT", &claims()).expect("signed");
        assert_eq!(key.read(&token, "http://s", 1060), Ok(claims()));
        let why = |issuer, now| key.read(&token, issuer, now).expect_err("not valid");
        assert_eq!(why("http://s", 1061), "token is expired by 1s");
        assert_eq!(why("http://s", 1060 + 3725), "token is expired by 1h2m5s");
        assert_eq!(why("http://s", 999), "token is not valid yet");
        assert_eq!(why("http://other", 1000), "invalid issuer");
    }

    #[test]
    fn a_signature_is_132_bytes_and_any_change_breaks_it() {
        let key = SigningKey::generate().expect("a key");
        let token = key.signed("MT+JWT", &claims()).expect("signed");
        let (body, signature) = token.rsplit_once('.').expect("three parts");
        assert_eq!(signature.len(), 176);
        assert!(looks_like_jwt(&token));
        for changed in [format!("{body}.{}", &signature[4..]), token.replacen("fQ", "fR", 1) + "AAAA"] {
            assert!(key.read(&changed, "http://s", 1000).is_err());
        }
        let other = SigningKey::generate().expect("a key");
        assert_eq!(
            other.read(&token, "http://s", 1000).expect_err("another key"),
            "crypto/ecdsa: verification error"
        );
    }

    #[test]
    fn the_published_key_verifies_a_mytoken() {
        let key = SigningKey::generate().expect("a key");
        let set = key.jwks();
        let mut point = vec![4];
        for coordinate in ["x", "y"] {
            let text = set["keys"][0][coordinate].as_str().expect("a coordinate");
            point.extend(BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64"));
        }
        let token = key.signed("MT+JWT", &claims()).expect("signed");
        let (body, signature) = token.rsplit_once('.').expect("three parts");
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).expect("base64");
        UnparsedPublicKey::new(&ECDSA_P521_SHA512_FIXED, point)
            .verify(body.as_bytes(), &signature)
            .expect("it verifies");
    }

    #[test]
    fn an_rs256_token_is_not_taken_for_a_jwt() {
        let rs256 = format!("e30.e30.{}", "A".repeat(342));
        assert!(!looks_like_jwt(&rs256));
    }
}
