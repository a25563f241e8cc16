//! What is asked for in a new mytoken. What comes may differ (mytoken-api.md §2.3.1, §12.14).

use super::{Capability, Clause, Rotation};
use crate::domain::untrusted::Untrusted;

/// The server breaks at longer names, and of a login only after the user has logged in (§2.3.1).
pub const LONGEST_NAME: usize = 89;

/// How a mytoken is handed out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// A JWT, which shows its content offline.
    #[default]
    Token,
    /// A short opaque one.
    Short,
    /// A code of eight letters that is redeemed for it, once and soon.
    Code,
}

impl Form {
    /// Its name on the wire (`response_type`).
    #[must_use]
    pub const fn wire(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Short => "short_token",
            Self::Code => "transfer_code",
        }
    }

    /// In a few words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Token => "a token that shows its content",
            Self::Short => "a short token",
            Self::Code => "a transfer code",
        }
    }
}

/// An order for a new mytoken, with moments and numbers only: what is shown is what is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The provider to log in at, by its issuer in the spelling of the server's list. Of a subtoken it is the parent's, and not sent.
    pub provider: Untrusted,
    /// Its name.
    pub name: Option<String>,
    /// What it may do; empty: the server's default, [`Wanted::capabilities`].
    pub capabilities: Vec<Capability>,
    /// Its restrictions, one alternative each; empty: none.
    pub restrictions: Vec<Clause>,
    /// How it renews itself.
    pub rotation: Option<Rotation>,
    /// Its form.
    pub form: Form,
    /// Profiles of the server that are merged under all this (§2.11): by name, or `group/name`.
    pub templates: Vec<String>,
    /// Who asks, for the consent page: `toktui on laptop`.
    pub application: Option<String>,
}

/// Why an order is not worth sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No provider.
    #[error("no provider is chosen")]
    NoProvider,
    /// The login would fail after the user has logged in.
    #[error("the name is longer than {LONGEST_NAME} characters")]
    NameTooLong,
    /// Such a mytoken cannot be used: every request that would rotate it fails after 50 s (§2.3.6).
    #[error("a short mytoken cannot rotate: take the long form, or no rotation")]
    ShortRotates,
    /// The second other use of such a mytoken breaks the server (§4.7).
    #[error("a limit on other uses needs a limit on access tokens beside it, or the server fails")]
    OtherUsesAlone,
}

impl Wanted {
    /// What it is to be able to do: what was named, or the default of a login (§3.3). Profiles of the server may add to it.
    #[must_use]
    pub fn may(&self) -> Vec<Capability> {
        if self.capabilities.is_empty() && self.templates.is_empty() {
            vec![Capability::new("AT"), Capability::new("tokeninfo")]
        } else {
            self.capabilities.clone()
        }
    }

    /// Whether it is worth sending, wherever the login behind it comes from.
    ///
    /// # Errors
    /// Names what would fail later, or at every use.
    pub fn check(&self) -> Result<(), Fault> {
        if self.name.as_ref().is_some_and(|name| name.chars().count() > LONGEST_NAME) {
            return Err(Fault::NameTooLong);
        }
        let rotates = self.rotation.is_some_and(Rotation::rotates);
        if self.form == Form::Short && rotates {
            return Err(Fault::ShortRotates);
        }
        if self.restrictions.iter().any(|clause| clause.uses_other.is_some() && clause.uses_at.is_none()) {
            return Err(Fault::OtherUsesAlone);
        }
        Ok(())
    }

    /// The same for one that is asked for by a login.
    ///
    /// # Errors
    /// [`Fault::NoProvider`], and as for [`Wanted::check`].
    pub fn check_login(&self) -> Result<(), Fault> {
        if self.provider.raw().trim().is_empty() {
            return Err(Fault::NoProvider);
        }
        self.check()
    }
}
