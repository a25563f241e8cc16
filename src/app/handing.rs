//! What the window of a transfer code knows, and what can be copied from it.

use super::effect::Task;
use super::overlay::Overlay;
use super::state::State;
use crate::domain::handed::Handed;
use crate::domain::secret::Secret;

/// The window of a code that waits to be redeemed.
#[derive(Clone, Debug)]
pub struct Handing {
    /// The code and what stands behind it.
    pub handed: Handed,
    /// Whether its QR code is shown alone.
    pub qr_alone: bool,
    /// The taking back that is under way.
    pub withdrawing: Option<Task>,
}

impl Handing {
    /// The command for the other side: the code is typed there, hidden, and is no part of it.
    #[must_use]
    pub fn command(&self) -> String {
        let name = plain(&self.handed.name);
        format!("toktui mytoken redeem {name} --server {}", self.handed.address)
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &Secret {
        &self.handed.code
    }
}

/// What a shell takes for one word without quotes.
fn plain(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let word: String = name.chars().map(|c| if plain(c) { c } else { '-' }).collect();
    if word.is_empty() { "mytoken".to_owned() } else { word }
}

/// The open window, if it is the topmost thing.
#[must_use]
pub fn open(state: &State) -> Option<&Handing> {
    match state.overlays.last() {
        Some(Overlay::Handing(handing)) => Some(handing),
        _ => None,
    }
}

/// The open window, wherever it lies.
pub(super) fn open_mut(state: &mut State) -> Option<&mut Handing> {
    state.overlays.iter_mut().rev().find_map(|overlay| match overlay {
        Overlay::Handing(handing) => Some(&mut **handing),
        _ => None,
    })
}

/// Whether its code can still be redeemed, and so taken back.
pub(super) fn is_waiting(state: &State) -> bool {
    open(state).is_some_and(|handing| handing.handed.ends > state.at && handing.withdrawing.is_none())
}
