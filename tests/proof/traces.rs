//! The program under strace: killed at a system call, refused by one, or lied to by one.
//!
//! What strace injects makes broken variants of the program that is shipped: a `flock` that says yes without locking is a program
//! without locks, an `fdatasync` that returns without having been called is one that does not sync.

use std::path::Path;
use std::process::{Command, Stdio};

/// A system call as it began, and where in the log it was over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub thread: u32,
    pub name: String,
    /// Arguments and result, descriptors with their paths.
    pub text: String,
    /// The line of the log at which it began, and the one at which it was over; a call that was never over has none.
    pub began: usize,
    pub over: Option<usize>,
}

impl Call {
    /// Whether it is about a file below the store's folder of this name.
    pub fn is_about(&self, part: &str) -> bool {
        self.text.contains(part)
    }

    /// Whether it really writes into a file.
    pub fn writes(&self) -> bool {
        let writing = matches!(self.name.as_str(), "write" | "pwrite64" | "writev" | "pwritev" | "pwritev2");
        writing && !self.is_feigned()
    }

    /// What it returned.
    pub fn result(&self) -> Option<i64> {
        let (_, result) = self.text.rsplit_once(" = ")?;
        result.split(' ').next()?.parse().ok()
    }

    /// Whether it really makes a file durable.
    pub fn syncs(&self) -> bool {
        matches!(self.name.as_str(), "fdatasync" | "fsync") && !self.is_feigned()
    }

    /// Whether strace answered in the system's place.
    pub fn is_feigned(&self) -> bool {
        self.text.ends_with("(INJECTED)")
    }

    /// Whether it sends over a socket.
    pub fn sends(&self) -> bool {
        let socket = self.text.contains("TCP:[") || self.text.contains("socket:[");
        matches!(self.name.as_str(), "sendto" | "sendmsg") || (self.writes() && socket)
    }

    /// Whether it writes to standard output.
    pub fn prints(&self) -> bool {
        self.writes() && (self.text.starts_with("1<") || self.text.starts_with("1,"))
    }
}

/// The same command under strace, which logs into `log`. `rules` are more words for strace: `["-e", "inject=…"]`.
pub fn traced(command: &Command, log: &Path, rules: &[String]) -> Command {
    let mut traced = Command::new("strace");
    traced.args(["-f", "-q", "-y", "-s", "0", "-o"]).arg(log);
    traced.args(rules).arg("--").arg(command.get_program()).args(command.get_args());
    traced.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => traced.env(name, value),
            None => traced.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        traced.current_dir(folder);
    }
    traced
}

/// The rule that does `what` to the calls named `name`, at the so-manieth of each thread or (`None`) always. Only these are logged.
pub fn inject(name: &str, what: &str, at: Option<usize>) -> Vec<String> {
    let rule = rule(name, what, at);
    vec!["-e".to_owned(), format!("trace={name}"), "-e".to_owned(), rule]
}

/// The same, with all calls in the log.
pub fn rule(name: &str, what: &str, at: Option<usize>) -> String {
    let when = at.map(|at| format!(":when={at}")).unwrap_or_default();
    format!("inject={name}:{what}{when}")
}

/// Reads a log.
pub fn read(log: &Path) -> Vec<Call> {
    parse(&std::fs::read_to_string(log).unwrap_or_default())
}

fn parse(text: &str) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    for (line, text) in text.lines().enumerate() {
        let Some((thread, rest)) = text.split_once(' ') else { continue };
        let Ok(thread) = thread.parse() else { continue };
        let rest = rest.trim_start();
        if let Some(resumed) = rest.strip_prefix("<... ") {
            let name = resumed.split(' ').next().unwrap_or_default();
            let begun = calls
                .iter_mut()
                .rev()
                .find(|call| call.thread == thread && call.name == name && call.over.is_none());
            if let Some(call) = begun {
                call.text.push_str(resumed);
                call.over = Some(line);
            }
            continue;
        }
        let Some((name, arguments)) = rest.split_once('(') else { continue };
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            continue;
        }
        // A call that was killed in its middle has no result: `= ?`.
        let whole = !arguments.ends_with("<unfinished ...>") && !arguments.ends_with("= ?");
        calls.push(Call {
            thread,
            name: name.to_owned(),
            text: arguments.to_owned(),
            began: line,
            over: whole.then_some(line),
        });
    }
    calls
}

#[test]
fn a_log_is_read_with_what_was_begun_and_never_over() {
    let log = "\
11  openat(AT_FDCWD</home>, \"\"..., O_RDONLY) = 7</home/store/tokens/egi>
12  fdatasync(7</home/store/tokens/egi> <unfinished ...>
11  write(1</dev/null>, \"\"..., 5) = 5
12  <... fdatasync resumed>) = 0
11  write(7</home/store/tokens/egi>, \"\"..., 5) = ?
11  +++ killed by SIGKILL +++
";
    let calls = parse(log);
    let told: Vec<_> = calls.iter().map(|call| (call.thread, &*call.name, call.began, call.over)).collect();
    let expected = [
        (11, "openat", 0, Some(0)),
        (12, "fdatasync", 1, Some(3)),
        (11, "write", 2, Some(2)),
        (11, "write", 4, None),
    ];
    assert_eq!(told, expected);
    assert!(calls[2].prints() && calls[1].syncs() && calls[3].is_about("tokens/egi"));
}
