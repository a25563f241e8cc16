//! What the create form says: of the place at the cursor, of the whole in words, and as a command.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::app::create::tree::Tick;
use crate::app::create::{Create, Item, Start, Told, Turn};
use crate::domain::draft::{Part, Warning};
use crate::domain::mytoken::{Form, Weight};
use crate::domain::untrusted::cleaned;
use crate::ui::parts::{Panel, put_row, wrap};
use crate::ui::scene::{Scene, labelled};

/// The labels of words and command.
const LABEL: usize = 10;

/// What is to be said of the place at the cursor: what is wrong there, what to heed, or what it means.
pub(super) fn hint<'a>(form: &Create, scene: Scene<'a>) -> Line<'a> {
    let theme = scene.theme;
    let marked = |sign: &'static str, style: Style, text: String| {
        Line::from(vec![Span::styled(sign, style), Span::raw(" "), Span::styled(cleaned(&text), style)])
    };
    if let Some((_, why)) = form.faults.iter().find(|(place, _)| *place == form.at) {
        return marked(theme.signs.wrong, theme.wrong, why.clone());
    }
    if let Some(warning) = said_here(form) {
        return marked(theme.signs.wrong, theme.wrong, warning.text.clone());
    }
    Line::styled(cleaned(&explained(form, scene)), theme.dim)
}

/// What stops it at the cursor.
fn said_here(form: &Create) -> Option<&Warning> {
    let part = part(form.at);
    let has_fault = form.faults.iter().any(|(place, _)| *place == form.at);
    let mut stops = form.warnings.iter().filter(|warning| warning.stops && !has_fault);
    stops.find(|warning| Some(warning.part) == part)
}

const fn part(item: Item) -> Option<Part> {
    match item {
        Item::Start => Some(Part::Templates),
        Item::Provider => Some(Part::Provider),
        Item::Name => Some(Part::Name),
        Item::Answer => Some(Part::Form),
        Item::Capability(_) => Some(Part::Capabilities),
        Item::Clause(at) | Item::Member(at, _) => Some(Part::Clause(at)),
        Item::Turn(_) | Item::Lives => Some(Part::Rotation),
        Item::From => Some(Part::Parent),
        Item::Server | Item::Another => None,
    }
}

fn explained(form: &Create, scene: Scene<'_>) -> String {
    match form.at {
        Item::Start => match form.started() {
            Start::Template { content, .. } => format!("A profile of the server: {}", content.shown()),
            Start::Profile { .. } | Start::Blank => {
                if let Some(why) = form.offer().and_then(|offer| offer.unread.as_ref()) {
                    return format!("What to start from; the server's own profiles could not be read: {why}");
                }
                "What to start from; what you have changed yourself stays as it is".to_owned()
            }
        },
        Item::Server => match &form.told {
            Told::Nothing(why) => format!("It did not tell what it offers: {why}"),
            Told::Asking | Told::Offers(_) => "The mytoken server it is made at".to_owned(),
        },
        Item::From => {
            "By a login, or from a mytoken you hold: that needs no login, and may do no more than it"
                .to_owned()
        }
        Item::Provider => "The provider you log in at: its access tokens are what it gives".to_owned(),
        Item::Name => "What it is called, here and in the lists of its server".to_owned(),
        Item::Answer => answer(form.draft.form).to_owned(),
        Item::Capability(row) => form.tree.get(row).map(capability).unwrap_or_default(),
        Item::Clause(_) => "It may be used by any one clause whose members all hold".to_owned(),
        Item::Member(_, member) if !member.is_enforced(form.offer()) => {
            let server = form.server().map(|id| scene.source_name(id)).unwrap_or_default();
            format!("{server} does not enforce it: it would be dropped without a word")
        }
        Item::Member(_, member) => member.explained().to_owned(),
        Item::Another => "Another way to use it: any one clause is enough".to_owned(),
        Item::Turn(Turn::OnAccess) => {
            "Every access token makes a new copy of it; the one before is worthless then".to_owned()
        }
        Item::Turn(Turn::OnOther) => {
            "Every other use (history, subtokens) makes a new copy; the one before is worthless".to_owned()
        }
        Item::Turn(Turn::Revokes) => {
            "An old copy in use ends it and all made from it: a thief is noticed, a mix-up too".to_owned()
        }
        Item::Lives => {
            "How long a copy lives if it is not used: 10m, 36h, 7d; empty: as long as the mytoken".to_owned()
        }
    }
}

const fn answer(form: Form) -> &'static str {
    match form {
        Form::Token => "A JWT: long, and whoever holds it can read offline what it may do",
        Form::Short => "A short word: easy to type and to keep, but only its server can say what it may do",
        Form::Code => "Eight letters that are redeemed for it once and soon: for another machine",
    }
}

fn capability(twig: &crate::app::create::tree::Twig) -> String {
    let name = twig.name.0.shown();
    let words =
        twig.name.words().unwrap_or_else(|| "nobody here knows it: it is passed on as it is".to_owned());
    let reach = match twig.name.weight() {
        Weight::Light => "",
        Weight::Heavy => "; it reaches beyond this mytoken",
        Weight::Heaviest => "; it reaches all that you have there",
    };
    let implied = match &twig.tick {
        Tick::Implied(by) => format!("; {} covers it", by.0.shown()),
        Tick::Off | Tick::On | Tick::Reads => String::new(),
    };
    let twin = match (&twig.tick, twig.known) {
        (Tick::On, Some(known)) if known.has_reading_twin => "; once more: to read only",
        _ => "",
    };
    format!("{name}: {words}{reach}{implied}{twin}")
}

/// What it will be able to do, and what to heed: first what stops it, last what is only to be known.
pub(super) fn words(buf: &mut Buffer, area: Rect, form: &Create, framed: bool, scene: Scene<'_>) {
    let theme = scene.theme;
    if area.is_empty() {
        return;
    }
    let (inside, label) = if framed {
        let title = vec![Span::styled("in words", theme.text)];
        (Panel { title, ..Panel::default() }.draw(buf, area, theme), 0)
    } else {
        (area, LABEL)
    };
    let (width, height) = (usize::from(inside.width).saturating_sub(label), usize::from(inside.height));
    let marked = |text: &str, sign: &'static str, style: Style| -> Vec<Line<'_>> {
        let mut mark = Span::styled(format!("{sign} "), style);
        let lines = wrap(&cleaned(text), width.saturating_sub(2));
        lines
            .into_iter()
            .map(|text| {
                let mark = std::mem::replace(&mut mark, Span::raw("  "));
                Line::from(vec![mark, Span::raw(text)])
            })
            .collect()
    };
    // What is said whole at the cursor is not said twice.
    let is_whole = |text: &str| text.width() + 2 <= usize::from(area.width);
    let faults = form.faults.iter().filter(|(place, why)| *place != form.at || !is_whole(why));
    let faults = faults.map(|(_, why)| why);
    let here = said_here(form).map(|warning| &warning.text).filter(|text| is_whole(text));
    let stops = form.warnings.iter().filter(|warning| warning.stops).map(|warning| &warning.text);
    let stops = stops.filter(|text| Some(*text) != here);
    let mut lines: Vec<Line<'_>> =
        faults.chain(stops).flat_map(|text| marked(text, theme.signs.wrong, theme.wrong)).collect();
    let heed = form.warnings.iter().filter(|warning| !warning.stops);
    let heed: Vec<Line<'_>> = heed.flat_map(|warning| marked(&warning.text, "!", theme.ending)).collect();
    let words: Vec<String> = wrap(&cleaned(&form.words.join(" ")), width);
    // What to heed is short and matters; the words give way to it, but for their first line.
    let room = height.saturating_sub(lines.len());
    let for_words = words.len().min(room.saturating_sub(heed.len()).max(2).min(room));
    let cut = for_words < words.len();
    let shown = words.into_iter().take(for_words).enumerate().map(|(at, mut text)| {
        if cut && at + 1 == for_words {
            text.push(' ');
            text.push_str(theme.signs.ellipsis);
        }
        Line::raw(text)
    });
    lines.extend(shown);
    let left = height.saturating_sub(lines.len());
    let more = heed.len().saturating_sub(left);
    lines.extend(heed.into_iter().take(if more > 0 { left.saturating_sub(1) } else { left }));
    if more > 0 && left > 0 {
        let text = format!("{} more to heed: a larger window shows it", theme.signs.ellipsis);
        lines.push(Line::styled(text, theme.warning));
    }
    for (row, line) in lines.into_iter().take(height).enumerate() {
        let line = if label == 0 {
            line
        } else {
            labelled(
                if row == 0 { "in words" } else { "" },
                label,
                line.spans.into_iter().map(|span| {
                    let style = line.style.patch(span.style);
                    span.style(style)
                }),
                theme,
            )
        };
        put_row(buf, inside, row, line, theme);
    }
}

/// The command that makes the same.
pub(super) fn command(buf: &mut Buffer, area: Rect, form: &Create, scene: Scene<'_>) {
    let theme = scene.theme;
    let (width, height) = (usize::from(area.width).saturating_sub(LABEL), usize::from(area.height));
    if form.command.is_empty() {
        return;
    }
    let text = cleaned(&form.command);
    if height == 1 {
        put_row(buf, area, 0, labelled("equal to", LABEL, [Span::raw(text)], theme), theme);
        return;
    }
    let lines = wrap(&text, width);
    let cut = lines.len() > height;
    for (row, mut text) in lines.into_iter().take(height).enumerate() {
        if cut && row + 1 == height {
            text.push_str(theme.signs.ellipsis);
        }
        let label = if row == 0 { "equal to" } else { "" };
        put_row(buf, area, row, labelled(label, LABEL, [Span::raw(text)], theme), theme);
    }
}
