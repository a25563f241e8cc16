//! The forms in which a credential's values leave: each a text, made at the moment it is copied.

use std::sync::Arc;

use url::Url;

use super::Wallet;
use super::granted::long_lived;
use crate::domain::credential::{Credential, CredentialId, Grant, RefreshGrant};
use crate::domain::failure::{Failure, Kind};
use crate::domain::form::Form;
use crate::domain::jwt::Jwt;
use crate::domain::secret::Secret;
use crate::domain::snippet::in_shell;
use crate::domain::source::{Client, Source};
use crate::domain::untrusted::cleaned;
use crate::oidc::discovery::Metadata;

impl Wallet {
    /// The text of a form, from what is held now. Nobody is asked.
    ///
    /// # Errors
    /// When the credential holds no such thing.
    pub async fn form(&self, id: &CredentialId, form: Form) -> Result<Secret, Failure> {
        let doing = format!("Copying the {}", form.words());
        let missing = |what: &str| Failure::new(Kind::Unusable, doing.clone(), format!("it holds no {what}"));
        let credential = self
            .store
            .get(id)
            .map_err(|error| Failure::new(Kind::Unusable, doing.clone(), error.to_string()))?;
        let access = || credential.access_for(&credential.ask).ok_or_else(|| missing("access token"));
        match form {
            Form::AccessToken => Ok(access()?.value.clone()),
            Form::Header => Ok(Secret::new(format!("Authorization: Bearer {}", access()?.value.expose()))),
            Form::Claims => {
                let jwt = Jwt::parse(access()?.value.expose())
                    .ok_or_else(|| missing("access token that can be read"))?;
                let claims = serde_json::Value::Object(jwt.claims);
                Ok(Secret::new(cleaned_json(&claims)))
            }
            Form::IdToken => access()?.id_token.clone().ok_or_else(|| missing("ID token")),
            Form::CurlUserinfo => {
                let (_, metadata) = self.provider_of(&credential, &doing).await?;
                let endpoint = metadata.userinfo.as_ref().ok_or_else(|| not_offered(&doing, "userinfo"))?;
                let name = in_shell(&credential.name);
                let line =
                    format!("toktui token {name} --header | curl -fsS -H @- {}", quoted(endpoint.as_str()));
                Ok(Secret::new(line))
            }
            Form::CurlIntrospection => {
                let (source, metadata) = self.provider_of(&credential, &doing).await?;
                let client = source.issuer().and_then(|issuer| self.own_client(issuer).ok().flatten());
                let client = client.filter(Client::may_introspect).ok_or_else(|| {
                    let why = "a provider tells only a client with a secret, that sends it as a header";
                    Failure::new(Kind::Unusable, doing.clone(), why).hint(
                        "Read the token instead (toktui info), or ask whom it speaks for (toktui userinfo).",
                    )
                })?;
                let endpoint =
                    metadata.introspection.as_ref().ok_or_else(|| not_offered(&doing, "introspection"))?;
                Ok(Secret::new(introspection(&credential.name, &client, endpoint)))
            }
            Form::Renewal => {
                long_lived(&credential).ok_or_else(|| missing("refresh token"))?;
                let name = in_shell(&credential.name);
                Ok(Secret::new(format!("export ACCESS_TOKEN=\"$(toktui token {name} --force)\"")))
            }
            Form::RenewalWithToken => {
                let Grant::Refresh(grant) = &credential.grant else { return Err(missing("refresh token")) };
                let (_, metadata) = self.provider_of(&credential, &doing).await?;
                let endpoint =
                    metadata.token.as_ref().ok_or_else(|| not_offered(&doing, "token endpoint"))?;
                Ok(renewal(grant, endpoint))
            }
            Form::Mytoken | Form::RefreshToken => {
                let is_mytoken = matches!(credential.grant, Grant::Mytoken(_));
                long_lived(&credential)
                    .filter(|_| is_mytoken == (form == Form::Mytoken))
                    .cloned()
                    .ok_or_else(|| missing(form.words()))
            }
        }
    }

    /// The provider that its access tokens are of, and what that says of itself.
    async fn provider_of(
        &self,
        credential: &Credential,
        doing: &str,
    ) -> Result<(Source, Arc<Metadata>), Failure> {
        let source = self.provider_behind(credential, doing)?;
        let Some(issuer) = source.issuer() else {
            return Err(Failure::new(Kind::Unusable, doing, "its provider is not listed here"));
        };
        let asked = self.metadata(issuer).await;
        let metadata = asked.map_err(|error| super::words::oidc(doing, Some(&source), &error))?;
        Ok((source, metadata))
    }
}

fn not_offered(doing: &str, what: &str) -> Failure {
    Failure::new(Kind::Unusable, doing, format!("the provider offers no {what}"))
}

/// The token comes through a pipe, and `curl` asks for the secret at the terminal: neither is an argument, which every user of a machine can read.
fn introspection(name: &str, client: &Client, endpoint: &Url) -> String {
    // A form's encoding comes before that of the header (RFC 6749 §2.3.1); a colon would end the id.
    let id: String = url::form_urlencoded::byte_serialize(client.id.as_bytes()).collect();
    let (name, url) = (in_shell(name), quoted(endpoint.as_str()));
    format!("toktui token {name} --no-newline | curl -fsS --data-urlencode token@- -u {} {url}", quoted(&id))
}

/// As token portals show it, but quoted, and encoded: a `#` or `+` in a scope means what it is.
fn renewal(grant: &RefreshGrant, endpoint: &Url) -> Secret {
    let pair = |name: &str, value: &str| format!(" --data-urlencode {}", quoted(&format!("{name}={value}")));
    let scopes: Vec<&str> =
        grant.scopes.iter().map(String::as_str).filter(|scope| *scope != "offline_access").collect();
    let mut line = format!("curl -fsS {}", quoted(endpoint.as_str()));
    if grant.client.secret.is_some() {
        let id: String = url::form_urlencoded::byte_serialize(grant.client.id.as_bytes()).collect();
        line = format!("{line} -u {}", quoted(&id));
    } else {
        line += &pair("client_id", &grant.client.id);
    }
    line += &pair("grant_type", "refresh_token");
    if !scopes.is_empty() {
        line += &pair("scope", &scopes.join(" "));
    }
    line += &pair("refresh_token", grant.current.value.expose());
    Secret::new(line)
}

/// One word for a POSIX shell, whatever is in it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Pretty JSON in which no control character stands as it is: serde escapes C0, but not DEL, C1 and bidi controls.
fn cleaned_json(value: &serde_json::Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.lines().map(cleaned).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_cannot_leave_its_quotes() {
        assert_eq!(quoted("https://x/?a='; rm -rf ~'"), r"'https://x/?a='\''; rm -rf ~'\'''");
    }

    #[test]
    fn claims_are_copied_without_a_character_that_moves_a_terminal() {
        let json = cleaned_json(&serde_json::json!({"name": "a\u{9b}31m\u{202e}b\u{1b}[0m"}));
        assert!(json.chars().all(|c| c == '\n' || !c.is_control()));
        assert!(!json.contains('\u{202e}'));
    }
}
