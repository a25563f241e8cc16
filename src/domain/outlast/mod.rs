//! Will it outlast my job? Everything a job hangs on, link by link, and the first one that breaks.

mod chain;
mod draws;
mod links;
mod slurm;

use jiff::{SignedDuration, Timestamp};

use self::links::Case;
use super::credential::{Chain, Health, Held};
use super::draft::{Draft, DraftClause, When};
use super::mytoken::{Capability, Facts};
use super::time::later;

pub use slurm::SlurmJob;

/// A job that is to run on what is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// How long it waits before it starts.
    pub wait: SignedDuration,
    /// How long it runs.
    pub wall: SignedDuration,
    /// How often it takes a new access token; `None`: a minute before the one it has ends.
    pub every: Option<SignedDuration>,
}

/// What a job hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The one access token held now.
    AccessToken,
    /// The login or mytoken that gives new ones.
    Chain,
    /// The counted uses for access tokens.
    Uses,
    /// The life of a copy that is not used.
    Rotation,
    /// What holds at all times: capability, scopes, hosts, countries.
    Restrictions,
    /// What is known against it.
    Health,
}

impl Kind {
    /// A stable word for `--json`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::Chain => "chain",
            Self::Uses => "uses",
            Self::Rotation => "rotation",
            Self::Restrictions => "restrictions",
            Self::Health => "health",
        }
    }

    /// As it stands on the screen.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::AccessToken => "access token",
            Self::Chain => "chain",
            Self::Uses => "uses",
            Self::Rotation => "rotation lifetime",
            Self::Restrictions => "restrictions",
            Self::Health => "health",
        }
    }
}

/// How a link stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It holds to the end of the job.
    Holds,
    /// It breaks at this moment.
    Breaks(Timestamp),
    /// It depends on what is not known.
    CannotTell,
}

impl State {
    /// A stable word for `--json`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Breaks(_) => "breaks",
            Self::CannotTell => "cannot_tell",
        }
    }
}

/// One thing a job hangs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Which.
    pub kind: Kind,
    /// Whether the job hangs on it at all: not on the one access token where new ones can be drawn, and on nothing else where
    /// that one is enough.
    pub needed: bool,
    /// How it stands.
    pub state: State,
    /// The one deciding fact, in words.
    pub fact: String,
}

/// What can be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advice {
    /// A mytoken with these numbers would hold.
    Make(Holds),
    /// Log in again.
    LogIn,
    /// Ask its server: what it says may settle what cannot be told.
    AskServer,
    /// Say how often the job takes an access token.
    SayHowOften,
    /// Ask whether it would work where the job runs.
    WouldItWork,
}

/// The numbers of a mytoken that would hold, with room to spare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holds {
    /// How long it must live from now on, in seconds: to the end of the job and a tenth more.
    pub lifetime_seconds: u64,
    /// How many access tokens it must give: a fifth more than the job takes; `None`: they must not be counted.
    pub uses_at: Option<u64>,
    /// How long a copy must live unused, in seconds; `None`: it need not rotate, or without limit.
    pub copy_lives: Option<u64>,
}

impl Holds {
    /// A draft of a mytoken like this one, under its name, with numbers that hold; of a login one for access tokens.
    #[must_use]
    pub fn draft(self, held: &Held) -> Draft {
        let mut draft = match &held.chain {
            Chain::Mytoken { facts, .. } => Draft::like(facts),
            Chain::Refresh { .. } | Chain::None => Draft {
                capabilities: vec![Capability::new("AT"), Capability::new("tokeninfo")],
                ..Draft::default()
            },
        };
        draft.name.clone_from(&held.name);
        if draft.clauses.is_empty() {
            draft.clauses.push(DraftClause::default());
        }
        for clause in &mut draft.clauses {
            clause.starts = None;
            clause.ends = Some(When::In(self.lifetime_seconds));
            clause.rest.uses_at = clause.rest.uses_at.and(self.uses_at);
        }
        if draft.rotation.lifetime.is_some() {
            draft.rotation.lifetime = self.copy_lives.or(draft.rotation.lifetime);
        }
        draft
    }
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlast {
    /// When the job starts.
    pub start: Timestamp,
    /// When it ends.
    pub until: Timestamp,
    /// How many access tokens it takes, where that can be told.
    pub needs: Option<u64>,
    /// What it hangs on.
    pub links: Vec<Link>,
    /// The needed link that breaks first, by its place in [`Outlast::links`].
    pub first_break: Option<usize>,
    /// What to do about it; empty where everything holds.
    pub advice: Vec<Advice>,
}

impl Outlast {
    /// The answer as a whole: whether every needed link holds, when the first one breaks, or that it cannot be told.
    #[must_use]
    pub fn answer(&self) -> State {
        if let Some(broken) = self.first_break.and_then(|index| self.links.get(index)) {
            return broken.state;
        }
        let doubtful = |link: &Link| link.needed && link.state == State::CannotTell;
        if self.links.iter().any(doubtful) { State::CannotTell } else { State::Holds }
    }
}

/// Will `held` outlast `job`, which is submitted `now`?
#[must_use]
pub fn outlast(held: &Held, job: &Job, now: Timestamp) -> Outlast {
    let case = Case::of(held, job, now);
    let links = case.links();
    let first_break = links
        .iter()
        .enumerate()
        .filter(|(_, link)| link.needed)
        .filter_map(|(index, link)| match link.state {
            State::Breaks(at) => Some((at, index)),
            _ => None,
        })
        .min()
        .map(|(_, index)| index);
    let advice = advice(held, &case, &links, now);
    Outlast { start: case.start, until: case.until, needs: case.needs(), links, first_break, advice }
}

fn advice(held: &Held, case: &Case<'_>, links: &[Link], now: Timestamp) -> Vec<Advice> {
    let needed = || links.iter().filter(|link| link.needed);
    let breaks = needed().any(|link| matches!(link.state, State::Breaks(_)));
    let doubts = |kind: Kind| needed().any(|link| link.kind == kind && link.state == State::CannotTell);
    let mut advice = Vec::new();
    let is_login = matches!(held.chain, Chain::Refresh { .. });
    if is_login && matches!(held.health, Health::NeedsLogin(_) | Health::Dead(_)) {
        advice.push(Advice::LogIn);
    }
    let is_mytoken = matches!(held.chain, Chain::Mytoken { .. });
    if is_mytoken && !case.heard && (doubts(Kind::Uses) || doubts(Kind::Chain)) {
        advice.push(Advice::AskServer);
    }
    if case.every.is_none() && (doubts(Kind::Uses) || doubts(Kind::Rotation)) {
        advice.push(Advice::SayHowOften);
    }
    if doubts(Kind::Restrictions) {
        advice.push(Advice::WouldItWork);
    }
    if breaks || (is_login && doubts(Kind::Chain)) {
        advice.push(Advice::Make(that_holds(case, now)));
    }
    advice
}

fn that_holds(case: &Case<'_>, now: Timestamp) -> Holds {
    let span = case.until.duration_since(now).as_secs().max(0).unsigned_abs();
    let rotation = case.facts.and_then(|facts| facts.rotation);
    let copy_lives = rotation.and_then(|rotation| rotation.lifetime).map(|_| {
        let longest = case.start.duration_since(now).max(case.every.unwrap_or(case.wall));
        tenth_more(longest.as_secs().max(0).unsigned_abs()).max(1)
    });
    Holds {
        lifetime_seconds: tenth_more(span),
        uses_at: case.needs().map(|needs| needs.saturating_mul(6).div_ceil(5)),
        copy_lives,
    }
}

fn tenth_more(seconds: u64) -> u64 {
    seconds.saturating_mul(11).div_ceil(10)
}

/// How long an access token lives as a rule, by the one that is held.
fn usual_life(held: &Held) -> Option<SignedDuration> {
    let chief = held.chief()?;
    chief.expires.map(|end| end.duration_since(chief.obtained)).filter(|life| *life > SignedDuration::ZERO)
}

/// The facts of a mytoken and whether its server was heard about it.
fn mytoken(held: &Held) -> (Option<&Facts>, bool) {
    match &held.chain {
        Chain::Mytoken { facts, heard, .. } => (Some(facts), heard.is_some()),
        _ => (None, false),
    }
}

fn end_of(start: Timestamp, wall: SignedDuration) -> Timestamp {
    later(start, wall.max(SignedDuration::ZERO))
}

#[cfg(test)]
mod tests;
