//! A reader that goes away, a terminal that is not there, and switches that say more: nothing hangs, panics or leaks.

use std::process::Stdio;
use std::time::{Duration, Instant};

use super::world::{Home, Servers, access_token, now};

const ALL: [&[&str]; 18] = [
    &["token", "batch"],
    &["token", "batch", "--header"],
    &["list"],
    &["list", "--json"],
    &["info", "batch"],
    &["info", "-"],
    &["keep", "x"],
    &["history", "batch"],
    &["history", "batch", "--json"],
    &["renew", "batch"],
    &["revoke", "batch"],
    &["rename", "batch", "batch"],
    &["unlock"],
    &["store", "status"],
    &["store", "init"],
    &["store", "guard"],
    &["completions", "bash"],
    &["man", "token"],
];

#[test]
fn every_command_is_safe_to_pipe_into_a_reader_that_goes_away() {
    let home = Home::new();
    home.keep("batch", &access_token(now(), 600, "jane"));
    for words in ALL {
        let mut child = home.command(words).stdin(Stdio::null()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code().is_some_and(|code| code <= 4), "{words:?}: {:?} {err}", output.status);
        assert!(!err.contains("panick") && !err.contains("mistake"), "{words:?}: {err}");
    }
}

#[test]
fn without_a_terminal_nothing_is_asked_and_nothing_waits() {
    for home in [Home::empty(), Home::new()] {
        for words in ALL.iter().copied().chain([&["lock"][..], &["unlock", "-"], &["forget", "batch"]]) {
            let begun = Instant::now();
            let output = home.command(words).stdin(Stdio::null()).output().unwrap();
            assert!(output.status.code().is_some_and(|code| code <= 4), "{words:?}: {output:?}");
            // The keyring may take its two seconds once, where there is any; the rest is for a busy machine.
            assert!(begun.elapsed() < Duration::from_secs(10), "{words:?} took {:?}", begun.elapsed());
        }
    }
}

#[test]
fn the_most_talkative_way_shows_no_piece_of_a_token() {
    let servers = Servers::open();
    let home = Home::at(&servers).with("RUST_BACKTRACE", "full").with("RUST_LOG", "trace");
    let mytoken = servers.mytoken(Some(5), None);
    home.keep("toar", &mytoken);
    home.log_in(&servers, "grid", "wlcg");
    let access = [home.good(&["token", "toar"]), home.good(&["token", "wlcg"])];
    let secrets: Vec<&str> = access.iter().map(|text| text.trim()).chain([mytoken.as_str()]).collect();
    for words in [
        &["-vvv", "list"][..],
        &["-vvv", "list", "--json"],
        &["-vvv", "info", "toar"],
        &["-vvv", "info", "wlcg", "--json"],
        &["-vvv", "history", "toar"],
        &["-vvv", "renew", "wlcg"],
        &["-vvv", "token", "toar", "--min-life", "900d"],
        &["-vvv", "store", "status"],
        &["-vvv", "revoke", "toar", "--yes"],
    ] {
        let said = home.run(words);
        let all = format!("{}{}", said.out, said.err);
        for secret in &secrets {
            // The header of a JWT is no secret, and short; what follows its first dot is.
            let telling = secret.split_once('.').map_or(*secret, |(_, rest)| rest);
            let signature = telling.rsplit_once('.').map_or(telling, |(_, signature)| signature);
            let leaks = signature
                .as_bytes()
                .windows(8)
                .any(|part| all.as_bytes().windows(8).any(|window| window == part));
            assert!(!leaks, "{words:?} shows a piece of a token:\n{all}");
        }
    }
}

#[test]
fn an_interrupted_command_ends_as_a_signal_does_it() {
    use rustix::process::{Pid, Signal, kill_process};
    use std::io::{BufRead, BufReader};
    let servers = Servers::open();
    let home = Home::at(&servers);
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let mut child = home.command(&["login", "checkin", "--no-input"]).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        lines.map_while(Result::ok).find(|line| line.trim().starts_with("http")).unwrap();
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{signal:?}");
    }
}
