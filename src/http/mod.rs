//! The one HTTP client: which addresses it may talk to, how long, how much, and where it never follows.
//!
//! At most [`MOST_AT_ONCE`] requests are under way at one server. security.md B3 (size), B4 (time), B6 (redirects), B8 (proxy), B9 (no token in an address).

mod address;
mod answer;
mod certificate;
mod error;
mod lanes;
mod tls;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, Method};
use tokio::sync::OwnedSemaphorePermit;
use url::Url;
use zeroize::Zeroizing;

pub use address::{is_allowed, is_loopback};
pub use answer::{Answer, Refusal};
pub use error::Error;
pub use lanes::MOST_AT_ONCE;
pub use tls::Flaw;

use crate::domain::secret::Secret;
use crate::domain::untrusted::cleaned;

/// How we call ourselves (`User-Agent`): name and version only.
pub const AGENT: &str = concat!("toktui/", env!("CARGO_PKG_VERSION"));

/// A `GET` follows at most this many redirects, and only on its own host.
const MOST_REDIRECTS: usize = 3;

/// An idle connection is used again within this time only.
const IDLE: Duration = Duration::from_secs(5);

/// How much and how long an answer may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For the connection, TLS included.
    pub connect: Duration,
    /// From sending to the first byte of the answer.
    pub first_byte: Duration,
    /// For the whole exchange.
    pub total: Duration,
    /// Bytes of a document (discovery, key sets, histories).
    pub document: usize,
    /// Bytes of an answer that carries a token.
    pub token: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(10),
            total: Duration::from_secs(20),
            document: 1 << 20,
            token: 64 << 10,
        }
    }
}

/// What is sent, beside the address.
#[derive(Clone, Debug, Default)]
pub enum Body {
    /// Nothing.
    #[default]
    None,
    /// `application/x-www-form-urlencoded`.
    Form(Zeroizing<String>),
    /// `application/json`.
    Json(Zeroizing<String>),
}

impl Body {
    /// A form of these pairs, in this order; one value a name (Keycloak refuses doubled ones).
    pub fn form<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(pairs);
        Self::Form(Zeroizing::new(form.finish()))
    }

    /// A JSON value.
    #[must_use]
    pub fn json(value: &serde_json::Value) -> Self {
        Self::Json(Zeroizing::new(value.to_string()))
    }
}

/// How a request says who asks.
#[derive(Clone, Debug, Default)]
pub enum Credentials {
    /// It does not, or in the body.
    #[default]
    None,
    /// RFC 6750 §2.1.
    Bearer(Secret),
    /// RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
    Basic {
        /// The client id.
        id: String,
        /// The client secret.
        secret: Secret,
    },
}

/// The client. Nothing is built, read or connected before the first request; clones share one pool.
#[derive(Debug)]
pub struct Http {
    limits: Limits,
    /// For `http` on loopback: no proxy, no trust store needed.
    near: OnceLock<Result<reqwest::Client, Error>>,
    far: OnceLock<Result<reqwest::Client, Error>>,
    /// For hosts whose CA the user named, by host and port.
    trusting: Mutex<HashMap<String, Trusting>>,
    refused: Arc<tls::Refused>,
    lanes: lanes::Lanes,
}

/// A CA that is believed for one host only, and the client that does.
#[derive(Debug)]
struct Trusting {
    ca: PathBuf,
    client: Option<Result<reqwest::Client, Error>>,
}

impl Default for Http {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Http {
    /// A client with these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            near: OnceLock::new(),
            far: OnceLock::new(),
            trusting: Mutex::default(),
            refused: Arc::default(),
            lanes: lanes::Lanes::default(),
        }
    }

    /// From now on certificates of the CA in this file (PEM) are believed beside those of the system, from the host and port of this address and from
    /// no other. The file is read at the first request there.
    pub fn trust(&self, address: &str, ca: &Path) {
        if let Some(place) = Url::parse(address).ok().as_ref().and_then(authority) {
            let trusting = Trusting { ca: ca.to_owned(), client: None };
            self.trusting.lock().unwrap_or_else(PoisonError::into_inner).insert(place, trusting);
        }
    }

    /// The limits it holds to.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Reads a document. Follows up to three redirects on the same host and scheme.
    ///
    /// # Errors
    /// Every way of not getting an answer; a refusal by status is an [`Answer`].
    pub async fn get(&self, url: &Url, credentials: &Credentials) -> Result<Answer, Error> {
        let _turn = self.turn(url).await?;
        let deadline = tokio::time::Instant::now() + self.limits.total;
        let mut url = url.clone();
        for _ in 0..=MOST_REDIRECTS {
            let answer = self
                .exchange(Method::GET, &url, credentials, &Body::None, self.limits.document, deadline)
                .await?;
            if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(answer);
            }
            url = next_on_same_host(&url, &answer)?;
        }
        Err(Error::Redirected { host: host_of(&url), to: "the same host again and again".to_owned() })
    }

    /// Reads what stands at an address itself: no redirect is followed, it is the answer.
    ///
    /// # Errors
    /// As for [`Http::get`].
    pub async fn get_itself(&self, url: &Url) -> Result<Answer, Error> {
        let _turn = self.turn(url).await?;
        let deadline = tokio::time::Instant::now() + self.limits.total;
        let (who, most) = (&Credentials::None, self.limits.document);
        self.exchange(Method::GET, url, who, &Body::None, most, deadline).await
    }

    /// Sends a request whose answer is a document of up to 1 MiB. Never follows a redirect.
    ///
    /// # Errors
    /// As for [`Http::get`].
    pub async fn post(&self, url: &Url, credentials: &Credentials, body: &Body) -> Result<Answer, Error> {
        self.send(Method::POST, url, credentials, body, self.limits.document).await
    }

    /// Sends a request whose answer carries a token: at most 64 KiB. Never follows a redirect.
    ///
    /// # Errors
    /// As for [`Http::get`].
    pub async fn post_for_token(
        &self,
        url: &Url,
        credentials: &Credentials,
        body: &Body,
    ) -> Result<Answer, Error> {
        self.send(Method::POST, url, credentials, body, self.limits.token).await
    }

    /// Deletes what stands at an address. Never follows a redirect.
    ///
    /// # Errors
    /// As for [`Http::get`].
    pub async fn delete(&self, url: &Url, credentials: &Credentials) -> Result<Answer, Error> {
        self.send(Method::DELETE, url, credentials, &Body::None, self.limits.document).await
    }

    /// A turn at this server, waited for as long as an exchange may take: nothing was sent when none comes.
    async fn turn(&self, url: &Url) -> Result<Option<OwnedSemaphorePermit>, Error> {
        tokio::time::timeout(self.limits.total, self.lanes.turn(url)).await.map_err(|_| Error::Unreachable {
            host: host_of(url),
            why: format!("{MOST_AT_ONCE} requests to it are still unanswered"),
        })
    }

    async fn send(
        &self,
        method: Method,
        url: &Url,
        who: &Credentials,
        body: &Body,
        most: usize,
    ) -> Result<Answer, Error> {
        let _turn = self.turn(url).await?;
        let deadline = tokio::time::Instant::now() + self.limits.total;
        let answer = self.exchange(method, url, who, body, most, deadline).await?;
        if matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
            let to = answer.location.as_deref().map_or_else(|| "nowhere".to_owned(), cleaned);
            return Err(Error::Redirected { host: host_of(url), to });
        }
        Ok(answer)
    }

    async fn exchange(
        &self,
        method: Method,
        url: &Url,
        credentials: &Credentials,
        body: &Body,
        most: usize,
        deadline: tokio::time::Instant,
    ) -> Result<Answer, Error> {
        let host = host_of(url);
        let client = self.client_for(url)?;
        // What an earlier request was refused for, that nobody waited for any more.
        drop(url.host_str().and_then(|host| self.refused.take(host)));
        let mut request = client.request(method, url.clone()).headers(headers(credentials, body));
        if let Body::Form(text) | Body::Json(text) = body {
            request = request.body(text.as_bytes().to_vec());
        }
        let seconds = |limit: Duration| limit.as_secs().max(1);
        let first_byte = deadline.min(tokio::time::Instant::now() + self.limits.first_byte);
        let response = match tokio::time::timeout_at(first_byte, request.send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(self.named(url, &error)),
            Err(_) => return Err(Error::TimedOut { host, seconds: seconds(self.limits.first_byte) }),
        };
        let mut answer = Answer::head(response.status().as_u16(), response.headers());
        let broken = match tokio::time::timeout_at(deadline, read(response, most)).await {
            Ok(Ok(Some(bytes))) => {
                answer.body = bytes;
                return Ok(answer);
            }
            Ok(Ok(None)) => Error::TooLarge { host, limit: most },
            Ok(Err(error)) => error::named(&host, &error, self.limits),
            Err(_) => Error::TimedOut { host, seconds: seconds(self.limits.total) },
        };
        // A rotated mytoken that came in the head is the only one that works now: it must not go with the body.
        if answer.mytoken_cookie.is_some() { Ok(answer) } else { Err(broken) }
    }

    /// Why no answer came: a certificate that was refused tells more than the connection that broke over it.
    fn named(&self, url: &Url, error: &reqwest::Error) -> Error {
        match url.host_str().filter(|_| error.is_connect()).and_then(|host| self.refused.take(host)) {
            Some(flaw) => Error::Certificate { host: host_of(url), flaw },
            None => error::named(&host_of(url), error, self.limits),
        }
    }

    fn client_for(&self, url: &Url) -> Result<reqwest::Client, Error> {
        if !is_allowed(url) {
            return Err(Error::Insecure(host_of(url)));
        }
        if let Some(place) = authority(url)
            && let Some(trusting) =
                self.trusting.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&place)
        {
            let ca = trusting.ca.clone();
            return trusting.client.get_or_insert_with(|| self.build(false, Some(&ca))).clone();
        }
        let cell = if url.scheme() == "http" { &self.near } else { &self.far };
        cell.get_or_init(|| self.build(url.scheme() == "http", None)).clone()
    }

    fn build(&self, near: bool, ca: Option<&Path>) -> Result<reqwest::Client, Error> {
        let mut builder = reqwest::Client::builder()
            .user_agent(AGENT)
            .connect_timeout(self.limits.connect)
            // A server that has closed an idle connection would leave a renewal in doubt that it never saw.
            .pool_idle_timeout(IDLE)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false);
        builder = if near {
            builder.no_proxy().tls_certs_only(std::iter::empty())
        } else {
            builder.https_only(true).tls_backend_preconfigured(tls::config(ca, &self.refused)?)
        };
        builder.build().map_err(|error| Error::NoTrustStore(error::deepest(&error)))
    }
}

fn headers(credentials: &Credentials, body: &Body) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    match body {
        Body::None => {}
        Body::Form(_) => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        }
        Body::Json(_) => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
    }
    let authorization = match credentials {
        Credentials::None => return headers,
        Credentials::Bearer(token) => Zeroizing::new(format!("Bearer {}", token.expose())),
        Credentials::Basic { id, secret } => basic(id, secret),
    };
    // A value that cannot stand in a header is left out: the server then says that it is missing.
    if let Ok(mut value) = HeaderValue::from_str(&authorization) {
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    headers
}

fn basic(id: &str, secret: &Secret) -> Zeroizing<String> {
    use base64::Engine as _;
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Zeroizing::new(format!("{}:{}", encode(id), encode(secret.expose())));
    Zeroizing::new(format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair.as_bytes())))
}

/// Reads a body up to `most` bytes; `None` where there is more.
async fn read(
    mut response: reqwest::Response,
    most: usize,
) -> Result<Option<Zeroizing<Vec<u8>>>, reqwest::Error> {
    if response.content_length().is_some_and(|length| length > most as u64) {
        return Ok(None);
    }
    let mut bytes = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await? {
        if bytes.len() + chunk.len() > most {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Some(bytes))
}

fn next_on_same_host(from: &Url, answer: &Answer) -> Result<Url, Error> {
    let refused = |to: String| Error::Redirected { host: host_of(from), to };
    let to = answer.location.as_deref().ok_or_else(|| refused("nowhere".to_owned()))?;
    let next = from.join(to).map_err(|_| refused(cleaned(to)))?;
    if next.scheme() == from.scheme() && host_of(&next) == host_of(from) {
        Ok(next)
    } else {
        Err(refused(host_of(&next)))
    }
}

/// Host and port of an `https` address, as certificates are judged by them.
fn authority(url: &Url) -> Option<String> {
    let port = url.port_or_known_default().filter(|_| url.scheme() == "https")?;
    Some(format!("{}:{port}", url.host_str()?))
}

/// The proxy through which an address is reached, as the surroundings say (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`, or the system's settings): host and
/// port, without name and password.
#[must_use]
pub fn proxy_of(address: &str) -> Option<String> {
    let url = Url::parse(address).ok().filter(|url| url.scheme() == "https")?;
    let uri: http::Uri = url.as_str().parse().ok()?;
    let through = hyper_util::client::proxy::matcher::Matcher::from_system().intercept(&uri)?;
    Url::parse(&through.uri().to_string()).ok().map(|proxy| host_of(&proxy))
}

/// Host and port of an address, fit to be shown: never its path, query or user part.
#[must_use]
pub fn host_of(url: &Url) -> String {
    let host = cleaned(url.host_str().unwrap_or("no host"));
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host,
    }
}

/// `Location` as text, where there is one.
fn location(headers: &HeaderMap) -> Option<String> {
    headers.get(LOCATION).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}
