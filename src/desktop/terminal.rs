//! Takes the terminal and always gives it back.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::thread;
use std::time::Duration;

use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste, EnableFocusChange,
    EnableMouseCapture,
};
use crossterm::style::ResetColor;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use crossterm::{cursor, queue};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::place::Environment;
use super::{Error, clock};

/// Whether the screen is ours now. What draws looks here first, so that nothing is drawn on the shell's screen.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Whether the mouse was captured, to capture it again after a stop.
static MOUSE: AtomicBool = AtomicBool::new(false);
/// Held while bytes go to the screen, so that giving it back does not cut a sequence in two.
static WRITING: Mutex<()> = Mutex::new(());

/// How long giving the terminal back may wait for one that takes no bytes (stopped, or its network gone).
const RESTORE_LIMIT: Duration = Duration::from_millis(200);

/// The terminal is ours while this lives.
#[derive(Debug)]
pub struct Guard(());

/// Takes the terminal: raw mode, alternate screen, pastes in brackets, focus reports, no cursor. The mouse stays the
/// user's, who selects text with it, until [`Guard::mouse`].
///
/// # Errors
///
/// When standard input or output is no terminal, when `TERM` says that it can do nothing, or when it refuses.
pub fn take(environment: &Environment) -> Result<Guard, Error> {
    check(environment)?;
    enter()?;
    Ok(Guard(()))
}

/// Whether a board can be shown here at all.
///
/// # Errors
///
/// As for [`take`], naming what to use instead.
pub fn check(environment: &Environment) -> Result<(), Error> {
    let facts = &environment.facts;
    for (is_terminal, what) in
        [(facts.stdout_is_terminal, "standard output"), (facts.stdin_is_terminal, "standard input")]
    {
        if !is_terminal {
            return Err(Error::NotATerminal { what });
        }
    }
    // Some launchers set no TERM for a terminal that says its name another way.
    let named = ["TERM_PROGRAM", "COLORTERM"].into_iter().any(|name| environment.variable(name).is_some());
    match environment.variable("TERM") {
        Some(term @ ("dumb" | "unknown")) => Err(Error::Dumb { term: term.into() }),
        None if !named => Err(Error::Dumb { term: "".into() }),
        _ => Ok(()),
    }
}

impl Guard {
    /// Takes the terminal again after it was given back, or after the shell used it while we were stopped.
    ///
    /// # Errors
    ///
    /// When the terminal refuses: it is gone.
    pub fn take_again(&self) -> Result<(), Error> {
        // What the shell set meanwhile is not what we go back to: leave our raw mode first.
        let _ = disable_raw_mode();
        enter()
    }

    /// Captures the mouse, or releases it so that the terminal selects text.
    ///
    /// # Errors
    ///
    /// When the terminal refuses.
    pub fn mouse(&self, captured: bool) -> Result<(), Error> {
        MOUSE.store(captured, Ordering::SeqCst);
        let mut bytes = Vec::new();
        let queued =
            if captured { queue!(bytes, EnableMouseCapture) } else { queue!(bytes, DisableMouseCapture) };
        queued.and_then(|()| write(&bytes)).map_err(Error::terminal("switching the mouse"))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
    }
}

fn enter() -> Result<(), Error> {
    let failed = || Error::terminal("taking the terminal");
    enable_raw_mode().map_err(failed())?;
    let mut bytes = Vec::new();
    let queued = queue!(bytes, EnterAlternateScreen, EnableBracketedPaste, EnableFocusChange, cursor::Hide)
        .and_then(|()| if MOUSE.load(Ordering::SeqCst) { queue!(bytes, EnableMouseCapture) } else { Ok(()) });
    TAKEN.store(true, Ordering::SeqCst);
    queued.and_then(|()| write(&bytes)).map_err(failed()).inspect_err(|_| restore())
}

/// Gives the terminal back as it was. Ignores errors; does nothing when there is nothing to give back; may be
/// called from a panic, twice, and from any thread.
pub fn restore() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    // A frame in flight is waited for, shortly: a terminal that takes no bytes must not keep us from ending.
    let writing = lock_writing(RESTORE_LIMIT);
    let mut bytes = Vec::new();
    let queued = queue!(
        bytes,
        DisableMouseCapture,
        DisableFocusChange,
        DisableBracketedPaste,
        ResetColor,
        cursor::Show,
        LeaveAlternateScreen
    );
    if queued.is_ok() && takes_bytes(RESTORE_LIMIT) {
        let _ = write_all(&bytes);
    }
    drop(writing);
    let _ = disable_raw_mode();
}

/// Whether the screen is ours now.
#[must_use]
pub fn is_taken() -> bool {
    TAKEN.load(Ordering::SeqCst)
}

/// Columns and rows. A terminal that does not know its size (a serial line says 0 by 0) counts as 80 by 24.
#[must_use]
pub fn size() -> (u16, u16) {
    let known = rustix::termios::tcgetwinsize(rustix::stdio::stdout()).ok();
    let known = known.filter(|size| size.ws_col > 0 && size.ws_row > 0);
    known.map_or((80, 24), |size| (size.ws_col, size.ws_row))
}

/// Writes to the screen, whole.
pub(super) fn write(bytes: &[u8]) -> io::Result<()> {
    let _writing = WRITING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    write_all(bytes)
}

/// Writes to the screen if it is still ours when its turn comes.
pub(super) fn write_if_taken(bytes: &[u8]) -> io::Result<()> {
    let _writing = WRITING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if is_taken() { write_all(bytes) } else { Ok(()) }
}

fn write_all(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

fn lock_writing(limit: Duration) -> Option<MutexGuard<'static, ()>> {
    let end = clock::steady() + limit;
    loop {
        match WRITING.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) if clock::steady() >= end => return None,
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(2)),
        }
    }
}

fn takes_bytes(limit: Duration) -> bool {
    let limit = Timespec::try_from(limit).ok();
    let stdout = rustix::stdio::stdout();
    let mut sources = [PollFd::new(&stdout, PollFlags::OUT)];
    poll(&mut sources, limit.as_ref()).is_ok_and(|ready| ready > 0)
}

/// Writes one line to standard error, made harmless, and ignores that nobody may be there to read it.
pub fn say(line: &str) {
    let line = crate::domain::untrusted::cleaned(line);
    // A terminal left in raw mode by somebody else needs the carriage return; a file does not mind.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::super::place::Facts;
    use super::*;

    fn checked(
        variables: &[(&str, &str)],
        stdin_is_terminal: bool,
        stdout_is_terminal: bool,
    ) -> Option<String> {
        let facts = Facts { stdin_is_terminal, stdout_is_terminal, ..Facts::default() };
        check(&Environment::of(variables).with(facts)).err().map(|error| error.to_string())
    }

    #[test]
    fn a_board_needs_a_terminal_that_can_move_its_cursor() {
        assert_eq!(checked(&[("TERM", "xterm")], true, true), None);
        assert_eq!(checked(&[("TERM", "linux")], true, true), None);
        assert_eq!(checked(&[("TERM_PROGRAM", "x")], true, true), None);
        for (variables, stdin, stdout, named) in [
            ([("TERM", "xterm")], true, false, "standard output"),
            ([("TERM", "xterm")], false, true, "standard input"),
            ([("TERM", "dumb")], true, true, "dumb"),
            ([("TERM", "")], true, true, "not set"),
        ] {
            let error = checked(&variables, stdin, stdout).expect("refused");
            assert!(error.contains(named) && error.contains("toktui --help"), "{error}");
        }
    }

    #[test]
    fn giving_back_what_was_not_taken_writes_nothing_and_may_be_repeated() {
        restore();
        restore();
        assert!(!is_taken());
    }
}
