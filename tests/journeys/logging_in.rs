//! Every route of a login, and what came of it.

use toktui::domain::vault::Opening;
use toktui::sandbox::visitor::Choice;

use crate::harness::{AT_A_DESK, Place, demo, demo_at, with_shelf};

#[test]
fn a_login_in_the_browser_here_ends_in_asked_against_granted() {
    let mut board = demo();
    board.play("1 <enter> <see:opened with a fake b>");
    stored!("login", board);
    board.visit_opened();
    board.play("<see:ASKED>");
    stored!("granted", board);
    board.play("<esc>").shows(&["checkin", "1h 00m"]);
}

#[test]
fn a_login_by_device_code() {
    let mut board = demo_at(&Place { ssh: true, ..AT_A_DESK });
    board.play("1 <enter> <see:waiting for you there>").shows(&["over SSH"]);
    assert!(board.desktop.seen().opened.is_empty());
    stored!("login_over_ssh", board);
    let (address, code) = board.device_code();
    board.visit(&format!("{address}?user_code={code}"), Choice::Approve);
    board.play("<+3s> <see:ASKED>");
}

#[test]
fn a_device_code_that_is_denied_says_so() {
    let mut board = demo_at(&Place { ssh: true, ..AT_A_DESK });
    board.play("1 <enter> <see:waiting for you there>");
    let (address, code) = board.device_code();
    board.visit(&format!("{address}?user_code={code}"), Choice::Deny);
    board.play("<+3s> <see:Nothing was granted>");
}

#[test]
fn a_login_by_pasting_the_address_the_browser_ended_on() {
    let mut board = demo();
    board.play("1 <enter> <see:opened with a fake b>");
    let opened = board.desktop.seen().opened.last().cloned().unwrap();
    let redirect = board.visit_until_redirect(&opened);
    board.play(&format!("<paste:{redirect}> <enter> <see:ASKED>"));
}

#[test]
fn a_pasted_address_with_a_forged_state_does_not_end_the_login() {
    let mut board = demo();
    board.play("1 <enter> <see:opened with a fake b>");
    let opened = board.desktop.seen().opened.last().cloned().unwrap();
    let redirect = crate::harness::query(&opened, "redirect_uri");
    board.play(&format!("<paste:{redirect}?code=abc&state=forged> <enter>")).hides(&["ASKED"]);
    stored!("login_forged", board);
    board.visit_opened();
    board.play("<see:ASKED>");
}

#[test]
fn esc_cancels_a_login_and_nothing_is_lost() {
    let mut board = demo();
    let held = board.wallet.held().len();
    board.play("1 <enter> <see:listening on> <esc> <see:Login cancelled; nothing is lost>");
    assert_eq!(board.wallet.held().len(), held);
}

#[test]
fn a_login_that_nobody_finishes_times_out_with_its_own_words() {
    let mut board = demo();
    board.play("1 <enter> <see:listening on> <+901s> <see:Start again>");
}

#[test]
fn without_a_browser_the_demo_signs_in_with_one_key() {
    let mut board = demo_at(&Place { ssh: true, ..AT_A_DESK });
    board.play("1 <enter> <see:d signs in, only in this demo> d <see:ASKED>");
}

#[test]
fn a_mytoken_is_made_through_its_consent_page() {
    let mut board = demo();
    board.play("1 jj <enter> <see:opened with a fake b>");
    stored!("consent", board);
    board.visit_opened();
    board.play("<+2s> <see:ASKED>");
    stored!("mytoken_granted", board);
    board.play("y <see:costs>");
}

#[test]
fn a_consent_that_is_refused_makes_no_mytoken() {
    let mut board = demo();
    let held = board.wallet.held().len();
    board.play("1 jj <enter> <see:opened with a fake b>");
    let opened = board.desktop.seen().opened.last().cloned().unwrap();
    board.visit(&opened, Choice::Deny);
    board.play("<+3s> <see:it was declined on the consent page>");
    assert_eq!(board.wallet.held().len(), held);
}

#[test]
fn a_row_that_needs_it_is_logged_in_anew_under_its_name() {
    let mut board = demo();
    let held = board.wallet.held().len();
    board.select("borrowed").play("l <see:Log in at Grid> <see:opened with> ");
    board.visit_opened();
    board.play("<see:ASKED>");
    assert!(board.wallet.held().len() >= held);
}

#[test]
fn a_provider_is_added_by_its_address() {
    let mut board = demo();
    let old = board.demo.as_ref().unwrap().sandbox.old.settings().issuer.clone();
    board.play(&format!("+ <type:{old}>"));
    stored!("add_provider", board);
    board.play("<enter> <see:Added 127.0.0.1>");
}

#[test]
fn a_provider_that_is_added_is_there_at_the_next_start() {
    let mut board = with_shelf(None);
    let old = board.demo.as_ref().unwrap().sandbox.old.settings().issuer.clone();
    board.play(&format!("+ <type:{old}> <enter> <see:and kept it beside the config>"));
    let folder = board.shelf().config();
    let (config, problems) = toktui::config::Config::open(&folder.join("config.toml"));
    assert_eq!(problems, []);
    let kept =
        config.sources.iter().find(|source| source.issuer().is_some_and(|issuer| issuer.address == old));
    let listed = board.wallet.sources();
    let listed = listed.iter().find(|source| source.issuer().is_some_and(|issuer| issuer.address == old));
    assert_eq!(kept, listed);
    assert!(kept.is_some() && !folder.join("config.toml").exists());
}

#[test]
fn a_client_is_registered_where_an_id_is_asked_for_and_logged_in_as() {
    let mut board = with_shelf(Some(Opening::KeyFile(None)));
    let old = board.demo.as_ref().unwrap().sandbox.old.settings().issuer.clone();
    board.play(&format!(
        "+ <type:{old}> <enter> <see:and kept it beside the config> <enter> <see:As which client>"
    ));
    board.play("<down>").shows(&["register one now"]);
    board.play("<enter> <see:ASKED>").shows(&["Registered at 127.0.0.1", "public, PKCE", "log in as it"]);
    board.play("<enter> <see:opened with>");
    board.visit_opened();
    board.play("<see:Logged in at 127.0.0.1>");
    let (config, problems) = toktui::config::Config::open(&board.shelf().config().join("config.toml"));
    assert_eq!(problems, []);
    let kept =
        config.sources.iter().filter_map(|source| source.issuer()).find(|issuer| issuer.address == old);
    assert!(kept.is_some_and(|issuer| issuer.registered && issuer.client.is_some()));
}

#[test]
fn a_provider_that_registers_nobody_says_why_and_the_question_stays() {
    let mut board = with_shelf(Some(Opening::KeyFile(None)));
    let old = board.demo.as_ref().unwrap().sandbox.old.settings().issuer.clone();
    board.play(&format!(
        "+ <type:{old}> <enter> <see:and kept it beside the config> <enter> <see:As which client>"
    ));
    board.demo.as_ref().unwrap().sandbox.old.quirks().down = true;
    board.play("<down> <enter> <see:did not work> <esc> <see:As which client>");
}

#[test]
fn an_address_that_is_no_provider_is_not_added() {
    let mut board = demo();
    board.play("+ <type:http://127.0.0.1:9/nobody> <enter> <see:reached>");
    board.play("<esc> + <type:http://example.org> <enter> <see:https>");
}
