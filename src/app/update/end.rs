//! Revoking, forgetting, quitting: each asks first, and the key that confirms is never the key that asked.

use jiff::Timestamp;

use crate::app::effect::Effect;
use crate::app::overlay::{Loss, Overlay, Revoke};
use crate::app::state::State;
use crate::domain::credential::{Chain, Custody, Health, Held};

/// Opens the dialogue for the selected row.
pub(super) fn open(state: &mut State, now: Timestamp) {
    let Some(held) = state.acting().cloned() else { return };
    open_for(state, &held, now);
}

/// The same for this one.
pub(super) fn open_for(state: &mut State, held: &Held, now: Timestamp) {
    let dialogue = Revoke {
        id: held.id.clone(),
        name: held.name.clone(),
        ends: ends(held, state),
        lives_on: lives_on(held, state, now),
        revocable: is_revocable(held),
    };
    state.overlays.push(Overlay::Revoke(dialogue));
}

fn is_revocable(held: &Held) -> bool {
    !matches!(held.health, Health::Dead(_)) && !matches!(held.custody, Custody::Foreign(_))
}

fn ends(held: &Held, state: &State) -> Vec<String> {
    let at = state
        .source(&held.source)
        .map_or_else(|| held.source.as_str().to_owned(), |source| source.name.clone());
    match &held.chain {
        Chain::Mytoken { .. } => {
            vec![format!("the mytoken {}, at {at}: it gives no access tokens any more", held.name)]
        }
        Chain::Refresh { .. } => {
            vec![format!("the login {}, at {at}: it is renewed no more", held.name)]
        }
        Chain::None => vec![format!("the access token {}, at {at}, where that honours it", held.name)],
    }
}

/// Access tokens that were drawn are usually checked offline: their revocation is nobody's to promise.
fn lives_on(held: &Held, state: &State, now: Timestamp) -> Vec<String> {
    if matches!(held.chain, Chain::None) {
        return Vec::new();
    }
    // Not recursive: what was made from it is somebody else's to end (mytoken-api.md §2.6).
    let made =
        matches!(held.chain, Chain::Mytoken { .. }).then(|| "mytokens made from it live on".to_owned());
    let zone = if state.utc { jiff::tz::TimeZone::UTC } else { state.zone.clone() };
    let alive = held.access.iter().filter(|access| access.expires.is_none_or(|end| end > now));
    let ends: Vec<Option<Timestamp>> = alive.map(|access| access.expires).collect();
    if ends.is_empty() {
        return made.into_iter().collect();
    }
    let until = match ends.iter().flatten().max() {
        Some(last) => format!(", the last one at {}", last.to_zoned(zone).strftime("%H:%M")),
        None => String::new(),
    };
    let drawn = format!("access tokens already drawn live on until they end: {}{until}", ends.len());
    std::iter::once(drawn).chain(made).collect()
}

/// Revokes what the open dialogue is about.
pub(super) fn revoke(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let Some(dialogue) = take_dialogue(state) else { return Vec::new() };
    let task = state.begin(format!("Revoking {}", dialogue.name), now);
    vec![Effect::Revoke(task, dialogue.id)]
}

/// Forgets what the open dialogue is about.
pub(super) fn forget(state: &mut State) -> Vec<Effect> {
    take_dialogue(state).map(|dialogue| vec![Effect::Forget(dialogue.id)]).unwrap_or_default()
}

fn take_dialogue(state: &mut State) -> Option<Revoke> {
    match state.overlays.pop() {
        Some(Overlay::Revoke(dialogue)) => Some(dialogue),
        other => {
            state.overlays.extend(other);
            None
        }
    }
}

/// Leaves, or asks first where something would be lost. What a demo loses is nothing.
pub(super) fn quit(state: &mut State) -> Vec<Effect> {
    let loss = loss(state);
    if loss == Loss::default() || state.seat.demo {
        return vec![Effect::Quit];
    }
    state.overlays.push(Overlay::QuitLoses(loss));
    Vec::new()
}

/// What would be lost, and is still of use.
fn loss(state: &State) -> Loss {
    let mut loss = Loss::default();
    for held in state.wallet.held.iter().filter(|held| held.is_lost_on_quit(state.at)) {
        match &held.custody {
            Custody::Unsaved(why) => {
                loss.unsaved.push(held.name.clone());
                loss.why.get_or_insert_with(|| why.clone());
            }
            _ => loss.memory.push(held.name.clone()),
        }
    }
    loss
}

/// The user had left, but an answer that came since could not be written.
pub(super) fn not_left(state: &mut State) -> Vec<Effect> {
    state.leaving = None;
    quit(state)
}

/// Leaves, and prints what could not be written.
pub(super) fn quit_printing(state: &State) -> Vec<Effect> {
    let asked = matches!(state.overlays.last(), Some(Overlay::QuitLoses(_)));
    if asked { vec![Effect::QuitPrinting] } else { Vec::new() }
}

/// Leaves although something is lost.
pub(super) fn quit_anyway(state: &State) -> Vec<Effect> {
    let asked = matches!(state.overlays.last(), Some(Overlay::QuitLoses(_)));
    if asked { vec![Effect::Quit] } else { Vec::new() }
}
