//! `toktui provider show`: what a provider announces, and what is done about it here.

use clap::Args;
use serde_json::{Value, json};

use super::meant;
use crate::cli::house::House;
use crate::cli::json as safe;
use crate::cli::mytoken::table;
use crate::domain::failure::Failure;
use crate::domain::source::{Issuer, Registering, Source};
use crate::domain::untrusted::cleaned;
use crate::oidc::discovery::Metadata;
use crate::wallet::inspect::announced::{EXCHANGE, pushed, route_word, told};
use crate::wallet::inspect::{in_config, refresh_words};

/// Words of `toktui provider show`.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// A provider by its short name or its issuer
    pub provider: String,
    /// JSON instead of a table
    #[arg(long)]
    pub json: bool,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
Its discovery document is read, and nothing else is asked. The column HERE is what toktui does there: from a preset, from your config,
or its own way.

Examples:
  toktui provider show egi
  toktui provider show https://login.example.org/realms/mine

JSON (version 1):
  name, title, issuer, origin, foreign_hosts[],
  supports  grants[], device, pkce[], pushed_requests (no, offered, required), introspection, revocation, registration, token_exchange, userinfo,
            end_session, scopes[], prompts[], claims[], client_auth[], iss_parameter, dpop[]
  here      client_id, scopes[], redirects, routes[], refresh, audience_parameter, authorization, registered, registration (announced,
            with_token, no), registration_note, group_claims[], hints[], manage_url, register_url

Exit codes: 0 told; 1 what answers is not believed; 2 no such provider; 4 not reached.";

/// Shows one.
///
/// # Errors
/// When it is unknown, nobody answers, or what answers is not believed.
pub async fn run(house: &mut House, words: &Words) -> Result<u8, Failure> {
    let doing = format!("Looking at {}", cleaned(&words.provider));
    let (source, issuer) = meant(house, &words.provider, &doing)?;
    let metadata = house.wallet.announced(&issuer, &doing).await?;
    if words.json {
        house.out.line(&safe::safe(&as_json(&source, &issuer, &metadata)));
        return Ok(0);
    }
    let told = told(&source, &issuer, &metadata);
    house.out.line(&format!("{}   {}   {}", told.title, told.issuer, told.origin));
    let head = ["WHAT", "HERE", "IT SAYS"].map(str::to_owned).to_vec();
    let rows = told.rows.iter().map(|row| vec![row.what.to_owned(), row.here.clone(), row.says.clone()]);
    for line in table::lines(&std::iter::once(head).chain(rows).collect::<Vec<_>>(), table::room()) {
        house.out.line(&line);
    }
    for (word, page) in [("manage", &told.manage), ("register", &told.register)] {
        if let Some(page) = page {
            house.out.line(&format!("{word}: {page}"));
        }
    }
    for hint in &told.hints {
        house.out.line(&format!("note: {hint}"));
    }
    Ok(0)
}

fn as_json(source: &Source, issuer: &Issuer, metadata: &Metadata) -> Value {
    let raw = |list: &[crate::domain::untrusted::Untrusted]| {
        list.iter().map(|word| word.raw().to_owned()).collect::<Vec<_>>()
    };
    let authorization: serde_json::Map<String, Value> =
        issuer.authorization.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    let routes: Vec<&str> = issuer.routes.iter().map(|route| route_word(*route)).collect();
    let pushed = pushed(metadata).replace("not offered", "no");
    json!({
        "version": 1,
        "name": source.id.as_str(),
        "title": source.name,
        "issuer": issuer.address,
        "origin": source.origin.words().replace(' ', "_"),
        "foreign_hosts": metadata.foreign_hosts,
        "supports": {
            "grants": raw(&metadata.grant_types),
            "device": metadata.device.is_some(),
            "pkce": raw(&metadata.pkce_methods),
            "pushed_requests": pushed,
            "introspection": metadata.introspection.is_some(),
            "revocation": metadata.revocation.is_some(),
            "registration": metadata.registration.is_some(),
            "token_exchange": metadata.grant_types.iter().any(|grant| grant.raw() == EXCHANGE),
            "userinfo": metadata.userinfo.is_some(),
            "end_session": metadata.end_session.is_some(),
            "scopes": raw(&metadata.scopes_supported),
            "prompts": raw(&metadata.list("prompt_values_supported")),
            "claims": raw(&metadata.list("claims_supported")),
            "client_auth": raw(&metadata.auth_methods),
            "iss_parameter": metadata.iss_parameter_promised,
            "dpop": raw(&metadata.list("dpop_signing_alg_values_supported")),
        },
        "here": {
            "client_id": issuer.client.as_ref().map(|client| client.id.as_str()),
            "scopes": issuer.scopes,
            "redirects": in_config(&issuer.redirect),
            "routes": routes,
            "refresh": refresh_words(issuer.refresh_scope),
            "audience_parameter": issuer.audience_parameter,
            "authorization": authorization,
            "registered": issuer.registered,
            "registration": match issuer.registering {
                Registering::Announced => "announced",
                Registering::WithToken => "with_token",
                Registering::Useless => "no",
            },
            "registration_note": Some(&issuer.registering_note).filter(|note| !note.is_empty()),
            "group_claims": issuer.group_claims,
            "hints": source.hints,
            "manage_url": source.manage_url,
            "register_url": source.register_url,
        },
    })
}
