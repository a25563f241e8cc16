//! `toktui manage NAME`: the page on which what is active at a provider or mytoken server is seen and ended.

use clap::Args;

use super::house::House;
use crate::desktop::{Choice, Desktop, RealDesktop};
use crate::domain::failure::{Failure, Kind};
use crate::domain::source::SourceId;
use crate::domain::untrusted::cleaned;

/// Words of `toktui manage`.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// A held name, or a provider or mytoken server by its short name
    pub name: String,
    /// Only print the address
    #[arg(long)]
    pub print: bool,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
Prints the address of the page, and opens it in this machine's browser where there is one. At EGI Check-in it is the account console:
under Applications stand the clients that hold refresh tokens of yours, and removing a client's access ends all of them.

Examples:
  toktui manage egi
  toktui manage egi --print

Exit codes: 0 printed; 2 nothing has that name, or no such page is known (`manage_url` in the config).";

/// Prints the address, and opens it where that may be done.
///
/// # Errors
/// When there is none.
pub fn run(house: &mut House, words: &Words) -> Result<u8, Failure> {
    let doing = format!("Looking for where {} is managed", words.name);
    let by_name = house.wallet.source(&SourceId(words.name.clone()));
    let source = match house.wallet.find(&words.name) {
        Some(id) => {
            let held = house.wallet.held();
            let at = held.iter().find(|held| held.id == id).map(|held| held.source.clone());
            at.and_then(|at| house.wallet.source(&at)).or(by_name)
        }
        None => by_name,
    };
    let Some(source) = source else {
        house.find(&words.name, &doing)?;
        return Err(Failure::new(Kind::Unusable, doing, "its provider is not listed here"));
    };
    let Some(page) = &source.manage_url else {
        let why = format!("no such page of {} is known", source.name);
        return Err(Failure::new(Kind::Unusable, doing, why).hint("Set `manage_url` in the config."));
    };
    house.out.line(&cleaned(page));
    let desktop = RealDesktop::new(house.environment.clone(), house.settings.browser.clone(), None)
        .copying(Choice::Never);
    if !words.print && !house.manner.no_input && desktop.place().ask_before_browser.is_none() {
        match desktop.open_browser(page) {
            Ok(_) => house.say("a browser was opened here"),
            Err(error) => house.say(&error.to_string()),
        }
    }
    Ok(0)
}
