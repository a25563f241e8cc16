//! Make a mytoken from one that is held.

use std::sync::Arc;

use super::in_turn::{Cost, Settled, sendable};
use super::new_mytoken::{Asked, may_be_made};
use super::offer::offer_of;
use super::{Wallet, gone, health, words};
use crate::domain::credential::{Credential, CredentialId};
use crate::domain::draft::{Circumstances, Draft};
use crate::domain::event::What;
use crate::domain::failure::{Failure, Kind};
use crate::domain::login::Report;
use crate::domain::mytoken::{Form, Wanted};
use crate::mytoken::discovery::Server;
use crate::mytoken::subtoken::{self, Made};
use crate::store;
use crate::store::Turn;

const DOING: &str = "Making a subtoken";

/// Said where the request may have been carried out unheard.
const MAY_EXIST: &str = "The subtoken may exist at its server all the same, and nobody holds it: look in the list of mytokens, and revoke \
                         it there.";

/// A subtoken that was made, or was not; its parent is settled.
pub(super) struct Born {
    pub(super) settled: Settled<Made>,
    pub(super) server: Arc<Server>,
    pub(super) wanted: Wanted,
}

impl Wallet {
    /// Makes a subtoken of a held mytoken, and keeps it before anything of it is told. It costs one other use of the parent, and may
    /// rotate it.
    ///
    /// # Errors
    /// When it is no mytoken, may not make any, is in doubt, or nobody answers; when the name is taken here. A rotation on the way is
    /// saved all the same.
    pub async fn create_from(
        self: &Arc<Self>,
        parent: &CredentialId,
        draft: &Draft,
    ) -> Result<Report, Failure> {
        self.may_change(DOING)?;
        let (wallet, parent, draft) = (Arc::clone(self), parent.clone(), draft.clone());
        self.to_its_end(DOING, async move { wallet.create_in_turn(&parent, draft).await }).await
    }

    async fn create_in_turn(&self, parent: &CredentialId, mut draft: Draft) -> Result<Report, Failure> {
        if !self.vault().is_open() {
            // What came could not be kept.
            return Err(gone(DOING, &store::Error::Locked));
        }
        let turn = self.store.turn(parent).await.map_err(|error| gone(DOING, &error))?;
        let before = turn.read();
        let doing = format!("{DOING} of {}", before.name);
        if draft.form == Form::Code {
            let why = "behind a code it would be held by nobody here";
            return Err(Failure::new(Kind::Unusable, doing, why).hint("Hand it over instead."));
        }
        let name = self.name_for(None, &draft, &format!("{}-sub", before.name), &doing)?;
        if draft.name.trim().is_empty() {
            draft.name.clone_from(&name);
        }
        let Born { settled, server, mut wanted } = self.bear(&turn, &before, &draft, &doing).await?;
        let Settled { outcome, saved, after, remarks, perhaps_done, .. } = settled;
        let made = outcome.map_err(|error| not_made(&doing, &error, &before, &after, perhaps_done))?;
        let Made::Mytoken(issued) = made else {
            let why = "it came as a transfer code, which was not asked for";
            return Err(Failure::new(Kind::Failed, doing, why).hint(MAY_EXIST));
        };
        let address = super::granted::server_address(&after);
        let child = self.as_credential(&issued, &after.source, address, &doing)?;
        let kept = self.keep_new(child, &name, What::Kept, &doing).await?;
        // Only now: what came is not lost by a disk that did not take its parent.
        self.settled(&turn, &before, &after, saved, &doing).await?;
        self.note_with(Some(&after.id), What::Noted("made a subtoken".to_owned()), &kept.1);
        if wanted.provider.is_empty() {
            // Nobody here knows that of a short parent; the server takes the parent's.
            wanted.provider = issued.facts.provider.clone();
        }
        let at = self.source_of(&after).name;
        let asked = Asked { wanted: &wanted, server: &server, at: &at, purpose: None };
        let mut report = self.report(kept, &asked, &issued);
        report.remarks.extend(remarks);
        Ok(report)
    }

    /// Orders a subtoken in its parent's turn, and settles the parent.
    pub(super) async fn bear(
        &self,
        turn: &Turn,
        before: &Credential,
        draft: &Draft,
        doing: &str,
    ) -> Result<Born, Failure> {
        let grant = sendable(self, before, doing)?;
        let failed = |error: &crate::mytoken::Error| {
            words::without(words::mytoken(doing, error), &[&grant.current.value])
        };
        self.may_ask(&grant.server).map_err(|error| failed(&error))?;
        let server = self.mytoken_server(&grant.server).await.map_err(|error| failed(&error))?;
        let offer = offer_of(&server, &grant.server);
        let circumstances = Circumstances { parent: Some(&grant.facts), ..self.circumstances(&offer) };
        let draft = Draft { provider: grant.facts.provider.raw().to_owned(), ..draft.clone() };
        may_be_made(&draft, &circumstances, doing)?;
        let wanted = draft.wanted(self.now());
        // Also of an unrestricted parent, which lists and histories do not rotate.
        let rotates = health::may_rotate(before, |rotation| rotation.on_other);
        if rotates {
            self.intend(turn, doing).await?;
        }
        self.announce("making a subtoken", &draft, &grant.server);
        let reply = subtoken::create(&self.http, &server, &grant.current.value, &wanted).await;
        let settled = self.settle(turn, before, reply, Cost { counts: true, rotates }, doing).await;
        self.acted(&grant.server, settled.date);
        Ok(Born { settled, server, wanted })
    }
}

/// Why there is no subtoken, and whether there may be one.
pub(super) fn not_made(
    doing: &str,
    error: &crate::mytoken::Error,
    before: &Credential,
    after: &Credential,
    perhaps_done: bool,
) -> Failure {
    let sent: Vec<_> = super::granted::long_lived(before).into_iter().collect();
    let failure = words::without(words::mytoken(doing, error), &sent);
    let in_doubt = matches!(after.health, crate::domain::credential::Health::InDoubt(_));
    match (perhaps_done, in_doubt) {
        (true, true) => {
            failure.hint(format!("{MAY_EXIST} Of {} itself: {}", after.name, health::MAY_HAVE_ACTED))
        }
        (true, false) => failure.hint(MAY_EXIST),
        (false, _) => failure,
    }
}
