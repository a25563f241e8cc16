//! Making mytokens: by a login with a draft, from one that is held, by a code; and a successor in an old one's place.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::SignedDuration;
use toktui::domain::credential::{Chain, CredentialId, Health};
use toktui::domain::draft::{Draft, DraftClause, When};
use toktui::domain::event::What;
use toktui::domain::failure::{Failure, Kind};
use toktui::domain::handed::HandOver;
use toktui::domain::login::{Order as Login, Relation, Report};
use toktui::domain::mytoken::{Capability, Clause, Facts, Form, Rotation};
use toktui::domain::offer::TemplateKind;
use toktui::domain::vault::Opening;
use toktui::http::Http;
use toktui::sandbox::mytoken::{self, Order};
use toktui::sandbox::visitor::Choice;
use toktui::store::keys::Nowhere;
use toktui::store::{Place, Store};
use toktui::wallet::Wallet;
use toktui::wallet::draw::Wish;
use toktui::wallet::successor::Succeeded;

use crate::world::{Running, World, at, copy, visit};

const PLAIN: Wish = Wish { force: false, insist: false, min_life: None, ask: None };
const FORCE: Wish = Wish { force: true, insist: false, min_life: None, ask: None };
const ROTATES: mytoken::Rotation =
    mytoken::Rotation { on_at: true, on_other: true, lifetime: 0, auto_revoke: false };

fn draft(name: &str, capabilities: &[&str]) -> Draft {
    Draft {
        name: name.to_owned(),
        capabilities: capabilities.iter().copied().map(Capability::new).collect(),
        ..Draft::default()
    }
}

fn until(seconds: u64) -> DraftClause {
    DraftClause { ends: Some(When::In(seconds)), ..DraftClause::default() }
}

fn uses(at: u64) -> DraftClause {
    DraftClause { rest: Clause { uses_at: Some(at), ..Clause::default() }, ..DraftClause::default() }
}

fn with(draft: Draft, clause: DraftClause) -> Draft {
    Draft { clauses: vec![clause], ..draft }
}

fn ordered(source: &str, draft: Draft) -> Login {
    Login { draft: Some(draft), ..at(source) }
}

fn facts(wallet: &Wallet, id: &CredentialId) -> Facts {
    match wallet.view(id).expect("held").chain {
        Chain::Mytoken { facts, .. } => *facts,
        _ => panic!("a mytoken"),
    }
}

fn names(wallet: &Wallet) -> Vec<String> {
    let mut names: Vec<String> = wallet.held().iter().map(|held| held.name.clone()).collect();
    names.sort();
    names
}

fn differing(report: &Report) -> Vec<(&str, Relation)> {
    let lines = report.lines.iter().filter(|line| line.relation != Relation::Same);
    lines.map(|line| (line.what.as_str(), line.relation)).collect()
}

fn noted(wallet: &Wallet) -> Vec<String> {
    let journal = wallet.journal();
    let words = journal.iter().filter_map(|event| match &event.what {
        What::Noted(words) => Some(words.clone()),
        _ => None,
    });
    words.collect()
}

async fn guests() -> World {
    World::with(|_, server| server.guest = true).await
}

/// A mytoken that may make others, held and looked up.
async fn parent(world: &World, order: Order) -> CredentialId {
    let capabilities = ["AT", "create_mytoken", "tokeninfo"].map(str::to_owned).to_vec();
    let id = world.kept("toar", Order { capabilities, ..order }).await;
    world.wallet.look_up(&id).await.expect("held");
    id
}

fn limited(at: i64, other: i64) -> Vec<mytoken::Clause> {
    vec![mytoken::Clause { usages_at: Some(at), usages_other: Some(other), ..mytoken::Clause::default() }]
}

// By a login.

#[tokio::test]
async fn a_drafts_name_is_the_name_here_and_at_its_server() {
    let world = World::open().await;
    let wanted = with(draft("night-run", &["AT", "tokeninfo"]), until(3600));
    let report = world.logged_in(ordered("mt", wanted)).await;
    assert_eq!((report.name.as_str(), differing(&report)), ("night-run", vec![]));
    assert_eq!(facts(&world.wallet, &report.id).name, Some("night-run".into()));
    // What cannot be a name here is the nearest one, and stands at its server as it is.
    let report = world.logged_in(ordered("mt", draft("My laptop: TOAR", &["AT"]))).await;
    assert_eq!(report.name, "my-laptop--toar");
    assert_eq!(facts(&world.wallet, &report.id).name, Some("My laptop: TOAR".into()));
}

#[tokio::test]
async fn a_name_that_is_taken_is_said_before_anything_is_asked_of_anybody() {
    let world = guests().await;
    parent(&world, Order::default()).await;
    let before = world.server_requests();
    let failure = world.start(ordered("mt", draft("toar", &["AT"]))).end().await.expect_err("taken");
    assert_eq!(failure.kind, Kind::Unusable, "{failure}");
    assert!(failure.why.contains("already the name"), "{failure}");
    let order = Login { name: Some("a b".to_owned()), ..ordered("mt", draft("x", &["AT"])) };
    assert_eq!(world.start(order).end().await.expect_err("no name").kind, Kind::Unusable);
    assert_eq!(world.server_requests(), before, "nothing was sent");
}

#[tokio::test]
async fn what_the_server_would_do_badly_stops_before_it_is_sent() {
    let world = World::open().await;
    let rotates = Rotation { on_at: true, ..Rotation::default() };
    let table = [
        Draft { form: Form::Short, rotation: rotates, ..draft("x", &["AT"]) },
        draft(&"n".repeat(90), &["AT"]),
        Draft { form: Form::Code, ..draft("x", &["AT"]) },
        with(
            draft("x", &["AT"]),
            DraftClause {
                ends: Some(When::At(world.now() - SignedDuration::from_secs(60))),
                ..DraftClause::default()
            },
        ),
    ];
    for draft in table {
        let failure = world.start(ordered("mt", draft.clone())).end().await.expect_err("stopped");
        assert_eq!(failure.kind, Kind::Unusable, "{draft:?}\n{failure}");
    }
    assert_eq!(world.server_requests(), 0);
    assert!(world.wallet.held().is_empty());
}

#[tokio::test]
async fn what_the_provider_cut_away_is_told_by_what_the_profile_needs_it_for() {
    let world = World::open().await;
    world
        .list_profile(|profile| {
            profile.capabilities = vec!["AT".to_owned(), "tokeninfo".to_owned()];
            profile.scopes = vec!["email".to_owned(), "profile".to_owned()];
        })
        .await;
    world.op.quirks().drop_scope = vec!["profile".to_owned()];
    let report = world.logged_in(at("toar")).await;
    assert_eq!(differing(&report), [("scopes", Relation::Narrower)]);
    assert_eq!(report.remarks, ["TOAR needs profile: its API will refuse these access tokens"]);
}

#[tokio::test]
async fn what_is_wider_than_asked_is_said_first() {
    let world = World::open().await;
    let scopes = DraftClause {
        rest: Clause { scopes: Some(vec!["storage.read".into()]), ..Clause::default() },
        ..DraftClause::default()
    };
    world.op.quirks().drop_scope = vec!["storage.read".to_owned()];
    let report = world.logged_in(ordered("mt", with(draft("x", &["AT"]), scopes))).await;
    assert!(report.lines.iter().any(|line| line.relation == Relation::Wider), "{:?}", report.lines);
    assert!(report.remarks[0].contains("more than was asked for"), "{:?}", report.remarks);
}

#[tokio::test]
async fn a_program_that_is_killed_while_it_polls_leaves_a_trace() {
    let world = World::open().await;
    let mut login = world.start(ordered("mt", draft("night", &["AT"])));
    login.may_open().await;
    let journal = world.wallet.journal();
    let trace = journal.iter().find(|event| event.what == What::Noted("making a mytoken".to_owned()));
    let words = trace.and_then(|event| event.comment.as_ref()).expect("a trace").raw().to_owned();
    assert!(words.contains("night") && words.contains(&world.server) && words.contains("list"), "{words}");
    login.watch.stop.send(true).expect("the login listens");
    assert_eq!(login.end().await.expect_err("cancelled").kind, Kind::Cancelled);
    assert_eq!(noted(&world.wallet), ["no mytoken was made", "making a mytoken"]);
}

#[tokio::test]
async fn a_provider_may_be_named_as_its_server_names_it() {
    let world = World::open().await;
    let wanted = Draft { provider: "sandbox".to_owned(), ..draft("x", &["AT"]) };
    let report = world.logged_in(ordered("mt", wanted)).await;
    assert_eq!(facts(&world.wallet, &report.id).provider.raw(), world.issuer);
}

/// The command-line client of mytoken crashes where the polling interval is above 15 s (peers.md §6 item 11).
#[tokio::test]
async fn a_polling_interval_above_fifteen_seconds_is_kept() {
    let world = World::with(|_, server| server.polling_interval = 40).await;
    let mut login = world.start(ordered("mt", draft("x", &["AT"])));
    let asks_next = |view: &toktui::domain::login::View| view.consent.as_ref().and_then(|page| page.next);
    let view = login.view(|view| asks_next(view).is_some()).await;
    let wait = asks_next(&view).expect("told").duration_since(world.now());
    assert!(wait > SignedDuration::from_secs(15), "{wait:?}");
    login.watch.stop.send(true).expect("the login listens");
    assert_eq!(login.end().await.expect_err("cancelled").kind, Kind::Cancelled);
}

#[tokio::test]
async fn a_login_may_come_to_a_code_that_another_machine_redeems() {
    let world = World::open().await;
    let (line, watch) = toktui::wallet::login::line();
    let (wallet, order) = (Arc::clone(&world.wallet), ordered("mt", draft("ci", &["AT", "tokeninfo"])));
    let task = tokio::spawn(async move { wallet.log_in_for_code(order, line).await });
    let mut watched = Running { task: tokio::spawn(async { Err(cancelled()) }), watch };
    visit(&watched.may_open().await, Choice::Approve).await;
    let handed = task.await.expect("no panic").expect("a code");
    assert_eq!((handed.name.as_str(), handed.itself), ("ci", false));
    assert!(world.wallet.held().is_empty(), "it is not kept here");
    assert!(!format!("{handed:?}").contains(handed.code.expose()));
    let other = world.other_wallet();
    let report = other.redeem(&"mt".into(), &handed.code, None).await.expect("redeemed");
    assert_eq!(report.name, "ci");
    assert!(other.draw(&report.id, PLAIN).await.expect("an access token").renewed);
}

/// What is made with settings of its own is nobody else's answer.
#[tokio::test]
async fn two_of_one_name_are_made_one_after_the_other_and_of_two_names_at_once() {
    let world = World::open().await;
    let start = |name: &str| {
        let (line, watch) = toktui::wallet::login::line();
        let (wallet, order) = (Arc::clone(&world.wallet), ordered("mt", draft(name, &["AT"])));
        let task = tokio::spawn(async move { wallet.log_in_for_code(order, line).await });
        (task, Running { task: tokio::spawn(async { Err(cancelled()) }), watch })
    };
    let ((first, mut one), (second, mut two), (third, mut other)) =
        (start("ci"), start("ci"), start("night"));
    let address = one.may_open().await;
    let page =
        |view: &toktui::domain::login::View| view.consent.as_ref().map(|page| page.address.raw().to_owned());
    let shared = two.view(|view| page(view).is_some()).await;
    assert_eq!(page(&shared).as_ref(), Some(&address), "it sees the first one's panel");
    visit(&other.may_open().await, Choice::Approve).await;
    let third = third.await.expect("no panic").expect("another name waits for nobody");
    visit(&address, Choice::Approve).await;
    let first = first.await.expect("no panic").expect("a code");
    visit(&two.may_open().await, Choice::Approve).await;
    let second = second.await.expect("no panic").expect("a code of its own");
    let codes =
        std::collections::BTreeSet::from([&first, &second, &third].map(|handed| handed.code.expose()));
    assert_eq!(codes.len(), 3);
}

fn cancelled() -> Failure {
    Failure::new(Kind::Cancelled, "", "")
}

// From one that is held.

#[tokio::test]
async fn a_subtoken_is_kept_and_costs_one_other_use_of_its_parent() {
    let world = guests().await;
    let id = parent(&world, Order { restrictions: limited(10, 5), ..Order::default() }).await;
    let wanted = with(draft("night", &["AT"]), uses(3));
    let report = world.wallet.create_from(&id, &wanted).await.expect("a subtoken");
    assert_eq!((report.name.as_str(), report.at.as_str()), ("night", "mytoken sandbox"));
    assert_eq!(names(&world.wallet), ["night", "toar"]);
    let child = facts(&world.wallet, &report.id);
    assert_eq!((child.name, child.capabilities), (Some("night".into()), vec![Capability::new("AT")]));
    assert_eq!(facts(&world.wallet, &id).restrictions[0].used_other, Some(1));
    assert!(world.wallet.draw(&report.id, PLAIN).await.expect("an access token").renewed);
}

/// Restrictions that are no tighter than the parent's fall away without a word (§12.13).
#[tokio::test]
async fn what_falls_away_from_a_subtoken_is_told() {
    let world = guests().await;
    let id = parent(&world, Order { restrictions: limited(10, 5), ..Order::default() }).await;
    let report = world.wallet.create_from(&id, &with(draft("more", &["AT", "settings"]), uses(50))).await;
    let report = report.expect("a subtoken");
    let differing = differing(&report);
    assert!(differing.contains(&("may", Relation::Narrower)), "{differing:?}");
    assert!(differing.contains(&("access tokens", Relation::Narrower)), "{differing:?}");
    assert_eq!(facts(&world.wallet, &report.id).restrictions[0].uses_at, Some(10));
}

#[tokio::test]
async fn a_parent_that_rotates_is_kept_in_its_new_copy() {
    let world = guests().await;
    let id = parent(&world, Order { rotation: Some(ROTATES), ..Order::default() }).await;
    let report = world.wallet.create_from(&id, &draft("night", &["AT"])).await.expect("a subtoken");
    assert_eq!(copy(&world.wallet, &id), 2);
    assert!(report.remarks.contains(&"toar rotated: copy 2 is yours now".to_owned()), "{:?}", report.remarks);
    world.wallet.draw(&id, PLAIN).await.expect("the new copy works");
    world.wallet.draw(&report.id, PLAIN).await.expect("the child works");
    assert_eq!(world.mytokens.stale_presentations(), 0);
}

#[tokio::test]
async fn a_lost_answer_leaves_the_parent_in_doubt_and_says_that_a_subtoken_may_exist() {
    let world = guests().await;
    let id = parent(&world, Order { rotation: Some(ROTATES), ..Order::default() }).await;
    world.mytokens.traps().answers_get_lost = true;
    let failure = world.wallet.create_from(&id, &draft("night", &["AT"])).await.expect_err("lost");
    world.mytokens.traps().answers_get_lost = false;
    let hint = failure.hint.unwrap_or_default();
    assert!(hint.contains("may exist at its server") && hint.contains("in doubt"), "{hint}");
    assert!(matches!(world.held(&id).health, Health::InDoubt(_)));
    assert!(noted(&world.wallet).contains(&"making a subtoken".to_owned()));
    assert_eq!(names(&world.wallet), ["toar"]);
}

#[tokio::test]
async fn a_lost_answer_of_a_parent_that_stays_is_no_doubt_about_it() {
    let world = guests().await;
    let id = parent(&world, Order::default()).await;
    world.mytokens.traps().answers_get_lost = true;
    let failure = world.wallet.create_from(&id, &draft("night", &["AT"])).await.expect_err("lost");
    world.mytokens.traps().answers_get_lost = false;
    assert!(failure.hint.unwrap_or_default().contains("may exist at its server"));
    assert_eq!(world.held(&id).health, Health::Ok);
}

#[tokio::test]
async fn a_parent_that_was_overtaken_or_is_in_doubt_is_not_sent() {
    let world = guests().await;
    let revoking = mytoken::Rotation { auto_revoke: true, ..ROTATES };
    let capabilities = ["AT", "create_mytoken", "tokeninfo"].map(str::to_owned).to_vec();
    let order = Order { capabilities, rotation: Some(revoking), ..Order::default() };
    // Of one of them a newer copy is held here, too.
    let first = world.mytokens.issue(order.clone()).expect("issued");
    let overtaken = world.keep("overtaken", &first.mytoken).await;
    world.keep("newer", &world.mytokens.rotate(&first.mom_id).expect("rotated")).await;
    assert_eq!(world.held(&overtaken).health, Health::Dead("rotated away".to_owned()));
    // Of the other one another machine has handed the newer copy over, whose next use got no answer.
    let issued = world.issued(order);
    let old = world.keep("old", &issued).await;
    let other = world.other_wallet();
    let specimen = toktui::domain::specimen::recognise(issued.expose());
    let (theirs, _) = other.keep(&specimen, "there").await.expect("kept");
    other.draw(&theirs, PLAIN).await.expect("an access token");
    let code = other.hand_over_rotating(&theirs).await.expect("a code");
    world.wallet.redeem(&"mt".into(), &code.code, Some("new")).await.expect("redeemed");
    let before = world.server_requests();
    assert_eq!(
        names(&world.wallet),
        ["newer", "old", "overtaken"],
        "the newer copy took the older one's place"
    );
    world.mytokens.traps().answers_get_lost = true;
    world.wallet.draw(&old, PLAIN).await.expect_err("lost");
    world.mytokens.traps().answers_get_lost = false;
    assert!(world.server_requests() > before);
    let before = world.server_requests();
    for failure in [
        world.wallet.create_from(&old, &draft("x", &["AT"])).await.map(|_| ()).expect_err("in doubt"),
        world.wallet.hand_over_rotating(&old).await.map(|_| ()).expect_err("in doubt"),
    ] {
        assert_eq!(failure.kind, Kind::NotValid, "{failure}");
        assert!(failure.why.contains("was not sent"), "{failure}");
    }
    let subtoken = HandOver::Subtoken(Box::new(draft("x", &["AT"])));
    for failure in [
        world.wallet.create_from(&overtaken, &draft("x", &["AT"])).await.map(|_| ()).expect_err("overtaken"),
        world.wallet.hand_over(&overtaken, &subtoken).await.map(|_| ()).expect_err("overtaken"),
        world.wallet.hand_over(&overtaken, &HandOver::Itself).await.map(|_| ()).expect_err("overtaken"),
        world.wallet.hand_over_rotating(&overtaken).await.map(|_| ()).expect_err("overtaken"),
    ] {
        assert_eq!(failure.kind, Kind::NotValid, "{failure}");
        assert!(failure.why.contains("held, as newer; this older one was not sent"), "{failure}");
    }
    assert_eq!(world.server_requests(), before, "nothing was sent");
    assert_eq!(world.mytokens.stale_presentations(), 0);
}

#[tokio::test]
async fn who_may_not_make_any_or_is_none_is_told_so() {
    let world = guests().await;
    let plain = world.kept("plain", Order::default()).await;
    let failure = world.wallet.create_from(&plain, &draft("x", &["AT"])).await.expect_err("it may not");
    assert!(matches!(failure.kind, Kind::NotValid | Kind::Unusable), "{failure}");
    let login = world.logged_in(at("op")).await;
    let failure = world.wallet.create_from(&login.id, &draft("x", &["AT"])).await.expect_err("it is none");
    assert_eq!((failure.kind, failure.why.as_str()), (Kind::Unusable, "it is no mytoken"));
    let id = parent(&world, Order::default()).await;
    let failure = world.wallet.create_from(&id, &draft("plain", &["AT"])).await.expect_err("taken");
    assert!(failure.why.contains("already the name"), "{failure}");
}

/// A child is made also from a clause that has ended, and its answer reads like that of one without end (§12.24).
#[tokio::test]
async fn what_has_ended_before_it_is_made_is_not_made() {
    let world = guests().await;
    let id = parent(&world, Order::default()).await;
    let over = DraftClause {
        ends: Some(When::At(world.now() - SignedDuration::from_secs(5))),
        ..DraftClause::default()
    };
    let before = world.server_requests();
    let result = world.wallet.create_from(&id, &with(draft("dead", &["AT"]), over)).await;
    assert_eq!(result.expect_err("over").kind, Kind::Unusable);
    assert_eq!(world.server_requests(), before);
}

// By a code.

#[tokio::test]
async fn a_subtoken_that_is_handed_over_is_redeemed_once_and_elsewhere() {
    let world = guests().await;
    let id = parent(&world, Order { rotation: Some(ROTATES), ..Order::default() }).await;
    let how = HandOver::Subtoken(Box::new(with(draft("there", &["AT", "tokeninfo"]), until(3600))));
    let handed = world.wallet.hand_over(&id, &how).await.expect("a code");
    assert_eq!((handed.name.as_str(), handed.address.as_str()), ("there", world.server.as_str()));
    assert!(handed.ends > world.now() && handed.mom_id.is_some());
    assert_eq!((names(&world.wallet), copy(&world.wallet, &id)), (vec!["toar".to_owned()], 2));
    let other = world.other_wallet();
    let report = other.redeem(&"mt".into(), &handed.code, None).await.expect("redeemed");
    assert_eq!((report.name.as_str(), differing(&report)), ("there", vec![]));
    assert!(report.lines.iter().all(|line| line.asked.is_empty()), "nothing was asked for here");
    let failure = other.redeem(&"mt".into(), &handed.code, None).await.expect_err("used");
    assert!(matches!(failure.kind, Kind::Failed | Kind::NotValid), "{failure}");
    assert!(!failure.to_string().contains(handed.code.expose()));
}

#[tokio::test]
async fn a_code_is_taken_back_with_the_subtoken_behind_it_redeemed_or_not() {
    let world = guests().await;
    let id = parent(&world, Order { rotation: Some(ROTATES), ..Order::default() }).await;
    let how = HandOver::Subtoken(Box::new(draft("there", &["AT", "tokeninfo"])));
    let handed = world.wallet.hand_over(&id, &how).await.expect("a code");
    let said = world.wallet.withdraw(&handed).await.expect("taken back");
    assert_eq!(said, "The code can be redeemed no more, and there behind it is revoked.");
    let other = world.other_wallet();
    other.redeem(&"mt".into(), &handed.code, None).await.expect_err("it is gone");

    let handed = world.wallet.hand_over(&id, &how).await.expect("a code");
    let report = other.redeem(&"mt".into(), &handed.code, None).await.expect("redeemed");
    let said = world.wallet.withdraw(&handed).await.expect("taken back");
    assert_eq!(said, "The code had been redeemed: there is revoked.");
    other.draw(&report.id, PLAIN).await.expect_err("revoked");
    world.wallet.draw(&id, PLAIN).await.expect("its parent lives");
    assert_eq!(world.mytokens.stale_presentations(), 0);
}

/// The same mytoken on two machines locks one of them out at the first rotation (§12.15).
#[tokio::test]
async fn one_that_rotates_is_handed_over_itself_only_by_who_insists() {
    let world = guests().await;
    let stays = world.kept("stays", Order::default()).await;
    let turns = world.kept("turns", Order { rotation: Some(ROTATES), ..Order::default() }).await;
    let handed = world.wallet.hand_over(&stays, &HandOver::Itself).await.expect("a code");
    assert!(handed.itself && handed.name == "stays");
    let other = world.other_wallet();
    let theirs = other.redeem(&"mt".into(), &handed.code, None).await.expect("redeemed");
    other.draw(&theirs.id, PLAIN).await.expect("it works there");
    world.wallet.draw(&stays, PLAIN).await.expect("and here");
    let before = world.server_requests();
    let failure = world.wallet.hand_over(&turns, &HandOver::Itself).await.expect_err("it rotates");
    assert_eq!(failure.kind, Kind::Unusable);
    assert!(failure.hint.is_some_and(|hint| hint.contains("--yes")));
    assert_eq!(world.server_requests(), before);
    let handed = world.wallet.hand_over_rotating(&turns).await.expect("a code");
    let said = world.wallet.withdraw(&handed).await.expect("taken back");
    assert!(said.contains("Whoever redeemed it before has the mytoken"), "{said}");
    other.redeem(&"mt".into(), &handed.code, None).await.expect_err("taken back");
    world.wallet.draw(&turns, PLAIN).await.expect("the mytoken itself lives");
}

/// Its rotation is in the mytoken and not in the answer (§12.15).
#[tokio::test]
async fn what_is_redeemed_knows_that_it_rotates() {
    let world = guests().await;
    let id = world.kept("turns", Order { rotation: Some(ROTATES), ..Order::default() }).await;
    let handed = world.wallet.hand_over_rotating(&id).await.expect("a code");
    let other = world.other_wallet();
    let report = other.redeem(&"mt".into(), &handed.code, Some("mine")).await.expect("redeemed");
    assert!(facts(&other, &report.id).rotation.is_some_and(|rotation| rotation.on_at));
    assert_eq!(report.name, "mine");
}

/// A code made before a rotation gives a dead copy (§12.38).
#[tokio::test]
async fn a_dead_copy_behind_a_code_is_told_as_such() {
    let world = guests().await;
    let id = world.kept("turns", Order { rotation: Some(ROTATES), ..Order::default() }).await;
    let handed = world.wallet.hand_over_rotating(&id).await.expect("a code");
    world.wallet.draw(&id, PLAIN).await.expect("it rotates");
    let other = world.other_wallet();
    let report = other.redeem(&"mt".into(), &handed.code, None).await.expect("kept all the same");
    assert!(report.remarks[0].contains("does not know this copy"), "{:?}", report.remarks);
    let held = other.view(&report.id).expect("held");
    assert!(matches!(held.health, Health::NeedsLogin(_)), "{:?}", held.health);
}

#[tokio::test]
async fn one_that_revokes_all_when_an_older_copy_is_used_is_not_sent_to_be_checked() {
    let world = guests().await;
    let revoking = mytoken::Rotation { auto_revoke: true, ..ROTATES };
    let id = world.kept("turns", Order { rotation: Some(revoking), ..Order::default() }).await;
    let handed = world.wallet.hand_over_rotating(&id).await.expect("a code");
    world.wallet.draw(&id, PLAIN).await.expect("it rotates");
    let report = world.other_wallet().redeem(&"mt".into(), &handed.code, None).await.expect("kept");
    assert!(report.remarks.iter().any(|remark| remark.contains("not sent to check")), "{:?}", report.remarks);
    world.wallet.draw(&id, FORCE).await.expect("it lives: nobody sent the older copy");
    assert_eq!(world.mytokens.stale_presentations(), 0);
}

#[tokio::test]
async fn the_same_mytoken_is_not_held_twice_and_only_a_newer_copy_takes_the_place_of_ours() {
    let world = guests().await;
    let issued = world.issued(Order { rotation: Some(ROTATES), ..Order::default() });
    let mine = world.keep("mine", &issued).await;
    let other = world.other_wallet();
    let specimen = toktui::domain::specimen::recognise(issued.expose());
    let (theirs, _) = other.keep(&specimen, "theirs").await.expect("kept");
    let same = other.hand_over_rotating(&theirs).await.expect("a code");
    let failure = world.wallet.redeem(&"mt".into(), &same.code, None).await.expect_err("the same");
    assert!(failure.why.contains("held here as mine"), "{failure}");
    let older = other.hand_over_rotating(&theirs).await.expect("a code");
    other.draw(&theirs, PLAIN).await.expect("copy 2");
    let newer = other.hand_over_rotating(&theirs).await.expect("a code");
    let report = world.wallet.redeem(&"mt".into(), &newer.code, None).await.expect("newer");
    assert_eq!((report.id.clone(), copy(&world.wallet, &mine)), (mine.clone(), 2));
    assert_eq!(report.remarks[0], "it is held here as mine: copy 2 took the place of copy 1");
    let failure = world.wallet.redeem(&"mt".into(), &older.code, None).await.expect_err("older");
    assert!(failure.why.contains("copy 1 of mine, of which copy 2 is held"), "{failure}");
    assert_eq!(names(&world.wallet), ["mine"]);
    assert_eq!(world.mytokens.stale_presentations(), 0);
}

#[tokio::test]
async fn a_code_is_not_spent_where_what_comes_could_not_be_kept() {
    let world = guests().await;
    let id = parent(&world, Order::default()).await;
    let handed = world.wallet.hand_over(&id, &HandOver::Itself).await.expect("a code");
    let failure = world.wallet.redeem(&"mt".into(), &handed.code, Some("toar")).await.expect_err("taken");
    assert!(failure.why.contains("already the name"), "{failure}");
    let failure = world.wallet.redeem(&"op".into(), &handed.code, None).await.expect_err("no such server");
    assert_eq!(failure.kind, Kind::Unusable);
    world.other_wallet().redeem(&"mt".into(), &handed.code, None).await.expect("the code is good still");
}

#[tokio::test]
async fn a_lost_answer_to_a_code_says_that_it_may_be_used_up() {
    let world = guests().await;
    let id = parent(&world, Order::default()).await;
    let handed = world.wallet.hand_over(&id, &HandOver::Itself).await.expect("a code");
    let other = world.other_wallet();
    other.offer(&"mt".into()).await.expect("it is known there");
    world.mytokens.traps().answers_get_lost = true;
    let failure = other.redeem(&"mt".into(), &handed.code, None).await.expect_err("lost");
    assert!(failure.hint.is_some_and(|hint| hint.contains("may be used up")));
}

// The successor.

#[tokio::test]
async fn a_successor_lives_as_long_as_the_old_one_did_and_has_all_its_uses_anew() {
    let world = World::open().await;
    let clause = DraftClause { starts: None, ..until(86_400) };
    let rest = Clause { uses_at: Some(3), ..Clause::default() };
    let wanted = with(draft("toar", &["AT", "tokeninfo"]), DraftClause { rest, ..clause });
    let old = world.logged_in(ordered("mt", wanted)).await;
    world.pass(80_000);
    world.wallet.draw(&old.id, PLAIN).await.expect("one use");
    let next = world.wallet.successor_of(&old.id).expect("a draft");
    assert_eq!((next.name.as_str(), next.provider.as_str()), ("toar", world.issuer.as_str()));
    assert_eq!(next.clauses[0].ends, Some(When::In(86_400)));
    assert_eq!((next.clauses[0].rest.uses_at, next.clauses[0].rest.used_at), (Some(3), None));
    let order = Login { name: Some("toar-new".to_owned()), ..ordered("mt", next) };
    let new = world.logged_in(order).await;
    let day = facts(&world.wallet, &old.id).expires.expect("it ends").strftime("%Y-%m-%d").to_string();
    let done = world.wallet.succeed(&old.id, &new.id).await.expect("in place");
    let old_name = format!("toar-until-{day}");
    assert_eq!(done, Succeeded { name: "toar".to_owned(), old_name: old_name.clone(), remarks: vec![] });
    assert_eq!(world.wallet.find("toar"), Some(new.id.clone()));
    assert_eq!(world.wallet.find(&old_name), Some(old.id.clone()));
    assert_eq!(facts(&world.wallet, &new.id).name, Some("toar".into()));
    world.wallet.draw(&old.id, FORCE).await.expect("the old one was not revoked");
}

#[tokio::test]
async fn a_successor_that_does_not_work_here_and_now_takes_nobodys_place() {
    let world = guests().await;
    let old = world.kept("toar", Order::default()).await;
    let ended = mytoken::Clause { exp: Some(world.now().as_second() + 60), ..mytoken::Clause::default() };
    let new = world.kept("toar-new", Order { restrictions: vec![ended], ..Order::default() }).await;
    world.pass(120);
    let failure = world.wallet.succeed(&old, &new).await.expect_err("it has ended");
    assert_eq!(failure.kind, Kind::NotValid, "{failure}");
    assert_eq!(names(&world.wallet), ["toar", "toar-new"]);
    assert_eq!(world.wallet.find("toar"), Some(old.clone()));
    assert_eq!(world.wallet.succeed(&old, &old).await.expect_err("itself").kind, Kind::Unusable);
}

#[tokio::test]
async fn a_successor_that_may_not_be_asked_about_is_taken_and_that_is_said() {
    let world = guests().await;
    let old = world.kept("toar", Order::default()).await;
    let new = world.kept("toar-new", Order { capabilities: vec!["AT".to_owned()], ..Order::default() }).await;
    let done = world.wallet.succeed(&old, &new).await.expect("in place");
    assert_eq!((done.name.as_str(), done.old_name.as_str()), ("toar", "toar-old"));
    assert!(done.remarks[0].contains("may not be asked about"), "{:?}", done.remarks);
}

// What a server offers.

#[tokio::test]
async fn what_a_server_offers_is_asked_once_with_its_profiles() {
    let world = World::open().await;
    let offer = world.wallet.offer(&"mt".into()).await.expect("an offer");
    assert_eq!((offer.server.clone(), offer.address.as_str()), (Some("mt".into()), world.server.as_str()));
    assert_eq!(offer.providers[0].name.raw(), "Sandbox");
    assert_eq!(offer.forms, [Form::Token, Form::Short, Form::Code]);
    assert!(offer.hands_over && offer.revokes && offer.tells_history && offer.lists && offer.shows_tree);
    assert!(offer.templates.iter().any(|template| template.kind == TemplateKind::Profile));
    let asked = world.server_tap.all().len();
    assert_eq!(world.wallet.offer(&"mt".into()).await.expect("an offer"), offer);
    assert_eq!(world.server_tap.all().len(), asked, "once a session");
    assert_eq!(world.wallet.offer(&"op".into()).await.expect_err("none").kind, Kind::Unusable);
}

#[tokio::test]
async fn a_server_without_profiles_offers_all_the_rest() {
    let world = World::with(|_, server| {
        server.profiles = false;
        server.short_tokens = false;
        server.transfer_codes = false;
    })
    .await;
    let offer = world.wallet.offer(&"mt".into()).await.expect("an offer");
    assert_eq!((offer.templates.len(), offer.hands_over, offer.forms), (0, false, vec![Form::Token]));
}

/// Nobody takes a server that wants to be left alone to have no profiles, for a whole session even.
#[tokio::test]
async fn profiles_that_could_not_be_read_are_said_to_be_unread_and_asked_for_again() {
    let world = World::with(|_, server| {
        server.exempt_loopback = false;
        server.rate_limit = 2;
    })
    .await;
    let offer = world.wallet.offer(&"mt".into()).await.expect("an offer");
    let unread = offer.unread.expect("why not");
    assert!(offer.templates.is_empty() && unread.contains("asks to wait"), "{unread}");
    let before = world.server_requests();
    let offer = world.wallet.offer(&"mt".into()).await.expect("an offer");
    assert!(offer.unread.is_some());
    assert_eq!(world.server_requests(), before, "it is left alone");
}

// On disk.

struct Disk {
    world: World,
    folder: tempfile::TempDir,
}

impl Disk {
    fn path(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    async fn wallet(&self) -> Arc<Wallet> {
        let store = Store::open(Place {
            folder: self.path(),
            clock: self.world.clock.clone(),
            session: Arc::new(Nowhere),
            keyring: Arc::new(Nowhere),
            key_file: self.folder.path().join("key"),
            session_allowed: false,
            who: "toktui test".to_owned(),
        })
        .expect("opens");
        if self.path().exists() {
            store.unlock(Opening::KeyFile(None)).await.expect("opens");
        } else {
            store.create(Opening::KeyFile(None)).await.expect("made");
        }
        let sources = self.world.wallet.sources().to_vec();
        Wallet::over(store, self.world.clock.clone(), Arc::new(Http::default()), sources)
    }
}

#[tokio::test]
async fn parent_and_child_are_on_disk_when_the_report_is_there() {
    let disk = Disk { world: guests().await, folder: tempfile::tempdir().expect("a folder") };
    let wallet = disk.wallet().await;
    let capabilities = ["AT", "create_mytoken", "tokeninfo"].map(str::to_owned).to_vec();
    let order = Order { capabilities, rotation: Some(ROTATES), ..Order::default() };
    let specimen = toktui::domain::specimen::recognise(disk.world.issued(order).expose());
    let (id, _) = wallet.keep(&specimen, "toar").await.expect("kept");
    let report = wallet.create_from(&id, &draft("night", &["AT"])).await.expect("a subtoken");
    let other = disk.wallet().await;
    assert_eq!(names(&other), ["night", "toar"]);
    assert_eq!(copy(&other, &id), 2);
    other.draw(&report.id, PLAIN).await.expect("the child works");
    other.draw(&id, PLAIN).await.expect("the parent's new copy works");
    assert_eq!(disk.world.mytokens.stale_presentations(), 0);
}

// What holds for every verb here.

#[tokio::test]
async fn nothing_is_made_or_handed_over_where_nothing_may_change() {
    let world = guests().await;
    let id = parent(&world, Order::default()).await;
    let handed = world.wallet.hand_over(&id, &HandOver::Itself).await.expect("a code");
    let before = world.server_requests();
    world.wallet.set_read_only(true);
    let failures = [
        world.wallet.create_from(&id, &draft("x", &["AT"])).await.map(|_| ()),
        world.wallet.redeem(&"mt".into(), &handed.code, None).await.map(|_| ()),
        world.wallet.hand_over(&id, &HandOver::Itself).await.map(|_| ()),
        world.wallet.hand_over_rotating(&id).await.map(|_| ()),
        world.wallet.withdraw(&handed).await.map(|_| ()),
        world.wallet.succeed(&id, &id).await.map(|_| ()),
        world.start(ordered("mt", draft("x", &["AT"]))).end().await.map(|_| ()),
    ];
    for failure in failures {
        assert!(
            failure.as_ref().is_err_and(|failure| failure.to_string().contains("read-only")),
            "{failure:?}"
        );
    }
    assert_eq!(world.server_requests(), before, "nothing was sent");
}

/// All users behind one address share the limit: who was told to wait waits, whatever he asks (§2.1.6).
#[tokio::test]
async fn a_server_that_wants_to_be_left_alone_is_left_alone() {
    let world = World::with(|_, server| {
        server.guest = true;
        server.exempt_loopback = false;
        server.rate_limit = 6;
    })
    .await;
    let id = parent(&world, Order::default()).await;
    let mut failure = None;
    for round in 0..8 {
        failure = world.wallet.create_from(&id, &draft(&format!("n{round}"), &["AT"])).await.err();
        if failure.is_some() {
            break;
        }
    }
    let failure = failure.expect("the limit");
    assert_eq!(failure.kind, Kind::Unreached, "{failure}");
    let before = world.server_requests();
    let again = world.wallet.create_from(&id, &draft("again", &["AT"])).await.expect_err("told to wait");
    assert!(again.hint.is_some_and(|hint| hint.contains("Try again in")));
    world.wallet.hand_over(&id, &HandOver::Itself).await.expect_err("told to wait");
    assert_eq!(world.server_requests(), before, "nothing was sent");
}
