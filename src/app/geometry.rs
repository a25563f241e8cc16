//! Where everything stands on the screen: one pure function, shared by the drawing, the paging keys and the mouse.

use super::overlay::Overlay;
use super::sheet::{Asks, Sheet};
use super::state::{Pane, State};
use crate::domain::login::{Compared, Relation, Report};

/// From this size on all four panes are shown.
pub const FOUR_PANES: (u16, u16) = (72, 18);

/// From this size on the focused pane is shown alone; below it stands one sentence.
pub const ONE_PANE: (u16, u16) = (24, 6);

/// The window of all mytokens keeps so many lines at its end: by whose right it was read, and its filter.
pub const FAMILY_FOOT: u16 = 2;

/// A rectangle of cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Area {
    /// Its first column.
    pub x: u16,
    /// Its first row.
    pub y: u16,
    /// Its columns.
    pub width: u16,
    /// Its rows.
    pub height: u16,
}

impl Area {
    /// A rectangle from its corner and size.
    #[must_use]
    pub const fn new(x: u16, y: u16, width: u16, height: u16) -> Self {
        Self { x, y, width, height }
    }

    /// Whether nothing of it is on the screen.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// What is left inside a border of one cell.
    #[must_use]
    pub const fn inner(self) -> Self {
        if self.width < 2 || self.height < 2 {
            return Self { width: 0, height: 0, ..self };
        }
        Self { x: self.x + 1, y: self.y + 1, width: self.width - 2, height: self.height - 2 }
    }

    /// Whether it hides another one.
    #[must_use]
    pub const fn covers(self, other: Self) -> bool {
        self.x <= other.x
            && self.y <= other.y
            && self.x + self.width >= other.x + other.width
            && self.y + self.height >= other.y + other.height
    }

    /// Whether a cell lies in it.
    #[must_use]
    pub const fn contains(self, column: u16, row: u16) -> bool {
        column >= self.x && column - self.x < self.width && row >= self.y && row - self.y < self.height
    }
}

/// How much of the board fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// All four panes.
    Four,
    /// The focused pane alone.
    Alone,
    /// One sentence.
    Sentence,
}

/// Where everything stands. What is not shown has an empty area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// How much of the board fits.
    pub shape: Shape,
    /// The whole screen.
    pub screen: Area,
    /// The first line: counts and clock.
    pub header: Area,
    /// Under it while something could not be written: what, and how to save it.
    pub banner: Area,
    /// The panes with their borders, in the order of [`Pane::ALL`].
    pub panes: [Area; 4],
    /// The message line.
    pub notice: Area,
    /// The line of keys.
    pub footer: Area,
}

impl Geometry {
    /// The geometry of the board as it is now.
    #[must_use]
    pub fn of(state: &State) -> Self {
        let (width, height) = state.size;
        let screen = Area::new(0, 0, width, height);
        if width < ONE_PANE.0 || height < ONE_PANE.1 {
            return Self { shape: Shape::Sentence, ..Self::empty(screen) };
        }
        if width < FOUR_PANES.0 || height < FOUR_PANES.1 {
            return Self::alone(screen, state);
        }
        Self::four(screen, state)
    }

    /// The area of a pane, with its border.
    #[must_use]
    pub fn pane(&self, pane: Pane) -> Area {
        self.panes[pane.index()]
    }

    /// The pane at a cell, if one is shown there.
    #[must_use]
    pub fn pane_at(&self, column: u16, row: u16) -> Option<Pane> {
        Pane::ALL.into_iter().find(|pane| self.pane(*pane).contains(column, row))
    }

    /// How many rows of its list a pane shows: its inside without the line of column names.
    #[must_use]
    pub fn rows(&self, pane: Pane) -> usize {
        let head = usize::from(pane == Pane::Tokens);
        usize::from(self.pane(pane).inner().height).saturating_sub(head)
    }

    /// Where an overlay stands, with its border. The message line and the keys stay visible.
    #[must_use]
    pub fn overlay(&self, overlay: &Overlay) -> Area {
        let (width, height) = wanted(overlay);
        let room = self.screen.height.saturating_sub(if self.screen.height >= 10 { 2 } else { 0 });
        let width = width.min(self.screen.width);
        let height = height.min(room);
        Area::new((self.screen.width - width) / 2, (room - height) / 2, width, height)
    }

    /// Where the text of an overlay stands that is read or chosen from line by line: inside its border and a column
    /// of air, without the lines that it keeps for itself.
    #[must_use]
    pub fn reading(&self, overlay: &Overlay) -> Area {
        let inner = self.overlay(overlay).inner();
        let kept = match overlay {
            // The field and the line under it.
            Overlay::Palette(_) => 2,
            // What the ticked ones mean.
            Overlay::Create(form) if form.picking().is_some() => 2,
            // The names of the columns; what is said of it stands below.
            Overlay::Family(_) => 1,
            _ => 0,
        };
        let below = match overlay {
            Overlay::Family(_) => FAMILY_FOOT.min(inner.height.saturating_sub(kept + 1)),
            _ => 0,
        };
        Area {
            x: inner.x + 1,
            y: inner.y + kept.min(inner.height),
            width: inner.width.saturating_sub(2),
            height: inner.height.saturating_sub(kept + below),
        }
    }

    fn empty(screen: Area) -> Self {
        let none = Area::default();
        Self {
            shape: Shape::Sentence,
            screen,
            header: none,
            banner: none,
            panes: [none; 4],
            notice: none,
            footer: none,
        }
    }

    fn alone(screen: Area, state: &State) -> Self {
        let head = u16::from(screen.height >= 10);
        let banner = u16::from(is_unsaved(state));
        let mut panes = [Area::default(); 4];
        let top = head + banner;
        panes[state.focus.index()] = Area::new(0, top, screen.width, screen.height - top - 2);
        Self {
            shape: Shape::Alone,
            header: Area::new(0, 0, screen.width, head),
            banner: Area::new(0, head, screen.width, banner),
            panes,
            ..Self::empty(screen).with_last_lines()
        }
    }

    fn four(screen: Area, state: &State) -> Self {
        let banner = u16::from(is_unsaved(state));
        let body = screen.height - 3 - banner;
        let first = 1 + banner;
        let top = top_height(body, state);
        let bottom = body - top;
        let wider = i32::from(screen.width) - 80;
        let left =
            if state.is_first_run() { scaled(34, wider, 5) } else { scaled(24, wider, 3) }.clamp(22, 40);
        let middle = scaled(46, wider, 9);
        let (right, rest) = (screen.width - left, screen.width - middle);
        Self {
            shape: Shape::Four,
            header: Area::new(0, 0, screen.width, 1),
            banner: Area::new(0, 1, screen.width, banner),
            panes: [
                Area::new(0, first, left, top),
                Area::new(left, first, right, top),
                Area::new(0, first + top, middle, bottom),
                Area::new(middle, first + top, rest, bottom),
            ],
            ..Self::empty(screen).with_last_lines()
        }
    }

    fn with_last_lines(self) -> Self {
        let (width, height) = (self.screen.width, self.screen.height);
        Self {
            notice: Area::new(0, height - 2, width, 1),
            footer: Area::new(0, height - 1, width, 1),
            ..self
        }
    }
}

fn is_unsaved(state: &State) -> bool {
    state.wallet.vault.unsaved > 0
}

/// The upper panes take what their rows need, but leave the lower ones about half of the screen.
fn top_height(body: u16, state: &State) -> u16 {
    let rows = (state.wallet.held.len() + 1).max(state.providers.rows.len());
    let needed = u16::try_from(rows + 2).unwrap_or(u16::MAX);
    let half = body.div_ceil(2);
    needed.clamp(half.min(11), half)
}

/// `at80` columns on a screen of 80, and `twentieths` of a twentieth of every column more.
fn scaled(at80: i32, wider: i32, twentieths: i32) -> u16 {
    u16::try_from(at80 + wider * twentieths / 20).unwrap_or(0)
}

/// Columns and rows an overlay would like, with its border.
fn wanted(overlay: &Overlay) -> (u16, u16) {
    let lines = |count: usize| u16::try_from(count).unwrap_or(u16::MAX).saturating_add(2);
    match overlay {
        Overlay::Help(_) | Overlay::Content(_) => (100, u16::MAX),
        Overlay::Details(..)
        | Overlay::Member(..)
        | Overlay::Userinfo(..)
        | Overlay::Introspected(..)
        | Overlay::Announced(..)
        | Overlay::Active(..)
        | Overlay::Compared(..) => (100, 26),
        Overlay::Palette(_) => (64, 16),
        Overlay::CopyMenu(..) => (84, 22),
        Overlay::Login(_) => (100, 27),
        Overlay::Create(form) if form.picking().is_some() => {
            (72, lines(form.picking().map_or(0, |picking| picking.scopes.len()) + 3))
        }
        // Its fields, and under them what is said of them.
        Overlay::Create(form) => (120, lines(form.rows(100).len() + 14)),
        Overlay::WhichProvider(which) => (64, lines(which.choices.len()).saturating_add(3).min(20)),
        Overlay::WhichClient(_) => (84, 18),
        Overlay::Registered(registered, _) => {
            (100, lines(compared_rows(&registered.lines, &registered.remarks)).min(26))
        }
        Overlay::Granted(report) => (84, lines(granted_rows(report)).min(26)),
        Overlay::Failed(_) => (84, 10),
        Overlay::Paste(_) | Overlay::Rename(..) => (76, 9),
        Overlay::MayAsk(..) | Overlay::Unlock(_) => (76, 10),
        Overlay::KeepAs(..) | Overlay::AddProvider(_) => (76, 8),
        Overlay::Revoke(revoke) => {
            let tree = revoke.grown() + usize::from(revoke.grown() > 0 || revoke.asking.is_some()) * 2;
            let typed = usize::from(revoke.confirm.is_some());
            let told: usize =
                revoke.ends.iter().chain(&revoke.lives_on).map(|text| 1 + text.len() / 79).sum();
            (84, lines(told + tree + typed + 8).min(30))
        }
        Overlay::Family(_) => (132, u16::MAX),
        Overlay::Event(..) => (90, 14),
        Overlay::Sheet(sheet) => sheet_wants(sheet),
        Overlay::Handing(_) => (84, 30),
        Overlay::Guarding(_) => (76, 15),
        Overlay::QuitLoses(loss) => {
            let heads = 3 * (usize::from(!loss.memory.is_empty()) + usize::from(!loss.unsaved.is_empty()));
            (76, lines(loss.memory.len() + loss.unsaved.len() + heads + 2).min(20))
        }
        Overlay::Filter(_) => (0, 0),
    }
}

/// About how many rows a report takes: what is long is broken in two.
fn granted_rows(report: &Report) -> usize {
    let alarm = report.lines.iter().any(|line| line.relation == Relation::Wider);
    let more = report.no_refresh.iter().map(|text| 1 + text.len() / 78).sum::<usize>();
    compared_rows(&report.lines, &report.remarks) + more + 2 * usize::from(alarm)
}

/// The same for lines side by side and what is said under them.
fn compared_rows(lines: &[Compared], remarks: &[String]) -> usize {
    let rows = |line: &Compared| {
        let long = line.asked.len().max(line.granted.len()) > 30;
        1 + usize::from(long) + usize::from(line.note.is_some())
    };
    let remarks: usize = remarks.iter().map(|text| 1 + text.len() / 78).sum();
    lines.iter().map(rows).sum::<usize>() + remarks + 5
}

fn sheet_wants(sheet: &Sheet) -> (u16, u16) {
    let asked = u16::try_from(sheet.entries.len()).unwrap_or(u16::MAX);
    match sheet.asks {
        // The answer stands under the lines.
        Asks::Outlast(_) => (100, asked.saturating_add(19)),
        Asks::Elsewhere(_) => (100, asked.saturating_add(15)),
        Asks::DrawWith(_) | Asks::Redeem(_) => (84, asked.saturating_add(8)),
        Asks::HandOver(_) => (92, asked.saturating_add(11)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::state::Seat;
    use jiff::tz::TimeZone;

    fn at(width: u16, height: u16) -> (State, Geometry) {
        let state = State::new(Seat::default(), (width, height), TimeZone::UTC);
        let geometry = Geometry::of(&state);
        (state, geometry)
    }

    #[test]
    fn the_small_board_is_that_of_the_picture() {
        let (_, board) = at(80, 24);
        assert_eq!(board.pane(Pane::Providers), Area::new(0, 1, 34, 11), "first run: wider");
        assert_eq!(board.pane(Pane::Lookup), Area::new(0, 12, 46, 10));
        assert_eq!(board.pane(Pane::History), Area::new(46, 12, 34, 10));
        assert_eq!((board.notice.y, board.footer.y), (22, 23));
        assert_eq!(board.rows(Pane::Tokens), 8);
    }

    #[test]
    fn at_every_size_the_areas_lie_on_the_screen_and_none_covers_another() {
        for width in 0..140 {
            for height in 0..50 {
                let (_, board) = at(width, height);
                let areas: Vec<Area> = board
                    .panes
                    .into_iter()
                    .chain([board.header, board.banner, board.notice, board.footer])
                    .collect();
                let cells: u32 = areas.iter().map(|a| u32::from(a.width) * u32::from(a.height)).sum();
                for area in &areas {
                    assert!(
                        area.x + area.width <= width && area.y + area.height <= height,
                        "{width}×{height}"
                    );
                }
                let all = u32::from(width) * u32::from(height);
                assert!(cells == all || board.shape == Shape::Sentence && cells == 0, "{width}×{height}");
            }
        }
    }

    #[test]
    fn the_board_gives_way_in_steps() {
        assert_eq!(at(72, 18).1.shape, Shape::Four);
        assert_eq!(at(71, 18).1.shape, Shape::Alone);
        assert_eq!(at(72, 17).1.shape, Shape::Alone);
        assert_eq!(at(24, 6).1.shape, Shape::Alone);
        assert_eq!(at(23, 6).1.shape, Shape::Sentence);
        assert_eq!(at(20, 3).1.shape, Shape::Sentence);
    }
}
