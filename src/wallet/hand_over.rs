//! Hand a mytoken over by a code, and take the code back.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::create::{Born, not_made};
use super::in_turn::{Cost, Settled, sendable};
use super::{Wallet, gone, health, words};
use crate::domain::credential::{Credential, CredentialId};
use crate::domain::draft::Draft;
use crate::domain::event::What;
use crate::domain::failure::{Failure, Kind};
use crate::domain::handed::{HandOver, Handed};
use crate::domain::mytoken::{Form, Rotation};
use crate::domain::time::later;
use crate::domain::untrusted::Untrusted;
use crate::mytoken::subtoken::Made;
use crate::mytoken::transfer::{self, Code};
use crate::mytoken::{Error, No, revocation};
use crate::store::Turn;

const DOING: &str = "Handing over";
const WITHDRAWING: &str = "Taking the code back";

impl Wallet {
    /// Makes a code by which a subtoken of a held mytoken, or the mytoken itself, is handed over. A subtoken costs one other use of its
    /// parent, and may rotate it; a code for the mytoken itself costs nothing.
    ///
    /// # Errors
    /// When it is no mytoken, may not make subtokens, the server makes no codes, or nobody answers; when it is to be handed over itself and
    /// rotates ([`Wallet::hand_over_rotating`]).
    pub async fn hand_over(self: &Arc<Self>, id: &CredentialId, how: &HandOver) -> Result<Handed, Failure> {
        self.handing(id, how, false).await
    }

    /// Makes a code for the mytoken itself although it rotates: the user has read that the first use on one side locks the other out.
    ///
    /// # Errors
    /// As for [`Wallet::hand_over`].
    pub async fn hand_over_rotating(self: &Arc<Self>, id: &CredentialId) -> Result<Handed, Failure> {
        self.handing(id, &HandOver::Itself, true).await
    }

    async fn handing(
        self: &Arc<Self>,
        id: &CredentialId,
        how: &HandOver,
        although: bool,
    ) -> Result<Handed, Failure> {
        self.may_change(DOING)?;
        let (wallet, id, how) = (Arc::clone(self), id.clone(), how.clone());
        let task = async move {
            let turn = wallet.store.turn(&id).await.map_err(|error| gone(DOING, &error))?;
            let before = turn.read();
            let doing = format!("{DOING} {}", before.name);
            match how {
                HandOver::Subtoken(draft) => {
                    let draft = Draft { form: Form::Code, ..*draft };
                    let born = wallet.bear(&turn, &before, &draft, &doing).await?;
                    wallet.coded(born, &turn, &draft, &before, &doing).await
                }
                HandOver::Itself => wallet.hand_over_itself(&before, although, &doing).await,
            }
        };
        self.to_its_end(DOING, task).await
    }

    async fn coded(
        &self,
        born: Born,
        turn: &Turn,
        draft: &Draft,
        before: &Credential,
        doing: &str,
    ) -> Result<Handed, Failure> {
        let Born { settled, .. } = born;
        let Settled { outcome, saved, after, remarks, perhaps_done, .. } = settled;
        let made = outcome.map_err(|error| not_made(doing, &error, before, &after, perhaps_done))?;
        let there = draft.name.trim();
        let coded = match made {
            Made::Code(coded) => coded,
            // It is not lost: what came in another form than asked for is held here.
            Made::Mytoken(issued) => {
                let address = super::granted::server_address(&after);
                let child = self.as_credential(&issued, &after.source, address, doing)?;
                let wish = if there.is_empty() { format!("{}-sub", after.name) } else { there.to_owned() };
                let (_, name) = self.keep_new(child, &wish, What::Kept, doing).await?;
                self.settled(turn, before, &after, saved, doing).await?;
                return Err(Failure::new(Kind::Failed, doing, "its server made no code")
                    .hint(format!("The mytoken is held here, as {name}.")));
            }
        };
        let name = if there.is_empty() { format!("a subtoken of {}", after.name) } else { there.to_owned() };
        let mut handed = self.handed(&after, &coded.code, name, coded.facts.mom_id.clone());
        if let Some(mom_id) = &handed.mom_id {
            self.servers.handed_by(mom_id, &after.id);
        }
        self.note_with(Some(&after.id), What::Noted("handed a subtoken over".to_owned()), &handed.name);
        handed.remarks = remarks;
        // The code is the only thing by which the subtoken is had: a disk that did not take its parent does not take it away.
        if let Err(failure) = self.settled(turn, before, &after, saved, doing).await {
            handed.remarks.push(failure.to_string());
        }
        Ok(handed)
    }

    async fn hand_over_itself(
        &self,
        before: &Credential,
        although: bool,
        doing: &str,
    ) -> Result<Handed, Failure> {
        let grant = sendable(self, before, doing)?;
        if !although && grant.facts.rotation.is_some_and(Rotation::rotates) {
            let why = "it rotates: the first use on one side locks the other side out";
            return Err(Failure::new(Kind::Unusable, doing, why)
                .hint("Hand over a subtoken instead; or insist (toktui mytoken hand-over --itself --yes)."));
        }
        let failed = |error: &Error| words::without(words::mytoken(doing, error), &[&grant.current.value]);
        self.may_ask(&grant.server).map_err(|error| failed(&error))?;
        let server = self.mytoken_server(&grant.server).await.map_err(|error| failed(&error))?;
        // It rotates nothing and costs nothing (§2.4), so no intent is written for it.
        let reply = transfer::create(&self.http, &server, &grant.current.value).await;
        self.heed(&grant.server, &reply);
        let code = reply.outcome.map_err(|error| failed(&error))?;
        let handed = Handed { itself: true, ..self.handed(before, &code, before.name.clone(), None) };
        self.note(Some(&before.id), What::Noted("made a transfer code".to_owned()));
        Ok(handed)
    }

    fn handed(&self, by: &Credential, code: &Code, name: String, mom_id: Option<Untrusted>) -> Handed {
        let address = super::granted::server_address(by).to_owned();
        let server = self.server_at(&address).map_or_else(|| by.source.clone(), |row| row.id);
        Handed {
            code: code.code.clone(),
            ends: ends(self.now(), code),
            server,
            address,
            name,
            mom_id,
            itself: false,
            remarks: Vec::new(),
        }
    }

    /// Takes a code back that nobody has redeemed yet, and the subtoken behind it; what is to be said, in words.
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn withdraw(self: &Arc<Self>, handed: &Handed) -> Result<String, Failure> {
        self.may_change(WITHDRAWING)?;
        let (wallet, handed) = (Arc::clone(self), handed.clone());
        self.to_its_end(WITHDRAWING, async move { wallet.withdraw_whole(&handed).await }).await
    }

    async fn withdraw_whole(&self, handed: &Handed) -> Result<String, Failure> {
        let failed = |error: &Error| words::without(words::mytoken(WITHDRAWING, error), &[&handed.code]);
        self.may_ask(&handed.address).map_err(|error| failed(&error))?;
        let server = self.mytoken_server(&handed.address).await.map_err(|error| failed(&error))?;
        // The code stands in the place of a mytoken: it can be redeemed no more, and one that was made for it dies with it (§2.6). The
        // same comes back for a code that was redeemed before.
        let reply = revocation::revoke(&self.http, &server, &handed.code, false).await;
        self.heed(&handed.address, &reply);
        reply.outcome.map_err(|error| failed(&error))?;
        self.note_with(None, What::Noted("took a transfer code back".to_owned()), &handed.name);
        if handed.itself {
            return Ok(format!(
                "The code for {} can be redeemed no more. Whoever redeemed it before has the mytoken.",
                handed.name
            ));
        }
        let name = &handed.name;
        Ok(match self.revoke_redeemed(&server, handed).await {
            Some(true) => format!("The code had been redeemed: {name} is revoked."),
            Some(false) => format!("The code can be redeemed no more, and {name} behind it is revoked."),
            None => format!(
                "The code can be redeemed no more. If somebody redeemed it before, {name} lives on: look in the list of mytokens."
            ),
        })
    }

    /// Revokes the subtoken behind a code by its id, through its parent, in case that the code was redeemed. Whether it still lived;
    /// `None`: nobody could tell.
    async fn revoke_redeemed(
        &self,
        server: &crate::mytoken::discovery::Server,
        handed: &Handed,
    ) -> Option<bool> {
        let mom_id = handed.mom_id.as_ref()?;
        let parent = self.servers.handed_from(mom_id)?;
        let turn = self.store.turn(&parent).await.ok()?;
        let before = turn.read();
        let grant = sendable(self, &before, WITHDRAWING).ok()?;
        let rotates = health::may_rotate(&before, |rotation| rotation.on_other);
        if rotates {
            self.intend(&turn, WITHDRAWING).await.ok()?;
        }
        let reply =
            revocation::revoke_other(&self.http, server, &grant.current.value, mom_id.raw(), false).await;
        let settled = self.settle(&turn, &before, reply, Cost { counts: false, rotates }, WITHDRAWING).await;
        self.acted(&grant.server, settled.date);
        // Its own part holds nothing that would be missed.
        drop(self.settled(&turn, &before, &settled.after, settled.saved, WITHDRAWING).await);
        match settled.outcome {
            Ok(_) => Some(true),
            Err(Error::Refused(No::NotYours | No::LacksCapability)) => Some(false),
            Err(_) => None,
        }
    }
}

/// When a code that has just come ends.
pub(super) fn ends(now: Timestamp, code: &Code) -> Timestamp {
    later(now, SignedDuration::try_from(code.expires_in).unwrap_or(SignedDuration::MAX))
}
