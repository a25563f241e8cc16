//! `toktui mytoken snippet NAME KIND`: a script that reads the token from toktui when it runs.

use clap::{Args, ValueEnum};

use crate::cli::house::House;
use crate::domain::failure::Failure;
use crate::domain::snippet::Snippet;

/// Words of `toktui mytoken snippet`.
#[derive(Clone, Debug, Args)]
pub struct Words {
    /// The name it is held under
    pub name: String,
    /// Which script
    #[arg(value_enum)]
    pub kind: Kind,
}

/// The scripts, as they are typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Python with requests
    Python,
    /// A curl line
    Curl,
    /// A curl line with a new access token each time
    CurlNew,
    /// A job script for Slurm
    Slurm,
    /// A remote for rclone's config file
    Rclone,
    /// Python for the TOAR database
    Toar,
}

impl Kind {
    fn snippet(self) -> Snippet {
        match self {
            Self::Python => Snippet::Python,
            Self::Curl => Snippet::Curl,
            Self::CurlNew => Snippet::CurlNewToken,
            Self::Slurm => Snippet::Slurm,
            Self::Rclone => Snippet::Rclone,
            Self::Toar => Snippet::Toar,
        }
    }
}

/// What `--help` says under the options.
pub const HELP: &str = "\
The script asks `toktui token NAME` when it runs; no token is in it. It works for every name that is held, mytoken or login. The
service's address in it is to be put in by you.

Examples:
  toktui mytoken snippet toar toar > toar.py && python3 toar.py
  toktui mytoken snippet toar slurm > job.sh
  toktui mytoken snippet storage rclone >> ~/.config/rclone/rclone.conf

Exit codes: 0 here it is; 2 nothing is held under that name.";

/// Prints it.
///
/// # Errors
/// When nothing is held under that name.
pub fn run(house: &mut House, words: &Words) -> Result<u8, Failure> {
    house.find(&words.name, "Writing a script")?;
    house.out.bytes(words.kind.snippet().text(&words.name).as_bytes());
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_that_are_typed_are_those_of_the_scripts() {
        for (kind, snippet) in Kind::value_variants().iter().zip(Snippet::ALL) {
            let typed = kind.to_possible_value().expect("it is offered");
            assert_eq!((typed.get_name(), kind.snippet()), (snippet.word(), snippet));
        }
    }
}
