//! The server as its clients see it: over HTTP, on a clock that is moved by hand.

mod profiles;
mod subtokens;

use std::sync::Arc;

use jiff::SignedDuration;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::{Clause, Issued, Kind, Mytokens, Order, Provider, Rotation, Settings, Template};
use crate::domain::secret::Secret;
use crate::domain::time::{FixedClock, from_epoch};
use crate::sandbox::serve::{self, Handler, Response, Server};

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
        Self::with(Vec::new()).await
    }

    async fn with(providers: Vec<Provider>) -> Self {
        Self::set_up(|settings| settings.providers = providers).await
    }

    /// A server whose operator changed something.
    async fn set_up(change: impl FnOnce(&mut Settings)) -> Self {
        let bound = serve::bind(0).await.expect("loopback can be bound");
        let base = bound.base();
        let clock = Arc::new(FixedClock::at(from_epoch(1_800_000_000)));
        let mut settings = Settings { issuer: base.clone(), ..Settings::default() };
        change(&mut settings);
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
        if wish.get("oidc_issuer").is_none() {
            wish["oidc_issuer"] = format!("{}/api/v0/guests", self.base).into();
        }
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

/// A provider at `base` that any code and refresh token will do for.
fn provider(base: &str) -> Provider {
    Provider {
        issuer: base.to_owned(),
        name: "Easy".to_owned(),
        client_id: "mytoken".to_owned(),
        client_secret: None,
        scopes: vec!["openid".to_owned()],
        authorization_endpoint: Some(format!("{base}/auth")),
        token_endpoint: Some(format!("{base}/token")),
        longest_life: None,
    }
}

/// Sends the browser straight back, and answers at the token endpoint as `tokens` says, once `gate` lets it.
async fn easy_provider(tokens: Response, gate: Arc<Semaphore>) -> Server {
    let handler: Handler = Arc::new(move |request| {
        let (tokens, gate) = (tokens.clone(), gate.clone());
        Box::pin(async move {
            if request.path == "/auth" {
                let back =
                    format!("{}?code=c&state={}", request.query["redirect_uri"], request.query["state"]);
                return Response::redirect(302, back);
            }
            gate.acquire().await.expect("the gate stays").forget();
            tokens
        })
    });
    serve::bind(0).await.expect("a port").serve(handler)
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

/// Sends two access token requests with one version so that both are checked before either is answered.
async fn two_at_once(forks: bool) -> (Rig, [(u16, Value); 2]) {
    let gate = Arc::new(Semaphore::new(0));
    let tokens =
        Response::json(200, &json!({"access_token": "at", "token_type": "Bearer", "expires_in": 60}));
    let op = easy_provider(tokens, gate.clone()).await;
    let rig = Rig::with(vec![provider(&op.base())]).await;
    rig.mytokens.traps().parallel_rotation_forks = forks;
    let order = rotating(Rotation { on_at: true, ..Rotation::default() });
    let issued = rig.issue(Order { issuer: op.base(), ..order });
    let mytoken = issued.mytoken.expose();
    let opened = async {
        while rig.mytokens.requests("POST /api/v0/token/access") < 2 {
            tokio::task::yield_now().await;
        }
        gate.add_permits(8);
    };
    let (one, other, ()) = tokio::join!(rig.access(mytoken), rig.access(mytoken), opened);
    let answers = [one, other];
    for (status, answer) in &answers {
        if *status == 200 {
            assert_eq!(rig.introspect(updated(answer)).await.1["token"]["seq_no"], 2);
        }
    }
    let again = |answer: &Value| {
        answer["token_update"]["mytoken"].as_str().unwrap_or("none at all, thirty-two long").to_owned()
    };
    let again = [rig.access(&again(&answers[0].1)).await, rig.access(&again(&answers[1].1)).await];
    assert_eq!(again.iter().filter(|(status, _)| *status == 200).count(), 1);
    (rig, answers)
}

#[tokio::test]
async fn two_uses_at_once_fork_a_rotating_mytoken_and_only_the_last_version_opens() {
    let (rig, answers) = two_at_once(true).await;
    assert_eq!(answers.map(|(status, _)| status), [200, 200]);
    assert_eq!(rig.mytokens.stale_presentations(), 1);
}

#[tokio::test]
async fn without_that_fault_the_second_of_two_uses_at_once_is_refused() {
    let (_, answers) = two_at_once(false).await;
    let mut statuses = answers.map(|(status, _)| status);
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
}

#[tokio::test]
async fn polling_stays_pending_after_a_login_that_failed_late_unless_the_fault_is_off() {
    let refusal = Response::json(400, &json!({"error": "invalid_grant"}));
    let op = easy_provider(refusal, Arc::new(Semaphore::new(8))).await;
    let rig = Rig::with(vec![provider(&op.base())]).await;
    for (stays, status) in [(true, 428), (false, 401)] {
        rig.mytokens.traps().failed_login_stays_pending = stays;
        let login = rig.start_login(json!({"oidc_issuer": op.base()})).await;
        assert_eq!(rig.decide(&login, "approve").await, 400);
        assert_eq!(rig.poll(&login["polling_code"]).await.0, status);
    }
}

#[tokio::test]
async fn a_login_without_a_refresh_token_is_the_provider_s_fault() {
    let tokens = Response::json(200, &json!({"access_token": "at"}));
    let op = easy_provider(tokens, Arc::new(Semaphore::new(8))).await;
    let rig = Rig::with(vec![provider(&op.base())]).await;
    let login = rig.start_login(json!({"oidc_issuer": op.base()})).await;
    assert_eq!(rig.decide(&login, "approve").await, 555);
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_a_500_and_costs_nothing() {
    let op = easy_provider(Response::empty(200), Arc::new(Semaphore::new(0))).await;
    let rig = Rig::with(vec![provider(&op.base())]).await;
    let order = Order { issuer: op.base(), restrictions: counted(1, 1), ..Order::default() };
    let issued =
        rig.issue(Order { rotation: Some(Rotation { on_at: true, ..Rotation::default() }), ..order });
    drop(op);
    assert_eq!(rig.access(issued.mytoken.expose()).await.0, 500);
    let (status, looked_up) = rig.introspect(issued.mytoken.expose()).await;
    assert_eq!(
        (status, &looked_up["token"]["restrictions"][0]),
        (200, &json!({"usages_AT": 1, "usages_other": 1}))
    );
}

#[tokio::test]
async fn a_mytoken_may_do_only_what_its_capabilities_cover() {
    let rig = Rig::start().await;
    let only = |name: &str| Order { capabilities: vec![name.to_owned()], ..Order::default() };
    let (reader, drawer) = (rig.issue(only("tokeninfo:history")), rig.issue(only("AT")));
    let statuses = |mytoken: Secret| {
        let rig = &rig;
        async move {
            let mytoken = mytoken.expose();
            [rig.access(mytoken).await.0, rig.introspect(mytoken).await.0, rig.history(mytoken).await.0]
        }
    };
    assert_eq!(statuses(reader.mytoken).await, [403, 403, 200]);
    assert_eq!(statuses(drawer.mytoken).await, [200, 403, 403]);
}

#[tokio::test]
async fn a_lost_answer_has_rotated_all_the_same() {
    let rig = Rig::start().await;
    let issued = rig.issue(rotating(Rotation { on_at: true, ..Rotation::default() }));
    rig.mytokens.traps().answers_get_lost = true;
    let (status, page) = rig.access(issued.mytoken.expose()).await;
    assert_eq!((status, page.is_string()), (504, true));
    rig.mytokens.traps().answers_get_lost = false;
    assert_eq!(rig.access(issued.mytoken.expose()).await, (401, json!({"error": "invalid_token"})));
}
