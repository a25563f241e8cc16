//! Is it valid, until when, and if not, why.

use toktui::domain::form::Form;
use toktui::domain::verdict::Standing;

use crate::harness::{Played, demo, stranger_in_the_demo};

fn paste(board: &mut Played, token: &str) {
    board.play(&format!("i <paste:{token}> <enter>"));
}

/// What pane 3 says of the pasted token with this name in the demo.
fn pasted(name: &str, sees: &str) -> Played {
    let mut board = demo();
    let token = board.secret(name, Form::Mytoken);
    paste(&mut board, &token);
    board.play(&format!("<see:{sees}>"));
    board
}

#[test]
fn a_mytokens_verdict_takes_two_keys_and_its_history_one_more() {
    let mut board = demo();
    board.play("jjj <see:✔ VALID here and now> R <see:last heard just now>");
    stored!("verdict", board);
    board.play("h <see:from the server>");
    stored!("history", board);
}

#[test]
fn a_history_that_costs_a_use_says_so_first() {
    let mut board = demo();
    board
        .play("jjjjj <see:VALID, USED UP> h <see:costs 1 of 9 other uses left> h <see:from the server>")
        .shows(&["8 of 9 other uses left"]);
}

#[test]
fn a_pasted_mytoken_gets_the_right_answer() {
    stored!("pasted_valid", pasted("toar", "✔ VALID here and now"));
    pasted("ci", "✔ VALID here and now");
    pasted("gone", "✘ REVOKED OR UNKNOWN").shows(&["its server refuses it"]);
    pasted("lapsed", "✘ EXPIRED").shows(&["4d ago"]);
    stored!("pasted_rotated_away", pasted("laptop", "✘ ROTATED AWAY"));
}

#[test]
fn a_pasted_copy_that_is_stale_is_not_sent() {
    let mut board = pasted("laptop", "✘ ROTATED AWAY");
    board.shows(&["It was not", "held as ci", "g go to yours"]);
    assert_eq!(board.demo.as_ref().unwrap().sandbox.mytokens.stale_presentations(), 0);
}

#[test]
fn a_garbled_mytoken_and_an_access_token_are_said_to_be_what_they_are() {
    let mut board = demo();
    let (mytoken, access) = (board.secret("toar", Form::Mytoken), board.secret("wlcg", Form::AccessToken));
    paste(&mut board, &mytoken[..mytoken.len() - 5]);
    board.play("<gone:Looking>").shows(&["✘"]).hides(&["✔ VALID"]);
    paste(&mut board, &format!("ey{mytoken}"));
    board.play("<see:✘ NOT READABLE>").shows(&["cut or"]);
    paste(&mut board, &format!("\"Bearer {access}\"\n"));
    board.play("<see:✘ NOT A MYTOKEN>").shows(&["an access token of Grid", "ends in 42m"]);
    stored!("pasted_access_token", board);
    board.play("3 <enter>");
    stored!("content", board);
}

#[test]
fn every_verdict_can_be_reached_in_the_demo() {
    let rows = [
        ("toar", Standing::Valid),
        ("cluster", Standing::NotFromHere),
        ("spent", Standing::UsedUp),
        ("tonight", Standing::NotYet),
        ("lapsed", Standing::Expired),
        ("laptop", Standing::RotatedAway),
        ("gone", Standing::RevokedOrUnknown),
        ("quiet", Standing::MayNotBeAsked),
        ("far-away", Standing::CannotTell),
    ];
    let mut board = demo();
    for (name, standing) in rows {
        board.select(name);
        if board.text().contains("R ask again") {
            board.play("R");
        }
        board.play(&format!("<see:{}>", standing.words().0));
    }
}

#[test]
fn an_unknown_server_is_asked_only_after_a_yes() {
    let mut board = stranger_in_the_demo();
    let asked = board.asked("POST /api/v0/tokeninfo");
    let token = board.secret("toar", Form::Mytoken);
    paste(&mut board, &token);
    board.play("<see:May this server see the token?>");
    stored!("may_ask", board);
    board.play("<enter> <see:CANNOT TELL>").shows(&["was not asked"]);
    assert_eq!(board.asked("POST /api/v0/tokeninfo"), asked);
    board.play("R a <see:✔ VALID here and now>");
    assert_eq!(board.asked("POST /api/v0/tokeninfo"), asked + 1);
}

#[test]
fn a_pasted_token_is_kept_and_says_how_long() {
    let mut board = demo();
    let token = board.secret("toar", Form::Mytoken);
    board.select("toar").play("D f <see:Forgot toar>");
    paste(&mut board, &token);
    board.play("<see:✔ VALID> 3 k");
    stored!("keep", board);
    board.play("<type:archive> <enter> <see:Kept as>").shows(&["archive"]);
    assert!(board.wallet.held().iter().any(|held| held.name.contains("archive")));
}

#[test]
fn a_paste_anywhere_is_looked_up_and_never_a_command() {
    let mut board = demo();
    board.play("<paste:qqDx>").shows(&["4 characters"]).hides(&["qqDx"]);
    assert!(!board.has_ended());
}

#[test]
fn esc_leaves_the_pasted_token_and_the_selected_row_is_back() {
    let mut board = pasted("ci", "✔ VALID");
    board.play("<esc>").shows(&["3 Token batch"]).hides(&["pasted"]);
}
