//! `toktui mytoken …`: making, handing over, seeing and ending mytokens, one file a command.

mod create;
mod hand_over;
mod history;
mod list;
mod members;
mod order;
mod outlast;
mod profiles;
mod redeem;
mod revoke;
mod right;
mod servers;
mod snippets;
mod successor;
pub(super) mod table;
mod told;
mod tree;
mod would_work;

use clap::Subcommand;

use super::house::House;
use crate::domain::failure::Failure;

/// The commands below `toktui mytoken`. One list: each arm names its file.
#[derive(Clone, Debug, Subcommand)]
pub enum Words {
    /// Make one, through its server's consent page or from one that is held
    #[command(after_help = create::HELP)]
    Create(Box<create::Words>),
    /// Redeem a transfer code, and keep what comes
    #[command(after_help = redeem::HELP)]
    Redeem(redeem::Words),
    /// Hand a subtoken, or the mytoken itself, over by a code
    #[command(after_help = hand_over::HELP)]
    HandOver(Box<hand_over::Words>),
    /// Make one like it with shifted dates, and put it under its name
    #[command(after_help = successor::HELP)]
    Successor(successor::Words),
    /// What can be made by one word: built in, your own, the server's
    #[command(after_help = profiles::HELP)]
    Profiles(profiles::Words),
    /// The mytoken servers that are listed here, and what they offer
    #[command(after_help = servers::HELP)]
    Servers(servers::Words),
    /// All of yours at a server, held here or not
    #[command(after_help = list::HELP)]
    List(list::Words),
    /// What was made from one, as a tree
    #[command(after_help = tree::HELP)]
    Tree(tree::Words),
    /// End one for good, held or by its id, alone or with what was made from it
    #[command(after_help = revoke::HELP)]
    Revoke(revoke::Words),
    /// What happened to one, held or by its id
    #[command(after_help = history::HELP)]
    History(history::Words),
    /// Will it last as long as my job?
    #[command(after_help = outlast::HELP)]
    Outlast(outlast::Words),
    /// Would it work there, then, for that? Nothing is sent
    #[command(after_help = would_work::HELP)]
    WouldWork(would_work::Words),
    /// A script that reads an access token from toktui, and never contains it
    #[command(after_help = snippets::HELP)]
    Snippet(snippets::Words),
}

/// What `toktui mytoken --help` says under the list.
pub const HELP: &str = "\
From nothing to a TOAR script:
  1  toktui store init --keyring
       Once: a sealed place for what comes. Without a desktop: --passphrase, and `toktui unlock` once a session.
  2  toktui mytoken create toar --profile toar --expires 90d
       Open the address that it prints, log in with Helmholtz ID, and agree. The mytoken is kept at once; then it is said what you got
       and how it differs from what was asked. With --dry-run nothing is sent: it only says what the mytoken would be able to do.
  3  toktui info toar
       Whether it is valid here and now, until when, and how many of its access tokens are left.
  4  toktui mytoken snippet toar toar > toar.py && python3 toar.py
       Python with requests, for the TOAR database. No token is in the file: it asks `toktui token toar` each time.
  5  Each new access token is one of the uses (15, or --uses 50); one lives for about an hour, and is given again until then.
       toktui mytoken outlast toar --for 36h     before a long job: does it last?
       toktui mytoken successor toar             used up or ending: one like it, under the same name, and the script goes on

The same for EGI: a profile of your own in the config ([profile.NAME]), or --server mytoken-kit --provider egi. Another server:
[mytoken.NAME] with its address in the config. Another machine: `hand-over` here, `redeem` there.

Exit codes: 0 done; 1 failed; 2 wrong usage; 3 not valid, or may not; 4 not reached, cannot tell.";

/// Does what one of them says. The exit code.
///
/// # Errors
/// With the deciding fact.
pub async fn run(house: &mut House, words: &Words) -> Result<u8, Failure> {
    match words {
        Words::Create(words) => create::run(house, words).await,
        Words::Redeem(words) => redeem::run(house, words, std::io::stdin()).await,
        Words::HandOver(words) => hand_over::run(house, words).await,
        Words::Successor(words) => successor::run(house, words).await,
        Words::Profiles(words) => profiles::run(house, words).await,
        Words::Servers(words) => servers::run(house, *words).await,
        Words::List(words) => list::run(house, words).await,
        Words::Tree(words) => tree::run(house, words).await,
        Words::Revoke(words) => revoke::run(house, words).await,
        Words::History(words) => history::run(house, words).await,
        Words::Outlast(words) => outlast::run(house, words, std::io::stdin()).await,
        Words::WouldWork(words) => would_work::run(house, words).await,
        Words::Snippet(words) => snippets::run(house, words),
    }
}
