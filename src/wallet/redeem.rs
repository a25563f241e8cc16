//! Redeem a transfer code.

use std::sync::Arc;

use super::new_mytoken::Asked;
use super::{Wallet, gone, health, words};
use crate::domain::credential::{Chain, Credential, Grant, Held};
use crate::domain::draft::Draft;
use crate::domain::event::What;
use crate::domain::failure::{Failure, Kind};
use crate::domain::login::{Relation, Report};
use crate::domain::mytoken::Rotation;
use crate::domain::secret::Secret;
use crate::domain::source::SourceId;
use crate::domain::verdict::Standing;
use crate::mytoken::discovery::Server;
use crate::mytoken::{Error, Issued, No, transfer};
use crate::store;

const DOING: &str = "Redeeming a transfer code";

/// Said where the code may have been worked and what it gave did not arrive.
const MAY_BE_USED: &str = "The code may be used up, and what it stands for on its way lost: it lives on where the code was made. Try the \
                           code once more, then ask for a new one.";

/// Said where what came is the copy from before a rotation.
const STALE: &str = "its server does not know this copy: the mytoken was used after the code was made, or is revoked; ask for a new code";

/// Said where nobody may ask whether what came is the current copy.
const UNCHECKED: &str = "it rotates, and an older copy in use revokes all: it was not sent to check whether it is the current one";

impl Wallet {
    /// Redeems a transfer code at a server, and keeps what comes before anything of it is told. Then it is looked up, which costs
    /// nothing, unless that could revoke it.
    ///
    /// # Errors
    /// When the code is unknown, used or too old, or nobody answers: it may be used up then. When what came is held here already, as this
    /// or a newer copy; the code is used up then.
    pub async fn redeem(
        self: &Arc<Self>,
        server: &SourceId,
        code: &Secret,
        name: Option<&str>,
    ) -> Result<Report, Failure> {
        self.may_change(DOING)?;
        let (wallet, server, code) = (Arc::clone(self), server.clone(), code.clone());
        let name = name.map(str::to_owned);
        let task = async move { wallet.redeem_whole(&server, &code, name.as_deref()).await };
        self.to_its_end(DOING, task).await
    }

    async fn redeem_whole(
        self: &Arc<Self>,
        source: &SourceId,
        code: &Secret,
        name: Option<&str>,
    ) -> Result<Report, Failure> {
        let (row, address) = self.server_of(source, DOING)?;
        if !self.vault().is_open() {
            // What came could not be kept, and the code is for one use.
            return Err(gone(DOING, &store::Error::Locked));
        }
        if let Some(name) = name {
            self.must_be_free(name, DOING)?;
        }
        let failed = |error: &crate::mytoken::Error| words::without(words::mytoken(DOING, error), &[code]);
        self.may_ask(&address).map_err(|error| failed(&error))?;
        let known = self.mytoken_server(&address).await.map_err(|error| failed(&error))?;
        let wished = Draft { name: name.unwrap_or_default().to_owned(), ..Draft::default() };
        self.announce("redeeming a transfer code", &wished, &address);
        let reply = transfer::redeem(&self.http, &known, code).await;
        self.heed(&address, &reply);
        let perhaps = reply.is_perhaps_done();
        let issued = reply.outcome.map_err(|error| {
            let failure = failed(&error);
            match error {
                _ if perhaps => failure.hint(MAY_BE_USED),
                Error::Refused(No::BadCode | No::ExpiredCode) => {
                    Failure { kind: Kind::NotValid, ..failure }.hint("Ask for a new code.")
                }
                _ => failure,
            }
        })?;
        if let Some(held) = self.same_mytoken(&issued) {
            return self.redeemed_again(&held, issued, &known).await;
        }
        let credential = self.as_credential(&issued, &row, &address, DOING)?;
        let there = issued.facts.name.as_ref().map(|name| name.raw().to_owned());
        let wish = name.map(str::to_owned).or(there).unwrap_or_else(|| row.0.clone());
        let kept = self.keep_new(credential, &wish, What::Kept, DOING).await?;
        let report = self.what_came(kept, &issued, &known);
        Ok(self.checked(report, &issued).await)
    }

    /// The credential here that is the same mytoken, in whatever copy.
    fn same_mytoken(&self, issued: &Issued) -> Option<Held> {
        let all = self.held();
        if let Some(holder) = self.store.holder_of(&issued.mytoken) {
            return all.iter().find(|held| held.id == holder).cloned();
        }
        let family = issued.facts.mom_id.as_ref()?;
        let is_same = |held: &&Held| matches!(&held.chain, Chain::Mytoken { facts, .. } if facts.mom_id.as_ref() == Some(family));
        let same = all.iter().filter(is_same);
        same.max_by_key(|held| match &held.chain {
            Chain::Mytoken { copy, .. } => *copy,
            Chain::Refresh { .. } | Chain::None => 0,
        })
        .cloned()
    }

    /// The same mytoken is held here: a newer copy takes the place of ours, an older one is not kept.
    async fn redeemed_again(
        self: &Arc<Self>,
        held: &Held,
        issued: Issued,
        server: &Server,
    ) -> Result<Report, Failure> {
        let turn = self.store.turn(&held.id).await.map_err(|error| gone(DOING, &error))?;
        let before = turn.read();
        let Grant::Mytoken(grant) = &before.grant else {
            return Err(gone(DOING, &store::Error::Locked));
        };
        let (ours, theirs) = (grant.current.number, issued.facts.copy.unwrap_or(1));
        if theirs <= ours {
            let why = if theirs == ours {
                format!("it is the mytoken that is held here as {}", before.name)
            } else {
                format!(
                    "it is copy {theirs} of {}, of which copy {ours} is held; the older one was not kept",
                    before.name
                )
            };
            return Err(Failure::new(Kind::Unusable, DOING, why)
                .hint(format!("Use {}. The code is used up; nothing is lost.", before.name)));
        }
        let mut next =
            Credential { health: crate::domain::credential::Health::Ok, pause: None, ..before.clone() };
        self.adopt(&mut next, issued.clone());
        self.save(&turn, next.clone(), DOING).await?;
        drop(turn);
        self.note_of(&next, What::Rotated { copy: theirs });
        self.bury_older_copies_of(&next).await;
        let mut report = self.what_came((next.id, next.name.clone()), &issued, server);
        report.remarks.insert(
            0,
            format!("it is held here as {}: copy {theirs} took the place of copy {ours}", next.name),
        );
        Ok(self.checked(report, &issued).await)
    }

    /// What came, with nothing that was asked for beside it.
    fn what_came(
        &self,
        kept: (crate::domain::credential::CredentialId, String),
        issued: &Issued,
        server: &Server,
    ) -> Report {
        let wanted = Draft::like(&issued.facts).wanted(self.now());
        let at = self.find_server_name(issued);
        let asked = Asked { wanted: &wanted, server, at: &at, purpose: None };
        let mut report = self.report(kept, &asked, issued);
        for line in &mut report.lines {
            (line.asked, line.relation, line.note) = (String::new(), Relation::Same, None);
        }
        report
    }

    fn find_server_name(&self, issued: &Issued) -> String {
        let address = issued.facts.server.raw();
        self.server_at(address).map_or_else(|| issued.facts.server.shown(), |row| row.name)
    }

    /// A code made before a rotation gives a dead copy (§12.38): it is looked up before it is trusted.
    async fn checked(self: &Arc<Self>, mut report: Report, issued: &Issued) -> Report {
        if issued.facts.rotation.is_some_and(|rotation| rotation.auto_revoke && Rotation::rotates(rotation)) {
            report.remarks.push(UNCHECKED.to_owned());
            return report;
        }
        let found = self.look_up(&report.id).await;
        if found.is_some_and(|found| found.verdict.standing == Standing::RevokedOrUnknown) {
            self.mark(&report.id, health::needs_login(health::OTHER_COPY)).await;
            report.remarks.insert(0, STALE.to_owned());
        }
        report
    }
}
