//! The one function that changes what the board knows.

mod act;
mod ask;
mod comparing;
mod create;
mod end;
mod family;
mod log_in;
mod moving;
mod mytoken;
mod outcome;
mod portal;
mod reading;
mod safe;
mod settle;
mod typing;

use jiff::Timestamp;

use super::effect::Effect;
use super::keymap;
use super::message::Message;
use super::state::State;

/// Takes a message in and says what is asked of the world. No I/O, no clock: the same message gives the same answer.
#[must_use]
pub fn update(state: &mut State, message: Message, now: Timestamp) -> Vec<Effect> {
    state.at = now;
    let mut effects = settle::due(state, now);
    effects.extend(match message {
        Message::Leaving => {
            state.leaving = Some(now);
            state.overlays.clear();
            Vec::new()
        }
        // Nothing is begun any more; what is under way is awaited, whatever is pressed.
        Message::Key(_) | Message::Action(_) | Message::Paste(_) | Message::Mouse(_)
            if state.leaving.is_some() =>
        {
            Vec::new()
        }
        Message::Key(key) => typing::key(state, &key, now),
        Message::Action(action) if keymap::live(state).iter().any(|live| live.binding.action == action) => {
            act::act(state, action, now)
        }
        Message::Paste(text) => typing::paste(state, &text, now),
        Message::Mouse(event) => moving::mouse(state, event),
        Message::Resized(columns, rows) => {
            state.size = (columns, rows);
            Vec::new()
        }
        Message::Focused(focused) => {
            state.focused = focused;
            if focused { settle::look_again(state) } else { Vec::new() }
        }
        Message::ClockJumped => settle::look_again(state),
        Message::Outcome(outcome) => outcome::take(state, outcome, now),
        Message::Action(_) | Message::Tick => Vec::new(),
    });
    settle::settle(state);
    effects
}

#[cfg(test)]
mod creating;
#[cfg(test)]
mod monkey;
#[cfg(test)]
mod storing;
#[cfg(test)]
mod tests;
