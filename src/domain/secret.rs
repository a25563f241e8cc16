//! Text that can be copied but not printed.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

/// A token, code, verifier or password.
///
/// It has no `Display` and no `Serialize`; `Debug` prints a fixed word. Clones share one buffer,
/// which is wiped when the last of them goes. Reading it is spelled [`Secret::expose`], so that
/// a search for that word lists every place where a secret leaves its wrapping.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// Wraps a text. The caller's own buffer, if it was another one, is the caller's to wipe.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Arc::new(Zeroizing::new(text.into())))
    }

    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Length in bytes: harmless to show.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_holds_nothing_of_the_text() {
        assert_eq!(format!("{:?}", Secret::new("tok-abcdef")), "Secret(…)");
    }
}
