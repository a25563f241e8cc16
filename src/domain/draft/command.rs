//! A draft as the plain command that makes the same.

use super::Draft;

/// What the command builds on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Base<'a> {
    /// The server's short name; `None`: the one of the profile, or of the parent.
    pub server: Option<&'a str>,
    /// A profile by its short name, and its draft: only what differs is said.
    pub profile: Option<(&'a str, &'a Draft)>,
    /// The name of the held mytoken that it is made from.
    pub from: Option<&'a str>,
}

/// The command, quoted for a shell; no secret is in it.
#[must_use]
pub fn command(_draft: &Draft, _base: &Base<'_>) -> String {
    String::new()
}
