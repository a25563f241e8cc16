//! One credential's journal: its last state, and what stands behind it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Map, Value};

use super::Error;
use super::codec::{self, Intent, Open, Row, VERSION};
use super::record::{self, Piece};
use super::seal::Key;
use crate::domain::credential::{Credential, CredentialId, Health, why};

/// What a damaged newest record leaves a credential in.
pub(crate) const NEWEST_DAMAGED: &str = "its newest record is damaged";

/// Above this length a file is written anew with its last state only, in bytes.
pub(crate) const LONGEST: u64 = 128 << 10;

/// What a file says.
#[derive(Debug)]
pub(crate) struct Found {
    /// The last state that reads whole.
    pub(crate) state: State,
    /// Why it may not be the last word.
    pub(crate) doubt: Option<Doubt>,
    /// The highest number in use.
    pub(crate) number: u64,
    /// Where the next record goes.
    pub(crate) end: u64,
    /// Something at its end does not read: the next writer sets that aside.
    pub(crate) mend: bool,
}

/// One state as it stands in a file.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) open: Open,
    pub(crate) row: Row,
    /// The first part, byte for byte: the sealed one is bound to it.
    bytes: Vec<u8>,
    sealed: Vec<u8>,
}

/// What stands behind the last state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// A request was about to be sent.
    Intent,
    /// Something that does not read.
    Damaged,
}

impl Doubt {
    /// What that makes of a credential's health where nobody is at work with it.
    pub(crate) fn over(self, health: Health) -> Health {
        match (health, self) {
            // Worse than doubt.
            (health @ (Health::Dead(_) | Health::NeedsLogin(_)), _) => health,
            (Health::Ok | Health::InDoubt(_), Self::Intent) => Health::InDoubt(why::UNANSWERED.to_owned()),
            (Health::Ok | Health::InDoubt(_), Self::Damaged) => Health::InDoubt(NEWEST_DAMAGED.to_owned()),
        }
    }
}

/// Reads the file of this name.
///
/// # Errors
/// [`Error::Damaged`] where no state can be read, [`Error::ReadOnly`] where the newest record is of a newer version.
pub(crate) fn read(bytes: &[u8], name: &str) -> Result<Found, Error> {
    let torn = bytes.last().is_some_and(|byte| *byte != b'\n');
    let (mut doubt, mut mend, mut end) = (None, torn, bytes.len());
    // Records that do not read had numbers too.
    let (mut number, mut lost) = (0_u64, 0_u64);
    for piece in record::backwards(bytes) {
        match piece {
            Piece::Torn(tail) => {
                end -= tail.len();
                // An intent that was not finished was never followed by a request.
                if has(tail, b",\"state\":") {
                    doubt = Some(Doubt::Damaged);
                }
            }
            Piece::Damaged(bytes) => {
                mend = true;
                lost += 1;
                if !bytes.is_empty() {
                    doubt = Some(Doubt::Damaged);
                }
            }
            Piece::Whole(line) => {
                let Ok(open) = serde_json::from_slice::<Open>(line.open) else { return Err(newer()) };
                if open.v > VERSION {
                    return Err(newer());
                }
                number = number.max(open.n.saturating_add(lost));
                if open.intent.is_some() {
                    doubt = doubt.or(Some(Doubt::Intent));
                    continue;
                }
                let Some(row) = open.state.clone() else { return Err(newer()) };
                if row.name != name && row.was.as_deref() != Some(name) {
                    return Err(Error::Damaged("it stands under a name that is not its own".to_owned()));
                }
                if !is_id(&open.id) {
                    return Err(Error::Damaged("its id is none".to_owned()));
                }
                let sealed = STANDARD_NO_PAD.decode(line.rest).map_err(|_| newer())?;
                let row = Row { name: name.to_owned(), was: None, ..row };
                let state = State { open, row, bytes: line.open.to_vec(), sealed };
                return Ok(Found { state, doubt, number, end: end as u64, mend });
            }
        }
    }
    Err(Error::Damaged("no record in it reads".to_owned()))
}

fn newer() -> Error {
    Error::ReadOnly("a newer version of toktui wrote it".to_owned())
}

/// Whether a text can be an id: it becomes the name of a lock file.
pub(crate) fn is_id(text: &str) -> bool {
    (1..=72).contains(&text.len())
        && !text.starts_with('.')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

fn has(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

impl State {
    /// Whose it is.
    pub(crate) fn id(&self) -> CredentialId {
        CredentialId(self.open.id.clone())
    }

    /// The credential, and what a newer version left with it.
    ///
    /// # Errors
    /// [`Error::Damaged`] where it does not open under this key, [`Error::ReadOnly`] where a newer version sealed it.
    pub(crate) fn opened(&self, own: &Key) -> Result<(Credential, Map<String, Value>), Error> {
        let plain = own
            .open(&self.bytes, &self.sealed)
            .ok_or_else(|| Error::Damaged("its seal does not open".to_owned()))?;
        codec::opened(&self.row, &self.id(), &plain).ok_or_else(newer)
    }

    /// The credential's own key.
    pub(crate) fn key(&self, wrapping: &Key) -> Result<Key, Error> {
        let wrapped = STANDARD_NO_PAD.decode(&self.open.key).unwrap_or_default();
        wrapping
            .open(&about(&self.open.id), &wrapped)
            .and_then(|bytes| Key::from_bytes(&bytes))
            .ok_or_else(|| Error::Damaged("its key does not open".to_owned()))
    }
}

/// A credential's own key, wrapped.
pub(crate) fn wrapped(own: &Key, id: &CredentialId, wrapping: &Key) -> Result<String, Error> {
    Ok(STANDARD_NO_PAD.encode(wrapping.seal(&about(&id.0), own.expose())?))
}

fn about(id: &str) -> Vec<u8> {
    format!("toktui credential key 1\n{id}").into_bytes()
}

/// The bytes of a state.
pub(crate) fn state_line(
    open: &Open,
    own: &Key,
    credential: &Credential,
    more: Map<String, Value>,
) -> Result<Vec<u8>, Error> {
    let plain = codec::sealed(credential, more)
        .ok_or_else(|| Error::Disk("it cannot be written as JSON".to_owned()))?;
    sealed_line(open, own, &plain)
}

/// The bytes of an intent. It seals nothing; the seal vouches for it.
pub(crate) fn intent_line(open: &Open, own: &Key, intent: Intent) -> Result<Vec<u8>, Error> {
    let open =
        Open { state: None, intent: Some(intent), key: String::new(), under: String::new(), ..open.clone() };
    sealed_line(&open, own, b"")
}

fn sealed_line(open: &Open, own: &Key, plain: &[u8]) -> Result<Vec<u8>, Error> {
    let bytes = serde_json::to_vec(open).map_err(|error| Error::Disk(error.to_string()))?;
    let sealed = own.seal(&bytes, plain)?;
    Ok(record::line(&bytes, &STANDARD_NO_PAD.encode(sealed)))
}
