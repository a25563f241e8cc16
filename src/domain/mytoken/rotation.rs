//! How a mytoken replaces itself (mytoken-api.md §5).

use serde_json::{Map, Value, json};

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

    /// Its JSON object as a server wants it, without what is off; `None` where nothing is on.
    #[must_use]
    pub fn to_json(self) -> Option<Map<String, Value>> {
        let members = [
            ("on_AT", json!(self.on_at.then_some(true))),
            ("on_other", json!(self.on_other.then_some(true))),
            ("lifetime", json!(self.lifetime)),
            ("auto_revoke", json!(self.auto_revoke.then_some(true))),
        ];
        let there = members.into_iter().filter(|(_, value)| !value.is_null());
        let members: Map<_, _> = there.map(|(name, value)| (name.to_owned(), value)).collect();
        (!members.is_empty()).then_some(members)
    }

    /// Whether any use makes a new copy.
    #[must_use]
    pub fn rotates(self) -> bool {
        self.on_at || self.on_other
    }
}
