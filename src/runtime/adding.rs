//! A provider that is added on the board: listed at once, and kept beside the config for every later start.

use super::effects::World;
use crate::app::effect::Added;
use crate::config::{AddedProvider, save_provider};
use crate::domain::failure::Failure;
use crate::wallet::read_only::READ_ONLY;

impl World {
    /// Discovers who answers at an address, lists it, and keeps it if there is a place for that.
    pub(super) async fn add_provider(&self, address: &str) -> Result<Added, Failure> {
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
