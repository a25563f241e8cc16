//! Two tokens side by side: what of their scopes, audience, claims, times and header is not the same.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::jwt::{self, Jwt, texts};
use super::untrusted::Untrusted;

/// Claims that are moments (RFC 7519 §4.1, `OpenID` Connect Core §2, §5.1).
const MOMENTS: &[&str] = &["iat", "nbf", "exp", "auth_time", "updated_at"];
/// Claims that hold scopes: RFC 9068 §2.2.3, and the list that some providers make of it.
const SCOPES: &[&str] = &["scope", "scp"];

/// A part of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// What it allows.
    Scopes,
    /// For whom it is.
    Audience,
    /// Every other claim.
    Claims,
    /// When it starts, ends, was made.
    Times,
    /// The JOSE header.
    Header,
}

impl Part {
    /// Every part, in the order in which they are told.
    pub const ALL: [Self; 5] = [Self::Scopes, Self::Audience, Self::Claims, Self::Times, Self::Header];

    /// It in a word, which is also its name in `--json`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Scopes => "scopes",
            Self::Audience => "audience",
            Self::Claims => "claims",
            Self::Times => "times",
            Self::Header => "header",
        }
    }
}

/// Something that is not the same in both.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Where.
    pub part: Part,
    /// The claim or member of the header; of scopes and audience, whose names differ between providers, the usual one.
    pub name: Untrusted,
    /// How.
    pub how: How,
}

/// How something differs.
#[derive(Clone, Debug, PartialEq)]
pub enum How {
    /// Only the second has it.
    Added(Value),
    /// Only the first has it.
    Gone(Value),
    /// Both have it.
    Other(Value, Value),
    /// A moment that both have.
    Moved(Timestamp, Timestamp),
    /// A list of texts, whose order says nothing: what only the first has, and what only the second.
    Lists {
        /// In the first alone.
        gone: Vec<Untrusted>,
        /// In the second alone.
        added: Vec<Untrusted>,
    },
}

/// What is not the same in two tokens, in the order of [`Part::ALL`] and of the names.
#[must_use]
pub fn compare(first: &Jwt, second: &Jwt) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut set = |part, name: &str, (one, other): (BTreeSet<Untrusted>, BTreeSet<Untrusted>)| {
        changes.extend(lists(&one, &other).map(|how| Change { part, name: name.into(), how }));
    };
    set(Part::Scopes, "scope", (scopes(&first.claims), scopes(&second.claims)));
    set(Part::Audience, "aud", (listed(first.claims.get("aud")), listed(second.claims.get("aud"))));
    let is_time = |name: &str| MOMENTS.contains(&name);
    let is_told = |name: &str| SCOPES.contains(&name) || name == "aud" || is_time(name);
    changes.extend(members(Part::Claims, &first.claims, &second.claims, |name| !is_told(name)));
    changes.extend(members(Part::Times, &first.claims, &second.claims, is_time));
    changes.extend(members(Part::Header, &first.header, &second.header, |_| true));
    changes
}

/// The scopes of a token, however it writes them down.
fn scopes(claims: &Map<String, Value>) -> BTreeSet<Untrusted> {
    let values = SCOPES.iter().flat_map(|name| texts(claims.get(*name)));
    values.flat_map(|text| text.raw().split_whitespace().map(Untrusted::from).collect::<Vec<_>>()).collect()
}

fn listed(value: Option<&Value>) -> BTreeSet<Untrusted> {
    texts(value).into_iter().collect()
}

fn lists(first: &BTreeSet<Untrusted>, second: &BTreeSet<Untrusted>) -> Option<How> {
    let gone: Vec<Untrusted> = first.difference(second).cloned().collect();
    let added: Vec<Untrusted> = second.difference(first).cloned().collect();
    (!gone.is_empty() || !added.is_empty()).then_some(How::Lists { gone, added })
}

fn members(
    part: Part,
    first: &Map<String, Value>,
    second: &Map<String, Value>,
    wanted: impl Fn(&str) -> bool,
) -> Vec<Change> {
    let names: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
    let change = |name: &String| {
        let how = match (first.get(name), second.get(name)) {
            (Some(one), Some(other)) => differs(part, one, other)?,
            (Some(one), None) => How::Gone(one.clone()),
            (None, Some(other)) => How::Added(other.clone()),
            (None, None) => return None,
        };
        Some(Change { part, name: Untrusted::from(name.as_str()), how })
    };
    names.into_iter().filter(|name| wanted(name)).filter_map(change).collect()
}

fn differs(part: Part, one: &Value, other: &Value) -> Option<How> {
    if one == other {
        return None;
    }
    if part == Part::Times
        && let (Some(from), Some(to)) = (jwt::moment(one), jwt::moment(other))
    {
        return (from != to).then_some(How::Moved(from, to));
    }
    let is_list = |value: &Value| value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
    if is_list(one) && is_list(other) {
        return lists(&listed(Some(one)), &listed(Some(other)));
    }
    Some(How::Other(one.clone(), other.clone()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::time::from_epoch;

    fn token(header: Value, claims: Value) -> Jwt {
        let object = |value: Value| match value {
            Value::Object(map) => map,
            other => panic!("{other}"),
        };
        Jwt { header: object(header), claims: object(claims), signature: 256 }
    }

    fn of_claims(first: Value, second: Value) -> Vec<(Part, String, How)> {
        let head = || json!({"alg": "RS256"});
        let changes = compare(&token(head(), first), &token(head(), second));
        changes.into_iter().map(|change| (change.part, change.name.shown(), change.how)).collect()
    }

    fn texts(words: &[&str]) -> Vec<Untrusted> {
        words.iter().map(|word| Untrusted::from(*word)).collect()
    }

    fn sets(gone: &[&str], added: &[&str]) -> How {
        How::Lists { gone: texts(gone), added: texts(added) }
    }

    #[test]
    fn each_difference_is_told_in_its_part_and_what_is_the_same_is_not() {
        let name = |name: &str| name.to_owned();
        let table = [
            ("nothing", json!({"sub": "a"}), json!({"sub": "a"}), vec![]),
            ("order of scopes", json!({"scope": "a b"}), json!({"scope": "b  a"}), vec![]),
            ("scopes as text and as list", json!({"scope": "a b"}), json!({"scp": ["b", "a"]}), vec![]),
            (
                "scopes",
                json!({"scope": "openid email"}),
                json!({"scope": "openid profile"}),
                vec![(Part::Scopes, name("scope"), sets(&["email"], &["profile"]))],
            ),
            ("one audience, text or list", json!({"aud": "x"}), json!({"aud": ["x"]}), vec![]),
            (
                "audience",
                json!({"aud": "x"}),
                json!({"aud": ["x", "y"]}),
                vec![(Part::Audience, name("aud"), sets(&[], &["y"]))],
            ),
            (
                "no audience any more",
                json!({"aud": "x"}),
                json!({}),
                vec![(Part::Audience, name("aud"), sets(&["x"], &[]))],
            ),
            (
                "claims",
                json!({"acr": "1", "sid": "s", "n": 1}),
                json!({"acr": "2", "jti": "j", "n": 1}),
                vec![
                    (Part::Claims, name("acr"), How::Other(json!("1"), json!("2"))),
                    (Part::Claims, name("jti"), How::Added(json!("j"))),
                    (Part::Claims, name("sid"), How::Gone(json!("s"))),
                ],
            ),
            (
                "groups",
                json!({"groups": ["a", "b"]}),
                json!({"groups": ["b", "c"]}),
                vec![(Part::Claims, name("groups"), sets(&["a"], &["c"]))],
            ),
            ("order of groups", json!({"groups": ["a", "b"]}), json!({"groups": ["b", "a"]}), vec![]),
            (
                "times",
                json!({"iat": 100, "exp": 200}),
                json!({"iat": 100, "exp": 260, "nbf": 5}),
                vec![
                    (Part::Times, name("exp"), How::Moved(from_epoch(200), from_epoch(260))),
                    (Part::Times, name("nbf"), How::Added(json!(5))),
                ],
            ),
            ("a fraction of a second", json!({"exp": 200}), json!({"exp": 200.5}), vec![]),
            (
                "an end that is none",
                json!({"exp": 200}),
                json!({"exp": "soon"}),
                vec![(Part::Times, name("exp"), How::Other(json!(200), json!("soon")))],
            ),
        ];
        for (what, first, second, expected) in table {
            assert_eq!(of_claims(first, second), expected, "{what}");
        }
    }

    #[test]
    fn headers_are_compared_too_and_the_parts_come_in_their_order() {
        let first = token(json!({"alg": "RS256", "kid": "a"}), json!({"scope": "x", "exp": 1}));
        let second = token(json!({"alg": "ES256", "kid": "a"}), json!({"scope": "y", "exp": 2, "sub": "s"}));
        let parts: Vec<Part> = compare(&first, &second).iter().map(|change| change.part).collect();
        assert_eq!(parts, [Part::Scopes, Part::Claims, Part::Times, Part::Header]);
        assert_eq!(compare(&first, &first), []);
    }
}
