//! A new access token from a login's refresh token.

use super::Drawn;
use crate::domain::credential::{Credential, Grant, Health, RefreshGrant};
use crate::domain::event::What;
use crate::domain::failure::{Failure, Kind};
use crate::domain::source::Issuer;
use crate::oidc::refresh;
use crate::oidc::tokens::TokenSet;
use crate::store::Turn;
use crate::wallet::granted::{access_token, audience, chain_end, missing};
use crate::wallet::{Wallet, health, stale, words};

impl Wallet {
    pub(super) async fn draw_from_login(
        &self,
        turn: &Turn,
        credential: &Credential,
        grant: &RefreshGrant,
        doing: &str,
    ) -> Result<Drawn, Failure> {
        let source = self.source(&credential.source);
        let Some((source, issuer)) = source.as_ref().and_then(|source| Some((source, source.issuer()?)))
        else {
            return Err(Failure::new(Kind::Unusable, doing, "its provider is not listed any more")
                .hint("Add the provider again."));
        };
        if let Some(why) = stale::not_for(issuer, grant) {
            self.save(turn, Credential { health: Health::Dead(why.clone()), ..credential.clone() }, doing)
                .await?;
            return Err(
                Failure::new(Kind::NotValid, doing, why).hint("It was not sent anywhere. Log in again.")
            );
        }
        let failed = |error: &crate::oidc::Error| words::oidc(doing, Some(source), error);
        let metadata = self.metadata(issuer).await.map_err(|error| failed(&error))?;
        let extra = audience(issuer.audience_parameter.as_deref(), &credential.ask.audiences);
        let wish = refresh::Wish {
            client: &grant.client,
            policy: issuer.refresh_scope,
            scopes: &grant.scopes,
            narrowed: None,
            extra: &extra,
        };
        match refresh::refresh(&self.http, &metadata, wish, &grant.current.value).await {
            Ok(set) => self.take_refreshed(turn, credential, &set, doing).await,
            Err(error) => {
                let health = if error.is_for_good() {
                    health::needs_login(health::ENDED_OR_REVOKED)
                } else if error.may_have_acted() && may_rotate(issuer, credential, grant) {
                    health::in_doubt()
                } else {
                    credential.health.clone()
                };
                self.save(turn, Credential { health, ..credential.clone() }, doing).await?;
                Err(words::without(failed(&error), &[&grant.current.value]))
            }
        }
    }

    /// The new refresh token becomes the current one before anything else happens.
    async fn take_refreshed(
        &self,
        turn: &Turn,
        credential: &Credential,
        set: &TokenSet,
        doing: &str,
    ) -> Result<Drawn, Failure> {
        let now = self.now();
        let mut next = credential.clone();
        let mut rotated = None;
        if let Grant::Refresh(grant) = &mut next.grant {
            if let Some(refresh) = set.refresh.clone().filter(|new| *new != grant.current.value) {
                grant.current.supersede(refresh, None, &self.store.fingerprint_key());
                grant.rotates = true;
                rotated = Some(grant.current.number);
            }
            if set.refresh_expires_in.is_some() {
                grant.ends = chain_end(now, set.refresh_expires_in);
            }
        }
        let token = access_token(set, now);
        next.health = Health::Ok;
        next.put_access(next.ask.clone(), token.clone());
        let remarks = missing(&next, &token).into_iter().collect();
        let id = next.id.clone();
        self.save(turn, next, doing).await?;
        self.note(Some(&id), What::Renewed);
        if let Some(copy) = rotated {
            self.note(Some(&id), What::Rotated { copy });
        }
        Ok(Drawn { token, renewed: true, remarks })
    }
}

/// Whether a renewal may replace the refresh token: it did, or it is expected to, or nobody has seen one yet.
fn may_rotate(issuer: &Issuer, credential: &Credential, grant: &RefreshGrant) -> bool {
    let renewed = || credential.access.iter().any(|(_, token)| token.obtained > credential.since);
    grant.rotates || issuer.refresh_returns_refresh || !renewed()
}
