//! Spans of time as they are typed, as Slurm writes them, and as they stand in a sentence.

use jiff::SignedDuration;

/// The units of a typed span with their longer names, the largest first, in seconds. Months differ in length and are none.
const UNITS: [(&[&str], i64); 6] = [
    (&["y", "year", "years"], 31_536_000),
    (&["w", "week", "weeks"], 604_800),
    (&["d", "day", "days"], 86_400),
    (&["h", "hour", "hours"], 3600),
    (&["m", "min", "minute", "minutes"], 60),
    (&["s", "sec", "second", "seconds"], 1),
];

/// Reads a span: numbers with a unit (`90s`, `10m`, `36h`, `7d`, `2 weeks`), several of them from the largest down (`1d12h`),
/// or the forms of Slurm (`HH:MM:SS`, `D-HH:MM:SS`). A bare number has no unit and is no span.
#[must_use]
pub fn read(text: &str) -> Option<SignedDuration> {
    let text = text.trim();
    let seconds = if text.contains(':') { clock(text) } else { units(text) };
    seconds.map(SignedDuration::from_secs)
}

fn units(text: &str) -> Option<i64> {
    let mut total: i64 = 0;
    let mut smaller = UNITS.as_slice();
    let mut rest = text;
    loop {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at_checked(end)?;
        let after = after.trim_start();
        let end = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(end)?;
        let at = smaller.iter().position(|(names, _)| names.contains(&unit))?;
        let (_, seconds) = smaller.get(at)?;
        smaller = smaller.get(at + 1..)?;
        total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(*seconds)?)?;
        rest = after.trim_start();
        if rest.is_empty() {
            return Some(total);
        }
    }
}

/// `HH:MM:SS` and `D-HH:MM:SS`. Two parts could be hours or minutes and are not guessed at.
fn clock(text: &str) -> Option<i64> {
    let (days, clock) = match text.split_once('-') {
        Some((days, clock)) => (digits(days)?, clock),
        None => (0, text),
    };
    let parts: Vec<i64> = clock.split(':').map(digits).collect::<Option<_>>()?;
    let [hours, minutes, seconds] = parts.as_slice() else { return None };
    if *minutes > 59 || *seconds > 59 {
        return None;
    }
    let hours = days.checked_mul(24)?.checked_add(*hours)?;
    hours.checked_mul(3600)?.checked_add(minutes * 60 + seconds)
}

fn digits(text: &str) -> Option<i64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

/// A span as it stands in a sentence, in its two largest units: `45 s`, `15 h`, `1 h 30 min`, `36 h`, `12 d 6 h`.
#[must_use]
pub fn words(span: SignedDuration) -> String {
    let seconds = span.as_secs().max(0);
    let pair = |large: i64, name: &str, small: i64, below: &str| {
        if small == 0 { format!("{large} {name}") } else { format!("{large} {name} {small} {below}") }
    };
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3600 => pair(seconds / 60, "min", seconds % 60, "s"),
        // Jobs are counted in hours: 36 h says more than 1 d 12 h.
        3600..=172_800 => pair(seconds / 3600, "h", seconds % 3600 / 60, "min"),
        _ => pair(seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_numbers_with_their_units_or_what_slurm_writes() {
        let table = [
            ("90s", Some(90)),
            ("10m", Some(600)),
            ("36h", Some(129_600)),
            ("7d", Some(604_800)),
            ("0s", Some(0)),
            ("90 d", Some(7_776_000)),
            ("90 days", Some(7_776_000)),
            ("2 weeks", Some(1_209_600)),
            ("1y", Some(31_536_000)),
            ("1 month", None),
            ("1d12h", Some(129_600)),
            ("1d 12h", Some(129_600)),
            ("1h30m5s", Some(5405)),
            ("12:00:00", Some(43_200)),
            ("100:00:01", Some(360_001)),
            ("1-12:00:00", Some(129_600)),
            ("45", None),
            ("", None),
            ("s", None),
            ("-1s", None),
            ("+1s", None),
            ("1.5h", None),
            ("1é", None),
            ("12h1d", None),
            ("1h1h", None),
            ("1d12", None),
            ("90:00", None),
            ("1-12", None),
            ("12:60:00", None),
            ("12:-1:00", None),
            ("12:+1:00", None),
            ("UNLIMITED", None),
            ("99999999999999999999s", None),
            ("999999999999999999d", None),
            ("999999999999999999-00:00:00", None),
        ];
        for (text, seconds) in table {
            assert_eq!(read(text), seconds.map(SignedDuration::from_secs), "{text}");
        }
    }

    #[test]
    fn a_span_stands_in_a_sentence_in_its_two_largest_units() {
        let table = [
            (-5, "0 s"),
            (45, "45 s"),
            (60, "1 min"),
            (90, "1 min 30 s"),
            (5400, "1 h 30 min"),
            (54_000, "15 h"),
            (129_600, "36 h"),
            (1_058_400, "12 d 6 h"),
            (7_776_000, "90 d"),
        ];
        for (seconds, text) in table {
            assert_eq!(words(SignedDuration::from_secs(seconds)), text);
        }
    }
}
