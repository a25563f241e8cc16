//! `toktui lock`: forgets the session's key, for every program of this user.

use super::house::House;
use crate::domain::failure::Failure;
use crate::domain::vault::Access;

/// What `--help` says under the options.
pub const HELP: &str = "\
Boards and commands that run forget their keys too. What was copied or written to a file stays where it is.

Example:
  toktui lock && toktui list      names and ends are still readable";

/// Locks.
///
/// # Errors
/// None today.
#[allow(clippy::unnecessary_wraps, reason = "every command has the same shape")]
pub fn run(house: &mut House) -> Result<u8, Failure> {
    house.wallet.lock();
    house.out.line(match house.wallet.vault().access {
        Access::NoStore | Access::MemoryOnly(_) => "There is no store; nothing to lock.",
        Access::Open { .. } | Access::Locked => "Locked.",
    });
    Ok(0)
}
