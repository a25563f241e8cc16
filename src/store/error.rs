//! Why the store could not do what was asked.

use crate::domain::vault::Guard;

/// Why the store could not do what was asked. The texts are fit to be shown, and hold no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing of that id is held (any more).
    #[error("it is not held here any more")]
    Gone,
    /// The name is taken.
    #[error("{0} is already the name of another token here")]
    NameTaken(String),
    /// The name cannot be a name.
    #[error(
        "a name has 1 to 64 letters, digits, dots, dashes or underscores, and begins with a letter or digit"
    )]
    BadName,
    /// The system gave no random numbers.
    #[error("this system gives no random numbers")]
    NoRandomness,
    /// The store is locked.
    #[error("the store is locked")]
    Locked,
    /// It cannot be opened so: a wrong passphrase, another key. The same for every cause, and said after the same time.
    #[error("that does not open the store")]
    DoesNotOpen,
    /// A passphrase of no characters guards nothing.
    #[error("a passphrase needs at least one character, and better a sentence")]
    EmptyPassphrase,
    /// The last guard cannot be taken away.
    #[error("nothing else opens the store: add another way first")]
    LastGuard,
    /// The store is not guarded so.
    #[error("the store is not guarded by {}", .0.words())]
    NotGuardedSo(Guard),
    /// The desktop's keyring gave no key, and why.
    #[error("the desktop's keyring {0}")]
    Keyring(String),
    /// There is a store already, or another program made one in the meantime.
    #[error("there is a store already")]
    StoreExists,
    /// There is no store.
    #[error("there is no store yet")]
    NoStore,
    /// The record cannot be read, and why.
    #[error("its record on disk is damaged: {0}")]
    Damaged(String),
    /// It was sealed for one session, and that is over.
    #[error("it was kept for an earlier session of this machine, which is over")]
    SessionOver,
    /// Nothing may be written, and why.
    #[error("nothing can be written: {0}")]
    ReadOnly(String),
    /// Writing failed before anything was sent: nothing is lost, and nothing was asked.
    #[error("there is no room to keep the answer: {0}")]
    NoRoom(String),
    /// Writing failed after the answer came: the new value is in this program's memory only, and is tried again.
    #[error("the new value could not be written: {0}")]
    NotSaved(String),
    /// Somebody else has held the lock for too long; who, in words.
    #[error("{0}")]
    Held(String),
    /// Locks do not work on this file system, and how that is known: nothing that rotates is renewed here.
    #[error("locks do not work in the store's folder ({0}), and two renewals at once would kill the login")]
    FakeLocks(String),
    /// The store's folder may be read or changed by others, or is not a folder; and the cure.
    #[error("{0}")]
    Unsafe(String),
    /// Reading or writing failed.
    #[error("{0}")]
    Disk(String),
}
