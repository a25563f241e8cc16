//! Killed at any instant of making or redeeming a mytoken: what was told is kept, the parent's copy before its child, and a trace is left.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use toktui::domain::secret::Secret;
use toktui::sandbox::mytoken::{Order, Rotation};

use crate::giver::Giver;
use crate::home::{Home, Ran};
use crate::share::{self, Dice};
use crate::traces::{self, Call};

/// Where mytokens are made.
const MAKING: &str = "POST /api/v0/token/my";

/// How a making stood when it was broken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Left {
    /// Nothing was asked.
    Unasked,
    /// It was to be asked for, and no answer is kept.
    InFlight,
    /// The parent's new copy is kept, and no child: it is in the server's list, and the journal says so.
    Parent,
    /// Both are.
    Both,
}

/// A mytoken that may make others, and dies with them when an older copy of it comes.
fn parent(giver: &Giver, home: &Home, name: &str) {
    let rotation = Rotation { on_at: true, on_other: true, lifetime: 0, auto_revoke: true };
    let order = Order {
        name: Some(name.to_owned()),
        capabilities: ["AT", "create_mytoken", "tokeninfo"].map(str::to_owned).to_vec(),
        rotation: Some(rotation),
        refresh_token: Some(Secret::new("any")),
        ..Order::default()
    };
    let mytoken = giver.mytokens.issue(order).unwrap().mytoken;
    assert_eq!(fed(home, &["keep", name], mytoken.expose()).code, Some(0));
}

fn fed(home: &Home, words: &[&str], input: &str) -> Ran {
    let mut child = home.command(words).stdin(Stdio::piped()).spawn().unwrap();
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    Ran::ended(child)
}

fn making<'a>(parent: &'a str, child: &'a str) -> [&'a str; 7] {
    ["mytoken", "create", child, "--from", parent, "--capability", "AT"]
}

/// What a broken-off making has left, or what is wrong with that.
fn judge(
    giver: &Giver,
    home: &Home,
    parent: &str,
    child: &str,
    asked: u64,
    out: &str,
) -> Result<Left, String> {
    giver.settle();
    let listed = home.run(&["list", "--json"]);
    let list: Value = serde_json::from_str(listed.value()).map_err(|error| error.to_string())?;
    let held =
        |name: &str| list["tokens"].as_array().is_some_and(|all| all.iter().any(|held| held["name"] == name));
    if !held(parent) {
        return Err("the parent is lost".to_owned());
    }
    if !out.is_empty() && !held(child) {
        return Err("it was told, and is not kept".to_owned());
    }
    let asked = giver.mytokens.requests(MAKING) > asked;
    let journal = home.run(&["history", parent, "--local"]);
    journal.value();
    let trace = std::fs::read_to_string(home.store().join("history")).unwrap_or_default();
    if asked && !(trace.contains("making a subtoken") && trace.contains(child)) {
        return Err("it was asked for, and left no trace".to_owned());
    }
    // Whoever uses the parent now presents its newest copy, or nothing.
    let used = home.run(&["token", parent, "--force"]);
    if giver.stale() > 0 {
        return Err("a stale copy was presented".to_owned());
    }
    let works = used.code == Some(0);
    match (held(child), works) {
        (true, false) => Err(format!("the child is kept and its parent's copy is not: {}", used.err)),
        (true, true) => {
            let token = home.run(&["token", child]);
            if token.code == Some(0) { Ok(Left::Both) } else { Err(token.err) }
        }
        (false, true) if asked => Ok(Left::Parent),
        (false, true) => Ok(Left::Unasked),
        // Its intent is on disk: whether it was sent nobody knows, and it is said.
        (false, false) if used.err.contains("got no answer") => Ok(Left::InFlight),
        (false, false) => Err(format!("the parent is of no use: {}", used.err)),
    }
}

fn words(tally: &BTreeMap<Left, usize>) -> String {
    tally.iter().map(|(left, count)| format!("{left:?} {count}")).collect::<Vec<_>>().join(", ")
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the instant is the point")]
fn killed_at_a_random_instant_a_making_keeps_what_it_told_and_leaves_a_trace() {
    let kills = share::of("kills at random instants of making a subtoken", 12, 300);
    let giver = Giver::open();
    let home = Home::filled(&giver);
    let mut dice = Dice(7);
    let mut tally = BTreeMap::new();
    parent(&giver, &home, "first");
    let begun = std::time::Instant::now();
    assert_eq!(home.run(&making("first", "first-child")).code, Some(0));
    let span = u64::try_from(begun.elapsed().as_micros()).unwrap() * 6 / 5;
    for round in 0..kills {
        let (name, child) = (format!("p{round}"), format!("c{round}"));
        parent(&giver, &home, &name);
        let asked = giver.mytokens.requests(MAKING);
        let mut run = home.start(&making(&name, &child));
        let at = Duration::from_micros(dice.below(span));
        thread::sleep(at);
        drop(run.kill());
        let out = Ran::ended(run).out;
        let left = judge(&giver, &home, &name, &child, asked, &out)
            .unwrap_or_else(|why| panic!("round {round}, killed after {at:?}: {why}"));
        *tally.entry(left).or_insert(0) += 1;
    }
    share::say(&format!("making: {}", words(&tally)));
}

#[test]
#[ignore = "needs strace"]
fn killed_at_every_system_call_a_making_keeps_what_it_told_and_leaves_a_trace() {
    let giver = Giver::open();
    let home = Home::filled(&giver);
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut tally = BTreeMap::new();
    let mut round = 0;
    for name in
        ["write", "fdatasync", "fsync", "rename", "renameat2", "sendto", "recvfrom", "openat", "flock"]
    {
        for at in 1.. {
            round += 1;
            let (parent_name, child) = (format!("p{round}"), format!("c{round}"));
            parent(&giver, &home, &parent_name);
            let asked = giver.mytokens.requests(MAKING);
            let rules = traces::inject(name, "signal=SIGKILL", Some(at));
            let command = home.command(&making(&parent_name, &child));
            let ran = Ran::of(traces::traced(&command, log.path(), &rules).output().unwrap());
            let left = judge(&giver, &home, &parent_name, &child, asked, &ran.out)
                .unwrap_or_else(|why| panic!("killed at {name} {at}: {why}"));
            if ran.code.is_some() {
                // Nobody was killed: there are no more calls of this name.
                assert_eq!((ran.code, left), (Some(0), Left::Both), "{ran:?}");
                break;
            }
            *tally.entry(left).or_insert(0) += 1;
            let names: [&str; 2] = [&parent_name, &child];
            for held in names {
                home.run(&["forget", held]);
            }
        }
    }
    share::say(&format!(
        "making, killed at {} system calls: {}",
        tally.values().sum::<usize>(),
        words(&tally)
    ));
    assert!(tally.contains_key(&Left::Unasked) && tally.contains_key(&Left::Both), "{tally:?}");
}

#[test]
#[ignore = "needs strace"]
fn what_is_made_or_redeemed_is_on_disk_before_it_is_told() {
    let giver = Giver::open();
    let home = Home::filled(&giver);
    let log = tempfile::NamedTempFile::new().unwrap();
    parent(&giver, &home, "parent");
    let command = home.command(&making("parent", "child"));
    Ran::of(traces::traced(&command, log.path(), &[]).output().unwrap()).value();
    let calls = traces::read(log.path());
    new_before_told(&calls).unwrap();
    // The parent's new copy is on disk before its child is.
    let sent = calls.iter().rev().find(|call| call.sends()).unwrap().began;
    let of_parent =
        |call: &&Call| call.began > sent && call.writes() && call.is_about("/store/tokens/parent");
    let saved = calls.iter().find(of_parent).expect("the parent is saved").over.unwrap();
    let child = calls.iter().find(|call| call.began > sent && call.writes() && call.is_about("/store/.new-"));
    assert!(child.expect("the child is written").began > saved, "the child came first");

    let other = Home::filled(&giver);
    let code = home.run(&["mytoken", "hand-over", "parent", "--itself", "--yes"]).value().to_owned();
    let mut command = other.command(&["mytoken", "redeem", "mine", "--server", "mt"]);
    command.stdin(Stdio::piped());
    let mut traced = traces::traced(&command, log.path(), &[]).stdin(Stdio::piped()).spawn().unwrap();
    drop(traced.stdin.take().unwrap().write_all(code.as_bytes()));
    Ran::ended(traced).value();
    let calls = traces::read(log.path());
    new_before_told(&calls).unwrap();
    // A broken variant: the same log without its syncs.
    let unsynced: Vec<Call> = calls.iter().filter(|call| !call.syncs()).cloned().collect();
    assert!(new_before_told(&unsynced).is_err());
}

/// Written, synced, named, and its name synced, before anything is printed.
fn new_before_told(calls: &[Call]) -> Result<(), String> {
    let over = |call: Option<&Call>, what: &str| {
        call.and_then(|call| call.over).ok_or_else(|| format!("{what} is never over"))
    };
    let after = |from: usize, is_it: &dyn Fn(&Call) -> bool| {
        calls.iter().find(|call| call.began > from && is_it(call))
    };
    let written = after(0, &|call| call.writes() && call.is_about("/store/.new-"));
    let written = over(written, "writing what came")?;
    let synced = over(after(written, &|call| call.syncs() && call.is_about("/store/.new-")), "syncing it")?;
    let named = over(
        after(synced, &|call| call.name.starts_with("rename") || call.name.starts_with("link")),
        "naming it",
    )?;
    let kept =
        over(after(named, &|call| call.syncs() && call.is_about("/store/tokens>")), "syncing its name")?;
    let printed = calls.iter().find(|call| call.prints()).ok_or("nothing is printed")?;
    if printed.began < kept { Err("told before it was on disk".to_owned()) } else { Ok(()) }
}
