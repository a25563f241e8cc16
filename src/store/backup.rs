//! A backup: some credentials in one file, sealed under a passphrase of its own, or plain where the user has typed the word for it.
//!
//! ```text
//! {"what":"…","v":1,"keys":{…},"sealed":BASE64}     or     {"what":"…","v":1,"plain":[…]}
//! ```
//!
//! `keys` is what a store's file of that name holds, with the passphrase as its one guard; under its data key a list is sealed ([`seal`](super::seal)), bound to
//! the text `toktui backup 1`. Each entry has a credential's `id`, its `state` as it stands in the open in a record, and its `secret`, the sealed part of
//! one as text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::{Zeroize as _, Zeroizing};

use super::Error;
use super::codec::{self, Row};
use super::keys::{Keys, Nowhere};
use super::seal::Key;
use crate::domain::credential::{Credential, CredentialId};
use crate::domain::secret::Secret;
use crate::domain::vault::Opening;

const VERSION: u32 = 1;
const ABOUT: &[u8] = b"toktui backup 1";
const SEALED: &str = "A toktui backup, sealed. `toktui restore` reads it with its passphrase.";
const PLAIN: &str = "A toktui backup, NOT sealed: whoever reads it has these tokens.";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    what: String,
    v: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keys: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plain: Option<Vec<One>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct One {
    id: String,
    state: Row,
    secret: String,
}

impl Drop for One {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

/// Packs these credentials; without a passphrase in the open.
///
/// # Errors
/// [`Error::EmptyPassphrase`], [`Error::NoRandomness`].
pub fn pack(credentials: &[Credential], passphrase: Option<&Secret>) -> Result<Zeroizing<Vec<u8>>, Error> {
    let all = credentials.iter().map(one).collect::<Option<Vec<_>>>();
    let all = all.ok_or_else(|| Error::Damaged("a credential could not be written down".to_owned()))?;
    let written = match passphrase {
        None => Written { what: PLAIN.to_owned(), v: VERSION, keys: None, sealed: None, plain: Some(all) },
        Some(passphrase) => {
            let data = Key::random()?;
            let opening = Opening::Passphrase(passphrase.clone());
            let keys = Keys::make("backup", &opening, &data, &Nowhere, std::path::Path::new(""))?;
            let plain = Zeroizing::new(serde_json::to_vec(&all).map_err(unwritten)?);
            Written {
                what: SEALED.to_owned(),
                v: VERSION,
                keys: Some(serde_json::from_slice(&keys.to_bytes()).map_err(unwritten)?),
                sealed: Some(STANDARD.encode(data.seal(ABOUT, &plain)?)),
                plain: None,
            }
        }
    };
    let mut bytes = Zeroizing::new(serde_json::to_vec_pretty(&written).map_err(unwritten)?);
    bytes.push(b'\n');
    Ok(bytes)
}

/// Whether a backup needs a passphrase.
///
/// # Errors
/// [`Error::Damaged`]: it is none; [`Error::ReadOnly`]: a newer version wrote it.
pub fn is_sealed(bytes: &[u8]) -> Result<bool, Error> {
    read(bytes).map(|written| written.plain.is_none())
}

/// What a backup holds.
///
/// # Errors
/// As for [`is_sealed`]; [`Error::DoesNotOpen`] for a wrong passphrase or a changed file.
pub fn unpack(bytes: &[u8], passphrase: Option<&Secret>) -> Result<Vec<Credential>, Error> {
    let Written { keys, sealed, plain, .. } = read(bytes)?;
    let all = match (plain, keys, sealed) {
        (Some(all), _, _) => all,
        (None, Some(keys), Some(sealed)) => {
            let keys = Keys::read(keys.to_string().as_bytes())?;
            let passphrase = passphrase.ok_or(Error::DoesNotOpen)?;
            let data = keys.open(&Opening::Passphrase(passphrase.clone()), &Nowhere)?;
            let sealed = STANDARD.decode(sealed).map_err(|_| Error::DoesNotOpen)?;
            let plain = data.open(ABOUT, &sealed).ok_or(Error::DoesNotOpen)?;
            serde_json::from_slice(&plain).map_err(|_| no_backup())?
        }
        (None, _, _) => return Err(no_backup()),
    };
    all.iter().map(|one| credential(one).ok_or_else(no_backup)).collect()
}

fn read(bytes: &[u8]) -> Result<Written, Error> {
    #[derive(Deserialize)]
    struct Version {
        v: u32,
    }
    let Version { v } = serde_json::from_slice(bytes).map_err(|_| no_backup())?;
    if v > VERSION {
        return Err(Error::ReadOnly("a newer version of toktui wrote this backup".to_owned()));
    }
    serde_json::from_slice(bytes).map_err(|_| no_backup())
}

fn one(credential: &Credential) -> Option<One> {
    let secret = codec::sealed(credential, Map::new())?;
    let secret = std::str::from_utf8(&secret).ok()?.to_owned();
    Some(One { id: credential.id.0.clone(), state: Row::of(credential, Map::new()), secret })
}

fn credential(one: &One) -> Option<Credential> {
    let id = CredentialId(one.id.clone());
    codec::opened(&one.state, &id, one.secret.as_bytes()).map(|(credential, _)| credential)
}

fn no_backup() -> Error {
    Error::Damaged("it is no backup of toktui, or it was cut or changed".to_owned())
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn unwritten(error: serde_json::Error) -> Error {
    Error::Damaged(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::credential::{AccessToken, Ask, Copy, Custody, Grant, Health, RefreshGrant};
    use crate::domain::source::Client;
    use crate::domain::time::from_epoch;

    fn login() -> Credential {
        Credential {
            id: CredentialId("c".to_owned()),
            name: "egi".to_owned(),
            source: "egi".into(),
            identity: None,
            grant: Grant::Refresh(RefreshGrant {
                issuer: "https://op.example.org".to_owned(),
                client: Client::public("toktui"),
                scopes: vec!["openid".to_owned()],
                current: Copy::first(Secret::new("refresh-secret"), 3),
                ends: crate::domain::credential::ChainEnd::Open,
                rotates: true,
                endpoint: None,
                got: None,
            }),
            custody: Custody::Sealed,
            health: Health::Ok,
            ask: Ask::default(),
            access: vec![(
                Ask::default(),
                AccessToken {
                    value: Secret::new("access-secret"),
                    obtained: from_epoch(1),
                    expires: Some(from_epoch(2)),
                    granted: None,
                    id_token: None,
                    ends_up: None,
                    skew: None,
                },
            )],
            since: from_epoch(0),
            pause: None,
        }
    }

    #[test]
    fn what_is_packed_comes_back_and_a_sealed_backup_tells_nothing_without_its_passphrase() {
        let passphrase = Secret::new("correct horse");
        let sealed = pack(&[login()], Some(&passphrase)).expect("packed");
        assert_eq!(is_sealed(&sealed), Ok(true));
        assert_eq!(unpack(&sealed, Some(&passphrase)), Ok(vec![login()]));
        assert_eq!(unpack(&sealed, Some(&Secret::new("wrong"))), Err(Error::DoesNotOpen));
        assert_eq!(unpack(&sealed, None), Err(Error::DoesNotOpen));
        let text = String::from_utf8(sealed.to_vec()).expect("text");
        assert!(
            !text.contains("refresh-secret") && !text.contains("op.example.org") && !text.contains("egi")
        );
        let changed = text.replace("\"sealed\": \"", "\"sealed\": \"AAAA");
        assert_eq!(unpack(changed.as_bytes(), Some(&passphrase)), Err(Error::DoesNotOpen));
    }

    #[test]
    fn a_plain_backup_says_so_and_needs_no_passphrase() {
        let plain = pack(&[login()], None).expect("packed");
        assert_eq!(is_sealed(&plain), Ok(false));
        assert_eq!(unpack(&plain, None), Ok(vec![login()]));
        assert!(String::from_utf8_lossy(&plain).contains("NOT sealed"));
    }

    #[test]
    fn anything_else_is_no_backup_and_a_newer_one_is_left_alone() {
        for text in ["", "{}", "[]", "{\"v\":1}", "{\"what\":\"\",\"v\":1}", "\u{0}"] {
            assert!(unpack(text.as_bytes(), None).is_err(), "{text}");
        }
        assert!(matches!(is_sealed(b"{\"v\":2,\"new\":true}"), Err(Error::ReadOnly(_))));
        let plain = pack(&[login()], None).expect("packed");
        for length in 0..plain.len() - 2 {
            assert!(unpack(&plain[..length], None).is_err(), "{length} bytes");
        }
    }
}
