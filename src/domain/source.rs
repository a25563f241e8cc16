//! Who can give us tokens: an issuer, a mytoken server, or a profile at such a server.

use super::draft::Draft;
use super::secret::Secret;

/// The short word by which a source is named in config, commands and credentials: `egi`, `mytoken-kit`, `toar`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub String);

impl SourceId {
    /// The word itself. It comes from our assets or from the user's own config, never from a server.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for SourceId {
    fn from(word: &str) -> Self {
        Self(word.to_owned())
    }
}

/// Where an entry of the Providers pane comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Built in: `assets/`.
    Preset,
    /// The user's `config.toml`, alone or laid over a preset.
    Config,
    /// Added by its address, on the board or by `toktui provider add`.
    Added,
    /// The sandbox of `toktui demo`.
    Sandbox,
}

impl Origin {
    /// In a list.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Preset => "built in",
            Self::Config => "config",
            Self::Added => "added",
            Self::Sandbox => "sandbox",
        }
    }
}

/// A row of the Providers pane.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Its short word.
    pub id: SourceId,
    /// Its name on screen.
    pub name: String,
    /// A few dim words beside the name: `cloud, grid`.
    pub note: String,
    /// Where the entry comes from.
    pub origin: Origin,
    /// What kind of giver it is.
    pub kind: SourceKind,
    /// Where the user manages what is active there.
    pub manage_url: Option<String>,
    /// Where a client is registered.
    pub register_url: Option<String>,
    /// Said beside an error of this source.
    pub hints: Vec<String>,
    /// Less often wanted: under `more…` on the first screen while nothing is held there.
    pub folded: bool,
}

/// The three kinds of giver.
#[derive(Clone, Debug, PartialEq)]
pub enum SourceKind {
    /// An OpenID provider.
    Issuer(Box<Issuer>),
    /// A mytoken server.
    Server(Server),
    /// A ready-made order at a mytoken server.
    Profile(Profile),
}

/// What must be known of an OpenID provider that its discovery document does not say (providers.md §10).
#[derive(Clone, Debug, PartialEq)]
pub struct Issuer {
    /// The issuer, byte for byte as the provider prints it; trailing slash and all.
    pub address: String,
    /// Another place for the discovery document.
    pub discovery: Option<String>,
    /// The client to be; without one a login asks for it first.
    pub client: Option<Client>,
    /// Client ids of other programs that work here, each only by an explicit choice.
    pub public_clients: Vec<PublicClient>,
    /// Scopes asked by default.
    pub scopes: Vec<String>,
    /// More scopes worth offering.
    pub suggested_scopes: Vec<String>,
    /// Additional parameters of the authorization request (`prompt`, `access_type`, `claims_in_tokens`).
    pub authorization: Vec<(String, String)>,
    /// The routes worth trying, the preferred first.
    pub routes: Vec<Route>,
    /// Which loopback addresses the client has registered.
    pub redirect: Redirect,
    /// The name of the audience parameter, where the provider has one.
    pub audience_parameter: Option<String>,
    /// What to do about `scope` in a refresh request.
    pub refresh_scope: RefreshScope,
    /// Whether a refresh answer is expected to carry a refresh token.
    pub refresh_returns_refresh: bool,
    /// An `at_hash` that does not fit is a warning here and not the end of a login, because this provider is
    /// known to send such ones (providers.md §3.4; `OpenID` Connect Core §3.1.3.6).
    pub at_hash_only_warns: bool,
    /// Another name that its ID tokens may give it, signed with its own keys all the same (Google: `accounts.google.com`, providers.md §6).
    pub id_token_issuer: Option<String>,
    /// Claims that hold group memberships.
    pub group_claims: Vec<String>,
    /// What the revocation of a refresh token ends besides it, as far as that is known of this provider.
    pub revoking: Vec<String>,
    /// Earlier addresses of this provider: tokens of these are dead, and told so before they are sent.
    pub formerly: Vec<FormerIssuer>,
    /// Whether a client can be had there by asking for one (RFC 7591).
    pub registering: Registering,
    /// Why not, or how, as a sentence fragment; may be empty.
    pub registering_note: String,
    /// Whether [`Issuer::client`] was registered from here: what is secret of it is in the store.
    pub registered: bool,
}

impl Issuer {
    /// A provider of which nothing but its address is known.
    #[must_use]
    pub fn at(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            discovery: None,
            client: None,
            public_clients: Vec::new(),
            scopes: vec!["openid".to_owned()],
            suggested_scopes: Vec::new(),
            authorization: Vec::new(),
            routes: vec![Route::Device, Route::Browser, Route::Paste],
            redirect: Redirect::default(),
            audience_parameter: None,
            refresh_scope: RefreshScope::Omit,
            refresh_returns_refresh: false,
            at_hash_only_warns: false,
            id_token_issuer: None,
            group_claims: Vec::new(),
            revoking: Vec::new(),
            formerly: Vec::new(),
            registering: Registering::default(),
            registering_note: String::new(),
            registered: false,
        }
    }
}

/// An address a provider had before it moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormerIssuer {
    /// The issuer as it stands in old tokens.
    pub address: String,
    /// When it ended, as a sentence fragment: `moved 2022`.
    pub story: String,
}

/// Whether a provider gives a client to whoever asks (RFC 7591 §3). That it has an endpoint for it does not say so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Registering {
    /// As its discovery document says: to anyone, where it announces `registration_endpoint`.
    #[default]
    Announced,
    /// To whoever has an initial access token of its administrators.
    WithToken,
    /// To nobody, or what it gives is of no use.
    Useless,
}

/// Us, as a provider knows us (RFC 6749 §2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// `client_id`.
    pub id: String,
    /// The client secret, for a confidential client.
    pub secret: Option<Secret>,
    /// How the secret is sent; without one the id stands in the body.
    pub auth: ClientAuth,
}

impl Client {
    /// A public client.
    #[must_use]
    pub fn public(id: &str) -> Self {
        Self { id: id.to_owned(), secret: None, auth: ClientAuth::None }
    }

    /// Whether it has a secret, be that at hand or in the store: it says who it is by it.
    #[must_use]
    pub fn has_secret(&self) -> bool {
        self.auth != ClientAuth::None
    }

    /// Whether a line for a shell can ask as this client whether a token is active: it has a secret (Keycloak tells no other), and sends it as a
    /// header, for which `curl` asks. In a form it would have to stand in the line.
    #[must_use]
    pub fn may_introspect(&self) -> bool {
        self.auth == ClientAuth::Basic
    }
}

/// `token_endpoint_auth_method` (RFC 7591 §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAuth {
    /// `none`.
    #[default]
    None,
    /// `client_secret_basic`.
    Basic,
    /// `client_secret_post`.
    Post,
}

/// A client id that belongs to another program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicClient {
    /// The id.
    pub id: String,
    /// Whose it is, and what choosing it means, in a sentence.
    pub note: String,
    /// Its own registered loopback addresses, which are not ours.
    pub redirect: Redirect,
}

/// A way through a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Device authorization grant (RFC 8628).
    Device,
    /// The browser of this machine and a loopback redirect (RFC 8252).
    Browser,
    /// The redirect address pasted back.
    Paste,
    /// A mytoken server's consent page with polling.
    Consent,
}

/// The loopback form that a client has registered (RFC 8252 §7.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// `localhost` instead of `127.0.0.1`.
    pub by_name: bool,
    /// Registered ports, tried in this order; empty: any free one.
    pub ports: Vec<u16>,
    /// The path, with its slash; empty where an address without any was registered (`http://localhost:8080`),
    /// which providers compare character by character. Never a lone slash.
    pub path: String,
}

impl Default for Redirect {
    fn default() -> Self {
        Self { by_name: false, ports: Vec::new(), path: "/callback".to_owned() }
    }
}

/// What a refresh request says about scopes (providers.md §9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RefreshScope {
    /// Nothing.
    #[default]
    Omit,
    /// The scopes of the login.
    Send,
    /// The scopes of the login but `offline_access`.
    SendWithoutOffline,
}

/// A mytoken server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its base address, which is also the `iss` of its mytokens.
    pub address: String,
}

/// A ready-made draft of a mytoken: TOAR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The server it is made at.
    pub server: SourceId,
    /// The mytoken; its provider is chosen, its name is not.
    pub draft: Draft,
}

impl Source {
    /// Its issuer or its server's base address; `None` for a profile, which has none of its own.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        match &self.kind {
            SourceKind::Issuer(issuer) => Some(&issuer.address),
            SourceKind::Server(server) => Some(&server.address),
            SourceKind::Profile(_) => None,
        }
    }

    /// The issuer, if it is one.
    #[must_use]
    pub fn issuer(&self) -> Option<&Issuer> {
        match &self.kind {
            SourceKind::Issuer(issuer) => Some(issuer),
            SourceKind::Server(_) | SourceKind::Profile(_) => None,
        }
    }
}
