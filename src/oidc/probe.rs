//! An authorization request of nobody (`prompt=none`): it says whether the provider takes client, redirect address and scopes, and signs
//! nobody in.

use url::Url;

use super::code::{Wish, authorization_url, pushed_authorization_url};
use super::discovery::Metadata;
use super::pkce::Attempt;
use super::{Cause, Error};
use crate::domain::untrusted::Untrusted;
use crate::http::Http;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The redirect address is one that the client may be sent back to.
    Back {
        /// `error`: `login_required` where all else is right.
        error: Untrusted,
        /// `error_description`.
        description: Option<Untrusted>,
    },
    /// A page of the provider's own, with this status: an error page, or its sign-in page where it cares for no `prompt`.
    Page(u16),
    /// It sends the browser on to a page of its own.
    On,
}

/// Sends the request as a browser would that nobody is signed in with, and follows nothing.
///
/// # Errors
/// [`Error::Request`].
pub async fn ask(http: &Http, metadata: &Metadata, wish: Wish<'_>, redirect: &Url) -> Result<Taken, Error> {
    let attempt = Attempt::random()?;
    let prompt = ("prompt".to_owned(), "none".to_owned());
    let extra: Vec<_> =
        wish.extra.iter().filter(|(name, _)| name != "prompt").cloned().chain([prompt]).collect();
    let wish = Wish { extra: &extra, ..wish };
    let url = if metadata.pushed_required {
        match pushed_authorization_url(http, metadata, wish, &attempt, redirect).await {
            // Said at once, where a browser would bring it back (RFC 9126 §2.3): the redirect address was taken.
            Err(error) if error.scopes_refused() => {
                let refusal = error.refusal();
                let description = refusal.and_then(|refusal| refusal.description.clone());
                return Ok(Taken::Back { error: "invalid_scope".into(), description });
            }
            url => url?,
        }
    } else {
        authorization_url(metadata, wish, &attempt, redirect)?
    };
    let answer = http.get_itself(&url).await.map_err(|error| Error::Request(Cause::from(error)))?;
    let Some(location) = answer.sent_on() else { return Ok(Taken::Page(answer.status)) };
    let there = url.join(location).ok().filter(|there| is_at(there, redirect));
    let Some(there) = there else { return Ok(Taken::On) };
    let value = |name: &str| {
        there.query_pairs().find(|(key, _)| key == name).map(|(_, value)| Untrusted::from(value.as_ref()))
    };
    Ok(Taken::Back { error: value("error").unwrap_or_default(), description: value("error_description") })
}

fn is_at(there: &Url, redirect: &Url) -> bool {
    there.scheme() == redirect.scheme()
        && there.host() == redirect.host()
        && there.port_or_known_default() == redirect.port_or_known_default()
        && there.path() == redirect.path()
}
