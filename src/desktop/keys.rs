//! From the bytes a terminal sends to keys, pastes and focus changes.
//!
//! Strict on purpose: an answer of the terminal (OSC, DCS, cursor reports) is swallowed whole and never read as keys
//! (security.md C5). The parser of crossterm reads such answers as letters, and blocks in the middle of a sequence.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseEvent};
use zeroize::Zeroizing;

use super::sequences::{character, key, letter_key, plain, sequence};
use crate::domain::secret::Secret;

/// What can come from the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key was pressed (or repeats).
    Key(KeyEvent),
    /// Text was pasted, line ends as `\n`. It may well be a token.
    Paste(Secret),
    /// The terminal now has this many columns and rows. Both may be 0.
    Resize(u16, u16),
    /// The terminal's window got the focus.
    FocusGained,
    /// It lost it.
    FocusLost,
    /// The mouse, while it is captured.
    Mouse(MouseEvent),
    /// There is no terminal any more. The last input.
    Gone,
}

/// After an ESC, this much silence means the key Esc. Long enough for a sequence torn apart by a network.
const AFTER_ESC: Duration = Duration::from_millis(40);
/// An answer of the terminal, or a sequence, that stands still this long is over.
const AFTER_PART: Duration = Duration::from_millis(100);
/// A paste without an end marker is over after this much silence, or no key would ever be heard again.
const AFTER_PASTE: Duration = Duration::from_secs(1);
/// More of a paste than this is dropped: no token is that long.
const LONGEST_PASTE: usize = 1 << 20;
/// A sequence longer than this is no key.
const LONGEST_SEQUENCE: usize = 64;
const PASTE_END: &[u8] = b"\x1b[201~";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ground,
    Escape,
    /// After `ESC [`.
    Csi,
    /// After `ESC O`.
    Ss3,
    /// After `ESC [ [`: function keys of the Linux console.
    Console,
    /// In a UTF-8 character; `alt` when an ESC came before it.
    Character {
        alt: bool,
    },
    /// In an answer of the terminal, begun by this byte after ESC; `empty` until something follows it.
    Answer {
        begun_by: u8,
        empty: bool,
    },
    /// In an answer, after an ESC that may end it.
    AnswerEscape,
    Paste,
}

/// The parser's memory between two reads.
pub(super) struct Keys {
    state: State,
    held: Zeroizing<Vec<u8>>,
}

impl Keys {
    pub(super) fn new() -> Self {
        Self { state: State::Ground, held: Zeroizing::default() }
    }

    /// How long to wait for more bytes before [`Keys::quiet`] is due; `None`: for ever.
    pub(super) fn patience(&self) -> Option<Duration> {
        match self.state {
            State::Ground => None,
            State::Escape => Some(AFTER_ESC),
            State::Paste => Some(AFTER_PASTE),
            _ => Some(AFTER_PART),
        }
    }

    /// Takes in what was read.
    pub(super) fn feed(&mut self, bytes: &[u8], out: &mut Vec<Input>) {
        for &byte in bytes {
            self.take(byte, out);
        }
    }

    /// Nothing came for [`Keys::patience`]: what is held is all there will be.
    pub(super) fn quiet(&mut self, out: &mut Vec<Input>) {
        match std::mem::replace(&mut self.state, State::Ground) {
            State::Escape => out.push(plain(KeyCode::Esc)),
            State::Csi if self.held.is_empty() => out.push(character('[', KeyModifiers::ALT)),
            State::Ss3 => out.push(character('O', KeyModifiers::ALT)),
            State::Answer { begun_by, empty: true } => {
                out.push(character(begun_by.into(), KeyModifiers::ALT));
            }
            State::Paste => self.end_paste(out),
            _ => {}
        }
        self.held.clear();
    }

    fn take(&mut self, byte: u8, out: &mut Vec<Input>) {
        match self.state {
            State::Ground => self.ground(byte, false, out),
            State::Csi => self.csi(byte, out),
            State::Ss3 => {
                self.state = State::Ground;
                out.extend(letter_key(byte).map(plain));
            }
            State::Console => {
                self.state = State::Ground;
                out.extend((b'A'..=b'E').contains(&byte).then(|| plain(KeyCode::F(byte - b'A' + 1))));
            }
            State::Character { alt } => self.character(byte, alt, out),
            State::Answer { .. } => {
                self.state = match byte {
                    0x07 | 0x18 | 0x1a => State::Ground,
                    0x1b => State::AnswerEscape,
                    _ => State::Answer { begun_by: 0, empty: false },
                };
            }
            State::AnswerEscape if byte == b'\\' => self.state = State::Ground,
            // After an answer that was cut off, this ESC begins something else.
            State::Escape | State::AnswerEscape => self.escape(byte, out),
            State::Paste => self.paste(byte, out),
        }
    }

    fn ground(&mut self, byte: u8, alt: bool, out: &mut Vec<Input>) {
        self.state = State::Ground;
        let modifiers = if alt { KeyModifiers::ALT } else { KeyModifiers::NONE };
        match byte {
            0x1b => self.state = State::Escape,
            b'\r' => out.push(key(KeyCode::Enter, modifiers)),
            b'\t' => out.push(key(KeyCode::Tab, modifiers)),
            0x08 | 0x7f => out.push(key(KeyCode::Backspace, modifiers)),
            0x00 => out.push(key(KeyCode::Char(' '), modifiers | KeyModifiers::CONTROL)),
            0x01..=0x1a => {
                out.push(key(KeyCode::Char((byte + 0x60).into()), modifiers | KeyModifiers::CONTROL));
            }
            0x1c..=0x1f => {
                out.push(key(KeyCode::Char((byte + 0x40).into()), modifiers | KeyModifiers::CONTROL));
            }
            0x20..=0x7e => out.push(character(byte.into(), modifiers)),
            0x80.. => {
                self.held.clear();
                self.character(byte, alt, out);
            }
        }
    }

    fn escape(&mut self, byte: u8, out: &mut Vec<Input>) {
        self.held.clear();
        match byte {
            b'[' => self.state = State::Csi,
            b'O' => self.state = State::Ss3,
            // OSC, DCS, SOS, PM, APC.
            b']' | b'P' | b'X' | b'^' | b'_' => self.state = State::Answer { begun_by: byte, empty: true },
            0x1b => {
                out.push(plain(KeyCode::Esc));
                self.state = State::Escape;
            }
            _ => self.ground(byte, true, out),
        }
    }

    fn csi(&mut self, byte: u8, out: &mut Vec<Input>) {
        match byte {
            0x20..=0x3f => {
                if self.held.len() <= LONGEST_SEQUENCE {
                    self.held.push(byte);
                }
            }
            b'[' if self.held.is_empty() => self.state = State::Console,
            b'~' if *self.held == b"200" => {
                self.held = Zeroizing::new(Vec::with_capacity(16 * 1024));
                self.state = State::Paste;
            }
            0x40..=0x7e => {
                self.state = State::Ground;
                if self.held.len() <= LONGEST_SEQUENCE {
                    out.extend(sequence(&self.held, byte));
                }
                self.held.clear();
            }
            // A control or foreign byte: the sequence is broken, the byte stands for itself.
            _ => {
                self.held.clear();
                self.ground(byte, false, out);
            }
        }
    }

    fn character(&mut self, byte: u8, alt: bool, out: &mut Vec<Input>) {
        self.held.push(byte);
        match std::str::from_utf8(&self.held) {
            Ok(text) => {
                let modifiers = if alt { KeyModifiers::ALT } else { KeyModifiers::NONE };
                // C1 controls are no characters.
                out.extend(text.chars().filter(|c| !c.is_control()).map(|c| character(c, modifiers)));
                self.held.clear();
                self.state = State::Ground;
            }
            Err(error) if error.error_len().is_none() => self.state = State::Character { alt },
            Err(_) => {
                let broken_off = self.held.len() > 1;
                self.held.clear();
                self.state = State::Ground;
                // The byte that does not continue the character may begin something itself.
                if broken_off {
                    self.take(byte, out);
                }
            }
        }
    }

    fn paste(&mut self, byte: u8, out: &mut Vec<Input>) {
        if self.held.len() >= LONGEST_PASTE + PASTE_END.len() {
            // Too long: only look for the end.
            self.held.remove(LONGEST_PASTE);
        }
        self.held.push(byte);
        if byte == b'~' && self.held.ends_with(PASTE_END) {
            let length = self.held.len() - PASTE_END.len();
            self.held.truncate(length);
            self.state = State::Ground;
            self.end_paste(out);
        }
    }

    fn end_paste(&mut self, out: &mut Vec<Input>) {
        let mut bytes = std::mem::take(&mut self.held);
        bytes.truncate(LONGEST_PASTE);
        let mut before = 0;
        bytes.retain_mut(|byte| {
            let doubled = before == b'\r' && *byte == b'\n';
            before = *byte;
            if *byte == b'\r' {
                *byte = b'\n';
            }
            !doubled
        });
        let text = match String::from_utf8(std::mem::take(&mut *bytes)) {
            Ok(text) => text,
            Err(error) => {
                let bytes = Zeroizing::new(error.into_bytes());
                String::from_utf8_lossy(&bytes).into_owned()
            }
        };
        out.push(Input::Paste(Secret::new(text)));
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::{MouseButton, MouseEventKind};
    use proptest::prelude::*;

    use super::*;

    fn parsed(bytes: &[u8]) -> Vec<Input> {
        let (mut keys, mut out) = (Keys::new(), Vec::new());
        keys.feed(bytes, &mut out);
        if keys.patience().is_some() {
            keys.quiet(&mut out);
        }
        out
    }

    fn pressed(code: KeyCode, modifiers: KeyModifiers) -> Vec<Input> {
        vec![key(code, modifiers)]
    }

    #[test]
    fn every_key_that_the_board_uses_is_understood() {
        use KeyCode::{BackTab, Backspace, Char, Delete, Down, End, Enter, Esc, F, Home, PageDown, Tab, Up};
        use KeyModifiers as M;
        let table: &[(&[u8], KeyCode, KeyModifiers)] = &[
            (b"y", Char('y'), M::NONE),
            (b"Y", Char('Y'), M::SHIFT),
            ("é".as_bytes(), Char('é'), M::NONE),
            (b"\x1b", Esc, M::NONE),
            (b"\r", Enter, M::NONE),
            (b"\x1bOM", Enter, M::NONE),
            (b"\t", Tab, M::NONE),
            (b"\x1b[Z", BackTab, M::SHIFT),
            (b"\x7f", Backspace, M::NONE),
            (b"\x03", Char('c'), M::CONTROL),
            (b"\x10", Char('p'), M::CONTROL),
            (b"\x1a", Char('z'), M::CONTROL),
            (b"\x1c", Char('\\'), M::CONTROL),
            (b"\x1b[A", Up, M::NONE),
            (b"\x1bOB", Down, M::NONE),
            (b"\x1b[1;5A", Up, M::CONTROL),
            (b"\x1b[H", Home, M::NONE),
            (b"\x1b[4~", End, M::NONE),
            (b"\x1b[3~", Delete, M::NONE),
            (b"\x1b[6;2~", PageDown, M::SHIFT),
            (b"\x1bOP", F(1), M::NONE),
            (b"\x1b[[B", F(2), M::NONE),
            (b"\x1b[24~", F(12), M::NONE),
            (b"\x1bx", Char('x'), M::ALT),
            (b"\x1b[", Char('['), M::ALT),
            (b"\x1b]", Char(']'), M::ALT),
            (b"\x1bO", Char('O'), M::ALT.union(M::SHIFT)),
            (b"\x1b[27;5;13~", Enter, M::CONTROL),
            (b"\x1b[97;5u", Char('a'), M::CONTROL),
        ];
        for (bytes, code, modifiers) in table {
            assert_eq!(parsed(bytes), pressed(*code, *modifiers), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn an_answer_of_the_terminal_is_never_a_key() {
        let answers: &[&[u8]] = &[
            b"\x1b]11;rgb:1e1e/1e1e/2e2e\x07",
            b"\x1b]52;c;cXF5\x1b\\",
            b"\x1bP>|XTerm(390)\x1b\\",
            b"\x1bP1$r0m\x1b\\",
            b"\x1b_Gi=31;OK\x1b\\",
            b"\x1b[12;40R",
            b"\x1b[?62;22c",
            b"\x1b[>41;390;0c",
            b"\x1b[?2026;2$y",
            b"\x1b[0n",
            b"\x1b[?997;1n",
            b"\x1b[8;24;80t",
            b"\x1b[97;5:3u",
        ];
        for answer in answers {
            assert_eq!(parsed(answer), [], "{}", answer.escape_ascii());
            let then_a_key = [answer, b"j".as_slice()].concat();
            assert_eq!(parsed(&then_a_key), pressed(KeyCode::Char('j'), KeyModifiers::NONE));
        }
    }

    #[test]
    fn a_paste_arrives_whole_and_holds_no_keys() {
        let expected = [Input::Paste(Secret::new("q\nD\n\u{1b}[A")), plain(KeyCode::Char('x'))];
        assert_eq!(parsed(b"\x1b[200~q\rD\r\n\x1b[A\x1b[201~x"), expected);
    }

    #[test]
    fn a_paste_that_never_ends_does_not_lock_the_keyboard() {
        assert_eq!(parsed(b"\x1b[200~tok-1"), [Input::Paste(Secret::new("tok-1"))]);
    }

    #[test]
    fn a_paste_longer_than_any_token_is_cut_and_its_end_still_seen() {
        let mut bytes = b"\x1b[200~".to_vec();
        bytes.resize(bytes.len() + LONGEST_PASTE + 100, b'a');
        bytes.extend(b"\x1b[201~q");
        let inputs = parsed(&bytes);
        let [Input::Paste(text), last] = inputs.as_slice() else { panic!("{} inputs", inputs.len()) };
        assert_eq!(text.len(), LONGEST_PASTE);
        assert_eq!(*last, plain(KeyCode::Char('q')));
    }

    #[test]
    fn focus_and_mouse_are_told_apart_from_keys() {
        assert_eq!(parsed(b"\x1b[I\x1b[O"), [Input::FocusGained, Input::FocusLost]);
        let at =
            |kind, column, row| Input::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE });
        let click = [
            at(MouseEventKind::Down(MouseButton::Left), 4, 6),
            at(MouseEventKind::Up(MouseButton::Left), 4, 6),
            at(MouseEventKind::ScrollDown, 0, 0),
        ];
        assert_eq!(parsed(b"\x1b[<0;5;7M\x1b[<0;5;7m\x1b[<65;1;1M"), click);
        assert_eq!(parsed(b"\x1b[<0;0;0M"), []);
    }

    #[test]
    fn a_broken_character_costs_only_itself() {
        assert_eq!(parsed(b"\xc3q"), pressed(KeyCode::Char('q'), KeyModifiers::NONE));
        assert_eq!(parsed(b"\xff\xfe"), []);
        assert_eq!(parsed("\u{9b}".as_bytes()), []);
    }

    proptest! {
        #[test]
        fn no_bytes_stop_the_parser_and_none_are_held_for_ever(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let (mut keys, mut out) = (Keys::new(), Vec::new());
            keys.feed(&bytes, &mut out);
            keys.quiet(&mut out);
            prop_assert!(keys.patience().is_none() && keys.held.is_empty());
        }

        #[test]
        fn how_the_bytes_are_cut_into_reads_makes_no_difference(
            bytes in prop::collection::vec(prop::sample::select(b"\x1b[]O~;<?1250MRAu\x07\\aZ\xc3\xa9".to_vec()), 0..60),
            cut in 0_usize..60,
        ) {
            let (mut keys, mut out) = (Keys::new(), Vec::new());
            let (first, second) = bytes.split_at(cut.min(bytes.len()));
            keys.feed(first, &mut out);
            keys.feed(second, &mut out);
            if keys.patience().is_some() {
                keys.quiet(&mut out);
            }
            prop_assert_eq!(out, parsed(&bytes));
        }

        #[test]
        fn nothing_inside_an_answer_becomes_a_key(inside in "[ -~]{0,80}") {
            prop_assert_eq!(parsed(format!("\x1b]{inside}\x07").as_bytes()), []);
        }
    }
}
