//! Runs a small program of the user's system: by arguments, never by a shell, and never for long.

use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::place::Environment;
use super::{clock, process};
use crate::domain::secret::Secret;

/// How often a child is asked whether it has ended.
const PULSE: Duration = Duration::from_millis(4);
/// More than this is not read from a child.
const MOST_OUTPUT: u64 = 4 << 20;

/// Why a child gave no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    /// It could not be started.
    #[error("it could not be started ({0})")]
    Start(#[source] io::Error),
    /// It had not ended in time, and was ended.
    #[error("it gave no answer in time")]
    TimedOut,
    /// It ended and said that it failed.
    #[error("it failed ({0})")]
    Exit(ExitStatus),
}

/// A command with the environment that children get and nothing on its three streams.
pub(super) fn command(program: &str, arguments: &[&str], environment: &Environment) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    quietly(&mut command, environment);
    command
}

/// Gives `command` the environment that children get, nothing on its three streams, and a process group of its own,
/// so that a key or a stop meant for us does not reach it.
pub(super) fn quietly(command: &mut Command, environment: &Environment) {
    use std::os::unix::process::CommandExt;

    command.env_clear().envs(environment.for_children()).process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
}

/// Starts `command` with the limits that we were given ourselves.
pub(super) fn start(command: &mut Command) -> io::Result<Child> {
    process::with_its_own_limits(|| command.spawn())
}

/// Runs `command` with `input` on its standard input and returns what it wrote, both wiped after use.
pub(super) fn run(
    mut command: Command,
    input: Option<&Secret>,
    limit: Duration,
) -> Result<Zeroizing<Vec<u8>>, Failed> {
    let end = clock::steady() + limit;
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() }).stdout(Stdio::piped());
    let mut child = start(&mut command).map_err(Failed::Start)?;
    feed(&mut child, input);
    let (to, output) = channel();
    if let Some(stdout) = child.stdout.take() {
        // A grandchild may keep the pipe open for ever; then this thread stays, and we do not wait for it.
        thread::spawn(move || {
            let mut bytes = Zeroizing::new(Vec::new());
            let _ = stdout.take(MOST_OUTPUT).read_to_end(&mut bytes);
            let _ = to.send(bytes);
        });
    }
    let Some(status) = ended(&mut child, end) else {
        let _ = child.kill();
        reap(child);
        return Err(Failed::TimedOut);
    };
    let status = status.map_err(Failed::Start)?;
    let left = end.saturating_duration_since(clock::steady());
    let output = output.recv_timeout(left).map_err(|_| Failed::TimedOut)?;
    if status.success() { Ok(output) } else { Err(Failed::Exit(status)) }
}

/// Hands the child its input from a thread: a child that does not read must not block us.
pub(super) fn feed(child: &mut Child, input: Option<&Secret>) {
    if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input.cloned()) {
        thread::spawn(move || stdin.write_all(input.expose().as_bytes()));
    }
}

/// Waits for the child until `end`; `None` when it runs on.
pub(super) fn ended(child: &mut Child, end: Instant) -> Option<io::Result<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait().transpose() {
            return Some(status);
        }
        if clock::steady() >= end {
            return None;
        }
        thread::sleep(PULSE);
    }
}

/// Takes the child's exit code whenever it comes, so that no zombie stays.
pub(super) fn reap(mut child: Child) {
    thread::spawn(move || child.wait());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        command("sh", &["-c", script], &Environment::of(&[("PATH", "/usr/bin:/bin")]))
    }

    #[test]
    fn a_child_reads_its_input_and_its_output_comes_back() {
        let output = run(sh("cat"), Some(&Secret::new("tok-1")), Duration::from_secs(5)).unwrap();
        assert_eq!(*output, b"tok-1");
    }

    #[test]
    fn a_child_that_hangs_is_ended_in_time() {
        let begun = clock::steady();
        let failed = run(sh("sleep 60"), None, Duration::from_millis(50));
        assert!(matches!(failed, Err(Failed::TimedOut)));
        assert!(begun.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_child_that_leaves_somebody_at_the_pipe_does_not_hold_us_up() {
        let failed = run(sh("sleep 2 & exit 0"), None, Duration::from_millis(50));
        assert!(matches!(failed, Err(Failed::TimedOut)));
    }

    #[test]
    fn a_child_that_says_no_or_is_not_there_is_an_error() {
        assert!(matches!(run(sh("exit 3"), None, Duration::from_secs(5)), Err(Failed::Exit(_))));
        let missing = command("no-such-program", &[], &Environment::default());
        assert!(matches!(run(missing, None, Duration::from_secs(5)), Err(Failed::Start(_))));
    }
}
