//! Draw an access token: the one that lives, else a new one from the refresh token or the mytoken.

mod from_login;
mod from_mytoken;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Wallet, gone, health};
use crate::domain::credential::{AccessToken, Ask, Credential, CredentialId, ENDING, Grant, Health};
use crate::domain::event::What;
use crate::domain::failure::{Failure, Kind};
use crate::domain::secret::Secret;

/// How an access token is wanted.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// A new one even if one lives, and a try even where there is little hope or something at stake: with a mytoken in
    /// doubt that revokes its family, the user has read that.
    pub force: bool,
    /// How long it must live at least; `None`: a minute, or a third of its life where it lives for less than three.
    pub min_life: Option<SignedDuration>,
    /// With which scopes and audiences; `None`: those of the credential.
    pub ask: Option<Ask>,
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
        let credential = self.store.get(id).map_err(|error| gone("Drawing an access token", &error))?;
        if let Some(drawn) = at_hand(&credential, &wish, self.now()) {
            return Ok(drawn);
        }
        let doing = format!("Drawing an access token of {}", credential.name);
        let seen = credential.access_for(&credential.ask).map(|token| token.value.clone());
        let (wallet, id) = (Arc::clone(self), id.clone());
        self.to_its_end(&doing.clone(), async move { wallet.draw_in_turn(&id, wish, seen, &doing).await })
            .await
    }

    async fn draw_in_turn(
        &self,
        id: &CredentialId,
        wish: Wish,
        seen: Option<Secret>,
        doing: &str,
    ) -> Result<Drawn, Failure> {
        let turn = self.store.turn(id).await.map_err(|error| gone(doing, &error))?;
        let credential = turn.read();
        // Somebody else may have drawn one while we waited for the turn: adopt that.
        let current = credential.access_for(&credential.ask).map(|token| &token.value);
        let others = current.is_some() && current != seen.as_ref();
        if let Some(drawn) =
            at_hand(&credential, &Wish { force: wish.force && !others, ..wish.clone() }, self.now())
        {
            return Ok(drawn);
        }
        self.not_overtaken(&turn, doing).await?;
        health::forbids(&credential, &wish, doing)?;
        let result = match &credential.grant {
            Grant::Refresh(grant) => self.draw_from_login(&turn, &credential, grant, doing).await,
            Grant::Mytoken(grant) => self.draw_from_mytoken(&turn, &credential, grant, doing).await,
            Grant::Bare => Err(Failure::new(Kind::NotValid, doing, "nothing renews a bare access token")
                .hint("Log in again, or paste a newer one.")),
        };
        if let Err(failure) = &result {
            let what = match turn.read().health {
                Health::InDoubt(_) => What::InDoubt,
                Health::NeedsLogin(_) | Health::Dead(_) => What::Refused,
                Health::Ok => What::Noted("no access token".to_owned()),
            };
            self.note_with(Some(id), what, &failure.why);
        }
        result
    }
}

/// The access token that is held, if it will do.
fn at_hand(credential: &Credential, wish: &Wish, now: Timestamp) -> Option<Drawn> {
    let token = credential.access_for(&credential.ask)?;
    let lives = token.left(now).is_none_or(|left| left.as_secs() >= ENDING);
    // A bare access token is handed out until it ends: there is nothing better.
    let bare = matches!(credential.grant, Grant::Bare);
    let last = bare && token.left(now).is_none_or(|left| left.is_positive());
    let dead = matches!(credential.health, Health::Dead(_));
    (!dead && ((lives && !wish.force) || last)).then(|| Drawn {
        token: token.clone(),
        renewed: false,
        remarks: Vec::new(),
    })
}
