//! One credential as this process knows it: in full, by its readable part only, or as something that does not read.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio::sync::OwnedMutexGuard;

use super::codec::Row;
use super::lock::Lock;
use super::seal::Key;
use super::{Error, Shared};
use crate::domain::credential::{Ask, Chain, Credential, CredentialId, Custody, Grant, Health, Held, why};
use crate::domain::secret::Secret;
use crate::domain::source::SourceId;
use crate::domain::time::{Clock, from_epoch};

pub(super) struct Slot {
    pub(super) id: CredentialId,
    /// Held across reading, asking, saving and answering, in this process; the lock file does the same among processes.
    pub(super) turn: Arc<tokio::sync::Mutex<()>>,
    state: Mutex<Known>,
}

/// What is known of it.
#[derive(Default)]
pub(super) struct Known {
    pub(super) name: String,
    /// What stands in the open; `None` where it never was on disk.
    pub(super) row: Option<Row>,
    /// How it fares by what stands behind its last state.
    pub(super) doubt: Option<Health>,
    /// Why it cannot be read, where that is so.
    pub(super) bad: Option<Error>,
    /// All of it, once it was read.
    pub(super) value: Option<Credential>,
    /// Its own key, and by what that is wrapped.
    pub(super) key: Option<Key>,
    pub(super) wrapped: String,
    pub(super) under: String,
    /// What a newer version left in the sealed part.
    pub(super) more: Map<String, Value>,
    /// Where it stands on disk.
    pub(super) at: Option<At>,
    /// Up to which record it was surely on disk once.
    pub(super) sure: u64,
    /// An intent of ours is not settled yet.
    pub(super) intent: bool,
    /// Writing failed half-way: what is on disk must be looked at before it is written to again.
    pub(super) unsure: bool,
    /// Why the newest value is not on disk, where it should be.
    pub(super) unsaved: Option<String>,
    /// Its lock, kept while it is unsaved: nobody else may use the value that is on disk.
    pub(super) kept: Option<Arc<Lock>>,
}

/// Where a credential stands on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct At {
    /// The number of its newest record.
    pub(super) number: u64,
    /// The length of its file.
    pub(super) end: u64,
    /// Which file it was read from; 0: from none yet.
    pub(super) file: u64,
    /// Something in the file does not read.
    pub(super) mend: bool,
}

/// The right to change one credential. Dropping it gives the turn to the next.
pub struct Turn {
    pub(super) slot: Arc<Slot>,
    pub(super) shared: Arc<Shared>,
    pub(super) hold: Arc<Hold>,
}

/// What makes a turn one: in this process, and among all.
pub(super) struct Hold {
    pub(super) slot: Arc<Slot>,
    pub(super) shared: Arc<Shared>,
    pub(super) lock: Option<Arc<Lock>>,
    pub(super) _turn: OwnedMutexGuard<()>,
}

impl Drop for Hold {
    fn drop(&mut self) {
        // The store was locked in the meantime, and only what the turn still needed was left.
        if self.shared.is_locked() {
            self.slot.forget_secrets();
        }
    }
}

impl Slot {
    pub(super) fn new(id: CredentialId, known: Known) -> Arc<Self> {
        Arc::new(Self { id, turn: Arc::default(), state: Mutex::new(known) })
    }

    pub(super) fn known(&self) -> MutexGuard<'_, Known> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wipes its secrets, if they are on disk.
    pub(super) fn forget_secrets(&self) {
        let mut known = self.known();
        if known.at.is_some() && known.unsaved.is_none() && known.under != super::SESSION_KEY {
            (known.value, known.key) = (None, None);
        }
    }

    /// What screens may know of it.
    pub(super) fn held(&self, custody: &Custody) -> Held {
        let known = self.known();
        if let Some(value) = &known.value {
            return value.held();
        }
        let health = match (&known.bad, &known.doubt) {
            (Some(Error::SessionOver), _) => Some(Health::Dead(why::SESSION_OVER.to_owned())),
            (Some(Error::ReadOnly(_)), _) => Some(Health::InDoubt("written by a newer toktui".to_owned())),
            (Some(_), _) => Some(Health::Dead(why::DAMAGED.to_owned())),
            (None, doubt) => doubt.clone(),
        };
        let custody = if known.under == super::SESSION_KEY { Custody::Session } else { custody.clone() };
        match &known.row {
            Some(row) => row.held(&self.id, custody, health.unwrap_or_else(|| row.health())),
            None => Held {
                id: self.id.clone(),
                name: known.name.clone(),
                source: SourceId(String::new()),
                identity: None,
                custody,
                health: health.unwrap_or_else(|| Health::Dead(why::DAMAGED.to_owned())),
                access: Vec::new(),
                chain: Chain::None,
                since: from_epoch(0),
                pause: None,
                locked: true,
            },
        }
    }

    /// What stands for a credential that cannot be read, so that it can be forgotten.
    pub(super) fn stand_in(&self) -> Credential {
        let known = self.known();
        Credential {
            id: self.id.clone(),
            name: known.name.clone(),
            source: SourceId(known.row.as_ref().map(|row| row.source.clone()).unwrap_or_default()),
            identity: None,
            grant: Grant::Bare,
            custody: Custody::Sealed,
            health: Health::Dead(why::DAMAGED.to_owned()),
            ask: Ask::default(),
            access: Vec::new(),
            since: Timestamp::UNIX_EPOCH,
            pause: None,
        }
    }
}

/// The secret of long life, if it has one.
pub(super) fn current(credential: &Credential) -> Option<&Secret> {
    match &credential.grant {
        Grant::Refresh(grant) => Some(&grant.current.value),
        Grant::Mytoken(grant) => Some(&grant.current.value),
        Grant::Bare => None,
    }
}

/// Whether losing `after` to a power cut would lose more than an access token that can be had again.
pub(super) fn matters(before: &Credential, after: &Credential) -> bool {
    let chief = current(after);
    chief.is_none() || chief != current(before) || before.health != after.health || before.name != after.name
}

/// Puts the times of access tokens right after this machine's clock was set (security.md I1).
pub(super) fn put_right(credential: &mut Credential, clock: &dyn Clock) {
    if credential.access.iter().any(|(_, token)| token.ends_up.is_some()) {
        credential.put_right(clock.now(), clock.uptime());
    }
}
