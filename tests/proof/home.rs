//! A user's home of their own, and the built program in it.

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::giver::Giver;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_toktui");

/// Waits until `is_so`, in a time that only a broken program needs.
pub fn wait(what: &str, is_so: impl Fn() -> bool) {
    wait_or(|| what.to_owned(), is_so);
}

/// The same, with words for what is missing that are found when it is.
#[allow(clippy::disallowed_methods, reason = "it waits for other processes, in real time")]
pub fn wait_or(what: impl Fn() -> String, is_so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < end, "no {}", what());
        thread::sleep(Duration::from_micros(300));
    }
}

/// A home below a temporary folder: everything that the program may write is in it.
pub struct Home {
    folder: TempDir,
}

impl Home {
    /// A home with a config of these givers, and nothing kept.
    pub fn of(giver: &Giver) -> Self {
        let home = Self { folder: TempDir::new().unwrap() };
        for part in ["config", "run", "tmp"] {
            std::fs::create_dir(home.path().join(part)).unwrap();
        }
        std::fs::write(home.path().join("config/config.toml"), giver.config()).unwrap();
        home
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The store's folder.
    pub fn store(&self) -> PathBuf {
        self.path().join("store")
    }

    /// The program with these words, as a script starts it: no terminal, nothing on standard input.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(words).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for (name, value) in self.environment() {
            command.env(name, value);
        }
        command
    }

    /// What the program may know of the machine that the tests run on.
    pub fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("HOME", self.path().to_owned()),
            ("TOKTUI_HOME", self.path().to_owned()),
            ("XDG_RUNTIME_DIR", self.path().join("run")),
            ("TMPDIR", self.path().join("tmp")),
            ("PATH", PathBuf::from("/usr/bin:/bin")),
            ("LANG", PathBuf::from("C.UTF-8")),
        ]
    }

    pub fn start(&self, words: &[&str]) -> Child {
        self.command(words).spawn().unwrap()
    }

    pub fn run(&self, words: &[&str]) -> Ran {
        Ran::of(self.command(words).output().unwrap())
    }

    /// Every file below the home.
    pub fn files(&self) -> Vec<PathBuf> {
        files(self.path())
    }
}

/// Every file below a folder, the folder's own subfolders too.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        found.push(path.clone());
        if is_folder {
            found.extend(files(&path));
        }
    }
    found
}

/// How a run ended, and what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// `None`: it was killed.
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            signal: output.status.signal(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub fn ended(child: Child) -> Self {
        Self::of(child.wait_with_output().unwrap())
    }

    /// The one value that it printed.
    pub fn value(&self) -> &str {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out.trim_end()
    }
}
