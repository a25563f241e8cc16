//! What the board knows and how it changes. No I/O, no clock, no terminal: messages in, effects out.
//!
//! ```text
//!   a key ────► keymap ─► Action ──┐                   ┌──► ui::draw(frame, &state, now)
//!   a task reports ─────► Outcome ─┼─► update(state) ──┤
//!   a moment comes ─────► Tick ────┘                   └──► Effect ─► task ─► Outcome
//! ```

pub mod action;
pub mod active;
pub mod can;
pub mod compare;
pub mod content;
pub mod copy;
pub mod create;
pub mod effect;
pub mod family;
pub mod field;
pub mod foretold;
pub mod geometry;
pub mod handing;
pub mod history;
pub mod key;
pub mod keymap;
pub mod keys;
pub mod login;
pub mod lookup;
pub mod message;
pub mod next_change;
pub mod notice;
pub mod overlay;
pub mod palette;
pub mod portal;
pub mod price;
pub mod providers;
pub mod revoke;
pub mod safe;
#[cfg(test)]
pub(crate) mod sample;
pub mod sheet;
pub mod state;
pub mod tally;
pub mod tokens;
pub mod update;

use state::{Pane, State};

/// The filter of a pane, if one is typed.
fn filter_of(state: &State, pane: Pane) -> Option<&String> {
    match pane {
        Pane::Providers => state.providers.filter.as_ref(),
        Pane::Tokens => state.tokens.filter.as_ref(),
        Pane::History => state.history.filter.as_ref(),
        Pane::Lookup => None,
    }
}
