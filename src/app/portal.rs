//! What the pages of a token portal do, as the board knows it.

use super::state::{Pane, State};
use crate::domain::source::Source;

/// The selected provider, or that of the selected row.
#[must_use]
pub fn source(state: &State) -> Option<&Source> {
    if state.focus == Pane::Providers {
        return state.selected_source();
    }
    state.acting().and_then(|held| state.source(&held.source))
}

/// Where what is active there is managed.
#[must_use]
pub fn page(state: &State) -> Option<&str> {
    source(state)?.manage_url.as_deref()
}
