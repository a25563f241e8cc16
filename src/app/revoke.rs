//! What the dialogue knows that revokes or forgets: what ends, what grew from it, what lives on, and which answer is being given.

use std::sync::Arc;

use super::effect::Task;
use super::family;
use super::field::Field;
use super::overlay::Overlay;
use super::state::State;
use crate::domain::credential::{CredentialId, Held};
use crate::domain::family::{Family, Member, Via};
use crate::domain::source::SourceId;
use crate::domain::untrusted::Untrusted;

/// The dialogue.
#[derive(Clone, Debug)]
pub struct Revoke {
    /// What is to be revoked.
    pub doomed: Doomed,
    /// Its name, or how many they are.
    pub name: String,
    /// What ends, line by line.
    pub ends: Vec<String>,
    /// It and what grew from it, each before what was made from it; empty: not known.
    pub tree: Vec<Member>,
    /// The reading of that which is under way.
    pub asking: Option<Task>,
    /// What lives on.
    pub lives_on: Vec<String>,
    /// Whether there is anybody to revoke it at.
    pub revocable: bool,
    /// The name being typed that confirms the end of all that grew from it.
    pub confirm: Option<Field>,
}

/// What is to be revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doomed {
    /// Something held.
    Held(CredentialId),
    /// Mytokens of a list, by their ids there.
    Listed {
        /// The row of their server.
        source: SourceId,
        /// By whose right.
        via: Via,
        /// Id and name of each.
        members: Vec<(Untrusted, String)>,
    },
}

impl Revoke {
    /// The credential it is about, where that is held.
    #[must_use]
    pub fn id(&self) -> Option<&CredentialId> {
        match &self.doomed {
            Doomed::Held(id) => Some(id),
            Doomed::Listed { .. } => None,
        }
    }

    /// How many are revoked without what grew from them.
    #[must_use]
    pub fn count(&self) -> usize {
        match &self.doomed {
            Doomed::Held(_) => 1,
            Doomed::Listed { members, .. } => members.len(),
        }
    }

    /// How many more end if all that grew from them goes with them.
    #[must_use]
    pub fn grown(&self) -> usize {
        self.tree.len().saturating_sub(self.count())
    }

    /// What must be typed to revoke the whole tree: its name, or how many end.
    #[must_use]
    pub fn word(&self) -> String {
        match self.count() {
            1 => self.name.clone(),
            _ => self.tree.len().to_string(),
        }
    }

    /// Whether that has been typed.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.confirm.as_ref().is_some_and(|field| field.value().trim() == self.word().trim())
    }

    /// The tree of what is held has become known.
    pub(crate) fn know(&mut self, held: &Held, family: &Arc<Family>) {
        let is_it =
            |member: &Member| member.held.as_ref().is_some_and(|(id, _)| *id == held.id) || member.asks;
        if let Some(place) = family.members.iter().position(is_it) {
            self.tree = tree_of(family, place);
        }
    }
}

/// A member and what grew from it, as a tree of its own.
pub(super) fn tree_of(family: &Family, place: usize) -> Vec<Member> {
    let mut tree = family.members.get(family.tree(place)).unwrap_or_default().to_vec();
    let root = tree.first().map_or(0, |member| member.depth);
    for member in &mut tree {
        member.depth -= root;
    }
    tree
}

/// The open dialogue, if it is the topmost thing.
#[must_use]
pub fn dialogue(state: &State) -> Option<&Revoke> {
    match state.overlays.last() {
        Some(Overlay::Revoke(dialogue)) => Some(dialogue),
        _ => None,
    }
}

/// Whether it asks which of its answers is meant.
pub(super) fn is_choosing(state: &State) -> bool {
    dialogue(state).is_some_and(|dialogue| dialogue.confirm.is_none())
}

/// Whether it has anybody to revoke at.
pub(super) fn is_revocable(state: &State) -> bool {
    dialogue(state).is_some_and(|dialogue| dialogue.revocable && dialogue.confirm.is_none())
}

/// Whether something grew from it that could end with it.
pub(super) fn has_grown(state: &State) -> bool {
    is_revocable(state) && dialogue(state).is_some_and(|dialogue| dialogue.grown() > 0)
}

/// Whether what it is about can be forgotten here.
pub(super) fn can_forget(state: &State) -> bool {
    is_choosing(state) && dialogue(state).is_some_and(|dialogue| dialogue.id().is_some())
}

/// Whether the end of the whole tree is confirmed by its name.
pub(super) fn is_confirmed(state: &State) -> bool {
    dialogue(state).is_some_and(Revoke::is_confirmed)
}

/// What its second answer says.
pub(super) fn tree_says(state: &State) -> &'static str {
    match dialogue(state).map(Revoke::grown) {
        Some(1) => "with its subtoken",
        _ => "with its subtokens",
    }
}

/// The tree of a held mytoken, where it can be had for nothing and is not known.
pub(super) fn tree_for_free(state: &State, held: &Held) -> Option<(SourceId, Via)> {
    if family::known_tree(state, held).is_some() {
        return None;
    }
    let source = family::server_of(state, &held.source)?;
    match family::may_look_below(state, held) {
        family::Right::Free(via) => Some((source, via)),
        family::Right::Costs(..) | family::Right::Nobody => None,
    }
}
