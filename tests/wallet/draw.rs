//! Drawing access tokens from a login.

use futures_util::future::join_all;
use toktui::domain::credential::{Chain, Health, Life};
use toktui::domain::event::What;
use toktui::domain::failure::Kind;
use toktui::domain::form::Form;
use toktui::domain::source::{Issuer, Route, SourceKind};
use toktui::sandbox::op::ExpiresIn;
use toktui::sandbox::visitor::Choice;
use toktui::wallet::draw::Wish;

use crate::world::{FORMER, World, at, named, op_source, source, visit};

const FORCE: Wish = Wish { force: true, insist: true, min_life: None, ask: None };
const PLAIN: Wish = Wish { force: false, insist: false, min_life: None, ask: None };

#[tokio::test]
async fn a_token_that_lives_is_handed_out_and_one_about_to_end_is_renewed() {
    let world = World::open().await;
    let id = world.logged_in(at("op")).await.id;
    let first = world.wallet.draw(&id, PLAIN).await.expect("a token");
    assert!(!first.renewed);
    assert_eq!(world.op.counts().refreshes, 0);
    world.pass(239);
    assert!(!world.wallet.draw(&id, PLAIN).await.expect("a token").renewed);
    world.pass(3);
    let second = world.wallet.draw(&id, PLAIN).await.expect("a token");
    assert!(second.renewed);
    assert_ne!(first.token.value, second.token.value);
    assert_eq!(world.op.counts().refreshes, 1);
    let journal = world.wallet.journal();
    assert_eq!((&journal[0].what, &journal[1].what), (&What::Rotated { copy: 2 }, &What::Renewed));
    let held = world.held(&id);
    assert!(matches!(held.chain, Chain::Refresh { rotates: true, .. }));
    assert!(matches!(held.life(world.now()), Life::Live(_)));
}

#[tokio::test]
async fn a_superseded_refresh_token_is_recognised_when_it_is_pasted() {
    let world = World::open().await;
    let id = world.logged_in(named("op", "egi")).await.id;
    let old = world.wallet.form(&id, Form::RefreshToken).await.expect("a refresh token");
    world.wallet.draw(&id, FORCE).await.expect("a token");
    let specimen = toktui::domain::specimen::recognise(old.expose());
    let failure = world.wallet.keep(&specimen, "again").await.expect_err("stale");
    assert_eq!(failure.why, "it is an older copy; copy 2 is held, as egi");
    assert_eq!(world.wallet.held_as(&specimen), Some(id));
}

#[tokio::test]
async fn twenty_draws_at_once_renew_once_and_adopt_the_result() {
    let world = World::open().await;
    let id = world.logged_in(at("op")).await.id;
    for (wish, renewals) in [(PLAIN, 1), (FORCE, 2)] {
        world.pass(290);
        let drawn = join_all((0..20).map(|_| world.wallet.draw(&id, wish.clone()))).await;
        let first = drawn[0].as_ref().expect("a token").token.value.clone();
        assert!(drawn.iter().all(|drawn| drawn.as_ref().is_ok_and(|drawn| drawn.token.value == first)));
        assert_eq!(world.op.counts().refreshes, renewals);
    }
    assert_eq!(world.op.counts().reuses, 0);
}

#[tokio::test]
async fn a_caller_who_goes_away_does_not_take_the_new_refresh_token_along() {
    let world = World::open().await;
    let id = world.logged_in(at("op")).await.id;
    for milliseconds in 0..30 {
        let draw = world.wallet.draw(&id, FORCE);
        drop(tokio::time::timeout(std::time::Duration::from_millis(milliseconds), draw).await);
    }
    world.wallet.at_rest().await;
    assert!(world.wallet.draw(&id, FORCE).await.expect("a token").renewed);
    assert_eq!(world.op.counts().reuses, 0);
    assert_eq!(world.held(&id).health, Health::Ok);
}

#[tokio::test]
async fn a_refused_refresh_token_is_held_marked_and_not_sent_again_unasked() {
    let world = World::open().await;
    let id = world.logged_in(at("op")).await.id;
    world.op.quirks().refuse_refresh = Some("Session not active".to_owned());
    world.pass(290);
    let failure = world.wallet.draw(&id, PLAIN).await.expect_err("refused");
    assert_eq!(failure.kind, Kind::NotValid);
    assert!(failure.why.contains("Session not active"), "{failure}");
    assert_eq!(failure.hint.as_deref(), Some("Log in again."));
    assert_eq!(world.held(&id).health, Health::NeedsLogin("ended or revoked".to_owned()));
    assert_eq!(world.wallet.journal()[0].what, What::Refused);
    let again = world.wallet.draw(&id, PLAIN).await.expect_err("refused");
    assert_eq!((again.kind, world.op.counts().refreshes), (Kind::NotValid, 1));
    // The provider may have changed its mind, and the user insists.
    world.op.quirks().refuse_refresh = None;
    world.wallet.draw(&id, FORCE).await.expect("a token");
    assert_eq!(world.held(&id).health, Health::Ok);
}

#[tokio::test]
async fn a_provider_that_is_down_changes_nothing_for_one_that_does_not_rotate() {
    let world = World::open().await;
    let id = world.logged_in(at("op")).await.id;
    world.set_issuer(|issuer| issuer.refresh_returns_refresh = false).await;
    world.op.quirks().no_refresh_token = true;
    world.pass(1);
    world.wallet.draw(&id, FORCE).await.expect("a token");
    world.op.quirks().down = true;
    let failure = world.wallet.draw(&id, FORCE).await.expect_err("down");
    assert_eq!(failure.kind, Kind::Unreached);
    assert_eq!(world.held(&id).health, Health::Ok);
}

#[tokio::test]
async fn a_lost_answer_leaves_a_rotating_login_in_doubt_and_the_next_draw_settles_it() {
    let world = World::open().await;
    let id = world.logged_in(at("op")).await.id;
    world.op.quirks().lose_answers = true;
    let failure = world.wallet.draw(&id, FORCE).await.expect_err("lost");
    assert_eq!(failure.kind, Kind::Unreached);
    assert!(matches!(world.held(&id).health, Health::InDoubt(_)));
    assert_eq!(world.wallet.journal()[0].what, What::InDoubt);
    world.op.quirks().lose_answers = false;
    // What is held is still shown and still tried: once.
    assert!(!world.wallet.draw(&id, PLAIN).await.expect("it lives on").renewed);
    world.pass(290);
    let failure = world.wallet.draw(&id, PLAIN).await.expect_err("the new one was lost");
    assert_eq!(failure.kind, Kind::NotValid);
    assert!(matches!(world.held(&id).health, Health::NeedsLogin(_)));
    world.wallet.draw(&id, PLAIN).await.expect_err("not tried again");
    assert_eq!(world.op.counts().refreshes, 2);
}

#[tokio::test]
async fn a_request_that_never_arrived_leaves_nothing_in_doubt_after_the_next_one() {
    let world = World::open().await;
    let id = world.logged_in(at("op")).await.id;
    world.op.quirks().down = true;
    world.wallet.draw(&id, FORCE).await.expect_err("down");
    assert!(matches!(world.held(&id).health, Health::InDoubt(_)), "nobody knows yet");
    world.op.quirks().down = false;
    world.wallet.draw(&id, FORCE).await.expect("a token");
    assert_eq!(world.held(&id).health, Health::Ok);
}

#[tokio::test]
async fn a_refresh_token_that_claims_another_issuer_is_named_before_it_is_sent() {
    let world = World::open().await;
    let elsewhere = "http://127.0.0.1:9/realms/elsewhere";
    let SourceKind::Issuer(mut issuer) = op_source(&world.issuer).kind else { panic!("an issuer") };
    *issuer = Issuer {
        address: elsewhere.to_owned(),
        discovery: Some(format!("{}/.well-known/openid-configuration", world.issuer)),
        scopes: vec!["offline_access".to_owned()],
        routes: vec![Route::Device],
        ..*issuer
    };
    world.wallet.list_source(source("else", "Elsewhere", SourceKind::Issuer(issuer))).await;
    world.op.quirks().other_issuer = Some(elsewhere.to_owned());
    let mut login = world.start(at("else"));
    let view = login.view(|view| view.device.is_some()).await;
    visit(view.device.and_then(|device| device.complete).expect("an address").raw(), Choice::Approve).await;
    let id = login.end().await.expect("a login").id;
    let failure = world.wallet.draw(&id, FORCE).await.expect_err("foreign");
    assert!(failure.why.contains("another issuer"), "{failure}");
    assert!(failure.hint.is_some_and(|hint| hint.contains("not sent")));
    assert_eq!(world.op.counts().refreshes, 0);
    assert!(matches!(world.held(&id).health, Health::Dead(_)));
}

#[tokio::test]
async fn a_login_of_an_issuer_that_has_moved_is_dead_and_says_since_when() {
    let world = World::open().await;
    let id = world.logged_in(at("op")).await.id;
    let old = world.issuer.clone();
    world
        .set_issuer(|issuer| {
            issuer.formerly[0].address.clone_from(&old);
            issuer.address = "http://127.0.0.1:9/realms/new".to_owned();
        })
        .await;
    assert_eq!(world.held(&id).health, Health::Dead("its issuer moved 2022".to_owned()));
    let failure = world.wallet.draw(&id, FORCE).await.expect_err("dead");
    assert_eq!((failure.why.as_str(), failure.kind), ("its issuer moved 2022", Kind::NotValid));
    assert_eq!(world.op.counts().refreshes, 0);
    assert_ne!(FORMER, old);
}

#[tokio::test]
async fn an_access_token_whose_life_nobody_names_lives_as_long_as_it_says_itself() {
    let world = World::open().await;
    for quirk in [ExpiresIn::Absent, ExpiresIn::Text] {
        world.op.quirks().expires_in = quirk;
        let id = world.logged_in(at("op")).await.id;
        let Life::Live(left) = world.held(&id).life(world.now()) else { panic!("it lives") };
        assert!((298..=300).contains(&left.as_secs()), "{left}");
    }
}

#[tokio::test]
async fn fewer_scopes_at_a_renewal_are_said() {
    let world = World::open().await;
    world.op.quirks().drop_scope = vec!["email".to_owned()];
    let id = world.logged_in(at("op")).await.id;
    let drawn = world.wallet.draw(&id, FORCE).await.expect("a token");
    assert_eq!(drawn.remarks, ["not granted: email"]);
}

#[tokio::test]
async fn a_bare_access_token_is_handed_out_until_it_ends_and_then_nothing_renews_it() {
    let world = World::open().await;
    world.set_issuer(|issuer| issuer.scopes.retain(|scope| scope != "offline_access")).await;
    world.op.quirks().no_refresh_token = true;
    let id = world.logged_in(at("op")).await.id;
    world.pass(270);
    world.wallet.draw(&id, FORCE).await.expect("it still lives");
    world.pass(31);
    let failure = world.wallet.draw(&id, PLAIN).await.expect_err("it has ended");
    assert_eq!(failure.why, "nothing renews a bare access token");
}

#[tokio::test]
async fn a_revoked_login_is_dead_here_and_at_its_provider() {
    let world = World::open().await;
    let id = world.logged_in(named("op", "egi")).await.id;
    let said = world.wallet.revoke(&id).await.expect("revoked");
    assert!(said.starts_with("Revoked egi."), "{said}");
    assert_eq!(world.held(&id).health, Health::Dead("revoked from here".to_owned()));
    assert_eq!(world.op.counts().revocation, 1);
    world.wallet.draw(&id, FORCE).await.expect_err("dead");
    assert_eq!(world.op.counts().refreshes, 0);
    assert_eq!(world.wallet.forget(&id).await.expect("forgotten"), "egi");
    assert!(world.wallet.held().is_empty());
    let gone = world.wallet.draw(&id, PLAIN).await.expect_err("gone");
    assert_eq!(gone.kind, Kind::Unusable);
}

#[tokio::test]
async fn a_login_that_its_provider_does_not_know_any_more_is_not_called_revoked() {
    let world = World::open().await;
    world.set_issuer(|issuer| issuer.scopes.retain(|scope| scope != "offline_access")).await;
    let id = world.logged_in(named("op", "egi")).await.id;
    world.pass(3600);
    let said = world.wallet.revoke(&id).await.expect("the aim is reached");
    assert!(said.contains("did not know this token") && !said.contains("Revoked egi"), "{said}");
    assert_eq!(world.held(&id).health, Health::Dead("not known there any more".to_owned()));
    let noted = world.wallet.journal()[0].clone();
    assert!(noted.comment.is_some_and(|comment| comment.raw().contains("did not know")));
    // What was revoked from here stays that, however often it is asked for.
    let again = world.logged_in(named("op", "again")).await.id;
    world.wallet.revoke(&again).await.expect("revoked");
    let said = world.wallet.revoke(&again).await.expect("the aim is reached");
    assert!(said.contains("revoked from here before"), "{said}");
    assert_eq!(world.held(&again).health, Health::Dead("revoked from here".to_owned()));
}
