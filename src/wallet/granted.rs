//! What a provider granted, in the shape in which it is held.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::domain::credential::{AccessToken, ChainEnd, Credential, Grant, ends};
use crate::domain::jwt::Jwt;
use crate::domain::secret::Secret;
use crate::oidc::tokens::TokenSet;

/// The access token of a token set.
pub(super) fn access_token(set: &TokenSet, now: Timestamp) -> AccessToken {
    AccessToken {
        value: set.access.clone(),
        obtained: now,
        expires: ends(now, life(&set.access, set.expires_in)),
        granted: set.granted.clone(),
        id_token: set.id_token.clone(),
        ends_up: None,
        skew: None,
    }
}

/// How long an access token lives, in seconds: as long as its giver says, and no longer than it says itself (security.md
/// I1). Both are spans, so that no clock but the giver's counts.
pub(super) fn life(value: &Secret, told: Option<i64>) -> Option<i64> {
    let own = Jwt::parse(value.expose()).and_then(|jwt| {
        let (issued, ends) = (jwt.moment("iat")?, jwt.moment("exp")?);
        Some(ends.duration_since(issued).as_secs()).filter(|seconds| *seconds > 0)
    });
    match (told.filter(|seconds| *seconds > 0), own) {
        (Some(told), Some(own)) => Some(told.min(own)),
        (told, own) => told.or(own),
    }
}

/// When the chain ends, from `refresh_expires_in`: 0 says that there is no fixed end (providers.md §7.2).
pub(super) fn chain_end(now: Timestamp, seconds: Option<i64>) -> ChainEnd {
    match seconds {
        None => ChainEnd::Unknown,
        Some(0) => ChainEnd::Open,
        Some(_) => ends(now, seconds).map_or(ChainEnd::Unknown, ChainEnd::At),
    }
}

/// Scopes that were asked for and did not come, in words.
pub(super) fn missing(credential: &Credential, token: &AccessToken) -> Option<String> {
    let granted = token.granted.as_ref()?;
    let asked = match &credential.grant {
        Grant::Refresh(grant) if credential.ask.scopes.is_empty() => grant.scopes.clone(),
        _ => credential.ask.scopes.iter().cloned().collect(),
    };
    let missing: Vec<&str> = asked
        .iter()
        .map(String::as_str)
        // Not a scope of access tokens: it asks for the refresh token.
        .filter(|scope| *scope != "offline_access" && !granted.iter().any(|got| got.raw() == *scope))
        .collect();
    (!missing.is_empty()).then(|| format!("not granted: {}", missing.join(" ")))
}

/// The audience parameter, where the provider has one and an audience is asked for.
pub(super) fn audience(parameter: Option<&str>, audiences: &BTreeSet<String>) -> Vec<(String, String)> {
    let named = parameter.filter(|_| !audiences.is_empty());
    let words = || audiences.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    named.map(|name| (name.to_owned(), words())).into_iter().collect()
}

/// The value that is presented to the server of a credential.
pub(super) fn long_lived(credential: &Credential) -> Option<&Secret> {
    match &credential.grant {
        Grant::Refresh(grant) => Some(&grant.current.value),
        Grant::Mytoken(grant) => Some(&grant.current.value),
        Grant::Bare => None,
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    #[test]
    fn a_token_lives_as_long_as_was_said_and_no_longer_than_it_says_itself() {
        let jwt = |claims: &str| {
            Secret::new(format!("{}.{}.eA", URL_SAFE_NO_PAD.encode("{}"), URL_SAFE_NO_PAD.encode(claims)))
        };
        let hour = jwt(r#"{"iat":1000,"exp":4600}"#);
        let table = [
            (&hour, Some(300), Some(300)),
            (&hour, Some(9000), Some(3600)),
            (&hour, Some(0), Some(3600)),
            (&hour, None, Some(3600)),
            (&jwt(r#"{"exp":4600}"#), None, None),
            (&jwt(r#"{"iat":4600,"exp":1000}"#), Some(300), Some(300)),
            (&Secret::new("opaque"), Some(300), Some(300)),
            (&Secret::new("opaque"), None, None),
        ];
        for (value, told, expected) in table {
            assert_eq!(life(value, told), expected, "{told:?}");
        }
    }
}
