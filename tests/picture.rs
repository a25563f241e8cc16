//! README's picture is the real screen of a sample morning: `UPDATE_PICTURE=1 cargo test --test picture` draws it anew.
#![allow(clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

#[path = "support/board.rs"]
mod board;
#[path = "support/picture.rs"]
mod picture;

use std::fs;

use toktui::app::state::OnClipboard;

#[test]
fn the_picture_in_assets_is_what_the_program_draws() {
    let mut state = board::morning((120, 34));
    state.clipboard = Some(OnClipboard {
        what: "the access token of toar".to_owned(),
        remark: None,
        ends: Some(board::after(581)),
        certain: true,
        route: "the desktop clipboard",
        until: board::after(44),
    });
    let drawn = picture::svg(&board::frame(&state, &board::plain()));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/screen.svg");
    if std::env::var_os("UPDATE_PICTURE").is_some() {
        fs::write(path, &drawn).expect("written");
    }
    let stored = fs::read_to_string(path).expect("assets/screen.svg");
    assert!(
        stored == drawn,
        "assets/screen.svg is not what the program draws; UPDATE_PICTURE=1 draws it anew"
    );
}
