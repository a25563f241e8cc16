//! From the first screen to a copied token, and what it costs.

use toktui::domain::form::Form;

use crate::harness::{AT_A_DESK, Place, demo, demo_at};

#[test]
fn the_demo_opens_on_a_believable_morning() {
    stored!("morning", demo());
}

#[test]
fn three_keys_copy_a_token_and_after_45_seconds_it_is_gone() {
    let mut board = demo();
    board.play("jjy <see:Copied the access token of wlcg · it ends in 42m · clipboard cleared in 45 s>");
    assert_eq!(board.copied(), [board.secret("wlcg", Form::AccessToken)]);
    stored!("copied", board);
    board.play("<+44s> <see:cleared in 1 s>");
    assert!(board.desktop.seen().clipboard.is_some());
    board.play("<+1s> <see:The clipboard is cleared>");
    assert!(board.desktop.seen().clipboard.is_none());
}

#[test]
fn the_next_copy_starts_the_45_seconds_anew() {
    let mut board = demo();
    board.play("jy <see:Copied> <+40s> jy <see:token of wlcg> <+40s>");
    assert!(board.desktop.seen().clipboard.is_some());
    board.play("<+6s> <see:The clipboard is cleared>");
}

#[test]
fn what_somebody_else_copied_since_is_left_alone() {
    let mut board = demo();
    board.play("jy <see:Copied>");
    board.desktop.others_copy("a line of a letter");
    board.play("<+46s> <see:The clipboard holds something else by now; it was left alone>");
}

#[test]
fn x_clears_the_clipboard_now() {
    let mut board = demo();
    board.play("jy <see:Copied> X <see:The clipboard is cleared>");
    assert!(board.desktop.seen().clipboard.is_none());
}

#[test]
fn over_ssh_a_copy_is_sent_and_nobody_claims_that_it_arrived() {
    let mut board = demo_at(&Place { ssh: true, ..AT_A_DESK });
    board.play("jy <see:Sent the access token of egi to the terminal>").hides(&["Copied"]);
    board.play("<+46s> <see:The terminal was asked to clear its clipboard>");
}

#[test]
fn a_copy_that_needs_a_new_token_says_its_price_and_waits_for_the_same_key() {
    let mut board = demo();
    board.select("toar").play("<+2881s> y <see:costs 1 of 13 access tokens left>");
    assert_eq!(board.copied(), Vec::<String>::new());
    stored!("price", board);
    board.play("<+1s> y <see:Copied the access token of toar>").shows(&["12 of 15 uses"]);
    assert_eq!(board.copied(), [board.secret("toar", Form::AccessToken)]);
}

#[test]
fn another_key_takes_the_price_back() {
    let mut board = demo();
    board.select("toar").play("r <see:costs 1 of 13> <esc> r <see:again: r> j k y <see:Copied>");
    board.shows(&["13 of 15 uses"]);
}

#[test]
fn a_rotating_login_says_that_it_rotated() {
    let mut board = demo();
    board.select("wlcg").play("r <see:rotated to copy 4>").shows(&["1h 00m", "✔ Renewed wlcg"]);
}

#[test]
fn a_rotating_mytoken_becomes_its_new_copy() {
    let mut board = demo();
    let before = board.select("ci").secret("ci", Form::Mytoken);
    board.play("r <see:makes copy> r <see:rotated to copy 5>");
    assert_ne!(before, board.secret("ci", Form::Mytoken));
}

#[test]
fn the_menu_of_forms_copies_the_form_that_is_asked_for() {
    for (keys, form) in [
        ("y", Form::AccessToken),
        ("h", Form::Header),
        ("u", Form::CurlUserinfo),
        ("j", Form::Claims),
        ("i", Form::IdToken),
        ("t", Form::RefreshToken),
    ] {
        let mut board = demo();
        board.play(&format!("jjY {keys} <see:Copied>"));
        assert_eq!(board.copied(), [board.secret("wlcg", form)], "{form:?}");
    }
    let mut board = demo();
    board.select("toar").play("Y");
    stored!("copy_menu", board);
    board.play("m <see:Copied the mytoken of toar>");
    assert_eq!(board.copied(), [board.secret("toar", Form::Mytoken)]);
}

#[test]
fn a_used_up_mytoken_copies_nothing_and_says_why() {
    let mut board = demo();
    board.select("spent").play("y");
    board.shows(&["used up"]);
    assert_eq!(board.copied(), Vec::<String>::new());
}
