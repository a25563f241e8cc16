//! A new access token from a login's refresh token.

use url::Url;

use super::{Drawing, Drawn, hand};
use crate::domain::credential::{AccessToken, Ask, Credential, Grant, Health, RefreshGrant};
use crate::domain::event::What;
use crate::domain::failure::{Failure, Kind};
use crate::domain::source::{Issuer, Source};
use crate::oidc::discovery;
use crate::oidc::tokens::TokenSet;
use crate::oidc::{Cause, Error, refresh};
use crate::wallet::granted::{access_token, audience, audience_refused, chain_end, missing, skewed};
use crate::wallet::pause::InVain;
use crate::wallet::{Wallet, health, stale, words};

impl Wallet {
    pub(super) async fn draw_from_login(
        &self,
        drawing: Drawing<'_>,
        credential: &Credential,
        grant: &RefreshGrant,
    ) -> Result<Drawn, Failure> {
        let Drawing { turn, wish, doing } = drawing;
        let source = self.source_of(credential);
        let Some(issuer) = source.issuer() else {
            return Err(Failure::new(Kind::Unusable, doing, "its provider is not listed any more")
                .hint("Add the provider again."));
        };
        if let Some(why) = stale::not_for(issuer, grant) {
            self.save(turn, Credential { health: Health::Dead(why.clone()), ..credential.clone() }, doing)
                .await?;
            return Err(Failure::new(Kind::NotValid, doing, why).hint(stale::cure(credential)));
        }
        let ask = hand::asked(credential, wish);
        if wish.ask.is_some()
            && let Some(why) = audience_refused(issuer, &source.name, &ask.audiences)
        {
            return Err(Failure::new(Kind::Unusable, doing, why).hint("Nothing was sent."));
        }
        let endpoint = match self.token_endpoint(issuer, grant).await {
            Ok(endpoint) => endpoint,
            Err(error) => return Err(self.refused(&drawing, credential, &source, &error, false).await),
        };
        if may_rotate(issuer, credential, grant) {
            self.intend(turn, doing).await?;
        }
        let (sent, endpoint) = self.send_there(endpoint, issuer, grant, ask).await;
        let error = match sent {
            Ok(set) => return self.take_refreshed(&drawing, credential, &set, &endpoint).await,
            Err(error) => error,
        };
        // Somebody may have stored a newer one all the same: it is tried, once, before this one is judged.
        if error.is_for_good()
            && let newer = turn.read_again().await
            && is_newer(&newer, credential)
            && let Grant::Refresh(grant) = &newer.grant
        {
            return match self.send(&endpoint, issuer, grant, ask).await {
                Ok(set) => self.take_refreshed(&drawing, &newer, &set, &endpoint).await,
                Err(error) => {
                    let rotates = may_rotate(issuer, &newer, grant);
                    Err(self.refused(&drawing, &newer, &source, &error, rotates).await)
                }
            };
        }
        Err(self.refused(&drawing, credential, &source, &error, may_rotate(issuer, credential, grant)).await)
    }

    /// Where renewals are asked for: what the provider's document said this session, else what it said last, else what it says now.
    async fn token_endpoint(&self, issuer: &Issuer, grant: &RefreshGrant) -> Result<Url, Error> {
        let known = || discovery::kept_endpoint(grant.endpoint.as_deref()?);
        match known().filter(|_| !self.knows_metadata(issuer)) {
            Some(known) => Ok(known),
            None => self.token_endpoint_now(issuer).await,
        }
    }

    async fn token_endpoint_now(&self, issuer: &Issuer) -> Result<Url, Error> {
        let metadata = self.metadata(issuer).await?;
        metadata.token.clone().ok_or(Error::Refresh(Cause::NotOffered("token endpoint")))
    }

    /// Asks at an endpoint, and once more where there is none any more and the provider's document names another one now.
    async fn send_there(
        &self,
        endpoint: Url,
        issuer: &Issuer,
        grant: &RefreshGrant,
        ask: &Ask,
    ) -> (Result<TokenSet, Error>, Url) {
        let sent = self.send(&endpoint, issuer, grant, ask).await;
        let status = sent.as_ref().err().and_then(Error::refusal).map(|refusal| refusal.status);
        if !matches!(status, Some(404 | 405 | 410)) {
            return (sent, endpoint);
        }
        match self.token_endpoint_now(issuer).await {
            Ok(now) if now != endpoint => (self.send(&now, issuer, grant, ask).await, now),
            Ok(_) | Err(_) => (sent, endpoint),
        }
    }

    async fn send(
        &self,
        endpoint: &Url,
        issuer: &Issuer,
        grant: &RefreshGrant,
        ask: &Ask,
    ) -> Result<TokenSet, Error> {
        let extra = audience(issuer.audience_parameter.as_deref(), &ask.audiences);
        let narrowed: Vec<String> = ask.scopes.iter().cloned().collect();
        let wish = refresh::Wish {
            client: &grant.client,
            policy: issuer.refresh_scope,
            scopes: &grant.scopes,
            narrowed: Some(narrowed.as_slice()).filter(|narrowed| !narrowed.is_empty()),
            extra: &extra,
        };
        refresh::refresh_at(&self.http, endpoint, wish, &grant.current.value).await
    }

    /// What a refusal means for the login, written down; nothing is ever deleted for it.
    async fn refused(
        &self,
        drawing: &Drawing<'_>,
        credential: &Credential,
        source: &Source,
        error: &Error,
        rotates: bool,
    ) -> Failure {
        let Drawing { turn, wish, doing } = drawing;
        let mut next = credential.clone();
        next.pause = InVain::of_provider(error).map(|in_vain| in_vain.pause(credential, self.now()));
        let newer = if error.is_for_good() { self.overtaken(credential) } else { None };
        if newer.is_some() {
            next.health = Health::Dead(health::ROTATED_AWAY.to_owned());
        } else if error.is_for_good() {
            next.health = health::needs_login(health::of_refusal(error));
        } else if error.may_have_acted() && rotates {
            next.health = health::in_doubt();
        }
        let unsure = matches!(next.health, Health::InDoubt(_));
        // Nothing new came that could be lost. What cannot be written now is found out again at the next try.
        drop(turn.save(next).await);
        if let Some(newer) = newer {
            return stale::use_instead(&newer, doing);
        }
        let failure = words::oidc(*doing, Some(source), error);
        let failure = if error.scopes_refused() && wish.ask.is_some() {
            failure.hint("Ask for other scopes; or log in again, with these.")
        } else if unsure {
            failure.hint(health::MAY_HAVE_ACTED)
        } else {
            failure
        };
        let secret = match &credential.grant {
            Grant::Refresh(grant) => Some(&grant.current.value),
            Grant::Mytoken(_) | Grant::Bare => None,
        };
        words::without(failure, secret.as_slice())
    }

    /// The new refresh token becomes the current one before anything else happens.
    async fn take_refreshed(
        &self,
        drawing: &Drawing<'_>,
        credential: &Credential,
        set: &TokenSet,
        endpoint: &Url,
    ) -> Result<Drawn, Failure> {
        let Drawing { turn, wish, doing } = drawing;
        let now = self.now();
        let mut next = credential.clone();
        let mut rotated = None;
        if let Grant::Refresh(grant) = &mut next.grant {
            grant.endpoint = Some(endpoint.to_string());
            if let Some(refresh) = set.refresh.clone().filter(|new| *new != grant.current.value) {
                grant.current.supersede(refresh, None, &self.store.fingerprint_key());
                grant.rotates = true;
                rotated = Some(grant.current.number);
            }
            if set.refresh_expires_in.is_some() {
                grant.ends = chain_end(now, set.refresh_expires_in);
            }
        }
        let token = access_token(set, now, self.clock.uptime());
        let ask = hand::asked(credential, wish).clone();
        let remarks = remarks(&next, &ask, &token);
        (next.health, next.pause) = (Health::Ok, None);
        next.put_access(ask, token.clone());
        next.drop_ended(now);
        let id = next.id.clone();
        self.save(turn, next, doing).await?;
        self.note(Some(&id), What::Renewed);
        if let Some(copy) = rotated {
            self.note(Some(&id), What::Rotated { copy });
        }
        Ok(Drawn { token, renewed: true, remarks })
    }
}

/// What must be known of a new access token.
pub(super) fn remarks(credential: &Credential, ask: &Ask, token: &AccessToken) -> Vec<String> {
    missing(credential, ask, token).into_iter().chain(token.skew.and_then(skewed)).collect()
}

/// Whether a renewal may replace the refresh token: it did, or it is expected to, or nobody has seen one yet.
fn may_rotate(issuer: &Issuer, credential: &Credential, grant: &RefreshGrant) -> bool {
    let renewed = || credential.access.iter().any(|(_, token)| token.obtained > credential.since);
    grant.rotates || issuer.refresh_returns_refresh || !renewed()
}

/// Whether what is stored has a newer refresh token than what was sent.
fn is_newer(stored: &Credential, sent: &Credential) -> bool {
    match (&stored.grant, &sent.grant) {
        (Grant::Refresh(stored), Grant::Refresh(sent)) => {
            stored.current.value != sent.current.value && stored.current.number > sent.current.number
        }
        _ => false,
    }
}
