//! The routes of a login, line by line: where to go, what to type there, what has become of it.

use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::parts::{width_of, wrap};
use super::scene::Scene;
use crate::app::action::Action;
use crate::app::login::{Login, Opened};
use crate::domain::login::{Browser, Polled, View};
use crate::domain::untrusted::{Untrusted, cleaned};

/// How far a route's lines stand in.
pub(super) const INDENT: usize = 2;

pub(super) fn polled(view: &View) -> Option<&Polled> {
    view.device.as_ref().or(view.consent.as_ref())
}

/// What a phone would open: the page with the code in it, if there is one.
pub(super) fn target(polled: &Polled) -> &Untrusted {
    polled.complete.as_ref().unwrap_or(&polled.address)
}

/// What to do after the `ssh -L` line.
const THEN: &str = "   then open it there";

/// One block of lines: a route with its heading, or remarks.
pub(super) struct Section<'a> {
    pub(super) lines: Vec<Line<'a>>,
    /// The row in it on which the paste field stands.
    pub(super) field: Option<usize>,
}

/// A route before it has its number.
struct Route<'a> {
    words: &'static str,
    /// Dim words behind the heading.
    aside: Vec<Span<'a>>,
    lines: Vec<Line<'a>>,
    /// Whether the paste field stands on its last row.
    field: bool,
}

impl<'a> Route<'a> {
    fn new(words: &'static str, lines: Vec<Line<'a>>) -> Self {
        Self { words, aside: Vec::new(), lines, field: false }
    }

    fn numbered(self, number: usize, scene: Scene<'a>) -> Section<'a> {
        let theme = scene.theme;
        let mut head = vec![
            Span::styled(number.to_string(), theme.key),
            Span::raw(" "),
            Span::styled(self.words, theme.strong),
        ];
        head.extend(self.aside);
        let field = self.field.then_some(self.lines.len());
        let lines = std::iter::once(Line::from(head)).chain(self.lines).collect();
        Section { lines, field }
    }
}

/// The routes, each under its number, then what else must be known.
pub(super) fn sections<'a>(
    login: &Login,
    view: &View,
    width: usize,
    qr_beside: bool,
    scene: Scene<'a>,
) -> Vec<Section<'a>> {
    let routes = [
        view.device
            .as_ref()
            .map(|device| Route::new("On another device", elsewhere(device, width, qr_beside, scene))),
        view.consent.as_ref().map(|consent| {
            let mut lines = elsewhere(consent, width, qr_beside, scene);
            if view.browser.is_none() {
                lines.push(indented(opened(login, scene)));
            }
            Route::new("On the server's consent page", lines)
        }),
        view.browser.as_ref().map(|browser| {
            let mut lines = here(login, browser, width, scene);
            lines.extend(way_back(width, scene));
            Route::new("In this machine's browser", lines)
        }),
        login.ssh_line(&scene.state.seat).map(|line| through_ssh(&line, width, scene)),
        view.paste.then(|| paste(view, width, scene)),
    ];
    let numbered = routes.into_iter().flatten().enumerate();
    let mut sections: Vec<Section<'a>> = numbered.map(|(at, route)| route.numbered(at + 1, scene)).collect();
    let remarks = view.remarks.iter().flat_map(|remark| wrap(&cleaned(remark), width));
    let remarks: Vec<Line<'a>> = remarks.map(|line| Line::styled(line, scene.theme.warning)).collect();
    if !remarks.is_empty() {
        sections.push(Section { lines: remarks, field: None });
    }
    sections
}

/// The browser here: what has become of it, and where we listen for its way back.
fn here<'a>(login: &Login, browser: &Browser, width: usize, scene: Scene<'a>) -> Vec<Line<'a>> {
    let dim = scene.theme.dim;
    let mut spans = opened(login, scene);
    let listening = match &browser.listening {
        Some((host, port)) => format!("listening on {}:{port}", cleaned(host)),
        None => "nobody listens here: paste where it ends".to_owned(),
    };
    let mut lines = Vec::new();
    if INDENT + width_of(&spans) + 2 + listening.width() <= width {
        spans.push(Span::styled(format!("; {listening}"), dim));
    } else {
        lines.push(indented(vec![Span::styled(listening, dim)]));
    }
    let hint = match login.opened {
        Opened::NotAsked | Opened::Failed(_) => scene.hint(Action::OpenBrowser, "open it"),
        Opened::Opening | Opened::With(_) => Vec::new(),
    };
    if !hint.is_empty() && INDENT + width_of(&spans) + 2 + width_of(&hint) <= width {
        spans.push(Span::raw("  "));
        spans.extend(hint);
    }
    lines.push(indented(spans));
    lines
}

/// Why a browser elsewhere may not come back by itself.
fn way_back(width: usize, scene: Scene<'_>) -> Vec<Line<'_>> {
    let words = scene.state.seat.way_back.unwrap_or_default();
    let lines = if words.is_empty() { Vec::new() } else { wrap(words, width.saturating_sub(INDENT)) };
    lines.into_iter().map(|line| indented(vec![Span::styled(line, scene.theme.dim)])).collect()
}

/// The line for the user's own machine. It is never cut: what does not fit goes on below.
fn through_ssh<'a>(line: &str, width: usize, scene: Scene<'a>) -> Route<'a> {
    let (line, dim) = (cleaned(line), scene.theme.dim);
    let room = width.saturating_sub(INDENT);
    let mut lines: Vec<Line<'a>> =
        wrap(&line, room).into_iter().map(|line| indented(vec![Span::raw(line)])).collect();
    if let ([only], true) = (lines.as_mut_slice(), line.width() + THEN.width() <= room) {
        only.push_span(Span::styled(THEN, dim));
    }
    let mut route = Route::new("From your laptop, through SSH", lines);
    if let Some(reached) = &scene.state.seat.reached {
        let aside = vec![Span::raw("   "), Span::styled(reached.unsure(), dim)];
        if INDENT + route.words.width() + width_of(&aside) <= width {
            route.aside = aside;
        } else {
            route.lines.push(indented(vec![Span::styled(reached.unsure(), dim)]));
        }
    }
    route
}

/// The field for the address that the browser ended on, with what the last paste was refused for.
fn paste<'a>(view: &View, width: usize, scene: Scene<'a>) -> Route<'a> {
    let words = "Paste the address the browser ended on";
    let more = match &view.paste_refused {
        Some(why) => Span::styled(cleaned(why), scene.theme.wrong),
        None => Span::styled("a paste lands here from anywhere", scene.theme.dim),
    };
    let fits = INDENT + words.width() + 3 + more.width() <= width;
    let (aside, mut lines) = if fits {
        (vec![Span::raw("   "), more], Vec::new())
    } else {
        (Vec::new(), vec![indented(vec![more])])
    };
    lines.push(Line::default());
    Route { words, aside, lines, field: true }
}

fn indented(spans: Vec<Span<'_>>) -> Line<'_> {
    let mut line = Line::from(Span::raw(" ".repeat(INDENT)));
    line.spans.extend(spans);
    line
}

/// A page to open anywhere: its address, the code to type there, and how the asking goes.
fn elsewhere<'a>(polled: &Polled, width: usize, qr_beside: bool, scene: Scene<'a>) -> Vec<Line<'a>> {
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
