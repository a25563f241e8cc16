//! What is held: every credential with its lock, and what this session did.
//!
//! For now all of it lives in memory and is gone when the program quits; there is no file format yet. What
//! already holds is the order of things: a credential is changed only under its own lock, what is read
//! under the lock is read after it was taken, and saving is done before anybody sees the new value.

mod journal;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tokio::sync::OwnedMutexGuard;

pub use journal::Journal;

use crate::domain::credential::{Credential, CredentialId, Fingerprint, FingerprintKey, Grant, Health, Held};
use crate::domain::event::Event;
use crate::domain::secret::Secret;

/// Why the store could not do what was asked.
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
}

/// What is held.
pub struct Store {
    slots: RwLock<Vec<Arc<Slot>>>,
    key: FingerprintKey,
    journal: Mutex<Journal>,
}

struct Slot {
    id: CredentialId,
    /// Held across reading, asking, saving and answering.
    turn: Arc<tokio::sync::Mutex<()>>,
    value: Mutex<Credential>,
}

/// The right to change one credential. Dropping it gives the turn to the next.
pub struct Turn {
    slot: Arc<Slot>,
    _turn: OwnedMutexGuard<()>,
}

/// A newer copy of something that somebody presents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newer {
    /// The credential that holds it.
    pub id: CredentialId,
    /// Its name.
    pub name: String,
    /// The number of the copy that is current.
    pub number: u64,
}

impl Store {
    /// An empty store with a fingerprint key of its own.
    ///
    /// # Errors
    /// [`Error::NoRandomness`].
    pub fn in_memory() -> Result<Self, Error> {
        let mut bytes = [0; 32];
        random(&mut bytes)?;
        Ok(Self { slots: RwLock::default(), key: FingerprintKey::new(&bytes), journal: Mutex::default() })
    }

    /// The key by which superseded values are recognised.
    #[must_use]
    pub fn fingerprint_key(&self) -> &FingerprintKey {
        &self.key
    }

    /// The secret-free view of everything held, in the order it came.
    #[must_use]
    pub fn held(&self) -> Arc<[Held]> {
        self.slots().iter().map(|slot| slot.read().held()).collect()
    }

    /// One credential as it is now.
    #[must_use]
    pub fn get(&self, id: &CredentialId) -> Option<Credential> {
        self.slot(id).map(|slot| slot.read().clone())
    }

    /// The credential of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<CredentialId> {
        self.slots().iter().find(|slot| slot.read().name == name).map(|slot| slot.id.clone())
    }

    /// Waits for the turn to change a credential.
    ///
    /// # Errors
    /// [`Error::Gone`] if it is not held, also if it went while waiting.
    pub async fn turn(&self, id: &CredentialId) -> Result<Turn, Error> {
        let slot = self.slot(id).ok_or(Error::Gone)?;
        let turn = Arc::clone(&slot.turn).lock_owned().await;
        if self.slot(id).is_none() {
            return Err(Error::Gone);
        }
        Ok(Turn { slot, _turn: turn })
    }

    /// Takes a new credential in.
    ///
    /// # Errors
    /// [`Error::NameTaken`], [`Error::BadName`].
    pub fn add(&self, credential: Credential) -> Result<(), Error> {
        if !is_name(&credential.name) {
            return Err(Error::BadName);
        }
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        if slots.iter().any(|slot| slot.read().name == credential.name) {
            return Err(Error::NameTaken(credential.name));
        }
        slots.push(Arc::new(Slot {
            id: credential.id.clone(),
            turn: Arc::default(),
            value: Mutex::new(credential),
        }));
        Ok(())
    }

    /// Marks how a credential fares, without waiting for its turn: its secrets are not touched.
    pub fn mark(&self, id: &CredentialId, health: Health) {
        if let Some(slot) = self.slot(id) {
            slot.read().health = health;
        }
    }

    /// Lets go of a credential: its secrets are wiped when the last user of them is done.
    pub fn remove(&self, turn: &Turn) -> Credential {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|slot| slot.id != turn.slot.id);
        turn.slot.read().clone()
    }

    /// A name like `wish` that is free: `egi`, then `egi-2`, `egi-3`, …
    #[must_use]
    pub fn free_name(&self, wish: &str) -> String {
        let wish = as_name(wish);
        let taken = |name: &str| self.find(name).is_some();
        if !taken(&wish) {
            return wish;
        }
        (2..u32::MAX).map(|n| format!("{wish}-{n}")).find(|name| !taken(name)).unwrap_or(wish)
    }

    /// Whether `value` is held here as the current copy of something.
    #[must_use]
    pub fn holder_of(&self, value: &Secret) -> Option<CredentialId> {
        self.slots()
            .iter()
            .find(|slot| {
                let credential = slot.read();
                current(&credential).is_some_and(|copy| copy == value)
                    || credential.access.iter().any(|(_, access)| access.value == *value)
            })
            .map(|slot| slot.id.clone())
    }

    /// Whether a newer copy of `value` is held here: then `value` must not be sent (design.md §5).
    ///
    /// `family` are a mytoken's own claims, where it carries any: a lower sequence number of the same
    /// `mom_id` is stale too, also where we never saw it rotate.
    #[must_use]
    pub fn newer_than(&self, value: &Secret, family: Option<(&str, u64)>) -> Option<Newer> {
        let print = self.key.of(value);
        self.slots().iter().find_map(|slot| {
            let credential = slot.read();
            let (copy, mom_id) = match &credential.grant {
                Grant::Refresh(grant) => (&grant.current, None),
                Grant::Mytoken(grant) => (&grant.current, grant.facts.mom_id.as_ref()),
                Grant::Bare => return None,
            };
            let by_print = copy.superseded.contains(&print);
            let by_number = family
                .zip(mom_id)
                .is_some_and(|((family, number), mom_id)| mom_id.raw() == family && number < copy.number);
            (by_print || by_number).then(|| Newer {
                id: slot.id.clone(),
                name: credential.name.clone(),
                number: copy.number,
            })
        })
    }

    /// The fingerprint of a value.
    #[must_use]
    pub fn fingerprint(&self, value: &Secret) -> Fingerprint {
        self.key.of(value)
    }

    /// Writes down what happened.
    pub fn note(&self, event: Event) {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner).note(event);
    }

    /// What this session did, the newest first.
    #[must_use]
    pub fn journal(&self) -> Arc<[Event]> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner).newest_first()
    }

    fn slots(&self) -> Vec<Arc<Slot>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn slot(&self, id: &CredentialId) -> Option<Arc<Slot>> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        slots.iter().find(|slot| slot.id == *id).cloned()
    }
}

impl Slot {
    fn read(&self) -> MutexGuard<'_, Credential> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// The credential, as it is now that the turn is ours.
    #[must_use]
    pub fn read(&self) -> Credential {
        self.slot.read().clone()
    }

    /// Saves a change. When this returns it is kept.
    pub fn save(&self, credential: Credential) {
        *self.slot.read() = credential;
    }
}

fn current(credential: &Credential) -> Option<&Secret> {
    match &credential.grant {
        Grant::Refresh(grant) => Some(&grant.current.value),
        Grant::Mytoken(grant) => Some(&grant.current.value),
        Grant::Bare => None,
    }
}

/// Whether a text can be a name: it goes into commands and file names.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    let first = characters.next().is_some_and(|c| c.is_ascii_alphanumeric());
    first && text.len() <= 64 && characters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
}

/// The nearest text that can be a name.
fn as_name(text: &str) -> String {
    let mut name: String = text
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .skip_while(|c| !c.is_ascii_alphanumeric())
        .take(56)
        .collect();
    while name.ends_with(['-', '.', '_']) {
        name.pop();
    }
    if name.is_empty() { "token".to_owned() } else { name }
}

/// A fresh id for a credential.
///
/// # Errors
/// [`Error::NoRandomness`].
pub fn fresh_id() -> Result<CredentialId, Error> {
    use base64::Engine as _;
    let mut bytes = [0; 12];
    random(&mut bytes)?;
    Ok(CredentialId(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)))
}

/// From the kernel. AWS-LC's generator first gathers entropy of its own, which takes 28 ms: more than a first frame may.
fn random(bytes: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(bytes).map_err(|_| Error::NoRandomness)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::credential::{Ask, Copy, Custody, MytokenGrant};
    use crate::domain::mytoken::Facts;
    use crate::domain::time::from_epoch;

    fn mytoken(name: &str, value: &str, number: u64) -> Credential {
        Credential {
            id: fresh_id().expect("random"),
            name: name.to_owned(),
            source: "mytoken-kit".into(),
            identity: None,
            grant: Grant::Mytoken(Box::new(MytokenGrant {
                server: "https://mytoken.example.org".to_owned(),
                current: Copy::first(Secret::new(value), number),
                facts: Facts { mom_id: Some("mom".into()), ..Facts::default() },
                heard: None,
                short: false,
            })),
            custody: Custody::MemoryOnly,
            health: Health::Ok,
            ask: Ask::default(),
            access: Vec::new(),
            since: from_epoch(0),
        }
    }

    #[tokio::test]
    async fn a_superseded_copy_is_known_by_its_print_and_by_its_number() {
        let store = Store::in_memory().expect("random");
        let credential = mytoken("toar", "mt-1", 1);
        let id = credential.id.clone();
        store.add(credential).expect("free name");
        let turn = store.turn(&id).await.expect("held");
        let mut changed = turn.read();
        if let Grant::Mytoken(grant) = &mut changed.grant {
            grant.current.supersede(Secret::new("mt-4"), Some(4), store.fingerprint_key());
        }
        turn.save(changed);
        assert_eq!(store.newer_than(&Secret::new("mt-1"), None).expect("stale").number, 4);
        assert_eq!(store.newer_than(&Secret::new("mt-3"), Some(("mom", 3))).expect("stale").name, "toar");
        assert_eq!(store.newer_than(&Secret::new("mt-4"), Some(("mom", 4))), None);
        assert_eq!(store.newer_than(&Secret::new("mt-x"), Some(("other", 1))), None);
    }

    #[tokio::test(start_paused = true)]
    async fn only_one_holds_the_turn_and_a_credential_that_went_is_gone_for_the_next() {
        let store = Arc::new(Store::in_memory().expect("random"));
        let credential = mytoken("toar", "mt-1", 1);
        let id = credential.id.clone();
        store.add(credential).expect("free name");
        let turn = store.turn(&id).await.expect("held");
        let waiting = tokio::spawn({
            let (store, id) = (Arc::clone(&store), id.clone());
            async move { store.turn(&id).await.err() }
        });
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(!waiting.is_finished());
        store.remove(&turn);
        drop(turn);
        assert_eq!(waiting.await.expect("no panic"), Some(Error::Gone));
    }

    #[test]
    fn names_are_unique_and_fit_for_a_command_line() {
        let store = Store::in_memory().expect("random");
        store.add(mytoken("egi", "a", 1)).expect("free");
        assert_eq!(store.add(mytoken("egi", "b", 1)), Err(Error::NameTaken("egi".to_owned())));
        assert_eq!(store.add(mytoken("-rf", "b", 1)), Err(Error::BadName));
        assert_eq!(store.free_name("egi"), "egi-2");
        assert_eq!(store.free_name("EGI Check-in!"), "egi-check-in");
        assert_eq!(store.free_name("\u{202e}"), "token");
    }
}
