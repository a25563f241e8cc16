//! `toktui revoke`, `forget` and `rename`: what changes or ends what is held.

use clap::Args;

use super::gate;
use super::house::House;
use crate::domain::credential::{Chain, Held};
use crate::domain::failure::{Failure, Kind};
use crate::domain::revocation;
use crate::domain::untrusted::cleaned;

/// Words of `toktui revoke`.
#[derive(Clone, Debug, Args)]
pub struct Revoke {
    /// The name it is held under
    pub name: String,
    /// Without being asked
    #[arg(long)]
    pub yes: bool,
}

/// Words of `toktui forget`.
#[derive(Clone, Debug, Args)]
pub struct Forget {
    /// The name it is held under
    pub name: String,
    /// Without being asked
    #[arg(long)]
    pub yes: bool,
}

/// Words of `toktui rename`.
#[derive(Clone, Debug, Args)]
pub struct Rename {
    /// The name it has
    pub old: String,
    /// The name it is to have
    pub new: String,
}

/// What `--help` says of revoking.
pub const REVOKE: &str = "\
At its provider or server, at once and for good. It says before, on standard error, what dies and what lives on, and asks; where nobody can
be asked it needs --yes. What was revoked stays listed, marked, until it is forgotten.

Of a login dies the refresh token and, as far as that is known of its provider, what that ends with it: at a Keycloak this client's part of
the session with its access tokens, at one from before December 2024 all of the client's sessions and the consent. A login as a borrowed
client (oidc-agent's) may take that program's own login with it. Services that check access tokens offline accept those already handed out
until they end. Of several refresh tokens from EGI's Token Portal one is ended; removing the access of token-portal on the page that
`toktui manage` opens ends all. Where a provider did not know the token any more, that is said, and not that it was revoked.

Examples:
  toktui revoke toar
  toktui revoke toar --yes && toktui forget toar";

/// What `--help` says of forgetting.
pub const FORGET: &str = "\
Here only: a mytoken, a refresh token lives on at its server, where nobody here can use it any more. To end it, revoke it.

Example:
  toktui forget old-login";

/// What `--help` says of renaming.
pub const RENAME: &str = "\
The name is an alias: what is held, its history and its id stay. Scripts that ask for the old name find nothing.

Example:
  toktui rename egi egi-prod";

/// Revokes.
///
/// # Errors
/// When nobody agreed, or it cannot be revoked.
pub async fn revoke(house: &mut House, words: &Revoke) -> Result<u8, Failure> {
    let doing = format!("Revoking {}", words.name);
    let held = house.opened(&words.name, &doing).await?;
    let source = house.wallet.source(&held.source);
    // A bare access token is refused: nothing ends.
    if !matches!(held.chain, Chain::None) {
        for what in revocation::ends(&held, source.as_ref()) {
            house.say(&format!("this ends {what}"));
        }
        for what in spares(&held) {
            house.say(&what);
        }
    }
    if !words.yes {
        agreed(house, &format!("This revokes {}.", held.name), &doing).await?;
    }
    let said = house.wallet.revoke(&held.id).await?;
    house.out.line(&cleaned(&said));
    Ok(0)
}

/// Forgets.
///
/// # Errors
/// When somebody was asked and did not agree.
pub async fn forget(house: &mut House, words: &Forget) -> Result<u8, Failure> {
    let doing = format!("Forgetting {}", words.name);
    let held = house.opened(&words.name, &doing).await?;
    if !words.yes && house.tty().is_some() {
        let what = match held.chain {
            Chain::Mytoken { .. } => "the mytoken lives on at its server, and was shown once",
            Chain::Refresh { .. } => "the login lives on at its provider",
            Chain::None => "the access token lives on until it ends",
        };
        agreed(house, &format!("This forgets {} here; {what}.", held.name), &doing).await?;
    }
    let name = house.wallet.forget(&held.id).await?;
    house.out.line(&format!("Forgot {name}."));
    Ok(0)
}

/// Renames.
///
/// # Errors
/// When the new name is taken or is none.
pub async fn rename(house: &mut House, words: &Rename) -> Result<u8, Failure> {
    let doing = format!("Renaming {}", words.old);
    let held = house.opened(&words.old, &doing).await?;
    let before = house.wallet.rename(&held.id, &words.new).await?;
    house.out.line(&format!("{before} is {} now.", words.new));
    Ok(0)
}

/// What lives on.
fn spares(held: &Held) -> Vec<String> {
    match held.chain {
        Chain::Mytoken { .. } => vec!["access tokens already drawn live on until they end".to_owned()],
        Chain::Refresh { .. } | Chain::None => revocation::spares(held),
    }
}

async fn agreed(house: &House, what: &str, doing: &str) -> Result<(), Failure> {
    agreed_by(house, what, "yes", doing).await
}

/// Asks for a word to be typed: any other means no.
///
/// # Errors
/// When another is typed, or nobody can be asked.
pub(super) async fn agreed_by(house: &House, what: &str, word: &str, doing: &str) -> Result<(), Failure> {
    let Some(tty) = house.tty() else {
        let failure = Failure::new(Kind::Unusable, doing, "it must be agreed to, and nobody can be asked");
        return Err(failure.hint("Add --yes."));
    };
    tty.say(what);
    let answer = gate::answer(&tty, &format!("Type `{word}` to go on:")).await?;
    if answer == word {
        return Ok(());
    }
    Err(Failure::new(Kind::Cancelled, doing, "nobody agreed; nothing was done"))
}
