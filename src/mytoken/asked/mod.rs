//! What was asked against what was granted, in both directions: a login can come back wider (mytoken-api.md §4.6, §12.34).

mod clause;

use jiff::Timestamp;

use super::reply::Issued;
use crate::domain::login::{Compared, Relation};
use crate::domain::mytoken::{Capability, Facts, Form, Rotation, Wanted};
use crate::domain::time::countdown;

/// Lays what was asked beside what came, line by line; lines that neither side has are left out.
///
/// [`Relation::Wider`] is an alarm: the mytoken allows what nobody asked for. What only a JWT tells (its name and provider)
/// is not compared for a short mytoken. Moments are told from `now`.
#[must_use]
pub fn compare(order: &Wanted, granted: &Issued, now: Timestamp) -> Vec<Compared> {
    let facts = &granted.facts;
    let mut lines = Vec::new();
    if !granted.short {
        lines.push(provider(order, facts));
        lines.extend(name(order, facts));
    }
    lines.push(may(&order.may(), &facts.capabilities));
    lines.extend(clause::compare(&order.restrictions, &facts.restrictions, now));
    lines.extend(rotation(order.rotation.unwrap_or_default(), facts.rotation.unwrap_or_default()));
    lines.extend(form(order.form, granted.short));
    lines
}

/// Whether any line is an alarm.
#[must_use]
pub fn is_wider(lines: &[Compared]) -> bool {
    lines.iter().any(|line| line.relation == Relation::Wider)
}

/// A line; the relation is the caller's, but what reads the same *is* the same.
fn line(what: impl Into<String>, asked: String, granted: String, relation: Relation) -> Compared {
    Compared { what: what.into(), asked, granted, relation, note: None }
}

/// Access tokens of another provider are none that were asked for. A differing slash at the end is the same (§1.2).
fn provider(order: &Wanted, facts: &Facts) -> Compared {
    let bare = |issuer: &str| issuer.trim().trim_end_matches('/').to_owned();
    let same = bare(order.provider.raw()) == bare(facts.provider.raw());
    let relation = if same { Relation::Same } else { Relation::Wider };
    let mut line = line("provider", order.provider.shown(), facts.provider.shown(), relation);
    if !same {
        line.note = Some("another provider was chosen on the consent page".to_owned());
    }
    line
}

fn name(order: &Wanted, facts: &Facts) -> Option<Compared> {
    let asked = order.name.as_deref().map(str::trim).unwrap_or_default();
    let granted = facts.name.as_ref().map_or("", |name| name.raw());
    if asked.is_empty() && granted.is_empty() {
        return None;
    }
    let relation = if asked == granted { Relation::Same } else { Relation::Other };
    let shown = facts.name.as_ref().map(crate::domain::untrusted::Untrusted::shown).unwrap_or_default();
    Some(line("name", asked.to_owned(), shown, relation))
}

/// By the rule that a capability covers what lies under it (§3.2).
fn may(asked: &[Capability], granted: &[Capability]) -> Compared {
    let missing_from = |held: &[Capability], needed: &[Capability]| -> Vec<String> {
        let lacks = |capability: &&Capability| !crate::domain::mytoken::can(held, capability.0.raw());
        needed.iter().filter(lacks).map(|capability| capability.0.shown()).collect()
    };
    let (extra, lost) = (missing_from(asked, granted), missing_from(granted, asked));
    let words = |list: &[Capability]| list.iter().map(|name| name.0.shown()).collect::<Vec<_>>().join("  ");
    let (relation, note) = match (extra.is_empty(), lost.is_empty()) {
        (true, true) => (Relation::Same, None),
        (true, false) => (Relation::Narrower, Some(format!("not granted: {}", lost.join(" ")))),
        (false, _) => (Relation::Wider, Some(format!("never asked for: {}", extra.join(" ")))),
    };
    Compared { note, ..line("may", words(asked), words(granted), relation) }
}

/// A promise that was asked for and is missing is an alarm; one that came on top is not.
fn rotation(asked: Rotation, granted: Rotation) -> Vec<Compared> {
    let flag = |what: &str, asked: bool, granted: bool| {
        let word = |on: bool| if on { "yes" } else { "no" }.to_owned();
        (asked || granted).then(|| {
            let relation = match (asked, granted) {
                (true, false) => Relation::Wider,
                (false, true) => Relation::Narrower,
                (true, true) | (false, false) => Relation::Same,
            };
            line(what, word(asked), word(granted), relation)
        })
    };
    let life = (asked.lifetime != granted.lifetime || asked.lifetime.is_some()).then(|| {
        let word = |life: Option<u64>| {
            life.map_or_else(
                || "no limit".to_owned(),
                |seconds| {
                    countdown(jiff::SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX)))
                },
            )
        };
        let relation = clause::by_limit(asked.lifetime, granted.lifetime);
        line("a copy lives", word(asked.lifetime), word(granted.lifetime), relation)
    });
    [
        flag("rotates on access tokens", asked.on_at, granted.on_at),
        flag("rotates on other uses", asked.on_other, granted.on_other),
        life,
        flag("an older copy in use revokes all", asked.auto_revoke, granted.auto_revoke),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn form(asked: Form, short: bool) -> Option<Compared> {
    let word = |short: bool| if short { "short" } else { "long" }.to_owned();
    let wanted_short = asked == Form::Short;
    (wanted_short != short).then(|| line("form", word(wanted_short), word(short), Relation::Other))
}

#[cfg(test)]
mod tests;
