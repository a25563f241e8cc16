//! The message line and the line of keys; or, where nothing else fits, one sentence.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::field;
use super::parts::{clip_line, columns, put, wrap};
use super::scene::{Scene, keyed};
use crate::app::action::Action;
use crate::app::field::Field;
use crate::app::geometry::ONE_PANE;
use crate::app::keymap;
use crate::app::notice;
use crate::app::state::Tone;
use crate::domain::untrusted::cleaned;

/// What happened, what it costs, what is under way: with its countdowns.
pub(super) fn message(buf: &mut Buffer, area: Rect, scene: Scene<'_>) {
    let theme = scene.theme;
    let width = usize::from(area.width).saturating_sub(2);
    let Some(message) = notice::on_show(scene.state, scene.now) else { return };
    let mut spans = match message.tone {
        Tone::Good => vec![Span::styled(theme.signs.ok, theme.ok), Span::raw(" ")],
        Tone::Plain => Vec::new(),
        Tone::Warning => vec![Span::styled("!", theme.ending), Span::raw(" ")],
        Tone::Bad => vec![Span::styled(theme.signs.wrong, theme.wrong), Span::raw(" ")],
    };
    spans.push(Span::raw(cleaned(&message.text)));
    // The tail is given up from its front: what comes last on it is what counts down.
    let tail: Vec<Line<'_>> = message
        .tail
        .iter()
        .map(|text| Line::styled(format!(" {} {}", theme.signs.dot, cleaned(text)), theme.dim))
        .collect();
    let wide = super::parts::width_of(&spans);
    let mut first = 0;
    while first < tail.len() && wide + tail.iter().skip(first).map(Line::width).sum::<usize>() > width {
        first += 1;
    }
    spans.extend(
        tail.into_iter()
            .skip(first)
            .flat_map(|line| line.spans.into_iter().map(move |span| span.style(line.style))),
    );
    put(buf, area.x + 1, area.y, width, &clip_line(Line::from(spans), width, theme));
}

/// The keys that work now, in the order of the table, as many as fit.
pub(super) fn keys(buf: &mut Buffer, area: Rect, scene: Scene<'_>) {
    let mut spans = Vec::new();
    for live in keymap::footer(scene.state, usize::from(area.width)) {
        spans.push(Span::raw(if spans.is_empty() { " " } else { "   " }));
        spans.extend(keyed(live.key(), live.label, scene.theme));
    }
    put(buf, area.x, area.y, usize::from(area.width), &Line::from(spans));
}

/// The filter while it is typed, in place of the message.
pub(super) fn filter(buf: &mut Buffer, area: Rect, typed: &Field, scene: Scene<'_>) -> Option<Position> {
    let label = Line::from(vec![Span::raw(" "), Span::styled("filter ", scene.theme.label)]);
    let wide = columns(label.width()).min(area.width);
    put(buf, area.x, area.y, usize::from(area.width), &Line::raw(" ".repeat(usize::from(area.width))));
    put(buf, area.x, area.y, usize::from(area.width), &label);
    let place = Rect { x: area.x + wide, width: (area.width - wide).min(50), ..area };
    field::draw(buf, place, typed, field::Shown::Plain, scene)
}

/// One sentence on a screen on which nothing else fits, and the way out.
pub(super) fn too_small(buf: &mut Buffer, scene: Scene<'_>) {
    let area = buf.area;
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    let (columns_needed, rows_needed) = ONE_PANE;
    let quit = scene.key(Action::Quit).map(|key| format!(" {key} quits.")).unwrap_or_default();
    let full = format!("toktui needs {columns_needed}x{rows_needed}.{quit}");
    let sentences = [full, "too small".to_owned(), "toktui".to_owned(), "!".to_owned()];
    let fits = sentences
        .iter()
        .map(|text| wrap(text, width))
        .find(|lines| lines.len() <= height && lines.iter().all(|line| !line.is_empty()));
    for (row, line) in fits.into_iter().flatten().enumerate() {
        put(buf, area.x, area.y + columns(row), width, &Line::raw(line));
    }
}
