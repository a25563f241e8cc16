//! What the create form knows: a mytoken before it is made, as it is typed.
//!
//! ```text
//! mod      the form, where its cursor can stand, what it starts from
//! filling  what fills it: a profile, a draft, what its server told
//! typed    the members of a clause as they are typed
//! tree     the capabilities as a tree that is folded at its top
//! order    its rows, for any width; what of them is on screen
//! weigh    what the fields come to: the draft, its words, its warnings, its command
//! ```

mod filling;
pub mod order;
pub mod tree;
pub mod typed;
mod weigh;

use jiff::tz::TimeZone;

use super::effect::Task;
use super::field::Field;
use super::state::State;
use crate::domain::credential::CredentialId;
use crate::domain::draft::{Draft, Warning};
use crate::domain::mytoken::{Capability, Form};
use crate::domain::offer::Offer;
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
    /// What no profile refills.
    pub touched: Vec<Group>,
    /// Whether the user has changed any of it himself.
    pub changed: bool,
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
    /// The code that was last asked for with it, and closes it.
    pub code: Option<Task>,
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
        let mut form = Self { servers, server, starts: filling::starts(state), ..Self::default() };
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
        self.changed || self.parent.is_some() || self.edited.is_some()
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
        self.changed = true;
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
