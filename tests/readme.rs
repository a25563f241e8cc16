//! README says what the code does: its key table is the one that the keymap makes.

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
