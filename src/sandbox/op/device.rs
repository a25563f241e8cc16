//! The device flow's own endpoint, and the polls (RFC 8628).

use std::collections::BTreeMap;

use serde_json::json;

use super::mint::Minting;
use super::refusal::{Refusal, unstored};
use super::state::{Answer, Ask, Device, Print, State, print};
use super::token::{granted, proven};
use super::{Call, authorize, keys};
use crate::sandbox::serve::Response;

/// How long an ended device code is still known as ended, in seconds; later it is one that never was.
const REMEMBERED: i64 = 15;

/// Starts a device flow (RFC 8628 §3.1). As with Keycloak, a client that must use PKCE must use it here too.
pub(super) fn start(call: &Call) -> Result<Response, Refusal> {
    let form = call.form()?;
    let client = &*call.client(&form)?;
    if !client.device {
        return Err(Refusal::new(
            400,
            "unauthorized_client",
            "Client is not allowed to initiate OAuth 2.0 Device Authorization Grant. The flow is disabled for the client.",
        ));
    }
    let challenge = authorize::challenge(client, &form).map_err(Refusal::invalid_request)?;
    let settings = &call.inner.settings;
    let life = client.device_life.unwrap_or(settings.device_life);
    let interval = client.device_interval.unwrap_or(settings.device_interval);
    // An unknown scope is dropped without a word: the device endpoint does not check scopes.
    let asked = form.get("scope").map_or("", String::as_str);
    let asked = asked.split_whitespace().filter(|scope| settings.knows(client, scope)).collect::<Vec<_>>();
    let scopes = authorize::given(call, client, &asked);
    let code = keys::random()?;
    let mut state = call.inner.state();
    state.prune(call.now);
    let user_code = loop {
        let new = keys::user_code()?;
        if !state.devices.values().any(|device| device.user_code == new) {
            break new;
        }
    };
    let page = format!("{}/device", call.inner.base());
    let body = json!({
        "device_code": code,
        "user_code": user_code,
        "verification_uri": page,
        "verification_uri_complete": format!("{page}?user_code={user_code}"),
        "expires_in": life,
        "interval": interval,
    });
    let device = Device {
        user_code,
        client: client.id.clone(),
        scopes,
        audience: client.audience_asked(&form),
        challenge,
        ends: call.now.saturating_add(life),
        interval,
        next_poll: 0,
        answer: Answer::Nothing,
    };
    state.devices.insert(print(&code), device);
    Ok(unstored(Response::json(200, &body)))
}

/// One poll for the tokens (RFC 8628 §3.4, §3.5).
pub(super) fn poll(call: &Call, form: &BTreeMap<String, String>) -> Result<Response, Refusal> {
    let polls = call.inner.count(|counts| &mut counts.polls);
    let client = &*call.client(form)?;
    let code =
        form.get("device_code").ok_or_else(|| Refusal::invalid_request("Missing parameter: device_code"))?;
    let mut state = call.inner.state();
    let not_valid = || Refusal::invalid_grant("Device code not valid");
    let device = state.devices.get_mut(&print(code)).ok_or_else(not_valid)?;
    if device.client != client.id {
        return Err(Refusal::invalid_grant("unauthorized client"));
    }
    if call.now >= device.ends.saturating_add(REMEMBERED) {
        return Err(not_valid());
    }
    if call.now >= device.ends {
        return Err(Refusal::new(400, "expired_token", "Device code is expired"));
    }
    let nth = call.quirks.slow_down_every_nth.is_some_and(|nth| nth > 0 && polls.is_multiple_of(nth));
    let early = call.now_ms < device.next_poll;
    if early || nth {
        if early {
            call.inner.count(|counts| &mut counts.early_polls);
        }
        return Err(Refusal::new(400, "slow_down", "Slow down"));
    }
    device.next_poll = call.now_ms.saturating_add(device.interval.saturating_mul(1000));
    let sid = match &device.answer {
        Answer::Denied => {
            return Err(Refusal::new(400, "access_denied", "The end user denied the authorization request"));
        }
        Answer::Nothing => {
            return Err(Refusal::new(
                400,
                "authorization_pending",
                "The authorization request is still pending",
            ));
        }
        Answer::Approved(sid) => sid.clone(),
    };
    // A wrong verifier does not spend the code: the right one afterwards still works.
    proven(device.challenge.as_deref(), form)?;
    let ask = Ask {
        client: client.id.clone(),
        redirect: String::new(),
        scopes: device.scopes.clone(),
        audience: device.audience.clone(),
        state: None,
        nonce: None,
        challenge: None,
        consent: true,
    };
    state.devices.remove(&print(code));
    let family = granted(call, &mut state, client, &ask, &sid)?;
    let minting =
        Minting { client, family: &family, scopes: &ask.scopes, audience: &ask.audience, nonce: None };
    minting.answer(call, &mut state)
}

/// The waiting request with this user code, however it was typed: in any case, with or without the dash.
pub(super) fn waiting(state: &State, typed: &str, now: i64) -> Option<Print> {
    let letters = |text: &str| {
        text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect::<String>()
    };
    let typed = letters(typed);
    let matches = |device: &Device| {
        letters(&device.user_code) == typed && now < device.ends && device.answer == Answer::Nothing
    };
    state.devices.iter().find(|(_, device)| matches(device)).map(|(print, _)| *print)
}
