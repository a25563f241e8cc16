//! What the Tokens pane knows: a row a credential, with its two clocks.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::state::State;
use super::tally::Tally;
use crate::domain::credential::{CredentialId, Custody, Held, Life};
use crate::domain::source::{Source, SourceId};

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
    /// What is counted over all that is held.
    pub tally: Tally,
    made: Option<Made>,
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

/// Of what the rows were made: they are made anew only when some of it differs, or when a row turns.
#[derive(Clone, Debug)]
struct Made {
    held: Arc<[Held]>,
    sources: Arc<[Source]>,
    filter: Option<String>,
    sort: Sort,
}

impl Made {
    fn is_of(&self, state: &State) -> bool {
        Arc::ptr_eq(&self.held, &state.wallet.held)
            && Arc::ptr_eq(&self.sources, &state.wallet.sources)
            && self.filter == state.tokens.filter
            && self.sort == state.tokens.sort
    }
}

/// Puts rows and tally in order. A key that changes none of it costs nothing, however much is held.
pub(super) fn settle(state: &mut State) {
    let now = state.at;
    let turned = state.tokens.tally.turns.is_some_and(|at| at <= now);
    if !turned && state.tokens.made.as_ref().is_some_and(|made| made.is_of(state)) {
        return;
    }
    state.tokens.tally = Tally::of(&state.wallet.held, state.seat.warn_before, now);
    state.tokens.rows = rows(state);
    state.tokens.made = Some(Made {
        held: Arc::clone(&state.wallet.held),
        sources: Arc::clone(&state.wallet.sources),
        filter: state.tokens.filter.clone(),
        sort: state.tokens.sort,
    });
}

/// The rows: filtered and sorted indices into the snapshot. What is compared is found out once a row, not once a comparison.
fn rows(state: &State) -> Vec<usize> {
    let now = state.at;
    let filter = state.tokens.filter.as_deref().unwrap_or_default().to_lowercase();
    let fits = |held: &Held| filter.is_empty() || text(held, state).to_lowercase().contains(&filter);
    let places: HashMap<&SourceId, usize> =
        state.wallet.sources.iter().enumerate().map(|(at, source)| (&source.id, at)).collect();
    let key = |held: &Held| match state.tokens.sort {
        Sort::Urgency => {
            let end = held.chief().and_then(|access| access.expires);
            // Nothing is more urgent than a value that no disk has.
            let place = match held.custody {
                Custody::Unsaved(_) => 0,
                _ => 1 + class(held, now) as usize,
            };
            (place, end.unwrap_or(Timestamp::MAX))
        }
        Sort::Name => (0, Timestamp::MAX),
        Sort::From => (places.get(&held.source).copied().unwrap_or(0), Timestamp::MAX),
        Sort::Renewable => (0, held.chain_ends().unwrap_or(Timestamp::MAX)),
    };
    let shown = state.wallet.held.iter().enumerate().filter(|(_, held)| fits(held));
    let mut rows: Vec<_> = shown.map(|(at, held)| (key(held), held.name.as_str(), at)).collect();
    rows.sort_unstable();
    rows.into_iter().map(|(_, _, at)| at).collect()
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
