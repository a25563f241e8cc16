//! The file `keys`: what a store is called, and its data key, wrapped once by each of its guards.
//!
//! ```text
//! {"what":"…","v":1,"store":ID,"guards":[
//!   {"by":"keyring","key":SEALED},
//!   {"by":"passphrase","kdf":"argon2id","memory":65536,"passes":3,"lanes":1,"salt":BASE64,"key":SEALED},
//!   {"by":"key file","path":PATH,"key":SEALED}]}
//! ```
//!
//! `SEALED` is the data key in base64, sealed ([`seal`](super::super::seal)) under the guard's own key: 32 random bytes in the desktop's
//! keyring or in the key file, or what argon2id (version 0x13, 32 bytes) makes of the passphrase. It is bound to the text
//! `toktui keys 1`, the store's id, and all else that stands in its entry, each on a line of its own in the order above: no part of
//! an entry can be changed, nor moved to another store. A key file may guard several stores.
//!
//! A damaged entry opens nothing, and says so in the same words and after the same work as a wrong passphrase. An entry cannot be damaged
//! so that the file asks for more memory or time than is bearable.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::super::Error;
use super::super::seal::Key;
use super::passphrase::{Cost, SALT, derive};
use super::{Keyring, NO_KEY, key_file};
use crate::domain::secret::Secret;
use crate::domain::vault::{Guard, Opening};

/// The version that this program writes, and the newest that it reads.
const VERSION: u64 = 1;
/// No file of ours is longer.
const LONGEST: usize = 64 << 10;
const WHAT: &str = "The keys of a toktui store. Without this file nothing beside it can be read. It opens nothing by itself.";

/// What the file `keys` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    store: String,
    entries: Vec<Entry>,
    cost: Cost,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", deny_unknown_fields)]
enum Entry {
    #[serde(rename = "keyring")]
    Keyring { key: String },
    #[serde(rename = "passphrase")]
    Passphrase { kdf: String, memory: u32, passes: u32, lanes: u32, salt: String, key: String },
    #[serde(rename = "key file")]
    KeyFile { path: PathBuf, key: String },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    what: String,
    v: u64,
    store: String,
    guards: Vec<Entry>,
}

impl Keys {
    /// The keys of a new store: `data` is wrapped by this opening. The keyring is asked only where it is the guard, and the
    /// key file is written only where it is; `key_file` is its usual place.
    ///
    /// # Errors
    /// [`Error::EmptyPassphrase`], [`Error::Keyring`], and for a key file [`Error::Disk`], [`Error::Unsafe`], [`Error::Damaged`].
    pub fn make(
        store: &str,
        opening: &Opening,
        data: &Key,
        keyring: &dyn Keyring,
        key_file: &Path,
    ) -> Result<Self, Error> {
        Self::make_at(Cost::USUAL, store, opening, data, keyring, key_file)
    }

    /// The same, where a passphrase costs so much: tests try thousands.
    ///
    /// # Errors
    /// As [`Keys::make`].
    pub fn make_at(
        cost: Cost,
        store: &str,
        opening: &Opening,
        data: &Key,
        keyring: &dyn Keyring,
        key_file: &Path,
    ) -> Result<Self, Error> {
        let mut keys = Self { store: store.to_owned(), entries: Vec::new(), cost };
        keys.guard(opening, data, keyring, key_file)?;
        Ok(keys)
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`Error::ReadOnly`] where a newer version of toktui wrote it, [`Error::Damaged`].
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Versioned {
            v: u64,
        }
        let damaged = |why: &str| Error::Damaged(format!("the file of its keys {why}"));
        if bytes.len() > LONGEST {
            return Err(damaged("is far too long"));
        }
        let version: Versioned = serde_json::from_slice(bytes).map_err(|_| damaged("does not read"))?;
        if version.v > VERSION {
            return Err(Error::ReadOnly("a newer version of toktui made this store".to_owned()));
        }
        let written: Written = serde_json::from_slice(bytes).map_err(|_| damaged("does not read"))?;
        let keys = Self { store: written.store, entries: written.guards, cost: Cost::USUAL };
        let guards = keys.guards();
        if version.v != VERSION
            || guards.is_empty()
            || guards.windows(2).any(|pair| pair.first() == pair.last())
        {
            return Err(damaged("makes no sense"));
        }
        // The id goes into the names of keys elsewhere, and into what seals are bound to.
        if keys.store.is_empty()
            || keys.store.len() > 64
            || !keys.store.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        {
            return Err(damaged("has no name for its store"));
        }
        Ok(keys)
    }

    /// What goes into the file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let written = Written {
            what: WHAT.to_owned(),
            v: VERSION,
            store: self.store.clone(),
            guards: self.entries.clone(),
        };
        // It cannot fail: the paths in it were checked to be text.
        let mut bytes = serde_json::to_vec_pretty(&written).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// The store's id.
    #[must_use]
    pub fn store(&self) -> &str {
        &self.store
    }

    /// What guards the data key: the keyring first, then the passphrase, then the key file.
    #[must_use]
    pub fn guards(&self) -> Vec<Guard> {
        let mut guards: Vec<_> = self.entries.iter().map(Entry::guard).collect();
        guards.sort_unstable();
        guards
    }

    /// Where its key file is, if it has one.
    #[must_use]
    pub fn key_file(&self) -> Option<&Path> {
        self.entries.iter().find_map(|entry| match entry {
            Entry::KeyFile { path, .. } => Some(path.as_path()),
            Entry::Keyring { .. } | Entry::Passphrase { .. } => None,
        })
    }

    /// The data key. A passphrase takes the time and memory it was given (a quarter of a second, 64 MiB); the keyring up to two seconds.
    ///
    /// # Errors
    /// [`Error::NotGuardedSo`], [`Error::DoesNotOpen`], [`Error::Keyring`], and for a key file [`Error::Disk`], [`Error::Unsafe`],
    /// [`Error::Damaged`].
    pub fn open(&self, opening: &Opening, keyring: &dyn Keyring) -> Result<Key, Error> {
        let guard = opening.guard();
        let entry =
            self.entries.iter().find(|entry| entry.guard() == guard).ok_or(Error::NotGuardedSo(guard))?;
        let own = match (entry, opening) {
            (Entry::Passphrase { memory, passes, lanes, salt, .. }, Opening::Passphrase(passphrase)) => {
                let cost = Cost { memory: *memory, passes: *passes, lanes: *lanes };
                derive(passphrase, &STANDARD.decode(salt).unwrap_or_default(), cost)?
            }
            (Entry::KeyFile { path, .. }, Opening::KeyFile(elsewhere)) => {
                key_file::read(elsewhere.as_deref().unwrap_or(path))?
            }
            _ => keyring.key(&self.store)?,
        };
        let sealed = STANDARD.decode(entry.key()).map_err(|_| Error::DoesNotOpen)?;
        let plain = own.open(&entry.about(&self.store), &sealed).ok_or(Error::DoesNotOpen)?;
        Key::from_bytes(&plain).ok_or(Error::DoesNotOpen)
    }

    /// Lets `opening` guard the data key too, or instead of what guards it in the same way now. The guard's own key is in
    /// its place when this returns; what is said here must then be written.
    ///
    /// A key that the keyring or the key file holds already is used again: until the new `keys` is on disk the old one must open.
    ///
    /// # Errors
    /// As [`Keys::make`]; nothing is changed then.
    pub fn guard(
        &mut self,
        opening: &Opening,
        data: &Key,
        keyring: &dyn Keyring,
        key_file: &Path,
    ) -> Result<(), Error> {
        let (mut entry, own) = match opening {
            Opening::Keyring => (Entry::Keyring { key: String::new() }, self.keyring_key(keyring)?),
            Opening::Passphrase(passphrase) => self.passphrase(passphrase)?,
            Opening::KeyFile(place) => {
                let path = place.as_deref().unwrap_or(key_file);
                let path = std::path::absolute(path).map_err(|error| Error::Disk(error.to_string()))?;
                if path.to_str().is_none_or(|text| text.contains('\n')) {
                    return Err(Error::Disk("the path of a key file must be plain text".to_owned()));
                }
                let own = key_file::make(&path)?;
                (Entry::KeyFile { path, key: String::new() }, own)
            }
        };
        let sealed = own.seal(&entry.about(&self.store), data.expose())?;
        STANDARD.encode_string(sealed, entry.key_mut());
        self.entries.retain(|other| other.guard() != entry.guard());
        self.entries.push(entry);
        self.entries.sort_by_key(Entry::guard);
        Ok(())
    }

    /// Takes a guard away. What it kept elsewhere (a key in the keyring, a key file) is the caller's to forget, after this is on disk.
    ///
    /// # Errors
    /// [`Error::NotGuardedSo`]; [`Error::LastGuard`]: nothing could open the store any more.
    pub fn remove(&mut self, guard: Guard) -> Result<(), Error> {
        if !self.entries.iter().any(|entry| entry.guard() == guard) {
            return Err(Error::NotGuardedSo(guard));
        }
        if self.entries.len() == 1 {
            return Err(Error::LastGuard);
        }
        self.entries.retain(|entry| entry.guard() != guard);
        Ok(())
    }

    fn keyring_key(&self, keyring: &dyn Keyring) -> Result<Key, Error> {
        if self.entries.iter().any(|entry| entry.guard() == Guard::Keyring) {
            match keyring.key(&self.store) {
                Err(Error::Keyring(why)) if why == NO_KEY => {}
                answer => return answer,
            }
        }
        let own = Key::random()?;
        keyring.keep(&self.store, &own)?;
        Ok(own)
    }

    fn passphrase(&self, passphrase: &Secret) -> Result<(Entry, Key), Error> {
        if passphrase.is_empty() {
            return Err(Error::EmptyPassphrase);
        }
        let mut salt = [0; SALT];
        super::super::random(&mut salt)?;
        let own = derive(passphrase, &salt, self.cost)?;
        let Cost { memory, passes, lanes } = self.cost;
        let salt = STANDARD.encode(salt);
        let entry =
            Entry::Passphrase { kdf: "argon2id".to_owned(), memory, passes, lanes, salt, key: String::new() };
        Ok((entry, own))
    }
}

impl Entry {
    const fn guard(&self) -> Guard {
        match self {
            Self::Keyring { .. } => Guard::Keyring,
            Self::Passphrase { .. } => Guard::Passphrase,
            Self::KeyFile { .. } => Guard::KeyFile,
        }
    }

    fn key(&self) -> &str {
        let (Self::Keyring { key } | Self::Passphrase { key, .. } | Self::KeyFile { key, .. }) = self;
        key
    }

    const fn key_mut(&mut self) -> &mut String {
        let (Self::Keyring { key } | Self::Passphrase { key, .. } | Self::KeyFile { key, .. }) = self;
        key
    }

    /// What its wrapping is bound to.
    fn about(&self, store: &str) -> Vec<u8> {
        let rest = match self {
            Self::Keyring { .. } => "keyring".to_owned(),
            Self::Passphrase { kdf, memory, passes, lanes, salt, .. } => {
                format!("passphrase\n{kdf}\n{memory}\n{passes}\n{lanes}\n{salt}")
            }
            Self::KeyFile { path, .. } => format!("key file\n{}", path.display()),
        };
        format!("toktui keys 1\n{store}\n{rest}").into_bytes()
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
