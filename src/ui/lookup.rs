//! How the Mytoken pane looks: the verdict on what is on show, then what is known of it.

use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::facts::TALL;
use super::parts::{self, Panel, fitting, put_row, two_sided, width_of, wrap};
use super::scene::{Scene, host, labelled, under_label};
use super::verdict::LABEL;
use super::{content, empty, facts, verdict};
use crate::app::action::Action;
use crate::app::effect::Finding;
use crate::app::lookup::{self, Pasted, Shown, on_show};
use crate::app::state::Pane;
use crate::domain::credential::{Chain, Health, Held, HeldAccess, Life};
use crate::domain::introspected::Said;
use crate::domain::specimen::Kind;
use crate::domain::time::{ago, countdown};
use crate::domain::untrusted::{Untrusted, cleaned};
use crate::domain::vault::Access;
use crate::domain::verdict::{Standing, Verdict};

pub(super) fn draw(buf: &mut Buffer, area: Rect, scene: Scene<'_>) {
    let theme = scene.theme;
    let focused = scene.has_focus(Pane::Lookup);
    let shown = on_show(scene.state, scene.now);
    let (name, of) = match &shown {
        Shown::Nothing => ("Mytoken", None),
        Shown::Pasted(pasted, _) => (kind_name(&pasted.specimen.kind), Some("pasted")),
        Shown::Mytoken { held, .. } => ("Mytoken", Some(held.name.as_str())),
        Shown::Locked(held) if matches!(held.chain, Chain::Mytoken { .. }) => {
            ("Mytoken", Some(held.name.as_str()))
        }
        Shown::Locked(held) | Shown::Login { held, .. } => ("Token", Some(held.name.as_str())),
    };
    let title = scene.pane_title(Pane::Lookup, name, of);
    let inside = Panel { title, focused, ..Panel::default() }.draw(buf, area, theme);
    let size = (usize::from(inside.width), usize::from(inside.height));
    let (lines, foot) = match shown {
        Shown::Nothing => return empty::lookup(buf, inside, scene),
        Shown::Pasted(pasted, verdict) => about_pasted(pasted, verdict.as_ref(), size, scene),
        Shown::Mytoken { held, facts, verdict, heard } => {
            let mut lines = verdict::lines(&verdict, size.0, scene);
            air(&mut lines, size);
            lines.extend(facts::lines(facts, Some(held), size, scene));
            (lines, foot(heard, size.0, scene))
        }
        Shown::Locked(held) => (about_locked(held, size, scene), Line::default()),
        Shown::Login { held, access } => (about_login(held, access, size, scene), Line::default()),
    };
    // The last line is the foot's, as long as that leaves the verdict its place.
    let foot_rows = usize::from(size.1 > 5 && foot.width() > 0);
    let room = size.1 - foot_rows;
    let offset = scene.state.lookup.offset.min(lines.len().saturating_sub(room));
    let below = lines.len().saturating_sub(offset + room);
    for (row, line) in lines.into_iter().skip(offset).take(room).enumerate() {
        put_row(buf, inside, row, line, theme);
    }
    if foot_rows == 1 {
        put_row(buf, inside, size.1 - 1, foot, theme);
    }
    more_below(buf, area, below, scene);
}

/// Says on the lower edge of a frame how many lines are out of sight.
pub(super) fn more_below(buf: &mut Buffer, area: Rect, below: usize, scene: Scene<'_>) {
    if below == 0 || area.height < 3 {
        return;
    }
    let text = format!(" {below} more ");
    let x = area.right().saturating_sub(parts::columns(text.len()) + 2);
    parts::put_on_edge(buf, x, area.bottom() - 1, &Line::styled(text, scene.theme.dim));
}

fn kind_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Mytoken(_) => "Mytoken",
        Kind::AccessToken(_) => "Access token",
        Kind::IdToken(_) => "ID token",
        Kind::RefreshToken(_) => "Refresh token",
        Kind::MaybeShortToken | Kind::MaybeTransferCode | Kind::OtherJwt(_) | Kind::Opaque => "Token",
        Kind::Garbled { .. } => "Text",
    }
}

type Body<'a> = (Vec<Line<'a>>, Line<'a>);

fn about_pasted<'a>(
    pasted: &'a Pasted,
    verdict: Option<&Verdict>,
    size: (usize, usize),
    scene: Scene<'a>,
) -> Body<'a> {
    let (width, _) = size;
    let theme = scene.theme;
    let mut lines = match verdict {
        Some(verdict) => verdict::lines(verdict, width, scene),
        None => vec![Line::styled(format!("{} LOOKING IT UP", theme.signs.waiting), theme.ending)],
    };
    let finding = pasted.finding.as_ref();
    air(&mut lines, size);
    let facts = finding.and_then(|finding| finding.facts.as_deref());
    let known = facts.is_some() || verdict.is_some_and(|verdict| verdict.standing == Standing::NotMytoken);
    // On a small screen the title and the verdict have said it.
    if !known || size.1 >= TALL {
        let is = what_it_is(pasted, width.saturating_sub(LABEL));
        lines.extend(under_label("is", LABEL, wrapped(&is, width, theme.text), theme));
    }
    if let Some(here) =
        finding.and_then(|finding| finding.held_as.as_ref()).and_then(|id| scene.state.held(id))
    {
        let name = Span::styled(cleaned(&here.name), theme.strong);
        lines.push(labelled("held", LABEL, [Span::raw("here as "), name], theme));
    }
    match (&pasted.specimen.kind, facts) {
        (_, Some(facts)) => lines.extend(facts::lines(facts, None, size, scene)),
        (Kind::Mytoken(facts), None) => lines.extend(facts::lines(facts, None, size, scene)),
        (
            Kind::AccessToken(jwt) | Kind::IdToken(jwt) | Kind::RefreshToken(jwt) | Kind::OtherJwt(jwt),
            None,
        ) => {
            let signature = finding.and_then(|finding| finding.signature.as_deref());
            lines.extend(content::lines(jwt, signature, width, scene));
        }
        (Kind::MaybeShortToken | Kind::MaybeTransferCode | Kind::Opaque | Kind::Garbled { .. }, None) => {}
    }
    (lines, pasted_foot(finding, width, scene))
}

/// What it is and how long; the length is given up before the line is broken.
fn what_it_is(pasted: &Pasted, room: usize) -> String {
    let length = format!("{} characters", parts::grouped(pasted.specimen.value.len()));
    match pasted.finding.as_ref().map(|finding| cleaned(&finding.what)).filter(|what| !what.is_empty()) {
        Some(what) => fitting(&[&format!("{what}, {length}"), &what], room).to_owned(),
        None => length,
    }
}

/// Text under a label, broken into the lines that fit beside it.
fn wrapped(text: &str, width: usize, style: Style) -> Vec<(String, Style)> {
    wrap(text, width.saturating_sub(LABEL)).into_iter().map(|text| (text, style)).collect()
}

/// A login, or an access token alone: how the token stands, and what it contains.
fn about_login<'a>(
    held: &'a Held,
    access: Option<&HeldAccess>,
    size: (usize, usize),
    scene: Scene<'a>,
) -> Vec<Line<'a>> {
    let (width, _) = size;
    let theme = scene.theme;
    let mut lines = vec![standing(held, width, scene)];
    match &held.health {
        Health::Ok => {}
        Health::InDoubt(why) => lines.extend(trouble("in doubt", why, width, scene)),
        Health::NeedsLogin(why) => lines.extend(trouble("log in again", why, width, scene)),
        Health::Dead(why) => lines.extend(trouble("dead", why, width, scene)),
    }
    air(&mut lines, size);
    if let Some(access) = access {
        lines.extend(granted(access, width, scene));
        if let Some(jwt) = &access.content {
            let signature = lookup::signature_of(scene.state, held);
            lines.extend(content::lines(jwt, signature, width, scene));
        } else {
            let length = parts::grouped(access.length);
            let says = format!("{length} characters that only its provider can read");
            lines.push(labelled("is", LABEL, [Span::raw(says)], theme));
            lines.extend(introspected(width, scene));
        }
    } else {
        let who = held.identity.as_ref().and_then(|who| who.label.as_ref());
        lines.extend(who.map(|who| labelled("as", LABEL, [Span::raw(who.shown())], theme)));
        lines.push(labelled("for", LABEL, [Span::raw(scene.source_name(&held.source))], theme));
    }
    lines.push(facts::kept(held, scene));
    lines
}

/// What its provider said of an opaque token.
fn introspected<'a>(width: usize, scene: Scene<'a>) -> Vec<Line<'a>> {
    let theme = scene.theme;
    let Some(introspected) = lookup::introspected(scene.state) else { return Vec::new() };
    let (sign, style) = match introspected.said {
        Said::Active(_) => (theme.signs.ok, theme.ok),
        Said::NotActive => (theme.signs.wrong, theme.wrong),
        Said::Nothing(_) => (theme.signs.unknown, theme.ending),
    };
    let words = wrap(&format!("{sign} {}", introspected.words()), width);
    let mut lines: Vec<Line<'a>> = words.into_iter().map(|line| Line::styled(line, style)).collect();
    lines.extend(
        introspected.claims().map(|claims| content::claims(claims, width, scene)).unwrap_or_default(),
    );
    lines
}

/// What can be read of it while the store is locked: when it ends, where it is from, how it fares.
fn about_locked<'a>(held: &Held, size: (usize, usize), scene: Scene<'a>) -> Vec<Line<'a>> {
    let (width, _) = size;
    let theme = scene.theme;
    let mut lines = vec![standing(held, width, scene)];
    match &held.health {
        Health::Ok => {}
        Health::InDoubt(why) => lines.extend(trouble("in doubt", why, width, scene)),
        Health::NeedsLogin(why) => lines.extend(trouble("log in again", why, width, scene)),
        Health::Dead(why) => lines.extend(trouble("dead", why, width, scene)),
    }
    air(&mut lines, (width, size.1));
    lines.push(labelled("for", LABEL, [Span::raw(scene.source_name(&held.source))], theme));
    if let Some(end) = held.chain_ends() {
        let until = format!("renewable until {}", scene.moment(end));
        lines.push(labelled("then", LABEL, [Span::raw(until)], theme));
    }
    lines.push(facts::kept(held, scene));
    lines.push(Line::default());
    let says = if scene.state.wallet.vault.access == Access::Locked {
        "Locked: whom it speaks for and what it may do is sealed."
    } else {
        "Being read."
    };
    lines.extend(wrap(says, width).into_iter().map(|text| Line::styled(text, theme.dim)));
    lines.push(Line::from(scene.hint(Action::Unlock, "unlocks the store")));
    lines
}

fn trouble<'a>(word: &str, why: &str, width: usize, scene: Scene<'a>) -> Vec<Line<'a>> {
    let text = format!("{word}: {}", cleaned(why));
    let line = |text: String| Line::from(vec![Span::raw("  "), Span::styled(text, scene.theme.warning)]);
    wrap(&text, width.saturating_sub(2)).into_iter().map(line).collect()
}

/// The headline of an access token: the same form as a verdict's.
fn standing<'a>(held: &Held, width: usize, scene: Scene<'a>) -> Line<'a> {
    let theme = scene.theme;
    let (sign, style, word, rest) = match held.life(scene.now) {
        Life::Live(_) => (theme.signs.ok, theme.ok, "LIVE", "access token".to_owned()),
        Life::Ending(_) => (theme.signs.waiting, theme.ending, "ENDING", "access token".to_owned()),
        Life::Expired(seconds) => {
            let since = jiff::SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
            (theme.signs.wrong, theme.wrong, "EXPIRED", ago(since))
        }
        Life::Unknown => (theme.signs.unknown, theme.ending, "UNKNOWN END", "access token".to_owned()),
        Life::None => (theme.signs.none, theme.dim, "NO ACCESS TOKEN", "yet".to_owned()),
    };
    let left = Line::from(vec![Span::styled(format!("{sign} {word}"), style), Span::raw(format!(" {rest}"))]);
    let Some(end) = held.chief().and_then(|access| access.expires) else { return left };
    let mut right = vec![Span::styled(scene.moment(end), theme.dim)];
    if end > scene.now {
        let mut full = vec![
            Span::styled("ends in ", theme.dim),
            Span::styled(countdown(scene.left(end)), theme.strong),
            Span::raw("  "),
        ];
        full.append(&mut right);
        right = full;
    }
    two_sided(left, Line::from(right), width, 18, theme)
}

/// Scopes asked and not granted; those granted stand in the content, or here where there is none to read.
fn granted<'a>(access: &HeldAccess, width: usize, scene: Scene<'a>) -> Vec<Line<'a>> {
    let theme = scene.theme;
    let mut lines = Vec::new();
    let in_content = access.content.as_ref().is_some_and(|jwt| jwt.claims.contains_key("scope"));
    if let (false, Some(granted)) = (in_content, &access.granted) {
        let text = granted.iter().map(Untrusted::shown).collect::<Vec<_>>().join(" ");
        lines.extend(under_label("may", LABEL, wrapped(&text, width, theme.text), theme));
    }
    let missing = facts::missing(&access.ask.scopes, access.granted.as_deref());
    if !missing.is_empty() {
        let text = format!("asked for and not granted: {}", missing.join(" "));
        lines.extend(under_label("not", LABEL, wrapped(&text, width, theme.warning), theme));
    }
    lines
}

/// A blank line between the verdict and the rest, where there is room for air.
fn air(lines: &mut Vec<Line<'_>>, (_, height): (usize, usize)) {
    if height >= TALL {
        lines.push(Line::default());
    }
}

/// The last line about a held mytoken: when its server was heard, what asking takes, and the key.
fn foot(heard: Option<Timestamp>, width: usize, scene: Scene<'_>) -> Line<'_> {
    if scene.state.lookup.task.is_some() {
        return asking(scene);
    }
    let words = if heard.is_some() { "again" } else { "look up" };
    let hint = scene.hint(Action::AskServer, words);
    let room = width.saturating_sub(width_of(&hint) + 2);
    let Some(heard) = heard else {
        return said_and_key("looking it up costs nothing", hint, width, scene);
    };
    let ago = ago(scene.now.duration_since(heard).max(SignedDuration::ZERO));
    let long = format!("looked up {ago}; looking again costs nothing");
    let brief = format!("looked up {ago}; again costs nothing");
    let said = fitting(&[&long, &brief, &format!("looked up {ago}")], room).to_owned();
    said_and_key(&said, hint, width, scene)
}

/// The last line about something pasted: whom it would be shown to, or that it can be kept.
fn pasted_foot<'a>(finding: Option<&Finding>, width: usize, scene: Scene<'a>) -> Line<'a> {
    if scene.state.lookup.task.is_some() {
        return asking(scene);
    }
    if let Some(server) = finding.and_then(|finding| finding.may_ask.as_ref()) {
        let said = format!("{} was not asked", host(&Untrusted::from(server.as_str())));
        return said_and_key(&said, scene.hint(Action::AskServer, "ask it"), width, scene);
    }
    said_and_key("pasted, not kept", scene.hint(Action::Keep, "keep it"), width, scene)
}

fn asking(scene: Scene<'_>) -> Line<'_> {
    Line::styled(format!("asking its server{}", scene.theme.signs.ellipsis), scene.theme.dim)
}

fn said_and_key<'a>(said: &str, hint: Vec<Span<'a>>, width: usize, scene: Scene<'a>) -> Line<'a> {
    let said = Line::styled(said.to_owned(), scene.theme.dim);
    two_sided(said, Line::from(hint), width, 12, scene.theme)
}
