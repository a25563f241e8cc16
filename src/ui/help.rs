//! All the keys that work now; the selected line can be run.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::lookup::more_below;
use super::parts::{Panel, cell, put_row};
use super::scene::Scene;
use crate::app::keymap::Live;
use crate::app::overlay::List;
use crate::app::palette;

const KEYS: usize = 12;
const LABEL: usize = 17;

pub(super) fn draw(buf: &mut Buffer, area: Rect, list: &List, scene: Scene<'_>) {
    let theme = scene.theme;
    let title = vec![Span::styled("What works now", theme.title_focused)];
    let aside = vec![
        Span::styled(theme.signs.memory, theme.text),
        Span::styled(" in memory only   ", theme.dim),
        Span::styled(theme.signs.foreign, theme.text),
        Span::styled(" somebody else's, read-only", theme.dim),
    ];
    let inside = Panel { title, aside, focused: true, ..Panel::default() }.over(buf, area, theme);
    let lines = palette::help(scene.state);
    let height = usize::from(inside.height);
    for (row, (index, live)) in lines.iter().enumerate().skip(list.offset).take(height).enumerate() {
        put_row(buf, inside, row, line(live, usize::from(inside.width), scene), theme);
        if index == list.selected {
            scene.mark_row(buf, inside, row);
        }
    }
    more_below(buf, area, lines.len().saturating_sub(list.offset + height), scene);
}

/// A key, its verb, and what it does where there is room.
pub(super) fn line<'a>(live: &Live, width: usize, scene: Scene<'_>) -> Line<'a> {
    let theme = scene.theme;
    let mut spans = vec![
        cell(&live.all_keys(), KEYS, theme.key, theme),
        Span::raw("  "),
        cell(live.label, LABEL, theme.text, theme),
    ];
    if width >= KEYS + LABEL + 20 {
        spans.push(Span::raw("  "));
        spans.push(Span::styled(live.binding.hint, theme.dim));
    }
    Line::from(spans)
}
