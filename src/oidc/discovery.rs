//! What a provider says about itself (OpenID Connect Discovery 1.0 §4), and how much of it is believed.

use jiff::Timestamp;
use serde_json::{Map, Value};
use url::Url;

use super::{Cause, Error};
use crate::domain::untrusted::Untrusted;
use crate::http::{self, Credentials, Http, host_of, is_allowed, is_loopback};

/// Where the document stands below the issuer.
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// Why a discovery document is not had or not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The issuer is no `https` address (or `http` on loopback), or carries a query, a fragment or a user.
    #[error("an issuer is an https address without query, such as https://aai.example.org/realms/x")]
    NotAnIssuer,
    /// The document was not had.
    #[error(transparent)]
    Exchange(#[from] Cause),
    /// It speaks for another issuer.
    #[error("{}", .how.words(.said))]
    OtherIssuer {
        /// What the document says.
        said: Untrusted,
        /// In what the two differ.
        how: Difference,
    },
    /// An endpoint is plain `http`, or no address that may be talked to.
    #[error("its {name} is {host} without a safe connection; that is refused")]
    Insecure {
        /// The field.
        name: &'static str,
        /// Host and port, cleaned.
        host: String,
    },
    /// An endpoint is no address at all, or one with a user name in it.
    #[error("its {0} is no usable address")]
    NotAnAddress(&'static str),
}

/// In what an issuer differs from the one that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// A slash at the end.
    TrailingSlash,
    /// Upper and lower case.
    Case,
    /// It says `http` where `https` was asked.
    PlainScheme,
    /// It says `https` where `http` was asked.
    SafeScheme,
    /// The port.
    Port,
    /// The host.
    Host,
    /// The realm of a Keycloak (`…/realms/NAME`).
    Realm,
    /// The path.
    Path,
    /// Another spelling of the same address, such as `:443`, or no address.
    Spelling,
    /// It names none.
    Missing,
}

impl Difference {
    fn between(asked: &str, said: &str) -> Self {
        if said.is_empty() {
            return Self::Missing;
        }
        if asked.trim_end_matches('/') == said.trim_end_matches('/') {
            return Self::TrailingSlash;
        }
        if asked.eq_ignore_ascii_case(said) {
            return Self::Case;
        }
        let (Ok(asked), Ok(said)) = (Url::parse(asked), Url::parse(said)) else { return Self::Spelling };
        if asked.host() != said.host() {
            Self::Host
        } else if asked.scheme() != said.scheme() {
            if said.scheme() == "http" { Self::PlainScheme } else { Self::SafeScheme }
        } else if asked.port_or_known_default() != said.port_or_known_default() {
            Self::Port
        } else if asked.path() != said.path() {
            let server = |url: &Url| url.path().split_once("/realms/").map(|(server, _)| server.to_owned());
            let same_server = server(&asked).is_some_and(|at| server(&said) == Some(at));
            if same_server { Self::Realm } else { Self::Path }
        } else {
            Self::Spelling
        }
    }

    fn words(self, said: &Untrusted) -> String {
        let what = match self {
            Self::TrailingSlash => "a slash at its end",
            Self::Case => "upper and lower case",
            Self::PlainScheme => "http instead of https",
            Self::SafeScheme => "https instead of http",
            Self::Port => "another port",
            Self::Host => "another host",
            Self::Realm => "another realm",
            Self::Path => "another path",
            Self::Spelling => "another spelling",
            Self::Missing => return "its document names no issuer".to_owned(),
        };
        format!("it calls itself {}, which differs by {what}", said.shown_within(200))
    }
}

/// A discovery document whose issuer is the one that was asked. Nothing but the issuer is required here: what a
/// step needs and does not find is [`Cause::NotOffered`] there.
#[derive(Clone, Debug, PartialEq)]
pub struct Metadata {
    /// `issuer`, byte for byte.
    pub issuer: String,
    /// `authorization_endpoint`.
    pub authorization: Option<Url>,
    /// `token_endpoint`.
    pub token: Option<Url>,
    /// `device_authorization_endpoint` (RFC 8628 §4).
    pub device: Option<Url>,
    /// `userinfo_endpoint`.
    pub userinfo: Option<Url>,
    /// `introspection_endpoint` (RFC 8414 §2).
    pub introspection: Option<Url>,
    /// `revocation_endpoint` (RFC 8414 §2).
    pub revocation: Option<Url>,
    /// `end_session_endpoint`.
    pub end_session: Option<Url>,
    /// `jwks_uri`.
    pub jwks: Option<Url>,
    /// `registration_endpoint`.
    pub registration: Option<Url>,
    /// `pushed_authorization_request_endpoint` (RFC 9126 §5).
    pub pushed: Option<Url>,
    /// `require_pushed_authorization_requests` (RFC 9126 §5).
    pub pushed_required: bool,
    /// `scopes_supported`.
    pub scopes_supported: Vec<Untrusted>,
    /// `code_challenge_methods_supported`; empty where it is missing, which says nothing.
    pub pkce_methods: Vec<Untrusted>,
    /// `authorization_response_iss_parameter_supported` (RFC 9207 §3).
    pub iss_parameter_promised: bool,
    /// `grant_types_supported`; empty where it is missing.
    pub grant_types: Vec<Untrusted>,
    /// `token_endpoint_auth_methods_supported`. Keycloak leaves `none` out although it works.
    pub auth_methods: Vec<Untrusted>,
    /// Host and port of every endpoint that is not on the issuer's own host, each once, cleaned: to be confirmed
    /// before anything is sent there (security.md B1).
    pub foreign_hosts: Vec<String>,
    /// The provider's clock when it told us (`Date`), to measure ours by.
    pub date: Option<Timestamp>,
    /// The document as it came, for showing.
    pub document: Map<String, Value>,
}

/// An endpoint of an earlier discovery document, if it may still be asked.
#[must_use]
pub fn kept_endpoint(address: &str) -> Option<Url> {
    Url::parse(address).ok().filter(is_allowed)
}

/// Reads the discovery document of `issuer` (as the user or a preset wrote it).
///
/// # Errors
/// [`Error::Discovery`].
pub async fn discover(http: &Http, issuer: &str) -> Result<Metadata, Error> {
    let address = well_known(issuer).map_err(Error::Discovery)?;
    fetch(http, issuer, &address).await.map_err(Error::Discovery)
}

/// Reads the discovery document of `issuer` from another place than the standard's.
///
/// # Errors
/// [`Error::Discovery`].
pub async fn discover_at(http: &Http, issuer: &str, document: &str) -> Result<Metadata, Error> {
    well_known(issuer).map_err(Error::Discovery)?;
    let address = Url::parse(document).ok().filter(is_allowed);
    let address = address.ok_or(Error::Discovery(Fault::NotAnAddress("document")))?;
    fetch(http, issuer, &address).await.map_err(Error::Discovery)
}

/// The address of the document: appended to the issuer, of which one trailing slash is taken (§4.1).
fn well_known(issuer: &str) -> Result<Url, Fault> {
    let base = issuer.strip_suffix('/').unwrap_or(issuer);
    let plain = Url::parse(issuer).ok().filter(|url| {
        is_allowed(url)
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    });
    let address = plain.and_then(|_| Url::parse(&format!("{base}{WELL_KNOWN}")).ok());
    address.ok_or(Fault::NotAnIssuer)
}

async fn fetch(http: &Http, issuer: &str, address: &Url) -> Result<Metadata, Fault> {
    let answer = http.get(address, &Credentials::None).await.map_err(Cause::Unanswered)?;
    match answer.json() {
        Some(Value::Object(document)) if answer.is_success() => {
            Ok(Metadata { date: answer.date, ..read(issuer, document)? })
        }
        _ if answer.is_success() => Err(Cause::Senseless("it is no discovery document").into()),
        _ => Err(Cause::Refused(answer.refusal()).into()),
    }
}

/// Judges a document that was asked from `issuer`.
fn read(issuer: &str, document: Map<String, Value>) -> Result<Metadata, Fault> {
    let said = document.get("issuer").and_then(Value::as_str).unwrap_or_default();
    if said != issuer {
        return Err(Fault::OtherIssuer {
            said: Untrusted::from(said),
            how: Difference::between(issuer, said),
        });
    }
    let home = Url::parse(issuer).map_err(|_| Fault::NotAnIssuer)?;
    let mut foreign = Vec::new();
    let mut endpoint = |name: &'static str| -> Result<Option<Url>, Fault> {
        let url = endpoint(&document, name, &home)?;
        if let Some(host) = url.as_ref().map(host_of).filter(|host| *host != host_of(&home))
            && !foreign.contains(&host)
        {
            foreign.push(host);
        }
        Ok(url)
    };
    Ok(Metadata {
        issuer: issuer.to_owned(),
        authorization: endpoint("authorization_endpoint")?,
        token: endpoint("token_endpoint")?,
        device: endpoint("device_authorization_endpoint")?,
        userinfo: endpoint("userinfo_endpoint")?,
        introspection: endpoint("introspection_endpoint")?,
        revocation: endpoint("revocation_endpoint")?,
        end_session: endpoint("end_session_endpoint")?,
        jwks: endpoint("jwks_uri")?,
        registration: endpoint("registration_endpoint")?,
        pushed: endpoint("pushed_authorization_request_endpoint")?,
        pushed_required: is_true(&document, "require_pushed_authorization_requests"),
        scopes_supported: list(&document, "scopes_supported"),
        pkce_methods: list(&document, "code_challenge_methods_supported"),
        iss_parameter_promised: is_true(&document, "authorization_response_iss_parameter_supported"),
        grant_types: list(&document, "grant_types_supported"),
        auth_methods: list(&document, "token_endpoint_auth_methods_supported"),
        foreign_hosts: foreign,
        date: None,
        document,
    })
}

/// An endpoint. Plain `http` is believed only of an issuer that is itself on loopback: a public provider must not be
/// able to send our tokens to a port of this machine.
fn endpoint(document: &Map<String, Value>, name: &'static str, home: &Url) -> Result<Option<Url>, Fault> {
    let text = match document.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) if text.is_empty() => return Ok(None),
        Some(Value::String(text)) => text,
        Some(_) => return Err(Fault::NotAnAddress(name)),
    };
    let url = Url::parse(text).map_err(|_| Fault::NotAnAddress(name))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Fault::NotAnAddress(name));
    }
    if !is_allowed(&url) || (url.scheme() == "http" && !is_loopback(home)) {
        return Err(Fault::Insecure { name, host: host_of(&url) });
    }
    Ok(Some(url))
}

fn list(document: &Map<String, Value>, name: &str) -> Vec<Untrusted> {
    crate::domain::jwt::texts(document.get(name))
}

fn is_true(document: &Map<String, Value>, name: &str) -> bool {
    matches!(document.get(name), Some(Value::Bool(true))) || document.get(name).is_some_and(|v| v == "true")
}

impl Metadata {
    /// A list of the document that nothing here depends on, for showing: `prompt_values_supported`.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<Untrusted> {
        list(&self.document, name)
    }

    /// Whether it lists PKCE methods and S256 is not among them: then no login by browser is offered, since nothing weaker is sent
    /// (RFC 9700 §2.1.1). Where it lists none S256 is sent all the same: a provider that does not know it leaves it alone (RFC 7636 §5).
    #[must_use]
    pub fn lacks_s256(&self) -> bool {
        !self.pkce_methods.is_empty()
            && !self.pkce_methods.iter().any(|method| method.raw() == super::pkce::METHOD)
    }
}

/// An endpoint that a step cannot do without.
pub(super) fn needed<'a>(endpoint: Option<&'a Url>, name: &'static str) -> Result<&'a Url, Cause> {
    endpoint.ok_or(Cause::NotOffered(name))
}

impl From<http::Error> for Fault {
    fn from(error: http::Error) -> Self {
        Self::Exchange(error.into())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const ISSUER: &str = "https://op.example.org/realms/x";

    fn judged(issuer: &str, document: Value) -> Result<Metadata, Fault> {
        match document {
            Value::Object(document) => read(issuer, document),
            other => unreachable!("{other}"),
        }
    }

    /// The document of a provider with this authorization endpoint.
    pub(in crate::oidc) fn metadata(authorization: &str) -> Metadata {
        judged(ISSUER, json!({"issuer": ISSUER, "authorization_endpoint": authorization})).expect("good")
    }

    fn with(name: &str, value: Value) -> Result<Metadata, Fault> {
        let mut document = json!({"issuer": ISSUER, "token_endpoint": "https://op.example.org/token"});
        document[name] = value;
        judged(ISSUER, document)
    }

    #[test]
    fn the_document_stands_below_the_issuer_whatever_its_slash() {
        let table = [
            (ISSUER, Some("https://op.example.org/realms/x/.well-known/openid-configuration")),
            ("https://op.example.org/", Some("https://op.example.org/.well-known/openid-configuration")),
            ("https://op.example.org", Some("https://op.example.org/.well-known/openid-configuration")),
            (
                "https://op.example.org/a//",
                Some("https://op.example.org/a//.well-known/openid-configuration"),
            ),
            ("http://127.0.0.1:8180/x", Some("http://127.0.0.1:8180/x/.well-known/openid-configuration")),
            ("http://op.example.org", None),
            ("https://op.example.org?x", None),
            ("https://op.example.org/#x", None),
            ("https://a@op.example.org/", None),
            ("op.example.org", None),
            ("file:///etc/passwd", None),
            ("", None),
        ];
        for (issuer, expected) in table {
            let address = well_known(issuer).ok();
            assert_eq!(address.as_ref().map(Url::as_str), expected, "{issuer}");
        }
    }

    #[test]
    fn an_issuer_must_be_the_same_byte_for_byte_and_each_difference_has_its_name() {
        let table = [
            ("https://op.example.org/realms/x/", Difference::TrailingSlash),
            ("https://op.example.org/Realms/x", Difference::Case),
            ("https://OP.example.org/realms/x", Difference::Case),
            ("HTTPS://op.example.org/realms/x", Difference::Case),
            ("http://op.example.org/realms/x", Difference::PlainScheme),
            ("https://op.example.org:8443/realms/x", Difference::Port),
            ("https://op.example.net/realms/x", Difference::Host),
            ("https://op.example.org.evil.net/realms/x", Difference::Host),
            ("https://op.example.org/realms/y", Difference::Realm),
            ("https://op.example.org/auth/realms/x", Difference::Path),
            ("https://op.example.org/", Difference::Path),
            ("https://op.example.org:443/realms/x", Difference::Spelling),
            ("https://op.example.org/realms/x?", Difference::Spelling),
            (" https://op.example.org/realms/x", Difference::Spelling),
            ("op", Difference::Spelling),
            ("", Difference::Missing),
        ];
        for (said, expected) in table {
            let fault = judged(ISSUER, json!({"issuer": said})).expect_err(said);
            assert_eq!(fault, Fault::OtherIssuer { said: said.into(), how: expected }, "{said}");
        }
        let near = "http://localhost:8180/x";
        let fault = judged(near, json!({"issuer": "https://localhost:8180/x"})).expect_err("another scheme");
        assert!(matches!(fault, Fault::OtherIssuer { how: Difference::SafeScheme, .. }));
        for odd in [json!({}), json!({"issuer": 7}), json!({"issuer": [ISSUER]})] {
            let fault = judged(ISSUER, odd).expect_err("no issuer");
            assert!(matches!(fault, Fault::OtherIssuer { how: Difference::Missing, .. }));
        }
    }

    #[test]
    fn an_unsafe_endpoint_is_refused_and_named() {
        let name = "revocation_endpoint";
        let unsafe_ones = [
            "http://op.example.org/r",
            "http://127.0.0.1:5/r",
            "ftp://op.example.org/r",
            "javascript:alert(1)",
            "file:///etc/passwd",
        ];
        for address in unsafe_ones {
            let fault = with(name, json!(address)).expect_err(address);
            assert!(matches!(fault, Fault::Insecure { name: named, .. } if named == name), "{address}");
        }
        for address in
            [json!("op/r"), json!("https://"), json!("https://op.example.org@evil.net/r"), json!(7)]
        {
            assert_eq!(with(name, address.clone()), Err(Fault::NotAnAddress(name)), "{address}");
        }
        for nothing in [json!(null), json!("")] {
            assert_eq!(with(name, nothing).expect("absent").revocation, None);
        }
    }

    #[test]
    fn plain_http_is_believed_of_a_provider_on_loopback_only() {
        let near = "http://127.0.0.1:8180/x";
        let metadata = judged(near, json!({"issuer": near, "token_endpoint": "http://127.0.0.1:8180/t"}))
            .expect("all on loopback");
        assert_eq!(metadata.foreign_hosts, Vec::<String>::new());
        let far = judged(near, json!({"issuer": near, "token_endpoint": "http://op.example.org/t"}));
        assert!(matches!(far, Err(Fault::Insecure { .. })));
    }

    #[test]
    fn other_hosts_are_allowed_and_listed_once() {
        let metadata = judged(
            ISSUER,
            json!({"issuer": ISSUER, "token_endpoint": "https://t.example.org/t",
                "jwks_uri": "https://t.example.org/k", "userinfo_endpoint": "https://op.example.org:444/u",
                "authorization_endpoint": "https://op.example.org/a"}),
        );
        assert_eq!(metadata.expect("good").foreign_hosts, ["t.example.org", "op.example.org:444"]);
    }

    #[test]
    fn lists_of_the_wrong_type_say_nothing() {
        let metadata = with("code_challenge_methods_supported", json!({"S256": true})).expect("good");
        assert!(!metadata.lacks_s256());
        assert!(with("code_challenge_methods_supported", json!(["plain"])).expect("good").lacks_s256());
        assert!(
            !with("code_challenge_methods_supported", json!(["plain", "S256"])).expect("good").lacks_s256()
        );
        assert!(
            !with("authorization_response_iss_parameter_supported", json!(1))
                .expect("good")
                .iss_parameter_promised
        );
    }

    /// A verdict in words, as the file has it.
    fn verdict(fault: &Fault) -> String {
        match fault {
            Fault::NotAnIssuer => "not_an_issuer".to_owned(),
            Fault::Exchange(_) => "not_had".to_owned(),
            Fault::OtherIssuer { how, .. } => {
                let how = match how {
                    Difference::TrailingSlash => "trailing_slash",
                    Difference::Case => "case",
                    Difference::PlainScheme => "plain_scheme",
                    Difference::SafeScheme => "safe_scheme",
                    Difference::Realm => "realm",
                    Difference::Port => "port",
                    Difference::Host => "host",
                    Difference::Path => "path",
                    Difference::Spelling => "spelling",
                    Difference::Missing => "missing",
                };
                format!("other_issuer {how}")
            }
            Fault::Insecure { name, .. } => format!("insecure {name}"),
            Fault::NotAnAddress(name) => format!("not_an_address {name}"),
        }
    }

    #[test]
    fn every_stored_document_gets_its_verdict() {
        let vectors = include_str!("../../tests/vectors/discovery.jsonl").lines();
        let vectors: Vec<Value> = vectors.map(|line| serde_json::from_str(line).expect("JSON")).collect();
        for vector in &vectors {
            let (name, asked) = (&vector["name"], vector["asked"].as_str().expect("an issuer"));
            let judged = well_known(asked).and_then(|_| judged(asked, vector["document"].clone()));
            let said = judged.as_ref().map_or_else(verdict, |_| "accept".to_owned());
            assert_eq!(said, vector["verdict"], "{name}: {}", vector["wrong"]);
            let Ok(metadata) = judged else { continue };
            let more = [
                ("foreign_hosts", json!(metadata.foreign_hosts)),
                ("lacks_s256", json!(metadata.lacks_s256())),
                ("pushed_required", json!(metadata.pushed_required)),
            ];
            for (what, found) in more {
                assert!(
                    vector["also"].get(what).is_none_or(|wanted| *wanted == found),
                    "{name}: {what} {found}"
                );
            }
        }
        let lying = vectors.iter().filter(|vector| vector["verdict"] != "accept").count();
        assert!(lying >= 25, "{lying} of {}", vectors.len());
    }

    proptest! {
        #[test]
        fn no_document_makes_the_reader_panic(
            said in ".{0,40}", address in ".{0,60}", name in "(token|revocation|userinfo)_endpoint|jwks_uri|issuer"
        ) {
            let mut document = json!({"issuer": said});
            document[name] = json!(address);
            drop(judged(&said, document));
        }

        #[test]
        fn no_issuer_but_the_asked_one_is_believed(said in "https://[a-zA-Z./:]{1,30}") {
            prop_assume!(said != ISSUER);
            let document = json!({"issuer": said});
            prop_assert!(judged(ISSUER, document).is_err());
        }
    }
}
