//! The sandbox as a whole: two providers, one that has moved, and a mytoken server, each on a port of its own.

use std::io;
use std::sync::Arc;

use url::Url;

use super::mytoken::{self, Mytokens};
use super::op::{self, Client, Op, User};
use super::serve::{Server, bind};
use super::visitor::{self, Choice, Visitor};
use crate::domain::draft::{Draft, DraftClause, When};
use crate::domain::mytoken as domain;
use crate::domain::secret::Secret;
use crate::domain::source::{
    Client as OurClient, ClientAuth, FormerIssuer, Issuer, Origin, Profile, Server as MytokenServer, Source,
    SourceKind,
};
use crate::domain::time::Clock;
use crate::domain::untrusted::Untrusted;
use crate::http::Http;
use crate::oidc::code::{self, Wish};
use crate::oidc::discovery;
use crate::oidc::pkce::Attempt;

/// The user the demo signs in as.
pub const USER: &str = "jane";
/// Our client at both providers.
pub const CLIENT: &str = "toktui";
/// The id of a client with a secret.
pub const SERVICE: &str = "toktui-confidential";
/// Its secret, which is none: the sandbox is for trials.
pub const SERVICE_SECRET: &str = "toktui-secret";
/// An address on the mytoken server's host at which nobody listens.
pub const NOBODY: &str = "http://127.0.0.1:9";

/// Access tokens of the sandbox live this long, in seconds.
const ACCESS_LIFE: i64 = 3600;
/// Refresh tokens with `offline_access` may lie unused this long, in seconds: 394 days, as with EGI.
const OFFLINE_LIFE: i64 = 394 * 86_400;

/// Why the sandbox did not open.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No loopback port.
    #[error("no loopback port: {0}")]
    Port(#[from] io::Error),
    /// The provider could not be made.
    #[error(transparent)]
    Provider(#[from] op::Error),
    /// The mytoken server could not be made.
    #[error(transparent)]
    Mytokens(#[from] mytoken::Error),
    /// A login at its own provider did not work.
    #[error(transparent)]
    Login(#[from] crate::oidc::Error),
    /// Its own pages led nowhere.
    #[error(transparent)]
    Visitor(#[from] visitor::Error),
    /// A login ended without what was asked.
    #[error("the sandbox's provider gave no refresh token")]
    NoLogin,
}

/// Which ports to listen on; 0: a free one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ports {
    /// The provider.
    pub provider: u16,
    /// The mytoken server.
    pub mytoken: u16,
}

/// A running sandbox. Dropping it closes every port.
pub struct Sandbox {
    /// A provider whose refresh tokens stay.
    pub checkin: Op,
    /// A provider whose refresh tokens are for one use.
    pub grid: Op,
    /// The provider that `checkin` was before it moved.
    pub old: Op,
    /// The mytoken server; its logins happen at `checkin`.
    pub mytokens: Mytokens,
    _servers: [Server; 4],
}

impl Sandbox {
    /// Opens it, on a clock of the caller's.
    ///
    /// # Errors
    /// When a port is taken, or the system gives no random numbers for the keys.
    pub async fn open(clock: &Arc<dyn Clock>, ports: Ports) -> Result<Self, Error> {
        let at_checkin = bind(ports.provider).await?;
        let at_grid = bind(0).await?;
        let at_old = bind(0).await?;
        let at_mytoken = bind(ports.mytoken).await?;
        let realm = |base: &str| format!("{base}/realms/sandbox");
        let provider = |issuer: String, name: &str, rotates: bool| {
            let ours = Client { rotates, ..Client::public(CLIENT) };
            let short = Client { rotates, access_life: Some(30), ..Client::public("toktui-short") };
            // One refresh token stands behind a mytoken and all made from it.
            let mytoken = Client {
                redirect_uris: vec![format!("{}/redirect", at_mytoken.base())],
                rotates: false,
                ..Client::confidential("mytoken", "mytoken-secret")
            };
            // A token portal's, and one with a secret.
            let portal = Client { rotates: false, ..Client::public(crate::domain::portal::CLIENT) };
            let service = Client {
                audience: vec![SERVICE.to_owned()],
                ..Client::confidential(SERVICE, SERVICE_SECRET)
            };
            let settings = op::Settings {
                name: name.to_owned(),
                clients: vec![ours, short, mytoken, portal, service],
                users: vec![
                    User::new(USER, "Jane", "Doe", &["vo.climate.example", "dteam"]),
                    User::new("omar", "Omar", "Haddad", &[]),
                ],
                access_life: ACCESS_LIFE,
                offline_life: Some(OFFLINE_LIFE),
                device_interval: 2,
                // Keycloak's way; the others give a client to anyone, as the grid's providers do.
                registering: if name == "Check-in" { op::Registering::No } else { op::Registering::Open },
                // One that does, and one that does not.
                exchange: rotates,
                ..op::Settings::new(issuer)
            };
            Op::new(settings, Arc::clone(clock))
        };
        let checkin = provider(realm(&at_checkin.base()), "Check-in", false)?;
        let grid = provider(realm(&at_grid.base()), "Grid", true)?;
        let old = provider(realm(&at_old.base()), "Check-in (until it moved)", false)?;
        let settings = mytoken::Settings {
            issuer: at_mytoken.base(),
            providers: vec![mytoken::Provider {
                issuer: checkin.settings().issuer.clone(),
                name: "Check-in".to_owned(),
                client_id: "mytoken".to_owned(),
                client_secret: Some(Secret::new("mytoken-secret")),
                scopes: ["openid", "profile", "email", "eduperson_unique_id", "offline_access"]
                    .map(str::to_owned)
                    .to_vec(),
                authorization_endpoint: None,
                token_endpoint: None,
                longest_life: None,
            }],
            polling_interval: 1,
            ..mytoken::Settings::default()
        };
        let mytokens = Mytokens::new(settings, Arc::clone(clock))?;
        let servers = [
            at_checkin.serve(checkin.handler()),
            at_grid.serve(grid.handler()),
            at_old.serve(old.handler()),
            at_mytoken.serve(mytokens.handler()),
        ];
        Ok(Self { checkin, grid, old, mytokens, _servers: servers })
    }

    /// The rows of the Providers pane for it.
    #[must_use]
    pub fn sources(&self) -> Vec<Source> {
        let formerly = vec![FormerIssuer {
            address: self.old.settings().issuer.clone(),
            story: "moved 2022".to_owned(),
        }];
        vec![
            self.checkin_as(&self.checkin.settings().issuer, formerly),
            row("grid", "Grid", "rotates", issuer(&self.grid.settings().issuer, Vec::new())),
            row(
                "toar",
                "TOAR",
                "by mytoken",
                SourceKind::Profile(Profile { server: "mytoken".into(), draft: self.toar() }),
            ),
            row(
                "mytoken",
                "mytoken Demo",
                "",
                SourceKind::Server(MytokenServer { address: self.mytoken_server() }),
            ),
            row(
                "away",
                "mytoken Away",
                "does not answer",
                SourceKind::Server(MytokenServer { address: NOBODY.to_owned() }),
            ),
        ]
    }

    /// The Check-in row as it stands now, or as it stood before the provider moved.
    #[must_use]
    pub fn checkin_as(&self, address: &str, formerly: Vec<FormerIssuer>) -> Source {
        row("checkin", "Check-in", "cloud, grid", issuer(address, formerly))
    }

    /// What TOAR takes, with a short life.
    fn toar(&self) -> Draft {
        let scopes = ["eduperson_unique_id", "email", "profile"].map(Untrusted::from).to_vec();
        let clause = DraftClause {
            ends: Some(When::In(4 * 86_400)),
            rest: domain::Clause { scopes: Some(scopes), uses_at: Some(15), ..domain::Clause::default() },
            ..DraftClause::default()
        };
        Draft {
            provider: self.checkin.settings().issuer.clone(),
            capabilities: ["AT", "tokeninfo"].map(domain::Capability::new).to_vec(),
            clauses: vec![clause],
            ..Draft::default()
        }
    }

    /// A refresh token for the mytoken server, as it gets one when `user` logs in through it.
    ///
    /// # Errors
    /// When the provider does not give one.
    pub async fn refresh_token(&self, user: &str) -> Result<Secret, Error> {
        let http = Http::default();
        let client = OurClient {
            id: "mytoken".to_owned(),
            secret: Some(Secret::new("mytoken-secret")),
            auth: ClientAuth::Basic,
        };
        let scopes =
            ["openid", "profile", "email", "eduperson_unique_id", "offline_access"].map(str::to_owned);
        let wish = Wish { client: &client, scopes: &scopes, extra: &[] };
        let redirect =
            Url::parse(&format!("{}/redirect", self.mytoken_server())).map_err(|_| Error::NoLogin)?;
        let metadata = discovery::discover(&http, &self.checkin.settings().issuer).await?;
        let attempt = Attempt::random()?;
        let address = code::authorization_url(&metadata, wish, &attempt, &redirect)?;
        let visitor = Visitor::new()?.stopping_before(redirect.as_str());
        let end = visitor.visit(address.as_str(), Choice::Approve, user).await?;
        let code = Secret::new(end.parameter("code").ok_or(Error::NoLogin)?);
        let set = code::redeem(&http, &metadata, &client, &code, &redirect, &attempt.verifier, &[]).await?;
        set.refresh.ok_or(Error::NoLogin)
    }

    /// The mytoken server's address.
    #[must_use]
    pub fn mytoken_server(&self) -> String {
        self.mytokens.settings().issuer.clone()
    }
}

fn issuer(address: &str, formerly: Vec<FormerIssuer>) -> SourceKind {
    let scopes = ["openid", "profile", "email", "eduperson_entitlement", "offline_access"];
    SourceKind::Issuer(Box::new(Issuer {
        client: Some(OurClient::public(CLIENT)),
        scopes: scopes.map(str::to_owned).to_vec(),
        formerly,
        ..Issuer::at(address)
    }))
}

fn row(id: &str, name: &str, note: &str, kind: SourceKind) -> Source {
    Source {
        id: id.into(),
        name: name.to_owned(),
        note: note.to_owned(),
        origin: Origin::Sandbox,
        kind,
        manage_url: None,
        register_url: None,
        hints: Vec::new(),
        folded: false,
    }
}
