//! A moment of a mytoken that is still to be made: fixed, or counted from its making; as it is typed and as it reads.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use crate::domain::span;
use crate::domain::time::{from_epoch, later};
use crate::domain::untrusted::cleaned;

const EXPECTED: &str =
    "expected a span (90d, 12h30m, 2 weeks) or a date (2027-02-20, 2027-02-20 12:04, 2027-02-20T12:04Z)";

/// When a clause begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// So many seconds after it is made.
    In(u64),
    /// At this moment.
    At(Timestamp),
}

/// Which side of a clause a moment is typed for: it decides what a day alone means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// Its start: a day alone is meant from its first second.
    Start,
    /// Its end: a day alone is meant to its last second.
    End,
}

impl When {
    /// The moment, for one that is made `now`. The server counts whole seconds: what is shown is what is sent.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => from_epoch(at.as_second()),
            Self::In(seconds) => {
                let span = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
                from_epoch(later(now, span).as_second())
            }
        }
    }

    /// Reads what is typed: `90d`, `+90d`, `in 90 days`, `12h30m`, `+3600` (seconds), `now`; `2027-02-20`, `2027-02-20 12:04`, with a
    /// zone (`+01:00`, `Z`, `UTC`, `Europe/Berlin`) or without one, which is then `zone`; RFC 3339; `18:00`, the next one. `m` is a minute.
    ///
    /// # Errors
    /// With what was expected.
    pub fn parse(text: &str, edge: Edge, now: Timestamp, zone: &TimeZone) -> Result<Self, String> {
        let text = text.trim();
        let begins_like_time = text.split_once(':').is_some_and(|(hour, _)| is_digits(hour));
        if !begins_like_time {
            return Self::read(text, edge, zone);
        }
        let (time, zone) = time_and_zone(text, zone)?;
        let time = time.ok_or_else(|| EXPECTED.to_owned())?;
        let today = now.to_zoned(zone.clone()).date();
        let at = moment(today.to_datetime(time), &zone)?;
        let tomorrow = today.tomorrow().map_err(|error| error.to_string())?;
        if at > now { Ok(Self::At(at)) } else { moment(tomorrow.to_datetime(time), &zone).map(Self::At) }
    }

    /// [`When::parse`] for what is read at another time than it was written: everything but a time of the day alone.
    ///
    /// # Errors
    /// With what was expected.
    pub fn read(text: &str, edge: Edge, zone: &TimeZone) -> Result<Self, String> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("now") {
            return Ok(Self::In(0));
        }
        match text.split_at_checked(10) {
            Some((day, rest)) if is_day(day) => dated(day, rest, edge, zone).map(Self::At),
            _ if text.split_once('-').is_some_and(|(year, _)| is_digits(year)) => {
                Err(format!("{} is no date: {EXPECTED}", cleaned(text)))
            }
            _ => counted(text).map(Self::In),
        }
    }

    /// As it is typed, in the short way that is read back to the same.
    #[must_use]
    pub fn typed(self, zone: &TimeZone) -> String {
        match self {
            Self::In(seconds) => short(seconds),
            Self::At(at) => {
                let at = from_epoch(at.as_second());
                let form = if at.as_second() % 60 == 0 { "%Y-%m-%d %H:%M" } else { "%Y-%m-%d %H:%M:%S" };
                let there = at.to_zoned(zone.clone());
                // An hour that comes twice is only clear with its zone.
                if moment(there.datetime(), zone) == Ok(at) {
                    there.strftime(form).to_string()
                } else {
                    format!("{}Z", at.to_zoned(TimeZone::UTC).strftime(form))
                }
            }
        }
    }

    /// In words, read in `zone`: `in 90 days`, `Sat 20 Feb 2027 12:04`.
    #[must_use]
    pub fn words(self, now: Timestamp, zone: &TimeZone) -> String {
        match self {
            Self::In(0) => "at once".to_owned(),
            Self::In(seconds) => format!("in {}", span_words(seconds)),
            Self::At(at) => {
                let past = if at <= now { ", past" } else { "" };
                format!("{}{past}", at.to_zoned(zone.clone()).strftime("%a %-d %b %Y %H:%M"))
            }
        }
    }
}

/// A span in a sentence: `90 days`, `15 h`, `1 h 30 min`.
pub(super) fn span_words(seconds: u64) -> String {
    match seconds {
        86_400 => "1 day".to_owned(),
        // Up to two days work is counted in hours.
        172_800.. if seconds.is_multiple_of(86_400) => format!("{} days", seconds / 86_400),
        _ => span::words(SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))),
    }
}

/// A span as it is typed: `90d`, `12h30m`.
pub(super) fn short(seconds: u64) -> String {
    let mut rest = seconds;
    let mut text = String::new();
    for (unit, length) in [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)] {
        if rest >= length {
            text = format!("{text}{}{unit}", rest / length);
            rest %= length;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_day(text: &str) -> bool {
    text.bytes().enumerate().all(
        |(place, byte)| {
            if matches!(place, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() }
        },
    )
}

fn dated(day: &str, rest: &str, edge: Edge, zone: &TimeZone) -> Result<Timestamp, String> {
    let date: Date = day.parse().map_err(|_| format!("there is no {day}"))?;
    let rest = rest.strip_prefix(['T', 't']).unwrap_or(rest);
    let (time, zone) = time_and_zone(rest, zone)?;
    let edge = match edge {
        Edge::Start => Time::midnight(),
        Edge::End => Time::constant(23, 59, 59, 0),
    };
    moment(date.to_datetime(time.unwrap_or(edge)), &zone)
}

/// What stands after a day: a time or none, and a zone or none.
fn time_and_zone(text: &str, zone: &TimeZone) -> Result<(Option<Time>, TimeZone), String> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | '.')).unwrap_or(text.len());
    let (time, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    let time = if time.is_empty() {
        None
    } else {
        let read = Some(time).filter(|time| time.contains(':')).and_then(|time| time.parse().ok());
        Some(read.ok_or_else(|| format!("{time} is no time of the day: expected 12:04"))?)
    };
    Ok((time, named_zone(rest.trim(), zone)?))
}

fn named_zone(name: &str, zone: &TimeZone) -> Result<TimeZone, String> {
    match name {
        "" => return Ok(zone.clone()),
        "Z" | "z" | "UTC" => return Ok(TimeZone::UTC),
        _ => {}
    }
    let sign = match name.get(..1) {
        Some("+") => 1,
        Some("-") => -1,
        _ => {
            let unknown =
                |_| format!("{} is no zone: expected +01:00, Z, UTC or Europe/Berlin", cleaned(name));
            return TimeZone::get(name).map_err(unknown);
        }
    };
    let digits = name.get(1..).unwrap_or_default();
    let digits = match digits.split_once(':') {
        Some((hours, minutes)) if hours.len() == 2 => format!("{hours}{minutes}"),
        _ => digits.to_owned(),
    };
    let number = |from: usize, to: usize| digits.get(from..to).and_then(|part| part.parse::<i32>().ok());
    let seconds = match (digits.len(), number(0, 2), number(2, 4)) {
        (2, Some(hours), None) => Some(hours * 3600),
        (4, Some(hours), Some(minutes)) if minutes < 60 => Some(hours * 3600 + minutes * 60),
        _ => None,
    };
    let offset =
        seconds.filter(|_| is_digits(&digits)).and_then(|seconds| Offset::from_seconds(sign * seconds).ok());
    offset
        .map(TimeZone::fixed)
        .ok_or_else(|| format!("{} is no zone: expected one like +01:00", cleaned(name)))
}

fn moment(at: DateTime, zone: &TimeZone) -> Result<Timestamp, String> {
    let there = zone.to_ambiguous_zoned(at).compatible();
    there.map(|zoned| zoned.timestamp()).map_err(|_| format!("{at} is out of reach"))
}

/// A span counted from the making: `90d`, `in 2 weeks`, `12h30m`, `+3600`.
fn counted(text: &str) -> Result<u64, String> {
    let unsigned = text.strip_prefix('+').map(str::trim_start);
    let bare = unsigned.or_else(|| text.strip_prefix("in ")).unwrap_or(text).trim_start();
    if is_digits(bare) {
        return match bare.parse() {
            Ok(seconds) if unsigned.is_some() => Ok(seconds),
            _ => Err(format!("{bare} of what? {bare}d are days, {bare}m minutes, +{bare} seconds")),
        };
    }
    if bare.contains("mo") {
        return Err("months differ in length: say it in days, 30d".to_owned());
    }
    let read = span::read(bare).and_then(|span| u64::try_from(span.as_secs()).ok());
    read.ok_or_else(|| EXPECTED.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a moment")
    }

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").expect("a zone")
    }

    fn parse(text: &str, edge: Edge) -> Result<When, String> {
        When::parse(text, edge, at("2026-11-22T12:04:00Z"), &berlin())
    }

    #[test]
    fn spans_and_dates_are_read_as_people_write_them() {
        let table = [
            ("90d", When::In(7_776_000)),
            ("+90d", When::In(7_776_000)),
            ("in 90 days", When::In(7_776_000)),
            ("12h30m", When::In(45_000)),
            ("2 weeks", When::In(1_209_600)),
            ("1y", When::In(31_536_000)),
            ("5m", When::In(300)),
            ("+3600", When::In(3600)),
            ("now", When::In(0)),
            ("2027-02-20 12:04", When::At(at("2027-02-20T11:04:00Z"))),
            ("2027-07-20 12:04", When::At(at("2027-07-20T10:04:00Z"))),
            ("2027-02-20 12:04 UTC", When::At(at("2027-02-20T12:04:00Z"))),
            ("2027-02-20 12:04Z", When::At(at("2027-02-20T12:04:00Z"))),
            ("2027-02-20 12:04 -05:00", When::At(at("2027-02-20T17:04:00Z"))),
            ("2027-02-20 12:04+0530", When::At(at("2027-02-20T06:34:00Z"))),
            ("2027-02-20 12:04 America/New_York", When::At(at("2027-02-20T17:04:00Z"))),
            ("2027-02-20T12:04:05Z", When::At(at("2027-02-20T12:04:05Z"))),
            ("2027-02-20T12:04:05+01:00", When::At(at("2027-02-20T11:04:05Z"))),
            ("18:00", When::At(at("2026-11-22T17:00:00Z"))),
            ("09:00", When::At(at("2026-11-23T08:00:00Z"))),
        ];
        for (text, expected) in table {
            assert_eq!(parse(text, Edge::End), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_day_alone_begins_with_its_first_second_and_ends_with_its_last() {
        let table = [
            ("2027-02-20", Edge::Start, "2027-02-19T23:00:00Z"),
            ("2027-02-20", Edge::End, "2027-02-20T22:59:59Z"),
            ("2027-02-20 UTC", Edge::Start, "2027-02-20T00:00:00Z"),
            ("2027-02-20Z", Edge::End, "2027-02-20T23:59:59Z"),
        ];
        for (text, edge, expected) in table {
            assert_eq!(parse(text, edge), Ok(When::At(at(expected))), "{text} {edge:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_answered_with_what_was_expected() {
        let table = [
            ("", "expected a span"),
            ("90", "90 of what?"),
            ("in 90", "90 of what?"),
            ("soon", "expected a span"),
            ("1 month", "say it in days"),
            ("-90d", "expected a span"),
            ("1.5h", "expected a span"),
            ("d", "expected a span"),
            ("90 d later", "expected a span"),
            ("99999999999999999999d", "expected a span"),
            ("999999999999999999y", "expected a span"),
            ("2027-02-30", "there is no 2027-02-30"),
            ("2027-2-3", "is no date"),
            ("2027-02-20 25:00", "no time of the day"),
            ("2027-02-20 12", "no time of the day"),
            ("2027-02-20 12:04 Mars/Olympus", "Mars/Olympus is no zone"),
            ("2027-02-20 12:04 +1:0:0:0", "is no zone"),
            ("2027-02-20 12:04 +99:00", "is no zone"),
            ("2027-02-2é", "is no date"),
            ("12:4é", "no time of the day"),
            ("1é", "expected a span"),
            ("2027-02-20 12:04 \u{1b}[2J", "is no zone"),
        ];
        for (text, said) in table {
            let refused = parse(text, Edge::End).expect_err(text);
            assert!(refused.contains(said) && !refused.contains('\u{1b}'), "{text}: {refused}");
        }
    }

    #[test]
    fn a_moment_reads_as_people_say_it() {
        let now = at("2026-11-22T12:04:00Z");
        let table = [
            (When::In(0), "at once"),
            (When::In(7_776_000), "in 90 days"),
            (When::In(86_400), "in 1 day"),
            (When::In(45_000), "in 12 h 30 min"),
            (When::In(129_600), "in 36 h"),
            (When::In(90), "in 1 min 30 s"),
            (When::At(at("2027-02-20T11:04:00Z")), "Sat 20 Feb 2027 12:04"),
            (When::At(at("2026-11-20T11:04:00Z")), "Fri 20 Nov 2026 12:04, past"),
        ];
        for (when, words) in table {
            assert_eq!(when.words(now, &berlin()), words);
        }
    }

    #[test]
    fn a_moment_is_typed_in_its_shortest_form() {
        let table = [
            (When::In(7_776_000), "90d"),
            (When::In(129_600), "1d12h"),
            (When::In(0), "0s"),
            (When::At(at("2027-02-20T11:04:00Z")), "2027-02-20 12:04"),
            (When::At(at("2027-02-20T11:04:05Z")), "2027-02-20 12:04:05"),
            // Half past two comes twice that night.
            (When::At(at("2027-10-31T00:30:00Z")), "2027-10-31 02:30"),
            (When::At(at("2027-10-31T01:30:00Z")), "2027-10-31 01:30Z"),
        ];
        for (when, text) in table {
            assert_eq!(when.typed(&berlin()), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_typed_is_read_back_to_the_same(seconds in 0..i64::MAX.unsigned_abs(), epoch in 0_i64..250_000_000_000, zone in 0_usize..4) {
            let zones = ["UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Apia"];
            let zone = TimeZone::get(zones[zone]).expect("a zone");
            for when in [When::In(seconds), When::At(from_epoch(epoch))] {
                for edge in [Edge::Start, Edge::End] {
                    prop_assert_eq!(When::parse(&when.typed(&zone), edge, from_epoch(0), &zone), Ok(when));
                }
            }
        }

        #[test]
        fn no_text_breaks_the_reader(text in "\\PC*|[0-9+: Zz.TdhmswyinEu/-]{0,30}") {
            let _ = When::parse(&text, Edge::Start, from_epoch(1_800_000_000), &TimeZone::UTC);
        }
    }
}
