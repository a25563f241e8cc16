//! Would it work there? A mytoken's own words held against a place, a moment and a purpose; nothing is sent.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::mytoken::{Clause, Facts, Rotation, can};
use super::span;
use super::verdict::clause::{Block, Purpose as Wanted, weigh_clause};
use super::verdict::place::{Spot, listed};

/// A use that is only thought of. What is `None` is not known, and what depends on it cannot be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// The address its server would see.
    pub address: Option<IpAddr>,
    /// The name that a reverse look-up of that address would give.
    pub host: Option<String>,
    /// The country of that address (ISO 3166); capitals or not.
    pub country: Option<String>,
    /// When.
    pub at: Timestamp,
    /// What for.
    pub purpose: Purpose,
}

/// What a mytoken would be used for (mytoken-api.md §4.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// An access token.
    AccessToken {
        /// Scopes asked for; empty: whatever the clause gives.
        scopes: Vec<String>,
        /// Audiences asked for; empty: none.
        audiences: Vec<String>,
    },
    /// Any other use that counts: a subtoken, a list, a history, settings.
    Other,
}

impl Purpose {
    fn wanted(&self) -> Wanted<'_> {
        match self {
            Self::AccessToken { scopes, audiences } => Wanted::Access { scopes, audiences },
            Self::Other => Wanted::Other,
        }
    }
}

/// One answer, of the whole mytoken or of one of its clauses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Would {
    /// It would work.
    Works,
    /// It depends on what is not known: why.
    CannotTell(String),
    /// It would not: the first deciding fact.
    DoesNot(String),
}

impl Would {
    /// A stable word for `--json`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::CannotTell(_) => "cannot_tell",
            Self::DoesNot(_) => "does_not_work",
        }
    }

    /// Why, where it does not simply work.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Works => None,
            Self::CannotTell(why) | Self::DoesNot(why) => Some(why),
        }
    }
}

/// The answer with its reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WouldWork {
    /// The answer for the mytoken as a whole.
    pub would: Would,
    /// The answer of each clause, in the order of its restrictions; empty: it has none.
    pub clauses: Vec<Would>,
    /// The clause that would count, by its place in the list: the first one that allows the use (mytoken-api.md §4),
    /// or that might.
    pub counts: Option<usize>,
    /// How many such uses that clause has left before this one; `None`: it does not count them, or its server was not asked.
    pub left: Option<u64>,
    /// Whether the use would replace the copy that is held by a new one.
    pub rotates: bool,
    /// What else must be known.
    pub remarks: Vec<String>,
}

/// Would it work there? `heard`: whether its server has told the counters; without it counted uses cannot be told.
#[must_use]
pub fn would_work(facts: &Facts, heard: bool, there: &Elsewhere) -> WouldWork {
    let country = there.country.as_deref().map(str::to_ascii_uppercase);
    let spot = Spot {
        address: there.address,
        host: there.host.as_deref(),
        country: country.as_deref(),
        is_here: false,
    };
    let weighed: Vec<Result<Option<String>, Block>> = facts
        .restrictions
        .iter()
        .map(|clause| weigh(clause, heard, &there.purpose, &spot, there.at))
        .collect();
    let clauses: Vec<Would> = weighed.iter().map(|answer| told(answer, there)).collect();
    let sure = clauses.iter().position(|would| *would == Would::Works);
    let perhaps = clauses.iter().position(|would| matches!(would, Would::CannotTell(_)));
    let (counts, by_clauses) = match (sure, perhaps) {
        (None, None) if clauses.is_empty() => (None, Would::Works),
        (None, None) => (None, nearest(&weighed, there)),
        (Some(sure), _) => (Some(sure), Would::Works),
        (None, Some(perhaps)) => (Some(perhaps), clauses.get(perhaps).cloned().unwrap_or(Would::Works)),
    };
    let would = match (of_itself(facts, there), by_clauses) {
        (refused @ Would::DoesNot(_), _) | (_, refused @ Would::DoesNot(_)) => refused,
        (doubt @ Would::CannotTell(_), _) | (_, doubt) => doubt,
    };
    let counts = counts.filter(|_| !matches!(would, Would::DoesNot(_)));
    let counting = counts.and_then(|index| facts.restrictions.get(index));
    let is_access = there.purpose != Purpose::Other;
    let mut remarks = Vec::new();
    if let Some((earlier, counts)) = perhaps.zip(counts)
        && earlier < counts
    {
        remarks.push(format!("clause {} would count instead, if it allows the use", earlier + 1));
    }
    add_remarks(facts, there, counting, &mut remarks);
    WouldWork {
        left: counting
            .filter(|_| heard)
            .and_then(|clause| if is_access { clause.left_at() } else { clause.left_other() }),
        rotates: rotates(facts.rotation, is_access, !facts.restrictions.is_empty()),
        would,
        clauses,
        counts,
        remarks,
    }
}

/// Until when a mytoken can be renewed at the most: a copy after the first one shows its own end instead, which its next use
/// moves (mytoken-api.md §§4.4, 5).
pub(crate) fn own_end(facts: &Facts) -> Option<Timestamp> {
    let moves = facts.rotation.is_some_and(|rotation| rotation.rotates() && rotation.lifetime.is_some());
    facts.expires.filter(|_| !moves || facts.copy == Some(1))
}

/// How long a copy lives, and when the one held ends unless it is replaced before.
pub(crate) fn copy_end(facts: &Facts) -> Option<(SignedDuration, Timestamp)> {
    let seconds = facts.rotation?.lifetime?;
    let span = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    Some((span, super::time::later(facts.issued?, span)))
}

/// Whether it says nothing at all of itself: a short token that was never looked up.
pub(crate) fn is_silent(facts: &Facts) -> bool {
    facts.capabilities.is_empty() && facts.restrictions.is_empty() && facts.server.is_empty()
}

/// Other uses of an unrestricted mytoken mostly do not rotate, settings do (mytoken-api.md §12.6): then it is not claimed.
fn rotates(rotation: Option<Rotation>, is_access: bool, restricted: bool) -> bool {
    rotation.is_some_and(|rotation| if is_access { rotation.on_at } else { rotation.on_other && restricted })
}

fn weigh(
    clause: &Clause,
    heard: bool,
    purpose: &Purpose,
    spot: &Spot<'_>,
    at: Timestamp,
) -> Result<Option<String>, Block> {
    let doubt = weigh_clause(clause, purpose.wanted(), spot, at)?;
    let most = if *purpose == Purpose::Other { clause.uses_other } else { clause.uses_at };
    let uses =
        most.filter(|_| !heard).map(|most| format!("how many of its {most} uses are left was not asked"));
    let unknown = (!clause.unknown.is_empty())
        .then(|| format!("it holds {}, which toktui does not know", listed(&clause.unknown)));
    Ok(doubt.or(unknown).or(uses))
}

fn told(answer: &Result<Option<String>, Block>, there: &Elsewhere) -> Would {
    match answer {
        Ok(None) => Would::Works,
        Ok(Some(doubt)) => Would::CannotTell(doubt.clone()),
        Err(block) => Would::DoesNot(words(block, there)),
    }
}

fn nearest(weighed: &[Result<Option<String>, Block>], there: &Elsewhere) -> Would {
    let blocks = weighed.iter().filter_map(|answer| answer.as_ref().err());
    let near = blocks.reduce(|near, block| if block.is_nearer_than(near) { block } else { near });
    near.map_or(Would::Works, |block| Would::DoesNot(words(block, there)))
}

fn words(block: &Block, there: &Elsewhere) -> String {
    let is_access = there.purpose != Purpose::Other;
    match block {
        Block::Asked(why) | Block::Place(why) => why.clone(),
        Block::UsedUp { most: 0, .. } if is_access => "0 uses: it never gives access tokens".to_owned(),
        Block::UsedUp { most: 0, .. } => "0 other uses: it never allows any".to_owned(),
        Block::UsedUp { done, most } if is_access => format!("{done} of {most} access tokens were drawn"),
        Block::UsedUp { done, most } => format!("{done} of {most} uses are spent"),
        Block::NotYet(start) => {
            format!("it starts {} after that", span::words(start.duration_since(there.at)))
        }
        Block::Over(end) => format!("it ended {} before that", span::words(there.at.duration_since(*end))),
    }
}

/// What it says of itself outside its restrictions.
fn of_itself(facts: &Facts, there: &Elsewhere) -> Would {
    if is_silent(facts) {
        return Would::CannotTell("it carries no content, and no server was asked".to_owned());
    }
    if there.purpose != Purpose::Other && !can(&facts.capabilities, "AT") {
        return Would::DoesNot("it lacks AT: it gives no access tokens".to_owned());
    }
    if let Some(start) = facts.not_before.filter(|start| *start > there.at) {
        return Would::DoesNot(words(&Block::NotYet(start), there));
    }
    if let Some(end) = own_end(facts).filter(|end| *end < there.at) {
        return Would::DoesNot(words(&Block::Over(end), there));
    }
    match copy_end(facts).filter(|(_, end)| *end < there.at) {
        Some((span, _)) if facts.rotation.is_some_and(Rotation::rotates) => Would::CannotTell(format!(
            "this copy ends before that unless it is used: a copy lives {} unused",
            span::words(span)
        )),
        Some((span, _)) => {
            Would::DoesNot(format!("its rotation lifetime of {} is over before that", span::words(span)))
        }
        None => Would::Works,
    }
}

fn add_remarks(facts: &Facts, there: &Elsewhere, counting: Option<&Clause>, remarks: &mut Vec<String>) {
    if let Purpose::AccessToken { scopes, audiences } = &there.purpose
        && facts.restrictions.is_empty()
        && !is_silent(facts)
    {
        if !scopes.is_empty() {
            remarks.push(
                "it is unrestricted: its server ignores the scopes asked for and gives all of its provider's"
                    .to_owned(),
            );
        }
        if !audiences.is_empty() {
            remarks.push("it is unrestricted: its server ignores the audiences asked for".to_owned());
        }
    }
    if there.address.is_some_and(is_private)
        && facts.restrictions.iter().any(|c| c.countries_allowed.is_some() || c.countries_refused.is_some())
    {
        remarks.push("a private address counts as the country its server runs in".to_owned());
    }
    let breaks = |clause: &Clause| {
        clause.uses_other.is_some() && clause.uses_at.is_none() && clause.used_other.unwrap_or(0) > 0
    };
    if there.purpose == Purpose::Other && counting.is_some_and(breaks) {
        remarks.push(
            "servers up to 0.12 break down at the second other use of a clause that counts only other uses"
                .to_owned(),
        );
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local(),
    }
}

#[cfg(test)]
mod tests;
