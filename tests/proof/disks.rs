//! A disk that is full, read-only or broken: refused before anything is sent, and after that never lost in silence.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::giver::Giver;
use crate::home::{Home, Ran, files};
use crate::judge::{Before, Left};
use crate::kept::{BOTH, Kind};
use crate::share;
use crate::traces;

/// Runs a renewal with the store on a disk of 1 MiB that `then` has made worse, and brings back what is left of the store.
fn on_a_small_disk(home: &Home, kind: Kind, then: &str) -> Ran {
    const SCRIPT: &str = r#"
        set -e
        saved=$(mktemp -d)
        cp -a "$STORE/." "$saved/"
        mount -t tmpfs -o size=1m,mode=700 none "$STORE"
        cp -a "$saved/." "$STORE/"
        eval "$THEN"
        set +e
        "$PROGRAM" token "$NAME" --force
        code=$?
        set -e
        mount -o remount,rw "$STORE"
        rm -f "$STORE/filler"
        rm -rf "$saved"; mkdir -m 700 "$saved"
        cp -a "$STORE/." "$saved/"
        umount "$STORE"
        rm -rf "$STORE"; cp -a "$saved" "$STORE"; rm -rf "$saved"
        exit $code
    "#;
    let mut command = Command::new("unshare");
    command.args(["-m", "--propagation", "private", "sh", "-c", SCRIPT]).env_clear().stdin(Stdio::null());
    for (name, value) in home.environment() {
        command.env(name, value);
    }
    command.env("STORE", home.store()).env("THEN", then).env("PROGRAM", crate::home::PROGRAM);
    command.env("NAME", kind.name());
    Ran::of(command.output().unwrap())
}

/// Takes every block that is left, and every name.
const FILLED: &str = r#"dd if=/dev/zero of="$STORE/filler" bs=1k 2>/dev/null || true"#;

#[test]
#[ignore = "needs root: a file system of its own"]
fn a_full_or_read_only_disk_is_found_before_anything_is_sent() {
    let giver = Giver::open();
    let home = Home::filled(&giver);
    for kind in BOTH {
        for (what, then, refused) in [
            ("a roomy disk", "true".to_owned(), false),
            ("a full disk that has the reserve", FILLED.to_owned(), false),
            ("a full disk", format!("rm -f \"$STORE/reserve\"; {FILLED}"), true),
            (
                "a disk full to the last byte of a block",
                format!("rm -f \"$STORE/reserve\"; {FILLED}; truncate -s -4k \"$STORE/filler\""),
                true,
            ),
            ("a read-only disk", "mount -o remount,ro \"$STORE\"".to_owned(), true),
        ] {
            let before = Before::of(&giver, &home, kind);
            let asked = kind.books(&giver).requests();
            let ran = on_a_small_disk(&home, kind, &then);
            let left = before
                .judge(&giver, &home, &ran.out)
                .unwrap_or_else(|why| panic!("{kind:?}, {what}: {why} {ran:?}"));
            let sent = kind.books(&giver).requests() - asked;
            share::say(&format!(
                "{kind:?} on {what}: code {:?}, {sent} sent, {left:?}: {}",
                ran.code,
                ran.err.trim()
            ));
            if refused {
                assert_eq!((ran.code, sent, left), (Some(1), 0, Left::Untouched), "{what}: {ran:?}");
                assert!(!ran.err.is_empty());
            } else if sent == 0 {
                assert_eq!((ran.code, left), (Some(1), Left::Untouched), "{what}: {ran:?}");
            } else {
                assert_eq!((ran.code, left), (Some(0), Left::Kept), "{what}: {ran:?}");
            }
            before.go_on(&giver, &home, left).unwrap_or_else(|why| panic!("{kind:?}, after {what}: {why}"));
        }
    }
}

#[test]
#[ignore = "needs strace"]
fn a_disk_that_refuses_any_one_step_loses_nothing_in_silence() {
    let giver = Giver::open();
    let home = Home::filled(&giver);
    let log = tempfile::NamedTempFile::new().unwrap();
    let faults: &[&str] =
        if share::is_full() { &["ENOSPC", "EIO", "EROFS", "EDQUOT"] } else { &["ENOSPC", "EIO"] };
    for kind in BOTH {
        let (mut injected, mut before_sending, mut after_answer) = (0, 0, 0);
        for name in steps(&home, kind, log.path()) {
            for fault in faults {
                for last in ["", "+"] {
                    for at in 1..40 {
                        let before = Before::of(&giver, &home, kind);
                        let asked = kind.books(&giver).requests();
                        let what = format!("{kind:?}, {name} {at}{last} fails by {fault}");
                        let rules =
                            on_the_store(&home, &format!("inject={name}:error={fault}:when={at}{last}"));
                        let command = home.command(&["token", kind.name(), "--force"]);
                        let ran = Ran::of(traces::traced(&command, log.path(), &rules).output().unwrap());
                        let hit = traces::read(log.path()).iter().any(traces::Call::is_feigned);
                        if !hit {
                            ran.value();
                            break;
                        }
                        injected += 1;
                        let sent = kind.books(&giver).requests() - asked;
                        let left = before.judge(&giver, &home, &ran.out);
                        let left = left.unwrap_or_else(|why| panic!("{what}: {why} {ran:?}"));
                        match (sent, left) {
                            (_, Left::Kept) => {
                                after_answer += 1;
                                assert!(ran.code == Some(0) || !ran.err.is_empty(), "{what}: {ran:?}");
                            }
                            (0, _) => {
                                before_sending += 1;
                                assert_eq!(ran.code, Some(1), "{what}: {ran:?}");
                                assert!(!ran.err.is_empty(), "{what}");
                            }
                            (_, _) => {
                                after_answer += 1;
                                assert_eq!(ran.code, Some(1), "{what}: {ran:?}");
                                assert!(ran.err.contains("memory only"), "{what}: {ran:?}");
                            }
                        }
                        before.go_on(&giver, &home, left).unwrap_or_else(|why| panic!("{what}: {why}"));
                    }
                }
            }
        }
        share::say(&format!(
            "{kind:?}: {injected} failures injected, {before_sending} before anything was sent, {after_answer} after the answer"
        ));
        assert!(before_sending > 0 && after_answer > 0);
    }
}

/// The kinds of system calls that change the store in a renewal.
fn steps(home: &Home, kind: Kind, log: &Path) -> Vec<String> {
    let command = home.command(&["token", kind.name(), "--force"]);
    let ran = Ran::of(traces::traced(&command, log, &on_the_store(home, "trace=all")).output().unwrap());
    ran.value();
    let changes = [
        "write",
        "pwrite64",
        "writev",
        "fdatasync",
        "fsync",
        "fallocate",
        "ftruncate",
        "rename",
        "renameat2",
    ];
    let calls = traces::read(log);
    changes
        .iter()
        .filter(|name| calls.iter().any(|call| call.name == **name))
        .map(|&name| name.to_owned())
        .collect()
}

/// Only calls about files of the store.
fn on_the_store(home: &Home, rule: &str) -> Vec<String> {
    let mut rules = vec!["-e".to_owned(), rule.to_owned()];
    let kept = files(&home.store()).into_iter().filter(|path| path.is_file());
    for path in kept {
        rules.extend(["-P".to_owned(), path.to_str().unwrap().to_owned()]);
    }
    rules
}
