//! The first line: how many live, end and are dead; what is not real or not kept; how times are told.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::moments;
use super::parts::{put, two_sided, width_of};
use super::scene::Scene;
use crate::app::action::Action;
use crate::app::next_change::LOCKS_SOON;
use crate::app::safe;
use crate::domain::credential::Custody;
use crate::domain::time::countdown;
use crate::domain::untrusted::{cleaned, clipped};
use crate::domain::vault::{Access, Guard};

/// No name takes more columns of the first line.
const LONGEST_NAME: usize = 16;

pub(super) fn draw(buf: &mut Buffer, area: Rect, scene: Scene<'_>) {
    let theme = scene.theme;
    let width = usize::from(area.width).saturating_sub(2);
    let mut left = vec![Span::styled("toktui", theme.title_focused)];
    left.extend(counts(scene));
    let mut parts = Vec::new();
    if scene.state.seat.read_only {
        parts.push(vec![Span::styled("read-only", theme.warning)]);
    }
    if scene.state.seat.demo {
        parts.push(vec![Span::styled("demo: nothing here is real", theme.warning)]);
    }
    parts.extend(store(scene));
    parts.extend(custody(scene));
    parts.extend(soon_over(scene));
    parts.extend(skew(scene));
    parts.extend(clock(scene));
    // What does not fit beside the counts is given up from the end.
    while width_of(&left) + 2 + width_of(&joined(&parts)) > width && !parts.is_empty() {
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
    let tally = &scene.state.tokens.tally;
    [
        count(tally.live, "live", theme.live),
        count(tally.ending, "ending", theme.ending),
        count(tally.expired, "expired", theme.warning),
        count(tally.dead, "dead", theme.dead),
    ]
    .concat()
}

/// How many are lost when the program ends.
fn custody(scene: Scene<'_>) -> Option<Vec<Span<'_>>> {
    let held = &scene.state.wallet.held;
    let theme = scene.theme;
    let sign = Span::styled(format!("{} ", theme.signs.memory), theme.warning);
    // What could not be written has a line of its own.
    let unsaved = scene.state.wallet.vault.unsaved;
    let text = match scene.state.tokens.tally.lost.saturating_sub(unsaved) {
        0 => return None,
        all if all == held.len() => "all in memory only".to_owned(),
        some => format!("{some} in memory only"),
    };
    Some(vec![sign, Span::styled(text, theme.dim)])
}

/// What will soon give no more access tokens, days before: the first of it, and by how many it is followed.
fn soon_over(scene: Scene<'_>) -> Option<Vec<Span<'_>>> {
    let theme = scene.theme;
    let tally = &scene.state.tokens.tally;
    let (place, end) = tally.first_over?;
    let name = clipped(&cleaned(&scene.state.wallet.held.get(place)?.name), LONGEST_NAME);
    let more = match tally.soon_over.saturating_sub(1) {
        0 => String::new(),
        more => format!(", {more} more soon"),
    };
    Some(vec![
        Span::styled(name, theme.warning),
        Span::styled(" is over in ", theme.dim),
        Span::styled(countdown(scene.left(end)), theme.warning),
        Span::styled(more, theme.dim),
    ])
}

/// What could not be written, until it is: over the whole width, with the ways to save it.
pub(super) fn banner(buf: &mut Buffer, area: Rect, scene: Scene<'_>) {
    if area.is_empty() {
        return;
    }
    let theme = scene.theme;
    let unsaved = safe::unsaved(scene.state);
    let names: Vec<String> = unsaved.iter().map(|held| cleaned(&held.name)).collect();
    let why = unsaved.iter().find_map(|held| match &held.custody {
        Custody::Unsaved(why) => Some(cleaned(why)),
        _ => None,
    });
    let many = scene.state.wallet.vault.unsaved;
    let why = why.map(|why| format!(" {} {why}", theme.signs.dot)).unwrap_or_default();
    let names = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
    let text = format!(" {} {many} NOT SAVED{names}{why}", theme.signs.wrong);
    let key = |action, words: &str| scene.key(action).map(|key| format!("{key} {words}"));
    let keys = [key(Action::SaveAgain, "try again"), key(Action::CopyUnsaved, "copy the value")];
    let keys: Vec<String> = keys.into_iter().flatten().collect();
    let width = usize::from(area.width);
    let right = Line::raw(format!("{} ", keys.join("   ")));
    let line = two_sided(Line::raw(text), right, width, 18, theme);
    put(buf, area.x, area.y, width, &line);
    buf.set_style(area, theme.alarm);
}

/// How the store stands, where that says something: an open store that can be written is what one expects.
fn store(scene: Scene<'_>) -> Option<Vec<Span<'_>>> {
    let theme = scene.theme;
    let vault = &scene.state.wallet.vault;
    if vault.access == Access::Locked {
        if scene.state.unlocking.is_some() {
            return Some(vec![Span::styled("locked, being unlocked", theme.warning)]);
        }
        let mut spans = vec![Span::styled("locked", theme.warning)];
        let hint = scene.hint(Action::Unlock, "unlocks");
        if !hint.is_empty() {
            spans.push(Span::raw("  "));
            spans.extend(hint);
        }
        return Some(spans);
    }
    if let Some(why) = &vault.read_only {
        return Some(vec![Span::styled(format!("read-only: {}", cleaned(why)), theme.warning)]);
    }
    if let Access::MemoryOnly(Some(why)) = &vault.access {
        return Some(vec![Span::styled(format!("no store: {}", cleaned(why)), theme.warning)]);
    }
    if vault.guards.contains(&Guard::KeyFile) {
        return Some(vec![Span::styled("key in a file", theme.warning)]);
    }
    let Access::Open { until: Some(until) } = vault.access else { return None };
    let left = until.duration_since(scene.now);
    // The session is extended by use: its end is of interest only when it is near.
    (left.is_positive() && left < LOCKS_SOON)
        .then(|| vec![Span::styled("locks in ", theme.dim), Span::styled(countdown(left), theme.text)])
}

/// A clock that is off makes tokens end early or late: a quiet word; the details say by how much and who said so.
fn skew(scene: Scene<'_>) -> Option<Vec<Span<'_>>> {
    let skew = scene.state.tokens.tally.skew?;
    let off = if skew.is_negative() { "fast" } else { "slow" };
    let text = format!("this clock is {} {off}", countdown(skew.abs()));
    Some(vec![Span::styled(text, scene.theme.dim)])
}

/// The time of day, while something on the board counts anyway; else only how times are told.
fn clock(scene: Scene<'_>) -> Option<Vec<Span<'_>>> {
    let wallet = &scene.state.wallet;
    if wallet.held.is_empty() && wallet.journal.is_empty() {
        return None;
    }
    let zone = Span::styled(moments::zone_name(scene.now, &scene.zone()), scene.theme.dim);
    if !scene.state.shows_clock() {
        return Some(vec![zone]);
    }
    let time = scene.now.to_zoned(scene.zone()).strftime("%H:%M").to_string();
    Some(vec![Span::styled(time, scene.theme.strong), Span::raw(" "), zone])
}
