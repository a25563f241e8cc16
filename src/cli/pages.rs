//! `toktui completions SHELL` and `toktui man [COMMAND]`: made from the same list of commands that is parsed.

use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::Shell as Made;

use super::{Cli, Stdout};
use crate::domain::failure::{Failure, Kind};

/// A shell that completions are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// `bash`
    Bash,
    /// `zsh`
    Zsh,
    /// `fish`
    Fish,
}

/// Words of `toktui completions`.
#[derive(Clone, Copy, Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Words of `toktui man`.
#[derive(Clone, Debug, Args)]
pub struct Man {
    /// The command, `store init` for one below another; without it, the page of toktui itself
    pub command: Vec<String>,
}

/// What `--help` says of completions.
pub const COMPLETIONS: &str = "\
Examples:
  toktui completions bash > ~/.local/share/bash-completion/completions/toktui
  toktui completions zsh > ~/.zfunc/_toktui
  toktui completions fish > ~/.config/fish/completions/toktui.fish";

/// What `--help` says of man pages.
pub const MAN: &str = "\
Examples:
  toktui man | man -l -
  toktui man token > toktui-token.1";

/// Prints the completions.
pub fn completions(words: Completions, out: &mut Stdout) -> u8 {
    let shell = match words.shell {
        Shell::Bash => Made::Bash,
        Shell::Zsh => Made::Zsh,
        Shell::Fish => Made::Fish,
    };
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "toktui", &mut text);
    out.bytes(&text);
    0
}

/// Prints a page.
///
/// # Errors
/// When there is no such command.
pub fn man(words: &Man, out: &mut Stdout) -> Result<u8, Failure> {
    let mut root = Cli::command();
    root.build();
    let mut command = &root;
    for word in &words.command {
        command = command.find_subcommand(word).ok_or_else(|| {
            Failure::new(Kind::Unusable, "Making the page", format!("there is no command `{word}`"))
                .hint("`toktui --help` shows all.")
        })?;
    }
    let mut text = Vec::new();
    let page = clap_mangen::Man::new(command.clone()).manual("toktui");
    page.render(&mut text)
        .map_err(|error| Failure::new(Kind::Failed, "Making the page", error.to_string()))?;
    out.bytes(&text);
    Ok(0)
}
