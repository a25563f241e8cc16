//! Add a provider by its address: an OpenID issuer, or a mytoken server.

use url::Url;

use super::{Wallet, words};
use crate::domain::event::What;
use crate::domain::failure::{Failure, Kind};
use crate::domain::source::{Issuer, Origin, Registering, Route, Server, Source, SourceId, SourceKind};
use crate::domain::untrusted::cleaned;
use crate::http::{host_of, is_allowed};
use crate::oidc::Error;
use crate::oidc::discovery::{Fault, Metadata};

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
            let failure = unusable("only https is accepted; plain http for this machine itself");
            return Err(match address.strip_prefix("http://") {
                Some(rest) => failure.hint(format!("Write https://{}", cleaned(rest))),
                None => failure,
            });
        }
        let known = self.issuer_at(address).or_else(|| self.server_at(address));
        let heading = known.as_ref().map(|known| known.id.clone()).filter(|id| self.headings().contains(id));
        if let Some(known) = known.filter(|_| heading.is_none()) {
            return Err(Failure::new(
                Kind::Unusable,
                doing,
                format!("it is listed already, as {}", known.name),
            ));
        }
        let kind = self.kind_of(address, doing).await?;
        let source = Source {
            // What was only a heading becomes a provider in its place.
            id: heading.clone().unwrap_or_else(|| self.free_source_id(&host_of(&url).replace(':', "-"))),
            name: host_of(&url),
            note: "added".to_owned(),
            origin: Origin::Added,
            kind,
            manage_url: None,
            register_url: None,
            hints: Vec::new(),
            folded: false,
        };
        self.list_source(source.clone()).await;
        heading.map(|id| self.headings().remove(&id));
        self.note(None, What::Noted(format!("added {}", source.name)));
        Ok(source)
    }

    /// What answers at an address: an OpenID provider, or a mytoken server.
    async fn kind_of(&self, address: &str, doing: &str) -> Result<SourceKind, Failure> {
        let asked = self.metadata(&Issuer::at(address)).await;
        // A mytoken server serves its document at a provider's place, too: it has no way to log in of this kind.
        if let Ok(metadata) = &asked
            && (metadata.authorization.is_some() || metadata.device.is_some())
        {
            return Ok(SourceKind::Issuer(Box::new(issuer_of(address, metadata))));
        }
        match (self.mytoken_server(address).await, asked) {
            (Ok(_), _) => Ok(SourceKind::Server(Server { address: address.to_owned() })),
            (Err(_), Err(error)) => Err(self.not_believed(address, doing, &error)),
            (Err(_), Ok(_)) => Err(Failure::new(Kind::Unusable, doing, "what answers there offers no login")),
        }
    }

    /// The provider that once had this address, and what became of it.
    fn moved_from(&self, address: &str) -> Option<(Source, String)> {
        self.listed().iter().find_map(|source| {
            let same = |known: &str| known.trim_end_matches('/') == address.trim_end_matches('/');
            let former = source.issuer()?.formerly.iter().find(|former| same(&former.address))?;
            Some((source.clone(), former.story.clone()))
        })
    }

    /// What answers is not the issuer that was typed; it may be one that is listed.
    fn not_believed(&self, address: &str, doing: &str, error: &Error) -> Failure {
        let failure = words::oidc(doing, None, error);
        if let Some((now, story)) = self.moved_from(address) {
            return failure.hint(format!("That provider {story}: it is listed as {}.", now.id.as_str()));
        }
        let Error::Discovery(Fault::OtherIssuer { said, .. }) = error else { return failure };
        match self.issuer_at(said.raw()) {
            Some(known) => failure.hint(format!("That one is listed already, as {}.", known.id.as_str())),
            None => failure,
        }
    }

    /// A short word like `wish` that no source has yet.
    pub(super) fn free_source_id(&self, wish: &str) -> SourceId {
        let taken = |id: &str| self.sources().iter().any(|source| source.id.as_str() == id);
        let numbered = (2..1000).map(|n| format!("{wish}-{n}"));
        let id = std::iter::once(wish.to_owned()).chain(numbered).find(|id| !taken(id));
        SourceId(id.unwrap_or_else(|| wish.to_owned()))
    }
}

/// A provider as it describes itself: the usual scopes that it knows, the routes that it offers.
fn issuer_of(address: &str, metadata: &Metadata) -> Issuer {
    let supported = &metadata.scopes_supported;
    let lists = |scope: &str| supported.iter().any(|listed| listed.raw() == scope);
    let usual =
        ["openid", "profile", "email"].into_iter().filter(|scope| supported.is_empty() || lists(scope));
    let offline = Some("offline_access").filter(|scope| lists(scope));
    let (page, code) = (metadata.authorization.is_some(), metadata.device.is_some());
    let routes = [(Route::Device, code), (Route::Browser, page), (Route::Paste, page)];
    Issuer {
        scopes: usual.chain(offline).map(str::to_owned).collect(),
        routes: routes.into_iter().filter(|(_, there)| *there).map(|(route, _)| route).collect(),
        registering: match metadata.registration {
            Some(_) => Registering::Announced,
            None => Registering::Useless,
        },
        ..Issuer::at(address)
    }
}
