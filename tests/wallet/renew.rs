//! Renewing: how long a token must live, what it is asked for with, and how a giver that refuses is left alone.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::SignedDuration;
use toktui::domain::credential::{Ask, Health};
use toktui::domain::event::What;
use toktui::domain::failure::Kind;
use toktui::domain::form::Form;
use toktui::domain::source::{RefreshScope, SourceKind};
use toktui::http::MOST_AT_ONCE;
use toktui::sandbox::mytoken::Order;
use toktui::sandbox::op::ExpiresIn;
use toktui::sandbox::visitor::Choice;
use toktui::wallet::draw::Wish;

use crate::world::{Running, World, at, named, visit};

const FORCE: Wish = Wish { force: true, insist: true, min_life: None, ask: None };
const PLAIN: Wish = Wish { force: false, insist: false, min_life: None, ask: None };

fn at_least(seconds: i64) -> Wish {
    Wish { min_life: Some(SignedDuration::from_secs(seconds)), ..PLAIN }
}

fn with(scopes: &[&str], audiences: &[&str]) -> Wish {
    let set = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Wish { ask: Some(Ask { scopes: set(scopes), audiences: set(audiences) }), ..PLAIN }
}

#[tokio::test]
async fn a_server_that_asks_to_wait_is_not_asked_before_unless_the_user_insists() {
    let world = World::open().await;
    let id = world.logged_in(at("op")).await.id;
    world.pass(290);
    (world.op.quirks().busy, world.op.quirks().retry_after) = (Some(429), Some("12".to_owned()));
    let asked = world.op.counts().token;
    // What still lives is better than nothing, and the reason is said.
    let drawn = world.wallet.draw(&id, PLAIN).await.expect("ten seconds are left");
    assert!(!drawn.renewed && drawn.remarks[0].starts_with("not renewed: "), "{:?}", drawn.remarks);
    world.pass(11);
    let failure = world.wallet.draw(&id, PLAIN).await.expect_err("it is over");
    assert_eq!(failure.kind, Kind::Unreached);
    assert!(failure.why.starts_with("asked to wait until "), "{failure}");
    assert!(failure.why.ends_with(" (1 s), 429"), "{failure}");
    assert_eq!(world.op.counts().token, asked + 1);
    assert_eq!(world.held(&id).pause.expect("a pause").tries, 1);
    world.wallet.draw(&id, FORCE).await.expect_err("still busy");
    assert_eq!(world.op.counts().token, asked + 2);
    assert_eq!(world.held(&id).pause.expect("a pause").tries, 2);
    world.op.quirks().busy = None;
    world.wallet.draw(&id, PLAIN).await.expect_err("not yet");
    world.pass(12);
    assert!(world.wallet.draw(&id, PLAIN).await.expect("a token").renewed);
    assert_eq!((world.held(&id).pause, world.op.counts().token), (None, asked + 3));
}

#[tokio::test]
async fn a_date_to_wait_for_counts_by_the_servers_clock() {
    let world = World::open().await;
    let id = world.logged_in(at("op")).await.id;
    world.pass(301);
    let until = toktui::domain::time::later(world.now(), SignedDuration::from_secs(90));
    world.op.quirks().busy = Some(503);
    world.op.quirks().retry_after = Some(until.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    world.wallet.draw(&id, PLAIN).await.expect_err("busy");
    let pause = world.held(&id).pause.expect("a pause");
    assert!((88..=91).contains(&pause.until.duration_since(world.now()).as_secs()), "{pause:?}");
    assert_eq!(pause.why, "503");
}

#[tokio::test]
async fn a_mytoken_server_that_asks_to_wait_is_left_alone_too() {
    let world = World::with(|_, server| {
        server.guest = true;
        (server.exempt_loopback, server.rate_limit, server.rate_window) = (false, 2, 300);
    })
    .await;
    let id = world.kept("toar", Order::default()).await;
    world.wallet.draw(&id, FORCE).await.expect("a token");
    world.wallet.draw(&id, FORCE).await.expect_err("too many");
    let requests = world.server_requests();
    world.pass(290);
    world.wallet.draw(&id, at_least(400)).await.expect_err("asked to wait");
    assert_eq!(world.server_requests(), requests);
    assert_eq!(world.held(&id).health, Health::Ok);
    world.pass(20);
    assert!(world.wallet.draw(&id, at_least(400)).await.expect("a token").renewed);
    assert_eq!(world.held(&id).pause, None);
}

#[tokio::test]
async fn nobody_at_home_is_a_pause_too_and_asked_for_a_second_at_first() {
    let world = World::open().await;
    let id = world.logged_in(at("op")).await.id;
    let nobody = toktui::sandbox::serve::bind(0).await.expect("a port").base();
    let fresh = world.other_wallet();
    let refresh = world.wallet.form(&id, Form::RefreshToken).await.expect("a refresh token");
    let kept =
        fresh.keep(&toktui::domain::specimen::recognise(refresh.expose()), "egi").await.expect("kept").0;
    let SourceKind::Issuer(issuer) = crate::world::op_source(&world.issuer).kind else { panic!("an issuer") };
    let gone = toktui::domain::source::Issuer { discovery: Some(format!("{nobody}/x")), ..*issuer };
    fresh.list_source(crate::world::source("op", "Gone", SourceKind::Issuer(Box::new(gone)))).await;
    let failure = fresh.draw(&kept, PLAIN).await.expect_err("nobody");
    assert_eq!(failure.kind, Kind::Unreached);
    let pause = fresh.held()[0].pause.clone().expect("a pause");
    assert_eq!((pause.why.as_str(), pause.tries), ("not reached", 1));
    assert!(pause.until.duration_since(world.now()) <= SignedDuration::from_secs(1));
    assert_eq!(fresh.held()[0].health, Health::Ok, "nothing was sent");
}

/// A giver that fails in every way, asked by somebody who never tires: never more than one request a step, and nothing is
/// lost for it.
async fn wrestle(sequences: u64) {
    let world = World::open().await;
    let id = world.logged_in(at("op")).await.id;
    let mut dice = crate::clocks::Dice(7);
    for sequence in 0..sequences {
        world.pass(301);
        for _ in 0..6 {
            {
                let mut quirks = world.op.quirks();
                quirks.busy = [Some(429), Some(503), Some(500), Some(200), None][dice.below(5)];
                quirks.retry_after =
                    [None, Some("7".to_owned()), Some("0".to_owned())][dice.below(3)].clone();
                if quirks.busy.is_none() {
                    quirks.down = true;
                }
            }
            for _ in 0..4 {
                let (before, pause) = (world.op_tap.all().len(), world.held(&id).pause);
                let is_over = |now| pause.as_ref().is_none_or(|pause| pause.until <= now);
                let over_before = is_over(world.now());
                let failure = world.wallet.draw(&id, PLAIN).await.expect_err("it never works");
                assert_ne!(failure.kind, Kind::NotValid, "{failure}");
                let sent = world.op_tap.all().len() - before;
                // A pause that ends in the very moment of the draw may be seen either way.
                if over_before == is_over(world.now()) {
                    assert_eq!(sent, usize::from(over_before), "sequence {sequence}: {failure}");
                }
                assert!(sent <= 1);
                world.pass(i64::try_from(dice.below(5)).expect("small"));
            }
        }
        (world.op.quirks().busy, world.op.quirks().down) = (None, false);
        world.pass(301);
        assert!(world.wallet.draw(&id, PLAIN).await.expect("nothing was lost").renewed);
    }
    assert_eq!(world.op.counts().reuses, 0);
}

#[tokio::test]
async fn whatever_goes_wrong_there_is_one_request_a_step_and_nothing_is_lost() {
    wrestle(20).await;
}

#[tokio::test]
#[ignore = "needs five minutes: 1,000 sequences (security.md B10)"]
async fn whatever_goes_wrong_a_thousand_times_there_is_one_request_a_step() {
    wrestle(1000).await;
}

#[tokio::test]
async fn a_life_that_is_asked_for_is_given_or_refused_in_figures() {
    let world = World::open().await;
    let id = world.logged_in(at("op")).await.id;
    world.pass(20);
    let refreshes = || world.op.counts().refreshes;
    assert!(!world.wallet.draw(&id, at_least(270)).await.expect("that much is left").renewed);
    let drawn = world.wallet.draw(&id, at_least(290)).await.expect("a new one has that");
    assert!(drawn.renewed);
    for _ in 0..10 {
        let failure = world.wallet.draw(&id, at_least(3600)).await.expect_err("none lives so long");
        assert_eq!((failure.kind, failure.kind.exit_code()), (Kind::NotValid, 3));
        assert!(failure.why.contains("and 3600 s are wanted"), "{failure}");
    }
    assert_eq!(refreshes(), 1, "a new one would live no longer");
    let longer = Wish { force: true, ..at_least(3600) };
    world.wallet.draw(&id, longer).await.expect_err("none lives so long");
    assert_eq!(refreshes(), 2, "who insists is served");
}

#[tokio::test]
async fn other_scopes_get_an_access_token_of_their_own() {
    let world = World::open().await;
    world.set_issuer(|issuer| issuer.refresh_scope = RefreshScope::SendWithoutOffline).await;
    let id = world.logged_in(at("op")).await.id;
    let chief = world.wallet.draw(&id, PLAIN).await.expect("a token").token;
    let narrow = world.wallet.draw(&id, with(&["openid"], &[])).await.expect("a token");
    assert!(narrow.renewed && narrow.token.value != chief.value);
    let sent = world.op_tap.all().pop().expect("a request").request;
    assert!(String::from_utf8_lossy(&sent).contains("scope=openid&"), "{}", String::from_utf8_lossy(&sent));
    let again = world.wallet.draw(&id, with(&["openid"], &[])).await.expect("a token");
    assert_eq!((again.renewed, again.token.value), (false, narrow.token.value));
    assert_eq!(world.wallet.draw(&id, PLAIN).await.expect("a token").token.value, chief.value);
    let held = world.held(&id);
    assert_eq!(held.access.len(), 2);
    assert_eq!(held.access[0].ask, Ask::default(), "the chief one stays the first");
    // What was asked for once and has ended does not pile up.
    world.pass(400);
    world.wallet.draw(&id, PLAIN).await.expect("a token");
    assert_eq!(world.held(&id).access.len(), 1);
}

#[tokio::test]
async fn an_audience_is_sent_where_the_provider_takes_one_and_refused_where_not() {
    let world = World::with(|_, server| server.guest = true).await;
    let id = world.logged_in(at("op")).await.id;
    let failure =
        world.wallet.draw(&id, with(&[], &["https://se.example.org"])).await.expect_err("no such thing");
    assert_eq!(failure.kind, Kind::Unusable);
    assert_eq!(world.op.counts().refreshes, 0);
    world.set_issuer(|issuer| issuer.audience_parameter = Some("audience".to_owned())).await;
    world.wallet.draw(&id, with(&[], &["https://se.example.org"])).await.expect("a token");
    let sent = world.op_tap.all().pop().expect("a request").request;
    assert!(String::from_utf8_lossy(&sent).contains("audience=https"));
    // A mytoken server takes both, for each access token.
    let toar = world.kept("toar", Order::default()).await;
    world.wallet.draw(&toar, with(&["openid"], &["https://se.example.org"])).await.expect("a token");
    let sent = world.server_tap.all().pop().expect("a request").request;
    let sent = String::from_utf8_lossy(&sent).into_owned();
    assert!(
        sent.contains(r#""scope":"openid""#) && sent.contains(r#""audience":"https://se.example.org""#),
        "{sent}"
    );
}

#[tokio::test]
async fn the_fact_that_ended_a_login_is_named_and_the_login_is_kept() {
    let table = [
        ("Token is not active", "expired"),
        ("Stale token", "another copy in use"),
        ("Maximum allowed refresh token reuse exceeded", "another copy in use"),
        ("User disabled", "its account is disabled"),
        ("Session not active", "ended or revoked"),
        ("Invalid refresh token", "ended or revoked"),
    ];
    for (words, why) in table {
        let world = World::open().await;
        let id = world.logged_in(at("op")).await.id;
        world.op.quirks().refuse_refresh = Some(words.to_owned());
        let failure = world.wallet.draw(&id, FORCE).await.expect_err("refused");
        assert!(failure.why.contains(words), "{failure}");
        assert_eq!(world.held(&id).health, Health::NeedsLogin(why.to_owned()), "{words}");
        assert_eq!(world.held(&id).pause, None, "waiting does not help");
    }
}

#[tokio::test]
async fn many_are_renewed_at_once_and_no_server_gets_more_than_sixteen_requests_at_once() {
    let world = World::with(|_, server| server.guest = true).await;
    let names: Vec<String> = (0..40).map(|number| format!("toar-{number}")).collect();
    for name in &names {
        world.kept(name, Order::default()).await;
    }
    world.server_tap.delay(Duration::from_millis(30));
    let renewed = world.wallet.renew_many(None).await;
    assert_eq!(renewed.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(), names);
    assert!(renewed.iter().all(|(_, drawn)| drawn.as_ref().is_ok_and(|drawn| drawn.renewed)));
    assert_eq!(world.server_tap.most_at_once(), MOST_AT_ONCE);
    let documents = world.server_tap.all().iter().filter(|asked| asked.path.contains(".well-known")).count();
    assert_eq!(documents, 1, "what the server says of itself is asked once");
    let some = world.wallet.renew_many(Some(&["toar-3".to_owned(), "nothing".to_owned()])).await;
    assert!(some[0].1.is_ok());
    assert_eq!(some[1].1.as_ref().expect_err("not held").kind, Kind::Unusable);
}

#[tokio::test]
async fn one_who_hangs_keeps_nobody_else_waiting() {
    let world = World::with(|_, server| server.guest = true).await;
    let slow = world.logged_in(named("op", "slow")).await.id;
    let toar = world.kept("toar", Order::default()).await;
    world.wallet.draw(&toar, PLAIN).await.expect("a token");
    world.op.quirks().extra_delay = Duration::from_secs(3600);
    let (wallet, id) = (world.wallet.clone(), slow.clone());
    let waiting = tokio::spawn(async move { wallet.draw(&id, FORCE).await });
    tokio::task::yield_now().await;
    assert!(!world.wallet.draw(&toar, PLAIN).await.expect("it is at hand").renewed);
    assert!(!world.wallet.draw(&slow, PLAIN).await.expect("it is at hand").renewed);
    world.wallet.draw(&toar, FORCE).await.expect("another server answers");
    assert!(!waiting.is_finished());
    waiting.abort();
}

#[tokio::test]
async fn the_same_login_is_done_once_at_a_time_and_who_asks_later_sees_the_same_panel() {
    let world = World::open().await;
    let mut first = Running::of(&world.wallet, named("op", "egi"));
    let panel = first.view(|view| view.browser.is_some() && view.device.is_some()).await;
    let address = panel.browser.as_ref().expect("an address").address.clone();
    let mut joined = Vec::new();
    for _ in 0..5 {
        let mut one = Running::of(&world.wallet, named("op", "egi"));
        assert_eq!(one.view(|view| view.browser.is_some()).await.browser, panel.browser);
        joined.push(one);
    }
    let mut other = Running::of(&world.wallet, named("op", "other"));
    visit(&other.may_open().await, Choice::Approve).await;
    other.end().await.expect("another name is another login");
    // What is pasted into any of the panels is given to the one login.
    let redirect = crate::world::redirect_of(&address).await;
    joined[3].watch.pasted.send(redirect).expect("it listens");
    let id = first.end().await.expect("a login").id;
    for one in joined {
        assert_eq!(one.end().await.expect("the same").id, id);
    }
    assert_eq!(world.op_tap.granted("authorization_code"), 2);
    let mut again = Running::of(&world.wallet, named("op", "egi"));
    visit(&again.may_open().await, Choice::Approve).await;
    again.end().await.expect("the way is free");
}

#[tokio::test]
async fn when_a_login_is_cancelled_one_of_those_who_joined_it_goes_on_and_the_others_join_that() {
    let world = World::open().await;
    let mut first = Running::of(&world.wallet, named("op", "egi"));
    let address = first.may_open().await;
    let mut joined: Vec<Running> = (0..3).map(|_| Running::of(&world.wallet, named("op", "egi"))).collect();
    for one in &mut joined {
        one.view(|view| view.browser.is_some()).await;
    }
    first.watch.stop.send(true).expect("it listens");
    first.end().await.expect_err("cancelled");
    let is_new = |view: &toktui::domain::login::View| {
        view.browser.as_ref().is_some_and(|browser| browser.address != address)
    };
    let next = joined[0].view(is_new).await.browser.expect("an address").address;
    for one in &mut joined[1..] {
        assert_eq!(one.view(is_new).await.browser.expect("an address").address, next);
    }
    visit(&next, Choice::Approve).await;
    for one in joined {
        one.end().await.expect("the same");
    }
    assert_eq!(world.op_tap.granted("authorization_code"), 1);
}

#[tokio::test]
async fn a_refresh_token_that_a_new_login_has_replaced_is_recognised_when_it_is_pasted() {
    let world = World::open().await;
    let id = world.logged_in(named("op", "egi")).await.id;
    let old = world.wallet.form(&id, Form::RefreshToken).await.expect("a refresh token");
    assert_eq!(world.logged_in(named("op", "egi")).await.id, id);
    let specimen = toktui::domain::specimen::recognise(old.expose());
    let failure = world.wallet.keep(&specimen, "again").await.expect_err("older");
    assert_eq!(failure.why, "it is an older copy; copy 2 is held, as egi");
}

#[tokio::test]
async fn a_life_that_nobody_names_is_taken_for_five_minutes() {
    let world = World::with(|op, _| op.clients.iter_mut().for_each(|client| client.jwt_access = false)).await;
    let id = world.logged_in(at("op")).await.id;
    for odd in [ExpiresIn::Absent, ExpiresIn::Other(0), ExpiresIn::Other(-7)] {
        world.op.quirks().expires_in = odd;
        world.wallet.draw(&id, FORCE).await.expect("a token");
        let before = world.op.counts().refreshes;
        for _ in 0..60 {
            world.wallet.draw(&id, PLAIN).await.expect("a token");
            world.pass(5);
        }
        assert_eq!(world.op.counts().refreshes - before, 0, "{odd:?}");
        assert!(world.wallet.draw(&id, PLAIN).await.expect("a token").renewed);
    }
    world.op.quirks().expires_in = ExpiresIn::Other(1_000_000_000_000_000_000);
    world.wallet.draw(&id, FORCE).await.expect("a token");
    world.pass(1_000_000_000);
    assert!(!world.wallet.draw(&id, PLAIN).await.expect("a token").renewed);
}

#[tokio::test]
async fn what_was_not_sent_is_no_event_of_its_own() {
    let world = World::open().await;
    let id = world.logged_in(at("op")).await.id;
    world.pass(301);
    (world.op.quirks().busy, world.op.quirks().retry_after) = (Some(429), Some("60".to_owned()));
    let answers = join_all((0..20).map(|_| world.wallet.draw(&id, PLAIN))).await;
    assert!(answers.iter().all(Result::is_err));
    let noted = world.wallet.journal().iter().filter(|event| matches!(event.what, What::Noted(_))).count();
    assert_eq!(noted, 1, "{:?}", world.wallet.journal());
}
