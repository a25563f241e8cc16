//! Killed at any instant while a mytoken is made, redeemed or handed over: what was told is held, and no stale copy is presented.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use crate::home::{Ran, wait};
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
                        let at = instant(&mut dice, span, making);
                        let before = Before::of(&stage, making);
                        let ran = killed_after(&stage, making, at);
                        let told = |why: String| {
                            panic!("{making:?}, lane {lane}, round {round}, after {at:?}: {why}")
                        };
                        let left = before.judge(&stage, &ran.out).unwrap_or_else(told);
                        let told = |why: String| {
                            panic!("{making:?}, lane {lane}, round {round}, after {at:?}: {why}")
                        };
                        before.go_on(&stage, left).unwrap_or_else(told);
                        if left == Left::Kept && ran.code.is_some() {
                            // It was over before the kill: this machine is faster now.
                            span = span * 19 / 20;
                        }
                        tally.lock().unwrap().add(left);
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
    if making != Making::HandOver {
        assert_eq!(stage.home.run(&["forget", CHILD, "--yes"]).code, Some(0));
    }
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

/// What a making had given away when it was killed.
#[allow(clippy::disallowed_methods, reason = "the instant is the point")]
fn killed_after(stage: &Stage, making: Making, span: Duration) -> Ran {
    let code = stage.code_for(making);
    let mut under_way = stage.start(stage.command(making), code.as_deref());
    thread::sleep(span);
    drop(under_way.child.kill());
    under_way.end()
}
