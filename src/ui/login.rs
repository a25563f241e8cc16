//! How the login panel looks: every route of one login at once, its clock, what is asked for and what will be kept.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::field;
use super::parts::{Panel, columns, put_row, wrap};
use super::qr::{self, Qr};
use super::routes::{INDENT, Section, polled, sections, target};
use super::scene::{Scene, labelled};
use crate::app::action::Action;
use crate::app::login::Login;
use crate::domain::login::View;
use crate::domain::time::countdown;
use crate::domain::untrusted::cleaned;

const LABEL: usize = 12;

/// Draws the panel; where the cursor of its field stands, if letters go there.
pub(super) fn draw(buf: &mut Buffer, area: Rect, login: &Login, scene: Scene<'_>) -> Option<Position> {
    let theme = scene.theme;
    if let (true, Some(address)) = (login.qr_alone, login.view.as_deref().and_then(polled).map(target)) {
        qr::alone(buf, buf.area, address, scene);
        return None;
    }
    let title = vec![Span::styled(format!("Log in at {}", at(login, scene)), theme.title_focused)];
    let aside = match login.view.as_deref().and_then(|view| view.ends) {
        Some(end) if end > scene.now => {
            vec![Span::styled(countdown(scene.left(end)), theme.ending), Span::styled(" left", theme.dim)]
        }
        Some(_) => vec![Span::styled("its time is over", theme.wrong)],
        None => Vec::new(),
    };
    let waits = login.view.as_ref().is_some_and(|view| view.under_way.is_some());
    let end = if waits { "leaves the waiting, and that login as it is" } else { "cancels, nothing is lost" };
    let mut foot = scene.hint(Action::Back, end);
    if scene.state.seat.demo && !waits {
        let mut demo = scene.hint(Action::SignInDemo, "signs in, only in this demo");
        if !demo.is_empty() {
            demo.push(Span::raw("   "));
            demo.append(&mut foot);
            foot = demo;
        }
    }
    let inside = Panel { title, aside, foot, focused: true }.over(buf, area, theme);
    let Some(view) = &login.view else {
        let line = format!("Asking {} how to log in{}", at(login, scene), theme.signs.ellipsis);
        put_row(buf, inside, 1, Line::styled(line, theme.dim), theme);
        return None;
    };
    if let Some(by) = &view.under_way {
        waiting(buf, inside, by, scene);
        return None;
    }
    routes(buf, inside, login, view, scene)
}

/// Somebody else has the same login under way.
fn waiting(buf: &mut Buffer, area: Rect, by: &str, scene: Scene<'_>) {
    let theme = scene.theme;
    let width = usize::from(area.width);
    let said = [
        ("The same login is under way already:".to_owned(), theme.strong),
        (cleaned(by), theme.link),
        (String::new(), theme.dim),
        (
            "Finish it there: what comes of it is the answer here, too. If it comes to nothing, this one goes on by itself.".to_owned(),
            theme.dim,
        ),
    ];
    let lines = said.iter().flat_map(|(text, style)| {
        let lines = if text.is_empty() { vec![String::new()] } else { wrap(text, width) };
        lines.into_iter().map(|line| Line::styled(line, *style))
    });
    for (row, line) in lines.enumerate() {
        put_row(buf, area, row + 1, line, theme);
    }
}

fn at(login: &Login, scene: Scene<'_>) -> String {
    match &login.view {
        Some(view) if !view.at.is_empty() => cleaned(&view.at),
        Some(_) | None => scene.source_name(&login.order.source),
    }
}

/// All that is said of a login, broken to the width it has.
struct Page<'a> {
    width: usize,
    routes: Vec<Section<'a>>,
    /// What is asked for and what will be kept.
    order: Vec<Line<'a>>,
}

impl<'a> Page<'a> {
    fn of(login: &Login, view: &View, width: usize, qr_beside: bool, scene: Scene<'a>) -> Self {
        Self {
            width,
            routes: sections(login, view, width, qr_beside, scene),
            order: orders(view, width, scene),
        }
    }

    /// How many rows it takes, with so much air after each section.
    fn rows(&self, air: usize) -> usize {
        self.routes.iter().map(|section| section.lines.len() + air).sum::<usize>() + self.order.len()
    }
}

fn routes(buf: &mut Buffer, area: Rect, login: &Login, view: &View, scene: Scene<'_>) -> Option<Position> {
    let theme = scene.theme;
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    // The code is the first to give way: it has a screen of its own.
    let beside = polled(view)
        .and_then(|polled| Qr::of(target(polled)))
        .filter(|code| code.fits(width.saturating_sub(48), height, theme))
        .map(|code| (Page::of(login, view, width - code.size().0 - 2, true, scene), code))
        .filter(|(page, _)| page.rows(0) <= height);
    let (page, code) = match beside {
        Some((page, code)) => (page, Some(code)),
        None => (Page::of(login, view, width, false, scene), None),
    };
    // Air is given up before content is, the words at the top before air.
    let air = usize::from(page.rows(1) < height);
    let mut row = air;
    if page.rows(1) + 4 <= height {
        put_row(buf, area, row, intro(view, scene), theme);
        row += 2;
    }
    if let Some(code) = code {
        let (wide, high) = code.size();
        let top = row.min(height - high);
        code.draw(buf, area.right().saturating_sub(columns(wide)), area.y + columns(top), theme);
    }
    let area = Rect { width: columns(page.width), ..area };
    let mut cursor = None;
    for section in page.routes {
        if let Some(at) = section.field.map(|at| row + at).filter(|at| *at < height) {
            cursor = draw_field(buf, area, at, login, scene);
        }
        for (index, line) in section.lines.into_iter().enumerate() {
            if section.field != Some(index) {
                put_row(buf, area, row, line, theme);
            }
            row += 1;
        }
        row += air;
    }
    // The order is put at the bottom, where the eye looks for the small print.
    let start = row.max(height.saturating_sub(page.order.len() + air));
    for (index, line) in page.order.into_iter().enumerate() {
        put_row(buf, area, start + index, line, theme);
    }
    cursor
}

fn intro<'a>(view: &View, scene: Scene<'a>) -> Line<'a> {
    let routes = [polled(view).is_some(), view.browser.is_some(), view.paste].into_iter().filter(|on| *on);
    let words = if routes.count() > 1 {
        "Finish any one of these; the others are then dropped."
    } else {
        "Finish this, and the tokens come here."
    };
    Line::styled(words, scene.theme.dim)
}

fn draw_field(buf: &mut Buffer, area: Rect, row: usize, login: &Login, scene: Scene<'_>) -> Option<Position> {
    let place = Rect {
        x: area.x + columns(INDENT),
        y: area.y + columns(row),
        width: area.width.saturating_sub(columns(INDENT)).min(60),
        height: 1,
    };
    let cursor = field::draw(buf, place, &login.field, field::Shown::Masked, scene);
    cursor.filter(|_| login.typing)
}

/// What is asked for, as which client, and what happens then.
fn orders<'a>(view: &View, width: usize, scene: Scene<'a>) -> Vec<Line<'a>> {
    let theme = scene.theme;
    let mut lines = Vec::new();
    let asking: Vec<String> = view.asking.iter().map(|word| cleaned(word)).collect();
    // Scopes are words; what a mytoken is asked for is said in several each.
    let between = if asking.iter().any(|part| part.contains(' ')) { ", " } else { " " };
    let rows = [
        ("asking for", asking.join(between)),
        ("as client", cleaned(&view.client)),
        ("then", cleaned(&view.then)),
    ];
    for (label, text) in rows {
        for (row, line) in wrap(&text, width.saturating_sub(LABEL)).into_iter().take(3).enumerate() {
            let label = if row == 0 { label } else { "" };
            lines.push(labelled(label, LABEL, [Span::raw(line)], theme));
        }
    }
    lines
}
