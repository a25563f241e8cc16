//! A visitor who plays the browser's part: follows redirects, and presses the buttons of the sandbox's pages.
//!
//! For the demo's one-key sign-in and for tests. It goes to loopback addresses only.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Method};
use url::{Host, Url};

use crate::domain::secret::Secret;

/// More pages than this in one visit are a circle.
const MOST_STEPS: usize = 20;
/// A page that takes longer than this is not coming.
const PATIENCE: Duration = Duration::from_secs(10);
/// A page larger than this is none of the sandbox's.
const MOST_PAGE: usize = 1 << 20;

/// What the visitor says when asked for consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Signs in and approves.
    Approve,
    /// Refuses on the first page that lets it.
    Deny,
}

/// Where a visit ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The last address. It may hold an authorization code.
    pub address: Secret,
    /// The status of its answer; `None` where the visit stopped before it.
    pub status: Option<u16>,
    /// The title of the page there, if it has one.
    pub title: Option<String>,
}

impl Outcome {
    /// A parameter of the last address's query, such as `code`, `state` or `error`.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        let url = Url::parse(self.address.expose()).ok()?;
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

/// Why a visit did not end anywhere.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The HTTP client could not be made.
    #[error("the visitor could not be made ready")]
    Client(#[source] reqwest::Error),
    /// An address is not one.
    #[error("the visitor was sent to something that is no address")]
    Address,
    /// An address is not on loopback over `http`.
    #[error("the visitor goes to loopback addresses only")]
    NotLoopback,
    /// Nobody answered.
    #[error("the visitor got no answer")]
    Unreachable(#[source] reqwest::Error),
    /// A page is too large to be the sandbox's.
    #[error("the visitor was given a page without an end")]
    TooLarge,
    /// The form has no button for the user or the choice.
    #[error("the page at step {step} has no button for this")]
    NoButton {
        /// How many pages came before.
        step: usize,
    },
    /// The pages lead in a circle.
    #[error("the visitor was sent in a circle")]
    Circle,
}

/// A browser without a screen. Its cookies last as long as it: two logins of one user in it share a session at the
/// provider, and revoking the refresh token of one ends the other, as in a real browser. For logins that have nothing
/// to do with each other take two visitors.
pub struct Visitor {
    client: Client,
    stop_before: Option<String>,
    cookies: Mutex<Vec<Cookie>>,
}

struct Cookie {
    port: Option<u16>,
    path: String,
    name: String,
    value: Secret,
}

/// One request of a visit.
struct Step {
    url: Url,
    form: Option<String>,
}

impl Visitor {
    /// A browser without cookies.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new() -> Result<Self, Error> {
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            // Plain http only: so it also works on a machine without any certificates.
            .tls_certs_only([])
            .timeout(PATIENCE)
            .build()
            .map_err(Error::Client)?;
        Ok(Self { client, stop_before: None, cookies: Mutex::default() })
    }

    /// The same, but a visit ends before it would ask for an address that begins with `prefix`: where nobody listens at
    /// the redirect address, or it is to be pasted.
    #[must_use]
    pub fn stopping_before(mut self, prefix: impl Into<String>) -> Self {
        self.stop_before = Some(prefix.into());
        self
    }

    /// Goes to `start`, signs in as `user` wherever it is asked, makes its `choice`, and goes on until an answer is
    /// neither a redirect nor a page with the form `id="next"`: the callback of our program, or a last page.
    ///
    /// # Errors
    /// When an address is not on loopback, nobody answers, or a page lacks the button to press.
    pub async fn visit(&self, start: &str, choice: Choice, user: &str) -> Result<Outcome, Error> {
        let mut step = Step { url: Url::parse(start).map_err(|_| Error::Address)?, form: None };
        for number in 0..MOST_STEPS {
            let address = step.url.clone();
            if self.stop_before.as_deref().is_some_and(|prefix| address.as_str().starts_with(prefix)) {
                return Ok(Outcome { address: Secret::new(address), status: None, title: None });
            }
            let (status, headers, body) = self.ask(step).await?;
            let location = headers.get(LOCATION).filter(|_| matches!(status, 301..=303));
            if let Some(location) = location {
                let to = location.to_str().ok().and_then(|to| address.join(to).ok()).ok_or(Error::Address)?;
                step = Step { url: to, form: None };
                continue;
            }
            let Some(form) = Form::of(&body) else {
                let title = between(&body, "<title>", "</title>").map(plain);
                return Ok(Outcome { address: Secret::new(address), status: Some(status), title });
            };
            let filled = form.pressed(choice, user).ok_or(Error::NoButton { step: number })?;
            let mut url = address.join(&form.action).map_err(|_| Error::Address)?;
            step = if form.post {
                Step { url, form: Some(filled) }
            } else {
                url.set_query(Some(&filled));
                Step { url, form: None }
            };
        }
        Err(Error::Circle)
    }

    async fn ask(&self, step: Step) -> Result<(u16, HeaderMap, String), Error> {
        let loopback = match step.url.host() {
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        if !loopback || step.url.scheme() != "http" {
            return Err(Error::NotLoopback);
        }
        let method = if step.form.is_some() { Method::POST } else { Method::GET };
        let mut request = self.client.request(method, step.url.clone()).header(ACCEPT, "text/html");
        if let Some(cookies) = self.cookies_for(&step.url) {
            request = request.header(COOKIE, cookies);
        }
        if let Some(form) = step.form {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
        }
        let unreachable = |error: reqwest::Error| Error::Unreachable(error.without_url());
        let mut answer = request.send().await.map_err(unreachable)?;
        self.keep_cookies(&step.url, answer.headers());
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            body.extend_from_slice(&chunk);
            if body.len() > MOST_PAGE {
                return Err(Error::TooLarge);
            }
        }
        Ok((status, headers, String::from_utf8_lossy(&body).into_owned()))
    }

    fn cookies_for(&self, url: &Url) -> Option<String> {
        let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = cookies
            .iter()
            .filter(|cookie| cookie.port == url.port() && url.path().starts_with(&cookie.path))
            .map(|cookie| format!("{}={}", cookie.name, cookie.value.expose()))
            .collect::<Vec<_>>();
        (!fitting.is_empty()).then(|| fitting.join("; "))
    }

    fn keep_cookies(&self, url: &Url, headers: &HeaderMap) {
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        for header in headers.get_all(SET_COOKIE).iter().filter_map(|header| header.to_str().ok()) {
            let mut parts = header.split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { continue };
            let path = parts.find_map(|part| part.strip_prefix("Path=")).unwrap_or("/");
            // Real browsers do not tell ports apart; a visitor does, so that several sandboxes can be visited.
            cookies.retain(|one| !(one.port == url.port() && one.path == path && one.name == name));
            cookies.push(Cookie {
                port: url.port(),
                path: path.to_owned(),
                name: name.to_owned(),
                value: Secret::new(value),
            });
        }
    }
}

/// The page's main form. Only as much HTML is understood as the sandbox writes.
struct Form {
    action: String,
    post: bool,
    hidden: Vec<(String, String)>,
    buttons: Vec<(String, String)>,
}

impl Form {
    fn of(page: &str) -> Option<Self> {
        let open = page.match_indices("<form").find_map(|(at, _)| {
            let tag = page.get(at..)?.split_once('>')?.0;
            (attribute(tag, "id")? == "next").then_some((at, tag))
        });
        let (at, tag) = open?;
        let inside = page.get(at + tag.len()..)?.split("</form>").next()?;
        let mut form = Self {
            action: attribute(tag, "action").unwrap_or_default(),
            post: attribute(tag, "method").is_some_and(|method| method.eq_ignore_ascii_case("post")),
            hidden: Vec::new(),
            buttons: Vec::new(),
        };
        for piece in inside.split('<').skip(1) {
            let tag = piece.split('>').next().unwrap_or_default();
            let pair = || Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default()));
            if tag.starts_with("input") {
                form.hidden
                    .extend(pair().filter(|_| attribute(tag, "type").is_some_and(|kind| kind == "hidden")));
            } else if tag.starts_with("button") {
                form.buttons.extend(pair());
            }
        }
        Some(form)
    }

    /// The form's body with the button for this user and choice, if there is one.
    fn pressed(&self, choice: Choice, user: &str) -> Option<String> {
        let wanted = match choice {
            Choice::Deny => [("decision", "deny"), ("user", user)],
            Choice::Approve => [("decision", "approve"), ("user", user)],
        };
        let button = wanted.iter().find_map(|&(name, value)| {
            self.buttons.iter().find(|(one, other)| one == name && other == value)
        })?;
        let pairs = self.hidden.iter().chain([button]);
        Some(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
    }
}

/// An attribute of an opening tag, in double quotes.
fn attribute(tag: &str, name: &str) -> Option<String> {
    between(tag, &format!(" {name}=\""), "\"")
        .or_else(|| between(tag, &format!("\n{name}=\""), "\""))
        .map(plain)
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    Some(text.split_once(start)?.1.split_once(end)?.0)
}

/// Text as it was before it was put into HTML.
fn plain(text: &str) -> String {
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#34;", "\""), ("&#39;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<form id="other"><button name="decision" value="approve">no</button></form>
        <form id="next" method="post" action="/go?a=1&amp;b=2">
        <input type="hidden" name="session_code" value="x&quot;&amp;y"><input name="seen" value="not sent">
        <button name="user" value="alice">Alice</button>
        <button name="decision" value="deny">Deny</button></form>"#;

    #[test]
    fn the_main_form_is_found_and_filled_in() {
        let form = Form::of(PAGE).expect("a form");
        assert_eq!((form.action.as_str(), form.post), ("/go?a=1&b=2", true));
        assert_eq!(
            form.pressed(Choice::Approve, "alice").as_deref(),
            Some("session_code=x%22%26y&user=alice")
        );
        assert_eq!(
            form.pressed(Choice::Deny, "alice").as_deref(),
            Some("session_code=x%22%26y&decision=deny")
        );
    }

    #[test]
    fn somebody_without_a_button_is_not_signed_in() {
        assert_eq!(Form::of(PAGE).expect("a form").pressed(Choice::Approve, "mallory"), None);
    }

    #[tokio::test]
    async fn a_visitor_does_not_leave_the_machine() {
        let visitor = Visitor::new().expect("a visitor");
        for address in ["http://192.0.2.1/", "https://127.0.0.1/", "file:///etc/hostname"] {
            let end = visitor.visit(address, Choice::Approve, "alice").await;
            assert!(matches!(end, Err(Error::NotLoopback)), "{address}");
        }
    }
}
