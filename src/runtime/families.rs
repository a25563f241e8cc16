//! What the board asks about families of mytokens and about single ones: each becomes calls of the wallet.

use std::sync::Arc;

use super::effects::{Effects, World};
use crate::app::effect::{Drawn, FamilyAsk, FamilyTold, Followed, MytokenAsk, MytokenTold, Outcome};
use crate::domain::credential::{Chain, CredentialId};
use crate::domain::failure::{Failure, Kind};
use crate::domain::family::Via;
use crate::domain::handed::HandOver;
use crate::domain::source::SourceId;
use crate::domain::untrusted::Untrusted;
use crate::wallet::draw::Wish;

impl Effects {
    /// About families of mytokens.
    pub(super) fn family(&mut self, ask: FamilyAsk) {
        let world = self.world();
        match ask {
            FamilyAsk::OpenManager(task, source, provider) => {
                let wallet = Arc::clone(&world.wallet);
                self.in_panel(task, move |line| async move {
                    let opened = wallet.open_manager(&source, provider.as_deref(), line).await;
                    Outcome::Family(FamilyTold::Manager(task, source, opened))
                });
            }
            FamilyAsk::Read(task, source, via, which) => {
                tokio::spawn(async move {
                    let family = world.wallet.family(&source, &via, which).await.map(Arc::new);
                    world.changed(Outcome::Family(FamilyTold::Read(task, family)));
                });
            }
            FamilyAsk::History(task, source, via, id) => {
                tokio::spawn(async move {
                    let ids = std::slice::from_ref(&id);
                    let events = world.wallet.history_of_listed(&source, &via, ids).await;
                    world.changed(Outcome::Family(FamilyTold::History(task, id, events)));
                });
            }
            FamilyAsk::RevokeTree(task, id) => self.finish(async move {
                let revoked = world.revoke_tree(&id).await;
                world.changed(Outcome::Revoked(task, revoked));
            }),
            FamilyAsk::Revoke(task, source, via, members, with_trees) => self.finish(async move {
                let each = world.revoke_each(&source, &via, members, with_trees).await;
                world.changed(Outcome::Family(FamilyTold::Revoked(task, each)));
            }),
        }
    }

    /// About one mytoken.
    pub(super) fn mytoken(&mut self, ask: MytokenAsk) {
        let world = self.world();
        match ask {
            MytokenAsk::Draw(task, id, ask) => {
                tokio::spawn(async move {
                    let wish = Wish { force: true, insist: true, ask: Some(ask), ..Wish::default() };
                    let drawn = world.wallet.draw(&id, wish).await.map(|drawn| Drawn {
                        expires: drawn.token.expires,
                        renewed: drawn.renewed,
                        remarks: drawn.remarks,
                    });
                    world.changed(Outcome::Drawn(task, id, drawn));
                });
            }
            MytokenAsk::HandOver(task, id, how) => self.finish(async move {
                // What a rotation on one side does to the other was read before the key was pressed again.
                let handed = match &how {
                    HandOver::Itself => world.wallet.hand_over_rotating(&id).await,
                    HandOver::Subtoken(_) => world.wallet.hand_over(&id, &how).await,
                };
                let handed = handed.map(Box::new);
                world.changed(Outcome::Mytoken(MytokenTold::HandedOver(task, handed)));
            }),
            MytokenAsk::CopyCode(handed) => {
                let what = format!("the transfer code of {}", handed.name);
                world.blocking(move |world| world.copy(&handed.code, &what, Some(handed.ends), true));
            }
            MytokenAsk::Withdraw(task, handed) => self.finish(async move {
                let said = world.wallet.withdraw(&handed).await;
                world.changed(Outcome::Mytoken(MytokenTold::Withdrawn(task, said)));
            }),
            MytokenAsk::Redeem(task, server, code, name) => self.finish(async move {
                let report = world.wallet.redeem(&server, &code, name.as_deref()).await.map(Box::new);
                world.changed(Outcome::Mytoken(MytokenTold::Redeemed(task, report)));
            }),
            MytokenAsk::Follow(task, id) => {
                let draft = world.wallet.successor_of(&id).map(Box::new);
                world.say(Outcome::Mytoken(MytokenTold::Follower(task, draft)));
            }
            MytokenAsk::Succeed(task, old, new) => self.finish(async move {
                let done = world.wallet.succeed(&old, &new).await;
                let done = done.map(|done| Followed {
                    name: done.name,
                    old_name: done.old_name,
                    remarks: done.remarks,
                });
                world.changed(Outcome::Mytoken(MytokenTold::Succeeded(task, done)));
            }),
        }
    }
}

impl World {
    /// One after the other: what one of them does to the one that asks is known before the next.
    async fn revoke_each(
        &self,
        source: &SourceId,
        via: &Via,
        members: Vec<(Untrusted, String)>,
        with_trees: bool,
    ) -> Vec<(Untrusted, String, Result<String, Failure>)> {
        let mut each = Vec::new();
        for (id, name) in members {
            let said = self.wallet.revoke_listed(source, via, &id, with_trees).await;
            each.push((id, name, said));
        }
        each
    }

    async fn revoke_tree(&self, id: &CredentialId) -> Result<String, Failure> {
        let gone = || Failure::new(Kind::Unusable, "Revoking", "it is not held here any more");
        let held = self.wallet.held();
        let held = held.iter().find(|held| held.id == *id).ok_or_else(gone)?;
        let Chain::Mytoken { facts, .. } = &held.chain else { return Err(gone()) };
        let mom_id = facts.mom_id.clone().unwrap_or_default();
        self.wallet.revoke_listed(&held.source, &Via::Held(id.clone()), &mom_id, true).await
    }
}
