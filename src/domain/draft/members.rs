//! Reading a JSON object member by member: each with its type, and none left unread without a word.

use serde_json::{Map, Value};

use crate::domain::untrusted::cleaned;

/// Members that others write and a draft has not, and why.
const ELSEWHERE: &[(&str, &str)] = &[
    ("ip", "no server enforces it any more: write hosts"),
    ("subtoken_capabilities", "no server reads it any more: leave it out"),
    ("schedule", "toktui cannot ask for it yet, and without it the clause would be wider"),
    ("usages_AT_done", "that is a count the server keeps: leave it out"),
    ("usages_other_done", "that is a count the server keeps: leave it out"),
    ("max_token_len", "say response_type instead"),
    ("tags", "toktui cannot ask for it yet"),
    ("subscribe_notifications", "toktui cannot ask for it yet"),
    ("grant_type", "toktui says that itself: leave it out"),
    ("oidc_flow", "toktui says that itself: leave it out"),
    ("client_type", "toktui says that itself: leave it out"),
    ("redirect_uri", "toktui says that itself: leave it out"),
    ("application_name", "toktui says that itself: leave it out"),
    ("error_on_restrictions", "no server heeds it any more: leave it out"),
    ("mytoken", "a secret does not belong here: leave it out"),
    ("include", "toktui includes whole profiles of the server only, at the top"),
];

/// The members of one object, with what was asked of it so far.
pub(super) struct Members<'v> {
    object: &'v Map<String, Value>,
    /// Where it stands: `restrictions[1]`, or nothing.
    at: String,
    asked: Vec<String>,
}

impl<'v> Members<'v> {
    pub(super) fn of(value: &'v Value, at: &str) -> Result<Self, String> {
        let object = value.as_object().ok_or_else(|| wrong(at, "an object {…}", value))?;
        Ok(Self { object, at: at.to_owned(), asked: Vec::new() })
    }

    pub(super) fn take(&mut self, name: &str) -> Option<&'v Value> {
        self.asked.push(name.to_owned());
        self.object.get(name)
    }

    /// A complaint about one member.
    pub(super) fn said(&self, name: &str, why: &str) -> String {
        format!("{}: {why}", self.name(name))
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        self.typed(name, "a text", |value| value.as_str().map(str::to_owned))
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<bool, String> {
        Ok(self.typed(name, "true or false", Value::as_bool)?.unwrap_or_default())
    }

    pub(super) fn number(&mut self, name: &str) -> Result<Option<u64>, String> {
        self.typed(name, "a number from 0 on", Value::as_u64)
    }

    pub(super) fn list(&mut self, name: &str) -> Result<Option<Vec<String>>, String> {
        self.typed(name, "a list of texts", texts)
    }

    /// A list, or one text with spaces between the words.
    pub(super) fn words(&mut self, name: &str) -> Result<Option<Vec<String>>, String> {
        self.typed(name, "a list of words, or a text of them", |value| match value {
            Value::String(text) => Some(text.split_whitespace().map(str::to_owned).collect()),
            other => texts(other),
        })
    }

    /// Names the first member that nobody asked for.
    pub(super) fn finish(self) -> Result<(), String> {
        let Some(strange) = self.object.keys().find(|name| !self.asked.contains(name)) else { return Ok(()) };
        if let Some((_, why)) = ELSEWHERE.iter().find(|(name, _)| name == strange) {
            return Err(self.said(strange, why));
        }
        let near = self.asked.iter().find(|asked| is_near(asked, strange));
        let near = near.map_or_else(String::new, |near| format!(": did you mean {near}?"));
        Err(format!("{} is not known here{near}", self.name(strange)))
    }

    fn typed<T>(
        &mut self,
        name: &str,
        expected: &str,
        read: impl Fn(&'v Value) -> Option<T>,
    ) -> Result<Option<T>, String> {
        let Some(value) = self.take(name) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| wrong(&self.name(name), expected, value))
    }

    fn name(&self, name: &str) -> String {
        let name = cleaned(name);
        if self.at.is_empty() { name } else { format!("{}.{name}", self.at) }
    }
}

/// What was expected and what stands there.
pub(super) fn wrong(at: &str, expected: &str, found: &Value) -> String {
    let found = match found {
        Value::Null => "nothing: leave the member out",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    let at = if at.is_empty() { String::new() } else { format!("{at}: ") };
    format!("{at}expected {expected}, found {found}")
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

/// Whether one is a slip of the other: another case, or one letter more, less or other.
fn is_near(known: &str, word: &str) -> bool {
    let (known, word) = (known.to_lowercase(), word.to_lowercase());
    let same = known.chars().zip(word.chars()).take_while(|(one, other)| one == other).count();
    let rest = |text: &str, from: usize| text.chars().skip(from).collect::<String>();
    let (tail, other) = (rest(&known, same), rest(&word, same));
    tail == other || rest(&tail, 1) == other || tail == rest(&other, 1) || rest(&tail, 1) == rest(&other, 1)
}
