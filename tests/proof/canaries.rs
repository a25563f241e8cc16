//! No eight characters in a row of any secret, in nothing that is left behind, said or seen from outside.

use std::collections::HashSet;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use crate::boards::Board;
use crate::giver::Giver;
use crate::home::{Home, PROGRAM, Ran, files};
use crate::kept::{BOTH, Kind};
use crate::{share, traces};

/// So many characters in a row of a secret are a leak (security.md G1).
const PIECE: usize = 8;

/// What must be found nowhere.
#[derive(Default)]
pub struct Canaries(HashSet<[u8; PIECE]>);

impl Canaries {
    pub fn of<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let secrets: Vec<&str> = secrets.into_iter().collect();
        Self(secrets.iter().flat_map(|secret| pieces(secret.as_bytes())).collect())
    }

    /// How many different pieces are searched for.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The first piece of a secret in these bytes.
    pub fn found_in(&self, bytes: &[u8]) -> Option<String> {
        let hit = pieces(bytes).find(|piece| self.0.contains(piece))?;
        Some(String::from_utf8_lossy(&hit).into_owned())
    }

    /// Every file below `folder`, and every file name, that holds a piece of a secret.
    pub fn found_below(&self, folder: &Path) -> Vec<String> {
        let mut hits = Vec::new();
        for path in files(folder) {
            let name = path.as_os_str().as_encoded_bytes();
            let bytes = if path.is_file() { std::fs::read(&path).unwrap_or_default() } else { Vec::new() };
            for bytes in [name, &bytes] {
                hits.extend(self.found_in(bytes).map(|piece| format!("{piece} in {}", path.display())));
            }
        }
        hits
    }
}

fn pieces(bytes: &[u8]) -> impl Iterator<Item = [u8; PIECE]> {
    bytes.windows(PIECE).filter_map(|piece| piece.try_into().ok())
}

/// Looks at the arguments and the environment of every process, over and over, until it is asked what it saw.
pub struct Watcher {
    seen: Arc<Mutex<HashSet<Vec<u8>>>>,
    over: Arc<AtomicBool>,
    thread: JoinHandle<usize>,
}

impl Watcher {
    pub fn start() -> Self {
        let (seen, over) = (Arc::new(Mutex::new(HashSet::new())), Arc::new(AtomicBool::new(false)));
        let (to, until) = (Arc::clone(&seen), Arc::clone(&over));
        let thread = thread::spawn(move || {
            let mut looks = 0;
            while !until.load(Ordering::SeqCst) {
                looks += 1;
                look(&mut to.lock().unwrap());
                thread::yield_now();
            }
            looks
        });
        Self { seen, over, thread }
    }

    /// How often it looked, how many different texts it saw, and the pieces of secrets in them.
    pub fn end(self, canaries: &Canaries) -> (usize, usize, Vec<String>) {
        self.over.store(true, Ordering::SeqCst);
        let looks = self.thread.join().unwrap();
        let seen = self.seen.lock().unwrap();
        (looks, seen.len(), seen.iter().filter_map(|text| canaries.found_in(text)).collect())
    }
}

fn look(seen: &mut HashSet<Vec<u8>>) {
    for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        if !process.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit) {
            continue;
        }
        for part in ["cmdline", "environ"] {
            // A process may be gone by now.
            let text = std::fs::read(process.path().join(part)).unwrap_or_default();
            if !text.is_empty() && !seen.contains(&text) {
                seen.insert(text);
            }
        }
    }
}

/// One run: its words, what comes on its standard input, and whether its standard output is the secret that was asked for.
struct Run {
    words: Vec<String>,
    input: String,
    gives: bool,
}

fn run(words: &str) -> Run {
    Run { words: words.split(' ').map(str::to_owned).collect(), input: String::new(), gives: false }
}

/// Its standard output is the secret that was asked for.
fn gives(words: &str) -> Run {
    Run { gives: true, ..run(words) }
}

fn fed(words: &str, input: &str) -> Run {
    Run { input: input.to_owned(), ..run(words) }
}

/// Runs it as loudly as it can be; all it said but what was asked for.
fn said_by(home: &Home, run: &Run) -> Vec<u8> {
    let words: Vec<&str> = run.words.iter().map(String::as_str).chain(["-vvv"]).collect();
    let mut command = home.command(&words);
    command.env("RUST_BACKTRACE", "full").env("RUST_LOG", "trace").stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdin.take().unwrap().write_all(run.input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let mut said = output.stderr;
    // What was asked for is the one thing that may be given.
    if !(run.gives && output.status.success()) {
        said.extend(output.stdout);
    }
    said
}

/// A good part of the commands, on good days and bad ones.
fn commands(giver: &Giver) -> Vec<Run> {
    let kept = giver.rotating_mytoken().mytoken;
    let short = giver.rotating_mytoken().mytoken;
    let mut all = vec![
        fed("keep third", kept.expose()),
        fed("info -", kept.expose()),
        fed("info - --json", kept.expose()),
        fed("keep --nonsense", short.expose()),
        fed("keep third", short.expose()),
    ];
    for name in ["egi", "toar", "third"] {
        all.extend([
            gives(&format!("token {name}")),
            gives(&format!("token {name} --force --header")),
            gives(&format!("token {name} --env sh")),
            run(&format!("token {name} --min-life 900h")),
            gives(&format!("token {name} --scope nonsense --force")),
            run(&format!("renew {name}")),
            run(&format!("info {name}")),
            run(&format!("info {name} --json")),
            run(&format!("history {name}")),
        ]);
    }
    all.extend(
        [
            "list",
            "list --json",
            "history",
            "token nobody",
            "rename third fourth",
            "renew --all",
            "unlock",
            "lock",
        ]
        .map(run),
    );
    all
}

/// A good part of the commands on a day when nothing works.
fn failing() -> Vec<Run> {
    let tokens = ["token egi --force", "token toar --force"].map(gives);
    let others = ["renew egi toar", "info egi", "history toar", "list --json"].map(run);
    tokens.into_iter().chain(others).collect()
}

#[test]
fn no_secret_is_left_behind_said_or_seen_at_the_highest_level() {
    let giver = Giver::open();
    let home = Home::filled(&giver);
    let watcher = Watcher::start();
    let mut said = Vec::new();
    for run in commands(&giver) {
        said.push((run.words.join(" "), said_by(&home, &run)));
    }
    for bad in ["down", "lost", "refused"] {
        // A careless provider repeats what it does not like.
        let sent = home.peek(&giver.runtime, Kind::Login).unwrap().copy;
        {
            let mut quirks = giver.op.quirks();
            quirks.down = bad == "down";
            quirks.lose_answers = bad == "lost";
            quirks.refuse_refresh = (bad == "refused").then(|| format!("cannot use {sent}"));
        }
        giver.mytokens.traps().answers_get_lost = bad == "lost";
        for run in failing() {
            said.push((format!("{bad}: {}", run.words.join(" ")), said_by(&home, &run)));
        }
    }
    let board = Board::open(&home, &[]);
    board.shows("egi");
    let sent = Arc::clone(&board.sent);
    board.quit();
    said.push(("the board".to_owned(), sent.lock().unwrap().clone()));
    for run in ["revoke toar --yes", "forget egi --yes", "forget fourth --yes"].map(run) {
        said.push((run.words.join(" "), said_by(&home, &run)));
    }

    let secrets = [giver.logins.secrets(), giver.mine.secrets(), giver.issued()].concat();
    let canaries = Canaries::of(secrets.iter().map(String::as_str));
    let (looks, seen, shown) = watcher.end(&canaries);
    share::say(&format!(
        "{} secrets ({} pieces), {} runs, {} files, {looks} looks at the processes ({seen} different texts)",
        secrets.len(),
        canaries.count(),
        said.len(),
        home.files().len()
    ));
    assert!(secrets.len() > 20 && looks > 10);
    assert_eq!(canaries.found_below(home.path()), Vec::<String>::new());
    assert_eq!(shown, Vec::<String>::new(), "arguments and environments");
    for (words, said) in said {
        let hit = canaries.found_in(&said);
        assert_eq!(hit, None, "{words} said: {}", String::from_utf8_lossy(&said));
    }
}

/// The runtime panics when the system refuses to wait for events: in the middle of a renewal, with every secret in memory.
#[test]
#[ignore = "needs strace"]
fn a_panic_in_a_renewal_shows_no_secret_and_leaves_none_behind() {
    let giver = Giver::open();
    let home = Home::filled(&giver);
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut said = Vec::new();
    for kind in BOTH {
        for at in 1..40 {
            let mut command = home.command(&["token", kind.name(), "--force", "-vvv"]);
            command.env("RUST_BACKTRACE", "full").current_dir(home.path().join("tmp"));
            let rules = traces::inject("epoll_wait", "error=EBADF", Some(at));
            let ran = Ran::of(traces::traced(&command, log.path(), &rules).output().unwrap());
            if ran.code == Some(0) {
                break;
            }
            said.push(ran.err);
        }
        home.fill(&giver, kind);
    }
    let panics = said.iter().filter(|said| said.contains("had to stop")).count();
    share::say(&format!("{panics} panics in {} broken renewals", said.len()));
    assert!(panics > 0, "{said:?}");
    let secrets = [giver.logins.secrets(), giver.mine.secrets(), giver.issued()].concat();
    let canaries = Canaries::of(secrets.iter().map(String::as_str));
    assert_eq!(canaries.found_below(home.path()), Vec::<String>::new());
    for said in said {
        assert_eq!(canaries.found_in(said.as_bytes()), None, "{said}");
    }
}

#[test]
fn no_file_is_wider_than_its_owner_whatever_the_umask() {
    let giver = Giver::open();
    for umask in ["000", "022", "077"] {
        let home = Home::of(&giver);
        let place = home.path().join("tmp");
        for file in ["mytoken", "another"] {
            std::fs::write(home.path().join(file), giver.rotating_mytoken().mytoken.expose()).unwrap();
        }
        for words in [
            "store init --key-file key --yes-plain-key",
            "keep toar < ../mytoken",
            "token toar",
            "token toar --force --file out",
            "token toar --wlcg",
            "list",
            "rename toar one",
            "keep toar < ../another",
            "forget one --yes",
            "lock",
        ] {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", &format!("umask {umask} && exec {PROGRAM} {words}")]).env_clear();
            home.environment().iter().for_each(|(name, value)| _ = command.env(name, value));
            let ran = Ran::of(command.current_dir(&place).output().unwrap());
            assert_eq!(ran.code, Some(0), "{words}: {ran:?}");
        }
        let mut made = vec![home.store()];
        made.extend([home.store(), place, home.path().join("run")].iter().flat_map(|folder| files(folder)));
        for path in &made {
            let found = path.symlink_metadata().unwrap();
            let widest = if found.is_dir() { 0o700 } else { 0o600 };
            let mode = found.permissions().mode() & 0o7777;
            assert_eq!(mode & !widest, 0, "{} has mode {mode:04o} under umask {umask}", path.display());
        }
        share::say(&format!("umask {umask}: {} files and folders looked at", made.len()));
        assert!(made.len() > 8);
    }
}

#[test]
fn the_search_finds_what_is_planted_in_a_file_a_name_an_argument_and_an_environment() {
    let secret = "tok-aV9x2QmZ7RpL4sKd";
    let canaries = Canaries::of([secret]);
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("deep")).unwrap();
    std::fs::write(folder.path().join("clean"), "aV9x2Q aV9x2Qm mZ7RpL4").unwrap();
    assert_eq!(canaries.found_below(folder.path()), Vec::<String>::new());
    std::fs::write(folder.path().join("deep/log"), format!("error near {}", &secret[6..14])).unwrap();
    std::fs::write(folder.path().join(format!("of-{}", &secret[..12])), "").unwrap();
    assert_eq!(canaries.found_below(folder.path()).len(), 2);

    let watcher = Watcher::start();
    let mut child = std::process::Command::new("/bin/sh")
        .args(["-c", "read line", "--", &secret[3..11]])
        .env("PLANTED", &secret[5..13])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let pid = child.id();
    crate::home::wait("the planted process to be seen", || {
        let seen = watcher.seen.lock().unwrap();
        let of = |part| std::fs::read(format!("/proc/{pid}/{part}")).unwrap();
        [of("cmdline"), of("environ")]
            .iter()
            .all(|text| canaries.found_in(text).is_some() && seen.contains(text))
    });
    drop(child.stdin.take());
    child.wait().unwrap();
    assert_eq!(watcher.end(&canaries).2.len(), 2);
}
