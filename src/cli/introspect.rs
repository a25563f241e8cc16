//! `toktui introspect NAME`: what the provider says of a held token, active or not.

use clap::Args;
use serde_json::{Value, json};

use super::house::House;
use super::userinfo::value_words;
use super::{json, moment};
use crate::domain::failure::{Failure, Kind};
use crate::domain::introspected::{About, Answer, Said};
use crate::domain::untrusted::cleaned;

/// Words of `toktui introspect`.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// The name it is held under
    pub name: String,
    /// Ask about its refresh token, not its access token
    #[arg(long)]
    pub refresh_token: bool,
    /// JSON instead of text
    #[arg(long)]
    pub json: bool,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
Shows the access token that is held to its own provider and asks whether it is active (RFC 7662); where none lives, a new one is got
first. A provider answers only a client that has a secret: `client_secret_file` or `client_secret_env` in the config, or one that came with the
client when it was registered from here. Of a mytoken nothing is drawn or asked.

Not active says no more than that: ended, revoked, unknown there, or not for the client that asked. Keycloak says it of a living access
token, too, whose audience the client is not in; about the refresh token it tells the client that holds it.

Examples:
  toktui introspect egi
  toktui introspect egi --refresh-token --json | jq .claims.exp

JSON (version 1):
  name, token (access, refresh), at, asked_at (seconds since 1970), active, claims (as they came)

Exit codes: 0 active; 2 nothing is held under that name, or the client may not ask; 3 not active, or a login is needed; 4 not reached.";

/// Asks and tells.
///
/// # Errors
/// With the deciding fact.
pub async fn run(house: &mut House, words: &Words) -> Result<u8, Failure> {
    let doing = format!("Asking about {}", words.name);
    let about = if words.refresh_token { About::Refresh } else { About::Access };
    let held = house.opened(&words.name, &doing).await?;
    let told = house.wallet.introspect(&held.id, about).await?;
    if words.json {
        house.out.line(&json::safe(&as_json(&told)));
    } else {
        for line in as_text(&told) {
            house.out.line(&line);
        }
    }
    match &told.answer.said {
        Said::Active(_) => Ok(0),
        Said::NotActive => Ok(3),
        Said::Nothing(why) => Err(Failure::new(Kind::Unreached, doing, why.clone())),
    }
}

fn as_json(told: &Answer) -> Value {
    json!({
        "version": 1,
        "name": told.name,
        "token": match told.about { About::Access => "access", About::Refresh => "refresh" },
        "at": told.answer.by,
        "asked_at": told.asked.as_second(),
        "active": matches!(told.answer.said, Said::Active(_)),
        "claims": told.answer.claims(),
    })
}

fn as_text(told: &Answer) -> Vec<String> {
    let head = format!("{}, asked {}: {}", told.about.words(), moment(told.asked), told.answer.words());
    let said = told.answer.claims().into_iter().flatten().filter(|(name, _)| *name != "active");
    let lines = said.map(|(name, value)| format!("  {:<20} {}", cleaned(name), value_words(name, value)));
    std::iter::once(cleaned(&head)).chain(lines).collect()
}
