//! Everything held under a name, or everything a token says, line by line and masked.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::lookup::more_below;
use super::parts::{Panel, cell, put_row};
use super::scene::Scene;
use crate::app::content::{self, NAMES};
use crate::app::lookup;
use crate::app::overlay::List;
use crate::domain::credential::CredentialId;
use crate::domain::event::Event;
use crate::domain::family::Member;
use crate::domain::time::{ago, countdown};
use crate::domain::untrusted::cleaned;
use crate::domain::userinfo::Userinfo;

/// A credential, with every access token it holds.
pub(super) fn held(buf: &mut Buffer, area: Rect, id: &CredentialId, list: &List, scene: Scene<'_>) {
    let Some(held) = scene.state.held(id) else { return };
    page(buf, area, "Details", list, scene, |width| content::of_held(held, &scene.state.wallet.vault, width));
}

/// A listed mytoken, with its history as far as that was read.
pub(super) fn member(buf: &mut Buffer, area: Rect, member: &Member, list: &List, scene: Scene<'_>) {
    page(buf, area, "Details, as its server lists it", list, scene, |width| {
        content::of_member(scene.state, member, width)
    });
}

/// One event.
pub(super) fn event(buf: &mut Buffer, area: Rect, event: &Event, list: &List, scene: Scene<'_>) {
    page(buf, area, "Event", list, scene, |width| content::of_event(event, width));
}

/// What a provider says of the user.
pub(super) fn userinfo(buf: &mut Buffer, area: Rect, told: &Userinfo, list: &List, scene: Scene<'_>) {
    page(buf, area, "Userinfo", list, scene, |width| content::of_userinfo(told, width));
}

/// The content of the token on show.
pub(super) fn content(buf: &mut Buffer, area: Rect, list: &List, scene: Scene<'_>) {
    let Some(jwt) = lookup::content(scene.state) else { return };
    page(buf, area, "What it says, read here and not verified", list, scene, |width| {
        content::of_jwt(jwt, width)
    });
}

fn page(
    buf: &mut Buffer,
    area: Rect,
    title: &str,
    list: &List,
    scene: Scene<'_>,
    lines: impl FnOnce(usize) -> Vec<content::Line>,
) {
    let theme = scene.theme;
    let title = vec![Span::styled(title.to_owned(), theme.title_focused)];
    let inside = Panel { title, focused: true, ..Panel::default() }.over(buf, area, theme);
    let (width, height) = (usize::from(inside.width), usize::from(inside.height));
    let lines = lines(width);
    let offset = list.offset.min(lines.len().saturating_sub(height));
    for (row, line) in lines.iter().skip(offset).take(height).enumerate() {
        put_row(buf, inside, row, shown(line, scene), theme);
    }
    more_below(buf, area, lines.len().saturating_sub(offset + height), scene);
}

fn shown<'a>(line: &content::Line, scene: Scene<'_>) -> Line<'a> {
    let theme = scene.theme;
    match line {
        content::Line::Blank => Line::default(),
        content::Line::Head(text) => Line::styled(cleaned(text), theme.title_focused),
        content::Line::Pair(name, value) => Line::from(vec![
            cell(name, NAMES - 2, theme.label, theme),
            Span::raw("  "),
            Span::raw(value.clone()),
        ]),
        content::Line::Moment(name, at) => {
            let away = if *at > scene.now {
                format!("in {}", countdown(scene.left(*at)))
            } else {
                ago(scene.now.duration_since(*at))
            };
            Line::from(vec![
                cell(name, NAMES - 2, theme.label, theme),
                Span::raw("  "),
                Span::raw(scene.exact(*at)),
                Span::styled(format!("   {away}"), theme.dim),
            ])
        }
    }
}
