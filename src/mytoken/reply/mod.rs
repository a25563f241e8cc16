//! What a request with a mytoken comes back with: the rotated mytoken first, then the outcome.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};
use url::Url;
use zeroize::{Zeroize, Zeroizing};

use super::{Error, No};
use crate::domain::jwt::{self, Jwt};
use crate::domain::limit::Allowance;
use crate::domain::mytoken::{Capability, Clause, Facts, Rotation};
use crate::domain::secret::Secret;
use crate::domain::time::later;
use crate::domain::untrusted::Untrusted;
use crate::http::{self, Answer, Body, Credentials, Http};

/// Room for the body of a request with a mytoken, so that it does not grow and leave copies behind.
const BODY: usize = 16 << 10;

/// What came of a request that carried a mytoken.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "the update in it may be the only copy of the mytoken that still works"]
pub struct Reply<T> {
    /// The mytoken's new copy. The one that was sent is dead: save this before looking at anything else.
    pub update: Option<Issued>,
    /// Whether the server may have made a new copy that did not reach us. Means something only for a mytoken that
    /// rotates: for such a one it is now unknown which copy is the current one.
    pub in_doubt: bool,
    /// The server's clock.
    pub date: Option<Timestamp>,
    /// How much more may be asked, where the server counts and tells.
    pub allowance: Option<Allowance>,
    /// What was asked for, or why it did not come. Both with an update and without.
    pub outcome: Result<T, Error>,
}

impl<T> Reply<T> {
    /// Nothing was sent.
    pub(super) fn unsent(error: Error) -> Self {
        Self { update: None, in_doubt: false, date: None, allowance: None, outcome: Err(error) }
    }

    /// Whether the request may have been carried out although what came of it is not here: a mytoken made that nobody
    /// holds, a code used up, a use counted, another mytoken revoked.
    #[must_use]
    pub fn is_perhaps_done(&self) -> bool {
        match &self.outcome {
            Err(Error::NoAnswer(error)) => may_have_arrived(error),
            Err(Error::Unreadable(_) | Error::NoAccessToken) => true,
            Err(Error::Refused(No::ServerBroke { status, error, .. })) => {
                error.is_empty() || matches!(status, 502..=504)
            }
            Err(Error::Refused(No::Unexpected { status, .. })) => *status == 408,
            Ok(_) | Err(_) => false,
        }
    }
}

/// A mytoken as a server hands it out: a new one, or a new copy (§2.3.6).
#[derive(Clone, Debug, PartialEq)]
pub struct Issued {
    /// The mytoken.
    pub mytoken: Secret,
    /// Whether it is a short one, which carries no claims.
    pub short: bool,
    /// What it says of itself; of a short one what the answer said, without names and provider.
    pub facts: Facts,
    /// How long it lives, by the answer. Absent: for ever, or it has ended already (§12.24).
    pub expires_in: Option<Duration>,
}

impl Issued {
    /// Reads a mytoken answer; `None` where there is no mytoken in it. Whatever else is wrong with it does not matter.
    pub(super) fn read(answer: &Map<String, Value>, date: Option<Timestamp>) -> Option<Self> {
        let mytoken = answer.get("mytoken")?.as_str()?.trim();
        if mytoken.is_empty() {
            return None;
        }
        let expires_in = answer.get("expires_in").and_then(seconds).filter(|span| !span.is_zero());
        let jwt = Jwt::parse(mytoken).filter(Facts::are_in);
        let short = jwt.is_none();
        let mut facts = jwt
            .map_or_else(|| facts_of_short(answer, date, expires_in), |jwt| Facts::from_claims(&jwt.claims));
        if let Some(mom_id) = answer.get("mom_id").and_then(Value::as_str).filter(|id| !id.is_empty()) {
            facts.mom_id = Some(Untrusted::from(mom_id));
        }
        Some(Self { mytoken: Secret::new(mytoken), short, facts, expires_in })
    }

    /// Reads the mytoken of an answer, also out of one that broke off behind it.
    pub(super) fn of(answer: &Answer) -> Option<Self> {
        let content = content(answer.bytes());
        match content.as_ref().and_then(Wiped::object) {
            Some(object) => Self::read(object, answer.date),
            None => salvaged(answer.bytes(), &["\"mytoken\""]).and_then(|mytoken| Self::bare(&mytoken)),
        }
    }

    /// One that came without any word about it: in a cookie, or out of the ruins of an answer.
    pub(super) fn bare(mytoken: &Secret) -> Option<Self> {
        let answer = Wiped(serde_json::json!({ "mytoken": mytoken.expose() }));
        Self::read(answer.object()?, None)
    }
}

/// The answer stands in for the claims that a short token does not carry.
pub(super) fn facts_of_short(
    answer: &Map<String, Value>,
    date: Option<Timestamp>,
    expires_in: Option<Duration>,
) -> Facts {
    let mut facts = Facts {
        capabilities: jwt::texts(answer.get("capabilities")).into_iter().map(Capability).collect(),
        rotation: answer.get("rotation").and_then(Value::as_object).map(Rotation::from_json),
        ..Facts::default()
    };
    if let Some(Value::Array(clauses)) = answer.get("restrictions") {
        facts.restrictions = clauses.iter().filter_map(Value::as_object).map(Clause::from_json).collect();
    }
    let by_clock = date
        .zip(expires_in)
        .map(|(date, span)| later(date, SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX)));
    // Without a clock the rule by which the server computes it (§4.4): the last end of all clauses, if each has one.
    let ends: Option<Vec<Timestamp>> = facts.restrictions.iter().map(|clause| clause.expires).collect();
    facts.expires = by_clock.or_else(|| ends.and_then(|ends| ends.into_iter().max()));
    facts
}

/// A number of seconds, also as a text; held to what a timer can bear.
pub(super) fn seconds(value: &Value) -> Option<Duration> {
    const LONGEST: u64 = 400 * 366 * 86_400;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let number = value
        .as_u64()
        .or_else(|| value.as_f64().filter(|number| *number >= 0.0).map(|number| number as u64))
        .or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()))?;
    Some(Duration::from_secs(number.min(LONGEST)))
}

/// How large an answer may be.
#[derive(Clone, Copy)]
pub(super) enum Size {
    Token,
    Document,
}

/// Reads what was asked for out of a success; `None`: its body is no JSON object.
pub(super) type Reader<T> = fn(Option<&Map<String, Value>>) -> Result<T, Error>;

/// Sends `body` with `sent` in it, and reads the answer: first a new copy of `sent`, then the outcome.
pub(super) async fn ask<T>(
    http: &Http,
    url: &Url,
    sent: &Secret,
    body: &impl Serialize,
    size: Size,
    read: Reader<T>,
) -> Reply<T> {
    ask_whole(http, url, sent, body, size, |_, object| read(object)).await
}

/// As [`ask`], for what is read out of more than the JSON object: the clock, or the ruins of a body.
pub(super) async fn ask_whole<T>(
    http: &Http,
    url: &Url,
    sent: &Secret,
    body: &impl Serialize,
    size: Size,
    read: impl FnOnce(&Answer, Option<&Map<String, Value>>) -> Result<T, Error>,
) -> Reply<T> {
    let body = body_of(body);
    let answer = match size {
        Size::Token => http.post_for_token(url, &Credentials::None, &body).await,
        Size::Document => http.post(url, &Credentials::None, &body).await,
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            let in_doubt = may_have_arrived(&error);
            return Reply { in_doubt, ..Reply::unsent(error.into()) };
        }
    };
    let content = content(answer.bytes());
    let object = content.as_ref().and_then(Wiped::object);
    let update = update(answer.bytes(), object, answer.mytoken_cookie.as_ref(), sent, answer.date);
    let in_doubt = update.is_none() && may_hide_an_update(&answer, object);
    let outcome = if answer.is_success() { read(&answer, object) } else { Err(No::of(&answer).into()) };
    Reply { update, in_doubt, date: answer.date, allowance: answer.allowance, outcome }
}

/// A JSON body, straight into wiped memory.
pub(super) fn body_of(content: &impl Serialize) -> Body {
    let mut bytes = Vec::with_capacity(BODY);
    // Only maps with keys that are no texts can fail here, and there are none.
    if serde_json::to_writer(&mut bytes, content).is_err() {
        bytes.clear();
    }
    Body::Json(Zeroizing::new(String::from_utf8(bytes).unwrap_or_default()))
}

/// A mytoken or code as it may be sent: the server takes a trailing newline and refuses a leading blank (§2.1.2).
pub(super) fn trimmed(secret: &Secret) -> &str {
    secret.expose().trim()
}

/// A JSON value whose texts are wiped when it goes: they may be tokens.
pub(super) struct Wiped(Value);

impl Wiped {
    pub(super) fn object(&self) -> Option<&Map<String, Value>> {
        self.0.as_object()
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(list) => list.iter_mut().for_each(wipe),
        Value::Object(map) => map.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The body as JSON, also where some text in it is not UTF-8.
pub(super) fn content(bytes: &[u8]) -> Option<Wiped> {
    let value = serde_json::from_slice(bytes).ok().or_else(|| {
        let text = Zeroizing::new(String::from_utf8_lossy(bytes).into_owned());
        serde_json::from_str(&text).ok()
    });
    value.map(Wiped)
}

/// The new copy: from `token_update`; else out of what is left of a broken body; else from the cookie, which some
/// answers lose the JSON member to (§2.8).
fn update(
    bytes: &[u8],
    object: Option<&Map<String, Value>>,
    cookie: Option<&Secret>,
    sent: &Secret,
    date: Option<Timestamp>,
) -> Option<Issued> {
    let told = match object {
        Some(object) => {
            object.get("token_update").and_then(Value::as_object).and_then(|told| Issued::read(told, date))
        }
        None => {
            salvaged(bytes, &["\"token_update\"", "\"mytoken\""]).and_then(|mytoken| Issued::bare(&mytoken))
        }
    };
    told.or_else(|| {
        // Of a new subtoken's answer, the subtoken is no copy of its parent.
        let child = object.and_then(|object| object.get("mytoken")).and_then(Value::as_str).map(str::trim);
        let cookie = cookie.filter(|cookie| {
            trimmed(cookie) != trimmed(sent) && child.is_none_or(|child| trimmed(cookie) != child)
        })?;
        Issued::bare(cookie)
    })
}

/// Finds the text value behind the given keys, one after the other, in what does not parse. Quotes inside of JSON
/// texts are escaped, so that no text can pose as a key.
pub(super) fn salvaged(bytes: &[u8], keys: &[&str]) -> Option<Secret> {
    let text = Zeroizing::new(String::from_utf8_lossy(bytes).into_owned());
    let mut rest = text.as_str();
    for key in keys {
        rest = rest.split_once(key)?.1;
    }
    let value = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    // A token that breaks off is none.
    let (value, _) = value.split_once('"')?;
    let whole = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    whole.then(|| Secret::new(value))
}

/// Whether a request may have been carried out although no answer came.
fn may_have_arrived(error: &http::Error) -> bool {
    match error {
        http::Error::Insecure(_)
        | http::Error::Unreachable { .. }
        | http::Error::Tls { .. }
        | http::Error::Certificate { .. }
        | http::Error::NoAuthority { .. }
        | http::Error::NoTrustStore(_) => false,
        http::Error::TimedOut { .. }
        | http::Error::TooLarge { .. }
        | http::Error::Redirected { .. }
        | http::Error::Broken { .. } => true,
    }
}

/// Whether an answer without a usable update may have had one. A refusal by the server itself has none: what fails
/// there is rolled back (§12.32). One by something in front of it says nothing about what happened behind.
fn may_hide_an_update(answer: &Answer, object: Option<&Map<String, Value>>) -> bool {
    let Some(object) = object else {
        // Nothing, or the text `Created` (§2.1.4); a refusal as text or page, unless it is a proxy's timeout.
        return !matches!(answer.status, 201 | 204 | 400..=407 | 409..=499);
    };
    if object.get("token_update").is_some_and(|told| !told.is_null()) {
        return true;
    }
    let error = object.get("error").and_then(Value::as_str);
    match answer.status {
        // The provider's own status is passed on with this code.
        _ if error == Some("oidc_error") => false,
        502..=504 => true,
        500.. => error.is_none(),
        _ => false,
    }
}

#[cfg(test)]
pub(super) mod tests;
