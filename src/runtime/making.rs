//! What the create form asks of the world.

use crate::app::effect::{Made, Making, Outcome};

use super::effects::Effects;

impl Effects {
    /// Starts what the create form asks for.
    pub(super) fn make(&mut self, making: Making) {
        let world = self.world.clone();
        match making {
            Making::Offer(server) => {
                tokio::spawn(async move {
                    let told = world.wallet.offer(&server).await.map(Box::new);
                    world.say(Outcome::Made(Made::Offer(server, told)));
                });
            }
            // The server shows it once: it must not be broken off.
            Making::From(task, parent, draft) => self.finish(async move {
                let made = world.wallet.create_from(&parent, &draft).await.map(Box::new);
                world.changed(Outcome::Made(Made::Mytoken(task, made)));
            }),
            Making::SaveProfile(..) => {}
            // The loop's own; it never sends it here.
            Making::Edit(_) => {}
        }
    }
}
