//! What every command stands in: the surroundings, the config, the wallet over the store, and whether anybody can be asked.

use std::sync::Arc;

use clap::Args;

use super::list::access_code;
use super::places::Places;
use super::{Stdout, gate};
use crate::config::{Config, Problem, Settings};
use crate::desktop::tty::Tty;
use crate::desktop::{Environment, SystemClock, terminal};
use crate::domain::credential::{CredentialId, Held};
use crate::domain::failure::{Failure, Kind};
use crate::domain::time::Clock;
use crate::http::Http;
use crate::store::Lock;
use crate::wallet::Wallet;

/// How a command behaves, whatever it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Args)]
pub struct Manner {
    /// Never ask anything; implied where standard input is no terminal
    #[arg(long, global = true)]
    pub no_input: bool,
    /// Change nothing, at any server or in the store; look-ups and what is held can be read
    #[arg(long, global = true)]
    pub read_only: bool,
    /// Say more on standard error; never a token
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
}

/// Everything a command needs.
pub struct House {
    /// The surroundings.
    pub environment: Environment,
    /// Where things are.
    pub places: Places,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The user's choices.
    pub settings: Settings,
    /// What is wrong in the config.
    pub problems: Vec<Problem>,
    /// The verbs.
    pub wallet: Arc<Wallet>,
    /// Standard output.
    pub out: Stdout,
    /// How to behave.
    pub manner: Manner,
}

impl House {
    /// Reads the config, and opens the store as far as that needs nobody. `turn`: the turn of a credential that is ours already.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn open(
        environment: Environment,
        manner: Manner,
        turn: Option<(CredentialId, Lock)>,
    ) -> Result<Self, Failure> {
        let places = Places::of(&environment);
        let (mut config, mut problems) = Config::open(&places.config);
        problems.extend(config.fetch_secrets(&|name| environment.variable(name).map(str::to_owned)));
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store = gate::store(&environment, &places, &config.settings, &clock)?;
        if let Some((id, lock)) = turn {
            store.take_over(id, lock);
        }
        let http = Arc::new(Http::default());
        config.authorities().for_each(|(address, ca)| http.trust(address, ca));
        let wallet = Wallet::over(store, Arc::clone(&clock), http, config.sources);
        let settings = config.settings;
        wallet.set_read_only(manner.read_only || settings.read_only);
        Ok(Self { environment, places, clock, settings, problems, wallet, out: Stdout::default(), manner })
    }

    /// The terminal, where a question may be put to it.
    #[must_use]
    pub fn tty(&self) -> Option<Tty> {
        let may = !self.manner.no_input && self.environment.facts.stdin_is_terminal;
        may.then(Tty::open).flatten()
    }

    /// What is held under a name. Only its own file is read.
    ///
    /// # Errors
    /// When nothing is; with the nearest name there is.
    pub fn find(&self, name: &str, doing: &str) -> Result<CredentialId, Failure> {
        if let Some(id) = self.wallet.find(name) {
            return Ok(id);
        }
        let failure = Failure::new(Kind::Unusable, doing, format!("nothing is held as `{name}`"));
        let held = self.wallet.held();
        let like = |held: &&Held| held.name.eq_ignore_ascii_case(name) || held.name.starts_with(name);
        Err(match held.iter().find(like) {
            Some(near) => failure.hint(format!("There is `{}`; `toktui list` shows all.", near.name)),
            None => failure.hint("`toktui list` shows what is."),
        })
    }

    /// What is held under a name, with the store open as far as using it takes.
    ///
    /// # Errors
    /// As for [`House::find`], or when the store stays locked, or it cannot be read.
    pub async fn opened(&self, name: &str, doing: &str) -> Result<Held, Failure> {
        let id = self.find(name, doing)?;
        let same = |failure: Failure| Failure { doing: doing.to_owned(), ..failure };
        // A bare access token may need no unlocking.
        let first = self.wallet.view(&id);
        if first.is_ok() || self.wallet.vault().is_open() {
            return first.map_err(same);
        }
        gate::unlocked(self, doing).await?;
        self.wallet.view(&id).map_err(same)
    }

    /// Says where things are and how the store stands.
    pub fn introduce(&self) {
        let vault = self.wallet.vault();
        self.say(&format!("config: {}", self.places.config.display()));
        let folder =
            vault.folder.as_ref().map_or_else(|| "none".to_owned(), |folder| folder.display().to_string());
        let guards: Vec<&str> = vault.guards.iter().map(|guard| guard.words()).collect();
        self.say(&format!(
            "store: {folder}, {}; guarded by: {}",
            access_code(&vault.access),
            guards.join(", ")
        ));
        for why in [&vault.read_only, &vault.no_session].into_iter().flatten() {
            self.say(&format!("store: {why}"));
        }
    }

    /// Says something beside the answer: a price, progress, a warning.
    pub fn say(&self, line: &str) {
        terminal::say(&format!("toktui: {line}"));
    }
}
