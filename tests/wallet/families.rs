//! Seeing all mytokens at a server and ending them: lists, trees, histories of others, the manager of a session.

use std::sync::{Arc, Mutex};

use toktui::domain::credential::{Chain, CredentialId, Health};
use toktui::domain::draft::Draft;
use toktui::domain::event::What;
use toktui::domain::failure::{Failure, Kind};
use toktui::domain::family::{Family, Via, Which};
use toktui::domain::form::Form;
use toktui::domain::handed::HandOver;
use toktui::domain::login::Step;
use toktui::domain::secret::Secret;
use toktui::domain::source::SourceId;
use toktui::domain::specimen::recognise;
use toktui::domain::untrusted::Untrusted;
use toktui::domain::verdict::{By, Standing};
use toktui::sandbox::mytoken::{Clause, Issued, Order, Rotation, Settings};
use toktui::sandbox::visitor::Choice;
use toktui::wallet::draw::Wish;
use toktui::wallet::login::line;
use toktui::wallet::look_up::Ask;
use toktui::wallet::manager;

use crate::world::{World, copy, counted, visit};

const REVOKED_HERE: &str = "revoked from here";

fn mt() -> SourceId {
    SourceId::from("mt")
}

async fn world() -> World {
    World::with(|_, server| server.guest = true).await
}

async fn limited_to(requests: u32) -> World {
    World::with(|_, server| {
        *server = Settings { guest: true, exempt_loopback: false, rate_limit: requests, ..server.clone() };
    })
    .await
}

fn may(capabilities: &[&str]) -> Order {
    Order { capabilities: capabilities.iter().map(|name| (*name).to_owned()).collect(), ..Order::default() }
}

fn named(name: &str, order: Order) -> Order {
    Order { name: Some(name.to_owned()), ..order }
}

fn child(name: &str, of: &Issued) -> Order {
    Order { parent: Some(of.mom_id.clone()), ..named(name, Order::default()) }
}

fn issue(world: &World, order: Order) -> Issued {
    world.mytokens.issue(order).expect("issued")
}

async fn keep(world: &World, name: &str, issued: &Issued) -> CredentialId {
    world.keep(name, &issued.mytoken).await
}

fn id(issued: &Issued) -> Untrusted {
    Untrusted::from(issued.mom_id.as_str())
}

/// `toar`, from which `ci` was made, from which `night` was made; and `laptop`, made from `toar` as well.
struct Tree {
    toar: Issued,
    ci: Issued,
    night: Issued,
    laptop: Issued,
}

fn tree(world: &World, root: Order) -> Tree {
    let toar = issue(world, named("toar", root));
    let ci = issue(world, child("ci", &toar));
    let night = issue(world, child("night", &ci));
    let laptop = issue(world, child("laptop", &toar));
    Tree { toar, ci, night, laptop }
}

fn rows(family: &Family) -> Vec<String> {
    let row = |member: &toktui::domain::family::Member| {
        let name = member.listed.name.as_ref().map_or_else(|| "?".to_owned(), Untrusted::shown);
        let held = member.held.as_ref().map(|(_, name)| format!(" as {name}")).unwrap_or_default();
        let asks = if member.asks { " asks" } else { "" };
        format!("{}{name}{held}{asks}", ".".repeat(member.depth))
    };
    family.members.iter().map(row).collect()
}

async fn all(world: &World, via: &Via) -> Family {
    world.wallet.family(&mt(), via, Which::All).await.expect("a list")
}

async fn with_manager(world: &World) -> jiff::Timestamp {
    let (line, mut watch) = line();
    let wallet = Arc::clone(&world.wallet);
    let issuer = world.issuer.clone();
    let opening = tokio::spawn(async move { wallet.open_manager(&mt(), Some(&issuer), line).await });
    let address = loop {
        if let Step::MayOpen(address) = watch.steps.recv().await.expect("the login goes on") {
            break address;
        }
    };
    visit(&address, Choice::Approve).await;
    opening.await.expect("no panic").expect("a manager")
}

/// Orders for the user who logs in by the consent page.
fn of_alice(world: &World, order: Order) -> Order {
    let settings = world.op.settings();
    let alice = settings.users.iter().find(|user| user.username == "alice").expect("she is there");
    Order { issuer: world.issuer.clone(), subject: alice.sub.clone(), ..order }
}

fn health(world: &World, id: &CredentialId) -> Health {
    world.held(id).health
}

fn dead() -> Health {
    Health::Dead(REVOKED_HERE.to_owned())
}

#[tokio::test]
async fn a_list_is_joined_with_what_is_held_and_costs_nothing_where_nothing_is_counted() {
    let world = world().await;
    let made = tree(&world, Order::default());
    let lister = keep(&world, "boss", &issue(&world, named("lister", may(&["manage_mytokens:list"])))).await;
    keep(&world, "build", &made.ci).await;
    assert_eq!(world.wallet.who_may_list(&mt()), std::slice::from_ref(&lister));
    let family = all(&world, &Via::Held(lister.clone())).await;
    assert_eq!(rows(&family), ["toar", ".ci as build", "..night", ".laptop", "lister as boss asks"]);
    assert!(!family.cut);
    let build = family.members.iter().find(|member| member.held.is_some()).expect("a held one");
    assert_eq!(build.capabilities.as_ref().map(Vec::len), Some(2));
    assert!(family.members.iter().all(|member| member.last_used.is_none()));
    assert_eq!((copy(&world.wallet, &lister), world.mytokens.stale_presentations()), (1, 0));
}

#[tokio::test]
async fn the_cheapest_that_may_is_asked_first_and_those_that_cannot_are_not_named() {
    let world = world().await;
    let list = || may(&["manage_mytokens:list"]);
    let rotates = Some(Rotation { on_other: true, ..Rotation::default() });
    let bound = vec![Clause { hosts: vec!["127.0.0.0/8".to_owned()], ..Clause::default() }];
    let free = keep(&world, "free", &issue(&world, list())).await;
    let few = keep(&world, "few", &issue(&world, Order { restrictions: counted(9, 2), ..list() })).await;
    let many = keep(&world, "many", &issue(&world, Order { restrictions: counted(9, 50), ..list() })).await;
    let plain = keep(&world, "bound", &issue(&world, Order { restrictions: bound.clone(), ..list() })).await;
    let turning = Order { restrictions: bound.clone(), rotation: rotates, ..list() };
    let turning = keep(&world, "turning", &issue(&world, turning)).await;
    keep(&world, "none-left", &issue(&world, Order { restrictions: counted(9, 0), ..list() })).await;
    keep(&world, "other", &issue(&world, may(&["AT"]))).await;
    let dead = keep(&world, "dead", &issue(&world, list())).await;
    world.wallet.revoke(&dead).await.expect("revoked");
    let who = world.wallet.who_may_list(&mt());
    assert_eq!(who, [free, plain, turning, many, few]);
}

/// Pitfall 6: of a restricted mytoken a list counts and rotates, of an unrestricted one it does neither.
#[tokio::test]
async fn pitfall_6_a_list_by_a_restricted_mytoken_costs_a_use_and_its_new_copy_is_saved_first() {
    let world = world().await;
    let rotation = Some(Rotation { on_other: true, auto_revoke: true, ..Rotation::default() });
    let capabilities = ["manage_mytokens", "tokeninfo"];
    let restricted = Order { restrictions: counted(9, 5), rotation: rotation.clone(), ..may(&capabilities) };
    let restricted = keep(&world, "restricted", &issue(&world, restricted)).await;
    let free = keep(&world, "free", &issue(&world, Order { rotation, ..may(&capabilities) })).await;
    world.wallet.look_up(&restricted).await.expect("held");
    for which in [Which::All, Which::Below] {
        world.wallet.family(&mt(), &Via::Held(restricted.clone()), which).await.expect("a list");
        world.wallet.family(&mt(), &Via::Held(free.clone()), which).await.expect("a list");
    }
    let Chain::Mytoken { facts, copy: number, .. } = world.held(&restricted).chain else {
        panic!("a mytoken")
    };
    assert_eq!((number, facts.restrictions[0].used_other), (3, Some(2)));
    assert_eq!((copy(&world.wallet, &free), world.mytokens.stale_presentations()), (1, 0));
}

#[tokio::test]
async fn a_list_whose_answer_gets_lost_leaves_a_rotating_mytoken_in_doubt_and_no_other() {
    let world = world().await;
    let rotation = Some(Rotation { on_other: true, auto_revoke: true, ..Rotation::default() });
    let list = may(&["manage_mytokens:list"]);
    let turns = Order { restrictions: counted(9, 5), rotation: rotation.clone(), ..list.clone() };
    let turns = keep(&world, "turns", &issue(&world, turns)).await;
    let free = keep(&world, "free", &issue(&world, Order { rotation, ..list })).await;
    // The server is known before its answers get lost.
    world.wallet.look_up(&turns).await.expect("held");
    world.mytokens.traps().answers_get_lost = true;
    for id in [&turns, &free] {
        let failure = world.wallet.family(&mt(), &Via::Held(id.clone()), Which::All).await.expect_err("lost");
        assert_eq!(failure.kind, Kind::Unreached, "{failure}");
    }
    world.mytokens.traps().answers_get_lost = false;
    assert!(matches!(health(&world, &turns), Health::InDoubt(_)));
    assert_eq!(health(&world, &free), Health::Ok);
    let sent = world.server_requests();
    let failure = world.wallet.family(&mt(), &Via::Held(turns), Which::All).await.expect_err("at stake");
    assert!(failure.why.contains("revokes the mytoken and all made from it"), "{failure}");
    assert_eq!(world.server_requests(), sent);
}

/// Pitfall 19: lists can be `null`, names can be missing or empty, children can be roots.
#[tokio::test]
async fn pitfall_19_children_whose_parent_is_gone_are_roots_and_names_may_be_missing() {
    let world = world().await;
    let made = tree(&world, Order::default());
    let boss = keep(&world, "boss", &issue(&world, may(&["manage_mytokens"]))).await;
    let via = Via::Held(boss);
    assert_eq!(rows(&all(&world, &via).await), ["toar", ".ci", "..night", ".laptop", "? as boss asks"]);
    let said = world.wallet.revoke_listed(&mt(), &via, &id(&made.ci), false).await.expect("revoked");
    assert!(said.starts_with("Revoked it: its server lists it no more. 1 made from it live on."), "{said}");
    assert_eq!(rows(&all(&world, &via).await), ["toar", ".laptop", "night", "? as boss asks"]);
}

#[tokio::test]
async fn when_each_was_last_used_is_one_more_request_for_all_of_them() {
    let world = world().await;
    let made = tree(&world, Order::default());
    let boss = keep(&world, "boss", &issue(&world, may(&["manage_mytokens"]))).await;
    let used = keep(&world, "used", &made.laptop).await;
    world.pass(100);
    world.mytokens.set_caller(Some(("198.51.100.7".parse().expect("an address"), "DE")));
    world.wallet.draw(&used, Wish::default()).await.expect("an access token");
    let mut family = all(&world, &Via::Held(boss)).await;
    let sent = world.server_requests();
    world.wallet.last_used(&mut family).await.expect("histories");
    assert_eq!(world.server_requests(), sent + 1);
    let last: Vec<_> = family
        .members
        .iter()
        .map(|member| {
            let last = member.last_used.clone().expect("told");
            last.map(|last| last.address.map(|from| from.raw().to_owned()).unwrap_or_default())
        })
        .collect();
    // `ci` and `toar` have made subtokens.
    let here = Some("127.0.0.1".to_owned());
    assert_eq!(last, [here.clone(), here, None, Some("198.51.100.7".to_owned()), None]);
}

/// Pitfall 18: for whoever may manage all mytokens `this` and `children` are broken, so ids are sent, in full and never shortened (17).
#[tokio::test]
async fn pitfalls_17_and_18_histories_of_others_are_asked_for_by_full_ids() {
    let world = world().await;
    let made = tree(&world, Order::default());
    let boss = keep(&world, "boss", &issue(&world, may(&["manage_mytokens"]))).await;
    let (via, ids) = (Via::Held(boss.clone()), [id(&made.toar), id(&made.ci)]);
    let events = world.wallet.history_of_listed(&mt(), &via, &ids).await.expect("events");
    let of = |id: &Untrusted| events.iter().filter(|event| event.mom_id.as_ref() == Some(id)).count();
    assert!(of(&ids[0]) > 2 && of(&ids[1]) > 1, "{events:?}");
    // From the event of its making to the subtoken itself.
    let family = all(&world, &via).await;
    let makings: Vec<_> = events
        .iter()
        .filter(|event| event.made().is_some())
        .map(|event| family.made_by(event).and_then(|at| family.members[at].listed.name.clone()))
        .collect();
    let mut names: Vec<_> = makings.into_iter().flatten().map(|name| name.shown()).collect();
    names.sort_unstable();
    assert_eq!(names, ["ci", "laptop", "night"]);
    for wrong in ["this", "children", "children@x", ""] {
        let sent = world.server_requests();
        let failure = world.wallet.history_of_listed(&mt(), &via, &[wrong.into()]).await.expect_err("no id");
        assert_eq!((failure.kind, world.server_requests()), (Kind::Unusable, sent), "{wrong:?}: {failure}");
    }
    let short = Untrusted::from(&made.toar.mom_id[..20]);
    let failure = world.wallet.history_of_listed(&mt(), &via, &[short]).await.expect_err("cut");
    assert!(failure.why.contains("does not exist, or belongs to somebody else"), "{failure}");
}

/// Pitfall 5: the own id is never sent; what asks is revoked by itself.
#[tokio::test]
async fn pitfall_5_the_one_that_asks_is_revoked_by_itself_and_never_by_its_own_id() {
    let world = world().await;
    let issued = issue(&world, named("boss", may(&["manage_mytokens"])));
    let boss = keep(&world, "boss", &issued).await;
    let said = world.wallet.revoke_listed(&mt(), &Via::Held(boss.clone()), &id(&issued), false).await;
    assert!(said.expect("revoked").starts_with("Revoked boss."));
    assert_eq!(health(&world, &boss), dead());
    let bodies = world.server_tap.all();
    let revocations = bodies.iter().filter(|exchange| exchange.path.ends_with("/token/revoke")).count();
    assert_eq!(revocations, 1);
}

/// Pitfall 5, the other half: an outdated copy given to revocation is a 500, and nothing is revoked.
#[tokio::test]
async fn pitfall_5_an_older_copy_cannot_revoke_and_says_so() {
    let world = world().await;
    let rotation = Some(Rotation { on_at: true, ..Rotation::default() });
    let issued = issue(&world, Order { rotation, ..Order::default() });
    let old = keep(&world, "old", &issued).await;
    let new = world.mytokens.rotate(&issued.mom_id).expect("rotated");
    let failure = world.wallet.revoke(&old).await.expect_err("an older copy");
    assert_eq!(
        (failure.kind, failure.why.as_str()),
        (Kind::NotValid, "this is not the current copy of the mytoken")
    );
    assert_eq!(health(&world, &old), Health::Ok);
    let specimen = recognise(new.expose());
    let found = world.wallet.look_up_pasted(&specimen, &Ask::IfListed).await;
    assert_eq!(found.verdict.standing, Standing::Valid);
}

/// Pitfalls 4 and 5: one that has ended, or has not started, cannot revoke itself; its id with another one's right can.
#[tokio::test]
async fn pitfalls_4_and_5_what_cannot_end_itself_is_ended_by_its_id() {
    let world = world().await;
    let now = world.now().as_second();
    let later = vec![Clause { nbf: Some(now + 3600), ..Clause::default() }];
    let soon = vec![Clause { exp: Some(now + 5), ..Clause::default() }];
    let not_yet = issue(&world, Order { restrictions: later, ..named("later", Order::default()) });
    let over = issue(&world, Order { restrictions: soon, ..named("over", Order::default()) });
    let orphan = issue(&world, child("orphan", &over));
    let boss = keep(&world, "boss", &issue(&world, named("boss", may(&["manage_mytokens"])))).await;
    let held = [keep(&world, "later", &not_yet).await, keep(&world, "over", &over).await];
    world.pass(60);
    let failure = world.wallet.revoke(&held[0]).await.expect_err("not yet");
    assert!(failure.why.contains("has not started yet"), "{failure}");
    assert!(failure.hint.is_some_and(|hint| hint.contains("--via")));
    let said = world.wallet.revoke(&held[1]).await.expect("over");
    assert!(said.contains("what was made from it lives on"), "{said}");
    let via = Via::Held(boss);
    assert_eq!(rows(&all(&world, &via).await).len(), 4);
    for (target, recursive) in [(&not_yet, false), (&over, true)] {
        let said = world.wallet.revoke_listed(&mt(), &via, &id(target), recursive).await.expect("revoked");
        assert!(said.contains("lists it no more"), "{said}");
    }
    assert_eq!(rows(&all(&world, &via).await), ["boss as boss asks"]);
    assert_eq!(health(&world, &held[0]), dead());
    let found = world.wallet.look_up_pasted(&recognise(orphan.mytoken.expose()), &Ask::IfListed).await;
    assert_eq!((found.verdict.standing, found.verdict.by), (Standing::RevokedOrUnknown, By::Journal));
}

/// Pitfall 4: a 204 does not mean that anything was revoked.
#[tokio::test]
async fn pitfall_4_a_revocation_is_proven_by_the_next_list_or_not_claimed() {
    let world = world().await;
    let made = tree(&world, Order::default());
    let capabilities = ["manage_mytokens:revoke"];
    let blind = keep(&world, "blind", &issue(&world, may(&capabilities))).await;
    let said = world.wallet.revoke_listed(&mt(), &Via::Held(blind.clone()), &id(&made.night), false).await;
    let said = said.expect("taken");
    assert!(said.starts_with("Its server took the revocation of it; the next list will show"), "{said}");
    // What is held here is asked about, which costs nothing.
    let ci = keep(&world, "ci", &made.ci).await;
    let said =
        world.wallet.revoke_listed(&mt(), &Via::Held(blind), &id(&made.ci), false).await.expect("taken");
    assert!(said.contains("its server does not know it any more. Held here, and dead now: ci."), "{said}");
    assert_eq!(health(&world, &ci), dead());
}

#[tokio::test]
async fn with_its_subtokens_all_that_is_held_of_them_is_marked_under_whatever_name() {
    let world = world().await;
    let made = tree(&world, Order::default());
    let toar = keep(&world, "toar", &made.toar).await;
    let night = keep(&world, "nightly", &made.night).await;
    let bystander = keep(&world, "bystander", &issue(&world, Order::default())).await;
    let family = world.wallet.family(&mt(), &Via::Held(toar.clone()), Which::Below).await.expect("a tree");
    assert_eq!(rows(&family), ["toar as toar asks", ".ci", "..night as nightly", ".laptop"]);
    let said = world.wallet.revoke_with(&toar, true).await.expect("revoked");
    assert_eq!(
        said,
        "Revoked toar and all made from it. Access tokens already drawn live on until they end. \
         Held here, and dead now: nightly."
    );
    assert_eq!([&toar, &night, &bystander].map(|id| health(&world, id)), [dead(), dead(), Health::Ok]);
    // One that is not held is known by the journal, which names no token.
    let found = world.wallet.look_up_pasted(&recognise(made.laptop.mytoken.expose()), &Ask::IfListed).await;
    assert_eq!((found.verdict.fact.as_str(), found.verdict.by), ("it was revoked from here", By::Journal));
}

#[tokio::test]
async fn where_nobody_has_told_what_was_made_from_what_all_that_is_held_is_asked_about() {
    let world = world().await;
    // It may not list what was made from it.
    let made = tree(&world, may(&["AT", "create_mytoken"]));
    let toar = keep(&world, "toar", &made.toar).await;
    let night = keep(&world, "nightly", &made.night).await;
    let bystander = keep(&world, "bystander", &issue(&world, Order::default())).await;
    let said = world.wallet.revoke_with(&toar, true).await.expect("revoked");
    assert!(said.ends_with("Held here, and dead now: nightly."), "{said}");
    assert_eq!(health(&world, &night), Health::NeedsLogin("revoked or unknown".to_owned()));
    assert_eq!(health(&world, &bystander), Health::Ok);
}

#[tokio::test]
async fn without_its_subtokens_they_live_on() {
    let world = world().await;
    let made = tree(&world, Order::default());
    let toar = keep(&world, "toar", &made.toar).await;
    let ci = keep(&world, "ci", &made.ci).await;
    world.wallet.revoke(&toar).await.expect("revoked");
    assert_eq!(health(&world, &ci), Health::Ok);
    let found = world.wallet.look_up(&ci).await.expect("held");
    assert_eq!(found.verdict.standing, Standing::Valid);
}

/// Every refusal on these paths (mytoken-api.md §2.5, §2.6, §8c) has its sentence and its exit code.
#[tokio::test]
async fn each_refusal_of_the_servers_has_its_sentence_and_its_code() {
    let world = world().await;
    let made = tree(&world, Order::default());
    let stranger = issue(&world, Order { subject: "somebody-else".to_owned(), ..Order::default() });
    let weak = Via::Held(keep(&world, "weak", &issue(&world, may(&["AT"]))).await);
    let boss = Via::Held(keep(&world, "boss", &issue(&world, may(&["manage_mytokens"]))).await);
    let used_up = Order { restrictions: counted(9, 0), ..may(&["manage_mytokens", "tokeninfo"]) };
    let used_up = Via::Held(keep(&world, "used-up", &issue(&world, used_up)).await);
    let gone = issue(&world, may(&["manage_mytokens"]));
    let gone_id = keep(&world, "gone", &gone).await;
    let elsewhere = world.other_wallet();
    let theirs = elsewhere.keep(&recognise(gone.mytoken.expose()), "gone").await.expect("kept").0;
    elsewhere.revoke(&theirs).await.expect("revoked elsewhere");
    let gone = Via::Held(gone_id);
    let lacks = "the mytoken lacks the capability for this";
    let not_yours = "that mytoken does not exist, or belongs to somebody else";
    let restricted = "the mytoken's restrictions do not allow this use";
    let refused = "the mytoken is not accepted: ";
    let wallet = &world.wallet;
    let list = |via: &Via, which| {
        let via = via.clone();
        async move { wallet.family(&mt(), &via, which).await.map(|_| ()) }
    };
    let history = |via: &Via, id: Untrusted| {
        let via = via.clone();
        async move { wallet.history_of_listed(&mt(), &via, &[id]).await.map(|_| ()) }
    };
    let revoke = |via: &Via, id: Untrusted| {
        let via = via.clone();
        async move { wallet.revoke_listed(&mt(), &via, &id, false).await.map(|_| ()) }
    };
    let unknown = Untrusted::from("AAAA/BBBB+CCCC==");
    let table: Vec<(Result<(), Failure>, &str, u8)> = vec![
        (list(&weak, Which::All).await, lacks, 3),
        (list(&weak, Which::Below).await, lacks, 3),
        (list(&used_up, Which::All).await, restricted, 3),
        (list(&used_up, Which::Below).await, restricted, 3),
        (history(&weak, id(&made.toar)).await, lacks, 3),
        (history(&boss, id(&stranger)).await, not_yours, 3),
        (history(&boss, unknown.clone()).await, not_yours, 3),
        (history(&used_up, id(&made.toar)).await, restricted, 3),
        (revoke(&weak, id(&made.toar)).await, lacks, 3),
        (revoke(&boss, id(&stranger)).await, not_yours, 3),
        (revoke(&boss, unknown).await, not_yours, 3),
        (list(&gone, Which::All).await, refused, 3),
        (list(&Via::Manager, Which::All).await, "there is no manager mytoken any more", 3),
        (list(&Via::Manager, Which::Below).await, "nothing is ever made from the manager", 2),
    ];
    for (result, sentence, code) in table {
        let failure = result.expect_err(sentence);
        assert!(failure.why.starts_with(sentence), "{failure}");
        assert_eq!(failure.kind.exit_code(), code, "{failure}");
    }
    // Restrictions of the one that asks do not matter for ending another one.
    revoke(&used_up, id(&made.night)).await.expect("revoked");
}

/// Pitfall 3: revoked and rotated away look the same from outside; the journal tells them apart.
#[tokio::test]
async fn pitfall_3_the_journal_tells_rotated_away_from_revoked() {
    let world = world().await;
    let rotation = Some(Rotation { on_at: true, ..Rotation::default() });
    let order = || Order { rotation: rotation.clone(), ..Order::default() };
    let (first, second) = (issue(&world, order()), issue(&world, order()));
    let force = || Wish { force: true, ..Wish::default() };
    let mut newest = None;
    for (name, issued) in [("a", &first), ("b", &second)] {
        let id = keep(&world, name, issued).await;
        world.wallet.draw(&id, force()).await.expect("an access token");
        if name == "b" {
            newest = Some(world.wallet.form(&id, Form::Mytoken).await.expect("its newest copy"));
            world.wallet.revoke(&id).await.expect("revoked");
        }
        world.wallet.forget(&id).await.expect("forgotten");
    }
    // Nothing of either is held any more: the journal is all there is.
    let sent = world.server_requests();
    let rotated =
        world.wallet.look_up_pasted(&recognise(first.mytoken.expose()), &Ask::IfListed).await.verdict;
    assert_eq!((rotated.standing, rotated.by), (Standing::RotatedAway, By::Journal));
    assert!(rotated.fact.contains("this is copy 1; it was rotated from here to copy 2"), "{}", rotated.fact);
    assert_eq!(world.server_requests(), sent, "an older copy is not sent");
    let newest = newest.expect("copy 2 of the other one, which rotated before it was revoked");
    assert_ne!(newest.expose(), second.mytoken.expose());
    let revoked = world.wallet.look_up_pasted(&recognise(newest.expose()), &Ask::IfListed).await.verdict;
    assert_eq!((revoked.standing, revoked.by), (Standing::RevokedOrUnknown, By::Journal));
    assert_eq!(revoked.fact, "it was revoked from here");
    let theirs = issue(&world, Order::default());
    world.wallet.look_up_pasted(&recognise(theirs.mytoken.expose()), &Ask::IfListed).await;
    let plain = issue(&world, Order::default());
    let id = keep(&world, "plain", &plain).await;
    world.wallet.revoke(&id).await.expect("revoked");
    world.wallet.forget(&id).await.expect("forgotten");
    let revoked =
        world.wallet.look_up_pasted(&recognise(plain.mytoken.expose()), &Ask::IfListed).await.verdict;
    assert_eq!((revoked.standing, revoked.by), (Standing::RevokedOrUnknown, By::Journal));
    assert_eq!(revoked.fact, "it was revoked from here");
}

#[tokio::test]
async fn a_held_copy_whose_newer_one_was_forgotten_is_still_not_sent() {
    let world = world().await;
    let rotation = Some(Rotation { on_at: true, auto_revoke: true, ..Rotation::default() });
    let issued = issue(&world, Order { rotation, ..Order::default() });
    let old = keep(&world, "old", &issued).await;
    let newer = world.mytokens.rotate(&issued.mom_id).expect("rotated");
    let new = world.keep("new", &newer).await;
    assert_eq!(health(&world, &old), Health::Dead("rotated away".to_owned()));
    world.wallet.forget(&new).await.expect("forgotten");
    let sent = world.server_requests();
    let found = world.wallet.look_up(&old).await.expect("held");
    assert_eq!((found.verdict.standing, found.verdict.by), (Standing::RotatedAway, By::Journal));
    for failure in [
        world.wallet.history(&old).await.map(|_| ()),
        world.wallet.revoke(&old).await.map(|_| ()),
        world.wallet.draw(&old, Wish { force: true, ..Wish::default() }).await.map(|_| ()),
    ] {
        assert!(failure.expect_err("not sent").why.contains("rotated away"));
    }
    assert_eq!((world.server_requests(), world.mytokens.stale_presentations()), (sent, 0));
}

#[tokio::test]
async fn a_copy_that_was_used_although_it_might_be_an_older_one_explains_the_end_of_its_family() {
    let world = world().await;
    let rotation = Some(Rotation { on_at: true, on_other: true, auto_revoke: true, ..Rotation::default() });
    let id = keep(&world, "toar", &issue(&world, Order { rotation, ..Order::default() })).await;
    let insist = || Wish { force: true, insist: true, ..Wish::default() };
    world.wallet.look_up(&id).await.expect("held");
    world.mytokens.traps().answers_get_lost = true;
    world.wallet.draw(&id, insist()).await.expect_err("lost");
    world.mytokens.traps().answers_get_lost = false;
    world.wallet.draw(&id, insist()).await.expect_err("it had been rotated");
    let found = world.wallet.look_up(&id).await.expect("held");
    assert_eq!((found.verdict.standing, found.verdict.by), (Standing::RevokedOrUnknown, By::Journal));
    assert!(
        found.verdict.fact.contains("had been rotated away was used from here"),
        "{}",
        found.verdict.fact
    );
}

#[tokio::test]
async fn a_manager_is_made_for_an_hour_kept_nowhere_and_revoked_at_the_end() {
    let world = World::open().await;
    let laptop = issue(&world, named("laptop", of_alice(&world, Order::default())));
    let until = with_manager(&world).await;
    let left = until.duration_since(world.now()).as_secs();
    assert!((3590..=3600).contains(&left), "{left}");
    assert_eq!(world.wallet.manager(&mt()), Some(until));
    assert!(world.wallet.held().is_empty(), "it is never in the store");
    assert_eq!(world.wallet.who_may(&mt(), "manage_mytokens:list"), [Via::Manager]);
    assert_eq!(world.wallet.who_may(&mt(), "manage_mytokens:notify"), []);
    let mut family = all(&world, &Via::Manager).await;
    assert_eq!(rows(&family), ["laptop", &format!("{} asks", manager::NAME)]);
    world.wallet.last_used(&mut family).await.expect("histories");
    let said = world.wallet.revoke_listed(&mt(), &Via::Manager, &id(&laptop), true).await.expect("revoked");
    assert!(said.starts_with("Revoked it and all made from it: its server lists it no more."), "{said}");
    let copy = world.wallet.clone();
    assert_eq!(world.wallet.close_managers().await, Vec::<String>::new());
    assert_eq!(copy.manager(&mt()), None);
    let failure = world.wallet.family(&mt(), &Via::Manager, Which::All).await.expect_err("closed");
    assert_eq!(failure.kind, Kind::NotValid);
    assert_eq!(world.wallet.close_managers().await, Vec::<String>::new(), "twice is once");
    let journal: Vec<_> = world.wallet.journal().iter().map(|event| event.what.clone()).collect();
    assert_eq!(journal.first(), Some(&What::Revoked));
}

#[tokio::test]
async fn a_manager_that_cannot_be_revoked_says_when_it_ends_by_itself() {
    let world = World::open().await;
    let until = with_manager(&world).await;
    let family = all(&world, &Via::Manager).await;
    let itself =
        family.members.iter().find(|member| member.asks).expect("it lists itself").listed.mom_id.clone();
    world.mytokens.traps().answers_get_lost = true;
    let said = world.wallet.close_managers().await;
    let end = format!("it ends by itself at {} UTC", until.strftime("%H:%M:%S"));
    assert!(
        said.len() == 1 && said[0].contains("could not be revoked") && said[0].contains(&end),
        "{said:?}"
    );
    let left = world.wallet.managers_left();
    assert!(left.len() == 1 && left[0].contains("was not revoked") && left[0].contains(&end), "{left:?}");
    let closing = world.wallet.revoke_listed(&mt(), &Via::Manager, &itself, false).await;
    assert!(closing.expect_err("nobody answers").why.contains("could not be revoked"));
    world.mytokens.traps().answers_get_lost = false;
    assert_eq!(world.wallet.close_managers().await, Vec::<String>::new(), "it was not let go of");
    assert_eq!(world.wallet.managers_left(), Vec::<String>::new());
}

#[tokio::test]
async fn a_manager_is_not_used_after_its_hour() {
    let world = World::open().await;
    with_manager(&world).await;
    world.pass(3601);
    assert_eq!(world.wallet.manager(&mt()), None);
    assert_eq!(world.wallet.who_may(&mt(), "manage_mytokens:list"), []);
    let sent = world.server_requests();
    world.wallet.family(&mt(), &Via::Manager, Which::All).await.expect_err("over");
    assert_eq!(world.wallet.close_managers().await, Vec::<String>::new());
    assert_eq!(world.server_requests(), sent);
}

/// Pitfall 2: 429 is text, and its `Retry-After` holds for the server as a whole.
#[tokio::test]
async fn pitfall_2_a_server_that_asks_to_wait_is_left_alone_by_every_verb_and_nothing_is_tried_again() {
    let world = limited_to(6).await;
    let boss = keep(&world, "boss", &issue(&world, may(&["manage_mytokens", "tokeninfo"]))).await;
    let other = keep(&world, "other", &issue(&world, Order::default())).await;
    let via = Via::Held(boss.clone());
    let mut answered = 0;
    let failure = loop {
        match world.wallet.family(&mt(), &via, Which::All).await {
            Ok(_) => answered += 1,
            Err(failure) => break failure,
        }
    };
    assert!((1..6).contains(&answered), "{answered}");
    let (allowance, _) = world.wallet.allowance(&mt()).expect("it tells");
    assert_eq!((allowance.limit, allowance.remaining), (6, 0));
    assert_eq!(failure.kind, Kind::Unreached);
    assert!(failure.hint.as_ref().is_some_and(|hint| hint.contains(" s.")), "{failure}");
    let sent = world.server_requests();
    for result in [
        world.wallet.family(&mt(), &via, Which::All).await.map(|_| ()),
        world.wallet.family(&mt(), &via, Which::Below).await.map(|_| ()),
        world.wallet.history(&boss).await.map(|_| ()),
        world.wallet.history_of_listed(&mt(), &via, &["AAAA==".into()]).await.map(|_| ()),
        world.wallet.revoke_listed(&mt(), &via, &"AAAA==".into(), false).await.map(|_| ()),
        world.wallet.revoke(&other).await.map(|_| ()),
        world.wallet.draw(&other, Wish::default()).await.map(|_| ()),
    ] {
        assert_eq!(result.expect_err("asked to wait").kind, Kind::Unreached);
    }
    let found = world.wallet.look_up(&other).await.expect("held");
    assert_eq!(found.verdict.standing, Standing::CannotTell);
    assert_eq!(world.server_requests(), sent);
    assert!(world.wallet.told_to_wait(&mt()).is_some());
    world.pass(301);
    assert_eq!(world.wallet.told_to_wait(&mt()), None);
    world.wallet.family(&mt(), &via, Which::All).await.expect("the window is over");
}

/// Pitfall 7: the new copy of a revocation by id comes in a 200 where a 204 is usual.
#[tokio::test]
async fn pitfall_7_the_new_copy_that_comes_with_a_revocation_is_kept() {
    let world = world().await;
    let made = tree(&world, Order::default());
    let rotation = Some(Rotation { on_other: true, auto_revoke: true, ..Rotation::default() });
    let boss = issue(&world, Order { rotation, ..may(&["manage_mytokens:revoke", "tokeninfo"]) });
    let boss = keep(&world, "boss", &boss).await;
    for target in [&made.night, &made.ci] {
        world
            .wallet
            .revoke_listed(&mt(), &Via::Held(boss.clone()), &id(target), false)
            .await
            .expect("revoked");
    }
    assert_eq!((copy(&world.wallet, &boss), world.mytokens.stale_presentations()), (3, 0));
    assert_eq!(world.wallet.look_up(&boss).await.expect("held").verdict.standing, Standing::Valid);
}

/// Pitfalls 21 and 22: `Authorization` is never used and no cookie is kept: a mytoken travels in a body only.
#[tokio::test]
async fn pitfalls_21_and_22_no_mytoken_is_in_a_header_and_no_cookie_comes_back() {
    let world = world().await;
    let made = tree(&world, Order::default());
    let rotation = Some(Rotation { on_other: true, ..Rotation::default() });
    let boss = Order { restrictions: counted(9, 9), rotation, ..may(&["manage_mytokens", "tokeninfo"]) };
    let boss = keep(&world, "boss", &issue(&world, boss)).await;
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let to = Arc::clone(&seen);
    world.server_tap.before_each(move |request| {
        let told = ["authorization", "cookie"].map(|name| request.header(name).is_some());
        to.lock().expect("a list").push(format!("{} {told:?}", request.path));
    });
    all(&world, &Via::Held(boss.clone())).await;
    world.wallet.revoke_listed(&mt(), &Via::Held(boss.clone()), &id(&made.ci), true).await.expect("revoked");
    world.wallet.history(&boss).await.expect("events");
    let seen = seen.lock().expect("a list");
    assert!(seen.len() > 3, "{seen:?}");
    assert!(seen.iter().all(|told| told.ends_with("[false, false]")), "{seen:?}");
}

/// One row a verb: none of them reaches a server or the store when nothing may be changed.
#[tokio::test]
async fn read_only_every_verb_that_changes_something_says_so_and_sends_nothing() {
    let world = world().await;
    let made = tree(&world, Order::default());
    let plain = keep(&world, "plain", &made.toar).await;
    let boss = Order { restrictions: counted(9, 9), ..may(&["manage_mytokens", "tokeninfo"]) };
    let boss = keep(&world, "boss", &issue(&world, boss)).await;
    let free = keep(&world, "free", &issue(&world, may(&["manage_mytokens", "tokeninfo"]))).await;
    let backup = world.wallet.back_up(std::slice::from_ref(&plain), None).expect("a backup");
    let wallet = &world.wallet;
    wallet.set_read_only(true);
    assert!(wallet.is_read_only());
    let before = (world.server_requests(), wallet.held(), wallet.journal().len());
    let (counted, token) = (Via::Held(boss.clone()), recognise(made.ci.mytoken.expose()));
    let (there, _watch) = line();
    let (manager_line, _manager_watch) = line();
    let table: Vec<(&str, Result<(), Failure>)> = vec![
        ("log in", wallet.log_in(crate::world::at("op"), there).await.map(|_| ())),
        ("draw", wallet.draw(&plain, Wish::default()).await.map(|_| ())),
        ("keep", wallet.keep(&token, "ci").await.map(|_| ())),
        ("forget", wallet.forget(&plain).await.map(|_| ())),
        ("rename", wallet.rename(&plain, "other").await.map(|_| ())),
        ("revoke", wallet.revoke(&plain).await.map(|_| ())),
        ("revoke all", wallet.revoke_with(&plain, true).await.map(|_| ())),
        ("revoke listed", wallet.revoke_listed(&mt(), &counted, &id(&made.ci), false).await.map(|_| ())),
        ("manager", wallet.open_manager(&mt(), None, manager_line).await.map(|_| ())),
        ("restore", wallet.restore(&backup, None).await.map(|_| ())),
        ("store", wallet.create_store(toktui::domain::vault::Opening::KeyFile(None)).await),
        ("guard", wallet.guard(toktui::domain::vault::Opening::KeyFile(None)).await),
        ("create", wallet.create_from(&plain, &Draft::default()).await.map(|_| ())),
        ("redeem", wallet.redeem(&mt(), &Secret::new("ABCDEFGH"), None).await.map(|_| ())),
        ("hand over", wallet.hand_over(&plain, &HandOver::Itself).await.map(|_| ())),
        ("succeed", wallet.succeed(&plain, &boss).await.map(|_| ())),
        // What would cost a use, or make a new copy.
        ("list", wallet.family(&mt(), &counted, Which::All).await.map(|_| ())),
        ("tree", wallet.family(&mt(), &counted, Which::Below).await.map(|_| ())),
        ("history", wallet.history(&boss).await.map(|_| ())),
    ];
    for (verb, result) in table {
        let failure = result.expect_err(verb);
        assert_eq!(
            (failure.kind, failure.why.as_str()),
            (Kind::Unusable, "this toktui was started read-only"),
            "{verb}"
        );
    }
    assert_eq!((world.server_requests(), wallet.held(), wallet.journal().len()), before);
    // What costs nothing can still be asked, and what is held be read; nothing of it is written.
    let found = wallet.look_up(&plain).await.expect("held");
    assert_eq!(found.verdict.standing, Standing::Valid);
    wallet.family(&mt(), &Via::Held(free.clone()), Which::All).await.expect("a list");
    wallet.history(&free).await.expect("a history");
    wallet.form(&plain, Form::Mytoken).await.expect("the mytoken");
    assert_eq!((wallet.held(), wallet.journal().len()), (before.1, before.2));
    wallet.set_read_only(false);
    wallet.draw(&plain, Wish::default()).await.expect("an access token");
}
