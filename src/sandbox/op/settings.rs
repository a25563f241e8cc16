//! What a provider is told before it starts: its address, its lifetimes, who may ask and who may sign in.

use std::collections::BTreeMap;

use url::{Host, Url};

use crate::domain::secret::Secret;

/// A provider's settings. [`Settings::new`] gives the sandbox's usual clients and users.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The issuer, exactly as it is published; it may have a path, and no slash at its end.
    pub issuer: String,
    /// The name its pages bear.
    pub name: String,
    /// The registered clients.
    pub clients: Vec<Client>,
    /// Who can sign in.
    pub users: Vec<User>,
    /// The scopes it knows, beside those that a client has by default.
    pub scopes: Vec<String>,
    /// Life of an access token, in seconds, for clients that do not set their own.
    pub access_life: i64,
    /// How long a refresh token may lie unused, in seconds; each refresh starts it anew.
    pub refresh_life: i64,
    /// The same for a refresh token with `offline_access`; `None`: no end.
    pub offline_life: Option<i64>,
    /// The longest life of a sign-in, in seconds: no refresh token without `offline_access` outlives it.
    pub session_life: i64,
    /// Life of an authorization code, in seconds.
    pub code_life: i64,
    /// Whether authorization requests can or must be pushed.
    pub pushing: Pushing,
    /// Who may register a client of his own.
    pub registering: Registering,
    /// Whether tokens are exchanged (RFC 8693), and that announced.
    pub exchange: bool,
    /// Life of a device code, in seconds.
    pub device_life: i64,
    /// The least time between two polls for a device code, in seconds (RFC 8628 §3.5).
    pub device_interval: i64,
}

impl Settings {
    /// A provider with the clients and users of the realm file we test a real Keycloak with
    /// (reference `keycloak-realm.json`), so that the same test can run against both.
    #[must_use]
    pub fn new(issuer: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            name: "Sandbox".to_owned(),
            clients: usual_clients(),
            users: vec![
                User::new("alice", "Alice", "Example", &["dteam", "vo.sandbox.example"]),
                User::new("bob", "Bob", "Example", &[]),
            ],
            scopes: KNOWN_SCOPES.iter().map(|&scope| scope.to_owned()).collect(),
            access_life: 300,
            refresh_life: 1800,
            offline_life: None,
            session_life: 36_000,
            code_life: 60,
            pushing: Pushing::No,
            registering: Registering::No,
            exchange: false,
            device_life: 600,
            device_interval: 5,
        }
    }

    pub(super) fn client(&self, id: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.id == id)
    }

    pub(crate) fn user(&self, username: &str) -> Option<&User> {
        self.users.iter().find(|user| user.username == username)
    }

    /// Whether a client may be given this scope; `claim:value` narrows the scope `claim` (providers.md §1.3).
    pub(super) fn knows(&self, client: &Client, scope: &str) -> bool {
        let base = scope.split_once(':').map_or(scope, |(base, _)| base);
        match base {
            "offline_access" => client.offline_allowed && base == scope,
            _ => self.scopes.iter().any(|known| known == base || known == scope) || client.has_default(scope),
        }
    }
}

const KNOWN_SCOPES: [&str; 11] = [
    "openid",
    "profile",
    "email",
    "phone",
    "voperson_id",
    "eduperson_unique_id",
    "eduperson_entitlement",
    "entitlements",
    "eduperson_assurance",
    "storage.read",
    "storage.write",
];

fn usual_clients() -> Vec<Client> {
    let both = vec!["toktui-confidential".to_owned()];
    vec![
        Client { audience: both.clone(), ..Client::public("toktui") },
        Client {
            require_pkce: false,
            access_life: Some(5),
            refresh_life: Some(10),
            device_life: Some(4),
            device_interval: Some(1),
            ..Client::public("toktui-short")
        },
        Client { audience: both, ..Client::confidential("toktui-confidential", "toktui-secret") },
        Client { honours_audience: true, ..Client::confidential("mytoken", "mytoken-secret") },
    ]
}

/// Whether authorization requests can or must be pushed (RFC 9126).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pushing {
    /// There is no endpoint for it.
    #[default]
    No,
    /// They can.
    Offered,
    /// No other one is answered.
    Required,
}

/// Who may register a client (RFC 7591). The endpoint is always announced, as with Keycloak.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Registering {
    /// Nobody: Keycloak's policy "Trusted Hosts".
    #[default]
    No,
    /// Anyone.
    Open,
    /// Whoever has this initial access token.
    WithToken(Secret),
}

/// How a client's tokens are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signing {
    /// RSA, PKCS #1 v1.5, SHA-256.
    Rs256,
    /// ECDSA on P-256, SHA-256.
    Es256,
}

/// A registered client.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "a registration is a list of switches")]
pub struct Client {
    /// Its `client_id`.
    pub id: String,
    /// Its secret; a client without one is public.
    pub secret: Option<Secret>,
    /// Where it may be sent back to. A loopback address without a port takes any port (RFC 8252 §7.3), a path that
    /// ends in `/*` any path below.
    pub redirect_uris: Vec<String>,
    /// The scopes it always gets.
    pub default_scopes: Vec<String>,
    /// Whether it must use PKCE: in the code flow, and in the device flow too, as with Keycloak.
    pub require_pkce: bool,
    /// Whether it may use the device flow.
    pub device: bool,
    /// Whether its refresh tokens are for one use; using one again kills the whole family (RFC 9700 §4.14.2).
    pub rotates: bool,
    /// Whether its access tokens are JWTs; else they are opaque.
    pub jwt_access: bool,
    /// Whether it may exchange tokens, where the provider does.
    pub exchanges: bool,
    /// Whether it may ask for `offline_access`.
    pub offline_allowed: bool,
    /// Whether `audience` and `resource` in its requests count (RFC 8707); Keycloak ignores them.
    pub honours_audience: bool,
    /// How its JWTs are signed.
    pub signing: Signing,
    /// Audiences that its access tokens always have.
    pub audience: Vec<String>,
    /// Its own life of an access token, in seconds.
    pub access_life: Option<i64>,
    /// Its own idle life of a refresh token, in seconds.
    pub refresh_life: Option<i64>,
    /// Its own life of a device code, in seconds.
    pub device_life: Option<i64>,
    /// Its own least time between two polls, in seconds.
    pub device_interval: Option<i64>,
}

impl Client {
    /// A native program: no secret, PKCE required, any loopback redirect, device flow, rotating refresh tokens.
    #[must_use]
    pub fn public(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            secret: None,
            redirect_uris: ["http://127.0.0.1/*", "http://localhost/*", "http://[::1]/*"]
                .map(str::to_owned)
                .into(),
            default_scopes: ["email", "profile"].map(str::to_owned).into(),
            require_pkce: true,
            device: true,
            rotates: true,
            jwt_access: true,
            exchanges: true,
            offline_allowed: true,
            honours_audience: false,
            signing: Signing::Rs256,
            audience: Vec::new(),
            access_life: None,
            refresh_life: None,
            device_life: None,
            device_interval: None,
        }
    }

    /// A service: a secret, PKCE not required.
    #[must_use]
    pub fn confidential(id: &str, secret: &str) -> Self {
        Self { secret: Some(Secret::new(secret)), require_pkce: false, ..Self::public(id) }
    }

    pub(super) fn has_default(&self, scope: &str) -> bool {
        self.default_scopes.iter().any(|default| default == scope)
    }

    /// The audiences a request names, where its word on it counts: `audience` with spaces between, as mytoken
    /// servers send it, or `resource` (RFC 8707 §2).
    pub(super) fn audience_asked(&self, form: &BTreeMap<String, String>) -> Vec<String> {
        if !self.honours_audience {
            return Vec::new();
        }
        ["audience", "resource"]
            .iter()
            .filter_map(|&name| form.get(name))
            .flat_map(|value| value.split_whitespace())
            .map(str::to_owned)
            .collect()
    }

    /// Whether it may be sent back to `asked` (real-parts.md §2.3).
    pub(super) fn may_return_to(&self, asked: &str) -> bool {
        self.redirect_uris.iter().any(|registered| matches_redirect(registered, asked))
    }
}

fn matches_redirect(registered: &str, asked: &str) -> bool {
    let (Ok(rule), Ok(url)) = (Url::parse(registered), Url::parse(asked)) else { return false };
    if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return false;
    }
    if registered == asked {
        return true;
    }
    let loopback = match rule.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        // A private-use scheme is compared as it stands.
        None => return false,
    };
    let same_port = rule.port() == url.port() || (loopback && rule.port().is_none());
    let same_path = match rule.path().strip_suffix('*') {
        Some(folder) if folder.ends_with('/') => url.path().starts_with(folder),
        _ => rule.path() == url.path() && rule.query() == url.query(),
    };
    rule.scheme() == url.scheme() && rule.host() == url.host() && same_port && same_path
}

/// Somebody who can sign in.
#[derive(Clone, Debug)]
pub struct User {
    /// The subject, unique at this issuer.
    pub sub: String,
    /// The name on the sign-in button, and `preferred_username`.
    pub username: String,
    /// The whole name.
    pub name: String,
    /// The given name.
    pub given_name: String,
    /// The family name.
    pub family_name: String,
    /// The e-mail address.
    pub email: String,
    /// Group memberships, as `urn:mace:…` names.
    pub entitlements: Vec<String>,
}

impl User {
    /// A made-up person at `example.org`, a member of `groups`.
    #[must_use]
    pub fn new(username: &str, given: &str, family: &str, groups: &[&str]) -> Self {
        let print = super::state::print(username).map(|byte| format!("{byte:02x}")).concat();
        let part = |from: usize, to: usize| print.get(from..to).unwrap_or_default();
        let sub =
            format!("{}-{}-4{}-a{}-{}", part(0, 8), part(8, 12), part(12, 15), part(15, 18), part(18, 30));
        Self {
            sub,
            username: username.to_owned(),
            name: format!("{given} {family}"),
            given_name: given.to_owned(),
            family_name: family.to_owned(),
            email: format!("{username}@example.org"),
            entitlements: groups
                .iter()
                .map(|group| format!("urn:mace:example.org:group:{group}:role=member#sandbox.example.org"))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirect_addresses_are_compared_as_keycloak_does() {
        let table = [
            ("http://127.0.0.1/*", "http://127.0.0.1:45123/callback", true),
            ("http://127.0.0.1/*", "http://127.0.0.1:45123/", true),
            ("http://127.0.0.1/*", "http://127.0.0.1:45123", true),
            ("http://127.0.0.1/*", "http://127.0.0.1/", true),
            ("http://localhost/*", "http://localhost:5/x", true),
            ("http://127.0.0.1/callback", "http://127.0.0.1:4444/callback", true),
            ("http://127.0.0.1/callback", "http://127.0.0.1:4444/other", false),
            ("http://127.0.0.1/callback", "http://localhost:4444/callback", false),
            ("http://127.0.0.1/*", "https://127.0.0.1:45123/cb", false),
            ("http://127.0.0.1/*", "http://[::1]:45123/cb", false),
            ("http://[::1]/*", "http://[::1]:4444/cb", true),
            ("http://127.0.0.1:4242/cb", "http://127.0.0.1:4243/cb", false),
            ("https://app.example.org/cb", "https://app.example.org:444/cb", false),
            ("http://127.0.0.1/*", "http://127.0.0.1@evil.example/cb", false),
            ("http://127.0.0.1/*", "http://u@127.0.0.1/cb", false),
            ("http://127.0.0.1/*", "http://127.0.0.1/cb#x", false),
            ("http://127.0.0.1/in/*", "http://127.0.0.1/in/../out", false),
            ("edu.kit.data.oidc-agent:/redirect", "edu.kit.data.oidc-agent:/redirect", true),
            ("edu.kit.data.oidc-agent:/redirect", "edu.kit.data.oidc-agent:/other", false),
            ("http://127.0.0.1/*", "nonsense", false),
        ];
        for (registered, asked, taken) in table {
            assert_eq!(matches_redirect(registered, asked), taken, "{registered} {asked}");
        }
    }

    #[test]
    fn a_scope_with_a_value_is_known_when_its_claim_is() {
        let settings = Settings::new("http://127.0.0.1:1");
        let client = Client { offline_allowed: false, ..Client::public("c") };
        assert!(settings.knows(&client, "entitlements:urn:mace:x#y"));
        assert!(!settings.knows(&client, "nonsense:urn:mace:x#y"));
        assert!(!settings.knows(&client, "offline_access"));
    }
}
