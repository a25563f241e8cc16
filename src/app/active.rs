//! What is held at one provider, one below the other, as a page to read and to end each of them.

use super::content::{self, Line};
use super::geometry::Geometry;
use super::overlay::Overlay;
use super::portal;
use super::state::State;
use crate::domain::credential::{CredentialId, Held};
use crate::domain::source::SourceId;

/// What is held there, in the order of the board.
pub(super) fn held_at<'s>(state: &'s State, source: &'s SourceId) -> impl Iterator<Item = &'s Held> {
    state.wallet.held.iter().filter(move |held| held.source == *source)
}

/// Whether the selected provider, or that of the selected row, holds something.
pub(super) fn can(state: &State) -> bool {
    portal::source(state).is_some_and(|source| held_at(state, &source.id).next().is_some())
}

/// What the selected line of the page on top is about.
#[must_use]
pub fn selected(state: &State) -> Option<CredentialId> {
    let overlay @ Overlay::Active(source, list) = state.overlays.last()? else { return None };
    let width = usize::from(Geometry::of(state).reading(overlay).width);
    let mut below = 0;
    held_at(state, source).find_map(|held| {
        below += content::of_login(state, held, width).len();
        (list.selected < below).then(|| held.id.clone())
    })
}

/// The lines of the page.
pub(super) fn lines(state: &State, source: &SourceId, width: usize) -> Vec<Line> {
    let mut lines: Vec<Line> =
        held_at(state, source).flat_map(|held| content::of_login(state, held, width)).collect();
    lines.extend(content::of_place(state, source, width));
    lines
}
