//! What a store on disk is given: its folder, and whom it may ask for keys and the time.

use std::path::PathBuf;
use std::sync::Arc;

use super::keys::{Keyring, Session};
use crate::domain::time::Clock;

/// What a store on disk is given.
#[derive(Clone)]
pub struct Place {
    /// The store's folder.
    pub folder: PathBuf,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Who keeps the data key for this session.
    pub session: Arc<dyn Session>,
    /// Who keeps it for good.
    pub keyring: Arc<dyn Keyring>,
    /// The usual place of a key file.
    pub key_file: PathBuf,
    /// Whether the session's keeper may be used: uid 0 has one for all its containers, so it must have been said.
    pub session_allowed: bool,
    /// The command that runs, for whoever waits for its locks.
    pub who: String,
}
