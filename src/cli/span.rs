//! Spans of time as arguments.

use jiff::SignedDuration;

use crate::domain::span;

/// Reads a span.
///
/// # Errors
/// With what was expected.
pub fn parse(text: &str) -> Result<SignedDuration, String> {
    span::read(text).ok_or_else(|| "expected a span such as 90s, 10m, 36h, 7d or 1d12h".to_owned())
}
