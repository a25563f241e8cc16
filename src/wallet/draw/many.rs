//! Draw from many credentials at once.

use std::sync::Arc;

use futures_util::future::join_all;

use super::{Drawn, Wish};
use crate::domain::credential::{Chain, CredentialId, Health};
use crate::domain::failure::{Failure, Kind};
use crate::wallet::Wallet;

impl Wallet {
    /// Renews the credentials of these names, or (`None`) all that can be: every login and mytoken that is not known to be
    /// dead or in need of a login. All at once; each ends by itself, and waits for no other. In the order of the names, or
    /// in that of what is held.
    pub async fn renew_many(
        self: &Arc<Self>,
        names: Option<&[String]>,
    ) -> Vec<(String, Result<Drawn, Failure>)> {
        let chosen: Vec<(String, Option<CredentialId>)> = match names {
            Some(names) => names.iter().map(|name| (name.clone(), self.find(name))).collect(),
            None => self.all_renewable(),
        };
        join_all(chosen.into_iter().map(|(name, id)| async move {
            let drawn = match id {
                Some(id) => self.draw(&id, Wish { force: true, ..Wish::default() }).await,
                None => Err(Failure::new(
                    Kind::Unusable,
                    format!("Renewing {name}"),
                    "nothing of that name is held",
                )),
            };
            (name, drawn)
        }))
        .await
    }

    fn all_renewable(&self) -> Vec<(String, Option<CredentialId>)> {
        self.held()
            .iter()
            .filter(|held| !matches!(held.chain, Chain::None))
            .filter(|held| matches!(held.health, Health::Ok | Health::InDoubt(_)))
            .map(|held| (held.name.clone(), Some(held.id.clone())))
            .collect()
    }
}
