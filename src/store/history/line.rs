//! One event as one line of the file, and back. The form is described in the room's first page.

use std::borrow::Cow;
use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::event::{Event, Teller, What};
use crate::domain::untrusted::Untrusted;

/// No text is kept longer than so many characters.
const LONGEST: usize = 300;
/// How every line begins. It can stand inside one only where somebody's torn line has been glued to the next.
const BEGINS: &str = "{\"at\":";
/// The length of `,"sum":"1a2b3c4d"}`.
const SUM: usize = 18;
/// What happened, where that is all there is to say.
const PLAIN: [What; 15] = [
    What::LoggedIn,
    What::LoginFailed,
    What::AccessToken,
    What::Renewed,
    What::Copied,
    What::ClipboardCleared,
    What::LookedUp,
    What::HistoryRead,
    What::Kept,
    What::Forgotten,
    What::Revoked,
    What::Dropped,
    What::Refused,
    What::InDoubt,
    // Also what a line means that has lost its words.
    What::Noted(String::new()),
];

#[derive(Serialize, Deserialize)]
struct Line<'a> {
    at: Timestamp,
    what: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    copy: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    of: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agent: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mt: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    told: bool,
}

/// The name of a kind in the file.
fn kind(what: &What) -> &'static str {
    match what {
        What::Server(_) => "server",
        What::LoggedIn => "logged-in",
        What::LoginFailed => "login-failed",
        What::AccessToken => "access-token",
        What::Renewed => "renewed",
        What::Rotated { .. } => "rotated",
        What::Copied => "copied",
        What::ClipboardCleared => "clipboard-cleared",
        What::LookedUp => "looked-up",
        What::HistoryRead => "history-read",
        What::Kept => "kept",
        What::Forgotten => "forgotten",
        What::Revoked => "revoked",
        What::Dropped => "dropped",
        What::Refused => "refused",
        What::InDoubt => "in-doubt",
        What::Noted(_) => "noted",
    }
}

/// The event as a line, its end included.
pub(super) fn written(event: &Event) -> Vec<u8> {
    let (name, copy) = match &event.what {
        What::Server(name) => (Some(name.raw()), None),
        What::Noted(words) => (Some(words.as_str()), None),
        What::Rotated { copy } => (None, Some(*copy)),
        _ => (None, None),
    };
    let text = |text: &Option<Untrusted>| text.as_ref().map(|text| Cow::Owned(short(text.raw())));
    let line = Line {
        at: event.at,
        what: kind(&event.what).into(),
        name: name.map(|name| Cow::Owned(short(name))),
        copy,
        of: event.credential.as_deref().map(Cow::Borrowed),
        from: text(&event.address),
        agent: text(&event.agent),
        note: text(&event.comment),
        mt: text(&event.mom_id),
        told: event.teller == Teller::Server,
    };
    let mut line = ascii(&serde_json::to_string(&line).unwrap_or_default());
    line.pop();
    line.push_str(&sum(line.as_bytes()));
    line.push('\n');
    line.into_bytes()
}

/// The event of a line without its end; `None` where it is torn, rotten or no line of ours.
pub(super) fn read(text: &str) -> Option<Event> {
    // What a torn line leaves behind has no end, so the next one begins in the middle of it.
    let whole =
        if is_whole(text) { text } else { text.get(text.rfind(BEGINS)?..).filter(|text| is_whole(text))? };
    let line: Line<'_> = serde_json::from_str(whole).ok()?;
    let untrusted = |text: Option<Cow<'_, str>>| text.map(|text| Untrusted::new(text.into_owned()));
    Some(Event {
        at: line.at,
        what: meant(&line),
        address: untrusted(line.from),
        agent: untrusted(line.agent),
        comment: untrusted(line.note),
        mom_id: untrusted(line.mt),
        teller: if line.told { Teller::Server } else { Teller::Here },
        credential: line.of.map(Cow::into_owned),
        new_address: false,
        new_agent: false,
    })
}

fn meant(line: &Line<'_>) -> What {
    match (line.what.as_ref(), &line.name, line.copy) {
        ("server", Some(name), _) => What::Server(Untrusted::from(name.as_ref())),
        // These words are shown as they are, and whoever may write to the file may have written them.
        ("noted", Some(words), _) => What::Noted(Untrusted::from(words.as_ref()).shown()),
        ("rotated", _, Some(copy)) => What::Rotated { copy },
        (name, _, _) => PLAIN
            .into_iter()
            .find(|what| kind(what) == name && *what != What::Noted(String::new()))
            .unwrap_or_else(|| What::Noted(Untrusted::from(name).shown())),
    }
}

fn is_whole(line: &str) -> bool {
    let cut = line.len().checked_sub(SUM);
    cut.and_then(|cut| line.split_at_checked(cut)).is_some_and(|(before, end)| sum(before.as_bytes()) == end)
}

/// The end of a line that begins so.
fn sum(before: &[u8]) -> String {
    let mut end = String::from(",\"sum\":\"");
    for byte in digest(&SHA256, before).as_ref().iter().take(4) {
        // Writing into a String cannot fail.
        let _ = write!(end, "{byte:02x}");
    }
    end.push_str("\"}");
    end
}

fn short(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// The same JSON in printable ASCII; outside its strings it is that already.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + 24);
    let mut units = [0; 2];
    for c in json.chars() {
        if c == ' ' || c.is_ascii_graphic() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::from_epoch;

    fn event(what: What) -> Event {
        Event {
            at: from_epoch(1_800_000_000),
            what,
            address: None,
            agent: None,
            comment: None,
            teller: Teller::Here,
            credential: Some("c-1".to_owned()),
            mom_id: None,
            new_address: false,
            new_agent: false,
        }
    }

    fn line(event: &Event) -> String {
        let line = String::from_utf8(written(event)).expect("ASCII");
        line.strip_suffix('\n').expect("a line ends").to_owned()
    }

    /// A line as another version might have written it.
    fn foreign(json: &str) -> String {
        let open = json.strip_suffix('}').expect("an object");
        format!("{open}{}", sum(open.as_bytes()))
    }

    #[test]
    fn every_kind_comes_back_as_it_went() {
        let mut kinds: Vec<What> = PLAIN.into_iter().filter(|what| kind(what) != "noted").collect();
        kinds.extend([
            What::Rotated { copy: u64::MAX },
            What::Noted("renamed".to_owned()),
            What::Server("a_name_of_2031".into()),
        ]);
        for what in kinds {
            let event = event(what);
            assert_eq!(read(&line(&event)), Some(event));
        }
    }

    #[test]
    fn the_form_of_a_line_is_a_promise() {
        let event = Event { comment: Some("a is now b".into()), ..event(What::Rotated { copy: 5 }) };
        assert_eq!(
            line(&event),
            r#"{"at":"2027-01-15T08:00:00Z","what":"rotated","copy":5,"of":"c-1","note":"a is now b","sum":"SUM"}"#
                .replace("SUM", line(&event).get(line(&event).len() - 10..).and_then(|s| s.get(..8)).expect("sum"))
        );
    }

    #[test]
    fn hostile_text_stays_on_its_line_and_comes_out_untrusted() {
        let hostile =
            "\u{1b}]52;c;x\u{7}\r\n\u{9b}2J\u{202e}{\"at\":\"x\",\"sum\":\"00000000\"}\u{1F600}\"\\";
        let mut event = event(What::Server(hostile.into()));
        (event.address, event.agent, event.comment) =
            (Some(hostile.into()), Some(hostile.into()), Some(hostile.into()));
        let line = line(&event);
        assert!(line.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()), "{line}");
        assert_eq!(read(&line), Some(event));
    }

    #[test]
    fn words_that_are_shown_as_they_are_are_made_harmless_first() {
        let read = read(&line(&event(What::Noted("a\u{1b}[2J".to_owned())))).expect("whole");
        assert_eq!(read.what, What::Noted("a\\u{1b}[2J".to_owned()));
    }

    #[test]
    fn a_text_of_any_length_makes_a_short_line() {
        let long = "\u{1F600}".repeat(100_000);
        let text = || Some(long.as_str().into());
        let event =
            Event { comment: text(), address: text(), agent: text(), ..event(What::Noted(long.clone())) };
        assert!(line(&event).len() < 16 * 1024);
        assert!(read(&line(&event)).is_some());
    }

    #[test]
    fn a_kind_of_a_later_version_is_shown_by_its_name_and_its_fields_are_passed_over() {
        let at = r#""at":"2027-01-15T08:00:00Z""#;
        let what = |fields: &str| read(&foreign(&format!("{{{at},{fields}}}"))).map(|event| event.what);
        assert_eq!(
            what(r#""what":"handed-to-a-job","job":{"n":7}"#),
            Some(What::Noted("handed-to-a-job".to_owned()))
        );
        assert_eq!(what(r#""what":"x\u001b[2J""#), Some(What::Noted("x\\u{1b}[2J".to_owned())));
        assert_eq!(what(r#""what":"noted""#), Some(What::Noted("noted".to_owned())));
        assert_eq!(what(r#""what":"rotated""#), Some(What::Noted("rotated".to_owned())));
        assert_eq!(what(r#""what":7"#), None);
    }

    #[test]
    fn no_part_of_a_line_and_no_line_with_a_changed_bit_is_taken_for_one() {
        let line = line(&Event { comment: Some("a is now b".into()), ..event(What::Rotated { copy: 5 }) });
        for length in 0..line.len() {
            assert_eq!(read(line.get(..length).expect("shorter")), None, "{length}");
        }
        for bit in 0..line.len() * 8 {
            let mut flipped = line.clone().into_bytes();
            if let Some(byte) = flipped.get_mut(bit / 8) {
                *byte ^= 1 << (bit % 8);
            }
            let read = std::str::from_utf8(&flipped).ok().and_then(read);
            assert_eq!(read, None, "bit {bit}");
        }
    }

    #[test]
    fn a_line_glued_to_a_torn_one_is_read_all_the_same() {
        let (torn, next) = (line(&event(What::Renewed)), event(What::Kept));
        for length in 0..torn.len() {
            let glued = format!("{}{}", torn.get(..length).expect("ASCII"), line(&next));
            assert_eq!(read(&glued), Some(next.clone()), "{length}");
        }
    }
}
