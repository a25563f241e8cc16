//! No secret in anything that is shown or written down, and none in an address.

use std::fmt::Write as _;

use toktui::domain::form::Form;
use toktui::domain::login::Step;
use toktui::domain::specimen::recognise;
use toktui::sandbox::mytoken::{Order, Rotation};
use toktui::sandbox::op::IdTokenFault;
use toktui::wallet::draw::Wish;
use toktui::wallet::look_up::Ask;

use crate::world::{Running, World, at, named, redirect_of, visit};
use toktui::sandbox::visitor::Choice;

const FORCE: Wish = Wish { force: true, insist: true, min_life: None, ask: None };

/// Everything a login told, and how it ended.
async fn told(mut login: Running) -> String {
    let mut text = String::new();
    let end = (&mut login.task).await.expect("no panic");
    while let Ok(step) = login.watch.steps.try_recv() {
        // The address to open carries the state, and is for the user; it is never written down.
        if !matches!(step, Step::MayOpen(_)) {
            write!(text, "{step:?}").expect("a text");
        }
    }
    match end {
        Ok(report) => write!(text, "{report:?}"),
        Err(failure) => write!(text, "{failure:?} {failure}"),
    }
    .expect("a text");
    text
}

/// A morning with every verb and many faults; all that was told of it.
async fn morning(world: &World) -> String {
    let mut all = String::new();
    let mut say = |part: String| all.push_str(&part);

    let mut login = world.start(named("op", "egi"));
    visit(&login.may_open().await, Choice::Approve).await;
    say(told(login).await);
    let mut pasted = world.start(at("op"));
    let redirect = redirect_of(&pasted.may_open().await).await;
    pasted.watch.pasted.send(redirect).expect("the login listens");
    say(told(pasted).await);
    world.op.quirks().id_token = Some(IdTokenFault::Forged);
    let mut forged = world.start(at("op"));
    visit(&forged.may_open().await, Choice::Approve).await;
    say(told(forged).await);
    world.op.quirks().id_token = None;
    let mut order = at("mt");
    order.provider = Some(world.issuer.clone());
    let mut consent = world.start(order);
    visit(&consent.may_open().await, Choice::Approve).await;
    say(told(consent).await);

    let rotation = Rotation { on_at: true, ..Rotation::default() };
    let value = world.issued(Order { rotation: Some(rotation), ..Order::default() });
    let toar = world.keep("toar", &value).await;
    let egi = world.wallet.find("egi").expect("held");
    say(format!("{:?}", world.wallet.look_up_pasted(&recognise(value.expose()), &Ask::IfListed).await));
    for id in [&egi, &toar] {
        say(format!("{:?}", world.wallet.draw(id, FORCE).await));
        say(format!("{:?}", world.wallet.look_up(id).await));
        say(format!("{:?}", world.wallet.history(id).await));
        say(format!("{:?}", world.wallet.form(id, Form::AccessToken).await));
    }
    for down in [true, false] {
        world.op.quirks().down = down;
        // A careless provider repeats what it does not like.
        let sent = world.wallet.form(&egi, Form::RefreshToken).await.expect("a refresh token");
        world.op.quirks().refuse_refresh = (!down).then(|| format!("cannot use {}", sent.expose()));
        world.mytokens.traps().answers_get_lost = down;
        for id in [&egi, &toar] {
            say(format!("{:?}", world.wallet.draw(id, FORCE).await));
            say(format!("{:?}", world.wallet.look_up(id).await));
            say(format!("{:?}", world.wallet.history(id).await));
        }
    }
    say(format!("{:?}", world.wallet.keep(&recognise(value.expose()), "old").await));
    say(format!("{:?}", world.wallet.revoke(&toar).await));
    say(format!("{:?}", world.wallet.revoke(&egi).await));
    say(format!("{:?} {:?}", world.wallet.held(), world.wallet.journal()));
    all
}

#[tokio::test]
async fn a_morning_with_every_verb_and_many_faults_shows_no_secret() {
    let world = World::with(|_, server| server.guest = true).await;
    let all = morning(&world).await;
    let mut secrets = world.op_tap.secrets();
    secrets.extend(world.server_tap.secrets());
    assert!(secrets.len() > 20, "{}", secrets.len());
    for secret in secrets {
        for piece in secret.as_bytes().chunks_exact(8) {
            let piece = std::str::from_utf8(piece).expect("ASCII");
            assert!(!all.contains(piece), "{piece} in {all}");
        }
    }
}

#[tokio::test]
async fn no_token_is_ever_in_an_address() {
    let world = World::with(|_, server| server.guest = true).await;
    morning(&world).await;
    let lines = world.op.log().join("\n");
    for secret in world.op_tap.secrets() {
        assert!(!lines.contains(&secret), "{lines}");
    }
}
