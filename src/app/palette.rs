//! What the palette and the help list: the actions that work now on what lies under them.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher};

use super::action::Action;
use super::keymap::{Live, live_under};
use super::state::State;

/// The lines of the help: everything that works now under it.
#[must_use]
pub fn help(state: &State) -> Vec<Live> {
    live_under(state, state.overlays.len().saturating_sub(1))
}

/// The commands whose name fits what is typed, the best first; if none does, those whose description does. Moving about
/// is no command.
#[must_use]
pub fn matches(state: &State, typed: &str) -> Vec<Live> {
    let commands = help(state).into_iter().filter(|live| !is_moving(live.binding.action));
    let pattern = Pattern::parse(typed.trim(), CaseMatching::Ignore, Normalization::Smart);
    let commands: Vec<Live> = commands.collect();
    if typed.trim().is_empty() {
        return commands;
    }
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut fitting = |text: fn(&Live) -> String| -> Vec<Live> {
        let lines = commands.iter().map(|live| Line(text(live), live.clone()));
        pattern.match_list(lines, &mut matcher).into_iter().map(|(line, _)| line.1).collect()
    };
    let by_name = fitting(|live| live.label.to_owned());
    if by_name.is_empty() { fitting(|live| live.binding.hint.to_owned()) } else { by_name }
}

struct Line(String, Live);

impl AsRef<str> for Line {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

fn is_moving(action: Action) -> bool {
    matches!(
        action,
        Action::Up
            | Action::Down
            | Action::PageUp
            | Action::PageDown
            | Action::First
            | Action::Last
            | Action::NextPane
            | Action::PreviousPane
            | Action::Palette
    )
}
