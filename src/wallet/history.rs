//! Read a mytoken's history at its server. It costs one other use where the mytoken is restricted, and may rotate it.

use std::sync::Arc;

use super::uses::{Use, spend};
use super::{Wallet, gone, health, words};
use crate::domain::credential::{CredentialId, Grant, Health};
use crate::domain::event::{Event, Teller, What, mark_first_seen};
use crate::domain::failure::{Failure, Kind};
use crate::domain::mytoken::Rotation;
use crate::domain::secret::Secret;
use crate::mytoken::Error;
use crate::mytoken::tokeninfo::{self, HistoryEvent};

const DOING: &str = "Reading the history";

impl Wallet {
    /// The events of a held mytoken, newest first, new addresses marked.
    ///
    /// # Errors
    /// When it is no mytoken, may not read its history, or nobody answers. A rotation on the way is saved all the same.
    pub async fn history(self: &Arc<Self>, id: &CredentialId) -> Result<Vec<Event>, Failure> {
        let (wallet, id) = (Arc::clone(self), id.clone());
        self.to_its_end(DOING, async move { wallet.history_in_turn(&id).await }).await
    }

    async fn history_in_turn(&self, id: &CredentialId) -> Result<Vec<Event>, Failure> {
        let turn = self.store.turn(id).await.map_err(|error| gone(DOING, &error))?;
        let credential = turn.read();
        let Grant::Mytoken(grant) = &credential.grant else {
            return Err(Failure::new(Kind::Unusable, DOING, "only a mytoken has a history at its server"));
        };
        self.not_overtaken(&credential, DOING)?;
        if health::may_revoke_family(&credential) {
            return Err(health::may_revoke(DOING));
        }
        let sent = &grant.current.value;
        let failed = |error: &Error| words::without(words::mytoken(DOING, error), &[sent]);
        let server = self.mytoken_server(&grant.server).await.map_err(|error| failed(&error))?;
        if health::may_rotate(&credential, |rotation| rotation.on_other) {
            self.intend(&turn, DOING).await?;
        }
        let reply = tokeninfo::event_history(&self.http, &server, sent).await;
        let mut next = credential.clone();
        let copy = reply.update.map(|update| self.adopt(&mut next, update));
        let lost =
            copy.is_none() && reply.in_doubt && health::rotation(&credential).is_some_and(Rotation::rotates);
        next.health = match &reply.outcome {
            _ if lost => health::in_doubt(),
            // It says nothing about whether access tokens are still to be had.
            Ok(_) if matches!(credential.health, Health::InDoubt(_)) => Health::Ok,
            Ok(_) => credential.health.clone(),
            Err(error) => health::after(error, &credential.health),
        };
        if reply.outcome.is_ok() {
            spend(&mut next, Use::Other, &credential.ask, self.now());
        }
        let saved = next.clone();
        self.save(&turn, next, DOING).await?;
        if lost {
            self.note(Some(id), What::InDoubt);
        }
        if let Some(copy) = copy {
            self.note(Some(id), What::Rotated { copy });
            self.bury_older_copies_of(&saved).await;
        }
        let events = reply.outcome.map_err(|error| failed(&error))?;
        self.note(Some(id), What::HistoryRead);
        self.learn_address(&grant.server, &events);
        self.acted(&grant.server, reply.date);
        Ok(self.told(&events, Some(id)))
    }

    /// The events of a pasted mytoken, of which no copy is held here. The caller has the user's word for it.
    ///
    /// # Errors
    /// As for [`Wallet::history`]; and for one that rotates on such a use, because nobody would hold the new copy.
    pub async fn history_of_pasted(
        self: &Arc<Self>,
        value: &Secret,
        server: &str,
        rotates: bool,
    ) -> Result<Vec<Event>, Failure> {
        if let Some(holder) = self.store.holder_of(value) {
            return self.history(&holder).await;
        }
        if rotates {
            let why = "reading it makes a new copy, which nobody would hold";
            return Err(Failure::new(Kind::Unusable, DOING, why).hint("Keep the mytoken first."));
        }
        if let Some(newer) = self.newer_than(value, None) {
            let why = format!("a newer copy of it is held, as {}; this one was not sent", newer.name);
            return Err(Failure::new(Kind::Unusable, DOING, why));
        }
        let failed = |error: &Error| words::without(words::mytoken(DOING, error), &[value]);
        let known = self.mytoken_server(server).await.map_err(|error| failed(&error))?;
        let reply = tokeninfo::event_history(&self.http, &known, value).await;
        let events = reply.outcome.map_err(|error| failed(&error))?;
        Ok(self.told(&events, None))
    }

    fn told(&self, events: &[HistoryEvent], id: Option<&CredentialId>) -> Vec<Event> {
        let mut told: Vec<Event> = events
            .iter()
            .map(|event| Event {
                at: event.at.unwrap_or_else(|| self.now()),
                what: What::Server(event.event.clone()),
                address: event.address.clone(),
                agent: event.agent.clone(),
                comment: event.comment.clone(),
                teller: Teller::Server,
                credential: id.map(|id| id.0.clone()),
                mom_id: event.mom_id.clone(),
                new_address: false,
                new_agent: false,
            })
            .collect();
        mark_first_seen(&mut told);
        told
    }
}
