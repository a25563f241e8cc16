//! The authorization code grant with PKCE: the address for the browser, and the exchange (RFC 6749 §4.1, RFC 7636).

use url::Url;

use super::client::{Pair, post, with_extra};
use super::discovery::{Metadata, needed};
use super::pkce::{self, Attempt, Verifier};
use super::tokens::TokenSet;
use super::{Cause, Error};
use crate::domain::secret::Secret;
use crate::domain::source::Client;
use crate::http::Http;

/// What a login asks for.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// The client.
    pub client: &'a Client,
    /// The scopes, in this order.
    pub scopes: &'a [String],
    /// More parameters: `prompt`, `access_type`, an audience. They cannot replace one of ours.
    pub extra: &'a [(String, String)],
}

/// The address that the browser is to open: always `response_type=code`, always S256, with state and nonce.
///
/// # Errors
/// [`Error::Request`] where the provider announces no authorization endpoint.
pub fn authorization_url(
    metadata: &Metadata,
    wish: Wish<'_>,
    attempt: &Attempt,
    redirect: &Url,
) -> Result<Url, Error> {
    let endpoint = authorization_endpoint(metadata)?;
    let (scope, challenge) = (wish.scopes.join(" "), attempt.verifier.challenge());
    let pairs = parameters(wish, attempt, redirect, &scope, &challenge);
    Ok(with_query(endpoint, wish.client, &pairs))
}

/// The same where the parameters are first pushed to the provider (RFC 9126), for one that requires it.
///
/// # Errors
/// [`Error::Request`].
pub async fn pushed_authorization_url(
    http: &Http,
    metadata: &Metadata,
    wish: Wish<'_>,
    attempt: &Attempt,
    redirect: &Url,
) -> Result<Url, Error> {
    let endpoint = authorization_endpoint(metadata)?;
    let pushed = needed(metadata.pushed.as_ref(), "endpoint for pushed requests").map_err(Error::Request)?;
    let (scope, challenge) = (wish.scopes.join(" "), attempt.verifier.challenge());
    let pairs = parameters(wish, attempt, redirect, &scope, &challenge);
    let answer =
        post(http, pushed, wish.client, &pairs).await.map_err(|error| Error::Request(error.into()))?;
    let body = answer.json().filter(|_| answer.is_success());
    let handle = body.as_ref().and_then(|body| body.get("request_uri")?.as_str());
    let handle = handle.ok_or_else(|| Error::Request(Cause::of(&answer, "it has no request_uri")))?;
    Ok(with_query(endpoint, wish.client, &[("request_uri", handle)]))
}

/// Exchanges the code. To be called by one route of a login only, once: a code that is sent twice kills what it gave.
///
/// `extra` are more parameters: a resource is named here again, or the first access token may not be for it (RFC 8707 §2.2).
///
/// # Errors
/// [`Error::Redemption`].
pub async fn redeem(
    http: &Http,
    metadata: &Metadata,
    client: &Client,
    code: &Secret,
    redirect: &Url,
    verifier: &Verifier,
    extra: &[(String, String)],
) -> Result<TokenSet, Error> {
    let endpoint = needed(metadata.token.as_ref(), "token endpoint").map_err(Error::Redemption)?;
    let form = vec![
        ("grant_type", "authorization_code"),
        ("code", code.expose()),
        ("redirect_uri", sent(redirect)),
        ("code_verifier", verifier.expose()),
    ];
    let form = with_extra(form, extra);
    let answer =
        post(http, endpoint, client, &form).await.map_err(|error| Error::Redemption(error.into()))?;
    TokenSet::of(&answer).map_err(Error::Redemption)
}

fn authorization_endpoint(metadata: &Metadata) -> Result<&Url, Error> {
    needed(metadata.authorization.as_ref(), "authorization endpoint").map_err(Error::Request)
}

fn parameters<'a>(
    wish: Wish<'a>,
    attempt: &'a Attempt,
    redirect: &'a Url,
    scope: &'a str,
    challenge: &'a str,
) -> Vec<Pair<'a>> {
    let own = vec![
        ("response_type", "code"),
        ("redirect_uri", sent(redirect)),
        ("scope", scope),
        ("state", attempt.state.expose()),
        ("nonce", attempt.nonce.expose()),
        ("code_challenge", challenge),
        ("code_challenge_method", pkce::METHOD),
    ];
    with_extra(own, wish.extra)
}

/// A redirect address as it is sent. Providers compare it with what was registered character by character, and what is
/// registered without a path (oidc-agent's `http://localhost:8080`) has no slash; a [`Url`] cannot be without one.
fn sent(redirect: &Url) -> &str {
    let text = redirect.as_str();
    if redirect.path() == "/" { text.strip_suffix('/').unwrap_or(text) } else { text }
}

/// The endpoint's own query stays, but for names that we send ourselves.
fn with_query(endpoint: &Url, client: &Client, pairs: &[Pair<'_>]) -> Url {
    let is_ours = |name: &str| name == "client_id" || pairs.iter().any(|(own, _)| *own == name);
    let kept: Vec<_> = endpoint.query_pairs().filter(|(name, _)| !is_ours(name)).collect();
    let mut url = endpoint.clone();
    url.set_fragment(None);
    url.query_pairs_mut().clear().extend_pairs(kept).append_pair("client_id", &client.id).extend_pairs(pairs);
    url
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::oidc::discovery::tests::metadata;

    #[test]
    fn an_address_without_a_path_is_sent_without_a_slash() {
        for (address, expected) in [
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://127.0.0.1:1/callback", "http://127.0.0.1:1/callback"),
            ("http://127.0.0.1:1/callback/", "http://127.0.0.1:1/callback/"),
        ] {
            assert_eq!(sent(&Url::parse(address).expect("address")), expected);
        }
    }

    #[test]
    fn the_address_carries_everything_once_and_nobody_can_weaken_it() {
        let attempt = Attempt::random().expect("randomness");
        let redirect = Url::parse("http://127.0.0.1:45123/callback").expect("address");
        let scopes = ["openid".to_owned(), "offline_access".to_owned()];
        let extra =
            [("prompt", "consent"), ("code_challenge_method", "plain"), ("state", "x"), ("client_id", "y")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let client = Client::public("toktui");
        let wish = Wish { client: &client, scopes: &scopes, extra: &extra };
        let metadata = metadata("https://op.example.org/auth?kc=1&code_challenge_method=plain&client_id=z#x");
        let url = authorization_url(&metadata, wish, &attempt, &redirect).expect("an address");
        let pairs: Vec<_> = url.query_pairs().into_owned().collect();
        let values: BTreeMap<_, _> = pairs.iter().cloned().collect();
        assert_eq!(pairs.len(), values.len(), "nothing doubled");
        let challenge = attempt.verifier.challenge();
        let expected = [
            ("kc", "1"),
            ("client_id", "toktui"),
            ("response_type", "code"),
            ("redirect_uri", redirect.as_str()),
            ("scope", "openid offline_access"),
            ("state", attempt.state.expose()),
            ("nonce", attempt.nonce.expose()),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("prompt", "consent"),
        ];
        let expected =
            expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(values, expected);
        assert!(!url.as_str().contains(attempt.verifier.expose()));
    }
}
