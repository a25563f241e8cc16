//! The store as a whole: made, unlocked, locked, guarded, and how it stands.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use super::disk::replace;
use super::keys::Keys;
use super::keys::SESSION;
use super::list::Entry;
use super::lock::LONGEST;
use super::seal::Key;
use super::shared::{Home, Mode, Shared, label};
use super::slot::Turn;
use super::turn::{RESERVE, tell};
use super::{Errand, Error, SESSION_KEY, Store, folder, lock};
use crate::domain::credential::Custody;
use crate::domain::time::later;
use crate::domain::vault::{Access, Guard, Opening, Vault};

impl Store {
    /// How the store stands.
    #[must_use]
    pub fn vault(&self) -> Vault {
        let unsaved = self.shared.slots().iter().filter(|slot| slot.known().unsaved.is_some()).count();
        let state = self.shared.state();
        Vault {
            access: match &state.mode {
                Mode::NoStore => Access::NoStore,
                Mode::MemoryOnly(why) => Access::MemoryOnly(why.clone()),
                Mode::Open => Access::Open { until: state.until },
                Mode::Locked => Access::Locked,
            },
            guards: state.keys.as_ref().map(Keys::guards).unwrap_or_default(),
            read_only: state.read_only.clone(),
            unsaved,
            no_session: state.no_session.clone(),
            keyring: state.keyring,
            folder: self.shared.home.as_ref().map(|home| home.paths.folder().to_owned()),
        }
    }

    /// Asks whether the desktop's keyring answers here, for the first question. It may take two seconds.
    pub async fn ask_keyring(&self) -> bool {
        let shared = Arc::clone(&self.shared);
        let asked = tokio::task::spawn_blocking(move || {
            let answers = shared.home.as_ref().is_some_and(|home| home.place.keyring.answers());
            shared.state_mut().keyring = Some(answers);
            answers
        });
        asked.await.unwrap_or(false)
    }

    /// Makes the store on disk, guarded so, opens it, and takes in what was held in memory until now.
    ///
    /// # Errors
    /// [`Error::StoreExists`], [`Error::Keyring`], [`Error::Disk`].
    pub async fn create(&self, opening: Opening) -> Result<(), Error> {
        self.blocking(move |shared, home| shared.create(home, &opening)).await?;
        self.save_again().await;
        Ok(())
    }

    /// The user wants no store: what is held stays in memory, and nobody asks again.
    pub fn stay_in_memory(&self) {
        let mut state = self.shared.state_mut();
        if state.mode == Mode::NoStore {
            state.mode = Mode::MemoryOnly(None);
        }
    }

    /// How long to wait before the next try with a passphrase: longer and longer after wrong ones, ten seconds at the most. The waiting is
    /// the caller's.
    #[must_use]
    pub fn wait_before_try(&self) -> Duration {
        self.shared.tries.wait()
    }

    /// Opens the store for this session.
    ///
    /// # Errors
    /// [`Error::DoesNotOpen`] for a wrong passphrase, [`Error::NotGuardedSo`], [`Error::Keyring`].
    pub async fn unlock(&self, opening: Opening) -> Result<(), Error> {
        self.blocking(move |shared, home| shared.unlock(home, &opening)).await?;
        self.save_again().await;
        Ok(())
    }

    /// Forgets the keys and all secrets in memory, here and in the session's keyring: other programs find it locked too.
    pub fn lock(&self) {
        let Some(home) = &self.shared.home else { return };
        let store = self.shared.state().keys.as_ref().map(|keys| keys.store().to_owned());
        let Some(store) = store else { return };
        home.place.session.forget(&label(&store));
        self.shared.forget_secrets();
        tell(home, &[Entry::turned()]);
    }

    /// Guards the data key by `opening` too, or instead of what guards it in the same way now.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::Keyring`], [`Error::Disk`].
    pub async fn guard(&self, opening: Opening) -> Result<(), Error> {
        self.blocking(move |shared, home| {
            shared.change_keys(home, |keys, data| {
                keys.guard(&opening, data, &*home.place.keyring, &home.place.key_file)
            })
        })
        .await
    }

    /// Takes a guard away; the last one stays.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::NotGuardedSo`], [`Error::LastGuard`], [`Error::Disk`].
    pub async fn unguard(&self, guard: Guard) -> Result<(), Error> {
        self.blocking(move |shared, home| {
            shared.change_keys(home, |keys, _| keys.remove(guard))?;
            if guard == Guard::Keyring
                && let Some(keys) = &shared.state().keys
            {
                // It opens nothing any more: that it stays behind would be untidy, and no danger.
                drop(home.place.keyring.forget(keys.store()));
            }
            Ok(())
        })
        .await
    }

    /// The lock of something that is no credential and that one program at a time does, such as a login; `None`: nothing is kept on disk.
    #[must_use]
    pub fn errand(&self, name: &str) -> Option<Errand> {
        let home = self.shared.home.as_ref().filter(|_| self.shared.state().keys.is_some())?;
        Some(Errand::new(home.asking(name)))
    }

    /// Tries again to write what could not be written. How many values are still unsaved.
    pub async fn save_again(&self) -> usize {
        for slot in self.shared.slots() {
            let open = self.shared.is_open();
            let wanted = {
                let known = slot.known();
                let alone = known.value.as_ref().is_some_and(|value| value.custody == Custody::MemoryOnly);
                let session = known.under == SESSION_KEY && known.value.is_some();
                known.unsaved.is_some() || (open && ((known.at.is_none() && alone) || session))
            };
            if !wanted || self.shared.home.is_none() {
                continue;
            }
            // Who has the turn now saves by himself.
            let Ok(guard) = Arc::clone(&slot.turn).try_lock_owned() else { continue };
            let Ok(lock) = self.shared.file_lock(&slot).await else { continue };
            let turn = Turn::new(slot, &self.shared, lock, guard);
            let written = turn.blocking(|shared, slot, locked| {
                let Some(value) = slot.known().value.clone() else { return Ok(()) };
                if shared.is_open() && slot.known().under == SESSION_KEY {
                    // The store's key takes the place of the session's.
                    (slot.known().key, slot.known().wrapped) = (None, String::new());
                }
                shared.write(slot, value, locked)
            });
            if written.await.is_err() {
                let kept = turn.hold.lock.clone();
                turn.slot.known().kept = kept;
            }
        }
        self.vault().unsaved
    }

    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared, &Home) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let shared = Arc::clone(&self.shared);
        let task = tokio::task::spawn_blocking(move || {
            let home = shared.home.as_ref().ok_or(Error::NoStore)?;
            work(&shared, home)
        });
        task.await
            .unwrap_or_else(|_| Err(Error::Disk("the task broke off; this is a bug in toktui".to_owned())))
    }
}

impl Shared {
    /// Looks for the file `keys`, and for its data key in this session.
    pub(super) fn find_keys(&self) -> Result<(), Error> {
        let Some(home) = &self.home else { return Ok(()) };
        let bytes = home.disk.read(&home.paths.keys(), 0).map_err(|error| cannot("read", &error))?;
        let Some(bytes) = bytes else { return Ok(()) };
        match Keys::read(&bytes) {
            Ok(keys) => {
                let mut state = self.state_mut();
                (state.mode, state.keys) = (Mode::Locked, Some(keys));
                drop(state);
                self.history.keep_in(home.paths.folder(), true);
                self.look_for_session();
            }
            Err(error) => {
                // Names and ends can be read all the same.
                let mut state = self.state_mut();
                (state.mode, state.read_only) = (Mode::Locked, Some(error.to_string()));
                drop(state);
                self.history.keep_in(home.paths.folder(), false);
            }
        }
        Ok(())
    }

    /// Opens the store with the session's key, or locks it where there is none any more. Whether that changed anything.
    pub(super) fn look_for_session(&self) -> bool {
        let (Some(home), Some(store)) =
            (&self.home, self.state().keys.as_ref().map(|keys| keys.store().to_owned()))
        else {
            return false;
        };
        let before = self.state().mode.clone();
        let answer = if home.place.session_allowed {
            home.place.session.key(&label(&store))
        } else {
            Err("it was not allowed for this user".to_owned())
        };
        match answer {
            Ok(Some(key)) => {
                self.opened(home, key);
                self.state_mut().no_session = None;
            }
            Ok(None) => {
                self.state_mut().no_session = None;
                self.forget_secrets();
            }
            Err(why) => self.state_mut().no_session = Some(why),
        }
        self.state().mode != before
    }

    /// Use extends the session, but need not do so every second.
    pub(super) fn extend_session(&self, home: &Home) {
        const ENOUGH: SignedDuration = SignedDuration::from_secs(60);
        let wanted = later(home.place.clock.now(), SESSION.try_into().unwrap_or_default());
        let store = {
            let state = self.state();
            let late = state.until.is_some_and(|until| wanted.duration_since(until) > ENOUGH);
            state.keys.as_ref().filter(|_| late).map(|keys| keys.store().to_owned())
        };
        if let Some(store) = store
            && let Ok(Some(_)) = home.place.session.key(&label(&store))
        {
            self.state_mut().until = Some(wanted);
        }
    }

    fn opened(&self, home: &Home, key: Key) {
        let mut state = self.state_mut();
        state.prints = Arc::new(key.fingerprints());
        state.until = Some(later(home.place.clock.now(), SESSION.try_into().unwrap_or_default()));
        (state.mode, state.data) = (Mode::Open, Some(key));
    }

    /// Keeps the data key for this session.
    fn keep_for_session(&self, home: &Home, store: &str, key: &Key) {
        let kept = if home.place.session_allowed {
            home.place.session.keep(&label(store), key)
        } else {
            Err("it was not allowed for this user".to_owned())
        };
        let mut state = self.state_mut();
        if let Err(why) = kept {
            (state.until, state.no_session) = (None, Some(why));
        } else {
            state.no_session = None;
        }
    }

    /// Wipes the data key and all that it opened. What is nowhere but in this memory stays.
    fn forget_secrets(&self) {
        {
            let mut state = self.state_mut();
            (state.mode, state.data, state.until) = (Mode::Locked, None, None);
        }
        for slot in self.slots() {
            // Whoever has the turn may be waiting for an answer that must be sealed: the end of the turn wipes it.
            if slot.turn.try_lock().is_ok() {
                slot.forget_secrets();
            }
        }
    }

    fn create(&self, home: &Home, opening: &Opening) -> Result<(), Error> {
        folder::make(&home.paths)?;
        let _lock = lock::soon(&home.paths.locks().join("store"), LONGEST)?;
        if home.disk.stamp(&home.paths.keys()).map_err(|error| cannot("read", &error))?.is_some() {
            return Err(Error::StoreExists);
        }
        let data = match &self.state().data {
            Some(data) => data.duplicate(),
            None => Key::random()?,
        };
        let store = super::fresh_id()?.0;
        let keys = Keys::make(&store, opening, &data, &*home.place.keyring, &home.place.key_file)?;
        replace(&*home.disk, &home.paths.temporary("keys"), &home.paths.keys(), &keys.to_bytes())
            .map_err(|error| cannot("write", &error))?;
        // A store without it is one all the same: whoever needs it makes it.
        drop(home.disk.reserve(&home.paths.reserve(), RESERVE));
        self.state_mut().keys = Some(keys);
        self.opened(home, data.duplicate());
        self.keep_for_session(home, &store, &data);
        self.history.keep_in(home.paths.folder(), true);
        Ok(())
    }

    fn unlock(&self, home: &Home, opening: &Opening) -> Result<(), Error> {
        let bytes = home.disk.read(&home.paths.keys(), 0).map_err(|error| cannot("read", &error))?;
        let keys = Keys::read(&bytes.ok_or(Error::NoStore)?)?;
        let opened = keys.open(opening, &*home.place.keyring);
        if opening.guard() == Guard::Passphrase {
            self.tries.count(&opened);
        }
        let data = opened?;
        let store = keys.store().to_owned();
        self.state_mut().keys = Some(keys);
        self.opened(home, data.duplicate());
        self.keep_for_session(home, &store, &data);
        tell(home, &[Entry::turned()]);
        Ok(())
    }

    fn change_keys(
        &self,
        home: &Home,
        change: impl FnOnce(&mut Keys, &Key) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let data = {
            let state = self.state();
            match (&state.mode, &state.data) {
                (Mode::Open, Some(data)) => data.duplicate(),
                (Mode::NoStore | Mode::MemoryOnly(_), _) => return Err(Error::NoStore),
                _ => return Err(Error::Locked),
            }
        };
        let _lock = lock::soon(&home.paths.locks().join("store"), LONGEST)?;
        // Another program may have changed them since.
        let bytes = home.disk.read(&home.paths.keys(), 0).map_err(|error| cannot("read", &error))?;
        let mut keys = Keys::read(&bytes.ok_or(Error::NoStore)?)?;
        change(&mut keys, &data)?;
        replace(&*home.disk, &home.paths.temporary("keys"), &home.paths.keys(), &keys.to_bytes())
            .map_err(|error| cannot("write", &error))?;
        self.state_mut().keys = Some(keys);
        Ok(())
    }
}

fn cannot(doing: &str, error: &std::io::Error) -> Error {
    Error::Disk(format!("cannot {doing} the store's keys: {}", folder::words(error)))
}
