//! How the Tokens pane looks: a row a name, two clocks, columns given up from the right in order of worth.

use jiff::SignedDuration;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::empty;
use super::parts::{self, GAUGE, Panel, cell, cell_right, put_row};
use super::renewable::Renewable;
use super::scene::Scene;
use crate::app::state::Pane;
use crate::app::tokens::Sort;
use crate::domain::credential::{Chain, Custody, Health, Held, Life, why};
use crate::domain::source::{Source, SourceKind};
use crate::domain::time::{ago, countdown};
use crate::domain::untrusted::cleaned;

/// The access token's column: gauge, gap, countdown; or a word without a gauge.
const ACCESS: usize = GAUGE + 12;
/// The same without its gauge.
const ACCESS_BRIEF: usize = 14;

pub(super) fn draw(buf: &mut Buffer, area: Rect, scene: Scene<'_>) {
    let (state, theme) = (scene.state, scene.theme);
    let focused = scene.has_focus(Pane::Tokens);
    let panel = Panel {
        title: scene.pane_title(Pane::Tokens, "Tokens", None),
        aside: aside(scene, area),
        focused,
        ..Panel::default()
    };
    let inside = panel.draw(buf, area, theme);
    if state.wallet.held.is_empty() {
        return empty::tokens(buf, inside, scene);
    }
    if state.tokens.rows.is_empty() {
        return empty::nothing_matches(buf, inside, scene);
    }
    let height = usize::from(inside.height).saturating_sub(1);
    let rows: Vec<&Held> = state
        .tokens
        .rows
        .iter()
        .skip(state.tokens.offset)
        .take(height)
        .filter_map(|index| state.wallet.held.get(*index))
        .collect();
    let plan = Plan::for_rows(&rows, usize::from(inside.width), scene);
    put_row(buf, inside, 0, plan.head(scene), theme);
    for (row, held) in rows.into_iter().enumerate() {
        let selected = state.tokens.selected.as_ref() == Some(&held.id);
        put_row(buf, inside, row + 1, plan.row(held, selected, scene), theme);
        if selected && focused {
            scene.mark_row(buf, inside, row + 1);
        }
    }
}

/// The right side of the title: the order, the filter, and where in the list the selection is.
fn aside<'a>(scene: Scene<'_>, area: Rect) -> Vec<Span<'a>> {
    let tokens = &scene.state.tokens;
    let (all, shown) = (scene.state.wallet.held.len(), tokens.rows.len());
    if all == 0 {
        return Vec::new();
    }
    let dim = scene.theme.dim;
    if let Some(filter) = tokens.filter.as_deref().filter(|filter| !filter.is_empty()) {
        let filter = cleaned(filter);
        return vec![Span::styled(format!("{shown} of {all} with "), dim), Span::raw(filter)];
    }
    let order = match tokens.sort {
        Sort::Urgency => "most urgent first",
        Sort::Name => "by name",
        Sort::From => "by provider",
        Sort::Renewable => "longest renewable last",
    };
    let at = tokens.rows.iter().skip(tokens.offset).take(usize::from(area.height)).position(|index| {
        scene.state.wallet.held.get(*index).map(|held| &held.id) == tokens.selected.as_ref()
    });
    let place = at.map_or_else(|| format!("{all}"), |at| format!("{} of {all}", tokens.offset + at + 1));
    let text = match (area.width >= 70, tokens.sort) {
        (true, _) => format!("{order} {} {place}", scene.theme.signs.dot),
        (false, Sort::Urgency) => place,
        (false, _) => format!("{order}, {place}"),
    };
    vec![Span::styled(text, dim)]
}

/// Which columns are shown, and how wide.
#[derive(Clone, Copy)]
struct Plan {
    name: usize,
    from: usize,
    gauge: bool,
    renewable: usize,
    /// The second clock in full words, with its kind.
    spelled: bool,
    kept: usize,
}

const GAP: usize = 2;
/// Cursor and blank before the name; blank, custody mark and blank after it.
const AROUND_NAME: usize = 5;

impl Plan {
    fn for_rows(rows: &[&Held], width: usize, scene: Scene<'_>) -> Self {
        let widest = |texts: &mut dyn Iterator<Item = String>, least: usize, most: usize| {
            texts.map(|text| text.width()).max().unwrap_or(0).clamp(least, most)
        };
        let longest = if width >= 80 { 20 } else { 14 };
        let name = widest(&mut rows.iter().map(|held| cleaned(&held.name)), 8, longest);
        let from = widest(&mut rows.iter().map(|held| from(held, scene)), 12, 24);
        let kept = "in memory only".width();
        let full = Self { name, from, gauge: true, renewable: 31, spelled: true, kept };
        let steps = [
            full,
            Self { from: from.min(16), ..full },
            Self { kept: 0, ..full },
            Self { kept: 0, from: from.min(16), ..full },
            Self { kept: 0, from: 0, ..full },
            Self { kept: 0, from: 0, renewable: 15, spelled: false, ..full },
            Self { kept: 0, from: 0, renewable: 15, spelled: false, gauge: false, ..full },
            Self { kept: 0, from: 0, renewable: 9, spelled: false, gauge: false, ..full },
            Self { kept: 0, from: 0, renewable: 0, spelled: false, gauge: false, ..full },
        ];
        // A name is cut only where dropping columns does not help any more.
        for name in [name, name.min(10)] {
            for step in steps {
                let plan = Self { name, ..step };
                if plan.width() <= width {
                    return plan.stretched(width);
                }
            }
        }
        let [.., least] = steps;
        Self { name: width.saturating_sub(AROUND_NAME + ACCESS_BRIEF).max(4), ..least }
    }

    /// What is left over goes to the second clock: its sentences are the longest.
    fn stretched(self, width: usize) -> Self {
        let spare = width - self.width();
        if self.renewable == 0 { self } else { Self { renewable: self.renewable + spare, ..self } }
    }

    fn access(self) -> usize {
        if self.gauge { ACCESS } else { ACCESS_BRIEF }
    }

    fn width(self) -> usize {
        let optional = [self.from, self.renewable, self.kept];
        let optional: usize = optional.into_iter().filter(|wide| *wide > 0).map(|wide| wide + GAP).sum();
        AROUND_NAME + self.name + self.access() + optional
    }

    fn head<'a>(self, scene: Scene<'_>) -> Line<'a> {
        let theme = scene.theme;
        let head = |text: &str, width: usize| cell(text, width, theme.label, theme);
        let mut spans = vec![Span::raw("  "), head("NAME", self.name + 3)];
        if self.from > 0 {
            spans.push(head("FROM", self.from + GAP));
        }
        spans.push(head("ACCESS TOKEN", self.access()));
        if self.renewable > 0 {
            spans.push(Span::raw("  "));
            spans.push(head("RENEWABLE FOR", self.renewable));
        }
        if self.kept > 0 {
            spans.push(Span::raw("  "));
            spans.push(head("KEPT", self.kept));
        }
        Line::from(spans)
    }

    fn row<'a>(self, held: &Held, selected: bool, scene: Scene<'_>) -> Line<'a> {
        let theme = scene.theme;
        let cursor = if selected { theme.signs.cursor } else { " " };
        let marked = if scene.state.marked.as_ref() == Some(&held.id) { theme.signs.marked } else { " " };
        let mut spans = vec![
            Span::raw(cursor),
            Span::styled(marked, if marked == " " { theme.text } else { theme.key }),
            cell(&cleaned(&held.name), self.name, theme.strong, theme),
            Span::raw(" "),
            mark(held, scene),
            Span::raw(" "),
        ];
        if self.from > 0 {
            spans.push(cell(&from(held, scene), self.from, theme.dim, theme));
            spans.push(Span::raw("  "));
        }
        spans.extend(self.first_clock(held, scene));
        if self.renewable > 0 {
            spans.push(Span::raw("  "));
            spans.extend(self.second_clock(held, scene));
        }
        if self.kept > 0 {
            let (words, style) = match held.custody {
                Custody::Unsaved(_) => ("NOT SAVED", theme.dead),
                _ if is_damaged(held) => ("damaged", theme.dead),
                Custody::MemoryOnly => ("in memory only", theme.warning),
                Custody::KeyFile => ("key file", theme.warning),
                Custody::Session => ("this session", theme.text),
                Custody::Sealed => ("sealed", theme.dim),
                Custody::Foreign(_) => ("elsewhere", theme.dim),
            };
            spans.push(Span::raw("  "));
            spans.push(cell(words, self.kept, style, theme));
        }
        Line::from(spans)
    }

    /// How long the access token lives.
    fn first_clock<'a>(self, held: &Held, scene: Scene<'_>) -> Vec<Span<'a>> {
        let theme = scene.theme;
        let life = held.life(scene.now);
        let (text, style, bar) = match life {
            Life::None => ("none yet".to_owned(), theme.dim, None),
            Life::Unknown => ("unknown end".to_owned(), theme.text, None),
            Life::Live(left) => (countdown(left), theme.text, Some((left, theme.live))),
            Life::Ending(left) => {
                (format!("ending {}", countdown(left)), theme.ending, Some((left, theme.ending)))
            }
            Life::Expired(seconds) => {
                let style = if held.is_dead(scene.now) { theme.dead } else { theme.warning };
                (expired(seconds, self.access()), style, None)
            }
        };
        match bar.filter(|_| self.gauge) {
            None => vec![cell_right(&text, self.access(), style, theme)],
            Some((left, colour)) => vec![
                parts::gauge(left, whole_life(held), colour, theme),
                cell_right(&text, ACCESS - GAUGE, style, theme),
            ],
        }
    }

    /// How long more access tokens can be drawn without a login.
    fn second_clock<'a>(self, held: &Held, scene: Scene<'_>) -> Vec<Span<'a>> {
        let theme = scene.theme;
        let renewable = Renewable::of(held, scene);
        let (kind, span, rest) = match renewable {
            Renewable::Said { long, brief, style } => {
                let text = if self.spelled { long.as_str() } else { brief.as_ref() };
                return vec![cell(text, self.renewable, style, theme)];
            }
            Renewable::Counted { kind, span, rest } => (kind, span, rest),
        };
        let ((span, meant), (words, short, style)) = (span, rest);
        if self.spelled {
            let room = self.renewable.saturating_sub(9 + 7 + 2);
            return vec![
                cell(kind, 9, theme.dim, theme),
                cell_right(&span, 7, meant, theme),
                Span::raw("  "),
                cell(&words, room, style, theme),
            ];
        }
        let room = self.renewable.saturating_sub(span.width().max(6) + 2);
        if room < short.width() {
            return vec![cell(&span, self.renewable, meant, theme)];
        }
        vec![
            cell(&span, span.width().max(6), meant, theme),
            Span::raw("  "),
            cell(&short, room, style, theme),
        ]
    }
}

/// `expired 4y ago`, or what of it fits.
fn expired(seconds: u64, width: usize) -> String {
    let since = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    let text = format!("expired {}", ago(since));
    if seconds < 60 || text.width() > width { "expired".to_owned() } else { text }
}

fn whole_life(held: &Held) -> SignedDuration {
    let chief = held.chief();
    chief
        .and_then(|access| access.expires.map(|end| end.duration_since(access.obtained)))
        .unwrap_or(SignedDuration::ZERO)
}

fn mark<'a>(held: &Held, scene: Scene<'_>) -> Span<'a> {
    let (theme, signs) = (scene.theme, scene.theme.signs);
    match held.custody {
        _ if is_damaged(held) => Span::styled(signs.wrong, theme.dead),
        Custody::Sealed | Custody::Session if matches!(held.health, Health::InDoubt(_)) => {
            Span::styled(signs.unknown, theme.warning)
        }
        Custody::Sealed | Custody::Session => Span::raw(" "),
        Custody::KeyFile => Span::styled("k", theme.warning),
        Custody::Unsaved(_) => Span::styled("!", theme.dead),
        Custody::MemoryOnly => Span::styled(signs.memory, theme.dim),
        Custody::Foreign(_) => Span::styled(signs.foreign, theme.dim),
    }
}

fn is_damaged(held: &Held) -> bool {
    matches!(&held.health, Health::Dead(why) if why == why::DAMAGED)
}

/// Where it comes from: the provider, or the mytoken server and the provider behind it.
fn from(held: &Held, scene: Scene<'_>) -> String {
    if let Custody::Foreign(origin) = &held.custody {
        return cleaned(origin);
    }
    let name = |source: &Source| cleaned(&source.name);
    let sources = &scene.state.wallet.sources;
    let own = sources.iter().find(|source| source.id == held.source);
    let shown = own.map_or_else(|| cleaned(held.source.as_str()), name);
    let (Chain::Mytoken { facts, .. }, Some(SourceKind::Server(_))) = (&held.chain, own.map(|own| &own.kind))
    else {
        return shown;
    };
    let server = shown.strip_prefix("mytoken ").unwrap_or(&shown);
    match scene.issuer_name(&facts.provider) {
        provider if provider.is_empty() => server.to_owned(),
        provider => format!("{server} {} {provider}", scene.theme.signs.behind),
    }
}
