//! What is asked for in a new mytoken. What comes may differ: see `asked` (mytoken-api.md §2.3.1, §12.14).

use serde_json::{Map, Value, json};

use super::discovery::Server;
use crate::domain::mytoken::{Capability, Clause, Rotation};
use crate::domain::untrusted::Untrusted;

/// The server breaks at longer names, and of a login only after the user has logged in (§2.3.1).
pub const LONGEST_NAME: usize = 89;

/// How the mytoken is handed out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// A JWT, which shows its content offline.
    #[default]
    Token,
    /// A short opaque one.
    Short,
}

/// An order for a new mytoken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// The provider to log in at, by its issuer in the spelling of the server's list.
    pub provider: Untrusted,
    /// Its name.
    pub name: Option<String>,
    /// What it may do; empty: the server's default, [`Order::wanted`].
    pub capabilities: Vec<Capability>,
    /// Its restrictions, one alternative each; empty: none.
    pub restrictions: Vec<Clause>,
    /// How it renews itself.
    pub rotation: Option<Rotation>,
    /// Its form.
    pub form: Form,
    /// Who asks, for the consent page: `toktui on laptop`.
    pub application: Option<String>,
}

/// Why an order is not worth sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No provider.
    #[error("no provider is chosen")]
    NoProvider,
    /// The login would fail after the user has logged in.
    #[error("the name is longer than {LONGEST_NAME} characters")]
    NameTooLong,
    /// Such a mytoken cannot be used: every request that would rotate it fails after 50 s (§2.3.6).
    #[error("a short mytoken cannot rotate: take the long form, or no rotation")]
    ShortRotates,
    /// The second other use of such a mytoken breaks the server (§4.7).
    #[error("a limit on other uses needs a limit on access tokens beside it, or the server fails")]
    OtherUsesAlone,
}

impl Order {
    /// What it is to be able to do: what was named, or the default of a login (§3.3).
    #[must_use]
    pub fn wanted(&self) -> Vec<Capability> {
        if self.capabilities.is_empty() {
            vec![Capability::new("AT"), Capability::new("tokeninfo")]
        } else {
            self.capabilities.clone()
        }
    }

    /// Whether it is worth sending.
    ///
    /// # Errors
    /// Names what would fail later, or at every use.
    pub fn check(&self) -> Result<(), Fault> {
        if self.provider.raw().trim().is_empty() {
            return Err(Fault::NoProvider);
        }
        if self.name.as_ref().is_some_and(|name| name.chars().count() > LONGEST_NAME) {
            return Err(Fault::NameTooLong);
        }
        let rotates = self.rotation.is_some_and(Rotation::rotates);
        if self.form == Form::Short && rotates {
            return Err(Fault::ShortRotates);
        }
        if self.restrictions.iter().any(|clause| clause.uses_other.is_some() && clause.uses_at.is_none()) {
            return Err(Fault::OtherUsesAlone);
        }
        Ok(())
    }

    /// The restrictions in it that this server drops without a word (§4.1): the user must know before it is sent.
    #[must_use]
    pub fn not_enforced_by(&self, server: &Server) -> Vec<String> {
        let clauses: Vec<_> = self.restrictions.iter().map(clause).collect();
        let mut dropped: Vec<String> = Vec::new();
        for name in clauses.iter().flat_map(Map::keys) {
            if server.enforces(name) == Some(false) && !dropped.contains(name) {
                dropped.push(name.clone());
            }
        }
        dropped
    }

    /// The request that starts the login. What is absent is left out: `null` and `""` mean other things (§2.1.1).
    pub(super) fn request(&self) -> Value {
        let mut request = Map::new();
        let mut put = |name: &str, value: Value| {
            let empty =
                value.is_null() || value.as_str() == Some("") || value.as_array().is_some_and(Vec::is_empty);
            if !empty {
                request.insert(name.to_owned(), value);
            }
        };
        put("grant_type", json!("oidc_flow"));
        put("oidc_flow", json!("authorization_code"));
        put("client_type", json!("native"));
        put("oidc_issuer", json!(self.provider.raw().trim()));
        put("name", json!(self.name.as_deref().map(str::trim)));
        put("application_name", json!(self.application.as_deref().map(str::trim)));
        put("capabilities", self.capabilities.iter().map(|capability| json!(capability.0.raw())).collect());
        // An empty clause is dropped by the server; what would be left may be no restriction at all.
        let clauses = self.restrictions.iter().map(clause).filter(|clause| !clause.is_empty());
        put("restrictions", clauses.map(Value::Object).collect());
        put("rotation", self.rotation.and_then(rotation).map_or(Value::Null, Value::Object));
        put("response_type", json!(if self.form == Form::Short { "short_token" } else { "token" }));
        Value::Object(request)
    }
}

/// A clause as the server wants it: moments as numbers, countries in capitals (§4.1: others match nothing).
fn clause(clause: &Clause) -> Map<String, Value> {
    let countries = |list: Option<&[Untrusted]>| {
        list.map(|list| list.iter().map(|code| code.raw().to_uppercase()).collect::<Vec<_>>())
    };
    let members = [
        ("nbf", json!(clause.not_before.map(jiff::Timestamp::as_second))),
        ("exp", json!(clause.expires.map(jiff::Timestamp::as_second))),
        ("scope", json!(texts(clause.scopes.as_deref()).map(|scopes| scopes.join(" ")))),
        ("audience", json!(texts(clause.audiences.as_deref()))),
        ("hosts", json!(texts(clause.hosts.as_deref()))),
        ("geoip_allow", json!(countries(clause.countries_allowed.as_deref()))),
        ("geoip_disallow", json!(countries(clause.countries_refused.as_deref()))),
        ("usages_AT", json!(clause.uses_at)),
        ("usages_other", json!(clause.uses_other)),
    ];
    members
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn texts(list: Option<&[Untrusted]>) -> Option<Vec<&str>> {
    list.map(|list| list.iter().map(Untrusted::raw).collect())
}

fn rotation(rotation: Rotation) -> Option<Map<String, Value>> {
    let members = [
        ("on_AT", json!(rotation.on_at.then_some(true))),
        ("on_other", json!(rotation.on_other.then_some(true))),
        ("lifetime", json!(rotation.lifetime)),
        ("auto_revoke", json!(rotation.auto_revoke.then_some(true))),
    ];
    let members: Map<_, _> = members
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    (!members.is_empty()).then_some(members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::from_epoch;

    fn order() -> Order {
        Order { provider: Untrusted::from("https://op.example.org"), ..Order::default() }
    }

    #[test]
    fn a_bare_order_sends_nothing_that_is_absent() {
        assert_eq!(
            Order { name: Some(" ".to_owned()), ..order() }.request(),
            json!({
                "grant_type": "oidc_flow", "oidc_flow": "authorization_code", "client_type": "native",
                "oidc_issuer": "https://op.example.org", "response_type": "token"
            })
        );
    }

    #[test]
    fn a_full_order_is_sent_in_numbers_and_capitals() {
        let texts = |list: &[&str]| Some(list.iter().copied().map(Untrusted::from).collect());
        let full = Order {
            name: Some("laptop:toar".to_owned()),
            capabilities: vec![Capability::new("AT")],
            restrictions: vec![
                Clause {
                    expires: Some(from_epoch(1_767_830_400)),
                    scopes: texts(&["openid", "profile"]),
                    audiences: texts(&["https://a"]),
                    countries_allowed: texts(&["de"]),
                    uses_at: Some(0),
                    ..Clause::default()
                },
                Clause::default(),
            ],
            rotation: Some(Rotation { on_at: true, lifetime: Some(86_400), ..Rotation::default() }),
            application: Some("toktui on laptop".to_owned()),
            ..order()
        };
        assert_eq!(
            full.request(),
            json!({
                "grant_type": "oidc_flow", "oidc_flow": "authorization_code", "client_type": "native",
                "oidc_issuer": "https://op.example.org", "name": "laptop:toar",
                "application_name": "toktui on laptop", "capabilities": ["AT"],
                "restrictions": [{
                    "exp": 1_767_830_400, "scope": "openid profile", "audience": ["https://a"],
                    "geoip_allow": ["DE"], "usages_AT": 0
                }],
                "rotation": {"on_AT": true, "lifetime": 86_400},
                "response_type": "token"
            })
        );
    }

    #[test]
    fn orders_that_the_server_would_break_on_are_not_sent() {
        let clause = Clause { uses_other: Some(5), ..Clause::default() };
        let rotation = Some(Rotation { on_other: true, ..Rotation::default() });
        let table = [
            (order(), Ok(())),
            (Order::default(), Err(Fault::NoProvider)),
            (Order { name: Some("ü".repeat(89)), ..order() }, Ok(())),
            (Order { name: Some("n".repeat(90)), ..order() }, Err(Fault::NameTooLong)),
            (Order { form: Form::Short, rotation, ..order() }, Err(Fault::ShortRotates)),
            (Order { form: Form::Short, ..order() }, Ok(())),
            (Order { restrictions: vec![clause.clone()], ..order() }, Err(Fault::OtherUsesAlone)),
            (Order { restrictions: vec![Clause { uses_at: Some(9), ..clause }], ..order() }, Ok(())),
        ];
        for (order, verdict) in table {
            assert_eq!(order.check(), verdict, "{order:?}");
        }
    }
}
