//! The server as its clients see it: over HTTP, on a clock that is moved by hand.

use std::sync::Arc;

use jiff::SignedDuration;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Clause, Issued, Mytokens, Order, Rotation, Settings};
use crate::domain::secret::Secret;
use crate::domain::time::{FixedClock, from_epoch};
use crate::sandbox::serve::{self, Server};

/// A running server, its clock, and a client.
struct Rig {
    mytokens: Mytokens,
    clock: Arc<FixedClock>,
    client: reqwest::Client,
    base: String,
    _server: Server,
}

impl Rig {
    async fn start() -> Self {
        let bound = serve::bind(0).await.expect("loopback can be bound");
        let base = bound.base();
        let clock = Arc::new(FixedClock::at(from_epoch(1_800_000_000)));
        let settings = Settings { issuer: base.clone(), ..Settings::default() };
        let mytokens = Mytokens::new(settings, clock.clone()).expect("a server");
        let server = bound.serve(mytokens.handler());
        let client = super::upstream::client().expect("a client");
        Self { mytokens, clock, client, base, _server: server }
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let response =
            self.client.post(format!("{}{path}", self.base)).json(&body).send().await.expect("an answer");
        let status = response.status().as_u16();
        let text = response.text().await.expect("a body");
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    async fn access(&self, mytoken: &str) -> (u16, Value) {
        self.post("/api/v0/token/access", json!({"grant_type": "mytoken", "mytoken": mytoken})).await
    }

    async fn introspect(&self, mytoken: &str) -> (u16, Value) {
        self.post("/api/v0/tokeninfo", json!({"mytoken": mytoken})).await
    }

    async fn history(&self, mytoken: &str) -> (u16, Value) {
        self.post("/api/v0/tokeninfo", json!({"action": "event_history", "mytoken": mytoken})).await
    }

    async fn poll(&self, code: &Value) -> (u16, Value) {
        self.post("/api/v0/token/my", json!({"grant_type": "polling_code", "polling_code": code})).await
    }

    async fn start_login(&self, mut wish: Value) -> Value {
        wish["grant_type"] = "oidc_flow".into();
        wish["oidc_issuer"] = format!("{}/api/v0/guests", self.base).into();
        let (status, answer) = self.post("/api/v0/token/my", wish).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// Presses a button on the consent page and follows the browser's way to its end.
    async fn decide(&self, login: &Value, decision: &str) -> u16 {
        let consent = login["consent_uri"].as_str().expect("a consent address");
        let mut response =
            self.client.post(consent).form(&[("decision", decision)]).send().await.expect("an answer");
        while let Some(to) = response.headers().get("location") {
            let to = to.to_str().expect("an address");
            let to = if to.starts_with('/') { format!("{}{to}", self.base) } else { to.to_owned() };
            response = self.client.get(to).send().await.expect("an answer");
        }
        response.status().as_u16()
    }

    fn issue(&self, order: Order) -> Issued {
        self.mytokens.issue(order).expect("issued")
    }

    fn wait(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }
}

fn rotating(rotation: Rotation) -> Order {
    let capabilities = ["AT", "tokeninfo", "manage_mytokens"].map(str::to_owned).to_vec();
    Order { capabilities, rotation: Some(rotation), ..Order::default() }
}

fn counted(at: i64, other: i64) -> Vec<Clause> {
    vec![Clause { usages_at: Some(at), usages_other: Some(other), ..Clause::default() }]
}

fn updated(answer: &Value) -> &str {
    answer["token_update"]["mytoken"].as_str().expect("a new version")
}

#[tokio::test]
async fn a_login_by_the_buttons_of_the_consent_page_gives_a_mytoken_once() {
    let rig = Rig::start().await;
    let login = rig.start_login(json!({"name": "laptop", "restrictions": [{"hosts": ["this"]}]})).await;
    let code = &login["polling_code"];
    assert_eq!(rig.poll(code).await.0, 428);
    assert_eq!(rig.decide(&login, "approve").await, 200);
    let (status, given) = rig.poll(code).await;
    assert_eq!((status, &given["restrictions"]), (200, &json!([{"hosts": ["127.0.0.1"]}])));
    assert_eq!(rig.poll(code).await.0, 401);
    let (status, answer) = rig.access(given["mytoken"].as_str().expect("a mytoken")).await;
    assert_eq!((status, answer["access_token"].as_str().map(str::len)), (200, Some(64)));
    assert_eq!(rig.mytokens.requests("POST /api/v0/token/access"), 1);
}

#[tokio::test]
async fn the_consent_page_names_what_is_asked_and_escapes_it() {
    let rig = Rig::start().await;
    let wish = json!({
        "name": "<script>x", "application_name": "toktui \"here\"", "capabilities": ["AT", "create_mytoken"],
        "restrictions": [{"usages_AT": 15, "scope": "openid"}], "rotation": {"on_AT": true, "auto_revoke": true},
    });
    let login = rig.start_login(wish).await;
    let consent = login["consent_uri"].as_str().expect("an address");
    let page = rig.client.get(consent).send().await.expect("an answer").text().await.expect("a page");
    for part in [
        "&lt;script&gt;x",
        "toktui &quot;here&quot;",
        "get access tokens",
        "create further mytokens",
        "at most 15 access tokens",
        "the scopes openid",
        "replaced after each access token",
        "<form id=\"next\" method=\"post\">",
        "name=\"decision\" value=\"approve\">Approve<",
        "value=\"deny\">Decline<",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("<script"));
}

#[tokio::test]
async fn declined_and_expired_logins_are_told_apart() {
    let rig = Rig::start().await;
    let login = rig.start_login(json!({"application_name": "toktui on laptop"})).await;
    assert_eq!(rig.decide(&login, "deny").await, 200);
    for _ in 0..2 {
        assert_eq!(rig.poll(&login["polling_code"]).await.1["error"], "access_denied");
    }
    let login = rig.start_login(json!({})).await;
    rig.wait(300);
    assert_eq!(rig.poll(&login["polling_code"]).await.0, 428);
    rig.wait(1);
    assert_eq!(rig.poll(&login["polling_code"]).await.1["error"], "expired_token");
    let consent = login["consent_uri"].as_str().expect("an address");
    assert_eq!(rig.client.get(consent).send().await.expect("an answer").status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn uses_are_counted_shown_and_end() {
    let rig = Rig::start().await;
    let issued = rig.issue(Order { restrictions: counted(2, 1), ..Order::default() });
    let mytoken = issued.mytoken.expose();
    assert_eq!(
        rig.introspect(mytoken).await.1["token"]["restrictions"],
        json!([{"usages_AT": 2, "usages_other": 1}])
    );
    assert_eq!([rig.access(mytoken).await.0, rig.access(mytoken).await.0], [200, 200]);
    let (status, answer) = rig.access(mytoken).await;
    assert_eq!((status, &answer["error"]), (403, &json!("usage_restricted")));
    assert_eq!([rig.history(mytoken).await.0, rig.history(mytoken).await.0], [200, 403]);
    let clause = &rig.introspect(mytoken).await.1["token"]["restrictions"][0];
    assert_eq!((&clause["usages_AT_done"], &clause["usages_other_done"]), (&json!(2), &json!(1)));
}

#[tokio::test]
async fn a_mytoken_is_refused_from_another_place() {
    let rig = Rig::start().await;
    let only = |clause: Clause| Order { restrictions: vec![clause], ..Order::default() };
    let host = rig.issue(only(Clause { hosts: vec!["192.0.2.0/24".into()], ..Clause::default() }));
    let country = rig.issue(only(Clause { geoip_allow: vec!["DE".into()], ..Clause::default() }));
    assert_eq!(rig.access(host.mytoken.expose()).await.0, 403);
    assert_eq!(rig.access(country.mytoken.expose()).await.0, 200);
    rig.mytokens.set_caller(Some(("192.0.2.7".parse().expect("an address"), "US")));
    assert_eq!(rig.access(host.mytoken.expose()).await.0, 200);
    assert_eq!(rig.access(country.mytoken.expose()).await.0, 403);
    let (_, history) = rig.history(host.mytoken.expose()).await;
    assert!(history["events"].as_array().expect("events").iter().any(|entry| entry["ip"] == "192.0.2.7"));
}

#[tokio::test]
async fn a_rotated_version_is_dead_and_the_new_one_goes_on() {
    let rig = Rig::start().await;
    let first = rig.issue(rotating(Rotation { on_at: true, lifetime: 60, ..Rotation::default() }));
    rig.wait(30);
    let (status, answer) = rig.access(first.mytoken.expose()).await;
    assert_eq!((status, &answer["token_update"]["expires_in"]), (200, &json!(60)));
    assert_eq!(answer["token_update"]["mom_id"], first.mom_id.as_str());
    assert_eq!(rig.access(first.mytoken.expose()).await, (401, json!({"error": "invalid_token"})));
    assert_eq!(rig.mytokens.stale_presentations(), 1);
    rig.wait(60);
    let second = updated(&answer);
    let (status, looked_up) = rig.introspect(second).await;
    assert_eq!((status, &looked_up["token"]["seq_no"]), (200, &json!(2)));
    rig.wait(1);
    assert_eq!(rig.introspect(second).await.1["error_description"], "token is expired by 1s");
}

#[tokio::test]
async fn the_first_version_dies_silently_after_its_lifetime() {
    let rig = Rig::start().await;
    let issued = rig.issue(rotating(Rotation { lifetime: 60, ..Rotation::default() }));
    rig.wait(60);
    assert_eq!(rig.introspect(issued.mytoken.expose()).await.0, 200);
    rig.wait(1);
    assert_eq!(rig.introspect(issued.mytoken.expose()).await, (401, json!({"error": "invalid_token"})));
}

#[tokio::test]
async fn a_stale_use_revokes_the_whole_family_when_asked_to() {
    let rig = Rig::start().await;
    let rotation = Rotation { on_at: true, auto_revoke: true, ..Rotation::default() };
    let root = rig.issue(rotating(rotation));
    let child = rig.issue(Order { parent: Some(root.mom_id.clone()), ..Order::default() });
    let grandchild = rig.issue(Order { parent: Some(child.mom_id.clone()), ..Order::default() });
    let stranger = rig.issue(Order::default());
    let (_, answer) = rig.access(root.mytoken.expose()).await;
    assert_eq!(rig.introspect(child.mytoken.expose()).await.0, 200);
    assert_eq!(rig.introspect(root.mytoken.expose()).await.0, 401);
    for dead in [updated(&answer), child.mytoken.expose(), grandchild.mytoken.expose()] {
        assert_eq!(rig.introspect(dead).await, (401, json!({"error": "invalid_token"})));
    }
    assert_eq!(rig.introspect(stranger.mytoken.expose()).await.0, 200);
}

#[tokio::test]
async fn a_restricted_mytoken_rotates_on_history_and_an_unrestricted_one_does_not() {
    let rig = Rig::start().await;
    let rotation = Rotation { on_other: true, ..Rotation::default() };
    let free = rig.issue(rotating(rotation.clone()));
    assert_eq!(rig.history(free.mytoken.expose()).await.1.get("token_update"), None);
    let bound = rig.issue(Order { restrictions: counted(9, 9), ..rotating(rotation) });
    let (_, answer) = rig.history(bound.mytoken.expose()).await;
    assert_eq!(rig.introspect(updated(&answer)).await.0, 200);
}

#[tokio::test]
async fn a_short_token_that_would_rotate_hangs_unless_the_fault_is_off() {
    let rig = Rig::start().await;
    let order = Order { short: true, ..rotating(Rotation { on_at: true, ..Rotation::default() }) };
    let issued = rig.issue(order);
    assert_eq!(issued.mytoken.len(), 64);
    let (status, answer) = rig.access(issued.mytoken.expose()).await;
    assert_eq!((status, &answer["error"]), (500, &json!("internal_server_error")));
    assert_eq!(rig.introspect(issued.mytoken.expose()).await.1["token_type"], "short_token");
    rig.mytokens.traps().short_token_cannot_rotate = false;
    let (status, answer) = rig.access(issued.mytoken.expose()).await;
    assert_eq!((status, updated(&answer).len()), (200, 64));
    assert_eq!(rig.introspect(issued.mytoken.expose()).await.0, 401);
    assert_eq!(rig.access(updated(&answer)).await.0, 200);
}

#[tokio::test]
async fn revoking_by_an_old_version_fails_and_by_the_new_one_revokes() {
    let rig = Rig::start().await;
    let issued = rig.issue(rotating(Rotation { on_at: true, ..Rotation::default() }));
    let (_, answer) = rig.access(issued.mytoken.expose()).await;
    let revoke = |token: Secret| rig.post("/api/v0/token/revoke", json!({"token": token.expose()}));
    assert_eq!(
        revoke(issued.mytoken.clone()).await.1["error_description"],
        "cipher: message authentication failed"
    );
    assert_eq!(rig.introspect(updated(&answer)).await.0, 200);
    assert_eq!(revoke(Secret::new(updated(&answer))).await.0, 204);
    assert_eq!(rig.introspect(updated(&answer)).await, (401, json!({"error": "invalid_token"})));
    assert_eq!(revoke(Secret::new(updated(&answer))).await.0, 204);
}

#[tokio::test]
async fn a_tree_loses_a_branch_or_only_a_knot() {
    let rig = Rig::start().await;
    let root = rig.issue(rotating(Rotation::default()));
    let under =
        |parent: &Issued| rig.issue(Order { parent: Some(parent.mom_id.clone()), ..Order::default() });
    let middle = under(&root);
    let leaf = under(&middle);
    let side = under(&root);
    let revoke = |id: &str, recursive: bool| {
        let body = json!({"token": root.mytoken.expose(), "mom_id": id, "recursive": recursive});
        rig.post("/api/v0/token/revoke", body)
    };
    assert_eq!(revoke(&middle.mom_id, false).await.0, 204);
    assert_eq!(rig.introspect(leaf.mytoken.expose()).await.0, 200);
    let body = json!({"token": root.mytoken.expose(), "recursive": true});
    assert_eq!(rig.post("/api/v0/token/revoke", body).await.0, 204);
    assert_eq!(rig.introspect(side.mytoken.expose()).await.0, 401);
    assert_eq!(rig.introspect(leaf.mytoken.expose()).await.0, 200);
}

#[tokio::test]
async fn a_transfer_code_made_before_a_rotation_gives_the_dead_version_unless_the_fault_is_off() {
    let rig = Rig::start().await;
    let issued = rig.issue(rotating(Rotation { on_at: true, ..Rotation::default() }));
    let code = |mytoken: &str| rig.post("/api/v0/token/transfer", json!({"mytoken": mytoken}));
    let redeem = |made: Value| {
        let body = json!({"grant_type": "transfer_code", "transfer_code": made["transfer_code"]});
        rig.post("/api/v0/token/my", body)
    };
    let (one, other) = (code(issued.mytoken.expose()).await.1, code(issued.mytoken.expose()).await.1);
    rig.access(issued.mytoken.expose()).await;
    let (_, given) = redeem(one).await;
    assert_eq!((given["mytoken"].as_str(), given.get("rotation")), (Some(issued.mytoken.expose()), None));
    rig.mytokens.traps().stale_transfer_code = false;
    let (_, given) = redeem(other).await;
    assert_eq!(rig.introspect(given["mytoken"].as_str().expect("a mytoken")).await.0, 200);
}
