//! How the create form looks: its fields in one column or two, what is said of the one at the cursor, the same in words and as a
//! command.

mod pieces;
mod said;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::field::Shown;
use super::lookup::more_below;
use super::parts::{Panel, columns, put_on_edge, put_row, two_sided};
use super::questions::{answers, say, typed, window};
use super::scene::Scene;
use crate::app::action::{Action, CreateAction};
use crate::app::create::order::{Piece, WITH_WORDS};
use crate::app::create::{Create, Over, Picking, Told};
use crate::app::field::Field;
use crate::domain::untrusted::cleaned;

/// Below so many columns the frame has no room for whole sentences.
const SHORT: u16 = 64;

/// Draws the form; where the cursor of the field stands in which letters are typed.
pub(super) fn draw(buf: &mut Buffer, area: Rect, form: &Create, scene: Scene<'_>) -> Option<Position> {
    if let Over::Scopes(picking) = &form.over {
        scopes(buf, area, form, picking, scene);
        return None;
    }
    let theme = scene.theme;
    let title = vec![Span::styled("New mytoken", theme.title_focused)];
    let inside =
        Panel { title, aside: aside(form, scene), foot: foot(form, area.width, scene), focused: true }
            .over(buf, area, theme);
    let (width, height) = (usize::from(inside.width), usize::from(inside.height));
    let shares = form.shares(width, height);
    let top = Rect { y: inside.y + columns(shares.top), height: columns(shares.fields), ..inside };
    let cursor = fields(buf, top.intersection(inside), form, scene);
    let below = form.rows(width).len().saturating_sub(form.offset + shares.fields);
    let mut row = shares.top + shares.fields + shares.air;
    if shares.hint > 0 {
        put_row(buf, inside, row, said::hint(form, scene), theme);
        row += shares.hint;
    }
    let words = Rect { y: inside.y + columns(row), height: columns(shares.words), ..inside };
    said::words(buf, words.intersection(inside), form, shares.framed, scene);
    row += shares.words;
    let command = Rect { y: inside.y + columns(row), height: columns(shares.command), ..inside };
    said::command(buf, command.intersection(inside), form, scene);
    if below > 0 && area.height > 2 {
        let more = if area.width < SHORT { format!(" +{below} ") } else { format!(" {below} more below ") };
        let more = Line::from(Span::styled(more, theme.dim));
        put_on_edge(buf, area.x + 2, area.bottom() - 1, &more);
    }
    if let Over::ProfileName(name) = &form.over {
        return profile_name(buf, area, name, scene);
    }
    cursor
}

fn aside<'a>(form: &Create, scene: Scene<'a>) -> Vec<Span<'a>> {
    let theme = scene.theme;
    let Some(server) = form.server() else { return Vec::new() };
    let mut spans =
        vec![Span::styled("at ", theme.dim), Span::styled(scene.source_name(server), theme.strong)];
    match &form.told {
        Told::Asking => spans.push(Span::styled(format!(" {} asking it", theme.signs.dot), theme.dim)),
        Told::Nothing(_) => {
            spans.push(Span::styled(format!(" {} it did not answer", theme.signs.dot), theme.warning));
        }
        Told::Offers(_) => {}
    }
    spans
}

fn foot<'a>(form: &Create, width: u16, scene: Scene<'a>) -> Vec<Span<'a>> {
    let is_short = width < SHORT || form.parent.is_some();
    let words = if is_short { "create" } else { "log in and create" };
    let mut spans = scene.hint(Action::Accept, words);
    if !spans.is_empty() {
        spans.push(Span::raw("   "));
    }
    let kept = if width < SHORT { "draft" } else { "keep as draft" };
    spans.extend(scene.hint(Action::Back, if form.is_changed() { kept } else { "back" }));
    spans
}

/// The rows that are on screen.
fn fields(buf: &mut Buffer, area: Rect, form: &Create, scene: Scene<'_>) -> Option<Position> {
    let width = usize::from(area.width);
    // Words of capabilities want room; without them the restrictions get it.
    let left = if width >= WITH_WORDS { width / 2 - 2 } else { 31.min(width) };
    let mut cursor = None;
    let rows = form.rows(width);
    for (at, row) in rows.iter().skip(form.offset).take(usize::from(area.height)).enumerate() {
        let line = Rect { y: area.y + columns(at), height: 1, ..area };
        let halves = if row.whole {
            [(row.left, line), (None, line)]
        } else {
            let gap = columns(left + 2);
            let right = Rect { x: line.x + gap, width: line.width.saturating_sub(gap), ..line };
            [(row.left, Rect { width: columns(left), ..line }), (row.right, right)]
        };
        for (piece, place) in halves {
            let drawn = match piece {
                Some(Piece::Head(text)) => {
                    put_row(buf, place, 0, Line::styled(text, scene.theme.title_focused), scene.theme);
                    None
                }
                Some(Piece::Item(item)) => pieces::draw(buf, place, item, form, scene),
                None => None,
            };
            cursor = cursor.or(drawn);
        }
    }
    cursor
}

/// The provider's scopes, to choose from.
fn scopes(buf: &mut Buffer, area: Rect, form: &Create, picking: &Picking, scene: Scene<'_>) {
    let theme = scene.theme;
    let provider = scene.issuer_name(&form.draft.provider.as_str().into());
    let title = vec![Span::styled(format!("Scopes of {provider}"), theme.title_focused)];
    let mut foot = scene.hint(Action::Create(CreateAction::Switch), "takes or leaves");
    foot.push(Span::raw("   "));
    foot.extend(scene.hint(Action::Accept, "done"));
    let inside = Panel { title, foot, focused: true, ..Panel::default() }.over(buf, area, theme);
    let chosen = picking.scopes.iter().filter(|(_, chosen)| *chosen).count();
    let says = match chosen {
        0 => "None is ticked: its access tokens may have all of them.".to_owned(),
        _ => format!("{chosen} of {}; its access tokens get no others.", picking.scopes.len()),
    };
    put_row(buf, inside, 0, Line::styled(says, theme.dim), theme);
    let height = usize::from(inside.height).saturating_sub(2);
    for (row, (scope, chosen)) in picking.scopes.iter().skip(picking.offset).take(height).enumerate() {
        let line = Line::from(vec![
            pieces::tick(*chosen, scene),
            Span::raw(" "),
            Span::styled(scope.shown(), if *chosen { theme.strong } else { theme.text }),
        ]);
        put_row(buf, inside, row + 2, line, theme);
        if picking.offset + row == picking.selected {
            scene.mark_row(buf, inside, row + 2);
        }
    }
    more_below(buf, area, picking.scopes.len().saturating_sub(picking.offset + height), scene);
}

/// The name to save a profile under.
fn profile_name(buf: &mut Buffer, area: Rect, name: &Field, scene: Scene<'_>) -> Option<Position> {
    let (width, height) = (area.width.min(64), area.height.min(8));
    let place =
        Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    let inside = window(buf, place, "Save as a profile".to_owned(), scene);
    let says = "Its name: the form and toktui mytoken create --profile offer it then.";
    let row = say(buf, inside, &[(says.to_owned(), true)], scene);
    answers(buf, inside, &[(Action::Accept, "save"), (Action::Back, "back")], scene);
    typed(buf, inside, row + 1, name, Shown::Plain, scene)
}

/// Something with a dim word at its end, for a row of so many columns.
fn aside_of<'a>(left: Line<'a>, right: &str, width: usize, scene: Scene<'a>) -> Line<'a> {
    two_sided(left, Line::from(Span::styled(cleaned(right), scene.theme.dim)), width, 8, scene.theme)
}
