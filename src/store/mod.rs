//! What is held: every credential with its lock, what was done with it, and how both survive.
//!
//! # The folder
//!
//! ```text
//! store/                    0700
//!   keys                    0600   what this is, the store's id, and the data key, wrapped by each of its guards
//!   tokens/NAME             0600   one journal a credential
//!   list                    0600   the readable part of each, again: one line a change; a cache and a news sheet, never the truth
//!   history, history.1      0600   what was done, one line an event, without secrets ([`history`])
//!   locks/                  0700   lock files, apart from the data; never renamed or removed while the store lives
//!   reserve                 0600   64 KiB that are given up when an answer must be written and the disk is full
//!   damaged/                0700   bytes that could not be read, set aside by whoever mended a file
//! ```
//!
//! # A record
//!
//! Every line of `tokens/NAME` is one record, and whole: nothing of an earlier line is needed to understand it.
//!
//! ```text
//! {"v":1,"id":…,"n":17,…} TAB base64(sealed) TAB checksum LF
//! ```
//!
//! * First, JSON in the open: format version, the credential's id, the record's number (each one more than the one before), its name, source,
//!   issuer, ends, health, and its own key wrapped by the data key. That is what `list` and countdowns need while the store is locked.
//! * Then what is secret or personal, as JSON, sealed under the credential's own key ([`seal`]) and bound to the first part byte for byte: version, id,
//!   number and all else that stands in the open cannot be changed, nor moved to another line or credential.
//! * Then 32 hexadecimal digits: the first half of the SHA-256 of all before, its TAB included. It tells a torn or rotten line without any key.
//!
//! A record is either a *state* or an *intent*: an intent has no name and no secret, and says that a request which may replace the secret is about
//! to be sent. A state after it settles it. An intent that is last, while nobody holds the credential's lock, is a credential in doubt.
//!
//! # The order of things
//!
//! * Whoever changes a credential holds its lock (`locks/ID`, taken by the kernel's `flock`, gone with its holder), and (re)opens the file after taking
//!   it. It holds it across reading, asking, saving and answering; other credentials and all readers go on.
//! * An intent is on disk (one `fdatasync`) before the request goes out; the new state is on disk (one append, one `fdatasync`) before anybody sees
//!   what came. A state that replaces no secret of long life is appended without a sync.
//! * Names are unique: adding and renaming hold the store's short lock (`locks/store`), which is never held across a network wait.
//! * Readers need no lock. They take the last record that reads whole and opens. The next writer cuts a torn tail, under the lock.
//! * A file that has grown is written anew with its last state only (temporary file, `fsync`, rename, `fsync` of the folder). Bytes that do not
//!   read are then set aside in `damaged/`.
//!
//! # Why one journal a credential
//!
//! A command that wants one token reads one short file, however many are held; a torn or rotten file is one bad row; nobody waits for anybody else's
//! disk. The price is a thousand files for a thousand credentials: reading them all would cost the first frame four times what it may, so `list`
//! repeats what stands in the open, and the files are read after it.
//!
//! # What it does not do
//!
//! Somebody who may write to the folder can put back an older copy of all of it, and nobody can tell. The superuser of this machine, and a
//! program of the same user that attaches before ours starts, can read what ours can.

mod error;
pub mod history;
pub mod keys;
pub mod memory;
pub mod seal;
pub mod watch;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tokio::sync::OwnedMutexGuard;

pub use error::Error;
pub use history::History;

use crate::domain::credential::{Credential, CredentialId, Fingerprint, FingerprintKey, Grant, Held};
use crate::domain::event::Event;
use crate::domain::secret::Secret;
use crate::domain::vault::{Access, Opening, Vault};

/// What is held.
pub struct Store {
    slots: RwLock<Vec<Arc<Slot>>>,
    key: Arc<FingerprintKey>,
    history: Arc<History>,
}

struct Slot {
    id: CredentialId,
    /// Held across reading, asking, saving and answering.
    turn: Arc<tokio::sync::Mutex<()>>,
    value: Mutex<Credential>,
}

/// The right to change one credential. Dropping it gives the turn to the next.
pub struct Turn {
    slot: Arc<Slot>,
    _turn: OwnedMutexGuard<()>,
}

/// A newer copy of something that somebody presents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newer {
    /// The credential that holds it.
    pub id: CredentialId,
    /// Its name.
    pub name: String,
    /// The number of the copy that is current.
    pub number: u64,
}

impl Store {
    /// An empty store with a fingerprint key of its own.
    ///
    /// # Errors
    /// [`Error::NoRandomness`].
    pub fn in_memory() -> Result<Self, Error> {
        let mut bytes = [0; 32];
        random(&mut bytes)?;
        Ok(Self {
            slots: RwLock::default(),
            key: Arc::new(FingerprintKey::new(&bytes)),
            history: Arc::default(),
        })
    }

    /// The key by which superseded values are recognised.
    #[must_use]
    pub fn fingerprint_key(&self) -> Arc<FingerprintKey> {
        Arc::clone(&self.key)
    }

    /// The secret-free view of everything held, in the order it came.
    #[must_use]
    pub fn held(&self) -> Arc<[Held]> {
        self.slots().iter().map(|slot| slot.read().held()).collect()
    }

    /// How the store stands.
    #[must_use]
    pub fn vault(&self) -> Vault {
        Vault { access: Access::MemoryOnly(None), ..Vault::default() }
    }

    /// Makes the store on disk, guarded so, opens it, and takes in what was held in memory until now.
    ///
    /// # Errors
    /// [`Error::StoreExists`], [`Error::Keyring`], [`Error::Disk`].
    #[allow(clippy::unused_async, reason = "a store on disk waits for its disk")]
    pub async fn create(&self, _opening: Opening) -> Result<(), Error> {
        Err(Error::NoStore)
    }

    /// The user wants no store: what is held stays in memory, and nobody asks again.
    pub fn stay_in_memory(&self) {}

    /// Opens the store for this session.
    ///
    /// # Errors
    /// [`Error::DoesNotOpen`] for a wrong passphrase, [`Error::NotGuardedSo`], [`Error::Keyring`].
    #[allow(clippy::unused_async, reason = "a store on disk waits for its disk")]
    pub async fn unlock(&self, _opening: Opening) -> Result<(), Error> {
        Ok(())
    }

    /// Forgets the keys and all secrets in memory, here and in the session's keyring: other programs find it locked too.
    pub fn lock(&self) {}

    /// Guards the data key by `opening` too, or instead of what guards it in the same way now.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::Keyring`], [`Error::Disk`].
    #[allow(clippy::unused_async, reason = "a store on disk waits for its disk")]
    pub async fn guard(&self, _opening: Opening) -> Result<(), Error> {
        Ok(())
    }

    /// Reads what others have changed since the last look. Whether anything differs now.
    pub async fn refresh(&self) -> bool {
        let history = Arc::clone(&self.history);
        tokio::task::spawn_blocking(move || history.refresh()).await.unwrap_or_default()
    }

    /// Tries again to write what could not be written. How many values are still unsaved.
    #[allow(clippy::unused_async, reason = "a store on disk waits for its disk")]
    pub async fn save_again(&self) -> usize {
        0
    }

    /// One credential as it is now, with its secrets.
    ///
    /// # Errors
    /// [`Error::Gone`], [`Error::Locked`], [`Error::Damaged`].
    pub fn get(&self, id: &CredentialId) -> Result<Credential, Error> {
        self.slot(id).map(|slot| slot.read().clone()).ok_or(Error::Gone)
    }

    /// The credential of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<CredentialId> {
        self.slots().iter().find(|slot| slot.read().name == name).map(|slot| slot.id.clone())
    }

    /// Waits for the turn to change a credential.
    ///
    /// # Errors
    /// [`Error::Gone`] if it is not held, also if it went while waiting.
    pub async fn turn(&self, id: &CredentialId) -> Result<Turn, Error> {
        let slot = self.slot(id).ok_or(Error::Gone)?;
        let turn = Arc::clone(&slot.turn).lock_owned().await;
        if self.slot(id).is_none() {
            return Err(Error::Gone);
        }
        Ok(Turn { slot, _turn: turn })
    }

    /// Takes a new credential in. When this returns it is on disk, if there is a store; where writing failed it is held in memory, marked
    /// unsaved, and tried again.
    ///
    /// # Errors
    /// [`Error::NameTaken`], [`Error::BadName`], [`Error::Locked`]: it was not taken in. [`Error::NotSaved`]: it was, in memory.
    #[allow(clippy::unused_async, reason = "a store on disk waits for its disk")]
    pub async fn add(&self, credential: Credential) -> Result<(), Error> {
        if !is_name(&credential.name) {
            return Err(Error::BadName);
        }
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        if slots.iter().any(|slot| slot.read().name == credential.name) {
            return Err(Error::NameTaken(credential.name));
        }
        slots.push(Arc::new(Slot {
            id: credential.id.clone(),
            turn: Arc::default(),
            value: Mutex::new(credential),
        }));
        Ok(())
    }

    /// Lets go of a credential, here and on disk. Its secrets are wiped when the last user of them is done.
    ///
    /// # Errors
    /// [`Error::Disk`], [`Error::ReadOnly`]: it is still held.
    #[allow(clippy::unused_async, reason = "a store on disk waits for its disk")]
    pub async fn remove(&self, turn: &Turn) -> Result<(), Error> {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|slot| slot.id != turn.slot.id);
        Ok(())
    }

    /// Gives a credential another name.
    ///
    /// # Errors
    /// [`Error::NameTaken`], [`Error::BadName`], [`Error::Disk`].
    #[allow(clippy::unused_async, reason = "a store on disk waits for its disk")]
    pub async fn rename(&self, turn: &Turn, name: &str) -> Result<(), Error> {
        if !is_name(name) {
            return Err(Error::BadName);
        }
        if self.find(name).is_some_and(|id| id != turn.slot.id) {
            return Err(Error::NameTaken(name.to_owned()));
        }
        turn.slot.read().name = name.to_owned();
        Ok(())
    }

    /// A name like `wish` that is free: `egi`, then `egi-2`, `egi-3`, …
    #[must_use]
    pub fn free_name(&self, wish: &str) -> String {
        let wish = as_name(wish);
        let taken = |name: &str| self.find(name).is_some();
        if !taken(&wish) {
            return wish;
        }
        (2..u32::MAX).map(|n| format!("{wish}-{n}")).find(|name| !taken(name)).unwrap_or(wish)
    }

    /// Whether `value` is held here as the current copy of something.
    #[must_use]
    pub fn holder_of(&self, value: &Secret) -> Option<CredentialId> {
        self.slots()
            .iter()
            .find(|slot| {
                let credential = slot.read();
                current(&credential).is_some_and(|copy| copy == value)
                    || credential.access.iter().any(|(_, access)| access.value == *value)
            })
            .map(|slot| slot.id.clone())
    }

    /// Whether a newer copy of `value` is held here: then `value` must not be sent (design.md §5).
    ///
    /// `family` are a mytoken's own claims, where it carries any: a lower sequence number of the same
    /// `mom_id` is stale too, also where we never saw it rotate.
    #[must_use]
    pub fn newer_than(&self, value: &Secret, family: Option<(&str, u64)>) -> Option<Newer> {
        let print = self.key.of(value);
        self.slots().iter().find_map(|slot| {
            let credential = slot.read();
            let (copy, mom_id) = match &credential.grant {
                Grant::Refresh(grant) => (&grant.current, None),
                Grant::Mytoken(grant) => (&grant.current, grant.facts.mom_id.as_ref()),
                Grant::Bare => return None,
            };
            let by_print = copy.superseded.contains(&print);
            let by_number = family
                .zip(mom_id)
                .is_some_and(|((family, number), mom_id)| mom_id.raw() == family && number < copy.number);
            (by_print || by_number).then(|| Newer {
                id: slot.id.clone(),
                name: credential.name.clone(),
                number: copy.number,
            })
        })
    }

    /// The fingerprint of a value.
    #[must_use]
    pub fn fingerprint(&self, value: &Secret) -> Fingerprint {
        self.key.of(value)
    }

    /// Writes down what happened.
    pub fn note(&self, event: Event) {
        self.history.note(event);
    }

    /// What was done, the newest first: by this session, and since the first [`Store::refresh`] by others too. Reads nothing.
    #[must_use]
    pub fn journal(&self) -> Arc<[Event]> {
        self.history.newest(history::MOST)
    }

    /// What was done with one credential, by whomever and in any session, the newest first and at most `limit`. Reads up to
    /// 8 MiB.
    #[must_use]
    pub fn history_of(&self, id: &CredentialId, limit: usize) -> Vec<Event> {
        self.history.of(&id.0, limit)
    }

    fn slots(&self) -> Vec<Arc<Slot>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn slot(&self, id: &CredentialId) -> Option<Arc<Slot>> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        slots.iter().find(|slot| slot.id == *id).cloned()
    }
}

impl Slot {
    fn read(&self) -> MutexGuard<'_, Credential> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// The credential, as it is now that the turn is ours.
    #[must_use]
    pub fn read(&self) -> Credential {
        self.slot.read().clone()
    }

    /// Says that a request is about to be sent whose answer may replace the secret, and makes sure that there is room for the answer.
    /// When this returns that is on disk. [`Turn::save`] settles it.
    ///
    /// # Errors
    /// [`Error::NoRoom`], [`Error::FakeLocks`], [`Error::ReadOnly`]: the request must not be sent.
    #[allow(clippy::unused_async, reason = "a store on disk waits for its disk")]
    pub async fn intend(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Saves a change. When this returns it is kept: on disk, if there is a store.
    ///
    /// # Errors
    /// [`Error::NotSaved`]: the value is kept in memory, marked unsaved, and tried again; it must not be handed out as if nothing had happened.
    #[allow(clippy::unused_async, reason = "a store on disk waits for its disk")]
    pub async fn save(&self, credential: Credential) -> Result<(), Error> {
        *self.slot.read() = credential;
        Ok(())
    }
}

fn current(credential: &Credential) -> Option<&Secret> {
    match &credential.grant {
        Grant::Refresh(grant) => Some(&grant.current.value),
        Grant::Mytoken(grant) => Some(&grant.current.value),
        Grant::Bare => None,
    }
}

/// Whether a text can be a name: it goes into commands and file names.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    let first = characters.next().is_some_and(|c| c.is_ascii_alphanumeric());
    first && text.len() <= 64 && characters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
}

/// The nearest text that can be a name.
fn as_name(text: &str) -> String {
    let mut name: String = text
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .skip_while(|c| !c.is_ascii_alphanumeric())
        .take(56)
        .collect();
    while name.ends_with(['-', '.', '_']) {
        name.pop();
    }
    if name.is_empty() { "token".to_owned() } else { name }
}

/// A fresh id for a credential.
///
/// # Errors
/// [`Error::NoRandomness`].
pub fn fresh_id() -> Result<CredentialId, Error> {
    use base64::Engine as _;
    let mut bytes = [0; 12];
    random(&mut bytes)?;
    Ok(CredentialId(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)))
}

/// From the kernel. AWS-LC's generator first gathers entropy of its own, which takes 28 ms: more than a first frame may.
pub(crate) fn random(bytes: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(bytes).map_err(|_| Error::NoRandomness)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::credential::{Ask, Copy, Custody, Health, MytokenGrant};
    use crate::domain::mytoken::Facts;
    use crate::domain::time::from_epoch;

    fn mytoken(name: &str, value: &str, number: u64) -> Credential {
        Credential {
            id: fresh_id().expect("random"),
            name: name.to_owned(),
            source: "mytoken-kit".into(),
            identity: None,
            grant: Grant::Mytoken(Box::new(MytokenGrant {
                server: "https://mytoken.example.org".to_owned(),
                current: Copy::first(Secret::new(value), number),
                facts: Facts { mom_id: Some("mom".into()), ..Facts::default() },
                heard: None,
                short: false,
            })),
            custody: Custody::MemoryOnly,
            health: Health::Ok,
            ask: Ask::default(),
            access: Vec::new(),
            since: from_epoch(0),
            pause: None,
        }
    }

    #[tokio::test]
    async fn a_superseded_copy_is_known_by_its_print_and_by_its_number() {
        let store = Store::in_memory().expect("random");
        let credential = mytoken("toar", "mt-1", 1);
        let id = credential.id.clone();
        store.add(credential).await.expect("free name");
        let turn = store.turn(&id).await.expect("held");
        let mut changed = turn.read();
        if let Grant::Mytoken(grant) = &mut changed.grant {
            grant.current.supersede(Secret::new("mt-4"), Some(4), &store.fingerprint_key());
        }
        turn.save(changed).await.expect("kept");
        assert_eq!(store.newer_than(&Secret::new("mt-1"), None).expect("stale").number, 4);
        assert_eq!(store.newer_than(&Secret::new("mt-3"), Some(("mom", 3))).expect("stale").name, "toar");
        assert_eq!(store.newer_than(&Secret::new("mt-4"), Some(("mom", 4))), None);
        assert_eq!(store.newer_than(&Secret::new("mt-x"), Some(("other", 1))), None);
    }

    #[tokio::test(start_paused = true)]
    async fn only_one_holds_the_turn_and_a_credential_that_went_is_gone_for_the_next() {
        let store = Arc::new(Store::in_memory().expect("random"));
        let credential = mytoken("toar", "mt-1", 1);
        let id = credential.id.clone();
        store.add(credential).await.expect("free name");
        let turn = store.turn(&id).await.expect("held");
        let waiting = tokio::spawn({
            let (store, id) = (Arc::clone(&store), id.clone());
            async move { store.turn(&id).await.err() }
        });
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(!waiting.is_finished());
        store.remove(&turn).await.expect("gone");
        drop(turn);
        assert_eq!(waiting.await.expect("no panic"), Some(Error::Gone));
    }

    #[tokio::test]
    async fn names_are_unique_and_fit_for_a_command_line() {
        let store = Store::in_memory().expect("random");
        store.add(mytoken("egi", "a", 1)).await.expect("free");
        assert_eq!(store.add(mytoken("egi", "b", 1)).await, Err(Error::NameTaken("egi".to_owned())));
        assert_eq!(store.add(mytoken("-rf", "b", 1)).await, Err(Error::BadName));
        assert_eq!(store.free_name("egi"), "egi-2");
        assert_eq!(store.free_name("EGI Check-in!"), "egi-check-in");
        assert_eq!(store.free_name("\u{202e}"), "token");
    }
}
