//! What the Providers pane knows.

use crate::domain::source::SourceId;

/// Pane 1: a row a source, then `+ add a provider`.
#[derive(Clone, Debug, Default)]
pub struct Providers {
    /// The selected row: an index into [`Providers::rows`].
    pub selected: usize,
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
