//! What is known of a mytoken, line by line: for whom, what it may do, under which restrictions, how it renews itself.

use jiff::SignedDuration;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::parts::{cell, fitting, wrap};
use super::scene::{Scene, host, labelled, under_label};
use super::verdict::LABEL;
use crate::domain::credential::{Custody, Health, Held};
use crate::domain::mytoken::{Capability, Clause, Facts};
use crate::domain::time::countdown;
use crate::domain::untrusted::{Untrusted, cleaned};

/// From this height on a pane has room for more than the essence.
pub(super) const TALL: usize = 13;

/// The lines about a mytoken; `held` where it is held here.
pub(super) fn lines<'a>(
    facts: &Facts,
    held: Option<&Held>,
    size: (usize, usize),
    scene: Scene<'a>,
) -> Vec<Line<'a>> {
    let theme = scene.theme;
    let (width, height) = size;
    let mut lines = Vec::new();
    let who = who(facts, held).map(|who| labelled("as", LABEL, [Span::raw(who)], theme));
    // On a small screen what it may do comes first: whose it is seldom changes.
    let (first, later) = if height >= TALL { (who, None) } else { (None, who) };
    lines.extend(first);
    let mut at = String::new();
    if !facts.provider.is_empty() {
        at = scene.issuer_name(&facts.provider);
    }
    if !facts.server.is_empty() {
        let server = scene.issuer_name(&facts.server);
        at = if at.is_empty() { format!("at {server}") } else { format!("{at}, at {server}") };
    }
    if !at.is_empty() {
        lines.push(labelled("for", LABEL, [Span::raw(at)], theme));
    }
    lines.extend(may(&facts.capabilities, width, height, scene));
    lines.extend(only(facts, width, scene));
    lines.extend(turns(facts, held, width, scene));
    lines.extend(later);
    if let Some(held) = held {
        lines.push(now(held, scene));
        lines.push(kept(held, scene));
    }
    lines
}

/// Whom it speaks for: a name where one is known, and the subject at its provider.
fn who(facts: &Facts, held: Option<&Held>) -> Option<String> {
    let label = held.and_then(|held| held.identity.as_ref()).and_then(|who| who.label.as_ref());
    let subject = (!facts.subject.is_empty()).then(|| {
        let subject = facts.subject.shown();
        let short = if subject.chars().count() > 16 && subject.is_ascii() {
            format!("{}…", subject.chars().take(4).collect::<String>())
        } else {
            subject
        };
        format!("{short}@{}", host(&facts.provider))
    });
    match (label, subject) {
        (Some(label), Some(subject)) => Some(format!("{}  {subject}", label.shown())),
        (Some(label), None) => Some(label.shown()),
        (None, subject) => subject,
    }
}

/// What it may do, with its plain words where there is room.
fn may<'a>(capabilities: &[Capability], width: usize, height: usize, scene: Scene<'a>) -> Vec<Line<'a>> {
    let theme = scene.theme;
    let room = width.saturating_sub(LABEL);
    if capabilities.is_empty() {
        return Vec::new();
    }
    let names: Vec<String> = capabilities.iter().map(|capability| capability.0.shown()).collect();
    let words: Vec<String> = capabilities.iter().filter_map(Capability::words).collect();
    let (joined, said) = (names.join("  "), words.join(", "));
    if joined.width() + 3 + said.width() <= room {
        let spans = [Span::raw(joined), Span::raw("   "), Span::styled(said, theme.dim)];
        return vec![labelled("may", LABEL, spans, theme)];
    }
    if height < TALL {
        let lines = wrap(&joined, room).into_iter().map(|text| (text, theme.text)).collect();
        return under_label("may", LABEL, lines, theme);
    }
    let widest = names.iter().map(|name| name.width()).max().unwrap_or(0).min(24);
    let label = |row| if row == 0 { "may" } else { "" };
    capabilities
        .iter()
        .enumerate()
        .map(|(row, capability)| {
            let name = cell(&capability.0.shown(), widest, theme.text, theme);
            let words = capability.words().unwrap_or_else(|| "not known to toktui".to_owned());
            labelled(label(row), LABEL, [name, Span::raw("  "), Span::styled(words, theme.dim)], theme)
        })
        .collect()
}

/// Under which restrictions: any one of several clauses is enough.
fn only<'a>(facts: &Facts, width: usize, scene: Scene<'a>) -> Vec<Line<'a>> {
    let theme = scene.theme;
    let room = width.saturating_sub(LABEL);
    let clauses = &facts.restrictions;
    let mut texts: Vec<(String, Style)> = Vec::new();
    match clauses.as_slice() {
        [] => texts.push(("unrestricted".to_owned(), theme.dim)),
        [one] => clause(one, room, "", scene, &mut texts),
        many => {
            texts.push((format!("as any one of these {} allows:", many.len()), theme.dim));
            for one in many {
                clause(one, room, "- ", scene, &mut texts);
            }
        }
    }
    under_label("only", LABEL, texts, theme)
}

fn clause(clause: &Clause, room: usize, bullet: &str, scene: Scene<'_>, texts: &mut Vec<(String, Style)>) {
    let theme = scene.theme;
    let listed =
        |words: &[Untrusted], with: &str| words.iter().map(Untrusted::shown).collect::<Vec<_>>().join(with);
    let mut said: Vec<(String, Style)> = Vec::new();
    if let Some(scopes) = &clause.scopes {
        let scopes = if scopes.is_empty() { "no scope".to_owned() } else { listed(scopes, " ") };
        said.push((scopes, theme.text));
    }
    if let Some(audiences) = &clause.audiences {
        said.push((format!("for {}", listed(audiences, ", ")), theme.text));
    }
    if let Some((left, most)) = clause.left_at().zip(clause.uses_at) {
        said.push((format!("{left} of {most} access tokens left"), spent(left, scene)));
    }
    if let Some((left, most)) = clause.left_other().zip(clause.uses_other) {
        said.push((format!("{left} of {most} other uses left"), spent(left, scene)));
    }
    if let Some(hosts) = &clause.hosts {
        said.push((format!("from {}", listed(hosts, ", ")), theme.text));
    }
    if let Some(countries) = &clause.countries_allowed {
        said.push((format!("in {}", listed(countries, ", ")), theme.text));
    }
    if let Some(countries) = &clause.countries_refused {
        said.push((format!("not in {}", listed(countries, ", ")), theme.text));
    }
    let span = match (clause.not_before, clause.expires) {
        (Some(start), Some(end)) => Some(format!("{} to {}", scene.moment(start), scene.moment(end))),
        (Some(start), None) => Some(format!("from {} on", scene.moment(start))),
        (None, Some(end)) => Some(format!("until {}", scene.moment(end))),
        (None, None) => None,
    };
    said.extend(span.map(|span| (span, theme.text)));
    if !clause.unknown.is_empty() {
        let names = listed(&clause.unknown, ", ");
        said.push((format!("and {names}, which toktui does not know"), theme.warning));
    }
    if said.is_empty() {
        said.push(("anything".to_owned(), theme.dim));
    }
    let mut before = bullet;
    for (text, style) in said {
        for line in wrap(&text, room.saturating_sub(bullet.len())) {
            texts.push((format!("{before}{line}"), style));
            before = if bullet.is_empty() { "" } else { "  " };
        }
    }
}

fn spent(left: u64, scene: Scene<'_>) -> Style {
    if left == 0 { scene.theme.dead } else { scene.theme.text }
}

/// How it renews itself.
fn turns<'a>(facts: &Facts, held: Option<&Held>, width: usize, scene: Scene<'a>) -> Vec<Line<'a>> {
    let theme = scene.theme;
    let Some(rotation) = facts.rotation.filter(|rotation| rotation.rotates()) else { return Vec::new() };
    let on = match (rotation.on_at, rotation.on_other) {
        (true, true) => "over on every use",
        (true, false) => "over on every access token",
        (false, _) => "over on every use but access tokens",
    };
    let room = width.saturating_sub(LABEL);
    let said = match (facts.copy, held) {
        (Some(copy), Some(held)) if !matches!(held.health, Health::Dead(_)) => {
            let full = format!("{on}; copy {copy}, the newest here");
            fitting(&[&full, &format!("over on use; copy {copy}, the newest")], room).to_owned()
        }
        (Some(copy), _) => format!("{on}; this is copy {copy}"),
        (None, _) => on.to_owned(),
    };
    let mut texts: Vec<(String, Style)> = Vec::new();
    let mut say =
        |text: &str, style: Style| texts.extend(wrap(text, room).into_iter().map(|line| (line, style)));
    say(&said, theme.text);
    if let Some(seconds) = rotation.lifetime {
        let span = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
        say(&format!("a copy that is not used lives {}", countdown(span)), theme.text);
    }
    if rotation.auto_revoke {
        say("an older copy in use revokes the family", theme.warning);
    }
    under_label("turns", LABEL, texts, theme)
}

/// What there is to copy at this moment.
pub(super) fn now<'a>(held: &Held, scene: Scene<'a>) -> Line<'a> {
    let theme = scene.theme;
    let Some(access) = held.chief() else {
        return labelled("now", LABEL, [Span::styled("no access token yet", theme.dim)], theme);
    };
    let mut spans = match access.expires {
        Some(end) if end <= scene.now => {
            vec![Span::styled(format!("access token, ended {}", scene.exact(end)), theme.dim)]
        }
        Some(end) => vec![Span::raw(format!("access token until {}", scene.exact(end)))],
        None => vec![Span::raw("access token, its end is not known")],
    };
    let missing = missing(&access.ask.scopes, access.granted.as_deref());
    if !missing.is_empty() {
        spans.push(Span::styled(format!(", without {}", missing.join(" ")), theme.warning));
    } else if access.granted.is_some() {
        spans.push(Span::styled(", as asked", theme.dim));
    }
    labelled("now", LABEL, spans, theme)
}

/// Scopes that were asked for and not granted. `offline_access` is a wish about the refresh token and is
/// often left out of an answer that granted it.
pub(super) fn missing<'b>(
    asked: impl IntoIterator<Item = &'b String>,
    granted: Option<&[Untrusted]>,
) -> Vec<String> {
    let Some(granted) = granted else { return Vec::new() };
    asked
        .into_iter()
        .filter(|scope| *scope != "offline_access" && !granted.iter().any(|given| given.raw() == *scope))
        .map(|scope| cleaned(scope))
        .collect()
}

/// Where it is kept.
pub(super) fn kept<'a>(held: &Held, scene: Scene<'a>) -> Line<'a> {
    let theme = scene.theme;
    let span = match &held.custody {
        Custody::Sealed => Span::styled("sealed, on this machine", theme.dim),
        Custody::KeyFile => Span::styled("sealed, and the key lies in a file", theme.warning),
        Custody::Session => Span::styled("sealed for this session of the machine", theme.dim),
        Custody::Unsaved(why) => Span::styled(format!("NOT SAVED: {}", cleaned(why)), theme.dead),
        Custody::MemoryOnly => Span::styled("in memory only: gone when toktui ends", theme.warning),
        Custody::Foreign(origin) => Span::raw(format!("by {}, read-only here", cleaned(origin))),
    };
    labelled("kept", LABEL, [span], theme)
}
