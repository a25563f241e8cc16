//! A client of one's own from the provider itself, and the end of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use toktui::config::Config;
use toktui::domain::failure::{Failure, Kind};
use toktui::domain::login::Relation;
use toktui::domain::registration::{Registered, Registration};
use toktui::domain::secret::Secret;
use toktui::domain::source::{
    ClientAuth, Issuer, Origin, Registering as Known, Route, Source, SourceId, SourceKind,
};
use toktui::domain::vault::Opening;
use toktui::http::Http;
use toktui::sandbox::op::Registering;
use toktui::sandbox::visitor::Choice;
use toktui::store::keys::Nowhere;
use toktui::store::{Place, Store};
use toktui::wallet::Wallet;
use toktui::wallet::inspect::Standing;
use toktui::wallet::register::{Ask, Deleted};

use crate::world::{Running, World, named, op_source, visit};

const INITIAL: &str = "tok-initial-access-token";
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A world in which the provider has no client of ours yet, and a store and a config on disk.
struct Desk {
    world: World,
    folder: tempfile::TempDir,
    wallet: Arc<Wallet>,
}

impl Desk {
    async fn open(registering: Registering) -> Self {
        let world = World::with(|op, _| op.registering = registering).await;
        let folder = tempfile::tempdir().expect("a folder");
        let store = store(&world, folder.path());
        store.create(Opening::KeyFile(None)).await.expect("made");
        let sources = vec![bare(&world.issuer)];
        let wallet = Wallet::over(store, world.clock.clone(), Arc::new(Http::default()), sources);
        Self { world, folder, wallet }
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    /// A later start of the program: its sources are those of the config.
    async fn later(&self) -> Arc<Wallet> {
        let (config, problems) = Config::open(&self.config().join("config.toml"));
        assert_eq!(problems, []);
        let store = store(&self.world, self.folder.path());
        store.unlock(Opening::KeyFile(None)).await.expect("opens");
        Wallet::over(store, self.world.clock.clone(), Arc::new(Http::default()), config.sources)
    }

    async fn register(&self, token: Option<&str>) -> Result<Registered, Failure> {
        self.wallet.register(self.ask(token)).await
    }

    fn ask(&self, token: Option<&str>) -> Ask {
        Ask {
            source: "op".into(),
            name: "toktui on desk".to_owned(),
            scopes: Vec::new(),
            redirects: Vec::new(),
            token: token.map(Secret::new),
            folder: Some(self.config()),
        }
    }

    fn kept(&self) -> Vec<Registration> {
        self.wallet.registrations_of(&SourceId::from("op"), "Looking").expect("open")
    }

    async fn logged_in(&self, wallet: &Arc<Wallet>, name: &str) {
        let mut login = Running::of(wallet, named("op", name));
        visit(&login.may_open().await, Choice::Approve).await;
        login.end().await.expect("a login");
    }
}

fn store(world: &World, folder: &Path) -> Store {
    Store::open(Place {
        folder: folder.join("store"),
        clock: world.clock.clone(),
        session: Arc::new(Nowhere),
        keyring: Arc::new(Nowhere),
        key_file: folder.join("key"),
        session_allowed: false,
        who: "toktui test".to_owned(),
    })
    .expect("opens")
}

fn bare(issuer: &str) -> Source {
    let mut source = op_source(issuer);
    let SourceKind::Issuer(known) = &mut source.kind else { panic!("an issuer") };
    (known.client, source.origin) = (None, Origin::Added);
    source
}

fn issuer(source: &Source) -> &Issuer {
    source.issuer().expect("an issuer")
}

/// All bytes below a folder.
fn bytes(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        all.extend(if entry.is_dir() { bytes(&entry) } else { std::fs::read(&entry).expect("a file") });
    }
    all
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn a_client_is_registered_logged_in_as_after_the_next_start_and_deleted() {
    let desk = Desk::open(Registering::Open).await;
    let registered = desk.register(None).await.expect("registered");
    assert!(registered.usable && registered.remarks.is_empty(), "{:?}", registered.remarks);
    assert!(registered.lines.iter().all(|line| line.relation == Relation::Same), "{:?}", registered.lines);
    let own = issuer(&registered.source);
    let client = own.client.as_ref().expect("a client");
    assert_eq!((client.auth, client.secret.is_none(), own.registered), (ClientAuth::None, true, true));
    let sent = desk.world.op_tap.all().into_iter().find(|sent| sent.path.ends_with("openid-connect"));
    let sent: serde_json::Value = serde_json::from_slice(&sent.expect("sent").request).expect("JSON");
    assert_eq!(
        sent,
        serde_json::json!({
            "client_name": "toktui on desk", "application_type": "native",
            "redirect_uris": ["http://127.0.0.1/callback"],
            "grant_types": ["authorization_code", "refresh_token", DEVICE], "response_types": ["code"],
            "scope": "openid profile email offline_access", "token_endpoint_auth_method": "none",
        })
    );

    let later = desk.later().await;
    desk.logged_in(&later, "mine").await;
    let kept = desk.kept().pop().expect("kept");
    let management = kept.management.clone().expect("a way to delete it");
    assert!(!holds(&bytes(desk.folder.path()), management.token.expose()), "sealed");
    assert_eq!(desk.wallet.unregister(kept, false, "Unregistering").await, Ok(Deleted::There));
    assert_eq!(desk.kept(), []);
    assert!(issuer(&desk.wallet.source(&"op".into()).expect("listed")).client.is_none());
    let source = later.source(&"op".into()).expect("listed");
    let checked = later.check(&source, issuer(&source), None).await;
    let known = checked.findings.iter().find(|finding| finding.what == "client").expect("asked");
    assert_eq!(known.standing, Standing::Wrong, "the provider knows it no more: {known:?}");
}

#[tokio::test]
async fn what_the_provider_changes_is_said_and_a_secret_stays_sealed_and_works() {
    let desk = Desk::open(Registering::Open).await;
    {
        let mut quirks = desk.world.op.quirks();
        quirks.register_with_secret = true;
        quirks.register_without = vec![DEVICE.to_owned()];
        quirks.drop_scope = vec!["email".to_owned()];
    }
    let registered = desk.register(None).await.expect("registered");
    let differs: Vec<(&str, Relation)> = registered
        .lines
        .iter()
        .filter(|line| line.relation != Relation::Same)
        .map(|line| (line.what.as_str(), line.relation))
        .collect();
    assert_eq!(
        differs,
        [("client", Relation::Other), ("scopes", Relation::Narrower), ("grants", Relation::Narrower)]
    );
    let secret = desk.kept().pop().and_then(|kept| kept.secret).expect("a secret");
    let text = format!("{registered:?}");
    assert!(!text.contains(secret.expose()), "{text}");
    let on_disk = bytes(desk.folder.path());
    assert!(!holds(&on_disk, secret.expose()) && holds(&on_disk, &registered.client));

    let later = desk.later().await;
    let source = later.source(&"op".into()).expect("listed");
    let own = issuer(&source);
    assert_eq!(own.scopes, ["openid", "profile", "offline_access"]);
    assert_eq!(own.routes, [Route::Browser, Route::Paste]);
    assert_eq!(own.client.as_ref().map(|client| client.auth), Some(ClientAuth::Basic));
    desk.logged_in(&later, "mine").await;
}

#[tokio::test]
async fn a_provider_that_gives_clients_to_the_invited_only_says_so_and_takes_an_initial_access_token() {
    let desk = Desk::open(Registering::WithToken(Secret::new(INITIAL))).await;
    let refused = desk.register(None).await.expect_err("Keycloak's policy");
    assert!(refused.why.contains("Trusted Hosts"), "{refused}");
    assert!(
        refused.hint.as_deref().is_some_and(|hint| hint.contains("--initial-access-token-file")),
        "{refused}"
    );
    let wrong = desk.register(Some("tok-wrong")).await.expect_err("another token");
    assert!(wrong.hint.as_deref().is_some_and(|hint| hint.contains("is not taken")), "{wrong}");
    assert!(!wrong.to_string().contains("tok-wrong"));
    assert_eq!(desk.kept(), []);
    assert!(desk.register(Some(INITIAL)).await.expect("registered").usable);
    assert!(!holds(&bytes(desk.folder.path()), INITIAL), "the initial token is not kept");
}

#[tokio::test]
async fn what_a_preset_knows_is_said_before_anything_is_sent() {
    let desk = Desk::open(Registering::Open).await;
    for (registering, token, said) in [
        (Known::Useless, Some(INITIAL), "gives nothing useful"),
        (Known::Useless, None, "gives nothing useful"),
        (Known::WithToken, None, "gives nothing useful"),
    ] {
        let mut source = bare(&desk.world.issuer);
        let SourceKind::Issuer(known) = &mut source.kind else { panic!("an issuer") };
        (known.registering, known.registering_note) = (registering, said.to_owned());
        desk.wallet.list_source(source).await;
        let refused = desk.register(token).await.expect_err("known");
        assert_eq!((refused.kind, refused.why.as_str()), (Kind::Unusable, said));
    }
    assert_eq!(desk.world.op.counts().registration, 0);
    desk.wallet.list_source(bare(&desk.world.issuer)).await;
    desk.wallet.set_read_only(true);
    assert_eq!(desk.register(None).await.expect_err("read-only").kind, Kind::Unusable);
    desk.wallet.set_read_only(false);
    desk.wallet.lock();
    let locked = desk.register(None).await.expect_err("locked");
    assert!(locked.why.contains("locked"), "{locked}");
    assert_eq!(desk.world.op.counts().registration, 0);
}

#[tokio::test]
async fn a_deletion_that_fails_loses_nothing() {
    let desk = Desk::open(Registering::Open).await;
    desk.register(None).await.expect("registered");
    let kept = desk.kept().pop().expect("kept");
    for (status, kind) in
        [(403, Kind::Failed), (405, Kind::Failed), (401, Kind::Failed), (503, Kind::Unreached)]
    {
        desk.world.op.quirks().refuse_deletion = Some(status);
        let refused =
            desk.wallet.unregister(kept.clone(), false, "Unregistering").await.expect_err("refused");
        assert_eq!(refused.kind, kind, "{refused}");
        assert_eq!(desk.kept(), std::slice::from_ref(&kept), "{status}");
    }
    let text = desk.register(None).await.expect_err("there is one").to_string();
    assert!(text.contains("already"), "{text}");
    assert_eq!(desk.wallet.unregister(kept, true, "Unregistering").await, Ok(Deleted::HereOnly));
    assert_eq!(desk.kept(), []);
}

#[tokio::test]
async fn a_registration_whose_answer_is_lost_says_what_may_have_happened() {
    let desk = Desk::open(Registering::Open).await;
    // The document is known already: only the registration's answer is lost.
    let found = desk.wallet.announced(issuer(&bare(&desk.world.issuer)), "Looking").await;
    assert!(found.expect("found").registration.is_some());
    desk.world.op.quirks().lose_answers = true;
    let lost = desk.register(None).await.expect_err("lost");
    assert_eq!(lost.kind, Kind::Unreached);
    assert!(lost.hint.as_deref().is_some_and(|hint| hint.contains("may have been registered")), "{lost}");
}

#[tokio::test]
async fn a_registration_that_was_changed_on_disk_is_not_believed() {
    let desk = Desk::open(Registering::Open).await;
    desk.register(None).await.expect("registered");
    let folder = desk.folder.path().join("store/clients");
    let file =
        std::fs::read_dir(&folder).expect("a folder").next().expect("a file").expect("an entry").path();
    let good = std::fs::read(&file).expect("a file");
    for at in (0..good.len() - 1).step_by(7) {
        let mut bad = good.clone();
        bad[at] ^= 1;
        std::fs::write(&file, &bad).expect("written");
        assert!(desk.wallet.registrations_of(&"op".into(), "Looking").is_err(), "byte {at}");
    }
}
