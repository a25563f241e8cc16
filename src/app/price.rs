//! What an action costs, in words, before it is done; nothing is returned for what costs nothing (design.md §2).

use super::can;
use super::state::State;
use crate::domain::credential::{Chain, Health, Held};
use crate::domain::mytoken::{Facts, Rotation};

/// The price of one more access token. That a refresh token rotates costs its user nothing.
#[must_use]
pub fn of_access_token(held: &Held, state: &State) -> Option<String> {
    let Chain::Mytoken { facts, copy, .. } = &held.chain else {
        return match &held.health {
            Health::InDoubt(_) => Some("its last renewal got no answer: this one may be refused".to_owned()),
            Health::Ok | Health::NeedsLogin(_) | Health::Dead(_) => None,
        };
    };
    let uses = uses(facts, can::access_tokens_left(facts, state), |clause| clause.uses_at, "access tokens");
    let turns = facts.rotation.filter(|rotation| rotation.on_at).map(|_| newer_copy(*copy));
    joined([doubt(held, facts.rotation), uses, turns])
}

/// The price of reading a held mytoken's history. An unrestricted mytoken is neither counted nor rotated by it
/// (mytoken-api.md §2.5).
#[must_use]
pub fn of_history(held: &Held, state: &State) -> Option<String> {
    let Chain::Mytoken { facts, copy, .. } = &held.chain else { return None };
    joined([doubt(held, facts.rotation), of_other_use(facts, *copy, state)])
}

/// The price of reading the history of a pasted mytoken. It is not held: a copy it would turn into is lost.
#[must_use]
pub fn of_pasted_history(facts: &Facts, state: &State) -> Option<String> {
    let loses = facts.rotation.is_some_and(|rotation| rotation.on_other) && !facts.restrictions.is_empty();
    let lost = loses.then(|| "it makes a newer copy that is not kept: keep it first".to_owned());
    let uses = uses_of_others(facts, state);
    joined([uses, lost])
}

/// The price of a subtoken: it is counted and rotates its parent also where other uses of an unrestricted one do not
/// (mytoken-api.md §2.3, §12.6).
#[must_use]
pub fn of_subtoken(held: &Held, state: &State) -> Option<String> {
    let Chain::Mytoken { facts, copy, .. } = &held.chain else { return None };
    let turns = facts.rotation.filter(|rotation| rotation.on_other).map(|_| newer_copy(*copy));
    joined([doubt(held, facts.rotation), uses_of_others(facts, state), turns])
}

/// What handing a mytoken itself over means: it is free, and dear.
#[must_use]
pub fn of_itself(held: &Held) -> String {
    let rotates = match &held.chain {
        Chain::Mytoken { facts, .. } => facts.rotation.is_some_and(Rotation::rotates),
        Chain::Refresh { .. } | Chain::None => false,
    };
    if rotates {
        "both sides hold the same one then: when one side uses it, it rotates and locks the other out"
            .to_owned()
    } else {
        "both sides hold the same one then: they share its uses, and revoking it ends both".to_owned()
    }
}

fn of_other_use(facts: &Facts, copy: u64, state: &State) -> Option<String> {
    if facts.restrictions.is_empty() {
        return None;
    }
    let turns = facts.rotation.filter(|rotation| rotation.on_other).map(|_| newer_copy(copy));
    joined([uses_of_others(facts, state), turns])
}

fn uses_of_others(facts: &Facts, state: &State) -> Option<String> {
    uses(facts, can::other_uses_left(facts, state), |clause| clause.uses_other, "other uses")
}

/// Every clause counts: one of so many. Some do: perhaps one; which clause is taken, only the server knows.
fn uses(
    facts: &Facts,
    left: Option<u64>,
    counted: fn(&crate::domain::mytoken::Clause) -> Option<u64>,
    what: &str,
) -> Option<String> {
    match left {
        Some(left) => Some(format!("costs 1 of {left} {what} left")),
        None if facts.restrictions.iter().any(|clause| counted(clause).is_some()) => {
            Some(format!("may cost one of its counted {what}"))
        }
        // A short token whose server was never asked: nothing is known of it.
        None if *facts == Facts::default() => {
            Some(format!("may cost one of its {what}, if they are counted"))
        }
        None => None,
    }
}

fn newer_copy(copy: u64) -> String {
    format!("makes copy {}; older copies go stale", copy.saturating_add(1))
}

/// An unanswered use may have made a newer copy that never arrived.
fn doubt(held: &Held, rotation: Option<Rotation>) -> Option<String> {
    let Health::InDoubt(_) = held.health else { return None };
    let kills = rotation.is_some_and(|rotation| rotation.auto_revoke);
    Some(if kills {
        "its last use got no answer: if that made a newer copy, using this one revokes the whole family"
            .to_owned()
    } else {
        "its last use got no answer: this copy may be stale".to_owned()
    })
}

fn joined<const N: usize>(parts: [Option<String>; N]) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}
