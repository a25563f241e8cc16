//! The kernel's keyring: across sessions, in tmux, for one user only, and for as long as it is used.

use std::process::{Command, Stdio};
use std::time::Duration;

use toktui::store::keys::{KernelKeyring, Session};
use toktui::store::seal::Key;

use super::places::{Tmux, wait};
use super::{DEED, copied, told, words};

/// A key's name that no other run uses.
fn label(what: &str) -> String {
    format!("toktui:test-{what}-{}", std::process::id())
}

#[test]
#[ignore = "needs a kernel keyring"]
fn the_kernel_keeps_a_key_until_it_is_forgotten() {
    let (ring, label) = (KernelKeyring::default(), label("kept"));
    assert!(ring.key(&label).expect("a keyring").is_none());
    let (one, two) = (Key::random().unwrap(), Key::random().unwrap());
    for key in [&one, &two, &one] {
        ring.keep(&label, key).expect("a keyring");
        assert_eq!(ring.key(&label).unwrap().expect("kept").expose(), key.expose());
    }
    ring.forget(&label);
    assert!(ring.key(&label).unwrap().is_none());
    ring.forget(&label);
}

#[test]
#[ignore = "needs a kernel keyring"]
fn a_key_runs_out_unless_it_is_used() {
    // The kernel counts whole seconds: three may be little more than two.
    let (ring, label) = (KernelKeyring::lasting(Duration::from_secs(3)), label("ending"));
    ring.keep(&label, &Key::random().unwrap()).expect("a keyring");
    for _ in 0..3 {
        std::thread::sleep(Duration::from_millis(1700));
        assert!(ring.key(&label).unwrap().is_some(), "its use extends it");
    }
    std::thread::sleep(Duration::from_millis(3200));
    assert!(ring.key(&label).unwrap().is_none());
    ring.keep(&label, &Key::random().unwrap()).expect("a keyring");
    assert!(ring.key(&label).unwrap().is_some(), "a key can take the place of one that ran out");
    ring.forget(&label);
}

#[test]
#[ignore = "needs keyctl and a kernel keyring"]
fn a_key_of_one_session_is_read_in_another_and_without_one() {
    let folder = tempfile::tempdir().unwrap();
    let label = label("sessions");
    let within = ["keyctl", "session", "-"];
    let lines = told(&format!("ask hold {label}; ask look {label}"), &within, folder.path());
    let told_last = |lines: &[String]| words(lines.last().expect("a line")).to_owned();
    assert_eq!(told_last(&lines), "the key", "{lines:?}");
    let lines = told(&format!("ask look {label}"), &within, folder.path());
    assert_eq!(told_last(&lines), "the key", "in another session");
    let lines = told(&format!("ask look {label}"), &["setsid", "--wait"], folder.path());
    assert_eq!(told_last(&lines), "the key", "without one");
    KernelKeyring::default().forget(&label);
    let lines = told(&format!("ask look {label}"), &within, folder.path());
    assert_eq!(told_last(&lines), "nothing", "forgotten here is forgotten there");
}

#[test]
#[ignore = "needs tmux and a kernel keyring"]
fn a_key_is_read_inside_tmux() {
    let label = label("tmux");
    KernelKeyring::default().keep(&label, &Key::from_bytes(&super::KEY).unwrap()).expect("a keyring");
    let tmux = Tmux::start("off");
    let me = std::env::current_exe().unwrap();
    let line = format!("{DEED}='look {label}' {} --ignored --exact deed --nocapture", me.display());
    tmux.ask(&["send-keys", "-t", "s", &line, "Enter"]);
    wait("answer", || tmux.ask(&["capture-pane", "-p", "-t", "s"]).contains("deed: the key"));
    KernelKeyring::default().forget(&label);
}

#[test]
#[ignore = "needs root, who can become others, and a kernel keyring"]
fn a_plain_user_has_a_keyring_of_his_own_that_nobody_else_reads() {
    let folder = tempfile::tempdir().unwrap();
    let program = copied(folder.path(), &std::env::current_exe().unwrap());
    let label = label("users");
    let does = |user: u32, deed: &str| {
        let mut command = Command::new("setpriv");
        command.args([format!("--reuid={user}"), format!("--regid={user}"), "--clear-groups".to_owned()]);
        command.arg(&program).args(["--ignored", "--exact", "deed", "--nocapture"]);
        command.env(DEED, format!("{deed} {label}")).current_dir("/").stdin(Stdio::null());
        let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
        text.lines()
            .find_map(|line| line.strip_prefix("deed: ").map(|line| words(line).to_owned()))
            .unwrap_or(text)
    };
    assert_eq!(does(64_001, "hold"), "held");
    assert_eq!(does(64_001, "look"), "the key");
    assert_eq!(does(64_002, "look"), "nothing");
    assert!(KernelKeyring::default().key(&label).unwrap().is_none());
}
