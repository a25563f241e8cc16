//! Ask the provider whether a held token is active (RFC 7662), and what it says of it.

use std::sync::Arc;

use super::{Wallet, gone, words};
use crate::domain::credential::{Chain, CredentialId, Grant};
use crate::domain::event::What;
use crate::domain::failure::{Failure, Kind};
use crate::domain::introspected::{About, Answer, Introspected, Said};
use crate::domain::untrusted::cleaned;
use crate::oidc::revocation;

/// What answers instead where nobody may be asked.
const INSTEAD: &str = "Read the token instead (toktui info), or ask whom it speaks for (toktui userinfo).";

impl Wallet {
    /// What a provider says of both tokens of a login: of the access token, because that is what one asks about, then of the refresh token, where
    /// there is one.
    ///
    /// # Errors
    /// As for [`Wallet::introspect`], of the access token. That nothing was heard of the other one takes nothing from the first answer.
    pub async fn introspect_both(self: &Arc<Self>, id: &CredentialId) -> Result<Vec<Answer>, Failure> {
        let access = self.introspect(id, About::Access).await?;
        if !self.view(id).is_ok_and(|held| matches!(held.chain, Chain::Refresh { .. })) {
            return Ok(vec![access]);
        }
        let refresh = self.introspect(id, About::Refresh).await.unwrap_or_else(|failure| {
            let answer = Introspected { said: Said::Nothing(failure.why), ..access.answer.clone() };
            Answer { about: About::Refresh, asked: self.now(), answer, ..access.clone() }
        });
        Ok(vec![access, refresh])
    }

    /// Asks with the client that the token was given to, which must have a secret: a provider tells no other. Where no access token lives,
    /// a login is renewed for it, which costs nothing. The refresh token is shown to its own provider only, and stays what it is.
    ///
    /// # Errors
    /// When it is a mytoken, has no such token, its provider is not listed here, the client has no secret, or with the provider's own fact.
    pub async fn introspect(self: &Arc<Self>, id: &CredentialId, about: About) -> Result<Answer, Failure> {
        let doing = "Asking whether a token is active";
        let mut credential = self.store.get(id).map_err(|error| gone(doing, &error))?;
        credential.put_right(self.now(), self.clock.uptime());
        let doing = format!("Asking whether the {} of {} is active", about.words(), credential.name);
        let unusable = |why: &str| Failure::new(Kind::Unusable, doing.as_str(), why).hint(INSTEAD);
        if matches!(credential.grant, Grant::Mytoken(_)) {
            return Err(unusable("it is a mytoken, and its tokens were given to its server's client"));
        }
        let source = self.provider_behind(&credential, &doing)?;
        let issuer = source.issuer().ok_or_else(|| unusable("it is no OpenID provider's"))?;
        let client = match &credential.grant {
            Grant::Refresh(grant) => Some(grant.client.clone()),
            Grant::Bare | Grant::Mytoken(_) => {
                self.own_client(issuer).map_err(|error| gone(&doing, &error))?
            }
        };
        let client = client.ok_or_else(|| unusable("no client is configured for its provider"))?;
        if client.secret.is_none() {
            return Err(unusable("a provider tells only a client that has a secret, and this one has none"));
        }
        let (token, kind) = match (about, &credential.grant) {
            (About::Access, _) => (self.living(&credential, &doing).await?.value, revocation::Kind::Access),
            (About::Refresh, Grant::Refresh(_)) => {
                // What another process has brought since is looked at as it is stored now.
                let now = self.store.get(id).map_err(|error| gone(&doing, &error))?;
                let Grant::Refresh(grant) = now.grant else {
                    return Err(unusable("it has no refresh token"));
                };
                (grant.current.value, revocation::Kind::Refresh)
            }
            (About::Refresh, _) => return Err(unusable("it has no refresh token")),
        };
        let said = self.said_of(issuer, &client, &token, kind).await;
        let said =
            said.map_err(|error| words::without(words::oidc(&doing, Some(&source), &error), &[&token]))?;
        self.note_with(Some(id), What::LookedUp, "introspection");
        let answer = Introspected { by: cleaned(&source.name), said };
        Ok(Answer { name: credential.name, about, asked: self.now(), answer })
    }
}
