//! Back up what is held into one file, and take it in again.

use zeroize::Zeroizing;

use super::{Wallet, gone};
use crate::domain::credential::{Credential, CredentialId, Grant, Health};
use crate::domain::event::What;
use crate::domain::failure::{Failure, Kind};
use crate::domain::secret::Secret;
use crate::store::{Error, backup};

const PACKING: &str = "Making the backup";
const RESTORING: &str = "Reading the backup";
/// A copy of something that rotates may have been replaced since.
const FROM_A_BACKUP: &str = "from a backup";

/// What became of one credential of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Restored {
    /// It is held now, under this name.
    Kept(String),
    /// It, or a newer copy of it, is held already, under this name; nothing was changed.
    Held(String),
    /// It could not be kept.
    Failed(Failure),
}

impl Wallet {
    /// Packs credentials, sealed under a passphrase; without one in the open.
    ///
    /// # Errors
    /// When the store is locked, or one of them cannot be read.
    pub fn back_up(
        &self,
        ids: &[CredentialId],
        passphrase: Option<&Secret>,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let all = ids.iter().map(|id| self.store.get(id)).collect::<Result<Vec<_>, _>>();
        let all = all.map_err(|error| gone(PACKING, &error))?;
        for id in ids {
            self.note(Some(id), What::Noted("backed up".to_owned()));
        }
        backup::pack(&all, passphrase).map_err(|error| gone(PACKING, &error))
    }

    /// Takes a backup in. What is held is left as it is; what may have been replaced since is in doubt.
    ///
    /// # Errors
    /// When it cannot be read, or its passphrase is another one.
    pub async fn restore(
        &self,
        bytes: &[u8],
        passphrase: Option<&Secret>,
    ) -> Result<Vec<(String, Restored)>, Failure> {
        self.may_change(RESTORING)?;
        let all = backup::unpack(bytes, passphrase).map_err(|error| match error {
            Error::DoesNotOpen => Failure::new(Kind::NotValid, RESTORING, "that does not open it"),
            Error::Damaged(why) => Failure::new(Kind::Unusable, RESTORING, why),
            error => gone(RESTORING, &error),
        })?;
        let mut told = Vec::new();
        for credential in all {
            told.push((credential.name.clone(), self.restore_one(credential).await));
        }
        Ok(told)
    }

    async fn restore_one(&self, mut credential: Credential) -> Restored {
        if let Ok(held) = self.store.get(&credential.id) {
            return Restored::Held(held.name);
        }
        let value = match &credential.grant {
            Grant::Refresh(grant) => Some(&grant.current.value),
            Grant::Mytoken(grant) => Some(&grant.current.value),
            Grant::Bare => credential.access.first().map(|(_, access)| &access.value),
        };
        if let Some(value) = value {
            let holder = self.store.holder_of(value).and_then(|id| self.store.get(&id).ok());
            let newer = self.store.newer_than(value, None).map(|newer| newer.name);
            if let Some(name) = holder.map(|holder| holder.name).or(newer) {
                return Restored::Held(name);
            }
        }
        if rotates(&credential) && credential.health == Health::Ok {
            credential.health = Health::InDoubt(FROM_A_BACKUP.to_owned());
        }
        credential.name = self.free_name(&credential.name);
        let (id, name) = (credential.id.clone(), credential.name.clone());
        match self.store.add(credential).await {
            Ok(()) => {
                self.note(Some(&id), What::Noted("restored".to_owned()));
                Restored::Kept(name)
            }
            Err(error) => Restored::Failed(gone(RESTORING, &error)),
        }
    }
}

fn rotates(credential: &Credential) -> bool {
    match &credential.grant {
        Grant::Refresh(grant) => grant.rotates,
        Grant::Mytoken(grant) => {
            grant.short || grant.facts.rotation.is_some_and(crate::domain::mytoken::Rotation::rotates)
        }
        Grant::Bare => false,
    }
}
