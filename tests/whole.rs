//! The built program as its user meets it: in a real pseudo-terminal, in a pipe, by a signal.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]
#![allow(clippy::disallowed_methods, reason = "these tests wait for another process, in real time")]

use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use toktui::desktop::SystemClock;
use toktui::domain::time::Clock;
use toktui::sandbox::mytoken::{Clause, Order};
use toktui::sandbox::whole::{Ports, Sandbox};

const PROGRAM: &str = env!("CARGO_BIN_EXE_toktui");
const PATIENCE: Duration = Duration::from_secs(15);
const COLUMNS: u16 = 100;
const ROWS: u16 = 30;

/// What every run sees: nothing of the machine that the tests run on.
const PLAIN: [(&str, &str); 3] = [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("PATH", "/usr/bin:/bin")];

/// The program in a pseudo-terminal.
struct Pty {
    _master: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
    seen: Arc<Mutex<Seen>>,
    child: Box<dyn Child + Send + Sync>,
    _home: TempDir,
}

struct Seen {
    screen: vt100::Parser,
    bytes: Vec<u8>,
}

type Opened = (Box<dyn MasterPty + Send>, Box<dyn Child + Send + Sync>);

fn open(words: &[&str], variables: &[(&str, &str)], home: &Path) -> Opened {
    let size = PtySize { rows: ROWS, cols: COLUMNS, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new(PROGRAM);
    command.args(words);
    command.env_clear();
    command.env("HOME", home);
    command.env("TOKTUI_HOME", home);
    PLAIN.iter().chain(variables).for_each(|(name, value)| command.env(name, value));
    let child = pair.slave.spawn_command(command).unwrap();
    (pair.master, child)
}

impl Pty {
    fn demo() -> Self {
        Self::start(&["demo"], &[], TempDir::new().unwrap())
    }

    fn start(words: &[&str], variables: &[(&str, &str)], home: TempDir) -> Self {
        let (master, child) = open(words, variables, home.path());
        let cells = |count: u16| NonZero::new(count).unwrap();
        let screen = vt100::Parser::new(cells(ROWS), cells(COLUMNS), 0);
        let seen = Arc::new(Mutex::new(Seen { screen, bytes: Vec::new() }));
        let mut reader = master.try_clone_reader().unwrap();
        let keyboard = master.take_writer().unwrap();
        let told = Arc::clone(&seen);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                let mut seen = told.lock().unwrap();
                seen.screen.process(&buffer[..count]);
                seen.bytes.extend(&buffer[..count]);
            }
        });
        Self { _master: master, keyboard, seen, child, _home: home }
    }

    fn type_keys(&mut self, keys: &str) -> &mut Self {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
        self
    }

    fn shows(&mut self, text: &str) -> &mut Self {
        self.wait(text, |seen| seen.screen.screen().contents().contains(text));
        self
    }

    /// Esc, and so long a silence that what follows is no part of a sequence.
    fn leave(&mut self) -> &mut Self {
        self.type_keys("\x1b");
        thread::sleep(Duration::from_millis(200));
        self
    }

    fn wait(&self, what: &str, is_so: impl Fn(&Seen) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_so(&self.seen.lock().unwrap()) {
            let screen = self.seen.lock().unwrap().screen.screen().contents();
            assert!(Instant::now() < end, "no {what}:\n{screen}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn kill(&self, signal: Signal) {
        let pid = self.child.process_id().and_then(|pid| Pid::from_raw(pid.cast_signed())).unwrap();
        kill_process(pid, signal).unwrap();
    }

    fn code(&mut self) -> u32 {
        self.child.wait().unwrap().exit_code()
    }

    /// Fails unless the terminal is as the program found it.
    fn is_whole(&self) {
        self.wait("whole terminal", |seen| {
            let screen = seen.screen.screen();
            !screen.alternate_screen()
                && !screen.hide_cursor()
                && !screen.bracketed_paste()
                && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
        });
        let seen = self.seen.lock().unwrap();
        for (on, off) in [("\x1b[?1004h", "\x1b[?1004l"), ("\x1b[?2026h", "\x1b[?2026l")] {
            let last = |mark: &str| {
                seen.bytes
                    .windows(mark.len())
                    .rposition(|part| part == mark.as_bytes())
                    .map_or(-1, |at| i64::try_from(at).unwrap())
            };
            assert!(last(off) >= last(on), "{} is left on", on.escape_debug());
        }
    }

    fn bytes(&self) -> Vec<u8> {
        self.seen.lock().unwrap().bytes.clone()
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // Where a test has failed, the program may still run.
        drop(self.child.kill());
    }
}

/// The texts of all OSC 52 sequences, and everything else that was sent.
fn copies(bytes: &[u8]) -> (Vec<String>, Vec<u8>) {
    let start = b"\x1b]52;c;";
    let (mut copied, mut rest) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at..].starts_with(start) {
            let text = &bytes[at + start.len()..];
            let end = text.iter().position(|byte| matches!(byte, 0x07 | 0x1b)).unwrap();
            copied.push(String::from_utf8(STANDARD.decode(&text[..end]).unwrap()).unwrap());
            at += start.len() + end;
        } else {
            rest.push(bytes[at]);
            at += 1;
        }
    }
    (copied.into_iter().filter(|text| !text.is_empty()).collect(), rest)
}

#[test]
fn three_keys_reach_a_copied_token_and_q_gives_the_terminal_back() {
    let mut pty = Pty::demo();
    pty.shows("demo: nothing here is real").shows("batch");
    pty.type_keys("jjy").shows("Sent the access token of wlcg");
    let (copied, _) = copies(&pty.bytes());
    assert_eq!(copied.len(), 1);
    assert!(copied[0].starts_with("eyJ"), "it is a JWT");
    pty.type_keys("q");
    assert_eq!(pty.code(), 0);
    pty.is_whole();
}

#[test]
fn no_byte_sent_to_the_terminal_tells_a_piece_of_a_token() {
    let mut pty = Pty::demo();
    pty.shows("batch").type_keys("j").shows("Token egi");
    for (key, what) in [("y", "access token"), ("i", "ID token"), ("t", "refresh token")] {
        pty.type_keys("Y").shows("Copy from egi").type_keys(key).shows(&format!("Sent the {what} of egi"));
    }
    pty.type_keys("jj").shows("Mytoken toar").type_keys("Y").shows("Copy from toar").type_keys("m");
    pty.shows("Sent the mytoken of toar").type_keys("R").shows("heard just now");
    // Every other window over the same tokens.
    for (key, window) in [("\r", "Details"), ("D", "Revoke toar"), ("?", "What works now"), (":", "filter")] {
        pty.type_keys(key).shows(window).leave();
    }
    let (copied, rest) = copies(&pty.bytes());
    assert_eq!(copied.len(), 4);
    // Pasted back, it is looked up and still not shown.
    pty.type_keys(&format!("i\x1b[200~{}\x1b[201~\r", copied[3])).shows("VALID here and now");
    pty.type_keys("q");
    assert_eq!(pty.code(), 0);
    let (_, after) = copies(&pty.bytes());
    for token in &copied {
        for part in token.as_bytes().windows(8) {
            let is_sent = |sent: &[u8]| sent.windows(8).any(|eight| eight == part);
            assert!(!is_sent(&rest) && !is_sent(&after), "eight characters of a token were sent");
        }
    }
}

#[test]
fn every_signal_leaves_a_whole_terminal_and_its_own_code() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129), (Signal::QUIT, 131)] {
        let mut pty = Pty::start(&[], &[], TempDir::new().unwrap());
        pty.shows("No tokens yet");
        pty.kill(signal);
        assert_eq!(pty.code(), code, "{signal:?}");
        pty.is_whole();
    }
}

#[test]
fn a_terminal_that_goes_takes_the_program_with_it() {
    let home = TempDir::new().unwrap();
    let (master, mut child) = open(&[], &[], home.path());
    let mut reader = master.try_clone_reader().unwrap();
    let (mut seen, wanted) = (Vec::new(), b"No tokens yet");
    while !seen.ends_with(wanted) {
        let mut byte = [0];
        reader.read_exact(&mut byte).unwrap();
        seen.extend(byte);
    }
    let gone = Instant::now();
    drop((reader, master));
    assert_eq!(child.wait().unwrap().exit_code(), 129);
    // The promise is 100 ms; the rest is for a machine that is busy with other tests.
    assert!(gone.elapsed() < Duration::from_secs(2), "{:?}", gone.elapsed());
}

#[test]
fn a_c_locale_is_sent_ascii_and_no_color_no_colour() {
    let mut pty = Pty::start(&["demo"], &[("LANG", "C"), ("NO_COLOR", "1")], TempDir::new().unwrap());
    pty.shows("batch").type_keys("jjjR").shows("heard just now").type_keys("h").shows("collected by code");
    pty.type_keys("?").shows("What works now").leave().type_keys("1\r").shows("waiting for you there");
    pty.leave().shows("cancelled").type_keys("q");
    assert_eq!(pty.code(), 0);
    let bytes = pty.bytes();
    let foreign: Vec<u8> = bytes.iter().copied().filter(|byte| !byte.is_ascii()).collect();
    assert!(foreign.is_empty(), "{}", String::from_utf8_lossy(&foreign));
    assert_eq!(colours(&bytes), [0; 0], "numbers of colours");
}

/// The numbers of all colours that were set.
fn colours(bytes: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(bytes);
    let sequences = text.split("\x1b[").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| c.is_ascii_alphabetic())?;
        rest[end..].starts_with('m').then(|| rest[..end].to_owned())
    });
    let numbers =
        sequences.flat_map(|list| list.split(';').filter_map(|n| n.parse().ok()).collect::<Vec<u16>>());
    numbers.filter(|n| matches!(n, 30..=38 | 40..=48 | 58 | 90..=97 | 100..=107)).collect()
}

#[test]
fn a_broken_config_names_file_line_and_key_and_the_board_starts() {
    let home = TempDir::new().unwrap();
    std::fs::create_dir(home.path().join("config")).unwrap();
    let path = home.path().join("config/config.toml");
    std::fs::write(&path, "[board]\ntime = \"utc\"\nclear_after = \"soon\"\n").unwrap();
    let mut pty = Pty::start(&[], &[], home);
    pty.shows("No tokens yet").shows("config.toml:3: board.clear_after");
    pty.type_keys("q");
    assert_eq!(pty.code(), 0);
}

#[test]
fn a_terminal_that_cannot_do_it_is_refused_with_the_commands_that_can() {
    let mut pty = Pty::start(&[], &[("TERM", "dumb")], TempDir::new().unwrap());
    assert_eq!(pty.code(), 1);
    pty.shows("toktui --help");
    for words in [&[][..], &["demo"]] {
        let output = run(words, "", Path::new("/nonexistent"));
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        assert!(text(&output.stderr).contains("toktui --help"), "{}", text(&output.stderr));
        assert!(output.stdout.is_empty());
    }
}

fn command(words: &[&str], home: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(words).env_clear().envs(PLAIN).env("HOME", home).env("TOKTUI_HOME", home);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a plain command to its end.
fn run(words: &[&str], input: &str, home: &Path) -> Output {
    let mut child = command(words, home).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A program that needs no input may have ended before it.
    drop(stdin.write_all(input.as_bytes()));
    drop(stdin);
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn the_help_teaches_and_the_version_is_one_line() {
    let help = text(&run(&["--help"], "", Path::new("/nonexistent")).stdout);
    for word in ["toktui demo", "toktui info - < token.txt", "sandbox", "TOKTUI_HOME"] {
        assert!(help.contains(word), "no {word} in\n{help}");
    }
    let help = text(&run(&["info", "--help"], "", Path::new("/nonexistent")).stdout);
    assert!(help.contains("Exit codes") && help.contains("--ask-server"), "{help}");
    let version = text(&run(&["--version"], "", Path::new("/nonexistent")).stdout);
    assert_eq!(version, format!("toktui {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(run(&["inof"], "", Path::new("/nonexistent")).status.code(), Some(2));
}

/// A sandbox in the test's own process, on the real clock.
struct Servers {
    runtime: tokio::runtime::Runtime,
    sandbox: Sandbox,
    now: i64,
}

impl Servers {
    fn open() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let sandbox = runtime.block_on(Sandbox::open(&clock, Ports::default())).unwrap();
        Self { runtime, sandbox, now: clock.now().as_second() }
    }

    fn mytoken(&self, clause: Clause) -> String {
        let order = Order { name: Some("whole".to_owned()), restrictions: vec![clause], ..Order::default() };
        let _inside = self.runtime.enter();
        self.sandbox.mytokens.issue(order).unwrap().mytoken.expose().to_owned()
    }

    /// An access token that nobody signed.
    fn access_token(&self, ends_in: i64) -> String {
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let head = part(json!({"alg": "RS256", "typ": "at+jwt", "kid": "k"}));
        let claims = json!({"iss": "https://op.example", "sub": "jane", "scope": "openid", "client_id": "c",
            "iat": self.now - 7200, "exp": self.now + ends_in});
        format!("{head}.{}.{}", part(claims), URL_SAFE_NO_PAD.encode([7; 64]))
    }
}

#[test]
fn info_answers_in_text_in_json_and_by_its_exit_code() {
    let servers = Servers::open();
    let server = servers.sandbox.mytoken_server();
    let live = Clause { exp: Some(servers.now + 86_400), usages_at: Some(15), ..Clause::default() };
    let valid = servers.mytoken(live.clone());
    let later = servers.mytoken(Clause { nbf: Some(servers.now + 3600), ..live.clone() });
    let over = servers.mytoken(Clause { exp: Some(servers.now - 60), ..Clause::default() });
    let elsewhere = servers.mytoken(Clause { hosts: vec!["192.0.2.0/24".to_owned()], ..live });
    let (access, ended) = (servers.access_token(600), servers.access_token(-600));
    let cut = &valid[..valid.len() / 2];
    let asking = ["--ask-server", server.as_str()];
    let nobody = ["--ask-server", "http://127.0.0.1:9"];
    let table: [(&str, &str, &[&str], i32, &str); 10] = [
        ("a valid mytoken", &valid, &asking, 0, "valid"),
        ("one that nobody was asked about", &valid, &[], 4, "cannot_tell"),
        ("one whose server is not there", &valid, &nobody, 4, "cannot_tell"),
        ("one that starts later", &later, &asking, 3, "not_yet"),
        ("an expired one", &over, &asking, 3, "expired"),
        ("one for another place", &elsewhere, &asking, 3, "not_from_here"),
        ("half a mytoken", cut, &asking, 2, "not_readable"),
        ("an access token", &access, &[], 0, "not_a_mytoken"),
        ("an ended access token", &ended, &[], 3, "not_a_mytoken"),
        ("a word in quotes", "\" ?! \"", &[], 2, "not_readable"),
    ];
    let home = TempDir::new().unwrap();
    for (what, token, more, code, standing) in table {
        let words = [&["info", "-"], more].concat();
        let plain = run(&words, token, home.path());
        assert_eq!(plain.status.code(), Some(code), "{what}: {}{}", text(&plain.stdout), text(&plain.stderr));
        let words = [words, vec!["--json"]].concat();
        let json = run(&words, token, home.path());
        assert_eq!(json.status.code(), Some(code), "{what}");
        let value: Value = serde_json::from_slice(&json.stdout).unwrap();
        assert_eq!(value["standing"], standing, "{what}");
        assert_eq!(value["exit_code"], code, "{what}");
        let said = [text(&plain.stdout), text(&plain.stderr), text(&json.stdout)].concat();
        assert!(!said.contains(token.trim()), "{what} is printed");
    }
    let words = ["info", "-", "--json", "--ask-server", &server];
    let shape: Value = serde_json::from_slice(&run(&words, &valid, home.path()).stdout).unwrap();
    insta::assert_snapshot!("info_json_of_a_mytoken", types(&shape, 0));
    let shape: Value =
        serde_json::from_slice(&run(&["info", "-", "--json"], &access, home.path()).stdout).unwrap();
    insta::assert_snapshot!("info_json_of_an_access_token", types(&shape, 0));
    assert_eq!(run(&["info", "-"], "", home.path()).status.code(), Some(2), "nothing came");
}

/// Keys and types of a JSON value: what `--json` promises.
fn types(value: &Value, depth: usize) -> String {
    let indent = "  ".repeat(depth + 1);
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "boolean".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::String(_) => "string".to_owned(),
        Value::Array(list) => format!("[{}]", list.first().map_or(String::new(), |one| types(one, depth))),
        Value::Object(fields) => {
            let line = |(key, one): (&String, &Value)| format!("\n{indent}{key}: {}", types(one, depth + 1));
            fields.iter().map(line).collect()
        }
    }
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let home = TempDir::new().unwrap();
    for words in [&["info", "-"][..], &["info", "-", "--json"], &["--help"]] {
        let mut child = command(words, home.path()).spawn().unwrap();
        drop(child.stdout.take());
        let mut stdin = child.stdin.take().unwrap();
        drop(stdin.write_all(b"abcdef"));
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.code().is_some_and(|code| code <= 4), "{words:?}: {:?}", output.status);
        assert_eq!(text(&output.stderr), "", "{words:?}");
    }
}

#[test]
fn the_sandbox_serves_what_it_prints_and_ends_on_ctrl_c() {
    let home = TempDir::new().unwrap();
    let mut child = command(&["sandbox"], home.path()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut said = Vec::new();
    while !said.ends_with(b"Ctrl-C ends it.\n") {
        let mut byte = [0];
        out.read_exact(&mut byte).unwrap();
        said.extend(byte);
    }
    let said = text(&said);
    let lines: Vec<&str> = said.lines().filter_map(|line| line.trim().strip_prefix("curl ")).collect();
    assert!(lines.len() >= 2, "{said}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    for line in lines {
        let answer: Value =
            runtime.block_on(async { client.get(line).send().await.unwrap().json().await.unwrap() });
        assert!(answer["issuer"].is_string(), "{line}");
    }
    let pid = Pid::from_raw(child.id().cast_signed()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let status = child.wait().unwrap();
    assert!(matches!(status.code(), Some(0 | 130)), "{status:?}");
}
