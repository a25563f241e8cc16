//! Waiting for the user to agree: one question, when to ask the next, and when to stop (mytoken-api.md §2.3.3).

use std::future::Future;
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use super::consent::Consent;
use super::discovery::Server;
use super::reply::{self, Issued};
use super::subtoken::Made;
use super::transfer::Coded;
use super::{Error, No};
use crate::http::{self, Answer, Body, Credentials, Http};

/// After trouble the next question waits twice as long, up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What one question brought.
#[derive(Clone, Debug, PartialEq)]
pub enum Poll {
    /// The user is not done yet. A login that failed at the provider's token endpoint stays like this, too (§12.35).
    Pending,
    /// Here it is. The server will not give it a second time: save it first.
    Granted(Box<Issued>),
    /// A code for it, because the order asked for one. Nor will the server give that a second time.
    Code(Box<Coded>),
    /// It was given, and what came cannot be read: the mytoken exists and is lost.
    Lost,
    /// The user declined.
    Declined,
    /// The code is too old.
    Expired,
    /// The login failed, or its mytoken was collected already: by an answer that did not arrive, or by somebody else.
    Gone,
    /// Too many requests.
    RateLimited(Duration),
    /// No answer, or a server that failed: the login may go on all the same.
    Trouble(Error),
    /// A refusal that asking again will not change.
    Refused(No),
}

#[derive(Serialize)]
struct Question<'a> {
    grant_type: &'static str,
    polling_code: &'a str,
}

/// Asks once whether the user has agreed.
pub async fn poll_once(http: &Http, server: &Server, consent: &Consent) -> Poll {
    let question =
        Question { grant_type: "polling_code", polling_code: reply::trimmed(&consent.polling_code) };
    let body: Body = reply::body_of(&question);
    match http.post_for_token(&server.mytoken, &Credentials::None, &body).await {
        Ok(answer) if answer.is_success() => granted(&answer),
        Ok(answer) => refused(No::of(&answer), consent.interval),
        Err(error) => Poll::Trouble(error.into()),
    }
}

fn granted(answer: &Answer) -> Poll {
    let content = reply::content(answer.bytes());
    match Made::of(answer, content.as_ref().and_then(reply::Wiped::object)) {
        Some(Made::Mytoken(issued)) => Poll::Granted(issued),
        Some(Made::Code(coded)) => Poll::Code(coded),
        None => Poll::Lost,
    }
}

fn refused(no: No, interval: Duration) -> Poll {
    match no {
        No::Pending => Poll::Pending,
        No::AccessDenied => Poll::Declined,
        No::ExpiredCode => Poll::Expired,
        No::BadCode | No::InvalidToken(_) => Poll::Gone,
        No::RateLimited { retry_after } => Poll::RateLimited(retry_after.unwrap_or(interval * 2)),
        No::ServerBroke { .. } => Poll::Trouble(no.into()),
        No::LacksCapability
        | No::UsageRestricted
        | No::Provider { .. }
        | No::NoRefreshToken
        | No::OldCopy
        | No::UnknownProvider
        | No::UnknownTemplate(_)
        | No::AlreadyEnded
        | No::NothingAllowed
        | No::NotYours
        | No::NotOffered
        | No::Malformed { .. }
        | No::Unexpected { .. } => Poll::Refused(no),
    }
}

/// How the waiting ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// With a mytoken: save it first, then show what was finally granted.
    Granted(Box<Issued>),
    /// With a code for it, because the order asked for one.
    Code(Box<Coded>),
    /// The mytoken was made, and its answer cannot be read. Another mytoken may list and revoke it.
    Lost,
    /// The user declined.
    Declined,
    /// The time was up. The browser may show why: a failed login looks like one that nobody finished.
    TimedOut,
    /// The login failed at the provider.
    Failed,
    /// The code is used up after a question whose answer did not arrive: the mytoken may have been in that answer.
    PerhapsLost,
    /// The server refused to answer.
    Refused(No),
    /// The caller stopped it. There is no way to tell the server: whoever still agrees makes a mytoken that nobody fetches.
    Stopped,
}

/// When to ask next. Knows no clock and no network: it is told what each question brought.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    interval: Duration,
    in_trouble: u32,
    /// Whether an answer went missing: it may have been the one with the mytoken.
    missed: bool,
}

/// What to do after a question.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Ask again after this long.
    Ask(Duration),
    /// Stop.
    Stop(End),
}

impl Schedule {
    /// Starts with the interval the server wants.
    #[must_use]
    pub fn new(interval: Duration) -> Self {
        Self { interval, in_trouble: 0, missed: false }
    }

    /// The pause before the first question: nobody agrees in less.
    #[must_use]
    pub fn first(&self) -> Duration {
        self.interval
    }

    /// What to do after this answer.
    pub fn after(&mut self, poll: Poll) -> Next {
        if let Poll::Trouble(error) = &poll {
            self.missed |= !matches!(error, Error::NoAnswer(http::Error::Unreachable { .. }));
            self.in_trouble = self.in_trouble.saturating_add(1);
            let longest = LONGEST_PAUSE.max(self.interval);
            return Next::Ask((self.interval * 2_u32.saturating_pow(self.in_trouble.min(4))).min(longest));
        }
        self.in_trouble = 0;
        let end = match poll {
            Poll::Pending | Poll::Trouble(_) => {
                // Whatever went missing was not the mytoken.
                self.missed = false;
                return Next::Ask(self.interval);
            }
            Poll::RateLimited(pause) => return Next::Ask(pause.max(self.interval)),
            Poll::Granted(issued) => End::Granted(issued),
            Poll::Code(coded) => End::Code(coded),
            Poll::Lost => End::Lost,
            Poll::Declined => End::Declined,
            Poll::Expired => End::TimedOut,
            Poll::Gone if self.missed => End::PerhapsLost,
            Poll::Gone => End::Failed,
            Poll::Refused(no) => End::Refused(no),
        };
        Next::Stop(end)
    }
}

/// Asks until there is an end: the server's, ours when `consent.expires_in` is over, or `stop`.
///
/// `stop` is heard between two questions only: an answer on its way may be the one with the mytoken. Dropping
/// this future instead can lose it. `heard` is told what each question brought.
pub async fn wait(
    http: &Http,
    server: &Server,
    consent: &Consent,
    stop: impl Future<Output = ()>,
    mut heard: impl FnMut(&Poll),
) -> End {
    let deadline = Instant::now() + consent.expires_in;
    let mut schedule = Schedule::new(consent.interval);
    let mut pause = schedule.first();
    tokio::pin!(stop);
    loop {
        let at = Instant::now() + pause;
        // The last question is asked when the time is up: who agrees in the last seconds is heard.
        let last = at >= deadline;
        tokio::select! {
            biased;
            () = &mut stop => return End::Stopped,
            () = tokio::time::sleep_until(at.min(deadline)) => {}
        }
        let poll = poll_once(http, server, consent).await;
        heard(&poll);
        match schedule.after(poll) {
            Next::Stop(end) => return end,
            Next::Ask(_) if last => return End::TimedOut,
            Next::Ask(next) => pause = next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(span: u64) -> Duration {
        Duration::from_secs(span)
    }

    fn timeout() -> Poll {
        let error = http::Error::TimedOut { host: "h".to_owned(), seconds: 10 };
        Poll::Trouble(Error::NoAnswer(error))
    }

    #[test]
    fn trouble_slows_the_questions_down_and_a_good_answer_speeds_them_up_again() {
        let mut schedule = Schedule::new(seconds(5));
        let pauses: Vec<_> = [
            timeout(),
            timeout(),
            timeout(),
            timeout(),
            Poll::Pending,
            timeout(),
            Poll::RateLimited(seconds(300)),
        ]
        .map(|poll| schedule.after(poll))
        .into();
        assert_eq!(pauses, [10, 20, 30, 30, 5, 10, 300].map(|pause| Next::Ask(seconds(pause))));
    }

    #[test]
    fn a_used_up_code_means_a_failed_login_unless_an_answer_went_missing() {
        let gone = |schedule: &mut Schedule| schedule.after(Poll::Gone);
        assert_eq!(gone(&mut Schedule::new(seconds(5))), Next::Stop(End::Failed));

        let mut unreachable = Schedule::new(seconds(5));
        let error = http::Error::Unreachable { host: "h".to_owned(), why: "refused".to_owned() };
        let _ = unreachable.after(Poll::Trouble(Error::NoAnswer(error)));
        assert_eq!(gone(&mut unreachable), Next::Stop(End::Failed));

        let mut missed = Schedule::new(seconds(5));
        let _ = missed.after(timeout());
        assert_eq!(gone(&mut missed), Next::Stop(End::PerhapsLost));

        let mut pending_since = Schedule::new(seconds(5));
        let _ = pending_since.after(timeout());
        let _ = pending_since.after(Poll::Pending);
        assert_eq!(gone(&mut pending_since), Next::Stop(End::Failed));
    }

    #[test]
    fn every_refusal_of_a_poll_is_an_end_or_a_pause() {
        let five = seconds(5);
        let table = [
            (No::Pending, Poll::Pending),
            (No::AccessDenied, Poll::Declined),
            (No::ExpiredCode, Poll::Expired),
            (No::BadCode, Poll::Gone),
            (No::RateLimited { retry_after: None }, Poll::RateLimited(seconds(10))),
            (No::RateLimited { retry_after: Some(seconds(300)) }, Poll::RateLimited(seconds(300))),
            (No::NotOffered, Poll::Refused(No::NotOffered)),
        ];
        for (no, poll) in table {
            assert_eq!(refused(no, five), poll);
        }
    }
}
