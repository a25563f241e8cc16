//! Where this user's things are: below `TOKTUI_HOME` if that is set, else where this system keeps such things.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use crate::desktop::Environment;

/// Where the three kinds of files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// The config file.
    pub config: PathBuf,
    /// The folder of the store; `None` where there is no home.
    pub store: Option<PathBuf>,
}

impl Places {
    /// The places of this process's user, by the one variable that matters; `None` where that is no text.
    #[must_use]
    pub fn of_this_process() -> Option<Self> {
        let home = std::env::var_os("TOKTUI_HOME").filter(|home| !home.is_empty());
        let home = home.map(std::ffi::OsString::into_string).transpose().ok()?;
        Some(Self::below(home.as_deref().map(Path::new)))
    }

    /// The places of this process's user.
    #[must_use]
    pub fn of(environment: &Environment) -> Self {
        Self::below(environment.variable("TOKTUI_HOME").map(Path::new))
    }

    /// The places below `home`, or without one those of the system.
    #[must_use]
    pub fn below(home: Option<&Path>) -> Self {
        // Without a home directory there is no config either: the built-in presets remain.
        let base = if home.is_some() { None } else { etcetera::choose_base_strategy().ok() };
        let folder = base.as_ref().map_or_else(PathBuf::new, BaseStrategy::config_dir);
        let data = base.map(|base| base.data_dir().join("toktui"));
        Self {
            config: crate::config::path(home, &folder),
            store: home.map(Path::to_owned).or(data).map(|folder| folder.join("store")),
        }
    }
}
