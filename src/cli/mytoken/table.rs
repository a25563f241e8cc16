//! Tables for a person, as wide as the text is, or as wide as the terminal.

use std::io::IsTerminal;

use unicode_width::UnicodeWidthStr;

use crate::desktop::terminal;
use crate::domain::untrusted::clipped;

/// No column is made narrower.
const NARROWEST: usize = 6;
/// Between two columns.
const GAP: usize = 2;

/// How wide a table may be on standard output; `None`: nobody looks at it there, so nothing is cut.
pub(in crate::cli) fn room() -> Option<usize> {
    std::io::stdout().is_terminal().then(|| usize::from(terminal::size().0))
}

/// The rows as lines. Cells are clean already. Where there is too little room the widest columns are cut first, then the last ones left out.
pub(in crate::cli) fn lines(rows: &[Vec<String>], room: Option<usize>) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widest = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max();
    // A column that is empty in every row says nothing.
    let mut widths: Vec<(usize, usize)> = (0..columns)
        .map(|column| (column, widest(column).unwrap_or(0)))
        .filter(|(column, width)| *width > 0 && rows.iter().skip(1).any(|row| is_told(row, *column)))
        .collect();
    if let Some(room) = room {
        squeeze(&mut widths, room);
    }
    rows.iter().map(|row| line(row, &widths)).collect()
}

fn is_told(row: &[String], column: usize) -> bool {
    row.get(column).is_some_and(|cell| !cell.is_empty())
}

fn squeeze(widths: &mut Vec<(usize, usize)>, room: usize) {
    let total = |widths: &[(usize, usize)]| {
        widths.iter().map(|(_, width)| width + GAP).sum::<usize>().saturating_sub(GAP)
    };
    while total(widths) > room {
        let wide = (0..widths.len()).max_by_key(|at| widths.get(*at).map(|(_, width)| *width));
        let wide = wide.and_then(|at| widths.get_mut(at)).filter(|(_, width)| *width > NARROWEST);
        if let Some((_, width)) = wide {
            *width -= 1;
        } else if widths.len() > 1 {
            widths.pop();
        } else {
            if let Some((_, width)) = widths.first_mut() {
                *width = room.max(1);
            }
            return;
        }
    }
}

fn line(row: &[String], widths: &[(usize, usize)]) -> String {
    let gap = " ".repeat(GAP);
    let cell = |(column, width): &(usize, usize)| {
        let text = clipped(row.get(*column).map_or("", String::as_str), *width);
        let space = " ".repeat(width.saturating_sub(text.width()));
        format!("{text}{space}")
    };
    widths.iter().map(cell).collect::<Vec<_>>().join(&gap).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Vec<String>> {
        [["NAME", "MADE", "", "FROM"], ["日本語の名前", "2026-11-22", "", "192.0.2.7"], ["x", "", "", ""]]
            .map(|row| row.map(str::to_owned).to_vec())
            .to_vec()
    }

    #[test]
    fn a_table_is_as_wide_as_its_text_and_an_empty_column_is_left_out() {
        let table = lines(&rows(), None);
        assert_eq!(table, ["NAME          MADE        FROM", "日本語の名前  2026-11-22  192.0.2.7", "x"]);
    }

    #[test]
    fn no_line_is_wider_than_the_room_at_any_width() {
        for room in 1..60 {
            for line in lines(&rows(), Some(room)) {
                assert!(line.width() <= room, "{room}: {line:?}");
            }
        }
        assert_eq!(lines(&rows(), Some(22)).first().map(String::as_str), Some("NAME    MADE    FROM"));
    }
}
