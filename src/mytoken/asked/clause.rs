//! Clauses as they were asked beside clauses as they came.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use jiff::Timestamp;

use super::line;
use crate::domain::login::{Compared, Relation};
use crate::domain::mytoken::Clause;
use crate::domain::time::countdown;
use crate::domain::untrusted::Untrusted;

/// Lays clauses side by side: those that came back the same first find each other, the others are paired in order,
/// for that is how the server cuts them.
pub(super) fn compare(asked: &[Clause], granted: &[Clause], now: Timestamp) -> Vec<Compared> {
    // What was asked without any member is not sent.
    let asked: Vec<&Clause> = asked.iter().filter(|clause| !is_open(clause)).collect();
    if asked.is_empty() || granted.is_empty() || granted.iter().all(is_open) {
        return with_none(&asked, granted, now);
    }
    let (mut left, mut came): (Vec<_>, Vec<_>) = (asked.iter().enumerate().collect(), Vec::new());
    let mut pairs = Vec::new();
    for clause in granted {
        match left.iter().position(|(_, wanted)| is_same(wanted, clause, now)) {
            Some(at) => pairs.push((left.remove(at), clause)),
            None => came.push(clause),
        }
    }
    let missing = left.split_off(left.len().min(came.len()));
    let extra = came.split_off(left.len());
    pairs.extend(left.into_iter().zip(came));
    pairs.sort_by_key(|((at, _), _)| *at);

    let several = asked.len() > 1 || granted.len() > 1;
    let prefix = |at: usize| if several { format!("{}: ", at + 1) } else { String::new() };
    let mut lines = Vec::new();
    for ((at, wanted), clause) in pairs {
        // What another clause allows anyway is no alarm.
        let covered = is_within_one(clause, &asked, now);
        for mut found in members(wanted, clause, now) {
            found.what.insert_str(0, &prefix(at));
            if covered && found.relation == Relation::Wider {
                found.relation = Relation::Other;
            }
            lines.push(found);
        }
    }
    for (at, wanted) in missing {
        let what = format!("clause {}", at + 1);
        lines.push(line(what, words(wanted, now), "left out".to_owned(), Relation::Narrower));
    }
    for clause in extra {
        let covered = is_within_one(clause, &asked, now);
        let relation = if covered { Relation::Other } else { Relation::Wider };
        lines.push(line("one more clause", "not asked for".to_owned(), words(clause, now), relation));
    }
    lines
}

/// One side has no restrictions at all.
fn with_none(asked: &[&Clause], granted: &[Clause], now: Timestamp) -> Vec<Compared> {
    let all = |clauses: &[&Clause]| {
        let words: Vec<_> = clauses.iter().map(|clause| words(clause, now)).collect();
        if words.is_empty() { "none".to_owned() } else { words.join("; or ") }
    };
    let came: Vec<&Clause> = granted.iter().collect();
    // An open clause allows everything, whatever stands beside it.
    let open = granted.iter().any(is_open) || granted.is_empty();
    let relation = match (asked.is_empty(), open) {
        (true, true) => return Vec::new(),
        (true, false) => Relation::Narrower,
        (false, _) => Relation::Wider,
    };
    let mut line = line("restrictions", all(asked), all(&came), relation);
    if relation == Relation::Wider {
        line.note = Some("it is not restricted at all".to_owned());
    }
    vec![line]
}

/// Whether a clause restricts nothing.
fn is_open(clause: &Clause) -> bool {
    *clause == Clause { used_at: clause.used_at, used_other: clause.used_other, ..Clause::default() }
}

fn is_same(asked: &Clause, granted: &Clause, now: Timestamp) -> bool {
    members(asked, granted, now).iter().all(|line| line.relation == Relation::Same)
}

/// Whether what came allows nothing that one of the clauses asked for does not allow.
fn is_within_one(granted: &Clause, asked: &[&Clause], now: Timestamp) -> bool {
    asked.iter().any(|asked| members(asked, granted, now).iter().all(|line| line.relation != Relation::Wider))
}

/// A clause in one line.
fn words(clause: &Clause, now: Timestamp) -> String {
    let lines = members(&Clause::default(), clause, now);
    let words: Vec<_> = lines.iter().map(|line| format!("{} {}", line.what, line.granted)).collect();
    if words.is_empty() { "anything goes".to_owned() } else { words.join(", ") }
}

/// Member by member; those that neither has are left out.
fn members(asked: &Clause, granted: &Clause, now: Timestamp) -> Vec<Compared> {
    let moment = |at: Option<Timestamp>, none: &str| {
        at.map_or_else(
            || none.to_owned(),
            |at| {
                let left = at.duration_since(now);
                if left.is_negative() { "over".to_owned() } else { format!("in {}", countdown(left)) }
            },
        )
    };
    let number = |most: Option<u64>| most.map_or_else(|| "any".to_owned(), |most| most.to_string());
    let hosts = here_named(asked.hosts.as_deref(), granted.hosts.as_deref());
    let mut lines = Vec::new();
    let mut put = |there: bool, found: Compared| {
        if there {
            lines.push(found);
        }
    };
    let (from, until) =
        (by_start(asked.not_before, granted.not_before), by_limit(asked.expires, granted.expires));
    put(
        asked.not_before.or(granted.not_before).is_some(),
        line("starts", moment(asked.not_before, "now"), moment(granted.not_before, "now"), from),
    );
    let mut ends = line("ends", moment(asked.expires, "never"), moment(granted.expires, "never"), until);
    if until == Relation::Narrower {
        ends.note = Some("shortened".to_owned());
    }
    put(asked.expires.or(granted.expires).is_some(), ends);
    for (what, asked, granted, narrows) in [
        ("scopes", asked.scopes.as_deref(), granted.scopes.as_deref(), false),
        ("audiences", asked.audiences.as_deref(), granted.audiences.as_deref(), false),
        ("from hosts", hosts.as_deref(), granted.hosts.as_deref(), false),
        ("countries", asked.countries_allowed.as_deref(), granted.countries_allowed.as_deref(), false),
        ("not from", asked.countries_refused.as_deref(), granted.countries_refused.as_deref(), true),
    ] {
        put(asked.or(granted).is_some(), by_list(what, asked, granted, narrows));
    }
    for (what, asked, granted) in [
        ("access tokens", asked.uses_at, granted.uses_at),
        ("other uses", asked.uses_other, granted.uses_other),
    ] {
        let relation = by_limit(asked, granted);
        put(asked.or(granted).is_some(), line(what, number(asked), number(granted), relation));
    }
    if !granted.unknown.is_empty() {
        put(true, line("also", String::new(), shown(&granted.unknown), Relation::Narrower));
    }
    lines
}

/// Absent is without limit: more is wider.
pub(super) fn by_limit<T: Ord>(asked: Option<T>, granted: Option<T>) -> Relation {
    by_extent(match (asked, granted) {
        (Some(asked), Some(granted)) => granted.cmp(&asked),
        (asked, granted) => granted.is_none().cmp(&asked.is_none()),
    })
}

/// Absent is from the beginning, and `None` stands before every moment: earlier is wider.
fn by_start(asked: Option<Timestamp>, granted: Option<Timestamp>) -> Relation {
    by_extent(asked.cmp(&granted))
}

/// By how much more was granted than asked.
fn by_extent(more: Ordering) -> Relation {
    match more {
        Ordering::Less => Relation::Narrower,
        Ordering::Equal => Relation::Same,
        Ordering::Greater => Relation::Wider,
    }
}

/// Absent is any. A list of what is refused works the other way round.
fn by_list(
    what: &str,
    asked: Option<&[Untrusted]>,
    granted: Option<&[Untrusted]>,
    refuses: bool,
) -> Compared {
    // Countries are sent in capitals, and nothing else is told apart by them.
    let set = |list: Option<&[Untrusted]>| -> BTreeSet<String> {
        let raw = list.unwrap_or_default().iter().map(Untrusted::raw);
        if what == "countries" || refuses {
            raw.map(str::to_uppercase).collect()
        } else {
            raw.map(str::to_owned).collect()
        }
    };
    let (wanted, came) = (set(asked), set(granted));
    let absent = if refuses { "none" } else { "any" };
    let word = |list: Option<&[Untrusted]>| list.map_or_else(|| absent.to_owned(), shown);
    let within = |small: &BTreeSet<String>, large: &BTreeSet<String>| small.is_subset(large);
    let (relation, note) = match (asked.is_some(), granted.is_some()) {
        _ if wanted == came && asked.is_some() == granted.is_some() => (Relation::Same, None),
        _ if refuses && within(&wanted, &came) => (Relation::Narrower, None),
        _ if refuses => (Relation::Wider, None),
        (true, false) => (Relation::Wider, Some("gone: any is allowed now".to_owned())),
        (false, _) => (Relation::Narrower, None),
        (true, true) if within(&came, &wanted) => {
            let cut: Vec<_> =
                wanted.difference(&came).map(|one| Untrusted::from(one.as_str()).shown()).collect();
            (Relation::Narrower, Some(format!("cut away: {}", cut.join(" "))))
        }
        (true, true) => (Relation::Wider, None),
    };
    Compared { note, ..line(what, word(asked), word(granted), relation) }
}

/// `this` becomes the address that the server saw (§4.1): the one address in the answer that was not asked for.
fn here_named(asked: Option<&[Untrusted]>, granted: Option<&[Untrusted]>) -> Option<Vec<Untrusted>> {
    let asked = asked?;
    let new: Vec<&Untrusted> =
        granted.unwrap_or_default().iter().filter(|host| !asked.contains(host)).collect();
    let address = match new.as_slice() {
        [one] if one.raw().parse::<std::net::IpAddr>().is_ok() => (*one).clone(),
        _ => return Some(asked.to_vec()),
    };
    Some(asked.iter().map(|host| if host.raw() == "this" { address.clone() } else { host.clone() }).collect())
}

fn shown(list: &[Untrusted]) -> String {
    list.iter().map(Untrusted::shown).collect::<Vec<_>>().join(" ")
}
