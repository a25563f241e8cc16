//! The authorization endpoint, and the way back to the client.

use std::collections::BTreeMap;

use url::Url;

use super::quirks::RedirectFault;
use super::refusal::Refusal;
use super::settings::Client;
use super::state::{Ask, Code, Purpose, State, print};
use super::{Call, keys, page, pushed, signin};
use crate::sandbox::serve::Response;

pub(super) type Parameters = BTreeMap<String, String>;

/// Answers an authorization request (RFC 6749 §4.1.1): a sign-in page, or a redirect with an error, or (where the
/// address to return to is not to be trusted) an error page and no redirect.
pub(super) fn answer(call: &Call) -> Result<Response, Refusal> {
    let given = if call.request.method == "GET" { call.request.query.clone() } else { call.form()? };
    let settings = &call.inner.settings;
    let Some(client) = given.get("client_id").and_then(|id| call.known(id)) else {
        return Ok(page::refused(settings, "Client not found."));
    };
    let client = &*client;
    let Some(given) = pushed::meant(call, client, given) else {
        return Ok(page::refused(
            settings,
            "Pushed Authorization Request is only allowed, once and in time.",
        ));
    };
    let Some(redirect) = given.get("redirect_uri").filter(|uri| client.may_return_to(uri)) else {
        return Ok(page::refused(settings, "Invalid parameter: redirect_uri"));
    };
    let asked: Vec<&str> = given.get("scope").map_or("", String::as_str).split_whitespace().collect();
    let prompts: Vec<&str> = given.get("prompt").map_or("", String::as_str).split_whitespace().collect();
    let ask = Ask {
        client: client.id.clone(),
        redirect: redirect.clone(),
        scopes: self::given(call, client, &asked),
        audience: client.audience_asked(&given),
        state: given.get("state").cloned(),
        nonce: given.get("nonce").cloned(),
        challenge: given.get("code_challenge").cloned(),
        consent: prompts.contains(&"consent"),
    };
    if let Err((error, description)) = acceptable(call, client, &given, &asked) {
        return Ok(back_with_error(call, &ask, error, description.as_deref()));
    }
    if prompts.contains(&"none") {
        let mut state = call.inner.state();
        let session = signin::session_of_browser(call, &state).map(|(sid, _)| sid);
        return match session {
            Some(sid) => back_with_code(call, &mut state, &ask, &sid),
            None => Ok(back_with_error(call, &ask, "login_required", None)),
        };
    }
    signin::ask_who(call, &Purpose::Code(Box::new(ask)))
}

/// Whether the request is one this provider answers; else the error that goes back (real-parts.md §2.5).
pub(super) fn acceptable(
    call: &Call,
    client: &Client,
    given: &Parameters,
    asked: &[&str],
) -> Result<(), (&'static str, Option<String>)> {
    let invalid = |why: &str| Err(("invalid_request", Some(why.to_owned())));
    match given.get("response_type").map(String::as_str) {
        None => return invalid("Missing parameter: response_type"),
        Some("code") => {}
        Some(_) => return Err(("unsupported_response_type", None)),
    }
    if given.get("response_mode").is_some_and(|mode| mode != "query") {
        return invalid("Invalid parameter: response_mode");
    }
    if ["request", "request_uri"].iter().any(|&name| given.contains_key(name)) {
        return Err(("request_not_supported", None));
    }
    if asked.iter().any(|scope| !call.inner.settings.knows(client, scope)) {
        return Err(("invalid_scope", Some(format!("Invalid scopes: {}", asked.join(" ")))));
    }
    challenge(client, given).map(|_| ()).or_else(invalid)
}

/// The PKCE challenge of a request; `plain` is refused whoever asks, none only where the client must have one.
pub(super) fn challenge(client: &Client, given: &Parameters) -> Result<Option<String>, &'static str> {
    let (challenge, method) = (given.get("code_challenge"), given.get("code_challenge_method"));
    if challenge.is_none() && method.is_none() && !client.require_pkce {
        return Ok(None);
    }
    match method.map(String::as_str) {
        None => return Err("Missing parameter: code_challenge_method"),
        Some("S256") => {}
        Some(_) => {
            return Err("Invalid parameter: code challenge method is not matching the configured one");
        }
    }
    let Some(challenge) = challenge else { return Err("Missing parameter: code_challenge") };
    // A SHA-256 in base64url without padding.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if challenge.len() != 43 || !challenge.bytes().all(plain) {
        return Err("Invalid parameter: code_challenge");
    }
    Ok(Some(challenge.clone()))
}

/// What is given for what was asked: more (the client's defaults) and in another order, as Keycloak does.
pub(super) fn given(call: &Call, client: &Client, asked: &[&str]) -> Vec<String> {
    let first = asked.iter().copied().filter(|&scope| scope == "openid");
    let defaults = client.default_scopes.iter().map(String::as_str);
    let mut scopes: Vec<String> = Vec::new();
    for scope in first.chain(defaults).chain(asked.iter().rev().copied()) {
        let dropped = call.quirks.drop_scope.iter().any(|one| one == scope);
        if !dropped && !scopes.iter().any(|one| one == scope) {
            scopes.push(scope.to_owned());
        }
    }
    scopes
}

/// Sends the browser back with a code (RFC 6749 §4.1.2), `iss` beside it (RFC 9207).
pub(super) fn back_with_code(
    call: &Call,
    state: &mut State,
    ask: &Ask,
    sid: &str,
) -> Result<Response, Refusal> {
    let code = format!("{}.{sid}.{}", keys::uuid()?, keys::uuid()?);
    let ends = call.now.saturating_add(call.inner.settings.code_life);
    let record = Code { ask: ask.clone(), sid: sid.to_owned(), ends, used: false, grant: None };
    state.codes.insert(print(&code), record);
    let mut pairs = Vec::new();
    push_state(call, ask, &mut pairs);
    pairs.push(("session_state", sid));
    push_issuer(call, &mut pairs);
    pairs.push(("code", &code));
    Ok(Response::redirect(302, with_query(&ask.redirect, &pairs)))
}

/// Sends the browser back with an error (RFC 6749 §4.1.2.1).
pub(super) fn back_with_error(call: &Call, ask: &Ask, error: &str, description: Option<&str>) -> Response {
    let mut pairs = vec![("error", error)];
    pairs.extend(description.map(|text| ("error_description", text)));
    push_state(call, ask, &mut pairs);
    push_issuer(call, &mut pairs);
    Response::redirect(302, with_query(&ask.redirect, &pairs))
}

fn push_state<'a>(call: &'a Call, ask: &'a Ask, pairs: &mut Vec<(&'a str, &'a str)>) {
    match &call.quirks.redirect {
        Some(RedirectFault::OtherState(other)) => pairs.push(("state", other)),
        _ => pairs.extend(ask.state.as_deref().map(|state| ("state", state))),
    }
}

fn push_issuer<'a>(call: &'a Call, pairs: &mut Vec<(&'a str, &'a str)>) {
    match &call.quirks.redirect {
        Some(RedirectFault::NoIss) => {}
        Some(RedirectFault::OtherIss(other)) => pairs.push(("iss", other)),
        _ => pairs.push(("iss", &call.inner.settings.issuer)),
    }
}

/// `address` with these pairs added to its query.
pub(super) fn with_query(address: &str, pairs: &[(&str, &str)]) -> String {
    let Ok(mut url) = Url::parse(address) else { return address.to_owned() };
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    url.into()
}
