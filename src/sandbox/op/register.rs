//! Clients that register themselves (RFC 7591), and are deleted again (RFC 7592), at Keycloak's address for it and in its words.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use serde_json::{Map, Value, json};
use url::Url;

use super::refusal::{Refusal, unstored};
use super::settings::{Client, Registering};
use super::state::{Registered, print};
use super::{Call, keys};
use crate::domain::secret::Secret;
use crate::http::is_loopback;
use crate::sandbox::serve::Response;

/// The endpoint below the issuer.
pub(super) const PATH: &str = "/clients-registrations/openid-connect";
/// What the address of one registration begins with.
pub(super) const BELOW: &str = "/clients-registrations/openid-connect/";
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// The grants that a client may have.
const GRANTS: [&str; 3] = ["authorization_code", "refresh_token", DEVICE];

/// Registers a client (§3.1).
pub(super) fn take(call: &Call) -> Result<Response, Refusal> {
    admitted(call)?;
    let asked: Map<String, Value> =
        serde_json::from_slice(&call.request.body).map_err(|_| unfit("the request is no JSON object"))?;
    let words = |name: &str| -> Vec<String> {
        let list = asked.get(name).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let text = |name: &str| asked.get(name).and_then(Value::as_str).unwrap_or_default();
    let redirects = words("redirect_uris");
    if redirects.is_empty() || !redirects.iter().all(|uri| is_native(uri)) {
        return Err(Refusal::new(400, "invalid_redirect_uri", "A redirect_uri is not a loopback address"));
    }
    let without = &call.quirks.register_without;
    let mut grants = words("grant_types");
    grants.retain(|grant| GRANTS.contains(&grant.as_str()) && !without.contains(grant));
    let dropped = &call.quirks.drop_scope;
    let scopes: Vec<&str> = text("scope")
        .split_ascii_whitespace()
        .filter(|scope| call.inner.settings.scopes.iter().any(|known| known == scope) || *scope == OFFLINE)
        .filter(|scope| !dropped.iter().any(|dropped| dropped == scope))
        .collect();
    let is_public = text("token_endpoint_auth_method") == "none" && !call.quirks.register_with_secret;
    let (id, token) = (keys::uuid()?, keys::random()?);
    let secret = if is_public { None } else { Some(keys::random()?) };
    let client = Client {
        secret: secret.as_deref().map(Secret::new),
        redirect_uris: redirects.clone(),
        default_scopes: Vec::new(),
        require_pkce: is_public,
        device: grants.iter().any(|grant| grant == DEVICE),
        offline_allowed: scopes.contains(&OFFLINE),
        ..Client::public(&id)
    };
    let at = format!("{}{BELOW}{id}", call.inner.base());
    let mut given = json!({
        "client_id": id,
        "client_id_issued_at": call.now,
        "client_name": text("client_name"),
        "application_type": text("application_type"),
        "redirect_uris": redirects,
        "grant_types": grants,
        "response_types": ["code"],
        "scope": scopes.join(" "),
        "token_endpoint_auth_method": if is_public { "none" } else { "client_secret_basic" },
        "registration_client_uri": at,
        "registration_access_token": token,
    });
    if let (Some(secret), Some(fields)) = (secret, given.as_object_mut()) {
        fields.insert("client_secret".to_owned(), secret.into());
        fields.insert("client_secret_expires_at".to_owned(), 0.into());
    }
    let known = Registered { client: Arc::new(client), token: print(&token) };
    call.inner.state().registered.insert(id, known);
    Ok(unstored(Response::json(201, &given)))
}

const OFFLINE: &str = "offline_access";

/// Deletes a client (RFC 7592 §2.3). To a client that is not there it answers as to a wrong token.
pub(super) fn manage(call: &Call) -> Result<Response, Refusal> {
    if let Some(status) = call.quirks.refuse_deletion {
        return Err(Refusal::prose(status, "It is not allowed to delete this client"));
    }
    let wrong = || Refusal::new(401, "invalid_token", "Failed decode token");
    let id = call.request.path.rsplit('/').next().unwrap_or_default();
    let token = call.request.bearer().map(print).ok_or_else(wrong)?;
    let mut state = call.inner.state();
    if state.registered.get(id).is_none_or(|known| known.token != token) {
        return Err(wrong());
    }
    state.registered.remove(id);
    for grant in state.grants.values_mut().filter(|grant| grant.client == id) {
        grant.life = super::state::Life::Revoked;
    }
    Ok(Response::empty(204))
}

/// Whether this caller may register anything.
fn admitted(call: &Call) -> Result<(), Refusal> {
    let given = call.request.bearer();
    match &call.inner.settings.registering {
        Registering::Open => Ok(()),
        Registering::WithToken(token) => {
            let right = given.is_some_and(|given| {
                verify_slices_are_equal(given.as_bytes(), token.expose().as_bytes()).is_ok()
            });
            match (right, given) {
                (true, _) => Ok(()),
                (false, Some(_)) => Err(Refusal::new(401, "invalid_token", "Failed decode token")),
                (false, None) => Err(untrusted()),
            }
        }
        Registering::No => Err(untrusted()),
    }
}

/// What a Keycloak says whose administrator has changed nothing (providers.md §7.6).
fn untrusted() -> Refusal {
    let why =
        "Policy 'Trusted Hosts' rejected request to client-registration service. Details: Host not trusted.";
    Refusal::new(403, "insufficient_scope", why)
}

fn unfit(why: &'static str) -> Refusal {
    Refusal::new(400, "invalid_client_metadata", why)
}

/// Whether a native program may be sent back there (OpenID Connect Registration §2).
fn is_native(uri: &str) -> bool {
    Url::parse(uri).is_ok_and(|url| url.scheme() == "http" && is_loopback(&url) && url.fragment().is_none())
}
