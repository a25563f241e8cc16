//! A line of text being typed. Its text is wiped when it goes and never shows in `Debug`: it may be a token.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;
use zeroize::Zeroizing;

use crate::domain::secret::Secret;

/// A longer text is cut: no token of any server in reference/providers.md comes near it.
const LONGEST: usize = 64 << 10;

/// A line of text being typed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Field {
    text: Zeroizing<String>,
    /// In bytes, always at the border of a grapheme cluster.
    cursor: usize,
}

impl Field {
    /// A field that holds `text`, the cursor behind it.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut field = Self::default();
        field.insert(text);
        field
    }

    /// What is typed.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.text
    }

    /// What is typed, as a secret; `None` where there is nothing but space.
    #[must_use]
    pub fn secret(&self) -> Option<Secret> {
        let text = self.text.trim();
        (!text.is_empty()).then(|| Secret::new(text))
    }

    /// All of it, blanks at its ends included, as a secret: a passphrase.
    #[must_use]
    pub fn whole(&self) -> Secret {
        Secret::new(self.text.as_str())
    }

    /// Whether nothing is typed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The column of the cursor, from the start of the text.
    #[must_use]
    pub fn visual_cursor(&self) -> usize {
        self.text.get(..self.cursor).unwrap_or_default().width()
    }

    /// How many columns must be left out at the start so that the cursor is seen in a field of `width` columns.
    #[must_use]
    pub fn visual_scroll(&self, width: usize) -> usize {
        (self.visual_cursor() + 1).saturating_sub(width)
    }

    /// Puts text in at the cursor. Line breaks and other controls are left out: they never mean anything here.
    pub fn insert(&mut self, text: &str) {
        let room = LONGEST.saturating_sub(self.text.len());
        let mut clean = Zeroizing::new(String::with_capacity(text.len().min(room)));
        for c in text.chars().filter(|c| !c.is_control()) {
            if clean.len() + c.len_utf8() > room {
                break;
            }
            clean.push(c);
        }
        let at = self.cursor;
        self.replace(at, at, &clean);
    }

    /// The same, keeping line breaks: how a token was wrapped says where its parts belong together.
    pub fn insert_lines(&mut self, text: &str) {
        let lines = Zeroizing::new(text.replace("\r\n", "\n").replace('\r', "\n"));
        let mut breaks = false;
        for line in lines.split('\n') {
            if breaks && self.text.len() < LONGEST {
                self.replace(self.cursor, self.cursor, "\n");
            }
            self.insert(line);
            breaks = true;
        }
    }

    /// Empties it.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Takes an editing key; whether it was one.
    pub fn press(&mut self, key: &KeyEvent) -> bool {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let cursor = self.cursor;
        match key.code {
            KeyCode::Char('a') if control => self.cursor = 0,
            KeyCode::Char('e') if control => self.cursor = self.text.len(),
            KeyCode::Char('u') if control => self.replace(0, cursor, ""),
            KeyCode::Char('k') if control => self.replace(cursor, self.text.len(), ""),
            KeyCode::Char('w') if control => self.replace(self.word_before(), cursor, ""),
            KeyCode::Char(c) if types(key) => self.insert(c.encode_utf8(&mut [0; 4])),
            KeyCode::Backspace => self.replace(self.before(), cursor, ""),
            KeyCode::Delete => self.replace(cursor, self.after(), ""),
            KeyCode::Left => self.cursor = self.before(),
            KeyCode::Right => self.cursor = self.after(),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = self.text.len(),
            _ => return false,
        }
        true
    }

    /// Every change makes a new buffer, so that the old one is wiped and none is moved by growing.
    fn replace(&mut self, from: usize, to: usize, with: &str) {
        let (Some(head), Some(tail)) = (self.text.get(..from), self.text.get(to..)) else { return };
        let mut next = Zeroizing::new(String::with_capacity(head.len() + with.len() + tail.len()));
        next.push_str(head);
        next.push_str(with);
        next.push_str(tail);
        self.text = next;
        self.cursor = from + with.len();
    }

    fn before(&self) -> usize {
        let head = self.text.get(..self.cursor).unwrap_or_default();
        head.grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        let tail = self.text.get(self.cursor..).unwrap_or_default();
        self.cursor + tail.graphemes(true).next().map_or(0, str::len)
    }

    fn word_before(&self) -> usize {
        let head = self.text.get(..self.cursor).unwrap_or_default().trim_end();
        head.rfind(char::is_whitespace)
            .map_or(0, |at| at + head[at..].chars().next().map_or(1, char::len_utf8))
    }
}

/// Whether a key is one that [`Field::press`] takes.
#[must_use]
pub fn edits(key: &KeyEvent) -> bool {
    let control = key.modifiers == KeyModifiers::CONTROL;
    match key.code {
        KeyCode::Char('a' | 'e' | 'u' | 'k' | 'w') if control => true,
        KeyCode::Char(_) => types(key),
        KeyCode::Backspace
        | KeyCode::Delete
        | KeyCode::Left
        | KeyCode::Right
        | KeyCode::Home
        | KeyCode::End => true,
        _ => false,
    }
}

/// Whether a key writes a character where text is being typed. Alt Gr arrives as Ctrl and Alt together.
#[must_use]
pub fn types(key: &KeyEvent) -> bool {
    let held = key.modifiers - KeyModifiers::SHIFT;
    matches!(key.code, KeyCode::Char(_))
        && (held.is_empty() || held == KeyModifiers::CONTROL | KeyModifiers::ALT)
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({} bytes)", self.text.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(field: &mut Field, code: KeyCode, modifiers: KeyModifiers) {
        assert!(field.press(&KeyEvent::new(code, modifiers)));
    }

    #[test]
    fn a_field_is_edited_by_clusters_and_words() {
        let mut field = Field::new("one two e\u{301}");
        press(&mut field, KeyCode::Backspace, KeyModifiers::NONE);
        assert_eq!(field.value(), "one two ");
        press(&mut field, KeyCode::Char('w'), KeyModifiers::CONTROL);
        assert_eq!(field.value(), "one ");
        press(&mut field, KeyCode::Home, KeyModifiers::NONE);
        press(&mut field, KeyCode::Char('Z'), KeyModifiers::SHIFT);
        press(&mut field, KeyCode::Delete, KeyModifiers::NONE);
        assert_eq!((field.value(), field.visual_cursor()), ("Zne ", 1));
        press(&mut field, KeyCode::Char('k'), KeyModifiers::CONTROL);
        assert_eq!(field.value(), "Z");
    }

    #[test]
    fn a_line_break_in_a_text_is_left_out() {
        assert_eq!(Field::new("a\r\nb\u{1b}[A\tc").value(), "ab[Ac");
    }

    #[test]
    fn the_cursor_is_always_seen() {
        let field = Field::new("日本語");
        assert_eq!((field.visual_cursor(), field.visual_scroll(4), field.visual_scroll(10)), (6, 3, 0));
    }

    #[test]
    fn what_is_typed_shows_nowhere() {
        assert_eq!(format!("{:?}", Field::new("tok-1")), "Field(5 bytes)");
    }

    #[test]
    fn a_field_does_not_grow_without_end() {
        assert_eq!(Field::new(&"é".repeat(LONGEST)).value().len(), LONGEST);
    }
}
