//! What else is done with a mytoken: foretelling, drawing with a choice, handing over, redeeming, following.

use jiff::Timestamp;

use super::{end, moving, outcome};
use crate::app::action::{Action, MytokenAction};
use crate::app::copy::is_paid;
use crate::app::effect::{Effect, Followed, MytokenAsk, MytokenTold, Task};
use crate::app::foretold;
use crate::app::handing::{self, Handing};
use crate::app::overlay::Overlay;
use crate::app::sheet::{Asks, Entry, Input, Sheet};
use crate::app::state::{Pane, State, Succession, Tone};
use crate::app::{can, price};
use crate::domain::credential::{Ask, Chain, CredentialId, Held};
use crate::domain::draft::{Draft, DraftClause, When};
use crate::domain::failure::Failure;
use crate::domain::handed::{HandOver, Handed};
use crate::domain::login::{Order, Report};
use crate::domain::mytoken::{Capability, Clause};
use crate::domain::source::{SourceId, SourceKind};
use crate::domain::span;
use crate::domain::untrusted::cleaned;

/// The lines of the sheets of this file.
pub(super) mod line {
    pub(in crate::app::update) const SCOPES: &str = "scopes";
    pub(in crate::app::update) const AUDIENCE: &str = "audience";
    pub(in crate::app::update) const WHAT: &str = "what";
    pub(in crate::app::update) const NAME: &str = "name";
    pub(in crate::app::update) const MAY: &str = "may";
    pub(in crate::app::update) const LIVES: &str = "lives";
    pub(in crate::app::update) const USES: &str = "access tokens";
    pub(in crate::app::update) const CODE: &str = "code";
    pub(in crate::app::update) const SERVER: &str = "at";
}

/// Does what is asked for.
pub(super) fn act(state: &mut State, action: MytokenAction, now: Timestamp) -> Vec<Effect> {
    match action {
        MytokenAction::Outlast => open_on_acting(state, |held| foretold::job_sheet(&held.id)),
        MytokenAction::Elsewhere => open_on_acting(state, |held| foretold::place_sheet(&held.id)),
        MytokenAction::DrawWith => open_draw_with(state),
        MytokenAction::HandOver => open_hand_over(state),
        MytokenAction::Redeem => open_redeem(state),
        MytokenAction::Successor => return follow(state, now),
        MytokenAction::CopyHandedCode => {
            let handed = handing::open(state).map(|handing| handing.handed.clone());
            return handed.map(|handed| Effect::Mytoken(MytokenAsk::CopyCode(handed))).into_iter().collect();
        }
        MytokenAction::CopyHandedCommand => {
            let command = handing::open(state).map(Handing::command);
            return command.map(|text| Effect::CopyText(text, "the command")).into_iter().collect();
        }
        MytokenAction::HandedQr => {
            if let Some(handing) = handing::open_mut(state) {
                handing.qr_alone = !handing.qr_alone;
            }
        }
        MytokenAction::Withdraw => return withdraw(state, now),
    }
    Vec::new()
}

fn open_on_acting(state: &mut State, sheet: impl FnOnce(&Held) -> Sheet) {
    if let Some(sheet) = state.acting().map(sheet) {
        state.overlays.push(Overlay::Sheet(Box::new(sheet)));
    }
}

/// The credential of the topmost window, else of the selected row.
fn subject(state: &State) -> Option<&Held> {
    match state.overlays.last() {
        Some(Overlay::CopyMenu(id, _) | Overlay::Details(id, _)) => state.held(id),
        _ => state.acting(),
    }
}

fn open_draw_with(state: &mut State) {
    let Some(held) = subject(state) else { return };
    let chief = held.chief();
    let joined = |set: &std::collections::BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(" ");
    let asked =
        chief.map(|access| &access.ask).filter(|ask| !ask.scopes.is_empty()).map(|ask| joined(&ask.scopes));
    let granted = || {
        let words = chief?.granted.as_ref()?.iter().map(|scope| scope.raw().to_owned());
        Some(words.collect::<Vec<_>>().join(" "))
    };
    let scopes = asked.or_else(granted).unwrap_or_default();
    let lines = vec![
        Entry::text(line::SCOPES, &scopes, "words with blanks between; empty: all it gives"),
        Entry::text(line::AUDIENCE, "", "for whom; empty: no one in particular"),
    ];
    let sheet = Sheet::new(Asks::DrawWith(held.id.clone()), lines);
    replace_menu(state, Overlay::Sheet(Box::new(sheet)));
}

fn open_hand_over(state: &mut State) {
    let Some(held) = subject(state) else { return };
    let id = held.id.clone();
    let subtokens = can::hands_subtokens_over(held, state);
    let itself = "the mytoken itself".to_owned();
    let mut lines = Vec::new();
    if subtokens {
        let may = ["AT tokeninfo", "AT"].map(str::to_owned).to_vec();
        let name = format!("{}-handed", held.name);
        lines.extend([
            Entry::choice(
                line::WHAT,
                vec!["a subtoken of it".to_owned(), itself],
                "what the other side gets",
            ),
            Entry::text(line::NAME, &name, "what it is called at its server"),
            Entry::choice(line::MAY, may, "what it may do, at most what this one may"),
            Entry::text(line::LIVES, "1d", "for how long: 12h, 30d; empty: as long as this one"),
            Entry::text(line::USES, "", "how many it may draw; empty: not counted by itself"),
        ]);
    } else {
        lines.push(Entry::choice(
            line::WHAT,
            vec![itself],
            "it may not make subtokens: this one needs create_mytoken",
        ));
    }
    replace_menu(state, Overlay::Sheet(Box::new(Sheet::new(Asks::HandOver(id), lines))));
}

/// Puts something in the place of the menu that it was chosen in, or over the board.
fn replace_menu(state: &mut State, overlay: Overlay) {
    if matches!(state.overlays.last(), Some(Overlay::CopyMenu(..))) {
        state.overlays.pop();
    }
    state.overlays.push(overlay);
}

fn open_redeem(state: &mut State) {
    let is_server = |kind: &SourceKind| matches!(kind, SourceKind::Server(_));
    let here = crate::app::family::server_on_show(state);
    let mut servers: Vec<(SourceId, String)> = state
        .wallet
        .sources
        .iter()
        .filter(|source| is_server(&source.kind))
        .map(|source| (source.id.clone(), source.name.clone()))
        .collect();
    // The one on show stands first.
    servers.sort_by_key(|(id, _)| Some(id) != here.as_ref());
    let (ids, names): (Vec<SourceId>, Vec<String>) = servers.into_iter().unzip();
    let mut lines = Vec::new();
    if crate::app::can::pasted_code(state).is_none() {
        let code = Input::Hidden(crate::app::field::Field::default());
        lines.push(Entry { label: line::CODE, input: code, hint: "the transfer code; it is not shown" });
    }
    lines.push(Entry::choice(line::SERVER, names, "the server that gave the code"));
    lines.push(Entry::text(line::NAME, "", "the name to keep it under; empty: the one it brings"));
    state.overlays.push(Overlay::Sheet(Box::new(Sheet::new(Asks::Redeem(ids), lines))));
}

/// Enter on a sheet.
pub(super) fn accept(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let Some(Overlay::Sheet(sheet)) = state.overlays.last() else { return Vec::new() };
    let sheet = (**sheet).clone();
    match &sheet.asks {
        Asks::Outlast(_) => make_one_that_holds(state, now),
        Asks::Elsewhere(_) => {
            state.overlays.pop();
            Vec::new()
        }
        Asks::DrawWith(id) => draw_with(state, id, &sheet, now),
        Asks::HandOver(id) => hand_over(state, id, &sheet, now),
        Asks::Redeem(servers) => redeem(state, servers, &sheet, now),
    }
}

/// From the answer that it will not hold to one that would.
fn make_one_that_holds(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let found = foretold::that_holds(state)
        .filter(|_| !state.seat.read_only)
        .map(|(held, holds)| (held.source.clone(), holds.draft(held)));
    state.overlays.pop();
    let Some((source, draft)) = found else { return Vec::new() };
    let Some(source) = maker(state, &source) else { return Vec::new() };
    super::create::open_with(state, &source, draft, now)
}

/// The row that makes mytokens: this one, else the server on show.
fn maker(state: &State, source: &SourceId) -> Option<SourceId> {
    let gives = state.source(source).is_some_and(|source| can::gives_mytokens(&source.kind));
    if gives { Some(source.clone()) } else { crate::app::family::server_on_show(state) }
}

/// Makes a mytoken like a draft, through a login at the server of a row.
fn make(state: &mut State, source: &SourceId, draft: Draft) -> Vec<Effect> {
    let Some(source) = maker(state, source) else { return Vec::new() };
    let name = free_name(state, &draft.name);
    let open_browser = state.seat.no_browser.is_none();
    let order = Order { name: Some(name), draft: Some(draft), open_browser, ..Order::at(source) };
    super::log_in::start(state, order)
}

/// A name nobody has here.
fn free_name(state: &State, wish: &str) -> String {
    let is_taken = |name: &str| state.wallet.held.iter().any(|held| held.name == name);
    let base = if wish.is_empty() { "mytoken" } else { wish };
    let numbered = (2..).map(|number| format!("{base}-{number}"));
    std::iter::once(base.to_owned()).chain(numbered).find(|name| !is_taken(name)).unwrap_or_default()
}

fn draw_with(state: &mut State, id: &CredentialId, sheet: &Sheet, now: Timestamp) -> Vec<Effect> {
    let Some(held) = state.held(id) else { return Vec::new() };
    let doing = format!("Drawing from {}", held.name);
    if state.is_busy(&doing) {
        return Vec::new();
    }
    let price = price::of_access_token(held, state);
    if !is_paid(state, Action::Accept, Some(id), price, now) {
        return Vec::new();
    }
    let ask = Ask {
        scopes: sheet.words(line::SCOPES).into_iter().collect(),
        audiences: sheet.words(line::AUDIENCE).into_iter().collect(),
    };
    state.overlays.pop();
    let task = state.begin(doing, now);
    vec![Effect::Mytoken(MytokenAsk::Draw(task, id.clone(), ask))]
}

fn hand_over(state: &mut State, id: &CredentialId, sheet: &Sheet, now: Timestamp) -> Vec<Effect> {
    let Some(held) = state.held(id) else { return Vec::new() };
    let doing = format!("Making a code for {}", held.name);
    if state.is_busy(&doing) {
        return Vec::new();
    }
    let is_itself = !sheet.has(line::NAME) || sheet.choice(line::WHAT) == 1;
    let (how, price) = if is_itself {
        (HandOver::Itself, Some("no copy: both sides hold the same mytoken then".to_owned()))
    } else {
        match subtoken(held, sheet) {
            Ok(draft) => (HandOver::Subtoken(Box::new(draft)), price::of_subtoken(held, state)),
            Err(why) => {
                state.say(Tone::Bad, why, now);
                return Vec::new();
            }
        }
    };
    if !is_paid(state, Action::Accept, Some(id), price, now) {
        return Vec::new();
    }
    let task = state.begin(doing, now);
    if let Some(Overlay::Sheet(sheet)) = state.overlays.last_mut() {
        sheet.task = Some(task);
    }
    vec![Effect::Mytoken(MytokenAsk::HandOver(task, id.clone(), how))]
}

/// The subtoken that a sheet describes.
fn subtoken(held: &Held, sheet: &Sheet) -> Result<Draft, String> {
    let capabilities: &[&str] = if sheet.choice(line::MAY) == 0 { &["AT", "tokeninfo"] } else { &["AT"] };
    let ends = match sheet.value(line::LIVES) {
        "" => None,
        text => {
            let span = span::read(text).ok_or("lives: a span is 12h, 30d or 1d12h")?;
            Some(When::In(span.as_secs().max(0).unsigned_abs()))
        }
    };
    let uses_at = match sheet.value(line::USES) {
        "" => None,
        text => Some(text.parse::<u64>().map_err(|_| "access tokens: it is no number")?),
    };
    let clause = DraftClause { starts: None, ends, rest: Clause { uses_at, ..Clause::default() } };
    let provider = match &held.chain {
        Chain::Mytoken { facts, .. } => facts.provider.raw().to_owned(),
        Chain::Refresh { .. } | Chain::None => String::new(),
    };
    Ok(Draft {
        name: sheet.value(line::NAME).to_owned(),
        provider,
        capabilities: capabilities.iter().copied().map(Capability::new).collect(),
        clauses: if clause.is_open() { Vec::new() } else { vec![clause] },
        ..Draft::default()
    })
}

fn redeem(state: &mut State, servers: &[SourceId], sheet: &Sheet, now: Timestamp) -> Vec<Effect> {
    let Some(server) = servers.get(sheet.choice(line::SERVER)).cloned() else { return Vec::new() };
    let pasted = can::pasted_code(state).filter(|_| !sheet.has(line::CODE));
    let Some(code) = sheet.secret(line::CODE).or(pasted) else { return Vec::new() };
    let name = Some(sheet.value(line::NAME).to_owned()).filter(|name| !name.is_empty());
    if let Some(taken) = name.as_ref().filter(|name| state.wallet.held.iter().any(|held| held.name == **name))
    {
        let text = format!("There is a {} already: choose another name", cleaned(taken));
        state.say(Tone::Bad, text, now);
        return Vec::new();
    }
    state.overlays.pop();
    let task = state.begin("Redeeming a transfer code", now);
    if let Some(pasted) = state.lookup.pasted.as_mut().filter(|pasted| pasted.specimen.value == code) {
        pasted.redeeming = Some(task);
    }
    vec![Effect::Mytoken(MytokenAsk::Redeem(task, server, code, name))]
}

fn withdraw(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let Some(handed) = handing::open(state).map(|handing| handing.handed.clone()) else { return Vec::new() };
    let task = state.begin(format!("Taking the code for {} back", cleaned(&handed.name)), now);
    if let Some(handing) = handing::open_mut(state) {
        handing.withdrawing = Some(task);
    }
    vec![Effect::Mytoken(MytokenAsk::Withdraw(task, handed))]
}

/// First what the successor is to be like; its login goes on from there.
fn follow(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let Some((old, name)) = state.acting().map(|held| (held.id.clone(), held.name.clone())) else {
        return Vec::new();
    };
    let task = state.begin(format!("Preparing the successor of {name}"), now);
    state.succession = Some(Succession { old: old.clone(), task });
    vec![Effect::Mytoken(MytokenAsk::Follow(task, old))]
}

/// Takes an answer in.
pub(super) fn take(state: &mut State, told: MytokenTold, now: Timestamp) -> Vec<Effect> {
    match told {
        MytokenTold::HandedOver(task, result) => handed_over(state, task, result, now),
        MytokenTold::Withdrawn(task, result) => withdrawn(state, task, result, now),
        MytokenTold::Redeemed(task, result) => redeemed(state, task, result, now),
        MytokenTold::Follower(task, result) => return follower(state, task, result, now),
        MytokenTold::Succeeded(task, result) => return succeeded(state, task, result, now),
    }
    Vec::new()
}

fn handed_over(state: &mut State, task: Task, result: Result<Box<Handed>, Failure>, now: Timestamp) {
    state.end(task);
    match result {
        Ok(handed) => {
            super::create::handed(state, task);
            let handing = Handing { handed: *handed, qr_alone: false, withdrawing: None };
            state.overlays.push(Overlay::Handing(Box::new(handing)));
        }
        Err(failure) => outcome::failed(state, failure, now),
    }
}

fn withdrawn(state: &mut State, task: Task, result: Result<String, Failure>, now: Timestamp) {
    state.end(task);
    let is_it =
        |overlay: &Overlay| matches!(overlay, Overlay::Handing(handing) if handing.withdrawing == Some(task));
    match result {
        Ok(said) => {
            state.overlays.retain(|overlay| !is_it(overlay));
            state.say(Tone::Good, said, now);
        }
        Err(failure) => {
            if let Some(handing) = handing::open_mut(state) {
                handing.withdrawing = None;
            }
            outcome::failed(state, failure, now);
        }
    }
}

fn redeemed(state: &mut State, task: Task, result: Result<Box<Report>, Failure>, now: Timestamp) {
    state.end(task);
    match result {
        Ok(report) => {
            if state.lookup.pasted.as_ref().is_some_and(|pasted| pasted.redeeming == Some(task)) {
                super::ask::leave_pasted(state);
            }
            state.tokens.awaited = Some(report.id.clone());
            moving::focus(state, Pane::Tokens);
            // It came of no form: that of another one is not its own.
            state.made = None;
            state.overlays.push(Overlay::Granted(report));
        }
        Err(failure) => outcome::failed(state, failure, now),
    }
}

fn follower(
    state: &mut State,
    task: Task,
    result: Result<Box<Draft>, Failure>,
    now: Timestamp,
) -> Vec<Effect> {
    if !state.end(task) || state.succession.as_ref().is_none_or(|succession| succession.task != task) {
        return Vec::new();
    }
    let old = state.succession.as_ref().map(|succession| succession.old.clone());
    let (Ok(draft), Some(held)) = (&result, old.and_then(|old| state.held(&old))) else {
        state.succession = None;
        if let Err(failure) = result {
            outcome::failed(state, failure, now);
        }
        return Vec::new();
    };
    if !state.overlays.is_empty() {
        state.succession = None;
        state.say(Tone::Plain, "The successor was not begun: something else was opened", now);
        return Vec::new();
    }
    let (source, draft) = (held.source.clone(), (**draft).clone());
    let draft = Draft { name: held.name.clone(), ..draft };
    let effects = make(state, &source, draft);
    let login = state.login().map(|login| login.task);
    match (state.succession.as_mut(), login) {
        (Some(succession), Some(task)) => succession.task = task,
        _ => state.succession = None,
    }
    effects
}

/// A login has ended well: if it made a successor, that is checked and put under the old name.
pub(super) fn after_login(state: &mut State, task: Task, new: &CredentialId, now: Timestamp) -> Vec<Effect> {
    let Some(succession) = state.succession.as_ref().filter(|succession| succession.task == task) else {
        return Vec::new();
    };
    let old = succession.old.clone();
    let Some(name) = state.held(&old).map(|held| held.name.clone()) else {
        state.succession = None;
        return Vec::new();
    };
    let task = state.begin(format!("Checking the successor of {name}"), now);
    state.succession = Some(Succession { old: old.clone(), task });
    vec![Effect::Mytoken(MytokenAsk::Succeed(task, old, new.clone()))]
}

/// A login has ended, and not well: there is no successor, unless it is still asked with which provider it goes on.
pub(super) fn after_failed_login(state: &mut State, task: Task) {
    let is_asked = |overlay: &Overlay| matches!(overlay, Overlay::WhichProvider(which) if which.task == task);
    if !state.overlays.iter().any(is_asked) {
        state.succession.take_if(|succession| succession.task == task);
    }
}

/// A login goes on as another one: so does the succession it is for.
pub(super) fn after_another_login(state: &mut State, before: Task, task: Task) {
    if let Some(succession) = state.succession.as_mut().filter(|succession| succession.task == before) {
        succession.task = task;
    }
}

fn succeeded(
    state: &mut State,
    task: Task,
    result: Result<Followed, Failure>,
    now: Timestamp,
) -> Vec<Effect> {
    state.end(task);
    let Some(succession) = state.succession.take_if(|succession| succession.task == task) else {
        return Vec::new();
    };
    match result {
        Ok(Followed { name, old_name, remarks }) => {
            let text = format!("{name} is the successor now; the old one is {old_name}, and lives on");
            let tone = if remarks.is_empty() { Tone::Good } else { Tone::Warning };
            let text = std::iter::once(text).chain(remarks).collect::<Vec<_>>().join(" · ");
            state.say(tone, text, now);
            end::offer(state, &succession.old, now)
        }
        Err(failure) => {
            outcome::failed(state, failure, now);
            Vec::new()
        }
    }
}
