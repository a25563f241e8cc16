//! Moving through lists and panes, by key and by mouse.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use super::settle::scrolled;
use crate::app::action::Action;
use crate::app::create::Over;
use crate::app::effect::Effect;
use crate::app::geometry::Geometry;
use crate::app::overlay::{List, Overlay};
use crate::app::state::{Pane, State};
use crate::app::{content, copy, history, lookup, palette};
use crate::domain::credential::CredentialId;

/// Moves in the topmost list over the board, else in the focused pane.
pub(super) fn step(state: &mut State, action: Action) {
    match state.overlays.last() {
        Some(Overlay::Filter(_)) | None => in_pane(state, action),
        Some(Overlay::Create(form)) if matches!(form.over, Over::Nothing) => {
            let back = action == Action::Up;
            if let Some(Overlay::Create(form)) = state.overlays.last_mut() {
                form.step(back);
            }
        }
        Some(_) => in_overlay(state, action),
    }
}

/// Puts the focus on a pane.
pub(super) fn focus(state: &mut State, pane: Pane) {
    if state.focus != pane {
        state.focus = pane;
        state.history.selected = 0;
    }
}

/// Puts the focus on the pane so many places further on.
pub(super) fn focus_by(state: &mut State, places: usize) {
    let next = (state.focus.index() + places) % Pane::ALL.len();
    if let Some(pane) = Pane::ALL.get(next) {
        focus(state, *pane);
    }
}

/// Selects a credential; panes 3 and 4 start anew with it.
pub(super) fn select_token(state: &mut State, id: Option<CredentialId>) {
    if state.tokens.selected != id {
        state.tokens.selected = id;
        state.history.selected = 0;
        if state.lookup.pasted.is_none() {
            state.lookup.offset = 0;
        }
        // A price that was said of another row must not be paid for this one.
        state.price = None;
    }
}

fn in_pane(state: &mut State, action: Action) {
    let geometry = Geometry::of(state);
    let page = geometry.rows(state.focus);
    match state.focus {
        Pane::Providers => {
            let len = state.providers.rows.len();
            state.providers.selected = moved(state.providers.selected, len, page, action);
        }
        Pane::Tokens => {
            let at = moved(state.tokens.place, state.tokens.rows.len(), page, action);
            select_row(state, at);
        }
        Pane::Lookup => {
            let len = lookup::most_lines(state).saturating_sub(page) + 1;
            state.lookup.offset = moved(state.lookup.offset, len, page, action);
        }
        Pane::History => {
            let len = history::on_show(state).len();
            state.history.selected = moved(state.history.selected, len, page, action);
        }
    }
}

fn select_row(state: &mut State, at: usize) {
    let id = state.in_row(at).map(|held| held.id.clone());
    if id.is_some() {
        select_token(state, id);
        state.tokens.place = at;
    }
}

fn in_overlay(state: &mut State, action: Action) {
    let Some(top) = state.overlays.last() else { return };
    let area = Geometry::of(state).reading(top);
    let (height, width) = (usize::from(area.height), usize::from(area.width));
    let lines = match top {
        Overlay::Help(_) => palette::help(state).len(),
        Overlay::Palette(palette) => palette::matches(state, palette.field.value()).len(),
        Overlay::CopyMenu(..) => copy::menu_rows(state).len(),
        Overlay::Details(..)
        | Overlay::Content(_)
        | Overlay::Member(..)
        | Overlay::Event(..)
        | Overlay::Userinfo(..)
        | Overlay::Introspected(..)
        | Overlay::Announced(..)
        | Overlay::Active(..)
        | Overlay::Compared(..) => content::of_overlay(state, top, width).map_or(0, |lines| lines.len()),
        Overlay::WhichProvider(which) => which.choices.len(),
        Overlay::WhichClient(which) => which.lines(),
        Overlay::Guarding(choosing) => choosing.answers().len(),
        Overlay::Create(form) => match &form.over {
            Over::Scopes(picking) => picking.scopes.len(),
            Over::Nothing | Over::ProfileName(_) => return,
        },
        Overlay::Family(window) => window.len(),
        _ => return,
    };
    match state.overlays.last_mut() {
        Some(
            Overlay::Help(list)
            | Overlay::CopyMenu(_, list)
            | Overlay::Details(_, list)
            | Overlay::Active(_, list)
            | Overlay::Compared(_, list)
            | Overlay::Content(list),
        ) => {
            list.selected = moved(list.selected, lines, height, action);
            list.offset = scrolled(list.offset, list.selected, lines, height);
        }
        Some(
            Overlay::Member(_, list)
            | Overlay::Event(_, list)
            | Overlay::Userinfo(_, list)
            | Overlay::Introspected(_, list)
            | Overlay::Announced(_, list),
        ) => {
            read_on(list, lines, height, action);
        }
        Some(Overlay::Family(window)) => {
            let list = &mut window.list;
            list.selected = moved(list.selected, lines, height, action);
            list.offset = scrolled(list.offset, list.selected, lines, height);
        }
        Some(Overlay::Palette(palette)) => palette.selected = moved(palette.selected, lines, height, action),
        Some(Overlay::WhichProvider(which)) => which.selected = moved(which.selected, lines, height, action),
        Some(Overlay::Guarding(choosing)) => {
            let at = moved(choosing.place(), lines, height, action);
            choosing.moved = true;
            if let Some(answer) = choosing.answers().get(at) {
                choosing.selected = *answer;
            }
        }
        Some(Overlay::WhichClient(which)) => which.selected = moved(which.selected, lines, height, action),
        Some(Overlay::Create(form)) => {
            if let Over::Scopes(picking) = &mut form.over {
                picking.selected = moved(picking.selected, lines, height, action);
                picking.offset = scrolled(picking.offset, picking.selected, lines, height);
            }
        }
        _ => {}
    }
}

/// Text to read has no selected line: it is the first line on screen that moves.
fn read_on(list: &mut List, lines: usize, height: usize, action: Action) {
    list.offset = moved(list.offset, lines.saturating_sub(height) + 1, height, action);
    list.selected = list.offset;
}

fn moved(at: usize, len: usize, page: usize, action: Action) -> usize {
    let page = page.saturating_sub(1).max(1);
    let to = match action {
        Action::Up => at.saturating_sub(1),
        Action::Down => at.saturating_add(1),
        Action::PageUp => at.saturating_sub(page),
        Action::PageDown => at.saturating_add(page),
        Action::First => 0,
        Action::Last => len,
        _ => at,
    };
    to.min(len.saturating_sub(1))
}

/// A click selects pane and row; the wheel moves in what lies under it. Nothing is ever done by the mouse.
pub(super) fn mouse(state: &mut State, event: MouseEvent) -> Vec<Effect> {
    let wheel = match event.kind {
        MouseEventKind::Down(MouseButton::Left) => None,
        MouseEventKind::ScrollDown => Some(Action::Down),
        MouseEventKind::ScrollUp => Some(Action::Up),
        _ => return Vec::new(),
    };
    if !state.overlays.is_empty() {
        if let Some(action) = wheel {
            step(state, action);
        }
        return Vec::new();
    }
    let geometry = Geometry::of(state);
    let Some(pane) = geometry.pane_at(event.column, event.row) else { return Vec::new() };
    state.price = None;
    focus(state, pane);
    match wheel {
        Some(action) => in_pane(state, action),
        None => click(state, &geometry, pane, event.row),
    }
    Vec::new()
}

fn click(state: &mut State, geometry: &Geometry, pane: Pane, row: u16) {
    let inner = geometry.pane(pane).inner();
    let head = usize::from(inner.height) - geometry.rows(pane).min(usize::from(inner.height));
    let Some(line) = row.checked_sub(inner.y).and_then(|line| usize::from(line).checked_sub(head)) else {
        return;
    };
    if line >= geometry.rows(pane) {
        return;
    }
    match pane {
        Pane::Providers if state.providers.offset + line < state.providers.rows.len() => {
            state.providers.selected = state.providers.offset + line;
        }
        Pane::Tokens => select_row(state, state.tokens.offset + line),
        Pane::History if state.history.offset + line < history::on_show(state).len() => {
            state.history.selected = state.history.offset + line;
        }
        Pane::Providers | Pane::History | Pane::Lookup => {}
    }
}
