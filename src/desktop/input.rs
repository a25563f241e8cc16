//! What the terminal sends, as a stream.

use std::io::{PipeReader, PipeWriter, pipe};
use std::os::fd::{AsFd, OwnedFd};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use zeroize::Zeroizing;

use super::keys::{Input, Keys};
use super::{Error, terminal};

/// Keys, pastes, focus and size, in the order in which they came.
///
/// A thread of its own waits for the terminal, so that a sequence torn in the middle or a terminal that is gone
/// never blocks the loop. It ends when the stream is dropped.
pub struct InputStream {
    inputs: Receiver<Input>,
    resized: Signal,
    is_gone: bool,
    /// Closing this end wakes the thread and ends it.
    _ends_with_us: PipeWriter,
}

impl InputStream {
    /// Starts to read standard input. To be called inside the runtime.
    ///
    /// # Errors
    ///
    /// When the system gives no pipe, thread or signal.
    pub fn start() -> Result<Self, Error> {
        let terminal = std::io::stdin().as_fd().try_clone_to_owned();
        Self::over(terminal.map_err(Error::terminal("reading the keyboard"))?)
    }

    fn over(terminal: OwnedFd) -> Result<Self, Error> {
        let failed = || Error::terminal("reading the keyboard");
        let (ended, ends_with_us) = pipe().map_err(failed())?;
        let resized = signal(SignalKind::window_change()).map_err(failed())?;
        let (to, inputs) = channel(1024);
        let read = move || read(&terminal, &ended, &to);
        thread::Builder::new().name("keyboard".into()).spawn(read).map_err(failed())?;
        Ok(Self { inputs, resized, is_gone: false, _ends_with_us: ends_with_us })
    }

    /// The next input. After [`Input::Gone`] it never answers again. May be dropped while it waits.
    pub async fn next(&mut self) -> Input {
        if self.is_gone {
            std::future::pending::<()>().await;
        }
        tokio::select! {
            biased;
            Some(()) = self.resized.recv() => {
                let (columns, rows) = terminal::size();
                Input::Resize(columns, rows)
            }
            input = self.inputs.recv() => {
                let input = input.unwrap_or(Input::Gone);
                self.is_gone = input == Input::Gone;
                input
            }
        }
    }
}

/// Reads until the terminal is gone or nobody listens.
fn read(terminal: &OwnedFd, ended: &PipeReader, to: &Sender<Input>) {
    let mut keys = Keys::new();
    let mut buffer = Zeroizing::new([0; 4096]);
    let mut inputs = Vec::new();
    loop {
        match wait(terminal, ended, keys.patience()) {
            Waited::Nothing => keys.quiet(&mut inputs),
            Waited::Ended => return,
            Waited::Gone => inputs.push(Input::Gone),
            Waited::Ready => match rustix::io::read(terminal, &mut *buffer) {
                Ok(0) => inputs.push(Input::Gone),
                Ok(count) => keys.feed(buffer.get(..count).unwrap_or_default(), &mut inputs),
                Err(Errno::INTR | Errno::AGAIN) => {}
                // EIO: the other end of the pseudo-terminal is closed, or our session lost its terminal.
                Err(_) => inputs.push(Input::Gone),
            },
        }
        for input in inputs.drain(..) {
            let last = input == Input::Gone;
            if to.blocking_send(input).is_err() || last {
                return;
            }
        }
    }
}

enum Waited {
    Ready,
    Nothing,
    Ended,
    Gone,
}

fn wait(terminal: &OwnedFd, ended: &PipeReader, patience: Option<Duration>) -> Waited {
    let limit = patience.and_then(|limit| Timespec::try_from(limit).ok());
    let mut sources = [PollFd::new(terminal, PollFlags::IN), PollFd::new(ended, PollFlags::IN)];
    match poll(&mut sources, limit.as_ref()) {
        // A signal went elsewhere: wait again.
        Err(Errno::INTR) => wait(terminal, ended, patience),
        Err(_) => Waited::Gone,
        Ok(0) => Waited::Nothing,
        Ok(_) => {
            let [terminal, ended] = sources.map(|source| source.revents());
            if !ended.is_empty() {
                Waited::Ended
            } else if terminal.contains(PollFlags::IN) {
                Waited::Ready
            } else {
                Waited::Gone
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    use super::*;

    fn typed() -> (PipeWriter, InputStream) {
        let (terminal, keyboard) = pipe().unwrap();
        (keyboard, InputStream::over(terminal.into()).unwrap())
    }

    #[tokio::test]
    async fn a_lone_escape_is_heard_without_waiting_for_another_key() {
        let (mut keyboard, mut stream) = typed();
        keyboard.write_all(b"\x1b").unwrap();
        let esc = Input::Key(KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE));
        assert_eq!(stream.next().await, esc);
    }

    #[tokio::test]
    async fn a_terminal_that_goes_away_is_told_once_and_after_what_was_typed() {
        let (mut keyboard, mut stream) = typed();
        keyboard.write_all(b"q").unwrap();
        drop(keyboard);
        let q = Input::Key(KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE));
        assert_eq!((stream.next().await, stream.next().await), (q, Input::Gone));
        let more = tokio::time::timeout(Duration::from_millis(5), stream.next()).await;
        assert!(more.is_err());
    }
}
