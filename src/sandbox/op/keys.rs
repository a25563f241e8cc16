//! The keys that sign tokens, and the signing.

use std::sync::OnceLock;

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::{SystemRandom, fill};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256};
use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::settings::Signing;

struct Keys {
    rsa: RsaKeyPair,
    rsa_public: Value,
    ec: EcdsaKeyPair,
    ec_public: Value,
    decoy: Value,
}

/// One set for the whole process, made when it is first needed: an RSA key takes a noticeable while.
static KEYS: OnceLock<Option<Keys>> = OnceLock::new();

fn keys() -> Result<&'static Keys, Unspecified> {
    KEYS.get_or_init(|| made().ok()).as_ref().ok_or(Unspecified)
}

fn made() -> Result<Keys, Unspecified> {
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048)?;
    let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
    let exponent = encoded(rsa.public_key().exponent().big_endian_without_leading_zero());
    let modulus = encoded(rsa.public_key().modulus().big_endian_without_leading_zero());
    let (x, y) =
        ec.public_key().as_ref().get(1..).and_then(|point| point.split_at_checked(32)).ok_or(Unspecified)?;
    let (x, y) = (encoded(x), encoded(y));
    // A key for encryption, as Keycloak publishes one, which no signature fits. Nothing is ever encrypted to it, so
    // that nobody knows its private half does no harm.
    let mut nobody = [0; 256];
    fill(&mut nobody)?;
    nobody[0] |= 0x80;
    nobody[255] |= 1;
    let nobody = encoded(&nobody);
    let rsa_kid = thumbprint(&format!(r#"{{"e":"{exponent}","kty":"RSA","n":"{modulus}"}}"#));
    let ec_kid = thumbprint(&format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#));
    let decoy_kid = thumbprint(&format!(r#"{{"e":"AQAB","kty":"RSA","n":"{nobody}"}}"#));
    Ok(Keys {
        rsa,
        rsa_public: json!({"kid": rsa_kid, "kty": "RSA", "alg": "RS256", "use": "sig", "n": modulus, "e": exponent}),
        ec,
        ec_public: json!({"kid": ec_kid, "kty": "EC", "alg": "ES256", "use": "sig", "crv": "P-256", "x": x, "y": y}),
        decoy: json!({"kid": decoy_kid, "kty": "RSA", "alg": "RSA-OAEP", "use": "enc", "n": nobody, "e": "AQAB"}),
    })
}

/// A key's name (RFC 7638), from its members in the order that the RFC demands.
fn thumbprint(members: &str) -> String {
    encoded(digest::digest(&digest::SHA256, members.as_bytes()).as_ref())
}

/// The public halves (RFC 7517). The encryption key stands first: a client must choose by `kid` and `use`.
pub(super) fn jwks() -> Result<Value, Unspecified> {
    let keys = keys()?;
    Ok(json!({"keys": [keys.decoy, keys.rsa_public, keys.ec_public]}))
}

/// Signs `claims`; `kid` replaces the key's own name.
pub(super) fn signed(with: Signing, claims: &Value, kid: Option<&str>) -> Result<String, Unspecified> {
    let keys = keys()?;
    let (alg, public) = match with {
        Signing::Rs256 => ("RS256", &keys.rsa_public),
        Signing::Es256 => ("ES256", &keys.ec_public),
    };
    let own = public.get("kid").and_then(Value::as_str).unwrap_or_default();
    let body = unsigned(&json!({"alg": alg, "typ": "JWT", "kid": kid.unwrap_or(own)}), claims);
    let random = SystemRandom::new();
    let signature = match with {
        Signing::Rs256 => {
            let mut signature = vec![0; keys.rsa.public_modulus_len()];
            keys.rsa.sign(&RSA_PKCS1_SHA256, &random, body.as_bytes(), &mut signature)?;
            signature
        }
        Signing::Es256 => keys.ec.sign(&random, body.as_bytes())?.as_ref().to_vec(),
    };
    Ok(format!("{body}.{}", encoded(&signature)))
}

/// Signs `claims` for the provider's own eyes (HS512), as Keycloak does with refresh tokens.
pub(super) fn sealed(key: &hmac::Key, claims: &Value) -> String {
    let body = unsigned(&json!({"alg": "HS512", "typ": "JWT"}), claims);
    let tag = hmac::sign(key, body.as_bytes());
    format!("{body}.{}", encoded(tag.as_ref()))
}

/// Header and claims, with the dot between them and no signature.
pub(super) fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", encoded(header.to_string().as_bytes()), encoded(claims.to_string().as_bytes()))
}

/// The left half of a token's SHA-256: `at_hash` for RS256 and ES256 (`OpenID` Connect Core §3.1.3.6).
pub(super) fn half_hash(token: &str) -> String {
    encoded(digest::digest(&digest::SHA256, token.as_bytes()).as_ref().get(..16).unwrap_or_default())
}

/// What a verifier must hash to (RFC 7636 §4.2).
pub(super) fn challenge(verifier: &str) -> String {
    encoded(digest::digest(&digest::SHA256, verifier.as_bytes()).as_ref())
}

/// 256 random bits, as 43 characters.
pub(super) fn random() -> Result<String, Unspecified> {
    let mut bytes = [0; 32];
    fill(&mut bytes)?;
    Ok(encoded(&bytes))
}

/// A random UUID (RFC 9562 §5.4).
pub(super) fn uuid() -> Result<String, Unspecified> {
    let mut bytes = [0; 16];
    fill(&mut bytes)?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let n = u128::from_be_bytes(bytes);
    Ok(format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        n >> 96,
        n >> 80 & 0xffff,
        n >> 64 & 0xffff,
        n >> 48 & 0xffff,
        n & 0xffff_ffff_ffff
    ))
}

/// Eight letters in two groups, none that makes a word or looks like another (RFC 8628 §6.1).
pub(super) fn user_code() -> Result<String, Unspecified> {
    const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
    let mut code = String::with_capacity(9);
    while code.len() < 9 {
        let mut byte = [0];
        fill(&mut byte)?;
        // 240 is the greatest multiple of 20 in a byte: above it some letters would come more often.
        let Some(&letter) = LETTERS.get(usize::from(byte[0]) % 20).filter(|_| byte[0] < 240) else {
            continue;
        };
        code.push(char::from(letter));
        if code.len() == 4 {
            code.push('-');
        }
    }
    Ok(code)
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
