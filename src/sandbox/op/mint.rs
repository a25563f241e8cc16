//! The answer that hands out tokens.

use serde_json::{Map, Value, json};

use super::keys;
use super::quirks::{ExpiresIn, IdTokenFault};
use super::refusal::{Refusal, unstored};
use super::settings::{Client, User};
use super::state::{Access, Grant, Refresh, State, print};
use super::{Call, profile};
use crate::sandbox::serve::Response;

/// What an answer of the token endpoint is made of.
pub(super) struct Minting<'a> {
    pub(super) client: &'a Client,
    /// The family's name.
    pub(super) family: &'a str,
    /// The scopes of this access token: those of the grant, or fewer.
    pub(super) scopes: &'a [String],
    pub(super) audience: &'a [String],
    /// The nonce of the authorization request, in the first ID token only.
    pub(super) nonce: Option<&'a str>,
}

impl Minting<'_> {
    /// Makes, records and answers the tokens (RFC 6749 §5.1; the fields of Keycloak, in its order).
    pub(super) fn answer(&self, call: &Call, state: &mut State) -> Result<Response, Refusal> {
        let inner = call.inner;
        state.prune(call.now);
        let missing = || Refusal::invalid_grant("Session not active");
        let grant = state.grants.get(self.family).ok_or_else(missing)?;
        let user = inner.settings.user(&grant.username).ok_or_else(missing)?;
        let latest = state
            .sessions
            .get(&grant.sid)
            .filter(|_| !grant.offline)
            .map(|session| session.started.saturating_add(inner.settings.session_life));
        let life = self.client.access_life.unwrap_or(inner.settings.access_life);
        let ends = earlier(call.now.saturating_add(life), latest);

        let claims = self.access_claims(call, grant, user, ends)?;
        let access = if self.client.jwt_access {
            keys::signed(self.client.signing, &claims, None)?
        } else {
            keys::random()?
        };
        let id_token = if self.scopes.iter().any(|scope| scope == "openid") {
            self.id_token(call, grant, user, ends, &access)?
        } else {
            None
        };
        let (refresh, refresh_ends) = self.refresh_token(call, grant, latest)?;

        let mut body = Map::new();
        body.insert("access_token".into(), access.as_str().into());
        match call.quirks.expires_in {
            ExpiresIn::Number => _ = body.insert("expires_in".into(), (ends - call.now).into()),
            ExpiresIn::Text => _ = body.insert("expires_in".into(), (ends - call.now).to_string().into()),
            ExpiresIn::Other(seconds) => _ = body.insert("expires_in".into(), seconds.into()),
            ExpiresIn::Absent => {}
        }
        if !call.quirks.no_refresh_token {
            let left = refresh_ends.map_or(0, |ends| ends - call.now);
            body.insert("refresh_expires_in".into(), left.into());
            body.insert("refresh_token".into(), refresh.as_str().into());
        }
        body.insert("token_type".into(), "Bearer".into());
        if let Some(id_token) = &id_token {
            body.insert("id_token".into(), id_token.as_str().into());
            state.id_tokens.insert(print(id_token), (grant.sid.clone(), self.client.id.clone()));
        }
        body.insert("not-before-policy".into(), 0.into());
        body.insert("session_state".into(), grant.sid.as_str().into());
        body.insert("scope".into(), self.scopes.join(" ").into());

        let family = self.family.to_owned();
        let record = Access { grant: family.clone(), ends, scopes: self.scopes.to_vec(), claims };
        state.access.insert(print(&access), record);
        if !call.quirks.no_refresh_token {
            let record = Refresh { grant: family, ends: refresh_ends, rotated: false };
            state.refresh.insert(print(&refresh), record);
        }
        Ok(unstored(Response::json(200, &Value::Object(body))))
    }

    fn access_claims(&self, call: &Call, grant: &Grant, user: &User, ends: i64) -> Result<Value, Refusal> {
        let mut claims = Map::new();
        claims.insert("exp".into(), ends.into());
        claims.insert("iat".into(), call.now.into());
        claims.insert("auth_time".into(), grant.signed_in.into());
        claims.insert("jti".into(), keys::uuid()?.into());
        claims.insert("iss".into(), call.inner.settings.issuer.as_str().into());
        let audience: Vec<&String> = self.client.audience.iter().chain(self.audience).collect();
        match audience.as_slice() {
            [] => {}
            [one] => _ = claims.insert("aud".into(), one.as_str().into()),
            many => _ = claims.insert("aud".into(), json!(many)),
        }
        claims.insert("sub".into(), user.sub.as_str().into());
        claims.insert("typ".into(), "Bearer".into());
        claims.insert("azp".into(), self.client.id.as_str().into());
        claims.insert("sid".into(), grant.sid.as_str().into());
        claims.insert("acr".into(), "1".into());
        claims.insert("scope".into(), self.scopes.join(" ").into());
        profile::person(user, self.scopes, &mut claims);
        Ok(Value::Object(claims))
    }

    fn id_token(
        &self,
        call: &Call,
        grant: &Grant,
        user: &User,
        ends: i64,
        access: &str,
    ) -> Result<Option<String>, Refusal> {
        let fault = call.quirks.id_token;
        let mut claims = Map::new();
        let ends = if fault == Some(IdTokenFault::Expired) { call.now - 3600 } else { ends };
        claims.insert("exp".into(), ends.into());
        claims.insert("iat".into(), call.now.min(ends).into());
        claims.insert("auth_time".into(), grant.signed_in.into());
        claims.insert("jti".into(), keys::uuid()?.into());
        let issuer = call.inner.settings.issuer.as_str();
        let wrong = fault == Some(IdTokenFault::WrongIssuer);
        claims.insert("iss".into(), if wrong { "https://op.example.net".into() } else { issuer.into() });
        let wrong = fault == Some(IdTokenFault::WrongAudience);
        claims.insert(
            "aud".into(),
            if wrong { "somebody-else".into() } else { self.client.id.as_str().into() },
        );
        claims.insert("sub".into(), user.sub.as_str().into());
        claims.insert("typ".into(), "ID".into());
        claims.insert("azp".into(), self.client.id.as_str().into());
        if let Some(nonce) = self.nonce {
            let wrong = fault == Some(IdTokenFault::WrongNonce);
            claims.insert("nonce".into(), if wrong { "nonce-of-another-login".into() } else { nonce.into() });
        }
        claims.insert("sid".into(), grant.sid.as_str().into());
        let wrong = fault == Some(IdTokenFault::WrongAtHash);
        let hash = keys::half_hash(if wrong { "another access token" } else { access });
        claims.insert("at_hash".into(), hash.into());
        claims.insert("acr".into(), "1".into());
        profile::person(user, self.scopes, &mut claims);
        let claims = Value::Object(claims);
        let token = match fault {
            Some(IdTokenFault::Absent) => return Ok(None),
            Some(IdTokenFault::AlgNone) => {
                keys::unsigned(&json!({"alg": "none", "typ": "JWT"}), &claims) + "."
            }
            Some(IdTokenFault::UnknownKey) => {
                keys::signed(self.client.signing, &claims, Some("nobodys-key"))?
            }
            Some(IdTokenFault::Forged) => {
                // The signature of something else, under these claims.
                let other = keys::signed(self.client.signing, &json!({}), None)?;
                let own = keys::signed(self.client.signing, &claims, None)?;
                let body = own.rsplit_once('.').map_or("", |(body, _)| body);
                let signature = other.rsplit_once('.').map_or("", |(_, signature)| signature);
                format!("{body}.{signature}")
            }
            _ => keys::signed(self.client.signing, &claims, None)?,
        };
        Ok(Some(token))
    }

    /// A refresh token and its end: idle time, held inside the session's; for an offline one its own or none.
    fn refresh_token(
        &self,
        call: &Call,
        grant: &Grant,
        latest: Option<i64>,
    ) -> Result<(String, Option<i64>), Refusal> {
        let inner = call.inner;
        let ends = if grant.offline {
            inner.settings.offline_life.map(|life| call.now.saturating_add(life))
        } else {
            let life = self.client.refresh_life.unwrap_or(inner.settings.refresh_life);
            Some(earlier(call.now.saturating_add(life), latest))
        };
        let mut claims = Map::new();
        if let Some(ends) = ends {
            claims.insert("exp".into(), ends.into());
        }
        claims.insert("iat".into(), call.now.into());
        claims.insert("jti".into(), keys::uuid()?.into());
        claims.insert("iss".into(), inner.settings.issuer.as_str().into());
        claims.insert("aud".into(), inner.settings.issuer.as_str().into());
        let sub = inner.settings.user(&grant.username).map_or("", |user| user.sub.as_str());
        claims.insert("sub".into(), sub.into());
        claims.insert("typ".into(), if grant.offline { "Offline" } else { "Refresh" }.into());
        claims.insert("azp".into(), self.client.id.as_str().into());
        claims.insert("sid".into(), grant.sid.as_str().into());
        claims.insert("scope".into(), grant.scopes.join(" ").into());
        if self.client.rotates {
            claims.insert("reuse_id".into(), self.family.into());
        }
        Ok((keys::sealed(&inner.sealing, &Value::Object(claims)), ends))
    }
}

fn earlier(ends: i64, latest: Option<i64>) -> i64 {
    latest.map_or(ends, |latest| latest.min(ends))
}
