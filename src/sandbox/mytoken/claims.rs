//! The claims of a mytoken, and what is computed from them (§7.1).

use aws_lc_rs::digest;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use super::random::uuid_bytes;
use super::restriction::Clause;
use super::rotation::Rotation;

/// What stands in a mytoken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) ver: String,
    pub(crate) token_type: String,
    pub(crate) iss: String,
    pub(crate) aud: String,
    pub(crate) sub: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) exp: Option<i64>,
    pub(crate) nbf: i64,
    pub(crate) iat: i64,
    pub(crate) auth_time: i64,
    pub(crate) jti: String,
    pub(crate) seq_no: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    pub(crate) oidc_sub: String,
    pub(crate) oidc_iss: String,
    pub(crate) capabilities: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) restrictions: Vec<Clause>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rotation: Option<Rotation>,
}

impl Claims {
    /// The id that the mytoken has outside: base64 of the SHA-512 of the raw bytes of its `jti`.
    pub(crate) fn mom_id(&self) -> String {
        outside_id(uuid_bytes(&self.jti).unwrap_or_default())
    }

    /// Whether it rotates after an access token (`at`) or another use.
    pub(crate) fn rotates(&self, at: bool) -> bool {
        self.rotation.as_ref().is_some_and(|rotation| if at { rotation.on_at } else { rotation.on_other })
    }

    /// Whether the use of an old version revokes all.
    pub(crate) fn auto_revokes(&self) -> bool {
        self.rotation.as_ref().is_some_and(|rotation| rotation.auto_revoke)
    }

    /// The claims of the next version, made `now`.
    pub(crate) fn next(&self, now: i64) -> Self {
        let lifetime = self.rotation.as_ref().map_or(0, |rotation| rotation.lifetime);
        let exp = if lifetime > 0 { Some(now.saturating_add(lifetime)) } else { self.exp };
        Self { seq_no: self.seq_no + 1, iat: now, nbf: now, exp, ..self.clone() }
    }
}

fn outside_id(jti: [u8; 16]) -> String {
    BASE64_STANDARD.encode(digest::digest(&digest::SHA512, &jti))
}

/// The `sub` of a user: a hash over subject and issuer, the same for all mytokens of one user at one
/// provider.
pub(crate) fn user(subject: &str, issuer: &str) -> String {
    BASE64_STANDARD.encode(digest::digest(&digest::SHA256, format!("{subject}{issuer}").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_recorded_mytoken_follows_from_its_jti() {
        let raw = uuid_bytes("cc3f03ba-a611-444a-9ffd-e6f6a504da7d").expect("a UUID");
        assert_eq!(
            outside_id(raw),
            "niZSUqi+p/4emppWDPP4i1tC739+zJSAP6ckFcVxcSbeLC+0ShRKIQKn9rHLgOPUyWcL6YAr0nPo0FWLzWWyIg=="
        );
    }
}
