//! A token answer (RFC 6749 §5.1), read so that a granted token is never lost over a field beside it.

use std::fmt;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::Cause;
use crate::domain::secret::Secret;
use crate::domain::untrusted::Untrusted;
use crate::http::Answer;

/// What a token endpoint granted.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenSet {
    /// `access_token`.
    pub access: Secret,
    /// `token_type`; empty where it is missing.
    pub token_type: Untrusted,
    /// `expires_in`, in seconds, as the server has it: also zero or negative.
    pub expires_in: Option<i64>,
    /// `scope`; `None` where the server does not say, which means "as asked" (RFC 6749 §5.1).
    pub granted: Option<Vec<Untrusted>>,
    /// `refresh_token`. It replaces the one that was sent; where there is none, that one goes on.
    pub refresh: Option<Secret>,
    /// `refresh_expires_in` (Keycloak) or `refresh_token_expires_in`, in seconds; 0 says "no fixed end".
    pub refresh_expires_in: Option<i64>,
    /// `id_token`, not checked yet.
    pub id_token: Option<Secret>,
    /// The server's clock when it answered.
    pub date: Option<Timestamp>,
}

impl fmt::Debug for TokenSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSet")
            .field("expires_in", &self.expires_in)
            .field("granted", &self.granted)
            .field("refresh", &self.refresh)
            .field("refresh_expires_in", &self.refresh_expires_in)
            .finish_non_exhaustive()
    }
}

impl TokenSet {
    /// Reads an answer of the token endpoint: a token set, or why there is none.
    pub(super) fn of(answer: &Answer) -> Result<Self, Cause> {
        let granted = if answer.is_success() { Self::read(answer.bytes()) } else { None };
        let Some(mut granted) = granted else { return Err(Cause::of(answer, "it has no access token")) };
        granted.date = answer.date;
        Ok(granted)
    }

    /// Reads a body, whatever its content type; `None` where no access token is in it.
    fn read(body: &[u8]) -> Option<Self> {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let mut fields = match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => fields,
            Ok(_) => return None,
            Err(_) => rescued(body),
        };
        Some(Self {
            access: secret(&mut fields, "access_token")?,
            token_type: Untrusted::from(fields.get("token_type").and_then(Value::as_str).unwrap_or_default()),
            expires_in: fields.get("expires_in").and_then(seconds),
            granted: fields.get("scope").and_then(words),
            refresh: secret(&mut fields, "refresh_token"),
            refresh_expires_in: ["refresh_expires_in", "refresh_token_expires_in"]
                .iter()
                .find_map(|name| fields.get(*name).and_then(seconds)),
            id_token: secret(&mut fields, "id_token"),
            date: None,
        })
    }
}

/// Moves a text out of the answer without leaving a copy behind.
fn secret(fields: &mut Map<String, Value>, name: &str) -> Option<Secret> {
    match fields.remove(name)? {
        Value::String(text) if !text.is_empty() => Some(Secret::new(text)),
        _ => None,
    }
}

/// A number of seconds: as a number, with a fraction, or as text (Microsoft). Held inside what `i64` can say.
pub(super) fn seconds(value: &Value) -> Option<i64> {
    // The cast saturates and drops the fraction, which is what is wanted; NaN is no number of seconds.
    #[allow(clippy::cast_possible_truncation)]
    let whole = |number: f64| (!number.is_nan()).then_some(number as i64);
    match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(whole)),
        Value::String(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| text.parse().ok().and_then(whole))
        }
        _ => None,
    }
}

/// Scopes: one text with blanks, or a list (Twitch).
fn words(value: &Value) -> Option<Vec<Untrusted>> {
    let split = |text: &str| text.split_whitespace().map(Untrusted::from).collect::<Vec<_>>();
    match value {
        Value::String(text) => Some(split(text)),
        Value::Array(list) => Some(list.iter().filter_map(Value::as_str).flat_map(split).collect()),
        _ => None,
    }
}

/// The tokens in something that looks like an object and is not quite JSON (a `NaN`, a lone surrogate, a number too
/// large, nesting too deep): they were granted, and the refresh token that was sent for them may be spent.
fn rescued(body: &[u8]) -> Map<String, Value> {
    let mut fields = Map::new();
    if body.trim_ascii_start().first() == Some(&b'{') {
        for name in ["access_token", "refresh_token", "id_token", "token_type"] {
            if let Some(text) = member(body, name) {
                fields.insert(name.to_owned(), Value::String(text));
            }
        }
    }
    fields
}

/// The text that stands behind `"name":`.
fn member(body: &[u8], name: &str) -> Option<String> {
    let quoted = format!("\"{name}\"");
    let mut rest = body;
    loop {
        let at = rest.windows(quoted.len()).position(|window| window == quoted.as_bytes())?;
        rest = rest.get(at + quoted.len()..)?;
        let value = rest.trim_ascii_start().strip_prefix(b":").map(<[u8]>::trim_ascii_start);
        if let Some((value, end)) = value.and_then(|value| closing_quote(value).map(|end| (value, end))) {
            return serde_json::from_slice(value.get(..=end)?).ok();
        }
    }
}

fn closing_quote(text: &[u8]) -> Option<usize> {
    let mut escaped = false;
    if text.first() != Some(&b'"') {
        return None;
    }
    text.iter().enumerate().skip(1).find_map(|(at, byte)| match byte {
        _ if escaped => {
            escaped = false;
            None
        }
        b'\\' => {
            escaped = true;
            None
        }
        b'"' => Some(at),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(body: &str) -> TokenSet {
        TokenSet::read(body.as_bytes()).expect(body)
    }

    #[test]
    fn a_keycloak_answer_is_read_whole() {
        let set = read(
            r#"{"access_token":"at","expires_in":60,"refresh_expires_in":1800,"refresh_token":"rt",
                "token_type":"Bearer","id_token":"it","not-before-policy":0,"session_state":"s",
                "scope":"openid email profile"}"#,
        );
        let expected = TokenSet {
            access: Secret::new("at"),
            token_type: "Bearer".into(),
            expires_in: Some(60),
            granted: Some(vec!["openid".into(), "email".into(), "profile".into()]),
            refresh: Some(Secret::new("rt")),
            refresh_expires_in: Some(1800),
            id_token: Some(Secret::new("it")),
            date: None,
        };
        assert_eq!(set, expected);
    }

    #[test]
    fn a_lifetime_in_any_shape_keeps_the_token() {
        let table = [
            ("3600", Some(3600)),
            ("0", Some(0)),
            ("-7", Some(-7)),
            ("3599.9", Some(3599)),
            ("\"3600\"", Some(3600)),
            ("\" 3600.5 \"", Some(3600)),
            ("1e18", Some(1_000_000_000_000_000_000)),
            ("1e300", Some(i64::MAX)),
            ("18446744073709551615", Some(i64::MAX)),
            ("\"NaN\"", None),
            ("\"soon\"", None),
            ("\"\"", None),
            ("null", None),
            ("true", None),
            ("[60]", None),
        ];
        for (value, expected) in table {
            let set = read(&format!(r#"{{"access_token":"at","expires_in":{value}}}"#));
            assert_eq!(set.expires_in, expected, "{value}");
        }
        assert_eq!(read(r#"{"access_token":"at"}"#).expires_in, None);
    }

    #[test]
    fn scopes_come_as_text_or_as_a_list() {
        let granted = |value: &str| read(&format!(r#"{{"access_token":"at","scope":{value}}}"#)).granted;
        let two = Some(vec!["a".into(), "b".into()]);
        assert_eq!(granted(r#""a  b""#), two);
        assert_eq!(granted(r#"["a","b"]"#), two);
        assert_eq!(granted(r#"["a b",7]"#), two);
        assert_eq!(granted(r#""""#), Some(vec![]));
        assert_eq!(granted("7"), None);
        assert_eq!(read(r#"{"access_token":"at"}"#).granted, None);
    }

    #[test]
    fn tokens_are_rescued_from_what_is_not_quite_json() {
        let deep = format!(r#""x":{}{}"#, "[".repeat(300), "]".repeat(300));
        for odd in [r#""expires_in":NaN"#, r#""expires_in":1e999"#, r#""name":"\ud800""#, &deep] {
            let set = read(&format!(
                r#"{{{odd},"access_token": "a\/t", "refresh_token":"r\"t","token_type":"Bearer"}}"#
            ));
            assert_eq!(set.access.expose(), "a/t", "{odd}");
            assert_eq!(set.refresh.as_ref().map(Secret::expose), Some("r\"t"), "{odd}");
        }
        assert_eq!(read("\u{feff}{\"access_token\":\"at\",\"expires_in\":5}").expires_in, Some(5));
    }

    #[test]
    fn without_an_access_token_there_is_no_token_set() {
        let bodies = [
            "",
            "{}",
            "[]",
            "null",
            "\"access_token\"",
            r#"{"access_token":""}"#,
            r#"{"access_token":7}"#,
            r#"{"refresh_token":"rt"}"#,
            "<html>\"access_token\":\"at\"</html>",
            r#"{"access_token":"cut"#,
        ];
        for body in bodies {
            assert_eq!(TokenSet::read(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn debug_output_holds_no_token() {
        let text =
            format!("{:?}", read(r#"{"access_token":"tok-1","refresh_token":"tok-2","id_token":"tok-3"}"#));
        assert!(!text.contains("tok-"), "{text}");
    }

    proptest! {
        #[test]
        fn no_body_makes_the_reader_panic(body in proptest::collection::vec(any::<u8>(), 0..400)) {
            drop(TokenSet::read(&body));
        }

        #[test]
        fn no_near_json_makes_the_reader_panic(
            body in r#"[{\[]?("(access_token|refresh_token|scope|expires_in|id_token)"|[:,"\\{}\[\]]|[0-9a-z.eN-]{0,6}| ){0,30}[}\]]?"#
        ) {
            drop(TokenSet::read(body.as_bytes()));
        }

        #[test]
        fn whatever_stands_beside_it_a_token_is_found(
            token in "[A-Za-z0-9._~+/=-]{1,80}",
            lifetime in "(-?[0-9]{1,30}|\"[ -!#-\\[\\]-~]{0,10}\"|NaN|1e99999|null|\\[\\])",
            scope in "(\"[a-z :]{0,20}\"|\\[\"a\", 7\\]|\\{\\}|Infinity)",
        ) {
            let body = format!(r#"{{"expires_in":{lifetime},"scope":{scope},"access_token":"{token}","refresh_token":"r{token}"}}"#);
            let set = TokenSet::read(body.as_bytes()).expect("a token");
            prop_assert_eq!(set.access.expose(), &token);
            prop_assert_eq!(set.refresh.map(|refresh| refresh.expose().to_owned()), Some(format!("r{token}")));
        }
    }
}
