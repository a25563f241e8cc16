//! The desktop's own clipboard (X11, Wayland, macOS), held by one thread.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

use super::clipboard::is_same;
use crate::domain::secret::Secret;

/// The clipboard of the display, kept by one thread for the program's life: X11 and Wayland serve the text from the
/// process that set it. The thread starts at the first copy.
#[derive(Default)]
pub(super) struct Selection {
    thread: Mutex<Option<Sender<Ask>>>,
}

/// Why the display's clipboard did not do it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    /// The display gave no answer in time.
    #[error("the display gave no answer in time")]
    TimedOut,
    /// It said no. Its words, which hold nothing of the text.
    #[error("{0}")]
    Refused(String),
}

enum What {
    Put,
    /// Clear it if it still is this text.
    Clear,
    /// Whether it still is this text.
    Look,
}

struct Ask {
    what: What,
    text: Secret,
    /// Set when the one who asked waits no longer.
    given_up: Arc<AtomicBool>,
    answer: Sender<Result<bool, String>>,
}

impl Selection {
    /// Puts the text there, kept out of clipboard histories. Whether it was read back the same.
    pub(super) fn put(&self, text: &Secret, limit: Duration) -> Result<bool, Failed> {
        self.ask(What::Put, text, limit)
    }

    /// Clears it if it is still `text`. Whether it was.
    pub(super) fn clear(&self, text: &Secret, limit: Duration) -> Result<bool, Failed> {
        self.ask(What::Clear, text, limit)
    }

    /// Whether it is still `text`.
    pub(super) fn holds(&self, text: &Secret, limit: Duration) -> Result<bool, Failed> {
        self.ask(What::Look, text, limit)
    }

    fn ask(&self, what: What, text: &Secret, limit: Duration) -> Result<bool, Failed> {
        let (answer, answered) = channel();
        let given_up = Arc::new(AtomicBool::new(false));
        let ask = Ask { what, text: text.clone(), given_up: Arc::clone(&given_up), answer };
        self.send(ask)?;
        let waited = answered.recv_timeout(limit);
        given_up.store(waited.is_err(), Ordering::SeqCst);
        waited.map_err(|_| Failed::TimedOut)?.map_err(Failed::Refused)
    }

    fn send(&self, ask: Ask) -> Result<(), Failed> {
        let mut running = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_none() {
            let (to, asks) = channel();
            let started = thread::Builder::new().name("clipboard".into()).spawn(move || serve(&asks));
            started.map_err(|error| Failed::Refused(error.to_string()))?;
            *running = Some(to);
        }
        let is_sent = running.as_ref().is_some_and(|to| to.send(ask).is_ok());
        if !is_sent {
            *running = None;
            return Err(Failed::Refused("its thread has ended".into()));
        }
        Ok(())
    }
}

fn serve(asks: &Receiver<Ask>) {
    let mut clipboard = None;
    for ask in asks {
        if ask.given_up.load(Ordering::SeqCst) && matches!(ask.what, What::Put) {
            continue;
        }
        let done = answer(&mut clipboard, &ask);
        // It took so long that another route was taken meanwhile, or none: a copy nobody knows of must not stay.
        if ask.given_up.load(Ordering::SeqCst) && matches!((&ask.what, &done), (What::Put, Ok(_))) {
            let _ = answer(&mut clipboard, &Ask { what: What::Clear, ..ask });
            continue;
        }
        let _ = ask.answer.send(done.map_err(|error| error.to_string()));
    }
    // Not dropped: in its last moments it would wait for clipboard managers, and the end of the process does as well.
    std::mem::forget(clipboard);
}

fn answer(clipboard: &mut Option<arboard::Clipboard>, ask: &Ask) -> Result<bool, arboard::Error> {
    let board = match clipboard {
        Some(board) => board,
        None => clipboard.insert(arboard::Clipboard::new()?),
    };
    match ask.what {
        What::Put => {
            exclude_from_history(board.set()).text(ask.text.expose())?;
            Ok(is_ours(board, &ask.text)?)
        }
        What::Clear => {
            let ours = is_ours(board, &ask.text)?;
            if ours {
                board.clear()?;
            }
            Ok(ours)
        }
        What::Look => is_ours(board, &ask.text),
    }
}

#[cfg(not(target_os = "macos"))]
fn exclude_from_history(set: arboard::Set<'_>) -> arboard::Set<'_> {
    arboard::SetExtLinux::exclude_from_history(set)
}

#[cfg(target_os = "macos")]
fn exclude_from_history(set: arboard::Set<'_>) -> arboard::Set<'_> {
    arboard::SetExtApple::exclude_from_history(set)
}

fn is_ours(board: &mut arboard::Clipboard, text: &Secret) -> Result<bool, arboard::Error> {
    match board.get_text().map(Zeroizing::new) {
        Ok(held) => Ok(is_same(held.as_bytes(), text)),
        // An image, or nothing: not ours.
        Err(arboard::Error::ContentNotAvailable | arboard::Error::ConversionFailure) => Ok(false),
        Err(error) => Err(error),
    }
}
