//! Help, filter, palette, sort, times, and screens of every size.

use toktui::config::Config;

use crate::harness::{demo, empty};

fn presets() -> Vec<toktui::domain::source::Source> {
    Config::load(None, std::path::Path::new("config.toml")).0.sources
}

#[test]
fn the_first_run_says_what_to_do_first() {
    let mut board = empty(presets());
    stored!("first_run", board);
    board.play("?").shows(&["look at any token you have"]).hides(&["copy the access token"]);
}

#[test]
fn the_help_lists_what_works_now_and_runs_it() {
    let mut board = demo();
    board.play("?");
    stored!("help", board);
    board.play("jj <enter>").shows(&["access token", "header"]).hides(&["What works now"]);
}

#[test]
fn the_palette_runs_an_action_by_its_name() {
    let mut board = demo();
    board.play(": <type:filt>");
    stored!("palette", board);
    board.play("<enter> <type:toa>").shows(&["toar"]).hides(&["far-away"]);
}

#[test]
fn numbers_and_tab_move_between_the_panes_and_enter_acts_on_the_focused_one() {
    let mut board = demo();
    board.play("1").shows(&["▸ Check-in", "Enter log in"]);
    board.play("<tab>").shows(&["y copy"]).hides(&["Enter log in"]);
    board.play("<tab> <tab> <tab>").shows(&["Enter log in"]);
    board.play("<backtab> 2 <end>").shows(&["17 of 17"]).play("<home>").shows(&["1 of 17"]);
    board.play("<pgdn>").hides(&[" 1 of 17 "]);
}

#[test]
fn a_filter_narrows_while_it_is_typed_and_esc_shows_all() {
    let mut board = demo();
    board.play("/ <type:egi>").shows(&["egi", "old-egi"]).hides(&["cluster"]);
    stored!("filter", board);
    board.play("<enter>").hides(&["cluster"]);
    board.play("<esc>").shows(&["cluster"]);
}

#[test]
fn s_sorts_by_the_next_column() {
    let mut board = demo();
    board.play("s").shows(&["by name"]).hides(&["most urgent first"]);
}

#[test]
fn u_turns_utc_into_local_time() {
    let mut board = demo();
    board.shows(&["12:04 UTC"]).play("u").shows(&["13:04"]).hides(&["12:04 UTC"]);
}

#[test]
fn enter_shows_everything_held_under_a_name_and_no_secret() {
    let mut board = demo();
    board.select("toar").play("<enter>");
    stored!("details", board);
}

#[test]
fn no_screen_shows_a_piece_of_a_secret() {
    use toktui::domain::form::Form;
    let mut board = demo();
    let secrets: Vec<String> =
        [("wlcg", Form::AccessToken), ("wlcg", Form::RefreshToken), ("toar", Form::Mytoken)]
            .map(|(name, form)| board.secret(name, form))
            .into();
    for script in ["", "jj", "j", "<enter>", "<esc> Y", "<esc> 3 <enter>", "<esc> D", "<esc> i"] {
        board.play(script);
        let screen = board.text();
        for secret in &secrets {
            // The first characters of every JWT are the same: its payload and signature are what is secret.
            let body = secret.split('.').next_back().unwrap();
            let leak =
                body.as_bytes().windows(8).any(|part| screen.contains(std::str::from_utf8(part).unwrap()));
            assert!(!leak, "after {script}:\n{screen}");
        }
    }
}

#[test]
fn small_screens_show_what_fits() {
    let mut board = demo();
    board.play("<resize:40x12>");
    insta::assert_snapshot!("small_40x12", board.screen());
    board.play("<resize:20x3>");
    insta::assert_snapshot!("small_20x3", board.screen());
    board.play("<resize:1x1> jjy");
    board.play("<resize:120x34> <see:Copied the access token of wlcg>");
}

#[test]
fn every_window_survives_every_size() {
    let mut board = demo();
    for window in ["?", ":", "Y", "D", "i", "+", "1 <enter> <see:istening>"] {
        board.play(window);
        for (columns, rows) in [(1, 1), (7, 2), (20, 3), (40, 12), (79, 23), (200, 60), (300, 4), (4, 200)] {
            board.play(&format!("<resize:{columns}x{rows}>"));
        }
        board.play("<resize:120x34> <esc>").shows(&["2 Tokens", "most urgent first"]);
    }
}
