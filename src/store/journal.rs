//! What this session did: bounded, without secrets.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::domain::event::Event;

/// More events than this are not kept: the oldest go first.
const MOST: usize = 2_000;

/// What was done, in order.
#[derive(Debug, Default)]
pub struct Journal(VecDeque<Event>);

impl Journal {
    /// Writes an event down.
    pub fn note(&mut self, event: Event) {
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(event);
    }

    /// All of it, the newest first.
    #[must_use]
    pub fn newest_first(&self) -> Arc<[Event]> {
        self.0.iter().rev().cloned().collect()
    }
}
