//! Completions and manual pages, made when they are asked for.

use std::process::Command;

use clap::CommandFactory as _;
use toktui::cli::Cli;

use super::world::Home;

/// The words of every command there is, also of those below another one.
fn commands() -> Vec<Vec<String>> {
    fn below(command: &clap::Command, above: &[String], all: &mut Vec<Vec<String>>) {
        for one in command.get_subcommands() {
            let words = [above, &[one.get_name().to_owned()]].concat();
            below(one, &words, all);
            all.push(words);
        }
    }
    let mut all = Vec::new();
    below(&Cli::command(), &[], &mut all);
    all
}

#[test]
fn every_command_has_a_help_that_ends_and_a_page() {
    let home = Home::empty();
    let commands = commands();
    for known in ["demo", "restore", "store init", "provider check", "mytoken hand-over"] {
        assert!(commands.iter().any(|words| words.join(" ") == known), "{known} is not in {commands:?}");
    }
    for command in commands {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let command = words.join(" ");
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
