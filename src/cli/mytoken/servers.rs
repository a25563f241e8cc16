//! `toktui mytoken servers`: the mytoken servers that are listed here, and what each says of itself.

use clap::Args;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::cli::house::House;
use crate::cli::json as safe;
use crate::domain::failure::Failure;
use crate::domain::offer::Offer;
use crate::domain::source::{Source, SourceKind};
use crate::domain::untrusted::{Untrusted, cleaned};

/// More providers than this are only counted in text: a federation has hundreds.
const MOST: usize = 12;

/// Words of `toktui mytoken servers`.
#[derive(Clone, Copy, Debug, Args)]
pub struct Words {
    /// JSON instead of text
    #[arg(long)]
    pub json: bool,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
Each is asked what it offers; no mytoken is sent anywhere. `[mytoken.NAME] address = \"…\"` in the config lists another one.

JSON (version 1):
  servers[]  name, title, address, reached, why (not), version, providers[] (issuer, name, scopes), forms[], hands_over, lists,
             shows_tree, tells_history, revokes, restrictions[], templates (how many; null where they could not be read)

Exit codes: 0 told, also of those that were not reached.";

/// Lists them.
///
/// # Errors
/// Never: one that does not answer is said.
pub async fn run(house: &mut House, words: Words) -> Result<u8, Failure> {
    let sources = house.wallet.sources();
    let servers: Vec<&Source> =
        sources.iter().filter(|source| matches!(source.kind, SourceKind::Server(_))).collect();
    let offers = join_all(servers.iter().map(|source| house.wallet.offer(&source.id))).await;
    if words.json {
        let list: Vec<Value> =
            servers.iter().zip(&offers).map(|(source, offer)| as_json(source, offer)).collect();
        house.out.line(&safe::safe(&json!({"version": 1, "servers": list})));
        return Ok(0);
    }
    for (source, offer) in servers.iter().zip(&offers) {
        for line in as_text(source, offer) {
            house.out.line(&cleaned(&line));
        }
    }
    Ok(0)
}

fn as_text(source: &Source, offer: &Result<Offer, Failure>) -> Vec<String> {
    let (id, address) = (source.id.as_str(), source.address().unwrap_or_default());
    let offer = match offer {
        Ok(offer) => offer,
        Err(failure) => return vec![format!("{id:<16}{address}   not reached: {}", failure.why)],
    };
    let version = offer.version.as_ref().map(|version| format!("   {}", version.shown())).unwrap_or_default();
    let mut lines = vec![format!("{id:<16}{address}{version}")];
    let providers = &offer.providers;
    for provider in providers.iter().take(MOST) {
        lines.push(format!("                {}   {}", provider.name.shown(), provider.issuer.shown()));
    }
    if providers.len() > MOST {
        lines.push(format!("                and {} more providers", providers.len() - MOST));
    }
    lines
}

fn as_json(source: &Source, offer: &Result<Offer, Failure>) -> Value {
    let mut object = json!({
        "name": source.id.as_str(),
        "title": source.name,
        "address": source.address().unwrap_or_default(),
        "reached": offer.is_ok(),
        "why": offer.as_ref().err().map(|failure| failure.why.clone()),
    });
    let raw = |list: &[Untrusted]| list.iter().map(|text| text.raw().to_owned()).collect::<Vec<_>>();
    if let (Ok(offer), Some(fields)) = (offer, object.as_object_mut()) {
        let providers: Vec<Value> = offer
            .providers
            .iter()
            .map(
                |one| json!({"issuer": one.issuer.raw(), "name": one.name.raw(), "scopes": raw(&one.scopes)}),
            )
            .collect();
        let told = json!({
            "version": offer.version.as_ref().map(Untrusted::raw),
            "providers": providers,
            "forms": offer.forms.iter().map(|form| form.wire()).collect::<Vec<_>>(),
            "hands_over": offer.hands_over,
            "lists": offer.lists,
            "shows_tree": offer.shows_tree,
            "tells_history": offer.tells_history,
            "revokes": offer.revokes,
            "restrictions": offer.restrictions,
            "templates": offer.unread.is_none().then_some(offer.templates.len()),
        });
        if let Value::Object(told) = told {
            fields.extend(told);
        }
    }
    object
}
