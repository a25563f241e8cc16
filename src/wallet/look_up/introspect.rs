//! Asking a provider about a token that says nothing by itself: a held one at its own provider with its own client, a
//! pasted one only where the user has named the provider.

use crate::domain::credential::{Credential, Grant};
use crate::domain::introspected::{Introspected, Said};
use crate::domain::secret::Secret;
use crate::domain::source::{Client, Issuer, Source, SourceId};
use crate::domain::specimen::{self, Specimen};
use crate::domain::untrusted::cleaned;
use crate::oidc;
use crate::oidc::introspection::introspect;
use crate::oidc::revocation::Kind;
use crate::wallet::Wallet;

const NO_SECRET: &str = "it answers only clients that have a secret, and this one has none; nothing was sent";
const NO_CLIENT: &str = "no client is configured for it, and it answers only clients; nothing was sent";
const OTHERS: &str = "the token is another issuer's; it was not sent";

impl Wallet {
    /// Asks the provider of a held credential about its access token.
    pub(super) async fn introspect_held(
        &self,
        credential: &Credential,
        token: &Secret,
    ) -> Option<Introspected> {
        let source =
            self.source(&credential.source).filter(|source| !self.headings().contains(&source.id))?;
        let issuer = source.issuer()?;
        let client = match &credential.grant {
            Grant::Refresh(grant) if grant.issuer != issuer.address => return None,
            Grant::Refresh(grant) => Some(grant.client.clone()),
            Grant::Bare => self.own_client(issuer).ok().flatten(),
            Grant::Mytoken(_) => return None,
        };
        Some(self.introspect_at(&source, client.as_ref(), token, Kind::Access).await)
    }

    /// Asks the provider that the user has named about a pasted token.
    pub(super) async fn introspect_pasted(&self, specimen: &Specimen, at: &SourceId) -> Option<Introspected> {
        let source = self.source(at)?;
        let issuer = source.issuer()?;
        let nothing =
            |why: &str| Introspected { by: cleaned(&source.name), said: Said::Nothing(why.to_owned()) };
        let kind = match &specimen.kind {
            specimen::Kind::Mytoken(_) => {
                return Some(nothing("it is a mytoken, which only its own server knows; it was not sent"));
            }
            specimen::Kind::Garbled { .. } => return None,
            specimen::Kind::RefreshToken(_) => Kind::Refresh,
            _ => Kind::Access,
        };
        let own = specimen.kind.jwt().and_then(|jwt| jwt.text("iss"));
        if own.is_some_and(|own| own.raw() != issuer.address) {
            return Some(nothing(OTHERS));
        }
        let client = self.own_client(issuer).ok().flatten();
        Some(self.introspect_at(&source, client.as_ref(), &specimen.value, kind).await)
    }

    /// Shows a token to a provider, as this client, and asks whether it is active (RFC 7662 §2).
    pub(in crate::wallet) async fn said_of(
        &self,
        issuer: &Issuer,
        client: &Client,
        token: &Secret,
        kind: Kind,
    ) -> Result<Said, oidc::Error> {
        let metadata = self.metadata(issuer).await?;
        let answer = introspect(&self.http, &metadata, client, token, kind).await?;
        Ok(if answer.active { Said::Active(answer.claims) } else { Said::NotActive })
    }

    async fn introspect_at(
        &self,
        source: &Source,
        client: Option<&Client>,
        token: &Secret,
        kind: Kind,
    ) -> Introspected {
        let said = match (source.issuer(), client) {
            (Some(_), Some(client)) if client.secret.is_none() => Said::Nothing(NO_SECRET.to_owned()),
            (Some(issuer), Some(client)) => {
                let said = self.said_of(issuer, client, token, kind).await;
                said.unwrap_or_else(|error| Said::Nothing(cleaned(&error.to_string())))
            }
            _ => Said::Nothing(NO_CLIENT.to_owned()),
        };
        Introspected { by: cleaned(&source.name), said }
    }
}
