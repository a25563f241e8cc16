//! Handing a mytoken over: a code for it, which is redeemed once and soon (mytoken-api.md §2.4, §8f).

use std::fmt;

use jiff::Timestamp;

use super::draft::Draft;
use super::secret::Secret;
use super::source::SourceId;
use super::untrusted::Untrusted;

/// What is handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandOver {
    /// A subtoken with an identity and restrictions of its own.
    Subtoken(Box<Draft>),
    /// The mytoken itself: both sides then hold the same one, and a rotation on one side locks the other out.
    Itself,
}

/// A code that waits to be redeemed.
#[derive(Clone, PartialEq)]
pub struct Handed {
    /// The code: whoever has it has the mytoken.
    pub code: Secret,
    /// When it ends.
    pub ends: Timestamp,
    /// At which server.
    pub server: SourceId,
    /// The server's base address, for whoever redeems it elsewhere.
    pub address: String,
    /// The name of what is handed over.
    pub name: String,
    /// The id of the subtoken, where it is one and the server told.
    pub mom_id: Option<Untrusted>,
    /// The mytoken itself and no subtoken of it.
    pub itself: bool,
    /// What its user must know of the mytoken that asked: it rotated, or what is new of it is in memory only.
    pub remarks: Vec<String>,
}

impl fmt::Debug for Handed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handed")
            .field("name", &self.name)
            .field("ends", &self.ends)
            .field("itself", &self.itself)
            .finish_non_exhaustive()
    }
}
