//! Revoke or forget: what ends, what grew from it, what lives on, and a Cancel that is already chosen.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::field;
use super::parts::{Panel, cell, columns, put_row, two_sided, wrap};
use super::scene::Scene;
use super::tree::branches;
use crate::app::action::Action;
use crate::app::revoke::Revoke;
use crate::domain::family::Member;
use crate::domain::time::ago;
use crate::domain::untrusted::{Untrusted, cleaned};

/// Draws the dialogue; where the cursor stands, if a name is typed.
pub(super) fn draw(buf: &mut Buffer, area: Rect, revoke: &Revoke, scene: Scene<'_>) -> Option<Position> {
    let theme = scene.theme;
    let name = cleaned(&revoke.name);
    let question = match (revoke.revocable, revoke.confirm.is_some()) {
        (true, true) => format!("Revoke {name} and what grew from it?"),
        (true, false) => format!("Revoke {name}?"),
        (false, _) => format!("Forget {name}?"),
    };
    let title = vec![Span::styled(question, theme.title_focused)];
    let keeps = if revoke.count() > 1 { "keeps them" } else { "keeps it" };
    let foot = if revoke.confirm.is_none() { scene.hint(Action::Back, keeps) } else { Vec::new() };
    let inside = Panel { title, foot, focused: true, ..Panel::default() }.over(buf, area, theme);
    let (width, height) = (usize::from(inside.width), usize::from(inside.height));
    // The answers stand at the bottom whatever the list above them is.
    let forget = usize::from(revoke.revocable && scene.key(Action::ConfirmForget).is_some());
    let room = height.saturating_sub(2 + forget.max(usize::from(revoke.confirm.is_some())));
    let lines = fitted(revoke, width, room, scene);
    let air = usize::from(lines.len() < room);
    for (row, line) in lines.into_iter().take(room.saturating_sub(air)).enumerate() {
        put_row(buf, inside, row + air, line, theme);
    }
    if let Some(field) = &revoke.confirm {
        return confirm(buf, inside, revoke, field, scene);
    }
    if forget == 1 {
        let mut forget = vec![Span::styled("only forget it here instead: ", theme.dim)];
        forget.extend(scene.key(Action::ConfirmForget).map(|key| Span::styled(key, theme.key)));
        put_row(buf, inside, height.saturating_sub(2), Line::from(forget), theme);
    }
    put_row(buf, inside, height.saturating_sub(1), answers(revoke, width, scene), theme);
    None
}

/// All that is said; what grew from it gives way first, and says how many it leaves out.
fn fitted<'a>(revoke: &Revoke, width: usize, room: usize, scene: Scene<'a>) -> Vec<Line<'a>> {
    let theme = scene.theme;
    let says = match (revoke.revocable, revoke.confirm.is_some()) {
        (true, false) => "This ends, at once and for good:",
        (true, true) => "All of this ends, at once and for good:",
        (false, _) => "There is nobody to revoke it at. It is only forgotten here:",
    };
    let mut before = vec![Line::from(says), Line::default()];
    if revoke.confirm.is_none() {
        for text in &revoke.ends {
            before.extend(strong(text, width, scene));
        }
    }
    let mut after = Vec::new();
    if !revoke.lives_on.is_empty() && revoke.confirm.is_none() {
        after.push(Line::default());
        for text in &revoke.lives_on {
            after.extend(wrap(&cleaned(text), width).into_iter().map(|text| Line::styled(text, theme.dim)));
        }
    }
    let mut tree = Vec::new();
    if revoke.grown() > 0 {
        if revoke.confirm.is_none() {
            tree.extend([
                Line::default(),
                Line::raw(if revoke.count() > 1 {
                    "These grew from them, and end with them only if you say so:"
                } else {
                    "This grew from it, and ends with it only if you say so:"
                }),
            ]);
        }
        let left = room.saturating_sub(before.len() + after.len() + tree.len() + 1).max(1);
        tree.extend(grown(revoke, left, scene));
    } else if revoke.asking.is_some() {
        tree.extend([
            Line::default(),
            Line::styled(format!("asking what grew from it{}", theme.signs.ellipsis), theme.dim),
        ]);
    }
    before.extend(tree);
    before.extend(after);
    if before.len() > room {
        let rest = before.len() - room.saturating_sub(1);
        before.truncate(room.saturating_sub(1));
        before.push(Line::styled(
            format!("{} {rest} more lines: enlarge the window", theme.signs.ellipsis),
            theme.warning,
        ));
    }
    before
}

fn strong<'a>(text: &str, width: usize, scene: Scene<'a>) -> Vec<Line<'a>> {
    let style = scene.theme.strong;
    let texts = wrap(&cleaned(text), width.saturating_sub(2));
    texts.into_iter().map(|text| Line::from(vec![Span::raw("  "), Span::styled(text, style)])).collect()
}

/// It and what grew from it, in at most so many lines.
fn grown<'a>(revoke: &Revoke, most: usize, scene: Scene<'a>) -> Vec<Line<'a>> {
    let theme = scene.theme;
    let depth_of = |at: usize| revoke.tree.get(at).map(|member| member.depth);
    // Each tree of the dialogue begins with what is revoked.
    let base = 0;
    let shown = if revoke.tree.len() > most { most.saturating_sub(1) } else { revoke.tree.len() };
    let widest = revoke
        .tree
        .iter()
        .take(shown)
        .map(|member| name_of(member).width() + 2 * (member.depth - base).min(8));
    let wide = widest.max().unwrap_or(0).clamp(8, 32);
    let mut lines: Vec<Line<'a>> = revoke
        .tree
        .iter()
        .enumerate()
        .take(shown)
        .map(|(place, member)| {
            let tree = branches(place, base, depth_of, &theme.signs);
            let room = wide.saturating_sub(tree.width());
            Line::from(vec![
                Span::raw("  "),
                Span::styled(tree, theme.dim),
                cell(&name_of(member), room, theme.strong, theme),
                Span::raw("  "),
                Span::styled(about(member, scene), theme.dim),
            ])
        })
        .collect();
    let rest = revoke.tree.len() - shown;
    if rest > 0 {
        lines.push(Line::styled(format!("  and {rest} more"), theme.warning));
    }
    lines
}

fn name_of(member: &Member) -> String {
    let named = member.listed.name.as_ref().map(Untrusted::shown);
    let held = member.held.as_ref().map(|(_, name)| cleaned(name));
    held.or(named).unwrap_or_else(|| "(no name)".to_owned())
}

/// When it was used last, else when it was made; and whether it is held here.
fn about(member: &Member, scene: Scene<'_>) -> String {
    let from = |address: &Option<Untrusted>| {
        address.as_ref().map(|address| format!(" from {}", address.shown())).unwrap_or_default()
    };
    let when = |at| ago(scene.now.duration_since(at));
    let told = match (&member.last_used, member.listed.created) {
        (Some(Some(last)), _) => format!("used {}{}", when(last.at), from(&last.address)),
        (Some(None), _) => "never used".to_owned(),
        (None, Some(made)) => format!("made {}{}", when(made), from(&member.listed.address)),
        (None, None) => String::new(),
    };
    if member.held.is_some() { format!("{told}  held here") } else { told }
}

/// The field for the name that confirms.
fn confirm(
    buf: &mut Buffer,
    inside: Rect,
    revoke: &Revoke,
    typed: &crate::app::field::Field,
    scene: Scene<'_>,
) -> Option<Position> {
    let theme = scene.theme;
    let height = usize::from(inside.height);
    let word = cleaned(&revoke.word());
    let ask = Line::from(vec![
        Span::raw("Type "),
        Span::styled(word, theme.strong),
        Span::raw(" to revoke all "),
        Span::styled(revoke.tree.len().to_string(), theme.dead),
        Span::raw(" of them:"),
    ]);
    put_row(buf, inside, height.saturating_sub(2), ask, theme);
    let place = Rect { y: inside.y + columns(height.saturating_sub(1)), height: 1, ..inside };
    let narrow = Rect { width: place.width.min(40), ..place };
    let cursor = field::draw(buf, narrow, typed, field::Shown::Plain, scene);
    let key = scene.key(Action::ConfirmTree);
    let says = match key {
        Some(key) => Line::from(vec![
            Span::styled(key, theme.key),
            Span::raw(" "),
            Span::styled(format!("revoke {}", revoke.tree.len()), theme.dead),
        ]),
        None => Line::from(scene.hint(Action::Back, "back")),
    };
    let rest = Rect {
        x: narrow.right().saturating_add(2),
        width: place.width.saturating_sub(narrow.width + 2),
        ..place
    };
    put_row(buf, rest, 0, says, theme);
    cursor
}

fn answers<'a>(revoke: &Revoke, width: usize, scene: Scene<'a>) -> Line<'a> {
    let theme = scene.theme;
    let mut right = vec![Span::styled(" Cancel ", theme.button)];
    let count = revoke.count();
    let mut say = |action, words: String| {
        if let Some(key) = scene.key(action) {
            right.extend([
                Span::raw("    "),
                Span::styled(key, theme.key),
                Span::raw(" "),
                Span::styled(words, theme.dead),
            ]);
        }
    };
    if revoke.revocable {
        say(Action::ConfirmRevoke, if count > 1 { format!("revoke {count}") } else { "revoke".to_owned() });
        let grown = revoke.grown();
        let subtokens = if grown == 1 { "subtoken" } else { "subtokens" };
        let whose = if count > 1 { "their" } else { "its" };
        say(Action::RevokeTree, format!("with {whose} {grown} {subtokens}"));
    } else {
        say(Action::ConfirmForget, "forget here".to_owned());
    }
    two_sided(Line::default(), Line::from(right), width, 0, theme)
}
