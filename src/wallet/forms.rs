//! The forms in which a credential's values leave: each a text, made at the moment it is copied.

use super::Wallet;
use super::granted::long_lived;
use crate::domain::credential::{CredentialId, Grant};
use crate::domain::failure::{Failure, Kind};
use crate::domain::form::Form;
use crate::domain::jwt::Jwt;
use crate::domain::secret::Secret;
use crate::domain::untrusted::cleaned;

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
                let endpoint = self.userinfo_of(&credential.source).await?;
                Ok(Secret::new(format!("curl -H @- {}", quoted(&endpoint))))
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

    async fn userinfo_of(&self, id: &crate::domain::source::SourceId) -> Result<String, Failure> {
        let doing = "Making the userinfo command";
        let source = self.source(id);
        let Some(issuer) = source.as_ref().and_then(|source| source.issuer()) else {
            return Err(Failure::new(Kind::Unusable, doing, "its provider is not listed here"));
        };
        let metadata = self
            .metadata(issuer)
            .await
            .map_err(|error| super::words::oidc(doing, source.as_ref(), &error))?;
        let endpoint = metadata.userinfo.as_ref().map(ToString::to_string);
        endpoint.ok_or_else(|| Failure::new(Kind::Unusable, doing, "the provider offers no userinfo"))
    }
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
