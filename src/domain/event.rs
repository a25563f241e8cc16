//! One thing that happened, here or at a mytoken server.

use jiff::Timestamp;

use super::untrusted::Untrusted;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: What,
    /// The client address a server saw.
    pub address: Option<Untrusted>,
    /// The program a server saw (`User-Agent`).
    pub agent: Option<Untrusted>,
    /// The server's remark.
    pub comment: Option<Untrusted>,
    /// Who tells it.
    pub teller: Teller,
    /// The credential it belongs to, by id.
    pub credential: Option<String>,
    /// Whether this address is seen here for the first time.
    pub new_address: bool,
}

/// Who tells of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Teller {
    /// This program.
    Here,
    /// The mytoken server.
    Server,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// An event of a mytoken server, by its wire name (mytoken-api.md §6).
    Server(Untrusted),
    /// Logged in.
    LoggedIn,
    /// A login that came to nothing.
    LoginFailed,
    /// An access token was drawn.
    AccessToken,
    /// Renewed.
    Renewed,
    /// A newer copy took the place of the last one.
    Rotated {
        /// Its number.
        copy: u64,
    },
    /// Copied.
    Copied,
    /// The clipboard was cleared.
    ClipboardCleared,
    /// Looked up.
    LookedUp,
    /// The server's history was read.
    HistoryRead,
    /// Kept under a name.
    Kept,
    /// Forgotten here.
    Forgotten,
    /// Revoked.
    Revoked,
    /// A surplus token set was dropped.
    Dropped,
    /// Refused by the server.
    Refused,
    /// An answer did not arrive.
    InDoubt,
    /// Anything else, in words.
    Noted(String),
}
