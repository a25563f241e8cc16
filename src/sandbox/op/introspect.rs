//! The introspection endpoint (RFC 7662).

use serde_json::{Value, json};

use super::Call;
use super::refusal::Refusal;
use super::state::{State, print};
use crate::sandbox::serve::Response;

/// Answers a confidential client, and only it, about access tokens in whose audience it stands and about its own refresh tokens, as Keycloak
/// does (providers.md §7.6).
pub(super) fn answer(call: &Call) -> Result<Response, Refusal> {
    let form = call.form()?;
    let client = &*call.client(&form)?;
    if client.secret.is_none() {
        return Err(Refusal::new(403, "invalid_request", "Client not allowed."));
    }
    let token = form.get("token").ok_or_else(|| Refusal::invalid_request("Token not provided"))?;
    let state = call.inner.state();
    if let Some(told) = refresh_token(call, &state, token, &client.id) {
        return Ok(Response::json(200, &told));
    }
    let meant_for_it = |claims: &Value| match claims.get("aud") {
        Some(Value::String(one)) => *one == client.id,
        Some(Value::Array(many)) => many.iter().any(|one| *one == client.id),
        _ => false,
    };
    let live = state
        .access
        .get(&print(token))
        .filter(|access| call.now < access.ends && meant_for_it(&access.claims))
        .and_then(|access| Some((access, state.grants.get(&access.grant)?)))
        .filter(|(_, grant)| {
            state.standing(grant).is_ok() && !call.quirks.disabled.contains(&grant.username)
        });
    let Some((access, grant)) = live else {
        return Ok(Response::json(200, &json!({"active": false})));
    };
    let mut body = access.claims.clone();
    if let Some(body) = body.as_object_mut() {
        body.insert("client_id".into(), grant.client.as_str().into());
        body.insert("username".into(), grant.username.as_str().into());
        body.insert("token_type".into(), "Bearer".into());
        body.insert("active".into(), true.into());
    }
    Ok(Response::json(200, &body))
}

/// What is said of a refresh token; `None` for anything else.
fn refresh_token(call: &Call, state: &State, token: &str, client: &str) -> Option<Value> {
    let refresh = state.refresh.get(&print(token))?;
    let grant = state.grants.get(&refresh.grant).filter(|grant| {
        grant.client == client
            && !refresh.rotated
            && refresh.ends.is_none_or(|ends| call.now < ends)
            && state.standing(grant).is_ok()
            && !call.quirks.disabled.contains(&grant.username)
    });
    let Some(grant) = grant else { return Some(json!({"active": false})) };
    let mut told = json!({
        "active": true,
        "typ": if grant.offline { "Offline" } else { "Refresh" },
        "client_id": grant.client,
        "username": grant.username,
        "scope": grant.scopes.join(" "),
    });
    if let (Some(told), Some(ends)) = (told.as_object_mut(), refresh.ends) {
        told.insert("exp".into(), ends.into());
    }
    Some(told)
}
