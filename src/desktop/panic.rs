//! What happens when the program itself is wrong: the terminal first, then the message, and no secret in it.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, Write};
use std::panic::{Location, PanicHookInfo};

use tokio::sync::Notify;

use super::terminal;

/// Told when any thread has panicked: see [`super::signals::Signal::Panicked`].
pub(super) static PANICKED: Notify = Notify::const_new();

/// From now on a panic in any thread gives the terminal back before it says anything, and reaches the loop as a
/// signal, so that a panic in a task ends the board too. `RUST_BACKTRACE` works as usual.
pub fn install_hook() {
    std::panic::set_hook(Box::new(|info| {
        terminal::restore();
        report(info);
        PANICKED.notify_one();
    }));
}

fn report(info: &PanicHookInfo<'_>) {
    let mut text = message(info.location(), info.payload());
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        text = format!("{text}\n{trace}");
    }
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// A message that was formatted may hold what was formatted into it: half a token that was cut at the wrong byte, the
/// answer that did not parse. Only words that stand in the source are shown (security.md G1).
fn message(at: Option<&Location<'_>>, payload: &(dyn Any + Send)) -> String {
    let at = at.map_or_else(|| "an unknown place".to_owned(), |at| format!("{}:{}", at.file(), at.line()));
    let why = match payload.downcast_ref::<&'static str>() {
        Some(words) => format!(": {words}"),
        None => ". Its words are left out, as they could hold a token".to_owned(),
    };
    format!("toktui has a mistake and had to stop, at {at}{why}. Please report this line.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message_of(panic: impl FnOnce() + std::panic::UnwindSafe) -> String {
        let payload = std::panic::catch_unwind(panic).expect_err("it panics");
        message(None, &*payload)
    }

    #[test]
    fn a_panic_shows_its_own_words_and_never_what_was_put_into_them() {
        let written = message_of(|| panic!("a row went missing"));
        assert!(written.contains("a row went missing"), "{written}");
        let token = "tok-secret-1";
        let formatted = message_of(move || panic!("{token}"));
        let sliced = message_of(move || assert!(token.get(..4) == Some("none"), "{token:?}"));
        assert!(!formatted.contains("secret") && !sliced.contains("secret"));
    }
}
