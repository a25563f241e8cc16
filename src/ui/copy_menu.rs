//! The menu of forms: short-lived first, long-lived apart and with what that means; nothing secret is shown.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::parts::{Panel, cell, fitting, grouped, put_row};
use super::scene::Scene;
use crate::app::action::Action;
use crate::app::overlay::List;
use crate::app::{can, copy, price};
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
    let forms = copy::menu_forms(scene.state);
    // Air around the list is given up before a form is.
    let airy = height >= forms.len() + 6;
    let mut row = usize::from(airy);
    let mut told = false;
    for (index, form) in forms.into_iter().enumerate() {
        if form.is_long_lived() && !told {
            told = true;
            row += usize::from(airy);
            put_row(buf, inside, row, long_lived(held, scene), theme);
            row += 1;
        }
        put_row(buf, inside, row, line(form, held, scene), theme);
        if index == list.selected {
            scene.mark_row(buf, inside, row);
        }
        row += 1;
    }
    if row < height {
        put_row(buf, inside, height - 1, goes_to(usize::from(inside.width), scene), theme);
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

fn line<'a>(form: Form, held: &Held, scene: Scene<'a>) -> Line<'a> {
    let theme = scene.theme;
    let key = scene.key(Action::CopyForm(form)).unwrap_or_default();
    let (says, style) = match price_of(form, held, scene) {
        Some(price) => (price, theme.warning),
        None => (says(form, held), if form.is_long_lived() { theme.warning } else { theme.dim }),
    };
    Line::from(vec![
        cell(&key, 4, theme.key, theme),
        cell(form.words(), 22, theme.text, theme),
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
        | Form::Claims
        | Form::IdToken
        | Form::Mytoken
        | Form::RefreshToken => None,
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
        Form::CurlUserinfo => "reads the header from standard input, not from the line".to_owned(),
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
