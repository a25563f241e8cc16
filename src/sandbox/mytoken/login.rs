//! A login: its start, the way to the provider, and the way back (§2.3.2, §2.14).

use aws_lc_rs::digest;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;

use super::body::Body;
use super::random::{alphanumeric, letters};
use super::refusal::Refusal;
use super::restriction::{Clause, cut};
use super::settings::Provider;
use super::table::{Code, CodeState, Form, Login, Table, Wish};
use super::tighten::shorten;
use super::upstream::{Answer, Granted};
use super::{Asked, Mytokens, asked as read, capability, page};
use crate::domain::secret::Secret;
use crate::sandbox::serve::Response;

/// Longer names do not fit the real server's database; a login with one fails after the user has logged in
/// (§2.3.1).
const LONGEST_NAME: usize = 100;

impl Mytokens {
    /// The mytoken endpoint: by grant type, in the body or the query.
    pub(crate) async fn mytoken_endpoint(&self, asked: &Asked) -> Result<Response, Refusal> {
        let body = Body::json(&asked.request)?;
        let in_query = asked.request.query.get("grant_type").map(String::as_str);
        match body.text("grant_type")?.or(in_query) {
            Some("oidc_flow") => self.start_login(asked, &body),
            Some("polling_code") => self.redeem(asked, body.text("polling_code")?),
            Some("transfer_code") if self.settings().transfer_codes => {
                self.redeem(asked, body.text("transfer_code")?)
            }
            Some("mytoken" | "refresh_token") => self.subtoken(asked, &body).await,
            _ => Err(Refusal::unsupported_grant()),
        }
    }

    fn start_login(&self, asked: &Asked, body: &Body) -> Result<Response, Refusal> {
        let body = &self.unfolded(body)?;
        if let Some(flow) = body.text("oidc_flow")?.filter(|flow| *flow != "authorization_code") {
            return Err(Refusal::invalid_request(format!("value '{flow}' not valid for OIDCFlow")));
        }
        let is_web = body.text("client_type")? == Some("web");
        if is_web && body.text("redirect_uri")?.is_none() {
            return Err(Refusal::invalid_request("parameter redirect_uri must be given for client_type=web"));
        }
        let mut wish = self.wish(asked, body, &self.settings().restriction_keys)?;
        read::place_this(&mut wish.restrictions, &asked.address());
        if super::restriction::end(&wish.restrictions).is_some_and(|end| end < asked.place.now) {
            return Err(Refusal::invalid_request("token would already be expired"));
        }
        let form = self.form(body.text("response_type")?);
        let consent_code = letters(8)?;
        let polling_code = alphanumeric(self.settings().code_length)?;
        let expires = asked.place.now.saturating_add(self.settings().polling_life);
        let mut table = self.table();
        let mut answer = json!({"consent_uri": format!("{}/c/{consent_code}", self.settings().issuer)});
        if !is_web {
            answer["polling_code"] = polling_code.clone().into();
            answer["expires_in"] = self.settings().polling_life.into();
            answer["interval"] = self.settings().polling_interval.into();
            let code = Code { expires, state: CodeState::Pending, is_answer: true };
            table.codes.insert(polling_code.clone(), code);
        }
        let login = Login {
            wish,
            application: body.text("application_name")?.unwrap_or_default().to_owned(),
            form,
            longest: body.number("max_token_len")?,
            polling_code: (!is_web).then_some(polling_code),
            expires,
            state: None,
            verifier: Secret::new(alphanumeric(64)?),
        };
        table.logins.insert(consent_code, login);
        Ok(Response::json(200, &answer))
    }

    /// What a request or a consent asks for.
    ///
    /// `keys` are the members of clauses that are taken over.
    pub(crate) fn wish(&self, asked: &Asked, body: &Body, keys: &[String]) -> Result<Wish, Refusal> {
        let issuer = body.text("oidc_issuer")?.unwrap_or_default();
        let provider = self.provider(issuer).ok_or_else(Refusal::unknown_issuer)?;
        Ok(Wish {
            issuer: provider.issuer,
            name: body.text("name")?.map(str::to_owned),
            capabilities: capability::asked(body.get("capabilities"))?
                .unwrap_or_else(|| capability::DEFAULT.map(str::to_owned).to_vec()),
            restrictions: read::restrictions(body.get("restrictions"), asked.place.now, keys)?,
            rotation: read::rotation(body.get("rotation"))?,
        })
    }

    /// Where the browser goes after the consent; remembers the state that will come back.
    pub(crate) async fn way_to_provider(&self, consent_code: &str, wish: Wish) -> Result<String, Refusal> {
        let provider = self.provider(&wish.issuer).ok_or_else(Refusal::unknown_issuer)?;
        let addresses = self.addresses(&provider).await?;
        let state = alphanumeric(32)?;
        let mut scopes = asked_scopes(&wish.restrictions, &provider.scopes);
        for always in ["openid", "offline_access"] {
            if !scopes.iter().any(|scope| scope == always) {
                scopes.push(always.to_owned());
            }
        }
        let resource = wish.restrictions.iter().flat_map(|clause| &clause.audience).next_back().cloned();
        let mut table = self.table();
        let login = table.logins.get_mut(consent_code).ok_or_else(|| Refusal::internal("Not Found"))?;
        let challenge = BASE64_URL_SAFE_NO_PAD
            .encode(digest::digest(&digest::SHA256, login.verifier.expose().as_bytes()));
        login.wish = wish;
        login.state = Some(state.clone());
        let mut query = vec![
            ("client_id", provider.client_id),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256".to_owned()),
            ("prompt", "consent".to_owned()),
            ("redirect_uri", self.redirect_uri()),
        ];
        // Only the last audience is asked for (RFC 8707), as in the real server.
        query.extend(resource.map(|resource| ("resource", resource)));
        query.extend([("response_type", "code".to_owned()), ("scope", scopes.join(" ")), ("state", state)]);
        let mut url = url::Url::parse(&addresses.authorization)
            .map_err(|_| Refusal::internal("the provider's address is none"))?;
        url.query_pairs_mut().extend_pairs(query);
        Ok(url.into())
    }

    /// The browser is back from the provider: with a code, or with an error.
    pub(crate) async fn back_from_provider(&self, asked: &Asked) -> Response {
        let query = &asked.request.query;
        let state = query.get("state").filter(|state| !state.is_empty());
        let found = {
            let table = self.table();
            let mut logins = table.logins.iter();
            logins
                .find(|(_, login)| state.is_some() && login.state.as_ref() == state)
                .map(|(code, login)| (code.clone(), login.clone()))
        };
        let Some((consent_code, login)) = found.filter(|(_, login)| asked.place.now <= login.expires) else {
            return page::end(400, "Login failed", "State mismatched");
        };
        if let Some(error) = query.get("error") {
            self.table().end_login(&consent_code, true);
            let words = query.get("error_description").map_or("", String::as_str);
            return page::end(555, "Login failed", &format!("{error}: {words}"));
        }
        let code = query.get("code").cloned().unwrap_or_default();
        match self.finish_login(asked, &consent_code, &login, code).await {
            Ok(()) => Response::redirect(303, end_page("/native", &login.application)),
            Err((status, words)) => {
                let forget = !self.traps().failed_login_stays_pending;
                self.table().end_login(&consent_code, forget);
                page::end(status, "Login failed", &words)
            }
        }
    }

    async fn finish_login(
        &self,
        asked: &Asked,
        consent_code: &str,
        login: &Login,
        code: String,
    ) -> Result<(), (u16, String)> {
        let failed = |refusal: Refusal| (refusal.status, refusal.description.unwrap_or(refusal.error));
        let provider = self.provider(&login.wish.issuer).ok_or_else(|| failed(Refusal::unknown_issuer()))?;
        let form = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code),
            ("redirect_uri", self.redirect_uri()),
            ("code_verifier", login.verifier.expose().to_owned()),
        ];
        let granted = match self.ask_provider(&provider, form, &asked.address()).await.map_err(failed)? {
            Answer::Granted(granted) => *granted,
            Answer::Refused { status, words } => return Err((status, words)),
            Answer::Nonsense => return Err((555, "The provider gave no proper answer".to_owned())),
        };
        let Some(refresh_token) = granted.refresh_token.clone() else {
            return Err((555, "Did not receive a refresh token".to_owned()));
        };
        if login.wish.name.as_ref().is_some_and(|name| name.chars().count() > LONGEST_NAME) {
            return Err((500, "Error 1406 (22001): Data too long for column 'name'".to_owned()));
        }
        let wish = self.granted_wish(asked, login.wish.clone(), &provider, &granted);
        let created = asked.event("created", "Used grant_type oidc_flow authorization_code");
        let subject = granted.subject.unwrap_or_default();
        let mut table = self.table();
        let (mom_id, version) =
            self.root(&mut table, wish, &subject, refresh_token, vec![created]).map_err(failed)?;
        let form = self.fitting(login.form, login.longest, &version);
        deliver(&mut table, login, mom_id, version, form);
        table.end_login(consent_code, false);
        Ok(())
    }

    /// What is given in the end: cut to the longest life, and to what the provider granted (§4.6).
    fn granted_wish(&self, asked: &Asked, mut wish: Wish, provider: &Provider, granted: &Granted) -> Wish {
        if let Some(longest) = provider.longest_life {
            shorten(&mut wish.restrictions, asked.place.now.saturating_add(longest));
        }
        if self.traps().clauses_cut_after_login {
            cut(&mut wish.restrictions, granted.scope.as_deref(), &granted.audience);
        }
        wish
    }

    fn redirect_uri(&self) -> String {
        format!("{}/redirect", self.settings().issuer)
    }
}

/// Puts the mytoken behind the polling code.
fn deliver(table: &mut Table, login: &Login, mom_id: String, version: Secret, form: Form) {
    if let Some(code) = login.polling_code.as_ref().and_then(|code| table.codes.get_mut(code)) {
        code.state = CodeState::Ready { mom_id, version, form, is_login: true };
    }
}

/// An end page with the application's name, escaped (the real server forgets that).
pub(crate) fn end_page(path: &str, application: &str) -> String {
    if application.is_empty() {
        return path.to_owned();
    }
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    format!("{path}?{}", query.append_pair("application", application).finish())
}

/// The scopes of all clauses, or all of the provider's if a clause has none.
fn asked_scopes(clauses: &[Clause], all: &[String]) -> Vec<String> {
    if clauses.is_empty() || clauses.iter().any(|clause| clause.scope.is_none()) {
        return all.to_vec();
    }
    let mut scopes = Vec::new();
    for scope in clauses.iter().flat_map(Clause::scopes) {
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    scopes
}
