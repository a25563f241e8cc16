//! What mytoken servers say about themselves, asked once a session, and what their answers change in a mytoken.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;

use super::Wallet;
use super::limits::Told;
use super::once::Once;
use crate::domain::credential::{Credential, CredentialId, Fingerprint, Grant};
use crate::domain::mytoken::Facts;
use crate::domain::offer::Template;
use crate::domain::untrusted::Untrusted;
use crate::mytoken::discovery::{self, Server};
use crate::mytoken::tokeninfo::HistoryEvent;
use crate::mytoken::{Error, Issued};

/// What is known of each server, by its address.
#[derive(Default)]
pub(super) struct Servers {
    documents: Once<Server, Error>,
    /// Servers that are not listed and to which the user has agreed.
    agreed: Mutex<HashSet<String>>,
    /// How much each server still takes, and until when it wants to be left alone.
    pub(super) limits: Mutex<HashMap<String, Told>>,
    /// Of each mytoken in the trees that servers have told, the one it was made from.
    pub(super) parents: Mutex<HashMap<String, HashMap<Untrusted, Option<Untrusted>>>>,
    /// When, by its own clock, each server was last used from here, and the address it saw us at.
    traces: Mutex<HashMap<String, Trace>>,
    /// The profiles and templates that each keeps, by its address.
    templates: Once<Vec<Template>, Error>,
    /// Subtokens that were handed over in this session, by their ids, and the mytokens they were made from.
    handed: Mutex<HashMap<Untrusted, CredentialId>>,
    /// The pasted token that a server has last called alive: what is kept next is usually that.
    last_found: Mutex<Option<(Fingerprint, LookedUp)>>,
}

#[derive(Clone, Copy, Default)]
struct Trace {
    used: Option<Timestamp>,
    seen_as: Option<IpAddr>,
}

/// A pasted token that its server knows.
#[derive(Clone)]
pub(super) struct LookedUp {
    pub(super) server: String,
    pub(super) facts: Facts,
    pub(super) short: bool,
    /// When its counters were told; `None`: it may not be asked for them.
    pub(super) heard: Option<Timestamp>,
}

impl Servers {
    /// A subtoken was handed over.
    pub(super) fn handed_by(&self, mom_id: &Untrusted, parent: &CredentialId) {
        locked(&self.handed).insert(mom_id.clone(), parent.clone());
    }

    /// What a subtoken that was handed over was made from.
    pub(super) fn handed_from(&self, mom_id: &Untrusted) -> Option<CredentialId> {
        locked(&self.handed).get(mom_id).cloned()
    }
}

impl Wallet {
    /// The document of a mytoken server.
    pub(super) async fn mytoken_server(&self, address: &str) -> Result<Arc<Server>, Error> {
        let ask = || {
            let (http, address) = (Arc::clone(&self.http), address.to_owned());
            async move { discovery::discover(&http, &address).await }.boxed()
        };
        self.servers.documents.get(&plain(address), ask).await
    }

    /// The profiles and templates of a mytoken server: `ask` is run once a session, where it works, and not while the server wants to be
    /// left alone.
    pub(super) async fn templates_of(
        &self,
        address: &str,
        ask: impl FnOnce() -> BoxFuture<'static, Result<Vec<Template>, Error>>,
    ) -> Result<Arc<Vec<Template>>, Error> {
        if !self.servers.templates.knows(&plain(address)) {
            self.may_ask(address)?;
        }
        let told = self.servers.templates.get(&plain(address), ask).await;
        if let Err(error) = &told {
            self.heed_refusal(address, error);
        }
        told
    }

    /// Puts a rotated mytoken in the place of the one that was sent; the number of the new copy.
    pub(super) fn adopt(&self, credential: &mut Credential, update: Issued) -> u64 {
        let Grant::Mytoken(grant) = &mut credential.grant else { return 0 };
        let number = update.facts.copy;
        grant.current.supersede(update.mytoken, number, &self.store.fingerprint_key());
        if update.short {
            grant.facts.copy = Some(grant.current.number);
            return grant.current.number;
        }
        let before = std::mem::replace(&mut grant.facts, update.facts);
        // The counters are those of the last look-up: an update does not tell them, and rotation keeps them.
        if before.restrictions.len() == grant.facts.restrictions.len() {
            grant.facts.restrictions = before.restrictions;
        }
        grant.current.number
    }

    /// A server was used from here at this moment of its own clock.
    pub(super) fn acted(&self, server: &str, date: Option<Timestamp>) {
        if date.is_some() {
            locked(&self.servers.traces).entry(plain(server)).or_default().used = date;
        }
    }

    /// Learns from a history at which address the server sees us: that of our own program at the moment of our own last
    /// use. Another machine's toktui is not us.
    pub(super) fn learn_address(&self, server: &str, events: &[HistoryEvent]) {
        let mut traces = locked(&self.servers.traces);
        let trace = traces.entry(plain(server)).or_default();
        let Some(used) = trace.used else { return };
        let is_ours = |event: &&HistoryEvent| {
            let agent = event.agent.as_ref().is_some_and(|agent| agent.raw().starts_with(crate::http::AGENT));
            agent && event.at.is_some_and(|at| (at.as_second() - used.as_second()).abs() <= 1)
        };
        let seen = events.iter().filter(is_ours).find_map(|event| event.address.as_ref()?.raw().parse().ok());
        trace.seen_as = seen.or(trace.seen_as);
    }

    /// The address at which a server has last seen us, where it has told.
    pub(super) fn seen_as(&self, server: &str) -> Option<IpAddr> {
        locked(&self.servers.traces).get(&plain(server))?.seen_as
    }

    /// The user has agreed that a token is sent to this server.
    pub(super) fn agree(&self, server: &str) {
        locked(&self.servers.agreed).insert(plain(server));
    }

    /// Whether the user has agreed to this server in this session.
    pub(super) fn is_agreed(&self, server: &str) -> bool {
        locked(&self.servers.agreed).contains(&plain(server))
    }

    /// Remembers what a server said of a pasted token.
    pub(super) fn found(&self, print: Fingerprint, looked_up: LookedUp) {
        *locked(&self.servers.last_found) = Some((print, looked_up));
    }

    /// What a server said of this token, if it was the last one looked up.
    pub(super) fn last_found(&self, print: Fingerprint) -> Option<LookedUp> {
        let last = locked(&self.servers.last_found);
        last.as_ref().filter(|(known, _)| *known == print).map(|(_, looked_up)| looked_up.clone())
    }
}

/// Addresses of servers are compared without the slash at their end (mytoken-api.md §1.5).
pub(super) fn plain(address: &str) -> String {
    address.trim_end_matches('/').to_owned()
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
