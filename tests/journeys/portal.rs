//! What a token portal does, on the board: userinfo, the lines to paste, a refresh token on demand.

use toktui::domain::form::Form;

use crate::harness::demo;

#[test]
fn one_key_asks_whom_a_login_speaks_for_and_reads_groups_and_roles() {
    let mut board = demo();
    board.select("egi").play("U <see:groups and roles>");
    stored!("userinfo", board);
    board.shows(&["member", "dteam", "(sandbox.example.org)"]);
}

#[test]
fn the_renewal_is_copied_without_its_token_and_with_it_only_by_a_key_of_its_own() {
    let mut board = demo();
    let token = board.secret("egi", Form::RefreshToken);
    board.select("egi").play("Y w <see:Copied>");
    let copied = board.copied().concat();
    assert_eq!(copied, "export ACCESS_TOKEN=\"$(toktui token egi --force)\"");
    board.play("Y").shows(&["the token stands in the line"]).play("W <see:renewal with token>");
    let copied = board.copied().concat();
    assert!(copied.contains(&token) && copied.contains("grant_type=refresh_token"));
}
