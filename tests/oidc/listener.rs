//! The loopback listener over real sockets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use toktui::domain::secret::Secret;
use toktui::domain::source::Redirect;
use toktui::oidc::Error;
use toktui::oidc::callback::{Expectation, Fault, parse_pasted};
use toktui::oidc::loopback::Listener;
use toktui::oidc::pkce::Attempt;

fn expectation(listener: &Listener) -> Expectation {
    Expectation {
        state: Secret::new("st-1"),
        issuer: "https://op.example.org".to_owned(),
        iss_promised: false,
        redirect: listener.redirect_uri().clone(),
    }
}

fn redirect(by_name: bool, ports: &[u16]) -> Redirect {
    Redirect { by_name, ports: ports.to_vec(), path: "/callback".to_owned() }
}

async fn listener() -> Listener {
    Listener::bind(&redirect(false, &[])).await.expect("a port")
}

fn here(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// What a browser would read; empty where the connection is closed on it.
async fn asked(at: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(at).await.expect("connected");
    // The other side may hang up before all of it is taken.
    drop(stream.write_all(request.as_bytes()).await);
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer).await);
    String::from_utf8(answer).expect("text")
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\n\r\n")
}

#[tokio::test]
async fn strays_of_every_kind_do_not_end_the_login_and_the_right_request_does() {
    let listener = listener().await;
    let (at, expected) = (here(listener.port()), expectation(&listener));
    let waiting = tokio::spawn(async move { listener.wait(&expected).await });
    let hostile = "<script>alert(1)</script>\x1b]52;c;x\x07";
    let strays = [
        (get("/favicon.ico"), "404"),
        (get("/"), "404"),
        (get("/callback"), "400"),
        (get("/callback?code=c-1"), "400"),
        (get("/callback?code=c-1&state=st-2"), "400"),
        (get("/callback?code=c-1&state=st-1&state=st-1"), "400"),
        (get(&format!("/callback?error=access_denied&error_description={hostile}")), "400"),
        ("POST /callback?code=c-1&state=st-1 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc".to_owned(), "405"),
        ("HEAD /callback?code=c-1&state=st-1 HTTP/1.1\r\n\r\n".to_owned(), "405"),
        ("\x16\x03\x01 is a TLS hello\r\n\r\n".to_owned(), "400"),
        (format!("GET /callback?code=c-1&state=st-1 HTTP/1.1\r\nX: {}", "x".repeat(17 << 10)), "431"),
    ];
    for _ in 0..3 {
        for (request, status) in &strays {
            let answer = asked(at, request).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request:?} {answer}");
            assert!(!answer.contains("alert") && !answer.contains("st-1"), "{answer}");
        }
        drop(TcpStream::connect(at).await.expect("connected"));
    }
    assert!(!waiting.is_finished());
    let answer = asked(at, &get("/callback?state=st-1&code=c-1")).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("may be closed"), "{answer}");
    assert!(answer.contains("Content-Security-Policy: default-src 'none'"));
    assert!(!answer.contains("c-1"));
    assert_eq!(waiting.await.expect("ended"), Ok(Secret::new("c-1")));
    assert!(TcpStream::connect(at).await.is_err(), "the port is closed");
}

/// States that are not ours: none, others of the same length, ours cut, longer, doubled, in other letters, with one bit changed.
fn wrong(state: &str, number: usize) -> String {
    let at = number / 8 % state.len();
    let other = Attempt::random().expect("random numbers").state;
    match number % 8 {
        0 => String::new(),
        1 => format!("&state={}", other.expose()),
        2 => format!("&state={}", &state[..at]),
        3 => format!("&state={state}{}", &state[..=at]),
        4 => format!("&state={state}&state={state}"),
        5 => format!("&State={state}"),
        6 => {
            let mut bytes = state.as_bytes().to_vec();
            bytes[at] ^= 1 << (number / 8 % 5);
            format!("&state={}", url::form_urlencoded::byte_serialize(&bytes).collect::<String>())
        }
        _ => format!("&state=%20{state}"),
    }
}

#[tokio::test]
async fn of_ten_thousand_wrong_states_at_the_listener_and_as_many_pasted_none_is_accepted_and_the_right_one_is()
 {
    let listener = listener().await;
    let state = Attempt::random().expect("random numbers").state;
    let expected = Expectation { state: state.clone(), ..expectation(&listener) };
    let (at, pasting, state) = (here(listener.port()), expected.clone(), state.expose().to_owned());
    let waiting = tokio::spawn(async move { listener.wait(&expected).await });
    let attempts = (0..10_000).map(|number| {
        let answer = if number % 3 == 0 { "error=access_denied" } else { "code=c-1" };
        format!("{answer}{}", wrong(&state, number))
    });
    let all: Vec<String> = attempts.collect();
    for query in &all {
        for text in [query.clone(), format!("{}?{query}", pasting.redirect)] {
            let refused = parse_pasted(&text, &pasting);
            assert!(matches!(refused, Err(Error::Pasted(_))), "{text}: {refused:?}");
        }
    }
    let all = all.iter().map(|query| async move { asked(at, &get(&format!("/callback?{query}"))).await });
    let answers: Vec<String> = stream::iter(all).buffer_unordered(8).collect().await;
    assert_eq!(answers.len(), 10_000);
    assert!(answers.iter().all(|answer| answer.starts_with("HTTP/1.1 400 ")));
    assert!(!waiting.is_finished());
    assert_eq!(parse_pasted(&format!("?code=c-1&state={state}"), &pasting), Ok(Secret::new("c-1")));
    let answer = asked_once(at, &state).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(waiting.await.expect("ended"), Ok(Secret::new("c-1")));
}

async fn asked_once(at: SocketAddr, state: &str) -> String {
    asked(at, &get(&format!("/callback?code=c-1&state={state}"))).await
}

#[tokio::test]
async fn a_refusal_with_our_state_ends_the_login_and_says_nothing_of_it_in_the_browser() {
    let listener = listener().await;
    let (at, expected) = (here(listener.port()), expectation(&listener));
    let waiting = tokio::spawn(async move { listener.wait(&expected).await });
    let answer = asked(at, &get("/callback?error=invalid_scope&error_description=Hostile&state=st-1")).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && !answer.contains("Hostile"), "{answer}");
    let fault = Fault::Refused { error: "invalid_scope".into(), description: Some("Hostile".into()) };
    assert_eq!(waiting.await.expect("ended"), Err(Error::Authorization(fault)));
}

#[tokio::test]
async fn eight_silent_connections_do_not_keep_the_browser_out_for_ever() {
    let listener = listener().await;
    let (at, expected) = (here(listener.port()), expectation(&listener));
    let waiting = tokio::spawn(async move { listener.wait(&expected).await });
    let mut silent = Vec::new();
    for _ in 0..8 {
        let mut stream = TcpStream::connect(at).await.expect("connected");
        stream.write_all(b"GET /").await.expect("sent");
        silent.push(stream);
    }
    let browser = tokio::spawn(async move { asked(at, &get("/callback?state=st-1&code=c-1")).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!waiting.is_finished(), "a ninth connection waits");
    // One of them goes away; the browser takes its place.
    silent.pop();
    assert!(browser.await.expect("answered").starts_with("HTTP/1.1 200 "));
    assert_eq!(waiting.await.expect("ended"), Ok(Secret::new("c-1")));
}

#[tokio::test]
async fn registered_ports_are_tried_in_order_and_no_other_one_is_taken_in_their_place() {
    let first = TcpListener::bind(here(0)).await.expect("a port");
    let second = TcpListener::bind(here(0)).await.expect("a port");
    let ports = [first.local_addr().expect("bound").port(), second.local_addr().expect("bound").port()];
    let Err(Error::Listener(why)) = Listener::bind(&redirect(false, &ports)).await else {
        panic!("both are taken")
    };
    assert!(ports.iter().all(|port| why.contains(&port.to_string())), "{why}");
    let unheard = Listener::unheard(&redirect(true, &ports)).expect("an address");
    assert_eq!(unheard.as_str(), format!("http://localhost:{}/callback", ports[0]));
    drop(second);
    let listener = Listener::bind(&redirect(false, &ports)).await.expect("a port");
    assert_eq!(listener.port(), ports[1]);
    assert_eq!(listener.redirect_uri().as_str(), format!("http://127.0.0.1:{}/callback", ports[1]));
    drop(first);
    let listener = Listener::bind(&redirect(false, &ports)).await.expect("a port");
    assert_eq!(listener.port(), ports[0]);
}

#[tokio::test]
async fn a_redirect_to_localhost_is_caught_on_both_loopback_addresses() {
    for host in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
        if TcpListener::bind((host, 0)).await.is_err() {
            // This machine has no IPv6.
            continue;
        }
        let listener = Listener::bind(&redirect(true, &[])).await.expect("a port");
        let (port, expected) = (listener.port(), expectation(&listener));
        assert_eq!(listener.redirect_uri().as_str(), format!("http://localhost:{port}/callback"));
        let waiting = tokio::spawn(async move { listener.wait(&expected).await });
        let answer = asked((host, port).into(), &get("/callback?state=st-1&code=c-1")).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{host} {answer}");
        assert!(waiting.await.expect("ended").is_ok());
    }
}

/// Address and port of every listening socket of this machine, as the kernel writes them.
#[cfg(target_os = "linux")]
fn listening() -> Vec<(String, u16)> {
    let mut found = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let text = std::fs::read_to_string(table).unwrap_or_default();
        for line in text.lines().skip(1) {
            let mut fields = line.split_whitespace().skip(1);
            if let (Some(local), Some("0A")) = (fields.next(), fields.nth(1)) {
                let (address, port) = local.split_once(':').expect("address and port");
                found.push((address.to_owned(), u16::from_str_radix(port, 16).expect("a port")));
            }
        }
    }
    found
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_hundred_logins_listen_on_nothing_but_loopback_and_free_their_ports() {
    let mut listeners = Vec::new();
    for round in 0..100 {
        listeners.push(Listener::bind(&redirect(round % 2 == 0, &[])).await.expect("a port"));
    }
    let ports: Vec<_> = listeners.iter().map(Listener::port).collect();
    let ours = || listening().into_iter().filter(|(_, port)| ports.contains(port));
    assert!(ours().count() >= 100);
    for (address, port) in ours() {
        let is_loopback = ["0100007F", "00000000000000000000000001000000"].contains(&address.as_str());
        assert!(is_loopback, "{address}:{port}");
    }
    // Which address this machine has towards others is found without a packet.
    let towards = std::net::UdpSocket::bind("0.0.0.0:0").expect("a socket");
    if towards.connect("192.0.2.1:9").is_ok() {
        let address = towards.local_addr().expect("an address").ip();
        for port in &ports {
            assert!(
                address.is_loopback() || TcpStream::connect((address, *port)).await.is_err(),
                "{address}:{port}"
            );
        }
    }
    drop(listeners);
    assert!(ours().count() < 10, "other tests may have taken a few of them meanwhile, not more");
}
