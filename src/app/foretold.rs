//! What the sheets about a job and about another place answer, at every key: nothing is asked of anybody for it.

use std::net::IpAddr;

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::overlay::Overlay;
use super::sheet::{Asks, Entry, Sheet};
use super::state::State;
use crate::domain::credential::{Chain, CredentialId, Held};
use crate::domain::elsewhere::{Elsewhere, Purpose, WouldWork, would_work};
use crate::domain::outlast::{Advice, Holds, Job, Outlast, outlast};
use crate::domain::span;
use crate::domain::time::later;

/// The lines of the sheet about a job.
pub const WALL: &str = "runs for";
/// How long it waits in the queue.
pub const WAIT: &str = "waits for";
/// How often it takes an access token.
pub const EVERY: &str = "a token every";

/// The lines of the sheet about another place.
pub const ADDRESS: &str = "address";
/// Its name.
pub const HOST: &str = "host";
/// Its country.
pub const COUNTRY: &str = "country";
/// When.
pub const WHEN: &str = "when";
/// What for.
pub const PURPOSE: &str = "for";
/// With which scopes.
pub const SCOPES: &str = "scopes";
/// For which audience.
pub const AUDIENCE: &str = "audience";

/// The sheet about a job.
#[must_use]
pub fn job_sheet(id: &CredentialId) -> Sheet {
    let lines = vec![
        Entry::text(WALL, "24h", "the wall time: 36h, 1d12h, 1-12:00:00"),
        Entry::text(WAIT, "", "the wait in the queue: 2h; empty: none"),
        Entry::text(EVERY, "", "how often the job takes one: 1h; empty: when one ends"),
    ];
    Sheet::new(Asks::Outlast(id.clone()), lines)
}

/// The sheet about another place.
#[must_use]
pub fn place_sheet(id: &CredentialId) -> Sheet {
    let uses = ["an access token", "another use: subtoken, list, history"].map(str::to_owned).to_vec();
    let lines = vec![
        Entry::text(ADDRESS, "", "as the server would see it: 134.94.7.20"),
        Entry::text(HOST, "", "what that address is called: login1.hpc.example"),
        Entry::text(COUNTRY, "", "two letters: DE"),
        Entry::text(WHEN, "", "2026-12-24 18:00, or in 3d; empty: now"),
        Entry::choice(PURPOSE, uses, "what it would be used for"),
        Entry::text(SCOPES, "", "those asked for; empty: whatever it gives"),
        Entry::text(AUDIENCE, "", "those asked for; empty: none"),
    ];
    Sheet::new(Asks::Elsewhere(id.clone()), lines)
}

/// Why a line cannot be read, or the answer.
pub type Answer<T> = Result<T, String>;

/// The answer of the sheet about a job.
///
/// # Errors
/// When a span cannot be read.
pub fn of_job(sheet: &Sheet, held: &Held, now: Timestamp) -> Answer<Outlast> {
    let read = |label: &str| match sheet.value(label) {
        "" => Ok(None),
        text => span::read(text).map(Some).ok_or_else(|| format!("{label}: a span is 90m, 36h or 1d12h")),
    };
    let wall = read(WALL)?.ok_or_else(|| format!("{WALL}: for how long does the job run?"))?;
    let job = Job { wall, wait: read(WAIT)?.unwrap_or_default(), every: read(EVERY)? };
    Ok(outlast(held, &job, now))
}

/// The answer of the sheet about another place; `None` for what is no mytoken.
///
/// # Errors
/// When a line cannot be read.
pub fn of_place(sheet: &Sheet, held: &Held, state: &State, now: Timestamp) -> Answer<Option<WouldWork>> {
    let Chain::Mytoken { facts, heard, .. } = &held.chain else { return Ok(None) };
    let address = match sheet.value(ADDRESS) {
        "" => None,
        text => Some(text.parse::<IpAddr>().map_err(|_| format!("{ADDRESS}: it is no IP address"))?),
    };
    let some = |label: &str| Some(sheet.value(label).to_owned()).filter(|text| !text.is_empty());
    let country = some(COUNTRY);
    if country.as_ref().is_some_and(|code| code.len() != 2 || !code.bytes().all(|b| b.is_ascii_alphabetic()))
    {
        return Err(format!("{COUNTRY}: it is two letters"));
    }
    let purpose = match sheet.choice(PURPOSE) {
        0 => Purpose::AccessToken { scopes: sheet.words(SCOPES), audiences: sheet.words(AUDIENCE) },
        _ => Purpose::Other,
    };
    let there =
        Elsewhere { address, host: some(HOST), country, at: moment(sheet.value(WHEN), state, now)?, purpose };
    Ok(Some(would_work(facts, heard.is_some(), &there)))
}

/// A moment as it is typed: `now`, in a span, or a day and a time in the zone on show.
fn moment(text: &str, state: &State, now: Timestamp) -> Answer<Timestamp> {
    let text = text.trim().trim_start_matches("in ").trim();
    if text.is_empty() || text == "now" {
        return Ok(now);
    }
    if let Some(span) = span::read(text) {
        return Ok(later(now, span));
    }
    let zone = if state.utc { jiff::tz::TimeZone::UTC } else { state.zone.clone() };
    let civil = text.replacen(' ', "T", 1).parse::<DateTime>();
    let zoned = civil.ok().and_then(|civil| civil.to_zoned(zone).ok());
    zoned.map(|zoned| zoned.timestamp()).ok_or_else(|| format!("{WHEN}: 2026-12-24 18:00, or a span: 3d"))
}

/// The sheet on show and what it is about.
fn on_show(state: &State) -> Option<(&Sheet, &Held)> {
    let Some(Overlay::Sheet(sheet)) = state.overlays.last() else { return None };
    match &sheet.asks {
        Asks::Outlast(id) | Asks::Elsewhere(id) | Asks::DrawWith(id) | Asks::HandOver(id) => {
            Some((sheet, state.held(id)?))
        }
        Asks::Redeem(_) => None,
    }
}

/// The numbers of a mytoken that would hold, where the one on show does not.
#[must_use]
pub fn that_holds(state: &State) -> Option<(&Held, Holds)> {
    let (sheet, held) = on_show(state)?;
    if !matches!(sheet.asks, Asks::Outlast(_)) {
        return None;
    }
    let answer = of_job(sheet, held, state.at).ok()?;
    answer.advice.into_iter().find_map(|advice| match advice {
        Advice::Make(holds) => Some((held, holds)),
        Advice::LogIn | Advice::AskServer | Advice::SayHowOften | Advice::WouldItWork => None,
    })
}

/// Whether Enter on the sheet about a job goes on to one that would hold.
pub(super) fn would_help(state: &State) -> bool {
    !state.seat.read_only && that_holds(state).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::sample::*;
    use crate::domain::outlast::State as Standing;

    fn filled(mut sheet: Sheet, lines: &[(&str, &str)]) -> Sheet {
        for (label, text) in lines {
            let entry = sheet.entries.iter_mut().find(|entry| entry.label == *label).expect("a line");
            *entry = Entry::text(entry.label, text, "");
        }
        sheet
    }

    #[test]
    fn the_sheet_about_a_job_answers_or_says_which_line_it_cannot_read() {
        let held = mytoken("toar", Some(600));
        let answer = |lines: &[(&str, &str)]| of_job(&filled(job_sheet(&held.id), lines), &held, now());
        assert_eq!(answer(&[(WALL, "2h")]).map(|it| it.answer()), Ok(Standing::Holds));
        let long = answer(&[(WALL, "10d"), (EVERY, "1h")]).expect("readable");
        assert!(matches!(long.answer(), Standing::Breaks(_)), "{long:?}");
        assert!(answer(&[(WALL, "soon")]).is_err_and(|why| why.starts_with(WALL)));
        assert!(answer(&[(WALL, "")]).is_err_and(|why| why.starts_with(WALL)));
        assert!(answer(&[(EVERY, "3")]).is_err_and(|why| why.starts_with(EVERY)));
    }

    #[test]
    fn the_sheet_about_another_place_reads_moments_and_refuses_what_is_no_address() {
        let held = mytoken("toar", None);
        let state = board(vec![held.clone()]);
        let answer = |lines: &[(&str, &str)]| {
            of_place(&filled(place_sheet(&held.id), lines), &held, &state, now())
                .map(|it| it.map(|it| it.would))
        };
        assert!(answer(&[]).is_ok_and(|would| would.is_some()));
        assert!(answer(&[(ADDRESS, "login1")]).is_err());
        assert!(answer(&[(COUNTRY, "Germany")]).is_err());
        let over = answer(&[(WHEN, "2099-01-01 12:00")]).expect("readable").expect("a mytoken");
        assert!(over.why().is_some_and(|why| why.contains("ended")), "{over:?}");
        assert_eq!(answer(&[(WHEN, "4d")]), answer(&[(WHEN, "in 4d")]));
    }
}
