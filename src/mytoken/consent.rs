//! Getting a mytoken: an order is placed, the user agrees on the server's consent page (mytoken-api.md §2.3.2, §8a).

use std::fmt;
use std::time::Duration;

use serde_json::Value;
use url::Url;

use super::discovery::{self, Server};
use super::{Error, No, order, reply, transfer};
use crate::domain::mytoken::{Form, Wanted};
use crate::domain::secret::Secret;
use crate::domain::untrusted::Untrusted;
use crate::http::{Body, Credentials, Http};

/// The lifetime of a polling code where the server does not say it.
const DEFAULT_LIFE: Duration = Duration::from_secs(300);

/// Nobody takes longer to agree; a server may claim any lifetime.
const LONGEST_LIFE: Duration = Duration::from_secs(3600);

/// The polling interval where the server does not say it, and the bounds of what it may say.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);

/// A login that waits for the user. Whoever has the address can agree in the user's place, and in the versions read it
/// betrays the polling code: it is shown to the user and written nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Consent {
    /// The page to agree on; on the server's own host.
    pub uri: Url,
    /// What the mytoken is fetched with, once.
    pub polling_code: Secret,
    /// How long the user has.
    pub expires_in: Duration,
    /// How long to wait between two questions.
    pub interval: Duration,
}

impl fmt::Debug for Consent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consent")
            .field("expires_in", &self.expires_in)
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}

/// Places an order.
///
/// # Errors
/// An order that is not worth sending, no answer, a refusal, or a consent page that is not on the server's own host.
pub async fn start(http: &Http, server: &Server, wanted: &Wanted) -> Result<Consent, Error> {
    wanted.check_login()?;
    if !server.grant_types.is_empty() && !server.grants("polling_code") {
        return Err(Error::NotOffered("fetching a mytoken from a terminal"));
    }
    if wanted.form == Form::Code && !server.hands_out_codes() {
        return Err(Error::NotOffered(transfer::CODES));
    }
    let body = Body::json(&order::for_login(wanted));
    let answer = http.post_for_token(&server.mytoken, &Credentials::None, &body).await?;
    if !answer.is_success() {
        return Err(No::of(&answer).into());
    }
    let content = reply::content(answer.bytes());
    let object =
        content.as_ref().and_then(reply::Wiped::object).ok_or(Error::Unreadable("it is not JSON"))?;
    let text = |name: &str| object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let uri = text("consent_uri").ok_or(Error::Unreadable("it names no consent page"))?;
    let polling_code = text("polling_code").ok_or(Error::Unreadable("it holds no polling code"))?;
    let span = |name: &str| object.get(name).and_then(reply::seconds).filter(|span| !span.is_zero());
    Ok(Consent {
        uri: discovery::own(&server.mytoken, "consent page", &Untrusted::from(uri))?,
        polling_code: Secret::new(polling_code),
        expires_in: span("expires_in").unwrap_or(DEFAULT_LIFE).min(LONGEST_LIFE),
        interval: span("interval").unwrap_or(DEFAULT_INTERVAL).min(LONGEST_INTERVAL),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_the_address_nor_the_code_is_in_the_debug_output() {
        let consent = Consent {
            uri: Url::parse("https://mytoken.example.org/c/hTqWmRzd").expect("a URL"),
            polling_code: Secret::new("ZmFrZUNv"),
            expires_in: DEFAULT_LIFE,
            interval: DEFAULT_INTERVAL,
        };
        let debug = format!("{consent:?}");
        assert!(!debug.contains("hTqWmRzd") && !debug.contains("ZmFrZUNv"), "{debug}");
    }
}
