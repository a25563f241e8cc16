//! `[board]` and `[store]`: how the board looks, what it uses of the desktop, and how the store is guarded.

use std::time::Duration;

use super::fields::{Fields, Placed};
use crate::domain::ending::WARN_BEFORE;
use crate::domain::vault::Guard;

const ZONES: &[(&str, Zone)] = &[("utc", Zone::Utc), ("local", Zone::Local)];

const CLIPBOARDS: &[(&str, Clipboard)] = &[
    ("auto", Clipboard::Auto),
    ("osc52", Clipboard::Osc52),
    ("tmux", Clipboard::Tmux),
    ("off", Clipboard::Off),
];

const GUARDS: &[(&str, Guard)] =
    &[("keyring", Guard::Keyring), ("passphrase", Guard::Passphrase), ("key-file", Guard::KeyFile)];

/// The user's choices, each with its default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// In which zone moments are written: `time`.
    pub time: Zone,
    /// The command that opens an address, with `%s` where the address goes: `browser`. `None`: the desktop's own way.
    pub browser: Option<Vec<String>>,
    /// The way to the clipboard: `clipboard`.
    pub clipboard: Clipboard,
    /// When copied text is taken out of the clipboard again: `clear_after`. `None`: never.
    pub clear_after: Option<Duration>,
    /// How long before its end a login or a mytoken is announced on the board: `warn_before`. `None`: never.
    pub warn_before: Option<Duration>,
    /// Whether nothing is changed, neither at any server nor in the store: `read_only`.
    pub read_only: bool,
    /// `[store] session`: whether the kernel's keyring keeps the store's key for the session. `None`: wherever that is safe, which it is
    /// not for the superuser, whose containers all share one keyring.
    pub session: Option<bool>,
    /// `[store] guard`: what the first question offers first, and what is tried first to open the store. `None`: the desktop's keyring where
    /// one answers.
    pub guard: Option<Guard>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            time: Zone::Utc,
            browser: None,
            clipboard: Clipboard::Auto,
            clear_after: Some(Duration::from_secs(45)),
            warn_before: Some(WARN_BEFORE.unsigned_abs()),
            read_only: false,
            session: None,
            guard: None,
        }
    }
}

/// How moments are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// In UTC.
    Utc,
    /// In the zone of this machine.
    Local,
}

/// The way to the clipboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clipboard {
    /// The desktop's where there is one, else tmux, else the terminal.
    Auto,
    /// The terminal's, by the escape sequence OSC 52.
    Osc52,
    /// tmux's buffer.
    Tmux,
    /// None: nothing is ever copied.
    Off,
}

/// What `[board]` says about the sources: names, yet to be looked up.
#[derive(Debug, Default)]
pub(super) struct Arrangement {
    pub(super) order: Vec<Placed<String>>,
    pub(super) hide: Vec<Placed<String>>,
}

/// Reads `[board]` over what is set already.
pub(super) fn read(fields: Fields<'_>, settings: &mut Settings) -> Arrangement {
    if let Some(zone) = fields.choice("time", ZONES) {
        settings.time = zone;
    }
    if let Some(clipboard) = fields.choice("clipboard", CLIPBOARDS) {
        settings.clipboard = clipboard;
    }
    let expected = "a command and its arguments, [\"firefox\", \"%s\"]";
    if let Some(command) = fields.words("browser", expected) {
        let named = command.first().is_some_and(|program| !program.is_empty());
        if let Some(command) = fields.checked("browser", expected, named.then_some(command)) {
            settings.browser = Some(command);
        }
    }
    if fields.says("clear_after", "never") {
        settings.clear_after = None;
    } else if let Some(seconds) = fields.seconds("clear_after") {
        settings.clear_after = Some(Duration::from_secs(seconds));
    }
    if fields.says("warn_before", "never") {
        settings.warn_before = None;
    } else if let Some(seconds) = fields.seconds("warn_before") {
        settings.warn_before = Some(Duration::from_secs(seconds));
    }
    settings.read_only = fields.flag("read_only").unwrap_or(settings.read_only);
    let names = "a list of names, [\"egi\", \"toar\"]";
    let arrangement = Arrangement {
        order: fields.placed_words("order", names).unwrap_or_default(),
        hide: fields.placed_words("hide", names).unwrap_or_default(),
    };
    fields.finish();
    arrangement
}

/// Reads `[store]` over what is set already.
pub(super) fn read_store(fields: Fields<'_>, settings: &mut Settings) {
    settings.session = fields.flag("session").or(settings.session);
    settings.guard = fields.choice("guard", GUARDS).or(settings.guard);
    fields.finish();
}
