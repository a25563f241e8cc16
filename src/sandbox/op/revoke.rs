//! The ends: revocation (RFC 7009) and logout (`OpenID` Connect RP-Initiated Logout 1.0).

use serde_json::json;

use super::refusal::Refusal;
use super::state::{Print, State, print};
use super::{Call, authorize, page, signin};
use crate::sandbox::serve::Response;

/// Revokes a token. A refresh token, even one rotated away, ends its whole session; an access token only itself.
pub(super) fn revoke(call: &Call) -> Result<Response, Refusal> {
    let form = call.form()?;
    let client = &*call.client(&form)?;
    let token = form.get("token").ok_or_else(|| Refusal::invalid_request("Token not provided"))?;
    let mut state = call.inner.state();
    let key = print(token);
    // Not an OAuth error: the status says that the aim is reached (real-parts.md §2.9).
    let unknown =
        Response::json(200, &json!({"error": "invalid_token", "error_description": "Invalid token"}));
    let Some((family, is_refresh)) = found(&state, &key, call.now) else { return Ok(unknown) };
    let Some(grant) = state.grants.get(&family) else { return Ok(unknown) };
    if grant.client != client.id {
        return Err(Refusal::invalid_request("Unmatching clients"));
    }
    if state.standing(grant).is_err() {
        return Ok(unknown);
    }
    if is_refresh {
        state.revoke(&family);
    } else {
        state.access.remove(&key);
    }
    Ok(Response::empty(200))
}

/// The family of a token that has not ended by itself, and whether it is a refresh token.
fn found(state: &State, key: &Print, now: i64) -> Option<(String, bool)> {
    if let Some(refresh) = state.refresh.get(key) {
        return refresh.ends.is_none_or(|ends| now < ends).then(|| (refresh.grant.clone(), true));
    }
    let access = state.access.get(key).filter(|access| now < access.ends)?;
    Some((access.grant.clone(), false))
}

/// Ends the sign-in: of the ID token's session, or with a refresh token of its own, or (asking first) of this browser.
pub(super) fn log_out(call: &Call) -> Result<Response, Refusal> {
    let form = if call.request.method == "GET" { call.request.query.clone() } else { call.form()? };
    let settings = &call.inner.settings;
    if let Some(token) = form.get("refresh_token") {
        let client = &*call.client(&form)?;
        let mut state = call.inner.state();
        let family = state.refresh.get(&print(token)).map(|refresh| refresh.grant.clone());
        let known = family.and_then(|family| {
            let grant = state.grants.get(&family).filter(|grant| grant.client == client.id)?;
            Some((family, grant.sid.clone()))
        });
        let (family, sid) = known.ok_or_else(|| Refusal::invalid_grant("Invalid refresh token"))?;
        state.revoke(&family);
        end(&mut state, &sid);
        return Ok(Response::empty(204));
    }
    let hint = form.get("id_token_hint");
    let hint = hint.and_then(|hint| call.inner.state().id_tokens.get(&print(hint)).cloned());
    let client = hint.as_ref().map(|(_, client)| client).or_else(|| form.get("client_id"));
    let client = client.and_then(|id| call.known(id));
    let back = form.get("post_logout_redirect_uri");
    if back.is_some_and(|back| client.is_none_or(|client| !client.may_return_to(back))) {
        return Ok(page::refused(settings, "Invalid redirect uri"));
    }
    let mut state = call.inner.state();
    let confirmed =
        call.request.method == "POST" && form.get("decision").is_some_and(|word| word == "approve");
    let sid = match hint {
        Some((sid, _)) => Some(sid),
        None if confirmed => signin::session_of_browser(call, &state).map(|(sid, _)| sid),
        None => return Ok(page::ask_log_out(call)),
    };
    if let Some(sid) = sid {
        end(&mut state, &sid);
    }
    Ok(match back {
        Some(back) => {
            let mut pairs = Vec::new();
            if let Some(given) = form.get("state") {
                pairs.push(("state", given.as_str()));
            }
            Response::redirect(302, authorize::with_query(back, &pairs))
        }
        None => page::notice(settings, 200, "You are logged out", "The sign-in of this browser has ended."),
    })
}

fn end(state: &mut State, sid: &str) {
    if let Some(session) = state.sessions.get_mut(sid) {
        session.ended = true;
    }
}
