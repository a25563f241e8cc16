//! A disk that is full, read-only or broken at every single call of a renewal.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::*;
use super::world::{Before, Effect, Odd, World, mytoken, rotated, value_of};
use crate::domain::credential::{Custody, Health};

/// Fails from the `first` effect on, `times` times.
struct Failing {
    done: AtomicUsize,
    first: AtomicUsize,
    times: usize,
    how: io::ErrorKind,
    /// Half of an append is written before it fails.
    half: bool,
}

impl Before for Arc<Failing> {
    fn before(&self, mut effect: Effect) -> io::Result<Effect> {
        let n = self.done.fetch_add(1, Ordering::SeqCst);
        let first = self.first.load(Ordering::SeqCst);
        if n < first || n - first >= self.times {
            return Ok(effect);
        }
        if let (Effect::Append { bytes, .. }, true) = (&mut effect, self.half) {
            bytes.truncate(bytes.len() / 2);
            return Ok(effect);
        }
        Err(self.how.into())
    }
}

impl Failing {
    fn heal(&self) {
        self.first.store(usize::MAX, Ordering::SeqCst);
    }
}

/// One renewal on a disk that fails at its n-th call. Whether the failure was met at all.
async fn renewal(n: usize, times: usize, how: io::ErrorKind, half: bool) -> bool {
    let world = World::new();
    let credential = mytoken("toar", "mt-1", 1);
    let id = credential.id.clone();
    world.made().await.add(credential).await.expect("kept");
    let failing =
        Arc::new(Failing { done: AtomicUsize::new(0), first: AtomicUsize::new(n), times, how, half });
    let store = world.store_on(Arc::new(Odd(Arc::clone(&failing))));
    let turn = store.turn(&id).await.expect("held");
    let what = format!("{how:?} at call {n}, {times} times");
    if let Err(error) = turn.intend().await {
        assert!(matches!(error, Error::NoRoom(_) | Error::ReadOnly(_)), "{what}: {error:?}");
        drop(turn);
        // Nothing was sent: the old value is good, here and for others.
        assert_eq!(value_of(&world.store().get(&id).expect("reads")), "mt-1", "{what}");
        failing.heal();
        super::world::rotate(&store, &id, "mt-2").await;
        assert_eq!(value_of(&world.store().get(&id).expect("reads")), "mt-2", "{what}");
        return true;
    }
    // Now the server has replaced the value.
    match turn.save(rotated(turn.read(), "mt-2", &store)).await {
        Ok(()) => {
            drop(turn);
            assert_eq!(store.vault().unsaved, 0);
        }
        Err(Error::NotSaved(_)) => {
            let held = store.get(&id).expect("in memory");
            assert_eq!(value_of(&held), "mt-2", "{what}");
            assert!(matches!(held.custody, Custody::Unsaved(_)), "{what}");
            assert_eq!(store.vault().unsaved, 1, "{what}");
            drop(turn);
            // Nobody else gets at the value that is dead now, and every look keeps the new one.
            assert!(lock::is_held(&world.place().folder.join("locks").join(&id.0)), "{what}");
            store.refresh().await;
            assert_eq!(value_of(&store.get(&id).expect("in memory")), "mt-2", "{what}");
            failing.heal();
            assert_eq!(store.save_again().await, 0, "{what}");
        }
        Err(error) => panic!("{what}: {error:?}"),
    }
    let read = world.store().get(&id).expect("reads");
    assert_eq!((value_of(&read), read.health), ("mt-2".to_owned(), Health::Ok), "{what}");
    assert!(!lock::is_held(&world.place().folder.join("locks").join(&id.0)), "{what}");
    failing.done.load(Ordering::SeqCst) > n
}

#[tokio::test]
async fn no_failing_call_of_a_renewal_loses_the_value() {
    for how in [io::ErrorKind::StorageFull, io::ErrorKind::Other, io::ErrorKind::ReadOnlyFilesystem] {
        for (times, half) in [(1, false), (usize::MAX, false), (1, true), (usize::MAX, true)] {
            let mut n = 0;
            while renewal(n, times, how, half).await {
                n += 1;
            }
            assert!(n >= 3, "{how:?}: an intent, a state, a line in the list");
        }
    }
}

#[tokio::test]
async fn the_reserve_is_given_up_when_an_answer_must_be_written() {
    let world = World::new();
    let credential = mytoken("toar", "mt-1", 1);
    let id = credential.id.clone();
    world.made().await.add(credential).await.expect("kept");
    let reserve = world.place().folder.join("reserve");
    assert_eq!(std::fs::metadata(&reserve).expect("made").len(), 64 << 10);
    // The second effect is the append of the new state.
    let failing = Failing {
        done: AtomicUsize::new(0),
        first: AtomicUsize::new(1),
        times: 1,
        how: io::ErrorKind::StorageFull,
        half: false,
    };
    let store = world.store_on(Arc::new(Odd(Arc::new(failing))));
    super::world::rotate(&store, &id, "mt-2").await;
    assert!(!reserve.exists());
    super::world::rotate(&store, &id, "mt-3").await;
    assert!(reserve.exists(), "before the next request it is there again");
}
