//! From a room's error to the three parts of a failure, in one place.

use crate::domain::failure::{Failure, Kind};
use crate::domain::source::Source;
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
