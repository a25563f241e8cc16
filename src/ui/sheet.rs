//! A few labelled lines to fill in, and under them what they come to.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::parts::{Panel, cell, columns, put_row, wrap};
use super::scene::Scene;
use super::{field, foretold};
use crate::app::price;
use crate::app::sheet::{Asks, Entry, Input, Sheet};
use crate::domain::credential::{CredentialId, Held};
use crate::domain::untrusted::cleaned;

const LABEL: usize = 15;
const FIELD: usize = 34;

/// Draws a sheet; where the cursor stands.
pub(super) fn draw(buf: &mut Buffer, area: Rect, sheet: &Sheet, scene: Scene<'_>) -> Option<Position> {
    let theme = scene.theme;
    let title = vec![Span::styled(title(sheet, scene), theme.title_focused)];
    let inside = Panel { title, focused: true, ..Panel::default() }.over(buf, area, theme);
    let (width, height) = (usize::from(inside.width), usize::from(inside.height));
    let columns = Columns::of(sheet, width);
    let below = below(sheet, width, scene);
    // Air is given up before a line or its answer is.
    let air = usize::from(height >= sheet.open() + below.len() + 2);
    // On a small screen the selected line is always there.
    let most = height.max(1);
    let first = (sheet.selected + 1).saturating_sub(most);
    let mut cursor = None;
    let mut row = air;
    for (index, entry) in sheet.entries.iter().enumerate().take(sheet.open()).skip(first) {
        if row >= height {
            break;
        }
        let selected = index == sheet.selected;
        let at = line(buf, inside, row, entry, selected, columns, scene);
        cursor = cursor.or(at.filter(|_| selected));
        row += 1;
    }
    if !columns.beside
        && let Some(entry) = sheet.entries.get(sheet.selected)
    {
        let hint = cell("", columns.label + 2, theme.dim, theme);
        put_row(buf, inside, row, Line::from(vec![hint, Span::styled(entry.hint, theme.dim)]), theme);
        row += 1;
    }
    row += usize::from(height > row + 1);
    for text in below {
        put_row(buf, inside, row, text, theme);
        row += 1;
    }
    cursor
}

fn title(sheet: &Sheet, scene: Scene<'_>) -> String {
    let name =
        |id: &CredentialId| scene.state.held(id).map_or_else(|| "it".to_owned(), |held| cleaned(&held.name));
    match &sheet.asks {
        Asks::Outlast(id) => format!("Will {} outlast a job?", name(id)),
        Asks::Elsewhere(id) => format!("Would {} work there?", name(id)),
        Asks::DrawWith(id) => format!("Draw an access token from {}", name(id)),
        Asks::HandOver(id) => format!("Hand {} over by a code", name(id)),
        Asks::Redeem(_) => "Redeem a transfer code".to_owned(),
    }
}

/// How wide the parts of a line are.
#[derive(Clone, Copy)]
struct Columns {
    label: usize,
    field: usize,
    /// Every hint fits beside its line; else the selected one stands under them.
    beside: bool,
}

impl Columns {
    fn of(sheet: &Sheet, width: usize) -> Self {
        let label = if width >= 50 { LABEL } else { LABEL.min(width / 2) };
        let field = if width >= label + FIELD { FIELD.max((width - label) / 2 - 4) } else { width - label };
        let room = width.saturating_sub(label + field + 2);
        let beside = sheet.entries.iter().all(|entry| entry.hint.width() <= room);
        Self { label, field, beside }
    }
}

/// One line; where a cursor would stand in it.
fn line(
    buf: &mut Buffer,
    inside: Rect,
    row: usize,
    entry: &Entry,
    selected: bool,
    Columns { label, field: wide, beside }: Columns,
    scene: Scene<'_>,
) -> Option<Position> {
    let theme = scene.theme;
    let style = if selected { theme.title_focused } else { theme.label };
    let mut spans = vec![cell(entry.label, label, style, theme)];
    let place =
        Rect { x: inside.x + columns(label), y: inside.y + columns(row), width: columns(wide), height: 1 };
    let hint = if beside { entry.hint } else { "" };
    spans.push(Span::raw(" ".repeat(wide + 2)));
    spans.push(Span::styled(hint, theme.dim));
    put_row(buf, inside, row, Line::from(spans), theme);
    match &entry.input {
        Input::Text(field) => field::draw(buf, place, field, field::Shown::Plain, scene),
        Input::Hidden(field) => field::draw(buf, place, field, field::Shown::Masked, scene),
        Input::Choice(choices, at) => {
            let chosen = choices.get(*at).map(|text| cleaned(text)).unwrap_or_default();
            let many =
                if choices.len() > 1 { format!("  {} of {}", at + 1, choices.len()) } else { String::new() };
            let sign = if selected { theme.signs.cursor } else { " " };
            let chosen_style = if selected { theme.strong } else { theme.text };
            let text = Line::from(vec![
                Span::styled(format!("{sign} "), theme.key),
                Span::styled(chosen, chosen_style),
                Span::styled(many, theme.dim),
            ]);
            put_row(buf, place, 0, text, theme);
            None
        }
    }
}

/// What stands under the lines.
fn below<'a>(sheet: &Sheet, width: usize, scene: Scene<'a>) -> Vec<Line<'a>> {
    let theme = scene.theme;
    let held = |id: &CredentialId| scene.state.held(id);
    let said = |text: &str| -> Vec<Line<'a>> {
        wrap(text, width).into_iter().map(|text| Line::styled(text, theme.dim)).collect()
    };
    let costs = |price: Option<String>| price.map(|price| Line::styled(price, theme.warning));
    match &sheet.asks {
        Asks::Outlast(id) => {
            held(id).map(|held| foretold::job(sheet, held, width, scene)).unwrap_or_default()
        }
        Asks::Elsewhere(id) => {
            held(id).map(|held| foretold::place(sheet, held, width, scene)).unwrap_or_default()
        }
        Asks::DrawWith(id) => {
            let mut lines = said(
                "It is kept beside the others under the same name, and renewed with the same scopes and audience.",
            );
            lines.extend(costs(held(id).and_then(|held| price::of_access_token(held, scene.state))));
            lines
        }
        Asks::HandOver(id) => held(id).map(|held| hand_over(sheet, held, width, scene)).unwrap_or_default(),
        Asks::Redeem(_) => said(
            "A code is redeemed once. What comes is kept before anything of it is shown; a code that fails here \
             may be used up.",
        ),
    }
}

fn hand_over<'a>(sheet: &Sheet, held: &Held, width: usize, scene: Scene<'a>) -> Vec<Line<'a>> {
    let theme = scene.theme;
    let itself = sheet.entries.len() == 1 || sheet.choice("what") == 1;
    let text = if itself {
        price::of_itself(held)
    } else {
        "The other side gets a mytoken of its own, with this name, that can be revoked by itself. The code for \
         it waits for some minutes and works once."
            .to_owned()
    };
    let style = if itself { theme.warning } else { theme.dim };
    let mut lines: Vec<Line<'a>> =
        wrap(&text, width).into_iter().map(|text| Line::styled(text, style)).collect();
    if let Some(price) = price::of_subtoken(held, scene.state).filter(|_| !itself) {
        lines.push(Line::styled(price, theme.warning));
    }
    lines
}
