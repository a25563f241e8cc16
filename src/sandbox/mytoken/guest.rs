//! The guest provider: the server itself, knowing everybody by their address (§2.12).

use serde_json::json;

use super::random::alphanumeric;
use super::refusal::Refusal;
use super::{Asked, Mytokens};
use crate::sandbox::serve::Response;

impl Mytokens {
    /// Its discovery document: only the two endpoints it needs.
    pub(crate) fn guest_configuration(&self) -> Response {
        let base = self.settings().guest_issuer();
        Response::json(
            200,
            &json!({"authorization_endpoint": format!("{base}/auth"), "token_endpoint": format!("{base}/token")}),
        )
    }

    /// Its sign-in page: there is none, the browser is sent back at once.
    pub(crate) fn guest_sign_in(&self, asked: &Asked) -> Response {
        let state = asked.request.query.get("state").map_or("", String::as_str);
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("state", state)
            .append_pair("code", state)
            .finish();
        Response::redirect(302, format!("{}/redirect?{query}", self.settings().issuer))
    }

    /// Its token endpoint: takes any code and any refresh token.
    pub(crate) fn guest_tokens(&self, asked: &Asked) -> Result<Response, Refusal> {
        let subject = super::claims::user(&asked.address(), "guest");
        let id_token = self.key().signed("JWT", &json!({"sub": format!("guest-{subject}")}))?;
        Ok(Response::json(
            200,
            &json!({
                "access_token": alphanumeric(64)?, "expires_in": 600, "id_token": id_token,
                "refresh_token": alphanumeric(64)?,
            }),
        ))
    }
}
