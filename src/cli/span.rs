//! Spans of time as they are typed: `90s`, `10m`, `1h`, `7d`.

use jiff::SignedDuration;

/// Reads a span.
///
/// # Errors
/// With what was expected.
pub fn parse(text: &str) -> Result<SignedDuration, String> {
    read(text).ok_or_else(|| "expected a span such as 90s, 10m, 1h or 7d".to_owned())
}

fn read(text: &str) -> Option<SignedDuration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = digits.then(|| number.parse::<i64>().ok())??.checked_mul(unit)?;
    Some(SignedDuration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_with_a_unit() {
        let table = [
            ("90s", Some(90)),
            ("10m", Some(600)),
            ("1h", Some(3600)),
            ("7d", Some(604_800)),
            ("0s", Some(0)),
            ("90", None),
            ("", None),
            ("s", None),
            ("-1s", None),
            ("+1s", None),
            ("1.5h", None),
            ("1é", None),
            ("99999999999999999999s", None),
            ("9999999999999999d", None),
        ];
        for (text, seconds) in table {
            assert_eq!(read(text).map(|span| span.as_secs()), seconds, "{text}");
        }
    }
}
