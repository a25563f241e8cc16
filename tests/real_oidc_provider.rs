//! toktui at providers of other hands than Keycloak's: npm's certified oidc-provider, a plain one and a strict one, with a user who fills in
//! its forms.
//!
//! `.ci/run` starts them; by hand: `tests/real/oidc-provider.sh start`, and `TOKTUI_TEST_OIDC_PROVIDER=http://127.0.0.1:8190`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]
#![allow(clippy::disallowed_methods, reason = "these tests wait for other processes, in real time")]

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

use toktui::domain::jwt::Jwt;
use toktui::domain::secret::Secret;
use toktui::domain::source::{Client, ClientAuth, Redirect, RefreshScope};
use toktui::domain::untrusted::Untrusted;
use toktui::oidc::callback::Expectation;
use toktui::oidc::device::End;
use toktui::oidc::keys::KeySet;
use toktui::oidc::loopback::Listener;
use toktui::oidc::pkce::Attempt;
use toktui::oidc::revocation::{self, Kind, Revoked};
use toktui::oidc::{code, introspection, refresh, userinfo};

#[path = "support/desk.rs"]
mod desk;
#[path = "support/op.rs"]
mod op;
#[path = "support/seat.rs"]
mod seat;
use desk::Desk;
use op::{Op, User, finished, said};
use seat::claims;

const USER: User = User(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real/oidc-provider/user.mjs"));
const CLIENT: &str = "toktui";
/// It wants this before it gives a refresh token (OpenID Connect Core §11).
const LASTING: [&str; 2] = ["openid", "offline_access"];
const RESOURCE: &str = "https://api.example.org";

#[tokio::test]
#[ignore = "needs oidc-provider, see .ci/run"]
async fn a_login_with_a_code_is_believed_whatever_key_signed_it() {
    let (op, desk) = (plain().await, desk());
    for (client, algorithm) in
        [(CLIENT, "RS256"), ("signs-ps256", "PS256"), ("signs-es256", "ES256"), ("signs-eddsa", "EdDSA")]
    {
        let login = op.log_in(client, &["openid", "email"]).await;
        let id_token = login.tokens.id_token.as_ref().unwrap();
        assert_eq!(Jwt::parse(id_token.expose()).unwrap().header["alg"], algorithm);
        let id = op.check(client, &login.tokens, Some(&login.nonce)).await.unwrap();
        assert_eq!(id.subject.raw(), "alice", "{algorithm}");
        op.check(client, &login.tokens, Some(&Secret::new("another"))).await.unwrap_err();
        // Pasted, its signature is checked with the same keys; changed, it is told.
        let told = |token: &str| {
            let said = desk.run(&["info", "-", "--json"], token);
            let told: Value = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{said:?}"));
            told["jwt"]["verification"].clone()
        };
        let good = told(id_token.expose());
        assert_eq!((&good["result"], &good["algorithm"]), (&json!("good"), &json!(algorithm)), "{good}");
        let (head, signature) = id_token.expose().rsplit_once('.').unwrap();
        let other = if signature.starts_with('A') { "B" } else { "A" };
        let bad = told(&format!("{head}.{other}{}", &signature[1..]));
        assert_eq!(bad["result"], "does_not_fit", "{bad}");
        assert_eq!((login.tokens.expires_in, login.tokens.refresh.is_none()), (Some(600), true));
        assert!(Jwt::parse(login.tokens.access.expose()).is_none(), "its access tokens are opaque");
        let user = op.ask_user(&login.tokens.access).await.unwrap();
        assert_eq!(user.claims["email"], "alice@example.org");
    }
}

#[tokio::test]
#[ignore = "needs oidc-provider, see .ci/run"]
async fn a_code_is_good_once_and_only_with_the_verifier_that_asked_for_it() {
    let op = plain().await;
    let client = Client::public(CLIENT);
    let caught = op.catch_code(CLIENT, &["openid"], &[]).await;
    let stranger = op.start_device(CLIENT).await.0;
    let redeem = async |verifier| {
        code::redeem(&op.http, &op.metadata, &client, &caught.code, &caught.redirect, verifier, &[]).await
    };
    assert_eq!(said(&redeem(&stranger).await.unwrap_err()), "invalid_grant: grant request is invalid");

    let caught = op.catch_code(CLIENT, &["openid"], &[]).await;
    let redeem = async || {
        let verifier = &caught.attempt.verifier;
        code::redeem(&op.http, &op.metadata, &client, &caught.code, &caught.redirect, verifier, &[]).await
    };
    let tokens = redeem().await.unwrap();
    op.ask_user(&tokens.access).await.unwrap();
    assert_eq!(said(&redeem().await.unwrap_err()), "invalid_grant: grant request is invalid");
    op.ask_user(&tokens.access).await.unwrap_err();
}

#[tokio::test]
#[ignore = "needs oidc-provider, see .ci/run"]
async fn a_device_login_is_granted_refused_or_ends_by_itself() {
    let op = plain().await;
    let client = Client::public(CLIENT);
    let (verifier, started) = op.start_device(CLIENT).await;
    // It names no interval: 5 s it is (RFC 8628 §3.5).
    let waits = (started.lifetime, started.interval);
    assert_eq!(waits, (Duration::from_secs(600), Duration::from_secs(5)));
    let typed = started.user_code.raw().to_lowercase().replace('-', "");
    let words = ["--code", &typed, "--user", "bob"];
    let visit = finished(USER.opens(&started.verification, &words));
    let (end, page) = tokio::join!(op.poll(&client, &started, &verifier), visit);
    let End::Granted(tokens) = end else { panic!("{end:?} after {page}") };
    assert_eq!(op.check(CLIENT, &tokens, None).await.unwrap().subject.raw(), "bob");

    let (verifier, started) = op.start_device(CLIENT).await;
    let at = started.verification_complete.clone().unwrap();
    let visit = finished(USER.opens(&at, &["--deny"]));
    let (end, page) = tokio::join!(op.poll(&client, &started, &verifier), visit);
    assert_eq!(end, End::Denied, "{page}");

    let (verifier, started) = op.start_device("short").await;
    assert_eq!(started.lifetime, Duration::from_secs(4));
    assert_eq!(op.poll(&Client::public("short"), &started, &verifier).await, End::Expired);
}

#[tokio::test]
#[ignore = "needs oidc-provider, see .ci/run"]
async fn a_refresh_token_turns_over_and_its_old_copy_kills_the_family() {
    let op = plain().await;
    let consent = [("prompt".to_owned(), "consent".to_owned())];
    let caught = op.catch_code(CLIENT, &LASTING, &consent).await;
    let client = Client::public(CLIENT);
    let verifier = &caught.attempt.verifier;
    let first =
        code::redeem(&op.http, &op.metadata, &client, &caught.code, &caught.redirect, verifier, &[]).await;
    let first = first.unwrap();
    assert_eq!(first.refresh_expires_in, None, "it does not say how long it lives");
    let second = op.refresh(CLIENT, &first).await.unwrap();
    assert!(second.refresh.is_some() && second.refresh != first.refresh);
    op.check(CLIENT, &second, None).await.unwrap();

    // Fewer scopes for one access token.
    let narrowed = ["openid".to_owned()];
    let policy = RefreshScope::Omit;
    let wish = refresh::Wish { client: &client, policy, scopes: &[], narrowed: Some(&narrowed), extra: &[] };
    let third =
        refresh::refresh(&op.http, &op.metadata, wish, second.refresh.as_ref().unwrap()).await.unwrap();
    let granted: Vec<_> = third.granted.as_deref().unwrap().iter().map(Untrusted::raw).collect();
    assert_eq!(granted, ["openid"]);

    let reused = op.refresh(CLIENT, &first).await.unwrap_err();
    assert_eq!(said(&reused), "invalid_grant: grant request is invalid");
    assert!(reused.is_for_good() && reused.login_needed());
    assert!(op.refresh(CLIENT, &third).await.unwrap_err().is_for_good());
    op.ask_user(&third.access).await.unwrap_err();
}

#[tokio::test]
#[ignore = "needs oidc-provider, see .ci/run"]
async fn a_revoked_token_is_dead_and_an_unknown_one_is_revoked_without_a_word() {
    let op = plain().await;
    let client = Client::public(CLIENT);
    let revoke =
        async |token: &Secret, kind| revocation::revoke(&op.http, &op.metadata, &client, token, kind).await;
    let (verifier, started) = op.start_device(CLIENT).await;
    let at = started.verification_complete.clone().unwrap();
    let (end, _) = tokio::join!(op.poll(&client, &started, &verifier), finished(USER.opens(&at, &[])));
    let End::Granted(tokens) = end else { panic!("{end:?}") };
    op.ask_user(&tokens.access).await.unwrap();
    assert_eq!(revoke(&tokens.access, Kind::Access).await, Ok(Revoked::Done));
    let dead = op.ask_user(&tokens.access).await.unwrap_err();
    assert_eq!(said(&dead), "invalid_token: invalid token provided");
    // As RFC 7009 §2.2 has it: a token that is unknown is as good as revoked.
    assert_eq!(revoke(&Secret::new("tok-nonsense"), Kind::Refresh).await, Ok(Revoked::Done));
}

#[tokio::test]
#[ignore = "needs oidc-provider, see .ci/run"]
async fn an_opaque_token_is_known_to_a_client_with_a_secret() {
    let op = plain().await;
    let service = service();
    let caught = op.catch_code("service", &["openid", "email"], &[]).await;
    let (verifier, http) = (&caught.attempt.verifier, &op.http);
    let tokens = code::redeem(http, &op.metadata, &service, &caught.code, &caught.redirect, verifier, &[])
        .await
        .unwrap();
    let ask = async |client: &Client, token: &Secret| {
        introspection::introspect(http, &op.metadata, client, token, Kind::Access).await
    };
    let answer = ask(&service, &tokens.access).await.unwrap();
    assert!(answer.active);
    assert_eq!((&answer.claims["scope"], &answer.claims["sub"]), (&json!("openid email"), &json!("alice")));
    assert!(!ask(&service, &Secret::new("tok-nonsense")).await.unwrap().active);
    let wrong = Client { secret: Some(Secret::new("wrong")), ..service.clone() };
    assert!(ask(&wrong, &tokens.access).await.unwrap_err().client_is_wrong());
    revocation::revoke(http, &op.metadata, &service, &tokens.access, Kind::Access).await.unwrap();
    assert!(!ask(&service, &tokens.access).await.unwrap().active);
}

#[tokio::test]
#[ignore = "needs oidc-provider, see .ci/run"]
async fn a_strict_provider_gets_pushed_requests_and_its_signed_userinfo_is_checked() {
    let op = Op::at(&strict_issuer(), USER).await;
    assert!(op.metadata.pushed_required);
    let client = Client::public("userinfo-jwt");
    let scopes = ["openid", "email"].map(str::to_owned);
    let wish = code::Wish { client: &client, scopes: &scopes, extra: &[] };
    let attempt = Attempt::random().unwrap();
    let listen = async || Listener::bind(&Redirect::default()).await.unwrap();
    let expected = |redirect: &Url| Expectation::of(&attempt, &op.metadata, redirect);
    let opens = async |address: Url| finished(USER.opens(&address, &[])).await;

    // Asked by the browser alone, it refuses.
    let listener = listen().await;
    let redirect = listener.redirect_uri().clone();
    let address = code::authorization_url(&op.metadata, wish, &attempt, &redirect).unwrap();
    let expected_here = expected(&redirect);
    let (caught, _) = tokio::join!(listener.wait(&expected_here), opens(address));
    let refused = caught.unwrap_err().to_string();
    assert!(refused.contains("Pushed Authorization Request must be used"), "{refused}");

    let listener = listen().await;
    let redirect = listener.redirect_uri().clone();
    let pushed = code::pushed_authorization_url(&op.http, &op.metadata, wish, &attempt, &redirect).await;
    let pushed = pushed.unwrap();
    assert!(!pushed.as_str().contains("scope") && !pushed.as_str().contains("challenge"), "{pushed}");
    let expected_here = expected(&redirect);
    let (caught, _) = tokio::join!(listener.wait(&expected_here), opens(pushed));
    let (code, verifier) = (caught.unwrap(), &attempt.verifier);
    let redeemed = code::redeem(&op.http, &op.metadata, &client, &code, &redirect, verifier, &[]).await;
    let tokens = redeemed.unwrap();
    let id = op.check("userinfo-jwt", &tokens, Some(&attempt.nonce)).await.unwrap();
    let keys = KeySet::fetch(&op.http, &op.metadata).await.unwrap();
    let asked =
        userinfo::userinfo(&op.http, &op.metadata, &tokens.access, Some(&id.subject), Some(&keys)).await;
    let user = asked.unwrap();
    assert!(user.is_signed);
    assert_eq!(user.claims["email"], "alice@example.org");
}

#[test]
#[ignore = "needs oidc-provider, see .ci/run"]
fn a_login_by_code_is_renewed_asked_about_and_revoked() {
    let desk = desk();
    let (code, said) = desk.logs_in(&["login", "op", "--no-input"], "/auth?", &[], visit(&[]));
    assert_eq!(code, 0, "{said}");
    let first = desk.good(&["token", "op"]);
    let told = desk.json(&["userinfo", "op", "--json"]);
    assert_eq!((&told["claims"]["sub"], &told["same_user"]), (&json!("alice"), &json!(true)));
    assert!(desk.good(&["renew", "op"]).contains("renewed"));
    let second = desk.good(&["token", "op"]);
    assert_ne!(first, second);
    // The line that renews, where it is pasted; and the one that asks for userinfo.
    let line = desk.good(&["command", "op", "renewal"]);
    assert_ne!(desk.shell(&format!("{} && printf %s \"$ACCESS_TOKEN\"", line.trim())), second.trim());
    let line = desk.good(&["command", "op", "userinfo"]);
    assert_eq!(serde_json::from_str::<Value>(&desk.shell(&line)).unwrap()["sub"], "alice");
    desk.good(&["revoke", "op", "--yes"]);
    let over = desk.run(&["token", "op", "--force"], "");
    assert_eq!((over.code, over.out.as_str()), (3, ""), "{over:?}");
}

#[test]
#[ignore = "needs oidc-provider, see .ci/run"]
fn a_login_by_device_code_and_one_that_is_refused_end_in_their_exit_codes() {
    let desk = desk();
    let words = ["login", "op", "--name", "far", "--no-input"];
    let (code, said) = desk.logs_in(&words, "/device?user_code=", &[], visit(&["--deny"]));
    assert!(code == 1 && said.contains("refused on the other device"), "{said}");
    let (code, said) = desk.logs_in(&words, "/auth?", &[], visit(&["--deny"]));
    assert!(code == 1 && said.contains("refused in the browser"), "{said}");
    let (code, said) = desk.logs_in(&words, "/device?user_code=", &[], visit(&["--user", "bob"]));
    assert_eq!(code, 0, "{said}");
    assert_eq!(desk.json(&["userinfo", "far", "--json"])["claims"]["sub"], "bob");
}

#[test]
#[ignore = "needs oidc-provider, see .ci/run"]
fn an_opaque_token_is_explained_by_introspection_where_the_client_has_a_secret() {
    let desk = desk();
    for name in ["op", "service"] {
        let (code, said) = desk.logs_in(&["login", name, "--no-input"], "/auth?", &[], visit(&[]));
        assert_eq!(code, 0, "{said}");
    }
    let told = desk.good(&["info", "service"]);
    assert!(told.contains("service says that it is active") && told.contains("alice"), "{told}");
    let told = desk.json(&["info", "service", "--json"]);
    assert_eq!(told["introspection"]["provider"], "service", "{told}");
    let told = desk.good(&["info", "op"]);
    assert!(told.contains("it answers only clients that have a secret"), "{told}");
}

#[test]
#[ignore = "needs oidc-provider, see .ci/run"]
fn an_access_token_is_for_the_resource_that_was_named_from_the_first_one_on() {
    let desk = desk();
    for (route, name) in [("/auth?", "page"), ("/device?user_code=", "code")] {
        let words = ["login", "op", "--name", name, "--audience", RESOURCE, "--no-input"];
        let (code, said) = desk.logs_in(&words, route, &[], visit(&[]));
        assert_eq!(code, 0, "{said}");
        let first = claims(desk.good(&["token", name]).trim());
        assert_eq!((&first["aud"], &first["client_id"]), (&json!(RESOURCE), &json!(CLIENT)), "{route}");
        desk.good(&["renew", name]);
        let renewed = claims(desk.good(&["token", name]).trim());
        assert_eq!(renewed["aud"], RESOURCE);
        assert_ne!(renewed["jti"], first["jti"]);
        let told = desk.json(&["info", name, "--json"]);
        assert_eq!(told["jwt"]["verification"]["algorithm"], "ES256", "{told}");
    }
}

#[test]
#[ignore = "needs oidc-provider, see .ci/run"]
fn a_check_tells_each_of_them_apart() {
    let desk = desk();
    let check = |words: &[&str]| {
        let said = desk.run(&[&["provider", "check", "--json"], words].concat(), "");
        (said.code, serde_json::from_str::<Value>(&said.out).unwrap_or_else(|_| panic!("{said:?}")))
    };
    for name in ["op", "strict", "service"] {
        let (code, good) = check(&[name]);
        assert_eq!((code, &good["verdict"]), (0, &json!("good")), "{good}");
    }
    for (words, what, fact) in [
        (["op", "--client-id", "nobody"], "client", "client authentication failed"),
        (["op", "--client-id", "no-device"], "device code", "is not allowed for this client"),
        (["other-redirect", "--client-id", CLIENT], "redirect", "is refused"),
        (["strict-other-redirect", "--client-id", CLIENT], "redirect", "redirect_uri"),
    ] {
        let (code, checked) = check(&words);
        assert_eq!((code, &checked["verdict"]), (3, &json!("wrong")), "{words:?}: {checked}");
        let findings = checked["findings"].as_array().unwrap();
        let wrong: Vec<_> = findings.iter().filter(|one| one["standing"] == "wrong").collect();
        assert_eq!((wrong.len(), &wrong[0]["what"]), (1, &json!(what)), "{words:?}: {checked}");
        assert!(wrong[0]["said"].as_str().unwrap().contains(fact), "{words:?}: {checked}");
    }
}

fn issuer() -> String {
    std::env::var("TOKTUI_TEST_OIDC_PROVIDER")
        .unwrap_or_else(|_| panic!("TOKTUI_TEST_OIDC_PROVIDER is not set"))
}

/// At the next port.
fn strict_issuer() -> String {
    let (host, port) =
        issuer().rsplit_once(':').map(|(a, b)| (a.to_owned(), b.parse::<u16>().unwrap())).unwrap();
    format!("{host}:{}", port + 1)
}

async fn plain() -> Op {
    Op::at(&issuer(), USER).await
}

fn service() -> Client {
    let secret = Secret::new("service-secret-of-32-characters-x");
    Client { id: "service".to_owned(), secret: Some(secret), auth: ClientAuth::Basic }
}

fn visit<'w>(words: &'w [&'w str]) -> impl FnOnce(&str) + 'w {
    move |address| {
        let output = Command::new("node").arg(USER.0).arg(address).args(words).stdin(Stdio::null()).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

fn desk() -> Desk {
    let (plain, strict) = (issuer(), strict_issuer());
    let provider = |name: &str, issuer: &str, more: &str| {
        format!(
            "[provider.{name}]\nissuer = \"{issuer}\"\nclient_id = \"{CLIENT}\"\n\
             scopes = [\"openid\", \"profile\", \"offline_access\"]\n\
             authorization = {{ prompt = \"consent\" }}\naudience_parameter = \"resource\"\n{more}\n"
        )
    };
    let elsewhere = "redirects = [\"http://127.0.0.1/elsewhere\"]";
    let config = [
        provider("op", &plain, ""),
        provider("strict", &strict, ""),
        provider("other-redirect", &plain, elsewhere),
        provider("strict-other-redirect", &strict, elsewhere),
        provider("service", &plain, "client_secret_file = \"SECRET\"")
            .replace("client_id = \"toktui\"", "client_id = \"service\""),
    ];
    let desk = Desk::with(&config.concat());
    let path = desk.home.path().join("secret");
    std::fs::write(&path, "service-secret-of-32-characters-x").unwrap();
    seat::only_mine(&path);
    let file = desk.home.path().join("config/config.toml");
    let text = std::fs::read_to_string(&file).unwrap().replace("SECRET", path.to_str().unwrap());
    std::fs::write(&file, text).unwrap();
    desk
}
