//! Everything that can reach `update`.

use crossterm::event::{KeyEvent, MouseEvent};

use super::action::Action;
use super::effect::Outcome;
use crate::domain::secret::Secret;

/// Everything that can reach `update`.
#[derive(Clone, Debug)]
pub enum Message {
    /// A key; `update` asks the keymap what it means now.
    Key(KeyEvent),
    /// An action by name: from the palette or the help.
    Action(Action),
    /// Pasted text: never a command (security.md C6).
    Paste(Secret),
    /// A mouse event, if the mouse is caught.
    Mouse(MouseEvent),
    /// The screen has this many columns and rows.
    Resized(u16, u16),
    /// The terminal got or lost the focus.
    Focused(bool),
    /// The clock was set, or the machine has slept: nothing that was counted still holds.
    ClockJumped,
    /// Leaving: what is under way is awaited, and nothing else is begun.
    Leaving,
    /// The world answers.
    Outcome(Outcome),
    /// The moment that `next_change` named has come.
    Tick,
}

impl From<Outcome> for Message {
    fn from(outcome: Outcome) -> Self {
        Self::Outcome(outcome)
    }
}
