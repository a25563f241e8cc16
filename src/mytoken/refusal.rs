//! What a mytoken server says no with, told apart by what it means and not by its wording (mytoken-api.md §2.1.6, §8c).

use std::fmt;
use std::time::Duration;

use crate::domain::untrusted::Untrusted;
use crate::http::{Answer, Refusal};

/// Descriptions are shown up to this many columns.
const WIDEST: usize = 200;

/// A refusal, by what it means for the mytoken that was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum No {
    /// The mytoken is not accepted.
    #[error("the mytoken is not accepted: {0}")]
    InvalidToken(Reason),
    /// It lives, and lacks the capability for this: only a live one is told so (§2.1.3).
    #[error("the mytoken lacks the capability for this")]
    LacksCapability,
    /// It lives, and no clause of its restrictions allows this use here and now.
    #[error("the mytoken's restrictions do not allow this use")]
    UsageRestricted,
    /// It lives and is useless: the provider behind it refused. Nothing was counted, nothing rotated.
    #[error("the provider behind it refuses: {}", both(error, description.as_ref()))]
    Provider {
        /// The provider's error code, such as `invalid_grant`.
        error: Untrusted,
        /// The provider's own words.
        description: Option<Untrusted>,
    },
    /// It lives and is useless: no refresh token stands behind it any more.
    #[error("no refresh token stands behind the mytoken any more")]
    NoRefreshToken,
    /// It is an older copy of a rotated mytoken, or a losing one of several made at once (§5, §2.6).
    #[error("this is not the current copy of the mytoken")]
    OldCopy,
    /// The user declined on the consent page, or a grant is not enabled.
    #[error("access was denied")]
    AccessDenied,
    /// A polling or transfer code is too old.
    #[error("the code has expired")]
    ExpiredCode,
    /// A polling or transfer code is unknown or used up.
    #[error("the code is unknown or was used already")]
    BadCode,
    /// The user has not finished the login yet: 428.
    #[error("the login is not finished yet")]
    Pending,
    /// The server does not know this provider.
    #[error("the mytoken server does not know this provider")]
    UnknownProvider,
    /// The server has no profile or template of this name.
    #[error("the mytoken server knows no profile or template {:?}", .0.shown_within(WIDEST))]
    UnknownTemplate(Untrusted),
    /// Of what a subtoken was to be able to do, its parent can do nothing.
    #[error("the mytoken has none of the capabilities that the subtoken was to get")]
    NothingAllowed,
    /// What was ordered would have ended before it began.
    #[error("the restrictions have all ended already")]
    AlreadyEnded,
    /// Another user's mytoken, or none.
    #[error("that mytoken does not exist, or belongs to somebody else")]
    NotYours,
    /// This server does not do that: 404, or a grant type that is switched off.
    #[error("the mytoken server does not offer this")]
    NotOffered,
    /// Too many requests.
    #[error("the mytoken server asks to wait")]
    RateLimited {
        /// For how long, where it says.
        retry_after: Option<Duration>,
    },
    /// The request was not understood.
    #[error("the mytoken server does not understand the request: {}", both(error, description.as_ref()))]
    Malformed {
        /// The code.
        error: Untrusted,
        /// The parser's words.
        description: Option<Untrusted>,
    },
    /// A 5xx. Of the server itself, when `error` is there; else of something in front of it.
    #[error("the mytoken server failed (status {status}): {}", both(error, description.as_ref()))]
    ServerBroke {
        /// The status.
        status: u16,
        /// The code; empty where the answer was no JSON.
        error: Untrusted,
        /// Technical text, also of databases.
        description: Option<Untrusted>,
    },
    /// Anything else.
    #[error("the mytoken server answered with status {status}: {}", both(error, description.as_ref()))]
    Unexpected {
        /// The status.
        status: u16,
        /// The code; empty where the answer was no JSON.
        error: Untrusted,
        /// The description.
        description: Option<Untrusted>,
    },
}

/// Why a mytoken is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// 401 without a word: revoked, rotated away, or a first copy past its rotation lifetime. Nobody can tell which.
    Unidentified,
    /// It has ended. Whether it was revoked before that is not said.
    Expired,
    /// It starts later.
    NotYet,
    /// Its signature does not fit.
    BadSignature,
    /// A short token that is unknown or whose mytoken was revoked; or some other server's JWT.
    UnknownShort,
    /// It is another server's mytoken.
    WrongServer,
    /// Too short, or not decodable.
    Unreadable,
    /// Words that nobody here knows.
    Other(Untrusted),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unidentified => "revoked, rotated away or unknown; the server does not say which",
            Self::Expired => "it has expired",
            Self::NotYet => "it is not valid yet",
            Self::BadSignature => "its signature does not fit",
            Self::UnknownShort => "the server does not know it",
            Self::WrongServer => "it belongs to another server",
            Self::Unreadable => "the server cannot read it",
            Self::Other(words) => return f.write_str(&words.shown_within(WIDEST)),
        })
    }
}

impl Reason {
    /// By the texts of 0.10 (seen) and 0.12 (by reading), matched loosely.
    fn of(description: Option<&Untrusted>) -> Self {
        let Some(description) = description else { return Self::Unidentified };
        let text = description.raw().to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        // The order matters: 0.12 puts `token is malformed:` or `token has invalid claims:` before the cause.
        if says(&["expired"]) {
            Self::Expired
        } else if says(&["not valid yet", "not yet valid", "used before"]) {
            Self::NotYet
        } else if says(&["number of segments"]) {
            Self::UnknownShort
        } else if says(&["verification error", "signature"]) {
            Self::BadSignature
        } else if says(&["issuer"]) {
            Self::WrongServer
        } else if says(&["token not valid", "base64", "invalid character", "malformed"]) {
            Self::Unreadable
        } else {
            Self::Other(description.clone())
        }
    }
}

impl No {
    /// Reads an answer whose status is not a success.
    #[must_use]
    pub(super) fn of(answer: &Answer) -> Self {
        Self::from(answer.refusal())
    }
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        let Refusal { status, error, description, retry_after } = refusal;
        let text = description.as_ref().map_or("", Untrusted::raw).to_lowercase();
        match (error.raw(), status) {
            (_, 429) => Self::RateLimited { retry_after },
            ("authorization_pending", _) => Self::Pending,
            ("invalid_token", 400..500) if text.contains("polling or transfer code") => Self::BadCode,
            ("invalid_token", 400) if text.is_empty() => Self::NoRefreshToken,
            ("invalid_token", 400..500) if text.contains("no refresh token") => Self::NoRefreshToken,
            ("invalid_token", 400..500) => Self::InvalidToken(Reason::of(description.as_ref())),
            ("expired_token", 400..500) => Self::ExpiredCode,
            ("access_denied", 400..500) => Self::AccessDenied,
            ("insufficient_capabilities", 400..500) => Self::LacksCapability,
            ("usage_restricted", 400..500) => Self::UsageRestricted,
            // With whatever status the provider had.
            ("oidc_error", _) => provider(description.as_ref()),
            ("invalid_grant", 403) => Self::NotYours,
            ("invalid_grant", 400..500) | ("not_found", 404) => Self::NotOffered,
            ("invalid_request", 400) => bad_request(error, description, &text),
            (_, 500..) if text.contains("message authentication failed") => Self::OldCopy,
            (_, 500..) => Self::ServerBroke { status, error, description },
            _ => Self::Unexpected { status, error, description },
        }
    }
}

/// A 400 is about the request or about the mytoken in it: the code does not say which.
fn bad_request(error: Untrusted, description: Option<Untrusted>, text: &str) -> No {
    if text == "token not valid"
        || text.starts_with("token is expired")
        || text.contains("number of segments")
    {
        No::InvalidToken(Reason::of(description.as_ref()))
    } else if text.contains("issuer is not supported") {
        No::UnknownProvider
    } else if text.starts_with("unknown include name") {
        No::UnknownTemplate(quoted(description.as_ref()))
    } else if text.contains("cannot have any of the requested capabilities") {
        No::NothingAllowed
    } else if text.contains("would already be expired") {
        No::AlreadyEnded
    } else if text.contains("not for specified issuer") {
        No::InvalidToken(Reason::WrongServer)
    } else {
        No::Malformed { error, description }
    }
}

/// What stands between quotes.
fn quoted(description: Option<&Untrusted>) -> Untrusted {
    let text = description.map_or("", Untrusted::raw);
    Untrusted::from(text.split_once('\'').map_or(text, |(_, rest)| rest.trim_end_matches('\'')))
}

/// `<op error>: <op description>`.
fn provider(description: Option<&Untrusted>) -> No {
    let text = description.map_or("", Untrusted::raw);
    let (error, description) = match text.split_once(':') {
        Some((code, rest)) if !code.contains(' ') => {
            (code, Some(rest.trim()).filter(|rest| !rest.is_empty()))
        }
        _ => ("", Some(text).filter(|text| !text.is_empty())),
    };
    No::Provider { error: Untrusted::from(error), description: description.map(Untrusted::from) }
}

/// Code and description as one text, fit to be shown.
fn both(error: &Untrusted, description: Option<&Untrusted>) -> String {
    let error = error.shown_within(WIDEST);
    match description.map(|text| text.shown_within(WIDEST)) {
        Some(text) if error.is_empty() => text,
        Some(text) => format!("{error}: {text}"),
        None if error.is_empty() => "it gives no reason".to_owned(),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no(status: u16, error: &str, description: &str) -> No {
        No::from(Refusal {
            status,
            error: Untrusted::from(error),
            description: Some(description).filter(|text| !text.is_empty()).map(Untrusted::from),
            retry_after: Some(Duration::from_secs(300)).filter(|_| status == 429),
        })
    }

    #[test]
    fn each_refusal_of_a_mytoken_is_told_apart_in_the_texts_of_both_libraries() {
        let table = [
            (401, "", Reason::Unidentified),
            (401, "token is expired by 2h3m4s", Reason::Expired),
            (401, "token has invalid claims: token is expired", Reason::Expired),
            (401, "Token is not valid yet", Reason::NotYet),
            (401, "token has invalid claims: token is not valid yet", Reason::NotYet),
            (401, "crypto/ecdsa: verification error", Reason::BadSignature),
            (401, "token signature is invalid: crypto/ecdsa: verification error", Reason::BadSignature),
            (401, "token contains an invalid number of segments", Reason::UnknownShort),
            (401, "token is malformed: token contains an invalid number of segments", Reason::UnknownShort),
            (401, "invalid issuer", Reason::WrongServer),
            (401, "token not valid", Reason::Unreadable),
            (401, "illegal base64 data at input byte 0", Reason::Unreadable),
            (401, "invalid character 'i' looking for beginning of value", Reason::Unreadable),
            (401, "what is this", Reason::Other(Untrusted::from("what is this"))),
        ];
        for (status, description, reason) in table {
            assert_eq!(no(status, "invalid_token", description), No::InvalidToken(reason), "{description}");
        }
        assert_eq!(no(400, "invalid_request", "token not valid"), No::InvalidToken(Reason::Unreadable));
        assert_eq!(no(400, "invalid_request", "token is expired by 2s"), No::InvalidToken(Reason::Expired));
    }

    #[test]
    fn each_other_refusal_is_named_for_what_it_means() {
        let broke = |status, error: &str, text: Option<&str>| No::ServerBroke {
            status,
            error: Untrusted::from(error),
            description: text.map(Untrusted::from),
        };
        let table = [
            (no(428, "authorization_pending", ""), No::Pending),
            (no(401, "invalid_token", "Bad polling or transfer code"), No::BadCode),
            (no(401, "expired_token", "polling or transfer code is expired"), No::ExpiredCode),
            (no(401, "access_denied", "user declined consent"), No::AccessDenied),
            (no(401, "invalid_token", "No refresh token attached"), No::NoRefreshToken),
            (no(403, "insufficient_capabilities", "The provided token …"), No::LacksCapability),
            (no(403, "usage_restricted", "The restrictions …"), No::UsageRestricted),
            (no(403, "invalid_grant", "cannot be used to obtain history"), No::NotYours),
            (no(400, "invalid_grant", "Unsupported grant_type"), No::NotOffered),
            (no(404, "not_found", "/api/v0/token/revoke"), No::NotOffered),
            (no(400, "invalid_request", "The provided issuer is not supported"), No::UnknownProvider),
            (no(400, "invalid_request", "token would already be expired"), No::AlreadyEnded),
            (
                no(400, "invalid_request", "unknown include name: 'nosuch'"),
                No::UnknownTemplate(Untrusted::from("nosuch")),
            ),
            (
                no(
                    400,
                    "invalid_request",
                    "mytoken to be issued cannot have any of the requested capabilities",
                ),
                No::NothingAllowed,
            ),
            (no(429, "", ""), No::RateLimited { retry_after: Some(Duration::from_secs(300)) }),
            (no(500, "internal_server_error", "cipher: message authentication failed"), No::OldCopy),
            (
                no(500, "internal_server_error", "Error 1205"),
                broke(500, "internal_server_error", Some("Error 1205")),
            ),
            (no(502, "", ""), broke(502, "", None)),
        ];
        for (read, meant) in table {
            assert_eq!(read, meant);
        }
    }

    #[test]
    fn a_provider_that_refuses_is_quoted_and_never_mistaken_for_a_dead_mytoken() {
        for status in [400, 401, 503, 555] {
            assert_eq!(
                no(status, "oidc_error", "invalid_grant: Token is not active"),
                No::Provider {
                    error: Untrusted::from("invalid_grant"),
                    description: Some(Untrusted::from("Token is not active"))
                }
            );
        }
        assert_eq!(
            no(555, "oidc_error", "Did not receive a refresh token"),
            No::Provider {
                error: Untrusted::default(),
                description: Some(Untrusted::from("Did not receive a refresh token"))
            }
        );
    }

    #[test]
    fn a_hostile_description_is_shown_harmless_and_short() {
        let shown = no(500, "x", &format!("\u{1b}]0;{}", "a".repeat(5000))).to_string();
        assert!(!shown.contains('\u{1b}') && shown.len() < 400, "{shown}");
    }
}
