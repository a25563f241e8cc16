//! Tells when the wall clock jumps: somebody set it, or the machine went on after it had slept.
//!
//! A sleep of the runtime does not count the time that a machine sleeps, and follows no clock that is set. The kernel can say
//! when either happened, and wakes nobody otherwise. Where it cannot ([`Jumps::new`] gives nothing), a sleep that must not be late
//! is to be cut into short ones.

#[cfg(target_os = "linux")]
pub use linux::Jumps;
#[cfg(not(target_os = "linux"))]
pub use none::Jumps;

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::OwnedFd;

    use rustix::io::Errno;
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    /// Tells when the wall clock jumps.
    pub struct Jumps(AsyncFd<OwnedFd>);

    impl Jumps {
        /// Starts to listen; `None` where this system cannot tell. To be called inside the runtime.
        #[must_use]
        pub fn new() -> Option<Self> {
            tokio::runtime::Handle::try_current().ok()?;
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Realtime, flags).ok()?;
            // It never ends: all it is for is to be cancelled, which is how the kernel tells of a jump.
            let never = Timespec { tv_sec: i64::MAX, tv_nsec: 0 };
            let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: never };
            let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
            timerfd_settime(&timer, flags, &once).ok()?;
            // Its successor wants a promise that the descriptor stays what it is, by a word that this room has no use for.
            // What is owned keeps it.
            #[allow(deprecated, reason = "sound for an owned descriptor")]
            AsyncFd::with_interest(timer, Interest::READABLE).ok().map(Self)
        }

        /// Waits for the next jump. May be dropped while it waits.
        pub async fn jumped(&mut self) {
            loop {
                let Ok(mut ready) = self.0.readable().await else {
                    return std::future::pending().await;
                };
                match rustix::io::read(ready.get_inner(), &mut [0; 8]) {
                    Err(Errno::AGAIN) => ready.clear_ready(),
                    Err(Errno::INTR) => {}
                    // The kernel has wound it up again already: the next jump is told too.
                    Ok(_) | Err(Errno::CANCELED) => {
                        ready.clear_ready();
                        return;
                    }
                    Err(_) => return std::future::pending().await,
                }
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod none {
    /// Tells when the wall clock jumps: not on this system.
    pub enum Jumps {}

    impl Jumps {
        /// `None`: this system cannot tell.
        #[must_use]
        pub fn new() -> Option<Self> {
            None
        }

        /// Waits for the next jump.
        pub async fn jumped(&mut self) {
            match *self {}
        }
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_clock_that_nobody_sets_wakes_nobody() {
        let mut jumps = Jumps::new().expect("this kernel can tell");
        tokio::task::yield_now().await;
        assert!(jumps.jumped().now_or_never().is_none());
    }

    #[test]
    fn outside_a_runtime_there_are_none() {
        assert!(Jumps::new().is_none());
    }

    #[tokio::test]
    #[ignore = "needs somebody who sets the clock within ten seconds: date -s \"$(date +%FT%T.%N)\" as root"]
    #[allow(clippy::print_stdout, reason = "for the person who sets the clock")]
    async fn a_clock_that_is_set_wakes() {
        let mut jumps = Jumps::new().expect("this kernel can tell");
        println!("set the clock now");
        let limit = std::time::Duration::from_secs(10);
        tokio::time::timeout(limit, jumps.jumped()).await.expect("a jump");
        assert!(jumps.jumped().now_or_never().is_none());
    }
}
