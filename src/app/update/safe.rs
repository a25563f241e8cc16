//! The store: what must be asked before something is kept or read, and what goes on afterwards.

use jiff::{SignedDuration, Timestamp};

use super::act;
use crate::app::action::{Action, FamilyAction, MytokenAction, PortalAction};
use crate::app::copy::MenuRow;
use crate::app::create::{Item, Over};
use crate::app::effect::{Effect, Task};
use crate::app::field::Field;
use crate::app::keymap;
use crate::app::overlay::Overlay;
use crate::app::providers::Row;
use crate::app::safe::{self, Answer, Choosing, Purpose, Stage, Unlock};
use crate::app::sheet::Asks;
use crate::app::state::{Pane, State, Tone};
use crate::domain::credential::{Chain, CredentialId, Held};
use crate::domain::failure::Failure;
use crate::domain::form::Form;
use crate::domain::time::later;
use crate::domain::vault::{Access, Guard, Opening};

/// How long what could not be written waits before it is tried again.
const RETRY: SignedDuration = SignedDuration::from_secs(10);

/// What an action needs of the store and has not.
enum Need {
    Store,
    Key,
}

/// Puts the question that must be answered before this action, which then goes on by itself; `None`: there is none.
pub(super) fn ask_before(state: &mut State, action: Action) -> Option<Vec<Effect>> {
    match need(state, action)? {
        Need::Store => Some(choose(state, Purpose::Make, Some(action))),
        // To destroy takes its own key in its own dialogue, also after this.
        Need::Key => Some(unlock(state, Some(action).filter(|action| !action.is_confirmation()))),
    }
}

fn need(state: &State, action: Action) -> Option<Need> {
    let keeps = || match state.wallet.vault.access {
        Access::NoStore => Some(Need::Store),
        Access::Locked => Some(Need::Key),
        Access::MemoryOnly(_) | Access::Open { .. } => None,
    };
    let is_locked = state.wallet.vault.access == Access::Locked;
    let reads = |held: Option<&Held>| held.is_some_and(|held| is_locked && held.locked).then_some(Need::Key);
    match action {
        Action::LogIn
        | Action::Keep
        | Action::Mytoken(MytokenAction::Redeem)
        | Action::Portal(PortalAction::RefreshToken) => keeps(),
        Action::Open if state.focus == Pane::Providers => match state.selected_row()? {
            Row::Source(..) => keeps(),
            Row::More | Row::Add => None,
        },
        Action::Copy if !state.overlays.is_empty() => reads(crate::app::copy::granted(state)),
        Action::Copy
        | Action::CopyAs
        | Action::Renew
        | Action::Rename
        | Action::Family(FamilyAction::Below)
        | Action::Portal(PortalAction::Userinfo | PortalAction::Introspect) => reads(state.acting()),
        Action::CopyForm(_) => reads(in_menu(state)),
        // The store may have been locked since the question was put.
        Action::Accept
            if matches!(
                state.overlays.last(),
                Some(
                    Overlay::WhichClient(_)
                        | Overlay::WhichProvider(_)
                        | Overlay::Registered(..)
                        | Overlay::KeepAs(..)
                )
            ) || crate::app::create::on_top(state)
                .is_some_and(|form| matches!(form.over, Over::Nothing) && form.at != Item::Another) =>
        {
            keeps()
        }
        Action::Accept if matches!(state.overlays.last(), Some(Overlay::Sheet(_))) => in_sheet(state, keeps),
        Action::Accept => match act::chosen_row(state)? {
            MenuRow::Form(_) | MenuRow::HandOver => reads(in_menu(state)),
            MenuRow::Script(_) => None,
        },
        Action::AskServer | Action::ReadHistory if state.lookup.pasted.is_none() => {
            reads(state.selected_held())
        }
        Action::ConfirmRevoke | Action::ConfirmTree => reads(in_dialogue(state)),
        Action::Mytoken(MytokenAction::Successor) => keeps().or_else(|| reads(state.acting())),
        Action::Mytoken(MytokenAction::HandOver | MytokenAction::DrawWith) => {
            reads(in_menu(state).or_else(|| state.acting()))
        }
        Action::Guard => is_locked.then_some(Need::Key),
        _ => None,
    }
}

/// What Enter on a sheet needs.
fn in_sheet(state: &State, keeps: impl Fn() -> Option<Need>) -> Option<Need> {
    let Some(Overlay::Sheet(sheet)) = state.overlays.last() else { return None };
    let is_locked = |id: &CredentialId| {
        let locked = state.held(id).is_some_and(|held| held.locked);
        (locked && state.wallet.vault.access == Access::Locked).then_some(Need::Key)
    };
    match &sheet.asks {
        Asks::Redeem(_) => keeps(),
        Asks::DrawWith(id) | Asks::HandOver(id) => is_locked(id),
        Asks::Outlast(_) | Asks::Elsewhere(_) => None,
    }
}

fn in_menu(state: &State) -> Option<&Held> {
    match state.overlays.last() {
        Some(Overlay::CopyMenu(id, _)) => state.held(id),
        _ => None,
    }
}

fn in_dialogue(state: &State) -> Option<&Held> {
    match state.overlays.last() {
        Some(Overlay::Revoke(dialogue)) => state.held(dialogue.id()?),
        _ => None,
    }
}

/// Asks what shall guard the store; the keyring is asked at the same time whether it is there.
pub(super) fn choose(state: &mut State, purpose: Purpose, then: Option<Action>) -> Vec<Effect> {
    let keyring = state.wallet.vault.keyring;
    let asking = keyring.is_none().then(|| state.new_task());
    state.overlays.push(Overlay::Guarding(Box::new(Choosing::new(purpose, then, keyring, asking))));
    asking.map(Effect::AskKeyring).into_iter().collect()
}

/// Asks what opens the store; what needs nobody is tried at once.
pub(super) fn unlock(state: &mut State, then: Option<Action>) -> Vec<Effect> {
    let mut question = Unlock::new(then, &state.wallet.vault.guards);
    let mut effects = Vec::new();
    if let Some(opening) = safe::opens_by_itself(state) {
        let by = opening.guard();
        let task = match state.unlocking {
            Some(task) => task,
            None => begin(state, opening, &mut effects),
        };
        question.trying = Some((task, by));
    }
    state.overlays.push(Overlay::Unlock(Box::new(question)));
    effects
}

/// A store that was found locked, and that opens without anybody's help, is opened in the background.
pub(super) fn open_by_itself(state: &mut State) -> Vec<Effect> {
    let mut effects = Vec::new();
    if let Some(opening) = safe::opens_by_itself(state) {
        begin(state, opening, &mut effects);
    }
    effects
}

fn begin(state: &mut State, opening: Opening, effects: &mut Vec<Effect>) -> Task {
    let task = state.new_task();
    state.unlocking = Some(task);
    effects.push(Effect::Unlock(task, opening));
    task
}

/// Enter in one of the questions.
pub(super) fn accept(state: &mut State, now: Timestamp) -> Vec<Effect> {
    match state.overlays.last_mut() {
        Some(Overlay::Guarding(choosing)) if choosing.field().is_some() => {
            let opening = choosing.typed();
            opening.map(|opening| guard_by(state, opening)).unwrap_or_default()
        }
        Some(Overlay::Guarding(choosing)) => {
            let (selected, is_known) = (choosing.selected, choosing.keyring == Some(true));
            answer(state, selected, is_known)
        }
        Some(Overlay::Unlock(_)) => try_to_open(state, now),
        _ => Vec::new(),
    }
}

fn answer(state: &mut State, selected: Answer, keyring_answers: bool) -> Vec<Effect> {
    match selected {
        // It is still being asked whether it is there.
        Answer::By(Guard::Keyring) if !keyring_answers => Vec::new(),
        Answer::By(Guard::Keyring) => guard_by(state, Opening::Keyring),
        Answer::By(Guard::Passphrase) => go_to(
            state,
            Stage::Passphrase { first: Field::default(), again: Field::default(), repeating: false },
        ),
        Answer::By(Guard::KeyFile) => go_to(state, Stage::Word(Field::default())),
        Answer::InMemory => {
            let task = state.new_task();
            go_to(state, Stage::Working(task));
            vec![Effect::StayInMemory(task)]
        }
    }
}

fn go_to(state: &mut State, stage: Stage) -> Vec<Effect> {
    if let Some(Overlay::Guarding(choosing)) = state.overlays.last_mut() {
        choosing.said = None;
        choosing.stage = stage;
    }
    Vec::new()
}

fn guard_by(state: &mut State, opening: Opening) -> Vec<Effect> {
    let task = state.new_task();
    let Some(Overlay::Guarding(choosing)) = state.overlays.last_mut() else { return Vec::new() };
    choosing.stage = Stage::Working(task);
    match choosing.purpose {
        Purpose::Make => vec![Effect::CreateStore(task, opening)],
        Purpose::Change => vec![Effect::Guard(task, opening)],
    }
}

fn try_to_open(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let Some(Overlay::Unlock(unlock)) = state.overlays.last() else { return Vec::new() };
    let opening = match unlock.passphrase(now) {
        Some(passphrase) => Opening::Passphrase(passphrase),
        None if unlock.takes_passphrase => return Vec::new(),
        None => match safe::opens_by_itself(state) {
            Some(opening) => opening,
            None => return Vec::new(),
        },
    };
    let (by, mut effects) = (opening.guard(), Vec::new());
    let task = begin(state, opening, &mut effects);
    if let Some(Overlay::Unlock(unlock)) = state.overlays.last_mut() {
        unlock.trying = Some((task, by));
        unlock.said = None;
    }
    effects
}

/// Whether the keyring answers is known.
pub(super) fn keyring_asked(state: &mut State, task: Task, answers: bool) {
    state.wallet.vault.keyring = Some(answers);
    for overlay in &mut state.overlays {
        if let Overlay::Guarding(choosing) = overlay
            && choosing.asking == Some(task)
        {
            choosing.heard(answers);
        }
    }
}

/// The store has its guard, or not: what was wanted goes on.
pub(super) fn guarded(
    state: &mut State,
    task: Task,
    result: Result<String, Failure>,
    now: Timestamp,
) -> Vec<Effect> {
    let is_it = |overlay: &Overlay| matches!(overlay, Overlay::Guarding(choosing) if matches!(choosing.stage, Stage::Working(own) if own == task));
    let place = state.overlays.iter().position(is_it);
    match result {
        Ok(said) => {
            state.say(Tone::Good, said, now);
            let question = place.map(|place| state.overlays.remove(place));
            match question {
                Some(Overlay::Guarding(choosing)) => go_on(state, choosing.then, now),
                _ => Vec::new(),
            }
        }
        Err(failure) => {
            match place.and_then(|place| state.overlays.get_mut(place)) {
                Some(Overlay::Guarding(choosing)) => {
                    choosing.stage = Stage::Choose;
                    choosing.said = Some(failure.why);
                }
                _ => super::outcome::failed(state, failure, now),
            }
            Vec::new()
        }
    }
}

/// The store is open, or this did not open it.
pub(super) fn unlocked(
    state: &mut State,
    task: Task,
    by: Guard,
    result: Result<(), Failure>,
    now: Timestamp,
) -> Vec<Effect> {
    state.unlocking.take_if(|own| *own == task);
    let is_question = |overlay: &Overlay| matches!(overlay, Overlay::Unlock(_));
    let place = state.overlays.iter().position(is_question);
    if let Err(failure) = result {
        match place.and_then(|place| state.overlays.get_mut(place)) {
            Some(Overlay::Unlock(unlock)) => {
                if unlock.trying.is_some_and(|(own, _)| own == task) {
                    unlock.trying = None;
                }
                unlock.failed(by, failure.why, now);
            }
            _ => state.say(Tone::Plain, format!("Still locked: {}", failure.why), now),
        }
        return Vec::new();
    }
    // Nobody asked for it where it opened by itself: what is wrong in the config stays in sight.
    let heeded = state.notice.as_ref().is_some_and(|notice| notice.until.is_none());
    if place.is_some() || !heeded {
        state.say(Tone::Good, format!("Unlocked by {}", by.words()), now);
    }
    match place.map(|place| state.overlays.remove(place)) {
        Some(Overlay::Unlock(unlock)) => go_on(state, unlock.then, now),
        _ => Vec::new(),
    }
}

/// Does what was wanted, if it still works.
fn go_on(state: &mut State, wanted: Option<Action>, now: Timestamp) -> Vec<Effect> {
    let Some(action) = wanted else { return Vec::new() };
    let works = keymap::live(state).iter().any(|live| live.binding.action == action);
    if works { act::act(state, action, now) } else { Vec::new() }
}

/// Esc in one of the questions; whether it was one step back inside it.
pub(super) fn back(state: &mut State) -> bool {
    match state.overlays.last_mut() {
        Some(Overlay::Guarding(choosing)) => choosing.back(),
        _ => false,
    }
}

/// Asks for another name for the selected row.
pub(super) fn name_anew(state: &mut State) {
    if let Some((id, name)) = state.acting().map(|held| (held.id.clone(), held.name.clone())) {
        state.overlays.push(Overlay::Rename(id, Field::new(&name)));
    }
}

/// Renames to what is typed. The question stays until the store has agreed: only it knows what a name is.
pub(super) fn rename(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Rename(id, field)) = state.overlays.last() else { return Vec::new() };
    let name = field.value().trim().to_owned();
    if state.held(id).is_some_and(|held| held.name == name) {
        state.overlays.pop();
        return Vec::new();
    }
    vec![Effect::Rename(id.clone(), name)]
}

/// It has another name, or not.
pub(super) fn renamed(state: &mut State, result: Result<(String, String), Failure>, now: Timestamp) {
    match result {
        Ok((old, new)) => {
            state.overlays.retain(|overlay| !matches!(overlay, Overlay::Rename(..)));
            state.say(Tone::Good, format!("{old} is now {new}"), now);
        }
        Err(failure) => state.say(Tone::Bad, format!("Not renamed: {}", failure.why), now),
    }
}

/// Tries again to write what could not be written.
pub(super) fn save_again(state: &mut State, now: Timestamp) -> Vec<Effect> {
    const DOING: &str = "Writing what could not be written";
    if state.is_busy(DOING) {
        return Vec::new();
    }
    state.retry = Some(later(now, RETRY));
    vec![Effect::SaveAgain(state.begin(DOING, now))]
}

/// The same without being asked: nothing is said unless something differs.
pub(super) fn retry(state: &mut State, now: Timestamp) -> Vec<Effect> {
    if state.wallet.vault.unsaved == 0 {
        state.retry = None;
        return Vec::new();
    }
    match state.retry {
        Some(at) if at > now => Vec::new(),
        None => {
            state.retry = Some(later(now, RETRY));
            Vec::new()
        }
        Some(_) => {
            state.retry = Some(later(now, RETRY));
            vec![Effect::SaveAgain(state.new_task())]
        }
    }
}

/// So many values are still unsaved.
pub(super) fn saved_again(state: &mut State, task: Task, left: usize, now: Timestamp) {
    let was_asked = state.end(task);
    match left {
        0 => {
            let about_them =
                |overlay: &Overlay| matches!(overlay, Overlay::QuitLoses(loss) if loss.memory.is_empty());
            state.overlays.retain(|overlay| !about_them(overlay));
            state.say(Tone::Good, "Everything is saved now", now);
        }
        left if was_asked => state.say(Tone::Bad, format!("Still not saved: {left}"), now),
        _ => {}
    }
}

/// Copies the value that could not be written: of the selected row, else of the first one.
pub(super) fn copy_unsaved(state: &State) -> Vec<Effect> {
    let value = |held: &&Held| (held.id.clone(), newest_of(held));
    let found: Option<(CredentialId, Form)> = safe::unsaved(state).first().map(value);
    found.map(|(id, form)| Effect::CopyForm(id, form)).into_iter().collect()
}

/// The form in which a credential's own secret is had.
fn newest_of(held: &Held) -> Form {
    match held.chain {
        Chain::Mytoken { .. } => Form::Mytoken,
        Chain::Refresh { .. } => Form::RefreshToken,
        Chain::None => Form::AccessToken,
    }
}
