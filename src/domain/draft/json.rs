//! A draft as JSON, with the names of the wire (mytoken-api.md §2.3.1): to edit, to keep, to hand on.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::members::{self, Members};
use super::when::short;
use super::{Draft, DraftClause, Edge, When};
use crate::domain::mytoken::{Capability, Clause, Form, Rotation};
use crate::domain::time::from_epoch;
use crate::domain::untrusted::Untrusted;

const FORMS: [Form; 3] = [Form::Token, Form::Short, Form::Code];

/// The draft as JSON. Moments that are counted from its making stand as `+90d`, others as RFC 3339.
#[must_use]
pub fn to_json(draft: &Draft) -> Value {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let capabilities: Vec<&str> = draft.capabilities.iter().map(|one| one.0.raw()).collect();
    let members = [
        ("name", json!(some(&draft.name))),
        ("oidc_issuer", json!(some(&draft.provider))),
        ("capabilities", json!(capabilities)),
        ("restrictions", clauses_to_json(&draft.clauses)),
        ("rotation", json!(draft.rotation.to_json())),
        ("response_type", json!(draft.form.wire())),
        ("include", json!((!draft.templates.is_empty()).then_some(&draft.templates))),
    ];
    there(members)
}

/// Clauses alone, as a list.
pub(super) fn clauses_to_json(clauses: &[DraftClause]) -> Value {
    clauses.iter().map(clause_to_json).collect()
}

fn clause_to_json(clause: &DraftClause) -> Value {
    let rest = &clause.rest;
    let list = |words: Option<&Vec<Untrusted>>| -> Option<Vec<String>> {
        words
            .filter(|words| !words.is_empty())
            .map(|words| words.iter().map(|word| word.raw().to_owned()).collect())
    };
    there([
        ("nbf", json!(clause.starts.map(moment_to_json))),
        ("exp", json!(clause.ends.map(moment_to_json))),
        ("scope", json!(list(rest.scopes.as_ref()).map(|scopes| scopes.join(" ")))),
        ("audience", json!(list(rest.audiences.as_ref()))),
        ("hosts", json!(list(rest.hosts.as_ref()))),
        ("geoip_allow", json!(list(rest.countries_allowed.as_ref()))),
        ("geoip_disallow", json!(list(rest.countries_refused.as_ref()))),
        ("usages_AT", json!(rest.uses_at)),
        ("usages_other", json!(rest.uses_other)),
    ])
}

fn moment_to_json(when: When) -> String {
    match when {
        When::In(seconds) => format!("+{}", short(seconds)),
        When::At(at) => from_epoch(at.as_second()).to_string(),
    }
}

fn there<const N: usize>(members: [(&str, Value); N]) -> Value {
    let there = members.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(there.map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Reads a draft. Dates without a zone are read in `zone`. Members that a draft has not are refused by name, never dropped.
///
/// # Errors
/// With the member that cannot be read, and what was expected.
pub fn from_json(value: &Value, now: Timestamp, zone: &TimeZone) -> Result<Draft, String> {
    let mut members = Members::of(value, "")?;
    let name = members.text("name")?.unwrap_or_default();
    let provider = members.text("oidc_issuer")?.unwrap_or_default();
    let capabilities = members.words("capabilities")?.unwrap_or_default();
    let clauses = match members.take("restrictions") {
        Some(Value::String(_)) => {
            return Err("restrictions: expected clauses, not the names of templates: name profiles of the server in include".to_owned());
        }
        Some(value) => clauses(value, "restrictions", now, zone)?,
        None => Vec::new(),
    };
    let rotation = match members.take("rotation") {
        Some(value) => rotation(value)?,
        None => Rotation::default(),
    };
    let form = match members.text("response_type")? {
        None => Form::default(),
        Some(word) => FORMS.into_iter().find(|form| form.wire() == word).ok_or_else(|| {
            let words = FORMS.map(Form::wire).join(", ");
            format!("response_type: expected one of {words}")
        })?,
    };
    let templates = members.words("include")?.unwrap_or_default();
    members.finish()?;
    let capabilities = capabilities.into_iter().map(Capability::new).collect();
    Ok(Draft { name, provider, capabilities, clauses, rotation, form, templates })
}

/// Reads clauses alone: a list of them, or one.
///
/// # Errors
/// As for [`from_json`].
pub fn clauses_from_json(value: &Value, now: Timestamp, zone: &TimeZone) -> Result<Vec<DraftClause>, String> {
    clauses(value, "", now, zone)
}

fn clauses(value: &Value, at: &str, now: Timestamp, zone: &TimeZone) -> Result<Vec<DraftClause>, String> {
    match value {
        Value::Array(list) => {
            let numbered = list.iter().enumerate();
            numbered.map(|(place, one)| clause(one, &format!("{at}[{place}]"), now, zone)).collect()
        }
        Value::Object(_) => Ok(vec![clause(value, at, now, zone)?]),
        other => Err(members::wrong(at, "a clause {\"exp\": \"+90d\", …} or a list of clauses", other)),
    }
}

fn clause(value: &Value, at: &str, now: Timestamp, zone: &TimeZone) -> Result<DraftClause, String> {
    let mut members = Members::of(value, at)?;
    let mut moment = |name: &str, edge| match members.take(name) {
        Some(value) => moment(value, edge, now, zone).map_err(|why| members.said(name, &why)),
        None => Ok(None),
    };
    let starts = moment("nbf", Edge::Start)?;
    let ends = moment("exp", Edge::End)?;
    let words = |words: Option<Vec<String>>| -> Option<Vec<Untrusted>> {
        words.filter(|words| !words.is_empty()).map(|words| words.into_iter().map(Untrusted::new).collect())
    };
    let rest = Clause {
        scopes: words(members.words("scope")?),
        audiences: words(members.list("audience")?),
        hosts: words(members.list("hosts")?),
        countries_allowed: words(members.list("geoip_allow")?),
        countries_refused: words(members.list("geoip_disallow")?),
        uses_at: members.number("usages_AT")?,
        uses_other: members.number("usages_other")?,
        ..Clause::default()
    };
    members.finish()?;
    Ok(DraftClause { starts, ends, rest })
}

/// A moment as the server reads it (§2.3.1), and any other that a person would write. 0 is none.
fn moment(value: &Value, edge: Edge, now: Timestamp, zone: &TimeZone) -> Result<Option<When>, String> {
    let expected = "expected \"+90d\", a date such as \"2027-02-20 12:04\", or seconds since 1970";
    match value {
        Value::Number(number) => {
            let seconds = number.as_i64().filter(|seconds| *seconds >= 0).ok_or(expected)?;
            Ok((seconds > 0).then(|| When::At(from_epoch(seconds))))
        }
        Value::String(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            let seconds: i64 = text.parse().map_err(|_| expected.to_owned())?;
            Ok((seconds > 0).then(|| When::At(from_epoch(seconds))))
        }
        Value::String(text) => When::parse(text, edge, now, zone).map(Some),
        _ => Err(expected.to_owned()),
    }
}

fn rotation(value: &Value) -> Result<Rotation, String> {
    let mut members = Members::of(value, "rotation")?;
    let on_at = members.flag("on_AT")?;
    let on_other = members.flag("on_other")?;
    let lifetime = match members.take("lifetime") {
        None => None,
        Some(value) => {
            let read = match value {
                Value::String(text) => match When::read(text, Edge::End, &TimeZone::UTC) {
                    Ok(When::In(seconds)) => Some(seconds),
                    _ => text.parse().ok(),
                },
                other => other.as_u64(),
            };
            Some(read.ok_or_else(|| members.said("lifetime", "expected seconds, or a span such as \"1d\""))?)
        }
    };
    let auto_revoke = members.flag("auto_revoke")?;
    members.finish()?;
    Ok(Rotation { on_at, on_other, lifetime: lifetime.filter(|seconds| *seconds > 0), auto_revoke })
}

/// JSON on one line, in which whatever could move a cursor or hide is written as `\u….`: to be pasted into a shell.
pub(super) fn on_one_line(value: &Value) -> String {
    let mut line = String::new();
    for c in value.to_string().chars() {
        if c.is_ascii() && !c.is_ascii_control() {
            line.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                line.extend(["\\u", &format!("{unit:04x}")]);
            }
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::draft::any::drafts;

    fn read(value: &Value) -> Result<Draft, String> {
        from_json(value, from_epoch(1_800_000_000), &TimeZone::UTC)
    }

    #[test]
    fn a_draft_is_written_with_the_names_of_the_wire() {
        let scopes = vec!["email".into(), "profile".into()];
        let clause = DraftClause {
            starts: Some(When::At(from_epoch(1_800_000_000))),
            ends: Some(When::In(7_776_000)),
            rest: Clause { scopes: Some(scopes), uses_at: Some(15), ..Clause::default() },
        };
        let draft = Draft {
            name: "toar".to_owned(),
            provider: "https://op.example.org".to_owned(),
            capabilities: vec![Capability::new("AT")],
            clauses: vec![clause],
            rotation: Rotation { on_at: true, lifetime: Some(86_400), ..Rotation::default() },
            form: Form::Short,
            templates: vec!["agent".to_owned()],
        };
        assert_eq!(
            to_json(&draft),
            json!({
                "name": "toar", "oidc_issuer": "https://op.example.org", "capabilities": ["AT"],
                "restrictions": [{"nbf": "2027-01-15T08:00:00Z", "exp": "+90d", "scope": "email profile", "usages_AT": 15}],
                "rotation": {"on_AT": true, "lifetime": 86400}, "response_type": "short_token", "include": ["agent"],
            })
        );
    }

    #[test]
    fn what_the_server_would_read_is_read() {
        let draft = read(&json!({
            "capabilities": "AT tokeninfo",
            "restrictions": {"nbf": "1800000000", "exp": "2027-02-20", "scope": ["a", "b"], "hosts": []},
            "rotation": {"on_other": true, "lifetime": "1d"},
            "include": "agent group/other",
        }));
        let rest = Clause { scopes: Some(vec!["a".into(), "b".into()]), ..Clause::default() };
        let end = "2027-02-20T23:59:59Z".parse().expect("a moment");
        let clause = DraftClause {
            starts: Some(When::At(from_epoch(1_800_000_000))),
            ends: Some(When::At(end)),
            rest,
        };
        let expected = Draft {
            capabilities: vec![Capability::new("AT"), Capability::new("tokeninfo")],
            clauses: vec![clause],
            rotation: Rotation { on_other: true, lifetime: Some(86_400), ..Rotation::default() },
            templates: vec!["agent".to_owned(), "group/other".to_owned()],
            ..Draft::default()
        };
        assert_eq!(draft, Ok(expected));
        let clauses = |value: Value| clauses_from_json(&value, from_epoch(0), &TimeZone::UTC);
        let counted = DraftClause {
            ends: Some(When::In(60)),
            rest: Clause { uses_at: Some(0), ..Clause::default() },
            ..DraftClause::default()
        };
        assert_eq!(clauses(json!({"exp": "+60", "usages_AT": 0})), Ok(vec![counted.clone()]));
        assert_eq!(
            clauses(json!([{"exp": "+1m", "usages_AT": 0}, {"exp": 0}])),
            Ok(vec![counted, DraftClause::default()])
        );
    }

    #[test]
    fn what_cannot_be_read_is_named_with_what_was_expected() {
        let clause = |clause: Value| json!({"restrictions": [{}, clause]});
        let table = [
            (json!([]), "expected an object"),
            (json!({"name": 5}), "name: expected a text"),
            (json!({"name": null}), "name: expected a text, found nothing: leave the member out"),
            (json!({"capabilities": [1]}), "capabilities: expected a list of words"),
            (json!({"capabilites": []}), "capabilites is not known here: did you mean capabilities?"),
            (json!({"subtoken_capabilities": []}), "subtoken_capabilities"),
            (json!({"mytoken": "tok-s"}), "mytoken"),
            (json!({"colour": 1}), "colour is not known here"),
            (json!({"restrictions": 5}), "restrictions: expected a clause"),
            (json!({"restrictions": "1d"}), "name profiles of the server in include"),
            (json!({"restrictions": [5]}), "restrictions[0]: expected an object"),
            (
                clause(json!({"ip": ["192.0.2.1"]})),
                "restrictions[1].ip: no server enforces it any more: write hosts",
            ),
            (clause(json!({"schedule": {}})), "restrictions[1].schedule"),
            (clause(json!({"usages_AT_done": 1})), "restrictions[1].usages_AT_done"),
            (clause(json!({"usages_at": 1})), "did you mean usages_AT?"),
            (
                clause(json!({"usages_AT": "15"})),
                "restrictions[1].usages_AT: expected a number from 0 on, found a text",
            ),
            (clause(json!({"usages_AT": -1})), "restrictions[1].usages_AT: expected a number from 0 on"),
            (clause(json!({"exp": "soon"})), "restrictions[1].exp: expected a span"),
            (clause(json!({"exp": -5})), "restrictions[1].exp: expected \"+90d\""),
            (clause(json!({"exp": true})), "restrictions[1].exp: expected \"+90d\""),
            (
                clause(json!({"hosts": "192.0.2.1"})),
                "restrictions[1].hosts: expected a list of texts, found a text",
            ),
            (json!({"rotation": {"on_AT": 1}}), "rotation.on_AT: expected true or false"),
            (json!({"rotation": {"on_at": true}}), "rotation.on_at is not known here: did you mean on_AT?"),
            (json!({"rotation": {"lifetime": "long"}}), "rotation.lifetime: expected seconds"),
            (
                json!({"response_type": "long"}),
                "response_type: expected one of token, short_token, transfer_code",
            ),
            (json!({"\u{1b}[2J": 1}), "\\u{1b}[2J is not known here"),
        ];
        for (value, said) in table {
            let refused = read(&value).expect_err(said);
            assert!(
                refused.contains(said) && !refused.contains('\u{1b}') && !refused.contains("tok-s"),
                "{refused}"
            );
        }
    }

    #[test]
    fn on_one_line_nothing_is_hidden() {
        let value = json!({"name": "a\u{202e}\u{9b}\u{1b}\u{1f600}\nä"});
        let line = on_one_line(&value);
        assert!(line.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{line}");
        assert_eq!(serde_json::from_str::<Value>(&line).ok(), Some(value));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_to_the_same(draft in drafts()) {
            prop_assert_eq!(read(&to_json(&draft)), Ok(draft));
        }
    }
}
