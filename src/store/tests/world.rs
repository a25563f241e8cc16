//! A folder, a session and stores in them, for the tests of this room.

use std::path::Path;

use super::super::disk::Stamp;
use super::super::*;
use crate::domain::credential::{AccessToken, Ask, Copy, Custody, Health, MytokenGrant};
use crate::domain::mytoken::Facts;
use crate::domain::time::from_epoch;
use crate::domain::vault::Opening;

pub(super) fn mytoken(name: &str, value: &str, number: u64) -> Credential {
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
        pause: None,
    }
}

/// A keeper of keys for a session that all stores of one test share.
#[derive(Default)]
pub(super) struct Session(Mutex<Vec<(String, seal::Key)>>);

impl keys::Session for Session {
    fn key(&self, label: &str) -> Result<Option<seal::Key>, String> {
        let held = self.0.lock().unwrap();
        Ok(held.iter().find(|(name, _)| name == label).map(|(_, key)| key.duplicate()))
    }

    fn keep(&self, label: &str, key: &seal::Key) -> Result<(), String> {
        self.forget(label);
        self.0.lock().unwrap().push((label.to_owned(), key.duplicate()));
        Ok(())
    }

    fn forget(&self, label: &str) {
        self.0.lock().unwrap().retain(|(name, _)| name != label);
    }
}

/// A folder, a clock and a session; and stores in it.
pub(super) struct World {
    pub(super) folder: tempfile::TempDir,
    pub(super) session: Arc<Session>,
    pub(super) clock: Arc<crate::domain::time::FixedClock>,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            folder: folder_in_memory(),
            session: Arc::default(),
            clock: Arc::new(crate::domain::time::FixedClock::at(from_epoch(1_800_000_000))),
        }
    }

    pub(super) fn place(&self) -> Place {
        Place {
            folder: self.folder.path().join("store"),
            clock: self.clock.clone(),
            session: self.session.clone(),
            keyring: Arc::new(keys::Nowhere),
            key_file: self.folder.path().join("key"),
            session_allowed: true,
            who: "toktui test".to_owned(),
        }
    }

    pub(super) fn store(&self) -> Store {
        Store::open(self.place()).expect("opens")
    }

    /// A store that is there and open.
    pub(super) async fn made(&self) -> Store {
        let store = self.store();
        store.create(Opening::KeyFile(None)).await.expect("made");
        store
    }

    /// The same on another disk.
    pub(super) fn store_on(&self, disk: Arc<dyn Disk>) -> Store {
        Store::open_on(self.place(), disk).expect("opens")
    }

    pub(super) fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join("store/tokens").join(name)
    }
}

pub(super) fn value_of(credential: &Credential) -> String {
    current(credential).expect("long-lived").expose().to_owned()
}

/// One renewal that replaces the secret.
pub(super) async fn rotate(store: &Store, id: &CredentialId, to: &str) {
    let turn = store.turn(id).await.expect("held");
    turn.intend().await.expect("room");
    turn.save(rotated(turn.read(), to, store)).await.expect("saved");
}

pub(super) fn rotated(mut credential: Credential, to: &str, store: &Store) -> Credential {
    if let Grant::Mytoken(grant) = &mut credential.grant {
        grant.current.supersede(Secret::new(to), None, &store.fingerprint_key());
    }
    credential
}

pub(super) fn access(value: &str) -> AccessToken {
    AccessToken {
        value: Secret::new(value),
        obtained: from_epoch(1_800_000_000),
        expires: Some(from_epoch(1_800_003_600)),
        granted: None,
        id_token: None,
        ends_up: None,
        skew: None,
    }
}

/// A folder whose syncs cost nothing, where there is such a place: what is synced is looked at elsewhere.
fn folder_in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder")
}

/// The disk of this machine with something done to it: every effect asks `before` first.
pub(super) struct Odd<B>(pub(super) B);

/// One effect on the disk.
#[derive(Clone, Debug)]
pub(super) enum Effect {
    Append { path: std::path::PathBuf, at: u64, bytes: Vec<u8>, sync: bool },
    Put { path: std::path::PathBuf, bytes: Vec<u8> },
    Rename { from: std::path::PathBuf, to: std::path::PathBuf },
    Remove { path: std::path::PathBuf },
    SyncFolder,
    Reserve,
}

/// What is done to it.
pub(super) trait Before: Send + Sync {
    /// Whether the effect happens as it should; and how often a sync really is one.
    fn before(&self, effect: Effect) -> std::io::Result<Effect>;
}

impl<B: Before> Disk for Odd<B> {
    fn read(&self, path: &Path, at: u64) -> std::io::Result<Option<Vec<u8>>> {
        RealDisk.read(path, at)
    }

    fn stamp(&self, path: &Path) -> std::io::Result<Option<Stamp>> {
        RealDisk.stamp(path)
    }

    fn list(&self, folder: &Path) -> std::io::Result<Vec<String>> {
        RealDisk.list(folder)
    }

    fn append(&self, path: &Path, at: u64, bytes: &[u8], sync: bool) -> std::io::Result<()> {
        let effect = Effect::Append { path: path.to_owned(), at, bytes: bytes.to_vec(), sync };
        let Effect::Append { bytes: written, .. } = self.0.before(effect)? else { unreachable!() };
        // Tests need no real sync.
        RealDisk.append(path, at, &written, false)?;
        if written.len() < bytes.len() {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn put(&self, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
        self.0.before(Effect::Put { path: path.to_owned(), bytes: bytes.to_vec() })?;
        RealDisk.put(path, bytes)
    }

    fn rename(&self, from: &Path, to: &Path) -> std::io::Result<()> {
        self.0.before(Effect::Rename { from: from.to_owned(), to: to.to_owned() })?;
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> std::io::Result<()> {
        self.0.before(Effect::Remove { path: path.to_owned() })?;
        RealDisk.remove(path)
    }

    fn sync_folder(&self, _: &Path) -> std::io::Result<()> {
        self.0.before(Effect::SyncFolder).map(drop)
    }

    fn reserve(&self, path: &Path, length: u64) -> std::io::Result<()> {
        self.0.before(Effect::Reserve)?;
        RealDisk.reserve(path, length)
    }
}
