//! What is wrong in a config file: where it stands, and what was expected there.

use std::fmt;
use std::path::PathBuf;

use crate::domain::untrusted::cleaned;

/// One thing wrong in a config file. The rest of the file still counts, except after a syntax error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1; 0 where it is the file as a whole.
    pub line: usize,
    /// The key with its tables, `provider.egi.scopes`; empty where there is none.
    pub key: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// The ways of being wrong. None of them repeats a value: it might be a secret in the wrong place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The file is there and cannot be read.
    #[error("cannot be read ({0}); the built-in providers are used")]
    Unreadable(String),
    /// A file that toktui writes is there and cannot be read.
    #[error("cannot be read ({0}); what is saved in it is left out")]
    Saved(String),
    /// The file is no TOML.
    #[error("this is no TOML: {0}; until it is, only the built-in providers are used")]
    Syntax(String),
    /// A key that means nothing here.
    #[error("is not known here{}", hint(.near.as_deref()))]
    UnknownKey {
        /// The known key it resembles.
        near: Option<String>,
    },
    /// A value of another type.
    #[error("expected {expected}, found {found}")]
    WrongType {
        /// What would have been right, with an example.
        expected: String,
        /// The TOML type that stands there.
        found: &'static str,
    },
    /// A value of the right type that makes no sense.
    #[error("expected {0}")]
    WrongValue(String),
    /// A key that must be there.
    #[error("is missing: expected {0}")]
    Missing(String),
    /// A name that stands for nothing.
    #[error("there is no {kind} of that name{}", hint(.near.as_deref()))]
    NoSuch {
        /// What was looked for: `provider`, `family`.
        kind: &'static str,
        /// The known name it resembles.
        near: Option<String>,
    },
    /// One name for two things.
    #[error("is already the name of a {0}; take another")]
    Taken(&'static str),
    /// A secret written into the file.
    #[error(
        "a secret does not belong in this file; put it in a file of its own (mode 0600) and name that with \
         client_secret_file, or name an environment variable with client_secret_env"
    )]
    SecretInFile,
    /// The variable of `client_secret_env` is not there.
    #[error("expected the client secret in this environment variable, which is not set")]
    NoVariable,
    /// The file of `client_secret_file` gave nothing.
    #[error("expected the client secret in this file: {0}")]
    NoSecretFile(String),
    /// The file of `client_secret_file` is open to others.
    #[error("others may read this file; chmod 600 it (the secret is used all the same)")]
    OpenSecretFile,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&cleaned(&self.path.to_string_lossy()))?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        f.write_str(": ")?;
        if !self.key.is_empty() {
            write!(f, "{}: ", cleaned(&self.key))?;
        }
        f.write_str(&cleaned(&self.fault.to_string()))
    }
}

impl std::error::Error for Problem {}

fn hint(near: Option<&str>) -> String {
    near.map_or_else(String::new, |near| format!("; did you mean {near}?"))
}

/// The known word that `word` most resembles, if it resembles one: two letters or a third of it may be wrong.
pub(super) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
    let letters = word.chars().count();
    let most = if letters < 4 { 1 } else { (letters / 3).max(2) };
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(far, _)| *far <= most)
        .min_by_key(|(far, _)| *far)
        .map(|(_, candidate)| candidate.to_owned())
}

/// How many letters must be added, dropped or changed to turn one word into the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut above_left = i;
        let mut left = i + 1;
        for (place, b) in row.iter_mut().skip(1).zip(other.chars()) {
            let changed = above_left + usize::from(a != b);
            above_left = *place;
            left = changed.min(above_left + 1).min(left + 1);
            *place = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_counted_in_letters() {
        for (one, other, far) in [
            ("", "", 0),
            ("scopes", "scopes", 0),
            ("scope", "scopes", 1),
            ("isuser", "issuer", 2),
            ("", "abc", 3),
        ] {
            assert_eq!(distance(one, other), far, "{one} {other}");
            assert_eq!(distance(other, one), far, "{other} {one}");
        }
    }

    #[test]
    fn a_word_unlike_all_others_resembles_none() {
        assert_eq!(nearest("scope", ["issuer", "scopes"]), Some("scopes".to_owned()));
        assert_eq!(nearest("colour", ["issuer", "scopes"]), None);
    }

    #[test]
    fn a_problem_reads_as_file_line_key_and_expectation() {
        let problem = Problem {
            path: PathBuf::from("/home/jane/config.toml"),
            line: 12,
            key: "provider.egi.scope".to_owned(),
            fault: Fault::UnknownKey { near: Some("scopes".to_owned()) },
        };
        assert_eq!(
            problem.to_string(),
            "/home/jane/config.toml:12: provider.egi.scope: is not known here; did you mean scopes?"
        );
    }

    #[test]
    fn a_key_with_an_escape_sequence_is_shown_harmlessly() {
        let fault = Fault::UnknownKey { near: None };
        let problem = Problem { path: PathBuf::from("c"), line: 1, key: "a\u{1b}[2J".to_owned(), fault };
        assert!(!problem.to_string().contains('\u{1b}'));
    }
}
