//! What is kept, where, and under whose key: the first question, locking, renaming, and what others change.

use toktui::desktop::signals::Signal;
use toktui::domain::credential::Custody;
use toktui::domain::form::Form;
use toktui::domain::secret::Secret;
use toktui::domain::specimen::recognise;
use toktui::domain::vault::{Access, Opening};
use toktui::runtime::End;

use crate::harness::{Played, noon, with_shelf};

const PASSPHRASE: &str = "correct horse battery";

fn by_passphrase() -> Opening {
    Opening::Passphrase(Secret::new(PASSPHRASE))
}

fn by_key_file() -> Opening {
    Opening::KeyFile(None)
}

/// A board over a store that holds one mytoken of the demo, as `toar`.
fn holding(opening: Opening) -> Played {
    let mut board = with_shelf(Some(opening));
    keep(&mut board);
    board
}

fn keep(board: &mut Played) {
    let token = board.secret("toar", Form::Mytoken);
    board.play(&format!("i <paste:{token}> <enter> <see:VALID> k <enter> <see:Kept as toar>"));
}

fn custody(board: &Played, name: &str) -> Custody {
    let held = board.wallet.held();
    held.iter().find(|held| held.name == name).expect("it is held").custody.clone()
}

#[test]
fn the_first_login_asks_where_to_keep_and_then_goes_on_by_itself() {
    let mut board = with_shelf(None);
    board.play("1 <enter> <see:Where shall your tokens be kept?> <gone:asking whether>");
    stored!("first_question", board);
    board.play(&format!("<enter> <type:{PASSPHRASE}>"));
    stored!("passphrase", board);
    board.play(&format!("<enter> <type:{PASSPHRASE}> <enter> <see:opened with a fake b>"));
    board.visit_opened();
    board.play("<see:ASKED> <see:sealed and saved> <esc>").shows(&["1h 00m"]).hides(&["in memory only"]);
    assert_eq!(custody(&board, "checkin"), Custody::Sealed);
    board.play("q");
    assert_eq!(board.end(), End::Quit);
}

#[test]
fn esc_in_the_first_question_does_nothing_and_loses_nothing() {
    let mut board = with_shelf(None);
    let token = board.secret("toar", Form::Mytoken);
    board.play(&format!("i <paste:{token}> <enter> <see:VALID> k <see:Where shall> <gone:asking whether>"));
    board.play("<enter> <type:abc> <esc> <see:What is to open them> <esc>").hides(&["Where shall"]);
    board.shows(&["VALID", "pasted, not kept"]);
    assert_eq!(board.wallet.vault().access, Access::NoStore);
    assert!(!board.shelf().path("keys").exists(), "nothing was written");
}

#[test]
fn two_passphrases_that_differ_are_asked_for_again() {
    let mut board = with_shelf(None);
    board.play("1 <enter> <see:A passphrase> <gone:asking whether> <enter> <enter> <see:Type one>");
    board.play("<type:one thing> <enter> <see:once more> <type:another> <enter>");
    board.shows(&["The two were not the same"]);
    assert_eq!(board.wallet.vault().access, Access::NoStore);
}

#[test]
fn a_key_file_takes_a_typed_word_and_is_marked_for_good() {
    let mut board = with_shelf(None);
    board.play("1 <enter> <gone:asking whether> j <enter> <see:Type keyfile>");
    stored!("key_file_question", board);
    board.play("<type:yes> <enter> <see:The word is keyfile> <type:keyfile> <enter> <see:opened with>");
    board.visit_opened();
    board.play("<see:ASKED> <esc> <see:key in a file>");
    assert_eq!(custody(&board, "checkin"), Custody::KeyFile);
}

#[test]
fn only_in_memory_this_time_is_an_answer_too() {
    let mut board = with_shelf(None);
    board.play("1 <enter> <gone:asking whether> jj <enter> <see:opened with>");
    board.visit_opened();
    board.play("<see:ASKED> <esc> <see:all in memory only> q <see:Quit and lose> s <see:Where shall> <esc>");
    assert_eq!(board.wallet.vault().access, Access::MemoryOnly(None));
}

#[test]
fn a_locked_store_shows_names_and_ends_and_asks_before_it_copies() {
    let mut board = holding(by_passphrase());
    board.play(": <type:lock> <enter> <see:locked>").shows(&["toar", "L unlocks", "mytoken"]);
    stored!("locked", board);
    board.play("Y <see:Unlock the store>");
    stored!("unlock", board);
    board.play(&format!("<type:{PASSPHRASE}> <enter> <see:Copy from toar>")).hides(&["L unlocks"]);
    board.play("m <see:Copied the mytoken of toar>");
    assert_eq!(board.copied(), [board.secret("toar", Form::Mytoken)]);
}

#[test]
fn a_wrong_passphrase_is_said_and_waits_a_little_longer_each_time() {
    let mut board = holding(by_passphrase());
    board.play(": <type:lock> <enter> <see:L unlocks> L <type:wrong> <enter> <see:Next try in 1s>");
    stored!("wrong_passphrase", board);
    board.play("<type:wrong> <enter>").shows(&["Next try in"]);
    board.play("<+1s> <gone:Next try> <enter> <see:Next try in 2s> <+2s> <gone:Next try>");
    board.play(&format!("<type:{PASSPHRASE}> <enter> <see:Unlocked by a passphrase>"));
    assert_ne!(board.wallet.vault().access, Access::Locked);
}

#[test]
fn what_opens_without_anybody_opens_by_itself_at_the_start() {
    let board = holding(by_key_file());
    let shelf = board.into_shelf();
    shelf.0.end_session();
    let mut board = crate::harness::on_shelf(shelf);
    board.play("<see:Unlocked by a key file>").shows(&["toar", "key in a file"]).hides(&["L unlocks"]);
}

#[test]
fn a_row_gets_another_name() {
    let mut board = holding(by_key_file());
    board.play("2 : <type:rename> <enter> <see:Another name for toar>");
    stored!("rename", board);
    board.play("<c-u> <type:no way> <enter> <see:Not renamed> <c-u> <type:nightly> <enter>");
    board.play("<see:toar is now nightly> <see:nightly >");
    assert!(board.wallet.find("nightly").is_some());
}

#[test]
fn what_a_script_keeps_meanwhile_is_on_the_board_within_a_second() {
    let mut board = holding(by_key_file());
    let token = board.secret("wlcg", Form::AccessToken);
    let script = board.another_wallet();
    board.during(async move { script.keep(&recognise(&token), "from-a-script").await }).expect("kept");
    board.play("<+1s> <see:from-a-script>");
}

#[test]
fn what_cannot_be_written_stays_in_sight_until_it_is_written() {
    let mut board = with_shelf(Some(by_key_file()));
    let (tokens, away) = (board.shelf().path("tokens"), board.shelf().path("away"));
    std::fs::rename(&tokens, &away).unwrap();
    std::fs::write(&tokens, "in the way").unwrap();
    let token = board.secret("toar", Form::Mytoken);
    board.play(&format!("i <paste:{token}> <enter> <see:VALID> k <enter> <see:1 NOT SAVED>"));
    stored!("not_saved", board);
    board.play("w <see:Still not saved> W <see:Copied the mytoken of toar>");
    assert_eq!(board.copied(), [token]);
    board.play("q <see:could not be written>");
    stored!("quit_not_saved", board);
    board.play("<esc>");
    std::fs::remove_file(&tokens).unwrap();
    std::fs::rename(&away, &tokens).unwrap();
    board.play("w <see:Everything is saved now> <gone:NOT SAVED>");
    board.play("q");
    assert_eq!(board.end(), End::Quit);
}

#[test]
fn what_cannot_be_written_is_printed_on_leaving_where_that_is_asked_for() {
    let mut board = with_shelf(Some(by_key_file()));
    let tokens = board.shelf().path("tokens");
    std::fs::rename(&tokens, board.shelf().path("away")).unwrap();
    std::fs::write(&tokens, "in the way").unwrap();
    let token = board.secret("toar", Form::Mytoken);
    board.play(&format!("i <paste:{token}> <enter> <see:VALID> k <enter> <see:1 NOT SAVED> q p"));
    let left = board.left();
    let printed: Vec<_> = left.printed.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
    assert_eq!((left.end, printed), (End::Quit, vec![("toar", token.as_str())]));
}

#[test]
fn a_signal_waits_for_the_answer_too_with_a_screen_and_without() {
    for signal in [Signal::Terminate, Signal::HangUp] {
        let mut board = with_shelf(Some(by_key_file()));
        board.play("1 <enter> <see:opened with>");
        board.visit_opened();
        board.play("<see:ASKED> <esc>");
        board.slow_down(3);
        board.play("2 r <see:Renewing checkin>");
        board.signal(signal);
        let (end, held) = board.end_after(5);
        assert_eq!(end, End::Signal(signal));
        let renewed = held.iter().find(|held| held.name == "checkin").expect("it is held").chief();
        assert!(renewed.is_some_and(|access| access.obtained > noon()), "{signal:?}");
    }
}

#[test]
fn quitting_waits_for_the_answer_that_is_on_its_way() {
    let mut board = with_shelf(Some(by_key_file()));
    board.play("1 <enter> <see:opened with>");
    board.visit_opened();
    board.play("<see:ASKED> <esc>");
    board.slow_down(5);
    board.play("2 r <see:Renewing checkin> q <see:Finishing before toktui quits: Renewing checkin>");
    stored!("finishing", board);
    board.play("<esc> q <+1s>").shows(&["Finishing", "1 s"]);
    let (end, held) = board.end_after(6);
    assert_eq!(end, End::Quit);
    let renewed = held.iter().find(|held| held.name == "checkin").expect("it is held").chief();
    assert!(renewed.is_some_and(|access| access.obtained > noon()), "the answer that came last is on disk");
}
