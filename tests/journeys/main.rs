//! Journeys: keys in, screens out. The real loop, the real verbs, and servers on loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

mod harness;
mod mask;
mod script;
mod stage;

use toktui::domain::form::Form;

use harness::{SMALL, demo};

/// Stores the screen at both sizes.
macro_rules! stored {
    ($name:literal, $played:expr) => {
        insta::assert_snapshot!(concat!($name, "_120x34"), $played.screen());
        insta::assert_snapshot!(concat!($name, "_80x24"), $played.screen_at(SMALL));
    };
}

#[test]
fn the_demo_opens_on_a_believable_morning() {
    let mut board = demo();
    stored!("morning", board);
}

#[test]
fn three_keys_copy_a_token_and_after_45_seconds_it_is_gone() {
    let mut board = demo();
    board.play("jjy <see:Copied the access token of wlcg>");
    let copied = board.desktop.seen().copied;
    assert_eq!(copied.len(), 1);
    assert!(copied[0].expose() == board.secret("wlcg", Form::AccessToken), "it is another text");
    stored!("copied", board);
    board.play("<+44s>");
    assert!(board.desktop.seen().clipboard.is_some());
    board.play("<+2s> <see:The clipboard is cleared>");
    assert!(board.desktop.seen().clipboard.is_none());
}
