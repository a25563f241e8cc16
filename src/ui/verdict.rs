//! How a verdict reads: a sign, a word, the moment that matters; then the deciding fact, who said so, what to press.

use jiff::SignedDuration;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::parts::{two_sided, width_of, wrap};
use super::scene::{Scene, labelled};
use crate::app::action::Action;
use crate::domain::time::{ago, countdown};
use crate::domain::untrusted::cleaned;
use crate::domain::verdict::{Mood, Next, Standing, Turn, Verdict};

/// The width of the labels of pane 3.
pub(super) const LABEL: usize = 7;

/// The lines of a verdict.
pub(super) fn lines<'a>(verdict: &Verdict, width: usize, scene: Scene<'a>) -> Vec<Line<'a>> {
    let theme = scene.theme;
    let mut lines = vec![headline(verdict, width, scene)];
    let hint = hint(verdict.next, scene);
    lines.extend(with_hint(&cleaned(&verdict.fact), theme.text, hint, width, scene));
    let mut by = vec![Span::raw(verdict.by.words())];
    if let Some(heard) = verdict.heard {
        let ago = ago(scene.now.duration_since(heard).max(SignedDuration::ZERO));
        by.push(Span::styled(format!(", heard {ago}"), theme.dim));
    }
    lines.push(labelled("by", LABEL, by, theme));
    for remark in &verdict.remarks {
        let texts = wrap(&cleaned(remark), width.saturating_sub(LABEL));
        for (row, text) in texts.into_iter().enumerate() {
            let label = if row == 0 { "but" } else { "" };
            lines.push(labelled(label, LABEL, [Span::styled(text, theme.warning)], theme));
        }
    }
    lines
}

fn headline<'a>(verdict: &Verdict, width: usize, scene: Scene<'a>) -> Line<'a> {
    let theme = scene.theme;
    let (sign, style) = sign(verdict.standing, scene);
    let (word, rest) = verdict.standing.words();
    let mut left = vec![Span::styled(format!("{sign} {word}"), style)];
    if let Some((Turn::Ended, at)) = verdict.turn {
        left.push(Span::raw(format!(" {}", ago(scene.now.duration_since(at).max(SignedDuration::ZERO)))));
    } else if !rest.is_empty() {
        left.push(Span::raw(format!(" {rest}")));
    }
    let (brief, full) = turn(verdict, scene);
    // First the absolute moment is given up, then the words behind the verdict's own.
    for right in [full, brief] {
        if width_of(&left) + 2 + width_of(&right) <= width {
            return two_sided(Line::from(left), Line::from(right), width, 0, theme);
        }
    }
    let (brief, _) = turn(verdict, scene);
    left.truncate(1);
    two_sided(Line::from(left), Line::from(brief), width, width, theme)
}

/// The moment that matters, in brief and in full.
fn turn<'a>(verdict: &Verdict, scene: Scene<'_>) -> (Vec<Span<'a>>, Vec<Span<'a>>) {
    let theme = scene.theme;
    let Some((turn, at)) = verdict.turn else { return (Vec::new(), Vec::new()) };
    let moment = Span::styled(scene.moment(at), theme.dim);
    let words = match turn {
        Turn::Ends if at > scene.now => "ends in ",
        Turn::Starts if at > scene.now => "starts in ",
        Turn::Ends | Turn::Starts | Turn::Ended => return (vec![moment.clone()], vec![moment]),
    };
    let brief = vec![Span::styled(words, theme.dim), Span::styled(countdown(scene.left(at)), theme.strong)];
    let mut full = brief.clone();
    full.extend([Span::raw("  "), moment]);
    (brief, full)
}

/// The sign and the style of a verdict: never the colour alone.
pub(super) fn sign(standing: Standing, scene: Scene<'_>) -> (&'static str, Style) {
    let theme = scene.theme;
    match standing.mood() {
        Mood::Good => (theme.signs.ok, theme.ok),
        Mood::Limited if standing == Standing::NotYet => (theme.signs.waiting, theme.ending),
        Mood::Limited => (theme.signs.ok, theme.ending),
        Mood::Unknown => (theme.signs.unknown, theme.ending),
        Mood::Bad => (theme.signs.wrong, theme.wrong),
    }
}

/// What to do about it, where a key does it now.
fn hint(next: Option<Next>, scene: Scene<'_>) -> Vec<Span<'_>> {
    match next {
        Some(Next::AskAgain) => scene.hint(Action::AskServer, "ask again"),
        Some(Next::AskServer) => scene.hint(Action::AskServer, "ask its server"),
        Some(Next::TryAccessToken) => scene.hint(Action::Renew, "try an access token"),
        Some(Next::MakeSuccessor) => scene.hint(Action::NewMytoken, "make its successor"),
        Some(Next::GoToNewest) => scene.hint(Action::GoToNewest, "go to yours"),
        Some(Next::LastEvents) => scene.hint(Action::ReadHistory, "last known events"),
        Some(Next::ShowContent) => scene.hint(Action::ShowContent, "its content"),
        Some(Next::LogIn) => scene.hint(Action::LogIn, "log in again"),
        // A later issue asks that question of the mytoken under other circumstances.
        Some(Next::WouldItWork) | None => Vec::new(),
    }
}

/// Wrapped text, indented, with a hint at the right of its last line or under it.
fn with_hint<'a>(
    text: &str,
    style: Style,
    hint: Vec<Span<'a>>,
    width: usize,
    scene: Scene<'a>,
) -> Vec<Line<'a>> {
    let indented = |text: String| Line::from(vec![Span::raw("  "), Span::styled(text, style)]);
    let mut lines: Vec<Line<'a>> = wrap(text, width.saturating_sub(2)).into_iter().map(indented).collect();
    let room = width_of(&hint);
    if room > 0 {
        let last = lines.pop().unwrap_or_default();
        if last.width() + 2 + room <= width {
            lines.push(two_sided(last, Line::from(hint), width, 0, scene.theme));
        } else {
            lines.push(last);
            lines.push(two_sided(Line::default(), Line::from(hint), width, 0, scene.theme));
        }
    }
    lines
}
