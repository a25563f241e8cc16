//! The consent page and its answers: from a form, or as the JSON that the real page sends (§2.14).

use serde_json::json;

use super::body::Body;
use super::login::end_page;
use super::refusal::Refusal;
use super::table::{CodeState, Login};
use super::{Asked, Mytokens, capability, page, restriction};
use crate::sandbox::serve::Response;

impl Mytokens {
    /// The page; 404 when the code is unknown, used, declined or too old.
    pub(crate) fn consent_page(&self, asked: &Asked, code: &str) -> Response {
        let Some(login) = self.login(asked, code) else {
            let wants_json =
                asked.request.header("accept").is_some_and(|accepted| accepted == "application/json");
            if wants_json {
                return Refusal::new(404, "Not Found", "Not Found").into();
            }
            return page::end(404, "Not found", "There is no such login, or it is over.");
        };
        let provider = self.provider(&login.wish.issuer).map(|provider| provider.name).unwrap_or_default();
        page::consent(&login, &provider)
    }

    /// The user's answer.
    pub(crate) async fn consent(&self, asked: &Asked, code: &str) -> Result<Response, Refusal> {
        let gone = || Refusal::internal("Not Found");
        let login = self.login(asked, code).ok_or_else(gone)?;
        let stated = asked.request.header("content-type").unwrap_or_default();
        if stated.starts_with("application/x-www-form-urlencoded") {
            return self.consent_by_form(asked, code, login).await;
        }
        if asked.request.body.is_empty() {
            let url = self.decline(code, &login);
            return Ok(Response::json(278, &json!({"url": url})));
        }
        let body = self.unfolded(&Body::json(&asked.request)?)?;
        // Also those that the operator switched off: they are kept, but not enforced (§4.1).
        let wish = self.wish(asked, &body, &restriction::KEYS.map(str::to_owned))?;
        known(&wish.capabilities)?;
        let url = self.way_to_provider(code, wish).await?;
        Ok(Response::json(278, &json!({"authorization_uri": url})))
    }

    async fn consent_by_form(&self, asked: &Asked, code: &str, login: Login) -> Result<Response, Refusal> {
        match asked.request.form().get("decision").map(String::as_str) {
            Some("approve") => {
                known(&login.wish.capabilities)?;
                Ok(Response::redirect(303, self.way_to_provider(code, login.wish).await?))
            }
            Some("deny") => Ok(Response::redirect(303, self.decline(code, &login))),
            _ => Ok(Response::redirect(303, format!("/c/{code}"))),
        }
    }

    fn decline(&self, code: &str, login: &Login) -> String {
        let mut table = self.table();
        if let Some(polling) = login.polling_code.as_ref().and_then(|polling| table.codes.get_mut(polling)) {
            polling.state = CodeState::Declined;
        }
        table.end_login(code, false);
        end_page("/native/abort", &login.application)
    }

    fn login(&self, asked: &Asked, code: &str) -> Option<Login> {
        let login = self.table().logins.get(code).cloned();
        login.filter(|login| asked.place.now <= login.expires)
    }
}

/// 0.10.2 checks the names of capabilities only here.
fn known(capabilities: &[String]) -> Result<(), Refusal> {
    match capabilities.iter().find(|name| !capability::is_known(name)) {
        Some(name) => Err(Refusal::invalid_request(format!("unknown capability '{{{name} }}'"))),
        None => Ok(()),
    }
}
