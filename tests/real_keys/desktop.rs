//! GNOME Keyring on a private bus: it works, is locked, stopped, killed half-way, absent; and there is no bus at all.

use std::fs;
use std::path::Path;

use base64::Engine;

use super::{KEY, spent, told, words};

/// A keyring that is there and open. Its password goes through standard input, whole.
const OPEN: &str = "printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
    keeper() { pgrep -x gnome-keyring-d | while read pid; do
        tr '\\0' '\\n' </proc/$pid/environ | grep -qx \"HOME=$HOME\" && echo $pid; done; }
    ";

/// The limit of security.md F4, in milliseconds.
const LIMIT: u64 = 2100;

/// Runs a script on a bus of its own, and looks for the key in all that was written meanwhile.
fn on_a_bus(script: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let lines = told(script, &["dbus-run-session", "--"], folder.path());
    nothing_in_plain(folder.path());
    lines
}

fn nothing_in_plain(folder: &Path) {
    let text = base64::engine::general_purpose::STANDARD.encode(KEY);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        // A daemon that ends takes its folders with it: what has just gone holds nothing.
        let Some(entries) = there(fs::read_dir(folder)) else { continue };
        for entry in entries.map(Result::unwrap) {
            let Some(kind) = there(entry.file_type()) else { continue };
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                let Some(bytes) = there(fs::read(entry.path())) else { continue };
                let holds = |what: &[u8]| bytes.windows(what.len()).any(|part| part == what);
                assert!(!holds(&KEY[..12]) && !holds(&text.as_bytes()[..12]), "{}", entry.path().display());
            }
        }
    }
}

/// What was found; `None`: it has gone.
fn there<T>(found: std::io::Result<T>) -> Option<T> {
    match found {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        other => Some(other.unwrap()),
    }
}

fn is_refused_in_time(line: &str) {
    assert!(line.starts_with("Keyring(\""), "{line}");
    assert!(spent(line) <= LIMIT, "{line}");
}

#[test]
#[ignore = "needs gnome-keyring, libsecret-tools and dbus"]
fn an_open_keyring_keeps_finds_and_forgets_a_key_as_text() {
    let lines = on_a_bus(&format!(
        "{OPEN} ask answers; ask find s1; ask keep s1; ask keep s1; ask find s1; ask find s2
        secret-tool lookup service toktui username s1; echo
        ask forget s1; ask forget s1; ask find s1"
    ));
    let none = "Keyring(\"holds no key for this store\")";
    let text = base64::engine::general_purpose::STANDARD.encode(KEY);
    let expected = ["true", none, "kept", "kept", "the key", none, &text, "forgotten", "forgotten", none];
    assert_eq!(lines.iter().map(|line| words(line)).collect::<Vec<_>>(), expected);
}

#[test]
#[ignore = "needs gnome-keyring and dbus"]
fn a_locked_keyring_is_an_error_in_time() {
    let lines = on_a_bus(&format!(
        "{OPEN} ask keep s1
        kill $(keeper); while [ -n \"$(keeper)\" ]; do sleep 0.05; done
        gnome-keyring-daemon --start --components=secrets >/dev/null 2>&1
        ask find s1; ask keep s2"
    ));
    assert_eq!(words(&lines[0]), "kept", "{lines:?}");
    assert_eq!(lines.len(), 3);
    for line in &lines[1..] {
        is_refused_in_time(line);
        assert!(!line.contains("holds no key"), "nobody can know that: {line}");
    }
}

#[test]
#[ignore = "needs gnome-keyring and dbus"]
fn a_keyring_that_was_never_set_up_is_an_error_in_time() {
    let lines = on_a_bus("ask find s1; ask keep s1");
    assert_eq!(lines.len(), 2);
    for line in &lines {
        is_refused_in_time(line);
    }
}

#[test]
#[ignore = "needs gnome-keyring and dbus"]
fn a_stopped_keyring_is_an_error_in_time_and_works_when_it_goes_on() {
    let lines = on_a_bus(&format!(
        "{OPEN} ask keep s1
        kill -STOP $(keeper); ask find s1; ask keep s1; ask answers
        kill -CONT $(keeper); ask find s1"
    ));
    assert_eq!(words(&lines[0]), "kept", "{lines:?}");
    is_refused_in_time(&lines[1]);
    is_refused_in_time(&lines[2]);
    assert_eq!(words(&lines[3]), "false");
    assert!(spent(&lines[3]) <= LIMIT, "{lines:?}");
    assert!(spent(&lines[1]) >= 1900, "it was stopped: {lines:?}");
    assert_eq!(words(&lines[4]), "the key");
}

#[test]
#[ignore = "needs gnome-keyring and dbus"]
fn a_keyring_that_is_killed_half_way_is_an_error_in_time() {
    let lines = on_a_bus(&format!(
        "{OPEN} ask keep s1
        pid=$(keeper); kill -STOP $pid; (sleep 0.7; kill -KILL $pid) & ask find s1; wait"
    ));
    assert_eq!(words(&lines[0]), "kept", "{lines:?}");
    is_refused_in_time(&lines[1]);
}

#[test]
#[ignore = "needs dbus"]
fn a_bus_without_any_keyring_is_an_error_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("bus.conf");
    let text = "<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><policy context='default'>\
        <allow send_destination='*'/><allow receive_sender='*'/><allow own='*'/></policy></busconfig>";
    fs::write(&config, text).unwrap();
    let config = format!("--config-file={}", config.display());
    let lines =
        told("ask find s1; ask keep s1; ask answers", &["dbus-run-session", &config, "--"], folder.path());
    assert_eq!(lines.len(), 3);
    is_refused_in_time(&lines[0]);
    is_refused_in_time(&lines[1]);
    assert_eq!(words(&lines[2]), "false");
    nothing_in_plain(folder.path());
}

#[test]
#[ignore = "needs nothing, but is real: this machine's own buses must not be found"]
fn no_bus_at_all_is_an_error_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let lines = told("ask find s1; ask keep s1; ask answers", &["env"], folder.path());
    assert_eq!(lines.len(), 3);
    is_refused_in_time(&lines[0]);
    is_refused_in_time(&lines[1]);
    assert_eq!(words(&lines[2]), "false");
    nothing_in_plain(folder.path());
}
