//! All mytokens of a user at a server, the tree below one, and what can be read of those that are not held here.

use std::collections::HashMap;
use std::sync::Arc;

use super::Wallet;
use super::question::{All, Answered, Below, Of, Question};
use super::servers::{locked, plain};
use crate::domain::credential::{Chain, CredentialId, Health, Held};
use crate::domain::event::{Event, What};
use crate::domain::failure::{Failure, Kind};
use crate::domain::family::{Family, LastUse, Listed, Member, Via, Which, laid_out};
use crate::domain::mytoken::{Clause, Facts, can};
use crate::domain::source::SourceId;
use crate::domain::untrusted::Untrusted;
use crate::mytoken::listing::Listing;
use crate::mytoken::tokeninfo::HistoryEvent;

const DOING: &str = "Listing mytokens";
const READING: &str = "Reading their history";

/// What must be held to list all mytokens of a user.
pub const LIST: &str = "manage_mytokens:list";
/// What must be held to revoke any of them.
pub const REVOKE: &str = "manage_mytokens:revoke";
/// What must be held to read the history of any of them.
pub const HISTORY: &str = "manage_mytokens:history";

impl Wallet {
    /// Held mytokens at the server of this row by whose right its list can be read (`manage_mytokens:list`), the cheapest first.
    #[must_use]
    pub fn who_may_list(&self, source: &SourceId) -> Vec<CredentialId> {
        self.held_that_may(source, LIST)
    }

    /// By whose right something can be done at the server of this row: the manager of this session first, which costs nothing, then what is
    /// held, the cheapest first. `needed`: a capability.
    #[must_use]
    pub fn who_may(&self, source: &SourceId, needed: &str) -> Vec<Via> {
        let manager = self.manager_may(source, needed).then_some(Via::Manager);
        manager.into_iter().chain(self.held_that_may(source, needed).into_iter().map(Via::Held)).collect()
    }

    fn held_that_may(&self, source: &SourceId, needed: &str) -> Vec<CredentialId> {
        let Some(server) = self.address_behind(source) else { return Vec::new() };
        let now = self.now();
        let held = self.held();
        let mut found: Vec<(u64, &Held)> = held
            .iter()
            .filter(|held| self.is_at(held, &server))
            .filter_map(|held| {
                let Chain::Mytoken { facts, short, .. } = &held.chain else { return None };
                let over = facts.ends().is_some_and(|end| end <= now);
                let may = can(&facts.capabilities, needed) && !over && is_sendable(held);
                Some((cost(facts, *short)?, held)).filter(|_| may)
            })
            .collect();
        found.sort_by_key(|(cost, _)| *cost);
        found.into_iter().map(|(_, held)| held.id.clone()).collect()
    }

    /// Whether something held is a mytoken of this server.
    pub(super) fn is_at(&self, held: &Held, server: &str) -> bool {
        let Chain::Mytoken { facts, .. } = &held.chain else { return false };
        let of_row = || self.address_behind(&held.source);
        plain(facts.server.raw()) == plain(server) || of_row().is_some_and(|row| plain(&row) == plain(server))
    }

    /// All mytokens of the user at a server, or the tree below the one that asks.
    ///
    /// # Errors
    /// When nobody here may ask, or nobody answers. A rotation on the way is saved all the same.
    pub async fn family(
        self: &Arc<Self>,
        source: &SourceId,
        via: &Via,
        which: Which,
    ) -> Result<Family, Failure> {
        let (wallet, source, via) = (Arc::clone(self), source.clone(), via.clone());
        self.to_its_end(DOING, async move { wallet.family_by(&source, &via, which).await }).await
    }

    async fn family_by(&self, source: &SourceId, via: &Via, which: Which) -> Result<Family, Failure> {
        let answered = match which {
            Which::All => self.ask_by(source, via, &All, DOING).await?,
            Which::Below if *via == Via::Manager => {
                let why = "nothing is ever made from the manager mytoken of this session";
                return Err(Failure::new(Kind::Unusable, DOING, why));
            }
            Which::Below => self.ask_by(source, via, &Below, DOING).await?,
        };
        self.acted(&answered.server, answered.date);
        let Listing { roots: trees, cut } = answered.answer;
        self.remember_trees(&answered.server, &trees, which);
        let own = self.own_id(&answered.server, via);
        let held = self.held();
        let member = |(depth, listed): (usize, Listed)| {
            let here = held.iter().filter_map(|held| facts_of(held).map(|facts| (held, facts)));
            let is_it = |facts: &Facts| facts.mom_id.as_ref() == Some(&listed.mom_id);
            // Of several copies the one that works is named.
            let here = here.filter(|(_, facts)| is_it(facts)).min_by_key(|(held, _)| rank(&held.health));
            Member {
                held: here.map(|(held, _)| (held.id.clone(), held.name.clone())),
                capabilities: here.map(|(_, facts)| facts.capabilities.clone()),
                asks: own.as_ref() == Some(&listed.mom_id),
                last_used: None,
                depth,
                listed,
            }
        };
        Ok(Family {
            server: source.clone(),
            via: via.clone(),
            which,
            members: laid_out(trees).into_iter().map(member).collect(),
            cut,
            read: self.now(),
        })
    }

    /// The events of listed mytokens by their ids (mytoken-api.md §2.5.2), newest first; one request for all.
    ///
    /// # Errors
    /// As for [`Wallet::family`].
    pub async fn history_of_listed(
        self: &Arc<Self>,
        source: &SourceId,
        via: &Via,
        mom_ids: &[Untrusted],
    ) -> Result<Vec<Event>, Failure> {
        let (wallet, source, via, ids) = (Arc::clone(self), source.clone(), via.clone(), mom_ids.to_vec());
        let task = async move {
            let answered = wallet.ask_by(&source, &via, &Of(ids), READING).await?;
            wallet.note(None, What::HistoryRead);
            wallet.acted(&answered.server, answered.date);
            let held = wallet.held();
            let whose = |event: &HistoryEvent| {
                let mom_id = event.mom_id.as_ref()?;
                let is_it =
                    |held: &&Held| facts_of(held).and_then(|facts| facts.mom_id.as_ref()) == Some(mom_id);
                held.iter().find(is_it).map(|held| held.id.0.clone())
            };
            Ok(wallet.told_by(&answered.answer, whose))
        };
        self.to_its_end(READING, task).await
    }

    /// Fills in when each member was last used, by the histories of all of them in one request: by the same right as the list, of which
    /// it costs one more other use where such are counted.
    ///
    /// # Errors
    /// As for [`Wallet::family`]; a mytoken without `manage_mytokens:history` may only ask for those below itself.
    pub async fn last_used(self: &Arc<Self>, family: &mut Family) -> Result<(), Failure> {
        let asked: Vec<Untrusted> = family
            .members
            .iter()
            .map(|member| member.listed.mom_id.clone())
            .filter(|id| !id.is_empty())
            .collect();
        if asked.is_empty() {
            return Ok(());
        }
        let events = self.history_of_listed(&family.server, &family.via, &asked).await?;
        for member in &mut family.members {
            let own = |event: &&Event| event.mom_id.as_ref() == Some(&member.listed.mom_id);
            let last = events.iter().filter(own).filter(|event| is_use(event)).max_by_key(|event| event.at);
            member.last_used = Some(last.map(|event| LastUse {
                at: event.at,
                address: event.address.clone(),
                agent: event.agent.clone(),
            }));
        }
        Ok(())
    }

    /// Asks by this right; the answer, the server's address, and its clock.
    pub(super) async fn ask_by<Q: Question>(
        &self,
        source: &SourceId,
        via: &Via,
        question: &Q,
        doing: &str,
    ) -> Result<Answered<Q::Answer>, Failure> {
        let Some(server) = self.address_behind(source) else {
            return Err(Failure::new(Kind::Unusable, doing, "there is no mytoken server behind this row"));
        };
        match via {
            Via::Manager => self.ask_with_manager(&server, question, doing).await,
            Via::Held(id) => {
                let view = self.view(id)?;
                if !self.is_at(&view, &server) {
                    let why = format!("{} is no mytoken of that server", view.name);
                    return Err(Failure::new(Kind::Unusable, doing, why));
                }
                self.ask_with_held(id, question, doing).await
            }
        }
    }

    /// The id of the one that asks.
    pub(super) fn own_id(&self, server: &str, via: &Via) -> Option<Untrusted> {
        match via {
            Via::Manager => self.manager_id(server),
            Via::Held(id) => facts_of(&self.view(id).ok()?)?.mom_id.clone(),
        }
    }

    /// Remembers what was made from what: what dies with a mytoken is known then. A list of all replaces what was known.
    pub(super) fn remember_trees(&self, server: &str, trees: &[Listed], which: Which) {
        let mut parents = locked(&self.servers.parents);
        let known = parents.entry(plain(server)).or_default();
        if which == Which::All {
            known.clear();
        }
        let mut open: Vec<(Option<&Untrusted>, &Listed)> = trees.iter().map(|tree| (None, tree)).collect();
        while let Some((parent, listed)) = open.pop() {
            let above = known.entry(listed.mom_id.clone()).or_default();
            // The root of a tree that one mytoken told of itself may be a child all the same.
            *above = parent.cloned().or_else(|| above.take());
            open.extend(listed.children.iter().map(|child| (Some(&listed.mom_id), child)));
        }
    }

    /// All that was made from a mytoken, as far as a server has told in this session; `None` where it has told nothing of it.
    pub(super) fn made_from(&self, server: &str, mom_id: &Untrusted) -> Option<Vec<Untrusted>> {
        let parents = locked(&self.servers.parents);
        let known = parents.get(&plain(server)).filter(|known| known.contains_key(mom_id))?;
        let mut children: HashMap<&Untrusted, Vec<&Untrusted>> = HashMap::new();
        for (child, parent) in known {
            if let Some(parent) = parent {
                children.entry(parent).or_default().push(child);
            }
        }
        let mut all = Vec::new();
        let mut open = vec![mom_id];
        while let Some(next) = open.pop() {
            // Taken out, so that no circle of a server's goes round for ever.
            let below = children.remove(next).unwrap_or_default();
            all.extend(below.iter().map(|id| (*id).clone()));
            open.extend(below);
        }
        Some(all)
    }
}

/// What a use by a person or program leaves in a history: not what its making left, and not what others did to it.
fn is_use(event: &Event) -> bool {
    !["created", "inherited_RT", "transfer_code_used", "token_rotated", "expired", "revoked"]
        .iter()
        .any(|wire| event.is(wire))
}

fn facts_of(held: &Held) -> Option<&Facts> {
    match &held.chain {
        Chain::Mytoken { facts, .. } => Some(facts),
        Chain::Refresh { .. } | Chain::None => None,
    }
}

fn rank(health: &Health) -> u8 {
    match health {
        Health::Ok => 0,
        Health::InDoubt(_) => 1,
        Health::NeedsLogin(_) => 2,
        Health::Dead(_) => 3,
    }
}

/// Whether nothing that is known here speaks against sending it.
fn is_sendable(held: &Held) -> bool {
    let revokes =
        facts_of(held).and_then(|facts| facts.rotation).is_some_and(|rotation| rotation.auto_revoke);
    match held.health {
        Health::Ok => true,
        Health::InDoubt(_) => !revokes,
        Health::NeedsLogin(_) | Health::Dead(_) => false,
    }
}

/// What one request costs it: nothing, a new copy, one of many uses, one of few; `None` where it cannot be used so at all.
fn cost(facts: &Facts, short: bool) -> Option<u64> {
    if facts.restrictions.is_empty() {
        return Some(0);
    }
    let rotates = facts.rotation.is_some_and(|rotation| rotation.on_other);
    if rotates && short {
        // Such a request hangs for 50 s and fails (mytoken-api.md §12.36).
        return None;
    }
    let left = facts.restrictions.iter().map(Clause::left_other);
    let counted = match left.max_by_key(|left| left.unwrap_or(u64::MAX))? {
        None => 0,
        Some(0) => return None,
        Some(left) => (u64::MAX - left).max(10),
    };
    Some(counted.saturating_add(1 + u64::from(rotates)))
}
