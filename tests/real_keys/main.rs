//! The store's keys in their real places: the desktop's keyring in all its moods, the kernel's across sessions, tmux and time, and
//! a process that is closed to others.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]
#![allow(clippy::disallowed_methods, reason = "these tests wait for other processes, in real time")]
#![allow(clippy::print_stdout, reason = "a deed tells its caller")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use toktui::store::keys::{DesktopKeyring, KernelKeyring, Keyring, Session};
use toktui::store::memory;
use toktui::store::seal::Key;

mod closed;
mod desktop;
mod kernel;
#[path = "../support/places.rs"]
mod places;

/// What a process of its own is to do, and where it reads that.
const DEED: &str = "TOKTUI_TEST_DEED";
/// The one key that is kept and looked for.
const KEY: [u8; 32] = *b"canary-0123456789-canary-98765..";

/// Not a test: what the tests have done by a process of its own, in another session, on another bus, or by another user.
#[test]
#[ignore = "needs a test that starts it"]
fn deed() {
    let Ok(deed) = std::env::var(DEED) else {
        return;
    };
    let (what, name) = deed.split_once(' ').unwrap_or((&deed, ""));
    let key = || Key::from_bytes(&KEY).unwrap();
    let same = |key: &Key| if key.expose() == &KEY { "the key" } else { "another key" }.to_owned();
    let desktop = DesktopKeyring::at(&std::env::var("DBUS_SESSION_BUS_ADDRESS").unwrap_or_default());
    let begun = Instant::now();
    let told = match what {
        "keep" => desktop.keep(name, &key()).map(|()| "kept".to_owned()),
        "find" => desktop.key(name).map(|key| same(&key)),
        "forget" => desktop.forget(name).map(|()| "forgotten".to_owned()),
        "answers" => Ok(desktop.answers().to_string()),
        "hold" => Ok(KernelKeyring::default().keep(name, &key()).err().unwrap_or("held".to_owned())),
        "look" => Ok(match KernelKeyring::default().key(name) {
            Ok(found) => found.map_or("nothing".to_owned(), |key| same(&key)),
            Err(why) => why,
        }),
        "locked" => {
            let (_key, status) = (key(), std::fs::read_to_string("/proc/self/status").unwrap());
            let line = status.lines().find_map(|line| line.strip_prefix("VmLck:")).unwrap();
            Ok(format!("{} {}", memory::is_locked(), line.trim()))
        }
        other => panic!("no deed: {other}"),
    };
    let spent = begun.elapsed().as_millis();
    println!("\ndeed: {} ({spent} ms)", told.unwrap_or_else(|error| format!("{error:?}")));
}

/// This program, where every user may start it.
fn copied(folder: &Path, program: &Path) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;

    let copy = folder.join("program");
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::copy(program, &copy).unwrap();
    copy
}

/// The lines of deeds that `script` has done; `$ME DEED` does one.
fn told(script: &str, around: &[&str], folder: &Path) -> Vec<String> {
    let me = std::env::current_exe().unwrap();
    let ask = format!(
        "ask() {{ {DEED}=\"$*\" {} --ignored --exact deed --nocapture 2>&1 | sed -n 's/^deed: //p'; }}",
        me.display()
    );
    let mut words = ["timeout", "60"].into_iter().chain(around.iter().copied()).chain(["sh", "-c"]);
    let script = format!("{ask}\n{script}");
    let mut command = Command::new(words.next().unwrap());
    command.args(words).arg(&script).current_dir(folder).stdin(Stdio::null());
    for name in ["HOME", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"] {
        command.env(name, folder);
    }
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"] {
        command.env_remove(name);
    }
    let output = command.output().unwrap();
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// What a deed told, without the time it took.
fn words(line: &str) -> &str {
    line.rsplit_once(" (").map_or(line, |(words, _)| words)
}

/// How long a deed took, in milliseconds.
fn spent(line: &str) -> u64 {
    let spent = line.rsplit_once(" (").and_then(|(_, spent)| spent.strip_suffix(" ms)"));
    spent.and_then(|spent| spent.parse().ok()).unwrap_or_else(|| panic!("no time in {line:?}"))
}
