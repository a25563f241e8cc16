//! What empty panes say: what belongs there, and the key that brings it there.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::parts::{cell, empty_note};
use super::scene::Scene;
use crate::app::action::Action;
use crate::domain::untrusted::cleaned;
use crate::domain::vault::Access;

/// The Tokens pane of a newcomer (look/first-run).
pub(super) fn tokens(buf: &mut Buffer, area: Rect, scene: Scene<'_>) {
    let theme = scene.theme;
    let selected = scene.state.selected_source().map(|source| cleaned(&source.name));
    let log_in = |words: &str| match &selected {
        Some(name) => format!("{words} at {name}"),
        None => format!("{words} at a provider"),
    };
    let offers = [
        (Action::Open, log_in("log in")),
        (Action::LogIn, log_in("log in")),
        (Action::LookUp, "look at a token you have".to_owned()),
        (Action::NewMytoken, "make a mytoken".to_owned()),
        (Action::AddProvider, "add a provider".to_owned()),
        (Action::Help, "see all that works now".to_owned()),
    ];
    let kept = match scene.state.wallet.vault.access {
        _ if scene.state.seat.demo => "",
        Access::NoStore | Access::Open { .. } | Access::Locked => " They are kept sealed here.",
        Access::MemoryOnly(_) => " They stay in memory only.",
    };
    let title = vec![Span::styled("No tokens yet.", theme.strong), Span::styled(kept, theme.dim)];
    let mut lines = vec![Line::from(title), Line::default()];
    for (action, words) in offers {
        if let Some(key) = scene.key(action) {
            lines.push(Line::from(vec![cell(&key, 7, theme.key, theme), Span::raw(words)]));
        }
    }
    if !scene.state.seat.demo {
        lines.push(Line::default());
        lines.push(Line::from(vec![
            Span::styled("toktui demo", theme.strong),
            Span::styled("  walks you around, no account", theme.dim),
        ]));
    }
    empty_note(buf, area, lines, theme);
}

/// A filter that leaves nothing.
pub(super) fn nothing_matches(buf: &mut Buffer, area: Rect, scene: Scene<'_>) {
    let mut line = vec![Span::styled("Nothing matches.", scene.theme.strong), Span::raw("  ")];
    line.extend(scene.hint(Action::Back, "show all"));
    empty_note(buf, area, vec![Line::from(line)], scene.theme);
}

/// Pane 3 with nothing selected.
pub(super) fn lookup(buf: &mut Buffer, area: Rect, scene: Scene<'_>) {
    let width = usize::from(area.width);
    let says = "Paste a token here to see whether it is valid, until when, and if not, why.";
    let mut lines: Vec<Line<'_>> =
        super::parts::wrap(says, width).into_iter().map(|text| Line::styled(text, scene.theme.dim)).collect();
    let hint = scene.hint(Action::LookUp, "look at a token");
    if !hint.is_empty() {
        lines.push(Line::default());
        lines.push(Line::from(hint));
    }
    empty_note(buf, area, lines, scene.theme);
}

/// Pane 4 before anything has happened, or with a history that was not read yet.
pub(super) fn history(buf: &mut Buffer, area: Rect, scene: Scene<'_>) {
    let mut lines = vec![Line::styled("What happens is written here.", scene.theme.dim)];
    let hint = scene.hint(Action::ReadHistory, "read it at its server");
    if !hint.is_empty() {
        lines.push(Line::default());
        lines.push(Line::from(hint));
    }
    empty_note(buf, area, lines, scene.theme);
}
