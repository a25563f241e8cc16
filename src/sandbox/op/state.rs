//! What the provider remembers: sign-ins, grants, and fingerprints of everything it has handed out.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use aws_lc_rs::digest;
use serde_json::Value;

use super::refusal::Refusal;
use super::settings::Client;

/// A fingerprint: no token is kept, only this.
pub(super) type Print = [u8; 32];

/// The SHA-256 of a token, code or cookie.
pub(super) fn print(text: &str) -> Print {
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(digest::digest(&digest::SHA256, text.as_bytes()).as_ref()) {
        *to = *from;
    }
    out
}

/// Everything, behind one lock. All moments are seconds since the epoch unless they say otherwise.
#[derive(Default)]
pub(super) struct State {
    /// By session id (`sid`).
    pub(super) sessions: HashMap<String, Session>,
    /// By family name (`reuse_id`).
    pub(super) grants: HashMap<String, Grant>,
    pub(super) codes: HashMap<Print, Code>,
    pub(super) pushed: HashMap<Print, Pushed>,
    pub(super) devices: HashMap<Print, Device>,
    pub(super) refresh: HashMap<Print, Refresh>,
    pub(super) access: HashMap<Print, Access>,
    /// Session and client of each ID token, for the logout's hint.
    pub(super) id_tokens: HashMap<Print, (String, String)>,
    /// Clients that registered themselves, by id.
    pub(super) registered: HashMap<String, Registered>,
    /// Pages that wait for somebody to press a button, by the word hidden in their form.
    pub(super) pages: HashMap<Print, (Page, i64)>,
}

/// A client that registered itself.
pub(super) struct Registered {
    pub(super) client: Arc<Client>,
    /// Of the token with which it can be deleted.
    pub(super) token: Print,
}

/// Somebody's sign-in in one browser. Its id is `sid` and `session_state`.
pub(super) struct Session {
    pub(super) username: String,
    pub(super) started: i64,
    /// The cookie of its browser.
    pub(super) browser: Print,
    pub(super) ended: bool,
}

/// What one login gave: a family of refresh tokens and their access tokens.
pub(super) struct Grant {
    pub(super) client: String,
    pub(super) sid: String,
    pub(super) username: String,
    pub(super) signed_in: i64,
    pub(super) scopes: Vec<String>,
    pub(super) audience: Vec<String>,
    pub(super) offline: bool,
    pub(super) life: Life,
}

/// Whether a grant still gives anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    Live,
    /// Cut from its session because something of it was used twice.
    Detached,
    /// Revoked by its client.
    Revoked,
}

/// What an authorization request asked for.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) client: String,
    pub(super) redirect: String,
    pub(super) scopes: Vec<String>,
    pub(super) audience: Vec<String>,
    pub(super) state: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) challenge: Option<String>,
    pub(super) consent: bool,
}

pub(super) struct Code {
    pub(super) ask: Ask,
    pub(super) sid: String,
    pub(super) ends: i64,
    /// Set at the first use, whether it succeeded or not.
    pub(super) used: bool,
    /// What it gave.
    pub(super) grant: Option<String>,
}

/// An authorization request that was pushed: it is good once.
pub(super) struct Pushed {
    pub(super) client: String,
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) ends: i64,
}

pub(super) struct Device {
    pub(super) user_code: String,
    pub(super) client: String,
    pub(super) scopes: Vec<String>,
    pub(super) audience: Vec<String>,
    pub(super) challenge: Option<String>,
    pub(super) ends: i64,
    pub(super) interval: i64,
    /// No poll before this moment, in milliseconds since the epoch.
    pub(super) next_poll: i64,
    pub(super) answer: Answer,
}

/// What the human said to a device request.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Nothing,
    Denied,
    /// Approved, in the session with this id.
    Approved(String),
}

pub(super) struct Refresh {
    pub(super) grant: String,
    pub(super) ends: Option<i64>,
    /// A newer one of the family has been handed out.
    pub(super) rotated: bool,
}

pub(super) struct Access {
    pub(super) grant: String,
    pub(super) ends: i64,
    pub(super) scopes: Vec<String>,
    /// What it says, or would say if it were a JWT.
    pub(super) claims: Value,
}

/// What a waiting page is about.
#[derive(Clone)]
pub(super) enum Purpose {
    Code(Box<Ask>),
    /// The device request with this fingerprint.
    Device(Print),
}

#[derive(Clone)]
pub(super) enum Page {
    SignIn(Purpose),
    /// Signed in, in this session; may the client have what it asked for?
    Consent(Purpose, String),
    /// Answered already.
    Done(Purpose),
}

impl State {
    /// Whether `grant` still gives tokens; else why not, in Keycloak's words (real-parts.md §2.6).
    pub(super) fn standing(&self, grant: &Grant) -> Result<(), Refusal> {
        let session_ended = self.sessions.get(&grant.sid).is_none_or(|session| session.ended);
        match grant.life {
            Life::Revoked if grant.offline => Err(Refusal::invalid_grant("Offline user session not found")),
            Life::Revoked => Err(Refusal::invalid_grant("Session not active")),
            _ if session_ended && !grant.offline => Err(Refusal::invalid_grant("Session not active")),
            Life::Detached => Err(Refusal::invalid_grant("Session doesn't have required client")),
            Life::Live => Ok(()),
        }
    }

    /// Cuts a grant from its session: something of it was used twice.
    pub(super) fn detach(&mut self, grant: &str) {
        if let Some(grant) = self.grants.get_mut(grant).filter(|grant| grant.life == Life::Live) {
            grant.life = Life::Detached;
        }
    }

    /// Ends a grant, and with it (unless it is an offline one) the whole session.
    pub(super) fn revoke(&mut self, grant: &str) {
        let Some(grant) = self.grants.get_mut(grant) else { return };
        grant.life = Life::Revoked;
        if !grant.offline
            && let Some(session) = self.sessions.get_mut(&grant.sid)
        {
            session.ended = true;
        }
    }

    /// The living session of the browser that bears `cookie`.
    pub(super) fn session_of(&self, cookie: &str, now: i64, longest: i64) -> Option<(&String, &Session)> {
        let browser = print(cookie);
        self.sessions.iter().find(|(_, session)| {
            session.browser == browser && !session.ended && now < session.started.saturating_add(longest)
        })
    }

    /// Forgets what ended long ago and would be refused in the same words if it had never been.
    pub(super) fn prune(&mut self, now: i64) {
        const LONG: i64 = 3600;
        self.access.retain(|_, access| now < access.ends);
        self.devices.retain(|_, device| now < device.ends.saturating_add(LONG));
        self.pushed.retain(|_, pushed| now < pushed.ends);
        self.pages.retain(|_, (_, made)| now < *made + LONG);
    }
}
