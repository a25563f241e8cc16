//! JSON for standard output: still JSON, and without a character that moves a terminal.

use std::fmt::Write;

use serde_json::Value;

use crate::domain::untrusted::cleaned;

/// Pretty JSON in which what [`cleaned`] would make visible is a `\u` escape (security.md C2). serde escapes C0 itself.
pub(super) fn safe(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let mut out = String::with_capacity(text.len());
    let mut units = [0; 2];
    for c in text.chars() {
        let mut one = [0; 4];
        let one = c.encode_utf8(&mut one);
        if c == '\n' || c.is_ascii_graphic() || c == ' ' || cleaned(one) == *one {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut units) {
                // Writing into a String cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_move_a_terminal_is_escaped_and_reads_back_the_same() {
        let value = serde_json::json!({"a": "x\u{9b}31m\u{202e}\u{7f}\u{1b}[0m\u{e0041}ü日"});
        let text = safe(&value);
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
        assert!(!text.contains('\u{202e}') && !text.contains('\u{e0041}') && text.contains("ü日"));
        assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), value);
    }
}
