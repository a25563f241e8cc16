//! A provider that is added on the board, or a client that is registered at one: listed at once, and kept beside the config for every later start.

use super::effects::World;
use crate::app::effect::{Added, Outcome, Task};
use crate::config::{AddedProvider, save_provider};
use crate::domain::failure::Failure;
use crate::domain::source::SourceId;
use crate::wallet::read_only::READ_ONLY;
use crate::wallet::register::Ask;

impl World {
    /// Registers a client at a provider, and keeps its id if there is a place for that.
    pub(super) async fn register(self, task: Task, source: SourceId, name: String) {
        let folder = self.settings.clone();
        let ask = Ask { source, name, scopes: Vec::new(), redirects: Vec::new(), token: None, folder };
        let registered = self.wallet.register(ask).await.map(Box::new);
        self.changed(Outcome::Registered(task, registered));
    }

    /// Looks who answers at an address.
    pub(super) fn look_for_provider(self, task: Task, address: String) {
        tokio::spawn(async move {
            let added = self.add_provider(&address).await.map(Box::new);
            self.changed(Outcome::ProviderAdded(task, added));
        });
    }

    /// Discovers who answers at an address, lists it, and keeps it if there is a place for that.
    async fn add_provider(&self, address: &str) -> Result<Added, Failure> {
        let source = self.wallet.add_provider(address).await?;
        let folder = self.settings.clone().filter(|folder| folder.is_absolute());
        let not_kept = match folder {
            None => Some("there is no config to keep it beside".to_owned()),
            Some(_) if self.wallet.is_read_only() => Some(READ_ONLY.to_owned()),
            Some(folder) => {
                let provider = AddedProvider::of(&source);
                let saved = tokio::task::spawn_blocking(move || save_provider(&folder, &provider)).await;
                saved.map_err(|error| error.to_string()).and_then(|saved| saved).err()
            }
        };
        Ok(Added { source, not_kept })
    }
}
