//! A mytoken before it is made: what the form holds, what a profile stands for, what a command says.
//!
//! ```text
//! mod       the draft itself, and the order it comes to
//! when      a moment that may be counted from its making
//! check     what would go wrong, said before
//! words     what it will be able to do, in plain words
//! command   the same as a plain command
//! json      the same as JSON, to edit and to keep
//! members   reading JSON, member by member
//! ```

#[cfg(test)]
pub(crate) mod any;
mod check;
mod command;
mod json;
mod members;
mod when;
mod words;

use jiff::Timestamp;

pub use check::{Circumstances, Part, Warning, check};
pub use command::{Base, command};
pub use json::{clauses_from_json, from_json, to_json};
pub use when::{Edge, When};
pub use words::in_words;

use super::mytoken::{Capability, Clause, Facts, Form, Rotation, Wanted};
use super::untrusted::Untrusted;

/// A mytoken before it is made. Nothing in it is secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// What it is called, here and at its server; empty: not yet.
    pub name: String,
    /// The provider behind it, by issuer; empty: not chosen yet. Of a subtoken it is the parent's.
    pub provider: String,
    /// What it may do.
    pub capabilities: Vec<Capability>,
    /// Its restrictions, one alternative each; none, or one without members: unrestricted.
    pub clauses: Vec<DraftClause>,
    /// How it renews itself.
    pub rotation: Rotation,
    /// How it is handed out.
    pub form: Form,
    /// Profiles of the server that are merged under all this, by name or `group/name` (mytoken-api.md §2.11).
    pub templates: Vec<String>,
}

/// A clause whose moments may still be counted from its making.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DraftClause {
    /// Usable from; absent: at once.
    pub starts: Option<When>,
    /// Usable until; absent: without end.
    pub ends: Option<When>,
    /// All its other members. Its own moments are not looked at.
    pub rest: Clause,
}

impl DraftClause {
    /// The clause, for one that is made `now`.
    #[must_use]
    pub fn made(&self, now: Timestamp) -> Clause {
        Clause {
            not_before: self.starts.map(|start| start.at(now)),
            expires: self.ends.map(|end| end.at(now)),
            used_at: None,
            used_other: None,
            ..self.rest.clone()
        }
    }

    /// Whether it restricts nothing.
    #[must_use]
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }
}

impl From<Clause> for DraftClause {
    fn from(clause: Clause) -> Self {
        Self {
            starts: clause.not_before.map(When::At),
            ends: clause.expires.map(When::At),
            rest: Clause { not_before: None, expires: None, used_at: None, used_other: None, ..clause },
        }
    }
}

impl Draft {
    /// The order it comes to, if it is made `now`: moments and numbers only.
    #[must_use]
    pub fn wanted(&self, now: Timestamp) -> Wanted {
        let name = self.name.trim();
        Wanted {
            provider: Untrusted::from(self.provider.as_str()),
            name: (!name.is_empty()).then(|| name.to_owned()),
            capabilities: self.capabilities.clone(),
            restrictions: self
                .clauses
                .iter()
                .filter(|clause| !clause.is_open())
                .map(|clause| clause.made(now))
                .collect(),
            rotation: (self.rotation != Rotation::default()).then_some(self.rotation),
            form: self.form,
            templates: self.templates.clone(),
            application: Some("toktui".to_owned()),
        }
    }

    /// A draft of another one like a mytoken that is there, with moments as they stand there.
    #[must_use]
    pub fn like(facts: &Facts) -> Self {
        Self {
            name: facts.name.as_ref().map(|name| name.raw().to_owned()).unwrap_or_default(),
            provider: facts.provider.raw().to_owned(),
            capabilities: facts.capabilities.clone(),
            clauses: facts.restrictions.iter().cloned().map(DraftClause::from).collect(),
            rotation: facts.rotation.unwrap_or_default(),
            form: Form::Token,
            templates: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_comes_to_an_order_in_whole_seconds_and_without_empty_clauses() {
        let now = crate::domain::time::from_epoch(1000);
        let clause = DraftClause {
            ends: Some(When::In(90)),
            rest: Clause { uses_at: Some(15), used_at: Some(3), ..Clause::default() },
            ..DraftClause::default()
        };
        let draft = Draft {
            name: " toar ".to_owned(),
            clauses: vec![DraftClause::default(), clause],
            ..Draft::default()
        };
        let wanted = draft.wanted(now);
        assert_eq!(wanted.name.as_deref(), Some("toar"));
        let expected = Clause {
            expires: Some(crate::domain::time::from_epoch(1090)),
            uses_at: Some(15),
            ..Clause::default()
        };
        assert_eq!((wanted.restrictions, wanted.rotation), (vec![expected], None));
    }
}
