//! The restrictions and the rotation of a request, in all the forms the real server takes (§2.3.1).

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::body::{texts, wrong_type};
use super::refusal::Refusal;
use super::restriction::Clause;
use super::rotation::Rotation;

/// The clauses of a request: a list, a single one, or none. Empty clauses fall away, and so do members that
/// are not in `keys`. Names of templates were put in their place before (see `unfold`).
pub(crate) fn restrictions(value: Option<&Value>, now: i64, keys: &[String]) -> Result<Vec<Clause>, Refusal> {
    let clauses: Vec<&Value> = match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(clauses)) => clauses.iter().collect(),
        Some(one @ Value::Object(_)) => vec![one],
        Some(other) => return Err(wrong_type(other, "Go value", "restriction")),
    };
    let mut asked = Vec::new();
    for value in clauses {
        let Value::Object(members) = value else {
            return Err(wrong_type(value, "Go value", "restriction"));
        };
        let clause = clause(members, now)?.limited_to(keys);
        if !clause.is_empty() {
            asked.push(clause);
        }
    }
    Ok(asked)
}

/// The rotation of a request.
pub(crate) fn rotation(value: Option<&Value>) -> Result<Option<Rotation>, Refusal> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(value @ Value::Object(_)) => serde_json::from_value(value.clone())
            .map(Some)
            .map_err(|error| Refusal::invalid_request(format!("json: {error}"))),
        Some(other) => Err(wrong_type(other, "Go value", "rotation")),
    }
}

/// Replaces `this` in the clauses' hosts by the address of the one who asks.
pub(crate) fn place_this(clauses: &mut [Clause], address: &str) {
    for host in clauses.iter_mut().flat_map(|clause| clause.hosts.iter_mut()).filter(|host| *host == "this") {
        address.clone_into(host);
    }
}

fn clause(members: &Map<String, Value>, now: i64) -> Result<Clause, Refusal> {
    let member = |name: &str| members.get(name).unwrap_or(&Value::Null);
    let list = |name: &str| texts(member(name), name);
    let scope = match member("scope") {
        Value::Null => None,
        Value::String(scope) => Some(scope.clone()).filter(|scope| !scope.is_empty()),
        other => return Err(wrong_type(other, "Go struct field .scope", "string")),
    };
    Ok(Clause {
        nbf: time(member("nbf"), now)?,
        exp: time(member("exp"), now)?,
        scope,
        audience: list("audience")?,
        hosts: list("hosts")?,
        geoip_allow: list("geoip_allow")?,
        geoip_disallow: list("geoip_disallow")?,
        usages_at: number(member("usages_AT"), "usages_AT")?,
        usages_other: number(member("usages_other"), "usages_other")?,
    })
}

fn number(value: &Value, name: &str) -> Result<Option<i64>, Refusal> {
    match value {
        Value::Null => Ok(None),
        value => value
            .as_i64()
            .map(Some)
            .ok_or_else(|| wrong_type(value, &format!("Go struct field .{name}"), "int64")),
    }
}

/// A moment: a number, a numeric text, `+1d`, or `YYYY-MM-DD HH:MM`. 0 is none.
fn time(value: &Value, now: i64) -> Result<Option<i64>, Refusal> {
    let wrong = || {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let words =
            format!("parsing time \"{text}\" as \"2006-01-02 15:04\": cannot parse \"{text}\" as \"2006\"");
        Refusal::invalid_request(words)
    };
    let seconds = match value {
        Value::Null => return Ok(None),
        Value::Number(_) => value.as_i64().ok_or_else(wrong)?,
        Value::String(text) => moment(text, now).ok_or_else(wrong)?,
        other => return Err(wrong_type(other, "Go value", "unixtime.UnixTime")),
    };
    Ok((seconds != 0).then_some(seconds))
}

fn moment(text: &str, now: i64) -> Option<i64> {
    if let Some(span) = text.strip_prefix('+') {
        return now.checked_add(duration(span)?);
    }
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let civil = DateTime::strptime("%Y-%m-%d %H:%M", text).ok()?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
}

/// `12h30m`, `1d`, `3600`: units `ns us ms s m h d w y`, seconds without one. `m` is a minute.
fn duration(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let amount: i64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?;
        let unit = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let seconds = match rest.get(..unit)? {
            "ns" => amount / 1_000_000_000,
            "us" => amount / 1_000_000,
            "ms" => amount / 1000,
            "" | "s" => amount,
            "m" => amount.checked_mul(60)?,
            "h" => amount.checked_mul(3600)?,
            "d" => amount.checked_mul(86_400)?,
            "w" => amount.checked_mul(604_800)?,
            "y" => amount.checked_mul(31_536_000)?,
            _ => return None,
        };
        total = total.checked_add(seconds)?;
        rest = rest.get(unit..)?;
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::restriction::KEYS;
    use super::*;

    fn read(value: &Value) -> Result<Vec<Clause>, Refusal> {
        restrictions(Some(value), 1000, &KEYS.map(str::to_owned))
    }

    #[test]
    fn a_moment_can_be_written_in_four_ways() {
        let table = [
            (json!(1_800_000_000), 1_800_000_000),
            (json!("1800000000"), 1_800_000_000),
            (json!("+1d"), 87_400),
            (json!("+12h30m"), 46_000),
            (json!("+3600"), 4600),
            (json!("2027-01-15 08:00"), 1_800_000_000),
        ];
        for (written, seconds) in table {
            let clauses = read(&json!([{"exp": written}])).expect("it can be read");
            assert_eq!(clauses[0].exp, Some(seconds), "{written}");
        }
        for odd in [json!("+"), json!("+1x"), json!("soon"), json!(true), json!(1.5)] {
            assert!(read(&json!([{"exp": odd}])).is_err(), "{odd}");
        }
    }

    #[test]
    fn empty_clauses_and_unknown_members_fall_away() {
        assert_eq!(read(&json!([{}, {"ip": ["192.0.2.1"]}])), Ok(vec![]));
        assert_eq!(read(&json!({"usages_AT": 2})).expect("one clause").len(), 1);
    }

    #[test]
    fn wrong_types_are_refused() {
        for odd in [json!(5), json!([{"audience": "a"}]), json!([{"usages_AT": "3"}]), json!([7])] {
            assert_eq!(read(&odd).expect_err("refused").status, 400, "{odd}");
        }
        assert!(rotation(Some(&json!(7))).is_err());
    }
}
