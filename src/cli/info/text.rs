//! What `toktui info` says in text.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::cli::moment;
use crate::domain::jwt::{self, Jwt};
use crate::domain::mytoken::{Clause, Facts};
use crate::domain::scopes;
use crate::domain::signature::Signature;
use crate::domain::time::{ago, countdown};
use crate::domain::untrusted::{Untrusted, cleaned};
use crate::domain::verdict::{Turn, Verdict};
use crate::wallet::look_up::Found;

pub(super) fn lines(found: &Found, now: Timestamp, called: &impl Fn(&Untrusted) -> String) -> Vec<String> {
    let verdict = &found.verdict;
    let (word, rest) = verdict.standing.words();
    let headline = [word, rest].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(" ");
    let mut lines = vec![match turn_words(verdict, now) {
        Some(turn) => format!("{headline}   {turn}"),
        None => headline,
    }];
    lines.push(format!("  {}", verdict.fact));
    lines.extend(verdict.remarks.iter().map(|remark| format!("  ! {remark}")));
    if let Some(facts) = &found.facts {
        lines.push(String::new());
        lines.extend(facts_lines(facts, now));
    }
    if let Some(jwt) = &found.content {
        lines.push(String::new());
        lines.push(format!("  {}", verification(found.signature.as_ref(), called)));
        lines.extend(content(jwt, now));
    }
    if let Some(introspected) = &found.introspected {
        lines.push(String::new());
        lines.push(format!("  {}", introspected.words()));
        lines.extend(introspected.claims().into_iter().flat_map(|claims| members(claims, now)));
    }
    if let Some(server) = &found.may_ask {
        lines.push(String::new());
        let server = cleaned(server);
        lines.push(format!(
            "Not asked: {server} is not configured here. If you trust it: --ask-server {server}"
        ));
    }
    lines
}

fn turn_words(verdict: &Verdict, now: Timestamp) -> Option<String> {
    let (turn, at) = verdict.turn?;
    Some(match turn {
        Turn::Ends => format!("ends in {}   {}", countdown(at.duration_since(now)), moment(at)),
        Turn::Starts => format!("starts in {}   {}", countdown(at.duration_since(now)), moment(at)),
        Turn::Ended => format!("ended {}   {}", ago(now.duration_since(at)), moment(at)),
    })
}

fn facts_lines(facts: &Facts, now: Timestamp) -> Vec<String> {
    let mut lines = Vec::new();
    let mut put = |label: &str, text: String| {
        if !text.is_empty() {
            lines.push(format!("  {label:<9}{text}"));
        }
    };
    put("name", facts.name.as_ref().map(Untrusted::shown).unwrap_or_default());
    put("as", facts.subject.shown());
    put("for", format!("{}, at {}", facts.provider.shown(), facts.server.shown()));
    let may = facts.capabilities.iter().map(|capability| capability.0.shown()).collect::<Vec<_>>();
    put("may", may.join("  "));
    for clause in &facts.restrictions {
        put("only", clause_words(clause, now));
    }
    if let Some(rotation) = facts.rotation.filter(|rotation| rotation.rotates()) {
        let when = match (rotation.on_at, rotation.on_other) {
            (true, true) => "on every use",
            (true, false) => "on every access token",
            _ => "on every use but access tokens",
        };
        let warning = if rotation.auto_revoke { "; an older copy in use revokes the family" } else { "" };
        let copy = facts.copy.map(|copy| format!("; this is copy {copy}")).unwrap_or_default();
        put("turns", format!("over {when}{copy}{warning}"));
    }
    lines
}

fn clause_words(clause: &Clause, now: Timestamp) -> String {
    let shown = |texts: &[Untrusted]| texts.iter().map(Untrusted::shown).collect::<Vec<_>>().join(" ");
    let mut words = Vec::new();
    words.extend(clause.not_before.filter(|at| *at > now).map(|at| format!("from {}", moment(at))));
    words.extend(clause.expires.map(|at| format!("until {}", moment(at))));
    words.extend(clause.scopes.as_deref().map(|scopes| format!("scopes {}", shown(scopes))));
    words.extend(clause.audiences.as_deref().map(|audiences| format!("audience {}", shown(audiences))));
    words.extend(clause.hosts.as_deref().map(|hosts| format!("from hosts {}", shown(hosts))));
    words.extend(clause.countries_allowed.as_deref().map(|codes| format!("in {}", shown(codes))));
    words.extend(clause.countries_refused.as_deref().map(|codes| format!("not in {}", shown(codes))));
    words.extend(
        clause
            .left_at()
            .zip(clause.uses_at)
            .map(|(left, most)| format!("{left} of {most} access tokens left")),
    );
    words.extend(
        clause
            .left_other()
            .zip(clause.uses_other)
            .map(|(left, most)| format!("{left} of {most} other uses left")),
    );
    if words.is_empty() { "nothing: this clause allows everything".to_owned() } else { words.join(" · ") }
}

fn verification(signature: Option<&Signature>, called: &impl Fn(&Untrusted) -> String) -> String {
    signature.map_or_else(|| "signature not checked".to_owned(), |signature| signature.words(called))
}

fn content(jwt: &Jwt, now: Timestamp) -> Vec<String> {
    [members(&jwt.header, now), members(&jwt.claims, now), may(jwt)].concat()
}

/// What its scopes allow, in plain words: of those that we know.
fn may(jwt: &Jwt) -> Vec<String> {
    let scopes = jwt.text("scope").unwrap_or_default();
    let words = scopes.raw().split_ascii_whitespace().filter_map(scopes::in_words);
    let names = std::iter::once("so it may").chain(std::iter::repeat(""));
    names.zip(words).map(|(name, words)| format!("  {name:<18} {}", cleaned(&words))).collect()
}

/// The members of an object, a line each, moments in words.
fn members(map: &Map<String, Value>, now: Timestamp) -> Vec<String> {
    let line = |(name, value): (&String, &Value)| {
        let text = match value {
            Value::String(text) => cleaned(text),
            other => cleaned(&other.to_string()),
        };
        let is_moment = matches!(name.as_str(), "exp" | "iat" | "nbf" | "auth_time");
        let text = jwt::moment(value).filter(|_| is_moment).map_or(text, |at| {
            let span = at.duration_since(now);
            let how = if span.is_negative() { ago(-span) } else { format!("in {}", countdown(span)) };
            format!("{}   {how}", moment(at))
        });
        format!("  {:<18} {text}", cleaned(name))
    };
    map.iter().map(line).collect()
}
