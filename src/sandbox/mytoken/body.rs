//! Request bodies: JSON or a form, and the real server's words when they cannot be read (§2.1.1).

use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::sandbox::serve::Request;

/// The members of a request body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Body {
    members: Map<String, Value>,
    is_form: bool,
}

impl Body {
    /// Reads the body as JSON, whatever its type is called: the mytoken and tokeninfo endpoints.
    pub(crate) fn json(request: &Request) -> Result<Self, Refusal> {
        match serde_json::from_slice(&request.body) {
            Ok(Value::Object(members)) => Ok(Self { members, is_form: false }),
            Ok(other) => Err(wrong_type(&other, "Go value", "struct")),
            Err(error) => Err(Refusal::invalid_request(unreadable(&request.body, &error))),
        }
    }

    /// Reads the body by its `Content-Type`: the access token and revocation endpoints.
    pub(crate) fn by_type(request: &Request) -> Result<Self, Refusal> {
        let stated = request.header("content-type").unwrap_or_default();
        match stated.split(';').next().unwrap_or_default().trim() {
            "application/json" => Self::json(request),
            "application/x-www-form-urlencoded" => {
                let members = request.form().into_iter().map(|(name, value)| (name, Value::String(value)));
                Ok(Self { members: members.collect(), is_form: true })
            }
            _ => Err(Refusal::invalid_request("Unprocessable Entity")),
        }
    }

    /// The same with other members.
    pub(crate) fn with(&self, members: Map<String, Value>) -> Self {
        Self { members, is_form: self.is_form }
    }

    /// All members.
    pub(crate) fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    /// Whether it came as a form.
    pub(crate) fn is_form(&self) -> bool {
        self.is_form
    }

    /// A member as it is; absent is `None`, `null` is `Some(Null)`.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    /// A text member; absent and `null` are `None`.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(wrong_type(other, &format!("Go struct field .{name}"), "string")),
        }
    }

    /// A yes-or-no member, false when absent.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.get(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::String(text)) if self.is_form => Ok(text == "true" || text == "1"),
            Some(other) => Err(wrong_type(other, &format!("Go struct field .{name}"), "bool")),
        }
    }

    /// A whole number, 0 when absent.
    pub(crate) fn number(&self, name: &str) -> Result<i64, Refusal> {
        match self.get(name) {
            None | Some(Value::Null) => Ok(0),
            Some(value) => {
                value.as_i64().ok_or_else(|| wrong_type(value, &format!("Go struct field .{name}"), "int"))
            }
        }
    }

    /// A list of texts; absent and `null` are empty.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, Refusal> {
        texts(self.get(name).unwrap_or(&Value::Null), name)
    }
}

/// A JSON array of strings; `null` is empty.
pub(crate) fn texts(value: &Value, name: &str) -> Result<Vec<String>, Refusal> {
    let wrong = |value: &Value, wanted| wrong_type(value, &format!("Go struct field .{name}"), wanted);
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned).ok_or_else(|| wrong(item, "string")))
            .collect(),
        other => Err(wrong(other, "[]string")),
    }
}

/// 400 in the words of the JSON reader: a member has the wrong type.
pub(crate) fn wrong_type(value: &Value, into: &str, wanted: &str) -> Refusal {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    Refusal::invalid_request(format!("json: cannot unmarshal {kind} into {into} of type {wanted}"))
}

/// The words of the JSON reader for text that is not JSON.
pub(crate) fn unreadable(text: &[u8], error: &serde_json::Error) -> String {
    if error.is_eof() {
        return "unexpected end of JSON input".to_owned();
    }
    let at = error.column().saturating_sub(1);
    let line = text.split(|byte| *byte == b'\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    let found = String::from_utf8_lossy(line.get(at..).unwrap_or_default()).chars().next().unwrap_or('?');
    let place = if at == 0 { "beginning of value" } else { "beginning of object key string" };
    format!("invalid character '{found}' looking for {place}")
}
