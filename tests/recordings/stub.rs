//! The provider of the recordings: it grants what it is asked, or misbehaves as a scenario wants.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use toktui::sandbox::serve::{Handler, Request, Response};

/// How it behaves from now on.
#[derive(Clone, Debug, Default)]
pub struct Mood {
    /// Who logs in.
    pub subject: String,
    /// What its sign-in page sends back instead of a code.
    pub sign_in_error: Option<String>,
    /// What its token endpoint says instead of giving tokens: status and OAuth error; no error: an HTML page.
    pub refusal: Option<(u16, Option<String>)>,
    /// What it grants, whatever is asked.
    pub grants: Option<String>,
    /// The `aud` of every access token, whatever is asked; empty: none.
    pub audience: Option<String>,
}

#[derive(Clone, Debug, Default)]
struct Grant {
    challenge: String,
    scope: String,
    resource: Option<String>,
}

#[derive(Default)]
struct State {
    mood: Mood,
    codes: HashMap<String, Grant>,
    refresh: HashMap<String, Option<String>>,
    made: u64,
    revoked: u64,
}

/// Two providers on one port: at its root, and at [`Stub::SECOND`], which rotates its refresh tokens.
#[derive(Clone, Default)]
pub struct Stub(Arc<Mutex<State>>);

impl Stub {
    /// The path of the second one.
    pub const SECOND: &'static str = "/realms/toktui";

    pub fn mood(&self, change: impl FnOnce(&mut Mood)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).mood);
    }

    /// How many refresh tokens were revoked.
    pub fn revoked(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).revoked
    }

    /// A refresh token as if a login for `resource` had happened.
    pub fn refresh_token(&self, resource: Option<String>) -> String {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.new_refresh(resource)
    }

    pub fn handler(&self, base: String) -> Handler {
        let stub = self.clone();
        Arc::new(move |request| {
            let response = stub.answer(&base, &request);
            Box::pin(async move { response })
        })
    }

    fn answer(&self, base: &str, request: &Request) -> Response {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (path, second) = match request.path.strip_prefix(Self::SECOND) {
            Some(path) => (path, Self::SECOND),
            None => (request.path.as_str(), ""),
        };
        let issuer = format!("{base}{second}");
        match path {
            "/.well-known/openid-configuration" => Response::json(
                200,
                &json!({
                    "issuer": issuer,
                    "authorization_endpoint": format!("{issuer}/auth"),
                    "token_endpoint": format!("{issuer}/token"),
                    "revocation_endpoint": format!("{issuer}/revoke"),
                }),
            ),
            "/auth" => state.sign_in(&issuer, request),
            "/token" => state.tokens(request, !second.is_empty()),
            "/revoke" => {
                state.revoked += 1;
                Response::empty(200)
            }
            _ => Response::empty(404),
        }
    }
}

impl State {
    fn new_refresh(&mut self, resource: Option<String>) -> String {
        self.made += 1;
        let text = format!("refresh-{}", self.made);
        self.refresh.insert(text.clone(), resource);
        text
    }

    fn sign_in(&mut self, issuer: &str, request: &Request) -> Response {
        let asked = |name: &str| request.query.get(name).cloned().unwrap_or_default();
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        if let Some(error) = &self.mood.sign_in_error {
            query.append_pair("error", error).append_pair("error_description", "the user said no");
        } else {
            self.made += 1;
            let code = format!("code-{}", self.made);
            let resource = request.query.get("resource").cloned();
            let grant = Grant { challenge: asked("code_challenge"), scope: asked("scope"), resource };
            self.codes.insert(code.clone(), grant);
            query.append_pair("code", &code);
        }
        query.append_pair("state", &asked("state")).append_pair("iss", issuer);
        Response::redirect(302, format!("{}?{}", asked("redirect_uri"), query.finish()))
    }

    fn tokens(&mut self, request: &Request, rotates: bool) -> Response {
        let refused = |error: &str| {
            Response::json(400, &json!({"error": error, "error_description": "Token is not active"}))
        };
        match &self.mood.refusal {
            Some((status, Some(error))) => {
                let body = json!({"error": error, "error_description": "Token is not active"});
                return Response::json(*status, &body);
            }
            Some((status, None)) => return Response::html(*status, "<h1>Service Unavailable</h1>"),
            None => {}
        }
        let form = request.form();
        let sent = |name: &str| form.get(name).cloned().unwrap_or_default();
        let (scope, resource, refresh) = if sent("grant_type") == "authorization_code" {
            let Some(grant) = self.codes.remove(&sent("code")) else { return refused("invalid_grant") };
            let digest = digest::digest(&digest::SHA256, sent("code_verifier").as_bytes());
            if BASE64_URL_SAFE_NO_PAD.encode(digest) != grant.challenge {
                return refused("invalid_grant");
            }
            let refresh = self.new_refresh(grant.resource.clone());
            (grant.scope, grant.resource, Some(refresh))
        } else {
            let old = sent("refresh_token");
            let Some(granted) = self.refresh.get(&old).cloned() else { return refused("invalid_grant") };
            let new = rotates.then(|| {
                self.refresh.remove(&old);
                self.new_refresh(granted.clone())
            });
            (sent("scope"), form.get("resource").cloned().or(granted), new)
        };
        let mut claims = json!({"sub": self.mood.subject});
        let audience = self.mood.audience.clone().or(resource).filter(|audience| !audience.is_empty());
        if let Some(audience) = audience {
            claims["aud"] = audience.into();
        }
        let mut answer = json!({
            "access_token": unsigned(&claims), "token_type": "Bearer", "expires_in": 3600,
            "scope": self.mood.grants.clone().unwrap_or(scope),
            "id_token": unsigned(&json!({"sub": self.mood.subject})),
        });
        if let Some(refresh) = refresh {
            answer["refresh_token"] = refresh.into();
        }
        Response::json(200, &answer)
    }
}

/// A JWT as long as one signed with RS256. Nobody here checks its signature.
fn unsigned(claims: &Value) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", part(&json!({"alg": "RS256", "typ": "JWT"})), part(claims), "A".repeat(342))
}
