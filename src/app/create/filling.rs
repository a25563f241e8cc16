//! What fills the form: where it starts from, what its server told, and what follows from both.

use jiff::tz::TimeZone;

use super::typed::Typed;
use super::{Create, Group, Start, Told, zone};
use crate::app::field::Field;
use crate::app::state::State;
use crate::domain::credential::{Chain, Health, Held};
use crate::domain::draft::{Draft, DraftClause, When};
use crate::domain::mytoken::can;
use crate::domain::offer::{Offer, TemplateKind};
use crate::domain::source::{SourceId, SourceKind};

impl Create {
    /// Fills in what the chosen profile says of the parts that the user has not touched.
    pub(crate) fn refill(&mut self, state: &State) {
        let draft = self.started().draft();
        let zone = zone(state);
        let kept = |group| self.touched.contains(&group);
        let filled = Draft {
            name: String::new(),
            provider: if kept(Group::Provider) || draft.provider.is_empty() {
                self.draft.provider.clone()
            } else {
                draft.provider
            },
            capabilities: if kept(Group::Capabilities) {
                self.draft.capabilities.clone()
            } else {
                draft.capabilities
            },
            clauses: if kept(Group::Clauses) { self.draft.clauses.clone() } else { draft.clauses },
            rotation: if kept(Group::Rotation) { self.draft.rotation } else { draft.rotation },
            form: if kept(Group::Answer) { self.draft.form } else { draft.form },
            templates: draft.templates,
        };
        let name = if kept(Group::Name) { Some(self.name.clone()) } else { None };
        // What is still being typed in a clause that the user has touched is not read and written anew.
        let clauses = kept(Group::Clauses).then(|| self.clauses.clone());
        self.fill(filled, &zone);
        self.clauses = clauses.unwrap_or_else(|| std::mem::take(&mut self.clauses));
        match name {
            Some(name) => self.name = name,
            None => self.take_free_name(state),
        }
        self.settle_provider();
    }

    /// Puts a draft into the fields.
    pub(crate) fn fill(&mut self, draft: Draft, zone: &TimeZone) {
        self.name = Field::new(&draft.name);
        let lives = draft.rotation.lifetime.map(|seconds| When::In(seconds).typed(zone));
        self.lives = Field::new(&lives.unwrap_or_default());
        self.clauses = draft.clauses.iter().map(|clause| Typed::of(clause, zone)).collect();
        if self.clauses.is_empty() {
            self.clauses.push(Typed::of(&DraftClause::default(), zone));
        }
        self.draft = draft;
    }

    /// A name that nothing here has: the profile's own word, or the one that is there, with a number where it is taken.
    pub(super) fn take_free_name(&mut self, state: &State) {
        let wish = match self.started() {
            _ if !self.name.value().trim().is_empty() => self.name.value().trim().to_owned(),
            Start::Profile { id, .. } => id.as_str().to_owned(),
            Start::Template { .. } | Start::Blank => String::new(),
        };
        if wish.is_empty() {
            return;
        }
        let is_taken = |name: &str| state.wallet.held.iter().any(|held| held.name == name);
        // After toar-2 comes toar-3.
        let is_number = |end: &str| !end.is_empty() && end.bytes().all(|byte| byte.is_ascii_digit());
        let base = match wish.rsplit_once('-') {
            Some((base, end)) if is_number(end) && !base.is_empty() => base,
            _ => &wish,
        };
        let numbered = (2..1000).map(|number| format!("{base}-{number}"));
        let free = std::iter::once(wish.clone()).chain(numbered).find(|name| !is_taken(name));
        self.name = Field::new(&free.unwrap_or_else(|| wish.clone()));
    }

    /// What the server has told: its own profiles are offered too, and its only provider needs no choice.
    pub(crate) fn hear(&mut self, told: Result<Box<Offer>, String>, state: &State) {
        self.told = match told {
            Ok(offer) => Told::Offers(offer),
            Err(why) => Told::Nothing(why),
        };
        self.list_starts(state);
        self.settle_provider();
    }

    /// Lists anew what it can start from; the chosen one stays the chosen one, where it is still there.
    pub(crate) fn list_starts(&mut self, state: &State) {
        let started = self.started().clone();
        let mut all = starts(state);
        let blank = all.pop();
        let templates = self.offer().map(|offer| offer.templates.clone()).unwrap_or_default();
        let profiles = templates.into_iter().filter(|template| template.kind == TemplateKind::Profile);
        all.extend(profiles.map(|one| Start::Template { reference: one.reference(), content: one.content }));
        all.extend(blank);
        self.starts = all;
        let place = self.starts.iter().position(|start| *start == started);
        self.start = place.unwrap_or(self.starts.len() - 1);
    }

    /// It starts from this profile from now on: it was saved from it.
    pub(crate) fn start_from(&mut self, profile: &SourceId) {
        let is_it = |start: &Start| matches!(start, Start::Profile { id, .. } if id == profile);
        if let Some(place) = self.starts.iter().position(is_it) {
            self.start = place;
        }
    }

    /// The provider in the server's own spelling; its only one where none is chosen, its first one where it has not the chosen one.
    fn settle_provider(&mut self) {
        let Some(offer) = self.offer() else { return };
        let found = offer.provider(&self.draft.provider);
        let is_open = self.draft.provider.is_empty();
        let only = if offer.providers.len() == 1 { offer.providers.first() } else { None };
        if let Some(provider) = found.or(only.filter(|_| is_open)) {
            self.draft.provider = provider.issuer.raw().to_owned();
        }
    }

    /// The held mytokens at this server that may make others.
    pub(crate) fn look_for_parents(&mut self, state: &State) {
        let server = self.server();
        let address = server.and_then(|id| state.source(id)).and_then(|source| match &source.kind {
            SourceKind::Server(server) => Some(plain(&server.address)),
            SourceKind::Issuer(_) | SourceKind::Profile(_) => None,
        });
        let fits = |held: &&Held| makes_others(held) && is_at(held, server, address.as_deref());
        self.parents = state.wallet.held.iter().filter(fits).map(|held| held.id.clone()).collect();
        self.parent.take_if(|id| !self.parents.contains(id));
    }
}

/// Whether mytokens can be made from it.
fn makes_others(held: &Held) -> bool {
    match &held.chain {
        Chain::Mytoken { facts, .. } => {
            can(&facts.capabilities, "create_mytoken") && !matches!(held.health, Health::Dead(_))
        }
        Chain::Refresh { .. } | Chain::None => false,
    }
}

fn is_at(held: &Held, server: Option<&SourceId>, address: Option<&str>) -> bool {
    let Chain::Mytoken { facts, .. } = &held.chain else { return false };
    let by_word = address.is_some_and(|address| plain(facts.server.raw()) == address);
    by_word || server.is_some_and(|server| held.source == *server)
}

fn plain(address: &str) -> String {
    address.trim_end_matches('/').to_owned()
}

/// All that a form can start from, the blank one last.
pub(super) fn starts(state: &State) -> Vec<Start> {
    let profiles = state.wallet.sources.iter().filter_map(|source| match &source.kind {
        SourceKind::Profile(profile) => Some(Start::Profile {
            id: source.id.clone(),
            name: source.name.clone(),
            server: profile.server.clone(),
            draft: Box::new(profile.draft.clone()),
        }),
        SourceKind::Issuer(_) | SourceKind::Server(_) => None,
    });
    profiles.chain([Start::Blank]).collect()
}
