//! A private X11 server and a private tmux, with what a user there would do.
#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

/// Waits until `is_so`, in a time that only a broken program needs.
pub fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < end, "no {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A private X11 server.
pub struct Xvfb {
    server: Child,
    pub display: String,
}

impl Xvfb {
    pub fn start() -> Self {
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", "320x200x24", "-nolisten", "tcp"]);
        let mut server = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { server, display: format!(":{}", line.trim()) }
    }

    pub fn xclip(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("xclip");
        command.args(["-selection", "clipboard"]).args(arguments).env("DISPLAY", &self.display);
        command.stdin(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// What a paste gives; empty when nobody holds the clipboard.
    pub fn paste(&self) -> String {
        loop {
            // One who asks an owner that ends this very moment is never answered.
            let mut command = Command::new("timeout");
            command.args(["3", "xclip", "-selection", "clipboard", "-o"]).env("DISPLAY", &self.display);
            let asked = command.stdin(Stdio::null()).stderr(Stdio::null()).output().unwrap();
            if asked.status.code() != Some(124) {
                return String::from_utf8(asked.stdout).unwrap();
            }
        }
    }

    /// Somebody else copies. xclip stays in the background and keeps its output open.
    pub fn others_copy(&self, text: &str) {
        let mut command = self.xclip(&["-i"]);
        let mut xclip = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        xclip.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        xclip.wait().unwrap();
        wait("text of somebody else", || self.paste() == text);
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.server), signal).unwrap();
    }
}

impl Drop for Xvfb {
    fn drop(&mut self) {
        self.signal(Signal::CONT);
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A private tmux.
pub struct Tmux {
    folder: tempfile::TempDir,
}

impl Tmux {
    pub fn start(set_clipboard: &str) -> Self {
        let tmux = Self { folder: tempfile::tempdir().unwrap() };
        tmux.ask(&["new-session", "-d", "-s", "s", "-x", "80", "-y", "24", "sh"]);
        tmux.ask(&["set", "-s", "set-clipboard", set_clipboard]);
        tmux
    }

    pub fn arguments(&self) -> [String; 4] {
        let socket = self.folder.path().join("socket").to_str().unwrap().to_owned();
        ["-S".into(), socket, "-f".into(), "/dev/null".into()]
    }

    pub fn ask(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("tmux");
        command.args(self.arguments()).args(arguments).env_remove("TMUX").stdin(Stdio::null());
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    }

    /// Shows the session in a terminal, and returns what that terminal is sent.
    pub fn attach(&self) -> Arc<Mutex<Vec<u8>>> {
        let mut command = CommandBuilder::new("tmux");
        command.args(self.arguments());
        command.args(["attach", "-t", "s"]);
        command.env_remove("TMUX");
        command.env("TERM", "xterm-256color");
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        pair.slave.spawn_command(command).unwrap();
        let sent = Arc::new(Mutex::new(Vec::new()));
        let to = Arc::clone(&sent);
        thread::spawn(move || {
            let mut reader = pair.master.try_clone_reader().unwrap();
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                to.lock().unwrap().extend(&buffer[..count]);
            }
        });
        wait("attached terminal", || self.ask(&["list-clients"]).contains("xterm"));
        sent
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.ask(&["kill-server"]);
    }
}
