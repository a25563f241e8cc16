//! Locks that the kernel takes back when their holder dies: one a credential, one for the names, one for the list, one a login.
//!
//! A lock is `flock` on a file of its own, which stays when the lock goes. Who holds it stands in the file, for whoever waits too long.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::Error;
use super::disk::options;
use super::folder::words;

/// How long a lock is waited for.
pub(crate) const LONGEST: Duration = Duration::from_secs(30);

/// As much as is read and written of who holds a lock.
pub(super) const WIDEST: usize = 240;

/// A lock that is held. It goes when this is dropped, or with the process.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    pub(super) fn file(&mut self) -> &mut File {
        &mut self.file
    }
}

/// What a lock is asked for with.
#[derive(Clone, Debug)]
pub(crate) struct Asking {
    pub(crate) path: PathBuf,
    /// The command that asks.
    pub(crate) who: String,
    pub(crate) now: Timestamp,
}

impl Asking {
    /// The lock if nobody holds it.
    pub(crate) fn attempt(&self) -> Result<Option<Lock>, Error> {
        let lock = self.attempt_unsigned()?;
        Ok(lock.map(|mut lock| {
            self.sign(&mut lock);
            lock
        }))
    }

    /// The same, and nothing is written: who had it last still stands there.
    pub(super) fn attempt_unsigned(&self) -> Result<Option<Lock>, Error> {
        let file = open(&self.path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed(&self.path, &error)),
        }
    }

    /// Waits for the lock for as long as it takes. Not for a thread that has anything else to do.
    pub(crate) fn wait(&self) -> Result<Lock, Error> {
        let mut lock = self.wait_unsigned()?;
        self.sign(&mut lock);
        Ok(lock)
    }

    fn wait_unsigned(&self) -> Result<Lock, Error> {
        let file = open(&self.path)?;
        file.lock().map_err(|error| failed(&self.path, &error))?;
        Ok(Lock { file })
    }

    /// Waits for the lock for as long as it takes; nothing is written then. May be dropped: if the lock comes afterwards, it goes at once.
    pub(super) async fn in_the_end(self) -> Result<Lock, Error> {
        let path = self.path.clone();
        let result = in_a_thread(&path, move || self.wait_unsigned())?.await;
        result.unwrap_or_else(|_| Err(failed(&path, &io::ErrorKind::Interrupted.into())))
    }

    /// The lock, waited for no longer than `limit`.
    ///
    /// # Errors
    /// [`Error::Held`] with who holds it.
    pub(crate) async fn within(self, limit: Duration) -> Result<Lock, Error> {
        if let Some(lock) = self.attempt()? {
            return Ok(lock);
        }
        let asking = self.clone();
        let receiver = in_a_thread(&self.path, move || asking.wait())?;
        match tokio::time::timeout(limit, receiver).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) | Err(_) => Err(Error::Held(self.held_too_long(limit))),
        }
    }

    /// Who holds it, after waiting in vain.
    pub(crate) fn held_too_long(&self, limit: Duration) -> String {
        let holder = holder(&self.path).unwrap_or_else(|| "another program".to_owned());
        format!("{holder}, has held it for more than {} s", limit.as_secs())
    }

    /// Writes down who holds it. One write of fixed length: a reader sees the old holder or the new one. That it fails harms nobody.
    pub(super) fn sign(&self, lock: &mut Lock) {
        let file = &mut lock.file;
        let text = format!("{} {} {} {}", std::process::id(), host(), self.now.strftime("%FT%TZ"), self.who);
        let mut line: String = crate::domain::untrusted::cleaned(&text).chars().take(WIDEST / 4).collect();
        line.push_str(&" ".repeat(WIDEST.saturating_sub(line.len() + 1)));
        line.push('\n');
        drop(file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(line.as_bytes())));
    }
}

/// A thread of its own and no task: the kernel's wait has no end that we could set, and nobody must wait for the thread. If it gets the lock
/// after we gave up, nobody takes it out of the channel, and it goes at once.
fn in_a_thread(
    path: &Path,
    wait: impl FnOnce() -> Result<Lock, Error> + Send + 'static,
) -> Result<oneshot::Receiver<Result<Lock, Error>>, Error> {
    let (sender, receiver) = oneshot::channel();
    std::thread::Builder::new()
        .name("lock".to_owned())
        .spawn(move || drop(sender.send(wait())))
        .map_err(|error| failed(path, &error))?;
    Ok(receiver)
}

/// A lock that everybody holds for moments only, waited for where nothing else can be done. It is not signed.
///
/// # Errors
/// [`Error::Held`]: its holder hangs.
pub(crate) fn soon(path: &Path, limit: Duration) -> Result<Lock, Error> {
    const STEP: Duration = Duration::from_millis(2);
    let file = open(path)?;
    let mut left = limit;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Lock { file }),
            Err(TryLockError::WouldBlock) if left.is_zero() => {
                return Err(Error::Held(format!(
                    "another program has held the store for {} s",
                    limit.as_secs()
                )));
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(STEP),
            Err(TryLockError::Error(error)) => return Err(failed(path, &error)),
        }
        left = left.saturating_sub(STEP);
    }
}

/// Whether somebody holds this lock. Asking never makes anybody wait for longer than the question takes.
pub(crate) fn is_held(path: &Path) -> bool {
    let Ok(file) = options().read(true).open(path) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// Who holds a lock, in words: `pid 4711 on login1, toktui renew, since 12:04:31 UTC`.
pub(crate) fn holder(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    options().read(true).open(path).ok()?.take(WIDEST as u64).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let mut words = text.trim().splitn(4, ' ');
    let (pid, host, since, who) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let since = since.replace('T', " ").replace('Z', " UTC");
    Some(crate::domain::untrusted::cleaned(&format!("{who}, process {pid} on {host}, since {since}")))
}

fn open(path: &Path) -> Result<File, Error> {
    options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|error| failed(path, &error))
}

fn failed(path: &Path, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => Error::ReadOnly(words(error)),
        io::ErrorKind::Unsupported => Error::FakeLocks("the file system has none".to_owned()),
        io::ErrorKind::NotFound => Error::NoStore,
        _ => {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            Error::Disk(format!("cannot take the lock {name}: {}", words(error)))
        }
    }
}

#[cfg(unix)]
fn host() -> String {
    let name = rustix::system::uname();
    name.nodename().to_string_lossy().replace(' ', "_")
}

#[cfg(not(unix))]
fn host() -> String {
    "here".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(path: &Path, who: &str) -> Asking {
        Asking {
            path: path.to_owned(),
            who: who.to_owned(),
            now: crate::domain::time::from_epoch(1_800_000_000),
        }
    }

    #[tokio::test]
    async fn who_waits_too_long_is_told_who_holds_the_lock() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("egi");
        let held = asking(&path, "toktui renew").attempt().expect("works").expect("free");
        assert!(is_held(&path));
        assert!(asking(&path, "toktui token").attempt().expect("works").is_none());
        let error = asking(&path, "toktui token").within(Duration::from_millis(20)).await.expect_err("held");
        let Error::Held(words) = error else { panic!("{error:?}") };
        assert!(words.starts_with("toktui renew, process "), "{words}");
        assert!(words.contains("since 2027-01-15 08:00:00 UTC"), "{words}");
        drop(held);
        asking(&path, "toktui token").within(LONGEST).await.expect("free now");
    }

    #[tokio::test]
    async fn who_waits_gets_the_lock_when_it_is_given_up() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("egi");
        let held = asking(&path, "one").attempt().expect("works").expect("free");
        let waiting = tokio::spawn(asking(&path, "two").within(LONGEST));
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(held);
        let lock = waiting.await.expect("no panic").expect("got it");
        assert!(holder(&path).expect("signed").starts_with("two, process"));
        drop(lock);
        assert!(!is_held(&path));
    }
}
