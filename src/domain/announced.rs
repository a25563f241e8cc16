//! What a provider announces, and what is done about it here.

/// A provider looked at. All of its texts are fit to be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Announced {
    /// Its name here.
    pub title: String,
    /// Its issuer.
    pub issuer: String,
    /// Where its entry comes from: built in, config, added.
    pub origin: &'static str,
    /// One thing after the other.
    pub rows: Vec<Row>,
    /// Where one manages what is active there.
    pub manage: Option<String>,
    /// Where clients are registered.
    pub register: Option<String>,
    /// What else must be known.
    pub hints: Vec<String>,
}

/// One thing about a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What: `device code`, `scopes`.
    pub what: &'static str,
    /// What is done about it here; empty: nothing is to be done.
    pub here: String,
    /// What its discovery document says.
    pub says: String,
}
