//! Every verb of the wallet, against the real sandbox: an OpenID provider and a mytoken server on loopback.
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod clocks;
mod disk;
mod draw;
mod exchange;
mod families;
mod keep;
mod login;
mod look_up;
mod making;
mod mytoken;
mod pitfalls;
mod provider;
mod race;
mod reading;
mod refusals;
mod registering;
mod renew;
mod secrets;
mod tap;
mod world;
