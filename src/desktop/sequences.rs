//! What a whole sequence of the terminal means: a key, the mouse, the focus, or nothing.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::keys::Input;

pub(super) fn key(code: KeyCode, modifiers: KeyModifiers) -> Input {
    Input::Key(KeyEvent::new(code, modifiers))
}

pub(super) fn plain(code: KeyCode) -> Input {
    key(code, KeyModifiers::NONE)
}

/// A typed character. A capital letter carries Shift, as crossterm has it.
pub(super) fn character(c: char, modifiers: KeyModifiers) -> Input {
    let shift = if c.is_uppercase() { KeyModifiers::SHIFT } else { KeyModifiers::NONE };
    key(KeyCode::Char(c), modifiers | shift)
}

/// The keys that end in a letter, after `ESC O` and `ESC [` alike.
pub(super) fn letter_key(letter: u8) -> Option<KeyCode> {
    Some(match letter {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'H' => KeyCode::Home,
        b'F' => KeyCode::End,
        b'M' => KeyCode::Enter,
        b'P'..=b'S' => KeyCode::F(letter - b'P' + 1),
        _ => return None,
    })
}

/// The keys that end in `~`.
fn number_key(number: u32) -> Option<KeyCode> {
    Some(match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        11 => KeyCode::F(1),
        12 => KeyCode::F(2),
        13 => KeyCode::F(3),
        14 => KeyCode::F(4),
        15 => KeyCode::F(5),
        17 => KeyCode::F(6),
        18 => KeyCode::F(7),
        19 => KeyCode::F(8),
        20 => KeyCode::F(9),
        21 => KeyCode::F(10),
        23 => KeyCode::F(11),
        24 => KeyCode::F(12),
        _ => return None,
    })
}

/// A whole `ESC [ parameters end`. Whatever is not a key, the mouse or the focus is an answer, and nothing.
pub(super) fn sequence(parameters: &[u8], end: u8) -> Option<Input> {
    let text = std::str::from_utf8(parameters).ok()?;
    if let Some(mouse) = text.strip_prefix('<') {
        return mouse_event(mouse, end).map(Input::Mouse);
    }
    // The first part of each parameter; what follows a colon says more than we ask.
    let numbers = text.split(';').map(|part| part.split(':').next().unwrap_or_default());
    let numbers: Vec<u32> = match text {
        "" => Vec::new(),
        _ => numbers.map(|part| part.parse().ok()).collect::<Option<_>>()?,
    };
    match (end, numbers.as_slice()) {
        (b'I', []) => Some(Input::FocusGained),
        (b'O', []) => Some(Input::FocusLost),
        (b'Z', []) => Some(key(KeyCode::BackTab, KeyModifiers::SHIFT)),
        // With parameters, `R` is a cursor report and `M` a mouse of old.
        (b'R' | b'M', _) => None,
        (_, []) => letter_key(end).map(plain),
        (b'~', [number]) => number_key(*number).map(plain),
        (b'~', [27, held, code]) => coded(*code, modifiers(*held)?),
        (b'~', [number, held]) => Some(key(number_key(*number)?, modifiers(*held)?)),
        (b'u', [code]) => coded(*code, KeyModifiers::NONE),
        (b'u', [code, held]) if !is_release(text) => coded(*code, modifiers(*held)?),
        (_, [1, held]) => Some(key(letter_key(end)?, modifiers(*held)?)),
        _ => None,
    }
}

/// `code;modifiers:3` is a key let go.
fn is_release(parameters: &str) -> bool {
    parameters.rsplit_once(':').is_some_and(|(_, kind)| kind == "3")
}

/// The modifiers of xterm: one more than the sum of Shift 1, Alt 2, Control 4.
fn modifiers(number: u32) -> Option<KeyModifiers> {
    let bits = number.checked_sub(1)?;
    let table = [(1, KeyModifiers::SHIFT), (2, KeyModifiers::ALT), (4, KeyModifiers::CONTROL)];
    Some(table.into_iter().filter(|(bit, _)| bits & bit != 0).map(|(_, modifier)| modifier).collect())
}

/// A key by its Unicode number (modifyOtherKeys, CSI u).
fn coded(code: u32, held: KeyModifiers) -> Option<Input> {
    Some(match code {
        9 if held.contains(KeyModifiers::SHIFT) => key(KeyCode::BackTab, held),
        9 => key(KeyCode::Tab, held),
        13 => key(KeyCode::Enter, held),
        27 => key(KeyCode::Esc, held),
        8 | 127 => key(KeyCode::Backspace, held),
        _ => character(char::from_u32(code).filter(|c| !c.is_control())?, held),
    })
}

/// `button;column;row` of the SGR mouse protocol, counted from 1.
fn mouse_event(parameters: &str, end: u8) -> Option<MouseEvent> {
    let mut numbers = parameters.split(';').map(|part| part.parse::<u16>().ok());
    let (button, column, row) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let which = match button & 0b11 {
        0 => MouseButton::Left,
        1 => MouseButton::Middle,
        _ => MouseButton::Right,
    };
    let kind = match (end, button & 0b1110_0000, button & 0b11) {
        (b'M', 64, 0) => MouseEventKind::ScrollUp,
        (b'M', 64, 1) => MouseEventKind::ScrollDown,
        (b'M', 64, 2) => MouseEventKind::ScrollLeft,
        (b'M', 64, 3) => MouseEventKind::ScrollRight,
        (b'M' | b'm', 32, 3) => MouseEventKind::Moved,
        (b'M' | b'm', 32, _) => MouseEventKind::Drag(which),
        (b'M', 0, 0..=2) => MouseEventKind::Down(which),
        (b'm', 0, 0..=2) => MouseEventKind::Up(which),
        _ => return None,
    };
    let table = [(4, KeyModifiers::SHIFT), (8, KeyModifiers::ALT), (16, KeyModifiers::CONTROL)];
    let modifiers =
        table.into_iter().filter(|(bit, _)| button & bit != 0).map(|(_, modifier)| modifier).collect();
    Some(MouseEvent { kind, column: column.checked_sub(1)?, row: row.checked_sub(1)?, modifiers })
}
