//! Moments as they are read: short today, with the weekday within a week, with the date beyond.
//!
//! Nothing here counts: what stands on the screen as a moment stays true without being drawn again that day.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// A moment in a sentence: `14:20`, `Wed 14:20`, `18 Nov 14:20`, `18 Nov 2022`.
pub(crate) fn moment(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let then = at.to_zoned(zone.clone());
    let form = match distance(then.date(), now, zone) {
        Distance::Today => "%H:%M",
        Distance::Week => "%a %H:%M",
        Distance::Year => "%-d %b %H:%M",
        Distance::Far => "%-d %b %Y",
    };
    then.strftime(form).to_string()
}

/// The same with seconds where it is today: for what is about to happen.
pub(crate) fn exact(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let then = at.to_zoned(zone.clone());
    match distance(then.date(), now, zone) {
        Distance::Today => then.strftime("%H:%M:%S").to_string(),
        Distance::Week | Distance::Year | Distance::Far => moment(at, now, zone),
    }
}

/// A moment in a column of six: `14:20`, `Tue`, `18 Nov`, `2022`.
pub(crate) fn brief(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let then = at.to_zoned(zone.clone());
    let form = match distance(then.date(), now, zone) {
        Distance::Today => "%H:%M",
        Distance::Week => "%a",
        Distance::Year => "%-d %b",
        Distance::Far => "%Y",
    };
    then.strftime(form).to_string()
}

/// How times are told: `UTC`, `CET`.
pub(crate) fn zone_name(now: Timestamp, zone: &TimeZone) -> String {
    now.to_zoned(zone.clone()).strftime("%Z").to_string()
}

enum Distance {
    Today,
    Week,
    Year,
    Far,
}

fn distance(day: Date, now: Timestamp, zone: &TimeZone) -> Distance {
    let today = now.to_zoned(zone.clone()).date();
    let days = day.duration_since(today).as_hours() / 24;
    match days.abs() {
        0 => Distance::Today,
        1..7 => Distance::Week,
        7..300 => Distance::Year,
        _ => Distance::Far,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a moment")
    }

    #[test]
    fn a_moment_says_as_much_as_is_needed() {
        let now = at("2026-11-22T12:04:31Z");
        let table = [
            ("2026-11-22T14:20:00Z", "14:20", "14:20"),
            ("2026-11-25T14:20:00Z", "Wed 14:20", "Wed"),
            ("2026-11-16T14:20:00Z", "Mon 14:20", "Mon"),
            ("2026-11-15T14:20:00Z", "15 Nov 14:20", "15 Nov"),
            ("2027-02-20T12:04:00Z", "20 Feb 12:04", "20 Feb"),
            ("2022-09-01T00:00:00Z", "1 Sep 2022", "2022"),
        ];
        for (text, long, short) in table {
            assert_eq!(moment(at(text), now, &TimeZone::UTC), long);
            assert_eq!(brief(at(text), now, &TimeZone::UTC), short);
        }
        assert_eq!(exact(at("2026-11-22T14:20:07Z"), now, &TimeZone::UTC), "14:20:07");
    }

    #[test]
    fn the_zone_decides_which_day_it_is() {
        let berlin = TimeZone::fixed(jiff::tz::offset(1));
        assert_eq!(moment(at("2026-11-22T23:30:00Z"), at("2026-11-22T12:00:00Z"), &berlin), "Mon 00:30");
    }

    #[test]
    fn the_ends_of_time_can_be_told() {
        for end in [Timestamp::MIN, Timestamp::MAX] {
            assert!(!moment(end, at("2026-11-22T12:00:00Z"), &TimeZone::UTC).is_empty());
            assert!(brief(end, Timestamp::MIN, &TimeZone::fixed(jiff::tz::offset(14))).len() <= 6);
        }
    }
}
