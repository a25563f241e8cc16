//! What was asked and what was granted, side by side, after a login.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::parts::{Panel, cell, put_row, width_of, wrap};
use super::scene::Scene;
use crate::app::action::Action;
use crate::domain::credential::Custody;
use crate::domain::login::{Compared, Relation, Report};
use crate::domain::untrusted::cleaned;

const LABEL: usize = 15;

pub(super) fn draw(buf: &mut Buffer, area: Rect, report: &Report, scene: Scene<'_>) {
    let theme = scene.theme;
    let title = vec![Span::styled(
        format!("Logged in at {}: {}", cleaned(&report.at), cleaned(&report.name)),
        theme.title_focused,
    )];
    let custody = scene.state.held(&report.id).map(|held| &held.custody);
    let aside = match custody {
        Some(Custody::Sealed | Custody::KeyFile | Custody::Session) => {
            vec![Span::styled("sealed and saved", theme.live)]
        }
        Some(Custody::MemoryOnly) => vec![Span::styled("in memory only", theme.warning)],
        Some(Custody::Unsaved(_)) => vec![Span::styled("NOT SAVED", theme.dead)],
        Some(Custody::Foreign(_)) | None => Vec::new(),
    };
    let inside = Panel { title, aside, focused: true, ..Panel::default() }.over(buf, area, theme);
    let (width, height) = (usize::from(inside.width), usize::from(inside.height));
    let column = width.saturating_sub(LABEL + 2) / 2;
    let mut lines = vec![Line::from(vec![
        cell("", LABEL, theme.label, theme),
        cell("ASKED", column + 2, theme.label, theme),
        Span::styled("GRANTED", theme.label),
    ])];
    for compared in &report.lines {
        lines.extend(compare(compared, column, scene));
    }
    lines.push(Line::default());
    for warning in report.no_refresh.iter().chain(&report.remarks) {
        let mut mark = Span::styled("! ", theme.ending);
        for text in wrap(&cleaned(warning), width.saturating_sub(2)) {
            lines.push(Line::from(vec![mark, Span::raw(text)]));
            mark = Span::raw("  ");
        }
    }
    let keys = keys(scene);
    // Keys stand last and are never pushed out: the report above them gives way.
    let room = height.saturating_sub(1);
    let start = usize::from(lines.len() + 3 <= height);
    for (row, line) in lines.into_iter().take(room.saturating_sub(start)).enumerate() {
        put_row(buf, inside, start + row, line, theme);
    }
    put_row(buf, inside, room, Line::from(keys), theme);
}

fn keys(scene: Scene<'_>) -> Vec<Span<'_>> {
    let mut spans = scene.hint(Action::Copy, "copy an access token");
    if width_of(&spans) > 0 {
        spans.push(Span::raw("    "));
    }
    spans.extend(scene.hint(Action::Back, "to the board"));
    spans
}

fn compare<'a>(compared: &Compared, column: usize, scene: Scene<'a>) -> Vec<Line<'a>> {
    let theme = scene.theme;
    let style = match compared.relation {
        Relation::Same => theme.text,
        Relation::Narrower | Relation::Other => theme.warning,
        Relation::Wider => theme.wrong,
    };
    let word = match compared.relation {
        Relation::Wider if compared.note.is_none() => Some("more than was asked for".to_owned()),
        Relation::Wider | Relation::Same | Relation::Narrower | Relation::Other => {
            compared.note.as_deref().map(cleaned)
        }
    };
    // An issuer is told by the name it has here.
    let named = |text: &str| scene.known_issuer(&text.into()).unwrap_or_else(|| text.to_owned());
    let asked: Vec<(String, Style)> = styled(&named(&compared.asked), column, theme.text);
    let mut granted = styled(&named(&compared.granted), column, style);
    granted.extend(word.iter().flat_map(|word| styled(word, column, theme.dim)));
    let empty = || (String::new(), theme.text);
    (0..asked.len().max(granted.len()))
        .map(|row| {
            let label = if row == 0 { cleaned(&compared.what) } else { String::new() };
            let (left, left_style) = asked.get(row).cloned().unwrap_or_else(empty);
            let (right, right_style) = granted.get(row).cloned().unwrap_or_else(empty);
            Line::from(vec![
                cell(&label, LABEL, theme.label, theme),
                cell(&left, column, left_style, theme),
                Span::raw("  "),
                cell(&right, column, right_style, theme),
            ])
        })
        .collect()
}

fn styled(text: &str, width: usize, style: Style) -> Vec<(String, Style)> {
    wrap(&cleaned(text), width).into_iter().map(|line| (line, style)).collect()
}
