//! A mytoken server in this process that answers as 0.10.2 was recorded to, faults included (mytoken-api.md).
//!
//! A request enters in [`Mytokens::handler`], is sent to the file of its concern by `route`, and works on the
//! one `table::Table` behind a lock that is never held while the provider is asked. Settings and
//! notifications are not served yet: each will be a file of its own and a line in `route`.

mod access;
mod asked;
mod body;
mod capability;
mod claims;
mod codes;
mod consent;
mod discovery;
mod forest;
mod form;
mod guest;
mod history;
mod issue;
mod jwt;
mod limit;
mod login;
mod page;
mod presented;
mod profiles;
mod random;
mod refusal;
mod restriction;
mod revocation;
mod rotation;
mod settings;
mod subtoken;
mod table;
mod templates;
#[cfg(test)]
mod tests;
mod tighten;
mod tokeninfo;
mod traps;
mod unfold;
mod upstream;

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::time::Clock;
use crate::sandbox::serve::{Handler, Request, Response};
use refusal::Refusal;
use restriction::Place;
use table::{Event, Table};

pub use issue::{Issued, Order};
pub use restriction::Clause;
pub use rotation::Rotation;
pub use settings::{Provider, Settings};
pub use templates::{Kind, Template};
pub use traps::Traps;

/// Why a server cannot be made, or a mytoken not be issued directly.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No signing key could be made.
    #[error("the sandbox could not make a signing key")]
    Key,
    /// No HTTP client for the providers could be made.
    #[error("the sandbox could not make an HTTP client")]
    Client(#[source] reqwest::Error),
    /// A mytoken that was named is not there, or was revoked.
    #[error("the sandbox knows no such mytoken")]
    Unknown,
    /// A mytoken could not be signed.
    #[error("the sandbox could not sign a mytoken")]
    Signing,
}

/// A mytoken server. Clones are the same server.
#[derive(Clone)]
pub struct Mytokens(Arc<Inner>);

struct Inner {
    settings: Settings,
    clock: Arc<dyn Clock>,
    key: jwt::SigningKey,
    client: reqwest::Client,
    table: Mutex<Table>,
    traps: Mutex<Traps>,
    caller: Mutex<Option<(IpAddr, String)>>,
    limiter: Mutex<limit::Limiter>,
    addresses: Mutex<HashMap<String, upstream::Addresses>>,
    requests: Mutex<BTreeMap<String, u64>>,
    stale: AtomicU64,
    turn: tokio::sync::Mutex<()>,
}

/// A request and what the server knows about who sends it.
pub(crate) struct Asked {
    pub(crate) request: Request,
    pub(crate) place: Place,
}

impl Asked {
    /// The address it comes from, as it is kept in histories.
    pub(crate) fn address(&self) -> String {
        self.place.address.to_string()
    }

    /// An entry for a history.
    pub(crate) fn event(&self, event: &'static str, comment: impl Into<String>) -> Event {
        Event {
            what: event,
            comment: comment.into(),
            time: self.place.now,
            ip: self.address(),
            user_agent: self.request.header("user-agent").unwrap_or_default().to_owned(),
        }
    }
}

impl Mytokens {
    /// A server that nobody listens to yet, with a signing key of its own.
    ///
    /// # Errors
    /// When the machine gives no random numbers or no HTTP client.
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let table = Table { templates: settings.templates.clone(), ..Table::default() };
        Ok(Self(Arc::new(Inner {
            settings,
            clock,
            key: jwt::SigningKey::generate().ok_or(Error::Key)?,
            client: upstream::client()?,
            table: Mutex::new(table),
            traps: Mutex::default(),
            caller: Mutex::default(),
            limiter: Mutex::default(),
            addresses: Mutex::default(),
            requests: Mutex::default(),
            stale: AtomicU64::new(0),
            turn: tokio::sync::Mutex::default(),
        })))
    }

    /// What answers the requests: hand it to [`crate::sandbox::serve::Bound::serve`].
    #[must_use]
    pub fn handler(&self) -> Handler {
        let server = self.clone();
        Arc::new(move |request| {
            let server = server.clone();
            Box::pin(async move { server.answer(request).await })
        })
    }

    /// The switches for the faults of 0.10.2. Holds a lock: do not keep it over a request.
    pub fn traps(&self) -> MutexGuard<'_, Traps> {
        locked(&self.0.traps)
    }

    /// From now on every request seems to come from `address` in `country` (upper case); `None`: as it does.
    pub fn set_caller(&self, caller: Option<(IpAddr, &str)>) {
        *locked(&self.0.caller) = caller.map(|(address, country)| (address, country.to_owned()));
    }

    /// How often an outdated version of a rotating mytoken was presented: a good client never does that.
    #[must_use]
    pub fn stale_presentations(&self) -> u64 {
        self.0.stale.load(Ordering::SeqCst)
    }

    /// How many requests there were with this method and path, such as `POST /api/v0/token/access`.
    #[must_use]
    pub fn requests(&self, method_and_path: &str) -> u64 {
        locked(&self.0.requests).get(method_and_path).copied().unwrap_or_default()
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn key(&self) -> &jwt::SigningKey {
        &self.0.key
    }

    pub(crate) fn client(&self) -> &reqwest::Client {
        &self.0.client
    }

    pub(crate) fn table(&self) -> MutexGuard<'_, Table> {
        locked(&self.0.table)
    }

    pub(crate) fn known_addresses(&self) -> MutexGuard<'_, HashMap<String, upstream::Addresses>> {
        locked(&self.0.addresses)
    }

    /// Waits until no other refresh token is being used.
    pub(crate) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.turn.lock().await
    }

    pub(crate) fn now(&self) -> i64 {
        self.0.clock.now().as_second()
    }

    pub(crate) fn saw_stale(&self) {
        self.0.stale.fetch_add(1, Ordering::SeqCst);
    }

    async fn answer(&self, request: Request) -> Response {
        *locked(&self.0.requests).entry(format!("{} {}", request.method, request.path)).or_default() += 1;
        let asked = Asked { place: self.place(&request), request };
        let allowance = locked(&self.0.limiter).take(self.settings(), asked.place.address, asked.place.now);
        let response = match allowance.refusal() {
            Some(refusal) => refusal,
            None => self.route(&asked).await.unwrap_or_else(Response::from),
        };
        if self.traps().answers_get_lost {
            return page::end(504, "Gateway Time-out", "The server did not answer in time.");
        }
        let response = allowance.mark(response, self.settings().rate_limit);
        self.dressed(&asked.request, response)
    }

    async fn route(&self, asked: &Asked) -> Result<Response, Refusal> {
        let request = &asked.request;
        let method = if request.method == "HEAD" { "GET" } else { request.method.as_str() };
        if let Some(code) = request.path.strip_prefix("/c/") {
            match method {
                "GET" => return Ok(self.consent_page(asked, code)),
                "POST" => return self.consent(asked, code).await,
                _ => {}
            }
        }
        let settings = self.settings();
        if let Some(path) = request.path.strip_prefix("/api/v0/pt")
            && settings.profiles
        {
            return self.profiles(asked, method, path);
        }
        match (method, request.path.as_str()) {
            ("OPTIONS", _) => Ok(Response::empty(204)),
            ("GET", "/.well-known/mytoken-configuration" | "/.well-known/openid-configuration") => {
                Ok(Response::json(200, &self.configuration()))
            }
            ("GET", "/jwks") => Ok(Response::json(200, &self.key().jwks())),
            ("GET", "/api/v0/settings") => Ok(Response::json(200, &self.settings_addresses())),
            ("POST", "/api/v0/token/my") => self.mytoken_endpoint(asked).await,
            ("POST", "/api/v0/token/access") => self.access_token(asked).await,
            ("POST", "/api/v0/token/revoke") => self.revocation(asked).await,
            ("POST", "/api/v0/token/transfer") if settings.transfer_codes => self.transfer_code(asked),
            ("POST", "/api/v0/tokeninfo") if !settings.actions.is_empty() => self.tokeninfo(asked).await,
            ("GET", "/redirect") => Ok(self.back_from_provider(asked).await),
            ("GET", "/native") => Ok(page::end(200, "You are logged in", "Go back to your program.")),
            ("GET", "/native/abort") => {
                Ok(page::end(200, "Declined", "Nothing was given. Go back to your program."))
            }
            ("GET", "/") => {
                Ok(page::end(200, "A mytoken server", "The sandbox of toktui: nothing here is real."))
            }
            ("GET", "/api/v0/guests/.well-known/openid-configuration") if settings.guest => {
                Ok(self.guest_configuration())
            }
            ("GET", "/api/v0/guests/auth") if settings.guest => Ok(self.guest_sign_in(asked)),
            ("POST", "/api/v0/guests/token") if settings.guest => self.guest_tokens(asked),
            _ => Ok(page::not_found(request)),
        }
    }

    fn place(&self, request: &Request) -> Place {
        let now = self.now();
        if let Some((address, country)) = locked(&self.0.caller).clone() {
            return Place { address, country, now };
        }
        let address = match request.peer.ip() {
            IpAddr::V6(address) if address.is_loopback() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            address => address,
        };
        Place { address, country: self.settings().country.clone(), now }
    }

    /// Adds the headers that every answer has.
    fn dressed(&self, request: &Request, response: Response) -> Response {
        let date = self.0.clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let id = random::uuid().map(random::uuid_text).unwrap_or_default();
        let response = response.with("date", date).with("x-request-id", id);
        if request.header("origin").is_none() {
            return response;
        }
        let response = response.with("access-control-allow-origin", "*");
        if request.method != "OPTIONS" {
            return response;
        }
        let wanted = request.header("access-control-request-headers").unwrap_or_default().to_owned();
        response
            .with("vary", "Access-Control-Request-Method, Access-Control-Request-Headers, Origin")
            .with("access-control-allow-methods", "GET,POST,HEAD,PUT,DELETE,PATCH")
            .with("access-control-allow-headers", wanted)
    }
}

/// A panic while a lock was held does not make the server useless: its state is whole between any two lines.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
