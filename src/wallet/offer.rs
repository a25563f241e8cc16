//! What a mytoken server offers, asked once a session.

use std::sync::Arc;

use futures_util::FutureExt;

use super::{Wallet, words};
use crate::domain::failure::{Failure, Kind};
use crate::domain::mytoken::Form;
use crate::domain::offer::{Offer, Offered, Template, TemplateKind};
use crate::domain::source::{SourceId, SourceKind};
use crate::domain::untrusted::Untrusted;
use crate::http::Http;
use crate::mytoken::discovery::Server;
use crate::mytoken::{Error, No, profiles};

const DOING: &str = "Asking what the server offers";

/// More groups than this are not read: each costs four requests, of a hundred in five minutes that all users behind one address share.
const MOST_GROUPS: usize = 4;

impl Wallet {
    /// What the mytoken server of this row (a server or a profile) offers. Its profiles and templates are read too; where they cannot be,
    /// [`Offer::unread`] says why, and the next one asks for them again.
    ///
    /// # Errors
    /// When it is no such row, or nobody answers.
    pub async fn offer(self: &Arc<Self>, source: &SourceId) -> Result<Offer, Failure> {
        let (row, address) = self.server_of(source, DOING)?;
        let server = self.mytoken_server(&address).await.map_err(|error| words::mytoken(DOING, &error))?;
        let ask = || {
            let (http, server) = (Arc::clone(&self.http), Arc::clone(&server));
            async move { templates(&http, &server).await }.boxed()
        };
        let (templates, unread) = match self.templates_of(&address, ask).await {
            Ok(templates) => (templates.as_ref().clone(), None),
            Err(error) => (Vec::new(), Some(words::mytoken(DOING, &error).why)),
        };
        let offer = offer_of(&server, &address);
        let allowance = self.allowance(&row).map(|(allowance, _)| allowance);
        Ok(Offer { server: Some(row), templates, unread, allowance, ..offer })
    }

    /// The row of the mytoken server behind a row, and its address.
    ///
    /// # Errors
    /// When it is no row, or none with a mytoken server behind it.
    pub(super) fn server_of(&self, source: &SourceId, doing: &str) -> Result<(SourceId, String), Failure> {
        let unusable = |why: &str| Failure::new(Kind::Unusable, doing, why);
        let row = match self.source(source).map(|source| source.kind) {
            Some(SourceKind::Profile(profile)) => profile.server,
            Some(SourceKind::Server(_)) => source.clone(),
            Some(SourceKind::Issuer(_)) => return Err(unusable("it is no mytoken server")),
            None => return Err(unusable("it is not listed here")),
        };
        match self.address_behind(&row) {
            Some(address) => Ok((row, address)),
            None => Err(unusable("the profile names a mytoken server that is not listed")),
        }
    }
}

/// What a server says of itself, without its templates.
pub(super) fn offer_of(server: &Server, address: &str) -> Offer {
    let mut forms = vec![Form::Token];
    forms.extend(server.hands_out(Form::Short.wire()).then_some(Form::Short));
    forms.extend(server.hands_out_codes().then_some(Form::Code));
    let providers = server.providers.iter().map(|provider| Offered {
        issuer: provider.issuer.clone(),
        name: provider.name.clone().unwrap_or_else(|| provider.issuer.clone()),
        scopes: provider.scopes.clone(),
    });
    Offer {
        server: None,
        address: address.to_owned(),
        version: server.version.clone(),
        providers: providers.collect(),
        restrictions: server.restriction_claims.iter().map(|claim| claim.raw().to_owned()).collect(),
        forms,
        hands_over: server.makes_codes(),
        revokes: server.revocation.is_some(),
        tells_history: server.answers("event_history"),
        lists: server.answers("list_mytokens"),
        shows_tree: server.answers("subtokens"),
        templates: Vec::new(),
        unread: None,
        allowance: None,
    }
}

async fn templates(http: &Http, server: &Server) -> Result<Vec<Template>, Error> {
    if !server.may_have_profiles() {
        return Ok(Vec::new());
    }
    let groups = match profiles::groups(http, server).await {
        Ok(groups) => groups,
        // The feature is off, which a server does not say before (§12.23).
        Err(Error::NotOffered(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut read = Vec::new();
    for group in groups.iter().map(Untrusted::raw).take(MOST_GROUPS) {
        for kind in [
            TemplateKind::Profile,
            TemplateKind::Capabilities,
            TemplateKind::Restrictions,
            TemplateKind::Rotation,
        ] {
            let list = match profiles::templates(http, server, Some(group), kind).await {
                // One template that cannot be evaluated spoils its list (§2.11), and no other.
                Err(Error::Refused(No::ServerBroke { .. }) | Error::NotOffered(_)) => Vec::new(),
                answer => answer?,
            };
            read.extend(list.iter().map(|template| template.offered(Some(group), kind)));
        }
    }
    Ok(read)
}
