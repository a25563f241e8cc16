//! New access tokens from a refresh token (RFC 6749 §6).

use url::Url;

use super::Error;
use super::client::{post, with_extra};
use super::discovery::{Metadata, needed};
use super::tokens::TokenSet;
use crate::domain::secret::Secret;
use crate::domain::source::{Client, RefreshScope};
use crate::http::Http;

/// The scope by which a refresh token outlives its session. Some servers refuse it in a refresh (Unity).
const OFFLINE: &str = "offline_access";

/// What a renewal asks for.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// The client that the refresh token was given to.
    pub client: &'a Client,
    /// What this provider wants to read about scopes.
    pub policy: RefreshScope,
    /// The scopes of the login.
    pub scopes: &'a [String],
    /// Fewer scopes, for this access token only; they are sent whatever the policy says.
    pub narrowed: Option<&'a [String]>,
    /// More parameters, such as an audience.
    pub extra: &'a [(String, String)],
}

/// Trades the refresh token. Where the answer carries a new one, the old one must be taken for spent: that a caller
/// keeps it safe before anything else happens is design.md §7.
///
/// # Errors
/// [`Error::Refresh`]; see [`Error::is_for_good`] and [`Error::may_have_acted`].
pub async fn refresh(
    http: &Http,
    metadata: &Metadata,
    wish: Wish<'_>,
    token: &Secret,
) -> Result<TokenSet, Error> {
    let endpoint = needed(metadata.token.as_ref(), "token endpoint").map_err(Error::Refresh)?;
    refresh_at(http, endpoint, wish, token).await
}

/// The same at a token endpoint that is known already: one round trip less.
///
/// # Errors
/// As for [`refresh`].
pub async fn refresh_at(
    http: &Http,
    endpoint: &Url,
    wish: Wish<'_>,
    token: &Secret,
) -> Result<TokenSet, Error> {
    let scope = scope(wish);
    let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", token.expose())];
    if let Some(scope) = &scope {
        form.push(("scope", scope));
    }
    let form = with_extra(form, wish.extra);
    let answer =
        post(http, endpoint, wish.client, &form).await.map_err(|error| Error::Refresh(error.into()))?;
    TokenSet::of(&answer).map_err(Error::Refresh)
}

/// The `scope` to send; never an empty one, which would be invalid.
fn scope(wish: Wish<'_>) -> Option<String> {
    let (scopes, keeps_offline) = match (wish.narrowed, wish.policy) {
        (None, RefreshScope::Omit) => return None,
        (None, RefreshScope::Send) => (wish.scopes, true),
        (None, RefreshScope::SendWithoutOffline) => (wish.scopes, false),
        (Some(narrowed), policy) => (narrowed, policy != RefreshScope::SendWithoutOffline),
    };
    let sent: Vec<_> =
        scopes.iter().map(String::as_str).filter(|scope| keeps_offline || *scope != OFFLINE).collect();
    (!sent.is_empty()).then(|| sent.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_about_scopes_follows_the_provider_and_a_narrowing_is_always_said() {
        let login = ["openid", "email", "offline_access"].map(str::to_owned);
        let fewer = ["openid", "offline_access"].map(str::to_owned);
        let table = [
            (RefreshScope::Omit, None, None),
            (RefreshScope::Send, None, Some("openid email offline_access")),
            (RefreshScope::SendWithoutOffline, None, Some("openid email")),
            (RefreshScope::Omit, Some(&fewer[..]), Some("openid offline_access")),
            (RefreshScope::SendWithoutOffline, Some(&fewer[..]), Some("openid")),
            (RefreshScope::Send, Some(&[][..]), None),
            (RefreshScope::SendWithoutOffline, Some(&fewer[1..]), None),
        ];
        let client = Client::public("toktui");
        for (policy, narrowed, expected) in table {
            let wish = Wish { client: &client, policy, scopes: &login, narrowed, extra: &[] };
            assert_eq!(scope(wish).as_deref(), expected, "{policy:?} {narrowed:?}");
        }
    }
}
