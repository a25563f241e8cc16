//! The verbs: log in, draw, look up, read, keep, revoke, forget. Each takes the lock, asks, saves, answers.
//!
//! The only room where protocols and store meet; the board and the plain commands share it.
//!
//! | verb | file | what it may change |
//! | --- | --- | --- |
//! | log in | `login/` | adds a credential, or puts a new grant into one |
//! | draw an access token | `draw/` | access token, refresh token or mytoken copy, health |
//! | exchange an access token | `exchange.rs` | access token; adds a refresh token that comes with it |
//! | look up | `look_up/` | what is known of a mytoken |
//! | ask whom it speaks for, and whether it is active | `userinfo.rs`, `introspect.rs` | access token, where none lives |
//! | read the history | `history.rs` | a mytoken's copy, where reading rotates it |
//! | list all of a user's mytokens, or the tree below one | `family.rs` | the same |
//! | log in to manage them for an hour | `manager.rs` | nothing that is kept |
//! | keep, forget, revoke | `keep.rs`, `end.rs`, `end_listed.rs` | adds, removes |
//! | make a mytoken from one, redeem a code, hand over | `create.rs`, `redeem.rs`, `hand_over.rs` | adds; a parent's copy |
//! | put a successor in place | `successor.rs` | two names |
//! | add a provider | `provider.rs` | the list of sources |
//! | register a client at a provider, delete it | `register/` | what is kept of registered clients, the list of sources |
//! | look at a provider, check it | `inspect.rs` | nothing |
//! | make, lock, unlock the store, rename | `safe.rs` | the store itself |
//! | back up, restore | `backup.rs` | adds |
//!
//! What must not be lost runs in a task of its own, so that a caller who goes away in the middle (Esc, a
//! timeout) does not take an answer with it that is already under way.

pub mod backup;
pub mod create;
pub mod draw;
pub mod end;
mod end_listed;
pub mod exchange;
pub mod family;
pub mod forms;
mod granted;
pub mod hand_over;
mod health;
pub mod history;
mod in_turn;
pub mod inspect;
mod introspect;
mod issuers;
pub mod keep;
mod limits;
pub mod login;
pub mod look_up;
pub mod manager;
mod new_mytoken;
pub mod offer;
mod once;
mod pause;
pub mod provider;
mod question;
pub mod read_only;
pub mod redeem;
pub mod register;
mod rows;
pub mod safe;
mod servers;
mod stale;
pub mod successor;
pub mod userinfo;
mod uses;
mod words;

use std::collections::HashSet;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use jiff::Timestamp;
use tokio::sync::watch;

use crate::domain::credential::{Credential, CredentialId, Grant, Health, Held};
use crate::domain::event::{Event, Teller, What};
use crate::domain::failure::{Failure, Kind};
use crate::domain::source::{Source, SourceId};
use crate::domain::time::Clock;
use crate::domain::untrusted::Untrusted;
use crate::http::Http;
use crate::store::{self, Store, Turn};

use issuers::Issuers;
use manager::Managers;
use servers::Servers;

/// Everything the verbs share. Cheap to hold; nothing is connected before the first question.
pub struct Wallet {
    clock: Arc<dyn Clock>,
    http: Arc<Http>,
    store: Store,
    sources: RwLock<Arc<[Source]>>,
    /// Rows that are only headings over kept tokens: nobody has agreed to send anything there.
    headings: Mutex<HashSet<SourceId>>,
    /// The logins that are under way.
    logins: login::alone::UnderWay,
    /// Whether something may be held of whose source there is no row.
    unlisted: AtomicBool,
    issuers: Issuers,
    servers: Servers,
    /// The manager mytokens of this session, by the address of their server.
    managers: Managers,
    /// Nothing is changed, neither here nor at any server.
    read_only: AtomicBool,
    /// How many tasks run that must not be broken off.
    under_way: watch::Sender<usize>,
}

impl Wallet {
    /// A wallet that holds nothing yet, and keeps all in memory.
    ///
    /// # Errors
    /// When this system gives no random numbers.
    pub fn new(clock: Arc<dyn Clock>, http: Arc<Http>, sources: Vec<Source>) -> Result<Arc<Self>, Failure> {
        let store = Store::in_memory().map_err(|error| gone("Opening the store", &error))?;
        Ok(Self::over(store, clock, http, sources))
    }

    /// A wallet over a store.
    #[must_use]
    pub fn over(store: Store, clock: Arc<dyn Clock>, http: Arc<Http>, sources: Vec<Source>) -> Arc<Self> {
        Arc::new(Self {
            clock,
            http,
            store,
            sources: RwLock::new(sources.into()),
            headings: Mutex::default(),
            logins: Mutex::default(),
            unlisted: AtomicBool::new(true),
            issuers: Issuers::default(),
            servers: Servers::default(),
            managers: Managers::default(),
            read_only: AtomicBool::new(false),
            under_way: watch::Sender::new(0),
        })
    }

    /// From now on certificates of the CA in this file are believed from the host of this address, and from no other.
    pub fn trust(&self, address: &str, ca: &std::path::Path) {
        self.http.trust(address, ca);
    }

    /// What is held, without its secrets.
    #[must_use]
    pub fn held(&self) -> Arc<[Held]> {
        self.store.held()
    }

    /// Who can give tokens, in the order of the Providers pane: every source of what is held is among them.
    #[must_use]
    pub fn sources(&self) -> Arc<[Source]> {
        if self.unlisted.swap(false, Ordering::SeqCst) {
            self.list_the_unlisted();
        }
        self.listed()
    }

    /// The sources that are listed by now.
    fn listed(&self) -> Arc<[Source]> {
        Arc::clone(&self.sources.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What this session did, the newest first.
    #[must_use]
    pub fn journal(&self) -> Arc<[Event]> {
        self.store.journal()
    }

    /// One credential without its secrets, read in full.
    ///
    /// # Errors
    /// When it is not held any more, the store is locked, or it cannot be read.
    pub fn view(&self, id: &CredentialId) -> Result<Held, Failure> {
        self.store.get(id).map(|credential| credential.held()).map_err(|error| gone("Reading it", &error))
    }

    /// The credential of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<CredentialId> {
        self.store.find(name)
    }

    /// A free name like `wish`.
    #[must_use]
    pub fn free_name(&self, wish: &str) -> String {
        self.store.free_name(wish)
    }

    /// The source of a credential: the row it is listed under; else, if that is not listed any more, the one of its issuer.
    fn source_of(&self, credential: &Credential) -> Source {
        rows::row_of(self, credential)
    }

    /// One of the sources.
    #[must_use]
    pub fn source(&self, id: &SourceId) -> Option<Source> {
        self.listed().iter().find(|source| source.id == *id).cloned()
    }

    /// Lists a source, in the place of the one with the same id or at the end. Credentials whose issuer it names as
    /// a former one are dead from now on, and say so.
    pub async fn list_source(&self, source: Source) {
        self.bury_those_of_former_issuers(&source).await;
        self.enlist(source);
    }

    fn enlist(&self, source: Source) {
        let mut sources = self.sources.write().unwrap_or_else(PoisonError::into_inner);
        let mut all = sources.to_vec();
        match all.iter_mut().find(|known| known.id == source.id) {
            Some(known) => *known = source,
            None => all.push(source),
        }
        *sources = all.into();
    }

    /// The mytoken server with this address, one trailing slash aside.
    fn server_at(&self, address: &str) -> Option<Source> {
        rows::server_among(&self.sources(), address)
    }

    /// The OpenID provider with this issuer, byte for byte.
    fn issuer_at(&self, address: &str) -> Option<Source> {
        rows::issuer_among(&self.sources(), address)
    }

    /// Waits until nothing is under way whose answer could be lost: to be awaited before the program ends. Every
    /// exchange has its own limits, so this takes at most as long as the longest of them.
    pub async fn at_rest(&self) {
        // The sender is ours, so there is always somebody to hear from.
        drop(self.under_way.subscribe().wait_for(|tasks| *tasks == 0).await);
    }

    /// Runs to its end whatever becomes of the caller.
    async fn to_its_end<T: Send + 'static>(
        self: &Arc<Self>,
        doing: &str,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, Failure> {
        let counted = UnderWay::one_more(self);
        let task = tokio::spawn(async move {
            let _counted = counted;
            work.await
        });
        match task.await {
            Ok(result) => result,
            Err(_) => Err(Failure::new(Kind::Failed, doing, "the task broke off; this is a bug in toktui")),
        }
    }

    /// The rows that are only headings.
    fn headings(&self) -> MutexGuard<'_, HashSet<SourceId>> {
        self.headings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn note(&self, id: Option<&CredentialId>, what: What) {
        self.note_with(id, what, "");
    }

    fn note_with(&self, id: Option<&CredentialId>, what: What, comment: &str) {
        self.note_about(id, None, what, comment);
    }

    /// The same about a credential; of a mytoken its id at the server is noted too, by which it is known again when it is not held any more.
    fn note_of(&self, credential: &Credential, what: What) {
        let mom_id = match &credential.grant {
            Grant::Mytoken(grant) => grant.facts.mom_id.clone(),
            Grant::Refresh(_) | Grant::Bare => None,
        };
        self.note_about(Some(&credential.id), mom_id, what, "");
    }

    fn note_about(&self, id: Option<&CredentialId>, mom_id: Option<Untrusted>, what: What, comment: &str) {
        if self.is_read_only() {
            return;
        }
        self.store.note(Event {
            at: self.now(),
            what,
            address: None,
            agent: None,
            comment: (!comment.is_empty()).then(|| comment.into()),
            teller: Teller::Here,
            credential: id.map(|id| id.0.clone()),
            mom_id,
            new_address: false,
            new_agent: false,
        });
    }
}

/// A task that must not be broken off, counted while it lives.
struct UnderWay(Arc<Wallet>);

impl UnderWay {
    fn one_more(wallet: &Arc<Wallet>) -> Self {
        wallet.under_way.send_modify(|tasks| *tasks += 1);
        Self(Arc::clone(wallet))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.send_modify(|tasks| *tasks -= 1);
    }
}

impl Wallet {
    /// Says that a request is about to be sent whose answer may replace the secret, and makes sure that it can be kept. What
    /// is wrong stops the request; [`Wallet::save`] settles it, also where nothing was sent or nothing came.
    async fn intend(&self, turn: &Turn, doing: &str) -> Result<(), Failure> {
        self.may_change(doing)?;
        turn.intend().await.map_err(|error| match &error {
            store::Error::ReadOnly(_) => {
                gone(doing, &error).hint("Nothing was sent: the answer could not be kept.")
            }
            _ => gone(doing, &error),
        })
    }

    /// Saves a change made in a credential's turn. What could not be written is held in memory, and said: it must not be handed out as if
    /// nothing had happened.
    async fn save(&self, turn: &Turn, credential: Credential, doing: &str) -> Result<(), Failure> {
        self.may_change(doing)?;
        turn.save(credential).await.map_err(|error| gone(doing, &error))
    }

    /// Marks how a credential fares, in its turn.
    async fn mark(&self, id: &CredentialId, health: Health) {
        if self.is_read_only() {
            return;
        }
        let Ok(turn) = self.store.turn(id).await else { return };
        let credential = Credential { health, ..turn.read() };
        // What cannot be written now is found out again at the next look.
        drop(turn.save(credential).await);
    }
}

/// What the store said, with its cure.
fn gone(doing: impl Into<String>, error: &store::Error) -> Failure {
    safe::failed(doing, error)
}
