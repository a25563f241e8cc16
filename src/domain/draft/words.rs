//! What a mytoken will be able to do, in plain words.

use super::{Circumstances, Draft};

/// What it will be able to do, for how long, how much work its uses are, and what it cannot do: a sentence each.
#[must_use]
pub fn in_words(_draft: &Draft, _circumstances: &Circumstances<'_>) -> Vec<String> {
    Vec::new()
}
