//! The journal as a witness: what was done from here with a mytoken that its server only calls unknown (mytoken-api.md §12.3).

use crate::domain::credential::{Chain, Health};
use crate::domain::event::{Event, What};
use crate::domain::mytoken::Facts;
use crate::domain::verdict::{By, Says, Witness};
use crate::wallet::{Wallet, health};

/// So many entries about one mytoken are looked at.
const MOST: usize = 1_000;

/// What is noted when a copy was used that may not have been the current one, of a mytoken that revokes itself for that.
pub(in crate::wallet) const OLDER_USED: &str = "an older copy was used";

impl Wallet {
    /// What was done from here with this mytoken that explains why its server refuses copy `copy` of it: revoked from here, by itself, by its id or
    /// with its parent; rotated from here; ended by the use of an older copy.
    pub(super) fn remembered(&self, facts: &Facts, copy: Option<u64>) -> Option<Witness> {
        let revoked = Says::RevokedHere;
        if self.is_held_as_revoked(facts) {
            return Some(Witness { at: self.now(), by: By::Journal, says: revoked });
        }
        let events = self.noted_of(facts);
        let told = |says, event: &Event| Witness { at: event.at, by: By::Journal, says };
        let ended = events.iter().find_map(|event| match &event.what {
            What::Revoked => Some(told(Says::RevokedHere, event)),
            What::Noted(words) if words == OLDER_USED => Some(told(Says::OlderCopyUsed, event)),
            _ => None,
        });
        ended.or_else(|| {
            newest(&events)
                .filter(|(newest, _)| copy.is_some_and(|copy| copy < *newest))
                .map(|(newest, event)| told(Says::RotatedHere { copy, newest }, event))
        })
    }

    /// A newer copy than this one came to be held here once, by the journal, and is not any more.
    pub(super) fn rotated_and_gone(&self, facts: &Facts) -> Option<Witness> {
        let copy = facts.copy?;
        // What never rotates has one copy.
        facts.rotation.filter(|rotation| rotation.rotates())?;
        let events = self.noted_of(facts);
        let (newest, event) = newest(&events).filter(|(newest, _)| copy < *newest)?;
        Some(Witness { at: event.at, by: By::Journal, says: Says::RotatedHere { copy: Some(copy), newest } })
    }

    /// The same of one that is held and marked: the journal knows the number.
    pub(super) fn rotated_here(&self, facts: &Facts, copy: Option<u64>) -> Witness {
        let newest = newest(&self.noted_of(facts)).map(|(newest, _)| newest);
        let newest = newest.or_else(|| copy.map(|copy| copy + 1)).unwrap_or(2);
        Witness { at: self.now(), by: By::Journal, says: Says::RotatedHere { copy, newest } }
    }

    fn is_held_as_revoked(&self, facts: &Facts) -> bool {
        let Some(mom_id) = &facts.mom_id else { return false };
        let revoked = Health::Dead(health::REVOKED_HERE.to_owned());
        self.held().iter().any(|held| {
            let Chain::Mytoken { facts, .. } = &held.chain else { return false };
            held.health == revoked && facts.mom_id.as_ref() == Some(mom_id)
        })
    }

    fn noted_of(&self, facts: &Facts) -> Vec<Event> {
        facts.mom_id.as_ref().map(|id| self.store.history_about(id.raw(), MOST)).unwrap_or_default()
    }
}

/// The highest copy that was ever made from here.
fn newest(events: &[Event]) -> Option<(u64, &Event)> {
    let copies = events.iter().filter_map(|event| match event.what {
        What::Rotated { copy } => Some((copy, event)),
        _ => None,
    });
    copies.max_by_key(|(copy, _)| *copy)
}
