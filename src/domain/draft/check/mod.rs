//! What would go wrong with a draft, said before anything is sent.
//!
//! ```text
//! powers    what it may do
//! clause    one clause of its restrictions
//! clauses   its clauses together, and none
//! making    provider, name, rotation, form, templates
//! parent    the mytoken it is made from
//! ```

mod clause;
mod clauses;
mod making;
mod parent;
mod powers;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Draft;
use crate::domain::mytoken::Facts;
use crate::domain::offer::{Offer, Offered};

/// What a draft is held against.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// What its server offers, where it has told.
    pub offer: Option<&'a Offer>,
    /// The mytoken it is to be made from; `None`: a login.
    pub parent: Option<&'a Facts>,
    /// The present moment.
    pub now: Timestamp,
    /// The zone that moments are told in.
    pub zone: &'a TimeZone,
    /// How long its access tokens live, in seconds, where one was seen; `None`: about an hour is taken.
    pub tokens_live: Option<u64>,
}

impl<'a> Circumstances<'a> {
    /// The provider of the draft, as the server offers it.
    pub(super) fn provider(&self, draft: &Draft) -> Option<&'a Offered> {
        let issuer = self.parent.map_or(draft.provider.as_str(), |parent| parent.provider.raw());
        self.offer?.provider(issuer)
    }
}

/// Which part of a draft something is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// Its provider.
    Provider,
    /// Its name.
    Name,
    /// What it may do.
    Capabilities,
    /// One of its clauses, by its place.
    Clause(usize),
    /// How it renews itself.
    Rotation,
    /// How it is handed out.
    Form,
    /// The server's profiles in it.
    Templates,
    /// The mytoken it is made from.
    Parent,
}

/// Something to know before it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// It is not sent like this.
    pub stops: bool,
    /// What it is about.
    pub part: Part,
    /// In words: the fact, and the cure where there is one.
    pub text: String,
}

/// Everything to know before it is made: first what stops it.
#[must_use]
pub fn check(draft: &Draft, circumstances: &Circumstances<'_>) -> Vec<Warning> {
    let mut found = Found { warnings: Vec::new() };
    making::provider(draft, circumstances, &mut found);
    making::name(draft, &mut found);
    powers::check(draft, circumstances, &mut found);
    for (place, one) in draft.clauses.iter().enumerate() {
        clause::check(place, one, draft, circumstances, &mut found);
    }
    clauses::check(draft, circumstances, &mut found);
    making::rotation(draft, &mut found);
    making::form(draft, circumstances, &mut found);
    making::templates(draft, circumstances, &mut found);
    if let Some(facts) = circumstances.parent {
        parent::check(draft, facts, circumstances, &mut found);
    }
    found.warnings.sort_by_key(|warning| !warning.stops);
    found.warnings
}

/// What was found so far.
struct Found {
    warnings: Vec<Warning>,
}

impl Found {
    fn stop(&mut self, part: Part, text: impl Into<String>) {
        self.warnings.push(Warning { stops: true, part, text: text.into() });
    }

    fn warn(&mut self, part: Part, text: impl Into<String>) {
        self.warnings.push(Warning { stops: false, part, text: text.into() });
    }
}

#[cfg(test)]
mod tests;
