//! The room `oidc` against the sandbox's provider, and against servers that lie, over real HTTP on loopback.
#![allow(clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

mod flows;
mod listener;
mod traps;
mod vectors;
