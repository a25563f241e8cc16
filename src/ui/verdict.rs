//! How a verdict reads: a sign, a word, the moment that matters; then the deciding fact, who said so, what to press.

use jiff::SignedDuration;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::parts::{two_sided, width_of, wrap};
use super::scene::{Scene, labelled};
use crate::app::action::Action;
use crate::domain::time::{ago, countdown};
use crate::domain::untrusted::cleaned;
use crate::domain::verdict::{By, Mood, Next, Standing, Turn, Verdict};

/// The width of the labels of pane 3.
pub(super) const LABEL: usize = 7;

/// The lines of a verdict.
pub(super) fn lines<'a>(verdict: &Verdict, width: usize, scene: Scene<'a>) -> Vec<Line<'a>> {
    let theme = scene.theme;
    let mut lines = vec![headline(verdict, width, scene)];
    lines.extend(reason(verdict, width, scene));
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
        Some(Next::GoToNewest) => scene.hint(Action::GoToNewest, "go to yours"),
        Some(Next::ShowContent) => scene.hint(Action::ShowContent, "its content"),
        Some(Next::LogIn) => scene.hint(Action::LogIn, "log in again"),
        // No key does these yet.
        Some(Next::WouldItWork | Next::MakeSuccessor | Next::LastEvents) | None => Vec::new(),
    }
}

/// Who decided, and when that was heard. A fact that names its witness need not name it twice.
fn who(verdict: &Verdict, fact: &str, scene: Scene<'_>) -> String {
    let heard = verdict.heard.map(|heard| ago(scene.now.duration_since(heard).max(SignedDuration::ZERO)));
    let by = match (verdict.standing, verdict.by) {
        // Nobody has decided anything.
        (Standing::CannotTell | Standing::Garbled, _) => "",
        (_, By::Claims) => "by its own word",
        (_, By::Server) if fact.contains(By::Server.words()) => "",
        (_, By::Server) => "says its server",
        (_, By::Journal) => "from what was done here",
        (_, By::Clock) if fact.contains(By::Clock.words()) => "",
        (_, By::Clock) => "by the clock",
    };
    match (by, heard) {
        ("", Some(heard)) => format!("last heard {heard}"),
        (by, Some(heard)) => format!("{by}, {heard}"),
        (by, None) => by.to_owned(),
    }
}

/// The deciding fact, who said so and when; and at the right of its last line, or under it, what to press.
fn reason<'a>(verdict: &Verdict, width: usize, scene: Scene<'a>) -> Vec<Line<'a>> {
    let theme = scene.theme;
    let fact = cleaned(&verdict.fact);
    let who = who(verdict, &fact, scene);
    let mut lines: Vec<Line<'a>> = wrap(&fact, width.saturating_sub(2))
        .into_iter()
        .map(|text| Line::from(vec![Span::raw("  "), Span::raw(text)]))
        .collect();
    if !who.is_empty() {
        let mut last = lines.pop().unwrap_or_default();
        if last.width() + 3 + who.width() <= width {
            last.spans.push(Span::styled(format!(" {} {who}", theme.signs.dot), theme.dim));
            lines.push(last);
        } else {
            lines.extend([last, Line::from(vec![Span::raw("  "), Span::styled(who, theme.dim)])]);
        }
    }
    let hint = Line::from(hint(verdict.next, scene));
    if hint.width() > 0 {
        let mut last = lines.pop().unwrap_or_default();
        if last.width() + 2 + hint.width() > width {
            lines.push(last);
            last = Line::default();
        }
        lines.push(two_sided(last, hint, width, 0, theme));
    }
    lines
}
