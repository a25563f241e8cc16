//! Looking up what is not held, or not known to be.

use std::sync::Arc;

use super::{Ask, Found, is_unexplained};
use crate::domain::credential::Credential;
use crate::domain::event::What;
use crate::domain::jwt::Jwt;
use crate::domain::mytoken::Facts;
use crate::domain::portal;
use crate::domain::secret::Secret;
use crate::domain::signature::{Signature, Unchecked};
use crate::domain::source::SourceKind;
use crate::domain::specimen::{Kind, Specimen};
use crate::domain::untrusted::Untrusted;
use crate::domain::verdict::{By, Place, Says, Subject, Witness, verdict};
use crate::store::{Newer, Turn};
use crate::wallet::servers::LookedUp;
use crate::wallet::{Wallet, health};

const MAY_REVOKE: &str = "if it is an older copy, asking its server revokes it and all made from it";

impl Wallet {
    /// Looks something up that is not held.
    pub async fn look_up_pasted(self: &Arc<Self>, specimen: &Specimen, ask: &Ask) -> Found {
        if let Ask::This(server) = ask {
            self.agree(server);
        }
        let mut found = match &specimen.kind {
            Kind::Mytoken(facts) => self.look_up_mytoken(specimen, facts, ask).await,
            Kind::MaybeShortToken => self.look_up_short(specimen, ask).await,
            Kind::AccessToken(_)
            | Kind::IdToken(_)
            | Kind::RefreshToken(_)
            | Kind::OtherJwt(_)
            | Kind::MaybeTransferCode
            | Kind::Opaque => self.look_at_other(specimen, ask).await,
            Kind::Garbled { why } => Found::other(
                verdict(Subject::Unreadable(why), &[], &Place::default(), self.now()),
                "not readable".to_owned(),
            ),
        };
        if let Ask::Provider(provider) = ask {
            found.introspected = self.introspect_pasted(specimen, provider).await;
            found.heed_introspection(self.now());
        }
        self.note(None, What::LookedUp);
        found
    }

    async fn look_up_mytoken(&self, specimen: &Specimen, claims: &Facts, ask: &Ask) -> Found {
        // If it is a copy that is held, its turn is waited for: it could be rotated away while it is on its way.
        let turn = self.turn_of(&specimen.value).await;
        let server = claims.server.raw();
        let mut found = Found::mytoken(
            verdict(Subject::Mytoken(claims), &[], &Place::default(), self.now()),
            claims.clone(),
        );
        let mut witnesses = Vec::new();
        if let Some(newer) = self.newer_than(&specimen.value, Some(claims)) {
            witnesses.push(self.superseded(claims.copy, newer));
        } else if let Some(rotated) = self.rotated_and_gone(claims) {
            // The one that took its place is not held any more; sent, this one could revoke it.
            witnesses.push(rotated);
        } else {
            let risky = may_be_older(claims, turn.as_ref().map(Turn::read).as_ref());
            match ask {
                Ask::This(agreed) => witnesses.push(self.ask_about(agreed, specimen, false).await),
                Ask::IfListed if self.server_at(server).is_some() && !risky => {
                    witnesses.push(self.ask_about(server, specimen, false).await);
                }
                Ask::IfListed => found.may_ask = Some(server.to_owned()).filter(|server| !server.is_empty()),
                Ask::Provider(_) | Ask::Nobody => {}
            }
            if witnesses.is_empty() || is_unexplained(&witnesses) {
                witnesses.extend(self.remembered(claims, claims.copy));
            }
        }
        if let Some(told) = told(&witnesses) {
            found.facts = Some(told.clone());
        }
        let facts = found.facts.as_ref().unwrap_or(claims);
        let place = self.place(server, facts).await;
        found.verdict = verdict(Subject::Mytoken(facts), &witnesses, &place, self.now());
        if found.may_ask.is_some() && revokes_older_copies(claims) {
            found.verdict.remarks.insert(0, MAY_REVOKE.to_owned());
        }
        found
    }

    async fn look_up_short(&self, specimen: &Specimen, ask: &Ask) -> Found {
        let turn = self.turn_of(&specimen.value).await;
        let mut witnesses = Vec::new();
        let mut may_ask = None;
        if let Some(newer) = self.newer_than(&specimen.value, None) {
            witnesses.push(self.superseded(None, newer));
        } else if let Ask::This(server) = ask {
            witnesses.push(self.ask_about(server, specimen, true).await);
        } else if *ask == Ask::IfListed {
            // It may be some other service's secret: nobody gets it unasked.
            may_ask = self.first_server();
        }
        drop(turn);
        let facts = told(&witnesses).cloned();
        let place = match &facts {
            Some(facts) => self.place(facts.server.raw(), facts).await,
            None => Place::default(),
        };
        let subject = facts.as_ref().map_or(Subject::Short, Subject::Mytoken);
        let verdict = verdict(subject, &witnesses, &place, self.now());
        let what = match &facts {
            Some(_) => "a short mytoken",
            None => "perhaps a short mytoken, which shows nothing by itself",
        };
        Found { facts, may_ask, ..Found::other(verdict, what.to_owned()) }
    }

    async fn look_at_other(&self, specimen: &Specimen, ask: &Ask) -> Found {
        let jwt = specimen.kind.jwt().cloned();
        let issuer = jwt.as_ref().and_then(|jwt| jwt.text("iss"));
        let what = match issuer {
            Some(issuer) => format!("{} of {}", specimen.kind.words(), self.called(&issuer)),
            None => specimen.kind.words().to_owned(),
        };
        let ends = jwt.as_ref().and_then(|jwt| jwt.moment("exp"));
        let subject = Subject::Other { what: &what, ends };
        let mut verdict = verdict(subject, &[], &Place::default(), self.now());
        if let Kind::RefreshToken(jwt) = &specimen.kind {
            verdict.remarks.extend(self.whose(jwt));
        }
        let signature = match &jwt {
            Some(_) if *ask == Ask::Nobody => Some(Signature::Unchecked(Unchecked::NotAsked)),
            Some(jwt) => Some(self.signature_of(jwt, &specimen.value).await),
            None => None,
        };
        Found { content: jwt, signature, ..Found::other(verdict, what) }
    }

    /// What is to be known of a refresh token before anybody thinks of sending it: that its issuer is no more, or that another client got it.
    fn whose(&self, jwt: &Jwt) -> Option<String> {
        let (issuer, party) = (jwt.text("iss")?, jwt.text("azp"));
        if let Some(history) = portal::history_of(issuer.raw()) {
            return Some(history);
        }
        let source = self.issuer_at(issuer.raw())?;
        let ours = source.issuer()?.client.as_ref()?;
        let party = party.filter(|party| party.raw() != ours.id)?;
        Some(format!("it was given to {}: no other client can use it", party.shown_within(60)))
    }

    /// Asks a server about a token and remembers what it said: what is kept next is usually that.
    async fn ask_about(&self, server: &str, specimen: &Specimen, short: bool) -> Witness {
        let (witness, _) = self.ask_server(server, &specimen.value).await;
        let known = match &witness.says {
            Says::Alive(told) => Some(told.as_ref().clone()),
            Says::MayNotAsk => match &specimen.kind {
                Kind::Mytoken(claims) => Some(claims.as_ref().clone()),
                _ => Some(Facts::default()),
            },
            // The user has agreed to this server, also if it is silent just now.
            Says::NoAnswer(_) => match &specimen.kind {
                Kind::Mytoken(claims) => Some(claims.as_ref().clone()),
                _ => None,
            },
            _ => None,
        };
        if let Some(facts) = known {
            let heard = matches!(witness.says, Says::Alive(_)).then_some(witness.at);
            let looked_up = LookedUp { server: server.to_owned(), facts, short, heard };
            self.found(self.store.fingerprint(&specimen.value), looked_up);
        }
        witness
    }

    /// The turn of the credential whose current copy this is.
    async fn turn_of(&self, value: &Secret) -> Option<Turn> {
        let id = self.store.holder_of(value)?;
        self.store.turn(&id).await.ok()
    }

    pub(super) fn superseded(&self, copy: Option<u64>, newer: Newer) -> Witness {
        let says = Says::Superseded { copy, newest: newer.number, name: newer.name };
        Witness { at: self.now(), by: By::Journal, says }
    }

    /// An issuer by the name it has in the list, else by its own, cleaned.
    #[must_use]
    pub fn called(&self, issuer: &Untrusted) -> String {
        self.issuer_at(issuer.raw()).map_or_else(|| issuer.shown_within(80), |source| source.name)
    }

    fn first_server(&self) -> Option<String> {
        self.sources().iter().find_map(|source| match &source.kind {
            SourceKind::Server(server) => Some(server.address.clone()),
            SourceKind::Issuer(_) | SourceKind::Profile(_) => None,
        })
    }
}

/// Whether asking about it may revoke a whole family: nobody here knows that it is the newest copy of one that revokes
/// itself when an older one is used (design.md §5).
fn may_be_older(claims: &Facts, holder: Option<&Credential>) -> bool {
    revokes_older_copies(claims) && holder.is_none_or(health::may_revoke_family)
}

fn revokes_older_copies(claims: &Facts) -> bool {
    claims.rotation.is_some_and(|rotation| rotation.rotates() && rotation.auto_revoke)
}

fn told(witnesses: &[Witness]) -> Option<&Facts> {
    witnesses.iter().find_map(|witness| match &witness.says {
        Says::Alive(told) => Some(told.as_ref()),
        _ => None,
    })
}
