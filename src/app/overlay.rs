//! What can lie over the panes.

use super::compare::Comparison;
use super::create::{Create, Over};
use super::effect::Target;
use super::family::Window;
use super::field::Field;
use super::handing::Handing;
use super::login::{Login, WhichClient, WhichProvider};
use super::revoke::Revoke;
use super::safe::{Choosing, Stage, Unlock};
use super::sheet::Sheet;
use crate::domain::announced::Announced;
use crate::domain::credential::CredentialId;
use crate::domain::event::Event;
use crate::domain::failure::Failure;
use crate::domain::family::Member;
use crate::domain::introspected::Answer;
use crate::domain::login::{Order, Report};
use crate::domain::registration::Registered;
use crate::domain::source::SourceId;
use crate::domain::specimen::Specimen;
use crate::domain::userinfo::Userinfo;

/// Something over the panes; the topmost one gets the keys.
#[derive(Clone, Debug)]
pub enum Overlay {
    /// All that works now; Enter runs the selected line.
    Help(List),
    /// Any action by its name.
    Palette(Palette),
    /// The menu of forms of a credential.
    CopyMenu(CredentialId, List),
    /// Details of a credential: every access token it holds, every claim; masked.
    Details(CredentialId, List),
    /// The content of the token on show in pane 3.
    Content(List),
    /// The login panel.
    Login(Box<Login>),
    /// Which provider of a mytoken server.
    WhichProvider(WhichProvider),
    /// Which client to be.
    WhichClient(WhichClient),
    /// A client that was just registered, asked against granted; and the login that it is for.
    Registered(Box<Registered>, Order),
    /// The create form.
    Create(Box<Create>),
    /// Asked against granted.
    Granted(Box<Report>),
    /// A failure that deserves more than a line.
    Failed(Failure),
    /// The field for a pasted token.
    Paste(Field),
    /// May this server, which nobody has configured, be asked about the pasted token?
    MayAsk(String, Box<Target>),
    /// The name to keep a pasted token under.
    KeepAs(Box<Specimen>, Field),
    /// The issuer of a provider to add.
    AddProvider(Field),
    /// Revoke or forget; Cancel is the default.
    Revoke(Box<Revoke>),
    /// What shall guard the store; what was wanted goes on after it.
    Guarding(Box<Choosing>),
    /// What opens the locked store; what was wanted goes on after it.
    Unlock(Box<Unlock>),
    /// Another name for a credential.
    Rename(CredentialId, Field),
    /// Quitting would lose something: what.
    QuitLoses(Loss),
    /// The filter of the focused pane is being typed.
    Filter(Field),
    /// All mytokens at a server, or what grew from one.
    Family(Box<Window>),
    /// One of those: its dates, its id in full, its history as far as that was read.
    Member(Box<Member>, List),
    /// One event of a history.
    Event(Box<Event>, List),
    /// What a provider says of the user.
    Userinfo(Box<Userinfo>, List),
    /// What a provider announces.
    Announced(Box<Announced>, List),
    /// What a provider says of the tokens of a login.
    Introspected(Vec<Answer>, List),
    /// What is held at a provider, one below the other.
    Active(SourceId, List),
    /// What is not the same in two tokens.
    Compared(Box<Comparison>, List),
    /// A few lines to fill in.
    Sheet(Box<Sheet>),
    /// A transfer code that waits to be redeemed.
    Handing(Box<Handing>),
}

/// What quitting would lose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// What is kept in memory only, by name.
    pub memory: Vec<String>,
    /// What belongs on disk and could not be written, by name.
    pub unsaved: Vec<String>,
    /// Why that could not be written.
    pub why: Option<String>,
}

/// A list in an overlay.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// The selected line.
    pub selected: usize,
    /// The first line on screen.
    pub offset: usize,
    /// What is searched for in it, where it is a page of claims.
    pub sought: Field,
    /// Whether that is being typed.
    pub typing: bool,
}

/// The palette.
#[derive(Clone, Debug, Default)]
pub struct Palette {
    /// What is typed.
    pub field: Field,
    /// The selected match.
    pub selected: usize,
}

impl Overlay {
    /// The list of a page of claims, in which lines are selected and searched for.
    #[must_use]
    pub fn page(&self) -> Option<&List> {
        match self {
            Self::Details(_, list)
            | Self::Content(list)
            | Self::Active(_, list)
            | Self::Compared(_, list) => Some(list),
            _ => None,
        }
    }

    pub(crate) fn page_mut(&mut self) -> Option<&mut List> {
        match self {
            Self::Details(_, list)
            | Self::Content(list)
            | Self::Active(_, list)
            | Self::Compared(_, list) => Some(list),
            _ => None,
        }
    }

    /// Whether letters are typed there.
    #[must_use]
    pub fn is_typing(&self) -> bool {
        match self {
            Self::Palette(_)
            | Self::Paste(_)
            | Self::KeepAs(..)
            | Self::AddProvider(_)
            | Self::Rename(..)
            | Self::Filter(_) => true,
            Self::Guarding(choosing) => choosing.field().is_some(),
            Self::Unlock(unlock) => unlock.takes_passphrase,
            Self::WhichClient(which) => which.selected == 0,
            Self::Login(login) => login.typing,
            Self::Create(form) => form.is_typing(),
            Self::Family(window) => window.typing,
            Self::Sheet(sheet) => sheet.is_typing(),
            Self::Revoke(dialogue) => dialogue.confirm.is_some(),
            Self::Details(_, list)
            | Self::Content(list)
            | Self::Active(_, list)
            | Self::Compared(_, list) => list.typing,
            Self::Help(_)
            | Self::CopyMenu(..)
            | Self::WhichProvider(_)
            | Self::Registered(..)
            | Self::Granted(_)
            | Self::Failed(_)
            | Self::MayAsk(..)
            | Self::Member(..)
            | Self::Event(..)
            | Self::Userinfo(..)
            | Self::Introspected(..)
            | Self::Announced(..)
            | Self::Handing(_)
            | Self::QuitLoses(_) => false,
        }
    }

    /// The field that typed letters go to.
    pub(crate) fn field_mut(&mut self) -> Option<&mut Field> {
        match self {
            Self::Palette(palette) => Some(&mut palette.field),
            Self::Paste(field)
            | Self::KeepAs(_, field)
            | Self::AddProvider(field)
            | Self::Rename(_, field)
            | Self::Filter(field) => Some(field),
            Self::Guarding(choosing) => choosing.field_mut(),
            Self::Unlock(unlock) => unlock.takes_passphrase.then_some(&mut unlock.field),
            Self::WhichClient(which) => (which.selected == 0).then_some(&mut which.field),
            Self::Login(login) => login.typing.then_some(&mut login.field),
            Self::Create(form) => form.field_mut(),
            Self::Family(window) => window.typing.then_some(&mut window.filter),
            Self::Sheet(sheet) => sheet.field_mut(),
            Self::Revoke(dialogue) => dialogue.confirm.as_mut(),
            Self::Details(_, list)
            | Self::Content(list)
            | Self::Active(_, list)
            | Self::Compared(_, list) => list.typing.then_some(&mut list.sought),
            Self::Help(_)
            | Self::CopyMenu(..)
            | Self::WhichProvider(_)
            | Self::Registered(..)
            | Self::Granted(_)
            | Self::Failed(_)
            | Self::MayAsk(..)
            | Self::Member(..)
            | Self::Event(..)
            | Self::Userinfo(..)
            | Self::Introspected(..)
            | Self::Announced(..)
            | Self::Handing(_)
            | Self::QuitLoses(_) => None,
        }
    }

    /// Whether something is typed in a line that Enter accepts.
    #[must_use]
    pub fn has_text(&self) -> bool {
        match self {
            Self::Paste(field)
            | Self::KeepAs(_, field)
            | Self::AddProvider(field)
            | Self::Rename(_, field) => !field.value().trim().is_empty(),
            Self::Create(form) => {
                matches!(&form.over, Over::ProfileName(field) if !field.value().trim().is_empty())
            }
            _ => false,
        }
    }

    /// Whether one moves through lines in it.
    #[must_use]
    pub fn is_list(&self) -> bool {
        matches!(
            self,
            Self::Help(_)
                | Self::Palette(_)
                | Self::CopyMenu(..)
                | Self::Details(..)
                | Self::Content(_)
                | Self::Active(..)
                | Self::Compared(..)
                | Self::WhichProvider(_)
                | Self::WhichClient(_)
                | Self::Filter(_)
                | Self::Family(_)
                | Self::Member(..)
                | Self::Event(..)
                | Self::Userinfo(..)
                | Self::Introspected(..)
                | Self::Announced(..)
        ) || matches!(self, Self::Guarding(choosing) if matches!(choosing.stage, Stage::Choose))
            || matches!(self, Self::Create(form) if matches!(form.over, Over::Scopes(_)))
    }
}
