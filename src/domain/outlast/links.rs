//! What every job hangs on: the access token, the login behind it, and what is known against it.

use jiff::{SignedDuration, Timestamp};

use super::draws::Draws;
use super::{Job, Kind, Link, State, end_of, mytoken, usual_life};
use crate::domain::credential::{Chain, ChainEnd, Health, Held};
use crate::domain::elsewhere::is_silent;
use crate::domain::mytoken::Facts;
use crate::domain::span::words;
use crate::domain::time::later;

/// Shorter than this before its end, a job takes the next access token.
const AHEAD: SignedDuration = SignedDuration::from_secs(60);

/// Everything that is asked, worked out once.
pub(super) struct Case<'a> {
    pub(super) held: &'a Held,
    pub(super) now: Timestamp,
    pub(super) start: Timestamp,
    pub(super) until: Timestamp,
    pub(super) wall: SignedDuration,
    /// How long an access token lives.
    life: Option<SignedDuration>,
    /// How often one is drawn.
    pub(super) every: Option<SignedDuration>,
    pub(super) draws: Draws,
    pub(super) facts: Option<&'a Facts>,
    pub(super) heard: bool,
    /// The access token held now is enough.
    alone: bool,
}

impl<'a> Case<'a> {
    pub(super) fn of(held: &'a Held, job: &Job, now: Timestamp) -> Self {
        let start = later(now, job.wait.max(SignedDuration::ZERO));
        let (until, life) = (end_of(start, job.wall), usual_life(held));
        let asked = job.every.filter(|every| *every > SignedDuration::ZERO);
        let every = asked.or_else(|| life.map(ahead_of));
        let (facts, heard) = mytoken(held);
        Self {
            held,
            now,
            start,
            until,
            wall: until.duration_since(start),
            life,
            every,
            // Without a distance every second counts: then only times are weighed, not numbers.
            draws: Draws::new(
                start,
                until.duration_since(start),
                every.unwrap_or(SignedDuration::from_secs(1)),
            ),
            facts,
            heard,
            alone: asked.is_none()
                && held.chief().and_then(|access| access.expires).is_some_and(|end| end >= until),
        }
    }

    /// How many access tokens the job takes.
    pub(super) fn needs(&self) -> Option<u64> {
        self.every.map(|_| self.draws.count)
    }

    pub(super) fn links(&self) -> Vec<Link> {
        let mut links = vec![self.access_token()];
        match &self.held.chain {
            Chain::None => {}
            Chain::Refresh { ends, session_only, .. } => links.push(self.login(*ends, *session_only)),
            Chain::Mytoken { facts, short, .. } if self.held.locked || is_silent(facts) => {
                let why = if self.held.locked {
                    "the store is locked"
                } else if *short {
                    "a short token carries no content, and its server was not asked"
                } else {
                    "it carries no content, and its server was not asked"
                };
                links.push(self.renewing(Kind::Chain, State::CannotTell, why));
            }
            Chain::Mytoken { facts, short, .. } => {
                links.extend(self.of_mytoken(facts, *short));
            }
        }
        links.push(self.health());
        links
    }

    pub(super) fn renewing(&self, kind: Kind, state: State, fact: impl Into<String>) -> Link {
        Link { kind, needed: !self.alone, state, fact: fact.into() }
    }

    fn access_token(&self) -> Link {
        let renewable = !matches!(self.held.chain, Chain::None);
        let link = |needed, state, fact: String| Link { kind: Kind::AccessToken, needed, state, fact };
        if let (true, Some(life), Some(every)) = (renewable, self.life, self.every)
            && every > life
            && life < self.wall
        {
            let fact =
                format!("one lives {}, and the job takes a new one every {}", words(life), words(every));
            return link(true, State::Breaks(later(self.start, life)), fact);
        }
        let needed = !renewable || self.alone;
        let Some(access) = self.held.chief() else {
            let state = if renewable { State::CannotTell } else { State::Breaks(self.now) };
            return link(needed, state, "none is held now".to_owned());
        };
        let Some(end) = access.expires else {
            return link(needed, State::CannotTell, "nobody said when it ends".to_owned());
        };
        if end >= self.until {
            return link(needed, State::Holds, self.beyond(end));
        }
        let fact = if end <= self.start {
            self.within(end)
        } else {
            format!("alone it covers {}", self.passed(end))
        };
        link(needed, State::Breaks(end.max(self.now)), fact)
    }

    /// The login behind a refresh token. Its access tokens may die with it, so it must last to the end.
    fn login(&self, ends: ChainEnd, session_only: bool) -> Link {
        let (state, fact) = match ends {
            ChainEnd::At(end) if end >= self.until => (State::Holds, self.beyond(end)),
            ChainEnd::At(end) => (State::Breaks(end.max(self.now)), self.within(end)),
            _ if session_only => {
                (State::CannotTell, "it lives with the browser's login session only".to_owned())
            }
            ChainEnd::Open => (State::Holds, "the provider names no end".to_owned()),
            ChainEnd::Unknown => {
                (State::CannotTell, "the provider did not say how long the login lasts".to_owned())
            }
        };
        self.renewing(Kind::Chain, state, fact)
    }

    fn health(&self) -> Link {
        let (needed, state, fact) = match &self.held.health {
            Health::Ok => (true, State::Holds, "nothing is known against it".to_owned()),
            Health::InDoubt(why) => (!self.alone, State::CannotTell, why.clone()),
            Health::NeedsLogin(why) => (!self.alone, State::Breaks(self.now), why.clone()),
            Health::Dead(why) => (true, State::Breaks(self.now), why.clone()),
        };
        Link { kind: Kind::Health, needed, state, fact }
    }

    pub(super) fn beyond(&self, end: Timestamp) -> String {
        format!("it ends {} after the job", words(end.duration_since(self.until)))
    }

    pub(super) fn within(&self, end: Timestamp) -> String {
        if end <= self.now {
            "it has ended".to_owned()
        } else if end <= self.start {
            "it ends before the job starts".to_owned()
        } else {
            format!("it ends after {}", self.passed(end))
        }
    }

    pub(super) fn passed(&self, at: Timestamp) -> String {
        format!("{} of the job's {}", words(at.duration_since(self.start)), words(self.wall))
    }
}

/// When the next access token is taken while the one in use lives `life`.
fn ahead_of(life: SignedDuration) -> SignedDuration {
    let early = life.saturating_sub(AHEAD);
    if early > AHEAD {
        early
    } else {
        SignedDuration::from_secs(life.as_secs() / 2).max(SignedDuration::from_secs(1))
    }
}
