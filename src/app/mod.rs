//! What the board knows and how it changes. No I/O, no clock, no terminal: messages in, effects out.
//!
//! ```text
//!   a key ────► keymap ─► Action ──┐                   ┌──► ui::draw(frame, &state, now)
//!   a task reports ─────► Outcome ─┼─► update(state) ──┤
//!   a moment comes ─────► Tick ────┘                   └──► Effect ─► task ─► Outcome
//! ```

pub mod action;
pub mod effect;
pub mod field;
pub mod geometry;
pub mod history;
pub mod login;
pub mod lookup;
pub mod message;
pub mod overlay;
pub mod providers;
pub mod state;
pub mod tokens;
