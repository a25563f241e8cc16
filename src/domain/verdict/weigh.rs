//! The weighing: who is believed before whom, and which clause decides.

use jiff::Timestamp;

use super::clause::{Block, Purpose, weigh_clause};
use super::place::Place;
use super::{By, Next, Says, Standing, Subject, Turn, Verdict, Witness};
use crate::domain::mytoken::{Facts, Rotation, can};

/// Is it valid? Our journal's word that a copy is superseded goes before everything, because such a copy must not be sent;
/// then the server's latest word; then the token's own claims and the clock.
#[must_use]
pub fn verdict(subject: Subject<'_>, witnesses: &[Witness], place: &Place, now: Timestamp) -> Verdict {
    let facts = match subject {
        Subject::Mytoken(facts) => Some(facts),
        Subject::Short => None,
        Subject::Other { what, ends } => return other(what, ends, now),
        Subject::Unreadable(why) => {
            return Verdict { next: None, ..plain(Standing::Garbled, why.to_owned(), By::Claims) };
        }
    };
    if let Some(superseded) = witnesses.iter().find_map(|witness| rotated_away(&witness.says)) {
        return superseded;
    }
    let server = witnesses
        .iter()
        .filter(|witness| witness.by == By::Server && !matches!(witness.says, Says::NoAnswer(_)))
        .max_by_key(|witness| witness.at);
    let silence =
        witnesses.iter().filter(|witness| matches!(witness.says, Says::NoAnswer(_))).max_by_key(|w| w.at);
    match (server, silence) {
        (Some(heard), None) => from_server(heard, facts, witnesses, place, now),
        (Some(heard), Some(silent)) if heard.at >= silent.at => {
            from_server(heard, facts, witnesses, place, now)
        }
        (_, silent) => unheard(silent, facts, witnesses, place, now),
    }
}

fn plain(standing: Standing, fact: String, by: By) -> Verdict {
    Verdict {
        standing,
        fact,
        by,
        heard: None,
        turn: None,
        gives_access: false,
        remarks: Vec::new(),
        next: None,
    }
}

fn other(what: &str, ends: Option<Timestamp>, now: Timestamp) -> Verdict {
    let turn = ends.map(|end| (if end > now { Turn::Ends } else { Turn::Ended }, end));
    Verdict {
        turn,
        next: Some(Next::ShowContent),
        ..plain(Standing::NotMytoken, format!("it is {what}"), By::Claims)
    }
}

fn rotated_away(says: &Says) -> Option<Verdict> {
    if let Says::RotatedHere { copy, newest } = says {
        let this =
            copy.map_or_else(|| "this is an older copy".to_owned(), |copy| format!("this is copy {copy}"));
        let fact =
            format!("{this}; it was rotated from here to copy {newest}, which is not held here any more");
        return Some(plain(Standing::RotatedAway, fact, By::Journal));
    }
    let Says::Superseded { copy, newest, name } = says else { return None };
    let this = copy.map_or_else(|| "this is an older copy".to_owned(), |copy| format!("this is copy {copy}"));
    let fact = format!(
        "{this}; copy {newest} is yours, held as {name}. It was not sent: an older copy in use can revoke the whole family"
    );
    Some(Verdict { next: Some(Next::GoToNewest), ..plain(Standing::RotatedAway, fact, By::Journal) })
}

fn from_server(
    heard: &Witness,
    facts: Option<&Facts>,
    witnesses: &[Witness],
    place: &Place,
    now: Timestamp,
) -> Verdict {
    let own_end = facts.and_then(Facts::ends);
    let mut verdict = match &heard.says {
        Says::Alive(told) => alive(told, place, now),
        Says::MayNotAsk => may_not_ask(facts, place, now),
        Says::Expired => expired(own_end, now),
        Says::NotYet => {
            let start = facts.and_then(|facts| facts.not_before);
            let mut verdict =
                plain(Standing::NotYet, "its server and its own start agree".to_owned(), By::Server);
            verdict.turn = start.map(|start| (Turn::Starts, start));
            if start.is_some_and(|start| start <= now) {
                verdict.fact = "its server says not yet; by this machine's clock it has started".to_owned();
                verdict.remarks.push("the clocks of this machine and of the server differ".to_owned());
            }
            verdict
        }
        Says::Unidentified => unidentified(heard, facts, witnesses, now),
        Says::Unknown if witnesses.iter().any(|witness| witness.says == Says::RevokedHere) => revoked_here(),
        Says::Unknown => {
            let fact = "its server knows no such token: mistyped, revoked, or of another server".to_owned();
            plain(Standing::RevokedOrUnknown, fact, By::Server)
        }
        Says::BadSignature => {
            let fact = "its signature does not fit its content: cut or changed on the way".to_owned();
            plain(Standing::Garbled, fact, By::Server)
        }
        Says::WrongServer => {
            plain(Standing::RevokedOrUnknown, "that server did not issue it".to_owned(), By::Server)
        }
        Says::UsageRestricted => usage_restricted(facts, place, now),
        Says::ProviderRefuses(words) => {
            let fact = format!("the provider behind it gives nothing more: {words}");
            Verdict { next: Some(Next::LogIn), ..plain(Standing::Useless, fact, By::Server) }
        }
        // Not a server's words; the caller has filtered them out.
        Says::NoAnswer(_)
        | Says::Superseded { .. }
        | Says::RotatedHere { .. }
        | Says::RevokedHere
        | Says::OlderCopyUsed
        | Says::LastKnown(_) => unheard(None, facts, witnesses, place, now),
    };
    verdict.heard = Some(heard.at);
    verdict
}

/// It lives: which of its clauses lets it be used here and now?
fn alive(facts: &Facts, place: &Place, now: Timestamp) -> Verdict {
    let gives_access = can(&facts.capabilities, "AT");
    let purpose = if gives_access { Purpose::ACCESS } else { Purpose::Other };
    let mut verdict = match best_clause(facts, purpose, place, now) {
        Best::Usable { doubts } => Verdict {
            remarks: doubts,
            gives_access,
            ..plain(Standing::Valid, "its server says so".to_owned(), By::Server)
        },
        Best::Blocked(Block::Asked(why) | Block::Place(why)) => {
            Verdict { next: Some(Next::WouldItWork), ..plain(Standing::NotFromHere, why, By::Claims) }
        }
        Best::Blocked(Block::UsedUp { done, most }) => {
            let fact = if gives_access {
                format!("{done} of {most} access tokens were drawn; what it may do besides still works")
            } else {
                format!("{done} of {most} uses are spent")
            };
            Verdict { next: Some(Next::MakeSuccessor), ..plain(Standing::UsedUp, fact, By::Server) }
        }
        Best::Blocked(Block::NotYet(start)) => Verdict {
            turn: Some((Turn::Starts, start)),
            ..plain(Standing::NotYet, "it lives, but no clause has started".to_owned(), By::Clock)
        },
        Best::Blocked(Block::Over(end)) => Verdict {
            turn: Some((Turn::Ended, end)),
            next: Some(Next::MakeSuccessor),
            ..plain(Standing::Expired, "every clause of its restrictions is over".to_owned(), By::Clock)
        },
    };
    if verdict.turn.is_none() {
        verdict.turn = facts.ends().map(|end| (Turn::Ends, end));
    }
    if let Some((Turn::Ends, end)) = verdict.turn
        && end <= now
    {
        // The server has just called it alive: its clock, not ours, decides.
        verdict.turn = None;
        verdict.remarks.push("by this machine's clock it is over: the clocks differ".to_owned());
    }
    name_unknown_members(facts, &mut verdict);
    verdict
}

fn may_not_ask(facts: Option<&Facts>, place: &Place, now: Timestamp) -> Verdict {
    let fact = "it lacks tokeninfo:introspect; the refusal itself shows that it lives".to_owned();
    let mut verdict =
        Verdict { next: Some(Next::TryAccessToken), ..plain(Standing::MayNotBeAsked, fact, By::Server) };
    if let Some(facts) = facts {
        let by_claims = alive(facts, place, now);
        match by_claims.standing {
            Standing::Valid => verdict.gives_access = by_claims.gives_access,
            // Whether uses are left is not in its claims: only the rest of them can rule it out.
            Standing::NotFromHere | Standing::NotYet | Standing::Expired => {
                return Verdict { by: By::Claims, ..by_claims };
            }
            _ => {}
        }
        verdict.turn = by_claims.turn;
        verdict.remarks = by_claims.remarks;
        if !can(&facts.capabilities, "AT") {
            verdict.next = None;
        }
    }
    verdict
}

fn expired(own_end: Option<Timestamp>, now: Timestamp) -> Verdict {
    let mut verdict = plain(Standing::Expired, "its own expiry and its server agree".to_owned(), By::Server);
    verdict.next = Some(Next::MakeSuccessor);
    match own_end {
        Some(end) if end > now => {
            verdict.fact = "its server says so; by this machine's clock it still had time".to_owned();
            verdict.remarks.push("the clocks of this machine and of the server differ".to_owned());
        }
        Some(end) => verdict.turn = Some((Turn::Ended, end)),
        None => verdict.fact = "its server says so".to_owned(),
    }
    verdict
}

/// A 401 without a word: the journal, or its own rotation rule, may know more than the server says.
fn unidentified(heard: &Witness, facts: Option<&Facts>, witnesses: &[Witness], now: Timestamp) -> Verdict {
    if witnesses.iter().any(|witness| witness.says == Says::RevokedHere) {
        return revoked_here();
    }
    if witnesses.iter().any(|witness| witness.says == Says::OlderCopyUsed) {
        let fact = "a copy of it that had been rotated away was used from here, and that revokes it and all made from it";
        return plain(Standing::RevokedOrUnknown, fact.to_owned(), By::Journal);
    }
    let rotation = facts.and_then(|facts| facts.rotation);
    let end = facts.and_then(Facts::ends).filter(|end| *end <= now.max(heard.at));
    if let (Some(end), Some(_)) = (end, rotation.and_then(|rotation| rotation.lifetime)) {
        return Verdict {
            turn: Some((Turn::Ended, end)),
            next: Some(Next::MakeSuccessor),
            ..plain(
                Standing::Expired,
                "this copy was not used within its rotation lifetime".to_owned(),
                By::Claims,
            )
        };
    }
    let fact = if rotation.is_some_and(Rotation::rotates) {
        "its server refuses it and does not say why: revoked, or a newer copy has taken its place".to_owned()
    } else if facts.is_some() {
        "its server refuses it and does not say why: it was revoked, or is unknown there".to_owned()
    } else {
        "its server refuses it and does not say why: revoked, or superseded by a newer one".to_owned()
    };
    let mut verdict = plain(Standing::RevokedOrUnknown, fact, By::Server);
    verdict.turn = facts.and_then(Facts::ends).filter(|end| *end > now).map(|end| (Turn::Ends, end));
    verdict.next = Some(Next::LastEvents);
    verdict
}

fn revoked_here() -> Verdict {
    plain(Standing::RevokedOrUnknown, "it was revoked from here".to_owned(), By::Journal)
}

fn usage_restricted(facts: Option<&Facts>, place: &Place, now: Timestamp) -> Verdict {
    if let Some(facts) = facts {
        let by_claims = alive(facts, place, now);
        if by_claims.standing != Standing::Valid {
            return by_claims;
        }
    }
    let fact =
        "its server says that no clause allows this use now: place, time, scope or number of uses".to_owned();
    Verdict { next: Some(Next::AskAgain), ..plain(Standing::NotFromHere, fact, By::Server) }
}

/// Nobody was asked, or nobody answered: what its own claims and the clock can decide alone.
fn unheard(
    silent: Option<&Witness>,
    facts: Option<&Facts>,
    witnesses: &[Witness],
    place: &Place,
    now: Timestamp,
) -> Verdict {
    if witnesses.iter().any(|witness| witness.says == Says::RevokedHere) {
        return revoked_here();
    }
    let mut verdict = match facts.map(|facts| alive(facts, place, now)) {
        Some(claims)
            if matches!(claims.standing, Standing::Expired | Standing::NotYet)
                || facts.and_then(Facts::ends).is_some_and(|end| end <= now) =>
        {
            let standing =
                if claims.standing == Standing::NotYet { Standing::NotYet } else { Standing::Expired };
            let turn = match claims.turn {
                Some((turn @ (Turn::Starts | Turn::Ended), at)) => Some((turn, at)),
                _ => facts.and_then(Facts::ends).map(|end| (Turn::Ended, end)),
            };
            let next = (standing == Standing::Expired).then_some(Next::MakeSuccessor);
            Verdict {
                turn,
                next,
                ..plain(standing, "by its own word and the clock of this machine".to_owned(), By::Clock)
            }
        }
        Some(claims) => Verdict {
            turn: claims.turn,
            remarks: claims.remarks,
            next: Some(Next::AskServer),
            ..plain(Standing::CannotTell, "its server was not asked".to_owned(), By::Claims)
        },
        None => Verdict {
            next: Some(Next::AskServer),
            ..plain(
                Standing::CannotTell,
                "it carries no content, and no server was asked".to_owned(),
                By::Claims,
            )
        },
    };
    let Some(Witness { says: Says::NoAnswer(why), .. }) = silent else { return verdict };
    if verdict.standing == Standing::CannotTell {
        verdict.fact.clone_from(why);
        verdict.by = By::Server;
        verdict.next = Some(Next::AskAgain);
        let last = witnesses.iter().filter(|w| matches!(w.says, Says::LastKnown(_))).max_by_key(|w| w.at);
        if let Some(Witness { at, says: Says::LastKnown(standing), .. }) = last {
            verdict.heard = Some(*at);
            verdict.remarks.insert(0, format!("last known: {}", standing.words().0.to_lowercase()));
        }
    }
    verdict
}

fn name_unknown_members(facts: &Facts, verdict: &mut Verdict) {
    for member in facts.restrictions.iter().flat_map(|clause| &clause.unknown) {
        verdict.remarks.push(format!("its restrictions hold {}, which toktui does not know", member.shown()));
    }
}

enum Best {
    Usable { doubts: Vec<String> },
    Blocked(Block),
}

/// The clause that comes nearest to letting the token be used; no clauses at all: nothing is restricted.
fn best_clause(facts: &Facts, purpose: Purpose<'_>, place: &Place, now: Timestamp) -> Best {
    let mut nearest: Option<Block> = None;
    let mut doubtful: Option<String> = None;
    for clause in &facts.restrictions {
        match weigh_clause(clause, purpose, &place.spot(), now) {
            Ok(None) => return Best::Usable { doubts: Vec::new() },
            Ok(Some(doubt)) => doubtful = doubtful.or(Some(doubt)),
            Err(block) => {
                let nearer = nearest.as_ref().is_none_or(|old| block.is_nearer_than(old));
                if nearer {
                    nearest = Some(block);
                }
            }
        }
    }
    match (doubtful, nearest) {
        (Some(doubt), _) => Best::Usable { doubts: vec![doubt] },
        (None, None) => Best::Usable { doubts: Vec::new() },
        (None, Some(block)) => Best::Blocked(block),
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::domain::mytoken::{Capability, Clause};
    use crate::domain::time::{from_epoch, later};

    const NOW: i64 = 1_800_000_000;

    fn at(seconds: i64) -> Timestamp {
        from_epoch(NOW + seconds)
    }

    fn here() -> Place {
        Place { address: "10.20.0.7".parse().ok(), country: None }
    }

    /// A mytoken for access tokens that ends in an hour and may look itself up.
    fn facts(clauses: Vec<Clause>) -> Facts {
        Facts {
            expires: Some(at(3600)),
            issued: Some(at(-60)),
            capabilities: vec![Capability::new("AT"), Capability::new("tokeninfo")],
            restrictions: clauses,
            ..Facts::default()
        }
    }

    fn server(says: Says) -> Witness {
        Witness { at: at(0), by: By::Server, says }
    }

    fn alive_with(clauses: Vec<Clause>) -> Verdict {
        let facts = facts(clauses);
        verdict(Subject::Mytoken(&facts), &[server(Says::Alive(Box::new(facts.clone())))], &here(), at(0))
    }

    fn uses(most: u64, done: u64) -> Clause {
        Clause { uses_at: Some(most), used_at: Some(done), ..Clause::default() }
    }

    fn hosts(network: &str) -> Clause {
        Clause { hosts: Some(vec![network.into()]), ..Clause::default() }
    }

    fn until(seconds: i64) -> Clause {
        Clause { expires: Some(at(seconds)), ..Clause::default() }
    }

    fn from(seconds: i64) -> Clause {
        Clause { not_before: Some(at(seconds)), ..Clause::default() }
    }

    #[test]
    fn one_clause_that_allows_the_use_is_enough() {
        let table = [
            (vec![], Standing::Valid),
            (vec![uses(15, 2)], Standing::Valid),
            (vec![uses(15, 15)], Standing::UsedUp),
            (vec![uses(0, 0)], Standing::UsedUp),
            (vec![hosts("134.94.0.0/16")], Standing::NotFromHere),
            (vec![hosts("10.20.0.0/16")], Standing::Valid),
            (vec![hosts("134.94.0.0/16"), uses(15, 15)], Standing::NotFromHere),
            (vec![from(7200)], Standing::NotYet),
            (vec![until(-10)], Standing::Expired),
            (vec![until(-10), from(60)], Standing::NotYet),
            (vec![until(-10), uses(1, 1)], Standing::UsedUp),
            (vec![uses(15, 15), Clause::default()], Standing::Valid),
            // Used up and elsewhere at once: the uses decide, moving would not help.
            (vec![Clause { hosts: hosts("134.94.0.0/16").hosts, ..uses(3, 3) }], Standing::UsedUp),
        ];
        for (clauses, standing) in table {
            assert_eq!(alive_with(clauses.clone()).standing, standing, "{clauses:?}");
        }
    }

    #[test]
    fn of_several_ends_the_latest_and_of_several_starts_the_earliest_is_told() {
        assert_eq!(alive_with(vec![until(-10), until(-500)]).turn, Some((Turn::Ended, at(-10))));
        assert_eq!(alive_with(vec![from(500), from(60)]).turn, Some((Turn::Starts, at(60))));
    }

    #[test]
    fn each_word_of_the_server_has_its_answer() {
        let table = [
            (Says::MayNotAsk, Standing::MayNotBeAsked),
            (Says::Expired, Standing::Expired),
            (Says::NotYet, Standing::NotYet),
            (Says::Unidentified, Standing::RevokedOrUnknown),
            (Says::Unknown, Standing::RevokedOrUnknown),
            (Says::BadSignature, Standing::Garbled),
            (Says::WrongServer, Standing::RevokedOrUnknown),
            (Says::UsageRestricted, Standing::NotFromHere),
            (Says::ProviderRefuses("invalid_grant".to_owned()), Standing::Useless),
            (Says::NoAnswer("no answer in 10 s".to_owned()), Standing::CannotTell),
        ];
        let facts = facts(Vec::new());
        for (says, standing) in table {
            let verdict = verdict(Subject::Mytoken(&facts), &[server(says.clone())], &here(), at(0));
            assert_eq!(verdict.standing, standing, "{says:?}");
        }
    }

    #[test]
    fn the_journal_goes_before_the_server_so_that_a_stale_copy_is_never_sent() {
        let facts = facts(Vec::new());
        let journal = Witness {
            at: at(-500),
            by: By::Journal,
            says: Says::Superseded { copy: Some(2), newest: 5, name: "toar".to_owned() },
        };
        let witnesses = [server(Says::Alive(Box::new(facts.clone()))), journal];
        let verdict = verdict(Subject::Mytoken(&facts), &witnesses, &here(), at(0));
        assert_eq!((verdict.standing, verdict.by), (Standing::RotatedAway, By::Journal));
        assert!(verdict.fact.contains("copy 2") && verdict.fact.contains("copy 5"));
    }

    #[test]
    fn a_word_of_the_journal_tells_rotated_away_from_revoked_where_the_server_says_one_thing() {
        let facts = facts(Vec::new());
        let journal = |says| Witness { at: at(-500), by: By::Journal, says };
        let rotated = Says::RotatedHere { copy: Some(2), newest: 5 };
        let silent = Says::NoAnswer("refused".to_owned());
        let table = [
            (
                Some(Says::Unidentified),
                Says::RevokedHere,
                Standing::RevokedOrUnknown,
                "it was revoked from here",
            ),
            (Some(Says::Unknown), Says::RevokedHere, Standing::RevokedOrUnknown, "it was revoked from here"),
            (Some(silent), Says::RevokedHere, Standing::RevokedOrUnknown, "it was revoked from here"),
            (None, Says::RevokedHere, Standing::RevokedOrUnknown, "it was revoked from here"),
            (Some(Says::Unidentified), Says::OlderCopyUsed, Standing::RevokedOrUnknown, "was used from here"),
            (Some(Says::Unidentified), rotated.clone(), Standing::RotatedAway, "rotated from here to copy 5"),
            (None, rotated, Standing::RotatedAway, "rotated from here to copy 5"),
        ];
        for (heard, noted, standing, words) in table {
            let witnesses: Vec<_> = heard.map(server).into_iter().chain([journal(noted)]).collect();
            let verdict = verdict(Subject::Mytoken(&facts), &witnesses, &here(), at(0));
            assert_eq!((verdict.standing, verdict.by), (standing, By::Journal), "{witnesses:?}");
            assert!(verdict.fact.contains(words), "{}", verdict.fact);
        }
    }

    #[test]
    fn a_server_that_calls_it_alive_is_believed_before_a_note_of_its_revocation() {
        let facts = facts(Vec::new());
        let noted = Witness { at: at(-5), by: By::Journal, says: Says::RevokedHere };
        let witnesses = [server(Says::Alive(Box::new(facts.clone()))), noted];
        assert_eq!(verdict(Subject::Mytoken(&facts), &witnesses, &here(), at(0)).standing, Standing::Valid);
    }

    #[test]
    fn a_first_copy_past_its_rotation_lifetime_is_expired_and_not_unknown() {
        let mut facts = facts(Vec::new());
        facts.issued = Some(at(-700));
        facts.rotation = Some(Rotation { on_at: true, lifetime: Some(600), ..Rotation::default() });
        let verdict = verdict(Subject::Mytoken(&facts), &[server(Says::Unidentified)], &here(), at(0));
        assert_eq!((verdict.standing, verdict.turn), (Standing::Expired, Some((Turn::Ended, at(-100)))));
    }

    #[test]
    fn silence_is_told_with_what_was_last_known() {
        let facts = facts(Vec::new());
        let last = Witness { at: at(-720), by: By::Journal, says: Says::LastKnown(Standing::Valid) };
        let silent = server(Says::NoAnswer("no answer in 3 s".to_owned()));
        let verdict = verdict(Subject::Mytoken(&facts), &[last, silent], &here(), at(0));
        assert_eq!((verdict.standing, verdict.exit_code()), (Standing::CannotTell, 4));
        assert_eq!(verdict.heard, Some(at(-720)));
        assert_eq!(verdict.remarks, ["last known: valid"]);
        assert_eq!(verdict.turn, Some((Turn::Ends, at(3600))));
    }

    #[test]
    fn an_earlier_answer_does_not_hide_a_later_silence() {
        let facts = facts(Vec::new());
        let heard = Witness { at: at(-60), by: By::Server, says: Says::Alive(Box::new(facts.clone())) };
        let silent = server(Says::NoAnswer("refused".to_owned()));
        let verdict = verdict(Subject::Mytoken(&facts), &[heard, silent], &here(), at(0));
        assert_eq!(verdict.standing, Standing::CannotTell);
    }

    #[test]
    fn its_own_end_decides_where_nobody_could_be_asked() {
        let facts = facts(Vec::new());
        let late = later(at(3600), SignedDuration::from_secs(1));
        let unasked = verdict(Subject::Mytoken(&facts), &[], &here(), late);
        assert_eq!((unasked.standing, unasked.by), (Standing::Expired, By::Clock));
        let unasked = verdict(Subject::Mytoken(&facts), &[], &here(), at(0));
        assert_eq!((unasked.standing, unasked.next), (Standing::CannotTell, Some(Next::AskServer)));
    }

    #[test]
    fn alive_but_unasked_counts_as_valid_only_if_its_claims_give_an_access_token_now() {
        let may = facts(Vec::new());
        let mut may_not = may.clone();
        may_not.capabilities = vec![Capability::new("create_mytoken")];
        for (facts, code) in [(may, 0), (may_not, 3)] {
            let verdict = verdict(Subject::Mytoken(&facts), &[server(Says::MayNotAsk)], &here(), at(0));
            assert_eq!((verdict.standing, verdict.exit_code()), (Standing::MayNotBeAsked, code));
        }
    }

    #[test]
    fn the_servers_clock_goes_before_ours_and_the_difference_is_said() {
        let mut told = facts(Vec::new());
        told.expires = Some(at(-30));
        let witnesses = [server(Says::Alive(Box::new(told.clone())))];
        let verdict = verdict(Subject::Mytoken(&told), &witnesses, &here(), at(0));
        assert_eq!(verdict.standing, Standing::Valid);
        assert!(verdict.remarks.iter().any(|remark| remark.contains("clocks")));
    }

    #[test]
    fn a_restriction_nobody_knows_is_named() {
        let clause = Clause { unknown: vec!["schedule".into()], ..Clause::default() };
        assert!(alive_with(vec![clause]).remarks[0].contains("schedule"));
    }

    #[test]
    fn another_token_is_said_to_be_what_it_is() {
        let subject = Subject::Other { what: "an access token of EGI Check-in", ends: Some(at(60)) };
        let live = verdict(subject, &[], &here(), at(0));
        let dead = verdict(subject, &[], &here(), at(90));
        assert_eq!((live.standing, live.exit_code(), dead.exit_code()), (Standing::NotMytoken, 0, 3));
    }

    #[test]
    fn every_standing_can_be_reached() {
        let facts = facts(Vec::new());
        let ask = |says: Says| verdict(Subject::Mytoken(&facts), &[server(says)], &here(), at(0)).standing;
        let superseded = Says::Superseded { copy: None, newest: 2, name: "x".to_owned() };
        let reached = [
            alive_with(Vec::new()).standing,
            alive_with(vec![hosts("134.94.0.0/16")]).standing,
            alive_with(vec![uses(1, 1)]).standing,
            alive_with(vec![from(60)]).standing,
            ask(Says::Expired),
            ask(superseded),
            ask(Says::Unidentified),
            ask(Says::MayNotAsk),
            ask(Says::ProviderRefuses(String::new())),
            ask(Says::NoAnswer(String::new())),
            verdict(Subject::Other { what: "x", ends: None }, &[], &here(), at(0)).standing,
            verdict(Subject::Unreadable("cut"), &[], &here(), at(0)).standing,
        ];
        assert_eq!(reached, Standing::ALL);
    }
}
