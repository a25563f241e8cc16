//! Keys and pasted text. A paste is text and never a command, and a line break in it never confirms (security.md C6).

use crossterm::event::{KeyEvent, KeyEventKind};
use jiff::Timestamp;

use super::{act, ask, create, log_in, settle};
use crate::app::action::Action;
use crate::app::copy::MenuRow;
use crate::app::effect::Effect;
use crate::app::field;
use crate::app::keymap;
use crate::app::overlay::Overlay;
use crate::app::state::{Pane, State, Tone};
use crate::domain::credential::Health;
use crate::domain::secret::Secret;

/// A key: it is typed where text is being typed, else it asks for what the keymap says.
pub(super) fn key(state: &mut State, key: &KeyEvent, now: Timestamp) -> Vec<Effect> {
    if key.kind == KeyEventKind::Release {
        return Vec::new();
    }
    let mut effects = settle::look_again_after_a_while(state, now);
    effects.extend(pressed(state, key, now));
    effects
}

fn pressed(state: &mut State, key: &KeyEvent, now: Timestamp) -> Vec<Effect> {
    if field::edits(key)
        && let Some(field) = state.overlays.last_mut().and_then(Overlay::field_mut)
    {
        field.press(key);
        typed(state, now);
        state.price = None;
        return Vec::new();
    }
    let action = keymap::action(state, key);
    // The price was said for one action; every other key means that it is not wanted.
    let chosen = match action {
        // Enter on the selected form is that form's own key.
        Some(Action::Accept) => act::chosen_row(state).map(MenuRow::action).or(action),
        other => other,
    };
    let keeps_price = |asked| chosen == Some(asked) || action == Some(Action::Back);
    if state.price.as_ref().is_some_and(|price| !keeps_price(price.action)) {
        state.price = None;
    }
    if let Some(action) = action {
        return act::act(state, action, now);
    }
    explain(state, key, now);
    Vec::new()
}

/// Says why a key of the board does nothing now: silence would look like a fault.
fn explain(state: &mut State, key: &KeyEvent, now: Timestamp) {
    let Some(dormant) = keymap::dormant(state, key) else { return };
    if state.seat.read_only && dormant.action.changes() {
        let text = format!("{} does not work: this board is read-only", dormant.label);
        return state.say(Tone::Plain, text, now);
    }
    let text = match state.acting().map(|held| (&held.name, &held.health)) {
        Some((name, Health::Dead(why) | Health::NeedsLogin(why))) => {
            format!("{} does not work for {name}: {why}", dormant.label)
        }
        Some((name, Health::Ok | Health::InDoubt(_))) => {
            format!("{} does not work for {name} now", dormant.label)
        }
        None => format!("{} does not work here", dormant.label),
    };
    state.say(Tone::Plain, text, now);
}

/// Pasted text: into the field being typed in, else into the login, else it is looked up.
pub(super) fn paste(state: &mut State, text: &Secret, now: Timestamp) -> Vec<Effect> {
    state.price = None;
    let in_login = matches!(state.overlays.last(), Some(Overlay::Login(_)));
    let has_login = state.login().is_some();
    match state.overlays.last_mut() {
        Some(Overlay::Paste(field)) => field.insert_lines(text.expose()),
        Some(top) if !in_login && top.is_typing() => {
            if let Some(field) = top.field_mut() {
                field.insert(text.expose());
            }
            typed(state, now);
        }
        Some(_) if has_login => return log_in::pasted(state, text, now),
        Some(_) => state.say(Tone::Plain, "Nothing here takes pasted text: go back to the board first", now),
        None => return ask::pasted(state, text, now),
    }
    Vec::new()
}

/// What follows at once from a changed field: a list is narrowed, and its first match is selected.
fn typed(state: &mut State, now: Timestamp) {
    match state.overlays.last_mut() {
        Some(Overlay::Create(_)) => create::typed(state, now),
        Some(Overlay::Palette(palette)) => palette.selected = 0,
        Some(Overlay::Family(_)) => super::family::narrowed(state),
        Some(Overlay::Details(..) | Overlay::Content(_)) => super::reading::sought(state, now),
        Some(Overlay::Filter(field)) => {
            let filter = Some(field.value().to_owned()).filter(|typed| !typed.is_empty());
            set_filter(state, filter);
        }
        _ => {}
    }
}

/// Narrows the list of the focused pane.
pub(super) fn set_filter(state: &mut State, filter: Option<String>) {
    match state.focus {
        Pane::Providers => state.providers.filter = filter,
        Pane::Tokens => state.tokens.filter = filter,
        Pane::History => state.history.filter = filter,
        Pane::Lookup => {}
    }
}
