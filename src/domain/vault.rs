//! How the store stands, as screens and commands may know it: no secret is in here.

use std::path::PathBuf;

use jiff::Timestamp;

use super::secret::Secret;

/// What guards the store's data key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Guard {
    /// The desktop's keyring (Secret Service, Keychain, Credential Manager).
    Keyring,
    /// A passphrase, by argon2id.
    Passphrase,
    /// A file that holds the key: whoever reads it opens the store. Marked on the board for good.
    KeyFile,
}

impl Guard {
    /// In words, with its article.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Keyring => "the desktop's keyring",
            Self::Passphrase => "a passphrase",
            Self::KeyFile => "a key file",
        }
    }
}

/// By what the store is to be opened, or guarded from now on.
#[derive(Clone, Debug, PartialEq)]
pub enum Opening {
    /// By the desktop's keyring.
    Keyring,
    /// By this passphrase.
    Passphrase(Secret),
    /// By the key file at this path; `None`: the one that the store knows of, or its usual place.
    KeyFile(Option<PathBuf>),
}

impl Opening {
    /// What it opens.
    #[must_use]
    pub const fn guard(&self) -> Guard {
        match self {
            Self::Keyring => Guard::Keyring,
            Self::Passphrase(_) => Guard::Passphrase,
            Self::KeyFile(_) => Guard::KeyFile,
        }
    }
}

/// Whether secrets can be had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// There is no store yet: what is held is in memory only until the first question is answered.
    #[default]
    NoStore,
    /// There is none to be: the user said so, or there is no place for one (and why).
    MemoryOnly(Option<String>),
    /// It is open.
    Open {
        /// Until when this session needs no unlocking, extended by use; `None`: until this process ends, because there is no
        /// kernel keyring here, or none is used.
        until: Option<Timestamp>,
    },
    /// It is locked: names, issuers and ends can be read, secrets cannot.
    Locked,
}

/// How the store stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vault {
    /// Whether secrets can be had.
    pub access: Access,
    /// What guards its key; the first is the one that is tried first.
    pub guards: Vec<Guard>,
    /// Why nothing can be written, where that is so: a newer format, a read-only disk, a folder others may write to.
    pub read_only: Option<String>,
    /// How many credentials hold a newer value than the disk does, because writing it failed.
    pub unsaved: usize,
    /// Why the session's key is not kept by the kernel, where that is so.
    pub no_session: Option<String>,
    /// Whether the desktop's keyring answers here: what the first question offers first. `None`: nobody asked yet.
    pub keyring: Option<bool>,
    /// The store's folder, for words.
    pub folder: Option<PathBuf>,
}

impl Vault {
    /// Whether secrets can be read and written now.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        !matches!(self.access, Access::Locked)
    }

    /// Whether keeping something asks the first question before: no store, and nobody said that none is wanted.
    #[must_use]
    pub fn asks_first(&self) -> bool {
        self.access == Access::NoStore
    }
}
