//! The file `keys` from somebody who may write to the folder, and passphrases from somebody who guesses.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use super::tests::{Ring, all, data, passphrase};
use super::*;
use crate::domain::time::{FixedClock, from_epoch};
use crate::store::keys::Nowhere;
use crate::store::{Place, Store};

/// Whatever the file says: it is refused, or what it opens is the data key. A passphrase is tried where that costs little;
/// what costs more is tried elsewhere.
fn is_harmless(bytes: &[u8], ring: &Ring) {
    let Ok(keys) = Keys::read(bytes) else { return };
    let is_cheap = |entry: &Entry| match entry {
        Entry::Passphrase { memory, passes, lanes, salt, .. } => {
            (8..64).contains(memory)
                && (1..4).contains(passes)
                && *lanes == 1
                && STANDARD.decode(salt).is_ok_and(|salt| salt.len() == SALT)
        }
        Entry::Keyring { .. } | Entry::KeyFile { .. } => false,
    };
    let mut openings = vec![Opening::Keyring];
    if keys.entries.iter().any(is_cheap) {
        openings.push(passphrase("a horse"));
    }
    for opening in openings {
        if let Ok(key) = keys.open(&opening, ring) {
            assert_eq!(key.expose(), data().expose(), "{}", String::from_utf8_lossy(bytes));
        }
    }
    assert!(Keys::read(&keys.to_bytes()).is_ok(), "what was read can be written");
}

/// A generator of numbers that are the same in every run (xorshift64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}

/// Pieces that mean something to whoever reads the file.
const PIECES: [&str; 22] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "null",
    "-1",
    "1e999",
    "18446744073709551616",
    "0",
    "\"v\":1",
    "\"v\":2",
    "\"guards\":[]",
    "\"by\":\"keyring\"",
    "\"by\":\"passphrase\"",
    "\"by\":\"key file\"",
    "\"key\":\"\"",
    "\\u0000",
    "\u{fffd}",
    "[[[[[[[[",
];

/// A copy of the file with a few wild changes.
fn wild(good: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for _ in 0..=numbers.below(4) {
        let (from, to) = (numbers.below(bytes.len() + 1), numbers.below(bytes.len() + 1));
        let (from, to) = (from.min(to), from.max(to));
        match numbers.below(5) {
            0 => bytes[from.min(good.len() / 2)..]
                .iter_mut()
                .take(1)
                .for_each(|byte| *byte = u8::try_from(to % 256).unwrap()),
            1 => drop(bytes.drain(from..to.min(from + 40))),
            2 => drop(bytes.splice(from..from, PIECES[numbers.below(PIECES.len())].bytes())),
            3 => bytes.extend_from_within(from..to.min(from + 300)),
            _ => bytes.truncate(to),
        }
        if bytes.is_empty() {
            bytes.push(b' ');
        }
    }
    bytes
}

fn tries(count: usize) {
    let (keys, ring, _folder) = all();
    let good = keys.to_bytes();
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for _ in 0..count {
        is_harmless(&wild(&good, &mut numbers), &ring);
    }
}

#[test]
fn a_flipped_bit_or_a_cut_opens_nothing_wrong() {
    let (keys, ring, _folder) = all();
    let good = keys.to_bytes();
    for bit in 0..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        is_harmless(&bytes, &ring);
    }
    for cut in 0..good.len() - 2 {
        assert!(Keys::read(&good[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn ten_thousand_wild_files_open_nothing_wrong() {
    tries(10_000);
}

#[test]
#[ignore = "needs minutes: the full count of security.md F1"]
fn a_million_wild_files_open_nothing_wrong() {
    tries(1_000_000);
}

/// Every file below a folder, with all that a write would change.
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, u64, i64, i64)> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let about = entry.metadata().unwrap();
            let bytes = if about.is_dir() { Vec::new() } else { std::fs::read(entry.path()).unwrap() };
            if about.is_dir() {
                folders.push(entry.path());
            }
            files.insert(entry.path(), (bytes, about.ino(), about.ctime(), about.ctime_nsec()));
        }
    }
    files
}

#[tokio::test]
async fn a_thousand_wrong_passphrases_write_nothing_and_wait_longer() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place {
        folder: folder.path().join("store"),
        clock: Arc::new(FixedClock::at(from_epoch(0))),
        session: Arc::new(Nowhere),
        keyring: Arc::new(Nowhere),
        key_file: folder.path().join("key"),
        session_allowed: true,
        who: "a test".to_owned(),
    };
    Store::open(place.clone()).unwrap().create(Opening::KeyFile(None)).await.unwrap();
    // Its data key once more, under a passphrase that costs little.
    let path = place.folder.join("keys");
    let mut keys = Keys::read(&std::fs::read(&path).unwrap()).unwrap();
    let own = keys.open(&Opening::KeyFile(None), &Nowhere).unwrap();
    keys.cost = Cost::LEAST;
    keys.guard(&passphrase("a horse"), &own, &Nowhere, &place.key_file).unwrap();
    std::fs::write(&path, keys.to_bytes()).unwrap();

    let store = Store::open(place).unwrap();
    let before = snapshot(folder.path());
    assert_eq!(store.wait_before_try().as_secs(), 0);
    for number in 0..1000 {
        assert_eq!(store.unlock(passphrase(&format!("guess {number}"))).await, Err(Error::DoesNotOpen));
    }
    assert_eq!(store.wait_before_try().as_secs(), 10);
    assert!(snapshot(folder.path()) == before, "something was written");
    assert!(!store.vault().is_open());
    store.unlock(passphrase("a horse")).await.unwrap();
    assert!(store.vault().is_open());
    assert_eq!(store.wait_before_try().as_secs(), 0);
}
