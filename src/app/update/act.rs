//! What each action does.

use jiff::Timestamp;

use super::{ask, create, end, family, log_in, moving, mytoken, portal, reading, safe, typing};
use crate::app::action::Action;
use crate::app::active;
use crate::app::copy::{self, MenuRow, Script};
use crate::app::effect::Effect;
use crate::app::field::Field;
use crate::app::overlay::{List, Overlay, Palette};
use crate::app::providers::Row;
use crate::app::safe::Purpose;
use crate::app::sheet::Sheet;
use crate::app::state::{Pane, State};
use crate::app::{filter_of, palette};
use crate::domain::form::Form;

/// Does what the user asks for; the keymap has said that it works now.
pub(super) fn act(state: &mut State, action: Action, now: Timestamp) -> Vec<Effect> {
    if let Some(effects) = safe::ask_before(state, action) {
        return effects;
    }
    match action {
        Action::Quit => return end::quit(state),
        Action::QuitPrinting => return end::quit_printing(state),
        Action::Unlock => return safe::unlock(state, None),
        Action::Lock => return vec![Effect::Lock],
        Action::MakeStore => return make_store(state),
        Action::Guard => return safe::choose(state, Purpose::Change, None),
        Action::Rename => safe::name_anew(state),
        Action::SaveAgain => return safe::save_again(state, now),
        Action::CopyUnsaved => return safe::copy_unsaved(state),
        Action::QuitAnyway => return end::quit_anyway(state),
        Action::Suspend => return vec![Effect::Suspend],
        Action::Redraw => return vec![Effect::Redraw],
        Action::Focus(pane) => moving::focus(state, pane),
        Action::NextPane => moving::focus_by(state, 1),
        Action::PreviousPane => moving::focus_by(state, Pane::ALL.len() - 1),
        Action::Up | Action::Down | Action::PageUp | Action::PageDown | Action::First | Action::Last => {
            moving::step(state, action);
        }
        Action::Open => return open(state),
        Action::Back => return back(state, now),
        Action::Copy => return copy_access_token(state, now),
        Action::CopyAs => open_on_selected(state, |id| Overlay::CopyMenu(id, List::default())),
        Action::CopyForm(form) => return copy_form(state, form, now),
        Action::CopyScript(script) => return copy_script(state, script),
        Action::Renew => {
            let Some(id) = state.acting().map(|held| held.id.clone()) else { return Vec::new() };
            return copy::draw(state, &id, true, None, action, now);
        }
        Action::LogIn => return log_in::at_target(state),
        Action::NewMytoken => return create::open(state, now),
        Action::Create(action) => return create::act(state, action, now),
        Action::LookUp => state.overlays.push(Overlay::Paste(Field::default())),
        Action::AskServer => return ask::server(state, now),
        Action::Keep => ask::name_to_keep(state),
        Action::ReadHistory => return ask::history(state, now),
        Action::ShowContent => state.overlays.push(Overlay::Content(List::default())),
        Action::GoToNewest => ask::go_to_newest(state),
        Action::Revoke => {
            if let Some(id) = active::selected(state) {
                return end::offer(state, &id, now);
            }
            return create::revoke(state, now).unwrap_or_else(|| end::open(state, now));
        }
        Action::RevokeTree => end::ask_for_name(state),
        Action::ConfirmTree => return end::revoke_tree(state, now),
        Action::ConfirmRevoke => return end::revoke(state, now),
        Action::ConfirmForget => return end::forget(state),
        Action::AddProvider => state.overlays.push(Overlay::AddProvider(Field::default())),
        Action::Filter => {
            let filter = filter_of(state, state.focus).map(String::as_str).unwrap_or_default();
            state.overlays.push(Overlay::Filter(Field::new(filter)));
        }
        Action::Reading(action) => return reading::act(state, action, now),
        Action::Sort => state.tokens.sort = state.tokens.sort.next(),
        Action::Zone => state.utc = !state.utc,
        Action::Mouse => {
            state.mouse = !state.mouse;
            return vec![Effect::CatchMouse(state.mouse)];
        }
        Action::Palette => state.overlays.push(Overlay::Palette(Palette::default())),
        Action::Help => state.overlays.push(Overlay::Help(List::default())),
        Action::Accept => return accept(state, now),
        Action::TypeAddress
        | Action::CopyCode
        | Action::CopyAddress
        | Action::CopySshLine
        | Action::OpenBrowser
        | Action::ShowQr
        | Action::SignInDemo => return log_in::panel(state, action),
        Action::OpenEvent => return family::open_event(state, now),
        Action::NextLine => in_sheet(state, |sheet| sheet.step(1)),
        Action::PreviousLine => in_sheet(state, |sheet| sheet.step(sheet.open().saturating_sub(1))),
        Action::Switch => in_sheet(state, Sheet::switch),
        Action::Family(action) => return family::act(state, action, now),
        Action::Mytoken(action) => return mytoken::act(state, action, now),
        Action::Portal(action) => return portal::act(state, action, now),
        Action::ClearClipboard => {
            state.clipboard = None;
            return vec![Effect::ClearClipboard];
        }
    }
    Vec::new()
}

fn open(state: &mut State) -> Vec<Effect> {
    if state.focus != Pane::Providers {
        open_on_selected(state, |id| Overlay::Details(id, List::default()));
        return Vec::new();
    }
    match state.selected_row() {
        Some(Row::Source(..)) => return log_in::at_target(state),
        Some(Row::More) => state.providers.unfolded = true,
        Some(Row::Add) => state.overlays.push(Overlay::AddProvider(Field::default())),
        None => {}
    }
    Vec::new()
}

fn in_sheet(state: &mut State, change: impl FnOnce(&mut Sheet)) {
    state.price = None;
    if let Some(Overlay::Sheet(sheet)) = state.overlays.last_mut() {
        change(sheet);
    }
}

fn open_on_selected(state: &mut State, overlay: fn(crate::domain::credential::CredentialId) -> Overlay) {
    if let Some(id) = state.acting().map(|held| held.id.clone()) {
        state.overlays.push(overlay(id));
    }
}

/// Esc: one step back, and never out of the program.
fn back(state: &mut State, now: Timestamp) -> Vec<Effect> {
    if state.price.take().is_some() && state.overlays.is_empty() {
        return Vec::new();
    }
    if safe::back(state) || end::leave_name(state) || family::leave_filter(state) || reading::leave(state) {
        return Vec::new();
    }
    match state.overlays.last_mut() {
        Some(Overlay::Login(login)) if login.typing => login.typing = false,
        Some(Overlay::Login(_)) => return log_in::cancel(state, now),
        Some(Overlay::Create(_)) => create::back(state, now),
        Some(Overlay::Filter(_)) => {
            typing::set_filter(state, None);
            state.overlays.pop();
        }
        Some(Overlay::Handing(handing)) if handing.qr_alone => handing.qr_alone = false,
        Some(_) => match state.overlays.pop() {
            Some(Overlay::Family(window)) => family::closed(state, &window),
            Some(Overlay::WhichProvider(which)) => mytoken::after_failed_login(state, which.task),
            _ => {}
        },
        None => back_on_board(state),
    }
    Vec::new()
}

fn back_on_board(state: &mut State) {
    state.notice = None;
    if ask::stop_reading(state) {
        return;
    }
    if state.lookup.pasted.is_some() {
        ask::leave_pasted(state);
    } else {
        typing::set_filter(state, None);
    }
}

fn copy_access_token(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let held = if state.overlays.is_empty() { state.acting() } else { copy::granted(state) };
    let Some(id) = held.map(|held| held.id.clone()) else { return Vec::new() };
    copy::copy(state, &id, Form::AccessToken, Action::Copy, now)
}

fn copy_form(state: &mut State, form: Form, now: Timestamp) -> Vec<Effect> {
    let Some(Overlay::CopyMenu(id, _)) = state.overlays.last() else { return Vec::new() };
    let id = id.clone();
    let effects = copy::copy(state, &id, form, Action::CopyForm(form), now);
    // While a price is on show the menu stays: the same key in it pays.
    if state.price.is_none() {
        state.overlays.pop();
    }
    effects
}

/// A script goes to the clipboard as any text that is no secret.
fn copy_script(state: &mut State, script: Script) -> Vec<Effect> {
    let name = match state.overlays.last() {
        Some(Overlay::CopyMenu(id, _)) => state.held(id).map(|held| held.name.clone()),
        _ => None,
    };
    let Some(name) = name else { return Vec::new() };
    state.overlays.pop();
    vec![Effect::CopyText(script.text(&name), script.what())]
}

/// The selected row of the open menu.
pub(super) fn chosen_row(state: &State) -> Option<MenuRow> {
    match state.overlays.last() {
        Some(Overlay::CopyMenu(_, list)) => copy::menu_rows(state).get(list.selected).copied(),
        _ => None,
    }
}

/// Enter where something is typed or chosen.
fn accept(state: &mut State, now: Timestamp) -> Vec<Effect> {
    match state.overlays.last() {
        Some(Overlay::Help(list)) => {
            let chosen = palette::help(state).get(list.selected).map(|live| live.binding.action);
            run(state, chosen, now)
        }
        Some(Overlay::Palette(typed)) => {
            let matches = palette::matches(state, typed.field.value());
            let chosen = matches.get(typed.selected).map(|live| live.binding.action);
            run(state, chosen, now)
        }
        Some(Overlay::CopyMenu(..)) => {
            chosen_row(state).map(|row| act(state, row.action(), now)).unwrap_or_default()
        }
        Some(Overlay::Filter(_)) => {
            state.overlays.pop();
            Vec::new()
        }
        Some(Overlay::Family(_)) => {
            family::keep_filter(state);
            Vec::new()
        }
        Some(Overlay::Sheet(_)) => mytoken::accept(state, now),
        Some(Overlay::Login(_)) => log_in::give_typed(state),
        Some(Overlay::WhichProvider(_)) => log_in::with_provider(state),
        Some(Overlay::WhichClient(_)) => log_in::with_client(state, now),
        Some(Overlay::Registered(..)) => log_in::as_registered(state),
        Some(Overlay::Paste(_)) => ask::typed(state, now),
        Some(Overlay::KeepAs(..)) => ask::keep(state, now),
        Some(Overlay::AddProvider(_)) => ask::provider(state, now),
        Some(Overlay::Rename(..)) => safe::rename(state),
        Some(Overlay::Create(_)) => create::accept(state, now),
        Some(Overlay::Guarding(_) | Overlay::Unlock(_)) => safe::accept(state, now),
        Some(Overlay::Details(..) | Overlay::Content(_) | Overlay::Active(..) | Overlay::Compared(..)) => {
            reading::keep(state);
            Vec::new()
        }
        Some(
            Overlay::Member(..)
            | Overlay::Event(..)
            | Overlay::Userinfo(..)
            | Overlay::Introspected(..)
            | Overlay::Announced(..)
            | Overlay::Handing(_)
            | Overlay::Granted(_)
            | Overlay::Failed(_)
            | Overlay::MayAsk(..)
            | Overlay::Revoke(_)
            | Overlay::QuitLoses(_),
        )
        | None => Vec::new(),
    }
}

/// A store for what is in memory only; from the question about quitting, which it makes needless.
fn make_store(state: &mut State) -> Vec<Effect> {
    let leaves = matches!(state.overlays.last(), Some(Overlay::QuitLoses(_)));
    if leaves {
        state.overlays.pop();
    }
    safe::choose(state, Purpose::Make, leaves.then_some(Action::Quit))
}

/// Runs what was chosen in help or palette, as if its key had been pressed under it.
fn run(state: &mut State, chosen: Option<Action>, now: Timestamp) -> Vec<Effect> {
    let Some(chosen) = chosen else { return Vec::new() };
    state.overlays.pop();
    // The decision to destroy takes its own key: from here it only gets as far as the dialogue.
    if chosen.is_confirmation() {
        return Vec::new();
    }
    act(state, chosen, now)
}
