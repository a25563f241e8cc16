//! Copying and renewing: what it costs is said first, and only the same key again spends it (design.md §2).

use jiff::{SignedDuration, Timestamp};

use super::action::{Action, MytokenAction};
use super::can;
use super::effect::Effect;
use super::overlay::Overlay;
use super::price;
use super::state::{Price, State};
use crate::domain::credential::{CredentialId, Held};
use crate::domain::form::Form;
use crate::domain::snippet::{Snippet, in_shell};
use crate::domain::time::later;

/// A text that asks toktui for the token when it runs, and holds none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Script {
    /// A line that puts it into the environment of a shell.
    Environment,
    /// A longer one.
    Snippet(Snippet),
}

impl Script {
    /// All of them, in the order of the menu.
    pub const ALL: [Self; 7] = [
        Self::Environment,
        Self::Snippet(Snippet::CurlNewToken),
        Self::Snippet(Snippet::Curl),
        Self::Snippet(Snippet::Python),
        Self::Snippet(Snippet::Toar),
        Self::Snippet(Snippet::Slurm),
        Self::Snippet(Snippet::Rclone),
    ];

    /// What it is, as it stands in the menu.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::Snippet(snippet) => snippet.words(),
        }
    }

    /// What it is in a message: `Copied the curl line`.
    #[must_use]
    pub fn what(self) -> &'static str {
        match self {
            Self::Environment => "the line for the environment",
            Self::Snippet(Snippet::Curl | Snippet::CurlNewToken) => "the curl line",
            Self::Snippet(Snippet::Python) => "the Python script",
            Self::Snippet(Snippet::Toar) => "the Python script for TOAR",
            Self::Snippet(Snippet::Slurm) => "the job script",
            Self::Snippet(Snippet::Rclone) => "the rclone remote",
        }
    }

    /// What it does, in a line.
    #[must_use]
    pub fn says(self) -> &'static str {
        match self {
            Self::Environment => "export ACCESS_TOKEN=\"$(toktui token …)\"",
            Self::Snippet(Snippet::CurlNewToken) => "draws a new one each time, at its price",
            Self::Snippet(Snippet::Curl) => "the header goes through a pipe, not through the line",
            Self::Snippet(Snippet::Python) => "requests, asks toktui before each request",
            Self::Snippet(Snippet::Toar) => "asks the TOAR database, with requests",
            Self::Snippet(Snippet::Slurm) => "a job script whose steps ask toktui on their node",
            Self::Snippet(Snippet::Rclone) => "a remote whose token command is toktui",
        }
    }

    /// The text for a name.
    #[must_use]
    pub fn text(self, name: &str) -> String {
        match self {
            Self::Environment => format!("export ACCESS_TOKEN=\"$(toktui token {})\"", in_shell(name)),
            Self::Snippet(snippet) => snippet.text(name),
        }
    }
}

/// A row of the copy menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MenuRow {
    /// A form of what is held.
    Form(Form),
    /// A script.
    Script(Script),
    /// A subtoken by code: the way to hand it over.
    HandOver,
}

impl MenuRow {
    /// The action that is its own key's.
    #[must_use]
    pub fn action(self) -> Action {
        match self {
            Self::Form(form) => Action::CopyForm(form),
            Self::Script(script) => Action::CopyScript(script),
            Self::HandOver => Action::Mytoken(MytokenAction::HandOver),
        }
    }
}

/// How long a price waits for the same key again.
const PRICE_STANDS: SignedDuration = SignedDuration::from_secs(10);

/// The form behind a key or the selected line of the open menu, if it offers that.
pub(super) fn menu_offers(state: &State, form: Form) -> bool {
    menu_forms(state).contains(&form)
}

/// Whether the open menu offers a script: where an access token can be had at all.
pub(super) fn menu_offers_script(state: &State, script: Script) -> bool {
    menu_rows(state).contains(&MenuRow::Script(script))
}

/// The rows of the open copy menu: short-lived first, then what asks when it runs, then what is long-lived.
#[must_use]
pub fn menu_rows(state: &State) -> Vec<MenuRow> {
    let id = state.overlays.iter().rev().find_map(|overlay| match overlay {
        Overlay::CopyMenu(id, _) => Some(id),
        _ => None,
    });
    let Some(held) = id.and_then(|id| state.held(id)) else { return Vec::new() };
    let (long, short): (Vec<Form>, Vec<Form>) =
        can::forms_of(held, state).into_iter().partition(|form| form.is_long_lived());
    let scripts = Script::ALL.into_iter().filter(|script| offers(held, *script, state)).map(MenuRow::Script);
    let hands_over = (!state.seat.read_only && can::hands_over(held, state)).then_some(MenuRow::HandOver);
    short
        .into_iter()
        .map(MenuRow::Form)
        .chain(scripts)
        .chain(long.into_iter().map(MenuRow::Form))
        .chain(hands_over)
        .collect()
}

fn offers(held: &Held, script: Script, state: &State) -> bool {
    let is_renewed = can::renew(held, state);
    match script {
        Script::Environment | Script::Snippet(Snippet::Curl | Snippet::Python) => can::copy(held, state),
        Script::Snippet(Snippet::CurlNewToken | Snippet::Slurm | Snippet::Rclone) => is_renewed,
        // It is for one service only: offered where the row has to do with that.
        Script::Snippet(Snippet::Toar) => {
            let is_toar = |text: &str| text.to_ascii_lowercase().contains("toar");
            is_renewed && (is_toar(&held.name) || is_toar(held.source.as_str()))
        }
    }
}

/// The forms of the open copy menu.
#[must_use]
pub fn menu_forms(state: &State) -> Vec<Form> {
    let id = state.overlays.iter().rev().find_map(|overlay| match overlay {
        Overlay::CopyMenu(id, _) => Some(id),
        _ => None,
    });
    id.and_then(|id| state.held(id)).map(|held| can::forms_of(held, state)).unwrap_or_default()
}

/// Whether the credential that a login has just brought can be copied from.
pub(super) fn can_copy_granted(state: &State) -> bool {
    granted(state).is_some_and(|held| can::copy(held, state))
}

/// The credential of the report on show.
pub(super) fn granted(state: &State) -> Option<&Held> {
    match state.overlays.last() {
        Some(Overlay::Granted(report)) => state.held(&report.id),
        _ => None,
    }
}

/// Copies a form of a credential: as it is held where that is good, else from a new access token, at its price.
pub(super) fn copy(
    state: &mut State,
    id: &CredentialId,
    form: Form,
    action: Action,
    now: Timestamp,
) -> Vec<Effect> {
    let Some(held) = state.held(id) else { return Vec::new() };
    let needs_access = matches!(form, Form::AccessToken | Form::Header);
    if !needs_access || can::is_fresh(held, state) {
        state.copying = None;
        return vec![Effect::CopyForm(id.clone(), form)];
    }
    if !can::renew(held, state) {
        return Vec::new();
    }
    draw(state, id, false, Some(form), action, now)
}

/// Draws a new access token, at its price.
pub(super) fn draw(
    state: &mut State,
    id: &CredentialId,
    force: bool,
    copy: Option<Form>,
    action: Action,
    now: Timestamp,
) -> Vec<Effect> {
    let Some(held) = state.held(id) else { return Vec::new() };
    let doing = format!("Renewing {}", held.name);
    if state.is_busy(&doing) {
        return Vec::new();
    }
    let price = price::of_access_token(held, state);
    if !is_paid(state, action, Some(id), price, now) {
        return Vec::new();
    }
    let task = state.begin(doing, now);
    state.copying = copy.map(|_| (task, None));
    vec![Effect::Draw { task, id: id.clone(), force, copy }]
}

/// Whether an action may go ahead: it costs nothing, or its price was on show when its key came again. Otherwise
/// the price is put on show.
pub(super) fn is_paid(
    state: &mut State,
    action: Action,
    about: Option<&CredentialId>,
    price: Option<String>,
    now: Timestamp,
) -> bool {
    let seen = state.price.take();
    let Some(text) = price else { return true };
    let agreed = |seen: &Price| {
        seen.action == action && seen.about.as_ref() == about && seen.text == text && now < seen.until
    };
    if seen.as_ref().is_some_and(agreed) {
        return true;
    }
    let until = later(now, PRICE_STANDS);
    state.price = Some(Price { action, about: about.cloned(), text, until });
    false
}
