//! Logging in at a mytoken server, and drawing access tokens from a mytoken.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use toktui::domain::credential::{Chain, CredentialId, Health};
use toktui::domain::event::What;
use toktui::domain::failure::Kind;
use toktui::domain::form::Form;
use toktui::domain::login::Relation;
use toktui::domain::mytoken::{Facts, Rotation};
use toktui::domain::verdict::{By, Next, Standing};
use toktui::sandbox::mytoken::{self, Clause, Order};
use toktui::sandbox::visitor::Choice;
use toktui::wallet::draw::Wish;

use crate::world::{World, at, counted, named, provider, visit};

const FORCE: Wish = Wish { force: true, insist: true, min_life: None, ask: None };
const PLAIN: Wish = Wish { force: false, insist: false, min_life: None, ask: None };
const ROTATES: mytoken::Rotation =
    mytoken::Rotation { on_at: true, on_other: true, lifetime: 0, auto_revoke: true };

fn rotating() -> Order {
    Order { rotation: Some(ROTATES), ..Order::default() }
}

fn facts(world: &World, id: &CredentialId) -> Facts {
    let Chain::Mytoken { facts, .. } = world.held(id).chain else { panic!("a mytoken") };
    *facts
}

fn used(world: &World, id: &CredentialId) -> (Option<u64>, Option<u64>) {
    let facts = facts(world, id);
    (facts.restrictions[0].used_at, facts.restrictions[0].used_other)
}

/// A mytoken that is kept and looked up, so that its counters are known.
async fn known(world: &World, order: Order) -> CredentialId {
    let id = world.kept("toar", order).await;
    world.wallet.look_up(&id).await.expect("held");
    id
}

#[tokio::test]
async fn a_login_through_the_consent_page_is_kept_and_compared() {
    let world = World::open().await;
    world
        .list_profile(|profile| {
            profile.capabilities = vec!["AT".to_owned(), "tokeninfo".to_owned()];
            profile.scopes = vec!["openid".to_owned(), "email".to_owned()];
            profile.uses_at = Some(15);
            profile.uses_other = Some(5);
            profile.lifetime = Some(86_400);
            profile.rotation = Some(Rotation { on_at: true, ..Rotation::default() });
        })
        .await;
    world.mytokens.traps().clauses_cut_after_login = false;
    let mut login = world.start(named("toar", "batch"));
    let view = login.view(|view| view.consent.is_some()).await;
    assert!(view.asking.contains(&"15 access tokens".to_owned()), "{:?}", view.asking);
    let address = login.may_open().await;
    assert_eq!(view.consent.expect("a page").address.raw(), address);
    visit(&address, Choice::Approve).await;
    let report = login.end().await.expect("a mytoken");
    assert_eq!((report.name.as_str(), report.at.as_str()), ("batch", "TOAR"));
    let wider: Vec<_> = report.lines.iter().filter(|line| line.relation != Relation::Same).collect();
    assert!(wider.is_empty(), "{wider:?}");
    let facts = facts(&world, &report.id);
    assert_eq!(facts.restrictions[0].uses_at, Some(15));
    assert_eq!(facts.provider.raw(), world.issuer);
    let drawn = world.wallet.draw(&report.id, PLAIN).await.expect("an access token");
    assert_eq!(drawn.remarks, ["it rotated: copy 2 is yours now"]);
    assert_eq!(used(&world, &report.id), (Some(1), None));
}

#[tokio::test]
async fn what_comes_back_wider_than_asked_is_an_alarm() {
    let world = World::open().await;
    world.list_profile(|profile| profile.scopes = vec!["storage.read".to_owned()]).await;
    // A clause of which nothing is left allows everything (mytoken-api.md §4.6).
    world.op.quirks().drop_scope = vec!["storage.read".to_owned()];
    let mut login = world.start(at("toar"));
    visit(&login.may_open().await, Choice::Approve).await;
    let report = login.end().await.expect("a mytoken");
    assert!(report.lines.iter().any(|line| line.relation == Relation::Wider), "{:?}", report.lines);
    assert!(report.remarks[0].contains("more than was asked for"), "{:?}", report.remarks);
}

#[tokio::test]
async fn of_several_providers_one_must_be_chosen() {
    let world = World::with(|_, server| {
        server
            .providers
            .push(mytoken::Provider { name: "Other".to_owned(), ..provider("http://127.0.0.1:9/x") });
    })
    .await;
    let mut login = world.start(at("mt"));
    let choices = login.choices().await;
    let issuers: Vec<_> = choices.iter().map(|choice| choice.issuer.clone()).collect();
    assert_eq!(issuers, [world.issuer.clone(), "http://127.0.0.1:9/x".to_owned()]);
    assert_eq!(login.end().await.expect_err("not chosen").kind, Kind::Cancelled);
    let mut order = at("mt");
    order.provider = Some(world.issuer.clone());
    let mut login = world.start(order);
    visit(&login.may_open().await, Choice::Approve).await;
    login.end().await.expect("a mytoken");
    let mut order = at("mt");
    order.provider = Some("https://nowhere.example.org".to_owned());
    let failure = world.start(order).end().await.expect_err("not offered");
    assert!(failure.why.contains("does not offer"), "{failure}");
}

#[tokio::test]
async fn declined_too_late_and_cancelled_are_three_ends_of_a_consent() {
    let world = World::with(|_, server| server.polling_life = 2).await;
    let mut declined = world.start(at("mt"));
    visit(&declined.may_open().await, Choice::Deny).await;
    let failure = declined.end().await.expect_err("declined");
    assert!(failure.why.contains("declined on the consent page"), "{failure}");

    let mut late = world.start(at("mt"));
    late.may_open().await;
    let failure = late.end().await.expect_err("too late");
    assert!(failure.why.contains("nobody agreed in time"), "{failure}");
    assert!(failure.hint.is_some_and(|hint| hint.contains("browser")));

    let mut cancelled = world.start(at("mt"));
    cancelled.may_open().await;
    cancelled.watch.stop.send(true).expect("the login listens");
    assert_eq!(cancelled.end().await.expect_err("cancelled").kind, Kind::Cancelled);
    assert!(world.wallet.held().is_empty());
}

#[tokio::test]
async fn a_mytoken_whose_answer_got_lost_is_said_to_exist_perhaps() {
    let world = World::open().await;
    let mut login = world.start(at("mt"));
    visit(&login.may_open().await, Choice::Approve).await;
    world.mytokens.traps().answers_get_lost = true;
    login.view(|view| view.consent.as_ref().is_some_and(|consent| consent.trouble.is_some())).await;
    world.mytokens.traps().answers_get_lost = false;
    let failure = login.end().await.expect_err("lost");
    assert!(failure.why.contains("may have been in it"), "{failure}");
    assert!(failure.hint.is_some_and(|hint| hint.contains("revoke it there")));
}

#[tokio::test]
async fn drawing_counts_the_uses_and_a_look_up_replaces_the_count() {
    let world = World::with(|_, server| server.guest = true).await;
    let id = known(&world, Order { restrictions: counted(3, 3), ..Order::default() }).await;
    assert_eq!(used(&world, &id), (None, None));
    world.wallet.draw(&id, PLAIN).await.expect("an access token");
    assert!(!world.wallet.draw(&id, PLAIN).await.expect("the same one").renewed);
    assert_eq!(used(&world, &id).0, Some(1));
    // Somebody else uses it, too.
    let other = world.other_wallet();
    let value = world.wallet.form(&id, Form::Mytoken).await.expect("the mytoken");
    let theirs = other.keep(&toktui::domain::specimen::recognise(value.expose()), "x").await.expect("kept").0;
    other.draw(&theirs, PLAIN).await.expect("an access token");
    assert_eq!(used(&world, &id).0, Some(1));
    world.wallet.look_up(&id).await.expect("held");
    assert_eq!(used(&world, &id).0, Some(2));
    world.wallet.draw(&id, FORCE).await.expect("the last one");
    let failure = world.wallet.draw(&id, FORCE).await.expect_err("used up");
    assert_eq!(failure.kind, Kind::NotValid);
    assert!(failure.why.contains("restrictions"), "{failure}");
    assert_eq!((used(&world, &id).0, world.held(&id).health), (Some(3), Health::Ok));
}

#[tokio::test]
async fn counters_of_a_mytoken_that_was_never_looked_up_stay_unknown() {
    let world = World::with(|_, server| server.guest = true).await;
    let id = world.kept("toar", Order { restrictions: counted(3, 3), ..Order::default() }).await;
    world.wallet.draw(&id, PLAIN).await.expect("an access token");
    assert_eq!(used(&world, &id), (None, None));
}

#[tokio::test]
async fn two_hundred_draws_of_a_rotating_mytoken_never_send_an_old_copy_whoever_goes_away() {
    let world = World::with(|_, server| server.guest = true).await;
    let id = known(&world, Order { restrictions: counted(1000, 1000), ..rotating() }).await;
    let mut seed = 7_u64;
    for round in 0..50 {
        let draws = (0..4).map(|_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let (wallet, id) = (Arc::clone(&world.wallet), id.clone());
            let patience = Duration::from_micros(seed >> 51);
            async move { drop(tokio::time::timeout(patience, wallet.draw(&id, FORCE)).await) }
        });
        join_all(draws).await;
        if round % 10 == 0 {
            world.wallet.look_up(&id).await.expect("held");
        }
    }
    world.wallet.at_rest().await;
    let rotations = world.mytokens.requests("POST /api/v0/token/access");
    let Chain::Mytoken { copy, .. } = world.held(&id).chain else { panic!("a mytoken") };
    assert_eq!((copy, world.mytokens.stale_presentations()), (rotations + 1, 0));
    assert!(rotations > 5, "{rotations}");
    assert_eq!(used(&world, &id).0, Some(rotations));
    assert_eq!(world.held(&id).health, Health::Ok);
}

#[tokio::test]
async fn an_empty_answer_is_a_failure_that_cost_a_use_and_whose_rotation_is_saved() {
    let world = World::open().await;
    world
        .list_profile(|profile| {
            (profile.uses_at, profile.uses_other) = (Some(5), Some(5));
            profile.rotation = Some(Rotation { on_at: true, auto_revoke: true, ..Rotation::default() });
        })
        .await;
    let mut login = world.start(at("toar"));
    visit(&login.may_open().await, Choice::Approve).await;
    let id = login.end().await.expect("a mytoken").id;
    world.wallet.draw(&id, PLAIN).await.expect("an access token");
    world.op.quirks().down = true;
    let failure = world.wallet.draw(&id, FORCE).await.expect_err("nothing came");
    assert!(failure.why.contains("the use was counted"), "{failure}");
    assert_eq!(failure.kind, Kind::Unreached);
    let Chain::Mytoken { copy, .. } = world.held(&id).chain else { panic!("a mytoken") };
    assert_eq!((copy, used(&world, &id).0), (3, Some(2)));
    assert_eq!(world.held(&id).health, Health::Ok);
    let journal: Vec<_> = world.wallet.journal().iter().map(|event| event.what.clone()).collect();
    assert_eq!(journal[0], What::Noted("no access token".to_owned()));
    assert_eq!(journal[1], What::Rotated { copy: 3 });
    let found = world.wallet.look_up(&id).await.expect("held");
    assert_eq!((found.verdict.standing, used(&world, &id).0), (Standing::Valid, Some(2)));
    assert_eq!(world.mytokens.stale_presentations(), 0);
}

#[tokio::test]
async fn a_copy_in_doubt_that_would_revoke_its_family_is_not_sent_unless_the_user_insists() {
    let world = World::with(|_, server| server.guest = true).await;
    let id = known(&world, rotating()).await;
    world.mytokens.traps().answers_get_lost = true;
    world.wallet.draw(&id, FORCE).await.expect_err("lost");
    world.mytokens.traps().answers_get_lost = false;
    assert_eq!(world.held(&id).health, Health::InDoubt("last use unanswered".to_owned()));
    assert_eq!(world.wallet.journal()[0].what, What::InDoubt);

    let before = world.server_requests();
    let failure = world.wallet.draw(&id, PLAIN).await.expect_err("at stake");
    assert!(failure.why.contains("revokes the mytoken and all made from it"), "{failure}");
    world.wallet.history(&id).await.expect_err("at stake");
    let found = world.wallet.look_up(&id).await.expect("held");
    assert_eq!((found.verdict.standing, found.verdict.by), (Standing::CannotTell, By::Journal));
    assert_eq!(found.verdict.next, Some(Next::TryAccessToken));
    assert!(found.verdict.remarks[0].contains("last known"), "{:?}", found.verdict.remarks);
    assert_eq!((world.server_requests(), world.mytokens.stale_presentations()), (before, 0));

    world.wallet.draw(&id, FORCE).await.expect_err("it was rotated away");
    assert_eq!(world.mytokens.stale_presentations(), 1);
    assert_eq!(world.held(&id).health, Health::NeedsLogin("revoked or unknown".to_owned()));
}

#[tokio::test]
async fn a_copy_in_doubt_whose_request_never_arrived_works_when_the_user_insists() {
    let world = World::with(|_, server| server.guest = true).await;
    let id = known(&world, rotating()).await;
    world.server_tap.swallow_next();
    world.wallet.draw(&id, FORCE).await.expect_err("nothing arrived");
    assert!(matches!(world.held(&id).health, Health::InDoubt(_)));
    world.wallet.draw(&id, FORCE).await.expect("it is the current one");
    assert_eq!(world.held(&id).health, Health::Ok);
    assert_eq!(world.mytokens.stale_presentations(), 0);
}

#[tokio::test]
async fn a_lost_answer_leaves_a_mytoken_that_does_not_rotate_as_it_was() {
    let world = World::with(|_, server| server.guest = true).await;
    let id = known(&world, Order::default()).await;
    world.mytokens.traps().answers_get_lost = true;
    world.wallet.draw(&id, FORCE).await.expect_err("lost");
    world.mytokens.traps().answers_get_lost = false;
    assert_eq!(world.held(&id).health, Health::Ok);
    world.wallet.draw(&id, FORCE).await.expect("an access token");
}

#[tokio::test]
async fn a_use_that_is_restricted_is_told_apart_and_leaves_the_mytoken_alone() {
    let world = World::with(|_, server| server.guest = true).await;
    let elsewhere = Clause { hosts: vec!["192.0.2.0/24".to_owned()], ..Clause::default() };
    let id = known(&world, Order { restrictions: vec![elsewhere], ..Order::default() }).await;
    let failure = world.wallet.draw(&id, PLAIN).await.expect_err("restricted");
    assert_eq!(failure.why, "the mytoken's restrictions do not allow this use");
    assert!(failure.hint.is_some_and(|hint| hint.contains("Look it up")));
    assert_eq!(world.held(&id).health, Health::Ok);
}

#[tokio::test]
async fn revoking_is_proven_and_what_was_revoked_before_is_said_so() {
    let world = World::with(|_, server| server.guest = true).await;
    let id = world.kept("toar", Order::default()).await;
    let again = world.other_wallet();
    let value = world.wallet.form(&id, Form::Mytoken).await.expect("the mytoken");
    let theirs = again.keep(&toktui::domain::specimen::recognise(value.expose()), "x").await.expect("kept").0;
    let said = world.wallet.revoke(&id).await.expect("revoked");
    assert!(said.starts_with("Revoked toar."), "{said}");
    assert_eq!(world.held(&id).health, Health::Dead("revoked from here".to_owned()));
    let said = again.revoke(&theirs).await.expect("revoked before");
    assert!(said.contains("was revoked before"), "{said}");
    let found = world.wallet.look_up(&id).await.expect("held");
    assert_eq!((found.verdict.standing, found.verdict.by), (Standing::RevokedOrUnknown, By::Journal));
}

#[tokio::test]
async fn what_cannot_be_revoked_says_why() {
    let world = World::with(|_, server| server.guest = true).await;
    let soon = world.now().as_second() + 3600;
    let later = Clause { nbf: Some(soon), ..Clause::default() };
    let not_yet = world.kept("later", Order { restrictions: vec![later], ..Order::default() }).await;
    let failure = world.wallet.revoke(&not_yet).await.expect_err("not yet");
    assert!(failure.why.contains("has not started yet"), "{failure}");
    assert_eq!(world.held(&not_yet).health, Health::Ok);
    let ending = Clause { exp: Some(world.now().as_second() + 1), ..Clause::default() };
    let over = world.kept("over", Order { restrictions: vec![ending], ..Order::default() }).await;
    world.pass(60);
    let said = world.wallet.revoke(&over).await.expect("over");
    assert!(said.contains("had ended before"), "{said}");
    assert_eq!(world.held(&over).health, Health::NeedsLogin("expired".to_owned()));
}

#[tokio::test]
async fn the_history_marks_new_addresses_costs_an_other_use_and_keeps_the_rotation() {
    let world = World::with(|_, server| server.guest = true).await;
    let id = known(&world, Order { restrictions: counted(9, 9), ..rotating() }).await;
    world.wallet.draw(&id, PLAIN).await.expect("an access token");
    world.pass(10);
    world.mytokens.set_caller(Some(("198.51.100.7".parse().expect("an address"), "DE")));
    world.wallet.draw(&id, FORCE).await.expect("an access token");
    let events = world.wallet.history(&id).await.expect("a history");
    let new: Vec<_> = events.iter().filter(|event| event.new_address).collect();
    assert!(!new.is_empty());
    assert!(new.iter().all(|event| event.address.as_ref().is_some_and(|ip| ip.raw() == "198.51.100.7")));
    assert_eq!(used(&world, &id), (Some(2), Some(1)));
    let Chain::Mytoken { copy, .. } = world.held(&id).chain else { panic!("a mytoken") };
    assert_eq!((copy, world.mytokens.stale_presentations()), (4, 0));
    world.wallet.history(&id).await.expect("again");
    let login = world.logged_in(at("op")).await.id;
    assert_eq!(world.wallet.history(&login).await.expect_err("no mytoken").kind, Kind::Unusable);
}

#[tokio::test]
async fn the_history_of_a_pasted_mytoken_is_read_unless_it_would_rotate_away() {
    let world = World::with(|_, server| server.guest = true).await;
    let plain = world.issued(Order::default());
    let events = world.wallet.history_of_pasted(&plain, &world.server, false).await.expect("a history");
    assert!(events.iter().any(|event| event.what.label() == "created"));
    let before = world.server_requests();
    let failure = world.wallet.history_of_pasted(&plain, &world.server, true).await.expect_err("rotates");
    assert!(failure.hint.is_some_and(|hint| hint.contains("Keep")));
    assert_eq!(world.server_requests(), before);
}
