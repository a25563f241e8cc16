//! `toktui mytoken history`: the events of a held mytoken, or of listed ones by their ids.

use clap::Args;

use super::right;
use crate::cli::house::House;
use crate::cli::{gate, history};
use crate::domain::failure::{Failure, Kind};
use crate::domain::untrusted::Untrusted;
use crate::wallet::family::HISTORY;

/// Words of it.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// The name it is held under; the same as `toktui history NAME`
    #[arg(required_unless_present = "id", conflicts_with = "id")]
    pub name: Option<String>,
    /// A listed mytoken by its id, as `toktui mytoken list --ids` prints it; several times for several, in one request
    #[arg(long, value_name = "MOM_ID")]
    pub id: Vec<String>,
    /// The mytoken server, by its short name or address
    #[arg(long)]
    pub server: Option<String>,
    /// By whose right
    #[command(flatten)]
    pub by: right::By,
    /// JSON instead of text
    #[arg(long)]
    pub json: bool,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
The newest first; what came from an address or by a program that was not seen before is marked. By an id it takes a mytoken with
`manage_mytokens:history`, or one that the other was made from; the ids have `/`, `+` and `=` in them: quote them. Price and JSON are
those of `toktui history`.

Examples:
  toktui mytoken history toar
  toktui mytoken history --id 'niZS…==' --log-in

Exit codes: 0 told; 2 wrong usage; 3 it may not; 4 not reached, or asked to wait.";

/// Tells.
///
/// # Errors
/// When nobody here may ask, or nobody answers.
pub async fn run(house: &mut House, words: &Words) -> Result<u8, Failure> {
    if let Some(name) = &words.name {
        let words = history::Words { name: name.clone(), local: false, json: words.json };
        return history::run(house, &words).await;
    }
    let doing = "Reading the history";
    gate::unlocked(house, doing).await?;
    let source = right::server(house, words.server.as_deref(), &words.by, doing)?;
    let via = right::right(house, &words.by, &source, HISTORY, doing).await?;
    let ids: Vec<Untrusted> = words.id.iter().map(|id| Untrusted::from(id.as_str())).collect();
    if ids.iter().any(|id| id.raw().trim().is_empty()) {
        return Err(Failure::new(Kind::Unusable, doing, "an id is empty"));
    }
    let before = right::before(house, &via);
    let events = house.wallet.history_of_listed(&source.id, &via, &ids).await;
    right::say_price(house, before.as_ref(), &source, events.is_ok());
    history::print(house, &events?, words.json, None);
    Ok(0)
}
