//! The forms in which a credential's values can be copied (look/copy).

/// A form of a credential's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// The access token.
    AccessToken,
    /// `Authorization: Bearer …`
    Header,
    /// A `curl` line for userinfo, to which toktui hands the header through a pipe.
    CurlUserinfo,
    /// The same for introspection, for a client with a secret: `curl` asks for that.
    CurlIntrospection,
    /// A line that draws a new access token with the refresh token, through toktui.
    Renewal,
    /// The content of the access token, as JSON, without its signature.
    Claims,
    /// The ID token that came with it.
    IdToken,
    /// The mytoken: long-lived.
    Mytoken,
    /// The refresh token: long-lived.
    RefreshToken,
    /// The same line as token portals show it: with the refresh token in it.
    RenewalWithToken,
}

impl Form {
    /// Every form, in the order of the menu: short-lived first.
    pub const ALL: [Self; 10] = [
        Self::AccessToken,
        Self::Header,
        Self::CurlUserinfo,
        Self::CurlIntrospection,
        Self::Renewal,
        Self::Claims,
        Self::IdToken,
        Self::Mytoken,
        Self::RefreshToken,
        Self::RenewalWithToken,
    ];

    /// The key of the menu.
    #[must_use]
    pub fn key(self) -> char {
        match self {
            Self::AccessToken => 'y',
            Self::Header => 'h',
            Self::CurlUserinfo => 'u',
            Self::CurlIntrospection => 'q',
            Self::Renewal => 'w',
            Self::Claims => 'j',
            Self::IdToken => 'i',
            Self::Mytoken => 'm',
            Self::RefreshToken => 't',
            Self::RenewalWithToken => 'W',
        }
    }

    /// What it is, as it stands in a menu and in a message: `the access token of egi`.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::AccessToken => "access token",
            Self::Header => "Authorization header",
            Self::CurlUserinfo => "curl, userinfo",
            Self::CurlIntrospection => "curl, introspection",
            Self::Renewal => "renewal command",
            Self::Claims => "claims as JSON",
            Self::IdToken => "ID token",
            Self::Mytoken => "mytoken",
            Self::RefreshToken => "refresh token",
            Self::RenewalWithToken => "renewal with token",
        }
    }

    /// Whether whoever has it has it for long.
    #[must_use]
    pub fn is_long_lived(self) -> bool {
        matches!(self, Self::Mytoken | Self::RefreshToken | Self::RenewalWithToken)
    }

    /// Whether it holds a secret at all.
    #[must_use]
    pub fn is_secret(self) -> bool {
        !matches!(self, Self::CurlUserinfo | Self::CurlIntrospection | Self::Renewal | Self::Claims)
    }
}
