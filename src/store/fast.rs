//! One access token for one command, without a runtime: one look at the folder, one file, one question to the session's keeper.
//!
//! The list, the keys' file, the history and all other credentials are left alone, so this costs the same however many are held.

use std::path::Path;
use std::sync::mpsc;

use jiff::Timestamp;

use super::disk::{Disk as _, Paths, RealDisk};
use super::keys::Session;
use super::lock::{self, Asking, LONGEST, Lock};
use super::shared::{bare_label, label};
use super::slot::put_right;
use super::{Error, SESSION_KEY, file, folder, is_name};
use crate::domain::credential::{Credential, CredentialId, Custody};
use crate::domain::time::Clock;

/// The credential of this name, if it can be had without waiting or asking. `None`: there is none of that name, or the session has
/// no key for it, or its file is not as it should be: the long way says which.
///
/// # Errors
/// [`Error::Unsafe`] where others could read or change the folder.
pub fn at_hand(
    folder: &Path,
    name: &str,
    session: &dyn Session,
    clock: &dyn Clock,
) -> Result<Option<Credential>, Error> {
    if !is_name(name) || !folder::check(folder)? {
        return Ok(None);
    }
    Ok(look(&Paths::of(folder), name, session, clock))
}

fn look(paths: &Paths, name: &str, session: &dyn Session, clock: &dyn Clock) -> Option<Credential> {
    let read = || file::read(&RealDisk.read(&paths.token(name), 0).ok()??, name).ok();
    let mut found = read()?;
    if found.doubt.is_some() {
        if lock::is_held(&paths.locks().join(&found.state.open.id)) {
            // Somebody is at work with it: what stands before that is good.
            found.doubt = None;
        } else {
            found = read()?;
        }
    }
    let under = found.state.open.under.as_str();
    let bare = under == SESSION_KEY;
    let keeper = if bare { bare_label(paths.folder()) } else { label(under) };
    let wrapping = session.key(&keeper).ok()??;
    let own = found.state.key(&wrapping).ok()?;
    let (mut credential, _) = found.state.opened(&own).ok()?;
    if bare {
        credential.custody = Custody::Session;
    }
    if let Some(doubt) = found.doubt {
        credential.health = doubt.over(credential.health);
    }
    put_right(&mut credential, clock);
    Some(credential)
}

/// Waits for the turn of a credential as [`super::Store::turn`] does, but without a runtime. Whoever had it before has perhaps done what was
/// wanted: look again ([`at_hand`]), and if there is something left to do, hand the lock to a store ([`super::Store::take_over`]).
///
/// # Errors
/// [`Error::Held`] with the name of whoever has had it for 30 seconds; [`Error::ReadOnly`], [`Error::FakeLocks`], [`Error::NoStore`],
/// [`Error::Disk`]: there are no turns here.
pub fn wait_turn(folder: &Path, id: &CredentialId, who: &str, now: Timestamp) -> Result<Lock, Error> {
    if !file::is_id(&id.0) {
        return Err(Error::Gone);
    }
    let asking = Asking { path: Paths::of(folder).locks().join(&id.0), who: who.to_owned(), now };
    if let Some(lock) = asking.attempt()? {
        return Ok(lock);
    }
    let (sender, receiver) = mpsc::channel();
    // A thread because the kernel's wait has no end that we could set. If it gets the lock after we gave up, the lock goes with the channel.
    let thread = {
        let asking = asking.clone();
        std::thread::Builder::new().name("lock".to_owned()).spawn(move || drop(sender.send(asking.wait())))
    };
    thread.map_err(|error| Error::Disk(folder::words(&error)))?;
    receiver.recv_timeout(LONGEST).unwrap_or_else(|_| Err(Error::Held(asking.held_too_long(LONGEST))))
}
