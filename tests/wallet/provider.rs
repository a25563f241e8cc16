//! What a provider wants of a login: pushed requests, audiences, and a check that finds what would fail before it does.

use std::collections::BTreeSet;
use std::sync::Arc;

use toktui::domain::credential::Ask;
use toktui::domain::failure::Kind;
use toktui::domain::login::{Order, Relation, Report};
use toktui::domain::source::{Issuer, Redirect, Route, Source};
use toktui::http::{Credentials, Http};
use toktui::sandbox::op::{Client, Pushing};
use toktui::sandbox::visitor::Choice;
use toktui::wallet::draw::Wish;
use toktui::wallet::inspect::{Checked, Finding, Standing};

use crate::world::{Running, World, at, named, visit};

const FORCE: Wish = Wish { force: true, insist: true, min_life: None, ask: None };
const STORAGE: &str = "https://se.example.org";

fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The parameters of an address or a form.
fn pairs(text: &str) -> Vec<(String, String)> {
    let query = text.split_once('?').map_or(text, |(_, query)| query);
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

fn all<'p>(pairs: &'p [(String, String)], name: &str) -> Vec<&'p str> {
    pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
}

fn last_form(world: &World) -> Vec<(String, String)> {
    pairs(&String::from_utf8_lossy(&world.op_tap.all().pop().expect("a request").request))
}

async fn log_in_for(world: &World, order: Order, audiences: &[&str]) -> (String, Report) {
    let mut login = Running::for_audiences(&world.wallet, order, set(audiences));
    let address = login.may_open().await;
    visit(&address, Choice::Approve).await;
    (address, login.end().await.expect("a login"))
}

fn listed(world: &World) -> (Source, Issuer) {
    let source = world.wallet.source(&"op".into()).expect("listed");
    let issuer = source.issuer().expect("an issuer").clone();
    (source, issuer)
}

async fn check(world: &World) -> Checked {
    let (source, issuer) = listed(world);
    world.wallet.check(&source, &issuer, None).await
}

fn found<'c>(checked: &'c Checked, what: &str) -> &'c Finding {
    checked
        .findings
        .iter()
        .find(|finding| finding.what == what)
        .unwrap_or_else(|| panic!("{what}: {checked:?}"))
}

#[tokio::test]
async fn where_requests_must_be_pushed_the_browser_carries_a_handle_that_is_good_once() {
    let world = World::with(|op, _| op.pushing = Pushing::Required).await;
    let mut login = world.start(at("op"));
    let address = login.may_open().await;
    let sent = pairs(&address);
    let names: Vec<_> = sent.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["client_id", "request_uri"]);
    visit(&address, Choice::Approve).await;
    let report = login.end().await.expect("a login");
    assert_eq!(report.name, "op");
    assert_eq!((world.op.counts().pushed, world.op_tap.granted("authorization_code")), (1, 1));
    let http = Http::default();
    for (again, words) in [(address.as_str(), "once"), (&without_handle(&address), "only allowed")] {
        let page = http.get(&url::Url::parse(again).expect("an address"), &Credentials::None).await;
        let page = page.expect("a page");
        assert_eq!(page.status, 400, "{again}");
        assert!(String::from_utf8_lossy(page.bytes()).contains(words), "{again}");
    }
}

fn without_handle(address: &str) -> String {
    address.split_once("&request_uri").map_or(address, |(before, _)| before).to_owned()
}

#[tokio::test]
async fn a_provider_that_only_offers_it_is_asked_as_ever() {
    let world = World::with(|op, _| op.pushing = Pushing::Offered).await;
    world.logged_in(at("op")).await;
    assert_eq!(world.op.counts().pushed, 0);
}

#[tokio::test]
async fn what_a_pushed_request_is_refused_for_is_said_here_and_not_in_the_browser() {
    let world = World::with(|op, _| op.pushing = Pushing::Required).await;
    world
        .set_issuer(|issuer| {
            issuer.routes = vec![Route::Browser];
            issuer.scopes.push("nonsense".to_owned());
        })
        .await;
    let failure = world.start(at("op")).end().await.expect_err("no such scope");
    assert!(failure.why.contains("invalid_scope"), "{failure}");
    let checked = check(&world).await;
    let scopes = found(&checked, "scopes");
    assert_eq!(scopes.standing, Standing::Wrong, "{checked:?}");
    assert!(scopes.said.contains("nonsense"), "{checked:?}");
    assert_eq!(
        found(&checked, "redirect").standing,
        Standing::Good,
        "the address is not to blame: {checked:?}"
    );
}

#[tokio::test]
async fn an_audience_is_asked_at_login_and_at_each_renewal_and_remembered_under_the_name() {
    let client = Client { honours_audience: true, rotates: false, ..Client::public("toktui") };
    let world = World::with(|op, _| op.clients = vec![client]).await;
    let refused = Running::for_audiences(&world.wallet, at("op"), set(&[STORAGE])).end().await;
    let refused = refused.expect_err("it takes none");
    assert_eq!((refused.kind, world.op_tap.all().len()), (Kind::Unusable, 0), "{refused}");
    world.set_issuer(|issuer| issuer.audience_parameter = Some("resource".to_owned())).await;
    let refused = Running::for_audiences(&world.wallet, at("op"), set(&["dcache"])).end().await;
    let refused = refused.expect_err("no address");
    assert!(refused.why.contains("only addresses"), "{refused}");
    assert_eq!(world.op_tap.all().len(), 0);

    let (address, report) = log_in_for(&world, named("op", "storage"), &[STORAGE]).await;
    assert_eq!(all(&pairs(&address), "resource"), [STORAGE]);
    let line = report.lines.iter().find(|line| line.what == "audience").expect("a line");
    assert_eq!((line.granted.as_str(), line.relation), (STORAGE, Relation::Same), "{line:?}");
    world.wallet.draw(&report.id, FORCE).await.expect("a token");
    assert_eq!(all(&last_form(&world), "resource"), [STORAGE]);

    let two = set(&["https://a.example.org", "https://b.example.org"]);
    let ask = Some(Ask { scopes: BTreeSet::new(), audiences: two });
    world.wallet.draw(&report.id, Wish { ask, ..FORCE }).await.expect("a token");
    assert_eq!(all(&last_form(&world), "resource"), ["https://a.example.org", "https://b.example.org"]);

    // With other scopes only it stays for its own audience: it must not be good for more than was meant.
    let ask = Some(Ask { scopes: set(&["openid"]), audiences: BTreeSet::new() });
    world.wallet.draw(&report.id, Wish { ask, ..FORCE }).await.expect("a token");
    assert_eq!(all(&last_form(&world), "resource"), [STORAGE]);

    let (address, again) = log_in_for(&world, named("op", "storage"), &[]).await;
    assert_eq!((all(&pairs(&address), "resource"), &again.id), (vec![STORAGE], &report.id));
    let (address, _) = log_in_for(&world, named("op", "other"), &[]).await;
    assert_eq!(all(&pairs(&address), "resource"), Vec::<&str>::new());
}

#[tokio::test]
async fn a_provider_that_does_not_take_the_audience_is_found_out() {
    let world = World::open().await;
    world.set_issuer(|issuer| issuer.audience_parameter = Some("audience".to_owned())).await;
    let (_, report) = log_in_for(&world, at("op"), &["dcache"]).await;
    let line = report.lines.iter().find(|line| line.what == "audience").expect("a line");
    assert_eq!(line.relation, Relation::Other, "{line:?}");
    assert_eq!(line.note.as_deref(), Some("the provider did not take the audience"));
}

#[tokio::test]
async fn a_wrong_redirect_and_a_missing_device_grant_are_found_with_what_works_instead() {
    let client = Client {
        redirect_uris: vec!["http://localhost/callback".to_owned()],
        device: false,
        ..Client::public("toktui")
    };
    let world = World::with(|op, _| op.clients = vec![client]).await;
    let checked = check(&world).await;
    let redirect = found(&checked, "redirect");
    assert_eq!(redirect.standing, Standing::Wrong);
    let cure = redirect.cure.as_deref().unwrap_or_default();
    assert!(cure.contains("redirects = [\"http://localhost/callback\"]"), "{redirect:?}");
    let device = found(&checked, "device code");
    assert_eq!(device.standing, Standing::Wrong, "{device:?}");
    assert!(device.said.contains("disabled for the client"), "{device:?}");
    // With the cure it works.
    world
        .set_issuer(|issuer| {
            issuer.redirect = Redirect { by_name: true, ..Redirect::default() };
            issuer.routes = vec![Route::Browser, Route::Paste];
        })
        .await;
    let (source, issuer) = listed(&world);
    let (checked, again) = (check(&world).await, world.wallet.check(&source, &issuer, None).await);
    assert_eq!(checked, again, "a check changes nothing");
    assert_eq!(found(&checked, "redirect").standing, Standing::Good);
    assert_eq!(world.wallet.held().len(), 0);
}

#[tokio::test]
async fn a_clock_that_is_off_is_found_by_a_check() {
    let world = World::open().await;
    let (source, issuer) = listed(&world);
    let wallet = Arc::clone(&world.wallet_on_a_clock_that_is_off(300));
    let checked = wallet.check(&source, &issuer, None).await;
    let clock = found(&checked, "clock");
    assert_eq!(clock.standing, Standing::Wrong);
    assert!(clock.said.contains("ahead of the provider's"), "{clock:?}");
}
