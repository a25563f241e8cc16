//! Ending a mytoken (mytoken-api.md §2.6).

use serde::Serialize;

use super::Error;
use super::discovery::Server;
use super::reply::{self, Reply, Size};
use crate::domain::secret::Secret;
use crate::http::Http;

/// The server took the request. **This proves nothing**: the same comes back for a mytoken that was revoked before, is
/// unknown, has expired or is not valid yet, and the last one works later. Proof is an introspection that is refused
/// with [`super::Reason::Unidentified`] after one that was answered, or the absence from the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted;

#[derive(Serialize)]
struct Request<'a> {
    token: &'a str,
    recursive: bool,
}

/// Revokes a mytoken, and on `recursive` all made from it. Needs no capability and ignores restrictions. An older
/// copy of a rotated mytoken is refused as [`super::No::OldCopy`], and nothing is revoked.
pub async fn revoke(http: &Http, server: &Server, mytoken: &Secret, recursive: bool) -> Reply<Accepted> {
    let Some(url) = &server.revocation else {
        return Reply::unsent(Error::NotOffered("revocation"));
    };
    let request = Request { token: reply::trimmed(mytoken), recursive };
    reply::ask(http, url, mytoken, &request, Size::Token, |_| Ok(Accepted)).await
}
