//! One clause of a mytoken's restrictions (mytoken-api.md §4).

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::domain::jwt;
use crate::domain::untrusted::Untrusted;

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

    /// Whether it says the same as another one, whatever their counters: a server counts such clauses together (mytoken-api.md §4.7).
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        let bare = |clause: &Self| Self { used_at: None, used_other: None, ..clause.clone() };
        bare(self) == bare(other)
    }

    /// Its JSON object as a server wants it: moments as numbers, countries in capitals (§4.1: others match nothing). What is
    /// absent is left out; counters and members that nobody here knows are never sent.
    #[must_use]
    pub fn to_json(&self) -> Map<String, Value> {
        let countries = |list: Option<&[Untrusted]>| {
            list.map(|list| list.iter().map(|code| code.raw().to_uppercase()).collect::<Vec<_>>())
        };
        let members = [
            ("nbf", json!(self.not_before.map(Timestamp::as_second))),
            ("exp", json!(self.expires.map(Timestamp::as_second))),
            ("scope", json!(texts(self.scopes.as_deref()).map(|scopes| scopes.join(" ")))),
            ("audience", json!(texts(self.audiences.as_deref()))),
            ("hosts", json!(texts(self.hosts.as_deref()))),
            ("geoip_allow", json!(countries(self.countries_allowed.as_deref()))),
            ("geoip_disallow", json!(countries(self.countries_refused.as_deref()))),
            ("usages_AT", json!(self.uses_at)),
            ("usages_other", json!(self.uses_other)),
        ];
        let there = members.into_iter().filter(|(_, value)| !value.is_null());
        there.map(|(name, value)| (name.to_owned(), value)).collect()
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

fn texts(list: Option<&[Untrusted]>) -> Option<Vec<&str>> {
    list.map(|list| list.iter().map(Untrusted::raw).collect())
}

fn words(text: &str) -> Vec<Untrusted> {
    text.split_ascii_whitespace().map(Untrusted::from).collect()
}

/// What all of these clauses leave together; `None` where there is none, or one does not count. Those that are the same to the letter share a
/// counter, which is counted once (mytoken-api.md §4.7).
pub fn left_of_all<'a>(
    clauses: impl Iterator<Item = &'a Clause>,
    left: fn(&Clause) -> Option<u64>,
) -> Option<u64> {
    let mut different: Vec<&Clause> = Vec::new();
    for clause in clauses {
        if !different.iter().any(|other| other.is_same_as(clause)) {
            different.push(clause);
        }
    }
    different.first()?;
    different.into_iter().map(left).try_fold(0_u64, |sum, left| Some(sum.saturating_add(left?)))
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
