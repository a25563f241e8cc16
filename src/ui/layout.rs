//! From the board's geometry to ratatui's rectangles, cut to the frame at hand: a resize may come between the two.

use ratatui::layout::Rect;

use crate::app::geometry::Area;

/// The part of an area that lies on the screen.
pub(super) fn rect(area: Area, screen: Rect) -> Rect {
    Rect { x: area.x, y: area.y, width: area.width, height: area.height }.intersection(screen)
}
