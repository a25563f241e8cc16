//! Each trap of mytoken-api.md that a draft can run into: the draft, what the warning is about, whether it stops, and its words.

use super::*;
use crate::domain::draft::{DraftClause, When};
use crate::domain::mytoken::{Capability, Clause, Form, Rotation};
use crate::domain::offer::{Template, TemplateKind};
use crate::domain::time::from_epoch;
use crate::domain::untrusted::Untrusted;

const NOW: i64 = 1_800_000_000;
const ISSUER: &str = "https://op.example.org";

fn words(names: &str) -> Vec<Untrusted> {
    names.split_whitespace().map(Untrusted::from).collect()
}

fn may(names: &str) -> Vec<Capability> {
    names.split_whitespace().map(Capability::new).collect()
}

/// What nothing is wrong with.
fn fine() -> Draft {
    Draft {
        name: "toar".to_owned(),
        provider: ISSUER.to_owned(),
        capabilities: may("AT tokeninfo"),
        clauses: vec![clause(Clause::default())],
        ..Draft::default()
    }
}

fn clause(rest: Clause) -> DraftClause {
    DraftClause { ends: Some(When::In(86_400)), rest, ..DraftClause::default() }
}

fn with(rest: Clause) -> Draft {
    Draft { clauses: vec![clause(rest)], ..fine() }
}

fn rotating(rotation: Rotation) -> Draft {
    Draft { rotation, ..fine() }
}

fn offer() -> Offer {
    Offer {
        version: Some("0.10.2-pr1".into()),
        providers: vec![Offered {
            issuer: format!("{ISSUER}/").into(),
            name: "Demo".into(),
            scopes: words("openid profile email"),
        }],
        forms: vec![Form::Token, Form::Short, Form::Code],
        ..Offer::default()
    }
}

fn parent() -> Facts {
    Facts {
        name: Some("mother".into()),
        provider: ISSUER.into(),
        capabilities: may("AT tokeninfo create_mytoken"),
        ..Facts::default()
    }
}

fn found(draft: &Draft, offer: Option<&Offer>, parent: Option<&Facts>) -> Vec<Warning> {
    let zone = TimeZone::UTC;
    check(draft, &Circumstances { offer, parent, now: from_epoch(NOW), zone: &zone, tokens_live: None })
}

/// That a draft has this warning.
#[track_caller]
fn warned(found: &[Warning], part: Part, stops: bool, said: &str) {
    let there = found.iter().any(|one| one.part == part && one.stops == stops && one.text.contains(said));
    assert!(there, "{part:?} {stops} {said}\n{found:#?}");
}

#[test]
fn nothing_is_said_of_a_draft_that_nothing_is_wrong_with() {
    assert_eq!(found(&fine(), Some(&offer()), None), []);
    assert_eq!(found(&fine(), None, None), []);
    assert_eq!(found(&fine(), Some(&offer()), Some(&parent())), []);
    assert_eq!(found(&Draft { name: String::new(), ..fine() }, Some(&offer()), None), []);
}

type Row = (Draft, Part, bool, &'static str);

#[allow(clippy::too_many_lines, reason = "a table")]
#[test]
fn every_trap_of_a_login_is_said_before() {
    let c = Part::Clause(0);
    let moments = |starts, ends| Draft {
        clauses: vec![DraftClause { starts, ends, rest: Clause { uses_at: Some(1), ..Clause::default() } }],
        ..fine()
    };
    let two = |one: Clause, other: Clause| Draft { clauses: vec![clause(one), clause(other)], ..fine() };
    let scopes = |names: &str| Clause { scopes: Some(words(names)), ..Clause::default() };
    let audiences = |names: &str| Clause { audiences: Some(words(names)), ..Clause::default() };
    let hosts = |names: &str| with(Clause { hosts: Some(words(names)), ..Clause::default() });
    let allowed = |names: &str| with(Clause { countries_allowed: Some(words(names)), ..Clause::default() });
    let table: Vec<Row> = vec![
        (Draft { provider: String::new(), ..fine() }, Part::Provider, true, "no provider is chosen"),
        (
            Draft { provider: "https://x.org".to_owned(), ..fine() },
            Part::Provider,
            true,
            "does not offer https://x.org",
        ),
        // §12.39
        (Draft { name: "x".repeat(90), ..fine() }, Part::Name, true, "90 characters"),
        // §12.16
        (
            Draft { capabilities: Vec::new(), ..fine() },
            Part::Capabilities,
            true,
            "its default, AT and tokeninfo",
        ),
        // §12.28
        (
            Draft { capabilities: may("AT tokeninfo of_2031"), ..fine() },
            Part::Capabilities,
            true,
            "leave out of_2031",
        ),
        (
            Draft { capabilities: may("AT tokeninfo tokeninfo:tags"), ..fine() },
            Part::Capabilities,
            false,
            "newer than this server, which says 0.10.2",
        ),
        (
            Draft { capabilities: may("AT tokeninfo @all"), ..fine() },
            Part::Capabilities,
            false,
            "@all also gives",
        ),
        (
            Draft { capabilities: may("tokeninfo"), ..fine() },
            Part::Capabilities,
            false,
            "cannot get access tokens",
        ),
        (Draft { capabilities: may("AT"), ..fine() }, Part::Capabilities, false, "whether it is still valid"),
        (
            Draft { capabilities: may("AT tokeninfo manage_mytokens"), ..fine() },
            Part::Capabilities,
            false,
            "like a password: whoever holds it can manage all your mytokens",
        ),
        (
            Draft { capabilities: may("AT tokeninfo create_mytoken"), ..fine() },
            Part::Capabilities,
            false,
            "beyond itself: whoever holds it can make subtokens",
        ),
        (
            Draft { capabilities: may("AT tokeninfo settings"), ..fine() },
            Part::Capabilities,
            false,
            "an SSH key",
        ),
        (
            Draft {
                capabilities: may("AT tokeninfo create_mytoken"),
                ..with(Clause { uses_at: Some(3), ..Clause::default() })
            },
            Part::Capabilities,
            false,
            "goes around its limit",
        ),
        (moments(None, Some(When::At(from_epoch(NOW - 1)))), c, true, "already past"),
        (moments(None, Some(When::In(0))), c, true, "already past"),
        (moments(Some(When::In(60)), Some(When::In(60))), c, true, "ends before it starts"),
        (moments(None, None), c, false, "it has no end"),
        // §12.5
        (moments(Some(When::In(60)), Some(When::In(90))), c, false, "cannot be revoked by itself"),
        // §12.11
        (with(Clause { uses_at: Some(0), ..Clause::default() }), c, false, "0 access tokens means never"),
        (
            with(Clause { uses_at: Some(9), uses_other: Some(0), ..Clause::default() }),
            c,
            false,
            "0 other uses means never",
        ),
        // §12.12, §4.7
        (with(Clause { uses_other: Some(5), ..Clause::default() }), c, true, "limit the access tokens too"),
        // §12.20, §12.41
        (allowed("Germany"), c, true, "Germany is no country"),
        (allowed("de"), c, false, "de is sent as DE"),
        (
            with(Clause { countries_refused: Some(words("us")), ..Clause::default() }),
            c,
            false,
            "us is sent as US",
        ),
        (
            with(Clause {
                countries_refused: Some(words("DE US")),
                countries_allowed: Some(words("DE")),
                ..Clause::default()
            }),
            c,
            true,
            "also refused",
        ),
        (hosts("300.1.2.3"), c, true, "300.1.2.3 matches no host"),
        (hosts("192.0.2.0/40"), c, true, "192.0.2.0/40 matches no host"),
        (hosts("node_1.example.org"), c, false, "reverse DNS"),
        (hosts("*.example.org"), c, false, "reverse DNS"),
        (hosts("*"), c, true, "matches no host"),
        (hosts("this"), c, false, "the address that the server sees"),
        (with(scopes("storage.read")), c, false, "does not list this for the provider: storage.read"),
        (with(scopes("a\"b")), c, true, "is no scope"),
        // §12.34, §4.6
        (
            two(scopes("openid profile"), scopes("openid email")),
            Part::Clause(1),
            false,
            "cut against each other",
        ),
        (
            two(scopes("openid email"), scopes("openid email")),
            Part::Clause(1),
            false,
            "cut against each other",
        ),
        (with(audiences("a")), c, false, "stays only where the provider puts it"),
        (with(audiences("a b")), c, false, "only the last of several audiences"),
        (two(audiences("a"), audiences("b")), c, false, "only the last of several audiences"),
        (
            two(
                Clause { uses_at: Some(1), ..Clause::default() },
                Clause { uses_at: Some(1), ..Clause::default() },
            ),
            Part::Clause(1),
            false,
            "share one count",
        ),
        (with(Clause { unknown: words("schedule"), ..Clause::default() }), c, false, "cannot be said again"),
        // §12.10
        (Draft { clauses: Vec::new(), ..fine() }, c, false, "ignores the scopes and audiences"),
        (
            Draft { clauses: vec![DraftClause::default(), clause(Clause::default())], ..fine() },
            c,
            false,
            "left out",
        ),
        (
            Draft {
                clauses: vec![
                    clause(Clause::default()),
                    DraftClause {
                        rest: Clause { uses_at: Some(2), ..Clause::default() },
                        ..DraftClause::default()
                    },
                ],
                ..fine()
            },
            Part::Clause(1),
            false,
            "as a whole has no end",
        ),
        // §12.36, §2.3.6
        (
            Draft { form: Form::Short, ..rotating(Rotation { on_other: true, ..Rotation::default() }) },
            Part::Form,
            true,
            "cannot rotate",
        ),
        (Draft { form: Form::Code, ..fine() }, Part::Form, false, "about 5 minutes"),
        // §12.8, §5
        (
            rotating(Rotation { lifetime: Some(3600), ..Rotation::default() }),
            Part::Rotation,
            false,
            "dies after 1 h for good",
        ),
        (
            rotating(Rotation { on_at: true, lifetime: Some(86_400), ..Rotation::default() }),
            Part::Rotation,
            false,
            "at least every 1 day",
        ),
        (
            rotating(Rotation { on_at: true, lifetime: Some(0), ..Rotation::default() }),
            Part::Rotation,
            false,
            "is no limit",
        ),
        (
            rotating(Rotation { on_at: true, auto_revoke: true, ..Rotation::default() }),
            Part::Rotation,
            false,
            "revokes it and all its subtokens",
        ),
        (
            rotating(Rotation { auto_revoke: true, ..Rotation::default() }),
            Part::Rotation,
            false,
            "there are no old copies",
        ),
        // §12.37
        (rotating(Rotation { on_at: true, ..Rotation::default() }), Part::Rotation, false, "one place only"),
        (
            Draft {
                capabilities: may("tokeninfo"),
                ..rotating(Rotation { on_at: true, ..Rotation::default() })
            },
            Part::Rotation,
            false,
            "cannot get any",
        ),
        // §12.6
        (
            Draft { clauses: Vec::new(), ..rotating(Rotation { on_other: true, ..Rotation::default() }) },
            Part::Rotation,
            false,
            "make no new copy",
        ),
        // §12.40
        (
            Draft { templates: vec!["agent".to_owned()], ..fine() },
            Part::Templates,
            false,
            "wider than either",
        ),
        (
            Draft { templates: vec!["agent".to_owned()], capabilities: Vec::new(), ..fine() },
            Part::Capabilities,
            false,
            "profile alone",
        ),
    ];
    for (draft, part, stops, said) in table {
        warned(&found(&draft, Some(&offer()), None), part, stops, said);
    }
}

#[test]
fn one_scope_that_is_the_same_in_each_clause_comes_back_unchanged() {
    let one = |uses| Clause { scopes: Some(words("openid")), uses_at: Some(uses), ..Clause::default() };
    let draft = Draft { clauses: vec![clause(one(1)), clause(one(2))], ..fine() };
    assert_eq!(found(&draft, Some(&offer()), None), []);
}

#[test]
fn what_this_server_does_not_offer_or_enforce_is_said() {
    let bare = Offer {
        restrictions: vec!["exp".to_owned(), "usages_AT".to_owned()],
        forms: vec![Form::Token],
        templates: vec![Template {
            group: None,
            name: "1d".into(),
            kind: TemplateKind::Restrictions,
            content: "{}".into(),
        }],
        ..offer()
    };
    let hosts = Clause { hosts: Some(words("192.0.2.1")), ..Clause::default() };
    let hosts_alone = DraftClause { rest: hosts.clone(), ..DraftClause::default() };
    let template = |name: &str| Draft { templates: vec![name.to_owned()], ..fine() };
    let table: Vec<Row> = vec![
        (with(hosts), Part::Clause(0), false, "does not enforce hosts: it would be dropped"),
        (Draft { clauses: vec![hosts_alone], ..fine() }, Part::Clause(0), true, "would be unrestricted"),
        (Draft { form: Form::Short, ..fine() }, Part::Form, false, "come in the long form"),
        (Draft { form: Form::Code, ..fine() }, Part::Form, true, "redeems no transfer codes"),
        (template("agent"), Part::Templates, true, "keeps no profile agent"),
        (template("1d"), Part::Templates, true, "for one part only"),
    ];
    for (draft, part, stops, said) in table {
        warned(&found(&draft, Some(&bare), None), part, stops, said);
    }
}

#[test]
fn every_trap_of_a_subtoken_is_said_before() {
    let limited = |rest: Clause| Facts {
        restrictions: vec![Clause { expires: Some(from_epoch(NOW + 3600)), ..rest }],
        ..parent()
    };
    let counted =
        limited(Clause { uses_at: Some(9), uses_other: Some(3), used_other: Some(1), ..Clause::default() });
    let used_up =
        limited(Clause { uses_at: Some(9), uses_other: Some(3), used_other: Some(3), ..Clause::default() });
    let in_germany = limited(Clause { countries_allowed: Some(words("DE")), ..Clause::default() });
    let here = limited(Clause { hosts: Some(words("192.0.2.1")), ..Clause::default() });
    let rotates = Facts { rotation: Some(Rotation { on_other: true, ..Rotation::default() }), ..parent() };
    let short_life = |rest: Clause| Draft {
        clauses: vec![DraftClause { ends: Some(When::In(60)), rest, ..DraftClause::default() }],
        ..fine()
    };
    let (c, p) = (Part::Clause(0), Part::Parent);
    let table: Vec<(Draft, Facts, Part, bool, &str)> = vec![
        (
            Draft { capabilities: Vec::new(), ..fine() },
            parent(),
            Part::Capabilities,
            true,
            "everything that its parent may",
        ),
        (
            Draft { capabilities: may("AT tokeninfo settings"), ..fine() },
            parent(),
            Part::Capabilities,
            false,
            "falls away without a word: settings",
        ),
        (
            Draft { capabilities: may("settings"), ..fine() },
            parent(),
            Part::Capabilities,
            true,
            "the server refuses",
        ),
        (
            Draft { capabilities: may("AT tokeninfo of_2031"), ..fine() },
            parent(),
            Part::Capabilities,
            false,
            "it falls away: of_2031",
        ),
        (
            Draft { provider: "https://x.org".to_owned(), ..fine() },
            parent(),
            Part::Provider,
            false,
            "provider of its parent",
        ),
        (fine(), Facts { capabilities: may("AT"), ..parent() }, p, true, "mother may not make subtokens"),
        (fine(), Facts { expires: Some(from_epoch(NOW - 1)), ..parent() }, p, true, "mother has ended"),
        (fine(), rotates, p, false, "replaces mother by a new copy"),
        (fine(), counted.clone(), p, false, "one of the 2 other uses of mother"),
        (fine(), used_up, p, true, "no other use left"),
        // §12.13, §4.5
        (fine(), counted.clone(), c, false, "drops this clause without a word: it ends after the parent"),
        (fine(), counted.clone(), p, false, "so it gets those of mother"),
        (
            Draft { clauses: Vec::new(), ..fine() },
            counted.clone(),
            p,
            false,
            "gets the restrictions of mother",
        ),
        (
            short_life(Clause { uses_at: Some(9), uses_other: Some(3), ..Clause::default() }),
            counted,
            p,
            false,
            "does not count against mother",
        ),
        (fine(), in_germany.clone(), c, false, "it ends after"),
    ];
    for (draft, parent, part, stops, said) in table {
        warned(&found(&draft, Some(&offer()), Some(&parent)), part, stops, said);
    }
    let drops = |draft: &Draft, parent: &Facts| {
        found(draft, None, Some(parent)).iter().any(|one| one.text.contains("drops this clause"))
    };
    // It is sent in capitals, and so it is tighter.
    assert!(!drops(
        &short_life(Clause { countries_allowed: Some(words("de")), ..Clause::default() }),
        &in_germany
    ));
    // Nobody here knows which address that is.
    assert!(!drops(&short_life(Clause { hosts: Some(words("this")), ..Clause::default() }), &here));
    assert!(drops(&short_life(Clause { hosts: Some(words("192.0.2.2")), ..Clause::default() }), &here));
}

#[test]
fn what_stops_it_stands_first() {
    let draft = Draft {
        provider: String::new(),
        capabilities: may("AT"),
        clauses: Vec::new(),
        form: Form::Short,
        rotation: Rotation { on_at: true, ..Rotation::default() },
        ..Draft::default()
    };
    let stops: Vec<_> = found(&draft, None, None).iter().map(|warning| warning.stops).collect();
    assert!(
        stops.is_sorted_by(|one, other| one >= other) && stops[0] && !stops[stops.len() - 1],
        "{stops:?}"
    );
}

#[test]
fn no_text_of_others_reaches_a_warning_as_it_is() {
    let evil = "x\u{1b}[2J";
    let rest = Clause {
        scopes: Some(vec![evil.into()]),
        hosts: Some(vec![evil.into()]),
        countries_allowed: Some(vec![evil.into()]),
        unknown: vec![evil.into()],
        ..Clause::default()
    };
    let draft = Draft {
        provider: evil.to_owned(),
        capabilities: vec![Capability::new(evil), Capability::new(format!("@{evil}"))],
        templates: vec![evil.to_owned()],
        ..with(rest)
    };
    let offer = Offer { version: Some(format!("0.1.{evil}").into()), ..offer() };
    let parent = Facts { name: Some(evil.into()), provider: evil.into(), ..Facts::default() };
    for parent in [None, Some(&parent)] {
        let found = found(&draft, Some(&offer), parent);
        assert!(found.len() > 5 && found.iter().all(|one| !one.text.contains('\u{1b}')), "{found:#?}");
    }
}
