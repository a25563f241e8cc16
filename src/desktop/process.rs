//! Closes this process to others: no core dump holds its memory, and no other program of the same user reads it.
//!
//! It does not keep out the superuser, nor whoever attached before [`close`]. A process that is closed so belongs to root in `/proc`:
//! of its own entries there it can still read the links (`exe`, `fd`) and what everybody may read (`mountinfo`), but no longer
//! `environ`, `maps` or `mem`.

use std::io;
use std::sync::{Mutex, OnceLock, PoisonError};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What core dumps were limited to before [`close`]; children get it back.
static GIVEN: OnceLock<Rlimit> = OnceLock::new();
/// Held while the limit is another one for a moment.
static CHANGING: Mutex<()> = Mutex::new(());

/// Closes this process to others. To be called first of all: what was read before may have been seen.
///
/// # Errors
/// What did not work, in words. It was looked at again, not only asked for.
pub fn close() -> Result<(), String> {
    GIVEN.get_or_init(|| getrlimit(Resource::Core));
    let asked = limit_to_nothing();
    if getrlimit(Resource::Core).current != Some(0) {
        return Err(words("core dumps stay on", asked.err()));
    }
    close_memory()
}

/// Only the soft limit: the hard one could not be given back.
fn limit_to_nothing() -> io::Result<()> {
    let maximum = getrlimit(Resource::Core).maximum;
    Ok(setrlimit(Resource::Core, Rlimit { current: Some(0), maximum })?)
}

#[cfg(target_os = "linux")]
fn close_memory() -> Result<(), String> {
    use rustix::process::{DumpableBehavior, dumpable_behavior, set_dumpable_behavior};

    let asked = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    if matches!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable)) {
        return Ok(());
    }
    Err(words("other programs of this user can read this one's memory", asked.err().map(io::Error::from)))
}

/// Elsewhere the limit is all there is.
#[cfg(not(target_os = "linux"))]
const fn close_memory() -> Result<(), String> {
    Ok(())
}

fn words(what: &str, error: Option<io::Error>) -> String {
    error.map_or_else(|| what.to_owned(), |error| format!("{what}: {error}"))
}

/// Starts a child by `start` with the limit for core dumps that we were given: a browser is not ours to limit.
///
/// We stay closed meanwhile: what a child inherits is the limit only, and its memory is open or closed by its own will.
pub fn with_its_own_limits<T>(start: impl FnOnce() -> T) -> T {
    let Some(given) = GIVEN.get() else {
        return start();
    };
    let _one_at_a_time = CHANGING.lock().unwrap_or_else(PoisonError::into_inner);
    // It was ours before, so it can be again; and where not, a child without core dumps is no reason not to start it.
    let _ = setrlimit(Resource::Core, *given);
    let started = start();
    let _ = limit_to_nothing();
    started
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One test, because a process is closed for good.
    #[test]
    fn a_closed_process_dumps_no_core_and_its_children_get_their_limit_back() {
        let before = getrlimit(Resource::Core);
        close().unwrap();
        close().unwrap();
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
        assert_eq!(getrlimit(Resource::Core).maximum, before.maximum);
        let limit = with_its_own_limits(|| getrlimit(Resource::Core));
        assert_eq!(limit, before);
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
        #[cfg(target_os = "linux")]
        assert_eq!(std::fs::read_link("/proc/self/exe").ok(), std::env::current_exe().ok());
    }
}
