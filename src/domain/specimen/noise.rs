//! Takes a token out of what shells, headers, JSON, chat programs and line ends have put around and into it.

use serde_json::Value;
use zeroize::Zeroizing;

use super::{Garble, Jwt};

/// As many layers are taken off; a text with more of them is no paste of a token.
const MOST_LAYERS: usize = 16;

/// A line of a wrapped token is at least this long; words of a sentence are shorter.
const SHORTEST_LINE: usize = 16;

/// Longer names of variables are taken for the start of a token.
const LONGEST_NAME: usize = 64;

/// Members of a JSON answer that hold a token, the one to take first.
const MEMBERS: [&str; 4] = ["mytoken", "access_token", "refresh_token", "id_token"];

/// What may stand before a token, in lower case.
const PREFIXES: [&str; 6] = ["-h ", "--header ", "authorization:", "bearer ", "bearer:", "export "];

/// The bare token, without a blank in it.
pub(super) fn removed(text: &str) -> Result<Zeroizing<String>, Garble> {
    let visible = text.chars().filter(|c| !is_invisible(*c)).collect::<String>();
    // A shell's line continuation is a line break.
    let mut text = Zeroizing::new(visible.replace("\\\r\n", "\n").replace("\\\n", "\n"));
    for _ in 0..MOST_LAYERS {
        let Some(inner) = layer_off(&text)? else { break };
        text = inner;
    }
    joined(&text)
}

/// The text without its outermost layer; `None` where there is none.
fn layer_off(text: &str) -> Result<Option<Zeroizing<String>>, Garble> {
    let inside = bare(text);
    if inside.starts_with('{') {
        return token_in_json(inside).map(Some);
    }
    let inside = without_prefix(inside).or_else(|| without_name(inside)).unwrap_or(inside);
    Ok((inside.len() < text.len()).then(|| Zeroizing::new(inside.to_owned())))
}

/// Without blanks and quotes at both ends. No token begins or ends with one.
fn bare(text: &str) -> &str {
    let quote = |c: char| c.is_whitespace() || "'\"`“”‘’«»<>".contains(c);
    let text = text.trim();
    let text = text.strip_prefix("$'").or_else(|| text.strip_prefix("$\"")).unwrap_or(text);
    let mut text = text.trim_matches(quote);
    if text.starts_with('{') {
        return text;
    }
    loop {
        // What a shell, a JSON fragment or a sentence leaves at the end; `\n` as two characters, too.
        let shorter = text.trim_end_matches(|c: char| quote(c) || c == ';' || c == ',');
        let shorter = shorter.strip_suffix("\\n").or_else(|| shorter.strip_suffix("\\r")).unwrap_or(shorter);
        if shorter.len() == text.len() {
            return text;
        }
        text = shorter;
    }
}

fn without_prefix(text: &str) -> Option<&str> {
    PREFIXES.iter().find_map(|prefix| {
        let (head, rest) = text.split_at_checked(prefix.trim_end().len())?;
        let fits = head.eq_ignore_ascii_case(prefix.trim_end());
        // `bearer ` needs its blank, of whatever kind: a token may begin with these letters.
        let ends = !prefix.ends_with(' ') || rest.starts_with(char::is_whitespace);
        (fits && ends && !rest.trim().is_empty()).then_some(rest)
    })
}

/// `NAME=value`, `name: value`, `"name": value`.
fn without_name(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
    let (name, rest) = text.split_at_checked(end)?;
    let rest = rest.trim_start_matches(['"', '\'']);
    let value = rest.strip_prefix('=').or_else(|| rest.trim_start().strip_prefix(':'))?;
    let is_name = !name.is_empty()
        && name.len() <= LONGEST_NAME
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && !value.trim().is_empty()
        // `abcd==` is the end of base64, `https://` that of no name.
        && !value.starts_with('=')
        && !value.starts_with("//");
    is_name.then_some(value)
}

fn token_in_json(text: &str) -> Result<Zeroizing<String>, Garble> {
    // Only the first value counts: a prompt or a newline may follow it.
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let Some(Ok(Value::Object(answer))) = values.next() else {
        return Err(Garble::BrokenJson);
    };
    MEMBERS
        .iter()
        .filter_map(|name| answer.get(*name).and_then(Value::as_str))
        .find(|value| !value.is_empty())
        .map(|value| Zeroizing::new(value.to_owned()))
        .ok_or(Garble::NoTokenInJson)
}

/// Without the blanks inside. A JWT bears any of them; other tokens only those of wrapped lines, for
/// two words made one would look like a code.
fn joined(text: &str) -> Result<Zeroizing<String>, Garble> {
    let pieces: Vec<&str> = text.split_whitespace().collect();
    let whole = Zeroizing::new(pieces.concat());
    let (Some((_, lines)), true) = (pieces.split_last(), pieces.len() > 1) else {
        return Ok(whole);
    };
    let wrapped = lines.iter().all(|line| line.len() >= SHORTEST_LINE);
    if wrapped || whole.starts_with("eyJ") || Jwt::parse(&whole).is_some() {
        Ok(whole)
    } else {
        Err(Garble::Words)
    }
}

/// What web pages and chat programs hide in copied text.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}
