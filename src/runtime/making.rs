//! What the create form asks of the world.

use std::path::Path;

use super::effects::{Effects, World};
use crate::app::effect::{Made, Making, Outcome};
use crate::config::{Config, SavedProfile, save_profile};
use crate::domain::failure::{Failure, Kind};
use crate::domain::source::{Origin, Profile, Source, SourceId, SourceKind};

const SAVING: &str = "Saving the profile";

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
            Making::SaveProfile(name, server, draft) => self.finish(async move {
                let saved = world.save(SavedProfile { name, server, draft: *draft }).await;
                world.changed(Outcome::Made(Made::Profile(saved)));
            }),
            // The loop's own; it never sends it here.
            Making::Edit(_) => {}
        }
    }
}

impl World {
    /// Saves a profile beside the config, and lists it; in the demo it is only listed.
    async fn save(&self, profile: SavedProfile) -> Result<SourceId, Failure> {
        let id = SourceId(profile.name.clone());
        let source = match self.settings.clone() {
            Some(folder) => {
                let written = tokio::task::spawn_blocking(move || write(&folder, &profile)).await;
                let failed = |why: String| Failure::new(Kind::Unusable, SAVING, why);
                written.map_err(|error| failed(error.to_string()))?.map_err(failed)?
            }
            None => self.of_this_session(profile)?,
        };
        self.wallet.list_source(source).await;
        Ok(id)
    }

    fn of_this_session(&self, profile: SavedProfile) -> Result<Source, Failure> {
        let id = SourceId(profile.name.clone());
        let is_other = |source: &Source| source.id == id && source.origin != Origin::Added;
        if self.wallet.sources().iter().any(is_other) {
            let why = format!("{} is already the name of another one", profile.name);
            return Err(Failure::new(Kind::Unusable, SAVING, why).hint("Take another name."));
        }
        let SavedProfile { name, server, draft } = profile;
        Ok(Source {
            id,
            name,
            note: "yours, for now".to_owned(),
            origin: Origin::Added,
            kind: SourceKind::Profile(Profile { server, draft }),
            manage_url: None,
            register_url: None,
            hints: Vec::new(),
            folded: false,
        })
    }
}

/// Writes it, and reads it back as every later start will.
fn write(folder: &Path, profile: &SavedProfile) -> Result<Source, String> {
    save_profile(folder, profile)?;
    let (config, _) = Config::open(&folder.join("config.toml"));
    let source = config.source(&SourceId(profile.name.clone())).cloned();
    source.ok_or_else(|| "it was written and cannot be found again".to_owned())
}
