//! A request with a held mytoken, in its turn: what is to be known before, and what is saved of the answer first.

use super::uses::{Use, spend};
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

impl Wallet {
    /// Saves what an answer says of the mytoken that asked: at once where there is a new copy of it or an intent to settle or nothing came.
    /// `counts`: the request is one other use, which rotates where others do.
    pub(super) async fn settle<T>(
        &self,
        turn: &Turn,
        before: &Credential,
        reply: Reply<T>,
        counts: bool,
        doing: &str,
    ) -> Settled<T> {
        if let Grant::Mytoken(grant) = &before.grant {
            self.heed(&grant.server, &reply);
        }
        let perhaps_done = reply.is_perhaps_done();
        let mut after = before.clone();
        let copy = reply.update.map(|update| self.adopt(&mut after, update));
        let done = counts && reply.outcome.is_ok();
        let rotation = health::rotation(before).filter(|rotation| rotation.rotates());
        let lost =
            copy.is_none() && rotation.is_some_and(|rotation| reply.in_doubt || (done && rotation.on_other));
        if done {
            spend(&mut after, Use::Other, &before.ask, self.now());
        }
        after.health = match &reply.outcome {
            _ if lost => health::in_doubt(),
            Ok(_) if matches!(before.health, Health::InDoubt(_)) && counts => Health::Ok,
            Ok(_) => before.health.clone(),
            Err(error) => health::after(error, &before.health),
        };
        let can_wait = copy.is_none() && reply.outcome.is_ok() && rotation.is_none();
        let can_wait = can_wait && !health::may_rotate(before, |rotation| rotation.on_other);
        let saved = if can_wait { None } else { Some(self.save(turn, after.clone(), doing).await) };
        if lost {
            self.note(Some(&after.id), What::InDoubt);
        }
        if let Some(copy) = copy {
            self.note_of(&after, What::Rotated { copy });
            self.bury_older_copies_of(&after).await;
        }
        if let Grant::Mytoken(grant) = &after.grant {
            self.acted(&grant.server, reply.date);
        }
        let name = &after.name;
        let mut remarks = Vec::new();
        remarks.extend(copy.map(|copy| format!("{name} rotated: copy {copy} is yours now")));
        remarks
            .extend(lost.then(|| format!("{name} rotates, and its new copy did not come: it is in doubt")));
        Settled { outcome: reply.outcome, saved, after, remarks, perhaps_done }
    }

    /// The mytoken's own part is on disk when this returns.
    pub(super) async fn settled(
        &self,
        turn: &Turn,
        after: &Credential,
        saved: Option<Result<(), Failure>>,
        doing: &str,
    ) -> Result<(), Failure> {
        match saved {
            Some(saved) => saved,
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
