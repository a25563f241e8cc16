//! Revoke or forget: what ends, what lives on, and a Cancel that is already chosen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::parts::{Panel, put_row, two_sided, wrap};
use super::scene::Scene;
use crate::app::action::Action;
use crate::app::overlay::Revoke;
use crate::domain::untrusted::cleaned;

pub(super) fn draw(buf: &mut Buffer, area: Rect, revoke: &Revoke, scene: Scene<'_>) {
    let theme = scene.theme;
    let name = cleaned(&revoke.name);
    let question = if revoke.revocable { format!("Revoke {name}?") } else { format!("Forget {name}?") };
    let title = vec![Span::styled(question, theme.title_focused)];
    let foot = scene.hint(Action::Back, "keeps it");
    let inside = Panel { title, foot, focused: true, ..Panel::default() }.over(buf, area, theme);
    let (width, height) = (usize::from(inside.width), usize::from(inside.height));
    let says = if revoke.revocable {
        "This ends, at once and for good:"
    } else {
        "There is nobody to revoke it at. It is only forgotten here:"
    };
    let mut lines = vec![Line::from(says), Line::default()];
    for text in &revoke.ends {
        let texts = wrap(&cleaned(text), width.saturating_sub(2));
        lines.extend(
            texts.into_iter().map(|text| Line::from(vec![Span::raw("  "), Span::styled(text, theme.strong)])),
        );
    }
    if !revoke.lives_on.is_empty() {
        lines.push(Line::default());
        for text in &revoke.lives_on {
            let texts = wrap(&cleaned(text), width);
            lines.extend(texts.into_iter().map(|text| Line::styled(text, theme.dim)));
        }
    }
    // The answers stand at the bottom whatever the list above them is.
    let forget = usize::from(revoke.revocable);
    let room = height.saturating_sub(2 + forget);
    let air = usize::from(lines.len() < room);
    for (row, line) in lines.into_iter().take(room.saturating_sub(air)).enumerate() {
        put_row(buf, inside, row + air, line, theme);
    }
    if revoke.revocable {
        let mut forget = vec![Span::styled("only forget it here instead: ", theme.dim)];
        forget.extend(scene.key(Action::ConfirmForget).map(|key| Span::styled(key, theme.key)));
        put_row(buf, inside, height.saturating_sub(2), Line::from(forget), theme);
    }
    put_row(buf, inside, height.saturating_sub(1), answers(revoke, width, scene), theme);
}

fn answers<'a>(revoke: &Revoke, width: usize, scene: Scene<'a>) -> Line<'a> {
    let theme = scene.theme;
    let mut right = vec![Span::styled(" Cancel ", theme.button), Span::raw("    ")];
    let (action, words) = if revoke.revocable {
        (Action::ConfirmRevoke, "revoke")
    } else {
        (Action::ConfirmForget, "forget here")
    };
    if let Some(key) = scene.key(action) {
        right.extend([Span::styled(key, theme.key), Span::raw(" "), Span::styled(words, theme.dead)]);
    }
    two_sided(Line::default(), Line::from(right), width, 0, theme)
}
