//! Random schedules of several programs on one folder, against a server that replaces the token at every use and kills it at the second
//! use of an old one.

use super::super::*;
use super::world::{World, access, mytoken, rotated, value_of};
use crate::domain::credential::Ask;

/// What is broken in a build that must fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broken {
    Nothing,
    /// Whoever wants the turn has it.
    NoLock,
    /// What was in memory before the turn is used in it.
    NoReread,
}

/// A small generator: the schedules are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % sides
    }
}

/// Runs one schedule; what went wrong.
async fn schedule(seed: u64, broken: Broken) -> Result<(), String> {
    const PROGRAMS: usize = 3;
    let world = World::new();
    let credential = mytoken("toar", "mt-1", 1);
    let id = credential.id.clone();
    let first = world.made().await;
    first.add(credential).await.expect("kept");
    let stores = [first, world.store(), world.store()];
    let mut dice = Dice(seed);
    let mut turns: [Option<Turn>; PROGRAMS] = [None, None, None];
    let mut asked: [Option<String>; PROGRAMS] = [None, None, None];
    let (mut at_server, mut access_tokens, mut name) = (1_u64, 0, "toar".to_owned());
    for _ in 0..14 {
        let who = dice.roll(PROGRAMS);
        let store = &stores[who];
        match (&turns[who], dice.roll(6)) {
            (None, 0..=2) => {
                let somebody = turns.iter().any(Option::is_some);
                if somebody && broken != Broken::NoLock {
                    continue;
                }
                let before = store.get(&id).ok();
                let turn = match broken {
                    Broken::NoLock => {
                        let locks = world.place().folder.join("locks");
                        drop(std::fs::remove_file(locks.join(&id.0)));
                        store.turn(&id).await
                    }
                    Broken::Nothing | Broken::NoReread => store.turn(&id).await,
                };
                let turn = turn.map_err(|error| format!("no turn: {error}"))?;
                let read = turn.read();
                let used = if broken == Broken::NoReread { before.unwrap_or(read) } else { read };
                turn.intend().await.map_err(|error| format!("no intent: {error}"))?;
                // The request goes out with this value.
                asked[who] = Some(value_of(&used));
                turns[who] = Some(turn);
            }
            (Some(turn), 0..=3) => {
                let used = asked[who].take().unwrap_or_default();
                if used != format!("mt-{at_server}") {
                    return Err(format!("{used} was sent, and mt-{at_server} is current"));
                }
                at_server += 1;
                let next = rotated(turn.read(), &format!("mt-{at_server}"), store);
                turn.save(next).await.map_err(|error| format!("not saved: {error}"))?;
                turns[who] = None;
            }
            (None, 3) if turns.iter().all(Option::is_none) => {
                let turn = store.turn(&id).await.map_err(|error| format!("no turn: {error}"))?;
                let mut next = turn.read();
                access_tokens += 1;
                next.put_access(Ask::default(), access(&format!("at-{access_tokens}")));
                turn.save(next).await.map_err(|error| format!("not saved: {error}"))?;
            }
            (None, 4) if turns.iter().all(Option::is_none) => {
                let turn = store.turn(&id).await.map_err(|error| format!("no turn: {error}"))?;
                name = format!("t{}", dice.roll(1000));
                store.rename(&turn, &name).await.map_err(|error| format!("not renamed: {error}"))?;
            }
            _ => {
                store.refresh().await;
            }
        }
    }
    drop(turns);
    let last = world.store().get(&id).map_err(|error| format!("does not read: {error}"))?;
    if value_of(&last) != format!("mt-{at_server}") {
        return Err(format!("{} is held, and mt-{at_server} is current", value_of(&last)));
    }
    if last.name != name {
        return Err(format!("{} is its name and not {name}", last.name));
    }
    let token = last.access.first().map(|(_, token)| token.value.expose().to_owned());
    if access_tokens > 0 && token != Some(format!("at-{access_tokens}")) {
        return Err(format!("{token:?} is held, and at-{access_tokens} is the newest"));
    }
    for store in &stores {
        store.refresh().await;
        let seen = store.get(&id).map_err(|error| format!("not seen: {error}"))?;
        if (value_of(&seen), &seen.name) != (value_of(&last), &last.name) {
            return Err("a program that looked does not see what is there".to_owned());
        }
    }
    Ok(())
}

#[tokio::test]
async fn no_schedule_of_three_programs_loses_a_token_or_sends_an_old_one() {
    for seed in 0..60 {
        assert_eq!(schedule(seed, Broken::Nothing).await, Ok(()), "schedule {seed}");
    }
}

#[tokio::test]
async fn schedules_find_out_a_store_without_locks_or_without_a_second_look() {
    for broken in [Broken::NoLock, Broken::NoReread] {
        let mut found = false;
        for seed in 0..40 {
            found |= schedule(seed, broken).await.is_err();
        }
        assert!(found, "{broken:?}");
    }
}

#[tokio::test]
#[ignore = "needs minutes: 10,000 schedules"]
async fn ten_thousand_schedules() {
    for seed in 0..10_000 {
        assert_eq!(schedule(seed, Broken::Nothing).await, Ok(()), "schedule {seed}");
    }
}
