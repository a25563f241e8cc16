//! `toktui mytoken redeem`: a transfer code becomes a mytoken that is kept.

use std::io::Read;

use clap::Args;

use super::{order, told};
use crate::cli::house::House;
use crate::cli::{gate, input};
use crate::domain::failure::{Failure, Kind};
use crate::domain::secret::Secret;

/// Words of `toktui mytoken redeem`.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// The name to keep it under; else the one that it has at its server
    pub name: Option<String>,
    /// The mytoken server that made the code, by its short name or address
    #[arg(long, value_name = "SERVER")]
    pub server: Option<String>,
    /// JSON instead of text
    #[arg(long)]
    pub json: bool,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
The code comes on standard input, or is asked for without being shown. It is good once, and for a few minutes. What comes is kept before
anything is said of it, and then looked up: a code that was made before the mytoken rotated gives a copy that is dead.

Examples:
  toktui mytoken redeem night --server mytoken-kit
  ssh login-node toktui mytoken hand-over toar | toktui mytoken redeem toar-laptop --server mytoken-kit

JSON (version 1): as of `toktui mytoken create`.

Exit codes: 0 kept; 1 failed; 2 wrong usage, a name that is taken, or it is held already; 3 the code is unknown, used or too old; 4 not reached.";

const DOING: &str = "Redeeming a transfer code";

/// Redeems.
///
/// # Errors
/// With the deciding fact.
pub async fn run(house: &mut House, words: &Words, from: impl Read) -> Result<u8, Failure> {
    let server = order::server(house, words.server.as_deref(), DOING)?;
    gate::made(house, DOING).await?;
    let code = match house.tty() {
        Some(tty) => gate::hidden(&tty, "Transfer code:").await?,
        None => Secret::new(input::all(from, DOING)?.trim()),
    };
    if code.expose().trim().is_empty() {
        return Err(Failure::new(Kind::Unusable, DOING, "no code came on standard input"));
    }
    let report = house.wallet.redeem(&server, &code, words.name.as_deref()).await?;
    told::report(house, &report, words.json, "Redeemed");
    Ok(0)
}
