//! Copies text to where the user pastes from, remembers what it copied, and takes it back.

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::mpsc::channel;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::holder::{self, Handed, HolderCommand};
use super::output::Output;
use super::place::{Environment, Place};
use super::selection::Selection;
use super::{Error, tmux};
use crate::domain::secret::Secret;

/// No call to a display, to tmux or to the terminal takes longer.
pub(super) const LIMIT: Duration = Duration::from_secs(2);

/// The longest base64 text of one OSC 52 sequence that terminals are known to take (security.md G8), in bytes.
const LONGEST_OSC_52: usize = 74_994;

/// The user's word on the way that copied text may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// The best there is.
    #[default]
    Any,
    /// This one, or none.
    Only(Route),
    /// None: nothing is ever copied.
    Never,
}

/// The way copied text went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// The clipboard of the desktop we run on.
    Desktop,
    /// tmux's buffer, and through tmux the terminal it is shown in.
    Tmux,
    /// OSC 52: the terminal we are shown in.
    Terminal,
}

impl Route {
    /// Where the text is then, for people.
    #[must_use]
    pub fn place(self) -> &'static str {
        match self {
            Self::Desktop => "the desktop clipboard",
            Self::Tmux => "the tmux buffer",
            Self::Terminal => "the terminal",
        }
    }

    /// A word for it: `desktop`, `tmux`, `terminal`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Desktop => "desktop",
            Self::Tmux => "tmux",
            Self::Terminal => "terminal",
        }
    }

    /// The route of that word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        [Self::Desktop, Self::Tmux, Self::Terminal].into_iter().find(|route| route.word() == word)
    }
}

/// Text left for the clipboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Which way.
    pub route: Route,
    /// Whether it was seen to be there: "copied". Otherwise "sent", as nobody can know.
    pub certain: bool,
}

/// What became of what we had copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cleared {
    /// It was there and is not any more. With tmux, that is its buffer; the terminal outside was sent a blank.
    Cleared,
    /// Something else was there, which stays.
    NotOurs,
    /// The terminal was asked to clear it; whether it did is not known.
    Asked,
    /// There was nothing of ours to clear.
    Nothing,
}

/// What we copied last.
pub(super) struct Copied {
    pub(super) text: Secret,
    pub(super) route: Route,
}

/// The clipboard, by whichever route this place has.
pub(super) struct Clipboard {
    desktop: Selection,
    /// The screen, when a board draws on it; otherwise the terminal itself is written to.
    screen: Option<Output>,
    last: Mutex<Option<Copied>>,
    choice: Choice,
}

impl Clipboard {
    pub(super) fn new(screen: Option<Output>) -> Self {
        Self { desktop: Selection::default(), screen, last: Mutex::default(), choice: Choice::Any }
    }

    /// The same, with the user's word on the way.
    pub(super) fn choosing(mut self, choice: Choice) -> Self {
        self.choice = choice;
        self
    }

    /// Copies `text` by the first route of this place that works.
    pub(super) fn copy(
        &self,
        text: &Secret,
        place: &Place,
        environment: &Environment,
    ) -> Result<Sent, Error> {
        let mut refused = None;
        for route in self.routes(place, environment, || tmux::is_shown_over_ssh(environment, LIMIT)) {
            match self.by(route, text, environment) {
                Ok(certain) => {
                    *self.last() = Some(Copied { text: text.clone(), route });
                    return Ok(Sent { route, certain });
                }
                Err(error) => refused = Some(refused.unwrap_or(error)),
            }
        }
        Err(refused.unwrap_or(Error::NoClipboard))
    }

    fn by(&self, route: Route, text: &Secret, environment: &Environment) -> Result<bool, Error> {
        match route {
            Route::Desktop => self.desktop.put(text, LIMIT).map_err(failed(route)),
            Route::Tmux => {
                tmux::load(text, environment, LIMIT).map_err(failed(route))?;
                Ok(false)
            }
            Route::Terminal => {
                let sequence = osc_52(text)?;
                self.to_terminal(&sequence)?;
                Ok(false)
            }
        }
    }

    /// The route that a copy takes first, as far as can be told without asking anyone.
    pub(super) fn likely(&self, place: &Place, environment: &Environment) -> Option<Route> {
        self.routes(place, environment, || false).first().copied()
    }

    fn routes(
        &self,
        place: &Place,
        environment: &Environment,
        is_shown_elsewhere: impl FnOnce() -> bool,
    ) -> Vec<Route> {
        match self.choice {
            Choice::Any => routes(place, environment, is_shown_elsewhere),
            Choice::Only(route) => vec![route],
            Choice::Never => Vec::new(),
        }
    }

    /// Takes back what was copied last, if it is still there.
    pub(super) fn clear(&self, environment: &Environment) -> Result<Cleared, Error> {
        let Some(Copied { text, route }) = self.last().take() else { return Ok(Cleared::Nothing) };
        let was_ours = match route {
            Route::Desktop => self.desktop.clear(&text, LIMIT).map_err(failed(route))?,
            Route::Tmux => tmux::clear(&text, environment, LIMIT).map_err(failed(route))?,
            Route::Terminal => {
                self.to_terminal(OSC_52_CLEAR)?;
                return Ok(Cleared::Asked);
            }
        };
        Ok(if was_ours { Cleared::Cleared } else { Cleared::NotOurs })
    }

    /// Leaves what was copied last to a holder; without one it is cleared now, since nobody would do it later.
    pub(super) fn hand_over(
        &self,
        holder: &HolderCommand,
        left: Duration,
        environment: &Environment,
    ) -> Handed {
        let Some(copied) = self.last().take() else { return Handed::Nothing };
        let is_still_ours = match copied.route {
            // A display that does not answer holds nothing that a holder could take over either.
            Route::Desktop => self.desktop.holds(&copied.text, LIMIT).unwrap_or(false),
            Route::Tmux => true,
            Route::Terminal => return Handed::Stays,
        };
        if !is_still_ours {
            return Handed::Nothing;
        }
        if holder::start(holder, &copied, left, environment) {
            return Handed::Held;
        }
        *self.last() = Some(copied);
        let _ = self.clear(environment);
        Handed::Cleared
    }

    fn last(&self) -> MutexGuard<'_, Option<Copied>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn to_terminal(&self, bytes: &[u8]) -> Result<(), Error> {
        let refused = |why: &str| Error::Clipboard { route: Route::Terminal, why: why.into() };
        match &self.screen {
            Some(screen) if screen.deliver(bytes, LIMIT) => Ok(()),
            Some(_) => Err(refused("the terminal takes nothing")),
            None => within(LIMIT, Zeroizing::new(bytes.to_vec()))
                .ok_or_else(|| refused("the terminal takes nothing"))?,
        }
    }
}

/// Writes to the terminal from a thread, as it may be stopped. `None` when it did not take the bytes in time.
fn within(limit: Duration, bytes: Zeroizing<Vec<u8>>) -> Option<Result<(), Error>> {
    let (to, done) = channel();
    thread::spawn(move || {
        let mut terminal = OpenOptions::new().write(true).open("/dev/tty");
        let written =
            terminal.as_mut().map(|terminal| terminal.write_all(&bytes).and_then(|()| terminal.flush()));
        let _ = to.send(matches!(written, Ok(Ok(()))));
    });
    let written = done.recv_timeout(limit).ok()?;
    Some(if written { Ok(()) } else { Err(Error::NoClipboard) })
}

/// The routes of this place, best first. Inside tmux never raw OSC 52: with tmux's default settings it vanishes there
/// without a sign.
fn routes(place: &Place, environment: &Environment, is_shown_elsewhere: impl FnOnce() -> bool) -> Vec<Route> {
    let beyond = if place.tmux { Route::Tmux } else { Route::Terminal };
    let is_seen_here = place.has_local_display() && !(place.tmux && is_shown_elsewhere());
    // Neither the Linux console nor a terminal that can do nothing has a clipboard.
    let term = environment.variable("TERM").unwrap_or("dumb");
    let has_beyond = place.tmux || !(matches!(term, "dumb" | "unknown" | "linux") || term.starts_with("vt"));
    let mut routes = Vec::new();
    routes.extend(is_seen_here.then_some(Route::Desktop));
    routes.extend(has_beyond.then_some(beyond));
    routes
}

const OSC_52_CLEAR: &[u8] = b"\x1b]52;c;\x07";

/// `ESC ] 52 ; c ; base64 BEL` (xterm's control sequences, "Manipulate Selection Data").
fn osc_52(text: &Secret) -> Result<Zeroizing<Vec<u8>>, Error> {
    let encoded = Zeroizing::new(STANDARD.encode(text.expose()));
    if encoded.len() > LONGEST_OSC_52 {
        return Err(Error::TooLong { bytes: text.len(), most: LONGEST_OSC_52 / 4 * 3 });
    }
    Ok(Zeroizing::new([b"\x1b]52;c;", encoded.as_bytes(), b"\x07"].concat()))
}

fn failed<E: std::error::Error>(route: Route) -> impl Fn(E) -> Error {
    move |error| Error::Clipboard { route, why: error.to_string().into() }
}

/// Compares in a time that says nothing about where the two differ.
pub(super) fn is_same(held: &[u8], text: &Secret) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(held, text.expose().as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn osc_52_is_these_bytes_and_no_longer_than_terminals_take() {
        assert_eq!(*osc_52(&Secret::new("hello")).unwrap(), b"\x1b]52;c;aGVsbG8=\x07");
        let longest = LONGEST_OSC_52 / 4 * 3;
        let sequence = osc_52(&Secret::new("a".repeat(longest))).unwrap();
        assert!(sequence.len() <= LONGEST_OSC_52 + 8);
        let refused = osc_52(&Secret::new("a".repeat(longest + 1)));
        assert!(matches!(refused, Err(Error::TooLong { most, .. }) if most == longest));
    }

    /// A tmux made of a shell script: buffers are files beside it, the newest first by name; what it was asked is in
    /// `asked`. Its commands are those that we use, no more.
    const TMUX: &str = r#"#!/bin/sh
cd "${0%/*}"; echo "$*" >>asked
case "$*" in
"load-buffer -w -") cat >buffer9 ;;
"load-buffer -w -b toktui-blank -") cat >blank ;;
"list-buffers -F "*) for b in $(ls -r | grep '^buffer'); do echo "$(wc -c <$b) $b"; done ;;
"save-buffer -b "*) cat "$3" ;;
"delete-buffer -b toktui-blank") rm blank ;;
"delete-buffer -b "*) rm "$3" ;;
"show-environment SSH_CONNECTION") cat ssh 2>/dev/null || exit 1 ;;
*) exit 1 ;;
esac"#;

    struct FakeTmux {
        folder: tempfile::TempDir,
        environment: Environment,
    }

    impl FakeTmux {
        fn new(variables: &[(&str, &str)]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let program = folder.path().join("tmux");
            fs::write(&program, TMUX).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
            let path = format!("{}:/usr/bin:/bin", folder.path().display());
            let mut all = vec![("PATH", path.as_str()), ("TMUX", "/tmp/tmux-0/default,1,0")];
            all.extend(variables);
            let environment = Environment::of(&all);
            Self { folder, environment }
        }

        fn file(&self, name: &str) -> Option<String> {
            fs::read_to_string(self.folder.path().join(name)).ok()
        }

        fn write(&self, name: &str, text: &str) {
            fs::write(self.folder.path().join(name), text).unwrap();
        }
    }

    #[test]
    fn inside_tmux_the_text_goes_by_pipe_and_is_only_sent() {
        let tmux = FakeTmux::new(&[]);
        let clipboard = Clipboard::new(None);
        let text = Secret::new("tok-1");
        let sent = clipboard.copy(&text, &Place::of(&tmux.environment), &tmux.environment).unwrap();
        assert_eq!(sent, Sent { route: Route::Tmux, certain: false });
        assert_eq!(tmux.file("buffer9").unwrap(), "tok-1");
        assert!(!tmux.file("asked").unwrap().contains("tok-1"), "never as an argument");

        assert_eq!(clipboard.clear(&tmux.environment).unwrap(), Cleared::Cleared);
        assert_eq!(tmux.file("buffer9"), None);
        let asked = tmux.file("asked").unwrap();
        assert!(asked.contains("load-buffer -w -b toktui-blank -"), "the terminal outside: {asked}");
        assert_eq!(clipboard.clear(&tmux.environment).unwrap(), Cleared::Nothing);
    }

    #[test]
    fn what_somebody_else_copied_in_tmux_since_stays_and_so_does_the_terminal_outside() {
        let tmux = FakeTmux::new(&[]);
        let clipboard = Clipboard::new(None);
        clipboard.copy(&Secret::new("tok-1"), &Place::of(&tmux.environment), &tmux.environment).unwrap();
        tmux.write("buffer91", "other");
        assert_eq!(clipboard.clear(&tmux.environment).unwrap(), Cleared::Cleared);
        assert_eq!((tmux.file("buffer9"), tmux.file("buffer91")), (None, Some("other".into())));
        assert!(!tmux.file("asked").unwrap().contains("toktui-blank"));

        clipboard.copy(&Secret::new("tok-2"), &Place::of(&tmux.environment), &tmux.environment).unwrap();
        tmux.write("buffer9", "tok-3");
        assert_eq!(clipboard.clear(&tmux.environment).unwrap(), Cleared::NotOurs);
        assert_eq!(tmux.file("buffer9").unwrap(), "tok-3");
    }

    fn routes_of(environment: &Environment) -> Vec<Route> {
        routes(&Place::of(environment), environment, || tmux::is_shown_over_ssh(environment, LIMIT))
    }

    #[test]
    fn the_route_follows_the_place_and_inside_tmux_is_never_raw_osc_52() {
        use Route::{Desktop, Terminal, Tmux};
        let at = |variables: &[(&str, &str)]| {
            let environment = Environment::of(variables);
            routes_of(&environment)
        };
        let xterm = ("TERM", "xterm-256color");
        assert_eq!(at(&[xterm]), [Terminal]);
        assert_eq!(at(&[xterm, ("DISPLAY", ":0")]), [Desktop, Terminal]);
        assert_eq!(at(&[xterm, ("DISPLAY", ":0"), ("SSH_TTY", "/dev/pts/1")]), [Terminal]);
        assert_eq!(at(&[xterm, ("DISPLAY", "localhost:10.0")]), [Terminal]);
        assert_eq!(at(&[("TERM", "linux")]), []);
        assert_eq!(at(&[]), []);

        let at_desk = FakeTmux::new(&[("DISPLAY", ":0")]);
        assert_eq!(routes_of(&at_desk.environment), [Desktop, Tmux]);
        at_desk.write("ssh", "SSH_CONNECTION=10.0.0.1 50000 10.0.0.2 22");
        assert_eq!(routes_of(&at_desk.environment), [Tmux]);
        at_desk.write("ssh", "-SSH_CONNECTION");
        assert_eq!(routes_of(&at_desk.environment), [Desktop, Tmux]);
    }

    #[test]
    fn a_place_without_any_clipboard_says_so() {
        let environment = Environment::of(&[("TERM", "linux")]);
        let refused = Clipboard::new(None).copy(&Secret::new("x"), &Place::of(&environment), &environment);
        assert!(matches!(refused, Err(Error::NoClipboard)));
    }
}
