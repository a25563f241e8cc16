//! What is known to the letter, done at once: no parser, no config, no runtime, no network; what was on its way to none of
//! them is all that a script waits for (performance.md §4).
//!
//! It only ever reads. Whatever is not as simple as that is left to the full way, which then says why.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;

use super::fast::{Known, Token};
use super::places::Places;
use super::token::{Form, is_token};
use super::{Stdout, gate, list};
use crate::config::Settings;
use crate::desktop::{Environment, SystemClock};
use crate::domain::time::Clock;
use crate::store::Store;
use crate::wallet::draw::{Wish, at_hand};

/// Does it, if it can be done at once. `home` is the value of `TOKTUI_HOME`. Whether it was done.
#[must_use]
pub fn perform(known: &Known, home: Option<&Path>) -> bool {
    let done = match known {
        Known::Version => {
            Stdout::default().line(concat!("toktui ", env!("CARGO_PKG_VERSION")));
            Some(())
        }
        Known::ListJson => list_json(home),
        Known::Token(wanted) => token(wanted, home),
    };
    done.is_some()
}

fn list_json(home: Option<&Path>) -> Option<()> {
    let (store, clock) = opened(home)?;
    list::print_json(&store.held(), &store.vault(), None, clock.now(), &mut Stdout::default());
    Some(())
}

fn token(wanted: &Token, home: Option<&Path>) -> Option<()> {
    if io::stdout().is_terminal() && !wanted.show {
        return None;
    }
    let (store, clock) = opened(home)?;
    let mut credential = store.get(&store.find(&wanted.name)?).ok()?;
    credential.put_right(clock.now(), clock.uptime());
    let wish = Wish { min_life: wanted.min_life, ..Wish::default() };
    let drawn = at_hand(&credential, &wish, clock.now())?;
    if !drawn.remarks.is_empty() || !is_token(drawn.token.value.expose()) {
        return None;
    }
    let text = if wanted.header { Form::Header } else { Form::Bare }.of(&drawn.token.value);
    let mut out = Stdout::default();
    out.bytes(text.expose().as_bytes());
    if !wanted.no_newline {
        out.bytes(b"\n");
    }
    Some(())
}

/// The store as it is without asking anybody. The session's key is taken where it is, whatever the config says of keeping it: somebody
/// who was asked has put it there.
fn opened(home: Option<&Path>) -> Option<(Store, Arc<dyn Clock>)> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let settings = Settings { session: Some(true), ..Settings::default() };
    // Without surroundings: the desktop's keyring has no part in this.
    let place = gate::place(&Environment::default(), &Places::below(home), &settings, &clock)?;
    Some((Store::open(place).ok()?, clock))
}
