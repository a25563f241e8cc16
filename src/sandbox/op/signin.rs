//! The pages that people see: who are you, may it have this, which code does your device show.

use super::authorize::{back_with_code, back_with_error};
use super::refusal::Refusal;
use super::state::{Answer, Page, Purpose, Session, State, print};
use super::{Call, device, keys, page};
use crate::sandbox::serve::Response;

/// The cookie that holds a browser's sign-in.
const COOKIE: &str = "toktui_sandbox_session";

/// What somebody reads who opens the issuer itself.
pub(super) fn welcome(call: &Call) -> Response {
    let settings = &call.inner.settings;
    let text = format!("This is the issuer {}. Nobody needs to come here by hand.", settings.issuer);
    page::notice(settings, 200, &settings.name, &text)
}

/// The page that takes the code a device shows (RFC 8628 §3.3), by link or by hand.
pub(super) fn device_page(call: &Call) -> Result<Response, Refusal> {
    let form;
    let typed = if call.request.method == "GET" {
        call.request.query.get("user_code")
    } else {
        form = call.form()?;
        form.get("device_user_code")
    };
    let Some(typed) = typed else { return Ok(page::ask_user_code(call, false)) };
    let found = device::waiting(&call.inner.state(), typed, call.now);
    match found {
        Some(device) => ask_who(call, &Purpose::Device(device)),
        None => Ok(page::ask_user_code(call, true)),
    }
}

/// The last page of a device flow.
pub(super) fn device_status(call: &Call) -> Response {
    let (title, text) = if call.request.query.contains_key("error") {
        ("Device Login Failed", "Consent was denied for connecting the device.")
    } else {
        ("Device Login Successful", "You may close this page and go back to your device.")
    };
    page::notice(&call.inner.settings, 200, title, text)
}

/// Shows the sign-in page. It comes every time, also to a browser that has a living session, so that each login can
/// choose its user or refuse; only `prompt=none` uses the session silently.
pub(super) fn ask_who(call: &Call, purpose: &Purpose) -> Result<Response, Refusal> {
    let mut state = call.inner.state();
    let word = waiting_page(call, &mut state, Page::SignIn(purpose.clone()))?;
    Ok(page::ask_who(call, &state, purpose, &word, None))
}

/// Remembers a page and gives the word that its form hides.
fn waiting_page(call: &Call, state: &mut State, page: Page) -> Result<String, Refusal> {
    let word = keys::random()?;
    state.pages.insert(print(&word), (page, call.now));
    Ok(word)
}

/// A button was pressed.
pub(super) fn pressed(call: &Call) -> Result<Response, Refusal> {
    let form = call.form()?;
    let settings = &call.inner.settings;
    let mut state = call.inner.state();
    let word = form.get("session_code").map_or("", String::as_str);
    let Some((page, _)) = state.pages.get(&print(word)).cloned() else {
        return Ok(page::refused(settings, "This page has expired. Start the login again."));
    };
    let decision = form.get("decision").map_or("", String::as_str);
    match page {
        Page::Done(Purpose::Code(ask)) => {
            Ok(back_with_error(call, &ask, "temporarily_unavailable", Some("authentication_expired")))
        }
        Page::Done(Purpose::Device(_)) => Ok(page::refused(settings, "This page has been answered already.")),
        Page::SignIn(purpose) | Page::Consent(purpose, _) if decision == "deny" => {
            done(&mut state, word, &purpose);
            Ok(deny(call, &mut state, &purpose))
        }
        Page::SignIn(purpose) => {
            let username = form.get("user").map_or("", String::as_str);
            let trouble = match settings.user(username) {
                None => Some("Invalid username."),
                Some(_) if call.quirks.disabled.contains(username) => Some("Account is disabled."),
                Some(_) => None,
            };
            if trouble.is_some() {
                return Ok(page::ask_who(call, &state, &purpose, word, trouble));
            }
            done(&mut state, word, &purpose);
            welcomed(call, &mut state, &purpose, username)
        }
        Page::Consent(purpose, sid) if decision == "approve" => {
            done(&mut state, word, &purpose);
            approve(call, &mut state, &purpose, sid)
        }
        Page::Consent(..) => Ok(page::refused(settings, "The page was sent without a decision.")),
    }
}

/// Signs `username` in, and goes on to the consent page where one is due, else back to the client.
fn welcomed(call: &Call, state: &mut State, purpose: &Purpose, username: &str) -> Result<Response, Refusal> {
    let (sid, cookie) = signed_in(call, state, username)?;
    let answer = match purpose {
        Purpose::Code(ask) if !ask.consent => back_with_code(call, state, ask, &sid)?,
        _ => {
            let word = waiting_page(call, state, Page::Consent(purpose.clone(), sid))?;
            page::ask_consent(call, state, purpose, username, &word)
        }
    };
    Ok(match cookie {
        Some(cookie) => answer.with("set-cookie", cookie),
        None => answer,
    })
}

fn approve(call: &Call, state: &mut State, purpose: &Purpose, sid: String) -> Result<Response, Refusal> {
    match purpose {
        Purpose::Code(ask) => back_with_code(call, state, ask, &sid),
        Purpose::Device(device) => {
            if let Some(device) = state.devices.get_mut(device) {
                device.answer = Answer::Approved(sid);
            }
            Ok(status_page(call, ""))
        }
    }
}

fn done(state: &mut State, word: &str, purpose: &Purpose) {
    if let Some((page, _)) = state.pages.get_mut(&print(word)) {
        *page = Page::Done(purpose.clone());
    }
}

fn deny(call: &Call, state: &mut State, purpose: &Purpose) -> Response {
    match purpose {
        Purpose::Code(ask) => back_with_error(call, ask, "access_denied", None),
        Purpose::Device(device) => {
            if let Some(device) = state.devices.get_mut(device) {
                device.answer = Answer::Denied;
            }
            status_page(call, "?error=access_denied")
        }
    }
}

fn status_page(call: &Call, query: &str) -> Response {
    Response::redirect(302, format!("{}/device/status{query}", call.inner.base()))
}

/// The session of the user in this browser: the living one, or a new one with the cookie to set.
fn signed_in(call: &Call, state: &mut State, username: &str) -> Result<(String, Option<String>), Refusal> {
    if let Some((sid, session)) = session_of_browser(call, state)
        && session == username
    {
        return Ok((sid, None));
    }
    let (sid, cookie) = (keys::uuid()?, keys::random()?);
    let session =
        Session { username: username.to_owned(), started: call.now, browser: print(&cookie), ended: false };
    state.sessions.insert(sid.clone(), session);
    let path = if call.inner.prefix.is_empty() { "/" } else { &call.inner.prefix };
    Ok((sid, Some(format!("{COOKIE}={cookie}; Path={path}; HttpOnly; SameSite=Lax"))))
}

/// The living session that the browser's cookie names, and its user.
pub(super) fn session_of_browser(call: &Call, state: &State) -> Option<(String, String)> {
    let cookies = call.request.header("cookie")?;
    let value = cookies.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        (name.trim() == COOKIE).then(|| value.trim())
    })?;
    let (sid, session) = state.session_of(value, call.now, call.inner.settings.session_life)?;
    Some((sid.clone(), session.username.clone()))
}
