//! README says what the code does: its key table is the one that the keymap makes, its commands and its config are taken.

use toktui::app::keymap;

const START: &str = "<!-- keys:start -->";
const END: &str = "<!-- keys:end -->";

#[test]
fn the_key_table_of_the_readme_is_the_one_of_the_keymap() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).expect("README.md is there");
    let (_, rest) = readme.split_once(START).expect("README.md opens its key table with a marker");
    let (table, _) = rest.split_once(END).expect("README.md closes its key table with a marker");
    assert_eq!(table.trim(), keymap::markdown().trim(), "put the right side between the markers");
}

#[test]
fn the_config_of_the_readme_is_one_that_toktui_takes_without_a_word() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).expect("README.md is there");
    let (_, rest) = readme.split_once("```toml\n").expect("README.md shows a config");
    let (text, _) = rest.split_once("```").expect("the config ends");
    let (config, problems) = toktui::config::Config::load(Some(text), std::path::Path::new("config.toml"));
    assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());
    assert!(config.source(&"job".into()).is_some() && config.source(&"mine".into()).is_some());
}

#[test]
fn every_command_of_the_readme_is_one() {
    use clap::CommandFactory;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).expect("README.md is there");
    let (_, rest) = readme.split_once("## Plain commands").expect("README.md lists the commands");
    let (_, rest) = rest.split_once("```text\n").expect("in a block");
    let (block, _) = rest.split_once("```").expect("the block ends");
    let commands = toktui::cli::Cli::command();
    let mut named = 0;
    for line in block.lines() {
        let words = line.strip_prefix("toktui").expect("each line is a command");
        // Two spaces end the command's own words; `lock | unlock` and `revoke|forget` are two.
        let words = words.trim_start_matches(' ').split("  ").next().unwrap_or_default();
        let lower = |word: &&str| word.starts_with(|c: char| c.is_ascii_lowercase());
        let first = words.split(' ').next().unwrap_or_default();
        let alternatives = words.split_once(" | ").map(|(_, second)| second).filter(lower);
        for name in first.split('|').chain(alternatives).filter(lower) {
            if line.len() > words.len() && line.starts_with("toktui  ") {
                continue;
            }
            assert!(commands.find_subcommand(name).is_some(), "{line}: there is no `{name}`");
            named += 1;
        }
    }
    assert!(named >= 3, "{named} commands were found");
}
