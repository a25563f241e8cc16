//! A small HTTP server on loopback: requests in, answers out, nothing of the protocols.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// More than this many bytes of a request body are refused with 413.
const MOST_BODY: usize = 1 << 20;

/// A request, read whole.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, still percent-encoded, without the query.
    pub path: String,
    /// The query, decoded; of a name that is given twice the last one counts.
    pub query: BTreeMap<String, String>,
    /// The headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
    /// Where it came from.
    pub peer: SocketAddr,
}

impl Request {
    /// The body as `application/x-www-form-urlencoded` pairs.
    #[must_use]
    pub fn form(&self) -> BTreeMap<String, String> {
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }

    /// A header's value, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// What stands behind `Bearer ` in the `Authorization` header (scheme name in any case).
    #[must_use]
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, value) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| value.trim())
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// Any three-digit number: mytoken has statuses of its own, such as 278.
    pub status: u16,
    /// Header names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// No content.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// A JSON value, as `application/json`.
    #[must_use]
    pub fn json(status: u16, value: &Value) -> Self {
        Self::empty(status).with("content-type", "application/json").body(value.to_string())
    }

    /// A page, as `text/html`.
    #[must_use]
    pub fn html(status: u16, page: impl Into<String>) -> Self {
        Self::empty(status).with("content-type", "text/html; charset=utf-8").body(page.into())
    }

    /// Plain text.
    #[must_use]
    pub fn text(status: u16, text: impl Into<String>) -> Self {
        Self::empty(status).with("content-type", "text/plain; charset=utf-8").body(text.into())
    }

    /// A redirect to `to`.
    #[must_use]
    pub fn redirect(status: u16, to: impl Into<String>) -> Self {
        Self::empty(status).with("location", to)
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    fn body(mut self, text: String) -> Self {
        self.body = text.into_bytes();
        self
    }
}

/// What answers the requests.
pub type Handler = Arc<dyn Fn(Request) -> BoxFuture<'static, Response> + Send + Sync>;

/// A running server. Dropping it closes the port and ends every connection.
pub struct Server {
    address: SocketAddr,
    _task: AbortOnDrop,
}

impl Server {
    /// The address it listens on: always a loopback one.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }
}

struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A bound port that nobody answers yet: its address is known before the handler is made.
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

/// Binds `127.0.0.1`, on `port` or (0) on a free one.
///
/// # Errors
/// When the port is taken or loopback cannot be bound.
pub async fn bind(port: u16) -> io::Result<Bound> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let address = listener.local_addr()?;
    Ok(Bound { listener, address })
}

impl Bound {
    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Starts to answer with `handler`. Needs a running tokio runtime.
    #[must_use]
    pub fn serve(self, handler: Handler) -> Server {
        let Self { listener, address } = self;
        let task = tokio::spawn(accept(listener, handler));
        Server { address, _task: AbortOnDrop(task) }
    }
}

async fn accept(listener: TcpListener, handler: Handler) {
    // A JoinSet, so that ending the server ends its connections too.
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            // Out of descriptors: wait for some to come back.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let handler = Arc::clone(&handler);
        let service = service_fn(move |request| answer(request, peer, Arc::clone(&handler)));
        connections.spawn(async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(10))
                .serve_connection(TokioIo::new(stream), service);
            // A client that goes away in the middle is its own affair.
            drop(connection.await);
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(
    request: hyper::Request<Incoming>,
    peer: SocketAddr,
    handler: Handler,
) -> Result<hyper::Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MOST_BODY).collect().await else {
        return Ok(sent(Response::text(413, "too large")));
    };
    let query = parts.uri.query().unwrap_or_default();
    let request = Request {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: parts
            .headers
            .iter()
            .map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect(),
        body: body.to_bytes().to_vec(),
        peer,
    };
    Ok(sent(handler(request).await))
}

fn sent(response: Response) -> hyper::Response<Full<Bytes>> {
    let mut builder = hyper::Response::builder().status(response.status);
    for (name, value) in &response.headers {
        builder = builder.header(name, value);
    }
    builder.body(Full::new(Bytes::from(response.body))).unwrap_or_else(|_| {
        let mut broken = hyper::Response::new(Full::new(Bytes::new()));
        *broken.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        broken
    })
}
