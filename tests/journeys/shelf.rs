//! A store on disk for a journey: in a folder of its own, with a session that forgets what it is told to forget.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use toktui::domain::time::Clock;
use toktui::store::keys::{Nowhere, Session};
use toktui::store::{Place, Store};

use toktui::store::seal::Key;

/// A folder for a store, and the session it is used in.
pub struct Shelf {
    folder: tempfile::TempDir,
    session: Arc<InMemory>,
    clock: Arc<dyn Clock>,
}

impl Shelf {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder, session: Arc::default(), clock }
    }

    /// The store in it, as another program opens it.
    pub fn store(&self) -> Store {
        let place = Place {
            folder: self.path(""),
            clock: Arc::clone(&self.clock),
            session: Arc::clone(&self.session) as Arc<dyn Session>,
            keyring: Arc::new(Nowhere),
            key_file: self.folder.path().join("key"),
            session_allowed: true,
            who: "toktui".to_owned(),
        };
        Store::open(place).expect("it opens")
    }

    /// A file of the store.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("store").join(name)
    }

    /// The folder of the config, for what is kept beside it.
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    /// The machine starts again: the session's keys are gone.
    pub fn end_session(&self) {
        self.session.0.lock().unwrap().clear();
    }
}

#[derive(Default)]
struct InMemory(Mutex<Vec<(String, Key)>>);

impl Session for InMemory {
    fn key(&self, label: &str) -> Result<Option<Key>, String> {
        let held = self.0.lock().unwrap();
        Ok(held.iter().find(|(name, _)| name == label).map(|(_, key)| key.duplicate()))
    }

    fn keep(&self, label: &str, key: &Key) -> Result<(), String> {
        self.forget(label);
        self.0.lock().unwrap().push((label.to_owned(), key.duplicate()));
        Ok(())
    }

    fn forget(&self, label: &str) {
        self.0.lock().unwrap().retain(|(name, _)| name != label);
    }
}
