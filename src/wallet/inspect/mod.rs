//! A provider looked at from outside: what it announces, and whether a login there would work. Nobody is signed in and nothing is kept.

pub mod announced;
mod cure;
mod judged;

use std::sync::Arc;

use url::Url;

pub(super) use self::cure::cure;
use self::judged::{endpoints, no_client, refreshing, scopes, sent_back};
use super::{Wallet, granted, words};
use crate::domain::failure::Failure;
use crate::domain::secret::Secret;
use crate::domain::source::{Client, Issuer, Redirect, RefreshScope, Route, Source};
use crate::domain::untrusted::{Untrusted, cleaned};
use crate::http::proxy_of;
use crate::oidc::code::Wish;
use crate::oidc::discovery::{Fault, Metadata};
use crate::oidc::pkce::Verifier;
use crate::oidc::probe::{self, Taken};
use crate::oidc::{Cause, Error, device, refresh};

/// Where any port is registered, this one is tried.
const ANY_PORT: u16 = 45_123;
/// More redirect addresses are not tried.
const MOST_REDIRECTS: usize = 4;
/// Of scopes that are refused together no more are tried one by one.
const MOST_SCOPES: usize = 20;
/// No refresh token is like it: what the provider says of it tells whether it knows the client.
const MADE_UP: &str = "toktui-asks-whether-the-client-is-known";
/// A server's list is told up to this many columns.
const LONGEST: usize = 200;

/// How one thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// As it must be.
    Good,
    /// It may be wrong, or cannot be told.
    Doubt,
    /// A login, or a part of it, will fail.
    Wrong,
}

/// One thing that was checked. Its texts are fit to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What: `issuer`, `client`, `redirect`.
    pub what: &'static str,
    /// How it stands.
    pub standing: Standing,
    /// What was found.
    pub said: String,
    /// What to do about it.
    pub cure: Option<String>,
}

impl Finding {
    fn new(what: &'static str, standing: Standing, said: impl Into<String>) -> Self {
        Self { what, standing, said: said.into(), cure: None }
    }

    fn cure(self, cure: impl Into<String>) -> Self {
        Self { cure: Some(cure.into()), ..self }
    }
}

/// Scopes that a provider refuses.
struct RefusedScopes {
    /// What it says of it.
    words: String,
    /// Those that it refuses each by itself.
    each: Vec<String>,
}

/// All that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// In the order in which a login meets it.
    pub findings: Vec<Finding>,
    /// Whether nobody answered: then nothing else is known.
    pub unreached: bool,
}

impl Wallet {
    /// What an issuer announces.
    ///
    /// # Errors
    /// When nobody answers, or what answers is not believed; the hint is the cure.
    pub async fn announced(&self, issuer: &Issuer, doing: &str) -> Result<Arc<Metadata>, Failure> {
        self.metadata(issuer).await.map_err(|error| words::oidc(doing, None, &error))
    }

    /// Checks all that a login at a provider needs, as this client (else as the source's own).
    pub async fn check(&self, source: &Source, issuer: &Issuer, client: Option<Client>) -> Checked {
        let metadata = match self.metadata(issuer).await {
            Ok(metadata) => metadata,
            Err(error) => {
                let cure = cure(&error);
                let what = if matches!(error, Error::Discovery(Fault::OtherIssuer { .. })) {
                    "issuer"
                } else {
                    "reached"
                };
                let through = proxy_of(&issuer.address).filter(|_| error.is_unreached());
                let said = match through {
                    Some(proxy) => format!("{error} (asked through the proxy {proxy})"),
                    None => error.to_string(),
                };
                let finding = Finding { cure, ..Finding::new(what, Standing::Wrong, said) };
                return Checked { findings: vec![finding], unreached: error.is_unreached() };
            }
        };
        let issuer_said = format!("{}, byte for byte", cleaned(&issuer.address));
        let mut findings = vec![Finding::new("issuer", Standing::Good, issuer_said)];
        findings.extend(proxy_of(&issuer.address).map(|proxy| {
            Finding::new(
                "proxy",
                Standing::Good,
                format!("asked through {proxy} (HTTPS_PROXY; NO_PROXY leaves hosts out)"),
            )
        }));
        findings.extend(self.clock_of(&metadata));
        findings.extend(endpoints(&metadata));
        let Some(client) = client.or_else(|| self.own_client(issuer).ok().flatten()) else {
            findings.push(no_client(source, issuer, &metadata));
            findings.push(scopes(issuer, &metadata, None));
            return Checked { findings, unreached: false };
        };
        let known = self.client_is_known(&metadata, source, &client).await;
        let is_wrong = known.standing == Standing::Wrong;
        findings.push(known);
        if is_wrong {
            // Whatever else was asked would be refused for the client.
            findings.push(scopes(issuer, &metadata, None));
            return Checked { findings, unreached: false };
        }
        let (redirects, refused) = self.redirects(issuer, &metadata, &client).await;
        findings.extend(redirects);
        findings.push(scopes(issuer, &metadata, refused.as_ref()));
        findings.push(self.device_code(issuer, &metadata, &client).await);
        findings.push(refreshing(issuer, &metadata));
        Checked { findings, unreached: false }
    }

    fn clock_of(&self, metadata: &Metadata) -> Option<Finding> {
        let skew = granted::skew(metadata.date, self.now())?;
        Some(match granted::skewed(skew) {
            Some(off) => Finding::new("clock", Standing::Wrong, off).cure(
                "Set this machine's clock: ID tokens are not believed before they begin or after they end.",
            ),
            None => Finding::new("clock", Standing::Good, "agrees with the provider's to a minute"),
        })
    }

    async fn client_is_known(&self, metadata: &Metadata, source: &Source, client: &Client) -> Finding {
        let id = cleaned(&client.id);
        let wish =
            refresh::Wish { client, policy: RefreshScope::Omit, scopes: &[], narrowed: None, extra: &[] };
        match refresh::refresh(&self.http, metadata, wish, &Secret::new(MADE_UP)).await {
            Ok(_) => Finding::new(
                "client",
                Standing::Wrong,
                "it gives tokens for a refresh token that was made up",
            )
            .cure("This is no provider to trust with a login."),
            Err(error) if error.is_for_good() => {
                Finding::new("client", Standing::Good, format!("{id} is known there"))
            }
            Err(error) if error.client_is_wrong() => {
                let page = source.register_url.as_deref();
                let where_to =
                    page.map(|page| format!("; clients are registered at {page}")).unwrap_or_default();
                let secret = if client.secret.is_some() {
                    ", and its secret"
                } else {
                    ", and whether it needs a secret"
                };
                Finding::new("client", Standing::Wrong, format!("{id}: {error}"))
                    .cure(format!("Check the id{secret}{where_to}."))
            }
            Err(error @ Error::Refresh(Cause::NotOffered(_))) => {
                Finding::new("client", Standing::Wrong, error.to_string())
            }
            Err(error) => Finding::new(
                "client",
                Standing::Doubt,
                format!("{id}: cannot tell whether it is known: {error}"),
            ),
        }
    }

    /// Each registered form of the redirect address, and what the provider says of the scopes, if it refuses them.
    async fn redirects(
        &self,
        issuer: &Issuer,
        metadata: &Metadata,
        client: &Client,
    ) -> (Vec<Finding>, Option<RefusedScopes>) {
        let is_wanted = issuer.routes.iter().any(|route| matches!(route, Route::Browser | Route::Paste));
        if metadata.authorization.is_none() || !is_wanted {
            return (Vec::new(), None);
        }
        let borrowed = issuer.public_clients.iter().find(|public| public.id == client.id);
        let form = borrowed.map_or(&issuer.redirect, |public| &public.redirect);
        let (mut findings, mut refused) = (Vec::new(), None);
        for redirect in addresses(form) {
            let taken = self.probe(issuer, metadata, client, &redirect).await;
            let finding = match &taken {
                Ok(Taken::Page(status @ 400..)) => {
                    let shown = cleaned(redirect.as_str());
                    let finding = Finding::new(
                        "redirect",
                        Standing::Wrong,
                        format!("{shown} is refused, with a page of the provider's own ({status})"),
                    );
                    finding.cure(self.other_form(issuer, metadata, client, form).await)
                }
                taken => sent_back(&redirect, taken),
            };
            if let Ok(Taken::Back { error, description }) = &taken
                && error.raw() == "invalid_scope"
            {
                let words = description.as_ref().unwrap_or(error).shown_within(LONGEST);
                refused = Some((words, redirect));
            }
            findings.push(finding);
        }
        let refused = match refused {
            Some((words, redirect)) => {
                let each = self.refused_scopes(issuer, metadata, client, &redirect).await;
                Some(RefusedScopes { words, each })
            }
            None => None,
        };
        (findings, refused)
    }

    /// The scopes that the provider refuses when each is asked for alone: some name the whole request instead (Keycloak).
    async fn refused_scopes(
        &self,
        issuer: &Issuer,
        metadata: &Metadata,
        client: &Client,
        redirect: &Url,
    ) -> Vec<String> {
        const OPENID: &str = "openid";
        let mut refused = Vec::new();
        for scope in issuer.scopes.iter().filter(|scope| *scope != OPENID).take(MOST_SCOPES) {
            let one = Issuer { scopes: vec![OPENID.to_owned(), scope.clone()], ..issuer.clone() };
            if let Ok(Taken::Back { error, .. }) = self.probe(&one, metadata, client, redirect).await
                && error.raw() == "invalid_scope"
            {
                refused.push(scope.clone());
            }
        }
        refused
    }

    async fn probe(
        &self,
        issuer: &Issuer,
        metadata: &Metadata,
        client: &Client,
        redirect: &Url,
    ) -> Result<Taken, Error> {
        let wish = Wish { client, scopes: &issuer.scopes, extra: &issuer.authorization };
        probe::ask(&self.http, metadata, wish, redirect).await
    }

    /// What to do about a redirect address that is refused: the same with the other name of this machine, if the provider takes that.
    async fn other_form(
        &self,
        issuer: &Issuer,
        metadata: &Metadata,
        client: &Client,
        form: &Redirect,
    ) -> String {
        let other = Redirect { by_name: !form.by_name, ..form.clone() };
        if let Some(address) = addresses(&other).first()
            && matches!(self.probe(issuer, metadata, client, address).await, Ok(Taken::Back { .. }))
        {
            return format!("It takes {}: redirects = {}.", cleaned(address.as_str()), in_config(&other));
        }
        format!(
            "Register {} for the client, or write what is registered there into `redirects` in the config.",
            in_config(form)
        )
    }

    async fn device_code(&self, issuer: &Issuer, metadata: &Metadata, client: &Client) -> Finding {
        let wanted = issuer.routes.contains(&Route::Device);
        let new = |standing, said: String| Finding::new("device code", standing, said);
        if metadata.device.is_none() {
            let said = "the provider offers no login by device code".to_owned();
            return match (wanted, issuer.routes.as_slice()) {
                (true, [Route::Device]) => new(Standing::Wrong, said)
                    .cure("Put \"browser\" and \"paste\" into `routes` in the config."),
                (true, _) => new(Standing::Doubt, said).cure(
                    "On a machine without a browser, paste the address back that the browser ended on.",
                ),
                (false, _) => new(Standing::Good, format!("{said}, and it is not used")),
            };
        }
        if !wanted {
            return new(Standing::Good, "not used here".to_owned());
        }
        if self.is_read_only() {
            return new(
                Standing::Doubt,
                "not asked: this toktui changes nothing, and a code would be made".to_owned(),
            );
        }
        let wish = Wish { client, scopes: &issuer.scopes, extra: &issuer.authorization };
        let verifier = match Verifier::random() {
            Ok(verifier) => verifier,
            Err(error) => return new(Standing::Doubt, error.to_string()),
        };
        match device::start(&self.http, metadata, wish, &verifier).await {
            Ok(_) => new(Standing::Good, "given to this client (the one that was made ends unused)".to_owned()),
            Err(error) if error.refusal().is_none() || error.is_temporary() => {
                new(Standing::Doubt, error.to_string())
            }
            Err(error) if error.scopes_refused() => new(Standing::Wrong, error.to_string()),
            // Not everybody says `unauthorized_client` (RFC 6749 §5.2) for a grant that is switched off: oidc-provider says `invalid_request`.
            Err(error) => new(Standing::Wrong, error.to_string())
                .cure("Switch the device authorization grant on for the client, or leave \"device\" out of `routes`."),
        }
    }
}

/// What a refresh request says about scopes, in words.
#[must_use]
pub fn refresh_words(policy: RefreshScope) -> &'static str {
    match policy {
        RefreshScope::Omit => "a refresh names no scopes",
        RefreshScope::Send => "a refresh names the scopes of the login",
        RefreshScope::SendWithoutOffline => "a refresh names the scopes of the login but offline_access",
    }
}

/// Words of a server, in one line.
#[must_use]
pub fn listed(words: &[Untrusted]) -> String {
    let all = words.iter().map(Untrusted::raw).collect::<Vec<_>>().join(" ");
    Untrusted::from(all.as_str()).shown_within(LONGEST)
}

/// The addresses that a login would be sent back to.
fn addresses(form: &Redirect) -> Vec<Url> {
    let host = if form.by_name { "localhost" } else { "127.0.0.1" };
    let any = [ANY_PORT];
    let ports = if form.ports.is_empty() { &any[..] } else { &form.ports };
    let address = |port: &u16| Url::parse(&format!("http://{host}:{port}{}", form.path)).ok();
    ports.iter().take(MOST_REDIRECTS).filter_map(address).collect()
}

/// A form as the config writes it: `["http://127.0.0.1/callback"]`.
#[must_use]
pub fn in_config(form: &Redirect) -> String {
    let host = if form.by_name { "localhost" } else { "127.0.0.1" };
    let quoted = |port: String| format!("\"http://{host}{port}{}\"", cleaned(&form.path));
    if form.ports.is_empty() {
        return format!("[{}]", quoted(String::new()));
    }
    let all: Vec<_> = form.ports.iter().map(|port| quoted(format!(":{port}"))).collect();
    format!("[{}]", all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_tried_as_it_is_written_in_the_config() {
        let table = [
            (Redirect::default(), "[\"http://127.0.0.1/callback\"]", vec!["http://127.0.0.1:45123/callback"]),
            (
                Redirect { by_name: true, ports: vec![8080, 4242], path: String::new() },
                "[\"http://localhost:8080\", \"http://localhost:4242\"]",
                vec!["http://localhost:8080/", "http://localhost:4242/"],
            ),
        ];
        for (form, config, tried) in table {
            assert_eq!(in_config(&form), config);
            assert_eq!(addresses(&form).iter().map(Url::as_str).collect::<Vec<_>>(), tried);
        }
    }
}
