//! `toktui provider show`: what a provider announces, and what is done about it here.

use clap::Args;
use serde_json::{Value, json};

use super::meant;
use crate::cli::house::House;
use crate::cli::json as safe;
use crate::cli::mytoken::table;
use crate::domain::failure::Failure;
use crate::domain::source::{Issuer, Registering, Route, Source};
use crate::domain::untrusted::cleaned;
use crate::oidc::discovery::Metadata;
use crate::wallet::inspect::{in_config, listed, refresh_words};

const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const NOT_SAID: &str = "not said";

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
    let head = format!("{}   {}   {}", source.name, issuer.address, source.origin.words());
    house.out.line(&cleaned(&head));
    for line in table::lines(&rows(&issuer, &metadata), table::room()) {
        house.out.line(&line);
    }
    let pages = [("manage", &source.manage_url), ("register", &source.register_url)];
    for (word, page) in pages {
        if let Some(page) = page {
            house.out.line(&cleaned(&format!("{word}: {page}")));
        }
    }
    for hint in &source.hints {
        house.out.line(&cleaned(&format!("note: {hint}")));
    }
    Ok(0)
}

fn rows(issuer: &Issuer, metadata: &Metadata) -> Vec<Vec<String>> {
    let row = |what: &str, says: String, here: String| vec![what.to_owned(), cleaned(&here), says];
    let client = issuer.client.as_ref().map_or_else(
        || "no client id set".to_owned(),
        |client| {
            format!("{}, {}", client.id, if client.secret.is_some() { "with a secret" } else { "public" })
        },
    );
    let prompt = issuer.authorization.iter().map(|(name, value)| format!("{name}={value}"));
    let audience = issuer.audience_parameter.as_ref();
    let says = |name: &str| or_not_said(listed(&metadata.list(name)));
    let of = |list: &[_]| or_not_said(listed(list));
    let groups = if issuer.group_claims.is_empty() {
        String::new()
    } else {
        format!("groups in {}", issuer.group_claims.join(", "))
    };
    vec![
        row("WHAT", "IT SAYS".to_owned(), "HERE".to_owned()),
        row("client", of(&metadata.auth_methods), client),
        row("grants", grants(metadata), String::new()),
        row("device code", offered(metadata.device.is_some()), routes(&issuer.routes)),
        row(
            "browser",
            offered(metadata.authorization.is_some()),
            format!("sent back to {}", in_config(&issuer.redirect)),
        ),
        row("PKCE", of(&metadata.pkce_methods), "always S256".to_owned()),
        row("pushed requests", pushed(metadata).to_owned(), "only where required".to_owned()),
        row("scopes", of(&metadata.scopes_supported), format!("asks {}", issuer.scopes.join(" "))),
        row("prompt", says("prompt_values_supported"), prompt.collect::<Vec<_>>().join(" ")),
        row("refresh", offline(metadata).to_owned(), refresh_words(issuer.refresh_scope).to_owned()),
        row(
            "audience",
            "no provider says (RFC 8707)".to_owned(),
            audience.map_or_else(|| "not asked for".to_owned(), |name| format!("as `{name}`")),
        ),
        row("token exchange", has_grant(metadata, EXCHANGE), "toktui token NAME --exchange".to_owned()),
        row("userinfo", offered(metadata.userinfo.is_some()), String::new()),
        row("introspection", offered(metadata.introspection.is_some()), String::new()),
        row("revocation", offered(metadata.revocation.is_some()), String::new()),
        row("logout", offered(metadata.end_session.is_some()), "not used".to_owned()),
        row("registration", offered(metadata.registration.is_some()), registration(issuer, metadata)),
        row("claims", says("claims_supported"), groups),
        row("names itself", yes(metadata.iss_parameter_promised), "checked where it does".to_owned()),
        row("DPoP", says("dpop_signing_alg_values_supported"), "not used".to_owned()),
        row("other hosts", metadata.foreign_hosts.join(" "), String::new()),
    ]
}

/// Whether a client can be had there, in words.
fn registration(issuer: &Issuer, metadata: &Metadata) -> String {
    if issuer.registered {
        return "this client was registered from here".to_owned();
    }
    let note = issuer.registering_note.as_str();
    match (issuer.registering, metadata.registration.is_some()) {
        (_, false) => String::new(),
        (Registering::Announced, true) => "open to anyone, by its own word".to_owned(),
        (Registering::WithToken | Registering::Useless, true) if !note.is_empty() => note.to_owned(),
        (Registering::WithToken, true) => "with an initial access token".to_owned(),
        (Registering::Useless, true) => "of no use here".to_owned(),
    }
}

fn or_not_said(text: String) -> String {
    if text.is_empty() { NOT_SAID.to_owned() } else { text }
}

fn offered(is_there: bool) -> String {
    if is_there { "offered" } else { "not offered" }.to_owned()
}

fn yes(is_so: bool) -> String {
    if is_so { "in each answer (RFC 9207)" } else { NOT_SAID }.to_owned()
}

/// The grants by their short words.
fn grants(metadata: &Metadata) -> String {
    let all = listed(&metadata.grant_types);
    or_not_said(all.replace(DEVICE, "device_code").replace(EXCHANGE, "token-exchange"))
}

fn has_grant(metadata: &Metadata, grant: &str) -> String {
    if metadata.grant_types.is_empty() {
        return NOT_SAID.to_owned();
    }
    offered(metadata.grant_types.iter().any(|known| known.raw() == grant))
}

fn pushed(metadata: &Metadata) -> &'static str {
    match (metadata.pushed_required, metadata.pushed.is_some()) {
        (true, _) => "required",
        (false, true) => "offered",
        (false, false) => "not offered",
    }
}

fn offline(metadata: &Metadata) -> &'static str {
    let lists = metadata.scopes_supported.iter().any(|scope| scope.raw() == "offline_access");
    match (lists, metadata.scopes_supported.is_empty()) {
        (true, _) => "by offline_access",
        (false, true) => NOT_SAID,
        (false, false) => "lists no offline_access",
    }
}

fn route_word(route: Route) -> &'static str {
    match route {
        Route::Device => "device",
        Route::Browser => "browser",
        Route::Paste => "paste",
        Route::Consent => "consent",
    }
}

fn routes(routes: &[Route]) -> String {
    let words: Vec<&str> = routes.iter().map(|route| route_word(*route)).collect();
    format!("routes: {}", words.join(", "))
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
