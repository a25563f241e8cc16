//! What the History pane knows.

use std::collections::HashMap;

use jiff::Timestamp;

use super::effect::Task;
use crate::domain::credential::CredentialId;
use crate::domain::event::Event;

/// Pane 4: what this session did, or a mytoken's events from its server.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The events of each held mytoken as its server told them, newest first, and when.
    pub read: HashMap<CredentialId, (Vec<Event>, Timestamp)>,
    /// The events of the pasted mytoken.
    pub pasted: Option<(Vec<Event>, Timestamp)>,
    /// The reading under way.
    pub task: Option<Task>,
    /// The selected line.
    pub selected: usize,
    /// The first line on screen.
    pub offset: usize,
    /// The filter, if one is typed.
    pub filter: Option<String>,
}
