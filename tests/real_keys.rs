//! The store's keys in their real places: the kernel's keyring across sessions, tmux and time, and the desktop's keyring in all its moods.
#![cfg(target_os = "linux")]

use std::time::Duration;

use toktui::store::keys::{KernelKeyring, Session};
use toktui::store::seal::Key;

/// A key's name that no other run uses.
fn label(what: &str) -> String {
    format!("test-{what}-{}", std::process::id())
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
