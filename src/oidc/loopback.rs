//! A local port that catches the one redirect of this login, answers everything else, and closes (RFC 8252 §7.3).

use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;
use zeroize::Zeroizing;

use super::Error;
use super::callback::{self, Expectation, Fault};
use crate::domain::secret::Secret;
use crate::domain::source::Redirect;

/// A request's head may have so many bytes.
const LONGEST_HEAD: usize = 16 << 10;
/// A connection may take so long, from its first byte to the end of its answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// So many connections are served at once; more wait.
const MOST_CONNECTIONS: usize = 8;
/// After the answer the other side gets so long to close first, else it might never read what we said.
const PARTING: Duration = Duration::from_millis(250);
/// The port of a redirect address at which nobody listens, where any will do.
const ANY_PORT: u16 = 45_123;
/// So often a free port is sought that is free on both loopback addresses.
const TRIES: usize = 20;

/// The bound port, before anybody knows its address. Dropping it frees the port.
#[derive(Debug)]
pub struct Listener {
    v4: TcpListener,
    v6: Option<TcpListener>,
    port: u16,
    redirect_uri: Url,
}

impl Listener {
    /// Binds the first registered port that is free; any port where none is registered. Only the literal loopback
    /// addresses are bound: `127.0.0.1`, and `[::1]` too where the redirect goes to `localhost`, since a browser may
    /// take either.
    ///
    /// # Errors
    /// [`Error::Listener`], also where every registered port is taken: another one would be refused by the provider, with a page of its own
    /// and without a word to us.
    pub async fn bind(redirect: &Redirect) -> Result<Self, Error> {
        for port in &redirect.ports {
            if let Ok((v4, v6)) = sockets(*port, redirect.by_name).await {
                return Self::on(v4, v6, redirect);
            }
        }
        if !redirect.ports.is_empty() {
            let ports: Vec<_> = redirect.ports.iter().map(u16::to_string).collect();
            return Err(Error::Listener(format!("what is registered is taken here: {}", ports.join(", "))));
        }
        let mut last = None;
        for _ in 0..TRIES {
            match sockets(0, redirect.by_name).await {
                Ok((v4, v6)) => return Self::on(v4, v6, redirect),
                Err(error) => last = Some(error),
            }
        }
        Err(Error::Listener(last.map_or_else(String::new, |error| error.to_string())))
    }

    fn on(v4: TcpListener, v6: Option<TcpListener>, wanted: &Redirect) -> Result<Self, Error> {
        let port = v4.local_addr().map_err(|error| Error::Listener(error.to_string()))?.port();
        Ok(Self { v4, v6, port, redirect_uri: address(wanted, port)? })
    }

    /// Where a browser is sent back to while nobody listens: it ends on an error page of its own, whose address the user pastes. A registered
    /// port where there are some. Somebody else's program may listen there: the code is of no use without our verifier (RFC 7636 §1).
    ///
    /// # Errors
    /// [`Error::Listener`] where the client's redirect path is none.
    pub fn unheard(redirect: &Redirect) -> Result<Url, Error> {
        address(redirect, redirect.ports.first().copied().unwrap_or(ANY_PORT))
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The redirect address to send to the provider.
    #[must_use]
    pub fn redirect_uri(&self) -> &Url {
        &self.redirect_uri
    }

    /// Waits for the one redirect that carries our `state`. Everything else is answered and changes nothing. Returns
    /// once, and with that, or when the future is dropped, the port is free.
    ///
    /// # Errors
    /// [`Error::Authorization`] when the provider answered with something else than a code.
    pub async fn wait(self, expected: &Expectation) -> Result<Secret, Error> {
        self.wait_telling(expected, &Notify::new()).await
    }

    /// The same; `other` is told when the answer to another login came, of which the user should hear: an older tab, or somebody's attempt.
    ///
    /// # Errors
    /// As for [`Listener::wait`].
    pub async fn wait_telling(self, expected: &Expectation, other: &Notify) -> Result<Secret, Error> {
        let won = AtomicBool::new(false);
        let mut talks = FuturesUnordered::new();
        loop {
            tokio::select! {
                biased;
                Some(outcome) = talks.next(), if !talks.is_empty() => {
                    if let Some(outcome) = outcome {
                        let outcome: Result<Secret, Fault> = outcome;
                        return outcome.map_err(Error::Authorization);
                    }
                }
                stream = self.accept(), if talks.len() < MOST_CONNECTIONS => match stream {
                    Ok(stream) => talks.push(talk(stream, expected, &won, other)),
                    // Out of descriptors: wait for some to come back.
                    Err(_) => sleep(Duration::from_millis(20)).await,
                },
            }
        }
    }

    async fn accept(&self) -> io::Result<TcpStream> {
        let v6 = async {
            match &self.v6 {
                Some(listener) => listener.accept().await,
                None => pending().await,
            }
        };
        tokio::select! {
            accepted = self.v4.accept() => accepted,
            accepted = v6 => accepted,
        }
        .map(|(stream, _)| stream)
    }
}

fn address(wanted: &Redirect, port: u16) -> Result<Url, Error> {
    let host = if wanted.by_name { "localhost" } else { "127.0.0.1" };
    Url::parse(&format!("http://{host}:{port}{}", wanted.path))
        .ok()
        .filter(|url| url.port_or_known_default() == Some(port) && url.query().is_none())
        .ok_or_else(|| Error::Listener("the redirect path of this client is no path".to_owned()))
}

async fn sockets(port: u16, both: bool) -> io::Result<(TcpListener, Option<TcpListener>)> {
    let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    if !both {
        return Ok((v4, None));
    }
    match TcpListener::bind((Ipv6Addr::LOCALHOST, v4.local_addr()?.port())).await {
        Ok(v6) => Ok((v4, Some(v6))),
        // Somebody else's port there would get the browser's answer.
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(error),
        // This machine has no IPv6.
        Err(_) => Ok((v4, None)),
    }
}

/// Serves one connection: one request, one answer. Some outcome where it was the redirect of this login.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    expected: &Expectation,
    won: &AtomicBool,
    other: &Notify,
) -> Option<Result<Secret, Fault>> {
    let deadline = Instant::now() + PATIENCE;
    let (page, mut outcome) = match timeout_at(deadline, head(&mut stream)).await {
        Err(_) => (Page::TooSlow, None),
        Ok(Ok(Some(head))) => {
            let judged = judge(&head, expected);
            if judged.0 == Page::OtherLogin {
                other.notify_one();
            }
            judged
        }
        Ok(Ok(None)) => (Page::TooLarge, None),
        Ok(Err(_)) => return None,
    };
    // The state is good once, also for two requests that arrive together.
    let page = if outcome.is_some() && won.swap(true, Ordering::SeqCst) {
        outcome = None;
        Page::OtherLogin
    } else {
        page
    };
    let answer = async {
        stream.write_all(page.answer().as_bytes()).await?;
        stream.shutdown().await
    };
    let parting = Instant::now() + PARTING;
    if matches!(timeout_at(deadline.max(parting), answer).await, Ok(Ok(()))) {
        let mut rest = [0; 1024];
        while matches!(timeout_at(parting, stream.read(&mut rest)).await, Ok(Ok(1..))) {}
    }
    outcome
}

/// Reads up to the empty line. `None` where it does not come in [`LONGEST_HEAD`] bytes.
async fn head<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    // The whole room at once: growing would leave copies of a code behind.
    let mut bytes = Zeroizing::new(vec![0; LONGEST_HEAD]);
    let mut filled = 0;
    loop {
        let Some(room) = bytes.get_mut(filled..).filter(|room| !room.is_empty()) else { return Ok(None) };
        let count = stream.read(room).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let seen = filled.saturating_sub(3);
        filled += count;
        if bytes.get(seen..filled).is_some_and(|new| new.windows(4).any(|window| window == b"\r\n\r\n")) {
            bytes.truncate(filled);
            return Ok(Some(bytes));
        }
    }
}

/// What a request gets, and whether it ends the login.
fn judge(head: &[u8], expected: &Expectation) -> (Page, Option<Result<Secret, Fault>>) {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let mut words = std::str::from_utf8(line).unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return (Page::NotHttp, None);
    };
    if !version.starts_with("HTTP/1.") {
        return (Page::NotHttp, None);
    }
    if method != "GET" {
        return (Page::NotGet, None);
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if path != expected.redirect.path() {
        return (Page::NotHere, None);
    }
    match callback::read(query, expected) {
        Ok(Ok(code)) => (Page::Done, Some(Ok(code))),
        Ok(Err(fault)) => (Page::Refused, Some(Err(fault))),
        Err(_) if callback::has_answer(query) => (Page::OtherLogin, None),
        Err(_) => (Page::NotOurs, None),
    }
}

/// All that this listener ever says. Nothing of a request is in it (security.md A6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page {
    Done,
    Refused,
    NotOurs,
    OtherLogin,
    NotHere,
    NotGet,
    NotHttp,
    TooSlow,
    TooLarge,
}

impl Page {
    fn answer(self) -> String {
        let (status, title, text) = match self {
            Self::Done => {
                ("200 OK", "Back to toktui", "The answer has reached toktui. This tab may be closed.")
            }
            Self::Refused => (
                "200 OK",
                "Not signed in",
                "The provider did not sign you in; toktui says why. This tab may be closed.",
            ),
            Self::NotOurs => (
                "400 Bad Request",
                "Not this login",
                "This is not the answer to the login that toktui waits for.",
            ),
            Self::OtherLogin => (
                "400 Bad Request",
                "Another login",
                "This is the answer to another login than the one that toktui waits for here. If another toktui waits for it, paste \
                 the address of this page there.",
            ),
            Self::NotHere => ("404 Not Found", "Nothing here", "toktui waits here for the end of a login."),
            Self::NotGet => {
                ("405 Method Not Allowed", "Nothing here", "toktui waits here for the end of a login.")
            }
            Self::NotHttp => {
                ("400 Bad Request", "Not understood", "This is no request that toktui understands.")
            }
            Self::TooSlow => ("408 Request Timeout", "Too slow", "The request took too long."),
            Self::TooLarge => {
                ("431 Request Header Fields Too Large", "Too large", "The request is too large.")
            }
        };
        let page = format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\
             <body><h1>{title}</h1><p>{text}</p></body></html>\n"
        );
        let allow = if self == Self::NotGet { "Allow: GET\r\n" } else { "" };
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n{allow}\
             Content-Security-Policy: default-src 'none'\r\nReferrer-Policy: no-referrer\r\n\
             X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n{page}",
            page.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::duplex;

    use super::*;
    use crate::oidc::callback::tests::expectation;

    fn get(target: &str) -> Vec<u8> {
        format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").into_bytes()
    }

    #[test]
    fn each_kind_of_request_gets_its_page() {
        let table: [(&[u8], Page); 13] = [
            (&get("/callback?code=c-1&state=st-1"), Page::Done),
            (&get("/callback?error=access_denied&state=st-1"), Page::Refused),
            (&get("/callback?code=c-1&state=st-2"), Page::OtherLogin),
            (&get("/callback?state=st-1"), Page::NotOurs),
            (&get("/callback"), Page::NotOurs),
            (&get("/favicon.ico"), Page::NotHere),
            (&get("/callback/?code=c-1&state=st-1"), Page::NotHere),
            (&get("http://127.0.0.1/callback?code=c-1&state=st-1"), Page::NotHere),
            (b"POST /callback?code=c-1&state=st-1 HTTP/1.1\r\n\r\n", Page::NotGet),
            (b"GET /callback?code=c-1&state=st-1 x HTTP/1.1\r\n\r\n", Page::NotHttp),
            (b"GET /callback?code=c-1&state=st-1\r\n\r\n", Page::NotHttp),
            (b"GET /callback?code=\xff&state=st-1 HTTP/1.1\r\n\r\n", Page::NotHttp),
            (b"\r\n\r\n", Page::NotHttp),
        ];
        for (head, page) in table {
            let (given, outcome) = judge(head, &expectation(false));
            assert_eq!(given, page, "{}", String::from_utf8_lossy(head));
            assert_eq!(outcome.is_some(), matches!(page, Page::Done | Page::Refused));
        }
    }

    #[test]
    fn ten_thousand_forged_requests_do_not_end_the_login_and_the_right_one_does() {
        let expected = expectation(false);
        let mut accepted = 0;
        for n in 0..10_000 {
            let forged = match n % 8 {
                0 => format!("/callback?code=c-{n}"),
                1 => format!("/callback?code=c-{n}&state=st-{n}x"),
                2 => format!("/callback?code=c-{n}&state={}", &"st-1"[..n % 4]),
                3 => format!("/callback?code=c-{n}&state=st-1&state=st-1"),
                4 => format!("/callback?error=access_denied&error_description=no-{n}"),
                5 => format!("/callback?code=c-{n}&state=ST-1"),
                6 => format!("/callback?code=c-{n}&state=st-1{n}"),
                _ => format!("/callback?code=c-{n}&State=st-1&state%20=st-1"),
            };
            accepted += usize::from(judge(&get(&forged), &expected).1.is_some());
        }
        assert_eq!(accepted, 0);
        let (_, outcome) = judge(&get("/callback?code=c-1&state=st-1"), &expected);
        assert_eq!(outcome, Some(Ok(Secret::new("c-1"))));
    }

    #[test]
    fn no_page_holds_anything_but_its_own_words_and_each_has_the_safe_headers() {
        for page in [
            Page::Done,
            Page::Refused,
            Page::NotOurs,
            Page::OtherLogin,
            Page::NotHere,
            Page::NotGet,
            Page::NotHttp,
            Page::TooSlow,
            Page::TooLarge,
        ] {
            let answer = page.answer();
            let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
            assert!(head.contains("\r\nContent-Security-Policy: default-src 'none'\r\n"), "{page:?}");
            assert!(head.contains("\r\nReferrer-Policy: no-referrer\r\n"), "{page:?}");
            assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())), "{page:?}");
        }
    }

    async fn talked(request: &[u8]) -> (String, Option<Result<Secret, Fault>>) {
        let (mut near, far) = duplex(64 << 10);
        let (expected, won, other) = (expectation(false), AtomicBool::new(false), Notify::new());
        let asking = async {
            near.write_all(request).await.expect("sent");
            let mut answer = String::new();
            near.read_to_string(&mut answer).await.expect("answered");
            answer
        };
        tokio::join!(asking, talk(far, &expected, &won, &other))
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_never_ends_is_given_up_after_five_seconds() {
        let begun = Instant::now();
        let (answer, outcome) = talked(b"GET /callback?code=c-1&state=st-1 HTTP/1.1\r\nHost: x\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert_eq!(outcome, None);
        assert_eq!(begun.elapsed().as_secs(), PATIENCE.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_of_more_than_16_kib_is_refused_at_that_size() {
        let mut request = get("/callback?code=c-1&state=st-1");
        request.truncate(request.len() - 2);
        request.extend(b"X: ".iter().chain(std::iter::repeat_n(&b'x', LONGEST_HEAD)));
        let (answer, outcome) = talked(&request).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
        assert_eq!(outcome, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_state_is_good_for_one_request_only() {
        let (expected, won) = (expectation(false), AtomicBool::new(false));
        let mut outcomes = Vec::new();
        for _ in 0..2 {
            let (mut near, far) = duplex(64 << 10);
            near.write_all(&get("/callback?code=c-1&state=st-1")).await.expect("sent");
            outcomes.push(talk(far, &expected, &won, &Notify::new()).await.is_some());
        }
        assert_eq!(outcomes, [true, false]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn no_bytes_make_the_judge_panic_or_end_the_login(head in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(judge(&head, &expectation(false)).1.is_none());
        }

        #[test]
        fn no_near_request_ends_the_login(
            head in "(GET|POST|get| ){1,2}( |/|/callback)(\\?|&|code=c|state=st-|error=x|%73|=|#|\\+| ){0,8} HTTP/[01]\\.[01]\r\n.{0,40}"
        ) {
            prop_assert!(judge(head.as_bytes(), &expectation(false)).1.is_none());
        }
    }
}
