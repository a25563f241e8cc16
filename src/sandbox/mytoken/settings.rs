//! What a sandbox mytoken server is set up with: its address, its providers, its limits and its features.

use super::templates::Template;
use crate::domain::secret::Secret;

/// A provider that users of the server can log in at.
#[derive(Clone, Debug)]
pub struct Provider {
    /// The issuer, exactly as the provider and the discovery document write it.
    pub issuer: String,
    /// The name shown beside it.
    pub name: String,
    /// The client that the mytoken server is at this provider.
    pub client_id: String,
    /// Its password, sent as HTTP Basic; `None` for a public client.
    pub client_secret: Option<Secret>,
    /// The scopes configured for it: what an unrestricted mytoken asks for.
    pub scopes: Vec<String>,
    /// Where the browser is sent; `None`: as the provider's discovery says.
    pub authorization_endpoint: Option<String>,
    /// Where codes and refresh tokens are redeemed; `None`: as the provider's discovery says.
    pub token_endpoint: Option<String>,
    /// The longest life of a mytoken, in seconds: the `exp` of each clause is cut to it (§4.6).
    pub longest_life: Option<i64>,
}

/// The set-up of one server.
#[allow(clippy::struct_excessive_bools, reason = "an operator's switches, each on its own")]
#[derive(Clone, Debug)]
pub struct Settings {
    /// Base URL without a slash at the end, such as `http://127.0.0.1:PORT`; also `iss` and `aud` of the
    /// mytokens.
    pub issuer: String,
    /// The providers, in the order of the discovery document.
    pub providers: Vec<Provider>,
    /// Whether the guest provider is there (§2.12).
    pub guest: bool,
    /// The version named in discovery. The behaviour is always that of 0.10.
    pub version: String,
    /// Life of polling and transfer codes, in seconds.
    pub polling_life: i64,
    /// The polling interval that is suggested, in seconds.
    pub polling_interval: i64,
    /// Length of polling and transfer codes.
    pub code_length: usize,
    /// Length of short tokens, at least 32.
    pub short_length: usize,
    /// Whether 127.0.0.1 is exempt from the rate limit, as by default in the real server.
    pub exempt_loopback: bool,
    /// Requests a client address may make in [`Settings::rate_window`].
    pub rate_limit: u32,
    /// The window of the rate limit, in seconds.
    pub rate_window: i64,
    /// The members of a clause that are honoured; the others are silently dropped from requests (§4.1).
    pub restriction_keys: Vec<String>,
    /// The tokeninfo actions that discovery names. As in the real server the others work all the same, unless
    /// there is none at all: then the endpoint is gone (§10).
    pub actions: Vec<String>,
    /// Whether profiles and templates can be read and written. Discovery names their address in any case.
    pub profiles: bool,
    /// The groups that may write profiles and templates, and their passwords.
    pub groups: Vec<(String, Secret)>,
    /// The profiles and templates that are there at the start.
    pub templates: Vec<Template>,
    /// Whether short tokens are given out.
    pub short_tokens: bool,
    /// Whether transfer codes can be made and redeemed.
    pub transfer_codes: bool,
    /// The country that loopback addresses count for, in upper case.
    pub country: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            providers: Vec::new(),
            guest: true,
            version: "0.10.2".to_owned(),
            polling_life: 300,
            polling_interval: 5,
            code_length: 8,
            short_length: 64,
            exempt_loopback: true,
            rate_limit: 100,
            rate_window: 300,
            restriction_keys: super::restriction::KEYS.map(str::to_owned).to_vec(),
            actions: super::tokeninfo::ACTIONS.map(str::to_owned).to_vec(),
            profiles: true,
            groups: [("_", "admin"), ("demo", "demo")]
                .map(|(group, password)| (group.to_owned(), Secret::new(password)))
                .to_vec(),
            templates: super::templates::shipped(),
            short_tokens: true,
            transfer_codes: true,
            country: "DE".to_owned(),
        }
    }
}

impl Settings {
    /// The issuer of the guest provider.
    #[must_use]
    pub fn guest_issuer(&self) -> String {
        format!("{}/api/v0/guests", self.issuer)
    }
}
