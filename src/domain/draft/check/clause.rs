//! One clause: moments, counts, places, scopes and audiences, and what its server makes of them (mytoken-api.md §4).

use super::{Circumstances, Found, Part};
use crate::domain::draft::{Draft, DraftClause, When};
use crate::domain::mytoken::Clause;
use crate::domain::untrusted::Untrusted;
use crate::domain::verdict::place::{listed, network};

pub(super) fn check(
    place: usize,
    clause: &DraftClause,
    draft: &Draft,
    circumstances: &Circumstances<'_>,
    found: &mut Found,
) {
    let part = Part::Clause(place);
    if clause.is_open() {
        if draft.clauses.iter().any(|other| !other.is_open()) {
            found.warn(part, "this clause restricts nothing: it is left out");
        }
        return;
    }
    if !clause.rest.unknown.is_empty() {
        found.warn(
            part,
            format!(
                "this cannot be said again, so without it the clause is wider: {}",
                listed(&clause.rest.unknown)
            ),
        );
    }
    if draft.clauses.iter().take(place).any(|earlier| earlier == clause) {
        found.warn(part, "it is the same as an earlier clause, and the two share one count: it adds nothing");
    }
    moments(part, clause, circumstances, found);
    counts(part, &clause.rest, found);
    countries(part, &clause.rest, found);
    hosts(part, &clause.rest, found);
    scopes(part, &clause.rest, draft, circumstances, found);
    dropped(part, clause, circumstances, found);
}

fn moments(part: Part, clause: &DraftClause, circumstances: &Circumstances<'_>, found: &mut Found) {
    let now = circumstances.now;
    let words = |when: When| when.words(now, circumstances.zone);
    match (clause.starts, clause.ends) {
        (_, Some(end)) if end.at(now) <= now => {
            found.stop(part, format!("its end is already past ({}): give it a later one", words(end)));
        }
        (Some(start), Some(end)) if end.at(now) <= start.at(now) => {
            found.stop(part, "it ends before it starts, so it could never be used: give it a later end");
        }
        (_, None) => {
            found.warn(part, "it has no end: until somebody revokes it, it works for whoever holds it");
        }
        _ => {}
    }
    if clause.starts.is_some_and(|start| start.at(now) > now) {
        found.warn(
            part,
            "before it starts it cannot be revoked by itself, only by another mytoken or on the web page",
        );
    }
}

fn counts(part: Part, rest: &Clause, found: &mut Found) {
    if rest.uses_other.is_some() && rest.uses_at.is_none() {
        found.stop(
            part,
            "a limit on other uses alone makes the server fail from the second one on: limit the access tokens too \
             (a large number will do)",
        );
    }
    if rest.uses_at == Some(0) {
        found.warn(part, "0 access tokens means never, not any number: leave it out for any number");
    }
    if rest.uses_other == Some(0) {
        found.warn(
            part,
            "0 other uses means never: no history, no list, no subtoken; whether it is valid can still be asked",
        );
    }
}

fn countries(part: Part, rest: &Clause, found: &mut Found) {
    let lists = [rest.countries_allowed.as_ref(), rest.countries_refused.as_ref()];
    for code in lists.into_iter().flatten().flatten() {
        let raw = code.raw();
        if raw.len() != 2 || !raw.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            let shown = code.shown_within(20);
            found.stop(part, format!("{shown} is no country: a country is two letters, DE"));
        } else if raw.bytes().any(|byte| byte.is_ascii_lowercase()) {
            let capitals = raw.to_ascii_uppercase();
            found.warn(
                part,
                format!("{raw} is sent as {capitals}: the server knows countries in capitals only"),
            );
        }
    }
    let same = |one: &Untrusted, other: &Untrusted| one.raw().eq_ignore_ascii_case(other.raw());
    let refused = rest.countries_refused.as_deref().unwrap_or_default();
    let allowed = rest.countries_allowed.as_deref().unwrap_or_default();
    if !allowed.is_empty() && allowed.iter().all(|one| refused.iter().any(|other| same(one, other))) {
        found.stop(part, "every country that is allowed is also refused, so it could never be used");
    }
}

fn hosts(part: Part, rest: &Clause, found: &mut Found) {
    let hosts = rest.hosts.as_deref().unwrap_or_default();
    for host in hosts {
        match host.raw() {
            "this" => found.warn(
                part,
                "this stands for the address that the server sees when it is made, and stays that address",
            ),
            text if network(text).is_some() => {}
            text if is_name(text.strip_prefix("*.").unwrap_or(text)) => found.warn(
                part,
                format!("{text} counts only where the reverse DNS of the address gives that name"),
            ),
            _ => found.stop(
                part,
                format!(
                    "{} matches no host: expected an address, a network (192.0.2.0/24), a name, *.example.org or this",
                    host.shown_within(40)
                ),
            ),
        }
    }
}

/// Whether it can be the name of a host. One of digits and dots is an address with a slip in it.
fn is_name(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let text = text.strip_suffix('.').unwrap_or(text);
    text.len() <= 253 && text.split('.').all(label) && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

fn scopes(part: Part, rest: &Clause, draft: &Draft, circumstances: &Circumstances<'_>, found: &mut Found) {
    let asked = rest.scopes.as_deref().unwrap_or_default();
    let odd = asked.iter().find(|scope| {
        let raw = scope.raw();
        raw.is_empty() || !raw.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
    });
    if let Some(odd) = odd {
        found.stop(part, format!("\"{}\" is no scope: one word each, without quotes", odd.shown_within(40)));
    }
    let known = circumstances.provider(draft).map(|offered| offered.scopes.as_slice()).unwrap_or_default();
    let given =
        |scope: &Untrusted| known.contains(scope) || matches!(scope.raw(), "openid" | "offline_access");
    let missing: Vec<_> = asked.iter().filter(|scope| !given(scope)).cloned().collect();
    if !known.is_empty() && !missing.is_empty() {
        found.warn(
            part,
            format!(
                "the server does not list this for the provider: {}. What is not granted is cut away; if nothing is \
                 left, any scope is allowed",
                listed(&missing)
            ),
        );
    }
}

/// Members that this server would drop without a word (mytoken-api.md §4.1).
fn dropped(part: Part, clause: &DraftClause, circumstances: &Circumstances<'_>, found: &mut Found) {
    let Some(offer) = circumstances.offer else { return };
    let sent = clause.made(circumstances.now).to_json();
    let (kept, lost): (Vec<_>, Vec<_>) = sent.keys().partition(|name| offer.enforces(name));
    let lost: Vec<_> = lost.into_iter().map(|name| wire_words(name)).collect();
    if lost.is_empty() {
        return;
    }
    let what = lost.join(", ");
    if kept.is_empty() {
        found.stop(
            part,
            format!("this server does not enforce {what}, so nothing of the clause would be left, and it would be unrestricted"),
        );
    } else {
        found.warn(part, format!("this server does not enforce {what}: it would be dropped without a word"));
    }
}

fn wire_words(name: &str) -> &'static str {
    match name {
        "nbf" => "a start",
        "exp" => "an end",
        "scope" => "scopes",
        "audience" => "audiences",
        "hosts" => "hosts",
        "geoip_allow" | "geoip_disallow" => "countries",
        "usages_AT" => "a count of access tokens",
        "usages_other" => "a count of other uses",
        _ => "this restriction",
    }
}
