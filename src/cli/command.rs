//! `toktui command NAME WHAT`: the lines that a token portal shows, safe to paste.

use clap::{Args, ValueEnum};

use super::house::House;
use crate::domain::failure::{Failure, Kind};
use crate::domain::form::Form;
use crate::domain::untrusted::cleaned;

/// Words of `toktui command`.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// The name it is held under
    pub name: String,
    /// Which line
    #[arg(value_enum)]
    pub what: What,
    /// The renewal as portals show it: with the refresh token in the line
    #[arg(long)]
    pub with_token: bool,
}

/// The lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// Ask the provider whom the access token speaks for
    Userinfo,
    /// Ask the provider whether it is active; for a client with a secret
    Introspection,
    /// Get a new access token with the refresh token
    Renewal,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
Prints one line for a POSIX shell. No token stands in it: toktui hands it through a pipe when the line runs. With --with-token the renewal
is the line that EGI's Token Portal shows, quoted: whoever reads it, the shell's history or the list of processes has the refresh
token; where refresh tokens rotate, running it ends the one held here.

Examples:
  toktui command egi userinfo
  eval \"$(toktui command egi userinfo)\"
  toktui command egi renewal --with-token

Exit codes: 0 here it is; 2 nothing is held under that name, or it has no such line; 4 its provider was not reached.";

/// Prints the line.
///
/// # Errors
/// When there is no such line.
pub async fn run(house: &mut House, words: &Words) -> Result<u8, Failure> {
    let form = match (words.what, words.with_token) {
        (What::Userinfo, false) => Form::CurlUserinfo,
        (What::Introspection, false) => Form::CurlIntrospection,
        (What::Renewal, false) => Form::Renewal,
        (What::Renewal, true) => Form::RenewalWithToken,
        (What::Userinfo | What::Introspection, true) => {
            let doing = "Making the command";
            return Err(Failure::new(Kind::Unusable, doing, "--with-token is for the renewal only"));
        }
    };
    let held = house.opened(&words.name, &format!("Making the command for {}", words.name)).await?;
    let line = house.wallet.form(&held.id, form).await?;
    if form.is_secret() {
        house.say("the refresh token stands in this line: it is long-lived, and whoever has it can use it");
    }
    // A token or scope with such a character would be no token, and the line no line.
    house.out.line(&cleaned(line.expose()));
    Ok(0)
}
