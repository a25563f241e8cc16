//! A new access token from a mytoken.

use super::Drawn;
use crate::domain::credential::{AccessToken, Credential, Health, MytokenGrant, ends};
use crate::domain::event::What;
use crate::domain::failure::Failure;
use crate::mytoken::{Error, access};
use crate::store::Turn;
use crate::wallet::granted::{life, missing};
use crate::wallet::uses::{Use, spend};
use crate::wallet::{Wallet, health, words};

impl Wallet {
    pub(super) async fn draw_from_mytoken(
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
        let sent = &grant.current.value;
        let reply = access::access_token(&self.http, &server, sent, &scopes, &audiences).await;
        let mut next = credential.clone();
        // First of all: a rotated mytoken becomes the current one, whatever else the answer holds.
        let copy = reply.update.map(|update| self.adopt(&mut next, update));
        let now = self.now();
        let counted = matches!(reply.outcome, Ok(_) | Err(Error::NoAccessToken));
        if counted {
            spend(&mut next, Use::AccessToken, now);
        }
        let drawn = reply.outcome.map(|granted| {
            let told = granted.expires_in.and_then(|life| i64::try_from(life.as_secs()).ok());
            let expires = ends(now, life(&granted.value, told));
            let (value, granted) = (granted.value, granted.scopes);
            AccessToken { value, obtained: now, expires, granted, id_token: None, ends_up: None, skew: None }
        });
        // A use that must have made a new copy, which did not come.
        let rotation = health::rotation(credential).filter(|rotation| rotation.rotates());
        let lost =
            copy.is_none() && rotation.is_some_and(|rotation| reply.in_doubt || (counted && rotation.on_at));
        next.health = match &drawn {
            _ if lost => health::in_doubt(),
            Ok(_) | Err(Error::NoAccessToken) => Health::Ok,
            Err(error) => health::after(error, &credential.health),
        };
        if let Ok(token) = &drawn {
            next.put_access(next.ask.clone(), token.clone());
        }
        self.save(turn, next.clone(), doing).await?;
        self.acted(&grant.server, reply.date);
        if drawn.is_ok() {
            self.note(Some(&next.id), What::AccessToken);
        }
        if let Some(copy) = copy {
            self.note(Some(&next.id), What::Rotated { copy });
        }
        let token = drawn.map_err(|error| words::without(words::mytoken(doing, &error), &[sent]))?;
        let mut remarks: Vec<String> = missing(&next, &token).into_iter().collect();
        remarks.extend(copy.map(|copy| format!("it rotated: copy {copy} is yours now")));
        remarks.extend(lost.then(|| "it rotates, and its new copy did not come".to_owned()));
        Ok(Drawn { token, renewed: true, remarks })
    }
}
