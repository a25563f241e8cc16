//! Rows of the Providers pane for what is held and listed nowhere: added in an earlier session, a server agreed to then.

use std::collections::HashSet;

use super::Wallet;
use super::servers::plain;
use crate::domain::credential::{Credential, Grant};
use crate::domain::source::{Issuer, Origin, Server, Source, SourceId, SourceKind};
use crate::domain::untrusted::Untrusted;
use crate::http::host_of;

impl Wallet {
    /// Gives every credential whose source is not listed a row again, made from its grant. Of each source one credential is
    /// read; while the store is locked that cannot be, and a heading stands in for the row.
    pub(super) fn list_the_unlisted(&self) {
        let listed = self.listed();
        let mut known: HashSet<SourceId> =
            listed.iter().filter(|source| !stands_in(source)).map(|source| source.id.clone()).collect();
        for held in self.store.held().iter() {
            // A record that cannot be read at all names no source.
            if held.source.as_str().is_empty() || known.contains(&held.source) {
                continue;
            }
            let source = self
                .store
                .get(&held.id)
                .map(|credential| (made_for(self, &credential), matches!(credential.grant, Grant::Bare)));
            let (source, is_heading) = source.unwrap_or_else(|_| (stand_in(&held.source), true));
            if is_heading {
                self.headings().insert(source.id.clone());
            } else {
                self.headings().remove(&source.id);
            }
            known.insert(source.id.clone());
            self.enlist(source);
        }
    }

    /// What others changed, or a store that was locked until now, may bring sources that have no row.
    pub(super) fn may_hold_the_unlisted(&self) {
        self.unlisted.store(true, std::sync::atomic::Ordering::SeqCst);
    }
}

/// The mytoken server with this address, one trailing slash aside.
pub(super) fn server_among(sources: &[Source], address: &str) -> Option<Source> {
    let is_it = |source: &&Source| match &source.kind {
        SourceKind::Server(server) => plain(&server.address) == plain(address),
        SourceKind::Issuer(_) | SourceKind::Profile(_) => false,
    };
    sources.iter().find(is_it).cloned()
}

/// The `OpenID` provider with this issuer, byte for byte.
pub(super) fn issuer_among(sources: &[Source], address: &str) -> Option<Source> {
    sources.iter().find(|source| source.issuer().is_some_and(|issuer| issuer.address == address)).cloned()
}

/// The row of a credential: its own, else the one of its issuer or server under another name, else one made from its grant.
pub(super) fn row_of(wallet: &Wallet, credential: &Credential) -> Source {
    wallet.source(&credential.source).unwrap_or_else(|| made_for(wallet, credential))
}

/// A row made from what a credential says of its giver.
fn made_for(wallet: &Wallet, credential: &Credential) -> Source {
    let (address, known, kind) = match &credential.grant {
        Grant::Refresh(grant) => {
            let issuer = Issuer {
                client: Some(grant.client.clone()),
                scopes: grant.scopes.clone(),
                ..Issuer::at(&grant.issuer)
            };
            (
                grant.issuer.clone(),
                issuer_among(&wallet.listed(), &grant.issuer),
                SourceKind::Issuer(Box::new(issuer)),
            )
        }
        Grant::Mytoken(grant) => {
            let server = Server { address: plain(&grant.server) };
            (grant.server.clone(), server_among(&wallet.listed(), &grant.server), SourceKind::Server(server))
        }
        Grant::Bare => {
            let issuer = credential.identity.as_ref().map(|identity| identity.issuer.raw().to_owned());
            let address = issuer.unwrap_or_default();
            (address.clone(), None, SourceKind::Issuer(Box::new(Issuer::at(&address))))
        }
    };
    // What is known of it under another name holds here, too.
    row(&credential.source, &address, known.map_or(kind, |known| known.kind))
}

/// A row for what cannot be read now.
fn stand_in(id: &SourceId) -> Source {
    row(id, "", SourceKind::Issuer(Box::new(Issuer::at(""))))
}

fn stands_in(source: &Source) -> bool {
    source.issuer().is_some_and(|issuer| issuer.address.is_empty())
}

/// A row that nobody has listed.
pub(super) fn row(id: &SourceId, address: &str, kind: SourceKind) -> Source {
    let host = url::Url::parse(address).ok().map(|url| host_of(&url));
    Source {
        id: id.clone(),
        name: host.unwrap_or_else(|| Untrusted::from(id.as_str()).shown_within(60)),
        note: String::new(),
        origin: Origin::Added,
        kind,
        manage_url: None,
        register_url: None,
        hints: Vec::new(),
        folded: false,
    }
}
