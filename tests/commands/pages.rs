//! Completions and manual pages, made when they are asked for.

use std::process::Command;

use super::world::Home;

const COMMANDS: [&str; 30] = [
    "login",
    "token",
    "copy",
    "list",
    "info",
    "compare",
    "keep",
    "userinfo",
    "command",
    "refresh-token",
    "manage",
    "history",
    "renew",
    "revoke",
    "forget",
    "rename",
    "unlock",
    "lock",
    "store",
    "completions",
    "man",
    "sandbox",
    "demo",
    "store init",
    "provider",
    "provider list",
    "provider show",
    "provider add",
    "provider remove",
    "provider check",
];

#[test]
fn every_command_has_a_help_that_ends_and_a_page() {
    let home = Home::empty();
    for command in COMMANDS {
        let words: Vec<&str> = command.split(' ').collect();
        let help = home.good(&[&words[..], &["--help"]].concat());
        assert!(help.contains("Usage: toktui"), "{command}: {help}");
        let page = home.good(&[&["man"], &words[..]].concat());
        assert!(page.contains(".TH") && page.contains("SYNOPSIS"), "{command}");
    }
    let said = home.run(&["man", "nothing"]);
    assert_eq!(said.code, 2, "{said:?}");
}

#[test]
fn json_shapes_and_exit_codes_stand_in_the_pages() {
    let home = Home::empty();
    for (command, word) in [("list", "uses_left"), ("history", "server_error"), ("token", "Exit codes")] {
        let page = home.good(&["man", command]);
        assert!(page.contains(word), "{command}: {page}");
    }
}

#[test]
fn each_shell_takes_its_completions() {
    let home = Home::empty();
    for (shell, check) in [("bash", &["bash", "-n"][..]), ("zsh", &["zsh", "-n"]), ("fish", &["fish", "-n"])]
    {
        let text = home.good(&["completions", shell]);
        assert!(text.contains("toktui") && text.contains("min-life"), "{shell}");
        let path = home.path().join(shell);
        std::fs::write(&path, text).unwrap();
        // A shell that is not here says nothing about it.
        if let Ok(status) = Command::new(check[0]).args(&check[1..]).arg(&path).status() {
            assert!(status.success(), "{shell} does not read its completions");
        }
    }
    assert_eq!(home.run(&["completions", "tcsh"]).code, 2);
}
