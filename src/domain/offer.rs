//! What a mytoken server offers, as far as it told: a form and a command offer that and no more.

use super::limit::Allowance;
use super::mytoken::Form;
use super::source::SourceId;
use super::untrusted::Untrusted;

/// What a mytoken server offers.
#[allow(clippy::struct_excessive_bools, reason = "features of a server, each on its own")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// The row of the Providers pane it is.
    pub server: Option<SourceId>,
    /// Its base address.
    pub address: String,
    /// Its version: a hint, no more (mytoken-api.md §11).
    pub version: Option<Untrusted>,
    /// The providers behind it.
    pub providers: Vec<Offered>,
    /// The restrictions it enforces, by their names on the wire; empty: it did not tell. Others it drops without a word (§4.1).
    pub restrictions: Vec<String>,
    /// The forms it hands mytokens out in.
    pub forms: Vec<Form>,
    /// Whether a transfer code can be made for a mytoken, and redeemed.
    pub hands_over: bool,
    /// Whether mytokens can be revoked there.
    pub revokes: bool,
    /// Whether it tells a mytoken's history.
    pub tells_history: bool,
    /// Whether it lists all mytokens of a user.
    pub lists: bool,
    /// Whether it shows the tree below a mytoken.
    pub shows_tree: bool,
    /// Its own profiles and templates, by name.
    pub templates: Vec<Template>,
    /// Why these could not be read, so that nobody takes it to have none.
    pub unread: Option<String>,
    /// What is left of its limit on requests, where it told.
    pub allowance: Option<Allowance>,
}

/// A provider behind a mytoken server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// Its issuer, in the very spelling that requests must use.
    pub issuer: Untrusted,
    /// What the server's operator calls it; else its issuer.
    pub name: Untrusted,
    /// Scopes configured there; empty: not told.
    pub scopes: Vec<Untrusted>,
}

/// What a template of a server stands for (§2.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TemplateKind {
    /// A partial order.
    Profile,
    /// Capabilities.
    Capabilities,
    /// One clause or several.
    Restrictions,
    /// A rotation.
    Rotation,
}

/// A profile or template that a server keeps. It is asked for by its name: what is read of it carries times counted from the
/// moment of reading (§2.11), so it is only for showing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The group; `None`: the default one.
    pub group: Option<Untrusted>,
    /// Its name.
    pub name: Untrusted,
    /// What it stands for.
    pub kind: TemplateKind,
    /// Its content as JSON text, to be shown.
    pub content: Untrusted,
}

impl Template {
    /// How requests name it: `name`, or `group/name`.
    #[must_use]
    pub fn reference(&self) -> String {
        match &self.group {
            Some(group) => format!("{}/{}", group.raw(), self.name.raw()),
            None => self.name.raw().to_owned(),
        }
    }
}

impl Offer {
    /// Whether it enforces this restriction, by its name on the wire; what it did not tell it is taken to do.
    #[must_use]
    pub fn enforces(&self, name: &str) -> bool {
        self.restrictions.is_empty() || self.restrictions.iter().any(|known| known == name)
    }

    /// The provider with this issuer, a slash at its end aside (mytoken-api.md §1.2).
    #[must_use]
    pub fn provider(&self, issuer: &str) -> Option<&Offered> {
        let bare = |text: &str| text.trim().trim_end_matches('/').to_owned();
        self.providers.iter().find(|offered| bare(offered.issuer.raw()) == bare(issuer))
    }
}
