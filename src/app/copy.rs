//! Copying and renewing: what it costs is said first, and only the same key again spends it (design.md §2).

use jiff::{SignedDuration, Timestamp};

use super::action::Action;
use super::can;
use super::effect::Effect;
use super::overlay::Overlay;
use super::price;
use super::state::{Price, State};
use crate::domain::credential::{CredentialId, Held};
use crate::domain::form::Form;
use crate::domain::time::later;

/// How long a price waits for the same key again.
const PRICE_STANDS: SignedDuration = SignedDuration::from_secs(10);

/// The form behind a key or the selected line of the open menu, if it offers that.
pub(super) fn menu_offers(state: &State, form: Form) -> bool {
    menu_forms(state).contains(&form)
}

/// The forms of the open copy menu.
#[must_use]
pub fn menu_forms(state: &State) -> Vec<Form> {
    let id = state.overlays.iter().rev().find_map(|overlay| match overlay {
        Overlay::CopyMenu(id, _) => Some(id),
        _ => None,
    });
    id.and_then(|id| state.held(id)).map(|held| can::forms_of(held, state)).unwrap_or_default()
}

/// Whether the credential that a login has just brought can be copied from.
pub(super) fn can_copy_granted(state: &State) -> bool {
    granted(state).is_some_and(|held| can::copy(held, state))
}

/// The credential of the report on show.
pub(super) fn granted(state: &State) -> Option<&Held> {
    match state.overlays.last() {
        Some(Overlay::Granted(report)) => state.held(&report.id),
        _ => None,
    }
}

/// Copies a form of a credential: as it is held where that is good, else from a new access token, at its price.
pub(super) fn copy(
    state: &mut State,
    id: &CredentialId,
    form: Form,
    action: Action,
    now: Timestamp,
) -> Vec<Effect> {
    let Some(held) = state.held(id) else { return Vec::new() };
    let needs_access = matches!(form, Form::AccessToken | Form::Header);
    if !needs_access || can::is_fresh(held, state) {
        state.copying = None;
        return vec![Effect::CopyForm(id.clone(), form)];
    }
    if !can::renew(held, state) {
        return Vec::new();
    }
    draw(state, id, false, Some(form), action, now)
}

/// Draws a new access token, at its price.
pub(super) fn draw(
    state: &mut State,
    id: &CredentialId,
    force: bool,
    copy: Option<Form>,
    action: Action,
    now: Timestamp,
) -> Vec<Effect> {
    let Some(held) = state.held(id) else { return Vec::new() };
    let doing = format!("Renewing {}", held.name);
    if state.is_busy(&doing) {
        return Vec::new();
    }
    let price = price::of_access_token(held, state);
    if !is_paid(state, action, Some(id), price, now) {
        return Vec::new();
    }
    let task = state.begin(doing, now);
    state.copying = copy.map(|_| (task, None));
    vec![Effect::Draw { task, id: id.clone(), force, copy }]
}

/// Whether an action may go ahead: it costs nothing, or its price was on show when its key came again. Otherwise
/// the price is put on show.
pub(super) fn is_paid(
    state: &mut State,
    action: Action,
    about: Option<&CredentialId>,
    price: Option<String>,
    now: Timestamp,
) -> bool {
    let seen = state.price.take();
    let Some(text) = price else { return true };
    let agreed = |seen: &Price| {
        seen.action == action && seen.about.as_ref() == about && seen.text == text && now < seen.until
    };
    if seen.as_ref().is_some_and(agreed) {
        return true;
    }
    let until = later(now, PRICE_STANDS);
    state.price = Some(Price { action, about: about.cloned(), text, until });
    false
}
