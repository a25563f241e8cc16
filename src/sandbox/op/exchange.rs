//! Token exchange (RFC 8693): an access token in, one for another audience out; in Keycloak's words where it is refused.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Call;
use super::mint::Minting;
use super::quirks::ExchangeQuirk;
use super::refusal::Refusal;
use super::state::print;
use super::token::narrowed;
use crate::sandbox::serve::Response;

pub(super) const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
const REFRESH: &str = "urn:ietf:params:oauth:token-type:refresh_token";

/// Answers an exchange.
pub(super) fn answer(call: &Call, form: &BTreeMap<String, String>) -> Result<Response, Refusal> {
    call.inner.count(|counts| &mut counts.exchanges);
    let client = call.client(form)?;
    if !client.exchanges {
        return Err(Refusal::new(403, "access_denied", "Client not allowed to exchange"));
    }
    let subject = form
        .get("subject_token")
        .ok_or_else(|| Refusal::invalid_request("Missing parameter: subject_token"))?;
    if form.get("subject_token_type").map(String::as_str) != Some(ACCESS) {
        return Err(Refusal::invalid_request("Invalid subject_token_type"));
    }
    let audience: Vec<String> =
        form.get("audience").or_else(|| form.get("resource")).cloned().into_iter().collect();
    if audience.iter().any(|audience| call.inner.settings.client(audience).is_none()) {
        return Err(Refusal::new(400, "invalid_client", "Audience not found"));
    }
    let mut state = call.inner.state();
    let invalid = || Refusal::invalid_request("Invalid token");
    let access =
        state.access.get(&print(subject)).filter(|access| call.now < access.ends).ok_or_else(invalid)?;
    let (family, scopes) = (access.grant.clone(), access.scopes.clone());
    let grant = state.grants.get(&family).ok_or_else(invalid)?;
    state.standing(grant).map_err(|_| invalid())?;
    let scopes = match form.get("scope") {
        Some(asked) => narrowed(&client, &scopes, asked),
        None => scopes,
    };
    let minting =
        Minting { client: &client, family: &family, scopes: &scopes, audience: &audience, nonce: None };
    let answer = minting.answer(call, &mut state)?;
    Ok(as_exchanged(answer, call.quirks.exchange))
}

/// The answer with its types, and without the tokens that nobody asked for.
fn as_exchanged(mut answer: Response, quirk: Option<ExchangeQuirk>) -> Response {
    let Ok(Value::Object(mut body)) = serde_json::from_slice(&answer.body) else { return answer };
    body.remove("id_token");
    let refresh = body.remove("refresh_token");
    let (mut issued, mut token_type) = (ACCESS, "Bearer");
    match (quirk, refresh) {
        (Some(ExchangeQuirk::RefreshBeside), Some(refresh)) => {
            body.insert("refresh_token".into(), refresh);
        }
        (Some(ExchangeQuirk::RefreshInstead), Some(refresh)) => {
            body.insert("access_token".into(), refresh);
            (issued, token_type) = (REFRESH, "N_A");
        }
        (Some(ExchangeQuirk::NotApplicable), _) => {
            (issued, token_type) = ("urn:ietf:params:oauth:token-type:saml2", "N_A");
        }
        (Some(ExchangeQuirk::RefreshBeside | ExchangeQuirk::RefreshInstead) | None, _) => {}
    }
    body.insert("issued_token_type".into(), issued.into());
    body.insert("token_type".into(), token_type.into());
    answer.body = Value::Object(body).to_string().into_bytes();
    answer
}
