//! The user's desktop: terminal, input, clock, browser, clipboard. The only room that touches them.

pub mod browser;
mod child;
pub mod clipboard;
pub mod clock;
pub mod editor;
pub mod fake;
pub mod glyphs;
pub mod holder;
pub mod input;
pub mod jumps;
pub mod keys;
pub mod output;
pub mod panic;
pub mod place;
pub mod process;
mod selection;
mod sequences;
pub mod signals;
pub mod slurm;
pub mod terminal;
mod tmux;
pub mod tty;

use std::io;
use std::time::Duration;

pub use browser::{Opened, RefusedAddress};
pub use clipboard::{Choice, Cleared, Route, Sent};
pub use clock::SystemClock;
pub use holder::{Handed, HolderCommand};
pub use place::{Container, Display, Environment, Facts, Place, WhyAsk};

use clipboard::Clipboard;
use output::Output;

use crate::domain::secret::Secret;
use crate::domain::untrusted::Untrusted;

/// What the program asks of the user's desktop.
///
/// Each call may take a moment, two seconds per route at the most: never call one from the loop itself.
pub trait Desktop: Send + Sync {
    /// Where we sit.
    fn place(&self) -> &Place;

    /// The way that copied text will probably go from here; `None` when there is none.
    fn likely_route(&self) -> Option<Route>;

    /// Why a browser is not opened unasked at this moment: [`Place::ask_before_browser`], or a tmux that was started at a desk and is attached
    /// from afar now.
    fn not_unasked(&self) -> Option<&'static str> {
        self.place().ask_before_browser.map(WhyAsk::words)
    }

    /// Opens `address` in the user's browser. Whether to do so unasked is the caller's question to [`Desktop::not_unasked`].
    ///
    /// # Errors
    ///
    /// When the address must not be opened, or no browser could be started.
    fn open_browser(&self, address: &str) -> Result<Opened, Error>;

    /// Copies `text`, and remembers it as ours.
    ///
    /// # Errors
    ///
    /// When there is no clipboard here, or none took it.
    fn copy(&self, text: &Secret) -> Result<Sent, Error>;

    /// Clears what was copied last, if the clipboard still holds it. What somebody else copied since stays.
    ///
    /// # Errors
    ///
    /// When the clipboard does not answer.
    fn clear_copied(&self) -> Result<Cleared, Error>;

    /// Before the program ends: leaves what was copied to a holder, which clears it in `left`.
    fn hand_over(&self, left: Duration) -> Handed;
}

/// How long tmux is waited for when it is asked where it is shown.
const ASKING_TMUX: Duration = Duration::from_millis(500);

/// The desktop of this process.
pub struct RealDesktop {
    environment: Environment,
    place: Place,
    browser: Option<Vec<String>>,
    holder: HolderCommand,
    clipboard: Clipboard,
}

impl RealDesktop {
    /// The desktop that `environment` describes. `browser` is the command of the user's config, if any; `screen` is
    /// the board's own way to the terminal, if a board is drawn.
    #[must_use]
    pub fn new(environment: Environment, browser: Option<Vec<String>>, screen: Option<Output>) -> Self {
        let mut place = Place::of(&environment);
        // Whoever names a command knows where its window opens.
        if browser.is_some() && place.ask_before_browser.is_some_and(WhyAsk::is_blind) {
            place.ask_before_browser = None;
        }
        let holder = HolderCommand { program: environment.facts.executable.clone(), before: Vec::new() };
        Self { environment, place, browser, holder, clipboard: Clipboard::new(screen) }
    }

    /// The same, with the user's word on which way copied text may go.
    #[must_use]
    pub fn copying(mut self, choice: Choice) -> Self {
        self.clipboard = self.clipboard.choosing(choice);
        self
    }

    /// The same with another program as holder.
    #[must_use]
    pub fn with_holder(mut self, holder: HolderCommand) -> Self {
        self.holder = holder;
        self
    }
}

impl Desktop for RealDesktop {
    fn place(&self) -> &Place {
        &self.place
    }

    fn likely_route(&self) -> Option<Route> {
        self.clipboard.likely(&self.place, &self.environment)
    }

    fn not_unasked(&self) -> Option<&'static str> {
        let why = self.place.ask_before_browser.map(WhyAsk::words);
        let is_shown_afar = || self.place.tmux && tmux::is_shown_over_ssh(&self.environment, ASKING_TMUX);
        why.or_else(|| {
            is_shown_afar().then_some("this tmux is shown over SSH: it would open on the wrong machine")
        })
    }

    fn open_browser(&self, address: &str) -> Result<Opened, Error> {
        browser::open(address, self.browser.as_deref(), &self.environment)
    }

    fn copy(&self, text: &Secret) -> Result<Sent, Error> {
        self.clipboard.copy(text, &self.place, &self.environment)
    }

    fn clear_copied(&self) -> Result<Cleared, Error> {
        self.clipboard.clear(&self.environment)
    }

    fn hand_over(&self, left: Duration) -> Handed {
        self.clipboard.hand_over(&self.holder, left, &self.environment)
    }
}

/// What the desktop refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The board was asked for where there is no terminal.
    #[error(
        "the board needs a terminal, and {what} is none. Plain commands need no screen: see `toktui --help`"
    )]
    NotATerminal {
        /// `standard input` or `standard output`.
        what: &'static str,
    },
    /// The terminal says that it cannot move its cursor.
    #[error(
        "the board needs a terminal that can move its cursor, and TERM is {}. Plain commands need no screen: see \
         `toktui --help`", shown_or(.term, "not set")
    )]
    Dumb {
        /// The value of `TERM`, empty when it is not set.
        term: Untrusted,
    },
    /// The terminal or the system failed at something.
    #[error("{doing} failed")]
    Terminal {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// An address that is never opened.
    #[error("this address is not opened: {0}")]
    AddressRefused(#[source] RefusedAddress),
    /// There is nothing here to open an address with.
    #[error("there is no display here to open a browser on, and neither `$BROWSER` nor the config names one")]
    NoBrowser,
    /// Every browser failed.
    #[error("no browser could be started (tried: {})", .tried.shown())]
    BrowserFailed {
        /// Their names.
        tried: Untrusted,
    },
    /// There is no clipboard that can be reached from here.
    #[error("no clipboard can be reached from here: no local display, no tmux, and this terminal has none")]
    NoClipboard,
    /// The text does not fit into what terminals take.
    #[error("{bytes} bytes are too long for the terminal's clipboard, which takes {most}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The most that fits.
        most: usize,
    },
    /// A clipboard said no.
    #[error("copying by the {} failed: {}", .route.word(), .why.shown())]
    Clipboard {
        /// Which one.
        route: Route,
        /// Its words.
        why: Untrusted,
    },
    /// The holder of copied text could not do its work.
    #[error("the clipboard's holder stopped: {0}")]
    Holder(&'static str),
}

impl Error {
    /// For `map_err`: the system failed while `doing`.
    fn terminal(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Terminal { doing, source }
    }
}

fn shown_or(text: &Untrusted, otherwise: &str) -> String {
    if text.is_empty() { otherwise.to_owned() } else { text.shown() }
}
