//! The history in files: several who write, torn ends, bounds, and what looking costs.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::*;
use crate::domain::credential::CredentialId;
use crate::domain::event::{Teller, What};
use crate::domain::time::{FixedClock, from_epoch};
use crate::domain::vault::Opening;
use crate::store::keys::Nowhere;
use crate::store::{Place, Store};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("locks")).expect("made");
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// A history as another program would open it, whose files turn over at `limit` bytes.
    fn limited(&self, limit: u64) -> History {
        let history = History::default();
        history.keep_in_files(Files::in_folder(self.path(), limit), true);
        history
    }

    fn history(&self) -> History {
        self.limited(LIMIT)
    }

    fn file(&self) -> PathBuf {
        self.path().join("history")
    }

    fn older(&self) -> PathBuf {
        self.path().join("history.1")
    }

    fn append(&self, bytes: &[u8]) {
        let mut file = fs::OpenOptions::new().append(true).create(true).open(self.file()).expect("opens");
        file.write_all(bytes).expect("written");
    }
}

fn event(n: usize) -> Event {
    Event {
        at: from_epoch(1_800_000_000 + i64::try_from(n).expect("small")),
        what: What::Rotated { copy: n as u64 },
        address: None,
        agent: None,
        comment: None,
        teller: Teller::Here,
        credential: Some(format!("c-{}", n % 3)),
        mom_id: None,
        new_address: false,
        new_agent: false,
    }
}

fn copies(events: &[Event]) -> Vec<u64> {
    let copy = |event: &Event| match event.what {
        What::Rotated { copy } => copy,
        _ => u64::MAX,
    };
    events.iter().map(copy).collect()
}

fn known(history: &History) -> Vec<u64> {
    copies(&history.newest(MOST))
}

#[test]
fn without_a_folder_it_is_in_memory_and_bounded() {
    let history = History::default();
    for n in 0..MOST + 5 {
        history.note(event(n));
    }
    assert_eq!(history.newest(usize::MAX).len(), MOST);
    assert_eq!(copies(&history.newest(2)), [2004, 2003]);
    assert_eq!(copies(&history.of("c-0", 2)), [2004, 2001]);
    assert!(!history.refresh());
}

#[test]
fn it_survives_its_program_and_nothing_is_read_before_somebody_asks() {
    let folder = Folder::new();
    folder.history().note(event(1));
    let next = folder.history();
    assert!(!next.is_shown());
    assert!(known(&next).is_empty() && next.is_shown());
    assert!(next.refresh());
    assert_eq!(*next.newest(MOST), [event(1)]);
    assert!(!next.refresh());
    assert_eq!(fs::metadata(folder.file()).expect("there").permissions().mode() & 0o777, 0o600);
}

#[test]
fn what_was_noted_before_there_was_a_folder_is_written_when_there_is_one() {
    let folder = Folder::new();
    let history = History::default();
    (1..=3).for_each(|n| history.note(event(n)));
    history.keep_in(folder.path(), true);
    assert!(!history.refresh());
    assert_eq!(known(&history), [3, 2, 1]);
    let other = folder.history();
    assert!(other.refresh());
    assert_eq!(known(&other), [3, 2, 1]);
}

#[test]
fn a_store_that_is_only_read_is_not_written_to() {
    let folder = Folder::new();
    folder.history().note(event(1));
    let before = fs::read(folder.file()).expect("read");
    let history = History::default();
    history.keep_in(folder.path(), false);
    history.note(event(2));
    assert!(history.refresh());
    assert_eq!(known(&history), [2, 1]);
    assert_eq!(copies(&history.of("c-2", 9)), [2]);
    assert_eq!(fs::read(folder.file()).expect("read"), before);
}

#[test]
fn where_nothing_can_be_written_it_is_in_memory() {
    let history = History::default();
    history.keep_in(Path::new("/nonexistent/store"), true);
    history.note(event(1));
    assert!(!history.refresh());
    assert_eq!(known(&history), [1]);
}

#[test]
fn two_programs_see_each_others_events_once_and_in_one_order() {
    let folder = Folder::new();
    let (one, other) = (folder.history(), folder.history());
    one.note(event(1));
    other.note(event(2));
    assert!(one.refresh() && other.refresh());
    one.note(event(3));
    assert!(!one.refresh());
    assert!(other.refresh());
    other.note(event(4));
    one.note(event(5));
    assert!(one.refresh() && other.refresh());
    assert_eq!(known(&one), [5, 4, 3, 2, 1]);
    assert_eq!(known(&other), [5, 4, 3, 2, 1]);
    assert!(!one.refresh() && !other.refresh());
}

#[test]
fn what_many_write_at_once_is_all_there_and_each_line_whole() {
    const EACH: usize = 1_000;
    let folder = Folder::new();
    let start = std::sync::Barrier::new(8);
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let (history, start) = (folder.history(), &start);
            scope.spawn(move || {
                start.wait();
                (0..EACH).for_each(|n| history.note(event(writer * EACH + n)));
            });
        }
    });
    let found = Files::in_folder(folder.path(), LIMIT).newest(usize::MAX, line::read);
    let found: Vec<usize> =
        copies(&found.events).into_iter().rev().map(|copy| usize::try_from(copy).expect("small")).collect();
    assert_eq!(found.len(), 8 * EACH);
    for writer in 0..8 {
        let of_it = found.iter().copied().filter(|copy| copy / EACH == writer);
        assert!(of_it.eq(writer * EACH..(writer + 1) * EACH), "each in its own order");
    }
}

#[test]
fn a_torn_end_is_skipped_and_what_follows_it_is_read() {
    let folder = Folder::new();
    let whole = line::written(&event(2));
    for length in 0..whole.len() {
        drop(fs::remove_file(folder.file()));
        let history = folder.history();
        history.note(event(1));
        history.refresh();
        folder.append(whole.get(..length).expect("shorter"));
        assert!(!history.refresh(), "{length}: half a line is no news");
        let other = folder.history();
        other.note(event(3));
        assert!(history.refresh() && other.refresh());
        // Only the line's end was missing, and it has come.
        let expected: &[u64] = &[3, 1];
        assert_eq!(known(&history), expected, "{length}");
        assert_eq!(known(&other), expected, "{length}");
    }
}

#[test]
fn foreign_bytes_hide_nothing_but_themselves() {
    let folder = Folder::new();
    let history = folder.history();
    history.note(event(1));
    folder.append(b"\n\0\xff\xfe{}\n{\"at\":1}\n\n\"\n");
    folder.append(&vec![b'x'; 200_000]);
    folder.append(b"\n");
    history.note(event(2));
    folder.append(&vec![b'y'; 200_000]);
    let other = folder.history();
    assert!(other.refresh());
    assert_eq!(known(&other), [2, 1]);
    history.note(event(3));
    assert!(other.refresh());
    assert_eq!(known(&other), [3, 2, 1]);
}

#[test]
fn a_file_that_is_no_file_is_left_alone() {
    let folder = Folder::new();
    let elsewhere = folder.path().join("elsewhere");
    fs::write(&elsewhere, "mine").expect("written");
    std::os::unix::fs::symlink(&elsewhere, folder.file()).expect("linked");
    let history = folder.history();
    history.note(event(1));
    assert!(!history.refresh());
    assert_eq!(known(&history), [1]);
    assert_eq!(fs::read(&elsewhere).expect("read"), b"mine");
}

#[test]
fn the_two_files_read_as_one_the_newest_first() {
    let folder = Folder::new();
    let history = folder.limited(1000);
    (0..17).for_each(|n| history.note(event(n)));
    assert!(folder.older().exists() && folder.file().exists());
    let reader = folder.limited(1000);
    reader.refresh();
    let found = known(&reader);
    let oldest = found.last().copied().expect("some");
    assert!(found.iter().copied().eq((oldest..17).rev()), "{found:?}");
    assert!(found.len() >= 8, "at least one file's worth: {found:?}");
    let own: Vec<u64> = found.iter().copied().filter(|n| n % 3 == 1).collect();
    assert_eq!(copies(&reader.of("c-1", 100)), own);
    assert_eq!(copies(&reader.of("c-1", 1)), own.get(..1).expect("one"));
    assert!(reader.of("c", 100).is_empty());
}

#[test]
fn a_reader_follows_when_the_files_turn_over() {
    let folder = Folder::new();
    let (writer, reader) = (folder.limited(700), folder.limited(700));
    for n in 0..60 {
        writer.note(event(n));
        assert!(reader.refresh(), "{n}");
        assert_eq!(known(&reader).first(), Some(&(n as u64)));
        assert!(!reader.refresh(), "{n}");
    }
    // What one program noted itself stays in its view, in order, also where the file has let it go.
    let found = known(&writer);
    assert!(found.iter().copied().eq((0..60).rev()));
    writer.refresh();
    assert_eq!(known(&writer), known(&reader));
}

#[test]
fn a_history_that_somebody_removed_or_cut_begins_anew() {
    let folder = Folder::new();
    let (history, reader) = (folder.history(), folder.history());
    (1..=3).for_each(|n| history.note(event(n)));
    reader.refresh();
    fs::remove_file(folder.file()).expect("removed");
    history.note(event(4));
    assert!(reader.refresh());
    assert_eq!(known(&reader), [4]);
    fs::write(folder.file(), "").expect("cut");
    assert!(reader.refresh());
    assert!(known(&reader).is_empty());
    history.note(event(5));
    assert!(reader.refresh());
    assert_eq!(known(&reader), [5]);
}

/// Notes `count` events from two programs and watches the files' sizes.
fn grow(count: usize, limit: u64) {
    let folder = Folder::new();
    let writers = [folder.limited(limit), folder.limited(limit)];
    let size = |path: PathBuf| fs::metadata(path).map_or(0, |metadata| metadata.len());
    let longest = line::written(&event(count)).len() as u64;
    for n in 0..count {
        writers.get(n % 2).expect("two").note(event(n));
        if n % 97 == 0 {
            assert!(size(folder.file()) < limit + longest && size(folder.older()) < limit + longest, "{n}");
        }
    }
    let reader = folder.history();
    reader.refresh();
    assert!(known(&reader).into_iter().take(100).eq((count as u64 - 100..count as u64).rev()));
    let names = fs::read_dir(folder.path()).expect("read").count();
    assert_eq!(names, 3, "history, history.1 and locks");
}

#[test]
fn it_does_not_grow_without_bounds() {
    grow(20_000, 64 << 10);
}

#[test]
#[ignore = "needs half a minute: a million events"]
fn it_does_not_grow_without_bounds_over_a_million_events() {
    grow(1_000_000, LIMIT);
}

#[test]
fn where_locks_do_not_work_it_is_bounded_all_the_same() {
    let folder = Folder::new();
    fs::remove_dir(folder.path().join("locks")).expect("removed");
    let history = folder.limited(1000);
    for n in 0..200 {
        history.note(event(n));
        assert!(fs::metadata(folder.file()).map_or(0, |metadata| metadata.len()) < 2200);
    }
    assert!(folder.older().exists());
}

#[test]
fn a_first_look_at_a_long_history_costs_what_one_at_a_short_one_does() {
    let cost = |count: usize| {
        let folder = Folder::new();
        let newest = count.saturating_sub(2 * MOST)..count;
        let mut lines = line::written(&event(newest.start)).repeat(newest.start);
        lines.extend(newest.flat_map(|n| line::written(&event(n))));
        fs::write(folder.file(), lines).expect("written");
        let history = folder.history();
        assert!(history.newest(MOST).is_empty(), "nothing is read for the first frame");
        history.refresh();
        assert_eq!(known(&history).first(), Some(&(count as u64 - 1)));
        history.cost_of_first_look()
    };
    let (short, long, longer) = (cost(100), cost(MOST), cost(100_000));
    assert!(short < 64 << 10, "{short}");
    assert!(longer <= long + (64 << 10), "{long} bytes of {MOST} events, {longer} of 100,000");
    assert!(longer < 512 << 10, "{longer}");
}

#[tokio::test]
async fn a_store_whose_history_nobody_shows_reads_none_of_it() {
    let folder = Folder::new();
    let open = || {
        let place = Place {
            folder: folder.path().join("store"),
            clock: Arc::new(FixedClock::at(from_epoch(0))),
            session: Arc::new(Nowhere),
            keyring: Arc::new(Nowhere),
            key_file: folder.path().join("key"),
            session_allowed: false,
            who: "a test".to_owned(),
        };
        Store::open(place).expect("a store, or none yet")
    };
    let store = open();
    store.note(event(1));
    store.create(Opening::KeyFile(None)).await.expect("made");
    store.note(event(2));
    let other = open();
    other.refresh().await;
    assert!(other.journal().is_empty(), "nobody had asked for it when it was read");
    other.refresh().await;
    assert_eq!(copies(&other.journal()), [2, 1]);
    assert_eq!(copies(&other.history_of(&CredentialId("c-1".to_owned()), 9)), [1]);
}
