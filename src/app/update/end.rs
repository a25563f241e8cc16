//! Revoking, forgetting, quitting: each asks first, and the key that confirms is never the key that asked.

use std::sync::Arc;

use jiff::Timestamp;

use super::family::called;
use crate::app::effect::{Effect, FamilyAsk};
use crate::app::family;
use crate::app::field::Field;
use crate::app::overlay::{Loss, Overlay};
use crate::app::revoke::{self, Doomed, Revoke};
use crate::app::state::State;
use crate::domain::credential::{Chain, CredentialId, Custody, Health, Held};
use crate::domain::family::{Family, Which};
use crate::domain::revocation;
use crate::domain::untrusted::Untrusted;

/// Opens the dialogue for the selected row. What grew from it is read where that costs nothing.
pub(super) fn open(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let Some(id) = state.acting().map(|held| held.id.clone()) else { return Vec::new() };
    offer(state, &id, now)
}

/// Opens the dialogue for something held.
pub(super) fn offer(state: &mut State, id: &CredentialId, now: Timestamp) -> Vec<Effect> {
    let Some(held) = state.held(id) else { return Vec::new() };
    let mut dialogue = Revoke {
        doomed: Doomed::Held(held.id.clone()),
        name: held.name.clone(),
        ends: ends(held, state),
        tree: Vec::new(),
        asking: None,
        lives_on: Vec::new(),
        revocable: is_revocable(held),
        confirm: None,
    };
    if let Some((family, _)) = family::known_tree(state, held) {
        dialogue.know(held, family);
    }
    dialogue.lives_on = lives_on(held, &dialogue, state, now);
    let wanted = revoke::tree_for_free(state, held).filter(|_| dialogue.revocable && !held.locked);
    let asked = wanted.map(|(source, via)| {
        let task = state.begin_reading(format!("Asking what grew from {}", dialogue.name), now);
        dialogue.asking = Some(task);
        Effect::Family(FamilyAsk::Read(task, source, via, Which::Below))
    });
    state.overlays.push(Overlay::Revoke(Box::new(dialogue)));
    asked.into_iter().collect()
}

/// What grew from the held one that the open dialogue is about has become known.
pub(super) fn know_tree(state: &mut State, id: &CredentialId, family: &Arc<Family>, now: Timestamp) {
    let Some(held) = state.held(id).cloned() else { return };
    let place = state
        .overlays
        .iter()
        .position(|overlay| matches!(overlay, Overlay::Revoke(dialogue) if dialogue.id() == Some(id)));
    let Some(Overlay::Revoke(dialogue)) = place.and_then(|place| state.overlays.get(place)) else { return };
    let mut dialogue = dialogue.clone();
    dialogue.know(&held, family);
    dialogue.lives_on = lives_on(&held, &dialogue, state, now);
    if let Some(overlay) = place.and_then(|place| state.overlays.get_mut(place)) {
        *overlay = Overlay::Revoke(dialogue);
    }
}

/// Opens the dialogue for what is marked in the window of all mytokens, else for what is selected there.
pub(super) fn open_listed(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let Some(window) = family::window(state) else { return Vec::new() };
    let Some(family) = window.family.clone() else { return Vec::new() };
    let places = window.chosen();
    let Some(via) = family::right_over(state, window).via().cloned() else { return Vec::new() };
    let source = window.source.clone();
    let member = |place: &usize| family.members.get(*place);
    // The one that asks cannot be named to its server by its id: it is revoked as what is held.
    if let [only] = places.as_slice()
        && let Some(id) = member(only).filter(|member| member.asks).and_then(|member| member.held.as_ref())
    {
        let id = id.0.clone();
        return offer(state, &id, now);
    }
    let members: Vec<(Untrusted, String)> = places
        .iter()
        .filter_map(member)
        .map(|member| (member.listed.mom_id.clone(), called(member)))
        .collect();
    // What grew from one that is revoked anyway stands in that one's tree.
    let mut covered = 0;
    let mut tree = Vec::new();
    for place in &places {
        if *place >= covered {
            covered = family.tree(*place).end;
            tree.extend(revoke::tree_of(&family, *place));
        }
    }
    let name = match members.as_slice() {
        [(_, name)] => name.clone(),
        many => format!("{} mytokens", many.len()),
    };
    let at = state.source(&source).map_or_else(|| source.as_str().to_owned(), |source| source.name.clone());
    let ends = members.iter().map(|(_, name)| format!("the mytoken {name}, at {at}")).collect();
    let mut dialogue = Revoke {
        doomed: Doomed::Listed { source, via, members },
        name,
        ends,
        tree,
        asking: None,
        lives_on: Vec::new(),
        revocable: true,
        confirm: None,
    };
    dialogue.lives_on.push("access tokens that were drawn live on until they end".to_owned());
    if dialogue.grown() > 0 {
        dialogue.lives_on.push("what grew from them lives on, unless it is revoked with them".to_owned());
    }
    state.overlays.push(Overlay::Revoke(Box::new(dialogue)));
    Vec::new()
}

/// What a revocation ends; where there is none to be had, what is forgotten.
fn ends(held: &Held, state: &State) -> Vec<String> {
    let mut ends = revocation::ends(held, state.source(&held.source));
    if !is_revocable(held) {
        ends.truncate(1);
    }
    ends
}

fn is_revocable(held: &Held) -> bool {
    !matches!(held.health, Health::Dead(_)) && !matches!(held.custody, Custody::Foreign(_))
}

/// Access tokens that were drawn are usually checked offline: their revocation is nobody's to promise.
fn lives_on(held: &Held, dialogue: &Revoke, state: &State, now: Timestamp) -> Vec<String> {
    if matches!(held.chain, Chain::None) {
        return Vec::new();
    }
    // Not recursive: what was made from it is somebody else's to end (mytoken-api.md §2.6).
    let made = match (&held.chain, dialogue.tree.len()) {
        // Nothing was made from it.
        (Chain::Mytoken { .. }, 1) | (Chain::Refresh { .. } | Chain::None, _) => None,
        (Chain::Mytoken { .. }, 0) => Some("mytokens made from it live on".to_owned()),
        (Chain::Mytoken { .. }, _) => {
            Some("mytokens made from it live on, unless they are revoked with it".to_owned())
        }
    };
    let zone = if state.utc { jiff::tz::TimeZone::UTC } else { state.zone.clone() };
    let alive = held.access.iter().filter(|access| access.expires.is_none_or(|end| end > now));
    let ends: Vec<Option<Timestamp>> = alive.map(|access| access.expires).collect();
    // Where nothing is revoked nothing is spared.
    let spared = if dialogue.revocable { revocation::spares(held) } else { Vec::new() };
    if ends.is_empty() {
        return spared.into_iter().chain(made).collect();
    }
    let until = match ends.iter().flatten().max() {
        Some(last) => format!(", the last one at {}", last.to_zoned(zone).strftime("%H:%M")),
        None => String::new(),
    };
    let drawn = match held.chain {
        // What is said of a login that is revoked speaks of them.
        Chain::Refresh { .. } if dialogue.revocable => format!("drawn here: {}{until}", ends.len()),
        Chain::Refresh { .. } | Chain::Mytoken { .. } | Chain::None => {
            format!("access tokens already drawn live on until they end: {}{until}", ends.len())
        }
    };
    let mut lives_on = spared;
    lives_on.insert(lives_on.len().min(1), drawn);
    lives_on.extend(made);
    lives_on
}

/// Revokes what the open dialogue is about.
pub(super) fn revoke(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let Some(dialogue) = take_dialogue(state) else { return Vec::new() };
    let task = state.begin(format!("Revoking {}", dialogue.name), now);
    match dialogue.doomed {
        Doomed::Held(id) => vec![Effect::Revoke(task, id)],
        Doomed::Listed { source, via, members } => {
            vec![Effect::Family(FamilyAsk::Revoke(task, source, via, members, false))]
        }
    }
}

/// Asks for the name that confirms the end of all that grew from it.
pub(super) fn ask_for_name(state: &mut State) {
    if let Some(Overlay::Revoke(dialogue)) = state.overlays.last_mut() {
        dialogue.confirm = Some(Field::default());
    }
}

/// Goes back from that to the answers; whether it was asked for.
pub(super) fn leave_name(state: &mut State) -> bool {
    match state.overlays.last_mut() {
        Some(Overlay::Revoke(dialogue)) => dialogue.confirm.take().is_some(),
        _ => false,
    }
}

/// Revokes what the open dialogue is about, with all that grew from it.
pub(super) fn revoke_tree(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let Some(dialogue) = take_dialogue(state) else { return Vec::new() };
    let task = state.begin(format!("Revoking {} and what grew from it", dialogue.name), now);
    vec![Effect::Family(match dialogue.doomed {
        Doomed::Held(id) => FamilyAsk::RevokeTree(task, id),
        Doomed::Listed { source, via, members } => FamilyAsk::Revoke(task, source, via, members, true),
    })]
}

/// Forgets what the open dialogue is about.
pub(super) fn forget(state: &mut State) -> Vec<Effect> {
    let dialogue = take_dialogue(state);
    let id = dialogue.as_ref().and_then(Revoke::id).cloned();
    id.map(Effect::Forget).into_iter().collect()
}

fn take_dialogue(state: &mut State) -> Option<Revoke> {
    match state.overlays.pop() {
        Some(Overlay::Revoke(dialogue)) => Some(*dialogue),
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
