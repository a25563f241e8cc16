//! The person at the terminal, asked a line at a time: for the plain commands, whose standard input and output may be pipes.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::domain::secret::Secret;
use crate::domain::untrusted::cleaned;

/// A terminal gives no longer line.
const LONGEST: usize = 4096;

/// The terminal that this process belongs to, wherever its standard input and output go.
#[derive(Debug)]
pub struct Tty(File);

impl Tty {
    /// The terminal; `None` where there is none, as in a batch job.
    #[must_use]
    pub fn open() -> Option<Self> {
        OpenOptions::new().read(true).write(true).open("/dev/tty").ok().map(Self)
    }

    /// Writes a line there, made harmless.
    pub fn say(&self, line: &str) {
        // A terminal that is gone is found out by the question that follows.
        let _ = writeln!(&self.0, "{}", cleaned(line));
    }

    /// Asks for a line, which is seen as it is typed. Dropping the question is safe at any moment.
    ///
    /// # Errors
    /// When the terminal is gone, or the user ends the input instead of answering.
    pub async fn ask(&self, prompt: &str) -> io::Result<Secret> {
        self.prompt(prompt)?;
        self.line().await
    }

    /// Asks for a line that is not shown. The terminal is as before when this returns, and also when it is dropped before that.
    ///
    /// # Errors
    /// As for [`Tty::ask`].
    pub async fn ask_hidden(&self, prompt: &str) -> io::Result<Secret> {
        let quiet = Quiet::begin(&self.0)?;
        self.prompt(prompt)?;
        let line = self.line().await;
        drop(quiet);
        // The Enter that ended the line was not shown either.
        let _ = (&self.0).write_all(b"\n");
        line
    }

    fn prompt(&self, prompt: &str) -> io::Result<()> {
        write!(&self.0, "{} ", cleaned(prompt))?;
        (&self.0).flush()
    }

    async fn line(&self) -> io::Result<Secret> {
        let file = self.0.try_clone()?;
        tokio::task::spawn_blocking(move || read_line(file)).await.map_err(io::Error::other)?
    }
}

/// Reads up to the end of the line, into one buffer that is wiped.
fn read_line(mut from: impl Read) -> io::Result<Secret> {
    let mut buffer = Box::new(Zeroizing::new([0_u8; LONGEST]));
    let mut filled = 0;
    loop {
        let Some(room) = buffer.get_mut(filled..).filter(|room| !room.is_empty()) else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the line is too long"));
        };
        let count = from.read(room)?;
        filled += count;
        let line = buffer.get(..filled).unwrap_or_default();
        if let Some(line) = line.strip_suffix(b"\n") {
            let text = std::str::from_utf8(line)
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "the line is not text"))?;
            return Ok(Secret::new(text.strip_suffix('\r').unwrap_or(text)));
        }
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// While this lives, what is typed is not shown.
struct Quiet<'a>(&'a File, Termios);

impl<'a> Quiet<'a> {
    fn begin(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        // What was typed ahead was shown: it is no answer to a hidden question.
        tcsetattr(terminal, OptionalActions::Flush, &quiet)?;
        Ok(Self(terminal, before))
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.0, OptionalActions::Flush, &self.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_where_it_ends_and_an_end_of_input_is_no_answer() {
        let line = |text: &str| read_line(text.as_bytes()).map(|line| line.expose().to_owned());
        assert_eq!(line("a b\n").expect("a line"), "a b");
        assert_eq!(line("a b\r\n").expect("a line"), "a b");
        assert_eq!(line("\n").expect("an empty line"), "");
        assert_eq!(line("a b").expect_err("no end").kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(line(&"x".repeat(5000)).expect_err("too long").kind(), io::ErrorKind::InvalidData);
        assert_eq!(read_line(&b"\xff\n"[..]).expect_err("bytes").kind(), io::ErrorKind::InvalidData);
    }
}
