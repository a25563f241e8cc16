//! What the provider says about itself, and its keys.

use serde_json::{Value, json};

use super::refusal::Refusal;
use super::settings::Pushing;
use super::{Call, exchange, keys, pushed, register};
use crate::sandbox::serve::Response;

/// The discovery document (`OpenID` Connect Discovery §3), with Keycloak's addresses and manners: `plain` is listed and
/// refused, `none` is not listed and taken. What this provider cannot do is not announced.
pub(super) fn document(call: &Call) -> Response {
    let settings = &call.inner.settings;
    let issuer = call.quirks.other_issuer.as_deref().unwrap_or(&settings.issuer);
    let at = |path: &str| format!("{}/protocol/openid-connect/{path}", call.inner.base());
    let mut scopes: Vec<&str> = vec!["openid"];
    let defaults = settings.clients.iter().flat_map(|client| &client.default_scopes);
    for scope in defaults.chain(&settings.scopes).map(String::as_str).chain(["offline_access"]) {
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    let methods = json!(["client_secret_basic", "client_secret_post"]);
    let mut document = json!({
        "issuer": issuer,
        "authorization_endpoint": at("auth"),
        "token_endpoint": at("token"),
        "introspection_endpoint": at("token/introspect"),
        "userinfo_endpoint": at("userinfo"),
        "end_session_endpoint": at("logout"),
        "jwks_uri": at("certs"),
        "grant_types_supported": [
            "authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code",
        ],
        "acr_values_supported": ["0", "1"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "prompt_values_supported": ["none", "login", "consent"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        "response_modes_supported": ["query"],
        "token_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_methods_supported": methods,
        "claims_supported": [
            "iss", "sub", "aud", "exp", "iat", "auth_time", "name", "given_name", "family_name",
            "preferred_username", "email", "acr", "azp", "nonce",
        ],
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": false,
        "scopes_supported": scopes,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "require_request_uri_registration": false,
        "code_challenge_methods_supported": ["plain", "S256"],
        "tls_client_certificate_bound_access_tokens": false,
        "revocation_endpoint": at("revoke"),
        "revocation_endpoint_auth_methods_supported": methods,
        "device_authorization_endpoint": at("auth/device"),
        "registration_endpoint": format!("{}{}", call.inner.base(), register::PATH),
        "authorization_response_iss_parameter_supported": true,
    });
    if let (Some(methods), Some(fields)) = (&call.quirks.pkce_methods, document.as_object_mut()) {
        fields.insert("code_challenge_methods_supported".to_owned(), json!(methods));
    }
    if settings.exchange
        && let Some(grants) = document.get_mut("grant_types_supported").and_then(Value::as_array_mut)
    {
        grants.push(exchange::GRANT.into());
    }
    if settings.pushing != Pushing::No
        && let Some(fields) = document.as_object_mut()
    {
        fields.insert("pushed_authorization_request_endpoint".to_owned(), at(pushed::LAST).into());
        let required = settings.pushing == Pushing::Required;
        fields.insert("require_pushed_authorization_requests".to_owned(), required.into());
    }
    fresh(&document)
}

/// The key set (RFC 7517).
pub(super) fn key_set(_: &Call) -> Result<Response, Refusal> {
    Ok(fresh(&keys::jwks()?))
}

fn fresh(body: &Value) -> Response {
    Response::json(200, body).with("cache-control", "no-cache, must-revalidate, no-transform, no-store")
}
