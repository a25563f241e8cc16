//! Flipped bits, cut files, foreign bytes: nothing panics, no wrong value comes out, and what is healthy stays.

use std::sync::Arc;

use super::super::*;
use super::world::{World, access, mytoken, rotate, value_of};
use crate::domain::credential::{Ask, Health, why};

const LENGTH: usize = 4096;

/// A file of [`LENGTH`] bytes with several records in it, the values that were ever in it, and the newest.
async fn grown(world: &World) -> (Vec<u8>, CredentialId, Vec<String>) {
    let store = world.made().await;
    let credential = mytoken("toar", "mt-1", 1);
    let id = credential.id.clone();
    store.add(credential).await.expect("kept");
    store.add(mytoken("other", "mt-other", 1)).await.expect("kept");
    let mut values = vec!["mt-1".to_owned()];
    for n in 2..4 {
        rotate(&store, &id, &format!("mt-{n}")).await;
        values.push(format!("mt-{n}"));
    }
    // The last record makes it as long as it should be: the value is padded.
    let turn = store.turn(&id).await.expect("held");
    turn.intend().await.expect("room");
    let now = std::fs::read(world.file("toar")).expect("a file").len();
    let wanted = LENGTH - now;
    let mut padded = 0;
    for _ in 0..200 {
        let mut next = super::world::rotated(turn.read(), "mt-4", &store);
        next.put_access(Ask::default(), access(&"x".repeat(padded)));
        let line = as_line(&turn, &next);
        if line.len() >= wanted {
            turn.save(next).await.expect("saved");
            break;
        }
        padded += ((wanted - line.len()) / 2).max(1);
    }
    values.push("mt-4".to_owned());
    let bytes = std::fs::read(world.file("toar")).expect("a file");
    assert!(bytes.len().abs_diff(LENGTH) < 4, "{}", bytes.len());
    (bytes, id, values)
}

/// What saving this would append.
fn as_line(turn: &Turn, next: &Credential) -> Vec<u8> {
    let known = turn.slot.known();
    let number = known.at.expect("on disk").number + 1;
    let mut open = shared::open_part(&next.id, number, &known.under, &known.wrapped);
    open.state = Some(codec::Row::of(next, serde_json::Map::new()));
    let own = known.key.as_ref().expect("open");
    file::state_line(&open, own, next, serde_json::Map::new()).expect("line")
}

/// What comes of the file when it reads `bytes`.
fn judge(world: &World, bytes: &[u8], id: &CredentialId, values: &[String], what: &str) {
    std::fs::write(world.file("toar"), bytes).expect("written");
    let store = world.store();
    // The list knows how many records there were: a file that was cut between two of them is found out too.
    assert!(store.held().len() == 2, "{what}");
    let other = store.find("other").expect("healthy");
    assert_eq!(value_of(&store.get(&other).expect("healthy")), "mt-other", "{what}");
    let newest = values.last().expect("one");
    match store.find("toar").map(|found| (store.get(&found), found)) {
        Some((Ok(credential), found)) => {
            assert_eq!(found, *id, "{what}");
            let value = value_of(&credential);
            assert!(values.contains(&value), "{what}: a value that never was");
            let said = credential.health != Health::Ok;
            assert!(value == *newest || said, "{what}: an old value without a word");
        }
        Some((Err(error), found)) => {
            assert!(matches!(error, Error::Damaged(_) | Error::ReadOnly(_)), "{what}: {error}");
            let held = store.held();
            let row = held.iter().find(|held| held.id == found).expect("a bad row");
            assert_eq!((row.name.as_str(), held.len()), ("toar", 2), "{what}");
        }
        None => panic!("{what}: it vanished"),
    }
}

async fn every(step: usize) {
    let world = World::new();
    let (good, id, values) = grown(&world).await;
    for bit in (0..good.len() * 8).step_by(step) {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        judge(&world, &bytes, &id, &values, &format!("bit {bit}"));
    }
    for length in (0..good.len()).step_by(step.div_ceil(8)) {
        judge(&world, &good[..length], &id, &values, &format!("{length} bytes"));
    }
}

#[tokio::test]
async fn a_flipped_bit_or_a_cut_costs_at_most_the_record_it_hits_and_never_gives_a_wrong_value() {
    every(157).await;
}

#[tokio::test]
#[ignore = "needs a minute: all 32,768 flips and 4,096 cuts"]
async fn all_flips_and_cuts() {
    every(1).await;
}

#[tokio::test]
async fn whoever_has_the_turn_next_sets_damaged_bytes_aside_and_goes_on() {
    let world = World::new();
    let (good, id, _) = grown(&world).await;
    let mut bytes = good.clone();
    let last = bytes.len() - 60;
    bytes[last] ^= 1;
    std::fs::write(world.file("toar"), &bytes).expect("written");
    let store = world.store();
    let turn = store.turn(&id).await.expect("held");
    assert_eq!(turn.read().health, Health::InDoubt(file::NEWEST_DAMAGED.to_owned()));
    drop(turn);
    let aside = std::fs::read_dir(world.place().folder.join("damaged")).expect("a folder").count();
    assert_eq!(aside, 1);
    // The doubt stays until somebody settles it.
    let next = world.store();
    assert_eq!(next.get(&id).expect("reads").health, Health::InDoubt(file::NEWEST_DAMAGED.to_owned()));
    rotate(&next, &id, "mt-5").await;
    assert_eq!(value_of(&world.store().get(&id).expect("reads")), "mt-5");
}

#[tokio::test]
async fn what_does_not_read_at_all_is_one_bad_row_that_can_be_forgotten() {
    let world = World::new();
    let store = world.made().await;
    store.add(mytoken("toar", "mt-1", 1)).await.expect("kept");
    std::fs::write(world.file("rotten"), b"rotten\n").expect("written");
    std::fs::write(world.file("swapped"), std::fs::read(world.file("toar")).expect("read")).expect("written");
    std::fs::write(world.file("-odd name"), b"not ours").expect("written");
    let store = world.store();
    assert!(store.refresh().await);
    let rows: Vec<_> = store.held().iter().map(|held| (held.name.clone(), held.health.clone())).collect();
    let damaged = Health::Dead(why::DAMAGED.to_owned());
    assert_eq!(rows.len(), 3);
    assert!(
        rows.contains(&("rotten".to_owned(), damaged.clone()))
            && rows.contains(&("swapped".to_owned(), damaged))
    );
    let id = store.find("rotten").expect("a row");
    let turn = store.turn(&id).await.expect("its turn");
    // What stands for it is never written over it.
    let stand_in = Credential { health: Health::Ok, ..turn.read() };
    assert!(matches!(turn.save(stand_in).await, Err(Error::Damaged(_))));
    assert_eq!(std::fs::read(world.file("rotten")).expect("there"), b"rotten\n");
    store.remove(&turn).await.expect("forgotten");
    assert_eq!(store.find("rotten"), None);
    assert!(!world.file("rotten").exists());
    assert_eq!(std::fs::read_dir(world.place().folder.join("damaged")).expect("a folder").count(), 1);
}

#[tokio::test]
async fn a_new_login_takes_the_place_of_what_does_not_read_and_sets_that_aside() {
    let world = World::new();
    let store = world.made().await;
    std::fs::write(world.file("toar"), b"rotten\n").expect("written");
    let id = store.find("toar").expect("a row");
    let turn = store.turn(&id).await.expect("its turn");
    let login = Credential { id: id.clone(), ..mytoken("toar", "mt-new", 1) };
    turn.save(login).await.expect("saved");
    drop(turn);
    assert_eq!(value_of(&world.store().get(&id).expect("reads")), "mt-new");
    let aside = std::fs::read_dir(world.place().folder.join("damaged")).expect("a folder").next();
    assert_eq!(std::fs::read(aside.expect("one").expect("read").path()).expect("read"), b"rotten\n");
}

#[tokio::test]
async fn a_renewal_under_way_is_saved_although_the_store_is_locked_meanwhile() {
    let world = World::new();
    let store = world.made().await;
    let credential = mytoken("toar", "mt-1", 1);
    let id = credential.id.clone();
    store.add(credential).await.expect("kept");
    let turn = store.turn(&id).await.expect("held");
    turn.intend().await.expect("room");
    world.store().lock();
    assert!(store.refresh().await, "it hears of that");
    turn.save(super::world::rotated(turn.read(), "mt-2", &store)).await.expect("saved");
    drop(turn);
    assert_eq!(store.get(&id), Err(Error::Locked));
    store.unlock(crate::domain::vault::Opening::KeyFile(None)).await.expect("opens");
    assert_eq!(value_of(&store.get(&id).expect("reads")), "mt-2");
    assert_eq!(world.store().get(&id).expect("reads").health, Health::Ok);
}

#[tokio::test]
async fn a_record_of_a_newer_format_is_shown_and_never_overwritten() {
    let world = World::new();
    let store = world.made().await;
    let credential = mytoken("toar", "mt-1", 1);
    let id = credential.id.clone();
    store.add(credential).await.expect("kept");
    let mut bytes = std::fs::read(world.file("toar")).expect("read");
    bytes.extend(record::line(
        format!("{{\"v\":2,\"id\":\"{}\",\"n\":2,\"new\":{{}}}}", id.0).as_bytes(),
        "AAAA",
    ));
    std::fs::write(world.file("toar"), &bytes).expect("written");
    let store = world.store();
    let found = store.find("toar").expect("a row");
    assert!(matches!(store.get(&found), Err(Error::ReadOnly(_))));
    let turn = store.turn(&found).await.expect("its turn");
    let stand_in = turn.read();
    assert!(matches!(turn.save(stand_in).await, Err(Error::ReadOnly(_))));
    assert_eq!(std::fs::read(world.file("toar")).expect("read"), bytes);
}

#[tokio::test]
async fn a_missing_or_rotten_list_is_made_good_from_the_files() {
    let world = World::new();
    let store = world.made().await;
    for n in 0..5 {
        store.add(mytoken(&format!("t{n}"), "mt", 1)).await.expect("kept");
    }
    let list = world.place().folder.join("list");
    let names = |store: &Store| store.held().iter().map(|held| held.name.clone()).collect::<Vec<_>>();
    let all: Vec<String> = (0..5).map(|n| format!("t{n}")).collect();
    let good = std::fs::read(&list).expect("a list");
    for bytes in [&b""[..], b"rubbish", &good[..good.len() / 2], &good[good.len() / 3..]] {
        std::fs::write(&list, bytes).expect("written");
        let store = world.store();
        let mut first = names(&store);
        store.refresh().await;
        let mut then = names(&store);
        first.sort();
        then.sort();
        assert!(then == all && first.iter().all(|name| all.contains(name)), "{then:?}");
        assert_eq!(names(&world.store()).len(), 5, "the next one finds it mended");
    }
    std::fs::remove_file(&list).expect("was there");
    assert_eq!(names(&world.store()).len(), 5);
    drop(Arc::new(store));
}
