//! Authorization requests that are pushed by the client before the browser comes (RFC 9126), at Keycloak's address for them.

use serde_json::json;

use super::authorize::{Parameters, acceptable};
use super::refusal::{Refusal, unstored};
use super::settings::{Client, Pushing};
use super::state::{Pushed, print};
use super::{Call, keys};
use crate::sandbox::serve::Response;

/// The endpoint below the issuer.
pub(super) const PATH: &str = "/protocol/openid-connect/ext/par/request";
/// Its last part.
pub(super) const LAST: &str = "ext/par/request";
/// What a handle begins with (§2.2).
const URN: &str = "urn:ietf:params:oauth:request_uri:";
/// Life of a handle, in seconds.
const LIFE: i64 = 60;

/// Takes a request in (§2.1). All that the authorization endpoint would refuse is refused here, to the client and not in the browser.
pub(super) fn take(call: &Call) -> Result<Response, Refusal> {
    let form = call.form()?;
    let client = &*call.client(&form)?;
    if form.contains_key("request_uri") {
        return Err(Refusal::invalid_request("It is not allowed to include request_uri to PAR."));
    }
    if !form.get("redirect_uri").is_some_and(|uri| client.may_return_to(uri)) {
        return Err(Refusal::invalid_request("Invalid parameter: redirect_uri"));
    }
    let asked: Vec<&str> = form.get("scope").map_or("", String::as_str).split_whitespace().collect();
    acceptable(call, client, &form, &asked)
        .map_err(|(error, why)| Refusal::new(400, error, why.unwrap_or_default()))?;
    let handle = format!("{URN}{}", keys::uuid()?);
    let mut state = call.inner.state();
    state.prune(call.now);
    let client = client.id.clone();
    let ends = call.now.saturating_add(LIFE);
    state.pushed.insert(print(&handle), Pushed { client, parameters: form, ends });
    Ok(unstored(Response::json(201, &json!({"request_uri": handle, "expires_in": LIFE}))))
}

/// The parameters that a browser's request means: those that were pushed, once, by the same client; its own where they need not be.
pub(super) fn meant(call: &Call, client: &Client, given: Parameters) -> Option<Parameters> {
    let handle = given.get("request_uri").filter(|handle| handle.starts_with(URN));
    match (handle, call.inner.settings.pushing) {
        (_, Pushing::No) | (None, Pushing::Offered) => Some(given),
        (None, Pushing::Required) => None,
        (Some(handle), _) => {
            let pushed = call.inner.state().pushed.remove(&print(handle))?;
            (pushed.client == client.id && call.now < pushed.ends).then_some(pushed.parameters)
        }
    }
}
