//! The way to the screen: whole frames, on a thread of their own, in characters the terminal can show.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::Notify;
use zeroize::Zeroizing;

use super::glyphs::{Glyphs, push_ascii};
use super::{Error, clock, terminal};

/// A writer for frames that never blocks.
///
/// What is written is kept until `flush`, then handed over whole. A terminal that is slow or stopped (a network that
/// hangs, a blocked pipe) holds up its thread and nobody else: the loop asks [`Output::is_behind`] and draws later
/// (security.md H7). In a locale that is not UTF-8, no byte above 0x7F passes (H5). Clones share the screen; each
/// keeps its own unfinished frame.
pub struct Output {
    shared: Arc<Shared>,
    glyphs: Glyphs,
    frame: Vec<u8>,
}

type Sink = Box<dyn FnMut(&[u8]) -> io::Result<()> + Send>;

struct Shared {
    queue: Mutex<Queue>,
    /// Told when the queue changed.
    changed: Condvar,
    /// Told when everything is written.
    caught_up: Notify,
}

#[derive(Default)]
struct Queue {
    bytes: Vec<u8>,
    is_writing: bool,
    has_failed: bool,
    /// How many [`Output`]s there are; without any the thread ends.
    writers: usize,
}

impl Output {
    /// The way to standard output. Bytes that come while the terminal is not ours are dropped.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub fn to_screen(glyphs: Glyphs) -> Result<Self, Error> {
        Self::to(glyphs, Box::new(terminal::write_if_taken)).map_err(Error::terminal("starting to draw"))
    }

    fn to(glyphs: Glyphs, sink: Sink) -> io::Result<Self> {
        let shared = Shared {
            queue: Mutex::new(Queue { writers: 1, ..Queue::default() }),
            changed: Condvar::new(),
            caught_up: Notify::new(),
        };
        let shared = Arc::new(shared);
        let for_thread = Arc::clone(&shared);
        thread::Builder::new().name("screen".into()).spawn(move || for_thread.write_to(sink))?;
        Ok(Self { shared, glyphs, frame: Vec::new() })
    }

    /// Whether bytes of an earlier frame still wait for the terminal. Drawing now would only pile up.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        !self.shared.queue().is_idle()
    }

    /// Waits until [`Output::is_behind`] is false. May be dropped while it waits.
    pub async fn caught_up(&self) {
        while self.is_behind() {
            self.shared.caught_up.notified().await;
        }
    }

    /// Hands `bytes` over and waits until the terminal has taken them, at most for `limit`. Whether it has.
    pub(super) fn deliver(&self, bytes: &[u8], limit: Duration) -> bool {
        let end = clock::steady() + limit;
        let mut queue = self.shared.queue();
        queue.bytes.extend_from_slice(bytes);
        self.shared.changed.notify_all();
        while !queue.is_idle() {
            let left = end.saturating_duration_since(clock::steady());
            if left.is_zero() {
                return false;
            }
            let waited = self.shared.changed.wait_timeout(queue, left);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        !queue.has_failed
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.frame.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.frame.is_empty() {
            return Ok(());
        }
        let mut queue = self.shared.queue();
        if self.glyphs == Glyphs::Ascii {
            push_ascii(&String::from_utf8_lossy(&self.frame), &mut queue.bytes);
            self.frame.clear();
        } else {
            queue.bytes.append(&mut self.frame);
        }
        self.shared.changed.notify_all();
        // A terminal that is gone is told by the input; a frame lost on it is not an error of the loop.
        Ok(())
    }
}

impl Queue {
    fn is_idle(&self) -> bool {
        self.bytes.is_empty() && !self.is_writing
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_to(&self, mut sink: Sink) {
        let mut queue = self.queue();
        loop {
            if queue.bytes.is_empty() {
                if queue.writers == 0 {
                    return;
                }
                queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            // A copy by OSC 52 passes here too.
            let bytes = Zeroizing::new(std::mem::take(&mut queue.bytes));
            queue.is_writing = true;
            drop(queue);
            let written = sink(&bytes);
            queue = self.queue();
            queue.is_writing = false;
            queue.has_failed = written.is_err();
            self.changed.notify_all();
            self.caught_up.notify_waiters();
        }
    }
}

impl Clone for Output {
    fn clone(&self) -> Self {
        self.shared.queue().writers += 1;
        Self { shared: Arc::clone(&self.shared), glyphs: self.glyphs, frame: Vec::new() }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.shared.queue().writers -= 1;
        self.shared.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use super::*;

    /// An output whose terminal takes a frame only when the receiver asks for it.
    fn slow(glyphs: Glyphs) -> (Output, Receiver<Vec<u8>>) {
        let (to, taken): (SyncSender<Vec<u8>>, _) = sync_channel(0);
        let sink = move |bytes: &[u8]| to.send(bytes.to_vec()).map_err(io::Error::other);
        (Output::to(glyphs, Box::new(sink)).unwrap(), taken)
    }

    #[tokio::test]
    async fn a_terminal_that_takes_nothing_does_not_hold_up_the_one_who_draws() {
        let (mut output, taken) = slow(Glyphs::Unicode);
        write!(output, "one").unwrap();
        assert!(!output.is_behind(), "nothing leaves before the frame is whole");
        output.flush().unwrap();
        assert!(output.is_behind());
        assert_eq!(taken.recv().unwrap(), b"one");
        output.caught_up().await;
        assert!(!output.is_behind());
    }

    #[test]
    fn in_a_locale_without_utf_8_no_other_byte_leaves() {
        let (mut output, taken) = slow(Glyphs::Ascii);
        write!(output, "\x1b[1m│é").unwrap();
        output.flush().unwrap();
        assert_eq!(taken.recv().unwrap(), b"\x1b[1m|?");
    }

    #[test]
    fn a_delivery_is_reported_only_when_the_terminal_has_taken_it() {
        let (output, taken) = slow(Glyphs::Unicode);
        assert!(!output.deliver(b"late", Duration::from_millis(10)));
        let reader = thread::spawn(move || {
            let _ = (taken.recv(), taken.recv());
            taken
        });
        assert!(output.deliver(b"now", Duration::from_secs(5)));
        drop(reader);
    }
}
