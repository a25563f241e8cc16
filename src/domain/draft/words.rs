//! What a mytoken will be able to do, in plain words.

use jiff::Timestamp;

use super::when::span_words;
use super::{Circumstances, Draft, DraftClause, When};
use crate::domain::mytoken::{Capability, Clause, Form, can};
use crate::domain::tighter;
use crate::domain::untrusted::{Untrusted, cleaned};

/// Access tokens of most providers live so long, in seconds.
const HOUR: u64 = 3600;

/// What it will be able to do, for how long, how much work its uses are, and what it cannot do: a sentence each, the most important first.
#[must_use]
pub fn in_words(draft: &Draft, circumstances: &Circumstances<'_>) -> Vec<String> {
    let told = Told { circumstances, tokens: tokens(draft, circumstances) };
    let may = may(draft, circumstances);
    let clauses = clauses(draft, circumstances);
    let mut sentences = Vec::new();
    let fetches = can(&may, "AT");
    match clauses.as_slice() {
        _ if may.is_empty() => {}
        [] => sentences.push(told.unrestricted(fetches)),
        [only] => sentences.push(format!("{}.", told.clause(only, fetches))),
        several => {
            let count = several.len();
            sentences
                .push(format!("It can be used in {count} ways, and the first that allows a use counts it:"));
            let ways = several.iter().zip(1..);
            sentences.extend(ways.map(|(clause, n)| format!("({n}) {}.", told.clause(clause, fetches))));
        }
    }
    sentences.push(abilities(&may));
    if fetches {
        sentences.extend(clauses.iter().filter_map(|clause| told.work(clause)));
    }
    if let [only] = clauses.as_slice() {
        sentences.push(others(&only.rest));
    }
    sentences.push(rotation(draft));
    sentences.extend(form(draft.form).map(str::to_owned));
    if !draft.templates.is_empty() {
        let names: Vec<_> = draft.templates.iter().map(|name| cleaned(name)).collect();
        sentences.push(format!("What the server keeps as {} is added there.", names.join(", ")));
    }
    sentences
}

struct Told<'a> {
    circumstances: &'a Circumstances<'a>,
    /// `Helmholtz ID access token`.
    tokens: String,
}

impl Told<'_> {
    fn unrestricted(&self, fetches: bool) -> String {
        if fetches {
            let tokens = self.several(None);
            format!(
                "Without end and from anywhere it can fetch {tokens}, each with every scope that the provider gives."
            )
        } else {
            "It works without end and from anywhere.".to_owned()
        }
    }

    /// One alternative, without its full stop.
    fn clause(&self, clause: &DraftClause, fetches: bool) -> String {
        let rest = &clause.rest;
        let (life, places) = (self.life(clause), places(rest));
        match rest.uses_at {
            _ if !fetches => format!("{life} it works{places}"),
            Some(0) => format!("{life} it can fetch no access tokens (0 means never){places}"),
            count => {
                let each = if count == Some(1) { "" } else { "each " };
                let scopes = match rest.scopes.as_deref() {
                    None | Some([]) => format!("{each}with any scope that is asked for"),
                    Some(scopes) => format!("{each}with {}", list(scopes)),
                };
                let audiences = match rest.audiences.as_deref() {
                    None | Some([]) => String::new(),
                    Some(audiences) => format!(" and only for {}", list(audiences)),
                };
                format!("{life} it can fetch {}, {scopes}{audiences}{places}", self.several(count))
            }
        }
    }

    /// `up to 15 Helmholtz ID access tokens of about 1 h`.
    fn several(&self, count: Option<u64>) -> String {
        let (tokens, about) = (&self.tokens, span_words(self.tokens_live()));
        match count {
            None => format!("any number of {tokens}s of about {about}"),
            Some(1) => format!("one {tokens} of about {about}"),
            Some(count) => format!("up to {count} {tokens}s of about {about}"),
        }
    }

    fn life(&self, clause: &DraftClause) -> String {
        let now = self.circumstances.now;
        let at = |when: When| self.moment(when.at(now));
        let starts = clause.starts.filter(|start| start.at(now) > now);
        match (starts, clause.ends) {
            (None, None) => "Without end".to_owned(),
            (None, Some(When::In(seconds))) => format!("For {}", span_words(seconds)),
            (None, Some(end)) => format!("Until {}", at(end)),
            (Some(start), None) => format!("From {} and without end", at(start)),
            (Some(start), Some(end)) => format!("From {} until {}", at(start), at(end)),
        }
    }

    fn moment(&self, at: Timestamp) -> String {
        at.to_zoned(self.circumstances.zone.clone()).strftime("%a %-d %b %Y %H:%M").to_string()
    }

    /// How much work the uses of a clause are.
    fn work(&self, clause: &DraftClause) -> Option<String> {
        let uses = clause.rest.uses_at.filter(|uses| *uses > 0)?;
        let live = self.tokens_live();
        let whole = if live == HOUR { "hour".to_owned() } else { span_words(live) };
        let work = uses.saturating_mul(live);
        let now = self.circumstances.now;
        let start = clause.starts.map_or(now, |start| start.at(now).max(now));
        let usable = clause.ends.map(|end| end.at(now).duration_since(start).as_secs());
        let usable = usable.and_then(|seconds| u64::try_from(seconds).ok());
        let ends_first = usable.filter(|usable| *usable < work);
        Some(match (uses, ends_first) {
            (_, Some(usable)) => {
                let usable = span_words(usable);
                format!("{uses} uses are enough to work all of its {usable}.")
            }
            (1, None) => format!(
                "One use lasts about {} of work if the token is used for its full {whole}.",
                span_words(work)
            ),
            (_, None) => {
                let work = span_words(work);
                format!("{uses} uses last about {work} of work if every token is used for its full {whole}.")
            }
        })
    }

    fn tokens_live(&self) -> u64 {
        self.circumstances.tokens_live.filter(|seconds| *seconds > 0).unwrap_or(HOUR)
    }
}

/// What it will be able to do: of a subtoken no more than its parent.
fn may(draft: &Draft, circumstances: &Circumstances<'_>) -> Vec<Capability> {
    match circumstances.parent {
        Some(parent) => tighter::capabilities(&parent.capabilities, &draft.capabilities).0,
        None => draft.wanted(circumstances.now).may(),
    }
}

/// The clauses it will have: of a subtoken those that its parent's leave of them, or its parent's.
fn clauses(draft: &Draft, circumstances: &Circumstances<'_>) -> Vec<DraftClause> {
    let asked: Vec<_> = draft.clauses.iter().filter(|clause| !clause.is_open()).cloned().collect();
    let Some(parent) = circumstances.parent else { return asked };
    let made: Vec<_> = asked.iter().map(|clause| clause.made(circumstances.now)).collect();
    let tightened = tighter::tighten(&parent.restrictions, &made);
    if asked.is_empty() || tightened.falls_back {
        return tightened.granted.into_iter().map(DraftClause::from).collect();
    }
    let is_left = |place: &usize| !tightened.dropped.iter().any(|(dropped, _)| dropped == place);
    asked.into_iter().enumerate().filter(|(place, _)| is_left(place)).map(|(_, clause)| clause).collect()
}

fn tokens(draft: &Draft, circumstances: &Circumstances<'_>) -> String {
    let issuer = circumstances.parent.map_or(draft.provider.as_str(), |parent| parent.provider.raw());
    let named = circumstances.provider(draft).map(|offered| offered.name.shown());
    let host = || {
        let host = issuer.split_once("://").map_or(issuer, |(_, rest)| rest).split('/').next();
        host.map(cleaned).filter(|host| !host.is_empty())
    };
    named.or_else(host).map_or_else(|| "access token".to_owned(), |name| format!("{name} access token"))
}

/// What it can do besides, and what it cannot.
fn abilities(may: &[Capability]) -> String {
    let is_covered = |one: &Capability| may.iter().any(|other| other != one && other.covers(one.0.raw()));
    let can_do: Vec<String> = may
        .iter()
        .filter(|one| one.0.raw() != "AT" && !is_covered(one))
        .map(|one| one.words().unwrap_or_else(|| one.0.shown()))
        .collect();
    let cannot: Vec<&str> = [
        ("AT", "get access tokens"),
        ("tokeninfo:introspect", "look itself up"),
        ("create_mytoken", "make subtokens"),
        ("manage_mytokens:list", "see your others"),
    ]
    .into_iter()
    .filter(|(name, _)| !can(may, name))
    .map(|(_, words)| words)
    .collect();
    let not =
        |word: &str, of: &[&str]| -> String { of.iter().flat_map(|what| [", ", word, " ", what]).collect() };
    match (can_do.as_slice(), cannot.split_first()) {
        ([], Some((first, others))) => format!("It cannot {first}{}.", not("nor", others)),
        (some, _) => format!("It can {}{}.", joined(some), not("not", &cannot)),
    }
}

fn places(rest: &Clause) -> String {
    let listed =
        |list: Option<&Vec<Untrusted>>| list.filter(|list| !list.is_empty()).map(|list| list_of(list, "or"));
    let from = listed(rest.hosts.as_ref()).map(|hosts| format!(", from {hosts} only"));
    let inside = listed(rest.countries_allowed.as_ref()).map(|codes| format!(", in {codes} only"));
    let outside = listed(rest.countries_refused.as_ref()).map(|codes| format!(", not in {codes}"));
    [from, inside, outside].into_iter().flatten().collect()
}

fn others(rest: &Clause) -> String {
    match rest.uses_other {
        None => "Other uses (its history, its subtokens) are not counted.".to_owned(),
        Some(0) => "It has no other uses (0 means never): no history, no subtokens.".to_owned(),
        Some(1) => "It has one other use: its history, or a subtoken.".to_owned(),
        Some(count) => format!("It has {count} other uses: its history, its subtokens."),
    }
}

fn rotation(draft: &Draft) -> String {
    let rotation = draft.rotation;
    let lifetime = rotation.lifetime.filter(|seconds| *seconds > 0).map(span_words);
    let uses = match (rotation.on_at, rotation.on_other) {
        (false, false) => {
            return lifetime.map_or_else(
                || "It stays the same with every use, so several machines can hold it.".to_owned(),
                |life| format!("It dies {life} after it is made, whatever its end."),
            );
        }
        (true, false) => "every access token",
        (false, true) => "every other use",
        (true, true) => "every use",
    };
    let life = lifetime.map_or_else(
        || "a copy lives as long as it does (a rotation lifetime of 0 is no limit)".to_owned(),
        |life| format!("a copy that is not used for {life} dies"),
    );
    let revoked = if rotation.auto_revoke { "; an older copy in use revokes all" } else { "" };
    format!("After {uses} a new copy replaces it, and {life}{revoked}.")
}

fn form(form: Form) -> Option<&'static str> {
    match form {
        Form::Token => None,
        Form::Short => Some("It comes as a short token, of which nothing can be read without its server."),
        Form::Code => {
            Some("It comes as a code that another machine can redeem, once and within about 5 minutes.")
        }
    }
}

fn list(words: &[Untrusted]) -> String {
    words.iter().map(|word| word.shown_within(60)).collect::<Vec<_>>().join(", ")
}

fn list_of(words: &[Untrusted], last: &str) -> String {
    match words.split_last() {
        Some((end, [])) => end.shown_within(60),
        Some((end, rest)) => format!("{} {last} {}", list(rest), end.shown_within(60)),
        None => String::new(),
    }
}

fn joined(words: &[String]) -> String {
    match words.split_last() {
        Some((end, rest)) if !rest.is_empty() => format!("{} and {end}", rest.join(", ")),
        _ => words.join(""),
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::domain::mytoken::{Facts, Rotation};
    use crate::domain::offer::{Offer, Offered};
    use crate::domain::time::from_epoch;

    const ISSUER: &str = "https://login.helmholtz.de/oauth2";

    fn told(draft: &Draft, parent: Option<&Facts>, tokens_live: Option<u64>) -> Vec<String> {
        let offered = Offered { issuer: ISSUER.into(), name: "Helmholtz".into(), scopes: Vec::new() };
        let offer = Offer { providers: vec![offered], ..Offer::default() };
        let now = "2026-11-22T12:04:00Z".parse().expect("a moment");
        let zone = TimeZone::UTC;
        in_words(draft, &Circumstances { offer: Some(&offer), parent, now, zone: &zone, tokens_live })
    }

    fn words(names: &str) -> Vec<Untrusted> {
        names.split_whitespace().map(Untrusted::from).collect()
    }

    fn may(names: &str) -> Vec<Capability> {
        names.split_whitespace().map(Capability::new).collect()
    }

    fn ending(days: u64, rest: Clause) -> DraftClause {
        DraftClause { ends: Some(When::In(days * 86_400)), rest, ..DraftClause::default() }
    }

    fn toar() -> Draft {
        let scopes = Some(words("eduperson_unique_id email profile"));
        Draft {
            provider: ISSUER.to_owned(),
            capabilities: may("AT tokeninfo"),
            clauses: vec![ending(90, Clause { scopes, uses_at: Some(15), ..Clause::default() })],
            ..Draft::default()
        }
    }

    #[test]
    fn the_order_of_toar_reads_as_the_picture_of_the_form_says() {
        assert_eq!(
            told(&toar(), None, None),
            [
                "For 90 days it can fetch up to 15 Helmholtz access tokens of about 1 h, each with eduperson_unique_id, email, \
                 profile.",
                "It can look itself up, not make subtokens, not see your others.",
                "15 uses last about 15 h of work if every token is used for its full hour.",
                "Other uses (its history, its subtokens) are not counted.",
                "It stays the same with every use, so several machines can hold it.",
            ]
        );
        assert_eq!(
            told(&toar(), None, Some(4000))[2],
            "15 uses last about 16 h 40 min of work if every token is used for its full 1 h 6 min."
        );
    }

    #[test]
    fn each_member_of_a_clause_has_its_words() {
        let clause =
            |clause: DraftClause| told(&Draft { clauses: vec![clause], ..toar() }, None, None)[0].clone();
        let day = When::At("2027-02-20T12:04:00Z".parse().expect("a moment"));
        let table = [
            (
                DraftClause { starts: Some(When::In(86_400)), ends: Some(day), ..DraftClause::default() },
                "From Mon 23 Nov 2026 12:04 until Sat 20 Feb 2027 12:04 it can fetch any number of",
            ),
            (DraftClause { ends: Some(day), ..DraftClause::default() }, "Until Sat 20 Feb 2027 12:04 it"),
            (
                DraftClause { starts: Some(When::In(60)), ..DraftClause::default() },
                "From Sun 22 Nov 2026 12:05 and without end it",
            ),
            (
                ending(1, Clause { uses_at: Some(0), ..Clause::default() }),
                "For 1 day it can fetch no access tokens (0 means never).",
            ),
            (
                ending(1, Clause { uses_at: Some(1), ..Clause::default() }),
                "it can fetch one Helmholtz access token of about 1 h, with any scope",
            ),
            (
                ending(2, Clause { audiences: Some(words("a b")), ..Clause::default() }),
                "with any scope that is asked for and only for a, b.",
            ),
            (
                ending(2, Clause { hosts: Some(words("192.0.2.1 *.x.org this")), ..Clause::default() }),
                ", from 192.0.2.1, *.x.org or this only.",
            ),
            (
                ending(
                    2,
                    Clause {
                        countries_allowed: Some(words("DE")),
                        countries_refused: Some(words("US CN")),
                        ..Clause::default()
                    },
                ),
                ", in DE only, not in US or CN.",
            ),
        ];
        for (draft, said) in table {
            assert!(clause(draft.clone()).contains(said), "{}\n{said}", clause(draft));
        }
    }

    #[test]
    fn several_clauses_are_told_as_alternatives() {
        let (one, other) = (
            Clause { uses_at: Some(2), ..Clause::default() },
            Clause { hosts: Some(words("this")), ..Clause::default() },
        );
        let told = told(
            &Draft { clauses: vec![ending(1, one), DraftClause::default(), ending(9, other)], ..toar() },
            None,
            None,
        );
        assert_eq!(told[0], "It can be used in 2 ways, and the first that allows a use counts it:");
        assert!(
            told[1].starts_with("(1) For 1 day it can fetch up to 2 ")
                && told[2].starts_with("(2) For 9 days")
        );
    }

    #[test]
    fn what_is_without_limits_says_so() {
        let told = told(&Draft { clauses: Vec::new(), ..toar() }, None, None);
        assert_eq!(
            told[0],
            "Without end and from anywhere it can fetch any number of Helmholtz access tokens of about 1 h, each with every scope that the provider gives."
        );
    }

    #[test]
    fn what_it_can_and_cannot_do_is_one_sentence() {
        let table = [
            ("AT", "It cannot look itself up, nor make subtokens, nor see your others."),
            (
                "tokeninfo",
                "It can look itself up, not get access tokens, not make subtokens, not see your others.",
            ),
            (
                "AT tokeninfo tokeninfo:history create_mytoken",
                "It can look itself up and make subtokens, not see your others.",
            ),
            (
                "AT tokeninfo create_mytoken manage_mytokens",
                "It can look itself up, make subtokens and manage all your mytokens.",
            ),
        ];
        for (names, said) in table {
            assert_eq!(abilities(&may(names)), said);
        }
    }

    #[test]
    fn how_it_renews_itself_is_explained_with_its_defaults() {
        let said = |rotation: Rotation| super::rotation(&Draft { rotation, ..Draft::default() });
        let on_at = Rotation { on_at: true, ..Rotation::default() };
        assert_eq!(
            said(on_at),
            "After every access token a new copy replaces it, and a copy lives as long as it does (a rotation lifetime of 0 is no limit)."
        );
        assert_eq!(
            said(Rotation { on_other: true, lifetime: Some(3600), auto_revoke: true, ..on_at }),
            "After every use a new copy replaces it, and a copy that is not used for 1 h dies; an older copy in use revokes all."
        );
        assert_eq!(
            said(Rotation { lifetime: Some(60), ..Rotation::default() }),
            "It dies 1 min after it is made, whatever its end."
        );
    }

    #[test]
    fn uses_that_outlast_the_mytoken_are_not_counted_as_work() {
        let draft =
            Draft { clauses: vec![ending(1, Clause { uses_at: Some(100), ..Clause::default() })], ..toar() };
        assert_eq!(told(&draft, None, None)[2], "100 uses are enough to work all of its 1 day.");
    }

    #[test]
    fn a_subtoken_is_told_with_what_its_parent_leaves_of_it() {
        let rest = Clause { expires: Some(from_epoch(1_800_000_000)), uses_at: Some(3), ..Clause::default() };
        let parent = Facts {
            provider: ISSUER.into(),
            capabilities: may("AT create_mytoken"),
            restrictions: vec![rest],
            ..Facts::default()
        };
        let told = told(&toar(), Some(&parent), None);
        assert_eq!(
            told[0],
            "Until Fri 15 Jan 2027 08:00 it can fetch up to 3 Helmholtz access tokens of about 1 h, each with any scope that is asked for."
        );
        assert_eq!(told[1], "It cannot look itself up, nor make subtokens, nor see your others.");
    }
}
