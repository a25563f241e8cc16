//! Access tokens: what is asked from the provider, what is counted, and what comes back (§2.2).

use serde_json::{Map, json};

use super::body::Body;
use super::presented::Presented;
use super::refusal::Refusal;
use super::restriction::{Clause, Use, count, words};
use super::rotation::Update;
use super::settings::Provider;
use super::upstream::{Answer, Granted};
use super::{Asked, Mytokens};
use crate::sandbox::serve::Response;

/// Grant types that exist but give no access token here.
const OTHER_GRANTS: [&str; 4] = ["oidc_flow", "polling_code", "transfer_code", "ssh"];

/// An access token request that passed all checks, and what to send to the provider for it.
struct Errand {
    presented: Presented,
    wanted: Use,
    provider: Provider,
    login: u64,
    scope: String,
    audiences: Vec<String>,
}

impl Mytokens {
    /// The access token endpoint.
    pub(crate) async fn access_token(&self, asked: &Asked) -> Result<Response, Refusal> {
        let errand = self.errand(asked, &Body::by_type(&asked.request)?)?;
        let granted = self.refreshed(asked, &errand).await?;
        self.hang_if_short(&errand.presented, true).await?;
        let update = self.settle(asked, &errand)?;
        let mut answer = Map::new();
        answer.insert("access_token".to_owned(), granted.access_token.into());
        answer.insert("token_type".to_owned(), granted.token_type.into());
        answer.insert("expires_in".to_owned(), granted.expires_in.into());
        answer.insert("scope".to_owned(), granted.scope.unwrap_or(errand.scope).into());
        if !granted.audience.is_empty() {
            answer.insert("audience".to_owned(), json!(granted.audience));
        }
        Ok(Update::answer(update, 200, answer))
    }

    /// Asks the provider, one request after the other: it may rotate the refresh token, which all mytokens of
    /// a login share, and end them all when an old one comes twice.
    async fn refreshed(&self, asked: &Asked, errand: &Errand) -> Result<Granted, Refusal> {
        let _turn = self.turn().await;
        let refresh_token = self.table().refresh.get(&errand.login).cloned();
        let refresh_token =
            refresh_token.ok_or_else(|| Refusal::invalid_token("No refresh token attached"))?;
        let mut form = vec![
            ("grant_type", "refresh_token".to_owned()),
            ("refresh_token", refresh_token.expose().to_owned()),
            ("scope", errand.scope.clone()),
        ];
        form.extend(errand.audiences.iter().map(|audience| ("resource", audience.clone())));
        let granted = match self.ask_provider(&errand.provider, form, &asked.address()).await? {
            Answer::Granted(granted) => *granted,
            Answer::Refused { status, words } => return Err(Refusal::new(status, "oidc_error", words)),
            Answer::Nonsense if self.traps().empty_access_token => nothing(),
            Answer::Nonsense => {
                return Err(Refusal::new(555, "oidc_error", "the provider gave no proper answer"));
            }
        };
        let mut table = self.table();
        if let Some(new) =
            granted.refresh_token.as_ref().filter(|_| table.refresh.contains_key(&errand.login))
        {
            table.refresh.insert(errand.login, new.clone());
        }
        Ok(granted)
    }

    fn errand(&self, asked: &Asked, body: &Body) -> Result<Errand, Refusal> {
        match body.text("grant_type")? {
            Some("mytoken" | "refresh_token") => {}
            Some(grant) if !OTHER_GRANTS.contains(&grant) => {
                return Err(Refusal::invalid_request(format!("value '{grant}' not valid for GrantType")));
            }
            _ => return Err(Refusal::unsupported_grant()),
        }
        let (scopes, audiences) = (words(body.text("scope")?), words(body.text("audience")?));
        let issuer = body.text(if body.is_form() { "issuer" } else { "oidc_issuer" })?;
        let presented = self.presented(asked, body, &["mytoken", "refresh_token"])?;
        let mut table = self.table();
        let row = self.alive(&mut table, &presented, asked.place.now)?;
        Self::capable(&presented, "AT")?;
        let wanted = Use::AccessToken { scopes: scopes.clone(), audiences: audiences.clone() };
        let clause = self.permitted(row, &wanted, asked)?;
        if issuer.is_some_and(|issuer| issuer != presented.claims.oidc_iss) {
            return Err(Refusal::invalid_request("token not for specified issuer"));
        }
        self.opens(row, &presented)?;
        let provider = self.provider(&presented.claims.oidc_iss).ok_or_else(Refusal::unknown_issuer)?;
        let login = row.login;
        let scope = scope_sent(clause.as_ref(), scopes, &provider);
        let audiences = if clause.is_some() { audiences } else { Vec::new() };
        drop(table);
        Ok(Errand { presented, wanted, provider, login, scope, audiences })
    }

    /// Counts, writes the event, rotates: all or nothing.
    fn settle(&self, asked: &Asked, errand: &Errand) -> Result<Option<Update>, Refusal> {
        let mut table = self.table();
        let row = table.rows.get_mut(&errand.presented.mom_id).ok_or_else(Refusal::dead)?;
        self.not_overtaken(row, &errand.presented)?;
        // Asked again, because another request may have used up the last use meanwhile.
        let clause = self.permitted(row, &errand.wanted, asked)?;
        row.events.push(asked.event("AT_created", "Used grant_type mytoken"));
        if let Some(clause) = &clause {
            count(&mut row.counters, clause, &errand.wanted);
        }
        self.rotated(&mut table, &errand.presented, asked, true)
    }
}

/// What 0.10.2 takes an answer for that is neither tokens nor an OAuth error.
fn nothing() -> Granted {
    Granted {
        access_token: String::new(),
        token_type: String::new(),
        expires_in: 0,
        scope: None,
        refresh_token: None,
        subject: None,
        audience: Vec::new(),
    }
}

/// The scope sent to the provider: all of its scopes for an unrestricted mytoken, whatever was asked; else
/// what was asked, or what the clause has.
fn scope_sent(clause: Option<&Clause>, asked: Vec<String>, provider: &Provider) -> String {
    let Some(clause) = clause else { return provider.scopes.join(" ") };
    let mut scopes = if asked.is_empty() { clause.scopes() } else { asked };
    if scopes.is_empty() {
        scopes.clone_from(&provider.scopes);
    }
    let offline = "offline_access".to_owned();
    if provider.scopes.contains(&offline) && !scopes.contains(&offline) {
        scopes.push(offline);
    }
    scopes.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_restricted_mytoken_has_its_scopes_respected() {
        let provider = Provider {
            issuer: String::new(),
            name: String::new(),
            client_id: String::new(),
            client_secret: None,
            scopes: ["openid", "profile", "offline_access"].map(str::to_owned).to_vec(),
            authorization_endpoint: None,
            token_endpoint: None,
            longest_life: None,
        };
        let counting = Clause { usages_at: Some(9), ..Clause::default() };
        let scoped: Clause = serde_json::from_value(json!({"scope": "profile"})).expect("a clause");
        let sent = |clause, asked: &str| scope_sent(clause, words(Some(asked)), &provider);
        assert_eq!(sent(None, "profile"), "openid profile offline_access");
        assert_eq!(sent(Some(&counting), "profile"), "profile offline_access");
        assert_eq!(sent(Some(&counting), ""), "openid profile offline_access");
        assert_eq!(sent(Some(&scoped), ""), "profile offline_access");
    }
}
