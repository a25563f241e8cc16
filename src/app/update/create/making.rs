//! From the filled form to the mytoken: by a login or from one that is held, and what comes of it.

use jiff::Timestamp;

use super::super::{end, log_in, moving, outcome};
use super::{change, kept, top, turning};
use crate::app::action::Action;
use crate::app::copy::{self, is_paid};
use crate::app::create::{self, Item, Over, Start};
use crate::app::effect::{Effect, Made, Making, MytokenAsk, Task};
use crate::app::overlay::Overlay;
use crate::app::price;
use crate::app::state::{Pane, State, Tone};
use crate::domain::credential::CredentialId;
use crate::domain::draft::Draft;
use crate::domain::failure::Failure;
use crate::domain::handed::HandOver;
use crate::domain::login::{Order, Report};
use crate::domain::mytoken::Form;
use crate::domain::source::SourceId;
use crate::domain::untrusted::cleaned;

/// Enter: what lies over the form is accepted; else it is made, if nothing stops it.
pub(in crate::app::update) fn accept(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let Some(form) = create::on_top(state) else { return Vec::new() };
    match (&form.over, form.at) {
        (Over::Scopes(_), _) => turning::take_scopes(state, now),
        (Over::ProfileName(_), _) => return kept::save_profile(state),
        (Over::Nothing, Item::Another) => turning::add_clause(state, now),
        (Over::Nothing, _) => return make(state, now),
    }
    Vec::new()
}

fn make(state: &mut State, now: Timestamp) -> Vec<Effect> {
    // Time has passed since the last change: what was to come may be past.
    change(state, now, |_, _| ());
    let Some(form) = top(state) else { return Vec::new() };
    if let Some((place, why)) = form.stop() {
        form.at = place;
        state.price = None;
        state.say(Tone::Bad, format!("Not yet: {why}"), now);
        return Vec::new();
    }
    // By its profile, where it has one: what it is for is held against what comes.
    let source = match form.started() {
        Start::Profile { id, server, .. } if form.server() == Some(server) => Some(id.clone()),
        _ => form.server().cloned(),
    };
    let (parent, draft) = (form.parent.clone(), form.draft.clone());
    match (parent, source) {
        (Some(parent), _) => make_from(state, &parent, draft, now),
        (None, Some(source)) => by_login(state, source, draft),
        (None, None) => Vec::new(),
    }
}

fn by_login(state: &mut State, source: SourceId, draft: Draft) -> Vec<Effect> {
    state.notice = None;
    // Its name and its provider are those of the draft.
    let open_browser = state.seat.no_browser.is_none();
    let order = Order { draft: Some(draft), open_browser, ..Order::at(source) };
    log_in::start(state, order)
}

fn make_from(state: &mut State, parent: &CredentialId, draft: Draft, now: Timestamp) -> Vec<Effect> {
    let Some(held) = state.held(parent) else { return Vec::new() };
    let doing = format!("Making a mytoken from {}", held.name);
    if state.is_busy(&doing) {
        return Vec::new();
    }
    let price = price::of_subtoken(held, state);
    if !is_paid(state, Action::Accept, Some(parent), price, now) {
        return Vec::new();
    }
    state.notice = None;
    let task = state.begin(doing, now);
    if draft.form == Form::Code {
        if let Some(form) = top(state) {
            form.code = Some(task);
        }
        let how = HandOver::Subtoken(Box::new(draft));
        return vec![Effect::Mytoken(MytokenAsk::HandOver(task, parent.clone(), how))];
    }
    vec![Effect::Make(Making::From(task, parent.clone(), Box::new(draft)))]
}

/// What the world answers.
pub(in crate::app::update) fn take(state: &mut State, made: Made, now: Timestamp) -> Vec<Effect> {
    match made {
        Made::Offer(server, told) => heard(state, &server, told, now),
        Made::Mytoken(task, result) => made_from(state, task, result),
        Made::Profile(Ok(id)) => {
            change(state, now, |form, state| {
                form.list_starts(state);
                form.start_from(&id);
            });
            state.say(Tone::Good, format!("Saved as the profile {}", cleaned(id.as_str())), now);
        }
        Made::Profile(Err(failure)) => outcome::failed(state, failure, now),
        Made::Edited(result) => kept::edited(state, result, now),
    }
    Vec::new()
}

fn heard(
    state: &mut State,
    server: &SourceId,
    told: Result<Box<crate::domain::offer::Offer>, Failure>,
    now: Timestamp,
) {
    change(state, now, |form, state| {
        if form.server() == Some(server) {
            form.hear(told.map_err(|failure| failure.why), state);
        }
    });
}

fn made_from(state: &mut State, task: Task, result: Result<Box<Report>, Failure>) {
    if !state.end(task) {
        return;
    }
    match result {
        Ok(report) => {
            state.tokens.awaited = Some(report.id.clone());
            moving::focus(state, Pane::Tokens);
            granted(state);
            state.overlays.push(Overlay::Granted(report));
        }
        Err(failure) => state.overlays.push(Overlay::Failed(failure)),
    }
}

/// What the form was for is made: it is put away, to be taken up again from the report.
pub(in crate::app::update) fn granted(state: &mut State) {
    state.made = None;
    let place = state.overlays.iter().position(|overlay| matches!(overlay, Overlay::Create(_)));
    if let Some(place) = place
        && let Overlay::Create(form) = state.overlays.remove(place)
    {
        state.made = Some(form);
    }
}

/// It came as a code: what asked for it has done its work. The form that a login was begun in lies under its panel.
pub(in crate::app::update) fn handed(state: &mut State, task: Task) {
    let by_login = state.login().is_some_and(|login| login.task == task);
    let is_done = |overlay: &Overlay| match overlay {
        Overlay::Login(login) => login.task == task,
        Overlay::Create(form) => by_login || form.code == Some(task),
        Overlay::Sheet(sheet) => sheet.task == Some(task),
        _ => false,
    };
    state.overlays.retain(|overlay| !is_done(overlay));
}

/// Opens the revoke dialogue for the mytoken of the report on show, if one is.
pub(in crate::app::update) fn revoke(state: &mut State, now: Timestamp) -> Option<Vec<Effect>> {
    let id = copy::granted(state)?.id.clone();
    Some(end::offer(state, &id, now))
}
