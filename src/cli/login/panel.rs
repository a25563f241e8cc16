//! The routes of a login as lines on standard error, each once, when it is known.

use jiff::Timestamp;

use super::qr;
use crate::desktop::glyphs::{Glyphs, Look};
use crate::desktop::{Environment, Place, terminal};
use crate::domain::login::{Polled, View};
use crate::domain::time::countdown;
use crate::domain::untrusted::Untrusted;

/// What has been told so far.
pub(super) struct Panel {
    /// Somebody sits there who could paste.
    may_ask: bool,
    /// Standard error is a terminal, which can show a QR code.
    draws: bool,
    shown: bool,
    under_way: Option<String>,
    remarks: Vec<String>,
    refused: Option<String>,
    trouble: Option<String>,
}

impl Panel {
    pub(super) fn new(may_ask: bool, draws: bool) -> Self {
        Self {
            may_ask,
            draws,
            shown: false,
            under_way: None,
            remarks: Vec::new(),
            refused: None,
            trouble: None,
        }
    }

    /// Says what is new.
    pub(super) fn show(&mut self, view: &View, environment: &Environment, now: Timestamp) {
        if view.under_way != self.under_way {
            self.under_way.clone_from(&view.under_way);
            if let Some(by) = &view.under_way {
                say(&format!("The same login at {} is under way already: {by}.", view.at));
                say(
                    "Waiting: what comes of it is the answer here, too. Ctrl-C leaves the waiting, and that login as it is.",
                );
            }
        }
        let routes = view.device.is_some() || view.consent.is_some() || view.browser.is_some();
        if routes && !self.shown {
            self.shown = true;
            self.routes(view, environment, now);
        }
        for remark in &view.remarks {
            if !self.remarks.contains(remark) {
                say(remark);
                self.remarks.push(remark.clone());
            }
        }
        if view.paste_refused != self.refused {
            self.refused.clone_from(&view.paste_refused);
            if let Some(why) = &view.paste_refused {
                say(&format!("That was not it: {why}"));
            }
        }
        let trouble =
            view.device.as_ref().or(view.consent.as_ref()).and_then(|polled| polled.trouble.clone());
        if trouble != self.trouble {
            if let Some(trouble) = &trouble {
                say(trouble);
            }
            self.trouble = trouble;
        }
    }

    fn routes(&self, view: &View, environment: &Environment, now: Timestamp) {
        say(&format!("Logging in at {}; asking for: {}", view.at, view.asking.join(" ")));
        if let Some(device) = &view.device {
            self.elsewhere("On any device, open", device, environment);
        }
        if let Some(consent) = &view.consent {
            self.elsewhere("On the server's consent page, agree:", consent, environment);
        }
        if let Some(browser) = &view.browser {
            say("In this machine's browser, open");
            say(&format!("  {}", browser.address));
            let place = Place::of(environment);
            if let Some(words) = place.way_back(view.paste && self.may_ask) {
                say(&format!("  ({words})"));
            }
            if let Some((reached, line)) =
                place.reached.as_ref().and_then(|reached| Some((reached, browser.ssh_line(reached)?)))
            {
                let unsure = reached.unsure();
                say(&format!(
                    "From your laptop through SSH ({unsure}), type there, then open the same address there:"
                ));
                say(&format!("  {line}"));
            }
        }
        if view.paste && self.may_ask {
            say("Or paste here the address that the browser ended on.");
        }
        if let Some(ends) = view.ends {
            say(&format!(
                "Waiting, for {} at the most. Ctrl-C cancels; nothing is lost.",
                countdown(ends.duration_since(now))
            ));
        }
    }

    fn elsewhere(&self, words: &str, polled: &Polled, environment: &Environment) {
        say(words);
        say(&format!("  {}", target(polled).shown()));
        if let Some(code) = &polled.code {
            if polled.complete.is_some() {
                say(&format!("  or {}", polled.address.shown()));
            }
            say(&format!("  and type the code  {}", code.shown()));
        }
        let (columns, _) = terminal::size();
        let unicode = Look::of(environment).glyphs == Glyphs::Unicode;
        if !self.draws || !unicode {
            return;
        }
        match qr::lines(target(polled), usize::from(columns)) {
            Some(lines) => qr::show(&lines),
            None if qr::lines(target(polled), usize::MAX).is_some() => {
                say("  (this terminal is too narrow for its QR code)");
            }
            None => {}
        }
    }
}

/// What a phone would open: the page with the code in it, if there is one.
fn target(polled: &Polled) -> &Untrusted {
    polled.complete.as_ref().unwrap_or(&polled.address)
}

fn say(line: &str) {
    terminal::say(line);
}
