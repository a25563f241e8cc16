//! A QR code as lines of text: two modules a character, dark on its own light ground, with its quiet zone.

use std::io::{self, Write};

use qrcode::{Color, EcLevel, QrCode};

use crate::domain::untrusted::Untrusted;

/// Modules of quiet around the code (ISO 18004).
const QUIET: usize = 4;

/// The lines of an address's code; `None` where it is no web address of plain characters, or too long for a code, or wider than `columns`.
///
/// A code sends a phone somewhere unseen: only what is printed as it is may stand in one.
pub(super) fn lines(address: &Untrusted, columns: usize) -> Option<Vec<String>> {
    let text = address.raw();
    let web = text.starts_with("https://") || text.starts_with("http://");
    if web { drawn(text, columns) } else { None }
}

/// Draws a code on standard error.
pub(in crate::cli) fn show(lines: &[String]) {
    let mut out = io::stderr().lock();
    for line in lines {
        // Colours and blocks of our own, and nothing of anybody else's.
        let _ = writeln!(out, "{line}");
    }
}

/// The lines of the code of a text of plain characters, which is no address: a phone shows it, and opens nothing.
pub(in crate::cli) fn of_text(text: &str, columns: usize) -> Option<Vec<String>> {
    if text.contains(':') { None } else { drawn(text, columns) }
}

fn drawn(text: &str, columns: usize) -> Option<Vec<String>> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let (width, colours) = (code.width(), code.to_colors());
    let side = width + 2 * QUIET;
    if side > columns {
        return None;
    }
    let dark = |x: usize, y: usize| {
        let (x, y) = (x.checked_sub(QUIET)?, y.checked_sub(QUIET)?);
        (x < width).then(|| colours.get(y * width + x).copied())?
    };
    let is_dark = |x: usize, y: usize| dark(x, y) == Some(Color::Dark);
    let row = |y: usize| {
        (0..side)
            .map(|x| match (is_dark(x, 2 * y), is_dark(x, 2 * y + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            })
            .collect::<String>()
    };
    // Black on white whatever the terminal's own colours are: many readers take no light code on dark ground.
    Some((0..side.div_ceil(2)).map(|y| format!("\x1b[30;107m{}\x1b[0m", row(y))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_a_code_if_it_opens_nothing() {
        assert!(of_text("gHtKmPqZ", 80).is_some());
        for wrong in ["", "tel:1", "a b", "\u{202e}"] {
            assert_eq!(of_text(wrong, 200), None, "{wrong}");
        }
    }

    #[test]
    fn a_code_is_as_wide_as_high_and_needs_room_and_a_plain_web_address() {
        let address = Untrusted::from("https://login.example.org/device?user_code=WDJB-MJHT");
        let lines = lines(&address, 80).expect("it fits");
        let width = lines[0].chars().count() - "\x1b[30;107m\x1b[0m".len();
        assert_eq!(lines.len(), width.div_ceil(2));
        assert_eq!(super::lines(&address, width - 1), None);
        for wrong in ["javascript:alert(1)", "https://a/\u{202e}b", "https://a b"] {
            assert_eq!(super::lines(&Untrusted::from(wrong), 200), None, "{wrong}");
        }
    }
}
