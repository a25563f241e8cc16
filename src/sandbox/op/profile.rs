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
    told(call).unwrap_or_else(|reason| {
        let mut challenge = format!(r#"Bearer realm="{}""#, call.inner.realm());
        if let Some((error, description)) = reason {
            challenge += &[", error=\"", error, "\", error_description=\"", description, "\""].concat();
        }
        let forbidden = reason.is_some_and(|(error, _)| error == "insufficient_scope");
        Response::empty(if forbidden { 403 } else { 401 })
            .with("content-type", "text/plain")
            .with("www-authenticate", challenge)
    })
}

/// What is told, or (unless no token came at all) the error and its description (RFC 6750 §3).
fn told(call: &Call) -> Result<Response, Option<(&'static str, &'static str)>> {
    const UNKNOWN: (&str, &str) = ("invalid_token", "Token verification failed");
    let token = call.request.bearer().ok_or(None)?;
    let state = call.inner.state();
    let access = state.access.get(&print(token)).filter(|access| call.now < access.ends).ok_or(UNKNOWN)?;
    let grant = state.grants.get(&access.grant).ok_or(UNKNOWN)?;
    let user = call.inner.settings.user(&grant.username).ok_or(UNKNOWN)?;
    state.standing(grant).map_err(|_| ("invalid_token", "user_session_not_found"))?;
    if call.quirks.disabled.contains(&grant.username) {
        return Err(Some(("invalid_token", "User disabled")));
    }
    if !has(&access.scopes, "openid") {
        return Err(Some(("insufficient_scope", "Missing openid scope")));
    }
    let mut claims = Map::new();
    claims.insert("sub".into(), user.sub.as_str().into());
    person(user, &access.scopes, &mut claims);
    federated(user, &access.scopes, &mut claims);
    Ok(Response::json(200, &Value::Object(claims)).with("cache-control", "no-cache"))
}
