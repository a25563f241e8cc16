//! OpenID Connect, the client's side: what is sent to a provider, and what of its answers is believed.
//!
//! ```text
//! discovery ── Metadata ──┬── code ───── authorization_url, redeem      loopback ─┐
//!                         ├── device ─── start, poll_once, Schedule      callback ┴─ what a redirect says
//!                         ├── refresh
//!                         ├── userinfo · introspection · revocation
//!                         └── keys ───── KeySet ── id_token ── Checked · signature
//! pkce    what one login alone knows: state, nonce, verifier
//! tokens  a token answer, read so that no granted token is lost
//! client  how a request says who asks
//! registration  a client of one's own, asked for and deleted
//! probe   an authorization request of nobody: does the provider take client, redirect address and scopes
//! ```
//!
//! Nothing here keeps, renews or retries anything by itself: that is the business of the room `wallet`.

pub mod callback;
mod client;
pub mod code;
pub mod device;
pub mod discovery;
pub mod exchange;
pub mod id_token;
pub mod introspection;
pub mod keys;
pub mod loopback;
pub mod pkce;
pub mod probe;
pub mod refresh;
pub mod registration;
pub mod revocation;
pub mod signature;
pub mod tokens;
pub mod userinfo;

use std::time::Duration;

use crate::domain::untrusted::Untrusted;
use crate::http::{self, Answer, Refusal};

/// A server's own words are shown up to this many columns.
const LONGEST_WORDS: usize = 300;

/// What did not work, one variant a step. Its text is the deciding fact, fit to be shown; it never holds a secret
/// or a body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The discovery document was not had, or is not believed.
    #[error(transparent)]
    Discovery(discovery::Fault),
    /// The operating system gave no random numbers: nothing secret can be made.
    #[error("the operating system gives no random numbers")]
    NoRandomness,
    /// No loopback port could be listened on.
    #[error("no local port for the browser's answer: {0}")]
    Listener(String),
    /// The provider sent the browser back with something else than a code.
    #[error(transparent)]
    Authorization(callback::Fault),
    /// What was pasted is not the redirect address of this login.
    #[error(transparent)]
    Pasted(callback::Unusable),
    /// The authorization request could not be made or pushed.
    #[error(transparent)]
    Request(Cause),
    /// The code was not exchanged for tokens.
    #[error(transparent)]
    Redemption(Cause),
    /// The device login was not started.
    #[error(transparent)]
    DeviceStart(Cause),
    /// A poll of the device login failed.
    #[error(transparent)]
    DevicePoll(Cause),
    /// The refresh token gave nothing.
    #[error(transparent)]
    Refresh(Cause),
    /// The provider's keys were not had.
    #[error(transparent)]
    Keys(Cause),
    /// The ID token is not believed.
    #[error(transparent)]
    IdToken(id_token::Fault),
    /// The provider did not say who the token speaks for.
    #[error(transparent)]
    Userinfo(Cause),
    /// Userinfo speaks of somebody else than the ID token (OpenID Connect Core §5.3.2): it is discarded.
    #[error("userinfo is about another user than the ID token")]
    OtherUser,
    /// The provider did not say whether the token is active.
    #[error(transparent)]
    Introspection(Cause),
    /// The access token was not exchanged for another one.
    #[error(transparent)]
    Exchange(Cause),
    /// The token was not revoked.
    #[error(transparent)]
    Revocation(Cause),
    /// No client was registered.
    #[error(transparent)]
    Registration(Cause),
    /// The registration of a client was not deleted.
    #[error(transparent)]
    Deletion(Cause),
}

/// The ways in which one exchange with a provider fails.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// No answer, or none that may be read.
    #[error(transparent)]
    Unanswered(#[from] http::Error),
    /// A refusal (RFC 6749 §5.2, RFC 6750 §3).
    #[error("{}", words(.0))]
    Refused(Refusal),
    /// A success that is none: what is missing or wrong in it.
    #[error("the answer makes no sense: {0}")]
    Senseless(&'static str),
    /// The provider announces no such endpoint, or we may not use it: which.
    #[error("the provider offers no {0}")]
    NotOffered(&'static str),
}

impl Cause {
    /// The refusal in an answer that was no success. A 2xx with an `error` in it is one as well (GitHub).
    fn of(answer: &Answer, expected: &'static str) -> Self {
        let refusal = answer.refusal();
        if answer.is_success() && refusal.error.is_empty() {
            Self::Senseless(expected)
        } else {
            Self::Refused(refusal)
        }
    }

    /// Whether the same request may well work later: network, 408, 429, 5xx.
    fn is_temporary(&self) -> bool {
        match self {
            Self::Unanswered(error) => error.is_temporary(),
            Self::Refused(refusal) => matches!(refusal.status, 408 | 429 | 500..=599),
            // A captive portal's page comes with a 200.
            Self::Senseless(_) => true,
            Self::NotOffered(_) => false,
        }
    }

    /// Whether the server may have acted on the request although no usable answer came.
    fn may_have_acted(&self) -> bool {
        match self {
            Self::Unanswered(error) => matches!(
                error,
                http::Error::TimedOut { .. } | http::Error::Broken { .. } | http::Error::TooLarge { .. }
            ),
            Self::Refused(refusal) => refusal.status >= 500,
            Self::Senseless(_) => true,
            Self::NotOffered(_) => false,
        }
    }

    fn says(&self, codes: &[&str]) -> bool {
        matches!(self, Self::Refused(refusal) if codes.contains(&refusal.error.raw()))
    }
}

impl Error {
    /// The failed exchange, where there was one.
    #[must_use]
    pub fn cause(&self) -> Option<&Cause> {
        match self {
            Self::Request(cause)
            | Self::Redemption(cause)
            | Self::DeviceStart(cause)
            | Self::DevicePoll(cause)
            | Self::Refresh(cause)
            | Self::Keys(cause)
            | Self::Userinfo(cause)
            | Self::Introspection(cause)
            | Self::Exchange(cause)
            | Self::Revocation(cause)
            | Self::Registration(cause)
            | Self::Deletion(cause)
            | Self::Discovery(discovery::Fault::Exchange(cause)) => Some(cause),
            Self::Discovery(_)
            | Self::NoRandomness
            | Self::Listener(_)
            | Self::Authorization(_)
            | Self::Pasted(_)
            | Self::IdToken(_)
            | Self::OtherUser => None,
        }
    }

    /// What the server said, where it refused.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self.cause()? {
            Cause::Refused(refusal) => Some(refusal),
            Cause::Unanswered(_) | Cause::Senseless(_) | Cause::NotOffered(_) => None,
        }
    }

    /// Whether this refresh token will never work again (the rule of providers.md §9). Nothing is to be deleted
    /// for it: another program may have stored a newer one meanwhile.
    #[must_use]
    pub fn is_for_good(&self) -> bool {
        let (Self::Refresh(cause), Some(refusal)) = (self, self.refusal()) else { return false };
        let speaks_of_it = refusal
            .description
            .as_ref()
            .is_some_and(|description| description.raw().to_lowercase().contains("refresh token"));
        matches!(refusal.status, 400 | 401)
            && (cause.says(&["invalid_grant", "invalid_token"])
                || (cause.says(&["invalid_request"]) && speaks_of_it))
    }

    /// Whether the scopes are refused: the refresh token lives, others must be asked, or consent given again.
    #[must_use]
    pub fn scopes_refused(&self) -> bool {
        match self {
            Self::Authorization(callback::Fault::Refused { error, .. }) => error.raw() == "invalid_scope",
            other => other.cause().is_some_and(|cause| cause.says(&["invalid_scope", "insufficient_scope"])),
        }
    }

    /// Whether only a new login helps.
    #[must_use]
    pub fn login_needed(&self) -> bool {
        self.is_for_good() || (matches!(self, Self::Refresh(_)) && self.scopes_refused())
    }

    /// Whether the client's settings are wrong: id, secret, or a grant it may not use. Tokens live on.
    #[must_use]
    pub fn client_is_wrong(&self) -> bool {
        let codes = ["invalid_client", "unauthorized_client"];
        match self {
            Self::Authorization(callback::Fault::Refused { error, .. }) => codes.contains(&error.raw()),
            other => other.cause().is_some_and(|cause| cause.says(&codes)),
        }
    }

    /// Whether the same request may well work later. See also [`Error::retry_after`].
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Authorization(callback::Fault::Refused { error, .. }) => {
                matches!(error.raw(), "temporarily_unavailable" | "server_error")
            }
            other => other.cause().is_some_and(Cause::is_temporary),
        }
    }

    /// How long the server asks us to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.refusal()?.retry_after
    }

    /// Whether the server may have acted on the request although no usable answer came: a refresh token that was
    /// sent is then in doubt.
    #[must_use]
    pub fn may_have_acted(&self) -> bool {
        self.cause().is_some_and(Cause::may_have_acted)
    }

    /// Whether nobody answered at all: for scripts that is "cannot tell", not "failed".
    #[must_use]
    pub fn is_unreached(&self) -> bool {
        matches!(self.cause(), Some(Cause::Unanswered(_)))
            || self.refusal().is_some_and(|refusal| matches!(refusal.status, 429 | 500..=599))
    }
}

/// A refusal in one line, fit to be shown.
#[must_use]
pub fn words(refusal: &Refusal) -> String {
    match (&refusal.description, refusal.error.is_empty()) {
        (Some(description), false) => said(&refusal.error, Some(description)),
        (Some(description), true) => format!("the server says: {}", description.shown_within(LONGEST_WORDS)),
        (None, false) => said(&refusal.error, None),
        (None, true) => format!("the server answered with status {}", refusal.status),
    }
}

fn said(error: &Untrusted, description: Option<&Untrusted>) -> String {
    let error = error.shown_within(LONGEST_WORDS);
    match description {
        Some(description) => {
            format!("the server says: {} ({error})", description.shown_within(LONGEST_WORDS))
        }
        None => format!("the server says: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refresh(status: u16, error: &str, description: &str) -> Error {
        Error::Refresh(Cause::Refused(Refusal {
            status,
            error: Untrusted::from(error),
            description: (!description.is_empty()).then(|| Untrusted::from(description)),
            retry_after: None,
        }))
    }

    #[test]
    fn the_refusal_of_a_refresh_is_judged_as_providers_md_says() {
        // for good, login needed, client wrong, temporary
        let table = [
            (400, "invalid_grant", "Invalid refresh token", [true, true, false, false]),
            (400, "invalid_grant", "", [true, true, false, false]),
            (401, "invalid_token", "… was not found", [true, true, false, false]),
            (400, "invalid_request", "wrong Refresh Token", [true, true, false, false]),
            (400, "invalid_request", "duplicated parameter", [false, false, false, false]),
            (400, "invalid_scope", "no longer has requested consent", [false, true, false, false]),
            (401, "invalid_client", "", [false, false, true, false]),
            (401, "unauthorized_client", "", [false, false, true, false]),
            (429, "", "", [false, false, false, true]),
            (503, "temporarily_unavailable", "", [false, false, false, true]),
            (500, "invalid_grant", "", [false, false, false, true]),
            (404, "Realm does not exist", "", [false, false, false, false]),
        ];
        for (status, code, description, expected) in table {
            let error = refresh(status, code, description);
            let judged =
                [error.is_for_good(), error.login_needed(), error.client_is_wrong(), error.is_temporary()];
            assert_eq!(judged, expected, "{status} {code} {description}");
        }
    }

    #[test]
    fn only_a_refresh_can_end_a_refresh_token() {
        let Error::Refresh(cause) = refresh(400, "invalid_grant", "Code not valid") else { unreachable!() };
        assert!(!Error::Redemption(cause).is_for_good());
    }

    #[test]
    fn a_server_s_words_reach_the_error_cleaned() {
        let text = refresh(400, "invalid_grant", "a\x1b]52;c;x\x07b").to_string();
        assert_eq!(text, "the server says: a\\u{1b}]52;c;x\\u{7}b (invalid_grant)");
    }

    #[test]
    fn an_answer_that_did_not_come_leaves_the_token_in_doubt_and_a_refused_connection_does_not() {
        let host = || "op".to_owned();
        let timed_out = Error::Refresh(http::Error::TimedOut { host: host(), seconds: 20 }.into());
        let refused =
            Error::Refresh(http::Error::Unreachable { host: host(), why: "refused".to_owned() }.into());
        assert!(timed_out.may_have_acted() && timed_out.is_temporary() && timed_out.is_unreached());
        assert!(!refused.may_have_acted() && refused.is_temporary() && refused.is_unreached());
        assert!(!refresh(400, "invalid_grant", "").may_have_acted());
    }
}
