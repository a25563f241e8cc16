//! A QR code in half blocks: dark on its own light ground with the quiet zone of four modules that ISO 18004 asks for.

use qrcode::{Color, EcLevel, QrCode};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::parts::{columns, put};
use super::scene::{Scene, keyed};
use super::theme::{Glyphs, Theme};
use crate::app::action::Action;
use crate::domain::untrusted::Untrusted;

/// Modules of quiet around the code.
const QUIET: usize = 4;

/// A code, ready to be drawn.
pub(super) struct Qr {
    side: usize,
    dark: Vec<bool>,
}

impl Qr {
    /// The code of an address; `None` where it is no web address of plain characters, or too long for a code.
    ///
    /// A code sends a phone somewhere unseen: only what stands on the screen as it is may stand in one.
    pub(super) fn of(address: &Untrusted) -> Option<Self> {
        let text = address.raw();
        let web = text.starts_with("https://") || text.starts_with("http://");
        if !web || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        Self::of_text(text)
    }

    /// The code of a short text of plain characters that stands on the screen beside it.
    pub(super) fn of_text(text: &str) -> Option<Self> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
        let dark = code.to_colors().into_iter().map(|colour| colour == Color::Dark).collect();
        Some(Self { side: code.width(), dark })
    }

    /// Columns and rows on the screen, quiet zone and all.
    pub(super) fn size(&self) -> (usize, usize) {
        let side = self.side + 2 * QUIET;
        (side, side.div_ceil(2))
    }

    /// Whether it can be shown in so much room. It takes block characters: a terminal without them gets none.
    pub(super) fn fits(&self, width: usize, height: usize, theme: &Theme) -> bool {
        let (wide, high) = self.size();
        theme.glyphs == Glyphs::Unicode && wide <= width && high <= height
    }

    pub(super) fn draw(&self, buf: &mut Buffer, x: u16, y: u16, theme: &Theme) {
        let (wide, high) = self.size();
        for row in 0..high {
            let symbols: String = (0..wide)
                .map(|column| match (self.is_dark(column, 2 * row), self.is_dark(column, 2 * row + 1)) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                })
                .collect();
            put(buf, x, y + columns(row), wide, &Line::styled(symbols, theme.qr));
        }
    }

    fn is_dark(&self, x: usize, y: usize) -> bool {
        let (Some(x), Some(y)) = (x.checked_sub(QUIET), y.checked_sub(QUIET)) else { return false };
        x < self.side && y < self.side && self.dark.get(y * self.side + x).copied().unwrap_or(false)
    }
}

/// The code alone on the screen, with the address under it.
pub(super) fn alone(buf: &mut Buffer, area: Rect, address: &Untrusted, scene: Scene<'_>) {
    let theme = scene.theme;
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    for y in area.top()..area.bottom() {
        put(buf, area.x, y, width, &Line::raw(" ".repeat(width)));
    }
    let key = scene.key(Action::Back).or_else(|| scene.key(Action::ShowQr));
    let back = Line::from(key.map_or_else(Vec::new, |key| keyed(key, "back", theme)));
    let code = Qr::of(address).filter(|code| code.fits(width, height, theme));
    let Some(code) = code else {
        let says = match theme.glyphs {
            Glyphs::Unicode => {
                "The screen is too small for this QR code: make it larger, or use the address."
            }
            Glyphs::Ascii => "A QR code needs a UTF-8 locale. The address says the same.",
        };
        let mut lines = super::parts::wrap(says, width);
        lines.push(String::new());
        lines.extend(super::parts::wrap(&address.shown(), width));
        for (row, text) in lines.into_iter().enumerate().take(height.saturating_sub(1)) {
            put(buf, area.x, area.y + columns(row), width, &Line::raw(text));
        }
        put(buf, area.x, area.bottom().saturating_sub(1), width, &back);
        return;
    };
    let (wide, high) = code.size();
    let x = area.x + columns((width - wide) / 2);
    // Address and key stand under the code where there is room for them.
    let spare = height - high;
    let y = area.y + columns(spare.saturating_sub(2) / 2);
    code.draw(buf, x, y, theme);
    let under = y + columns(high);
    if spare >= 1 {
        let shown = address.shown_within(width);
        let line = Line::from(Span::styled(shown, theme.link));
        let x = area.x + columns(width.saturating_sub(line.width()) / 2);
        put(buf, x, under, width, &line);
    }
    if spare >= 2 {
        put(buf, area.x + columns(width.saturating_sub(back.width()) / 2), under + 1, width, &back);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_web_address_becomes_a_code() {
        assert!(Qr::of(&"https://aai.egi.eu/device?user_code=WDJB-MJHT".into()).is_some());
        for bad in
            ["", "javascript:alert(1)", "https://a.example/\u{202e}x", "https://a b", "ftp://a.example"]
        {
            assert!(Qr::of(&bad.into()).is_none(), "{bad}");
        }
    }

    #[test]
    fn the_quiet_zone_is_four_modules_on_every_side() {
        let code = Qr::of(&"https://aai.egi.eu/device".into()).expect("short enough");
        let (wide, high) = code.size();
        assert_eq!((wide, high), (code.side + 8, (code.side + 8).div_ceil(2)));
        for at in 0..wide {
            for quiet in 0..4 {
                assert!(!code.is_dark(at, quiet) && !code.is_dark(quiet, at));
                assert!(!code.is_dark(at, wide - 1 - quiet) && !code.is_dark(wide - 1 - quiet, at));
            }
        }
        assert!(code.is_dark(4, 4), "the corner of the first finder pattern");
    }
}
