//! A giver that was asked in vain is left alone for a while: for as long as it says, else a second, two, four, … up to five
//! minutes. The pause is kept with the credential, so that scripts hold to what another one was told.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::domain::credential::{Credential, Pause};
use crate::domain::failure::{Failure, Kind};
use crate::domain::time::later;
use crate::{http, mytoken, oidc};

/// The first pause of ours.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause of ours.
const LONGEST: Duration = Duration::from_secs(300);
/// The longest pause that a server gets by asking for it.
const LONGEST_ASKED: Duration = Duration::from_secs(3600);

/// An answer for which the same request is worth another try later.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct InVain {
    asked: Option<Duration>,
    why: String,
}

impl InVain {
    /// Whether this failure of a provider passes; `None`: waiting does not help.
    pub(super) fn of_provider(error: &oidc::Error) -> Option<Self> {
        error.is_temporary().then(|| {
            let why = match error.cause() {
                Some(oidc::Cause::Unanswered(error)) => unanswered(error).to_owned(),
                Some(oidc::Cause::Refused(refusal)) => refusal.status.to_string(),
                Some(oidc::Cause::Senseless(_) | oidc::Cause::NotOffered(_)) | None => NO_TOKEN.to_owned(),
            };
            Self { asked: error.retry_after(), why }
        })
    }

    /// Whether this failure of a mytoken server passes.
    pub(super) fn of_server(error: &mytoken::Error) -> Option<Self> {
        let (asked, why) = match error {
            mytoken::Error::NoAnswer(error) if error.is_temporary() => (None, unanswered(error).to_owned()),
            // Every further try would cost a use.
            mytoken::Error::NoAccessToken | mytoken::Error::Unreadable(_) => (None, NO_TOKEN.to_owned()),
            mytoken::Error::Refused(mytoken::No::RateLimited { retry_after }) => {
                (*retry_after, "429".to_owned())
            }
            mytoken::Error::Refused(mytoken::No::ServerBroke { status, .. }) => (None, status.to_string()),
            mytoken::Error::NotAServer { status, .. } if matches!(status, 429 | 500..=599) => {
                (None, status.to_string())
            }
            _ => return None,
        };
        Some(Self { asked, why })
    }

    /// The pause that follows, after those before it.
    pub(super) fn pause(self, credential: &Credential, now: Timestamp) -> Pause {
        let tries = credential.pause.as_ref().map_or(0, |pause| pause.tries).saturating_add(1);
        let wait = match self.asked.filter(|asked| !asked.is_zero()) {
            Some(asked) => asked.min(LONGEST_ASKED),
            None => spread(&credential.id.0, tries),
        };
        let until = later(now, SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX));
        Pause { until, tries, why: self.why }
    }
}

const NO_TOKEN: &str = "no token in the answer";

fn unanswered(error: &http::Error) -> &'static str {
    match error {
        http::Error::TimedOut { .. } | http::Error::Broken { .. } => "no answer",
        _ => "not reached",
    }
}

/// Twice as long with every try, and between half and all of that, so that many who were sent away together do not come
/// back together. The same for the same credential and try: no chance in it.
fn spread(id: &str, tries: u32) -> Duration {
    let whole =
        FIRST.saturating_mul(1_u32.checked_shl(tries.saturating_sub(1)).unwrap_or(u32::MAX)).min(LONGEST);
    let mut hasher = DefaultHasher::new();
    (id, tries).hash(&mut hasher);
    let share = u32::try_from(hasher.finish() % 501).unwrap_or_default();
    whole * (500 + share) / 1000
}

/// Until when its giver is to be left alone, where that is not over.
pub(super) fn standing(credential: &Credential, now: Timestamp) -> Option<&Pause> {
    credential.pause.as_ref().filter(|pause| pause.until > now)
}

/// The pause in words.
pub(super) fn words(pause: &Pause, now: Timestamp) -> String {
    let left = pause.until.duration_since(now);
    let seconds = left.as_secs() + i64::from(left.subsec_nanos() > 0);
    format!("asked to wait until {} UTC ({seconds} s), {}", pause.until.strftime("%H:%M:%S"), pause.why)
}

/// Nothing was sent.
pub(super) fn failure(doing: &str, pause: &Pause, now: Timestamp) -> Failure {
    Failure::new(Kind::Unreached, doing, words(pause, now))
        .hint("Nothing was sent, and nothing is lost. Wait, or insist to ask now.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::from_epoch;

    #[test]
    fn pauses_double_from_a_second_to_five_minutes_and_are_spread() {
        let waits: Vec<u128> = (1..=40).map(|tries| spread("c", tries).as_millis()).collect();
        for (wait, whole) in
            waits.iter().zip([1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 256_000])
        {
            assert!((whole / 2..=whole).contains(wait), "{wait} of {whole}");
        }
        assert!(waits.iter().skip(9).all(|wait| (150_000..=300_000).contains(wait)), "{waits:?}");
        let of = |id: &str| spread(id, 12);
        let all: std::collections::BTreeSet<_> = (0..100).map(|n| of(&format!("c{n}"))).collect();
        assert!(all.len() > 80, "{} of 100", all.len());
        assert_eq!(of("c"), of("c"));
    }

    #[test]
    fn a_pause_says_until_when_and_why() {
        let now = from_epoch(1_800_000_000);
        let pause =
            Pause { until: later(now, SignedDuration::from_millis(11_500)), tries: 1, why: "429".to_owned() };
        assert_eq!(words(&pause, now), "asked to wait until 08:00:11 UTC (12 s), 429");
    }
}
