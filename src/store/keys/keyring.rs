//! The desktop's keyring: Secret Service (GNOME Keyring, `KWallet`, `KeePassXC`; [`super::secret_service`]), macOS' Keychain,
//! Windows' Credential Manager.
//!
//! Every call is made on a thread of its own and left to itself after two seconds: the service may be stopped, or be asking the user for a
//! password. Whatever goes wrong, the answer is an error in words; nothing is ever put elsewhere instead. Nothing here is touched before
//! the first call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keyring_core::{CredentialStore, Error as Core};
use zeroize::{Zeroize, Zeroizing};

use super::super::Error;
use super::super::seal::Key;
use super::{Keyring, NO_KEY};
use crate::domain::untrusted::Untrusted;

/// How long the keyring may take (security.md F4).
const LIMIT: Duration = Duration::from_secs(2);
/// Under which name keys are kept; the store's id stands where others put a user's name.
const SERVICE: &str = "toktui";

type Opened = Result<Arc<CredentialStore>, Core>;

/// The desktop's keyring.
#[derive(Clone, Debug)]
pub struct DesktopKeyring {
    limit: Duration,
    /// The address of the session's D-Bus; nothing where there is none, and elsewhere than on Linux.
    bus: String,
    open: fn(&str) -> Opened,
    /// A call that was given up has not come back yet.
    hangs: Arc<AtomicBool>,
}

impl DesktopKeyring {
    /// The keyring of the session whose D-Bus has this address (see `desktop::place`); other systems than Linux know their own.
    #[must_use]
    pub fn at(bus: &str) -> Self {
        Self { limit: LIMIT, bus: bus.to_owned(), open, hangs: Arc::default() }
    }

    /// Makes one call, for no longer than the limit.
    fn ask<T: Send + 'static>(
        &self,
        call: impl FnOnce(&CredentialStore) -> Result<T, Core> + Send + 'static,
    ) -> Result<T, Error> {
        let late = || Error::Keyring("does not answer, or waits for its own password to be typed".to_owned());
        if self.hangs.load(Ordering::Acquire) {
            // It would only cost its two seconds again.
            return Err(late());
        }
        let (to, answer) = sync_channel(0);
        let (open, bus, hangs) = (self.open, self.bus.clone(), Arc::clone(&self.hangs));
        let asking = std::thread::Builder::new().name("keyring".to_owned()).spawn(move || {
            let answer = open(&bus).and_then(|store| call(store.as_ref()));
            // If nobody waits any more, this is what tells that the keyring is back.
            if to.send(answer).is_err() {
                hangs.store(false, Ordering::Release);
            }
        });
        if asking.is_err() {
            return Err(Error::Keyring("cannot be asked: no thread can be started".to_owned()));
        }
        match answer.recv_timeout(self.limit) {
            Ok(answer) => answer.map_err(said),
            Err(RecvTimeoutError::Timeout) => {
                // Before `answer` goes, so that whoever finds it gone takes the mark away after it was set.
                self.hangs.store(true, Ordering::Release);
                Err(late())
            }
            Err(RecvTimeoutError::Disconnected) => {
                Err(Error::Keyring("failed in a way that has no name".to_owned()))
            }
        }
    }
}

impl Keyring for DesktopKeyring {
    fn key(&self, store: &str) -> Result<Key, Error> {
        let store = store.to_owned();
        // Text, because `KWallet` keeps nothing else.
        let text =
            self.ask(move |keyring| keyring.build(SERVICE, &store, None)?.get_secret().map(Zeroizing::new))?;
        let bytes = STANDARD.decode(text.as_slice()).map(Zeroizing::new);
        bytes
            .ok()
            .and_then(|bytes| Key::from_bytes(&bytes))
            .ok_or_else(|| Error::Keyring("holds something else under the name of this store".to_owned()))
    }

    fn keep(&self, store: &str, key: &Key) -> Result<(), Error> {
        let store = store.to_owned();
        let text = Zeroizing::new(STANDARD.encode(key.expose()));
        self.ask(move |keyring| keyring.build(SERVICE, &store, None)?.set_secret(text.as_bytes()))
    }

    fn forget(&self, store: &str) -> Result<(), Error> {
        let store = store.to_owned();
        self.ask(move |keyring| match keyring.build(SERVICE, &store, None)?.delete_credential() {
            Err(Core::NoEntry) => Ok(()),
            answer => answer,
        })
    }

    fn answers(&self) -> bool {
        self.ask(|_| Ok(())).is_ok()
    }
}

/// What went wrong, in words that follow "the desktop's keyring".
fn said(error: Core) -> Error {
    let why = |error: &dyn std::fmt::Display| Untrusted::new(error.to_string()).shown_within(200);
    Error::Keyring(match error {
        Core::NoEntry => NO_KEY.to_owned(),
        Core::NoStorageAccess(error) => format!("is locked, or does not let us in ({})", why(error.as_ref())),
        Core::PlatformFailure(error) => format!("cannot be reached ({})", why(error.as_ref())),
        Core::Ambiguous(_) => "holds several keys for this store".to_owned(),
        // These carry what was kept.
        Core::BadEncoding(mut bytes) | Core::BadDataFormat(mut bytes, _) => {
            bytes.zeroize();
            "holds something else under the name of this store".to_owned()
        }
        other => format!("refused ({})", why(&other)),
    })
}

#[cfg(target_os = "linux")]
fn open(bus: &str) -> Opened {
    // A little sooner than we, so that it says itself what was missing.
    let patience = LIMIT.saturating_sub(Duration::from_millis(100));
    super::secret_service::SecretService::open(bus, patience)
        .map(|store| Arc::new(store) as Arc<CredentialStore>)
}

#[cfg(target_os = "macos")]
fn open(_: &str) -> Opened {
    apple_native_keyring_store::keychain::Store::new().map(|store| store as Arc<CredentialStore>)
}

#[cfg(windows)]
fn open(_: &str) -> Opened {
    windows_native_keyring_store::Store::new().map(|store| store as Arc<CredentialStore>)
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
fn open(_: &str) -> Opened {
    Err(Core::NotSupportedByStore("this toktui was built without one".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{LazyLock, Mutex, PoisonError};

    fn with(open: fn(&str) -> Opened) -> DesktopKeyring {
        DesktopKeyring { limit: Duration::from_secs(60), bus: String::new(), open, hangs: Arc::default() }
    }

    #[allow(clippy::unnecessary_wraps, reason = "it stands for a keyring that may fail")]
    fn in_memory(_: &str) -> Opened {
        static STORE: LazyLock<Arc<keyring_core::mock::Store>> =
            LazyLock::new(|| keyring_core::mock::Store::new().unwrap());
        Ok(STORE.clone())
    }

    #[test]
    fn a_key_is_kept_found_and_forgotten() {
        let ring = with(in_memory);
        assert!(ring.answers());
        assert_eq!(ring.key("s1").unwrap_err(), Error::Keyring(NO_KEY.to_owned()));
        let key = Key::random().unwrap();
        ring.keep("s1", &key).unwrap();
        assert_eq!(ring.key("s1").unwrap().expose(), key.expose());
        assert_eq!(ring.key("s2").unwrap_err(), Error::Keyring(NO_KEY.to_owned()));
        let kept = in_memory("").unwrap().build(SERVICE, "s1", None).unwrap().get_password().unwrap();
        assert_eq!(kept, STANDARD.encode(key.expose()), "text, whole");
        ring.forget("s1").unwrap();
        ring.forget("s1").unwrap();
        assert_eq!(ring.key("s1").unwrap_err(), Error::Keyring(NO_KEY.to_owned()));
    }

    #[test]
    fn what_is_not_ours_under_our_name_is_no_key() {
        let entry = in_memory("").unwrap().build(SERVICE, "s3", None).unwrap();
        for other in ["", "short", "AAAA", "no base64 at all, but as long as a key is"] {
            entry.set_password(other).unwrap();
            let error = with(in_memory).key("s3").unwrap_err().to_string();
            assert!(error.ends_with("something else under the name of this store"), "{error}");
        }
    }

    #[test]
    fn a_keyring_that_hangs_is_left_alone_until_it_is_back() {
        static HELD: Mutex<()> = Mutex::new(());
        let hanging: fn(&str) -> Opened = |bus| {
            drop(HELD.lock().unwrap_or_else(PoisonError::into_inner));
            in_memory(bus)
        };
        let held = HELD.lock().unwrap();
        let mut ring = DesktopKeyring { limit: Duration::from_millis(1), ..with(hanging) };
        assert!(!ring.answers());
        // Now it would wait for ever if it asked again.
        ring.limit = Duration::MAX;
        assert!(matches!(ring.key("s4"), Err(Error::Keyring(_))));
        assert!(matches!(ring.keep("s4", &Key::random().unwrap()), Err(Error::Keyring(_))));
        drop(held);
        while ring.hangs.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        assert!(ring.answers());
    }

    #[test]
    fn errors_are_words_without_anything_that_was_kept() {
        let table = [
            (Core::BadEncoding(b"key".to_vec()), "something else"),
            (Core::BadDataFormat(b"key".to_vec(), "key".into()), "something else"),
            (Core::NoStorageAccess("a \u{1b}[31mprompt".into()), "is locked"),
            (Core::PlatformFailure("no bus".into()), "cannot be reached (no bus)"),
            (Core::NoDefaultStore, "refused"),
        ];
        for (error, expected) in table {
            let words = said(error).to_string();
            assert!(words.contains(expected) && !words.contains('\u{1b}'), "{words}");
            assert!(!words.contains("key)") && !words.contains("\"key\""), "{words}");
        }
    }

    #[test]
    fn a_call_that_panics_is_an_error() {
        let ring = with(|_| panic!("no runtime here"));
        assert!(matches!(ring.key("s1"), Err(Error::Keyring(_))));
    }
}
