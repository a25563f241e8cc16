//! `toktui provider …`: the providers that are known here, what each is able to do, and whether a login there would work.

mod add;
mod check;
mod list;
mod register;
mod remove;
mod show;

use std::path::Path;

use clap::Subcommand;

use super::house::House;
use crate::domain::failure::{Failure, Kind};
use crate::domain::source::{Client, Issuer, Origin, Source, SourceId, SourceKind};
use crate::http::host_of;
use crate::wallet::read_only::READ_ONLY;

/// The commands below `toktui provider`.
#[derive(Clone, Debug, Subcommand)]
pub enum Words {
    /// Who is known here: built in, of your config, added
    #[command(after_help = list::HELP)]
    List(list::Words),
    /// What a provider announces, and what is done about it here
    #[command(after_help = show::HELP)]
    Show(show::Words),
    /// Keep a provider or mytoken server by its address, or your client id at one
    #[command(after_help = add::HELP)]
    Add(add::Words),
    /// Get a client id from the provider itself, where it gives one
    #[command(after_help = register::HELP)]
    Register(register::Words),
    /// Delete the client that `register` made
    #[command(after_help = register::END_HELP)]
    Unregister(register::EndWords),
    /// Take out what was added
    #[command(after_help = remove::HELP)]
    Remove(remove::Words),
    /// Would a login work there, and if not, what is to be done?
    #[command(after_help = check::HELP)]
    Check(check::Words),
}

/// What `toktui provider --help` says under the list.
pub const HELP: &str = "\
A provider of your own, from its address to a login:
  toktui provider show https://login.example.org/realms/mine
  toktui provider add https://login.example.org/realms/mine --name mine --client-id toktui
  toktui provider check mine
  toktui login mine

Your own client at one that is built in:  toktui provider add egi --client-id ID
A client where the provider gives one:    toktui provider register wlcg

What is added stands in providers.toml beside config.toml. Your config.toml is never changed, and what it says goes first.";

/// Does what one of them says. The exit code.
///
/// # Errors
/// With the deciding fact.
pub async fn run(house: &mut House, words: &Words) -> Result<u8, Failure> {
    match words {
        Words::List(words) => Ok(list::run(house, *words)),
        Words::Show(words) => show::run(house, words).await,
        Words::Add(words) => add::run(house, words).await,
        Words::Register(words) => register::run(house, words, std::io::stdin()).await,
        Words::Unregister(words) => register::end(house, words).await,
        Words::Remove(words) => remove::run(house, words).await,
        Words::Check(words) => check::run(house, words).await,
    }
}

/// The provider that is meant: a listed one by its short name, or by its issuer byte for byte; else whoever answers at that address.
fn meant(house: &House, wanted: &str, doing: &str) -> Result<(Source, Issuer), Failure> {
    let sources = house.wallet.sources();
    let is_it = |source: &&Source| {
        source.id.as_str() == wanted || source.issuer().is_some_and(|issuer| issuer.address == wanted)
    };
    let unusable = |why: &str| Failure::new(Kind::Unusable, doing, why);
    match sources.iter().find(is_it).map(|source| (source.clone(), source.issuer().cloned())) {
        Some((source, Some(issuer))) => Ok((source, issuer)),
        Some(_) => Err(unusable("it is no OpenID provider").hint(
            "Mytoken servers: toktui mytoken servers. What can be made there: toktui mytoken profiles.",
        )),
        None if wanted.contains("://") => {
            let issuer = Issuer::at(wanted);
            Ok((unlisted(wanted, &issuer), issuer))
        }
        None => Err(unusable("no provider has that name here")
            .hint("`toktui provider list` shows all; or give its issuer, https://…")),
    }
}

/// A provider of which only the address is known.
fn unlisted(address: &str, issuer: &Issuer) -> Source {
    let host = url::Url::parse(address).map_or_else(|_| address.to_owned(), |url| host_of(&url));
    Source {
        id: SourceId(host.clone()),
        name: host,
        note: String::new(),
        origin: Origin::Added,
        kind: SourceKind::Issuer(Box::new(issuer.clone())),
        manage_url: None,
        register_url: None,
        hints: Vec::new(),
        folded: false,
    }
}

fn client(id: Option<&str>) -> Option<Client> {
    id.map(Client::public)
}

/// The folder of the config, if something may be written there.
fn folder<'h>(house: &'h House, doing: &str) -> Result<&'h Path, Failure> {
    if house.wallet.is_read_only() {
        return Err(Failure::new(Kind::Unusable, doing, READ_ONLY).hint("Nothing was changed."));
    }
    house.places.config.parent().filter(|folder| folder.is_absolute()).ok_or_else(|| {
        Failure::new(Kind::Unusable, doing, "there is no home to keep it in")
            .hint("Set HOME, or TOKTUI_HOME.")
    })
}
