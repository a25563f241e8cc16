//! A copy of what is held that can be carried away: sealed under a passphrase of its own, or in plain text for whoever insists.
//!
//! ```text
//! {"v":1,"what":…,"at":…,"count":2,"prints":…,"memory":65536,"passes":3,"lanes":1,"salt":…} TAB base64(sealed nothing) TAB checksum LF
//! record LF
//! record LF
//! {"v":1,"end":2} TAB base64(sealed nothing) TAB checksum LF
//! ```
//!
//! Records are those of the store itself ([`super`]), one state a credential, but for one thing: a credential's own key is wrapped by the key that
//! argon2id (version 0x13) makes of the passphrase. The first line is bound to itself, so that a wrong passphrase can be told from damage; the last
//! one to all bytes before it, so that nothing can be left out or moved unseen. A damaged record costs itself only.
//!
//! `prints` tells whether fingerprints of superseded values are those of the store that reads it: to another one they mean nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::codec::{self, Row, VERSION};
use super::keys::passphrase::{Cost, SALT, derive};
use super::seal::Key;
use super::shared::open_part;
use super::slot::current;
use super::{Error, Store, file, fresh_id, random, record};
use crate::domain::credential::{Credential, CredentialId, Custody, FingerprintKey, Grant, Health, why};
use crate::domain::mytoken::Rotation;
use crate::domain::secret::Secret;

/// Under which key a credential's own key is wrapped in an export.
const UNDER: &str = "export";
/// No export is longer, in bytes: a thousand credentials are a tenth of it.
const LONGEST: usize = 64 << 20;
const WHAT: &str = "sealed export of toktui";

/// Credentials by name, each with why it was refused.
pub type Refused = Vec<(String, Error)>;

/// What was carried away.
#[derive(Debug, Default)]
pub struct Exported {
    /// What goes into the file.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Who is in it.
    pub names: Vec<String>,
    /// Who is not, and why.
    pub left_out: Refused,
}

/// What came back out of an export.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// What was taken in: its name in the export, and its name here.
    pub taken: Vec<(String, String)>,
    /// What was not, because it is held here already, or a newer copy of it is: its name in the export, and the holder's.
    pub held: Vec<(String, String)>,
    /// What could not be taken in, and why.
    pub failed: Refused,
    /// How many records do not read or are missing.
    pub lost: usize,
    /// Nothing was changed or left out since it was written.
    pub whole: bool,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    v: u32,
    what: String,
    at: Timestamp,
    count: usize,
    prints: String,
    memory: u32,
    passes: u32,
    lanes: u32,
    salt: String,
}

#[derive(Serialize)]
struct End {
    v: u32,
    end: usize,
}

/// What an export says.
#[derive(Debug)]
struct Read {
    credentials: Vec<Credential>,
    prints: String,
    lost: usize,
    whole: bool,
}

impl Store {
    /// These credentials, sealed under a passphrase. What cannot be read is left out and named.
    ///
    /// # Errors
    /// [`Error::EmptyPassphrase`], [`Error::Locked`], [`Error::NoRandomness`].
    pub async fn export(
        &self,
        ids: &[CredentialId],
        passphrase: Secret,
        now: Timestamp,
    ) -> Result<Exported, Error> {
        self.export_at(Cost::USUAL, ids, passphrase, now).await
    }

    async fn export_at(
        &self,
        cost: Cost,
        ids: &[CredentialId],
        passphrase: Secret,
        now: Timestamp,
    ) -> Result<Exported, Error> {
        let (credentials, left_out) = self.to_export(ids)?;
        let names = credentials.iter().map(|credential| credential.name.clone()).collect();
        let prints = tag(&self.fingerprint_key());
        let bytes = aside(move || sealed(&credentials, &passphrase, cost, now, prints)).await?;
        Ok(Exported { bytes: Zeroizing::new(bytes), names, left_out })
    }

    /// The same in plain text, as JSON: whoever reads it has the tokens. Only for a user who has typed that this is wanted.
    ///
    /// # Errors
    /// [`Error::Locked`].
    pub fn export_in_plain_text(&self, ids: &[CredentialId], now: Timestamp) -> Result<Exported, Error> {
        let (credentials, left_out) = self.to_export(ids)?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(64 << 10));
        let unwritten = || Error::Disk("it cannot be written as JSON".to_owned());
        let head = serde_json::json!({ "v": VERSION, "what": "export of toktui IN PLAIN TEXT", "at": now });
        bytes.extend_from_slice(head.to_string().as_bytes());
        bytes.push(b'\n');
        for credential in &credentials {
            let open = serde_json::to_vec(&Row::of(credential, Map::new())).map_err(|_| unwritten())?;
            let secret = codec::sealed(credential, Map::new()).ok_or_else(unwritten)?;
            for part in [b"{\"state\":".as_slice(), &open, b",\"secret\":", &secret, b"}\n"] {
                bytes.extend_from_slice(part);
            }
        }
        let names = credentials.into_iter().map(|credential| credential.name).collect();
        Ok(Exported { bytes, names, left_out })
    }

    /// Takes in what an export holds, under free names. Nothing that is held here is changed: what is held already, as it is or in a
    /// newer copy, is left out and named. What rotates comes back *in doubt*, because it may have been renewed since.
    ///
    /// # Errors
    /// [`Error::DoesNotOpen`] for a wrong passphrase, [`Error::Damaged`] where it is no export, [`Error::ReadOnly`] where a newer version of toktui
    /// wrote it, [`Error::Locked`].
    pub async fn import(&self, bytes: Vec<u8>, passphrase: Secret) -> Result<Imported, Error> {
        let read = aside(move || read(&bytes, &passphrase)).await?;
        let mut imported = Imported { lost: read.lost, whole: read.whole, ..Imported::default() };
        let same_prints = read.prints == tag(&self.fingerprint_key());
        for mut credential in read.credentials {
            if !same_prints {
                forget_prints(&mut credential);
            }
            let was = credential.name.clone();
            if let Some(holder) = self.holder(&credential) {
                imported.held.push((was, holder));
                continue;
            }
            credential.name = self.free_name(&was);
            credential.custody = Custody::MemoryOnly;
            if credential.health == Health::Ok && rotates(&credential) {
                credential.health = Health::InDoubt(why::RESTORED.to_owned());
            }
            if self.held().iter().any(|held| held.id == credential.id) {
                credential.id = fresh_id()?;
            }
            let name = credential.name.clone();
            match self.add(credential).await {
                Ok(()) => imported.taken.push((was, name)),
                Err(Error::Locked) => return Err(Error::Locked),
                Err(error) => imported.failed.push((was, error)),
            }
        }
        Ok(imported)
    }

    fn to_export(&self, ids: &[CredentialId]) -> Result<(Vec<Credential>, Refused), Error> {
        let held = self.held();
        let (mut credentials, mut left_out) = (Vec::new(), Vec::new());
        for id in ids {
            match self.get(id) {
                Ok(credential) => credentials.push(credential),
                Err(Error::Locked) => return Err(Error::Locked),
                Err(error) => {
                    let name = held.iter().find(|held| held.id == *id).map(|held| held.name.clone());
                    left_out.push((name.unwrap_or_else(|| id.0.clone()), error));
                }
            }
        }
        Ok((credentials, left_out))
    }

    /// The name of whoever holds this here, or a newer copy of it.
    fn holder(&self, credential: &Credential) -> Option<String> {
        let family = match &credential.grant {
            Grant::Mytoken(grant) => {
                grant.facts.mom_id.as_ref().map(|family| (family.raw(), grant.current.number))
            }
            Grant::Refresh(_) | Grant::Bare => None,
        };
        let values: Vec<&Secret> = match current(credential) {
            Some(value) => vec![value],
            None => credential.access.iter().map(|(_, access)| &access.value).collect(),
        };
        values.into_iter().find_map(|value| {
            let id = self.holder_of(value);
            let name =
                id.and_then(|id| self.held().iter().find(|held| held.id == id).map(|held| held.name.clone()));
            name.or_else(|| self.newer_than(value, family).map(|newer| newer.name))
        })
    }
}

fn sealed(
    credentials: &[Credential],
    passphrase: &Secret,
    cost: Cost,
    at: Timestamp,
    prints: String,
) -> Result<Vec<u8>, Error> {
    if passphrase.is_empty() {
        return Err(Error::EmptyPassphrase);
    }
    let mut salt = [0; SALT];
    random(&mut salt)?;
    let key = derive(passphrase, &salt, cost)?;
    let Cost { memory, passes, lanes } = cost;
    let salt = STANDARD_NO_PAD.encode(salt);
    let (what, count) = (WHAT.to_owned(), credentials.len());
    let head = Head { v: VERSION, what, at, count, prints, memory, passes, lanes, salt };
    let mut bytes = vouched(&key, &head, b"")?;
    for (credential, number) in credentials.iter().zip(1..) {
        let own = Key::random()?;
        let wrapped = file::wrapped(&own, &credential.id, &key)?;
        let mut open = open_part(&credential.id, number, UNDER, &wrapped);
        open.state = Some(Row::of(credential, Map::new()));
        bytes.extend_from_slice(&file::state_line(&open, &own, credential, Map::new())?);
    }
    let end = vouched(&key, &End { v: VERSION, end: count }, &bytes)?;
    bytes.extend_from_slice(&end);
    Ok(bytes)
}

/// A line that seals nothing and vouches for itself and what stands before it.
fn vouched(key: &Key, open: &impl Serialize, before: &[u8]) -> Result<Vec<u8>, Error> {
    let open = serde_json::to_vec(open).map_err(|error| Error::Disk(error.to_string()))?;
    let seal = key.seal(&[before, &open].concat(), b"")?;
    Ok(record::line(&open, &STANDARD_NO_PAD.encode(seal)))
}

fn vouches(key: &Key, line: record::Line<'_>, before: &[u8]) -> bool {
    STANDARD_NO_PAD
        .decode(line.rest)
        .is_ok_and(|seal| key.open(&[before, line.open].concat(), &seal).is_some())
}

fn read(bytes: &[u8], passphrase: &Secret) -> Result<Read, Error> {
    let no_export = || Error::Damaged("this is no export of toktui, or its first line is damaged".to_owned());
    if bytes.len() > LONGEST {
        return Err(no_export());
    }
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let first = lines.next().and_then(|line| record::read(line.trim_ascii_end())).ok_or_else(no_export)?;
    let version = serde_json::from_slice::<Value>(first.open).ok().and_then(|open| open.get("v")?.as_u64());
    if version.is_some_and(|version| version > u64::from(VERSION)) {
        return Err(Error::ReadOnly("a newer version of toktui wrote this export".to_owned()));
    }
    let head: Head = serde_json::from_slice(first.open).map_err(|_| no_export())?;
    let cost = Cost { memory: head.memory, passes: head.passes, lanes: head.lanes };
    let key = derive(passphrase, &STANDARD_NO_PAD.decode(&head.salt).unwrap_or_default(), cost)?;
    if !vouches(&key, first, b"") {
        return Err(Error::DoesNotOpen);
    }
    let (mut credentials, mut whole) = (Vec::new(), false);
    let mut before = bytes.len() - lines.clone().map(<[u8]>::len).sum::<usize>();
    for line in lines {
        let record = record::read(line.trim_ascii_end());
        if record.is_some_and(|record| record.open.starts_with(b"{\"v\":1,\"end\":")) {
            whole =
                record.is_some_and(|record| vouches(&key, record, bytes.get(..before).unwrap_or_default()));
        } else {
            // Whatever comes after the end was added by somebody else.
            whole = false;
            credentials.extend(credential(line, &key));
        }
        before += line.len();
    }
    let lost = head.count.saturating_sub(credentials.len());
    Ok(Read { credentials, prints: head.prints, lost, whole: whole && lost == 0 })
}

fn credential(line: &[u8], key: &Key) -> Option<Credential> {
    let open: codec::Open = serde_json::from_slice(record::read(line.trim_ascii_end())?.open).ok()?;
    let found = file::read(line, &open.state?.name).ok()?;
    let own = found.state.key(key).ok()?;
    found.state.opened(&own).ok().map(|(credential, _)| credential)
}

/// By what a store knows its own fingerprints again.
fn tag(prints: &FingerprintKey) -> String {
    STANDARD_NO_PAD.encode(prints.of(&Secret::new("toktui export 1")).as_bytes())
}

fn forget_prints(credential: &mut Credential) {
    match &mut credential.grant {
        Grant::Refresh(grant) => grant.current.superseded.clear(),
        Grant::Mytoken(grant) => grant.current.superseded.clear(),
        Grant::Bare => {}
    }
}

fn rotates(credential: &Credential) -> bool {
    match &credential.grant {
        Grant::Refresh(grant) => grant.rotates,
        Grant::Mytoken(grant) => grant.facts.rotation.is_some_and(Rotation::rotates),
        Grant::Bare => false,
    }
}

/// Work that takes memory and time, away from where others wait.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(Error::Disk("the task broke off; this is a bug in toktui".to_owned())))
}

#[cfg(test)]
mod tests;
