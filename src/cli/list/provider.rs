//! What is held at one provider, side by side: whose, as which client, how it came, since when, last used, until when.

use jiff::Timestamp;

use super::table::{aligned, chain, notes};
use crate::domain::credential::{Chain, Held, Identity};
use crate::domain::failure::{Failure, Kind};
use crate::domain::source::Source;
use crate::domain::time::ago;

/// The source that is meant: by its short word, or by its address.
///
/// # Errors
/// When there is none.
pub(super) fn named<'s>(sources: &'s [Source], wanted: &str) -> Result<&'s Source, Failure> {
    let bare = |text: &str| text.strip_suffix('/').unwrap_or(text).to_owned();
    let is_at = |source: &&Source| source.address().is_some_and(|address| bare(address) == bare(wanted));
    let by_word = sources.iter().find(|source| source.id.as_str() == wanted);
    by_word.or_else(|| sources.iter().find(is_at)).ok_or_else(|| {
        let why = format!("no provider or mytoken server is called `{wanted}`");
        Failure::new(Kind::Unusable, "Listing", why).hint("`toktui provider list` shows all.")
    })
}

/// Where nothing is held there.
pub(super) fn nothing(at: &Source) -> String {
    format!("Nothing is held at {}. `toktui login {}` begins.", at.name, at.id.as_str())
}

/// The lines, heading first.
pub(super) fn lines(held: &[&Held], now: Timestamp) -> Vec<String> {
    let head =
        ["NAME", "OF", "CLIENT", "CAME BY", "HELD SINCE", "LAST USED", "MORE FOR", ""].map(str::to_owned);
    let rows = held.iter().map(|held| {
        let (client, got) = through(held);
        let since = |at: Timestamp| ago(now.duration_since(at));
        let last = held.last_used().map_or_else(|| "not yet".to_owned(), since);
        let whose = held.identity.as_ref().map_or_else(|| "-".to_owned(), whose);
        [held.name.clone(), whose, client, got, since(held.since), last, chain(held, now), notes(held, now)]
    });
    aligned(std::iter::once(head).chain(rows))
}

fn whose(identity: &Identity) -> String {
    identity.label.as_ref().unwrap_or(&identity.subject).raw().to_owned()
}

fn through(held: &Held) -> (String, String) {
    match &held.chain {
        Chain::Refresh { through, .. } => {
            let client = through.client.clone().unwrap_or_else(|| "-".to_owned());
            (client, through.got.map_or("-", |got| got.words()).to_owned())
        }
        Chain::Mytoken { .. } => ("-".to_owned(), "a mytoken".to_owned()),
        Chain::None => ("-".to_owned(), "no refresh token".to_owned()),
    }
}
