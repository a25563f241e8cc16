//! The store itself: make it, lock and unlock it, rename in it, and hear what others changed.

use std::sync::Arc;

use super::{Wallet, gone};
use crate::domain::credential::CredentialId;
use crate::domain::event::{Event, What};
use crate::domain::failure::{Failure, Kind};
use crate::domain::vault::{Access, Opening, Vault};
use crate::store::Error;
use crate::store::watch::Watch;

impl Wallet {
    /// How the store stands.
    #[must_use]
    pub fn vault(&self) -> Vault {
        self.store.vault()
    }

    /// How what comes now is kept, in two or three words.
    pub(super) fn kept_how(&self) -> &'static str {
        match self.vault().access {
            Access::Open { .. } => "sealed on disk",
            Access::NoStore | Access::MemoryOnly(_) | Access::Locked => "in memory only",
        }
    }

    /// Whether the desktop's keyring answers here; it is asked once, and given two seconds.
    pub async fn keyring_answers(&self) -> bool {
        self.store.ask_keyring().await
    }

    /// Whether the desktop's keyring answers here: what the first question offers first. It may take two seconds.
    pub async fn ask_keyring(&self) -> bool {
        self.store.ask_keyring().await
    }

    /// Makes the store, and takes in what was held in memory until now.
    ///
    /// # Errors
    /// When there is one already, the keyring gives nothing, or the disk takes nothing.
    pub async fn create_store(&self, opening: Opening) -> Result<(), Failure> {
        let doing = format!("Making a store guarded by {}", opening.guard().words());
        self.may_change(&doing)?;
        self.store.create(opening).await.map_err(|error| failed(doing, &error))
    }

    /// The user wants no store: what is held stays in memory.
    pub fn stay_in_memory(&self) {
        self.store.stay_in_memory();
    }

    /// How long to wait before the next passphrase is tried: longer after each wrong one (security.md F2). The waiting is the caller's, in
    /// sight of whoever types.
    #[must_use]
    pub fn wait_before_try(&self) -> std::time::Duration {
        self.store.wait_before_try()
    }

    /// Unlocks the store for this session.
    ///
    /// # Errors
    /// When that does not open it.
    pub async fn unlock(&self, opening: Opening) -> Result<(), Failure> {
        self.store.unlock(opening).await.map_err(|error| failed("Unlocking the store", &error))?;
        self.may_hold_the_unlisted();
        Ok(())
    }

    /// Locks the store, for all programs of this user.
    pub fn lock(&self) {
        self.store.lock();
    }

    /// Guards the store by `opening` too, or by a new passphrase instead of the old one.
    ///
    /// # Errors
    /// When the store is locked, the keyring gives nothing, or the disk takes nothing.
    pub async fn guard(&self, opening: Opening) -> Result<(), Failure> {
        let doing = format!("Guarding the store by {}", opening.guard().words());
        self.may_change(&doing)?;
        self.store.guard(opening).await.map_err(|error| failed(doing, &error))
    }

    /// Gives a credential another name; the one it had.
    ///
    /// # Errors
    /// When the name is taken or is none, or the disk takes nothing.
    pub async fn rename(self: &Arc<Self>, id: &CredentialId, name: &str) -> Result<String, Failure> {
        let doing = "Renaming";
        self.may_change(doing)?;
        let turn = self.store.turn(id).await.map_err(|error| gone(doing, &error))?;
        let before = turn.read().name;
        self.store.rename(&turn, name).await.map_err(|error| failed(doing, &error))?;
        self.note_with(Some(id), What::Noted("renamed".to_owned()), &format!("{before} is now {name}"));
        Ok(before)
    }

    /// Takes in what other programs changed. Whether anything differs.
    pub async fn refresh(&self) -> bool {
        let differs = self.store.refresh().await;
        if differs {
            self.may_hold_the_unlisted();
        }
        differs
    }

    /// Tells when another program changes the store, which [`Wallet::refresh`] then takes in; `None` where nobody can tell, and somebody has to
    /// look now and then. To be called inside the runtime.
    #[must_use]
    pub fn changes(&self) -> Option<Watch> {
        Watch::on(&self.store.vault().folder?)
    }

    /// What was done with one credential from here, in this and all earlier sessions, the newest first and at most `limit`. Reads files: not
    /// for the loop itself.
    #[must_use]
    pub fn journal_of(&self, id: &CredentialId, limit: usize) -> Vec<Event> {
        self.store.history_of(id, limit)
    }

    /// Tries again to write what could not be written; how many values are still unsaved.
    pub async fn save_again(&self) -> usize {
        if self.is_read_only() {
            return self.vault().unsaved;
        }
        self.store.save_again().await
    }
}

const IN_MEMORY: &str =
    "It is in this program's memory only: make room, and it is written; or copy it before the program ends.";

/// A failure of the store with the cure, as far as there is one.
pub(super) fn failed(doing: impl Into<String>, error: &Error) -> Failure {
    let (kind, hint) = match error {
        Error::NameTaken(_)
        | Error::BadName
        | Error::StoreExists
        | Error::Gone
        | Error::NotGuardedSo(_)
        | Error::EmptyPassphrase
        | Error::LastGuard => (Kind::Unusable, None),
        Error::Locked => (Kind::NotValid, Some("Unlock it: toktui unlock.")),
        Error::DoesNotOpen => (Kind::NotValid, None),
        Error::NoStore => (Kind::Unusable, Some("Make one: toktui store init.")),
        Error::NotSaved(_) => (Kind::Failed, Some(IN_MEMORY)),
        Error::NoRoom(_) => (Kind::Failed, Some("Nothing was sent. Make room and try again.")),
        Error::FakeLocks(_) => {
            (Kind::Failed, Some("Nothing was sent. Keep the store on another disk (TOKTUI_HOME)."))
        }
        Error::Held(_) => (Kind::Failed, Some("Nothing was sent.")),
        Error::SessionOver => (Kind::NotValid, Some("Log in again, or paste a newer one.")),
        Error::NoRandomness
        | Error::Keyring(_)
        | Error::Damaged(_)
        | Error::ReadOnly(_)
        | Error::Unsafe(_)
        | Error::Disk(_) => (Kind::Failed, None),
    };
    let failure = Failure::new(kind, doing, error.to_string());
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
