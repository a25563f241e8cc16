//! What was done: one line an event, without secrets, bounded, and common to all programs that use the store.
//!
//! Two files, `history` and `history.1`. Every program appends to the first; whoever finds that it has grown to 4 MiB renames it to the
//! second, whose events go. Nothing waits: no sync, no lock but a try for that one rename (`locks/history`), and a line that could not
//! be written is known to this program only. Nothing is read until somebody asks ([`History::refresh`], [`History::of`]), and then
//! from the end, so that a long history costs what a short one does.
//!
//! # A line
//!
//! ```text
//! {"at":"2026-11-22T21:42:13.123Z","what":"rotated","copy":5,"of":"…","from":"…","agent":"…","note":"…","sum":"1a2b3c4d"} LF
//! ```
//!
//! * `at`, when; `what`, a name of our own that never changes; `of`, the credential's id. Then, where there is any: `copy`, the number of the
//!   new copy; `name`, the name of a server's event or other words; `from`, `agent`, `note`, as a server or we tell them; `told`, that a
//!   server told of it.
//! * `sum` is the first 8 hexadecimal digits of the SHA-256 of all before its comma. It tells a torn line, and one of two torn ones that were
//!   glued together.
//! * All of it is printable ASCII, the rest `\u` escapes: the file may be shown by any program.
//! * A reader passes over what it does not know: a field, a line that is not whole. An unknown `what` is shown as it is.

mod files;
mod line;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::domain::event::Event;

use files::{Files, Found, LIMIT, Place, Writer};

/// More events than this are not held in memory: the oldest go first.
pub const MOST: usize = 2_000;

/// What was done, here and by others.
#[derive(Debug, Default)]
pub struct History {
    /// Held across reading the files, so that nobody who notes something waits for that.
    reading: Mutex<Option<Place>>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    files: Option<Files>,
    writer: Option<Writer>,
    /// From the files, in their order.
    read: VecDeque<Event>,
    /// Noted here and not read back yet, each with its place in the file if it is there.
    noted: VecDeque<(Event, Option<Place>)>,
    /// Both, the newest first, until either changes.
    newest: Option<Arc<[Event]>>,
    /// Whether anybody has asked for that.
    is_shown: bool,
}

impl History {
    /// From now on the history is kept in the store's `folder`; with `writes`, what was noted until now is written there too.
    /// Nothing is read yet.
    pub fn keep_in(&self, folder: &Path, writes: bool) {
        self.keep_in_files(Files::in_folder(folder, LIMIT), writes);
    }

    fn keep_in_files(&self, files: Files, writes: bool) {
        *self.reading.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let mut inner = self.inner();
        inner.writer = writes.then(|| Writer::to(files.clone()));
        inner.files = Some(files);
        let Inner { writer: Some(writer), noted, .. } = &mut *inner else { return };
        for (event, place) in noted.iter_mut().filter(|(_, place)| place.is_none()) {
            *place = writer.append(&line::written(event));
        }
    }

    /// Writes an event down. It never fails and waits for nobody; where the disk takes nothing the event is in memory.
    pub fn note(&self, mut event: Event) {
        // As exact as a line keeps it.
        event.at = Timestamp::from_millisecond(event.at.as_millisecond()).unwrap_or(event.at);
        let mut inner = self.inner();
        let place = inner.writer.as_mut().and_then(|writer| writer.append(&line::written(&event)));
        inner.noted.push_back((event, place));
        if inner.noted.len() > MOST {
            inner.noted.pop_front();
        }
        inner.newest = None;
    }

    /// The newest events, the newest first, as far as they are in memory: what was noted here, and since the first
    /// [`History::refresh`] what others noted. Reads nothing.
    #[must_use]
    pub fn newest(&self, limit: usize) -> Arc<[Event]> {
        let mut inner = self.inner();
        inner.is_shown = true;
        if inner.newest.is_none() {
            let all = newest_of(inner.noted.iter().map(|(event, _)| event).rev(), inner.read.iter().rev());
            inner.newest = Some(all.take(MOST).cloned().collect());
        }
        let all = inner.newest.clone().unwrap_or_default();
        if limit < all.len() { all.iter().take(limit).cloned().collect() } else { all }
    }

    /// The newest events of one credential, the newest first, from both files. Reads up to 8 MiB: not for the loop itself.
    #[must_use]
    pub fn of(&self, credential: &str, limit: usize) -> Vec<Event> {
        self.where_it_stands(credential, limit, |event| event.credential.as_deref() == Some(credential))
    }

    /// The same of one mytoken, by its id at its server: also of one that is not held any more, or never was.
    #[must_use]
    pub fn about(&self, mom_id: &str, limit: usize) -> Vec<Event> {
        let own = |event: &Event| event.mom_id.as_ref().is_some_and(|id| id.raw() == mom_id);
        self.where_it_stands(mom_id, limit, own)
    }

    fn where_it_stands(&self, id: &str, limit: usize, is_it: impl Fn(&Event) -> bool) -> Vec<Event> {
        let (files, unwritten) = {
            let inner = self.inner();
            let is_only_here =
                |(_, place): &&(Event, Option<Place>)| inner.files.is_none() || place.is_none();
            let unwritten = inner.noted.iter().rev().filter(is_only_here).map(|(event, _)| event.clone());
            (inner.files.clone(), unwritten.collect::<Vec<_>>())
        };
        let own = |event: &&Event| is_it(event);
        // An id stands in a line as it is. Looking for it costs a twentieth of reading the line.
        let event =
            |line: &str| line.contains(id).then(|| line::read(line)).flatten().filter(|event| own(&event));
        let found = files.map(|files| files.newest(limit, event)).unwrap_or_default();
        newest_of(unwritten.iter().filter(own), found.events.iter()).take(limit).cloned().collect()
    }

    /// Whether anybody has asked for [`History::newest`]: for a command that shows no history none is to be read.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        self.inner().is_shown
    }

    /// Reads what came since the last look; the first time, the newest of what there is. Whether anything of others came. Reads up to a
    /// few hundred KiB: not for the loop itself.
    pub fn refresh(&self) -> bool {
        let mut upto = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(files) = self.inner().files.clone() else { return false };
        let more = upto.and_then(|place| files.since(place));
        let is_more = more.is_some();
        let found = more.unwrap_or_else(|| files.newest(MOST, line::read));
        *upto = found.upto;
        self.take_in(found, is_more)
    }

    /// How many bytes a first look takes.
    #[cfg(test)]
    fn cost_of_first_look(&self) -> u64 {
        self.inner().files.clone().map_or(0, |files| files.newest(MOST, line::read).bytes)
    }

    /// Whether anything else is known now.
    fn take_in(&self, found: Found, is_more: bool) -> bool {
        let mut inner = self.inner();
        let before = inner.noted.len();
        // What was noted here and has been read back stands in the file's order from now on.
        inner.noted.retain(|(_, place)| match (place, found.upto) {
            (Some(place), Some(upto)) => place.file == upto.file && place.end > upto.end,
            (Some(_), None) => false,
            (None, _) => true,
        });
        let own = before - inner.noted.len();
        let has_changed = if is_more {
            found.events.len() != own
        } else {
            let known = inner.read.len() + own;
            inner.read.clear();
            found.events.len() != known || known >= MOST
        };
        inner.read.extend(found.events.into_iter().rev());
        let surplus = inner.read.len().saturating_sub(MOST);
        inner.read.drain(..surplus);
        inner.newest = None;
        has_changed
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Both lists as one, each in its own order, by time where there is a choice.
fn newest_of<'e>(
    first: impl Iterator<Item = &'e Event>,
    second: impl Iterator<Item = &'e Event>,
) -> impl Iterator<Item = &'e Event> {
    let (mut first, mut second) = (first.peekable(), second.peekable());
    std::iter::from_fn(move || match (first.peek(), second.peek()) {
        (Some(one), Some(other)) if one.at < other.at => second.next(),
        (Some(_), _) => first.next(),
        (None, _) => second.next(),
    })
}
