//! Exchange an access token for one with another audience or fewer scopes (RFC 8693), at the provider that gave it.

use std::sync::Arc;

use super::draw::{Drawn, Wish, at_hand};
use super::granted::{access_token, audience, chain_end, long_lived};
use super::{Wallet, gone, words};
use crate::domain::credential::{
    AccessToken, Ask, Copy, Credential, CredentialId, Custody, Got, Grant, Health, RefreshGrant,
};
use crate::domain::event::What;
use crate::domain::failure::{Failure, Kind};
use crate::domain::secret::Secret;
use crate::domain::source::{Client, Issuer, Source};
use crate::domain::untrusted::cleaned;
use crate::oidc::exchange::{self, Exchanged};
use crate::oidc::tokens::TokenSet;
use crate::oidc::{self, Cause};
use crate::store::fresh_id;

/// What is wanted in exchange.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// Its scopes and audiences; one of them at least.
    pub ask: Ask,
    /// A new one even if one lives that was asked for in the same way.
    pub force: bool,
    /// How long it must live at least.
    pub min_life: Option<jiff::SignedDuration>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Swapped {
    /// The token, and what must be known of it.
    pub drawn: Drawn,
    /// What it is, where it is no access token: then it is not held.
    pub other: Option<String>,
}

impl Wallet {
    /// Exchanges the access token that is held for another one, which is held beside it under the same name. Where none lives, a login is
    /// renewed for it; a mytoken is not, because that may cost. A refresh token that comes with it is kept under a name of its own.
    ///
    /// # Errors
    /// When the provider does not announce it, before anything is sent; else with the provider's own fact.
    pub async fn exchange(self: &Arc<Self>, id: &CredentialId, order: Order) -> Result<Swapped, Failure> {
        let doing = "Exchanging an access token";
        let mut credential = self.store.get(id).map_err(|error| gone(doing, &error))?;
        credential.put_right(self.now(), self.clock.uptime());
        let doing = format!("Exchanging the access token of {}", credential.name);
        if order.ask == Ask::default() {
            let why = "it needs an audience or a scope to exchange it for";
            return Err(Failure::new(Kind::Unusable, doing, why).hint("Add --audience or --scope."));
        }
        let held = Wish { min_life: order.min_life, ask: Some(order.ask.clone()), ..Wish::default() };
        if let Some(drawn) = at_hand(&credential, &held, self.now()).filter(|_| !order.force) {
            return Ok(Swapped { drawn, other: None });
        }
        self.may_change(&doing)?;
        let source = self.provider_behind(&credential, &doing)?;
        let Some(issuer) = source.issuer() else {
            return Err(Failure::new(Kind::Unusable, doing, "it is not of an OpenID provider"));
        };
        let client = client_of(&credential, issuer, &source, &doing)?;
        let metadata =
            self.metadata(issuer).await.map_err(|error| words::oidc(&*doing, Some(&source), &error))?;
        if !exchange::is_announced(&metadata) {
            let why = format!("{} does not announce token exchange", source.name);
            return Err(Failure::new(Kind::Unusable, doing, why).hint(format!(
                "Nothing was sent. `toktui token {} --audience …` asks for the audience at a renewal, where the provider takes one.",
                credential.name
            )));
        }
        let subject = self.living(&credential, &doing).await?;
        let (wallet, id) = (Arc::clone(self), id.clone());
        let task = async move {
            let scopes: Vec<String> = order.ask.scopes.iter().cloned().collect();
            let audiences = audiences(issuer_parameter(&source), &order.ask);
            let wish = exchange::Wish { client: &client, scopes: &scopes, audiences: &audiences };
            let sent = exchange::exchange(&wallet.http, &metadata, wish, &subject.value).await;
            let came =
                sent.map_err(|error| refused(&doing, &source, &order.ask, &error, &subject, &client))?;
            wallet.take_exchanged(&id, &order.ask, &source, client, came, &doing).await
        };
        self.to_its_end("Exchanging an access token", task).await
    }

    /// Keeps what came before it is handed out.
    async fn take_exchanged(
        &self,
        id: &CredentialId,
        ask: &Ask,
        source: &Source,
        client: Client,
        came: Exchanged,
        doing: &str,
    ) -> Result<Swapped, Failure> {
        let Exchanged { set, kind } = came;
        let token = access_token(&set, self.now(), self.clock.uptime());
        let mut remarks = Vec::new();
        let turn = self.store.turn(id).await.map_err(|error| gone(doing, &error))?;
        let mut credential = turn.read();
        let refresh = match &kind {
            exchange::Kind::Refresh => Some(set.access.clone()),
            exchange::Kind::Access | exchange::Kind::Other(_) => set.refresh.clone(),
        };
        // One that is held already is no new one.
        let refresh = refresh.filter(|refresh| long_lived(&credential) != Some(refresh));
        if kind == exchange::Kind::Access {
            credential.put_access(ask.clone(), token.clone());
            credential.drop_ended(self.now());
            self.save(&turn, credential.clone(), doing).await?;
        }
        drop(turn);
        self.note(Some(id), What::Noted("exchanged an access token".to_owned()));
        if let Some(refresh) = refresh {
            let name = self.keep_beside(&credential, source, client, &set, refresh, doing).await?;
            remarks.push(format!("a refresh token came with it: kept as {name}"));
        }
        remarks.extend(narrower(ask, &token));
        let other = match kind {
            exchange::Kind::Access => None,
            exchange::Kind::Refresh => Some("a refresh token".to_owned()),
            exchange::Kind::Other(what) => Some(format!("a {}", what.shown())),
        };
        Ok(Swapped { drawn: Drawn { token, renewed: true, remarks }, other })
    }

    /// A refresh token that nobody asked for is not lost.
    async fn keep_beside(
        &self,
        credential: &Credential,
        source: &Source,
        client: Client,
        set: &TokenSet,
        refresh: Secret,
        doing: &str,
    ) -> Result<String, Failure> {
        let id = fresh_id().map_err(|error| Failure::new(Kind::Failed, doing, error.to_string()))?;
        let now = self.now();
        let scopes = set.granted.iter().flatten().map(|scope| scope.raw().to_owned()).collect();
        let grant = RefreshGrant {
            issuer: source.issuer().map(|issuer| issuer.address.clone()).unwrap_or_default(),
            client,
            scopes,
            current: Copy::first(refresh, 1),
            ends: chain_end(now, set.refresh_expires_in),
            rotates: false,
            endpoint: None,
            got: Some(Got::Kept),
        };
        let beside = Credential {
            id,
            name: String::new(),
            source: source.id.clone(),
            identity: credential.identity.clone(),
            grant: Grant::Refresh(grant),
            custody: Custody::MemoryOnly,
            health: Health::Ok,
            ask: Ask::default(),
            access: Vec::new(),
            since: now,
            pause: None,
        };
        let wish = format!("{}-exchanged", credential.name);
        Ok(self.keep_new(beside, &wish, What::Kept, doing).await?.1)
    }
}

fn issuer_parameter(source: &Source) -> Option<&str> {
    source.issuer().and_then(|issuer| issuer.audience_parameter.as_deref())
}

/// `resource` where the provider wants it so, and `audience` elsewhere; each audience once (RFC 8693 §2.1).
fn audiences(parameter: Option<&str>, ask: &Ask) -> Vec<(String, String)> {
    if parameter == Some("resource") {
        return audience(parameter, &ask.audiences);
    }
    ask.audiences.iter().map(|audience| ("audience".to_owned(), audience.clone())).collect()
}

/// The client that asks: the one that the login was given to, else the provider's own.
fn client_of(
    credential: &Credential,
    issuer: &Issuer,
    source: &Source,
    doing: &str,
) -> Result<Client, Failure> {
    match &credential.grant {
        Grant::Refresh(grant) => Ok(grant.client.clone()),
        Grant::Mytoken(_) | Grant::Bare => issuer.client.clone().ok_or_else(|| {
            let why = format!("{} exchanges tokens for a client only, and none is known", source.name);
            Failure::new(Kind::Unusable, doing, why).hint("Set `client_id` in the config. Nothing was sent.")
        }),
    }
}

fn narrower(ask: &Ask, token: &AccessToken) -> Option<String> {
    let granted = token.granted.as_ref()?;
    let missing: Vec<String> = ask
        .scopes
        .iter()
        .filter(|scope| !granted.iter().any(|got| got.raw() == scope.as_str()))
        .map(|scope| cleaned(scope))
        .collect();
    (!missing.is_empty()).then(|| format!("not granted: {}", missing.join(" ")))
}

/// A refusal with what it means for an exchange (RFC 8693 §2.2.2; providers.md §1.5).
fn refused(
    doing: &str,
    source: &Source,
    ask: &Ask,
    error: &oidc::Error,
    subject: &AccessToken,
    client: &Client,
) -> Failure {
    let secrets: Vec<&Secret> = std::iter::once(&subject.value).chain(&client.secret).collect();
    let failure = words::without(words::oidc(doing, Some(source), error), &secrets);
    let Some(Cause::Refused(refusal)) = error.cause() else { return failure };
    let about = |word: &str| {
        refusal.description.as_ref().is_some_and(|text| text.raw().to_lowercase().contains(word))
    };
    let asked: Vec<String> = ask.audiences.iter().map(|audience| cleaned(audience)).collect();
    match refusal.error.raw() {
        "invalid_target" => failure.hint(no_audience(&asked)),
        "invalid_client" | "invalid_request" if about("audience") => failure.hint(no_audience(&asked)),
        "access_denied" | "unauthorized_client" => failure.hint(
            "This client may not exchange tokens for that: whoever runs the provider, or owns the audience, must allow it. Keycloak allows no client without a secret.",
        ),
        "invalid_scope" => failure.hint("Ask for fewer scopes: an exchange gives none that the audience does not have."),
        "invalid_grant" | "invalid_token" => Failure { kind: Kind::NotValid, ..failure }
            .hint("The provider does not take this access token: get a new one (toktui renew), then again."),
        "invalid_request" => failure
            .hint("Where the access token is the reason, a new one helps: toktui renew. The login is as it was."),
        "unsupported_grant_type" => failure.hint("It announces token exchange, and does not do it for this client."),
        _ => failure,
    }
}

fn no_audience(asked: &[String]) -> String {
    format!(
        "No service is known there as {}: an audience is mostly the client id of a service, or its address.",
        asked.join(" ")
    )
}
