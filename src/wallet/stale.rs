//! What must not be sent: a copy that a newer one has replaced, a token of an issuer that is no more.

use super::Wallet;
use crate::domain::credential::{Credential, CredentialId, Grant, Health, RefreshGrant};
use crate::domain::jwt::Jwt;
use crate::domain::mytoken::Facts;
use crate::domain::secret::Secret;
use crate::domain::source::{Issuer, Source};
use crate::domain::specimen::{Kind, Specimen};
use crate::store::Newer;

impl Wallet {
    /// Whether a newer copy of this mytoken or refresh token is held here (design.md §5).
    pub(super) fn newer_than(&self, value: &Secret, facts: Option<&Facts>) -> Option<Newer> {
        let family = facts.and_then(|facts| facts.mom_id.as_ref().map(|id| id.raw()).zip(facts.copy));
        self.store.newer_than(value, family)
    }

    /// The credential here that a pasted token is, or is an older copy of.
    #[must_use]
    pub fn held_as(&self, specimen: &Specimen) -> Option<CredentialId> {
        let facts = match &specimen.kind {
            Kind::Mytoken(facts) => Some(&**facts),
            _ => None,
        };
        let holder = self.store.holder_of(&specimen.value);
        holder.or_else(|| self.newer_than(&specimen.value, facts).map(|newer| newer.id))
    }

    /// Marks the logins whose issuer `source` names as a former one.
    pub(super) fn bury_those_of_former_issuers(&self, source: &Source) {
        let Some(issuer) = source.issuer() else { return };
        for held in self.held().iter() {
            let Some(credential) = self.store.get(&held.id) else { continue };
            if let Some(story) = former(issuer, &credential)
                && !matches!(credential.health, Health::Dead(_))
            {
                let why = format!("its issuer {story}");
                self.store.mark(&held.id, Health::Dead(why));
            }
        }
    }
}

/// The story of the former issuer that this login belongs to, if it belongs to one.
fn former(issuer: &Issuer, credential: &Credential) -> Option<String> {
    let Grant::Refresh(grant) = &credential.grant else { return None };
    issuer.formerly.iter().find(|former| former.address == grant.issuer).map(|former| former.story.clone())
}

/// Why this refresh token belongs to somebody else than the provider and client it would be sent to, by its own claims
/// (providers.md §2.4): such a token is not sent, because the answer would only say "invalid".
pub(super) fn foreign(grant: &RefreshGrant) -> Option<String> {
    let jwt = Jwt::parse(grant.current.value.expose())?;
    let issuer = jwt.text("iss");
    if let Some(issuer) = issuer.filter(|issuer| issuer.raw() != grant.issuer) {
        return Some(format!("the refresh token is of another issuer, {}", issuer.shown_within(120)));
    }
    let client = jwt.text("azp");
    if let Some(client) = client.filter(|client| client.raw() != grant.client.id) {
        return Some(format!("the refresh token was given to another client, {}", client.shown_within(80)));
    }
    None
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::domain::credential::{ChainEnd, Copy};
    use crate::domain::source::Client;

    fn grant(claims: &str) -> RefreshGrant {
        let value = format!("{}.{}.x", URL_SAFE_NO_PAD.encode("{}"), URL_SAFE_NO_PAD.encode(claims));
        RefreshGrant {
            issuer: "https://aai.egi.eu/auth/realms/egi".to_owned(),
            client: Client::public("toktui"),
            scopes: Vec::new(),
            current: Copy::first(Secret::new(value), 1),
            ends: ChainEnd::Unknown,
            rotates: false,
        }
    }

    #[test]
    fn a_refresh_token_of_another_issuer_or_client_is_named_as_such() {
        let table = [
            (r#"{"iss":"https://aai.egi.eu/oidc/","azp":"toktui"}"#, Some("another issuer")),
            (r#"{"iss":"https://aai.egi.eu/auth/realms/egi","azp":"token-portal"}"#, Some("another client")),
            (r#"{"iss":"https://aai.egi.eu/auth/realms/egi","azp":"toktui"}"#, None),
            (r#"{"jti":"only"}"#, None),
        ];
        for (claims, expected) in table {
            let why = foreign(&grant(claims));
            match expected {
                Some(words) => assert!(why.is_some_and(|why| why.contains(words)), "{claims}"),
                None => assert_eq!(why, None, "{claims}"),
            }
        }
    }
}
