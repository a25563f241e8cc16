//! Something is kept, and is there for the next command: sealed, private, under its name.

use serde_json::Value;

use super::world::{Home, Servers, access_token, now};

#[test]
fn what_one_command_keeps_the_next_one_prints() {
    let home = Home::new();
    let token = access_token(now(), 600, "jane");
    assert_eq!(home.keep("batch", &token).out, "Kept as batch, sealed; the key lies in a file.\n");
    let said = home.run(&["token", "batch"]);
    assert_eq!((said.code, said.out, said.err), (0, format!("{token}\n"), String::new()));
}

#[test]
fn a_name_that_is_taken_or_none_is_refused_and_nothing_is_kept() {
    let home = Home::new();
    home.keep("batch", &access_token(now(), 600, "jane"));
    for (name, why) in [("batch", "already the name"), ("a b", "a name has"), ("../x", "a name has")] {
        let said = home.feed(&["keep", name], &access_token(now(), 700, "omar"));
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.err.contains(why) && said.out.is_empty(), "{said:?}");
    }
    let said = home.feed(&["keep", "--", "-rf"], &access_token(now(), 700, "omar"));
    assert_eq!(said.code, 2, "{said:?}");
    assert_eq!(home.json(&["list", "--json"])["tokens"].as_array().unwrap().len(), 1);
}

#[test]
fn what_cannot_be_a_token_is_wrong_usage() {
    let home = Home::new();
    for input in ["", "   \n", "two words", "\u{1b}[2J"] {
        let said = home.feed(&["keep", "x"], input);
        assert_eq!(said.code, 2, "{input:?}: {said:?}");
        assert!(!said.err.contains('\u{1b}'));
    }
}

#[test]
fn every_file_is_its_owners_alone_and_none_holds_a_token() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    let mytoken = servers.mytoken(Some(5), None);
    home.keep("toar", &mytoken);
    home.log_in(&servers, "checkin", "egi");
    let access = home.good(&["token", "toar"]);
    for (path, mode) in home.files().into_iter().filter(|(path, _)| !path.ends_with("config")) {
        if path.ends_with("config.toml") {
            continue;
        }
        assert_eq!(mode & 0o077, 0, "{} is {mode:o}", path.display());
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            for secret in [mytoken.as_bytes(), access.trim().as_bytes()] {
                // Claims stand in the open nowhere, so not even a part of the middle does.
                for part in secret[secret.len() / 2..].chunks(24).filter(|part| part.len() == 24) {
                    let holds = bytes.windows(24).any(|window| window == part);
                    assert!(!holds, "a piece of a token is in {}", path.display());
                }
            }
        }
    }
}

#[test]
fn a_renamed_token_keeps_its_id_and_a_forgotten_one_is_gone() {
    let home = Home::new();
    home.keep("batch", &access_token(now(), 600, "jane"));
    let id = home.json(&["list", "--json"])["tokens"][0]["id"].clone();
    assert_eq!(home.good(&["rename", "batch", "night"]), "batch is night now.\n");
    let list = home.json(&["list", "--json"]);
    assert_eq!((&list["tokens"][0]["id"], &list["tokens"][0]["name"]), (&id, &"night".into()));
    assert_eq!(home.run(&["token", "batch"]).code, 2);
    assert_eq!(home.good(&["forget", "night"]), "Forgot night.\n");
    assert_eq!(home.run(&["token", "night"]).code, 2);
    assert_eq!(home.json(&["list", "--json"])["tokens"], serde_json::json!([]));
}

#[test]
fn without_a_store_nothing_is_kept_and_the_line_that_makes_one_is_named() {
    let home = Home::empty();
    let said = home.feed(&["keep", "batch"], &access_token(now(), 600, "jane"));
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.err.contains("toktui store init"), "{said:?}");
    assert!(!home.path().join("store").exists(), "nothing is left behind");
}

#[test]
fn a_backup_brings_everything_back_elsewhere_and_opens_only_with_its_passphrase() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    let token = access_token(now(), 600, "jane");
    home.keep("batch", &token);
    home.log_in(&servers, "grid", "wlcg");
    let access = home.good(&["token", "wlcg"]);
    let file = home.path().join("all.toktui");
    let path = file.to_str().unwrap();
    let said = home.feed(&["export", "--to", path, "--passphrase-stdin"], "correct horse\n");
    assert_eq!(said.code, 0, "{said:?}");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains(&token[..40]) && !text.contains("wlcg"), "it is sealed");
    assert_eq!(home.run(&["export", "--to", path, "--plain"]).code, 2, "nobody typed the word");
    let other = Home::at(&servers);
    assert_eq!(other.feed(&["restore", path, "--passphrase-stdin"], "wrong\n").code, 3);
    let said = other.feed(&["restore", path, "--passphrase-stdin"], "correct horse\n");
    assert_eq!((said.code, said.out.as_str()), (0, "batch: restored\nwlcg: restored\n"), "{said:?}");
    assert_eq!(other.good(&["token", "batch"]).trim(), token);
    assert_eq!(other.good(&["token", "wlcg"]), access);
    let said = other.feed(&["restore", path, "--passphrase-stdin"], "correct horse\n");
    assert_eq!(said.out, "batch: held already, as batch\nwlcg: held already, as wlcg\n", "{said:?}");
    std::fs::write(&file, "{}").unwrap();
    assert_eq!(other.run(&["restore", path]).code, 2);
}

/// Killed between the file of what is kept and the list, a program leaves a list that says nothing of it.
#[test]
fn what_was_kept_and_never_told_of_is_listed_all_the_same() {
    let home = Home::new();
    home.keep("first", &access_token(now(), 600, "jane"));
    let list = home.path().join("store/list");
    let before = std::fs::read(&list).unwrap();
    let second = access_token(now(), 600, "john");
    home.keep("second", &second);
    assert_ne!(std::fs::read(&list).unwrap(), before, "the list tells of it");
    std::fs::write(&list, before).unwrap();
    let names = |listed: Value| -> Vec<String> {
        listed["tokens"].as_array().unwrap().iter().map(|one| one["name"].to_string()).collect()
    };
    assert_eq!(names(home.json(&["list", "--json"])), ["\"first\"", "\"second\""]);
    assert_eq!(home.good(&["token", "second"]).trim(), second);
}
