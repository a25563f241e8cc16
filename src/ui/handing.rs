//! A transfer code that waits to be redeemed: the code, how long it waits, the command for the other side, and a QR code.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::parts::{Panel, columns, put, put_row, wrap};
use super::qr::Qr;
use super::scene::{Scene, keyed, labelled};
use crate::app::action::{Action, MytokenAction};
use crate::app::handing::Handing;
use crate::domain::time::countdown;
use crate::domain::untrusted::cleaned;

const LABEL: usize = 9;

pub(super) fn draw(buf: &mut Buffer, area: Rect, handing: &Handing, scene: Scene<'_>) {
    let theme = scene.theme;
    let handed = &handing.handed;
    let left = scene.left(handed.ends);
    let waits = left.is_positive();
    // The code is made to be read out and typed elsewhere: only while it can be used.
    let code = if waits { cleaned(handed.code.expose()) } else { String::new() };
    if handing.qr_alone && waits {
        return alone(buf, &code, scene);
    }
    let title = vec![Span::styled(format!("Hand over: {}", cleaned(&handed.name)), theme.title_focused)];
    let aside = if waits {
        vec![Span::styled(countdown(left), theme.ending), Span::styled(" left", theme.dim)]
    } else {
        vec![Span::styled("its time is over", theme.wrong)]
    };
    let foot = scene.hint(Action::Back, "closes; the code waits on");
    let inside = Panel { title, aside, foot, focused: true }.over(buf, area, theme);
    let (width, height) = (usize::from(inside.width), usize::from(inside.height));
    let code_shown = if waits { code.clone() } else { "ended; make another one".to_owned() };
    let mut lines = vec![
        labelled("code", LABEL - 1, [Span::styled(format!(" {code_shown} "), theme.code)], theme),
        labelled("at", LABEL, [Span::raw(cleaned(&handed.address))], theme),
        Line::default(),
        Line::raw("On the other side, then type the code, which is not shown there:"),
    ];
    lines.extend(
        wrap(&cleaned(&handing.command()), width).into_iter().map(|text| Line::styled(text, theme.strong)),
    );
    lines.push(Line::default());
    let what = if handed.itself {
        "It is for the mytoken itself: both sides hold the same one then. If it rotates, the first use on one \
         side locks the other out."
    } else {
        "It is for a subtoken of its own. Whoever types the code first has it, and nobody can a second time."
    };
    let style = if handed.itself { theme.warning } else { theme.dim };
    lines.extend(wrap(what, width).into_iter().map(|text| Line::styled(text, style)));
    let qr = Qr::of_text(&code).filter(|_| waits);
    let needed = lines.len() + 1;
    let beside =
        qr.filter(|code| code.fits(width.saturating_sub(4), height.saturating_sub(needed + 1), theme));
    let air = usize::from(height > needed + 1);
    for (row, line) in lines.into_iter().enumerate() {
        put_row(buf, inside, row + air, line, theme);
    }
    if let Some(code) = beside {
        let y = inside.y + columns(needed + air);
        code.draw(buf, inside.x, y, theme);
        let (wide, _) = code.size();
        let hint = scene.hint(Action::Mytoken(MytokenAction::HandedQr), "alone");
        put(buf, inside.x + columns(wide + 2), y, width.saturating_sub(wide + 2), &Line::from(hint));
    }
}

/// The QR code alone, with the code under it.
fn alone(buf: &mut Buffer, code: &str, scene: Scene<'_>) {
    let theme = scene.theme;
    let area = buf.area;
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    for y in area.top()..area.bottom() {
        put(buf, area.x, y, width, &Line::raw(" ".repeat(width)));
    }
    let back = scene.key(Action::Back).map_or_else(Vec::new, |key| keyed(key, "back", theme));
    put(buf, area.x, area.bottom().saturating_sub(1), width, &Line::from(back));
    let Some(qr) = Qr::of_text(code).filter(|qr| qr.fits(width, height.saturating_sub(2), theme)) else {
        let says = "There is no room for a QR code, or no characters to draw it with. The code is:";
        let lines = wrap(says, width).into_iter().map(Line::raw).chain([Line::raw(code.to_owned())]);
        for (row, line) in lines.enumerate().take(height.saturating_sub(1)) {
            put(buf, area.x, area.y + columns(row), width, &line);
        }
        return;
    };
    let (wide, high) = qr.size();
    let y = area.y + columns((height - 2 - high) / 2);
    qr.draw(buf, area.x + columns((width - wide) / 2), y, theme);
    let at = area.x + columns(width.saturating_sub(code.len()) / 2);
    put(buf, at, y + columns(high), width, &Line::styled(code.to_owned(), theme.strong));
}
