//! `toktui provider register` and `unregister`: a client id from the provider itself, and the end of it.

use std::fs::File;
use std::io::Read;

use clap::Args;
use serde_json::{Value, json};

use super::{add, folder, meant};
use crate::cli::house::House;
use crate::cli::json as safe;
use crate::cli::{gate, input};
use crate::config::forget_client;
use crate::domain::failure::{Failure, Kind};
use crate::domain::login::Relation;
use crate::domain::registration::{Registered, Registration};
use crate::domain::secret::Secret;
use crate::domain::source::SourceId;
use crate::domain::untrusted::{Untrusted, cleaned};
use crate::wallet::register::{Ask, Deleted};

/// Words of `toktui provider register`.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// A provider by its short name; or an issuer that is not listed, which is added first
    pub provider: String,
    /// The initial access token, where the provider wants one: a file that holds it, or - for standard input
    #[arg(long, value_name = "FILE")]
    pub initial_access_token_file: Option<String>,
    /// The name that consent pages show; else `toktui on` and this machine's name
    #[arg(long, value_name = "TEXT")]
    pub client_name: Option<String>,
    /// A scope that the client may ask for; may be repeated. Else those that a login there asks for
    #[arg(long, value_name = "SCOPE")]
    pub scope: Vec<String>,
    /// A loopback address that it may be sent back to; may be repeated. Else those of the provider here
    #[arg(long, value_name = "ADDRESS")]
    pub redirect: Vec<String>,
    /// For a provider that is not listed: its short name; else its host
    #[arg(long)]
    pub name: Option<String>,
    /// JSON instead of text
    #[arg(long)]
    pub json: bool,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
Asks the provider for a client of your own (RFC 7591): public, with PKCE, for logins by browser and device code. Some give one to anyone, some to
whoever has an initial access token of their administrators, some to nobody; `toktui provider show` tells what is announced and known.
The client id is kept in providers.toml beside config.toml; a client secret, and the token by which the registration can be deleted, are sealed in
the store and never shown.

Examples:
  toktui provider register wlcg
  toktui provider register mine --initial-access-token-file token.txt
  pass show mine/initial | toktui provider register https://login.example.org/realms/mine --initial-access-token-file -

JSON (version 1):
  name, issuer, client_id, usable, lines[] (what, asked, granted, relation: same, narrower, wider or other, note), remarks[]

Exit codes: 0 registered; 1 refused, or registered so that no login is possible; 2 wrong usage, or known to be of no use there; 3 the store is locked;
4 not reached.";

/// Words of `toktui provider unregister`.
#[derive(Clone, Debug, Args)]
pub struct EndWords {
    /// The provider by its short name
    pub provider: String,
    /// Which client, where several were registered for it
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// Ask nobody: the registration stays there, and what is kept of it here goes
    #[arg(long)]
    pub here_only: bool,
}

/// What `--help` says under the options.
pub const END_HELP: &str = "\
Deletes the registration at the provider (RFC 7592), then what is kept of it here. Tokens that the client was given may end with it: revoke or
forget those first. Where the provider refuses or is not reached, nothing changes here.

Exit codes: 0 deleted; 1 refused; 2 nothing was registered for it; 3 the store is locked; 4 not reached.";

/// Registers a client.
///
/// # Errors
/// With the deciding fact.
pub async fn run(house: &mut House, words: &Words, from: impl Read) -> Result<u8, Failure> {
    let doing = format!("Registering a client at {}", cleaned(&words.provider));
    let config = folder(house, &doing)?.to_path_buf();
    let token = token(words, from, &doing)?;
    let (source, _) = meant(house, &words.provider, &doing)?;
    // Before anything is asked of anybody: what comes must have a place.
    gate::made(house, &doing).await?;
    let id = if house.wallet.source(&source.id).is_some() {
        if words.name.is_some() {
            let failure =
                Failure::new(Kind::Unusable, doing, format!("it is listed, as {}", source.id.as_str()));
            return Err(failure.hint("Leave --name out."));
        }
        source.id
    } else {
        let added = add::found(house, &words.provider, words.name.as_deref(), &doing).await?;
        house.wallet.list_source(added.clone()).await;
        added.id
    };
    let host = Untrusted::from(house.environment.facts.host.as_str()).shown_within(60);
    let ask = Ask {
        source: id,
        name: words.client_name.clone().unwrap_or_else(|| format!("toktui on {host}")),
        scopes: words.scope.iter().flat_map(|all| all.split_whitespace()).map(str::to_owned).collect(),
        redirects: words.redirect.clone(),
        token,
        folder: Some(config),
    };
    let registered = house.wallet.register(ask).await?;
    tell(house, words.json, &registered);
    Ok(u8::from(!registered.usable))
}

/// The initial access token, from its file or from standard input.
fn token(words: &Words, from: impl Read, doing: &str) -> Result<Option<Secret>, Failure> {
    let Some(file) = &words.initial_access_token_file else { return Ok(None) };
    let text = if file == "-" {
        input::all(from, doing)?
    } else {
        let open = File::open(file).map_err(|error| {
            let why = format!("{} cannot be read: {}", cleaned(file), error.kind());
            Failure::new(Kind::Unusable, doing, why)
        })?;
        input::all(open, doing)?
    };
    let token = text.trim();
    if token.is_empty() || token.contains(|c: char| c.is_whitespace() || c.is_control()) {
        let failure = Failure::new(Kind::Unusable, doing, "what came is no initial access token");
        return Err(failure.hint("It is one word, as its administrators gave it."));
    }
    Ok(Some(Secret::new(token)))
}

fn tell(house: &mut House, as_json: bool, registered: &Registered) {
    let name = registered.source.id.as_str();
    if as_json {
        let lines: Vec<Value> = registered
            .lines
            .iter()
            .map(|line| {
                json!({"what": line.what, "asked": line.asked, "granted": line.granted,
                    "relation": relation(line.relation), "note": line.note})
            })
            .collect();
        let issuer = registered.source.issuer().map(|issuer| issuer.address.as_str());
        let all = json!({"version": 1, "name": name, "issuer": issuer, "client_id": registered.client,
            "usable": registered.usable, "lines": lines, "remarks": registered.remarks});
        house.out.line(&safe::safe(&all));
        return;
    }
    house.out.line(&cleaned(&format!("Registered at {name} as {}", registered.client)));
    for line in registered.lines.iter().filter(|line| line.relation != Relation::Same) {
        let note = line.note.as_deref().map(|note| format!("  ({note})")).unwrap_or_default();
        house.say(&cleaned(&format!("{}: asked {}, granted {}{note}", line.what, line.asked, line.granted)));
    }
    for remark in &registered.remarks {
        house.say(&cleaned(remark));
    }
    if registered.usable {
        house.say(&format!("would a login work? toktui provider check {name}"));
    } else {
        house.say(&format!("it is of no use here: toktui provider unregister {name}"));
    }
}

fn relation(relation: Relation) -> &'static str {
    match relation {
        Relation::Same => "same",
        Relation::Narrower => "narrower",
        Relation::Wider => "wider",
        Relation::Other => "other",
    }
}

/// Deletes a registration.
///
/// # Errors
/// With the deciding fact.
pub async fn end(house: &mut House, words: &EndWords) -> Result<u8, Failure> {
    let doing = format!("Unregistering at {}", cleaned(&words.provider));
    folder(house, &doing)?;
    gate::unlocked(house, &doing).await?;
    let kept = one_of(house, &words.provider, words.client_id.as_deref(), &doing)?;
    let client = cleaned(&kept.client);
    let deleted = ended(house, kept, words.here_only, &doing).await?;
    house.out.line(&match deleted {
        Deleted::There => format!("Deleted the client {client}, there and here"),
        Deleted::HereOnly => format!("Forgot the client {client} here; it is still registered there"),
    });
    Ok(0)
}

/// Deletes one, and takes its id out from beside the config.
pub(super) async fn ended(
    house: &House,
    kept: Registration,
    here_only: bool,
    doing: &str,
) -> Result<Deleted, Failure> {
    let (name, client) = (kept.source.as_str().to_owned(), kept.client.clone());
    let config = folder(house, doing)?.to_path_buf();
    let deleted = house.wallet.unregister(kept, here_only, doing).await?;
    let taken = tokio::task::spawn_blocking(move || forget_client(&config, &name, &client)).await;
    match taken.map_err(|error| error.to_string()).and_then(|taken| taken) {
        Ok(()) => {}
        // It is of no use any more, but does no harm either.
        Err(why) => house.say(&cleaned(&format!("its id still stands in providers.toml: {why}"))),
    }
    Ok(deleted)
}

/// The registration that is meant.
pub(super) fn one_of(
    house: &House,
    name: &str,
    client: Option<&str>,
    doing: &str,
) -> Result<Registration, Failure> {
    let mut all = house.wallet.registrations_of(&SourceId(name.to_owned()), doing)?;
    all.retain(|one| client.is_none_or(|client| client == one.client));
    let ids: Vec<String> = all.iter().map(|one| cleaned(&one.client)).collect();
    match (all.pop(), all.is_empty()) {
        (Some(one), true) => Ok(one),
        (Some(_), false) => {
            Err(Failure::new(Kind::Unusable, doing, "several clients were registered for it")
                .hint(format!("Choose one with --client-id: {}", ids.join(" "))))
        }
        (None, _) => Err(Failure::new(Kind::Unusable, doing, "no client was registered for it from here")),
    }
}
