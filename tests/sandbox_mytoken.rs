//! The sandbox's two servers together: a mytoken from a login at the sandbox's provider, over real HTTP.
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::sync::Arc;

use serde_json::{Value, json};
use toktui::domain::secret::Secret;
use toktui::domain::time::{Clock, FixedClock, from_epoch};
use toktui::sandbox::mytoken::{Mytokens, Provider, Settings};
use toktui::sandbox::op::{self, Op};
use toktui::sandbox::serve::{self, Server};
use toktui::sandbox::visitor::{Choice, Visitor};

struct Sandbox {
    base: String,
    provider: String,
    op: Op,
    client: reqwest::Client,
    _servers: [Server; 2],
}

impl Sandbox {
    async fn open() -> Self {
        let clock: Arc<dyn Clock> = Arc::new(FixedClock::at(from_epoch(1_800_000_000)));
        let (bound, at_op) = (serve::bind(0).await.expect("a port"), serve::bind(0).await.expect("a port"));
        let (base, provider) = (bound.base(), format!("{}/realms/toktui", at_op.base()));
        let op = Op::new(op::Settings::new(&provider), Arc::clone(&clock)).expect("a provider");
        let known = Provider {
            issuer: provider.clone(),
            name: "Sandbox".to_owned(),
            client_id: "mytoken".to_owned(),
            client_secret: Some(Secret::new("mytoken-secret")),
            scopes: ["openid", "profile", "email", "offline_access"].map(str::to_owned).to_vec(),
            authorization_endpoint: None,
            token_endpoint: None,
            longest_life: None,
        };
        let settings = Settings { issuer: base.clone(), providers: vec![known], ..Settings::default() };
        let mytokens = Mytokens::new(settings, clock).expect("a server");
        let servers = [bound.serve(mytokens.handler()), at_op.serve(op.handler())];
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client");
        Self { base, provider, op, client, _servers: servers }
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let answer =
            self.client.post(format!("{}{path}", self.base)).json(&body).send().await.expect("an answer");
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }

    /// Logs in by a browser without a screen, and polls once.
    async fn log_in(&self, mut wish: Value, choice: Choice) -> (u16, Value) {
        wish["grant_type"] = "oidc_flow".into();
        wish["oidc_issuer"] = self.provider.clone().into();
        let (_, started) = self.post("/api/v0/token/my", wish).await;
        let browser = Visitor::new().expect("a visitor");
        let consent = started["consent_uri"].as_str().expect("an address");
        browser.visit(consent, choice, "alice").await.expect("the pages lead to an end");
        let poll = json!({"grant_type": "polling_code", "polling_code": started["polling_code"]});
        self.post("/api/v0/token/my", poll).await
    }

    async fn access(&self, mytoken: &Value, scope: &str) -> (u16, Value) {
        self.post(
            "/api/v0/token/access",
            json!({"grant_type": "mytoken", "mytoken": mytoken, "scope": scope}),
        )
        .await
    }
}

#[tokio::test]
async fn a_visitor_gets_a_mytoken_and_it_gives_access_tokens_though_the_provider_rotates() {
    let sandbox = Sandbox::open().await;
    let wish = json!({"name": "laptop", "restrictions": [{"usages_AT": 9, "usages_other": 9}]});
    let (status, given) = sandbox.log_in(wish, Choice::Approve).await;
    assert_eq!(status, 200, "{given}");
    for _ in 0..2 {
        let (status, answer) = sandbox.access(&given["mytoken"], "openid email").await;
        assert_eq!(status, 200, "{answer}");
        assert!(answer["scope"].as_str().is_some_and(|scope| scope.contains("email")), "{answer}");
    }
    // All at once: the provider ends a sign-in whose refresh token comes twice, so they must take turns.
    let many = (0..4).map(|_| sandbox.access(&given["mytoken"], "openid"));
    for (status, answer) in futures_util::future::join_all(many).await {
        assert_eq!(status, 200, "{answer}");
    }
}

#[tokio::test]
async fn a_visitor_who_declines_leaves_no_mytoken() {
    let sandbox = Sandbox::open().await;
    let (status, answer) = sandbox.log_in(json!({}), Choice::Deny).await;
    assert_eq!((status, &answer["error"]), (401, &json!("access_denied")));
}

#[tokio::test]
async fn a_provider_that_is_down_gives_an_empty_access_token_and_later_a_real_one() {
    let sandbox = Sandbox::open().await;
    let (_, given) = sandbox.log_in(json!({}), Choice::Approve).await;
    sandbox.op.quirks().down = true;
    let (status, answer) = sandbox.access(&given["mytoken"], "").await;
    assert_eq!((status, &answer["access_token"]), (200, &json!("")));
    sandbox.op.quirks().down = false;
    let (status, answer) = sandbox.access(&given["mytoken"], "").await;
    assert_eq!(status, 200, "{answer}");
}
