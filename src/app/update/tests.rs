//! What each message does to what the board knows, and what it sets going.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::*;
use crate::app::action::{Action, MytokenAction};
use crate::app::effect::{
    Asking, Copied, Drawn, FamilyAsk, Finding, MytokenAsk, MytokenTold, Outcome, Target, Task,
};
use crate::app::geometry::Geometry;
use crate::app::login::Opened;
use crate::app::lookup;
use crate::app::notice;
use crate::app::overlay::Overlay;
use crate::app::providers::Row;
use crate::app::sample::*;
use crate::app::state::{Pane, Tone};
use crate::domain::credential::{Chain, Health, Held};
use crate::domain::failure::{Failure, Kind};
use crate::domain::form::Form;
use crate::domain::login::{Browser, Choice, Order, Polled, Reached, Report, Step, View};
use crate::domain::mytoken::Facts;
use crate::domain::secret::Secret;
use crate::domain::source::Client;
use crate::domain::verdict::{By, Standing, Verdict};

fn message(state: &State) -> String {
    notice::on_show(state, state.at)
        .map(|line| [vec![line.text], line.tail].concat().join(" · "))
        .unwrap_or_default()
}

fn failure(kind: Kind) -> Failure {
    Failure::new(kind, "Logging in", "the provider says: no")
}

fn finding(target: Target, standing: Standing) -> Finding {
    let verdict = Verdict {
        standing,
        fact: String::new(),
        by: By::Server,
        heard: Some(now()),
        turn: None,
        gives_access: false,
        remarks: Vec::new(),
        next: None,
    };
    Finding {
        target,
        verdict,
        facts: None,
        content: None,
        signature: None,
        introspected: None,
        what: String::new(),
        held_as: None,
        may_ask: None,
        at: now(),
    }
}

/// A pasted short token, and the task that looks it up.
fn pasted(state: &mut State) -> (Task, Target) {
    match paste(state, &"aBcD".repeat(16)).as_slice() {
        [Effect::LookUp(task, target, Asking::IfKnown)] => (*task, target.clone()),
        other => panic!("{other:?}"),
    }
}

fn log_in(state: &mut State, keys: &str) -> (Task, Order) {
    match press(state, keys).as_slice() {
        [Effect::LogIn(task, order)] => (*task, (**order).clone()),
        other => panic!("{other:?}"),
    }
}

/// The report of a login that brought `new`.
fn report() -> Box<Report> {
    Box::new(Report {
        id: id("new"),
        name: "new".to_owned(),
        at: "EGI Check-in".to_owned(),
        lines: Vec::new(),
        no_refresh: None,
        remarks: Vec::new(),
    })
}

fn view() -> View {
    let polled = |address: &str| Polled {
        address: address.into(),
        complete: None,
        code: Some("WDJB-MJHT".into()),
        asked: 0,
        next: Some(seconds(5)),
        ends: seconds(600),
        trouble: None,
    };
    let browser = Browser {
        address: "https://egi.example/auth".to_owned(),
        listening: Some(("127.0.0.1".to_owned(), 43985)),
    };
    View {
        device: Some(polled("https://egi.example/device")),
        browser: Some(browser),
        paste: true,
        ..View::default()
    }
}

// What costs, and what does not.

#[test]
fn a_live_access_token_is_copied_at_once_and_nobody_is_asked() {
    for held in [login("egi", 2500), mytoken("toar", Some(581)), bare("wlcg", 3000), bare("ends", 30)] {
        let mut state = board(vec![held.clone()]);
        assert_eq!(press(&mut state, "y"), [Effect::CopyForm(held.id, Form::AccessToken)]);
        assert_eq!(state.price, None);
    }
}

#[test]
fn a_login_renews_an_ending_or_ended_access_token_before_it_is_copied() {
    for left in [58, 0, -500] {
        let mut state = board(vec![login("egi", left)]);
        let draw = Effect::Draw { task: Task(1), id: id("egi"), force: false, copy: Some(Form::AccessToken) };
        assert_eq!(press(&mut state, "y"), [draw]);
        assert_eq!(message(&state), "Renewing egi");
    }
}

#[test]
fn a_mytoken_says_its_price_and_waits_for_the_same_key() {
    for (key, force, copy) in [("y", false, Some(Form::AccessToken)), ("r", true, None)] {
        let mut state = board(vec![mytoken("toar", None)]);
        assert_eq!(press(&mut state, key), []);
        let price = "costs 1 of 13 access tokens left · makes copy 5; older copies go stale · again: ";
        assert_eq!(message(&state), format!("{price}{key}"));
        assert_eq!(press(&mut state, key), [Effect::Draw { task: Task(1), id: id("toar"), force, copy }]);
        assert_eq!(press(&mut state, key), [], "it is under way");
    }
}

#[test]
fn a_price_is_dropped_by_any_other_key_by_time_and_by_another_row() {
    let start = || {
        let mut state = board(vec![mytoken("toar", None), mytoken("climate", None)]);
        assert_eq!(press(&mut state, "y"), []);
        state
    };
    for other in ["j", "r", "Q", "\x1b", "u"] {
        let mut state = start();
        press(&mut state, other);
        assert_eq!(press(&mut state, "y"), [], "{other}");
    }
    let mut late = start();
    assert_eq!(press_at(&mut late, "y", seconds(10)), []);
    let mut pasted_into = start();
    let _ = paste(&mut pasted_into, "y");
    assert_eq!(pasted_into.price, None);
    let mut gone = start();
    show(&mut gone, vec![mytoken("toar", None)]);
    assert_eq!(press(&mut gone, "y"), []);
}

#[test]
fn a_price_that_has_risen_is_said_again() {
    let mut state = board(vec![mytoken("toar", None)]);
    press(&mut state, "y");
    let mut dearer = mytoken("toar", None);
    if let Chain::Mytoken { facts, .. } = &mut dearer.chain {
        facts.restrictions[0].used_at = Some(14);
    }
    show(&mut state, vec![dearer]);
    assert_eq!(press(&mut state, "y"), []);
    assert!(message(&state).starts_with("costs 1 of 1 access tokens left"));
}

#[test]
fn nothing_is_drawn_where_nothing_can_be_had() {
    let mut used_up = mytoken("toar", None);
    if let Chain::Mytoken { facts, .. } = &mut used_up.chain {
        facts.restrictions[0].used_at = Some(15);
    }
    let dead = Held { health: Health::Dead("revoked".to_owned()), ..login("egi", -5) };
    for held in [used_up, dead, bare("wlcg", -5)] {
        let mut state = board(vec![held]);
        assert_eq!(press(&mut state, "yyrr"), []);
        assert_eq!(state.price, None);
    }
}

#[test]
fn the_menu_stays_open_while_its_price_waits() {
    let mut state = board(vec![mytoken("toar", None)]);
    assert_eq!(press(&mut state, "Yh"), []);
    assert!(matches!(state.overlays.as_slice(), [Overlay::CopyMenu(..)]));
    assert!(message(&state).ends_with("again: h"));
    assert!(matches!(press(&mut state, "h").as_slice(), [Effect::Draw { copy: Some(Form::Header), .. }]));
    assert!(state.overlays.is_empty());
    assert_eq!(press(&mut state, "Ym"), [Effect::CopyForm(id("toar"), Form::Mytoken)]);
    let mut chosen = board(vec![mytoken("toar", None)]);
    assert_eq!(press(&mut chosen, "Y\n"), []);
    assert!(matches!(
        press(&mut chosen, "\n").as_slice(),
        [Effect::Draw { copy: Some(Form::AccessToken), .. }]
    ));
}

#[test]
fn reading_a_restricted_history_costs_a_use_and_an_unrestricted_one_nothing() {
    let mut state = board(vec![mytoken("toar", None)]);
    assert_eq!(press(&mut state, "h"), []);
    assert_eq!(message(&state), "costs 1 of 9 other uses left · again: h");
    assert_eq!(press(&mut state, "h"), [Effect::ReadHistory(Task(1), Target::Held(id("toar")))]);
    let mut free = mytoken("toar", None);
    if let Chain::Mytoken { facts, .. } = &mut free.chain {
        facts.restrictions.clear();
    }
    let mut state = board(vec![free]);
    assert_eq!(press(&mut state, "h"), [Effect::ReadHistory(Task(1), Target::Held(id("toar")))]);
}

/// A server counts such clauses together (mytoken-api.md §4.7): nine uses are not eighteen.
#[test]
fn what_is_left_of_two_clauses_that_are_the_same_is_said_once() {
    let mut twins = mytoken("toar", None);
    if let Chain::Mytoken { facts, .. } = &mut twins.chain {
        facts.restrictions = vec![facts.restrictions[0].clone(), facts.restrictions[0].clone()];
    }
    let mut state = board(vec![twins]);
    press(&mut state, "h");
    assert_eq!(message(&state), "costs 1 of 9 other uses left · again: h");
}

// The clipboard.

#[test]
fn a_copy_is_counted_down_cleared_once_and_restarted_by_the_next() {
    let mut state = board(vec![login("egi", 581)]);
    let copied = |what: &str, until| Copied {
        what: what.to_owned(),
        route: "the desktop clipboard",
        certain: true,
        ends: Some(seconds(581)),
        until: Some(until),
    };
    tell(&mut state, Outcome::Copied(Ok(copied("the access token of egi", seconds(45)))));
    assert_eq!(
        message(&state),
        "Copied the access token of egi · it ends in 9m 41s · clipboard cleared in 45 s"
    );
    assert_eq!(update(&mut state, Message::Tick, seconds(30)), []);
    assert_eq!(
        message(&state),
        "Copied the access token of egi · it ends in 9m 11s · clipboard cleared in 15 s"
    );
    let _ = update(&mut state, Message::Outcome(Outcome::Copied(Ok(copied("x", seconds(75))))), seconds(30));
    assert_eq!(update(&mut state, Message::Tick, seconds(45)), []);
    assert_eq!(update(&mut state, Message::Tick, seconds(75)), [Effect::ClearClipboard]);
    assert_eq!(update(&mut state, Message::Tick, seconds(76)), []);
}

#[test]
fn what_only_was_sent_is_not_called_copied() {
    let mut state = board(vec![login("egi", 581)]);
    let copied = Copied {
        what: "the access token of egi".to_owned(),
        route: "the terminal",
        certain: false,
        ends: None,
        until: Some(seconds(45)),
    };
    tell(&mut state, Outcome::Copied(Ok(copied)));
    assert_eq!(message(&state), "Sent the access token of egi to the terminal · cleared there in 45 s");
}

#[test]
fn what_drawing_had_to_say_stands_in_the_message_of_the_copy() {
    let mut state = board(vec![login("egi", -5)]);
    press(&mut state, "y");
    let drawn = Drawn { expires: None, renewed: true, remarks: vec!["without email".to_owned()] };
    tell(&mut state, Outcome::Drawn(Task(1), id("egi"), Ok(drawn)));
    let copied = |until| Copied { what: "it".to_owned(), route: "x", certain: true, ends: None, until };
    tell(&mut state, Outcome::Copied(Ok(copied(Some(seconds(45))))));
    assert_eq!(message(&state), "Copied it · without email · clipboard cleared in 45 s");
    tell(&mut state, Outcome::Copied(Ok(copied(Some(seconds(45))))));
    assert_eq!(message(&state), "Copied it · clipboard cleared in 45 s");
}

#[test]
fn an_answer_that_nobody_awaits_changes_nothing() {
    let mut state = board(vec![login("egi", -5)]);
    let before = format!("{state:?}");
    tell(&mut state, Outcome::Drawn(Task(77), id("egi"), Err(failure(Kind::Failed))));
    tell(
        &mut state,
        Outcome::LookedUp(Task(77), Box::new(finding(Target::Held(id("egi")), Standing::Valid))),
    );
    tell(&mut state, Outcome::LoginEnded(Task(77), Err(failure(Kind::Failed))));
    tell(&mut state, Outcome::HistoryRead(Task(77), Err(failure(Kind::Failed))));
    tell(&mut state, Outcome::BrowserOpened(Task(77), Err(failure(Kind::Failed))));
    assert_eq!(format!("{state:?}"), before);
}

// Logging in.

#[test]
fn a_login_starts_at_the_selected_provider_or_anew_for_the_selected_row() {
    let mut state = board(vec![]);
    assert_eq!(state.focus, Pane::Providers, "a newcomer begins here");
    let (_, order) = log_in(&mut state, "\n");
    assert_eq!((order.source, order.name), ("egi".into(), None));
    let mut state = board(vec![login("mine", 60)]);
    let (_, order) = log_in(&mut state, "l");
    assert_eq!((order.source, order.name.as_deref()), ("egi".into(), Some("mine")));
}

#[test]
fn a_provider_without_a_client_asks_which_one_to_be() {
    let mut state = board(vec![]);
    assert_eq!(press(&mut state, "j\n"), []);
    assert!(matches!(state.overlays.as_slice(), [Overlay::WhichClient(_)]));
    assert_eq!(press(&mut state, "\n"), [], "none is typed");
    let (_, order) = log_in(&mut state, "qx?\n");
    assert_eq!(order.client, Some(Client::public("qx?")));
}

#[test]
fn a_browser_is_opened_unasked_only_where_it_may_be() {
    for (no_browser, effects) in [(None, 1), (Some("over SSH".to_owned()), 0)] {
        let mut state = board(vec![]);
        state.seat.no_browser = no_browser;
        let (task, _) = log_in(&mut state, "\n");
        tell(&mut state, Outcome::Login(task, Step::View(Box::new(view()))));
        let opened =
            tell(&mut state, Outcome::Login(task, Step::MayOpen("https://egi.example/auth".to_owned())));
        assert_eq!(opened.len(), effects);
        assert_eq!(
            press(&mut state, "b"),
            [Effect::OpenBrowser(task, "https://egi.example/auth".to_owned())]
        );
        tell(&mut state, Outcome::BrowserOpened(task, Ok("firefox".to_owned())));
        assert_eq!(state.login().map(|login| login.opened.clone()), Some(Opened::With("firefox".to_owned())));
    }
}

#[test]
fn the_panel_copies_what_is_there_and_offers_nothing_else() {
    let mut state = board(vec![]);
    let (task, _) = log_in(&mut state, "\n");
    assert_eq!(press(&mut state, "cCbsod"), [], "the provider has not answered yet");
    tell(&mut state, Outcome::Login(task, Step::View(Box::new(view()))));
    assert_eq!(press(&mut state, "sd"), [], "not over SSH, not in the demo");
    assert_eq!(press(&mut state, "c"), [Effect::CopyText("WDJB-MJHT".to_owned(), "the code")]);
    state.seat.reached =
        Some(Reached { user: "ada".to_owned(), host: "login1.hpc.example".to_owned(), port: Some(2222) });
    let line = "ssh -p 2222 -L 43985:127.0.0.1:43985 ada@login1.hpc.example".to_owned();
    assert_eq!(press(&mut state, "s"), [Effect::CopyText(line, "the ssh line")]);
    state.seat.demo = true;
    assert_eq!(press(&mut state, "d"), [Effect::SignInDemo(task, "https://egi.example/auth".to_owned())]);
}

#[test]
fn a_pasted_redirect_is_given_at_once_and_other_text_waits_in_the_field() {
    let mut state = board(vec![]);
    let (task, _) = log_in(&mut state, "\n");
    tell(&mut state, Outcome::Login(task, Step::View(Box::new(view()))));
    let address = "http://127.0.0.1:43985/callback?state=s&code=c";
    let broken = format!("  {}\n{}\n", &address[..30], &address[30..]);
    assert_eq!(paste(&mut state, &broken), [Effect::GiveRedirect(task, Secret::new(address))]);
    assert_eq!(paste(&mut state, "abc\nq\n"), [], "a line break does not confirm");
    assert_eq!(press(&mut state, "c"), [], "letters are typed now");
    assert_eq!(press(&mut state, "\n"), [Effect::GiveRedirect(task, Secret::new("abcqc"))]);
    press(&mut state, "?");
    assert!(matches!(state.overlays.last(), Some(Overlay::Help(_))));
    assert_eq!(paste(&mut state, address).len(), 1, "from anywhere");
}

#[test]
fn esc_cancels_a_login_and_what_it_brings_afterwards_is_ignored() {
    let mut state = board(vec![]);
    let (task, _) = log_in(&mut state, "\n");
    assert_eq!(press(&mut state, "\x1b"), [Effect::CancelLogin(task)]);
    assert!(state.overlays.is_empty());
    tell(&mut state, Outcome::LoginEnded(task, Err(failure(Kind::Failed))));
    assert!(state.overlays.is_empty());
}

#[test]
fn a_login_ends_in_a_report_or_in_a_failure_and_shows_the_new_row() {
    let mut state = board(vec![login("egi", 100)]);
    let (task, _) = log_in(&mut state, "l");
    press(&mut state, "?");
    tell(&mut state, Outcome::LoginEnded(task, Ok(report())));
    assert!(matches!(state.overlays.as_slice(), [Overlay::Granted(_), Overlay::Help(_)]));
    show(&mut state, vec![login("egi", 100), login("new", 3600)]);
    assert_eq!(state.tokens.selected, Some(id("new")));
    press(&mut state, "\x1b");
    assert_eq!(press(&mut state, "y"), [Effect::CopyForm(id("new"), Form::AccessToken)]);
    press(&mut state, "\x1b");
    let (task, _) = log_in(&mut state, "l");
    tell(&mut state, Outcome::LoginEnded(task, Err(failure(Kind::Unreached))));
    assert!(matches!(state.overlays.as_slice(), [Overlay::Failed(_)]));
}

#[test]
fn a_server_with_several_providers_asks_which_and_starts_again_with_it() {
    let mut state = board(vec![]);
    let (task, _) = log_in(&mut state, "jj\n");
    let choice = |issuer: &str| Choice { issuer: issuer.to_owned(), name: issuer.into() };
    let choices = vec![choice("https://a.example"), choice("https://b.example")];
    assert_eq!(tell(&mut state, Outcome::Login(task, Step::Choose(choices))), [Effect::CancelLogin(task)]);
    let (_, order) = log_in(&mut state, "j\n");
    assert_eq!(order.provider.as_deref(), Some("https://b.example"));
}

/// A server that offers several providers; which is asked of a running login.
fn ask_which(state: &mut State, task: Task) {
    let choice = |issuer: &str| Choice { issuer: issuer.to_owned(), name: issuer.into() };
    let choices = vec![choice("https://a.example"), choice("https://b.example")];
    assert_eq!(tell(state, Outcome::Login(task, Step::Choose(choices))), [Effect::CancelLogin(task)]);
}

#[test]
fn a_login_for_a_manager_goes_on_as_one_and_once_it_is_left_no_other_login_is_one() {
    let manager = |effects: &[Effect]| match effects {
        [Effect::Family(FamilyAsk::OpenManager(task, _, provider))] => (*task, provider.clone()),
        other => panic!("{other:?}"),
    };
    let mut state = board(vec![]);
    let (task, _) = manager(&press(&mut state, "Am"));
    ask_which(&mut state, task);
    let (task, provider) = manager(&press(&mut state, "j\n"));
    assert_eq!(provider.as_deref(), Some("https://b.example"));
    ask_which(&mut state, task);
    press(&mut state, "\x1b\x1b");
    assert!(state.overlays.is_empty());
    let (_, order) = log_in(&mut state, "jj\n");
    assert_eq!(order.source.as_str(), "kit", "a login for something to keep");
}

/// A board on which the successor of `toar` is being made, and the login for it.
fn succeeding() -> (State, Task) {
    let mut state = board(vec![mytoken("toar", None)]);
    let follow = Message::Action(Action::Mytoken(MytokenAction::Successor));
    let asked = update(&mut state, follow, now());
    let [Effect::Mytoken(MytokenAsk::Follow(task, _))] = asked.as_slice() else { panic!("{asked:?}") };
    let follower = MytokenTold::Follower(*task, Ok(Box::default()));
    match tell(&mut state, Outcome::Mytoken(follower)).as_slice() {
        [Effect::LogIn(task, _)] => (state, *task),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_successor_is_still_one_after_its_provider_was_asked_for() {
    let (mut state, task) = succeeding();
    ask_which(&mut state, task);
    tell(&mut state, Outcome::LoginEnded(task, Err(failure(Kind::Cancelled))));
    let (task, _) = log_in(&mut state, "\n");
    let asked = tell(&mut state, Outcome::LoginEnded(task, Ok(report())));
    assert!(
        matches!(asked.as_slice(), [Effect::Mytoken(MytokenAsk::Succeed(_, old, new))] if *old == id("toar") && *new == id("new")),
        "{asked:?}"
    );
}

#[test]
fn a_question_for_the_provider_that_is_left_ends_the_succession() {
    let (mut state, task) = succeeding();
    ask_which(&mut state, task);
    tell(&mut state, Outcome::LoginEnded(task, Err(failure(Kind::Cancelled))));
    assert!(state.succession.is_some());
    press(&mut state, "\x1b");
    assert_eq!(state.succession, None);
}

// Looking things up.

#[test]
fn pasted_text_is_looked_up_and_shown_until_esc() {
    let mut state = board(vec![mytoken("toar", Some(581))]);
    let (task, target) = pasted(&mut state);
    assert_eq!(state.focus, Pane::Lookup);
    let second = pasted(&mut state);
    tell(&mut state, Outcome::LookedUp(task, Box::new(finding(target, Standing::Expired))));
    let shown = |state: &State| state.lookup.pasted.as_ref().and_then(|pasted| pasted.finding.clone());
    assert_eq!(shown(&state), None, "that one is not awaited any more");
    tell(&mut state, Outcome::LookedUp(second.0, Box::new(finding(second.1, Standing::Valid))));
    assert_eq!(shown(&state).map(|finding| finding.verdict.standing), Some(Standing::Valid));
    assert_eq!(press(&mut state, "yrD"), [], "the row behind it is not what these would be about");
    press(&mut state, "\x1b");
    assert!(state.lookup.pasted.is_none());
}

#[test]
fn a_server_that_only_the_token_names_is_asked_only_after_a_yes() {
    let mut state = board(vec![]);
    let (task, target) = pasted(&mut state);
    let question = |target: &Target| Finding {
        may_ask: Some("https://odd.example".to_owned()),
        ..finding(target.clone(), Standing::CannotTell)
    };
    tell(&mut state, Outcome::LookedUp(task, Box::new(question(&target))));
    assert_eq!(press(&mut state, "\n"), [], "no is the default");
    assert_eq!(press(&mut state, "R"), [], "the question again");
    let asked = press(&mut state, "a");
    let this = Asking::This("https://odd.example".to_owned());
    assert!(matches!(asked.as_slice(), [Effect::LookUp(_, _, asking)] if *asking == this));
    let [Effect::LookUp(task, ..)] = asked.as_slice() else { panic!("{asked:?}") };
    tell(&mut state, Outcome::LookedUp(*task, Box::new(finding(target, Standing::Valid))));
    let again = press(&mut state, "R");
    assert!(matches!(again.as_slice(), [Effect::LookUp(_, _, asking)] if *asking == this), "agreed once");
}

#[test]
fn k_keeps_what_was_pasted_under_a_free_name_and_says_for_how_long() {
    let mut state = board(vec![mytoken("mytoken", None)]);
    let (task, target) = pasted(&mut state);
    press(&mut state, "k");
    assert!(state.overlays.is_empty(), "a short token shows nothing by which it could be kept");
    let facts = Facts { server: "https://mytoken.example".into(), ..Facts::default() };
    let told = Finding { facts: Some(Box::new(facts)), ..finding(target, Standing::Valid) };
    tell(&mut state, Outcome::LookedUp(task, Box::new(told)));
    press(&mut state, "k");
    let Some(Overlay::KeepAs(specimen, field)) = state.overlays.last() else { panic!() };
    assert_eq!(field.value(), "mytoken-2");
    let specimen = (**specimen).clone();
    let _ = update(&mut state, Message::Key(KeyEvent::new(KeyCode::Backspace, KeyModifiers::NONE)), now());
    let _ = update(&mut state, Message::Key(KeyEvent::new(KeyCode::Backspace, KeyModifiers::NONE)), now());
    assert_eq!(press(&mut state, "\n"), [], "that name is taken");
    assert_eq!(press(&mut state, "x\n"), [Effect::Keep(specimen, "mytokenx".to_owned())]);
    tell(&mut state, Outcome::Kept(Ok((id("mytokenx"), "mytokenx".to_owned()))));
    assert_eq!(message(&state), "Kept as mytokenx, in memory only: gone when toktui quits");
    show(&mut state, vec![mytoken("mytoken", None), mytoken("mytokenx", None)]);
    assert_eq!(state.tokens.selected, Some(id("mytokenx")));
}

#[test]
fn an_older_copy_leads_to_the_one_that_is_held() {
    let mut state = board(vec![login("egi", 100), mytoken("toar", None)]);
    let (task, target) = pasted(&mut state);
    let older = Finding { held_as: Some(id("toar")), ..finding(target, Standing::RotatedAway) };
    tell(&mut state, Outcome::LookedUp(task, Box::new(older)));
    assert_eq!(press(&mut state, "k"), []);
    assert!(state.overlays.is_empty(), "it is held already");
    press(&mut state, "g");
    assert_eq!((state.tokens.selected.clone(), state.lookup.pasted.is_none()), (Some(id("toar")), true));
}

#[test]
fn the_typed_field_looks_up_what_was_pasted_into_it_only_on_enter() {
    let mut state = board(vec![]);
    press(&mut state, "i");
    assert_eq!(paste(&mut state, "Bearer \nabcdefghijklmnopqrstuvwxyz0123456789\n"), []);
    let effects = press(&mut state, "\n");
    let [Effect::LookUp(_, Target::Pasted(specimen), Asking::IfKnown)] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(specimen.value.expose(), "abcdefghijklmnopqrstuvwxyz0123456789");
}

#[test]
fn esc_stops_waiting_for_what_only_reads() {
    let mut state = board(vec![mytoken("toar", None), login("egi", -5)]);
    press(&mut state, "/toar\nR");
    let _ = update(&mut state, Message::Tick, seconds(3));
    assert_eq!(message(&state), "Looking up toar · Esc stops waiting · 3 s");
    press(&mut state, "\x1b");
    assert_eq!((state.busy.len(), state.lookup.task), (0, None));
    assert_eq!(state.tokens.filter.as_deref(), Some("toar"), "one thing at a time");
    press(&mut state, "\x1bgy");
    press(&mut state, "\x1b");
    assert_eq!(state.busy.len(), 1, "a renewal is never left half-way");
}

#[test]
fn a_held_mytoken_is_asked_about_for_nothing_and_its_answer_is_kept_with_it() {
    let mut state = board(vec![mytoken("toar", None)]);
    let held = Target::Held(id("toar"));
    assert_eq!(press(&mut state, "R"), [Effect::LookUp(Task(1), held.clone(), Asking::IfKnown)]);
    tell(&mut state, Outcome::LookedUp(Task(1), Box::new(finding(held, Standing::UsedUp))));
    assert_eq!(state.lookup.found[&id("toar")].verdict.standing, Standing::UsedUp);
}

#[test]
fn a_signature_is_told_of_the_token_that_was_looked_up_and_not_of_the_one_after_it() {
    use crate::domain::signature::{Signature, Unchecked};
    let signed = |serial: i64| {
        let claims = serde_json::json!({"iss": "https://egi.example", "jti": serial});
        let mut held = login("egi", 600);
        held.access[0].content = Some(crate::domain::jwt::Jwt {
            header: serde_json::Map::new(),
            claims: claims.as_object().unwrap().clone(),
            signature: 256,
        });
        held
    };
    let mut state = board(vec![signed(1)]);
    assert_eq!(lookup::signature(&state), None, "nobody has looked");
    let target = Target::Held(id("egi"));
    assert_eq!(press(&mut state, "R"), [Effect::LookUp(Task(1), target.clone(), Asking::IfKnown)]);
    let good = Signature::Good {
        issuer: "https://egi.example".into(),
        key: Some("k1".into()),
        algorithm: "RS256".into(),
    };
    let content = signed(1).access[0].content.clone().map(Box::new);
    let told =
        Finding { content, signature: Some(Box::new(good.clone())), ..finding(target, Standing::NotMytoken) };
    tell(&mut state, Outcome::LookedUp(Task(1), Box::new(told)));
    assert_eq!(lookup::signature(&state), Some(&good));
    assert_eq!(
        good.words(|issuer| lookup::called(&state, issuer)),
        "signature good, by key k1 of EGI Check-in"
    );
    let with = |state: &State, held: Held| {
        let mut state = state.clone();
        state.wallet.held = std::sync::Arc::new([held]);
        lookup::signature(&state).cloned()
    };
    assert_eq!(with(&state, signed(2)), None, "it was renewed since");
    let unlisted = Signature::Unchecked(Unchecked::NotListed("https://egi.example/".into()));
    assert!(
        unlisted
            .words(|issuer| lookup::called(&state, issuer))
            .contains("https://egi.example/ is not listed")
    );
}

// What destroys.

#[test]
fn revoking_takes_a_second_key_that_is_not_the_first() {
    let mut state = board(vec![login("egi", 100)]);
    assert_eq!(press(&mut state, "D\n"), [], "cancel is the default");
    assert_eq!(press(&mut state, "DDDyr\x1b"), []);
    assert_eq!(press(&mut state, "Dx"), [Effect::Revoke(Task(1), id("egi"))]);
    assert_eq!(press(&mut state, "Df"), [Effect::Forget(id("egi"))]);
}

#[test]
fn the_dialogue_says_what_ends_and_what_lives_on() {
    let mut state = board(vec![mytoken("toar", Some(581))]);
    press(&mut state, "D");
    let Some(Overlay::Revoke(dialogue)) = state.overlays.last() else { panic!() };
    assert_eq!(dialogue.ends.len(), 1);
    assert_eq!(
        dialogue.lives_on,
        [
            "access tokens already drawn live on until they end: 1, the last one at 08:09",
            "mytokens made from it live on"
        ]
    );
}

#[test]
fn what_is_dead_can_only_be_forgotten() {
    let dead = Held { health: Health::Dead("its issuer moved".to_owned()), ..login("old", -9) };
    let mut state = board(vec![dead]);
    assert_eq!(press(&mut state, "Dx"), []);
    assert_eq!(press(&mut state, "f"), [Effect::Forget(id("old"))]);
}

#[test]
fn quitting_asks_only_where_something_would_be_lost() {
    assert_eq!(press(&mut board(vec![]), "q"), [Effect::Quit]);
    let mut state = board(vec![login("egi", 100)]);
    assert_eq!(press(&mut state, "qqq"), []);
    let control_c = Message::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
    assert_eq!(update(&mut state, control_c, now()), []);
    assert_eq!(press(&mut state, "\n"), []);
    assert_eq!(press(&mut state, "qx"), [Effect::Quit]);
    let mut demo = board(vec![login("egi", 100)]);
    demo.seat.demo = true;
    assert_eq!(press(&mut demo, "q"), [Effect::Quit]);
}

#[test]
fn help_and_palette_run_what_they_list() {
    let mut state = board(vec![login("egi", 100)]);
    assert_eq!(press(&mut state, ":copy tok\n"), [Effect::CopyForm(id("egi"), Form::AccessToken)]);
    press(&mut state, "?");
    let lines = crate::app::palette::help(&state);
    let renew = lines.iter().position(|live| live.binding.action == Action::Renew).expect("listed");
    press(&mut state, &"j".repeat(renew));
    assert!(matches!(press(&mut state, "\n").as_slice(), [Effect::Draw { force: true, .. }]));
}

// Lists, panes, filters.

#[test]
fn the_selection_stays_with_its_row_and_falls_to_the_neighbour_of_a_lost_one() {
    let mut state = board(vec![login("c", 300), login("a", 100), login("b", 200)]);
    press(&mut state, "j");
    assert_eq!(state.tokens.selected, Some(id("b")), "the most urgent first");
    show(&mut state, vec![login("b", 9000), login("c", 300), login("a", 100)]);
    assert_eq!(state.tokens.selected, Some(id("b")));
    show(&mut state, vec![login("c", 300), login("a", 100)]);
    assert_eq!(state.tokens.selected, Some(id("c")));
}

#[test]
fn rows_are_sorted_anew_when_one_turns() {
    let mut state = board(vec![login("a", 100), bare("b", 3000)]);
    assert_eq!(state.tokens.rows, [0, 1]);
    assert_eq!(update(&mut state, Message::Tick, seconds(100)), []);
    assert_eq!(state.tokens.rows, [1, 0], "what lives goes before what has ended");
}

#[test]
fn a_filter_narrows_while_it_is_typed_and_esc_shows_all() {
    let mut state = board(vec![login("batch", 100), login("egi", 200), mytoken("toar", None)]);
    press(&mut state, "/KIT");
    assert_eq!(state.tokens.rows.len(), 1);
    assert_eq!(state.tokens.selected, Some(id("toar")));
    press(&mut state, "\n");
    assert_eq!((state.overlays.len(), state.tokens.rows.len()), (0, 1));
    press(&mut state, "\x1b");
    assert_eq!(state.tokens.rows.len(), 3);
}

#[test]
fn folded_sources_show_when_they_are_asked_for_or_used() {
    let mut state = board(vec![]);
    let mut sources = sources();
    sources[1].folded = true;
    let snapshot = |state: &State| crate::app::effect::Snapshot {
        sources: sources.clone().into(),
        ..state.wallet.clone()
    };
    let folded = snapshot(&state);
    tell(&mut state, Outcome::Changed(folded));
    let more = state.providers.rows.iter().position(|row| *row == Row::More).expect("folded");
    press(&mut state, &"j".repeat(more));
    press(&mut state, "\n");
    assert_eq!(state.providers.rows.len(), 4);
}

#[test]
fn paging_moves_by_what_is_seen_and_keeps_the_selection_on_screen() {
    let many = (0..40).map(|n| login(&format!("n{n:02}"), 1000 + n)).collect();
    let mut state = board(many);
    let page = Geometry::of(&state).rows(Pane::Tokens);
    let key = |code| Message::Key(KeyEvent::new(code, KeyModifiers::NONE));
    let _ = update(&mut state, key(KeyCode::PageDown), now());
    assert_eq!(state.tokens.selected, Some(id(&format!("n{:02}", page - 1))));
    press(&mut state, "G");
    assert_eq!((state.tokens.selected.clone(), state.tokens.offset), (Some(id("n39")), 40 - page));
    let _ = update(&mut state, Message::Resized(120, 12), now());
    assert_eq!(state.tokens.offset, 40 - Geometry::of(&state).rows(Pane::Tokens));
}

#[test]
fn a_click_selects_and_never_acts() {
    let mut state = board(vec![login("a", 100), login("b", 200)]);
    let area = Geometry::of(&state).pane(Pane::Tokens);
    let click = |column, row| {
        Message::Mouse(MouseEvent {
            kind: MouseEventKind::Down(MouseButton::Left),
            column,
            row,
            modifiers: KeyModifiers::NONE,
        })
    };
    // Border, column names, first row, second row.
    assert_eq!(update(&mut state, click(area.x + 3, area.y + 3), now()), []);
    assert_eq!(state.tokens.selected, Some(id("b")));
    assert_eq!(update(&mut state, click(2, 3), now()), []);
    assert_eq!((state.focus, state.providers.selected), (Pane::Providers, 1));
}

#[test]
fn a_long_failure_gets_a_window_and_a_short_one_a_line() {
    let mut state = board(vec![login("a", 100)]);
    tell(&mut state, Outcome::Failed(failure(Kind::Failed)));
    assert_eq!(state.notice.as_ref().map(|notice| notice.tone), Some(Tone::Bad));
    let long = failure(Kind::Failed).hint("Ask somebody who knows about it, or try again later.");
    tell(&mut state, Outcome::Failed(long));
    assert!(matches!(state.overlays.as_slice(), [Overlay::Failed(_)]));
}

#[test]
fn the_state_never_shows_what_was_pasted_or_typed() {
    let secret = "tokABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let mut state = board(vec![]);
    let hidden = |state: &State| assert!(!format!("{state:?}").contains("tokABC"));
    press(&mut state, "i");
    press(&mut state, secret);
    hidden(&state);
    press(&mut state, "\n");
    hidden(&state);
    press(&mut state, "k");
    assert!(matches!(state.overlays.last(), Some(Overlay::KeepAs(..))));
    hidden(&state);
    press(&mut state, "\x1b\x1b1");
    let (task, _) = log_in(&mut state, "\n");
    tell(&mut state, Outcome::Login(task, Step::View(Box::new(view()))));
    paste(&mut state, secret);
    hidden(&state);
}

#[test]
fn a_paste_is_text_on_every_screen_and_a_line_break_never_confirms() {
    let commands: String = (' '..='~').collect();
    let blobs =
        ["\n", "x\n", "f\r\n", "y\ny\n", "\u{1b}[201~Dx\n", "q\n", &commands, &format!("{commands}\n\n")];
    for place in every_place() {
        for blob in blobs {
            let mut state = place.clone();
            for effect in paste(&mut state, blob) {
                let looks = matches!(effect, Effect::LookUp(_, Target::Pasted(_), Asking::IfKnown));
                assert!(looks || matches!(effect, Effect::GiveRedirect(..)), "{effect:?}");
            }
            assert_eq!(state.overlays.len(), place.overlays.len(), "{blob:?}");
        }
    }
}

#[test]
fn an_unknown_mytoken_may_cost_and_says_so() {
    let mut short = mytoken("short", None);
    if let Chain::Mytoken { facts, .. } = &mut short.chain {
        **facts = Facts::default();
    }
    let mut state = board(vec![short]);
    assert_eq!(press(&mut state, "y"), []);
    assert_eq!(message(&state), "may cost one of its access tokens, if they are counted · again: y");
}
