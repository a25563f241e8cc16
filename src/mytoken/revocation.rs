//! Ending a mytoken, or another one by its id (mytoken-api.md §2.6).

use serde::Serialize;

use super::Error;
use super::discovery::Server;
use super::reply::{self, Reply, Size};
use super::tokeninfo;
use crate::domain::jwt::Jwt;
use crate::domain::mytoken::Facts;
use crate::domain::secret::Secret;
use crate::domain::untrusted::Untrusted;
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
    #[serde(skip_serializing_if = "Option::is_none")]
    mom_id: Option<&'a str>,
}

/// Revokes a mytoken, and on `recursive` all made from it. Needs no capability and ignores restrictions. An older
/// copy of a rotated mytoken is refused as [`super::No::OldCopy`], and nothing is revoked.
///
/// A transfer code can be given in its place, and can then no longer be redeemed; [`Accepted`] also for one that nobody knows
/// or that was redeemed. The mytoken behind it dies with it only if the code was the answer to making that mytoken
/// (a subtoken, or a login, handed out as a code); one behind a code of [`super::transfer::create`] lives on.
pub async fn revoke(http: &Http, server: &Server, mytoken: &Secret, recursive: bool) -> Reply<Accepted> {
    let Some(url) = &server.revocation else {
        return Reply::unsent(Error::NotOffered("revocation"));
    };
    let request = Request { token: reply::trimmed(mytoken), recursive, mom_id: None };
    reply::ask(http, url, mytoken, &request, Size::Token, |_| Ok(Accepted)).await
}

/// Revokes another mytoken by its id, and on `recursive` all made from it. `by` must be above it, or needs
/// `manage_mytokens:revoke`; its restrictions do not matter, it costs no use, and it may rotate. Ids of other users and
/// unknown ones are refused ([`super::No::NotYours`], [`super::No::LacksCapability`]). Reaches ended mytokens, too, and
/// those that are not valid yet. The refresh token at the provider is not revoked on this way.
///
/// Never sent with the id of `by` itself, at which the server breaks (§12.5); of a short `by` only the caller knows it.
/// Up to 0.11 an older copy of `by` is accepted, too: that it worked does not mean that it is the current one.
pub async fn revoke_other(
    http: &Http,
    server: &Server,
    by: &Secret,
    mom_id: &str,
    recursive: bool,
) -> Reply<Accepted> {
    let Some(url) = &server.revocation else {
        return Reply::unsent(Error::NotOffered("revocation"));
    };
    // Without an id the server would revoke `by`.
    if !tokeninfo::is_id(mom_id) {
        return Reply::unsent(Error::NotAnId(Untrusted::from(mom_id)));
    }
    let own = Jwt::parse(reply::trimmed(by)).and_then(|jwt| Facts::from_claims(&jwt.claims).mom_id);
    if own.is_some_and(|own| own.raw() == mom_id) {
        return Reply::unsent(Error::OwnId);
    }
    let request = Request { token: reply::trimmed(by), recursive, mom_id: Some(mom_id) };
    reply::ask(http, url, by, &request, Size::Token, |_| Ok(Accepted)).await
}
