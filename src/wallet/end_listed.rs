//! End a mytoken that a server lists, by its id, and say what of what is held here died with it.

use std::sync::Arc;

use super::family::{LIST, REVOKE};
use super::question::{All, End};
use super::servers::plain;
use super::{Wallet, health};
use crate::domain::credential::{Chain, Credential, CredentialId, Grant, Health, MytokenGrant};
use crate::domain::event::What;
use crate::domain::failure::{Failure, Kind};
use crate::domain::family::{Via, Which, laid_out};
use crate::domain::source::SourceId;
use crate::domain::untrusted::Untrusted;
use crate::mytoken::{Error, No, Reason, tokeninfo};

const DOING: &str = "Revoking a listed mytoken";
/// So many of what is held are asked about where nobody has told what was made from what.
const MOST: usize = 20;

/// So many that are not held are noted by their ids.
const MOST_NOTED: usize = 50;

/// What was revoked: what may have died with it is looked for here.
pub(super) struct Ended<'a> {
    pub(super) server: &'a str,
    pub(super) mom_id: &'a Untrusted,
    /// What was to end with it; `None`: all that was made from it, which nobody has told.
    pub(super) below: Option<Vec<Untrusted>>,
    /// Its server's list has shown that they are gone.
    pub(super) proven: bool,
}

impl Wallet {
    /// Revokes a listed mytoken by its id, with all that was made from it if `recursive`; what is to be said, in words. One that
    /// has ended or has not started can only be revoked so (mytoken-api.md §12.4, 5). The one that asks is revoked by itself and never by
    /// its own id.
    ///
    /// # Errors
    /// When it may not be revoked by this right, or nobody answers.
    pub async fn revoke_listed(
        self: &Arc<Self>,
        source: &SourceId,
        via: &Via,
        mom_id: &Untrusted,
        recursive: bool,
    ) -> Result<String, Failure> {
        self.may_change(DOING)?;
        let (wallet, source, via, mom_id) = (Arc::clone(self), source.clone(), via.clone(), mom_id.clone());
        let task = async move { wallet.revoke_by_id(&source, &via, &mom_id, recursive).await };
        self.to_its_end(DOING, task).await
    }

    async fn revoke_by_id(
        &self,
        source: &SourceId,
        via: &Via,
        mom_id: &Untrusted,
        recursive: bool,
    ) -> Result<String, Failure> {
        let Some(server) = self.address_behind(source) else {
            return Err(Failure::new(Kind::Unusable, DOING, "there is no mytoken server behind this row"));
        };
        if self.own_id(&server, via).as_ref() == Some(mom_id) {
            return match via {
                Via::Held(id) => self.revoke_in_turn(id, recursive).await,
                Via::Manager => {
                    let closed = self.close_manager(&server).await;
                    closed.map_err(|said| Failure::new(Kind::Failed, DOING, said))?;
                    Ok("Revoked the manager mytoken of this session.".to_owned())
                }
            };
        }
        if *via == Via::Manager && self.made_from(&server, mom_id).is_none() {
            // It costs nothing, and then it is known what dies.
            let listed = self.ask_by(source, via, &All, DOING).await;
            drop(listed.map(|listed| self.remember_trees(&server, &listed.answer.roots, Which::All)));
        }
        let below = self.made_from(&server, mom_id);
        let question = End { mom_id: mom_id.clone(), recursive };
        let answered = self.ask_by(source, via, &question, DOING).await?;
        self.acted(&answered.server, answered.date);
        let proof = self.still_listed(source, via, mom_id, below.as_deref().filter(|_| recursive)).await;
        if let Some(left @ 1..) = proof {
            // Nothing is noted as revoked: whoever pastes one of them later would be told so.
            let why = format!("its server took the request, and still lists {left} of what was to end");
            return Err(Failure::new(Kind::Failed, DOING, why).hint("Read the list again, and try again."));
        }
        self.note_about(None, Some(mom_id.clone()), What::Revoked, "");
        let ended = Ended {
            server: &server,
            mom_id,
            below: if recursive { below.clone() } else { Some(Vec::new()) },
            proven: proof.is_some(),
        };
        let died_here = self.bury_the_ended(&ended, None).await;
        let with = match below.as_deref().map(<[_]>::len) {
            Some(count @ 1..) if recursive => format!("it and {count} made from it"),
            _ if recursive => "it and all made from it".to_owned(),
            _ => "it".to_owned(),
        };
        let mut said = match proof {
            Some(_) => format!("Revoked {with}: its server lists it no more."),
            None if died_here.iter().any(|(id, _)| self.is_it(id, mom_id)) => {
                format!("Revoked {with}: its server does not know it any more.")
            }
            None => {
                format!(
                    "Its server took the revocation of {with}; the next list will show whether it is gone."
                )
            }
        };
        if let Some(count @ 1..) = below.as_deref().map(<[_]>::len).filter(|_| !recursive) {
            said = format!("{said} {count} made from it live on.");
        }
        say_died(&mut said, &died_here);
        said.push_str(" Access tokens already drawn live on until they end.");
        Ok(said)
    }

    /// How many of these its server still lists, where that can be asked for nothing.
    async fn still_listed(
        &self,
        source: &SourceId,
        via: &Via,
        mom_id: &Untrusted,
        below: Option<&[Untrusted]>,
    ) -> Option<usize> {
        let is_free = match via {
            Via::Manager => self.manager_may(source, LIST),
            Via::Held(id) => self.who_may_list(source).contains(id) && self.is_unrestricted(id),
        };
        if !is_free {
            return None;
        }
        let listing = self.ask_by(source, via, &All, DOING).await.ok()?.answer;
        if listing.cut {
            return None;
        }
        let trees = listing.roots;
        self.remember_trees(&self.address_behind(source)?, &trees, Which::All);
        let gone = |id: &Untrusted| id == mom_id || below.is_some_and(|below| below.contains(id));
        Some(laid_out(trees).iter().filter(|(_, listed)| gone(&listed.mom_id)).count())
    }

    /// Ends a mytoken of a server by its id with the manager of this session, where there is one: for those that cannot be ended by themselves.
    pub(super) async fn end_by_manager(
        &self,
        server: &str,
        mom_id: &Untrusted,
        recursive: bool,
        doing: &str,
    ) -> Option<Result<(), Failure>> {
        if !self.manager_there_may(server, REVOKE) {
            return None;
        }
        let question = End { mom_id: mom_id.clone(), recursive };
        Some(self.ask_with_manager(server, &question, doing).await.map(|_| ()))
    }

    /// Marks what is held here and died: the same mytoken under other names, and on `recursive` what was made from it. Each is asked about
    /// first, which costs nothing. `but`: the one whose turn is ours, and is marked already. Their names.
    pub(super) async fn bury_the_ended(
        &self,
        ended: &Ended<'_>,
        but: Option<&CredentialId>,
    ) -> Vec<(CredentialId, String)> {
        let below = &ended.below;
        let mut died = Vec::new();
        let mut unsure = 0;
        for held in self.held().iter().filter(|held| Some(&held.id) != but && self.is_at(held, ended.server))
        {
            let Chain::Mytoken { facts, .. } = &held.chain else { continue };
            let is_meant = facts.mom_id.as_ref().is_some_and(|id| {
                id == ended.mom_id || below.as_ref().is_some_and(|below| below.contains(id))
            });
            unsure += usize::from(!is_meant);
            // Where nobody has told what was made from what, all of them may be meant.
            if matches!(held.health, Health::Dead(_)) || (!is_meant && (below.is_some() || unsure > MOST)) {
                continue;
            }
            if self.bury_if_gone(&held.id, ended, is_meant).await {
                died.push((held.id.clone(), held.name.clone()));
            }
        }
        // Whoever pastes one of them later is told what became of it.
        for id in below.iter().flatten().take(MOST_NOTED) {
            self.note_about(None, Some(id.clone()), What::Revoked, "with what it was made from");
        }
        died
    }

    async fn bury_if_gone(&self, id: &CredentialId, ended: &Ended<'_>, is_meant: bool) -> bool {
        let Ok(turn) = self.store.turn(id).await else { return false };
        let credential = turn.read();
        let Grant::Mytoken(grant) = &credential.grant else { return false };
        // One that has not started is said to be so whether it was revoked or not: there the list alone tells.
        let is_proven = ended.proven && is_meant;
        if !is_proven && !self.is_gone(&credential, grant, ended.server).await {
            return false;
        }
        let health = if is_meant {
            Health::Dead(health::REVOKED_HERE.to_owned())
        } else {
            health::needs_login(health::REVOKED_OR_UNKNOWN)
        };
        let next = Credential { health, ..credential };
        // What cannot be written now is found out again at the next look.
        drop(self.save(&turn, next.clone(), DOING).await);
        if is_meant {
            self.note_of(&next, What::Revoked);
        }
        true
    }

    /// Whether its server does not know it any more: asking costs nothing.
    async fn is_gone(&self, credential: &Credential, grant: &MytokenGrant, server: &str) -> bool {
        if health::may_revoke_family(credential) || self.may_ask(server).is_err() {
            return false;
        }
        let Ok(known) = self.mytoken_server(server).await else { return false };
        let reply = tokeninfo::introspect(&self.http, &known, &grant.current.value).await;
        self.heed(server, &reply);
        matches!(
            reply.outcome,
            Err(Error::Refused(No::InvalidToken(Reason::Unidentified | Reason::UnknownShort)))
        )
    }

    fn is_it(&self, id: &CredentialId, mom_id: &Untrusted) -> bool {
        self.view(id).is_ok_and(|held| match held.chain {
            Chain::Mytoken { facts, .. } => facts.mom_id.as_ref() == Some(mom_id),
            Chain::Refresh { .. } | Chain::None => false,
        })
    }

    fn is_unrestricted(&self, id: &CredentialId) -> bool {
        self.view(id).is_ok_and(|held| held.chain.is_unrestricted())
    }

    /// The source of a held mytoken's server, for asking there by another right.
    #[must_use]
    pub fn server_of_held(&self, id: &CredentialId) -> Option<SourceId> {
        let held = self.view(id).ok()?;
        let Chain::Mytoken { facts, .. } = &held.chain else { return None };
        let address = match facts.server.raw() {
            "" => self.address_behind(&held.source)?,
            told => told.to_owned(),
        };
        let by_row = self.address_behind(&held.source).filter(|row| plain(row) == plain(&address));
        by_row.map(|_| held.source.clone()).or_else(|| self.server_at(&address).map(|source| source.id))
    }
}

/// Names what is held here and died with it.
pub(super) fn say_died(said: &mut String, died: &[(CredentialId, String)]) {
    if !died.is_empty() {
        let names: Vec<&str> = died.iter().map(|(_, name)| name.as_str()).collect();
        *said = format!("{said} Held here, and dead now: {}.", names.join(", "));
    }
}
