//! What went wrong, as a person reads it: what was being done, the one deciding fact, what to do now.

use std::fmt;

/// How a failure counts for a script (design.md §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It was tried and did not work: exit code 1.
    Failed,
    /// What was typed cannot be used: exit code 2.
    Unusable,
    /// The token is not valid, or a login is needed: exit code 3.
    NotValid,
    /// The provider or server was not reached: exit code 4.
    Unreached,
    /// The user ended it.
    Cancelled,
}

impl Kind {
    /// The exit code of the plain commands.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Failed | Self::Cancelled => 1,
            Self::Unusable => 2,
            Self::NotValid => 3,
            Self::Unreached => 4,
        }
    }
}

/// A failure in the three parts that house-style.md §8 asks for. Its texts are already fit to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What was being done: `Renewing egi`.
    pub doing: String,
    /// The deciding fact: `the provider says: Session not active`.
    pub why: String,
    /// What to do now: `Log in again.`
    pub hint: Option<String>,
    /// How it counts.
    pub kind: Kind,
}

impl Failure {
    /// A failure without a hint.
    pub fn new(kind: Kind, doing: impl Into<String>, why: impl Into<String>) -> Self {
        Self { doing: doing.into(), why: why.into(), hint: None, kind }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} did not work: {}", self.doing, self.why)?;
        if !self.why.ends_with(['.', '!', '?']) {
            f.write_str(".")?;
        }
        match &self.hint {
            Some(hint) => write!(f, " {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}
