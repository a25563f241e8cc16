//! A new access token from a mytoken.

use super::from_login::remarks;
use super::{Drawing, Drawn, hand};
use crate::domain::credential::{AccessToken, Credential, Health, MytokenGrant, ends};
use crate::domain::event::What;
use crate::domain::failure::Failure;
use crate::mytoken::{Error, access};
use crate::wallet::granted::{ends_up, life, skew};
use crate::wallet::look_up::OLDER_USED;
use crate::wallet::pause::InVain;
use crate::wallet::uses::Use;
use crate::wallet::{Wallet, health, words};

impl Wallet {
    pub(super) async fn draw_from_mytoken(
        &self,
        drawing: Drawing<'_>,
        credential: &Credential,
        grant: &MytokenGrant,
    ) -> Result<Drawn, Failure> {
        let Drawing { turn, wish, doing } = drawing;
        let waits = if wish.force { Ok(()) } else { self.may_ask(&grant.server) };
        let asked = match waits {
            Ok(()) => self.mytoken_server(&grant.server).await,
            Err(error) => Err(error),
        };
        let server = match asked {
            Ok(server) => server,
            Err(error) => {
                let pause = InVain::of_server(&error).map(|in_vain| in_vain.pause(credential, self.now()));
                // No secret in it is new; a pause that is not written is found out again.
                drop(turn.save(Credential { pause, ..credential.clone() }).await);
                return Err(words::mytoken(doing, &error));
            }
        };
        let ask = hand::asked(credential, wish).clone();
        let scopes: Vec<String> = ask.scopes.iter().cloned().collect();
        let audiences: Vec<String> = ask.audiences.iter().cloned().collect();
        let sent = &grant.current.value;
        if health::may_rotate(credential, |rotation| rotation.on_at) {
            self.intend(turn, doing).await?;
        }
        let reply = access::access_token(&self.http, &server, sent, &scopes, &audiences).await;
        self.heed(&grant.server, &reply);
        let mut next = credential.clone();
        // First of all: a rotated mytoken becomes the current one, whatever else the answer holds.
        let copy = reply.update.map(|update| self.adopt(&mut next, update));
        let now = self.now();
        let counted = matches!(reply.outcome, Ok(_) | Err(Error::NoAccessToken));
        if counted {
            self.spend(&mut next, Use::AccessToken, &ask);
        }
        let drawn = reply.outcome.map(|granted| {
            let told = granted.expires_in.and_then(|life| i64::try_from(life.as_secs()).ok());
            let life = life(&granted.value, told, reply.date);
            AccessToken {
                obtained: now,
                expires: ends(now, life),
                granted: granted.scopes,
                id_token: None,
                ends_up: ends_up(self.clock.uptime(), life),
                skew: skew(reply.date, now),
                value: granted.value,
            }
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
        next.pause = match &drawn {
            Ok(_) => None,
            Err(error) => InVain::of_server(error).map(|in_vain| in_vain.pause(credential, now)),
        };
        if let Ok(token) = &drawn {
            next.put_access(ask.clone(), token.clone());
            next.drop_ended(now);
        }
        self.save(turn, next.clone(), doing).await?;
        self.acted(&grant.server, reply.date);
        if drawn.is_ok() {
            self.note(Some(&next.id), What::AccessToken);
        }
        if let Some(copy) = copy {
            self.note_of(&next, What::Rotated { copy });
            self.bury_older_copies_of(&next).await;
        }
        if health::may_revoke_family(credential)
            && next.health == health::needs_login(health::REVOKED_OR_UNKNOWN)
        {
            // The user insisted on a copy that may have been replaced, and it had been.
            self.note_of(&next, What::Noted(OLDER_USED.to_owned()));
        }
        let unsure = matches!(next.health, Health::InDoubt(_));
        let token = drawn.map_err(|error| {
            let failure = words::without(words::mytoken(doing, &error), &[sent]);
            if unsure { failure.hint(health::MAY_HAVE_ACTED) } else { failure }
        })?;
        let mut remarks = remarks(&next, &ask, &token);
        remarks.extend(copy.map(|copy| format!("it rotated: copy {copy} is yours now")));
        remarks.extend(lost.then(|| "it rotates, and its new copy did not come".to_owned()));
        Ok(Drawn { token, renewed: true, remarks })
    }
}
