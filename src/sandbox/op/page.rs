//! The HTML: plain, readable without scripts, and clear that nothing here is real.

use url::{Host, Url};

use super::Call;
use super::settings::{Settings, User};
use super::state::{Purpose, State};
use crate::sandbox::serve::Response;

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:3rem auto;padding:0 1rem}\
h1{font-size:1.4rem}\
.note{border:1px solid;border-radius:.4rem;padding:.4rem .8rem;font-size:.9rem}\
.wrong{font-weight:bold}\
button,input{font:inherit;padding:.5rem 1rem;margin:.3rem .3rem .3rem 0}\
code{font-size:1.1rem;letter-spacing:.05em;white-space:nowrap}";

/// Makes text harmless inside HTML, in an attribute too.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

/// `title` is plain text, `body` is HTML. `back` is where the page's form may lead the browser in the end: Chromium
/// counts the redirect after a form as part of it.
fn page(settings: &Settings, status: u16, title: &str, body: &str, back: Option<&str>) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <p class=\"note\">toktui sandbox – nothing here is real. Provider: {name}.</p>\n\
         <h1>{title}</h1>\n{body}\n</body>\n</html>\n",
        title = escaped(title),
        name = escaped(&settings.name),
    );
    let back = back.and_then(origin).map(|origin| format!(" {origin}")).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'{back}"
    );
    Response::html(status, html)
        .with("content-security-policy", policy)
        .with("cache-control", "no-store")
        .with("referrer-policy", "no-referrer")
        .with("x-content-type-options", "nosniff")
}

/// What a policy calls the place of an address: its origin, or for a scheme without one the scheme.
fn origin(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let origin = url.origin();
    // A policy has no words for an IPv6 address either.
    let nameable = origin.is_tuple() && !matches!(url.host(), Some(Host::Ipv6(_)));
    Some(if nameable { origin.ascii_serialization() } else { format!("{}:", url.scheme()) })
}

/// A page that only says something.
pub(super) fn notice(settings: &Settings, status: u16, title: &str, text: &str) -> Response {
    page(settings, status, title, &format!("<p>{}</p>", escaped(text)), None)
}

/// An error page: the client never hears of it.
pub(super) fn refused(settings: &Settings, why: &str) -> Response {
    notice(settings, 400, "We are sorry...", why)
}

/// What a proxy answers that does not reach the server behind it.
pub(super) fn proxy(status: u16) -> Response {
    Response::html(status, "<html>\n<body><h1>The server did not answer</h1></body>\n</html>\n")
}

/// Where a purpose leads the browser when it is done, if not to a page of ours.
fn back(purpose: &Purpose) -> Option<&str> {
    match purpose {
        Purpose::Code(ask) => Some(&ask.redirect),
        Purpose::Device(_) => None,
    }
}

fn form(call: &Call, word: &str, inside: &str) -> String {
    format!(
        "<form id=\"next\" method=\"post\" action=\"{action}\">\n\
         <input type=\"hidden\" name=\"session_code\" value=\"{word}\">\n{inside}</form>",
        action = escaped(&format!("{}/login-actions/authenticate", call.inner.prefix)),
        word = escaped(word),
    )
}

const DENY: &str = "<button name=\"decision\" value=\"deny\">Deny</button>\n";

/// Who wants to sign in? One button a user. `trouble` is what was wrong with the last answer.
pub(super) fn ask_who(
    call: &Call,
    state: &State,
    purpose: &Purpose,
    word: &str,
    trouble: Option<&str>,
) -> Response {
    let settings = &call.inner.settings;
    let client = match purpose {
        Purpose::Code(ask) => ask.client.as_str(),
        Purpose::Device(device) => state.devices.get(device).map_or("", |device| &device.client),
    };
    let mut body = format!("<p><b>{}</b> wants to know who you are. Sign in as:</p>\n", escaped(client));
    if let Some(trouble) = trouble {
        body = format!("<p class=\"wrong\">{}</p>\n{body}", escaped(trouble));
    }
    let button = |user: &User| {
        format!(
            "<button name=\"user\" value=\"{}\">{}</button>\n",
            escaped(&user.username),
            escaped(&user.name)
        )
    };
    let buttons: String = settings.users.iter().map(button).collect();
    body += &form(call, word, &format!("<p>{buttons}</p>\n<p>{DENY}</p>\n"));
    page(settings, 200, "Sign in", &body, back(purpose))
}

/// May the client have what it asked for?
pub(super) fn ask_consent(
    call: &Call,
    state: &State,
    purpose: &Purpose,
    username: &str,
    word: &str,
) -> Response {
    let (client, scopes, user_code) = match purpose {
        Purpose::Code(ask) => (ask.client.as_str(), ask.scopes.as_slice(), None),
        Purpose::Device(device) => match state.devices.get(device) {
            Some(device) => (device.client.as_str(), device.scopes.as_slice(), Some(&device.user_code)),
            None => ("", [].as_slice(), None),
        },
    };
    let items: Vec<String> = scopes.iter().map(|scope| format!("<li>{}</li>\n", escaped(scope))).collect();
    let code = user_code.map_or_else(String::new, |code| {
        let code = escaped(code);
        format!("<p>Approve only if your own terminal shows this code: <code>{code}</code></p>\n")
    });
    let mut body = format!(
        "<p>Signed in as <b>{}</b>.</p>\n<p><b>{}</b> asks for:</p>\n<ul>\n{}</ul>\n{code}",
        escaped(username),
        escaped(client),
        items.concat(),
    );
    let approve = "<button name=\"decision\" value=\"approve\">Approve</button>\n";
    body += &form(call, word, &format!("<p>{approve}{DENY}</p>\n"));
    page(&call.inner.settings, 200, "Do you grant this access?", &body, back(purpose))
}

/// Which code does the device show?
pub(super) fn ask_user_code(call: &Call, wrong: bool) -> Response {
    let wrong = if wrong { "<p class=\"wrong\">No device waits with this code.</p>\n" } else { "" };
    let body = format!(
        "{wrong}<form id=\"next\" method=\"post\" action=\"{}\">\n\
         <p><label>The code that your device shows: <input name=\"device_user_code\" autocomplete=\"off\" autofocus></label></p>\n\
         <p><button>Continue</button></p>\n</form>",
        escaped(&format!("{}/device", call.inner.prefix)),
    );
    page(&call.inner.settings, 200, "Device Login", &body, None)
}

/// Shall this browser's sign-in end?
pub(super) fn ask_log_out(call: &Call) -> Response {
    let body = format!(
        "<form id=\"next\" method=\"post\" action=\"{}\">\n\
         <p><button name=\"decision\" value=\"approve\">Log out</button></p>\n</form>",
        escaped(&format!("{}/protocol/openid-connect/logout", call.inner.prefix)),
    );
    page(&call.inner.settings, 200, "Do you want to log out?", &body, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_echoes_stays_text() {
        assert_eq!(escaped("<b a='1' c=\"2\">&"), "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;");
    }

    #[test]
    fn a_policy_names_the_place_a_form_leads_to() {
        assert_eq!(origin("http://127.0.0.1:4242/cb?x=1").as_deref(), Some("http://127.0.0.1:4242"));
        assert_eq!(origin("edu.kit.data.oidc-agent:/redirect").as_deref(), Some("edu.kit.data.oidc-agent:"));
        assert_eq!(origin("http://[::1]:4242/cb").as_deref(), Some("http:"));
    }
}
