//! Looking at what was pasted, asking servers, keeping, and reading histories.

use jiff::Timestamp;

use super::moving;
use crate::app::action::Action;
use crate::app::copy::is_paid;
use crate::app::effect::{Asking, Effect, Target};
use crate::app::field::Field;
use crate::app::lookup::Pasted;
use crate::app::overlay::Overlay;
use crate::app::price;
use crate::app::state::{Pane, State, Tone};
use crate::domain::secret::Secret;
use crate::domain::specimen::{Kind, Specimen, recognise};

/// Looks at pasted text; only a configured server is asked about it.
pub(super) fn pasted(state: &mut State, text: &Secret, now: Timestamp) -> Vec<Effect> {
    let specimen = recognise(text.expose());
    leave_pasted(state);
    state.lookup.pasted =
        Some(Pasted { specimen: specimen.clone(), finding: None, agreed: None, redeeming: None });
    moving::focus(state, Pane::Lookup);
    look_up(state, Target::Pasted(Box::new(specimen)), Asking::IfKnown, now)
}

/// Looks at what stands in the open field.
pub(super) fn typed(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let text = match state.overlays.last() {
        Some(Overlay::Paste(field)) => field.secret(),
        _ => None,
    };
    let Some(text) = text else { return Vec::new() };
    state.overlays.pop();
    pasted(state, &text, now)
}

/// Shows the selected row again.
pub(super) fn leave_pasted(state: &mut State) {
    stop_waiting(state);
    state.lookup.pasted = None;
    state.lookup.offset = 0;
    state.history.pasted = None;
    state.history.selected = 0;
}

/// Waits no longer for the look-up and the history on show.
fn stop_waiting(state: &mut State) {
    let tasks = [state.lookup.task.take(), state.history.task.take().map(|(task, _)| task)];
    for task in tasks.into_iter().flatten() {
        state.end(task);
    }
}

/// Waits no longer for the newest thing that only reads; whether there was one.
pub(super) fn stop_reading(state: &mut State) -> bool {
    let Some(task) = state.busy.iter().rev().find(|busy| busy.only_reads).map(|busy| busy.task) else {
        return false;
    };
    state.end(task);
    state.lookup.task.take_if(|waited| *waited == task);
    state.history.task.take_if(|(waited, _)| *waited == task);
    true
}

/// Asks the server of the token on show; in the question whether it may be asked, that is the yes.
pub(super) fn server(state: &mut State, now: Timestamp) -> Vec<Effect> {
    if let Some(Overlay::MayAsk(..)) = state.overlays.last() {
        let Some(Overlay::MayAsk(server, target)) = state.overlays.pop() else { return Vec::new() };
        if let Some(pasted) = &mut state.lookup.pasted {
            pasted.agreed = Some(server.clone());
        }
        return look_up(state, *target, Asking::This(server), now);
    }
    let Some(target) = target(state) else { return Vec::new() };
    if let Some(pasted) = &state.lookup.pasted {
        if let Some(server) = pasted.agreed.clone() {
            return look_up(state, target, Asking::This(server), now);
        }
        if let Some(server) = pasted.finding.as_ref().and_then(|finding| finding.may_ask.clone()) {
            state.overlays.push(Overlay::MayAsk(server, Box::new(target)));
            return Vec::new();
        }
    }
    look_up(state, target, Asking::IfKnown, now)
}

fn look_up(state: &mut State, target: Target, asking: Asking, now: Timestamp) -> Vec<Effect> {
    if let Some(old) = state.lookup.task.take() {
        state.end(old);
    }
    let task = state.begin_reading(format!("Looking up {}", called(state, &target)), now);
    state.lookup.task = Some(task);
    vec![Effect::LookUp(task, target, asking)]
}

/// Reads the history of the token on show, at its price.
pub(super) fn history(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let Some(target) = target(state) else { return Vec::new() };
    let (price, owner) = match &target {
        Target::Held(id) => {
            (state.held(id).and_then(|held| price::of_history(held, state)), Some(id.clone()))
        }
        Target::Pasted(specimen) => match &specimen.kind {
            Kind::Mytoken(facts) => (price::of_pasted_history(facts, state), None),
            _ => return Vec::new(),
        },
    };
    if !is_paid(state, Action::ReadHistory, owner.as_ref(), price, now) {
        return Vec::new();
    }
    let task = state.begin(format!("Reading the history of {}", called(state, &target)), now);
    state.history.task = Some((task, owner));
    vec![Effect::ReadHistory(task, target)]
}

/// The mytoken on show.
fn target(state: &State) -> Option<Target> {
    match &state.lookup.pasted {
        Some(pasted) => Some(Target::Pasted(Box::new(pasted.specimen.clone()))),
        None => state.selected_held().map(|held| Target::Held(held.id.clone())),
    }
}

fn called(state: &State, target: &Target) -> String {
    match target {
        Target::Held(id) => state.held(id).map_or_else(|| "it".to_owned(), |held| held.name.clone()),
        Target::Pasted(_) => "what was pasted".to_owned(),
    }
}

/// Asks for the name to keep the pasted token under.
pub(super) fn name_to_keep(state: &mut State) {
    if let Some(specimen) = state.lookup.pasted.as_ref().and_then(Pasted::keepable) {
        let name = free_name(state, &specimen);
        state.overlays.push(Overlay::KeepAs(Box::new(specimen), Field::new(&name)));
    }
}

/// A name nobody has here, from what the token says of itself.
fn free_name(state: &State, specimen: &Specimen) -> String {
    let wish = match &specimen.kind {
        Kind::Mytoken(facts) => facts.name.as_ref().map(|name| name.raw().to_owned()),
        _ => None,
    };
    let wish = wish.unwrap_or_default();
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let plain: String = wish.chars().filter(plain).take(24).collect();
    let otherwise = match specimen.kind {
        Kind::Mytoken(_) => "mytoken",
        Kind::RefreshToken(_) => "login",
        _ => "token",
    };
    let base = if plain.is_empty() { otherwise.to_owned() } else { plain };
    let numbered = (2..).map(|number| format!("{base}-{number}"));
    std::iter::once(base.clone()).chain(numbered).find(|name| !is_taken(state, name)).unwrap_or(base)
}

fn is_taken(state: &State, name: &str) -> bool {
    state.wallet.held.iter().any(|held| held.name == name)
}

/// Keeps the pasted token under the typed name.
pub(super) fn keep(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let Some(Overlay::KeepAs(specimen, field)) = state.overlays.last() else { return Vec::new() };
    let name = field.value().trim().to_owned();
    if is_taken(state, &name) {
        state.say(Tone::Bad, format!("There is a {name} already: choose another name"), now);
        return Vec::new();
    }
    let effect = Effect::Keep((**specimen).clone(), name);
    state.overlays.pop();
    vec![effect]
}

/// Goes to the copy that is held here.
pub(super) fn go_to_newest(state: &mut State) {
    let finding = state.lookup.pasted.as_ref().and_then(|pasted| pasted.finding.as_ref());
    let Some(id) = finding.and_then(|finding| finding.held_as.clone()) else { return };
    leave_pasted(state);
    state.tokens.awaited = Some(id);
    moving::focus(state, Pane::Tokens);
}

/// Looks for the provider whose issuer is typed.
pub(super) fn provider(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let Some(Overlay::AddProvider(field)) = state.overlays.last() else { return Vec::new() };
    let issuer = field.value().trim().to_owned();
    state.overlays.pop();
    let task =
        state.begin_reading(format!("Looking for {}", crate::domain::untrusted::cleaned(&issuer)), now);
    vec![Effect::AddProvider(task, issuer)]
}
