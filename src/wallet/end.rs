//! Forget here, or revoke at the provider or server.

use std::sync::Arc;

use super::end_listed::{Ended, say_died};
use super::{Wallet, gone, health, words};
use crate::domain::credential::{Credential, CredentialId, Grant, Health, MytokenGrant, RefreshGrant};
use crate::domain::event::What;
use crate::domain::failure::{Failure, Kind};
use crate::domain::family::Which;
use crate::domain::mytoken::can;
use crate::mytoken::discovery::Server;
use crate::mytoken::listing;
use crate::mytoken::{Error, No, Reason, revocation as mytoken_revocation, tokeninfo};
use crate::oidc::revocation;

impl Wallet {
    /// Lets go of a credential here. What it stands for lives on; the name it had.
    ///
    /// # Errors
    /// When it is not held any more.
    pub async fn forget(&self, id: &CredentialId) -> Result<String, Failure> {
        self.may_change("Forgetting")?;
        let turn = self.store.turn(id).await.map_err(|error| gone("Forgetting", &error))?;
        let credential = turn.read();
        self.store.remove(&turn).await.map_err(|error| gone("Forgetting", &error))?;
        self.note_with(Some(id), What::Forgotten, &credential.name);
        Ok(credential.name)
    }

    /// Revokes a credential where it came from. It stays listed, marked, so that nobody wonders where it went; what is to be
    /// said about it, in words.
    ///
    /// # Errors
    /// When it cannot be revoked there, or nobody answers.
    pub async fn revoke(self: &Arc<Self>, id: &CredentialId) -> Result<String, Failure> {
        self.revoke_with(id, false).await
    }

    /// The same; of a mytoken on `recursive` with all that was made from it. What of that is held here is marked, too.
    ///
    /// # Errors
    /// As for [`Wallet::revoke`].
    pub async fn revoke_with(
        self: &Arc<Self>,
        id: &CredentialId,
        recursive: bool,
    ) -> Result<String, Failure> {
        self.may_change("Revoking")?;
        let (wallet, id) = (Arc::clone(self), id.clone());
        self.to_its_end("Revoking", async move { wallet.revoke_in_turn(&id, recursive).await }).await
    }

    pub(super) async fn revoke_in_turn(&self, id: &CredentialId, recursive: bool) -> Result<String, Failure> {
        let turn = self.store.turn(id).await.map_err(|error| gone("Revoking", &error))?;
        let mut credential = turn.read();
        let doing = format!("Revoking {}", credential.name);
        self.not_overtaken(&credential, &doing)?;
        let (health, mut said) = match credential.grant.clone() {
            Grant::Mytoken(grant) => self.revoke_mytoken(&credential, &grant, recursive, &doing).await?,
            Grant::Refresh(grant) => self.revoke_login(&credential, &grant, &doing).await?,
            Grant::Bare => {
                let why = "a bare access token has no client that could revoke it; it ends by itself";
                return Err(Failure::new(Kind::Unusable, doing, why).hint("Forget it here instead."));
            }
        };
        let is_dead = health == revoked_here();
        credential.health = health;
        self.save(&turn, credential.clone(), &doing).await?;
        if credential.health == Health::Dead(health::UNKNOWN_THERE.to_owned()) {
            self.note_with(Some(id), What::Revoked, "its provider did not know it any more");
        } else {
            self.note_of(&credential, What::Revoked);
        }
        // Others have turns of their own.
        drop(turn);
        if let Grant::Mytoken(grant) = &credential.grant
            && let Some(mom_id) = grant.facts.mom_id.as_ref().filter(|_| is_dead)
        {
            let below = if recursive { self.made_from(&grant.server, mom_id) } else { Some(Vec::new()) };
            let ended = Ended { server: &grant.server, mom_id, below, proven: false };
            say_died(&mut said, &self.bury_the_ended(&ended, Some(id)).await);
        }
        Ok(said)
    }

    /// A 204 proves nothing (mytoken-api.md §2.6): that it was known before and is not known after does.
    async fn revoke_mytoken(
        &self,
        credential: &Credential,
        grant: &MytokenGrant,
        recursive: bool,
        doing: &str,
    ) -> Result<(Health, String), Failure> {
        let (value, name) = (&grant.current.value, &credential.name);
        let failed = |error: &Error| words::without(words::mytoken(doing, error), &[value]);
        self.may_ask(&grant.server).map_err(|error| failed(&error))?;
        let server = self.mytoken_server(&grant.server).await.map_err(|error| failed(&error))?;
        // A question with a copy in doubt might revoke more than this; revoking it does not (mytoken-api.md §5).
        let was = if health::may_revoke_family(credential) {
            Life::Unknown
        } else {
            self.life_of(&server, grant).await
        };
        if recursive {
            self.learn_tree(&server, grant).await;
        }
        let done = mytoken_revocation::revoke(&self.http, &server, value, recursive).await;
        self.heed(&grant.server, &done);
        done.outcome.map_err(|error| failed(&error))?;
        let is = self.life_of(&server, grant).await;
        let with = if recursive { " and all made from it" } else { "" };
        let by_id = |health: Health, said: String| async move {
            let mom_id = grant.facts.mom_id.as_ref()?;
            let done = self.end_by_manager(&grant.server, mom_id, recursive, doing).await?;
            Some(done.map(|()| (health, said)))
        };
        Ok(match (was, is) {
            (_, Life::Alive) => {
                let why = "its server took the request, and it is still alive";
                return Err(Failure::new(Kind::Failed, doing, why).hint("Try again."));
            }
            (_, Life::NotYet) => {
                let said = format!("Revoked {name}{with} by its id, before it started.");
                if let Some(done) = by_id(revoked_here(), said).await {
                    return done;
                }
                let why = "a mytoken that has not started yet cannot be revoked by itself";
                return Err(Failure::new(Kind::Failed, doing, why).hint(BY_ID));
            }
            (_, Life::Ended) => {
                let said = format!("{name} had ended before; its server has let go of it{with} now.");
                if let Some(done) = by_id(health::needs_login(health::EXPIRED), said).await {
                    return done;
                }
                let said = format!(
                    "{name} had ended before; by itself it cannot end anything more, and what was made from it lives on. {BY_ID}"
                );
                (health::needs_login(health::EXPIRED), said)
            }
            (Life::Gone, Life::Gone) => (
                revoked_here(),
                format!("{name} was not known to its server any more: it was revoked before."),
            ),
            (_, Life::Gone) => (
                revoked_here(),
                format!("Revoked {name}{with}. Access tokens already drawn live on until they end."),
            ),
            (_, Life::Unknown) => (
                Health::InDoubt(health::REVOKED_UNCHECKED.to_owned()),
                format!("{name}: its server took the revocation; whether it is dead could not be checked."),
            ),
        })
    }

    /// Reads what was made from it, so that it is known what dies: where it may be asked, and that costs nothing.
    async fn learn_tree(&self, server: &Server, grant: &MytokenGrant) {
        if !grant.is_unrestricted() || !can(&grant.facts.capabilities, "tokeninfo:subtokens") {
            return;
        }
        let reply = listing::subtokens(&self.http, server, &grant.current.value).await;
        self.heed(&grant.server, &reply);
        if let Ok(listing) = reply.outcome {
            self.remember_trees(&grant.server, &listing.roots, Which::Below);
        }
    }

    async fn life_of(&self, server: &Server, grant: &MytokenGrant) -> Life {
        let reply = tokeninfo::introspect(&self.http, server, &grant.current.value).await;
        self.heed(&grant.server, &reply);
        Life::of(&reply.outcome)
    }

    async fn revoke_login(
        &self,
        credential: &Credential,
        grant: &RefreshGrant,
        doing: &str,
    ) -> Result<(Health, String), Failure> {
        let source = self.source(&credential.source);
        let Some(issuer) = source.as_ref().and_then(|source| source.issuer()) else {
            return Err(Failure::new(Kind::Unusable, doing, "its provider is not listed any more"));
        };
        if issuer.address != grant.issuer {
            return Err(Failure::new(
                Kind::Unusable,
                doing,
                "its issuer is no more: there is nobody to revoke it at",
            )
            .hint("Forget it here instead."));
        }
        let failed = |error: &crate::oidc::Error| {
            words::without(words::oidc(doing, source.as_ref(), error), &[&grant.current.value])
        };
        let metadata = self.metadata(issuer).await.map_err(|error| failed(&error))?;
        let kind = revocation::Kind::Refresh;
        let done = revocation::revoke(&self.http, &metadata, &grant.client, &grant.current.value, kind)
            .await
            .map_err(|error| failed(&error))?;
        let name = &credential.name;
        Ok(match done {
            revocation::Revoked::Done => {
                let said = format!(
                    "Revoked {name}. Services that check offline accept its access token until it ends."
                );
                (revoked_here(), said)
            }
            revocation::Revoked::Unknown if credential.health == revoked_here() => {
                let said =
                    format!("{name} was revoked from here before; the provider does not know it any more.");
                (revoked_here(), said)
            }
            // Nothing was revoked by this: what ended it ended earlier.
            revocation::Revoked::Unknown => {
                let said = format!("{name} was not revoked: the provider did not know this token any more.");
                (Health::Dead(health::UNKNOWN_THERE.to_owned()), said)
            }
        })
    }
}

/// What it takes to end one that cannot end itself.
const BY_ID: &str =
    "Revoke it by its id with another mytoken that may: toktui mytoken revoke NAME --via OTHER, or --log-in.";

fn revoked_here() -> Health {
    Health::Dead(health::REVOKED_HERE.to_owned())
}

/// What an introspection says about whether a mytoken lives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    Alive,
    NotYet,
    Ended,
    Gone,
    Unknown,
}

impl Life {
    fn of(outcome: &Result<tokeninfo::Introspection, Error>) -> Self {
        match outcome {
            Ok(_) | Err(Error::Refused(No::LacksCapability)) => Self::Alive,
            Err(Error::Refused(No::InvalidToken(Reason::Unidentified | Reason::UnknownShort))) => Self::Gone,
            Err(Error::Refused(No::InvalidToken(Reason::Expired))) => Self::Ended,
            Err(Error::Refused(No::InvalidToken(Reason::NotYet))) => Self::NotYet,
            Err(_) => Self::Unknown,
        }
    }
}
