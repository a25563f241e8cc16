//! Read a mytoken's history at its server. It costs one other use where the mytoken is restricted, and may rotate it.

use std::sync::Arc;

use super::question::{Answered, Own};
use super::{Wallet, words};
use crate::domain::credential::CredentialId;
use crate::domain::event::{Event, Teller, What, mark_first_seen};
use crate::domain::failure::{Failure, Kind};
use crate::domain::jwt::Jwt;
use crate::domain::mytoken::Facts;
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
        let Answered { answer: events, server, date } = self.ask_with_held(id, &Own, DOING).await?;
        self.note(Some(id), What::HistoryRead);
        self.learn_address(&server, &events);
        self.acted(&server, date);
        Ok(self.told_by(&events, |_| Some(id.0.clone())))
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
        let facts = Jwt::parse(value.expose()).map(|jwt| Facts::from_claims(&jwt.claims));
        if facts.is_none_or(|facts| !facts.restrictions.is_empty()) {
            self.may_change(DOING)?;
        }
        let failed = |error: &Error| words::without(words::mytoken(DOING, error), &[value]);
        self.may_ask(server).map_err(|error| failed(&error))?;
        let known = self.mytoken_server(server).await.map_err(|error| failed(&error))?;
        let reply = tokeninfo::event_history(&self.http, &known, value).await;
        self.heed(server, &reply);
        let events = reply.outcome.map_err(|error| failed(&error))?;
        Ok(self.told_by(&events, |_| None))
    }

    /// A server's events as ours, the first use from an address and by a program marked.
    pub(super) fn told_by(
        &self,
        events: &[HistoryEvent],
        whose: impl Fn(&HistoryEvent) -> Option<String>,
    ) -> Vec<Event> {
        let mut told: Vec<Event> = events
            .iter()
            .map(|event| Event {
                at: event.at.unwrap_or_else(|| self.now()),
                what: What::Server(event.event.clone()),
                address: event.address.clone(),
                agent: event.agent.clone(),
                comment: event.comment.clone(),
                teller: Teller::Server,
                credential: whose(event),
                mom_id: event.mom_id.clone(),
                new_address: false,
                new_agent: false,
            })
            .collect();
        mark_first_seen(&mut told);
        told
    }
}
