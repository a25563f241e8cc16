//! Token exchange: what is asked, what is kept, and each refusal in words.

use toktui::domain::credential::{Ask, Chain, CredentialId};
use toktui::domain::failure::Kind;
use toktui::domain::jwt::Jwt;
use toktui::sandbox::op::{Client, ExchangeQuirk};
use toktui::wallet::exchange::Order;

use crate::world::{World, named};

async fn world() -> World {
    World::with(|op, _| {
        op.exchange = true;
        op.clients.push(Client { exchanges: false, ..Client::public("may-not") });
        op.clients.push(Client::public("storage"));
    })
    .await
}

fn to(audience: &str) -> Order {
    Order { ask: Ask { audiences: [audience.to_owned()].into(), ..Ask::default() }, ..Order::default() }
}

async fn logged_in(world: &World) -> CredentialId {
    world.logged_in(named("op", "egi")).await.id
}

#[tokio::test]
async fn an_exchanged_token_is_for_the_audience_and_held_beside_the_first() {
    let world = world().await;
    let id = logged_in(&world).await;
    let before = world.held(&id);
    let swapped = world.wallet.exchange(&id, to("storage")).await.expect("exchanged");
    assert_eq!((swapped.other, swapped.drawn.renewed, swapped.drawn.remarks.len()), (None, true, 0));
    let claims = Jwt::parse(swapped.drawn.token.value.expose()).expect("a JWT").claims;
    assert!(claims["aud"].to_string().contains("storage"), "{claims:?}");
    let after = world.held(&id);
    assert_eq!((after.access.len(), &after.access[0], &after.chain), (2, &before.access[0], &before.chain));
    // It is given again while it lives, and asked for again when it has ended.
    let again = world.wallet.exchange(&id, to("storage")).await.expect("held");
    assert_eq!((again.drawn.renewed, again.drawn.token.value), (false, swapped.drawn.token.value));
    assert_eq!(world.op.counts().exchanges, 1);
    world.pass(400);
    world.wallet.exchange(&id, to("storage")).await.expect("renewed, then exchanged");
    assert_eq!((world.op.counts().exchanges, world.op.counts().refreshes), (2, 1));
}

#[tokio::test]
async fn where_it_is_not_announced_nothing_is_sent() {
    let world = World::open().await;
    let id = logged_in(&world).await;
    let before = world.op.counts().token;
    let failure = world.wallet.exchange(&id, to("storage")).await.expect_err("not announced");
    assert_eq!(failure.kind, Kind::Unusable);
    assert!(failure.why.contains("does not announce token exchange"), "{failure}");
    assert_eq!(world.op.counts().token, before);
    let failure = world.wallet.exchange(&id, Order::default()).await.expect_err("for what?");
    assert!(failure.why.contains("an audience or a scope"), "{failure}");
}

#[tokio::test]
async fn each_refusal_says_what_it_means_for_an_exchange() {
    let world = world().await;
    let id = logged_in(&world).await;
    let hint = |failure: toktui::domain::failure::Failure| (failure.why, failure.hint.expect("a hint"));
    let (why, cure) = hint(world.wallet.exchange(&id, to("nobody")).await.expect_err("no such audience"));
    assert!(why.contains("Audience not found") && cure.contains("as nobody"), "{why} {cure}");
    let mut order = named("op", "poor");
    order.client = Some(toktui::domain::source::Client::public("may-not"));
    let poor = world.logged_in(order).await.id;
    let (why, cure) = hint(world.wallet.exchange(&poor, to("storage")).await.expect_err("not allowed"));
    assert!(why.contains("access_denied") && cure.contains("may not exchange"), "{why} {cure}");
    // Ended at the provider, while it lives here.
    world.op.quirks().lose_answers = true;
    let failure = world.wallet.exchange(&id, to("storage")).await.expect_err("no answer");
    assert_eq!(failure.kind, Kind::Unreached);
    assert!(
        matches!(world.held(&id).health, toktui::domain::credential::Health::Ok),
        "nothing of it is in doubt"
    );
}

#[tokio::test]
async fn a_mytoken_is_not_drawn_from_to_exchange_what_it_gives() {
    let world = world().await;
    let order = toktui::sandbox::mytoken::Order { issuer: world.issuer.clone(), ..Default::default() };
    let id = world.kept("toar", order).await;
    let failure = world.wallet.exchange(&id, to("storage")).await.expect_err("none lives");
    assert_eq!(failure.kind, Kind::NotValid);
    assert!(failure.hint.is_some_and(|hint| hint.contains("may cost")), "{}", failure.why);
    assert_eq!(world.op.counts().exchanges, 0);
}

#[tokio::test]
async fn a_read_only_wallet_exchanges_nothing() {
    let world = world().await;
    let id = logged_in(&world).await;
    world.wallet.set_read_only(true);
    world.wallet.exchange(&id, to("storage")).await.expect_err("read-only");
    assert_eq!(world.op.counts().exchanges, 0);
}

#[tokio::test]
async fn a_refresh_token_that_comes_along_is_kept_under_a_name_of_its_own() {
    let world = world().await;
    let id = logged_in(&world).await;
    world.op.quirks().exchange = Some(ExchangeQuirk::RefreshBeside);
    let swapped = world.wallet.exchange(&id, to("storage")).await.expect("exchanged");
    assert_eq!(swapped.drawn.remarks, ["a refresh token came with it: kept as egi-exchanged"]);
    let kept = world.wallet.find("egi-exchanged").expect("held");
    assert!(matches!(world.held(&kept).chain, Chain::Refresh { .. }));
    world.wallet.draw(&kept, toktui::wallet::draw::Wish::default()).await.expect("it gives access tokens");

    world.op.quirks().exchange = Some(ExchangeQuirk::RefreshInstead);
    let swapped =
        world.wallet.exchange(&id, Order { force: true, ..to("storage") }).await.expect("exchanged");
    assert_eq!(swapped.other.as_deref(), Some("a refresh token"));
    assert!(world.wallet.find("egi-exchanged-2").is_some());
    assert_eq!(world.held(&id).access.len(), 2, "it is not held as an access token");
}

#[tokio::test]
async fn what_is_no_access_token_is_not_held_as_one() {
    let world = world().await;
    let id = logged_in(&world).await;
    world.op.quirks().exchange = Some(ExchangeQuirk::NotApplicable);
    let swapped = world.wallet.exchange(&id, to("storage")).await.expect("something came");
    assert_eq!(swapped.other.as_deref(), Some("a saml2"));
    assert_eq!(world.held(&id).access.len(), 1);
}
