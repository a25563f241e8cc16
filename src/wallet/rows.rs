//! Rows of the Providers pane for what is held and listed nowhere: added in an earlier session, a server agreed to then.

use super::Wallet;
use super::servers::plain;
use crate::domain::credential::{Credential, Grant};
use crate::domain::source::{Issuer, Origin, Server, Source, SourceId, SourceKind};
use crate::domain::untrusted::Untrusted;
use crate::http::host_of;

/// The row of a credential: its own, else the one of its issuer or server under another name, else one made from its grant.
pub(super) fn row_of(wallet: &Wallet, credential: &Credential) -> Source {
    wallet.source(&credential.source).unwrap_or_else(|| made_for(wallet, credential))
}

/// A row made from what a credential says of its giver.
pub(super) fn made_for(wallet: &Wallet, credential: &Credential) -> Source {
    let (address, known, kind) = match &credential.grant {
        Grant::Refresh(grant) => {
            let issuer = Issuer {
                client: Some(grant.client.clone()),
                scopes: grant.scopes.clone(),
                ..Issuer::at(&grant.issuer)
            };
            (grant.issuer.clone(), wallet.issuer_at(&grant.issuer), SourceKind::Issuer(Box::new(issuer)))
        }
        Grant::Mytoken(grant) => {
            let server = Server { address: plain(&grant.server) };
            (grant.server.clone(), wallet.server_at(&grant.server), SourceKind::Server(server))
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
