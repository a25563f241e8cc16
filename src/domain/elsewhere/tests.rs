//! What would work where, when and for what; and that the recorded server agrees.

use serde_json::Value;

use super::*;
use crate::domain::jwt::Jwt;
use crate::domain::mytoken::Capability;
use crate::domain::time::from_epoch;

const NOW: i64 = 1_800_000_000;

fn at(seconds: i64) -> Timestamp {
    from_epoch(NOW + seconds)
}

fn clause(members: &Value) -> Clause {
    Clause::from_json(members.as_object().expect("an object"))
}

/// A mytoken for access tokens with these restrictions.
fn facts(restrictions: &Value) -> Facts {
    Facts {
        issued: Some(at(-60)),
        capabilities: vec![Capability::new("AT"), Capability::new("tokeninfo")],
        restrictions: restrictions.as_array().expect("a list").iter().map(clause).collect(),
        ..Facts::default()
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn access(scopes: &str, audiences: &str) -> Purpose {
    Purpose::AccessToken { scopes: words(scopes), audiences: words(audiences) }
}

fn nowhere() -> Elsewhere {
    Elsewhere { address: None, host: None, country: None, at: at(0), purpose: access("", "") }
}

fn from_address(address: &str) -> Elsewhere {
    Elsewhere { address: address.parse().ok(), ..nowhere() }
}

fn from_host(host: &str) -> Elsewhere {
    Elsewhere { host: Some(host.to_owned()), ..nowhere() }
}

fn from_country(country: &str) -> Elsewhere {
    Elsewhere { country: Some(country.to_owned()), ..nowhere() }
}

fn when(seconds: i64) -> Elsewhere {
    Elsewhere { at: at(seconds), ..nowhere() }
}

fn asking(purpose: Purpose) -> Elsewhere {
    Elsewhere { purpose, ..nowhere() }
}

const YES: &str = "works";
const MAYBE: &str = "cannot_tell";
const NO: &str = "does_not_work";

const JUELICH: &str = r#"[{"hosts":["134.94.0.0/16"]}]"#;
const NAMED: &str = r#"[{"hosts":["*.fz-juelich.de"]}]"#;
const SCOPED: &str = r#"[{"scope":"openid profile","audience":["https://a.example.org"]}]"#;

/// Restrictions, a use, the answer, and its reason where it is held to one.
fn assert_answers(table: &[(&str, Elsewhere, &str, Option<&str>)]) {
    for (restrictions, there, code, why) in table {
        let facts = facts(&serde_json::from_str(restrictions).expect("JSON"));
        let answer = would_work(&facts, true, there).would;
        assert_eq!(answer.code(), *code, "{restrictions} {there:?}: {answer:?}");
        if why.is_some() {
            assert_eq!(answer.why(), *why, "{restrictions} {there:?}");
        }
    }
}

#[test]
fn where_it_is_used_from_is_held_against_addresses_networks_and_names() {
    assert_answers(&[
        ("[]", nowhere(), YES, None),
        ("[{}]", nowhere(), YES, None),
        (JUELICH, from_address("134.94.1.2"), YES, None),
        (
            JUELICH,
            from_address("10.0.0.1"),
            NO,
            Some("only from 134.94.0.0/16; it would be seen as 10.0.0.1"),
        ),
        (
            JUELICH,
            nowhere(),
            MAYBE,
            Some("it works only from 134.94.0.0/16, and the address there is not known"),
        ),
        (JUELICH, from_host("node1.fz-juelich.de"), MAYBE, None),
        (NAMED, from_host("node1.fz-juelich.de"), YES, None),
        (
            NAMED,
            from_host("login.example.org"),
            NO,
            Some("only from *.fz-juelich.de; it would be seen as login.example.org"),
        ),
        (
            NAMED,
            from_address("134.94.1.2"),
            MAYBE,
            Some("it works only from *.fz-juelich.de, which its server looks up by name"),
        ),
    ]);
}

#[test]
fn countries_are_compared_as_they_stand_in_the_clause() {
    assert_answers(&[
        (r#"[{"geoip_allow":["DE"]}]"#, from_country("DE"), YES, None),
        // Whoever asks may type it as they like; the clause is compared as it stands.
        (r#"[{"geoip_allow":["DE"]}]"#, from_country("de"), YES, None),
        (r#"[{"geoip_allow":["DE"]}]"#, from_country("FR"), NO, Some("only from DE; it would be in FR")),
        (r#"[{"geoip_allow":["DE"]}]"#, nowhere(), MAYBE, None),
        (
            r#"[{"geoip_allow":["de"]}]"#,
            from_country("DE"),
            NO,
            Some("only from de, which matches no country: codes are two capital letters"),
        ),
        (r#"[{"geoip_disallow":["US"]}]"#, from_country("US"), NO, Some("not from US, where it would be")),
        (r#"[{"geoip_disallow":["US"]}]"#, from_country("DE"), YES, None),
        (r#"[{"geoip_disallow":["us"]}]"#, from_country("US"), YES, None),
        (r#"[{"geoip_disallow":["us"]}]"#, nowhere(), YES, None),
    ]);
}

#[test]
fn uses_scopes_and_audiences_are_held_against_what_is_asked() {
    assert_answers(&[
        (r#"[{"usages_AT":0}]"#, nowhere(), NO, Some("0 uses: it never gives access tokens")),
        (r#"[{"usages_AT":0}]"#, asking(Purpose::Other), YES, None),
        (r#"[{"usages_AT":15}]"#, nowhere(), YES, None),
        (
            r#"[{"usages_AT":15,"usages_AT_done":15}]"#,
            nowhere(),
            NO,
            Some("15 of 15 access tokens were drawn"),
        ),
        (
            r#"[{"usages_other":2,"usages_other_done":2}]"#,
            asking(Purpose::Other),
            NO,
            Some("2 of 2 uses are spent"),
        ),
        (SCOPED, asking(access("openid", "")), YES, None),
        (SCOPED, asking(access("openid", "https://a.example.org")), YES, None),
        (
            SCOPED,
            asking(access("openid email", "")),
            NO,
            Some("only for the scopes openid, profile; email is not among them"),
        ),
        (
            SCOPED,
            asking(access("", "https://b.example.org")),
            NO,
            Some("only for the audiences https://a.example.org; https://b.example.org is not among them"),
        ),
        (SCOPED, asking(Purpose::Other), YES, None),
        (
            r#"[{"schedule":{"days":[1]}}]"#,
            nowhere(),
            MAYBE,
            Some("it holds schedule, which toktui does not know"),
        ),
    ]);
}

#[test]
fn the_moment_is_held_against_start_and_end() {
    let (start, end) = (NOW + 3600, NOW - 7200);
    for (members, seconds, expected) in [
        (format!(r#"[{{"nbf":{start}}}]"#), 0, Would::DoesNot("it starts 1 h after that".to_owned())),
        (format!(r#"[{{"nbf":{start}}}]"#), 3600, Would::Works),
        (format!(r#"[{{"exp":{end}}}]"#), 0, Would::DoesNot("it ended 2 h before that".to_owned())),
        // §4.1: it may be used up to this second.
        (format!(r#"[{{"exp":{end}}}]"#), -7200, Would::Works),
    ] {
        let facts = facts(&serde_json::from_str(&members).expect("JSON"));
        assert_eq!(would_work(&facts, true, &when(seconds)).would, expected, "{members} {seconds}");
    }
}

#[test]
fn the_first_clause_that_allows_the_use_counts_and_its_price_is_told() {
    let clauses = serde_json::json!([
        {"scope": "storage.read"},
        {"hosts": ["134.94.0.0/16"], "usages_AT": 3},
        {"usages_AT": 15, "usages_AT_done": 2},
        {},
    ]);
    let facts = facts(&clauses);
    let ask = |there: Elsewhere| {
        let answer = would_work(&facts, true, &Elsewhere { purpose: access("openid", ""), ..there });
        (answer.counts, answer.left, answer.remarks)
    };
    assert_eq!(ask(from_address("134.94.1.2")), (Some(1), Some(3), vec![]));
    assert_eq!(ask(from_address("10.0.0.1")), (Some(2), Some(13), vec![]));
    let doubtful = vec!["clause 2 would count instead, if it allows the use".to_owned()];
    assert_eq!(ask(nowhere()), (Some(2), Some(13), doubtful));
}

#[test]
fn each_clause_is_answered_for_itself() {
    let clauses = serde_json::json!([{"usages_AT": 0}, {"hosts": ["134.94.0.0/16"]}, {}]);
    let answer = would_work(&facts(&clauses), true, &nowhere());
    let codes: Vec<_> = answer.clauses.iter().map(Would::code).collect();
    assert_eq!((answer.would, codes), (Would::Works, vec![NO, MAYBE, YES]));
}

#[test]
fn counted_uses_are_a_doubt_until_the_server_was_asked() {
    let facts = facts(&serde_json::json!([{"usages_AT": 15}]));
    let why = "how many of its 15 uses are left was not asked".to_owned();
    let unheard = would_work(&facts, false, &nowhere());
    assert_eq!((unheard.would, unheard.left), (Would::CannotTell(why), None));
    assert_eq!(would_work(&facts, true, &nowhere()).left, Some(15));
    assert_eq!(would_work(&facts, false, &asking(Purpose::Other)).would, Would::Works);
}

#[test]
fn without_the_capability_there_are_no_access_tokens_but_other_uses() {
    let facts = Facts { capabilities: vec![Capability::new("tokeninfo")], ..facts(&serde_json::json!([])) };
    assert_eq!(would_work(&facts, true, &nowhere()).would.code(), NO);
    assert_eq!(would_work(&facts, true, &asking(Purpose::Other)).would, Would::Works);
}

#[test]
fn a_short_token_that_was_never_looked_up_cannot_be_told() {
    assert_eq!(would_work(&Facts::default(), false, &nowhere()).would.code(), MAYBE);
}

#[test]
fn what_is_asked_of_an_unrestricted_mytoken_is_ignored_and_that_is_said() {
    let ask =
        |restrictions: Value, purpose| would_work(&facts(&restrictions), true, &asking(purpose)).remarks;
    assert_eq!(ask(serde_json::json!([]), access("openid", "https://a.example.org")).len(), 2);
    assert!(ask(serde_json::json!([]), access("openid", ""))[0].contains("ignores the scopes"));
    assert!(ask(serde_json::json!([]), access("", "")).is_empty());
    assert!(ask(serde_json::json!([{"usages_AT": 9}]), access("openid", "")).is_empty());
}

#[test]
fn an_idle_copy_ends_with_its_rotation_lifetime_and_a_used_one_goes_on() {
    let rotating = |on_at, seconds: i64| {
        let rotation = Some(Rotation { on_at, lifetime: Some(600), ..Rotation::default() });
        let facts =
            Facts { rotation, copy: Some(3), expires: Some(at(540)), ..facts(&serde_json::json!([])) };
        let answer = would_work(&facts, true, &when(seconds));
        (answer.would.code(), answer.rotates)
    };
    assert_eq!(rotating(true, 60), (YES, true));
    assert_eq!(rotating(true, 3600), (MAYBE, true));
    assert_eq!(rotating(false, 60), (YES, false));
    assert_eq!(rotating(false, 3600), (NO, false));
}

#[test]
fn its_own_start_and_end_go_before_its_clauses() {
    let mut facts = facts(&serde_json::json!([{}]));
    facts.expires = Some(at(10));
    facts.not_before = Some(at(5));
    let codes: Vec<_> =
        [0, 7, 11].map(|seconds| would_work(&facts, true, &when(seconds)).would.code()).into();
    assert_eq!(codes, [NO, YES, NO]);
    assert_eq!(would_work(&facts, true, &when(11)).counts, None);
}

#[test]
fn a_clause_that_counts_other_uses_only_breaks_its_server_at_the_second_one() {
    let used = serde_json::json!([{"usages_other": 5, "usages_other_done": 1, "usages_AT_done": 0}]);
    let remarks = |purpose| would_work(&facts(&used), true, &asking(purpose)).remarks;
    assert!(remarks(Purpose::Other)[0].contains("break down"));
    assert!(remarks(access("", "")).is_empty());
}

#[test]
fn a_private_address_is_in_the_country_of_the_server() {
    let facts = facts(&serde_json::json!([{"geoip_allow": ["DE"]}]));
    let there = Elsewhere { country: Some("DE".to_owned()), ..from_address("10.0.0.1") };
    assert_eq!(would_work(&facts, true, &there).remarks.len(), 1);
}

/// The recorded server stood in `DE` and was asked from the loopback address.
#[test]
fn the_recorded_server_allowed_what_would_work_and_refused_what_would_not() {
    let mut asked = 0;
    for scenario in ["restricted-by-country", "restricted-to-host", "at-restricted-scope", "usages-zero"] {
        let path = format!("{}/tests/recordings/{scenario}.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).expect("a recording");
        let recording: Value = serde_json::from_str(&text).expect("JSON");
        let mut drawn = std::collections::BTreeSet::new();
        for exchange in recording["exchanges"].as_array().expect("exchanges") {
            let request = &exchange["request"];
            if request["path"] != "/api/v0/token/access" {
                continue;
            }
            let body = |name: &str| words(request["body"][name].as_str().unwrap_or_default());
            let token = request["body"]["mytoken"].as_str().expect("a mytoken");
            let mut facts = Facts::from_claims(&Jwt::parse(token).expect("a JWT").claims);
            if !drawn.insert(token.to_owned()) {
                // Its counters are not in its claims: it was used once before.
                for clause in facts.restrictions.iter_mut().filter(|clause| clause.uses_at == Some(1)) {
                    clause.used_at = Some(1);
                }
            }
            let there = Elsewhere {
                address: request["from"].as_str().unwrap_or("127.0.0.1").parse().ok(),
                host: None,
                country: Some("DE".to_owned()),
                at: facts.issued.expect("a time"),
                purpose: Purpose::AccessToken { scopes: body("scope"), audiences: body("audience") },
            };
            let expected = if exchange["response"]["status"] == 200 { YES } else { NO };
            let answer = would_work(&facts, true, &there);
            assert_eq!(answer.would.code(), expected, "{scenario}: {} {answer:?}", exchange["step"]);
            asked += 1;
        }
    }
    assert_eq!(asked, 19);
}
