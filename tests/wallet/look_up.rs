//! Looking tokens up: every standing, and what must not be sent.

use toktui::domain::credential::{CredentialId, Health};
use toktui::domain::form::Form;
use toktui::domain::secret::Secret;
use toktui::domain::specimen::recognise;
use toktui::domain::verdict::{By, Standing};
use toktui::sandbox::mytoken::{Clause, Order, Rotation};
use toktui::sandbox::visitor::Choice;
use toktui::wallet::draw::Wish;
use toktui::wallet::look_up::{Ask, Found};

use crate::world::{World, at, visit};

const FORCE: Wish = Wish { force: true, insist: true, min_life: None, ask: None };

async fn world() -> World {
    World::with(|_, server| server.guest = true).await
}

async fn pasted(world: &World, text: &str, ask: &Ask) -> Found {
    world.wallet.look_up_pasted(&recognise(text), ask).await
}

fn only(clause: Clause) -> Order {
    Order { restrictions: vec![clause], ..Order::default() }
}

/// What a look-up says of a mytoken that is held, and of the same one pasted where nothing is held.
async fn both(world: &World, id: &CredentialId, value: &Secret) -> [Standing; 2] {
    let held = world.wallet.look_up(id).await.expect("held").verdict.standing;
    let elsewhere = world.other_wallet();
    let found = elsewhere.look_up_pasted(&recognise(value.expose()), &Ask::IfListed).await;
    [held, found.verdict.standing]
}

#[tokio::test]
async fn what_its_server_knows_is_told_of_a_held_and_of_a_pasted_mytoken() {
    let world = world().await;
    let now = world.now().as_second();
    let table = [
        ("valid", Order::default(), 0, Standing::Valid),
        (
            "elsewhere",
            only(Clause { hosts: vec!["192.0.2.0/24".to_owned()], ..Clause::default() }),
            0,
            Standing::NotFromHere,
        ),
        ("used-up", only(Clause { usages_at: Some(0), ..Clause::default() }), 0, Standing::UsedUp),
        ("not-yet", only(Clause { nbf: Some(now + 3600), ..Clause::default() }), 0, Standing::NotYet),
        ("expired", only(Clause { exp: Some(now + 30), ..Clause::default() }), 60, Standing::Expired),
        (
            "may-not-be-asked",
            Order { capabilities: vec!["AT".to_owned()], ..Order::default() },
            0,
            Standing::MayNotBeAsked,
        ),
    ];
    for (name, order, later, standing) in table {
        let value = world.issued(order);
        let id = world.keep(name, &value).await;
        world.pass(later);
        assert_eq!(both(&world, &id, &value).await, [standing; 2], "{name}");
        world.pass(-later);
    }
    assert_eq!(
        world.held(&world.wallet.find("expired").expect("held")).health,
        Health::NeedsLogin("expired".to_owned())
    );
}

#[tokio::test]
async fn a_revoked_mytoken_is_revoked_or_unknown_wherever_it_is_asked_about() {
    let world = world().await;
    let value = world.issued(Order::default());
    let id = world.keep("toar", &value).await;
    let elsewhere = world.other_wallet();
    let theirs = elsewhere.keep(&recognise(value.expose()), "x").await.expect("kept").0;
    elsewhere.revoke(&theirs).await.expect("revoked");
    assert_eq!(both(&world, &id, &value).await, [Standing::RevokedOrUnknown; 2]);
    assert_eq!(world.held(&id).health, Health::NeedsLogin("revoked or unknown".to_owned()));
}

#[tokio::test]
async fn a_rotated_away_copy_is_recognised_and_not_sent() {
    let world = world().await;
    let rotation = Rotation { on_at: true, auto_revoke: true, ..Rotation::default() };
    let old = world.issued(Order { rotation: Some(rotation), ..Order::default() });
    let id = world.keep("toar", &old).await;
    for _ in 0..4 {
        world.wallet.draw(&id, FORCE).await.expect("an access token");
    }
    let before = world.server_requests();
    for ask in [Ask::IfListed, Ask::This(world.server.clone()), Ask::Nobody] {
        let found = pasted(&world, old.expose(), &ask).await;
        assert_eq!((found.verdict.standing, found.verdict.by), (Standing::RotatedAway, By::Journal));
        assert!(found.verdict.fact.contains("copy 5 is yours, held as toar"), "{}", found.verdict.fact);
        assert_eq!(found.may_ask, None);
    }
    world.wallet.history_of_pasted(&old, &world.server, false).await.expect_err("not sent");
    assert_eq!((world.server_requests(), world.mytokens.stale_presentations()), (before, 0));
    world.wallet.draw(&id, FORCE).await.expect("the family lives");
}

#[tokio::test]
async fn a_copy_that_may_be_an_older_one_of_a_family_that_revokes_itself_is_sent_only_after_agreement() {
    let world = world().await;
    let rotation = Rotation { on_at: true, auto_revoke: true, ..Rotation::default() };
    let order = || Order { rotation: Some(rotation.clone()), ..Order::default() };
    let value = world.issued(order());
    let found = pasted(&world, value.expose(), &Ask::IfListed).await;
    assert_eq!((found.verdict.standing, world.server_requests()), (Standing::CannotTell, 0));
    assert_eq!(found.may_ask.as_deref(), Some(world.server.as_str()));
    assert!(found.verdict.remarks[0].contains("revokes it and all"), "{:?}", found.verdict.remarks);
    let found = pasted(&world, value.expose(), &Ask::This(world.server.clone())).await;
    assert_eq!(found.verdict.standing, Standing::Valid);
    // Of one that is held the newest copy is known.
    let held = world.issued(order());
    world.keep("toar", &held).await;
    assert_eq!(pasted(&world, held.expose(), &Ask::IfListed).await.verdict.standing, Standing::Valid);
}

#[tokio::test]
async fn a_mytoken_that_lives_and_gives_nothing_is_useless_until_it_gives_again() {
    let world = World::open().await;
    let mut login = world.start(at("mt"));
    visit(&login.may_open().await, Choice::Approve).await;
    let id = login.end().await.expect("a mytoken").id;
    world.op.quirks().refuse_refresh = Some("User disabled".to_owned());
    let failure = world.wallet.draw(&id, FORCE).await.expect_err("refused");
    assert!(failure.why.contains("User disabled"), "{failure}");
    assert_eq!(world.held(&id).health, Health::NeedsLogin("its provider refuses".to_owned()));
    let found = world.wallet.look_up(&id).await.expect("held");
    assert_eq!(found.verdict.standing, Standing::Useless);
    assert_eq!(world.held(&id).health, Health::NeedsLogin("its provider refuses".to_owned()));
    world.op.quirks().refuse_refresh = None;
    world.wallet.draw(&id, FORCE).await.expect("it gives again");
    assert_eq!(world.wallet.look_up(&id).await.expect("held").verdict.standing, Standing::Valid);
}

#[tokio::test]
async fn without_an_answer_the_last_word_stands_beside_it() {
    let world = world().await;
    let id = world.kept("toar", Order::default()).await;
    world.wallet.look_up(&id).await.expect("held");
    world.mytokens.traps().answers_get_lost = true;
    let found = world.wallet.look_up(&id).await.expect("held");
    assert_eq!((found.verdict.standing, found.verdict.exit_code()), (Standing::CannotTell, 4));
    assert_eq!(found.verdict.remarks, ["last known: valid"]);
    assert_eq!(world.held(&id).health, Health::Ok);
}

#[tokio::test]
async fn other_tokens_are_named_for_what_they_are_and_nobody_is_asked() {
    let world = World::open().await;
    let report = world.logged_in(at("op")).await;
    let (requests, asked) = (world.op_tap.all().len(), world.server_requests());
    let access = world.wallet.draw(&report.id, Wish::default()).await.expect("a token").token.value;
    let found = pasted(&world, &format!("Bearer {}", access.expose()), &Ask::IfListed).await;
    assert_eq!((found.verdict.standing, found.verdict.exit_code()), (Standing::NotMytoken, 0));
    assert_eq!(found.what, "an access token of Sandbox");
    assert!(found.content.is_some_and(|content| content.claims.contains_key("scope")));
    let held = world.wallet.look_up(&report.id).await.expect("held");
    assert_eq!(
        (held.verdict.standing, held.what.as_str()),
        (Standing::NotMytoken, "an access token of Sandbox")
    );
    for garbled in ["", "eyJhbGciOi", "a b c", &access.expose()[..access.len() - 9]] {
        let found = pasted(&world, garbled, &Ask::IfListed).await;
        assert_eq!(found.verdict.standing, Standing::Garbled, "{garbled}");
    }
    assert_eq!((world.op_tap.all().len(), world.server_requests()), (requests, asked));
}

#[tokio::test]
async fn a_changed_signature_is_found_out_by_its_server() {
    let world = world().await;
    let value = world.issued(Order::default());
    let (content, signature) = value.expose().rsplit_once('.').expect("a JWT");
    let first = if signature.starts_with('A') { "B" } else { "A" };
    let forged = format!("{content}.{first}{}", &signature[1..]);
    assert_eq!(pasted(&world, &forged, &Ask::IfListed).await.verdict.standing, Standing::Garbled);
}

#[tokio::test]
async fn a_server_that_only_the_token_names_is_not_asked_until_the_user_agrees() {
    let world = world().await;
    // A second server, which nobody has listed.
    let other = World::with(|_, server| server.guest = true).await;
    let value = other.issued(Order::default());
    let found = pasted(&world, value.expose(), &Ask::IfListed).await;
    assert_eq!(found.verdict.standing, Standing::CannotTell);
    assert_eq!(found.may_ask.as_deref(), Some(other.server.as_str()));
    assert!(pasted(&world, value.expose(), &Ask::Nobody).await.may_ask.is_none());
    assert!(world.wallet.keep(&recognise(value.expose()), "x").await.is_err());
    assert!(other.server_tap.all().is_empty(), "not a single request");

    let found = pasted(&world, value.expose(), &Ask::This(other.server.clone())).await;
    assert_eq!(found.verdict.standing, Standing::Valid);
    let (id, _) = world.wallet.keep(&recognise(value.expose()), "x").await.expect("agreed to");
    world.wallet.draw(&id, FORCE).await.expect("an access token");
}

#[tokio::test]
async fn a_copy_that_is_overtaken_after_it_was_kept_is_not_sent_either() {
    let world = world().await;
    let rotation = Rotation { on_at: true, auto_revoke: true, ..Rotation::default() };
    let old = world.issued(Order { rotation: Some(rotation), ..Order::default() });
    let elsewhere = world.other_wallet();
    let theirs = elsewhere.keep(&recognise(old.expose()), "ci").await.expect("kept").0;
    elsewhere.draw(&theirs, FORCE).await.expect("an access token");
    let newer = elsewhere.form(&theirs, Form::Mytoken).await.expect("the newer copy");
    let laptop = world.keep("laptop", &old).await;
    world.keep("ci", &newer).await;
    assert_eq!(world.held(&laptop).health, Health::Dead("rotated away".to_owned()));
    let found = world.wallet.look_up(&laptop).await.expect("held");
    assert_eq!((found.verdict.standing, found.verdict.by), (Standing::RotatedAway, By::Journal));
    for sent in [
        world.wallet.draw(&laptop, FORCE).await.map(|_| ()),
        world.wallet.history(&laptop).await.map(|_| ()),
        world.wallet.revoke(&laptop).await.map(|_| ()),
    ] {
        assert_eq!(sent.expect_err("not sent").hint.as_deref(), Some("Use ci."));
    }
    assert_eq!(world.mytokens.stale_presentations(), 0);
}

#[tokio::test]
async fn a_short_token_goes_nowhere_unasked_and_can_be_kept_once_a_server_knows_it() {
    let world = world().await;
    let value = world.issued(Order { short: true, ..Order::default() });
    let found = pasted(&world, value.expose(), &Ask::IfListed).await;
    assert_eq!((found.verdict.standing, world.server_requests()), (Standing::CannotTell, 0));
    assert_eq!(found.may_ask.as_deref(), Some(world.server.as_str()));
    let refused = world.wallet.keep(&recognise(value.expose()), "short").await.expect_err("not looked up");
    assert_eq!(refused.hint.as_deref(), Some("Look it up first."));

    let found = pasted(&world, value.expose(), &Ask::This(world.server.clone())).await;
    assert_eq!((found.verdict.standing, found.what.as_str()), (Standing::Valid, "a short mytoken"));
    let (id, _) = world.wallet.keep(&recognise(value.expose()), "short").await.expect("kept");
    assert_eq!(world.wallet.look_up(&id).await.expect("held").verdict.standing, Standing::Valid);
    world.wallet.draw(&id, FORCE).await.expect("an access token");

    let stranger = "q".repeat(64);
    let found = pasted(&world, &stranger, &Ask::This(world.server.clone())).await;
    assert_eq!(found.verdict.standing, Standing::RevokedOrUnknown);
}

#[tokio::test]
async fn the_address_a_server_sees_us_at_is_learnt_from_its_history() {
    let world = world().await;
    let from_there = Clause {
        hosts: vec!["198.51.100.0/24".to_owned()],
        usages_at: Some(9),
        usages_other: Some(9),
        ..Clause::default()
    };
    let id = world.kept("toar", only(from_there)).await;
    world.mytokens.set_caller(Some(("198.51.100.7".parse().expect("an address"), "DE")));
    let found = world.wallet.look_up(&id).await.expect("held");
    assert_eq!(found.verdict.standing, Standing::NotFromHere, "as far as anybody here knows");
    world.wallet.history(&id).await.expect("a history");
    assert_eq!(world.wallet.look_up(&id).await.expect("held").verdict.standing, Standing::Valid);
}

#[tokio::test]
async fn a_server_that_does_not_answer_leaves_the_verdict_open_and_its_token_can_be_kept_once_agreed() {
    let world = world().await;
    let other = World::with(|_, server| server.guest = true).await;
    let value = other.issued(Order::default());
    let specimen = recognise(value.expose());
    other.mytokens.traps().answers_get_lost = true;
    let found = pasted(&world, value.expose(), &Ask::This(format!("{}/", other.server))).await;
    assert_eq!(found.verdict.standing, Standing::CannotTell);
    let (id, _) = world.wallet.keep(&specimen, "far-away").await.expect("agreed to");
    assert!(world.wallet.source(&world.held(&id).source).is_some());
    assert_eq!(world.wallet.look_up(&id).await.expect("held").verdict.standing, Standing::CannotTell);
}
