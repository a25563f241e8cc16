//! What every piece of the screen is drawn from, and the questions that all of them ask of it.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::moments;
use super::parts;
use super::theme::Theme;
use crate::app::action::Action;
use crate::app::keymap::Live;
use crate::app::overlay::Overlay;
use crate::app::state::{Pane, State};
use crate::domain::source::{SourceId, SourceKind};
use crate::domain::untrusted::{Untrusted, cleaned};

/// What every piece of the screen is drawn from.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) state: &'a State,
    pub(crate) theme: &'a Theme,
    pub(crate) now: Timestamp,
    /// The keys that work now: asked for once a frame.
    pub(crate) live: &'a [Live],
}

impl<'a> Scene<'a> {
    /// The zone in which times are told.
    pub(crate) fn zone(&self) -> TimeZone {
        if self.state.utc { TimeZone::UTC } else { self.state.zone.clone() }
    }

    /// A moment as it stands in a sentence.
    pub(crate) fn moment(&self, at: Timestamp) -> String {
        moments::moment(at, self.now, &self.zone())
    }

    /// The same with seconds where it is today.
    pub(crate) fn exact(&self, at: Timestamp) -> String {
        moments::exact(at, self.now, &self.zone())
    }

    /// How long until `at`; zero once it has passed.
    pub(crate) fn left(&self, at: Timestamp) -> SignedDuration {
        at.duration_since(self.now).max(SignedDuration::ZERO)
    }

    /// Whether keys go to this pane.
    pub(crate) fn has_focus(&self, pane: Pane) -> bool {
        self.state.focus == pane
            && self.state.overlays.iter().all(|overlay| matches!(overlay, Overlay::Filter(_)))
    }

    /// The title of a pane: its number, its name, and whose it is.
    pub(crate) fn pane_title(&self, pane: Pane, name: &'static str, of: Option<&str>) -> Vec<Span<'a>> {
        let theme = self.theme;
        let style = if self.has_focus(pane) { theme.title_focused } else { theme.title };
        let mut spans = vec![
            Span::styled((pane.index() + 1).to_string(), theme.key),
            Span::raw(" "),
            Span::styled(name, style),
        ];
        if let Some(of) = of.filter(|of| !of.is_empty()) {
            spans.push(Span::raw(" "));
            spans.push(Span::styled(cleaned(of), theme.strong));
        }
        spans
    }

    /// Marks a row of a list as the selected one, where keys go to that list.
    pub(crate) fn mark_row(&self, buf: &mut Buffer, inside: Rect, row: usize) {
        if row < usize::from(inside.height) {
            let row = Rect { y: inside.y + parts::columns(row), height: 1, ..inside };
            parts::bar(buf, row, self.theme.selected);
        }
    }

    /// The key that does this now, if one does.
    pub(crate) fn key(&self, action: Action) -> Option<String> {
        self.live.iter().find(|live| live.binding.action == action).map(Live::key)
    }

    /// The key that does this now with what it does: `i look up`. Nothing where it does not work now.
    pub(crate) fn hint(&self, action: Action, words: &'static str) -> Vec<Span<'a>> {
        self.key(action).map_or_else(Vec::new, |key| keyed(key, words, self.theme))
    }

    /// What a source is called.
    pub(crate) fn source_name(&self, id: &SourceId) -> String {
        self.state.source(id).map_or_else(|| cleaned(id.as_str()), |source| cleaned(&source.name))
    }

    /// What an issuer is called here, or its host.
    pub(crate) fn issuer_name(&self, issuer: &Untrusted) -> String {
        self.known_issuer(issuer).unwrap_or_else(|| host(issuer))
    }

    /// What a listed issuer or mytoken server is called here.
    pub(crate) fn known_issuer(&self, issuer: &Untrusted) -> Option<String> {
        let bare = issuer.raw().trim_end_matches('/');
        let is_it = |address: &str| address.trim_end_matches('/') == bare;
        let known = self.state.wallet.sources.iter().find(|source| match &source.kind {
            SourceKind::Issuer(known) => is_it(&known.address),
            SourceKind::Server(known) => is_it(&known.address),
            SourceKind::Profile(_) => false,
        });
        known.map(|source| cleaned(&source.name))
    }
}

/// The host of an address, or the whole text where it has none.
pub(crate) fn host(address: &Untrusted) -> String {
    let raw = address.raw();
    let rest = raw.split_once("://").map_or(raw, |(_, rest)| rest);
    cleaned(rest.split('/').next().unwrap_or(rest))
}

/// A key and what it does.
pub(crate) fn keyed<'a>(key: String, words: &'static str, theme: &Theme) -> Vec<Span<'a>> {
    vec![Span::styled(key, theme.key), Span::raw(" "), Span::styled(words, theme.dim)]
}

/// A label in front of a value, as in the panes 3 and the panels.
pub(crate) fn labelled<'a>(
    label: &str,
    width: usize,
    value: impl IntoIterator<Item = Span<'a>>,
    theme: &Theme,
) -> Line<'a> {
    let mut spans = vec![parts::cell(label, width, theme.label, theme)];
    spans.extend(value);
    Line::from(spans)
}

/// Several lines under one label: it stands before the first of them only.
pub(crate) fn under_label<'a>(
    label: &str,
    width: usize,
    lines: Vec<(String, Style)>,
    theme: &Theme,
) -> Vec<Line<'a>> {
    let label_of = |row: usize| if row == 0 { label } else { "" };
    lines
        .into_iter()
        .enumerate()
        .map(|(row, (text, style))| labelled(label_of(row), width, [Span::styled(text, style)], theme))
        .collect()
}
