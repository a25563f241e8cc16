//! What came and could not be written: said, tried again, and given to the person at the terminal before the program ends.

use std::time::Duration;

use super::gate;
use super::house::House;
use crate::desktop::tty::Tty;
use crate::domain::credential::{Chain, Custody, Held};
use crate::domain::failure::{Failure, Kind};
use crate::domain::form::Form;

const DOING: &str = "Saving what came";

/// How often writing is tried again where nobody can be asked, and how long is waited before each try.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_secs(1);

/// Returns when nothing is left that only this program's memory has.
///
/// # Errors
/// When something is, and every way to save it was tried or declined.
pub async fn all(house: &House) -> Result<(), Failure> {
    if house.wallet.vault().unsaved == 0 || house.wallet.save_again().await == 0 {
        return Ok(());
    }
    for (held, why) in unsaved(house) {
        house.say(&format!("{}: the newest value is in this program's memory only: {why}", held.name));
    }
    if let Some(tty) = house.tty() { ask(house, &tty).await } else { try_again(house).await }
}

async fn ask(house: &House, tty: &Tty) -> Result<(), Failure> {
    loop {
        let prompt =
            "Make room, then Enter tries again; `print` prints the values here; `lose` gives them up:";
        match gate::answer(tty, prompt).await.as_deref() {
            Ok("print") => {
                print(house, tty).await;
                return Err(failed("it was printed instead"));
            }
            Ok("lose") | Err(_) => return Err(failed("it is lost")),
            Ok(_) if house.wallet.save_again().await == 0 => {
                tty.say("Saved.");
                return Ok(());
            }
            Ok(_) => tty.say("It still cannot be written."),
        }
    }
}

async fn try_again(house: &House) -> Result<(), Failure> {
    for _ in 0..TRIES {
        tokio::time::sleep(PAUSE).await;
        if house.wallet.save_again().await == 0 {
            house.say("saved after all");
            return Ok(());
        }
    }
    Err(failed("it is lost: a new login, or a new mytoken, is needed"))
}

fn unsaved(house: &House) -> Vec<(Held, String)> {
    let held = house.wallet.held();
    let why = |held: &Held| match &held.custody {
        Custody::Unsaved(why) => Some((held.clone(), why.clone())),
        _ => None,
    };
    held.iter().filter_map(why).collect()
}

/// Prints the long-lived values on the terminal, whole: the user has typed the word for it.
async fn print(house: &House, tty: &Tty) {
    for (held, _) in unsaved(house) {
        let form = match held.chain {
            Chain::Mytoken { .. } => Form::Mytoken,
            Chain::Refresh { .. } => Form::RefreshToken,
            Chain::None => Form::AccessToken,
        };
        match house.wallet.form(&held.id, form).await {
            Ok(value) => tty.say(&format!("{} {}: {}", held.name, form.words(), value.expose())),
            Err(failure) => tty.say(&failure.to_string()),
        }
    }
}

fn failed(why: &str) -> Failure {
    Failure::new(Kind::Failed, DOING, why)
}
