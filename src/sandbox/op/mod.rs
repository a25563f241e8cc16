//! An `OpenID` provider on loopback, modelled on what a Keycloak 26 was seen to do (reference `real-parts.md` §2).
//!
//! It is strict where it can be, so that a client that gets along with it gets along with a real one. It opens no port
//! itself: [`Op::handler`] is for [`crate::sandbox::serve`].

mod authorize;
mod device;
mod discovery;
mod exchange;
mod introspect;
mod keys;
mod mint;
mod page;
mod profile;
mod pushed;
mod quirks;
mod refusal;
mod register;
mod revoke;
mod settings;
mod signin;
mod state;
mod token;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use url::Url;

pub use self::quirks::{Counts, ExchangeQuirk, ExpiresIn, IdTokenFault, Quirks, RedirectFault};
pub use self::settings::{Client, Pushing, Registering, Settings, Signing, User};

use self::refusal::Refusal;
use self::state::State;
use super::serve::{Handler, Request, Response};
use crate::domain::time::Clock;

/// So many request lines are kept for [`Op::log`].
const MOST_LINES: usize = 10_000;
/// What Keycloak says of a path that it does not know.
const NO_METHOD: &str = "Unable to find matching target resource method";

type Endpoint = fn(&Call) -> Result<Response, Refusal>;
type Counter = fn(&mut Counts) -> &mut u32;

/// Why a provider could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The issuer is no `http` or `https` address, or has a query or fragment (`OpenID` Connect Discovery §3).
    #[error("the sandbox's issuer is not a usable address")]
    Issuer,
    /// The machine gave no random numbers.
    #[error("no random numbers for the sandbox's keys")]
    Random,
}

/// A provider. Clones are the same provider.
#[derive(Clone)]
pub struct Op(Arc<Inner>);

struct Inner {
    settings: Settings,
    /// The issuer's path, without a slash at its end.
    prefix: String,
    clock: Arc<dyn Clock>,
    /// Signs refresh tokens, for nobody but us.
    sealing: hmac::Key,
    state: Mutex<State>,
    quirks: Mutex<Quirks>,
    counts: Mutex<Counts>,
    log: Mutex<VecDeque<String>>,
}

impl Op {
    /// A provider with these settings that lives by `clock`.
    ///
    /// # Errors
    /// When the issuer is no address, or the machine has no random numbers.
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let issuer = Url::parse(&settings.issuer).map_err(|_| Error::Issuer)?;
        let usable = matches!(issuer.scheme(), "http" | "https");
        if !usable || issuer.query().is_some() || issuer.fragment().is_some() {
            return Err(Error::Issuer);
        }
        let secret = keys::random().map_err(|_| Error::Random)?;
        let inner = Inner {
            prefix: issuer.path().trim_end_matches('/').to_owned(),
            settings,
            clock,
            sealing: hmac::Key::new(hmac::HMAC_SHA512, secret.as_bytes()),
            state: Mutex::default(),
            quirks: Mutex::default(),
            counts: Mutex::default(),
            log: Mutex::default(),
        };
        Ok(Self(Arc::new(inner)))
    }

    /// What answers its requests.
    #[must_use]
    pub fn handler(&self) -> Handler {
        let inner = Arc::clone(&self.0);
        Arc::new(move |request| {
            let inner = Arc::clone(&inner);
            Box::pin(async move { inner.answer(&request).await })
        })
    }

    /// Its settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The switches that make it misbehave. Not to be held across an `await`: its answers wait for it.
    pub fn quirks(&self) -> MutexGuard<'_, Quirks> {
        held(&self.0.quirks)
    }

    /// How often each endpoint was asked.
    #[must_use]
    pub fn counts(&self) -> Counts {
        held(&self.0.counts).clone()
    }

    /// The latest request lines (`GET /path?query`), oldest first: to prove that no token was ever in one.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        held(&self.0.log).iter().cloned().collect()
    }

    /// Ends every sign-in of a user, as an administrator does. Offline refresh tokens outlive it.
    pub fn end_sessions_of(&self, username: &str) {
        for session in self.0.state().sessions.values_mut().filter(|session| session.username == username) {
            session.ended = true;
        }
    }
}

/// One request on its way to its answer.
struct Call<'a> {
    inner: &'a Inner,
    request: &'a Request,
    quirks: Quirks,
    /// Seconds since the epoch.
    now: i64,
    /// The same moment in milliseconds.
    now_ms: i64,
}

impl Inner {
    async fn answer(&self, request: &Request) -> Response {
        self.note(request);
        let quirks = held(&self.quirks).clone();
        if !quirks.extra_delay.is_zero() {
            tokio::time::sleep(quirks.extra_delay).await;
        }
        let now = self.clock.now();
        let call = Call { inner: self, request, quirks, now: now.as_second(), now_ms: now.as_millisecond() };
        let mut answer = if call.quirks.down { page::proxy(503) } else { call.route() };
        if call.quirks.lose_answers {
            answer = page::proxy(504);
        }
        // The clock's own date: a client measures by it how far its clock and ours differ.
        answer.with("date", http_date(now))
    }

    fn note(&self, request: &Request) {
        let mut line = format!("{} {}", request.method, request.path);
        if !request.query.is_empty() {
            let query =
                url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&request.query).finish();
            line = format!("{line}?{query}");
        }
        let mut log = held(&self.log);
        if log.len() == MOST_LINES {
            log.pop_front();
        }
        log.push_back(line);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        held(&self.state)
    }

    /// Counts one more, and says how many there are now.
    fn count(&self, which: impl FnOnce(&mut Counts) -> &mut u32) -> u32 {
        let mut counts = held(&self.counts);
        let number = which(&mut counts);
        *number = number.saturating_add(1);
        *number
    }

    /// The issuer without a slash at its end: what endpoint addresses begin with.
    fn base(&self) -> &str {
        self.settings.issuer.trim_end_matches('/')
    }

    /// The last part of the issuer's path: what Keycloak calls the realm.
    fn realm(&self) -> &str {
        self.prefix.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("sandbox")
    }
}

impl Call<'_> {
    fn route(&self) -> Response {
        let Some(path) =
            self.request.path.strip_prefix(&self.inner.prefix).filter(|path| path.starts_with('/'))
        else {
            self.inner.count(|counts| &mut counts.pages);
            return Refusal::prose(404, "Realm does not exist").into();
        };
        let (methods, counter, endpoint): (&[&str], Counter, Endpoint) = match path {
            "/.well-known/openid-configuration" => {
                (&["GET"], |n| &mut n.discovery, |call| Ok(discovery::document(call)))
            }
            "/protocol/openid-connect/certs" => (&["GET"], |n| &mut n.jwks, discovery::key_set),
            "/protocol/openid-connect/auth" => {
                (&["GET", "POST"], |n| &mut n.authorization, authorize::answer)
            }
            pushed::PATH if self.inner.settings.pushing != Pushing::No => {
                (&["POST"], |n| &mut n.pushed, pushed::take)
            }
            register::PATH => (&["POST"], |n| &mut n.registration, register::take),
            path if path.starts_with(register::BELOW) => {
                (&["DELETE"], |n| &mut n.registration, register::manage)
            }
            "/protocol/openid-connect/auth/device" => (&["POST"], |n| &mut n.device, device::start),
            "/protocol/openid-connect/token" => (&["POST"], |n| &mut n.token, token::answer),
            "/protocol/openid-connect/token/introspect" => {
                (&["POST"], |n| &mut n.introspection, introspect::answer)
            }
            "/protocol/openid-connect/userinfo" => {
                (&["GET", "POST"], |n| &mut n.userinfo, |call| Ok(profile::userinfo(call)))
            }
            "/protocol/openid-connect/revoke" => (&["POST"], |n| &mut n.revocation, revoke::revoke),
            "/protocol/openid-connect/logout" => (&["GET", "POST"], |n| &mut n.end_session, revoke::log_out),
            "/login-actions/authenticate" => (&["POST"], |n| &mut n.pages, signin::pressed),
            "/device" => (&["GET", "POST"], |n| &mut n.pages, signin::device_page),
            "/device/status" => (&["GET"], |n| &mut n.pages, |call| Ok(signin::device_status(call))),
            "/" => (&["GET"], |n| &mut n.pages, |call| Ok(signin::welcome(call))),
            _ => (&["GET", "POST"], |n| &mut n.pages, |_| Err(Refusal::prose(404, NO_METHOD))),
        };
        self.inner.count(counter);
        if !methods.contains(&self.request.method.as_str()) {
            return Refusal::prose(405, "HTTP 405 Method Not Allowed").into();
        }
        endpoint(self).unwrap_or_else(Response::from)
    }

    /// The form of the body, in which no name may come twice (RFC 6749 §3.2).
    fn form(&self) -> Result<BTreeMap<String, String>, Refusal> {
        let kind = self.request.header("content-type").unwrap_or_default();
        if !kind.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
            return Err(Refusal::prose(415, "HTTP 415 Unsupported Media Type"));
        }
        let mut form = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(&self.request.body).into_owned() {
            if name == "resource" && form.contains_key(&name) {
                // Of this one there may be several (RFC 8707 §2).
                form.entry(name).and_modify(|all: &mut String| *all = format!("{all} {value}"));
                continue;
            }
            if form.insert(name, value).is_some() {
                return Err(Refusal::invalid_request("duplicated parameter"));
            }
        }
        Ok(form)
    }

    /// The client of this id: of the settings, or one that registered itself.
    fn known(&self, id: &str) -> Option<Arc<Client>> {
        let registered = || self.inner.state().registered.get(id).map(|known| Arc::clone(&known.client));
        self.inner.settings.client(id).cloned().map(Arc::new).or_else(registered)
    }

    /// The client that asks, by Basic authentication or by the form (RFC 6749 §2.3.1).
    fn client(&self, form: &BTreeMap<String, String>) -> Result<Arc<Client>, Refusal> {
        const WHY: &str = "Invalid client or Invalid client credentials";
        let basic = self.request.header("authorization").and_then(basic);
        let (id, secret) = match &basic {
            Some((id, secret)) => (Some(id), Some(secret)),
            None => (form.get("client_id"), form.get("client_secret")),
        };
        let client =
            id.and_then(|id| self.known(id)).ok_or_else(|| Refusal::new(401, "invalid_client", WHY))?;
        let Some(own) = &client.secret else { return Ok(client) };
        let right = secret
            .is_some_and(|given| verify_slices_are_equal(given.as_bytes(), own.expose().as_bytes()).is_ok());
        if right { Ok(client) } else { Err(Refusal::new(401, "unauthorized_client", WHY)) }
    }
}

/// Name and password of a Basic header, both form-encoded inside (RFC 6749 §2.3.1).
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, value) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let plain = |part: &str| {
        let pair = format!("v={part}");
        url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    Some((plain(id)?, plain(secret)?))
}

/// A moment as HTTP writes it (RFC 9110 §5.6.7).
fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_reads_as_http_wants_it() {
        let at = crate::domain::time::from_epoch(784_111_777);
        assert_eq!(http_date(at), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn a_basic_header_is_form_decoded() {
        let header = format!("basic {}", STANDARD.encode("a%3Ab:s+p%25"));
        assert_eq!(basic(&header), Some(("a:b".to_owned(), "s p%".to_owned())));
        assert_eq!(basic("Bearer x"), None);
    }
}
