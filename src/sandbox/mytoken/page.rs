//! The pages a browser sees: plain HTML that needs no script and shows nothing unescaped.

use std::fmt::Write;

use super::capability::words;
use super::refusal::Refusal;
use super::restriction::Clause;
use super::rotation::Rotation;
use super::table::Login;
use crate::domain::time::from_epoch;
use crate::sandbox::serve::{Request, Response};

/// A page that ends something.
pub(crate) fn end(status: u16, title: &str, text: &str) -> Response {
    page(status, title, &format!("<p>{}</p>", escaped(text)))
}

/// The 404 of an unknown path or a wrong method: JSON below `/api` or when HTML is not accepted, else a page
/// (§1.3).
pub(crate) fn not_found(request: &Request) -> Response {
    let accepts_html = request
        .header("accept")
        .is_none_or(|accepted| accepted.contains("text/html") || accepted.contains("*/*"));
    if request.path.starts_with("/api") || !accepts_html {
        return Refusal::not_found(&request.path).into();
    }
    end(404, "Not found", "There is no such page.")
}

/// The page on which the user says yes or no: what is asked, in words, and two buttons.
pub(crate) fn consent(login: &Login, provider: &str) -> Response {
    let wish = &login.wish;
    let mut text = String::new();
    let who = if login.application.is_empty() { "A program" } else { &login.application };
    let _ = write!(text, "<p><b>{}</b> asks for a mytoken", escaped(who));
    if let Some(name) = &wish.name {
        let _ = write!(text, " named <b>{}</b>", escaped(name));
    }
    let _ = write!(text, " from a login at <b>{}</b>.</p><h2>It may</h2><ul>", escaped(provider));
    for name in &wish.capabilities {
        let _ = write!(text, "<li>{} <small>({})</small></li>", escaped(&words(name)), escaped(name));
    }
    text.push_str("</ul><h2>When and where</h2>");
    if wish.restrictions.is_empty() {
        text.push_str("<p>Without restrictions, and without an end.</p>");
    }
    for clause in &wish.restrictions {
        text.push_str("<ul>");
        for part in clause_words(clause) {
            let _ = write!(text, "<li>{}</li>", escaped(&part));
        }
        text.push_str("</ul>");
    }
    if let Some(rotation) = &wish.rotation {
        let _ = write!(text, "<h2>Rotation</h2><p>{}</p>", escaped(&rotation_words(rotation)));
    }
    text.push_str(
        "<form id=\"next\" method=\"post\">\
         <button name=\"decision\" value=\"approve\">Approve</button> \
         <button name=\"decision\" value=\"deny\">Decline</button></form>",
    );
    page(200, "Consent", &text)
}

fn clause_words(clause: &Clause) -> Vec<String> {
    let list = |label: &str, values: &[String]| {
        (!values.is_empty()).then(|| format!("{label} {}", values.join(", ")))
    };
    let parts = [
        clause.nbf.map(|at| format!("from {}", from_epoch(at))),
        clause.exp.map(|at| format!("until {}", from_epoch(at))),
        clause.scope.as_ref().map(|scope| format!("access tokens with at most the scopes {scope}")),
        list("access tokens for", &clause.audience),
        list("used from", &clause.hosts),
        list("used in", &clause.geoip_allow),
        list("not used in", &clause.geoip_disallow),
        clause.usages_at.map(|most| format!("at most {most} access tokens")),
        clause.usages_other.map(|most| format!("at most {most} other uses")),
    ];
    parts.into_iter().flatten().collect()
}

fn rotation_words(rotation: &Rotation) -> String {
    let mut parts = Vec::new();
    if rotation.on_at {
        parts.push("it is replaced after each access token".to_owned());
    }
    if rotation.on_other {
        parts.push("it is replaced after each other use".to_owned());
    }
    if rotation.lifetime > 0 {
        parts.push(format!("each version lives {} seconds", rotation.lifetime));
    }
    if rotation.auto_revoke {
        parts.push("the use of an old version revokes it and all made from it".to_owned());
    }
    parts.join("; ")
}

fn page(status: u16, title: &str, body: &str) -> Response {
    Response::html(
        status,
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
             <meta name=\"viewport\" content=\"width=device-width\"><style>body{{font:16px/1.5 sans-serif;\
             max-width:36em;margin:3em auto;padding:0 1em}}button{{font:inherit;padding:.4em 1.2em}}</style></head>\
             <body><h1>{title}</h1>{body}</body></html>"
        ),
    )
    .with("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
