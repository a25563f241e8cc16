//! What was asked and what was granted, side by side, after a login.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::parts::{Panel, cell, put_row, width_of, wrap};
use super::questions::answers;
use super::scene::Scene;
use crate::app::action::Action;
use crate::domain::credential::{Chain, Custody};
use crate::domain::login::{Compared, Relation, Report};
use crate::domain::registration::Registered;
use crate::domain::untrusted::cleaned;

const LABEL: usize = 17;
/// Between asked and granted; the mark of a difference stands in it.
const GAP: usize = 3;

pub(super) fn draw(buf: &mut Buffer, area: Rect, report: &Report, scene: Scene<'_>) {
    let theme = scene.theme;
    let name = cleaned(&report.name);
    let is_made =
        scene.state.held(&report.id).is_some_and(|held| matches!(held.chain, Chain::Mytoken { .. }));
    let words = if is_made {
        format!("Made: {name}")
    } else {
        format!("Logged in at {}: {name}", cleaned(&report.at))
    };
    let title = vec![Span::styled(words, theme.title_focused)];
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
    let column = width.saturating_sub(LABEL + GAP) / 2;
    let mut lines = alarm(report, scene);
    // What another program's login asked for is not known here.
    if !report.lines.is_empty() {
        lines.push(head(column, scene));
    }
    for compared in &report.lines {
        lines.extend(compare(compared, column, scene));
    }
    lines.push(Line::default());
    lines.extend(warnings(report.no_refresh.iter().chain(&report.remarks), width, scene));
    let keys = keys(width, scene);
    // Keys stand last and are never pushed out: the report above them gives way.
    let room = height.saturating_sub(1);
    let start = usize::from(lines.len() + 3 <= height);
    for (row, line) in lines.into_iter().take(room.saturating_sub(start)).enumerate() {
        put_row(buf, inside, start + row, line, theme);
    }
    put_row(buf, inside, room, Line::from(keys), theme);
}

/// The same for a client that was registered.
pub(super) fn registered(buf: &mut Buffer, area: Rect, registered: &Registered, scene: Scene<'_>) {
    let theme = scene.theme;
    let (at, client) = (cleaned(&registered.source.name), cleaned(&registered.client));
    let title = vec![Span::styled(format!("Registered at {at}: {client}"), theme.title_focused)];
    let inside = Panel { title, focused: true, ..Panel::default() }.over(buf, area, theme);
    let (width, height) = (usize::from(inside.width), usize::from(inside.height));
    let column = width.saturating_sub(LABEL + GAP) / 2;
    let mut lines = vec![head(column, scene)];
    lines.extend(registered.lines.iter().flat_map(|line| compare(line, column, scene)));
    lines.push(Line::default());
    lines.extend(warnings(registered.remarks.iter(), width, scene));
    let room = height.saturating_sub(1);
    let start = usize::from(lines.len() + 3 <= height);
    for (row, line) in lines.into_iter().take(room.saturating_sub(start)).enumerate() {
        put_row(buf, inside, start + row, line, theme);
    }
    let go_on = if registered.usable { "log in as it" } else { "to the board" };
    answers(buf, inside, &[(Action::Accept, go_on), (Action::Back, "not now")], scene);
}

fn head(column: usize, scene: Scene<'_>) -> Line<'static> {
    let theme = scene.theme;
    Line::from(vec![
        cell("", LABEL, theme.label, theme),
        cell("ASKED", column + GAP, theme.label, theme),
        Span::styled("GRANTED", theme.label),
    ])
}

fn warnings<'w>(all: impl Iterator<Item = &'w String>, width: usize, scene: Scene<'_>) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for warning in all {
        let mut mark = Span::styled("! ", scene.theme.ending);
        for text in wrap(&cleaned(warning), width.saturating_sub(2)) {
            lines.push(Line::from(vec![mark, Span::raw(text)]));
            mark = Span::raw("  ");
        }
    }
    lines
}

fn keys(width: usize, scene: Scene<'_>) -> Vec<Span<'_>> {
    let all = [
        (Action::NewMytoken, "again with other settings"),
        (Action::Copy, "copy an access token"),
        (Action::Back, "to the board"),
    ];
    let hints: Vec<Vec<Span<'_>>> = all
        .map(|(action, words)| scene.hint(action, words))
        .into_iter()
        .filter(|hint| !hint.is_empty())
        .collect();
    let wide: usize = hints.iter().map(|hint| width_of(hint)).sum();
    let gap = if wide + 4 * hints.len().saturating_sub(1) <= width { "    " } else { "  " };
    let mut spans = Vec::new();
    for hint in hints {
        if !spans.is_empty() {
            spans.push(Span::raw(gap));
        }
        spans.extend(hint);
    }
    spans
}

/// What allows more than was asked for is an alarm, with its end one key away.
fn alarm<'a>(report: &Report, scene: Scene<'a>) -> Vec<Line<'a>> {
    if !report.lines.iter().any(|line| line.relation == Relation::Wider) {
        return Vec::new();
    }
    let theme = scene.theme;
    let mut spans = vec![Span::styled(" WIDER THAN ASKED ", theme.alarm), Span::raw("  ")];
    spans.extend(scene.hint(Action::Revoke, "revoke it"));
    vec![Line::from(spans), Line::default()]
}

fn compare<'a>(compared: &Compared, column: usize, scene: Scene<'a>) -> Vec<Line<'a>> {
    let theme = scene.theme;
    let style = match compared.relation {
        Relation::Same => theme.text,
        Relation::Narrower | Relation::Other => theme.warning,
        Relation::Wider => theme.wrong,
    };
    let mark = match compared.relation {
        Relation::Same => " ",
        Relation::Narrower => "<",
        Relation::Wider => "!",
        Relation::Other => "~",
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
                Span::raw(" "),
                Span::styled(if row == 0 { mark } else { " " }, style),
                Span::raw(" "),
                cell(&right, column, right_style, theme),
            ])
        })
        .collect()
}

fn styled(text: &str, width: usize, style: Style) -> Vec<(String, Style)> {
    wrap(&cleaned(text), width).into_iter().map(|line| (line, style)).collect()
}
