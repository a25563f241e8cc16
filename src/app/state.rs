//! Everything the board knows.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::action::Action;
use super::create::Create;
use super::effect::{Snapshot, Task};
use super::family::Families;
use super::history::History;
use super::login::Login;
use super::lookup::Lookup;
use super::overlay::Overlay;
use super::providers::Providers;
use super::providers::Row;
use super::tokens::Tokens;
use crate::domain::credential::{CredentialId, Held};
use crate::domain::login::Reached;
use crate::domain::source::{Source, SourceId};

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
#[allow(clippy::struct_excessive_bools, reason = "what is so or not of a place, each on its own")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seat {
    /// What this machine calls itself; empty when it does not say.
    pub host: String,
    /// How one comes here by SSH; `None`: not over SSH.
    pub reached: Option<Reached>,
    /// A browser may be opened without being asked for; else why not.
    pub no_browser: Option<String>,
    /// Why a browser elsewhere may not find its way back to this program, and what to do then.
    pub way_back: Option<&'static str>,
    /// Where copied text goes, in words: `the desktop clipboard`.
    pub clipboard: &'static str,
    /// Whether clipboard histories are asked there to leave copies out: only a desktop's clipboard can be.
    pub keeps_out: bool,
    /// After how many seconds copied secrets are cleared; `None`: not by us.
    pub clear_after: Option<u64>,
    /// How long before its end what gives access tokens is announced; `None`: never.
    pub warn_before: Option<SignedDuration>,
    /// The program is `toktui demo`: its sign-in may be done by one key.
    pub demo: bool,
    /// Nothing is to be changed, neither at a server nor in the store.
    pub read_only: bool,
}

impl Seat {
    /// What a client that is registered from here is called.
    #[must_use]
    pub fn client_name(&self) -> String {
        if self.host.is_empty() { "toktui".to_owned() } else { format!("toktui on {}", self.host) }
    }
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
    /// Lists and trees of mytokens, as they were read in this session.
    pub families: Families,
    /// The mytoken whose successor is being made.
    pub succession: Option<Succession>,
    /// What went to the clipboard last and is still to be cleared.
    pub clipboard: Option<OnClipboard>,
    /// A form that was left: `n` brings it back.
    pub draft: Option<Box<Create>>,
    /// The form that the mytoken on show in the report came of.
    pub made: Option<Box<Create>>,
    /// The row whose token is the first of two to be compared.
    pub marked: Option<CredentialId>,
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
    /// The drawing of an access token that is to be copied, and what it had to say besides once it is done.
    pub copying: Option<(Task, Option<String>)>,
    /// Since when the program is being left: what is under way is awaited, and nothing else is begun.
    pub leaving: Option<Timestamp>,
    /// The opening of the store that is under way.
    pub unlocking: Option<Task>,
    /// When writing what could not be written is tried again.
    pub retry: Option<Timestamp>,
    /// When the last key came.
    pub keyed: Timestamp,
    /// When the first snapshot came.
    pub opened: Option<Timestamp>,
    /// When the last message came: what works now is judged by it. A tick comes whenever that may change.
    pub at: Timestamp,
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
    /// What drawing it had to say besides.
    pub remark: Option<String>,
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

/// A successor that is being made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Succession {
    /// The mytoken that it follows.
    pub old: CredentialId,
    /// The task that makes or checks it.
    pub task: Task,
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
    /// Whether Esc stops waiting for it: for what only reads. What renews or revokes is waited for to its end.
    pub only_reads: bool,
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
            families: Families::default(),
            succession: None,
            clipboard: None,
            draft: None,
            made: None,
            marked: None,
            price: None,
            busy: Vec::new(),
            utc: false,
            zone,
            mouse: false,
            focused: true,
            seat,
            next_task: 1,
            copying: None,
            leaving: None,
            unlocking: None,
            retry: None,
            keyed: Timestamp::UNIX_EPOCH,
            opened: None,
            at: Timestamp::UNIX_EPOCH,
        }
    }

    /// Whether nothing is held: the board then shows what to do first (look/first-run).
    #[must_use]
    pub fn is_first_run(&self) -> bool {
        self.wallet.held.is_empty()
    }

    /// A credential by its id.
    #[must_use]
    pub fn held(&self, id: &CredentialId) -> Option<&Held> {
        // Nearly always the selected one, which need not be looked for.
        let selected = self.in_row(self.tokens.place).filter(|held| held.id == *id);
        selected.or_else(|| self.wallet.held.iter().find(|held| held.id == *id))
    }

    /// The credential in a row of the Tokens pane.
    #[must_use]
    pub fn in_row(&self, place: usize) -> Option<&Held> {
        self.wallet.held.get(*self.tokens.rows.get(place)?)
    }

    /// The selected row of the Tokens pane.
    #[must_use]
    pub fn selected_held(&self) -> Option<&Held> {
        self.held(self.tokens.selected.as_ref()?)
    }

    /// A source by its id.
    #[must_use]
    pub fn source(&self, id: &SourceId) -> Option<&Source> {
        self.wallet.sources.iter().find(|source| source.id == *id)
    }

    /// The selected row of the Providers pane.
    #[must_use]
    pub fn selected_row(&self) -> Option<&Row> {
        self.providers.rows.get(self.providers.selected)
    }

    /// The selected source of the Providers pane.
    #[must_use]
    pub fn selected_source(&self) -> Option<&Source> {
        match self.selected_row()? {
            Row::Source(_, id) => self.source(id),
            Row::More | Row::Add => None,
        }
    }

    /// The credential that the keys of the focused pane act on: the selected row; none while panes 3 and 4
    /// show something pasted and have the focus.
    #[must_use]
    pub fn acting(&self) -> Option<&Held> {
        let on_pasted = self.lookup.pasted.is_some() && matches!(self.focus, Pane::Lookup | Pane::History);
        if on_pasted { None } else { self.selected_held() }
    }

    /// The login panel, if it is open, also under another overlay.
    #[must_use]
    pub fn login(&self) -> Option<&Login> {
        self.overlays.iter().rev().find_map(|overlay| match overlay {
            Overlay::Login(login) => Some(&**login),
            _ => None,
        })
    }

    /// The login panel, to change it.
    pub(crate) fn login_mut(&mut self) -> Option<&mut Login> {
        self.overlays.iter_mut().rev().find_map(|overlay| match overlay {
            Overlay::Login(login) => Some(&mut **login),
            _ => None,
        })
    }

    /// Starts a task: it is under way until its outcome comes.
    pub(crate) fn begin(&mut self, doing: impl Into<String>, now: Timestamp) -> Task {
        let task = self.new_task();
        self.busy.push(Busy { task, doing: doing.into(), since: now, only_reads: false });
        task
    }

    /// The same for a task that changes nothing anywhere.
    pub(crate) fn begin_reading(&mut self, doing: impl Into<String>, now: Timestamp) -> Task {
        let task = self.begin(doing, now);
        if let Some(busy) = self.busy.last_mut() {
            busy.only_reads = true;
        }
        task
    }

    /// Ends a task; whether it was still awaited.
    pub(crate) fn end(&mut self, task: Task) -> bool {
        let before = self.busy.len();
        self.busy.retain(|busy| busy.task != task);
        self.busy.len() < before
    }

    /// Whether this is under way.
    pub(crate) fn is_busy(&self, doing: &str) -> bool {
        self.busy.iter().any(|busy| busy.doing == doing)
    }

    /// A number for a task that starts now.
    pub(crate) fn new_task(&mut self) -> Task {
        let task = Task(self.next_task);
        self.next_task += 1;
        task
    }
}
