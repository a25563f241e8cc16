//! A process that is closed to others of its user, and keys that are not swapped out.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, setrlimit};

use super::places::wait;
use super::{DEED, copied, words};

/// A user who is not root, to whom the system denies things.
const SOMEBODY: [&str; 3] = ["--reuid=64003", "--regid=64003", "--clear-groups"];

fn as_somebody(program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("setpriv");
    command.args(SOMEBODY).arg(program).args(arguments).current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// What of a process another process of the same user can get at.
fn seen(pid: u32) -> Vec<&'static str> {
    let can = |program: &str, arguments: &[&str]| {
        as_somebody(Path::new(program), arguments).status().unwrap().success()
    };
    let at = |file: &str| format!("/proc/{pid}/{file}");
    let mut seen = Vec::new();
    if can("cat", &[&at("environ")]) {
        seen.push("environ");
    }
    if can("grep", &["-q", "stack", &at("maps")]) {
        seen.push("maps");
    }
    // The first byte of its stack, found by whoever may know where that is.
    let maps = std::fs::read_to_string(at("maps")).unwrap();
    let stack =
        maps.lines().find(|line| line.ends_with("[stack]")).and_then(|line| line.split('-').next()).unwrap();
    let skip = u64::from_str_radix(stack, 16).unwrap().to_string();
    if can(
        "dd",
        &[&format!("if={}", at("mem")), "iflag=skip_bytes", &format!("skip={skip}"), "bs=1", "count=1"],
    ) {
        seen.push("mem");
    }
    let mut strace =
        as_somebody(Path::new("strace"), &["-o", "/dev/null", "-p", &pid.to_string()]).spawn().unwrap();
    wait("strace", || attached(pid) || strace.try_wait().unwrap().is_some());
    if attached(pid) {
        seen.push("ptrace");
    }
    let _ = strace.kill();
    let _ = strace.wait();
    seen
}

/// Whether somebody traces the process.
fn attached(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    status.lines().any(|line| line.strip_prefix("TracerPid:").is_some_and(|tracer| tracer.trim() != "0"))
}

/// A process that goes with the test, however that ends.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Ends the process by a fault of memory; whether a core was dumped.
fn dumps(Started(child): &mut Started) -> bool {
    let mut ended = None;
    wait("end", || {
        // Rust's own handler lets the first one pass, to see whether the fault comes again.
        let _ = kill_process(Pid::from_child(child), Signal::SEGV);
        ended = child.try_wait().unwrap();
        ended.is_some()
    });
    let ended = ended.unwrap();
    assert_eq!(ended.signal(), Some(Signal::SEGV.as_raw()), "it had ended before");
    ended.core_dumped()
}

/// A program started with no limit for core dumps, in a folder where one could be written, once it is what it will be.
fn started(program: &Path, arguments: &[&str], folder: &Path) -> Started {
    let child = Started(
        as_somebody(program, arguments)
            .current_dir(folder)
            .env("HOME", folder)
            .process_group(0)
            .spawn()
            .unwrap(),
    );
    let name = |pid| std::fs::read_link(format!("/proc/{pid}/exe")).ok();
    let whole = std::fs::canonicalize(program).unwrap();
    wait("start", || name(child.0.id()).as_deref() == Some(&whole));
    child
}

#[test]
#[ignore = "needs root, who can become others, and strace"]
fn nobody_of_the_same_user_reads_or_traces_a_closed_process_and_it_dumps_no_core() {
    use std::os::unix::fs::PermissionsExt;

    setrlimit(Resource::Core, Rlimit { current: None, maximum: None }).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let program = copied(folder.path(), Path::new(env!("CARGO_BIN_EXE_toktui")));
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();

    // The control: what can be got at where nothing is closed.
    let mut open = started(Path::new("/usr/bin/sleep"), &["60"], folder.path());
    assert_eq!(seen(open.0.id()), ["environ", "maps", "mem", "ptrace"]);
    assert!(dumps(&mut open), "a core can be dumped here");

    let mut closed =
        started(&program, &["sandbox", "--provider-port", "0", "--mytoken-port", "0"], folder.path());
    let limits = || std::fs::read_to_string(format!("/proc/{}/limits", closed.0.id())).unwrap();
    wait("closing", || {
        limits().lines().any(|line| line.starts_with("Max core file size") && line.contains(" 0 "))
    });
    // What of it stands in /proc belongs to root then.
    wait("closing", || std::fs::metadata(format!("/proc/{}/mem", closed.0.id())).unwrap().uid() == 0);
    assert_eq!(seen(closed.0.id()), Vec::<&str>::new());
    assert!(!dumps(&mut closed));
}

#[test]
#[ignore = "needs root, who can become others"]
fn keys_are_locked_into_memory_and_work_where_nothing_may_be() {
    let folder = tempfile::tempdir().unwrap();
    let program = copied(folder.path(), &std::env::current_exe().unwrap());
    let does = |limit: &str| {
        let limit = format!("--memlock={limit}");
        let mut command = as_somebody(Path::new("prlimit"), &[&limit]);
        command.arg(&program).args(["--ignored", "--exact", "deed", "--nocapture"]).env(DEED, "locked");
        let text = String::from_utf8(command.stdout(Stdio::piped()).output().unwrap().stdout).unwrap();
        text.lines()
            .find_map(|line| line.strip_prefix("deed: ").map(|line| words(line).to_owned()))
            .unwrap_or(text)
    };
    assert_eq!(does("65536:65536"), "true 4 kB");
    assert_eq!(does("0:0"), "false 0 kB");
}
