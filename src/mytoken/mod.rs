//! Our side of a mytoken server: what is asked, and how each answer reads (mytoken-api.md).
//!
//! ```text
//! discovery   what a server says about itself            GET  .well-known/mytoken-configuration
//! order       what is asked for in a new mytoken, on the wire
//! consent     getting it: consent page and polling       POST mytoken_endpoint
//! subtoken    getting it: from a mytoken                 POST mytoken_endpoint
//! asked       asked against granted
//! access      an access token out of a mytoken           POST access_token_endpoint
//! tokeninfo   asking about a mytoken, its history        POST tokeninfo_endpoint
//! listing     all of a user's mytokens, and their tree   POST tokeninfo_endpoint
//! transfer    handing it over by a code                  POST token_transfer_endpoint, mytoken_endpoint
//! revocation  ending it, or another one by its id        POST revocation_endpoint
//! profiles    what the server has ready to order by      GET  profiles_endpoint
//! reply       what all of these come back with: the rotated mytoken first, then the outcome
//! refusal     the server's ways of saying no
//! ```
//!
//! Nothing here locks, saves or repeats: the caller holds the credential's lock, writes its intent before it
//! asks and the [`reply::Reply::update`] before it looks at anything else. A mytoken travels in the body of a POST only.

pub mod access;
pub mod asked;
pub mod consent;
pub mod discovery;
pub mod listing;
pub mod order;
pub mod polling;
pub mod profiles;
pub mod refusal;
pub mod reply;
pub mod revocation;
pub mod subtoken;
pub mod tokeninfo;
pub mod transfer;

use crate::domain::mytoken::Fault;
use crate::domain::untrusted::Untrusted;
use crate::http;

pub use refusal::{No, Reason};
pub use reply::{Issued, Reply};

/// What can go wrong between us and a mytoken server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No answer came.
    #[error(transparent)]
    NoAnswer(#[from] http::Error),
    /// The server refused.
    #[error(transparent)]
    Refused(#[from] No),
    /// A success that cannot be read. It may have cost a use.
    #[error("the answer of the mytoken server is not readable: {0}")]
    Unreadable(&'static str),
    /// A success without an access token: the provider gave none. It did cost a use (§2.2).
    #[error("the provider behind the mytoken gave no access token; the use was counted")]
    NoAccessToken,
    /// What was given as a server's address is none.
    #[error("{} is not the address of a mytoken server", .0.shown())]
    NotAnIssuer(Untrusted),
    /// No mytoken server answers there.
    #[error("{host} is not a mytoken server: it answers with status {status}")]
    NotAServer {
        /// Host and port.
        host: String,
        /// What it answered with.
        status: u16,
    },
    /// The server calls itself something else.
    #[error("the server calls itself {}", .0.shown_within(200))]
    OtherIssuer(Untrusted),
    /// The server names an address that no mytoken may be sent to: not its own host, or not https.
    #[error("the server names an address for its {name} that is not on its own host")]
    ForeignEndpoint {
        /// Which one.
        name: &'static str,
    },
    /// This server does not have that.
    #[error("this mytoken server does not offer {0}")]
    NotOffered(&'static str),
    /// Nothing was sent: what was given as another mytoken's id is none, or stands for something else.
    #[error("{:?} is not the id of a mytoken", .0.shown_within(100))]
    NotAnId(Untrusted),
    /// Nothing was sent: the id is that of the mytoken which was to revoke it.
    #[error("a mytoken cannot be revoked by its own id, only by itself")]
    OwnId,
    /// Nothing was sent: a subtoken for which no capability is named gets all that its parent has (§2.1.1).
    #[error("no capability is chosen: the subtoken would get all that its parent has")]
    NoCapability,
    /// What was ordered is not worth sending.
    #[error(transparent)]
    Order(#[from] Fault),
}
