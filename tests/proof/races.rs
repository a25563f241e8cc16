//! Many at once: one renewal serves them all, whoever dies or stops in the middle.

use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use toktui::domain::credential::{Grant, Health};
use toktui::domain::source::RefreshScope;
use toktui::http::Http;
use toktui::oidc::discovery::discover;
use toktui::oidc::refresh::{Wish, refresh};

use crate::giver::Giver;
use crate::home::{Home, Ran, wait};
use crate::kept::{BOTH, Kind};
use crate::making::{Making, PARENT, Stage};
use crate::share::{self, Dice};
use crate::traces;

/// Starts `count` programs at once that ask for the token of `kind`, and waits for them.
fn at_once(home: &Home, kind: Kind, count: usize) -> Vec<Ran> {
    let children: Vec<Child> = (0..count).map(|_| home.start(&["token", kind.name()])).collect();
    children.into_iter().map(Ran::ended).collect()
}

#[test]
fn a_hundred_that_find_the_token_expired_share_one_renewal() {
    let rounds = share::of("rounds, for each of a login and a mytoken", 5, 100);
    let many = share::of("processes at once in each round", 12, 100);
    let giver = Giver::open();
    let home = Home::filled(&giver);
    for kind in BOTH {
        let books = kind.books(&giver);
        home.run(&["token", kind.name(), "--force"]).value();
        for round in 0..rounds {
            home.expire(&giver.runtime, kind);
            let before = (books.requests(), books.rotations());
            let all = at_once(&home, kind, many);
            let first = all[0].value();
            for ran in &all {
                assert_eq!(ran.value(), first, "{kind:?}, round {round}");
            }
            assert_eq!(
                (books.requests(), books.rotations()),
                (before.0 + 1, before.1 + 1),
                "{kind:?}, round {round}"
            );
        }
        assert_eq!(giver.stale(), 0);
        assert_eq!(home.peek(&giver.runtime, kind).unwrap().health, Health::Ok);
    }
}

/// Two stores that hold the same copy know nothing of each other's locks: what the proof above counts is then wrong.
#[test]
fn without_one_lock_for_all_the_same_race_is_lost() {
    let giver = Giver::open();
    let (home, other) = (Home::filled(&giver), Home::of(&giver));
    let kind = Kind::Login;
    home.run(&["token", kind.name(), "--force"]).value();
    home.expire(&giver.runtime, kind);
    let copied = Command::new("cp").arg("-a").args([home.store(), other.store()]).status().unwrap();
    assert!(copied.success());
    let before = giver.logins.requests();
    let both = [home.run(&["token", kind.name()]), other.run(&["token", kind.name()])];
    assert!(both.iter().any(|ran| ran.code != Some(0)), "{both:?}");
    assert_eq!((giver.logins.requests() - before, giver.stale()), (2, 1));
}

/// The program that is shipped, told by the system that it has a lock that it has not.
#[test]
#[ignore = "needs strace"]
fn a_program_whose_locks_lock_nothing_loses_the_same_race() {
    let giver = Giver::open();
    let home = Home::filled(&giver);
    let kind = Kind::Login;
    home.run(&["token", kind.name(), "--force"]).value();
    home.expire(&giver.runtime, kind);
    let log = tempfile::NamedTempFile::new().unwrap();
    let rules = traces::inject("flock", "retval=0", None);
    giver.logins.shut();
    let before = giver.logins.arrivals().len();
    let lied_to =
        |_| traces::traced(&home.command(&["token", kind.name()]), log.path(), &rules).spawn().unwrap();
    let children: Vec<Child> = (0..4).map(lied_to).collect();
    giver.logins.wait_for(before + 4);
    giver.logins.open();
    let ended: Vec<Ran> = children.into_iter().map(Ran::ended).collect();
    assert!(giver.stale() > 0, "{ended:?}");
}

/// A renewal that sends what it read before it had the lock.
#[test]
fn a_renewal_that_does_not_read_again_under_its_lock_loses_the_same_race() {
    let giver = Giver::open();
    let home = Home::filled(&giver);
    let stores = giver.runtime.block_on(async { [home.open_store().await, home.open_store().await] });
    let id = stores[0].find("egi").unwrap();
    let read = stores.each_ref().map(|store| store.get(&id).unwrap());
    giver.runtime.block_on(async {
        let http = Http::default();
        let metadata = discover(&http, &giver.issuer).await.unwrap();
        for (store, read) in stores.iter().zip(read) {
            let turn = store.turn(&id).await.unwrap();
            let Grant::Refresh(grant) = &read.grant else { panic!("a login") };
            let wish = Wish {
                client: &grant.client,
                policy: RefreshScope::Omit,
                scopes: &grant.scopes,
                narrowed: None,
                extra: &[],
            };
            turn.intend().await.unwrap();
            let answer = refresh(&http, &metadata, wish, &grant.current.value).await;
            assert_eq!(answer.is_ok(), giver.stale() == 0);
            turn.save(read.clone()).await.unwrap();
        }
    });
    assert_eq!(giver.stale(), 1);
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

#[test]
fn when_the_holder_of_a_lock_dies_the_next_goes_on() {
    let deaths = share::of("holders killed in the middle of a renewal", 8, 250);
    let giver = Giver::open();
    let home = Home::filled(&giver);
    let books = &giver.logins;
    let kind = Kind::Login;
    let mut dice = Dice(7);
    let mut spans = Vec::new();
    for round in 0..deaths {
        home.expire(&giver.runtime, kind);
        let (arrived, rotations) = (books.arrivals().len(), books.rotations());
        books.shut();
        let mut holder = home.start(&["token", kind.name()]);
        books.wait_for(arrived + 1);
        let next = home.start(&["token", kind.name()]);
        wait_for_lock(&next);
        thread::sleep(Duration::from_micros(dice.below(3000)));
        let died = now();
        signal(&holder, Signal::KILL);
        holder.wait().unwrap();
        books.wait_for(arrived + 2);
        spans.push(books.arrivals()[arrived + 1].duration_since(died));
        books.open();
        let ran = Ran::ended(next);
        ran.value();
        assert_eq!(books.rotations(), rotations + 1, "round {round}: {ran:?}");
        assert_eq!(giver.stale(), 0, "round {round}");
        assert_eq!(home.peek(&giver.runtime, kind).unwrap().health, Health::Ok, "round {round}");
    }
    spans.sort();
    let (usual, slowest) = (spans[spans.len() / 2], spans[spans.len() - 1]);
    share::say(&format!("from a holder's death to the next one's request: {usual:?}, at most {slowest:?}"));
}

/// Who waits for a lock has read the file while its holder was at work in it, and must read it again when that one is dead.
#[test]
fn when_the_holder_dies_with_its_answer_the_next_does_not_send_the_old_copy() {
    let stage = Stage::open();
    let books = &stage.giver.mine;
    let create = Making::Subtoken.words();
    let all: [&[&str]; 5] =
        [&["token", PARENT, "--force"], &["renew", PARENT], &["history", PARENT], &create, &["info", PARENT]];
    for words in all {
        let rotations = books.rotations();
        books.hold();
        let mut holder = stage.home.start(&["token", PARENT, "--force"]);
        wait("the use to be worked", || books.rotations() > rotations);
        let next = stage.home.start(words);
        wait_for_lock(&next);
        signal(&holder, Signal::KILL);
        holder.wait().unwrap();
        let ran = Ran::ended(next);
        stage.giver.settle();
        books.release();
        assert_eq!((books.rotations(), stage.giver.stale()), (rotations + 1, 0), "{words:?}: {ran:?}");
        let (_, health) = stage.peek(PARENT).unwrap().unwrap();
        assert!(matches!(health, Health::InDoubt(_)), "{words:?}: {health:?}");
        stage.new_parent();
    }
}

#[test]
fn a_stopped_holder_keeps_its_lock_and_its_answer_serves_those_who_wait() {
    let stops = share::of("holders stopped in the middle of a renewal", 7, 250);
    let giver = Giver::open();
    let home = Home::filled(&giver);
    let books = &giver.logins;
    let kind = Kind::Login;
    let mut dice = Dice(9);
    for round in 0..stops {
        home.expire(&giver.runtime, kind);
        let (arrived, rotations) = (books.arrivals().len(), books.rotations());
        books.hold();
        let holder = home.start(&["token", kind.name()]);
        books.wait_for(arrived + 1);
        wait("the renewal to be worked", || books.rotations() > rotations);
        signal(&holder, Signal::STOP);
        let waiting: Vec<Child> = (0..2).map(|_| home.start(&["token", kind.name()])).collect();
        waiting.iter().for_each(wait_for_lock);
        books.release();
        thread::sleep(Duration::from_micros(dice.below(20_000)));
        assert_eq!(books.arrivals().len(), arrived + 1, "round {round}: nobody asks in its place");
        signal(&holder, Signal::CONT);
        let mut all: Vec<Ran> = waiting.into_iter().map(Ran::ended).collect();
        all.push(Ran::ended(holder));
        let first = all[0].value();
        assert!(all.iter().all(|ran| ran.value() == first), "round {round}");
        assert_eq!((books.rotations(), giver.stale()), (rotations + 1, 0), "round {round}");
    }
}

#[test]
#[ignore = "needs 31 seconds: the limit of a wait for a lock"]
fn a_holder_that_stays_stopped_is_named_and_nothing_is_sent_in_its_place() {
    let giver = Giver::open();
    let home = Home::filled(&giver);
    let books = &giver.logins;
    let kind = Kind::Login;
    home.expire(&giver.runtime, kind);
    let arrived = books.arrivals().len();
    books.shut();
    let holder = home.start(&["token", kind.name()]);
    books.wait_for(arrived + 1);
    signal(&holder, Signal::STOP);
    let begun = now();
    let ran = home.run(&["token", kind.name()]);
    let waited = begun.elapsed();
    assert!(waited > Duration::from_secs(29) && waited < Duration::from_secs(36), "{waited:?}");
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{ran:?}");
    assert!(ran.err.contains(&holder.id().to_string()), "the holder is named: {}", ran.err);
    assert_eq!(books.arrivals().len(), arrived + 1);
    signal(&holder, Signal::CONT);
    // It has waited for longer than it may, and says so; what it sent was never worked, so the next try succeeds.
    let ran = Ran::ended(holder);
    assert_eq!((ran.code, ran.out.as_str()), (Some(4), ""), "{ran:?}");
    giver.settle();
    books.open();
    home.run(&["token", kind.name(), "--force"]).value();
    assert_eq!(giver.stale(), 0);
}

/// Waits until a process waits for a lock: `1: -> FLOCK  ADVISORY  WRITE 4711 …` (proc(5), `/proc/locks`).
fn wait_for_lock(child: &Child) {
    let own = child.id().to_string();
    wait("a process to be at the lock", || {
        let table = std::fs::read_to_string("/proc/locks").unwrap();
        table.lines().any(|line| {
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            fields.get(1) == Some(&"->") && fields.get(5) == Some(&own.as_str())
        })
    });
}

#[allow(clippy::disallowed_methods, reason = "how long other processes take")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}
