//! What only one program does at a time and others may want the result of, such as a login.
//!
//! Its lock is a file of its own, as a credential's is. Behind the line that says who holds it there is room for one word: what came of
//! it, for whoever waits. Who gets the lock takes the word away first and signs then, so that a holder who dies leaves none.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};

use super::Error;
use super::lock::{self, Asking, Lock, WIDEST};

/// As much of a word as is read, in bytes.
const LONGEST_WORD: u64 = 200;

/// The lock of an errand, not yet asked for.
#[derive(Debug)]
pub struct Errand {
    asking: Asking,
    /// What was left here before we asked: it is of an earlier one.
    before: Option<String>,
}

/// What became of an errand that somebody else had under way.
#[derive(Debug)]
pub struct Ended {
    lock: Lock,
    /// The word that its holder left; `None`: he failed, gave up or died.
    pub word: Option<String>,
    /// Who he was, in words; `None`: he never signed.
    pub by: Option<String>,
}

impl Errand {
    pub(super) fn new(asking: Asking) -> Self {
        let before = word(&asking);
        Self { asking, before }
    }

    /// The lock, if nobody has it; else who has it, in words.
    ///
    /// # Errors
    /// [`Error::FakeLocks`], [`Error::ReadOnly`], [`Error::NoStore`], [`Error::Disk`]: nobody can be kept away here.
    pub fn begin(&self) -> Result<Result<Lock, String>, Error> {
        match self.asking.attempt_unsigned()? {
            Some(lock) => Ok(Ok(self.begun(lock))),
            None => Ok(Err(lock::holder(&self.asking.path).unwrap_or_else(|| "another program".to_owned()))),
        }
    }

    /// Waits for as long as it takes until nobody has the lock. May be dropped while it waits; the lock then goes to the next one.
    ///
    /// # Errors
    /// As for [`Errand::begin`].
    pub async fn ended(&self) -> Result<Ended, Error> {
        let lock = self.asking.clone().in_the_end().await?;
        let word = word(&self.asking).filter(|word| Some(word) != self.before.as_ref());
        // Who only waited has signed nothing: the name of the one whose word it is still stands there.
        Ok(Ended { lock, word, by: lock::holder(&self.asking.path) })
    }

    /// Goes on with the lock of one that has ended: now it is ours.
    #[must_use]
    pub fn take_over(&self, ended: Ended) -> Lock {
        self.begun(ended.lock)
    }

    fn begun(&self, mut lock: Lock) -> Lock {
        lock.leave("");
        self.asking.sign(&mut lock);
        lock
    }
}

impl Lock {
    /// Leaves a word for whoever waits for this lock. That it cannot be written harms nobody: they do then what they waited for.
    pub fn leave(&mut self, word: &str) {
        let file = self.file();
        // A shorter word leaves nothing of a longer one.
        drop(
            file.set_len(WIDEST as u64)
                .and_then(|()| file.seek(SeekFrom::Start(WIDEST as u64)))
                .and_then(|_| file.write_all(word.as_bytes())),
        );
    }
}

/// The word that is left there.
fn word(asking: &Asking) -> Option<String> {
    let mut file = super::disk::options().read(true).open(&asking.path).ok()?;
    file.seek(SeekFrom::Start(WIDEST as u64)).ok()?;
    let mut bytes = Vec::new();
    file.take(LONGEST_WORD).read_to_end(&mut bytes).ok()?;
    String::from_utf8(bytes).ok().filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use futures_util::FutureExt as _;

    use super::*;

    fn errand(path: &Path, who: &str) -> Errand {
        let now = crate::domain::time::from_epoch(1_800_000_000);
        Errand::new(Asking { path: path.to_owned(), who: who.to_owned(), now })
    }

    async fn ended(errand: &Errand) -> Ended {
        tokio::time::timeout(Duration::from_secs(10), errand.ended()).await.expect("in time").expect("works")
    }

    #[tokio::test]
    async fn all_who_wait_hear_the_word_and_nobody_who_comes_later() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("login-1");
        let mut first = errand(&path, "one").begin().expect("works").expect("free");
        let waiting = [errand(&path, "two"), errand(&path, "three")];
        for waiting in &waiting {
            let who = waiting.begin().expect("works").expect_err("held");
            assert!(who.starts_with("one, process "), "{who}");
            assert!(waiting.ended().now_or_never().is_none(), "it is under way");
        }
        first.leave("done");
        drop(first);
        for waiting in &waiting {
            let ended = ended(waiting).await;
            assert_eq!(ended.word.as_deref(), Some("done"));
            assert!(ended.by.as_ref().is_some_and(|by| by.starts_with("one, process ")), "{ended:?}");
            // Whoever asks at this moment is told of somebody, and the word is not for him.
            let late = errand(&path, "late");
            late.begin().expect("works").expect_err("held");
            drop(ended);
            assert_eq!(super::Errand::ended(&late).await.expect("works").word, None);
        }
        drop(errand(&path, "four").begin().expect("works").expect("free"));
        assert_eq!(word(&errand(&path, "five").asking), None, "a new one takes the word away");
    }

    #[tokio::test]
    async fn one_that_ends_without_a_word_is_taken_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("login-1");
        let first = errand(&path, "one").begin().expect("works").expect("free");
        let second = errand(&path, "two");
        second.begin().expect("works").expect_err("held");
        let third = errand(&path, "three");
        drop(first);
        let ended_first = ended(&second).await;
        assert_eq!(ended_first.word, None);
        let mut lock = second.take_over(ended_first);
        assert!(third.begin().expect("works").expect_err("held").starts_with("two, process "));
        lock.leave("a long word");
        lock.leave("short");
        drop(lock);
        assert_eq!(ended(&third).await.word.as_deref(), Some("short"));
    }

    #[tokio::test]
    async fn who_gives_up_waiting_takes_nothing_from_the_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("login-1");
        let mut first = errand(&path, "one").begin().expect("works").expect("free");
        let (gone, patient) = (errand(&path, "two"), errand(&path, "three"));
        for waiting in [&gone, &patient] {
            waiting.begin().expect("works").expect_err("held");
        }
        assert!(gone.ended().now_or_never().is_none());
        first.leave("done");
        drop(first);
        assert_eq!(ended(&patient).await.word.as_deref(), Some("done"));
    }
}
