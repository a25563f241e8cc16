//! The shortest way from the arguments to a token: for exactly known words, before anything else of the program is set up.
//!
//! No runtime, no TLS, no D-Bus, no config: two variables, one key, one file, one write. What is not known here, to the letter, is left to the
//! full parser, and what is not at hand to the verbs. A test holds both ways to the same meaning.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::Path;

use jiff::SignedDuration;

use super::places::Places;
use super::token::{Form, is_token};
use super::{Stdout, gate, list, span};
use crate::config::Settings;
use crate::desktop::{Environment, SystemClock, terminal};
use crate::domain::credential::{Credential, CredentialId, Grant};
use crate::domain::failure::{Failure, Kind};
use crate::domain::secret::Secret;
use crate::domain::time::Clock;
use crate::store::{self, Lock, Store, is_name};
use crate::wallet::draw::{Wish, at_hand};

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

/// How far the short way led.
pub enum Way {
    /// To the end, with this exit code.
    Done(u8),
    /// Not to the end: the long way is to be gone, with the turn of this credential if it was taken already.
    Long(Option<(CredentialId, Lock)>),
}

/// Goes the short way as far as it leads. The program's own name is not among the words.
#[must_use]
pub fn go(words: &[OsString]) -> Way {
    let long = Way::Long(None);
    match known(words) {
        None => long,
        Some(Known::Version) => {
            Stdout::default().line(concat!("toktui ", env!("CARGO_PKG_VERSION")));
            Way::Done(0)
        }
        Some(Known::ListJson) => list_json().map_or(long, Way::Done),
        Some(Known::Token(wanted)) => give(&wanted),
    }
}

/// More than this is not read in full with the list.
const MOST: usize = 64;

fn list_json() -> Option<u8> {
    let places = Places::of_this_process()?;
    let clock: std::sync::Arc<dyn Clock> = std::sync::Arc::new(SystemClock);
    // A key that is there may be used: only keeping one there must have been allowed.
    let settings = Settings { session: Some(true), ..Settings::default() };
    let store = Store::open(gate::place(&Environment::default(), &places, &settings, &clock)?).ok()?;
    let held = store.held();
    if held.len() > MOST {
        return None;
    }
    list::print_json(&held, &store.vault(), clock.now(), &mut Stdout::default());
    Some(0)
}

fn give(wanted: &Token) -> Way {
    if !wanted.show && std::io::stdout().is_terminal() {
        return Way::Long(None);
    }
    let Some(folder) = Places::of_this_process().and_then(|places| places.store) else {
        return Way::Long(None);
    };
    let Some(credential) = held(&folder, &wanted.name) else { return Way::Long(None) };
    if let Some(done) = print(&credential, wanted) {
        return done;
    }
    if matches!(credential.grant, Grant::Bare) {
        return Way::Long(None);
    }
    // Whoever renews it now does that for us too.
    match store::fast::wait_turn(&folder, &credential.id, &gate::program(), SystemClock.now()) {
        Ok(lock) => {
            let done = held(&folder, &wanted.name).and_then(|credential| print(&credential, wanted));
            done.unwrap_or(Way::Long(Some((credential.id, lock))))
        }
        Err(error @ store::Error::Held(_)) => {
            let doing = format!("Getting a token of {}", wanted.name);
            let failure = Failure::new(Kind::Failed, doing, error.to_string()).hint("Nothing was sent.");
            terminal::say(&format!("toktui: {failure}"));
            Way::Done(failure.kind.exit_code())
        }
        Err(_) => Way::Long(None),
    }
}

fn held(folder: &Path, name: &str) -> Option<Credential> {
    store::fast::at_hand(folder, name, &*gate::session(), &SystemClock).ok().flatten()
}

/// Prints the token that is held, if it will do and there is nothing to say about it.
fn print(credential: &Credential, wanted: &Token) -> Option<Way> {
    let wish = Wish { min_life: wanted.min_life, ..Wish::default() };
    let drawn = at_hand(credential, &wish, SystemClock.now())?;
    if !drawn.remarks.is_empty() || !is_token(drawn.token.value.expose()) {
        return None;
    }
    let form = if wanted.header { Form::Header } else { Form::Bare };
    let mut text = form.of(&drawn.token.value);
    if !wanted.no_newline {
        text = Secret::new(format!("{}\n", text.expose()));
    }
    Stdout::default().bytes(text.expose().as_bytes());
    Some(Way::Done(0))
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
