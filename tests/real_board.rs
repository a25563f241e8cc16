//! The whole program in a real terminal at a real Keycloak, with a user in a real headless Chromium.
//!
//! `.ci/run` starts both; by hand as at the top of `real_keycloak.rs`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]
#![allow(clippy::disallowed_methods, reason = "these tests wait for other processes, in real time")]

use std::net::{TcpListener, TcpStream};
use std::time::{SystemTime, UNIX_EPOCH};

use url::Url;

#[path = "support/keycloak.rs"]
mod keycloak;
#[path = "support/seat.rs"]
mod seat;
use keycloak::{alone, browser, issuer, visit};
use seat::{Home, Seat, claims, make_store, program};

#[test]
#[ignore = "needs Keycloak 26 and Chromium, see .ci/run"]
fn a_login_by_browser_ends_in_a_row_that_counts_down_is_copied_and_rotates() {
    let _alone = alone();
    let mut board = at_the_board("toktui", &[]);
    board.types("\r");
    board.sees("Log in at Keycloak");
    board.sees_within("Logged in at Keycloak", 40);
    // Keycloak adds the client's default scopes: that is said.
    let report = board.text();
    for words in ["ASKED", "GRANTED", "openid", "more than asked", "sealed and saved"] {
        assert!(report.contains(words), "{words}:\n{report}");
    }
    board.types("\r");
    board.no_longer_sees("GRANTED");
    board.sees("as     Alice Example");

    // Its 60 s are told in whole seconds, and go down.
    let first = seconds_left(&board);
    assert!((40..60).contains(&first), "{first}");
    board.wait("later second", 10, |text| left_in(text).filter(|left| *left < first));

    let copied = board.copies_by("y");
    let token = claims(&copied);
    assert_eq!(token["azp"], "toktui");
    assert_eq!(token["iss"], issuer());
    let life = token["exp"].as_u64().unwrap() - now();
    assert!(life <= 60, "{life}");
    board.sees("Sent the access token of kc to the terminal");

    // Had an old refresh token been sent again, Keycloak would have ended the session by now.
    for copy in [2, 3, 4] {
        board.types("r");
        board.sees(&format!("rotated to copy {copy}"));
    }
    let renewed = board.copies_by("y");
    assert_ne!(claims(&renewed)["jti"], token["jti"]);
    assert_eq!(claims(&renewed)["sid"], token["sid"], "it is the same login");

    // No token was ever drawn, only given to the clipboard.
    let payload = copied.split('.').nth(1).unwrap();
    assert!(!board.written().contains(payload));
    // All of it is on disk: nothing is asked.
    board.types("q");
    assert_eq!(board.ends(), 0);
}

#[test]
#[ignore = "needs Keycloak 26 and Chromium, see .ci/run"]
fn a_login_by_device_code_is_granted_on_another_device() {
    let _alone = alone();
    let mut board = over_ssh("toktui");
    board.types("\r");
    let page = board.wait("address to open", 15, |text| {
        let line = text.lines().find(|line| line.contains("/device"))?;
        line.split_whitespace().find(|word| word.starts_with("http")).map(str::to_owned)
    });
    let code = board.copies_by("c");
    board.sees(&code.chars().map(String::from).collect::<Vec<_>>().join(" "));
    visit(&page, &["--code", &code, "--user", "bob"]);
    board.sees_within("Logged in at Keycloak", 15);
    board.types("\r");
    assert_eq!(claims(&board.copies_by("y"))["preferred_username"], "bob");
}

#[test]
#[ignore = "needs Keycloak 26 and Chromium, see .ci/run"]
fn a_login_that_is_denied_says_so_in_words_of_its_own() {
    let _alone = alone();
    let mut board = over_ssh("toktui");
    board.types("\r");
    board.sees("/device");
    let code = board.copies_by("c");
    visit(&format!("{}/device", issuer()), &["--code", &code, "--deny"]);
    board.sees("the sign-in was refused on the other device");
    board.sees("Nothing was granted");
    board.types("\x1b");
    board.sees("No tokens yet");
}

#[test]
#[ignore = "needs Keycloak 26 and Chromium, see .ci/run"]
fn the_address_that_a_far_browser_ended_on_is_pasted_back() {
    let _alone = alone();
    let mut board = over_ssh("toktui");
    board.types("\r");
    board.sees("ssh -L");
    let address = board.copies_by("C");
    let ended = visit(&address, &["--far"]);
    assert!(Url::parse(&ended).unwrap().query_pairs().any(|(name, _)| name == "code"), "{ended}");
    // As it comes out of an address bar and a terminal's selection.
    board.pastes(&format!("  {ended}\r\n"));
    board.sees_within("Logged in at Keycloak", 15);
    let code =
        Url::parse(&ended).unwrap().query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    assert!(!board.written().contains(&code), "a code is not drawn");
    board.types("\r");
    assert_eq!(claims(&board.copies_by("y"))["azp"], "toktui");
}

#[test]
#[ignore = "needs Keycloak 26 and Chromium, see .ci/run"]
fn what_lives_for_seconds_passes_every_threshold_and_ends_in_words() {
    let _alone = alone();
    let mut board = at_the_board("toktui-short", &[]);
    board.types("\r");
    board.sees_within("Logged in at Keycloak", 40);
    board.types("\r");
    // Access tokens live 5 s, refresh tokens 10 s.
    board.sees("ending ");
    board.sees("1 expired");
    let token = claims(&board.copies_by("y"));
    assert!(token["exp"].as_u64().unwrap() >= now(), "renewed before it was copied");
    board.sees("rotated to copy 2");
    board.sees("1 ending");
    board.sees_within("over, log in again", 20);
    board.sees("1 dead");
    // Nothing is offered that could not work, and what helps is: to log in again, under the same name.
    let footer = board.text().lines().last().unwrap_or_default().to_owned();
    assert!(footer.contains("l log in") && !footer.contains("renew"), "{footer}");
}

#[test]
#[ignore = "needs Keycloak 26 and Chromium, see .ci/run"]
fn a_client_that_the_provider_does_not_know_is_suspected_after_a_while_and_esc_frees_the_port() {
    let mut board = at_the_board("nobody-knows-me", &["routes = [\"browser\", \"paste\"]"]);
    board.types("\r");
    board.sees("In this machine's browser");
    let address = Url::parse(&board.copies_by("C")).unwrap();
    let redirect = address.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1.into_owned();
    let port = Url::parse(&redirect).unwrap().port().unwrap();
    drop(TcpStream::connect(("127.0.0.1", port)).unwrap());
    // Keycloak keeps the browser on a page of its own: nothing comes back.
    board.sees_within("answers this with an error page (400)", 80);
    board.sees("is nobody-knows-me a");
    board.sees(&format!("is {redirect} registered there, exactly so?"));
    board.types("\x1b");
    board.no_longer_sees("Log in at Keycloak");
    drop(TcpListener::bind(("127.0.0.1", port)).unwrap());
}

#[test]
#[ignore = "needs Keycloak 26, see .ci/run"]
fn an_issuer_that_is_not_there_is_told_in_its_servers_own_words() {
    let mut board = over_ssh("toktui");
    board.types("+");
    board.pastes(&issuer().replace("toktui", "nowhere"));
    board.types("\r");
    board.sees("Realm does not exist");
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A board at a desk, whose browser is the user in Chromium.
fn at_the_board(client: &str, more: &[&str]) -> Seat {
    start(client, more, &[])
}

/// A board at the far end of an SSH connection: no browser opens there.
fn over_ssh(client: &str) -> Seat {
    start(client, &[], &[("SSH_CONNECTION", "192.0.2.7 50522 192.0.2.1 22")])
}

fn start(client: &str, more: &[&str], variables: &[(&str, &str)]) -> Seat {
    let (browser, issuer) = (browser(), issuer());
    let home = Home::with(&format!(
        "[board]\n\
         browser = {browser:?}\n\
         clipboard = \"osc52\"\n\
         order = [\"kc\"]\n\
         [provider.kc]\n\
         family = \"keycloak\"\n\
         name = \"Keycloak\"\n\
         issuer = {issuer:?}\n\
         client_id = {client:?}\n\
         scopes = [\"openid\"]\n\
         {}\n",
        more.join("\n")
    ));
    make_store(&home);
    let mut command = program(&home, &[]);
    for (name, value) in variables {
        command.env(name, value);
    }
    let seat = Seat::at(command, home);
    seat.sees("▸ Keycloak");
    seat
}

fn seconds_left(board: &Seat) -> u64 {
    board.wait("countdown", 10, left_in)
}

/// The seconds of `ends in 42s`.
fn left_in(text: &str) -> Option<u64> {
    let (_, after) = text.split_once("ends in ")?;
    after.split_once('s')?.0.trim().parse().ok()
}
