//! What was asked of a mytoken held against what came.

use serde_json::{Value, json};

use super::*;
use crate::domain::mytoken::Clause;
use crate::domain::secret::Secret;
use crate::domain::time::from_epoch;
use crate::domain::untrusted::Untrusted;

const NOW: i64 = 1_795_368_482;

fn clauses(list: &Value) -> Vec<Clause> {
    list.as_array()
        .expect("a list")
        .iter()
        .map(|clause| Clause::from_json(clause.as_object().expect("an object")))
        .collect()
}

fn granted(restrictions: &Value) -> Issued {
    let facts = Facts {
        provider: Untrusted::from("https://op.example.org/"),
        capabilities: vec![Capability::new("AT"), Capability::new("tokeninfo")],
        restrictions: clauses(restrictions),
        ..Facts::default()
    };
    Issued { mytoken: Secret::new("mt-1"), short: false, facts, expires_in: None }
}

fn order(restrictions: &Value) -> Wanted {
    Wanted {
        provider: Untrusted::from("https://op.example.org"),
        restrictions: clauses(restrictions),
        ..Wanted::default()
    }
}

/// The lines that differ, as `what: asked -> granted` with `!` for an alarm and `~` for what is neither more nor less.
fn differences(order: &Wanted, granted: &Issued) -> Vec<String> {
    compare(order, granted, from_epoch(NOW))
        .iter()
        .filter_map(|line| {
            let mark = match line.relation {
                Relation::Same => return None,
                Relation::Narrower => "",
                Relation::Wider => "! ",
                Relation::Other => "~ ",
            };
            Some(format!("{mark}{}: {} -> {}", line.what, line.asked, line.granted))
        })
        .collect()
}

fn of_clauses(asked: &Value, came: &Value) -> Vec<String> {
    differences(&order(asked), &granted(came))
}

#[test]
fn what_comes_as_asked_has_no_difference_and_every_line_says_so() {
    let list = json!([{"exp": NOW + 86_400, "scope": "openid profile", "usages_AT": 15}]);
    let reordered = json!([{"exp": NOW + 86_400, "scope": "profile openid", "usages_AT": 15}]);
    let lines = compare(&order(&list), &granted(&reordered), from_epoch(NOW));
    assert!(lines.iter().all(|line| line.relation == Relation::Same), "{lines:?}");
    let what: Vec<_> = lines.iter().map(|line| line.what.as_str()).collect();
    assert_eq!(what, ["provider", "may", "ends", "scopes", "access tokens"]);
}

/// The table of mytoken-api.md §4.6, as recorded in `login-clauses-cut` and `login-scope-cut`.
#[test]
fn every_way_in_which_the_server_cuts_clauses_is_seen() {
    let table = [
        (
            json!([{"scope": "openid"}, {"scope": "storage.read"}]),
            json!([{"scope": "openid"}, {}]),
            vec!["! 2: scopes: storage.read -> any"],
        ),
        (
            json!([{"scope": "openid profile"}, {"scope": "openid storage.read"}, {"scope": "openid email"}]),
            json!([{"scope": "openid profile"}, {"scope": "openid"}, {"scope": "openid"}]),
            vec!["2: scopes: openid storage.read -> openid", "3: scopes: openid email -> openid"],
        ),
        (
            json!([{"scope": "openid profile", "usages_AT": 1}, {"scope": "openid profile", "usages_AT": 2, "exp": NOW + 60}]),
            json!([{"scope": "openid", "usages_AT": 1}, {"scope": "openid", "usages_AT": 2, "exp": NOW + 60}]),
            vec!["1: scopes: openid profile -> openid", "2: scopes: openid profile -> openid"],
        ),
        (
            json!([{"scope": "storage.read"}]),
            json!([{}]),
            vec!["! restrictions: scopes storage.read -> anything goes"],
        ),
        (
            json!([{"audience": ["https://a"]}, {"audience": ["https://b"]}]),
            json!([{}, {"audience": ["https://b"]}]),
            vec!["! 1: audiences: https://a -> any"],
        ),
        (
            json!([{"audience": ["https://a", "https://b"], "usages_AT": 9, "usages_other": 9}]),
            json!([{"audience": ["https://b"], "usages_AT": 9, "usages_other": 9}]),
            vec!["audiences: https://a https://b -> https://b"],
        ),
        (
            json!([{"audience": ["https://a"], "usages_AT": 9}]),
            json!([{"usages_AT": 9}]),
            vec!["! audiences: https://a -> any"],
        ),
    ];
    for (asked, came, expected) in table {
        assert_eq!(of_clauses(&asked, &came), expected, "{asked}");
    }
}

#[test]
fn each_member_is_an_alarm_in_one_direction_only() {
    let table = [
        (json!({"exp": NOW + 60}), json!({"exp": NOW + 120}), "! ends: in 1m 00s -> in 2m 00s"),
        (json!({"exp": NOW + 120}), json!({"exp": NOW + 60}), "ends: in 2m 00s -> in 1m 00s"),
        (json!({"exp": NOW + 60}), json!({}), "! ends: in 1m 00s -> never"),
        (json!({"nbf": NOW + 60}), json!({}), "! starts: in 1m 00s -> now"),
        (json!({"nbf": NOW + 60}), json!({"nbf": NOW + 120}), "starts: in 1m 00s -> in 2m 00s"),
        (json!({"scope": "a b"}), json!({"scope": "a c"}), "! scopes: a b -> a c"),
        (json!({"hosts": ["10.0.0.0/8"]}), json!({}), "! from hosts: 10.0.0.0/8 -> any"),
        (json!({"geoip_allow": ["DE"]}), json!({"geoip_allow": ["DE", "US"]}), "! countries: DE -> DE US"),
        (
            json!({"geoip_disallow": ["DE", "US"]}),
            json!({"geoip_disallow": ["US"]}),
            "! not from: DE US -> US",
        ),
        (json!({"geoip_disallow": ["DE"]}), json!({"geoip_disallow": ["DE", "US"]}), "not from: DE -> DE US"),
        (json!({"usages_AT": 5}), json!({"usages_AT": 6}), "! access tokens: 5 -> 6"),
        (json!({"usages_AT": 0}), json!({}), "! access tokens: 0 -> any"),
        (json!({"usages_other": 5}), json!({"usages_other": 4}), "other uses: 5 -> 4"),
        (json!({}), json!({"schedule": {"days": [1]}}), "also:  -> schedule"),
    ];
    for (mut asked, mut came, expected) in table {
        // A member beside it, so that neither clause is an open one.
        asked["usages_other"] = asked.get("usages_other").cloned().unwrap_or(json!(1000));
        came["usages_other"] = came.get("usages_other").cloned().unwrap_or(json!(1000));
        assert_eq!(of_clauses(&json!([asked]), &json!([came])), [expected]);
    }
}

#[test]
fn clauses_find_each_other_in_another_order_and_what_is_left_over_is_named() {
    let (one, two) = (json!({"scope": "a", "usages_AT": 1}), json!({"scope": "b"}));
    assert_eq!(of_clauses(&json!([one, two]), &json!([two, one])), [] as [&str; 0]);
    assert_eq!(
        of_clauses(&json!([one, two]), &json!([two])),
        ["clause 1: scopes a, access tokens 1 -> left out"]
    );
    assert_eq!(
        of_clauses(&json!([two]), &json!([two, one])),
        ["! one more clause: not asked for -> scopes a, access tokens 1"]
    );
    // Within what another clause allows, it is no alarm.
    assert_eq!(
        of_clauses(&json!([two]), &json!([two, {"scope": "b", "usages_AT": 1}])),
        ["~ one more clause: not asked for -> scopes b, access tokens 1"]
    );
}

#[test]
fn a_maximum_lifetime_on_an_unrestricted_order_is_named_and_is_no_alarm() {
    assert_eq!(
        of_clauses(&json!([]), &json!([{"exp": NOW + 86_400}])),
        ["restrictions: none -> ends in 1d 00h"]
    );
    assert_eq!(
        of_clauses(&json!([{"exp": NOW + 60}]), &json!([])),
        ["! restrictions: ends in 1m 00s -> none"]
    );
    assert_eq!(of_clauses(&json!([]), &json!([{}])), [] as [&str; 0]);
}

#[test]
fn this_host_is_the_address_that_the_server_saw() {
    let asked = json!([{"hosts": ["this", "login.example.org"]}]);
    assert_eq!(
        of_clauses(&asked, &json!([{"hosts": ["134.94.7.20", "login.example.org"]}])),
        [] as [&str; 0]
    );
    assert_eq!(
        of_clauses(&asked, &json!([{"hosts": ["*.evil.example", "login.example.org"]}])),
        ["! from hosts: this login.example.org -> *.evil.example login.example.org"]
    );
}

#[test]
fn capabilities_are_compared_by_what_they_cover() {
    let table = [
        (vec![], vec!["AT", "tokeninfo"], vec![]),
        (vec!["AT", "tokeninfo"], vec!["AT"], vec!["may: AT  tokeninfo -> AT"]),
        (vec!["tokeninfo"], vec!["tokeninfo:history"], vec!["may: tokeninfo -> tokeninfo:history"]),
        (vec!["settings"], vec!["read@settings"], vec!["may: settings -> read@settings"]),
        (vec!["read@settings"], vec!["settings"], vec!["! may: read@settings -> settings"]),
        (vec!["AT", "fly"], vec!["AT", "settings"], vec!["! may: AT  fly -> AT  settings"]),
        (vec!["AT"], vec![], vec!["may: AT -> "]),
    ];
    for (asked, came, expected) in table {
        let names = |list: &[&str]| list.iter().copied().map(Capability::new).collect();
        let mut issued = granted(&json!([]));
        issued.facts.capabilities = names(&came);
        let order = Wanted { capabilities: names(&asked), ..order(&json!([])) };
        assert_eq!(differences(&order, &issued), expected);
    }
}

#[test]
fn a_rotation_that_was_switched_off_is_an_alarm() {
    let asked = Rotation { on_at: true, on_other: false, lifetime: Some(3600), auto_revoke: true };
    let mut issued = granted(&json!([]));
    let order = Wanted { rotation: Some(asked), ..order(&json!([])) };
    assert_eq!(
        differences(&order, &issued),
        [
            "! rotates on access tokens: yes -> no",
            "! a copy lives: 1h 00m -> no limit",
            "! an older copy in use revokes all: yes -> no"
        ]
    );
    issued.facts.rotation = Some(Rotation { on_other: true, lifetime: Some(60), ..asked });
    assert_eq!(
        differences(&order, &issued),
        ["rotates on other uses: no -> yes", "a copy lives: 1h 00m -> 1m 00s"]
    );
}

#[test]
fn another_provider_is_an_alarm_and_another_name_or_form_is_not() {
    let mut issued = granted(&json!([]));
    issued.facts.provider = Untrusted::from("https://other.example.org");
    issued.facts.name = Some(Untrusted::from("x\u{1b}[2J"));
    let order = Wanted { name: Some("toar".to_owned()), form: Form::Short, ..order(&json!([])) };
    assert_eq!(
        differences(&order, &issued),
        [
            "! provider: https://op.example.org -> https://other.example.org",
            "~ name: toar -> x\\u{1b}[2J",
            "~ form: short -> long"
        ]
    );
    issued.short = true;
    assert_eq!(differences(&order, &issued), [] as [&str; 0]);
}
