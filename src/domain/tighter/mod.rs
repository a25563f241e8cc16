//! What a server will make of the restrictions and capabilities asked for a subtoken, before anything is sent.

use std::net::IpAddr;

use super::mytoken::{Capability, Clause, can};
use super::untrusted::Untrusted;
use super::verdict::place::{contains, listed, network};

/// What a subtoken would be restricted to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tightened {
    /// The clauses it would get; empty: it would be unrestricted.
    pub granted: Vec<Clause>,
    /// The asked clauses that would silently not be there, by their place in the list, each with the reason.
    pub dropped: Vec<(usize, String)>,
    /// Whether none of those asked for would be left, so that it would get its parent's.
    pub falls_back: bool,
}

/// What a server makes of the clauses asked for a subtoken (mytoken-api.md §4.5): each must be tighter than one of its parent's,
/// and those under the same one must fit into its uses together. What was used of the parent does not matter.
///
/// `this` among the hosts must have been replaced by the address it stands for: here it is a name like any other. What an operator
/// adds (a longest life, members that are switched off) is not foreseen.
#[must_use]
pub fn tighten(parent: &[Clause], asked: &[Clause]) -> Tightened {
    let fresh = |clause: &Clause| Clause { used_at: None, used_other: None, ..clause.clone() };
    let known = |clause: &Clause| Clause { unknown: Vec::new(), ..fresh(clause) };
    // A clause without members vanishes (recorded), and so do members that the server does not know.
    let wanted: Vec<(usize, Clause)> =
        asked.iter().map(known).enumerate().filter(|(_, clause)| *clause != Clause::default()).collect();
    if parent.is_empty() {
        return Tightened { granted: wanted.into_iter().map(|(_, c)| c).collect(), ..Tightened::default() };
    }
    let mut rest: Vec<Clause> = parent.iter().map(fresh).collect();
    let (mut granted, mut dropped) = (Vec::new(), Vec::new());
    for (index, clause) in wanted {
        match rest.iter_mut().find(|above| wider_member(&clause, above).is_none()) {
            Some(above) => {
                above.uses_at =
                    above.uses_at.zip(clause.uses_at).map(|(left, taken)| left - taken).or(above.uses_at);
                above.uses_other = above
                    .uses_other
                    .zip(clause.uses_other)
                    .map(|(left, taken)| left - taken)
                    .or(above.uses_other);
                granted.push(clause);
            }
            None => dropped.push((index, why_dropped(&clause, parent, &rest))),
        }
    }
    for (index, clause) in asked.iter().enumerate() {
        if known(clause) == Clause::default() {
            let why = "it restricts nothing, and the parent is restricted".to_owned();
            dropped.push((index, why));
        }
    }
    dropped.sort_by_key(|(index, _)| *index);
    let falls_back = granted.is_empty() && !asked.is_empty();
    if granted.is_empty() {
        granted = parent.iter().map(fresh).collect();
    }
    Tightened { granted, dropped, falls_back }
}

/// Which of the capabilities asked for a subtoken it would get and which not; none asked: all of its parent's
/// (mytoken-api.md §§2.3.4, 3.2). Where nothing is granted the server refuses.
#[must_use]
pub fn capabilities(parent: &[Capability], asked: &[Capability]) -> (Vec<Capability>, Vec<Capability>) {
    if asked.is_empty() {
        return (parent.to_vec(), Vec::new());
    }
    asked.iter().cloned().partition(|capability| can(parent, capability.0.raw()))
}

/// The reason, against the parent clause that comes nearest.
fn why_dropped(clause: &Clause, parent: &[Clause], rest: &[Clause]) -> String {
    if parent.iter().any(|above| wider_member(clause, above).is_none()) {
        return "together with the clauses before it, it has more uses than the parent".to_owned();
    }
    let reasons: Vec<String> = rest.iter().filter_map(|above| wider_member(clause, above)).collect();
    match reasons.as_slice() {
        [only] => only.clone(),
        several => format!(
            "it is tighter than none of the parent's {} clauses: {}",
            several.len(),
            several.join("; ")
        ),
    }
}

/// The first member in which `clause` is wider than `above`, in words; `None`: it is tighter.
fn wider_member(clause: &Clause, above: &Clause) -> Option<String> {
    let within = |own: Option<&Vec<Untrusted>>, most: Option<&Vec<Untrusted>>, what: &str| {
        let most = most?;
        let Some(own) = own else { return Some(format!("it must repeat the {what} {}", listed(most))) };
        let other = own.iter().find(|word| !most.contains(word))?;
        Some(format!("{} is not among the parent's {what} {}", other.shown(), listed(most)))
    };
    let uses = |own: Option<u64>, most: Option<u64>, what: &str| {
        let most = most?;
        match own {
            None => Some(format!("it must repeat the parent's limit of {most} {what}")),
            Some(own) if own > most => Some(format!("{own} {what} are more than the parent's {most}")),
            Some(_) => None,
        }
    };
    times(clause, above)
        .or_else(|| within(clause.scopes.as_ref(), above.scopes.as_ref(), "scopes"))
        .or_else(|| within(clause.audiences.as_ref(), above.audiences.as_ref(), "audiences"))
        .or_else(|| hosts(clause.hosts.as_deref(), above.hosts.as_deref()))
        .or_else(|| within(clause.countries_allowed.as_ref(), above.countries_allowed.as_ref(), "countries"))
        .or_else(|| refused(clause.countries_refused.as_deref(), above.countries_refused.as_deref()))
        .or_else(|| uses(clause.uses_at, above.uses_at, "uses for access tokens"))
        .or_else(|| uses(clause.uses_other, above.uses_other, "other uses"))
}

fn times(clause: &Clause, above: &Clause) -> Option<String> {
    if let Some(start) = above.not_before {
        match clause.not_before {
            None => return Some("it must start no earlier than the parent, and names no start".to_owned()),
            Some(own) if own < start => return Some("it starts before the parent".to_owned()),
            Some(_) => {}
        }
    }
    let end = above.expires?;
    match clause.expires {
        None => Some("it must end no later than the parent, and names no end".to_owned()),
        Some(own) if own > end => Some("it ends after the parent".to_owned()),
        Some(_) => None,
    }
}

fn hosts(own: Option<&[Untrusted]>, most: Option<&[Untrusted]>) -> Option<String> {
    let most = most?;
    let Some(own) = own else { return Some(format!("it must repeat the hosts {}", listed(most))) };
    let other = own.iter().find(|host| !most.iter().any(|above| lies_in(host.raw(), above.raw())))?;
    Some(format!("{} is not among the parent's hosts {}", other.shown(), listed(most)))
}

/// Whether every address of `host` is one of `above`; names only where they are the same.
fn lies_in(host: &str, above: &str) -> bool {
    match (network(host), network(above)) {
        (Some((address, bits)), Some((net, fewer))) => {
            bits >= fewer && same_kind(address, net) && contains((net, fewer), address)
        }
        _ => host == above,
    }
}

fn same_kind(one: IpAddr, other: IpAddr) -> bool {
    one.is_ipv4() == other.is_ipv4()
}

fn refused(own: Option<&[Untrusted]>, least: Option<&[Untrusted]>) -> Option<String> {
    let least = least?;
    let missing = least.iter().find(|code| !own.is_some_and(|own| own.contains(code)))?;
    Some(format!("it must refuse {} too", missing.shown()))
}

#[cfg(test)]
mod tests;
