//! What is secret or personal of a credential, as JSON that only ever stands in memory that is wiped.

use std::collections::BTreeSet;
use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::open::{Ends, Giver, Row};
use crate::domain::credential::{
    AccessToken, Ask, Copy, Credential, CredentialId, Custody, Fingerprint, Got, Grant, Identity,
    MytokenGrant, RefreshGrant,
};
use crate::domain::mytoken::{Capability, Clause, Facts, Rotation};
use crate::domain::secret::Secret;
use crate::domain::source::{Client, ClientAuth, SourceId};
use crate::domain::time::Uptime;
use crate::domain::untrusted::Untrusted;

/// So many replaced values are remembered: a record must not grow with every renewal for years.
const MOST_PRINTS: usize = 200;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity: Option<Who>,
    grant: Gives,
    #[serde(default, skip_serializing_if = "Asked::is_empty")]
    ask: Asked,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    access: Vec<Drawn>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    more: Map<String, Value>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Who {
    issuer: Text,
    subject: Text,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label: Option<Text>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Gives {
    Login {
        client: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_secret: Option<Hidden>,
        auth: Auth,
        scopes: Vec<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        endpoint: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        got: Option<Way>,
        current: Current,
    },
    Mytoken {
        current: Current,
        facts: Box<Says>,
    },
    Bare,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Current {
    value: Hidden,
    number: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    replaced: Vec<Print>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Auth {
    None,
    Basic,
    Post,
}

/// On which way a login came.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Way {
    Device,
    Browser,
    Pasted,
    Portal,
    Kept,
}

impl From<Got> for Way {
    fn from(got: Got) -> Self {
        match got {
            Got::Device => Self::Device,
            Got::Browser => Self::Browser,
            Got::Pasted => Self::Pasted,
            Got::Portal => Self::Portal,
            Got::Kept => Self::Kept,
        }
    }
}

impl From<Way> for Got {
    fn from(way: Way) -> Self {
        match way {
            Way::Device => Self::Device,
            Way::Browser => Self::Browser,
            Way::Pasted => Self::Pasted,
            Way::Portal => Self::Portal,
            Way::Kept => Self::Kept,
        }
    }
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    scopes: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    audiences: BTreeSet<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Drawn {
    #[serde(default, skip_serializing_if = "Asked::is_empty")]
    ask: Asked,
    value: Hidden,
    obtained: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    granted: Option<Vec<Text>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id_token: Option<Hidden>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ends_up: Option<Up>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    skew: Option<SignedDuration>,
}

/// A moment on the clock of one start of one machine.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Up {
    /// Hexadecimal.
    start: String,
    since: SignedDuration,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Says {
    server: Text,
    provider: Text,
    subject: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mom_id: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    copy: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logged_in: Option<Timestamp>,
    capabilities: Vec<Text>,
    restrictions: Vec<Only>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation: Option<Rotates>,
}

/// One clause of a mytoken's restrictions.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Only {
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<Text>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audiences: Option<Vec<Text>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hosts: Option<Vec<Text>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    countries_allowed: Option<Vec<Text>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    countries_refused: Option<Vec<Text>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uses_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uses_other: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    used_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    used_other: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unknown: Vec<Text>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotates {
    on_at: bool,
    on_other: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lifetime: Option<u64>,
    auto_revoke: bool,
}

/// A secret on its way into the sealed part or out of it: the only one that can be written down.
pub(crate) struct Hidden(pub(crate) Secret);

impl Serialize for Hidden {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Secret::new(text)))
    }
}

/// A text from outside on the same way.
#[derive(Default)]
struct Text(Untrusted);

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.raw())
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Untrusted::deserialize(deserializer).map(Self)
    }
}

/// A fingerprint on the same way: base64.
struct Print(Fingerprint);

impl Serialize for Print {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD_NO_PAD.encode(self.0.as_bytes()))
    }
}

impl<'de> Deserialize<'de> for Print {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        match STANDARD_NO_PAD.decode_slice(text.as_bytes(), &mut bytes) {
            Ok(32) => Ok(Self(Fingerprint::from_bytes(bytes))),
            Ok(_) | Err(_) => Err(serde::de::Error::custom("a fingerprint has 32 bytes")),
        }
    }
}

/// The sealed part of a credential. `more` is what a newer version left there.
pub(crate) fn sealed(credential: &Credential, more: Map<String, Value>) -> Option<Zeroizing<Vec<u8>>> {
    wiped(&Part::of(credential, more)).ok()
}

/// Something secret as JSON, in memory that is wiped.
pub(crate) fn wiped<T: Serialize>(part: &T) -> serde_json::Result<Zeroizing<Vec<u8>>> {
    let mut length = Count(0);
    serde_json::to_writer(&mut length, part)?;
    // At its full length from the start: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(length.0));
    serde_json::to_writer(&mut *bytes, part)?;
    Ok(bytes)
}

/// A credential from both its parts, and what a newer version left in the sealed one; `None`: written by a newer version.
pub(crate) fn opened(row: &Row, id: &CredentialId, plain: &[u8]) -> Option<(Credential, Map<String, Value>)> {
    let part: Part = serde_json::from_slice(plain).ok()?;
    let grant = match (part.grant, &row.giver) {
        (
            Gives::Login { client, client_secret, auth, scopes, endpoint, got, current },
            Giver::Login { issuer, ends, rotates, .. },
        ) => Grant::Refresh(RefreshGrant {
            issuer: issuer.clone(),
            client: Client { id: client, secret: client_secret.map(|secret| secret.0), auth: auth.into() },
            scopes,
            current: current.into(),
            ends: Ends::into(*ends),
            rotates: *rotates,
            endpoint,
            got: got.map(Into::into),
        }),
        (Gives::Mytoken { current, facts }, Giver::Mytoken { server, heard, short, .. }) => {
            Grant::Mytoken(Box::new(MytokenGrant {
                server: server.clone(),
                current: current.into(),
                facts: (*facts).into(),
                heard: *heard,
                short: *short,
            }))
        }
        (Gives::Bare, Giver::Bare) => Grant::Bare,
        (Gives::Login { .. } | Gives::Mytoken { .. } | Gives::Bare, _) => return None,
    };
    let credential = Credential {
        id: id.clone(),
        name: row.name.clone(),
        source: SourceId(row.source.clone()),
        identity: part.identity.map(Into::into),
        grant,
        custody: Custody::Sealed,
        health: row.health(),
        ask: part.ask.into(),
        access: part.access.into_iter().map(Drawn::taken).collect::<Option<_>>()?,
        since: row.since,
        pause: row.pause(),
    };
    Some((credential, part.more))
}

/// Counts what is written, and keeps nothing of it.
struct Count(usize);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Part {
    fn of(credential: &Credential, more: Map<String, Value>) -> Self {
        Self {
            identity: credential.identity.as_ref().map(|who| Who {
                issuer: Text(who.issuer.clone()),
                subject: Text(who.subject.clone()),
                label: who.label.clone().map(Text),
            }),
            grant: match &credential.grant {
                Grant::Refresh(grant) => Gives::Login {
                    client: grant.client.id.clone(),
                    client_secret: grant.client.secret.clone().map(Hidden),
                    auth: match grant.client.auth {
                        ClientAuth::None => Auth::None,
                        ClientAuth::Basic => Auth::Basic,
                        ClientAuth::Post => Auth::Post,
                    },
                    scopes: grant.scopes.clone(),
                    endpoint: grant.endpoint.clone(),
                    got: grant.got.map(Into::into),
                    current: Current::of(&grant.current),
                },
                Grant::Mytoken(grant) => Gives::Mytoken {
                    current: Current::of(&grant.current),
                    facts: Box::new(Says::of(&grant.facts)),
                },
                Grant::Bare => Gives::Bare,
            },
            ask: Asked::of(&credential.ask),
            access: credential.access.iter().map(|(ask, token)| Drawn::of(ask, token)).collect(),
            more,
        }
    }
}

impl From<Who> for Identity {
    fn from(who: Who) -> Self {
        Self { issuer: who.issuer.0, subject: who.subject.0, label: who.label.map(|label| label.0) }
    }
}

impl From<Auth> for ClientAuth {
    fn from(auth: Auth) -> Self {
        match auth {
            Auth::None => Self::None,
            Auth::Basic => Self::Basic,
            Auth::Post => Self::Post,
        }
    }
}

impl Current {
    fn of(copy: &Copy) -> Self {
        let too_many = copy.superseded.len().saturating_sub(MOST_PRINTS);
        Self {
            value: Hidden(copy.value.clone()),
            number: copy.number,
            replaced: copy.superseded.iter().skip(too_many).copied().map(Print).collect(),
        }
    }
}

impl From<Current> for Copy {
    fn from(current: Current) -> Self {
        Self {
            value: current.value.0,
            number: current.number,
            superseded: current.replaced.into_iter().map(|print| print.0).collect(),
        }
    }
}

impl Asked {
    fn of(ask: &Ask) -> Self {
        Self { scopes: ask.scopes.clone(), audiences: ask.audiences.clone() }
    }

    fn is_empty(&self) -> bool {
        self.scopes.is_empty() && self.audiences.is_empty()
    }
}

impl From<Asked> for Ask {
    fn from(asked: Asked) -> Self {
        Self { scopes: asked.scopes, audiences: asked.audiences }
    }
}

impl Drawn {
    fn of(ask: &Ask, token: &AccessToken) -> Self {
        Self {
            ask: Asked::of(ask),
            value: Hidden(token.value.clone()),
            obtained: token.obtained,
            expires: token.expires,
            granted: token.granted.as_deref().map(texts),
            id_token: token.id_token.clone().map(Hidden),
            ends_up: token.ends_up.map(|up| Up { start: format!("{:x}", up.start), since: up.since }),
            skew: token.skew,
        }
    }

    fn taken(self) -> Option<(Ask, AccessToken)> {
        let ends_up = match self.ends_up {
            Some(up) => Some(Uptime { start: u128::from_str_radix(&up.start, 16).ok()?, since: up.since }),
            None => None,
        };
        let token = AccessToken {
            value: self.value.0,
            obtained: self.obtained,
            expires: self.expires,
            granted: self.granted.map(untrusted),
            id_token: self.id_token.map(|token| token.0),
            ends_up,
            skew: self.skew,
        };
        Some((self.ask.into(), token))
    }
}

fn texts(texts: &[Untrusted]) -> Vec<Text> {
    texts.iter().cloned().map(Text).collect()
}

fn untrusted(texts: Vec<Text>) -> Vec<Untrusted> {
    texts.into_iter().map(|text| text.0).collect()
}

impl Says {
    fn of(facts: &Facts) -> Self {
        Self {
            server: Text(facts.server.clone()),
            provider: Text(facts.provider.clone()),
            subject: Text(facts.subject.clone()),
            name: facts.name.clone().map(Text),
            mom_id: facts.mom_id.clone().map(Text),
            copy: facts.copy,
            issued: facts.issued,
            not_before: facts.not_before,
            expires: facts.expires,
            logged_in: facts.logged_in,
            capabilities: facts.capabilities.iter().map(|capability| Text(capability.0.clone())).collect(),
            restrictions: facts.restrictions.iter().map(Only::of).collect(),
            rotation: facts.rotation.map(|rotation| Rotates {
                on_at: rotation.on_at,
                on_other: rotation.on_other,
                lifetime: rotation.lifetime,
                auto_revoke: rotation.auto_revoke,
            }),
        }
    }
}

impl From<Says> for Facts {
    fn from(says: Says) -> Self {
        Self {
            server: says.server.0,
            provider: says.provider.0,
            subject: says.subject.0,
            name: says.name.map(|name| name.0),
            mom_id: says.mom_id.map(|id| id.0),
            copy: says.copy,
            issued: says.issued,
            not_before: says.not_before,
            expires: says.expires,
            logged_in: says.logged_in,
            capabilities: says.capabilities.into_iter().map(|name| Capability(name.0)).collect(),
            restrictions: says.restrictions.into_iter().map(Into::into).collect(),
            rotation: says.rotation.map(|rotation| Rotation {
                on_at: rotation.on_at,
                on_other: rotation.on_other,
                lifetime: rotation.lifetime,
                auto_revoke: rotation.auto_revoke,
            }),
        }
    }
}

impl Only {
    fn of(clause: &Clause) -> Self {
        Self {
            not_before: clause.not_before,
            expires: clause.expires,
            scopes: clause.scopes.as_deref().map(texts),
            audiences: clause.audiences.as_deref().map(texts),
            hosts: clause.hosts.as_deref().map(texts),
            countries_allowed: clause.countries_allowed.as_deref().map(texts),
            countries_refused: clause.countries_refused.as_deref().map(texts),
            uses_at: clause.uses_at,
            uses_other: clause.uses_other,
            used_at: clause.used_at,
            used_other: clause.used_other,
            unknown: texts(&clause.unknown),
        }
    }
}

impl From<Only> for Clause {
    fn from(only: Only) -> Self {
        Self {
            not_before: only.not_before,
            expires: only.expires,
            scopes: only.scopes.map(untrusted),
            audiences: only.audiences.map(untrusted),
            hosts: only.hosts.map(untrusted),
            countries_allowed: only.countries_allowed.map(untrusted),
            countries_refused: only.countries_refused.map(untrusted),
            uses_at: only.uses_at,
            uses_other: only.uses_other,
            used_at: only.used_at,
            used_other: only.used_other,
            unknown: untrusted(only.unknown),
        }
    }
}
