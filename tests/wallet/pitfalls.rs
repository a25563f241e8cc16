//! Pitfalls of mytoken servers (mytoken-api.md §12) that no other test meets, each by its number; `tests/pitfalls.rs` lists them all.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use toktui::domain::credential::{Ask, Chain, CredentialId, Health};
use toktui::domain::draft::{Draft, DraftClause, When};
use toktui::domain::login::{Order as Login, Relation};
use toktui::domain::mytoken::{Capability, Clause as Facts};
use toktui::domain::untrusted::Untrusted;
use toktui::domain::verdict::Standing;
use toktui::sandbox::mytoken::{Clause, Order, Rotation};
use toktui::sandbox::visitor::Choice;
use toktui::wallet::draw::Wish;

use crate::world::{World, at, copy, counted, visit};

const FORCE: Wish = Wish { force: true, insist: false, min_life: None, ask: None };

fn draft(capabilities: &[&str]) -> Draft {
    Draft { capabilities: capabilities.iter().copied().map(Capability::new).collect(), ..Draft::default() }
}

fn parent(rotation: Option<Rotation>) -> Order {
    let capabilities = ["AT", "tokeninfo", "create_mytoken"].map(str::to_owned).into();
    Order { capabilities, restrictions: counted(50, 50), rotation, ..Order::default() }
}

/// Logs in at the consent page of the mytoken server.
async fn made(world: &World, draft: Draft) -> CredentialId {
    let order = Login { draft: Some(Draft { provider: world.issuer.clone(), ..draft }), ..at("mt") };
    let mut login = world.start(order);
    visit(&login.may_open().await, Choice::Approve).await;
    login.end().await.expect("a mytoken").id
}

#[tokio::test]
async fn pitfall_6_a_history_turns_an_unrestricted_mytoken_not_over_and_leaves_no_doubt() {
    let world = World::with(|_, server| server.guest = true).await;
    let rotation = Some(Rotation { on_at: true, on_other: true, lifetime: 0, auto_revoke: true });
    let id = world.kept("toar", Order { rotation, ..Order::default() }).await;
    world.wallet.history(&id).await.expect("a history");
    world.wallet.look_up(&id).await.expect("held");
    assert_eq!((copy(&world.wallet, &id), world.held(&id).health), (1, Health::Ok));
    world.wallet.draw(&id, FORCE).await.expect("an access token");
    assert_eq!((copy(&world.wallet, &id), world.mytokens.stale_presentations()), (2, 0));
}

#[tokio::test]
async fn pitfall_10_an_unrestricted_mytoken_gives_more_scopes_than_were_asked_for_and_they_are_shown() {
    let world = World::open().await;
    let ask = Ask { scopes: BTreeSet::from(["openid".to_owned()]), ..Ask::default() };
    let wish = Wish { ask: Some(ask.clone()), ..FORCE };
    let free = made(&world, draft(&["AT", "tokeninfo"])).await;
    let drawn = world.wallet.draw(&free, wish.clone()).await.expect("an access token");
    let granted: BTreeSet<&str> = drawn.token.granted.iter().flatten().map(Untrusted::raw).collect();
    assert!(granted.contains("profile") && granted.len() > 1, "{granted:?}");
    let shown = world.held(&free).access.into_iter().find(|access| access.ask == ask).expect("it is held");
    assert_eq!(shown.granted, drawn.token.granted);

    assert!(asked_of_the_provider(&world).contains("profile"));

    // One clause that counts is enough to be heard.
    let rest = Facts { uses_at: Some(1_000_000), uses_other: Some(1_000_000), ..Facts::default() };
    let clauses = vec![DraftClause { rest, ..DraftClause::default() }];
    let bound = made(&world, Draft { clauses, ..draft(&["AT", "tokeninfo"]) }).await;
    world.wallet.draw(&bound, wish).await.expect("an access token");
    assert_eq!(asked_of_the_provider(&world), "openid offline_access");
}

/// The scopes that the mytoken server asked the provider for last.
fn asked_of_the_provider(world: &World) -> String {
    let all = world.op_tap.all();
    let last = all.iter().rev().find(|exchange| exchange.path.ends_with("/token")).expect("a request");
    let form = url::form_urlencoded::parse(&last.request);
    form.into_iter()
        .find(|(name, _)| name == "scope")
        .map(|(_, scope)| scope.into_owned())
        .unwrap_or_default()
}

#[tokio::test]
async fn pitfall_11_no_access_tokens_at_all_is_not_the_same_as_any_number_of_them() {
    let world = World::with(|_, server| server.guest = true).await;
    let never = world.kept("never", Order { restrictions: counted(0, 9), ..Order::default() }).await;
    let any = Clause { usages_other: Some(9), ..Clause::default() };
    let any = world.kept("any", Order { restrictions: vec![any], ..Order::default() }).await;
    let found = world.wallet.look_up(&never).await.expect("held");
    assert_eq!(found.verdict.standing, Standing::UsedUp);
    world.wallet.draw(&never, FORCE).await.expect_err("never");
    assert_eq!(world.wallet.look_up(&any).await.expect("held").verdict.standing, Standing::Valid);
    world.wallet.draw(&any, FORCE).await.expect("any number");
}

#[tokio::test]
async fn pitfalls_15_and_38_a_code_from_before_a_rotation_gives_a_dead_copy_which_is_said_to_be_one() {
    let world = World::with(|_, server| server.guest = true).await;
    let rotation = Some(Rotation { on_at: true, ..Rotation::default() });
    let id = world.kept("toar", parent(rotation)).await;
    let handed = world.wallet.hand_over_rotating(&id).await.expect("a code");
    world.wallet.draw(&id, FORCE).await.expect("it rotates");

    let elsewhere = world.other_wallet();
    let report = elsewhere.redeem(&"mt".into(), &handed.code, Some("late")).await.expect("it is redeemed");
    assert!(
        report.remarks.iter().any(|remark| remark.contains("ask for a new code")),
        "{:?}",
        report.remarks
    );
    let held = elsewhere.held().iter().find(|held| held.id == report.id).expect("held").clone();
    assert!(matches!(held.health, Health::NeedsLogin(_)), "{:?}", held.health);
    // The answer to a redeeming never tells the rotation; the mytoken itself does.
    let Chain::Mytoken { facts, .. } = held.chain else { panic!("a mytoken") };
    assert!(facts.rotation.is_some_and(|rotation| rotation.on_at));

    let handed = world.wallet.hand_over_rotating(&id).await.expect("a code");
    let report = elsewhere.redeem(&"mt".into(), &handed.code, Some("fresh")).await.expect("it is redeemed");
    assert_eq!(report.name, "late", "it is the same mytoken: its newer copy takes the dead one's place");
    elsewhere.draw(&report.id, FORCE).await.expect("it works now");
}

#[tokio::test]
async fn pitfall_13_a_subtoken_that_its_server_tightened_in_silence_says_so() {
    let world = World::with(|_, server| server.guest = true).await;
    let id = world.kept("toar", parent(None)).await;
    let rest = Facts { uses_at: Some(40), uses_other: Some(40), ..Facts::default() };
    let clause = DraftClause { rest, ..DraftClause::default() };
    // Each is tight enough, and both together are not: the server drops the second without a word.
    let draft = Draft { clauses: vec![clause.clone(), clause], ..draft(&["AT"]) };
    let report = world.wallet.create_from(&id, &draft).await.expect("a subtoken");
    let cut: Vec<_> = report.lines.iter().filter(|line| line.relation != Relation::Same).collect();
    assert!(!cut.is_empty(), "{:?}", report.lines);
}

#[tokio::test]
async fn pitfall_24_a_subtoken_that_would_be_dead_at_once_is_not_made() {
    let world = World::with(|_, server| server.guest = true).await;
    let id = world.kept("toar", parent(None)).await;
    let rest = Facts { uses_at: Some(5), uses_other: Some(5), ..Facts::default() };
    let past = When::At(jiff::Timestamp::from_second(world.now().as_second() - 60).expect("a moment"));
    let clause = DraftClause { ends: Some(past), rest, ..DraftClause::default() };
    let draft = Draft { clauses: vec![clause], ..draft(&["AT"]) };
    let before = world.server_requests();
    let failure = world.wallet.create_from(&id, &draft).await.expect_err("it would have ended");
    assert!(failure.hint.is_some_and(|hint| hint.contains("Nothing was sent")));
    assert_eq!(world.server_requests(), before);
}

#[tokio::test]
async fn pitfall_35_a_login_that_fails_late_is_ended_by_our_own_clock_with_a_look_at_the_browser() {
    let world = World::with(|_, server| server.polling_life = 2).await;
    world.op.quirks().no_refresh_token = true;
    let mut login = world.start(at("mt"));
    let outcome = visit(&login.may_open().await, Choice::Approve).await;
    assert!(outcome.status.is_some_and(|status| status >= 400), "the browser shows it: {outcome:?}");
    let failure = login.end().await.expect_err("it stays pending");
    assert!(failure.hint.as_ref().is_some_and(|hint| hint.contains("browser")), "{failure}");
    assert!(world.wallet.held().is_empty());
}

#[tokio::test]
async fn pitfall_37_uses_of_one_mytoken_go_out_one_after_the_other_whatever_they_are() {
    let world = World::with(|_, server| server.guest = true).await;
    let rotation = Some(Rotation { on_at: true, on_other: true, lifetime: 0, auto_revoke: true });
    let id = world.kept("toar", parent(rotation)).await;
    world.server_tap.delay(Duration::from_millis(3));
    let uses = (0..12).map(|number| {
        let (wallet, id) = (Arc::clone(&world.wallet), id.clone());
        let rest = Facts { uses_at: Some(5), uses_other: Some(5), ..Facts::default() };
        let clauses = vec![DraftClause { rest, ..DraftClause::default() }];
        let draft = Draft { clauses, name: format!("child{number}"), ..draft(&["AT"]) };
        async move {
            match number % 4 {
                0 => drop(wallet.draw(&id, FORCE).await.expect("an access token")),
                1 => drop(wallet.history(&id).await.expect("a history")),
                2 => drop(wallet.create_from(&id, &draft).await.expect("a subtoken")),
                _ => drop(wallet.look_up(&id).await.expect("held")),
            }
        }
    });
    join_all(uses).await;
    assert_eq!((world.server_tap.most_at_once(), world.mytokens.stale_presentations()), (1, 0));
    assert!(copy(&world.wallet, &id) > 6, "{}", copy(&world.wallet, &id));
}
