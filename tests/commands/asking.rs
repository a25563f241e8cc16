//! What is asked at a terminal: the first question, a passphrase, a word before something ends.

use super::world::{Home, PASSPHRASE, access_token, now};

#[test]
fn a_passphrase_makes_the_store_locks_it_and_opens_it_again_unseen() {
    let home = Home::empty();
    let mut seat = home.seat(&["store", "init", "--passphrase"]);
    seat.sees("New passphrase:").types("correct horse").sees("The same again:").types("correct house");
    seat.sees("They differ").sees("New passphrase:").types("correct horse");
    seat.sees("The same again:").types("correct horse");
    let (code, rest) = seat.ends();
    assert_eq!(code, 0, "{rest}");
    assert!(rest.contains("guarded by a passphrase") && !rest.contains("correct"), "{rest}");
    home.good(&["lock"]);
    assert_eq!(home.json(&["store", "status", "--json"])["access"], "locked");
    let said = home.feed(&["unlock", "-"], "wrong\n");
    assert_eq!(said.code, 3, "{said:?}");
    let mut seat = home.seat(&["unlock"]);
    seat.sees("Passphrase of the toktui store:").types("wrong").sees("does not open");
    seat.sees("Passphrase").types("correct horse");
    let (code, rest) = seat.ends();
    assert_eq!(code, 0, "{rest}");
    assert!(!rest.contains("correct"), "{rest}");
    assert_eq!(home.feed(&["unlock", "-"], "correct horse\n").code, 0);
}

#[test]
fn the_first_question_is_asked_when_something_is_to_be_kept_and_a_key_file_takes_the_word() {
    let home = Home::empty();
    let mut seat = home.seat(&["store", "init"]);
    seat.sees("What guards the key").sees("a passphrase").types("7").sees("none of them").types("plain");
    let (code, rest) = seat.ends();
    assert_eq!(code, 0, "{rest}");
    assert_eq!(home.json(&["store", "status", "--json"])["guards"], serde_json::json!(["key_file"]));
    let key = home.path().join("other");
    let mut seat = home.seat(&["store", "guard", "--key-file", key.to_str().unwrap()]);
    seat.sees("Type `plain`").types("yes");
    assert_eq!(seat.ends().0, 2);
    assert_eq!(home.run(&["store", "init"]).code, 2, "there is one");
}

#[test]
fn a_locked_store_asks_once_a_session_and_does_what_was_wanted() {
    let Some(home) = Home::unlocked("") else { return };
    let token = access_token(now(), 600, "jane");
    home.keep("batch", &token);
    home.good(&["lock"]);
    let list = home.json(&["list", "--json"]);
    assert_eq!((&list["store"], &list["tokens"][0]["name"]), (&"locked".into(), &"batch".into()));
    let said = home.run(&["token", "batch"]);
    assert_eq!((said.code, said.out.as_str()), (3, ""), "{said:?}");
    assert!(said.err.contains("toktui unlock"), "{said:?}");
    let mut seat = home.seat(&["token", "batch", "--show"]);
    seat.sees("Passphrase").types(PASSPHRASE).sees(&token);
    assert_eq!(seat.ends().0, 0);
    assert_eq!(home.run(&["token", "batch"]).out.trim(), token, "one unlock a session");
}

#[test]
fn a_terminal_gets_no_token_unless_it_is_asked_for() {
    let home = Home::new();
    let token = access_token(now(), 600, "jane");
    home.keep("batch", &token);
    let mut seat = home.seat(&["token", "batch"]);
    seat.sees("--show");
    let (code, rest) = seat.ends();
    assert_eq!(code, 2, "{rest}");
    assert!(!rest.contains(&token[..20]));
    let mut seat = home.seat(&["token", "batch", "--show"]);
    seat.sees(&token);
    assert_eq!(seat.ends().0, 0);
}

#[test]
fn a_word_is_typed_before_something_ends() {
    let home = Home::new();
    home.keep("batch", &access_token(now(), 600, "jane"));
    let mut seat = home.seat(&["forget", "batch"]);
    seat.sees("lives on").types("no");
    assert_eq!(seat.ends().0, 1);
    let mut seat = home.seat(&["forget", "batch"]);
    seat.sees("Type `yes`").types("yes");
    assert_eq!(seat.ends().0, 0);
    assert_eq!(home.run(&["token", "batch"]).code, 2);
}

#[test]
fn ctrl_c_at_a_hidden_question_gives_the_terminal_back() {
    let home = Home::empty();
    let mut seat = home.seat(&["store", "init", "--passphrase"]);
    seat.sees("New passphrase:").presses(b"\x03");
    assert_eq!(seat.ends().0, 130);
    assert!(!home.path().join("store").join("keys").exists());
}
