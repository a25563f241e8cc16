//! The sandbox's provider, asked over real HTTP as its clients ask it.
#![allow(clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use jsonwebtoken::jwk::{JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use reqwest::header::{HeaderMap, LOCATION};
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use toktui::domain::time::{Clock, FixedClock, from_epoch};
use toktui::sandbox::op::{Client, ExpiresIn, IdTokenFault, Op, RedirectFault, Settings, Signing};
use toktui::sandbox::serve::{self, Server};
use toktui::sandbox::visitor::{Choice, Error, Visitor};
use url::Url;

const START: i64 = 1_800_000_000;
const REDIRECT: &str = "http://127.0.0.1:45123/callback";
const VERIFIER: &str = "verifier-verifier-verifier-verifier-verifier-0";
const OTHER_VERIFIER: &str = "other-verifier-other-verifier-other-verifier-00";
const CHALLENGE: &str = "oUjlapE8k_EczXSizmqcOh-PLdpuu8XYbagrl9LFOqw";

/// Names and values of a query or form.
type Pairs = &'static [(&'static str, &'static str)];

struct Sandbox {
    op: Op,
    clock: Arc<FixedClock>,
    issuer: String,
    http: reqwest::Client,
    browser: Visitor,
    _server: Server,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("JSON: {} {}", self.status, self.body))
    }

    fn text(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap_or_else(|| panic!("no {name}: {:?}", keys(&self.json()))).to_owned()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// Status, `error` and `error_description`.
    fn refusal(&self) -> (u16, String, String) {
        (self.status, self.text("error"), self.text("error_description"))
    }
}

fn refused(status: u16, error: &str, description: &str) -> (u16, String, String) {
    (status, error.to_owned(), description.to_owned())
}

impl Sandbox {
    async fn open() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let bound = serve::bind(0).await.expect("a port");
        let issuer = format!("{}/realms/toktui", bound.base());
        let mut settings = Settings::new(&issuer);
        change(&mut settings);
        let clock = Arc::new(FixedClock::at(from_epoch(START)));
        let op = Op::new(settings, Arc::clone(&clock) as Arc<dyn Clock>).expect("a provider");
        let server = bound.serve(op.handler());
        let http = reqwest::Client::builder().redirect(Policy::none()).no_proxy().tls_certs_only([]);
        Self {
            op,
            clock,
            issuer,
            http: http.build().expect("a client"),
            browser: Visitor::new().expect("a visitor").stopping_before("http://127.0.0.1:45123/"),
            _server: server,
        }
    }

    fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    fn at(&self, path: &str) -> String {
        format!("{}/protocol/openid-connect/{path}", self.issuer)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let answer = request.send().await.expect("an answer");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Answer { status, headers, body: answer.text().await.expect("a body") }
    }

    async fn get(&self, url: &str) -> Answer {
        self.send(self.http.get(url)).await
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.send(self.http.post(self.at(path)).form(form)).await
    }

    async fn userinfo(&self, token: &str) -> Answer {
        self.send(self.http.get(self.at("userinfo")).bearer_auth(token)).await
    }

    fn auth_url(&self, changes: &[(&str, &str)]) -> String {
        let usual = [
            ("client_id", "toktui"),
            ("redirect_uri", REDIRECT),
            ("response_type", "code"),
            ("scope", "openid"),
            ("state", "st"),
            ("nonce", "no"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let kept = usual.iter().filter(|(name, _)| !changes.iter().any(|(other, _)| other == name));
        // An empty change takes the parameter away.
        let pairs = kept.chain(changes.iter().filter(|(_, value)| !value.is_empty()));
        Url::parse_with_params(&self.at("auth"), pairs).expect("an address").into()
    }

    /// The address that the browser is sent to at once, without a page.
    async fn sent_to(&self, changes: &[(&str, &str)]) -> String {
        let answer = self.get(&self.auth_url(changes)).await;
        assert_eq!(answer.status, 302, "{}", answer.body);
        answer.headers[LOCATION].to_str().expect("text").to_owned()
    }

    async fn code(&self, changes: &[(&str, &str)]) -> String {
        let end =
            self.browser.visit(&self.auth_url(changes), Choice::Approve, "alice").await.expect("an end");
        end.parameter("code").expect("a code")
    }

    async fn exchange(&self, code: &str, changes: &[(&str, &str)]) -> Answer {
        let usual = [
            ("grant_type", "authorization_code"),
            ("client_id", "toktui"),
            ("redirect_uri", REDIRECT),
            ("code", code),
            ("code_verifier", VERIFIER),
        ];
        let kept = usual.iter().filter(|(name, _)| !changes.iter().any(|(other, _)| other == name));
        let form: Vec<_> =
            kept.chain(changes.iter().filter(|(_, value)| !value.is_empty())).copied().collect();
        self.post("token", &form).await
    }

    async fn login(&self, scope: &str) -> Answer {
        let answer = self.exchange(&self.code(&[("scope", scope)]).await, &[]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer
    }

    async fn refresh(&self, token: &str, changes: &[(&str, &str)]) -> Answer {
        let usual = [("grant_type", "refresh_token"), ("client_id", "toktui"), ("refresh_token", token)];
        let kept = usual.iter().filter(|(name, _)| !changes.iter().any(|(other, _)| other == name));
        let form: Vec<_> = kept.chain(changes.iter()).copied().collect();
        self.post("token", &form).await
    }

    async fn device(&self) -> Answer {
        let form = [
            ("client_id", "toktui"),
            ("scope", "openid"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        self.post("auth/device", &form).await
    }

    async fn poll(&self, code: &str) -> Answer {
        self.poll_with(code, VERIFIER).await
    }

    async fn poll_with(&self, code: &str, verifier: &str) -> Answer {
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("client_id", "toktui"),
            ("device_code", code),
            ("code_verifier", verifier),
        ];
        self.post("token", &form).await
    }
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("a payload");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("JSON")
}

fn header(token: &str) -> Value {
    let header = token.split('.').next().expect("a header");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).expect("base64url")).expect("JSON")
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

// Discovery and keys

#[tokio::test]
async fn discovery_says_what_a_keycloak_says() {
    let sandbox = Sandbox::open().await;
    let answer = sandbox.get(&format!("{}/.well-known/openid-configuration", sandbox.issuer)).await;
    let document = answer.json();
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    assert_eq!(document["issuer"], sandbox.issuer.as_str());
    let endpoints = [
        ("authorization_endpoint", "auth"),
        ("token_endpoint", "token"),
        ("userinfo_endpoint", "userinfo"),
        ("introspection_endpoint", "token/introspect"),
        ("revocation_endpoint", "revoke"),
        ("end_session_endpoint", "logout"),
        ("device_authorization_endpoint", "auth/device"),
        ("jwks_uri", "certs"),
    ];
    for (name, path) in endpoints {
        assert_eq!(document[name], sandbox.at(path), "{name}");
    }
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    assert_eq!(document["code_challenge_methods_supported"], json!(["plain", "S256"]));
    let scopes = document["scopes_supported"].as_array().expect("a list");
    for scope in ["openid", "offline_access", "profile", "email", "eduperson_entitlement"] {
        assert!(scopes.contains(&json!(scope)), "{scope}");
    }
    // Public clients work all the same.
    let methods = document["token_endpoint_auth_methods_supported"].as_array().expect("a list");
    assert!(!methods.contains(&json!("none")));
}

#[tokio::test]
async fn another_realm_is_refused_in_prose() {
    let sandbox = Sandbox::open().await;
    let other = sandbox.issuer.replace("/toktui", "/other");
    let answer = sandbox.get(&format!("{other}/.well-known/openid-configuration")).await;
    assert_eq!((answer.status, answer.json()), (404, json!({"error": "Realm does not exist"})));
}

#[tokio::test]
async fn the_key_set_holds_a_key_that_signs_nothing() {
    let sandbox = Sandbox::open().await;
    let set: JwkSet = serde_json::from_value(sandbox.get(&sandbox.at("certs")).await.json()).expect("a set");
    let uses: Vec<_> = set.keys.iter().map(|key| key.common.public_key_use.clone().expect("a use")).collect();
    assert_eq!(uses, [PublicKeyUse::Encryption, PublicKeyUse::Signature, PublicKeyUse::Signature]);
    let mut names: Vec<_> = set.keys.iter().map(|key| key.common.key_id.clone().expect("a name")).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 3);
}

#[tokio::test]
async fn every_answer_bears_the_date_of_the_clock() {
    let sandbox = Sandbox::open().await;
    let answer = sandbox.get(&sandbox.at("certs")).await;
    assert_eq!(answer.headers.get_all("date").iter().collect::<Vec<_>>(), ["Fri, 15 Jan 2027 08:00:00 GMT"]);
}

// Authorization code

#[tokio::test]
async fn a_code_flow_gives_keycloaks_answer() {
    let sandbox = Sandbox::open().await;
    let start = sandbox.auth_url(&[]);
    let end = sandbox.browser.visit(&start, Choice::Approve, "alice").await.expect("an end");
    assert_eq!(end.parameter("state").as_deref(), Some("st"));
    assert_eq!(end.parameter("iss").as_deref(), Some(sandbox.issuer.as_str()));
    let answer = sandbox.exchange(&end.parameter("code").expect("a code"), &[]).await;
    let body = answer.json();
    assert_eq!(answer.status, 200);
    assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
    assert_eq!(
        keys(&body),
        [
            "access_token",
            "expires_in",
            "refresh_expires_in",
            "refresh_token",
            "token_type",
            "id_token",
            "not-before-policy",
            "session_state",
            "scope"
        ]
    );
    assert_eq!(body["expires_in"], 300);
    assert_eq!(body["refresh_expires_in"], 1800);
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["scope"], "openid email profile");
    assert_eq!(body["session_state"].as_str(), end.parameter("session_state").as_deref());
}

#[tokio::test]
async fn the_tokens_say_who_for_whom_and_until_when() {
    let sandbox = Sandbox::open().await;
    let answer = sandbox.login("openid").await;
    let access = claims(&answer.text("access_token"));
    let sub = sandbox.op.settings().users[0].sub.as_str();
    for (name, value) in [
        ("iss", json!(sandbox.issuer)),
        ("sub", json!(sub)),
        ("aud", json!("toktui-confidential")),
        ("azp", json!("toktui")),
        ("iat", json!(START)),
        ("exp", json!(START + 300)),
        ("typ", json!("Bearer")),
        ("scope", json!("openid email profile")),
        ("sid", answer.json()["session_state"].clone()),
    ] {
        assert_eq!(access[name], value, "{name}");
    }
    let id = claims(&answer.text("id_token"));
    for (name, value) in [
        ("iss", json!(sandbox.issuer)),
        ("sub", json!(sub)),
        ("aud", json!("toktui")),
        ("azp", json!("toktui")),
        ("nonce", json!("no")),
        ("auth_time", json!(START)),
        ("typ", json!("ID")),
        ("preferred_username", json!("alice")),
    ] {
        assert_eq!(id[name], value, "{name}");
    }
    let refresh = answer.text("refresh_token");
    assert_eq!(header(&refresh)["alg"], "HS512");
    assert_eq!(claims(&refresh)["typ"], "Refresh");
    assert_eq!(claims(&refresh)["exp"], START + 1800);
}

#[tokio::test]
async fn tokens_verify_against_the_key_set_in_either_algorithm() {
    let sandbox = Sandbox::with(|settings| {
        settings.clients.push(Client { signing: Signing::Es256, ..Client::public("curve") });
    })
    .await;
    let set: JwkSet = serde_json::from_value(sandbox.get(&sandbox.at("certs")).await.json()).expect("a set");
    for (client, algorithm) in [("toktui", Algorithm::RS256), ("curve", Algorithm::ES256)] {
        let code = sandbox.code(&[("client_id", client)]).await;
        let answer = sandbox.exchange(&code, &[("client_id", client)]).await;
        for name in ["access_token", "id_token"] {
            let token = answer.text(name);
            let kid = header(&token)["kid"].as_str().expect("a name").to_owned();
            let key = DecodingKey::from_jwk(set.find(&kid).expect("the key")).expect("usable");
            let mut rules = Validation::new(algorithm);
            rules.validate_exp = false;
            rules.validate_aud = false;
            jsonwebtoken::decode::<Value>(&token, &key, &rules).expect("a good signature");
        }
    }
}

#[tokio::test]
async fn without_openid_there_is_no_id_token_and_no_userinfo() {
    let sandbox = Sandbox::open().await;
    let answer = sandbox.login("profile").await;
    assert!(answer.json().get("id_token").is_none());
    let userinfo = sandbox.userinfo(&answer.text("access_token")).await;
    assert_eq!((userinfo.status, userinfo.body.as_str()), (403, ""));
    assert_eq!(
        userinfo.header("www-authenticate"),
        r#"Bearer realm="toktui", error="insufficient_scope", error_description="Missing openid scope""#
    );
}

#[tokio::test]
async fn what_the_client_may_not_ask_comes_back_as_an_error() {
    let sandbox = Sandbox::open().await;
    let iss = url::form_urlencoded::byte_serialize(sandbox.issuer.as_bytes()).collect::<String>();
    let table: [(Pairs, &str); 8] = [
        (
            &[("code_challenge", ""), ("code_challenge_method", "")],
            "error=invalid_request&error_description=Missing+parameter%3A+code_challenge_method",
        ),
        (
            &[("code_challenge_method", "plain")],
            "error=invalid_request&error_description=Invalid+parameter%3A+code+challenge+method+is+not+matching+the+configured+one",
        ),
        (
            &[("code_challenge", "")],
            "error=invalid_request&error_description=Missing+parameter%3A+code_challenge",
        ),
        (
            &[("scope", "openid nonsense")],
            "error=invalid_scope&error_description=Invalid+scopes%3A+openid+nonsense",
        ),
        (&[("prompt", "none")], "error=login_required"),
        (&[("response_type", "token")], "error=unsupported_response_type"),
        (
            &[("response_type", "")],
            "error=invalid_request&error_description=Missing+parameter%3A+response_type",
        ),
        (&[("request", "x")], "error=request_not_supported"),
    ];
    for (changes, query) in table {
        assert_eq!(sandbox.sent_to(changes).await, format!("{REDIRECT}?{query}&state=st&iss={iss}"));
    }
}

#[tokio::test]
async fn plain_is_refused_to_a_client_that_needs_no_pkce() {
    let sandbox = Sandbox::open().await;
    let to = sandbox.sent_to(&[("client_id", "toktui-short"), ("code_challenge_method", "plain")]).await;
    assert!(to.contains("error=invalid_request"), "{to}");
}

#[tokio::test]
async fn an_untrusted_way_back_gets_a_page_and_no_redirect() {
    let sandbox = Sandbox::open().await;
    let table: [(Pairs, &str); 4] = [
        (&[("redirect_uri", "https://evil.example/cb")], "Invalid parameter: redirect_uri"),
        (&[("redirect_uri", "")], "Invalid parameter: redirect_uri"),
        (&[("client_id", "<script>")], "Client not found."),
        (&[("client_id", "")], "Client not found."),
    ];
    for (changes, words) in table {
        let answer = sandbox.get(&sandbox.auth_url(changes)).await;
        assert_eq!(answer.status, 400);
        assert!(answer.headers.get(LOCATION).is_none());
        assert!(answer.body.contains(words), "{}", answer.body);
        assert!(!answer.body.contains("<script>"));
    }
}

#[tokio::test]
async fn a_visitor_who_refuses_brings_access_denied() {
    let sandbox = Sandbox::open().await;
    let start = sandbox.auth_url(&[]);
    let end = sandbox.browser.visit(&start, Choice::Deny, "alice").await.expect("an end");
    assert_eq!(end.parameter("error").as_deref(), Some("access_denied"));
    assert_eq!(end.parameter("error_description"), None);
    assert_eq!(end.parameter("state").as_deref(), Some("st"));
}

#[tokio::test]
async fn a_browser_that_has_signed_in_is_known_to_prompt_none() {
    let sandbox = Sandbox::open().await;
    sandbox.code(&[]).await;
    let again = sandbox.auth_url(&[("prompt", "none")]);
    let end = sandbox.browser.visit(&again, Choice::Approve, "nobody").await.expect("an end");
    assert!(end.parameter("code").is_some());
    sandbox.op.end_sessions_of("alice");
    let end = sandbox.browser.visit(&again, Choice::Approve, "nobody").await.expect("an end");
    assert_eq!(end.parameter("error").as_deref(), Some("login_required"));
}

#[tokio::test]
async fn consent_is_asked_when_the_client_asks_for_it() {
    let sandbox = Sandbox::open().await;
    let page = sandbox.get(&sandbox.auth_url(&[("prompt", "consent")])).await;
    let word = page.body.split("name=\"session_code\" value=\"").nth(1).expect("the word");
    let word = word.split('"').next().expect("the word");
    let press = |button: (&'static str, &'static str)| {
        let form = vec![("session_code", word.to_owned()), (button.0, button.1.to_owned())];
        let url = format!("{}/login-actions/authenticate", sandbox.issuer);
        sandbox.send(sandbox.http.post(url).form(&form))
    };
    let nobody = press(("user", "mallory")).await;
    assert_eq!(nobody.status, 200);
    assert!(nobody.body.contains("Invalid username."));
    let consent = press(("user", "alice")).await;
    assert_eq!(consent.status, 200);
    assert!(consent.body.contains("value=\"approve\"") && consent.body.contains("<li>email</li>"));
    // The page that was answered is answered once.
    let again = press(("user", "alice")).await;
    assert_eq!(again.status, 302);
    assert!(
        again
            .header("location")
            .contains("error=temporarily_unavailable&error_description=authentication_expired")
    );
}

#[tokio::test]
async fn pages_forbid_scripts_and_say_that_nothing_is_real() {
    let sandbox = Sandbox::with(|settings| settings.name = "<b>Sand</b>".to_owned()).await;
    let page = sandbox.get(&sandbox.auth_url(&[])).await;
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'unsafe-inline'"), "{policy}");
    assert!(policy.ends_with("form-action 'self' http://127.0.0.1:45123"), "{policy}");
    assert!(page.body.contains("toktui sandbox – nothing here is real"));
    assert!(page.body.contains("&lt;b&gt;Sand&lt;/b&gt;") && !page.body.contains("<b>Sand"));
}

// The token endpoint

#[tokio::test]
async fn a_code_is_refused_for_each_thing_that_is_wrong_with_it() {
    let sandbox = Sandbox::open().await;
    let table: [(Pairs, &str); 6] = [
        (&[("code_verifier", OTHER_VERIFIER)], "PKCE verification failed: Code mismatch"),
        (&[("code_verifier", "short")], "PKCE verification failed: Invalid code verifier"),
        (&[("code_verifier", "")], "PKCE code verifier not specified"),
        (&[("redirect_uri", "http://127.0.0.1:45124/callback")], "Incorrect redirect_uri"),
        (&[("client_id", "toktui-short")], "Auth error"),
        (&[("code", "nonsense")], "Code not valid"),
    ];
    for (changes, description) in table {
        let code = sandbox.code(&[]).await;
        let answer = sandbox.exchange(&code, changes).await;
        assert_eq!(answer.refusal(), refused(400, "invalid_grant", description));
    }
    let code = sandbox.code(&[]).await;
    sandbox.pass(60);
    let answer = sandbox.exchange(&code, &[]).await;
    assert_eq!(answer.refusal(), refused(400, "invalid_grant", "Code is expired"));
}

#[tokio::test]
async fn a_code_that_failed_once_is_spent() {
    let sandbox = Sandbox::open().await;
    let code = sandbox.code(&[]).await;
    sandbox.exchange(&code, &[("code_verifier", "")]).await;
    let answer = sandbox.exchange(&code, &[]).await;
    assert_eq!(answer.refusal(), refused(400, "invalid_grant", "Code not valid"));
}

#[tokio::test]
async fn a_code_used_twice_kills_what_it_gave() {
    let sandbox = Sandbox::open().await;
    let code = sandbox.code(&[]).await;
    let first = sandbox.exchange(&code, &[]).await;
    let second = sandbox.exchange(&code, &[]).await;
    assert_eq!(second.refusal(), refused(400, "invalid_grant", "Code not valid"));
    let refreshed = sandbox.refresh(&first.text("refresh_token"), &[]).await;
    assert_eq!(refreshed.refusal(), refused(400, "invalid_grant", "Session doesn't have required client"));
    assert_eq!(sandbox.userinfo(&first.text("access_token")).await.status, 401);
}

#[tokio::test]
async fn who_asks_and_what_for_is_checked_first() {
    let sandbox = Sandbox::open().await;
    let table: [(Pairs, u16, &str, &str); 6] = [
        (&[], 400, "invalid_request", "Missing form parameter: grant_type"),
        (&[("grant_type", "sorcery")], 400, "unsupported_grant_type", "Unsupported grant_type"),
        (
            &[("grant_type", "refresh_token"), ("client_id", "nobody")],
            401,
            "invalid_client",
            "Invalid client or Invalid client credentials",
        ),
        (
            &[("grant_type", "refresh_token"), ("client_id", "mytoken")],
            401,
            "unauthorized_client",
            "Invalid client or Invalid client credentials",
        ),
        (
            &[("grant_type", "refresh_token"), ("client_id", "toktui")],
            400,
            "invalid_request",
            "No refresh token",
        ),
        (
            &[("grant_type", "refresh_token"), ("grant_type", "refresh_token")],
            400,
            "invalid_request",
            "duplicated parameter",
        ),
    ];
    for (form, status, error, description) in table {
        let answer = sandbox.post("token", form).await;
        assert_eq!(answer.refusal(), refused(status, error, description), "{form:?}");
        assert_eq!(answer.header("content-type"), "application/json");
    }
    let answer = sandbox.get(&sandbox.at("nonsense")).await;
    assert_eq!(answer.status, 404);
    let answer = sandbox.get(&sandbox.at("token")).await;
    assert_eq!((answer.status, answer.json()), (405, json!({"error": "HTTP 405 Method Not Allowed"})));
}

#[tokio::test]
async fn a_confidential_client_may_name_itself_in_header_or_form() {
    let sandbox = Sandbox::open().await;
    let code = sandbox.code(&[("client_id", "mytoken")]).await;
    let answer =
        sandbox.exchange(&code, &[("client_id", "mytoken"), ("client_secret", "mytoken-secret")]).await;
    let form = [("grant_type", "refresh_token"), ("refresh_token", &answer.text("refresh_token"))];
    for (secret, status) in [("wrong", 401), ("mytoken-secret", 200)] {
        let request = sandbox.http.post(sandbox.at("token")).basic_auth("mytoken", Some(secret)).form(&form);
        assert_eq!(sandbox.send(request).await.status, status);
    }
}

// Refresh

#[tokio::test]
async fn a_refresh_gives_new_tokens_and_moves_the_end_of_the_family() {
    let sandbox = Sandbox::open().await;
    let first = sandbox.login("openid").await;
    sandbox.pass(1000);
    let second = sandbox.refresh(&first.text("refresh_token"), &[]).await;
    assert_eq!(second.status, 200, "{}", second.body);
    let (old, new) = (claims(&first.text("refresh_token")), claims(&second.text("refresh_token")));
    assert_eq!(new["reuse_id"], old["reuse_id"]);
    assert_eq!(new["sid"], old["sid"]);
    assert_eq!(new["exp"], START + 1000 + 1800);
    assert_ne!(first.text("access_token"), second.text("access_token"));
    // The nonce belongs to the first ID token only.
    assert!(claims(&second.text("id_token")).get("nonce").is_none());
}

#[tokio::test]
async fn one_reuse_kills_the_family_and_not_the_sign_in() {
    let sandbox = Sandbox::open().await;
    let first = sandbox.login("openid").await;
    let second = sandbox.refresh(&first.text("refresh_token"), &[]).await;
    let reused = sandbox.refresh(&first.text("refresh_token"), &[]).await;
    assert_eq!(
        reused.refusal(),
        refused(400, "invalid_grant", "Maximum allowed refresh token reuse exceeded")
    );
    let winner = sandbox.refresh(&second.text("refresh_token"), &[]).await;
    assert_eq!(winner.refusal(), refused(400, "invalid_grant", "Session doesn't have required client"));
    let userinfo = sandbox.userinfo(&second.text("access_token")).await;
    assert!(userinfo.header("www-authenticate").contains("user_session_not_found"));
    assert_eq!(sandbox.op.counts().reuses, 1);
    let again = sandbox.auth_url(&[("prompt", "none")]);
    let end = sandbox.browser.visit(&again, Choice::Approve, "alice").await.expect("an end");
    assert!(end.parameter("code").is_some());
}

#[tokio::test]
async fn a_client_that_does_not_rotate_may_use_a_refresh_token_again() {
    let sandbox = Sandbox::with(|settings| settings.clients[0].rotates = false).await;
    let first = sandbox.login("openid").await;
    for _ in 0..2 {
        let next = sandbox.refresh(&first.text("refresh_token"), &[]).await;
        assert_eq!(next.status, 200);
        assert_ne!(next.text("refresh_token"), first.text("refresh_token"));
    }
}

#[tokio::test]
async fn a_refresh_is_refused_in_keycloaks_words() {
    let sandbox = Sandbox::open().await;
    let login = sandbox.login("openid").await;
    let (access, token) = (login.text("access_token"), login.text("refresh_token"));
    for wrong in ["nonsense", access.as_str()] {
        let answer = sandbox.refresh(wrong, &[]).await;
        assert_eq!(answer.refusal(), refused(400, "invalid_grant", "Invalid refresh token"));
    }
    let answer = sandbox.refresh(&token, &[("client_id", "toktui-short")]).await;
    let other = "Invalid refresh token. Token client and authorized client don't match";
    assert_eq!(answer.refusal(), refused(400, "invalid_grant", other));
    sandbox.op.quirks().disabled.insert("alice".to_owned());
    assert_eq!(sandbox.refresh(&token, &[]).await.refusal(), refused(400, "invalid_grant", "User disabled"));
    sandbox.op.quirks().disabled.clear();
    sandbox.op.end_sessions_of("alice");
    assert_eq!(
        sandbox.refresh(&token, &[]).await.refusal(),
        refused(400, "invalid_grant", "Session not active")
    );
    sandbox.pass(1800);
    assert_eq!(
        sandbox.refresh(&token, &[]).await.refusal(),
        refused(400, "invalid_grant", "Token is not active")
    );
}

#[tokio::test]
async fn an_online_login_does_not_outlive_its_session() {
    let sandbox = Sandbox::with(|settings| settings.session_life = 1000).await;
    let login = sandbox.login("openid").await;
    assert_eq!(login.json()["refresh_expires_in"], 1000);
    sandbox.pass(900);
    let next = sandbox.refresh(&login.text("refresh_token"), &[]).await.json();
    assert_eq!((&next["refresh_expires_in"], &next["expires_in"]), (&json!(100), &json!(100)));
}

#[tokio::test]
async fn an_offline_token_has_no_end_and_survives_the_session() {
    let sandbox = Sandbox::open().await;
    let login = sandbox.login("openid offline_access").await;
    let token = login.text("refresh_token");
    assert_eq!(login.json()["refresh_expires_in"], 0);
    assert_eq!(claims(&token)["typ"], "Offline");
    assert!(claims(&token).get("exp").is_none());
    sandbox.op.end_sessions_of("alice");
    sandbox.pass(100 * 86_400);
    let next = sandbox.refresh(&token, &[]).await;
    assert_eq!(next.status, 200, "{}", next.body);
    let (newest, access) = (next.text("refresh_token"), next.text("access_token"));
    assert_eq!(sandbox.userinfo(&access).await.status, 200);
    let form = [("client_id", "toktui"), ("token", newest.as_str())];
    assert_eq!(sandbox.post("revoke", &form).await.status, 200);
    let answer = sandbox.refresh(&newest, &[]).await;
    assert_eq!(answer.refusal(), refused(400, "invalid_grant", "Offline user session not found"));
    assert_eq!(sandbox.userinfo(&access).await.status, 401);
}

#[tokio::test]
async fn fewer_scopes_can_be_had_for_one_access_token() {
    let sandbox = Sandbox::open().await;
    let login = sandbox.login("openid eduperson_entitlement storage.read").await;
    assert_eq!(login.json()["scope"], "openid email profile storage.read eduperson_entitlement");
    let group = &sandbox.op.settings().users[0].entitlements[0];
    let asked = format!("openid phone eduperson_entitlement:{group}");
    let narrow = sandbox.refresh(&login.text("refresh_token"), &[("scope", &asked)]).await;
    // The client's own scopes stay, what was never granted is left out without a word.
    assert_eq!(narrow.json()["scope"], format!("openid email profile eduperson_entitlement:{group}"));
    let userinfo = sandbox.userinfo(&narrow.text("access_token")).await.json();
    assert_eq!(userinfo["eduperson_entitlement"], json!([group]));
    let wide = sandbox.refresh(&narrow.text("refresh_token"), &[]).await;
    assert_eq!(wide.json()["scope"], login.json()["scope"]);
}

// Device flow

#[tokio::test]
async fn a_device_flow_waits_for_its_human() {
    let sandbox = Sandbox::open().await;
    let start = sandbox.device().await;
    let body = start.json();
    assert_eq!(
        keys(&body),
        [
            "device_code",
            "user_code",
            "verification_uri",
            "verification_uri_complete",
            "expires_in",
            "interval"
        ]
    );
    let (code, user_code) = (start.text("device_code"), start.text("user_code"));
    assert_eq!((code.len(), user_code.len(), user_code.find('-')), (43, 9, Some(4)));
    assert_eq!(body["verification_uri"], format!("{}/device", sandbox.issuer));
    assert_eq!(body["verification_uri_complete"], format!("{}/device?user_code={user_code}", sandbox.issuer));
    assert_eq!((&body["expires_in"], &body["interval"]), (&json!(600), &json!(5)));

    let pending = "The authorization request is still pending";
    assert_eq!(sandbox.poll(&code).await.refusal(), refused(400, "authorization_pending", pending));
    sandbox.pass(4);
    assert_eq!(sandbox.poll(&code).await.refusal(), refused(400, "slow_down", "Slow down"));
    // Being told to slow down does not start the interval anew.
    sandbox.pass(1);
    assert_eq!(sandbox.poll(&code).await.refusal(), refused(400, "authorization_pending", pending));
    assert_eq!((sandbox.op.counts().polls, sandbox.op.counts().early_polls), (3, 1));

    let address = start.text("verification_uri_complete");
    let end = sandbox.browser.visit(&address, Choice::Approve, "alice").await.expect("an end");
    assert_eq!(end.title.as_deref(), Some("Device Login Successful"));
    sandbox.pass(5);
    let wrong = sandbox.poll_with(&code, OTHER_VERIFIER).await;
    assert_eq!(wrong.refusal(), refused(400, "invalid_grant", "PKCE verification failed: Code mismatch"));
    sandbox.pass(5);
    let tokens = sandbox.poll(&code).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    assert_eq!(sandbox.userinfo(&tokens.text("access_token")).await.json()["preferred_username"], "alice");
    assert_eq!(sandbox.poll(&code).await.refusal(), refused(400, "invalid_grant", "Device code not valid"));
}

#[tokio::test]
async fn a_refused_device_hears_of_it_each_time() {
    let sandbox = Sandbox::open().await;
    let start = sandbox.device().await;
    let address = start.text("verification_uri_complete");
    let end = sandbox.browser.visit(&address, Choice::Deny, "alice").await.expect("an end");
    assert_eq!(end.title.as_deref(), Some("Device Login Failed"));
    for _ in 0..2 {
        let answer = sandbox.poll(&start.text("device_code")).await;
        let why = "The end user denied the authorization request";
        assert_eq!(answer.refusal(), refused(400, "access_denied", why));
        sandbox.pass(5);
    }
}

#[tokio::test]
async fn a_device_code_that_ended_is_soon_forgotten() {
    let sandbox = Sandbox::open().await;
    let code = sandbox.device().await.text("device_code");
    sandbox.pass(600);
    assert_eq!(sandbox.poll(&code).await.refusal(), refused(400, "expired_token", "Device code is expired"));
    sandbox.pass(4);
    assert_eq!(sandbox.poll(&code).await.refusal(), refused(400, "expired_token", "Device code is expired"));
    sandbox.pass(11);
    let forgotten = refused(400, "invalid_grant", "Device code not valid");
    assert_eq!(sandbox.poll(&code).await.refusal(), forgotten);
}

#[tokio::test]
async fn a_device_request_is_checked_like_the_others() {
    let sandbox = Sandbox::with(|settings| {
        settings.clients.push(Client { device: false, ..Client::public("browser-only") });
    })
    .await;
    let no_pkce = sandbox.post("auth/device", &[("client_id", "toktui")]).await;
    let missing = "Missing parameter: code_challenge_method";
    assert_eq!(no_pkce.refusal(), refused(400, "invalid_request", missing));
    let off = sandbox.post("auth/device", &[("client_id", "browser-only")]).await;
    assert_eq!((off.status, off.text("error")), (400, "unauthorized_client".to_owned()));
    let nobody = sandbox.post("auth/device", &[("client_id", "nobody")]).await;
    assert_eq!((nobody.status, nobody.text("error")), (401, "invalid_client".to_owned()));
    // No PKCE where it is not required, and an unknown scope is dropped without a word.
    let form = [("client_id", "toktui-short"), ("scope", "openid nonsense")];
    let short = sandbox.post("auth/device", &form).await;
    assert_eq!((short.status, &short.json()["expires_in"]), (200, &json!(4)));
}

#[tokio::test]
async fn a_user_code_is_taken_however_it_is_typed() {
    let sandbox = Sandbox::open().await;
    let user_code = sandbox.device().await.text("user_code");
    let page = format!("{}/device", sandbox.issuer);
    for typed in [user_code.clone(), user_code.to_lowercase(), user_code.replace('-', " ")] {
        let answer = sandbox.send(sandbox.http.post(&page).form(&[("device_user_code", &typed)])).await;
        assert!(answer.body.contains("Sign in as"), "{typed}");
    }
    let wrong = sandbox.send(sandbox.http.post(&page).form(&[("device_user_code", "AAAA-AAAA")])).await;
    assert_eq!(wrong.status, 200);
    assert!(wrong.body.contains("No device waits with this code."));
}

// Userinfo, introspection, revocation, logout

#[tokio::test]
async fn userinfo_tells_what_the_scopes_allow() {
    let sandbox = Sandbox::open().await;
    let scope = "openid eduperson_entitlement entitlements voperson_id eduperson_unique_id";
    let login = sandbox.login(scope).await;
    let body = sandbox.userinfo(&login.text("access_token")).await.json();
    let alice = &sandbox.op.settings().users[0];
    assert_eq!(body["sub"], alice.sub.as_str());
    assert_eq!(body["email"], "alice@example.org");
    assert_eq!(body["eduperson_entitlement"], json!(alice.entitlements));
    assert_eq!(body["entitlements"], json!(alice.entitlements));
    assert_eq!(body["voperson_id"], body["eduperson_unique_id"]);
    // Groups are told by userinfo only.
    assert!(claims(&login.text("access_token")).get("entitlements").is_none());
}

#[tokio::test]
async fn userinfo_refuses_with_an_empty_body() {
    let sandbox = Sandbox::open().await;
    let none = sandbox.get(&sandbox.at("userinfo")).await;
    assert_eq!((none.status, none.body.as_str()), (401, ""));
    assert_eq!(none.header("www-authenticate"), r#"Bearer realm="toktui""#);
    let login = sandbox.login("openid").await;
    let access = login.text("access_token");
    let not_in_urls = sandbox.get(&format!("{}?access_token={access}", sandbox.at("userinfo"))).await;
    assert_eq!(not_in_urls.status, 401);
    sandbox.pass(300);
    for token in ["nonsense", access.as_str()] {
        let answer = sandbox.userinfo(token).await;
        assert_eq!((answer.status, answer.body.as_str()), (401, ""));
        assert_eq!(
            answer.header("www-authenticate"),
            r#"Bearer realm="toktui", error="invalid_token", error_description="Token verification failed""#
        );
        assert_eq!(answer.header("content-type"), "text/plain");
    }
}

#[tokio::test]
async fn introspection_is_for_confidential_clients_the_token_is_meant_for() {
    let sandbox = Sandbox::open().await;
    let login = sandbox.login("openid").await;
    let access = login.text("access_token");
    let public = sandbox.post("token/introspect", &[("client_id", "toktui"), ("token", &access)]).await;
    assert_eq!(public.refusal(), refused(403, "invalid_request", "Client not allowed."));
    let nobody = sandbox.post("token/introspect", &[("token", &access)]).await;
    assert_eq!((nobody.status, nobody.text("error")), (401, "invalid_client".to_owned()));
    let ask = async |client: &str, secret: &str, token: &str| {
        let form = [("client_id", client), ("client_secret", secret), ("token", token)];
        sandbox.post("token/introspect", &form).await.json()
    };
    let good = ask("toktui-confidential", "toktui-secret", &access).await;
    assert_eq!((&good["active"], &good["username"]), (&json!(true), &json!("alice")));
    let inactive = json!({"active": false});
    assert_eq!(ask("mytoken", "mytoken-secret", &access).await, inactive);
    assert_eq!(ask("toktui-confidential", "toktui-secret", &login.text("refresh_token")).await, inactive);
    sandbox.pass(300);
    assert_eq!(ask("toktui-confidential", "toktui-secret", &access).await, inactive);
}

#[tokio::test]
async fn revoking_an_access_token_ends_only_that() {
    let sandbox = Sandbox::open().await;
    let login = sandbox.login("openid").await;
    let form = [("client_id", "toktui"), ("token", &login.text("access_token"))];
    let answer = sandbox.post("revoke", &form).await;
    assert_eq!((answer.status, answer.body.as_str(), answer.header("content-type")), (200, "", ""));
    let userinfo = sandbox.userinfo(&login.text("access_token")).await;
    assert!(userinfo.header("www-authenticate").contains("Token verification failed"));
    assert_eq!(sandbox.refresh(&login.text("refresh_token"), &[]).await.status, 200);
}

#[tokio::test]
async fn revoking_a_refresh_token_even_an_old_one_ends_the_session() {
    for old in [false, true] {
        let sandbox = Sandbox::open().await;
        let other = sandbox.login("openid").await;
        let first = sandbox.login("openid").await;
        let second = sandbox.refresh(&first.text("refresh_token"), &[]).await;
        let token = if old { first.text("refresh_token") } else { second.text("refresh_token") };
        let form = [("client_id", "toktui"), ("token", token.as_str())];
        let answer = sandbox.post("revoke", &form).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, ""));
        let userinfo = sandbox.userinfo(&second.text("access_token")).await;
        assert!(userinfo.header("www-authenticate").contains("user_session_not_found"));
        let refreshed = sandbox.refresh(&second.text("refresh_token"), &[]).await;
        assert_eq!(refreshed.refusal(), refused(400, "invalid_grant", "Session not active"));
        let again = sandbox.post("revoke", &form).await;
        assert_eq!(again.refusal(), refused(200, "invalid_token", "Invalid token"));
        // The sign-in itself has ended, and every other login in it.
        let other = sandbox.userinfo(&other.text("access_token")).await;
        assert!(other.header("www-authenticate").contains("user_session_not_found"));
    }
}

#[tokio::test]
async fn a_revocation_without_a_right_token_says_so() {
    let sandbox = Sandbox::open().await;
    let login = sandbox.login("openid").await;
    let token = login.text("refresh_token");
    let table = [
        (vec![("client_id", "toktui")], refused(400, "invalid_request", "Token not provided")),
        (
            vec![("client_id", "toktui"), ("token", "nonsense")],
            refused(200, "invalid_token", "Invalid token"),
        ),
        (
            vec![("client_id", "toktui-short"), ("token", &token)],
            refused(400, "invalid_request", "Unmatching clients"),
        ),
    ];
    for (form, expected) in table {
        assert_eq!(sandbox.post("revoke", &form).await.refusal(), expected);
    }
    assert_eq!(sandbox.refresh(&token, &[]).await.status, 200);
}

#[tokio::test]
async fn a_logout_ends_the_session_and_goes_where_it_may() {
    let sandbox = Sandbox::open().await;
    let login = sandbox.login("openid").await;
    let hint = login.text("id_token");
    let out = |back: &str| {
        let pairs = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", back), ("state", "s")];
        String::from(Url::parse_with_params(&sandbox.at("logout"), pairs).expect("an address"))
    };
    let evil = sandbox.get(&out("https://evil.example/")).await;
    assert_eq!(evil.status, 400);
    assert_eq!(sandbox.userinfo(&login.text("access_token")).await.status, 200);
    let good = sandbox.get(&out("http://127.0.0.1:45123/bye")).await;
    assert_eq!((good.status, good.header("location")), (302, "http://127.0.0.1:45123/bye?state=s"));
    assert_eq!(sandbox.userinfo(&login.text("access_token")).await.status, 401);
}

#[tokio::test]
async fn a_logout_without_a_hint_asks_first_and_with_a_refresh_token_does_not() {
    let sandbox = Sandbox::open().await;
    let login = sandbox.login("openid").await;
    assert!(sandbox.get(&sandbox.at("logout")).await.body.contains("Do you want to log out?"));
    assert_eq!(sandbox.userinfo(&login.text("access_token")).await.status, 200);
    let end = sandbox.browser.visit(&sandbox.at("logout"), Choice::Approve, "alice").await.expect("an end");
    assert_eq!(end.title.as_deref(), Some("You are logged out"));
    assert_eq!(sandbox.userinfo(&login.text("access_token")).await.status, 401);
    let login = sandbox.login("openid").await;
    let form = [("client_id", "toktui"), ("refresh_token", &login.text("refresh_token"))];
    assert_eq!(sandbox.post("logout", &form).await.status, 204);
    assert_eq!(sandbox.userinfo(&login.text("access_token")).await.status, 401);
}

// Quirks

#[tokio::test]
async fn each_redirect_fault_shows() {
    let sandbox = Sandbox::open().await;
    let denied = async |fault: RedirectFault| {
        sandbox.op.quirks().redirect = Some(fault);
        let start = sandbox.auth_url(&[]);
        sandbox.browser.visit(&start, Choice::Approve, "alice").await.expect("an end")
    };
    assert_eq!(denied(RedirectFault::NoIss).await.parameter("iss"), None);
    let other = denied(RedirectFault::OtherIss("https://op.example.net".to_owned())).await;
    assert_eq!(other.parameter("iss").as_deref(), Some("https://op.example.net"));
    let other = denied(RedirectFault::OtherState("forged".to_owned())).await;
    assert_eq!(other.parameter("state").as_deref(), Some("forged"));
}

#[tokio::test]
async fn each_id_token_fault_shows() {
    let sandbox = Sandbox::open().await;
    let good = sandbox.login("openid").await;
    let set: JwkSet = serde_json::from_value(sandbox.get(&sandbox.at("certs")).await.json()).expect("a set");
    let faulty = async |fault: IdTokenFault| {
        sandbox.op.quirks().id_token = Some(fault);
        sandbox.login("openid").await
    };
    let id = async |fault: IdTokenFault| claims(&faulty(fault).await.text("id_token"));
    assert_ne!(id(IdTokenFault::WrongNonce).await["nonce"], "no");
    assert_ne!(id(IdTokenFault::WrongIssuer).await["iss"], sandbox.issuer.as_str());
    assert_ne!(id(IdTokenFault::WrongAudience).await["aud"], "toktui");
    assert!(id(IdTokenFault::Expired).await["exp"].as_i64().expect("a number") < START);
    let hash_of = |token: &str| {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
        URL_SAFE_NO_PAD.encode(&digest.as_ref()[..16])
    };
    assert_eq!(claims(&good.text("id_token"))["at_hash"], hash_of(&good.text("access_token")));
    let wrong = faulty(IdTokenFault::WrongAtHash).await;
    assert_ne!(claims(&wrong.text("id_token"))["at_hash"], hash_of(&wrong.text("access_token")));
    let none = faulty(IdTokenFault::AlgNone).await.text("id_token");
    assert!(header(&none)["alg"] == "none" && none.ends_with('.'));
    let unknown = faulty(IdTokenFault::UnknownKey).await.text("id_token");
    assert!(set.find(header(&unknown)["kid"].as_str().expect("a name")).is_none());
    let forged = faulty(IdTokenFault::Forged).await.text("id_token");
    let kid = header(&forged)["kid"].as_str().expect("a name").to_owned();
    let key = DecodingKey::from_jwk(set.find(&kid).expect("the key")).expect("usable");
    let mut rules = Validation::new(Algorithm::RS256);
    rules.validate_exp = false;
    rules.validate_aud = false;
    assert!(jsonwebtoken::decode::<Value>(&forged, &key, &rules).is_err());
    assert!(jsonwebtoken::decode::<Value>(&good.text("id_token"), &key, &rules).is_ok());
    assert!(faulty(IdTokenFault::Absent).await.json().get("id_token").is_none());
}

#[tokio::test]
async fn the_other_quirks_show() {
    let sandbox = Sandbox::open().await;
    let login = sandbox.login("openid").await;
    let discovery = format!("{}/.well-known/openid-configuration", sandbox.issuer);

    sandbox.op.quirks().other_issuer = Some("https://op.example.net".to_owned());
    assert_eq!(sandbox.get(&discovery).await.json()["issuer"], "https://op.example.net");

    sandbox.op.quirks().refuse_refresh = Some("Stale token".to_owned());
    let refused_refresh = sandbox.refresh(&login.text("refresh_token"), &[]).await;
    assert_eq!(refused_refresh.refusal(), refused(400, "invalid_grant", "Stale token"));

    sandbox.op.quirks().drop_scope = vec!["email".to_owned()];
    sandbox.op.quirks().expires_in = ExpiresIn::Text;
    sandbox.op.quirks().no_refresh_token = true;
    let body = sandbox.login("openid").await.json();
    assert_eq!((&body["scope"], &body["expires_in"]), (&json!("openid profile"), &json!("300")));
    assert!(body.get("refresh_token").is_none() && body.get("refresh_expires_in").is_none());
    sandbox.op.quirks().expires_in = ExpiresIn::Absent;
    assert!(sandbox.login("openid").await.json().get("expires_in").is_none());

    let code = sandbox.device().await.text("device_code");
    sandbox.op.quirks().slow_down_every_nth = Some(2);
    let mut errors = Vec::new();
    for _ in 0..4 {
        errors.push(sandbox.poll(&code).await.text("error"));
        sandbox.pass(5);
    }
    assert_eq!(errors, ["authorization_pending", "slow_down", "authorization_pending", "slow_down"]);
    assert_eq!(sandbox.op.counts().early_polls, 0);

    sandbox.op.quirks().lose_answers = true;
    let lost = sandbox.device().await;
    assert_eq!((lost.status, sandbox.op.counts().device), (504, 2));
    sandbox.op.quirks().lose_answers = false;

    sandbox.op.quirks().down = true;
    let down = sandbox.get(&discovery).await;
    assert_eq!((down.status, down.header("content-type")), (503, "text/html; charset=utf-8"));
}

#[tokio::test]
async fn an_answer_that_was_lost_did_its_work() {
    let sandbox = Sandbox::open().await;
    let token = sandbox.login("openid").await.text("refresh_token");
    sandbox.op.quirks().lose_answers = true;
    assert_eq!(sandbox.refresh(&token, &[]).await.status, 504);
    sandbox.op.quirks().lose_answers = false;
    let reuse = "Maximum allowed refresh token reuse exceeded";
    assert_eq!(sandbox.refresh(&token, &[]).await.refusal(), refused(400, "invalid_grant", reuse));
}

#[tokio::test(start_paused = true)]
async fn a_delayed_answer_waits_on_tokios_clock() {
    let clock = Arc::new(FixedClock::at(from_epoch(START)));
    let op = Op::new(Settings::new("http://127.0.0.1:1/realms/toktui"), clock).expect("a provider");
    op.quirks().extra_delay = Duration::from_secs(30);
    let request = serve::Request {
        method: "GET".to_owned(),
        path: "/realms/toktui/device".to_owned(),
        query: BTreeMap::new(),
        headers: BTreeMap::new(),
        body: Vec::new(),
        peer: ([127, 0, 0, 1], 1).into(),
    };
    let start = tokio::time::Instant::now();
    assert_eq!(op.handler()(request).await.status, 200);
    assert_eq!(start.elapsed(), Duration::from_secs(30));
}

#[tokio::test]
async fn an_absurd_lifetime_is_given_as_it_was_set() {
    let sandbox = Sandbox::with(|settings| {
        settings.access_life = i64::MAX;
        settings.session_life = i64::MAX;
        settings.device_life = i64::MAX;
    })
    .await;
    assert_eq!(sandbox.login("openid").await.json()["expires_in"], i64::MAX - START);
    assert_eq!(sandbox.device().await.json()["expires_in"], i64::MAX);
}

#[test]
fn an_issuer_that_is_no_address_is_refused() {
    for issuer in ["", "nonsense", "ftp://127.0.0.1/", "http://127.0.0.1/?a=b"] {
        let clock = Arc::new(FixedClock::at(from_epoch(START)));
        assert!(Op::new(Settings::new(issuer), clock).is_err(), "{issuer}");
    }
}

// The visitor

/// A program's own callback, and a mytoken server's consent page that leads to the provider and back.
async fn others() -> Server {
    let answer = |request: serve::Request| match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/callback") => serve::Response::html(200, "<title>You may close this</title>"),
        ("GET", "/c/abc") => serve::Response::html(
            200,
            format!(
                r#"<form id="next" method="post"><input type="hidden" name="to" value="{}">
                <button name="decision" value="approve">Approve</button>
                <button name="decision" value="deny">Deny</button></form>"#,
                request.query["to"].replace('&', "&amp;")
            ),
        ),
        ("POST", "/c/abc") => match request.form()["decision"].as_str() {
            "approve" => serve::Response::redirect(303, request.form()["to"].clone()),
            _ => serve::Response::html(200, "<title>Denied here</title>"),
        },
        ("GET", "/redirect") => serve::Response::redirect(303, "/native"),
        ("GET", "/native") => serve::Response::html(200, "<title>Back to &lt;your&gt; program</title>"),
        ("GET", "/circle") => serve::Response::redirect(302, "/circle"),
        _ => serve::Response::text(404, "nothing here"),
    };
    let handler = move |request| Box::pin(std::future::ready(answer(request))) as _;
    serve::bind(0).await.expect("a port").serve(Arc::new(handler))
}

#[tokio::test]
async fn a_visitor_calls_back_and_stops_there() {
    let (sandbox, others) = (Sandbox::open().await, others().await);
    let callback = format!("{}/callback", others.base());
    let start = sandbox.auth_url(&[("redirect_uri", &callback)]);
    let end = sandbox.browser.visit(&start, Choice::Approve, "alice").await.expect("an end");
    assert_eq!((end.status, end.title.as_deref()), (Some(200), Some("You may close this")));
    assert!(end.address.expose().starts_with(&callback) && end.parameter("code").is_some());
}

#[tokio::test]
async fn a_visitor_walks_from_a_mytoken_servers_consent_page_through_the_provider() {
    let (sandbox, others) = (Sandbox::open().await, others().await);
    let redirect = format!("{}/redirect", others.base());
    let to =
        sandbox.auth_url(&[("client_id", "mytoken"), ("redirect_uri", &redirect), ("prompt", "consent")]);
    let start =
        Url::parse_with_params(&format!("{}/c/abc", others.base()), [("to", to)]).expect("an address");
    let end = sandbox.browser.visit(start.as_str(), Choice::Approve, "bob").await.expect("an end");
    assert_eq!(end.title.as_deref(), Some("Back to <your> program"));
    let end = sandbox.browser.visit(start.as_str(), Choice::Deny, "bob").await.expect("an end");
    assert_eq!(end.title.as_deref(), Some("Denied here"));
}

#[tokio::test]
async fn a_visitor_says_why_it_did_not_arrive() {
    let (sandbox, others) = (Sandbox::open().await, others().await);
    let visit = async |start: String| {
        sandbox.browser.visit(&start, Choice::Approve, "alice").await.expect_err("no way")
    };
    assert!(matches!(visit(format!("{}/circle", others.base())).await, Error::Circle));
    assert!(matches!(visit(format!("{}/device", sandbox.issuer)).await, Error::NoButton { step: 0 }));
    let gone = others.base();
    drop(others);
    assert!(matches!(visit(gone).await, Error::Unreachable(_)));
}

#[tokio::test]
async fn opaque_access_tokens_work_like_the_others() {
    let sandbox = Sandbox::with(|settings| settings.clients[0].jwt_access = false).await;
    let login = sandbox.login("openid").await;
    let access = login.text("access_token");
    assert!(!access.contains('.'));
    assert_eq!(sandbox.userinfo(&access).await.status, 200);
}

#[tokio::test]
async fn an_audience_counts_where_the_client_may_choose() {
    let sandbox = Sandbox::open().await;
    let code = sandbox.code(&[("client_id", "mytoken")]).await;
    let own = [("client_id", "mytoken"), ("client_secret", "mytoken-secret")];
    let login = sandbox.exchange(&code, &own).await;
    assert!(claims(&login.text("access_token")).get("aud").is_none());
    let asked = [own[0], own[1], ("audience", "https://a.example https://b.example")];
    let next = sandbox.refresh(&login.text("refresh_token"), &asked).await;
    assert_eq!(claims(&next.text("access_token"))["aud"], json!(["https://a.example", "https://b.example"]));
}

#[tokio::test]
async fn the_log_shows_that_no_token_was_in_a_request_line() {
    let sandbox = Sandbox::open().await;
    let login = sandbox.login("openid").await;
    sandbox.userinfo(&login.text("access_token")).await;
    let log = sandbox.op.log();
    assert!(
        log.iter()
            .any(|line| line.starts_with("GET /realms/toktui/protocol/openid-connect/auth?client_id=toktui"))
    );
    for name in ["access_token", "refresh_token", "id_token"] {
        assert!(!log.iter().any(|line| line.contains(&login.text(name))));
    }
    let counts = sandbox.op.counts();
    assert_eq!((counts.authorization, counts.token, counts.userinfo), (1, 1, 1));
}
