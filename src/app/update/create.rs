//! The create form: from the wish for a mytoken to its order, and all that changes on the way.

use jiff::Timestamp;

use super::{end, log_in, moving, outcome};
use crate::app::action::{Action, CreateAction};
use crate::app::copy::{self, is_paid};
use crate::app::create::tree;
use crate::app::create::{self, Create, Group, Item, Over, Picking, Start, Told, Turn};
use crate::app::effect::{Effect, Made, Making, MytokenAsk, Task};
use crate::app::field::Field;
use crate::app::login;
use crate::app::overlay::Overlay;
use crate::app::price;
use crate::app::state::{Pane, State, Tone};
use crate::domain::credential::CredentialId;
use crate::domain::draft::{Draft, from_json, to_json};
use crate::domain::failure::Failure;
use crate::domain::handed::HandOver;
use crate::domain::login::{Order, Report};
use crate::domain::mytoken::Form;
use crate::domain::source::SourceId;
use crate::domain::untrusted::{Untrusted, cleaned};

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
        CreateAction::Switch => return switch(state, now),
        CreateAction::More => return turn(state, 1, now),
        CreateAction::Less => return turn(state, -1, now),
        CreateAction::ChooseScopes => choose_scopes(state),
        CreateAction::AddClause => add_clause(state, now),
        CreateAction::DropClause => drop_clause(state, now),
        CreateAction::SaveProfile => ask_profile_name(state),
        CreateAction::EditJson => return edit(state),
        CreateAction::CopyCommand => {
            let command = create::on_top(state).map(|form| form.command.clone());
            let command = command.filter(|command| !command.is_empty());
            return command.map(|text| Effect::CopyText(text, "the command")).into_iter().collect();
        }
        CreateAction::Blank => return blank(state, now),
    }
    Vec::new()
}

/// Space: ticks and unticks; the next choice where one chooses.
fn switch(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let Some(form) = top(state) else { return Vec::new() };
    if let Over::Scopes(picking) = &mut form.over {
        if let Some((_, chosen)) = picking.scopes.get_mut(picking.selected) {
            *chosen = !*chosen;
        }
        return Vec::new();
    }
    match form.at {
        Item::Capability(row) => {
            let switched = change(state, now, |form, _| {
                form.touch(Group::Capabilities);
                tree::switch(form, row)
            });
            if let Some(Err(why)) = switched {
                state.say(Tone::Plain, why, now);
            }
        }
        Item::Turn(which) => {
            change(state, now, |form, _| {
                form.touch(Group::Rotation);
                let rotation = &mut form.draft.rotation;
                let flag = match which {
                    Turn::OnAccess => &mut rotation.on_at,
                    Turn::OnOther => &mut rotation.on_other,
                    Turn::Revokes => &mut rotation.auto_revoke,
                };
                *flag = !*flag;
            });
        }
        Item::Another => add_clause(state, now),
        Item::Start | Item::Server | Item::From | Item::Provider | Item::Answer => {
            return turn(state, 1, now);
        }
        Item::Clause(_) | Item::Name | Item::Member(..) | Item::Lives => {}
    }
    Vec::new()
}

/// The next choice or the one before; on a capability, what lies under it is shown or hidden.
fn turn(state: &mut State, by: isize, now: Timestamp) -> Vec<Effect> {
    let asked = change(state, now, |form, state| {
        match form.at {
            Item::Start => {
                form.start = around(form.start, form.starts.len(), by);
                if let Start::Profile { server, .. } = form.started().clone()
                    && let Some(place) = form.servers.iter().position(|id| *id == server)
                {
                    form.server = place;
                    form.look_for_parents(state);
                }
                form.refill(state);
            }
            Item::Server => {
                form.server = around(form.server, form.servers.len(), by);
                // A profile is one of its own server: elsewhere what it filled in stays, as the user's.
                form.touched = vec![Group::Capabilities, Group::Clauses, Group::Rotation, Group::Name];
                form.start = form.starts.len().saturating_sub(1);
                form.draft.templates.clear();
                form.look_for_parents(state);
            }
            Item::From => {
                let at = form.parent.as_ref().and_then(|id| form.parents.iter().position(|one| one == id));
                let next = around(at.map_or(0, |at| at + 1), form.parents.len() + 1, by);
                form.parent = next.checked_sub(1).and_then(|at| form.parents.get(at).cloned());
            }
            Item::Provider => turn_provider(form, by),
            Item::Answer => {
                let forms = form.forms();
                let at = forms.iter().position(|one| *one == form.draft.form).unwrap_or_default();
                form.draft.form = forms.get(around(at, forms.len(), by)).copied().unwrap_or_default();
                form.touch(Group::Answer);
            }
            Item::Capability(row) => fold(form, row, by > 0),
            Item::Clause(_) | Item::Name | Item::Member(..) | Item::Another | Item::Turn(_) | Item::Lives => {
            }
        }
        ask_offer(form)
    });
    asked.unwrap_or_default()
}

fn turn_provider(form: &mut Create, by: isize) {
    let Some(offer) = form.offer() else { return };
    let all: Vec<String> = offer.providers.iter().map(|offered| offered.issuer.raw().to_owned()).collect();
    let next = match all.iter().position(|issuer| *issuer == form.draft.provider) {
        Some(at) => around(at, all.len(), by),
        None => 0,
    };
    if let Some(issuer) = all.into_iter().nth(next) {
        form.draft.provider = issuer;
        form.touch(Group::Provider);
    }
}

fn fold(form: &mut Create, row: usize, open: bool) {
    let Some(twig) = form.tree.get(row) else { return };
    // From one below, its top is meant.
    let top = (0..=row)
        .rev()
        .find(|at| form.tree.get(*at).is_some_and(|one| one.below > 0 && one.depth <= twig.depth));
    let place = if twig.below > 0 && (open || twig.unfolded) {
        Some(row)
    } else if open {
        None
    } else {
        top.filter(|at| *at != row).or_else(|| {
            (0..row).rev().find(|at| form.tree.get(*at).is_some_and(|one| one.depth < twig.depth))
        })
    };
    let Some(place) = place else { return };
    let Some(known) = form.tree.get(place).and_then(|one| one.known) else { return };
    form.unfolded.retain(|name| *name != known.name);
    if open {
        form.unfolded.push(known.name);
    }
    form.at = Item::Capability(place);
}

fn around(at: usize, len: usize, by: isize) -> usize {
    match (len, by) {
        (0, _) => 0,
        (_, 1) => (at + 1) % len,
        _ => at.checked_sub(1).unwrap_or(len - 1),
    }
}

fn add_clause(state: &mut State, now: Timestamp) {
    change(state, now, |form, _| {
        form.touch(Group::Clauses);
        form.clauses.push(create::typed::Typed::default());
        form.at = Item::Clause(form.clauses.len() - 1);
    });
}

fn drop_clause(state: &mut State, now: Timestamp) {
    change(state, now, |form, _| {
        if let Item::Clause(at) = form.at
            && form.clauses.len() > 1
            && at < form.clauses.len()
        {
            form.touch(Group::Clauses);
            form.clauses.remove(at);
            form.at = Item::Another;
        }
    });
}

/// Shows the provider's scopes to choose from; what was typed and is not among them stays.
fn choose_scopes(state: &mut State) {
    let Some(form) = top(state) else { return };
    let Item::Member(clause, member) = form.at else { return };
    let Some(typed) = form.clauses.get(clause) else { return };
    let typed: Vec<&str> = typed.text(member).split_whitespace().collect();
    let mut scopes: Vec<(Untrusted, bool)> =
        form.offered_scopes().iter().map(|scope| (scope.clone(), typed.contains(&scope.raw()))).collect();
    let others = typed.iter().filter(|word| !scopes.iter().any(|(scope, _)| scope.raw() == **word));
    let others: Vec<(Untrusted, bool)> = others.map(|word| (Untrusted::from(*word), true)).collect();
    scopes.extend(others);
    form.over = Over::Scopes(Picking { clause, scopes, ..Picking::default() });
}

fn take_scopes(state: &mut State, now: Timestamp) {
    change(state, now, |form, _| {
        let Over::Scopes(picking) = std::mem::take(&mut form.over) else { return };
        let chosen = picking.scopes.iter().filter(|(_, chosen)| *chosen);
        let text = chosen.map(|(scope, _)| scope.raw()).collect::<Vec<_>>().join(" ");
        if let Some(typed) = form.clauses.get_mut(picking.clause) {
            *typed.field_mut(create::typed::Member::Scopes) = Field::new(&text);
            form.touch(Group::Clauses);
        }
    });
}

fn ask_profile_name(state: &mut State) {
    let Some(form) = top(state) else { return };
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = form.draft.name.chars().map(plain).collect();
    form.over = Over::ProfileName(Field::new(name.trim_matches('-')));
}

fn save_profile(state: &mut State) -> Vec<Effect> {
    let Some(form) = top(state) else { return Vec::new() };
    let Over::ProfileName(field) = &form.over else { return Vec::new() };
    let name = field.value().trim().to_owned();
    let Some(server) = form.server().cloned().filter(|_| !name.is_empty()) else { return Vec::new() };
    let draft = Draft { name: String::new(), ..form.draft.clone() };
    form.over = Over::Nothing;
    vec![Effect::Make(Making::SaveProfile(name, server, Box::new(draft)))]
}

fn edit(state: &mut State) -> Vec<Effect> {
    let Some(form) = top(state) else { return Vec::new() };
    let json = || serde_json::to_string_pretty(&to_json(&form.draft)).unwrap_or_default();
    let text = form.edited.clone().unwrap_or_else(json);
    vec![Effect::Make(Making::Edit(text))]
}

/// The JSON came back: what cannot be read is kept, to go on with.
fn edited(state: &mut State, result: Result<Option<String>, Failure>, now: Timestamp) {
    let text = match result {
        Ok(Some(text)) => text,
        Ok(None) => return state.say(Tone::Plain, "Nothing was changed", now),
        Err(failure) => return outcome::failed(state, failure, now),
    };
    let zone = create::zone(state);
    let value = serde_json::from_str(&text).map_err(|error| error.to_string());
    let read = value.and_then(|value| from_json(&value, now, &zone));
    let said = change(state, now, |form, _| match read {
        Ok(draft) => {
            form.edited = None;
            form.touched = vec![
                Group::Provider,
                Group::Name,
                Group::Capabilities,
                Group::Clauses,
                Group::Rotation,
                Group::Answer,
            ];
            form.fill(draft, &zone);
            Ok(())
        }
        Err(why) => {
            form.edited = Some(text);
            Err(why)
        }
    });
    match said {
        Some(Ok(())) => state.say(Tone::Good, "Taken from the JSON", now),
        Some(Err(why)) => {
            let text = format!("The JSON cannot be read: {}. e goes on with it", cleaned(&why));
            state.say(Tone::Bad, text, now);
        }
        None => {}
    }
}

/// Everything anew, with nothing but what every login gets.
fn blank(state: &mut State, now: Timestamp) -> Vec<Effect> {
    change(state, now, |form, state| {
        form.start = form.starts.len().saturating_sub(1);
        form.touched.clear();
        form.edited = None;
        form.parent = None;
        form.draft = Draft::default();
        form.refill(state);
        form.at = Item::Start;
    });
    state.notice = None;
    Vec::new()
}

/// Enter: what lies over the form is accepted; else it is made, if nothing stops it.
pub(super) fn accept(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let Some(form) = create::on_top(state) else { return Vec::new() };
    match (&form.over, form.at) {
        (Over::Scopes(_), _) => take_scopes(state, now),
        (Over::ProfileName(_), _) => return save_profile(state),
        (Over::Nothing, Item::Another) => add_clause(state, now),
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
    let order = Order {
        source,
        // Of a draft that is its own.
        name: None,
        client: None,
        provider: Some(draft.provider.clone()).filter(|issuer| !issuer.is_empty()),
        draft: Some(draft),
        open_browser: state.seat.no_browser.is_none(),
    };
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
        let how = HandOver::Subtoken(Box::new(draft));
        return vec![Effect::Mytoken(MytokenAsk::HandOver(task, parent.clone(), how))];
    }
    vec![Effect::Make(Making::From(task, parent.clone(), Box::new(draft)))]
}

/// Esc: what lies over the form goes first; then the form, kept as a draft where something was changed.
pub(super) fn back(state: &mut State, now: Timestamp) {
    let Some(form) = top(state) else { return };
    if !matches!(form.over, Over::Nothing) {
        form.over = Over::Nothing;
        return;
    }
    let Some(Overlay::Create(form)) = state.overlays.pop() else { return };
    if form.is_changed() {
        state.draft = Some(form);
        state.say(Tone::Plain, "Kept as a draft: n brings it back", now);
    }
}

/// What the world answers.
pub(super) fn take(state: &mut State, made: Made, now: Timestamp) -> Vec<Effect> {
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
        Made::Edited(result) => edited(state, result, now),
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
pub(super) fn granted(state: &mut State) {
    state.made = None;
    let place = state.overlays.iter().position(|overlay| matches!(overlay, Overlay::Create(_)));
    if let Some(place) = place
        && let Overlay::Create(form) = state.overlays.remove(place)
    {
        state.made = Some(form);
    }
}

/// It came as a code: login panel and form have done their work.
pub(super) fn handed(state: &mut State) {
    let is_code = |overlay: &Overlay| match overlay {
        Overlay::Login(login) => login.order.draft.as_ref().is_some_and(|draft| draft.form == Form::Code),
        Overlay::Create(form) => form.draft.form == Form::Code,
        _ => false,
    };
    state.overlays.retain(|overlay| !is_code(overlay));
}

/// Opens the revoke dialogue for the mytoken of the report on show, if one is.
pub(super) fn revoke(state: &mut State, now: Timestamp) -> Option<Vec<Effect>> {
    let id = copy::granted(state)?.id.clone();
    Some(end::offer(state, &id, now))
}
