//! Requests with a mytoken that count as an other use of it or may replace it: lists, trees, histories, ending another one. One way for all: turn,
//! intent, ask, adopt, save, note, and only then the outcome.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;

use super::in_turn::{Cost, Settled};
use super::{Wallet, gone, health, words};
use crate::domain::credential::{Credential, CredentialId, Grant, Health};
use crate::domain::failure::{Failure, Kind};
use crate::domain::secret::Secret;
use crate::domain::untrusted::Untrusted;
use crate::http::Http;
use crate::mytoken::discovery::Server;
use crate::mytoken::listing::{self, Listing};
use crate::mytoken::revocation::{self, Accepted};
use crate::mytoken::tokeninfo::{self, HistoryEvent};
use crate::mytoken::{Error, Reply};

/// What is asked with a mytoken.
pub(super) trait Question: Send + Sync {
    /// What comes back.
    type Answer: Send;

    /// Whether it is counted as an other use, where the mytoken is restricted.
    const COUNTED: bool = true;

    /// Sends it.
    fn put<'a>(
        &'a self,
        http: &'a Http,
        server: &'a Server,
        by: &'a Secret,
    ) -> BoxFuture<'a, Reply<Self::Answer>>;
}

/// All mytokens of the user.
pub(super) struct All;
/// The one that asks, and what was made from it.
pub(super) struct Below;
/// Its own history.
pub(super) struct Own;
/// The histories of others.
pub(super) struct Of(pub(super) Vec<Untrusted>);
/// The end of another one.
pub(super) struct End {
    pub(super) mom_id: Untrusted,
    pub(super) recursive: bool,
}

/// What came, of which server, and its clock: for [`Wallet::acted`], once a history has been read against the use before.
pub(super) struct Answered<T> {
    pub(super) answer: T,
    pub(super) server: String,
    pub(super) date: Option<Timestamp>,
}

impl Question for All {
    type Answer = Listing;

    fn put<'a>(
        &'a self,
        http: &'a Http,
        server: &'a Server,
        by: &'a Secret,
    ) -> BoxFuture<'a, Reply<Listing>> {
        listing::list(http, server, by).boxed()
    }
}

impl Question for Below {
    type Answer = Listing;

    fn put<'a>(
        &'a self,
        http: &'a Http,
        server: &'a Server,
        by: &'a Secret,
    ) -> BoxFuture<'a, Reply<Listing>> {
        listing::subtokens(http, server, by).boxed()
    }
}

impl Question for Own {
    type Answer = Vec<HistoryEvent>;

    fn put<'a>(
        &'a self,
        http: &'a Http,
        server: &'a Server,
        by: &'a Secret,
    ) -> BoxFuture<'a, Reply<Vec<HistoryEvent>>> {
        tokeninfo::event_history(http, server, by).boxed()
    }
}

impl Question for Of {
    type Answer = Vec<HistoryEvent>;

    fn put<'a>(
        &'a self,
        http: &'a Http,
        server: &'a Server,
        by: &'a Secret,
    ) -> BoxFuture<'a, Reply<Vec<HistoryEvent>>> {
        async move {
            let ids: Vec<&str> = self.0.iter().map(Untrusted::raw).collect();
            tokeninfo::event_history_of(http, server, by, &ids).await
        }
        .boxed()
    }
}

impl Question for End {
    type Answer = Accepted;
    // Restrictions do not matter for it, and it is not counted; it rotates all the same (mytoken-api.md §2.6).
    const COUNTED: bool = false;

    fn put<'a>(
        &'a self,
        http: &'a Http,
        server: &'a Server,
        by: &'a Secret,
    ) -> BoxFuture<'a, Reply<Accepted>> {
        revocation::revoke_other(http, server, by, self.mom_id.raw(), self.recursive).boxed()
    }
}

impl Wallet {
    /// Asks with a held mytoken, in its turn. What it costs is counted, and a new copy saved, before the outcome is looked at.
    pub(super) async fn ask_with_held<Q: Question>(
        &self,
        id: &CredentialId,
        question: &Q,
        doing: &str,
    ) -> Result<Answered<Q::Answer>, Failure> {
        let turn = self.store.turn(id).await.map_err(|error| gone(doing, &error))?;
        let credential = turn.read();
        let Grant::Mytoken(grant) = &credential.grant else {
            return Err(Failure::new(Kind::Unusable, doing, "this can be asked with a mytoken only"));
        };
        if !is_free::<Q>(&credential) {
            self.may_change(doing)?;
        }
        self.not_overtaken(&credential, doing)?;
        if let Health::Dead(why) = &credential.health {
            return Err(Failure::new(Kind::NotValid, doing, format!("{} is {why}", credential.name)));
        }
        if health::may_revoke_family(&credential) {
            return Err(health::may_revoke(doing));
        }
        let sent = &grant.current.value;
        let failed = |error: &Error| words::without(words::mytoken(doing, error), &[sent]);
        self.may_ask(&grant.server).map_err(|error| failed(&error))?;
        let server = self.mytoken_server(&grant.server).await.map_err(|error| failed(&error))?;
        let rotates = may_rotate::<Q>(&credential);
        if rotates {
            self.intend(&turn, doing).await?;
        }
        let reply = question.put(&self.http, &server, sent).await;
        let cost = Cost { counts: Q::COUNTED, rotates };
        let settled = self.settle(&turn, &credential, reply, cost, doing).await;
        let Settled { outcome, saved, after, date, lost, .. } = settled;
        self.settled(&turn, &credential, &after, saved, doing).await?;
        match outcome {
            Ok(answer) => Ok(Answered { answer, server: grant.server.clone(), date }),
            Err(error) if lost => Err(failed(&error).hint(health::MAY_HAVE_ACTED)),
            Err(error) => Err(failed(&error)),
        }
    }
}

/// Whether asking it changes nothing at the server: neither a count nor a copy. Of an unrestricted mytoken the server counts and
/// rotates nothing on these (mytoken-api.md §2.5, §12.6).
fn is_free<Q: Question>(credential: &Credential) -> bool {
    Q::COUNTED && !is_restricted(credential)
}

fn may_rotate<Q: Question>(credential: &Credential) -> bool {
    health::may_rotate(credential, |rotation| rotation.on_other) && (!Q::COUNTED || is_restricted(credential))
}

/// Whether it is restricted, or nobody here knows.
fn is_restricted(credential: &Credential) -> bool {
    match &credential.grant {
        Grant::Mytoken(grant) => !grant.is_unrestricted(),
        Grant::Refresh(_) | Grant::Bare => false,
    }
}
