//! What the address says at which the browser ends: a code, a refusal, or nothing of ours (RFC 6749 §4.1.2, RFC 9207).
//!
//! It is read the same way whether the browser brought it to the loopback listener or the user pasted it.

use std::borrow::Cow;

use url::{Url, form_urlencoded};

use super::discovery::Metadata;
use super::pkce::{Attempt, is_same};
use super::{Error, words};
use crate::domain::secret::Secret;
use crate::domain::untrusted::Untrusted;
use crate::http::Refusal;

/// A longer text than this is not looked at: no redirect address comes near it.
const LONGEST_PASTE: usize = 64 << 10;

/// Parameters of the way *to* the provider: an address with one of these is one of its own pages.
const PROVIDERS_OWN: &[&str] = &[
    "response_type",
    "code_challenge",
    "redirect_uri",
    "request_uri",
    "client_id",
    "execution",
    "session_code",
];

/// What the answer to one login must carry.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// `state` as it was sent.
    pub state: Secret,
    /// The issuer that was asked.
    pub issuer: String,
    /// Whether the issuer promises to send `iss` (RFC 9207 §2.3): then its absence is an error.
    pub iss_promised: bool,
    /// The redirect address that was sent.
    pub redirect: Url,
}

impl Expectation {
    /// What answers `attempt` at the provider of `metadata`, sent to `redirect`.
    #[must_use]
    pub fn of(attempt: &Attempt, metadata: &Metadata, redirect: &Url) -> Self {
        Self {
            state: attempt.state.clone(),
            issuer: metadata.issuer.clone(),
            iss_promised: metadata.iss_parameter_promised,
            redirect: redirect.clone(),
        }
    }
}

/// How a login ends without a code: the provider's answer was ours, and it is this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// `access_denied`: the user, or the provider for him, said no.
    #[error("the sign-in was refused in the browser")]
    Denied,
    /// Any other `error`.
    #[error("{}", refused(.error, .description.as_ref()))]
    Refused {
        /// The code.
        error: Untrusted,
        /// Its description.
        description: Option<Untrusted>,
    },
    /// Another issuer answered than the one that was asked (RFC 9207 §2.4): its code is not used anywhere.
    #[error("another issuer answered: {}", .0.shown_within(200))]
    OtherIssuer(Untrusted),
    /// The issuer promises to name itself in its answer, and did not.
    #[error("the answer does not name its issuer, although the provider promises it")]
    NoIssuer,
}

/// Why a pasted text is of no use; the login goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Nothing is in it.
    #[error("nothing was pasted")]
    Nothing,
    /// It is where the login starts or happens, not where it ends.
    #[error("this is the address of the login page, not the one the browser ended on")]
    LoginPage,
    /// It holds neither a code nor an error.
    #[error("this is not the address the browser ended on: there is no code in it")]
    NoCode,
    /// It is of another login: an earlier one, or somebody else's.
    #[error("this address belongs to another login: its state is not ours")]
    OtherLogin,
    /// A parameter stands in it twice.
    #[error("this address says the same thing twice; copy it again")]
    Doubled,
}

/// What is none of ours. It is answered, and the login goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stray {
    /// `state` is missing or is not the one that was sent.
    State,
    /// A parameter that counts stands there twice.
    Doubled,
    /// Neither code nor error.
    Empty,
}

/// Reads the query of a redirect address.
pub(super) fn read(query: &str, expected: &Expectation) -> Result<Result<Secret, Fault>, Stray> {
    let [state, iss, code, error, description] =
        picked(query, ["state", "iss", "code", "error", "error_description"])?;
    if !state.is_some_and(|state| is_same(&expected.state, &state)) {
        return Err(Stray::State);
    }
    if code.is_none() && error.is_none() {
        return Err(Stray::Empty);
    }
    Ok(match (iss, error, code) {
        (Some(iss), _, _) if iss != expected.issuer => Err(Fault::OtherIssuer(Untrusted::from(&*iss))),
        (None, _, _) if expected.iss_promised => Err(Fault::NoIssuer),
        (_, Some(error), _) if error == "access_denied" => Err(Fault::Denied),
        (_, Some(error), _) => Err(Fault::Refused {
            error: Untrusted::from(&*error),
            description: description.map(|text| Untrusted::from(&*text)),
        }),
        (_, None, code) => Ok(Secret::new(code.unwrap_or_default())),
    })
}

/// The values of the named parameters, each of which may stand there once (RFC 6749 §3.1).
fn picked<'a, const N: usize>(query: &'a str, names: [&str; N]) -> Result<[Option<Cow<'a, str>>; N], Stray> {
    let mut found = [const { None }; N];
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let slots = names.iter().zip(found.iter_mut());
        if let Some((_, slot)) = slots.into_iter().find(|(wanted, _)| **wanted == name)
            && slot.replace(value).is_some()
        {
            return Err(Stray::Doubled);
        }
    }
    Ok(found)
}

/// Reads what the user pasted: the whole redirect address, also with blanks, line breaks and quotes around or inside,
/// or only its query.
///
/// # Errors
/// [`Error::Pasted`] where it is not of this login, which then goes on; [`Error::Authorization`] where it is and says no.
pub fn parse_pasted(text: &str, expected: &Expectation) -> Result<Secret, Error> {
    let bare = |c: char| !(c.is_whitespace() || c.is_control() || "\"'`<>\u{200b}\u{feff}".contains(c));
    let text: String = text.chars().take(LONGEST_PASTE).filter(|c| bare(*c)).collect();
    if text.is_empty() {
        return Err(Error::Pasted(Unusable::Nothing));
    }
    let without_fragment = text.split('#').next().unwrap_or_default();
    let query = without_fragment.split_once('?').map_or(without_fragment, |(_, query)| query);
    match read(query, expected) {
        Ok(outcome) => outcome.map_err(Error::Authorization),
        Err(_) if is_providers_page(&text, query, expected) => Err(Error::Pasted(Unusable::LoginPage)),
        Err(Stray::Doubled) => Err(Error::Pasted(Unusable::Doubled)),
        Err(Stray::State) if has_answer(query) || has_state(query) => {
            Err(Error::Pasted(Unusable::OtherLogin))
        }
        Err(Stray::Empty | Stray::State) => Err(Error::Pasted(Unusable::NoCode)),
    }
}

/// Whether a query holds an answer to some login.
pub(super) fn has_answer(query: &str) -> bool {
    form_urlencoded::parse(query.as_bytes()).any(|(name, _)| matches!(&*name, "code" | "error"))
}

fn has_state(query: &str) -> bool {
    form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "state")
}

/// Whether the address is one of the provider's pages: by its parameters, or by standing on the issuer's host.
fn is_providers_page(text: &str, query: &str, expected: &Expectation) -> bool {
    let mut names = form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name);
    let on_its_way = names.any(|name| PROVIDERS_OWN.contains(&&*name));
    let origin = |text: &str| Url::parse(text).ok().map(|url| url.origin());
    let (pasted, issuer) = (origin(text), origin(&expected.issuer));
    on_its_way || (pasted.is_some() && pasted == issuer && pasted != Some(expected.redirect.origin()))
}

fn refused(error: &Untrusted, description: Option<&Untrusted>) -> String {
    let refusal =
        Refusal { status: 302, error: error.clone(), description: description.cloned(), retry_after: None };
    words(&refusal)
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the tests of this room expect: state `st-1`, issuer `https://op.example.org/x`.
    pub(in crate::oidc) fn expectation(iss_promised: bool) -> Expectation {
        Expectation {
            state: Secret::new("st-1"),
            issuer: "https://op.example.org/x".to_owned(),
            iss_promised,
            redirect: Url::parse("http://127.0.0.1:45123/callback").expect("address"),
        }
    }

    const ISS: &str = "iss=https%3A%2F%2Fop.example.org%2Fx";

    #[test]
    fn the_issuer_in_the_answer_is_checked_as_rfc_9207_says() {
        let code = || Ok(Ok(Secret::new("c-1")));
        let other = |iss: &str| Ok(Err(Fault::OtherIssuer(Untrusted::from(iss))));
        let table = [
            (false, String::new(), code()),
            (false, format!("&{ISS}"), code()),
            (false, "&iss=https://evil.example.org".to_owned(), other("https://evil.example.org")),
            (true, format!("&{ISS}"), code()),
            (true, String::new(), Ok(Err(Fault::NoIssuer))),
            (true, format!("&{ISS}%2F"), other("https://op.example.org/x/")),
            (false, "&iss=".to_owned(), other("")),
            (false, format!("&{ISS}&{ISS}"), Err(Stray::Doubled)),
        ];
        for (promised, rest, verdict) in table {
            let query = format!("state=st-1&code=c-1{rest}");
            assert_eq!(read(&query, &expectation(promised)), verdict, "{promised} {query}");
        }
    }

    #[test]
    fn refusals_are_told_apart_and_count_with_our_state_only() {
        let expected = expectation(false);
        assert_eq!(read("error=access_denied&state=st-1", &expected), Ok(Err(Fault::Denied)));
        let scope = read("error=invalid_scope&error_description=Invalid+scopes%3A+x&state=st-1", &expected);
        let fault =
            Fault::Refused { error: "invalid_scope".into(), description: Some("Invalid scopes: x".into()) };
        assert_eq!(fault.to_string(), "the server says: Invalid scopes: x (invalid_scope)");
        assert_eq!(scope, Ok(Err(fault)));
        for stray in ["error=access_denied", "error=access_denied&state=", "error=access_denied&state=st-2"] {
            assert_eq!(read(stray, &expected), Err(Stray::State), "{stray}");
        }
        let with_both = read("error=server_error&code=c-1&state=st-1", &expected);
        assert!(matches!(with_both, Ok(Err(Fault::Refused { .. }))));
    }

    #[test]
    fn a_pasted_address_is_understood_however_it_was_cut() {
        let expected = expectation(false);
        let accepted = [
            "http://127.0.0.1:45123/callback?state=st-1&code=c-1",
            "  http://127.0.0.1:45123/call\n  back?sta\r\nte=st-1&session_state=x&co de=c-1\n\n",
            "\"http://127.0.0.1:45123/callback?code=c-1&state=st-1\"",
            "<http://127.0.0.1:45123/callback?code=c-1&state=st-1>",
            "http://127.0.0.1:45123/callback?code=c-1&state=st-1#_=_",
            "127.0.0.1:45123/callback?code=c-1&state=st-1",
            "http://localhost:45123/callback?code=c-1&state=st-1",
            "?code=c-1&state=st-1",
            "code=c-1&state=st-1",
            "state=st-1&code=c%2D1",
        ];
        for text in accepted {
            let code = parse_pasted(text, &expected).expect(text);
            assert_eq!(code.expose(), "c-1", "{text}");
        }
    }

    #[test]
    fn a_pasted_text_that_is_of_no_use_is_told_why() {
        let expected = expectation(false);
        let table = [
            ("", Unusable::Nothing),
            (" \n ", Unusable::Nothing),
            (
                "https://op.example.org/auth?response_type=code&client_id=x&state=st-1&nonce=n",
                Unusable::LoginPage,
            ),
            ("https://op.example.org/x/login-actions/authenticate?execution=1&tab_id=2", Unusable::LoginPage),
            ("https://op.example.org/x/login-actions/authenticate?code=9&execution=1", Unusable::LoginPage),
            ("https://op.example.org/x/device", Unusable::LoginPage),
            ("https://idp.uni.example/saml?client_id=7", Unusable::LoginPage),
            ("https://example.org/", Unusable::NoCode),
            ("eyJhbGciOiJSUzI1NiJ9.e30.c2ln", Unusable::NoCode),
            ("http://127.0.0.1:45123/callback", Unusable::NoCode),
            ("http://127.0.0.1:45123/callback?state=st-1", Unusable::NoCode),
            ("http://127.0.0.1:45123/callback?code=c-1", Unusable::OtherLogin),
            ("http://127.0.0.1:45123/callback?code=c-1&state=st-2", Unusable::OtherLogin),
            ("http://127.0.0.1:45123/callback?code=c-1&state=st-", Unusable::OtherLogin),
            ("http://127.0.0.1:45123/callback?code=c-1&state=st-1&code=c-2", Unusable::Doubled),
        ];
        for (text, verdict) in table {
            assert_eq!(parse_pasted(text, &expected), Err(Error::Pasted(verdict)), "{text}");
        }
        let denied = parse_pasted("?error=access_denied&state=st-1", &expected);
        assert_eq!(denied, Err(Error::Authorization(Fault::Denied)));
    }

    proptest! {
        #[test]
        fn no_pasted_text_makes_the_reader_panic_or_is_accepted(text in "\\PC{0,200}|[\\x00-\\x7f]{0,200}") {
            prop_assert!(parse_pasted(&text, &expectation(false)).is_err());
        }

        #[test]
        fn an_address_broken_anywhere_by_blanks_is_whole_again(
            cuts in proptest::collection::vec((0_usize..52, "[ \n\r\t]{1,3}"), 0..8)
        ) {
            let mut text = "http://127.0.0.1:45123/callback?state=st-1&code=c-1".to_owned();
            for (at, blanks) in cuts {
                text.insert_str(at.min(text.len()), &blanks);
            }
            prop_assert!(parse_pasted(&text, &expectation(false)).is_ok());
        }

        #[test]
        fn no_state_but_the_right_one_is_accepted(state in "(st-1?)?[a-z0-9%+-]{0,6}", doubled in any::<bool>()) {
            let decoded = form_urlencoded::parse(format!("s={state}").as_bytes()).next()
                .map(|(_, value)| value.into_owned());
            prop_assume!(doubled || decoded.as_deref() != Some("st-1"));
            let twice = if doubled { "&state=st-1" } else { "" };
            let query = format!("code=c-1&state={state}{twice}");
            prop_assert!(read(&query, &expectation(false)).is_err());
        }
    }
}
