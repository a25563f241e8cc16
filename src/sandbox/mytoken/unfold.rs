//! How a request that names profiles and templates is completed from them (§2.11).

use serde_json::{Map, Value};

use super::Mytokens;
use super::body::Body;
use super::refusal::Refusal;
use super::templates::{Kind, Template};

/// Templates may name others to this depth: some that name each other would have no end.
const DEEPEST: u8 = 16;

impl Mytokens {
    /// The body of a request with the profiles and templates it names put in their place.
    pub(crate) fn unfolded(&self, body: &Body) -> Result<Body, Refusal> {
        Ok(body.with(request(&self.table().templates, body.members(), 0)?))
    }
}

/// The members of a request, or of a profile, with everything they name.
pub(crate) fn request(
    all: &[Template],
    members: &Map<String, Value>,
    depth: u8,
) -> Result<Map<String, Value>, Refusal> {
    let mut own = members.clone();
    let included = own.shift_remove("include").unwrap_or_default();
    for (member, value) in &mut own {
        *value = match member.as_str() {
            "capabilities" => capabilities(all, value, depth)?,
            "restrictions" => restrictions(all, value, depth)?,
            "rotation" => rotation(all, value, depth)?,
            _ => continue,
        };
    }
    for name in names(&included) {
        let profile = object(named(all, Kind::Profiles, &name, depth)?);
        add_profile(&mut own, request(all, &profile, depth + 1)?);
    }
    Ok(own)
}

/// Lists grow, so that nothing explicit narrows a profile; of all else the explicit wins.
fn add_profile(own: &mut Map<String, Value>, profile: Map<String, Value>) {
    for (member, value) in profile {
        let there = own.entry(member.as_str()).or_insert(Value::Null);
        match (member.as_str(), &mut *there, value) {
            ("capabilities", Value::Array(own), Value::Array(more)) => {
                let new: Vec<_> = more.into_iter().filter(|name| !own.contains(name)).collect();
                own.extend(new);
            }
            ("restrictions", Value::Array(own), Value::Array(more)) => own.extend(more),
            ("rotation", Value::Object(own), Value::Object(more)) => fill(own, &more),
            (_, there, value) if there.is_null() || *there == "" => *there = value,
            _ => {}
        }
    }
}

/// A list of names, with those behind an `@` replaced by what they stand for. Nothing stands there twice.
pub(crate) fn capabilities(all: &[Template], value: &Value, depth: u8) -> Result<Value, Refusal> {
    let written: Vec<Value> = match value {
        Value::String(text) => text.split_whitespace().map(Value::from).collect(),
        Value::Array(names) => names.clone(),
        other => return Ok(other.clone()),
    };
    let mut plain: Vec<Value> = Vec::new();
    for name in written {
        let found = match name.as_str().and_then(|name| name.strip_prefix('@')) {
            Some(template) => {
                let payload = named(all, Kind::Capabilities, template, depth)?;
                match capabilities(all, payload, depth + 1)? {
                    Value::Array(names) => names,
                    other => vec![other],
                }
            }
            None => vec![name],
        };
        for name in found {
            if !plain.contains(&name) {
                plain.push(name);
            }
        }
    }
    Ok(Value::Array(plain))
}

/// A list of clauses that name nothing.
pub(crate) fn restrictions(all: &[Template], value: &Value, depth: u8) -> Result<Value, Refusal> {
    let mut plain = Vec::new();
    match value {
        Value::Null => return Ok(Value::Null),
        Value::Object(members) => plain = clause(all, members.clone(), depth)?,
        Value::Array(clauses) => {
            for one in clauses {
                match one {
                    Value::Object(members) => plain.extend(clause(all, members.clone(), depth)?),
                    // Refused when the clauses are read.
                    other => plain.push(other.clone()),
                }
            }
        }
        // Several names make one clause.
        names => plain = clause(all, Map::from_iter([("include".to_owned(), names.clone())]), depth)?,
    }
    Ok(Value::Array(plain))
}

/// A clause filled up from the templates it names; several clauses where one of those has several.
fn clause(all: &[Template], mut own: Map<String, Value>, depth: u8) -> Result<Vec<Value>, Refusal> {
    let included = own.shift_remove("include").unwrap_or_default();
    let mut clauses = vec![own];
    for name in names(&included) {
        let found = restrictions(all, named(all, Kind::Restrictions, &name, depth)?, depth + 1)?;
        let more: Vec<_> = found.as_array().into_iter().flatten().map(object).collect();
        let both = |own: &Map<String, Value>| more.iter().map(|more| filled(own, more)).collect::<Vec<_>>();
        clauses = clauses.iter().flat_map(both).collect();
    }
    Ok(clauses.into_iter().map(Value::Object).collect())
}

/// A rotation that names nothing.
pub(crate) fn rotation(all: &[Template], value: &Value, depth: u8) -> Result<Value, Refusal> {
    let (mut own, included) = match value {
        Value::Null => return Ok(Value::Null),
        Value::Object(members) => {
            let mut own = members.clone();
            let included = own.shift_remove("include").unwrap_or_default();
            (own, included)
        }
        names if self::names(names).is_empty() => return Ok(Value::Null),
        names => (Map::new(), names.clone()),
    };
    for name in names(&included) {
        let found = rotation(all, named(all, Kind::Rotation, &name, depth)?, depth + 1)?;
        fill(&mut own, &object(&found));
    }
    Ok(Value::Object(own))
}

/// The payload of the template `name`, with or without an `@` and a group before it.
fn named<'all>(all: &'all [Template], kind: Kind, name: &str, depth: u8) -> Result<&'all Value, Refusal> {
    let name = name.trim_start_matches('@');
    let (group, plain) = name.split_once('/').unwrap_or(("_", name));
    let found = all.iter().find(|one| one.kind == kind && one.group == group && one.name == plain);
    found
        .filter(|_| depth < DEEPEST)
        .map(|template| &template.payload)
        .ok_or_else(|| Refusal::invalid_request(format!("unknown include name: '{name}'")))
}

/// The names in a text or a list. Anything else is read as a name too, as in the real server.
fn names(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::String(text) => text.split_whitespace().map(str::to_owned).collect(),
        Value::Array(names) => {
            names.iter().map(|name| name.as_str().unwrap_or_default().to_owned()).collect()
        }
        other => vec![other.to_string()],
    }
}

/// Its members; what is no object has none.
pub(crate) fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn filled(own: &Map<String, Value>, more: &Map<String, Value>) -> Map<String, Value> {
    let mut own = own.clone();
    fill(&mut own, more);
    own
}

/// Adds the members that are not there.
fn fill(own: &mut Map<String, Value>, more: &Map<String, Value>) {
    for (member, value) in more {
        own.entry(member).or_insert_with(|| value.clone());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::templates::shipped;
    use super::*;

    fn templates() -> Vec<Template> {
        let mut all = shipped();
        all.extend([
            Template::new("_", Kind::Profiles, "m1", json!({
                "capabilities": ["tokeninfo"], "restrictions": [{"usages_AT": 7}], "rotation": {"on_other": true},
                "name": "from profile",
            })),
            Template::new("_", Kind::Restrictions, "two", json!([{"scope": "a"}, {"scope": "b"}])),
            Template::new("_", Kind::Restrictions, "loop", json!({"include": "loop"})),
        ]);
        all
    }

    #[test]
    fn a_request_is_completed_by_what_it_names() {
        let plain = json!({"capabilities": ["AT", "tokeninfo"], "restrictions": [{"exp": "+1h"}]});
        let table = [
            (plain.clone(), plain),
            (
                json!({"include": "m1"}),
                json!({
                    "capabilities": ["tokeninfo"], "restrictions": [{"usages_AT": 7}], "rotation": {"on_other": true},
                    "name": "from profile",
                }),
            ),
            (
                json!({
                    "include": ["@m1"], "capabilities": "AT", "restrictions": {"usages_AT": 3},
                    "rotation": {"on_AT": true}, "name": "own",
                }),
                json!({
                    "capabilities": ["AT", "tokeninfo"], "restrictions": [{"usages_AT": 3}, {"usages_AT": 7}],
                    "rotation": {"on_AT": true, "on_other": true}, "name": "own",
                }),
            ),
            (
                json!({"capabilities": ["@default+MT", "@demo/only-at"]}),
                json!({"capabilities": ["AT", "tokeninfo", "create_mytoken"]}),
            ),
            (
                json!({"restrictions": "1d ip-this"}),
                json!({"restrictions": [{"exp": "+1d", "hosts": ["this"]}]}),
            ),
            (
                json!({"restrictions": [{"include": "both", "usages_AT": 2}, {"exp": 9}]}),
                json!({"restrictions": [{"usages_AT": 2, "exp": "+1d", "hosts": ["this"]}, {"exp": 9}]}),
            ),
            (
                json!({"restrictions": "two 1d"}),
                json!({"restrictions": [{"scope": "a", "exp": "+1d"}, {"scope": "b", "exp": "+1d"}]}),
            ),
            (json!({"rotation": "at-daily"}), json!({"rotation": {"on_AT": true, "lifetime": 86_400}})),
            (
                json!({"rotation": {"include": "daily", "on_other": true}}),
                json!({"rotation": {"on_other": true, "lifetime": 86_400}}),
            ),
            (json!({"rotation": "", "restrictions": null}), json!({"rotation": null, "restrictions": null})),
        ];
        for (written, meant) in table {
            let members = request(&templates(), &object(&written), 0).map(Value::Object);
            assert_eq!(members, Ok(meant), "{written}");
        }
    }

    #[test]
    fn names_that_nothing_has_are_refused() {
        let table = [
            (json!({"include": "nosuch"}), "nosuch"),
            (json!({"capabilities": ["AT", "@nosuch"]}), "nosuch"),
            (json!({"capabilities": "@demo/default"}), "demo/default"),
            (json!({"restrictions": "1d nosuch"}), "nosuch"),
            (json!({"restrictions": 5}), "5"),
            (json!({"restrictions": [{"include": ["nosuch"]}]}), "nosuch"),
            (json!({"restrictions": "loop"}), "loop"),
            (json!({"rotation": "1d"}), "1d"),
        ];
        for (written, name) in table {
            let refusal = request(&templates(), &object(&written), 0).expect_err("refused");
            let words = format!("unknown include name: '{name}'");
            assert_eq!(refusal, Refusal::invalid_request(words), "{written}");
        }
    }
}
