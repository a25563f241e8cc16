//! Killed at any instant while a mytoken is made, redeemed or handed over: what was told is held, and no stale copy is presented.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use crate::home::Ran;
use crate::kills::{NEW, child_of, copied, is_worked, matters, put_back};
use crate::making::{ALL, Before, CHILD, Left, Making, PARENT, Stage};
use crate::share::{self, Dice};
use crate::traces::{self, Call};

/// How the makings that were broken off stood, each how often.
#[derive(Default)]
struct Tally(BTreeMap<Left, usize>);

impl Tally {
    fn add(&mut self, left: Left) {
        *self.0.entry(left).or_default() += 1;
    }

    fn kills(&self) -> usize {
        self.0.values().sum()
    }

    fn in_the_window(&self) -> usize {
        self.0.iter().filter(|(left, _)| left.is_window()).map(|(_, count)| count).sum()
    }

    fn words(&self) -> String {
        let each: Vec<String> = self.0.iter().map(|(left, count)| format!("{left:?} {count}")).collect();
        format!("{}; between the server's answer and our disk: {}", each.join(", "), self.in_the_window())
    }
}

/// A login waits a second for its server: several at once wait no longer.
fn lanes(making: Making) -> usize {
    if making == Making::Login { 8 } else { 1 }
}

#[test]
fn killed_at_a_random_instant_a_making_loses_nothing_that_was_told() {
    let kills = share::of("kills at random instants, of each way to a mytoken", 8, 400);
    for making in ALL {
        let tally = Mutex::new(Tally::default());
        thread::scope(|scope| {
            for lane in 0..lanes(making) {
                let tally = &tally;
                scope.spawn(move || {
                    let stage = Stage::open();
                    let mut dice = Dice(making as u64 * 100 + lane as u64);
                    let mut span = usual_span(&stage, making);
                    for round in (lane..kills).step_by(lanes(making)) {
                        loop {
                            let at = instant(&mut dice, span, making);
                            let (left, ran) = broken_off(&stage, making, &|command, code| {
                                killed_after(&stage, command, code, at)
                            })
                            .unwrap_or_else(|why| {
                                panic!("{making:?}, lane {lane}, round {round}, after {at:?}: {why}")
                            });
                            if ran.code.is_none() {
                                tally.lock().unwrap().add(left);
                                break;
                            }
                            // It was over before the kill, which is none: this machine is faster now.
                            assert_eq!((ran.code, left), (Some(0), Left::Kept), "{ran:?}");
                            span = span * 19 / 20;
                        }
                    }
                });
            }
        });
        let tally = tally.into_inner().unwrap();
        share::say(&format!("{making:?}: {} kills: {}", tally.kills(), tally.words()));
        assert_eq!(tally.kills(), kills);
    }
}

/// How long a making takes here that nobody disturbs.
#[allow(clippy::disallowed_methods, reason = "how long another process takes")]
fn usual_span(stage: &Stage, making: Making) -> Duration {
    let code = stage.code_for(making);
    let begun = Instant::now();
    let ran = stage.start(stage.command(making), code.as_deref()).end();
    let span = begun.elapsed();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    stage.clear(making);
    span * 11 / 10
}

/// Anywhere in it; of a login, which mostly waits, three times out of four in its last moments.
fn instant(dice: &mut Dice, span: Duration, making: Making) -> Duration {
    const LAST: Duration = Duration::from_millis(150);
    let micros = |span: Duration| u64::try_from(span.as_micros()).unwrap();
    if making == Making::Login && dice.below(4) > 0 {
        return span.saturating_sub(Duration::from_micros(dice.below(micros(LAST))));
    }
    Duration::from_micros(dice.below(micros(span)))
}

/// Makes one that is broken off by `run`, judges what is left, and goes on.
fn broken_off(
    stage: &Stage,
    making: Making,
    run: &dyn Fn(Command, Option<&str>) -> Ran,
) -> Result<(Left, Ran), String> {
    let code = stage.code_for(making);
    let before = Before::of(stage, making);
    let ran = run(stage.command(making), code.as_deref());
    let left = before.judge(stage, &ran.out)?;
    before.go_on(stage, left, code.as_deref())?;
    Ok((left, ran))
}

/// What a making had given away when it was killed.
#[allow(clippy::disallowed_methods, reason = "the instant is the point")]
fn killed_after(stage: &Stage, command: Command, code: Option<&str>, span: Duration) -> Ran {
    let mut under_way = stage.start(command, code);
    thread::sleep(span);
    drop(under_way.child.kill());
    under_way.end()
}

#[test]
#[ignore = "needs strace"]
fn killed_at_every_system_call_a_making_loses_nothing_that_was_told() {
    for making in ALL {
        let log = tempfile::NamedTempFile::new().unwrap();
        let stage = Stage::open();
        let all = calls_of(&stage, making, log.path());
        let kinds = all.len();
        let names: Vec<String> = all.into_iter().filter(|name| share::is_full() || matters(name)).collect();
        let (count, names) = (names.len(), Mutex::new(names));
        let (tally, window) = (Mutex::new(Tally::default()), Mutex::new(Vec::new()));
        thread::scope(|scope| {
            for _ in 0..lanes(making) {
                scope.spawn(|| {
                    let (stage, log) = (Stage::open(), tempfile::NamedTempFile::new().unwrap());
                    let next = || names.lock().unwrap().pop();
                    while let Some(name) = next() {
                        for at in 1.. {
                            let rules = traces::inject(&name, "signal=SIGKILL", Some(at));
                            let (left, ran) = broken_off(&stage, making, &|command, code| {
                                stage.start(traces::traced(&command, log.path(), &rules), code).end()
                            })
                            .unwrap_or_else(|why| panic!("{making:?}, killed at {name} {at}: {why}"));
                            if ran.code.is_some() {
                                // Nobody was killed: there are no more calls of this name.
                                assert_eq!((ran.code, left), (Some(0), Left::Kept), "{ran:?}");
                                break;
                            }
                            tally.lock().unwrap().add(left);
                            if left.is_window() {
                                window.lock().unwrap().push(format!("{name} {at}"));
                            }
                        }
                    }
                });
            }
        });
        let (tally, mut window) = (tally.into_inner().unwrap(), window.into_inner().unwrap());
        window.sort();
        share::say(&format!(
            "{making:?}: killed at {} system calls ({count} of {kinds} kinds): {}",
            tally.kills(),
            tally.words()
        ));
        share::say(&format!("{making:?}: in that window at {}", window.join(", ")));
        assert!(tally.in_the_window() < tally.kills());
    }
}

/// The names of the system calls of a making at which a program can be killed.
fn calls_of(stage: &Stage, making: Making, log: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        traced_making(stage, making, log, &[]).into_iter().map(|call| call.name).collect();
    names.sort();
    names.dedup();
    names.retain(|name| !matches!(name.as_str(), "execve" | "exit_group"));
    names
}

/// All system calls of a making that nobody disturbs.
fn traced_making(stage: &Stage, making: Making, log: &Path, rules: &[String]) -> Vec<Call> {
    let code = stage.code_for(making);
    let command = traces::traced(&stage.command(making), log, rules);
    let ran = stage.start(command, code.as_deref()).end();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    stage.clear(making);
    traces::read(log)
}

#[test]
#[ignore = "needs strace"]
fn what_a_making_tells_waits_for_the_disk() {
    let rounds = share::of("traced makings of each kind whose order is checked", 2, 100);
    for making in ALL {
        let (stage, log) = (Stage::open(), tempfile::NamedTempFile::new().unwrap());
        for _ in 0..rounds {
            let calls = traced_making(&stage, making, log.path(), &[]);
            in_order(&calls, making).unwrap_or_else(|why| panic!("{making:?}: {why}"));
        }
        share::say(&format!("{making:?}: {rounds} in order: answer, record, sync, output"));
        // Broken variants: the same log without one of its steps.
        let calls = traces::read(log.path());
        let unsynced: Vec<Call> = calls.iter().filter(|call| !call.syncs()).cloned().collect();
        assert!(in_order(&unsynced, making).is_err(), "{making:?}: no sync");
        let mut early = calls.clone();
        early.iter_mut().find(|call| call.prints()).unwrap().began = 0;
        assert!(in_order(&early, making).is_err(), "{making:?}: printed first");
        if making.has_parent() {
            let journal = format!("/store/tokens/{PARENT}");
            let intent = calls.iter().position(|call| call.writes() && call.is_about(&journal)).unwrap();
            let mut unintended = calls;
            unintended.remove(intent);
            assert!(in_order(&unintended, making).is_err(), "{making:?}: no intent");
        }
    }
}

/// Of a parent: intent, sync, request, record, sync. Then what was made: record, sync, name, sync. Then output.
fn in_order(calls: &[Call], making: Making) -> Result<(), String> {
    let over = |call: &Call| call.over.ok_or("a step was never over");
    let after = |from: usize, is_it: &dyn Fn(&Call) -> bool| {
        calls.iter().find(|call| call.began >= from && is_it(call))
    };
    let mut durable = 0;
    if making.has_parent() {
        let journal = format!("/store/tokens/{PARENT}");
        let is_record = |call: &Call| call.writes() && call.is_about(&journal);
        let is_synced = |call: &Call| call.syncs() && call.is_about(&journal);
        let intent = over(after(0, &is_record).ok_or("no intent is written")?)?;
        let intent = over(after(intent, &is_synced).ok_or("the intent is not synced")?)?;
        let sent = over(after(intent, &Call::sends).ok_or("nothing is sent after the intent")?)?;
        let is_anew = |call: &Call| call.writes() && call.is_about(NEW);
        let is_state = |call: &Call| is_record(call) || is_anew(call);
        let state = over(after(sent, &is_state).ok_or("no new copy is written")?)?;
        let is_kept = |call: &Call| is_synced(call) || (call.syncs() && call.is_about(NEW));
        durable = over(after(state, &is_kept).ok_or("the new copy is not synced")?)?;
    }
    if making != Making::HandOver {
        let sent = calls.iter().find(|call| call.sends()).ok_or("nothing is sent")?;
        let from = durable.max(over(sent)?);
        // It gets its name at last.
        let is_named = |call: &Call| {
            call.name.starts_with("rename") && call.is_about(&format!("/store/tokens/{CHILD}\""))
        };
        let named = after(from, &is_named).ok_or("what was made gets no name")?;
        let before_it = |call: &&Call| call.began > from && call.over.is_some_and(|over| over < named.began);
        let mut written = calls.iter().filter(before_it);
        written
            .find(|call| call.writes() && call.is_about(NEW))
            .ok_or("what was made is not written before it gets its name")?;
        written.find(|call| call.syncs() && call.is_about(NEW)).ok_or("what was made is not synced")?;
        let is_folder = |call: &Call| call.syncs() && call.is_about("/store/tokens>");
        durable = over(after(over(named)?, &is_folder).ok_or("the name of what was made is not synced")?)?;
    }
    let printed = calls.iter().find(|call| call.prints()).ok_or("nothing is printed")?;
    if printed.began < durable { Err("printed before it was on disk".to_owned()) } else { Ok(()) }
}

/// The program that is shipped, whose intent the system swallows: killed while its answer is on the way, it leaves a lie behind.
#[test]
#[ignore = "needs strace"]
fn a_making_that_notes_no_intent_is_caught() {
    let (stage, log) = (Stage::open(), tempfile::NamedTempFile::new().unwrap());
    let making = Making::Subtoken;
    let journal = stage.home.store().join("tokens").join(PARENT);
    let about = ["-P".to_owned(), journal.to_str().unwrap().to_owned(), "-e".to_owned()];
    let all = [&about[..], &["trace=all".to_owned()]].concat();
    let calls = traced_making(&stage, making, log.path(), &all);
    let intent = calls.iter().find(|call| call.writes()).unwrap();
    let length = intent.result().unwrap();
    for swallowed in [true, false] {
        let before = Before::of(&stage, making);
        let rotations = stage.giver.mine.rotations();
        let rules = if swallowed {
            let rule = traces::rule(&intent.name, &format!("retval={length}"), Some(1));
            [&about[..], &[rule]].concat()
        } else {
            all.clone()
        };
        stage.giver.mine.hold();
        let mut under_way = stage.start(traces::traced(&stage.command(making), log.path(), &rules), None);
        let is_worked = is_worked(&mut under_way.child, || stage.giver.mine.rotations() > rotations);
        assert!(is_worked, "{:?}", under_way.end());
        let child = child_of(under_way.child.id());
        rustix::process::kill_process(child, rustix::process::Signal::KILL).unwrap();
        let out = under_way.end().out;
        stage.giver.settle();
        stage.giver.mine.release();
        let left = before.judge(&stage, &out);
        if swallowed {
            assert!(left.clone().is_err_and(|why| why.contains("said to be fine")), "{left:?}");
        } else {
            assert_eq!(left, Ok(Left::AllInFlight));
        }
        stage.new_parent();
    }
}

#[test]
#[ignore = "needs strace"]
fn a_making_that_does_not_sync_is_caught() {
    for making in ALL {
        let (stage, log) = (Stage::open(), tempfile::NamedTempFile::new().unwrap());
        let lies = ["fdatasync", "fsync"].map(|name| ["-e".to_owned(), traces::rule(name, "retval=0", None)]);
        let calls = traced_making(&stage, making, log.path(), &lies.concat());
        let why = in_order(&calls, making).unwrap_err();
        assert!(why.contains("not synced"), "{making:?}: {why}");
    }
}

#[test]
fn a_judge_of_makings_who_is_lied_to_says_so() {
    let stage = Stage::open();
    // Somebody is told of what was never kept.
    let before = Before::of(&stage, Making::Subtoken);
    assert_eq!(before.judge(&stage, ""), Ok(Left::Nothing));
    assert!(before.judge(&stage, "Made child").is_err_and(|why| why.contains("before it was kept")));
    // What was made is not what is held.
    assert_eq!(stage.make(Making::Subtoken).code, Some(0));
    assert_eq!(before.judge(&stage, "Made child"), Ok(Left::Kept));
    stage.clear(Making::Subtoken);
    assert_eq!(before.judge(&stage, ""), Ok(Left::ChildInFlight));
    assert_eq!(stage.make(Making::Redeem).code, Some(0));
    assert!(before.judge(&stage, "").is_err());
    stage.clear(Making::Redeem);
    // The parent's new copy is lost, and nothing is said of it: the copy of before is put back, as fine.
    let before = Before::of(&stage, Making::HandOver);
    let kept = copied(&stage.home);
    assert_eq!(stage.make(Making::HandOver).code, Some(0));
    assert_eq!(before.judge(&stage, "gHtKmPqZ"), Ok(Left::Kept));
    put_back(&kept, &stage.home);
    assert!(before.judge(&stage, "").is_err_and(|why| why.contains("said to be fine")));
    // And presented.
    stage.home.run(&["token", PARENT, "--force"]);
    assert!(before.judge(&stage, "").is_err_and(|why| why.contains("stale")));
}
