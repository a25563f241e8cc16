//! No piece of any secret of a making, in nothing that is left behind, said or seen from outside: neither tokens nor codes nor the end of
//! a consent page's address.

use std::process::Command;

use serde_json::Value;

use crate::canaries::{Canaries, Watcher};
use crate::home::Ran;
use crate::making::{ALL, CHILD, Making, PARENT, Stage};
use crate::share;

/// As loud as it can be.
fn loud(mut command: Command) -> Command {
    command.arg("-vvv").env("RUST_BACKTRACE", "full").env("RUST_LOG", "trace");
    command
}

/// All that a run said, but what was asked for: the code of a hand-over, and the one line with the consent page's address.
fn said_by(making: Option<Making>, ran: &Ran) -> String {
    let gives = making == Some(Making::HandOver) && ran.code == Some(0);
    let is_address = |line: &str| line.trim_start().starts_with("http") && line.contains("/c/");
    let mut addresses = 0;
    let err: Vec<&str> = ran
        .err
        .lines()
        .filter(|line| {
            let first = is_address(line) && addresses == 0;
            addresses += usize::from(first);
            !first
        })
        .collect();
    format!("{}{}", err.join("\n"), if gives { "" } else { &ran.out })
}

#[test]
fn no_secret_of_a_making_is_left_behind_said_or_seen_at_the_highest_level() {
    let stage = Stage::open();
    let watcher = Watcher::start();
    let mut said: Vec<(String, String)> = Vec::new();
    let mut note = |what: &str, making: Option<Making>, ran: &Ran| {
        assert_ne!(ran.code, Some(2), "{what} did nothing that could tell a secret: {ran:?}");
        said.push((what.to_owned(), said_by(making, ran)));
    };
    let plain = |words: &str| {
        let words: Vec<&str> = words.split(' ').collect();
        stage.start(loud(stage.home.command(&words)), None).end()
    };
    let mut used = Vec::new();
    for making in ALL {
        let code = stage.code_for(making);
        let ran = stage.start(loud(stage.command(making)), code.as_deref()).end();
        assert_eq!(ran.code, Some(0), "{making:?}: {ran:?}");
        note(&format!("{making:?}"), Some(making), &ran);
        if making != Making::HandOver {
            let ran = plain(&format!("rename {CHILD} by-{making:?}"));
            note("rename", None, &ran);
        }
        used.extend(code);
    }
    let listed = stage.home.run(&["mytoken", "tree", PARENT, "--json"]);
    let listed: Value = serde_json::from_str(&listed.out).unwrap();
    let ids: Vec<&str> =
        listed["mytokens"].as_array().unwrap().iter().filter_map(|one| one["mom_id"].as_str()).collect();
    assert!(ids.len() > 2, "{listed}");
    let last = ids[ids.len() - 1];
    for words in [
        format!("mytoken list mt --via {PARENT} --last-used"),
        format!("mytoken list mt --via {PARENT} --json"),
        format!("mytoken tree {PARENT}"),
        format!("mytoken history {PARENT}"),
        format!("mytoken history --id {last} --via {PARENT}"),
        format!("mytoken revoke --id {last} --via {PARENT} --recursive --yes"),
        "mytoken servers".to_owned(),
        "mytoken profiles mt".to_owned(),
        "mytoken create other --server mt --capability AT --dry-run".to_owned(),
        format!("mytoken create other --from {PARENT} --capability AT --uses 5 --other-uses 5 --json"),
        format!("mytoken outlast {PARENT} --for 36h"),
        format!("mytoken would-work {PARENT} --from 192.0.2.7"),
        format!("history {PARENT}"),
        "list".to_owned(),
    ] {
        note(&words, None, &plain(&words));
    }
    // A code that is used up, one that is none, and servers that lose their answers.
    for code in [&used[0], "gHtKmPqZ"] {
        let ran = stage.start(loud(stage.command(Making::Redeem)), Some(code)).end();
        assert_ne!(ran.code, Some(0), "{ran:?}");
        note("redeem what is used up", None, &ran);
    }
    let code = stage.new_code();
    stage.giver.mytokens.traps().answers_get_lost = true;
    for making in ALL {
        let ran = stage.start(loud(stage.command(making)), Some(&code)).end();
        assert_ne!(ran.code, Some(0), "{ran:?}");
        note(&format!("lost: {making:?}"), None, &ran);
    }
    stage.giver.mytokens.traps().answers_get_lost = false;
    note("in doubt", None, &plain(&format!("mytoken list mt --via {PARENT}")));

    let secrets = [stage.giver.mine.secrets(), stage.giver.issued(), used, vec![code]].concat();
    let canaries = Canaries::of(secrets.iter().map(String::as_str));
    let (looks, seen, shown) = watcher.end(&canaries);
    share::say(&format!(
        "{} secrets of makings ({} pieces), {} runs, {looks} looks at the processes ({seen} different texts)",
        secrets.len(),
        canaries.count(),
        said.len()
    ));
    assert!(secrets.len() > 15, "{}", secrets.len());
    assert_eq!(canaries.found_below(stage.home.path()), Vec::<String>::new());
    assert_eq!(shown, Vec::<String>::new(), "arguments and environments");
    for (words, said) in said {
        assert_eq!(canaries.found_in(said.as_bytes()), None, "{words} said: {said}");
    }
}
