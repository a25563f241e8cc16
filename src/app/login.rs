//! What the login panel knows, where a login would go, and what of the panel can be copied.

use super::can::gives_mytokens;
use super::effect::Task;
use super::field::Field;
use super::state::{Pane, Seat, State};
use crate::domain::credential::Chain;
use crate::domain::login::{Choice, Order, View};
use crate::domain::source::{PublicClient, Source, SourceKind};

/// The login panel: every route at once.
#[derive(Clone, Debug)]
pub struct Login {
    /// The running login.
    pub task: Task,
    /// What it is for.
    pub order: Order,
    /// Whether a manager mytoken is to come of it, which lasts as long as the board.
    pub manages: bool,
    /// What it shows; `None` until the provider has answered.
    pub view: Option<Box<View>>,
    /// What the browser route has come to: not opened, opened with …, or why not.
    pub opened: Opened,
    /// The paste-back field.
    pub field: Field,
    /// Whether typed letters go there; pasted text goes there from anywhere.
    pub typing: bool,
    /// Whether the QR code is shown alone.
    pub qr_alone: bool,
}

/// What has become of the browser.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Opened {
    /// It waits to be asked for; why.
    #[default]
    NotAsked,
    /// It is being opened.
    Opening,
    /// Opened, with what.
    With(String),
    /// It could not be opened.
    Failed(String),
}

/// The question which provider of a mytoken server to log in with.
#[derive(Clone, Debug)]
pub struct WhichProvider {
    /// The login that found out that there are several: it goes on as another.
    pub task: Task,
    /// What the login is for.
    pub order: Order,
    /// Whether it is for a manager mytoken.
    pub manages: bool,
    /// The server's offers.
    pub choices: Vec<Choice>,
    /// The selected one.
    pub selected: usize,
}

/// The question which client to be.
#[derive(Clone, Debug)]
pub struct WhichClient {
    /// What the login is for.
    pub order: Order,
    /// The client id being typed.
    pub field: Field,
    /// 0: the field; then, where there is one, the line that registers a client; then the public ids of the source.
    pub selected: usize,
    /// Whether the provider may give a client of one's own to whoever asks.
    pub registers: bool,
    /// The public ids of the source, each with what choosing it means.
    pub public: Vec<PublicClient>,
}

/// An answer to the question which client to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chosen<'w> {
    /// The typed id.
    Typed(&'w str),
    /// One that is registered now.
    Registered,
    /// Another program's.
    Public(&'w PublicClient),
}

impl WhichClient {
    /// How many lines can be chosen.
    #[must_use]
    pub fn lines(&self) -> usize {
        1 + usize::from(self.registers) + self.public.len()
    }

    /// The chosen answer.
    #[must_use]
    pub fn chosen(&self) -> Chosen<'_> {
        let before = 1 + usize::from(self.registers);
        match self.selected.checked_sub(before).and_then(|at| self.public.get(at)) {
            Some(client) => Chosen::Public(client),
            None if self.registers && self.selected == 1 => Chosen::Registered,
            None => Chosen::Typed(self.field.value().trim()),
        }
    }
}

impl Login {
    /// The address to open in a browser: of the most convenient route.
    #[must_use]
    pub fn address(&self) -> Option<String> {
        let view = self.view.as_ref()?;
        let page = |route: &crate::domain::login::Polled| {
            route.complete.as_ref().unwrap_or(&route.address).raw().to_owned()
        };
        let browser = view.browser.as_ref().map(|browser| browser.address.clone());
        browser.or_else(|| view.consent.as_ref().map(page)).or_else(|| view.device.as_ref().map(page))
    }

    /// The code to type on another device.
    #[must_use]
    pub fn code(&self) -> Option<String> {
        let view = self.view.as_ref()?;
        let route = view.device.as_ref().or(view.consent.as_ref())?;
        route.code.as_ref().map(crate::domain::untrusted::Untrusted::shown)
    }

    /// What a QR code would hold: an address that needs nothing of this machine.
    #[must_use]
    pub fn qr(&self) -> Option<String> {
        let view = self.view.as_ref()?;
        let route = view.device.as_ref().or(view.consent.as_ref())?;
        Some(route.complete.as_ref().unwrap_or(&route.address).raw().to_owned())
    }

    /// The line to type on the laptop from which one came here by SSH.
    #[must_use]
    pub fn ssh_line(&self, seat: &Seat) -> Option<String> {
        self.view.as_ref()?.browser.as_ref()?.ssh_line(seat.reached.as_ref()?)
    }

    /// Whether the address that the browser ended on may be pasted back.
    #[must_use]
    pub fn takes_paste(&self) -> bool {
        self.view.as_ref().is_some_and(|view| view.paste)
    }
}

/// Where `l` logs in: the selected source; on the other panes the source of the selected row, under its name.
#[must_use]
pub fn target(state: &State) -> Option<(&Source, Option<String>)> {
    if state.focus != Pane::Providers
        && let Some(held) = state.acting()
    {
        return state.source(&held.source).map(|source| (source, Some(held.name.clone())));
    }
    state.selected_source().map(|source| (source, None))
}

/// The first profile of a server, where it has one; else itself.
fn first_profile<'a>(state: &'a State, source: &'a Source) -> &'a Source {
    let is_of_it = |profile: &&Source| matches!(&profile.kind, SourceKind::Profile(profile) if profile.server == source.id);
    state.wallet.sources.iter().find(is_of_it).unwrap_or(source)
}

/// Where `n` makes a mytoken: at the selected profile or server, else at the first one.
#[must_use]
pub fn mytoken_target(state: &State) -> Option<&Source> {
    let gives = |source: &&Source| gives_mytokens(&source.kind);
    let selected = match state.focus {
        Pane::Providers => state.selected_source(),
        Pane::Tokens | Pane::Lookup | Pane::History => state
            .acting()
            .filter(|held| matches!(held.chain, Chain::Mytoken { .. }))
            .and_then(|held| state.source(&held.source))
            .map(|source| first_profile(state, source)),
    };
    selected.filter(gives).or_else(|| {
        let profile = |source: &&Source| matches!(source.kind, SourceKind::Profile(_));
        let sources = &state.wallet.sources;
        sources.iter().find(profile).or_else(|| sources.iter().find(gives))
    })
}
