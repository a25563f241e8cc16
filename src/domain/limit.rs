//! How many requests a server still takes from us (mytoken-api.md §2.1.6).

use std::time::Duration;

/// What a server lets one address ask, over all of its paths, and how much of it is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Requests in a window of time; refused ones count, too.
    pub limit: u32,
    /// How many of them are left.
    pub remaining: u32,
    /// When the next window begins, counted from the answer that told.
    pub reset: Duration,
}

impl Allowance {
    /// Whether fewer than `share` in a hundred of the requests are left: what is not asked for by the user can wait.
    #[must_use]
    pub fn is_below(self, share: u32) -> bool {
        u64::from(self.remaining) * 100 < u64::from(self.limit) * u64::from(share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_is_measured_by_the_share_that_is_left() {
        let left = |remaining, limit| Allowance { limit, remaining, reset: Duration::from_secs(300) };
        let table = [
            (left(100, 100), false),
            (left(20, 100), false),
            (left(19, 100), true),
            (left(0, 100), true),
            (left(0, 0), false),
            (left(u32::MAX, u32::MAX), false),
        ];
        for (allowance, below) in table {
            assert_eq!(allowance.is_below(20), below, "{allowance:?}");
        }
    }
}
