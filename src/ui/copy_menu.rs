//! The menu of forms: short-lived first, long-lived apart and with what that means; nothing secret is shown.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::lookup::more_below;
use super::parts::{Panel, cell, fitting, grouped, put_row};
use super::scene::Scene;
use crate::app::copy::{self, MenuRow};
use crate::app::overlay::List;
use crate::app::{can, price};
use crate::domain::credential::{Chain, CredentialId, Held};
use crate::domain::form::Form;
use crate::domain::time::countdown;
use crate::domain::untrusted::cleaned;

pub(super) fn draw(buf: &mut Buffer, area: Rect, id: &CredentialId, list: &List, scene: Scene<'_>) {
    let theme = scene.theme;
    let Some(held) = scene.state.held(id) else { return };
    let title = vec![Span::styled(format!("Copy from {}", cleaned(&held.name)), theme.title_focused)];
    let inside =
        Panel { title, aside: aside(held, scene), focused: true, ..Panel::default() }.over(buf, area, theme);
    let height = usize::from(inside.height);
    let rows = copy::menu_rows(scene.state);
    // Air around the list is given up before a row is.
    let airy = height >= rows.len() + 7;
    let mut lines: Vec<(Option<usize>, Line<'_>)> = Vec::new();
    if airy {
        lines.push((None, Line::default()));
    }
    let mut told = false;
    for (index, row) in rows.iter().enumerate() {
        if is_long_lived(*row) && !told {
            told = true;
            if airy {
                lines.push((None, Line::default()));
            }
            lines.push((None, long_lived(held, scene)));
        }
        lines.push((Some(index), line(*row, held, scene)));
    }
    // What does not fit is scrolled to: the selected row is always there.
    let room = height.saturating_sub(usize::from(lines.len() < height));
    let at = lines.iter().position(|(index, _)| *index == Some(list.selected)).unwrap_or(0);
    let first = (at + 1).saturating_sub(room.max(1));
    let below = lines.len().saturating_sub(first + room);
    let mut shown = 0;
    for (row, (index, line)) in lines.into_iter().skip(first).take(room).enumerate() {
        put_row(buf, inside, row, line, theme);
        if index == Some(list.selected) {
            scene.mark_row(buf, inside, row);
        }
        shown = row + 1;
    }
    if shown < height {
        put_row(buf, inside, height - 1, goes_to(usize::from(inside.width), scene), theme);
    }
    more_below(buf, area, below, scene);
}

fn is_long_lived(row: MenuRow) -> bool {
    match row {
        MenuRow::Form(form) => form.is_long_lived(),
        MenuRow::Script(_) => false,
        MenuRow::HandOver => true,
    }
}

fn aside<'a>(held: &Held, scene: Scene<'a>) -> Vec<Span<'a>> {
    let theme = scene.theme;
    match held.chief().map(|access| access.expires) {
        None => vec![Span::styled("no access token yet", theme.dim)],
        Some(None) => vec![Span::styled("its end is not known", theme.dim)],
        Some(Some(end)) if end <= scene.now => vec![Span::styled("access token expired", theme.warning)],
        Some(Some(end)) => vec![
            Span::styled("access token ends in ", theme.dim),
            Span::styled(countdown(scene.left(end)), theme.strong),
        ],
    }
}

fn line<'a>(row: MenuRow, held: &Held, scene: Scene<'a>) -> Line<'a> {
    let theme = scene.theme;
    let key = scene.key(row.action()).unwrap_or_default();
    let (words, says, style) = match row {
        MenuRow::Form(form) => match price_of(form, held, scene) {
            Some(price) => (form.words(), price, theme.warning),
            None if form.is_long_lived() => (form.words(), says(form, held), theme.warning),
            None => (form.words(), says(form, held), theme.dim),
        },
        MenuRow::Script(script) => (script.words(), script.says().to_owned(), theme.dim),
        MenuRow::HandOver if can::hands_subtokens_over(held, scene.state) => {
            ("a subtoken, by code", "once, within minutes: the way to hand it over".to_owned(), theme.dim)
        }
        MenuRow::HandOver => ("by code", "itself: this one may make no subtokens".to_owned(), theme.warning),
    };
    Line::from(vec![
        cell(&key, 4, theme.key, theme),
        cell(words, 22, theme.text, theme),
        Span::raw("  "),
        Span::styled(says, style),
    ])
}

/// What copying it costs, if a new access token must be drawn for it.
fn price_of(form: Form, held: &Held, scene: Scene<'_>) -> Option<String> {
    match form {
        Form::AccessToken | Form::Header if !can::is_fresh(held, scene.state) => {
            price::of_access_token(held, scene.state)
        }
        Form::AccessToken
        | Form::Header
        | Form::CurlUserinfo
        | Form::CurlIntrospection
        | Form::Renewal
        | Form::Claims
        | Form::IdToken
        | Form::Mytoken
        | Form::RefreshToken
        | Form::RenewalWithToken => None,
    }
}

fn says(form: Form, held: &Held) -> String {
    let rotates = match &held.chain {
        Chain::Refresh { rotates, .. } => *rotates,
        Chain::Mytoken { facts, .. } => facts.rotation.is_some_and(crate::domain::mytoken::Rotation::rotates),
        Chain::None => false,
    };
    match form {
        Form::AccessToken => {
            held.chief().map_or_else(String::new, |access| format!("{} characters", grouped(access.length)))
        }
        Form::Header => "Authorization: Bearer …".to_owned(),
        Form::CurlUserinfo => "the header goes through a pipe, not through the line".to_owned(),
        Form::CurlIntrospection => "curl asks for the client's secret; no token in the line".to_owned(),
        Form::Renewal => "a new access token, through toktui".to_owned(),
        Form::RenewalWithToken => "the token stands in the line: shell history, process list".to_owned(),
        Form::Claims => "what it says, without its signature".to_owned(),
        Form::IdToken => "says who you are; for no service but its client".to_owned(),
        Form::Mytoken | Form::RefreshToken if rotates => {
            "rotates on use: a copy elsewhere goes stale".to_owned()
        }
        Form::Mytoken => "draws access tokens wherever it is".to_owned(),
        Form::RefreshToken => "works with the client it was given to".to_owned(),
    }
}

fn long_lived<'a>(held: &Held, scene: Scene<'a>) -> Line<'a> {
    let theme = scene.theme;
    let mut spans = vec![Span::styled("long-lived: whoever has it has it ", theme.dim)];
    match held.chain_ends() {
        Some(end) => spans.extend([
            Span::styled("for ", theme.dim),
            Span::styled(countdown(scene.left(end)), theme.ending),
        ]),
        None => spans.push(Span::styled("until it is revoked", theme.ending)),
    }
    Line::from(spans)
}

fn goes_to(width: usize, scene: Scene<'_>) -> Line<'_> {
    let theme = scene.theme;
    let route = scene.state.seat.clipboard;
    let route = if route.is_empty() { "the clipboard" } else { route };
    let room = width.saturating_sub(9 + route.width() + 5);
    let cleared = match scene.state.seat.clear_after {
        Some(seconds) => format!("cleared after {seconds} s"),
        None => "stays until something else is copied".to_owned(),
    };
    let kept_out = format!("kept out of its history, {cleared}");
    let fates = [kept_out.as_str(), cleared.as_str()];
    let fate = if scene.state.seat.keeps_out { &fates[..] } else { &fates[1..] };
    Line::from(vec![
        Span::styled("goes to  ", theme.label),
        Span::raw(route),
        Span::styled(format!("  {}  {}", theme.signs.dot, fitting(fate, room)), theme.dim),
    ])
}
