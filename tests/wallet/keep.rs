//! Keeping what was pasted, and adding providers.

use toktui::domain::credential::{Chain, Health};
use toktui::domain::failure::Kind;
use toktui::domain::form::Form;
use toktui::domain::source::{Client, Issuer, Origin, Route, SourceKind};
use toktui::domain::specimen::recognise;
use toktui::sandbox::mytoken::Order;
use toktui::wallet::draw::Wish;

use crate::world::{FORMER, World, at, op_source, source};

const FORCE: Wish = Wish { force: true, insist: true, min_life: None, ask: None };

/// A JWT of these claims; nobody here looks at its signature.
fn jwt(header: &str, claims: &str) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let signature = URL_SAFE_NO_PAD.encode([7; 64]);
    format!("{}.{}.{signature}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
}

#[tokio::test]
async fn each_kind_of_token_is_kept_under_its_own_provider_or_refused_in_its_own_words() {
    let world = World::with(|_, server| server.guest = true).await;
    let kept = async |name: &str, text: &str| world.wallet.keep(&recognise(text), name).await;

    let mytoken = world.issued(Order::default());
    let (id, name) = kept("toar", mytoken.expose()).await.expect("a mytoken");
    assert_eq!((name.as_str(), world.held(&id).source.as_str()), ("toar", "mt"));
    assert!(world.held(&id).identity.is_some());

    let login = world.other_wallet();
    let theirs = world.logged_in_with(&login, at("op")).await.id;
    let refresh = login.form(&theirs, Form::RefreshToken).await.expect("a refresh token");
    let (id, _) = kept("egi", refresh.expose()).await.expect("a refresh token");
    assert_eq!(world.held(&id).source.as_str(), "op");
    assert!(matches!(world.held(&id).chain, Chain::Refresh { .. }));
    world.wallet.draw(&id, FORCE).await.expect("it gives access tokens");

    let access = login.form(&theirs, Form::AccessToken).await.expect("an access token");
    let (id, _) = kept("bare", access.expose()).await.expect("an access token");
    assert_eq!((world.held(&id).source.as_str(), world.held(&id).chain), ("op", Chain::None));
    assert!(!world.wallet.draw(&id, FORCE).await.expect("itself").renewed);

    let id_token = login.form(&theirs, Form::IdToken).await.expect("an ID token");
    let unowned = jwt(r#"{"alg":"ES256"}"#, r#"{"typ":"Refresh"}"#);
    let elsewhere = jwt(r#"{"alg":"ES256"}"#, r#"{"typ":"Refresh","iss":"https://x.example.org","azp":"c"}"#);
    let refused = [
        ("a", mytoken.expose(), "it is held already, as toar"),
        ("b", id_token.expose(), "it opens nothing"),
        ("c", "gHtKmPqZ", "redeemed, not kept"),
        ("d", &"q".repeat(64), "by which its server could be known"),
        ("e", "eyJhbGciOi", "cut on the way"),
        ("f", &unowned, "does not say whose it is"),
        ("g", &elsewhere, "its provider is not listed here"),
        ("toar", "opaque-token_with.dots/and-more", "already the name of another"),
        ("-rf", "opaque-token_with.dots/and-more", "a name has 1 to 64"),
    ];
    for (name, text, words) in refused {
        let failure = kept(name, text).await.expect_err(words);
        assert_eq!(failure.kind, Kind::Unusable);
        assert!(failure.why.contains(words), "{failure}");
    }
}

#[tokio::test]
async fn bare_tokens_of_unknown_issuers_get_headings_of_their_own_and_take_nobody_s_place() {
    let world = World::open().await;
    let token = |iss: &str, subject: &str| {
        jwt(r#"{"alg":"ES256","typ":"at+jwt"}"#, &format!(r#"{{"iss":"{iss}","sub":"{subject}"}}"#))
    };
    let keep =
        async |name: &str, text: &str| world.wallet.keep(&recognise(text), name).await.expect("kept").0;
    let before = world.wallet.sources().len();
    let rows = [
        keep("a", &token("https://x.example.org/one", "s")).await,
        keep("b", &token("https://x.example.org/two", "s")).await,
        keep("c", &token("https://x.example.org/one", "t")).await,
        keep("d", "opaque-token_with.dots/and-more").await,
    ]
    .map(|id| world.held(&id).source);
    assert_ne!(rows[0], rows[1]);
    assert_eq!(rows[0], rows[2]);
    assert_eq!(world.wallet.sources().len(), before + 3);
    for held in world.wallet.held().iter() {
        assert!(world.wallet.source(&held.source).is_some(), "every credential is listed under one row");
    }
}

#[tokio::test]
async fn a_heading_is_no_agreement_and_becomes_a_provider_when_it_is_added() {
    let world = World::open().await;
    let elsewhere = World::open().await;
    let theirs = elsewhere.logged_in(at("op")).await.id;
    let access = elsewhere.wallet.form(&theirs, Form::AccessToken).await.expect("an access token");
    let refresh = elsewhere.wallet.form(&theirs, Form::RefreshToken).await.expect("a refresh token");
    let asked = elsewhere.op_tap.all().len();
    let bare = world.keep("bare", &access).await;
    let refused = world.wallet.keep(&recognise(refresh.expose()), "login").await.expect_err("nobody agreed");
    assert!(refused.why.contains("not listed here"), "{refused}");
    assert_eq!(elsewhere.op_tap.all().len(), asked);
    let before = world.wallet.sources().len();
    let added = world.wallet.add_provider(&elsewhere.issuer).await.expect("a provider");
    assert_eq!((added.id, world.wallet.sources().len()), (world.held(&bare).source, before));
    let id = world.keep("login", &refresh).await;
    world.wallet.draw(&id, FORCE).await.expect("an access token");
}

#[tokio::test]
async fn a_token_of_a_former_issuer_is_listed_where_it_went_and_told_dead_before_it_is_sent() {
    let world = World::open().await;
    let old =
        jwt(r#"{"alg":"none"}"#, &format!(r#"{{"iss":"{FORMER}","azp":"token-portal","typ":"Offline"}}"#));
    let (id, _) = world.wallet.keep(&recognise(&old), "old").await.expect("kept");
    let held = world.held(&id);
    assert_eq!((held.source.as_str(), held.health), ("op", Health::Dead("its issuer moved 2022".to_owned())));
    let failure = world.wallet.draw(&id, FORCE).await.expect_err("dead");
    assert_eq!((failure.kind, failure.why.as_str()), (Kind::NotValid, "its issuer moved 2022"));
    assert!(world.op_tap.all().is_empty());
}

#[tokio::test]
async fn a_provider_is_added_by_its_address_and_can_be_logged_in_at() {
    let world = World::open().await;
    let elsewhere = World::open().await;
    let added = world.wallet.add_provider(&format!(" {} ", elsewhere.issuer)).await.expect("a provider");
    assert_eq!(added.origin, Origin::Added);
    let SourceKind::Issuer(issuer) = &added.kind else { panic!("an issuer") };
    assert_eq!(issuer.routes, [Route::Device, Route::Browser, Route::Paste]);
    assert!(issuer.scopes.contains(&"offline_access".to_owned()));
    let mut order = at(added.id.as_str());
    order.client = Some(Client::public("toktui"));
    world.logged_in(order).await;
    let again = world.wallet.add_provider(&elsewhere.issuer).await.expect_err("listed");
    assert!(again.why.contains("listed already"), "{again}");
}

#[tokio::test]
async fn a_mytoken_server_is_told_apart_from_a_provider() {
    let world = World::open().await;
    let elsewhere = World::open().await;
    let added = world.wallet.add_provider(&format!("{}/", elsewhere.server)).await.expect("a server");
    assert!(matches!(added.kind, SourceKind::Server(_)));
    let again = world.wallet.add_provider(&elsewhere.server).await.expect_err("listed");
    assert!(again.why.contains("listed already"), "{again}");
}

#[tokio::test]
async fn what_is_no_provider_says_why() {
    let world = World::open().await;
    let elsewhere = World::open().await;
    let nobody = toktui::sandbox::serve::bind(0).await.expect("a port").base();
    let table = [
        (format!("{}/", elsewhere.issuer), Kind::Failed, "slash"),
        ("http://login.example.org".to_owned(), Kind::Unusable, "https"),
        ("nonsense".to_owned(), Kind::Unusable, "not an address"),
        (String::new(), Kind::Unusable, "not an address"),
        ("file:///etc/passwd".to_owned(), Kind::Unusable, "https"),
        (nobody, Kind::Unreached, "cannot be reached"),
        (format!("{}/nowhere", elsewhere.issuer), Kind::Failed, ""),
    ];
    let before = world.wallet.sources().len();
    for (address, kind, words) in table {
        let failure = world.wallet.add_provider(&address).await.expect_err("no provider");
        assert_eq!(failure.kind, kind, "{address}: {failure}");
        assert!(failure.why.contains(words), "{address}: {failure}");
    }
    assert_eq!(world.wallet.sources().len(), before);
}

#[tokio::test]
async fn each_way_of_an_issuer_to_be_typed_wrong_has_its_own_sentence_and_cure() {
    let world = World::open().await;
    let elsewhere = World::open().await;
    let right = elsewhere.issuer.clone();
    let typed = |said: &str| (right.clone(), Some(said.to_owned()));
    let table = [
        ((format!("{right}/"), None), "a slash at its end", format!("write {right}.")),
        ((right.replace("127.0.0.1", "localhost"), None), "another host", "do not log in".to_owned()),
        (typed(&right.to_uppercase()), "upper and lower case", "byte for byte".to_owned()),
        (typed(&right.replace("http:", "https:")), "https instead of http", "write https://".to_owned()),
        (typed(&right.replace("/toktui", "/other")), "another realm", "the realm's name".to_owned()),
        (typed(&right.replace("/realms", "/auth/realms")), "another path", "do not log in".to_owned()),
        (typed("https://op.example.org"), "another host", "do not log in".to_owned()),
        (typed(""), "names no issuer", "no OpenID provider".to_owned()),
        (typed(&world.issuer), "another port", "listed already, as op".to_owned()),
        ((format!("{right}/Nowhere"), None), "the server says", "upper and lower case count".to_owned()),
        (
            ("http://op.example.org/x".to_owned(), None),
            "only https",
            "Write https://op.example.org/x".to_owned(),
        ),
    ];
    for ((address, says), words, cure) in table {
        elsewhere.op.quirks().other_issuer = says;
        // Nothing is remembered of another try.
        let wallet = world.other_wallet();
        let failure = wallet.add_provider(&address).await.expect_err("it is not that");
        assert!(failure.why.contains(words), "{address}: {failure}");
        assert!(failure.hint.as_deref().is_some_and(|hint| hint.contains(&cure)), "{address}: {failure}");
    }
}

#[tokio::test]
async fn a_source_that_is_listed_again_takes_its_own_place() {
    let world = World::open().await;
    let other = Issuer { client: None, ..Issuer::at("https://x.example.org") };
    world.wallet.list_source(source("x", "X", SourceKind::Issuer(Box::new(other)))).await;
    world.wallet.list_source(op_source(&world.issuer)).await;
    let ids: Vec<_> = world.wallet.sources().iter().map(|source| source.id.as_str().to_owned()).collect();
    assert_eq!(ids, ["op", "mt", "x"]);
}
