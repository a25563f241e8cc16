//! A live server set up as the recorded one was, its provider, its clock, and a client.

use std::sync::Arc;

use jiff::SignedDuration;
use jiff::fmt::rfc2822;
use reqwest::redirect::Policy;
use serde_json::Value;
use toktui::domain::secret::Secret;
use toktui::domain::time::{Clock, FixedClock, from_epoch};
use toktui::sandbox::mytoken::{Clause, Issued, Mytokens, Order, Provider, Settings};
use toktui::sandbox::serve::{self, Server};

use super::compare::Answer;
use super::stub::Stub;

pub struct World {
    pub mytokens: Mytokens,
    pub stub: Stub,
    pub base: String,
    pub provider: String,
    clock: Arc<FixedClock>,
    client: reqwest::Client,
    _servers: [Server; 2],
}

impl World {
    /// A world for the scenario of this name. Two of them are of the second recorded instance, with many
    /// features off, and one begins without a template.
    pub async fn new(scenario: &str) -> Self {
        let (bound, provider) =
            (serve::bind(0).await.expect("a port"), serve::bind(0).await.expect("a port"));
        let (base, provider_base) = (bound.base(), provider.base());
        let stub = Stub::default();
        let clock = Arc::new(FixedClock::at(from_epoch(1_795_360_000)));
        let mut settings = Settings {
            issuer: base.clone(),
            providers: vec![
                named(
                    &provider_base,
                    "Stub OP",
                    "openid profile email offline_access storage.read storage.write",
                ),
                named(
                    &format!("{provider_base}{}", Stub::SECOND),
                    "Keycloak",
                    "openid profile email offline_access",
                ),
            ],
            ..Settings::default()
        };
        if scenario == "profiles" {
            settings.templates.clear();
        }
        if ["features-off", "restriction-keys-off"].contains(&scenario) {
            settings.actions = vec!["introspect".to_owned()];
            settings.profiles = false;
            settings.short_tokens = false;
            settings.transfer_codes = false;
            settings.restriction_keys.retain(|key| key != "hosts" && key != "usages_other");
            settings.polling_life = 8;
            settings.polling_interval = 2;
            settings.code_length = 12;
            settings.providers.truncate(1);
            settings.providers.iter_mut().for_each(|provider| provider.longest_life = Some(3600));
        }
        let mytokens = Mytokens::new(settings, clock.clone()).expect("a server");
        let servers = [bound.serve(mytokens.handler()), provider.serve(stub.handler(provider_base.clone()))];
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .tls_certs_only([])
            .build()
            .expect("a client");
        Self { mytokens, stub, base, provider: provider_base, clock, client, _servers: servers }
    }

    /// Sets the clock to the time of a recorded answer. The recorded `Date` lags behind the server's clock by
    /// up to a second; times inside mytokens do not.
    pub fn at(&self, date: &str) {
        let date = rfc2822::parse(date).expect("a date").timestamp();
        self.set(date.as_second() + 1);
    }

    pub fn set(&self, seconds: i64) {
        let by = seconds - self.clock.now().as_second();
        self.clock.advance(SignedDuration::from_secs(by));
    }

    /// Makes the mytoken that has these recorded claims, at the time it was recorded.
    pub fn issue(&self, claims: &Value, parent: Option<String>, short: bool) -> Issued {
        let text = |name: &str| claims[name].as_str().unwrap_or_default().to_owned();
        let restrictions: Vec<Clause> =
            serde_json::from_value(claims["restrictions"].clone()).unwrap_or_default();
        let resource = restrictions.iter().flat_map(|clause| &clause.audience).next_back().cloned();
        let back = self.clock.now().as_second();
        self.set(claims["iat"].as_i64().expect("iat"));
        let issued = self.mytokens.issue(Order {
            name: claims["name"].as_str().map(str::to_owned),
            capabilities: serde_json::from_value(claims["capabilities"].clone()).expect("capabilities"),
            restrictions,
            rotation: serde_json::from_value(claims["rotation"].clone()).unwrap_or_default(),
            issuer: self.localised(&text("oidc_iss")),
            subject: text("oidc_sub"),
            refresh_token: Some(Secret::new(self.stub.refresh_token(resource))),
            short,
            parent,
        });
        self.set(back);
        issued.expect("issued")
    }

    /// Recorded addresses, as live ones.
    pub fn localised(&self, text: &str) -> String {
        [
            ("https://mytoken.example.org", &self.base),
            ("https://mytoken2.example.org", &self.base),
            ("https://op.example.org", &self.provider),
            ("https://op2.example.org", &self.provider),
            ("http://127.0.0.1:8000", &self.base),
            ("http://127.0.0.1:8001", &self.base),
            ("http://127.0.0.1:9010", &self.provider),
            ("http://127.0.0.1:8180", &self.provider),
        ]
        .iter()
        .fold(text.to_owned(), |text, (old, new)| text.replace(old, new))
    }

    /// Sends a request. `from`: the address it shall seem to come from.
    pub async fn send(
        &self,
        method: &str,
        url: &str,
        headers: &[(String, String)],
        body: Option<String>,
        from: Option<&str>,
    ) -> Answer {
        let caller = from.map(|from| (from.parse().expect("an address"), "DE"));
        self.mytokens.set_caller(caller);
        let method = method.parse().expect("a method");
        let mut request = self.client.request(method, url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        let text = |value: &reqwest::header::HeaderValue| value.to_str().unwrap_or_default().to_owned();
        let headers =
            response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let body = response.text().await.expect("a body");
        let body = match serde_json::from_str(&body) {
            Ok(value) => value,
            Err(_) if body.is_empty() => Value::Null,
            Err(_) => Value::String(body),
        };
        Answer { status, headers, body }
    }
}

fn named(issuer: &str, name: &str, scopes: &str) -> Provider {
    Provider {
        issuer: issuer.to_owned(),
        name: name.to_owned(),
        client_id: "mytoken".to_owned(),
        client_secret: Some(Secret::new("not-a-secret")),
        scopes: scopes.split(' ').map(str::to_owned).collect(),
        authorization_endpoint: None,
        token_endpoint: None,
        longest_life: None,
    }
}
