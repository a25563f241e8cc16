//! All mytokens at a server, what grew from one, and what is done with single ones.

use toktui::domain::credential::Health;
use toktui::domain::form::Form;

use crate::harness::{Played, demo};

const REVOKE: &str = "POST /api/v0/token/revoke";

/// The demo with the list of its server open, by a manager.
fn listed() -> Played {
    let mut board = demo();
    board.play("A <see:Nothing that is held here may list> m <see:d signs in> <see:fake browser> d <see:own visitor> <+2s> <see:as they grew>");
    board
}

#[test]
fn one_key_logs_in_for_a_manager_that_lists_all_and_ends_with_the_session() {
    let mut board = listed();
    board.shows(&[
        "group",
        "├ night-run",
        "└ colleague",
        "└ notebook",
        "this session",
        "read just now by the manager",
    ]);
    let asked = board.asked(REVOKE);
    board.play("<esc> q <+1s>");
    assert_eq!(board.asked(REVOKE), asked + 1);
}

#[test]
fn a_list_is_narrowed_by_typing_and_esc_shows_all_again() {
    let mut board = listed();
    board.play("/ <type:note> <see:1 of 12>").shows(&["notebook"]).hides(&["colleague"]);
    board.play("<enter> <esc> <see:12  as they grew>").shows(&["colleague"]);
}

#[test]
fn a_history_of_one_that_is_not_held_is_read_by_the_manager() {
    let mut board = listed();
    board.play("jjjj h <see:its history, newest first>").shows(&["colleague", "not here", "made a subtoken"]);
}

#[test]
fn what_grew_from_one_is_listed_by_its_own_right_for_nothing() {
    let mut board = demo();
    board.select("group").play("T <see:Grown from group> <see:notebook>");
    board.shows(&["group asks", "read just now by group"]);
}

#[test]
fn one_of_the_list_is_revoked_by_its_id_and_the_list_is_read_again() {
    let mut board = listed();
    board.play("jjjjj D <see:Revoke notebook?> <enter>").shows(&["notebook"]);
    board.play("D x <see:Revoked> <gone:└ notebook>").shows(&["colleague"]);
}

#[test]
fn a_tree_is_revoked_only_by_its_typed_name() {
    let mut board = demo();
    board
        .select("group")
        .play("D <see:with its 3 subtokens> t <see:Type group to revoke all 4> <type:grou> <enter>");
    board.shows(&["Revoke group?"]);
    board.play("t <type:group> <enter> <see:Revoked>");
    board.select("night-run").play("<see:REVOKED>");
}

#[test]
fn a_subtoken_is_handed_over_by_a_code_and_taken_back() {
    let mut board = demo();
    board.select("group").play("Yt <see:a subtoken of it> <enter> <see:toktui mytoken redeem group-handed>");
    board.play("C").shows(&["Copied the command"]);
    assert!(
        board
            .copied()
            .last()
            .is_some_and(|text| text.starts_with("toktui mytoken redeem group-handed --server"))
    );
    board.play("x <gone:Hand over>");
}

#[test]
fn a_pasted_code_is_redeemed_at_the_chosen_server() {
    let mut board = demo();
    board
        .select("group")
        .play("Yt <see:a subtoken of it> <enter> <see:toktui mytoken redeem group-handed> c <see:Copied the transfer code>");
    let code = board.copied().last().cloned().expect("copied");
    board.play(&format!(
        "<esc> <paste:{code}> <see:Token pasted> k <see:Redeem a transfer code> <enter> <see:group-handed>"
    ));
    board.play("<esc>").shows(&["group-handed"]);
}

#[test]
fn the_mytoken_itself_is_handed_over_only_after_the_warning() {
    let mut board = demo();
    board
        .select("ci")
        .play("Yt <see:may not make subtokens> <enter> <see:both sides hold the same mytoken then>");
    board.hides(&["Hand over: ci"]);
    board.play("<enter> <see:Hand over: ci>").shows(&["locks the other out"]);
}

#[test]
fn an_access_token_with_chosen_scopes_stands_beside_the_others() {
    let mut board = demo();
    board.select("toar").play("<enter> d <see:Draw an access token from toar> <c-u> <type:email> <enter>");
    board.shows(&["costs 1 of 13 access tokens left"]);
    board.play("<enter> <see:Renewed toar>");
    let held = board.demo.as_ref().expect("the demo").wallet.held();
    let toar = held.iter().find(|held| held.name == "toar").expect("held");
    let asked: Vec<usize> = toar.access.iter().map(|access| access.ask.scopes.len()).collect();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(asked.contains(&1), "{asked:?}");
}

#[test]
fn a_script_is_copied_and_holds_no_token() {
    let mut board = demo();
    let secret = board.secret("toar", Form::AccessToken);
    board.select("toar").play("Yp <see:Copied the Python script>");
    let copied = board.copied().last().cloned().expect("copied");
    assert!(copied.contains("toktui") && !copied.contains(&secret), "{copied}");
}

#[test]
fn the_successor_stands_under_the_old_name_and_the_old_one_may_be_revoked() {
    let mut board = demo();
    board.select("toar").play("S <see:d signs in> <see:fake browser> d <see:own visitor> <+2s> <see:toar is the successor now> <see:Revoke toar-until>");
    board.play("<enter>").shows(&["toar-until"]);
    let held = board.demo.as_ref().expect("the demo").wallet.held();
    assert!(held.iter().any(|held| held.name == "toar" && held.health == Health::Ok));
}

#[test]
fn what_will_not_outlast_a_job_leads_to_the_form_of_one_that_holds() {
    let mut board = demo();
    board
        .select("toar")
        .play("w <see:Will toar outlast a job?> <c-u> <type:9d> <see:IT BREAKS> <enter> <see:New mytoken>");
}
