//! The weighing: who is believed before whom, and which clause decides.

use jiff::Timestamp;

use super::place::{Fit, Place};
use super::{By, Next, Says, Standing, Subject, Turn, Verdict, Witness};
use crate::domain::mytoken::{Clause, Facts, can};

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
        Says::NoAnswer(_) | Says::Superseded { .. } | Says::RevokedHere | Says::LastKnown(_) => {
            unheard(None, facts, witnesses, place, now)
        }
    };
    verdict.heard = Some(heard.at);
    verdict
}

/// It lives: which of its clauses lets it be used here and now?
fn alive(facts: &Facts, place: &Place, now: Timestamp) -> Verdict {
    let purpose = if can(&facts.capabilities, "AT") { Purpose::Access } else { Purpose::Other };
    let mut verdict = match best_clause(facts, purpose, place, now) {
        Best::Usable { doubts } => Verdict {
            remarks: doubts,
            gives_access: purpose == Purpose::Access,
            ..plain(Standing::Valid, "its server says so".to_owned(), By::Server)
        },
        Best::Blocked(Block::Place(why)) => {
            Verdict { next: Some(Next::WouldItWork), ..plain(Standing::NotFromHere, why, By::Claims) }
        }
        Best::Blocked(Block::UsedUp { done, most }) => {
            let fact = match purpose {
                Purpose::Access => {
                    format!("{done} of {most} access tokens were drawn; what it may do besides still works")
                }
                Purpose::Other => format!("{done} of {most} uses are spent"),
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
        return plain(Standing::RevokedOrUnknown, "it was revoked from here".to_owned(), By::Journal);
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
    let fact = if rotation.is_some_and(super::super::mytoken::Rotation::rotates) {
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Access,
    Other,
}

/// Why a clause does not let the token be used, the nearest miss first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Block {
    Place(String),
    UsedUp { done: u64, most: u64 },
    NotYet(Timestamp),
    Over(Timestamp),
}

enum Best {
    Usable { doubts: Vec<String> },
    Blocked(Block),
}

/// The clause that comes nearest to letting the token be used; no clauses at all: nothing is restricted.
fn best_clause(facts: &Facts, purpose: Purpose, place: &Place, now: Timestamp) -> Best {
    let mut nearest: Option<Block> = None;
    let mut doubtful: Option<String> = None;
    for clause in &facts.restrictions {
        match weigh_clause(clause, purpose, place, now) {
            Ok(None) => return Best::Usable { doubts: Vec::new() },
            Ok(Some(doubt)) => doubtful = doubtful.or(Some(doubt)),
            Err(block) => {
                // Of several starts the earliest is awaited, of several ends the latest is mourned.
                let nearer = match (&nearest, &block) {
                    (None, _) => true,
                    (Some(Block::Over(old)), Block::Over(new)) => new > old,
                    (Some(old), new) => new < old,
                };
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

fn weigh_clause(
    clause: &Clause,
    purpose: Purpose,
    place: &Place,
    now: Timestamp,
) -> Result<Option<String>, Block> {
    if let Some(end) = clause.expires
        && end < now
    {
        return Err(Block::Over(end));
    }
    if let Some(start) = clause.not_before
        && start > now
    {
        return Err(Block::NotYet(start));
    }
    let (most, done) = match purpose {
        Purpose::Access => (clause.uses_at, clause.used_at),
        Purpose::Other => (clause.uses_other, clause.used_other),
    };
    if let Some(most) = most
        && done.unwrap_or(0) >= most
    {
        return Err(Block::UsedUp { done: done.unwrap_or(0), most });
    }
    match place.fits(clause) {
        Fit::Yes => Ok(None),
        Fit::Perhaps(doubt) => Ok(Some(doubt)),
        Fit::No(why) => Err(Block::Place(why)),
    }
}
