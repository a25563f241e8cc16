//! All clauses together: what is lost where they meet (mytoken-api.md §4.6), and what it means to have none.

use super::{Circumstances, Found, Part};
use crate::domain::draft::{Draft, DraftClause};

pub(super) fn check(draft: &Draft, circumstances: &Circumstances<'_>, found: &mut Found) {
    let closed: Vec<(usize, &DraftClause)> =
        draft.clauses.iter().enumerate().filter(|(_, clause)| !clause.is_open()).collect();
    if closed.is_empty() {
        if circumstances.parent.is_none_or(|parent| parent.restrictions.is_empty())
            && draft.templates.is_empty()
        {
            unrestricted(draft, found);
        }
        return;
    }
    if closed.len() > 1 && closed.iter().any(|(_, clause)| clause.ends.is_some()) {
        let endless = closed.iter().find(|(_, clause)| clause.ends.is_none());
        if let Some((place, _)) = endless {
            found.warn(Part::Clause(*place), "because of this clause the mytoken as a whole has no end");
        }
    }
    if circumstances.parent.is_none() {
        cut(&closed, found);
    }
}

fn unrestricted(draft: &Draft, found: &mut Found) {
    let part = Part::Clause(0);
    found.warn(
        part,
        "it is unrestricted: without end, from anywhere, for every scope that its provider gives",
    );
    found.warn(
        part,
        "of an unrestricted mytoken the server ignores the scopes and audiences that are asked of it; a single \
         restriction (an end, a large number of access tokens) is enough to change that",
    );
    if draft.rotation.on_other {
        found.warn(Part::Rotation, "of an unrestricted mytoken history and lists make no new copy");
    }
}

/// What a login does to scopes and audiences (mytoken-api.md §4.6).
fn cut(closed: &[(usize, &DraftClause)], found: &mut Found) {
    let scoped: Vec<_> =
        closed.iter().filter_map(|(place, c)| Some((*place, c.rest.scopes.as_ref()?))).collect();
    if let Some((place, first)) = scoped.first() {
        let same_single = first.len() == 1 && scoped.iter().all(|(_, scopes)| scopes == first);
        if scoped.len() > 1 && !same_single {
            let last = scoped.last().map_or(*place, |(last, _)| *last);
            found.warn(
                Part::Clause(last),
                "by a login, scopes of several clauses are cut against each other, and a clause can end up allowing any \
                 scope: say scopes in one clause only, or log in without and make a subtoken for each",
            );
        }
    }
    let mut audiences = closed.iter().filter_map(|(place, c)| Some((*place, c.rest.audiences.as_ref()?)));
    if let Some((place, first)) = audiences.next() {
        found.warn(
            Part::Clause(place),
            "by a login, an audience stays only where the provider puts it into its access tokens; else it vanishes and \
             any is allowed. A subtoken keeps it",
        );
        if first.len() > 1 || audiences.any(|(_, other)| other != first) {
            found.warn(
                Part::Clause(place),
                "by a login, only the last of several audiences is asked for, and the others vanish: name one, or make a \
                 subtoken for each",
            );
        }
    }
}
