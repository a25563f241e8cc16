//! Look a token up: is it valid, until when, and if not, why. Asking costs nothing and rotates nothing, but it sends the
//! token: only to a server that is listed here, or that the user has agreed to.

use std::net::{IpAddr, UdpSocket};
use std::sync::{Arc, PoisonError};

use url::Url;

use super::Wallet;
use crate::domain::credential::{Credential, CredentialId, Grant, Health};
use crate::domain::event::What;
use crate::domain::jwt::Jwt;
use crate::domain::mytoken::Facts;
use crate::domain::secret::Secret;
use crate::domain::specimen::{Kind, Specimen};
use crate::domain::untrusted::Untrusted;
use crate::domain::verdict::{By, Place, Says, Standing, Subject, Verdict, Witness, verdict};
use crate::mytoken::{Error, No, Reason, tokeninfo};

/// Who may be asked about a pasted token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Its own server, if that is listed here.
    IfListed,
    /// This server: the user has agreed.
    This(String),
    /// Nobody.
    Nobody,
}

/// What a look-up found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The answer.
    pub verdict: Verdict,
    /// What is known of it, if it is a mytoken.
    pub facts: Option<Facts>,
    /// Its content, if it is another JWT.
    pub content: Option<Jwt>,
    /// What it is, in words, with its article.
    pub what: String,
    /// The server that could be asked if the user agreed.
    pub may_ask: Option<String>,
}

impl Wallet {
    /// Looks a held credential up. For a mytoken its server is asked; of a login the access token is read.
    pub async fn look_up(self: &Arc<Self>, id: &CredentialId) -> Option<Found> {
        let turn = self.store.turn(id).await.ok()?;
        let credential = turn.read();
        let Grant::Mytoken(grant) = &credential.grant else {
            return Some(self.look_at_access(&credential));
        };
        let last = Witness {
            at: grant.heard.unwrap_or(credential.since),
            by: By::Journal,
            says: Says::LastKnown(standing_of(&credential.health)),
        };
        let said = self.ask_server(&grant.server, &grant.current.value).await;
        let mut next = credential.clone();
        let mut facts = grant.facts.clone();
        if let Says::Alive(told) = &said.says {
            facts = told.as_ref().clone();
        }
        if let Grant::Mytoken(grant) = &mut next.grant {
            grant.facts = facts.clone();
            if said.by == By::Server && !matches!(said.says, Says::NoAnswer(_)) {
                grant.heard = Some(said.at);
            }
        }
        next.health = health_after(&said.says, &credential.health);
        turn.save(next);
        self.note(Some(id), What::LookedUp);
        let mut witnesses = vec![said];
        if grant.heard.is_some() {
            witnesses.push(last);
        }
        if credential.health == Health::Dead("revoked from here".to_owned()) {
            witnesses.push(Witness { at: self.now(), by: By::Journal, says: Says::RevokedHere });
        }
        let place = self.place(&grant.server, &facts).await;
        let verdict = verdict(subject(&facts, grant.short), &witnesses, &place, self.now());
        Some(Found {
            verdict,
            facts: Some(facts),
            content: None,
            what: "a mytoken".to_owned(),
            may_ask: None,
        })
    }

    /// Looks something up that is not held.
    pub async fn look_up_pasted(self: &Arc<Self>, specimen: &Specimen, ask: &Ask) -> Found {
        let found = match &specimen.kind {
            Kind::Mytoken(facts) => self.look_up_mytoken(specimen, facts, ask).await,
            Kind::MaybeShortToken => self.look_up_short(specimen, ask).await,
            Kind::AccessToken(_)
            | Kind::IdToken(_)
            | Kind::RefreshToken(_)
            | Kind::OtherJwt(_)
            | Kind::MaybeTransferCode
            | Kind::Opaque => self.look_at_other(specimen),
            Kind::Garbled { why } => Found {
                verdict: verdict(Subject::Unreadable(why), &[], &Place::default(), self.now()),
                facts: None,
                content: None,
                what: "not readable".to_owned(),
                may_ask: None,
            },
        };
        self.note(None, What::LookedUp);
        found
    }

    async fn look_up_mytoken(&self, specimen: &Specimen, claims: &Facts, ask: &Ask) -> Found {
        let mut facts = claims.clone();
        let mut witnesses = Vec::new();
        let mut may_ask = None;
        let server = claims.server.raw();
        if let Some(newer) = self.newer_than(&specimen.value, Some(claims)) {
            // Not sent: an older copy in use can revoke the whole family.
            let says = Says::Superseded { copy: claims.copy, newest: newer.number, name: newer.name };
            witnesses.push(Witness { at: self.now(), by: By::Journal, says });
        } else {
            let listed = self.server_at(server).is_some();
            match ask {
                Ask::IfListed if listed => witnesses.push(self.ask_server(server, &specimen.value).await),
                Ask::This(agreed) => witnesses.push(self.ask_server(agreed, &specimen.value).await),
                Ask::IfListed => may_ask = Some(server.to_owned()).filter(|server| !server.is_empty()),
                Ask::Nobody => {}
            }
        }
        if let Some(Says::Alive(told)) = witnesses.first().map(|witness| &witness.says) {
            facts = told.as_ref().clone();
        }
        let place = self.place(server, &facts).await;
        let verdict = verdict(Subject::Mytoken(&facts), &witnesses, &place, self.now());
        Found { verdict, facts: Some(facts), content: None, what: "a mytoken".to_owned(), may_ask }
    }

    async fn look_up_short(&self, specimen: &Specimen, ask: &Ask) -> Found {
        let what = "perhaps a short mytoken, which shows nothing by itself".to_owned();
        let mut witnesses = Vec::new();
        let mut may_ask = None;
        if let Some(newer) = self.newer_than(&specimen.value, None) {
            let says = Says::Superseded { copy: None, newest: newer.number, name: newer.name };
            witnesses.push(Witness { at: self.now(), by: By::Journal, says });
        } else if let Ask::This(server) = ask {
            witnesses.push(self.ask_server(server, &specimen.value).await);
        } else if *ask == Ask::IfListed {
            // It may be some other service's secret: nobody gets it unasked.
            may_ask = self.first_server();
        }
        let facts = match witnesses.first().map(|witness| &witness.says) {
            Some(Says::Alive(told)) => Some(told.as_ref().clone()),
            _ => None,
        };
        let place = match &facts {
            Some(facts) => self.place(facts.server.raw(), facts).await,
            None => Place::default(),
        };
        let subject = facts.as_ref().map_or(Subject::Short, Subject::Mytoken);
        let verdict = verdict(subject, &witnesses, &place, self.now());
        Found { verdict, facts, content: None, what, may_ask }
    }

    fn look_at_other(&self, specimen: &Specimen) -> Found {
        let jwt = specimen.kind.jwt().cloned();
        let issuer = jwt.as_ref().and_then(|jwt| jwt.text("iss"));
        let what = match issuer {
            Some(issuer) => format!("{} of {}", specimen.kind.words(), self.called(&issuer)),
            None => specimen.kind.words().to_owned(),
        };
        let ends = jwt.as_ref().and_then(|jwt| jwt.moment("exp"));
        let subject = Subject::Other { what: &what, ends };
        let verdict = verdict(subject, &[], &Place::default(), self.now());
        Found { verdict, facts: None, content: jwt, what, may_ask: None }
    }

    fn look_at_access(&self, credential: &Credential) -> Found {
        let access = credential.access_for(&credential.ask);
        let content = access.and_then(|token| Jwt::parse(token.value.expose()));
        let at =
            self.source(&credential.source).map_or_else(|| credential.source.0.clone(), |source| source.name);
        let what = format!("an access token of {at}");
        let ends = access.and_then(|token| token.expires);
        let verdict = verdict(Subject::Other { what: &what, ends }, &[], &Place::default(), self.now());
        Found { verdict, facts: None, content, what, may_ask: None }
    }

    /// An issuer by the name it has in the list, else by its own, cleaned.
    fn called(&self, issuer: &Untrusted) -> String {
        self.issuer_at(issuer.raw()).map_or_else(|| issuer.shown_within(80), |source| source.name)
    }

    fn first_server(&self) -> Option<String> {
        self.sources().iter().find_map(|source| match &source.kind {
            crate::domain::source::SourceKind::Server(server) => Some(server.address.clone()),
            _ => None,
        })
    }

    async fn ask_server(&self, address: &str, value: &Secret) -> Witness {
        let asked = async {
            let server = self.mytoken_server(address).await?;
            tokeninfo::introspect(&self.http, &server, value).await.outcome
        };
        let says = match asked.await {
            Ok(introspection) => Says::Alive(Box::new(introspection.facts)),
            Err(error) => words_of(error),
        };
        Witness { at: self.now(), by: By::Server, says }
    }

    /// The address a server sees us at: the one it has told, else that of this machine on the way to it where no network
    /// address translation can stand between. Looked for only where a restriction asks for it.
    async fn place(&self, server: &str, facts: &Facts) -> Place {
        if !facts.restrictions.iter().any(|clause| clause.hosts.is_some()) {
            return Place::default();
        }
        let told = {
            let addresses = self.servers.seen_as.lock().unwrap_or_else(PoisonError::into_inner);
            addresses.get(server.trim_end_matches('/')).copied()
        };
        let address = match told {
            Some(address) => Some(address),
            None => own_address_towards(server).await,
        };
        Place { address, country: None }
    }
}

fn subject(facts: &Facts, short: bool) -> Subject<'_> {
    if short && facts.server.is_empty() { Subject::Short } else { Subject::Mytoken(facts) }
}

/// What a server's refusal to introspect says about the token.
fn words_of(error: Error) -> Says {
    match error {
        Error::NoAnswer(error) => Says::NoAnswer(error.to_string()),
        Error::Refused(No::LacksCapability) => Says::MayNotAsk,
        Error::Refused(No::UsageRestricted) => Says::UsageRestricted,
        Error::Refused(No::OldCopy) => Says::Unidentified,
        Error::Refused(No::InvalidToken(reason)) => match reason {
            Reason::Unidentified => Says::Unidentified,
            Reason::Expired => Says::Expired,
            Reason::NotYet => Says::NotYet,
            Reason::BadSignature | Reason::Unreadable => Says::BadSignature,
            Reason::UnknownShort => Says::Unknown,
            Reason::WrongServer => Says::WrongServer,
            Reason::Other(words) => {
                Says::NoAnswer(format!("it refuses with words unknown here: {}", words.shown_within(120)))
            }
        },
        Error::Refused(no @ (No::Provider { .. } | No::NoRefreshToken)) => {
            Says::ProviderRefuses(no.to_string())
        }
        other => Says::NoAnswer(other.to_string()),
    }
}

fn health_after(says: &Says, before: &Health) -> Health {
    match says {
        Says::Alive(_) | Says::MayNotAsk | Says::NotYet => Health::Ok,
        Says::Expired => Health::NeedsLogin("expired".to_owned()),
        Says::Unidentified | Says::Unknown => match before {
            Health::Dead(_) => before.clone(),
            _ => Health::NeedsLogin("revoked or unknown at its server".to_owned()),
        },
        _ => before.clone(),
    }
}

fn standing_of(health: &Health) -> Standing {
    match health {
        Health::Ok | Health::InDoubt(_) => Standing::Valid,
        Health::NeedsLogin(_) | Health::Dead(_) => Standing::RevokedOrUnknown,
    }
}

/// The address this machine uses towards a server. No packet is sent: connecting a datagram socket only asks the routing
/// table. A private address towards a public server is translated on the way, and says nothing.
async fn own_address_towards(server: &str) -> Option<IpAddr> {
    let url = Url::parse(server).ok()?;
    let (host, port) = (url.host_str()?.to_owned(), url.port_or_known_default()?);
    let looked = tokio::task::spawn_blocking(move || {
        let host = host.trim_matches(['[', ']']).to_owned();
        let socket = UdpSocket::bind(("0.0.0.0", 0)).ok()?;
        socket.connect((host.as_str(), port)).ok()?;
        Some((socket.local_addr().ok()?.ip(), socket.peer_addr().ok()?.ip()))
    });
    let (own, peer) = looked.await.ok()??;
    (is_private(own) == is_private(peer)).then_some(own)
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}
