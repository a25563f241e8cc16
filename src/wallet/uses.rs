//! Counted uses of a mytoken: what the server last told, and what was spent here since.

use std::net::IpAddr;

use jiff::Timestamp;

use super::Wallet;
use crate::domain::credential::{Ask, Credential, Grant};
use crate::domain::mytoken::Clause;
use crate::domain::verdict::Place;
use crate::domain::verdict::clause::{Purpose, weigh_clause};

/// What a use is counted as (mytoken-api.md §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    AccessToken,
    Other,
}

impl Wallet {
    /// [`spend`], now, from the address at which the server sees us.
    pub(super) fn spend(&self, credential: &mut Credential, what: Use, ask: &Ask) {
        let Grant::Mytoken(grant) = &credential.grant else { return };
        let seen_as = self.seen_as(&grant.server);
        spend(credential, what, ask, seen_as, self.now());
    }
}

/// One more use that a server has just granted from here, where the counters are known: of the first clause that allows it
/// (mytoken-api.md §4.7), and of those that are the same to the letter, which share its counter. `seen_as`: our address, where the server has
/// told. The server's own count replaces ours at the next look-up. Before the first one nothing is known, and nothing is counted.
fn spend(credential: &mut Credential, what: Use, ask: &Ask, seen_as: Option<IpAddr>, now: Timestamp) {
    let Grant::Mytoken(grant) = &mut credential.grant else { return };
    if grant.heard.is_none() {
        return;
    }
    let asked = [&ask.scopes, &ask.audiences].map(|words| words.iter().cloned().collect::<Vec<_>>());
    let purpose = match what {
        Use::AccessToken => Purpose::Access { scopes: &asked[0], audiences: &asked[1] },
        Use::Other => Purpose::Other,
    };
    let place = Place { address: seen_as, country: None };
    let allows = |clause: &&Clause| weigh_clause(clause, purpose, &place.spot(), now).is_ok();
    let Some(counting) = grant.facts.restrictions.iter().find(allows).cloned() else { return };
    let same = |clause: &&mut Clause| clause.is_same_as(&counting);
    for clause in grant.facts.restrictions.iter_mut().filter(same) {
        let (most, used) = match what {
            Use::AccessToken => (clause.uses_at, &mut clause.used_at),
            Use::Other => (clause.uses_other, &mut clause.used_other),
        };
        if most.is_some() {
            *used = Some(used.unwrap_or(0) + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::credential::{Copy, CredentialId, Custody, Health, MytokenGrant};
    use crate::domain::mytoken::Facts;
    use crate::domain::secret::Secret;
    use crate::domain::time::from_epoch;

    fn mytoken(restrictions: Vec<Clause>, heard: Option<Timestamp>) -> Credential {
        Credential {
            id: CredentialId("c".to_owned()),
            name: "toar".to_owned(),
            source: "mt".into(),
            identity: None,
            grant: Grant::Mytoken(Box::new(MytokenGrant {
                server: "https://mytoken.example.org".to_owned(),
                current: Copy::first(Secret::new("mt"), 1),
                facts: Facts { restrictions, ..Facts::default() },
                heard,
                short: false,
            })),
            custody: Custody::MemoryOnly,
            health: Health::Ok,
            ask: Ask::default(),
            access: Vec::new(),
            since: from_epoch(0),
            pause: None,
        }
    }

    fn counted(most: u64, used: Option<u64>) -> Clause {
        Clause { uses_at: Some(most), used_at: used, ..Clause::default() }
    }

    fn spent(credential: &Credential) -> Vec<Option<u64>> {
        let Grant::Mytoken(grant) = &credential.grant else { unreachable!() };
        grant.facts.restrictions.iter().map(|clause| clause.used_at).collect()
    }

    #[test]
    fn a_use_is_counted_on_the_first_clause_that_is_open_and_has_one_left() {
        let over = Clause { expires: Some(from_epoch(50)), ..counted(9, None) };
        let mut credential =
            mytoken(vec![over, counted(2, Some(2)), counted(3, None), counted(9, None)], Some(from_epoch(1)));
        spend(&mut credential, Use::AccessToken, &Ask::default(), None, from_epoch(100));
        assert_eq!(spent(&credential), [None, Some(2), Some(1), None]);
    }

    #[test]
    fn a_use_is_not_counted_on_a_clause_for_another_place() {
        let there = Clause { hosts: Some(vec!["192.0.2.0/24".into()]), ..counted(9, None) };
        let mut credential = mytoken(vec![there, counted(3, None)], Some(from_epoch(1)));
        let here = "198.51.100.7".parse().ok();
        spend(&mut credential, Use::AccessToken, &Ask::default(), here, from_epoch(100));
        assert_eq!(spent(&credential), [None, Some(1)]);
        // Where it is not known how we are seen, the first one may have been it.
        spend(&mut credential, Use::AccessToken, &Ask::default(), None, from_epoch(100));
        assert_eq!(spent(&credential), [Some(1), Some(1)]);
    }

    #[test]
    fn clauses_that_are_the_same_to_the_letter_share_a_counter() {
        let mut credential =
            mytoken(vec![counted(3, None), counted(4, None), counted(3, Some(0))], Some(from_epoch(1)));
        spend(&mut credential, Use::AccessToken, &Ask::default(), None, from_epoch(100));
        assert_eq!(spent(&credential), [Some(1), None, Some(1)]);
    }

    #[test]
    fn a_clause_that_counts_nothing_stays_without_a_counter() {
        let mut credential = mytoken(vec![Clause::default(), counted(3, None)], Some(from_epoch(1)));
        spend(&mut credential, Use::AccessToken, &Ask::default(), None, from_epoch(100));
        assert_eq!(spent(&credential), [None, None]);
    }

    #[test]
    fn counters_that_no_server_has_told_stay_unknown() {
        let mut credential = mytoken(vec![counted(3, None)], None);
        spend(&mut credential, Use::AccessToken, &Ask::default(), None, from_epoch(100));
        assert_eq!(spent(&credential), [None]);
    }
}
