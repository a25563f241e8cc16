//! Register a client of one's own at a provider (RFC 7591), and delete that registration (RFC 7592).

mod compared;

use std::path::PathBuf;
use std::sync::Arc;

use jiff::SignedDuration;
use url::Url;

use self::compared::{compared, remarks};
use super::{Wallet, gone, words};
use crate::config::{AddedProvider, redirect, save_provider};
use crate::domain::event::What;
use crate::domain::failure::{Failure, Kind};
use crate::domain::registration::{Management, Registered, Registration};
use crate::domain::secret::Secret;
use crate::domain::source::{
    Client, ClientAuth, Issuer, Redirect, Registering, Route, Source, SourceId, SourceKind,
};
use crate::domain::time::{from_epoch, later};
use crate::domain::untrusted::{Untrusted, cleaned};
use crate::oidc::Error;
use crate::oidc::discovery::Metadata;
use crate::oidc::registration::{self, Given};
use crate::store;

/// A client that is wanted.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Where.
    pub source: SourceId,
    /// The name that people read on consent pages.
    pub name: String,
    /// What it may ask for; empty: what the source asks for.
    pub scopes: Vec<String>,
    /// Where it may be sent back to; empty: where the source is.
    pub redirects: Vec<String>,
    /// The initial access token, where one is at hand.
    pub token: Option<Secret>,
    /// The folder of the config, in which the client id is kept for every later start; `None`: for this session only.
    pub folder: Option<PathBuf>,
}

/// How the deletion of a registration ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// The provider says so.
    There,
    /// Nobody was asked; it stays there.
    HereOnly,
}

impl Wallet {
    /// Registers a client and lists it as the source's own. What is secret of it is in the store before this returns.
    ///
    /// # Errors
    /// Before anything is sent: the source has a client, or its provider is known to register none, or the store is locked. Else with what the provider
    /// said.
    pub async fn register(self: &Arc<Self>, ask: Ask) -> Result<Registered, Failure> {
        let source = self.source(&ask.source);
        let at = source.as_ref().map_or_else(|| ask.source.as_str().to_owned(), |source| source.name.clone());
        let doing = format!("Registering a client at {at}");
        self.may_change(&doing)?;
        let Some((source, issuer)) =
            source.and_then(|source| Some((source.clone(), source.issuer()?.clone())))
        else {
            return Err(Failure::new(Kind::Unusable, doing, "it is no OpenID provider that is listed here"));
        };
        if let Some(client) = &issuer.client {
            let why = format!("it is {} there already", cleaned(&client.id));
            return Err(Failure::new(Kind::Unusable, doing, why).hint(if issuer.registered {
                format!("To end that: toktui provider unregister {}.", source.id.as_str())
            } else {
                "Take that client id out first.".to_owned()
            }));
        }
        refused_by_preset(&source, &issuer, ask.token.is_some(), &doing)?;
        let wallet = Arc::clone(self);
        let work = {
            let doing = doing.clone();
            async move { wallet.registered(ask, source, issuer, &doing).await }
        };
        self.to_its_end(&doing, work).await
    }

    async fn registered(
        &self,
        ask: Ask,
        source: Source,
        issuer: Issuer,
        doing: &str,
    ) -> Result<Registered, Failure> {
        let failed = |error: &Error| words::oidc(doing, None, error);
        let metadata = self.metadata(&issuer).await.map_err(|error| failed(&error))?;
        if metadata.registration.is_none() {
            let failure =
                Failure::new(Kind::Failed, doing, "the provider announces no registration of clients");
            return Err(failure.hint(by_hand(&source)));
        }
        let id = self.store.expect_registration().await.map_err(|error| gone(doing, &error))?;
        let scopes = if ask.scopes.is_empty() { issuer.scopes.clone() } else { ask.scopes };
        let redirects = if ask.redirects.is_empty() { addresses(&issuer.redirect) } else { ask.redirects };
        let wish = registration::Wish { name: &ask.name, redirects: &redirects, scopes: &scopes };
        let given = registration::register(&self.http, &metadata, wish, ask.token.as_ref()).await;
        let given = given.map_err(|error| {
            let failure = failed(&error);
            let failure = match cure(&error, ask.token.is_some(), &source) {
                Some(hint) => failure.hint(hint),
                None => failure,
            };
            ask.token.iter().fold(failure, |failure, token| words::without(failure, &[token]))
        })?;
        let kept = Registration {
            id,
            source: source.id.clone(),
            issuer: issuer.address.clone(),
            client: given.id.clone(),
            at: self.now(),
            secret: given.secret.clone(),
            secret_ends: given.secret_ends.map(from_epoch),
            management: given
                .management
                .clone()
                .map(|(address, token)| Management { address: address.into(), token }),
        };
        // Before anybody sees that there is a client: whoever knows it can delete it then.
        let kept = self.store.keep_registration(kept).await;
        self.note_about(
            None,
            None,
            What::Noted(format!("registered at {}", source.name)),
            &cleaned(&given.id),
        );
        let client = cleaned(&given.id);
        let lines = compared(&wish, &registration::grants(&metadata), &given);
        let mut remarks = remarks(&given, self.now());
        match kept {
            Ok(true) => {}
            Ok(false) => remarks.insert(0, "its registration is kept in memory only, this time".to_owned()),
            Err(error) => remarks.insert(0, format!("{error}: note the client id {client} now")),
        }
        if given.auth.is_err() {
            return Ok(Registered { source, client, lines, remarks, usable: false });
        }
        let (issuer, routes) = with_client(&issuer, &metadata, &given, &scopes, &redirects);
        let mut listed = Source { kind: SourceKind::Issuer(Box::new(issuer.clone())), ..source.clone() };
        match keep_id(ask.folder, &listed, routes, &redirects_of(&given, &redirects)).await {
            Ok(Some(saved)) => listed = saved,
            Ok(None) => remarks.push("this client id is known in this session only: there is no config to keep it beside".to_owned()),
            Err(why) => remarks.push(format!(
                "its id could not be kept beside the config ({why}); put it there: toktui provider add {} --client-id '{client}'",
                source.id.as_str()
            )),
        }
        self.list_source(listed.clone()).await;
        Ok(Registered { source: listed, client, lines, remarks, usable: true })
    }

    /// The client to be at a source, with its secret where that is in the store.
    ///
    /// # Errors
    /// When the store is locked, or what it keeps of the client does not read.
    pub(super) fn own_client(&self, issuer: &Issuer) -> Result<Option<Client>, store::Error> {
        let Some(client) = issuer.client.clone() else { return Ok(None) };
        if !issuer.registered || client.auth == ClientAuth::None || client.secret.is_some() {
            return Ok(Some(client));
        }
        let all = self.store.registrations()?;
        let own = all.into_iter().find(|one| one.client == client.id && one.issuer == issuer.address);
        Ok(Some(Client { secret: own.and_then(|own| own.secret), ..client }))
    }

    /// What is kept of the clients that were registered from here, the newest last.
    ///
    /// # Errors
    /// When the store is locked, or one does not read.
    pub fn registrations(&self, doing: &str) -> Result<Vec<Registration>, Failure> {
        self.store.registrations().map_err(|error| gone(doing, &error))
    }

    /// Those for this source.
    ///
    /// # Errors
    /// The same.
    pub fn registrations_of(&self, source: &SourceId, doing: &str) -> Result<Vec<Registration>, Failure> {
        let all = self.registrations(doing)?;
        Ok(all.into_iter().filter(|one| one.source == *source).collect())
    }

    /// Deletes a registration at its provider, then here; with `here_only` nobody is asked. What is kept of it here stays until the provider has said that
    /// it is gone. The client id that stands beside the config is the caller's to take out.
    ///
    /// # Errors
    /// When the provider gave nothing to delete it with, was not reached, or refuses.
    pub async fn unregister(
        self: &Arc<Self>,
        registration: Registration,
        here_only: bool,
        doing: &str,
    ) -> Result<Deleted, Failure> {
        self.may_change(doing)?;
        let wallet = Arc::clone(self);
        let doing = doing.to_owned();
        let said = doing.clone();
        let work = async move { wallet.deleted(&registration, here_only, &said).await };
        self.to_its_end(&doing, work).await
    }

    async fn deleted(&self, kept: &Registration, here_only: bool, doing: &str) -> Result<Deleted, Failure> {
        if !here_only {
            self.delete_there(kept, doing).await?;
        }
        self.store.forget_registration(&kept.id).await.map_err(|error| gone(doing, &error))?;
        for mut source in self.sources().iter().cloned() {
            if let SourceKind::Issuer(issuer) = &mut source.kind
                && issuer.registered
                && issuer.address == kept.issuer
                && issuer.client.as_ref().is_some_and(|client| client.id == kept.client)
            {
                (issuer.client, issuer.registered) = (None, false);
                self.list_source(source).await;
            }
        }
        let what = if here_only { "registration forgotten here" } else { "registration deleted" };
        self.note_about(None, None, What::Noted(what.to_owned()), &cleaned(&kept.client));
        Ok(if here_only { Deleted::HereOnly } else { Deleted::There })
    }

    async fn delete_there(&self, kept: &Registration, doing: &str) -> Result<(), Failure> {
        let name = kept.source.as_str();
        let forget = format!("To forget it here only: toktui provider unregister {name} --here-only.");
        let Some(management) = &kept.management else {
            let why = "the provider gave nothing by which it could be deleted";
            return Err(Failure::new(Kind::Failed, doing, why).hint(format!(
                "Ask its administrators to delete the client {}. {forget}",
                cleaned(&kept.client)
            )));
        };
        let address = Url::parse(&management.address).map_err(|_| {
            Failure::new(Kind::Failed, doing, "its address there is none").hint(forget.clone())
        })?;
        registration::delete(&self.http, &address, &management.token).await.map_err(|error| {
            let failure = words::without(words::oidc(doing, None, &error), &[&management.token]);
            if registration::is_gone(&error) {
                failure.hint(format!("The client may be gone there already. {forget}"))
            } else if error.is_temporary() {
                failure.hint("Nothing is lost; try again.")
            } else {
                failure.hint(format!("Nothing is lost. {forget}"))
            }
        })
    }
}

/// What a preset or the config knows of registering there.
fn refused_by_preset(source: &Source, issuer: &Issuer, has_token: bool, doing: &str) -> Result<(), Failure> {
    let note = || Some(issuer.registering_note.as_str()).filter(|note| !note.is_empty());
    match (issuer.registering, has_token) {
        (Registering::Announced, _) | (Registering::WithToken, true) => Ok(()),
        (Registering::WithToken, false) => {
            let why = note().unwrap_or("it registers nobody without an initial access token");
            Err(Failure::new(Kind::Unusable, doing, why).hint(format!(
                "With one of its administrators: toktui provider register {} --initial-access-token-file FILE. {}",
                source.id.as_str(),
                by_hand(source)
            )))
        }
        (Registering::Useless, _) => {
            let why = note().unwrap_or("it registers nobody");
            Err(Failure::new(Kind::Unusable, doing, why).hint(by_hand(source)))
        }
    }
}

/// How a client is had by people.
fn by_hand(source: &Source) -> String {
    match &source.register_url {
        Some(page) => format!("Clients are registered at {page}."),
        None => "Ask its administrators for a client.".to_owned(),
    }
}

/// What to do about a refusal.
fn cure(error: &Error, had_token: bool, source: &Source) -> Option<String> {
    let name = source.id.as_str();
    if error.is_temporary() && !error.may_have_acted() {
        return Some("Nothing was registered; try again.".to_owned());
    }
    if error.may_have_acted() {
        return Some(
            "A client may have been registered all the same, of which nothing is known here.".to_owned(),
        );
    }
    let refusal = error.refusal()?;
    Some(match (refusal.status, refusal.error.raw()) {
        (_, "invalid_redirect_uri") => format!(
            "It takes other redirect addresses: toktui provider register {name} --redirect http://localhost:8080 (or what it documents)."
        ),
        (_, "invalid_client_metadata") => {
            format!("Ask for less: toktui provider register {name} --scope openid. {}", by_hand(source))
        }
        (401 | 403, _) if had_token => format!(
            "The initial access token is not taken: it may have ended or been used up. {}",
            by_hand(source)
        ),
        (401 | 403, _) => {
            let page = source.register_url.as_ref();
            let page = page.map(|page| format!(" Or register a client at {page}.")).unwrap_or_default();
            format!(
                "Its administrators may give you an initial access token (--initial-access-token-file FILE).{page}"
            )
        }
        _ => by_hand(source),
    })
}

/// The addresses of a form as a registration names them: those of any port without one (RFC 8252 §7.3).
fn addresses(form: &Redirect) -> Vec<String> {
    let host = if form.by_name { "localhost" } else { "127.0.0.1" };
    if form.ports.is_empty() {
        return vec![format!("http://{host}{}", form.path)];
    }
    form.ports.iter().map(|port| format!("http://{host}:{port}{}", form.path)).collect()
}

/// Those that were registered, where they are of one form; else those that were asked for.
fn redirects_of(given: &Given, asked: &[String]) -> Vec<String> {
    let registered: Option<Vec<String>> =
        given.redirects.as_ref().map(|list| list.iter().map(|uri| uri.raw().to_owned()).collect());
    registered.filter(|list| redirect(list).is_some()).unwrap_or_else(|| asked.to_vec())
}

/// The issuer as a login meets it as this client, and its routes where one is not for it.
fn with_client(
    issuer: &Issuer,
    metadata: &Metadata,
    given: &Given,
    asked: &[String],
    redirects: &[String],
) -> (Issuer, Option<Vec<Route>>) {
    let auth = given.auth.clone().unwrap_or_default();
    let secret = given.secret.clone().filter(|_| auth != ClientAuth::None);
    let is_granted = |scope: &&String| {
        given.scopes.as_ref().is_none_or(|granted| granted.iter().any(|one| one.raw() == scope.as_str()))
    };
    let granted: Vec<String> = asked.iter().filter(is_granted).cloned().collect();
    let has = |grant: &str| lists(given.grants.as_deref(), grant);
    let mut routes = issuer.routes.clone();
    if metadata.device.is_some() && !has(registration::DEVICE) {
        routes.retain(|route| *route != Route::Device);
    }
    let changed = routes != issuer.routes && !routes.is_empty();
    let issuer = Issuer {
        client: Some(Client { id: given.id.clone(), secret, auth }),
        registered: true,
        redirect: redirect(&redirects_of(given, redirects)).unwrap_or_else(|| issuer.redirect.clone()),
        scopes: if granted.is_empty() { asked.to_vec() } else { granted },
        routes: if changed { routes.clone() } else { issuer.routes.clone() },
        ..issuer.clone()
    };
    (issuer, changed.then_some(routes))
}

/// Whether a list has this word; one that was not sent says nothing.
fn lists(list: Option<&[Untrusted]>, word: &str) -> bool {
    list.is_none_or(|list| list.iter().any(|one| one.raw() == word))
}

/// Writes the client id beside the config. The row as every later start lists it; `None` where there is no place for it.
async fn keep_id(
    folder: Option<PathBuf>,
    source: &Source,
    routes: Option<Vec<Route>>,
    redirects: &[String],
) -> Result<Option<Source>, String> {
    let Some(folder) = folder.filter(|folder| folder.is_absolute()) else { return Ok(None) };
    let (source, redirects) = (source.clone(), redirects.to_vec());
    let saved = tokio::task::spawn_blocking(move || {
        let client = source.issuer().and_then(|issuer| issuer.client.clone());
        let kept = AddedProvider {
            client_id: client.as_ref().map(|client| client.id.clone()),
            auth: client.map(|client| client.auth).filter(|auth| *auth != ClientAuth::None),
            registered: true,
            redirects,
            ..AddedProvider::over(&folder, &source)?
        };
        let routes = routes.unwrap_or_else(|| kept.routes.clone());
        save_provider(&folder, &AddedProvider { routes, ..kept })
    });
    saved.await.map_err(|error| error.to_string()).and_then(|saved| saved).map(Some)
}

/// Days in which the end of a client secret is said.
const SOON: SignedDuration = SignedDuration::from_hours(24 * 400);

fn ends_soon(ends: Option<i64>, now: jiff::Timestamp) -> Option<jiff::Timestamp> {
    ends.map(from_epoch).filter(|end| *end < later(now, SOON))
}
