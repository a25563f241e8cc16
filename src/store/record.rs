//! One line of a file in the store: what stands in the open, what is sealed, and a checksum that tells a torn or rotten line without any key.

use aws_lc_rs::digest::{SHA256, digest};

/// How many hexadecimal digits of the SHA-256 stand at the end of a line.
const DIGITS: usize = 32;

/// With these bytes every record begins: by them one is found again behind bytes that do not read.
const BEGINS: &[u8] = b"{\"v\":";

/// A line whose checksum is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// JSON.
    pub(crate) open: &'a [u8],
    /// What stands behind it: the sealed part in base64; in the list a length.
    pub(crate) rest: &'a str,
}

/// What stands in a file, from its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// A line that reads whole.
    Whole(Line<'a>),
    /// Bytes that do not.
    Damaged(&'a [u8]),
    /// The last bytes of a file where no line feed follows: a line that was being written.
    Torn(&'a [u8]),
}

/// The bytes of one line.
pub(crate) fn line(open: &[u8], rest: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(open.len() + rest.len() + DIGITS + 3);
    bytes.extend_from_slice(open);
    bytes.push(b'\t');
    bytes.extend_from_slice(rest.as_bytes());
    bytes.push(b'\t');
    let digits = checksum(&bytes);
    bytes.extend_from_slice(&digits);
    bytes.push(b'\n');
    bytes
}

/// Reads one line without its line feed.
pub(crate) fn read(line: &[u8]) -> Option<Line<'_>> {
    let (body, digits) = line.split_at_checked(line.len().checked_sub(DIGITS)?)?;
    let parts = body.strip_suffix(b"\t")?;
    let tab = parts.iter().position(|byte| *byte == b'\t')?;
    let (open, rest) = (parts.get(..tab)?, parts.get(tab + 1..)?);
    (checksum(body) == digits).then_some(())?;
    Some(Line { open, rest: std::str::from_utf8(rest).ok()? })
}

/// The pieces of a file, the last one first.
pub(crate) fn backwards(bytes: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    let ends_whole = bytes.last().is_none_or(|byte| *byte == b'\n');
    let lines = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let lines = (!bytes.is_empty()).then(|| lines.rsplit(|byte| *byte == b'\n')).into_iter().flatten();
    lines.enumerate().flat_map(move |(index, line)| {
        let last = index == 0 && !ends_whole;
        match read(line) {
            Some(whole) => vec![Piece::Whole(whole)],
            None => among(line, last),
        }
    })
}

/// The pieces of a line that does not read: a line feed in it may have become another byte.
fn among(line: &[u8], last: bool) -> Vec<Piece<'_>> {
    let starts: Vec<usize> = line
        .windows(BEGINS.len())
        .enumerate()
        .skip(1)
        .filter(|(_, window)| *window == BEGINS)
        .map(|(at, _)| at)
        .collect();
    let mut pieces = Vec::new();
    let mut rest = line;
    for start in starts.into_iter().rev() {
        let Some((before, tail)) = rest.split_at_checked(start) else { continue };
        let Some(found) = whole(tail) else { continue };
        pieces.push(Piece::Whole(found));
        rest = before;
    }
    // What is left began this line, and may miss nothing but its line feed.
    match whole(rest) {
        Some(found) => {
            pieces.push(Piece::Damaged(&[]));
            pieces.push(Piece::Whole(found));
        }
        None if last && pieces.is_empty() => pieces.push(Piece::Torn(rest)),
        None => pieces.push(Piece::Damaged(rest)),
    }
    pieces
}

/// A record with at most one strange byte in the place of its line feed.
fn whole(bytes: &[u8]) -> Option<Line<'_>> {
    read(bytes).or_else(|| read(bytes.split_last()?.1))
}

fn checksum(bytes: &[u8]) -> [u8; DIGITS] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [0; DIGITS];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(digest(&SHA256, bytes).as_ref()) {
        if let [high, low] = pair {
            *high = *HEX.get(usize::from(byte >> 4)).unwrap_or(&b'0');
            *low = *HEX.get(usize::from(byte & 15)).unwrap_or(&b'0');
        }
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Vec<u8> {
        (1..=3).flat_map(|n| line(format!("{{\"v\":1,\"n\":{n}}}").as_bytes(), "c2VhbGVk")).collect()
    }

    fn numbers(bytes: &[u8]) -> Vec<u8> {
        let number = |piece: Piece<'_>| match piece {
            Piece::Whole(line) => Some(line.open[line.open.len() - 2]),
            Piece::Damaged(_) | Piece::Torn(_) => None,
        };
        backwards(bytes).filter_map(number).collect()
    }

    #[test]
    fn the_newest_line_comes_first() {
        assert_eq!(numbers(&three()), b"321");
        assert_eq!(backwards(b"").count(), 0);
        let newest = Line { open: b"{\"v\":1,\"n\":3}", rest: "c2VhbGVk" };
        assert_eq!(backwards(&three()).next(), Some(Piece::Whole(newest)));
    }

    #[test]
    fn a_flipped_bit_costs_the_line_it_is_in_and_no_other() {
        let good = three();
        let length = good.len() / 3;
        for bit in 0..good.len() * 8 {
            let mut bytes = good.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let found = numbers(&bytes);
            let hit = b'1' + u8::try_from(bit / 8 / length).unwrap();
            let kept: Vec<u8> = b"321".iter().copied().filter(|n| *n != hit).collect();
            assert!(found == kept || found == b"321", "bit {bit}: {found:?}");
            assert!(found != b"321" || (bit / 8 + 1) % length == 0, "bit {bit} is in a checksummed byte");
        }
    }

    #[test]
    fn a_file_that_was_cut_off_keeps_all_lines_before_the_cut() {
        let good = three();
        let length = good.len() / 3;
        for cut in 0..good.len() {
            // A line without its line feed is whole all the same.
            let whole = (cut + 1) / length;
            assert_eq!(numbers(&good[..cut]), b"321"[3 - whole..], "cut at {cut}");
        }
    }
}
