//! What a provider granted, in the shape in which it is held.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::domain::credential::{AccessToken, Ask, ChainEnd, Credential, Grant, ends};
use crate::domain::jwt::Jwt;
use crate::domain::secret::Secret;
use crate::domain::source::Issuer;
use crate::domain::time::Uptime;
use crate::domain::untrusted::cleaned;
use crate::oidc::tokens::TokenSet;

/// The access token of a token set that has come just now.
pub(super) fn access_token(set: &TokenSet, now: Timestamp, uptime: Option<Uptime>) -> AccessToken {
    let life = life(&set.access, set.expires_in, set.date);
    AccessToken {
        value: set.access.clone(),
        obtained: now,
        expires: ends(now, life),
        granted: set.granted.clone(),
        id_token: set.id_token.clone(),
        ends_up: ends_up(uptime, life),
        skew: skew(set.date, now),
    }
}

/// The end of a life on the clock that nobody sets.
pub(super) fn ends_up(uptime: Option<Uptime>, life: Option<i64>) -> Option<Uptime> {
    Some(uptime?.later(SignedDuration::from_secs(life?)))
}

/// How far a giver's clock is ahead of ours.
pub(super) fn skew(date: Option<Timestamp>, now: Timestamp) -> Option<SignedDuration> {
    date.map(|date| date.duration_since(now))
}

/// Below this many seconds two clocks are taken to agree (security.md I1).
const SKEW: i64 = 60;

/// How far this machine's clock is off its giver's, in words, if that matters.
pub(super) fn skewed(skew: SignedDuration) -> Option<String> {
    let (span, way) = (skew.as_secs(), if skew.is_negative() { "ahead of" } else { "behind" });
    (span.abs() > SKEW)
        .then(|| format!("this machine's clock is {} s {way} the provider's", span.unsigned_abs()))
}

/// How long an access token lives, in seconds: as long as its giver says, and no longer than it says itself (security.md
/// I1). Both are spans, so that no clock but the giver's counts: where it says nothing, its `Date` tells how old the token
/// was when it came.
pub(super) fn life(value: &Secret, told: Option<i64>, date: Option<Timestamp>) -> Option<i64> {
    let told = told.filter(|seconds| *seconds > 0);
    let own = Jwt::parse(value.expose()).and_then(|jwt| {
        let (issued, ends) = (jwt.moment("iat")?, jwt.moment("exp")?);
        let lives = |since| Some(ends.duration_since(since).as_secs()).filter(|seconds| *seconds > 0);
        let whole = lives(issued)?;
        let left = date.filter(|_| told.is_none()).and_then(lives);
        Some(left.map_or(whole, |left| left.min(whole)))
    });
    match (told, own) {
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
pub(super) fn missing(credential: &Credential, ask: &Ask, token: &AccessToken) -> Option<String> {
    let granted = token.granted.as_ref()?;
    let asked = match &credential.grant {
        Grant::Refresh(grant) if ask.scopes.is_empty() => grant.scopes.clone(),
        _ => ask.scopes.iter().cloned().collect(),
    };
    let missing: Vec<&str> = asked
        .iter()
        .map(String::as_str)
        // Not a scope of access tokens: it asks for the refresh token.
        .filter(|scope| *scope != "offline_access" && !granted.iter().any(|got| got.raw() == *scope))
        .collect();
    (!missing.is_empty()).then(|| format!("not granted: {}", missing.join(" ")))
}

/// The audience parameter, where the provider has one and an audience is asked for: `resource` once for each (RFC 8707 §2), any other with all of
/// them in one.
pub(super) fn audience(parameter: Option<&str>, audiences: &BTreeSet<String>) -> Vec<(String, String)> {
    let Some(name) = parameter.filter(|_| !audiences.is_empty()) else { return Vec::new() };
    if name == RESOURCE {
        return audiences.iter().map(|audience| (name.to_owned(), audience.clone())).collect();
    }
    let words = audiences.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    vec![(name.to_owned(), words)]
}

/// The parameter of RFC 8707.
pub(super) const RESOURCE: &str = "resource";

/// Why these audiences cannot be asked for at a provider, if they cannot: there must be a parameter for them, and a resource is an absolute address
/// without a fragment (RFC 8707 §2).
pub(super) fn audience_refused(issuer: &Issuer, name: &str, audiences: &BTreeSet<String>) -> Option<String> {
    if audiences.is_empty() {
        return None;
    }
    let Some(parameter) = issuer.audience_parameter.as_deref() else {
        return Some(format!("{name} takes no audience from a client"));
    };
    let is_resource = |text: &str| url::Url::parse(text).is_ok_and(|url| url.fragment().is_none());
    let other = audiences.iter().find(|text| parameter == RESOURCE && !is_resource(text))?;
    Some(format!("{} is no address, and {name} takes only addresses as audience", cleaned(other)))
}

/// The value that is presented to the server of a credential.
pub(super) fn long_lived(credential: &Credential) -> Option<&Secret> {
    match &credential.grant {
        Grant::Refresh(grant) => Some(&grant.current.value),
        Grant::Mytoken(grant) => Some(&grant.current.value),
        Grant::Bare => None,
    }
}

/// The address of the mytoken server of a credential.
pub(super) fn server_address(credential: &Credential) -> &str {
    match &credential.grant {
        Grant::Mytoken(grant) => &grant.server,
        Grant::Refresh(_) | Grant::Bare => "",
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
            assert_eq!(life(value, told, None), expected, "{told:?}");
        }
        let at = |seconds| Some(crate::domain::time::from_epoch(seconds));
        assert_eq!(life(&hour, None, at(4000)), Some(600), "it was old already");
        assert_eq!(life(&hour, None, at(500)), Some(3600), "a clock before its birth counts for nothing");
        assert_eq!(life(&hour, None, at(9000)), Some(3600), "nor one after its end");
        assert_eq!(life(&hour, Some(900), at(4000)), Some(900), "its giver's own word counts first");
    }

    #[test]
    fn a_resource_is_named_once_each_and_is_an_address() {
        let set = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
        let two = set(&["https://a.example", "https://b.example"]);
        let pairs = |list: &[(&str, &str)]| {
            list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>()
        };
        assert_eq!(
            audience(Some("resource"), &two),
            pairs(&[("resource", "https://a.example"), ("resource", "https://b.example")])
        );
        assert_eq!(
            audience(Some("audience"), &two),
            pairs(&[("audience", "https://a.example https://b.example")])
        );
        assert_eq!((audience(None, &two), audience(Some("resource"), &set(&[]))), (vec![], vec![]));
        let at = |parameter: Option<&str>| Issuer {
            audience_parameter: parameter.map(str::to_owned),
            ..Issuer::at("https://op.example.org")
        };
        let refused =
            |parameter, words: &[&str]| audience_refused(&at(parameter), "It", &set(words)).is_some();
        let table = [
            (None, &["x"][..], true),
            (None, &[], false),
            (Some("audience"), &["x"], false),
            (Some("resource"), &["x"], true),
            (Some("resource"), &["https://a.example/#x"], true),
            (Some("resource"), &["https://a.example/x?y", "urn:example:x"], false),
        ];
        for (parameter, words, expected) in table {
            assert_eq!(refused(parameter, words), expected, "{parameter:?} {words:?}");
        }
    }

    #[test]
    fn a_clock_that_is_off_is_said_which_way() {
        let off = |seconds| skewed(SignedDuration::from_secs(seconds));
        assert_eq!(off(60), None);
        assert_eq!(off(-61).as_deref(), Some("this machine's clock is 61 s ahead of the provider's"));
        assert_eq!(off(86_400).as_deref(), Some("this machine's clock is 86400 s behind the provider's"));
    }
}
