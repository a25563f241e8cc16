//! What can be read of a credential while the store is locked.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::credential::{
    Ask, Chain, ChainEnd, Credential, CredentialId, Custody, Grant, Health, Held, HeldAccess, Pause, Through,
};
use crate::domain::mytoken::Facts;
use crate::domain::source::SourceId;

/// The first part of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Open {
    /// The format.
    pub(crate) v: u32,
    /// Whose record it is.
    pub(crate) id: String,
    /// One more than the record before it.
    pub(crate) n: u64,
    /// Under which key the credential's own key is wrapped: the store's id, or [`super::super::SESSION_KEY`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) under: String,
    /// The credential's own key, wrapped, in base64.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) key: String,
    /// A state has this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<Row>,
    /// An intent has this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) intent: Option<Intent>,
    /// In the list only: it is not held any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) gone: bool,
}

/// A request whose answer may replace the secret is about to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Intent {
    pub(crate) at: Timestamp,
}

/// A credential without anything secret or personal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// The name before, if this record was written to change it: the file has one or the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) was: Option<String>,
    pub(crate) source: String,
    pub(crate) giver: Giver,
    pub(crate) since: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) health: Option<Ill>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) access: Vec<Access>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pause: Option<Waits>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) more: Map<String, Value>,
}

/// What gives access tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Giver {
    Login {
        issuer: String,
        ends: Ends,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        rotates: bool,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        session_only: bool,
        /// Whether values are remembered that the current one has replaced.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        replaced: bool,
    },
    Mytoken {
        server: String,
        ends: Ends,
        copy: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        heard: Option<Timestamp>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        short: bool,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        replaced: bool,
    },
    Bare,
}

/// When a chain ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Ends {
    At(Timestamp),
    Open,
    Unknown,
}

/// A health that is not well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Ill {
    InDoubt(String),
    NeedsLogin(String),
    Dead(String),
}

/// An access token without itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Access {
    pub(crate) obtained: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<Timestamp>,
    pub(crate) length: usize,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) id_token: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) skew_ms: Option<i64>,
}

/// Until when the giver is left alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Waits {
    pub(crate) until: Timestamp,
    pub(crate) tries: u32,
    pub(crate) why: String,
}

impl From<ChainEnd> for Ends {
    fn from(end: ChainEnd) -> Self {
        match end {
            ChainEnd::At(at) => Self::At(at),
            ChainEnd::Open => Self::Open,
            ChainEnd::Unknown => Self::Unknown,
        }
    }
}

impl From<Ends> for ChainEnd {
    fn from(end: Ends) -> Self {
        match end {
            Ends::At(at) => Self::At(at),
            Ends::Open => Self::Open,
            Ends::Unknown => Self::Unknown,
        }
    }
}

fn ill(health: &Health) -> Option<Ill> {
    match health {
        Health::Ok => None,
        Health::InDoubt(why) => Some(Ill::InDoubt(why.clone())),
        Health::NeedsLogin(why) => Some(Ill::NeedsLogin(why.clone())),
        Health::Dead(why) => Some(Ill::Dead(why.clone())),
    }
}

/// How a credential fares by its row.
pub(crate) fn health_from(ill: Option<&Ill>) -> Health {
    match ill.cloned() {
        None => Health::Ok,
        Some(Ill::InDoubt(why)) => Health::InDoubt(why),
        Some(Ill::NeedsLogin(why)) => Health::NeedsLogin(why),
        Some(Ill::Dead(why)) => Health::Dead(why),
    }
}

impl Row {
    /// The readable part of a credential; `more` is what a newer version left there.
    pub(crate) fn of(credential: &Credential, more: Map<String, Value>) -> Self {
        let mut access: Vec<_> = credential.access.iter().collect();
        access.sort_by_key(|(ask, _)| *ask != credential.ask);
        Self {
            name: credential.name.clone(),
            was: None,
            source: credential.source.0.clone(),
            giver: match &credential.grant {
                Grant::Refresh(grant) => Giver::Login {
                    issuer: grant.issuer.clone(),
                    ends: grant.ends.into(),
                    rotates: grant.rotates,
                    session_only: !grant.scopes.iter().any(|scope| scope == "offline_access"),
                    replaced: !grant.current.superseded.is_empty(),
                },
                Grant::Mytoken(grant) => Giver::Mytoken {
                    server: grant.server.clone(),
                    ends: grant.facts.ends().map_or(Ends::Unknown, Ends::At),
                    copy: grant.current.number,
                    heard: grant.heard,
                    short: grant.short,
                    replaced: !grant.current.superseded.is_empty(),
                },
                Grant::Bare => Giver::Bare,
            },
            since: credential.since,
            health: ill(&credential.health),
            access: access
                .into_iter()
                .map(|(_, token)| Access {
                    obtained: token.obtained,
                    expires: token.expires,
                    length: token.value.len(),
                    id_token: token.id_token.is_some(),
                    skew_ms: token.skew.and_then(|skew| i64::try_from(skew.as_millis()).ok()),
                })
                .collect(),
            pause: credential.pause.as_ref().map(|pause| Waits {
                until: pause.until,
                tries: pause.tries,
                why: pause.why.clone(),
            }),
            more,
        }
    }

    /// What a screen may know of it without its key.
    pub(crate) fn held(&self, id: &CredentialId, custody: Custody, health: Health) -> Held {
        Held {
            id: id.clone(),
            name: self.name.clone(),
            source: SourceId(self.source.clone()),
            identity: None,
            custody,
            health,
            access: self.access.iter().map(Access::held).collect(),
            chain: self.giver.chain(),
            since: self.since,
            pause: self.pause(),
            locked: true,
        }
    }

    pub(crate) fn pause(&self) -> Option<Pause> {
        let pause = self.pause.as_ref()?;
        Some(Pause { until: pause.until, tries: pause.tries, why: pause.why.clone() })
    }

    pub(crate) fn health(&self) -> Health {
        health_from(self.health.as_ref())
    }
}

impl Access {
    fn held(&self) -> HeldAccess {
        HeldAccess {
            ask: Ask::default(),
            obtained: self.obtained,
            expires: self.expires,
            granted: None,
            length: self.length,
            has_id_token: self.id_token,
            skew: self.skew_ms.map(SignedDuration::from_millis),
            content: None,
        }
    }
}

impl Giver {
    fn chain(&self) -> Chain {
        match self {
            Self::Login { ends, rotates, session_only, .. } => {
                let through = Through::default();
                let (rotates, session_only) = (*rotates, *session_only);
                Chain::Refresh { ends: (*ends).into(), rotates, session_only, through }
            }
            Self::Mytoken { server, ends, copy, heard, short, .. } => Chain::Mytoken {
                facts: Box::new(Facts {
                    server: server.as_str().into(),
                    expires: match ends {
                        Ends::At(at) => Some(*at),
                        Ends::Open | Ends::Unknown => None,
                    },
                    copy: Some(*copy),
                    ..Facts::default()
                }),
                heard: *heard,
                copy: *copy,
                short: *short,
            },
            Self::Bare => Chain::None,
        }
    }
}
