//! A provider's public keys (RFC 7517), and the one place where a signature is checked (RFC 7518 §3, RFC 8037).

use std::time::Duration;

use aws_lc_rs::digest::{self, SHA256, SHA384, SHA512};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    EcdsaVerificationAlgorithm, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use super::discovery::{Metadata, needed};
use super::{Cause, Error};
use crate::http::{Credentials, Http};

/// A key set is not fetched again sooner than this (security.md B2).
const REFETCH: Duration = Duration::from_secs(60);
/// So many keys of a set are looked at.
const MOST_KEYS: usize = 64;

/// A signature algorithm that is accepted: asymmetric, and with at least 128 bits of strength.
pub(super) struct Algorithm {
    pub(super) name: &'static str,
    family: Family,
    /// The hash of its name, for `at_hash` (OpenID Connect Core §3.1.3.6; SHA-512 for Ed25519).
    pub(super) digest: &'static digest::Algorithm,
}

enum Family {
    Rsa(&'static RsaParameters),
    Ec(Curve, &'static EcdsaVerificationAlgorithm),
    Ed25519,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Curve {
    P256,
    P384,
    P521,
}

impl Algorithm {
    /// The algorithm of this name. `none` and the symmetric ones are not among them.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        ACCEPTED.iter().find(|algorithm| algorithm.name == name)
    }
}

static ACCEPTED: [Algorithm; 11] = [
    Algorithm { name: "RS256", family: Family::Rsa(&RSA_PKCS1_2048_8192_SHA256), digest: &SHA256 },
    Algorithm { name: "RS384", family: Family::Rsa(&RSA_PKCS1_2048_8192_SHA384), digest: &SHA384 },
    Algorithm { name: "RS512", family: Family::Rsa(&RSA_PKCS1_2048_8192_SHA512), digest: &SHA512 },
    Algorithm { name: "PS256", family: Family::Rsa(&RSA_PSS_2048_8192_SHA256), digest: &SHA256 },
    Algorithm { name: "PS384", family: Family::Rsa(&RSA_PSS_2048_8192_SHA384), digest: &SHA384 },
    Algorithm { name: "PS512", family: Family::Rsa(&RSA_PSS_2048_8192_SHA512), digest: &SHA512 },
    Algorithm { name: "ES256", family: Family::Ec(Curve::P256, &ECDSA_P256_SHA256_FIXED), digest: &SHA256 },
    Algorithm { name: "ES384", family: Family::Ec(Curve::P384, &ECDSA_P384_SHA384_FIXED), digest: &SHA384 },
    Algorithm { name: "ES512", family: Family::Ec(Curve::P521, &ECDSA_P521_SHA512_FIXED), digest: &SHA512 },
    Algorithm { name: "EdDSA", family: Family::Ed25519, digest: &SHA512 },
    // RFC 9864's name for the same.
    Algorithm { name: "Ed25519", family: Family::Ed25519, digest: &SHA512 },
];

/// Why no key of a set vouches for a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// None of them is the key that is named, or fits the algorithm.
    NoKey,
    /// The signature is not that of the key.
    Signature,
}

/// A provider's keys for signatures.
#[derive(Clone, Debug)]
pub struct KeySet {
    address: Url,
    keys: Vec<Key>,
    asked: Instant,
    /// The set as it came, with the keys that nobody here can use: for showing.
    pub document: Value,
}

#[derive(Clone, Debug)]
struct Key {
    id: Option<String>,
    /// The one algorithm it is for, where it says so.
    only: Option<String>,
    material: Material,
}

#[derive(Clone, Debug)]
enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// An uncompressed point.
    Ec(Curve, Vec<u8>),
    Ed25519(Vec<u8>),
}

impl KeySet {
    /// Fetches the keys of a provider.
    ///
    /// # Errors
    /// [`Error::Keys`].
    pub async fn fetch(http: &Http, metadata: &Metadata) -> Result<Self, Error> {
        let address = needed(metadata.jwks.as_ref(), "key set").map_err(Error::Keys)?;
        let document = document(http, address).await.map_err(Error::Keys)?;
        Ok(Self { address: address.clone(), keys: read(&document), asked: Instant::now(), document })
    }

    /// Fetches them again because a token names a key that is not among them; `false`, without asking, where that was
    /// done less than a minute ago. Where it fails, the old keys stay.
    ///
    /// # Errors
    /// [`Error::Keys`].
    pub async fn refetch(&mut self, http: &Http) -> Result<bool, Error> {
        if self.asked.elapsed() < REFETCH {
            return Ok(false);
        }
        self.asked = Instant::now();
        self.document = document(http, &self.address).await.map_err(Error::Keys)?;
        self.keys = read(&self.document);
        Ok(true)
    }

    /// Checks a signature with the named key, or, where no key is named, with every key that fits; the name of the one that
    /// made it.
    pub(super) fn verify(
        &self,
        algorithm: &Algorithm,
        id: Option<&str>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<Option<&str>, Fault> {
        let mut fitting = self.keys.iter().filter(|key| key.fits(algorithm, id)).peekable();
        fitting.peek().ok_or(Fault::NoKey)?;
        fitting
            .find(|key| key.material.verifies(algorithm, message, signature))
            .map(|key| key.id.as_deref())
            .ok_or(Fault::Signature)
    }
}

async fn document(http: &Http, address: &Url) -> Result<Value, Cause> {
    let answer = http.get(address, &Credentials::None).await?;
    let body = answer.json().filter(|_| answer.is_success());
    body.filter(|body| body.get("keys").is_some_and(Value::is_array))
        .ok_or_else(|| Cause::of(&answer, "it is no key set"))
}

fn read(document: &Value) -> Vec<Key> {
    let keys = document.get("keys").and_then(Value::as_array);
    keys.into_iter().flatten().take(MOST_KEYS).filter_map(Key::read).collect()
}

impl Key {
    /// A key that can check signatures; `None` for one of another use or kind.
    fn read(jwk: &Value) -> Option<Self> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?.trim_end_matches('=')).ok();
        let operations = jwk.get("key_ops").and_then(Value::as_array);
        if text("use").is_some_and(|used| used != "sig")
            || operations.is_some_and(|list| !list.iter().any(|operation| operation == "verify"))
        {
            return None;
        }
        let material = match (text("kty")?, text("crv")) {
            ("RSA", _) => Material::Rsa { n: unsigned(bytes("n")?), e: bytes("e")? },
            ("EC", Some(name)) => {
                let (curve, length) = match name {
                    "P-256" => (Curve::P256, 32),
                    "P-384" => (Curve::P384, 48),
                    "P-521" => (Curve::P521, 66),
                    _ => return None,
                };
                let mut point = vec![4];
                point.extend(padded(&bytes("x")?, length)?);
                point.extend(padded(&bytes("y")?, length)?);
                Material::Ec(curve, point)
            }
            ("OKP", Some("Ed25519")) => Material::Ed25519(bytes("x")?),
            _ => return None,
        };
        Some(Self { id: text("kid").map(str::to_owned), only: text("alg").map(str::to_owned), material })
    }

    /// Whether it may vouch for a token of this algorithm that names this key. What the *key* is decides: the token's
    /// word can only choose among what the key allows.
    fn fits(&self, algorithm: &Algorithm, id: Option<&str>) -> bool {
        let same_kind = match (&self.material, &algorithm.family) {
            (Material::Rsa { .. }, Family::Rsa(_)) | (Material::Ed25519(_), Family::Ed25519) => true,
            (Material::Ec(curve, _), Family::Ec(wanted, _)) => curve == wanted,
            _ => false,
        };
        let same_id = match (id, &self.id) {
            (Some(wanted), Some(id)) => wanted == id,
            // A set of one key need not number it (RFC 7517 §4.5).
            (None, _) | (_, None) => true,
        };
        let is_edwards = |name: &str| matches!(name, "EdDSA" | "Ed25519");
        let allowed = self
            .only
            .as_deref()
            .is_none_or(|only| only == algorithm.name || (is_edwards(only) && is_edwards(algorithm.name)));
        same_kind && same_id && allowed
    }
}

impl Material {
    fn verifies(&self, algorithm: &Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match (self, &algorithm.family) {
            (Self::Rsa { n, e }, Family::Rsa(parameters)) => {
                RsaPublicKeyComponents { n, e }.verify(parameters, message, signature).is_ok()
            }
            (Self::Ec(_, point), Family::Ec(_, scheme)) => {
                UnparsedPublicKey::new(*scheme, point).verify(message, signature).is_ok()
            }
            (Self::Ed25519(point), Family::Ed25519) => {
                UnparsedPublicKey::new(&ED25519, point).verify(message, signature).is_ok()
            }
            _ => false,
        }
    }
}

/// A modulus without the zero in front that some servers keep from its signed form.
fn unsigned(modulus: Vec<u8>) -> Vec<u8> {
    modulus.into_iter().skip_while(|byte| *byte == 0).collect()
}

/// A coordinate at its full length: some servers leave leading zeros out.
fn padded(coordinate: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length.checked_sub(coordinate.len())?];
    bytes.extend_from_slice(coordinate);
    Some(bytes)
}
