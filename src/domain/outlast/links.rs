//! The links themselves: each held against the time of the job.

use jiff::{SignedDuration, Timestamp};

use super::draws::Draws;
use super::{Job, Kind, Link, State, end_of, mytoken, usual_life};
use crate::domain::credential::{Chain, ChainEnd, Health, Held};
use crate::domain::elsewhere::{copy_end, is_silent, own_end};
use crate::domain::mytoken::{Clause, Facts, can};
use crate::domain::span::words;
use crate::domain::time::later;
use crate::domain::verdict::clause::{Purpose, refused_ask};
use crate::domain::verdict::place::{Fit, Spot, listed};

/// Shorter than this before its end, a job takes the next access token.
const AHEAD: SignedDuration = SignedDuration::from_secs(60);

/// Where the job runs is not known.
const SOMEWHERE: Spot<'static> = Spot { address: None, host: None, country: None, is_here: false };

/// Everything that is asked, worked out once.
pub(super) struct Case<'a> {
    held: &'a Held,
    now: Timestamp,
    pub(super) start: Timestamp,
    pub(super) until: Timestamp,
    pub(super) wall: SignedDuration,
    /// How long an access token lives.
    life: Option<SignedDuration>,
    /// How often one is drawn.
    pub(super) every: Option<SignedDuration>,
    draws: Draws,
    pub(super) facts: Option<&'a Facts>,
    pub(super) heard: bool,
    /// The access token held now is enough.
    alone: bool,
}

/// The clauses of a mytoken as the job's access tokens meet them.
struct Sorted<'a> {
    /// Those that are not ruled out wherever the job runs.
    usable: Vec<&'a Clause>,
    /// Those of them that do not depend on where.
    sure: Vec<&'a Clause>,
    doubt: Option<String>,
    refusal: Option<String>,
}

impl<'a> Case<'a> {
    pub(super) fn of(held: &'a Held, job: &Job, now: Timestamp) -> Self {
        let start = later(now, job.wait.max(SignedDuration::ZERO));
        let (until, life) = (end_of(start, job.wall), usual_life(held));
        let asked = job.every.filter(|every| *every > SignedDuration::ZERO);
        let every = asked.or_else(|| life.map(ahead_of));
        let (facts, heard) = mytoken(held);
        Self {
            held,
            now,
            start,
            until,
            wall: until.duration_since(start),
            life,
            every,
            // Without a distance every second counts: then only times are weighed, not numbers.
            draws: Draws::new(
                start,
                until.duration_since(start),
                every.unwrap_or(SignedDuration::from_secs(1)),
            ),
            facts,
            heard,
            alone: asked.is_none()
                && held.chief().and_then(|access| access.expires).is_some_and(|end| end >= until),
        }
    }

    /// How many access tokens the job takes.
    pub(super) fn needs(&self) -> Option<u64> {
        self.every.map(|_| self.draws.count)
    }

    pub(super) fn links(&self) -> Vec<Link> {
        let mut links = vec![self.access_token()];
        match &self.held.chain {
            Chain::None => {}
            Chain::Refresh { ends, session_only, .. } => links.push(self.login(*ends, *session_only)),
            Chain::Mytoken { facts, short, .. } if self.held.locked || is_silent(facts) => {
                let why = if self.held.locked {
                    "the store is locked"
                } else if *short {
                    "a short token carries no content, and its server was not asked"
                } else {
                    "it carries no content, and its server was not asked"
                };
                links.push(self.renewing(Kind::Chain, State::CannotTell, why));
            }
            Chain::Mytoken { facts, short, .. } => {
                let sorted = self.sorted(facts);
                let (carried, chain) = self.chain(facts, &sorted);
                links.push(chain);
                links.push(self.uses(&sorted, carried));
                links.push(self.rotation(facts, *short));
                links.push(self.restrictions(facts, &sorted));
            }
        }
        links.push(self.health());
        links
    }

    fn renewing(&self, kind: Kind, state: State, fact: impl Into<String>) -> Link {
        Link { kind, needed: !self.alone, state, fact: fact.into() }
    }

    fn access_token(&self) -> Link {
        let renewable = !matches!(self.held.chain, Chain::None);
        let link = |needed, state, fact: String| Link { kind: Kind::AccessToken, needed, state, fact };
        if let (true, Some(life), Some(every)) = (renewable, self.life, self.every)
            && every > life
            && life < self.wall
        {
            let fact =
                format!("one lives {}, and the job takes a new one every {}", words(life), words(every));
            return link(true, State::Breaks(later(self.start, life)), fact);
        }
        let needed = !renewable || self.alone;
        let Some(access) = self.held.chief() else {
            let state = if renewable { State::CannotTell } else { State::Breaks(self.now) };
            return link(needed, state, "none is held now".to_owned());
        };
        let Some(end) = access.expires else {
            return link(needed, State::CannotTell, "nobody said when it ends".to_owned());
        };
        if end >= self.until {
            return link(needed, State::Holds, self.beyond(end));
        }
        let fact = if end <= self.start {
            self.within(end)
        } else {
            format!("alone it covers {}", self.passed(end))
        };
        link(needed, State::Breaks(end.max(self.now)), fact)
    }

    /// The login behind a refresh token. Its access tokens may die with it, so it must last to the end.
    fn login(&self, ends: ChainEnd, session_only: bool) -> Link {
        let (state, fact) = match ends {
            ChainEnd::At(end) if end >= self.until => (State::Holds, self.beyond(end)),
            ChainEnd::At(end) => (State::Breaks(end.max(self.now)), self.within(end)),
            _ if session_only => {
                (State::CannotTell, "it lives with the browser's login session only".to_owned())
            }
            ChainEnd::Open => (State::Holds, "the provider names no end".to_owned()),
            ChainEnd::Unknown => {
                (State::CannotTell, "the provider did not say how long the login lasts".to_owned())
            }
        };
        self.renewing(Kind::Chain, state, fact)
    }

    fn sorted<'f>(&self, facts: &'f Facts) -> Sorted<'f> {
        let ask = self.held.chief().map(|access| &access.ask);
        let list = |set: &std::collections::BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>();
        let scopes = ask.map(|ask| list(&ask.scopes)).unwrap_or_default();
        let audiences = ask.map(|ask| list(&ask.audiences)).unwrap_or_default();
        let purpose = Purpose::Access { scopes: &scopes, audiences: &audiences };
        let mut sorted = Sorted { usable: Vec::new(), sure: Vec::new(), doubt: None, refusal: None };
        for clause in &facts.restrictions {
            let unknown = (!clause.unknown.is_empty()).then(|| {
                format!("its restrictions hold {}, which toktui does not know", listed(&clause.unknown))
            });
            let fit = match refused_ask(clause, purpose) {
                Some(why) => Fit::No(why),
                None => SOMEWHERE.fits(clause),
            };
            let doubt = match fit {
                Fit::Yes => unknown,
                Fit::Perhaps(doubt) => Some(doubt),
                Fit::No(why) => {
                    sorted.refusal.get_or_insert(why);
                    continue;
                }
            };
            sorted.usable.push(clause);
            match doubt {
                None => sorted.sure.push(clause),
                Some(doubt) => {
                    sorted.doubt.get_or_insert(doubt);
                }
            }
        }
        sorted
    }

    /// Start and end, its own and those of its clauses; and how many draws they carry.
    fn chain(&self, facts: &Facts, sorted: &Sorted<'_>) -> (u64, Link) {
        if let Some(start) = facts.not_before.filter(|start| *start > self.start) {
            let fact = format!("it starts {} after the job does", words(start.duration_since(self.start)));
            return (0, self.renewing(Kind::Chain, State::Breaks(self.start), fact));
        }
        let own = own_end(facts);
        let by_own = own.map_or(self.draws.count, |end| self.draws.first_after(end));
        let open = sorted.usable.is_empty() || facts.restrictions.is_empty();
        let by_clauses = if open { self.draws.count } else { self.draws.carried(&sorted.usable, false) };
        let carried = by_own.min(by_clauses);
        let last = sorted.usable.iter().map(|clause| clause.expires).collect::<Option<Vec<_>>>();
        let last = last.and_then(|ends| ends.into_iter().max());
        let end = [own, last].into_iter().flatten().min();
        if carried < self.draws.count {
            let at = self.draws.at(carried);
            let fact = match end.filter(|end| *end < at) {
                Some(end) => self.within(end),
                None if carried == 0 => "none of its clauses is open when the job starts".to_owned(),
                None => format!("none of its clauses is open after {}", self.passed(at)),
            };
            return (carried, self.renewing(Kind::Chain, State::Breaks(at), fact));
        }
        let fact = match end {
            None => "it has no end".to_owned(),
            Some(end) if end >= self.until => self.beyond(end),
            Some(end) => format!(
                "it ends {} before the job does, which the last access token outlives",
                words(self.until.duration_since(end))
            ),
        };
        (carried, self.renewing(Kind::Chain, State::Holds, fact))
    }

    fn uses(&self, sorted: &Sorted<'_>, in_time: u64) -> Link {
        let link = |state, fact: String| self.renewing(Kind::Uses, state, fact);
        let mut counted: Vec<&Clause> = Vec::new();
        let in_job = |clause: &&&Clause| {
            clause.expires.is_none_or(|end| end >= self.start)
                && clause.not_before.is_none_or(|start| start < self.until)
        };
        let usable: Vec<&Clause> = sorted.usable.iter().filter(in_job).copied().collect();
        for clause in &usable {
            // Identical clauses share their uses (mytoken-api.md §4.7).
            if clause.uses_at.is_some() && !counted.contains(clause) {
                counted.push(clause);
            }
        }
        if counted.is_empty() {
            return link(State::Holds, "they are not counted".to_owned());
        }
        let most: u64 = counted.iter().filter_map(|clause| clause.uses_at).fold(0, u64::saturating_add);
        let left: u64 = counted.iter().filter_map(|clause| clause.left_at()).fold(0, u64::saturating_add);
        let all_counted = usable.iter().all(|clause| clause.uses_at.is_some());
        if most == 0 && all_counted {
            return link(State::Breaks(self.start), "0 uses: it never gives access tokens".to_owned());
        }
        if left == 0 && all_counted {
            return link(State::Breaks(self.start), format!("{most} of {most} are used"));
        }
        let Some(needs) = self.needs() else {
            if !all_counted {
                return link(State::Holds, "not every clause counts them".to_owned());
            }
            let fact = format!("{left} of {most} are left; how many the job needs is not known");
            return link(State::CannotTell, fact);
        };
        let carried = self.draws.carried(&sorted.usable, true);
        if carried < needs && carried < in_time {
            let at = self.draws.at(carried);
            let passed = words(at.duration_since(self.start));
            let fact = if carried == left && all_counted {
                format!("{most} of {most} used after {passed}; the job needs {needs}")
            } else {
                format!("no use is left after {passed}; the job needs {needs}")
            };
            return link(State::Breaks(at), fact);
        }
        if all_counted && left < needs {
            let at = self.draws.at(left);
            let passed = words(at.duration_since(self.start));
            return link(
                State::Breaks(at),
                format!("{most} of {most} used after {passed}; the job needs {needs}"),
            );
        }
        if !self.heard && all_counted {
            let fact = format!("the job needs {needs} of its {most}; how many are left was not asked");
            return link(State::CannotTell, fact);
        }
        link(State::Holds, format!("{left} of {most} are left; the job needs {needs}"))
    }

    fn rotation(&self, facts: &Facts, short: bool) -> Link {
        let link = |state, fact: String| self.renewing(Kind::Rotation, state, fact);
        let Some(rotation) = facts.rotation else {
            return link(State::Holds, "it does not rotate".to_owned());
        };
        if short && rotation.on_at {
            let fact =
                "a short token that rotates at access tokens gets none from servers of 0.10".to_owned();
            return link(State::CannotTell, fact);
        }
        let Some(seconds) = rotation.lifetime else {
            return link(State::Holds, "a copy lives without limit".to_owned());
        };
        let lives = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
        let ends = copy_end(facts).map(|(_, end)| end);
        // A copy whose age is not known was not made later than now.
        let latest = ends.unwrap_or_else(|| later(self.now, lives));
        if latest < self.start {
            let fact = if latest <= self.now {
                format!("a copy lives {} unused, and this one is older", words(lives))
            } else {
                let wait = words(self.start.duration_since(self.now));
                format!("a copy lives {} unused, and the job waits {wait}", words(lives))
            };
            return link(State::Breaks(latest.max(self.now)), fact);
        }
        if rotation.on_at {
            self.between_uses(lives, ends.is_some())
        } else {
            let last = self.draws.first_after(latest);
            if last < self.draws.count {
                let fact = format!("its lifetime of {} is not renewed by access tokens", words(lives));
                return link(State::Breaks(self.draws.at(last)), fact);
            }
            if ends.is_none() {
                return link(State::CannotTell, "how old this copy is is not known".to_owned());
            }
            link(State::Holds, self.beyond(latest))
        }
    }

    /// A copy is replaced at every access token: it must live from one to the next.
    fn between_uses(&self, lives: SignedDuration, age_is_known: bool) -> Link {
        let link = |state, fact: String| self.renewing(Kind::Rotation, state, fact);
        let lives_for = words(lives);
        match self.every {
            Some(every) if every > lives && self.draws.count > 1 => link(
                State::Breaks(later(self.start, lives)),
                format!("a copy lives {lives_for} unused, and the job uses it every {}", words(every)),
            ),
            None if lives < self.wall => link(
                State::CannotTell,
                format!("a copy lives {lives_for} unused; how often the job uses it is not known"),
            ),
            _ if !age_is_known => link(
                State::CannotTell,
                format!("a copy lives {lives_for} unused; how old this one is is not known"),
            ),
            _ => {
                link(State::Holds, format!("a copy lives {lives_for} unused, longer than the job leaves it"))
            }
        }
    }

    fn restrictions(&self, facts: &Facts, sorted: &Sorted<'_>) -> Link {
        let link = |state, fact: String| self.renewing(Kind::Restrictions, state, fact);
        if !can(&facts.capabilities, "AT") {
            let fact = "it lacks AT: it gives no access tokens".to_owned();
            return link(State::Breaks(self.start), fact);
        }
        if facts.restrictions.is_empty() {
            return link(State::Holds, "it is not restricted".to_owned());
        }
        if sorted.usable.is_empty() {
            let why = sorted.refusal.clone().unwrap_or_default();
            return link(State::Breaks(self.start), why);
        }
        let carries = |clauses: &[&Clause]| self.draws.carried(clauses, self.every.is_some());
        match &sorted.doubt {
            // What ends or is used up anyway is said by those links.
            Some(doubt) if carries(&sorted.sure) < carries(&sorted.usable) => {
                link(State::CannotTell, doubt.clone())
            }
            _ => link(State::Holds, "nothing else stands in its way".to_owned()),
        }
    }

    fn health(&self) -> Link {
        let (needed, state, fact) = match &self.held.health {
            Health::Ok => (true, State::Holds, "nothing is known against it".to_owned()),
            Health::InDoubt(why) => (!self.alone, State::CannotTell, why.clone()),
            Health::NeedsLogin(why) => (!self.alone, State::Breaks(self.now), why.clone()),
            Health::Dead(why) => (true, State::Breaks(self.now), why.clone()),
        };
        Link { kind: Kind::Health, needed, state, fact }
    }

    fn beyond(&self, end: Timestamp) -> String {
        format!("it ends {} after the job", words(end.duration_since(self.until)))
    }

    fn within(&self, end: Timestamp) -> String {
        if end <= self.now {
            "it has ended".to_owned()
        } else if end <= self.start {
            "it ends before the job starts".to_owned()
        } else {
            format!("it ends after {}", self.passed(end))
        }
    }

    fn passed(&self, at: Timestamp) -> String {
        format!("{} of the job's {}", words(at.duration_since(self.start)), words(self.wall))
    }
}

/// When the next access token is taken while the one in use lives `life`.
fn ahead_of(life: SignedDuration) -> SignedDuration {
    let early = life.saturating_sub(AHEAD);
    if early > AHEAD {
        early
    } else {
        SignedDuration::from_secs(life.as_secs() / 2).max(SignedDuration::from_secs(1))
    }
}
