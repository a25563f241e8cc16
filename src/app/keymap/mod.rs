//! Which key asks for what, where, when, and in which words: dispatch, footer, help, palette and README read this list.

use crossterm::event::{KeyEvent, KeyEventKind};
use unicode_width::UnicodeWidthStr;

use super::action::Action;
use super::can;
use super::create::Over;
use super::key::Key;
use super::keys::KEYMAP;
use super::overlay::Overlay;
use super::providers::Row;
use super::state::{Pane, State};

/// Where a binding works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layer {
    /// On the Providers pane.
    Providers,
    /// On the Tokens pane.
    Tokens,
    /// On the Mytoken pane.
    Lookup,
    /// On the History pane.
    History,
    /// On every pane.
    Board,
    /// In the help.
    Help,
    /// In the palette.
    Palette,
    /// In the menu of forms.
    CopyMenu,
    /// In the details of a credential and the content of a token.
    Reading,
    /// In the login panel.
    Login,
    /// In the question which provider, which client.
    Which,
    /// In the create form.
    Create,
    /// In the list of a provider's scopes.
    Scopes,
    /// In the report of a login, and in that of a failure.
    Report,
    /// Where a line is typed: a token, a name, an issuer.
    Line,
    /// In the question whether a server may be asked.
    MayAsk,
    /// In the revoke dialogue.
    Revoke,
    /// In the window of all mytokens at a server.
    Family,
    /// In a sheet with several lines to fill in.
    Sheet,
    /// In the window of a transfer code.
    Handing,
    /// In the question what shall guard the store.
    Guarding,
    /// In the question what opens the store.
    Unlock,
    /// In the question about quitting.
    QuitLoses,
    /// While a filter is typed.
    Filter,
    /// In every list over the board.
    List,
    /// In everything over the board.
    Over,
    /// Always.
    Always,
}

impl Layer {
    /// Every layer, in the order of README's table.
    pub const ALL: [Self; 27] = [
        Self::Board,
        Self::Providers,
        Self::Tokens,
        Self::Lookup,
        Self::History,
        Self::CopyMenu,
        Self::Login,
        Self::Which,
        Self::Create,
        Self::Scopes,
        Self::Report,
        Self::Reading,
        Self::Line,
        Self::MayAsk,
        Self::Revoke,
        Self::Family,
        Self::Sheet,
        Self::Handing,
        Self::Guarding,
        Self::Unlock,
        Self::QuitLoses,
        Self::Filter,
        Self::Help,
        Self::Palette,
        Self::List,
        Self::Over,
        Self::Always,
    ];

    /// Where that is, in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Providers => "Providers",
            Self::Tokens => "Tokens",
            Self::Lookup => "Mytoken",
            Self::History => "History",
            Self::Board => "the board",
            Self::Help => "help",
            Self::Palette => "commands",
            Self::CopyMenu => "copy menu",
            Self::Reading => "details",
            Self::Login => "login",
            Self::Which => "a choice",
            Self::Create => "create",
            Self::Scopes => "scopes",
            Self::Report => "a report",
            Self::Line => "a typed line",
            Self::MayAsk => "may it be asked?",
            Self::Revoke => "revoke",
            Self::Family => "all mytokens",
            Self::Sheet => "a sheet",
            Self::Handing => "a transfer code",
            Self::Guarding => "where to keep?",
            Self::Unlock => "unlock",
            Self::QuitLoses => "quit?",
            Self::Filter => "filter",
            Self::List => "any list",
            Self::Over => "any window",
            Self::Always => "everywhere",
        }
    }

    fn of_pane(pane: Pane) -> Self {
        match pane {
            Pane::Providers => Self::Providers,
            Pane::Tokens => Self::Tokens,
            Pane::Lookup => Self::Lookup,
            Pane::History => Self::History,
        }
    }

    fn of_overlay(overlay: &Overlay) -> Self {
        match overlay {
            Overlay::Help(_) => Self::Help,
            Overlay::Palette(_) => Self::Palette,
            Overlay::CopyMenu(..) => Self::CopyMenu,
            Overlay::Details(..)
            | Overlay::Content(_)
            | Overlay::Member(..)
            | Overlay::Event(..)
            | Overlay::Userinfo(..)
            | Overlay::Introspected(..)
            | Overlay::Announced(..)
            | Overlay::Active(..)
            | Overlay::Compared(..) => Self::Reading,
            Overlay::Login(_) => Self::Login,
            Overlay::WhichProvider(_) | Overlay::WhichClient(_) | Overlay::Registered(..) => Self::Which,
            Overlay::Create(form) => match form.over {
                Over::Nothing => Self::Create,
                Over::Scopes(_) => Self::Scopes,
                Over::ProfileName(_) => Self::Line,
            },
            Overlay::Granted(_) | Overlay::Failed(_) => Self::Report,
            Overlay::Paste(_) | Overlay::KeepAs(..) | Overlay::AddProvider(_) | Overlay::Rename(..) => {
                Self::Line
            }
            Overlay::MayAsk(..) => Self::MayAsk,
            Overlay::Revoke(_) => Self::Revoke,
            Overlay::Family(_) => Self::Family,
            Overlay::Sheet(_) => Self::Sheet,
            Overlay::Handing(_) => Self::Handing,
            Overlay::Guarding(_) => Self::Guarding,
            Overlay::Unlock(_) => Self::Unlock,
            Overlay::QuitLoses(_) => Self::QuitLoses,
            Overlay::Filter(_) => Self::Filter,
        }
    }
}

/// One line of the keymap.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Where it works.
    pub layer: Layer,
    /// Its keys; the first one is the one that is printed where only one fits. None: it is run by its name.
    pub keys: &'static [Key],
    /// What it asks for.
    pub action: Action,
    /// A verb, in at most three words: for the footer.
    pub label: &'static str,
    /// What it does, in a line: for help and README.
    pub hint: &'static str,
    /// When it works.
    pub when: fn(&State) -> bool,
    /// How much it is worth in the footer: 1 before 2; 0 is left out.
    pub footer: u8,
    /// Its label where that depends on what is selected.
    pub says: Option<fn(&State) -> &'static str>,
}

impl Binding {
    /// A binding that always works in its layer.
    #[must_use]
    pub const fn new(
        layer: Layer,
        keys: &'static [Key],
        action: Action,
        label: &'static str,
        hint: &'static str,
    ) -> Self {
        Self { layer, keys, action, label, hint, when: |_| true, footer: 0, says: None }
    }

    /// The same, working only when `when` says so.
    #[must_use]
    pub const fn when(self, when: fn(&State) -> bool) -> Self {
        Self { when, ..self }
    }

    /// Whether it works now: nothing that changes anything does on a read-only board.
    fn works(&self, state: &State) -> bool {
        !(state.seat.read_only && self.action.changes()) && (self.when)(state)
    }

    /// The same, shown in the footer in this order of worth.
    #[must_use]
    pub const fn footer(self, worth: u8) -> Self {
        Self { footer: worth, ..self }
    }

    /// The same with a label that depends on what is selected.
    #[must_use]
    pub const fn says(self, says: fn(&State) -> &'static str) -> Self {
        Self { says: Some(says), ..self }
    }
}

/// A binding that works now, with the keys that no binding above it has taken.
#[derive(Clone, Debug)]
pub struct Live {
    /// The line of the keymap.
    pub binding: &'static Binding,
    /// Its keys as they work now; empty for what is run by its name.
    pub keys: Vec<Key>,
    /// Its label as it reads now.
    pub label: &'static str,
}

impl Live {
    /// The key to print where only one fits.
    #[must_use]
    pub fn key(&self) -> String {
        self.keys.first().map(Key::to_string).unwrap_or_default()
    }

    /// All its keys, as they are printed in help.
    #[must_use]
    pub fn all_keys(&self) -> String {
        printed(&self.keys)
    }
}

fn printed(keys: &[Key]) -> String {
    keys.iter().map(Key::to_string).collect::<Vec<_>>().join(" ")
}

/// The bindings that work now, the topmost layer first.
#[must_use]
pub fn live(state: &State) -> Vec<Live> {
    live_under(state, state.overlays.len())
}

/// The bindings that would work if only the lowest `depth` overlays were there: what the help lists and the palette runs.
#[must_use]
pub fn live_under(state: &State, depth: usize) -> Vec<Live> {
    if state.leaving.is_some() {
        // Nothing is begun any more.
        return Vec::new();
    }
    let top = depth.checked_sub(1).and_then(|top| state.overlays.get(top));
    let is_typing = top.is_some_and(Overlay::is_typing);
    let mut taken: Vec<Key> = Vec::new();
    let mut found = Vec::new();
    for layer in layers(top, state.focus) {
        for binding in KEYMAP.iter().filter(|binding| binding.layer == layer && binding.works(state)) {
            let is_taken = |key: &Key| taken.contains(key) || (is_typing && key.is_for_typing());
            let keys: Vec<Key> = binding.keys.iter().copied().filter(|key| !is_taken(key)).collect();
            if keys.is_empty() && !binding.keys.is_empty() {
                continue;
            }
            taken.extend(&keys);
            let label = binding.says.map_or(binding.label, |says| says(state));
            found.push(Live { binding, keys, label });
        }
    }
    found
}

fn layers(top: Option<&Overlay>, focus: Pane) -> Vec<Layer> {
    let Some(overlay) = top else { return vec![Layer::of_pane(focus), Layer::Board, Layer::Always] };
    let mut layers = vec![Layer::of_overlay(overlay)];
    if overlay.is_list() {
        layers.push(Layer::List);
    }
    layers.extend([Layer::Over, Layer::Always]);
    layers
}

/// What a key asks for now.
#[must_use]
pub fn action(state: &State, event: &KeyEvent) -> Option<Action> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    live(state)
        .into_iter()
        .find(|live| live.keys.iter().any(|key| key.is(event)))
        .map(|live| live.binding.action)
}

/// The key that asks for an action now, as it is printed.
#[must_use]
pub fn key_for(state: &State, action: Action) -> Option<String> {
    let of_it = |live: &Live| live.binding.action == action && !live.keys.is_empty();
    live(state).into_iter().find(of_it).map(|live| live.key())
}

/// What a key of the board would do if it worked now; only where nothing lies over the board.
#[must_use]
pub fn dormant(state: &State, event: &KeyEvent) -> Option<&'static Binding> {
    let is_board = |layer: Layer| layers(None, state.focus).contains(&layer);
    KEYMAP
        .iter()
        .filter(|binding| state.overlays.is_empty() && is_board(binding.layer) && !binding.works(state))
        .find(|binding| binding.keys.iter().any(|key| key.is(event)))
}

/// The footer: the bindings marked for it that work now, as many as fit into `columns` in the order of their worth,
/// shown in the order of the table.
#[must_use]
pub fn footer(state: &State, columns: usize) -> Vec<Live> {
    let candidates: Vec<Live> = live(state).into_iter().filter(|live| live.binding.footer > 0).collect();
    let mut by_worth: Vec<usize> = (0..candidates.len()).collect();
    by_worth.sort_by_key(|at| candidates.get(*at).map(|live| live.binding.footer));
    let mut room = columns;
    let mut fits = vec![false; candidates.len()];
    for at in by_worth {
        let Some(live) = candidates.get(at) else { continue };
        // One column of air before the first, three between two.
        let used = if room == columns { 1 } else { 3 } + live.key().width() + 1 + live.label.width();
        if used > room {
            break;
        }
        room -= used;
        if let Some(fits) = fits.get_mut(at) {
            *fits = true;
        }
    }
    candidates.into_iter().zip(fits).filter(|(_, fits)| *fits).map(|(live, _)| live).collect()
}

/// README's key table.
#[must_use]
pub fn markdown() -> String {
    let mut table = String::from("| Where | Keys | |\n| --- | --- | --- |\n");
    for layer in Layer::ALL {
        let mut place = layer.words();
        for binding in KEYMAP.iter().filter(|binding| binding.layer == layer) {
            let keys: Vec<String> = binding.keys.iter().map(|key| format!("`{key}`")).collect();
            let named = format!("`:` {}", binding.label);
            let keys = if keys.is_empty() { named } else { keys.join(" ") };
            let row = ["| ", place, " | ", &keys, " | ", binding.hint, " |\n"];
            table.extend(row);
            place = "";
        }
    }
    table
}

pub(super) fn open_says(state: &State) -> &'static str {
    match state.selected_row() {
        Some(Row::Source(..))
            if state.selected_source().is_some_and(|source| can::gives_mytokens(&source.kind)) =>
        {
            "make a mytoken"
        }
        Some(Row::Source(..)) | None => "log in",
        Some(Row::More) => "show more",
        Some(Row::Add) => "add a provider",
    }
}

#[cfg(test)]
mod tests;
