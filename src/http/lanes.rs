//! How many requests may be under way at one server at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

/// So many requests at once go to one server; the next ones wait for their turn. performance.md P6 speaks of 16, but P5 wants twenty accounts
/// of one provider renewed within one and a half round trips, and that is what a user waits for.
pub const MOST_AT_ONCE: usize = 20;

/// A queue for each server. One that hangs holds up its own only.
#[derive(Debug, Default)]
pub(super) struct Lanes(Mutex<HashMap<String, Arc<Semaphore>>>);

impl Lanes {
    /// Waits for a turn at the server of this address; the turn ends when what is returned is dropped.
    pub(super) async fn turn(&self, url: &Url) -> Option<OwnedSemaphorePermit> {
        let lane = {
            let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let name = url.origin().ascii_serialization();
            Arc::clone(lanes.entry(name).or_insert_with(|| Arc::new(Semaphore::new(MOST_AT_ONCE))))
        };
        // A lane is never closed; if it were, that would be no reason to send nothing.
        lane.acquire_owned().await.ok()
    }
}
