//! Everything held under a name, or everything a token says, line by line and masked.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::field;
use super::lookup::more_below;
use super::parts::{Panel, cell, put_row};
use super::scene::Scene;
use crate::app::content::{self, NAMES};
use crate::app::lookup;
use crate::app::overlay::{List, Overlay};
use crate::domain::signature::Signature;
use crate::domain::time::{ago, countdown};
use crate::domain::untrusted::cleaned;

pub(super) fn draw(
    buf: &mut Buffer,
    area: Rect,
    overlay: &Overlay,
    list: &List,
    scene: Scene<'_>,
) -> Option<Position> {
    let title = match overlay {
        Overlay::Content(_) if lookup::signature(scene.state).is_some_and(Signature::is_good) => {
            "What it says; its signature is good"
        }
        Overlay::Content(_) => "What it says, read here and not verified",
        Overlay::Member(..) => "Details, as its server lists it",
        Overlay::Event(..) => "Event",
        Overlay::Userinfo(..) => "Userinfo",
        Overlay::Introspected(..) => "Introspection",
        Overlay::Announced(..) => "What it announces",
        Overlay::Compared(..) => "What is not the same",
        Overlay::Active(source, _) => &format!("Held at {}", scene.source_name(source)),
        _ => "Details",
    };
    let theme = scene.theme;
    let title = vec![Span::styled(title.to_owned(), theme.title_focused)];
    let inside = Panel { title, focused: true, ..Panel::default() }.over(buf, area, theme);
    let (width, height) = (usize::from(inside.width), usize::from(inside.height));
    let lines = content::of_overlay(scene.state, overlay, width)?;
    let offset = list.offset.min(lines.len().saturating_sub(height));
    let selected = overlay.page().map(|list| list.selected);
    for (row, line) in lines.iter().skip(offset).take(height).enumerate() {
        put_row(buf, inside, row, shown(line, scene), theme);
        if selected == Some(offset + row) {
            scene.mark_row(buf, inside, row);
        }
    }
    more_below(buf, area, lines.len().saturating_sub(offset + height), scene);
    search(buf, area, list, scene)
}

/// What is searched for, on the lower edge.
fn search(buf: &mut Buffer, area: Rect, list: &List, scene: Scene<'_>) -> Option<Position> {
    if area.height < 3 || area.width < 30 || (!list.typing && list.sought.is_empty()) {
        return None;
    }
    let place = Rect { x: area.x + 2, y: area.bottom() - 1, width: 24, height: 1 };
    let drawn = field::draw(buf, place, &list.sought, field::Shown::Plain, scene);
    drawn.filter(|_| list.typing)
}

fn shown<'a>(line: &content::Line, scene: Scene<'_>) -> Line<'a> {
    let theme = scene.theme;
    match line {
        content::Line::Blank => Line::default(),
        content::Line::Head(text) => Line::styled(cleaned(text), theme.title_focused),
        content::Line::Pair(name, value) => Line::from(vec![
            cell(name, NAMES - 2, theme.label, theme),
            Span::raw("  "),
            Span::raw(value.clone()),
        ]),
        content::Line::Moment(name, at) => {
            let away = if *at > scene.now {
                format!("in {}", countdown(scene.left(*at)))
            } else {
                ago(scene.now.duration_since(*at))
            };
            Line::from(vec![
                cell(name, NAMES - 2, theme.label, theme),
                Span::raw("  "),
                Span::raw(scene.exact(*at)),
                Span::styled(format!("   {away}"), theme.dim),
            ])
        }
    }
}
