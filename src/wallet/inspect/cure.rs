//! What to do about a provider that was not reached, or is not believed.

use super::LONGEST;
use crate::domain::untrusted::Untrusted;
use crate::http;
use crate::oidc::discovery::{Difference, Fault};
use crate::oidc::{Cause, Error};

/// What to do about a discovery that failed.
pub(in crate::wallet) fn cure(error: &Error) -> Option<String> {
    let Error::Discovery(fault) = error else { return None };
    Some(match fault {
        Fault::OtherIssuer { said, how } => other_issuer(said, *how),
        Fault::NotAnIssuer => {
            "Write it with https and without a query, as the provider's documentation does.".to_owned()
        }
        Fault::Insecure { .. } | Fault::NotAnAddress(_) => {
            "Nothing is sent there; tell the provider's operator.".to_owned()
        }
        Fault::Exchange(cause) => not_had(cause)?,
    })
}

fn other_issuer(said: &Untrusted, how: Difference) -> String {
    match how {
        Difference::TrailingSlash | Difference::Case | Difference::Spelling | Difference::SafeScheme => {
            format!("An issuer is compared byte for byte: write {}.", said.shown_within(LONGEST))
        }
        Difference::Realm => format!(
            "Each realm is a provider of its own. If {} is the one you mean, write that; else check the realm's name.",
            said.shown_within(LONGEST)
        ),
        Difference::PlainScheme => {
            "Its tokens would name another issuer than the one you reached: tell its operator.".to_owned()
        }
        Difference::Port | Difference::Host | Difference::Path => format!(
            "Another provider speaks there. If {} is the one you mean, write that; else do not log in.",
            said.shown_within(LONGEST)
        ),
        Difference::Missing => "What answers there is no OpenID provider; check the address.".to_owned(),
    }
}

fn not_had(cause: &Cause) -> Option<String> {
    Some(match cause {
        Cause::Unanswered(error) if error.cure().is_some() => error.cure()?.to_owned(),
        Cause::Unanswered(http::Error::Unreachable { .. } | http::Error::TimedOut { .. }) => {
            "Check the address, the network, and a proxy (HTTPS_PROXY) if there is one.".to_owned()
        }
        Cause::Unanswered(http::Error::Redirected { to, .. }) => {
            format!("If the provider moved, use its new address; {to} was not asked.")
        }
        Cause::Refused(refusal) if matches!(refusal.status, 429 | 500..) => "Try again later.".to_owned(),
        Cause::Refused(_) => "No discovery document stands there: an issuer has its whole path (https://login.example.org/realms/name), and \
                              upper and lower case count."
            .to_owned(),
        Cause::Senseless(_) => "What answers there is no OpenID provider, or a page of the network in between.".to_owned(),
        Cause::Unanswered(_) | Cause::NotOffered(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_of_an_issuer_to_be_another_has_its_cure() {
        let said = Untrusted::from("https://op.example.org/x");
        for how in [Difference::TrailingSlash, Difference::Case, Difference::Spelling, Difference::SafeScheme]
        {
            assert!(other_issuer(&said, how).contains("write https://op.example.org/x"), "{how:?}");
        }
        for how in [Difference::Port, Difference::Host, Difference::Path] {
            assert!(other_issuer(&said, how).contains("do not log in"), "{how:?}");
        }
        assert!(other_issuer(&said, Difference::PlainScheme).contains("operator"));
        assert!(other_issuer(&said, Difference::Realm).contains("the realm's name"));
        assert!(other_issuer(&said, Difference::Missing).contains("no OpenID provider"));
    }
}
