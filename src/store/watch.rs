//! Tells when another program changes the store.
//!
//! The kernel is asked to watch the store's folder: its own list of names, and writing to the files in it, but not what goes on in the
//! folders below. What happens to `list`, `history` and `keys` is told; nothing wakes anybody otherwise. On a network file system
//! the kernel sees what this machine does and nothing else, so nobody watches there: [`Watch::on`] gives nothing.

#[cfg(target_os = "linux")]
pub use linux::Watch;
#[cfg(not(target_os = "linux"))]
pub use none::Watch;

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::OwnedFd;
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
    use rustix::fs::statfs;
    use rustix::io::Errno;
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    /// The files whose changes are told.
    const NAMES: [&[u8]; 3] = [b"list", b"history", b"keys"];
    /// Changes of so short a time are told as one: a hundred scripts that each write a line wake nobody a hundred times.
    const SETTLE: Duration = Duration::from_millis(50);
    /// File systems that others may change behind the kernel's back, by the number that `statfs` gives.
    const SHARED: [(u32, &str); 20] = [
        (0x6969, "NFS"),
        (0x517B, "SMB"),
        (0xFF53_4D42, "CIFS"),
        (0xFE53_4D42, "SMB 2"),
        (0x6573_5546, "FUSE: sshfs and the like"),
        (0x0BD0_0BD0, "Lustre"),
        (0x4750_4653, "GPFS"),
        (0x5346_414F, "AFS"),
        (0x6B41_4653, "kAFS"),
        (0x7375_7245, "Coda"),
        (0x00C3_6400, "Ceph"),
        (0x0102_1997, "9P"),
        (0x7461_636F, "OCFS2"),
        (0x0116_1970, "GFS2"),
        (0x1983_0326, "BeeGFS"),
        (0x2003_0528, "OrangeFS"),
        (0xAAD7_AAEA, "PanFS"),
        (0x786F_4256, "VirtualBox"),
        (0xBACB_ACBC, "VMware"),
        (0x0000_564C, "NCP"),
    ];

    /// Tells when another program changes the store.
    pub struct Watch {
        events: AsyncFd<OwnedFd>,
        folder: PathBuf,
        /// Whether the folder is still watched: it may have been removed, or moved away.
        is_on: bool,
        /// Whether there is something to tell that has not been told.
        news: bool,
        settle: Duration,
    }

    impl Watch {
        /// Starts to watch a store's folder; `None` where that cannot work. To be called inside the runtime.
        #[must_use]
        pub fn on(folder: &Path) -> Option<Self> {
            let kind = statfs(folder).ok()?.f_type;
            // The kernel gives the number in as many bits as the machine has.
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the number has 32 bits"
            )]
            let kind = kind as u32;
            if SHARED.iter().any(|(shared, _)| *shared == kind) {
                return None;
            }
            tokio::runtime::Handle::try_current().ok()?;
            let events = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).ok()?;
            // Its successor wants a promise that the descriptor stays what it is, by a word that this room has no use for.
            // What is owned keeps it.
            #[allow(deprecated, reason = "sound for an owned descriptor")]
            let events = AsyncFd::with_interest(events, Interest::READABLE).ok()?;
            let watch = Self { events, folder: folder.to_owned(), is_on: true, news: false, settle: SETTLE };
            watch.add().then_some(watch)
        }

        /// The same, told at once.
        #[cfg(test)]
        pub(super) fn at_once(mut self) -> Self {
            self.settle = Duration::ZERO;
            self
        }

        fn add(&self) -> bool {
            let what = WatchFlags::MODIFY
                | WatchFlags::CREATE
                | WatchFlags::DELETE
                | WatchFlags::MOVE
                | WatchFlags::DELETE_SELF
                | WatchFlags::MOVE_SELF
                | WatchFlags::ONLYDIR;
            inotify::add_watch(self.events.get_ref(), &self.folder, what).is_ok()
        }

        /// Waits until something has changed, by others or by this program itself. May be dropped while it waits.
        pub async fn changed(&mut self) {
            if !self.is_on {
                // Whoever was told that the folder went has looked by now; there may be a new one.
                self.is_on = self.add();
            }
            while !self.news {
                if !self.wait().await {
                    return std::future::pending().await;
                }
            }
            if !self.settle.is_zero() {
                tokio::time::sleep(self.settle).await;
                // Whatever came meanwhile is told with it.
                self.take_all();
            }
            self.news = false;
        }

        /// Waits for anything at all; `false` if nothing will ever come.
        async fn wait(&mut self) -> bool {
            let Ok(mut ready) = self.events.readable().await else { return false };
            ready.clear_ready();
            drop(ready);
            self.take_all()
        }

        /// Takes what is there; `false` if there will be nothing more.
        fn take_all(&mut self) -> bool {
            let mut buffer = [std::mem::MaybeUninit::uninit(); 4096];
            let mut reader = Reader::new(self.events.get_ref(), &mut buffer);
            loop {
                match reader.next() {
                    Ok(event) => {
                        let flags = event.events();
                        // DELETE_SELF is told while somebody may still hold the folder; IGNORED, when the kernel lets it go.
                        let gone = ReadFlags::DELETE_SELF
                            | ReadFlags::MOVE_SELF
                            | ReadFlags::UNMOUNT
                            | ReadFlags::IGNORED;
                        if flags.intersects(gone) {
                            self.is_on = false;
                        }
                        let named = event.file_name().is_some_and(|name| NAMES.contains(&name.to_bytes()));
                        self.news |= named || flags.intersects(gone | ReadFlags::QUEUE_OVERFLOW);
                    }
                    Err(Errno::AGAIN) => return true,
                    Err(Errno::INTR) => {}
                    Err(_) => return false,
                }
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod none {
    use std::path::Path;

    /// Tells when another program changes the store: not on this system.
    pub enum Watch {}

    impl Watch {
        /// `None`: this system is not asked.
        #[must_use]
        pub fn on(_folder: &Path) -> Option<Self> {
            None
        }

        /// Waits until something has changed.
        pub async fn changed(&mut self) {
            match *self {}
        }
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use futures_util::FutureExt;

    use super::*;

    fn store() -> (tempfile::TempDir, Option<Watch>) {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("tokens")).expect("made");
        fs::create_dir(folder.path().join("locks")).expect("made");
        for name in ["list", "history", "tokens/toar"] {
            fs::write(folder.path().join(name), "").expect("written");
        }
        let watch = Watch::on(folder.path()).map(Watch::at_once);
        (folder, watch)
    }

    /// Fails where the change is not told; a told one is there already when the call that made it returns.
    async fn told(watch: &mut Watch) {
        tokio::time::timeout(Duration::from_secs(10), watch.changed()).await.expect("it is told");
    }

    async fn is_silent(watch: &mut Watch) -> bool {
        // Lets the runtime hear what the kernel has to say.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        watch.changed().now_or_never().is_none()
    }

    fn elsewhere(script: &str, folder: &Path) {
        let mut shell = std::process::Command::new("sh");
        let status = shell.args(["-ec", script]).current_dir(folder).status().expect("a shell");
        assert!(status.success(), "{script}");
    }

    #[tokio::test]
    async fn what_another_program_does_to_the_store_is_told_once() {
        let (folder, watch) = store();
        let mut watch = watch.expect("a disk of this machine");
        let table = [
            "echo line >> history",
            "echo line >> list",
            "echo new > list.tmp; mv list.tmp list",
            "rm history",
            "echo first > history",
            "mv history history.1; echo line > history; echo line >> list; echo line >> list",
            "echo key > keys",
        ];
        for script in table {
            assert!(is_silent(&mut watch).await, "before {script}");
            elsewhere(script, folder.path());
            told(&mut watch).await;
            assert!(is_silent(&mut watch).await, "after {script}");
        }
    }

    #[tokio::test]
    async fn nothing_else_is_told() {
        let (folder, watch) = store();
        let mut watch = watch.expect("a disk of this machine");
        elsewhere(
            "cat list history; ls -l > locks/seen; chmod 600 list; echo line >> tokens/toar; : > locks/store; echo x > list.tmp; rm list.tmp",
            folder.path(),
        );
        assert!(is_silent(&mut watch).await);
    }

    #[tokio::test(start_paused = true)]
    async fn many_changes_in_a_short_time_are_told_as_one_and_a_wait_that_was_dropped_loses_none() {
        let (folder, _) = store();
        let mut watch = Watch::on(folder.path()).expect("a disk of this machine");
        elsewhere("echo line >> history", folder.path());
        let short = Duration::from_millis(1);
        assert!(tokio::time::timeout(short, watch.changed()).await.is_err(), "it settles first");
        elsewhere("for n in 1 2 3 4 5 6 7 8 9; do echo line >> history; done", folder.path());
        watch.changed().await;
        assert!(is_silent(&mut watch).await);
    }

    #[tokio::test]
    async fn a_folder_that_goes_is_told_and_its_successor_is_watched() {
        let (folder, _) = store();
        let inner: PathBuf = folder.path().join("store");
        fs::create_dir(&inner).expect("made");
        let mut watch = Watch::on(&inner).map(Watch::at_once).expect("a disk of this machine");
        fs::remove_dir(&inner).expect("removed");
        told(&mut watch).await;
        assert!(is_silent(&mut watch).await);
        fs::create_dir(&inner).expect("made");
        assert!(is_silent(&mut watch).await);
        fs::write(inner.join("list"), "x").expect("written");
        told(&mut watch).await;
    }

    #[tokio::test]
    async fn where_there_is_no_folder_or_nobody_to_ask_there_is_no_watch() {
        assert!(Watch::on(Path::new("/nonexistent/store")).is_none());
        // The kernel makes these up as they are read: nothing is ever told of them, and no store lives there.
        let (folder, _) = store();
        assert!(Watch::on(&folder.path().join("list")).is_none());
    }

    #[test]
    fn outside_a_runtime_there_is_none() {
        assert!(store().1.is_none());
    }
}
