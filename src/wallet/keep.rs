//! Keep a pasted token under a name.

use super::servers::LookedUp;
use super::{Wallet, gone, rows, stale};
use crate::domain::credential::{
    AccessToken, Ask, ChainEnd, Copy, Credential, CredentialId, Custody, Got, Grant, Health, Identity,
    MytokenGrant, RefreshGrant,
};
use crate::domain::event::What;
use crate::domain::failure::{Failure, Kind};
use crate::domain::jwt::Jwt;
use crate::domain::mytoken::Facts;
use crate::domain::portal::{self, Foreign, Instance};
use crate::domain::source::{Client, Issuer, Server, Source, SourceId, SourceKind};
use crate::domain::specimen::{self, Specimen};
use crate::domain::untrusted::Untrusted;
use crate::store::fresh_id;

const DOING: &str = "Keeping the token";
/// Scopes that Keycloak writes into its refresh tokens and never into an access token (`include.in.token.scope`): nobody asked for them.
const KEYCLOAKS_OWN: [&str; 6] =
    ["acr", "basic", "microprofile-jwt", "roles", "service_account", "web-origins"];

/// Under which source a token is listed, and what it is good for.
struct Placed {
    source: SourceId,
    grant: Grant,
    identity: Option<Identity>,
    health: Health,
}

impl Wallet {
    /// Keeps a pasted token. Nobody is asked about it: a refresh token is tried when an access token is wanted.
    /// Older copies of it that are held are marked as rotated away, and not sent any more.
    ///
    /// # Errors
    /// When the name is taken or is none, when it or a newer copy is held already, when nothing could be done with it, or
    /// when it would have to be sent to a server that is neither listed nor agreed to.
    pub async fn keep(&self, specimen: &Specimen, name: &str) -> Result<(CredentialId, String), Failure> {
        self.may_change(DOING)?;
        self.not_held(specimen)?;
        let placed = self.placed(specimen)?;
        self.keep_placed(specimen, placed, name).await
    }

    /// Keeps a refresh token that one of EGI's Token Portals has shown, for the portal's client. What its own words say against it is said
    /// now: nothing is sent to find out.
    ///
    /// # Errors
    /// As for [`Wallet::keep`], and when it is no refresh token of that portal.
    pub async fn keep_from_portal(
        &self,
        specimen: &Specimen,
        instance: Instance,
        name: &str,
    ) -> Result<(CredentialId, String), Failure> {
        self.may_change(DOING)?;
        let id = SourceId::from(instance.source());
        let source = self.source(&id).filter(|source| source.issuer().is_some());
        let source = source
            .ok_or_else(|| unusable(&format!("its provider, {}, is not listed here", instance.source())))?;
        let issuer = source.issuer().map(|issuer| issuer.address.clone()).unwrap_or_default();
        let jwt = match &specimen.kind {
            specimen::Kind::RefreshToken(jwt) | specimen::Kind::OtherJwt(jwt) => jwt,
            specimen::Kind::AccessToken(_) | specimen::Kind::IdToken(_) => {
                let why = format!("it is {}, and no refresh token", specimen.kind.words());
                let hint =
                    format!("The portal shows one after \"Create Refresh Token\": {}", instance.page());
                return Err(unusable(&why).hint(hint));
            }
            _ => {
                let why = "it is no whole refresh token of a portal: those are JSON Web Tokens";
                return Err(
                    unusable(why).hint("Copy all of it, and paste it again. It was not sent anywhere.")
                );
            }
        };
        if let Some(Foreign { why, cure }) = portal::foreign(instance, &issuer, name, jwt, self.now()) {
            return Err(Failure::new(Kind::NotValid, DOING, why).hint(cure));
        }
        self.not_held(specimen)?;
        let placed = self.login(specimen, jwt)?;
        self.keep_placed(specimen, placed, name).await
    }

    /// Nobody holds a token twice, or an older copy beside the newer one.
    fn not_held(&self, specimen: &Specimen) -> Result<(), Failure> {
        if let Some(holder) = self.store.holder_of(&specimen.value).and_then(|id| self.store.get(&id).ok()) {
            return Err(unusable(&format!("it is held already, as {}", holder.name)));
        }
        let claims = match &specimen.kind {
            specimen::Kind::Mytoken(facts) => Some(facts.as_ref()),
            _ => None,
        };
        if let Some(newer) = self.newer_than(&specimen.value, claims) {
            let why = format!("it is an older copy; copy {} is held, as {}", newer.number, newer.name);
            return Err(unusable(&why));
        }
        Ok(())
    }

    async fn keep_placed(
        &self,
        specimen: &Specimen,
        placed: Placed,
        name: &str,
    ) -> Result<(CredentialId, String), Failure> {
        let Placed { source, grant, identity, health } = placed;
        let access = match &grant {
            Grant::Bare => vec![(Ask::default(), self.as_access_token(specimen))],
            Grant::Refresh(_) | Grant::Mytoken(_) => Vec::new(),
        };
        let id = fresh_id().map_err(|error| Failure::new(Kind::Failed, DOING, error.to_string()))?;
        let credential = Credential {
            id: id.clone(),
            name: name.to_owned(),
            source,
            identity,
            grant,
            custody: Custody::MemoryOnly,
            health,
            ask: Ask::default(),
            access,
            since: self.now(),
            pause: None,
        };
        self.store.add(credential.clone()).await.map_err(|error| gone(DOING, &error))?;
        self.bury_older_copies_of(&credential).await;
        self.note(Some(&id), What::Kept);
        Ok((id, name.to_owned()))
    }

    fn placed(&self, specimen: &Specimen) -> Result<Placed, Failure> {
        match &specimen.kind {
            specimen::Kind::Mytoken(facts) => {
                let looked_up = self.last_found(self.store.fingerprint(&specimen.value));
                self.mytoken(specimen, looked_up.unwrap_or_else(|| unasked(facts)))
            }
            specimen::Kind::MaybeShortToken => {
                let looked_up = self.last_found(self.store.fingerprint(&specimen.value));
                let looked_up = looked_up.ok_or_else(|| {
                    unusable("a short token carries nothing by which its server could be known")
                        .hint("Look it up first.")
                })?;
                self.mytoken(specimen, looked_up)
            }
            specimen::Kind::RefreshToken(jwt) => self.login(specimen, jwt),
            specimen::Kind::AccessToken(jwt) | specimen::Kind::OtherJwt(jwt) => {
                Ok(self.bare(&jwt.text("iss").unwrap_or_default(), identity(jwt)))
            }
            specimen::Kind::Opaque => Ok(self.bare(&Untrusted::default(), None)),
            specimen::Kind::MaybeTransferCode => Err(unusable("a transfer code is redeemed, not kept")),
            specimen::Kind::IdToken(_) => Err(unusable("an ID token says who somebody is; it opens nothing")),
            specimen::Kind::Garbled { why } => Err(unusable(why)),
        }
    }

    fn mytoken(&self, specimen: &Specimen, looked_up: LookedUp) -> Result<Placed, Failure> {
        let LookedUp { server, facts, short, heard } = looked_up;
        let source = match self.server_at(&server) {
            Some(row) => row.id,
            // The counts of the Providers pane are to add up.
            None if self.is_agreed(&server) => {
                let address = Untrusted::from(server.as_str());
                self.new_row(&address, |address| SourceKind::Server(Server { address }))
            }
            None => {
                let why = "its server is not known here, and it would be sent there when it is used";
                return Err(unusable(why).hint("Look it up first: that asks whether you trust its server."));
            }
        };
        let identity = (!facts.subject.is_empty()).then(|| Identity {
            issuer: facts.provider.clone(),
            subject: facts.subject.clone(),
            label: None,
        });
        let current = Copy::first(specimen.value.clone(), facts.copy.unwrap_or(1));
        let grant = Grant::Mytoken(Box::new(MytokenGrant { server, current, facts, heard, short }));
        Ok(Placed { source, grant, identity, health: Health::Ok })
    }

    fn login(&self, specimen: &Specimen, jwt: &Jwt) -> Result<Placed, Failure> {
        let (issuer, client) = (jwt.text("iss").unwrap_or_default(), jwt.text("azp").unwrap_or_default());
        if issuer.is_empty() || client.is_empty() {
            return Err(unusable("this refresh token does not say whose it is, and for which client")
                .hint("Log in at its provider instead."));
        }
        let row = self.row_of_issuer(&issuer).filter(|(row, _)| !self.headings().contains(&row.id));
        let (source, health) = row.ok_or_else(|| {
            unusable("its provider is not listed here, and it would be sent there when it is used")
                .hint("Add the provider first.")
        })?;
        let own = source.issuer().and_then(|known| self.own_client(known).ok().flatten());
        let scopes = jwt.text("scope").unwrap_or_default();
        let grant = Grant::Refresh(RefreshGrant {
            issuer: issuer.raw().to_owned(),
            client: own.filter(|own| own.id == client.raw()).unwrap_or_else(|| Client::public(client.raw())),
            scopes: asked_for(scopes.raw()),
            current: Copy::first(specimen.value.clone(), 1),
            ends: jwt.moment("exp").map_or(ChainEnd::Open, ChainEnd::At),
            rotates: false,
            endpoint: None,
            got: Some(if client.raw() == portal::CLIENT { Got::Portal } else { Got::Kept }),
        });
        Ok(Placed { source: source.id, grant, identity: identity(jwt), health })
    }

    fn bare(&self, issuer: &Untrusted, identity: Option<Identity>) -> Placed {
        let (source, health) = if let Some((row, health)) = self.row_of_issuer(issuer) {
            (row.id, health)
        } else {
            let row = self.new_row(issuer, |address| SourceKind::Issuer(Box::new(Issuer::at(&address))));
            self.headings().insert(row.clone());
            (row, Health::Ok)
        };
        Placed { source, grant: Grant::Bare, identity, health }
    }

    /// The row of the Providers pane for an issuer. A token of one that has moved is dead, and listed where it went.
    fn row_of_issuer(&self, address: &Untrusted) -> Option<(Source, Health)> {
        if let Some(row) = self.issuer_at(address.raw()) {
            return Some((row, Health::Ok));
        }
        self.sources().iter().find_map(|source| {
            let why = stale::former(source.issuer()?, address.raw())?;
            Some((source.clone(), Health::Dead(why)))
        })
    }

    fn new_row(&self, address: &Untrusted, kind: impl FnOnce(String) -> SourceKind) -> SourceId {
        let host = url::Url::parse(address.raw()).ok().map(|url| crate::http::host_of(&url));
        let name = host.unwrap_or_else(|| "unknown issuer".to_owned());
        let id = self.free_source_id(&name.replace(' ', "-"));
        self.enlist(Source { name, ..rows::row(&id, address.raw(), kind(address.raw().to_owned())) });
        id
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
            ends_up: None,
            skew: None,
        }
    }
}

/// The scopes in a refresh token that somebody may have asked for.
fn asked_for(scope: &str) -> Vec<String> {
    let scopes = scope.split_ascii_whitespace().filter(|scope| !KEYCLOAKS_OWN.contains(scope));
    scopes.map(str::to_owned).collect()
}

fn unusable(why: &str) -> Failure {
    Failure::new(Kind::Unusable, DOING, why)
}

/// A mytoken that no server was asked about: all there is are its claims, which tell no counters.
fn unasked(claims: &Facts) -> LookedUp {
    let server = claims.server.raw().to_owned();
    LookedUp { server, facts: claims.clone(), short: false, heard: None }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_that_keycloak_writes_for_itself_are_nobodys_wish() {
        let asked = asked_for("openid basic acr web-origins email roles offline_access");
        assert_eq!(asked, ["openid", "email", "offline_access"]);
    }
}
