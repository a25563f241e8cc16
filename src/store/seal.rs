//! Sealing: AES-256-GCM-SIV (RFC 8452) with random 96-bit nonces, from the crypto library that TLS brings along.
//!
//! Of the two ciphers that security.md F1 allows this is the one that needs no second crypto library in the program. A nonce
//! that is drawn twice by bad luck, or by a virtual machine that was copied while it ran, costs it next to nothing.
//!
//! Every sealed text is bound to what it is *about*: the bytes that stand beside it in the open. It opens only beside the same bytes.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::Error;
use super::memory::Kept;
use super::random;
use crate::domain::credential::FingerprintKey;

/// How long a key is, in bytes.
pub const KEY: usize = 32;

/// A key of the store. It is in a page that is not swapped out ([`memory`](super::memory)), wiped when it goes, and never printed.
pub struct Key(Kept);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// A new key from the kernel's random numbers.
    ///
    /// # Errors
    /// [`Error::NoRandomness`].
    pub fn random() -> Result<Self, Error> {
        let mut key = Self(Kept::new());
        random(key.0.as_mut_slice())?;
        Ok(key)
    }

    /// The key of these bytes; `None` where they are not [`KEY`] many. The caller's copy is the caller's to wipe.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut key = Self(Kept::new());
        (bytes.len() == KEY).then(|| key.0.copy_from_slice(bytes))?;
        Some(key)
    }

    /// The bytes themselves.
    #[must_use]
    pub fn expose(&self) -> &[u8; KEY] {
        &self.0
    }

    /// A second handle on the same key.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        let mut key = Self(Kept::new());
        key.0.copy_from_slice(self.expose());
        key
    }

    /// Seals `plain`: nonce, ciphertext and tag in one.
    ///
    /// # Errors
    /// [`Error::NoRandomness`].
    pub fn seal(&self, about: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error> {
        let mut nonce = [0; NONCE_LEN];
        random(&mut nonce)?;
        let mut out = Vec::with_capacity(NONCE_LEN + plain.len() + AES_256_GCM_SIV.tag_len());
        out.extend_from_slice(&nonce);
        // The plain text is encrypted where it stands, so that no copy of it is left behind.
        out.extend_from_slice(plain);
        let (_, text) = out.split_at_mut(NONCE_LEN);
        let tag = self
            .cipher()?
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(about), text)
            .map_err(|_| Error::NoRandomness)?;
        out.extend_from_slice(tag.as_ref());
        Ok(out)
    }

    /// Opens what [`Key::seal`] made beside the same `about`; `None` where it does not open: another key, or changed bytes.
    #[must_use]
    pub fn open(&self, about: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::assume_unique_for_key(nonce.try_into().ok()?);
        let mut plain = Zeroizing::new(text.to_vec());
        let length = self.cipher().ok()?.open_in_place(nonce, Aad::from(about), &mut plain).ok()?.len();
        plain.truncate(length);
        Some(plain)
    }

    /// Another key that follows from this one, for another purpose (HMAC-SHA-256 of the purpose's name).
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Self {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, self.expose()), purpose.as_bytes());
        let mut key = Self(Kept::new());
        key.0.copy_from_slice(tag.as_ref());
        key
    }

    /// The key of the fingerprints that are kept under this key.
    #[must_use]
    pub fn fingerprints(&self) -> FingerprintKey {
        FingerprintKey::new(self.derive("toktui fingerprints 1").expose())
    }

    fn cipher(&self) -> Result<LessSafeKey, Error> {
        // It cannot fail for a key of the right length.
        UnboundKey::new(&AES_256_GCM_SIV, self.expose())
            .map(LessSafeKey::new)
            .map_err(|_| Error::NoRandomness)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_only_with_its_key_beside_its_bytes_and_unchanged() {
        let key = Key::random().expect("random");
        let sealed = key.seal(b"egi 7", b"a refresh token").expect("random");
        assert_eq!(key.open(b"egi 7", &sealed).expect("opens").as_slice(), b"a refresh token");
        assert_eq!(key.open(b"egi 8", &sealed), None);
        assert_eq!(Key::random().expect("random").open(b"egi 7", &sealed), None);
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key.open(b"egi 7", &changed), None, "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert_eq!(key.open(b"egi 7", &sealed[..length]), None, "{length} bytes");
        }
    }

    #[test]
    fn the_same_text_is_never_sealed_into_the_same_bytes() {
        let key = Key::random().expect("random");
        assert_ne!(key.seal(b"", b"x").expect("random"), key.seal(b"", b"x").expect("random"));
    }

    /// RFC 8452 appendix C.2: the cipher is the one it is called.
    #[test]
    fn the_cipher_agrees_with_the_published_vectors() {
        let hex = |text: &str| -> Vec<u8> {
            (0..text.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex"))
                .collect()
        };
        let key = format!("01{}", "00".repeat(31));
        let key = Key::from_bytes(&hex(&key)).expect("32 bytes");
        // Key 01 00…, nonce 03 00…, no additional data.
        let table = [
            ("", "07f5f4169bbf55a8400cd47ea6fd400f"),
            ("0100000000000000", "c2ef328e5c71c83b843122130f7364b761e0b97427e3df28"),
        ];
        for (plain, sealed) in table {
            let bytes = hex(&format!("03{}{sealed}", "00".repeat(11)));
            assert_eq!(key.open(b"", &bytes).expect("opens").as_slice(), hex(plain));
        }
    }
}
