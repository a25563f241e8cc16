//! The answers to "will it outlast my job?" and "would it work there?": the whole first, then link by link.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::parts::{cell, wrap};
use super::scene::Scene;
use crate::app::action::Action;
use crate::app::foretold::{of_job, of_place};
use crate::app::sheet::Sheet;
use crate::domain::credential::Held;
use crate::domain::elsewhere::Would;
use crate::domain::outlast::{Advice, Holds, Outlast, State};
use crate::domain::span;
use crate::domain::time::countdown;
use crate::domain::untrusted::cleaned;

const LINK: usize = 19;

/// Will it outlast the job?
pub(super) fn job<'a>(sheet: &Sheet, held: &Held, width: usize, scene: Scene<'a>) -> Vec<Line<'a>> {
    let theme = scene.theme;
    let answer = match of_job(sheet, held, scene.state.at) {
        Ok(answer) => answer,
        Err(why) => return vec![Line::styled(why, theme.warning)],
    };
    let mut lines = vec![headline(&answer, scene)];
    let times = format!("from {} to {}", scene.moment(answer.start), scene.moment(answer.until));
    let needs = answer.needs.map(|needs| match needs {
        1 => ", it takes 1 access token".to_owned(),
        needs => format!(", it takes {needs} access tokens"),
    });
    lines.push(Line::styled(format!("  {times}{}", needs.unwrap_or_default()), theme.dim));
    lines.push(Line::default());
    for (place, link) in answer.links.iter().enumerate() {
        let first = answer.first_break == Some(place);
        let (sign, style) = match link.state {
            _ if !link.needed => (" ", theme.dim),
            State::Holds => (theme.signs.ok, theme.ok),
            State::Breaks(_) => (theme.signs.wrong, theme.wrong),
            State::CannotTell => (theme.signs.unknown, theme.warning),
        };
        let text = if link.needed { theme.text } else { theme.dim };
        let text = if first { theme.strong } else { text };
        // Whether it is needed is a word, too.
        let fact =
            if link.needed { cleaned(&link.fact) } else { format!("not needed: {}", cleaned(&link.fact)) };
        let mut label = link.kind.words();
        let mut sign = sign;
        for part in wrap(&fact, width.saturating_sub(LINK + 2)) {
            lines.push(Line::from(vec![
                Span::styled(sign, style),
                Span::raw(" "),
                cell(label, LINK, text, theme),
                Span::styled(part, text),
            ]));
            (label, sign) = ("", " ");
        }
    }
    lines.extend(advice(&answer, width, scene));
    lines
}

fn headline<'a>(answer: &Outlast, scene: Scene<'a>) -> Line<'a> {
    let theme = scene.theme;
    match answer.answer() {
        State::Holds => said(theme.signs.ok, "IT HOLDS", "to the end of the job", theme.ok),
        State::Breaks(at) => {
            let kind = answer
                .first_break
                .and_then(|place| answer.links.get(place))
                .map_or("it", |link| link.kind.words());
            // Told as of the last message, as all of the answer is: it does not tick.
            let left = countdown(at.duration_since(scene.state.at));
            let text = if at > scene.state.at {
                format!("{kind}, in {left}: {}", scene.moment(at))
            } else {
                format!("{kind}, already now")
            };
            said(theme.signs.wrong, "IT BREAKS", &text, theme.wrong)
        }
        State::CannotTell => {
            said(theme.signs.unknown, "CANNOT TELL", "it depends on what is not known", theme.warning)
        }
    }
}

fn said<'a>(sign: &str, word: &'a str, rest: &str, style: Style) -> Line<'a> {
    Line::from(vec![
        Span::styled(format!("{sign} "), style),
        Span::styled(word, style),
        Span::raw(format!(" {rest}")),
    ])
}

fn advice<'a>(answer: &Outlast, width: usize, scene: Scene<'a>) -> Vec<Line<'a>> {
    let theme = scene.theme;
    let mut lines = Vec::new();
    for advice in &answer.advice {
        let (key, text) = match advice {
            Advice::Make(holds) => {
                (scene.key(Action::Accept), format!("make one that holds: {}", numbers(holds)))
            }
            Advice::LogIn => (None, "log in again".to_owned()),
            Advice::AskServer => (None, "ask its server on the board: that tells what is left".to_owned()),
            Advice::SayHowOften => (None, "say how often the job takes an access token".to_owned()),
            Advice::WouldItWork => (None, "ask whether it would work where the job runs".to_owned()),
        };
        let key = key.unwrap_or_default();
        let indent = if key.is_empty() { 2 } else { key.chars().count() + 1 };
        let mut before =
            Span::styled(if key.is_empty() { "  ".to_owned() } else { format!("{key} ") }, theme.key);
        for part in wrap(&text, width.saturating_sub(indent)) {
            lines.push(Line::from(vec![before, Span::raw(part)]));
            before = Span::raw(" ".repeat(indent));
        }
    }
    if !lines.is_empty() {
        lines.insert(0, Line::default());
    }
    lines
}

/// The numbers of one that holds, in words.
fn numbers(holds: &Holds) -> String {
    let words = |seconds: u64| {
        span::words(jiff::SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX)))
    };
    let mut parts = vec![format!("for {}", words(holds.lifetime_seconds))];
    parts.push(match holds.uses_at {
        Some(uses) => format!("{uses} access tokens"),
        None => "access tokens not counted".to_owned(),
    });
    parts.extend(holds.copy_lives.map(|lives| format!("a copy lives {}", words(lives))));
    parts.join(", ")
}

/// Would it work there?
pub(super) fn place<'a>(sheet: &Sheet, held: &Held, width: usize, scene: Scene<'a>) -> Vec<Line<'a>> {
    let theme = scene.theme;
    let answer = match of_place(sheet, held, scene.state, scene.state.at) {
        Ok(Some(answer)) => answer,
        Ok(None) => return vec![Line::styled("Only a mytoken carries such conditions.", theme.dim)],
        Err(why) => return vec![Line::styled(why, theme.warning)],
    };
    let (sign, word, style) = match &answer.would {
        Would::Works => (theme.signs.ok, "IT WOULD WORK", theme.ok),
        Would::CannotTell(_) => (theme.signs.unknown, "CANNOT TELL", theme.warning),
        Would::DoesNot(_) => (theme.signs.wrong, "IT WOULD NOT WORK", theme.wrong),
    };
    let mut lines = vec![said(sign, word, "", style)];
    let mut more = |text: &str, style: Style, indent: &str| {
        let parts = wrap(&cleaned(text), width.saturating_sub(indent.len()));
        lines.extend(parts.into_iter().map(|part| Line::styled(format!("{indent}{part}"), style)));
    };
    if let Some(why) = answer.would.why() {
        more(why, theme.strong, "  ");
    }
    let many = answer.clauses.len() > 1;
    if answer.clauses.is_empty() {
        more("it has no restrictions", theme.dim, "  ");
    }
    for (place, would) in answer.clauses.iter().enumerate().filter(|_| many) {
        let what = match would {
            Would::Works if answer.counts == Some(place) => "allows it, and would count".to_owned(),
            Would::Works => "allows it".to_owned(),
            Would::CannotTell(why) => format!("perhaps: {why}"),
            Would::DoesNot(why) => format!("no: {why}"),
        };
        more(&format!("clause {}: {what}", place + 1), theme.text, "  ");
    }
    if let Some(left) = answer.left {
        more(&format!("{left} such uses are left before this one"), theme.dim, "  ");
    }
    if answer.rotates {
        more("it would make a newer copy; older ones go stale", theme.dim, "  ");
    }
    for remark in &answer.remarks {
        more(remark, theme.warning, "  ");
    }
    lines.push(Line::default());
    lines.push(Line::styled("Told by what is known here. Nothing was sent.", theme.dim));
    lines
}
