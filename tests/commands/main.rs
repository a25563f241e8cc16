//! The plain commands: the built program in real processes, a home of their own, and a provider that they can reach.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]
#![allow(clippy::disallowed_methods, reason = "these tests wait for other processes, in real time")]

mod asking;
mod families;
mod joining;
mod keeping;
mod listing;
mod making;
mod pages;
mod pipes;
mod portal;
mod providers;
mod reading;
mod registering;
mod tokens;
mod world;
