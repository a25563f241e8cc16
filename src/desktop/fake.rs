//! A desktop that only remembers what was asked of it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::browser::check_address;
use super::{Cleared, Desktop, Environment, Error, Handed, Opened, Place, Route, Sent};
use crate::domain::secret::Secret;

/// A desktop for tests: opens nothing, and has a clipboard of its own.
pub struct FakeDesktop {
    place: Place,
    route: Option<Route>,
    seen: Mutex<Seen>,
}

/// What a [`FakeDesktop`] was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The addresses that were opened.
    pub opened: Vec<String>,
    /// The texts that were copied.
    pub copied: Vec<Secret>,
    /// What a paste would give now.
    pub clipboard: Option<Secret>,
    /// What was handed over, and for how long.
    pub handed: Option<(Secret, Duration)>,
    /// What of ours is still to be cleared.
    ours: Option<Secret>,
}

impl FakeDesktop {
    /// At a desk: a local display, a browser, a clipboard that can be read back.
    #[must_use]
    pub fn at_a_desk() -> Self {
        Self::at(
            &Environment::of(&[("DISPLAY", ":0"), ("TERM", "xterm"), ("USER", "ada")]),
            Some(Route::Desktop),
        )
    }

    /// At the far end of an SSH connection: no browser unless asked, and a clipboard that answers nothing.
    #[must_use]
    pub fn over_ssh() -> Self {
        let variables =
            [("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22"), ("TERM", "xterm"), ("USER", "ada")];
        Self::at(&Environment::of(&variables), Some(Route::Terminal))
    }

    /// Anywhere; without a route nothing can be copied.
    #[must_use]
    pub fn at(environment: &Environment, route: Option<Route>) -> Self {
        Self { place: Place::of(environment), route, seen: Mutex::default() }
    }

    /// What it was asked for so far.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.state().clone()
    }

    /// Somebody else copies something.
    pub fn others_copy(&self, text: &str) {
        self.state().clipboard = Some(Secret::new(text));
    }

    fn state(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desktop for FakeDesktop {
    fn place(&self) -> &Place {
        &self.place
    }

    fn likely_route(&self) -> Option<Route> {
        self.route
    }

    fn open_browser(&self, address: &str) -> Result<Opened, Error> {
        check_address(address).map_err(Error::AddressRefused)?;
        self.state().opened.push(address.to_owned());
        Ok(Opened { with: "a fake browser".into() })
    }

    fn copy(&self, text: &Secret) -> Result<Sent, Error> {
        let route = self.route.ok_or(Error::NoClipboard)?;
        let mut seen = self.state();
        seen.copied.push(text.clone());
        seen.clipboard = Some(text.clone());
        seen.ours = Some(text.clone());
        Ok(Sent { route, certain: route == Route::Desktop })
    }

    fn clear_copied(&self) -> Result<Cleared, Error> {
        let mut seen = self.state();
        let Some(ours) = seen.ours.take() else { return Ok(Cleared::Nothing) };
        if self.route == Some(Route::Terminal) {
            seen.clipboard = None;
            return Ok(Cleared::Asked);
        }
        if seen.clipboard.as_ref() != Some(&ours) {
            return Ok(Cleared::NotOurs);
        }
        seen.clipboard = None;
        Ok(Cleared::Cleared)
    }

    fn hand_over(&self, left: Duration) -> Handed {
        let mut seen = self.state();
        let Some(ours) = seen.ours.take() else { return Handed::Nothing };
        if self.route == Some(Route::Terminal) {
            return Handed::Stays;
        }
        seen.handed = Some((ours, left));
        Handed::Held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fake_clipboard_clears_only_what_is_still_ours() {
        let desktop = FakeDesktop::at_a_desk();
        desktop.copy(&Secret::new("tok-1")).unwrap();
        assert_eq!(desktop.clear_copied().unwrap(), Cleared::Cleared);
        assert_eq!(desktop.clear_copied().unwrap(), Cleared::Nothing);
        desktop.copy(&Secret::new("tok-2")).unwrap();
        desktop.others_copy("a line of a letter");
        assert_eq!(desktop.clear_copied().unwrap(), Cleared::NotOurs);
        assert_eq!(desktop.seen().clipboard, Some(Secret::new("a line of a letter")));
    }

    #[test]
    fn a_fake_desktop_refuses_the_addresses_that_the_real_one_refuses() {
        let desktop = FakeDesktop::at_a_desk();
        assert!(desktop.open_browser("file:///etc/passwd").is_err());
        assert!(desktop.seen().opened.is_empty());
    }
}
