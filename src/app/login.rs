//! What the login panel knows.

use super::effect::Task;
use super::field::Field;
use crate::domain::login::{Choice, Order, View};

/// The login panel: every route at once.
#[derive(Clone, Debug)]
pub struct Login {
    /// The running login.
    pub task: Task,
    /// What it is for.
    pub order: Order,
    /// What it shows; `None` until the provider has answered.
    pub view: Option<Box<View>>,
    /// What the browser route has come to: not opened, opened with …, or why not.
    pub opened: Opened,
    /// The paste-back field.
    pub field: Field,
    /// Whether typed letters go there; pasted text goes there from anywhere.
    pub typing: bool,
    /// Whether the QR code is shown alone.
    pub qr_alone: bool,
}

/// What has become of the browser.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Opened {
    /// It waits to be asked for; why.
    #[default]
    NotAsked,
    /// It is being opened.
    Opening,
    /// Opened, with what.
    With(String),
    /// It could not be opened.
    Failed(String),
}

/// The question which provider of a mytoken server to log in with.
#[derive(Clone, Debug)]
pub struct WhichProvider {
    /// What the login is for.
    pub order: Order,
    /// The server's offers.
    pub choices: Vec<Choice>,
    /// The selected one.
    pub selected: usize,
}

/// The question which client to be.
#[derive(Clone, Debug)]
pub struct WhichClient {
    /// What the login is for.
    pub order: Order,
    /// The client id being typed.
    pub field: Field,
    /// 0: the field; from 1: the public ids of the source.
    pub selected: usize,
}
