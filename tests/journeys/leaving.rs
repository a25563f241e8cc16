//! Revoking, forgetting, quitting.

use toktui::desktop::signals::Signal;
use toktui::domain::form::Form;
use toktui::runtime::End;

use crate::harness::{AT_A_DESK, Place, demo, demo_at};

#[test]
fn revoking_asks_first_and_cancel_is_the_default() {
    let mut board = demo();
    board.select("toar").play("D");
    stored!("revoke", board);
    board.play("<enter>");
    assert!(board.wallet.find("toar").is_some());
    board.play("D D y <esc>");
    assert!(board.wallet.find("toar").is_some());
}

#[test]
fn x_revokes_at_the_server() {
    let mut board = demo();
    let token = board.select("toar").secret("toar", Form::Mytoken);
    board.play("D x <see:Revoked>");
    board.play(&format!("i <paste:{token}> <enter> <see:REVOKED OR UNKNOWN>"));
}

#[test]
fn f_forgets_here_only() {
    let mut board = demo();
    let token = board.select("toar").secret("toar", Form::Mytoken);
    board.play("D f <see:Forgot toar>");
    assert!(board.wallet.find("toar").is_none());
    board.play(&format!("i <paste:{token}> <enter> <see:✔ VALID>"));
}

#[test]
fn quitting_asks_when_something_would_be_lost() {
    let mut board = demo_at(&Place { demo: false, ..AT_A_DESK });
    board.play("q");
    stored!("quit", board);
    board.play("<esc>").hides(&["quit anyway"]);
    board.play("q x");
    assert_eq!(board.end(), End::Quit);
}

#[test]
fn the_demo_is_left_without_a_question() {
    let mut board = demo();
    board.play("q");
    assert_eq!(board.end(), End::Quit);
}

#[test]
fn what_is_still_on_the_clipboard_is_handed_over() {
    let mut board = demo();
    board.play("jy <see:Copied> <+15s> q");
    let desktop = std::sync::Arc::clone(&board.desktop);
    board.end();
    let (_, left) = desktop.seen().handed.expect("it is handed over");
    assert_eq!(left.as_secs(), 30);
}

#[test]
fn a_signal_ends_the_board_also_under_a_question() {
    let mut board = demo();
    board.play("D");
    board.signal(Signal::Terminate);
    assert_eq!(board.end(), End::Signal(Signal::Terminate));
}
