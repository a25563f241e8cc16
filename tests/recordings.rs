//! Plays every recorded exchange in scope against the sandbox's mytoken server: it answers as the real one did.
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "recordings/compare.rs"]
mod compare;
#[path = "recordings/player.rs"]
mod player;
#[path = "recordings/stub.rs"]
mod stub;
#[path = "recordings/world.rs"]
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};

use compare::{Answer, differences};
use player::{Misgrant, Player, path};
use toktui::sandbox::mytoken::Traps;

/// What is not served yet: whole scenarios, and kinds of requests inside the scenarios that are played.
const LATER: [(Later, &str); 10] = [
    (Later::Scenario("calendars"), "settings and notifications"),
    (Later::Scenario("notifications"), "settings and notifications"),
    (Later::Scenario("settings-email"), "settings and notifications"),
    (Later::Scenario("settings-grants"), "settings and notifications"),
    (Later::Scenario("settings-ssh"), "settings and notifications"),
    (Later::Body("action", "notifications"), "settings and notifications"),
    (Later::Path("/api/v0/settings/grants"), "settings and notifications"),
    (Later::Path("/api/v0/settings/email"), "settings and notifications"),
    (Later::Path("/api/v0/notifications"), "settings and notifications"),
    (Later::Path("https://mytoken.example.org:9876/"), "never: a health port is nothing a client sees"),
];

type Change<T> = fn(&mut T);

#[derive(Debug)]
enum Later {
    /// A file.
    Scenario(&'static str),
    /// Requests to the mytoken or tokeninfo endpoint with this member.
    Body(&'static str, &'static str),
    /// Requests to paths that begin so.
    Path(&'static str),
}

/// Differences that are meant: scenario, exchange, the difference, and why.
const KNOWN: [(&str, usize, &str, &str); 10] = [
    ("discovery", 0, NO_SSH_GRANT, NO_SSH),
    ("discovery", 1, NO_SSH_GRANT, NO_SSH),
    ("discovery", 2, NO_SSH_GRANT, NO_SSH),
    ("rate-limit", 0, NO_SSH_GRANT, NO_SSH),
    ("discovery", 0, "body.ssh_keys is missing", NO_SSH),
    ("discovery", 1, "body.ssh_keys is missing", NO_SSH),
    ("discovery", 2, "body.ssh_keys is missing", NO_SSH),
    ("rate-limit", 0, "body.ssh_keys is missing", NO_SSH),
    (
        "features-off",
        25,
        r#"body.error_description is "crypto/ecdsa: verification error" instead of "invalid issuer""#,
        "the two recorded instances shared a signing key, and its private half was not kept",
    ),
    (
        "rotation-on-other-unrestricted",
        5,
        r#"body.events lacks ["settings_grants_listed"] and has [] too many"#,
        "the request that lists the grants is stood in for: it is not served yet",
    ),
];

const NO_SSH: &str =
    "the sandbox has no SSH service, and a server without one names neither its keys nor its grant (§1.1)";

const NO_SSH_GRANT: &str = r#"body.mytoken_endpoint_grant_types_supported lacks ["ssh"] and has [] too many"#;

/// What the provider of the recordings did beyond what the recorded answers show.
static MISGRANTS: [Misgrant; 4] = [
    Misgrant { scenario: "login-clauses-cut", exchanges: 7..=15, grants: Some("openid"), audience: None },
    Misgrant {
        scenario: "login-scope-cut",
        exchanges: 0..=5,
        grants: Some("openid profile"),
        audience: None,
    },
    Misgrant { scenario: "login-scope-cut", exchanges: 15..=17, grants: None, audience: Some("") },
    Misgrant { scenario: "login-keycloak", exchanges: 0..=11, grants: None, audience: Some("account") },
];

/// What was a 404 there is one here.
fn is_later(exchange: &Value) -> bool {
    exchange["response"]["status"] != 404 && LATER.iter().any(|(later, _)| is_kind(later, exchange))
}

fn is_kind(later: &Later, exchange: &Value) -> bool {
    match later {
        Later::Scenario(_) => false,
        Later::Body(member, value) => {
            !path(exchange).ends_with("/token/access") && exchange["request"]["body"][member] == *value
        }
        Later::Path(start) => path(exchange).starts_with(start),
    }
}

fn exchanges(name: &str) -> Vec<Value> {
    recording(name)["exchanges"].as_array().expect("exchanges").clone()
}

fn folder() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
    let files = std::fs::read_dir(folder).expect("the recordings").map(|file| file.expect("a file").path());
    let mut names: Vec<String> = files
        .filter(|file| file.extension().is_some_and(|ending| ending == "json"))
        .map(|file| file.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn recording(name: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/recordings/{name}.json"));
    serde_json::from_slice(&std::fs::read(file).expect("a recording")).expect("JSON")
}

/// The scenarios to be played: all files but the key set and those that stand in the list.
fn scenarios() -> Vec<String> {
    let is_listed =
        |name: &String| LATER.iter().any(|(later, _)| matches!(later, Later::Scenario(one) if one == name));
    folder().into_iter().filter(|name| name != "jwks" && !is_listed(name)).collect()
}

async fn player(name: &str) -> Player {
    Player::new(&recording(name), is_later, &MISGRANTS).await
}

#[tokio::test]
async fn every_recorded_exchange_in_scope_is_answered_as_the_real_server_did() {
    let mut unmet: BTreeSet<(String, usize, String)> = KNOWN
        .iter()
        .map(|(name, index, difference, _)| ((*name).to_owned(), *index, (*difference).to_owned()))
        .collect();
    let mut wrong: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in scenarios() {
        let outcome = player(&name).await.play().await;
        assert!(outcome.compared > 0, "{name}: nothing was compared");
        for (index, difference) in outcome.differences {
            if !unmet.remove(&(name.clone(), index, difference.clone())) {
                wrong.entry(name.clone()).or_default().push(format!("[{index}] {difference}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(unmet.is_empty(), "these differences are no more: {unmet:#?}");
}

#[test]
fn every_file_is_played_or_stands_in_the_list_and_the_list_names_nothing_else() {
    let files: BTreeSet<String> = folder().into_iter().collect();
    let played: BTreeSet<String> = scenarios().into_iter().collect();
    assert!(played.len() > 40, "{}", played.len());
    let mut listed = BTreeSet::from(["jwks".to_owned()]);
    for (later, when) in &LATER {
        assert!(!when.is_empty());
        match later {
            Later::Scenario(name) => assert!(listed.insert((*name).to_owned()), "{name} stands there twice"),
            kind => {
                let mut all = played.iter().flat_map(|name| exchanges(name));
                assert!(all.any(|exchange| is_kind(kind, &exchange)), "nothing recorded is of kind {kind:?}");
            }
        }
    }
    let both: Vec<_> = played.intersection(&listed).collect();
    assert!(both.is_empty(), "{both:?}");
    assert_eq!(played.union(&listed).cloned().collect::<BTreeSet<_>>(), files);
}

#[test]
fn any_change_to_an_answer_is_found() {
    let exchange = &exchanges("rotation-on-other")[3];
    let recorded = Answer::recorded(&exchange["response"]);
    assert_eq!(differences(&recorded, &recorded), Vec::<String>::new());
    let changes: [(&str, Change<Answer>); 13] = [
        ("the status", |live| live.status = 201),
        ("the content type", |live| live.headers.retain(|(name, _)| name != "content-type")),
        ("a header", |live| live.headers.retain(|(name, _)| name != "set-cookie")),
        ("a key less", |live| {
            drop(live.body["token_update"].as_object_mut().expect("it").shift_remove("mom_id"));
        }),
        ("a key more", |live| live.body["token_update"]["extra"] = json!(1)),
        ("a type", |live| live.body["token_update"]["mom_id"] = json!(1)),
        ("null for a list", |live| live.body["events"] = Value::Null),
        ("a key less in an event", |live| {
            for event in live.body["events"].as_array_mut().expect("events") {
                event.as_object_mut().expect("an event").shift_remove("ip");
            }
        }),
        ("an event's name", |live| live.body["events"][0]["event"] = json!("other")),
        ("an event less", |live| drop(live.body["events"].as_array_mut().expect("events").pop())),
        ("a word", |live| live.body["token_update"]["mytoken_type"] = json!("short_token")),
        ("a counter", |live| live.body["token_update"]["restrictions"][0]["usages_AT"] = json!(51)),
        ("a clause", |live| live.body["token_update"]["restrictions"] = json!([{}])),
    ];
    for (what, change) in changes {
        let mut live = recorded.clone();
        change(&mut live);
        assert!(!differences(&recorded, &live).is_empty(), "{what} was not noticed");
    }
    let tree =
        json!([{"token": {"name": "a"}, "children": [{"token": {"name": "b"}}, {"token": {"name": "b"}}]}]);
    let templates = json!([{"name": "a", "payload": [{"exp": 5, "usages_AT": 5}]}]);
    let lists: [(&Value, Change<Value>); 5] = [
        (&tree, |tree| drop(tree[0]["children"].as_array_mut().expect("children").pop())),
        (&tree, |tree| tree[0]["children"][1]["token"]["name"] = json!("c")),
        (&templates, |templates| templates[0]["name"] = json!("b")),
        (&templates, |templates| templates[0]["payload"][0]["usages_AT"] = json!(6)),
        (&json!(["introspect", "subtokens"]), |actions| actions[1] = json!("list_mytokens")),
    ];
    for (recorded, change) in lists {
        let told = |value: &Value| Answer { status: 200, headers: Vec::new(), body: json!({"list": value}) };
        let mut live = recorded.clone();
        change(&mut live);
        assert!(!differences(&told(recorded), &told(&live)).is_empty(), "{live} was not noticed");
    }
    let refusal = |error: &str| Answer { status: 401, headers: Vec::new(), body: json!({"error": error}) };
    assert!(!differences(&refusal("invalid_token"), &refusal("invalid_grant")).is_empty());
}

#[tokio::test]
async fn a_server_without_one_of_the_real_one_s_faults_is_found_out() {
    let table: [(&str, usize, Change<Traps>); 8] = [
        ("at-op-refuses", 4, |traps| traps.empty_access_token = false),
        ("login-clauses-cut", 2, |traps| traps.clauses_cut_after_login = false),
        ("short-token-rotation", 0, |traps| traps.short_token_cannot_rotate = false),
        ("rotation-on-at", 7, |traps| traps.stale_revocation_fails = false),
        ("revocation-by-mom-id", 10, |traps| traps.own_mom_id_fails = false),
        ("usages-other-without-usages-at", 1, |traps| traps.usages_other_alone_crashes = false),
        ("transfer-code-of-rotating", 5, |traps| traps.stale_transfer_code = false),
        ("login-clauses-cut", 9, |traps| traps.clauses_cut_after_login = false),
    ];
    for (name, index, change) in table {
        let player = player(name).await;
        change(&mut player.world.mytokens.traps());
        let outcome = player.play().await;
        assert!(outcome.differences.iter().any(|(at, _)| *at == index), "{name} {index}");
    }
}

#[tokio::test]
async fn the_provider_is_told_only_when_the_last_mytoken_of_a_login_is_revoked_by_itself() {
    let outcome = player("revocation-and-op").await.play().await;
    assert_eq!(outcome.revoked, 1);
}
