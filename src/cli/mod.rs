//! The plain commands: words in, words out, one file a command.

mod backup;
mod command;
mod compare;
mod copy;
pub mod demo;
mod end;
pub mod fast;
mod gate;
mod history;
mod house;
pub mod info;
mod input;
mod introspect;
mod json;
mod keep;
mod list;
mod lock;
mod login;
mod manage;
pub mod mytoken;
mod pages;
mod places;
mod price;
mod provider;
mod refresh_token;
mod renew;
mod rescue;
mod run;
pub mod sandbox;
mod span;
mod store;
mod token;
mod unlock;
mod userinfo;

use std::ffi::OsString;
use std::io::{self, Write};

use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use house::{House, Manner};
pub use run::run;

use crate::config::Clipboard;
use crate::desktop::{Choice, Route};
use crate::domain::failure::Failure;

/// What the user asked for.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "toktui",
    version,
    about = "A board for OpenID Connect tokens and mytokens: log in, count down, copy, look up.",
    after_help = AFTER,
    disable_help_subcommand = true
)]
pub struct Cli {
    /// How to behave, whatever is done.
    #[command(flatten)]
    pub manner: Manner,
    /// What to do; nothing: the board.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// The board on a built-in sandbox: no account, no network, nothing real
    ///
    /// A provider and a mytoken server run inside this process, on loopback. The board opens after a morning of work
    /// that was performed against them. Every key works; signing in is one key, because only the demo can do that.
    #[command(
        after_help = "Three keys to a copied token:  j  j  y\nTwo more to a mytoken's verdict, from its server:  j  R\nOne more to its history:  h"
    )]
    Demo,
    /// One that needs no screen.
    #[command(flatten)]
    Plain(Plain),
}

/// The commands that need no screen.
#[derive(Clone, Debug, Subcommand)]
pub enum Plain {
    /// Log in from a shell, by every way the provider allows at once
    #[command(after_help = login::HELP)]
    Login(login::Words),
    /// Print an access token that lives
    #[command(after_help = token::HELP)]
    Token(token::Words),
    /// Copy an access token that lives to the clipboard
    #[command(after_help = copy::HELP)]
    Copy(copy::Words),
    /// What is held, and how long it lasts
    #[command(after_help = list::HELP)]
    List(list::Words),
    /// What a token is, whether it is valid, until when, and if not, why
    ///
    /// Reads a token from standard input: a mytoken, an access, ID or refresh token, with or without `Bearer`, quotes and
    /// line breaks around it. A mytoken's server is asked only if it is configured, or named with --ask-server; anything else is
    /// shown to nobody but the provider of --introspect-at.
    #[command(after_help = info::HELP)]
    Info(info::Words),
    /// Whom it speaks for, with groups and roles, as its provider says
    #[command(after_help = userinfo::HELP)]
    Userinfo(userinfo::Words),
    /// Whether a held token is active, as its provider says
    #[command(after_help = introspect::HELP)]
    Introspect(introspect::Words),
    /// Print a line for userinfo, introspection or renewal, safe to paste
    #[command(after_help = command::HELP)]
    Command(command::Words),
    /// Get a refresh token for a held login, by one more login
    #[command(after_help = refresh_token::HELP)]
    RefreshToken(refresh_token::Words),
    /// The page on which what is active at a provider is managed
    #[command(after_help = manage::HELP)]
    Manage(manage::Words),
    /// What is not the same in two tokens: scopes, audience, claims, times, header
    #[command(after_help = compare::HELP)]
    Compare(compare::Words),
    /// Keep the token on standard input under a name
    #[command(after_help = keep::HELP)]
    Keep(keep::Words),
    /// What happened to it: here and, for a mytoken, at its server
    #[command(after_help = history::HELP)]
    History(history::Words),
    /// Get new access tokens now
    #[command(after_help = renew::HELP)]
    Renew(renew::Words),
    /// Revoke it where it came from, for good
    #[command(after_help = end::REVOKE)]
    Revoke(end::Revoke),
    /// Let go of it here
    #[command(after_help = end::FORGET)]
    Forget(end::Forget),
    /// Give it another name
    #[command(after_help = end::RENAME)]
    Rename(end::Rename),
    /// Open the store for this session
    #[command(after_help = unlock::HELP)]
    Unlock(unlock::Words),
    /// Forget the session's key, for every program of this user
    #[command(after_help = lock::HELP)]
    Lock,
    /// The store itself: make it, see how it stands, guard it otherwise
    #[command(subcommand)]
    Store(store::Words),
    /// Back up what is held into a sealed file
    #[command(after_help = backup::EXPORT)]
    Export(backup::Export),
    /// Take a backup in
    #[command(after_help = backup::RESTORE)]
    Restore(backup::Restore),
    /// Print the completions for a shell
    #[command(after_help = pages::COMPLETIONS)]
    Completions(pages::Completions),
    /// Print the manual page of a command
    #[command(after_help = pages::MAN)]
    Man(pages::Man),
    /// Mytokens: make them, hand them over, see and end all of them
    #[command(subcommand, after_help = mytoken::HELP)]
    Mytoken(mytoken::Words),
    /// Providers: list, look at, add, take out, check
    #[command(subcommand, after_help = provider::HELP)]
    Provider(provider::Words),
    /// The built-in provider and mytoken server alone, for trials and tests
    Sandbox(SandboxWords),
}

/// Words of `toktui sandbox`.
#[derive(Clone, Copy, Debug, Args)]
pub struct SandboxWords {
    /// Port of the provider; 0: a free one
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    pub provider_port: u16,
    /// Port of the mytoken server; 0: a free one
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    pub mytoken_port: u16,
}

const AFTER: &str = "\
Start here:
  toktui demo                  walk around without an account
  toktui                       the board; Enter on a provider logs in, ? lists what works
  toktui login egi             the same login from a shell
  toktui token egi             an access token, for scripts
  toktui info - < token.txt    is this mytoken valid, until when, and if not, why
  toktui mytoken --help        from nothing to a script that uses a mytoken

Exit codes:
  0 done   1 failed   2 wrong usage   3 not valid, or a login or unlocking is needed
  4 cannot tell: not reached   128+n ended by signal n

Config: $XDG_CONFIG_HOME/toktui/config.toml. Tokens: sealed in $XDG_DATA_HOME/toktui/store.
$TOKTUI_HOME moves both below one folder.";

/// Reads the words.
///
/// # Errors
/// With clap's own text, also for `--help` and `--version`.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(words)
}

/// Does what a plain command says. The exit code.
///
/// # Errors
/// With what was being done, the deciding fact and what to do now.
pub async fn perform(command: &Plain, house: &mut House) -> Result<u8, Failure> {
    match command {
        Plain::Login(words) => login::run(house, words).await,
        Plain::Token(words) => token::run(house, words).await,
        Plain::Copy(words) => copy::run(house, words).await,
        Plain::List(words) => list::run(house, words).await,
        Plain::Info(words) => info::run(house, words, io::stdin()).await,
        Plain::Userinfo(words) => userinfo::run(house, words).await,
        Plain::Introspect(words) => introspect::run(house, words).await,
        Plain::Command(words) => command::run(house, words).await,
        Plain::RefreshToken(words) => refresh_token::run(house, words).await,
        Plain::Manage(words) => manage::run(house, words),
        Plain::Compare(words) => compare::run(house, words, io::stdin()).await,
        Plain::Keep(words) => keep::run(house, words, io::stdin()).await,
        Plain::History(words) => history::run(house, words).await,
        Plain::Renew(words) => renew::run(house, words).await,
        Plain::Revoke(words) => end::revoke(house, words).await,
        Plain::Forget(words) => end::forget(house, words).await,
        Plain::Rename(words) => end::rename(house, words).await,
        Plain::Unlock(words) => unlock::run(house, words, io::stdin()).await,
        Plain::Lock => lock::run(house),
        Plain::Store(words) => store::run(house, words, io::stdin()).await,
        Plain::Export(words) => backup::export(house, words, io::stdin()).await,
        Plain::Restore(words) => backup::restore(house, words, io::stdin()).await,
        Plain::Mytoken(words) => mytoken::run(house, words).await,
        Plain::Provider(words) => provider::run(house, words).await,
        Plain::Completions(words) => Ok(pages::completions(*words, &mut house.out)),
        Plain::Man(words) => pages::man(words, &mut house.out),
        // It has no house, and is served before one is opened.
        Plain::Sandbox(_) => Ok(0),
    }
}

/// A moment in UTC and in full: it may be read in another place and on another day.
fn moment(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// The user's word on the way to the clipboard, as the desktop takes it.
#[must_use]
pub fn clipboard(setting: Clipboard) -> Choice {
    match setting {
        Clipboard::Auto => Choice::Any,
        Clipboard::Osc52 => Choice::Only(Route::Terminal),
        Clipboard::Tmux => Choice::Only(Route::Tmux),
        Clipboard::Off => Choice::Never,
    }
}

/// Standard output, where nobody listening is no error: `toktui … | head -c 0`.
pub struct Stdout {
    out: io::Stdout,
    closed: bool,
}

impl Default for Stdout {
    fn default() -> Self {
        Self { out: io::stdout(), closed: false }
    }
}

impl Stdout {
    /// Writes a line. The caller has made it harmless.
    pub fn line(&mut self, text: &str) {
        self.bytes(format!("{text}\n").as_bytes());
    }

    /// Writes these bytes, in one go.
    pub fn bytes(&mut self, bytes: &[u8]) {
        if self.closed {
            return;
        }
        let mut out = self.out.lock();
        self.closed = out.write_all(bytes).and_then(|()| out.flush()).is_err();
    }
}
