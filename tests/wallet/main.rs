//! Every verb of the wallet, against the real sandbox: an OpenID provider and a mytoken server on loopback.
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(dead_code, missing_docs, reason = "growing")]

mod login;
mod race;
mod tap;
mod world;
