//! What the Providers pane knows.

/// Pane 1: a row a source, then `+ add a provider`.
#[derive(Clone, Debug, Default)]
pub struct Providers {
    /// The selected row; the one after the last source is `+ add a provider`.
    pub selected: usize,
    /// The first row on screen.
    pub offset: usize,
    /// The filter, if one is typed.
    pub filter: Option<String>,
}
