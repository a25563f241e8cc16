//! The kernel's keyring, where the data key waits between one command and the next.
//!
//! It is a key of the type `user` in the user's own keyring (`@u`), which all sessions of a user share and which no reboot survives. It can be
//! read only by a process that *possesses* it, and over SSH, in cron or in tmux nobody possesses `@u` by himself: every process
//! first links it into its process keyring. That belongs to one thread and those it starts, so it is done before every call.

use std::time::Duration;

use linux_keyutils::{KeyError, KeyPermissionsBuilder, KeyRing, KeyRingIdentifier, Permission};
use zeroize::Zeroizing;

use super::super::seal::{KEY, Key};
use super::{SESSION, Session};

/// The kernel's keyring of this user.
#[derive(Clone, Copy, Debug)]
pub struct KernelKeyring {
    lasts: Duration,
}

impl Default for KernelKeyring {
    fn default() -> Self {
        Self::lasting(SESSION)
    }
}

impl KernelKeyring {
    /// Keys are kept for this long after their last use; not less than a second.
    #[must_use]
    pub const fn lasting(lasts: Duration) -> Self {
        Self { lasts }
    }

    fn find(label: &str) -> Result<Option<linux_keyutils::Key>, String> {
        match possessed().and_then(|ring| ring.search(label)) {
            Ok(key) => Ok(Some(key)),
            Err(error) if is_absent(error) => Ok(None),
            Err(error) => Err(words(error)),
        }
    }

    fn extend(self, key: linux_keyutils::Key) -> Result<(), KeyError> {
        // No time at all would mean for ever.
        key.set_timeout(usize::try_from(self.lasts.as_secs()).unwrap_or(usize::MAX).max(1))
    }
}

impl Session for KernelKeyring {
    fn key(&self, label: &str) -> Result<Option<Key>, String> {
        let Some(found) = Self::find(label)? else {
            return Ok(None);
        };
        let mut bytes = Zeroizing::new([0; KEY]);
        match found.read(&mut BytesOf(&mut bytes)) {
            // It may have run out since it was found.
            Err(error) if is_absent(error) => return Ok(None),
            Err(error) => return Err(words(error)),
            // Something else of this name.
            Ok(length) if length != KEY => return Ok(None),
            Ok(_) => {}
        }
        // Somebody may have forgotten it this very moment; we hold it all the same.
        let _ = self.extend(found);
        Ok(Key::from_bytes(bytes.as_slice()))
    }

    fn keep(&self, label: &str, key: &Key) -> Result<(), String> {
        let kept = possessed()
            .and_then(|_| KeyRing::from_special_id(KeyRingIdentifier::User, false))
            .and_then(|ring| {
                let kept = ring.add_key(label, key.expose())?;
                // Only who possesses it, and only what is needed: not even its name for others of this user.
                let needed = Permission::VIEW
                    | Permission::READ
                    | Permission::WRITE
                    | Permission::SEARCH
                    | Permission::SETATTR;
                let closed = kept
                    .set_perms(KeyPermissionsBuilder::builder().posessor(needed).build())
                    .and_then(|()| self.extend(kept));
                if closed.is_err() {
                    // It would stay for ever, or for others to see.
                    let _ = kept.invalidate();
                }
                closed
            });
        kept.map_err(words)
    }

    fn forget(&self, label: &str) {
        if let Ok(Some(key)) = Self::find(label) {
            let _ = key.invalidate();
        }
    }
}

/// Our process keyring, with the user's keyring linked into it.
fn possessed() -> Result<KeyRing, KeyError> {
    let ring = KeyRing::from_special_id(KeyRingIdentifier::Process, true)?;
    ring.link_keyring_id(KeyRingIdentifier::User)?;
    Ok(ring)
}

const fn is_absent(error: KeyError) -> bool {
    matches!(error, KeyError::KeyDoesNotExist | KeyError::KeyExpired | KeyError::KeyRevoked)
}

fn words(error: KeyError) -> String {
    let why = match error {
        KeyError::PermissionDenied | KeyError::AccessDenied => {
            "the system forbids it, as containers do".to_owned()
        }
        KeyError::QuotaExceeded => "this user's keys take up all the room they may".to_owned(),
        KeyError::Unknown(38) | KeyError::OperationNotSupported => "this system has none".to_owned(),
        other => format!("{other:?}"),
    };
    format!("no kernel keyring here: {why}")
}

/// The keyring's crate wants a buffer of its own kind.
struct BytesOf<'a>(&'a mut [u8; KEY]);

impl AsMut<[u8]> for BytesOf<'_> {
    fn as_mut(&mut self) -> &mut [u8] {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_a_keyring_from_us_is_said_in_words() {
        for error in [
            KeyError::PermissionDenied,
            KeyError::AccessDenied,
            KeyError::QuotaExceeded,
            KeyError::Unknown(38),
        ] {
            let words = words(error);
            assert!(words.starts_with("no kernel keyring here: "), "{words}");
            assert!(!words.contains("Unknown") && !words.contains("Denied"), "{words}");
            assert!(!is_absent(error));
        }
    }

    #[test]
    fn a_key_that_ran_out_is_no_key_and_no_error() {
        assert!(
            is_absent(KeyError::KeyExpired)
                && is_absent(KeyError::KeyDoesNotExist)
                && is_absent(KeyError::KeyRevoked)
        );
    }
}
