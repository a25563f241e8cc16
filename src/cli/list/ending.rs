//! What ends or has ended, for a mail: when in full, because a mail is read later, and the command that helps.

use jiff::Timestamp;

use super::table::aligned;
use crate::cli::moment;
use crate::domain::credential::{Chain, Custody, Held};
use crate::domain::ending::Ending;
use crate::domain::source::Source;
use crate::domain::time::{ago, countdown};

/// The lines, heading first.
pub(super) fn lines(chosen: &[(&Held, Ending)], sources: &[Source], now: Timestamp) -> Vec<String> {
    let head = ["NAME", "AT", "", "WHEN", "WHAT HELPS"].map(str::to_owned);
    let rows = chosen.iter().map(|(held, ending)| {
        let source = sources.iter().find(|source| source.id == held.source);
        let at = source.map_or_else(|| held.source.as_str().to_owned(), |source| source.name.clone());
        let (how, when) = words(ending, now);
        [held.name.clone(), at, how, when, cure(held, source)]
    });
    aligned(std::iter::once(head).chain(rows))
}

fn words(ending: &Ending, now: Timestamp) -> (String, String) {
    match ending {
        Ending::Ends(end) => (format!("in {}", countdown(end.duration_since(now))), moment(*end)),
        Ending::Ended(end) => (format!("ended {}", ago(now.duration_since(*end))), moment(*end)),
        Ending::UsedUp => ("used up".to_owned(), "-".to_owned()),
        Ending::Over(why) => (format!("over: {why}"), "-".to_owned()),
    }
}

/// The command that gives another one in its place.
fn cure(held: &Held, source: Option<&Source>) -> String {
    let issuer = source.filter(|source| source.issuer().is_some_and(|issuer| issuer.client.is_some()));
    match (&held.chain, &held.custody) {
        (_, Custody::Foreign(whose)) => format!("it belongs to {whose}"),
        (Chain::Mytoken { .. }, _) => format!("toktui mytoken successor {}", held.name),
        (Chain::Refresh { .. }, _) => format!("toktui login {} --name {}", held.source.as_str(), held.name),
        (Chain::None, _) if issuer.is_some() => {
            format!("toktui login {} --name {}", held.source.as_str(), held.name)
        }
        (Chain::None, _) => "nothing renews a bare access token".to_owned(),
    }
}
