//! Whole logins and what follows them, against the sandbox's provider.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use toktui::domain::secret::Secret;
use toktui::domain::source::{Client, ClientAuth, Redirect, RefreshScope};
use toktui::domain::time::{Clock, FixedClock, from_epoch};
use toktui::domain::untrusted::Untrusted;
use toktui::http::{Http, Limits};
use toktui::oidc::callback::{self, Expectation, parse_pasted};
use toktui::oidc::code::{Wish, authorization_url, redeem};
use toktui::oidc::device::{End, Poll, Schedule, poll_once, start};
use toktui::oidc::discovery::{Difference, Fault, Metadata, discover};
use toktui::oidc::id_token::{self, Expected};
use toktui::oidc::introspection::introspect;
use toktui::oidc::keys::KeySet;
use toktui::oidc::loopback::Listener;
use toktui::oidc::pkce::{Attempt, Verifier};
use toktui::oidc::refresh::{self, refresh};
use toktui::oidc::revocation::{Kind, Revoked, revoke};
use toktui::oidc::tokens::TokenSet;
use toktui::oidc::userinfo::userinfo;
use toktui::oidc::{Cause, Error};
use toktui::sandbox::op::{ExpiresIn, IdTokenFault, Op, RedirectFault, Settings};
use toktui::sandbox::serve::{self, Server};
use toktui::sandbox::visitor::{Choice, Visitor};

const START: i64 = 1_800_000_000;

struct Provider {
    op: Op,
    clock: Arc<FixedClock>,
    issuer: String,
    http: Http,
    client: Client,
    scopes: Vec<String>,
    _server: Server,
}

/// A finished login, and what it knew.
struct Login {
    tokens: TokenSet,
    attempt: Attempt,
}

impl Provider {
    async fn open() -> Self {
        let bound = serve::bind(0).await.expect("a port");
        let issuer = format!("{}/realms/toktui", bound.base());
        let clock = Arc::new(FixedClock::at(from_epoch(START)));
        let op = Op::new(Settings::new(&issuer), Arc::clone(&clock) as Arc<dyn Clock>).expect("a provider");
        let server = bound.serve(op.handler());
        Self {
            op,
            clock,
            issuer,
            http: Http::default(),
            client: Client::public("toktui"),
            scopes: vec!["openid".to_owned()],
            _server: server,
        }
    }

    fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    async fn metadata(&self) -> Metadata {
        discover(&self.http, &self.issuer).await.expect("a document")
    }

    fn wish(&self) -> Wish<'_> {
        Wish { client: &self.client, scopes: &self.scopes, extra: &[] }
    }

    /// The browser's route: listener, visitor, code.
    async fn browse(&self, choice: Choice) -> Result<Login, Error> {
        let metadata = self.metadata().await;
        let listener = Listener::bind(&Redirect::default()).await?;
        let (attempt, redirect) = (Attempt::random()?, listener.redirect_uri().clone());
        let url = authorization_url(&metadata, self.wish(), &attempt, &redirect)?;
        let expected = Expectation::of(&attempt, &metadata, &redirect);
        let visit = async {
            let visitor = Visitor::new().expect("a visitor");
            visitor.visit(url.as_str(), choice, "alice").await.expect("an end")
        };
        let (code, end) = tokio::join!(listener.wait(&expected), visit);
        assert_eq!(end.status, Some(200));
        let tokens =
            redeem(&self.http, &metadata, &self.client, &code?, &redirect, &attempt.verifier, &[]).await?;
        Ok(Login { tokens, attempt })
    }

    async fn login(&self) -> Login {
        self.browse(Choice::Approve).await.expect("a login")
    }

    async fn verdict(&self, login: &Login) -> Result<id_token::Checked, Error> {
        let metadata = self.metadata().await;
        let mut keys = KeySet::fetch(&self.http, &metadata).await?;
        let token = login.tokens.id_token.clone().expect("an ID token");
        let expected = Expected {
            issuer: &metadata.issuer,
            client: &self.client.id,
            nonce: Some(&login.attempt.nonce),
            access: Some(&login.tokens.access),
            subject: None,
            now: self.clock.now(),
        };
        id_token::verify(&self.http, &mut keys, &token, expected).await
    }

    async fn renew(&self, token: &Secret) -> Result<TokenSet, Error> {
        let wish = refresh::Wish {
            client: &self.client,
            policy: RefreshScope::Omit,
            scopes: &self.scopes,
            narrowed: None,
            extra: &[],
        };
        refresh(&self.http, &self.metadata().await, wish, token).await
    }

    async fn ask_user(&self, access: &Secret, subject: Option<&str>) -> Result<Untrusted, Error> {
        let subject = subject.map(Untrusted::from);
        let answer = userinfo(&self.http, &self.metadata().await, access, subject.as_ref(), None).await;
        answer.map(|info| info.subject)
    }

    async fn revoke(&self, token: &Secret, kind: Kind) -> Result<Revoked, Error> {
        revoke(&self.http, &self.metadata().await, &self.client, token, kind).await
    }

    fn confidential(&mut self, auth: ClientAuth) {
        let secret = Some(Secret::new("toktui-secret"));
        self.client = Client { id: "toktui-confidential".to_owned(), secret, auth };
    }
}

fn refresh_of(tokens: &TokenSet) -> Secret {
    tokens.refresh.clone().expect("a refresh token")
}

#[tokio::test]
async fn a_browser_login_gives_tokens_an_id_token_that_is_believed_and_a_user() {
    let provider = Provider::open().await;
    let login = provider.login().await;
    assert_eq!(login.tokens.expires_in, Some(300));
    assert_eq!(login.tokens.refresh_expires_in, Some(1800));
    assert_eq!(login.tokens.date, Some(from_epoch(START)));
    let granted: Vec<_> = login.tokens.granted.iter().flatten().map(Untrusted::raw).collect();
    assert!(granted.contains(&"openid") && granted.contains(&"email"), "{granted:?}");
    let checked = provider.verdict(&login).await.expect("believed");
    let user = provider.ask_user(&login.tokens.access, Some(checked.subject.raw())).await;
    assert_eq!(user, Ok(checked.subject));
    assert_eq!(provider.ask_user(&login.tokens.access, Some("bob")).await, Err(Error::OtherUser));
}

#[tokio::test]
async fn no_request_line_ever_holds_a_token_a_code_verifier_or_a_secret() {
    let provider = Provider::open().await;
    let login = provider.login().await;
    let renewed = provider.renew(&refresh_of(&login.tokens)).await.expect("renewed");
    provider.ask_user(&renewed.access, None).await.expect("a user");
    provider.revoke(&refresh_of(&renewed), Kind::Refresh).await.expect("revoked");
    let log = provider.op.log().join("\n");
    let secrets = [
        &login.tokens.access,
        &refresh_of(&login.tokens),
        &renewed.access,
        &refresh_of(&renewed),
        &login.tokens.id_token.expect("an ID token"),
    ]
    .map(|secret| secret.expose().to_owned());
    for secret in secrets {
        assert!(!log.contains(&secret));
    }
    assert!(log.contains("code_challenge_method=S256") && !log.contains("code_verifier"));
}

#[tokio::test]
async fn a_refusal_in_the_browser_is_a_denial() {
    let provider = Provider::open().await;
    let end = provider.browse(Choice::Deny).await.map(drop);
    assert_eq!(end, Err(Error::Authorization(callback::Fault::Denied)));
}

#[tokio::test]
async fn a_scope_that_is_not_known_is_refused_by_name() {
    let mut provider = Provider::open().await;
    provider.scopes.push("nonsense".to_owned());
    let error = provider.browse(Choice::Approve).await.map(drop).expect_err("refused");
    assert!(error.scopes_refused() && !error.is_temporary(), "{error}");
    assert_eq!(error.to_string(), "the server says: Invalid scopes: openid nonsense (invalid_scope)");
}

#[tokio::test]
async fn an_answer_of_another_issuer_or_of_none_is_not_used() {
    let provider = Provider::open().await;
    provider.op.quirks().redirect = Some(RedirectFault::NoIss);
    let end = provider.browse(Choice::Approve).await.map(drop);
    assert_eq!(end, Err(Error::Authorization(callback::Fault::NoIssuer)));
    let evil = "https://evil.example.org";
    provider.op.quirks().redirect = Some(RedirectFault::OtherIss(evil.to_owned()));
    let end = provider.browse(Choice::Approve).await.map(drop);
    assert_eq!(end, Err(Error::Authorization(callback::Fault::OtherIssuer(evil.into()))));
    assert_eq!(provider.op.counts().token, 0, "no code was sent anywhere");
}

#[tokio::test]
async fn the_redirect_address_can_be_pasted_instead() {
    let provider = Provider::open().await;
    let metadata = provider.metadata().await;
    let listener = Listener::bind(&Redirect::default()).await.expect("a port");
    let (attempt, redirect) = (Attempt::random().expect("random"), listener.redirect_uri().clone());
    let url = authorization_url(&metadata, provider.wish(), &attempt, &redirect).expect("an address");
    let expected = Expectation::of(&attempt, &metadata, &redirect);
    let elsewhere = Visitor::new().expect("a visitor").stopping_before(redirect.as_str());
    let end = elsewhere.visit(url.as_str(), Choice::Approve, "alice").await.expect("an end");
    let wrong = parse_pasted(url.as_str(), &expected);
    assert_eq!(wrong, Err(Error::Pasted(callback::Unusable::LoginPage)));
    let code = parse_pasted(&end.address.expose().replace('&', "&\n  "), &expected).expect("a code");
    redeem(&provider.http, &metadata, &provider.client, &code, &redirect, &attempt.verifier, &[])
        .await
        .expect("tokens");
    let again =
        redeem(&provider.http, &metadata, &provider.client, &code, &redirect, &attempt.verifier, &[]).await;
    let error = again.expect_err("a code is good once");
    assert!(matches!(error, Error::Redemption(Cause::Refused(_))) && !error.is_for_good(), "{error}");
}

#[tokio::test]
async fn a_code_is_useless_without_its_verifier() {
    let provider = Provider::open().await;
    let metadata = provider.metadata().await;
    let listener = Listener::bind(&Redirect::default()).await.expect("a port");
    let (attempt, redirect) = (Attempt::random().expect("random"), listener.redirect_uri().clone());
    let url = authorization_url(&metadata, provider.wish(), &attempt, &redirect).expect("an address");
    let thief = Visitor::new().expect("a visitor").stopping_before(redirect.as_str());
    let end = thief.visit(url.as_str(), Choice::Approve, "alice").await.expect("an end");
    let code = Secret::new(end.parameter("code").expect("a code"));
    let other = Verifier::random().expect("random");
    let error =
        redeem(&provider.http, &metadata, &provider.client, &code, &redirect, &other, &[]).await.map(drop);
    assert!(error.expect_err("refused").to_string().contains("PKCE"), "the verifier is what is wrong");
}

#[tokio::test]
async fn each_faulty_id_token_gets_its_verdict() {
    use id_token::Fault::{
        AccessToken, Expired, NoKey, Nonce, OtherAudience, OtherIssuer, Signature, Unsigned,
    };
    type Judge = fn(&id_token::Fault) -> bool;
    let table: [(IdTokenFault, Judge); 8] = [
        (IdTokenFault::WrongNonce, |fault| *fault == Nonce),
        (IdTokenFault::WrongAtHash, |fault| *fault == AccessToken),
        (IdTokenFault::AlgNone, |fault| *fault == Unsigned),
        (IdTokenFault::WrongIssuer, |fault| matches!(fault, OtherIssuer(_))),
        (IdTokenFault::WrongAudience, |fault| *fault == OtherAudience),
        (IdTokenFault::Expired, |fault| matches!(fault, Expired(_))),
        (IdTokenFault::Forged, |fault| *fault == Signature),
        (IdTokenFault::UnknownKey, |fault| matches!(fault, NoKey(_))),
    ];
    let provider = Provider::open().await;
    for (fault, is_right) in table {
        provider.op.quirks().id_token = Some(fault);
        let login = provider.login().await;
        match provider.verdict(&login).await {
            Err(Error::IdToken(verdict)) => assert!(is_right(&verdict), "{fault:?} {verdict}"),
            other => panic!("{fault:?}: {other:?}"),
        }
    }
    provider.op.quirks().id_token = Some(IdTokenFault::Absent);
    assert_eq!(provider.login().await.tokens.id_token, None);
}

#[tokio::test]
async fn a_refresh_rotates_and_a_second_use_of_the_old_token_ends_the_family_for_good() {
    let provider = Provider::open().await;
    let first = provider.login().await.tokens;
    let second = provider.renew(&refresh_of(&first)).await.expect("renewed");
    assert_ne!(second.access, first.access);
    assert_ne!(second.refresh, first.refresh);
    for dead in [refresh_of(&first), refresh_of(&second)] {
        let error = provider.renew(&dead).await.expect_err("the family is dead");
        assert!(error.is_for_good() && error.login_needed() && !error.is_temporary(), "{error}");
    }
    let gone = provider.ask_user(&second.access, None).await.expect_err("so is the access token");
    assert_eq!(gone.refusal().map(|refusal| refusal.status), Some(401));
}

#[tokio::test]
async fn a_refresh_that_fails_says_whether_the_token_lives() {
    let mut provider = Provider::open().await;
    let token = refresh_of(&provider.login().await.tokens);
    provider.op.quirks().down = true;
    let metadata_gone = discover(&provider.http, &provider.issuer).await.expect_err("down");
    assert!(metadata_gone.is_temporary() && metadata_gone.is_unreached(), "{metadata_gone}");
    provider.op.quirks().down = false;

    let metadata = provider.metadata().await;
    let client = provider.client.clone();
    let wish = refresh::Wish {
        client: &client,
        policy: RefreshScope::Omit,
        scopes: &[],
        narrowed: None,
        extra: &[],
    };
    provider.op.quirks().down = true;
    let down = refresh(&provider.http, &metadata, wish, &token).await.expect_err("down");
    provider.op.quirks().down = false;
    assert!(down.is_temporary() && !down.is_for_good(), "{down}");

    provider.client = Client::public("nobody");
    let wrong = provider.renew(&token).await.expect_err("no such client");
    assert!(wrong.client_is_wrong() && !wrong.is_for_good() && !wrong.is_temporary(), "{wrong}");

    provider.client = Client::public("toktui");
    provider.pass(1801);
    let ended = provider.renew(&token).await.expect_err("ended");
    assert!(ended.is_for_good(), "{ended}");
    assert_eq!(ended.to_string(), "the server says: Token is not active (invalid_grant)");
}

#[tokio::test]
async fn an_answer_that_is_lost_leaves_the_refresh_token_in_doubt() {
    let provider = Provider::open().await;
    let token = refresh_of(&provider.login().await.tokens);
    let metadata = provider.metadata().await;
    let client = provider.client.clone();
    let wish = refresh::Wish {
        client: &client,
        policy: RefreshScope::Omit,
        scopes: &[],
        narrowed: None,
        extra: &[],
    };
    provider.op.quirks().lose_answers = true;
    let lost = refresh(&provider.http, &metadata, wish, &token).await.expect_err("lost");
    assert!(lost.may_have_acted() && lost.is_temporary() && !lost.is_for_good(), "{lost}");
    provider.op.quirks().lose_answers = false;

    provider.op.quirks().extra_delay = Duration::from_millis(300);
    let hasty = Http::new(Limits { first_byte: Duration::from_millis(50), ..Limits::default() });
    let late = refresh(&hasty, &metadata, wish, &token).await.expect_err("late");
    assert!(late.may_have_acted() && late.is_unreached(), "{late}");
}

#[tokio::test]
async fn odd_lifetimes_and_dropped_scopes_cost_no_token() {
    let provider = Provider::open().await;
    provider.op.quirks().expires_in = ExpiresIn::Text;
    assert_eq!(provider.login().await.tokens.expires_in, Some(300));
    provider.op.quirks().expires_in = ExpiresIn::Absent;
    assert_eq!(provider.login().await.tokens.expires_in, None);
    provider.op.quirks().no_refresh_token = true;
    assert_eq!(provider.login().await.tokens.refresh, None);
}

#[tokio::test]
async fn an_offline_login_names_no_end() {
    let mut provider = Provider::open().await;
    provider.scopes.push("offline_access".to_owned());
    assert_eq!(provider.login().await.tokens.refresh_expires_in, Some(0));
}

#[tokio::test]
async fn revocation_is_told_apart_from_a_token_that_was_not_known() {
    let provider = Provider::open().await;
    let tokens = provider.login().await.tokens;
    assert_eq!(provider.revoke(&tokens.access, Kind::Access).await, Ok(Revoked::Done));
    assert!(provider.ask_user(&tokens.access, None).await.is_err());
    assert_eq!(provider.revoke(&refresh_of(&tokens), Kind::Refresh).await, Ok(Revoked::Done));
    assert_eq!(provider.revoke(&refresh_of(&tokens), Kind::Refresh).await, Ok(Revoked::Unknown));
    assert_eq!(provider.revoke(&Secret::new("nonsense"), Kind::Access).await, Ok(Revoked::Unknown));
    assert!(provider.renew(&refresh_of(&tokens)).await.expect_err("revoked").is_for_good());
}

#[tokio::test]
async fn userinfo_says_why_it_refuses_although_its_body_is_empty() {
    let mut provider = Provider::open().await;
    let bad = provider.ask_user(&Secret::new("nonsense"), None).await.expect_err("refused");
    assert_eq!(bad.to_string(), "the server says: Token verification failed (invalid_token)");
    provider.scopes = vec!["email".to_owned()];
    let token = provider.login().await.tokens.access;
    let narrow = provider.ask_user(&token, None).await.expect_err("no openid");
    assert!(narrow.scopes_refused(), "{narrow}");
}

#[tokio::test]
async fn introspection_is_for_clients_with_a_secret_in_either_way_of_sending_it() {
    let mut provider = Provider::open().await;
    let access = provider.login().await.tokens.access;
    let metadata = provider.metadata().await;
    let before = provider.op.counts().introspection;
    let refused = introspect(&provider.http, &metadata, &provider.client, &access, Kind::Access).await;
    assert!(matches!(refused, Err(Error::Introspection(Cause::NotOffered(_)))));
    assert_eq!(provider.op.counts().introspection, before, "nothing was sent");
    for auth in [ClientAuth::Basic, ClientAuth::Post] {
        provider.confidential(auth);
        let said = introspect(&provider.http, &metadata, &provider.client, &access, Kind::Access).await;
        assert!(said.expect("an answer").active, "{auth:?}");
        let unknown =
            introspect(&provider.http, &metadata, &provider.client, &Secret::new("x"), Kind::Access).await;
        assert!(!unknown.expect("an answer").active);
    }
}

#[tokio::test]
async fn a_device_login_waits_is_granted_and_its_id_token_is_believed() {
    let provider = Provider::open().await;
    let metadata = provider.metadata().await;
    let attempt = Attempt::random().expect("random");
    let started = start(&provider.http, &metadata, provider.wish(), &attempt.verifier).await.expect("begun");
    assert_eq!(started.interval, Duration::from_secs(5));
    let poll = || poll_once(&provider.http, &metadata, &provider.client, &started, &attempt.verifier, &[]);
    assert_eq!(poll().await, Poll::Pending);
    assert_eq!(poll().await, Poll::SlowDown, "it was early");
    let visitor = Visitor::new().expect("a visitor");
    let complete = started.verification_complete.clone().expect("an address");
    visitor.visit(complete.as_str(), Choice::Approve, "alice").await.expect("an end");
    provider.pass(10);
    let Poll::Granted(tokens) = poll().await else { panic!("no tokens") };
    let mut keys = KeySet::fetch(&provider.http, &metadata).await.expect("keys");
    let token = tokens.id_token.clone().expect("an ID token");
    let expected = Expected {
        issuer: &metadata.issuer,
        client: "toktui",
        nonce: None,
        access: Some(&tokens.access),
        subject: None,
        now: provider.clock.now(),
    };
    id_token::verify(&provider.http, &mut keys, &token, expected).await.expect("believed");
    provider.pass(10);
    assert!(matches!(poll().await, Poll::Failed(_)), "the code is spent");
}

#[tokio::test]
async fn a_device_login_ends_in_a_denial_or_by_its_age() {
    let provider = Provider::open().await;
    let metadata = provider.metadata().await;
    let verifier = Verifier::random().expect("random");
    let begin = || start(&provider.http, &metadata, provider.wish(), &verifier);
    let started = begin().await.expect("begun");
    let visitor = Visitor::new().expect("a visitor");
    let complete = started.verification_complete.clone().expect("an address");
    visitor.visit(complete.as_str(), Choice::Deny, "alice").await.expect("an end");
    let poll = poll_once(&provider.http, &metadata, &provider.client, &started, &verifier, &[]).await;
    assert_eq!(poll, Poll::Denied);

    let started = begin().await.expect("begun");
    let mut schedule = Schedule::new(&started, provider.clock.now());
    for (seconds, end) in [(601, End::Expired), (3600, End::Expired)] {
        provider.pass(seconds);
        let poll = poll_once(&provider.http, &metadata, &provider.client, &started, &verifier, &[]).await;
        assert_eq!(schedule.heard(poll, provider.clock.now()), Some(end), "after {seconds} s more");
    }
}

#[tokio::test]
async fn a_device_login_whose_granting_answer_was_lost_is_told_from_one_that_was_refused() {
    let provider = Provider::open().await;
    let metadata = provider.metadata().await;
    let verifier = Verifier::random().expect("random");
    let started = start(&provider.http, &metadata, provider.wish(), &verifier).await.expect("begun");
    let mut schedule = Schedule::new(&started, provider.clock.now());
    let visitor = Visitor::new().expect("a visitor");
    let complete = started.verification_complete.clone().expect("an address");
    visitor.visit(complete.as_str(), Choice::Approve, "alice").await.expect("an end");
    let poll = || poll_once(&provider.http, &metadata, &provider.client, &started, &verifier, &[]);
    provider.op.quirks().lose_answers = true;
    assert_eq!(schedule.heard(poll().await, provider.clock.now()), None);
    provider.op.quirks().lose_answers = false;
    provider.pass(10);
    assert_eq!(schedule.heard(poll().await, provider.clock.now()), Some(End::Lost));
}

#[tokio::test]
async fn a_document_of_another_issuer_is_not_believed() {
    let provider = Provider::open().await;
    let other = format!("{}/", provider.issuer);
    provider.op.quirks().other_issuer = Some(other.clone());
    let fault = Fault::OtherIssuer { said: other.as_str().into(), how: Difference::TrailingSlash };
    assert_eq!(discover(&provider.http, &provider.issuer).await, Err(Error::Discovery(fault)));
    let nowhere = discover(&provider.http, &provider.issuer.replace("toktui", "nothing")).await;
    let error = nowhere.expect_err("no such realm");
    assert_eq!(error.to_string(), "the server says: Realm does not exist");
}
