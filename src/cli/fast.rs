//! The shortest way from the arguments to a token: for exactly known words, before anything else of the program is set up.
//!
//! What is not known here, to the letter, is left to the full parser. A test holds both to the same meaning.

use std::ffi::OsString;

use jiff::SignedDuration;

use super::span;
use crate::store::is_name;

/// What a known line of words asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// `--version`
    Version,
    /// `list --json`
    ListJson,
    /// `token NAME`
    Token(Token),
}

/// A token that may be at hand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Token {
    /// Its name.
    pub name: String,
    /// `--header`
    pub header: bool,
    /// `--no-newline`
    pub no_newline: bool,
    /// `--show`
    pub show: bool,
    /// `--min-life`
    pub min_life: Option<SignedDuration>,
}

/// What the words ask for, if they are known here. The program's own name is not among them.
#[must_use]
pub fn known(words: &[OsString]) -> Option<Known> {
    let words: Vec<&str> = words.iter().map(|word| word.to_str()).collect::<Option<_>>()?;
    match words.as_slice() {
        ["--version"] => Some(Known::Version),
        ["list", "--json"] => Some(Known::ListJson),
        ["token", rest @ ..] => token(rest).map(Known::Token),
        _ => None,
    }
}

fn token(words: &[&str]) -> Option<Token> {
    let mut token = Token::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let flag = match *word {
            "--header" => &mut token.header,
            "--no-newline" => &mut token.no_newline,
            "--show" => &mut token.show,
            "--min-life" if token.min_life.is_none() => {
                token.min_life = Some(span::parse(words.next()?).ok()?);
                continue;
            }
            name if token.name.is_empty() && is_name(name) => {
                name.clone_into(&mut token.name);
                continue;
            }
            _ => return None,
        };
        // Twice is the full parser's to refuse.
        if std::mem::replace(flag, true) {
            return None;
        }
    }
    (!token.name.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cli::{Command, Plain, parse, token::Wanted, token::Words};

    fn full(words: &[String]) -> Option<Command> {
        let all = std::iter::once("toktui".to_owned()).chain(words.iter().cloned());
        let cli = parse(all.map(OsString::from)).ok()?;
        assert_eq!(cli.manner, crate::cli::Manner::default());
        cli.command
    }

    /// Fails where the fast way takes words that mean something else, or nothing, to the full parser.
    fn agree(words: &[String]) {
        let known = known(&words.iter().map(OsString::from).collect::<Vec<_>>());
        match known {
            None => {}
            Some(Known::Version) => assert!(full(words).is_none()),
            Some(Known::ListJson) => {
                let Some(Command::Plain(Plain::List(list))) = full(words) else { panic!("{words:?}") };
                assert!(list.json && list.ending.is_none());
            }
            Some(Known::Token(token)) => {
                let Some(Command::Plain(Plain::Token(told))) = full(words) else { panic!("{words:?}") };
                let expected = Words {
                    name: token.name,
                    wanted: Wanted { min_life: token.min_life, ..Wanted::default() },
                    header: token.header,
                    var: "BEARER_TOKEN".to_owned(),
                    no_newline: token.no_newline,
                    show: token.show,
                    ..Words::default()
                };
                assert_eq!(told, expected, "{words:?}");
            }
        }
    }

    fn line(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn the_usual_words_take_the_short_way_and_mean_the_same_to_the_full_parser() {
        for text in [
            "token egi",
            "token egi --header",
            "token --header egi",
            "token egi --no-newline --show --header",
            "token egi --min-life 10m",
            "token --min-life 1h egi --no-newline",
            "token help",
            "list --json",
            "--version",
        ] {
            let words = line(text);
            assert!(known(&words.iter().map(OsString::from).collect::<Vec<_>>()).is_some(), "{text}");
            agree(&words);
        }
    }

    #[test]
    fn whatever_is_not_known_to_the_letter_is_left_to_the_full_parser() {
        for text in [
            "",
            "token",
            "token -",
            "token -- egi",
            "token --head egi",
            "token egi --header --header",
            "token egi wlcg",
            "token egi --min-life",
            "token egi --min-life 10",
            "token egi --min-life=10m",
            "token egi --min-life 1m --min-life 2m",
            "token egi --force",
            "token egi --help",
            "token egi --no-input",
            "--no-input token egi",
            "list --json --ending 7d",
            "list",
            "-V",
            "tok egi",
        ] {
            let words = line(text);
            assert_eq!(known(&words.iter().map(OsString::from).collect::<Vec<_>>()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_words_mean_one_thing_fast_and_another_slow(
            words in proptest::collection::vec(
                prop_oneof![
                    Just("token".to_owned()), Just("list".to_owned()), Just("--json".to_owned()),
                    Just("--version".to_owned()), Just("--header".to_owned()), Just("--no-newline".to_owned()),
                    Just("--show".to_owned()), Just("--min-life".to_owned()), Just("10m".to_owned()),
                    Just("egi".to_owned()), Just("--".to_owned()), Just("-".to_owned()), Just("help".to_owned()),
                    Just("--force".to_owned()), Just("--env".to_owned()), Just("sh".to_owned()),
                    "[a-z0-9=-]{0,6}",
                ],
                0..6,
            ),
            lead in any::<bool>(),
        ) {
            let words: Vec<String> =
                if lead { std::iter::once("token".to_owned()).chain(words).collect() } else { words };
            agree(&words);
        }
    }
}
