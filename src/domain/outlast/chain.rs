//! What a job hangs on where a mytoken gives its access tokens.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::links::Case;
use super::{Kind, Link, State};
use crate::domain::elsewhere::{copy_end, own_end};
use crate::domain::mytoken::{Clause, Facts, can};
use crate::domain::span::words;
use crate::domain::time::later;
use crate::domain::verdict::clause::{Purpose, refused_ask};
use crate::domain::verdict::place::{Fit, Spot, listed};

/// Where the job runs is not known.
const SOMEWHERE: Spot<'static> = Spot { address: None, host: None, country: None, is_here: false };

/// The clauses of a mytoken as the job's access tokens meet them.
struct Sorted<'a> {
    /// Those that are not ruled out wherever the job runs.
    usable: Vec<&'a Clause>,
    /// Those of them that do not depend on where.
    sure: Vec<&'a Clause>,
    doubt: Option<String>,
    refusal: Option<String>,
}

/// How many access tokens some clauses give.
struct Uses {
    /// `None`: none of them counts.
    most: Option<u64>,
    left: u64,
    all_counted: bool,
}

impl Case<'_> {
    pub(super) fn of_mytoken(&self, facts: &Facts, short: bool) -> [Link; 4] {
        let sorted = self.sorted(facts);
        let (carried, chain) = self.chain(facts, &sorted);
        let uses = self.uses(&sorted, carried);
        [chain, uses, self.rotation(facts, short), self.restrictions(facts, &sorted)]
    }

    fn sorted<'f>(&self, facts: &'f Facts) -> Sorted<'f> {
        let ask = self.held.chief().map(|access| &access.ask);
        let list = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>();
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
        let Uses { most, left, all_counted } = self.uses_of(sorted);
        let Some(most) = most else { return link(State::Holds, "they are not counted".to_owned()) };
        if left == 0 && all_counted {
            let fact = match most {
                0 => "0 uses: it never gives access tokens".to_owned(),
                most => format!("{most} of {most} are used"),
            };
            return link(State::Breaks(self.start), fact);
        }
        let are_left = if self.heard {
            format!("{left} of {most} are left")
        } else {
            format!("how many of its {most} are left was not asked")
        };
        let Some(needs) = self.needs() else {
            if !all_counted {
                return link(State::Holds, "not every clause counts them".to_owned());
            }
            let fact = format!("{are_left}; how many the job needs is not known");
            return link(State::CannotTell, fact);
        };
        let carried = self.draws.carried(&sorted.usable, true);
        // Where time runs out first, the number of uses still says whether they would have been enough.
        let given = if all_counted && carried >= in_time { left } else { carried };
        if given < needs && (given < in_time || all_counted) {
            let at = self.draws.at(given);
            let passed = words(at.duration_since(self.start));
            let gone = if all_counted && given == left {
                format!("{most} of {most} used")
            } else {
                "no use is left".to_owned()
            };
            return link(State::Breaks(at), format!("{gone} after {passed}; the job needs {needs}"));
        }
        let free: Vec<&Clause> = sorted.usable.iter().filter(|c| c.uses_at.is_none()).copied().collect();
        if !self.heard && self.draws.carried(&free, false) < in_time {
            let fact = format!("the job needs {needs} of its {most}; how many are left was not asked");
            return link(State::CannotTell, fact);
        }
        link(State::Holds, format!("{are_left}; the job needs {needs}"))
    }

    /// The uses of the clauses that can be open while the job runs.
    fn uses_of(&self, sorted: &Sorted<'_>) -> Uses {
        let in_job = |clause: &&&Clause| {
            clause.expires.is_none_or(|end| end >= self.start)
                && clause.not_before.is_none_or(|start| start < self.until)
        };
        let usable: Vec<&Clause> = sorted.usable.iter().filter(in_job).copied().collect();
        let mut counted: Vec<&Clause> = Vec::new();
        for clause in &usable {
            // Identical clauses share their uses (mytoken-api.md §4.7).
            if clause.uses_at.is_some() && !counted.iter().any(|other| other.is_same_as(clause)) {
                counted.push(clause);
            }
        }
        let sum = |of: fn(&Clause) -> Option<u64>| {
            counted.iter().filter_map(|clause| of(clause)).reduce(u64::saturating_add)
        };
        Uses {
            most: sum(|clause| clause.uses_at),
            left: sum(Clause::left_at).unwrap_or(0),
            all_counted: usable.iter().all(|clause| clause.uses_at.is_some()),
        }
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
}
