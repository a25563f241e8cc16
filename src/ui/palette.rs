//! Any action by its name: what is typed, and what fits it.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::field;
use super::parts::{Panel, cell, put_row, two_sided};
use super::scene::Scene;
use crate::app::overlay::Palette;
use crate::app::palette::matches;

const LABEL: usize = 16;

pub(super) fn draw(buf: &mut Buffer, area: Rect, palette: &Palette, scene: Scene<'_>) -> Option<Position> {
    let theme = scene.theme;
    let title = vec![Span::styled("Run", theme.title_focused)];
    let inside = Panel { title, focused: true, ..Panel::default() }.over(buf, area, theme);
    let found = matches(scene.state, palette.field.value());
    let room = usize::from(inside.height).saturating_sub(2);
    let first = (palette.selected + 1).saturating_sub(room);
    for (row, (index, live)) in found.iter().enumerate().skip(first).take(room).enumerate() {
        let left = Line::from(vec![
            cell(live.label, LABEL, theme.text, theme),
            Span::styled(live.binding.hint, theme.dim),
        ]);
        let right = Line::styled(live.key(), theme.key);
        let width = usize::from(inside.width);
        put_row(buf, inside, row + 2, two_sided(left, right, width, 12, theme), theme);
        if index == palette.selected {
            scene.mark_row(buf, inside, row + 2);
        }
    }
    if found.is_empty() {
        put_row(buf, inside, 2, Line::styled("Nothing of that name works now.", theme.dim), theme);
    }
    let place = Rect { height: inside.height.min(1), ..inside };
    field::draw(buf, place, &palette.field, field::Shown::Plain, scene)
}
