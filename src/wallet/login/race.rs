//! A login at an OpenID provider: its routes race, one of them redeems, and what came is kept.
//!
//! Only one redeems. When a code has come, polling stops and a poll that is under way is awaited: if that brings tokens,
//! they are the login and the code is left unused; else the code is redeemed.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::alone::{Asked, Whose};
use super::compared::OFFLINE;
use super::routes::{Code, First, Routes};
use super::{Line, cancelled, is_stopped, stopped};
use crate::domain::credential::Got;
use crate::domain::event::What;
use crate::domain::failure::{Failure, Kind};
use crate::domain::login::{Order, Report};
use crate::domain::source::{Client, Issuer, Redirect, Source};
use crate::oidc::Error;
use crate::oidc::code::{self, Wish};
use crate::oidc::discovery::Metadata;
use crate::oidc::pkce::Attempt;
use crate::oidc::tokens::TokenSet;
use crate::wallet::granted::{RESOURCE, audience};
use crate::wallet::{Wallet, gone, words};

/// What the race needs from its start to its end.
pub(super) struct Race<'a> {
    pub(super) order: &'a Order,
    pub(super) source: &'a Source,
    pub(super) issuer: &'a Issuer,
    pub(super) client: Client,
    pub(super) metadata: Arc<Metadata>,
    pub(super) attempt: Attempt,
    /// What access tokens are to be good for; empty: for what the provider sees fit.
    pub(super) audiences: BTreeSet<String>,
    /// More parameters of the request: the source's own, and the audiences.
    pub(super) extra: Vec<(String, String)>,
    pub(super) doing: &'a str,
}

/// How the race ended: with tokens, and whether they are bound to our nonce.
pub(super) struct Won {
    pub(super) set: TokenSet,
    pub(super) by_code: bool,
    /// On which way.
    pub(super) got: Got,
}

impl Wallet {
    pub(super) async fn race(
        self: &Arc<Self>,
        order: &Order,
        audiences: BTreeSet<String>,
        source: &Source,
        issuer: &Issuer,
        mut line: Line,
        doing: &str,
    ) -> Result<Report, Failure> {
        let wider = order.offline.then(|| offline(issuer));
        let issuer = wider.as_ref().unwrap_or(issuer);
        let own = self.own_client(issuer).map_err(|error| gone(doing, &error))?;
        let client = client_of(order, own, source, doing)?;
        let mut scopes = issuer.scopes.clone();
        scopes.sort_unstable();
        let name = order.name.as_deref().unwrap_or_default();
        let good_for = audiences.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        let (scopes, row) = (scopes.join(" "), source.id.as_str());
        let parts = [issuer.address.as_str(), &client.id, &scopes, &good_for, row, name];
        let asked = Asked { parts: &parts, is_kept: true, source, doing };
        let mut alone = match self.alone(&asked, &mut line).await? {
            Whose::Ours(alone) => alone,
            Whose::Theirs(came) => return self.joined(&came, &asked, order.offline),
        };
        let mut stop = line.stop.clone();
        let asked = async {
            let metadata = self.metadata(issuer).await?;
            Ok::<_, Error>((metadata, Attempt::random()?))
        };
        let (metadata, attempt) = tokio::select! {
            biased;
            () = stopped(&mut stop) => return Err(cancelled(doing)),
            asked = asked => asked.map_err(|error| words::oidc(doing, Some(source), &error))?,
        };
        let mut extra = issuer.authorization.clone();
        extra.extend(audience(issuer.audience_parameter.as_deref(), &audiences));
        let race = Race { order, source, issuer, client, metadata, attempt, audiences, extra, doing };
        let won = self.run(&race, line).await?;
        let identified = self.identify(&race, &won).await;
        if is_stopped(&stop) {
            self.note(None, What::Dropped);
            return Err(cancelled(doing));
        }
        let report = self.finish(&race, won, identified?).await?;
        alone.brought(&report.id);
        Ok(report)
    }

    async fn run(&self, race: &Race<'_>, line: Line) -> Result<Won, Failure> {
        let mut stop = line.stop.clone();
        let routes = tokio::select! {
            biased;
            () = stopped(&mut stop) => return Err(cancelled(race.doing)),
            routes = Routes::open(self, race, line) => routes?,
        };
        let Code { value: code, redirect, got } = match routes.first().await? {
            First::Tokens(set) => return Ok(Won { set: *set, by_code: false, got: Got::Device }),
            First::Code(code) => code,
        };
        if is_stopped(&stop) {
            return Err(cancelled(race.doing));
        }
        let (http, verifier) = (&self.http, &race.attempt.verifier);
        let redeemed =
            code::redeem(http, &race.metadata, &race.client, &code, &redirect, verifier, &race.resources())
                .await;
        let set = redeemed.map_err(|error| words::without(race.failed(&error), &[&code]))?;
        Ok(Won { set, by_code: true, got })
    }
}

/// The client to be: the one that was ordered, else the source's own.
fn client_of(order: &Order, own: Option<Client>, source: &Source, doing: &str) -> Result<Client, Failure> {
    order.client.clone().or(own).ok_or_else(|| {
        let hint = match &source.register_url {
            Some(page) => format!("Register one at {page}, then set `client_id` in the config."),
            None => "Set `client_id` in the config.".to_owned(),
        };
        Failure::new(Kind::Unusable, doing, "it needs a client id").hint(hint)
    })
}

/// The provider as it is asked for a refresh token that outlives the browser's session. Consent goes with that (`OpenID` Connect Core §11), and some
/// give none without it; a provider that is known to give one is not asked for it.
fn offline(issuer: &Issuer) -> Issuer {
    let mut wider = issuer.clone();
    if wider.scopes.iter().all(|scope| scope != OFFLINE) {
        wider.scopes.push(OFFLINE.to_owned());
    }
    if !wider.refresh_returns_refresh && wider.authorization.iter().all(|(name, _)| name != "prompt") {
        wider.authorization.push(("prompt".to_owned(), "consent".to_owned()));
    }
    wider
}

impl Race<'_> {
    pub(super) fn wish(&self) -> Wish<'_> {
        Wish { client: &self.client, scopes: &self.issuer.scopes, extra: &self.extra }
    }

    /// What a token request must name again: the resource (RFC 8707 §2.2), where it is one. Of several, a server that takes but one a token would
    /// refuse the request, and the code with it.
    pub(super) fn resources(&self) -> Vec<(String, String)> {
        let named: Vec<_> = self.extra.iter().filter(|(name, _)| name == RESOURCE).cloned().collect();
        if named.len() == 1 { named } else { Vec::new() }
    }

    /// The loopback form that this client has registered: a borrowed client id comes with its own.
    pub(super) fn redirect(&self) -> Redirect {
        let borrowed = self.issuer.public_clients.iter().find(|public| public.id == self.client.id);
        borrowed.map_or_else(|| self.issuer.redirect.clone(), |public| public.redirect.clone())
    }

    pub(super) fn failed(&self, error: &Error) -> Failure {
        words::oidc(self.doing, Some(self.source), error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_token_is_asked_for_with_consent_where_none_is_known_to_come_without() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let plain = Issuer::at("https://op.example");
        let keycloak = Issuer { refresh_returns_refresh: true, ..plain.clone() };
        let unity = Issuer { authorization: vec![pair("prompt", "login consent")], ..plain.clone() };
        let has_it = Issuer { scopes: vec![OFFLINE.to_owned()], ..keycloak.clone() };
        let table = [
            (plain, vec!["openid", OFFLINE], vec![pair("prompt", "consent")]),
            (keycloak, vec!["openid", OFFLINE], vec![]),
            (unity, vec!["openid", OFFLINE], vec![pair("prompt", "login consent")]),
            (has_it, vec![OFFLINE], vec![]),
        ];
        for (issuer, scopes, authorization) in table {
            let wider = offline(&issuer);
            assert_eq!(wider.scopes, scopes);
            assert_eq!(wider.authorization, authorization);
        }
    }
}
