//! How many frames are drawn.

use crate::harness::{demo, empty};

#[test]
fn a_burst_of_keys_costs_few_frames() {
    let mut board = demo();
    let before = board.shown.frames();
    board.burst(&"jk".repeat(100));
    assert!(board.shown.frames() - before <= 3, "{} frames", board.shown.frames() - before);
}

#[test]
fn a_resize_storm_ends_on_a_whole_screen() {
    let mut board = demo();
    let calm = board.screen();
    let sizes = (0..100).map(|at| format!("<resize:{}x{}>", 1 + at * 37 % 150, 1 + at * 13 % 50));
    let storm = sizes.collect::<Vec<_>>().concat();
    board.burst(&format!("{storm} <resize:120x34>"));
    assert_eq!(board.screen(), calm);
}

#[test]
fn an_hour_in_which_nothing_counts_draws_nothing() {
    let mut board = empty(Vec::new());
    let before = board.shown.frames();
    board.play("<+3600s>");
    assert_eq!(board.shown.frames(), before);
}

#[test]
fn a_countdown_draws_once_for_each_digit_that_changes() {
    let mut board = demo();
    let before = board.shown.frames();
    board.play("<+10s>").shows(&["ending 40s"]);
    assert_eq!(board.shown.frames() - before, 10);
    board.play("<+40s>").shows(&["expired"]);
    let before = board.shown.frames();
    board.play("<+120s>");
    let frames = board.shown.frames() - before;
    assert!(frames <= 8, "{frames} frames in two minutes in which only minutes are shown");
}
