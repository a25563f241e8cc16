//! Text from outside, which reaches a terminal only through one door.

use std::fmt;

use serde::Deserialize;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// More combining marks than this on one base character are dropped (security.md C3).
const MOST_MARKS: usize = 4;

/// Text that a server, a token, a file or the environment gave us.
///
/// It has no `Display`: [`Untrusted::shown`] is the only way to the screen, a log or an error.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Deserialize)]
#[serde(transparent)]
pub struct Untrusted(String);

impl Untrusted {
    /// Takes the text in as it is.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text unchanged: to compare it or to send it back to where it came from, never to show it.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text with everything that could move a cursor, hide or reorder made visible.
    #[must_use]
    pub fn shown(&self) -> String {
        cleaned(&self.0)
    }

    /// [`Untrusted::shown`], cut to `columns` terminal columns with `…` where something is missing.
    #[must_use]
    pub fn shown_within(&self, columns: usize) -> String {
        clipped(&self.shown(), columns)
    }
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Untrusted({:?})", self.shown())
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Untrusted {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

/// Makes every character visible that is not plainly printable: C0, C1, DEL, bidi controls, zero-width and
/// tag characters, private use and non-characters become `\u{..}` (security.md C1).
#[must_use]
pub fn cleaned(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut marks = 0;
    for c in text.chars() {
        if is_hidden(c) {
            marks = 0;
            out.extend(c.escape_unicode());
        } else if c.width() == Some(0) {
            marks += 1;
            if out.is_empty() || goes_before(c) {
                out.extend(c.escape_unicode());
            } else if marks <= MOST_MARKS {
                out.push(c);
            }
        } else {
            marks = 0;
            out.push(c);
        }
    }
    out
}

/// Cuts `text` to at most `columns` terminal columns, ending in `…` where something is missing.
#[must_use]
pub fn clipped(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    if columns == 0 {
        return String::new();
    }
    let mut out = String::new();
    let mut used = 0;
    for cluster in text.graphemes(true) {
        let wide = cluster.width();
        if used + wide > columns - 1 {
            break;
        }
        used += wide;
        out.push_str(cluster);
    }
    out.push('…');
    out
}

/// Whether `c`, which takes no room, hangs on the character that follows and not on the one before (UAX #29, Prepend): a terminal knows none
/// such, and it would eat what comes next.
fn goes_before(c: char) -> bool {
    format!("{c}a").graphemes(true).count() == 1
}

/// Whether `c` must not stand on a screen as it is.
fn is_hidden(c: char) -> bool {
    let code = u32::from(c);
    c.is_control()
        || matches!(code,
            0x00AD                      // soft hyphen
            | 0x034F                    // combining grapheme joiner
            | 0x061C                    // Arabic letter mark
            | 0x115F | 0x1160           // Hangul fillers
            | 0x17B4 | 0x17B5
            | 0x180B..=0x180F           // Mongolian variation selectors
            | 0x200B..=0x200F           // zero width, direction marks
            | 0x2028..=0x202E           // line and paragraph separators, bidi embeddings
            | 0x2060..=0x206F           // word joiner, invisible operators, bidi isolates
            | 0x3164 | 0xFFA0           // Hangul fillers
            | 0xFE00..=0xFE0F           // variation selectors
            | 0xFEFF                    // byte order mark
            | 0xFFF0..=0xFFFF           // specials, non-characters
            | 0x1BCA0..=0x1BCA3
            | 0x1D173..=0x1D17A
            | 0xE000..=0xF8FF           // private use
            | 0xE0000..=0x0010_FFFF)    // tags, variation selectors, private planes
        || (code & 0xFFFE) == 0xFFFE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_sequence_becomes_harmless_text() {
        assert_eq!(Untrusted::new("a\x1b]52;c;x\x07b").shown(), "a\\u{1b}]52;c;x\\u{7}b");
    }

    #[test]
    fn bidi_and_zero_width_characters_are_made_visible() {
        assert_eq!(cleaned("x\u{202e}y\u{200b}z"), "x\\u{202e}y\\u{200b}z");
    }

    #[test]
    fn what_hangs_on_the_next_character_is_made_visible_wherever_it_stands() {
        assert_eq!(cleaned("{\"\u{890}\":1}"), "{\"\\u{890}\":1}");
        assert_eq!(cleaned("x\u{891}1"), "x\\u{891}1");
        assert_eq!(cleaned("e\u{301}"), "e\u{301}");
    }

    #[test]
    fn a_tower_of_marks_is_cut_to_four() {
        let tower = format!("e{}", "\u{301}".repeat(40));
        assert_eq!(cleaned(&tower).chars().count(), 5);
    }

    #[test]
    fn wide_text_is_clipped_by_columns_and_says_so() {
        assert_eq!(clipped("日本語テキスト", 7), "日本語…");
        assert_eq!(clipped("short", 5), "short");
        assert_eq!(clipped("x", 0), "");
    }
}
