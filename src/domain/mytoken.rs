//! What a mytoken may do: capabilities, restrictions, rotation (mytoken-api.md §§3–5, 7.1).

use aws_lc_rs::digest::{SHA512, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::jwt::{self, Jwt};
use super::untrusted::Untrusted;

/// The capabilities known by name, with their plain words, in the order they are shown in (mytoken-api.md §3).
pub const CAPABILITIES: &[(&str, &str)] = &[
    ("AT", "get access tokens"),
    ("create_mytoken", "make subtokens"),
    ("tokeninfo", "look itself up"),
    ("tokeninfo:introspect", "ask whether it is valid"),
    ("tokeninfo:history", "read its own history"),
    ("tokeninfo:subtokens", "list its subtokens"),
    ("tokeninfo:notify", "manage its notifications"),
    ("tokeninfo:tags", "manage its tags"),
    ("manage_mytokens", "manage all your mytokens"),
    ("manage_mytokens:list", "list all your mytokens"),
    ("manage_mytokens:revoke", "revoke any of your mytokens"),
    ("manage_mytokens:history", "read the history of any of your mytokens"),
    ("manage_mytokens:notify", "manage notifications of all your mytokens"),
    ("manage_mytokens:tags", "manage tags of all your mytokens"),
    ("settings", "change your settings"),
    ("settings:grants", "change your grants"),
    ("settings:grants:ssh", "change your SSH keys"),
    ("settings:email", "change your mail address"),
    ("settings:tags", "change your tags"),
];

/// One thing a mytoken may do. Names that nobody here knows are carried along and shown as they are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Capability(pub Untrusted);

impl Capability {
    /// A capability by its name on the wire.
    pub fn new(name: impl Into<String>) -> Self {
        Self(Untrusted::new(name))
    }

    /// Whether holding this one is enough where `needed` is asked for: the prefix rule of mytoken-api.md §3.2.
    #[must_use]
    pub fn covers(&self, needed: &str) -> bool {
        let (held, held_reads) = split(self.0.raw());
        let (wanted, wanted_reads) = split(needed);
        if held_reads && !wanted_reads {
            return false;
        }
        let mut wanted = wanted.split(':');
        held.split(':').all(|part| wanted.next() == Some(part))
    }

    /// Its plain words, where it is a known one.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        let (name, reads) = split(self.0.raw());
        let (_, words) = CAPABILITIES.iter().find(|(known, _)| *known == name)?;
        Some(if reads {
            words.replace("change", "read").replace("manage", "read")
        } else {
            (*words).to_owned()
        })
    }
}

fn split(name: &str) -> (&str, bool) {
    name.strip_prefix("read@").map_or((name, false), |rest| (rest, true))
}

/// Whether one of `held` covers `needed`.
#[must_use]
pub fn can(held: &[Capability], needed: &str) -> bool {
    held.iter().any(|capability| capability.covers(needed))
}

/// One alternative among a mytoken's restrictions: all its members must hold (mytoken-api.md §4.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clause {
    /// Usable from.
    pub not_before: Option<Timestamp>,
    /// Usable until.
    pub expires: Option<Timestamp>,
    /// Scopes access tokens may have; absent: any.
    pub scopes: Option<Vec<Untrusted>>,
    /// Audiences access tokens may have; absent: any.
    pub audiences: Option<Vec<Untrusted>>,
    /// Addresses, networks or host names it may be used from; absent: any.
    pub hosts: Option<Vec<Untrusted>>,
    /// Countries it may be used from.
    pub countries_allowed: Option<Vec<Untrusted>>,
    /// Countries it may not be used from.
    pub countries_refused: Option<Vec<Untrusted>>,
    /// How many access tokens it gives; absent: any number; 0: none.
    pub uses_at: Option<u64>,
    /// How many other uses it has.
    pub uses_other: Option<u64>,
    /// Access tokens given so far; only an introspection tells.
    pub used_at: Option<u64>,
    /// Other uses so far; only an introspection tells.
    pub used_other: Option<u64>,
    /// Members that nobody here knows (`schedule` of 0.12, …): they may restrict, so they are named.
    pub unknown: Vec<Untrusted>,
}

impl Clause {
    /// Reads a clause from its JSON object. A member of a wrong type counts as unknown, never as absent.
    #[must_use]
    pub fn from_json(object: &Map<String, Value>) -> Self {
        let mut clause = Self::default();
        for (name, value) in object {
            let list = || Some(jwt::texts(Some(value))).filter(|list| !list.is_empty());
            let understood = match name.as_str() {
                "nbf" => put(&mut clause.not_before, jwt::moment(value).filter(|at| at.as_second() != 0)),
                "exp" => put(&mut clause.expires, jwt::moment(value).filter(|at| at.as_second() != 0)),
                "scope" => put(&mut clause.scopes, value.as_str().map(words)),
                "audience" => put(&mut clause.audiences, list()),
                "hosts" | "ip" => put(&mut clause.hosts, list()),
                "geoip_allow" => put(&mut clause.countries_allowed, list()),
                "geoip_disallow" => put(&mut clause.countries_refused, list()),
                "usages_AT" => put(&mut clause.uses_at, value.as_u64()),
                "usages_other" => put(&mut clause.uses_other, value.as_u64()),
                "usages_AT_done" => put(&mut clause.used_at, value.as_u64()),
                "usages_other_done" => put(&mut clause.used_other, value.as_u64()),
                _ => false,
            };
            if !understood && !is_empty(value) {
                clause.unknown.push(Untrusted::from(name.as_str()));
            }
        }
        clause
    }

    /// Access tokens still to be had through this clause, if they are counted: by the server's counter
    /// where one was seen, else all of them (an unused clause has no counter, mytoken-api.md §2.5.1).
    #[must_use]
    pub fn left_at(&self) -> Option<u64> {
        self.uses_at.map(|most| most.saturating_sub(self.used_at.unwrap_or(0)))
    }

    /// Other uses still to be had, if they are counted.
    #[must_use]
    pub fn left_other(&self) -> Option<u64> {
        self.uses_other.map(|most| most.saturating_sub(self.used_other.unwrap_or(0)))
    }
}

fn put<T>(place: &mut Option<T>, value: Option<T>) -> bool {
    let there = value.is_some();
    *place = value;
    there
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Number(number) => number.as_i64() == Some(0),
        Value::Bool(_) => false,
    }
}

fn words(text: &str) -> Vec<Untrusted> {
    text.split_ascii_whitespace().map(Untrusted::from).collect()
}

/// How a mytoken renews itself (mytoken-api.md §5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// A new copy after every access token.
    pub on_at: bool,
    /// A new copy after every other counted use.
    pub on_other: bool,
    /// How long a copy lives, in seconds; `None`: without limit.
    pub lifetime: Option<u64>,
    /// An older copy in use revokes the mytoken and all its subtokens.
    pub auto_revoke: bool,
}

impl Rotation {
    /// Reads the `rotation` object; absent members are false or unlimited.
    #[must_use]
    pub fn from_json(object: &Map<String, Value>) -> Self {
        let flag = |name: &str| object.get(name).and_then(Value::as_bool).unwrap_or(false);
        Self {
            on_at: flag("on_AT"),
            on_other: flag("on_other"),
            lifetime: object.get("lifetime").and_then(Value::as_u64).filter(|seconds| *seconds > 0),
            auto_revoke: flag("auto_revoke"),
        }
    }

    /// Whether any use makes a new copy.
    #[must_use]
    pub fn rotates(self) -> bool {
        self.on_at || self.on_other
    }
}

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
    fn a_capability_covers_what_lies_under_it_and_reading_never_covers_writing() {
        let table = [
            ("tokeninfo", "tokeninfo:history", true),
            ("settings", "settings:grants:ssh", true),
            ("settings", "read@settings:grants", true),
            ("read@settings", "read@settings:grants:ssh", true),
            ("read@settings", "settings:grants", false),
            ("settings:grants", "read@settings:grants", true),
            ("tokeninfo:history", "tokeninfo", false),
            ("AT", "at", false),
            ("token", "tokeninfo", false),
        ];
        for (held, needed, covered) in table {
            assert_eq!(Capability::new(held).covers(needed), covered, "{held} for {needed}");
        }
    }

    #[test]
    fn a_member_of_a_wrong_type_is_named_and_not_taken_for_absent() {
        let object = serde_json::json!({"usages_AT": "15", "schedule": {"days": [1]}, "exp": 0});
        let clause = Clause::from_json(object.as_object().expect("an object"));
        assert_eq!(clause.uses_at, None);
        assert_eq!(clause.unknown, [Untrusted::from("usages_AT"), Untrusted::from("schedule")]);
    }

    #[test]
    fn an_unused_clause_has_all_its_uses_left() {
        let object = serde_json::json!({"usages_AT": 15});
        assert_eq!(Clause::from_json(object.as_object().expect("an object")).left_at(), Some(15));
    }

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
