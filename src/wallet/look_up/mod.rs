//! Look a token up: is it valid, until when, and if not, why. Asking costs nothing and rotates nothing, but it sends the
//! token: only to a server that is listed here, or that the user has agreed to, and never a copy that may be an older
//! one of a mytoken that revokes itself for that. The signature of a JWT is checked with its issuer's public keys, for which it
//! is sent nowhere.

mod content;
mod introspect;
mod pasted;
mod place;
mod remembered;
mod signature;

use std::sync::Arc;

use jiff::Timestamp;

pub(super) use remembered::OLDER_USED;

use super::{Wallet, health, stale};
use crate::domain::credential::{Credential, CredentialId, Grant, Health, MytokenGrant};
use crate::domain::event::What;
use crate::domain::introspected::{Introspected, Said};
use crate::domain::jwt::Jwt;
use crate::domain::mytoken::Facts;
use crate::domain::secret::Secret;
use crate::domain::signature::Signature;
use crate::domain::source::SourceId;
use crate::domain::verdict::{By, Next, Place, Says, Subject, Turn, Verdict, Witness, verdict};
use crate::mytoken::{Error, Issued, No, Reason, tokeninfo};

/// Who may be asked about a pasted token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Its own server, if that is listed here.
    IfListed,
    /// This server: the user has agreed.
    This(String),
    /// This OpenID provider, by introspection (RFC 7662): the user has named it.
    Provider(SourceId),
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
    /// Whether the signature of that content is its issuer's.
    pub signature: Option<Signature>,
    /// What its provider said of it.
    pub introspected: Option<Introspected>,
    /// What it is, in words, with its article.
    pub what: String,
    /// The server that could be asked if the user agreed.
    pub may_ask: Option<String>,
}

/// Why a copy was not sent that may not be the current one.
const NOT_SENT: &str = "it was not sent: its last use got no answer, and if a newer copy exists, an older one in use \
                        revokes it and all made from it";

impl Wallet {
    /// Looks a held credential up. For a mytoken its server is asked; of a login the access token is read.
    pub async fn look_up(self: &Arc<Self>, id: &CredentialId) -> Option<Found> {
        let (wallet, id) = (Arc::clone(self), id.clone());
        let task = async move {
            let looked = wallet.look_up_in_turn(&id).await;
            // Its turn is over: whoever waits for it need not wait for keys.
            Ok(match looked {
                Some((found, Some(credential))) => Some(wallet.look_into(found, &credential).await),
                looked => looked.map(|(found, _)| found),
            })
        };
        self.to_its_end("Looking up", task).await.ok().flatten()
    }

    /// What can be said of the access token of a login: of a JWT whose signature it bears, of another what its provider says.
    async fn look_into(&self, mut found: Found, credential: &Credential) -> Found {
        let Some(access) = credential.access_for(&credential.ask) else { return found };
        match &found.content {
            Some(jwt) => found.signature = Some(self.signature_of(jwt, &access.value).await),
            None if !matches!(found.verdict.turn, Some((Turn::Ended, _))) => {
                found.introspected = self.introspect_held(credential, &access.value).await;
                found.heed_introspection(self.now());
            }
            None => {}
        }
        found
    }

    /// With it the credential, where there is more to say of its access token.
    async fn look_up_in_turn(&self, id: &CredentialId) -> Option<(Found, Option<Credential>)> {
        let turn = self.store.turn(id).await.ok()?;
        let credential = turn.read();
        let Grant::Mytoken(grant) = &credential.grant else {
            return Some((self.look_at_access(&credential), Some(credential)));
        };
        if stale::is_marked(&credential) {
            let own = Some(grant.current.number);
            let witnesses = [match self.rotated_away(&credential) {
                Some(newer) => self.superseded(own, newer),
                None => self.rotated_here(&grant.facts, own),
            }];
            let verdict =
                verdict(subject(&grant.facts, grant.short), &witnesses, &Place::default(), self.now());
            return Some((Found::mytoken(verdict, grant.facts.clone()), None));
        }
        if health::may_revoke_family(&credential) {
            return Some((self.look_without_asking(&credential, grant).await, None));
        }
        let (mut said, update) = self.ask_server(&grant.server, &grant.current.value).await;
        let mut next = credential.clone();
        // Asking rotates nothing (mytoken-api.md §2.5), so no intent is written for it; a copy that comes all the same is kept.
        let copy = update.map(|update| self.adopt(&mut next, update));
        if let Grant::Mytoken(grant) = &mut next.grant {
            if let Says::Alive(told) = &said.says {
                grant.facts = told.as_ref().clone();
            }
            if !matches!(said.says, Says::NoAnswer(_)) {
                grant.heard = Some(said.at);
            }
        }
        if let Some(words) = useless(&credential.health)
            && matches!(said.says, Says::Alive(_))
        {
            // Its server only knows that it lives; that nothing is to be had from it, it has said at the last try.
            said.says = Says::ProviderRefuses(words);
        }
        next.health = health_after(&said.says, &credential.health);
        let facts = match &next.grant {
            Grant::Mytoken(grant) => grant.facts.clone(),
            Grant::Refresh(_) | Grant::Bare => Facts::default(),
        };
        if !self.is_read_only() {
            self.save(&turn, next.clone(), "Looking up").await.ok()?;
        }
        self.note(Some(id), What::LookedUp);
        if let Some(copy) = copy {
            self.note_of(&next, What::Rotated { copy });
        }
        let mut witnesses = vec![said];
        witnesses.extend(last_known(&credential, grant));
        let ours = credential.health == Health::Dead(health::REVOKED_HERE.to_owned());
        if ours {
            witnesses.push(Witness { at: self.now(), by: By::Journal, says: Says::RevokedHere });
        } else if is_unexplained(&witnesses) {
            witnesses.extend(self.remembered(&facts, Some(grant.current.number)));
        }
        let place = self.place(&grant.server, &facts).await;
        let verdict = verdict(subject(&facts, grant.short), &witnesses, &place, self.now());
        Some((Found::mytoken(verdict, facts), None))
    }

    async fn look_without_asking(&self, credential: &Credential, grant: &MytokenGrant) -> Found {
        let says = Says::NoAnswer(NOT_SENT.to_owned());
        let mut witnesses = vec![Witness { at: self.now(), by: By::Journal, says }];
        witnesses.extend(last_known(credential, grant));
        let facts = grant.facts.clone();
        let place = self.place(&grant.server, &facts).await;
        let mut verdict = verdict(subject(&facts, grant.short), &witnesses, &place, self.now());
        if verdict.fact == NOT_SENT {
            (verdict.by, verdict.next) = (By::Journal, Some(Next::TryAccessToken));
        }
        Found::mytoken(verdict, facts)
    }

    fn look_at_access(&self, credential: &Credential) -> Found {
        let access = credential.access_for(&credential.ask);
        let content = access.and_then(|token| Jwt::parse(token.value.expose()));
        let at =
            self.source(&credential.source).map_or_else(|| credential.source.0.clone(), |source| source.name);
        let what = match access {
            Some(_) => format!("an access token of {at}"),
            None => format!("a login at {at} without an access token"),
        };
        let ends = access.and_then(|token| token.expires);
        let verdict = verdict(Subject::Other { what: &what, ends }, &[], &Place::default(), self.now());
        Found { content, ..Found::other(verdict, what) }
    }

    async fn ask_server(&self, address: &str, value: &Secret) -> (Witness, Option<Issued>) {
        let known = match self.may_ask(address) {
            Ok(()) => self.mytoken_server(address).await,
            Err(error) => Err(error),
        };
        let (outcome, update) = match known {
            Ok(server) => {
                let reply = tokeninfo::introspect(&self.http, &server, value).await;
                self.heed(address, &reply);
                self.acted(address, reply.date);
                (reply.outcome, reply.update)
            }
            Err(error) => (Err(error), None),
        };
        let says = match outcome {
            Ok(introspection) => Says::Alive(Box::new(introspection.facts)),
            Err(error) => words_of(error),
        };
        (Witness { at: self.now(), by: By::Server, says }, update)
    }
}

impl Found {
    /// The exit code of `toktui info` (design.md §3): a signature that does not fit, and a provider that does not call it active, go
    /// before its own times.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if self.signature.as_ref().is_some_and(Signature::is_bad) {
            return 3;
        }
        let ended = matches!(self.verdict.turn, Some((Turn::Ended | Turn::Starts, _)));
        match self.introspected.as_ref().map(|introspected| &introspected.said) {
            Some(Said::NotActive) => 3,
            Some(Said::Active(_)) if !ended => 0,
            Some(Said::Active(_) | Said::Nothing(_)) | None => self.verdict.exit_code(),
        }
    }

    fn mytoken(verdict: Verdict, facts: Facts) -> Self {
        Self { facts: Some(facts), ..Self::other(verdict, "a mytoken".to_owned()) }
    }

    fn other(verdict: Verdict, what: String) -> Self {
        Self { verdict, facts: None, content: None, signature: None, introspected: None, what, may_ask: None }
    }

    /// The end that its provider names, where nobody else has named one.
    fn heed_introspection(&mut self, now: Timestamp) {
        let Some(introspected) = &self.introspected else { return };
        if !matches!(introspected.said, Said::Nothing(_)) {
            self.verdict.by = By::Server;
            self.verdict.heard = Some(now);
        }
        if let (None, Some(end)) = (self.verdict.turn, introspected.ends()) {
            self.verdict.turn = Some((if end > now { Turn::Ends } else { Turn::Ended }, end));
        }
    }
}

/// The server has refused it and not said why.
fn is_unexplained(witnesses: &[Witness]) -> bool {
    witnesses.iter().any(|witness| matches!(witness.says, Says::Unidentified | Says::Unknown))
}

fn last_known(credential: &Credential, grant: &MytokenGrant) -> Option<Witness> {
    let says = Says::LastKnown(health::standing(&credential.health));
    grant.heard.map(|at| Witness { at, by: By::Journal, says })
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

fn useless(health: &Health) -> Option<String> {
    match health {
        Health::NeedsLogin(why) if health::is_useless(why) => Some(why.clone()),
        Health::Ok | Health::InDoubt(_) | Health::NeedsLogin(_) | Health::Dead(_) => None,
    }
}

fn health_after(says: &Says, before: &Health) -> Health {
    match says {
        Says::Alive(_) | Says::MayNotAsk | Says::NotYet | Says::UsageRestricted => match useless(before) {
            Some(_) => before.clone(),
            None => Health::Ok,
        },
        Says::Expired => health::needs_login(health::EXPIRED),
        Says::Unidentified | Says::Unknown => match before {
            Health::Dead(_) => before.clone(),
            Health::InDoubt(why) if why == health::REVOKED_UNCHECKED => {
                Health::Dead(health::REVOKED_HERE.to_owned())
            }
            Health::Ok | Health::InDoubt(_) | Health::NeedsLogin(_) => {
                health::needs_login(health::REVOKED_OR_UNKNOWN)
            }
        },
        Says::BadSignature
        | Says::WrongServer
        | Says::ProviderRefuses(_)
        | Says::NoAnswer(_)
        | Says::Superseded { .. }
        | Says::RotatedHere { .. }
        | Says::RevokedHere
        | Says::OlderCopyUsed
        | Says::LastKnown(_) => before.clone(),
    }
}
