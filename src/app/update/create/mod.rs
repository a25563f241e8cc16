//! The create form: opened with a draft, changed by its keys, put away.

mod kept;
mod making;
mod turning;

use jiff::Timestamp;

pub(super) use making::{accept, granted, handed, revoke, take};

use crate::app::action::CreateAction;
use crate::app::copy;
use crate::app::create::{self, Create, Group, Item, Over, Told};
use crate::app::effect::{Effect, Making};
use crate::app::login;
use crate::app::overlay::Overlay;
use crate::app::state::{State, Tone};
use crate::domain::credential::CredentialId;
use crate::domain::draft::Draft;
use crate::domain::source::SourceId;

/// Opens the form: the draft that was left, else a new one at the selected profile or server. From the report of a mytoken that
/// was just made: the same again, to be changed.
pub(super) fn open(state: &mut State, now: Timestamp) -> Vec<Effect> {
    if let Some(id) = copy::granted(state).map(|held| held.id.clone()) {
        return again(state, &id, now);
    }
    if let Some(form) = state.draft.take() {
        state.say(Tone::Plain, "Your draft. b begins with a blank one", now);
        return show(state, *form, now);
    }
    let Some(source) = login::mytoken_target(state).cloned() else { return Vec::new() };
    let form = Create::open(state, &source);
    show(state, form, now)
}

/// The form of what was just made, or one like it.
fn again(state: &mut State, id: &CredentialId, now: Timestamp) -> Vec<Effect> {
    let like = state.held(id).and_then(|held| {
        let source = state.source(&held.source)?.clone();
        Some((source, Draft::like(create::facts(held)?)))
    });
    let form = match (state.made.take(), like) {
        (Some(asked), Some((source, _))) => {
            let mut form = Create::again(state, &source, asked.draft.clone());
            form.told = asked.told;
            form.list_starts(state);
            form
        }
        (None, Some((source, draft))) => Create::again(state, &source, draft),
        (_, None) => return Vec::new(),
    };
    state.overlays.pop();
    show(state, form, now)
}

/// Opens the form with a draft that was reckoned elsewhere on the board: it is shown, and made by its own key.
pub(super) fn open_with(state: &mut State, source: &SourceId, draft: Draft, now: Timestamp) -> Vec<Effect> {
    let Some(source) = state.source(source).cloned() else { return Vec::new() };
    let form = Create::again(state, &source, draft);
    show(state, form, now)
}

fn show(state: &mut State, mut form: Create, now: Timestamp) -> Vec<Effect> {
    form.look_for_parents(state);
    form.over = Over::Nothing;
    form.weigh(state, now);
    let ask = ask_offer(&mut form);
    state.overlays.push(Overlay::Create(Box::new(form)));
    ask
}

/// Asks the chosen server what it offers, unless it has told.
fn ask_offer(form: &mut Create) -> Vec<Effect> {
    let server = form.server().cloned();
    let known = form.offer().is_some_and(|offer| offer.server.is_none() || offer.server == server);
    match server.filter(|_| !known) {
        Some(server) => {
            form.told = Told::Asking;
            vec![Effect::Make(Making::Offer(server))]
        }
        None => Vec::new(),
    }
}

/// Changes the open form and weighs it anew.
fn change<T>(state: &mut State, now: Timestamp, work: impl FnOnce(&mut Create, &State) -> T) -> Option<T> {
    let place = state.overlays.iter().rposition(|overlay| matches!(overlay, Overlay::Create(_)))?;
    let Overlay::Create(mut form) = state.overlays.remove(place) else { return None };
    let done = work(&mut form, state);
    form.weigh(state, now);
    state.overlays.insert(place.min(state.overlays.len()), Overlay::Create(form));
    Some(done)
}

fn top(state: &mut State) -> Option<&mut Create> {
    match state.overlays.last_mut() {
        Some(Overlay::Create(form)) => Some(form),
        _ => None,
    }
}

/// Something was typed into a field of the form.
pub(super) fn typed(state: &mut State, now: Timestamp) {
    if !create::on_top(state).is_some_and(|form| matches!(form.over, Over::Nothing)) {
        return;
    }
    change(state, now, |form, _| {
        let group = match form.at {
            Item::Name => Group::Name,
            Item::Lives => Group::Rotation,
            _ => Group::Clauses,
        };
        form.touch(group);
    });
}

/// What its own keys do.
pub(super) fn act(state: &mut State, action: CreateAction, now: Timestamp) -> Vec<Effect> {
    match action {
        CreateAction::Next | CreateAction::Previous => {
            if let Some(form) = top(state) {
                form.step(action == CreateAction::Previous);
            }
        }
        CreateAction::NextPart | CreateAction::PreviousPart => {
            if let Some(form) = top(state) {
                form.leap(action == CreateAction::PreviousPart);
            }
        }
        CreateAction::Switch => return turning::switch(state, now),
        CreateAction::More => return turning::turn(state, 1, now),
        CreateAction::Less => return turning::turn(state, -1, now),
        CreateAction::ChooseScopes => turning::choose_scopes(state),
        CreateAction::AddClause => turning::add_clause(state, now),
        CreateAction::DropClause => turning::drop_clause(state, now),
        CreateAction::SaveProfile => kept::ask_profile_name(state),
        CreateAction::EditJson => return kept::edit(state),
        CreateAction::CopyCommand => {
            let command = create::on_top(state).map(|form| form.command.clone());
            let command = command.filter(|command| !command.is_empty());
            return command.map(|text| Effect::CopyText(text, "the command")).into_iter().collect();
        }
        CreateAction::Blank => return blank(state, now),
    }
    Vec::new()
}

/// Everything anew, with nothing but what every login gets.
fn blank(state: &mut State, now: Timestamp) -> Vec<Effect> {
    change(state, now, |form, state| {
        form.start = form.starts.len().saturating_sub(1);
        form.touched.clear();
        form.changed = false;
        form.edited = None;
        form.parent = None;
        form.draft = Draft::default();
        form.refill(state);
        form.at = Item::Start;
    });
    state.notice = None;
    Vec::new()
}

/// Esc: what lies over the form goes first; then the form, kept as a draft where something was changed. A form that began with what
/// was made before is kept unchanged, too, unless another draft would be lost for it.
pub(super) fn back(state: &mut State, now: Timestamp) {
    let Some(form) = top(state) else { return };
    if !matches!(form.over, Over::Nothing) {
        form.over = Over::Nothing;
        return;
    }
    let Some(Overlay::Create(form)) = state.overlays.pop() else { return };
    if form.is_changed() || (!form.touched.is_empty() && state.draft.is_none()) {
        state.draft = Some(form);
        state.say(Tone::Plain, "Kept as a draft: n brings it back", now);
    }
}
