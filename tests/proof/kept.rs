//! What a home holds for these proofs, read by the library as another program of the same user would.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::runtime::Runtime;
use toktui::config::Config;
use toktui::desktop::SystemClock;
use toktui::domain::credential::{AccessToken, CredentialId, Grant, Health};
use toktui::domain::login::{Order, Step};
use toktui::domain::source::SourceId;
use toktui::domain::specimen::recognise;
use toktui::domain::time::{Clock, later};
use toktui::domain::vault::{Access, Opening};
use toktui::http::Http;
use toktui::sandbox::visitor::{Choice, Visitor};
use toktui::store::keys::Nowhere;
use toktui::store::{Place, Store};
use toktui::wallet::Wallet;
use toktui::wallet::login;

use crate::books::Books;
use crate::giver::Giver;
use crate::home::Home;

/// The two kinds of credential whose copies rotate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A login: a refresh token for one use; an older one kills the family.
    Login,
    /// A mytoken that rotates, and is revoked with all made from it when an older copy comes.
    Mytoken,
}

pub const BOTH: [Kind; 2] = [Kind::Login, Kind::Mytoken];

impl Kind {
    /// The name it is held under.
    pub fn name(self) -> &'static str {
        match self {
            Self::Login => "egi",
            Self::Mytoken => "toar",
        }
    }

    /// The books of its giver.
    pub fn books(self, giver: &Giver) -> &Books {
        match self {
            Self::Login => &giver.logins,
            Self::Mytoken => &giver.mine,
        }
    }
}

/// What the store holds of a credential.
#[derive(Clone, Debug, PartialEq)]
pub struct Peek {
    /// The current copy.
    pub copy: String,
    pub number: u64,
    pub health: Health,
    pub access: Option<AccessToken>,
}

impl Home {
    /// A home with a store that opens by a key file, so that no person and no kernel keyring is needed, and one credential of each kind.
    pub fn filled(giver: &Giver) -> Self {
        let home = Self::of(giver);
        giver.runtime.block_on(async {
            home.open_store().await.create(Opening::KeyFile(None)).await.unwrap();
        });
        for kind in BOTH {
            home.fill(giver, kind);
        }
        home
    }

    /// Puts a new credential of this kind in, in the place of the one that is there.
    pub fn fill(&self, giver: &Giver, kind: Kind) {
        giver.runtime.block_on(async {
            let wallet = self.wallet().await;
            if let Some(id) = wallet.find(kind.name()) {
                wallet.forget(&id).await.unwrap();
            }
            match kind {
                Kind::Login => log_in(&wallet, kind.name()).await,
                Kind::Mytoken => {
                    let mytoken = giver.rotating_mytoken().mytoken;
                    wallet.keep(&recognise(mytoken.expose()), kind.name()).await.unwrap();
                }
            }
            wallet.at_rest().await;
        });
    }

    /// A wallet over the store, as the board has one.
    pub async fn wallet(&self) -> Arc<Wallet> {
        let (config, problems) = Config::open(&self.path().join("config/config.toml"));
        assert!(problems.is_empty(), "{problems:?}");
        Wallet::over(
            self.open_store().await,
            Arc::new(SystemClock),
            Arc::new(Http::default()),
            config.sources,
        )
    }

    /// What the store holds of a credential, read by a program that has just started.
    pub fn peek(&self, runtime: &Runtime, kind: Kind) -> Result<Peek, String> {
        runtime.block_on(async {
            let store = self.open_store().await;
            let id = find(&store, kind)?;
            let credential = store.get(&id).map_err(|error| error.to_string())?;
            let current = match &credential.grant {
                Grant::Refresh(grant) => &grant.current,
                Grant::Mytoken(grant) => &grant.current,
                Grant::Bare => return Err("it renews nothing".to_owned()),
            };
            Ok(Peek {
                copy: current.value.expose().to_owned(),
                number: current.number,
                health: credential.health.clone(),
                access: credential.access_for(&credential.ask).cloned(),
            })
        })
    }

    /// Makes the access token that is held a minute over its end, by a change of the store like any other.
    pub fn expire(&self, runtime: &Runtime, kind: Kind) {
        runtime.block_on(async {
            let store = self.open_store().await;
            let id = find(&store, kind).unwrap();
            let turn = store.turn(&id).await.unwrap();
            let mut credential = turn.read();
            let ago = |seconds: i64| later(SystemClock.now(), SignedDuration::from_secs(-seconds));
            for (_, access) in &mut credential.access {
                (access.obtained, access.expires, access.ends_up) = (ago(3660), Some(ago(60)), None);
            }
            turn.save(credential).await.unwrap();
        });
    }
}

fn find(store: &Store, kind: Kind) -> Result<CredentialId, String> {
    store.find(kind.name()).ok_or_else(|| format!("nothing is held as {}", kind.name()))
}

/// Logs in with a browser that says yes.
async fn log_in(wallet: &Arc<Wallet>, name: &str) {
    let order = Order {
        source: SourceId::from("op"),
        name: Some(name.to_owned()),
        client: None,
        provider: None,
        draft: None,
        offline: false,
        open_browser: false,
    };
    let (line, mut watch) = login::line();
    let signing_in = async {
        while let Some(step) = watch.steps.recv().await {
            if let Step::MayOpen(address) = step {
                sign_in(&address).await;
                break;
            }
        }
        // Until the login is over: who drops the watch gives it up.
        while watch.steps.recv().await.is_some() {}
    };
    let both = async { tokio::join!(wallet.log_in(order, line), signing_in) };
    tokio::time::timeout(Duration::from_secs(30), both).await.unwrap().0.unwrap();
}

/// Does in the browser what the user would do there.
pub async fn sign_in(address: &str) {
    Visitor::new().unwrap().visit(address, Choice::Approve, "alice").await.unwrap();
}

impl Home {
    /// The store, as a program finds it that may use no keyring.
    pub async fn open_store(&self) -> Store {
        let store = Store::open(Place {
            folder: self.store(),
            clock: Arc::new(SystemClock),
            session: Arc::new(Nowhere),
            keyring: Arc::new(Nowhere),
            key_file: self.path().join("store.key"),
            session_allowed: false,
            who: "the proof".to_owned(),
        })
        .unwrap();
        if store.vault().access == Access::Locked {
            store.unlock(Opening::KeyFile(None)).await.unwrap();
        }
        store
    }
}
