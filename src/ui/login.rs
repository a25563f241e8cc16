//! How the login panel looks: every route of one login at once, its clock, what is asked for and what will be kept.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::field;
use super::parts::{Panel, columns, put_row, width_of, wrap};
use super::qr::{self, Qr};
use super::scene::{Scene, labelled};
use crate::app::action::Action;
use crate::app::login::{Login, Opened};
use crate::domain::login::{Polled, View};
use crate::domain::time::countdown;
use crate::domain::untrusted::{Untrusted, cleaned};

/// How far a route's lines stand in.
const INDENT: usize = 2;
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
    let mut foot = scene.hint(Action::Back, "cancels, nothing is lost");
    if scene.state.seat.demo {
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
    routes(buf, inside, login, view, scene)
}

fn at(login: &Login, scene: Scene<'_>) -> String {
    match &login.view {
        Some(view) if !view.at.is_empty() => cleaned(&view.at),
        Some(_) | None => scene.source_name(&login.order.source),
    }
}

fn polled(view: &View) -> Option<&Polled> {
    view.device.as_ref().or(view.consent.as_ref())
}

/// What a phone would open: the page with the code in it, if there is one.
fn target(polled: &Polled) -> &Untrusted {
    polled.complete.as_ref().unwrap_or(&polled.address)
}

/// One block of lines: a route, or what stands above and below the routes.
struct Section<'a> {
    lines: Vec<Line<'a>>,
    /// The row in it on which the paste field stands.
    field: Option<usize>,
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

/// The routes, each under its number.
fn sections<'a>(
    login: &Login,
    view: &View,
    width: usize,
    qr_beside: bool,
    scene: Scene<'a>,
) -> Vec<Section<'a>> {
    let mut sections = Vec::new();
    let mut number = 0_usize;
    let mut head = |words: &'static str, more: Vec<Span<'a>>| {
        number += 1;
        let mut spans = vec![
            Span::styled(number.to_string(), scene.theme.key),
            Span::raw(" "),
            Span::styled(words, scene.theme.strong),
        ];
        spans.extend(more);
        Line::from(spans)
    };
    if let Some(device) = &view.device {
        let mut lines = vec![head("On another device", Vec::new())];
        lines.extend(device_lines(device, width, qr_beside, scene));
        sections.push(Section { lines, field: None });
    }
    if let Some(consent) = &view.consent {
        let mut lines = vec![head("On the server's consent page", Vec::new())];
        lines.extend(device_lines(consent, width, qr_beside, scene));
        if view.browser.is_none() {
            lines.push(indented(opened(login, scene)));
        }
        sections.push(Section { lines, field: None });
    }
    if let Some(browser) = &view.browser {
        let mut spans = opened(login, scene);
        if let Some((host, port)) = &browser.listening {
            spans.push(Span::styled(format!("; listening on {}:{port}", cleaned(host)), scene.theme.dim));
        }
        let mut hint = open_hint(login, scene);
        if INDENT + width_of(&spans) + 2 + width_of(&hint) <= width && !hint.is_empty() {
            spans.push(Span::raw("  "));
            spans.append(&mut hint);
        }
        let lines = vec![head("In this machine's browser", Vec::new()), indented(spans)];
        sections.push(Section { lines, field: None });
        if let Some(line) = login.ssh_line(&scene.state.seat) {
            let lines = vec![head("From your laptop, through SSH", Vec::new()), ssh(&line, scene)];
            sections.push(Section { lines, field: None });
        }
    }
    if view.paste {
        let mut more = match &view.paste_refused {
            Some(why) => vec![Span::styled(cleaned(why), scene.theme.wrong)],
            None => vec![Span::styled("a paste lands here from anywhere", scene.theme.dim)],
        };
        let words = "Paste the address the browser ended on";
        let apart = INDENT + words.width() + 3 + width_of(&more) > width;
        let mut lines = Vec::new();
        if apart {
            lines.push(head(words, Vec::new()));
            lines.push(indented(more));
        } else {
            more.insert(0, Span::raw("   "));
            lines.push(head(words, more));
        }
        lines.push(Line::default());
        let field = Some(lines.len() - 1);
        sections.push(Section { lines, field });
    }
    let mut remarks = Vec::new();
    for remark in &view.remarks {
        let texts = wrap(&cleaned(remark), width);
        remarks.extend(texts.into_iter().map(|line| Line::styled(line, scene.theme.warning)));
    }
    if !remarks.is_empty() {
        sections.push(Section { lines: remarks, field: None });
    }
    sections
}

fn indented(spans: Vec<Span<'_>>) -> Line<'_> {
    let mut line = Line::from(Span::raw(" ".repeat(INDENT)));
    line.spans.extend(spans);
    line
}

fn device_lines<'a>(polled: &Polled, width: usize, qr_beside: bool, scene: Scene<'a>) -> Vec<Line<'a>> {
    let theme = scene.theme;
    let mut lines = Vec::new();
    // An address that is cut cannot be typed: it is broken over lines instead.
    let address = if polled.code.is_some() { &polled.address } else { target(polled) };
    for text in wrap(&address.shown(), width.saturating_sub(INDENT)).into_iter().take(3) {
        lines.push(indented(vec![Span::styled(text, theme.link)]));
    }
    let mut hint = if qr_beside { Vec::new() } else { scene.hint(Action::ShowQr, "shows a QR code") };
    if let Some(code) = &polled.code {
        let spaced = spaced(&code.shown_within(24));
        let mut spans =
            vec![Span::styled("code  ", theme.label), Span::styled(format!(" {spaced} "), theme.code)];
        if !hint.is_empty() {
            spans.push(Span::raw("   "));
            spans.append(&mut hint);
        }
        lines.push(indented(spans));
    } else if !hint.is_empty() {
        lines.push(indented(hint));
    }
    lines.push(indented(polling(polled, scene)));
    lines
}

/// A code with air between its characters: `W D J B - M J H T`.
fn spaced(code: &str) -> String {
    use unicode_segmentation::UnicodeSegmentation;
    code.graphemes(true).collect::<Vec<_>>().join(" ")
}

fn polling<'a>(polled: &Polled, scene: Scene<'a>) -> Vec<Span<'a>> {
    let theme = scene.theme;
    if polled.ends <= scene.now {
        return vec![Span::styled("this code has ended", theme.wrong)];
    }
    if let Some(trouble) = &polled.trouble {
        return vec![Span::styled(cleaned(trouble), theme.warning)];
    }
    let times = if polled.asked == 1 { "once".to_owned() } else { format!("{} times", polled.asked) };
    let text = match polled.next {
        _ if polled.asked == 0 => "waiting for you there".to_owned(),
        Some(next) if next > scene.now => {
            format!("waiting; asked {times}, next in {} s", scene.left(next).as_secs().max(1))
        }
        Some(_) | None => format!("waiting; asked {times}, asking now"),
    };
    vec![Span::styled(text, theme.dim)]
}

/// The key that opens the browser although that is not done unasked here.
fn open_hint<'a>(login: &Login, scene: Scene<'a>) -> Vec<Span<'a>> {
    match login.opened {
        Opened::NotAsked | Opened::Failed(_) => scene.hint(Action::OpenBrowser, "open it"),
        Opened::Opening | Opened::With(_) => Vec::new(),
    }
}

fn opened<'a>(login: &Login, scene: Scene<'a>) -> Vec<Span<'a>> {
    let theme = scene.theme;
    match &login.opened {
        Opened::Opening => vec![Span::styled("being opened", theme.dim)],
        Opened::With(what) => vec![
            Span::styled("opened", theme.live),
            Span::styled(format!(" with {}", cleaned(what)), theme.dim),
        ],
        Opened::Failed(why) => {
            vec![
                Span::styled("not opened", theme.warning),
                Span::styled(format!(": {}", cleaned(why)), theme.dim),
            ]
        }
        Opened::NotAsked => {
            let why =
                scene.state.seat.no_browser.as_deref().map_or_else(
                    || "not opened yet".to_owned(),
                    |why| format!("not opened: {}", cleaned(why)),
                );
            vec![Span::styled(why, theme.dim)]
        }
    }
}

fn ssh<'a>(line: &str, scene: Scene<'a>) -> Line<'a> {
    indented(vec![Span::raw(cleaned(line)), Span::styled("   then open it there", scene.theme.dim)])
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
    let rows = [
        ("asking for", asking.join(" ")),
        ("as client", cleaned(&view.client)),
        ("then", cleaned(&view.then)),
    ];
    for (label, text) in rows {
        for (row, line) in wrap(&text, width.saturating_sub(LABEL)).into_iter().take(2).enumerate() {
            let label = if row == 0 { label } else { "" };
            lines.push(labelled(label, LABEL, [Span::raw(line)], theme));
        }
    }
    lines
}
