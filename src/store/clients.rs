//! Clients that were registered from here: their secrets, and the tokens by which their registrations can be deleted.
//!
//! ```text
//! clients/ID    0600   {"v":1,"id":…,"under":…,"source":…,"issuer":…,"client":…,"at":…} TAB base64(sealed) TAB checksum LF
//! ```
//!
//! One file a registration, written once and whole. What is secret is sealed under the store's data key ([`seal`](super::seal)), bound to the first
//! part byte for byte. Two registrations never share a file, so that none takes another's token away. The board's list and the renewals of tokens
//! do not need them, and do not read them.

use std::sync::{MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::codec::{Hidden, wiped};
use super::disk::replace;
use super::seal::Key;
use super::shared::{Home, Mode, Shared};
use super::{Error, Store, folder, fresh_id, record, turn};
use crate::domain::registration::{Management, Registration};
use crate::domain::source::SourceId;

const VERSION: u32 = 1;
/// Room for one, in bytes; what the store puts by for answers is beside it.
const ROOM: usize = 16 << 10;

/// What can be read while the store is locked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Open {
    v: u32,
    id: String,
    under: String,
    source: String,
    issuer: String,
    client: String,
    at: Timestamp,
}

/// What cannot.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<Hidden>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret_ends: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<Hidden>,
}

impl Store {
    /// A word for a registration that is about to be asked for, and room for what comes of it.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::ReadOnly`], [`Error::NoRoom`]: nothing may be asked for now.
    pub async fn expect_registration(&self) -> Result<String, Error> {
        let id = fresh_id()?.0;
        if !self.kept_on_disk()? {
            return Ok(id);
        }
        let given = id.clone();
        let tried = self.blocking(move |_, home| {
            folder::make_one(&home.paths.clients())?;
            turn::reserve(home)?;
            let path = home.paths.temporary(&format!("client-{given}"));
            let tried = home.disk.put(&path, &[b'\n'; ROOM]).and_then(|()| home.disk.remove(&path));
            tried.map_err(|error| Error::NoRoom(folder::words(&error)))
        });
        tried.await.map(|()| id)
    }

    /// Keeps a registration. When this returns it is on disk, if there is a store; else in memory. Whether it is on disk.
    ///
    /// # Errors
    /// [`Error::Locked`], and [`Error::NotSaved`]: it is held in memory only.
    pub async fn keep_registration(&self, registration: Registration) -> Result<bool, Error> {
        let on_disk = self.kept_on_disk()?;
        let id = registration.id.clone();
        self.shared.clients().push(registration.clone());
        if on_disk {
            let written = self.blocking(move |shared, home| write(shared, home, &registration));
            written.await.map_err(|error| Error::NotSaved(error.to_string()))?;
            self.shared.clients().retain(|one| one.id != id);
        }
        Ok(on_disk)
    }

    /// All registrations, the oldest first.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::Damaged`], [`Error::ReadOnly`] for one that a newer version wrote, [`Error::Disk`].
    pub fn registrations(&self) -> Result<Vec<Registration>, Error> {
        let mut all = self.shared.clients().clone();
        if let Some(home) = &self.shared.home {
            let names = home.disk.list(&home.paths.clients()).map_err(|error| disk("read", &error))?;
            for name in names {
                all.extend(read(&self.shared, home, &name)?);
            }
        }
        all.sort_by_key(|one| one.at);
        Ok(all)
    }

    /// Lets go of a registration, here and on disk.
    ///
    /// # Errors
    /// [`Error::Disk`]: it is still there.
    pub async fn forget_registration(&self, id: &str) -> Result<(), Error> {
        self.shared.clients().retain(|one| one.id != id);
        if self.shared.home.is_none() {
            return Ok(());
        }
        let id = id.to_owned();
        self.blocking(move |_, home| {
            let path = home.paths.clients().join(&id);
            let removed = home.disk.remove(&path).and_then(|()| home.disk.sync_folder(&home.paths.clients()));
            match removed {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(disk("remove", &error)),
                _ => Ok(()),
            }
        })
        .await
    }

    /// Whether what is kept now goes to disk; an error where it can be kept nowhere.
    fn kept_on_disk(&self) -> Result<bool, Error> {
        let state = self.shared.state();
        match (&state.mode, &state.read_only) {
            (Mode::Locked, _) => Err(Error::Locked),
            (Mode::Open, Some(why)) => Err(Error::ReadOnly(why.clone())),
            (Mode::Open, None) => Ok(self.shared.home.is_some()),
            (Mode::NoStore | Mode::MemoryOnly(_), _) => Ok(false),
        }
    }
}

impl Shared {
    fn clients(&self) -> MutexGuard<'_, Vec<Registration>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key that seals them, and what it is called.
    fn data_key(&self) -> Result<(Key, String), Error> {
        let state = self.state();
        match (&state.mode, &state.data, &state.keys) {
            (Mode::Open, Some(data), Some(keys)) => Ok((data.duplicate(), keys.store().to_owned())),
            _ => Err(Error::Locked),
        }
    }
}

fn write(shared: &Shared, home: &Home, registration: &Registration) -> Result<(), Error> {
    let (key, store) = shared.data_key()?;
    let unwritten = |_| Error::Damaged("it could not be written down".to_owned());
    let open = Open {
        v: VERSION,
        id: registration.id.clone(),
        under: store,
        source: registration.source.0.clone(),
        issuer: registration.issuer.clone(),
        client: registration.client.clone(),
        at: registration.at,
    };
    let open = serde_json::to_vec(&open).map_err(unwritten)?;
    let management = registration.management.as_ref();
    let part = Part {
        secret: registration.secret.clone().map(Hidden),
        secret_ends: registration.secret_ends,
        address: management.map(|management| management.address.clone()),
        token: management.map(|management| Hidden(management.token.clone())),
    };
    let plain = wiped(&part).map_err(unwritten)?;
    let line = record::line(&open, &STANDARD_NO_PAD.encode(key.seal(&open, &plain)?));
    folder::make_one(&home.paths.clients())?;
    let path = home.paths.clients().join(&registration.id);
    let temporary = home.paths.temporary(&format!("client-{}", registration.id));
    turn::with_room(home, || replace(&*home.disk, &temporary, &path, &line))
        .map_err(|error| disk("write", &error))
}

/// One file; `None` where it went in the meantime.
fn read(shared: &Shared, home: &Home, name: &str) -> Result<Option<Registration>, Error> {
    /// What every version has.
    #[derive(Deserialize)]
    struct Versioned {
        v: u32,
    }
    let path = home.paths.clients().join(name);
    let Some(bytes) = home.disk.read(&path, 0).map_err(|error| disk("read", &error))? else {
        return Ok(None);
    };
    let damaged = || Error::Damaged(format!("the registration {name}"));
    let line = record::read(bytes.strip_suffix(b"\n").unwrap_or(&bytes)).ok_or_else(damaged)?;
    let version: Versioned = serde_json::from_slice(line.open).map_err(|_| damaged())?;
    if version.v > VERSION {
        return Err(Error::ReadOnly("a newer version of toktui registered a client".to_owned()));
    }
    let open: Open = serde_json::from_slice(line.open).map_err(|_| damaged())?;
    let (key, store) = shared.data_key()?;
    if open.under != store || open.id != name {
        return Err(damaged());
    }
    let sealed = STANDARD_NO_PAD.decode(line.rest).map_err(|_| damaged())?;
    let plain = key.open(line.open, &sealed).ok_or_else(damaged)?;
    let part: Part = serde_json::from_slice(&plain).map_err(|_| damaged())?;
    let management =
        part.address.zip(part.token).map(|(address, token)| Management { address, token: token.0 });
    Ok(Some(Registration {
        id: open.id,
        source: SourceId(open.source),
        issuer: open.issuer,
        client: open.client,
        at: open.at,
        secret: part.secret.map(|secret| secret.0),
        secret_ends: part.secret_ends,
        management,
    }))
}

fn disk(doing: &str, error: &std::io::Error) -> Error {
    Error::Disk(format!("cannot {doing} what is kept of a registered client: {}", folder::words(error)))
}
