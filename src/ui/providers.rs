//! How the Providers pane looks: a row a source, with how many credentials each.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::empty;
use super::parts::{Panel, put_row, two_sided};
use super::scene::Scene;
use crate::app::providers::Row;
use crate::app::state::Pane;
use crate::domain::source::{Source, SourceKind};
use crate::domain::untrusted::cleaned;

pub(super) fn draw(buf: &mut Buffer, area: Rect, scene: Scene<'_>) {
    let (state, theme) = (scene.state, scene.theme);
    let focused = scene.has_focus(Pane::Providers);
    let pane = &state.providers;
    let aside = match pane.filter.as_deref().filter(|filter| !filter.is_empty()) {
        Some(filter) => vec![Span::styled("with ", theme.dim), Span::raw(cleaned(filter))],
        None => Vec::new(),
    };
    let title = scene.pane_title(Pane::Providers, "Providers", None);
    let inside = Panel { title, aside, focused, ..Panel::default() }.draw(buf, area, theme);
    if pane.rows.is_empty() && pane.filter.is_some() {
        return empty::nothing_matches(buf, inside, scene);
    }
    let visible = pane.rows.iter().enumerate().skip(pane.offset).take(usize::from(inside.height));
    for (row, (index, entry)) in visible.enumerate() {
        // Only where keys go: elsewhere the Tokens pane says what is selected.
        let selected = focused && index == pane.selected;
        let cursor = if selected { theme.signs.cursor } else { " " };
        put_row(buf, inside, row, line(entry, cursor, usize::from(inside.width), scene), theme);
        if selected {
            scene.mark_row(buf, inside, row);
        }
    }
}

fn line<'a>(entry: &Row, cursor: &str, width: usize, scene: Scene<'_>) -> Line<'a> {
    let theme = scene.theme;
    let before = Span::raw(format!("{cursor} "));
    let Row::Source(index, _) = entry else {
        let words = if *entry == Row::More {
            format!("more{}", theme.signs.ellipsis)
        } else {
            "+ add a provider".to_owned()
        };
        return Line::from(vec![before, Span::styled(words, theme.dim)]);
    };
    let Some(source) = scene.state.wallet.sources.get(*index) else { return Line::default() };
    let name = Span::raw(cleaned(&source.name));
    let note = || Span::styled(note(source), theme.dim);
    if scene.state.is_first_run() {
        return two_sided(Line::from(vec![before, name]), Line::from(note()), width, width, theme);
    }
    let (count, style) = match scene.state.tokens.tally.under.get(&source.id).copied().unwrap_or(0) {
        0 => (theme.signs.none.to_owned(), theme.dim),
        many => (many.to_string(), theme.live),
    };
    // The note is given up before the name is cut.
    let mut left = vec![before, name];
    let wide: usize = super::parts::width_of(&left) + 1 + note().width();
    if wide + 2 + count.len() <= width {
        left.extend([Span::raw(" "), note()]);
    }
    two_sided(Line::from(left), Line::from(Span::styled(count, style)), width, 4, theme)
}

fn note(source: &Source) -> String {
    if !source.note.is_empty() {
        return cleaned(&source.note);
    }
    match source.kind {
        SourceKind::Issuer(_) | SourceKind::Server(_) => String::new(),
        SourceKind::Profile(_) => "by mytoken".to_owned(),
    }
}
