//! What the system tells a program: to end, to stop, to go on.

use rustix::process::{getpgrp, getsid, kill_current_process_group};
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

use super::Error;
use super::panic::PANICKED;
use super::terminal::{self, Guard};

/// A signal that reached us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT: the user, from elsewhere; Ctrl-C on the board is a key.
    Interrupt,
    /// SIGTERM: the system or a supervisor.
    Terminate,
    /// SIGHUP: the terminal is gone.
    HangUp,
    /// SIGQUIT.
    Quit,
    /// SIGTSTP: stop as Ctrl-Z does, see [`stop`].
    Stop,
    /// SIGCONT: we go on after a stop, the shell has had the terminal meanwhile. Take it again and draw anew. The system
    /// sends it beside SIGHUP too, in either order: a terminal that cannot be taken again is gone, [`Signal::HangUp`].
    Continue,
    /// A thread panicked. The terminal is given back and the message is out; what remains is to end.
    Panicked,
}

impl Signal {
    /// The exit code after a signal that ends the program, 128+n; 101 after a panic. `None` for those that do not.
    #[must_use]
    pub fn exit_code(self) -> Option<u8> {
        match self {
            Self::HangUp => Some(129),
            Self::Interrupt => Some(130),
            Self::Quit => Some(131),
            Self::Terminate => Some(143),
            Self::Panicked => Some(101),
            Self::Stop | Self::Continue => None,
        }
    }
}

/// All signals, as one stream.
pub struct Signals {
    interrupt: Stream,
    terminate: Stream,
    hang_up: Stream,
    quit: Stream,
    stop: Stream,
    go_on: Stream,
    /// One that was taken by somebody whom it does not end.
    put_back: Option<Signal>,
}

impl Signals {
    /// Starts to listen. From here on none of these signals ends the program by itself. To be called inside the
    /// runtime.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn listen() -> Result<Self, Error> {
        let stream = |kind| signal(kind).map_err(Error::terminal("listening for signals"));
        Ok(Self {
            interrupt: stream(SignalKind::interrupt())?,
            terminate: stream(SignalKind::terminate())?,
            hang_up: stream(SignalKind::hangup())?,
            quit: stream(SignalKind::quit())?,
            stop: stream(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()))?,
            go_on: stream(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
            put_back: None,
        })
    }

    /// The next signal, those that end us first. May be dropped while it waits.
    pub async fn next(&mut self) -> Signal {
        if let Some(signal) = self.put_back.take() {
            return signal;
        }
        tokio::select! {
            biased;
            () = PANICKED.notified() => Signal::Panicked,
            _ = self.hang_up.recv() => Signal::HangUp,
            _ = self.terminate.recv() => Signal::Terminate,
            _ = self.quit.recv() => Signal::Quit,
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.go_on.recv() => Signal::Continue,
            _ = self.stop.recv() => Signal::Stop,
        }
    }

    /// Gives a signal back that means the whole program: it is the next one.
    pub(super) fn put_back(&mut self, signal: Signal) {
        self.put_back = Some(signal);
    }
}

/// How a stop went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// We were stopped and go on: the terminal is taken again, everything must be drawn anew.
    AndBack,
    /// No shell waits for us that could say `fg` (we were started as the terminal's only program): not stopped.
    NobodyToContinueUs,
}

/// Stops as the key Ctrl-Z does in a program that leaves it to the terminal: gives the terminal back, stops our whole
/// process group, and takes the terminal again when we are continued.
///
/// # Errors
///
/// When the system refuses to stop us, or the terminal to be taken again.
pub async fn stop(guard: &Guard, signals: &mut Signals) -> Result<Stopped, Error> {
    if !has_job_control() {
        return Ok(Stopped::NobodyToContinueUs);
    }
    terminal::restore();
    // A continuation from before must not be taken for the one that ends this stop.
    while let Some(Some(())) = futures_util::FutureExt::now_or_never(signals.go_on.recv()) {}
    // Not SIGTSTP: we listen for that one ourselves.
    let stopped = kill_current_process_group(rustix::process::Signal::STOP);
    if stopped.is_ok() {
        // The system may stop us a moment after the call: going on is what SIGCONT says, not that the call is over.
        signals.go_on.recv().await;
    }
    guard.take_again()?;
    stopped.map_err(|error| Error::terminal("stopping")(error.into()))?;
    Ok(Stopped::AndBack)
}

/// Whether a shell with job control started us: it gives every job a process group apart from its own, which is the
/// session's first. Stopped without one (`xterm -e toktui`, `ssh -t host toktui`), nobody could ever continue us.
pub(super) fn has_job_control() -> bool {
    getsid(None).is_ok_and(|session| session != getpgrp())
}
