//! The whole program inside a real tmux: its buffer, a stop and a return, and how each end leaves the pane.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]
#![allow(clippy::disallowed_methods, reason = "these tests wait for other processes, in real time")]

use std::process::Command;

#[path = "support/places.rs"]
mod places;
use places::{Tmux, wait};

const DEMO: &str = concat!(env!("CARGO_BIN_EXE_toktui"), " demo");

#[test]
#[ignore = "needs tmux"]
fn three_keys_put_a_token_into_the_tmux_buffer_and_none_onto_the_screen() {
    let pane = Pane::with_demo();
    pane.types(&["j", "j", "y"]);
    pane.shows("to the tmux buffer");
    let buffer = pane.tmux.ask(&["show-buffer"]);
    assert_eq!(buffer.split('.').count(), 3, "a JWT: {buffer}");
    assert!(buffer.starts_with("eyJ") && buffer.trim() == buffer, "{buffer}");

    pane.types(&["q"]);
    pane.is_at_the_prompt();
    let left = pane.history();
    assert!(!left.contains("Providers") && !left.contains(&buffer[..20]), "{left}");
}

#[test]
#[ignore = "needs tmux"]
fn a_stop_gives_the_pane_to_the_shell_and_fg_draws_the_board_again() {
    let pane = Pane::with_demo();
    let board = pane.screen();
    for _ in 0..2 {
        pane.types(&["C-z"]);
        pane.shows("Stopped");
        assert!(!pane.screen().contains("Providers"));
        pane.line("echo still $((1 + 1))");
        pane.shows("still 2");
        pane.line("fg");
        pane.shows("1 Providers");
        let panes = |text: &str| text.lines().filter(|line| line.starts_with(['╭', '╰'])).count();
        assert_eq!(panes(&pane.screen()), panes(&board), "{}", pane.screen());
    }
    pane.types(&["C-l", "?"]);
    pane.shows("What works now");
    // In one go the two keys would be Alt-Q.
    pane.types(&["Escape"]);
    wait("end of the help", || !pane.screen().contains("What works now"));
    pane.types(&["q"]);
    pane.is_at_the_prompt();
}

#[test]
#[ignore = "needs tmux"]
fn every_signal_that_can_be_heard_leaves_the_pane_as_it_was() {
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129), ("QUIT", 131)] {
        let pane = Pane::with_demo();
        pane.signal(signal);
        pane.is_at_the_prompt();
        pane.line("echo code $? $(stty -g)");
        pane.shows(&format!("code {code} {}", pane.modes));
        let left = pane.history();
        assert!(!left.contains("Providers"), "{signal}:\n{left}");
        assert_eq!(pane.ask("#{alternate_on}#{mouse_any_flag}#{keypad_cursor_flag}"), "000", "{signal}");
        assert_eq!(pane.ask("#{cursor_flag}"), "1", "{signal}: the cursor is shown");
    }
}

/// Nobody hears SIGKILL. What stays is a screen that `reset` gives back, and no token anywhere.
#[test]
#[ignore = "needs tmux"]
fn a_board_that_is_killed_leaves_no_token_and_a_pane_that_reset_makes_whole() {
    let pane = Pane::with_demo();
    pane.types(&["j", "j", "y"]);
    pane.shows("to the tmux buffer");
    let buffer = pane.tmux.ask(&["show-buffer"]);
    pane.signal("KILL");
    // The terminal is still raw: a line ends in what Ctrl-J sends.
    pane.types(&["C-j"]);
    pane.types(&["stty sane; tput rmcup; tput cnorm; echo again $((2 + 1))", "C-j"]);
    pane.shows("again 3");
    let left = pane.history();
    assert!(!left.contains(&buffer[..20]) && !left.contains("Providers"), "{left}");
}

/// A shell in a pane of a private tmux, with the demo in front of it.
struct Pane {
    tmux: Tmux,
    /// How the terminal was before.
    modes: String,
}

impl Pane {
    fn with_demo() -> Self {
        let tmux = Tmux::start("on");
        let mut pane = Self { tmux, modes: String::new() };
        // What is typed does not look like the prompt itself.
        pane.line("unset DISPLAY WAYLAND_DISPLAY; export LANG=C.UTF-8; PS1='prompt''> '; clear");
        pane.shows("prompt>");
        pane.line("echo modes $(stty -g) end");
        wait("modes of the terminal", || pane.modes_shown().is_some());
        pane.modes = pane.modes_shown().unwrap();
        pane.line("clear");
        pane.line(DEMO);
        pane.shows("1 Providers");
        // Everything of the morning is there.
        pane.shows("2 Tokens");
        pane
    }

    fn modes_shown(&self) -> Option<String> {
        let text = self.joined();
        let line = text.lines().find_map(|line| line.strip_prefix("modes "))?;
        line.strip_suffix(" end").map(str::to_owned)
    }

    fn types(&self, keys: &[&str]) {
        self.tmux.ask(&[&["send-keys", "-t", "s"], keys].concat());
    }

    fn line(&self, line: &str) {
        self.tmux.ask(&["send-keys", "-t", "s", "-l", line]);
        self.types(&["Enter"]);
    }

    fn screen(&self) -> String {
        self.tmux.ask(&["capture-pane", "-p", "-t", "s"])
    }

    fn joined(&self) -> String {
        self.tmux.ask(&["capture-pane", "-p", "-J", "-t", "s"])
    }

    /// The screen and all that has left it at the top.
    fn history(&self) -> String {
        self.tmux.ask(&["capture-pane", "-p", "-J", "-S", "-", "-t", "s"])
    }

    fn shows(&self, words: &str) {
        wait(words, || self.joined().contains(words));
    }

    fn is_at_the_prompt(&self) {
        wait("prompt", || self.ask("#{pane_current_command}") == "sh");
        self.shows("prompt>");
    }

    fn ask(&self, format: &str) -> String {
        self.tmux.ask(&["display-message", "-p", "-t", "s", format]).trim().to_owned()
    }

    /// Signals the program in front, and only it.
    fn signal(&self, signal: &str) {
        let shell = self.ask("#{pane_pid}");
        let found = Command::new("pgrep").args(["-P", &shell]).output().unwrap();
        let board = String::from_utf8(found.stdout).unwrap();
        assert!(Command::new("kill").args(["-s", signal, board.trim()]).status().unwrap().success());
    }
}
