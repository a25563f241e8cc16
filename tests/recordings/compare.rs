//! Compares a recorded answer with a live one: what a client can rely on, and no more.

use std::collections::BTreeSet;

use serde_json::Value;

/// An answer, recorded or live.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Value,
}

/// Members whose values are words of the protocol: they must be equal, not only of one type.
const WORDS: [&str; 16] = [
    "error",
    "mytoken_type",
    "token_type",
    "valid",
    "capabilities",
    "rotation",
    "seq_no",
    "ver",
    "name",
    "usages_AT_done",
    "usages_other_done",
    "usages_AT",
    "usages_other",
    "audience",
    "hosts",
    "geoip_allow",
];

/// Headers that depend on the server's software and not on what it says.
const INCIDENTAL: [&str; 2] = ["date", "content-length"];

impl Answer {
    /// An answer as it stands in a recording. The text of a page was not kept.
    pub fn recorded(response: &Value) -> Self {
        let headers = response["headers"].as_object().into_iter().flatten();
        Self {
            status: response["status"]
                .as_u64()
                .and_then(|status| u16::try_from(status).ok())
                .expect("a status"),
            headers: headers
                .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
                .collect(),
            // A `null` that was sent was kept as a text, to be told from no body.
            body: if response["body"] == "null" { Value::Null } else { response["body"].clone() },
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn content_type(&self) -> &str {
        self.header("content-type").unwrap_or("none")
    }
}

/// In what the live answer differs from the recorded one: status, content type, headers that are missing, the
/// set of keys and their types at every depth, error codes and other words of the protocol, the gist of
/// descriptions, the names of events.
pub fn differences(recorded: &Answer, live: &Answer) -> Vec<String> {
    let mut found = Vec::new();
    if recorded.status != live.status {
        found.push(format!("status {} instead of {}", live.status, recorded.status));
    }
    if recorded.content_type() != live.content_type() {
        found.push(format!("content type {} instead of {}", live.content_type(), recorded.content_type()));
    }
    for (name, _) in &recorded.headers {
        if !INCIDENTAL.contains(&name.as_str()) && live.header(name).is_none() {
            found.push(format!("no header {name}"));
        }
    }
    if !recorded.content_type().starts_with("text/html") {
        in_values("body", &recorded.body, &live.body, &mut found);
    }
    found
}

fn in_values(at: &str, recorded: &Value, live: &Value, found: &mut Vec<String>) {
    match (recorded, live) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in old {
                match new.get(key) {
                    None => found.push(format!("{at}.{key} is missing")),
                    Some(live) if WORDS.contains(&key.as_str()) && live != value => {
                        found.push(format!("{at}.{key} is {live} instead of {value}"));
                    }
                    Some(live) if key == "error_description" && gist(live) != gist(value) => {
                        found.push(format!("{at}.{key} is {live} instead of {value}"));
                    }
                    Some(live) if key == "scope" && words(live) != words(value) => {
                        found.push(format!("{at}.{key} is {live} instead of {value}"));
                    }
                    Some(live) => in_values(&format!("{at}.{key}"), value, live, found),
                }
            }
            for key in new.keys().filter(|key| !old.contains_key(*key)) {
                found.push(format!("{at}.{key} is not in the recording"));
            }
        }
        (Value::Array(old), Value::Array(new)) => in_lists(at, old, new, found),
        _ if kind(recorded) != kind(live) => {
            found.push(format!("{at} is {} instead of {}", kind(live), kind(recorded)));
        }
        _ => {}
    }
}

/// A description without what stands in quotes, and without the names of the real server's Go structs.
fn gist(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    let unquoted: String = text.split('\'').step_by(2).collect();
    let words = unquoted.split(' ').map(|word| word.rsplit('.').next().unwrap_or_default());
    words.collect::<Vec<_>>().join(" ")
}

/// Scopes are a set: their order means nothing.
fn words(value: &Value) -> BTreeSet<&str> {
    value.as_str().unwrap_or_default().split(' ').collect()
}

/// Lists may differ in length and order, not in what kinds of items they hold. Lists of clauses are compared
/// one by one, lists of events also by the events' names; lists of texts, of templates and of trees hold the
/// same in any order.
fn in_lists(at: &str, old: &[Value], new: &[Value], found: &mut Vec<String>) {
    if at.ends_with(".restrictions") && old.len() == new.len() {
        for (index, (recorded, live)) in old.iter().zip(new).enumerate() {
            in_values(&format!("{at}.{index}"), recorded, live, found);
        }
        return;
    }
    let shapes = |items: &[Value]| items.iter().map(shape).collect::<BTreeSet<_>>();
    if shapes(old) != shapes(new) {
        found.push(format!("{at} holds {:?} instead of {:?}", shapes(new), shapes(old)));
    }
    let names = |items: &[Value]| {
        let mut names: Vec<_> = items.iter().filter_map(name).collect();
        names.sort();
        names
    };
    let (old, new) = (names(old), names(new));
    if old != new {
        let missing = without(&old, &new);
        found.push(format!("{at} lacks {missing:?} and has {:?} too many", without(&new, &old)));
    }
}

/// What an item of a list is known by.
fn name(item: &Value) -> Option<String> {
    if item["token"].is_object() {
        let children = item["children"].as_array().into_iter().flatten();
        let mut children: Vec<_> = children.filter_map(name).collect();
        children.sort();
        let ends = if item["token"]["expires_at"].is_number() { " ends" } else { "" };
        return Some(format!("{}{ends} {children:?}", item["token"]["name"]));
    }
    if item["payload"].is_null() {
        return item
            .as_str()
            .or(item["event"].as_str())
            .filter(|text| !text.contains("://"))
            .map(str::to_owned);
    }
    let mut payload = item["payload"].clone();
    for clauses in [item["payload"].as_array(), item["payload"]["restrictions"].as_array()] {
        for clause in clauses.into_iter().flatten().filter(|clause| clause["exp"].is_number()) {
            payload = Value::from(payload.to_string().replace(&clause["exp"].to_string(), "then"));
        }
    }
    Some(format!("{} {payload}", item["name"]))
}

/// What is in `some` more often than in `others`.
fn without(some: &[String], others: &[String]) -> Vec<String> {
    let mut left = some.to_vec();
    for other in others {
        if let Some(at) = left.iter().position(|one| one == other) {
            left.remove(at);
        }
    }
    left
}

/// The keys and types of a value, written down.
fn shape(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut parts: Vec<_> =
                members.iter().map(|(key, value)| format!("{key}: {}", shape(value))).collect();
            parts.sort();
            format!("{{{}}}", parts.join(", "))
        }
        Value::Array(items) => {
            let parts: BTreeSet<_> = items.iter().map(shape).collect();
            format!("[{}]", parts.into_iter().collect::<Vec<_>>().join(", "))
        }
        other => kind(other).to_owned(),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "yes or no",
        Value::Number(number) if number.is_f64() => "a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
