//! The same verbs over a store on disk: what stands there when a request is sent, what happens when writing fails, and what
//! another program finds.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::future::join_all;
use toktui::domain::credential::{Chain, CredentialId, Custody, Health};
use toktui::domain::draft::Draft;
use toktui::domain::event::What;
use toktui::domain::failure::Kind;
use toktui::domain::form::Form;
use toktui::domain::handed::HandOver;
use toktui::domain::mytoken::Capability;
use toktui::domain::source::{Origin, Source};
use toktui::domain::vault::Opening;
use toktui::http::Http;
use toktui::sandbox::mytoken::{Order, Rotation};
use toktui::sandbox::visitor::Choice;
use toktui::store::keys::Nowhere;
use toktui::store::{Place, Store};
use toktui::wallet::Wallet;
use toktui::wallet::draw::Wish;

use crate::world::{Running, World, at, named, op_source, visit};

const FORCE: Wish = Wish { force: true, insist: true, min_life: None, ask: None };
const PLAIN: Wish = Wish { force: false, insist: false, min_life: None, ask: None };

/// A world with a folder for stores.
struct Disk {
    world: World,
    folder: tempfile::TempDir,
}

impl Disk {
    async fn with(world: World) -> (Self, Arc<Wallet>) {
        let disk = Self { world, folder: tempfile::tempdir().expect("a folder") };
        let store = disk.store(&disk.path());
        store.create(Opening::KeyFile(None)).await.expect("made");
        let wallet = disk.wallet_over(store);
        (disk, wallet)
    }

    async fn open() -> (Self, Arc<Wallet>) {
        Self::with(World::open().await).await
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    fn store(&self, folder: &Path) -> Store {
        Store::open(Place {
            folder: folder.to_owned(),
            clock: self.world.clock.clone(),
            session: Arc::new(Nowhere),
            keyring: Arc::new(Nowhere),
            key_file: self.folder.path().join("key"),
            session_allowed: false,
            who: "toktui test".to_owned(),
        })
        .expect("opens")
    }

    fn wallet_over(&self, store: Store) -> Arc<Wallet> {
        let sources = vec![op_source(&self.world.issuer)];
        self.wallet_with(store, sources)
    }

    fn wallet_with(&self, store: Store, sources: Vec<Source>) -> Arc<Wallet> {
        Wallet::over(store, self.world.clock.clone(), Arc::new(Http::default()), sources)
    }

    /// Another program on the same folder, or on a copy of it.
    async fn another(&self, folder: &Path) -> Arc<Wallet> {
        let wallet = self.wallet_over(self.store(folder));
        wallet.unlock(Opening::KeyFile(None)).await.expect("opens");
        wallet
    }

    /// What stands on the disk at the moment when the next token request comes: what a crash would leave.
    fn copy_at_request(&self) -> PathBuf {
        let (from, to) = (self.path(), self.folder.path().join("copy"));
        let copy = to.clone();
        let taken = std::sync::atomic::AtomicBool::new(false);
        let hook = move |request: &toktui::sandbox::serve::Request| {
            let asks = request.path.ends_with("/token") || request.path.ends_with("/access");
            if asks && !taken.swap(true, std::sync::atomic::Ordering::SeqCst) {
                copy_all(&from, &copy);
            }
        };
        let hook = Arc::new(hook);
        for tap in [&self.world.op_tap, &self.world.server_tap] {
            let hook = Arc::clone(&hook);
            tap.before_each(move |request| hook(request));
        }
        to
    }
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    std::fs::set_permissions(to, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("a mode");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy_all(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).expect("copied");
        }
    }
}

fn held(wallet: &Wallet, id: &CredentialId) -> toktui::domain::credential::Held {
    wallet.held().iter().find(|held| held.id == *id).expect("held").clone()
}

#[tokio::test]
async fn a_crash_while_a_login_is_renewed_leaves_it_in_doubt_and_the_old_one_is_tried_once() {
    let (disk, wallet) = Disk::open().await;
    let id = disk.world.logged_in_with(&wallet, named("op", "egi")).await.id;
    let copy = disk.copy_at_request();
    wallet.draw(&id, FORCE).await.expect("a token");
    let other = disk.another(&disk.path()).await;
    assert_eq!(held(&other, &id).health, Health::Ok, "the answer is on disk");
    let after = disk.another(&copy).await;
    assert!(matches!(held(&after, &id).health, Health::InDoubt(_)), "{:?}", held(&after, &id).health);
    // Here the answer had come, so the provider calls the old one used.
    let failure = after.draw(&id, FORCE).await.expect_err("used");
    assert_eq!(failure.kind, Kind::NotValid);
    assert!(matches!(held(&after, &id).health, Health::NeedsLogin(_)));
    let asked = disk.world.op.counts().token;
    disk.world.pass(301);
    after.draw(&id, PLAIN).await.expect_err("known");
    assert_eq!(disk.world.op.counts().token, asked, "once");
}

#[tokio::test]
async fn a_crash_before_the_request_arrived_costs_nothing() {
    let (disk, wallet) = Disk::open().await;
    let id = disk.world.logged_in_with(&wallet, named("op", "egi")).await.id;
    let copy = disk.copy_at_request();
    disk.world.op.quirks().down = true;
    wallet.draw(&id, FORCE).await.expect_err("down");
    disk.world.op.quirks().down = false;
    let after = disk.another(&copy).await;
    assert!(matches!(held(&after, &id).health, Health::InDoubt(_)));
    assert!(after.draw(&id, FORCE).await.expect("it was never used").renewed);
    assert_eq!(held(&after, &id).health, Health::Ok);
}

#[tokio::test]
async fn a_crash_while_a_mytoken_rotates_is_not_followed_by_a_request_unless_the_user_insists() {
    let world = World::with(|_, server| server.guest = true).await;
    let (disk, wallet) = Disk::with(world).await;
    wallet.add_provider(&disk.world.server).await.expect("a server");
    let rotation = Rotation { on_at: true, on_other: true, lifetime: 0, auto_revoke: true };
    let issued = disk.world.issued(Order { rotation: Some(rotation), ..Order::default() });
    let specimen = toktui::domain::specimen::recognise(issued.expose());
    let (id, _) = wallet.keep(&specimen, "toar").await.expect("kept");
    let copy = disk.copy_at_request();
    wallet.draw(&id, FORCE).await.expect("a token");
    let Chain::Mytoken { copy: number, .. } = held(&wallet, &id).chain else { panic!("a mytoken") };
    assert_eq!(number, 2);
    let after = disk.another(&copy).await;
    let asked = disk.world.server_requests();
    let failure = after.draw(&id, PLAIN).await.expect_err("in doubt");
    assert!(failure.why.contains("revokes the mytoken"), "{failure}");
    assert!(failure.hint.is_some_and(|hint| hint.contains("insist")));
    after.history(&id).await.expect_err("in doubt");
    assert_eq!((disk.world.server_requests(), disk.world.mytokens.stale_presentations()), (asked, 0));
    after.draw(&id, FORCE).await.expect_err("it was the older one, and the user knew");
    assert_eq!(disk.world.mytokens.stale_presentations(), 1);
}

#[tokio::test]
async fn without_room_for_an_answer_nothing_is_sent_and_what_lives_is_still_of_use() {
    let (disk, wallet) = Disk::open().await;
    let id = disk.world.logged_in_with(&wallet, named("op", "egi")).await.id;
    drop(std::fs::remove_file(disk.path().join("reserve")));
    std::fs::create_dir(disk.path().join("reserve")).expect("in the way");
    let failure = wallet.draw(&id, FORCE).await.expect_err("no room");
    assert!(failure.why.contains("no room") || failure.why.contains("nothing can be written"), "{failure}");
    assert!(failure.hint.is_some_and(|hint| hint.contains("Nothing was sent")));
    assert_eq!(disk.world.op.counts().refreshes, 0);
    assert!(!wallet.draw(&id, PLAIN).await.expect("it lives").renewed);
    std::fs::remove_dir(disk.path().join("reserve")).expect("out of the way");
    assert!(wallet.draw(&id, FORCE).await.expect("room").renewed);
}

#[tokio::test]
async fn an_answer_that_cannot_be_written_is_not_lost_not_handed_out_and_not_asked_for_again() {
    let (disk, wallet) = Disk::open().await;
    let id = disk.world.logged_in_with(&wallet, named("op", "egi")).await.id;
    let old = wallet.form(&id, Form::RefreshToken).await.expect("a refresh token");
    let file = disk.path().join("tokens/egi");
    let aside = disk.folder.path().join("aside");
    let (from, to) = (file.clone(), aside.clone());
    let done = std::sync::atomic::AtomicBool::new(false);
    disk.world.op_tap.before_each(move |request| {
        if request.path.ends_with("/token") && !done.swap(true, std::sync::atomic::Ordering::SeqCst) {
            std::fs::rename(&from, &to).expect("moved");
            std::fs::create_dir(&from).expect("in the way");
        }
    });
    let failure = wallet.draw(&id, FORCE).await.expect_err("not written");
    assert!(failure.why.contains("could not be written"), "{failure}");
    assert!(failure.hint.is_some_and(|hint| hint.contains("memory only") && hint.contains("copy")));
    assert!(matches!(held(&wallet, &id).custody, Custody::Unsaved(_)));
    assert_eq!(wallet.vault().unsaved, 1);
    assert_ne!(wallet.form(&id, Form::RefreshToken).await.expect("the new one"), old);
    let asked = disk.world.op.counts().token;
    for wish in [PLAIN, FORCE] {
        wallet.draw(&id, wish).await.expect_err("still not written");
    }
    assert_eq!(disk.world.op.counts().token, asked, "nothing more is sent");
    std::fs::remove_dir(&file).expect("out of the way");
    std::fs::rename(&aside, &file).expect("moved back");
    assert!(!wallet.draw(&id, PLAIN).await.expect("written now").renewed);
    assert_eq!(wallet.vault().unsaved, 0);
    let new = wallet.form(&id, Form::RefreshToken).await.expect("the new one");
    let other = disk.another(&disk.path()).await;
    assert_eq!(other.form(&id, Form::RefreshToken).await.expect("on disk"), new);
    assert!(other.draw(&id, FORCE).await.expect("it works").renewed);
    assert_eq!(disk.world.op.counts().reuses, 0);
}

#[tokio::test]
async fn a_code_that_came_is_handed_over_although_its_parent_could_not_be_written() {
    let world = World::with(|_, server| server.guest = true).await;
    let (disk, wallet) = Disk::with(world).await;
    wallet.add_provider(&disk.world.server).await.expect("a server");
    let rotation = Rotation { on_at: true, on_other: true, lifetime: 0, auto_revoke: true };
    let capabilities = ["AT", "create_mytoken", "tokeninfo"].map(str::to_owned).to_vec();
    let order = Order { capabilities, rotation: Some(rotation), ..Order::default() };
    let specimen = toktui::domain::specimen::recognise(disk.world.issued(order).expose());
    let (id, _) = wallet.keep(&specimen, "toar").await.expect("kept");
    let file = disk.path().join("tokens/toar");
    let aside = disk.folder.path().join("aside");
    let (from, to) = (file.clone(), aside.clone());
    let done = std::sync::atomic::AtomicBool::new(false);
    disk.world.server_tap.before_each(move |request| {
        if request.path.ends_with("/token/my") && !done.swap(true, std::sync::atomic::Ordering::SeqCst) {
            std::fs::rename(&from, &to).expect("moved");
            std::fs::create_dir(&from).expect("in the way");
        }
    });
    let draft = Draft { capabilities: vec![Capability::new("AT")], ..Draft::default() };
    let handed = wallet.hand_over(&id, &HandOver::Subtoken(Box::new(draft))).await.expect("a code");
    let said = handed.remarks.join("\n");
    assert!(said.contains("could not be written") && said.contains("copy 2"), "{said}");
    assert!(matches!(held(&wallet, &id).custody, Custody::Unsaved(_)));
    std::fs::remove_dir(&file).expect("out of the way");
    std::fs::rename(&aside, &file).expect("moved back");
    wallet.draw(&id, PLAIN).await.expect("the new copy, which is written now");
    assert_eq!(wallet.vault().unsaved, 0);
    let redeemed = wallet.redeem(&handed.server, &handed.code, None).await.expect("the subtoken");
    assert_ne!(redeemed.id, id);
    assert_eq!(disk.world.mytokens.stale_presentations(), 0);
}

#[tokio::test]
async fn a_newer_refresh_token_that_somebody_stored_all_the_same_is_tried_once_before_a_login_is_judged() {
    let (disk, wallet) = Disk::open().await;
    let id = disk.world.logged_in_with(&wallet, named("op", "egi")).await.id;
    let elsewhere = disk.folder.path().join("elsewhere");
    copy_all(&disk.path(), &elsewhere);
    disk.another(&elsewhere).await.draw(&id, FORCE).await.expect("a token");
    let (from, to) = (elsewhere.join("tokens/egi"), disk.path().join("tokens/egi"));
    let (op, asked) = (disk.world.op.clone(), std::sync::atomic::AtomicUsize::new(0));
    op.quirks().refuse_refresh = Some("Stale token".to_owned());
    disk.world.op_tap.before_each(move |request| {
        if request.path.ends_with("/token") {
            match asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                0 => drop(std::fs::copy(&from, &to).expect("written without the lock")),
                _ => op.quirks().refuse_refresh = None,
            }
        }
    });
    let before = disk.world.op.counts().refreshes;
    assert!(wallet.draw(&id, FORCE).await.expect("the newer one works").renewed);
    assert_eq!(disk.world.op.counts().refreshes - before, 2);
    assert_eq!((held(&wallet, &id).health, disk.world.op.counts().reuses), (Health::Ok, 0));
    let other = disk.another(&disk.path()).await;
    assert!(other.draw(&id, FORCE).await.expect("what came is on disk").renewed);
}

#[tokio::test]
async fn programs_that_ask_at_once_share_one_renewal_and_one_pause() {
    let (disk, one) = Disk::open().await;
    let id = disk.world.logged_in_with(&one, named("op", "egi")).await.id;
    let two = disk.another(&disk.path()).await;
    disk.world.pass(290);
    let draws = (0..20).flat_map(|_| [one.draw(&id, PLAIN), two.draw(&id, PLAIN)]);
    let drawn = join_all(draws).await;
    let first = drawn[0].as_ref().expect("a token").token.value.clone();
    assert!(drawn.iter().all(|drawn| drawn.as_ref().is_ok_and(|drawn| drawn.token.value == first)));
    assert_eq!(disk.world.op.counts().refreshes, 1);
    disk.world.pass(301);
    (disk.world.op.quirks().busy, disk.world.op.quirks().retry_after) = (Some(429), Some("60".to_owned()));
    let asked = disk.world.op.counts().token;
    one.draw(&id, PLAIN).await.expect_err("busy");
    let failure = two.draw(&id, PLAIN).await.expect_err("it has heard of that");
    assert!(failure.why.ends_with("429") && failure.why.starts_with("asked to wait"), "{failure}");
    assert_eq!(disk.world.op.counts().token, asked + 1);
}

#[tokio::test]
async fn what_was_added_in_an_earlier_session_is_a_row_again_and_of_use() {
    let (disk, wallet) = Disk::open().await;
    let elsewhere = World::with(|_, server| server.guest = true).await;
    let provider = wallet.add_provider(&elsewhere.issuer).await.expect("a provider");
    let server = wallet.add_provider(&elsewhere.server).await.expect("a server");
    let mut order = named(provider.id.as_str(), "far");
    order.client = Some(toktui::domain::source::Client::public("toktui"));
    let login = disk.world.logged_in_with(&wallet, order).await.id;
    let keep = async |name: &str, text: &str| {
        wallet.keep(&toktui::domain::specimen::recognise(text), name).await.expect("kept").0
    };
    let mytoken = keep("toar", elsewhere.issued(Order::default()).expose()).await;
    let bare = keep("bare", "opaque-token_with.dots/and-more").await;
    let rows = wallet.sources();

    let later = disk.another(&disk.path()).await;
    let again = later.sources();
    assert_eq!(again.len(), rows.len());
    for id in [&login, &mytoken, &bare] {
        let source = held(&later, id).source;
        assert!(again.iter().any(|row| row.id == source && row.origin == Origin::Added), "{source:?}");
    }
    assert_eq!(later.source(&server.id).expect("a row").kind, server.kind);
    assert!(later.draw(&login, FORCE).await.expect("a token").renewed);
    assert!(later.draw(&mytoken, FORCE).await.expect("a token").renewed);
    // A row that is only a heading is no agreement to send anything there.
    let refused = later.add_provider(&elsewhere.issuer).await.expect_err("listed");
    assert!(refused.why.contains("listed already"), "{refused}");
    let mut order = at(provider.id.as_str());
    order.name = Some("new".to_owned());
    disk.world.logged_in_with(&later, order).await;
}

#[tokio::test]
async fn while_the_store_is_locked_every_credential_has_a_row_and_no_login_begins() {
    let (disk, wallet) = Disk::open().await;
    let elsewhere = World::open().await;
    let provider = wallet.add_provider(&elsewhere.issuer).await.expect("a provider");
    let mut order = named(provider.id.as_str(), "far");
    order.client = Some(toktui::domain::source::Client::public("toktui"));
    let id = disk.world.logged_in_with(&wallet, order).await.id;
    let later = disk.wallet_over(disk.store(&disk.path()));
    assert!(later.sources().iter().any(|row| row.id == provider.id));
    let failure = later.draw(&id, PLAIN).await.expect_err("locked");
    assert_eq!((failure.kind, failure.hint.as_deref()), (Kind::NotValid, Some("Unlock it: toktui unlock.")));
    let asked = disk.world.op_tap.all().len();
    let refused = Running::of(&later, at("op")).end().await.expect_err("locked");
    assert!(refused.why.contains("locked"), "{refused}");
    assert_eq!(disk.world.op_tap.all().len(), asked);
    later.unlock(Opening::KeyFile(None)).await.expect("opens");
    let row = later.sources().iter().find(|row| row.id == provider.id).expect("a row").clone();
    assert_eq!(row.issuer().expect("an issuer").address, elsewhere.issuer);
    assert!(later.draw(&id, FORCE).await.expect("a token").renewed);
}

#[tokio::test]
async fn the_same_login_in_two_programs_is_done_once_and_is_the_answer_of_both() {
    let (disk, one) = Disk::open().await;
    let two = disk.another(&disk.path()).await;
    let mut first = Running::of(&one, named("op", "egi"));
    let address = first.may_open().await;
    let mut second = Running::of(&two, named("op", "egi"));
    let view = second.view(|view| view.under_way.is_some()).await;
    let by = view.under_way.expect("who has it");
    assert!(by.starts_with("toktui test, process "), "{by}");
    assert_eq!((view.device, view.browser, view.paste), (None, None, false));
    visit(&address, Choice::Approve).await;
    let (first, second) = (first.end().await.expect("a login"), second.end().await.expect("the same"));
    assert_eq!((&first.id, &first.name, &first.at), (&second.id, &second.name, &second.at));
    assert!(second.remarks[0].contains(&by), "{:?}", second.remarks);
    assert_eq!(disk.world.op_tap.granted("authorization_code"), 1);
    assert!(matches!(held(&two, &second.id).chain, Chain::Refresh { .. }));
    let logins = two.journal().iter().filter(|event| event.what == What::LoggedIn).count();
    assert_eq!(logins, 0, "it is the first one's deed");
    // What was brought before is nobody's answer who asks later.
    let mut again = Running::of(&two, named("op", "egi"));
    visit(&again.may_open().await, Choice::Approve).await;
    again.end().await.expect("the way is free");
    assert_eq!(disk.world.op_tap.granted("authorization_code"), 2);
}

#[tokio::test]
async fn who_waits_for_a_login_that_comes_to_nothing_goes_on_with_one_of_his_own() {
    let (disk, one) = Disk::open().await;
    let two = disk.another(&disk.path()).await;
    for deny in [true, false] {
        let mut first = Running::of(&one, named("op", "egi"));
        let address = first.may_open().await;
        let mut second = Running::of(&two, named("op", "egi"));
        second.view(|view| view.under_way.is_some()).await;
        if deny {
            visit(&address, Choice::Deny).await;
        } else {
            first.watch.stop.send(true).expect("it listens");
        }
        first.end().await.expect_err("denied, or cancelled");
        visit(&second.may_open().await, Choice::Approve).await;
        second.end().await.expect("a login of its own");
    }
    assert_eq!(disk.world.op_tap.granted("authorization_code"), 2);
}

#[tokio::test]
async fn who_leaves_the_waiting_leaves_the_login_as_it_is() {
    let (disk, one) = Disk::open().await;
    let two = disk.another(&disk.path()).await;
    let mut first = Running::of(&one, named("op", "egi"));
    let address = first.may_open().await;
    let mut second = Running::of(&two, named("op", "egi"));
    second.view(|view| view.under_way.is_some()).await;
    second.watch.stop.send(true).expect("it listens");
    assert_eq!(second.end().await.expect_err("left").kind, Kind::Cancelled);
    // He may come back, and so may a third.
    let again = Running::of(&two, named("op", "egi"));
    let third = Running::of(&disk.another(&disk.path()).await, named("op", "egi"));
    visit(&address, Choice::Approve).await;
    let all = [first, again, third].map(Running::end);
    for report in join_all(all).await {
        report.expect("one login for all");
    }
    assert_eq!(disk.world.op_tap.granted("authorization_code"), 1);
}

#[tokio::test]
async fn logins_that_are_not_the_same_do_not_wait_for_each_other() {
    let (disk, one) = Disk::open().await;
    let two = disk.another(&disk.path()).await;
    let mut first = Running::of(&one, named("op", "egi"));
    first.may_open().await;
    let others = [
        named("op", "other"),
        at("op"),
        toktui::domain::login::Order { client: Some(other_client()), ..named("op", "egi") },
    ];
    for other in others {
        let mut other = Running::of(&two, other);
        visit(&other.may_open().await, Choice::Approve).await;
        other.end().await.expect("a login");
    }
    first.watch.stop.send(true).expect("it listens");
    first.end().await.expect_err("cancelled");
}

fn other_client() -> toktui::domain::source::Client {
    toktui::domain::source::Client::public("toktui-short")
}
