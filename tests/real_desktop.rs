//! The clipboard of a real X11 server read back by xclip, and of a real tmux.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]
#![allow(clippy::disallowed_methods, reason = "these tests wait for other processes, in real time")]

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use toktui::desktop::holder::{self, HolderCommand};
use toktui::desktop::{Cleared, Desktop, Environment, RealDesktop, Route, Sent};
use toktui::domain::secret::Secret;

const TOKEN: &str = "tok-eyJhbGciOiJub25lIn0.e30.";
/// Makes the process that the tests start the board among them.
const PART: &str = "DESKTOP_TEST_PART";

/// The processes under test. X11 is reached by the process's own environment, so each gets a process: a board, which
/// does what its standard input says and answers on standard output, and the holder that it leaves behind.
#[test]
#[ignore = "the processes that the other tests start"]
fn the_process() {
    let environment = Environment::of_this_process();
    let arguments: Vec<String> =
        std::env::args().skip_while(|word| word != holder::ARGUMENT).skip(1).collect();
    if !arguments.is_empty() {
        return holder::hold(&arguments, &environment).unwrap();
    }
    if std::env::var_os(PART).is_none() {
        return;
    }
    let desktop = RealDesktop::new(environment, None, None).with_holder(this_test_as_holder());
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let answer = match line.split_once(' ').unwrap_or((&line, "")) {
            ("copy", text) => format!("{:?}", desktop.copy(&Secret::new(text))),
            ("clear", _) => format!("{:?}", desktop.clear_copied()),
            ("quit", seconds) => {
                format!("{:?}", desktop.hand_over(Duration::from_secs(seconds.parse().unwrap())))
            }
            _ => panic!("{line}"),
        };
        writeln!(std::io::stdout(), "answer: {answer}").unwrap();
    }
}

fn this_test_as_holder() -> HolderCommand {
    let before = ["--ignored", "--exact", "the_process", "--nocapture"].map(str::to_owned).to_vec();
    HolderCommand { program: std::env::current_exe().ok(), before }
}

/// Waits until `is_so`, in a time that only a broken program needs.
fn wait(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < end, "no {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A private X11 server.
struct Xvfb {
    server: Child,
    display: String,
}

impl Xvfb {
    fn start() -> Self {
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", "320x200x24", "-nolisten", "tcp"]);
        let mut server = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { server, display: format!(":{}", line.trim()) }
    }

    fn xclip(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("xclip");
        command.args(["-selection", "clipboard"]).args(arguments).env("DISPLAY", &self.display);
        command.stdin(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// What a paste gives; empty when nobody holds the clipboard.
    fn paste(&self) -> String {
        String::from_utf8(self.xclip(&["-o"]).output().unwrap().stdout).unwrap()
    }

    /// Somebody else copies. xclip stays in the background and keeps its output open.
    fn others_copy(&self, text: &str) {
        let mut command = self.xclip(&["-i"]);
        let mut xclip = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        xclip.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        xclip.wait().unwrap();
        wait("text of somebody else", || self.paste() == text);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.server), signal).unwrap();
    }

    fn board(&self) -> Board {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "the_process", "--nocapture"]);
        for name in ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "TMUX", "WAYLAND_DISPLAY"] {
            command.env_remove(name);
        }
        command.env(PART, "board").env("DISPLAY", &self.display).env("TERM", "dumb");
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdin = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Board { process, stdin, answers }
    }
}

impl Drop for Xvfb {
    fn drop(&mut self) {
        self.signal(Signal::CONT);
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

struct Board {
    process: Child,
    stdin: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Board {
    fn ask(&mut self, line: &str) -> String {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
        loop {
            let mut answer = String::new();
            assert_ne!(self.answers.read_line(&mut answer).unwrap(), 0, "it ended at {line}");
            if let Some((_, answer)) = answer.split_once("answer: ") {
                return answer.trim_end().to_owned();
            }
        }
    }

    fn copy(&mut self) {
        let sent = Ok::<_, ()>(Sent { route: Route::Desktop, certain: true });
        assert_eq!(self.ask(&format!("copy {TOKEN}")), format!("{sent:?}"));
    }

    fn leave(mut self) {
        drop(self.stdin.take());
        self.process.wait().unwrap();
    }
}

#[test]
#[ignore = "needs Xvfb and xclip"]
fn text_on_the_x11_clipboard_is_pasted_elsewhere_hidden_from_histories_and_cleared_while_ours() {
    let x11 = Xvfb::start();
    let mut board = x11.board();
    board.copy();
    assert_eq!(x11.paste(), TOKEN);
    let targets = String::from_utf8(x11.xclip(&["-o", "-t", "TARGETS"]).output().unwrap().stdout).unwrap();
    assert!(targets.lines().any(|target| target == "x-kde-passwordManagerHint"), "{targets}");
    let hint = x11.xclip(&["-o", "-t", "x-kde-passwordManagerHint"]).output().unwrap().stdout;
    assert_eq!(hint, b"secret");

    assert_eq!(board.ask("clear"), "Ok(Cleared)");
    assert_eq!(x11.paste(), "");
    assert_eq!(board.ask("clear"), "Ok(Nothing)");

    board.copy();
    x11.others_copy("a line of a letter");
    assert_eq!(board.ask("clear"), "Ok(NotOurs)");
    assert_eq!(x11.paste(), "a line of a letter");
    board.leave();
}

#[test]
#[ignore = "needs Xvfb and xclip"]
fn a_holder_keeps_the_text_when_the_board_is_gone_and_lets_it_go_when_its_time_is_over() {
    let x11 = Xvfb::start();
    let mut board = x11.board();
    board.copy();
    assert_eq!(board.ask("quit 2"), "Held");
    let handed = Instant::now();
    board.leave();
    assert_eq!(x11.paste(), TOKEN);
    wait("end of the holder", || x11.paste().is_empty());
    let held = handed.elapsed();
    assert!((1500..4000).contains(&held.as_millis()), "{held:?}");
}

#[test]
#[ignore = "needs Xvfb and xclip"]
fn a_holder_ends_when_somebody_else_copies_and_leaves_that_alone() {
    let x11 = Xvfb::start();
    let mut board = x11.board();
    board.copy();
    assert_eq!(board.ask("quit 600"), "Held");
    board.leave();
    let holders = || {
        let wanted = [holder::ARGUMENT, "600", "desktop"].join("\0");
        let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        let lines =
            processes.filter_map(|process| std::fs::read_to_string(process.path().join("cmdline")).ok());
        let lines: Vec<String> = lines.filter(|line| line.contains(&wanted)).collect();
        assert!(!lines.iter().any(|line| line.contains(TOKEN)), "the text never stands in an argument");
        lines.len()
    };
    assert_eq!(holders(), 1);
    x11.others_copy("a line of a letter");
    wait("end of the holder", || holders() == 0);
    assert_eq!(x11.paste(), "a line of a letter");
}

#[test]
#[ignore = "needs Xvfb and xclip"]
fn a_display_that_hangs_costs_two_seconds_and_no_late_copy_stays() {
    let x11 = Xvfb::start();
    let mut board = x11.board();
    board.copy();
    x11.signal(Signal::STOP);
    let asked = Instant::now();
    let refused = board.ask("copy tok-late");
    let waited = asked.elapsed();
    assert!(refused.starts_with("Err") && !refused.contains("tok-late"), "{refused}");
    assert!((1900..4000).contains(&waited.as_millis()), "{waited:?}");
    x11.signal(Signal::CONT);
    wait("late copy to be taken back", || x11.paste() != "tok-late");
    thread::sleep(Duration::from_millis(100));
    assert_ne!(x11.paste(), "tok-late");
    board.leave();
}

/// A private tmux.
struct Tmux {
    folder: tempfile::TempDir,
}

impl Tmux {
    fn start(set_clipboard: &str) -> Self {
        let tmux = Self { folder: tempfile::tempdir().unwrap() };
        tmux.ask(&["new-session", "-d", "-s", "s", "-x", "80", "-y", "24", "sh"]);
        tmux.ask(&["set", "-s", "set-clipboard", set_clipboard]);
        tmux
    }

    fn arguments(&self) -> [String; 4] {
        let socket = self.folder.path().join("socket").to_str().unwrap().to_owned();
        ["-S".into(), socket, "-f".into(), "/dev/null".into()]
    }

    fn ask(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("tmux");
        command.args(self.arguments()).args(arguments).env_remove("TMUX").stdin(Stdio::null());
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    }

    /// The desktop of a program that runs inside.
    fn desktop(&self) -> RealDesktop {
        let inside = self.ask(&["display-message", "-p", "#{socket_path},#{pid},0"]);
        let path = std::env::var("PATH").unwrap();
        let variables = [("TMUX", inside.trim()), ("TERM", "tmux-256color"), ("PATH", &path)];
        RealDesktop::new(Environment::of(&variables), None, None).with_holder(this_test_as_holder())
    }

    /// Shows the session in a terminal, and returns what that terminal is sent.
    fn attach(&self) -> Arc<Mutex<Vec<u8>>> {
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

fn contains(bytes: &Mutex<Vec<u8>>, wanted: &str) -> bool {
    bytes.lock().unwrap().windows(wanted.len()).any(|part| part == wanted.as_bytes())
}

/// `tok-1` and a blank, as tmux passes them on: without the `c`.
const OUTSIDE: &str = "\x1b]52;;dG9rLTE=\x07";
const BLANK_OUTSIDE: &str = "\x1b]52;;IA==\x07";

#[test]
#[ignore = "needs tmux"]
fn text_in_the_tmux_buffer_reaches_the_terminal_outside_and_is_cleared_in_both() {
    // `set-clipboard` keeps programs inside from doing so by OSC 52; what the user asks of tmux itself it does not stop.
    for set_clipboard in ["on", "external", "off"] {
        let tmux = Tmux::start(set_clipboard);
        let terminal = tmux.attach();
        let desktop = tmux.desktop();
        let sent = desktop.copy(&Secret::new("tok-1")).unwrap();
        assert_eq!(sent, Sent { route: Route::Tmux, certain: false });
        assert_eq!(tmux.ask(&["show-buffer"]), "tok-1");
        wait("text in the terminal outside", || contains(&terminal, OUTSIDE));

        assert_eq!(desktop.clear_copied().unwrap(), Cleared::Cleared);
        assert_eq!(tmux.ask(&["list-buffers"]), "");
        wait("blank in the terminal outside", || contains(&terminal, BLANK_OUTSIDE));
    }
}

#[test]
#[ignore = "needs tmux"]
fn what_somebody_else_copied_in_tmux_since_stays_inside_and_outside() {
    let tmux = Tmux::start("on");
    let terminal = tmux.attach();
    let desktop = tmux.desktop();
    desktop.copy(&Secret::new("tok-1")).unwrap();
    tmux.ask(&["set-buffer", "-w", "other"]);
    assert_eq!(desktop.clear_copied().unwrap(), Cleared::Cleared);
    assert_eq!(tmux.ask(&["list-buffers", "-F", "#{buffer_sample}"]).trim(), "other");
    wait("other text in the terminal outside", || contains(&terminal, "\x1b]52;;b3RoZXI=\x07"));
    assert!(!contains(&terminal, BLANK_OUTSIDE));
}

#[test]
#[ignore = "needs tmux"]
fn a_holder_clears_the_tmux_buffer_when_the_board_is_gone() {
    let tmux = Tmux::start("on");
    let desktop = tmux.desktop();
    desktop.copy(&Secret::new("tok-1")).unwrap();
    assert_eq!(format!("{:?}", desktop.hand_over(Duration::from_secs(1))), "Held");
    drop(desktop);
    assert_eq!(tmux.ask(&["show-buffer"]), "tok-1");
    wait("empty buffer", || tmux.ask(&["list-buffers"]).is_empty());
}

#[test]
#[ignore = "needs tmux"]
fn osc_52_from_a_program_that_does_not_know_of_tmux_lands_in_its_buffer() {
    let tmux = Tmux::start("on");
    let program = std::env::current_exe().unwrap();
    let unset = "-u TMUX -u DISPLAY -u WAYLAND_DISPLAY";
    let line = format!(
        "(echo copy tok-1; sleep 9) | env {unset} TERM=screen-256color {PART}=board {} --ignored --exact the_process --nocapture",
        program.display()
    );
    tmux.ask(&["send-keys", "-t", "s", &line, "Enter"]);
    wait("text in the buffer", || tmux.ask(&["show-buffer"]) == "tok-1");
    wait("honest answer", || tmux.ask(&["capture-pane", "-p", "-J"]).contains("certain: false"));
}
