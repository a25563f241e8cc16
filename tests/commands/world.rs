//! A home, a sandbox in this process, and the program run as a script runs it, or at a terminal.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use serde_json::Value;
use tempfile::TempDir;
use toktui::desktop::SystemClock;
use toktui::domain::time::Clock;
use toktui::sandbox::mytoken::{Clause, Order, Rotation};
use toktui::sandbox::visitor::{Choice, Visitor};
use toktui::sandbox::whole::{Ports, Sandbox, USER};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_toktui");
pub const PASSPHRASE: &str = "correct horse";
const PATIENCE: Duration = Duration::from_secs(20);

/// What every run sees: nothing of the machine that the tests run on. No desktop's keyring answers.
const PLAIN: [(&str, &str); 3] = [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("PATH", "/usr/bin:/bin")];

/// A home of toktui, with a store that a key file opens or without one.
pub struct Home {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// No key of a test stays in the kernel's keyring.
impl Drop for Home {
    fn drop(&mut self) {
        if self.path().join("store/keys").exists() {
            self.run(&["lock"]);
        }
    }
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Home {
    /// Without a store.
    pub fn empty() -> Self {
        Self { folder: TempDir::new().unwrap(), variables: Vec::new() }
    }

    /// With a store that no command has to be asked for.
    pub fn new() -> Self {
        let home = Self::empty();
        let key = home.path().join("key");
        let said = home.run(&["store", "init", "--key-file", key.to_str().unwrap(), "--yes-plain-key"]);
        assert_eq!(said.code, 0, "{said:?}");
        home
    }

    /// With a store that a passphrase guards and that is unlocked for the session, as on a laptop or login node; `None` where this machine
    /// has no kernel keyring to keep the key in.
    pub fn unlocked(config: &str) -> Option<Self> {
        let home = Self::empty();
        home.configure(&format!("{config}\n[store]\nsession = true\n"));
        let said = home.feed(&["store", "init", "--passphrase", "-"], &format!("{PASSPHRASE}\n"));
        assert_eq!(said.code, 0, "{said:?}");
        let open = home.json(&["store", "status", "--json"])["access"] == "open";
        open.then_some(home)
    }

    /// With a store, and the providers of a sandbox in its config.
    pub fn at(servers: &Servers) -> Self {
        let home = Self::new();
        home.configure(&servers.config());
        home
    }

    pub fn configure(&self, config: &str) {
        std::fs::create_dir_all(self.path().join("config")).unwrap();
        std::fs::write(self.path().join("config/config.toml"), config).unwrap();
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The same home with one more variable.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(words).env_clear().envs(PLAIN).env("HOME", self.path()).env("TOKTUI_HOME", self.path());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command as a script does: no terminal anywhere, nothing on standard input.
    pub fn run(&self, words: &[&str]) -> Said {
        self.feed(words, "")
    }

    /// The same with something on standard input.
    pub fn feed(&self, words: &[&str], input: &str) -> Said {
        let mut child = self.command(words).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A program that needs no input may have ended before it.
        drop(stdin.write_all(input.as_bytes()));
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        Said {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// What a command that must work printed.
    pub fn good(&self, words: &[&str]) -> String {
        let said = self.run(words);
        assert_eq!(said.code, 0, "{words:?}: {said:?}");
        said.out
    }

    pub fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.good(words)).unwrap()
    }

    /// Keeps a token under a name.
    pub fn keep(&self, name: &str, token: &str) -> Said {
        let said = self.feed(&["keep", name], token);
        assert_eq!(said.code, 0, "{said:?}");
        said
    }

    /// Logs in without a terminal, as the sandbox's visitor.
    pub fn log_in(&self, servers: &Servers, provider: &str, name: &str) {
        let (code, said) = self.visited(servers, &["login", provider, "--name", name, "--no-input"]);
        assert_eq!(code, 0, "{said}");
    }

    /// The exit code and the rest of standard error of a command that logs in.
    pub fn visited(&self, servers: &Servers, words: &[&str]) -> (i32, String) {
        let mut child = self.command(words).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find(|line| line.trim().starts_with("http"))
            .expect("an address on standard error");
        servers.visit(address.trim());
        let rest: Vec<String> = lines.map_while(Result::ok).collect();
        let status = child.wait().unwrap();
        (status.code().unwrap_or(-1), rest.join("\n"))
    }

    /// Runs a line in a POSIX shell that finds this program and `curl`.
    pub fn shell(&self, line: &str) -> Said {
        let folder = Path::new(PROGRAM).parent().unwrap();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", line]).env_clear().envs(PLAIN).env("TOKTUI_HOME", self.path());
        command.env("PATH", format!("{}:/usr/bin:/bin", folder.display())).env("HOME", self.path());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let output = command.stdin(Stdio::null()).output().unwrap();
        Said {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs a command in a terminal.
    pub fn seat(&self, words: &[&str]) -> Seat {
        Seat::open(self, PROGRAM, words)
    }

    /// Runs a line in a POSIX shell at a terminal.
    pub fn shell_seat(&self, line: &str) -> Seat {
        let folder = Path::new(PROGRAM).parent().unwrap();
        let line = format!("PATH={}:$PATH; {line}", folder.display());
        Seat::open(self, "/bin/sh", &["-c", &line])
    }

    /// All files below the home, each with its mode.
    pub fn files(&self) -> Vec<(PathBuf, u32)> {
        let mut found = Vec::new();
        let mut folders = vec![self.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let about = entry.metadata().unwrap();
                found.push((entry.path(), about.permissions().mode() & 0o7777));
                if about.is_dir() {
                    folders.push(entry.path());
                }
            }
        }
        found
    }
}

/// A command at a terminal, which a test reads and types into.
pub struct Seat {
    keyboard: Box<dyn Write + Send>,
    seen: std::sync::mpsc::Receiver<Vec<u8>>,
    all: String,
    child: Box<dyn portable_pty::Child + Send + Sync>,
    _master: Box<dyn portable_pty::MasterPty + Send>,
}

impl Seat {
    fn open(home: &Home, program: &str, words: &[&str]) -> Self {
        let size = PtySize { rows: 40, cols: 120, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(words);
        command.env_clear();
        for (name, value) in PLAIN {
            command.env(name, value);
        }
        for (name, value) in &home.variables {
            command.env(name, value);
        }
        command.env("HOME", home.path());
        command.env("TOKTUI_HOME", home.path());
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let (to, seen) = std::sync::mpsc::channel();
        let mut reader = pair.master.try_clone_reader().unwrap();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if to.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        let keyboard = pair.master.take_writer().unwrap();
        Self { keyboard, seen, all: String::new(), child, _master: pair.master }
    }

    /// Waits for words that come after all that were waited for.
    pub fn sees(&mut self, words: &str) -> &mut Self {
        let end = Instant::now() + PATIENCE;
        while !self.all.contains(words) {
            let left = end.saturating_duration_since(Instant::now());
            let more =
                self.seen.recv_timeout(left).unwrap_or_else(|_| panic!("no {words:?} in\n{}", self.all));
            self.all.push_str(&String::from_utf8_lossy(&more));
        }
        let (_, after) = self.all.split_once(words).unwrap();
        self.all = after.to_owned();
        self
    }

    pub fn types(&mut self, line: &str) -> &mut Self {
        self.keyboard.write_all(line.as_bytes()).unwrap();
        self.keyboard.write_all(b"\r").unwrap();
        self.keyboard.flush().unwrap();
        self
    }

    pub fn presses(&mut self, keys: &[u8]) -> &mut Self {
        self.keyboard.write_all(keys).unwrap();
        self.keyboard.flush().unwrap();
        self
    }

    /// The exit code, and all that was shown and not waited for.
    pub fn ends(mut self) -> (u32, String) {
        let code = self.child.wait().unwrap().exit_code();
        while let Ok(more) = self.seen.recv_timeout(Duration::from_millis(200)) {
            self.all.push_str(&String::from_utf8_lossy(&more));
        }
        (code, std::mem::take(&mut self.all))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        drop(self.child.kill());
    }
}

/// A sandbox in the test's own process, on the real clock.
pub struct Servers {
    pub runtime: tokio::runtime::Runtime,
    pub sandbox: Sandbox,
    pub now: i64,
}

impl Servers {
    pub fn open() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let sandbox = runtime.block_on(Sandbox::open(&clock, Ports::default())).unwrap();
        Self { runtime, sandbox, now: clock.now().as_second() }
    }

    /// A config that knows its servers: `checkin`, `grid` (rotating), `short` (30 s), `mt`.
    pub fn config(&self) -> String {
        let (checkin, grid) = (&self.sandbox.checkin.settings().issuer, &self.sandbox.grid.settings().issuer);
        let scopes = "scopes = [\"openid\", \"profile\", \"email\", \"offline_access\"]";
        format!(
            "[provider.checkin]\nissuer = \"{checkin}\"\nclient_id = \"toktui\"\n{scopes}\n\
             [provider.grid]\nissuer = \"{grid}\"\nclient_id = \"toktui\"\n{scopes}\nrefresh_returns_refresh = true\n\
             [mytoken.mt]\naddress = \"{}\"\n",
            self.sandbox.mytoken_server()
        )
    }

    /// Signs in at an address, as a person does in a browser.
    pub fn visit(&self, address: &str) {
        self.runtime.block_on(async {
            let visitor = Visitor::new().unwrap();
            visitor.visit(address, Choice::Approve, USER).await.unwrap();
        });
    }

    /// A mytoken that gives access tokens, so many, and rotates or not.
    pub fn mytoken(&self, uses: Option<i64>, rotation: Option<Rotation>) -> String {
        let clause = Clause { exp: Some(self.now + 86_400), usages_at: uses, ..Clause::default() };
        let order = Order {
            name: Some("commands".to_owned()),
            restrictions: vec![clause],
            rotation,
            ..Order::default()
        };
        let _inside = self.runtime.enter();
        self.sandbox.mytokens.issue(order).unwrap().mytoken.expose().to_owned()
    }
}

/// An access token that nobody signed.
pub fn access_token(now: i64, ends_in: i64, subject: &str) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(serde_json::json!({"alg": "RS256", "typ": "at+jwt", "kid": "k"}));
    let claims = serde_json::json!({"iss": "https://op.example", "sub": subject, "scope": "openid",
        "client_id": "c", "iat": now - 7200, "exp": now + ends_in});
    format!("{head}.{}.{}", part(claims), URL_SAFE_NO_PAD.encode([7; 64]))
}

pub fn now() -> i64 {
    SystemClock.now().as_second()
}
