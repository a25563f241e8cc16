//! Answers that no good provider gives, and what is made of them.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use toktui::domain::secret::Secret;
use toktui::domain::source::{Client, RefreshScope};
use toktui::http::{Error as HttpError, Http};
use toktui::oidc::code::{Wish, authorization_url, pushed_authorization_url};
use toktui::oidc::device::{Poll, poll_once, start};
use toktui::oidc::discovery::{Metadata, discover, discover_at};
use toktui::oidc::introspection::introspect;
use toktui::oidc::keys::KeySet;
use toktui::oidc::pkce::{Attempt, Verifier};
use toktui::oidc::probe::{self, Taken};
use toktui::oidc::refresh::{self, refresh};
use toktui::oidc::revocation::{Kind, Revoked, is_unsupported, revoke};
use toktui::oidc::tokens::TokenSet;
use toktui::oidc::userinfo::userinfo;
use toktui::oidc::{Cause, Error};
use toktui::sandbox::serve::{self, Request, Response, Server};
use url::Url;

const ENDPOINTS: [&str; 9] = [
    "authorization_endpoint",
    "token_endpoint",
    "device_authorization_endpoint",
    "userinfo_endpoint",
    "introspection_endpoint",
    "revocation_endpoint",
    "pushed_authorization_request_endpoint",
    "registration_endpoint",
    "jwks_uri",
];

/// A provider that gives the same answer to everything but discovery, and remembers what it was asked.
struct Liar {
    http: Http,
    metadata: Metadata,
    client: Client,
    asked: Arc<Mutex<Vec<Request>>>,
    _server: Server,
}

impl Liar {
    async fn saying(answer: Response) -> Self {
        let bound = serve::bind(0).await.expect("a port");
        let issuer = bound.base();
        let mut document = json!({"issuer": issuer});
        for name in ENDPOINTS {
            document[name] = json!(format!("{issuer}/{name}"));
        }
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        let server = bound.serve(Arc::new(move |request: Request| {
            let reply = if request.path.starts_with("/.well-known/") {
                Response::json(200, &document)
            } else {
                seen.lock().expect("whole").push(request);
                answer.clone()
            };
            Box::pin(async move { reply })
        }));
        let http = Http::default();
        let metadata = discover(&http, &issuer).await.expect("a document");
        let client = Client { secret: Some(Secret::new("s")), ..Client::public("toktui") };
        Self { http, metadata, client, asked, _server: server }
    }

    fn asked(&self) -> Vec<Request> {
        self.asked.lock().expect("whole").clone()
    }

    async fn refresh(&self) -> Result<TokenSet, Error> {
        let wish = refresh::Wish {
            client: &self.client,
            policy: RefreshScope::Omit,
            scopes: &[],
            narrowed: None,
            extra: &[],
        };
        refresh(&self.http, &self.metadata, wish, &Secret::new("rt")).await
    }

    async fn revoke(&self) -> Result<Revoked, Error> {
        revoke(&self.http, &self.metadata, &self.client, &Secret::new("rt"), Kind::Refresh).await
    }
}

fn body(status: u16, text: &str) -> Response {
    Response::text(status, text)
}

#[tokio::test]
async fn a_granted_token_survives_every_odd_field_beside_it() {
    let odd = [
        r#"{"access_token":"at","refresh_token":"rt2","expires_in":"3600","scope":["a","b"],"token_type":7}"#,
        r#"{"access_token":"at","refresh_token":"rt2","expires_in":NaN}"#,
        r#"{"access_token":"at","refresh_token":"rt2","name":"\ud800"}"#,
        "\u{feff}{\"access_token\":\"at\",\"refresh_token\":\"rt2\"}",
        r#"{"access_token":"at0","access_token":"at","refresh_token":"rt2"}"#,
    ];
    for text in odd {
        let tokens = Liar::saying(body(200, text)).await.refresh().await.expect(text);
        assert_eq!(
            (tokens.access.expose(), tokens.refresh.as_ref().map(Secret::expose)),
            ("at", Some("rt2"))
        );
    }
}

#[tokio::test]
async fn a_success_without_a_token_is_an_error_that_repeats_nothing_of_it() {
    let texts = [
        r#"{"refresh_token":"tok-canary"}"#,
        r#"{"access_token":["tok-canary"]}"#,
        r#"{"access_token":"tok-canary"#,
        "<html>tok-canary</html>",
        "",
    ];
    for text in texts {
        let error = Liar::saying(body(200, text)).await.refresh().await.expect_err("no token");
        assert!(matches!(error, Error::Refresh(Cause::Senseless(_))), "{error:?}");
        assert!(error.may_have_acted() && !error.is_for_good());
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
    let github = Liar::saying(body(200, r#"{"error":"invalid_grant"}"#)).await.refresh().await;
    assert!(matches!(github, Err(Error::Refresh(Cause::Refused(_)))));
}

#[tokio::test]
async fn a_redirect_or_a_flood_at_an_endpoint_that_takes_secrets_is_an_error() {
    for status in [301, 302, 303, 307, 308] {
        let liar = Liar::saying(Response::redirect(status, "http://127.0.0.1:9/")).await;
        let error = liar.refresh().await.expect_err("not followed");
        assert!(matches!(error, Error::Refresh(Cause::Unanswered(HttpError::Redirected { .. }))), "{status}");
        assert!(!error.is_temporary());
        assert_eq!(liar.asked().len(), 1);
    }
    let flood = Liar::saying(body(200, &"x".repeat(65 << 10))).await.refresh().await;
    assert!(matches!(flood, Err(Error::Refresh(Cause::Unanswered(HttpError::TooLarge { .. })))));
}

#[tokio::test]
async fn the_wait_that_a_server_asks_for_reaches_the_caller() {
    let busy = Response::json(429, &json!({"error": "slow_down"})).with("retry-after", "17");
    let error = Liar::saying(busy).await.refresh().await.expect_err("busy");
    assert_eq!(error.retry_after().map(|wait| wait.as_secs()), Some(17));
    assert!(error.is_temporary());
}

#[tokio::test]
async fn a_revocation_is_done_only_when_the_provider_says_so() {
    let table = [
        (Response::empty(200), Some(Revoked::Done)),
        (Response::empty(204), Some(Revoked::Done)),
        (body(200, "OK"), Some(Revoked::Done)),
        (Response::json(200, &json!({})), Some(Revoked::Done)),
        (Response::json(200, &json!({"error": "invalid_token"})), Some(Revoked::Unknown)),
        (Response::json(400, &json!({"error": "invalid_token"})), Some(Revoked::Unknown)),
        (Response::json(200, &json!({"error": "server_error"})), None),
        (Response::html(200, "<h1>Welcome to our hotel</h1>"), None),
        (Response::json(503, &json!({})), None),
    ];
    for (answer, expected) in table {
        let shown = format!("{answer:?}");
        let liar = Liar::saying(answer).await;
        assert_eq!(liar.revoke().await.ok(), expected, "{shown}");
        let form = liar.asked()[0].form();
        assert_eq!((form["token"].as_str(), form["token_type_hint"].as_str()), ("rt", "refresh_token"));
    }
    let unsupported = Liar::saying(Response::json(400, &json!({"error": "unsupported_token_type"}))).await;
    assert!(is_unsupported(&unsupported.revoke().await.expect_err("unsupported")));
}

#[tokio::test]
async fn an_introspection_or_key_set_of_another_shape_is_no_answer() {
    for text in ["{}", r#"{"active":"true"}"#, "[]", "true", "<html>"] {
        let liar = Liar::saying(body(200, text)).await;
        let said =
            introspect(&liar.http, &liar.metadata, &liar.client, &Secret::new("t"), Kind::Access).await;
        assert!(matches!(said, Err(Error::Introspection(Cause::Senseless(_)))), "{text}");
        let keys = KeySet::fetch(&liar.http, &liar.metadata).await;
        assert!(matches!(keys, Err(Error::Keys(Cause::Senseless(_)))), "{text}");
        let user = userinfo(&liar.http, &liar.metadata, &Secret::new("t"), None, None).await;
        assert!(matches!(user, Err(Error::Userinfo(Cause::Senseless(_)))), "{text}");
    }
}

#[tokio::test]
async fn a_device_start_is_believed_only_with_a_code_and_a_safe_address() {
    let verifier = Verifier::random().expect("random");
    let scopes = ["openid".to_owned()];
    let good = json!({"device_code": "d", "user_code": "U", "verification_uri": "https://op.example.org/d"});
    let started = |answer: Value| {
        let (verifier, scopes) = (&verifier, &scopes);
        async move {
            let liar = Liar::saying(Response::json(200, &answer)).await;
            let wish = Wish { client: &liar.client, scopes, extra: &[] };
            let started = start(&liar.http, &liar.metadata, wish, verifier).await;
            (started, liar)
        }
    };
    let (begun, liar) = started(good.clone()).await;
    let form = liar.asked()[0].form();
    assert_eq!(form["code_challenge"], verifier.challenge());
    assert_eq!(form["code_challenge_method"], "S256");
    let poll =
        poll_once(&liar.http, &liar.metadata, &liar.client, &begun.expect("begun"), &verifier, &[]).await;
    assert!(matches!(poll, Poll::Failed(_)));
    let form = liar.asked()[1].form();
    assert_eq!(form["device_code"], "d");
    assert_eq!(form["code_verifier"].len(), 43);
    for (name, value) in [
        ("device_code", json!(7)),
        ("user_code", json!("")),
        ("verification_uri", json!("http://op.example.org/d")),
        ("verification_uri", json!("javascript:alert(1)")),
        ("verification_uri", Value::Null),
    ] {
        let mut bad = good.clone();
        bad[name] = value.clone();
        let (refused, _) = started(bad).await;
        assert!(matches!(refused, Err(Error::DeviceStart(Cause::Senseless(_)))), "{name} {value}");
    }
}

#[tokio::test]
async fn a_signed_userinfo_answer_is_checked_where_there_are_keys() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
    let token = |claims: &Value| {
        format!("{}.{}.c2ln", B64.encode(r#"{"alg":"ES256","kid":"k"}"#), B64.encode(claims.to_string()))
    };
    let answer = |claims: &Value| {
        let mut answer = Response::text(200, token(claims));
        answer.headers = vec![("content-type".to_owned(), "application/jwt; charset=utf-8".to_owned())];
        answer
    };
    let liar = Liar::saying(answer(&json!({"sub": "alice"}))).await;
    let info = userinfo(&liar.http, &liar.metadata, &Secret::new("t"), None, None).await.expect("read");
    assert_eq!((info.subject.raw(), info.is_signed), ("alice", false));
    let request = &liar.asked()[0];
    assert_eq!((request.bearer(), request.query.len()), (Some("t"), 0));
    let foreign = Liar::saying(answer(&json!({"sub": "alice", "iss": "https://evil.example.org"}))).await;
    let said = userinfo(&foreign.http, &foreign.metadata, &Secret::new("t"), None, None).await;
    assert!(matches!(said, Err(Error::IdToken(_))));
    let with_keys = Liar::saying(Response::json(200, &json!({"keys": []}))).await;
    let keys = KeySet::fetch(&with_keys.http, &with_keys.metadata).await.expect("keys");
    let said = userinfo(&liar.http, &liar.metadata, &Secret::new("t"), None, Some(&keys)).await;
    assert!(matches!(said, Err(Error::IdToken(_))), "nobody vouches for it");
}

#[tokio::test]
async fn a_pushed_request_keeps_everything_but_client_and_handle_out_of_the_browser() {
    let liar = Liar::saying(Response::json(201, &json!({"request_uri": "urn:x:1", "expires_in": 60}))).await;
    let (attempt, scopes) = (Attempt::random().expect("random"), ["openid".to_owned()]);
    let redirect = Url::parse("http://127.0.0.1:45123/callback").expect("an address");
    let wish = Wish { client: &liar.client, scopes: &scopes, extra: &[] };
    let url = pushed_authorization_url(&liar.http, &liar.metadata, wish, &attempt, &redirect)
        .await
        .expect("an address");
    assert_eq!(url.query(), Some("client_id=toktui&request_uri=urn%3Ax%3A1"));
    let form = liar.asked()[0].form();
    assert_eq!(form["state"], attempt.state.expose());
    assert_eq!(form["client_id"], "toktui");
}

#[tokio::test]
async fn scopes_that_are_refused_where_a_request_is_pushed_are_told_from_a_refused_redirect_address() {
    let (scopes, redirect) = (["openid".to_owned()], Url::parse("http://127.0.0.1:45123/callback"));
    let redirect = redirect.expect("an address");
    for (code, is_of_scopes) in [("invalid_scope", true), ("invalid_request", false)] {
        let refusal = json!({"error": code, "error_description": "no such thing"});
        let liar = Liar::saying(Response::json(400, &refusal)).await;
        let metadata = Metadata { pushed_required: true, ..liar.metadata.clone() };
        let wish = Wish { client: &liar.client, scopes: &scopes, extra: &[] };
        let taken = probe::ask(&liar.http, &metadata, wish, &redirect).await;
        let back = Taken::Back { error: code.into(), description: Some("no such thing".into()) };
        assert_eq!(taken.as_ref().ok(), Some(&back).filter(|_| is_of_scopes), "{taken:?}");
    }
}

#[tokio::test]
async fn what_a_provider_does_not_offer_is_named_and_nothing_is_sent() {
    let bound = serve::bind(0).await.expect("a port");
    let issuer = bound.base();
    let document = json!({"issuer": issuer});
    let _server = bound.serve(Arc::new(move |_| {
        let document = document.clone();
        Box::pin(async move { Response::json(200, &document) })
    }));
    let http = Http::default();
    let metadata = discover_at(&http, &issuer, &format!("{issuer}/elsewhere")).await.expect("a document");
    let client = Client::public("toktui");
    let wish = Wish { client: &client, scopes: &[], extra: &[] };
    let attempt = Attempt::random().expect("random");
    let redirect = Url::parse("http://127.0.0.1:1/callback").expect("an address");
    let no_browser = authorization_url(&metadata, wish, &attempt, &redirect).expect_err("not offered");
    assert_eq!(no_browser.to_string(), "the provider offers no authorization endpoint");
    let no_device = start(&http, &metadata, wish, &attempt.verifier).await.expect_err("not offered");
    assert_eq!(no_device, Error::DeviceStart(Cause::NotOffered("login by device code")));
    assert!(!no_device.is_temporary() && !no_device.is_unreached());
}
