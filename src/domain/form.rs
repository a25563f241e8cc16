//! The forms in which a credential's values can be copied (look/copy).

/// A form of a credential's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// The access token.
    AccessToken,
    /// `Authorization: Bearer …`
    Header,
    /// A `curl` line for userinfo that reads the header from standard input.
    CurlUserinfo,
    /// The content of the access token, as JSON, without its signature.
    Claims,
    /// The ID token that came with it.
    IdToken,
    /// The mytoken: long-lived.
    Mytoken,
    /// The refresh token: long-lived.
    RefreshToken,
}

impl Form {
    /// Every form, in the order of the menu: short-lived first.
    pub const ALL: [Self; 7] = [
        Self::AccessToken,
        Self::Header,
        Self::CurlUserinfo,
        Self::Claims,
        Self::IdToken,
        Self::Mytoken,
        Self::RefreshToken,
    ];

    /// The key of the menu.
    #[must_use]
    pub fn key(self) -> char {
        match self {
            Self::AccessToken => 'y',
            Self::Header => 'h',
            Self::CurlUserinfo => 'u',
            Self::Claims => 'j',
            Self::IdToken => 'i',
            Self::Mytoken => 'm',
            Self::RefreshToken => 't',
        }
    }

    /// What it is, as it stands in a menu and in a message: `the access token of egi`.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::AccessToken => "access token",
            Self::Header => "Authorization header",
            Self::CurlUserinfo => "curl, userinfo",
            Self::Claims => "claims as JSON",
            Self::IdToken => "ID token",
            Self::Mytoken => "mytoken",
            Self::RefreshToken => "refresh token",
        }
    }

    /// Whether whoever has it has it for long.
    #[must_use]
    pub fn is_long_lived(self) -> bool {
        matches!(self, Self::Mytoken | Self::RefreshToken)
    }

    /// Whether it holds a secret at all.
    #[must_use]
    pub fn is_secret(self) -> bool {
        !matches!(self, Self::CurlUserinfo | Self::Claims)
    }
}
