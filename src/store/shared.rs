//! What all parts of a store share: where it is, how it stands, and what is held.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use jiff::Timestamp;

use super::codec::Open;
use super::disk::{Disk, Paths};
use super::history::History;
use super::keys::{Keys, Tries};
use super::list::Position;
use super::lock::{Asking, Lock};
use super::place::Place;
use super::seal::Key;
use super::slot::{At, Known, Slot};
use super::{Error, SESSION_KEY, file, folder, lock};
use crate::domain::credential::{Credential, CredentialId, Custody, FingerprintKey};
use crate::domain::registration::Registration;
use crate::domain::vault::Guard;

/// The parts.
pub(super) struct Shared {
    /// `None`: in memory, for good.
    pub(super) home: Option<Home>,
    pub(super) slots: RwLock<Vec<Arc<Slot>>>,
    pub(super) state: RwLock<State>,
    /// Held while a name is given.
    pub(super) names: tokio::sync::Mutex<()>,
    pub(super) seen: Mutex<Seen>,
    /// A lock that was taken before there was a store, and whose.
    pub(super) handed: Mutex<Option<(CredentialId, Lock)>>,
    /// Registered clients that are in memory only.
    pub(super) clients: Mutex<Vec<Registration>>,
    pub(super) history: History,
    /// Wrong passphrases so far.
    pub(super) tries: Tries,
}

/// Where a store on disk is.
pub(super) struct Home {
    pub(super) place: Place,
    pub(super) paths: Paths,
    pub(super) disk: Arc<dyn Disk>,
}

/// How it stands.
pub(super) struct State {
    pub(super) mode: Mode,
    pub(super) keys: Option<Keys>,
    /// The store's data key; before there is a store, the one that it will have.
    pub(super) data: Option<Key>,
    pub(super) prints: Arc<FingerprintKey>,
    pub(super) until: Option<Timestamp>,
    pub(super) no_session: Option<String>,
    pub(super) read_only: Option<String>,
    /// Locks do not work here, and how that is known.
    pub(super) no_locks: Option<Error>,
    pub(super) keyring: Option<bool>,
}

/// Whether secrets can be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    NoStore,
    MemoryOnly(Option<String>),
    Open,
    Locked,
}

/// How far the list was read.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) list: Position,
    /// The list was read once.
    pub(super) listed: bool,
    /// Something was read since that the last view did not have.
    pub(super) differs: bool,
    /// Every file was compared with it once.
    pub(super) compared: bool,
}

impl Home {
    pub(super) fn asking(&self, name: &str) -> Asking {
        Asking {
            path: self.paths.locks().join(name),
            who: self.place.who.clone(),
            now: self.place.clock.now(),
        }
    }
}

impl Shared {
    pub(super) fn slots(&self) -> Vec<Arc<Slot>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn slots_mut(&self) -> RwLockWriteGuard<'_, Vec<Arc<Slot>>> {
        self.slots.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn slot(&self, id: &CredentialId) -> Option<Arc<Slot>> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        slots.iter().find(|slot| slot.id == *id).cloned()
    }

    pub(super) fn named(&self, name: &str) -> Option<Arc<Slot>> {
        self.slots().into_iter().find(|slot| slot.known().name == name)
    }

    pub(super) fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn handed(&self) -> MutexGuard<'_, Option<(CredentialId, Lock)>> {
        self.handed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_locked(&self) -> bool {
        self.state().mode == Mode::Locked
    }

    pub(super) fn is_open(&self) -> bool {
        self.state().mode == Mode::Open
    }

    /// Where the credentials of this store are kept.
    pub(super) fn custody(&self) -> Custody {
        let state = self.state();
        match &state.keys {
            Some(keys) if keys.guards().contains(&Guard::KeyFile) => Custody::KeyFile,
            Some(_) => Custody::Sealed,
            None => Custody::MemoryOnly,
        }
    }

    /// The key by which credentials' own keys are wrapped, and what it is called.
    pub(super) fn wrapping(&self, under: &str) -> Result<Key, Error> {
        if under == SESSION_KEY {
            return self.session_key().ok_or(Error::SessionOver);
        }
        let state = self.state();
        match (&state.mode, &state.data, &state.keys) {
            (Mode::Open, Some(data), Some(keys)) if keys.store() == under => Ok(data.duplicate()),
            (Mode::Open, Some(_), Some(_)) => Err(Error::Damaged("another store sealed it".to_owned())),
            _ => Err(Error::Locked),
        }
    }

    /// The key of bare access tokens where there is no store, if this session has one.
    pub(super) fn session_key(&self) -> Option<Key> {
        let home = self.home.as_ref().filter(|home| home.place.session_allowed)?;
        home.place.session.key(&bare_label(home.paths.folder())).ok().flatten()
    }

    /// The same, made where there is none yet.
    pub(super) fn make_session_key(&self) -> Option<Key> {
        if let Some(key) = self.session_key() {
            return Some(key);
        }
        let home = self.home.as_ref().filter(|home| home.place.session_allowed)?;
        let key = Key::random().ok()?;
        home.place.session.keep(&bare_label(home.paths.folder()), &key).ok()?;
        Some(key)
    }

    /// A credential in full: from memory, else from its file.
    pub(super) fn load(&self, slot: &Slot) -> Result<Credential, Error> {
        if let Some(value) = &slot.known().value {
            return Ok(value.clone());
        }
        self.reread(slot, false)?;
        slot.known().value.clone().ok_or(Error::Gone)
    }

    /// Reads a credential's file. In the credential's turn nobody else can be at work with it.
    pub(super) fn reread(&self, slot: &Slot, in_turn: bool) -> Result<(), Error> {
        let home = self.home.as_ref().ok_or(Error::Gone)?;
        let name = slot.known().name.clone();
        let read = read_file(home, &name);
        let result = match read {
            Ok((found, at)) if found.state.id() == slot.id => {
                let settled = if in_turn { Some((found, at)) } else { settled(home, &name, found, at) };
                match settled {
                    Some((found, at)) if found.state.id() == slot.id => {
                        self.take_in(slot, &found, at, in_turn)
                    }
                    Some(_) | None => Err(Error::Gone),
                }
            }
            Ok(_) => Err(Error::Gone),
            Err(error) => Err(error),
        };
        if let Err(error) = &result
            && !matches!(error, Error::Locked | Error::Gone | Error::Disk(_))
        {
            let mut known = slot.known();
            known.bad = Some(error.clone());
            known.value = None;
        }
        result
    }

    /// What was found becomes what is known; its secrets too, if the store is open.
    pub(super) fn take_in(
        &self,
        slot: &Slot,
        found: &file::Found,
        at: At,
        in_turn: bool,
    ) -> Result<(), Error> {
        // The list remembers more than is there: the file has lost its end.
        let sure = slot.known().sure;
        let doubt = if at.number < sure { Some(file::Doubt::Damaged) } else { found.doubt };
        let at = At { number: at.number.max(sure), ..at };
        let doubt = doubt.map(|doubt| doubt.over(found.state.row.health()));
        {
            let known = slot.known();
            let newer = known.at.is_some_and(|known| known.number > at.number) && known.value.is_some();
            // While this was read, our own turn wrote something newer.
            if known.unsaved.is_some() || (newer && !in_turn) {
                return Ok(());
            }
        }
        self.seen().differs = true;
        {
            let mut known = slot.known();
            known.name = found.state.row.name.clone();
            known.row = Some(found.state.row.clone());
            known.doubt = doubt;
            known.wrapped = found.state.open.key.clone();
            known.under = found.state.open.under.clone();
            known.at = Some(at);
            known.bad = None;
        }
        let opened = self.wrapping(&found.state.open.under).and_then(|wrapping| {
            let own = found.state.key(&wrapping)?;
            let (credential, more) = found.state.opened(&own)?;
            Ok((credential, more, own))
        });
        let (mut credential, more, own) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                slot.known().value = None;
                return Err(error);
            }
        };
        credential.custody =
            if found.state.open.under == SESSION_KEY { Custody::Session } else { self.custody() };
        if let Some(home) = &self.home {
            super::slot::put_right(&mut credential, &*home.place.clock);
        }
        let mut known = slot.known();
        if let Some(doubt) = &known.doubt {
            credential.health = doubt.clone();
        }
        known.value = Some(credential);
        known.key = Some(own);
        known.more = more;
        Ok(())
    }

    /// The credential of this name by its file alone: the list is not asked.
    pub(super) fn look_for(&self, name: &str) -> Option<Arc<Slot>> {
        let home = self.home.as_ref().filter(|_| super::is_name(name))?;
        home.disk.stamp(&home.paths.token(name)).ok().flatten()?;
        self.meet(home, name)
    }

    /// Takes a file in that was not known, or has changed.
    pub(super) fn meet(&self, home: &Home, name: &str) -> Option<Arc<Slot>> {
        match read_file(home, name) {
            Ok((found, at)) => {
                let (found, at) = settled(home, name, found, at)?;
                let slot = self.slot_for(&found.state.id(), name);
                // Locked, or not to be opened: its readable part is known all the same.
                if let Err(error) = self.take_in(&slot, &found, at, false)
                    && !matches!(error, Error::Locked)
                {
                    slot.known().bad = Some(error);
                }
                Some(slot)
            }
            Err(Error::Gone | Error::Disk(_)) => None,
            Err(error) => {
                // The list may know whose it was.
                self.list_once();
                let slot = self
                    .named(name)
                    .unwrap_or_else(|| self.slot_for(&CredentialId(format!("bad.{name}")), name));
                let mut known = slot.known();
                if known.unsaved.is_some() {
                    drop(known);
                    return Some(slot);
                }
                known.value = None;
                known.at.get_or_insert_default();
                known.bad = Some(error);
                drop(known);
                Some(slot)
            }
        }
    }

    /// The slot of this id, a new one if it is not known.
    pub(super) fn slot_for(&self, id: &CredentialId, name: &str) -> Arc<Slot> {
        let mut slots = self.slots_mut();
        if let Some(slot) = slots.iter().find(|slot| slot.id == *id) {
            return Arc::clone(slot);
        }
        // What stood under this name and did not read has been mended, or another took its place.
        slots.retain(|slot| !(slot.id.0.starts_with("bad.") && slot.known().name == name));
        let slot = Slot::new(id.clone(), Known { name: name.to_owned(), ..Known::default() });
        slots.push(Arc::clone(&slot));
        slot
    }
}

/// The label under which the session keeps the key of bare access tokens for this folder.
pub(super) fn bare_label(folder: &Path) -> String {
    use base64::Engine as _;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, folder.as_os_str().as_encoded_bytes());
    let short = digest.as_ref().get(..12).unwrap_or_default();
    format!("toktui:bare:{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(short))
}

/// The label under which the session keeps a store's data key.
pub(super) fn label(store: &str) -> String {
    format!("toktui:{store}")
}

/// Reads and parses the file of this name.
pub(super) fn read_file(home: &Home, name: &str) -> Result<(file::Found, At), Error> {
    let path = home.paths.token(name);
    let failed = |error: std::io::Error| match error.kind() {
        // A link, a folder or a pipe in its place.
        std::io::ErrorKind::IsADirectory => Error::Damaged("there is no plain file".to_owned()),
        _ => Error::Disk(format!("cannot read {name}: {}", folder::words(&error))),
    };
    let stamp = home.disk.stamp(&path).map_err(failed)?.ok_or(Error::Gone)?;
    let bytes = home.disk.read(&path, 0).map_err(failed)?.ok_or(Error::Gone)?;
    let found = file::read(&bytes, name)?;
    let at = At { number: found.number, end: found.end, file: stamp.file, mend: found.mend };
    Ok((found, at))
}

/// Something stands behind the last state: while somebody holds the lock that is work in progress, and says nothing.
fn settled(home: &Home, name: &str, found: file::Found, at: At) -> Option<(file::Found, At)> {
    if found.doubt.is_none() {
        return Some((found, at));
    }
    let path = home.paths.locks().join(&found.state.open.id);
    if lock::is_held(&path) {
        // If whoever holds it dies, nothing in the file changes and all of it means something else: it is read again in any case.
        return Some((file::Found { doubt: None, ..found }, At { file: 0, ..at }));
    }
    // Whoever held it may have written between our reading and our asking.
    read_file(home, name).ok()
}

/// A record's first part.
pub(super) fn open_part(id: &CredentialId, number: u64, under: &str, wrapped: &str) -> Open {
    Open {
        v: super::codec::VERSION,
        id: id.0.clone(),
        n: number,
        under: under.to_owned(),
        key: wrapped.to_owned(),
        state: None,
        intent: None,
        gone: false,
    }
}
