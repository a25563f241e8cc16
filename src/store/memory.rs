//! Memory for keys: pages of their own that are never swapped out nor dumped, and are wiped key by key.
//!
//! The only module that may say `unsafe`: no safe call locks a page, and a key that shares its page with anything else would
//! lock that too, or lose its lock with it. All that is unsafe happens once a page; from then on a page is plain borrowed memory.
#![allow(unsafe_code, reason = "mmap, mlock and madvise take addresses")]

use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rustix::mm::{MapFlags, ProtFlags, mlock, mmap_anonymous};
use zeroize::Zeroize;

use super::seal::KEY;

/// How many keys a page holds: 4 KiB, a page everywhere or a part of one.
const IN_A_PAGE: usize = 4096 / KEY;

/// Room for one key.
type Slot = [u8; KEY];

/// Rooms that hold no key. Pages are never given back: a thousand keys are eight of them.
static FREE: Mutex<Vec<&'static mut Slot>> = Mutex::new(Vec::new());
/// Whether a page could not be locked.
static MAY_BE_SWAPPED: AtomicBool = AtomicBool::new(false);

/// Room for one key, all zeros at first, and wiped when it goes.
pub struct Kept(ManuallyDrop<&'static mut Slot>);

impl Kept {
    /// Room for a key. The first one of a process, and then each 128th, costs three system calls.
    #[must_use]
    pub fn new() -> Self {
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        if free.is_empty() {
            free.extend(page().iter_mut());
        }
        // A page has rooms; but a key must not be a reason to panic.
        let slot = free.pop().unwrap_or_else(|| Box::leak(Box::new([0; KEY])));
        Self(ManuallyDrop::new(slot))
    }
}

impl Default for Kept {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for Kept {
    type Target = Slot;

    fn deref(&self) -> &Slot {
        &self.0
    }
}

impl DerefMut for Kept {
    fn deref_mut(&mut self) -> &mut Slot {
        &mut self.0
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.zeroize();
        // SAFETY: this is the one place that takes it, drop runs once, and nothing looks at it afterwards.
        let slot = unsafe { ManuallyDrop::take(&mut self.0) };
        FREE.lock().unwrap_or_else(PoisonError::into_inner).push(slot);
    }
}

/// Whether every key so far is in a page that cannot be swapped out. Where the limit for such pages is 0 (`ulimit -l`) keys are in
/// plain memory, and whoever started us is to be told once.
#[must_use]
pub fn is_locked() -> bool {
    !MAY_BE_SWAPPED.load(Ordering::Relaxed)
}

/// A page for keys, as far as the system gives one.
fn page() -> &'static mut [Slot; IN_A_PAGE] {
    let size = size_of::<[Slot; IN_A_PAGE]>();
    // SAFETY: the system chooses the address, so nothing that exists is mapped over.
    let mapped = unsafe {
        mmap_anonymous(ptr::null_mut(), size, ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE)
    };
    let Ok(start) = mapped else {
        MAY_BE_SWAPPED.store(true, Ordering::Relaxed);
        return Box::leak(Box::new([[0; KEY]; IN_A_PAGE]));
    };
    // SAFETY: the pages from `start` on are ours alone, and stay mapped; locking them changes nothing in them.
    if unsafe { mlock(start, size) }.is_err() {
        MAY_BE_SWAPPED.store(true, Ordering::Relaxed);
    }
    // Not in a core dump either, should one be made in spite of all. Where the system does not know the word, so be it.
    // SAFETY: as above.
    #[cfg(target_os = "linux")]
    let _ = unsafe { rustix::mm::madvise(start, size, rustix::mm::Advice::LinuxDontDump) };
    // SAFETY: `start` is page-aligned, not null, and the beginning of `size` readable and writable bytes that are zero, which
    // is a value of this type. They are mapped for as long as the process lives, and this is the only reference to them.
    unsafe { &mut *start.cast::<[Slot; IN_A_PAGE]>() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_empty_when_it_is_taken_and_wiped_when_it_goes() {
        let mut rooms: Vec<Kept> = (0..3 * IN_A_PAGE).map(|_| Kept::new()).collect();
        for (n, room) in rooms.iter_mut().enumerate() {
            assert_eq!(**room, [0; KEY]);
            room.fill(u8::try_from(n % 255).unwrap() + 1);
        }
        for (n, room) in rooms.iter().enumerate() {
            assert_eq!(**room, [u8::try_from(n % 255).unwrap() + 1; KEY], "rooms do not overlap");
        }
        drop(rooms);
        let again: Vec<Kept> = (0..3 * IN_A_PAGE).map(|_| Kept::new()).collect();
        assert!(again.iter().all(|room| **room == [0; KEY]));
    }

    #[test]
    fn rooms_are_used_again_so_that_pages_do_not_grow_with_time() {
        let mut addresses = std::collections::BTreeSet::new();
        for _ in 0..100_000 {
            addresses.insert(ptr::from_ref::<Slot>(&Kept::new()).addr() / 4096);
        }
        // Other tests take rooms at the same time.
        assert!(addresses.len() < 100, "{} pages", addresses.len());
    }
}
