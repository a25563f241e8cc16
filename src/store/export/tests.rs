//! What an export promises.

use super::*;
use crate::domain::credential::{Ask, Copy, MytokenGrant};
use crate::domain::mytoken::Facts;
use crate::domain::time::from_epoch;

fn mytoken(name: &str, value: &str, number: u64) -> Credential {
    let rotation = Rotation::from_json(serde_json::json!({"on_AT": true}).as_object().expect("an object"));
    let facts = Facts { mom_id: Some(name.into()), rotation: Some(rotation), ..Facts::default() };
    Credential {
        id: fresh_id().expect("random"),
        name: name.to_owned(),
        source: "mytoken-kit".into(),
        identity: None,
        grant: Grant::Mytoken(Box::new(MytokenGrant {
            server: "https://mytoken.example.org".to_owned(),
            current: Copy::first(Secret::new(value), number),
            facts,
            heard: None,
            short: false,
        })),
        custody: Custody::MemoryOnly,
        health: Health::Ok,
        ask: Ask::default(),
        access: Vec::new(),
        since: from_epoch(0),
        pause: None,
    }
}

fn passphrase() -> Secret {
    Secret::new("a horse")
}

/// A store that holds these, and its export.
async fn exported(credentials: &[Credential]) -> (Store, Vec<u8>) {
    let store = Store::in_memory().expect("random");
    for credential in credentials {
        store.add(credential.clone()).await.expect("free");
    }
    let ids: Vec<_> = credentials.iter().map(|credential| credential.id.clone()).collect();
    let exported = store.export_at(Cost::LEAST, &ids, passphrase(), from_epoch(9)).await.expect("sealed");
    assert_eq!(exported.left_out, []);
    (store, exported.bytes.to_vec())
}

async fn imported(into: &Store, bytes: &[u8]) -> Imported {
    into.import(bytes.to_vec(), passphrase()).await.expect("opens")
}

fn pair(from: &str, to: &str) -> (String, String) {
    (from.to_owned(), to.to_owned())
}

#[tokio::test]
async fn what_was_exported_comes_back_and_what_rotates_in_doubt() {
    let credentials = [mytoken("toar", "mt-1", 1), mytoken("egi", "mt-2", 3)];
    let (_, bytes) = exported(&credentials).await;
    let text = String::from_utf8(bytes.clone()).expect("text");
    assert!(
        !text.contains("mt-1") && text.starts_with("{\"v\":1,\"what\":\"sealed export of toktui\""),
        "{text}"
    );

    let empty = Store::in_memory().expect("random");
    let result = imported(&empty, &bytes).await;
    assert_eq!(result.taken, [pair("toar", "toar"), pair("egi", "egi")]);
    assert!(result.whole && result.lost == 0 && result.failed.is_empty());
    for credential in credentials {
        let back = empty.get(&credential.id).expect("held");
        assert_eq!(back.health, Health::InDoubt(why::RESTORED.to_owned()));
        assert_eq!(Credential { health: Health::Ok, ..back }, credential);
    }
}

#[tokio::test]
async fn an_import_changes_nothing_that_is_held() {
    let (store, bytes) = exported(&[mytoken("toar", "mt-1", 1), mytoken("egi", "mt-2", 3)]).await;
    let before = store.held();
    let result = imported(&store, &bytes).await;
    assert_eq!(result.held, [pair("toar", "toar"), pair("egi", "egi")]);
    assert_eq!(store.held(), before);

    // One was renewed since, and is known by its fingerprint; the other one is gone, and its name taken.
    let turn = store.turn(&store.find("toar").expect("held")).await.expect("held");
    let mut renewed = turn.read();
    if let Grant::Mytoken(grant) = &mut renewed.grant {
        grant.current.supersede(Secret::new("mt-9"), None, &store.fingerprint_key());
        grant.facts.mom_id = None;
    }
    turn.save(renewed.clone()).await.expect("kept");
    store.remove(&store.turn(&store.find("egi").expect("held")).await.expect("held")).await.expect("gone");
    store.add(mytoken("egi", "other", 1)).await.expect("free");
    let result = imported(&store, &bytes).await;
    assert_eq!(result.held, [pair("toar", "toar")]);
    assert_eq!(result.taken, [pair("egi", "egi-2")]);
    assert_eq!(store.get(&renewed.id).expect("held"), renewed);
}

#[tokio::test]
async fn a_newer_copy_of_the_same_family_is_recognised_in_another_store_too() {
    let (_, bytes) = exported(&[mytoken("toar", "mt-1", 1)]).await;
    let other = Store::in_memory().expect("random");
    other.add(Credential { name: "mine".to_owned(), ..mytoken("toar", "mt-7", 7) }).await.expect("free");
    assert_eq!(imported(&other, &bytes).await.held, [pair("toar", "mine")]);
}

#[tokio::test]
async fn fingerprints_of_another_store_are_forgotten_and_our_own_kept() {
    let mut credential = mytoken("toar", "mt-1", 1);
    let store = Store::in_memory().expect("random");
    if let Grant::Mytoken(grant) = &mut credential.grant {
        grant.current.supersede(Secret::new("mt-2"), None, &store.fingerprint_key());
    }
    let prints = tag(&store.fingerprint_key());
    let bytes = sealed(&[credential], &passphrase(), Cost::LEAST, from_epoch(9), prints).expect("sealed");
    assert_eq!(imported(&store, &bytes).await.taken.len(), 1);
    assert!(store.newer_than(&Secret::new("mt-1"), None).is_some());
    let other = Store::in_memory().expect("random");
    assert_eq!(imported(&other, &bytes).await.taken.len(), 1);
    let Grant::Mytoken(grant) = other.get(&other.find("toar").expect("held")).expect("held").grant else {
        panic!("a mytoken")
    };
    assert_eq!(grant.current.superseded, []);
}

#[tokio::test]
async fn an_export_opens_only_with_its_passphrase_and_says_when_it_is_none() {
    let (store, bytes) = exported(&[mytoken("toar", "mt-1", 1)]).await;
    assert_eq!(store.import(bytes.clone(), Secret::new("a house")).await, Err(Error::DoesNotOpen));
    let none = store.export(&[], Secret::new(""), from_epoch(0)).await.expect_err("no passphrase");
    assert_eq!(none, Error::EmptyPassphrase);
    let newer = record::line(b"{\"v\":2}", "");
    assert!(matches!(store.import(newer, passphrase()).await, Err(Error::ReadOnly(_))));
    for other in [
        b"".to_vec(),
        b"{}\n".to_vec(),
        record::line(b"{}", ""),
        record::line(b"{\"v\":1}", ""),
        vec![b'\n'; 9],
    ] {
        assert!(matches!(store.import(other, passphrase()).await, Err(Error::Damaged(_))));
    }
}

#[tokio::test]
async fn a_damaged_export_gives_what_reads_and_says_that_it_is_not_whole() {
    let credentials = [mytoken("a", "mt-1", 1), mytoken("b", "mt-2", 1), mytoken("c", "mt-3", 1)];
    let (_, bytes) = exported(&credentials).await;
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let is_one = |read: &Credential| {
        credentials.iter().any(|one| *one == Credential { custody: Custody::MemoryOnly, ..read.clone() })
    };
    // A byte of each line, every cut, a line left out, lines in another order, a line added.
    let mut harmed: Vec<Vec<u8>> =
        (lines[0].len()..bytes.len()).step_by(3).map(|cut| bytes[..cut].to_vec()).collect();
    for at in (lines[0].len()..bytes.len()).step_by(5) {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        harmed.push(changed);
    }
    harmed.push([lines[0], lines[1], lines[3], lines[4]].concat());
    harmed.push([lines[0], lines[2], lines[1], lines[3], lines[4]].concat());
    harmed.push([&bytes[..], lines[1]].concat());
    for bytes in harmed {
        let read = read(&bytes, &passphrase()).expect("its first line is whole");
        // Only the last line feed is nobody's.
        assert!(!read.whole || bytes.len() + 1 >= lines.concat().len(), "{}", bytes.len());
        assert!(read.credentials.len() + read.lost >= 3 && read.credentials.iter().all(is_one));
        assert!(read.credentials.len() >= 2 || bytes.len() < lines.concat().len());
    }
    // Nothing of the first line may change either.
    for at in 0..lines[0].len() - 1 {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(read(&changed, &passphrase()).is_err(), "{at}");
    }
}

#[tokio::test]
async fn plain_text_is_a_separate_wish() {
    let (store, _) = exported(&[mytoken("toar", "mt-1", 1)]).await;
    let ids: Vec<_> = store.held().iter().map(|held| held.id.clone()).collect();
    let plain = store.export_in_plain_text(&ids, from_epoch(0)).expect("open");
    let text = String::from_utf8(plain.bytes.to_vec()).expect("text");
    assert!(text.contains("mt-1") && text.lines().next().is_some_and(|line| line.contains("IN PLAIN TEXT")));
    assert!(text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    let gone = store.export_in_plain_text(&[CredentialId("x".to_owned())], from_epoch(0)).expect("open");
    assert_eq!(gone.left_out, [("x".to_owned(), Error::Gone)]);
}
