//! What a mytoken server says about itself (mytoken-api.md §1).

use serde_json::{Map, Value};
use url::Url;

use super::{Error, reply};
use crate::domain::jwt;
use crate::domain::limit::Allowance;
use crate::domain::untrusted::Untrusted;
use crate::http::{self, Credentials, Http};

const PATH: &str = "/.well-known/mytoken-configuration";

/// A mytoken server, as far as it told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name for itself: `iss` of its mytokens.
    pub issuer: Untrusted,
    /// Gives access tokens.
    pub access_token: Url,
    /// Makes mytokens.
    pub mytoken: Url,
    /// Answers questions about mytokens; absent where all of them are switched off.
    pub tokeninfo: Option<Url>,
    /// Revokes.
    pub revocation: Option<Url>,
    /// Makes transfer codes.
    pub transfer: Option<Url>,
    /// The user's settings.
    pub settings: Option<Url>,
    /// Profiles and templates; named even where the feature is off.
    pub profiles: Option<Url>,
    /// Notifications; named even where the feature is off.
    pub notifications: Option<Url>,
    /// The providers behind it; with federation there can be hundreds.
    pub providers: Vec<Provider>,
    /// The restrictions it enforces; others it drops without a word. Empty: it did not tell.
    pub restriction_claims: Vec<Untrusted>,
    /// The forms it hands mytokens out in.
    pub response_types: Vec<Untrusted>,
    /// Ways to get a mytoken.
    pub grant_types: Vec<Untrusted>,
    /// Questions it answers. What is not listed here may work all the same.
    pub tokeninfo_actions: Vec<Untrusted>,
    /// Fingerprints of its SSH service.
    pub ssh_keys: Vec<Untrusted>,
    /// Where it is described.
    pub documentation: Option<Untrusted>,
    /// Its version: a hint, no more (§11).
    pub version: Option<Untrusted>,
}

/// A provider behind a mytoken server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its issuer, in the very spelling that requests must use.
    pub issuer: Untrusted,
    /// What the server's operator calls it.
    pub name: Option<Untrusted>,
    /// Scopes configured there.
    pub scopes: Vec<Untrusted>,
    /// Known through OpenID Federation.
    pub federated: bool,
}

impl Server {
    /// Whether the server enforces this restriction; `None` where it did not tell.
    #[must_use]
    pub fn enforces(&self, claim: &str) -> Option<bool> {
        (!self.restriction_claims.is_empty()).then(|| has(&self.restriction_claims, claim))
    }

    /// Whether it hands out mytokens in this form: what it does not list, it silently replaces (§2.3.1).
    #[must_use]
    pub fn hands_out(&self, response_type: &str) -> bool {
        has(&self.response_types, response_type)
    }

    /// Whether there is this way to a mytoken.
    #[must_use]
    pub fn grants(&self, grant_type: &str) -> bool {
        has(&self.grant_types, grant_type)
    }

    /// Whether it names this question among those that it answers. One that it does not name may be answered all the same,
    /// and `notifications` is never named (§1.1).
    #[must_use]
    pub fn answers(&self, action: &str) -> bool {
        self.tokeninfo.is_some() && has(&self.tokeninfo_actions, action)
    }

    /// Whether a transfer code can be redeemed here; a server that names no way at all is not held to it.
    #[must_use]
    pub fn redeems_codes(&self) -> bool {
        self.grant_types.is_empty() || self.grants("transfer_code")
    }

    /// Whether a transfer code can be made for a mytoken that is there.
    #[must_use]
    pub fn makes_codes(&self) -> bool {
        self.transfer.is_some() && self.redeems_codes()
    }

    /// Whether a new mytoken can be handed out as a transfer code. Where it is off a code still comes, and cannot be
    /// redeemed (§2.3.1).
    #[must_use]
    pub fn hands_out_codes(&self) -> bool {
        self.hands_out("transfer_code") && self.redeems_codes()
    }

    /// Whether mytokens can be made from a mytoken.
    #[must_use]
    pub fn makes_subtokens(&self) -> bool {
        self.grant_types.is_empty() || self.grants("mytoken")
    }

    /// Whether it is worth asking for profiles and templates: `false` is certain, `true` is not (§12.23).
    #[must_use]
    pub fn may_have_profiles(&self) -> bool {
        self.profiles.is_some()
    }
}

fn has(list: &[Untrusted], name: &str) -> bool {
    list.iter().any(|entry| entry.raw() == name)
}

/// Asks the server at `issuer` what it is.
///
/// # Errors
/// No answer, no mytoken server, one that calls itself something else, or one that would have mytokens sent
/// to another host.
pub async fn discover(http: &Http, issuer: &str) -> Result<Server, Error> {
    discover_and_allowance(http, issuer).await.map(|(server, _)| server)
}

/// The same, with what the server leaves of its limit on requests, where it told.
///
/// # Errors
/// As for [`discover`].
pub async fn discover_and_allowance(http: &Http, issuer: &str) -> Result<(Server, Option<Allowance>), Error> {
    let base = issuer_url(issuer).ok_or_else(|| Error::NotAnIssuer(Untrusted::from(issuer)))?;
    let mut url = base.clone();
    url.set_path(&format!("{}{PATH}", base.path().trim_end_matches('/')));
    let answer = http.get(&url, &Credentials::None).await?;
    if answer.status == 429 {
        return Err(super::No::of(&answer).into());
    }
    if !answer.is_success() {
        return Err(Error::NotAServer { host: http::host_of(&url), status: answer.status });
    }
    let content = reply::content(answer.bytes());
    let document = content.as_ref().and_then(reply::Wiped::object);
    let server = read(&base, document.ok_or(Error::Unreadable("its configuration is not JSON"))?)?;
    Ok((server, answer.allowance))
}

/// An issuer: `https`, or `http` on loopback, with a path at most.
fn issuer_url(text: &str) -> Option<Url> {
    let url = Url::parse(text.trim()).ok()?;
    let plain = url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    (plain && http::is_allowed(&url)).then_some(url)
}

fn read(base: &Url, document: &Map<String, Value>) -> Result<Server, Error> {
    let text = |name: &str| {
        document.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(Untrusted::from)
    };
    let issuer = text("issuer").ok_or(Error::Unreadable("its configuration names no issuer"))?;
    if !issuer_url(issuer.raw()).is_some_and(|says| is_same(&says, base)) {
        return Err(Error::OtherIssuer(issuer));
    }
    let endpoint = |name: &'static str| text(name).map(|url| own(base, name, &url)).transpose();
    let required = |url: Option<Url>| url.ok_or(Error::Unreadable("its configuration lacks an endpoint"));
    let access_token = match endpoint("access_token_endpoint")? {
        Some(url) => Some(url),
        None => endpoint("token_endpoint")?,
    };
    Ok(Server {
        issuer,
        access_token: required(access_token)?,
        mytoken: required(endpoint("mytoken_endpoint")?)?,
        tokeninfo: endpoint("tokeninfo_endpoint")?,
        revocation: endpoint("revocation_endpoint")?,
        transfer: endpoint("token_transfer_endpoint")?,
        settings: endpoint("usersettings_endpoint")?,
        profiles: endpoint("profiles_endpoint")?,
        notifications: endpoint("notifications_endpoint")?,
        providers: objects(document, "providers_supported").filter_map(provider).collect(),
        restriction_claims: jwt::texts(document.get("restriction_claims_supported")),
        response_types: jwt::texts(document.get("response_types_supported")),
        grant_types: jwt::texts(document.get("mytoken_endpoint_grant_types_supported")),
        tokeninfo_actions: jwt::texts(document.get("tokeninfo_endpoint_actions_supported")),
        ssh_keys: objects(document, "ssh_keys")
            .filter_map(|key| key.get("fingerprint").and_then(Value::as_str))
            .map(Untrusted::from)
            .collect(),
        documentation: text("service_documentation"),
        version: text("version"),
    })
}

/// The same server: an issuer may or may not end in a slash (§1).
fn is_same(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin() && one.path().trim_end_matches('/') == other.path().trim_end_matches('/')
}

/// An address to which mytokens may be sent: the server's own host, port and scheme.
pub(super) fn own(base: &Url, name: &'static str, url: &Untrusted) -> Result<Url, Error> {
    Url::parse(url.raw())
        .ok()
        .filter(|url| url.origin() == base.origin() && http::is_allowed(url))
        .filter(|url| url.username().is_empty() && url.password().is_none())
        .ok_or(Error::ForeignEndpoint { name })
}

fn objects<'a>(
    document: &'a Map<String, Value>,
    name: &str,
) -> impl Iterator<Item = &'a Map<String, Value>> + use<'a> {
    let list = document.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    list.iter().filter_map(Value::as_object)
}

fn provider(entry: &Map<String, Value>) -> Option<Provider> {
    let text = |name: &str| {
        entry.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(Untrusted::from)
    };
    // 0.9 and 0.10 say `oidc_fed`, later ones `oidfed`.
    let flag = |name: &str| entry.get(name).and_then(Value::as_bool).unwrap_or(false);
    Some(Provider {
        issuer: text("issuer")?,
        name: text("name"),
        scopes: jwt::texts(entry.get("scopes_supported")),
        federated: flag("oidfed") || flag("oidc_fed"),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn base() -> Url {
        Url::parse("https://mytoken.example.org/").expect("a URL")
    }

    fn document() -> Value {
        json!({
            "issuer": "https://mytoken.example.org",
            "access_token_endpoint": "https://mytoken.example.org/api/v0/token/access",
            "mytoken_endpoint": "https://mytoken.example.org/api/v0/token/my",
        })
    }

    fn with(name: &str, value: Value) -> Result<Server, Error> {
        let mut document = document();
        document[name] = value;
        read(&base(), document.as_object().expect("an object"))
    }

    #[test]
    fn a_server_with_every_feature_off_is_a_server() {
        let server = with("ssh_keys", Value::Null).expect("a server");
        assert_eq!((server.tokeninfo, server.revocation, server.version), (None, None, None));
        assert!(server.providers.is_empty());
        assert_eq!(with("x", json!(1)).expect("a server").enforces("exp"), None);
    }

    #[test]
    fn the_token_endpoint_stands_in_for_a_missing_access_token_endpoint() {
        let mut document = document();
        document["access_token_endpoint"] = Value::Null;
        document["token_endpoint"] = json!("https://mytoken.example.org/t");
        let server = read(&base(), document.as_object().expect("an object")).expect("a server");
        assert_eq!(server.access_token.path(), "/t");
    }

    #[test]
    fn a_server_is_who_it_says_it_is_or_nobody() {
        let table = [
            ("https://mytoken.example.org/", true),
            ("https://MYTOKEN.example.org:443", true),
            ("https://mytoken.example.org/x", false),
            ("https://mytoken.example.org:8443", false),
            ("http://mytoken.example.org", false),
            ("https://mytoken.example.org.evil.example", false),
            ("https://u@mytoken.example.org", false),
            ("https://mytoken.example.org?x", false),
            ("mytoken.example.org", false),
        ];
        for (issuer, same) in table {
            assert_eq!(with("issuer", json!(issuer)).is_ok(), same, "{issuer}");
        }
    }

    #[test]
    fn no_endpoint_may_be_on_another_host_port_or_without_tls() {
        for url in [
            "https://evil.example/api",
            "http://mytoken.example.org/api",
            "https://mytoken.example.org:444/api",
            "https://mytoken.example.org@evil.example/api",
            "//evil.example/api",
            "javascript:alert(1)",
        ] {
            for name in ["access_token_endpoint", "tokeninfo_endpoint", "profiles_endpoint"] {
                let refused = matches!(with(name, json!(url)), Err(Error::ForeignEndpoint { name: told }) if told == name);
                assert!(refused, "{name} {url}");
            }
        }
    }

    #[test]
    fn both_spellings_of_federation_are_read_and_a_nameless_provider_too() {
        let server = with(
            "providers_supported",
            json!([{"issuer": "a", "oidc_fed": true}, {"issuer": "b", "oidfed": true, "name": ""}, {"name": "c"}, 5]),
        )
        .expect("a server");
        assert_eq!(server.providers.len(), 2);
        assert!(server.providers.iter().all(|provider| provider.federated && provider.name.is_none()));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 12, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::hash_map("[a-z_]{1,8}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_member_of_whatever_type_makes_it_panic(value in any_json(), which in 0..6_usize) {
            let names = ["issuer", "mytoken_endpoint", "providers_supported", "ssh_keys", "version", "response_types_supported"];
            let _ = with(names[which], value);
        }
    }
}
