//! The introspection endpoint (RFC 7662).

use serde_json::{Value, json};

use super::Call;
use super::refusal::Refusal;
use super::state::print;
use crate::sandbox::serve::Response;

/// Answers about access tokens to a confidential client that stands in their audience, and only to it.
pub(super) fn answer(call: &Call) -> Result<Response, Refusal> {
    let form = call.form()?;
    let client = call.client(&form)?;
    if client.secret.is_none() {
        return Err(Refusal::new(403, "invalid_request", "Client not allowed."));
    }
    let token = form.get("token").ok_or_else(|| Refusal::invalid_request("Token not provided"))?;
    let state = call.inner.state();
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
