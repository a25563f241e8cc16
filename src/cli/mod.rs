//! The plain commands: words in, words out, one file a command.

pub mod demo;
pub mod info;
mod json;
pub mod sandbox;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};
use etcetera::BaseStrategy;

use crate::config::{self, Config, Problem};

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
    /// The built-in provider and mytoken server alone, for trials and tests
    Sandbox(SandboxArgs),
    /// What a token is, whether it is valid, until when, and if not, why
    ///
    /// Reads a token from standard input: a mytoken, an access, ID or refresh token, with or without `Bearer`, quotes and
    /// line breaks around it. A mytoken's server is asked only if it is configured, or named with --ask-server; nothing
    /// else is ever sent anywhere.
    #[command(after_help = INFO)]
    Info(InfoArgs),
}

/// Words of `toktui sandbox`.
#[derive(Clone, Copy, Debug, Args)]
pub struct SandboxArgs {
    /// Port of the provider; 0: a free one
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    pub provider_port: u16,
    /// Port of the mytoken server; 0: a free one
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    pub mytoken_port: u16,
}

/// Words of `toktui info`.
#[derive(Clone, Debug, Args)]
pub struct InfoArgs {
    /// `-`: the token on standard input
    #[arg(value_parser = ["-"], value_name = "-", hide_possible_values = true)]
    pub token: String,
    /// JSON instead of text
    #[arg(long)]
    pub json: bool,
    /// Ask this mytoken server although it is not configured
    #[arg(long, value_name = "URL")]
    pub ask_server: Option<String>,
}

const AFTER: &str = "\
Start here:
  toktui demo                  walk around without an account
  toktui                       the board; Enter on a provider logs in, ? lists what works
  toktui info - < token.txt    is this mytoken valid, until when, and if not, why

Nothing is kept yet: what the board holds is gone when it quits, and it asks before that.
Config: $XDG_CONFIG_HOME/toktui/config.toml, or $TOKTUI_HOME/config/config.toml.";

const INFO: &str = "\
Exit codes:
  0  valid here and now (or alive and, by its own claims, good for an access token)
  2  wrong usage, or nothing that can be read
  3  not valid: expired, not yet, not from here, used up, rotated away, revoked
  4  cannot tell: its server was not asked or did not answer
Another JWT counts by its own times; its signature is not checked, and that is said.

Examples:
  toktui info - < ~/mytoken
  pass show toar | toktui info - --json";

/// Reads the words.
///
/// # Errors
/// With clap's own text, also for `--help` and `--version`.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(words)
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
        if self.closed {
            return;
        }
        let mut out = self.out.lock();
        self.closed = writeln!(out, "{text}").and_then(|()| out.flush()).is_err();
    }
}

/// The config file of this user, and what is wrong in it. `home` is `TOKTUI_HOME`.
#[must_use]
pub fn config(home: Option<&Path>) -> (Config, Vec<Problem>) {
    // Without a home directory there is no config either: the built-in presets remain.
    let folder = etcetera::choose_base_strategy().map_or_else(|_| PathBuf::new(), |base| base.config_dir());
    Config::open(&config::path(home, &folder))
}
