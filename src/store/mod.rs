//! What is held: every credential with its lock, what was done with it, and how both survive.
//!
//! # The folder
//!
//! ```text
//! store/                    0700
//!   keys                    0600   what this is, the store's id, and the data key, wrapped by each of its guards
//!   tokens/NAME             0600   one journal a credential
//!   clients/ID              0600   a client that was registered from here, with its secrets (`clients`)
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
//! A record is either a *state* or an *intent*: an intent has no name, seals nothing but its own first part, and says that a request which may
//! replace the secret is about to be sent. A state after it settles it. An intent that is last, while nobody holds the credential's lock, is a
//! credential in doubt.
//!
//! The file's name is the credential's, and a record that names another one does not count: files cannot be swapped. (A renaming first appends a
//! record that has both names, then renames the file.) A record is found again behind bytes that do not read by `{"v":`, with which each begins.
//!
//! # The list
//!
//! ```text
//! {"v":1,"id":…,"n":17,"state":{…}} TAB LENGTH SPACE SURE TAB checksum LF
//! ```
//!
//! The open part of a state without its key, the length of its file after it was written (another length means that the list missed something: the
//! file is read and the list made good, behind the first frame), and the number of the last record that was surely on disk: a file that has less
//! has lost its end, and its credential is in doubt. `"gone":true` in the place of the state: it was let go of. An empty id: the store was
//! locked or unlocked. An empty line is nothing; each writer begins with one, in case the last one was torn.
//!
//! # The order of things
//!
//! * Whoever changes a credential holds its lock (`locks/ID`, taken by the kernel's `flock`, gone with its holder), and (re)opens the file after taking
//!   it. It holds it across reading, asking, saving and answering; other credentials and all readers go on. What could not be saved keeps its
//!   lock: the value on disk may be dead, and nobody else may try it.
//! * An intent is on disk (one `fdatasync`) before the request goes out; the new state is on disk (one append, one `fdatasync`) before anybody sees
//!   what came. A state that replaces no secret of long life and settles nothing is appended without a sync.
//! * Names are unique: adding and renaming hold the store's short lock (`locks/store`), which is never held across a network wait.
//! * Readers need no lock. They take the last record that reads whole and opens. The next writer sets a torn tail aside, under the lock.
//! * A file that has grown beyond 128 KiB is written anew with its last state only (temporary file, `fsync`, rename, `fsync` of the folder), and so is
//!   one with bytes that do not read: the whole old file is first copied to `damaged/`. Where that fails they stay, and the record comes after them.
//! * Of the values that a secret has replaced the last 200 are remembered, by keyed fingerprints: a record does not grow for years.
//!
//! # Versions
//!
//! 1 is the only one. A version that only adds puts what is new under `more`, in either part, which is carried along. Anything else takes a new
//! number in `v`; a record with a higher number or an unknown field is shown, and never overwritten ([`Error::ReadOnly`]). Whoever makes version 2
//! reads `v` where `file.rs` does, and copies the whole file to `damaged/NAME.1.…` before the first record of version 2 goes into it.
//!
//! # Bare access tokens without a store
//!
//! Where there is no `keys` yet, a bare access token is kept all the same if the session has a keeper: its own key is wrapped by a random one that
//! only the session has (`"under":"session"`). When the session is over nothing opens it any more, which costs one access token.
//!
//! # Why one journal a credential
//!
//! A command that wants one token reads one short file, however many are held ([`fast`]); a torn or rotten file is one bad row; nobody waits for
//! anybody else's disk. The price is a thousand files for a thousand credentials. Measured without optimisation on two busy cores: one token
//! 0.10 ms with 5 held and 0.11 ms with 1,000; the list of 1,000 in 20 ms, all their files in 145 ms. So the first frame is made of `list`, which repeats
//! what stands in the open, and the files are read after it. `tests::measure` does it again.
//!
//! # What it does not do
//!
//! Somebody who may write to the folder can put back an older copy of all of it, and nobody can tell. The superuser of this machine, and a
//! program of the same user that attaches before ours starts, can read what ours can.

pub mod backup;
mod clients;
mod codec;
mod disk;
mod errand;
mod error;
pub mod fast;
mod file;
mod folder;
pub mod history;
pub mod keys;
mod list;
mod lock;
mod look;
pub mod memory;
mod place;
mod record;
mod safe;
pub mod seal;
mod shared;
mod slot;
mod turn;
pub mod watch;

use std::sync::{Arc, Mutex, RwLock};

pub use errand::{Ended, Errand};
pub use error::Error;
pub use history::History;
pub use lock::Lock;
pub use place::Place;
pub use slot::Turn;

use disk::{Disk, Paths, RealDisk};
use seal::Key;
use shared::{Home, Mode, Shared, State};
use slot::{Slot, current};

use crate::domain::credential::{Credential, CredentialId, Fingerprint, FingerprintKey, Grant, Held};
use crate::domain::event::Event;
use crate::domain::secret::Secret;

/// What the key is called under which bare access tokens are wrapped where there is no store.
const SESSION_KEY: &str = "session";

/// What is held.
pub struct Store {
    shared: Arc<Shared>,
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
        Self::with(None, Mode::MemoryOnly(None))
    }

    /// The store in this place, as far as it is there. Nothing is read that is not needed: not the list, no credential.
    ///
    /// # Errors
    /// [`Error::Unsafe`] where others could read or change it, [`Error::NoRandomness`], [`Error::Disk`].
    pub fn open(place: Place) -> Result<Self, Error> {
        Self::open_on(place, Arc::new(RealDisk))
    }

    fn open_on(place: Place, disk: Arc<dyn Disk>) -> Result<Self, Error> {
        let paths = Paths::of(&place.folder);
        folder::check(&place.folder)?;
        let store = Self::with(Some(Home { place, paths, disk }), Mode::NoStore)?;
        store.shared.find_keys()?;
        Ok(store)
    }

    fn with(home: Option<Home>, mode: Mode) -> Result<Self, Error> {
        let data = Key::random()?;
        let prints = Arc::new(data.fingerprints());
        let state = State {
            mode,
            keys: None,
            data: Some(data),
            prints,
            until: None,
            no_session: None,
            read_only: None,
            no_locks: None,
            keyring: None,
        };
        Ok(Self {
            shared: Arc::new(Shared {
                home,
                slots: RwLock::default(),
                state: RwLock::new(state),
                names: tokio::sync::Mutex::default(),
                seen: Mutex::default(),
                handed: Mutex::default(),
                clients: Mutex::default(),
                history: History::default(),
                tries: keys::Tries::default(),
            }),
        })
    }

    /// The key by which superseded values are recognised.
    #[must_use]
    pub fn fingerprint_key(&self) -> Arc<FingerprintKey> {
        Arc::clone(&self.shared.state().prints)
    }

    /// The secret-free view of everything held, in the order it came. The first time this reads the list, and not more than a few
    /// credentials in full; [`Store::refresh`] reads the others.
    #[must_use]
    pub fn held(&self) -> Arc<[Held]> {
        self.shared.list_once();
        let custody = self.shared.custody();
        self.shared.slots().iter().map(|slot| slot.held(&custody)).collect()
    }

    /// Reads what others have changed since the last look. Whether anything differs now.
    pub async fn refresh(&self) -> bool {
        let shared = Arc::clone(&self.shared);
        let look = move || {
            let noted = shared.history.is_shown() && shared.history.refresh();
            shared.look() | noted
        };
        tokio::task::spawn_blocking(look).await.unwrap_or_default()
    }

    /// One credential as it is now, with its secrets.
    ///
    /// # Errors
    /// [`Error::Gone`], [`Error::Locked`], [`Error::Damaged`].
    pub fn get(&self, id: &CredentialId) -> Result<Credential, Error> {
        let slot = self.shared.known_by(id).ok_or(Error::Gone)?;
        self.shared.load(&slot)
    }

    /// The credential of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<CredentialId> {
        let slot = self.shared.named(name).or_else(|| self.shared.look_for(name));
        slot.map(|slot| slot.id.clone())
    }

    /// Waits for the turn to change a credential, and reads again what others made of it.
    ///
    /// # Errors
    /// [`Error::Gone`] if it is not held, also if it went while waiting. [`Error::Locked`]. [`Error::Held`] with the name of whoever has
    /// had it for 30 seconds.
    pub async fn turn(&self, id: &CredentialId) -> Result<Turn, Error> {
        let shared = Arc::clone(&self.shared);
        let slot = shared.known_by(id).ok_or(Error::Gone)?;
        let turn = Arc::clone(&slot.turn).lock_owned().await;
        if shared.slot(id).is_none() {
            return Err(Error::Gone);
        }
        let lock = shared.file_lock(&slot).await?;
        let turn = Turn::new(slot, &shared, lock, turn);
        if turn.slot.known().at.is_some() {
            turn.blocking(Shared::catch_up).await?;
        }
        Ok(turn)
    }

    /// The next [`Store::turn`] of this credential has this lock ([`fast::wait_turn`]) and does not wait for it again.
    pub fn take_over(&self, id: CredentialId, lock: Lock) {
        *self.shared.handed() = Some((id, lock));
    }

    /// Takes a new credential in. When this returns it is on disk, if there is a store; where writing failed it is held in memory, marked
    /// unsaved, and tried again.
    ///
    /// # Errors
    /// [`Error::NameTaken`], [`Error::BadName`], [`Error::Locked`]: it was not taken in. [`Error::NotSaved`]: it was, in memory.
    pub async fn add(&self, credential: Credential) -> Result<(), Error> {
        if !is_name(&credential.name) {
            return Err(Error::BadName);
        }
        let shared = &self.shared;
        let _names = shared.names.lock().await;
        if self.find(&credential.name).is_some() {
            return Err(Error::NameTaken(credential.name));
        }
        if shared.state().mode == Mode::Locked {
            return Err(Error::Locked);
        }
        let slot = Slot::new(credential.id.clone(), turn::fresh(credential.clone()));
        if shared.home.is_none() || shared.wrapping_for_new(&credential).is_none() {
            shared.slots_mut().push(slot);
            return Ok(());
        }
        // Nobody can ask for its turn yet, but the disk may be slow: everything goes on in a turn all the same.
        let guard = Arc::clone(&slot.turn).lock_owned().await;
        shared.slots_mut().push(Arc::clone(&slot));
        let turn = Turn::new(slot, shared, None, guard);
        turn.blocking(|shared, slot, _| {
            if let Some(home) = &shared.home {
                // A failure shows when the file is written.
                drop(folder::make(&home.paths));
            }
            let result = shared.write(slot, credential, true);
            if slot.known().unsaved.as_deref() == Some(turn::TAKEN) {
                // Another program was first with the name.
                shared.slots_mut().retain(|other| other.id != slot.id);
                return Err(Error::NameTaken(slot.known().name.clone()));
            }
            result
        })
        .await
    }

    /// Lets go of a credential, here and on disk. Its secrets are wiped when the last user of them is done.
    ///
    /// # Errors
    /// [`Error::Disk`], [`Error::ReadOnly`]: it is still held.
    pub async fn remove(&self, turn: &Turn) -> Result<(), Error> {
        if turn.slot.known().at.is_some() {
            turn.blocking(|shared, slot, _| shared.take_away(slot)).await?;
        }
        self.shared.slots_mut().retain(|slot| slot.id != turn.slot.id);
        Ok(())
    }

    /// Gives a credential another name.
    ///
    /// # Errors
    /// [`Error::NameTaken`], [`Error::BadName`], [`Error::Disk`].
    pub async fn rename(&self, turn: &Turn, name: &str) -> Result<(), Error> {
        if !is_name(name) {
            return Err(Error::BadName);
        }
        let _names = self.shared.names.lock().await;
        match self.find(name) {
            Some(id) if id == turn.slot.id => return Ok(()),
            Some(_) => return Err(Error::NameTaken(name.to_owned())),
            None => {}
        }
        if turn.slot.known().at.is_some() {
            let name = name.to_owned();
            return turn.blocking(move |shared, slot, _| shared.move_file(slot, &name)).await;
        }
        let mut known = turn.slot.known();
        known.name = name.to_owned();
        if let Some(value) = &mut known.value {
            value.name = name.to_owned();
        }
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
        self.shared.all_in_full().into_iter().find_map(|credential| {
            let holds = current(&credential).is_some_and(|copy| copy == value)
                || credential.access.iter().any(|(_, access)| access.value == *value);
            holds.then_some(credential.id)
        })
    }

    /// Whether a newer copy of `value` is held here: then `value` must not be sent (design.md §5).
    ///
    /// `family` are a mytoken's own claims, where it carries any: a lower sequence number of the same
    /// `mom_id` is stale too, also where we never saw it rotate.
    #[must_use]
    pub fn newer_than(&self, value: &Secret, family: Option<(&str, u64)>) -> Option<Newer> {
        let print = self.fingerprint(value);
        self.shared.all_with_a_past(family.is_some()).into_iter().find_map(|credential| {
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
                id: credential.id.clone(),
                name: credential.name.clone(),
                number: copy.number,
            })
        })
    }

    /// The fingerprint of a value.
    #[must_use]
    pub fn fingerprint(&self, value: &Secret) -> Fingerprint {
        self.fingerprint_key().of(value)
    }

    /// Writes down what happened.
    pub fn note(&self, event: Event) {
        self.shared.history.note(event);
    }

    /// What was done, the newest first: by this session, and since the first [`Store::refresh`] by others too. Reads nothing.
    #[must_use]
    pub fn journal(&self) -> Arc<[Event]> {
        self.shared.history.newest(history::MOST)
    }

    /// What was done with one mytoken, by its id at its server, held or not; as for [`Store::history_of`].
    #[must_use]
    pub fn history_about(&self, mom_id: &str, limit: usize) -> Vec<Event> {
        self.shared.history.about(mom_id, limit)
    }

    /// What was done with one credential, by whomever and in any session, the newest first and at most `limit`. Reads up to
    /// 8 MiB.
    #[must_use]
    pub fn history_of(&self, id: &CredentialId, limit: usize) -> Vec<Event> {
        self.shared.history.of(&id.0, limit)
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
mod tests;
