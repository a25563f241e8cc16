//! The QR code of a login, read by a decoder that this project did not write, on dark and on light grounds.
#![allow(clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

#[path = "support/board.rs"]
mod board;

use std::io::Write as _;
use std::process::Command;

use board::{act, frame, logging_in};
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::Color;
use toktui::app::action::Action;
use toktui::app::state::State;
use toktui::ui::{Colours, Glyphs, Theme};

const ADDRESS: &str = "https://aai.egi.eu/device?user_code=WDJB-MJHT";
/// Pixels a module.
const SCALE: usize = 4;

/// The upper and the lower half of a cell, as a camera sees them on a terminal of this ground. Text is left out.
fn halves(cell: &Cell, ground: u8) -> [u8; 2] {
    let shade = |colour| match colour {
        Color::Black => 0,
        Color::White => 255,
        _ => ground,
    };
    let (ink, paper) = (shade(cell.fg), shade(cell.bg));
    match cell.symbol() {
        "█" => [ink, ink],
        "▀" => [ink, paper],
        "▄" => [paper, ink],
        _ => [paper, paper],
    }
}

fn picture(buffer: &Buffer, ground: u8) -> Vec<u8> {
    let (width, height) = (usize::from(buffer.area.width), usize::from(buffer.area.height));
    let mut out = format!("P5 {} {} 255\n", width * SCALE, height * 2 * SCALE).into_bytes();
    for row in buffer.content.chunks(width) {
        for half in 0..2 {
            let line: Vec<u8> = row.iter().flat_map(|cell| [halves(cell, ground)[half]; SCALE]).collect();
            (0..SCALE).for_each(|_| out.extend(&line));
        }
    }
    out
}

fn decoded(state: &State, colours: Colours, ground: u8) -> String {
    let buffer = frame(state, &Theme::new(Glyphs::Unicode, colours));
    let mut file = tempfile::Builder::new().suffix(".pgm").tempfile().expect("a file");
    file.write_all(&picture(&buffer, ground)).expect("written");
    let answer =
        Command::new("zbarimg").args(["--quiet", "--raw"]).arg(file.path()).output().expect("zbarimg");
    String::from_utf8_lossy(&answer.stdout).trim().to_owned()
}

#[test]
#[ignore = "needs zbarimg (Debian: zbar-tools)"]
fn an_independent_decoder_reads_the_code_on_every_screen_that_shows_one() {
    for size in [(110, 32), (120, 34), (200, 60)] {
        let beside = logging_in(size, false);
        for ground in [20, 128, 235] {
            for colours in [Colours::Ansi, Colours::None] {
                assert_eq!(decoded(&beside, colours, ground), ADDRESS, "{size:?} on {ground}");
            }
        }
    }
    for size in [(80, 24), (110, 32), (50, 24)] {
        let mut alone = logging_in(size, false);
        act(&mut alone, Action::ShowQr);
        for ground in [20, 128, 235] {
            assert_eq!(decoded(&alone, Colours::Ansi, ground), ADDRESS, "alone at {size:?} on {ground}");
        }
    }
}
