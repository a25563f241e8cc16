//! A user before the built program: a pseudo-terminal, a home of its own, and a screen that can be read.
#![allow(dead_code, reason = "each test file uses its part")]

use std::fs;
use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use serde_json::Value;
use tempfile::TempDir;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_toktui");
pub const ROWS: u16 = 40;
pub const COLS: u16 = 130;

/// A private `TOKTUI_HOME`, there for as long as anybody has it.
#[derive(Clone)]
pub struct Home(Arc<TempDir>);

impl Home {
    pub fn with(config: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("config")).unwrap();
        fs::write(home.path().join("config/config.toml"), config).unwrap();
        Self(Arc::new(home))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// A store that opens without anybody.
pub fn make_store(home: &Home) {
    let made = Command::new(PROGRAM)
        .args(["store", "init", "--yes-plain-key", "--key-file"])
        .arg(home.path().join("key"))
        .env_clear()
        .env("TOKTUI_HOME", home.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// A file that nobody else may read, as one with a secret must be.
pub fn only_mine(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// `toktui` as it would be started from a login shell with nothing special set.
pub fn program(home: &Home, arguments: &[&str]) -> CommandBuilder {
    let mut command = CommandBuilder::new(PROGRAM);
    command.args(arguments);
    command.env_clear();
    for name in ["PATH", "HOME"] {
        command.env(name, std::env::var_os(name).unwrap_or_default());
    }
    command.env("TERM", "xterm-256color");
    command.env("LANG", "C.UTF-8");
    command.env("TOKTUI_HOME", home.path());
    command
}

/// A terminal with something running in it.
pub struct Seat {
    keyboard: Box<dyn Write + Send>,
    screen: Arc<Mutex<vt100::Parser>>,
    written: Arc<Mutex<Vec<u8>>>,
    pub child: Box<dyn Child + Send + Sync>,
    _master: Box<dyn MasterPty + Send>,
    _home: Home,
}

impl Seat {
    pub fn at(command: CommandBuilder, home: Home) -> Self {
        let size = PtySize { rows: ROWS, cols: COLS, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let cells = |count| NonZero::new(count).unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(cells(ROWS), cells(COLS), 0)));
        let written = Arc::new(Mutex::new(Vec::new()));
        let keyboard = pair.master.take_writer().unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (shown, kept) = (Arc::clone(&screen), Arc::clone(&written));
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                kept.lock().unwrap().extend_from_slice(&buffer[..count]);
                shown.lock().unwrap().process(&buffer[..count]);
            }
        });
        Self { keyboard, screen, written, child, _master: pair.master, _home: home }
    }

    pub fn types(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// As a terminal gives what was pasted to a program that asked for brackets around it.
    pub fn pastes(&mut self, text: &str) {
        self.types(&format!("\x1b[200~{text}\x1b[201~"));
    }

    pub fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// Waits for as long as only a broken program would need.
    pub fn wait<T>(&self, what: &str, seconds: u64, find: impl Fn(&str) -> Option<T>) -> T {
        let end = Instant::now() + Duration::from_secs(seconds);
        loop {
            let text = self.text();
            if let Some(found) = find(&text) {
                return found;
            }
            assert!(Instant::now() < end, "no {what} on the screen:\n{text}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn sees(&self, words: &str) {
        self.sees_within(words, 15);
    }

    pub fn sees_within(&self, words: &str, seconds: u64) {
        self.wait(words, seconds, |text| text.contains(words).then_some(()));
    }

    pub fn no_longer_sees(&self, words: &str) {
        self.wait(&format!("end of {words}"), 15, |text| (!text.contains(words)).then_some(()));
    }

    /// What the program gave the terminal for its clipboard, by OSC 52, one by one.
    pub fn clipboard(&self) -> Vec<String> {
        let written = self.written.lock().unwrap();
        let text = String::from_utf8_lossy(&written);
        let sent = text.split("\x1b]52;c;").skip(1);
        let end = |rest: &str| rest.find(['\x07', '\x1b']);
        sent.filter_map(|rest| STANDARD.decode(rest.get(..end(rest)?)?).ok())
            .filter_map(|bytes| String::from_utf8(bytes).ok())
            .collect()
    }

    /// What was copied by typing `keys`.
    pub fn copies_by(&mut self, keys: &str) -> String {
        let before = self.clipboard().len();
        self.types(keys);
        self.wait("text on its way to the clipboard", 15, |_| self.clipboard().get(before).cloned())
    }

    /// All that was ever written to the terminal.
    pub fn written(&self) -> String {
        String::from_utf8_lossy(&self.written.lock().unwrap()).into_owned()
    }

    /// Waits for the end of the program, and for the terminal to be whole again; its exit code.
    pub fn ends(&mut self) -> u32 {
        let code = self.child.wait().unwrap().exit_code();
        let end = Instant::now() + Duration::from_secs(5);
        loop {
            let screen = self.screen.lock().unwrap();
            let screen = screen.screen();
            let mouse = screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None;
            if !screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste() && !mouse {
                return code;
            }
            assert!(Instant::now() < end, "the terminal is not whole:\n{}", screen.contents());
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

/// The claims of a JWT.
pub fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap_or_else(|| panic!("no JWT: {token}"));
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}
