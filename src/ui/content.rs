//! What stands in a token, decoded here: whether its signature is known to be good, the claims that matter in words, the rest.

use jiff::Timestamp;
use ratatui::text::{Line, Span};
use serde_json::{Map, Value};
use unicode_width::UnicodeWidthStr;

use super::parts::{fitting, wrap};
use super::scene::{Scene, labelled, under_label};
use super::verdict::LABEL;
use crate::app::lookup;
use crate::domain::jwt::Jwt;
use crate::domain::signature::Signature;
use crate::domain::untrusted::{Untrusted, cleaned};

/// More claims than this are counted, not listed: a token of a hostile server may hold thousands.
const MOST: usize = 200;

/// Claims that are told in words.
const TOLD: &[&str] = &[
    "iss",
    "sub",
    "name",
    "preferred_username",
    "email",
    "aud",
    "scope",
    "scp",
    "azp",
    "client_id",
    "iat",
    "exp",
    "nbf",
    "auth_time",
];

/// The lines of a token's content.
pub(super) fn lines<'a>(
    jwt: &Jwt,
    signature: Option<&Signature>,
    width: usize,
    scene: Scene<'a>,
) -> Vec<Line<'a>> {
    let theme = scene.theme;
    let room = width.saturating_sub(LABEL);
    let mut lines = signature.map_or_else(Vec::new, |signature| verified(signature, width, scene));
    let mut say = |label: &str, text: String| {
        if !text.is_empty() {
            let texts = wrap(&text, room).into_iter().map(|line| (line, theme.text)).collect();
            lines.extend(under_label(label, LABEL, texts, theme));
        }
    };
    say("as", subject(jwt));
    say("by", jwt.text("iss").map(|issuer| by(&issuer, scene)).unwrap_or_default());
    say("for", joined(&jwt.texts("aud"), ", "));
    let client = jwt.text("azp").or_else(|| jwt.text("client_id"));
    say("to", client.map(|client| client.shown()).unwrap_or_default());
    say("may", scopes(jwt));
    say("when", times(jwt, scene));
    let rest: Vec<_> = jwt.claims.iter().filter(|(name, _)| !TOLD.contains(&name.as_str())).collect();
    lines.extend(listed(&rest, width, scene));
    lines.push(sealed_how(jwt, signature, scene));
    lines
}

fn subject(jwt: &Jwt) -> String {
    let name = ["name", "preferred_username", "email"].into_iter().find_map(|claim| jwt.text(claim));
    let subject = jwt.text("sub").map(|subject| subject.shown());
    match (name.map(|name| name.shown()), subject) {
        // Enter shows it in full.
        (Some(name), Some(subject)) if subject.len() > 16 && subject.is_ascii() => {
            format!("{name}  {}…", subject.get(..4).unwrap_or_default())
        }
        (Some(name), Some(subject)) if name != subject => format!("{name} ({subject})"),
        (Some(one), _) | (None, Some(one)) => one,
        (None, None) => String::new(),
    }
}

/// Who issued it: by its name here, if its address is that of a listed provider to the letter.
fn by(issuer: &Untrusted, scene: Scene<'_>) -> String {
    scene.known_issuer(issuer).unwrap_or_else(|| issuer.shown())
}

fn scopes(jwt: &Jwt) -> String {
    let one = jwt.text("scope").map(|scope| scope.shown());
    one.unwrap_or_else(|| joined(&[jwt.texts("scope"), jwt.texts("scp")].concat(), " "))
}

fn times(jwt: &Jwt, scene: Scene<'_>) -> String {
    let start = jwt.moment("nbf").or_else(|| jwt.moment("iat"));
    let told = |at: Timestamp| scene.exact(at);
    let span = match (start, jwt.moment("exp")) {
        (Some(start), Some(end)) => format!("{} until {}", told(start), told(end)),
        (Some(start), None) => format!("{} on, without an end", told(start)),
        (None, Some(end)) => format!("its start until {}", told(end)),
        (None, None) => return String::new(),
    };
    match jwt.moment("auth_time") {
        Some(login) => format!("{span}; logged in {}", told(login)),
        None => span,
    }
}

/// A claim's value as text: moments in words, texts without quotes, the rest as JSON.
fn told(name: &str, value: &Value, scene: Scene<'_>) -> String {
    const MOMENTS: &[&str] = &["iat", "exp", "nbf", "auth_time", "updated_at"];
    if let Some(at) = MOMENTS.contains(&name).then(|| crate::domain::jwt::moment(value)).flatten() {
        return format!("{}  ({})", scene.exact(at), at.as_second());
    }
    match value {
        Value::String(text) => cleaned(text),
        Value::Array(list) if list.iter().all(Value::is_string) => {
            list.iter().filter_map(Value::as_str).map(cleaned).collect::<Vec<_>>().join(", ")
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            cleaned(&value.to_string())
        }
    }
}

/// The lines of what a provider said of a token.
pub(super) fn claims<'a>(claims: &Map<String, Value>, width: usize, scene: Scene<'a>) -> Vec<Line<'a>> {
    let said: Vec<_> = claims.iter().filter(|(name, _)| *name != "active").collect();
    listed(&said, width, scene)
}

/// Claims, a line each, under names of one width.
fn listed<'a>(rest: &[(&String, &Value)], width: usize, scene: Scene<'a>) -> Vec<Line<'a>> {
    let theme = scene.theme;
    let widest = rest.iter().take(MOST).map(|(name, _)| cleaned(name).width()).max().unwrap_or(0);
    let wide = widest.min(width / 2).max(LABEL - 2);
    let line = |(name, value): &(&String, &Value)| {
        let value = Span::styled(told(name, value, scene), theme.text);
        labelled(&cleaned(name), wide + 2, [value], theme)
    };
    let mut lines: Vec<Line<'a>> = rest.iter().take(MOST).map(line).collect();
    if rest.len() > MOST {
        lines.push(Line::styled(format!("and {} more claims", rest.len() - MOST), theme.dim));
    }
    lines
}

/// What the look-up said of the signature.
fn verified<'a>(signature: &Signature, width: usize, scene: Scene<'a>) -> Vec<Line<'a>> {
    let theme = scene.theme;
    let (sign, style) = match signature {
        Signature::Good { .. } => (theme.signs.ok, theme.ok),
        Signature::Bad { .. } => (theme.signs.wrong, theme.wrong),
        Signature::Unchecked(_) => (theme.signs.unknown, theme.ending),
    };
    let called = |issuer: &Untrusted| lookup::called(scene.state, issuer);
    let (full, brief) = (signature.words(called), signature.brief(called));
    // Where the name of the key does not fit, Enter shows it.
    let words = fitting(&[&full, &brief], width.saturating_sub(2));
    wrap(&format!("{sign} {words}"), width).into_iter().map(|line| Line::styled(line, style)).collect()
}

fn sealed_how<'a>(jwt: &Jwt, signature: Option<&Signature>, scene: Scene<'a>) -> Line<'a> {
    let algorithm = jwt.header.get("alg").and_then(Value::as_str).map(cleaned);
    let signed = match (jwt.signature, algorithm) {
        (0, _) => "not signed".to_owned(),
        (_, Some(algorithm)) => format!("signed with {algorithm}"),
        (_, None) => "signed".to_owned(),
    };
    let verified = if signature.is_some_and(Signature::is_good) { "" } else { "; read here, not verified" };
    Line::styled(format!("{signed}{verified}"), scene.theme.dim)
}

fn joined(texts: &[Untrusted], with: &str) -> String {
    texts.iter().map(Untrusted::shown).collect::<Vec<_>>().join(with)
}
