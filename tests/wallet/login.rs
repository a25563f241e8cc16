//! Logging in at a provider: the routes, the ends, and what is kept.

use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use toktui::domain::credential::{Chain, ChainEnd, Health, Life};
use toktui::domain::event::What;
use toktui::domain::failure::Kind;
use toktui::domain::form::Form;
use toktui::domain::login::{Order, Relation, Step};
use toktui::domain::secret::Secret;
use toktui::domain::source::{Client, Redirect, Route};
use toktui::sandbox::op::{IdTokenFault, RedirectFault};
use toktui::sandbox::visitor::Choice;

use crate::world::{Running, World, at, named, redirect_of, redirect_uri, visit};

async fn device_only(world: &World) {
    world.set_issuer(|issuer| issuer.routes = vec![Route::Device]).await;
}

fn port_of(address: &str) -> u16 {
    url::Url::parse(&redirect_uri(address)).expect("an address").port().expect("a port")
}

#[tokio::test]
async fn a_login_by_browser_is_kept_with_its_refresh_token_and_says_who_it_is() {
    let world = World::open().await;
    let report = world.logged_in(at("op")).await;
    assert_eq!((report.name.as_str(), report.at.as_str()), ("op", "Sandbox"));
    let held = world.held(&report.id);
    assert!(matches!(held.chain, Chain::Refresh { ends: ChainEnd::Open, session_only: false, .. }));
    assert!(matches!(held.life(world.now()), Life::Live(_)));
    let identity = held.identity.expect("an identity");
    assert_eq!(identity.label.expect("a name").raw(), "Alice Example");
    assert_eq!(identity.issuer.raw(), world.issuer);
    let relations: Vec<_> = report.lines.iter().map(|line| (line.what.as_str(), line.relation)).collect();
    assert_eq!(
        relations,
        [("scopes", Relation::Same), ("renewable", Relation::Same), ("lives", Relation::Same)]
    );
    assert_eq!((report.no_refresh, report.remarks), (None, vec![]));
    assert_eq!(world.wallet.journal()[0].what, What::LoggedIn);
    assert_eq!(world.op_tap.granted("authorization_code"), 1);
}

#[tokio::test]
async fn a_login_by_device_code_shows_code_address_and_count_and_is_kept() {
    let world = World::open().await;
    device_only(&world).await;
    let mut login = world.start(named("op", "laptop"));
    let view = login.view(|view| view.device.is_some()).await;
    assert_eq!((view.browser, view.paste), (None, false));
    let device = view.device.expect("a code");
    assert!(device.code.is_some_and(|code| code.raw().len() == 9));
    assert!(device.next.is_some_and(|next| next > world.now()));
    visit(device.complete.expect("an address").raw(), Choice::Approve).await;
    let asked = login.view(|view| view.device.as_ref().is_some_and(|device| device.asked == 1)).await;
    assert_eq!(asked.device.expect("a code").next, None);
    let report = login.end().await.expect("a login");
    assert_eq!(report.name, "laptop");
    assert!(matches!(world.held(&report.id).chain, Chain::Refresh { .. }));
    assert_eq!(world.op.counts().early_polls, 0);
}

#[tokio::test]
async fn a_redirect_address_that_is_pasted_is_as_good_as_a_browser_here() {
    let world = World::open().await;
    let mut login = world.start(at("op"));
    let address = redirect_of(&login.may_open().await).await;
    login.watch.pasted.send(address).expect("the login listens");
    login.end().await.expect("a login");
    assert_eq!(world.op_tap.granted("authorization_code"), 1);
}

#[tokio::test]
async fn what_cannot_be_pasted_is_named_and_the_login_goes_on() {
    let world = World::open().await;
    let mut login = world.start(at("op"));
    let address = login.may_open().await;
    let redirect = redirect_uri(&address);
    let refused = [
        (String::new(), "nothing was pasted"),
        (address.clone(), "login page"),
        (format!("{redirect}?code=x&state=wrong"), "another login"),
        ("ssh -L 1:2:3".to_owned(), "no code in it"),
    ];
    for (text, words) in refused {
        login.watch.pasted.send(Secret::new(text)).expect("the login listens");
        let view = login.view(|view| view.paste_refused.is_some()).await;
        let said = view.paste_refused.expect("words");
        assert!(said.contains(words), "{said}");
    }
    login.watch.pasted.send(redirect_of(&address).await).expect("the login listens");
    login.end().await.expect("a login");
}

#[tokio::test]
async fn a_forged_state_at_the_listener_does_not_end_the_login() {
    let world = World::open().await;
    let mut login = world.start(at("op"));
    let address = login.may_open().await;
    for forged in ["?code=x&state=wrong", "?code=x", "?error=access_denied"] {
        let stray = format!("{}{forged}", redirect_uri(&address));
        assert_eq!(visit(&stray, Choice::Approve).await.status, Some(400));
    }
    visit(&address, Choice::Approve).await;
    login.end().await.expect("a login");
}

#[tokio::test]
async fn denied_in_the_browser_denied_on_the_device_and_expired_are_three_ends() {
    let world = World::with(|op, _| op.device_life = 1).await;
    let mut browser = world.start(at("op"));
    visit(&browser.may_open().await, Choice::Deny).await;
    let browser = browser.end().await.expect_err("denied");
    assert!(browser.why.contains("refused in the browser"), "{browser}");

    device_only(&world).await;
    let mut expired = world.start(at("op"));
    expired.view(|view| view.device.is_some()).await;
    let expired = expired.end().await.expect_err("expired");
    assert!(expired.why.contains("ended before anybody signed in"), "{expired}");

    let world = World::open().await;
    device_only(&world).await;
    let mut device = world.start(at("op"));
    let view = device.view(|view| view.device.is_some()).await;
    visit(view.device.and_then(|device| device.complete).expect("an address").raw(), Choice::Deny).await;
    let device = device.end().await.expect_err("denied");
    assert!(device.why.contains("refused on the other device"), "{device}");
    for failure in [&browser, &expired, &device] {
        assert_eq!(failure.kind, Kind::Failed);
        assert!(failure.hint.is_some());
    }
    assert!(world.wallet.held().is_empty());
    assert_eq!(world.wallet.journal()[0].what, What::LoginFailed);
}

#[tokio::test]
async fn a_device_code_that_ends_leaves_the_browser_its_chance() {
    let world = World::with(|op, _| op.device_life = 1).await;
    let mut login = world.start(at("op"));
    let address = login.may_open().await;
    let view = login.view(|view| view.device.is_none()).await;
    assert!(view.remarks[0].contains("code ended before anybody"), "{:?}", view.remarks);
    visit(&address, Choice::Approve).await;
    login.end().await.expect("a login");
}

#[tokio::test]
async fn stopping_frees_the_port_and_keeps_nothing() {
    let world = World::open().await;
    let mut login = world.start(at("op"));
    let address = login.may_open().await;
    let port = port_of(&address);
    TcpStream::connect(("127.0.0.1", port)).await.expect("it listens");
    login.watch.stop.send(true).expect("the login listens");
    let failure = login.end().await.expect_err("cancelled");
    assert_eq!(failure.kind, Kind::Cancelled);
    TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
    assert!(world.wallet.held().is_empty());
    assert!(world.wallet.journal().is_empty());
}

#[tokio::test]
async fn a_watcher_who_goes_away_ends_the_login() {
    let world = World::open().await;
    let mut login = world.start(at("op"));
    let address = login.may_open().await;
    drop(login.watch);
    let failure = login.task.await.expect("no panic").expect_err("cancelled");
    assert_eq!(failure.kind, Kind::Cancelled);
    TcpListener::bind(("127.0.0.1", port_of(&address))).await.expect("the port is free");
}

#[tokio::test]
async fn a_login_goes_on_when_nobody_can_paste_any_more() {
    let world = World::open().await;
    let mut login = world.start(at("op"));
    let address = login.may_open().await;
    let (closed, _) = tokio::sync::mpsc::unbounded_channel();
    login.watch.pasted = closed;
    visit(&address, Choice::Approve).await;
    login.end().await.expect("a login");
}

#[tokio::test]
async fn a_poll_under_way_is_awaited_when_the_login_is_stopped_and_its_tokens_are_dropped_and_recorded() {
    let world = World::open().await;
    device_only(&world).await;
    let mut login = world.start(at("op"));
    let view = login.view(|view| view.device.is_some()).await;
    visit(view.device.and_then(|device| device.complete).expect("an address").raw(), Choice::Approve).await;
    world.op.quirks().extra_delay = Duration::from_millis(300);
    login.view(|view| view.device.as_ref().is_some_and(|device| device.asked == 1)).await;
    login.watch.stop.send(true).expect("the login listens");
    let failure = login.end().await.expect_err("cancelled");
    assert_eq!(failure.kind, Kind::Cancelled);
    assert_eq!(world.op_tap.granted("device_code"), 1);
    assert!(world.wallet.held().is_empty());
    assert_eq!(world.wallet.journal()[0].what, What::Dropped);
    assert_eq!(world.op.counts().revocation, 0);
}

#[tokio::test]
async fn a_provider_that_is_known_to_call_itself_otherwise_in_id_tokens_is_believed_and_its_signature_counts()
{
    let world = World::open().await;
    world.op.quirks().id_token = Some(IdTokenFault::WrongIssuer);
    world.set_issuer(|issuer| issuer.id_token_issuer = Some("https://op.example.net".to_owned())).await;
    world.logged_in(at("op")).await;
    world.set_issuer(|issuer| issuer.id_token_issuer = Some("https://op.example.com".to_owned())).await;
    let mut login = world.start(at("op"));
    visit(&login.may_open().await, Choice::Approve).await;
    assert!(login.end().await.is_err(), "another name than the known one");
}

#[tokio::test]
async fn an_id_token_that_is_not_believed_ends_the_login_and_nothing_is_kept() {
    let faults = [
        (IdTokenFault::WrongNonce, "nonce"),
        (IdTokenFault::WrongAtHash, "access token"),
        (IdTokenFault::AlgNone, "sign"),
        (IdTokenFault::WrongIssuer, "issuer"),
        (IdTokenFault::WrongAudience, "another client"),
        (IdTokenFault::Expired, "ended"),
        (IdTokenFault::Forged, "signature"),
        (IdTokenFault::UnknownKey, "key"),
    ];
    for (fault, words) in faults {
        let world = World::open().await;
        world.op.quirks().id_token = Some(fault);
        let mut login = world.start(at("op"));
        visit(&login.may_open().await, Choice::Approve).await;
        let failure = login.end().await.expect_err("not believed");
        assert!(failure.why.to_lowercase().contains(words), "{fault:?}: {failure}");
        assert!(failure.hint.as_deref().is_some_and(|hint| hint.contains("not kept")), "{failure}");
        assert!(world.wallet.held().is_empty(), "{fault:?}");
        let journal = world.wallet.journal();
        assert_eq!((&journal[0].what, &journal[1].what), (&What::LoginFailed, &What::Dropped));
    }
}

#[tokio::test]
async fn an_at_hash_that_does_not_fit_is_only_a_remark_where_the_provider_is_known_for_it() {
    let world = World::open().await;
    world.set_issuer(|issuer| issuer.at_hash_only_warns = true).await;
    world.op.quirks().id_token = Some(IdTokenFault::WrongAtHash);
    let report = world.logged_in(at("op")).await;
    assert!(report.remarks[0].contains("known for it"), "{:?}", report.remarks);
}

#[tokio::test]
async fn without_an_id_token_a_login_is_kept_and_says_that_nobody_vouches() {
    let world = World::open().await;
    world.op.quirks().id_token = Some(IdTokenFault::Absent);
    let report = world.logged_in(at("op")).await;
    assert!(report.remarks[0].contains("no ID token came"), "{:?}", report.remarks);
    assert_eq!(world.held(&report.id).identity, None);
}

#[tokio::test]
async fn an_answer_of_another_issuer_ends_the_login() {
    let faults = [
        (RedirectFault::NoIss, "does not name its issuer"),
        (RedirectFault::OtherIss("https://evil.example.org".to_owned()), "another issuer answered"),
    ];
    for (fault, words) in faults {
        let world = World::open().await;
        world.op.quirks().redirect = Some(fault);
        let mut login = world.start(at("op"));
        visit(&login.may_open().await, Choice::Approve).await;
        let failure = login.end().await.expect_err("a mix-up");
        assert!(failure.why.contains(words), "{failure}");
        assert_eq!(world.op_tap.granted("authorization_code"), 0);
    }
}

#[tokio::test]
async fn why_no_refresh_token_came_is_said() {
    let world = World::open().await;
    world.set_issuer(|issuer| issuer.scopes.retain(|scope| scope != "offline_access")).await;
    world.op.quirks().no_refresh_token = true;
    let not_asked = world.logged_in(named("op", "a")).await;
    assert!(not_asked.no_refresh.is_some_and(|why| why.contains("was not asked for")));
    assert!(matches!(world.held(&not_asked.id).chain, Chain::None));

    world.set_issuer(|_| {}).await;
    let not_given = world.logged_in(named("op", "b")).await;
    assert!(not_given.no_refresh.is_some_and(|why| why.contains("although offline_access was granted")));

    world.op.quirks().drop_scope = vec!["offline_access".to_owned()];
    let not_granted = world.logged_in(named("op", "c")).await;
    assert!(not_granted.no_refresh.is_some_and(|why| why.contains("prompt=consent")));
}

#[tokio::test]
async fn fewer_scopes_than_asked_stand_beside_what_was_asked() {
    let world = World::open().await;
    world.op.quirks().drop_scope = vec!["email".to_owned()];
    let report = world.logged_in(at("op")).await;
    let scopes = &report.lines[0];
    assert_eq!((scopes.asked.as_str(), scopes.relation), ("openid profile email", Relation::Narrower));
    assert_eq!(scopes.note.as_deref(), Some("not granted: email"));
}

#[tokio::test]
async fn scopes_that_come_unasked_are_said_to_be_more_than_asked() {
    let world = World::open().await;
    world.set_issuer(|issuer| issuer.scopes = vec!["openid".to_owned(), "offline_access".to_owned()]).await;
    let report = world.logged_in(at("op")).await;
    assert_eq!(report.lines[0].relation, Relation::Wider);
}

#[tokio::test]
async fn logging_in_again_under_a_name_puts_the_new_grant_into_the_same_row() {
    let world = World::open().await;
    let first = world.logged_in(named("op", "egi")).await;
    let before = world.wallet.form(&first.id, Form::RefreshToken).await.expect("a refresh token");
    let second = world.logged_in(named("op", "egi")).await;
    assert_eq!((first.id.clone(), world.wallet.held().len()), (second.id, 1));
    assert_ne!(world.wallet.form(&first.id, Form::RefreshToken).await.expect("another"), before);
    let other = world.logged_in(at("op")).await;
    assert_eq!(other.name, "op");
    assert_eq!(world.logged_in(at("op")).await.name, "op-2");
    assert_eq!(world.held(&first.id).health, Health::Ok);
}

#[tokio::test]
async fn a_login_of_the_same_user_that_brings_no_refresh_token_takes_none_away() {
    let world = World::open().await;
    let first = world.logged_in(named("op", "egi")).await;
    let before = world.wallet.form(&first.id, Form::RefreshToken).await.expect("a refresh token");
    world.op.quirks().no_refresh_token = true;
    let second = world.logged_in(named("op", "egi")).await;
    assert!(second.no_refresh.is_some());
    assert_eq!(world.wallet.form(&second.id, Form::RefreshToken).await.expect("the same"), before);
    assert_eq!(world.wallet.held().len(), 1);
}

#[tokio::test]
async fn a_refresh_token_on_demand_is_asked_for_whatever_the_source_asks_for() {
    let world = World::open().await;
    world.set_issuer(|issuer| issuer.scopes = vec!["openid".to_owned(), "profile".to_owned()]).await;
    let first = world.logged_in(named("op", "egi")).await;
    assert!(matches!(world.held(&first.id).chain, Chain::Refresh { session_only: true, .. }));
    let again = world.logged_in(Order { offline: true, ..named("op", "egi") }).await;
    assert_eq!((again.id.clone(), again.no_refresh), (first.id, None));
    assert!(matches!(world.held(&again.id).chain, Chain::Refresh { session_only: false, .. }));
}

#[tokio::test]
async fn a_login_without_a_client_id_says_where_to_register_one() {
    let world = World::open().await;
    world.set_issuer(|issuer| issuer.client = None).await;
    let failure = world.start(at("op")).end().await.expect_err("no client");
    assert_eq!(failure.kind, Kind::Unusable);
    assert!(failure.hint.is_some_and(|hint| hint.contains("client_id")));
}

#[tokio::test]
async fn an_unknown_client_is_told_apart_from_a_refused_login() {
    let world = World::open().await;
    world
        .set_issuer(|issuer| {
            issuer.client = Some(Client::public("nobody"));
            issuer.routes = vec![Route::Device];
        })
        .await;
    let failure = world.start(at("op")).end().await.expect_err("unknown");
    assert!(failure.why.contains("device code"), "{failure}");
    assert!(failure.hint.is_some_and(|hint| hint.contains("client id")));
}

#[tokio::test]
async fn an_unknown_client_ends_the_login_at_once_where_the_browser_would_see_an_error_page_too() {
    let world = World::open().await;
    world.set_issuer(|issuer| issuer.client = Some(Client::public("nobody"))).await;
    let failure = world.start(at("op")).end().await.expect_err("unknown");
    assert_eq!(failure.kind, Kind::Failed);
    assert!(failure.why.contains("invalid_client"), "{failure}");
    assert!(failure.hint.is_some_and(|hint| hint.contains("client id")));
    // One that may not use the device code is known all the same.
    let world = World::with(|op, _| op.clients.iter_mut().for_each(|client| client.device = false)).await;
    let report = world.logged_in(at("op")).await;
    assert_eq!(report.name, "op");
}

#[tokio::test]
async fn a_provider_that_is_down_counts_as_not_reached() {
    let world = World::open().await;
    world.op.quirks().down = true;
    let failure = world.start(at("op")).end().await.expect_err("down");
    assert_eq!(failure.kind, Kind::Unreached);
    let nowhere = world.start(at("nowhere")).end().await.expect_err("not listed");
    assert_eq!(nowhere.kind, Kind::Unusable);
}

#[tokio::test]
async fn where_no_registered_port_is_to_be_had_device_code_and_paste_go_on() {
    let world = World::open().await;
    let taken = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let redirect = Redirect { ports: vec![port], ..Redirect::default() };
    world.set_issuer(|issuer| issuer.redirect = redirect.clone()).await;
    let mut login = world.start(at("op"));
    let view = login.view(|view| view.browser.is_some()).await;
    let browser = view.browser.expect("an address");
    assert_eq!((browser.listening, view.paste, view.device.is_some()), (None, true, true));
    assert!(
        view.remarks.iter().any(|remark| remark.contains(&format!("taken here: {port}"))),
        "{:?}",
        view.remarks
    );
    assert_eq!(redirect_uri(&browser.address), format!("http://127.0.0.1:{port}/callback"));
    let address = redirect_of(&browser.address).await;
    login.watch.pasted.send(address).expect("the login listens");
    login.end().await.expect("a login");

    // Where nobody can paste, a browser would end nowhere: it is not offered.
    world.set_issuer(|issuer| issuer.redirect = redirect.clone()).await;
    let mut login = world.start(named("op", "script"));
    login.watch.pasted = tokio::sync::mpsc::unbounded_channel().0;
    let view = login.view(|view| view.device.is_some()).await;
    assert_eq!((view.browser, view.paste), (None, false));
    assert!(view.remarks[0].contains("no login by browser"), "{:?}", view.remarks);
    login.watch.stop.send(true).expect("the login listens");
    login.end().await.expect_err("cancelled");
}

/// A login by browser, and what its panel says when the browser has been silent for a while.
async fn said_after_a_silence(world: &World) -> (Running, String) {
    let mut login = world.start(at("op"));
    login.may_open().await;
    login.watch.opened.send_replace(true);
    // The login takes in that a browser was opened.
    tokio::time::sleep(Duration::from_millis(50)).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(59)).await;
    tokio::time::resume();
    tokio::time::sleep(Duration::from_millis(100)).await;
    while let Ok(step) = login.watch.steps.try_recv() {
        if let Step::View(view) = step {
            assert_eq!(view.remarks, ["this provider has no login by device code"], "not yet");
        }
    }
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(1)).await;
    tokio::time::resume();
    let view = login.view(|view| view.remarks.len() > 1).await;
    let said = view.remarks.last().expect("words").clone();
    (login, said)
}

#[tokio::test]
async fn a_refused_client_or_redirect_address_of_which_no_listener_hears_is_said_after_a_while() {
    let strict = toktui::sandbox::op::Client {
        redirect_uris: vec!["http://127.0.0.1/callback".to_owned()],
        ..toktui::sandbox::op::Client::public("strict")
    };
    let world = World::with(|op, _| op.clients.push(strict)).await;
    let by_hand = vec![Route::Browser, Route::Paste];
    world.set_issuer(|issuer| issuer.routes = by_hand.clone()).await;
    let (login, said) = said_after_a_silence(&world).await;
    assert!(said.contains("nothing heard") && said.contains("takes client and redirect address"), "{said}");
    login.watch.stop.send(true).expect("it listens");
    login.end().await.expect_err("cancelled");

    world
        .set_issuer(|issuer| {
            issuer.routes = by_hand.clone();
            issuer.client = Some(Client::public("nobody"));
        })
        .await;
    let (login, said) = said_after_a_silence(&world).await;
    assert!(said.contains("error page (400)") && said.contains("is nobody a client of it"), "{said}");
    login.watch.stop.send(true).expect("it listens");
    login.end().await.expect_err("cancelled");

    world
        .set_issuer(|issuer| {
            issuer.routes = by_hand.clone();
            issuer.redirect = Redirect { path: "/nowhere".to_owned(), ..Redirect::default() };
            issuer.client = Some(Client::public("strict"));
        })
        .await;
    let (login, said) = said_after_a_silence(&world).await;
    assert!(
        said.contains("error page (400)") && said.contains("/nowhere registered there, exactly so"),
        "{said}"
    );
    drop(login.watch);
}

#[tokio::test]
async fn the_answer_to_another_login_is_said_once_and_changes_nothing() {
    let world = World::open().await;
    let mut login = world.start(at("op"));
    let address = login.may_open().await;
    for _ in 0..3 {
        visit(&format!("{}?code=x&state=wrong", redirect_uri(&address)), Choice::Approve).await;
    }
    let view = login.view(|view| !view.remarks.is_empty()).await;
    assert_eq!(view.remarks.len(), 1);
    assert!(view.remarks[0].contains("another login"), "{:?}", view.remarks);
    visit(&address, Choice::Approve).await;
    login.end().await.expect("a login");
}

#[tokio::test]
async fn a_provider_that_lists_pkce_without_s256_gets_no_login_by_browser() {
    let world = World::open().await;
    world.op.quirks().pkce_methods = Some(vec!["plain".to_owned()]);
    let mut login = world.start(at("op"));
    let view = login.view(|view| view.device.is_some()).await;
    assert_eq!((view.browser, view.paste), (None, false));
    assert!(view.remarks[0].contains("PKCE without S256"), "{:?}", view.remarks);
    login.watch.stop.send(true).expect("it listens");
    login.end().await.expect_err("cancelled");

    world.set_issuer(|issuer| issuer.routes = vec![Route::Browser]).await;
    let failure = world.start(at("op")).end().await.expect_err("no way is left");
    assert!(failure.why.contains("PKCE without S256"), "{failure}");
    let asked = world.op.log().join("\n");
    assert!(!asked.contains("code_challenge"), "{asked}");

    // Listing none says nothing.
    world.op.quirks().pkce_methods = Some(Vec::new());
    let elsewhere = world.other_wallet();
    world.logged_in_with(&elsewhere, at("op")).await;
}

#[tokio::test]
async fn a_clock_that_is_off_is_said_and_does_not_end_the_login() {
    let world = World::open().await;
    // The provider's own clock stays; ours is an hour ahead: tokens look old here, and are not.
    let ahead = world.wallet_on_a_clock_that_is_off(3600);
    let report = world.logged_in_with(&ahead, at("op")).await;
    assert!(report.remarks.iter().any(|remark| remark.contains("ahead of")), "{:?}", report.remarks);
    assert!(matches!(ahead.held()[0].life(world.now() + jiff::SignedDuration::from_hours(1)), Life::Live(_)));
    // Also where nobody vouches for the user.
    world.op.quirks().id_token = Some(IdTokenFault::Absent);
    let report = world.logged_in_with(&ahead, named("op", "bare")).await;
    assert!(report.remarks.iter().any(|remark| remark.contains("ahead of")), "{:?}", report.remarks);
}

async fn as_user(world: &World, order: Order, user: &str) -> toktui::domain::login::Report {
    let mut login = world.start(order);
    let address = login.may_open().await;
    let visitor = toktui::sandbox::visitor::Visitor::new().expect("a visitor");
    visitor.visit(&address, Choice::Approve, user).await.expect("an end");
    login.end().await.expect("a login")
}

#[tokio::test]
async fn another_user_under_a_held_name_is_kept_beside_the_one_who_has_it() {
    let world = World::open().await;
    let alice = world.logged_in(named("op", "egi")).await.id;
    let before = world.held(&alice);
    let report = as_user(&world, named("op", "egi"), "bob").await;
    assert_eq!(report.name, "egi-2");
    let said = &report.remarks[0];
    assert!(
        said.contains("Bob Example") && said.contains("Alice Example") && said.contains("egi-2"),
        "{said}"
    );
    assert_eq!(world.held(&alice), before);
    world
        .wallet
        .draw(&alice, toktui::wallet::draw::Wish { force: true, ..Default::default() })
        .await
        .expect("it lives");
    // The same user again takes the place of the earlier login.
    let again = as_user(&world, named("op", "egi-2"), "bob").await;
    assert_eq!((again.name.as_str(), again.remarks.len()), ("egi-2", 0));
    assert_eq!(world.wallet.held().len(), 2);
}

#[tokio::test]
async fn a_login_says_as_which_client_and_on_which_way_it_came() {
    let world = World::open().await;
    let through = |held: toktui::domain::credential::Held| match held.chain {
        Chain::Refresh { through, .. } => {
            (through.client, through.got.map(toktui::domain::credential::Got::words))
        }
        other => panic!("{other:?}"),
    };
    let browser = world.logged_in(named("op", "one")).await.id;
    assert_eq!(through(world.held(&browser)), (Some("toktui".to_owned()), Some("browser")));
    let mut login = world.start(named("op", "two"));
    let address = redirect_of(&login.may_open().await).await;
    login.watch.pasted.send(address).expect("the login listens");
    let pasted = login.end().await.expect("a login").id;
    assert_eq!(through(world.held(&pasted)).1, Some("pasted address"));
    device_only(&world).await;
    let mut login = world.start(named("op", "three"));
    let view = login.view(|view| view.device.is_some()).await;
    visit(view.device.and_then(|device| device.complete).expect("an address").raw(), Choice::Approve).await;
    let device = login.end().await.expect("a login").id;
    assert_eq!(through(world.held(&device)).1, Some("device code"));
}
