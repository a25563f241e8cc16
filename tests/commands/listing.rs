//! What is held, told to a person and to a script.

use serde_json::Value;

use super::world::{Home, Servers, access_token, now};

/// Keys and types of a JSON value: what `--json` promises.
pub fn types(value: &Value, depth: usize) -> String {
    let indent = "  ".repeat(depth + 1);
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "boolean".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::String(_) => "string".to_owned(),
        Value::Array(list) => format!("[{}]", list.first().map_or(String::new(), |one| types(one, depth))),
        Value::Object(fields) => {
            let line = |(key, one): (&String, &Value)| format!("\n{indent}{key}: {}", types(one, depth + 1));
            fields.iter().map(line).collect()
        }
    }
}

#[test]
fn json_has_the_promised_shape_for_each_kind() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    home.keep("batch", &access_token(now(), 600, "jane"));
    home.keep("toar", &servers.mytoken(Some(5), None));
    home.log_in(&servers, "grid", "wlcg");
    let list = home.json(&["list", "--json"]);
    let names: Vec<_> = list["tokens"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["batch", "toar", "wlcg"]);
    let kinds: Vec<_> = list["tokens"].as_array().unwrap().iter().map(|one| one["kind"].clone()).collect();
    assert_eq!(kinds, ["access_token", "mytoken", "login"]);
    let shapes: Vec<String> = list["tokens"].as_array().unwrap().iter().map(|one| types(one, 0)).collect();
    insta::assert_snapshot!("list_json_of_each_kind", shapes.join("\n--"));
    insta::assert_snapshot!(
        "list_json",
        types(
            &serde_json::json!({
        "version": list["version"], "now": list["now"], "store": list["store"] }),
            0
        )
    );
    insta::assert_snapshot!("store_status_json", types(&home.json(&["store", "status", "--json"]), 0));
    home.good(&["token", "toar"]);
    insta::assert_snapshot!("history_json", types(&home.json(&["history", "toar", "--json"]), 0));
    // A full list by another way of parsing says the same.
    let said = home.run(&["list", "--json", "--ending", "9999d"]);
    assert_eq!(said.code, 3);
    let full: Value = serde_json::from_str(&said.out).unwrap();
    let of = |list: &Value| list["tokens"].as_array().unwrap()[0]["id"].clone();
    assert_eq!(of(&full), of(&list));
}

#[test]
fn a_person_reads_two_clocks_a_row() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    home.keep("batch", &access_token(now(), 630, "jane"));
    home.log_in(&servers, "grid", "wlcg");
    let table = home.good(&["list"]);
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("NAME") && lines.len() == 3, "{table}");
    assert!(lines[1].contains("10m") && lines[1].contains(" - "), "{table}");
    assert!(lines[2].contains("59m") && lines[2].contains("393d"), "{table}");
}

#[test]
fn what_ends_is_a_mail_with_the_command_that_helps_and_nothing_is_no_mail() {
    let servers = Servers::open();
    let Some(home) = Home::unlocked(&servers.config()) else { return };
    home.keep("batch", &access_token(now(), 630, "jane"));
    home.keep("toar", &servers.mytoken(Some(5), None));
    home.log_in(&servers, "grid", "wlcg");
    let silent = |words: &[&str]| {
        let said = home.run(words);
        assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, "", ""), "{words:?}");
    };
    silent(&["list", "--ending", "1m"]);
    home.good(&["lock"]);
    silent(&["list", "--ending", "1m"]);
    let none: Value = serde_json::from_str(&home.good(&["list", "--ending", "1m", "--json"])).unwrap();
    assert_eq!(none["tokens"], serde_json::json!([]));
    // The store is locked.
    let said = home.run(&["list", "--ending", "2d"]);
    assert_eq!((said.code, said.err.as_str()), (3, ""), "{said:?}");
    let lines: Vec<&str> = said.out.lines().collect();
    assert!(lines.len() == 3 && lines[0].starts_with("NAME"), "{}", said.out);
    assert!(lines[1].contains("in 10m") && lines[1].contains(" UTC") && lines[1].ends_with("access token"));
    assert!(
        lines[2].contains("in 23h") && lines[2].ends_with("toktui mytoken successor toar"),
        "{}",
        said.out
    );
    let said = home.run(&["list", "--ending", "400d"]);
    assert!(
        said.out.contains("in 393d") && said.out.contains("toktui login grid --name wlcg"),
        "{}",
        said.out
    );
}

#[test]
fn what_has_ended_is_told_until_it_is_forgotten_and_what_was_revoked_on_purpose_is_not() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    home.keep("over", &access_token(now(), 2, "jane"));
    home.keep("toar", &servers.mytoken(Some(1), None));
    home.good(&["token", "toar"]);
    assert_eq!(home.run(&["info", "toar"]).code, 3, "its server tells that its use is spent");
    std::thread::sleep(std::time::Duration::from_secs(3));
    let said = home.run(&["list", "--ending", "1s"]);
    assert_eq!(said.code, 3);
    assert!(said.out.contains("ended just now") && said.out.contains("used up"), "{}", said.out);
    home.good(&["revoke", "toar", "--yes"]);
    home.good(&["forget", "over"]);
    assert_eq!(
        (home.run(&["list", "--ending", "1s"]).out, home.run(&["list", "--ending", "1s"]).code),
        (String::new(), 0)
    );
}

#[test]
fn a_hostile_name_or_subject_moves_no_terminal_and_stays_json() {
    let home = Home::new();
    let subject = "x\u{1b}]52;c;eA==\u{7}\u{9b}31m\u{202e}\u{7f}y";
    home.keep("batch", &access_token(now(), 600, subject));
    for words in [&["list"][..], &["list", "--json"], &["info", "batch"], &["info", "batch", "--json"]] {
        let said = home.run(words);
        let all = format!("{}{}", said.out, said.err);
        assert!(all.chars().all(|c| c == '\n' || !c.is_control()), "{words:?}: {all:?}");
        assert!(!all.contains('\u{202e}'), "{words:?}");
    }
    assert_eq!(home.json(&["info", "batch", "--json"])["jwt"]["claims"]["sub"], subject);
}

#[test]
fn nothing_held_says_how_to_begin() {
    let said = Home::empty().run(&["list"]);
    assert_eq!(said.code, 0);
    assert!(said.out.contains("toktui login"), "{said:?}");
    let none = Home::empty().json(&["list", "--json"]);
    assert_eq!((&none["store"], &none["tokens"]), (&"none".into(), &serde_json::json!([])));
}

#[test]
fn a_name_that_is_not_held_is_code_two_and_names_the_nearest() {
    let home = Home::new();
    home.keep("batch", &access_token(now(), 600, "jane"));
    for words in [
        &["token", "bat"][..],
        &["info", "bat"],
        &["history", "bat"],
        &["renew", "bat"],
        &["revoke", "bat", "--yes"],
        &["forget", "bat"],
        &["rename", "bat", "x"],
    ] {
        let said = home.run(words);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{words:?}: {said:?}");
        assert_eq!(said.err.lines().count(), 1, "{words:?}: {said:?}");
    }
    assert!(home.run(&["token", "bat"]).err.contains("`batch`"));
}

#[test]
fn the_verdict_on_what_is_held_is_the_exit_code() {
    let servers = Servers::open();
    let home = Home::at(&servers);
    home.keep("toar", &servers.mytoken(Some(5), None));
    home.keep("over", &access_token(now(), 2, "jane"));
    home.keep("batch", &access_token(now(), 600, "omar"));
    assert_eq!(home.run(&["info", "toar"]).code, 0);
    assert_eq!(home.run(&["info", "batch"]).code, 0);
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert_eq!(home.run(&["info", "over"]).code, 3);
    let said = home.run(&["revoke", "toar"]);
    assert_eq!(said.code, 2, "nobody was asked: {said:?}");
    assert!(said.err.contains("--yes"));
    let said = home.run(&["revoke", "toar", "--yes"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.starts_with("Revoked toar."), "{said:?}");
    assert_eq!(home.run(&["info", "toar"]).code, 3);
    assert_eq!(home.run(&["token", "toar"]).code, 3);
    assert_eq!(home.json(&["list", "--json"])["tokens"][0]["health"], "dead");
    let history = home.good(&["history", "toar", "--local"]);
    assert!(history.contains("revoked") && history.contains("kept"), "{history}");
}

#[test]
fn a_store_that_a_key_file_opens_is_not_called_one_to_unlock() {
    let home = Home::new();
    home.keep("batch", &access_token(now(), 600, "jane"));
    let said = home.run(&["list"]);
    assert!(said.code == 0 && said.out.contains("batch"), "{said:?}");
    assert_eq!(said.err, "", "nobody has to do anything");
}
