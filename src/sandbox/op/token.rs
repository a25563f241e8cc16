//! The token endpoint: a code, a refresh token or a device code in, tokens out.

use std::collections::BTreeMap;

use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::mint::Minting;
use super::refusal::Refusal;
use super::settings::Client;
use super::state::{Ask, Grant, Life, State, print};
use super::{Call, device, exchange, keys, page};
use crate::sandbox::serve::Response;

/// Answers a token request (RFC 6749 §4.1.3, §6; RFC 8628 §3.4).
pub(super) fn answer(call: &Call) -> Result<Response, Refusal> {
    if let Some(status) = call.quirks.busy {
        let page = page::proxy(status);
        return Ok(match &call.quirks.retry_after {
            Some(when) => page.with("retry-after", when),
            None => page,
        });
    }
    let form = call.form()?;
    let kind = form
        .get("grant_type")
        .ok_or_else(|| Refusal::invalid_request("Missing form parameter: grant_type"))?;
    match kind.as_str() {
        "authorization_code" => from_code(call, &form),
        "refresh_token" => from_refresh_token(call, &form),
        "urn:ietf:params:oauth:grant-type:device_code" => device::poll(call, &form),
        exchange::GRANT if call.inner.settings.exchange => exchange::answer(call, &form),
        _ => Err(Refusal::new(400, "unsupported_grant_type", "Unsupported grant_type")),
    }
}

fn from_code(call: &Call, form: &BTreeMap<String, String>) -> Result<Response, Refusal> {
    let client = &*call.client(form)?;
    let code = form.get("code").ok_or_else(|| Refusal::invalid_request("Missing parameter: code"))?;
    let mut state = call.inner.state();
    let not_valid = || Refusal::invalid_grant("Code not valid");
    let record = state.codes.get_mut(&print(code)).ok_or_else(not_valid)?;
    if record.used {
        // RFC 6749 §4.1.2: what the first use gave dies with the second.
        if let Some(family) = record.grant.clone() {
            state.detach(&family);
        }
        return Err(not_valid());
    }
    record.used = true;
    let (ask, sid) = (record.ask.clone(), record.sid.clone());
    if call.now >= record.ends {
        return Err(Refusal::invalid_grant("Code is expired"));
    }
    if ask.client != client.id {
        return Err(Refusal::invalid_grant("Auth error"));
    }
    if form.get("redirect_uri") != Some(&ask.redirect) {
        return Err(Refusal::invalid_grant("Incorrect redirect_uri"));
    }
    proven(ask.challenge.as_deref(), form)?;
    let family = granted(call, &mut state, client, &ask, &sid)?;
    if let Some(record) = state.codes.get_mut(&print(code)) {
        record.grant = Some(family.clone());
    }
    let minting = Minting {
        client,
        family: &family,
        scopes: &ask.scopes,
        audience: &ask.audience,
        nonce: ask.nonce.as_deref(),
    };
    minting.answer(call, &mut state)
}

/// Whether the verifier fits the challenge (RFC 7636 §4.6).
pub(super) fn proven(challenge: Option<&str>, form: &BTreeMap<String, String>) -> Result<(), Refusal> {
    let Some(challenge) = challenge else { return Ok(()) };
    let verifier = form
        .get("code_verifier")
        .ok_or_else(|| Refusal::invalid_grant("PKCE code verifier not specified"))?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(plain) {
        return Err(Refusal::invalid_grant("PKCE verification failed: Invalid code verifier"));
    }
    verify_slices_are_equal(keys::challenge(verifier).as_bytes(), challenge.as_bytes())
        .map_err(|_| Refusal::invalid_grant("PKCE verification failed: Code mismatch"))
}

/// Records a new family in a session and gives its name.
pub(super) fn granted(
    call: &Call,
    state: &mut State,
    client: &Client,
    ask: &Ask,
    sid: &str,
) -> Result<String, Refusal> {
    let session = state
        .sessions
        .get(sid)
        .filter(|session| !session.ended)
        .ok_or_else(|| Refusal::invalid_grant("Session not active"))?;
    if call.quirks.disabled.contains(&session.username) {
        return Err(Refusal::invalid_grant("User disabled"));
    }
    let grant = Grant {
        client: client.id.clone(),
        sid: sid.to_owned(),
        username: session.username.clone(),
        signed_in: session.started,
        scopes: ask.scopes.clone(),
        audience: ask.audience.clone(),
        offline: ask.scopes.iter().any(|scope| scope == "offline_access"),
        life: Life::Live,
    };
    let family = keys::uuid()?;
    state.grants.insert(family.clone(), grant);
    Ok(family)
}

fn from_refresh_token(call: &Call, form: &BTreeMap<String, String>) -> Result<Response, Refusal> {
    call.inner.count(|counts| &mut counts.refreshes);
    let client = &*call.client(form)?;
    let token = form.get("refresh_token").ok_or_else(|| Refusal::invalid_request("No refresh token"))?;
    if let Some(why) = &call.quirks.refuse_refresh {
        return Err(Refusal::invalid_grant(why.clone()));
    }
    let mut state = call.inner.state();
    let invalid = || Refusal::invalid_grant("Invalid refresh token");
    let record = state.refresh.get(&print(token)).ok_or_else(invalid)?;
    let family = record.grant.clone();
    let grant = state.grants.get(&family).ok_or_else(invalid)?;
    if grant.client != client.id {
        return Err(Refusal::invalid_grant(
            "Invalid refresh token. Token client and authorized client don't match",
        ));
    }
    if record.ends.is_some_and(|ends| call.now >= ends) {
        return Err(Refusal::invalid_grant("Token is not active"));
    }
    state.standing(grant)?;
    if call.quirks.disabled.contains(&grant.username) {
        return Err(Refusal::invalid_grant("User disabled"));
    }
    if record.rotated {
        state.detach(&family);
        call.inner.count(|counts| &mut counts.reuses);
        return Err(Refusal::invalid_grant("Maximum allowed refresh token reuse exceeded"));
    }
    let scopes = match form.get("scope") {
        Some(asked) => narrowed(client, &grant.scopes, asked),
        None => grant.scopes.clone(),
    };
    let asked = client.audience_asked(form);
    let audience = if asked.is_empty() { grant.audience.clone() } else { asked };
    let minting = Minting { client, family: &family, scopes: &scopes, audience: &audience, nonce: None };
    let answer = minting.answer(call, &mut state)?;
    if client.rotates
        && let Some(record) = state.refresh.get_mut(&print(token))
    {
        record.rotated = true;
    }
    Ok(answer)
}

/// Fewer scopes for this one access token (RFC 6749 §6). As with Keycloak, what the client has by default stays, and
/// what was never granted is left out without a word. `claim:value` is within a granted `claim`.
pub(super) fn narrowed(client: &Client, granted: &[String], asked: &str) -> Vec<String> {
    let asked: Vec<&str> = asked.split_whitespace().collect();
    let kept = granted.iter().filter(|scope| client.has_default(scope) || asked.contains(&scope.as_str()));
    let mut scopes: Vec<String> = kept.cloned().collect();
    for scope in asked {
        let within = scope.split_once(':').is_some_and(|(claim, _)| granted.iter().any(|one| one == claim));
        if within && !scopes.iter().any(|one| one == scope) {
            scopes.push(scope.to_owned());
        }
    }
    scopes
}
