//! The readable part of every credential once more, in one file: a cache for the first frame, and a news sheet for those who watch.

use std::collections::HashSet;
use std::io;

use super::codec::{Open, Row};
use super::disk::{Disk, Paths, Stamp, replace};
use super::record;

/// Below this length nobody looks whether it should be written anew, in bytes.
const SHORT: u64 = 128 << 10;

/// One line of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// Whose it is, without its key.
    pub(crate) open: Open,
    /// How long its file was after this change: another length means that this line is not the last word.
    pub(crate) length: u64,
    /// Up to which of its records it was surely on disk when this was written: a file that has less has lost some.
    pub(crate) sure: u64,
}

/// How far somebody has read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position(Stamp);

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// The last line of each credential, the newest first.
    pub(crate) entries: Vec<Entry>,
    /// It was read from its beginning: what is not in it is not known to it.
    pub(crate) whole: bool,
    /// Lines did not read: it may miss something.
    pub(crate) damaged: bool,
    /// Somebody locked or unlocked the store since.
    pub(crate) turned: bool,
}

impl Entry {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        // It cannot fail: there is no map with odd keys in it.
        let open = serde_json::to_vec(&self.open).unwrap_or_default();
        let mut bytes = vec![b'\n'];
        bytes.extend_from_slice(&record::line(&open, &format!("{} {}", self.length, self.sure)));
        bytes
    }

    pub(crate) fn of(open: &Open, row: &Row, length: u64, sure: u64) -> Self {
        let open = Open { key: String::new(), state: Some(row.clone()), intent: None, ..open.clone() };
        Self { open, length, sure }
    }

    pub(crate) fn gone(id: &str, number: u64) -> Self {
        Self { open: Open { gone: true, ..blank(id, number) }, length: 0, sure: 0 }
    }

    /// The news that the store was locked or unlocked.
    pub(crate) fn turned() -> Self {
        Self { open: blank("", 0), length: 0, sure: 0 }
    }
}

fn blank(id: &str, number: u64) -> Open {
    Open {
        v: super::codec::VERSION,
        id: id.to_owned(),
        n: number,
        under: String::new(),
        key: String::new(),
        state: None,
        intent: None,
        gone: false,
    }
}

/// What is new since `position`; `None`: nothing.
pub(crate) fn news(disk: &dyn Disk, paths: &Paths, position: &mut Position) -> io::Result<Option<News>> {
    let path = paths.list();
    let Some(stamp) = disk.stamp(&path)? else {
        let first = *position == Position::default();
        *position = Position(Stamp { length: 0, file: u64::MAX });
        return Ok(first.then(|| News { whole: true, damaged: true, ..News::default() }));
    };
    if stamp == position.0 {
        return Ok(None);
    }
    let goes_on = stamp.file == position.0.file && stamp.length > position.0.length;
    let from = if goes_on { position.0.length } else { 0 };
    let bytes = disk.read(&path, from)?.unwrap_or_default();
    let mut news = parsed(&bytes);
    if goes_on && news.damaged {
        // Perhaps it is another file after all.
        *position = Position::default();
        return self::news(disk, paths, position);
    }
    news.whole = from == 0;
    // A line that is being written now is read the next time.
    let read = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    *position = Position(Stamp { length: from + read as u64, file: stamp.file });
    Ok(Some(news))
}

fn parsed(bytes: &[u8]) -> News {
    let mut news = News::default();
    let mut seen: HashSet<&[u8]> = HashSet::new();
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    for line in
        bytes.get(..whole).unwrap_or_default().rsplit(|byte| *byte == b'\n').filter(|line| !line.is_empty())
    {
        // Older lines of the same credential are passed over without a second look.
        if id(line).is_some_and(|id| seen.contains(id)) {
            continue;
        }
        let entry = record::read(line).and_then(|line| {
            let (length, sure) = line.rest.split_once(' ')?;
            let open = serde_json::from_slice(line.open).ok()?;
            Some(Entry { open, length: length.parse().ok()?, sure: sure.parse().ok()? })
        });
        match entry {
            Some(entry) if entry.open.id.is_empty() => news.turned = true,
            Some(entry) => {
                seen.extend(id(line));
                news.entries.push(entry);
            }
            None => news.damaged = true,
        }
    }
    news
}

/// The id in a line that our own hand wrote, without taking its JSON apart.
fn id(line: &[u8]) -> Option<&[u8]> {
    const BEFORE: &[u8] = b",\"id\":\"";
    let at = line.windows(BEFORE.len()).take(32).position(|window| window == BEFORE)? + BEFORE.len();
    let rest = line.get(at..)?;
    rest.get(..rest.iter().position(|byte| *byte == b'"')?)
}

/// Appends lines. The caller holds the list's lock.
pub(crate) fn tell(disk: &dyn Disk, paths: &Paths, entries: &[Entry]) -> io::Result<()> {
    let path = paths.list();
    let length = disk.stamp(&path)?.map_or(0, |stamp| stamp.length);
    let bytes: Vec<u8> = entries.iter().flat_map(Entry::bytes).collect();
    let after = length + bytes.len() as u64;
    disk.append(&path, length, &bytes, false)?;
    if after > SHORT && after / SHORT != length / SHORT {
        shorten(disk, paths)?;
    }
    Ok(())
}

/// Writes it anew with the last line of each, if that halves it. The caller holds the list's lock.
fn shorten(disk: &dyn Disk, paths: &Paths) -> io::Result<()> {
    let bytes = disk.read(&paths.list(), 0)?.unwrap_or_default();
    let mut entries = parsed(&bytes).entries;
    entries.retain(|entry| !entry.open.gone);
    entries.reverse();
    let short: Vec<u8> = entries.iter().flat_map(Entry::bytes).collect();
    if short.len() * 2 < bytes.len() {
        replace(disk, &paths.temporary("list"), &paths.list(), &short)?;
    }
    Ok(())
}
