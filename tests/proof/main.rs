//! The proof of the store: that no token is lost or leaks, whatever is killed, raced, filled up or refused.
//!
//! By default a share that takes seconds. All of it, with the full counts: `TOKTUI_PROOF=full cargo test --release --test proof -- --include-ignored`.
//! Each proof prints what it did, and has a broken variant beside it that must fail.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

mod boards;
mod books;
mod canaries;
mod disks;
mod giver;
mod home;
mod journey;
mod judge;
mod kept;
mod kills;
mod making;
mod making_canaries;
mod making_kills;
mod races;
mod rotating;
mod share;
mod traces;
