//! The laws of the keymap: no key twice, nothing offered that does not work.

use std::collections::HashSet;

use crossterm::event::{KeyCode, KeyModifiers};

use super::*;
use crate::app::action::{CreateAction, FamilyAction, MytokenAction, PortalAction, ReadingAction};
use crate::app::effect::Outcome;
use crate::app::key::{ch, key};
use crate::app::palette;
use crate::app::sample::*;
use crate::domain::form::Form;

#[allow(clippy::too_many_lines, reason = "a list")]
/// Every action there is. The match below fails to compile when one is added and not listed here.
fn every_action() -> Vec<Action> {
    let listed = vec![
        Action::Quit,
        Action::Suspend,
        Action::Redraw,
        Action::NextPane,
        Action::PreviousPane,
        Action::Up,
        Action::Down,
        Action::PageUp,
        Action::PageDown,
        Action::First,
        Action::Last,
        Action::Open,
        Action::Back,
        Action::Copy,
        Action::CopyAs,
        Action::Renew,
        Action::LogIn,
        Action::NewMytoken,
        Action::LookUp,
        Action::AskServer,
        Action::Keep,
        Action::ReadHistory,
        Action::ShowContent,
        Action::GoToNewest,
        Action::Revoke,
        Action::ConfirmRevoke,
        Action::ConfirmForget,
        Action::AddProvider,
        Action::Filter,
        Action::Sort,
        Action::Zone,
        Action::Mouse,
        Action::Palette,
        Action::Help,
        Action::Accept,
        Action::TypeAddress,
        Action::CopyCode,
        Action::CopyAddress,
        Action::CopySshLine,
        Action::OpenBrowser,
        Action::ShowQr,
        Action::SignInDemo,
        Action::ClearClipboard,
        Action::QuitAnyway,
        Action::QuitPrinting,
        Action::Unlock,
        Action::Lock,
        Action::MakeStore,
        Action::Guard,
        Action::Rename,
        Action::SaveAgain,
        Action::CopyUnsaved,
        Action::RevokeTree,
        Action::ConfirmTree,
        Action::OpenEvent,
        Action::NextLine,
        Action::PreviousLine,
        Action::Switch,
        Action::Reading(ReadingAction::Search),
        Action::Reading(ReadingAction::Next),
        Action::Reading(ReadingAction::CopyClaim),
        Action::Reading(ReadingAction::CopyClaims),
        Action::Reading(ReadingAction::Compare),
        Action::Family(FamilyAction::All),
        Action::Family(FamilyAction::Below),
        Action::Family(FamilyAction::Read),
        Action::Family(FamilyAction::Manager),
        Action::Family(FamilyAction::Mark),
        Action::Family(FamilyAction::Filter),
        Action::Family(FamilyAction::Sort),
        Action::Family(FamilyAction::Open),
        Action::Family(FamilyAction::History),
        Action::Family(FamilyAction::LastUses),
        Action::Family(FamilyAction::Revoke),
        Action::Mytoken(MytokenAction::Outlast),
        Action::Mytoken(MytokenAction::Elsewhere),
        Action::Mytoken(MytokenAction::DrawWith),
        Action::Mytoken(MytokenAction::HandOver),
        Action::Mytoken(MytokenAction::Redeem),
        Action::Mytoken(MytokenAction::Successor),
        Action::Mytoken(MytokenAction::CopyHandedCode),
        Action::Mytoken(MytokenAction::CopyHandedCommand),
        Action::Mytoken(MytokenAction::HandedQr),
        Action::Mytoken(MytokenAction::Withdraw),
        Action::Portal(PortalAction::Userinfo),
        Action::Portal(PortalAction::Introspect),
        Action::Portal(PortalAction::RefreshToken),
        Action::Portal(PortalAction::Manage),
        Action::Portal(PortalAction::Active),
        Action::Portal(PortalAction::Announced),
    ];
    let is_listed = |action: Action| match action {
        Action::Focus(_) | Action::CopyForm(_) | Action::CopyScript(_) | Action::Create(_) => false,
        Action::Quit
        | Action::Suspend
        | Action::Redraw
        | Action::NextPane
        | Action::PreviousPane
        | Action::Up
        | Action::Down
        | Action::PageUp
        | Action::PageDown
        | Action::First
        | Action::Last
        | Action::Open
        | Action::Back
        | Action::Copy
        | Action::CopyAs
        | Action::Renew
        | Action::LogIn
        | Action::NewMytoken
        | Action::LookUp
        | Action::AskServer
        | Action::Keep
        | Action::ReadHistory
        | Action::ShowContent
        | Action::GoToNewest
        | Action::Revoke
        | Action::ConfirmRevoke
        | Action::ConfirmForget
        | Action::AddProvider
        | Action::Filter
        | Action::Sort
        | Action::Reading(
            ReadingAction::Search
            | ReadingAction::Next
            | ReadingAction::CopyClaim
            | ReadingAction::CopyClaims
            | ReadingAction::Compare,
        )
        | Action::Zone
        | Action::Mouse
        | Action::Palette
        | Action::Help
        | Action::Accept
        | Action::TypeAddress
        | Action::CopyCode
        | Action::CopyAddress
        | Action::CopySshLine
        | Action::OpenBrowser
        | Action::ShowQr
        | Action::SignInDemo
        | Action::ClearClipboard
        | Action::QuitAnyway
        | Action::QuitPrinting
        | Action::Unlock
        | Action::Lock
        | Action::MakeStore
        | Action::Guard
        | Action::Rename
        | Action::SaveAgain
        | Action::CopyUnsaved
        | Action::RevokeTree
        | Action::ConfirmTree
        | Action::OpenEvent
        | Action::NextLine
        | Action::PreviousLine
        | Action::Switch
        | Action::Portal(
            PortalAction::Userinfo
            | PortalAction::Introspect
            | PortalAction::RefreshToken
            | PortalAction::Manage
            | PortalAction::Active
            | PortalAction::Announced,
        )
        | Action::Family(
            FamilyAction::All
            | FamilyAction::Below
            | FamilyAction::Read
            | FamilyAction::Manager
            | FamilyAction::Mark
            | FamilyAction::Filter
            | FamilyAction::Sort
            | FamilyAction::Open
            | FamilyAction::History
            | FamilyAction::LastUses
            | FamilyAction::Revoke,
        )
        | Action::Mytoken(
            MytokenAction::Outlast
            | MytokenAction::Elsewhere
            | MytokenAction::DrawWith
            | MytokenAction::HandOver
            | MytokenAction::Redeem
            | MytokenAction::Successor
            | MytokenAction::CopyHandedCode
            | MytokenAction::CopyHandedCommand
            | MytokenAction::HandedQr
            | MytokenAction::Withdraw,
        ) => true,
    };
    assert!(listed.iter().all(|action| is_listed(*action)));
    let panes = Pane::ALL.map(Action::Focus);
    let forms = Form::ALL.map(Action::CopyForm);
    let scripts = crate::app::copy::Script::ALL.map(Action::CopyScript);
    let in_form = CreateAction::ALL.map(Action::Create);
    listed.into_iter().chain(panes).chain(forms).chain(scripts).chain(in_form).collect()
}

#[test]
fn no_key_stands_twice_in_a_layer() {
    // Of these two actions the first goes before the second, and the second is nothing that destroys what the first one keeps.
    let shared = [
        (Layer::Board, ch('w')),
        (Layer::Board, ch('W')),
        (Layer::CopyMenu, ch('t')),
        (Layer::Lookup, ch('k')),
        (Layer::Lookup, key(KeyCode::Enter)),
        (Layer::Family, key(KeyCode::Enter)),
        (Layer::Reading, key(KeyCode::Enter)),
        (Layer::Revoke, key(KeyCode::Enter)),
        (Layer::Sheet, key(KeyCode::Enter)),
    ];
    let mut seen = HashSet::new();
    let mut twice = HashSet::new();
    for binding in KEYMAP {
        for key in binding.keys {
            if !seen.insert((binding.layer, *key)) {
                assert!(twice.insert((binding.layer, *key)), "{key} thrice in {:?}", binding.layer);
            }
        }
    }
    assert_eq!(twice, shared.into_iter().collect());
}

#[test]
fn every_action_can_be_reached_and_stands_once_in_a_layer() {
    for action in every_action() {
        assert!(KEYMAP.iter().any(|binding| binding.action == action), "{action:?} cannot be reached");
    }
    let mut seen = HashSet::new();
    for binding in KEYMAP {
        assert!(
            seen.insert((binding.layer, binding.action)),
            "{:?} twice in {:?}",
            binding.action,
            binding.layer
        );
    }
}

#[test]
fn every_layer_is_in_the_list_of_layers() {
    for binding in KEYMAP {
        assert!(Layer::ALL.contains(&binding.layer));
    }
}

#[test]
fn what_is_shown_works_and_everything_is_shown_once() {
    for state in every_place() {
        let live = live(&state);
        let mut actions = HashSet::new();
        for shown in &live {
            assert!(actions.insert(shown.binding.action), "{:?} twice", shown.binding.action);
            for key in &shown.keys {
                assert_eq!(action(&state, &key.event()), Some(shown.binding.action), "{key}");
            }
        }
    }
}

#[test]
fn esc_never_leaves_and_ctrl_c_always_can() {
    for state in every_place() {
        let esc = action(&state, &KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE));
        assert!(matches!(esc, None | Some(Action::Back)), "{esc:?}");
        let control_c = action(&state, &KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
        let is_asking = matches!(state.overlays.last(), Some(Overlay::QuitLoses(_)));
        assert_eq!(control_c, (!is_asking).then_some(Action::Quit));
    }
}

#[test]
fn labels_are_at_most_three_words() {
    for binding in KEYMAP {
        assert!(binding.label.split(' ').count() <= 3, "{}", binding.label);
        assert!(!binding.hint.ends_with('.') && !binding.hint.is_empty(), "{}", binding.hint);
    }
}

#[test]
fn the_menu_of_forms_has_the_keys_that_the_forms_name() {
    for form in Form::ALL {
        let binding = KEYMAP.iter().find(|binding| binding.action == Action::CopyForm(form)).expect("listed");
        assert_eq!(binding.keys, [ch(form.key())]);
    }
}

#[test]
fn where_letters_are_typed_no_letter_is_a_command() {
    for state in every_place() {
        if state.overlays.last().is_some_and(Overlay::is_typing) {
            for c in ' '..='~' {
                assert_eq!(action(&state, &event(c)), None, "{c}");
            }
        }
    }
}

#[test]
fn upper_case_letters_are_found_however_the_terminal_reports_them() {
    let state = board(vec![login("egi", 100)]);
    for modifiers in [KeyModifiers::NONE, KeyModifiers::SHIFT] {
        assert_eq!(action(&state, &KeyEvent::new(KeyCode::Char('Y'), modifiers)), Some(Action::CopyAs));
    }
    assert_eq!(action(&state, &KeyEvent::new(KeyCode::Char('y'), KeyModifiers::ALT)), None);
}

fn line(state: &State, columns: usize) -> String {
    let keys: Vec<String> =
        footer(state, columns).iter().map(|live| format!("{} {}", live.key(), live.label)).collect();
    format!(" {}", keys.join("   "))
}

#[test]
fn the_footer_shows_what_is_worth_most_and_fits() {
    let state = board(vec![mytoken("toar", Some(581))]);
    assert_eq!(
        line(&state, 80),
        " y copy   r renew   l log in   n new mytoken   i look up   / filter   ? help"
    );
    assert_eq!(line(&state, 20), " y copy   ? help");
    for columns in 0..140 {
        assert!(footer(&state, columns).is_empty() || line(&state, columns).width() <= columns, "{columns}");
    }
    let mut newcomer = board(vec![]);
    assert_eq!(
        line(&newcomer, 80),
        " Enter log in   n new mytoken   i look up   / filter   : commands   ? help"
    );
    tell(&mut newcomer, Outcome::ClipboardCleared("cleared".to_owned()));
}

#[test]
fn the_key_table_of_the_readme_names_every_key() {
    let table = markdown();
    assert_eq!(table.lines().count(), KEYMAP.len() + 2);
    assert!(table.contains("| the board | `y` `c` | copy the access token, renewed if need be |"));
    assert!(table.contains("`Shift-Tab`") && table.contains("`Ctrl-C`") && table.contains("`PgDn`"));
}

#[test]
fn a_read_only_board_has_no_key_that_changes_anything() {
    for mut state in every_place() {
        state.seat.read_only = true;
        for shown in live(&state) {
            assert!(!shown.binding.action.changes(), "{:?}", shown.binding.action);
        }
        assert!(palette::matches(&state, "").iter().all(|shown| !shown.binding.action.changes()));
    }
}
