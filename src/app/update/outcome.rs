//! What the world answers. An answer to a task that is no longer awaited changes nothing.

use jiff::Timestamp;
use unicode_width::UnicodeWidthStr;

use super::{create, end, family, log_in, moving, mytoken, portal, safe};
use crate::app::effect::{Copied, Drawn, Effect, Finding, Outcome, Snapshot, Target, Task};
use crate::app::family::Of;
use crate::app::login::Opened;
use crate::app::overlay::{List, Overlay};
use crate::app::state::{OnClipboard, Pane, State, Tone};
use crate::domain::credential::{CredentialId, Custody};
use crate::domain::event::Event;
use crate::domain::failure::{Failure, Kind};
use crate::domain::login::{Report, Step};
use crate::domain::vault::Vault;

/// Takes an answer in.
pub(super) fn take(state: &mut State, outcome: Outcome, now: Timestamp) -> Vec<Effect> {
    match outcome {
        Outcome::Changed(snapshot) => return changed(state, snapshot),
        Outcome::Login(task, step) => return login_goes_on(state, task, step),
        Outcome::LoginEnded(task, result) => return login_ended(state, task, result, now),
        Outcome::Family(told) => return family::take(state, told, now),
        Outcome::Mytoken(told) => return mytoken::take(state, told, now),
        Outcome::Drawn(task, id, result) => drawn(state, task, &id, result, now),
        Outcome::LookedUp(task, finding) => looked_up(state, task, *finding),
        Outcome::Userinfo(task, result) => {
            let window = result.map(|told| Overlay::Userinfo(told, List::default()));
            portal::told(state, task, window, now);
        }
        Outcome::Announced(task, result) => {
            let window = result.map(|told| Overlay::Announced(told, List::default()));
            portal::told(state, task, window, now);
        }
        Outcome::Introspected(task, result) => {
            let window = result.map(|told| Overlay::Introspected(told, List::default()));
            portal::told(state, task, window, now);
        }
        Outcome::HistoryRead(task, result) => history_read(state, task, result, now),
        Outcome::Kept(result) => kept(state, result, now),
        Outcome::Revoked(task, result) => {
            state.end(task);
            told(state, result, now);
        }
        Outcome::Made(made) => return create::take(state, made, now),
        Outcome::Forgotten(result) => told(state, result.map(|name| format!("Forgot {name}")), now),
        Outcome::ProviderAdded(task, result) => {
            if state.end(task) {
                let result = result.map(|added| {
                    let source = &added.source;
                    state.providers.awaited = Some(source.id.clone());
                    state.providers.filter = None;
                    moving::focus(state, Pane::Providers);
                    match &added.not_kept {
                        None => format!("Added {}, and kept it beside the config", source.name),
                        Some(why) => format!("Added {} for this session only: {why}", source.name),
                    }
                });
                told(state, result, now);
            }
        }
        Outcome::Registered(task, result) => log_in::registered(state, task, result, now),
        Outcome::BrowserOpened(task, result) => browser_opened(state, task, result, now),
        Outcome::Copied(result) => copied(state, result, now),
        Outcome::ClipboardCleared(text) => {
            state.clipboard = None;
            state.say(Tone::Plain, text, now);
        }
        Outcome::KeyringAsked(task, answers) => safe::keyring_asked(state, task, answers),
        Outcome::StoreMade(task, result) => {
            let said = kept_from_now_on(&state.wallet.vault);
            return safe::guarded(state, task, result.map(|()| said), now);
        }
        Outcome::Unlocked(task, by, result) => return safe::unlocked(state, task, by, result, now),
        Outcome::Locked => state.say(Tone::Good, "The store is locked, for all programs of yours", now),
        Outcome::Guarded(task, by, result) => {
            let said = format!("The store is guarded by {} from now on", by.words());
            return safe::guarded(state, task, result.map(|()| said), now);
        }
        Outcome::Renamed(result) => safe::renamed(state, result, now),
        Outcome::SavedAgain(task, left) => safe::saved_again(state, task, left, now),
        Outcome::NotLeft(_) => return end::not_left(state),
        Outcome::Failed(failure) => failed(state, failure, now),
    }
    Vec::new()
}

/// A failure: on the message line where it fits, else in a window of its own.
pub(super) fn failed(state: &mut State, failure: Failure, now: Timestamp) {
    let text = failure.to_string();
    if failure.kind == Kind::Cancelled {
        state.say(Tone::Plain, text, now);
    } else if text.width() + 4 > usize::from(state.size.0) && state.overlays.is_empty() {
        state.overlays.push(Overlay::Failed(failure));
    } else {
        state.say(Tone::Bad, text, now);
    }
}

fn told(state: &mut State, result: Result<String, Failure>, now: Timestamp) {
    match result {
        Ok(text) => state.say(Tone::Good, text, now),
        Err(failure) => failed(state, failure, now),
    }
}

/// What a store that was just made, or refused, means.
fn kept_from_now_on(vault: &Vault) -> String {
    match vault.guards.first() {
        Some(guard) => format!("Kept on disk from now on, sealed, guarded by {}", guard.words()),
        None => "Kept in memory only, this time".to_owned(),
    }
}

fn changed(state: &mut State, snapshot: Snapshot) -> Vec<Effect> {
    let is_first = state.opened.replace(state.at).is_none();
    // What was found out about the keyring here is not forgotten because somebody else does not know it.
    let keyring = state.wallet.vault.keyring;
    state.wallet = snapshot;
    state.wallet.vault.keyring = state.wallet.vault.keyring.or(keyring);
    let is_held = |id: &CredentialId| state.wallet.held.iter().any(|held| held.id == *id);
    state.lookup.found.retain(|id, _| is_held(id));
    state.history.read.retain(|id, _| is_held(id));
    state.families.read.retain(|of, _| !matches!(of, Of::Held(id) if !is_held(id)));
    let about_gone = |overlay: &Overlay| match overlay {
        Overlay::CopyMenu(id, _) | Overlay::Details(id, _) | Overlay::Rename(id, _) => !is_held(id),
        Overlay::Sheet(sheet) => sheet.asks.about().is_some_and(|id| !is_held(id)),
        Overlay::Family(window) => matches!(&window.of, Of::Held(id) if !is_held(id)),
        Overlay::Revoke(dialogue) => dialogue.id().is_some_and(|id| !is_held(id)),
        _ => false,
    };
    state.overlays.retain(|overlay| !about_gone(overlay));
    // The first screen of a newcomer begins where everything begins: at the providers.
    if is_first && state.is_first_run() && state.overlays.is_empty() && state.lookup.pasted.is_none() {
        moving::focus(state, Pane::Providers);
    }
    if is_first { safe::open_by_itself(state) } else { Vec::new() }
}

fn login_goes_on(state: &mut State, task: Task, step: Step) -> Vec<Effect> {
    let Some(login) = state.login_mut().filter(|login| login.task == task) else { return Vec::new() };
    match step {
        Step::View(view) => login.view = Some(view),
        Step::MayOpen(address) => return log_in::may_open(state, address),
        Step::Choose(choices) => return log_in::choose(state, choices),
    }
    Vec::new()
}

fn login_ended(
    state: &mut State,
    task: Task,
    result: Result<Box<Report>, Failure>,
    now: Timestamp,
) -> Vec<Effect> {
    if result.is_err() {
        mytoken::after_failed_login(state, task);
    }
    if state.login().is_none_or(|login| login.task != task) {
        return Vec::new();
    }
    match result {
        Ok(report) => {
            let new = report.id.clone();
            state.tokens.awaited = Some(report.id.clone());
            moving::focus(state, Pane::Tokens);
            create::granted(state);
            log_in::replace_login(state, Overlay::Granted(report));
            return mytoken::after_login(state, task, &new, now);
        }
        Err(failure) if failure.kind == Kind::Cancelled => {
            log_in::close_login(state);
            failed(state, failure, now);
        }
        Err(failure) => log_in::replace_login(state, Overlay::Failed(failure)),
    }
    Vec::new()
}

fn drawn(state: &mut State, task: Task, id: &CredentialId, result: Result<Drawn, Failure>, now: Timestamp) {
    if !state.end(task) {
        return;
    }
    match result {
        Ok(drawn) => {
            let name = state.held(id).map_or_else(|| "it".to_owned(), |held| held.name.clone());
            let remark = Some(drawn.remarks.join(" · ")).filter(|remark| !remark.is_empty());
            let said =
                if drawn.renewed { format!("Renewed {name}") } else { format!("{name} is still good") };
            let text = [said].into_iter().chain(remark.clone()).collect::<Vec<_>>().join(" · ");
            // If it was drawn to be copied, the message of the copy follows and takes this one's place.
            state.say(if remark.is_some() { Tone::Warning } else { Tone::Good }, text, now);
            if let Some((_, said)) = state.copying.as_mut().filter(|(copying, _)| *copying == task) {
                *said = remark;
            }
        }
        Err(failure) => failed(state, failure, now),
    }
}

fn copied(state: &mut State, result: Result<Copied, Failure>, now: Timestamp) {
    let copied = match result {
        Ok(copied) => copied,
        Err(failure) => return failed(state, failure, now),
    };
    let remark = state.copying.take().and_then(|(_, remark)| remark);
    let Copied { what, route, certain, ends, until } = copied;
    if let Some(until) = until {
        state.notice = None;
        state.clipboard = Some(OnClipboard { what, remark, ends, certain, route, until });
        return;
    }
    // Something newer lies there now: what was to be cleared is gone from it.
    state.clipboard = None;
    let text = if certain { format!("Copied {what} to {route}") } else { format!("Sent {what} to {route}") };
    state.say(Tone::Good, text, now);
}

fn looked_up(state: &mut State, task: Task, finding: Finding) {
    if !state.end(task) {
        return;
    }
    state.lookup.task = None;
    match &finding.target {
        Target::Held(id) => {
            state.lookup.found.insert(id.clone(), finding);
        }
        Target::Pasted(specimen) => {
            let Some(pasted) = state.lookup.pasted.as_mut().filter(|pasted| pasted.specimen == **specimen)
            else {
                return;
            };
            let question = finding
                .may_ask
                .clone()
                .map(|server| Overlay::MayAsk(server, Box::new(finding.target.clone())));
            pasted.finding = Some(finding);
            if state.overlays.is_empty() {
                state.overlays.extend(question);
            }
        }
    }
}

fn history_read(state: &mut State, task: Task, result: Result<Vec<Event>, Failure>, now: Timestamp) {
    let Some((_, owner)) = state.history.task.take_if(|(awaited, _)| *awaited == task) else { return };
    state.end(task);
    match (result, owner) {
        (Ok(events), Some(id)) => {
            state.history.read.insert(id, (events, now));
        }
        (Ok(events), None) => state.history.pasted = Some((events, now)),
        (Err(failure), _) => failed(state, failure, now),
    }
}

fn kept(state: &mut State, result: Result<(CredentialId, String), Failure>, now: Timestamp) {
    let result = result.map(|(id, name)| {
        let how_long = match state.held(&id).map(|held| &held.custody) {
            Some(Custody::Sealed | Custody::KeyFile) => "sealed",
            Some(Custody::Session) => "sealed for this session of the machine",
            Some(Custody::Unsaved(_)) => "but NOT SAVED: it could not be written",
            Some(Custody::MemoryOnly | Custody::Foreign(_)) | None => {
                "in memory only: gone when toktui quits"
            }
        };
        super::ask::leave_pasted(state);
        state.tokens.awaited = Some(id);
        moving::focus(state, Pane::Tokens);
        format!("Kept as {name}, {how_long}")
    });
    told(state, result, now);
    if state.wallet.vault.unsaved > 0
        && let Some(notice) = &mut state.notice
    {
        (notice.tone, notice.until) = (Tone::Bad, None);
    }
}

fn browser_opened(state: &mut State, task: Task, result: Result<String, Failure>, now: Timestamp) {
    if let Some(login) = state.login_mut().filter(|login| login.task == task) {
        login.opened = match result {
            Ok(with) => Opened::With(with),
            Err(failure) => Opened::Failed(failure.why),
        };
    } else if state.end(task) {
        told(state, result.map(|with| format!("Opened in {with}")), now);
    }
}
