//! What the Providers pane knows: a row a source, then `+ add a provider`.

use super::state::State;
use crate::domain::source::{Source, SourceId};

/// Pane 1.
#[derive(Clone, Debug, Default)]
pub struct Providers {
    /// The selected row: an index into [`Providers::rows`].
    pub selected: usize,
    /// To be selected as soon as it is listed: what `+` has just found.
    pub awaited: Option<SourceId>,
    /// The first row on screen.
    pub offset: usize,
    /// The filter, if one is typed.
    pub filter: Option<String>,
    /// Whether the folded sources are shown too.
    pub unfolded: bool,
    /// The rows, filtered. Made anew when the snapshot or the filter changes.
    pub rows: Vec<Row>,
}

/// A row of the Providers pane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A source: an index into the snapshot's `sources`, and its id.
    Source(usize, SourceId),
    /// `more…`: shows the folded sources.
    More,
    /// `+ add a provider`
    Add,
}

/// The rows. A folded source with something held under it is always shown.
pub(super) fn rows(state: &State) -> Vec<Row> {
    let filter = state.providers.filter.as_deref().unwrap_or_default().to_lowercase();
    let is_used = |source: &Source| state.tokens.tally.under.contains_key(&source.id);
    let folded =
        |source: &Source| source.folded && !state.providers.unfolded && filter.is_empty() && !is_used(source);
    let fits = |source: &Source| {
        filter.is_empty() || format!("{} {}", source.name, source.note).to_lowercase().contains(&filter)
    };
    let shown = state.wallet.sources.iter().enumerate();
    let mut rows: Vec<Row> = shown
        .filter(|(_, source)| fits(source) && !folded(source))
        .map(|(at, source)| Row::Source(at, source.id.clone()))
        .collect();
    if state.wallet.sources.iter().any(folded) {
        rows.push(Row::More);
    }
    rows.push(Row::Add);
    rows
}
