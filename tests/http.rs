//! The HTTP client against servers that answer too much, too late, elsewhere or not at all (security.md B3, B4, B6, B9).
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use toktui::domain::secret::Secret;
use toktui::http::{Answer, Body, Credentials, Error, Http, Limits};
use toktui::sandbox::serve::{self, Response, Server};
use url::Url;

/// Limits that are reached in milliseconds.
fn brief() -> Http {
    Http::new(Limits {
        connect: Duration::from_millis(500),
        first_byte: Duration::from_millis(150),
        total: Duration::from_millis(300),
        document: 4096,
        token: 512,
    })
}

async fn serving(answer: impl Fn(&str) -> Response + Send + Sync + 'static) -> (Server, Url) {
    let bound = serve::bind(0).await.expect("a port");
    let answer = Arc::new(answer);
    let server = bound.serve(Arc::new(move |request| {
        let answer = Arc::clone(&answer);
        Box::pin(async move { answer(&request.path) })
    }));
    let url = Url::parse(&format!("{}/start", server.base())).expect("an address");
    (server, url)
}

/// A server that sends these bytes as soon as a request has come, and then does nothing, with the line open.
async fn saying(bytes: &'static [u8]) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = Url::parse(&format!("http://{}/", listener.local_addr().expect("an address"))).expect("a URL");
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut line, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = line.read(&mut request).await;
            let _ = line.write_all(bytes).await;
            open.push(line);
        }
    });
    url
}

async fn get(http: &Http, url: &Url) -> Result<Answer, Error> {
    http.get(url, &Credentials::None).await
}

fn error(result: Result<Answer, Error>) -> Error {
    result.err().expect("no answer may be read")
}

#[tokio::test]
async fn an_answer_over_the_limit_is_dropped_whether_it_says_so_or_not() {
    let http = brief();
    let (_server, url) = serving(|_| Response::text(200, "x".repeat(4097))).await;
    assert!(matches!(error(get(&http, &url).await), Error::TooLarge { limit: 4096, .. }));
    let endless = saying(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1000\r\n").await;
    assert!(matches!(error(get(&http, &endless).await), Error::TimedOut { .. }));
    let (_server, token) = serving(|_| Response::text(200, "x".repeat(600))).await;
    let posted = http.post_for_token(&token, &Credentials::None, &Body::form([("a", "b")])).await;
    assert!(matches!(error(posted), Error::TooLarge { limit: 512, .. }));
    assert!(get(&http, &token).await.is_ok_and(|answer| answer.bytes().len() == 600));
}

#[tokio::test]
async fn silence_dripping_and_half_an_answer_all_end_at_the_limit() {
    let http = brief();
    for bytes in [&b""[..], b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{"] {
        let url = saying(bytes).await;
        let begun = tokio::time::Instant::now();
        assert!(matches!(error(get(&http, &url).await), Error::TimedOut { .. }), "{bytes:?}");
        assert!(begun.elapsed() < Duration::from_secs(2));
    }
}

#[tokio::test]
async fn what_is_no_http_is_no_answer_and_its_bytes_are_not_quoted() {
    let url = saying(b"SSH-2.0-OpenSSH_9.2 tok-secret\r\n").await;
    let error = error(get(&brief(), &url).await);
    assert!(!error.to_string().contains("tok-secret"), "{error}");
}

#[tokio::test]
async fn a_post_never_follows_a_redirect_and_nothing_reaches_the_other_host() {
    let asked = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&asked);
    let (other, _) = serving(move |_| {
        seen.fetch_add(1, Ordering::SeqCst);
        Response::text(200, "mine now")
    })
    .await;
    for status in [301, 302, 303, 307, 308] {
        let to = format!("{}/take", other.base());
        let (_server, url) = serving(move |_| Response::redirect(status, to.clone())).await;
        let who = Credentials::Bearer(Secret::new("tok-secret"));
        let result = brief().post(&url, &who, &Body::form([("token", "tok-secret")])).await;
        assert!(matches!(error(result), Error::Redirected { .. }), "{status}");
        assert!(matches!(error(brief().get(&url, &who).await), Error::Redirected { .. }), "{status}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_document_may_move_three_times_on_its_own_host_and_no_further() {
    let hops = |most: usize| {
        move |path: &str| {
            let hop: usize = path.trim_start_matches("/hop").parse().unwrap_or(0);
            if hop == most {
                Response::text(200, "here")
            } else {
                Response::redirect(302, format!("/hop{}", hop + 1))
            }
        }
    };
    let (_server, url) = serving(hops(3)).await;
    assert_eq!(get(&brief(), &url).await.map(|answer| answer.status).ok(), Some(200));
    let (_server, url) = serving(hops(4)).await;
    assert!(matches!(error(get(&brief(), &url).await), Error::Redirected { .. }));
}

#[tokio::test]
async fn plain_http_to_another_machine_is_refused_before_a_packet_is_sent() {
    for address in ["http://192.0.2.1/", "http://login.example.org/", "ftp://127.0.0.1/"] {
        let url = Url::parse(address).expect("an address");
        assert!(matches!(error(get(&brief(), &url).await), Error::Insecure(_)), "{address}");
    }
}

#[tokio::test]
async fn nobody_there_is_unreachable_and_no_error_repeats_the_query() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let url = Url::parse(&format!("http://{address}/?code=tok-secret")).expect("an address");
    let error = error(get(&brief(), &url).await);
    assert!(matches!(&error, Error::Unreachable { host, .. } if *host == address.to_string()), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("tok-secret"));
}

#[tokio::test]
async fn the_server_s_clock_its_wish_to_wait_and_the_cookie_are_read() {
    let (_server, url) = serving(|_| {
        Response::text(429, "Too Many Requests")
            .with("date", "Sun, 22 Nov 2026 17:28:02 GMT")
            .with("retry-after", "17")
            .with("set-cookie", "mytoken=mt-new; Path=/api; HttpOnly")
    })
    .await;
    let answer = get(&brief(), &url).await.expect("an answer");
    assert_eq!(answer.date.map(jiff::Timestamp::as_second), Some(1_795_368_482));
    assert_eq!(answer.retry_after, Some(Duration::from_secs(17)));
    assert_eq!(answer.mytoken_cookie.as_ref().map(Secret::expose), Some("mt-new"));
    assert_eq!((answer.refusal().status, answer.refusal().error.is_empty()), (429, true));
}
