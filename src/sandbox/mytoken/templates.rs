//! Profiles and templates: what they hold, what their readers are told, and those that are there at first (§2.11).

use aws_lc_rs::digest;
use serde_json::{Value, json};

use super::random::uuid_text;
use super::refusal::Refusal;
use super::restriction::KEYS;
use super::{asked, unfold};

/// What a template stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A part of a request for a mytoken.
    Profiles,
    /// A list of capabilities.
    Capabilities,
    /// A clause, or a list of them.
    Restrictions,
    /// A rotation.
    Rotation,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 4] =
        [Self::Profiles, Self::Capabilities, Self::Restrictions, Self::Rotation];

    /// Its name in paths.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Profiles => "profiles",
            Self::Capabilities => "capabilities",
            Self::Restrictions => "restrictions",
            Self::Rotation => "rotation",
        }
    }
}

/// A profile or a template, as it was written.
#[derive(Clone, Debug)]
pub struct Template {
    /// The group it is in; `_` is the default group.
    pub group: String,
    /// What it stands for.
    pub kind: Kind,
    /// A UUID.
    pub id: String,
    /// Its name, unique in group and kind.
    pub name: String,
    /// What it holds. It may name others.
    pub payload: Value,
}

impl Template {
    /// A template whose id follows from its name, so that it is the same in every server.
    #[must_use]
    pub fn new(group: &str, kind: Kind, name: &str, payload: Value) -> Self {
        let text = format!("{group}/{}/{name}", kind.name());
        let hash = digest::digest(&digest::SHA256, text.as_bytes());
        let id = hash.as_ref().first_chunk().copied().map(uuid_text).unwrap_or_default();
        Self { group: group.to_owned(), kind, id, name: name.to_owned(), payload }
    }

    /// Its payload as it is told to readers: nothing named any more, and times counted from `now`.
    pub(crate) fn evaluated(&self, all: &[Self], now: i64) -> Result<Value, Refusal> {
        let keys = KEYS.map(str::to_owned);
        let clauses =
            |value: &Value| asked::restrictions(Some(value), now, &keys).map(|clauses| json!(clauses));
        let rotation = |value: &Value| asked::rotation(Some(value)).map(|rotation| json!(rotation));
        match self.kind {
            Kind::Capabilities => unfold::capabilities(all, &self.payload, 0),
            Kind::Restrictions => clauses(&unfold::restrictions(all, &self.payload, 0)?),
            Kind::Rotation => rotation(&unfold::rotation(all, &self.payload, 0)?),
            Kind::Profiles => {
                let mut members = unfold::request(all, &unfold::object(&self.payload), 0)?;
                if let Some(value) = members.get_mut("restrictions") {
                    *value = clauses(value)?;
                }
                if let Some(value) = members.get_mut("rotation") {
                    *value = rotation(value)?;
                }
                Ok(Value::Object(members))
            }
        }
    }
}

/// The groups `_` and `demo` of the recorded server.
pub(crate) fn shipped() -> Vec<Template> {
    let all = json!(["AT", "create_mytoken", "tokeninfo", "manage_mytokens", "settings"]);
    [
        ("_", Kind::Restrictions, "1d", json!({"exp": "+1d"})),
        ("_", Kind::Restrictions, "ip-this", json!({"hosts": ["this"]})),
        ("_", Kind::Restrictions, "both", json!({"include": ["1d", "ip-this"], "usages_AT": 15})),
        ("_", Kind::Capabilities, "all", all),
        ("_", Kind::Capabilities, "default", json!(["AT", "tokeninfo"])),
        ("_", Kind::Capabilities, "default+MT", json!(["@default", "create_mytoken"])),
        ("_", Kind::Rotation, "at", json!({"on_AT": true})),
        ("_", Kind::Rotation, "daily", json!({"lifetime": 86_400})),
        ("_", Kind::Rotation, "at-daily", json!({"include": ["at", "daily"]})),
        ("_", Kind::Profiles, "agent", json!({"capabilities": "@all"})),
        ("_", Kind::Profiles, "web", json!({"restrictions": "both", "capabilities": "@default"})),
        ("demo", Kind::Capabilities, "only-at", json!(["AT"])),
    ]
    .map(|(group, kind, name, payload)| Template::new(group, kind, name, payload))
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_is_told_numbers_counted_from_now() {
        let all = shipped();
        let told = |kind, name: &str| {
            let template = all.iter().find(|one| one.kind == kind && one.name == name).expect("it is there");
            template.evaluated(&all, 1000).expect("evaluated")
        };
        let clauses = json!([{"exp": 87_400, "hosts": ["this"], "usages_AT": 15}]);
        assert_eq!(told(Kind::Restrictions, "both"), clauses);
        assert_eq!(
            told(Kind::Profiles, "web"),
            json!({"restrictions": clauses, "capabilities": ["AT", "tokeninfo"]})
        );
        assert_eq!(told(Kind::Rotation, "at-daily"), json!({"on_AT": true, "lifetime": 86_400}));
        assert_eq!(told(Kind::Capabilities, "default+MT"), json!(["AT", "tokeninfo", "create_mytoken"]));
    }
}
