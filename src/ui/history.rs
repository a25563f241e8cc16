//! How the History pane looks: when, what, from where, by which program; what is new is said in a word.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::parts::{Panel, cell, put_row, two_sided};
use super::scene::Scene;
use super::{empty, lookup, moments};
use crate::app::history::on_show;
use crate::app::state::Pane;
use crate::domain::credential::CredentialId;
use crate::domain::event::{Event, Teller};
use crate::domain::time::ago;
use crate::domain::untrusted::{Untrusted, cleaned};

const TIME: usize = 7;
const LABEL: usize = 19;
const ADDRESS: usize = 15;

pub(super) fn draw(buf: &mut Buffer, area: Rect, scene: Scene<'_>) {
    let theme = scene.theme;
    let pane = &scene.state.history;
    let focused = scene.has_focus(Pane::History);
    let shown = on_show(scene.state);
    let title = scene.pane_title(Pane::History, "History", shown.name);
    let told = match shown.read {
        Some(read) => format!("from the server, {}", ago(scene.now.duration_since(read))),
        None if shown.events.is_empty() => String::new(),
        None => "this session".to_owned(),
    };
    let aside = if told.is_empty() { Vec::new() } else { vec![Span::styled(told, theme.dim)] };
    let inside = Panel { title, aside, focused, ..Panel::default() }.draw(buf, area, theme);
    if shown.events.is_empty() {
        return if pane.filter.as_deref().is_some_and(|filter| !filter.is_empty()) {
            empty::nothing_matches(buf, inside, scene);
        } else {
            empty::history(buf, inside, scene);
        };
    }
    let (width, height) = (usize::from(inside.width), usize::from(inside.height));
    let visible = shown.events.iter().enumerate().skip(pane.offset).take(height);
    for (row, (index, event)) in visible.enumerate() {
        put_row(buf, inside, row, line(event, shown.name.is_none(), width, scene), theme);
        if focused && index == pane.selected {
            scene.mark_row(buf, inside, row, focused);
        }
    }
    let below = shown.events.len().saturating_sub(pane.offset + height);
    lookup::more_below(buf, area, below, scene);
}

/// One event. `of_many`: those of several credentials stand together, so each says whose it is.
fn line<'a>(event: &Event, of_many: bool, width: usize, scene: Scene<'a>) -> Line<'a> {
    let theme = scene.theme;
    let text = |text: &Option<Untrusted>| text.as_ref().map(Untrusted::shown).unwrap_or_default();
    let time = moments::brief(event.at, scene.now, &scene.zone());
    let time = cell(&time, TIME, theme.dim, theme);
    let marked = if event.new_address { theme.warning } else { theme.dim };
    let room = width.saturating_sub(TIME);
    let label = event.what.label();
    let whose = event
        .credential
        .as_ref()
        .filter(|_| of_many)
        .and_then(|id| scene.state.held(&CredentialId(id.clone())).map(|held| cleaned(&held.name)));
    // Where from: the address its server saw; here: whose it was, or what is to be said about it.
    let place = match &event.address {
        Some(address) => address.shown(),
        None => whose.unwrap_or_else(|| text(&event.comment)),
    };
    if room < LABEL + 2 + ADDRESS {
        let left = Line::from(vec![time, Span::raw(label)]);
        let right = match event.teller {
            _ if event.new_address => Line::styled("NEW", theme.ending),
            Teller::Here => Line::styled(place, theme.dim),
            Teller::Server => Line::default(),
        };
        return two_sided(left, right, width, 18, theme);
    }
    let label = cell(&label, LABEL, theme.text, theme);
    let mut spans = vec![time, label, Span::raw("  ")];
    let rest = room - LABEL - 2 - ADDRESS;
    if rest < 8 {
        spans.push(cell(&place, ADDRESS, marked, theme));
        let new = if event.new_address { Line::styled("NEW", theme.ending) } else { Line::default() };
        return two_sided(Line::from(spans), new, width, 0, theme);
    }
    let more = match event.teller {
        _ if event.new_address => "new address".to_owned(),
        Teller::Server => text(&event.agent),
        Teller::Here if event.address.is_some() || of_many => text(&event.comment),
        Teller::Here => String::new(),
    };
    spans.push(cell(&place, ADDRESS, marked, theme));
    spans.push(Span::raw("  "));
    spans.push(cell(&more, rest - 2, marked, theme));
    Line::from(spans)
}
