//! The same login asked for by several programs at once: one is done, and is the answer of all.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStderr, ExitStatus};

use rustix::process::{Pid, Signal, kill_process};

use super::world::{Home, Servers};

const WORDS: [&str; 3] = ["login", "checkin", "--no-input"];

/// A login under way in a program of its own.
struct Login {
    child: Child,
    lines: BufReader<ChildStderr>,
}

impl Login {
    fn start(home: &Home, words: &[&str]) -> Self {
        let mut child = home.command(words).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap());
        Self { child, lines }
    }

    /// The first line that tells whether it is under way here or elsewhere.
    fn line(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).unwrap() > 0, "it says how it goes on");
            let line = line.trim().to_owned();
            if line.starts_with("http") || line.contains("under way") {
                return line;
            }
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// How it ended, what it printed, and what else it said.
    fn end(mut self) -> (ExitStatus, String, String) {
        let (mut out, mut err) = (String::new(), String::new());
        self.child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        self.lines.read_to_string(&mut err).unwrap();
        (self.child.wait().unwrap(), out, err)
    }
}

/// So many at once: the one that has it, its address, and those that wait.
fn at_once(home: &Home, words: &[&str], count: usize) -> (Login, String, Vec<Login>) {
    let all: Vec<Login> = (0..count).map(|_| Login::start(home, words)).collect();
    let (mut first, mut waiting) = (None, Vec::new());
    for mut login in all {
        let line = login.line();
        if line.starts_with("http") {
            assert!(first.is_none(), "two of them have a login of their own");
            first = Some((login, line));
        } else {
            waiting.push(login);
        }
    }
    let (first, address) = first.expect("one of them has it");
    (first, address, waiting)
}

#[test]
fn fifty_at_once_open_one_login_and_all_have_its_answer() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    let (first, address, waiting) = at_once(&home, &WORDS, 50);
    let pid = first.child.id().to_string();
    servers.visit(&address);
    let (status, out, _) = first.end();
    assert!(status.success());
    assert_eq!((out.as_str(), waiting.len()), ("Logged in at checkin, kept as checkin.\n", 49));
    for login in waiting {
        let (status, told, err) = login.end();
        assert_eq!((status.code(), told.as_str()), (Some(0), out.as_str()), "{err}");
        assert!(
            err.contains(&format!("by the login that was under way already: toktui login, process {pid}")),
            "{err}"
        );
    }
    assert_eq!(servers.sandbox.checkin.counts().device, 1);
    assert_eq!(home.json(&["list", "--json"])["tokens"].as_array().unwrap().len(), 1);
    let token = home.good(&["token", "checkin"]);
    assert!(token.starts_with("eyJ"));
}

#[test]
fn when_the_one_that_has_it_dies_fails_or_is_interrupted_the_next_goes_on_at_once() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    for signal in [Signal::KILL, Signal::TERM, Signal::INT] {
        let (first, _, mut waiting) = at_once(&home, &WORDS, 2);
        let mut next = waiting.remove(0);
        first.signal(signal);
        let address = next.line();
        assert!(address.starts_with("http"), "{signal:?}: {address}");
        assert!(!first.end().0.success());
        let mut third = Login::start(&home, &WORDS);
        assert!(third.line().contains(&format!("process {}", next.child.id())), "it is the next one's now");
        servers.visit(&address);
        assert_eq!((next.end().0.code(), third.end().0.code()), (Some(0), Some(0)), "{signal:?}");
    }
}

#[test]
fn who_is_interrupted_while_it_waits_ends_as_a_signal_does_it_and_the_login_goes_on() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    let (first, address, mut waiting) = at_once(&home, &WORDS, 3);
    let gone = waiting.remove(0);
    gone.signal(Signal::INT);
    assert_eq!(gone.end().0.code(), Some(130));
    servers.visit(&address);
    assert!(first.end().0.success());
    assert!(waiting.remove(0).end().0.success());
    assert_eq!(servers.sandbox.checkin.counts().device, 1);
}

#[test]
fn a_login_anew_a_refresh_token_on_demand_and_a_login_at_a_mytoken_server_are_joined_too() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    let issuer = servers.sandbox.checkin.settings().issuer.clone();
    let plain =
        format!("[provider.plain]\nissuer = \"{issuer}\"\nclient_id = \"toktui\"\nscopes = [\"openid\"]\n");
    home.configure(&format!("{}{plain}", servers.config()));
    home.log_in(&servers, "plain", "egi");
    let all: [&[&str]; 3] = [
        &["login", "plain", "--name", "egi", "--no-input"],
        &["refresh-token", "egi", "--no-input"],
        &["login", "mt", "--at", &issuer, "--name", "toar", "--no-input"],
    ];
    for words in all {
        let (first, address, waiting) = at_once(&home, words, 3);
        servers.visit(&address);
        let (status, out, err) = first.end();
        assert!(status.success(), "{err}");
        for login in waiting {
            let (status, told, err) = login.end();
            assert_eq!((status.code(), &told), (Some(0), &out), "{words:?}: {err}");
        }
    }
    assert_eq!(home.json(&["list", "--json"])["tokens"].as_array().unwrap().len(), 2);
}
