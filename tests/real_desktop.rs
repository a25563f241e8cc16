//! The clipboard of a real X11 server read back by xclip, and of a real tmux.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]
#![allow(clippy::disallowed_methods, reason = "these tests wait for other processes, in real time")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use toktui::desktop::holder::{self, HolderCommand};
use toktui::desktop::{Cleared, Desktop, Environment, RealDesktop, Route, Sent};
use toktui::domain::secret::Secret;

#[path = "support/places.rs"]
mod places;
use places::{Tmux, Xvfb, wait};

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

fn board_at(x11: &Xvfb) -> Board {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "the_process", "--nocapture"]);
    for name in ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "TMUX", "WAYLAND_DISPLAY"] {
        command.env_remove(name);
    }
    command.env(PART, "board").env("DISPLAY", &x11.display).env("TERM", "dumb");
    let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let stdin = process.stdin.take();
    let answers = BufReader::new(process.stdout.take().unwrap());
    Board { process, stdin, answers }
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
    let mut board = board_at(&x11);
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
    let mut board = board_at(&x11);
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
    let mut board = board_at(&x11);
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
    let mut board = board_at(&x11);
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

/// The desktop of a program that runs inside.
fn desktop_in(tmux: &Tmux) -> RealDesktop {
    let inside = tmux.ask(&["display-message", "-p", "#{socket_path},#{pid},0"]);
    let path = std::env::var("PATH").unwrap();
    let variables = [("TMUX", inside.trim()), ("TERM", "tmux-256color"), ("PATH", &path)];
    RealDesktop::new(Environment::of(&variables), None, None).with_holder(this_test_as_holder())
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
        let desktop = desktop_in(&tmux);
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
    let desktop = desktop_in(&tmux);
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
    let desktop = desktop_in(&tmux);
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
