//! `toktui mytoken …`: making, handing over, seeing and ending mytokens, one file a command.

mod create;
mod hand_over;
mod order;
mod profiles;
mod redeem;
mod servers;
mod snippets;
mod successor;

use clap::Subcommand;

use super::house::House;
use crate::domain::failure::Failure;

/// The commands below `toktui mytoken`. One list: each arm names its file.
#[derive(Clone, Debug, Subcommand)]
pub enum Words {
    /// Make one, through its server's consent page or from one that is held
    #[command(after_help = create::HELP)]
    Create(create::Words),
    /// Redeem a transfer code, and keep what comes
    #[command(after_help = redeem::HELP)]
    Redeem(redeem::Words),
    /// Hand a subtoken, or the mytoken itself, over by a code
    #[command(after_help = hand_over::HELP)]
    HandOver(hand_over::Words),
    /// Make one like it with shifted dates, and put it under its name
    #[command(after_help = successor::HELP)]
    Successor(successor::Words),
    /// What can be made by one word: built in, your own, the server's
    #[command(after_help = profiles::HELP)]
    Profiles(profiles::Words),
    /// The mytoken servers that are listed here, and what they offer
    #[command(after_help = servers::HELP)]
    Servers(servers::Words),
    /// A script that reads an access token from toktui, and never contains it
    #[command(after_help = snippets::HELP)]
    Snippet(snippets::Words),
}

/// What `toktui mytoken --help` says under the list.
pub const HELP: &str = "Exit codes are those of `toktui --help`.";

/// Does what one of them says. The exit code.
///
/// # Errors
/// With the deciding fact.
pub async fn run(house: &mut House, words: &Words) -> Result<u8, Failure> {
    match words {
        Words::Create(words) => create::run(house, words).await,
        Words::Redeem(words) => redeem::run(house, words).await,
        Words::HandOver(words) => hand_over::run(house, words).await,
        Words::Successor(words) => successor::run(house, words).await,
        Words::Profiles(words) => profiles::run(house, words).await,
        Words::Servers(words) => servers::run(house, words).await,
        Words::Snippet(words) => snippets::run(house, words),
    }
}
