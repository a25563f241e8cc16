//! Read a mytoken's history at its server. It costs one other use where the mytoken is restricted, and may rotate it.

use std::sync::{Arc, PoisonError};

use super::{Wallet, gone, to_its_end, words};
use crate::domain::credential::{CredentialId, Grant};
use crate::domain::event::{Event, Teller, What, mark_new_addresses};
use crate::domain::failure::{Failure, Kind};
use crate::domain::secret::Secret;
use crate::mytoken::tokeninfo::{self, HistoryEvent};

const DOING: &str = "Reading the history";

impl Wallet {
    /// The events of a held mytoken, newest first, new addresses marked.
    ///
    /// # Errors
    /// When it is no mytoken, may not read its history, or nobody answers. A rotation on the way is saved all the same.
    pub async fn history(self: &Arc<Self>, id: &CredentialId) -> Result<Vec<Event>, Failure> {
        let (wallet, id) = (Arc::clone(self), id.clone());
        to_its_end(DOING, async move { wallet.history_in_turn(&id).await }).await
    }

    async fn history_in_turn(&self, id: &CredentialId) -> Result<Vec<Event>, Failure> {
        let turn = self.store.turn(id).await.map_err(|error| gone(DOING, &error))?;
        let credential = turn.read();
        let Grant::Mytoken(grant) = &credential.grant else {
            return Err(Failure::new(Kind::Unusable, DOING, "only a mytoken has a history at its server"));
        };
        let failed = |error: &crate::mytoken::Error| words::mytoken(DOING, error);
        let server = self.mytoken_server(&grant.server).await.map_err(|error| failed(&error))?;
        let reply = tokeninfo::event_history(&self.http, &server, &grant.current.value).await;
        let mut next = credential.clone();
        let copy = reply.update.map(|update| self.adopt(&mut next, update));
        let events = match reply.outcome {
            Ok(events) => events,
            Err(error) => {
                self.heed(&mut next, &error, reply.in_doubt && copy.is_none());
                turn.save(next);
                return Err(failed(&error));
            }
        };
        count_other_use(&mut next.grant);
        let address = grant.server.clone();
        turn.save(next);
        self.note(Some(id), What::HistoryRead);
        if let Some(copy) = copy {
            self.note(Some(id), What::Rotated { copy });
        }
        Ok(self.told(&address, &events, Some(id)))
    }

    /// The events of a pasted mytoken, of which no copy is held here. The caller has the user's word for it.
    ///
    /// # Errors
    /// As for [`Wallet::history`]; and for one that rotates on such a use, because nobody would hold the new copy.
    pub async fn history_of_pasted(
        &self,
        value: &Secret,
        server: &str,
        rotates: bool,
    ) -> Result<Vec<Event>, Failure> {
        if rotates {
            let why = "reading it makes a new copy, which nobody would hold";
            return Err(Failure::new(Kind::Unusable, DOING, why).hint("Keep the mytoken first."));
        }
        let failed = |error: &crate::mytoken::Error| words::mytoken(DOING, error);
        let known = self.mytoken_server(server).await.map_err(|error| failed(&error))?;
        let reply = tokeninfo::event_history(&self.http, &known, value).await;
        let events = reply.outcome.map_err(|error| failed(&error))?;
        Ok(self.told(server, &events, None))
    }

    fn told(&self, server: &str, events: &[HistoryEvent], id: Option<&CredentialId>) -> Vec<Event> {
        let own = events.iter().filter(|event| {
            event.agent.as_ref().is_some_and(|agent| agent.raw().starts_with(crate::http::AGENT))
        });
        if let Some(seen) = own.filter_map(|event| event.address.as_ref()?.raw().parse().ok()).next() {
            let mut addresses = self.servers.seen_as.lock().unwrap_or_else(PoisonError::into_inner);
            addresses.insert(server.trim_end_matches('/').to_owned(), seen);
        }
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
                new_address: false,
            })
            .collect();
        mark_new_addresses(&mut told);
        told
    }
}

/// One more other use of the clause that allowed it, until the next look-up tells the server's own count.
fn count_other_use(grant: &mut Grant) {
    if let Grant::Mytoken(grant) = grant
        && let Some(clause) =
            grant.facts.restrictions.iter_mut().find(|clause| clause.left_other().is_none_or(|left| left > 0))
    {
        clause.used_other = Some(clause.used_other.unwrap_or(0) + 1);
    }
}
