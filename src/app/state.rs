//! Everything the board knows.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::action::Action;
use super::effect::{Snapshot, Task};
use super::history::History;
use super::lookup::Lookup;
use super::overlay::Overlay;
use super::providers::Providers;
use super::tokens::Tokens;
use crate::domain::credential::CredentialId;

/// The four panes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Pane {
    /// 1
    Providers,
    /// 2
    #[default]
    Tokens,
    /// 3
    Lookup,
    /// 4
    History,
}

impl Pane {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Providers, Self::Tokens, Self::Lookup, Self::History];

    /// Its place in [`Pane::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// What is known of the place the user sits at, as far as the board must know it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seat {
    /// Over SSH.
    pub ssh: bool,
    /// A browser may be opened without being asked for; else why not.
    pub no_browser: Option<String>,
    /// This host's name, for the ssh line.
    pub host: String,
    /// Where copied text goes, in words: `the desktop clipboard`.
    pub clipboard: &'static str,
    /// The program is `toktui demo`: its sign-in may be done by one key.
    pub demo: bool,
}

/// Everything the board knows.
#[derive(Clone, Debug)]
pub struct State {
    /// Columns and rows.
    pub size: (u16, u16),
    /// The focused pane.
    pub focus: Pane,
    /// What lies over the panes, the topmost last.
    pub overlays: Vec<Overlay>,
    /// The message line.
    pub notice: Option<Notice>,
    /// What is held, listed and written down.
    pub wallet: Snapshot,
    /// Pane 1.
    pub providers: Providers,
    /// Pane 2.
    pub tokens: Tokens,
    /// Pane 3.
    pub lookup: Lookup,
    /// Pane 4.
    pub history: History,
    /// What went to the clipboard last and is still to be cleared.
    pub clipboard: Option<OnClipboard>,
    /// What costs something and waits for the same key again.
    pub price: Option<Price>,
    /// What is under way, the oldest first.
    pub busy: Vec<Busy>,
    /// Times in UTC instead of local.
    pub utc: bool,
    /// The local time zone.
    pub zone: TimeZone,
    /// Whether the mouse is caught.
    pub mouse: bool,
    /// Whether the terminal has the focus; unknown counts as yes.
    pub focused: bool,
    /// Where the user sits.
    pub seat: Seat,
    /// The number of the next task.
    pub next_task: u64,
}

/// A message on the message line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What it says.
    pub text: String,
    /// Good, plain or bad.
    pub tone: Tone,
    /// Until when it stands; `None`: until the next one.
    pub until: Option<Timestamp>,
}

/// How a notice is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// It worked.
    Good,
    /// To know.
    Plain,
    /// Something to heed.
    Warning,
    /// It did not work.
    Bad,
}

/// What lies on the clipboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnClipboard {
    /// What it is.
    pub what: String,
    /// When the copied token itself ends.
    pub ends: Option<Timestamp>,
    /// Whether it is known to have arrived: else it was *sent*.
    pub certain: bool,
    /// The route, in words.
    pub route: &'static str,
    /// When it is cleared.
    pub until: Timestamp,
}

/// What an action costs, said before it is done; the same key again does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// The action that waits.
    pub action: Action,
    /// What it is about; `None`: the pasted token.
    pub about: Option<CredentialId>,
    /// What it costs, in words.
    pub text: String,
    /// Until when the same key does it.
    pub until: Timestamp,
}

/// Something under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Busy {
    /// Its task.
    pub task: Task,
    /// In words: `Renewing egi`.
    pub doing: String,
    /// Since when.
    pub since: Timestamp,
}

impl State {
    /// A board that knows nothing yet but where it stands.
    #[must_use]
    pub fn new(seat: Seat, size: (u16, u16), zone: TimeZone) -> Self {
        Self {
            size,
            focus: Pane::default(),
            overlays: Vec::new(),
            notice: None,
            wallet: Snapshot::default(),
            providers: Providers::default(),
            tokens: Tokens::default(),
            lookup: Lookup::default(),
            history: History::default(),
            clipboard: None,
            price: None,
            busy: Vec::new(),
            utc: false,
            zone,
            mouse: false,
            focused: true,
            seat,
            next_task: 1,
        }
    }

    /// Whether nothing is held: the board then shows what to do first (look/first-run).
    #[must_use]
    pub fn is_first_run(&self) -> bool {
        self.wallet.held.is_empty()
    }
}
