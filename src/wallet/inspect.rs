//! A provider looked at from outside: what it announces, and whether a login there would work. Nobody is signed in and nothing is kept.

use std::sync::Arc;

use url::Url;

use super::{Wallet, granted, words};
use crate::domain::failure::Failure;
use crate::domain::secret::Secret;
use crate::domain::source::{Client, Issuer, Redirect, RefreshScope, Route, Source};
use crate::domain::untrusted::{Untrusted, cleaned};
use crate::http;
use crate::oidc::code::Wish;
use crate::oidc::discovery::{Difference, Fault, Metadata};
use crate::oidc::pkce::Verifier;
use crate::oidc::probe::{self, Taken};
use crate::oidc::{Cause, Error, device, refresh};

/// Where any port is registered, this one is tried.
const ANY_PORT: u16 = 45_123;
/// More redirect addresses are not tried.
const MOST_REDIRECTS: usize = 4;
/// No refresh token is like it: what the provider says of it tells whether it knows the client.
const MADE_UP: &str = "toktui-asks-whether-the-client-is-known";
/// The answers of a provider that would go on, if only somebody were signed in (OpenID Connect Core §3.1.2.6).
const NOBODY: [&str; 4] =
    ["login_required", "interaction_required", "consent_required", "account_selection_required"];
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
        self.metadata(issuer).await.map_err(|error| {
            let failure = words::oidc(doing, None, &error);
            match cure(&error) {
                Some(cure) => failure.hint(cure),
                None => failure,
            }
        })
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
                let finding = Finding { cure, ..Finding::new(what, Standing::Wrong, error.to_string()) };
                return Checked { findings: vec![finding], unreached: error.is_unreached() };
            }
        };
        let issuer_said = format!("{}, byte for byte", cleaned(&issuer.address));
        let mut findings = vec![Finding::new("issuer", Standing::Good, issuer_said)];
        findings.extend(self.clock_of(&metadata));
        findings.extend(endpoints(&metadata));
        let Some(client) = client.or_else(|| issuer.client.clone()) else {
            findings.push(no_client(source, issuer));
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
        findings.push(scopes(issuer, &metadata, refused.as_deref()));
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
    ) -> (Vec<Finding>, Option<String>) {
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
                refused = Some(description.as_ref().unwrap_or(error).shown_within(LONGEST));
            }
            findings.push(finding);
        }
        (findings, refused)
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
            Err(error) if error.client_is_wrong() => new(Standing::Wrong, error.to_string())
                .cure("Switch the device authorization grant on for the client, or leave \"device\" out of `routes`."),
            Err(error) => new(Standing::Doubt, error.to_string()),
        }
    }
}

/// What is to be known before a client is: hosts, PKCE, pushed requests.
fn endpoints(metadata: &Metadata) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !metadata.foreign_hosts.is_empty() {
        let hosts = metadata.foreign_hosts.join(", ");
        findings.push(
            Finding::new("hosts", Standing::Doubt, format!("some of its endpoints are elsewhere: {hosts}"))
                .cure("Tokens go there too: make sure that they are the provider's own."),
        );
    }
    if metadata.lacks_s256() {
        let listed = listed(&metadata.pkce_methods);
        findings.push(
            Finding::new("PKCE", Standing::Wrong, format!("it lists {listed}, and not S256"))
                .cure("Tell its operator: without S256 whoever sees a code can use it."),
        );
    }
    if metadata.pushed_required && metadata.pushed.is_none() {
        let said = "it requires pushed authorization requests (RFC 9126) and names no endpoint for them";
        findings.push(Finding::new("pushed requests", Standing::Wrong, said).cure("Tell its operator."));
    }
    findings
}

fn no_client(source: &Source, issuer: &Issuer) -> Finding {
    let page = source.register_url.as_deref();
    let mut cure = page.map(|page| format!("Register one at {page}, then: ")).unwrap_or_default();
    cure.push_str("toktui provider add NAME|URL --client-id ID.");
    for public in &issuer.public_clients {
        cure.push_str(&format!(" Or, by your own choice, {}: {}.", public.id, public.note));
    }
    Finding::new("client", Standing::Wrong, "no client id is set here").cure(cleaned(&cure))
}

/// A redirect request that was not answered by an error page.
fn sent_back(redirect: &Url, taken: &Result<Taken, Error>) -> Finding {
    let address = cleaned(redirect.as_str());
    let new = |standing, said: String| Finding::new("redirect", standing, format!("{address} {said}"));
    match taken {
        Ok(Taken::Back { error, description }) => {
            let code = error.raw();
            if NOBODY.contains(&code) || matches!(code, "" | "invalid_scope") {
                return new(Standing::Good, "is taken".to_owned());
            }
            let words = description.as_ref().unwrap_or(error).shown_within(LONGEST);
            let finding = new(Standing::Wrong, format!("is taken, and the request is not: {words}"));
            if code == "unauthorized_client" {
                return finding.cure("Switch the authorization code grant on for the client, or leave \"browser\" and \"paste\" out of `routes`.");
            }
            finding
        }
        Ok(Taken::Page(_) | Taken::On) => {
            new(Standing::Doubt, "seems to be taken: the provider goes on to a page of its own".to_owned())
        }
        Err(error) if error.client_is_wrong() || error.refusal().is_some() => {
            new(Standing::Wrong, format!("is refused: {error}"))
        }
        Err(error) => new(Standing::Doubt, format!("cannot be told of: {error}")),
    }
}

/// The scopes of a login against the provider's list; `refused`: what it said when it refused them.
fn scopes(issuer: &Issuer, metadata: &Metadata, refused: Option<&str>) -> Finding {
    let supported = &metadata.scopes_supported;
    // `storage.read:/` is a value of the scope `storage.read` (providers.md §1.3).
    let is_listed = |scope: &str| {
        let base = scope.split_once(':').map_or(scope, |(base, _)| base);
        supported.iter().any(|known| {
            let known = known.raw();
            known == scope || known.split_once(':').map_or(known, |(base, _)| base) == base
        })
    };
    let unlisted: Vec<&str> =
        issuer.scopes.iter().map(String::as_str).filter(|scope| !is_listed(scope)).collect();
    let unlisted = cleaned(&unlisted.join(" "));
    let cure = |scopes: &str| {
        format!("Leave {scopes} out of `scopes` in the config, or have the client allowed to ask for it.")
    };
    match refused {
        Some(words) if unlisted.is_empty() || supported.is_empty() => {
            Finding::new("scopes", Standing::Wrong, format!("refused: {words}")).cure(cure("what it refuses"))
        }
        Some(words) => {
            Finding::new("scopes", Standing::Wrong, format!("refused: {words}; it lists no {unlisted}"))
                .cure(cure(&unlisted))
        }
        None if supported.is_empty() => {
            Finding::new("scopes", Standing::Good, "it lists none; any may be asked")
        }
        None if unlisted.is_empty() => {
            Finding::new("scopes", Standing::Good, cleaned(&issuer.scopes.join(" ")))
        }
        None => Finding::new("scopes", Standing::Doubt, format!("not in its list: {unlisted}"))
            .cure("It may refuse them or leave them out; what was granted is said after a login."),
    }
}

fn refreshing(issuer: &Issuer, metadata: &Metadata) -> Finding {
    const OFFLINE: &str = "offline_access";
    let policy = refresh_words(issuer.refresh_scope);
    let lists = metadata.scopes_supported.iter().any(|scope| scope.raw() == OFFLINE);
    if lists && !issuer.scopes.iter().any(|scope| scope == OFFLINE) {
        return Finding::new("refresh", Standing::Doubt, "no lasting refresh token is asked for").cure(
            "Put \"offline_access\" into `scopes` in the config, unless a short login is what you want.",
        );
    }
    Finding::new("refresh", Standing::Good, policy)
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

/// What to do about a discovery that failed.
fn cure(error: &Error) -> Option<String> {
    let Error::Discovery(fault) = error else { return None };
    Some(match fault {
        Fault::OtherIssuer { said, how } => other_issuer(said, *how),
        Fault::NotAnIssuer => {
            "Write it with https and without a query, as the provider's documentation does.".to_owned()
        }
        Fault::Insecure { .. } | Fault::NotAnAddress(_) => {
            "Nothing is sent there; tell the provider's operator.".to_owned()
        }
        Fault::Exchange(cause) => not_had(cause)?,
    })
}

fn other_issuer(said: &Untrusted, how: Difference) -> String {
    match how {
        Difference::TrailingSlash | Difference::Case | Difference::Spelling => {
            format!("An issuer is compared byte for byte: write {}.", said.shown_within(LONGEST))
        }
        Difference::Scheme => {
            "Its tokens would name another issuer than the one you reached: tell its operator.".to_owned()
        }
        Difference::Port | Difference::Host | Difference::Path => format!(
            "Another provider speaks there. If {} is the one you mean, write that; else do not log in.",
            said.shown_within(LONGEST)
        ),
        Difference::Missing => "What answers there is no OpenID provider; check the address.".to_owned(),
    }
}

fn not_had(cause: &Cause) -> Option<String> {
    Some(match cause {
        Cause::Unanswered(http::Error::Tls { why, .. }) => tls(why).to_owned(),
        Cause::Unanswered(http::Error::Unreachable { .. } | http::Error::TimedOut { .. }) => {
            "Check the address, the network, and a proxy (HTTPS_PROXY) if there is one.".to_owned()
        }
        Cause::Unanswered(http::Error::Redirected { to, .. }) => {
            format!("If the provider moved, use its new address; {to} was not asked.")
        }
        Cause::Refused(refusal) if matches!(refusal.status, 429 | 500..) => "Try again later.".to_owned(),
        Cause::Refused(_) => "No discovery document stands there: an issuer has its whole path (https://login.example.org/realms/name), and \
                              upper and lower case count."
            .to_owned(),
        Cause::Senseless(_) => "What answers there is no OpenID provider, or a page of the network in between.".to_owned(),
        Cause::Unanswered(_) | Cause::NotOffered(_) => return None,
    })
}

/// What to do about a certificate, by the words of the TLS library.
fn tls(why: &str) -> &'static str {
    let why = why.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| why.contains(word));
    if says(&["expired", "notvalidyet", "not valid yet"]) {
        "Its certificate has ended or not begun: check this machine's clock, then tell its operator."
    } else if says(&["notvalidforname", "not valid for name", "hostname"]) {
        "Its certificate is for another name: check the address; do not go on."
    } else if says(&[
        "unknownissuer",
        "unknown issuer",
        "unable to get local issuer",
        "self-signed",
        "self signed",
        "unknownca",
    ]) {
        "This machine does not know the CA that signed its certificate: put that CA into the system's store, or name a file with it in SSL_CERT_FILE."
    } else {
        "Something between here and there breaks TLS: a proxy, an old server, or a port that speaks plain http."
    }
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

    #[test]
    fn each_way_of_a_certificate_to_be_wrong_has_its_cure() {
        let table = [
            ("invalid peer certificate: UnknownIssuer", "SSL_CERT_FILE"),
            ("invalid peer certificate: certificate expired: verification time …", "clock"),
            ("invalid peer certificate: NotValidForName", "another name"),
            ("received fatal alert: HandshakeFailure", "breaks TLS"),
        ];
        for (why, cure) in table {
            assert!(tls(why).contains(cure), "{why}: {}", tls(why));
        }
    }

    #[test]
    fn each_way_of_an_issuer_to_be_another_has_its_cure() {
        let said = Untrusted::from("https://op.example.org/x");
        for how in [Difference::TrailingSlash, Difference::Case, Difference::Spelling] {
            assert!(other_issuer(&said, how).contains("write https://op.example.org/x"), "{how:?}");
        }
        for how in [Difference::Port, Difference::Host, Difference::Path] {
            assert!(other_issuer(&said, how).contains("do not log in"), "{how:?}");
        }
        assert!(other_issuer(&said, Difference::Scheme).contains("operator"));
        assert!(other_issuer(&said, Difference::Missing).contains("no OpenID provider"));
    }
}
