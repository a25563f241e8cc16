//! `toktui provider add`: a provider by its address, or a client id at one that is built in, kept beside the config.

use std::path::PathBuf;

use clap::Args;

use super::folder;
use crate::cli::house::House;
use crate::config::{AddedProvider, save_provider};
use crate::domain::failure::{Failure, Kind};
use crate::domain::source::{Origin, Registering, Source};
use crate::domain::untrusted::cleaned;

/// Words of `toktui provider add`.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// Its issuer, or a mytoken server's address; for your own client at one that is built in, its short name
    pub provider: String,
    /// The short name for commands; else its host
    #[arg(long)]
    pub name: Option<String>,
    /// The client to be there
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// A scope that a login asks for; may be repeated. Else the usual ones that it lists
    #[arg(long, value_name = "SCOPE")]
    pub scope: Vec<String>,
    /// A loopback address that the client has registered; may be repeated. Else 127.0.0.1 with any port and the path /callback
    #[arg(long, value_name = "ADDRESS")]
    pub redirect: Vec<String>,
    /// A file with the CA (PEM) that signed its certificate, believed of this host only, beside those of the system
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
Whoever answers there is asked what it is and offers; what calls itself something else is not added. It is kept in providers.toml beside
config.toml, which is not changed. A client with a secret belongs into config.toml ([provider.NAME] client_secret_file = \"…\").

Examples:
  toktui provider add https://login.example.org/realms/mine --name mine --client-id toktui
  toktui provider add https://mytoken.example.org
  toktui provider add egi --client-id my-client --redirect http://localhost:8080
  toktui provider add https://sso.lab.example/realms/lab --ca-file lab-ca.pem

Exit codes: 0 added; 1 what answers is not believed; 2 wrong usage, or it is known already; 4 not reached.";

/// Adds one.
///
/// # Errors
/// When it is known already, nobody answers, what answers is not believed, or it cannot be written.
pub async fn run(house: &mut House, words: &Words) -> Result<u8, Failure> {
    let doing = format!("Adding {}", cleaned(&words.provider));
    let folder = folder(house, &doing)?.to_path_buf();
    let authority = authority(words, &doing)?;
    if let Some(file) = &authority {
        house.wallet.trust(words.provider.trim(), file);
    }
    let sources = house.wallet.sources();
    let listed = sources.iter().find(|source| {
        source.id.as_str() == words.provider || source.address() == Some(words.provider.trim())
    });
    let mut added = match listed {
        Some(source) => over(source, words, &doing)?,
        None => AddedProvider::of(&house.wallet.add_provider(&words.provider).await?),
    };
    if let Some(name) = &words.name {
        added.name = name.clone();
    }
    if added.is_server && (words.client_id.is_some() || !words.scope.is_empty() || !words.redirect.is_empty())
    {
        let failure =
            Failure::new(Kind::Unusable, doing, "it is a mytoken server, which needs no client here");
        return Err(failure.hint("Leave --client-id, --scope and --redirect out."));
    }
    added.client_id = words.client_id.clone().or(added.client_id);
    if !words.scope.is_empty() {
        added.scopes =
            words.scope.iter().flat_map(|scopes| scopes.split_whitespace()).map(str::to_owned).collect();
    }
    added.redirects = words.redirect.clone();
    added.ca_file = authority.map(|file| file.to_string_lossy().into_owned()).unwrap_or_default();
    let source = saved(folder, added, &doing).await?;
    let id = source.id.as_str();
    house.out.line(&cleaned(&format!("Added {id}: {}", source.address().unwrap_or_default())));
    match source.issuer() {
        Some(issuer) if issuer.client.is_none() => {
            house.say(&format!("a login there needs a client id: toktui login {id} --client-id ID"));
            if issuer.registering == Registering::Announced {
                house.say(&format!("it may give you one: toktui provider register {id}"));
            }
        }
        Some(_) => house.say(&format!("would a login work? toktui provider check {id}")),
        None => house.say(&format!("what it offers: toktui mytoken create NAME --server {id}")),
    }
    Ok(0)
}

/// Asks who is at an address that is not listed, and keeps it beside the config.
///
/// # Errors
/// As for [`run`].
pub(super) async fn found(
    house: &House,
    at: &str,
    name: Option<&str>,
    doing: &str,
) -> Result<Source, Failure> {
    let folder = folder(house, doing)?.to_path_buf();
    let mut added = AddedProvider::of(&house.wallet.add_provider(at).await?);
    if let Some(name) = name {
        added.name = name.to_owned();
    }
    saved(folder, added, doing).await
}

async fn saved(folder: PathBuf, added: AddedProvider, doing: &str) -> Result<Source, Failure> {
    tokio::task::spawn_blocking(move || save_provider(&folder, &added))
        .await
        .map_err(|error| error.to_string())
        .and_then(|saved| saved)
        .map_err(|why| Failure::new(Kind::Unusable, doing, why))
}

/// The file with its CA, by its whole path: the config is read from elsewhere.
fn authority(words: &Words, doing: &str) -> Result<Option<PathBuf>, Failure> {
    let Some(file) = &words.ca_file else { return Ok(None) };
    let whole = std::fs::canonicalize(file).map_err(|error| {
        let why = format!("{} cannot be read: {}", cleaned(&file.to_string_lossy()), error.kind());
        Failure::new(Kind::Unusable, doing, why)
    })?;
    Ok(Some(whole))
}

/// A client, scopes or redirect addresses over one that is listed already.
fn over(source: &Source, words: &Words, doing: &str) -> Result<AddedProvider, Failure> {
    let id = source.id.as_str();
    let known = |why: String| Failure::new(Kind::Unusable, doing, why);
    if source.origin != Origin::Preset || words.name.is_some() || source.issuer().is_none() {
        let failure = known(format!("it is listed already, as {id}"));
        return Err(match source.origin {
            Origin::Config => failure.hint(format!("Change [provider.{id}] in config.toml.")),
            Origin::Added => {
                failure.hint(format!("To add it otherwise: toktui provider remove {id}, then add it."))
            }
            Origin::Preset | Origin::Sandbox => failure,
        });
    }
    let is_bare = words.client_id.is_none() && words.scope.is_empty() && words.redirect.is_empty();
    if is_bare && words.ca_file.is_none() {
        let hint = format!("Your own client there: toktui provider add {id} --client-id ID.");
        return Err(known(format!("it is built in, as {id}")).hint(hint));
    }
    Ok(AddedProvider { name: id.to_owned(), ..AddedProvider::default() })
}
