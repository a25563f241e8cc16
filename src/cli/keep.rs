//! `toktui keep NAME`: keeps the token on standard input under a name.

use std::io::Read;

use clap::Args;

use super::house::House;
use super::{gate, input};
use crate::domain::credential::Custody;
use crate::domain::failure::{Failure, Kind};
use crate::domain::portal::Instance;
use crate::domain::specimen::recognise;
use crate::wallet::look_up::Ask;

/// Words of `toktui keep`.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// The name it is to be held under
    pub name: String,
    /// Its mytoken server may be asked about it, although it is not configured
    #[arg(long, value_name = "URL")]
    pub ask_server: Option<String>,
    /// It is a refresh token that this one of EGI's Token Portals has shown
    #[arg(long, value_name = "INSTANCE", value_parser = ["production", "demo", "dev"], conflicts_with = "ask_server")]
    pub portal: Option<String>,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
A mytoken, a refresh token or an access token, with or without `Bearer`, quotes and line breaks around it. Nobody is asked about it,
unless it is a short mytoken: then --ask-server names its server.

With --portal it is a refresh token copied from an EGI Token Portal: it works for the client token-portal only, and at that instance only.
One that its own words call another's, or EGI's former server's, or ended, is refused before it is sent anywhere (exit 3), with what became
of it and the login to do instead.

Examples:
  toktui keep toar < ~/mytoken
  pass show egi/refresh | toktui keep egi
  toktui keep egi --portal production < refresh-token.txt";

/// Keeps what comes.
///
/// # Errors
/// When it cannot be kept, with the reason.
pub async fn run(house: &mut House, words: &Words, from: impl Read) -> Result<u8, Failure> {
    let doing = format!("Keeping it as {}", words.name);
    let text = input::all(from, &doing)?;
    if text.trim().is_empty() {
        let failure = Failure::new(Kind::Unusable, doing, "nothing came on standard input");
        return Err(failure.hint("Pipe a token into it: `toktui keep NAME < file`."));
    }
    let specimen = recognise(&text);
    drop(text);
    gate::made(house, &doing).await?;
    if let Some(server) = &words.ask_server {
        house.wallet.look_up_pasted(&specimen, &Ask::This(server.clone())).await;
    }
    let portal = words.portal.as_deref().and_then(Instance::of_word);
    let (id, name) = match portal {
        Some(instance) => house.wallet.keep_from_portal(&specimen, instance, &words.name).await?,
        None => house.wallet.keep(&specimen, &words.name).await?,
    };
    let held = house.wallet.held();
    let custody = held.iter().find(|held| held.id == id).map(|held| &held.custody);
    house.out.line(&format!("Kept as {name}{}.", custody.map_or("", custody_words)));
    Ok(0)
}

fn custody_words(custody: &Custody) -> &'static str {
    match custody {
        Custody::Sealed => ", sealed",
        Custody::KeyFile => ", sealed; the key lies in a file",
        Custody::Session => ", for this session of the machine",
        Custody::Unsaved(_) => ", in memory: it could not be written",
        Custody::MemoryOnly => ", in memory only: it is gone when this command ends",
        Custody::Foreign(_) => "",
    }
}
