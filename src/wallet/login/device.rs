//! The device route of a login: when to ask, the question that is under way, and what its end means.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::race::Race;
use crate::domain::failure::{Failure, Kind};
use crate::domain::login::Polled;
use crate::domain::time::later;
use crate::domain::untrusted::Untrusted;
use crate::http::Http;
use crate::oidc::Error;
use crate::oidc::device::{self, End, Poll, Schedule, Started};
use crate::oidc::tokens::TokenSet;

/// The route while it is open.
pub(super) struct Device {
    started: Started,
    schedule: Schedule,
    /// Never dropped: its answer may be the one with the tokens.
    under_way: Option<Pin<Box<dyn Future<Output = Poll> + Send>>>,
}

/// What happens next on this route.
pub(super) enum Turn {
    /// A question is due.
    Due,
    /// A question was answered.
    Heard(Poll),
    /// The code has ended.
    Over,
}

impl Device {
    pub(super) async fn open(race: &Race<'_>, http: &Http, now: Timestamp) -> Result<Self, Error> {
        let started = device::start(http, &race.metadata, race.wish(), &race.attempt.verifier).await?;
        Ok(Self { schedule: Schedule::new(&started, now), started, under_way: None })
    }

    /// Waits for what happens next. May be dropped and called again.
    pub(super) async fn turn(&mut self) -> Turn {
        if let Some(poll) = &mut self.under_way {
            let heard = poll.await;
            self.under_way = None;
            return Turn::Heard(heard);
        }
        if self.schedule.turn().await { Turn::Due } else { Turn::Over }
    }

    /// Asks. The answer comes as a [`Turn::Heard`].
    pub(super) fn ask(&mut self, race: &Race<'_>, http: &Arc<Http>) {
        let (http, metadata) = (Arc::clone(http), Arc::clone(&race.metadata));
        let (client, started) = (race.client.clone(), self.started.clone());
        let (verifier, resources) = (race.attempt.verifier.clone(), race.resources());
        self.under_way = Some(Box::pin(async move {
            device::poll_once(&http, &metadata, &client, &started, &verifier, &resources).await
        }));
    }

    /// Takes an answer in; the end of the route, where it is one.
    pub(super) fn heard(&mut self, poll: Poll, now: Timestamp) -> Option<End> {
        self.schedule.heard(poll, now)
    }

    /// Asks no more; the tokens of a question that is under way, if it brings some.
    pub(super) async fn close(self) -> Option<Box<TokenSet>> {
        match self.under_way?.await {
            Poll::Granted(set) => Some(set),
            Poll::Pending | Poll::SlowDown | Poll::Denied | Poll::Expired | Poll::Failed(_) => None,
        }
    }

    /// How long the code lives from its start.
    pub(super) fn lifetime(&self) -> SignedDuration {
        span(self.started.lifetime)
    }

    /// How it stands in the panel.
    pub(super) fn shown(&self, now: Timestamp) -> Polled {
        let started = &self.started;
        let complete = started.verification_complete.as_ref();
        Polled {
            address: Untrusted::from(started.verification.as_str()),
            complete: complete.map(|url| Untrusted::from(url.as_str())),
            code: Some(started.user_code.clone()),
            asked: self.schedule.asked(),
            next: self.under_way.is_none().then(|| later(now, span(self.schedule.next_in()))),
            ends: self.schedule.ends(),
            trouble: self.schedule.trouble().map(|error| format!("{error}; asking again")),
        }
    }
}

fn span(span: Duration) -> SignedDuration {
    SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX)
}

/// What the end of the route means where no tokens came, and whether it ends the whole login: a user who has said no has
/// said it on every route.
pub(super) fn ended(race: &Race<'_>, end: End) -> Result<Box<TokenSet>, (Failure, bool)> {
    let failed = |why: &str, hint: &str| Failure::new(Kind::Failed, race.doing, why).hint(hint);
    Err(match end {
        End::Granted(set) => return Ok(set),
        End::Denied => {
            let hint = "Nothing was granted. Start again if that was a mistake.";
            (failed("the sign-in was refused on the other device", hint), true)
        }
        End::Expired => (failed("the code ended before anybody signed in", "Start again."), false),
        End::Lost => {
            let why = "the sign-in was done, and the answer with the tokens did not arrive";
            (failed(why, "Start again."), true)
        }
        End::Failed(error) => (race.failed(&error), false),
    })
}
