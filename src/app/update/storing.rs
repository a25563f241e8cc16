//! What the questions about the store promise: nothing is begun before they are answered, nothing is lost by Esc, and what was
//! wanted goes on by itself.

use super::*;
use crate::app::create::Item;
use crate::app::effect::{Outcome, Snapshot, Task};
use crate::app::overlay::{Loss, Overlay};
use crate::app::sample::*;
use crate::app::state::Tone;
use crate::domain::credential::{Custody, Held};
use crate::domain::failure::{Failure, Kind};
use crate::domain::form::Form;
use crate::domain::secret::Secret;
use crate::domain::vault::{Access, Guard, Opening, Vault};

fn stands(state: &mut State, vault: Vault) {
    let snapshot = Snapshot { vault, ..state.wallet.clone() };
    let _ = tell(state, Outcome::Changed(snapshot));
}

fn open_vault() -> Vault {
    Vault { access: Access::Open { until: None }, guards: vec![Guard::Passphrase], ..Vault::default() }
}

fn locked(guards: &[Guard]) -> Vault {
    Vault { access: Access::Locked, guards: guards.to_vec(), ..Vault::default() }
}

/// A board without a store.
fn newcomer() -> State {
    let mut state = board(vec![]);
    stands(&mut state, Vault::default());
    state
}

/// A board over a locked store.
fn before_the_lock(held: Vec<Held>, guards: &[Guard]) -> State {
    let mut state = board(held.into_iter().map(|held| Held { locked: true, ..held }).collect());
    stands(&mut state, locked(guards));
    state
}

fn opened(state: &mut State) {
    let held: Vec<Held> =
        state.wallet.held.iter().map(|held| Held { locked: false, ..held.clone() }).collect();
    let snapshot = Snapshot { held: held.into(), vault: open_vault(), ..state.wallet.clone() };
    let _ = tell(state, Outcome::Changed(snapshot));
}

fn refused() -> Failure {
    Failure::new(Kind::NotValid, "Unlocking the store", "that does not open the store")
}

fn task_of(effects: &[Effect]) -> Task {
    effects
        .iter()
        .find_map(|effect| match effect {
            Effect::AskKeyring(task)
            | Effect::CreateStore(task, _)
            | Effect::StayInMemory(task)
            | Effect::Unlock(task, _)
            | Effect::Guard(task, _) => Some(*task),
            _ => None,
        })
        .expect("something of the store is asked for")
}

#[test]
fn a_login_waits_for_the_first_question_and_then_starts() {
    let mut state = newcomer();
    let asked = press(&mut state, "\n");
    assert!(matches!(asked.as_slice(), [Effect::Refresh, Effect::AskKeyring(_)]), "{asked:?}");
    assert_eq!(press(&mut state, "\n"), [], "the keyring has not answered yet");
    assert_eq!(tell(&mut state, Outcome::KeyringAsked(task_of(&asked), true)), []);
    let made = press(&mut state, "\n");
    assert!(matches!(made.as_slice(), [Effect::CreateStore(_, Opening::Keyring)]), "{made:?}");
    stands(&mut state, Vault { guards: vec![Guard::Keyring], ..open_vault() });
    let goes_on = tell(&mut state, Outcome::StoreMade(task_of(&made), Ok(())));
    assert!(matches!(goes_on.as_slice(), [Effect::LogIn(..)]), "{goes_on:?}");
}

#[test]
fn a_keyring_that_does_not_answer_leaves_the_passphrase_and_what_was_chosen_meanwhile_stays() {
    let mut state = newcomer();
    let asked = press(&mut state, "\n");
    press(&mut state, "jj");
    let _ = tell(&mut state, Outcome::KeyringAsked(task_of(&asked), false));
    press(&mut state, "\n");
    assert!(state.overlays.last().is_some_and(Overlay::is_typing), "the word for a key file");
    let mut state = newcomer();
    let asked = press(&mut state, "\n");
    let _ = tell(&mut state, Outcome::KeyringAsked(task_of(&asked), false));
    let made = press(&mut state, "\nlong enough\nlong enough\n");
    assert_eq!(made, [Effect::CreateStore(task_of(&made), Opening::Passphrase(Secret::new("long enough")))]);
}

#[test]
fn a_passphrase_is_taken_with_its_blanks_and_shows_nowhere() {
    let mut state = newcomer();
    let asked = press(&mut state, "\n");
    let _ = tell(&mut state, Outcome::KeyringAsked(task_of(&asked), false));
    press(&mut state, "\n a b ");
    assert!(!format!("{state:?}").contains(" a b "));
    let made = press(&mut state, "\n a b \n");
    assert!(made.contains(&Effect::CreateStore(task_of(&made), Opening::Passphrase(Secret::new(" a b ")))));
}

#[test]
fn a_store_that_cannot_be_made_says_why_and_the_wish_is_not_lost() {
    let mut state = newcomer();
    let asked = press(&mut state, "\n");
    let _ = tell(&mut state, Outcome::KeyringAsked(task_of(&asked), true));
    let made = press(&mut state, "\n");
    let why = Failure::new(Kind::Failed, "Making a store", "the desktop's keyring is locked");
    assert_eq!(tell(&mut state, Outcome::StoreMade(task_of(&made), Err(why))), []);
    let again = press(&mut state, "jjj\n");
    assert!(matches!(again.as_slice(), [Effect::StayInMemory(_)]), "{again:?}");
    stands(&mut state, in_memory());
    let goes_on = tell(&mut state, Outcome::StoreMade(task_of(&again), Ok(())));
    assert!(matches!(goes_on.as_slice(), [Effect::LogIn(..)]), "{goes_on:?}");
}

#[test]
fn what_needs_a_secret_unlocks_first_and_says_its_price_only_then() {
    let mut state = before_the_lock(vec![mytoken("toar", None)], &[Guard::Passphrase]);
    assert!(press(&mut state, "y").iter().all(|effect| *effect == Effect::Refresh));
    assert_eq!(state.price, None);
    let tried = press(&mut state, "secret\n");
    assert_eq!(tried, [Effect::Unlock(task_of(&tried), Opening::Passphrase(Secret::new("secret")))]);
    opened(&mut state);
    assert_eq!(tell(&mut state, Outcome::Unlocked(task_of(&tried), Guard::Passphrase, Ok(()))), []);
    assert!(state.price.is_some(), "it costs a use");
    let paid = press(&mut state, "y");
    assert!(matches!(paid.as_slice(), [Effect::Draw { copy: Some(Form::AccessToken), .. }]), "{paid:?}");
}

#[test]
fn a_wrong_passphrase_empties_the_field_and_waits_longer_each_time_up_to_ten_seconds() {
    let mut state = before_the_lock(vec![login("egi", 100)], &[Guard::Passphrase]);
    press(&mut state, "L");
    let mut at = now();
    for pause in [1, 2, 4, 8, 10, 10] {
        let tried = press_at(&mut state, "wrong\n", at);
        let task = task_of(&tried);
        let _ = update(&mut state, Outcome::Unlocked(task, Guard::Passphrase, Err(refused())).into(), at);
        let early = later(at, jiff::SignedDuration::from_millis(pause * 1000 - 1));
        assert!(press_at(&mut state, "\n", early).iter().all(|effect| *effect == Effect::Refresh), "empty");
        press_at(&mut state, "again", early);
        assert!(press_at(&mut state, "\n", early).iter().all(|effect| *effect == Effect::Refresh), "{pause}");
        at = later(at, jiff::SignedDuration::from_secs(pause));
        press_at(&mut state, "\u{8}", at);
        let Some(Overlay::Unlock(unlock)) = state.overlays.last_mut() else { panic!("it is still asked") };
        unlock.field.clear();
    }
}

#[test]
fn a_store_that_opens_by_itself_does_so_once_at_the_start_and_not_after_the_user_has_locked_it() {
    let mut state = State::new(crate::app::state::Seat::default(), (80, 24), jiff::tz::TimeZone::UTC);
    let guards = [Guard::Passphrase, Guard::Keyring];
    let first =
        tell(&mut state, Outcome::Changed(Snapshot { vault: locked(&guards), ..Snapshot::default() }));
    assert_eq!(first, [Effect::Unlock(task_of(&first), Opening::Keyring)]);
    opened(&mut state);
    let _ = tell(&mut state, Outcome::Unlocked(task_of(&first), Guard::Keyring, Ok(())));
    let snapshot = Snapshot { vault: locked(&guards), ..state.wallet.clone() };
    let again = tell(&mut state, Outcome::Changed(snapshot));
    assert_eq!(again, []);
}

#[test]
fn a_keyring_that_fails_at_the_start_is_said_and_the_passphrase_still_works() {
    let mut state = before_the_lock(vec![login("egi", 100)], &[Guard::Keyring, Guard::Passphrase]);
    let tried = press(&mut state, "L");
    assert!(matches!(tried.last(), Some(Effect::Unlock(_, Opening::Keyring))), "{tried:?}");
    let _ = tell(&mut state, Outcome::Unlocked(task_of(&tried), Guard::Keyring, Err(refused())));
    let Some(Overlay::Unlock(unlock)) = state.overlays.last() else { panic!("it is still asked") };
    assert!(unlock.said.is_some() && unlock.pause.is_none(), "no guess was made");
    let tried = press(&mut state, "it\n");
    assert!(matches!(tried.as_slice(), [Effect::Unlock(_, Opening::Passphrase(_))]), "{tried:?}");
}

#[test]
fn to_revoke_in_a_locked_store_takes_its_own_key_after_the_unlocking_too() {
    let mut state = before_the_lock(vec![login("egi", 100)], &[Guard::Passphrase]);
    let tried = press(&mut state, "Dxpass\n");
    opened(&mut state);
    assert_eq!(tell(&mut state, Outcome::Unlocked(task_of(&tried), Guard::Passphrase, Ok(()))), []);
    assert!(matches!(state.overlays.last(), Some(Overlay::Revoke(_))));
    assert!(matches!(press(&mut state, "x").as_slice(), [Effect::Revoke(..)]));
}

#[test]
fn to_forget_needs_no_key() {
    let mut state = before_the_lock(vec![login("egi", 100)], &[Guard::Passphrase]);
    assert!(press(&mut state, "Df").contains(&Effect::Forget(id("egi"))));
}

#[test]
fn others_are_looked_for_when_the_focus_comes_when_the_clock_jumps_and_on_the_first_key_after_two_seconds() {
    let mut state = board(vec![login("egi", 100)]);
    assert_eq!(update(&mut state, Message::Focused(true), now()), [], "nobody else sees what is in memory");
    stands(&mut state, open_vault());
    assert_eq!(update(&mut state, Message::Focused(true), now()), [Effect::Refresh]);
    assert_eq!(update(&mut state, Message::Focused(false), now()), []);
    assert_eq!(update(&mut state, Message::ClockJumped, now()), [Effect::Refresh]);
    press_at(&mut state, "j", seconds(100));
    assert_eq!(press_at(&mut state, "j", seconds(101)), []);
    assert_eq!(press_at(&mut state, "j", seconds(103)), [Effect::Refresh]);
}

#[test]
fn what_was_not_written_is_tried_again_every_ten_seconds_and_quitting_names_it() {
    let unsaved = Held { custody: Custody::Unsaved("full".to_owned()), ..login("egi", 4000) };
    let mut state = board(vec![unsaved, login("toar", 4000)]);
    stands(&mut state, Vault { unsaved: 1, ..open_vault() });
    let at = state.next_change(now()).expect("it is tried again");
    let mut tries = 0;
    let mut now = at;
    while now < seconds(35) {
        let effects = update(&mut state, Message::Tick, now);
        tries += effects.iter().filter(|effect| matches!(effect, Effect::SaveAgain(_))).count();
        now = state.next_change(now).expect("it is tried again");
    }
    assert_eq!(tries, 3);
    press_at(&mut state, "q", now);
    let Some(Overlay::QuitLoses(loss)) = state.overlays.last() else { panic!("it asks") };
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let expected = Loss { memory: names(&["toar"]), unsaved: names(&["egi"]), why: Some("full".to_owned()) };
    assert_eq!(*loss, expected);
    assert!(press_at(&mut state, "W", now).contains(&Effect::CopyForm(id("egi"), Form::RefreshToken)));
    assert!(press_at(&mut state, "p", now).contains(&Effect::QuitPrinting));
}

#[test]
fn while_it_is_left_no_key_begins_anything_and_an_answer_that_cannot_be_written_calls_it_back() {
    let mut state = board(vec![login("egi", 4000)]);
    stands(&mut state, open_vault());
    let _ = press(&mut state, "r");
    let _ = update(&mut state, Message::Leaving, now());
    assert_eq!(press(&mut state, "qyr\x1bLi\n"), []);
    assert_eq!(state.overlays.len(), 0);
    let unsaved = Held { custody: Custody::Unsaved("full".to_owned()), ..login("egi", 4000) };
    let snapshot = Snapshot {
        held: vec![unsaved].into(),
        vault: Vault { unsaved: 1, ..open_vault() },
        ..state.wallet.clone()
    };
    let _ = tell(&mut state, Outcome::Changed(snapshot));
    assert_eq!(tell(&mut state, Outcome::NotLeft(1)), []);
    assert!(matches!(state.overlays.last(), Some(Overlay::QuitLoses(_))) && state.leaving.is_none());
}

#[test]
fn a_name_that_the_store_refuses_stays_in_the_field_with_the_reason() {
    let mut state = board(vec![login("egi", 4000)]);
    press(&mut state, ":rename\n");
    let asked = press(&mut state, "-2\n");
    assert_eq!(asked, [Effect::Rename(id("egi"), "egi-2".to_owned())]);
    let why = Failure::new(Kind::Unusable, "Renaming", "egi-2 is already the name of another token here");
    let _ = tell(&mut state, Outcome::Renamed(Err(why)));
    assert!(matches!(state.overlays.last(), Some(Overlay::Rename(..))));
    assert_eq!(state.notice.as_ref().map(|notice| notice.tone), Some(Tone::Bad));
    let _ = tell(&mut state, Outcome::Renamed(Ok(("egi".to_owned(), "egi-2".to_owned()))));
    assert_eq!(state.overlays.len(), 0);
}

fn later(at: Timestamp, span: jiff::SignedDuration) -> Timestamp {
    crate::domain::time::later(at, span)
}

#[test]
fn what_is_wrong_in_the_config_stays_in_sight_when_the_store_opens_by_itself() {
    let mut state = before_the_lock(vec![login("egi", 100)], &[Guard::KeyFile]);
    state.say(Tone::Warning, "config.toml, line 2: …", now());
    let _ = tell(&mut state, Outcome::Unlocked(Task(1), Guard::KeyFile, Ok(())));
    assert_eq!(state.notice.as_ref().map(|notice| notice.text.as_str()), Some("config.toml, line 2: …"));
    state.notice = None;
    let _ = tell(&mut state, Outcome::Unlocked(Task(2), Guard::KeyFile, Ok(())));
    assert_eq!(state.notice.map(|notice| notice.text).as_deref(), Some("Unlocked by a key file"));
}

#[test]
fn another_clause_of_the_form_keeps_nothing_and_asks_for_no_store() {
    let mut state = newcomer();
    press(&mut state, "n");
    let at = |state: &State| crate::app::create::on_top(state).map(|form| (form.at, form.clauses.len()));
    for _ in 0..60 {
        if at(&state).is_some_and(|(item, _)| item == Item::Another) {
            break;
        }
        press(&mut state, "\t");
    }
    press(&mut state, "\n");
    assert_eq!(at(&state), Some((Item::Clause(1), 2)));
    press(&mut state, "\n");
    assert!(matches!(state.overlays.last(), Some(Overlay::Guarding(_))), "what is made is kept");
}
