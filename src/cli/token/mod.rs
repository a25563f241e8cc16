//! `toktui token NAME`: an access token on standard output, and nothing else there.

mod file;
mod forms;

use std::path::PathBuf;

use clap::Args;
use jiff::SignedDuration;

use super::house::House;
use super::{price, span};
use crate::domain::credential::Ask;
use crate::domain::failure::{Failure, Kind};
use crate::domain::secret::Secret;
use crate::domain::time::countdown;
use crate::wallet::draw::{Drawn, Wish};
use crate::wallet::exchange::{Order, Swapped};
pub use file::write as write_private;
pub use forms::{Form, Shell, is_token};

/// Which access token is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct Wanted {
    /// It must live for at least this long: 90s, 10m, 1h
    #[arg(long, value_name = "DURATION", value_parser = span::parse)]
    pub min_life: Option<SignedDuration>,
    /// With this scope; may be repeated, or hold several
    #[arg(long, value_name = "SCOPE")]
    pub scope: Vec<String>,
    /// For this audience; may be repeated
    #[arg(long, value_name = "AUDIENCE")]
    pub audience: Vec<String>,
    /// A new one even if one lives
    #[arg(long)]
    pub force: bool,
    /// The same, also where using a mytoken in doubt may revoke it and all made from it
    #[arg(long)]
    pub insist: bool,
}

/// Words of `toktui token`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is one independent flag")]
pub struct Words {
    /// The name it is held under; `toktui list` shows all
    pub name: String,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub wanted: Wanted,
    /// By exchanging the access token for one with that --audience or --scope (RFC 8693)
    #[arg(long, conflicts_with = "insist")]
    pub exchange: bool,
    /// As a header: Authorization: Bearer …
    #[arg(long, conflicts_with = "env")]
    pub header: bool,
    /// As a line that sets a variable in this shell
    #[arg(long, value_enum, value_name = "SHELL")]
    pub env: Option<Shell>,
    /// The variable of --env
    #[arg(long, value_name = "NAME", requires = "env", value_parser = forms::variable, default_value = "BEARER_TOKEN")]
    pub var: String,
    /// Into this file instead, which only its owner can read
    #[arg(long, value_name = "PATH")]
    pub file: Option<PathBuf>,
    /// Into the file where grid tools look for a bearer token (WLCG)
    #[arg(long, conflicts_with_all = ["file", "header", "env"])]
    pub wlcg: bool,
    /// Without the line end behind it
    #[arg(long)]
    pub no_newline: bool,
    /// Also where standard output is a terminal
    #[arg(long)]
    pub show: bool,
}

/// What `--help` says under the options.
pub const HELP: &str = "\
The token goes to standard output, what it cost and everything else to standard error. What is held and lives for another
minute (or --min-life) is given at once; else a new one is drawn. Programs that ask at the same time share one new token.

--audience and --scope are asked for at a renewal; with --exchange the access token that lives is traded for another one (RFC 8693), where the
provider announces that: else nothing is sent. It is held under the same name beside the first, and given again while it lives; the
login stays as it was, a refresh token that comes along is kept under a name of its own. It costs one request, and a renewal where no access
token lives; of a mytoken none is drawn for it.

Examples:
  curl -H \"Authorization: Bearer $(toktui token egi)\" https://…
  toktui token egi --header | curl -H @- https://…     not in the process list
  toktui token egi --min-life 1h --audience https://storage.example.org
  eval \"$(toktui token egi --env sh)\"                  sets BEARER_TOKEN
  toktui token egi --exchange --audience storage       for the service that is called so there, by token exchange
  toktui token egi --env fish | source
  toktui token egi --env nu | from json | load-env
  toktui token wlcg --wlcg                             $BEARER_TOKEN_FILE, $XDG_RUNTIME_DIR/bt_u…, /tmp/bt_u…

Exit codes:
  0  here it is
  1  failed: also where what came could not be written
  2  wrong usage; nothing is held under that name
  3  a login or an unlocking is needed, or no token lives for --min-life
  4  the provider or server was not reached";

/// Draws and delivers.
///
/// # Errors
/// With the deciding fact. Nothing is written to standard output then.
pub async fn run(house: &mut House, words: &Words) -> Result<u8, Failure> {
    let doing = format!("Getting a token of {}", words.name);
    let to_stdout = words.file.is_none() && !words.wlcg;
    if to_stdout && house.environment.facts.stdout_is_terminal && !words.show {
        let why = "standard output is a terminal, which would keep the token in its history";
        return Err(Failure::new(Kind::Unusable, doing, why)
            .hint(format!("Pipe it, copy it (toktui copy {}), or insist: --show.", words.name)));
    }
    let token = if words.exchange {
        exchange(house, words, &doing).await?
    } else {
        draw(house, &words.name, &words.wanted, &doing).await?
    };
    deliver(house, words, &token, &doing)?;
    Ok(0)
}

/// Draws as wanted, and says what it cost. The credential as it is afterwards comes along.
///
/// # Errors
/// With the deciding fact; also where the token that came lives for less than is wanted. What it cost is said all the same.
pub async fn draw(house: &House, name: &str, wanted: &Wanted, doing: &str) -> Result<Drawn, Failure> {
    let before = house.opened(name, doing).await?;
    let force = wanted.force || wanted.insist;
    let wish = Wish { force, insist: wanted.insist, min_life: wanted.min_life, ask: wanted.ask() };
    let drawn = house.wallet.draw(&before.id, wish).await;
    let after = house.wallet.view(&before.id).ok();
    // A token that came and does not do has cost its use as well.
    let served = drawn.as_ref().is_ok_and(|drawn| drawn.renewed);
    if let Some(price) = after.and_then(|after| price::paid(&before, &after, served)) {
        house.say(&format!("{name}: {price}"));
    }
    let drawn = drawn?;
    for remark in &drawn.remarks {
        house.say(remark);
    }
    Ok(drawn)
}

/// Exchanges as wanted. What came and is no access token is given as it is, and in no form that would pass it off as one.
async fn exchange(house: &House, words: &Words, doing: &str) -> Result<Drawn, Failure> {
    let held = house.opened(&words.name, doing).await?;
    let wanted = &words.wanted;
    let ask = wanted.ask().unwrap_or_default();
    let order = Order { ask, force: wanted.force, min_life: wanted.min_life };
    let Swapped { drawn, other } = house.wallet.exchange(&held.id, order).await?;
    for remark in &drawn.remarks {
        house.say(remark);
    }
    if let Some(what) = other {
        if words.header || words.env.is_some() || words.wlcg {
            let why = format!("the provider gave {what}, which is no access token");
            return Err(Failure::new(Kind::Failed, doing, why)
                .hint("Without --header, --env and --wlcg it is printed as it is."));
        }
        house.say(&format!("this is {what}, and no access token: it is not held"));
    }
    if let Some(least) = wanted.min_life
        && drawn.token.left(house.clock.now()).is_some_and(|left| left < least)
    {
        let why = "the token that came lives for less than that";
        return Err(
            Failure::new(Kind::NotValid, doing, why).hint("It is held; its giver gives no longer ones.")
        );
    }
    Ok(drawn)
}

impl Wanted {
    /// What is asked for, where it is not what the credential stands for.
    fn ask(&self) -> Option<Ask> {
        if self.scope.is_empty() && self.audience.is_empty() {
            return None;
        }
        let words = |list: &[String]| {
            list.iter().flat_map(|text| text.split_ascii_whitespace()).map(str::to_owned).collect()
        };
        Some(Ask { scopes: words(&self.scope), audiences: words(&self.audience) })
    }
}

fn deliver(house: &mut House, words: &Words, drawn: &Drawn, doing: &str) -> Result<(), Failure> {
    let token = &drawn.token.value;
    if !is_token(token.expose()) {
        let why = "the provider gave something with characters that no bearer token may have";
        return Err(Failure::new(Kind::Failed, doing, why));
    }
    let form = match words.env {
        Some(shell) => Form::Variable(shell, words.var.clone()),
        None if words.header => Form::Header,
        None => Form::Bare,
    };
    let mut text = form.of(token);
    if !words.no_newline {
        text = Secret::new(format!("{}\n", text.expose()));
    }
    let path = match &words.file {
        Some(path) => path.clone(),
        None if words.wlcg => place(house),
        None => {
            house.out.bytes(text.expose().as_bytes());
            return Ok(());
        }
    };
    file::write(&path, text.expose().as_bytes()).map_err(|why| {
        Failure::new(Kind::Failed, doing, format!("it could not be written to {}: {why}", path.display()))
    })?;
    let life = drawn.token.left(house.clock.now());
    let life = life.map(|left| format!("; it lives for {}", countdown(left))).unwrap_or_default();
    house.say(&format!("written to {}{life}", path.display()));
    Ok(())
}

/// Where grid tools look, with a word on what they look at before.
fn place(house: &House) -> PathBuf {
    if house.environment.variable("BEARER_TOKEN").is_some() {
        house.say("BEARER_TOKEN is set: programs that look for a token take that one first");
    }
    file::discovered(&house.environment, rustix::process::geteuid().as_raw())
}
