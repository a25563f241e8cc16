//! A frame as an SVG picture: each run of one style is one text, in the colours of a calm dark terminal.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

const WIDE: f32 = 9.0;
const HIGH: f32 = 19.0;
const GROUND: &str = "#17191f";
const TEXT: &str = "#c9ced8";
const DIM: &str = "#767d8c";

/// The picture of a frame.
pub fn svg(buffer: &Buffer) -> String {
    let (width, height) =
        (f32::from(buffer.area.width) * WIDE + 20.0, f32::from(buffer.area.height) * HIGH + 16.0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" font-family=\"DejaVu Sans Mono, monospace\" font-size=\"15\" \
         xml:space=\"preserve\">\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{GROUND}\"/>\n"
    );
    for (y, row) in buffer.content.chunks(usize::from(buffer.area.width).max(1)).enumerate() {
        let mut x = 0;
        while let Some(first) = row.get(x) {
            let run = row[x..].iter().take_while(|cell| look(cell) == look(first)).count();
            let text: String = row[x..x + run].iter().map(Cell::symbol).collect();
            draw_run(&mut out, first, &text, x, y, run);
            x += run;
        }
    }
    out.push_str("</svg>\n");
    out
}

fn draw_run(out: &mut String, cell: &Cell, text: &str, column: usize, row: usize, run: usize) {
    let (ink, ground, bold, line) = look(cell);
    let at = |count: usize, size: f32| f32::from(u16::try_from(count).expect("small")) * size;
    let (x, y, wide) = (at(column, WIDE) + 10.0, at(row, HIGH) + 8.0, at(run, WIDE));
    if ground != GROUND {
        writeln!(out, "<rect x=\"{x}\" y=\"{y}\" width=\"{wide}\" height=\"{HIGH}\" fill=\"{ground}\"/>")
            .expect("written");
    }
    let shown = text.trim_end();
    if shown.is_empty() {
        return;
    }
    let escaped = shown.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let weight = if bold { " font-weight=\"bold\"" } else { "" };
    let line = if line { " text-decoration=\"underline\"" } else { "" };
    let (baseline, length) = (y + 14.5, at(shown.width(), WIDE));
    writeln!(
        out,
        "<text x=\"{x}\" y=\"{baseline}\" textLength=\"{length}\" fill=\"{ink}\"{weight}{line}>{escaped}</text>"
    )
    .expect("written");
}

/// Ink, ground, bold, underlined.
fn look(cell: &Cell) -> (&'static str, &'static str, bool, bool) {
    let has = |modifier| cell.modifier.contains(modifier);
    let ink = match cell.fg {
        Color::Reset if has(Modifier::DIM) => DIM,
        Color::Reset if has(Modifier::BOLD) && !has(Modifier::REVERSED) => "#ffffff",
        Color::Reset => TEXT,
        Color::Black => "#17191f",
        Color::Red => "#e06c75",
        Color::Green => "#98c379",
        Color::Yellow => "#e5c07b",
        Color::Cyan => "#56b6c2",
        other => panic!("no meaning of the theme has the colour {other}"),
    };
    let ground = match cell.bg {
        Color::Reset => GROUND,
        Color::White => "#ffffff",
        Color::Yellow => "#e5c07b",
        Color::Cyan => "#56b6c2",
        other => panic!("no meaning of the theme has the ground {other}"),
    };
    let (ink, ground) = if has(Modifier::REVERSED) { (ground, ink) } else { (ink, ground) };
    (ink, ground, has(Modifier::BOLD), has(Modifier::UNDERLINED))
}
