//! What would go wrong with a draft, said before anything is sent.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Draft;
use crate::domain::mytoken::Facts;
use crate::domain::offer::Offer;

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
pub fn check(_draft: &Draft, _circumstances: &Circumstances<'_>) -> Vec<Warning> {
    Vec::new()
}
