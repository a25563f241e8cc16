//! How much of a proof runs: a share that fits into `cargo test`, or all of it.

use std::io::Write as _;
use std::sync::OnceLock;

/// `TOKTUI_PROOF=full` asks for the full counts.
pub fn is_full() -> bool {
    static FULL: OnceLock<bool> = OnceLock::new();
    *FULL.get_or_init(|| std::env::var_os("TOKTUI_PROOF").is_some_and(|wish| wish == "full"))
}

/// How many of something are done: `part` of them by default, `all` in the long form. Says which.
pub fn of(what: &str, part: usize, all: usize) -> usize {
    let count = if is_full() { all } else { part };
    say(&format!("{what}: {count} of {all}"));
    count
}

/// A line that is seen although the test passes: what was proved, with its counts.
pub fn say(line: &str) {
    // The test runner keeps what is printed by macro; this line is for whoever reads the log of a good run.
    drop(writeln!(std::io::stderr().lock(), "proof: {line}"));
}

/// Random numbers that are the same in every run of this seed, which a failure names.
pub struct Dice(pub u64);

impl Dice {
    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}
