//! Journeys: keys in, screens out. The real loop, the real verbs, and servers on loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

mod harness;
mod mask;
mod script;
mod shelf;
mod stage;

/// Stores the screen at both sizes.
macro_rules! stored {
    ($name:literal, $played:expr) => {
        insta::assert_snapshot!(concat!($name, "_120x34"), $played.screen());
        insta::assert_snapshot!(concat!($name, "_80x24"), $played.screen_at(crate::harness::SMALL));
    };
}

mod copying;
mod creating;
mod families;
mod finding_the_way;
mod keeping;
mod leaving;
mod logging_in;
mod looking_up;
mod standing_still;
