//! What reading costs, with few and with many credentials held.

use std::time::Duration;

use super::super::*;
use super::world::{World, access, mytoken};
use crate::domain::credential::Ask;
use crate::domain::event::{Event, Teller, What};
use crate::domain::time::from_epoch;

async fn filled(credentials: usize, events: usize) -> (World, CredentialId) {
    let world = World::new();
    let store = world.made().await;
    let mut id = None;
    for n in 0..credentials {
        let mut credential = mytoken(&format!("t{n}"), &"m".repeat(600), 1);
        credential.put_access(Ask::default(), access(&"a".repeat(1200)));
        id = Some(credential.id.clone());
        store.add(credential).await.expect("kept");
    }
    for n in 0..events {
        store.note(Event {
            at: from_epoch(1_800_000_000 + i64::try_from(n).expect("small")),
            what: What::AccessToken,
            address: None,
            agent: None,
            comment: None,
            teller: Teller::Here,
            credential: id.as_ref().map(|id| id.0.clone()),
            mom_id: None,
            new_address: false,
            new_agent: false,
        });
    }
    (world, id.expect("one"))
}

#[allow(clippy::disallowed_methods, reason = "it measures")]
fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..41)
        .map(|_| {
            let begun = std::time::Instant::now();
            work();
            begun.elapsed()
        })
        .collect();
    times.sort();
    times[20]
}

#[tokio::test]
#[allow(clippy::print_stdout, reason = "it is there to be read")]
#[ignore = "needs minutes and a quiet machine; prints what it measures"]
async fn what_reading_costs() {
    for (credentials, events) in [(5, 0), (20, 0), (1000, 100_000)] {
        let (world, id) = filled(credentials, events).await;
        let folder = world.place().folder;
        let name = format!("t{}", credentials - 1);
        let fast = median(|| {
            fast::at_hand(&folder, &name, &*world.session, &*world.clock).expect("safe").expect("held");
        });
        let one = median(|| {
            let store = world.store();
            store.get(&store.find(&name).expect("held")).expect("reads");
        });
        let held = median(|| assert_eq!(world.store().held().len(), credentials));
        let all = median(|| {
            let store = world.store();
            drop(store.held());
            store.shared.look();
        });
        println!(
            "{credentials} credentials, {events} events: at hand {fast:?}, one by the store {one:?}, held {held:?}, all {all:?}"
        );
        let store = world.store();
        let turn = store.turn(&id).await.expect("held");
        let write = median(|| {
            let credential = turn.read();
            store.shared.write(&turn.slot, credential, true).expect("written");
        });
        println!("  a state without sync {write:?}");
    }
}
