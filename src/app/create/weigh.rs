//! What the fields come to: the draft, its words, its warnings, its command. Done when something changes, never for a frame.

use jiff::Timestamp;

use super::typed::Member;
use super::{Create, Item, Start, tree, zone};
use crate::app::state::State;
use crate::domain::credential::{Chain, Held};
use crate::domain::draft::{Base, Circumstances, When, check, command, in_words};
use crate::domain::mytoken::Facts;
use crate::domain::source::SourceId;
use crate::domain::span;
use crate::domain::untrusted::cleaned;

impl Create {
    /// Reads the fields, and weighs what they come to.
    pub(crate) fn weigh(&mut self, state: &State, now: Timestamp) {
        self.read(state, now);
        let parent = self.parent.as_ref().and_then(|id| state.held(id));
        let facts = parent.and_then(facts);
        if let Some(facts) = facts {
            self.draft.provider = facts.provider.raw().to_owned();
        }
        self.tree = tree::rows(self);
        let zone = zone(state);
        let tokens_live = self.tokens_live(state);
        let circumstances =
            Circumstances { offer: self.offer(), parent: facts, now, zone: &zone, tokens_live };
        let words = in_words(&self.draft, &circumstances);
        let warnings = check(&self.draft, &circumstances);
        let command = command(&self.draft, &self.base(parent));
        (self.words, self.warnings, self.command) = (words, warnings, command);
        if let Some(why) = self.taken_name(state) {
            self.faults.push((Item::Name, why));
        }
    }

    fn read(&mut self, state: &State, now: Timestamp) {
        let zone = zone(state);
        self.faults.clear();
        self.draft.name = self.name.value().trim().to_owned();
        let read: Vec<_> = self.clauses.iter().map(|typed| typed.read(now, &zone)).collect();
        self.draft.clauses.clear();
        self.moments.clear();
        for (at, (clause, faults)) in read.into_iter().enumerate() {
            self.faults.extend(faults.into_iter().map(|(member, why)| (Item::Member(at, member), why)));
            let moment = |when: Option<When>| when.map(|when| read_moment(when, now, &zone));
            self.moments.push([moment(clause.starts), moment(clause.ends)]);
            self.draft.clauses.push(clause);
        }
        if let [only] = self.draft.clauses.as_slice()
            && only.is_open()
        {
            self.draft.clauses.clear();
        }
        let lives = self.lives.value().trim();
        let seconds = span::read(lives).and_then(|span| u64::try_from(span.as_secs()).ok());
        self.draft.rotation.lifetime = seconds.filter(|seconds| *seconds > 0);
        if self.draft.rotation.lifetime.is_none() && !lives.is_empty() {
            let why = format!("{} is no span: expected 10m, 36h, 7d", cleaned(lives));
            self.faults.push((Item::Lives, why));
        }
    }

    /// How long access tokens of this provider live, as the ones that are held do.
    fn tokens_live(&self, state: &State) -> Option<u64> {
        let provider = self.draft.provider.trim_end_matches('/');
        let of_it = |held: &&Held| {
            facts(held).is_some_and(|facts| facts.provider.raw().trim_end_matches('/') == provider)
        };
        let mut access = state.wallet.held.iter().filter(of_it).filter_map(Held::chief);
        access.find_map(|one| u64::try_from(one.expires?.duration_since(one.obtained).as_secs()).ok())
    }

    /// What the command builds on.
    fn base<'a>(&'a self, parent: Option<&'a Held>) -> Base<'a> {
        let server = self.server().map(SourceId::as_str);
        let from = parent.map(|held| held.name.as_str());
        match self.started() {
            Start::Profile { id, draft, server: its, .. } => Base {
                server: server.filter(|server| from.is_none() && *server != its.as_str()),
                profile: Some((id.as_str(), draft)),
                from,
            },
            Start::Template { .. } | Start::Blank => {
                Base { server: server.filter(|_| from.is_none()), profile: None, from }
            }
        }
    }

    /// A name that is held is that credential's: it would be logged in anew.
    fn taken_name(&self, state: &State) -> Option<String> {
        let name = &self.draft.name;
        let is_taken = state.wallet.held.iter().any(|held| held.name == *name);
        is_taken.then(|| format!("There is a {} here already: take another name", cleaned(name)))
    }

    /// What stops it from being made, and where; the first one.
    #[must_use]
    pub fn stop(&self) -> Option<(Item, String)> {
        if let Some(fault) = self.faults.first() {
            return Some(fault.clone());
        }
        let warning = self.warnings.iter().find(|warning| warning.stops)?;
        Some((self.place_of(warning), warning.text.clone()))
    }

    /// Where the cursor goes for a warning.
    fn place_of(&self, warning: &crate::domain::draft::Warning) -> Item {
        use crate::domain::draft::Part;
        match warning.part {
            Part::Parent => Item::From,
            Part::Provider => Item::Provider,
            Part::Name => Item::Name,
            Part::Capabilities => Item::Capability(0),
            Part::Clause(at) => {
                let last = self.clauses.len().saturating_sub(1);
                Item::Member(at.min(last), Member::Ends)
            }
            Part::Rotation => Item::Turn(super::Turn::OnAccess),
            Part::Form => Item::Answer,
            Part::Templates => Item::Start,
        }
    }
}

/// When it is, if it is made now: a date for what is counted, a span for what is a date.
fn read_moment(when: When, now: Timestamp, zone: &jiff::tz::TimeZone) -> String {
    match when {
        When::In(_) => when.at(now).to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string(),
        When::At(_) => when.words(now, zone),
    }
}

/// What is known of a mytoken that is held.
pub(crate) fn facts(held: &Held) -> Option<&Facts> {
    match &held.chain {
        Chain::Mytoken { facts, .. } => Some(facts),
        Chain::Refresh { .. } | Chain::None => None,
    }
}
