//! An order for a new mytoken as the server wants to read it (mytoken-api.md §2.3.1).

use serde_json::{Map, Value, json};

use super::discovery::Server;
use crate::domain::mytoken::{Clause, Rotation, Wanted};

/// The restrictions in an order that this server drops without a word (§4.1): the user must know before it is sent.
#[must_use]
pub fn not_enforced(wanted: &Wanted, server: &Server) -> Vec<String> {
    let clauses: Vec<_> = wanted.restrictions.iter().map(Clause::to_json).collect();
    let mut dropped: Vec<String> = Vec::new();
    for name in clauses.iter().flat_map(Map::keys) {
        if server.enforces(name) == Some(false) && !dropped.contains(name) {
            dropped.push(name.clone());
        }
    }
    dropped
}

/// The request that starts a login.
pub(super) fn for_login(wanted: &Wanted) -> Value {
    let mut request = Map::new();
    request.insert("grant_type".to_owned(), json!("oidc_flow"));
    request.insert("oidc_flow".to_owned(), json!("authorization_code"));
    request.insert("client_type".to_owned(), json!("native"));
    request.insert("oidc_issuer".to_owned(), json!(wanted.provider.raw().trim()));
    put_content(&mut request, wanted);
    Value::Object(request)
}

/// What a login and a subtoken have in common. What is absent is left out: `null` and `""` mean other things (§2.1.1).
pub(super) fn put_content(request: &mut Map<String, Value>, wanted: &Wanted) {
    let mut put = |name: &str, value: Value| {
        let empty =
            value.is_null() || value.as_str() == Some("") || value.as_array().is_some_and(Vec::is_empty);
        if !empty {
            request.insert(name.to_owned(), value);
        }
    };
    put("name", json!(wanted.name.as_deref().map(str::trim)));
    put("application_name", json!(wanted.application.as_deref().map(str::trim)));
    put("capabilities", wanted.capabilities.iter().map(|capability| json!(capability.0.raw())).collect());
    // An empty clause is dropped by the server; what would be left may be no restriction at all.
    let clauses = wanted.restrictions.iter().map(Clause::to_json).filter(|clause| !clause.is_empty());
    put("restrictions", clauses.map(Value::Object).collect());
    put("rotation", wanted.rotation.and_then(Rotation::to_json).map_or(Value::Null, Value::Object));
    put("include", json!(wanted.templates));
    put("response_type", json!(wanted.form.wire()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mytoken::{Capability, Fault, Form};
    use crate::domain::time::from_epoch;
    use crate::domain::untrusted::Untrusted;

    fn order() -> Wanted {
        Wanted { provider: Untrusted::from("https://op.example.org"), ..Wanted::default() }
    }

    #[test]
    fn a_bare_order_sends_nothing_that_is_absent() {
        assert_eq!(
            for_login(&Wanted { name: Some(" ".to_owned()), ..order() }),
            json!({
                "grant_type": "oidc_flow", "oidc_flow": "authorization_code", "client_type": "native",
                "oidc_issuer": "https://op.example.org", "response_type": "token"
            })
        );
    }

    #[test]
    fn a_full_order_is_sent_in_numbers_and_capitals() {
        let texts = |list: &[&str]| Some(list.iter().copied().map(Untrusted::from).collect());
        let full = Wanted {
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
            for_login(&full),
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
    fn pitfall_41_refused_countries_are_sent_in_capitals_too() {
        let countries = Some(vec![Untrusted::from("us"), Untrusted::from("Ch")]);
        let clause = Clause { countries_refused: countries, ..Clause::default() };
        let sent = for_login(&Wanted { restrictions: vec![clause], ..order() });
        assert_eq!(sent["restrictions"], json!([{"geoip_disallow": ["US", "CH"]}]));
    }

    #[test]
    fn orders_that_the_server_would_break_on_are_not_sent() {
        let clause = Clause { uses_other: Some(5), ..Clause::default() };
        let rotation = Some(Rotation { on_other: true, ..Rotation::default() });
        let table = [
            (order(), Ok(())),
            (Wanted::default(), Err(Fault::NoProvider)),
            (Wanted { name: Some("ü".repeat(89)), ..order() }, Ok(())),
            (Wanted { name: Some("n".repeat(90)), ..order() }, Err(Fault::NameTooLong)),
            (Wanted { form: Form::Short, rotation, ..order() }, Err(Fault::ShortRotates)),
            (Wanted { form: Form::Short, ..order() }, Ok(())),
            (Wanted { restrictions: vec![clause.clone()], ..order() }, Err(Fault::OtherUsesAlone)),
            (Wanted { restrictions: vec![Clause { uses_at: Some(9), ..clause }], ..order() }, Ok(())),
        ];
        for (order, verdict) in table {
            assert_eq!(order.check_login(), verdict, "{order:?}");
        }
    }
}
