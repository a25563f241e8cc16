//! Both routes of a login at once: one redeems.

use std::time::Duration;

use futures_util::future::join_all;
use toktui::domain::event::What;
use toktui::sandbox::visitor::Choice;

use crate::world::{Running, World, at, redirect_of, visit};

/// So many races run at once.
const HEAT: u32 = 100;

#[tokio::test]
async fn a_hundred_times_both_routes_at_once_redeem_exactly_once() {
    let (codes, polls) = heat(&World::open().await).await;
    assert!(codes > 0 && polls > 0, "{codes} by code, {polls} by poll: no race at all");
}

#[tokio::test]
#[ignore = "needs half a minute: 1,000 races"]
async fn a_thousand_times_both_routes_at_once_redeem_exactly_once() {
    for _ in 0..1000 / HEAT {
        let (codes, polls) = heat(&World::open().await).await;
        assert!(codes > 0 && polls > 0, "{codes} by code, {polls} by poll: no race at all");
    }
}

/// Races, of which each redeems once: how many by a code, and how many by a poll.
async fn heat(world: &World) -> (usize, usize) {
    let mut ready = Vec::new();
    for _ in 0..HEAT {
        ready.push(Running::of(&world.other_wallet(), at("op")));
    }
    // Each login is approved on both ways; then its redirect is pasted at another moment around its first poll.
    let races = ready.into_iter().zip(0..HEAT).map(|(mut login, number)| async move {
        let view = login.view(|view| view.device.is_some() && view.browser.is_some()).await;
        let (device, browser) = (view.device.expect("a code"), view.browser.expect("an address"));
        visit(device.complete.expect("an address").raw(), Choice::Approve).await;
        let redirect = redirect_of(&browser.address).await;
        let due = device.next.expect("a poll to come").duration_since(world.now());
        let aim = due + jiff::SignedDuration::from_millis(i64::from(number) - 20);
        // The first is pasted at once and the last never, so that both ways win however busy the machine is.
        if number > 0 {
            tokio::time::sleep(Duration::try_from(aim).unwrap_or_default()).await;
        }
        if number + 1 < HEAT {
            // The login may be over already.
            drop(login.watch.pasted.send(redirect));
        }
        login.end().await.expect("a login")
    });
    world.op.quirks().extra_delay = Duration::from_millis(20);
    let reports = join_all(races).await;
    let (codes, polls) = (world.op_tap.granted("authorization_code"), world.op_tap.granted("device_code"));
    assert_eq!(reports.len(), codes + polls, "{codes} by code, {polls} by poll");
    assert_eq!(world.op.counts().early_polls, 0);
    (codes, polls)
}

#[tokio::test]
async fn a_code_that_comes_while_a_poll_brings_tokens_is_left_unused() {
    let world = World::open().await;
    let mut login = world.start(at("op"));
    let view = login.view(|view| view.device.is_some() && view.browser.is_some()).await;
    let redirect = redirect_of(&view.browser.expect("an address").address).await;
    visit(view.device.and_then(|device| device.complete).expect("an address").raw(), Choice::Approve).await;
    world.op.quirks().extra_delay = Duration::from_millis(200);
    login.view(|view| view.device.as_ref().is_some_and(|device| device.asked == 1)).await;
    login.watch.pasted.send(redirect).expect("the login listens");
    login.end().await.expect("a login");
    assert_eq!((world.op_tap.granted("authorization_code"), world.op_tap.granted("device_code")), (0, 1));
}

#[tokio::test]
async fn denied_in_the_browser_while_a_poll_brings_tokens_drops_them_and_writes_it_down() {
    let world = World::open().await;
    let mut login = world.start(at("op"));
    let view = login.view(|view| view.device.is_some() && view.browser.is_some()).await;
    let browser = view.browser.expect("an address").address;
    visit(view.device.and_then(|device| device.complete).expect("an address").raw(), Choice::Approve).await;
    world.op.quirks().extra_delay = Duration::from_millis(200);
    login.view(|view| view.device.as_ref().is_some_and(|device| device.asked == 1)).await;
    let denied = url::Url::parse(&browser).expect("an address");
    let state = denied.query_pairs().find(|(name, _)| name == "state").expect("a state").1.into_owned();
    let (redirect, issuer) = (crate::world::redirect_uri(&browser), &world.issuer);
    let address = format!("{redirect}?error=access_denied&state={state}&iss={issuer}");
    login.watch.pasted.send(toktui::domain::secret::Secret::new(address)).expect("the login listens");
    login.end().await.expect_err("denied");
    assert_eq!(world.op_tap.granted("device_code"), 1);
    assert!(world.wallet.held().is_empty());
    assert_eq!(world.wallet.journal()[1].what, What::Dropped);
}
