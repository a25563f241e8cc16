//! The protocols of the room `oidc` against a real Keycloak, with a user in a real headless Chromium.
//!
//! `.ci/run` starts both; by hand: `tests/real/keycloak.sh start`, `npm install playwright-core` in a folder named by
//! `TOKTUI_TEST_BROWSER`, and `TOKTUI_TEST_KEYCLOAK=http://127.0.0.1:8180/realms/toktui`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::path::Path;
use std::time::Duration;

use tokio::time::sleep;

use toktui::config::Config;
use toktui::desktop::clock::SystemClock;
use toktui::domain::secret::Secret;
use toktui::domain::source::{Client, ClientAuth, Source};
use toktui::domain::time::{Clock, from_epoch};
use toktui::domain::untrusted::Untrusted;
use toktui::http::{Http, Limits};
use toktui::oidc::callback;
use toktui::oidc::device::{self, End};
use toktui::oidc::discovery::{self, Difference};
use toktui::oidc::id_token;
use toktui::oidc::pkce::{Attempt, Verifier};
use toktui::oidc::revocation::{self, Kind, Revoked};
use toktui::oidc::tokens::TokenSet;
use toktui::oidc::{Error, code, introspection, userinfo};

#[path = "support/op.rs"]
mod op;
use op::{Op, User, finished, said};

/// In a real Chromium.
const USER: User = User(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real/sign-in.mjs"));

/// Public, and Keycloak insists on PKCE for it. Its access tokens live 60 s.
const CLIENT: &str = "toktui";
/// Public; access tokens live 5 s, refresh tokens 10 s, device codes 4 s.
const SHORT: &str = "toktui-short";

#[tokio::test]
#[ignore = "needs Keycloak 26, see .ci/run"]
async fn an_issuer_is_believed_only_under_its_exact_name() {
    let op = keycloak().await;
    assert_eq!(op.metadata.issuer, issuer());
    assert!(op.metadata.iss_parameter_promised && op.metadata.device.is_some());
    assert_eq!(op.metadata.foreign_hosts, Vec::<String>::new());

    let by_name = issuer().replace("127.0.0.1", "localhost");
    for (asked, difference) in
        [(format!("{}/", issuer()), Difference::TrailingSlash), (by_name, Difference::Host)]
    {
        match discovery::discover(&op.http, &asked).await {
            Err(Error::Discovery(discovery::Fault::OtherIssuer { how, .. })) => {
                assert_eq!(how, difference, "{asked}");
            }
            other => panic!("{asked}: {other:?}"),
        }
    }
}

#[tokio::test]
#[ignore = "needs Keycloak 26, see .ci/run"]
async fn a_realm_that_is_not_there_is_told_in_keycloaks_own_words() {
    let nowhere = issuer().replace("toktui", "nowhere");
    let error = discovery::discover(&Http::new(Limits::default()), &nowhere).await.unwrap_err();
    assert_eq!(error.refusal().map(|refusal| refusal.status), Some(404), "{error}");
    assert!(error.to_string().contains("Realm does not exist"), "{error}");
}

#[tokio::test]
#[ignore = "needs Keycloak 26 and Chromium, see .ci/run"]
async fn a_login_in_a_real_browser_gives_tokens_that_hold_up() {
    let op = keycloak().await;
    let login = op.log_in(CLIENT, &["openid", "email"]).await;
    let tokens = &login.tokens;
    assert_eq!(tokens.token_type.raw(), "Bearer");
    assert_eq!(tokens.expires_in, Some(60));
    // It counts from the sign-in, not from the exchange of the code.
    let left = tokens.refresh_expires_in.unwrap();
    assert!((1780..=1800).contains(&left), "{left}");
    let granted = tokens.granted.as_deref().unwrap();
    for scope in ["openid", "email", "profile"] {
        assert!(granted.contains(&Untrusted::from(scope)), "Keycloak adds its default scopes: {granted:?}");
    }
    let id = op.check(CLIENT, tokens, Some(&login.nonce)).await.unwrap();
    assert_eq!(id.claims.get("preferred_username").unwrap(), "alice");
    // Keycloak sends no Date: what the server takes for now stands in its tokens only.
    let issued = from_epoch(id.claims.get("iat").unwrap().as_i64().unwrap());
    assert!(issued.duration_since(SystemClock.now()).abs().as_secs() < 10, "{issued}");
    let user = userinfo::userinfo(&op.http, &op.metadata, &tokens.access, Some(&id.subject), None).await;
    assert_eq!(user.unwrap().claims.get("email").unwrap(), "alice@example.org");
}

#[tokio::test]
#[ignore = "needs Keycloak 26 and Chromium, see .ci/run"]
async fn a_borrowed_client_is_sent_back_to_the_very_addresses_it_registered() {
    let (config, _) = Config::load(None, Path::new("config.toml"));
    let egi = config.source(&"egi".into()).and_then(Source::issuer).unwrap();
    let borrowed = &egi.public_clients[0];
    let op = keycloak().await;
    let attempt = Attempt::random().unwrap();
    let scopes = ["openid".to_owned()];
    let (code, redirect) = op.browse_to(&borrowed.redirect, &borrowed.id, &scopes, &[], &attempt).await;
    let client = Client::public(&borrowed.id);
    let redeemed =
        code::redeem(&op.http, &op.metadata, &client, &code.unwrap(), &redirect, &attempt.verifier, &[])
            .await;
    assert!(redeemed.unwrap().id_token.is_some());
}

#[tokio::test]
#[ignore = "needs Keycloak 26 and Chromium, see .ci/run"]
async fn a_token_that_is_not_of_this_login_is_not_believed() {
    let op = keycloak().await;
    let login = op.log_in(CLIENT, &["openid"]).await;
    let other = Secret::new("another-nonce");
    let table = [
        (op.check(CLIENT, &login.tokens, Some(&other)).await, id_token::Fault::Nonce),
        (op.check(SHORT, &login.tokens, Some(&login.nonce)).await, id_token::Fault::OtherAudience),
    ];
    for (checked, fault) in table {
        assert_eq!(checked, Err(Error::IdToken(fault)));
    }
    let exchanged = TokenSet { access: login.tokens.id_token.clone().unwrap(), ..login.tokens };
    let checked = op.check(CLIENT, &exchanged, Some(&login.nonce)).await;
    assert_eq!(checked, Err(Error::IdToken(id_token::Fault::AccessToken)), "at_hash");
}

#[tokio::test]
#[ignore = "needs Keycloak 26 and Chromium, see .ci/run"]
async fn a_code_is_good_once_and_with_its_own_verifier_only() {
    let op = keycloak().await;
    let client = Client::public(CLIENT);
    let caught = op.catch_code(CLIENT, &["openid"], &[]).await;
    let stranger = Verifier::random().unwrap();
    let redeemed =
        code::redeem(&op.http, &op.metadata, &client, &caught.code, &caught.redirect, &stranger, &[]).await;
    assert_eq!(said(&redeemed.unwrap_err()), "invalid_grant: PKCE verification failed: Code mismatch");

    let caught = op.catch_code(CLIENT, &["openid"], &[]).await;
    let verifier = &caught.attempt.verifier;
    let redeem =
        || code::redeem(&op.http, &op.metadata, &client, &caught.code, &caught.redirect, verifier, &[]);
    let tokens = redeem().await.unwrap();
    assert_eq!(said(&redeem().await.unwrap_err()), "invalid_grant: Code not valid");
    let killed = op.refresh(CLIENT, &tokens).await.unwrap_err();
    assert!(killed.is_for_good(), "the second use took what the first had given: {killed}");
}

#[tokio::test]
#[ignore = "needs Keycloak 26 and Chromium, see .ci/run"]
async fn a_refusal_comes_back_through_the_browser_with_its_reason() {
    let op = keycloak().await;
    let attempt = Attempt::random().unwrap();
    let (scopes, extra) = (["openid".to_owned()], [("prompt".to_owned(), "none".to_owned())]);
    let refused = op.browse(CLIENT, &scopes, &extra, &attempt).await.0;
    assert_eq!(refused, Err(other_end("login_required", None)));

    let scopes = ["openid", "nonsense"].map(str::to_owned);
    let refused = op.browse(CLIENT, &scopes, &[], &attempt).await.0.unwrap_err();
    assert_eq!(refused, other_end("invalid_scope", Some("Invalid scopes: openid nonsense")));
    assert!(refused.scopes_refused());
}

#[tokio::test]
#[ignore = "needs Keycloak 26 and Chromium, see .ci/run"]
async fn a_device_login_is_approved_on_another_device() {
    let op = keycloak().await;
    let client = Client::public(CLIENT);
    let (verifier, started) = op.start_device(CLIENT).await;
    let interval = Duration::from_secs(1);
    assert_eq!((started.lifetime, started.interval), (Duration::from_secs(600), interval));
    let at = started.verification_complete.clone().unwrap();
    let (end, page) = tokio::join!(op.poll(&client, &started, &verifier), finished(USER.opens(&at, &[])));
    assert!(page.contains("/device/status"), "{page}");
    let End::Granted(tokens) = end else { panic!("{end:?}") };
    let id = op.check(CLIENT, &tokens, None).await.unwrap();
    assert_eq!(id.claims.get("preferred_username").unwrap(), "alice");

    let again = device::poll_once(&op.http, &op.metadata, &client, &started, &verifier, &[]).await;
    let device::Poll::Failed(error) = again else { panic!("{again:?}") };
    assert_eq!(said(&error), "invalid_grant: Device code not valid");
}

#[tokio::test]
#[ignore = "needs Keycloak 26 and Chromium, see .ci/run"]
async fn a_device_login_that_is_refused_and_one_that_nobody_answers_end_differently() {
    let op = keycloak().await;
    let (verifier, started) = op.start_device(CLIENT).await;
    // By hand: the code typed in small letters and without its dash.
    let typed = started.user_code.raw().to_lowercase().replace('-', "");
    let words = ["--code", &typed, "--deny", "--user", "bob"];
    let client = Client::public(CLIENT);
    let refused = op.poll(&client, &started, &verifier);
    let (end, _) = tokio::join!(refused, finished(USER.opens(&started.verification, &words)));
    assert_eq!(end, End::Denied);

    let (verifier, started) = op.start_device(SHORT).await;
    assert_eq!(started.lifetime, Duration::from_secs(4));
    assert_eq!(op.poll(&Client::public(SHORT), &started, &verifier).await, End::Expired);
}

#[tokio::test]
#[ignore = "needs Keycloak 26, see .ci/run"]
async fn a_client_that_is_not_known_is_told_from_a_refused_login() {
    let op = keycloak().await;
    let error = op.try_device("nobody").await.unwrap_err();
    assert!(error.client_is_wrong() && !error.is_for_good(), "{error}");
    assert_eq!(said(&error), "invalid_client: Invalid client or Invalid client credentials");
}

#[tokio::test]
#[ignore = "needs Keycloak 26 and Chromium, see .ci/run"]
async fn every_renewal_turns_the_refresh_token_over_and_an_old_one_kills_the_family() {
    let op = keycloak().await;
    let first = op.log_in(CLIENT, &["openid"]).await;
    let second = op.refresh(CLIENT, &first.tokens).await.unwrap();
    assert!(second.refresh.is_some() && second.refresh != first.tokens.refresh);
    assert_ne!(second.access, first.tokens.access);
    op.check(CLIENT, &second, None).await.unwrap();

    let reused = op.refresh(CLIENT, &first.tokens).await.unwrap_err();
    assert_eq!(said(&reused), "invalid_grant: Maximum allowed refresh token reuse exceeded");
    assert!(reused.is_for_good() && reused.login_needed());
    let dead = op.refresh(CLIENT, &second).await.unwrap_err();
    assert_eq!(said(&dead), "invalid_grant: Session doesn't have required client");
    assert!(dead.is_for_good());
    assert_eq!(op.ask_user(&second.access).await.unwrap_err().refusal().map(|r| r.status), Some(401));
}

#[tokio::test]
#[ignore = "needs Keycloak 26 and Chromium, see .ci/run"]
async fn tokens_end_when_they_said_they_would() {
    let op = keycloak().await;
    let login = op.log_in(SHORT, &["openid"]).await;
    assert_eq!(login.tokens.expires_in, Some(5));
    let left = login.tokens.refresh_expires_in.unwrap();
    assert!((8..=10).contains(&left), "{left}");
    op.ask_user(&login.tokens.access).await.unwrap();
    sleep(Duration::from_secs(6)).await;
    let ended = op.ask_user(&login.tokens.access).await.unwrap_err();
    assert_eq!(said(&ended), "invalid_token: Token verification failed");
    let renewed = op.refresh(SHORT, &login.tokens).await.unwrap();
    op.ask_user(&renewed.access).await.unwrap();

    sleep(Duration::from_secs(11)).await;
    let ended = op.refresh(SHORT, &renewed).await.unwrap_err();
    assert_eq!(said(&ended), "invalid_grant: Token is not active");
    assert!(ended.is_for_good());
}

#[tokio::test]
#[ignore = "needs Keycloak 26 and Chromium, see .ci/run"]
async fn an_offline_token_names_no_end_and_is_renewed_all_the_same() {
    let op = keycloak().await;
    let login = op.log_in(CLIENT, &["openid", "offline_access"]).await;
    assert_eq!(login.tokens.refresh_expires_in, Some(0), "which says: no fixed end");
    let renewed = op.refresh(CLIENT, &login.tokens).await.unwrap();
    let client = Client::public(CLIENT);
    let token = renewed.refresh.clone().unwrap();
    let revoked = revocation::revoke(&op.http, &op.metadata, &client, &token, Kind::Refresh).await;
    assert_eq!(revoked, Ok(Revoked::Done));
    let gone = op.refresh(CLIENT, &renewed).await.unwrap_err();
    assert_eq!(said(&gone), "invalid_grant: Offline user session not found");
}

#[tokio::test]
#[ignore = "needs Keycloak 26 and Chromium, see .ci/run"]
async fn a_revoked_token_is_dead_and_a_second_revocation_says_so() {
    let op = keycloak().await;
    let client = Client::public(CLIENT);
    let revoke =
        async |token: &Secret, kind| revocation::revoke(&op.http, &op.metadata, &client, token, kind).await;
    let login = op.log_in(CLIENT, &["openid"]).await;
    assert_eq!(revoke(&login.tokens.access, Kind::Access).await, Ok(Revoked::Done));
    op.ask_user(&login.tokens.access).await.unwrap_err();
    let renewed = op.refresh(CLIENT, &login.tokens).await.unwrap();

    let token = renewed.refresh.clone().unwrap();
    assert_eq!(revoke(&token, Kind::Refresh).await, Ok(Revoked::Done));
    assert_eq!(revoke(&token, Kind::Refresh).await, Ok(Revoked::Unknown));
    assert_eq!(said(&op.refresh(CLIENT, &renewed).await.unwrap_err()), "invalid_grant: Session not active");
    let ended = op.ask_user(&renewed.access).await.unwrap_err();
    assert_eq!(said(&ended), "invalid_token: user_session_not_found", "its session went with it");
}

#[tokio::test]
#[ignore = "needs Keycloak 26 and Chromium, see .ci/run"]
async fn only_a_client_with_a_secret_may_ask_about_a_token() {
    let op = keycloak().await;
    let login = op.log_in(CLIENT, &["openid"]).await;
    let ask = async |client: &Client, token: &Secret| {
        introspection::introspect(&op.http, &op.metadata, client, token, Kind::Access).await
    };
    let confidential = |secret: &str| Client {
        id: "toktui-confidential".to_owned(),
        secret: Some(Secret::new(secret)),
        auth: ClientAuth::Basic,
    };
    let answer = ask(&confidential("toktui-secret"), &login.tokens.access).await.unwrap();
    assert!(answer.active);
    assert_eq!(answer.claims.get("client_id").unwrap(), CLIENT);
    assert!(!ask(&confidential("toktui-secret"), &Secret::new("tok-nonsense")).await.unwrap().active);

    let error = ask(&confidential("wrong"), &login.tokens.access).await.unwrap_err();
    assert!(error.client_is_wrong(), "{error}");
    let error = ask(&Client::public(CLIENT), &login.tokens.access).await.unwrap_err();
    assert_eq!(error.refusal(), None, "a public client does not even ask");
}

#[tokio::test]
#[ignore = "needs Keycloak 26 and Chromium, see .ci/run"]
async fn without_openid_there_is_no_id_token_and_userinfo_says_why_not() {
    let op = keycloak().await;
    let login = op.log_in(CLIENT, &["profile"]).await;
    assert_eq!(login.tokens.id_token, None);
    let error = op.ask_user(&login.tokens.access).await.unwrap_err();
    assert_eq!(said(&error), "insufficient_scope: Missing openid scope");
    assert!(error.scopes_refused());
}

async fn keycloak() -> Op {
    Op::at(&issuer(), USER).await
}

fn issuer() -> String {
    std::env::var("TOKTUI_TEST_KEYCLOAK").unwrap_or_else(|_| panic!("TOKTUI_TEST_KEYCLOAK is not set"))
}

fn other_end(error: &str, description: Option<&str>) -> Error {
    let description = description.map(Untrusted::from);
    Error::Authorization(callback::Fault::Refused { error: error.into(), description })
}
