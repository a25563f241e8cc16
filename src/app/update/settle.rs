//! What holds after every message: nothing overdue stands, rows are in order, the selection is among them and on screen.

use jiff::Timestamp;

use crate::app::effect::Effect;
use crate::app::geometry::Geometry;
use crate::app::overlay::Overlay;
use crate::app::providers::{self, Row};
use crate::app::state::{Pane, State};
use crate::app::{history, tokens};
use crate::domain::vault::Access;

/// A pause of this many seconds between two keys is one in which others may have changed something.
const IDLE: i64 = 2;

/// What others have changed is taken in, where there is a store for them to change.
pub(super) fn look_again(state: &State) -> Vec<Effect> {
    match state.wallet.vault.access {
        Access::MemoryOnly(_) => Vec::new(),
        Access::NoStore | Access::Open { .. } | Access::Locked => vec![Effect::Refresh],
    }
}

/// The same on the first key after a while: where nobody tells us of changes, that is when they are looked for.
pub(super) fn look_again_after_a_while(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let before = std::mem::replace(&mut state.keyed, now);
    if now.duration_since(before).as_secs() < IDLE { Vec::new() } else { look_again(state) }
}

/// Ends what was to stand until now.
pub(super) fn due(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let mut effects = super::safe::retry(state, now);
    let over = |until: Option<Timestamp>| until.is_some_and(|until| until <= now);
    if over(state.price.as_ref().map(|price| price.until)) {
        state.price = None;
    }
    if over(state.notice.as_ref().and_then(|notice| notice.until)) {
        state.notice = None;
    }
    if over(state.clipboard.as_ref().map(|clipboard| clipboard.until)) {
        state.clipboard = None;
        effects.push(Effect::ClearClipboard);
    }
    effects
}

/// Puts rows, selections and what is scrolled into order.
pub(super) fn settle(state: &mut State) {
    settle_tokens(state);
    settle_providers(state);
    history::settle(state);
    let events = history::on_show(state).len();
    state.history.selected = state.history.selected.min(events.saturating_sub(1));
    settle_form(state);
    let geometry = Geometry::of(state);
    let rows = |pane| geometry.rows(pane);
    state.providers.offset = scrolled(
        state.providers.offset,
        state.providers.selected,
        state.providers.rows.len(),
        rows(Pane::Providers),
    );
    let selected = state.tokens.place;
    state.tokens.offset =
        scrolled(state.tokens.offset, selected, state.tokens.rows.len(), rows(Pane::Tokens));
    state.history.offset =
        scrolled(state.history.offset, state.history.selected, events, rows(Pane::History));
}

/// The cursor of the create form stands on something, and is on screen.
fn settle_form(state: &mut State) {
    let geometry = Geometry::of(state);
    for overlay in &mut state.overlays {
        let inside = geometry.reading(overlay);
        if let Overlay::Create(form) = overlay {
            form.settle(usize::from(inside.width), usize::from(inside.height));
        }
    }
}

fn settle_providers(state: &mut State) {
    let old = state.selected_row().cloned();
    state.providers.rows = providers::rows(state);
    let rows = &state.providers.rows;
    let is = |wanted: &Row| rows.iter().position(|row| same(row, wanted));
    let selected = old.as_ref().and_then(is).unwrap_or(state.providers.selected);
    state.providers.selected = selected.min(rows.len().saturating_sub(1));
    if let Some(awaited) = &state.providers.awaited
        && let Some(at) = rows.iter().position(|row| matches!(row, Row::Source(_, id) if id == awaited))
    {
        state.providers.selected = at;
        state.providers.awaited = None;
    }
}

/// A source keeps its row by its id; its place in the snapshot may change.
fn same(a: &Row, b: &Row) -> bool {
    match (a, b) {
        (Row::Source(_, a), Row::Source(_, b)) => a == b,
        (a, b) => a == b,
    }
}

fn settle_tokens(state: &mut State) {
    if let Some(awaited) =
        state.tokens.awaited.take_if(|id| state.wallet.held.iter().any(|held| held.id == *id))
    {
        state.tokens.selected = Some(awaited);
        state.tokens.filter = None;
    }
    tokens::settle(state);
    if let Some(place) = selected_row(state) {
        state.tokens.place = place;
        return;
    }
    // It is gone, or filtered away: what stands in its place now.
    state.tokens.place = state.tokens.place.min(state.tokens.rows.len().saturating_sub(1));
    let next = state.in_row(state.tokens.place).map(|held| held.id.clone());
    super::moving::select_token(state, next);
}

/// The selected row's place among the rows; usually the one it had.
fn selected_row(state: &State) -> Option<usize> {
    let selected = state.tokens.selected.as_ref()?;
    let is_selected = |place: usize| state.in_row(place).is_some_and(|held| held.id == *selected);
    let place = state.tokens.place;
    if is_selected(place) {
        return Some(place);
    }
    (0..state.tokens.rows.len()).find(|place| is_selected(*place))
}

/// The offset nearest to the old one at which the selected row is on screen and no row is wasted at the end.
pub(super) fn scrolled(offset: usize, selected: usize, len: usize, height: usize) -> usize {
    if height == 0 {
        return 0;
    }
    let offset = offset.min(len.saturating_sub(height));
    offset.clamp((selected + 1).saturating_sub(height), selected)
}

#[cfg(test)]
mod tests {
    use super::scrolled;

    #[test]
    fn the_selected_row_is_always_on_screen() {
        for (offset, selected, len, height, expected) in [
            (0, 0, 0, 5, 0),
            (0, 4, 9, 5, 0),
            (0, 5, 9, 5, 1),
            (8, 8, 9, 5, 4),
            (3, 1, 9, 5, 1),
            (7, 2, 3, 5, 0),
            (0, 3, 9, 0, 0),
        ] {
            assert_eq!(
                scrolled(offset, selected, len, height),
                expected,
                "{offset} {selected} {len} {height}"
            );
        }
    }
}
