//! `toktui info NAME|-`: a token's verdict and content; the exit code is the verdict.

mod content;
mod text;

use std::io::Read;

use clap::Args;

use super::house::House;
use super::{input, json};
use crate::domain::credential::Chain;
use crate::domain::failure::{Failure, Kind};
use crate::domain::source::{Source, SourceId};
use crate::domain::specimen::{self, recognise};
use crate::domain::untrusted::Untrusted;
use crate::wallet::look_up::{Ask, Found};

/// Words of `toktui info`.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// A name; or `-`: the token on standard input
    #[arg(value_name = "NAME|-")]
    pub token: String,
    /// JSON instead of text
    #[arg(long)]
    pub json: bool,
    /// Ask this mytoken server although it is not configured
    #[arg(long, value_name = "URL")]
    pub ask_server: Option<String>,
    /// Show the token on standard input to this listed provider (introspection, with the client of the config)
    #[arg(long, value_name = "PROVIDER", conflicts_with = "ask_server")]
    pub introspect_at: Option<String>,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
Exit codes:
  0  valid here and now (or alive and, by its own claims, good for an access token)
  2  wrong usage, or nothing that can be read
  3  not valid: expired, not yet, not from here, used up, rotated away, revoked
  4  cannot tell: its server was not asked or did not answer
Another JWT counts by its own times. Its signature is checked where its issuer is listed here, with that issuer's public keys: the
token is sent nowhere. One that does not fit gives 3; one that cannot be checked changes nothing, and why is said.
An opaque access token that is held is shown to its own provider where your client has a secret (RFC 7662): active gives 0, not
active 3. One from standard input is shown to nobody but the provider of --introspect-at.

With --json, `jwt.verified` says whether the signature is good, `jwt.verification` what came of the check (`result`: `good`,
`does_not_fit` or `not_checked`, then `why`), `introspection` what the provider said (`answer`: `active`, `not_active`, `no_answer`).

Examples:
  toktui info - < ~/mytoken
  toktui info - --introspect-at egi < token.txt
  toktui info toar
  pass show toar | toktui info - --json";

/// Says what a token is. The exit code is the verdict.
///
/// # Errors
/// When nothing readable comes, or nothing is held under that name.
pub async fn run(house: &mut House, words: &Words, from: impl Read) -> Result<u8, Failure> {
    let (found, kind) = match words.token.as_str() {
        _ if words.token != "-" && words.introspect_at.is_some() => {
            let why = "what is held is shown to its own provider only";
            return Err(Failure::new(Kind::Unusable, format!("Looking {} up", words.token), why).hint(
                "--introspect-at goes with a token on standard input: `toktui info - --introspect-at …`",
            ));
        }
        "-" => pasted(house, words, from).await?,
        name => held(house, name).await?,
    };
    let now = house.clock.now();
    let called = |issuer: &Untrusted| house.wallet.called(issuer);
    if words.json {
        house.out.line(&json::safe(&content::as_json(&found, kind, now, &called)));
    } else {
        for line in text::lines(&found, now, &called) {
            house.out.line(&line);
        }
    }
    Ok(found.exit_code())
}

async fn pasted(house: &House, words: &Words, from: impl Read) -> Result<(Found, &'static str), Failure> {
    let doing = "Reading the token";
    let text = input::all(from, doing)?;
    let specimen = recognise(&text);
    if text.trim().is_empty() {
        return Err(Failure::new(Kind::Unusable, doing, "nothing came on standard input")
            .hint("Pipe a token into it: `toktui info - < file`"));
    }
    let ask = match (&words.ask_server, &words.introspect_at) {
        (Some(server), _) => Ask::This(server.clone()),
        (None, Some(provider)) => Ask::Provider(provider_named(house, provider)?),
        (None, None) => Ask::IfListed,
    };
    let found = house.wallet.look_up_pasted(&specimen, &ask).await;
    Ok((found, kind_code(&specimen.kind)))
}

/// A listed provider by its short name, or by its issuer, byte for byte.
fn provider_named(house: &House, wanted: &str) -> Result<SourceId, Failure> {
    let sources = house.wallet.sources();
    let issuers = || sources.iter().filter(|source| source.issuer().is_some());
    let is_it = |source: &&Source| {
        source.id.as_str() == wanted || source.issuer().is_some_and(|issuer| issuer.address == wanted)
    };
    issuers().find(is_it).map(|source| source.id.clone()).ok_or_else(|| {
        let names: Vec<&str> = issuers().map(|source| source.id.as_str()).collect();
        Failure::new(
            Kind::Unusable,
            "Reading the token",
            "no provider has that name here, so nobody was asked",
        )
        .hint(format!("There are: {}.", names.join(", ")))
    })
}

async fn held(house: &House, name: &str) -> Result<(Found, &'static str), Failure> {
    let doing = format!("Looking {name} up");
    let held = house.opened(name, &doing).await?;
    let kind = match held.chain {
        Chain::Mytoken { .. } => "mytoken",
        Chain::Refresh { .. } => "login",
        Chain::None => "access_token",
    };
    let found = house.wallet.look_up(&held.id).await;
    let found = found.ok_or_else(|| {
        Failure::new(Kind::Failed, doing, "it could not be read, or what was found not be written")
    })?;
    Ok((found, kind))
}

fn kind_code(kind: &specimen::Kind) -> &'static str {
    match kind {
        specimen::Kind::Mytoken(_) => "mytoken",
        specimen::Kind::MaybeShortToken => "maybe_short_mytoken",
        specimen::Kind::MaybeTransferCode => "maybe_transfer_code",
        specimen::Kind::AccessToken(_) => "access_token",
        specimen::Kind::IdToken(_) => "id_token",
        specimen::Kind::RefreshToken(_) => "refresh_token",
        specimen::Kind::OtherJwt(_) => "jwt",
        specimen::Kind::Opaque => "opaque",
        specimen::Kind::Garbled { .. } => "unreadable",
    }
}
