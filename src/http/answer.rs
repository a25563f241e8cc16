//! An answer, bounded and read whole, and how a refusal reads.

use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::domain::secret::Secret;
use crate::domain::untrusted::Untrusted;

/// What a server answered. `Debug` is left out on purpose: the body may hold a token.
pub struct Answer {
    /// Any number: mytoken has statuses of its own (mytoken-api.md §2.1.5).
    pub status: u16,
    /// `Content-Type` without parameters, in lower case.
    pub content_type: String,
    /// The server's clock (`Date`), to measure skew with.
    pub date: Option<Timestamp>,
    /// `Retry-After`, where it was given in seconds.
    pub retry_after: Option<Duration>,
    /// `WWW-Authenticate`: Keycloak's userinfo says there, and only there, what is wrong.
    pub challenge: Option<Untrusted>,
    /// The cookie `mytoken`: in some answers the only carrier of a rotated mytoken (mytoken-api.md §2.8).
    pub mytoken_cookie: Option<Secret>,
    pub(super) location: Option<String>,
    pub(super) body: Zeroizing<Vec<u8>>,
}

/// A refusal in the shape of RFC 6749 §5.2, which mytoken shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// `error`: a code, or prose (Keycloak's "Realm does not exist"), or empty where the body is not JSON.
    pub error: Untrusted,
    /// `error_description`, where there is one.
    pub description: Option<Untrusted>,
    /// `Retry-After` in seconds.
    pub retry_after: Option<Duration>,
}

impl Answer {
    pub(super) fn head(status: u16, headers: &HeaderMap) -> Self {
        let text = |name: &str| {
            headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let content_type = text("content-type").unwrap_or_default();
        Self {
            status,
            content_type: content_type.split(';').next().unwrap_or_default().trim().to_lowercase(),
            date: text("date")
                .and_then(|date| jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(&date).ok()),
            retry_after: text("retry-after")
                .and_then(|seconds| seconds.trim().parse().ok())
                .map(|seconds: u64| Duration::from_secs(seconds.min(86_400))),
            challenge: text("www-authenticate").map(Untrusted::new),
            mytoken_cookie: headers
                .get_all("set-cookie")
                .iter()
                .filter_map(|value| value.to_str().ok())
                .find_map(|cookie| cookie.strip_prefix("mytoken="))
                .and_then(|rest| rest.split(';').next())
                .filter(|value| !value.is_empty())
                .map(Secret::new),
            location: super::location(headers),
            body: Zeroizing::default(),
        }
    }

    /// Whether the status is a 2xx. mytoken's 278 counts as one.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as it came.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The body as JSON, whatever its content type says; `None` where it is something else.
    ///
    /// No parser text leaves this function: serde quotes what it trips over, and that may be a token.
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// What the server has to say about a status that is not a success.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        let body = self.json();
        let field = |name: &str| {
            body.as_ref()
                .and_then(|body| body.get(name))
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
                .map(Untrusted::from)
        };
        Refusal {
            status: self.status,
            error: field("error").unwrap_or_default(),
            description: field("error_description"),
            retry_after: self.retry_after,
        }
    }
}
