//! How the History pane looks: when, what, from where, by which program; what is new is said in a word.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::parts::{Panel, cell, put_row, two_sided};
use super::scene::Scene;
use super::{empty, lookup, moments};
use crate::app::history::on_show;
use crate::app::state::Pane;
use crate::domain::credential::CredentialId;
use crate::domain::event::{Event, Teller, What};
use crate::domain::time::ago;
use crate::domain::untrusted::{Untrusted, cleaned};

const TIME: usize = 7;

pub(super) fn draw(buf: &mut Buffer, area: Rect, scene: Scene<'_>) {
    let theme = scene.theme;
    let pane = &scene.state.history;
    let focused = scene.has_focus(Pane::History);
    let shown = on_show(scene.state);
    let title = scene.pane_title(Pane::History, "History", shown.name);
    let told = match shown.read {
        Some(read) => format!("from the server, {}", ago(scene.now.duration_since(read))),
        None if shown.is_empty() => String::new(),
        None => "seen from here".to_owned(),
    };
    let aside = if told.is_empty() { Vec::new() } else { vec![Span::styled(told, theme.dim)] };
    let inside = Panel { title, aside, focused, ..Panel::default() }.draw(buf, area, theme);
    if shown.is_empty() {
        return if pane.filter.as_deref().is_some_and(|filter| !filter.is_empty()) {
            empty::nothing_matches(buf, inside, scene);
        } else {
            empty::history(buf, inside, scene);
        };
    }
    let (width, height) = (usize::from(inside.width), usize::from(inside.height));
    let visible = shown.from(pane.offset, height);
    let lines: Vec<Parts> = visible.map(|event| Parts::of(event, shown.name.is_none(), scene)).collect();
    let plan = Plan::for_lines(&lines, width);
    for (row, parts) in lines.into_iter().enumerate() {
        put_row(buf, inside, row, plan.line(parts, width, scene), theme);
        if focused && pane.offset + row == pane.selected {
            scene.mark_row(buf, inside, row);
        }
    }
    let below = shown.len().saturating_sub(pane.offset + height);
    lookup::more_below(buf, area, below, scene);
}

/// The texts of one event.
struct Parts {
    time: String,
    label: String,
    place: String,
    more: String,
    new: bool,
}

impl Parts {
    /// `of_many`: events of several credentials stand together, so each says whose it is.
    fn of(event: &Event, of_many: bool, scene: Scene<'_>) -> Self {
        let text = |text: &Option<Untrusted>| text.as_ref().map(Untrusted::shown).unwrap_or_default();
        let named = |id: &String| scene.state.held(&CredentialId(id.clone())).map(|held| cleaned(&held.name));
        let whose = event.credential.as_ref().filter(|_| of_many).and_then(named);
        // What is gone has no row to take its name from: the event has kept it.
        let gone = (of_many && event.what == What::Forgotten).then(|| text(&event.comment));
        let whose = whose.or(gone);
        let new = event.new_address || event.new_agent;
        Self {
            time: moments::brief(event.at, scene.now, &scene.zone()),
            label: cleaned(&event.what.label()),
            place: event.address.as_ref().map(Untrusted::shown).or(whose).unwrap_or_default(),
            more: match event.teller {
                _ if event.new_address => "new address".to_owned(),
                _ if event.new_agent => format!("new program {}", text(&event.agent)),
                Teller::Server => text(&event.agent),
                Teller::Here if event.what == What::Forgotten => String::new(),
                Teller::Here => text(&event.comment),
            },
            new,
        }
    }
}

/// Which columns are shown, and how wide.
struct Plan {
    label: usize,
    place: usize,
    more: bool,
}

impl Plan {
    fn for_lines(lines: &[Parts], width: usize) -> Self {
        let widest = |of: fn(&Parts) -> &str, most: usize| {
            lines.iter().map(|parts| of(parts).width()).max().unwrap_or(0).min(most)
        };
        let room = width.saturating_sub(TIME);
        let label = widest(|parts| &parts.label, 24);
        let place = widest(|parts| &parts.place, 39);
        if label + 2 + place > room {
            return Self { label, place: 0, more: false };
        }
        Self { label, place, more: label + 2 + place + 2 + 8 <= room }
    }

    fn line<'a>(&self, parts: Parts, width: usize, scene: Scene<'a>) -> Line<'a> {
        let theme = scene.theme;
        let marked = if parts.new { theme.warning } else { theme.dim };
        let new = if parts.new { Line::styled("NEW", theme.ending) } else { Line::default() };
        let time = cell(&parts.time, TIME, theme.dim, theme);
        if self.place == 0 {
            return two_sided(Line::from(vec![time, Span::raw(parts.label)]), new, width, 12, theme);
        }
        let mut line = Line::from(vec![
            time,
            cell(&parts.label, self.label, theme.text, theme),
            Span::raw("  "),
            cell(&parts.place, self.place, marked, theme),
        ]);
        if !self.more {
            return two_sided(line, new, width, 12, theme);
        }
        line.spans.extend([Span::raw("  "), Span::styled(parts.more, marked)]);
        line
    }
}
