//! Two tokens side by side, as the board shows them: which two, and what is not the same in them.

use super::lookup;
use super::state::State;
use crate::domain::compare::{Change, compare};
use crate::domain::credential::{CredentialId, Held};
use crate::domain::jwt::Jwt;

/// What two tokens were found to differ in.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// What the first one is.
    pub first: String,
    /// What the second one is.
    pub second: String,
    /// What is not the same.
    pub changes: Vec<Change>,
}

/// What the key does now.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// The selected row's token is taken as the first one.
    Mark(CredentialId),
    /// It was the first one, and is it no more.
    Unmark,
    /// There are two.
    Show(Comparison),
}

/// What the key does now; `None`: nothing can be read in what is selected.
///
/// A pasted token is the first one by itself; else the row that was marked.
#[must_use]
pub fn step(state: &State) -> Option<Step> {
    let held = state.selected_held()?;
    let second = read(held)?;
    if state.lookup.pasted.is_some() {
        return Some(Step::Show(of("the pasted token", lookup::content(state)?, &held.name, second)));
    }
    let marked = state.marked.as_ref().and_then(|id| state.held(id));
    match marked {
        Some(first) if first.id == held.id => Some(Step::Unmark),
        Some(first) => match read(first) {
            Some(content) => Some(Step::Show(of(&first.name, content, &held.name, second))),
            None => Some(Step::Mark(held.id.clone())),
        },
        None => Some(Step::Mark(held.id.clone())),
    }
}

fn of(first: &str, one: &Jwt, second: &str, other: &Jwt) -> Comparison {
    let changes = compare(one, other);
    Comparison { first: first.to_owned(), second: second.to_owned(), changes }
}

/// What can be read in its access token.
fn read(held: &Held) -> Option<&Jwt> {
    held.chief()?.content.as_ref()
}

/// What the key is called now.
pub(super) fn says(state: &State) -> &'static str {
    match step(state) {
        Some(Step::Unmark) => "compare no more",
        Some(Step::Show(_)) => "compare with it",
        Some(Step::Mark(_)) | None => "compare",
    }
}

pub(super) fn can(state: &State) -> bool {
    step(state).is_some()
}
