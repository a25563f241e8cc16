//! What a provider says of a token when it is asked (RFC 7662).

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::jwt;

/// What came of asking a provider about a token.
#[derive(Clone, Debug, PartialEq)]
pub struct Introspected {
    /// The provider's name here.
    pub by: String,
    /// What it said.
    pub said: Said,
}

/// What a provider said of a token.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// It is active; with it all that was said.
    Active(Map<String, Value>),
    /// It is not active: ended, revoked, unknown there, or not for the client that asked. Which, is never said.
    NotActive,
    /// Nothing: why, cleaned.
    Nothing(String),
}

/// Which token of a credential a provider is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Its access token.
    Access,
    /// Its refresh token.
    Refresh,
}

impl About {
    /// In a sentence.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Access => "access token",
            Self::Refresh => "refresh token",
        }
    }
}

/// What a provider said of a held token when its user asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The name it is held under.
    pub name: String,
    /// Which of its tokens.
    pub about: About,
    /// When it was asked.
    pub asked: Timestamp,
    /// The answer.
    pub answer: Introspected,
}

impl Introspected {
    /// It in one line, fit to be shown.
    #[must_use]
    pub fn words(&self) -> String {
        match &self.said {
            Said::Active(_) => format!("{} says that it is active", self.by),
            Said::NotActive => format!(
                "{} does not call it active: ended, revoked, unknown there, or not for the client that asked",
                self.by
            ),
            Said::Nothing(why) => format!("{} was not heard about it: {why}", self.by),
        }
    }

    /// When it ends, by the provider's word.
    #[must_use]
    pub fn ends(&self) -> Option<Timestamp> {
        jwt::moment(self.claims()?.get("exp")?)
    }

    /// What was said beside `active`.
    #[must_use]
    pub fn claims(&self) -> Option<&Map<String, Value>> {
        match &self.said {
            Said::Active(claims) => Some(claims),
            Said::NotActive | Said::Nothing(_) => None,
        }
    }

    /// A stable word for `--json`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.said {
            Said::Active(_) => "active",
            Said::NotActive => "not_active",
            Said::Nothing(_) => "no_answer",
        }
    }
}
