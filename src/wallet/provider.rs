//! Add a provider by its address: an OpenID issuer, or a mytoken server.

use url::Url;

use super::{Wallet, words};
use crate::domain::event::What;
use crate::domain::failure::{Failure, Kind};
use crate::domain::source::{Issuer, Origin, Route, Server, Source, SourceId, SourceKind};
use crate::http::{host_of, is_allowed};

impl Wallet {
    /// Discovers what answers at `address` and lists it for this session.
    ///
    /// # Errors
    /// When the address cannot be one, nobody answers, or what answers calls itself something else.
    pub async fn add_provider(&self, address: &str) -> Result<Source, Failure> {
        let address = address.trim();
        let doing = "Adding the provider";
        let unusable = |why: &str| {
            Failure::new(Kind::Unusable, doing, why)
                .hint("An issuer looks like https://login.example.org/realms/name")
        };
        let url = Url::parse(address).map_err(|_| unusable("this is not an address"))?;
        if !is_allowed(&url) {
            return Err(unusable("only https is accepted; plain http for this machine itself"));
        }
        if let Some(known) = self.issuer_at(address).or_else(|| self.server_at(address)) {
            return Err(Failure::new(
                Kind::Unusable,
                doing,
                format!("it is listed already, as {}", known.name),
            ));
        }
        let issuer = Issuer::at(address);
        let kind = match self.metadata(&issuer).await {
            // A mytoken server serves its document there too: it has no way to log in of this kind.
            Ok(metadata) if metadata.authorization.is_some() || metadata.device.is_some() => {
                let offline = metadata.scopes_supported.iter().any(|scope| scope.raw() == "offline_access");
                let wanted =
                    ["openid", "profile", "email"].into_iter().chain(offline.then_some("offline_access"));
                let known = |scope: &&str| {
                    metadata.scopes_supported.is_empty()
                        || metadata.scopes_supported.iter().any(|listed| listed.raw() == *scope)
                };
                let routes = [
                    (Route::Device, metadata.device.is_some()),
                    (Route::Browser, metadata.authorization.is_some()),
                    (Route::Paste, metadata.authorization.is_some()),
                ];
                SourceKind::Issuer(Box::new(Issuer {
                    scopes: wanted.filter(known).map(str::to_owned).collect(),
                    routes: routes.iter().filter(|(_, there)| *there).map(|(route, _)| *route).collect(),
                    ..issuer
                }))
            }
            other => match (self.mytoken_server(address).await, other) {
                (Ok(_), _) => SourceKind::Server(Server { address: address.to_owned() }),
                (Err(_), Err(error)) => return Err(words::oidc(doing, None, &error)),
                (Err(_), Ok(_)) => return Err(unusable("what answers there offers no login")),
            },
        };
        let source = Source {
            id: self.free_source_id(&host_of(&url)),
            name: host_of(&url),
            note: "added".to_owned(),
            origin: Origin::Added,
            kind,
            manage_url: None,
            register_url: None,
            hints: Vec::new(),
            folded: false,
        };
        self.list_source(source.clone());
        self.note(None, What::Noted(format!("added {}", source.name)));
        Ok(source)
    }

    /// A short word like `wish` that no source has yet.
    pub(super) fn free_source_id(&self, wish: &str) -> SourceId {
        let taken = |id: &str| self.sources().iter().any(|source| source.id.as_str() == id);
        let numbered = (2..1000).map(|n| format!("{wish}-{n}"));
        let id = std::iter::once(wish.to_owned()).chain(numbered).find(|id| !taken(id));
        SourceId(id.unwrap_or_else(|| wish.to_owned()))
    }
}
