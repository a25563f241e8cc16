//! Jobs against what is held: which link breaks first, when, and what would hold.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::domain::credential::{Ask, ChainEnd, HeldAccess};
use crate::domain::mytoken::{Capability, Clause, Rotation};
use crate::domain::time::from_epoch;

const NOW: i64 = 1_800_000_000;

fn hours(hours: i64) -> Timestamp {
    from_epoch(NOW + 3600 * hours)
}

fn job(wait: i64, wall: i64) -> Job {
    Job { wait: SignedDuration::from_hours(wait), wall: SignedDuration::from_hours(wall), every: None }
}

fn every(job: Job, hours: i64) -> Job {
    Job { every: Some(SignedDuration::from_hours(hours)), ..job }
}

/// An access token of an hour and a minute, drawn now: the next one is drawn every hour.
fn access() -> HeldAccess {
    HeldAccess {
        ask: Ask::default(),
        obtained: hours(0),
        expires: Some(from_epoch(NOW + 3660)),
        granted: None,
        length: 900,
        has_id_token: false,
        skew: None,
        content: None,
    }
}

fn held(chain: Chain) -> Held {
    Held { access: vec![access()], ..Held::sample("toar", "helmholtz", chain, hours(0)) }
}

fn clause(members: &Value) -> Clause {
    Clause::from_json(members.as_object().expect("an object"))
}

fn facts(restrictions: &Value) -> Facts {
    Facts {
        issued: Some(hours(0)),
        copy: Some(1),
        capabilities: vec![Capability::new("AT"), Capability::new("tokeninfo")],
        restrictions: restrictions.as_array().expect("a list").iter().map(clause).collect(),
        ..Facts::default()
    }
}

fn mytoken_of(facts: Facts) -> Held {
    held(Chain::Mytoken { facts: Box::new(facts), heard: Some(hours(0)), copy: 1, short: false })
}

fn restricted(restrictions: &Value) -> Held {
    mytoken_of(facts(restrictions))
}

fn rotating(on_at: bool, lifetime_hours: u64) -> Held {
    let rotation = Rotation { on_at, lifetime: Some(3600 * lifetime_hours), ..Rotation::default() };
    mytoken_of(Facts { rotation: Some(rotation), ..facts(&json!([])) })
}

fn login(ends: ChainEnd, session_only: bool) -> Held {
    held(Chain::Refresh {
        ends,
        rotates: true,
        session_only,
        through: crate::domain::credential::Through::default(),
    })
}

/// The state of the whole, and the link that decides it with its fact.
fn told(held: &Held, job: &Job) -> (State, Option<(Kind, String)>) {
    let answer = outlast(held, job, hours(0));
    let state = answer.answer();
    let decides = |(index, link): (usize, &Link)| match answer.first_break {
        Some(broken) => index == broken,
        None => link.needed && link.state == State::CannotTell,
    };
    let link = answer.links.iter().enumerate().find(|(index, link)| decides((*index, link)));
    (state, link.map(|(_, link)| (link.kind, link.fact.clone())))
}

/// Jobs of which a link breaks at an hour from now, which link, and its fact.
fn assert_breaks<const N: usize>(table: [(Held, Job, i64, Kind, &str); N]) {
    for (held, job, hour, kind, fact) in table {
        let expected = (State::Breaks(hours(hour)), Some((kind, fact.to_owned())));
        assert_eq!(told(&held, &job), expected, "{:?} {job:?}", held.chain);
    }
}

#[test]
fn uses_that_run_out_break_a_job_with_the_hour_and_the_numbers() {
    assert_breaks([
        // fifteen uses are the work of fifteen hours
        (
            restricted(&json!([{"usages_AT": 15}])),
            job(0, 36),
            15,
            Kind::Uses,
            "15 of 15 used after 15 h; the job needs 36",
        ),
        (
            restricted(&json!([{"usages_AT": 15}])),
            job(6, 36),
            21,
            Kind::Uses,
            "15 of 15 used after 15 h; the job needs 36",
        ),
        (
            restricted(&json!([{"usages_AT": 15, "usages_AT_done": 2, "usages_other_done": 0}])),
            job(0, 36),
            13,
            Kind::Uses,
            "15 of 15 used after 13 h; the job needs 36",
        ),
        (
            restricted(&json!([{"usages_AT": 0}])),
            job(0, 2),
            0,
            Kind::Uses,
            "0 uses: it never gives access tokens",
        ),
        (
            restricted(&json!([{"usages_AT": 3, "usages_AT_done": 3, "usages_other_done": 0}])),
            job(1, 2),
            1,
            Kind::Uses,
            "3 of 3 are used",
        ),
        // identical clauses share their uses; different ones add up
        (
            restricted(&json!([{"usages_AT": 5}, {"usages_AT": 5}])),
            job(0, 9),
            5,
            Kind::Uses,
            "5 of 5 used after 5 h; the job needs 9",
        ),
        (
            restricted(&json!([{"usages_AT": 5}, {"usages_AT": 3}])),
            job(0, 9),
            8,
            Kind::Uses,
            "8 of 8 used after 8 h; the job needs 9",
        ),
    ]);
}

#[test]
fn an_end_or_a_gap_breaks_a_job_at_the_first_access_token_after_it() {
    let at = |hours: i64| NOW + 3600 * hours;
    assert_breaks([
        // its end, and that of its clauses
        (
            mytoken_of(Facts { expires: Some(hours(20)), ..facts(&json!([])) }),
            job(0, 36),
            21,
            Kind::Chain,
            "it ends after 20 h of the job's 36 h",
        ),
        (
            mytoken_of(Facts { expires: Some(hours(2)), ..facts(&json!([])) }),
            job(4, 36),
            4,
            Kind::Chain,
            "it ends before the job starts",
        ),
        (
            mytoken_of(Facts { not_before: Some(hours(5)), ..facts(&json!([])) }),
            job(4, 36),
            4,
            Kind::Chain,
            "it starts 1 h after the job does",
        ),
        (
            restricted(&json!([{"exp": at(20)}])),
            job(0, 36),
            21,
            Kind::Chain,
            "it ends after 20 h of the job's 36 h",
        ),
        (
            restricted(&json!([{"exp": at(3)}, {"nbf": at(6)}])),
            job(0, 36),
            4,
            Kind::Chain,
            "none of its clauses is open after 4 h of the job's 36 h",
        ),
        (
            restricted(&json!([{"nbf": at(6)}])),
            job(2, 36),
            2,
            Kind::Chain,
            "none of its clauses is open when the job starts",
        ),
    ]);
}

#[test]
fn what_never_holds_and_what_idles_too_long_breaks_a_job() {
    assert_breaks([
        // what is asked for, and where
        (
            restricted(&json!([{"geoip_allow": ["de"]}])),
            job(0, 2),
            0,
            Kind::Restrictions,
            "only from de, which matches no country: codes are two capital letters",
        ),
        (
            mytoken_of(Facts { capabilities: vec![Capability::new("tokeninfo")], ..facts(&json!([])) }),
            job(3, 2),
            3,
            Kind::Restrictions,
            "it lacks AT: it gives no access tokens",
        ),
        // an unused copy
        (rotating(true, 2), job(6, 3), 2, Kind::Rotation, "a copy lives 2 h unused, and the job waits 6 h"),
        (
            Held { access: Vec::new(), ..rotating(true, 2) },
            every(job(1, 9), 3),
            3,
            Kind::Rotation,
            "a copy lives 2 h unused, and the job uses it every 3 h",
        ),
        (
            rotating(false, 5),
            job(0, 9),
            6,
            Kind::Rotation,
            "its lifetime of 5 h is not renewed by access tokens",
        ),
        // logins
        (
            login(ChainEnd::At(hours(10)), false),
            job(1, 36),
            10,
            Kind::Chain,
            "it ends after 9 h of the job's 36 h",
        ),
        (
            Held { health: Health::NeedsLogin("expired".to_owned()), ..login(ChainEnd::Open, false) },
            job(0, 5),
            0,
            Kind::Health,
            "expired",
        ),
        (
            Held { access: Vec::new(), ..held(Chain::None) },
            job(0, 5),
            0,
            Kind::AccessToken,
            "none is held now",
        ),
    ]);
}

#[test]
fn a_bare_access_token_carries_a_job_only_to_its_own_end() {
    let alone = |wait, wall| told(&held(Chain::None), &job(wait, wall));
    assert_eq!(alone(0, 1), (State::Holds, None));
    let fact = "alone it covers 1 h 1 min of the job's 2 h".to_owned();
    let end = State::Breaks(from_epoch(NOW + 3660));
    assert_eq!(alone(0, 2), (end, Some((Kind::AccessToken, fact))));
    let fact = "it ends before the job starts".to_owned();
    assert_eq!(alone(2, 1), (end, Some((Kind::AccessToken, fact))));
}

#[test]
fn a_job_that_renews_too_seldom_is_without_an_access_token_in_between() {
    let fact = "one lives 1 h 1 min, and the job takes a new one every 3 h".to_owned();
    let at = State::Breaks(from_epoch(NOW + 3600 + 3660));
    let answer = told(&restricted(&json!([])), &every(job(1, 9), 3));
    assert_eq!(answer, (at, Some((Kind::AccessToken, fact))));
}

#[test]
fn what_the_access_token_covers_alone_hangs_on_nothing_else() {
    let spent = restricted(&json!([{"usages_AT": 1, "usages_AT_done": 1, "usages_other_done": 0}]));
    assert_eq!(told(&spent, &job(0, 1)), (State::Holds, None));
    let answer = outlast(&spent, &job(0, 1), hours(0));
    let needed: Vec<_> = answer.links.iter().filter(|link| link.needed).map(|link| link.kind).collect();
    assert_eq!(needed, [Kind::AccessToken, Kind::Health]);
    // Unless the job is said to take new ones.
    let halves = Job { every: Some(SignedDuration::from_mins(30)), ..job(0, 1) };
    assert_eq!(told(&spent, &halves).1, Some((Kind::Uses, "1 of 1 are used".to_owned())));
}

#[test]
fn a_job_that_everything_carries_is_told_so() {
    let at = |hours: i64| NOW + 3600 * hours;
    let table = [
        (restricted(&json!([])), job(10, 1000)),
        (restricted(&json!([{"usages_AT": 36}])), job(0, 36)),
        (restricted(&json!([{"usages_AT": 15}])), every(job(0, 12), 1)),
        (restricted(&json!([{"usages_AT": 1}, {}])), job(0, 36)),
        // one clause after the other
        (restricted(&json!([{"exp": at(10)}, {"nbf": at(10), "exp": at(40)}])), job(0, 36)),
        // the later clause takes over when it opens, and the earlier one has just enough
        (restricted(&json!([{"nbf": at(4), "usages_AT": 8}, {"usages_AT": 4}])), job(0, 12)),
        (mytoken_of(Facts { expires: Some(hours(47)), ..facts(&json!([])) }), job(0, 48)),
        (rotating(true, 2), job(1, 500)),
        (rotating(false, 50), job(1, 48)),
        (login(ChainEnd::Open, false), job(0, 100)),
        (login(ChainEnd::At(hours(100)), true), job(0, 100)),
    ];
    for (held, job) in table {
        let answer = outlast(&held, &job, hours(0));
        assert_eq!((answer.answer(), answer.advice), (State::Holds, vec![]), "{:?} {job:?}", held.chain);
    }
}

#[test]
fn what_cannot_be_told_names_what_it_depends_on_and_what_would_tell() {
    let unheard = |restrictions: Value| {
        held(Chain::Mytoken { facts: Box::new(facts(&restrictions)), heard: None, copy: 1, short: false })
    };
    let short = held(Chain::Mytoken { facts: Box::default(), heard: None, copy: 1, short: true });
    let endless = |held: Held| Held { access: vec![HeldAccess { expires: None, ..access() }], ..held };
    let table = [
        (
            unheard(json!([{"usages_AT": 50}])),
            Kind::Uses,
            "the job needs 36 of its 50; how many are left was not asked",
            vec![Advice::AskServer],
        ),
        (
            short,
            Kind::Chain,
            "a short token carries no content, and its server was not asked",
            vec![Advice::AskServer],
        ),
        (Held { locked: true, ..restricted(&json!([])) }, Kind::Chain, "the store is locked", vec![]),
        (
            endless(restricted(&json!([{"usages_AT": 50}]))),
            Kind::Uses,
            "50 of 50 are left; how many the job needs is not known",
            vec![Advice::SayHowOften],
        ),
        (
            endless(rotating(true, 2)),
            Kind::Rotation,
            "a copy lives 2 h unused; how often the job uses it is not known",
            vec![Advice::SayHowOften],
        ),
        (
            restricted(&json!([{"hosts": ["134.94.0.0/16"]}])),
            Kind::Restrictions,
            "it works only from 134.94.0.0/16, and the address there is not known",
            vec![Advice::WouldItWork],
        ),
        (
            restricted(&json!([{"usages_AT": 5}, {"geoip_allow": ["DE"]}])),
            Kind::Restrictions,
            "it works only from DE, and the country there is not known",
            vec![Advice::WouldItWork],
        ),
        (
            restricted(&json!([{"schedule": {"days": [1]}}])),
            Kind::Restrictions,
            "its restrictions hold schedule, which toktui does not know",
            vec![Advice::WouldItWork],
        ),
        (
            Held { health: Health::InDoubt("last use unanswered".to_owned()), ..restricted(&json!([])) },
            Kind::Health,
            "last use unanswered",
            vec![],
        ),
    ];
    for (held, kind, fact, advice) in table {
        assert_eq!(told(&held, &job(0, 36)), (State::CannotTell, Some((kind, fact.to_owned()))));
        assert_eq!(outlast(&held, &job(0, 36), hours(0)).advice, advice, "{fact}");
    }
    let unsaid = login(ChainEnd::Unknown, false);
    assert_eq!(told(&unsaid, &job(0, 36)).0, State::CannotTell);
    assert_eq!(told(&login(ChainEnd::Open, true), &job(0, 36)).0, State::CannotTell);
}

#[test]
fn a_counter_that_was_not_asked_for_still_rules_out_what_is_too_much_at_best() {
    let facts = Box::new(facts(&json!([{"usages_AT": 15}])));
    let unheard = held(Chain::Mytoken { facts, heard: None, copy: 1, short: false });
    assert_eq!(told(&unheard, &job(0, 36)).0, State::Breaks(hours(15)));
}

#[test]
fn both_the_end_and_the_uses_are_told_where_both_are_too_little() {
    let end = NOW + 3600 * 10;
    let answer = outlast(&restricted(&json!([{"usages_AT": 15, "exp": end}])), &job(0, 36), hours(0));
    let states: Vec<_> = answer.links.iter().map(|link| (link.kind.code(), link.state)).collect();
    let expected = [
        ("access_token", State::Breaks(from_epoch(NOW + 3660))),
        ("chain", State::Breaks(hours(11))),
        ("uses", State::Breaks(hours(15))),
        ("rotation", State::Holds),
        ("restrictions", State::Holds),
        ("health", State::Holds),
    ];
    assert_eq!((states.as_slice(), answer.first_break), (expected.as_slice(), Some(1)));
}

#[test]
fn unasked_counters_do_not_matter_where_another_clause_counts_nothing() {
    let unheard = |restrictions: Value| {
        held(Chain::Mytoken { facts: Box::new(facts(&restrictions)), heard: None, copy: 1, short: false })
    };
    assert_eq!(told(&unheard(json!([{"usages_AT": 5}, {}])), &job(0, 36)).0, State::Holds);
    let later = NOW + 3600 * 3;
    let gap = unheard(json!([{"usages_AT": 5}, {"nbf": later}]));
    assert_eq!(told(&gap, &job(0, 36)).0, State::CannotTell);
}

#[test]
fn the_scopes_of_the_chief_access_token_choose_its_clauses() {
    let mut held = restricted(&json!([{"scope": "openid", "usages_AT": 99}, {"usages_AT": 2}]));
    assert_eq!(told(&held, &job(0, 36)), (State::Holds, None));
    held.access[0].ask.scopes.insert("storage.read".to_owned());
    assert_eq!(told(&held, &job(0, 36)).0, State::Breaks(hours(2)));
}

#[test]
fn later_copies_show_their_own_end_which_the_next_use_moves() {
    let rotation = Some(Rotation { on_at: true, lifetime: Some(7200), ..Rotation::default() });
    let facts = Facts { rotation, copy: Some(4), expires: Some(hours(2)), ..facts(&json!([])) };
    assert_eq!(told(&mytoken_of(facts), &job(0, 36)), (State::Holds, None));
}

#[test]
fn the_profile_that_holds_has_a_tenth_more_time_and_a_fifth_more_uses() {
    let advice = outlast(&restricted(&json!([{"usages_AT": 15}])), &job(4, 36), hours(0)).advice;
    let holds = Holds { lifetime_seconds: 44 * 3600, uses_at: Some(44), copy_lives: None };
    assert_eq!(advice, [Advice::Make(holds)]);
    let advice = outlast(&rotating(true, 2), &job(10, 36), hours(0)).advice;
    let holds = Holds { lifetime_seconds: 182_160, uses_at: Some(44), copy_lives: Some(39_600) };
    assert_eq!(advice, [Advice::Make(holds)]);
    let lost = Held { health: Health::NeedsLogin("expired".to_owned()), ..login(ChainEnd::Open, false) };
    assert_eq!(outlast(&lost, &job(0, 36), hours(0)).advice[0], Advice::LogIn);
}

#[test]
fn a_job_of_millions_of_access_tokens_is_answered_at_once() {
    let seconds = Job { every: Some(SignedDuration::from_secs(1)), ..job(0, 24 * 365 * 200) };
    let most = u64::from(u32::MAX);
    let answer = told(&restricted(&json!([{"usages_AT": most}, {"usages_AT": 7}])), &seconds);
    assert!(matches!(answer.0, State::Breaks(at) if at == from_epoch(NOW + i64::from(u32::MAX) + 7)));
    let absurd = Job { wait: SignedDuration::MAX, wall: SignedDuration::MAX, every: None };
    assert_eq!(outlast(&restricted(&json!([])), &absurd, hours(0)).until, Timestamp::MAX);
    let nothing =
        Job { wait: SignedDuration::MIN, wall: SignedDuration::ZERO, every: Some(SignedDuration::MIN) };
    assert_eq!(outlast(&restricted(&json!([])), &nothing, hours(0)).answer(), State::Holds);
}

fn some_clause() -> impl Strategy<Value = Clause> {
    let moment = || proptest::option::of((-2_i64..40).prop_map(hours));
    (moment(), moment(), proptest::option::of(0_u64..6), 0_u64..4).prop_map(|(from, until, uses_at, done)| {
        Clause { not_before: from, expires: until, uses_at, used_at: Some(done), ..Clause::default() }
    })
}

/// Draw by draw, as a server counts: how many are given before the first refusal.
fn drawn(clauses: &[Clause], first: Timestamp, count: u64) -> u64 {
    let mut clauses = clauses.to_vec();
    for index in 0..count {
        let at = later(first, SignedDuration::from_hours(i64::try_from(index).expect("few")));
        let usable = |clause: &&Clause| {
            clause.left_at() != Some(0)
                && clause.not_before.is_none_or(|start| start <= at)
                && clause.expires.is_none_or(|end| at <= end)
        };
        let Some(chosen) = clauses.iter().find(usable).cloned() else { return index };
        for same in clauses.iter_mut().filter(|clause| clause.is_same_as(&chosen)) {
            same.used_at = chosen.used_at.map(|done| done + 1);
        }
    }
    count
}

/// Identical clauses were used equally often.
fn sharing(clauses: &[Clause]) -> Vec<Clause> {
    let first = |clause: &Clause| clauses.iter().find(|other| other.is_same_as(clause)).cloned();
    clauses.iter().filter_map(first).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn counting_in_leaps_is_counting_draw_by_draw(
        clauses in proptest::collection::vec(some_clause(), 1..5).prop_map(|clauses| sharing(&clauses)),
        wait in 0_i64..6,
        wall in 1_i64..40,
    ) {
        let start = hours(wait);
        let draws = draws::Draws::new(start, SignedDuration::from_hours(wall), SignedDuration::from_hours(1));
        let all: Vec<&Clause> = clauses.iter().collect();
        prop_assert_eq!(draws.carried(&all, true), drawn(&clauses, start, draws.count));
    }

    #[test]
    fn a_mytoken_made_by_the_advice_holds(
        clauses in proptest::collection::vec(some_clause(), 0..4),
        lifetime in proptest::option::of(1_u64..9),
        wait in 0_i64..30,
        wall in 2_i64..60,
    ) {
        let rotation =
            lifetime.map(|hours| Rotation { on_at: true, lifetime: Some(3600 * hours), ..Rotation::default() });
        let before = mytoken_of(Facts { restrictions: clauses, rotation, ..facts(&json!([])) });
        let answer = outlast(&before, &job(wait, wall), hours(0));
        let made = answer.advice.iter().find_map(|advice| match advice {
            Advice::Make(holds) => Some(*holds),
            _ => None,
        });
        prop_assert_eq!(made.is_some(), answer.first_break.is_some());
        if let Some(holds) = made {
            let lives = i64::try_from(holds.lifetime_seconds).expect("few");
            let clause = Clause { expires: Some(from_epoch(NOW + lives)), uses_at: holds.uses_at, ..Clause::default() };
            let rotation = holds.copy_lives.map(|lifetime| {
                Rotation { on_at: true, lifetime: Some(lifetime), ..Rotation::default() }
            });
            let after = mytoken_of(Facts { restrictions: vec![clause], rotation, ..facts(&json!([])) });
            prop_assert_eq!(outlast(&after, &job(wait, wall), hours(0)).answer(), State::Holds);
        }
    }
}

#[test]
fn one_that_holds_is_like_the_old_one_with_other_numbers() {
    let held = restricted(&json!([{"usages_AT": 3, "usages_other": 9, "exp": 100}]));
    let holds = Holds { lifetime_seconds: 900_000, uses_at: Some(288), copy_lives: None };
    let draft = holds.draft(&held);
    let clause = draft.clauses.first().expect("a clause");
    assert_eq!((draft.name.as_str(), clause.ends), ("toar", Some(When::In(900_000))));
    assert_eq!((clause.rest.uses_at, clause.rest.uses_other), (Some(288), Some(9)));
    assert_eq!(draft.capabilities, Draft::like(mytoken(&held).0.expect("a mytoken")).capabilities);
}
