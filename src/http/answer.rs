//! An answer, bounded and read whole, and how a refusal reads.

use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::domain::limit::Allowance;
use crate::domain::secret::Secret;
use crate::domain::untrusted::Untrusted;

/// A server that asks to wait longer is not believed to mean it.
const LONGEST_WAIT: Duration = Duration::from_secs(86_400);

/// What a server answered. `Debug` is left out on purpose: the body may hold a token.
pub struct Answer {
    /// Any number: mytoken has statuses of its own (mytoken-api.md §2.1.5).
    pub status: u16,
    /// `Content-Type` without parameters, in lower case.
    pub content_type: String,
    /// The server's clock (`Date`), to measure skew with.
    pub date: Option<Timestamp>,
    /// `Retry-After`: given in seconds, or as a date, which is read by the server's own clock.
    pub retry_after: Option<Duration>,
    /// `X-RateLimit-…`: how much more may be asked (mytoken-api.md §2.1.6).
    pub allowance: Option<Allowance>,
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
    /// `Retry-After`.
    pub retry_after: Option<Duration>,
}

impl Answer {
    pub(super) fn head(status: u16, headers: &HeaderMap) -> Self {
        let text = |name: &str| {
            headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let moment = |name: &str| {
            let text = text(name)?;
            jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()
        };
        let content_type = text("content-type").unwrap_or_default();
        let date = moment("date");
        Self {
            status,
            content_type: content_type.split(';').next().unwrap_or_default().trim().to_lowercase(),
            date,
            retry_after: text("retry-after")
                .and_then(|seconds| seconds.trim().parse().ok())
                .map(Duration::from_secs)
                .or_else(|| Duration::try_from(moment("retry-after")?.duration_since(date?)).ok())
                .map(|wait| wait.min(LONGEST_WAIT)),
            allowance: allowance(headers),
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

    /// Where a redirect leads, as it was written (`Location`).
    #[must_use]
    pub fn sent_on(&self) -> Option<&str> {
        self.location.as_deref().filter(|_| (300..400).contains(&self.status))
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

/// All three headers in whole numbers, or nothing.
fn allowance(headers: &HeaderMap) -> Option<Allowance> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let limit = small(number("x-ratelimit-limit")?);
    Some(Allowance {
        limit,
        remaining: small(number("x-ratelimit-remaining")?).min(limit),
        reset: Duration::from_secs(number("x-ratelimit-reset")?).min(LONGEST_WAIT),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_to_wait_is_read_in_seconds_and_as_a_date_by_the_servers_own_clock() {
        let table = [
            (Some("12"), None, Some(12)),
            (Some(" 12 "), None, Some(12)),
            (Some("99999999999"), None, Some(86_400)),
            (Some("Sun, 06 Nov 1994 08:50:37 GMT"), Some("Sun, 06 Nov 1994 08:49:37 GMT"), Some(60)),
            (Some("Sun, 06 Nov 1994 08:50:37 GMT"), None, None),
            (Some("Sun, 06 Nov 1994 08:48:37 GMT"), Some("Sun, 06 Nov 1994 08:49:37 GMT"), None),
            (Some("soon"), None, None),
            (Some("-1"), None, None),
            (None, None, None),
        ];
        for (retry_after, date, seconds) in table {
            let mut headers = HeaderMap::new();
            for (name, value) in [("retry-after", retry_after), ("date", date)] {
                if let Some(value) = value {
                    headers.insert(name, value.parse().expect("a header"));
                }
            }
            let wait = Answer::head(429, &headers).retry_after;
            assert_eq!(wait, seconds.map(Duration::from_secs), "{retry_after:?} {date:?}");
        }
    }

    #[test]
    fn an_allowance_is_read_whole_or_not_at_all() {
        let read = |limit, remaining, reset: u64| {
            Some(Allowance { limit, remaining, reset: Duration::from_secs(reset) })
        };
        let table = [
            (["100", "98", "300"], read(100, 98, 300)),
            ([" 100 ", "0", "0"], read(100, 0, 0)),
            (["100", "500", "999999999"], read(100, 100, 86_400)),
            (["99999999999", "1", "1"], read(u32::MAX, 1, 1)),
            (["100", "-1", "300"], None),
            (["100", "", "300"], None),
            (["100", "5", "soon"], None),
            (["18446744073709551616", "5", "1"], None),
        ];
        let names = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"];
        for (values, expected) in table {
            let mut headers = HeaderMap::new();
            for (name, value) in names.into_iter().zip(values) {
                headers.insert(name, value.parse().expect("a header"));
            }
            assert_eq!(Answer::head(200, &headers).allowance, expected, "{values:?}");
            headers.remove("x-ratelimit-reset");
            assert_eq!(Answer::head(200, &headers).allowance, None);
        }
    }
}
