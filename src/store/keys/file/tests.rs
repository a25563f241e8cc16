//! What the file `keys` promises.

use std::sync::Mutex;

use super::*;
use crate::store::keys::Nowhere;

/// A keyring in memory that counts what it was asked.
#[derive(Default)]
pub(super) struct Ring(Mutex<Vec<(String, Key)>>);

impl Keyring for Ring {
    fn key(&self, store: &str) -> Result<Key, Error> {
        let held = self.0.lock().unwrap();
        let found = held.iter().find(|(name, _)| name == store).map(|(_, key)| key.duplicate());
        found.ok_or_else(|| Error::Keyring(NO_KEY.to_owned()))
    }

    fn keep(&self, store: &str, key: &Key) -> Result<(), Error> {
        self.0.lock().unwrap().retain(|(name, _)| name != store);
        self.0.lock().unwrap().push((store.to_owned(), key.duplicate()));
        Ok(())
    }

    fn forget(&self, store: &str) -> Result<(), Error> {
        self.0.lock().unwrap().retain(|(name, _)| name != store);
        Ok(())
    }

    fn answers(&self) -> bool {
        true
    }
}

pub(super) fn passphrase(text: &str) -> Opening {
    Opening::Passphrase(Secret::new(text))
}

pub(super) fn data() -> Key {
    Key::from_bytes(&[42; 32]).unwrap()
}

/// Keys under all three guards, and the folder of their key file.
pub(super) fn all() -> (Keys, Ring, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let ring = Ring::default();
    let place = folder.path().join("key");
    let mut keys = Keys::make_at(Cost::LEAST, "s1", &Opening::KeyFile(None), &data(), &ring, &place).unwrap();
    keys.guard(&passphrase("a horse"), &data(), &ring, &place).unwrap();
    keys.guard(&Opening::Keyring, &data(), &ring, &place).unwrap();
    (keys, ring, folder)
}

const OPENINGS: [fn() -> Opening; 3] =
    [|| Opening::Keyring, || passphrase("a horse"), || Opening::KeyFile(None)];

fn is_data(opened: Result<Key, Error>) -> bool {
    opened.is_ok_and(|key| key.expose() == data().expose())
}

#[test]
fn each_guard_opens_what_was_written_and_read_again() {
    let (keys, ring, _folder) = all();
    let again = Keys::read(&keys.to_bytes()).unwrap();
    assert_eq!(again.entries, keys.entries);
    assert_eq!(again.store(), "s1");
    assert_eq!(again.guards(), [Guard::Keyring, Guard::Passphrase, Guard::KeyFile]);
    for opening in OPENINGS {
        assert!(is_data(again.open(&opening(), &ring)), "{:?}", opening());
    }
    assert!(again.to_bytes().starts_with(b"{\n  \"what\": \"The keys of a toktui store."));
}

#[test]
fn nothing_of_a_key_or_passphrase_stands_in_the_file() {
    let (keys, ring, folder) = all();
    let text = String::from_utf8(keys.to_bytes()).unwrap();
    let file = key_file::read(&folder.path().join("key")).unwrap();
    for key in [data(), ring.key("s1").unwrap(), file] {
        assert!(!text.contains(&STANDARD.encode(key.expose())));
    }
    assert!(!text.contains("horse"));
}

#[test]
fn a_wrong_passphrase_and_a_damaged_entry_are_one_error() {
    let (keys, ring, _folder) = all();
    assert_eq!(keys.open(&passphrase("a house"), &ring).unwrap_err(), Error::DoesNotOpen);
    let text = String::from_utf8(keys.to_bytes()).unwrap();
    let Entry::Passphrase { salt, key, .. } = &keys.entries[1] else { panic!("order") };
    let harm: [(&str, &str); 10] = [
        ("\"memory\": 8,", "\"memory\": 9,"),
        ("\"memory\": 8,", "\"memory\": 4294967295,"),
        ("\"memory\": 8,", "\"memory\": 0,"),
        ("\"passes\": 1,", "\"passes\": 4294967295,"),
        ("\"lanes\": 1,", "\"lanes\": 0,"),
        ("argon2id", "argon2i"),
        (salt, "AAAAAAAAAAAAAAAAAAAAAA=="),
        (salt, "no base64"),
        (key, "AAAA"),
        (key, "no base64"),
    ];
    for (from, to) in harm {
        let harmed = Keys::read(text.replacen(from, to, 1).as_bytes()).unwrap();
        assert_ne!(harmed.entries, keys.entries, "{from}");
        assert_eq!(
            harmed.open(&passphrase("a horse"), &ring).unwrap_err(),
            Error::DoesNotOpen,
            "{from} → {to}"
        );
        assert!(is_data(harmed.open(&Opening::Keyring, &ring)), "a healthy entry opens beside a damaged one");
    }
}

#[test]
fn an_entry_of_another_store_or_under_another_guard_does_not_open() {
    let (keys, ring, folder) = all();
    ring.keep("s2", &ring.key("s1").unwrap()).unwrap();
    let moved = Keys { store: "s2".to_owned(), ..keys.clone() };
    for opening in OPENINGS {
        assert_eq!(moved.open(&opening(), &ring).unwrap_err(), Error::DoesNotOpen);
    }
    // The key file's key, put into the keyring, opens only the key file's entry.
    ring.keep("s1", &key_file::read(&folder.path().join("key")).unwrap()).unwrap();
    let key = keys.entries[2].key().to_owned();
    let mut swapped = keys.clone();
    *swapped.entries[0].key_mut() = key;
    assert_eq!(swapped.open(&Opening::Keyring, &ring).unwrap_err(), Error::DoesNotOpen);
}

#[test]
fn a_new_passphrase_takes_the_place_of_the_old() {
    let (mut keys, ring, folder) = all();
    let place = folder.path().join("key");
    keys.guard(&passphrase("a cow"), &data(), &ring, &place).unwrap();
    assert_eq!(keys.open(&passphrase("a horse"), &ring).unwrap_err(), Error::DoesNotOpen);
    assert!(is_data(keys.open(&passphrase("a cow"), &ring)));
    assert_eq!(keys.guards().len(), 3);
    assert_eq!(keys.guard(&passphrase(""), &data(), &ring, &place), Err(Error::EmptyPassphrase));
    assert!(is_data(keys.open(&passphrase("a cow"), &ring)));
}

#[test]
fn guarding_anew_leaves_what_is_on_disk_openable() {
    let (mut keys, ring, folder) = all();
    let on_disk = keys.clone();
    let place = folder.path().join("key");
    for opening in [Opening::Keyring, Opening::KeyFile(None)] {
        keys.guard(&opening, &data(), &ring, &place).unwrap();
        assert!(is_data(on_disk.open(&opening, &ring)) && is_data(keys.open(&opening, &ring)));
    }
    ring.forget("s1").unwrap();
    keys.guard(&Opening::Keyring, &data(), &ring, &place).unwrap();
    assert!(is_data(keys.open(&Opening::Keyring, &ring)), "a key that was lost is made again");
}

#[test]
fn the_last_guard_cannot_be_taken_away() {
    let (mut keys, ring, _folder) = all();
    keys.remove(Guard::Keyring).unwrap();
    assert_eq!(keys.remove(Guard::Keyring), Err(Error::NotGuardedSo(Guard::Keyring)));
    assert_eq!(keys.open(&Opening::Keyring, &ring).unwrap_err(), Error::NotGuardedSo(Guard::Keyring));
    keys.remove(Guard::KeyFile).unwrap();
    assert_eq!(keys.remove(Guard::Passphrase), Err(Error::LastGuard));
    assert!(is_data(keys.open(&passphrase("a horse"), &ring)));
}

#[test]
fn without_a_keyring_there_are_no_keys_guarded_by_one() {
    let made = Keys::make("s1", &Opening::Keyring, &data(), &Nowhere, Path::new("/nowhere/key"));
    assert!(matches!(made, Err(Error::Keyring(_))));
}

#[test]
fn a_key_file_may_have_moved() {
    let (keys, ring, folder) = all();
    let moved = folder.path().join("moved");
    std::fs::rename(keys.key_file().unwrap(), &moved).unwrap();
    assert!(matches!(keys.open(&Opening::KeyFile(None), &ring), Err(Error::Disk(_))));
    assert!(is_data(keys.open(&Opening::KeyFile(Some(moved)), &ring)));
}

#[test]
fn a_newer_version_is_left_alone_and_nonsense_is_damage() {
    let newer = Keys::read(br#"{"v":2,"all":"new"}"#);
    assert!(matches!(newer, Err(Error::ReadOnly(_))));
    let (keys, ..) = all();
    let text = String::from_utf8(keys.to_bytes()).unwrap();
    let twice =
        text.replacen("\"by\": \"keyring\"", "\"by\": \"keyring\",\"key\":\"\"},{\"by\": \"keyring\"", 1);
    let nonsense = [
        String::new(),
        "{}".to_owned(),
        "[1]".to_owned(),
        r#"{"v":0,"what":"","store":"a","guards":[]}"#.to_owned(),
        r#"{"v":1,"what":"","store":"a","guards":[]}"#.to_owned(),
        text.replacen("\"v\": 1", "\"v\": 0", 1),
        text.replacen("\"store\": \"s1\"", "\"store\": \"a\\nb\"", 1),
        text.replacen("\"store\": \"s1\"", "\"store\": \"\"", 1),
        text.replacen("\"by\": \"keyring\"", "\"by\": \"magic\"", 1),
        twice,
        " ".repeat(LONGEST) + &text,
        "[".repeat(LONGEST),
    ];
    for bytes in nonsense {
        let read = Keys::read(bytes.as_bytes());
        assert!(matches!(read, Err(Error::Damaged(_))), "{bytes:.80} {read:?}");
    }
}
