//! What must not be sent: a copy that a newer one has replaced, a token of an issuer that is no more.

use super::granted::long_lived;
use super::{Wallet, health};
use crate::domain::credential::{Chain, Credential, CredentialId, Grant, Health, RefreshGrant};
use crate::domain::failure::{Failure, Kind};
use crate::domain::jwt::Jwt;
use crate::domain::mytoken::Facts;
use crate::domain::portal;
use crate::domain::secret::Secret;
use crate::domain::snippet::in_shell;
use crate::domain::source::{Issuer, Source};
use crate::domain::specimen::{self, Specimen};
use crate::domain::untrusted::Untrusted;
use crate::store::Newer;

impl Wallet {
    /// Whether a newer copy of this mytoken or refresh token is held here (design.md §5).
    pub(super) fn newer_than(&self, value: &Secret, facts: Option<&Facts>) -> Option<Newer> {
        let family = facts.and_then(|facts| facts.mom_id.as_ref().map(Untrusted::raw).zip(facts.copy));
        self.store.newer_than(value, family)
    }

    /// A newer copy of what a credential holds, held under another name.
    pub(super) fn overtaken(&self, credential: &Credential) -> Option<Newer> {
        let facts = match &credential.grant {
            Grant::Mytoken(grant) => Some(&grant.facts),
            Grant::Refresh(_) | Grant::Bare => None,
        };
        self.newer_than(long_lived(credential)?, facts).filter(|newer| newer.id != credential.id)
    }

    /// What to use instead of a copy that was rotated away. It was marked when the newer one came to be held; here nobody
    /// looks through all that is held, unless to find the newer one's name.
    pub(super) fn not_overtaken(&self, credential: &Credential, doing: &str) -> Result<(), Failure> {
        match self.rotated_away(credential) {
            Some(newer) => Err(use_instead(&newer, doing)),
            None if is_marked(credential) => {
                let why = "it was rotated away; the newer copy is not held here any more, and this older one was not sent";
                Err(Failure::new(Kind::NotValid, doing, why).hint("Forget it, and make a new one."))
            }
            None => Ok(()),
        }
    }

    /// The newer copy, where this one was marked as rotated away.
    pub(super) fn rotated_away(&self, credential: &Credential) -> Option<Newer> {
        if is_marked(credential) { self.overtaken(credential) } else { None }
    }

    /// The credential here that a pasted token is, or is an older copy of.
    #[must_use]
    pub fn held_as(&self, specimen: &Specimen) -> Option<CredentialId> {
        let facts = match &specimen.kind {
            specimen::Kind::Mytoken(facts) => Some(&**facts),
            _ => None,
        };
        let holder = self.store.holder_of(&specimen.value);
        holder.or_else(|| self.newer_than(&specimen.value, facts).map(|newer| newer.id))
    }

    /// Marks the older copies of a mytoken that has just been kept or rotated: they are not sent from here any more.
    pub(super) async fn bury_older_copies_of(&self, credential: &Credential) {
        let Grant::Mytoken(grant) = &credential.grant else { return };
        let (Some(family), number) = (&grant.facts.mom_id, grant.current.number) else { return };
        for held in self.held().iter().filter(|held| held.id != credential.id) {
            if let Chain::Mytoken { facts, copy, .. } = &held.chain
                && facts.mom_id.as_ref() == Some(family)
                && *copy < number
            {
                self.mark(&held.id, Health::Dead(health::ROTATED_AWAY.to_owned())).await;
            }
        }
    }

    /// Marks the logins whose issuer `source` names as a former one.
    pub(super) async fn bury_those_of_former_issuers(&self, source: &Source) {
        let Some(issuer) = source.issuer() else { return };
        for held in self.held().iter() {
            let Ok(credential) = self.store.get(&held.id) else { continue };
            let Grant::Refresh(grant) = &credential.grant else { continue };
            if let Some(why) = former(issuer, &grant.issuer)
                && !matches!(credential.health, Health::Dead(_))
            {
                self.mark(&held.id, Health::Dead(why)).await;
            }
        }
    }
}

/// Whether a newer copy came to be held here, now or once.
pub(super) fn is_marked(credential: &Credential) -> bool {
    credential.health == Health::Dead(health::ROTATED_AWAY.to_owned())
}

/// An older copy was not sent.
pub(super) fn use_instead(newer: &Newer, doing: &str) -> Failure {
    let why = format!("copy {} of it is held, as {}; this older one was not sent", newer.number, newer.name);
    Failure::new(Kind::NotValid, doing, why).hint(format!("Use {}.", newer.name))
}

/// What became of this address of a provider, if it is a former one: `its issuer moved 2022`.
pub(super) fn former(issuer: &Issuer, address: &str) -> Option<String> {
    issuer
        .formerly
        .iter()
        .find(|former| former.address == address)
        .map(|former| format!("its issuer {}", former.story))
}

/// What to do about a login whose refresh token is another's, with what became of its issuer where we know that.
pub(super) fn cure(credential: &Credential) -> String {
    let history = match &credential.grant {
        Grant::Refresh(grant) => portal::history_of(&grant.issuer),
        Grant::Mytoken(_) | Grant::Bare => None,
    };
    let history = history.map(|told| format!(" {told}")).unwrap_or_default();
    let (source, name) = (in_shell(credential.source.as_str()), in_shell(&credential.name));
    format!(
        "It was not sent anywhere.{history} Log in again: `l` on the board, toktui login {source} --name {name} in a shell."
    )
}

/// Why this refresh token does not belong to the provider and client it would be sent to (providers.md §2.4). It is not
/// sent then, because the answer would only say "invalid".
pub(super) fn not_for(issuer: &Issuer, grant: &RefreshGrant) -> Option<String> {
    if grant.issuer != issuer.address {
        let moved = former(issuer, &grant.issuer);
        return Some(moved.unwrap_or_else(|| "it is of another issuer than the one listed".to_owned()));
    }
    let jwt = Jwt::parse(grant.current.value.expose())?;
    if let Some(named) = jwt.text("iss").filter(|named| named.raw() != grant.issuer) {
        return Some(format!("the refresh token is of another issuer, {}", named.shown_within(120)));
    }
    if let Some(named) = jwt.text("azp").filter(|named| named.raw() != grant.client.id) {
        return Some(format!("the refresh token was given to another client, {}", named.shown_within(80)));
    }
    None
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::domain::credential::{ChainEnd, Copy};
    use crate::domain::source::{Client, FormerIssuer};

    fn grant(claims: &str) -> RefreshGrant {
        let value = format!("{}.{}.x", URL_SAFE_NO_PAD.encode("{}"), URL_SAFE_NO_PAD.encode(claims));
        RefreshGrant {
            issuer: "https://aai.egi.eu/auth/realms/egi".to_owned(),
            client: Client::public("toktui"),
            scopes: Vec::new(),
            current: Copy::first(Secret::new(value), 1),
            ends: ChainEnd::Unknown,
            rotates: false,
            endpoint: None,
            got: None,
        }
    }

    #[test]
    fn a_refresh_token_of_another_issuer_or_client_is_named_as_such() {
        let here = Issuer::at("https://aai.egi.eu/auth/realms/egi");
        let table = [
            (r#"{"iss":"https://aai.egi.eu/oidc/","azp":"toktui"}"#, Some("another issuer")),
            (r#"{"iss":"https://aai.egi.eu/auth/realms/egi","azp":"token-portal"}"#, Some("another client")),
            (r#"{"iss":"https://aai.egi.eu/auth/realms/egi","azp":"toktui"}"#, None),
            (r#"{"jti":"only"}"#, None),
        ];
        for (claims, expected) in table {
            let why = not_for(&here, &grant(claims));
            match expected {
                Some(words) => assert!(why.is_some_and(|why| why.contains(words)), "{claims}"),
                None => assert_eq!(why, None, "{claims}"),
            }
        }
    }

    #[test]
    fn a_refresh_token_of_a_former_issuer_says_what_became_of_it() {
        let former = FormerIssuer {
            address: "https://aai.egi.eu/auth/realms/egi".to_owned(),
            story: "moved 2022".to_owned(),
        };
        let moved = Issuer { formerly: vec![former], ..Issuer::at("https://new.example.org") };
        assert_eq!(not_for(&moved, &grant("{}")).as_deref(), Some("its issuer moved 2022"));
        let other = Issuer::at("https://other.example.org");
        assert!(not_for(&other, &grant("{}")).is_some_and(|why| why.contains("another issuer")));
    }
}
