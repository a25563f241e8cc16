//! How much a mytoken server still takes from us, and until when it wants to be left alone: its own words, kept for this process.
//!
//! A server counts by address and over all its paths (mytoken-api.md §2.1.6), so one refusal holds for every verb. Nothing is tried
//! again by itself.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Wallet;
use super::servers::{locked, plain};
use crate::domain::limit::Allowance;
use crate::domain::source::{SourceId, SourceKind};
use crate::domain::time::later;
use crate::mytoken::{Error, No, Reply};

/// The pause where a server says 429 and not for how long.
const UNSAID: Duration = Duration::from_secs(30);
/// The longest pause that a server gets by asking for it; also what is believed of one that a clock set back has made longer.
const LONGEST: SignedDuration = SignedDuration::from_hours(1);

/// What a server has told last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    allowance: Option<(Allowance, Timestamp)>,
    wait_until: Option<Timestamp>,
}

impl Wallet {
    /// What the mytoken server of this row leaves of its limit on requests, and when it said so. All users behind one address share it.
    #[must_use]
    pub fn allowance(&self, source: &SourceId) -> Option<(Allowance, Timestamp)> {
        self.told(&self.address_behind(source)?).allowance
    }

    /// Until when the mytoken server of this row wants to be left alone, where that is not over.
    #[must_use]
    pub fn told_to_wait(&self, source: &SourceId) -> Option<Timestamp> {
        self.waits(&self.address_behind(source)?)
    }

    /// The address of the mytoken server of this row; of a profile that of its server.
    pub(super) fn address_behind(&self, source: &SourceId) -> Option<String> {
        let server = match self.source(source)?.kind {
            SourceKind::Server(server) => return Some(server.address),
            SourceKind::Profile(profile) => self.source(&profile.server)?,
            SourceKind::Issuer(_) => return None,
        };
        match server.kind {
            SourceKind::Server(server) => Some(server.address),
            SourceKind::Issuer(_) | SourceKind::Profile(_) => None,
        }
    }

    /// Remembers what an answer said about how much may be asked.
    pub(super) fn heed<T>(&self, server: &str, reply: &Reply<T>) {
        if let Some(allowance) = reply.allowance {
            let now = self.now();
            locked(&self.servers.limits).entry(plain(server)).or_default().allowance = Some((allowance, now));
        }
        if let Err(error) = &reply.outcome {
            self.heed_refusal(server, error);
        }
    }

    /// Remembers that a server wants to be left alone.
    pub(super) fn heed_refusal(&self, server: &str, error: &Error) {
        let Error::Refused(No::RateLimited { retry_after }) = error else { return };
        let wait = SignedDuration::try_from(retry_after.unwrap_or(UNSAID)).unwrap_or(LONGEST).min(LONGEST);
        let until = later(self.now(), wait);
        locked(&self.servers.limits).entry(plain(server)).or_default().wait_until = Some(until);
    }

    /// Whether this server may be asked now.
    ///
    /// # Errors
    /// As if it had just said so again: nothing is sent.
    pub(super) fn may_ask(&self, server: &str) -> Result<(), Error> {
        let Some(until) = self.waits(server) else { return Ok(()) };
        let left = until.duration_since(self.now());
        let seconds = u64::try_from(left.as_secs()).unwrap_or(0) + u64::from(left.subsec_nanos() > 0);
        Err(No::RateLimited { retry_after: Some(Duration::from_secs(seconds)) }.into())
    }

    fn waits(&self, server: &str) -> Option<Timestamp> {
        let now = self.now();
        self.told(server).wait_until.filter(|until| *until > now && until.duration_since(now) <= LONGEST)
    }

    fn told(&self, server: &str) -> Told {
        locked(&self.servers.limits).get(&plain(server)).copied().unwrap_or_default()
    }
}
