//! The small questions: what to look up, what to call it, whom to ask, whether to quit; and failures that need room.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::field::{self, Shown};
use super::parts::{Panel, columns, put_row, two_sided, width_of, wrap};
use super::scene::Scene;
use crate::app::action::Action;
use crate::app::field::Field;
use crate::app::login::{WhichClient, WhichProvider};
use crate::app::overlay::Loss;
use crate::domain::failure::Failure;
use crate::domain::source::{Registering, Source, SourceKind};
use crate::domain::specimen::Specimen;
use crate::domain::untrusted::{Untrusted, cleaned};
use crate::domain::vault::Access;

/// A window with a title, and its inside.
pub(super) fn window(buf: &mut Buffer, area: Rect, title: String, scene: Scene<'_>) -> Rect {
    let title = vec![Span::styled(title, scene.theme.title_focused)];
    Panel { title, focused: true, ..Panel::default() }.over(buf, area, scene.theme)
}

/// So much of a row's name stays where its note stands beside it, in columns.
const LEAST: usize = 16;

/// Paragraphs from the top, with air before and between them where there is room; the row after them.
pub(super) fn say(buf: &mut Buffer, inside: Rect, paragraphs: &[(String, bool)], scene: Scene<'_>) -> usize {
    let (theme, width) = (scene.theme, usize::from(inside.width));
    let blocks: Vec<Vec<Line<'_>>> = paragraphs
        .iter()
        .map(|(text, dim)| {
            let style = if *dim { theme.dim } else { theme.text };
            wrap(text, width).into_iter().map(|text| Line::styled(text, style)).collect()
        })
        .collect();
    let lines: usize = blocks.iter().map(Vec::len).sum();
    let air = usize::from(lines + blocks.len() + 2 <= usize::from(inside.height));
    let mut row = 0;
    for block in blocks {
        row += air;
        for line in block {
            put_row(buf, inside, row, line, theme);
            row += 1;
        }
    }
    row
}

/// A field under what has been said, before the last line.
pub(super) fn typed(
    buf: &mut Buffer,
    inside: Rect,
    row: usize,
    text: &Field,
    shown: Shown,
    scene: Scene<'_>,
) -> Option<Position> {
    let row = columns(row).min(inside.height.saturating_sub(1));
    let place = Rect { y: inside.y + row, height: inside.height.min(1), ..inside };
    field::draw(buf, place, text, shown, scene)
}

/// The answers at the foot of a window: the first is what Enter does.
pub(super) fn answers(buf: &mut Buffer, inside: Rect, answers: &[(Action, &'static str)], scene: Scene<'_>) {
    let (row, width) = (usize::from(inside.height).saturating_sub(1), usize::from(inside.width));
    let hints: Vec<Vec<Span<'_>>> = answers
        .iter()
        .map(|(action, words)| scene.hint(*action, words))
        .filter(|hint| !hint.is_empty())
        .collect();
    let wide: usize = hints.iter().map(|hint| width_of(hint)).sum();
    let gaps = hints.len().saturating_sub(1);
    let gap = if wide + 4 * gaps + 2 <= width { "    " } else { "  " };
    let mut spans = Vec::new();
    for hint in hints {
        if !spans.is_empty() {
            spans.push(Span::raw(gap));
        }
        spans.extend(hint);
    }
    let line = two_sided(Line::default(), Line::from(spans), width, 0, scene.theme);
    put_row(buf, inside, row, line, scene.theme);
}

/// The field for a pasted token: what is typed there is never seen.
pub(super) fn paste(buf: &mut Buffer, area: Rect, text: &Field, scene: Scene<'_>) -> Option<Position> {
    let inside = window(buf, area, "Look at a token".to_owned(), scene);
    let says = "Paste a mytoken, a transfer code, or an access, ID or refresh token. It is not kept, and no server \
                that you do not know is asked.";
    let row = say(buf, inside, &[(says.to_owned(), true)], scene);
    answers(buf, inside, &[(Action::Accept, "look it up"), (Action::Back, "back")], scene);
    typed(buf, inside, row + 1, text, Shown::Masked, scene)
}

/// The name for a pasted token.
pub(super) fn keep_as(
    buf: &mut Buffer,
    area: Rect,
    _specimen: &Specimen,
    text: &Field,
    scene: Scene<'_>,
) -> Option<Position> {
    let inside = window(buf, area, "Keep it under a name".to_owned(), scene);
    let says = match scene.state.wallet.vault.access {
        Access::Open { .. } => "It is written to disk, sealed.",
        Access::MemoryOnly(_) | Access::NoStore | Access::Locked => {
            "It is kept in memory only: gone when toktui ends."
        }
    };
    let row = say(buf, inside, &[(says.to_owned(), true)], scene);
    answers(buf, inside, &[(Action::Accept, "keep"), (Action::Back, "back")], scene);
    typed(buf, inside, row + 1, text, Shown::Plain, scene)
}

/// The issuer of a provider to add.
pub(super) fn add_provider(buf: &mut Buffer, area: Rect, text: &Field, scene: Scene<'_>) -> Option<Position> {
    let inside = window(buf, area, "Add a provider".to_owned(), scene);
    let says = "Its issuer: the address that stands as iss in its tokens.";
    let row = say(buf, inside, &[(says.to_owned(), true)], scene);
    answers(buf, inside, &[(Action::Accept, "add"), (Action::Back, "back")], scene);
    typed(buf, inside, row + 1, text, Shown::Plain, scene)
}

/// May this server be asked about the pasted token?
pub(super) fn may_ask(buf: &mut Buffer, area: Rect, server: &str, scene: Scene<'_>) {
    let inside = window(buf, area, "May this server see the token?".to_owned(), scene);
    let plain = |address: &str| address.trim_end_matches('/').to_owned();
    let is_listed = scene.state.wallet.sources.iter().any(|source| match &source.kind {
        SourceKind::Server(known) => plain(&known.address) == plain(server),
        SourceKind::Issuer(_) | SourceKind::Profile(_) => false,
    });
    let finding = scene.state.lookup.pasted.as_ref().and_then(|pasted| pasted.finding.as_ref());
    let why = match finding.and_then(|finding| finding.verdict.remarks.first()).filter(|_| is_listed) {
        // A server that is known is asked about only for a reason of the token's own.
        Some(remark) => format!("Before it is asked: {}.", cleaned(remark)),
        None => "Only the token itself names this server. To ask it means to send it the token: whoever runs it can \
                 then use it."
            .to_owned(),
    };
    let paragraphs = [(Untrusted::from(server).shown(), false), (why, true)];
    say(buf, inside, &paragraphs, scene);
    answers(buf, inside, &[(Action::Back, "do not ask"), (Action::AskServer, "ask it")], scene);
}

/// Quitting would lose these.
pub(super) fn quit_loses(buf: &mut Buffer, area: Rect, loss: &Loss, scene: Scene<'_>) {
    let title = if loss.unsaved.is_empty() {
        "Quit and lose what is in memory only?"
    } else {
        "Quit and lose what could not be written?"
    };
    let inside = window(buf, area, title.to_owned(), scene);
    let mut row = 0;
    if !loss.unsaved.is_empty() {
        let why = loss.why.as_deref().map(|why| format!(" ({})", cleaned(why))).unwrap_or_default();
        let says = format!("These belong on disk and could not be written{why}:");
        row = listed(buf, inside, row, &says, &loss.unsaved, scene);
    }
    if !loss.memory.is_empty() {
        listed(buf, inside, row, "These are kept nowhere else:", &loss.memory, scene);
    }
    let all = [
        (Action::Back, "stay"),
        (Action::SaveAgain, "try again"),
        (Action::CopyUnsaved, "copy"),
        (Action::QuitPrinting, "print and quit"),
        (Action::MakeStore, "keep on disk"),
        (Action::QuitAnyway, "quit anyway"),
    ];
    answers(buf, inside, &all, scene);
}

/// A sentence and names under it, from `row` on; the row after them.
fn listed(
    buf: &mut Buffer,
    inside: Rect,
    row: usize,
    says: &str,
    names: &[String],
    scene: Scene<'_>,
) -> usize {
    let theme = scene.theme;
    let below = Rect {
        y: inside.y + columns(row).min(inside.height),
        height: inside.height.saturating_sub(columns(row)),
        ..inside
    };
    let first = say(buf, below, &[(says.to_owned(), true)], scene);
    let height = usize::from(below.height);
    let first = first + usize::from(height > first + names.len() + 2);
    let room = height.saturating_sub(first + 2);
    let shown = if names.len() > room { room.saturating_sub(1) } else { names.len() };
    for (index, name) in names.iter().take(shown).enumerate() {
        let line = Line::from(vec![Span::raw("  "), Span::styled(cleaned(name), theme.strong)]);
        put_row(buf, below, first + index, line, theme);
    }
    if shown < names.len() && room > 0 {
        let more = format!("  and {} more", names.len() - shown);
        put_row(buf, below, first + shown, Line::styled(more, theme.dim), theme);
    }
    row + first + shown + usize::from(shown < names.len())
}

/// What was being done, the deciding fact, what to do now.
pub(super) fn failed(buf: &mut Buffer, area: Rect, failure: &Failure, scene: Scene<'_>) {
    let theme = scene.theme;
    let title = format!("{} {} did not work", theme.signs.wrong, cleaned(&failure.doing));
    let inside = window(buf, area, title, scene);
    let mut paragraphs = vec![(cleaned(&failure.why), false)];
    paragraphs.extend(failure.hint.as_ref().map(|hint| (cleaned(hint), true)));
    say(buf, inside, &paragraphs, scene);
    answers(buf, inside, &[(Action::Back, "to the board")], scene);
}

/// Which of the providers that a mytoken server offers.
pub(super) fn which_provider(buf: &mut Buffer, area: Rect, which: &WhichProvider, scene: Scene<'_>) {
    let at = scene.source_name(&which.order.source);
    let inside = window(buf, area, format!("Log in at {at} with"), scene);
    let rows = which.choices.iter().map(|choice| {
        let name = if choice.name.is_empty() { cleaned(&choice.issuer) } else { choice.name.shown() };
        (name, cleaned(&choice.issuer))
    });
    choose(buf, inside, 0, rows.collect(), which.selected, scene);
    answers(buf, inside, &[(Action::Accept, "log in"), (Action::Back, "back")], scene);
}

/// Which client to be, where the source names none.
pub(super) fn which_client(
    buf: &mut Buffer,
    area: Rect,
    which: &WhichClient,
    scene: Scene<'_>,
) -> Option<Position> {
    let at = scene.source_name(&which.order.source);
    let inside = window(buf, area, format!("As which client at {at}?"), scene);
    let mut says = "A provider gives tokens to clients it knows. Type the id of yours".to_owned();
    says.push_str(match (which.registers, which.public.is_empty()) {
        (false, true) => ".",
        (false, false) => ", or be a public one of another program.",
        (true, true) => ", or ask it for one.",
        (true, false) => ", ask it for one, or be a public one of another program.",
    });
    let mut paragraphs = vec![(says, true)];
    let register = scene.state.source(&which.order.source).and_then(|source| source.register_url.as_ref());
    paragraphs.extend(register.map(|url| (format!("Clients are registered at {}", cleaned(url)), true)));
    let invited = scene.state.source(&which.order.source).and_then(Source::issuer);
    if invited.is_some_and(|issuer| issuer.registering == Registering::WithToken) {
        let command = format!("toktui provider register {}", which.order.source.as_str());
        let text = format!("With an initial access token of its administrators: {}", cleaned(&command));
        paragraphs.push((text, true));
    }
    let row = say(buf, inside, &paragraphs, scene) + 1;
    let cursor = typed(buf, inside, row, &which.field, Shown::Plain, scene);
    let own = which.registers.then(|| {
        let note = format!("by the name {}", cleaned(&scene.state.seat.client_name()));
        ("register one now".to_owned(), note)
    });
    let public = which.public.iter().map(|client| (cleaned(&client.id), cleaned(&client.note)));
    let rows: Vec<(String, String)> = own.into_iter().chain(public).collect();
    let selected = which.selected.checked_sub(1);
    let note = selected.and_then(|at| rows.get(at)).and_then(|row| unshown(row, inside, scene));
    let above = Rect {
        height: inside.height.saturating_sub(u16::try_from(note.as_ref().map_or(0, Vec::len)).unwrap_or(0)),
        ..inside
    };
    choose(buf, above, row + 2, rows, selected.unwrap_or(usize::MAX), scene);
    let first = usize::from(above.height).saturating_sub(2);
    for (row, line) in note.into_iter().flatten().enumerate() {
        put_row(buf, inside, first + row, line, scene.theme);
    }
    answers(buf, inside, &[(Action::Accept, "go on"), (Action::Back, "back")], scene);
    cursor.filter(|_| selected.is_none())
}

/// The note of a row that is too long to stand beside its name, as lines of its own: what a choice means is read before it is made.
fn unshown<'a>((name, note): &(String, String), inside: Rect, scene: Scene<'a>) -> Option<Vec<Line<'a>>> {
    let width = usize::from(inside.width);
    let line = |text: String| Line::styled(text, scene.theme.warning);
    let fits = beside(name, note, width);
    (!fits).then(|| wrap(note, width).into_iter().map(line).collect())
}

/// Whether a note stands beside the name of its row.
fn beside(name: &str, note: &str, width: usize) -> bool {
    name.width().min(LEAST) + 2 + note.width() <= width
}

/// Rows of which one is selected, from `first` down to the answers.
pub(super) fn choose(
    buf: &mut Buffer,
    inside: Rect,
    first: usize,
    rows: Vec<(String, String)>,
    selected: usize,
    scene: Scene<'_>,
) {
    let theme = scene.theme;
    let width = usize::from(inside.width);
    let room = usize::from(inside.height).saturating_sub(first + 2);
    let skip = if selected < rows.len() { (selected + 1).saturating_sub(room) } else { 0 };
    for (row, (index, (name, note))) in rows.into_iter().enumerate().skip(skip).take(room).enumerate() {
        let left = Line::from(Span::raw(name));
        let right = Line::styled(note, theme.dim);
        put_row(buf, inside, first + row, two_sided(left, right, width, LEAST, theme), theme);
        if index == selected {
            scene.mark_row(buf, inside, first + row);
        }
    }
}
