//! Is this mytoken valid, until when, and if not, why: a pure function of what is known and who said so.

pub(crate) mod clause;
pub(super) mod place;
mod weigh;

use jiff::Timestamp;

pub use place::Place;
pub use weigh::verdict;

use super::mytoken::Facts;

/// The answer, in the words of the screen (look/verdicts).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// It works, here and now.
    Valid,
    /// It works, but no clause lets it be used from this machine.
    NotFromHere,
    /// It is alive, but its counted access tokens are used up.
    UsedUp,
    /// It starts later.
    NotYet,
    /// It has ended.
    Expired,
    /// A newer copy has taken its place.
    RotatedAway,
    /// The server refuses it and does not say whether it was revoked or is unknown there.
    RevokedOrUnknown,
    /// It is alive; it lacks the capability to say more.
    MayNotBeAsked,
    /// It is alive at its server, but the provider behind it gives no access tokens any more.
    Useless,
    /// Nobody could be asked.
    CannotTell,
    /// It is some other token.
    NotMytoken,
    /// It is cut or changed, or no token at all.
    Garbled,
}

impl Standing {
    /// Every standing, in the order of look/verdicts.
    pub const ALL: [Self; 12] = [
        Self::Valid,
        Self::NotFromHere,
        Self::UsedUp,
        Self::NotYet,
        Self::Expired,
        Self::RotatedAway,
        Self::RevokedOrUnknown,
        Self::MayNotBeAsked,
        Self::Useless,
        Self::CannotTell,
        Self::NotMytoken,
        Self::Garbled,
    ];

    /// Its capital words, and the rest of its headline.
    #[must_use]
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Valid => ("VALID", "here and now"),
            Self::NotFromHere => ("VALID, NOT FROM HERE", ""),
            Self::UsedUp => ("VALID, USED UP", "for access tokens"),
            Self::NotYet => ("NOT YET", ""),
            Self::Expired => ("EXPIRED", ""),
            Self::RotatedAway => ("ROTATED AWAY", ""),
            Self::RevokedOrUnknown => ("REVOKED OR UNKNOWN", ""),
            Self::MayNotBeAsked => ("ALIVE, MAY NOT BE ASKED", ""),
            Self::Useless => ("ALIVE, BUT USELESS", ""),
            Self::CannotTell => ("CANNOT TELL", ""),
            Self::NotMytoken => ("NOT A MYTOKEN", ""),
            Self::Garbled => ("NOT READABLE", ""),
        }
    }

    /// Good, doubtful or bad: the sign and colour of the headline.
    #[must_use]
    pub fn mood(self) -> Mood {
        match self {
            Self::Valid => Mood::Good,
            Self::NotFromHere | Self::UsedUp | Self::NotYet => Mood::Limited,
            Self::MayNotBeAsked | Self::CannotTell => Mood::Unknown,
            Self::Expired
            | Self::RotatedAway
            | Self::RevokedOrUnknown
            | Self::Useless
            | Self::NotMytoken
            | Self::Garbled => Mood::Bad,
        }
    }

    /// A stable word for `--json`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::NotFromHere => "not_from_here",
            Self::UsedUp => "used_up",
            Self::NotYet => "not_yet",
            Self::Expired => "expired",
            Self::RotatedAway => "rotated_away",
            Self::RevokedOrUnknown => "revoked_or_unknown",
            Self::MayNotBeAsked => "may_not_be_asked",
            Self::Useless => "useless",
            Self::CannotTell => "cannot_tell",
            Self::NotMytoken => "not_a_mytoken",
            Self::Garbled => "not_readable",
        }
    }
}

/// How an answer is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// `✔`
    Good,
    /// It lives, with a limit that matters now.
    Limited,
    /// `?`
    Unknown,
    /// `✘`
    Bad,
}

/// Who decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The token's own claims.
    Claims,
    /// Its server.
    Server,
    /// What this program has written down itself.
    Journal,
    /// Time alone.
    Clock,
}

impl By {
    /// A stable word for `--json`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Claims => "claims",
            Self::Server => "server",
            Self::Journal => "journal",
            Self::Clock => "clock",
        }
    }

    /// As it stands in a sentence: `says its server`.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Claims => "its own word",
            Self::Server => "its server",
            Self::Journal => "what was done here",
            Self::Clock => "the clock",
        }
    }
}

/// One thing that somebody said about the token.
#[derive(Clone, Debug, PartialEq)]
pub struct Witness {
    /// When it was said.
    pub at: Timestamp,
    /// By whom.
    pub by: By,
    /// What.
    pub says: Says,
}

/// What can be said about a mytoken.
#[derive(Clone, Debug, PartialEq)]
pub enum Says {
    /// An introspection came back: these are its claims and counters.
    Alive(Box<Facts>),
    /// It lacks the capability to be asked: only a token that lives is told so (mytoken-api.md §2.1.3).
    MayNotAsk,
    /// It has ended.
    Expired,
    /// It starts later.
    NotYet,
    /// 401 without a word: revoked, or rotated away, or a first copy past its lifetime.
    Unidentified,
    /// The server knows nothing of the kind.
    Unknown,
    /// Its signature does not fit.
    BadSignature,
    /// It belongs to another server.
    WrongServer,
    /// No clause allowed the use that was asked for.
    UsageRestricted,
    /// The provider behind it refuses; its words, cleaned.
    ProviderRefuses(String),
    /// No answer came; why, in a few words.
    NoAnswer(String),
    /// A newer copy is held here.
    Superseded {
        /// This copy's number, where it is known.
        copy: Option<u64>,
        /// The number of the copy that is current here.
        newest: u64,
        /// The name it is held under.
        name: String,
    },
    /// It was revoked from here: by itself, by its id, or with what it was made from.
    RevokedHere,
    /// It was rotated from here to a newer copy, which is not held here any more.
    RotatedHere {
        /// This copy's number, where it is known.
        copy: Option<u64>,
        /// The number of the newest copy that was ever held here.
        newest: u64,
    },
    /// A copy of it that was not the current one was used from here although that revokes it and all made from it.
    OlderCopyUsed,
    /// What the last look-up found.
    LastKnown(Standing),
}

/// What is being looked at.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// A mytoken that carries claims.
    Mytoken(&'a Facts),
    /// A short token, or what may be one: it carries none.
    Short,
    /// Some other token: what it is, in words (`an access token of EGI Check-in`), and when it ends.
    Other {
        /// With its article.
        what: &'a str,
        /// By its own word.
        ends: Option<Timestamp>,
    },
    /// Nothing that can be read: why.
    Unreadable(&'a str),
}

/// What a moment of a verdict means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// `ends in …`
    Ends,
    /// `starts in …`
    Starts,
    /// `ended … ago`
    Ended,
}

/// What the user may want to do about it. A screen offers it only where the action exists and works now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Ask the server again.
    AskAgain,
    /// Ask the server for the first time, after the user has agreed to it.
    AskServer,
    /// Draw an access token: it costs a use, and its answer says more.
    TryAccessToken,
    /// Make its successor.
    MakeSuccessor,
    /// Go to the copy that is current here.
    GoToNewest,
    /// Ask whether it would work elsewhere.
    WouldItWork,
    /// See the last events known.
    LastEvents,
    /// See what it contains.
    ShowContent,
    /// Log in again.
    LogIn,
}

/// The answer with its reason.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The answer.
    pub standing: Standing,
    /// The one deciding fact, in words, without moments: those stand in [`Verdict::turn`].
    pub fact: String,
    /// Who decided.
    pub by: By,
    /// When the server was last heard about it.
    pub heard: Option<Timestamp>,
    /// The moment that matters.
    pub turn: Option<(Turn, Timestamp)>,
    /// Whether, as far as its claims go, it would give an access token here and now.
    pub gives_access: bool,
    /// What else must be known: a clause nobody here understands, a clock that is off.
    pub remarks: Vec<String>,
    /// What to do about it.
    pub next: Option<Next>,
}

impl Verdict {
    /// The exit code of `toktui info` (design.md §3).
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.standing {
            Standing::Valid => 0,
            Standing::MayNotBeAsked if self.gives_access => 0,
            Standing::CannotTell => 4,
            Standing::Garbled => 2,
            Standing::NotMytoken => match self.turn {
                Some((Turn::Ended | Turn::Starts, _)) => 3,
                Some((Turn::Ends, _)) => 0,
                // It names no end: whether it still opens anything, nobody here can say.
                None => 4,
            },
            Standing::MayNotBeAsked
            | Standing::NotFromHere
            | Standing::UsedUp
            | Standing::NotYet
            | Standing::Expired
            | Standing::RotatedAway
            | Standing::RevokedOrUnknown
            | Standing::Useless => 3,
        }
    }
}
