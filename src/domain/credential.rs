//! Something held under a name from which access tokens come, and the secret-free view of it that screens get.

use std::collections::BTreeSet;

use aws_lc_rs::hmac;
use jiff::{SignedDuration, Timestamp};

use super::mytoken::{Clause, Facts, left_of_all};
use super::secret::Secret;
use super::source::{Client, SourceId};
use super::time::{Uptime, later};
use super::untrusted::Untrusted;

/// Below this many seconds a token is said to be *ending*.
pub const ENDING: i64 = 60;

/// So many superseded values are remembered: what rotates every minute for a year must not grow with it, in memory or in any record.
pub const MOST_SUPERSEDED: usize = 200;

/// Names a credential for ever; its name on screen may change.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CredentialId(pub String);

/// Who a credential speaks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The issuer that says so.
    pub issuer: Untrusted,
    /// `sub` there.
    pub subject: Untrusted,
    /// A name or mail address to tell several apart.
    pub label: Option<Untrusted>,
}

/// What an access token is asked for with. What was granted stands beside it, and may differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ask {
    /// Scopes; empty: whatever the grant gives.
    pub scopes: BTreeSet<String>,
    /// Audiences; empty: none named.
    pub audiences: BTreeSet<String>,
}

/// An access token.
#[derive(Clone, Debug, PartialEq)]
pub struct AccessToken {
    /// The token.
    pub value: Secret,
    /// When it came.
    pub obtained: Timestamp,
    /// When it ends by our clock, from `expires_in`; `None` where nobody said.
    pub expires: Option<Timestamp>,
    /// The scopes that were granted, where the provider said.
    pub granted: Option<Vec<Untrusted>>,
    /// The ID token that came with it.
    pub id_token: Option<Secret>,
    /// The same end on the clock that nobody sets: by it [`AccessToken::expires`] is put right after this machine's clock was set
    /// (security.md I1). `None` where no end is known, or no such clock.
    pub ends_up: Option<Uptime>,
    /// How far the giver's clock was ahead of ours when it came (its `Date` header), where it told.
    pub skew: Option<SignedDuration>,
}

/// Where access tokens come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Grant {
    /// A login with a refresh token.
    Refresh(RefreshGrant),
    /// A mytoken.
    Mytoken(Box<MytokenGrant>),
    /// A bare access token that nothing renews.
    Bare,
}

/// A refresh token and what its use takes.
#[derive(Clone, Debug, PartialEq)]
pub struct RefreshGrant {
    /// The issuer, byte for byte.
    pub issuer: String,
    /// The client it was given to: another one cannot use it.
    pub client: Client,
    /// Scopes of the login.
    pub scopes: Vec<String>,
    /// The current refresh token.
    pub current: Copy,
    /// When the chain ends.
    pub ends: ChainEnd,
    /// Whether a renewal has been seen to replace the refresh token.
    pub rotates: bool,
    /// The token endpoint that the provider's own document named last: a renewal asks there at once.
    pub endpoint: Option<String>,
    /// On which way it came; `None` where nobody noted it.
    pub got: Option<Got>,
}

/// On which way a login came to be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Got {
    /// By a device code.
    Device,
    /// By this machine's browser.
    Browser,
    /// By the address that a browser ended on, pasted back.
    Pasted,
    /// Its refresh token was made by a token portal, and kept here.
    Portal,
    /// Its refresh token came from elsewhere, and was kept here.
    Kept,
}

impl Got {
    /// In a few words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Device => "device code",
            Self::Browser => "browser",
            Self::Pasted => "pasted address",
            Self::Portal => "token portal",
            Self::Kept => "kept by hand",
        }
    }
}

/// Through whom a login came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Through {
    /// The client that the refresh token was given to; `None` while the store is locked.
    pub client: Option<String>,
    /// On which way; `None` where nobody noted it, and while the store is locked.
    pub got: Option<Got>,
}

/// A mytoken and what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct MytokenGrant {
    /// The server's base address.
    pub server: String,
    /// The current copy.
    pub current: Copy,
    /// Its claims, or what its server said of it, with the counters last seen.
    pub facts: Facts,
    /// When [`MytokenGrant::facts`] were last heard from the server.
    pub heard: Option<Timestamp>,
    /// A short token: it carries no claims.
    pub short: bool,
}

impl MytokenGrant {
    /// Whether it is known to carry no restriction, so that questions about it cost and rotate nothing (mytoken-api.md §2.5). A short token
    /// that nobody has looked up may carry some.
    #[must_use]
    pub fn is_unrestricted(&self) -> bool {
        is_unrestricted(&self.facts, self.short, self.heard)
    }
}

/// The value in use, and how to recognise those that it has replaced.
#[derive(Clone, Debug, PartialEq)]
pub struct Copy {
    /// The value.
    pub value: Secret,
    /// 1, and one more at every rotation; a mytoken's own sequence number where it has one.
    pub number: u64,
    /// The values that this one has superseded, the newest last, and [`MOST_SUPERSEDED`] at the most.
    pub superseded: Vec<Fingerprint>,
}

impl Copy {
    /// The first copy.
    #[must_use]
    pub fn first(value: Secret, number: u64) -> Self {
        Self { value, number, superseded: Vec::new() }
    }

    /// Puts a newer value in place and remembers the old one by its fingerprint.
    pub fn supersede(&mut self, value: Secret, number: Option<u64>, key: &FingerprintKey) {
        let old = std::mem::replace(&mut self.value, value);
        let surplus = (self.superseded.len() + 1).saturating_sub(MOST_SUPERSEDED);
        self.superseded.drain(..surplus);
        self.superseded.push(key.of(&old));
        self.number = number.unwrap_or(self.number + 1);
    }
}

/// A keyed digest by which a value is recognised without being kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// One that was kept.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// To be kept.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The key of all fingerprints of one store.
pub struct FingerprintKey(hmac::Key);

impl FingerprintKey {
    /// A key from 32 random bytes.
    #[must_use]
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// The fingerprint of a value.
    #[must_use]
    pub fn of(&self, value: &Secret) -> Fingerprint {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(hmac::sign(&self.0, value.expose().as_bytes()).as_ref());
        Fingerprint(bytes)
    }
}

/// When access tokens can no longer be drawn without a new login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChainEnd {
    /// At this moment.
    At(Timestamp),
    /// The provider names no end (Keycloak's `refresh_expires_in: 0`).
    Open,
    /// The provider did not say.
    #[default]
    Unknown,
}

/// Where the secrets of a credential are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Custody {
    /// On disk, sealed.
    Sealed,
    /// On disk, sealed, and the key lies in a file.
    KeyFile,
    /// On disk, sealed under a key that only this session's kernel keyring has: gone after the next start of the machine.
    Session,
    /// In this program's memory although it belongs on disk: writing failed, and why. Nothing else has the newest value.
    Unsaved(String),
    /// In this program's memory: gone when it quits.
    MemoryOnly,
    /// Somebody else's: read-only, never refreshed unasked.
    Foreign(String),
}

/// How a credential fares. Never deleted on a server's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// Nothing is known against it.
    Ok,
    /// A request with it was sent and its answer was not received.
    InDoubt(String),
    /// Only a new login gives access tokens again; why, in a few words.
    NeedsLogin(String),
    /// It will never work again; why, in a few words.
    Dead(String),
}

/// The words of a [`Health`] that more than one room knows: short enough for a table cell.
pub mod why {
    /// It has ended.
    pub const EXPIRED: &str = "expired";
    /// It has ended or was revoked: the provider does not say which.
    pub const ENDED_OR_REVOKED: &str = "ended or revoked";
    /// Its server refuses it and does not say why.
    pub const REVOKED_OR_UNKNOWN: &str = "revoked or unknown";
    /// It was revoked from here.
    pub const REVOKED_HERE: &str = "revoked from here";
    /// It was to be revoked from here, and its provider did not know it any more.
    pub const UNKNOWN_THERE: &str = "not known there any more";
    /// It was revoked from here, and whether it is dead could not be checked.
    pub const REVOKED_UNCHECKED: &str = "revoked, not checked";
    /// The answer to its last use did not arrive.
    pub const UNANSWERED: &str = "last use unanswered";
    /// A newer copy of it is held here.
    pub const ROTATED_AWAY: &str = "rotated away";
    /// Its record on disk cannot be read.
    pub const DAMAGED: &str = "damaged on disk";
    /// The key it was sealed under went with an earlier session.
    pub const SESSION_OVER: &str = "its session is over";
    /// Another copy of it is in use somewhere.
    pub const OTHER_COPY: &str = "another copy in use";
    /// No refresh token stands behind it any more.
    pub const NO_LOGIN: &str = "no login behind it";
    /// The provider behind it gives nothing more.
    pub const PROVIDER_REFUSES: &str = "its provider refuses";
}

/// Something held under a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Credential {
    /// Never changes.
    pub id: CredentialId,
    /// What it is called here.
    pub name: String,
    /// The row of the Providers pane it is listed under.
    pub source: SourceId,
    /// Who it speaks for.
    pub identity: Option<Identity>,
    /// Where its access tokens come from.
    pub grant: Grant,
    /// Where it is kept.
    pub custody: Custody,
    /// How it fares.
    pub health: Health,
    /// What its chief access token is asked for with.
    pub ask: Ask,
    /// The access tokens, each by what it was asked for with.
    pub access: Vec<(Ask, AccessToken)>,
    /// When it came to be held.
    pub since: Timestamp,
    /// Until when its giver is left alone.
    pub pause: Option<Pause>,
}

/// Its giver was asked in vain and is left alone for a while: by its own word (`Retry-After`), or by ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Nothing is sent before this moment, unless the user insists.
    pub until: Timestamp,
    /// How many times in a row it was asked in vain.
    pub tries: u32,
    /// Why, in a few words: `429`, `not reached`.
    pub why: String,
}

/// The secret-free view of a credential: what the board, `list` and `--json` get.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// See [`Credential::id`].
    pub id: CredentialId,
    /// See [`Credential::name`].
    pub name: String,
    /// See [`Credential::source`].
    pub source: SourceId,
    /// See [`Credential::identity`].
    pub identity: Option<Identity>,
    /// See [`Credential::custody`].
    pub custody: Custody,
    /// See [`Credential::health`].
    pub health: Health,
    /// The chief access token first.
    pub access: Vec<HeldAccess>,
    /// How more access tokens can be had.
    pub chain: Chain,
    /// See [`Credential::since`].
    pub since: Timestamp,
    /// See [`Credential::pause`].
    pub pause: Option<Pause>,
    /// The store is locked: identity, contents and what a mytoken may do are not known now.
    pub locked: bool,
}

/// The secret-free view of an access token.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldAccess {
    /// What it was asked for with.
    pub ask: Ask,
    /// When it came.
    pub obtained: Timestamp,
    /// When it ends; `None` where nobody said.
    pub expires: Option<Timestamp>,
    /// What was granted.
    pub granted: Option<Vec<Untrusted>>,
    /// How many characters it has.
    pub length: usize,
    /// Whether an ID token came with it.
    pub has_id_token: bool,
    /// How far its giver's clock was ahead of ours, where it told.
    pub skew: Option<SignedDuration>,
    /// Header and claims, where it is a JWT. Claims are no secret to its holder, the signature is left out.
    pub content: Option<super::jwt::Jwt>,
}

/// How more access tokens can be had.
#[derive(Clone, Debug, PartialEq)]
pub enum Chain {
    /// By a refresh token.
    Refresh {
        /// When that ends.
        ends: ChainEnd,
        /// Whether every renewal replaces it.
        rotates: bool,
        /// Whether it lives with the browser's login session only (no `offline_access`).
        session_only: bool,
        /// Through whom it came.
        through: Through,
    },
    /// By a mytoken.
    Mytoken {
        /// What is known of it.
        facts: Box<Facts>,
        /// When its server was last heard.
        heard: Option<Timestamp>,
        /// Which copy is held.
        copy: u64,
        /// A short token: it carries no claims.
        short: bool,
    },
    /// Not at all.
    None,
}

impl Chain {
    /// [`MytokenGrant::is_unrestricted`], of one that is seen from outside; of anything else no.
    #[must_use]
    pub fn is_unrestricted(&self) -> bool {
        match self {
            Self::Mytoken { facts, heard, short, .. } => is_unrestricted(facts, *short, *heard),
            Self::Refresh { .. } | Self::None => false,
        }
    }

    /// Access tokens that can still be drawn; `None` where they are not counted, or nobody knows.
    #[must_use]
    pub fn uses_left(&self) -> Option<u64> {
        let Self::Mytoken { facts, .. } = self else { return None };
        left_of_all(facts.restrictions.iter(), Clause::left_at)
    }
}

fn is_unrestricted(facts: &Facts, short: bool, heard: Option<Timestamp>) -> bool {
    facts.restrictions.is_empty() && (!short || heard.is_some())
}

impl AccessToken {
    /// Seconds of life left at `now`; `None` where no end is known.
    #[must_use]
    pub fn left(&self, now: Timestamp) -> Option<SignedDuration> {
        self.expires.map(|end| end.duration_since(now))
    }
}

impl AccessToken {
    /// Moves its times to where they belong after this machine's clock was set, by the clock that nobody sets. Two seconds are
    /// let pass: both clocks are not read in the same instant.
    pub fn put_right(&mut self, now: Timestamp, uptime: Option<Uptime>) {
        let (Some(end), Some(end_up), Some(uptime)) = (self.expires, self.ends_up, uptime) else { return };
        let Some(left) = end_up.after(uptime) else { return };
        let right = later(now, left);
        let off = right.duration_since(end);
        if off.abs() > SignedDuration::from_secs(2) {
            self.expires = Some(right);
            self.obtained = later(self.obtained, off);
        }
    }
}

/// When a token that came at `obtained` ends, from what the server said of its life in seconds.
///
/// Missing or not positive: unknown (a zero is Keycloak's "no end" or mytoken's "the provider did not say").
#[must_use]
pub fn ends(obtained: Timestamp, expires_in: Option<i64>) -> Option<Timestamp> {
    expires_in
        .filter(|seconds| *seconds > 0)
        .map(|seconds| later(obtained, SignedDuration::from_secs(seconds)))
}

impl Credential {
    /// The view without secrets.
    #[must_use]
    pub fn held(&self) -> Held {
        let mut access: Vec<HeldAccess> = self.access.iter().map(|(ask, token)| token.held(ask)).collect();
        access.sort_by_key(|view| view.ask != self.ask);
        Held {
            id: self.id.clone(),
            name: self.name.clone(),
            source: self.source.clone(),
            identity: self.identity.clone(),
            custody: self.custody.clone(),
            health: self.health.clone(),
            access,
            chain: match &self.grant {
                Grant::Refresh(grant) => Chain::Refresh {
                    ends: grant.ends,
                    rotates: grant.rotates,
                    session_only: !grant.scopes.iter().any(|scope| scope == "offline_access"),
                    through: Through { client: Some(grant.client.id.clone()), got: grant.got },
                },
                Grant::Mytoken(grant) => Chain::Mytoken {
                    facts: Box::new(grant.facts.clone()),
                    heard: grant.heard,
                    copy: grant.current.number,
                    short: grant.short,
                },
                Grant::Bare => Chain::None,
            },
            since: self.since,
            pause: self.pause.clone(),
            locked: false,
        }
    }

    /// Puts the times of its access tokens right; see [`AccessToken::put_right`].
    pub fn put_right(&mut self, now: Timestamp, uptime: Option<Uptime>) {
        self.access.iter_mut().for_each(|(_, token)| token.put_right(now, uptime));
    }

    /// Lets go of access tokens that were asked for in other ways and have ended: nobody may ever ask so again.
    pub fn drop_ended(&mut self, now: Timestamp) {
        let day = SignedDuration::from_hours(24);
        let chief = &self.ask;
        self.access.retain(|(ask, token)| {
            let ended = token.expires.unwrap_or_else(|| later(token.obtained, day)) <= now;
            ask == chief || !ended
        });
    }

    /// The access token held for `ask`.
    #[must_use]
    pub fn access_for(&self, ask: &Ask) -> Option<&AccessToken> {
        self.access.iter().find(|(held, _)| held == ask).map(|(_, token)| token)
    }

    /// Puts an access token in the place of the one that was asked for in the same way.
    pub fn put_access(&mut self, ask: Ask, token: AccessToken) {
        match self.access.iter_mut().find(|(held, _)| *held == ask) {
            Some((_, old)) => *old = token,
            None => self.access.push((ask, token)),
        }
    }
}

impl AccessToken {
    fn held(&self, ask: &Ask) -> HeldAccess {
        HeldAccess {
            ask: ask.clone(),
            obtained: self.obtained,
            expires: self.expires,
            granted: self.granted.clone(),
            length: self.value.len(),
            has_id_token: self.id_token.is_some(),
            skew: self.skew,
            content: super::jwt::Jwt::parse(self.value.expose()),
        }
    }
}

impl Held {
    /// The access token that `y` copies, if there is one.
    #[must_use]
    pub fn chief(&self) -> Option<&HeldAccess> {
        self.access.first()
    }

    /// How its chief access token stands at `now`.
    #[must_use]
    pub fn life(&self, now: Timestamp) -> Life {
        let Some(access) = self.chief() else { return Life::None };
        match access.expires.map(|end| end.duration_since(now)) {
            None => Life::Unknown,
            Some(left) if left <= SignedDuration::ZERO => Life::Expired(left.unsigned_abs().as_secs()),
            Some(left) if left.as_secs() < ENDING => Life::Ending(left),
            Some(left) => Life::Live(left),
        }
    }

    /// When access tokens can no longer be drawn, where that is known.
    #[must_use]
    pub fn chain_ends(&self) -> Option<Timestamp> {
        match &self.chain {
            Chain::Refresh { ends: ChainEnd::At(end), .. } => Some(*end),
            Chain::Refresh { .. } | Chain::None => None,
            Chain::Mytoken { facts, .. } => facts.ends(),
        }
    }

    /// When it was last used: when the newest of its access tokens came. `None`: not yet, as far as is known.
    #[must_use]
    pub fn last_used(&self) -> Option<Timestamp> {
        self.access.iter().map(|access| access.obtained).max()
    }

    /// Whether quitting at `now` loses something that is still of use.
    #[must_use]
    pub fn is_lost_on_quit(&self, now: Timestamp) -> bool {
        matches!(self.custody, Custody::MemoryOnly | Custody::Unsaved(_)) && !self.is_dead(now)
    }

    /// Whether it can still be of use: dead is what its health or its own end says.
    #[must_use]
    pub fn is_dead(&self, now: Timestamp) -> bool {
        let unrenewable = matches!(self.chain, Chain::None);
        let chain_over = self.chain_ends().is_some_and(|end| end <= now);
        matches!(self.health, Health::Dead(_) | Health::NeedsLogin(_))
            || ((unrenewable || chain_over) && matches!(self.life(now), Life::Expired(_) | Life::None))
    }
}

/// How an access token stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// There is none.
    None,
    /// There is one whose end nobody named.
    Unknown,
    /// It lives this much longer.
    Live(SignedDuration),
    /// It lives less than [`ENDING`] seconds longer.
    Ending(SignedDuration),
    /// It ended so many seconds ago.
    Expired(u64),
}

#[cfg(test)]
impl Held {
    /// Something that is held and well, with nothing drawn from it.
    pub(crate) fn sample(name: &str, source: &str, chain: Chain, since: Timestamp) -> Self {
        Self {
            id: CredentialId(name.to_owned()),
            name: name.to_owned(),
            source: source.into(),
            identity: None,
            custody: Custody::Sealed,
            health: Health::Ok,
            access: Vec::new(),
            chain,
            since,
            pause: None,
            locked: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::from_epoch;

    #[test]
    fn a_thousand_superseded_values_take_no_more_room_than_the_most_that_are_remembered() {
        let key = FingerprintKey::new(&[7; 32]);
        let mut copy = Copy::first(Secret::new("rt-0"), 1);
        (1..1_000).for_each(|n| copy.supersede(Secret::new(format!("rt-{n}")), None, &key));
        assert_eq!((copy.number, copy.superseded.len()), (1_000, MOST_SUPERSEDED));
        assert_eq!(copy.superseded.last(), Some(&key.of(&Secret::new("rt-998"))));
    }

    #[test]
    fn a_superseded_value_is_recognised_and_not_kept() {
        let key = FingerprintKey::new(&[7; 32]);
        let old = Secret::new("mt-old");
        let mut copy = Copy::first(old.clone(), 1);
        copy.supersede(Secret::new("mt-new"), None, &key);
        assert_eq!((copy.number, copy.value.expose()), (2, "mt-new"));
        assert_eq!(copy.superseded, [key.of(&old)]);
    }

    #[test]
    fn an_end_is_put_right_when_the_clock_was_set_and_left_alone_otherwise() {
        let at = |seconds: i64| from_epoch(1_800_000_000 + seconds);
        let up = |start, seconds| Uptime { start, since: SignedDuration::from_secs(seconds) };
        let token = AccessToken {
            value: Secret::new("at"),
            obtained: at(0),
            expires: Some(at(300)),
            granted: None,
            id_token: None,
            ends_up: Some(up(1, 1300)),
            skew: None,
        };
        // the clock now, the clock that nobody sets, when it came, when it ends
        let table = [
            (100, Some(up(1, 1100)), 0, 300),
            (86_500, Some(up(1, 1100)), 86_400, 86_700),
            (-86_300, Some(up(1, 1100)), -86_400, -86_100),
            (86_500, Some(up(2, 1100)), 0, 300),
            (86_500, None, 0, 300),
            (5000, Some(up(1, 6000)), 0, 300),
        ];
        for (now, uptime, obtained, ends) in table {
            let mut right = token.clone();
            right.put_right(at(now), uptime);
            assert_eq!((right.obtained, right.expires), (at(obtained), Some(at(ends))), "{now} {uptime:?}");
        }
    }

    #[test]
    fn a_lifetime_of_zero_or_none_is_unknown_and_never_already_over() {
        let now = from_epoch(1_800_000_000);
        assert_eq!(ends(now, Some(0)), None);
        assert_eq!(ends(now, Some(-5)), None);
        assert_eq!(ends(now, None), None);
        assert_eq!(ends(now, Some(60)), Some(from_epoch(1_800_000_060)));
        assert_eq!(ends(now, Some(i64::MAX)), Some(Timestamp::MAX));
    }
}
