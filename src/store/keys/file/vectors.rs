//! What was wrapped once must open for ever: files of format 1, made by the first version that wrote them.
//!
//! Each line of `tests/vectors/keys.jsonl` is a file `keys` with what opens it. It is never to be written anew.

use std::os::unix::fs::OpenOptionsExt;

use serde_json::Value;

use super::tests::Ring;
use super::*;

const VECTORS: &str = include_str!("../../../../tests/vectors/keys.jsonl");

#[test]
fn what_the_first_version_wrapped_still_opens_under_each_guard() {
    let folder = tempfile::tempdir().unwrap();
    let mut opened = 0;
    for (number, line) in VECTORS.lines().enumerate() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| vector[name].as_str().unwrap().to_owned();
        let key = |name: &str| Key::from_bytes(&STANDARD.decode(text(name)).unwrap()).unwrap();
        let keys = Keys::read(vector["keys"].to_string().as_bytes()).unwrap();
        let ring = Ring::default();
        ring.keep(keys.store(), &key("keyring")).unwrap();
        let path = folder.path().join(number.to_string());
        let mut file =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
        std::io::Write::write_all(&mut file, text("key_file").as_bytes()).unwrap();
        let passphrase = Opening::Passphrase(Secret::new(text("passphrase")));
        for opening in [Opening::Keyring, passphrase, Opening::KeyFile(Some(path))] {
            let data = keys
                .open(&opening, &ring)
                .unwrap_or_else(|error| panic!("line {number}, {opening:?}: {error}"));
            assert_eq!(data.expose(), key("data").expose(), "line {number}, {opening:?}");
            opened += 1;
        }
        let wrong = Opening::Passphrase(Secret::new(text("passphrase") + " "));
        assert_eq!(keys.open(&wrong, &ring).unwrap_err(), Error::DoesNotOpen);
    }
    assert!(opened >= 100, "{opened} vectors");
}
