//! `toktui mytoken redeem`.

use clap::Args;

use crate::cli::house::House;
use crate::domain::failure::{Failure, Kind};

/// Words of it.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// The name it is held under
    pub name: String,
}

/// What `--help` says under the options.
pub const HELP: &str = "";

/// Does it.
///
/// # Errors
/// With the deciding fact.
#[allow(clippy::unused_async, reason = "to be filled")]
pub async fn run(_house: &mut House, _words: &Words) -> Result<u8, Failure> {
    Err(Failure::new(Kind::Failed, "This", "is not made yet"))
}
