//! Talking to the provider behind a mytoken: its addresses, its token endpoint, its revocation.

use std::time::Duration;

use reqwest::redirect::Policy;
use serde::Deserialize;

use super::claims::user;
use super::jwt::unverified;
use super::random::alphanumeric;
use super::refusal::Refusal;
use super::settings::Provider;
use super::{Error, Mytokens};
use crate::domain::secret::Secret;

/// How long a provider may take, in seconds.
const PATIENCE: u64 = 10;

/// Where a provider does what.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    pub(crate) authorization: String,
    pub(crate) token: String,
    pub(crate) revocation: Option<String>,
}

/// What a provider's token endpoint said.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Tokens.
    Granted(Box<Granted>),
    /// An OAuth error, with the status it came with.
    Refused { status: u16, words: String },
    /// Something that is neither, such as an HTML page.
    Nonsense,
}

/// What a provider gave.
#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) access_token: String,
    pub(crate) token_type: String,
    pub(crate) expires_in: i64,
    pub(crate) scope: Option<String>,
    pub(crate) refresh_token: Option<Secret>,
    /// The subject in the ID token.
    pub(crate) subject: Option<String>,
    /// The `aud` of the access token, if that is a JWT and has one.
    pub(crate) audience: Vec<String>,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: String,
    #[serde(default)]
    token_type: String,
    #[serde(default)]
    expires_in: i64,
    scope: Option<String>,
    refresh_token: Option<String>,
    id_token: Option<String>,
}

#[derive(Deserialize)]
struct Words {
    error: String,
    #[serde(default)]
    error_description: String,
}

#[allow(clippy::struct_field_names, reason = "the names are the document's")]
#[derive(Deserialize)]
struct Document {
    authorization_endpoint: String,
    token_endpoint: String,
    revocation_endpoint: Option<String>,
}

/// A client for providers on loopback: no proxy, no redirects, and no certificates, so that it can be built
/// on a machine that has none.
pub(crate) fn client() -> Result<reqwest::Client, Error> {
    reqwest::Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .tls_certs_only([])
        .timeout(Duration::from_secs(PATIENCE))
        .build()
        .map_err(Error::Client)
}

impl Mytokens {
    /// The provider with this issuer; a differing slash at the end is tolerated (§1.2).
    pub(crate) fn provider(&self, issuer: &str) -> Option<Provider> {
        let settings = self.settings();
        let bare = |issuer: &str| issuer.trim_end_matches('/').to_owned();
        if let Some(provider) = settings.providers.iter().find(|known| bare(&known.issuer) == bare(issuer)) {
            return Some(provider.clone());
        }
        let guests = settings.guest_issuer();
        (settings.guest && bare(issuer) == guests).then(|| Provider {
            authorization_endpoint: Some(format!("{guests}/auth")),
            token_endpoint: Some(format!("{guests}/token")),
            issuer: guests,
            name: "Guest Mode".to_owned(),
            client_id: String::new(),
            client_secret: None,
            scopes: vec!["openid".to_owned()],
            longest_life: None,
        })
    }

    /// Where `provider` does what: as set, or as its discovery says.
    pub(crate) async fn addresses(&self, provider: &Provider) -> Result<Addresses, Refusal> {
        if let (Some(authorization), Some(token)) =
            (&provider.authorization_endpoint, &provider.token_endpoint)
        {
            let (authorization, token) = (authorization.clone(), token.clone());
            return Ok(Addresses { authorization, token, revocation: None });
        }
        let known = self.known_addresses().get(&provider.issuer).cloned();
        if let Some(addresses) = known {
            return Ok(addresses);
        }
        let base = provider.issuer.trim_end_matches('/');
        let url = format!("{base}/.well-known/openid-configuration");
        let document: Document = async { self.client().get(url).send().await?.json().await }
            .await
            .map_err(|error: reqwest::Error| Refusal::internal(error.without_url().to_string()))?;
        let addresses = Addresses {
            authorization: provider.authorization_endpoint.clone().unwrap_or(document.authorization_endpoint),
            token: provider.token_endpoint.clone().unwrap_or(document.token_endpoint),
            revocation: document.revocation_endpoint,
        };
        self.known_addresses().insert(provider.issuer.clone(), addresses.clone());
        Ok(addresses)
    }

    /// Sends `form` to the provider's token endpoint. `caller` is the address that a guest is known by.
    pub(crate) async fn ask_provider(
        &self,
        provider: &Provider,
        mut form: Vec<(&str, String)>,
        caller: &str,
    ) -> Result<Answer, Refusal> {
        if provider.issuer == self.settings().guest_issuer() {
            return guest(caller).map(|granted| Answer::Granted(Box::new(granted)));
        }
        let mut request = self.client().post(self.addresses(provider).await?.token);
        match &provider.client_secret {
            Some(secret) => request = request.basic_auth(&provider.client_id, Some(secret.expose())),
            None => form.push(("client_id", provider.client_id.clone())),
        }
        let unreachable = |error: reqwest::Error| Refusal::internal(error.without_url().to_string());
        let response = request.form(&form).send().await.map_err(unreachable)?;
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(unreachable)?;
        Ok(read_answer(status, &body))
    }

    /// Tells the provider that a refresh token is no longer used. What it answers changes nothing.
    pub(crate) async fn revoke_at_provider(&self, issuer: &str, refresh_token: Secret) {
        let Some(provider) = self.provider(issuer) else { return };
        let Ok(Addresses { revocation: Some(url), .. }) = self.addresses(&provider).await else { return };
        let form = [
            ("token", refresh_token.expose()),
            ("token_type_hint", "refresh_token"),
            ("client_id", &provider.client_id),
        ];
        let mut request = self.client().post(url).form(&form);
        if let Some(secret) = &provider.client_secret {
            request = request.basic_auth(&provider.client_id, Some(secret.expose()));
        }
        drop(request.send().await);
    }
}

fn read_answer(status: u16, body: &[u8]) -> Answer {
    if let Ok(tokens) = serde_json::from_slice::<Tokens>(body) {
        return Answer::Granted(Box::new(Granted {
            audience: audience(&tokens.access_token),
            subject: tokens
                .id_token
                .as_deref()
                .and_then(unverified)
                .and_then(|claims| claims.get("sub").and_then(serde_json::Value::as_str).map(str::to_owned)),
            access_token: tokens.access_token,
            token_type: tokens.token_type,
            expires_in: tokens.expires_in,
            scope: tokens.scope,
            refresh_token: tokens.refresh_token.map(Secret::new),
        }));
    }
    match serde_json::from_slice::<Words>(body) {
        Ok(Words { error, error_description }) => {
            Answer::Refused { status, words: format!("{error}: {error_description}") }
        }
        Err(_) => Answer::Nonsense,
    }
}

/// What the guest provider gives to everybody (§2.12): the subject follows from the address.
fn guest(caller: &str) -> Result<Granted, Refusal> {
    Ok(Granted {
        access_token: alphanumeric(64)?,
        token_type: String::new(),
        expires_in: 600,
        scope: None,
        refresh_token: Some(Secret::new(alphanumeric(64)?)),
        subject: Some(format!("guest-{}", user(caller, "guest"))),
        audience: Vec::new(),
    })
}

fn audience(access_token: &str) -> Vec<String> {
    use serde_json::Value;
    match unverified(access_token).as_ref().and_then(|claims| claims.get("aud")) {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}
