//! A provider, a mytoken server, a clock, a browser and a wallet.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::task::JoinHandle;
use toktui::desktop::clock::SystemClock;
use toktui::domain::credential::{Chain, CredentialId, Held};
use toktui::domain::draft::{Draft, DraftClause, When};
use toktui::domain::failure::Failure;
use toktui::domain::login::{Choice as Offer, Order, Report, Step, View};
use toktui::domain::mytoken::{Capability, Clause, Rotation};
use toktui::domain::secret::Secret;
use toktui::domain::source::{
    Client, FormerIssuer, Issuer, Origin, Profile, Route, Server as MytokenServer, Source, SourceId,
    SourceKind,
};
use toktui::domain::time::{Clock, ShiftedClock};
use toktui::domain::untrusted::Untrusted;
use toktui::http::Http;
use toktui::sandbox::mytoken::{self, Mytokens, Provider};
use toktui::sandbox::op::{self, Op};
use toktui::sandbox::serve::{self, Server};
use toktui::sandbox::visitor::{Choice, Outcome, Visitor};
use toktui::wallet::Wallet;
use toktui::wallet::login::{Watch, line};

use crate::tap::Tap;

/// The provider's earlier address, from which nothing can be had any more.
pub const FORMER: &str = "https://old.example.org/oidc/";

pub struct World {
    pub clock: Arc<ShiftedClock>,
    pub op: Op,
    pub issuer: String,
    pub op_tap: Tap,
    pub mytokens: Mytokens,
    pub server: String,
    pub server_tap: Tap,
    pub wallet: Arc<Wallet>,
    _servers: [Server; 2],
}

impl World {
    pub async fn open() -> Self {
        Self::with(|_, _| {}).await
    }

    /// A world whose provider and mytoken server are set up differently.
    pub async fn with(change: impl FnOnce(&mut op::Settings, &mut mytoken::Settings)) -> Self {
        let clock = Arc::new(ShiftedClock::new(Arc::new(SystemClock), SignedDuration::ZERO));
        let (op_door, server_door) =
            (serve::bind(0).await.expect("a port"), serve::bind(0).await.expect("a port"));
        let (issuer, server) = (format!("{}/realms/toktui", op_door.base()), server_door.base());
        let mut op_settings = op::Settings { device_interval: 1, ..op::Settings::new(&issuer) };
        let mut server_settings = mytoken::Settings {
            issuer: server.clone(),
            providers: vec![provider(&issuer)],
            guest: false,
            polling_interval: 1,
            ..mytoken::Settings::default()
        };
        change(&mut op_settings, &mut server_settings);
        let op = Op::new(op_settings, clock.clone()).expect("a provider");
        let mytokens = Mytokens::new(server_settings, clock.clone()).expect("a server");
        let (op_tap, server_tap) = (Tap::default(), Tap::default());
        let servers =
            [op_door.serve(op_tap.on(op.handler())), server_door.serve(server_tap.on(mytokens.handler()))];
        let sources = vec![op_source(&issuer), server_source(&server)];
        let wallet = Wallet::new(clock.clone(), Arc::new(Http::default()), sources).expect("a wallet");
        Self { clock, op, issuer, op_tap, mytokens, server, server_tap, wallet, _servers: servers }
    }

    /// Another wallet at the same servers, as on another machine.
    pub fn other_wallet(&self) -> Arc<Wallet> {
        let sources = vec![op_source(&self.issuer), server_source(&self.server)];
        Wallet::new(self.clock.clone(), Arc::new(Http::default()), sources).expect("a wallet")
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    pub fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }

    /// Lists the provider differently.
    pub async fn set_issuer(&self, change: impl FnOnce(&mut Issuer)) {
        let mut source = op_source(&self.issuer);
        let SourceKind::Issuer(issuer) = &mut source.kind else { panic!("an issuer") };
        change(issuer);
        self.wallet.list_source(source).await;
    }

    /// Lists a profile at the mytoken server.
    pub async fn list_profile(&self, change: impl FnOnce(&mut Wish)) {
        let mut wish = Wish::default();
        change(&mut wish);
        let profile = Profile { server: "mt".into(), draft: wish.draft(&self.issuer) };
        self.wallet.list_source(source("toar", "TOAR", SourceKind::Profile(profile))).await;
    }

    /// A wallet at the same servers whose machine's clock is off by `seconds`.
    pub fn wallet_on_a_clock_that_is_off(&self, seconds: i64) -> Arc<Wallet> {
        let clock = ShiftedClock::new(self.clock.clone(), SignedDuration::from_secs(seconds));
        let sources = vec![op_source(&self.issuer), server_source(&self.server)];
        Wallet::new(Arc::new(clock), Arc::new(Http::default()), sources).expect("a wallet")
    }

    /// A wallet at the same servers with a clock of its own.
    pub fn wallet_on(&self, clock: Arc<dyn Clock>) -> Arc<Wallet> {
        let sources = vec![op_source(&self.issuer), server_source(&self.server)];
        Wallet::new(clock, Arc::new(Http::default()), sources).expect("a wallet")
    }

    pub fn start(&self, order: Order) -> Running {
        Running::of(&self.wallet, order)
    }

    /// Logs in by browser, with one visitor who says yes.
    pub async fn logged_in(&self, order: Order) -> Report {
        self.logged_in_with(&self.wallet, order).await
    }

    pub async fn logged_in_with(&self, wallet: &Arc<Wallet>, order: Order) -> Report {
        let mut login = Running::of(wallet, order);
        visit(&login.may_open().await, Choice::Approve).await;
        login.end().await.expect("a login")
    }

    /// A mytoken that is issued without a login and kept under `name`.
    pub async fn kept(&self, name: &str, order: mytoken::Order) -> CredentialId {
        let issued = self.issued(order);
        self.keep(name, &issued).await
    }

    pub fn issued(&self, order: mytoken::Order) -> Secret {
        self.mytokens.issue(order).expect("issued").mytoken
    }

    pub async fn keep(&self, name: &str, value: &Secret) -> CredentialId {
        let specimen = toktui::domain::specimen::recognise(value.expose());
        self.wallet.keep(&specimen, name).await.expect("kept").0
    }

    pub fn held(&self, id: &CredentialId) -> Held {
        self.wallet.held().iter().find(|held| held.id == *id).expect("held").clone()
    }

    /// How many requests the mytoken server has had at its API.
    pub fn server_requests(&self) -> usize {
        self.server_tap.all().iter().filter(|exchange| exchange.path.starts_with("/api/")).count()
    }
}

/// What a profile of the tests asks for, in one clause.
#[derive(Default)]
pub struct Wish {
    pub capabilities: Vec<String>,
    pub scopes: Vec<String>,
    pub uses_at: Option<u64>,
    pub uses_other: Option<u64>,
    pub lifetime: Option<u64>,
    pub rotation: Option<Rotation>,
}

impl Wish {
    pub fn draft(self, issuer: &str) -> Draft {
        let scopes: Vec<Untrusted> = self.scopes.into_iter().map(Untrusted::new).collect();
        let clause = DraftClause {
            ends: self.lifetime.map(When::In),
            rest: Clause {
                scopes: (!scopes.is_empty()).then_some(scopes),
                uses_at: self.uses_at,
                uses_other: self.uses_other,
                ..Clause::default()
            },
            ..DraftClause::default()
        };
        Draft {
            provider: issuer.to_owned(),
            capabilities: self.capabilities.into_iter().map(Capability::new).collect(),
            clauses: vec![clause],
            rotation: self.rotation.unwrap_or_default(),
            ..Draft::default()
        }
    }
}

/// A login under way.
pub struct Running {
    pub task: JoinHandle<Result<Report, Failure>>,
    pub watch: Watch,
}

impl Running {
    pub fn of(wallet: &Arc<Wallet>, order: Order) -> Self {
        let (line, watch) = line();
        let wallet = Arc::clone(wallet);
        Self { task: tokio::spawn(async move { wallet.log_in(order, line).await }), watch }
    }

    /// One whose access tokens are to be good for these audiences.
    pub fn for_audiences(wallet: &Arc<Wallet>, order: Order, audiences: BTreeSet<String>) -> Self {
        let (line, watch) = line();
        let wallet = Arc::clone(wallet);
        Self { task: tokio::spawn(async move { wallet.log_in_for(order, audiences, line).await }), watch }
    }

    async fn step(&mut self) -> Step {
        let step = tokio::time::timeout(Duration::from_secs(20), self.watch.steps.recv()).await;
        step.expect("in time").expect("the login goes on")
    }

    /// The address that a browser may open.
    pub async fn may_open(&mut self) -> String {
        loop {
            if let Step::MayOpen(address) = self.step().await {
                return address;
            }
        }
    }

    /// The first view that is as wanted.
    pub async fn view(&mut self, wanted: impl Fn(&View) -> bool) -> View {
        loop {
            if let Step::View(view) = self.step().await
                && wanted(&view)
            {
                return *view;
            }
        }
    }

    pub async fn choices(&mut self) -> Vec<Offer> {
        loop {
            if let Step::Choose(choices) = self.step().await {
                return choices;
            }
        }
    }

    pub async fn end(self) -> Result<Report, Failure> {
        let ended = tokio::time::timeout(Duration::from_secs(30), self.task).await;
        ended.expect("in time").expect("no panic")
    }
}

/// Which copy of a mytoken is held.
pub fn copy(wallet: &Wallet, id: &CredentialId) -> u64 {
    let Chain::Mytoken { copy, .. } = wallet.view(id).expect("held").chain else { panic!("a mytoken") };
    copy
}

/// A restriction to so many access tokens and so many other uses.
pub fn counted(at: i64, other: i64) -> Vec<mytoken::Clause> {
    vec![mytoken::Clause { usages_at: Some(at), usages_other: Some(other), ..mytoken::Clause::default() }]
}

/// A new browser's way through the pages.
pub async fn visit(address: &str, choice: Choice) -> Outcome {
    Visitor::new().expect("a visitor").visit(address, choice, "alice").await.expect("an end")
}

/// The address that a browser ends on which cannot reach this machine.
pub async fn redirect_of(address: &str) -> Secret {
    let visitor = Visitor::new().expect("a visitor").stopping_before(redirect_uri(address));
    visitor.visit(address, Choice::Approve, "alice").await.expect("an end").address
}

pub fn redirect_uri(address: &str) -> String {
    let address = url::Url::parse(address).expect("an address");
    let found = address.query_pairs().find(|(name, _)| name == "redirect_uri");
    found.expect("a redirect address").1.into_owned()
}

pub fn at(source: &str) -> Order {
    Order::at(SourceId::from(source))
}

pub fn named(source: &str, name: &str) -> Order {
    Order { name: Some(name.to_owned()), ..at(source) }
}

pub fn source(id: &str, name: &str, kind: SourceKind) -> Source {
    Source {
        id: id.into(),
        name: name.to_owned(),
        note: String::new(),
        origin: Origin::Sandbox,
        kind,
        manage_url: None,
        register_url: None,
        hints: Vec::new(),
        folded: false,
    }
}

pub fn op_source(issuer: &str) -> Source {
    let issuer = Issuer {
        client: Some(Client::public("toktui")),
        scopes: ["openid", "profile", "email", "offline_access"].map(str::to_owned).into(),
        routes: vec![Route::Device, Route::Browser, Route::Paste],
        refresh_returns_refresh: true,
        formerly: vec![FormerIssuer { address: FORMER.to_owned(), story: "moved 2022".to_owned() }],
        ..Issuer::at(issuer)
    };
    source("op", "Sandbox", SourceKind::Issuer(Box::new(issuer)))
}

pub fn server_source(address: &str) -> Source {
    source("mt", "mytoken sandbox", SourceKind::Server(MytokenServer { address: address.to_owned() }))
}

pub fn provider(issuer: &str) -> Provider {
    Provider {
        issuer: issuer.to_owned(),
        name: "Sandbox".to_owned(),
        client_id: "mytoken".to_owned(),
        client_secret: Some(Secret::new("mytoken-secret")),
        scopes: ["openid", "profile", "email", "offline_access"].map(str::to_owned).into(),
        authorization_endpoint: None,
        token_endpoint: None,
        longest_life: None,
    }
}
