//! Whether one clause lets a mytoken be used: the one weighing behind the verdict and "would it work there".

use jiff::Timestamp;

use super::place::{Fit, Spot, listed};
use crate::domain::mytoken::Clause;
use crate::domain::untrusted::{Untrusted, cleaned};

/// What a mytoken would be used for (mytoken-api.md §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose<'a> {
    /// An access token with these scopes and audiences; none: not stated.
    Access { scopes: &'a [String], audiences: &'a [String] },
    /// Anything else that counts.
    Other,
}

impl Purpose<'_> {
    /// An access token with whatever its clause gives.
    pub(crate) const ACCESS: Purpose<'static> = Purpose::Access { scopes: &[], audiences: &[] };
}

/// Why a clause does not let the token be used, the nearest miss first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Block {
    /// Not with the scopes or audiences that were asked for.
    Asked(String),
    Place(String),
    UsedUp {
        done: u64,
        most: u64,
    },
    NotYet(Timestamp),
    Over(Timestamp),
}

impl Block {
    /// Whether it comes nearer to letting the token be used: of several starts the earliest is awaited,
    /// of several ends the latest is mourned.
    pub(crate) fn is_nearer_than(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Over(this), Self::Over(other)) => this > other,
            _ => self < other,
        }
    }
}

/// Weighs one clause; `Ok` with a doubt where it depends on what is not known (mytoken-api.md §4.1).
pub(crate) fn weigh_clause(
    clause: &Clause,
    purpose: Purpose<'_>,
    spot: &Spot<'_>,
    now: Timestamp,
) -> Result<Option<String>, Block> {
    if let Some(end) = clause.expires
        && end < now
    {
        return Err(Block::Over(end));
    }
    if let Some(start) = clause.not_before
        && start > now
    {
        return Err(Block::NotYet(start));
    }
    let (most, done) = match purpose {
        Purpose::Access { .. } => (clause.uses_at, clause.used_at),
        Purpose::Other => (clause.uses_other, clause.used_other),
    };
    if let Some(most) = most
        && done.unwrap_or(0) >= most
    {
        return Err(Block::UsedUp { done: done.unwrap_or(0), most });
    }
    let doubt = match spot.fits(clause) {
        Fit::Yes => None,
        Fit::Perhaps(doubt) => Some(doubt),
        Fit::No(why) => return Err(Block::Place(why)),
    };
    match refused_ask(clause, purpose) {
        Some(why) => Err(Block::Asked(why)),
        None => Ok(doubt),
    }
}

/// What was asked of an access token and is not among what the clause allows.
pub(crate) fn refused_ask(clause: &Clause, purpose: Purpose<'_>) -> Option<String> {
    let Purpose::Access { scopes, audiences } = purpose else { return None };
    let missing = |asked: &[String], allowed: Option<&Vec<Untrusted>>, what: &str| {
        let allowed = allowed?;
        let other = asked.iter().find(|word| !allowed.iter().any(|known| known.raw() == word.as_str()))?;
        Some(format!("only for the {what} {}; {} is not among them", listed(allowed), cleaned(other)))
    };
    missing(scopes, clause.scopes.as_ref(), "scopes")
        .or_else(|| missing(audiences, clause.audiences.as_ref(), "audiences"))
}
