//! What is held, as a table for a person.

use jiff::{SignedDuration, Timestamp};
use unicode_width::UnicodeWidthStr;

use crate::domain::credential::{Chain, ChainEnd, Custody, Health, Held, Life};
use crate::domain::time::{ago, countdown};
use crate::domain::untrusted::{cleaned, clipped};

/// No cell is wider.
const WIDEST: usize = 28;

/// The lines, heading first. `source` names the giver.
pub(super) fn lines(held: &[&Held], source: &dyn Fn(&Held) -> String, now: Timestamp) -> Vec<String> {
    let head = ["NAME", "AT", "ACCESS TOKEN", "MORE FOR", ""].map(str::to_owned);
    let rows = held
        .iter()
        .map(|held| [held.name.clone(), source(held), access(held, now), chain(held, now), notes(held, now)]);
    aligned(std::iter::once(head).chain(rows))
}

/// Rows under each other, the heading among them.
pub(super) fn aligned<const N: usize>(rows: impl Iterator<Item = [String; N]>) -> Vec<String> {
    let rows: Vec<[String; N]> = rows.map(fit).collect();
    let widest = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..N).map(widest).collect();
    rows.iter().map(|row| joined(row, &widths)).collect()
}

/// The name in front and the note at the end take what room they need.
fn fit<const N: usize>(row: [String; N]) -> [String; N] {
    let mut place = 0;
    row.map(|text| {
        let whole = place == 0 || place == N - 1;
        place += 1;
        if whole { cleaned(&text) } else { clipped(&cleaned(&text), WIDEST) }
    })
}

fn joined(row: &[String], widths: &[usize]) -> String {
    let padded = row.iter().zip(widths).map(|(cell, width)| {
        let space = " ".repeat(width.saturating_sub(cell.width()));
        format!("{cell}{space}")
    });
    padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

fn access(held: &Held, now: Timestamp) -> String {
    match held.life(now) {
        Life::None => "none yet".to_owned(),
        Life::Unknown => "end unknown".to_owned(),
        Life::Live(left) => countdown(left),
        Life::Ending(left) => format!("{}, ending", countdown(left)),
        Life::Expired(since) => {
            let since = SignedDuration::from_secs(i64::try_from(since).unwrap_or(i64::MAX));
            format!("ended {}", ago(since))
        }
    }
}

pub(super) fn chain(held: &Held, now: Timestamp) -> String {
    let span = |end: Timestamp| {
        let left = end.duration_since(now);
        if left.is_positive() { countdown(left) } else { format!("ended {}", ago(-left)) }
    };
    match &held.chain {
        Chain::None => "-".to_owned(),
        Chain::Refresh { ends, .. } => match ends {
            ChainEnd::At(end) => span(*end),
            ChainEnd::Open => "no fixed end".to_owned(),
            ChainEnd::Unknown => "end unknown".to_owned(),
        },
        Chain::Mytoken { facts, .. } => {
            let ends = facts.ends().map_or_else(|| "no fixed end".to_owned(), span);
            match held.chain.uses_left() {
                Some(left) => format!("{ends}, {left} uses"),
                None => ends,
            }
        }
    }
}

pub(super) fn notes(held: &Held, now: Timestamp) -> String {
    let mut words = Vec::new();
    match &held.health {
        Health::Ok => {}
        Health::InDoubt(why) => words.push(format!("in doubt: {why}")),
        Health::NeedsLogin(why) => words.push(format!("log in again: {why}")),
        Health::Dead(why) => words.push(format!("dead: {why}")),
    }
    if let Some(pause) = held.pause.as_ref().filter(|pause| pause.until > now) {
        words.push(format!("{}; left alone for {}", pause.why, countdown(pause.until.duration_since(now))));
    }
    match &held.custody {
        Custody::Sealed => {}
        Custody::KeyFile => words.push("the key lies in a file".to_owned()),
        Custody::Session => words.push("for this session only".to_owned()),
        Custody::Unsaved(why) => words.push(format!("NOT SAVED: {why}")),
        Custody::MemoryOnly => words.push("in memory only".to_owned()),
        Custody::Foreign(whose) => words.push(format!("of {whose}, read-only")),
    }
    words.join("; ")
}
