//! Draw an access token: the one that lives, else a new one from the refresh token or the mytoken.

mod from_login;
mod from_mytoken;
mod hand;
mod many;

use std::sync::Arc;

use jiff::SignedDuration;

pub use hand::{UNKNOWN_LIFE, at_hand};

use super::{Wallet, gone, health, pause};
use crate::domain::credential::{AccessToken, Ask, Credential, CredentialId, Custody, Grant, Health};
use crate::domain::event::What;
use crate::domain::failure::{Failure, Kind};
use crate::domain::secret::Secret;
use crate::store::Turn;

/// How an access token is wanted.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// A new one even if one lives, and a try even where there is little hope.
    pub force: bool,
    /// The user has read that this may revoke the mytoken and all made from it, because nobody knows whether the copy held here is
    /// the current one. No script says so by itself.
    pub insist: bool,
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

/// A credential in its turn, and what is wanted of it.
struct Drawing<'a> {
    turn: &'a Turn,
    wish: &'a Wish,
    doing: &'a str,
}

impl Wallet {
    /// An access token of a credential: the one that is held while it will do ([`at_hand`]), else a new one.
    ///
    /// # Errors
    /// With the deciding fact; the credential is then still held, and marked where a login is needed.
    pub async fn draw(self: &Arc<Self>, id: &CredentialId, wish: Wish) -> Result<Drawn, Failure> {
        let credential = self.store.get(id).map_err(|error| gone("Drawing an access token", &error))?;
        let credential = self.put_right(credential);
        let wish = hand::for_its_audience(wish, &credential);
        if let Some(drawn) = at_hand(&credential, &wish, self.now()) {
            return Ok(drawn);
        }
        let doing = format!("Drawing an access token of {}", credential.name);
        self.may_change(&doing)?;
        let seen = credential.access_for(hand::asked(&credential, &wish)).map(|token| token.value.clone());
        let (wallet, id) = (Arc::clone(self), id.clone());
        self.to_its_end(&doing.clone(), async move { wallet.draw_in_turn(&id, wish, seen, &doing).await })
            .await
    }

    async fn draw_in_turn(
        &self,
        id: &CredentialId,
        mut wish: Wish,
        seen: Option<Secret>,
        doing: &str,
    ) -> Result<Drawn, Failure> {
        let turn = self.store.turn(id).await.map_err(|error| gone(doing, &error))?;
        let mut credential = self.put_right(turn.read());
        if matches!(credential.custody, Custody::Unsaved(_)) {
            // The newest value is in memory only: nothing is handed out before it is on disk.
            self.save(&turn, credential, doing).await?;
            credential = self.put_right(turn.read());
        }
        // Somebody else may have drawn one while we waited for the turn: adopt that.
        let current = credential.access_for(hand::asked(&credential, &wish)).map(|token| &token.value);
        wish.force &= current.is_none() || current == seen.as_ref();
        if let Some(answer) = self.without_asking(&credential, &wish, doing) {
            return answer;
        }
        let drawing = Drawing { turn: &turn, wish: &wish, doing };
        let result = match &credential.grant {
            Grant::Refresh(grant) => self.draw_from_login(drawing, &credential, grant).await,
            Grant::Mytoken(grant) => self.draw_from_mytoken(drawing, &credential, grant).await,
            Grant::Bare => Err(bare(&credential, &wish, doing)),
        };
        match result {
            Ok(drawn) => match hand::too_short(&drawn.token, &wish, self.now(), doing) {
                Some(failure) => Err(failure.hint("It is held; its giver gives no longer ones.")),
                None => Ok(drawn),
            },
            Err(failure) => {
                let after = turn.read();
                let what = match after.health {
                    Health::InDoubt(_) => What::InDoubt,
                    Health::NeedsLogin(_) | Health::Dead(_) => What::Refused,
                    Health::Ok => What::Noted("no access token".to_owned()),
                };
                self.note_with(Some(id), what, &failure.why);
                self.instead(&after, &wish, failure)
            }
        }
    }

    /// The answer where nobody is to be asked: what is held will do, or asking is forbidden, of no use, or too soon.
    fn without_asking(
        &self,
        credential: &Credential,
        wish: &Wish,
        doing: &str,
    ) -> Option<Result<Drawn, Failure>> {
        let now = self.now();
        if let Some(drawn) = at_hand(credential, wish, now) {
            return Some(Ok(drawn));
        }
        if let Err(failure) =
            self.not_overtaken(credential, doing).and_then(|()| health::forbids(credential, wish, doing))
        {
            return Some(Err(failure));
        }
        if let Some(token) = hand::is_in_vain(credential, wish, now) {
            return hand::too_short(&token, wish, now, doing)
                .map(|failure| Err(failure.hint("Its giver gives no longer ones.")));
        }
        let pause = pause::standing(credential, now).filter(|_| !wish.force)?;
        let remarks = vec![format!("not renewed: {}", pause::words(pause, now))];
        Some(match hand::what_lives(credential, wish, now) {
            Some(token) => Ok(Drawn { token, renewed: false, remarks }),
            None => Err(pause::failure(doing, pause, now)),
        })
    }

    /// What still lives instead of a failure that passes, if nobody insists on a new one.
    fn instead(&self, after: &Credential, wish: &Wish, failure: Failure) -> Result<Drawn, Failure> {
        let now = self.now();
        let passes = !wish.force && pause::standing(after, now).is_some();
        match hand::what_lives(after, wish, now).filter(|_| passes) {
            Some(token) => {
                Ok(Drawn { token, renewed: false, remarks: vec![format!("not renewed: {}", failure.why)] })
            }
            None => Err(failure),
        }
    }

    /// The same with the times of its access tokens put right.
    fn put_right(&self, mut credential: Credential) -> Credential {
        credential.put_right(self.now(), self.clock.uptime());
        credential
    }
}

fn bare(credential: &Credential, wish: &Wish, doing: &str) -> Failure {
    let why = match &wish.ask {
        Some(ask) if *ask != credential.ask => {
            "a bare access token is what it is: no other scopes or audience"
        }
        _ => "nothing renews a bare access token",
    };
    Failure::new(Kind::NotValid, doing, why).hint("Log in again, or paste a newer one.")
}
