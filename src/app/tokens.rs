//! What the Tokens pane knows: a row a credential, with its two clocks.

use jiff::Timestamp;

use super::state::State;
use crate::domain::credential::{CredentialId, Held, Life};

/// Pane 2.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    /// The selected credential: by id, so that sorting does not move the selection.
    pub selected: Option<CredentialId>,
    /// To be selected as soon as it is held: what a login or `k` has just brought.
    pub awaited: Option<CredentialId>,
    /// The selected row: an index into [`Tokens::rows`].
    pub place: usize,
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

impl Sort {
    /// The order after this one.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Urgency => Self::Name,
            Self::Name => Self::From,
            Self::From => Self::Renewable,
            Self::Renewable => Self::Urgency,
        }
    }

    /// As it stands in the pane's title.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Urgency => "most urgent first",
            Self::Name => "by name",
            Self::From => "by provider",
            Self::Renewable => "by how long renewable",
        }
    }
}

/// What the header counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Access tokens that live.
    pub live: usize,
    /// Access tokens that end within a minute.
    pub ending: usize,
    /// Credentials that will never give one again.
    pub dead: usize,
}

/// What the header counts. A live access token of a dead credential counts as live: it still works.
#[must_use]
pub fn counts(held: &[Held], now: Timestamp) -> Counts {
    let mut counts = Counts::default();
    for held in held {
        match class(held, now) {
            Class::Ending => counts.ending += 1,
            Class::Live => counts.live += 1,
            Class::Without => {}
            Class::Dead => counts.dead += 1,
        }
    }
    counts
}

/// How urgent a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// It ends within a minute.
    Ending,
    /// It lives.
    Live,
    /// There is no access token that works, but more can be had.
    Without,
    /// Only a new login helps.
    Dead,
}

/// How urgent a row is.
#[must_use]
pub fn class(held: &Held, now: Timestamp) -> Class {
    match held.life(now) {
        Life::Ending(_) => Class::Ending,
        Life::Live(_) | Life::Unknown => Class::Live,
        Life::None | Life::Expired(_) if held.is_dead(now) => Class::Dead,
        Life::None | Life::Expired(_) => Class::Without,
    }
}

/// The rows: filtered and sorted indices into the snapshot.
pub(super) fn rows(state: &State) -> Vec<usize> {
    let now = state.at;
    let filter = state.tokens.filter.as_deref().unwrap_or_default().to_lowercase();
    let mut rows: Vec<(usize, &Held)> = state.wallet.held.iter().enumerate().collect();
    rows.retain(|(_, held)| filter.is_empty() || text(held, state).to_lowercase().contains(&filter));
    let end = |held: &Held| held.chief().and_then(|access| access.expires).unwrap_or(Timestamp::MAX);
    let from = |held: &Held| state.wallet.sources.iter().position(|source| source.id == held.source);
    let renewable = |held: &Held| held.chain_ends().unwrap_or(Timestamp::MAX);
    rows.sort_by(|(_, a), (_, b)| {
        let order = match state.tokens.sort {
            Sort::Urgency => (class(a, now), end(a)).cmp(&(class(b, now), end(b))),
            Sort::Name => std::cmp::Ordering::Equal,
            Sort::From => from(a).cmp(&from(b)),
            Sort::Renewable => renewable(a).cmp(&renewable(b)),
        };
        order.then_with(|| a.name.cmp(&b.name))
    });
    rows.into_iter().map(|(at, _)| at).collect()
}

/// All of a row that a filter looks through.
fn text(held: &Held, state: &State) -> String {
    let source = state.source(&held.source).map_or(held.source.as_str(), |source| source.name.as_str());
    let identity = held.identity.as_ref().map_or_else(String::new, |identity| {
        let label = identity.label.as_ref().map(crate::domain::untrusted::Untrusted::shown);
        format!("{} {}", label.unwrap_or_default(), identity.issuer.shown())
    });
    format!("{} {source} {identity}", held.name)
}
