//! The short-lived process that keeps copied text after the board has gone, and takes it back when its time is over.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use jiff::SignedDuration;
use zeroize::Zeroizing;

use super::clipboard::{Copied, LIMIT, Route};
use super::place::Environment;
use super::selection::Selection;
use super::{Error, child, clock, tmux};
use crate::domain::secret::Secret;
use crate::domain::time::{Clock, later};

/// The argument that makes this program a holder: `hold-clipboard SECONDS ROUTE`, the text on standard input.
pub const ARGUMENT: &str = "hold-clipboard";

/// What the holder says when the text is in its hands.
const READY: &str = "held";
/// How often the holder looks whether the clipboard is still its own.
const PULSE: Duration = Duration::from_millis(250);
/// No text is kept for longer, whatever the argument says.
const LONGEST: Duration = Duration::from_secs(600);
/// No longer text is taken.
const MOST_TEXT: u64 = 4 << 20;

/// What became of copied text when the board quits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handed {
    /// There was nothing of ours in the clipboard.
    Nothing,
    /// A holder keeps it, and clears it when its time is over.
    Held,
    /// It stays in the terminal's own clipboard, which nobody can clear once we are gone.
    Stays,
    /// No holder could be started; the text was cleared at once.
    Cleared,
}

/// How to start a holder: this program, with arguments that come before its own.
#[derive(Clone, Debug, Default)]
pub struct HolderCommand {
    /// The program; `None` when it is not known.
    pub program: Option<PathBuf>,
    /// What stands before [`ARGUMENT`].
    pub before: Vec<String>,
}

/// Starts a holder for `copied` and waits until it has taken over. Whether it did.
pub(super) fn start(
    holder: &HolderCommand,
    copied: &Copied,
    left: Duration,
    environment: &Environment,
) -> bool {
    let Some(program) = &holder.program else { return false };
    let mut command = Command::new(program);
    child::quietly(&mut command, environment);
    command.args(&holder.before).arg(ARGUMENT);
    command.arg(left.as_secs_f64().ceil().to_string()).arg(copied.route.word());
    command.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut child) = child::start(&mut command) else { return false };
    child::feed(&mut child, Some(&copied.text));
    let (to, ready) = channel();
    if let Some(stdout) = child.stdout.take() {
        thread::spawn(move || {
            let is_ready =
                BufReader::new(stdout.take(1 << 16)).lines().map_while(Result::ok).any(|line| line == READY);
            let _ = to.send(is_ready);
        });
    }
    let is_ready = ready.recv_timeout(LIMIT).unwrap_or(false);
    if !is_ready {
        let _ = child.kill();
    }
    child::reap(child);
    is_ready
}

/// The main function of a holder: reads the text, leaves the terminal's session, takes the clipboard, says so on
/// standard output and closes it, and ends when the time is over or somebody else has copied.
///
/// # Errors
///
/// When the arguments are none of ours, no text comes, or the clipboard refuses.
pub fn hold(arguments: &[String], environment: &Environment) -> Result<(), Error> {
    let (left, route) = read_arguments(arguments).ok_or(Error::Holder("its arguments are not understood"))?;
    // Not in the terminal's session any more: closing the window does not end us. Fails only where we lead already.
    let _ = rustix::process::setsid();
    let mut text = Zeroizing::new(String::new());
    let read = io::stdin().lock().take(MOST_TEXT).read_to_string(&mut text);
    read.map_err(|_| Error::Holder("no text came"))?;
    let text = Secret::new(std::mem::take(&mut *text));
    if text.is_empty() {
        return Err(Error::Holder("no text came"));
    }
    keep(&text, route, left, environment, &clock::SystemClock, close_stdout)
}

fn read_arguments(arguments: &[String]) -> Option<(Duration, Route)> {
    let [seconds, route] = arguments else { return None };
    let left = Duration::from_secs(seconds.parse().ok()?);
    let route = Route::named(route).filter(|route| *route != Route::Terminal)?;
    Some((left.min(LONGEST), route))
}

/// Says that the text is held, and lets go of the pipe: whoever waits for its end must not wait for ours.
fn close_stdout() {
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{READY}").and_then(|()| stdout.flush());
    if let Ok(nowhere) = std::fs::File::create("/dev/null") {
        let _ = rustix::stdio::dup2_stdout(&nowhere);
    }
}

fn keep(
    text: &Secret,
    route: Route,
    left: Duration,
    environment: &Environment,
    clock: &dyn Clock,
    ready: impl FnOnce(),
) -> Result<(), Error> {
    let failed = |why: String| Error::Clipboard { route, why: why.into() };
    let desktop = Selection::default();
    if route == Route::Desktop {
        desktop.put(text, LIMIT).map_err(|error| failed(error.to_string()))?;
    }
    ready();
    // Two clocks: the steady one stands still while the machine sleeps, the other may be set.
    let span = SignedDuration::try_from(left).unwrap_or(SignedDuration::MAX);
    let (end, steady_end) = (later(clock.now(), span), clock::steady() + left);
    while clock.now() < end && clock::steady() < steady_end {
        thread::sleep(PULSE.min(steady_end.saturating_duration_since(clock::steady())));
        if route == Route::Desktop && matches!(desktop.holds(text, LIMIT), Ok(false)) {
            return Ok(());
        }
    }
    let cleared = match route {
        Route::Desktop => desktop.clear(text, LIMIT).map_err(|error| error.to_string()),
        Route::Tmux | Route::Terminal => {
            tmux::clear(text, environment, LIMIT).map_err(|error| error.to_string())
        }
    };
    cleared.map(drop).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(words: &[&str]) -> Option<(Duration, Route)> {
        read_arguments(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_holder_takes_a_span_and_a_route_and_nothing_else() {
        assert_eq!(arguments(&["45", "desktop"]), Some((Duration::from_secs(45), Route::Desktop)));
        assert_eq!(arguments(&["45", "tmux"]), Some((Duration::from_secs(45), Route::Tmux)));
        assert_eq!(arguments(&["99999", "tmux"]), Some((LONGEST, Route::Tmux)));
        for wrong in
            [&["45", "terminal"][..], &["x", "desktop"], &["45"], &["45", "desktop", "more"], &["-1", "tmux"]]
        {
            assert_eq!(arguments(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_holder_that_does_not_start_or_says_nothing_is_no_holder() {
        let copied = Copied { text: Secret::new("tok-1"), route: Route::Desktop };
        let environment = Environment::of(&[("PATH", "/usr/bin:/bin")]);
        let left = Duration::from_secs(45);
        for (program, before) in
            [("/no/such/program", vec![]), ("/bin/sh", vec!["-c".into(), "exit 1".into()])]
        {
            let holder = HolderCommand { program: Some(program.into()), before };
            assert!(!start(&holder, &copied, left, &environment));
        }
        assert!(!start(&HolderCommand::default(), &copied, left, &environment));
    }

    #[test]
    fn a_holder_gets_the_text_by_pipe_and_its_span_rounded_up() {
        let folder = tempfile::tempdir().unwrap();
        let seen = folder.path().join("seen");
        let script = format!("{{ echo \"$@\"; cat; }} >{}; echo held", seen.display());
        let before = vec!["-c".into(), script, "sh".into()];
        let holder = HolderCommand { program: Some("/bin/sh".into()), before };
        let copied = Copied { text: Secret::new("tok-1"), route: Route::Tmux };
        let environment = Environment::of(&[("PATH", "/usr/bin:/bin")]);
        assert!(start(&holder, &copied, Duration::from_millis(31_200), &environment));
        assert_eq!(std::fs::read_to_string(seen).unwrap(), "hold-clipboard 32 tmux\ntok-1");
    }
}
