//! The desktop's keyring in all its moods, each made on purpose: a GNOME Keyring at a private bus.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]
#![allow(clippy::disallowed_methods, reason = "these tests wait for other processes, in real time")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use toktui::store::Error;
use toktui::store::keys::{DesktopKeyring, Keyring as _};
use toktui::store::seal::Key;

const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir=HOME</listen>
  <servicedir>HOME</servicedir>
  <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>
"#;

const LOCKED: &str = "is locked, or does not let us in (it wants its own password first)";
const SILENT: &str = "cannot be reached (it does not answer)";

/// A bus of its own, whose services live in a folder that goes with it.
struct Desktop {
    address: String,
    bus: Child,
    keyring: Option<Child>,
    home: tempfile::TempDir,
}

impl Drop for Desktop {
    fn drop(&mut self) {
        for child in self.keyring.iter_mut().chain([&mut self.bus]) {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

impl Desktop {
    /// The bus alone, which starts nothing by itself.
    fn bare() -> Self {
        Self::starting(None)
    }

    /// The bus alone, which starts this program where somebody asks for a keyring.
    fn starting(program: Option<&str>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let config = home.path().join("bus.conf");
        std::fs::write(&config, BUS.replace("HOME", home.path().to_str().unwrap())).unwrap();
        if let Some(program) = program {
            let service = format!("[D-BUS Service]\nName=org.freedesktop.secrets\nExec={program}\n");
            std::fs::write(home.path().join("secrets.service"), service).unwrap();
        }
        let mut bus = at_home("dbus-daemon", home.path())
            .args(["--nofork", "--print-address", "--config-file"])
            .arg(&config)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon");
        let mut address = String::new();
        BufReader::new(bus.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { address: address.trim().to_owned(), bus, keyring: None, home }
    }

    /// With a keyring that the user unlocked by this password.
    fn with_keyring(mut self, password: &str) -> Self {
        let mut keyring = at_home("gnome-keyring-daemon", self.home.path())
            .args(["--unlock", "--components=secrets", "--foreground"])
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("gnome-keyring-daemon");
        keyring.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
        self.keyring = Some(keyring);
        let service = self.service();
        let until = Instant::now() + Duration::from_secs(10);
        while !service.answers() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
        }
        self
    }

    fn without_keyring(mut self) -> Self {
        if let Some(mut keyring) = self.keyring.take() {
            drop(keyring.kill());
            drop(keyring.wait());
        }
        self
    }

    fn service(&self) -> DesktopKeyring {
        DesktopKeyring::at(&self.address)
    }

    fn signal(&self, signal: Signal) {
        let pid = self.keyring.as_ref().map_or(0, Child::id);
        kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal).unwrap();
    }
}

fn at_home(program: &str, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    for variable in ["HOME", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"] {
        command.env(variable, home);
    }
    command
}

/// What it said instead of a key, and that it took no longer than is promised.
fn refusal(service: &DesktopKeyring) -> String {
    let begun = Instant::now();
    let Err(Error::Keyring(why)) = service.key("a-store") else {
        panic!("there was to be no key");
    };
    assert!(begun.elapsed() < Duration::from_millis(2100), "{:?}", begun.elapsed());
    why
}

#[test]
#[ignore = "needs gnome-keyring and dbus"]
fn a_key_is_kept_found_replaced_and_forgotten() {
    let desktop = Desktop::bare().with_keyring("a password");
    let service = desktop.service();
    assert!(service.answers());
    assert_eq!(refusal(&service), "holds no key for this store");
    let (one, two, other) = (Key::random().unwrap(), Key::random().unwrap(), Key::random().unwrap());
    service.keep("a-store", &one).unwrap();
    service.keep("another-store", &other).unwrap();
    assert_eq!(service.key("a-store").unwrap().expose(), one.expose());
    service.keep("a-store", &two).unwrap();
    assert_eq!(service.key("a-store").unwrap().expose(), two.expose());
    service.forget("a-store").unwrap();
    service.forget("a-store").unwrap();
    assert_eq!(refusal(&service), "holds no key for this store");
    assert_eq!(service.key("another-store").unwrap().expose(), other.expose());
}

#[test]
#[ignore = "needs gnome-keyring and dbus"]
fn a_locked_keyring_says_so_and_asks_nobody() {
    let desktop = Desktop::bare().with_keyring("a password");
    desktop.service().keep("a-store", &Key::random().unwrap()).unwrap();
    let desktop = desktop.without_keyring().with_keyring("a wrong one");
    assert_eq!(refusal(&desktop.service()), LOCKED);
    let refused = desktop.service().keep("a-store", &Key::random().unwrap());
    assert_eq!(refused, Err(Error::Keyring(LOCKED.to_owned())));
}

#[test]
#[ignore = "needs gnome-keyring and dbus"]
fn a_keyring_that_hangs_or_dies_costs_two_seconds_at_most() {
    let desktop = Desktop::bare().with_keyring("a password");
    let service = desktop.service();
    desktop.signal(Signal::STOP);
    assert_eq!(refusal(&service), SILENT);
    assert!(!service.answers());
    let dying = std::thread::spawn(move || refusal(&service));
    std::thread::sleep(Duration::from_millis(200));
    desktop.signal(Signal::KILL);
    assert_eq!(dying.join().unwrap(), "cannot be reached (org.freedesktop.DBus.Error.NoReply)");
}

#[test]
#[ignore = "needs gnome-keyring and dbus"]
fn no_bus_no_keyring_and_one_that_does_not_start_are_told_apart() {
    assert_eq!(refusal(&Desktop::bare().service()), "cannot be reached (none is installed)");
    assert_eq!(
        refusal(&Desktop::starting(Some("/bin/false")).service()),
        "cannot be reached (it does not start)"
    );
    assert_eq!(refusal(&Desktop::starting(Some("/bin/sleep 5")).service()), SILENT);
    for nowhere in ["", "unix:path=/nowhere", "tcp:host=127.0.0.1,port=1", "unix:abstract=toktui-nobody"] {
        assert_eq!(refusal(&DesktopKeyring::at(nowhere)), "cannot be reached (this session has no D-Bus)");
    }
}
