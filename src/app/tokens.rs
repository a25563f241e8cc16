//! What the Tokens pane knows.

use crate::domain::credential::CredentialId;

/// Pane 2: a row a credential, with its two clocks.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    /// The selected credential: by id, so that sorting does not move the selection.
    pub selected: Option<CredentialId>,
    /// The first row on screen.
    pub offset: usize,
    /// The filter, if one is typed.
    pub filter: Option<String>,
    /// The order of the rows.
    pub sort: Sort,
    /// Indices into the snapshot's `held`: filtered and sorted. Made anew when the snapshot, filter or order changes.
    pub rows: Vec<usize>,
}

/// An order of the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Most urgent first: ending before live before those without a token, the dead last.
    #[default]
    Urgency,
    /// By name.
    Name,
    /// By provider.
    From,
    /// By how long more can be drawn.
    Renewable,
}
