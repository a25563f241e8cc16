//! Killed at any instant of a renewal: nothing is lost that had arrived, every store reads, and no stale copy is presented.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use crate::giver::Giver;
use crate::home::{Home, Ran, wait};
use crate::judge::{Before, Left};
use crate::kept::{BOTH, Kind, Peek};
use crate::share::{self, Dice};
use crate::traces::{self, Call};

/// How the renewals that were broken off stood, each how often.
#[derive(Default)]
struct Tally(BTreeMap<Left, usize>);

impl Tally {
    fn add(&mut self, left: Left) {
        *self.0.entry(left).or_default() += 1;
    }

    fn of(&self, left: Left) -> usize {
        self.0.get(&left).copied().unwrap_or_default()
    }

    fn words(&self) -> String {
        self.0.iter().map(|(left, count)| format!("{left:?} {count}")).collect::<Vec<_>>().join(", ")
    }
}

#[test]
fn killed_at_a_random_instant_a_renewal_loses_nothing_that_had_arrived() {
    let kills = share::of("kills at random instants, for each of a login and a mytoken", 20, 600);
    let giver = Giver::open();
    let home = Home::filled(&giver);
    for kind in BOTH {
        let span = usual_span(&home, kind);
        let mut dice = Dice(kind as u64);
        let mut tally = Tally::default();
        for round in 0..kills {
            let before = Before::of(&giver, &home, kind);
            let at = Duration::from_micros(dice.below(u64::try_from(span.as_micros()).unwrap()));
            let out = killed_after(&home, kind, at);
            let left = before.judge(&giver, &home, &out);
            let left =
                left.unwrap_or_else(|why| panic!("{kind:?}, round {round}, killed after {at:?}: {why}"));
            before
                .go_on(&giver, &home, left)
                .unwrap_or_else(|why| panic!("{kind:?}, round {round}, killed after {at:?}: {why}"));
            tally.add(left);
        }
        share::say(&format!("{kind:?}: {}", tally.words()));
        assert!(tally.of(Left::Untouched) < kills, "no kill came late enough to matter");
    }
}

/// How long a renewal takes here that nobody disturbs, and a little more.
#[allow(clippy::disallowed_methods, reason = "how long another process takes")]
fn usual_span(home: &Home, kind: Kind) -> Duration {
    let spans = (0..5).map(|_| {
        let begun = Instant::now();
        home.run(&["token", kind.name(), "--force"]).value();
        begun.elapsed()
    });
    spans.max().unwrap() * 6 / 5
}

/// What a renewal had given away when it was killed.
#[allow(clippy::disallowed_methods, reason = "the instant is the point")]
fn killed_after(home: &Home, kind: Kind, span: Duration) -> String {
    let mut child = home.start(&["token", kind.name(), "--force"]);
    thread::sleep(span);
    drop(child.kill());
    Ran::ended(child).out
}

#[test]
#[ignore = "needs strace"]
fn killed_at_every_system_call_a_renewal_loses_nothing_that_had_arrived() {
    let giver = Giver::open();
    let home = Home::filled(&giver);
    let log = tempfile::NamedTempFile::new().unwrap();
    for kind in BOTH {
        let calls = calls_of(&home, kind, log.path());
        // What a share leaves out is what a program does before it knows what it is asked, over and over.
        let names: Vec<&String> = calls
            .iter()
            .filter(|(name, _)| share::is_full() || matters(name))
            .map(|(name, _)| name)
            .collect();
        let mut tally = Tally::default();
        // The answer is here and not yet on disk: killed then, its copy is lost, and that is said.
        let mut window = Vec::new();
        for name in &names {
            for at in 1.. {
                let before = Before::of(&giver, &home, kind);
                let rules = traces::inject(name, "signal=SIGKILL", Some(at));
                let command = home.command(&["token", kind.name(), "--force"]);
                let ran = Ran::of(traces::traced(&command, log.path(), &rules).output().unwrap());
                if ran.code.is_some() {
                    // Nobody was killed: there are no more calls of this name.
                    ran.value();
                    break;
                }
                let left = before.judge(&giver, &home, &ran.out);
                let left = left.unwrap_or_else(|why| panic!("{kind:?}, killed at {name} {at}: {why}"));
                before
                    .go_on(&giver, &home, left)
                    .unwrap_or_else(|why| panic!("{kind:?}, {name} {at}: {why}"));
                tally.add(left);
                if left == Left::InFlight {
                    window.push(format!("{name} {at}"));
                }
            }
        }
        let kills: usize = tally.0.values().sum();
        share::say(&format!(
            "{kind:?}: killed at {kills} system calls ({} of {} kinds): {}",
            names.len(),
            calls.len(),
            tally.words()
        ));
        share::say(&format!("{kind:?}: in flight at {}", window.join(", ")));
        assert!(tally.of(Left::Kept) > 0 && tally.of(Left::Untouched) > 0);
    }
}

/// The system calls of a renewal, each with how often it comes.
fn calls_of(home: &Home, kind: Kind, log: &std::path::Path) -> BTreeMap<String, usize> {
    let command = home.command(&["token", kind.name(), "--force"]);
    let ran = Ran::of(traces::traced(&command, log, &[]).output().unwrap());
    ran.value();
    let mut calls = BTreeMap::new();
    for call in traces::read(log) {
        *calls.entry(call.name).or_insert(0) += 1;
    }
    // Nobody can be killed there.
    calls.remove("execve");
    calls.remove("exit_group");
    calls
}

/// Where a file is written before it gets its name.
pub const NEW: &str = "/store/.new-";

/// What touches files, locks and sockets.
pub fn matters(name: &str) -> bool {
    const NAMES: [&str; 18] = [
        "write",
        "pwrite64",
        "writev",
        "fdatasync",
        "fsync",
        "fallocate",
        "ftruncate",
        "rename",
        "renameat",
        "renameat2",
        "unlink",
        "openat",
        "sendto",
        "sendmsg",
        "recvfrom",
        "flock",
        "fcntl",
        "lseek",
    ];
    NAMES.contains(&name)
}

#[test]
#[ignore = "needs strace"]
fn what_is_sent_and_what_is_given_away_wait_for_the_disk() {
    let rounds = share::of("traced renewals whose order is checked", 3, 500);
    let giver = Giver::open();
    let home = Home::filled(&giver);
    let log = tempfile::NamedTempFile::new().unwrap();
    for kind in BOTH {
        let mut anew = 0;
        for _ in 0..rounds {
            let command = home.command(&["token", kind.name(), "--force"]);
            Ran::of(traces::traced(&command, log.path(), &[]).output().unwrap()).value();
            let calls = traces::read(log.path());
            in_order(&calls, kind).unwrap();
            anew += usize::from(calls.iter().any(|call| call.writes() && call.is_about(NEW)));
        }
        share::say(&format!("{kind:?}: {rounds} renewals in order, {anew} of them wrote their file anew"));
        // Broken variants: the same log without one of its steps.
        let calls = traces::read(log.path());
        let part = format!("/store/tokens/{}", kind.name());
        let unsynced: Vec<Call> = calls.iter().filter(|call| !call.syncs()).cloned().collect();
        assert!(in_order(&unsynced, kind).is_err(), "no sync");
        let first = calls.iter().position(|call| call.writes() && call.is_about(&part)).unwrap();
        let mut unintended = calls.clone();
        unintended.remove(first);
        assert!(in_order(&unintended, kind).is_err(), "no intent");
        let mut early = calls.clone();
        let printing = early.iter_mut().find(|call| call.prints()).unwrap();
        printing.began = 0;
        assert!(in_order(&early, kind).is_err(), "printed first");
    }
}

/// Intent, sync, request, state, sync, output: each begins after the one before is over.
fn in_order(calls: &[Call], kind: Kind) -> Result<(), String> {
    let journal = format!("/store/tokens/{}", kind.name());
    let over = |call: &Call| call.over.ok_or("a step was never over");
    let after = |from: usize, is_it: &dyn Fn(&Call) -> bool| {
        calls.iter().find(|call| call.began > from && is_it(call))
    };
    let writes = |part: &'static str| move |call: &Call| call.writes() && call.is_about(part);
    let is_record = |call: &Call| call.writes() && call.is_about(&journal);
    let is_synced = |call: &Call| call.syncs() && call.is_about(&journal);
    let intent = after(0, &is_record).ok_or("no intent is written")?;
    let intent_synced = over(after(over(intent)?, &is_synced).ok_or("the intent is not synced")?)?;
    // The request that renews is the last one that is sent; discovery comes before it, where there is one.
    let sent = calls.iter().rev().find(|call| call.sends()).ok_or("nothing is sent")?;
    if sent.began < intent_synced {
        return Err("the request went out before the intent was on disk".to_owned());
    }
    // A file that has grown is written anew and put in place.
    let anew = after(over(sent)?, &writes(NEW));
    let durable = if let Some(state) = after(over(sent)?, &is_record) {
        over(after(over(state)?, &is_synced).ok_or("the answer is not synced")?)?
    } else {
        let written = over(anew.ok_or("no answer is written")?)?;
        let synced = after(written, &|call| call.syncs() && call.is_about(NEW));
        let synced = over(synced.ok_or("the answer is not synced")?)?;
        let named = after(synced, &|call| call.name.starts_with("rename")).ok_or("the answer has no name")?;
        let kept = after(over(named)?, &|call| call.syncs() && call.is_about("/store/tokens>"));
        over(kept.ok_or("the answer's name is not synced")?)?
    };
    let printed = calls.iter().find(|call| call.prints()).ok_or("nothing is printed")?;
    if printed.began < durable { Err("printed before it was on disk".to_owned()) } else { Ok(()) }
}

/// The program that is shipped, whose intent the system swallows: killed while its answer is on the way, it leaves a lie behind.
#[test]
#[ignore = "needs strace"]
fn a_program_that_notes_no_intent_is_caught() {
    let giver = Giver::open();
    let home = Home::filled(&giver);
    let kind = Kind::Login;
    let log = tempfile::NamedTempFile::new().unwrap();
    let journal = home.store().join("tokens").join(kind.name());
    let about = ["-P".to_owned(), journal.to_str().unwrap().to_owned(), "-e".to_owned()];
    let command = home.command(&["token", kind.name(), "--force"]);
    Ran::of(
        traces::traced(&command, log.path(), &[&about[..], &["trace=all".to_owned()]].concat())
            .output()
            .unwrap(),
    )
    .value();
    let calls = traces::read(log.path());
    let intent = calls.iter().find(|call| call.writes()).unwrap();
    for swallowed in [true, false] {
        let before = Before::of(&giver, &home, kind);
        let length = intent.result().unwrap();
        let rule = if swallowed {
            traces::rule(&intent.name, &format!("retval={length}"), Some(1))
        } else {
            "trace=all".to_owned()
        };
        giver.logins.hold();
        let mut traced =
            traces::traced(&command, log.path(), &[&about[..], &[rule]].concat()).spawn().unwrap();
        let is_worked = is_worked(&mut traced, || giver.logins.rotations() > before.rotations);
        assert!(is_worked, "{:?}", Ran::ended(traced));
        let child = child_of(traced.id());
        rustix::process::kill_process(child, rustix::process::Signal::KILL).unwrap();
        let out = Ran::ended(traced).out;
        giver.settle();
        giver.logins.release();
        let left = before.judge(&giver, &home, &out);
        if swallowed {
            assert!(left.clone().is_err_and(|why| why.contains("said to be fine")), "{left:?}");
        } else {
            assert_eq!(left, Ok(Left::InFlight));
        }
        home.fill(&giver, kind);
    }
}

/// Whether the request was worked. Else the program has ended: the length that strace told it was not that of its intent.
pub fn is_worked(traced: &mut Child, is_so: impl Fn() -> bool) -> bool {
    let traced = RefCell::new(traced);
    wait("the request to be worked", || is_so() || traced.borrow_mut().try_wait().unwrap().is_some());
    is_so()
}

pub fn child_of(parent: u32) -> rustix::process::Pid {
    let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap();
    let first = children.split(' ').next().unwrap().parse().unwrap();
    rustix::process::Pid::from_raw(first).unwrap()
}

#[test]
#[ignore = "needs strace"]
fn a_program_that_does_not_sync_is_caught() {
    let giver = Giver::open();
    let home = Home::filled(&giver);
    let log = tempfile::NamedTempFile::new().unwrap();
    for kind in BOTH {
        let command = home.command(&["token", kind.name(), "--force"]);
        let rules = ["-e".to_owned(), traces::rule("fdatasync", "retval=0", None)];
        Ran::of(traces::traced(&command, log.path(), &rules).output().unwrap()).value();
        let why = in_order(&traces::read(log.path()), kind).unwrap_err();
        assert!(why.contains("not synced"), "{why}");
    }
}

#[test]
fn a_judge_who_is_lied_to_says_so() {
    let giver = Giver::open();
    let home = Home::filled(&giver);
    let kind = Kind::Login;
    let before = Before::of(&giver, &home, kind);
    // A program that keeps nothing of what it was given: the store of the morning is put back.
    let kept = copied(&home);
    home.run(&["token", kind.name(), "--force"]).value();
    assert_eq!(before.judge(&giver, &home, "").unwrap(), Left::Kept);
    put_back(&kept, &home);
    let why = before.judge(&giver, &home, "").unwrap_err();
    assert!(why.contains("is lost"), "{why}");
    // And one that then presents what it has.
    home.run(&["token", kind.name(), "--force"]);
    let why = before.judge(&giver, &home, "").unwrap_err();
    assert!(why.contains("stale"), "{why}");
    // A store that cannot be read.
    let held = Peek { copy: String::new(), ..before.held.clone() };
    assert_ne!(held, before.held);
    std::fs::write(home.store().join("tokens").join(kind.name()), "rot").unwrap();
    assert!(before.judge(&giver, &home, "").is_err());
}

pub fn copied(home: &Home) -> tempfile::TempDir {
    let folder = tempfile::TempDir::new().unwrap();
    copy(&home.store(), folder.path());
    folder
}

pub fn put_back(kept: &tempfile::TempDir, home: &Home) {
    copy(kept.path(), &home.store());
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    let from = format!("{}/.", from.display());
    let done = std::process::Command::new("cp").args(["-a", &from]).arg(to).status().unwrap();
    assert!(done.success());
}
