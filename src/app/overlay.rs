//! What can lie over the panes.

use super::field::Field;
use super::login::{Login, WhichClient, WhichProvider};
use crate::domain::credential::CredentialId;
use crate::domain::failure::Failure;
use crate::domain::login::Report;
use crate::domain::specimen::Specimen;

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
    /// Asked against granted.
    Granted(Box<Report>),
    /// A failure that deserves more than a line.
    Failed(Failure),
    /// The field for a pasted token.
    Paste(Field),
    /// May this server, which nobody has configured, be asked about the pasted token?
    MayAsk(String),
    /// The name to keep a pasted token under.
    KeepAs(Box<Specimen>, Field),
    /// The issuer of a provider to add.
    AddProvider(Field),
    /// Revoke or forget; Cancel is the default.
    Revoke(Revoke),
    /// Quitting would lose something: what.
    QuitLoses(Vec<String>),
    /// The filter of the focused pane is being typed.
    Filter(Field),
}

/// A list in an overlay.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// The selected line.
    pub selected: usize,
    /// The first line on screen.
    pub offset: usize,
}

/// The palette.
#[derive(Clone, Debug, Default)]
pub struct Palette {
    /// What is typed.
    pub field: Field,
    /// The selected match.
    pub selected: usize,
}

/// The revoke dialogue.
#[derive(Clone, Debug)]
pub struct Revoke {
    /// Which credential.
    pub id: CredentialId,
    /// Its name.
    pub name: String,
    /// What ends, line by line.
    pub ends: Vec<String>,
    /// What lives on.
    pub lives_on: Vec<String>,
    /// Whether there is anybody to revoke it at.
    pub revocable: bool,
}
