//! What ends, before it does: since when a board announces it, and what a list of it holds.

use jiff::{SignedDuration, Timestamp};

use super::credential::{Chain, Health, Held, why};
use super::time::later;

/// How long before its end something is announced, where the user has not said.
pub const WARN_BEFORE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What lives no longer than this ends as a matter of course: a session, a job's mytoken.
const SHORT: SignedDuration = SignedDuration::from_hours(24);

/// Since when the end of what gives access tokens under a name is announced: `before` it, and no sooner than in the last quarter of its
/// life, so that what was made for three days is not announced from the first minute on. `None`: nothing is to be announced, because no
/// end is known, or because it ends with a session or within a day anyway.
#[must_use]
pub fn announced_from(held: &Held, before: SignedDuration) -> Option<Timestamp> {
    let end = held.chain_ends()?;
    let born = match &held.chain {
        Chain::Refresh { session_only: false, .. } => held.since,
        Chain::Mytoken { facts, .. } => facts.issued.map_or(held.since, |issued| issued.min(held.since)),
        Chain::Refresh { session_only: true, .. } | Chain::None => return None,
    };
    let life = end.duration_since(born);
    (life > SHORT).then(|| later(end, -before.min(life / 4)))
}

/// The end that is announced at `now`: it lies ahead, and whatever it is the end of is well.
#[must_use]
pub fn announced(held: &Held, before: SignedDuration, now: Timestamp) -> Option<Timestamp> {
    if matches!(held.health, Health::Dead(_) | Health::NeedsLogin(_)) {
        return None;
    }
    let end = held.chain_ends().filter(|end| *end > now)?;
    announced_from(held, before).filter(|from| *from <= now).map(|_| end)
}

/// Whoever ended it knows.
const ON_PURPOSE: [&str; 4] =
    [why::REVOKED_HERE, why::REVOKED_UNCHECKED, why::UNKNOWN_THERE, why::ROTATED_AWAY];

/// How something ends or has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It ends at this moment.
    Ends(Timestamp),
    /// It ended at this moment.
    Ended(Timestamp),
    /// It gives no access tokens any more, although its end lies ahead: all its uses are spent.
    UsedUp,
    /// It works no more; why, in a few words.
    Over(String),
}

/// How something held ends within `span`, or has ended; `None` where it does not, or where it was ended on purpose: what was revoked from
/// here, or replaced by a newer copy, is no news. A bare access token ends by its own end.
#[must_use]
pub fn within(held: &Held, span: SignedDuration, now: Timestamp) -> Option<Ending> {
    match &held.health {
        Health::Dead(why) if ON_PURPOSE.contains(&why.as_str()) => return None,
        Health::Dead(why) | Health::NeedsLogin(why) => return Some(Ending::Over(why.clone())),
        Health::Ok | Health::InDoubt(_) => {}
    }
    let end = match &held.chain {
        Chain::None => held.chief().and_then(|access| access.expires),
        Chain::Refresh { .. } | Chain::Mytoken { .. } => held.chain_ends(),
    };
    match end {
        Some(end) if end <= now => Some(Ending::Ended(end)),
        _ if is_used_up(&held.chain) => Some(Ending::UsedUp),
        Some(end) if end.duration_since(now) <= span => Some(Ending::Ends(end)),
        Some(_) | None => None,
    }
}

/// Whether it gave all the access tokens it had; one that was made to give none is not.
fn is_used_up(chain: &Chain) -> bool {
    let Chain::Mytoken { facts, .. } = chain else { return false };
    chain.uses_left() == Some(0) && facts.restrictions.iter().any(|clause| clause.uses_at > Some(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::credential::{ChainEnd, Through};
    use crate::domain::mytoken::{Clause, Facts};
    use crate::domain::time::from_epoch;

    const DAY: i64 = 86_400;

    fn at(days: i64) -> Timestamp {
        from_epoch(1_800_000_000 + days * DAY)
    }

    fn held(chain: Chain) -> Held {
        Held::sample("egi", "egi", chain, at(0))
    }

    fn login(days: i64, session_only: bool) -> Held {
        held(Chain::Refresh {
            ends: ChainEnd::At(at(days)),
            rotates: false,
            session_only,
            through: Through::default(),
        })
    }

    fn mytoken(days: i64, facts: Facts) -> Held {
        let facts = Box::new(Facts { expires: Some(at(days)), ..facts });
        held(Chain::Mytoken { facts, heard: None, copy: 1, short: false })
    }

    #[test]
    fn an_end_is_announced_a_week_before_it_and_no_sooner_than_in_the_last_quarter_of_a_life() {
        let week = WARN_BEFORE;
        assert_eq!(announced_from(&login(395, false), week), Some(at(388)));
        assert_eq!(announced_from(&login(12, false), week), Some(at(9)));
        assert_eq!(announced_from(&login(395, false), SignedDuration::from_hours(24)), Some(at(394)));
        assert_eq!(announced_from(&login(1, false), week), None, "no longer than a day");
        assert_eq!(announced_from(&login(395, true), week), None, "it ends with a session");
        assert_eq!(announced_from(&mytoken(90, Facts::default()), week), Some(at(83)));
        // Kept here on its 76th day.
        let older = Facts { issued: Some(at(-76)), ..Facts::default() };
        assert_eq!(announced_from(&mytoken(14, older), week), Some(at(7)));
        let open = Chain::Refresh {
            ends: ChainEnd::Open,
            rotates: false,
            session_only: false,
            through: Through::default(),
        };
        assert_eq!(
            (announced_from(&held(open), week), announced_from(&held(Chain::None), week)),
            (None, None)
        );
    }

    #[test]
    fn what_is_over_or_ended_is_announced_no_more() {
        let egi = login(395, false);
        let announced = |held: &Held, day| announced(held, WARN_BEFORE, at(day));
        assert_eq!(
            (announced(&egi, 387), announced(&egi, 388), announced(&egi, 395)),
            (None, Some(at(395)), None)
        );
        let gone = Held { health: Health::NeedsLogin("ended or revoked".to_owned()), ..egi };
        assert_eq!(announced(&gone, 390), None);
    }

    #[test]
    fn a_list_of_what_ends_holds_what_has_ended_and_not_what_was_ended_on_purpose() {
        let day = SignedDuration::from_hours(24);
        let within = |held: &Held, now| within(held, day, at(now));
        let egi = login(395, false);
        assert_eq!(within(&egi, 393), None);
        assert_eq!(within(&egi, 394), Some(Ending::Ends(at(395))));
        assert_eq!(within(&egi, 396), Some(Ending::Ended(at(395))));
        let ill = |health| Held { health, ..egi.clone() };
        assert_eq!(within(&ill(Health::Dead(why::REVOKED_HERE.to_owned())), 396), None);
        assert_eq!(within(&ill(Health::Dead(why::ROTATED_AWAY.to_owned())), 396), None);
        let gone = why::ENDED_OR_REVOKED.to_owned();
        assert_eq!(within(&ill(Health::NeedsLogin(gone.clone())), 10), Some(Ending::Over(gone)));
        assert_eq!(within(&ill(Health::InDoubt("no answer".to_owned())), 10), None);
        let spent = Clause { uses_at: Some(15), used_at: Some(15), ..Clause::default() };
        let spent = Facts { restrictions: vec![spent], ..Facts::default() };
        assert_eq!(within(&mytoken(90, spent), 10), Some(Ending::UsedUp));
        let none = Clause { uses_at: Some(0), ..Clause::default() };
        assert_eq!(within(&mytoken(90, Facts { restrictions: vec![none], ..Facts::default() }), 10), None);
    }
}
