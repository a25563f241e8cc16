//! A subtoken: what its parent must be able to do, what it costs, and what the server would drop without a word.

use super::{Circumstances, Found, Part};
use crate::domain::draft::Draft;
use crate::domain::mytoken::{Clause, Facts, can};
use crate::domain::tighter::tighten;
use crate::domain::untrusted::Untrusted;

const PART: Part = Part::Parent;

pub(super) fn check(draft: &Draft, parent: &Facts, circumstances: &Circumstances<'_>, found: &mut Found) {
    let name = parent.name.as_ref().map_or_else(|| "its parent".to_owned(), |name| name.shown_within(30));
    if !can(&parent.capabilities, "create_mytoken") {
        found.stop(PART, format!("{name} may not make subtokens: it lacks create_mytoken"));
    }
    if parent.ends().is_some_and(|end| end <= circumstances.now) {
        found.stop(PART, format!("{name} has ended, and an ended mytoken makes no subtokens"));
    }
    cost(parent, &name, found);
    clauses(draft, parent, &name, circumstances, found);
}

fn cost(parent: &Facts, name: &str, found: &mut Found) {
    let left: Option<u64> = parent
        .restrictions
        .iter()
        .map(Clause::left_other)
        .try_fold(0_u64, |sum, left| left.map(|left| sum.saturating_add(left)));
    match left.filter(|_| !parent.restrictions.is_empty()) {
        Some(0) => found.stop(PART, format!("{name} has no other use left, and making a subtoken is one")),
        Some(left) => found.warn(PART, format!("making it costs one of the {left} other uses of {name}")),
        None => {}
    }
    if parent.rotation.is_some_and(|rotation| rotation.on_other) {
        found.warn(PART, format!("making it replaces {name} by a new copy, which is kept here"));
    }
}

fn clauses(draft: &Draft, parent: &Facts, name: &str, circumstances: &Circumstances<'_>, found: &mut Found) {
    let asked: Vec<Clause> =
        draft.clauses.iter().map(|clause| sent(clause.made(circumstances.now))).collect();
    let counted = |clauses: &[Clause]| clauses.iter().any(|clause| clause.uses_at.is_some());
    if parent.restrictions.is_empty() {
        return;
    }
    if asked.iter().all(|clause| *clause == Clause::default()) {
        found.warn(PART, format!("it gets the restrictions of {name}, with counts of its own"));
        return;
    }
    if counted(&asked) && counted(&parent.restrictions) {
        found.warn(PART, format!("what it uses does not count against {name}"));
    }
    // Which address `this` is, only the server knows.
    let has_this = |clause: &Clause| clause.hosts.iter().flatten().any(|host| host.raw() == "this");
    if asked.iter().any(has_this) && parent.restrictions.iter().any(|clause| clause.hosts.is_some()) {
        return;
    }
    let tightened = tighten(&parent.restrictions, &asked);
    for (place, why) in &tightened.dropped {
        found.warn(Part::Clause(*place), format!("the server drops this clause without a word: {why}"));
    }
    if tightened.falls_back {
        found.warn(PART, format!("nothing of its restrictions would be left, so it gets those of {name}"));
    }
}

/// The clause as the server sees it: countries in capitals, and nothing that is never sent.
fn sent(clause: Clause) -> Clause {
    let capitals = |list: Option<Vec<Untrusted>>| {
        list.map(|list| list.iter().map(|code| Untrusted::new(code.raw().to_uppercase())).collect())
    };
    Clause {
        countries_allowed: capitals(clause.countries_allowed),
        countries_refused: capitals(clause.countries_refused),
        unknown: Vec::new(),
        ..clause
    }
}
