//! Where the store's keys come from: the places that keep one, as the store sees them.

mod file;
mod key_file;
mod keyring;
pub(super) mod passphrase;
#[cfg(target_os = "linux")]
mod secret_service;
#[cfg(target_os = "linux")]
mod session;

use std::time::Duration;

pub use file::Keys;
pub use keyring::DesktopKeyring;
pub use passphrase::{Cost, Strength, Tries, strength};
#[cfg(target_os = "linux")]
pub use session::KernelKeyring;

use super::Error;
use super::seal::Key;

/// What a keyring that answers and has no key for this store says.
pub const NO_KEY: &str = "holds no key for this store";

/// How long a session needs no second unlocking, extended by use.
pub const SESSION: Duration = Duration::from_secs(8 * 3600);

/// A keeper of keys for this session: the kernel's keyring. No call waits for anything. Labels are seen by all, and begin with `toktui:`.
pub trait Session: Send + Sync {
    /// The key of this label, its time extended by [`SESSION`]; `None`: it has none.
    ///
    /// # Errors
    /// Why there is no such keeper here, in words.
    fn key(&self, label: &str) -> Result<Option<Key>, String>;

    /// Keeps a key under this label for [`SESSION`].
    ///
    /// # Errors
    /// Why there is no such keeper here, in words.
    fn keep(&self, label: &str, key: &Key) -> Result<(), String>;

    /// Forgets the key of this label.
    fn forget(&self, label: &str);
}

/// A keeper of keys for good: the desktop's keyring. A call may wait for the user or for a hung service, and gives up by itself
/// after two seconds (security.md F4).
pub trait Keyring: Send + Sync {
    /// The key of this store.
    ///
    /// # Errors
    /// [`Error::Keyring`].
    fn key(&self, store: &str) -> Result<Key, Error>;

    /// Keeps a key for this store.
    ///
    /// # Errors
    /// [`Error::Keyring`].
    fn keep(&self, store: &str, key: &Key) -> Result<(), Error>;

    /// Forgets the key of this store.
    ///
    /// # Errors
    /// [`Error::Keyring`].
    fn forget(&self, store: &str) -> Result<(), Error>;

    /// Whether it answers at all.
    fn answers(&self) -> bool;
}

/// No keeper: every process unlocks for itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nowhere;

impl Session for Nowhere {
    fn key(&self, _: &str) -> Result<Option<Key>, String> {
        Err("none is used".to_owned())
    }

    fn keep(&self, _: &str, _: &Key) -> Result<(), String> {
        Err("none is used".to_owned())
    }

    fn forget(&self, _: &str) {}
}

impl Keyring for Nowhere {
    fn key(&self, _: &str) -> Result<Key, Error> {
        Err(Error::Keyring("is not used".to_owned()))
    }

    fn keep(&self, _: &str, _: &Key) -> Result<(), Error> {
        Err(Error::Keyring("is not used".to_owned()))
    }

    fn forget(&self, _: &str) -> Result<(), Error> {
        Err(Error::Keyring("is not used".to_owned()))
    }

    fn answers(&self) -> bool {
        false
    }
}
