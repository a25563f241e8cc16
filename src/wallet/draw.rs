//! Draw an access token: the one that lives, else a new one from the refresh token or the mytoken.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Wallet, gone, stale, to_its_end, words};
use crate::domain::credential::{
    AccessToken, ChainEnd, Credential, CredentialId, ENDING, Grant, Health, MytokenGrant, RefreshGrant, ends,
};
use crate::domain::event::What;
use crate::domain::failure::{Failure, Kind};
use crate::domain::secret::Secret;
use crate::domain::source::Source;
use crate::mytoken::{Error, access};
use crate::oidc::refresh;
use crate::oidc::tokens::TokenSet;
use crate::store::Turn;

/// How an access token is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish {
    /// A new one even if one lives.
    pub force: bool,
}

/// What drawing came to.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// The access token.
    pub token: AccessToken,
    /// Whether the provider or server was asked.
    pub renewed: bool,
    /// What else must be known, in words.
    pub remarks: Vec<String>,
}

impl Wallet {
    /// An access token of a credential that lives for another minute at least, drawn anew where that is needed.
    ///
    /// # Errors
    /// With the deciding fact; the credential is then still held, and marked where a login is needed.
    pub async fn draw(self: &Arc<Self>, id: &CredentialId, wish: Wish) -> Result<Drawn, Failure> {
        let credential =
            self.store.get(id).ok_or_else(|| gone("Drawing an access token", &crate::store::Error::Gone))?;
        if let Some(token) = alive(&credential, wish, self.now()) {
            return Ok(Drawn { token, renewed: false, remarks: Vec::new() });
        }
        let doing = format!("Drawing an access token of {}", credential.name);
        let (wallet, id) = (Arc::clone(self), id.clone());
        to_its_end(&doing.clone(), async move { wallet.draw_in_turn(&id, wish, &doing).await }).await
    }

    async fn draw_in_turn(&self, id: &CredentialId, wish: Wish, doing: &str) -> Result<Drawn, Failure> {
        let asked_at = self.now();
        let turn = self.store.turn(id).await.map_err(|error| gone(doing, &error))?;
        let credential = turn.read();
        // Somebody else may have renewed it while we waited for the turn: adopt that.
        let since = |token: &AccessToken| token.obtained > asked_at;
        if let Some(token) = alive(&credential, Wish { force: false }, self.now())
            && (!wish.force || since(&token))
        {
            return Ok(Drawn { token, renewed: false, remarks: Vec::new() });
        }
        if let Health::Dead(why) = &credential.health {
            return Err(Failure::new(Kind::NotValid, doing, why.clone()).hint("Log in again."));
        }
        let source = self.source(&credential.source);
        let result = match &credential.grant {
            Grant::Refresh(grant) => self.refresh(&turn, &credential, grant, source.as_ref(), doing).await,
            Grant::Mytoken(grant) => self.draw_from_mytoken(&turn, &credential, grant, doing).await,
            Grant::Bare => Err(Failure::new(Kind::NotValid, doing, "nothing renews a bare access token")
                .hint("Log in again, or paste a newer one.")),
        };
        if let Err(failure) = &result {
            self.note(Some(id), What::Noted(format!("no access token: {}", failure.why)));
        }
        result
    }

    async fn refresh(
        &self,
        turn: &Turn,
        credential: &Credential,
        grant: &RefreshGrant,
        source: Option<&Source>,
        doing: &str,
    ) -> Result<Drawn, Failure> {
        let mut next = credential.clone();
        if let Some(why) = stale::foreign(grant) {
            next.health = Health::Dead(why.clone());
            turn.save(next);
            let hint = "It was not sent. Log in again.";
            return Err(Failure::new(Kind::NotValid, doing, why).hint(hint));
        }
        let Some((source, issuer)) = source.and_then(|source| Some((source, source.issuer()?))) else {
            return Err(Failure::new(Kind::Unusable, doing, "its provider is not listed any more")
                .hint("Add the provider again."));
        };
        let failed = |error: &crate::oidc::Error| words::oidc(doing, Some(source), error);
        let metadata = self.metadata(issuer).await.map_err(|error| failed(&error))?;
        let extra = audience(issuer.audience_parameter.as_deref(), credential);
        let wish = refresh::Wish {
            client: &grant.client,
            policy: issuer.refresh_scope,
            scopes: &grant.scopes,
            narrowed: None,
            extra: &extra,
        };
        match refresh::refresh(&self.http, &metadata, wish, &grant.current.value).await {
            Ok(set) => Ok(self.take_refreshed(turn, next, set)),
            Err(error) => {
                if error.is_for_good() {
                    next.health =
                        Health::NeedsLogin("the provider knows its refresh token no more".to_owned());
                } else if error.may_have_acted() && grant.rotates {
                    next.health = Health::InDoubt("the last renewal got no answer".to_owned());
                }
                turn.save(next);
                Err(failed(&error))
            }
        }
    }

    /// The new refresh token becomes the current one before anything else happens.
    fn take_refreshed(&self, turn: &Turn, mut next: Credential, set: TokenSet) -> Drawn {
        let now = self.now();
        let mut remarks = Vec::new();
        let mut rotated = None;
        if let Grant::Refresh(grant) = &mut next.grant {
            if let Some(refresh) = set.refresh.clone().filter(|new| *new != grant.current.value) {
                grant.current.supersede(refresh, None, self.store.fingerprint_key());
                grant.rotates = true;
                rotated = Some(grant.current.number);
            }
            if set.refresh_expires_in.is_some() {
                grant.ends = chain_end(now, set.refresh_expires_in);
            }
        }
        let token = access_token(&set, now);
        if let Some(missing) = missing(&next, &token) {
            remarks.push(missing);
        }
        next.health = Health::Ok;
        let ask = next.ask.clone();
        next.put_access(ask, token.clone());
        let id = next.id.clone();
        turn.save(next);
        self.note(Some(&id), What::Renewed);
        if let Some(copy) = rotated {
            self.note(Some(&id), What::Rotated { copy });
        }
        Drawn { token, renewed: true, remarks }
    }

    async fn draw_from_mytoken(
        &self,
        turn: &Turn,
        credential: &Credential,
        grant: &MytokenGrant,
        doing: &str,
    ) -> Result<Drawn, Failure> {
        let server =
            self.mytoken_server(&grant.server).await.map_err(|error| words::mytoken(doing, &error))?;
        let scopes: Vec<String> = credential.ask.scopes.iter().cloned().collect();
        let audiences: Vec<String> = credential.ask.audiences.iter().cloned().collect();
        let mut next = credential.clone();
        let reply =
            access::access_token(&self.http, &server, &grant.current.value, &scopes, &audiences).await;
        let now = self.now();
        // First of all: a rotated mytoken becomes the current one, whatever else the answer holds.
        let copy = reply.update.map(|update| self.adopt(&mut next, update));
        if matches!(reply.outcome, Ok(_) | Err(Error::NoAccessToken)) {
            count_access_token(&mut next);
        }
        let granted = match reply.outcome {
            Ok(granted) => granted,
            Err(error) => {
                self.heed(&mut next, &error, reply.in_doubt && copy.is_none());
                let id = next.id.clone();
                turn.save(next);
                if let Some(copy) = copy {
                    self.note(Some(&id), What::Rotated { copy });
                }
                return Err(words::mytoken(doing, &error));
            }
        };
        let life = granted.expires_in.and_then(|life| i64::try_from(life.as_secs()).ok());
        let token = AccessToken {
            value: granted.value,
            obtained: now,
            expires: ends(now, life),
            granted: granted.scopes,
            id_token: None,
        };
        next.health = Health::Ok;
        let mut remarks: Vec<String> = missing(&next, &token).into_iter().collect();
        let ask = next.ask.clone();
        next.put_access(ask, token.clone());
        let id = next.id.clone();
        turn.save(next);
        self.note(Some(&id), What::AccessToken);
        if let Some(copy) = copy {
            self.note(Some(&id), What::Rotated { copy });
            remarks.push(format!("it rotated: copy {copy} is yours now"));
        }
        Ok(Drawn { token, renewed: true, remarks })
    }
}

fn alive(credential: &Credential, wish: Wish, now: Timestamp) -> Option<AccessToken> {
    let token = credential.access_for(&credential.ask)?;
    let enough = token.left(now).is_none_or(|left| left.as_secs() >= ENDING);
    // A bare access token is handed out until it ends: there is nothing better.
    let last =
        matches!(credential.grant, Grant::Bare) && token.left(now).is_none_or(|left| left.is_positive());
    ((enough && !wish.force) || last).then(|| token.clone())
}

/// One more use of the clause that gave it, as far as the counters are known: the server's own count replaces ours at
/// the next look-up. With several counted clauses the first that has uses left is the one (mytoken-api.md §4).
fn count_access_token(credential: &mut Credential) {
    if let Grant::Mytoken(grant) = &mut credential.grant
        && let Some(clause) =
            grant.facts.restrictions.iter_mut().find(|clause| clause.left_at().is_none_or(|left| left > 0))
    {
        clause.used_at = Some(clause.used_at.unwrap_or(0) + 1);
    }
}

pub(super) fn access_token(set: &TokenSet, now: Timestamp) -> AccessToken {
    AccessToken {
        value: set.access.clone(),
        obtained: now,
        expires: ends(now, set.expires_in),
        granted: set.granted.clone(),
        id_token: set.id_token.clone(),
    }
}

/// When the chain ends, from `refresh_expires_in`: 0 says that there is no fixed end (providers.md §7.2).
pub(super) fn chain_end(now: Timestamp, seconds: Option<i64>) -> ChainEnd {
    match seconds {
        None => ChainEnd::Unknown,
        Some(0) => ChainEnd::Open,
        Some(_) => ends(now, seconds).map_or(ChainEnd::Unknown, ChainEnd::At),
    }
}

/// Scopes that were asked for and did not come, in words.
fn missing(credential: &Credential, token: &AccessToken) -> Option<String> {
    let granted = token.granted.as_ref()?;
    let asked = match &credential.grant {
        Grant::Refresh(grant) if credential.ask.scopes.is_empty() => grant.scopes.clone(),
        _ => credential.ask.scopes.iter().cloned().collect(),
    };
    let missing: Vec<&str> = asked
        .iter()
        .map(String::as_str)
        // Not a scope of access tokens: it asks for the refresh token.
        .filter(|scope| *scope != "offline_access" && !granted.iter().any(|got| got.raw() == *scope))
        .collect();
    (!missing.is_empty()).then(|| format!("not granted: {}", missing.join(" ")))
}

fn audience(parameter: Option<&str>, credential: &Credential) -> Vec<(String, String)> {
    let Some(name) = parameter else { return Vec::new() };
    join(&credential.ask.audiences).map(|value| (name.to_owned(), value)).into_iter().collect()
}

fn join(words: &std::collections::BTreeSet<String>) -> Option<String> {
    (!words.is_empty()).then(|| words.iter().map(String::as_str).collect::<Vec<_>>().join(" "))
}

/// The value that is presented to the server of a credential.
pub(super) fn long_lived(credential: &Credential) -> Option<&Secret> {
    match &credential.grant {
        Grant::Refresh(grant) => Some(&grant.current.value),
        Grant::Mytoken(grant) => Some(&grant.current.value),
        Grant::Bare => None,
    }
}
