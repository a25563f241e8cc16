//! What the board asks about families of mytokens and about single ones: each becomes calls of the wallet.

use std::sync::Arc;

use super::effects::{Effects, World};
use crate::app::effect::{
    Drawn, FamilyAsk, FamilyTold, Followed, Limits, MytokenAsk, MytokenTold, Outcome, Reading, Task,
};
use crate::domain::failure::Failure;
use crate::domain::family::{Family, Via};
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
                    let family = world.wallet.family(&source, &via, which).await;
                    let told = world.read(task, &source, family);
                    world.changed(Outcome::Family(told));
                });
            }
            FamilyAsk::LastUses(task, family) => {
                tokio::spawn(async move {
                    let mut family = Family::clone(&family);
                    let source = family.server.clone();
                    let read = world.wallet.last_used(&mut family).await.map(|()| family);
                    let told = world.read(task, &source, read);
                    world.changed(Outcome::Family(told));
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
                let revoked = world.wallet.revoke_with(&id, true).await;
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

    /// A list or a tree, and what its server says of how much more it takes.
    fn read(&self, task: Task, source: &SourceId, family: Result<Family, Failure>) -> FamilyTold {
        let limits = Limits {
            allowance: self.wallet.allowance(source).map(|(allowance, _)| allowance),
            wait_until: self.wallet.told_to_wait(source),
        };
        let until = self.wallet.manager(source);
        FamilyTold::Read(
            task,
            Box::new(Reading { source: source.clone(), limits, until, family: family.map(Arc::new) }),
        )
    }
}
