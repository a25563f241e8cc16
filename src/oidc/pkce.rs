//! What one login alone knows: state, nonce, and the PKCE verifier with its challenge (RFC 7636).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::Error;
use crate::domain::secret::Secret;

/// The only method that is ever sent (RFC 9700 §2.1.1).
pub const METHOD: &str = "S256";

/// Bytes of randomness in each of the three: 256 bits, where security.md asks for 128 in state and nonce.
const RANDOM_BYTES: usize = 32;

/// A PKCE verifier: 43 characters that carry 256 random bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier(Secret);

impl Verifier {
    /// A fresh one.
    ///
    /// # Errors
    /// [`Error::NoRandomness`].
    pub fn random() -> Result<Self, Error> {
        random_text().map(Self)
    }

    /// `code_challenge`: the S256 hash that may be seen (RFC 7636 §4.2).
    #[must_use]
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, self.0.expose().as_bytes()))
    }

    /// `code_verifier`, for the token endpoint only.
    pub(super) fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// The three secrets of one login. Used once; a second try makes its own.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// `state` (RFC 6749 §10.12).
    pub state: Secret,
    /// `nonce` (OpenID Connect Core §3.1.2.1).
    pub nonce: Secret,
    /// The verifier whose challenge was sent.
    pub verifier: Verifier,
}

impl Attempt {
    /// Fresh secrets.
    ///
    /// # Errors
    /// [`Error::NoRandomness`].
    pub fn random() -> Result<Self, Error> {
        Ok(Self { state: random_text()?, nonce: random_text()?, verifier: Verifier::random()? })
    }
}

/// Compares without telling by its duration how much of it was right. The length is no secret.
pub(super) fn is_same(secret: &Secret, other: &str) -> bool {
    verify_slices_are_equal(secret.expose().as_bytes(), other.as_bytes()).is_ok()
}

fn random_text() -> Result<Secret, Error> {
    let mut bytes = Zeroizing::new([0_u8; RANDOM_BYTES]);
    rand::fill(bytes.as_mut_slice()).map_err(|_| Error::NoRandomness)?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes.as_slice())))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_challenge_is_that_of_rfc_7636_appendix_b() {
        let verifier = Verifier(Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert_eq!(verifier.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn a_thousand_logins_have_three_thousand_different_secrets() {
        let mut seen = HashSet::new();
        for _ in 0..1000 {
            let attempt = Attempt::random().expect("randomness");
            for text in [attempt.state.expose(), attempt.nonce.expose(), attempt.verifier.expose()] {
                assert_eq!(text.len(), 43);
                assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
                assert!(seen.insert(text.to_owned()));
            }
        }
    }

    #[test]
    fn only_the_very_same_text_is_the_same() {
        let secret = Secret::new("abc");
        assert!(is_same(&secret, "abc"));
        for other in ["", "ab", "abd", "abcd", "ABC"] {
            assert!(!is_same(&secret, other), "{other}");
        }
    }
}
