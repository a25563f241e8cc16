//! The device authorization grant (RFC 8628): a code to type elsewhere, and polling that is never too early.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use tokio::time::{Instant, sleep_until};
use url::Url;

use super::client::{post, with_extra};
use super::code::Wish;
use super::discovery::{Metadata, needed};
use super::pkce::{self, Verifier};
use super::tokens::{TokenSet, seconds};
use super::{Cause, Error};
use crate::domain::secret::Secret;
use crate::domain::source::Client;
use crate::domain::time::later;
use crate::domain::untrusted::Untrusted;
use crate::http::{Http, host_of, is_allowed};

/// The grant's name at the token endpoint.
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// Where the server names no interval (RFC 8628 §3.2), and what `slow_down` adds (§3.5).
const FIVE: Duration = Duration::from_secs(5);
/// Where the server names no lifetime, although it must.
const USUAL_LIFE: Duration = Duration::from_secs(600);
/// Lifetimes and intervals are held below this.
const DAY: i64 = 86_400;
/// Trouble on the network spaces the polls out up to this, unless the interval or the server says more.
const MOST_BACK_OFF: Duration = Duration::from_secs(60);

/// A device login that has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    device_code: Secret,
    /// What the user is to type, or to compare.
    pub user_code: Untrusted,
    /// Where to type it: `https`, or on loopback. Its host is to be shown apart.
    pub verification: Url,
    /// The same with the code in it, on the same host: for a QR code. The code is still shown beside it (§3.3.1).
    pub verification_complete: Option<Url>,
    /// How long the code lives.
    pub lifetime: Duration,
    /// How long to wait between two polls.
    pub interval: Duration,
}

/// Begins a device login. The challenge is always sent: a client that requires PKCE requires it here too.
///
/// # Errors
/// [`Error::DeviceStart`].
pub async fn start(
    http: &Http,
    metadata: &Metadata,
    wish: Wish<'_>,
    verifier: &Verifier,
) -> Result<Started, Error> {
    let endpoint = needed(metadata.device.as_ref(), "login by device code").map_err(Error::DeviceStart)?;
    let (scope, challenge) = (wish.scopes.join(" "), verifier.challenge());
    let own = vec![
        ("scope", scope.as_str()),
        ("code_challenge", &challenge),
        ("code_challenge_method", pkce::METHOD),
    ];
    let answer = post(http, endpoint, wish.client, &with_extra(own, wish.extra))
        .await
        .map_err(|error| Error::DeviceStart(error.into()))?;
    match answer.json().filter(|_| answer.is_success()) {
        Some(Value::Object(fields)) if fields.contains_key("device_code") => {
            Started::read(fields).map_err(|why| Error::DeviceStart(Cause::Senseless(why)))
        }
        _ => Err(Error::DeviceStart(Cause::of(&answer, "it has no device code"))),
    }
}

impl Started {
    fn read(mut fields: Map<String, Value>) -> Result<Self, &'static str> {
        let Some(Value::String(device_code)) = fields.remove("device_code") else {
            return Err("its device code is no text");
        };
        let text = |names: &[&str]| {
            names.iter().find_map(|name| fields.get(*name)?.as_str()).filter(|text| !text.is_empty())
        };
        let user_code = text(&["user_code"]).ok_or("it has no user code")?;
        // Google says `url`.
        let verification = text(&["verification_uri", "verification_url"])
            .and_then(safe)
            .ok_or("it has no https address to type the code at")?;
        let complete = text(&["verification_uri_complete", "verification_url_complete"])
            .and_then(safe)
            .filter(|url| host_of(url) == host_of(&verification) && url.scheme() == verification.scheme());
        let span = |name: &str| {
            let value = fields.get(name).and_then(seconds).filter(|value| *value >= 0)?;
            Some(Duration::from_secs(value.min(DAY).unsigned_abs()))
        };
        Ok(Self {
            device_code: Secret::new(device_code),
            user_code: Untrusted::from(user_code),
            verification_complete: complete,
            verification,
            lifetime: span("expires_in").filter(|life| !life.is_zero()).unwrap_or(USUAL_LIFE),
            interval: span("interval").unwrap_or(FIVE).max(Duration::from_secs(1)),
        })
    }
}

/// An address that may be shown, opened and drawn as a QR code.
fn safe(text: &str) -> Option<Url> {
    Url::parse(text)
        .ok()
        .filter(|url| is_allowed(url) && url.username().is_empty() && url.password().is_none())
}

/// What one poll brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Poll {
    /// The user has not decided yet.
    Pending,
    /// The same, and we ask too often.
    SlowDown,
    /// Tokens. The device code is spent.
    Granted(Box<TokenSet>),
    /// The user said no.
    Denied,
    /// The server says that the code is too old.
    Expired,
    /// No answer, or another refusal. [`Schedule::heard`] knows which of them end the login.
    Failed(Error),
}

/// Asks once whether the user has decided. When to ask is [`Schedule`]'s to say. `extra` are more parameters, as at [`super::code::redeem`].
pub async fn poll_once(
    http: &Http,
    metadata: &Metadata,
    client: &Client,
    started: &Started,
    verifier: &Verifier,
    extra: &[(String, String)],
) -> Poll {
    let asked = async {
        let endpoint = needed(metadata.token.as_ref(), "token endpoint")?;
        let form = vec![
            ("grant_type", GRANT),
            ("device_code", started.device_code.expose()),
            ("code_verifier", verifier.expose()),
        ];
        TokenSet::of(&post(http, endpoint, client, &with_extra(form, extra)).await?)
    };
    Poll::of(asked.await)
}

impl Poll {
    fn of(asked: Result<TokenSet, Cause>) -> Self {
        match asked {
            Ok(granted) => Self::Granted(Box::new(granted)),
            Err(cause) if cause.says(&["authorization_pending"]) => Self::Pending,
            Err(cause) if cause.says(&["slow_down"]) => Self::SlowDown,
            // Microsoft says `authorization_declined`.
            Err(cause) if cause.says(&["access_denied", "authorization_declined"]) => Self::Denied,
            Err(cause) if cause.says(&["expired_token"]) => Self::Expired,
            Err(cause) => Self::Failed(Error::DevicePoll(cause)),
        }
    }
}

/// How a device login ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// With tokens.
    Granted(Box<TokenSet>),
    /// The user said no.
    Denied,
    /// Nobody decided in time.
    Expired,
    /// The code is spent, and an earlier poll got no answer: the tokens went astray with it.
    Lost,
    /// Something that waiting does not heal.
    Failed(Error),
}

/// When to poll next, and when no more.
#[derive(Clone, Debug)]
pub struct Schedule {
    interval: Duration,
    next: Instant,
    over: Instant,
    ends: Timestamp,
    asked: u32,
    troubles: u32,
    trouble: Option<Error>,
    unheard: bool,
}

impl Schedule {
    /// The schedule of a login that has just begun, at `now`.
    #[must_use]
    pub fn new(started: &Started, now: Timestamp) -> Self {
        let begun = Instant::now();
        let life = SignedDuration::try_from(started.lifetime).unwrap_or(SignedDuration::MAX);
        Self {
            interval: started.interval,
            next: begun + started.interval,
            over: begun + started.lifetime,
            ends: later(now, life),
            asked: 0,
            troubles: 0,
            trouble: None,
            unheard: false,
        }
    }

    /// Waits until the next poll is due; `false` when the code's life is over instead. May be dropped and called again.
    pub async fn turn(&mut self) -> bool {
        sleep_until(self.next.min(self.over)).await;
        let now = Instant::now();
        if now >= self.over {
            return false;
        }
        self.asked += 1;
        self.next = now + self.interval;
        true
    }

    /// Takes in what the poll brought; the end of the login, where it is one. To be called when the answer is there:
    /// the interval is counted from then, so that no slow request makes the next one early.
    pub fn heard(&mut self, poll: Poll, now: Timestamp) -> Option<End> {
        let mut wait = None;
        match poll {
            Poll::Granted(granted) => return Some(End::Granted(granted)),
            Poll::Denied => return Some(End::Denied),
            Poll::Expired => return Some(End::Expired),
            Poll::Pending => self.calm(),
            Poll::SlowDown => {
                self.calm();
                self.interval += FIVE;
            }
            Poll::Failed(error) if error.is_temporary() => wait = Some(self.troubled(error)),
            Poll::Failed(error) => return Some(self.end_of(error, now)),
        }
        self.next = Instant::now() + wait.unwrap_or(self.interval).max(self.interval);
        None
    }

    fn calm(&mut self) {
        (self.troubles, self.trouble) = (0, None);
    }

    /// How long to wait after trouble: twice as long each time.
    fn troubled(&mut self, error: Error) -> Duration {
        self.troubles += 1;
        self.unheard |= error.may_have_acted();
        let doubled = self.interval.saturating_mul(1 << self.troubles.min(10)).min(MOST_BACK_OFF);
        let asked_for = error.retry_after().unwrap_or_default();
        self.trouble = Some(error);
        doubled.max(asked_for)
    }

    /// Keycloak calls a code that ended a while ago, or was spent, simply "not valid". The wall clock counts here too:
    /// a laptop may have slept.
    fn end_of(&self, error: Error, now: Timestamp) -> End {
        let is_unknown = error.cause().is_some_and(|cause| cause.says(&["invalid_grant"]));
        if is_unknown && (Instant::now() >= self.over || now >= self.ends) {
            End::Expired
        } else if is_unknown && self.unheard {
            End::Lost
        } else {
            End::Failed(error)
        }
    }

    /// How often was asked.
    #[must_use]
    pub fn asked(&self) -> u32 {
        self.asked
    }

    /// How long until the next poll.
    #[must_use]
    pub fn next_in(&self) -> Duration {
        self.next.saturating_duration_since(Instant::now())
    }

    /// When the code ends, by our clock.
    #[must_use]
    pub fn ends(&self) -> Timestamp {
        self.ends
    }

    /// What the last poll met, while it is only trouble on the way.
    #[must_use]
    pub fn trouble(&self) -> Option<&Error> {
        self.trouble.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    use serde_json::json;

    use super::*;
    use crate::domain::time::from_epoch;
    use crate::http::{self, Refusal};

    fn read(more: &Value) -> Result<Started, &'static str> {
        let mut fields = json!({"device_code": "dc", "user_code": "MGJN-RPSU",
            "verification_uri": "https://op.example.org/device"});
        for (name, value) in more.as_object().expect("fields") {
            fields[name] = value.clone();
        }
        Started::read(fields.as_object().expect("fields").clone())
    }

    fn refused(status: u16, error: &str) -> Poll {
        let refusal = Refusal { status, error: error.into(), description: None, retry_after: None };
        Poll::of(Err(Cause::Refused(refusal)))
    }

    fn silence() -> Poll {
        Poll::of(Err(http::Error::TimedOut { host: "op".to_owned(), seconds: 20 }.into()))
    }

    #[test]
    fn missing_and_odd_numbers_get_the_standard_s_values() {
        let table = [
            (json!({}), (600, 5)),
            (json!({"expires_in": 300, "interval": 1}), (300, 1)),
            (json!({"expires_in": "300", "interval": "7"}), (300, 7)),
            (json!({"expires_in": 0, "interval": 0}), (600, 1)),
            (json!({"expires_in": -1, "interval": -1}), (600, 5)),
            (json!({"expires_in": 1e18, "interval": null}), (86_400, 5)),
        ];
        for (more, expected) in table {
            let started = read(&more).expect("started");
            assert_eq!((started.lifetime.as_secs(), started.interval.as_secs()), expected, "{more}");
        }
    }

    #[test]
    fn only_a_safe_address_is_shown_and_only_one_of_the_same_host_becomes_a_qr_code() {
        for address in
            ["http://op.example.org/device", "javascript:alert(1)", "https://a@op.example.org/", "device", ""]
        {
            assert!(read(&json!({"verification_uri": address})).is_err(), "{address}");
        }
        let google = json!({"verification_uri": null, "verification_url": "https://op.example.org/d"});
        assert_eq!(read(&google).expect("started").verification.path(), "/d");
        let complete = |address: &str| {
            read(&json!({"verification_uri_complete": address})).expect("started").verification_complete
        };
        assert!(complete("https://op.example.org/device?user_code=MGJN-RPSU").is_some());
        for address in
            ["https://evil.example.org/device?user_code=MGJN-RPSU", "http://op.example.org/", "data:x"]
        {
            assert_eq!(complete(address), None, "{address}");
        }
    }

    #[test]
    fn the_answers_to_a_poll_are_told_apart_whatever_their_status() {
        for status in [200, 400, 401, 403, 428, 429] {
            assert_eq!(refused(status, "authorization_pending"), Poll::Pending);
            assert_eq!(refused(status, "slow_down"), Poll::SlowDown);
            assert_eq!(refused(status, "access_denied"), Poll::Denied);
            assert_eq!(refused(status, "expired_token"), Poll::Expired);
            assert!(matches!(refused(status, "invalid_grant"), Poll::Failed(_)));
        }
    }

    fn begun(lifetime: u64, interval: u64) -> Schedule {
        let started = read(&json!({"expires_in": lifetime, "interval": interval})).expect("started");
        Schedule::new(&started, from_epoch(1_800_000_000))
    }

    #[tokio::test(start_paused = true)]
    async fn a_code_that_is_not_valid_means_expired_after_its_end_lost_after_silence_and_else_a_failure() {
        let not_valid = || refused(400, "invalid_grant");
        let now = from_epoch(1_800_000_010);
        assert!(matches!(begun(600, 5).heard(not_valid(), now), Some(End::Failed(_))));
        let slept = from_epoch(1_800_000_601);
        assert_eq!(begun(600, 5).heard(not_valid(), slept), Some(End::Expired));
        let mut schedule = begun(600, 5);
        assert_eq!(schedule.heard(silence(), now), None);
        assert_eq!(schedule.heard(not_valid(), now), Some(End::Lost));
        let mut schedule = begun(3, 5);
        assert!(!schedule.turn().await);
        assert_eq!(schedule.heard(not_valid(), now), Some(End::Expired));
    }

    #[tokio::test(start_paused = true)]
    async fn slow_down_adds_five_seconds_for_good_and_trouble_only_for_a_while() {
        let (mut schedule, now) = (begun(6000, 2), from_epoch(1_800_000_000));
        let mut waits = Vec::new();
        let polls = [
            Poll::Pending,
            Poll::SlowDown,
            Poll::Pending,
            silence(),
            silence(),
            silence(),
            silence(),
            Poll::Pending,
            Poll::SlowDown,
        ];
        for poll in polls {
            assert_eq!(schedule.heard(poll, now), None);
            waits.push(schedule.next_in().as_secs());
        }
        assert_eq!(waits, [2, 7, 7, 14, 28, 56, 60, 7, 12]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_names_a_time_to_wait_is_obeyed() {
        let (mut schedule, now) = (begun(6000, 2), from_epoch(1_800_000_000));
        let refusal = Refusal {
            status: 429,
            error: Untrusted::default(),
            description: None,
            retry_after: Some(Duration::from_secs(90)),
        };
        assert_eq!(schedule.heard(Poll::of(Err(Cause::Refused(refusal))), now), None);
        assert_eq!(schedule.next_in().as_secs(), 90);
        assert!(schedule.trouble().is_some());
    }

    /// A server's life, interval, and at each poll how long its answer takes and what it is.
    fn session() -> impl Strategy<Value = (u64, u64, Vec<(u64, u8)>)> {
        (1_u64..900, 0_u64..30, proptest::collection::vec((0_u64..8000, 0_u8..40), 1..60))
    }

    /// An answer, and how it ends a session whose earlier answers were all heard, or not.
    fn answer(mood: u8) -> (Poll, fn(unheard: bool) -> Option<&'static str>) {
        match mood {
            0..4 => (Poll::SlowDown, |_| None),
            4..7 => (silence(), |_| None),
            7..9 => (refused(503, ""), |_| None),
            9 => (refused(429, "rate_limited"), |_| None),
            10 => (granted(), |_| Some("granted")),
            11 => (Poll::Denied, |_| Some("denied")),
            12 => (Poll::Expired, |_| Some("expired")),
            13 => (refused(401, "invalid_client"), |_| Some("failed")),
            14 => (refused(400, "invalid_grant"), |unheard| Some(if unheard { "lost" } else { "failed" })),
            _ => (Poll::Pending, |_| None),
        }
    }

    fn granted() -> Poll {
        Poll::Granted(Box::new(TokenSet {
            access: Secret::new("at-1"),
            token_type: "Bearer".into(),
            expires_in: None,
            granted: None,
            refresh: None,
            refresh_expires_in: None,
            id_token: None,
            date: None,
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn in_five_hundred_random_sessions_no_poll_is_early_and_each_ends_rightly() {
        let mut runner = TestRunner::deterministic();
        let mut ends = std::collections::BTreeMap::new();
        for number in 0..500 {
            let (lifetime, interval, moods) = session().new_tree(&mut runner).expect("a session").current();
            let (mut schedule, begun) = (begun(lifetime, interval), Instant::now());
            let (mut allowed, mut earliest) = (interval.max(1), begun + Duration::from_secs(interval.max(1)));
            let (mut moods, mut unheard, mut answered) = (moods.into_iter().cycle(), false, begun);
            let (ended, due) = loop {
                if !schedule.turn().await {
                    break (None, None);
                }
                assert!(Instant::now() >= earliest, "an early poll in session {number}");
                let (delay, mood) = moods.next().expect("endless");
                tokio::time::sleep(Duration::from_millis(delay)).await;
                let (poll, ends) = answer(mood);
                allowed += if poll == Poll::SlowDown { 5 } else { 0 };
                let over = Instant::now() >= begun + Duration::from_secs(lifetime);
                // A code that is "not valid" when its time is over has simply ended (real-parts.md §2.8).
                let due = if over && mood == 14 { Some("expired") } else { ends(unheard) };
                unheard |= (4..9).contains(&mood);
                answered = Instant::now();
                earliest = answered + Duration::from_secs(allowed);
                let ended = schedule.heard(poll, from_epoch(1_800_000_000));
                if ended.is_some() || due.is_some() {
                    break (ended, due);
                }
            };
            let called = ended.as_ref().map(|end| match end {
                End::Granted(_) => "granted",
                End::Denied => "denied",
                End::Expired => "expired",
                End::Lost => "lost",
                End::Failed(_) => "failed",
            });
            assert_eq!(called, due, "session {number}");
            if ended.is_none() {
                let over = (begun + Duration::from_secs(lifetime)).max(answered);
                assert!((over..over + Duration::from_secs(1)).contains(&Instant::now()), "session {number}");
            }
            *ends.entry(called.unwrap_or("nobody decided")).or_insert(0) += 1;
        }
        assert_eq!(ends.len(), 6, "every end is among them: {ends:?}");
    }
}
