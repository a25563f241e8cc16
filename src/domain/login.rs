//! A login as its panel shows it, what was asked, and what came of it.

use jiff::Timestamp;

use super::credential::CredentialId;
use super::draft::Draft;
use super::source::{Client, SourceId};
use super::untrusted::Untrusted;

/// What the user wants a login for.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Where.
    pub source: SourceId,
    /// The name it is to be kept under; an existing one is logged in anew.
    pub name: Option<String>,
    /// The client to be, where the source names none.
    pub client: Option<Client>,
    /// The provider behind a mytoken server, by issuer, once it is chosen.
    pub provider: Option<String>,
    /// The mytoken that is to come of it; without one the source's own profile, or the server's default.
    pub draft: Option<Draft>,
    /// Whether a refresh token is wanted that outlives the browser's session, whatever the source asks for by itself.
    pub offline: bool,
    /// Whether this machine's browser may be opened without being asked for.
    pub open_browser: bool,
}

impl Order {
    /// A login there and nothing else: under a name of its own, as the source's client, and no browser is opened.
    #[must_use]
    pub fn at(source: SourceId) -> Self {
        Self {
            source,
            name: None,
            client: None,
            provider: None,
            draft: None,
            offline: false,
            open_browser: false,
        }
    }

    /// The provider that is wished for, by issuer or by its name: the one that was chosen, else that of the draft.
    #[must_use]
    pub fn wished_provider(&self) -> Option<&str> {
        let drafted = self.draft.as_ref().map(|draft| draft.provider.as_str());
        self.provider.as_deref().or(drafted.filter(|provider| !provider.is_empty()))
    }
}

/// A login in progress: every route of it at once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// The source's name.
    pub at: String,
    /// Who has the same login under way, in words: it is waited for, and there are no routes of our own.
    pub under_way: Option<String>,
    /// Scopes (or, for a mytoken, capabilities and restrictions in words) that are asked for.
    pub asking: Vec<String>,
    /// As which client: its id and kind, `my-toktui   public, PKCE`; empty for a mytoken server, which needs none.
    pub client: String,
    /// What happens then: `keep the refresh token, in memory only, as egi`.
    pub then: String,
    /// When the last route closes; `None` while that is not known.
    pub ends: Option<Timestamp>,
    /// Device code.
    pub device: Option<Polled>,
    /// A mytoken server's consent page.
    pub consent: Option<Polled>,
    /// Browser and loopback listener.
    pub browser: Option<Browser>,
    /// Whether a redirect address may be pasted back.
    pub paste: bool,
    /// What the last pasted text was refused for.
    pub paste_refused: Option<String>,
    /// Routes that are not offered and why; the listener's silence; a clock that is off.
    pub remarks: Vec<String>,
}

/// A route on which we ask again and again until the user has agreed elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Polled {
    /// The page to open.
    pub address: Untrusted,
    /// The page with the code in it, for link and QR.
    pub complete: Option<Untrusted>,
    /// The code to type there.
    pub code: Option<Untrusted>,
    /// How often we have asked.
    pub asked: u32,
    /// When we ask next; `None` while a question is under way or asking has stopped.
    pub next: Option<Timestamp>,
    /// When the code ends.
    pub ends: Timestamp,
    /// Why asking has stopped or is slow: `the network is down, trying again`.
    pub trouble: Option<String>,
}

/// The route through this machine's browser.
#[derive(Clone, Debug, PartialEq)]
pub struct Browser {
    /// The authorization request, to open, to copy.
    pub address: String,
    /// Where we listen, host and port; `None` where no port could be bound.
    pub listening: Option<(String, u16)>,
}

/// How one comes by SSH to this machine from where one sits, as far as it is known. Each part may stand in a line for a shell as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// The user's name here; empty when it is not known.
    pub user: String,
    /// What this machine calls itself, or the address by which it was reached; empty when neither is known.
    pub host: String,
    /// The port of the SSH server that was reached.
    pub port: Option<u16>,
}

impl Reached {
    /// What stands for a machine whose name is not known.
    pub const NAMELESS: &str = "THIS-HOST";

    /// The line that brings a port of the user's own machine to ours.
    #[must_use]
    pub fn line_to(&self, host: &str, port: u16) -> String {
        let at = match self.port {
            Some(22) | None => String::new(),
            Some(other) => format!("-p {other} "),
        };
        let user = if self.user.is_empty() { String::new() } else { format!("{}@", self.user) };
        let there = if self.host.is_empty() { Self::NAMELESS } else { &self.host };
        format!("ssh {at}-L {port}:{host}:{port} {user}{there}")
    }

    /// What the line cannot know: a machine calls itself otherwise than others do, or stands behind another one.
    #[must_use]
    pub fn unsure(&self) -> String {
        let what = if self.port.is_some() { "the name" } else { "the name and port" };
        if self.host.is_empty() {
            format!("{}: {what} you came by", Self::NAMELESS)
        } else {
            format!("use {what} you came by, if another")
        }
    }
}

impl Browser {
    /// The line to type on the user's own machine, after which a browser there comes back to us; `None` where nobody listens here.
    #[must_use]
    pub fn ssh_line(&self, reached: &Reached) -> Option<String> {
        let (host, port) = self.listening.as_ref()?;
        Some(reached.line_to(host, *port))
    }
}

/// What happened on the way.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// The panel's content changed.
    View(Box<View>),
    /// The routes stand: this address may be opened in a browser now.
    MayOpen(String),
    /// A mytoken server offers several providers: one must be chosen ([`Order::provider`]).
    Choose(Vec<Choice>),
}

/// A provider offered by a mytoken server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its issuer, as the server wants to hear it.
    pub issuer: String,
    /// Its name there.
    pub name: Untrusted,
}

/// How a login ended well.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The credential that came of it.
    pub id: CredentialId,
    /// Its name.
    pub name: String,
    /// Where.
    pub at: String,
    /// What was asked and what was granted, side by side.
    pub lines: Vec<Compared>,
    /// Why no refresh token came, where one was to be expected.
    pub no_refresh: Option<String>,
    /// What else must be known, most important first.
    pub remarks: Vec<String>,
}

/// One line of asked against granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// `scopes`, `may`, `ends`, …
    pub what: String,
    /// As asked.
    pub asked: String,
    /// As granted.
    pub granted: String,
    /// How they relate.
    pub relation: Relation,
    /// A word on a difference: `shortened by the server`.
    pub note: Option<String>,
}

/// How what was granted relates to what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// The same.
    Same,
    /// Less than asked.
    Narrower,
    /// More than asked: an alarm.
    Wider,
    /// Neither more nor less.
    Other,
}
