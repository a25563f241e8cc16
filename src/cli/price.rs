//! What a use has cost, in words: counted uses, a copy that went stale.

use crate::domain::credential::{Chain, Held};
use crate::domain::mytoken::Clause;

/// What lies between two looks at a credential; `None` where nothing was spent that its user would miss. `served`: a token came, so a counted
/// use is spent also where nobody has told how many are left.
#[must_use]
pub fn paid(before: &Held, after: &Held, served: bool) -> Option<String> {
    spent(before, after, (served, served), |clause| clause.uses_at)
}

/// The same, for a use that is no access token. `served`: the server did what was asked. `told`: that it rotated is
/// said already.
#[must_use]
pub fn paid_other(before: &Held, after: &Held, served: bool, told: bool) -> Option<String> {
    spent(before, after, (served, told), |clause| clause.uses_other)
}

/// `counted` says whether a clause counts such uses.
fn spent(
    before: &Held,
    after: &Held,
    (served, told): (bool, bool),
    counted: fn(&Clause) -> Option<u64>,
) -> Option<String> {
    let (Chain::Mytoken { facts: was, copy: old, .. }, Chain::Mytoken { facts: is, copy: new, .. }) =
        (&before.chain, &after.chain)
    else {
        return None;
    };
    let mut words = Vec::new();
    for (before, after) in was.restrictions.iter().zip(&is.restrictions) {
        for (left_before, left, most, what) in [
            (before.left_at(), after.left_at(), after.uses_at, "access tokens"),
            (before.left_other(), after.left_other(), after.uses_other, "other uses"),
        ] {
            if let (Some(left_before), Some(left), Some(most)) = (left_before, left, most)
                && left < left_before
            {
                words.push(format!("{left} of {most} {what} left"));
            }
        }
    }
    if words.is_empty() && served && is.restrictions.iter().any(|clause| counted(clause).is_some()) {
        words.push("it cost one of its counted uses".to_owned());
    }
    // Drawing says so itself.
    if new != old && !told {
        words.push(format!("it is copy {new} now; older copies are stale"));
    }
    (!words.is_empty()).then(|| words.join("; "))
}
