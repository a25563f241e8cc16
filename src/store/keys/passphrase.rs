//! From a passphrase to a key: argon2id (RFC 9106), what it may cost, and how long a wrong guess waits.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::{Zeroize, Zeroizing};

use super::super::Error;
use super::super::seal::{KEY, Key};
use crate::domain::secret::Secret;

/// How many random bytes stand beside a passphrase.
pub(crate) const SALT: usize = 16;
/// The wait after many wrong tries.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// What one try costs whoever guesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// KiB of memory that are filled.
    pub memory: u32,
    /// How many times they are filled.
    pub passes: u32,
    /// How many threads could fill them at once.
    pub lanes: u32,
}

impl Cost {
    /// 64 MiB, filled three times, by one thread: security.md F1.
    pub const USUAL: Self = Self { memory: 64 << 10, passes: 3, lanes: 1 };
    /// The least that the algorithm knows: for tests, which try thousands.
    pub const LEAST: Self = Self { memory: 8, passes: 1, lanes: 1 };

    /// Whether a file may ask for this much: up to a GiB, and 16 times the usual work. Whoever could write to the
    /// store's folder must not be able to take the machine's memory or an hour of its time.
    const fn is_bearable(self) -> bool {
        self.memory <= 1 << 20 && self.memory as u64 * self.passes as u64 <= 3 << 20 && self.lanes <= 16
    }
}

/// The key that follows from a passphrase. It takes the time and memory of `cost`.
///
/// What the file says may be nonsense; then the usual work is done, so that nobody can tell that from a wrong passphrase, and there is no key.
///
/// # Errors
/// [`Error::DoesNotOpen`]; [`Error::Disk`] where the machine has not so much memory.
pub(crate) fn derive(passphrase: &Secret, salt: &[u8], cost: Cost) -> Result<Key, Error> {
    let usable = cost.is_bearable() && salt.len() == SALT;
    match Params::new(cost.memory, cost.passes, cost.lanes, Some(KEY)) {
        Ok(params) if usable => fill(passphrase, salt, params),
        _ => {
            let usual = Params::new(Cost::USUAL.memory, Cost::USUAL.passes, Cost::USUAL.lanes, Some(KEY));
            fill(passphrase, &[0; SALT], usual.map_err(|_| Error::DoesNotOpen)?)?;
            Err(Error::DoesNotOpen)
        }
    }
}

fn fill(passphrase: &Secret, salt: &[u8], params: Params) -> Result<Key, Error> {
    let mut blocks = Vec::new();
    let count = params.block_count();
    let no_memory = |_| Error::Disk("this machine has not the memory that a passphrase takes".to_owned());
    blocks.try_reserve_exact(count).map_err(no_memory)?;
    blocks.resize(count, Block::new());
    let mut bytes = Zeroizing::new([0; KEY]);
    let done = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into_with_memory(
        passphrase.expose().as_bytes(),
        salt,
        bytes.as_mut_slice(),
        &mut blocks,
    );
    // What follows from a passphrase is as good as the passphrase.
    blocks.iter_mut().for_each(Zeroize::zeroize);
    done.map_err(|_| Error::DoesNotOpen)?;
    Key::from_bytes(bytes.as_slice()).ok_or(Error::DoesNotOpen)
}

/// How a new passphrase looks to somebody who may only count: its length says something, its words are nobody's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// Nothing: it is refused.
    Empty,
    /// Fewer than 8 characters.
    Short,
    /// Fewer than 14.
    Fair,
    /// 14 characters or more.
    Long,
}

/// What the length of a passphrase says about it.
#[must_use]
pub fn strength(passphrase: &Secret) -> Strength {
    match passphrase.expose().chars().count() {
        0 => Strength::Empty,
        1..8 => Strength::Short,
        8..14 => Strength::Fair,
        _ => Strength::Long,
    }
}

/// Wrong tries in this process, and the wait that they cost the next one.
#[derive(Debug, Default)]
pub struct Tries(AtomicU32);

impl Tries {
    /// How long to wait before the next try: nothing at first, then doubling up to ten seconds. Whoever asks does the waiting.
    #[must_use]
    pub fn wait(&self) -> Duration {
        match self.0.load(Ordering::Relaxed) {
            0 | 1 => Duration::ZERO,
            wrong => Duration::from_millis(500u64 << (wrong - 2).min(5)).min(LONGEST_WAIT),
        }
    }

    /// Counts how a try ended. Only a wrong passphrase is a wrong try.
    pub fn count<T>(&self, ended: &Result<T, Error>) {
        match ended {
            Ok(_) => self.0.store(0, Ordering::Relaxed),
            Err(Error::DoesNotOpen) => {
                // No more than it needs for the longest wait, so that it never wraps around.
                let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |wrong| {
                    (wrong < 32).then_some(wrong + 1)
                });
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::{AssociatedData, ParamsBuilder};

    /// RFC 9106 section 5.3: the algorithm is the one it is called.
    #[test]
    fn argon2id_agrees_with_the_published_vector() {
        let mut builder = ParamsBuilder::new();
        let data = AssociatedData::new(&[4; 12]).unwrap();
        let params = builder.m_cost(32).t_cost(3).p_cost(4).data(data).output_len(32).build().unwrap();
        let secret = [3; 8];
        let argon = Argon2::new_with_secret(&secret, Algorithm::Argon2id, Version::V0x13, params).unwrap();
        let mut tag = [0; 32];
        argon.hash_password_into(&[1; 32], &[2; 16], &mut tag).unwrap();
        let expected = [
            0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37, 0xa3, 0x4a, 0x8b, 0x53, 0xc9,
            0xd0, 0x1e, 0xf0, 0x45, 0x2d, 0x75, 0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9, 0x6b, 0x01, 0xe6, 0x59,
        ];
        assert_eq!(tag, expected);
    }

    #[test]
    fn a_passphrase_leads_to_one_key_for_each_salt_and_cost() {
        let of = |text: &str, salt: &[u8], cost| *derive(&Secret::new(text), salt, cost).unwrap().expose();
        let other = Cost { passes: 2, ..Cost::LEAST };
        let keys = [
            of("a", &[1; SALT], Cost::LEAST),
            of("b", &[1; SALT], Cost::LEAST),
            of("a", &[2; SALT], Cost::LEAST),
            of("a", &[1; SALT], other),
        ];
        assert_eq!(keys[0], of("a", &[1; SALT], Cost::LEAST));
        for (at, key) in keys.iter().enumerate() {
            assert!(keys.iter().skip(at + 1).all(|other| other != key));
        }
    }

    #[test]
    fn a_file_cannot_ask_for_more_than_is_bearable() {
        let table = [
            (Cost::USUAL, true),
            (Cost::LEAST, true),
            (Cost { memory: 1 << 20, passes: 3, lanes: 1 }, true),
            (Cost { memory: 100 << 20, passes: 1, lanes: 1 }, false),
            (Cost { memory: u32::MAX, passes: u32::MAX, lanes: 1 }, false),
            (Cost { passes: u32::MAX, ..Cost::USUAL }, false),
            (Cost { lanes: u32::MAX, ..Cost::USUAL }, false),
        ];
        for (cost, expected) in table {
            assert_eq!(cost.is_bearable(), expected, "{cost:?}");
        }
    }

    #[test]
    fn wrong_tries_wait_longer_and_longer_up_to_ten_seconds_and_a_right_one_ends_that() {
        let tries = Tries::default();
        let wrong: Result<(), _> = Err(Error::DoesNotOpen);
        let mut waits = Vec::new();
        for _ in 0..1000 {
            waits.push(tries.wait());
            tries.count(&wrong);
        }
        let seconds: Vec<_> = waits.iter().take(8).map(Duration::as_secs_f32).collect();
        assert_eq!(seconds, [0.0, 0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 10.0]);
        assert_eq!(waits.last(), Some(&LONGEST_WAIT));
        tries.count::<()>(&Err(Error::Keyring("does not answer".to_owned())));
        assert_eq!(tries.wait(), LONGEST_WAIT);
        tries.count(&Ok(()));
        assert_eq!(tries.wait(), Duration::ZERO);
    }

    #[test]
    fn only_the_length_of_a_passphrase_is_judged() {
        let of = |text: &str| strength(&Secret::new(text));
        assert_eq!(of(""), Strength::Empty);
        assert_eq!(of("1234567"), Strength::Short);
        assert_eq!(of("12345678"), Strength::Fair);
        assert_eq!(of("äöüäöüä"), Strength::Short);
        assert_eq!(of("a longer sentence"), Strength::Long);
    }
}
