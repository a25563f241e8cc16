//! Clocks that are wrong, are set, and stand still while the machine sleeps (security.md I).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};
use toktui::domain::jwt::Jwt;
use toktui::domain::time::{Clock, Uptime, later};
use toktui::sandbox::op::ExpiresIn;
use toktui::wallet::draw::Wish;

use crate::world::{World, at};

const PLAIN: Wish = Wish { force: false, insist: false, min_life: None, ask: None };

/// Numbers that look like chance and are the same in every run.
pub struct Dice(pub u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).expect("small")).expect("small")
    }

    fn between(&mut self, from: i64, to: i64) -> i64 {
        from + i64::try_from(self.below(usize::try_from(to - from + 1).expect("a range"))).expect("small")
    }
}

/// A machine whose clock can be set, and whose other clock cannot.
struct Machine {
    right: Arc<dyn Clock>,
    begun: Timestamp,
    off: AtomicI64,
}

impl Machine {
    fn of(world: &World) -> Arc<Self> {
        Arc::new(Self { right: world.clock.clone(), begun: world.now(), off: AtomicI64::new(0) })
    }

    fn set_off(&self, seconds: i64) {
        self.off.store(seconds, Ordering::SeqCst);
    }
}

impl Clock for Machine {
    fn now(&self) -> Timestamp {
        later(self.right.now(), SignedDuration::from_secs(self.off.load(Ordering::SeqCst)))
    }

    fn uptime(&self) -> Option<Uptime> {
        Some(Uptime { start: 7, since: self.right.now().duration_since(self.begun) })
    }
}

/// How much longer a token truly lives.
fn truly_left(world: &World, drawn: &toktui::wallet::draw::Drawn) -> i64 {
    let ends = Jwt::parse(drawn.token.value.expose()).and_then(|jwt| jwt.moment("exp")).expect("an end");
    ends.duration_since(world.now()).as_secs()
}

/// A machine that sleeps, and whose clock jumps by seconds, days and decades, between any two draws.
async fn live_through(schedules: u64) {
    let world = World::open().await;
    let machine = Machine::of(&world);
    let wallet = world.wallet_on(machine.clone());
    let id = world.logged_in_with(&wallet, at("op")).await.id;
    let mut dice = Dice(42);
    for schedule in 0..schedules {
        let mut left = None;
        for _ in 0..8 {
            let passed = [0, 1, 30, 100, 239, 280, 301, 604_800][dice.below(8)];
            world.pass(passed);
            let off = match dice.below(6) {
                0 => 0,
                1 => dice.between(-90, 90),
                2 => dice.between(-86_400, 86_400),
                3 => -dice.between(1_700_000_000, 2_000_000_000),
                4 => dice.between(400_000_000, 3_000_000_000),
                _ => machine.off.load(Ordering::SeqCst),
            };
            machine.set_off(off);
            let drawn = wallet.draw(&id, PLAIN).await.expect("a token");
            let now_left = truly_left(&world, &drawn);
            assert!(now_left >= 58, "schedule {schedule}: {now_left} s left are handed out");
            if let Some(left) = left.map(|left: i64| left - passed).filter(|left| *left > 62) {
                assert!(!drawn.renewed, "schedule {schedule}: {left} s were left, and it was renewed");
            }
            let said = drawn.remarks.iter().any(|remark| remark.starts_with("this machine's clock is"));
            if drawn.renewed && (off.abs() < 58 || off.abs() > 62) {
                assert_eq!(said, off.abs() > 60, "schedule {schedule}: {off} s, {:?}", drawn.remarks);
            }
            left = Some(now_left);
        }
    }
}

#[tokio::test]
async fn no_clock_ends_a_token_early_or_hands_out_an_ended_one() {
    live_through(25).await;
}

#[tokio::test]
#[ignore = "needs ten seconds: 500 schedules (security.md I1)"]
async fn no_clock_ends_a_token_early_or_hands_out_an_ended_one_in_500_schedules() {
    live_through(500).await;
}

#[tokio::test]
async fn without_a_clock_that_nobody_sets_a_jump_gives_a_new_token_at_most_once() {
    let world = World::open().await;
    let off = Arc::new(toktui::domain::time::ShiftedClock::new(world.clock.clone(), SignedDuration::ZERO));
    let wallet = world.wallet_on(off.clone());
    let id = world.logged_in_with(&wallet, at("op")).await.id;
    for (hours, renewals) in [(-24, 1), (-24, 1), (0, 2), (0, 2)] {
        off.shift_to(SignedDuration::from_hours(hours));
        wallet.draw(&id, PLAIN).await.expect("a token");
        assert_eq!(world.op.counts().refreshes, renewals, "{hours} h");
    }
}

#[tokio::test]
async fn a_token_of_thirty_seconds_is_renewed_in_its_last_third_and_not_in_a_loop() {
    let world = World::open().await;
    world.op.quirks().expires_in = ExpiresIn::Other(30);
    let id = world.logged_in(at("op")).await.id;
    let hour = 3600;
    for _ in 0..hour {
        world.wallet.draw(&id, PLAIN).await.expect("a token");
        world.pass(1);
    }
    let requests = i64::from(world.op.counts().refreshes);
    assert!((hour / 30 - 1..=hour / 20 + 1).contains(&requests), "{requests} in an hour");
}
