//! A mytoken by the form: from its profile, with settings of one's own, from a held one; what comes back, and its end.

use toktui::sandbox::visitor::Choice;

use crate::harness::{Played, demo};

/// The page that was opened is agreed to, and polling finds out.
fn agree(board: &mut Played) {
    board.play("<see:opened with a fake b>");
    board.visit_opened();
    board.play("<+2s> <see:ASKED>");
}

#[test]
fn the_profile_is_one_key_and_enter() {
    let mut board = demo();
    board.play("n <see:New mytoken> <gone:asking it>");
    stored!("create", board);
    board.play("<enter>");
    agree(&mut board);
    board.shows(&["Made: toar-2", "n again with other settings"]);
    stored!("created", board);
    board.play("<esc>").shows(&["▸ toar-2"]);
}

#[test]
fn settings_of_ones_own_come_as_they_were_said() {
    let mut board = demo();
    board.play("n <see:New mytoken> <gone:asking it>");
    // To the ends of the first clause, and what is typed there.
    board.play("<pgdn> <pgdn> <pgdn> <down> <down> <down> <backspace> <backspace> <type:36h>");
    board.play("<down> <backspace> <backspace> <type:7>").shows(&["36h", "2026-11-24 00:04"]);
    stored!("create_own", board);
    board.play("<enter>");
    agree(&mut board);
    board.shows(&["7"]);
    let held = board.wallet.held();
    let made = held.iter().find(|held| held.name == "toar-2").expect("it is held");
    let toktui::domain::credential::Chain::Mytoken { facts, .. } = &made.chain else { panic!("a mytoken") };
    assert_eq!(facts.restrictions[0].uses_at, Some(7));
}

#[test]
fn a_form_that_is_left_comes_back() {
    let mut board = demo();
    board.play("n <see:New mytoken> <gone:asking it>");
    board.play("<backtab> <see:another clause> <space> <see:clause 2 of 2> <esc> <see:Kept as a draft>");
    board.play("n <see:Your draft>").shows(&["clause 2 of 2", "b blank"]);
}

#[test]
fn what_came_wider_than_asked_is_an_alarm_with_its_end_one_key_away() {
    let mut board = demo();
    board.play("n <see:New mytoken> <gone:asking it>");
    // Two clauses with a scope each: the server cuts them against each other, and the second comes back empty (§12.14).
    board.play("<pgdn> <pgdn> <pgdn> <c-u> <type:openid> <backtab> <pgdn> <pgdn> <see:another clause>");
    board.play("<enter> <see:clause 2 of 2> <down> <type:email> <enter>");
    agree(&mut board);
    board.shows(&["WIDER THAN ASKED"]);
    stored!("created_wider", board);
    board.play("D <see:Revoke toar-2?> x <gone:Revoke toar-2?>");
    board.play("<see:oar-2>");
}

#[test]
fn one_is_made_from_a_held_one_without_a_login() {
    let mut board = demo();
    board.play("n <see:New mytoken> <gone:asking it> <pgdn> <down> <space> <enter>");
    agree(&mut board);
    board
        .play("n <see:New mytoken> <tab> <tab> <space> <space> <see:from toar-2> <enter> <see:Made: toar-3>");
    stored!("created_from", board);
}

#[test]
fn a_form_is_saved_as_a_profile_and_offered_from_then_on() {
    let mut board = demo();
    board.play("n <see:New mytoken> <gone:asking it> p <see:Save as a profile> <c-u> <type:mine> <enter>");
    board.play("<see:Saved as the profile mine>").shows(&["--profile mine"]);
    board.play("<esc> n <see:New mytoken>").shows(&["mine"]);
    board.play("<gone:asking it> p <see:Save as a profile> <c-u> <type:toar> <enter> <see:already the name>");
}

#[test]
fn the_json_in_the_editor_is_the_same_draft_and_what_cannot_be_read_is_kept() {
    let mut board = demo();
    board.play("n <see:New mytoken> <gone:asking it>");
    let with = |board: &Played, edit: fn(&str) -> String| {
        *board.shown.editor.lock().unwrap() = Some(Box::new(edit));
    };
    board.play("e <see:no editor is named here>");
    with(&board, |text| text.replace("toar-2", "archive"));
    board.play("e <see:Taken from the JSON>").shows(&["archive"]);
    with(&board, |text| text.replace("archive", "lost") + "!");
    board.play("e <see:cannot be read>").shows(&["archive"]);
    with(&board, |text| text.replace("lost", "found").replace('!', ""));
    board.play("e <see:Taken from the JSON>").shows(&["found"]).hides(&["archive"]);
}

#[test]
fn a_consent_that_is_refused_leads_back_to_the_form() {
    let mut board = demo();
    board.play("n <see:New mytoken> <gone:asking it> <enter> <see:opened with a fake b>");
    let opened = board.desktop.seen().opened.last().cloned().unwrap();
    board.visit(&opened, Choice::Deny);
    board.play("<+3s> <see:it was declined on the consent page> <esc> <see:New mytoken>");
}
