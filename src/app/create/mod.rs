//! What the create form knows: a mytoken before it is made, as it is typed.
//!
//! ```text
//! mod      the form, where its cursor can stand, what it starts from
//! typed    the members of a clause as they are typed
//! tree     the capabilities as a tree that is folded at its top
//! order    its rows, for any width; what of them is on screen
//! weigh    what the fields come to: the draft, its words, its warnings, its command
//! ```

pub mod order;
pub mod tree;
pub mod typed;
mod weigh;

use jiff::tz::TimeZone;

use super::field::Field;
use super::state::State;
use crate::domain::credential::{Chain, CredentialId, Health, Held};
use crate::domain::draft::{Draft, DraftClause, Warning, When};
use crate::domain::mytoken::{Capability, Form, can};
use crate::domain::offer::{Offer, TemplateKind};
use crate::domain::source::{Source, SourceId, SourceKind};
use crate::domain::untrusted::Untrusted;
pub(crate) use weigh::facts;

use tree::Twig;
use typed::{Member, Typed};

/// A place in the form at which the cursor can stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Item {
    /// What it starts from.
    #[default]
    Start,
    /// At which server.
    Server,
    /// By a login, or from which held mytoken.
    From,
    /// The provider behind it.
    Provider,
    /// Its name.
    Name,
    /// How it is handed out.
    Answer,
    /// What it may do: a row of [`Create::tree`].
    Capability(usize),
    /// The head of a clause, where there are several.
    Clause(usize),
    /// A member of a clause.
    Member(usize, Member),
    /// `+ another clause`
    Another,
    /// A switch of its rotation.
    Turn(Turn),
    /// How long a copy lives.
    Lives,
}

/// A switch of a rotation (mytoken-api.md §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Turn {
    /// A new copy after every access token.
    OnAccess,
    /// A new copy after every other use.
    OnOther,
    /// An old copy in use revokes everything.
    Revokes,
}

/// What a form starts from.
#[derive(Clone, Debug, PartialEq)]
pub enum Start {
    /// A profile of ours or of the user's.
    Profile {
        /// Its short word.
        id: SourceId,
        /// Its name on screen.
        name: String,
        /// The server it is made at.
        server: SourceId,
        /// What it stands for.
        draft: Box<Draft>,
    },
    /// A profile that the server keeps.
    Template {
        /// How requests name it.
        reference: String,
        /// Its content, to be shown.
        content: Untrusted,
    },
    /// Nothing but what every login gets.
    Blank,
}

impl Start {
    /// What it stands for.
    #[must_use]
    pub fn draft(&self) -> Draft {
        match self {
            Self::Profile { draft, .. } => (**draft).clone(),
            // What it stands for is the server's to say: nothing explicit is put over it.
            Self::Template { reference, .. } => {
                Draft { templates: vec![reference.clone()], ..Draft::default() }
            }
            Self::Blank => {
                Draft { capabilities: ["AT", "tokeninfo"].map(Capability::new).to_vec(), ..Draft::default() }
            }
        }
    }
}

/// A part that a profile refills as long as the user has not touched it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// The provider.
    Provider,
    /// The name.
    Name,
    /// What it may do.
    Capabilities,
    /// Its clauses.
    Clauses,
    /// How it renews itself.
    Rotation,
    /// How it is handed out.
    Answer,
}

/// What the server has told of what it offers.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Told {
    /// It is being asked.
    #[default]
    Asking,
    /// This.
    Offers(Box<Offer>),
    /// Nothing: why.
    Nothing(String),
}

/// What lies over the form itself.
#[derive(Clone, Debug, Default)]
pub enum Over {
    /// Nothing.
    #[default]
    Nothing,
    /// The provider's scopes, to choose from, for this clause.
    Scopes(Picking),
    /// The name to save it as a profile under.
    ProfileName(Field),
}

/// Scopes being chosen.
#[derive(Clone, Debug, Default)]
pub struct Picking {
    /// Of which clause.
    pub clause: usize,
    /// The provider's list, and what was typed besides; each chosen or not.
    pub scopes: Vec<(Untrusted, bool)>,
    /// The selected one.
    pub selected: usize,
    /// The first one on screen.
    pub offset: usize,
}

/// The create form.
#[derive(Clone, Debug, Default)]
pub struct Create {
    /// What it starts from, to choose.
    pub starts: Vec<Start>,
    /// Which of them.
    pub start: usize,
    /// Servers to choose.
    pub servers: Vec<SourceId>,
    /// Which of them.
    pub server: usize,
    /// Held mytokens it can be made from, at this server.
    pub parents: Vec<CredentialId>,
    /// Which of them; `None`: by a login.
    pub parent: Option<CredentialId>,
    /// What the server offers.
    pub told: Told,
    /// What the fields come to.
    pub draft: Draft,
    /// Its name, as it is typed.
    pub name: Field,
    /// How long a copy lives, as it is typed.
    pub lives: Field,
    /// Its clauses, as they are typed; at least one.
    pub clauses: Vec<Typed>,
    /// Capabilities whose lower ones are shown.
    pub unfolded: Vec<&'static str>,
    /// The rows of the capabilities.
    pub tree: Vec<Twig>,
    /// What the user has changed himself.
    pub touched: Vec<Group>,
    /// Where the cursor stands.
    pub at: Item,
    /// The first row on screen.
    pub offset: usize,
    /// What is typed and cannot be read, and why.
    pub faults: Vec<(Item, String)>,
    /// What it will be able to do.
    pub words: Vec<String>,
    /// What to know before.
    pub warnings: Vec<Warning>,
    /// The same as a command.
    pub command: String,
    /// When each clause would start and end, in words, if it were made when this was last changed.
    pub moments: Vec<[Option<String>; 2]>,
    /// What lies over it.
    pub over: Over,
    /// JSON from the editor that could not be read: to go on with.
    pub edited: Option<String>,
}

impl Create {
    /// A new form at a server or profile.
    #[must_use]
    pub fn open(state: &State, source: &Source) -> Self {
        let chosen = match &source.kind {
            SourceKind::Profile(profile) => profile.server.clone(),
            SourceKind::Server(_) | SourceKind::Issuer(_) => source.id.clone(),
        };
        let is_server = |source: &&Source| matches!(source.kind, SourceKind::Server(_));
        let servers: Vec<SourceId> =
            state.wallet.sources.iter().filter(is_server).map(|source| source.id.clone()).collect();
        let server = servers.iter().position(|id| *id == chosen).unwrap_or_default();
        let mut form = Self { servers, server, starts: starts(state), ..Self::default() };
        let is_it = |start: &Start| matches!(start, Start::Profile { id, .. } if *id == source.id);
        form.start = form.starts.iter().position(is_it).unwrap_or(form.starts.len() - 1);
        form.look_for_parents(state);
        form.refill(state);
        form
    }

    /// A form for another one like `draft`, at a server.
    #[must_use]
    pub fn again(state: &State, source: &Source, draft: Draft) -> Self {
        let mut form = Self::open(state, source);
        form.start = form.starts.len() - 1;
        form.touched = vec![Group::Provider, Group::Capabilities, Group::Clauses, Group::Rotation];
        let zone = zone(state);
        form.fill(draft, &zone);
        form.take_free_name(state);
        form
    }

    /// The chosen start.
    #[must_use]
    pub fn started(&self) -> &Start {
        self.starts.get(self.start).unwrap_or(&Start::Blank)
    }

    /// The chosen server.
    #[must_use]
    pub fn server(&self) -> Option<&SourceId> {
        self.servers.get(self.server)
    }

    /// What the server offers, where it has told.
    #[must_use]
    pub fn offer(&self) -> Option<&Offer> {
        match &self.told {
            Told::Offers(offer) => Some(offer),
            Told::Asking | Told::Nothing(_) => None,
        }
    }

    /// The forms that this server hands mytokens out in.
    #[must_use]
    pub fn forms(&self) -> Vec<Form> {
        let told = self.offer().map(|offer| offer.forms.clone()).filter(|forms| !forms.is_empty());
        let mut forms = told.unwrap_or_else(|| vec![Form::Token, Form::Short, Form::Code]);
        if !forms.contains(&self.draft.form) {
            forms.push(self.draft.form);
        }
        forms
    }

    /// Whether the user has changed something, so that Esc keeps it as a draft.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        !self.touched.is_empty() || self.parent.is_some() || self.edited.is_some()
    }

    /// Whether letters are typed where the cursor stands.
    #[must_use]
    pub fn is_typing(&self) -> bool {
        match self.over {
            Over::ProfileName(_) => true,
            Over::Scopes(_) => false,
            Over::Nothing => self.field().is_some(),
        }
    }

    /// The scopes that are being chosen.
    #[must_use]
    pub fn picking(&self) -> Option<&Picking> {
        match &self.over {
            Over::Scopes(picking) => Some(picking),
            Over::Nothing | Over::ProfileName(_) => None,
        }
    }

    /// The field at the cursor, if there is one.
    #[must_use]
    pub fn field(&self) -> Option<&Field> {
        self.field_of(self.at)
    }

    /// The field of a place, if it has one.
    #[must_use]
    pub fn field_of(&self, item: Item) -> Option<&Field> {
        match item {
            Item::Name => Some(&self.name),
            Item::Lives => Some(&self.lives),
            Item::Member(clause, member) => self.clauses.get(clause).map(|typed| typed.field(member)),
            _ => None,
        }
    }

    /// The field that typed letters go to.
    pub(crate) fn field_mut(&mut self) -> Option<&mut Field> {
        match (&mut self.over, self.at) {
            (Over::ProfileName(field), _) => Some(field),
            (Over::Nothing, Item::Name) => Some(&mut self.name),
            (Over::Nothing, Item::Lives) => Some(&mut self.lives),
            (Over::Nothing, Item::Member(clause, member)) => {
                self.clauses.get_mut(clause).map(|typed| typed.field_mut(member))
            }
            (Over::Nothing | Over::Scopes(_), _) => None,
        }
    }

    /// The user has changed this part himself: no profile refills it.
    pub(crate) fn touch(&mut self, group: Group) {
        if !self.touched.contains(&group) {
            self.touched.push(group);
        }
    }

    /// The scopes of the chosen provider, where its server tells them.
    #[must_use]
    pub fn offered_scopes(&self) -> &[Untrusted] {
        let provider = self.offer().and_then(|offer| offer.provider(&self.draft.provider));
        provider.map(|provider| provider.scopes.as_slice()).unwrap_or_default()
    }

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
    fn take_free_name(&mut self, state: &State) {
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
fn starts(state: &State) -> Vec<Start> {
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

/// The zone in which moments are typed and read.
pub(crate) fn zone(state: &State) -> TimeZone {
    if state.utc { TimeZone::UTC } else { state.zone.clone() }
}

/// The open form, if it is the topmost window.
#[must_use]
pub fn on_top(state: &State) -> Option<&Create> {
    match state.overlays.last() {
        Some(super::overlay::Overlay::Create(form)) => Some(form),
        _ => None,
    }
}
