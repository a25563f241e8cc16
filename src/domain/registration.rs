//! A client that was registered from here (RFC 7591): what is kept of it, and what was asked against what was granted.

use jiff::Timestamp;

use super::login::Compared;
use super::secret::Secret;
use super::source::{Source, SourceId};

/// What is kept of a client that was registered from here. Its two secrets never leave the store but to their provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The record's own word.
    pub id: String,
    /// The row it was registered for.
    pub source: SourceId,
    /// The provider, by its issuer.
    pub issuer: String,
    /// `client_id`.
    pub client: String,
    /// When.
    pub at: Timestamp,
    /// The client secret, where the provider gave one.
    pub secret: Option<Secret>,
    /// When that secret ends (`client_secret_expires_at`, RFC 7591 §3.2.1); `None`: it does not.
    pub secret_ends: Option<Timestamp>,
    /// Where and with what the registration can be deleted; `None`: the provider gave nothing of that kind.
    pub management: Option<Management>,
}

/// `registration_client_uri` and `registration_access_token` (RFC 7592 §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Management {
    /// Where.
    pub address: String,
    /// With what: whoever has it can change or delete the client.
    pub token: Secret,
}

/// A client that was just registered.
#[derive(Clone, Debug, PartialEq)]
pub struct Registered {
    /// The row, which has this client now.
    pub source: Source,
    /// `client_id`, fit to be shown.
    pub client: String,
    /// What was asked and what was granted, side by side.
    pub lines: Vec<Compared>,
    /// What else must be known, most important first.
    pub remarks: Vec<String>,
    /// Whether a login as this client can be tried.
    pub usable: bool,
}
