//! The few pieces that panes share: frames, rows of cells, clipped text, gauges, countdowns, empty notes.

use std::borrow::Cow;

use jiff::SignedDuration;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Widget};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::theme::Theme;

/// A frame around a pane or an overlay: what stands on its upper and its lower edge.
#[derive(Default)]
pub(crate) struct Panel<'a> {
    pub(crate) title: Vec<Span<'a>>,
    /// On the right of the upper edge; given up before the title is cut.
    pub(crate) aside: Vec<Span<'a>>,
    /// On the right of the lower edge.
    pub(crate) foot: Vec<Span<'a>>,
    pub(crate) focused: bool,
}

impl Panel<'_> {
    /// Draws the frame and gives back its inside: one blank column of air at each side.
    pub(crate) fn draw(self, buf: &mut Buffer, area: Rect, theme: &Theme) -> Rect {
        let area = area.intersection(buf.area);
        if area.width < 4 || area.height < 2 {
            return Rect::default();
        }
        let style = if self.focused { theme.border_focused } else { theme.border };
        Block::bordered().border_set(theme.signs.frame).border_style(style).render(area, buf);
        let room = usize::from(area.width).saturating_sub(4);
        let aside = width_of(&self.aside);
        let title = width_of(&self.title);
        put_on_edge(buf, area.x + 2, area.y, &edge(self.title, room.saturating_sub(2), theme));
        if aside > 0 && title + aside + 6 <= room {
            let x = area.right().saturating_sub(columns(aside) + 4);
            put_on_edge(buf, x, area.y, &edge(self.aside, aside, theme));
        }
        let foot = width_of(&self.foot);
        if foot > 0 && foot + 4 <= room {
            let x = area.right().saturating_sub(columns(foot) + 4);
            put_on_edge(buf, x, area.bottom() - 1, &edge(self.foot, foot, theme));
        }
        Rect { x: area.x + 2, y: area.y + 1, width: area.width - 4, height: area.height - 2 }
    }

    /// Clears what lies under it first: for overlays.
    pub(crate) fn over(self, buf: &mut Buffer, area: Rect, theme: &Theme) -> Rect {
        let area = area.intersection(buf.area);
        blot_wide_neighbours(buf, area);
        Clear.render(area, buf);
        self.draw(buf, area, theme)
    }
}

/// A character of two columns whose right half an overlay covers would push the overlay's edge aside.
fn blot_wide_neighbours(buf: &mut Buffer, area: Rect) {
    if area.x == 0 {
        return;
    }
    for y in area.top()..area.bottom() {
        if let Some(cell) = buf.cell_mut((area.x - 1, y))
            && cell.symbol().width() > 1
        {
            cell.set_symbol(" ");
        }
    }
}

/// Text on the edge of a frame, with a blank at each side.
fn edge<'a>(spans: Vec<Span<'a>>, room: usize, theme: &Theme) -> Line<'a> {
    if spans.is_empty() {
        return Line::default();
    }
    let mut line = clip_line(Line::from(spans), room, theme);
    line.spans.insert(0, Span::raw(" "));
    line.spans.push(Span::raw(" "));
    line
}

/// Writes a line over a frame's edge, whose own style must not shine through.
pub(crate) fn put_on_edge(buf: &mut Buffer, x: u16, y: u16, line: &Line<'_>) {
    let area = Rect { x, y, width: columns(line.width()), height: 1 }.intersection(buf.area);
    buf.set_style(area, Style::reset());
    put(buf, x, y, line.width(), line);
}

/// Writes a line at a place, clipped to `width` columns and to the screen.
pub(crate) fn put(buf: &mut Buffer, x: u16, y: u16, width: usize, line: &Line<'_>) {
    let area = buf.area;
    if x < area.left() || x >= area.right() || y < area.top() || y >= area.bottom() {
        return;
    }
    buf.set_line(x, y, line, columns(width));
}

/// Writes a line into the row `row` of `area`, with `…` where it does not fit.
pub(crate) fn put_row(buf: &mut Buffer, area: Rect, row: usize, line: Line<'_>, theme: &Theme) {
    let width = usize::from(area.width);
    if row < usize::from(area.height) {
        put(buf, area.x, area.y.saturating_add(columns(row)), width, &clip_line(line, width, theme));
    }
}

/// Puts `right` at the right end of a row of `width` columns and `left` before it. If both do not fit, the left one is
/// clipped; if that would leave it less than `least` columns, the right one is given up.
pub(crate) fn two_sided<'a>(
    left: Line<'a>,
    right: Line<'a>,
    width: usize,
    least: usize,
    theme: &Theme,
) -> Line<'a> {
    let (wants, aside) = (left.width(), right.width());
    if aside == 0 || wants.min(least) + 2 + aside > width {
        return clip_line(left, width, theme);
    }
    let mut line = clip_line(left, width - aside - 2, theme);
    let gap = width - aside - line.width();
    line.spans.push(Span::raw(" ".repeat(gap)));
    line.spans.extend(right.spans);
    line
}

/// Cuts a line to `width` columns, ending in `…` where something is missing.
pub(crate) fn clip_line<'a>(line: Line<'a>, width: usize, theme: &Theme) -> Line<'a> {
    if line.width() <= width {
        return line;
    }
    let mut out = Line { spans: Vec::new(), ..line };
    let mut room = width.saturating_sub(1);
    for span in line.spans {
        let wide = span.width();
        if wide <= room && width > 0 {
            room -= wide;
            out.spans.push(span);
            continue;
        }
        let mut kept = String::new();
        for cluster in span.content.graphemes(true) {
            let wide = cluster.width();
            if wide > room {
                break;
            }
            room -= wide;
            kept.push_str(cluster);
        }
        if width > 0 {
            kept.truncate(kept.trim_end().len());
            kept.push_str(theme.signs.ellipsis);
        }
        out.spans.push(Span::styled(kept, span.style));
        break;
    }
    out
}

/// Text cut to `width` columns.
pub(crate) fn clip<'a>(text: &'a str, width: usize, theme: &Theme) -> Cow<'a, str> {
    if text.width() <= width {
        return Cow::Borrowed(text);
    }
    let line = clip_line(Line::from(text), width, theme);
    Cow::Owned(line.spans.iter().map(|span| span.content.as_ref()).collect())
}

/// The first of several wordings, the longest first, that fits into `width` columns; else the last one.
pub(crate) fn fitting<'a>(wordings: &[&'a str], width: usize) -> &'a str {
    let fits = wordings.iter().find(|text| text.width() <= width);
    fits.or(wordings.last()).copied().unwrap_or_default()
}

/// A cell of a column: cut and filled to exactly `width` columns.
pub(crate) fn cell<'a>(text: &str, width: usize, style: Style, theme: &Theme) -> Span<'a> {
    let text = clip(text, width, theme);
    let pad = width.saturating_sub(text.width());
    Span::styled(format!("{text}{}", " ".repeat(pad)), style)
}

/// The same, filled from the left: for numbers.
pub(crate) fn cell_right<'a>(text: &str, width: usize, style: Style, theme: &Theme) -> Span<'a> {
    let text = clip(text, width, theme);
    let pad = width.saturating_sub(text.width());
    Span::styled(format!("{}{text}", " ".repeat(pad)), style)
}

/// Breaks text into lines of at most `width` columns, between words where that is possible.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    if width == 0 {
        return Vec::new();
    }
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let gap = usize::from(!line.is_empty());
        if line.width() + gap + word.width() <= width {
            if gap == 1 {
                line.push(' ');
            }
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for cluster in word.graphemes(true) {
            if line.width() + cluster.width() > width && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            line.push_str(cluster);
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// How much of a life is left, in eighths; at least one while there is any. Counted in the units that the
/// countdown beside it shows, so that it moves only when the countdown does.
pub(crate) fn gauge<'a>(
    left: SignedDuration,
    whole: SignedDuration,
    style: Style,
    theme: &Theme,
) -> Span<'a> {
    let full = gauge_eighths(in_shown_units(left), whole);
    Span::styled(format!("{}{}", theme.signs.full.repeat(full), theme.signs.empty.repeat(8 - full)), style)
}

/// How many columns a [`gauge`] takes.
pub(crate) const GAUGE: usize = 8;

fn in_shown_units(left: SignedDuration) -> SignedDuration {
    let seconds = left.as_secs();
    let unit = match seconds {
        ..600 => 1,
        600..86_400 => 60,
        86_400..864_000 => 3600,
        _ => 86_400,
    };
    SignedDuration::from_secs(seconds - seconds % unit)
}

fn gauge_eighths(left: SignedDuration, whole: SignedDuration) -> usize {
    let whole = i128::from(whole.as_secs().max(1));
    let left = i128::from(left.as_secs()).clamp(0, whole);
    usize::try_from((left * 8 + whole - 1) / whole).unwrap_or(8).clamp(1, 8)
}

/// The lines of an empty pane, one row of air above.
pub(crate) fn empty_note(buf: &mut Buffer, area: Rect, lines: Vec<Line<'_>>, theme: &Theme) {
    let air = usize::from(usize::from(area.height) > lines.len());
    for (row, line) in lines.into_iter().enumerate() {
        put_row(buf, area, row + air, line, theme);
    }
}

/// A number with its thousands apart: `1,214`.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Paints a row as the selected one: one bar in one style, over the air at both of its ends. Bold stays bold.
pub(crate) fn bar(buf: &mut Buffer, row: Rect, style: Style) {
    let area = Rect { x: row.x.saturating_sub(1), width: row.width.saturating_add(2), ..row };
    for position in area.intersection(buf.area).positions() {
        if let Some(cell) = buf.cell_mut(position) {
            let bold = cell.modifier & Modifier::BOLD;
            cell.set_style(Style::reset()).set_style(style.add_modifier(bold));
        }
    }
}

pub(crate) fn columns(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

pub(crate) fn width_of(spans: &[Span<'_>]) -> usize {
    spans.iter().map(Span::width).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::{Colours, Glyphs};

    fn theme() -> Theme {
        Theme::new(Glyphs::Unicode, Colours::Ansi)
    }

    fn text(line: &Line<'_>) -> String {
        line.spans.iter().map(|span| span.content.as_ref()).collect()
    }

    #[test]
    fn clipped_text_says_that_something_is_missing_and_never_overflows() {
        for width in 0..12 {
            for sample in ["", "short", "a longer text", "日本語テキスト", "né\u{301}e"] {
                let line = clip_line(Line::from(sample.to_owned()), width, &theme());
                assert!(line.width() <= width, "{sample} at {width}: {line:?}");
                assert_eq!(
                    text(&line).contains('…'),
                    sample.width() > width && width > 0,
                    "{sample} at {width}"
                );
            }
        }
    }

    #[test]
    fn what_stands_on_the_right_is_kept_until_the_left_becomes_too_short() {
        let row = |width| {
            text(&two_sided(Line::from("a verdict in words"), Line::from("3d 02h"), width, 10, &theme()))
        };
        assert_eq!(row(26), "a verdict in words  3d 02h");
        assert_eq!(row(20), "a verdict i…  3d 02h");
        assert_eq!(row(17), "a verdict in wor…");
    }

    #[test]
    fn words_are_wrapped_whole_and_longer_ones_are_broken() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij kl", 4), ["abcd", "efgh", "ij", "kl"]);
        assert_eq!(wrap("anything", 0), Vec::<String>::new());
    }

    #[test]
    fn a_gauge_is_never_empty_while_something_is_left_and_full_only_at_the_start() {
        let eighths = |left| gauge_eighths(SignedDuration::from_secs(left), SignedDuration::from_secs(3600));
        assert_eq!((eighths(1), eighths(450), eighths(451), eighths(3600), eighths(9999)), (1, 1, 2, 8, 8));
        assert_eq!(gauge_eighths(SignedDuration::from_secs(5), SignedDuration::MIN), 8);
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!([0, 999, 1214, 1_000_000].map(grouped), ["0", "999", "1,214", "1,000,000"]);
    }
}
