//! Reading tokens: signatures against the issuer's keys, opaque ones by introspection, and what must not be sent or fetched.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use toktui::domain::introspected::{About, Answer, Introspected, Said};
use toktui::domain::secret::Secret;
use toktui::domain::signature::{Signature, Unchecked};
use toktui::domain::source::{Client, ClientAuth};
use toktui::domain::specimen::recognise;
use toktui::sandbox::op;
use toktui::wallet::draw::Wish;
use toktui::wallet::look_up::{Ask, Found};

use crate::world::{World, at};

const AGENT: &str = "toktui-agent";

async fn access_token(world: &World) -> String {
    let report = world.logged_in(at("op")).await;
    let drawn = world.wallet.draw(&report.id, Wish::default()).await.expect("a token");
    drawn.token.value.expose().to_owned()
}

/// The token with another header or other claims, under the signature that it had.
fn changed(token: &str, part: usize, change: impl Fn(&mut Value)) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let bytes = URL_SAFE_NO_PAD.decode(&parts[part]).expect("base64url");
    let mut value: Value = serde_json::from_slice(&bytes).expect("JSON");
    change(&mut value);
    parts[part] = URL_SAFE_NO_PAD.encode(value.to_string());
    parts.join(".")
}

fn asked(world: &World, end: &str) -> usize {
    world.op_tap.all().iter().filter(|exchange| exchange.path.ends_with(end)).count()
}

/// What a wallet that has never spoken to the provider says of it.
async fn elsewhere(world: &World, token: &str, ask: &Ask) -> Found {
    world.other_wallet().look_up_pasted(&recognise(token), ask).await
}

async fn signature(world: &World, token: &str) -> Signature {
    elsewhere(world, token, &Ask::IfListed).await.signature.expect("it is a JWT")
}

#[tokio::test]
async fn a_signature_is_good_or_does_not_fit_or_it_is_said_why_nobody_knows() {
    let world = World::open().await;
    let token = access_token(&world).await;
    let issuer = || world.issuer.as_str().into();
    let head = |change: fn(&mut Value)| changed(&token, 0, change);
    let Signature::Good { key: Some(key), algorithm, .. } = signature(&world, &token).await else {
        panic!("it is the provider's own")
    };
    assert_eq!(algorithm.raw(), "RS256");
    let named = || Some(key.clone());
    let table = [
        ("as it came", token.clone(), Signature::Good { issuer: issuer(), key: named(), algorithm }),
        (
            "another subject",
            changed(&token, 1, |claims| claims["sub"] = "mallory".into()),
            Signature::Bad { issuer: issuer(), key: named() },
        ),
        (
            "a key that nobody publishes",
            head(|head| head["kid"] = "k9".into()),
            Signature::Unchecked(Unchecked::NoKey { issuer: issuer(), key: "k9".into() }),
        ),
        (
            "an algorithm of tomorrow",
            head(|head| head["alg"] = "ML-DSA-44".into()),
            Signature::Unchecked(Unchecked::Algorithm("ML-DSA-44".into())),
        ),
        ("unsigned", head(|head| head["alg"] = "none".into()), Signature::Unchecked(Unchecked::Unsigned)),
        ("extensions", head(|head| head["crit"] = json!(["x"])), Signature::Unchecked(Unchecked::Extensions)),
    ];
    for (what, token, expected) in table {
        assert_eq!(signature(&world, &token).await, expected, "{what}");
    }
    // With a public key for its secret, anybody could make it.
    let hmac = head(|head| head["alg"] = "HS256".into());
    let (body, _) = hmac.rsplit_once('.').expect("a signature");
    let hmac = format!("{body}.{}", URL_SAFE_NO_PAD.encode([7; 32]));
    assert_eq!(signature(&world, &hmac).await, Signature::Unchecked(Unchecked::Secret("HS256".into())));
}

#[tokio::test]
async fn keys_are_fetched_once_a_session_and_the_token_is_never_sent() {
    let world = World::open().await;
    let token = access_token(&world).await;
    let wallet = world.other_wallet();
    let (before, all) = (asked(&world, "/certs"), world.op_tap.all().len());
    for _ in 0..3 {
        let found = wallet.look_up_pasted(&recognise(&token), &Ask::IfListed).await;
        assert!(found.signature.is_some_and(|signature| signature.is_good()));
    }
    // A key that is not among them is no reason to ask again and again.
    let other = changed(&token, 0, |head| head["kid"] = "k9".into());
    wallet.look_up_pasted(&recognise(&other), &Ask::IfListed).await;
    let exchanges = world.op_tap.all();
    assert_eq!(
        (asked(&world, "/certs") - before, exchanges.len() - all),
        (1, 2),
        "the document and the keys"
    );
    let sent = exchanges.iter().skip(all).any(|exchange| !exchange.request.is_empty());
    assert!(!sent, "something was sent");
}

#[tokio::test]
async fn nothing_is_fetched_for_an_issuer_that_is_not_listed_to_the_letter() {
    let world = World::open().await;
    let token = access_token(&world).await;
    let before = world.op_tap.all().len();
    for other in [format!("{}/", world.issuer), world.issuer.to_uppercase()] {
        let token = changed(&token, 1, |claims| claims["iss"] = other.as_str().into());
        let expected = Signature::Unchecked(Unchecked::NotListed(other.as_str().into()));
        assert_eq!(signature(&world, &token).await, expected);
    }
    let nobody = changed(&token, 1, |claims| drop(claims.as_object_mut().expect("claims").remove("iss")));
    assert_eq!(signature(&world, &nobody).await, Signature::Unchecked(Unchecked::NoIssuer));
    let unasked = elsewhere(&world, &token, &Ask::Nobody).await.signature;
    assert_eq!(unasked, Some(Signature::Unchecked(Unchecked::NotAsked)));
    assert_eq!(world.op_tap.all().len(), before);
}

#[tokio::test]
async fn a_kept_token_of_somebody_lists_nobody() {
    let world = World::open().await;
    let token = changed(&access_token(&world).await, 1, |claims| {
        claims["iss"] = "https://nobody.example".into();
    });
    let id = world.keep("theirs", &Secret::new(token.as_str())).await;
    let found = world.wallet.look_up(&id).await.expect("held");
    let expected = Signature::Unchecked(Unchecked::NotListed("https://nobody.example".into()));
    assert_eq!(found.signature, Some(expected));
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_said_and_the_rest_is_read_all_the_same() {
    let world = World::open().await;
    let token = access_token(&world).await;
    world.op.quirks().down = true;
    let found = elsewhere(&world, &token, &Ask::IfListed).await;
    assert!(matches!(found.signature, Some(Signature::Unchecked(Unchecked::NotReached { .. }))), "{found:?}");
    assert!(found.content.is_some_and(|jwt| jwt.claims.contains_key("sub")));
    world.op.quirks().down = false;
    assert!(signature(&world, &token).await.is_good());
}

#[tokio::test]
async fn a_forged_token_is_not_valid_and_an_unchecked_one_goes_by_its_times() {
    let world = World::open().await;
    let token = access_token(&world).await;
    let code = |token: String| {
        let world = &world;
        async move { elsewhere(world, &token, &Ask::IfListed).await.exit_code() }
    };
    let forged = changed(&token, 1, |claims| claims["sub"] = "mallory".into());
    let unknown = changed(&token, 0, |head| head["kid"] = "k9".into());
    assert_eq!((code(token).await, code(forged).await, code(unknown).await), (0, 3, 0));
}

#[tokio::test]
async fn the_token_of_a_login_is_checked_when_it_is_looked_up() {
    let world = World::open().await;
    let report = world.logged_in(at("op")).await;
    let found = world.wallet.look_up(&report.id).await.expect("held");
    assert!(found.signature.is_some_and(|signature| signature.is_good()));
    assert_eq!(found.introspected, None, "a JWT says it all itself");
}

/// A provider whose access tokens are opaque, and a client of it with a secret or without.
async fn opaque(secret: Option<&str>) -> World {
    let client = op::Client {
        jwt_access: false,
        audience: vec![AGENT.to_owned()],
        ..secret.map_or_else(|| op::Client::public(AGENT), |secret| op::Client::confidential(AGENT, secret))
    };
    let world = World::with(|settings, _| settings.clients.push(client)).await;
    let auth = if secret.is_some() { ClientAuth::Basic } else { ClientAuth::None };
    let client = Client { id: AGENT.to_owned(), secret: secret.map(Secret::new), auth };
    world.set_issuer(|issuer| issuer.client = Some(client)).await;
    world
}

#[tokio::test]
async fn an_opaque_token_that_is_held_is_told_by_its_provider_to_a_client_with_a_secret() {
    let world = opaque(Some("s3cret")).await;
    let report = world.logged_in(at("op")).await;
    let found = world.wallet.look_up(&report.id).await.expect("held");
    let introspected = found.introspected.clone().expect("it was asked");
    assert_eq!(introspected.words(), "Sandbox says that it is active");
    assert_eq!(introspected.claims().and_then(|claims| claims.get("username")), Some(&"alice".into()));
    assert_eq!((found.exit_code(), found.content), (0, None));
    world.op.quirks().disabled.insert("alice".to_owned());
    let found = world.wallet.look_up(&report.id).await.expect("held");
    assert_eq!(found.introspected.as_ref().map(|introspected| &introspected.said), Some(&Said::NotActive));
    assert_eq!(found.exit_code(), 3);
}

#[tokio::test]
async fn a_client_without_a_secret_is_told_that_it_may_not_and_nothing_is_sent() {
    let world = opaque(None).await;
    let report = world.logged_in(at("op")).await;
    let found = world.wallet.look_up(&report.id).await.expect("held");
    let said = found.introspected.as_ref().map(Introspected::words).expect("it was tried");
    assert!(said.contains("clients that have a secret"), "{said}");
    assert_eq!(asked(&world, "/introspect"), 0);
    assert_eq!(found.exit_code(), 0, "its own end is known");
}

#[tokio::test]
async fn whether_the_tokens_of_a_login_are_active_is_told_to_a_client_with_a_secret() {
    let world = opaque(Some("s3cret")).await;
    let id = world.logged_in(at("op")).await.id;
    let active = |answer: &Answer| match &answer.answer.said {
        Said::Active(claims) => claims.get("username").cloned(),
        Said::NotActive | Said::Nothing(_) => None,
    };
    for about in [About::Access, About::Refresh] {
        let answer = world.wallet.introspect(&id, about).await.expect("an answer");
        assert_eq!((active(&answer), answer.about), (Some("alice".into()), about), "{answer:?}");
    }
    assert_eq!(asked(&world, "/introspect"), 2);
    world.op.quirks().disabled.insert("alice".to_owned());
    let answer = world.wallet.introspect(&id, About::Refresh).await.expect("an answer");
    assert_eq!(answer.answer.said, Said::NotActive);
    world.wallet.draw(&id, Wish { force: true, ..Wish::default() }).await.expect_err("it is not renewed");
}

#[tokio::test]
async fn nobody_is_asked_about_a_token_by_who_may_not_ask() {
    let world = opaque(None).await;
    let id = world.logged_in(at("op")).await.id;
    let failure = world.wallet.introspect(&id, About::Access).await.expect_err("no secret");
    assert!(failure.why.contains("a client that has a secret"), "{failure}");
    let mytoken = world.issued(toktui::sandbox::mytoken::Order::default());
    let kept = world.wallet.keep(&recognise(mytoken.expose()), "toar").await.expect("kept");
    let failure = world.wallet.introspect(&kept.0, About::Access).await.expect_err("a mytoken");
    assert!(failure.why.contains("it is a mytoken"), "{failure}");
    assert_eq!((asked(&world, "/introspect"), world.server_requests()), (0, 0));
}

#[tokio::test]
async fn an_answer_about_the_access_token_stands_where_none_comes_about_the_refresh_token() {
    let world = opaque(Some("s3cret")).await;
    let id = world.logged_in(at("op")).await.id;
    let both = world.wallet.introspect_both(&id).await.expect("answers");
    assert_eq!(both.iter().map(|answer| answer.about).collect::<Vec<_>>(), [About::Access, About::Refresh]);
    let tap = world.op_tap.clone();
    world.op_tap.before_each(move |request| {
        if String::from_utf8_lossy(&request.body).contains("token_type_hint=access_token") {
            tap.swallow_next();
        }
    });
    let both = world.wallet.introspect_both(&id).await.expect("answers");
    assert!(matches!(both[0].answer.said, Said::Active(_)), "{both:?}");
    assert!(matches!(both[1].answer.said, Said::Nothing(_)), "{both:?}");
}

#[tokio::test]
async fn a_pasted_opaque_token_is_shown_only_to_the_provider_that_is_named() {
    let world = opaque(Some("s3cret")).await;
    let token = access_token(&world).await;
    for ask in [Ask::IfListed, Ask::Nobody] {
        let found = world.wallet.look_up_pasted(&recognise(&token), &ask).await;
        assert_eq!((found.introspected, asked(&world, "/introspect")), (None, 0), "{ask:?}");
    }
    let at_op = Ask::Provider("op".into());
    let found = world.wallet.look_up_pasted(&recognise(&token), &at_op).await;
    assert_eq!((found.exit_code(), asked(&world, "/introspect")), (0, 1));
    assert!(found.verdict.turn.is_some(), "its end is the provider's word");
    // What is known to be somebody else's goes to nobody.
    let world_of_jwts = World::open().await;
    let foreign = access_token(&world_of_jwts).await;
    let found = world.wallet.look_up_pasted(&recognise(&foreign), &at_op).await;
    let said = found.introspected.map(|introspected| introspected.words()).expect("it was tried");
    assert!(said.contains("another issuer's"), "{said}");
    let mytoken = world.issued(toktui::sandbox::mytoken::Order::default());
    let found = world.wallet.look_up_pasted(&recognise(mytoken.expose()), &at_op).await;
    assert!(found.introspected.is_some_and(|introspected| introspected.words().contains("mytoken")));
    assert_eq!((asked(&world, "/introspect"), world.server_requests()), (1, 0));
}
