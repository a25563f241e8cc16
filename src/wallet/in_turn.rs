//! A request with a held mytoken, in its turn: what is to be known before, and what is saved of the answer first.

use jiff::Timestamp;

use super::uses::Use;
use super::{Wallet, health};
use crate::domain::credential::{Credential, Grant, Health, MytokenGrant};
use crate::domain::draft::Draft;
use crate::domain::event::What;
use crate::domain::failure::{Failure, Kind};
use crate::mytoken::{Error, Reply};
use crate::store::Turn;
use crate::wallet::draw::Wish;

/// An answer of which the mytoken's own part is settled.
pub(super) struct Settled<T> {
    /// What was asked for. The caller keeps what is in it before it looks at [`Settled::saved`].
    pub(super) outcome: Result<T, Error>,
    /// Whether the mytoken's own part is on disk; `None`: no secret in it is new, and the caller saves it behind what came.
    pub(super) saved: Option<Result<(), Failure>>,
    /// The mytoken that asked, as it is now.
    pub(super) after: Credential,
    /// What its user must know: it rotated, it is in doubt.
    pub(super) remarks: Vec<String>,
    /// The request may have been carried out unheard.
    pub(super) perhaps_done: bool,
    /// The server's clock.
    pub(super) date: Option<Timestamp>,
    /// A new copy of the mytoken was made, or may have been, and did not come.
    pub(super) lost: bool,
}

/// The mytoken in a credential that may be sent now.
///
/// # Errors
/// When it is none, has died, a newer copy is held, or nobody knows whether it is the current one and an older one in use revokes.
pub(super) fn sendable<'a>(
    wallet: &Wallet,
    credential: &'a Credential,
    doing: &str,
) -> Result<&'a MytokenGrant, Failure> {
    let Grant::Mytoken(grant) = &credential.grant else {
        return Err(Failure::new(Kind::Unusable, doing, "it is no mytoken"));
    };
    wallet.not_overtaken(credential, doing)?;
    health::forbids(credential, &Wish::default(), doing)?;
    Ok(grant)
}

/// What a request may do to the mytoken that makes it.
#[derive(Clone, Copy)]
pub(super) struct Cost {
    /// It is one other use.
    pub(super) counts: bool,
    /// It may replace the mytoken: an intent was written for it.
    pub(super) rotates: bool,
}

impl Wallet {
    /// Saves what an answer says of the mytoken that asked: at once where there is a new copy of it or an intent to settle or nothing came.
    pub(super) async fn settle<T>(
        &self,
        turn: &Turn,
        before: &Credential,
        reply: Reply<T>,
        cost: Cost,
        doing: &str,
    ) -> Settled<T> {
        if let Grant::Mytoken(grant) = &before.grant {
            self.heed(&grant.server, &reply);
        }
        let perhaps_done = reply.is_perhaps_done();
        let mut after = before.clone();
        let copy = reply.update.map(|update| self.adopt(&mut after, update));
        let done = cost.counts && reply.outcome.is_ok();
        let must = health::rotation(before).is_some_and(|rotation| rotation.on_other);
        let lost = copy.is_none() && cost.rotates && (reply.in_doubt || (done && must));
        if done {
            self.spend(&mut after, Use::Other, &before.ask);
        }
        after.health = match &reply.outcome {
            _ if lost => health::in_doubt(),
            // That it is the current copy says nothing about whether access tokens are still to be had. An older one may revoke others (§2.6).
            Ok(_) if matches!(before.health, Health::InDoubt(_)) && cost.counts => Health::Ok,
            Ok(_) => before.health.clone(),
            Err(error) => health::after(error, &before.health),
        };
        let can_wait = copy.is_none() && reply.outcome.is_ok() && !cost.rotates;
        let saved = if can_wait { None } else { Some(self.put_by(turn, before, &after, cost, doing).await) };
        if lost {
            self.note_of(&after, What::InDoubt);
        }
        if let Some(copy) = copy {
            self.note_of(&after, What::Rotated { copy });
            self.bury_older_copies_of(&after).await;
        }
        let name = &after.name;
        let mut remarks = Vec::new();
        remarks.extend(copy.map(|copy| format!("{name} rotated: copy {copy} is yours now")));
        remarks
            .extend(lost.then(|| format!("{name} rotates, and its new copy did not come: it is in doubt")));
        Settled { outcome: reply.outcome, saved, after, remarks, perhaps_done, date: reply.date, lost }
    }

    async fn put_by(
        &self,
        turn: &Turn,
        before: &Credential,
        after: &Credential,
        cost: Cost,
        doing: &str,
    ) -> Result<(), Failure> {
        if after == before && !cost.rotates {
            return Ok(());
        }
        self.save(turn, after.clone(), doing).await
    }

    /// The mytoken's own part is on disk when this returns.
    pub(super) async fn settled(
        &self,
        turn: &Turn,
        before: &Credential,
        after: &Credential,
        saved: Option<Result<(), Failure>>,
        doing: &str,
    ) -> Result<(), Failure> {
        match saved {
            Some(saved) => saved,
            None if after == before => Ok(()),
            None => self.save(turn, after.clone(), doing).await,
        }
    }

    /// Says in the journal what is about to be asked, so that a program that is killed in between leaves a trace.
    pub(super) fn announce(&self, what: &str, draft: &Draft, at: &str) {
        let name = if draft.name.trim().is_empty() { "a mytoken" } else { draft.name.trim() };
        let trace = format!("{name} at {at}; should nothing follow, it may exist: look in the server's list");
        self.note_with(None, What::Noted(what.to_owned()), &trace);
    }
}
