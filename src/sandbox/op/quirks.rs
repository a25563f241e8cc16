//! Switches that make the provider misbehave, and the tally of what it was asked.

use std::collections::BTreeSet;
use std::time::Duration;

/// What is wrong with the provider at the moment. Everything is right by default.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "it is a list of switches")]
pub struct Quirks {
    /// Every endpoint answers 503 with a page, as a proxy in front of a dead server does.
    pub down: bool,
    /// Every request is worked, and its answer lost on the way: a proxy's 504 comes instead.
    pub lose_answers: bool,
    /// Every answer comes this much later (on tokio's clock).
    pub extra_delay: Duration,
    /// Discovery claims this issuer instead of its own.
    pub other_issuer: Option<String>,
    /// The PKCE methods that discovery lists, instead of S256.
    pub pkce_methods: Option<Vec<String>>,
    /// What is wrong with the address that the browser is sent back to.
    pub redirect: Option<RedirectFault>,
    /// What is wrong with ID tokens.
    pub id_token: Option<IdTokenFault>,
    /// How `expires_in` is given.
    pub expires_in: ExpiresIn,
    /// Every refresh is refused with `invalid_grant` and this description.
    pub refuse_refresh: Option<String>,
    /// Every token request is answered with this status and a page, as a server does that has too much to do (429, 503).
    pub busy: Option<u16>,
    /// What `Retry-After` says then: seconds, or a date.
    pub retry_after: Option<String>,
    /// No answer holds a refresh token.
    pub no_refresh_token: bool,
    /// What an exchange gives besides or instead of an access token.
    pub exchange: Option<ExchangeQuirk>,
    /// These scopes are never granted, whoever asks.
    pub drop_scope: Vec<String>,
    /// Every so-manieth poll for a device code is told to slow down, however late it comes.
    pub slow_down_every_nth: Option<u32>,
    /// Clients that register get a secret, whatever they ask for.
    pub register_with_secret: bool,
    /// Clients that register do not get these grants.
    pub register_without: Vec<String>,
    /// No registration is deleted: every try is answered with this status.
    pub refuse_deletion: Option<u16>,
    /// Users (by username) who are disabled.
    pub disabled: BTreeSet<String>,
}

/// What can be wrong with the address that the browser is sent back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedirectFault {
    /// No `iss`, although discovery promises it (RFC 9207 §2.4).
    NoIss,
    /// This `iss`.
    OtherIss(String),
    /// This `state`.
    OtherState(String),
}

/// What can be wrong with an ID token (`OpenID` Connect Core §3.1.3.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdTokenFault {
    /// Another nonce than the one sent.
    WrongNonce,
    /// An `at_hash` that does not fit the access token.
    WrongAtHash,
    /// `"alg":"none"` and no signature.
    AlgNone,
    /// Another issuer.
    WrongIssuer,
    /// Another audience.
    WrongAudience,
    /// Ended an hour ago.
    Expired,
    /// A signature that does not fit.
    Forged,
    /// A `kid` that the key set does not hold.
    UnknownKey,
    /// No ID token at all, although `openid` was granted.
    Absent,
}

/// What an exchange (RFC 8693) can give besides or instead of an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExchangeQuirk {
    /// A refresh token with it, as Keycloak's older exchange did.
    RefreshBeside,
    /// A refresh token, in the field of the access token.
    RefreshInstead,
    /// Something that is none: `token_type` is `N_A`.
    NotApplicable,
}

/// How `expires_in` is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExpiresIn {
    /// A number (RFC 6749 §5.1).
    #[default]
    Number,
    /// A number inside a string, as some servers do.
    Text,
    /// This number, whatever the token says of itself.
    Other(i64),
    /// Not at all.
    Absent,
}

/// How often each endpoint was asked, and what else is worth counting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Discovery documents.
    pub discovery: u32,
    /// Key sets.
    pub jwks: u32,
    /// Authorization requests.
    pub authorization: u32,
    /// Authorization requests that were pushed.
    pub pushed: u32,
    /// Token requests of any kind.
    pub token: u32,
    /// Of these: with a refresh token.
    pub refreshes: u32,
    /// Of these: with an access token to be exchanged.
    pub exchanges: u32,
    /// Of these: with a device code.
    pub polls: u32,
    /// Polls that came sooner than the interval allows.
    pub early_polls: u32,
    /// Device authorization requests.
    pub device: u32,
    /// Userinfo requests.
    pub userinfo: u32,
    /// Introspection requests.
    pub introspection: u32,
    /// Revocation requests.
    pub revocation: u32,
    /// Registrations of clients, and requests to delete one.
    pub registration: u32,
    /// Logout requests.
    pub end_session: u32,
    /// Requests for pages that people see, and for anything else.
    pub pages: u32,
    /// Rotated-away refresh tokens that were sent again.
    pub reuses: u32,
}
