//! What a provider says of the user, as it is told on the board and by a command.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::membership::Membership;
use super::scopes::Known;
use super::untrusted::Untrusted;

/// A provider's answer about whom an access token speaks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Userinfo {
    /// The name of what the access token was taken from.
    pub name: String,
    /// The provider's name here.
    pub at: String,
    /// When it was asked.
    pub asked: Timestamp,
    /// `sub`.
    pub subject: Untrusted,
    /// Whether that is the user whom the login's ID token named; `None` where there is none to compare it with.
    pub is_same_user: Option<bool>,
    /// All claims, as they came.
    pub claims: Map<String, Value>,
    /// Groups and roles out of the claims.
    pub memberships: Vec<Membership>,
    /// Scopes that would bring what is missing.
    pub would_bring: Vec<&'static Known>,
}
