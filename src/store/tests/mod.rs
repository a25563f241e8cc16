//! The store in memory and on disk, as those who use it see it.

mod damage;
mod faults;
mod folder;
mod measure;
mod model;
mod power;
mod shapes;
mod world;

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::domain::credential::{Ask, Custody, Health, why};
use crate::domain::time::from_epoch;
use crate::domain::vault::{Access, Opening};
use world::{World, access, mytoken, rotate, rotated, value_of};

#[tokio::test]
async fn a_superseded_copy_is_known_by_its_print_and_by_its_number() {
    let store = Store::in_memory().expect("random");
    let credential = mytoken("toar", "mt-1", 1);
    let id = credential.id.clone();
    store.add(credential).await.expect("free name");
    let turn = store.turn(&id).await.expect("held");
    let mut changed = turn.read();
    if let Grant::Mytoken(grant) = &mut changed.grant {
        grant.current.supersede(Secret::new("mt-4"), Some(4), &store.fingerprint_key());
    }
    turn.save(changed).await.expect("kept");
    assert_eq!(store.newer_than(&Secret::new("mt-1"), None).expect("stale").number, 4);
    assert_eq!(store.newer_than(&Secret::new("mt-3"), Some(("mom", 3))).expect("stale").name, "toar");
    assert_eq!(store.newer_than(&Secret::new("mt-4"), Some(("mom", 4))), None);
    assert_eq!(store.newer_than(&Secret::new("mt-x"), Some(("other", 1))), None);
}

#[tokio::test(start_paused = true)]
async fn only_one_holds_the_turn_and_a_credential_that_went_is_gone_for_the_next() {
    let store = Arc::new(Store::in_memory().expect("random"));
    let credential = mytoken("toar", "mt-1", 1);
    let id = credential.id.clone();
    store.add(credential).await.expect("free name");
    let turn = store.turn(&id).await.expect("held");
    let waiting = tokio::spawn({
        let (store, id) = (Arc::clone(&store), id.clone());
        async move { store.turn(&id).await.err() }
    });
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(!waiting.is_finished());
    store.remove(&turn).await.expect("gone");
    drop(turn);
    assert_eq!(waiting.await.expect("no panic"), Some(Error::Gone));
}

#[tokio::test]
async fn names_are_unique_and_fit_for_a_command_line() {
    let store = Store::in_memory().expect("random");
    store.add(mytoken("egi", "a", 1)).await.expect("free");
    assert_eq!(store.add(mytoken("egi", "b", 1)).await, Err(Error::NameTaken("egi".to_owned())));
    assert_eq!(store.add(mytoken("-rf", "b", 1)).await, Err(Error::BadName));
    assert_eq!(store.free_name("egi"), "egi-2");
    assert_eq!(store.free_name("EGI Check-in!"), "egi-check-in");
    assert_eq!(store.free_name("\u{202e}"), "token");
}

#[tokio::test]
async fn what_was_kept_is_there_for_the_next_program_and_its_secrets_only_with_the_key() {
    let world = World::new();
    let store = world.store();
    assert_eq!(store.vault().access, Access::NoStore);
    let before = mytoken("early", "mt-early", 1);
    store.add(before.clone()).await.expect("held in memory");
    store.create(Opening::KeyFile(None)).await.expect("made");
    let credential = mytoken("toar", "mt-canary", 1);
    let id = credential.id.clone();
    store.add(credential.clone()).await.expect("kept");
    rotate(&store, &id, "mt-canary-2").await;

    let other = world.store();
    assert!(matches!(other.vault().access, Access::Open { until: Some(_) }));
    assert_eq!(value_of(&other.get(&id).expect("read")), "mt-canary-2");
    assert_eq!(value_of(&other.get(&before.id).expect("taken in")), "mt-early");
    assert_eq!(other.get(&id).expect("read").custody, Custody::KeyFile);
    assert_eq!(other.newer_than(&Secret::new("mt-canary"), None).expect("stale").name, "toar");
    assert_eq!(other.held().len(), 2);
    let text = String::from_utf8(std::fs::read(world.file("toar")).expect("a file")).expect("text");
    assert!(text.contains("https://mytoken.example.org") && !text.contains("canary"), "{text}");

    other.lock();
    assert_eq!(other.get(&id), Err(Error::Locked));
    let held = other.held();
    assert_eq!((held[1].name.as_str(), held[1].locked), ("toar", true));
    assert!(store.refresh().await, "the first one hears that it was locked");
    assert_eq!(store.vault().access, Access::Locked);
    assert_eq!(store.get(&id), Err(Error::Locked));
    store.unlock(Opening::KeyFile(None)).await.expect("opens");
    assert_eq!(value_of(&store.get(&id).expect("read")), "mt-canary-2");
}

#[tokio::test]
async fn two_stores_on_one_folder_hear_of_each_other() {
    let world = World::new();
    let one = world.made().await;
    let two = world.store();
    assert!(two.held().is_empty());
    let credential = mytoken("toar", "mt-1", 1);
    let id = credential.id.clone();
    one.add(credential).await.expect("kept");
    assert_eq!(two.find("toar"), Some(id.clone()));
    assert!(two.refresh().await);
    assert!(!two.refresh().await);
    rotate(&two, &id, "mt-2").await;
    assert!(one.refresh().await);
    assert_eq!(value_of(&one.get(&id).expect("read")), "mt-2");
    let turn = one.turn(&id).await.expect("held");
    one.rename(&turn, "tar").await.expect("free");
    drop(turn);
    assert_eq!(value_of(&two.turn(&id).await.expect("found again").read()), "mt-2");
    assert_eq!(two.find("tar"), Some(id.clone()));
    let turn = two.turn(&id).await.expect("held");
    two.remove(&turn).await.expect("removed");
    drop(turn);
    assert_eq!(one.turn(&id).await.err(), Some(Error::Gone));
    assert!(one.refresh().await || one.held().is_empty());
    assert!(world.store().held().is_empty());
}

#[tokio::test]
async fn a_request_whose_answer_nobody_wrote_down_leaves_it_in_doubt() {
    let world = World::new();
    let store = world.made().await;
    let credential = mytoken("toar", "mt-1", 1);
    let id = credential.id.clone();
    store.add(credential).await.expect("kept");
    let turn = store.turn(&id).await.expect("held");
    turn.intend().await.expect("room");
    let other = world.store();
    assert_eq!(other.get(&id).expect("read").health, Health::Ok, "somebody is at work with it");
    drop(turn);
    let next = world.store();
    let doubt = Health::InDoubt(why::UNANSWERED.to_owned());
    assert_eq!(next.get(&id).expect("read").health, doubt);
    assert_eq!(next.held()[0].health, doubt);
    let turn = next.turn(&id).await.expect("held");
    assert_eq!(turn.read().health, doubt);
    turn.save(Credential { health: Health::Ok, ..turn.read() }).await.expect("settled");
    assert_eq!(world.store().get(&id).expect("read").health, Health::Ok);
}

#[tokio::test]
async fn one_token_is_at_hand_without_the_list_and_without_a_store() {
    let world = World::new();
    let store = world.made().await;
    let credential = mytoken("toar", "mt-1", 1);
    let id = credential.id.clone();
    store.add(credential).await.expect("kept");
    let folder = world.place().folder;
    std::fs::remove_file(folder.join("list")).expect("was there");
    let at_hand = |name: &str| fast::at_hand(&folder, name, &*world.session, &*world.clock).expect("safe");
    assert_eq!(value_of(&at_hand("toar").expect("held")), "mt-1");
    assert_eq!(at_hand("tar"), None);
    assert_eq!(at_hand("../keys"), None);

    // Whoever waited for the turn finds what the one before did, and may go on with the same turn.
    let turn = store.turn(&id).await.expect("held");
    let waiting = std::thread::spawn({
        let (folder, id) = (folder.clone(), id.clone());
        move || fast::wait_turn(&folder, &id, "toktui token toar", from_epoch(0))
    });
    turn.intend().await.expect("room");
    assert_eq!(at_hand("toar").expect("held").health, Health::Ok);
    turn.save(rotated(turn.read(), "mt-2", &store)).await.expect("saved");
    drop(turn);
    let lock = waiting.join().expect("no panic").expect("got it");
    assert_eq!(value_of(&at_hand("toar").expect("held")), "mt-2");
    let next = world.store();
    next.take_over(id.clone(), lock);
    assert_eq!(value_of(&next.turn(&id).await.expect("not waited for again").read()), "mt-2");

    store.lock();
    assert_eq!(at_hand("toar"), None);
}

#[tokio::test]
async fn without_a_store_a_bare_access_token_lives_as_long_as_the_session() {
    let world = World::new();
    let store = world.store();
    let bare = Credential {
        grant: Grant::Bare,
        access: vec![(Ask::default(), access("at-1"))],
        ..mytoken("pasted", "-", 1)
    };
    let id = bare.id.clone();
    store.add(bare).await.expect("kept");
    store.add(mytoken("toar", "mt-1", 1)).await.expect("in memory");
    let held: Vec<_> = store.held().iter().map(|held| held.custody.clone()).collect();
    assert_eq!(held, [Custody::Session, Custody::MemoryOnly]);
    let other = world.store();
    assert_eq!(other.vault().access, Access::NoStore);
    assert_eq!(other.get(&id).expect("same session").access[0].1.value.expose(), "at-1");
    assert!(
        fast::at_hand(&world.place().folder, "pasted", &*world.session, &*world.clock)
            .expect("safe")
            .is_some()
    );

    let later = World { session: Arc::default(), ..world };
    let after = later.store();
    assert_eq!(after.held()[0].health, Health::Dead(why::SESSION_OVER.to_owned()));
    assert_eq!(after.get(&id), Err(Error::SessionOver));
    let turn = after.turn(&id).await.expect("it can be forgotten");
    after.remove(&turn).await.expect("forgotten");
    assert!(later.store().held().is_empty());
}
