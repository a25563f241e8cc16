//! Keep a pasted token under a name.

use super::{Wallet, gone};
use crate::domain::credential::{
    AccessToken, Ask, ChainEnd, Copy, Credential, CredentialId, Custody, Grant, Health, Identity,
    MytokenGrant, RefreshGrant,
};
use crate::domain::event::What;
use crate::domain::failure::{Failure, Kind};
use crate::domain::jwt::Jwt;
use crate::domain::mytoken::Facts;
use crate::domain::source::{Client, Issuer, Origin, Server, Source, SourceId, SourceKind};
use crate::domain::specimen::{self, Specimen};
use crate::domain::untrusted::Untrusted;
use crate::store::fresh_id;

impl Wallet {
    /// Keeps a pasted token. Nobody is asked about it: a refresh token is tried when an access token is wanted.
    ///
    /// # Errors
    /// When the name is taken or is none, when it is held already, or when nothing could be done with it.
    pub fn keep(&self, specimen: &Specimen, name: &str) -> Result<(CredentialId, String), Failure> {
        const DOING: &str = "Keeping the token";
        if let Some(holder) = self.store.holder_of(&specimen.value).and_then(|id| self.store.get(&id)) {
            let why = format!("it is held already, as {}", holder.name);
            return Err(Failure::new(Kind::Unusable, DOING, why));
        }
        let (source, grant, identity) = self.placed(specimen)?;
        let access = match &specimen.kind {
            specimen::Kind::AccessToken(_) | specimen::Kind::OtherJwt(_) | specimen::Kind::Opaque => {
                vec![(Ask::default(), self.as_access_token(specimen))]
            }
            _ => Vec::new(),
        };
        let id = fresh_id().map_err(|error| Failure::new(Kind::Failed, DOING, error.to_string()))?;
        let credential = Credential {
            id: id.clone(),
            name: name.to_owned(),
            source,
            identity,
            grant,
            custody: Custody::MemoryOnly,
            health: Health::Ok,
            ask: Ask::default(),
            access,
            since: self.now(),
        };
        self.store.add(credential).map_err(|error| gone(DOING, &error))?;
        self.note(Some(&id), What::Kept);
        Ok((id, name.to_owned()))
    }

    /// Under which source it is listed, and what it is good for.
    fn placed(&self, specimen: &Specimen) -> Result<(SourceId, Grant, Option<Identity>), Failure> {
        let not = |why: &str| Err(Failure::new(Kind::Unusable, "Keeping the token", why));
        match &specimen.kind {
            specimen::Kind::Mytoken(facts) => {
                let source = self.row_of_server(&facts.server);
                let identity =
                    Identity { issuer: facts.provider.clone(), subject: facts.subject.clone(), label: None };
                Ok((source, self.mytoken_grant(specimen, facts), Some(identity)))
            }
            specimen::Kind::RefreshToken(jwt) => self.refresh_grant(specimen, jwt),
            specimen::Kind::AccessToken(jwt) | specimen::Kind::OtherJwt(jwt) => {
                let issuer = jwt.text("iss").unwrap_or_default();
                let source = self.row_of_issuer(&issuer);
                Ok((source, Grant::Bare, identity(jwt)))
            }
            specimen::Kind::Opaque => Ok((self.row_of_issuer(&Untrusted::default()), Grant::Bare, None)),
            specimen::Kind::MaybeShortToken => {
                not("a short token carries nothing by which its server could be known; look it up first")
            }
            specimen::Kind::MaybeTransferCode => not("a transfer code is redeemed, not kept"),
            specimen::Kind::IdToken(_) => not("an ID token says who somebody is; it opens nothing"),
            specimen::Kind::Garbled { why } => not(why),
        }
    }

    /// The row of the Providers pane for a mytoken server; one that nobody has listed gets a row of its own, so that the
    /// counts add up.
    fn row_of_server(&self, address: &Untrusted) -> SourceId {
        let known = self.server_at(address.raw());
        known.map_or_else(
            || self.new_row(address, |address| SourceKind::Server(Server { address })),
            |row| row.id,
        )
    }

    fn row_of_issuer(&self, address: &Untrusted) -> SourceId {
        let known = self.issuer_at(address.raw());
        known.map_or_else(
            || self.new_row(address, |address| SourceKind::Issuer(Box::new(Issuer::at(&address)))),
            |row| row.id,
        )
    }

    fn new_row(&self, address: &Untrusted, kind: impl FnOnce(String) -> SourceKind) -> SourceId {
        let host = url::Url::parse(address.raw()).ok().map(|url| crate::http::host_of(&url));
        let name = host.unwrap_or_else(|| "issuer unknown".to_owned());
        let id = SourceId(name.clone());
        self.list_source(Source {
            id: id.clone(),
            name,
            note: String::new(),
            origin: Origin::Added,
            kind: kind(address.raw().to_owned()),
            manage_url: None,
            register_url: None,
            hints: Vec::new(),
            folded: false,
        });
        id
    }

    fn mytoken_grant(&self, specimen: &Specimen, facts: &Facts) -> Grant {
        Grant::Mytoken(Box::new(MytokenGrant {
            server: facts.server.raw().to_owned(),
            current: Copy::first(specimen.value.clone(), facts.copy.unwrap_or(1)),
            facts: facts.clone(),
            heard: None,
            short: false,
        }))
    }

    fn refresh_grant(
        &self,
        specimen: &Specimen,
        jwt: &Jwt,
    ) -> Result<(SourceId, Grant, Option<Identity>), Failure> {
        let (issuer, client) = (jwt.text("iss").unwrap_or_default(), jwt.text("azp").unwrap_or_default());
        if issuer.is_empty() || client.is_empty() {
            return Err(Failure::new(
                Kind::Unusable,
                "Keeping the token",
                "this refresh token does not say whose it is, and for which client",
            )
            .hint("Log in at its provider instead."));
        }
        let scopes = jwt.text("scope").unwrap_or_default();
        let grant = Grant::Refresh(RefreshGrant {
            issuer: issuer.raw().to_owned(),
            client: Client::public(client.raw()),
            scopes: scopes.raw().split_ascii_whitespace().map(str::to_owned).collect(),
            current: Copy::first(specimen.value.clone(), 1),
            ends: jwt.moment("exp").map_or(ChainEnd::Open, ChainEnd::At),
            rotates: false,
        });
        let source = self.row_of_issuer(&issuer);
        Ok((source, grant, identity(jwt)))
    }

    fn as_access_token(&self, specimen: &Specimen) -> AccessToken {
        let jwt = specimen.kind.jwt();
        let scope = jwt.and_then(|jwt| jwt.text("scope"));
        AccessToken {
            value: specimen.value.clone(),
            obtained: jwt.and_then(|jwt| jwt.moment("iat")).unwrap_or_else(|| self.now()),
            expires: jwt.and_then(|jwt| jwt.moment("exp")),
            granted: scope.map(|scope| scope.raw().split_ascii_whitespace().map(Into::into).collect()),
            id_token: None,
        }
    }
}

fn identity(jwt: &Jwt) -> Option<Identity> {
    Some(Identity { issuer: jwt.text("iss")?, subject: jwt.text("sub")?, label: label(jwt) })
}

/// A name to tell several identities apart.
pub(super) fn label(jwt: &Jwt) -> Option<Untrusted> {
    ["name", "preferred_username", "email"]
        .iter()
        .find_map(|claim| jwt.text(claim))
        .filter(|text| !text.is_empty())
}
