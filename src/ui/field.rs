//! A line of text being typed, and how much of it may be seen.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::parts::{columns, grouped, put};
use super::scene::Scene;
use crate::app::field::Field;
use crate::domain::untrusted::cleaned;

/// How much of a field may be seen.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// What is typed.
    Plain,
    /// Only how much it is: it may be a token, or an address with a code in it.
    Masked,
    /// A dot for each character: a passphrase.
    Dots,
}

/// Draws a field into one row; where its cursor stands.
pub(super) fn draw(
    buf: &mut Buffer,
    area: Rect,
    field: &Field,
    shown: Shown,
    scene: Scene<'_>,
) -> Option<Position> {
    let theme = scene.theme;
    let width = usize::from(area.width).checked_sub(2).filter(|width| *width > 0 && area.height > 0)?;
    let prompt = Span::styled(format!("{} ", theme.signs.prompt), theme.key);
    let (text, cursor) = match shown {
        Shown::Plain => visible(field, width),
        Shown::Dots => {
            let count = field.value().graphemes(true).count().min(width - 1);
            (theme.signs.hidden.repeat(count), count)
        }
        Shown::Masked => {
            let text = match field.value().graphemes(true).count() {
                0 => String::new(),
                1 => "1 character".to_owned(),
                count => format!("{} characters", grouped(count)),
            };
            let cursor = text.width().min(width - 1);
            (text, cursor)
        }
    };
    let rest = width.saturating_sub(text.width());
    let line = Line::from(vec![prompt, Span::raw(text), Span::styled("_".repeat(rest), theme.dim)]);
    put(buf, area.x, area.y, width + 2, &line);
    Some(Position { x: area.x + 2 + columns(cursor), y: area.y })
}

/// The part of a text around its cursor that fits, and the column of the cursor in it.
fn visible(field: &Field, width: usize) -> (String, usize) {
    let skip = field.visual_scroll(width);
    let mut out = String::new();
    let mut column = 0;
    let mut start = None;
    for cluster in field.value().graphemes(true) {
        let wide = cluster.width();
        if column >= skip {
            start.get_or_insert(column);
            let text = cleaned(cluster);
            if out.width() + text.width() > width {
                break;
            }
            out.push_str(&text);
        }
        column += wide;
    }
    let cursor = field.visual_cursor().saturating_sub(start.unwrap_or(skip));
    (out, cursor.min(width - 1))
}
