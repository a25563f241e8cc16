//! What a provider announces beside what is done about it here, thing by thing.

use super::{in_config, listed, refresh_words};
use crate::domain::announced::{Announced, Row};
use crate::domain::failure::{Failure, Kind};
use crate::domain::source::{Issuer, Registering, Route, Source, SourceId};
use crate::domain::untrusted::cleaned;
use crate::oidc::discovery::Metadata;
use crate::wallet::Wallet;

const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// The grant of token exchange (RFC 8693 §2.1).
pub const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const NOT_SAID: &str = "not said";

impl Wallet {
    /// Reads what a listed provider announces; nothing else is asked.
    ///
    /// # Errors
    /// When it is none, nobody answers, or what answers is not believed; the hint is the cure.
    pub async fn look_at(&self, id: &SourceId) -> Result<Announced, Failure> {
        let unusable = |why: &str| Failure::new(Kind::Unusable, "Looking at a provider", why);
        let source = self.source(id).ok_or_else(|| unusable("it is not listed any more"))?;
        let issuer = source.issuer().ok_or_else(|| unusable("it is no OpenID provider"))?;
        let metadata = self.announced(issuer, &format!("Looking at {}", cleaned(&source.name))).await?;
        Ok(told(&source, issuer, &metadata))
    }
}

/// It in words.
#[must_use]
pub fn told(source: &Source, issuer: &Issuer, metadata: &Metadata) -> Announced {
    let page = |page: &Option<String>| page.as_deref().map(cleaned);
    Announced {
        title: cleaned(&source.name),
        issuer: cleaned(&issuer.address),
        origin: source.origin.words(),
        rows: rows(issuer, metadata),
        manage: page(&source.manage_url),
        register: page(&source.register_url),
        hints: source.hints.iter().map(|hint| cleaned(hint)).collect(),
    }
}

fn rows(issuer: &Issuer, metadata: &Metadata) -> Vec<Row> {
    let row = |what: &'static str, says: String, here: String| Row {
        what,
        here: cleaned(&here),
        says: cleaned(&says),
    };
    let client = issuer.client.as_ref().map_or_else(
        || "no client id set".to_owned(),
        |client| format!("{}, {}", client.id, if client.has_secret() { "with a secret" } else { "public" }),
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

/// Whether requests may or must be pushed (RFC 9126 §5).
#[must_use]
pub fn pushed(metadata: &Metadata) -> &'static str {
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

/// Its word, as the config has it.
#[must_use]
pub fn route_word(route: Route) -> &'static str {
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
