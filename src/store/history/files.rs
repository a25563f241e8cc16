//! The history's two files: whole lines at the end, the newest read first, the oldest let go.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Seek, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::OFlags;

use super::line;
use crate::domain::event::Event;

/// A file that has grown to this many bytes becomes the older one of the two.
pub(super) const LIMIT: u64 = 4 << 20;
/// Files are read in pieces of this many bytes.
const BLOCK: u64 = 64 << 10;
/// No line of ours is longer.
const LONGEST_LINE: usize = 16 << 10;
/// No more than this many bytes are read for one answer, whatever somebody has put there.
const MOST_READ: u64 = 4 * LIMIT;

/// Where the history is.
#[derive(Clone, Debug)]
pub(super) struct Files {
    folder: PathBuf,
    limit: u64,
}

/// Which file a name stands for at a moment: device, inode, and since when, because inodes are used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileId(u64, u64, Option<SystemTime>);

/// A place in the current file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub file: FileId,
    /// The byte after it.
    pub end: u64,
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The newest first.
    pub events: Vec<Event>,
    /// Up to where the current file was read, if there is one.
    pub upto: Option<Place>,
    /// How many bytes that took.
    pub bytes: u64,
}

/// The end of the current file, to write at. Everybody who writes has one.
#[derive(Debug)]
pub(super) struct Writer {
    files: Files,
    open: Option<(File, FileId)>,
}

impl Files {
    pub(super) fn in_folder(folder: &Path, limit: u64) -> Self {
        Self { folder: folder.to_owned(), limit }
    }

    fn current(&self) -> PathBuf {
        self.folder.join("history")
    }

    fn older(&self) -> PathBuf {
        self.folder.join("history.1")
    }

    /// The newest events that `event` makes of lines, at most `limit` of them.
    pub(super) fn newest(&self, limit: usize, event: impl Fn(&str) -> Option<Event>) -> Found {
        let mut found = Found::default();
        let current = open(&self.current());
        if let Some((file, id)) = &current {
            let mut lines = Backwards::from_end(file);
            found.upto = Some(Place { file: *id, end: lines.end });
            take(&mut lines, limit, &event, &mut found);
        }
        // Opened after the current one: what became the older one in between is known by its id, and nothing is missed.
        let older =
            open(&self.older()).filter(|(_, id)| current.as_ref().is_none_or(|(_, current)| current != id));
        if let Some((file, _)) = older.filter(|_| found.events.len() < limit) {
            take(&mut Backwards::from_end(&file), limit, &event, &mut found);
        }
        found
    }

    /// The events that came after `place`; `None` where that cannot be told from it, or is too much to read at once.
    pub(super) fn since(&self, place: Place) -> Option<Found> {
        let (file, id) = open(&self.current())?;
        let length = file.metadata().ok()?.len();
        let grown = length.checked_sub(place.end)?;
        if id != place.file || grown > 16 * BLOCK {
            return None;
        }
        let mut lines = Backwards::between(&file, place.end, length);
        let mut found = Found { upto: Some(Place { file: id, end: lines.end }), ..Found::default() };
        take(&mut lines, usize::MAX, &line::read, &mut found);
        Some(found)
    }
}

impl Writer {
    pub(super) fn to(files: Files) -> Self {
        Self { files, open: None }
    }

    /// Puts whole lines at the end, by one call that nobody else's can interrupt, and without waiting for the disk.
    /// Where they are now; `None` if they could not be written.
    pub(super) fn append(&mut self, lines: &[u8]) -> Option<Place> {
        let path = self.files.current();
        let is_there = |id: FileId| fs::symlink_metadata(&path).is_ok_and(|now| FileId::of(&now) == id);
        if !self.open.as_ref().is_some_and(|(_, id)| is_there(*id)) {
            self.open = None;
            let file = OpenOptions::new()
                .append(true)
                .create(true)
                .mode(0o600)
                .custom_flags(flags(OFlags::NOFOLLOW | OFlags::NONBLOCK))
                .open(&path)
                .ok()?;
            self.open = Some(regular(file)?);
        }
        let (file, id) = self.open.as_ref()?;
        let (mut file, id) = (file, *id);
        // A line that went in half is skipped by readers: its sum is missing.
        let is_whole = file.write(lines).is_ok_and(|written| written == lines.len());
        let end = file.stream_position().ok()?;
        if end >= self.files.limit {
            self.begin_anew(id, end);
        }
        is_whole.then_some(Place { file: id, end })
    }

    /// Makes the current file the older one, unless somebody else does. Nobody waits for that: the next line tries again.
    fn begin_anew(&mut self, id: FileId, end: u64) {
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(flags(OFlags::NOFOLLOW | OFlags::NONBLOCK))
            .open(self.files.folder.join("locks").join("history"));
        let is_ours = match lock.as_ref().map(File::try_lock) {
            Ok(Ok(())) => true,
            Ok(Err(TryLockError::WouldBlock)) => false,
            // No locks here: two at once could let the younger half go too, which is less bad than a file without bounds.
            Ok(Err(TryLockError::Error(_))) | Err(_) => end >= 2 * self.files.limit,
        };
        if !is_ours {
            return;
        }
        let path = self.files.current();
        if fs::symlink_metadata(&path).is_ok_and(|now| FileId::of(&now) == id) {
            // What cannot be renamed goes on growing; the disk's own limit is then near too.
            drop(fs::rename(&path, self.files.older()));
        }
        self.open = None;
    }
}

impl FileId {
    fn of(metadata: &fs::Metadata) -> Self {
        Self(metadata.dev(), metadata.ino(), metadata.created().ok())
    }
}

/// Lines from the last to the first. What comes after the last line end is not whole, and left out.
struct Backwards<'f> {
    file: &'f File,
    /// Where the lines begin.
    start: u64,
    /// What is before this is still to be read; what is after it and not yet given out is in `held`.
    unread: u64,
    held: Vec<u8>,
    /// The byte after the last whole line.
    end: u64,
    bytes: u64,
}

impl<'f> Backwards<'f> {
    fn from_end(file: &'f File) -> Self {
        let length = file.metadata().map_or(0, |metadata| metadata.len());
        Self::between(file, 0, length)
    }

    fn between(file: &'f File, start: u64, length: u64) -> Self {
        let mut lines = Self { file, start, unread: length, held: Vec::new(), end: start, bytes: 0 };
        while lines.unread > start && lines.bytes <= MOST_READ {
            lines.held.clear();
            lines.read_block();
            if let Some(last) = lines.held.iter().rposition(|byte| *byte == b'\n') {
                lines.held.truncate(last);
                lines.end = lines.unread + last as u64 + 1;
                return lines;
            }
        }
        lines.held.clear();
        lines
    }

    /// The next line up, without its end.
    fn next(&mut self) -> Option<Vec<u8>> {
        if self.end == self.start {
            return None;
        }
        loop {
            if let Some(before) = self.held.iter().rposition(|byte| *byte == b'\n') {
                let line = self.held.split_off(before + 1);
                self.held.truncate(before);
                return Some(line);
            }
            if self.unread == self.start || self.bytes > MOST_READ {
                self.end = self.start;
                return Some(std::mem::take(&mut self.held));
            }
            // No line of ours is so long: only at the end of it may one of ours be glued to something else.
            let surplus = self.held.len().saturating_sub(LONGEST_LINE);
            self.held.drain(..surplus);
            self.read_block();
        }
    }

    fn read_block(&mut self) {
        let size = BLOCK.min(self.unread - self.start);
        let from = self.unread - size;
        let mut block = vec![0; usize::try_from(size).unwrap_or_default()];
        if self.file.read_exact_at(&mut block, from).is_err() {
            // It became shorter, or the disk fails: what was read so far is what there is.
            self.unread = self.start;
            return;
        }
        self.bytes += size;
        self.unread = from;
        block.append(&mut self.held);
        self.held = block;
    }
}

fn take(lines: &mut Backwards<'_>, limit: usize, event: &impl Fn(&str) -> Option<Event>, found: &mut Found) {
    while found.events.len() < limit {
        let Some(line) = lines.next() else { break };
        found.events.extend(std::str::from_utf8(&line).ok().and_then(event));
    }
    found.bytes += lines.bytes;
}

fn open(path: &Path) -> Option<(File, FileId)> {
    let flags = flags(OFlags::NOFOLLOW | OFlags::NONBLOCK);
    regular(OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?)
}

/// Neither a pipe, which would make us wait, nor anything else that is no file.
fn regular(file: File) -> Option<(File, FileId)> {
    let metadata = file.metadata().ok().filter(fs::Metadata::is_file)?;
    let id = FileId::of(&metadata);
    Some((file, id))
}

fn flags(flags: OFlags) -> i32 {
    flags.bits().cast_signed()
}
