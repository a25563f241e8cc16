//! Ask the provider whom an access token speaks for (OpenID Connect Core §5.3), and read groups and roles out of the answer.

use std::sync::Arc;

use super::draw::{Wish, at_hand};
use super::{Wallet, gone, words};
use crate::domain::credential::{AccessToken, Credential, CredentialId, Grant};
use crate::domain::event::What;
use crate::domain::failure::{Failure, Kind};
use crate::domain::jwt::Jwt;
use crate::domain::membership::memberships;
use crate::domain::scopes::would_bring;
use crate::domain::source::{Issuer, Source};
use crate::domain::untrusted::Untrusted;
use crate::domain::userinfo::Userinfo;
use crate::oidc;

impl Wallet {
    /// Asks with the access token that is held; where none lives, a login is renewed for it, which costs nothing. A mytoken is not: its
    /// access tokens may be counted.
    ///
    /// # Errors
    /// When no access token lives, when its provider is not listed here, or with the provider's own fact.
    pub async fn userinfo(self: &Arc<Self>, id: &CredentialId) -> Result<Userinfo, Failure> {
        let doing = "Asking for userinfo";
        let mut credential = self.store.get(id).map_err(|error| gone(doing, &error))?;
        credential.put_right(self.now(), self.clock.uptime());
        let doing = format!("Asking whom {} speaks for", credential.name);
        let source = self.provider_behind(&credential, &doing)?;
        let Some(issuer) = source.issuer() else { return Err(not_listed(&doing)) };
        let token = self.living(&credential, &doing).await?;
        // What a renewal brought is looked at as it is stored now.
        let subject = self.store.get(id).ok().and_then(|now| vouched(&now, &token));
        let asked = async {
            let metadata = self.metadata(issuer).await?;
            oidc::userinfo::userinfo(&self.http, &metadata, &token.value, subject.as_ref(), None).await
        };
        let told = asked.await.map_err(|error| {
            words::without(failed(&doing, &credential.name, &source, &error), &[&token.value])
        })?;
        self.note_with(Some(id), What::LookedUp, "userinfo");
        Ok(Userinfo {
            name: credential.name,
            at: source.name.clone(),
            asked: self.now(),
            is_same_user: subject.is_some().then_some(true),
            memberships: memberships(&told.claims, &issuer.group_claims),
            would_bring: would_bring(offered(issuer), &told.claims),
            subject: told.subject,
            claims: told.claims,
        })
    }

    /// The provider that an access token is of. It is only sent to one that is listed: a heading over pasted tokens is none.
    pub(super) fn provider_behind(&self, credential: &Credential, doing: &str) -> Result<Source, Failure> {
        // Rows of an earlier session come first: only then is it known which of them are headings.
        let sources = self.sources();
        let own = self.source_of(credential);
        let is_real = |source: &Source| {
            source.issuer().is_some_and(|issuer| !issuer.address.is_empty())
                && !self.headings().contains(&source.id)
        };
        let bare = |address: &str| address.strip_suffix('/').unwrap_or(address).to_owned();
        let wanted = match &credential.grant {
            Grant::Refresh(grant) => grant.issuer.as_str(),
            Grant::Mytoken(grant) => grant.facts.provider.raw(),
            Grant::Bare => credential.identity.as_ref().map_or("", |identity| identity.issuer.raw()),
        };
        let is_wanted = |source: &Source| {
            wanted.is_empty() || source.issuer().is_some_and(|issuer| bare(&issuer.address) == bare(wanted))
        };
        if is_real(&own) && is_wanted(&own) {
            return Ok(own);
        }
        let found = sources.iter().find(|source| !wanted.is_empty() && is_real(source) && is_wanted(source));
        found.cloned().ok_or_else(|| not_listed(doing))
    }

    /// Its access token: the one that lives, else a new one where that costs nothing.
    pub(super) async fn living(
        self: &Arc<Self>,
        credential: &Credential,
        doing: &str,
    ) -> Result<AccessToken, Failure> {
        if let Some(drawn) = at_hand(credential, &Wish::default(), self.now()) {
            return Ok(drawn.token);
        }
        if matches!(credential.grant, Grant::Mytoken(_)) {
            return Err(Failure::new(Kind::NotValid, doing, "no access token of it lives")
                .hint("Draw one first; that may cost one of its uses."));
        }
        Ok(self.draw(&credential.id, Wish::default()).await?.token)
    }
}

/// Whom the ID token names: userinfo must speak of the same user.
fn vouched(credential: &Credential, token: &AccessToken) -> Option<Untrusted> {
    let of_token = token.id_token.as_ref().and_then(|token| Jwt::parse(token.expose())?.text("sub"));
    let of_login = || {
        let identity = credential.identity.as_ref()?;
        matches!(credential.grant, Grant::Refresh(_)).then(|| identity.subject.clone())
    };
    of_token.or_else(of_login).filter(|subject| !subject.is_empty())
}

/// The scopes that are worth asking for there.
fn offered(issuer: &Issuer) -> impl Iterator<Item = &str> {
    issuer.scopes.iter().chain(&issuer.suggested_scopes).map(String::as_str)
}

fn not_listed(doing: &str) -> Failure {
    Failure::new(Kind::Unusable, doing, "its provider is not listed here, and the token would be sent there")
        .hint("Add the provider first.")
}

fn failed(doing: &str, name: &str, source: &Source, error: &oidc::Error) -> Failure {
    let failure = words::oidc(doing, Some(source), error);
    if error.scopes_refused() {
        return failure.hint("Its access token was given without openid: log in with that scope.");
    }
    match error.refusal().map(|refusal| refusal.status) {
        Some(401) => Failure { kind: Kind::NotValid, ..failure }
            .hint(format!("The provider does not take this access token: get a new one of {name}.")),
        _ => failure,
    }
}
