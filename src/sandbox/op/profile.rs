//! What is told of a person, by scope; and the userinfo endpoint that tells it.

use serde_json::{Map, Value, json};

use super::Call;
use super::settings::User;
use super::state::print;
use crate::sandbox::serve::Response;

fn has(scopes: &[String], scope: &str) -> bool {
    scopes.iter().any(|one| one == scope)
}

/// The claims that stand in tokens as well: those of `profile` and `email`.
pub(super) fn person(user: &User, scopes: &[String], claims: &mut Map<String, Value>) {
    if has(scopes, "email") {
        claims.insert("email_verified".into(), true.into());
    }
    if has(scopes, "profile") {
        claims.insert("name".into(), user.name.as_str().into());
        claims.insert("preferred_username".into(), user.username.as_str().into());
        claims.insert("given_name".into(), user.given_name.as_str().into());
        claims.insert("family_name".into(), user.family_name.as_str().into());
    }
    if has(scopes, "email") {
        claims.insert("email".into(), user.email.as_str().into());
    }
}

/// The claims that only userinfo gives: the federation's names and groups (providers.md §1.3).
fn federated(user: &User, scopes: &[String], claims: &mut Map<String, Value>) {
    let lasting = format!("{}@sandbox.example.org", user.sub);
    for claim in ["voperson_id", "eduperson_unique_id"] {
        if has(scopes, claim) {
            claims.insert(claim.into(), lasting.as_str().into());
        }
    }
    for claim in ["eduperson_entitlement", "entitlements"] {
        if let Some(held) = entitled(user, scopes, claim) {
            claims.insert(claim.into(), json!(held));
        }
    }
    if has(scopes, "eduperson_assurance") {
        claims.insert("eduperson_assurance".into(), json!(["https://refeds.org/assurance/IAP/low"]));
    }
}

/// The person's groups: all for the bare scope, else those that scopes of the form `claim:group` name.
fn entitled<'a>(user: &'a User, scopes: &[String], claim: &str) -> Option<Vec<&'a String>> {
    if has(scopes, claim) {
        return Some(user.entitlements.iter().collect());
    }
    let named: Vec<&str> =
        scopes.iter().filter_map(|scope| scope.strip_prefix(claim)?.strip_prefix(':')).collect();
    let held = || user.entitlements.iter().filter(|group| named.contains(&group.as_str())).collect();
    (!named.is_empty()).then(held)
}

/// The userinfo endpoint (`OpenID` Connect Core §5.3). Errors have an empty body and their reason in the header.
pub(super) fn userinfo(call: &Call) -> Response {
    let realm = call.inner.realm();
    let refused = |status: u16, error: &str, description: &str| {
        let challenge =
            format!(r#"Bearer realm="{realm}", error="{error}", error_description="{description}""#);
        Response::empty(status).with("content-type", "text/plain").with("www-authenticate", challenge)
    };
    let Some(token) = call.request.bearer() else {
        return Response::empty(401)
            .with("content-type", "text/plain")
            .with("www-authenticate", format!(r#"Bearer realm="{realm}""#));
    };
    let state = call.inner.state();
    let unknown = || refused(401, "invalid_token", "Token verification failed");
    let Some(access) = state.access.get(&print(token)).filter(|access| call.now < access.ends) else {
        return unknown();
    };
    let Some(grant) = state.grants.get(&access.grant) else { return unknown() };
    if state.standing(grant).is_err() {
        return refused(401, "invalid_token", "user_session_not_found");
    }
    if call.quirks.disabled.contains(&grant.username) {
        return refused(401, "invalid_token", "User disabled");
    }
    if !has(&access.scopes, "openid") {
        return refused(403, "insufficient_scope", "Missing openid scope");
    }
    let Some(user) = call.inner.settings.user(&grant.username) else { return unknown() };
    let mut claims = Map::new();
    claims.insert("sub".into(), user.sub.as_str().into());
    person(user, &access.scopes, &mut claims);
    federated(user, &access.scopes, &mut claims);
    Response::json(200, &Value::Object(claims)).with("cache-control", "no-cache")
}
