//! All mytokens at a server and what grew from one: opening, reading, marking, and what comes back. Nothing is asked by itself.

use std::sync::Arc;

use jiff::Timestamp;

use super::{end, outcome};
use crate::app::action::{Action, FamilyAction};
use crate::app::copy::is_paid;
use crate::app::effect::{Effect, FamilyAsk, FamilyTold, Outcome, Reading, Task};
use crate::app::family::{self, Of, Right, Window};
use crate::app::history;
use crate::app::overlay::{List, Overlay};
use crate::app::state::{State, Tone};
use crate::domain::credential::CredentialId;
use crate::domain::event::Event;
use crate::domain::failure::{Failure, Kind};
use crate::domain::family::{Family, LastUse, Member, Via};
use crate::domain::login::Order;
use crate::domain::source::SourceId;
use crate::domain::untrusted::Untrusted;

/// Does what is asked for in and around the window.
pub(super) fn act(state: &mut State, action: FamilyAction, now: Timestamp) -> Vec<Effect> {
    match action {
        FamilyAction::All => return open_all(state, now),
        FamilyAction::Below => return open_below(state, None, now),
        FamilyAction::Read => return read(state, now),
        FamilyAction::Manager => return open_manager(state),
        FamilyAction::Mark => mark(state),
        FamilyAction::Filter => change(state, |window| window.typing = true),
        FamilyAction::Sort => change(state, |window| {
            window.order = window.order.next();
            window.arrange();
        }),
        FamilyAction::Open => {
            let member = family::window(state).and_then(Window::selected).map(|(_, member)| member.clone());
            if let Some(member) = member {
                state.overlays.push(Overlay::Member(Box::new(member), List::default()));
            }
        }
        FamilyAction::History => return history_of_selected(state, now),
        FamilyAction::LastUses => return last_uses(state, now),
        FamilyAction::Revoke => return end::open_listed(state, now),
    }
    Vec::new()
}

fn window_mut(state: &mut State) -> Option<&mut Window> {
    state.overlays.iter_mut().rev().find_map(|overlay| match overlay {
        Overlay::Family(window) => Some(&mut **window),
        _ => None,
    })
}

fn change(state: &mut State, how: impl FnOnce(&mut Window)) {
    if let Some(window) = window_mut(state) {
        how(window);
    }
}

fn open_all(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let Some(server) = family::server_on_show(state) else { return Vec::new() };
    open(state, Window::new(Of::Server(server.clone()), server, None), now)
}

/// Opens the tree below the selected mytoken; what an event made there is selected.
pub(super) fn open_below(state: &mut State, sought: Option<Box<Event>>, now: Timestamp) -> Vec<Effect> {
    let Some(held) = state.acting() else { return Vec::new() };
    let (id, name) = (held.id.clone(), held.name.clone());
    let Some(source) = family::server_of(state, &held.source) else { return Vec::new() };
    let can_read = family::may_look_below(state, held) != Right::Nobody;
    let is_known = family::known_tree(state, held).is_some();
    // Its own right does not reach that far: the list of its server may show it.
    let mut window = if can_read || (is_known && state.families.read.contains_key(&Of::Held(id.clone()))) {
        Window::new(Of::Held(id), source, Some(name))
    } else {
        Window::new(Of::Server(source.clone()), source, None)
    };
    window.sought = sought;
    open(state, window, now)
}

fn open(state: &mut State, mut window: Window, now: Timestamp) -> Vec<Effect> {
    let known = state.families.read.get(&window.of).cloned();
    let is_new = known.is_none();
    if let Some(known) = known {
        window.take(known);
    }
    let right = family::right(state, &window);
    let is_old = window.sought.is_some();
    state.overlays.push(Overlay::Family(Box::new(window)));
    match right {
        // What was read before is shown as it was: its age is told, and one key reads it again. What is sought and not in it may
        // have been made since.
        Right::Free(via) if is_new || is_old => ask(state, via, now),
        Right::Free(_) | Right::Costs(..) | Right::Nobody => Vec::new(),
    }
}

fn read(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let Some(window) = family::window(state) else { return Vec::new() };
    let right = family::right(state, window);
    let (Some(via), price) = (right.via().cloned(), right.price().cloned()) else { return Vec::new() };
    let about = asking(&via);
    if !is_paid(state, Action::Family(FamilyAction::Read), about.as_ref(), price, now) {
        return Vec::new();
    }
    ask(state, via, now)
}

/// The held mytoken by whose right something is asked.
fn asking(via: &Via) -> Option<CredentialId> {
    match via {
        Via::Held(id) => Some(id.clone()),
        Via::Manager => None,
    }
}

fn ask(state: &mut State, via: Via, now: Timestamp) -> Vec<Effect> {
    let Some(window) = family::window(state) else { return Vec::new() };
    let (source, which) = (window.source.clone(), window.which());
    let doing = match &window.root {
        Some(root) => format!("Listing what grew from {root}"),
        None => "Listing all your mytokens".to_owned(),
    };
    let task = state.begin_reading(doing, now);
    change(state, |window| {
        window.task = Some(task);
        window.trouble = None;
    });
    vec![Effect::Family(FamilyAsk::Read(task, source, via, which))]
}

/// Logs in for a manager mytoken: the login panel lies over the window, which is read as soon as it is there.
fn open_manager(state: &mut State) -> Vec<Effect> {
    let Some(source) = family::window(state).map(|window| window.source.clone()) else { return Vec::new() };
    let open_browser = state.seat.no_browser.is_none();
    // Lists are of one user at one provider: of the one whose mytokens are held here, where that is one.
    let provider = family::provider_here(state, &source);
    start_manager(state, Order { provider, open_browser, ..Order::at(source) })
}

/// The same, at a chosen provider.
pub(super) fn start_manager(state: &mut State, order: Order) -> Vec<Effect> {
    let (source, provider) = (order.source.clone(), order.provider.clone());
    let task = super::log_in::open_panel(state, order, true);
    vec![Effect::Family(FamilyAsk::OpenManager(task, source, provider))]
}

/// Marks the selected row, or not, and goes on to the next one.
fn mark(state: &mut State) {
    change(state, |window| {
        let Some(id) = window.selected().map(|(_, member)| member.listed.mom_id.clone()) else { return };
        if !window.marked.remove(&id) {
            window.marked.insert(id);
        }
        window.list.selected = (window.list.selected + 1).min(window.len().saturating_sub(1));
    });
}

fn history_of_selected(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let Some(window) = family::window(state) else { return Vec::new() };
    let Some((_, member)) = window.selected() else { return Vec::new() };
    let (member, source) = (member.clone(), window.source.clone());
    let right = family::right_over(state, window);
    let (Some(via), price) = (right.via().cloned(), right.price().cloned()) else { return Vec::new() };
    let about = asking(&via);
    if !is_paid(state, Action::Family(FamilyAction::History), about.as_ref(), price, now) {
        return Vec::new();
    }
    let task = state.begin_reading(format!("Reading the history of {}", called(&member)), now);
    let id = member.listed.mom_id.clone();
    state.overlays.push(Overlay::Member(Box::new(member), List::default()));
    vec![Effect::Family(FamilyAsk::History(task, source, via, id))]
}

fn last_uses(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let Some(window) = family::window(state) else { return Vec::new() };
    let Some(family) = window.family.clone() else { return Vec::new() };
    let right = family::right_of_reader(state, window);
    let (Some(via), price) = (right.via().cloned(), right.price().cloned()) else { return Vec::new() };
    if !is_paid(state, Action::Family(FamilyAction::LastUses), asking(&via).as_ref(), price, now) {
        return Vec::new();
    }
    let task = state.begin_reading("Reading when each was last used", now);
    change(state, |window| {
        window.task = Some(task);
        window.trouble = None;
    });
    vec![Effect::Family(FamilyAsk::LastUses(task, family))]
}

/// What a member is called: by its name here, its name there, or that it has none.
pub(super) fn called(member: &Member) -> String {
    let there = member.listed.name.as_ref().map(Untrusted::shown);
    member
        .held
        .as_ref()
        .map(|(_, name)| name.clone())
        .or(there)
        .unwrap_or_else(|| "one without a name".to_owned())
}

/// Esc in the window: the filter is left before the window is. Whether there was one.
pub(super) fn leave_filter(state: &mut State) -> bool {
    let Some(Overlay::Family(window)) = state.overlays.last_mut() else { return false };
    if !window.typing && window.filter.is_empty() {
        return false;
    }
    window.typing = false;
    window.filter.clear();
    window.arrange();
    true
}

/// Enter while its filter is typed.
pub(super) fn keep_filter(state: &mut State) {
    change(state, |window| window.typing = false);
}

/// The filter has changed.
pub(super) fn narrowed(state: &mut State) {
    change(state, |window| {
        window.list.selected = 0;
        window.arrange();
    });
}

/// Opens the selected event of pane 4, or goes to the subtoken that it made.
pub(super) fn open_event(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let Some(event) = history::selected(state).cloned() else { return Vec::new() };
    if history::made_a_subtoken(state) {
        return open_below(state, Some(Box::new(event)), now);
    }
    state.overlays.push(Overlay::Event(Box::new(event), List::default()));
    Vec::new()
}

/// Takes an answer in.
pub(super) fn take(state: &mut State, told: FamilyTold, now: Timestamp) -> Vec<Effect> {
    match told {
        FamilyTold::Read(task, reading) => {
            let Reading { source, limits, until, family } = *reading;
            state.families.limits.insert(source.clone(), limits);
            if until.is_none() {
                state.families.managers.remove(&source);
            }
            was_read(state, task, family, now);
        }
        FamilyTold::History(task, id, result) => history_was_read(state, task, id, result, now),
        FamilyTold::Revoked(task, each) => return were_revoked(state, task, each, now),
        FamilyTold::Manager(task, source, result) => return has_manager(state, task, &source, result, now),
    }
    Vec::new()
}

fn was_read(state: &mut State, task: Task, result: Result<Arc<Family>, Failure>, now: Timestamp) {
    if !state.end(task) {
        return;
    }
    let for_dialogue = state.overlays.iter_mut().find_map(|overlay| match overlay {
        Overlay::Revoke(dialogue) if dialogue.asking == Some(task) => Some(dialogue),
        _ => None,
    });
    match (for_dialogue, result) {
        (Some(dialogue), result) => {
            dialogue.asking = None;
            let id = dialogue.id().cloned();
            let Ok(family) = result else { return };
            if let Some(id) = id {
                state.families.read.insert(Of::Held(id.clone()), Arc::clone(&family));
                end::know_tree(state, &id, &family, now);
            }
        }
        (None, Ok(family)) => {
            let Some(of) =
                family::window(state).filter(|window| window.task == Some(task)).map(|w| w.of.clone())
            else {
                return;
            };
            let cut = family.cut;
            state.families.read.insert(of, Arc::clone(&family));
            let mut lost = false;
            change(state, |window| {
                window.task = None;
                window.take(family);
                lost = window.sought.take().is_some();
            });
            if cut {
                state.say(Tone::Warning, "The list is longer than anybody can read: it was cut", now);
            } else if lost {
                state.say(
                    Tone::Plain,
                    "The subtoken of that event is not listed: it may be revoked by now",
                    now,
                );
            }
        }
        (None, Err(failure)) => {
            change(state, |window| {
                if window.task == Some(task) {
                    window.task = None;
                    window.trouble = Some(failure.to_string());
                }
            });
        }
    }
}

fn history_was_read(
    state: &mut State,
    task: Task,
    id: Untrusted,
    result: Result<Vec<Event>, Failure>,
    now: Timestamp,
) {
    if !state.end(task) {
        return;
    }
    match result {
        Ok(events) => {
            let last = events.iter().find(|event| is_use(event)).map(|event| LastUse {
                at: event.at,
                address: event.address.clone(),
                agent: event.agent.clone(),
            });
            remember_use(state, &id, last.as_ref());
            state.families.histories.insert(id, (events.into(), now));
        }
        Err(failure) => outcome::failed(state, failure, now),
    }
}

/// Whether an event is a use of the mytoken: its making is none.
fn is_use(event: &Event) -> bool {
    !["created", "inherited_RT", "transfer_code_used", "transfer_code_created"]
        .iter()
        .any(|wire| event.is(wire))
}

fn remember_use(state: &mut State, id: &Untrusted, last: Option<&LastUse>) {
    let known = |family: &Arc<Family>| -> Option<Arc<Family>> {
        let place = family.find(id)?;
        let mut family = Family::clone(family);
        family.members.get_mut(place)?.last_used = Some(last.cloned());
        Some(Arc::new(family))
    };
    for family in state.families.read.values_mut() {
        if let Some(newer) = known(family) {
            *family = newer;
        }
    }
    for overlay in &mut state.overlays {
        match overlay {
            Overlay::Family(window) => {
                if let Some(newer) = window.family.as_ref().and_then(known) {
                    window.take(newer);
                }
            }
            Overlay::Member(member, _) if member.listed.mom_id == *id => {
                member.last_used = Some(last.cloned());
            }
            _ => {}
        }
    }
}

/// What was revoked is gone from every list; it is read anew where that costs nothing.
fn were_revoked(
    state: &mut State,
    task: Task,
    each: Vec<(Untrusted, String, Result<String, Failure>)>,
    now: Timestamp,
) -> Vec<Effect> {
    state.end(task);
    state.families.read.clear();
    let (mut done, mut failures) = (Vec::new(), Vec::new());
    for (_, _, result) in each {
        match result {
            Ok(said) => done.push(said),
            Err(failure) => failures.push(failure),
        }
    }
    let count = done.len();
    match (done.pop(), failures.pop()) {
        (Some(said), None) if count == 1 => state.say(Tone::Good, said, now),
        (Some(_), None) => state.say(Tone::Good, format!("Revoked {count} mytokens"), now),
        (None, Some(failure)) if failures.is_empty() => outcome::failed(state, failure, now),
        (_, Some(failure)) => {
            let not = failures.len() + 1;
            state.say(Tone::Bad, format!("Revoked {count}, not {not}: {}", failure.why), now);
        }
        (None, None) => {}
    }
    change(state, |window| window.marked.clear());
    let Some(window) = family::window(state).filter(|window| window.task.is_none()) else {
        return Vec::new();
    };
    match family::right(state, window) {
        Right::Free(via) => ask(state, via, now),
        Right::Costs(..) | Right::Nobody => Vec::new(),
    }
}

fn has_manager(
    state: &mut State,
    task: Task,
    source: &SourceId,
    result: Result<Timestamp, Failure>,
    now: Timestamp,
) -> Vec<Effect> {
    if let Ok(until) = result {
        // It is there even if nobody waits for it any more: it is used, and revoked at the end.
        state.families.managers.insert(source.clone(), until);
    }
    if state.login().is_none_or(|login| login.task != task) {
        return Vec::new();
    }
    match result {
        Ok(_) => {
            super::log_in::close_login(state);
            state.say(Tone::Good, "You may manage them for an hour; that right ends with this board", now);
            match family::window(state).map(|window| family::right(state, window)) {
                Some(Right::Free(via)) => ask(state, via, now),
                Some(Right::Costs(..) | Right::Nobody) | None => Vec::new(),
            }
        }
        Err(failure) => {
            if failure.kind == Kind::Cancelled {
                super::log_in::close_login(state);
                outcome::failed(state, failure, now);
            } else {
                super::log_in::replace_login(state, Overlay::Failed(failure));
            }
            Vec::new()
        }
    }
}

/// Waits no longer for what a closed window had asked.
pub(super) fn closed(state: &mut State, window: &Window) {
    if let Some(task) = window.task {
        state.end(task);
    }
}

impl From<FamilyTold> for Outcome {
    fn from(told: FamilyTold) -> Self {
        Self::Family(told)
    }
}
