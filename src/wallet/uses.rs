//! Counted uses of a mytoken: what the server last told, and what was spent here since.

use jiff::Timestamp;

use crate::domain::credential::{Ask, Credential, Grant};
use crate::domain::mytoken::Clause;

/// What a use is counted as (mytoken-api.md §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    AccessToken,
    Other,
}

/// One more use, where the counters are known: of the first clause that allows it (mytoken-api.md §4.7). The server's own
/// count replaces ours at the next look-up. Before the first one nothing is known, and nothing is counted.
pub(super) fn spend(credential: &mut Credential, what: Use, ask: &Ask, now: Timestamp) {
    let Grant::Mytoken(grant) = &mut credential.grant else { return };
    if grant.heard.is_none() {
        return;
    }
    let clause = grant.facts.restrictions.iter_mut().find(|clause| allows(clause, what, ask, now));
    let Some(clause) = clause else { return };
    let (most, used) = match what {
        Use::AccessToken => (clause.uses_at, &mut clause.used_at),
        Use::Other => (clause.uses_other, &mut clause.used_other),
    };
    if most.is_some() {
        *used = Some(used.unwrap_or(0) + 1);
    }
}

fn allows(clause: &Clause, what: Use, ask: &Ask, now: Timestamp) -> bool {
    let open = clause.not_before.is_none_or(|start| start <= now)
        && clause.expires.is_none_or(|end| now.as_second() <= end.as_second());
    let within = |asked: &std::collections::BTreeSet<String>, list: Option<&[_]>| {
        list.is_none_or(|list: &[crate::domain::untrusted::Untrusted]| {
            asked.iter().all(|word| list.iter().any(|listed| listed.raw() == word))
        })
    };
    open && match what {
        Use::AccessToken => {
            clause.left_at().is_none_or(|left| left > 0)
                && within(&ask.scopes, clause.scopes.as_deref())
                && within(&ask.audiences, clause.audiences.as_deref())
        }
        Use::Other => clause.left_other().is_none_or(|left| left > 0),
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
        spend(&mut credential, Use::AccessToken, &Ask::default(), from_epoch(100));
        assert_eq!(spent(&credential), [None, Some(2), Some(1), None]);
    }

    #[test]
    fn a_clause_that_counts_nothing_stays_without_a_counter() {
        let mut credential = mytoken(vec![Clause::default(), counted(3, None)], Some(from_epoch(1)));
        spend(&mut credential, Use::AccessToken, &Ask::default(), from_epoch(100));
        assert_eq!(spent(&credential), [None, None]);
    }

    #[test]
    fn counters_that_no_server_has_told_stay_unknown() {
        let mut credential = mytoken(vec![counted(3, None)], None);
        spend(&mut credential, Use::AccessToken, &Ask::default(), from_epoch(100));
        assert_eq!(spent(&credential), [None]);
    }
}
