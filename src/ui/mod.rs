//! State in, frame out: the same state at the same moment gives the same screen. Nothing is changed or asked here.

mod content;
mod copy_menu;
mod create;
mod details;
mod empty;
mod facts;
mod family;
mod field;
mod footer;
mod foretold;
mod granted;
mod handing;
mod header;
mod help;
mod history;
mod layout;
mod login;
mod lookup;
mod moments;
mod palette;
mod parts;
mod providers;
mod qr;
mod questions;
mod renewable;
mod revoke;
mod routes;
mod safe;
mod scene;
mod sheet;
#[cfg(test)]
mod still;
mod theme;
mod tokens;
mod tree;
mod verdict;

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

pub use theme::{Colours, Glyphs, Theme};

use self::scene::Scene;
use crate::app::geometry::{Geometry, Shape};
use crate::app::keymap;
use crate::app::overlay::Overlay;
use crate::app::state::{Pane, State};

/// Draws the whole screen: header, panes, message, keys, then what lies over them.
pub fn draw(frame: &mut Frame<'_>, state: &State, theme: &Theme, now: Timestamp) {
    let live = keymap::live(state);
    let scene = Scene { state, theme, now, live: &live };
    let cursor = paint(frame.buffer_mut(), scene);
    if let Some(cursor) = cursor.filter(|cursor| frame.area().contains(*cursor)) {
        frame.set_cursor_position(cursor);
    }
}

/// Paints everything; where the cursor stands, if something is typed.
fn paint(buf: &mut Buffer, scene: Scene<'_>) -> Option<Position> {
    let geometry = Geometry::of(scene.state);
    let screen = buf.area;
    if screen.is_empty() {
        return None;
    }
    let cursor = if geometry.shape == Shape::Sentence {
        footer::too_small(buf, scene);
        None
    } else {
        header::draw(buf, layout::rect(geometry.header, screen), scene);
        header::banner(buf, layout::rect(geometry.banner, screen), scene);
        // Under something else a pane's keys do not work, and are not shown.
        let under = scene.state.overlays.iter().any(|overlay| !matches!(overlay, Overlay::Filter(_)));
        let below = if under { Scene { live: &[], ..scene } } else { scene };
        for pane in Pane::ALL {
            let area = layout::rect(geometry.pane(pane), screen);
            if !area.is_empty() {
                draw_pane(buf, area, pane, below);
            }
        }
        footer::message(buf, layout::rect(geometry.notice, screen), scene);
        footer::keys(buf, layout::rect(geometry.footer, screen), scene);
        let mut cursor = None;
        for overlay in &scene.state.overlays {
            let area = layout::rect(geometry.overlay(overlay), screen);
            cursor = draw_overlay(buf, area, &geometry, overlay, scene);
        }
        cursor
    };
    if scene.theme.glyphs == Glyphs::Ascii {
        to_ascii(buf);
    }
    cursor
}

fn draw_pane(buf: &mut Buffer, area: Rect, pane: Pane, scene: Scene<'_>) {
    match pane {
        Pane::Providers => providers::draw(buf, area, scene),
        Pane::Tokens => tokens::draw(buf, area, scene),
        Pane::Lookup => lookup::draw(buf, area, scene),
        Pane::History => history::draw(buf, area, scene),
    }
}

fn draw_overlay(
    buf: &mut Buffer,
    area: Rect,
    geometry: &Geometry,
    overlay: &Overlay,
    scene: Scene<'_>,
) -> Option<Position> {
    match overlay {
        Overlay::Help(list) => help::draw(buf, area, list, scene),
        Overlay::Palette(palette) => return palette::draw(buf, area, palette, scene),
        Overlay::CopyMenu(id, list) => copy_menu::draw(buf, area, id, list, scene),
        Overlay::Details(_, list)
        | Overlay::Content(list)
        | Overlay::Member(_, list)
        | Overlay::Event(_, list)
        | Overlay::Introspected(_, list)
        | Overlay::Announced(_, list)
        | Overlay::Active(_, list)
        | Overlay::Compared(_, list)
        | Overlay::Userinfo(_, list) => return details::draw(buf, area, overlay, list, scene),
        Overlay::Login(login) => return login::draw(buf, area, login, scene),
        Overlay::WhichProvider(which) => questions::which_provider(buf, area, which, scene),
        Overlay::WhichClient(which) => return questions::which_client(buf, area, which, scene),
        Overlay::Registered(registered, _) => granted::registered(buf, area, registered, scene),
        Overlay::Create(form) => return create::draw(buf, area, form, scene),
        Overlay::Granted(report) => granted::draw(buf, area, report, scene),
        Overlay::Failed(failure) => questions::failed(buf, area, failure, scene),
        Overlay::Paste(field) => return questions::paste(buf, area, field, scene),
        Overlay::MayAsk(server, _) => questions::may_ask(buf, area, server, scene),
        Overlay::KeepAs(specimen, field) => {
            return questions::keep_as(buf, area, specimen, field, scene);
        }
        Overlay::AddProvider(field) => return questions::add_provider(buf, area, field, scene),
        Overlay::Revoke(revoke) => return revoke::draw(buf, area, revoke, scene),
        Overlay::Guarding(choosing) => return safe::guarding(buf, area, choosing, scene),
        Overlay::Unlock(question) => return safe::unlock(buf, area, question, scene),
        Overlay::Rename(id, field) => return safe::rename(buf, area, id, field, scene),
        Overlay::QuitLoses(loss) => questions::quit_loses(buf, area, loss, scene),
        Overlay::Family(window) => return family::draw(buf, area, window, scene),
        Overlay::Sheet(sheet) => return sheet::draw(buf, area, sheet, scene),
        Overlay::Handing(handing) => handing::draw(buf, area, handing, scene),
        Overlay::Filter(field) => {
            return footer::filter(buf, layout::rect(geometry.notice, buf.area), field, scene);
        }
    }
    None
}

/// What the locale cannot show is replaced, cell by cell: also in the names that others have given.
fn to_ascii(buf: &mut Buffer) {
    for cell in &mut buf.content {
        if cell.symbol().is_ascii() {
            continue;
        }
        let plain = match cell.symbol() {
            "…" => "~",
            "·" | "–" | "—" => "-",
            "›" => ">",
            "‘" | "’" => "'",
            "×" => "x",
            _ => "?",
        };
        cell.set_symbol(plain);
    }
}
