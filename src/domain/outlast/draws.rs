//! The moments at which a job draws access tokens, and how far some clauses carry them.

use jiff::{SignedDuration, Timestamp};

use crate::domain::mytoken::Clause;
use crate::domain::time::later;

/// Moments at equal distances. Counted, never listed: a job may draw millions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draws {
    pub(super) first: Timestamp,
    /// At least a second.
    every: i64,
    /// At least one.
    pub(super) count: u64,
}

impl Draws {
    /// Draws at `first` and then at every `every`, as many as `wall` needs.
    pub(super) fn new(first: Timestamp, wall: SignedDuration, every: SignedDuration) -> Self {
        let every = every.as_secs().max(1);
        let wall = wall.as_secs().max(0).unsigned_abs();
        Self { first, every, count: wall.div_ceil(every.unsigned_abs()).max(1) }
    }

    /// When draw `index` happens.
    pub(super) fn at(self, index: u64) -> Timestamp {
        let seconds = self.every.saturating_mul(i64::try_from(index).unwrap_or(i64::MAX));
        later(self.first, SignedDuration::from_secs(seconds))
    }

    /// The first draw after `moment`; the count where there is none.
    pub(super) fn first_after(self, moment: Timestamp) -> u64 {
        if moment < self.first {
            return 0;
        }
        let passed = moment.duration_since(self.first).as_secs() / self.every;
        passed.unsigned_abs().saturating_add(1).min(self.count)
    }

    /// The first draw at `moment` or later; the count where there is none.
    fn first_from(self, moment: Timestamp) -> u64 {
        let after = self.first_after(moment);
        let before = after.saturating_sub(1);
        if after > 0 && self.at(before) == moment { before } else { after }
    }

    /// How many draws `clauses` carry before one finds none that allows it; all of them: the count. The first usable clause
    /// is the one that counts (mytoken-api.md §4), and identical ones share their uses (§4.7).
    pub(super) fn carried(self, clauses: &[&Clause], counting: bool) -> u64 {
        let shared: Vec<usize> = clauses
            .iter()
            .map(|clause| clauses.iter().position(|other| other.is_same_as(clause)).unwrap_or(0))
            .collect();
        let mut left: Vec<Option<u64>> =
            clauses.iter().map(|clause| clause.left_at().filter(|_| counting)).collect();
        let mut index = 0;
        while index < self.count {
            let now = self.at(index);
            let has_uses = |at: usize, left: &[Option<u64>]| {
                let group = shared.get(at).copied().unwrap_or(at);
                left.get(group).copied().flatten() != Some(0)
            };
            let open = |clause: &Clause| {
                clause.not_before.is_none_or(|start| start <= now)
                    && clause.expires.is_none_or(|end| now <= end)
            };
            let chosen =
                clauses.iter().enumerate().position(|(at, clause)| open(clause) && has_uses(at, &left));
            let Some((chosen, clause)) = chosen.and_then(|at| clauses.get(at).map(|clause| (at, clause)))
            else {
                return index;
            };
            let mut next = clause.expires.map_or(self.count, |end| self.first_after(end));
            let opening = clauses.iter().take(chosen).filter_map(|earlier| earlier.not_before);
            for start in opening.filter(|start| *start > now) {
                next = next.min(self.first_from(start));
            }
            let group = shared.get(chosen).copied().unwrap_or(chosen);
            if let Some(Some(uses)) = left.get_mut(group) {
                next = next.min(index.saturating_add(*uses));
                *uses = uses.saturating_sub(next.saturating_sub(index));
            }
            index = next.max(index + 1);
        }
        self.count
    }
}
