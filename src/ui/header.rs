//! The first line: how many live, end and are dead; what is not real or not kept; how times are told.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::moments;
use super::parts::{put, two_sided, width_of};
use super::scene::Scene;
use crate::domain::credential::Life;

pub(super) fn draw(buf: &mut Buffer, area: Rect, scene: Scene<'_>) {
    let theme = scene.theme;
    let width = usize::from(area.width).saturating_sub(2);
    let mut left = vec![Span::styled("toktui", theme.title_focused)];
    left.extend(counts(scene));
    let mut parts = Vec::new();
    if scene.state.seat.demo {
        parts.push(vec![Span::styled("demo: nothing here is real", theme.warning)]);
    }
    parts.extend(custody(scene));
    parts.push(clock(scene));
    // What does not fit beside the counts is given up from the end.
    while width_of(&left) + 2 + width_of(&joined(&parts)) > width && parts.len() > 1 {
        parts.pop();
    }
    let line = two_sided(Line::from(left), Line::from(joined(&parts)), width, 6, theme);
    put(buf, area.x + 1, area.y, width, &line);
}

fn joined<'a>(parts: &[Vec<Span<'a>>]) -> Vec<Span<'a>> {
    let mut out = Vec::new();
    for part in parts {
        if !out.is_empty() {
            out.push(Span::raw("   "));
        }
        out.extend(part.iter().cloned());
    }
    out
}

fn counts(scene: Scene<'_>) -> Vec<Span<'_>> {
    let theme = scene.theme;
    let held = &scene.state.wallet.held;
    let count = |number: usize, word: &'static str, style: Style| {
        if number == 0 {
            return Vec::new();
        }
        vec![
            Span::raw("  "),
            Span::styled(number.to_string(), style),
            Span::styled(format!(" {word}"), theme.dim),
        ]
    };
    if held.is_empty() {
        return vec![Span::styled("   nothing held yet", theme.dim)];
    }
    if !scene.counts() {
        return count(held.len(), "held", theme.text);
    }
    let (mut live, mut ending, mut expired, mut dead) = (0, 0, 0, 0);
    for held in held.iter() {
        match held.life(scene.now) {
            Life::Live(_) | Life::Unknown => live += 1,
            Life::Ending(_) => ending += 1,
            Life::Expired(_) | Life::None if held.is_dead(scene.now) => dead += 1,
            Life::Expired(_) => expired += 1,
            Life::None => {}
        }
    }
    [
        count(live, "live", theme.live),
        count(ending, "ending", theme.ending),
        count(expired, "expired", theme.warning),
        count(dead, "dead", theme.dead),
    ]
    .concat()
}

/// How many are lost when the program ends.
fn custody(scene: Scene<'_>) -> Option<Vec<Span<'_>>> {
    let held = &scene.state.wallet.held;
    let theme = scene.theme;
    if !scene.counts() {
        return None;
    }
    let lost = held.iter().filter(|held| held.is_lost_on_quit(scene.now)).count();
    let sign = Span::styled(format!("{} ", theme.signs.memory), theme.warning);
    let text = match lost {
        0 => return None,
        all if all == held.len() => "all in memory only".to_owned(),
        some => format!("{some} in memory only"),
    };
    Some(vec![sign, Span::styled(text, theme.dim)])
}

/// The time of day, while something on the board counts anyway; else only how times are told.
fn clock(scene: Scene<'_>) -> Vec<Span<'_>> {
    let zone = Span::styled(moments::zone_name(scene.now, &scene.zone()), scene.theme.dim);
    if !scene.state.shows_clock(scene.now) {
        return vec![zone];
    }
    let time = scene.now.to_zoned(scene.zone()).strftime("%H:%M").to_string();
    vec![Span::styled(time, scene.theme.strong), Span::raw(" "), zone]
}
