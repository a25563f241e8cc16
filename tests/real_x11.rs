//! The whole program on a real X11 display: what it copies is pasted elsewhere, outlives it, and is cleared in time.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]
#![allow(clippy::disallowed_methods, reason = "these tests wait for other processes, in real time")]

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

#[path = "support/places.rs"]
mod places;
#[path = "support/seat.rs"]
mod seat;
use places::{Xvfb, wait};
use seat::{Home, Seat, claims, program};

#[test]
#[ignore = "needs Xvfb and xclip"]
fn a_token_copied_in_the_demo_is_pasted_elsewhere() {
    let x11 = Xvfb::start();
    let mut board = board(&x11, "", &["demo"]);
    board.sees("2 Tokens");
    board.types("jjy");
    board.sees("✔ Copied the access token of ");
    let pasted = x11.paste();
    assert!(claims(&pasted)["exp"].is_u64(), "{pasted}");
    assert_eq!(board.clipboard(), Vec::<String>::new(), "it goes one way only");
    // By hand it is cleared at once.
    board.types("X");
    wait("empty clipboard", || x11.paste().is_empty());
    board.types("q");
    assert_eq!(board.ends(), 0);
}

#[test]
#[ignore = "needs Xvfb and xclip"]
fn a_copied_token_outlives_the_board_by_the_rest_of_its_time_only() {
    let x11 = Xvfb::start();
    let mut board = board(&x11, "[board]\nclear_after = \"4s\"\n", &[]);
    let token = token();
    keep(&mut board, &token);
    board.types("y");
    board.sees("✔ Copied the access token of mine");
    let copied = Instant::now();
    assert_eq!(x11.paste(), token);

    board.types("qx");
    assert_eq!(board.ends(), 0);
    assert_eq!(x11.paste(), token, "a holder has it now");
    wait("empty clipboard", || x11.paste().is_empty());
    let held = copied.elapsed();
    assert!((3000..6000).contains(&held.as_millis()), "{held:?}");
    wait("end of the holder", || holders(&x11) == 0);
}

#[test]
#[ignore = "needs Xvfb and xclip"]
fn a_copied_token_is_cleared_in_time_while_the_board_runs_unless_somebody_else_copied() {
    let x11 = Xvfb::start();
    let mut board = board(&x11, "[board]\nclear_after = \"2s\"\n", &[]);
    let token = token();
    keep(&mut board, &token);
    board.types("y");
    board.sees("✔ Copied the access token of mine");
    wait("token on the clipboard", || x11.paste() == token);
    wait("empty clipboard", || x11.paste().is_empty());

    board.types("y");
    wait("token on the clipboard", || x11.paste() == token);
    x11.others_copy("a line of a letter");
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert_eq!(x11.paste(), "a line of a letter");
}

fn board(x11: &Xvfb, config: &str, arguments: &[&str]) -> Seat {
    let home = Home::with(config);
    let mut command = program(&home, arguments);
    command.env("DISPLAY", &x11.display);
    let seat = Seat::at(command, home);
    seat.sees("1 Providers");
    seat
}

/// Pastes a token and keeps it as `mine`.
fn keep(board: &mut Seat, token: &str) {
    board.types("i");
    board.sees("Look at a token");
    board.pastes(token);
    board.types("\r");
    board.sees("ends in");
    board.types("k");
    // The first question; what is kept in memory is enough for a clipboard.
    board.sees("Only in memory, this time");
    board.types("jj\r");
    board.sees("Keep");
    board.types("\x15mine\r");
    board.sees("▸ mine");
}

/// An access token that nobody issued, good for an hour.
fn token() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({"alg": "ES256", "typ": "at+jwt"});
    let claims = json!({
        "iss": "https://op.example", "sub": "alice", "aud": "compute", "scope": "openid", "iat": now,
        "exp": now + 3600, "jti": "f3a1",
    });
    format!("{}.{}.{}", part(header), part(claims), URL_SAFE_NO_PAD.encode([7; 64]))
}

/// Holders of this display's clipboard.
fn holders(x11: &Xvfb) -> usize {
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let display = format!("DISPLAY={}\0", x11.display);
    processes
        .filter(|process| {
            let read = |name| std::fs::read(process.path().join(name)).unwrap_or_default();
            let says = |name, words: &str| String::from_utf8_lossy(&read(name)).contains(words);
            says("cmdline", "hold-clipboard") && says("environ", &display)
        })
        .count()
}
