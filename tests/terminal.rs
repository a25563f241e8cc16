//! A real program in a real pseudo-terminal: taken, used, left in every way, stopped and lost.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]
#![allow(clippy::disallowed_methods, reason = "these tests wait for another process, in real time")]

use std::io::{Read, Write};
use std::num::NonZero;
use std::process::exit;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal as Number, kill_process};
use toktui::desktop::glyphs::Glyphs;
use toktui::desktop::input::InputStream;
use toktui::desktop::keys::Input;
use toktui::desktop::output::Output;
use toktui::desktop::place::Environment;
use toktui::desktop::signals::{Signal, Signals, Stopped, stop};
use toktui::desktop::{panic, terminal};

/// Names the part that the process plays when the tests start it.
const PART: &str = "TERMINAL_TEST_PART";

/// The program under test: says on the screen what reaches it, and leaves in the ways it is asked to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the program that the other tests start in a pseudo-terminal"]
async fn the_program() {
    let Ok(part) = std::env::var(PART) else { return };
    panic::install_hook();
    let mut signals = Signals::listen().unwrap();
    let mut input = InputStream::start().unwrap();
    let mut output = Output::to_screen(Glyphs::Unicode).unwrap();
    let guard = terminal::take(&Environment::of_this_process()).unwrap();
    let mut say = move |text: &str| {
        write!(output, "\x1b[2J\x1b[H{text}").unwrap();
        output.flush().unwrap();
    };
    say("ready");
    let code = loop {
        tokio::select! {
            signal = signals.next() => match signal {
                Signal::HangUp if part == "deaf" => {}
                Signal::Continue => match guard.take_again() {
                    Ok(()) => say("continued"),
                    Err(_) => break 129,
                },
                signal => if let Some(code) = signal.exit_code() { break code },
            },
            input = input.next() => match input {
                Input::Gone => break 129,
                Input::Key(KeyEvent { code: KeyCode::Char('z'), modifiers: KeyModifiers::CONTROL, .. }) => {
                    match stop(&guard, &mut signals).await.unwrap() {
                        Stopped::AndBack => say("back"),
                        Stopped::NobodyToContinueUs => say("nobody would continue us"),
                    }
                }
                Input::Key(KeyEvent { code: KeyCode::Char('q'), .. }) => break 0,
                Input::Key(KeyEvent { code: KeyCode::Char('p'), .. }) => panic!("on purpose"),
                Input::Key(KeyEvent { code: KeyCode::Char('t'), .. }) => {
                    tokio::spawn(async { panic!("in a task") });
                }
                Input::Key(KeyEvent { code: KeyCode::Char('m'), .. }) => {
                    guard.mouse(true).unwrap();
                    say("mouse");
                }
                Input::Key(KeyEvent { code: KeyCode::Char('f'), .. }) => say(&"flood ".repeat(200_000)),
                Input::Paste(text) => say(&format!("pasted {}", text.expose())),
                Input::Resize(columns, rows) => say(&format!("{columns} by {rows}")),
                other => say(&format!("{other:?}")),
            },
        }
    };
    drop(guard);
    exit(code.into());
}

/// A pseudo-terminal with something running in it.
struct Pty {
    master: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
    screen: Arc<Mutex<vt100::Parser>>,
    child: Box<dyn Child + Send + Sync>,
}

fn program(part: &str) -> CommandBuilder {
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "the_program", "--nocapture"]);
    command.env("TERM", "xterm-256color");
    command.env("RUST_BACKTRACE", "0");
    command.env(PART, part);
    command
}

fn open(command: CommandBuilder) -> (Box<dyn MasterPty + Send>, Box<dyn Child + Send + Sync>) {
    let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).unwrap();
    let child = pair.slave.spawn_command(command).unwrap();
    (pair.master, child)
}

impl Pty {
    fn start(command: CommandBuilder) -> Self {
        let (master, child) = open(command);
        let size = |cells| NonZero::new(cells).unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(size(24), size(80), 0)));
        let (mut reader, keyboard) = (master.try_clone_reader().unwrap(), master.take_writer().unwrap());
        let shown = Arc::clone(&screen);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                shown.lock().unwrap().process(&buffer[..count]);
            }
        });
        Self { master, keyboard, screen, child }
    }

    fn typed(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    fn wait(&self, what: &str, is_so: impl Fn(&vt100::Screen) -> bool) {
        let end = Instant::now() + Duration::from_secs(10);
        while !is_so(self.screen.lock().unwrap().screen()) {
            assert!(Instant::now() < end, "no {what}:\n{}", self.screen.lock().unwrap().screen().contents());
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn shows(&self, text: &str) {
        self.wait(text, |screen| screen.contents().contains(text));
    }

    fn kill(&self, signal: Number) {
        let pid = self.child.process_id().and_then(|pid| Pid::from_raw(pid.cast_signed())).unwrap();
        kill_process(pid, signal).unwrap();
    }

    fn is_ours(&self) {
        self.wait("whole terminal", |screen| {
            !screen.alternate_screen()
                && !screen.hide_cursor()
                && !screen.bracketed_paste()
                && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
        });
    }
}

#[test]
fn every_way_of_leaving_gives_the_terminal_back_and_tells_how_it_ended() {
    type Leave = fn(&mut Pty);
    let ways: [(&str, Leave, u32, &str); 7] = [
        ("q", |pty| pty.typed("q"), 0, ""),
        ("SIGINT", |pty| pty.kill(Number::INT), 130, ""),
        ("SIGTERM", |pty| pty.kill(Number::TERM), 143, ""),
        ("SIGHUP", |pty| pty.kill(Number::HUP), 129, ""),
        ("SIGQUIT", |pty| pty.kill(Number::QUIT), 131, ""),
        ("panic", |pty| pty.typed("p"), 101, "on purpose"),
        ("panic in a task", |pty| pty.typed("t"), 101, "in a task"),
    ];
    for (way, leave, code, said) in ways {
        let mut pty = Pty::start(program("plain"));
        pty.shows("ready");
        pty.typed("m");
        pty.shows("mouse");
        let raw = pty.master.get_termios().unwrap();
        leave(&mut pty);
        let ended = pty.child.wait().unwrap();
        assert_eq!(ended.exit_code(), code, "{way}");
        pty.is_ours();
        pty.shows(said);
        let cooked = pty.master.get_termios().unwrap();
        assert!(raw.local_flags != cooked.local_flags, "{way}: lines are edited and echoed again");
    }
}

#[test]
fn keys_pastes_and_sizes_reach_the_program() {
    let mut pty = Pty::start(program("plain"));
    pty.shows("ready");
    pty.typed("\x1b[200~tok-1\rq\x1b[201~");
    pty.shows("pasted tok-1");
    pty.typed("\x1b");
    pty.shows("Esc");
    pty.typed("\x1b[");
    pty.shows("Char('[')");
    for (cols, rows, shown) in
        [(100, 30, "100 by 30"), (1, 1, "1 by 1"), (0, 0, "80 by 24"), (90, 20, "90 by 20")]
    {
        pty.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
        pty.shows(shown);
    }
    pty.typed("q");
    assert_eq!(pty.child.wait().unwrap().exit_code(), 0);
}

/// Reads the terminal's side of what the program writes, and no further.
fn read_until(master: &dyn MasterPty, wanted: &[u8]) -> Box<dyn Read + Send> {
    let mut reader = master.try_clone_reader().unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(wanted) {
        let mut byte = [0];
        reader.read_exact(&mut byte).unwrap();
        seen.extend(byte);
    }
    reader
}

#[test]
fn a_terminal_that_takes_nothing_keeps_the_program_neither_from_listening_nor_from_ending() {
    let (master, mut child) = open(program("plain"));
    let _reader = read_until(&*master, b"ready");
    let mut keyboard = master.take_writer().unwrap();
    for keys in ["f", "x", "q"] {
        keyboard.write_all(keys.as_bytes()).unwrap();
        keyboard.flush().unwrap();
    }
    let asked = Instant::now();
    assert_eq!(child.wait().unwrap().exit_code(), 0);
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
}

#[test]
fn a_terminal_that_is_gone_ends_the_program_at_once_even_without_a_signal() {
    for part in ["plain", "deaf"] {
        let (master, mut child) = open(program(part));
        let reader = read_until(&*master, b"ready");
        let gone = Instant::now();
        drop((reader, master));
        assert_eq!(child.wait().unwrap().exit_code(), 129, "{part}");
        // The promise is 100 ms; the rest is for a machine that is busy with other tests.
        assert!(gone.elapsed() < Duration::from_secs(2), "{part}: {:?}", gone.elapsed());
    }
}

#[test]
fn a_stop_gives_the_terminal_to_the_shell_and_fg_takes_it_back() {
    let mut shell = CommandBuilder::new("/bin/sh");
    shell.arg("-i");
    shell.env("PS1", "prompt> ");
    shell.env_remove("ENV");
    for (name, value) in [("TERM", "xterm-256color"), (PART, "plain")] {
        shell.env(name, value);
    }
    let mut pty = Pty::start(shell);
    pty.shows("prompt>");
    let program = std::env::current_exe().unwrap();
    pty.typed(&format!("{} --ignored --exact the_program --nocapture\n", program.display()));
    pty.shows("ready");
    for _ in 0..3 {
        pty.typed("\x1a");
        pty.is_ours();
        pty.shows("Stopped");
        pty.typed("clear; echo still $((1 + 1))\n");
        pty.shows("still 2");
        pty.typed("fg\n");
        pty.wait("screen taken again", |screen| {
            screen.alternate_screen() && screen.contents().contains("back")
        });
        pty.typed("x");
        pty.shows("Char('x')");
    }
    pty.typed("q");
    pty.is_ours();
    pty.typed("echo left $((2 + 1))\n");
    pty.shows("left 3");
    pty.typed("exit\n");
    pty.child.wait().unwrap();
}

#[test]
fn nothing_stops_where_no_shell_could_continue_it() {
    let mut pty = Pty::start(program("plain"));
    pty.shows("ready");
    pty.typed("\x1a");
    pty.shows("nobody would continue us");
    pty.kill(Number::CONT);
    pty.shows("continued");
    pty.typed("q");
    assert_eq!(pty.child.wait().unwrap().exit_code(), 0);
}
