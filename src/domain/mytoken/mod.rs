//! What a mytoken may do: capabilities, restrictions, rotation (mytoken-api.md §§3–5, 7.1), and what is asked for in a new one.

mod capability;
mod clause;
mod rotation;
mod wanted;

use aws_lc_rs::digest::{SHA512, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::jwt::{self, Jwt};
use super::untrusted::Untrusted;

pub use capability::{CAPABILITIES, Capability, Known, Weight, can};
pub use clause::{Clause, left_of_all};
pub use rotation::Rotation;
pub use wanted::{Fault, Form, LONGEST_NAME, Wanted};

/// What a mytoken says of itself, in its claims or through its server's introspection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The mytoken server (`iss`).
    pub server: Untrusted,
    /// The provider behind it (`oidc_iss`).
    pub provider: Untrusted,
    /// The subject at that provider (`oidc_sub`).
    pub subject: Untrusted,
    /// Its name, if it has one.
    pub name: Option<Untrusted>,
    /// The id by which other mytokens can manage it, computed from `jti` (mytoken-api.md §7.1).
    pub mom_id: Option<Untrusted>,
    /// Which copy this is; 1, then one more at every rotation.
    pub copy: Option<u64>,
    /// When this copy was issued.
    pub issued: Option<Timestamp>,
    /// Valid from.
    pub not_before: Option<Timestamp>,
    /// Valid until; `None`: without end.
    pub expires: Option<Timestamp>,
    /// When its user logged in.
    pub logged_in: Option<Timestamp>,
    /// What it may do.
    pub capabilities: Vec<Capability>,
    /// Under which restrictions; empty: none.
    pub restrictions: Vec<Clause>,
    /// How it renews itself, if it does.
    pub rotation: Option<Rotation>,
}

impl Facts {
    /// Whether a JWT is a mytoken: header `typ` `MT+JWT` or claim `token_type` `mytoken` (mytoken-api.md §7.4).
    #[must_use]
    pub fn are_in(jwt: &Jwt) -> bool {
        jwt.kind() == "mt+jwt" || jwt.claims.get("token_type").and_then(Value::as_str) == Some("mytoken")
    }

    /// Reads the claims of a mytoken: those of a JWT, or the member `token` of an introspection.
    #[must_use]
    pub fn from_claims(claims: &Map<String, Value>) -> Self {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(Untrusted::from);
        let moment = |name: &str| claims.get(name).and_then(jwt::moment);
        let objects = |value: Option<&Value>| -> Vec<Map<String, Value>> {
            match value {
                Some(Value::Array(list)) => list.iter().filter_map(Value::as_object).cloned().collect(),
                Some(Value::Object(one)) => vec![one.clone()],
                _ => Vec::new(),
            }
        };
        Self {
            server: text("iss").unwrap_or_default(),
            provider: text("oidc_iss").unwrap_or_default(),
            subject: text("oidc_sub").unwrap_or_default(),
            name: text("name").filter(|name| !name.is_empty()),
            mom_id: claims.get("jti").and_then(Value::as_str).and_then(mom_id).map(Untrusted::new),
            copy: claims.get("seq_no").and_then(Value::as_u64),
            issued: moment("iat"),
            not_before: moment("nbf"),
            expires: moment("exp"),
            logged_in: moment("auth_time"),
            capabilities: jwt::texts(claims.get("capabilities")).into_iter().map(Capability).collect(),
            restrictions: objects(claims.get("restrictions")).iter().map(Clause::from_json).collect(),
            rotation: claims.get("rotation").and_then(Value::as_object).map(Rotation::from_json),
        }
    }

    /// Until when this copy works by its own word: the earlier of `exp` and the end of its rotation lifetime,
    /// which the first copy's `exp` does not show (mytoken-api.md §5).
    #[must_use]
    pub fn ends(&self) -> Option<Timestamp> {
        let copy_ends =
            self.rotation.and_then(|rotation| rotation.lifetime).zip(self.issued).map(|(seconds, issued)| {
                let span = jiff::SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
                super::time::later(issued, span)
            });
        match (self.expires, copy_ends) {
            (Some(expires), Some(copy)) => Some(expires.min(copy)),
            (one, other) => one.or(other),
        }
    }
}

/// The `mom_id` of a mytoken: base64 of the SHA-512 of the sixteen raw bytes of its `jti` (mytoken-api.md §7.1).
#[must_use]
pub fn mom_id(jti: &str) -> Option<String> {
    let digits: Vec<u8> = jti.bytes().filter(|byte| *byte != b'-').collect();
    if digits.len() != 32 {
        return None;
    }
    let raw: Option<Vec<u8>> = digits
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect();
    Some(STANDARD.encode(digest(&SHA512, &raw?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mom_id_of_a_recorded_mytoken_is_computed_as_its_server_does() {
        assert_eq!(
            mom_id("cc3f03ba-a611-444a-9ffd-e6f6a504da7d").as_deref(),
            Some("niZSUqi+p/4emppWDPP4i1tC739+zJSAP6ckFcVxcSbeLC+0ShRKIQKn9rHLgOPUyWcL6YAr0nPo0FWLzWWyIg==")
        );
    }

    #[test]
    fn the_first_copy_of_a_rotating_mytoken_ends_with_its_rotation_lifetime() {
        let claims =
            serde_json::json!({"iat": 1000, "exp": 9000, "rotation": {"on_AT": true, "lifetime": 600}});
        let facts = Facts::from_claims(claims.as_object().expect("an object"));
        assert_eq!(facts.ends(), Some(crate::domain::time::from_epoch(1600)));
    }
}
