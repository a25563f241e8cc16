//! The protocols of the room `oidc`, used as a login does, at a real provider with somebody who signs in.
#![allow(dead_code, reason = "each test file uses its part")]

use std::process::Stdio;

use tokio::process::{Child, Command};
use url::Url;

use toktui::desktop::clock::SystemClock;
use toktui::domain::secret::Secret;
use toktui::domain::source::{Client, Redirect, RefreshScope};
use toktui::domain::time::Clock;
use toktui::domain::untrusted::Untrusted;
use toktui::http::{Http, Limits};
use toktui::oidc::callback::Expectation;
use toktui::oidc::device::{self, End, Schedule};
use toktui::oidc::discovery::{self, Metadata};
use toktui::oidc::id_token::{self, Checked};
use toktui::oidc::keys::KeySet;
use toktui::oidc::loopback::Listener;
use toktui::oidc::pkce::{Attempt, Verifier};
use toktui::oidc::tokens::TokenSet;
use toktui::oidc::{Error, code, refresh, userinfo};

/// The server's own words.
pub fn said(error: &Error) -> String {
    let refusal = error.refusal().unwrap_or_else(|| panic!("no refusal: {error:?}"));
    let description = refusal.description.as_ref().map_or("", Untrusted::raw);
    format!("{}: {description}", refusal.error.raw())
}

/// Somebody who opens an address and goes on until the end: a script of `tests/real`.
#[derive(Clone, Copy)]
pub struct User(pub &'static str);

impl User {
    pub fn opens(self, address: &Url, words: &[&str]) -> Child {
        let mut command = Command::new("node");
        command.arg(self.0).arg(address.as_str()).args(words);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap()
    }
}

/// The page it ended on.
pub async fn finished(browser: Child) -> String {
    let output = browser.wait_with_output().await.unwrap();
    assert!(output.status.success(), "the browser failed: {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// A provider, and somebody who signs in there.
pub struct Op {
    pub http: Http,
    pub metadata: Metadata,
    user: User,
}

/// A code, fresh from the browser.
pub struct Caught {
    pub code: Secret,
    pub redirect: Url,
    pub attempt: Attempt,
}

pub struct Login {
    pub tokens: TokenSet,
    pub nonce: Secret,
}

impl Op {
    pub async fn at(issuer: &str, user: User) -> Self {
        let http = Http::new(Limits::default());
        let metadata = discovery::discover(&http, issuer).await.unwrap();
        Self { http, metadata, user }
    }

    /// Sends a browser to the provider and waits for what it brings back.
    pub async fn browse(
        &self,
        client: &str,
        scopes: &[String],
        extra: &[(String, String)],
        attempt: &Attempt,
    ) -> (Result<Secret, Error>, Url) {
        self.browse_to(&Redirect::default(), client, scopes, extra, attempt).await
    }

    pub async fn browse_to(
        &self,
        registered: &Redirect,
        client: &str,
        scopes: &[String],
        extra: &[(String, String)],
        attempt: &Attempt,
    ) -> (Result<Secret, Error>, Url) {
        let listener = Listener::bind(registered).await.unwrap();
        let redirect = listener.redirect_uri().clone();
        let client = Client::public(client);
        let wish = code::Wish { client: &client, scopes, extra };
        let address = code::authorization_url(&self.metadata, wish, attempt, &redirect).unwrap();
        let expected = Expectation::of(attempt, &self.metadata, &redirect);
        let browser = async {
            // An error page of Keycloak's own ends the test at once: the listener would wait for ever.
            let page = finished(self.user.opens(&address, &[])).await;
            assert!(page.starts_with(redirect.as_str()), "it ends at our own page: {page}");
        };
        let (caught, ()) = tokio::join!(listener.wait(&expected), browser);
        (caught, redirect)
    }

    pub async fn catch_code(&self, client: &str, scopes: &[&str], extra: &[(String, String)]) -> Caught {
        let attempt = Attempt::random().unwrap();
        let scopes: Vec<_> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let (code, redirect) = self.browse(client, &scopes, extra, &attempt).await;
        Caught { code: code.unwrap(), redirect, attempt }
    }

    pub async fn log_in(&self, client: &str, scopes: &[&str]) -> Login {
        let Caught { code, redirect, attempt } = self.catch_code(client, scopes, &[]).await;
        let client = Client::public(client);
        let verifier = &attempt.verifier;
        let tokens = code::redeem(&self.http, &self.metadata, &client, &code, &redirect, verifier, &[]).await;
        Login { tokens: tokens.unwrap(), nonce: attempt.nonce }
    }

    pub async fn try_device(&self, client: &str) -> Result<(Verifier, device::Started), Error> {
        let verifier = Verifier::random().unwrap();
        let (client, scopes) = (Client::public(client), ["openid".to_owned()]);
        let wish = code::Wish { client: &client, scopes: &scopes, extra: &[] };
        let started = device::start(&self.http, &self.metadata, wish, &verifier).await?;
        Ok((verifier, started))
    }

    pub async fn start_device(&self, client: &str) -> (Verifier, device::Started) {
        self.try_device(client).await.unwrap()
    }

    /// Polls until the end.
    pub async fn poll(&self, client: &Client, started: &device::Started, verifier: &Verifier) -> End {
        let mut schedule = Schedule::new(started, SystemClock.now());
        while schedule.turn().await {
            let poll = device::poll_once(&self.http, &self.metadata, client, started, verifier, &[]).await;
            if let Some(end) = schedule.heard(poll, SystemClock.now()) {
                return end;
            }
        }
        End::Expired
    }

    pub async fn refresh(&self, client: &str, tokens: &TokenSet) -> Result<TokenSet, Error> {
        let client = Client::public(client);
        let policy = RefreshScope::Omit;
        let wish = refresh::Wish { client: &client, policy, scopes: &[], narrowed: None, extra: &[] };
        refresh::refresh(&self.http, &self.metadata, wish, tokens.refresh.as_ref().unwrap()).await
    }

    pub async fn check(
        &self,
        client: &str,
        tokens: &TokenSet,
        nonce: Option<&Secret>,
    ) -> Result<Checked, Error> {
        let mut keys = KeySet::fetch(&self.http, &self.metadata).await?;
        let expected = id_token::Expected {
            issuer: &self.metadata.issuer,
            client,
            nonce,
            access: Some(&tokens.access),
            subject: None,
            now: SystemClock.now(),
        };
        id_token::verify(&self.http, &mut keys, tokens.id_token.as_ref().unwrap(), expected).await
    }

    pub async fn ask_user(&self, access: &Secret) -> Result<userinfo::Userinfo, Error> {
        userinfo::userinfo(&self.http, &self.metadata, access, None, None).await
    }
}
