//! From a room's error to the three parts of a failure, in one place.

use crate::domain::failure::{Failure, Kind};
use crate::domain::secret::Secret;
use crate::domain::source::Source;
use crate::mytoken::{self, No, Reason};
use crate::oidc;

/// A failed exchange with an OpenID provider.
pub(super) fn oidc(doing: impl Into<String>, source: Option<&Source>, error: &oidc::Error) -> Failure {
    let kind = if error.is_unreached() {
        Kind::Unreached
    } else if error.login_needed() {
        Kind::NotValid
    } else {
        Kind::Failed
    };
    let mut failure = Failure::new(kind, doing, error.to_string());
    failure.hint = hint(source, error);
    failure
}

fn hint(source: Option<&Source>, error: &oidc::Error) -> Option<String> {
    if let Some(wait) = error.retry_after() {
        return Some(format!("It asks to wait {} s.", wait.as_secs()));
    }
    if let Some(cure) = super::inspect::cure(error) {
        return Some(cure);
    }
    if let Some(oidc::Cause::Unanswered(unsafe_one)) = error.cause()
        && let Some(cure) = unsafe_one.cure()
    {
        return Some(cure.to_owned());
    }
    if error.login_needed() {
        return Some("Log in again.".to_owned());
    }
    if error.client_is_wrong() {
        let register = source.and_then(|source| source.register_url.as_deref());
        return Some(match register {
            Some(page) => format!("Check the client id in the config; clients are registered at {page}"),
            None => "Check the client id in the config.".to_owned(),
        });
    }
    if error.scopes_refused() {
        return Some("Ask for fewer scopes (`scopes` in the config).".to_owned());
    }
    if error.is_temporary() {
        return Some("Nothing is lost; try again.".to_owned());
    }
    source.and_then(|source| source.hints.first()).map(|hint| format!("{hint}."))
}

/// A failed exchange with a mytoken server.
pub(super) fn mytoken(doing: impl Into<String>, error: &mytoken::Error) -> Failure {
    let (kind, hint) = match error {
        mytoken::Error::NoAnswer(error) => {
            (Kind::Unreached, error.cure().or(Some("Nothing is lost; try again.")))
        }
        mytoken::Error::NoAccessToken => (Kind::Unreached, Some("Try again later; every try costs a use.")),
        mytoken::Error::Refused(no) => refused(no),
        mytoken::Error::NotAnIssuer(_)
        | mytoken::Error::NotAnId(_)
        | mytoken::Error::OwnId
        | mytoken::Error::NoCapability
        | mytoken::Error::Order(_) => (Kind::Unusable, None),
        mytoken::Error::Unreadable(_)
        | mytoken::Error::NotAServer { .. }
        | mytoken::Error::OtherIssuer(_)
        | mytoken::Error::ForeignEndpoint { .. }
        | mytoken::Error::NotOffered(_) => (Kind::Failed, None),
    };
    let failure = Failure::new(kind, doing, error.to_string());
    match (error, hint) {
        (mytoken::Error::Refused(No::RateLimited { retry_after: Some(wait) }), _) => {
            failure.hint(format!("Try again in {} s.", wait.as_secs()))
        }
        (_, Some(hint)) => failure.hint(hint),
        (_, None) => failure,
    }
}

/// Pieces of a secret this long or longer are taken out of a server's words (security.md G1).
const TELLING: usize = 8;

/// A failure in which no server's words repeat what was sent to it.
pub(super) fn without(failure: Failure, secrets: &[&Secret]) -> Failure {
    let clean = |text: &str| secrets.iter().fold(text.to_owned(), |text, secret| masked(&text, secret));
    Failure { why: clean(&failure.why), hint: failure.hint.as_deref().map(clean), ..failure }
}

/// The text with every piece of the secret in it replaced by one `…`.
fn masked(text: &str, secret: &Secret) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut telling = vec![false; characters.len()];
    for (at, window) in characters.windows(TELLING).enumerate() {
        if secret.expose().contains(&window.iter().collect::<String>()) {
            telling.iter_mut().skip(at).take(TELLING).for_each(|marked| *marked = true);
        }
    }
    let mut clean = String::with_capacity(text.len());
    for (character, marked) in characters.into_iter().zip(telling) {
        if !marked {
            clean.push(character);
        } else if !clean.ends_with('…') {
            clean.push('…');
        }
    }
    clean
}

fn refused(no: &No) -> (Kind, Option<&'static str>) {
    match no {
        No::InvalidToken(Reason::NotYet) => (Kind::NotValid, Some("Wait until it starts.")),
        No::InvalidToken(_) => (Kind::NotValid, Some("Make a new one.")),
        No::OldCopy => {
            (Kind::NotValid, Some("Find the newest copy; an older one in use can revoke the family."))
        }
        No::LacksCapability | No::NotYours => (Kind::NotValid, None),
        No::UsageRestricted => (Kind::NotValid, Some("Look it up to see which restriction it is.")),
        No::Provider { .. } | No::NoRefreshToken => {
            (Kind::NotValid, Some("The mytoken lives, but is of no use: make a new one."))
        }
        No::RateLimited { .. } | No::ServerBroke { .. } => {
            (Kind::Unreached, Some("Nothing is lost; try again later."))
        }
        No::AccessDenied | No::ExpiredCode | No::BadCode | No::Pending => {
            (Kind::Failed, Some("Start again."))
        }
        No::UnknownProvider
        | No::UnknownTemplate(_)
        | No::AlreadyEnded
        | No::NothingAllowed
        | No::NotOffered
        | No::Malformed { .. }
        | No::Unexpected { .. } => (Kind::Failed, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_repeats_a_token_does_not_get_it_onto_the_screen() {
        let secret = Secret::new("eyJhbGciOiJSUzI1NiJ9.canary-canary.signature");
        let echo = "the server says: cannot read eyJhbGciOiJSUzI1NiJ9.canary-canary.sig or canary-c";
        assert_eq!(masked(echo, &secret), "the server says: cannot read … or …");
        assert_eq!(masked("Session not active", &secret), "Session not active");
        assert_eq!(masked("short", &secret), "short");
    }
}
