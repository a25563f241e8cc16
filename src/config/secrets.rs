//! Client secrets, which the config file names a place for and never holds.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::problem::{Fault, Problem};
use crate::domain::secret::Secret;
use crate::domain::source::SourceId;

/// A client secret is shorter than this; a longer file is the wrong one.
const LONGEST: u64 = 4096;

/// Where the secret of a source's client is to be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SecretPlace {
    pub(super) source: SourceId,
    /// The key that says so, and its line, for complaints.
    pub(super) key: String,
    pub(super) line: usize,
    pub(super) place: Place,
}

/// The two places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Variable(String),
    File(PathBuf),
}

impl SecretPlace {
    /// The secret, unless it is not to be had; and what is to be said about its place in either case.
    pub(super) fn read(
        &self,
        config: &Path,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> (Option<Secret>, Option<Problem>) {
        let (secret, fault) = match &self.place {
            Place::Variable(name) => match variable(name).filter(|value| !value.is_empty()) {
                Some(value) => (Some(Secret::new(value)), None),
                None => (None, Some(Fault::NoVariable)),
            },
            Place::File(path) => match read_file(path) {
                Ok((secret, open)) => (Some(secret), open.then_some(Fault::OpenSecretFile)),
                Err(why) => (None, Some(Fault::NoSecretFile(why))),
            },
        };
        let problem = fault.map(|fault| Problem {
            path: config.to_owned(),
            line: self.line,
            key: self.key.clone(),
            fault,
        });
        (secret, problem)
    }
}

/// The text of a file without the white space around it, and whether others may read it too.
fn read_file(path: &Path) -> Result<(Secret, bool), String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let about = file.metadata().map_err(|error| error.to_string())?;
    if !about.is_file() {
        return Err("it is no plain file".to_owned());
    }
    let mut text = zeroize::Zeroizing::new(String::new());
    file.take(LONGEST + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if text.len() as u64 > LONGEST {
        return Err("it is too long for a secret".to_owned());
    }
    if text.trim().is_empty() {
        return Err("it is empty".to_owned());
    }
    Ok((Secret::new(text.trim()), is_open_to_others(&about)))
}

#[cfg(unix)]
fn is_open_to_others(about: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    about.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_: &std::fs::Metadata) -> bool {
    false
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn place(place: Place) -> SecretPlace {
        SecretPlace { source: "desy".into(), key: "provider.desy.x".to_owned(), line: 3, place }
    }

    fn from_file(text: &[u8], mode: u32) -> (Option<Secret>, Option<Fault>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let (secret, problem) = place(Place::File(path)).read(Path::new("c"), &|_| None);
        (secret, problem.map(|problem| problem.fault))
    }

    #[test]
    fn a_secret_file_gives_its_text_without_the_line_end() {
        assert_eq!(from_file(b"tok-client\n", 0o600), (Some(Secret::new("tok-client")), None));
    }

    #[test]
    fn a_secret_file_open_to_others_is_used_and_complained_of() {
        let (secret, fault) = from_file(b"tok-client", 0o644);
        assert_eq!((secret, fault), (Some(Secret::new("tok-client")), Some(Fault::OpenSecretFile)));
    }

    #[test]
    fn a_file_that_holds_no_secret_gives_none() {
        for (text, why) in [(&b" \n"[..], "empty"), (&[b'x'; 5000][..], "too long"), (&[0xff][..], "UTF-8")] {
            let (secret, fault) = from_file(text, 0o600);
            assert_eq!(secret, None);
            assert!(matches!(fault, Some(Fault::NoSecretFile(said)) if said.contains(why)), "{why}");
        }
        let (secret, problem) = place(Place::File("/".into())).read(Path::new("c"), &|_| None);
        assert!(secret.is_none() && problem.is_some());
    }

    #[test]
    fn a_variable_gives_the_secret_or_a_complaint_with_its_line() {
        let here = place(Place::Variable("DESY".to_owned()));
        let set = |name: &str| (name == "DESY").then(|| "tok-client".to_owned());
        assert_eq!(here.read(Path::new("c"), &set), (Some(Secret::new("tok-client")), None));
        let problem = Problem {
            path: PathBuf::from("c"),
            line: 3,
            key: "provider.desy.x".to_owned(),
            fault: Fault::NoVariable,
        };
        assert_eq!(here.read(Path::new("c"), &|_| Some(String::new())), (None, Some(problem)));
    }
}
