//! Changing one credential: an intent before the request, the new state before anybody sees what came.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Map;
use tokio::sync::OwnedMutexGuard;

use super::codec::{Intent, Row};
use super::disk::{parent, replace};
use super::list::Entry;
use super::lock::Lock;
use super::seal::Key;
use super::shared::{Home, Mode, Shared, open_part, read_file};
use super::slot::{At, Hold, Known, Slot, Turn, matters};
use super::{Error, SESSION_KEY, file, folder, list, lock};
use crate::domain::credential::{Credential, Custody, Grant};
use crate::domain::time::from_epoch;

/// What is given up when an answer must be written and the disk is full, in bytes.
pub(super) const RESERVE: u64 = 64 << 10;

impl Turn {
    pub(super) fn new(
        slot: Arc<Slot>,
        shared: &Arc<Shared>,
        lock: Option<Arc<Lock>>,
        turn: OwnedMutexGuard<()>,
    ) -> Self {
        let hold = Hold { slot: Arc::clone(&slot), shared: Arc::clone(shared), lock, _turn: turn };
        Self { slot, shared: Arc::clone(shared), hold: Arc::new(hold) }
    }

    /// The credential, as it is now that the turn is ours.
    #[must_use]
    pub fn read(&self) -> Credential {
        let value = self.slot.known().value.clone();
        value.unwrap_or_else(|| self.slot.stand_in())
    }

    /// The same, after another look at the disk: somebody may have written there although the turn is ours, where locks do not hold.
    pub async fn read_again(&self) -> Credential {
        if self.slot.known().at.is_some() {
            // What cannot be read again is what it was.
            drop(self.blocking(Shared::catch_up).await);
        }
        self.read()
    }

    /// Says that a request is about to be sent whose answer may replace the secret, and makes sure that there is room for the answer.
    /// When this returns that is on disk. [`Turn::save`] settles it.
    ///
    /// # Errors
    /// [`Error::NoRoom`], [`Error::FakeLocks`], [`Error::ReadOnly`]: the request must not be sent.
    pub async fn intend(&self) -> Result<(), Error> {
        if self.slot.known().at.is_none() {
            return Ok(());
        }
        self.blocking(Shared::intend).await
    }

    /// Saves a change. When this returns it is kept: on disk, if there is a store.
    ///
    /// # Errors
    /// [`Error::NotSaved`]: the value is kept in memory, marked unsaved, and tried again; it must not be handed out as if nothing had happened.
    pub async fn save(&self, credential: Credential) -> Result<(), Error> {
        if self.slot.known().at.is_none() && !self.shared.is_open() {
            let mut known = self.slot.known();
            known.name = credential.name.clone();
            known.value = Some(credential);
            return Ok(());
        }
        let hold = Arc::clone(&self.hold);
        self.blocking(move |shared, slot, locked| {
            let result = shared.write(slot, credential, locked);
            if result.is_err() && slot.known().unsaved.is_some() {
                // What is on disk may be a value that no longer works: nobody else may try it.
                slot.known().kept = hold.lock.clone();
            }
            result
        })
        .await
    }

    /// Runs to its end even if the caller goes away, and holds the turn until then.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared, &Slot, bool) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (shared, slot, hold) = (Arc::clone(&self.shared), Arc::clone(&self.slot), Arc::clone(&self.hold));
        let task = tokio::task::spawn_blocking(move || {
            let result = work(&shared, &slot, hold.lock.is_some());
            drop(hold);
            result
        });
        task.await
            .unwrap_or_else(|_| Err(Error::Disk("the task broke off; this is a bug in toktui".to_owned())))
    }
}

impl Shared {
    fn intend(&self, slot: &Slot, locked: bool) -> Result<(), Error> {
        let Some(home) = &self.home else { return Ok(()) };
        if let Some(why) = self.state().read_only.clone() {
            return Err(Error::ReadOnly(why));
        }
        if let Some(error) = self.state().no_locks.clone() {
            return Err(error);
        }
        if !locked {
            return Err(Error::ReadOnly("its lock cannot be taken".to_owned()));
        }
        if let Some(why) = folder::fake_locks(home.paths.folder()) {
            return Err(Error::FakeLocks(why));
        }
        if let Some(why) = slot.known().unsaved.clone() {
            return Err(Error::NoRoom(why));
        }
        reserve(home)?;
        make_sure(home, slot);
        let (at, open, key) = {
            let known = slot.known();
            let (Some(at), Some(key)) = (known.at, &known.key) else { return Err(Error::Locked) };
            (at, open_part(&slot.id, at.number + 1, "", ""), key.duplicate())
        };
        // Whole seconds: nobody asks for more of it, and one intent is as long as another.
        let at_second = from_epoch(home.place.clock.now().as_second());
        let line = file::intent_line(&open, &key, Intent { at: at_second })?;
        let path = home.paths.token(&slot.known().name.clone());
        if let Err(error) = home.disk.append(&path, at.end, &line, true) {
            slot.known().unsure = true;
            return Err(refused(&error));
        }
        let mut known = slot.known();
        known.at = Some(At { number: open.n, end: at.end + line.len() as u64, ..at });
        known.sure = open.n;
        known.intent = true;
        Ok(())
    }

    /// Writes a credential down, and keeps it in memory whatever comes of that.
    pub(super) fn write(&self, slot: &Slot, mut credential: Credential, locked: bool) -> Result<(), Error> {
        let bad = slot.known().bad.clone();
        if let Some(error) = bad {
            // What cannot be read is replaced by something whole only: never by what merely stands for it.
            let nothing = matches!(credential.grant, Grant::Bare) && credential.access.is_empty();
            if nothing || matches!(error, Error::ReadOnly(_)) {
                return Err(error);
            }
            let mut known = slot.known();
            known.at = known.at.map(|at| At { mend: true, ..at });
        }
        // Without locks at all there is nothing better; where ours alone cannot be had, somebody else may be writing.
        let alone = locked || slot.known().at.is_none() || self.state().no_locks.is_some();
        let result = match &self.home {
            Some(_) if !alone => Err(Error::ReadOnly("its lock cannot be taken".to_owned())),
            Some(home) => self.put_down(home, slot, &credential),
            None => Ok(()),
        };
        let mut known = slot.known();
        known.name = credential.name.clone();
        known.doubt = None;
        known.bad = None;
        let result = match result {
            Ok(()) => {
                credential.custody = match (known.under.as_str(), known.at) {
                    (_, None) => Custody::MemoryOnly,
                    (SESSION_KEY, _) => Custody::Session,
                    _ => self.custody(),
                };
                (known.unsaved, known.kept, known.intent) = (None, None, false);
                Ok(())
            }
            Err(error) => {
                let why = match error {
                    Error::NotSaved(why) | Error::NoRoom(why) | Error::ReadOnly(why) | Error::Disk(why) => {
                        why
                    }
                    other => other.to_string(),
                };
                credential.custody = Custody::Unsaved(why.clone());
                known.unsaved = Some(why.clone());
                Err(Error::NotSaved(why))
            }
        };
        known.value = Some(credential);
        result
    }

    /// Writes down again what stands on disk already.
    pub(super) fn put_down_quietly(&self, slot: &Slot, credential: &Credential) -> Result<(), Error> {
        let Some(home) = &self.home else { return Ok(()) };
        self.put_down(home, slot, credential)?;
        slot.known().doubt = None;
        Ok(())
    }

    fn put_down(&self, home: &Home, slot: &Slot, credential: &Credential) -> Result<(), Error> {
        make_sure(home, slot);
        let (at, before, intent, more, row_more) = {
            let known = slot.known();
            let row_more = known.row.as_ref().map(|row| row.more.clone()).unwrap_or_default();
            (
                known.at,
                known.value.clone(),
                known.intent || known.unsaved.is_some(),
                known.more.clone(),
                row_more,
            )
        };
        let Some((own, under, wrapped)) = self.own_key(slot, credential)? else {
            return if at.is_some() { Err(Error::Locked) } else { Ok(()) };
        };
        let row = Row::of(credential, row_more);
        let mut open = open_part(&slot.id, at.map_or(1, |at| at.number + 1), &under, &wrapped);
        open.state = Some(row.clone());
        let line = file::state_line(&open, &own, credential, more)?;
        let length = line.len() as u64;
        let sync = intent || before.is_none_or(|before| matters(&before, credential));
        let after = with_room(home, || match at {
            None => add_file(home, &credential.name, &slot.id.0, &line),
            Some(at) if at.mend || at.end + length > file::LONGEST => anew(home, slot, credential, &line, at),
            Some(at) => home
                .disk
                .append(&home.paths.token(&credential.name), at.end, &line, sync)
                .map(|()| at.end + length),
        })
        .map_err(|error| {
            slot.known().unsure = true;
            Error::NotSaved(folder::words(&error))
        })?;
        let number = open.n;
        let mut known = slot.known();
        if sync || at.is_none() {
            known.sure = number;
        }
        let sure = known.sure;
        drop(known);
        tell(home, &[Entry::of(&open, &row, after, sure)]);
        let mut known = slot.known();
        known.row = Some(row);
        known.at = Some(At { number, end: after, file: at.map_or(0, |at| at.file), mend: false });
        (known.key, known.under, known.wrapped) = (Some(own), under, wrapped);
        Ok(())
    }

    /// The credential's own key, and under which key it is wrapped; `None`: it is not kept on disk.
    fn own_key(&self, slot: &Slot, credential: &Credential) -> Result<Option<(Key, String, String)>, Error> {
        {
            let known = slot.known();
            if let (Some(key), false) = (&known.key, known.wrapped.is_empty()) {
                return Ok(Some((key.duplicate(), known.under.clone(), known.wrapped.clone())));
            }
        }
        let Some((under, wrapping)) = self.wrapping_for_new(credential) else { return Ok(None) };
        let own = Key::random()?;
        let wrapped = file::wrapped(&own, &slot.id, &wrapping)?;
        Ok(Some((own, under, wrapped)))
    }

    /// Under which key a new credential goes to disk; `None`: it stays in memory.
    pub(super) fn wrapping_for_new(&self, credential: &Credential) -> Option<(String, Key)> {
        {
            let state = self.state();
            match (&state.mode, &state.keys, &state.data) {
                (Mode::Open, Some(keys), Some(data)) => {
                    return Some((keys.store().to_owned(), data.duplicate()));
                }
                (Mode::NoStore, ..) if matches!(credential.grant, Grant::Bare) => {}
                _ => return None,
            }
        }
        Some((SESSION_KEY.to_owned(), self.make_session_key()?))
    }

    /// Lets go of a credential's file.
    pub(super) fn take_away(&self, slot: &Slot) -> Result<(), Error> {
        let (name, at, bad) = {
            let known = slot.known();
            (known.name.clone(), known.at, known.bad.is_some())
        };
        let (Some(home), Some(at)) = (&self.home, at) else { return Ok(()) };
        let path = home.paths.token(&name);
        if bad || at.mend {
            set_aside(home, &name, at.number);
        }
        home.disk
            .remove(&path)
            .and_then(|()| home.disk.sync_folder(parent(&path)))
            .map_err(|error| refused(&error))?;
        tell(home, &[Entry::gone(&slot.id.0, at.number + 1)]);
        Ok(())
    }

    /// Gives a credential's file another name.
    pub(super) fn move_file(&self, slot: &Slot, name: &str) -> Result<(), Error> {
        let (Some(home), Some(credential)) = (&self.home, slot.known().value.clone()) else {
            return Err(Error::Locked);
        };
        let _lock = lock::soon(&home.paths.locks().join("store"), lock::LONGEST)?;
        if matches!(home.disk.stamp(&home.paths.token(name)), Ok(Some(_))) {
            return Err(Error::NameTaken(name.to_owned()));
        }
        let (old, more, row_more) = {
            let known = slot.known();
            let row_more = known.row.as_ref().map(|row| row.more.clone()).unwrap_or_default();
            (known.name.clone(), known.more.clone(), row_more)
        };
        make_sure(home, slot);
        let Some(at) = slot.known().at else { return Ok(()) };
        let Some((own, under, wrapped)) = self.own_key(slot, &credential)? else { return Ok(()) };
        let credential = Credential { name: name.to_owned(), ..credential };
        let mut row = Row::of(&credential, row_more);
        row.was = Some(old.clone());
        let mut open = open_part(&slot.id, at.number + 1, &under, &wrapped);
        open.state = Some(row.clone());
        let line = file::state_line(&open, &own, &credential, more)?;
        // First a record that may stand under either name, then the name: a crash between leaves the old one.
        let (from, to) = (home.paths.token(&old), home.paths.token(name));
        if let Err(error) = home.disk.append(&from, at.end, &line, true) {
            slot.known().unsure = true;
            return Err(refused(&error));
        }
        let end = at.end + line.len() as u64;
        slot.known().at = Some(At { number: open.n, end, ..at });
        home.disk
            .rename(&from, &to)
            .and_then(|()| home.disk.sync_folder(parent(&to)))
            .map_err(|error| refused(&error))?;
        row.was = None;
        tell(home, &[Entry::of(&open, &row, end, open.n)]);
        let mut known = slot.known();
        known.sure = open.n;
        (known.name, known.row, known.value) = (name.to_owned(), Some(row), Some(credential));
        Ok(())
    }
}

/// Why a credential has no file where its name belongs to another one.
pub(super) const TAKEN: &str = "another token has this name now";

/// How long the list's lock is waited for.
const PATIENCE: Duration = Duration::from_millis(100);

/// Makes sure that there is room for an answer.
pub(super) fn reserve(home: &Home) -> Result<(), Error> {
    let path = home.paths.reserve();
    match home.disk.stamp(&path) {
        Ok(Some(stamp)) if stamp.length == RESERVE => Ok(()),
        _ => home.disk.reserve(&path, RESERVE).map_err(|error| refused(&error)),
    }
}

/// Tries to write; on a full disk once more, after giving up what was put by for that.
pub(super) fn with_room<T>(home: &Home, write: impl Fn() -> io::Result<T>) -> io::Result<T> {
    let first = write();
    match &first {
        Err(error) if is_full(error) && home.disk.remove(&home.paths.reserve()).is_ok() => write(),
        _ => first,
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Makes the file of a new credential.
fn add_file(home: &Home, name: &str, id: &str, line: &[u8]) -> io::Result<u64> {
    // Names are given under this lock only.
    let _lock = lock::soon(&home.paths.locks().join("store"), lock::LONGEST).map_err(io::Error::other)?;
    let path = home.paths.token(name);
    if home.disk.stamp(&path)?.is_some() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, TAKEN));
    }
    replace(&*home.disk, &home.paths.temporary(id), &path, line)?;
    Ok(line.len() as u64)
}

/// Why nothing may be sent.
fn refused(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            Error::ReadOnly(folder::words(error))
        }
        _ => Error::NoRoom(folder::words(error)),
    }
}

/// After a write that failed half-way: what number the last record has now, and where the next one goes.
fn make_sure(home: &Home, slot: &Slot) {
    let (name, at) = {
        let known = slot.known();
        let Some(at) = known.at.filter(|_| known.unsure) else { return };
        (known.name.clone(), at)
    };
    let found = read_file(home, &name).map(|(_, at)| at);
    let mut known = slot.known();
    known.at = Some(match found {
        Ok(found) => At { number: found.number.max(at.number), ..found },
        // It is written anew, with a number above all that was.
        Err(_) => At { number: at.number + 1, mend: true, ..at },
    });
    known.unsure = false;
}

/// Writes a file anew with one record in it. What does not read goes to `damaged/` first.
fn anew(home: &Home, slot: &Slot, credential: &Credential, line: &[u8], at: At) -> io::Result<u64> {
    let path = home.paths.token(&credential.name);
    if (at.mend || has_damage(home, &credential.name))
        && set_aside(home, &credential.name, at.number).is_none()
    {
        // Then they stay where they are, and the record comes after them.
        let length = home.disk.stamp(&path)?.map_or(0, |stamp| stamp.length);
        let bytes = [b"\n", line].concat();
        home.disk.append(&path, length, &bytes, true)?;
        return Ok(length + bytes.len() as u64);
    }
    replace(&*home.disk, &home.paths.temporary(&slot.id.0), &path, line)?;
    Ok(line.len() as u64)
}

fn has_damage(home: &Home, name: &str) -> bool {
    let bytes = home.disk.read(&home.paths.token(name), 0).ok().flatten().unwrap_or_default();
    super::record::backwards(&bytes).any(|piece| !matches!(piece, super::record::Piece::Whole(_)))
}

/// Copies a file whose bytes do not all read.
fn set_aside(home: &Home, name: &str, number: u64) -> Option<()> {
    let bytes = home.disk.read(&home.paths.token(name), 0).ok()??;
    let when = home.place.clock.now().strftime("%Y%m%dT%H%M%S");
    let path = home.paths.damaged().join(format!("{name}.{number}.{when}"));
    home.disk.put(&path, &bytes).ok()
}

/// Adds lines to the list. It is a cache: that it fails, or that somebody sits on its lock, harms nobody for long.
pub(super) fn tell(home: &Home, entries: &[Entry]) {
    let Ok(_lock) = lock::soon(&home.paths.locks().join("list"), PATIENCE) else { return };
    drop(list::tell(&*home.disk, &home.paths, entries));
}

/// Known of a credential that was just made.
pub(super) fn fresh(credential: Credential) -> Known {
    Known { name: credential.name.clone(), value: Some(credential), more: Map::new(), ..Known::default() }
}
