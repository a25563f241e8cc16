//! `toktui provider list`: who is known here.

use clap::Args;
use serde_json::{Value, json};

use crate::cli::house::House;
use crate::cli::json as safe;
use crate::cli::mytoken::table;
use crate::domain::source::{Source, SourceKind};
use crate::domain::untrusted::cleaned;

/// Words of `toktui provider list`.
#[derive(Clone, Copy, Debug, Args)]
pub struct Words {
    /// JSON instead of a table
    #[arg(long)]
    pub json: bool,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
Nobody is asked anything.

JSON (version 1):
  providers[]  name, title, kind (openid, mytoken), address, client_id, public_clients[], origin (built_in, config, added), note

Exit codes: 0 told.";

/// Lists them. The exit code.
pub fn run(house: &mut House, words: Words) -> u8 {
    let sources = house.wallet.sources();
    let known = sources.iter().filter(|source| !matches!(source.kind, SourceKind::Profile(_)));
    if words.json {
        let list: Vec<Value> = known.map(as_json).collect();
        house.out.line(&safe::safe(&json!({"version": 1, "providers": list})));
        return 0;
    }
    let head = ["NAME", "TITLE", "ADDRESS", "CLIENT ID", "NOTES"].map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(known.map(row)).collect();
    for line in table::lines(&rows, table::room()) {
        house.out.line(&line);
    }
    0
}

fn row(source: &Source) -> Vec<String> {
    let client = match &source.kind {
        SourceKind::Issuer(issuer) => match &issuer.client {
            Some(client) => client.id.clone(),
            None => "needs one".to_owned(),
        },
        SourceKind::Server(_) | SourceKind::Profile(_) => "none needed".to_owned(),
    };
    let mut notes = vec![source.origin.words()];
    if matches!(source.kind, SourceKind::Server(_)) {
        notes.push("mytoken server");
    }
    notes.extend(Some(source.note.as_str()).filter(|note| !note.is_empty() && *note != "added"));
    let cells =
        [source.id.as_str(), &source.name, source.address().unwrap_or_default(), &client, &notes.join(", ")];
    cells.map(cleaned).to_vec()
}

fn as_json(source: &Source) -> Value {
    let issuer = source.issuer();
    let public: Vec<&str> = issuer
        .map(|issuer| issuer.public_clients.iter().map(|client| client.id.as_str()).collect())
        .unwrap_or_default();
    json!({
        "name": source.id.as_str(),
        "title": source.name,
        "kind": if issuer.is_some() { "openid" } else { "mytoken" },
        "address": source.address().unwrap_or_default(),
        "client_id": issuer.and_then(|issuer| issuer.client.as_ref()).map(|client| client.id.as_str()),
        "public_clients": public,
        "origin": source.origin.words().replace(' ', "_"),
        "note": source.note,
    })
}
